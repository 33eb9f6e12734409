"""Dropout: zero some elements at random, scale up the rest so that the mean stays."""

import warnings

import numpy as np

from .. import backend
from ..engine import Op, apply
from ..random import default_generator
from .axes import must_be_tensor
from .drawing import laid_out_like


class Dropout(Op):
    """y = x * mask, where mask is 0 with probability p and 1 / (1 - p) otherwise.  dx = dy * mask.

    The mask may be smaller than x, with axes of length 1: then what lies along them is dropped together.
    Source: Srivastava et al. 2014, section 4, in the "inverted" form that leaves eval mode alone.
    """

    torch_name = "MulBackward0"

    def __init__(self, mask):
        self.mask = mask

    def forward(self, x):
        return x * self.mask

    def backward(self, dy):
        return (dy * self.mask,)


def dropout(input, p=0.5, training=True):
    """`input` with elements zeroed with probability `p` and the rest divided by 1 - p; itself out of training.

    The mask is drawn from the default generator as PyTorch draws it; with p = 1 nothing is drawn.

    Raises
    ------
    ValueError
        If `p` is not between 0 and 1.
    RuntimeError
        If `p` is nan, or if the input is not floating point and p is neither 0 nor 1.
    """
    must_be_tensor("dropout", input)
    return _dropped("dropout", input, p, training, input.array.shape)


def dropout1d(input, p=0.5, training=True):
    """Whole channels of `input` zeroed with probability `p`.

    Parameters
    ----------
    input : Tensor of shape (N, C, L) or (C, L)

    Raises
    ------
    ValueError, RuntimeError
        As `dropout`; RuntimeError also if the rank is another.

    Source: Tompson et al. 2015, section 3.2.
    """
    must_be_tensor("dropout1d", input)
    if input.array.ndim not in (2, 3):
        raise RuntimeError(f"dropout1d: Expected 2D (C, L) or 3D (N, C, L) input, but got shape {input.array.shape}")
    channels = input.array.shape[: input.array.ndim - 1]
    return _dropped("dropout1d", input, p, training, (*channels, 1))


def dropout2d(input, p=0.5, training=True):
    """Whole channels of `input` (N, C, H, W) zeroed with probability `p`.

    As in PyTorch a three-dimensional input is taken for (N, C, L), not for (C, H, W), and tensors of other ranks lose
    everything behind their first two dimensions together; both with a UserWarning. Errors: `dropout`.
    """
    must_be_tensor("dropout2d", input)
    shape = input.array.shape
    if len(shape) != 4:
        warnings.warn(
            f"dropout2d: got an input of shape {shape}, wanted (N, C, H, W): the first two dimensions are taken for "
            "samples and channels",
            UserWarning,
            stacklevel=3,
        )
    return _dropped("dropout2d", input, p, training, shape[:2] + (1,) * (len(shape) - 2))


def _dropped(name, input, p, training, shape):
    """`input` times a mask of `shape`."""
    if not 0 <= p <= 1:
        error = RuntimeError if p != p else ValueError
        raise error(f"{name}: probability has to be between 0 and 1, but got {p}")
    if not training or p == 0 or input.array.size == 0:
        return input
    if p == 1:
        return input * 0
    if len(shape) < 2 and name != "dropout":
        raise RuntimeError(f"{name}: Feature dropout requires at least 2 dimensions in the input, got shape {shape}")
    if input.array.dtype.kind != "f":
        raise RuntimeError(f"{name}: result type float can't be cast to {input.array.dtype}; use .float()")
    dtype = input.array.dtype
    order = input.array if shape == input.array.shape else np.empty(shape, dtype)  # drawn in the order of memory
    kept = laid_out_like(order, lambda shape: default_generator.bernoulli(1 - p, shape, dtype))
    scale = 1 / np.float32(1 - p) if dtype == np.float16 else 1 / dtype.type(1 - p)
    mask = np.asarray(kept * dtype.type(scale))
    return apply(Dropout(backend.to_device(mask, backend.device_of(input.array))), input)
