"""From nested sequences of Python to arrays, with PyTorch's rules: which dtype, which shape, what is refused."""

import functools
import itertools

import numpy as np

from . import dtypes
from .tensor import Tensor


def array_of_lists(name, data, dtype=None):
    """A number, or nested sequences of numbers, as a NumPy array of the dtype that PyTorch gives them, or of `dtype`.

    Parameters
    ----------
    name : str
        For error messages.
    data : bool, int, float, NumPy's numbers, tensors of one element, and sequences of them
    dtype : dtype, optional

    Raises
    ------
    ValueError
        If the sequences are not of equal length, hold texts only, or an int does not fit into 64 bits.
    TypeError
        If there is a text or a sequence where a number is wanted.
    RuntimeError
        If there is anything else, or a number does not fit into `dtype`.

    >>> array_of_lists("tensor", [[1, 2.5], (True, 4)])
    array([[1. , 2.5],
           [1. , 4. ]], dtype=float32)
    """
    shape, elements = _unnested(name, data)
    kinds = set(map(type, elements))
    if kinds <= {bool, int, float}:
        found = {_PLAIN.get(kind) or dtypes.get_default_dtype() for kind in kinds}
    else:
        found = {_dtype_of(name, x) for x in elements}
        elements = [x.item() if isinstance(x, np.generic | np.ndarray) else _number(x) for x in elements]
    if dtype is None:
        dtype = functools.reduce(dtypes.promote_types, found) if found else dtypes.get_default_dtype()
    return _converted(name, elements, dtypes.of(dtype)).reshape(shape)


_PLAIN = {bool: dtypes.bool, int: dtypes.int64}  # and float: the default floating point type


def _is_sequence(x):
    """Whether PyTorch looks for elements inside of `x`."""
    if type(x) in (list, tuple):
        return True
    if isinstance(x, str | bytes | dict | Tensor | np.generic):
        return False
    return bool(getattr(x, "ndim", 1)) and hasattr(type(x), "__getitem__") and hasattr(type(x), "__len__")


def _unnested(name, data):
    """The shape of nested sequences, and a list of their elements. At each depth the first says what the others are."""
    shape, level = [], [data]
    while level and _is_sequence(level[0]):
        length = len(level[0])
        shape.append(length)
        if length == 0:
            return shape, []
        alike = set(map(type, level)) <= {list, tuple} and set(map(len, level)) == {length}  # the usual case, fast
        for item in () if alike else level:
            if not _is_sequence(item):
                raise TypeError(f"{name}: not a sequence: got {item!r} beside sequences of length {length}")
            if len(item) != length:
                raise ValueError(
                    f"{name}: expected sequence of length {length} at dim {len(shape) - 1} (got {len(item)}); all rows "
                    "must be of equal length"
                )
        level = list(itertools.chain.from_iterable(level))
    if shape and isinstance(level[0], str) and level[0]:
        raise ValueError(f"{name}: too many dimensions 'str': got the text {level[0]!r}, wanted numbers")
    return shape, level


def _dtype_of(name, x):
    """The dtype of one element."""
    if isinstance(x, np.generic | np.ndarray | Tensor):
        return dtypes.of(x.dtype)
    if isinstance(x, bool | int | float):
        return next((d for kind, d in _PLAIN.items() if isinstance(x, kind)), dtypes.get_default_dtype())
    if isinstance(x, str | bytes | complex) or _is_sequence(x):
        raise TypeError(f"{name}: invalid data type '{type(x).__name__}': got {x!r} where a number is wanted")
    raise RuntimeError(f"{name}: could not infer dtype of {type(x).__name__}; pass numbers or nested sequences of them")


def _number(x):
    """An element as a Python number; ValueError for a tensor of several elements."""
    if not isinstance(x, Tensor):
        return x
    if x.numel() != 1:
        raise ValueError(
            f"only one element tensors can be converted to Python scalars, got shape {tuple(x.shape)}; for a list of "
            "tensors use stack"
        )
    return x.item()


def _converted(name, elements, dtype):
    """A list of Python numbers as an array."""
    if dtype.is_floating_point:
        precise = np.array(elements, np.float64)
        with np.errstate(over="ignore"):  # what is too large becomes infinite
            return (precise.astype(np.float32) if dtype is dtypes.float16 else precise).astype(dtype.numpy)
    if dtype is dtypes.bool:
        return np.array(list(map(bool, elements)), bool)
    fractions = float in set(map(type, elements))
    for x in (min(elements), max(elements)) if elements and not fractions else elements:
        if isinstance(x, int) and not -(2**63) <= x < 2**63:
            raise ValueError(f"{name}: overflow: {x} does not fit into 64 bits")
        check_fits(name, x, dtype)
    whole = list(map(int, elements)) if fractions else elements
    return np.array(whole, np.int64).astype(dtype.numpy, copy=False)


def check_fits(name, value, dtype):
    """Raise PyTorch's error if a number cannot be stored as `dtype`.

    Infinity and nan fit into floating point types. Unsigned types take negative ints, which wrap around.

    Raises
    ------
    RuntimeError
        If it does not fit.
    """
    if dtype is dtypes.bool:
        return
    limits = np.finfo(dtype.numpy) if dtype.is_floating_point else np.iinfo(dtype.numpy)
    low, high = float(limits.min) if dtype.is_floating_point else int(limits.min), limits.max
    if low == 0 and isinstance(value, int):
        low = -int(high)
    if dtype.is_floating_point and (value != value or abs(value) == float("inf")):
        return
    if not low <= value <= (float(high) if dtype.is_floating_point else int(high)):
        raise RuntimeError(f"{name}: value {value} cannot be converted to type {dtype} without overflow")


def usable(name, array):
    """Raise PyTorch's error if a tensor cannot hold or share the memory of `array`.

    Raises
    ------
    TypeError
        If tensors do not have its type.
    ValueError
        If it has a foreign byte order, steps backwards, or steps that are no multiple of the element size.
    """
    if not array.dtype.isnative:
        raise ValueError(
            f"{name}: got byte order {array.dtype.str!r}; convert it with array.astype({array.dtype.name!r})"
        )
    dtypes.of(array.dtype)
    if any(stride < 0 for stride in array.strides):
        raise ValueError(f"{name}: at least one stride of the array is negative; pass array.copy()")
    if any(stride % array.dtype.itemsize for stride in array.strides):
        raise ValueError(f"{name}: strides {array.strides} are not multiples of the element size; pass array.copy()")
