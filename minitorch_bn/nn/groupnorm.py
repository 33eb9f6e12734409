"""GroupNorm: state for ops/groupnorm.py. There is no running average, and train and eval mode are the same."""

from .. import creation, ops
from . import init
from .module import Module
from .parameter import Parameter


class GroupNorm(Module):
    """Normalise every sample by itself, one group of channels at a time.

    Parameters
    ----------
    num_groups : int
        G; G = num_channels normalises every channel alone, G = 1 the whole sample at once.
    num_channels : int
        C, the size of dimension 1.
    eps : float
        Added to the variance, inside the root.
    affine : bool
        Whether there are a weight (gamma) and a bias (beta).
    bias : bool
        Whether there is a beta, if affine.

    Attributes
    ----------
    weight, bias : Parameter of shape (C,) or None
        gamma, starting at 1, and beta, starting at 0: one per channel.

    Raises
    ------
    ValueError
        If num_channels is not divisible by num_groups.
    ZeroDivisionError
        If num_groups is 0.

    Source: Wu & He 2018; PyTorch documentation of GroupNorm.

    >>> GroupNorm(2, 6)(creation.ones(5, 6, 4)).shape
    torch.Size([5, 6, 4])
    """

    def __init__(self, num_groups, num_channels, eps=1e-5, affine=True, device=None, dtype=None, *, bias=True):
        super().__init__()
        if num_groups == 0:
            raise ZeroDivisionError("GroupNorm: num_groups must be greater than 0, got 0")
        if num_channels % num_groups:
            raise ValueError(f"GroupNorm: num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        where = {"device": device, "dtype": dtype}
        self.weight = Parameter(creation.empty(num_channels, **where)) if affine else None
        self.bias = Parameter(creation.empty(num_channels, **where)) if affine and bias else None
        self.reset_parameters()

    def reset_parameters(self):
        """gamma 1, beta 0."""
        if self.affine:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input):
        return ops.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self):
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )
