"""Element types under PyTorch's names, and PyTorch's rules for mixing them.

A dtype here is a thin name for NumPy's: ``float32.numpy`` is ``numpy.dtype("float32")``, and NumPy takes our dtypes
wherever it takes its own. The rules for mixing are not NumPy's: int64 with float32 is float32 here and float64 there.
"""

import numpy as np


class dtype:
    """One element type.

    Attributes
    ----------
    name : str
        PyTorch's name, for example "float32".
    numpy : numpy.dtype
        NumPy's type of the same name.
    is_floating_point : bool
        Whether gradients can flow through it.
    category : int
        0 bool, 1 integer, 2 floating point: the higher one wins when types mix.
    """

    def __init__(self, name):
        self.name = name
        self.numpy = self.dtype = np.dtype(name)  # NumPy looks for .dtype when it is given an object as dtype
        self.category = {"b": 0, "i": 1, "u": 1, "f": 2}[self.numpy.kind]
        self.is_floating_point = self.category == 2
        self.is_complex = False
        self.is_signed = self.numpy.kind in "if"
        self.itemsize = self.numpy.itemsize

    def __repr__(self):
        return f"torch.{self.name}"

    def __reduce__(self):
        return self.name


float16 = half = dtype("float16")
float32 = float = dtype("float32")
float64 = double = dtype("float64")
uint8 = dtype("uint8")
int8 = dtype("int8")
int16 = short = dtype("int16")
int32 = int = dtype("int32")
int64 = long = dtype("int64")
bool = dtype("bool")

ALL = (float16, float32, float64, uint8, int8, int16, int32, int64, bool)
_BY_NUMPY = {d.numpy: d for d in ALL}
_BY_PYTHON = {type(1.0): float64, type(1): int64, type(True): bool}
_default = float32


def get_default_dtype():
    """The dtype of new floating point tensors: float32 unless `set_default_dtype` said otherwise."""
    return _default


def set_default_dtype(d):
    """Let new floating point tensors have dtype `d`.

    Raises
    ------
    TypeError
        If `d` is not a floating point dtype.
    """
    global _default
    if not isinstance(d, dtype) or not d.is_floating_point:
        raise TypeError(f"set_default_dtype: only floating-point types are supported as the default type, got {d}")
    _default = d


def of(d):
    """The dtype for `d`: one of ours, one of NumPy's, or Python's float, int or bool.

    >>> of(np.dtype("int64")), of(type(0.5))
    (torch.int64, torch.float64)
    """
    if isinstance(d, dtype):
        return d
    if d in _BY_PYTHON:
        return _BY_PYTHON[d]
    try:
        return _BY_NUMPY[np.dtype(d)]
    except (KeyError, TypeError):
        names = ", ".join(t.name for t in ALL)
        raise TypeError(f"dtype: got {d!r}, wanted one of {names}") from None


def promote_types(a, b):
    """The smallest dtype that both convert to: floating point beats integers of any width.

    >>> promote_types(int64, float16)
    torch.float16
    """
    if a.category != b.category:
        return a if a.category > b.category else b
    return _BY_NUMPY[np.promote_types(a.numpy, b.numpy)]


def result_type(*operands):
    """The dtype of an op on `operands`, which are arrays or Python numbers.

    Arrays with dimensions decide; 0-dim arrays only count if they are of a higher category, Python numbers likewise,
    and then as the default floating point type or int64. Source: PyTorch documentation, "Tensor Attributes", type
    promotion.

    >>> result_type(np.zeros(2, "int64"), 0.5)
    torch.float32
    >>> result_type(np.zeros(2, "float32"), np.float64(3.0).reshape(()))
    torch.float32
    """
    ranks = [None, None, None]  # arrays with dimensions, 0-dim arrays, Python numbers
    for x in operands:
        if hasattr(x, "dtype"):
            rank, d = (0 if x.ndim else 1), of(x.dtype)
        else:
            rank, d = 2, _of_number(x)
        ranks[rank] = d if ranks[rank] is None else promote_types(ranks[rank], d)
    result = None
    for d in ranks:
        if result is None or (d is not None and d.category > result.category):
            result = d if result is None else promote_types(result, d)
    return result


def check_fits(name, number, d):
    """Raise PyTorch's error if `number` cannot be stored in elements of dtype `d`; fractions may be cut off.

    Unsigned integers take negative ones, too, and wrap them around: -1 is 255 in uint8.

    >>> check_fits("fill_", -1, uint8)
    >>> check_fits("fill_", 300, uint8)
    Traceback (most recent call last):
        ...
    RuntimeError: fill_: value 300 cannot be converted to uint8 without overflow; its numbers go from 0 to 255

    Raises
    ------
    RuntimeError
        If it is too large or too small, or infinite or nan where `d` has no such number.
    """
    if d.category == 0:
        return
    limits = np.finfo(d.numpy) if d.is_floating_point else np.iinfo(d.numpy)
    lowest, highest = limits.min, limits.max
    if d.is_floating_point:
        fits = d is float16 or not np.isfinite(number) or abs(number) <= highest  # PyTorch lets float16 become inf
    elif isinstance(number, type(1)):
        fits = (lowest if d.is_signed else -highest) <= number <= highest
    else:
        fits = lowest <= number <= highest  # False for nan
    if not fits:
        low, high = (lowest.item(), highest.item()) if d.is_floating_point else (lowest, highest)
        raise RuntimeError(
            f"{name}: value {number} cannot be converted to {d.name} without overflow; its numbers go from {low} to "
            f"{high}"
        )


def element(name, number, d):
    """A Python number as a NumPy scalar of dtype `d`, after `check_fits`: a fraction is cut off, -1 is 255 in uint8.

    >>> element("fill_", 2.7, int64), element("fill_", -1, uint8)
    (np.int64(2), np.uint8(255))
    """
    check_fits(name, number, d)
    return np.asarray(number).astype(d.numpy)[()]


def _of_number(x):
    """The dtype that a Python number stands for."""
    d = _BY_PYTHON.get(type(x), _default)
    return _default if d is float64 else d


_WORDS = {"float16": "Half", "float32": "Float", "float64": "Double", "uint8": "Byte", "int8": "Char"}
_WORDS |= {"int16": "Short", "int32": "Int", "int64": "Long", "bool": "Bool"}


def type_name(d, on_gpu=False):
    """PyTorch's name of the tensor type with elements `d`.

    >>> type_name(float32)
    'torch.FloatTensor'
    """
    return f"torch.{'cuda.' if on_gpu else ''}{_WORDS[d.name]}Tensor"


def of_type_name(name):
    """The dtype of the elements of a tensor type, from PyTorch's name.

    >>> of_type_name("torch.LongTensor")
    torch.int64

    Raises
    ------
    ValueError
        If there is no such type.
    """
    for d in ALL:
        if name == type_name(d):
            return d
    raise ValueError(f"type: got {name!r}, wanted a dtype or a name like 'torch.FloatTensor'")
