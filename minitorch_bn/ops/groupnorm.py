"""GroupNorm: every sample is normalised by itself, a group of channels at a time."""

import math

from .axes import must_be_tensor
from .normalisation import Normalisation, apply_widened, check_dtypes, check_per_channel


class GroupNorm(Normalisation):
    """Cut the C channels of every sample into G groups, normalise each group, then scale and shift each channel.

        x_hat = (x - mean) / sqrt(var + eps)        y = gamma * x_hat + beta

    Shapes: x, y and their gradients are (N, C, *S); gamma and beta are (C,) or None. Inside, x is seen as
    (N, G, C / G, S): the last two axes share a mean, and gamma and beta are (G, C / G, 1). With G = C this is
    InstanceNorm; with G = 1 it is LayerNorm over a whole sample, but for gamma and beta.

        dx_hat = gamma * dy
        dx = inv_std * (dx_hat - mean(dx_hat) - x_hat * mean(dx_hat * x_hat))

    Attributes
    ----------
    view : tuple of int
        (N, G, C / G, S), the shape that `axes` counts in.

    Source: Wu & He 2018, equations 1 to 3 and 7; PyTorch documentation of GroupNorm.
    """

    torch_name = "NativeGroupNormBackward0"

    def __init__(self, groups, eps=1e-5):
        super().__init__(eps)
        self.groups = groups

    def forward(self, x, gamma, beta):
        N, C, *S = x.shape
        G = self.groups
        self.view = (N, G, C // G, math.prod(S))
        per_channel = (G, C // G, 1)
        self.gamma = None if gamma is None else gamma.reshape(per_channel)

        x_hat = self.normalise(x.reshape(self.view), (2, 3))
        y = x_hat if gamma is None else self.gamma * x_hat
        y = y if beta is None else y + beta.reshape(per_channel)
        return y.reshape(x.shape)

    def backward(self, dy):
        x_shape, dy = dy.shape, dy.reshape(self.view)

        dbeta = dy.sum((0, 3)).reshape(-1) if self.needs[2] else None
        dgamma = (dy * self.x_hat).sum((0, 3)).reshape(-1) if self.needs[1] else None
        dx_hat = dy if self.gamma is None else self.gamma * dy
        dx = self.normalise_backward(dx_hat)
        return dx.reshape(x_shape), dgamma, dbeta


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-5):
    """Group normalisation: the functional form of nn.GroupNorm.

    Parameters
    ----------
    input : Tensor of shape (N, C, *S)
    num_groups : int
        G; the C / G channels of a group and all their positions share one mean and one (biased) variance.
    weight, bias : Tensor of shape (C,) or None
        gamma and beta.
    eps : float
        Added to the variance, inside the root.

    Returns
    -------
    Tensor of shape (N, C, *S)

    Raises
    ------
    ValueError
        If there is only one value in the whole batch per group.
    RuntimeError
        If the input has fewer than 2 dimensions, C is not divisible by num_groups, num_groups is negative, weight or
        bias has another length than C, or dtypes differ.
    ZeroDivisionError
        If num_groups is 0.
    TypeError
        If num_groups is no int, or input, weight or bias no tensor.
    NotImplementedError
        If the input is not floating point.

    Source: PyTorch documentation, torch.nn.functional.group_norm.
    """
    must_be_tensor("group_norm", input, *(t for t in (weight, bias) if t is not None))
    check_groups(tuple(input.array.shape), num_groups)
    check_per_channel("group_norm", input.array.shape[1], weight=weight, bias=bias)
    check_dtypes("group_norm", input, weight, bias)
    return apply_widened(GroupNorm(num_groups, eps), input, weight, bias)


def check_groups(shape, num_groups):
    """Raise PyTorch's errors for an input of this shape that cannot be cut into so many groups."""
    if len(shape) < 2:
        raise RuntimeError(f"group_norm: expected at least 2 dimensions, (N, C, ...), got input of shape {shape}")
    if not hasattr(num_groups, "__index__"):
        raise TypeError(f"group_norm: num_groups must be an int, got {type(num_groups).__name__}")
    if num_groups == 0:
        raise ZeroDivisionError("group_norm: num_groups must be greater than 0, got 0")
    if shape[0] * shape[1] // num_groups * math.prod(shape[2:]) == 1:
        raise ValueError(
            f"group_norm: expected more than 1 value per group, got input of shape {shape} and num_groups="
            f"{num_groups}: the variance of one value is 0"
        )
    if num_groups < 0:
        raise RuntimeError(f"group_norm: num_groups must be greater than 0, got {num_groups}")
    if shape[1] % num_groups:
        raise RuntimeError(
            f"group_norm: expected the number of channels to be divisible by num_groups, got input of shape {shape}, "
            f"which has {shape[1]} channels, and num_groups={num_groups}"
        )
