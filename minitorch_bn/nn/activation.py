"""Activation layers: ops/activation.py and ops/softmax.py as modules."""

from .. import ops
from .module import Module


class Tanh(Module):
    """The hyperbolic tangent of every element."""

    def forward(self, input):
        return ops.tanh(input)


class Sigmoid(Module):
    """1 / (1 + exp(-x)) for every element."""

    def forward(self, input):
        return ops.sigmoid(input)


class ReLU(Module):
    """max(x, 0) for every element."""

    def __init__(self, inplace=False):
        super().__init__()
        self.inplace = inplace

    def forward(self, input):
        return ops.relu(input)

    def extra_repr(self):
        return "inplace=True" if self.inplace else ""


class Softmax(Module):
    """Positive numbers that sum to 1 along `dim`."""

    def __init__(self, dim=None):
        super().__init__()
        self.dim = dim

    def forward(self, input):
        return ops.softmax(input, self.dim)

    def extra_repr(self):
        return f"dim={self.dim}"


class LogSoftmax(Softmax):
    """The logarithm of softmax along `dim`."""

    def forward(self, input):
        return ops.log_softmax(input, self.dim)
