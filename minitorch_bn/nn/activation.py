"""Activation layers: ops/activation.py, ops/smooth_activation.py and ops/softmax.py as modules.

Where PyTorch has `inplace`, the result takes the place of the input: see in_place.py.
"""

import warnings

from .. import ops
from . import implicit_dim, in_place
from .module import Module


class Tanh(Module):
    """The hyperbolic tangent of every element."""

    def forward(self, input):
        return ops.tanh(input)


class Sigmoid(Module):
    """1 / (1 + exp(-x)) for every element."""

    def forward(self, input):
        return ops.sigmoid(input)


class LogSigmoid(Module):
    """log(sigmoid(x)) for every element."""

    def forward(self, input):
        return ops.logsigmoid(input)


class Softsign(Module):
    """x / (1 + |x|) for every element."""

    def forward(self, input):
        return ops.softsign(input)


class Tanhshrink(Module):
    """x - tanh(x) for every element."""

    def forward(self, input):
        return ops.tanhshrink(input)


class _MayWrite(Module):
    """A layer whose only argument is `inplace`."""

    def __init__(self, inplace=False):
        super().__init__()
        self.inplace = inplace

    def extra_repr(self):
        return "inplace=True" if self.inplace else ""


class ReLU(_MayWrite):
    """max(x, 0) for every element."""

    def forward(self, input):
        return in_place.relu(input, self.inplace)


class SELU(_MayWrite):
    """ELU with the alpha and the scale that keep mean 0 and variance 1 from layer to layer."""

    def forward(self, input):
        return in_place.selu(input, self.inplace)


class SiLU(_MayWrite):
    """x * sigmoid(x) for every element."""

    def forward(self, input):
        return in_place.silu(input, self.inplace)


class Mish(_MayWrite):
    """x * tanh(softplus(x)) for every element."""

    def forward(self, input):
        return in_place.mish(input, self.inplace)


class LeakyReLU(Module):
    """x where it is positive, else negative_slope * x."""

    def __init__(self, negative_slope=0.01, inplace=False):
        super().__init__()
        self.negative_slope, self.inplace = negative_slope, inplace

    def forward(self, input):
        return in_place.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self):
        return f"negative_slope={self.negative_slope}{', inplace=True' if self.inplace else ''}"


class ELU(Module):
    """x where it is positive, else alpha * (exp(x) - 1)."""

    def __init__(self, alpha=1.0, inplace=False):
        super().__init__()
        self.alpha, self.inplace = alpha, inplace

    def forward(self, input):
        return in_place.elu(input, self.alpha, self.inplace)

    def extra_repr(self):
        return f"alpha={self.alpha}{', inplace=True' if self.inplace else ''}"


class CELU(Module):
    """x where it is positive, else alpha * (exp(x / alpha) - 1)."""

    def __init__(self, alpha=1.0, inplace=False):
        super().__init__()
        self.alpha, self.inplace = alpha, inplace

    def forward(self, input):
        return in_place.celu(input, self.alpha, self.inplace)

    def extra_repr(self):
        return f"alpha={self.alpha}{', inplace=True' if self.inplace else ''}"


class Hardtanh(Module):
    """x held between min_val and max_val.

    Parameters
    ----------
    min_val, max_val : float
    inplace : bool
    min_value, max_value : float, optional
        Old names of the bounds, with a FutureWarning.

    Raises
    ------
    AssertionError
        If max_val is not larger than min_val.
    """

    def __init__(self, min_val=-1.0, max_val=1.0, inplace=False, min_value=None, max_value=None):
        super().__init__()
        for old, value in (("min_value", min_value), ("max_value", max_value)):
            if value is not None:
                warnings.warn(f"Hardtanh: {old} is deprecated: use {old[:-2]}", FutureWarning, stacklevel=2)
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        self.inplace = inplace
        if not self.max_val > self.min_val:
            raise AssertionError(f"Hardtanh: max_val ({self.max_val}) must be greater than min_val ({self.min_val})")

    def forward(self, input):
        return in_place.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self):
        return f"min_val={self.min_val}, max_val={self.max_val}{', inplace=True' if self.inplace else ''}"


class ReLU6(Hardtanh):
    """x held between 0 and 6."""

    def __init__(self, inplace=False):
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self):
        return "inplace=True" if self.inplace else ""


class GELU(Module):
    """x times the probability that a standard normal number is below x; `approximate` is "none" or "tanh"."""

    def __init__(self, approximate="none"):
        super().__init__()
        self.approximate = approximate

    def forward(self, input):
        return ops.gelu(input, approximate=self.approximate)

    def extra_repr(self):
        return f"approximate={self.approximate!r}"


class Softplus(Module):
    """log(1 + exp(beta x)) / beta; x itself where beta x is above `threshold`."""

    def __init__(self, beta=1.0, threshold=20.0):
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input):
        return ops.softplus(input, self.beta, self.threshold)

    def extra_repr(self):
        return f"beta={self.beta}, threshold={self.threshold}"


class _AlongDim(Module):
    """A layer whose only argument is `dim`; without one it is guessed, with a warning."""

    def __init__(self, dim=None):
        super().__init__()
        self.dim = dim

    def extra_repr(self):
        return f"dim={self.dim}"


class Softmax(_AlongDim):
    """Positive numbers that sum to 1 along `dim`."""

    def forward(self, input):
        return implicit_dim.softmax(input, self.dim, 5)


class LogSoftmax(_AlongDim):
    """The logarithm of softmax along `dim`."""

    def forward(self, input):
        return implicit_dim.log_softmax(input, self.dim, 5)


class Softmin(_AlongDim):
    """softmax of -x along `dim`."""

    def forward(self, input):
        return implicit_dim.softmin(input, self.dim, 5)


class Softmax2d(Module):
    """softmax over the channels of images (N, C, H, W) or (C, H, W). ValueError for other ranks."""

    def forward(self, input):
        if input.dim() not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.dim()}D instead")
        return ops.softmax(input, -3)
