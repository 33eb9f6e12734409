"""Order and counts: sort, topk, unique, histogram, bincount. Moved values keep their gradients; counts have none."""

import numpy as np

from .. import backend, dtypes
from .axes import axis_of
from .indexing import gather
from .reduction import ValuesAndIndices


def topk(input, k, dim=-1, largest=True):
    """The k largest (or smallest) elements along `dim`, in order, and where they stand.

    Raises
    ------
    RuntimeError
        If `k` is negative or more than there are.
    """
    n = input.array.shape[axis_of("topk", input, dim)] if input.array.ndim else 1
    if not 0 <= k <= n:
        raise RuntimeError(f"topk: selected index k out of range: got k={k} of {n} elements along dim {dim}")
    return _ordered("topk", input, dim, largest, k)


def sort(input, dim=-1, descending=False):
    """The elements along `dim` in order, and where they stood."""
    return _ordered("sort", input, dim, descending, None)


def _ordered(name, input, dim, descending, k):
    axis = axis_of(name, input, dim)
    if descending:  # sorted backwards and read backwards: equal elements stay in their order
        order = np.flip(np.argsort(np.flip(input.array, axis), axis=axis, kind="stable"), axis)
        order = input.array.shape[axis] - 1 - order
    else:
        order = np.argsort(input.array, axis=axis, kind="stable")
    order = order[(slice(None),) * axis + (slice(k),)]
    indices = input.like(order)
    return ValuesAndIndices((gather(input, axis, indices), indices), name)


def unique(input, return_counts=False):
    """The different values of `input` in ascending order; with `return_counts`, also how often each occurs."""
    values, counts = np.unique(input.array, return_counts=True)
    return (input.like(values), input.like(counts)) if return_counts else input.like(values)


def histogram(input, bins, *, range=None, density=False):
    """How many elements fall into each of `bins` equal intervals: a pair (hist, bin_edges), both floating point."""
    here = backend.device_of(input.array)
    hist, edges = np.histogram(backend.to_numpy(input.array), bins=bins, range=range, density=density)
    dtype = input.array.dtype if input.array.dtype.kind == "f" else dtypes.get_default_dtype().numpy
    return Histogram(input.like(backend.to_device(a.astype(dtype), here)) for a in (hist, edges))


class Histogram(tuple):
    """What `histogram` returns: a pair with the names `hist` and `bin_edges`."""

    hist = property(lambda self: self[0])
    bin_edges = property(lambda self: self[1])


def bincount(input, minlength=0):
    """How often each of the numbers 0, 1, 2, ... occurs in a 1-D tensor of integers.

    Raises
    ------
    RuntimeError
        If the tensor has another rank or dtype, or holds a negative number.
    """
    x = input.array
    if x.ndim != 1 or x.dtype.kind not in "iu" or (x.size and x.min() < 0):
        raise RuntimeError(f"bincount: only supports 1-d non-negative integers, got {x.dtype} of shape {x.shape}")
    return input.like(np.bincount(input.array, minlength=minlength))
