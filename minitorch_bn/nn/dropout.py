"""Dropout: the probability for ops/dropout.py."""

from .. import ops
from .module import Module


class Dropout(Module):
    """Zeroes elements with probability `p` in train mode and divides the rest by 1 - p; does nothing in eval mode."""

    def __init__(self, p=0.5, inplace=False):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"Dropout: probability has to be between 0 and 1, but got {p}")
        self.p, self.inplace = p, inplace

    def forward(self, input):
        return ops.dropout(input, self.p, self.training)

    def extra_repr(self):
        return f"p={self.p}, inplace={self.inplace}"
