"""Matrix products: `matmul`, and the affine map of nn.Linear."""

import numpy as np

from .. import backend
from ..engine import Op, Variable, apply
from .arithmetic import check_broadcast, unbroadcast
from .axes import axes_of
from .reduction import Reduction


class MatMul(Op):
    """y = a @ b.  da = dy @ b.T, db = a.T @ dy, summed over batch axes that were stretched.

    A vector on the left counts as a row, one on the right as a column; their axis is missing from y.
    """

    torch_name = "MmBackward0"

    def forward(self, a, b):
        self.a_shape, self.b_shape = a.shape, b.shape
        if self.needs[0]:
            self.b = b
        if self.needs[1]:
            self.a = a
        return a @ b

    def backward(self, dy):
        if len(self.b_shape) == 1:
            dy = dy[..., None]
        if len(self.a_shape) == 1:
            dy = dy[..., None, :]
        da = db = None
        if self.needs[0]:
            b = self.b[:, None] if self.b.ndim == 1 else self.b
            da = sum_to(dy @ b.swapaxes(-1, -2), self.a_shape)
        if self.needs[1]:
            a = self.a[None, :] if self.a.ndim == 1 else self.a
            db = sum_to(a.swapaxes(-1, -2) @ dy, self.b_shape, column=True)
        return da, db


def sum_to(dx, shape, column=False):
    """`dx` summed over the batch axes that were stretched, in the shape of a matrix or, as a row or column, vector."""
    matrix = shape if len(shape) > 1 else (*shape, 1) if column else (1, *shape)
    return unbroadcast(dx, matrix).reshape(shape)


class TwoNorm(Reduction):
    """y = sqrt(sum(x**2)) over axes.  dx = dy * x / y: the direction of x, and 0 where y is 0."""

    torch_name = "LinalgVectorNormBackward0"

    def forward(self, x):
        self.x, self.y = x, np.sqrt((x * x).sum(self.axes, keepdims=True))
        return self.finish(self.y)

    def backward(self, dy):
        return (self.x * (dy.reshape(self.kept_shape) / np.where(self.y == 0, 1, self.y)),)


class Linear(Op):
    """y = x @ W.T + b.  dx = dy @ W, dW = dy.T @ x, db = the sum of dy over all rows.

    Shapes: x (*, in), W (out, in), b (out,) or None, y (*, out).
    """

    torch_name = "AddmmBackward0"

    def forward(self, x, W, b):
        if self.needs[0]:
            self.W = W
        if self.needs[1]:
            self.x = x
        y = x.dot(W.T)  # for two matrices the same as x @ W.T, with less ado
        if b is not None:
            y += b
        return y

    def backward(self, dy):
        rows = dy if dy.ndim == 2 else dy.reshape(-1, dy.shape[-1])
        dx = dy.dot(self.W) if self.needs[0] else None
        dW = None
        if self.needs[1]:
            x = self.x if dy.ndim == 2 else self.x.reshape(-1, self.x.shape[-1])
            dW = rows.T.dot(x)
        db = backend.sum_of_rows(rows) if self.needs[2] else None
        return dx, dW, db


def matmul(input, other):
    """The matrix product over the last two dimensions; the ones before broadcast. Vectors as in Python's ``@``.

    Raises
    ------
    RuntimeError
        If a shape does not fit, an operand has no dimension, or the dtypes differ.
    """
    if not isinstance(other, Variable):
        raise TypeError(f"matmul: got {type(other).__name__} on the right, wanted a tensor")
    a, b = input.array, other.array
    if type(a) is not type(b):
        backend.check_devices("matmul", a, b)
    if a.ndim == 0 or b.ndim == 0:
        raise RuntimeError(f"matmul: both arguments need to be at least 1D, got shapes {a.shape} and {b.shape}")
    inner = b.shape[-2] if b.ndim > 1 else b.shape[0]
    if a.shape[-1] != inner:
        raise RuntimeError(
            f"matmul: mat1 and mat2 shapes cannot be multiplied ({'x'.join(map(str, a.shape))} and "
            f"{'x'.join(map(str, b.shape))}): the last size of the left, {a.shape[-1]}, must equal {inner}"
        )
    if a.dtype != b.dtype:
        raise RuntimeError(f"matmul: expected both to have the same dtype, but got {a.dtype} and {b.dtype}; use .to()")
    if a.ndim > 2 and b.ndim > 2:
        check_broadcast("matmul (batches)", a.shape[:-2], b.shape[:-2])
    return apply(MatMul(), input, other)


def mm(input, mat2):
    """The product of two matrices, without broadcasting."""
    if input.array.ndim != 2 or mat2.array.ndim != 2:
        raise RuntimeError(f"mm: wanted two matrices, got shapes {input.array.shape} and {mat2.array.shape}")
    return matmul(input, mat2)


def bmm(input, mat2):
    """The products of two batches of matrices, without broadcasting."""
    a, b = input.array.shape, mat2.array.shape
    if len(a) != 3 or len(b) != 3 or a[0] != b[0]:
        raise RuntimeError(f"bmm: wanted two batches of as many matrices, got shapes {a} and {b}")
    return matmul(input, mat2)


def linear(input, weight, bias=None):
    """input @ weight.T + bias.

    Parameters
    ----------
    input : Tensor of shape (*, in_features)
    weight : Tensor of shape (out_features, in_features)
    bias : Tensor of shape (out_features,), optional

    Returns
    -------
    Tensor of shape (*, out_features)

    Raises
    ------
    RuntimeError
        If in_features differs between input and weight, bias has another length than out_features, or dtypes differ.
    """
    x, W = input.array, weight.array
    if type(x) is not type(W) or (bias is not None and type(x) is not type(bias.array)):
        backend.check_devices("linear", x, W, None if bias is None else bias.array)
    if W.ndim == 1:  # a single output without a dimension of its own
        return matmul(input, weight) if bias is None else matmul(input, weight) + bias
    if x.ndim == 0 or x.shape[-1] != W.shape[-1]:
        raise RuntimeError(
            f"linear: mat1 and mat2 shapes cannot be multiplied: input {x.shape} has {x.shape[-1] if x.ndim else 'no'} "
            f"features last, weight {W.shape} wants {W.shape[-1]}"
        )
    if x.dtype != W.dtype:
        raise RuntimeError(
            f"linear: mat1 and mat2 must have the same dtype, but got {x.dtype} and {W.dtype}; use .to()"
        )
    if bias is not None and (bias.array.shape != W.shape[:1] or bias.array.dtype != W.dtype):
        raise RuntimeError(
            f"linear: bias of shape {bias.array.shape} and dtype {bias.array.dtype} for weight {W.shape}, wanted "
            f"{W.shape[:1]} of {W.dtype}"
        )
    return apply(Linear(), input, weight, bias)


def norm(input, p=2, dim=None, keepdim=False):
    """The p-norm over `dim` (default: all elements): p = 2, 1, any positive number, or inf. "fro" is 2."""
    p = 2 if p in ("fro", None) else p
    size = input.abs()
    if p == np.inf:
        return size.amax(() if dim is None else dim, keepdim)
    if p == 1:
        return size.sum(dim, keepdim)
    if p == 2:
        return apply(TwoNorm(axes_of("norm", input, dim), keepdim), input)
    return (size**p).sum(dim, keepdim) ** (1 / p)
