"""Reductions: many numbers become one. Backward hands the one gradient back to the many.

`m` is the number of values that one result is made of. Reduced axes are kept with length 1 inside the ops, so that
gradients broadcast back; `keepdim` only decides what the user sees.
"""

import math

import numpy as np

from .. import backend, dtypes
from ..engine import Op, apply
from .axes import axes_of, axis_of, must_be_tensor


class Reduction(Op):
    """What all reductions share: the axes, and the shape that the result has while its reduced axes are kept.

    Parameters
    ----------
    axes : tuple of int
        The axes to reduce, from the left.
    keepdim : bool
        Whether the result keeps them with length 1.
    """

    def __init__(self, axes, keepdim):
        self.axes, self.keepdim = axes, keepdim

    def finish(self, y):
        """Remember y's shape; give `y`, whose reduced axes have length 1, as the user wants it."""
        self.kept_shape = y.shape
        return y if self.keepdim else y.reshape([n for i, n in enumerate(y.shape) if i not in self.axes])

    def values_per_result(self, x):
        """m: how many values one result is made of."""
        return math.prod(x.shape[i] for i in self.axes)


class Sum(Reduction):
    """y = the sum over axes.  dx = dy for every term."""

    def forward(self, x):
        self.x_shape = x.shape
        return self.finish(x.sum(self.axes, keepdims=True))

    def backward(self, dy):
        return (np.broadcast_to(dy.reshape(self.kept_shape), self.x_shape),)


class Mean(Reduction):
    """y = the sum over axes, divided by m.  dx = dy / m for every term."""

    def forward(self, x):
        self.x_shape, self.m = x.shape, self.values_per_result(x) or np.nan  # the mean of nothing is nan
        return self.finish(x.sum(self.axes, keepdims=True) / self.m)

    def backward(self, dy):
        return (np.broadcast_to((dy / self.m).reshape(self.kept_shape), self.x_shape),)


class Var(Reduction):
    """y = sum((x - mean)**2) / (m - correction).  dx = dy * 2 (x - mean) / (m - correction).

    correction 1 is the unbiased estimate, PyTorch's default; 0 is the biased one, NumPy's default and BatchNorm's
    choice. The mean moves with x, but that path adds nothing: the centred values sum to 0.
    """

    torch_name = "VarBackward0"

    def __init__(self, axes, keepdim, correction):
        super().__init__(axes, keepdim)
        self.correction = correction

    def variance(self, x):
        """Centred values (saved) and the variance, by two passes: E[x**2] - E[x]**2 cancels catastrophically."""
        m = self.values_per_result(x)
        self.divisor = m - self.correction if m > self.correction else 0
        self.centred = x - x.sum(self.axes, keepdims=True) / (m or np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):  # m <= correction: nan, as in PyTorch
            return np.true_divide(
                (self.centred * self.centred).sum(self.axes, keepdims=True), self.divisor, dtype=x.dtype
            )

    def forward(self, x):
        return self.finish(self.variance(x))

    def backward(self, dy):
        with np.errstate(divide="ignore", invalid="ignore"):
            return (dy.reshape(self.kept_shape) * self.centred * np.divide(2.0, self.divisor, dtype=dy.dtype),)


class Std(Var):
    """y = sqrt(variance).  dx = dy / (2 y) times the variance's gradient; 0 where y is 0."""

    torch_name = "StdBackward0"

    def forward(self, x):
        self.y = np.sqrt(self.variance(x))
        return self.finish(self.y)

    def backward(self, dy):
        flat = self.y == 0
        dvar = np.where(flat, 0, dy.reshape(self.kept_shape) / (2 * np.where(flat, 1, self.y)))
        return super().backward(dvar.astype(dy.dtype))


class Extreme(Reduction):
    """y = the largest (or smallest) element over axes.  Where several tie, they share dy evenly."""

    def __init__(self, axes, keepdim, pick):
        super().__init__(axes, keepdim)
        self.pick = pick

    def forward(self, x):
        y = self.pick(x, self.axes, keepdims=True)
        hit = (x == y) | ((x != x) & (y != y))  # nan wins, as in PyTorch; nan equals nothing, not even itself
        self.share = hit / hit.sum(self.axes, keepdims=True).astype(x.dtype)
        return self.finish(y)

    def backward(self, dy):
        return (dy.reshape(self.kept_shape) * self.share,)


class PickAlong(Op):
    """y = x at given positions along one axis, one per row.  dx = dy there, 0 elsewhere."""

    def __init__(self, axis, positions):
        self.axis, self.positions = axis, positions

    def forward(self, x):
        self.x_shape = x.shape
        return np.take_along_axis(x, self.positions, self.axis) if x.ndim else x.copy()

    def backward(self, dy):
        dx = backend.namespace(dy).zeros(self.x_shape, dy.dtype)
        if not self.x_shape:
            return (dx + dy,)
        grid = np.ogrid[tuple(slice(n) for n in self.positions.shape)]
        xp = backend.namespace(dy)
        index = tuple(self.positions if i == self.axis else xp.asarray(g) for i, g in enumerate(grid))
        backend.scatter_add(dx, index, dy)
        return (dx,)


class CumSum(Op):
    """y[i] = x[0] + ... + x[i] along one axis.  dx[i] = dy[i] + ... + dy[-1]: every later sum holds x[i]."""

    torch_name = "CumsumBackward0"

    def __init__(self, axis):
        self.axis = axis

    def forward(self, x):
        return x.cumsum(self.axis)

    def backward(self, dy):
        return (np.flip(np.flip(dy, self.axis).cumsum(self.axis), self.axis),)


def numpy_names(dim, keepdim, axis, keepdims):
    """`dim` and `keepdim`, whichever name they came by: PyTorch takes NumPy's too."""
    return dim if axis is None else axis, keepdim or keepdims


def sum(input, dim=None, keepdim=False, *, dtype=None, axis=None, keepdims=False):
    """The sum over `dim` (None: all; an int or a tuple). Integers and bools are summed as int64."""
    must_be_tensor("sum", input)
    dim, keepdim = numpy_names(dim, keepdim, axis, keepdims)
    if dtype is not None:
        input = input.to(dtype)
    elif input.array.dtype.kind != "f":
        input = input.to(dtypes.int64)
    return apply(Sum(axes_of("sum", input, dim), keepdim), input)


def mean(input, dim=None, keepdim=False, *, dtype=None, axis=None, keepdims=False):
    """The arithmetic mean over `dim` (None: all; an int or a tuple).

    Raises
    ------
    RuntimeError
        For integers and bools: their mean is no integer, so say `.float()` first.
    """
    dim, keepdim = numpy_names(dim, keepdim, axis, keepdims)
    input = input if dtype is None else input.to(dtype)
    _must_float("mean", input)
    return apply(Mean(axes_of("mean", input, dim), keepdim), input)


def var(input, dim=None, unbiased=None, keepdim=False, *, correction=None, axis=None, keepdims=False):
    """The variance over `dim`: sum((x - mean)**2) / (m - correction).

    Parameters
    ----------
    input : Tensor of floating point
    dim : int, tuple of int or None
        None: all. A bool here is `unbiased`, as in PyTorch's older signature.
    unbiased : bool, optional
        True is correction=1, False is correction=0.
    keepdim : bool
    correction : int, optional
        1 (the default) is the unbiased estimate; BatchNorm normalises with 0.
    """
    dim, keepdim = numpy_names(dim, keepdim, axis, keepdims)
    return _spread("var", Var, input, dim, unbiased, keepdim, correction)


def std(input, dim=None, unbiased=None, keepdim=False, *, correction=None, axis=None, keepdims=False):
    """The standard deviation over `dim`: the square root of `var` with the same arguments."""
    dim, keepdim = numpy_names(dim, keepdim, axis, keepdims)
    return _spread("std", Std, input, dim, unbiased, keepdim, correction)


def _spread(name, op, input, dim, unbiased, keepdim, correction):
    """var and std: sort out the two ways to say how the divisor is corrected."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise TypeError(f"{name}: give unbiased or correction, not both")
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    _must_float(name, input)
    return apply(op(axes_of(name, input, dim), keepdim, correction), input)


def _must_float(name, x):
    """Raise PyTorch's error if `x` holds no floating point numbers."""
    must_be_tensor(name, x)
    if x.array.dtype.kind != "f":
        raise RuntimeError(f"{name}: input dtype must be floating point, got {x.dtype}; convert it with .float() first")


def _must_have_elements(name, x, axes):
    """Raise PyTorch's error if an axis to be reduced is empty: nothing has no largest element."""
    for i in axes:
        if x.array.shape[i] == 0:
            raise IndexError(f"{name}: Expected reduction dim {i} to have non-zero size, got shape {x.array.shape}")
    if x.array.size == 0 and len(axes) == x.array.ndim:
        raise RuntimeError(f"{name}: Expected an input with elements, got shape {x.array.shape}")


def amax(input, dim=(), keepdim=False, *, axis=None, keepdims=False):
    """The largest element over `dim` (default: all). Ties share the gradient evenly."""
    dim, keepdim = numpy_names(dim, keepdim, axis, keepdims)
    axes = axes_of("amax", input, dim)
    _must_have_elements("amax", input, axes)
    return apply(Extreme(axes, keepdim, np.max), input)


def amin(input, dim=(), keepdim=False, *, axis=None, keepdims=False):
    """The smallest element over `dim` (default: all). Ties share the gradient evenly."""
    dim, keepdim = numpy_names(dim, keepdim, axis, keepdims)
    axes = axes_of("amin", input, dim)
    _must_have_elements("amin", input, axes)
    return apply(Extreme(axes, keepdim, np.min), input)


class ValuesAndIndices(tuple):
    """What max, min, sort and topk return along a dimension: a pair with the names `values` and `indices`."""

    def __new__(cls, pair, name=""):
        """`name` is the function's, for print."""
        self = super().__new__(cls, pair)
        self.name = name
        return self

    values = property(lambda self: self[0])
    indices = property(lambda self: self[1])

    def __repr__(self):
        return f"torch.return_types.{self.name}(\nvalues={self[0]!r},\nindices={self[1]!r})"


def max(input, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """The largest element; with an int `dim`, the largest along it and where it stands (the first, if several tie).

    With a tensor as `dim`, the element by element `maximum` of the two.
    """
    dim, keepdim = numpy_names(dim, keepdim, axis, keepdims)
    return _extreme("max", amax, np.argmax, input, dim, keepdim)


def min(input, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """The smallest element; with an int `dim`, the one along it and where it stands (the first, if several tie)."""
    dim, keepdim = numpy_names(dim, keepdim, axis, keepdims)
    return _extreme("min", amin, np.argmin, input, dim, keepdim)


def _extreme(name, reduce_all, where, input, dim, keepdim):
    """max and min: over everything, or along one dimension together with the positions."""
    if dim is None:
        if input.array.size == 0:
            raise RuntimeError(f"{name}: Expected reduction over a tensor with elements, got shape {input.array.shape}")
        return reduce_all(input)
    if not hasattr(dim, "__index__") or hasattr(dim, "array"):
        from . import arithmetic

        return (arithmetic.maximum if name == "max" else arithmetic.minimum)(input, dim)
    axis = axis_of(name, input, dim)
    _must_have_elements(name, input, (axis,) if input.array.ndim else ())
    positions = where(input.array, axis=axis, keepdims=True) if input.array.ndim else input.array.astype(np.int64) * 0
    values = apply(PickAlong(axis, positions), input)
    indices = input.like(positions)
    return ValuesAndIndices((values, indices) if keepdim else (values.squeeze(axis), indices.squeeze(axis)), name)


def argmax(input, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """Where the largest element stands: its flat index, or its index along `dim` (the first, if several tie)."""
    dim, keepdim = numpy_names(dim, keepdim, axis, keepdims)
    return _where("argmax", np.argmax, input, dim, keepdim)


def argmin(input, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """Where the smallest element stands: its flat index, or its index along `dim` (the first, if several tie)."""
    dim, keepdim = numpy_names(dim, keepdim, axis, keepdims)
    return _where("argmin", np.argmin, input, dim, keepdim)


def _where(name, function, input, dim, keepdim):
    axis = None if dim is None or input.array.ndim == 0 else axis_of(name, input, dim)
    if axis is None and input.array.size == 0:
        raise IndexError(f"{name}: Expected reduction dim to be specified for an empty tensor, got {input.array.shape}")
    _must_have_elements(name, input, () if axis is None else (axis,))
    return input.like(backend.as_array(function(input.array, axis=axis, keepdims=keepdim)))


def cumsum(input, dim):
    """The running sums along `dim`."""
    if input.array.dtype.kind != "f":
        input = input.to(dtypes.int64)
    return input.clone() if input.array.ndim == 0 else apply(CumSum(axis_of("cumsum", input, dim)), input)


def all(input, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """Whether all elements are true (not 0), over `dim` or everything."""
    dim, keepdim = numpy_names(dim, keepdim, axis, keepdims)
    return input.like(backend.as_array(np.all(input.array, axes_of("all", input, dim), keepdims=keepdim)))


def any(input, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """Whether any element is true (not 0), over `dim` or everything."""
    dim, keepdim = numpy_names(dim, keepdim, axis, keepdims)
    return input.like(backend.as_array(np.any(input.array, axes_of("any", input, dim), keepdims=keepdim)))
