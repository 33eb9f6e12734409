"""Activations: tanh, sigmoid, ReLU and its variants. Smooth ones, like GELU, are in smooth_activation.py."""

import numpy as np

from ..engine import Op, apply
from .axes import must_be_floating, must_be_tensor
from .division import div
from .elementwise import abs, floating

# SELU's constants, with which layers keep mean 0 and variance 1. Source: Klambauer et al. 2017, appendix A2, eq. 14.
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946

LARGEST_EXPONENT = {2: 11.0, 4: 88.0, 8: 709.0}  # of e, for floating point numbers of so many bytes


class Tanh(Op):
    """y = tanh(x).  dx = dy * (1 - y**2): near 0 where |y| is near 1, which is what "saturated" means."""

    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, dy):
        return (dy * (1 - self.y * self.y),)


class Sigmoid(Op):
    """y = 1 / (1 + e**-x).  dx = dy * y * (1 - y).

    The exponent is held below what would overflow; y is nearly 0 there.
    """

    def forward(self, x):
        self.y = 1 / (1 + np.exp(np.minimum(-x, LARGEST_EXPONENT[x.dtype.itemsize])))
        return self.y

    def backward(self, dy):
        return (dy * self.y * (1 - self.y),)


class ReLU(Op):
    """y = x where x > 0, else 0.  dx = 0 where x <= 0 (also at 0, as in PyTorch), else dy."""

    torch_name = "ReluBackward0"

    def forward(self, x):
        y = np.maximum(x, np.zeros_like(x))  # against an array: NumPy is twice as slow against the number 0
        if self.needs[0]:
            self.passes = y != 0  # nan passes
        return y

    def backward(self, dy):
        return (dy * self.passes,)  # np.where takes ten times as long; they differ only for a dy that is not finite


class LeakyReLU(Op):
    """y = x where x > 0, else slope * x.  dx = dy where x > 0, else slope * dy. Source: Maas et al. 2013, section 2."""

    torch_name = "LeakyReluBackward0"

    def __init__(self, slope):
        self.slope = slope

    def forward(self, x):
        self.positive = x > 0
        return np.where(self.positive, x, x * self.slope)

    def backward(self, dy):
        return (np.where(self.positive, dy, dy * self.slope),)


class ELU(Op):
    """y = scale * x where x > 0, else scale * alpha * (e**(rate * x) - 1).

    dx = dy * scale where x > 0, else dy * rate * (y + scale * alpha).  Source: Clevert et al. 2016, section 3.

    Parameters
    ----------
    alpha : float
        Minus what y tends to for large negative x, over `scale`.
    scale : float
        1 but for SELU.
    rate : float
        1 but for CELU, where it is 1 / alpha.
    """

    torch_name = "EluBackward0"

    def __init__(self, alpha, scale=1.0, rate=1.0):
        self.alpha, self.scale, self.rate = alpha, scale, rate

    def forward(self, x):
        self.bent = x <= 0
        self.y = np.where(self.bent, np.expm1(np.minimum(x, 0) * self.rate) * (self.alpha * self.scale), x * self.scale)
        return self.y

    def backward(self, dy):
        return (dy * np.where(self.bent, (self.y + self.alpha * self.scale) * self.rate, self.scale),)


class CELU(ELU):
    """ELU of rate 1 / alpha, whose slope at 0 is 1 for every alpha. Source: Barron 2017, eq. 2."""

    torch_name = "CeluBackward0"

    def __init__(self, alpha):
        super().__init__(alpha, rate=1 / alpha)


class Hardtanh(Op):
    """y = x held between low and high.  dx = dy strictly between them, else 0: at the bounds unlike clamp."""

    def __init__(self, low, high):
        self.low, self.high = low, high

    def forward(self, x):
        if self.needs[0]:
            self.passes = ~((x <= self.low) | (x >= self.high))
        return np.clip(x, self.low, self.high)

    def backward(self, dy):
        return (dy * self.passes,)


def tanh(input):
    """The hyperbolic tangent of every element."""
    return apply(Tanh(), floating("tanh", input))


def sigmoid(input):
    """1 / (1 + exp(-input)) for every element."""
    return apply(Sigmoid(), floating("sigmoid", input))


def relu(input):
    """max(input, 0) for every element. RuntimeError for bools."""
    must_be_tensor("relu", input)
    if input.array.dtype.kind == "b":
        raise RuntimeError("relu: Boolean inputs not supported, wanted numbers; use .float()")
    return apply(ReLU(), input)


def leaky_relu(input, negative_slope=0.01):
    """`input` where it is positive, else negative_slope * input.

    Raises
    ------
    NotImplementedError
        If the input is not of floating point dtype; so do all activations below, where nothing else is said.
    """
    must_be_floating("leaky_relu", input)
    return apply(LeakyReLU(_number("leaky_relu", "negative_slope", negative_slope)), input)


def elu(input, alpha=1.0):
    """`input` where it is positive, else alpha * (exp(input) - 1)."""
    must_be_floating("elu", input)
    return apply(ELU(_number("elu", "alpha", alpha)), input)


def selu(input):
    """elu with the alpha and the scale that keep mean 0 and variance 1 from layer to layer."""
    must_be_floating("selu", input)
    return apply(ELU(SELU_ALPHA, SELU_SCALE), input)


def celu(input, alpha=1.0):
    """`input` where it is positive, else alpha * (exp(input / alpha) - 1).

    Raises
    ------
    RuntimeError
        If alpha is 0.
    """
    must_be_floating("celu", input)
    if _number("celu", "alpha", alpha) == 0:
        raise RuntimeError("celu: alpha cannot be 0: the formula divides by it")
    return apply(CELU(alpha), input)


def hardtanh(input, min_val=-1.0, max_val=1.0):
    """`input` held between `min_val` and `max_val`; integers stay integers.

    Raises
    ------
    RuntimeError
        If the input is of bools, or of unsigned integers and a bound is negative.
    ValueError
        If min_val is larger than max_val.
    """
    must_be_tensor("hardtanh", input)
    if input.array.dtype.kind == "b":
        raise RuntimeError("hardtanh: Bool inputs not supported, wanted numbers; use .float()")
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val cannot be greater than max_val, got {min_val} and {max_val}")
    if input.array.dtype.kind == "u" and min(min_val, max_val) < 0:
        raise RuntimeError(f"hardtanh: cannot be done on unsigned integers with negative limits, got {min_val}")
    if input.array.dtype.kind != "f":
        min_val, max_val = int(min_val), int(max_val)
    return apply(Hardtanh(min_val, max_val), input)


def relu6(input):
    """`input` held between 0 and 6. Source: Krizhevsky 2010, convolutional deep belief networks on CIFAR-10."""
    must_be_tensor("relu6", input)
    return hardtanh(input, 0.0, 6.0)


def softsign(input):
    """input / (1 + |input|): like tanh, but slower on its way to the bounds."""
    must_be_tensor("softsign", input)
    return div(input, 1 + abs(input))


def tanhshrink(input):
    """input - tanh(input): nearly 0 around 0."""
    must_be_tensor("tanhshrink", input)
    return input - tanh(input)


def _number(name, what, value):
    """`value`, if it is a number; else PyTorch's TypeError."""
    if not isinstance(value, int | float | np.number):
        raise TypeError(f"{name}: argument {what} must be a number, got {type(value).__name__}")
    return value
