"""How far two arrays are apart: absolutely, and in units in the last place (ulps).

One ulp of a number is the distance to the next number that its dtype has. A difference of a few ulps is rounding; what
counts as "a few" is said in tolerance.py.
"""

import numpy as np


def differences(a, b):
    """|a - b| in float64, elementwise: 0 where both are nan or the same infinity, infinite where only one is.

    >>> differences(np.array([1.0, np.nan, np.inf]), np.array([1.5, np.nan, 1.0]))
    array([0.5, 0. , inf])
    """
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype.kind != "f" and b.dtype.kind != "f":
        return np.abs(a.astype(np.float64) - b.astype(np.float64)) if a.dtype != b.dtype else _exact(a, b)
    a, b = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(invalid="ignore"):
        d = np.abs(a - b)
    d = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, d)
    return np.where(np.isnan(d), np.inf, d)


def _exact(a, b):
    """|a - b| of integers or bools, 0 only where they are equal (float64 cannot tell large integers apart)."""
    return np.where(a == b, 0.0, np.maximum(np.abs(a.astype(np.float64) - b.astype(np.float64)), 1.0))


def ulps(a, b):
    """How many ulps `a` is from `b`, elementwise; an ulp is that of the larger of the two.

    Parameters
    ----------
    a, b : arrays of one shape
        The coarser of their dtypes sets the ulp.

    >>> ulps(np.array([1.0, 3.0]), np.array([1.0 + 2**-51, 3.0])).tolist()
    [2.0, 0.0]
    """
    a, b = np.asarray(a), np.asarray(b)
    d = differences(a, b)
    if "f" not in (a.dtype.kind, b.dtype.kind):
        return d
    coarse = max((x.dtype for x in (a, b) if x.dtype.kind == "f"), key=lambda dtype: np.finfo(dtype).eps)
    with np.errstate(over="ignore", invalid="ignore"):
        larger = np.maximum(np.abs(a), np.abs(b)).astype(coarse)
        one = np.spacing(larger).astype(np.float64)
    return np.where(d == 0, 0.0, d / np.where(np.isfinite(one), one, 1.0))


def worst(a, b):
    """The index, a tuple, of the element where `a` and `b` differ most; None for empty arrays."""
    d = differences(a, b)
    return tuple(int(i) for i in np.unravel_index(d.argmax(), d.shape)) if d.size else None
