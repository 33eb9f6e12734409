"""Moves that copy: repeat, roll, flip, diagonals, triangles. Backward brings every gradient back where it came from."""

import numpy as np

from .. import backend
from ..engine import Op, Variable, apply
from .axes import axes_of, axis_of, must_be_tensor
from .indexing import index_select
from .shape import sizes


class Repeat(Op):
    """y = x laid out several times along every axis.  dx = the sum of dy over the copies."""

    def __init__(self, counts):
        self.counts = counts

    def forward(self, x):
        self.x_shape = x.shape
        return np.tile(x, self.counts)

    def backward(self, dy):
        own = (1,) * (len(self.counts) - len(self.x_shape)) + self.x_shape
        copies = dy.reshape([n for pair in zip(self.counts, own, strict=True) for n in pair])  # (count, size) per axis
        return (copies.sum(tuple(range(0, copies.ndim, 2))).reshape(self.x_shape),)


class Roll(Op):
    """y = x shifted along axes; what leaves at one end comes in at the other.  dx = dy shifted back."""

    def __init__(self, shifts, axes):
        self.shifts, self.axes = shifts, axes

    def forward(self, x):
        return np.roll(x, self.shifts, self.axes)

    def backward(self, dy):
        back = tuple(-n for n in self.shifts) if isinstance(self.shifts, tuple) else -self.shifts
        return (np.roll(dy, back, self.axes),)


class Flip(Op):
    """y = x backwards along axes.  dx = dy backwards."""

    def __init__(self, axes):
        self.axes = axes

    def forward(self, x):
        return np.flip(x, self.axes).copy()

    def backward(self, dy):
        return (np.flip(dy, self.axes),)


class Tril(Op):
    """y = the lower triangle of matrices, 0 above the given diagonal.  dx = the same triangle of dy."""

    def __init__(self, diagonal):
        self.diagonal = diagonal

    def forward(self, x):
        return np.tril(x, self.diagonal)

    def backward(self, dy):
        return (np.tril(dy, self.diagonal),)


class Triu(Tril):
    """y = the upper triangle of matrices, 0 below the given diagonal.  dx = the same triangle of dy."""

    def forward(self, x):
        return np.triu(x, self.diagonal)

    def backward(self, dy):
        return (np.triu(dy, self.diagonal),)


class Diagonal(Op):
    """y = a diagonal of the matrices that two axes span, as the last axis.  dx = dy on that diagonal, 0 elsewhere."""

    def __init__(self, offset, axis1, axis2):
        self.offset, self.axis1, self.axis2 = offset, axis1, axis2

    def forward(self, x):
        self.x_shape = x.shape
        y = np.diagonal(x, self.offset, self.axis1, self.axis2)
        if hasattr(y, "setflags"):  # NumPy hands out a view that is read-only until told otherwise; CuPy does not
            y.setflags(write=x.flags.writeable)
        return y

    def backward(self, dy):
        dx = backend.namespace(dy).zeros(self.x_shape, dy.dtype)
        matrices = np.moveaxis(dx, (self.axis1, self.axis2), (-2, -1))  # a view: what is written to it is in dx
        i = np.arange(dy.shape[-1])
        matrices[..., i - min(self.offset, 0), i + max(self.offset, 0)] = dy
        return (dx,)


class DiagEmbed(Op):
    """Y = a square matrix with the vector x on a diagonal, 0 elsewhere.  dx = that diagonal of dY."""

    def __init__(self, offset):
        self.offset = offset

    def forward(self, x):
        n = len(x) + abs(self.offset)
        Y = backend.namespace(x).zeros((n, n), x.dtype)
        i = np.arange(len(x))
        Y[i - min(self.offset, 0), i + max(self.offset, 0)] = x
        return Y

    def backward(self, dY):
        return (np.diagonal(dY, self.offset),)


def repeat(input, *counts, repeats=None):
    """`input` laid out `counts` times along its dimensions; more counts than dimensions make new ones in front.

    Raises
    ------
    RuntimeError
        If there are fewer counts than dimensions, or one is negative.
    """
    must_be_tensor("repeat", input)
    counts = sizes(counts) if repeats is None else sizes((repeats,))
    if len(counts) < input.array.ndim:
        raise RuntimeError(
            f"repeat: got {len(counts)} counts for {input.array.ndim} dimensions, wanted at least as many"
        )
    if min(counts, default=0) < 0:
        raise RuntimeError(f"repeat: got {counts}, wanted counts from 0 up")
    return apply(Repeat(counts), input)


def tile(input, *counts, dims=None):
    """As `repeat`, but missing counts in front are 1."""
    must_be_tensor("tile", input)
    counts = sizes(counts) if dims is None else sizes((dims,))
    return repeat(input, *(1,) * (input.array.ndim - len(counts)), *counts)


def repeat_interleave(input, repeats, dim=None):
    """Every element repeated `repeats` times in its place, along `dim` or of the flattened tensor.

    Parameters
    ----------
    input : Tensor
    repeats : int, or Tensor of int64 of shape (1,) or (size of dim,)
    dim : int, optional

    Raises
    ------
    IndexError
        If `input` has no dimension `dim`; a 0-dim tensor has none.
    RuntimeError
        If a count is negative, or there are not as many as entries.
    """
    must_be_tensor("repeat_interleave", input)
    if dim is None:
        input, dim = input.reshape(-1), 0
    elif input.array.ndim == 0:
        raise IndexError(f"repeat_interleave: a 0-dim tensor has no dimension {dim} to repeat along; leave dim out")
    counts = repeats.array if isinstance(repeats, Variable) else np.asarray(repeats)
    n = input.array.shape[axis_of("repeat_interleave", input, dim)]
    if counts.ndim > 1 or (counts.size and counts.min() < 0) or counts.size not in (1, n):
        raise RuntimeError(
            f"repeat_interleave: got repeats {counts.tolist()} for {n} entries, wanted one or as many >= 0"
        )
    positions = np.repeat(backend.namespace(input.array).arange(n), counts if counts.size == n else int(counts.item()))
    return index_select(input, dim, input.like(positions))


def roll(input, shifts, dims=None):
    """Entries shifted by `shifts` along `dims` (ints, or tuples of as many); without `dims`, of the flattened tensor.

    Raises
    ------
    RuntimeError
        If there are not as many shifts as dims.
    """
    must_be_tensor("roll", input)
    if dims is None or dims in ((), []):
        if isinstance(shifts, tuple | list) and len(shifts) != 1:
            raise RuntimeError(f"roll: got shifts {shifts} without dims, wanted one shift or as many dims")
        return apply(Roll(shifts[0] if isinstance(shifts, tuple | list) else shifts, None), input)
    shifts = tuple(shifts) if isinstance(shifts, tuple | list) else (shifts,)
    dims = tuple(dims) if isinstance(dims, tuple | list) else (dims,)
    if len(shifts) != len(dims):
        raise RuntimeError(f"roll: got shifts {shifts} and dims {dims}, wanted as many of both")
    return apply(Roll(shifts, tuple(axis_of("roll", input, d) for d in dims)), input)


def flip(input, *dims):
    """Entries in reverse order along `dims`.

    Raises
    ------
    RuntimeError
        If a dimension is named twice.
    """
    must_be_tensor("flip", input)
    dims = sizes(dims)
    return apply(Flip(axes_of("flip", input, dims) if dims else ()), input)


def tril(input, diagonal=0):
    """The lower triangle of matrices (the last two dimensions): 0 above `diagonal`, counted from the main one."""
    return apply(Tril(diagonal), _matrices("tril", input))


def triu(input, diagonal=0):
    """The upper triangle of matrices (the last two dimensions): 0 below `diagonal`, counted from the main one."""
    return apply(Triu(diagonal), _matrices("triu", input))


def _matrices(name, x):
    """`x`, checked to have two dimensions.

    Raises
    ------
    RuntimeError
        If it has fewer.
    """
    must_be_tensor(name, x)
    if x.array.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions, got shape {x.array.shape}")
    return x


def diagonal(input, offset=0, dim1=0, dim2=1):
    """A diagonal of the matrices that `dim1` and `dim2` span, as the last dimension: a view.

    Raises
    ------
    RuntimeError
        If both are the same dimension.
    """
    must_be_tensor("diagonal", input)
    i, j = axis_of("diagonal", input, dim1), axis_of("diagonal", input, dim2)
    if i == j:
        raise RuntimeError(f"diagonal: dimensions cannot be identical, got {dim1} and {dim2}")
    return apply(Diagonal(offset, i, j), input)


def diag(input, diagonal=0):
    """The diagonal of a matrix, or the matrix with a vector on its diagonal.

    Raises
    ------
    RuntimeError
        If there is another number of dimensions.
    """
    must_be_tensor("diag", input)
    if input.array.ndim not in (1, 2):
        raise RuntimeError(f"diag: supports 1D or 2D tensors, got shape {input.array.shape}")
    if input.array.ndim == 1:
        return apply(DiagEmbed(diagonal), input)
    return apply(Diagonal(diagonal, 0, 1), input).clone()


def trace(input):
    """The sum of the main diagonal of a matrix.

    Raises
    ------
    RuntimeError
        If it is no matrix.
    """
    must_be_tensor("trace", input)
    if input.array.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, got shape {input.array.shape}")
    return diagonal(input).sum()
