"""finfo and iinfo: what the floating point and integer types can hold."""

import numpy as np

from . import dtypes


class finfo:
    """The limits of a floating point type.

    Parameters
    ----------
    type : dtype, optional
        Default: the default floating point type.

    Attributes
    ----------
    bits : int
    eps : float
        The distance from 1 to the next larger number: 2**-23 for float32.
    max, min : float
        The largest and the smallest number.
    tiny, smallest_normal : float
        The smallest positive number that is stored with full precision.
    resolution : float
        10**-digits, for the number of decimal digits that the type keeps.
    dtype : str

    Raises
    ------
    TypeError
        If the type is not floating point.

    >>> finfo(dtypes.float32).eps
    1.1920928955078125e-07
    """

    def __init__(self, type=None):
        d = dtypes.get_default_dtype() if type is None else dtypes.of(type)
        if not d.is_floating_point:
            raise TypeError(f"finfo: requires a floating point type, got {d}; use iinfo")
        info = np.finfo(d.numpy)
        self.dtype, self.bits = d.name, int(info.bits)
        self.eps, self.max, self.min = float(info.eps), float(info.max), float(info.min)
        self.tiny = self.smallest_normal = float(info.smallest_normal)
        self.resolution = float(f"1e-{info.precision}")

    def __repr__(self):
        names = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        return f"finfo({', '.join(f'{n}={getattr(self, n):g}' for n in names)}, dtype={self.dtype})"


class iinfo:
    """The limits of an integer type.

    Parameters
    ----------
    type : dtype

    Attributes
    ----------
    bits, max, min : int
    dtype : str

    Raises
    ------
    TypeError
        If the type is not an integer type.
    """

    def __init__(self, type):
        d = dtypes.of(type)
        if d.category != 1:
            raise TypeError(f"iinfo: requires an integer type, got {d}; use finfo for floating point types")
        info = np.iinfo(d.numpy)
        self.dtype, self.bits, self.max, self.min = d.name, int(info.bits), int(info.max), int(info.min)

    def __repr__(self):
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
