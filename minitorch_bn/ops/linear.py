"""Matrix products: `matmul`, and the affine map of nn.Linear."""

import math

from .. import backend
from ..engine import Op, Variable, apply
from .arithmetic import add, mul
from .axes import must_be_tensor
from .promotion import check_broadcast, unbroadcast
from .shape import expand, reshape


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


class MatrixVector(MatMul):
    """The product of a matrix and a vector."""

    torch_name = "MvBackward0"


class Dot(MatMul):
    """The product of two vectors."""

    torch_name = "DotBackward0"


class VectorMatrix(MatMul):
    """The product of a vector and a matrix."""

    torch_name = "SqueezeBackward4"


class BatchedMatMul(MatMul):
    """The product where an operand is a batch of matrices."""

    torch_name = "UnsafeViewBackward0"


class Bmm(MatMul):
    """The product of two batches of as many matrices."""

    torch_name = "BmmBackward0"


PRODUCTS = {(2, 2): MatMul, (2, 1): MatrixVector, (1, 2): VectorMatrix, (1, 1): Dot}


def sum_to(dx, shape, column=False):
    """`dx` summed over the batch axes that were stretched, in the shape of a matrix or, as a row or column, vector."""
    matrix = shape if len(shape) > 1 else (*shape, 1) if column else (1, *shape)
    return unbroadcast(dx, matrix).reshape(shape)


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
        rows = dy if dy.ndim == 2 else dy.reshape(math.prod(dy.shape[:-1]), dy.shape[-1])
        dx = dy.dot(self.W) if self.needs[0] else None
        dW = None
        if self.needs[1]:
            x = self.x if dy.ndim == 2 else self.x.reshape(len(rows), self.x.shape[-1])
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
    if not isinstance(input, Variable) or not isinstance(other, Variable):
        raise TypeError(f"matmul: got {type(input).__name__} and {type(other).__name__}, wanted two tensors")
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
    return apply(PRODUCTS.get((a.ndim, b.ndim), BatchedMatMul)(), input, other)


def mm(input, mat2):
    """The product of two matrices, without broadcasting.

    Raises
    ------
    RuntimeError
        If one is no matrix, the shapes do not fit, or the dtypes differ.
    """
    must_be_tensor("mm", input, mat2)
    if input.array.ndim != 2 or mat2.array.ndim != 2:
        raise RuntimeError(f"mm: wanted two matrices, got shapes {input.array.shape} and {mat2.array.shape}")
    return matmul(input, mat2)


def bmm(input, mat2):
    """The products of two batches of matrices, without broadcasting.

    Raises
    ------
    RuntimeError
        If one is no batch of matrices, the shapes do not fit, or the dtypes differ.
    """
    must_be_tensor("bmm", input, mat2)
    a, b = input.array.shape, mat2.array.shape
    if len(a) != 3 or len(b) != 3 or a[0] != b[0]:
        raise RuntimeError(f"bmm: wanted two batches of as many matrices, got shapes {a} and {b}")
    if a[2] != b[1] or input.dtype != mat2.dtype:
        return matmul(input, mat2)  # which says what is wrong
    return apply(Bmm(), input, mat2)


def mv(input, vec):
    """The product of a matrix and a vector.

    Raises
    ------
    RuntimeError
        If they are none, the shapes do not fit, or the dtypes differ.
    """
    must_be_tensor("mv", input, vec)
    if input.array.ndim != 2 or vec.array.ndim != 1:
        raise RuntimeError(f"mv: wanted a matrix and a vector, got shapes {input.array.shape} and {vec.array.shape}")
    return matmul(input, vec)


def dot(input, tensor):
    """The inner product of two vectors.

    Raises
    ------
    RuntimeError
        If one is no vector, their lengths differ, or their dtypes do.
    """
    must_be_tensor("dot", input, tensor)
    a, b = input.array.shape, tensor.array.shape
    if len(a) != 1 or a != b:
        raise RuntimeError(f"dot: wanted two vectors of one length, got shapes {a} and {b}")
    return matmul(input, tensor)


def outer(input, vec2):
    """The outer product of two vectors: result[i][j] = input[i] * vec2[j].

    Raises
    ------
    RuntimeError
        If one is no vector.
    """
    must_be_tensor("outer", input, vec2)
    if input.array.ndim != 1 or vec2.array.ndim != 1:
        raise RuntimeError(f"outer: wanted two vectors, got shapes {input.array.shape} and {vec2.array.shape}")
    return mul(reshape(input, -1, 1), vec2)


def addmm(input, mat1, mat2, *, beta=1, alpha=1):
    """beta * input + alpha * (mat1 @ mat2), where input broadcasts to the product.

    Raises
    ------
    RuntimeError
        If mat1 or mat2 is no matrix, the shapes do not fit, or the dtypes differ.
    """
    must_be_tensor("addmm", input, mat1, mat2)
    if mat1.array.ndim != 2 or mat2.array.ndim != 2:
        raise RuntimeError(f"addmm: wanted two matrices, got shapes {mat1.array.shape} and {mat2.array.shape}")
    if input.dtype != mat1.dtype:
        raise RuntimeError(f"addmm: self and mat2 must have the same dtype, but got {input.dtype} and {mat1.dtype}")
    product = matmul(mat1, mat2)
    size = product.array.shape
    return add(mul(expand(input, size), beta), product, alpha=alpha)


def linear(input, weight, bias=None):
    """input @ weight.T + bias.

    Parameters
    ----------
    input : Tensor of shape (*, in_features)
    weight : Tensor of shape (out_features, in_features), or (in_features,) for a single output without a dimension
    bias : Tensor of shape (out_features,), or one that broadcasts to the result, optional

    Returns
    -------
    Tensor of shape (*, out_features)

    Raises
    ------
    RuntimeError
        If in_features differs between input and weight, bias does not broadcast to the result, or dtypes differ.
    TypeError
        If an argument is no tensor.

    Source: PyTorch documentation, torch.nn.functional.linear.
    """
    try:
        x, W, b = input.array, weight.array, None if bias is None else bias.array
    except AttributeError:
        must_be_tensor("linear", input, weight, *(() if bias is None else (bias,)))
        raise
    if type(x) is not type(W) or (b is not None and type(x) is not type(b)):
        backend.check_devices("linear", x, W, b)
    if W.ndim != 2:
        if W.ndim != 1 or b is not None:
            raise RuntimeError(f"linear: weight must be a matrix, or a vector without bias, got shape {W.shape}")
        return matmul(input, weight)
    if x.ndim == 0 or x.shape[-1] != W.shape[-1]:
        raise RuntimeError(
            f"linear: mat1 and mat2 shapes cannot be multiplied: input {x.shape} has {x.shape[-1] if x.ndim else 'no'} "
            f"features last, weight {W.shape} wants {W.shape[-1]}"
        )
    if x.dtype != W.dtype:
        raise RuntimeError(
            f"linear: mat1 and mat2 must have the same dtype, but got {x.dtype} and {W.dtype}; use .to()"
        )
    if b is not None and (b.shape != W.shape[:1] or b.dtype != W.dtype):
        shape = (*x.shape[:-1], W.shape[0])
        fits = b.ndim <= len(shape) and all(m in (1, n) for m, n in zip(b.shape[::-1], shape[::-1], strict=False))
        if b.dtype != W.dtype or not fits:
            raise RuntimeError(
                f"linear: bias of shape {b.shape} and dtype {b.dtype} for weight {W.shape}, wanted {W.shape[:1]} of "
                f"{W.dtype}, or what broadcasts to the result's shape {shape}"
            )
        return linear(input, weight) + bias
    return apply(Linear(), input, weight, bias)
