"""Functions of one element: exp, log, sqrt, sin, cos, abs, clamp. The activations are in activation.py."""

import numpy as np

from .. import dtypes
from ..engine import Op, apply
from .axes import must_be_tensor
from .cast import cast


class Exp(Op):
    """y = e**x.  dx = dy * y."""

    def forward(self, x):
        self.y = np.exp(x)
        return self.y

    def backward(self, dy):
        return (dy * self.y,)


class Log(Op):
    """y = the natural logarithm of x.  dx = dy / x."""

    def forward(self, x):
        self.x = x
        return np.log(x)

    def backward(self, dy):
        return (dy / self.x,)


class ScaledLog(Op):
    """y = log(x) / log(base).  dx = dy / (x * log(base))."""

    def __init__(self, base, function):
        self.log_base = float(np.log(base))
        self.function = function

    def forward(self, x):
        self.x = x
        return self.function(x)

    def backward(self, dy):
        return (dy / (self.x * self.log_base),)


class Sqrt(Op):
    """y = the square root of x.  dx = dy / (2 y)."""

    def forward(self, x):
        self.y = np.sqrt(x)
        return self.y

    def backward(self, dy):
        return (dy / (2 * self.y),)


class Rsqrt(Op):
    """y = 1 / sqrt(x).  dx = -dy * y**3 / 2."""

    def forward(self, x):
        self.y = 1 / np.sqrt(x)
        return self.y

    def backward(self, dy):
        return (dy * (self.y * self.y * self.y) * -0.5,)


class Sin(Op):
    """y = sin(x).  dx = dy * cos(x)."""

    def forward(self, x):
        self.x = x
        return np.sin(x)

    def backward(self, dy):
        return (dy * np.cos(self.x),)


class Cos(Op):
    """y = cos(x).  dx = -dy * sin(x)."""

    def forward(self, x):
        self.x = x
        return np.cos(x)

    def backward(self, dy):
        return (-dy * np.sin(self.x),)


class Abs(Op):
    """y = |x|.  dx = dy * sign(x), which is 0 at 0."""

    def forward(self, x):
        self.sign = np.sign(x)
        return np.abs(x)

    def backward(self, dy):
        return (dy * self.sign,)


class Clamp(Op):
    """y = x held between low and high.  dx = dy where x lies in between, bounds included, else 0."""

    def __init__(self, low, high):
        self.low, self.high = low, high

    def forward(self, x):
        low = -np.inf if self.low is None else self.low
        high = np.inf if self.high is None else self.high
        self.inside = (x >= low) & (x <= high)
        return np.clip(x, self.low, self.high)

    def backward(self, dy):
        return (dy * self.inside,)


def floating(name, x):
    """`x`, in the default floating point dtype if it holds integers or bools, as PyTorch's functions take it."""
    must_be_tensor(name, x)
    return x if x.array.dtype.kind == "f" else cast(x, dtypes.get_default_dtype())


def exp(input):
    """e to the power of every element."""
    return apply(Exp(), floating("exp", input))


def log(input):
    """The natural logarithm of every element: -inf at 0, nan below."""
    return apply(Log(), floating("log", input))


def log10(input):
    """The logarithm to base 10 of every element: -inf at 0, nan below."""
    return apply(ScaledLog(10, np.log10), floating("log10", input))


def log2(input):
    """The logarithm to base 2 of every element: -inf at 0, nan below."""
    return apply(ScaledLog(2, np.log2), floating("log2", input))


def sqrt(input):
    """The square root of every element: nan below 0."""
    return apply(Sqrt(), floating("sqrt", input))


def rsqrt(input):
    """1 / sqrt of every element."""
    return apply(Rsqrt(), floating("rsqrt", input))


def sin(input):
    """The sine of every element, an angle in radians."""
    return apply(Sin(), floating("sin", input))


def cos(input):
    """The cosine of every element, an angle in radians."""
    return apply(Cos(), floating("cos", input))


def abs(input):
    """The absolute value of every element.

    Raises
    ------
    NotImplementedError
        If `input` is bool.
    """
    if input.array.dtype.kind == "b":
        raise NotImplementedError("abs: not implemented for bools; convert with .long() first")
    return apply(Abs(), input)


def square(input):
    """Every element times itself."""
    return input * input


def clamp(input, min=None, max=None):
    """Every element held between `min` and `max`; either may be left out.

    Raises
    ------
    RuntimeError
        If both bounds are left out.
    """
    if min is None and max is None:
        raise RuntimeError("clamp: at least one of min and max must be given")
    target = dtypes.result_type(input.array, *(bound for bound in (min, max) if bound is not None))
    return apply(Clamp(min, max), cast(input, target))


def sign(input):
    """-1, 0 or 1 for every element; carries no gradient."""
    return input.like(np.sign(input.array))


def isnan(input):
    """True where an element is nan."""
    return input.like(np.isnan(input.array))


def isinf(input):
    """True where an element is infinite."""
    return input.like(np.isinf(input.array))


def isfinite(input):
    """True where an element is neither infinite nor nan."""
    return input.like(np.isfinite(input.array))
