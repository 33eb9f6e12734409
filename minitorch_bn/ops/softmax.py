"""Softmax, its logarithm, and the logarithm of a sum of exponentials.

All three subtract the largest element first: exp then sees no positive number and cannot overflow, and the result is
the same because a common factor e**max cancels.
"""

import numpy as np

from ..engine import Op, apply
from .axes import axes_of, required_axis
from .elementwise import floating


class Softmax(Op):
    """y = e**x / sum(e**x) along one axis.  dx = y * (dy - sum(dy * y))."""

    def __init__(self, axis):
        self.axis = axis

    def forward(self, x):
        exp = np.exp(x - x.max(self.axis, keepdims=True)) if x.size else x
        self.y = exp / exp.sum(self.axis, keepdims=True)
        return self.y

    def backward(self, dy):
        return (self.y * (dy - (dy * self.y).sum(self.axis, keepdims=True)),)


class LogSoftmax(Op):
    """y = x - log(sum(e**x)) along one axis.  dx = dy - softmax(x) * sum(dy)."""

    def __init__(self, axis):
        self.axis = axis

    def forward(self, x):
        shifted = x - x.max(self.axis, keepdims=True) if x.size else x
        exp = np.exp(shifted)
        total = exp.sum(self.axis, keepdims=True)
        self.softmax = exp / total
        return shifted - np.log(total)

    def backward(self, dy):
        return (dy - self.softmax * dy.sum(self.axis, keepdims=True),)


class LogSumExp(Op):
    """y = log(sum(e**x)) over axes.  dx = dy * softmax(x)."""

    def __init__(self, axes, keepdim):
        self.axes, self.keepdim = axes, keepdim

    def forward(self, x):
        largest = x.max(self.axes, keepdims=True) if x.size else x.sum(self.axes, keepdims=True)
        largest = np.where(np.isinf(largest), 0, largest)  # inf - inf would be nan
        exp = np.exp(x - largest)
        total = exp.sum(self.axes, keepdims=True)
        self.softmax = exp / total
        with np.errstate(divide="ignore"):  # the sum of no terms, or of e**-inf only: log(0) = -inf
            y = np.log(total) + largest
        self.kept_shape = y.shape
        return y if self.keepdim else y.squeeze(self.axes)

    def backward(self, dy):
        return (dy.reshape(self.kept_shape) * self.softmax,)


def softmax(input, dim=None, dtype=None):
    """Positive numbers that sum to 1 along `dim`. Shape in = shape out."""
    return apply(Softmax(required_axis("softmax", input, dim)), _in_dtype("softmax", input, dtype))


def log_softmax(input, dim=None, dtype=None):
    """log(softmax(input)) along `dim`, without the rounding of taking them one after the other."""
    return apply(LogSoftmax(required_axis("log_softmax", input, dim)), _in_dtype("log_softmax", input, dtype))


def logsumexp(input, dim, keepdim=False):
    """log(sum(exp(input))) over `dim`, an int or a tuple of ints."""
    return apply(LogSumExp(axes_of("logsumexp", input, dim), keepdim), floating("logsumexp", input))


def _in_dtype(name, x, dtype):
    """`x` in floating point, or in the `dtype` that the caller asks for."""
    return floating(name, x) if dtype is None else x.to(dtype)
