"""Joining tensors and cutting them apart: cat, stack, split, chunk, unbind, narrow."""

from itertools import accumulate, pairwise

import numpy as np

from .. import backend, dtypes
from ..engine import Op, Variable, apply
from .axes import axis_of, must_be_tensor
from .cast import cast
from .indexing import Slice, View
from .shape import new_axis, reshape


class Cat(Op):
    """y = tensors joined along an axis they all have.  Each gets its piece of dy."""

    def __init__(self, axis):
        self.axis = axis

    def forward(self, *xs):
        self.edges = list(accumulate((x.shape[self.axis] for x in xs), initial=0))
        return np.concatenate(xs, self.axis)

    def backward(self, dy):
        before = (slice(None),) * self.axis
        return tuple(dy[(*before, slice(start, stop))] for start, stop in pairwise(self.edges))


class Stack(Op):
    """y = tensors of one shape joined along a new axis.  Each gets its slice of dy."""

    def __init__(self, axis):
        self.axis = axis

    def forward(self, *xs):
        return np.stack(xs, self.axis)

    def backward(self, dy):
        before = (slice(None),) * self.axis
        return tuple(dy[(*before, i)] for i in range(dy.shape[self.axis]))


class Split(View):
    """One of the pieces that `split` cuts."""


class SplitWithSizes(View):
    """One of the pieces of given sizes that `split` cuts."""


class Unbind(View):
    """One of the layers that `unbind` takes off."""


def cat(tensors, dim=0, *, axis=None):
    """Tensors joined along `dim`; all other sizes must agree. Different dtypes become the one that holds them all.

    Parameters
    ----------
    tensors : tuple or list of Tensor
        Vectors without elements are skipped, whatever the shape of the rest, as in PyTorch.
    dim : int
        Also called `axis`.

    Raises
    ------
    ValueError
        If there are no tensors.
    TypeError
        If `tensors` is no tuple or list of tensors.
    RuntimeError
        If ranks or sizes differ, or one is 0-dim.
    """
    tensors = _listed("cat", tensors)
    if not tensors:
        raise ValueError("cat: expected a non-empty list of tensors")
    backend.check_devices("cat", *(x.array for x in tensors))
    joined = [x for x in tensors if x.array.shape != (0,)] or tensors
    for i, x in enumerate(tensors):
        if x.array.ndim == 0:
            raise RuntimeError(f"cat: zero-dimensional tensor (at position {i}) cannot be concatenated; use stack")
    along = axis_of("cat", joined[0], dim if axis is None else axis)
    rests = [x.array.shape[:along] + x.array.shape[along + 1 :] for x in joined]
    for i, (x, rest) in enumerate(zip(joined, rests, strict=True)):
        if rest != rests[0] or x.array.ndim != joined[0].array.ndim:
            raise RuntimeError(
                f"cat: Sizes of tensors must match except in dimension {along}: tensor 0 has shape "
                f"{joined[0].array.shape}, tensor {i} has {x.array.shape}"
            )
    # a skipped vector stays an input that adds nothing, if it wants a gradient: the result requires grad then
    nothing = (*joined[0].array.shape[:along], 0, *joined[0].array.shape[along + 1 :])
    pieces = [x if x.array.shape != (0,) else reshape(x, nothing) for x in tensors]
    return apply(Cat(along), *_in_one_dtype(pieces, dtypes.result_type(*(x.array for x in tensors))))


def stack(tensors, dim=0, *, axis=None):
    """Tensors of one shape joined along a new dimension `dim`.

    Raises
    ------
    RuntimeError
        If there are no tensors, or their shapes differ.
    TypeError
        If `tensors` is no tuple or list of tensors.
    IndexError
        If `dim` is out of range.
    """
    tensors = _listed("stack", tensors)
    if not tensors:
        raise RuntimeError("stack: expects a non-empty list of tensors")
    backend.check_devices("stack", *(x.array for x in tensors))
    first = tensors[0].array
    for i, x in enumerate(tensors):
        if x.array.shape != first.shape:
            raise RuntimeError(
                f"stack: expects each tensor to be equal size, got {first.shape} at entry 0 and "
                f"{x.array.shape} at entry {i}"
            )
    along = new_axis("stack", tensors[0], dim if axis is None else axis)
    return apply(Stack(along), *_in_one_dtype(tensors, dtypes.result_type(*(x.array for x in tensors))))


def _listed(name, tensors):
    """`tensors` as a list.

    Raises
    ------
    TypeError
        If that is no tuple or list, or holds anything but tensors.
    """
    if isinstance(tensors, Variable) or not isinstance(tensors, tuple | list):
        raise TypeError(f"{name}: got {type(tensors).__name__}, wanted a tuple or list of tensors")
    must_be_tensor(name, *tensors)
    return list(tensors)


def _in_one_dtype(tensors, target):
    """`tensors` converted to `target` where they are of another dtype."""
    return [cast(x, target) for x in tensors]


def split(input, split_size_or_sections, dim=0):
    """Pieces along `dim`: of one size (the last may be smaller), or of the sizes listed.

    Parameters
    ----------
    input : Tensor
    split_size_or_sections : int, or tuple or list of int
    dim : int

    Returns
    -------
    tuple of Tensor, views of `input`

    Raises
    ------
    RuntimeError
        If a size is negative, or 0 where there is something to cut, or the listed ones do not sum to the size of `dim`.
    TypeError
        If a size is no integer.
    """
    must_be_tensor("split", input)
    how = split_size_or_sections
    if not hasattr(how, "__index__") and not isinstance(how, tuple | list):
        raise TypeError(f"split: got {type(how).__name__}, wanted an int or a tuple of ints")
    axis = axis_of("split", input, dim)
    if not input.array.ndim:
        raise RuntimeError("split: expects at least a 1-dimensional tensor, got a 0-dim one")
    n = input.array.shape[axis]
    listed = isinstance(how, tuple | list)
    if min(how if listed else (how,), default=0) < (0 if listed or not n else 1):
        raise RuntimeError(f"split: got {how}, wanted a size from 1 up, or a list of sizes from 0 up")
    pieces = list(how) if listed else [min(how, n - i) for i in range(0, max(n, 1), how or 1)]
    if sum(pieces) != n:
        raise RuntimeError(f"split: sizes {pieces} must sum to {n}, the size of dimension {dim}")
    before, op = (slice(None),) * axis, SplitWithSizes if listed else Split
    edges = pairwise(accumulate(pieces, initial=0))
    return tuple(apply(op((*before, slice(start, stop))), input) for start, stop in edges)


def chunk(input, chunks, dim=0):
    """At most `chunks` pieces of one size along `dim`; the last may be smaller.

    Raises
    ------
    RuntimeError
        If `chunks` is not positive.
    """
    must_be_tensor("chunk", input)
    if chunks < 1:
        raise RuntimeError(f"chunk: expects chunks to be greater than 0, got {chunks}")
    if not input.array.ndim:
        raise RuntimeError("chunk: expects at least a 1-dimensional tensor, got a 0-dim one")
    n = input.array.shape[axis_of("chunk", input, dim)]
    return split(input, -(-n // chunks), dim) if n else split(input, [0] * chunks, dim)


def unbind(input, dim=0):
    """One tensor per index of `dim`, without that dimension.

    Raises
    ------
    IndexError
        If the tensor is 0-dim, or has no such dimension.
    """
    must_be_tensor("unbind", input)
    if input.array.ndim == 0:
        raise IndexError("unbind: Dimension specified as 0 but tensor has no dimensions")
    axis = axis_of("unbind", input, dim)
    before = (slice(None),) * axis
    return tuple(apply(Unbind((*before, i)), input) for i in range(input.array.shape[axis]))


def narrow(input, dim, start, length):
    """`length` entries along `dim` from `start` on: a view.

    Raises
    ------
    RuntimeError
        If they do not lie inside, or `length` is negative.
    IndexError
        If `start` is out of range.
    """
    must_be_tensor("narrow", input)
    if not input.array.ndim:
        raise RuntimeError("narrow: cannot be applied to a 0-dim tensor")
    axis = axis_of("narrow", input, dim)
    n = input.array.shape[axis]
    if length < 0:
        raise RuntimeError(f"narrow: length must be non-negative, got {length}")
    if not -n <= start <= n:
        raise IndexError(f"narrow: start out of range: expected in [{-n}, {n}], but got {start}")
    first = start + n if start < 0 else start
    if first + length > n:
        raise RuntimeError(f"narrow: start ({start}) + length ({length}) exceeds dimension size ({n})")
    return apply(Slice((slice(None),) * axis + (slice(first, first + length),)), input)
