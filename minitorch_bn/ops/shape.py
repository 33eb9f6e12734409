"""Moves that change where a number stands, not which number, without copying: reshape, permute, expand.

Backward makes the same move the other way; where one number went to several places, their gradients are summed.
Moves that copy are in rearrange.py, joining and cutting in joining.py.
"""

import math
from operator import index

import numpy as np

from .. import dtypes
from ..engine import Op, apply
from .axes import axes_of, axis_of, must_be_tensor
from .promotion import unbroadcast


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


class Squeeze(Reshape):
    """y = x without all its axes of length 1."""

    torch_name = "SqueezeBackward0"


class SqueezeDim(Reshape):
    """y = x without one axis of length 1."""

    torch_name = "SqueezeBackward1"


class SqueezeDims(Reshape):
    """y = x without some axes of length 1."""

    torch_name = "SqueezeBackward2"


class Unsqueeze(Reshape):
    """y = x with one more axis of length 1."""

    torch_name = "UnsqueezeBackward0"


class Permute(Op):
    """y = x with its axes in another order.  dx = dy with the axes put back."""

    def __init__(self, axes):
        self.axes = axes

    def forward(self, x):
        return x.transpose(self.axes)

    def backward(self, dy):
        return (dy.transpose([self.axes.index(i) for i in range(dy.ndim)]),)


class Transpose(Permute):
    """y = x with two axes exchanged."""


class MatrixTranspose(Permute):
    """y = the transpose of a matrix."""

    torch_name = "TBackward0"


class Expand(Op):
    """y = x repeated along axes of length 1, without copying.  dx = dy summed over those axes."""

    def __init__(self, shape):
        self.shape = shape

    def forward(self, x):
        self.x_shape = x.shape
        if math.prod(self.shape) == x.size:  # nothing is repeated: a view that can be written to
            return x.reshape(self.shape) if x.size else np.broadcast_to(x, self.shape)
        return np.broadcast_to(x, self.shape)

    def backward(self, dy):
        return (unbroadcast(dy, self.x_shape),)


def sizes(arguments):
    """Sizes given one by one, or as one tuple, list or Size."""
    if len(arguments) == 1 and not hasattr(arguments[0], "__index__"):
        arguments = arguments[0]
    return tuple(map(index, arguments))


def reshape(input, *sizes_of_dims, shape=None):
    """`input` in another shape with as many elements; one size may be -1 and is worked out.

    Parameters
    ----------
    input : Tensor
    *sizes_of_dims : int, or one tuple
        The new sizes; or by name, as `shape`.

    Raises
    ------
    RuntimeError
        If the number of elements does not fit.
    TypeError
        If a size is no integer.
    """
    must_be_tensor("reshape", input)
    shape = sizes(sizes_of_dims) if shape is None else sizes((shape,))
    return _reshaped("reshape", input, shape)


def _reshaped(name, input, shape):
    """`reshape`, with the name of the function that was called in its messages."""
    if not shape or min(shape) >= -1:
        try:
            return apply(Reshape(shape), input)
        except ValueError:
            pass
    raise RuntimeError(
        f"{name}: shape '{list(shape)}' is invalid for input of size {input.array.size} and shape "
        f"{input.array.shape}; sizes must multiply to that number, and one of them may be -1"
    )


def view(input, *sizes_of_dims, size=None):
    """`reshape` for memory that allows it: PyTorch refuses where the elements do not lie in order.

    Parameters
    ----------
    input : Tensor
    *sizes_of_dims : int, or one tuple
        The new sizes; or by name, as `size`. A dtype instead reads the same bytes as numbers of another type.

    Raises
    ------
    RuntimeError
        If the elements would have to be copied (after a transpose, for example), or do not fit.
    TypeError
        If no size is given, or one is no integer.
    """
    if not sizes_of_dims and size is None:
        raise TypeError("view: missing size; for a 0-dim tensor pass ()")
    if len(sizes_of_dims) == 1 and isinstance(sizes_of_dims[0], dtypes.dtype):
        return _same_bytes(input, sizes_of_dims[0])
    size = sizes(sizes_of_dims) if size is None else sizes((size,))
    y = _reshaped("view", input, size)
    x = input.array
    if not x.flags.c_contiguous and x.size and not np.may_share_memory(y.array, x):
        raise RuntimeError(
            f"view: size {list(size)} is not compatible with the strides of a tensor of shape "
            f"{input.array.shape}: its elements do not lie in order. Use .reshape(...) or "
            ".contiguous().view(...) instead."
        )
    return y


def _same_bytes(input, dtype):
    """The memory of `input` read as another dtype, without a gradient."""
    try:
        return input.like(input.array.view(dtype.numpy))
    except ValueError as error:
        raise RuntimeError(
            f"view: {input.dtype} of shape {input.array.shape} cannot be read as {dtype}: {error}"
        ) from None


def flatten(input, start_dim=0, end_dim=-1):
    """The dimensions from `start_dim` to `end_dim`, both included, merged into one."""
    must_be_tensor("flatten", input)
    start, end = axis_of("flatten", input, start_dim), axis_of("flatten", input, end_dim)
    if input.array.ndim == 0:
        return _reshaped("flatten", input, (1,))
    if start > end:
        raise RuntimeError(f"flatten: start_dim cannot come after end_dim, got {start_dim} and {end_dim}")
    shape = input.array.shape
    if start == end:
        return input
    return _reshaped("flatten", input, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


def unflatten(input, dim, sizes):
    """Dimension `dim` split into several of `sizes`, which multiply to its size; one may be -1.

    Raises
    ------
    RuntimeError
        If they do not, or `sizes` is empty.
    """
    must_be_tensor("unflatten", input)
    axis, shape = axis_of("unflatten", input, dim), input.array.shape
    sizes = tuple(sizes)
    known = math.prod(n for n in sizes if n != -1)
    fits = known == shape[axis] if -1 not in sizes else sizes.count(-1) == 1 and known and shape[axis] % known == 0
    if not sizes or not fits:
        raise RuntimeError(f"unflatten: sizes {sizes} don't multiply up to {shape[axis]}, the size of dim {dim}")
    return _reshaped("unflatten", input, (*shape[:axis], *sizes, *shape[axis + 1 :]))


def permute(input, *order, dims=None):
    """The dimensions in another order: one by one, as a tuple, or by the name `dims`.

    Raises
    ------
    RuntimeError
        If a dimension is missing or named twice.
    IndexError
        If there is no such dimension.
    TypeError
        If no order is given.
    """
    must_be_tensor("permute", input)
    if not order and dims is None:
        raise TypeError("permute: missing dims; name every dimension once, for example permute(1, 0)")
    dims = sizes(order) if dims is None else sizes((dims,))
    if len(dims) != input.array.ndim:
        raise RuntimeError(f"permute: dims {dims} must name every dimension of shape {input.array.shape} once")
    axes = tuple(axis_of("permute", input, d) for d in dims)
    if len(set(axes)) != len(axes):
        raise RuntimeError(f"permute: dims {dims} must name every dimension of shape {input.array.shape} once")
    return apply(Permute(axes), input)


def transpose(input, dim0, dim1):
    """Dimensions `dim0` and `dim1` exchanged.

    Raises
    ------
    IndexError
        If there is no such dimension.
    """
    must_be_tensor("transpose", input)
    dims = list(range(input.array.ndim))
    i, j = axis_of("transpose", input, dim0), axis_of("transpose", input, dim1)
    if dims:
        dims[i], dims[j] = dims[j], dims[i]
    return apply(Transpose(tuple(dims)), input)


def t(input):
    """The transpose of a matrix; a vector stays as it is.

    Raises
    ------
    RuntimeError
        If there are more than two dimensions.
    """
    must_be_tensor("t", input)
    if input.array.ndim > 2:
        raise RuntimeError(
            f"t: expects a tensor with <= 2 dimensions, got shape {input.array.shape}; use transpose or mT"
        )
    return apply(MatrixTranspose(tuple(range(input.array.ndim))[::-1]), input)


def all_transposed(input):
    """The dimensions in reverse order: tensor.T."""
    return apply(Permute(tuple(range(input.array.ndim))[::-1]), input)


def matrix_transposed(input):
    """The last two dimensions exchanged: tensor.mT.

    Raises
    ------
    RuntimeError
        If there is only one.
    """
    if input.array.ndim == 1:
        raise RuntimeError(f"mT: only for matrices or batches of matrices, got shape {input.array.shape}")
    return transpose(input, -2, -1) if input.array.ndim else input


def movedim(input, source, destination):
    """Dimensions moved from `source` to `destination` (ints, or tuples of as many); the others keep their order.

    Raises
    ------
    RuntimeError
        If the two name not as many dimensions, or one twice.
    """
    must_be_tensor("movedim", input)
    start, end = axes_of("movedim", input, source), axes_of("movedim", input, destination)
    if len(start) != len(end):
        raise RuntimeError(f"movedim: got {source} and {destination}, wanted as many dims in both")
    rest = iter(i for i in range(input.array.ndim) if i not in start)
    order = tuple(start[end.index(i)] if i in end else next(rest) for i in range(input.array.ndim))
    return apply(Permute(order), input)


def squeeze(input, dim=None):
    """Without its dimensions of size 1, or without `dim` (an int or a tuple) where that has size 1."""
    must_be_tensor("squeeze", input)
    shape = input.array.shape
    if dim is None:
        op, drop = Squeeze, range(len(shape))
    elif isinstance(dim, tuple | list):
        op, drop = SqueezeDims, axes_of("squeeze", input, dim) if dim else ()
    else:
        op, drop = SqueezeDim, (axis_of("squeeze", input, dim),)
    return apply(op(tuple(n for i, n in enumerate(shape) if not (i in drop and n == 1))), input)


def unsqueeze(input, dim):
    """With a new dimension of size 1 at `dim`."""
    must_be_tensor("unsqueeze", input)
    shape = list(input.array.shape)
    shape.insert(new_axis("unsqueeze", input, dim), 1)
    return apply(Unsqueeze(tuple(shape)), input)


def new_axis(name, x, dim):
    """`dim` as the place of an axis that is to be put in: there is one more than `x` has axes.

    Raises
    ------
    IndexError
        If it is out of range.
    TypeError
        If it is no integer.
    """
    rank = x.array.ndim + 1
    if not hasattr(dim, "__index__"):
        raise TypeError(f"{name}: dim must be an int, got {type(dim).__name__}")
    if not -rank <= dim < rank:
        raise IndexError(f"{name}: Dimension out of range (expected in [{-rank}, {rank - 1}], but got {dim})")
    return dim % rank


def expand(input, *sizes_of_dims, size=None):
    """Dimensions of size 1 repeated without copying; -1 leaves one as it is; new ones may stand in front.

    Raises
    ------
    RuntimeError
        If a size other than 1 would change, or a new one is -1.
    """
    must_be_tensor("expand", input)
    size, shape = sizes(sizes_of_dims) if size is None else sizes((size,)), input.array.shape
    extra = len(size) - len(shape)
    own = (1,) * extra + shape
    wanted = tuple(m if n == -1 and i >= extra else n for i, (n, m) in enumerate(zip(size, own, strict=False)))
    if extra < 0 or any(n < 0 or m not in (1, n) for m, n in zip(own, wanted, strict=True)):
        raise RuntimeError(f"expand: shape {shape} cannot be expanded to {size}: only sizes of 1 can be repeated")
    return apply(Expand(wanted), input)
