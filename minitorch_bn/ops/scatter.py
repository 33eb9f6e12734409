"""Writing at given positions, and finding positions: scatter, index_add, index_fill, masked_select, nonzero.

All give a new tensor; inplace.py makes the methods with "_" of them.
"""

import numpy as np

from .. import backend, dtypes
from ..engine import Op, Variable, apply
from .axes import axis_of, must_be_tensor
from .indexing import INTEGERS, Index, along_axis, gather, places
from .promotion import check_broadcast, must_hold_a_tensor, promoted_arrays


class MaskedSelect(Index):
    """y = the elements of x where a mask is true, as a vector.  dx = dy put back there, 0 elsewhere."""


class Scatter(Op):
    """y = x, but y[index[i][j]][j] = src[i][j] (along axis 0).  dx = dy, 0 where written; dsrc = dy where it went.

    Parameters
    ----------
    where : tuple of array
        The full index: `index` along the axis, its own position along the others.
    """

    def __init__(self, where):
        self.where = where

    def forward(self, x, src):
        y = x.copy()
        y[self.where] = src
        return y

    def backward(self, dy):
        dx = dy.copy()
        dx[self.where] = 0
        return dx, dy[self.where] if self.needs[1] else None


class ScatterNumber(Scatter):
    """The same for a number."""

    torch_name = "ScatterBackward1"


class ScatterAdd(Op):
    """y = x, but y[index[i][j]][j] += src[i][j] (along axis 0), every time.  dx = dy, dsrc = dy where it went."""

    def __init__(self, where):
        self.where = where

    def forward(self, x, src):
        y = x.copy()
        backend.scatter_add(y, self.where, src)
        return y

    def backward(self, dy):
        return dy, dy[self.where] if self.needs[1] else None


class IndexAdd(Op):
    """y = x, with slices of src added at `positions` along an axis.  dx = dy, dsrc = alpha * dy's slices there."""

    def __init__(self, axis, positions, alpha):
        self.where = (slice(None),) * axis + (positions,)
        self.alpha = alpha

    def forward(self, x, src):
        y = x.copy()
        backend.scatter_add(y, self.where, src * self.alpha if self.alpha != 1 else src)
        return y

    def backward(self, dy):
        return dy, dy[self.where] * self.alpha if self.needs[1] else None


class IndexFill(Op):
    """y = x, with a number in all slices at `positions` along an axis.  dx = dy, 0 in these slices."""

    def __init__(self, axis, positions, value):
        self.where = (slice(None),) * axis + (positions,)
        self.value = value

    def forward(self, x):
        y = x.copy()
        y[self.where] = self.value
        return y

    def backward(self, dy):
        dx = dy.copy()
        dx[self.where] = 0
        return (dx,)


def scatter(input, dim, index, src):
    """A copy of `input` with `src` written to positions `index` along `dim`: the reverse of `gather`.

    Parameters
    ----------
    input : Tensor
    dim : int
    index : Tensor of int64
        No larger than input along other dims, and no larger than src. Where a position repeats, one value stays.
    src : Tensor of input's dtype, or number

    Raises
    ------
    RuntimeError
        If a position is out of range, `index` is of another dtype or does not fit, or the dtypes differ.
    """
    where = _positions("scatter", input, dim, index, src)
    if not isinstance(src, Variable):
        return apply(ScatterNumber(where), input, dtypes.element("scatter", src, input.dtype))
    return apply(Scatter(where), input, _cut(src, index))


def scatter_add(input, dim, index, src):
    """A copy of `input` with `src` added at positions `index` along `dim`; where one repeats, all are added.

    Raises
    ------
    RuntimeError
        As `scatter`.
    TypeError
        If `src` is no tensor.
    """
    must_be_tensor("scatter_add", src)
    where = _positions("scatter_add", input, dim, index, src)
    return apply(ScatterAdd(where), input, _cut(src, index))


def _positions(name, input, dim, index, src):
    """The full index of a scatter, after its checks."""
    must_be_tensor(name, input, index)
    axis, p, shape = axis_of(name, input, dim), index.array, input.array.shape
    if p.dtype not in INTEGERS:
        raise RuntimeError(f"{name}: Expected dtype int64 for index, got {index.dtype}; use .long()")
    others = [shape, src.array.shape] if isinstance(src, Variable) else [shape]
    for k, other in enumerate(others if p.size else ()):
        fits = all(m <= n or (k == 0 and i == axis) for i, (m, n) in enumerate(zip(p.shape, other, strict=False)))
        if len(other) != p.ndim or not fits:
            raise RuntimeError(f"{name}: index of shape {p.shape} does not fit {('input', 'src')[k]} of shape {other}")
    if isinstance(src, Variable) and src.dtype != input.dtype:
        raise RuntimeError(f"{name}: Expected self.dtype to be equal to src.dtype, got {input.dtype} and {src.dtype}")
    n = shape[axis] if shape else 1
    if p.size and not 0 <= p.min() <= p.max() < n:
        raise RuntimeError(f"{name}: index {int(p.min())}..{int(p.max())} is out of bounds for dim {dim} of size {n}")
    return places(axis, p)


def _cut(src, index):
    """The part of `src` that `index` covers."""
    shape = index.array.shape
    return src if src.array.shape == shape else src[tuple(slice(n) for n in shape)]


def index_add(input, dim, index, source, *, alpha=1):
    """A copy of `input` with the slices of alpha * source added at positions `index` along `dim`.

    Raises
    ------
    RuntimeError
        If there are not as many positions as slices, the other sizes differ, or the dtypes do.
    IndexError
        If a position is out of range, or `index` has more than one dimension.
    """
    must_be_tensor("index_add", input, index, source)
    positions, axis = along_axis("index_add", index), axis_of("index_add", input, dim)
    shape = input.array.shape
    wanted = shape[:axis] + (positions.size,) + shape[axis + 1 :] if shape else ()
    if source.array.shape != wanted or source.dtype != input.dtype:
        raise RuntimeError(
            f"index_add: source of shape {source.array.shape} and {source.dtype}, wanted {wanted} and {input.dtype}"
        )
    _must_lie_inside("index_add", positions, shape[axis] if shape else 1)
    return apply(IndexAdd(axis, positions, alpha), input, source) if shape else input + alpha * source


def index_fill(input, dim, index, value):
    """A copy of `input` with `value` (a number or 0-dim tensor) in all slices at positions `index` along `dim`.

    Raises
    ------
    IndexError
        If a position is out of range, or `index` has more than one dimension or is not of int64.
    RuntimeError
        If `value` has dimensions, or input's dtype cannot hold it.
    """
    must_be_tensor("index_fill", input, index)
    if index.array.dtype not in INTEGERS:
        raise IndexError(f"index_fill: Expected dtype int64 for index, got {index.dtype}; use .long()")
    if isinstance(value, Variable):
        if value.array.ndim:
            raise RuntimeError(f"index_fill: only supports a 0-dimensional value tensor, got {value.array.shape}")
        value = value.item()
    positions, axis = along_axis("index_fill", index), axis_of("index_fill", input, dim)
    shape = input.array.shape
    n = shape[axis] if shape else 1
    if positions.size and not -n <= positions.min() <= positions.max() < n:
        raise IndexError(f"index_fill: index out of range: got {positions.tolist()}, wanted {-n} to {n - 1}")
    return apply(IndexFill(axis, positions if shape else ..., dtypes.element("index_fill", value, input.dtype)), input)


def _must_lie_inside(name, positions, n):
    """Raise PyTorch's error if a position is not one of 0 to n - 1."""
    if positions.size and not 0 <= positions.min() <= positions.max() < n:
        raise IndexError(f"{name}: index out of range: got {positions.tolist()}, wanted 0 to {n - 1}")


def masked_select(input, mask):
    """The elements of `input` where the bool tensor `mask` is true, as a vector; the two broadcast.

    Raises
    ------
    RuntimeError
        If `mask` is not bool, or the shapes do not broadcast.
    """
    must_be_tensor("masked_select", input, mask)
    if mask.array.dtype.kind != "b":
        raise RuntimeError(f"masked_select: expected a bool mask, got {mask.dtype}; compare it first")
    check_broadcast("masked_select", input.array.shape, mask.array.shape)
    shape = np.broadcast_shapes(input.array.shape, mask.array.shape)
    return apply(MaskedSelect(np.broadcast_to(mask.array, shape)), input.expand(shape))


def nonzero(input, *, as_tuple=False):
    """Where the elements are not 0: one row of indices per such element, int64 of shape (count, ndim).

    With `as_tuple`, one index vector per dimension instead, to index with.
    """
    must_be_tensor("nonzero", input)
    x = input.array
    if as_tuple:
        return tuple(input.like(i) for i in np.nonzero(x if x.ndim else x.reshape(1)))
    found = np.stack(np.nonzero(x), 1) if x.ndim else np.zeros((int(x != 0), 0), np.int64)
    return input.like(found)


def take_along_dim(input, indices, dim=None):
    """`gather` whose sizes broadcast, apart from `dim`; without `dim`, from the flattened tensor.

    Raises
    ------
    RuntimeError
        If an index is out of range, is no int64, or the shapes do not broadcast.
    """
    must_be_tensor("take_along_dim", input, indices)
    if dim is None:
        return gather(input.reshape(-1), 0, indices.reshape(-1))
    axis = axis_of("take_along_dim", input, dim)
    if input.array.ndim != indices.array.ndim:
        raise RuntimeError(
            f"take_along_dim: wanted as many dimensions, got {input.array.shape} and indices {indices.array.shape}"
        )
    pair = [list(x.array.shape) for x in (input, indices)]
    for shape in pair:
        shape[axis] = 1
    check_broadcast("take_along_dim", *pair)
    common = np.broadcast_shapes(*pair)
    sizes = [(*common[:axis], x.array.shape[axis], *common[axis + 1 :]) for x in (input, indices)]
    return gather(input.expand(sizes[0]), axis, indices.expand(sizes[1]))


def isin(elements, test_elements, *, invert=False):
    """For every element, whether it is one of `test_elements`; one of the two may be a number."""
    must_hold_a_tensor("isin", elements, test_elements)
    if not isinstance(elements, Variable):
        elements = test_elements.like(np.asarray(elements))
    elif not isinstance(test_elements, Variable):
        test_elements = elements.like(np.asarray(test_elements))
    flat = test_elements.reshape(-1)
    a, b, source = promoted_arrays("isin", elements.reshape(-1, 1), flat)
    found = (a == b).any(1).reshape(elements.array.shape)
    return source.like(~found if invert else found)
