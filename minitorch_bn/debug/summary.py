"""An array in a few characters: the number itself, or mean, spread and range."""

import numpy as np

from .. import backend
from ..autograd.several import Several


def summary(array):
    """What stands in an array, on one line.

    Parameters
    ----------
    array : array, Several or None
        Of any dtype and shape, on any device.

    Returns
    -------
    str
        One element: the number. Floats: ``mean ± std [min, max]``; integers: ``[min, max]``; bools: how many are true.
        nan and infinity are counted, and the rest of the line is about the other elements. "" for None and for several
        results, which are no array.

    >>> summary(np.array([1.0, 2.0, 3.0, np.nan]))
    '2 ± 0.816 [1, 3], 1 nan'
    >>> summary(np.array(2.5)), summary(np.array([3, 45])), summary(np.array([True, False]))
    ('2.5', '[3, 45]', '1 of 2 true')
    """
    if array is None or isinstance(array, Several):
        return ""
    array = _on_host(array)
    if array.size == 0:
        return "empty"
    if array.size == 1:
        return number(array.reshape(-1)[0], digits=5)
    if array.dtype == bool:
        return f"{np.count_nonzero(array)} of {array.size} true"
    if array.dtype.kind != "f":
        return f"[{array.min()}, {array.max()}]"
    finite = np.isfinite(array)
    if finite.all():
        return _moments(array)
    nans = int(np.isnan(array).sum())
    infinities = int(array.size - np.count_nonzero(finite)) - nans
    counts = [f"{count} {word}" for count, word in ((nans, "nan"), (infinities, "inf")) if count]
    return ", ".join([_moments(array[finite]), *counts] if finite.any() else counts)


def _moments(array):
    """Mean, standard deviation (over all elements) and range of finite floats.

    A mean that is smaller than the rounding of the largest element is shown as 0.
    """
    eps = np.finfo(array.dtype).eps
    if array.dtype != np.float64:
        array = array.astype(np.float64)  # sums of float16 overflow
    with np.errstate(over="ignore"):
        mean, std, low, high = array.mean(), array.std(), array.min(), array.max()
    if abs(mean) < eps * max(abs(low), abs(high)):
        mean = 0.0
    return f"{number(mean)} ± {number(std)} [{number(low)}, {number(high)}]"


def is_sick(array):
    """Whether an array holds nan or infinity."""
    if array is None or isinstance(array, Several):
        return False
    array = _on_host(array)
    return array.dtype.kind == "f" and not np.isfinite(array).all()


def _on_host(array):
    """The array as NumPy's; a gradient in flight may be one of NumPy's scalars."""
    return np.asarray(array) if isinstance(array, np.generic) else backend.to_numpy(array)


def number(x, digits=3):
    """A number with a few significant digits: 0.0123, -3.4, 1.2e-05."""
    return str(x) if isinstance(x, (bool, np.bool_, int, np.integer)) else f"{float(x):.{digits}g}"


def shape_of(t):
    """The shape of a variable, and its dtype where that is not float32: "(32, 3) int64". Of several results, all."""
    if isinstance(t.array, Several):
        return " ".join("none" if part is None else str(tuple(part.shape)) for part in t.array.parts)
    name = str(t.array.dtype)
    return str(tuple(t.array.shape)) + ("" if name == "float32" else f" {name}")


def gradient_of(t):
    """The gradient that has arrived at a variable so far, as an array; None where there is none."""
    return t.grad_array if t.op is None or t.dy is None else t.dy
