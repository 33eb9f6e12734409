"""RMSNorm: state for ops/rmsnorm.py."""

from .. import creation, ops
from . import init
from .layernorm import shape_of
from .module import Module
from .parameter import Parameter


class RMSNorm(Module):
    """Divide every sample by its root mean square over its last dimensions; no mean is taken away, no bias added.

    Parameters
    ----------
    normalized_shape : int, or list or tuple of int
        The last sizes of the input, (*, *normalized_shape).
    eps : float or None
        Added to the mean square, inside the root. None is the dtype's eps: 1.2e-7 in float32.
    elementwise_affine : bool
        Whether there is a weight (gamma).

    Attributes
    ----------
    weight : Parameter of shape normalized_shape, or None
        gamma, starting at 1.

    Source: Zhang & Sennrich 2019; PyTorch documentation of RMSNorm.
    """

    def __init__(self, normalized_shape, eps=None, elementwise_affine=True, device=None, dtype=None):
        super().__init__()
        self.normalized_shape = shape_of("RMSNorm", normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        weight = creation.empty(self.normalized_shape, device=device, dtype=dtype) if elementwise_affine else None
        self.weight = None if weight is None else Parameter(weight)
        self.reset_parameters()

    def reset_parameters(self):
        """gamma 1."""
        if self.elementwise_affine:
            init.ones_(self.weight)

    def forward(self, x):  # PyTorch's name here; its other layers call it input
        return ops.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self):
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
