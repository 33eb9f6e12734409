"""Order and counts: sort, topk, unique, histogram, bincount. Moved values keep their gradients; counts have none."""

import numpy as np

from .. import backend
from ..engine import Variable, apply
from .axes import axis_of, must_be_tensor
from .division import NoDerivative
from .extremes import ValuesAndIndices
from .indexing import Gather


class Sorted(Gather):
    """y = the elements of x along an axis, taken in the order that sort has found."""

    torch_name = "SortBackward0"


class StablySorted(Gather):
    """The same, where the caller asked for a stable order."""

    torch_name = "SortBackward1"


class TopK(Gather):
    """y = the largest (or smallest) elements of x along an axis, taken where topk has found them."""

    torch_name = "TopkBackward0"


def topk(input, k, dim=-1, largest=True, sorted=True):
    """The k largest (or smallest) elements along `dim`, and where they stand; nan counts as the largest.

    Parameters
    ----------
    input : Tensor
    k : int
    dim : int
    largest : bool
    sorted : bool
        Taken for PyTorch's sake: here they are always in order.

    Raises
    ------
    RuntimeError
        If `k` is negative or more than there are, or for bools.
    IndexError
        If there is no such dimension.
    """
    must_be_tensor("topk", input)
    n = input.array.shape[axis_of("topk", input, dim)] if input.array.ndim else 1
    if not 0 <= k <= n:
        raise RuntimeError(f"topk: selected index k out of range: got k={k} of {n} elements along dim {dim}")
    if input.array.dtype.kind == "b":
        raise RuntimeError("topk: not implemented for bools; convert with .int() first")
    return _ordered("topk", TopK, input, dim, largest, k)


def sort(input, dim=-1, descending=False, stable=None):
    """The elements along `dim` in order, and where they stood: a pair (values, indices). nan counts as the largest.

    Elements that tie stay in their order, whatever `stable` says.

    Raises
    ------
    IndexError
        If there is no such dimension.
    """
    must_be_tensor("sort", input)
    return _ordered("sort", Sorted if stable is None else StablySorted, input, dim, descending, None)


def argsort(input, dim=-1, descending=False, stable=False):
    """Where the elements along `dim` stood before `sort`."""
    must_be_tensor("argsort", input)
    return _ordered("argsort", Sorted, input.detach(), dim, descending, None).indices


def _ordered(name, op, input, dim, descending, k):
    """The first k elements (None: all) in order, and where they stood."""
    axis = axis_of(name, input, dim)
    if not input.array.ndim:
        order = input.array.astype(np.int64) * 0
        return ValuesAndIndices((apply(op(0, order), input), input.like(order)), name)
    if descending:  # sorted backwards and read backwards: equal elements stay in their order
        order = np.flip(np.argsort(np.flip(input.array, axis), axis=axis, kind="stable"), axis)
        order = input.array.shape[axis] - 1 - order
    else:
        order = np.argsort(input.array, axis=axis, kind="stable")
    order = order[(slice(None),) * axis + (slice(k),)]
    return ValuesAndIndices((apply(op(axis, order), input), input.like(order)), name)


def unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None):
    """The different values of `input` in ascending order, or its different slices along `dim`.

    Parameters
    ----------
    input : Tensor
    sorted : bool
        Taken for PyTorch's sake: they are always sorted.
    return_inverse : bool
        Whether to add, for every element, which of the values it is.
    return_counts : bool
        Whether to add how often each value occurs.
    dim : int, optional

    Returns
    -------
    Tensor, or a tuple of up to three
    """
    must_be_tensor("unique", input)
    axis = None if dim is None else axis_of("unique", input, dim)
    values, inverse, counts = np.unique(
        input.array, return_inverse=True, return_counts=True, axis=axis, equal_nan=False
    )
    values = apply(NoDerivative("unique", lambda x: values), input)
    inverse = inverse.reshape(input.array.shape if axis is None else -1)
    more = [input.like(a) for a, wanted in ((inverse, return_inverse), (counts, return_counts)) if wanted]
    return (values, *more) if more else values


def histogram(input, bins, *, range=None, weight=None, density=False):
    """How many elements fall into each of several intervals: a pair (hist, bin_edges).

    Parameters
    ----------
    input : Tensor of floating point
    bins : int, or Tensor of shape (edges,)
        How many equal intervals between the smallest and the largest element, or the edges of all intervals. The last
        interval holds its right edge, the others do not.
    range : pair of float, optional
        Where the equal intervals begin and end; what lies outside is not counted.
    weight : Tensor of input's shape, optional
        What every element counts.
    density : bool
        Divide, so that the sum of hist times the widths is 1.

    Raises
    ------
    NotImplementedError
        For integers and bools.
    RuntimeError
        If there is no interval, the range is upside down or not finite, or `weight` has another shape.
    TypeError
        If `bins` is neither an int nor a tensor.
    """
    must_be_tensor("histogram", input)
    if input.array.dtype.kind != "f":
        raise NotImplementedError(f"histogram: not implemented for {input.dtype}; convert with .float() first")
    here, x = backend.device_of(input.array), backend.to_numpy(input.array)
    if isinstance(bins, Variable):
        edges = backend.to_numpy(bins.array)
    elif isinstance(bins, int):
        edges = _equal_edges(x, bins, range)
    else:
        raise TypeError(f"histogram: got bins of type {type(bins).__name__}, wanted an int or a tensor of edges")
    if weight is not None and weight.array.shape != input.array.shape:
        raise RuntimeError(
            f"histogram: weight of shape {weight.array.shape}, wanted that of input, {input.array.shape}"
        )
    weights = None if weight is None else backend.to_numpy(weight.array)
    hist, edges = np.histogram(x, bins=edges, weights=weights, density=density)
    moved = [backend.to_device(a.astype(x.dtype), here) for a in (hist, edges)]
    return Histogram(apply(NoDerivative("histogram", lambda _, a=a: a), input) for a in moved)


def _equal_edges(x, bins, range):
    """The edges of `bins` equal intervals, in x's dtype."""
    if bins < 1:
        raise RuntimeError(f"histogram: bins must be > 0, got {bins}")
    low, high = range if range is not None else (x.min(), x.max()) if x.size else (0, 1)
    if low > high:
        raise RuntimeError(f"histogram: min should not exceed max, got range {low} to {high}")
    if not np.isfinite(low) or not np.isfinite(high):
        raise RuntimeError(f"histogram: range {low} to {high} is not finite")
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1, dtype=x.dtype)


class Histogram(tuple):
    """What `histogram` returns: a pair with the names `hist` and `bin_edges`."""

    hist = property(lambda self: self[0])
    bin_edges = property(lambda self: self[1])

    def __repr__(self):
        return f"torch.return_types.histogram(\nhist={self[0]!r},\nbin_edges={self[1]!r})"


def bincount(input, minlength=0):
    """How often each of the numbers 0, 1, 2, ... occurs in a 1-D tensor of integers.

    Raises
    ------
    RuntimeError
        If the tensor has another rank or dtype, or holds a negative number.
    """
    must_be_tensor("bincount", input)
    x = input.array
    if x.ndim != 1 or x.dtype.kind not in "iu" or (x.size and x.min() < 0):
        raise RuntimeError(f"bincount: only supports 1-d non-negative integers, got {x.dtype} of shape {x.shape}")
    return input.like(np.bincount(input.array, minlength=minlength))
