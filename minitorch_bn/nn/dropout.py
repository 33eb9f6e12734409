"""Dropout: the probability for ops/dropout.py."""

from . import in_place
from .module import Module


class _DropoutNd(Module):
    """What Dropout, Dropout1d and Dropout2d share; they differ only in what is zeroed together.

    Parameters
    ----------
    p : float from 0 to 1
    inplace : bool
        Write into the input.

    Raises
    ------
    ValueError
        If `p` is not from 0 to 1.
    """

    def __init__(self, p=0.5, inplace=False):
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError(f"{type(self).__name__}: dropout probability has to be between 0 and 1, but got {p}")
        self.p, self.inplace = p, inplace

    def forward(self, input):
        return self._function(input, self.p, self.training, self.inplace)

    def extra_repr(self):
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_DropoutNd):
    """Zeroes elements with probability `p` in train mode and divides the rest by 1 - p; does nothing in eval mode."""

    _function = staticmethod(in_place.dropout)


class Dropout1d(_DropoutNd):
    """The same with whole channels of (N, C, L) or (C, L)."""

    _function = staticmethod(in_place.dropout1d)


class Dropout2d(_DropoutNd):
    """The same with whole channels of (N, C, H, W)."""

    _function = staticmethod(in_place.dropout2d)
