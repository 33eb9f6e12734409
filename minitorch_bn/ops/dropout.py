"""Dropout: zero some elements at random, scale up the rest so that the mean stays."""

from ..engine import Op, apply
from ..random import default_generator


class Dropout(Op):
    """y = x * mask, where mask is 0 with probability p and 1 / (1 - p) otherwise.  dx = dy * mask.

    Source: Srivastava et al. 2014, section 4, in the "inverted" form that leaves eval mode alone.
    """

    torch_name = "MulBackward0"

    def __init__(self, mask):
        self.mask = mask

    def forward(self, x):
        return x * self.mask

    def backward(self, dy):
        return (dy * self.mask,)


def dropout(input, p=0.5, training=True, inplace=False):
    """`input` with elements zeroed with probability `p` and the rest divided by 1 - p; itself out of training.

    The mask is drawn from the default generator as PyTorch draws it.

    Raises
    ------
    ValueError
        If `p` is not between 0 and 1.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: probability has to be between 0 and 1, but got {p}")
    if not training or p == 0 or input.array.size == 0:
        return input
    kept = default_generator.bernoulli(1 - p, input.array.shape, input.array.dtype)
    mask = kept / (1 - p) if p < 1 else kept
    return apply(Dropout(input.like(mask).to(input.device).array), input)
