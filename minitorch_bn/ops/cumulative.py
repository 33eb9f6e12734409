"""Running sums and products along one axis, and the product of everything: each result holds all that came before."""

import numpy as np

from .. import backend, dtypes
from ..engine import Op, apply
from .axes import axis_of, must_be_tensor


class CumSum(Op):
    """y[i] = x[0] + ... + x[i] along one axis.  dx[i] = dy[i] + ... + dy[-1]: every later sum holds x[i]."""

    torch_name = "CumsumBackward0"

    def __init__(self, axis):
        self.axis = axis

    def forward(self, x):
        return x.cumsum(self.axis, x.dtype)

    def backward(self, dy):
        return (np.flip(np.flip(dy, self.axis).cumsum(self.axis), self.axis),)


class CumProd(Op):
    """y[i] = x[0] * ... * x[i] along one axis.

        dx[i] = x[0] * ... * x[i-1] * tail[i]        tail[i] = dy[i] + x[i+1] * tail[i+1]

    x[i] is a factor of every later product. `tail` collects their gradients from the end, without a division, so that
    zeros are no special case.
    """

    torch_name = "CumprodBackward0"

    def __init__(self, axis):
        self.axis = axis

    def forward(self, x):
        self.x = x
        return x.cumprod(self.axis, x.dtype)

    def backward(self, dy):
        x, dy = np.moveaxis(self.x, self.axis, 0), np.moveaxis(dy, self.axis, 0)
        tail = dy.copy()
        for i in reversed(range(len(x) - 1)):
            tail[i] = dy[i] + x[i + 1] * tail[i + 1]
        return (np.moveaxis(before(x) * tail, 0, self.axis),)


class Prod(Op):
    """y = the product along one axis.  dx = dy times the product of all the others: two factors, before and behind."""

    torch_name = "ProdBackward1"

    def __init__(self, axis, keepdim):
        self.axis, self.keepdim = axis, keepdim

    def forward(self, x):
        self.x = x
        return x.prod(self.axis, x.dtype, keepdims=self.keepdim)

    def backward(self, dy):
        x = np.moveaxis(self.x, self.axis, 0)
        dy = np.moveaxis(dy, self.axis, 0) if self.keepdim else dy[None]
        dx = dy * before(x) * before(x[::-1])[::-1]
        return (np.moveaxis(dx, 0, self.axis),)


class ProdOfAll(Op):
    """y = the product of all elements.  dx = dy times the product of all the others."""

    torch_name = "ProdBackward0"

    def forward(self, x):
        self.x = x
        return x.prod(dtype=x.dtype)

    def backward(self, dy):
        x = self.x.reshape(-1)
        dx = dy * before(x) * before(x[::-1])[::-1]
        return (dx.reshape(self.x.shape),)


def before(x):
    """For every index of the first axis, the product of all that stand before it; 1 at the start.

    >>> before(np.array([2.0, 3.0, 4.0]))
    array([1., 2., 6.])
    """
    one = backend.namespace(x).ones((min(len(x), 1), *x.shape[1:]), x.dtype)
    return np.concatenate([one, x[:-1]]).cumprod(0)


def cumsum(input, dim=None, *, dtype=None, axis=None):
    """The running sums along `dim`. Integers and bools are summed as int64.

    Parameters
    ----------
    input : Tensor
    dim : int
        Also called `axis`.
    dtype : dtype, optional
        Convert first.

    Raises
    ------
    TypeError
        If `dim` is left out.
    IndexError
        If there is no such dimension.
    """
    return _running("cumsum", CumSum, input, dim, dtype, axis)


def cumprod(input, dim=None, *, dtype=None, axis=None):
    """The running products along `dim`. Integers and bools are multiplied as int64; arguments as in `cumsum`."""
    return _running("cumprod", CumProd, input, dim, dtype, axis)


def _running(name, op, input, dim, dtype, axis):
    """cumsum and cumprod."""
    must_be_tensor(name, input)
    if dim is None and axis is None:
        raise TypeError(f"{name}: missing dim; say along which dimension to add up, for example dim=0")
    along = axis_of(name, input, axis if dim is None else dim)
    input = in_whole_dtype(input, dtype)
    if input.array.dtype.kind == "b":
        raise NotImplementedError(f"{name}: not implemented for bools; leave dtype out")
    return input.clone() if input.array.ndim == 0 else apply(op(along), input)


def in_whole_dtype(input, dtype):
    """`input` in the dtype that the caller asks for; without one, integers and bools as int64."""
    if dtype is None and input.array.dtype.kind != "f":
        dtype = dtypes.int64
    return input if dtype is None else input.to(dtype)


def prod(input, dim=None, keepdim=False, *, dtype=None, axis=None, keepdims=False):
    """The product of all elements, or along one `dim`. Integers and bools are multiplied as int64.

    Parameters
    ----------
    input : Tensor
    dim : int, optional
        Also called `axis`.
    keepdim : bool
        Whether the dimension stays, with length 1.
    dtype : dtype, optional
        Convert first.
    """
    must_be_tensor("prod", input)
    dim = axis if dim is None else dim
    along = None if dim is None else axis_of("prod", input, dim)
    input = in_whole_dtype(input, dtype)
    if along is None:
        return apply(ProdOfAll(), input)
    return input.clone() if input.array.ndim == 0 else apply(Prod(along, keepdim or keepdims), input)
