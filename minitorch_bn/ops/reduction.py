"""Reductions: many numbers become one. Backward hands the one gradient back to the many.

`m` is the number of values that one result is made of. Reduced axes are kept with length 1 inside the ops, so that
gradients broadcast back; `keepdim` only decides what the user sees.
"""

import math

import numpy as np

from .. import backend, dtypes
from ..engine import Op, apply
from .axes import axes_of, must_be_tensor
from .normalisation import apply_widened


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
        return self.finish(x.sum(self.axes, x.dtype, keepdims=True))  # the dtype: NumPy would widen small integers

    def backward(self, dy):
        return (np.broadcast_to(dy.reshape(self.kept_shape), self.x_shape),)


class SumOverDims(Sum):
    """The same over the dims that the caller names."""

    torch_name = "SumBackward1"


class Mean(Reduction):
    """y = the sum over axes, divided by m.  dx = dy / m for every term."""

    def forward(self, x):
        self.x_shape, self.m = x.shape, self.values_per_result(x) or np.nan  # the mean of nothing is nan
        return self.finish(x.sum(self.axes, keepdims=True) / self.m)

    def backward(self, dy):
        return (np.broadcast_to((dy / self.m).reshape(self.kept_shape), self.x_shape),)


class MeanOverDims(Mean):
    """The same over the dims that the caller names."""

    torch_name = "MeanBackward1"


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
        self.m = m = self.values_per_result(x)
        divisor = m - self.correction if m > self.correction else 0
        self.centred = x - x.sum(self.axes, keepdims=True) / (m or np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):  # m <= correction: nan, as in PyTorch
            return np.true_divide((self.centred * self.centred).sum(self.axes, keepdims=True), divisor, dtype=x.dtype)

    def forward(self, x):
        return self.finish(self.variance(x))

    def backward(self, dy):
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.divide(2.0, self.m - self.correction, dtype=dy.dtype)
            return (dy.reshape(self.kept_shape) * self.centred * factor,)


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


def numpy_names(dim, keepdim, axis, keepdims):
    """`dim` and `keepdim`, whichever name they came by: PyTorch takes NumPy's too."""
    return dim if axis is None else axis, keepdim or keepdims


def sum(input, dim=None, keepdim=False, *, dtype=None, axis=None, keepdims=False):
    """The sum over `dim` (None: all; an int or a tuple). Integers and bools are summed as int64.

    Parameters
    ----------
    input : Tensor
    dim : int, tuple of int or None
    keepdim : bool
        Whether the summed dimensions stay, with length 1.
    dtype : dtype, optional
        Convert first, and so sum in this dtype.

    Raises
    ------
    IndexError
        If there is no such dimension.
    RuntimeError
        If a dimension is named twice.
    """
    must_be_tensor("sum", input)
    dim, keepdim = numpy_names(dim, keepdim, axis, keepdims)
    if dtype is not None:
        input = input.to(dtype)
    elif input.array.dtype.kind != "f":
        input = input.to(dtypes.int64)
    axes = axes_of("sum", input, dim)
    return apply(Sum(axes, keepdim) if dim is None else SumOverDims(axes, keepdim), input)


def mean(input, dim=None, keepdim=False, *, dtype=None, axis=None, keepdims=False):
    """The arithmetic mean over `dim` (None: all; an int or a tuple). The mean of nothing is nan.

    Raises
    ------
    RuntimeError
        For integers and bools: their mean is no integer, so say `.float()` first.
    """
    must_be_tensor("mean", input)
    dim, keepdim = numpy_names(dim, keepdim, axis, keepdims)
    input = input if dtype is None else input.to(dtype)
    _must_float("mean", input)
    axes = axes_of("mean", input, dim)
    return apply_widened(Mean(axes, keepdim) if dim is None else MeanOverDims(axes, keepdim), input)


def var(input, dim=None, unbiased=None, keepdim=False, *, correction=None, axis=None, keepdims=False):
    """The variance over `dim`: sum((x - mean)**2) / (m - correction), where m values make one result.

    Parameters
    ----------
    input : Tensor of floating point
    dim : int, tuple of int or None
        None: all. A bool here is `unbiased`, as in PyTorch's older signature.
    unbiased : bool, optional
        True is correction=1, False is correction=0.
    keepdim : bool
    correction : number, optional
        1 (the default) is the unbiased estimate; BatchNorm normalises with 0. Where it is m or more, the divisor is 0.

    Raises
    ------
    TypeError
        If both `unbiased` and `correction` are given.
    RuntimeError
        For integers and bools.
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
    return apply_widened(op(axes_of(name, input, dim), keepdim, correction), input)


def var_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """`var` and `mean` over the same `dim`, as a pair."""
    return _with_mean(var(input, dim, unbiased, keepdim, correction=correction), input, dim, keepdim)


def std_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """`std` and `mean` over the same `dim`, as a pair."""
    return _with_mean(std(input, dim, unbiased, keepdim, correction=correction), input, dim, keepdim)


def _with_mean(spread, input, dim, keepdim):
    """A pair of `spread` and the mean that belongs to it; a bool as `dim` was `unbiased`."""
    return spread, mean(input, None if isinstance(dim, bool) else dim, keepdim)


def _must_float(name, x):
    """Raise PyTorch's error if `x` holds no floating point numbers."""
    must_be_tensor(name, x)
    if x.array.dtype.kind != "f":
        raise RuntimeError(f"{name}: input dtype must be floating point, got {x.dtype}; convert it with .float() first")


def all(input, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """Whether all elements are true (not 0), over `dim` or everything. uint8 gives uint8, as in PyTorch."""
    dim, keepdim = numpy_names(dim, keepdim, axis, keepdims)
    return _truth("all", np.all, input, dim, keepdim)


def any(input, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """Whether any element is true (not 0), over `dim` or everything. uint8 gives uint8, as in PyTorch."""
    dim, keepdim = numpy_names(dim, keepdim, axis, keepdims)
    return _truth("any", np.any, input, dim, keepdim)


def _truth(name, function, input, dim, keepdim):
    """all and any; an empty tuple of dims reduces nothing."""
    must_be_tensor(name, input)
    axes = () if dim in ((), []) else axes_of(name, input, dim)
    truth = backend.as_array(function(input.array, axes, keepdims=keepdim))
    return input.like(truth.astype(np.uint8) if input.array.dtype == np.uint8 else truth)


def count_nonzero(input, dim=None):
    """How many elements are not 0, over `dim` (an int or a tuple) or everything: int64."""
    must_be_tensor("count_nonzero", input)
    axes = axes_of("count_nonzero", input, dim)
    return input.like(backend.as_array((input.array != 0).sum(axes)))
