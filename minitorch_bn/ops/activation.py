"""Activations: tanh, sigmoid, ReLU."""

import numpy as np

from ..engine import Op, apply
from .elementwise import floating


class Tanh(Op):
    """y = tanh(x).  dx = dy * (1 - y**2): near 0 where |y| is near 1, which is what "saturated" means."""

    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, dy):
        return (dy * (1 - self.y * self.y),)


class Sigmoid(Op):
    """y = 1 / (1 + e**-x), computed as (1 + tanh(x/2)) / 2, which cannot overflow.  dx = dy * y * (1 - y)."""

    def forward(self, x):
        self.y = 0.5 * np.tanh(0.5 * x) + 0.5
        return self.y

    def backward(self, dy):
        return (dy * self.y * (1 - self.y),)


class ReLU(Op):
    """y = x where x > 0, else 0.  dx = dy where x > 0, else 0 (also at 0, as in PyTorch)."""

    torch_name = "ReluBackward0"

    def forward(self, x):
        self.positive = x > 0
        return np.maximum(x, np.zeros_like(x))  # against an array: NumPy is twice as slow against the number 0

    def backward(self, dy):
        return (dy * self.positive,)


def tanh(input):
    """The hyperbolic tangent of every element."""
    return apply(Tanh(), floating("tanh", input))


def sigmoid(input):
    """1 / (1 + exp(-input)) for every element."""
    return apply(Sigmoid(), floating("sigmoid", input))


def relu(input, inplace=False):
    """max(input, 0) for every element. `inplace` is taken for PyTorch's sake and changes nothing but memory there."""
    return apply(ReLU(), input)
