"""Softmax, its logarithm, and the logarithm of a sum of exponentials.

All three subtract the largest element first: exp then sees no positive number and cannot overflow, and the result is
the same because a common factor e**max cancels.
"""

import numpy as np

from ..engine import Op, apply
from .axes import axes_of, must_be_tensor, required_axis
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
        return shifted - np.log(total) if x.size else shifted

    def backward(self, dy):
        return (dy - self.softmax * dy.sum(self.axis, keepdims=True),)


class LogSumExp(Op):
    """y = log(sum(e**x)) over axes.  dx = dy * softmax(x)."""

    torch_name = "LogsumexpBackward0"

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


def softmax(input, dim, dtype=None):
    """Positive numbers that sum to 1 along `dim`. Shape in = shape out.

    Parameters
    ----------
    input : Tensor of any shape, floating point
    dim : int
    dtype : dtype, optional
        What the input is cast to first; so integers can be taken.

    Raises
    ------
    NotImplementedError
        If the numbers are not floating point.
    IndexError
        If there is no such dimension.
    """
    input = _in_dtype("softmax", input, dtype)
    return apply(Softmax(required_axis("softmax", input, dim)), input)


def log_softmax(input, dim, dtype=None):
    """log(softmax(input)) along `dim`, without the rounding of taking them one after the other. Errors: `softmax`."""
    input = _in_dtype("log_softmax", input, dtype)
    return apply(LogSoftmax(required_axis("log_softmax", input, dim)), input)


def logsumexp(input, dim, keepdim=False):
    """log(sum(exp(input))) over `dim`, an int or a tuple of ints.

    Raises
    ------
    TypeError
        If `dim` is None.
    """
    must_be_tensor("logsumexp", input)
    if dim is None:
        raise TypeError("logsumexp: got dim=None, wanted an int or a tuple of ints")
    return apply(LogSumExp(axes_of("logsumexp", input, dim), keepdim), floating("logsumexp", input))


def _in_dtype(name, x, dtype):
    """`x` in the `dtype` that the caller asks for, which must be floating point.

    Raises
    ------
    NotImplementedError
        If it is not, or `x` holds integers or bools and no other dtype is asked for.
    """
    must_be_tensor(name, x)
    x = x if dtype is None else x.to(dtype)
    if x.array.dtype.kind != "f":
        raise NotImplementedError(f"{name}: not implemented for {x.dtype}; convert with .float() first")
    return x
