"""Moves that change where a number stands, not which number: reshape, permute, expand, join, cut.

Backward makes the same move the other way; where one number went to several places, their gradients are summed.
"""

import math
from itertools import accumulate, pairwise
from operator import index

import numpy as np

from .. import backend, dtypes
from ..engine import Op, apply
from .arithmetic import unbroadcast
from .axes import axis_of, must_be_tensor
from .cast import cast


class Reshape(Op):
    """y = x in another shape, in the same order.  dx = dy in x's shape."""

    torch_name = "ViewBackward0"

    def __init__(self, shape):
        self.shape = shape

    def forward(self, x):
        self.x_shape = x.shape
        return x.reshape(self.shape)

    def backward(self, dy):
        return (dy.reshape(self.x_shape),)


class Permute(Op):
    """y = x with its axes in another order.  dx = dy with the axes put back."""

    def __init__(self, axes):
        self.axes = axes

    def forward(self, x):
        return x.transpose(self.axes)

    def backward(self, dy):
        return (dy.transpose([self.axes.index(i) for i in range(dy.ndim)]),)


class Expand(Op):
    """y = x repeated along axes of length 1, without copying.  dx = dy summed over those axes."""

    def __init__(self, shape):
        self.shape = shape

    def forward(self, x):
        self.x_shape = x.shape
        return np.broadcast_to(x, self.shape)

    def backward(self, dy):
        return (unbroadcast(dy, self.x_shape),)


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


def sizes(arguments):
    """Sizes given one by one, or as one tuple, list or Size."""
    if len(arguments) == 1 and not hasattr(arguments[0], "__index__"):
        arguments = arguments[0]
    return tuple(map(index, arguments))


def reshape(input, *shape):
    """`input` in another shape with as many elements; one size may be -1 and is worked out.

    Raises
    ------
    RuntimeError
        If the number of elements does not fit.
    """
    shape = sizes(shape)
    try:
        if not shape or min(shape) >= -1:
            return apply(Reshape(shape), input)
    except ValueError:
        pass
    raise RuntimeError(
        f"reshape: shape '{list(shape)}' is invalid for input of size {input.array.size} and shape "
        f"{input.array.shape}; sizes must multiply to that number, and one of them may be -1"
    )


def view(input, *shape):
    """`reshape` for memory that allows it: PyTorch refuses where the elements do not lie in order.

    Raises
    ------
    RuntimeError
        If the elements would have to be copied (after a transpose, for example), or do not fit.
    """
    y = reshape(input, *shape)
    x = input.array
    if not x.flags.c_contiguous and x.size and not np.may_share_memory(y.array, x):
        raise RuntimeError(
            f"view: size {list(sizes(shape))} is not compatible with the strides of a tensor of shape "
            f"{input.array.shape}: its elements do not lie in order. Use .reshape(...) or "
            ".contiguous().view(...) instead."
        )
    return y


def flatten(input, start_dim=0, end_dim=-1):
    """The dimensions from `start_dim` to `end_dim`, both included, merged into one."""
    if input.array.ndim == 0:
        return reshape(input, 1)
    start, end = axis_of("flatten", input, start_dim), axis_of("flatten", input, end_dim)
    if start > end:
        raise RuntimeError(f"flatten: start_dim cannot come after end_dim, got {start_dim} and {end_dim}")
    shape = input.array.shape
    return reshape(input, *shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :])


def permute(input, *dims):
    """The dimensions in the order `dims`."""
    dims = tuple(axis_of("permute", input, d) for d in sizes(dims))
    if sorted(dims) != list(range(input.array.ndim)):
        raise RuntimeError(f"permute: dims {dims} must name every dimension of shape {input.array.shape} once")
    return apply(Permute(dims), input)


def transpose(input, dim0, dim1):
    """Dimensions `dim0` and `dim1` exchanged."""
    if input.array.ndim == 0:
        return apply(Permute(()), input)
    dims = list(range(input.array.ndim))
    i, j = axis_of("transpose", input, dim0), axis_of("transpose", input, dim1)
    dims[i], dims[j] = dims[j], dims[i]
    return apply(Permute(tuple(dims)), input)


def t(input):
    """The transpose of a matrix; a vector stays as it is."""
    if input.array.ndim > 2:
        raise RuntimeError(
            f"t: expects a tensor with <= 2 dimensions, got shape {input.array.shape}; use transpose or mT"
        )
    return transpose(input, 0, -1)


def squeeze(input, dim=None):
    """Without its dimensions of size 1, or without `dim` (an int or a tuple) where that has size 1."""
    shape = input.array.shape
    if dim is None:
        drop = range(len(shape))
    else:
        drop = [axis_of("squeeze", input, d) for d in (sizes((dim,)) if not isinstance(dim, int) else (dim,))]
    return apply(Reshape(tuple(n for i, n in enumerate(shape) if not (i in drop and n == 1))), input)


def unsqueeze(input, dim):
    """With a new dimension of size 1 at `dim`."""
    rank = input.array.ndim + 1
    if not -rank <= dim < rank:
        raise IndexError(f"unsqueeze: Dimension out of range (expected in [{-rank}, {rank - 1}], but got {dim})")
    shape = list(input.array.shape)
    shape.insert(dim % rank, 1)
    return apply(Reshape(tuple(shape)), input)


def expand(input, *size):
    """Dimensions of size 1 repeated to `size` without copying; -1 leaves one as it is; new ones may stand in front."""
    size, shape = sizes(size), input.array.shape
    extra = len(size) - len(shape)
    own = (1,) * extra + shape
    wanted = tuple(m if n == -1 and i >= extra else n for i, (n, m) in enumerate(zip(size, own, strict=False)))
    if extra < 0 or any(m not in (1, n) for m, n in zip(own, wanted, strict=True)):
        raise RuntimeError(f"expand: shape {shape} cannot be expanded to {size}: only sizes of 1 can be repeated")
    return apply(Expand(wanted), input)


def in_one_dtype(tensors):
    """`tensors` in the dtype that PyTorch's promotion gives them together."""
    target = dtypes.result_type(*(x.array for x in tensors))
    return [cast(x, target) for x in tensors]


def cat(tensors, dim=0):
    """Tensors joined along `dim`; all other sizes must agree."""
    tensors = list(tensors)
    if not tensors:
        raise ValueError("cat: expected a non-empty list of tensors")
    for x in tensors:
        must_be_tensor("cat", x)
    tensors = [
        x for x in tensors if x.array.shape != (0,)
    ] or tensors  # PyTorch skips empty vectors, whatever the rest is
    axis = axis_of("cat", tensors[0], dim)
    backend.check_devices("cat", *(x.array for x in tensors))
    rests = [x.array.shape[:axis] + x.array.shape[axis + 1 :] for x in tensors]
    for i, (x, rest) in enumerate(zip(tensors, rests, strict=True)):
        if x.array.ndim == 0:
            raise RuntimeError(f"cat: zero-dimensional tensor (at position {i}) cannot be concatenated; use stack")
        if rest != rests[0] or x.array.ndim != tensors[0].array.ndim:
            raise RuntimeError(
                f"cat: Sizes of tensors must match except in dimension {axis}: tensor 0 has shape "
                f"{tensors[0].array.shape}, tensor {i} has {x.array.shape}"
            )
    return apply(Cat(axis), *in_one_dtype(tensors))


def stack(tensors, dim=0):
    """Tensors of one shape joined along a new dimension `dim`."""
    tensors = list(tensors)
    if not tensors:
        raise RuntimeError("stack: expects a non-empty list of tensors")
    backend.check_devices("stack", *(x.array for x in tensors))
    for i, x in enumerate(tensors):
        must_be_tensor("stack", x)
        if x.array.shape != tensors[0].array.shape:
            raise RuntimeError(
                f"stack: expects each tensor to be equal size, got {tensors[0].array.shape} at entry 0 and "
                f"{x.array.shape} at entry {i}"
            )
    rank = tensors[0].array.ndim + 1
    if not -rank <= dim < rank:
        raise IndexError(f"stack: Dimension out of range (expected in [{-rank}, {rank - 1}], but got {dim})")
    return apply(Stack(dim % rank), *in_one_dtype(tensors))


def split(input, split_size_or_sections, dim=0):
    """Pieces along `dim`: of one size (the last may be smaller), or of the sizes listed."""
    axis = axis_of("split", input, dim)
    n = input.array.shape[axis]
    smallest = 1 if isinstance(split_size_or_sections, int) and n else 0
    if min([split_size_or_sections] if isinstance(split_size_or_sections, int) else split_size_or_sections) < smallest:
        raise RuntimeError(
            f"split: got {split_size_or_sections}, wanted a size from 1 up, or a list of sizes from 0 up"
        )
    if isinstance(split_size_or_sections, int):
        pieces = [min(split_size_or_sections, n - i) for i in range(0, max(n, 1), split_size_or_sections or 1)]
    else:
        pieces = list(split_size_or_sections)
        if sum(pieces) != n:
            raise RuntimeError(f"split: sizes {pieces} must sum to {n}, the size of dimension {dim}")
    before = (slice(None),) * axis
    return tuple(input[(*before, slice(a, b))] for a, b in pairwise(accumulate(pieces, initial=0)))


def unbind(input, dim=0):
    """One tensor per index of `dim`, without that dimension."""
    if input.array.ndim == 0:
        raise IndexError("unbind: Dimension specified as 0 but tensor has no dimensions")
    axis = axis_of("unbind", input, dim)
    before = (slice(None),) * axis
    return tuple(input[(*before, i)] for i in range(input.array.shape[axis]))
