"""The largest, the smallest and the middle element, and where they stand. Backward hands dy to the ones picked."""

import numpy as np

from .. import backend
from ..engine import Op, Variable, apply
from .arithmetic import maximum, minimum
from .axes import axes_of, axis_of, must_be_tensor
from .reduction import Reduction, numpy_names


class Amax(Reduction):
    """y = the largest element over axes.  Where several tie, they share dy evenly."""

    pick = staticmethod(np.max)

    def forward(self, x):
        y = self.pick(x, self.axes, keepdims=True)
        hit = self.hits(x, y)
        self.share = hit / hit.sum(self.axes, keepdims=True).astype(x.dtype)
        return self.finish(y)

    def hits(self, x, y):
        """Where the result was taken from. A nan equals nothing: beside one, the gradient is 0 / 0, as in PyTorch."""
        return x == y

    def backward(self, dy):
        return (dy.reshape(self.kept_shape) * self.share,)


class Amin(Amax):
    """y = the smallest element over axes.  Where several tie, they share dy evenly."""

    pick = staticmethod(np.min)


class MaxOfAll(Amax):
    """y = the largest element of all.  As `Amax`, but where there are nans they get dy."""

    torch_name = "MaxBackward1"

    def hits(self, x, y):
        return (x == y) | ((x != x) & (y != y))

    def backward(self, dy):
        share = super().backward(dy)[0]
        return (np.where(self.share == 0, 0, share),)  # 0 where nothing was taken, also if dy is nan


class MinOfAll(MaxOfAll):
    """y = the smallest element of all.  As `Amin`, but where there are nans they get dy."""

    torch_name = "MinBackward1"
    pick = staticmethod(np.min)


class MedianOfAll(MaxOfAll):
    """y = the middle element; the lower one of two, and nan if there is one.  Those that tie share dy evenly."""

    torch_name = "MedianBackward0"

    @staticmethod
    def pick(x, axes, keepdims):
        flat = np.sort(x.reshape(-1))  # nan is sorted to the end
        last_or_middle = -1 if (flat[-1:] != flat[-1:]).any() else (x.size - 1) // 2
        return flat[last_or_middle].reshape((1,) * x.ndim)


class PickAlong(Op):
    """y = x at given positions along one axis, one per row.  dx = dy there, 0 elsewhere.

    Parameters
    ----------
    axis : int
    positions : array of int64
        x's shape, but 1 along the axis.
    keepdim : bool
        Whether y keeps the axis with length 1.
    """

    def __init__(self, axis, positions, keepdim):
        self.axis, self.positions, self.keepdim = axis, positions, keepdim

    def forward(self, x):
        self.x_shape = x.shape
        if not x.ndim:
            return x.copy()
        y = np.take_along_axis(x, self.positions, self.axis)
        return y if self.keepdim else y.squeeze(self.axis)

    def backward(self, dy):
        dx = backend.namespace(dy).zeros(self.x_shape, dy.dtype)
        if not self.x_shape:
            return (dx + dy,)
        np.put_along_axis(dx, self.positions, dy.reshape(self.positions.shape), self.axis)
        return (dx,)


class MaxAlong(PickAlong):
    """The positions are those of the largest elements."""

    torch_name = "MaxBackward0"


class MinAlong(PickAlong):
    """The positions are those of the smallest elements."""

    torch_name = "MinBackward0"


class MedianAlong(PickAlong):
    """The positions are those of the middle elements."""

    torch_name = "MedianBackward1"


class ValuesAndIndices(tuple):
    """What max, min, median, sort and topk return along a dimension: a pair with the names `values` and `indices`."""

    def __new__(cls, pair, name=""):
        """`name` is the function's, for print."""
        self = super().__new__(cls, pair)
        self.name = name
        return self

    values = property(lambda self: self[0])
    indices = property(lambda self: self[1])

    def __repr__(self):
        return f"torch.return_types.{self.name}(\nvalues={self[0]!r},\nindices={self[1]!r})"


def _must_have_elements(name, x, axes):
    """Raise PyTorch's error if an axis to be reduced is empty: nothing has no largest element."""
    for i in axes:
        if x.array.ndim and x.array.shape[i] == 0:
            raise IndexError(f"{name}: Expected reduction dim {i} to have non-zero size, got shape {x.array.shape}")


def _must_not_be_empty(name, x, error=RuntimeError):
    """Raise PyTorch's error if everything is to be reduced and nothing is there."""
    if x.array.size == 0:
        raise error(f"{name}: Expected reduction over a tensor with elements, got shape {x.array.shape}; specify dim")


def amax(input, dim=(), keepdim=False, *, axis=None, keepdims=False):
    """The largest element over `dim` (default: all; an int or a tuple). Ties share the gradient evenly; nan wins.

    Raises
    ------
    RuntimeError
        If there are no elements at all, or a dimension is named twice.
    IndexError
        If a dimension to be reduced has no elements, or there is no such dimension.
    """
    return _amax("amax", Amax, input, *numpy_names(dim, keepdim, axis, keepdims))


def amin(input, dim=(), keepdim=False, *, axis=None, keepdims=False):
    """The smallest element over `dim` (default: all; an int or a tuple). As `amax` otherwise."""
    return _amax("amin", Amin, input, *numpy_names(dim, keepdim, axis, keepdims))


def _amax(name, op, input, dim, keepdim):
    """amax and amin."""
    must_be_tensor(name, input)
    axes = axes_of(name, input, dim)
    if dim in ((), []):
        _must_not_be_empty(name, input)
    _must_have_elements(name, input, axes)
    return apply(op(axes, keepdim), input)


def max(input, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """The largest element; with an int `dim`, the largest along it and where it stands (the first, if several tie).

    With a tensor as `dim`, the element by element `maximum` of the two.

    Returns
    -------
    Tensor, or a pair (values, indices)

    Raises
    ------
    RuntimeError
        If there are no elements.
    IndexError
        If `dim` has no elements, or there is no such dimension.
    """
    dim, keepdim = numpy_names(dim, keepdim, axis, keepdims)
    if isinstance(dim, Variable) and dim.array.dtype.kind != "i":
        return maximum(input, dim)
    return _extreme("max", MaxOfAll, MaxAlong, np.argmax, input, dim, keepdim)


def min(input, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """The smallest element; with an int `dim`, the one along it and where it stands. As `max` otherwise."""
    dim, keepdim = numpy_names(dim, keepdim, axis, keepdims)
    if isinstance(dim, Variable) and dim.array.dtype.kind != "i":
        return minimum(input, dim)
    return _extreme("min", MinOfAll, MinAlong, np.argmin, input, dim, keepdim)


def median(input, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """The middle element in order: of an even number of them the lower one, nan if there is a nan.

    With an int `dim`, the one along it and where it stands, as a pair (values, indices).

    Raises
    ------
    NotImplementedError
        For bools.
    """
    must_be_tensor("median", input)
    dim, keepdim = numpy_names(dim, keepdim, axis, keepdims)
    if input.array.dtype.kind == "b":
        raise NotImplementedError("median: not implemented for bools; convert with .int() first")
    if dim is None and input.array.size == 0:
        return input.like(backend.namespace(input.array).full((), np.nan).astype(input.array.dtype))
    return _extreme("median", MedianOfAll, MedianAlong, _argmedian, input, dim, keepdim)


def _argmedian(x, axis, keepdims):
    """Where the middle element stands along `axis`, which is kept; where the first nan stands, if there is one."""
    middle = (slice(None),) * axis + (slice((x.shape[axis] - 1) // 2, (x.shape[axis] + 1) // 2),)
    position = np.argsort(x, axis, kind="stable")[middle]
    nan = x != x
    return np.where(nan.any(axis, keepdims=True), nan.argmax(axis, keepdims=True), position)


def _extreme(name, of_all, along, where, input, dim, keepdim):
    """max, min and median: over everything, or along one dimension together with the positions."""
    must_be_tensor(name, input)
    if dim is None:
        _must_not_be_empty(name, input)
        return apply(of_all(axes_of(name, input, None), False), input)
    axis = axis_of(name, input, dim)
    _must_have_elements(name, input, (axis,))
    positions = where(input.array, axis=axis, keepdims=True) if input.array.ndim else input.array.astype(np.int64) * 0
    values = apply(along(axis, positions, keepdim), input)
    indices = positions if keepdim or not input.array.ndim else positions.squeeze(axis)
    return ValuesAndIndices((values, input.like(indices)), name)


def argmax(input, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """Where the largest element stands: its flat index, or its index along `dim` (the first, if several tie).

    Raises
    ------
    IndexError
        If there are no elements to choose from, or there is no such dimension.
    RuntimeError
        For bools.
    """
    return _position("argmax", np.argmax, input, *numpy_names(dim, keepdim, axis, keepdims))


def argmin(input, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """Where the smallest element stands: its flat index, or its index along `dim`. As `argmax` otherwise."""
    return _position("argmin", np.argmin, input, *numpy_names(dim, keepdim, axis, keepdims))


def _position(name, function, input, dim, keepdim):
    """argmax and argmin."""
    must_be_tensor(name, input)
    if input.array.dtype.kind == "b":
        raise RuntimeError(f"{name}: not implemented for bools; convert with .int() first")
    axis = None if dim is None else axis_of(name, input, dim)
    if axis is None:
        _must_not_be_empty(name, input, IndexError)
    else:
        _must_have_elements(name, input, (axis,))
    axis = None if input.array.ndim == 0 else axis
    return input.like(backend.as_array(function(input.array, axis=axis, keepdims=keepdim)))
