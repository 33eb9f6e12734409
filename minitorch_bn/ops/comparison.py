"""Comparisons and logic: bool tensors, which carry no gradient."""

import numpy as np

from .. import backend
from ..engine import Variable
from .arithmetic import check_broadcast


def _compare(name, function, input, other):
    """`function` of two arrays, or of an array and a number, as a bool tensor."""
    a = input.array
    if isinstance(other, Variable):
        check_broadcast(name, a.shape, other.array.shape)
        other = other.array
    try:
        return input.like(function(a, other))
    except TypeError:
        backend.check_devices(name, a, other)
        raise


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
    for x in (input, other):
        if getattr(x, "array", np.asarray(0)).dtype.kind == "f" or isinstance(x, float):
            raise NotImplementedError(f"{name}: not implemented for floating point, got {getattr(x, 'dtype', x)}")
    return _compare(name, function, input, other)


def bitwise_and(input, other):
    """Both, element by element; bit by bit for integers (the & operator)."""
    return _bitwise("and", np.bitwise_and, input, other)


def bitwise_or(input, other):
    """Either, element by element; bit by bit for integers (the | operator)."""
    return _bitwise("or", np.bitwise_or, input, other)


def bitwise_xor(input, other):
    """One but not both, element by element; bit by bit for integers (the ^ operator)."""
    return _bitwise("xor", np.bitwise_xor, input, other)


def bitwise_not(input):
    """Not, element by element; bit by bit for integers (the ~ operator)."""
    return input.like(np.invert(input.array))


def equal(input, other):
    """Whether two tensors have one shape and the same elements: a Python bool."""
    backend.check_devices("equal", input.array, other.array)
    return input.array.shape == other.array.shape and bool((input.array == other.array).all())


def isclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """|input - other| <= atol + rtol * |other|, element by element."""
    backend.check_devices("isclose", input.array, other.array)
    return input.like(np.isclose(input.array, other.array, rtol, atol, equal_nan))


def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether `isclose` holds everywhere: a Python bool.

    Raises
    ------
    RuntimeError
        If the dtypes differ.
    """
    if input.array.dtype != other.array.dtype:
        raise RuntimeError(f"allclose: {input.dtype} did not match {other.dtype}; convert one with .to()")
    return bool(isclose(input, other, rtol, atol, equal_nan).array.all())
