"""Smooth activations: SiLU, GELU, softplus, Mish. Each is differentiable everywhere.

Their slope comes from the numbers that the forward has at hand, so it is computed there and saved: backward multiplies.
"""

import math

import numpy as np

from ..engine import Op, apply
from .activation import tanh
from .axes import must_be_floating
from .erf import error_function

CUBIC = 0.044715  # of x**3 in the tanh form of GELU
ROOT = math.sqrt(2 / math.pi)


class Smooth(Op):
    """y = f(x), where forward leaves f'(x) in `slope`.  dx = dy * slope."""

    def backward(self, dy):
        return (dy * self.slope,)


class SiLU(Smooth):
    """y = x * s, s = 1 / (1 + e**-x).  Slope: s * (1 + x * (1 - s)). Source: Elfwing et al. 2018, eq. 2 and 3."""

    torch_name = "SiluBackward0"

    def forward(self, x):
        e = np.exp(-np.abs(x))
        s = np.where(x < 0, e, 1) / (1 + e)
        if self.needs[0]:
            self.slope = s * (1 + x * (1 - s))
        return x * s


class GELU(Smooth):
    """y = x * P, P = (1 + erf(x / sqrt(2))) / 2: x times the probability that a standard normal number is below x.

    Slope: P + x * p, p = exp(-x**2 / 2) / sqrt(2 pi) the normal density. Source: Hendrycks & Gimpel 2016, section 2.
    """

    torch_name = "GeluBackward0"

    def forward(self, x):
        probability = 0.5 * (1 + error_function(x * math.sqrt(0.5)))
        if self.needs[0]:
            density = np.exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi))
            self.slope = probability + x * density
        return x * probability


class TanhGELU(Smooth):
    """y = x * (1 + t) / 2, t = tanh(sqrt(2 / pi) * (x + 0.044715 x**3)): GELU without erf, within 0.0005.

    Slope: (1 + t) / 2 + x * (1 - t**2) / 2 * the slope of what stands in the tanh. Source: Hendrycks & Gimpel 2016,
    section 2.
    """

    torch_name = "GeluBackward0"

    def forward(self, x):
        square = x * x
        t = np.tanh(ROOT * (x + CUBIC * square * x))
        if self.needs[0]:
            inner_slope = ROOT * (1 + 3 * CUBIC * square)
            self.slope = 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner_slope
        return 0.5 * x * (1 + t)


class Softplus(Smooth):
    """y = log(1 + e**(beta x)) / beta, and x itself where beta x > threshold.  Slope: 1 / (1 + e**(-beta x)), and 1.

    Computed as (max(z, 0) + log(1 + e**-|z|)) / beta with z = beta x, which cannot overflow.
    Source: Dugas et al. 2000, eq. 1.
    """

    def __init__(self, beta, threshold):
        self.beta, self.threshold = beta, threshold

    def forward(self, x):
        z = x * self.beta
        linear = z > self.threshold
        e = np.exp(-np.abs(z))
        if self.needs[0]:
            self.slope = np.where(linear, 1, np.where(z < 0, e, 1) / (1 + e))
        return np.where(linear, x, (np.maximum(z, 0) + np.log1p(e)) / self.beta)


class LogSigmoid(Smooth):
    """y = log(1 / (1 + e**-x)) = min(x, 0) - log(1 + e**-|x|), which cannot overflow.  Slope: 1 / (1 + e**x)."""

    def forward(self, x):
        e = np.exp(-np.abs(x))
        if self.needs[0]:
            self.slope = np.where(x < 0, 1, e) / (1 + e)
        return np.minimum(x, 0) - np.log1p(e)


def silu(input):
    """input * sigmoid(input), also called swish."""
    must_be_floating("silu", input)
    return apply(SiLU(), input)


def gelu(input, *, approximate="none"):
    """input times the probability that a standard normal number is below input.

    Parameters
    ----------
    input : Tensor, floating point
    approximate : {"none", "tanh"}
        With erf, or with a tanh that comes close.

    Raises
    ------
    RuntimeError
        If `approximate` is another word.
    NotImplementedError
        If the input is not of floating point dtype.
    """
    must_be_floating("gelu", input)
    if approximate not in ("none", "tanh"):
        raise RuntimeError(f"gelu: approximate argument must be either none or tanh, got {approximate!r}")
    return apply(GELU() if approximate == "none" else TanhGELU(), input)


def softplus(input, beta=1.0, threshold=20.0):
    """log(1 + exp(beta * input)) / beta: a smooth ReLU; the input itself where beta * input is above `threshold`."""
    must_be_floating("softplus", input)
    return apply(Softplus(beta, threshold), input)


def logsigmoid(input):
    """log(sigmoid(input)), without the overflow of taking them one after the other."""
    must_be_floating("logsigmoid", input)
    return apply(LogSigmoid(), input)


def mish(input):
    """input * tanh(softplus(input)). Source: Misra 2019, eq. 1."""
    must_be_floating("mish", input)
    return input * tanh(apply(Softplus(1.0, 20.0), input))
