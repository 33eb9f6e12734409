"""Comparisons and logic: bool tensors, which carry no gradient."""

import numpy as np

from .. import backend
from ..engine import Variable
from .axes import must_be_tensor
from .promotion import must_hold_a_tensor, promoted_arrays


def _compare(name, function, input, other):
    """`function` of two arrays, or of an array and a number, as a bool tensor."""
    a, b, source = promoted_arrays(name, input, other)
    return source.like(function(a, b))


def eq(input, other):
    """input == other, element by element; False against None and other things that are no number."""
    if not isinstance(other, Variable | int | float | bool | np.generic | np.ndarray):
        return NotImplemented
    return _compare("eq", np.equal, input, other)


def ne(input, other):
    """input != other, element by element."""
    if not isinstance(other, Variable | int | float | bool | np.generic | np.ndarray):
        return NotImplemented
    return _compare("ne", np.not_equal, input, other)


def lt(input, other):
    """input < other, element by element."""
    return _compare("lt", np.less, input, other)


def le(input, other):
    """input <= other, element by element."""
    return _compare("le", np.less_equal, input, other)


def gt(input, other):
    """input > other, element by element."""
    return _compare("gt", np.greater, input, other)


def ge(input, other):
    """input >= other, element by element."""
    return _compare("ge", np.greater_equal, input, other)


def _bitwise(name, function, input, other):
    """`function` of two arrays of integers or bools, or of one and a number."""
    must_hold_a_tensor(name, input, other)
    a, b, source = promoted_arrays(name, input, other)
    for x in (a, b):
        if isinstance(x, float) or getattr(x, "dtype", np.dtype(bool)).kind == "f":
            raise NotImplementedError(
                f"{name}: not implemented for floating point, got {getattr(input, 'dtype', input)} and "
                f"{getattr(other, 'dtype', other)}; compare first, or convert with .long()"
            )
    return source.like(function(a, b))


def bitwise_and(input, other):
    """Both, element by element; bit by bit for integers (the & operator)."""
    return _bitwise("bitwise_and", np.bitwise_and, input, other)


def bitwise_or(input, other):
    """Either, element by element; bit by bit for integers (the | operator)."""
    return _bitwise("bitwise_or", np.bitwise_or, input, other)


def bitwise_xor(input, other):
    """One but not both, element by element; bit by bit for integers (the ^ operator)."""
    return _bitwise("bitwise_xor", np.bitwise_xor, input, other)


def bitwise_not(input):
    """Not, element by element; bit by bit for integers.

    Raises
    ------
    NotImplementedError
        For floating point numbers.
    """
    must_be_tensor("bitwise_not", input)
    if input.array.dtype.kind == "f":
        raise NotImplementedError(f"bitwise_not: only for integers and bools, got {input.dtype}; compare first")
    return input.like(np.invert(input.array))


def invert(input):
    """The ~ operator: bitwise_not.

    Raises
    ------
    TypeError
        For floating point numbers.
    """
    if input.array.dtype.kind == "f":
        raise TypeError(f"bitwise_not: ~ is only for integers and bools, got {input.dtype}; compare first")
    return bitwise_not(input)


def logical_and(input, other):
    """Whether both elements are true (not 0), with broadcasting, for any dtypes."""
    return _logical("logical_and", np.logical_and, input, other)


def logical_or(input, other):
    """Whether one element or both are true (not 0), with broadcasting, for any dtypes."""
    return _logical("logical_or", np.logical_or, input, other)


def logical_xor(input, other):
    """Whether one element but not both are true (not 0), with broadcasting, for any dtypes."""
    return _logical("logical_xor", np.logical_xor, input, other)


def _logical(name, function, input, other):
    """`function` of two arrays as a bool tensor."""
    must_be_tensor(name, input, other)
    a, b, source = promoted_arrays(name, input, other)
    return source.like(function(a, b))


def logical_not(input):
    """Whether an element is false (0), for any dtype."""
    must_be_tensor("logical_not", input)
    return input.like(np.logical_not(input.array))


def equal(input, other):
    """Whether two tensors have one shape and the same elements: a Python bool. The dtypes may differ.

    Raises
    ------
    TypeError
        If one of them is no tensor.
    """
    must_be_tensor("equal", input, other)
    backend.check_devices("equal", input.array, other.array)
    if input.array.shape != other.array.shape:
        return False
    a, b, _ = promoted_arrays("equal", input, other)
    return bool((a == b).all())


def isclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """|input - other| <= atol + rtol * |other|, element by element, with broadcasting; equal infinities are close.

    Raises
    ------
    RuntimeError
        If the dtypes differ, or `rtol` or `atol` is negative, or the shapes do not broadcast.
    """
    return _close("isclose", input, other, rtol, atol, equal_nan)


def _close(name, input, other, rtol, atol, equal_nan):
    """isclose, with the name of the function that was called in its messages."""
    must_be_tensor(name, input, other)
    backend.check_devices(name, input.array, other.array)
    if input.array.dtype != other.array.dtype:
        raise RuntimeError(f"{name}: {input.dtype} did not match {other.dtype}; convert one with .to()")
    if rtol < 0 or atol < 0:
        raise RuntimeError(f"{name}: rtol and atol must not be negative, got rtol={rtol}, atol={atol}")
    a, b, source = promoted_arrays(name, input, other)
    if a.dtype.kind == "b":
        return source.like(np.equal(a, b))
    return source.like(np.isclose(a, b, rtol, atol, equal_nan))


def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether `isclose` holds everywhere: a Python bool.

    Raises
    ------
    RuntimeError
        As `isclose`.
    """
    return bool(_close("allclose", input, other, rtol, atol, equal_nan).array.all())
