"""RMSNorm: LayerNorm without the mean. Every row is divided by its root mean square."""

import math

import numpy as np

from .. import backend, dtypes
from ..engine import Op
from .axes import must_be_tensor
from .cast import cast
from .layernorm import check_shapes
from .normalisation import apply_widened


class RMSNorm(Op):
    """Divide every row by its root mean square, then scale.

        x_hat = x / sqrt(mean(x**2) + eps)        y = gamma * x_hat

    Shapes: x, y and their gradients are (*, *D), where D are the last `rank` sizes; gamma is D or None. Nothing is
    subtracted and nothing added: scaling a row changes nothing (but for eps), shifting it does. So, of the two terms
    that LayerNorm takes from dx_hat, only the projection on x_hat is left:

        dx_hat = gamma * dy
        dx = inv_rms * (dx_hat - x_hat * mean(dx_hat * x_hat))

    eps of None is the spacing of floating point numbers at 1: 1.2e-7 in float32.

    Source: Zhang & Sennrich 2019, equation 4; eps as in PyTorch's documentation of RMSNorm.
    """

    torch_name = "MulBackward0"

    def __init__(self, rank, eps=None):
        self.rank, self.eps = rank, eps

    def forward(self, x, gamma):
        self.axes = tuple(range(x.ndim - self.rank, x.ndim))
        self.m = math.prod(x.shape[axis] for axis in self.axes)
        self.gamma = gamma

        eps = float(np.finfo(x.dtype).eps) if self.eps is None else self.eps
        mean_square = (x * x).sum(self.axes, keepdims=True) / max(self.m, 1)
        self.inv_rms = 1 / np.sqrt(mean_square + eps)
        self.x_hat = x * self.inv_rms
        return self.x_hat if gamma is None else gamma * self.x_hat

    def backward(self, dy):
        rows = tuple(range(dy.ndim - self.rank))

        dgamma = (dy * self.x_hat).sum(rows) if self.needs[1] else None
        dx_hat = dy if self.gamma is None else self.gamma * dy
        mean_dx_hat_x_hat = (dx_hat * self.x_hat).sum(self.axes, keepdims=True) / max(self.m, 1)
        dx = self.inv_rms * (dx_hat - self.x_hat * mean_dx_hat_x_hat)
        return dx, dgamma


def rms_norm(input, normalized_shape, weight=None, eps=None):
    """Root mean square normalisation: the functional form of nn.RMSNorm.

    Parameters
    ----------
    input : Tensor of shape (*, *normalized_shape)
    normalized_shape : list or tuple of int
        The last sizes of the input; the values along them share one root mean square.
    weight : Tensor of shape normalized_shape, or None
        gamma; in any dtype, the result has the input's.
    eps : float or None
        Added to the mean square, inside the root. None is `finfo(dtype).eps` (float32's for float16).

    Returns
    -------
    Tensor of the input's shape

    Raises
    ------
    TypeError
        If the input is no tensor, or normalized_shape no list or tuple of ints.
    RuntimeError
        If normalized_shape is empty or not the end of the input's shape, or weight has another shape.
    ValueError
        If the input has fewer dimensions than normalized_shape has sizes.
    NotImplementedError
        If the input is not floating point.

    Source: PyTorch documentation, torch.nn.functional.rms_norm.
    """
    must_be_tensor("rms_norm", input, *(t for t in (weight,) if t is not None))
    x = input.array
    if isinstance(normalized_shape, list | tuple) and x.ndim < len(normalized_shape):
        raise ValueError(
            f"rms_norm: expected an input of at least {len(normalized_shape)} dimensions, those of normalized_shape "
            f"{tuple(normalized_shape)}, got {x.ndim}"
        )
    shape = check_shapes("rms_norm", input, normalized_shape, weight=weight)
    if x.dtype.kind != "f":
        raise NotImplementedError(f"rms_norm: not implemented for {x.dtype}, wanted floating point; use .float()")
    if weight is not None:
        backend.check_devices("rms_norm", x, weight.array)
        weight = cast(weight, dtypes.float32 if input.dtype is dtypes.float16 else input.dtype)
    return apply_widened(RMSNorm(len(shape), eps), input, weight)
