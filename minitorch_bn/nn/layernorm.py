"""LayerNorm: state for ops/layernorm.py. There is no running average, and train and eval mode are the same."""

from numbers import Integral

from .. import creation, ops
from . import init
from .module import Module
from .parameter import Parameter


def shape_of(name, normalized_shape):
    """`normalized_shape` as a tuple: one int is the last size alone.

    Raises
    ------
    TypeError
        If it is neither an int nor several.
    """
    if isinstance(normalized_shape, Integral):
        return (normalized_shape,)
    try:
        return tuple(normalized_shape)
    except TypeError:
        got = type(normalized_shape).__name__
        raise TypeError(f"{name}: normalized_shape must be an int or a list or tuple of ints, got {got}") from None


class LayerNorm(Module):
    """Normalise every sample by itself, over its last dimensions.

    Parameters
    ----------
    normalized_shape : int, or list or tuple of int
        The last sizes of the input, (*, *normalized_shape); the values along them share one mean.
    eps : float
        Added to the variance, inside the root.
    elementwise_affine : bool
        Whether there are a weight (gamma) and a bias (beta).
    bias : bool
        Whether there is a beta, if elementwise_affine.

    Attributes
    ----------
    weight, bias : Parameter of shape normalized_shape, or None
        gamma, starting at 1, and beta, starting at 0: one per value, not one per channel.

    Source: Ba, Kiros & Hinton 2016; PyTorch documentation of LayerNorm.

    >>> LayerNorm(3)(creation.tensor([[1.0, 2.0, 3.0]])).tolist()[0][1]
    0.0
    """

    def __init__(self, normalized_shape, eps=1e-5, elementwise_affine=True, bias=True, device=None, dtype=None):
        super().__init__()
        self.normalized_shape = shape_of("LayerNorm", normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        where = {"device": device, "dtype": dtype}
        affine = elementwise_affine
        self.weight = Parameter(creation.empty(self.normalized_shape, **where)) if affine else None
        self.bias = Parameter(creation.empty(self.normalized_shape, **where)) if affine and bias else None
        self.reset_parameters()

    def reset_parameters(self):
        """gamma 1, beta 0."""
        if self.elementwise_affine:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input):
        return ops.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self):
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )
