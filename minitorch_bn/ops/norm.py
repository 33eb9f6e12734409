"""The size of a vector: p-norms over one axis, several, or everything."""

import math

import numpy as np

from ..engine import apply
from .axes import axes_of, must_be_tensor
from .clamp import clamp_min
from .division import div
from .normalisation import apply_widened
from .reduction import Reduction


class TwoNorm(Reduction):
    """y = sqrt(sum(x**2)) over axes.  dx = dy * x / y: the direction of x, and 0 where y is 0."""

    torch_name = "LinalgVectorNormBackward0"

    def forward(self, x):
        self.x, self.y = x, np.sqrt((x * x).sum(self.axes, keepdims=True))
        return self.finish(self.y)

    def backward(self, dy):
        return (self.x * (dy.reshape(self.kept_shape) / np.where(self.y == 0, 1, self.y)),)


class OneNorm(Reduction):
    """y = sum(|x|) over axes.  dx = dy * sign(x)."""

    torch_name = "LinalgVectorNormBackward0"

    def forward(self, x):
        self.sign = np.sign(x)
        return self.finish(np.abs(x).sum(self.axes, keepdims=True))

    def backward(self, dy):
        return (dy.reshape(self.kept_shape) * self.sign,)


class LargestNorm(Reduction):
    """y = the largest |x| over axes, or the smallest.  Where several tie, they share dy * sign(x) evenly.

    Parameters
    ----------
    pick : callable
        np.max for the norm of p = inf, np.min for p = -inf.
    """

    torch_name = "LinalgVectorNormBackward0"

    def __init__(self, axes, keepdim, pick):
        super().__init__(axes, keepdim)
        self.pick = pick

    def forward(self, x):
        size = np.abs(x)
        y = self.pick(size, self.axes, keepdims=True)
        hit = (size == y) | ((x != x) & (y != y))
        self.share = hit * np.sign(x) / hit.sum(self.axes, keepdims=True).astype(x.dtype)
        return self.finish(y)

    def backward(self, dy):
        return (dy.reshape(self.kept_shape) * self.share,)


class CountNorm(Reduction):
    """y = how many elements of x are not 0, over axes: the limit of sum(|x|**p) at p = 0.  Steps have no dx."""

    torch_name = "LinalgVectorNormBackward0"

    def forward(self, x):
        return (x != 0).sum(self.axes, keepdims=self.keepdim).astype(x.dtype)

    def backward(self, dy):
        return (None,)


class PNorm(Reduction):
    """y = sum(|x|**p) ** (1/p) over axes.  dx = dy * sign(x) * (|x| / y)**(p-1); 0 where x or y is 0."""

    torch_name = "LinalgVectorNormBackward0"

    def __init__(self, axes, keepdim, p):
        super().__init__(axes, keepdim)
        self.p = p

    def forward(self, x):
        self.x = x
        self.y = (np.abs(x) ** self.p).sum(self.axes, keepdims=True) ** (1 / self.p)
        return self.finish(self.y)

    def backward(self, dy):
        defined = (self.x != 0) & (self.y != 0)
        ratio = np.where(defined, np.abs(self.x), 1) / np.where(defined, self.y, 1)
        slope = np.where(defined, np.sign(self.x) * ratio ** (self.p - 1), 0).astype(dy.dtype, copy=False)
        return (dy.reshape(self.kept_shape) * slope,)


def norm(input, p="fro", dim=None, keepdim=False, *, dtype=None):
    """The p-norm over `dim` (default: all elements): (sum of |x|**p) ** (1/p).

    Parameters
    ----------
    input : Tensor of floating point
    p : number, "fro" or None
        2, "fro" and None give the Euclidean length, 1 the sum of sizes, inf and -inf the largest and smallest size, 0
        the count of what is not 0.
    dim : int, tuple of int or None
    keepdim : bool
    dtype : dtype, optional
        Convert first.

    Raises
    ------
    RuntimeError
        For integers and bools, for another text as `p`, "fro" with more than two dims, or a negative or infinite `p`
        of no numbers.
    """
    must_be_tensor("norm", input)
    input = input if dtype is None else input.to(dtype)
    if input.array.dtype.kind != "f":
        raise RuntimeError(f"norm: wanted floating point numbers, got {input.dtype}; convert with .float() first")
    if isinstance(p, str) and p != "fro":
        raise RuntimeError(f"norm: got p={p!r}, wanted a number or 'fro'; matrix norms are not available")
    if p == "fro" and isinstance(dim, tuple | list) and len(dim) > 2:
        raise RuntimeError(f"norm: 'fro' is of vectors and matrices, got dims {tuple(dim)}; use p=2")
    p = 2 if p in ("fro", None) else p
    axes = axes_of("norm", input, dim)
    if (p < 0 or math.isinf(p)) and 0 in (input.array.shape[axis] for axis in axes):
        raise RuntimeError(f"norm: p={p} of no numbers is not defined, got shape {input.array.shape}")
    if p == 2:
        return apply_widened(TwoNorm(axes, keepdim), input)
    if p == 1:
        return apply_widened(OneNorm(axes, keepdim), input)
    if p == 0:
        return apply_widened(CountNorm(axes, keepdim), input)
    if math.isinf(p):
        return apply(LargestNorm(axes, keepdim, np.max if p > 0 else np.min), input)
    return apply_widened(PNorm(axes, keepdim, p), input)


def normalize(input, p=2.0, dim=1, eps=1e-12, out=None):
    """The input divided by its p-norm over `dim`, or by `eps` where that is larger: vectors of length 1.

    No mean is taken away, and no variance looked at: this is not one of the normalisation layers.

    Parameters
    ----------
    input : Tensor of floating point
    p : number
    dim : int or tuple of int
    eps : float
        Smallest divisor: a vector of zeros stays one.
    out : None
        Not available.

    Raises
    ------
    RuntimeError
        For integers and bools.
    NotImplementedError
        For `out`.

    Source: PyTorch documentation, torch.nn.functional.normalize.
    """
    if out is not None:
        raise NotImplementedError("normalize: out= is not available; assign the result")
    return div(input, clamp_min(norm(input, p, dim, keepdim=True), eps))
