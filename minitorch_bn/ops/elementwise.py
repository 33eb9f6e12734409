"""Functions of one element: powers, logarithms, roots. Beside it: trigonometry.py, rounding.py, activation.py."""

import math

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


class Log2(Op):
    """y = the logarithm of x to base 2.  dx = dy / (x * log(2))."""

    def forward(self, x):
        self.x = x
        return np.log2(x)

    def backward(self, dy):
        return (dy / (self.x * math.log(2)),)


class Log10(Op):
    """y = the logarithm of x to base 10.  dx = dy / (x * log(10))."""

    def forward(self, x):
        self.x = x
        return np.log10(x)

    def backward(self, dy):
        return (dy / (self.x * math.log(10)),)


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


class Reciprocal(Op):
    """y = 1 / x.  dx = -dy * y**2."""

    def forward(self, x):
        self.y = np.reciprocal(x)
        return self.y

    def backward(self, dy):
        return (-dy * self.y * self.y,)


class Exp2(Op):
    """y = 2**x.  dx = dy * y * log(2)."""

    torch_name = "Exp2Backward0"

    def forward(self, x):
        self.y = np.exp2(x)
        return self.y

    def backward(self, dy):
        return (dy * self.y * math.log(2),)


class Expm1(Op):
    """y = e**x - 1, exact also where x is tiny.  dx = dy * (y + 1)."""

    def forward(self, x):
        self.y = np.expm1(x)
        return self.y

    def backward(self, dy):
        return (dy * (self.y + 1),)


class Log1p(Op):
    """y = log(1 + x), exact also where x is tiny.  dx = dy / (1 + x)."""

    torch_name = "Log1PBackward0"

    def forward(self, x):
        self.x = x
        return np.log1p(x)

    def backward(self, dy):
        return (dy / (1 + self.x),)


class Abs(Op):
    """y = |x|.  dx = dy * sign(x), which is 0 at 0 and at nan."""

    def forward(self, x):
        self.sign = np.where(x != x, 0, np.sign(x))
        return np.abs(x)

    def backward(self, dy):
        return (dy * self.sign,)


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
    return apply(Log10(), floating("log10", input))


def log2(input):
    """The logarithm to base 2 of every element: -inf at 0, nan below."""
    return apply(Log2(), floating("log2", input))


def sqrt(input):
    """The square root of every element: nan below 0."""
    return apply(Sqrt(), floating("sqrt", input))


def rsqrt(input):
    """1 / sqrt of every element."""
    return apply(Rsqrt(), floating("rsqrt", input))


def reciprocal(input):
    """1 / input, element by element: infinite at 0."""
    return apply(Reciprocal(), floating("reciprocal", input))


def exp2(input):
    """2 to the power of every element."""
    return apply(Exp2(), floating("exp2", input))


def expm1(input):
    """exp(input) - 1, without the rounding of that subtraction where an element is small."""
    return apply(Expm1(), floating("expm1", input))


def log1p(input):
    """log(1 + input), without the rounding of that sum where an element is small."""
    return apply(Log1p(), floating("log1p", input))


def abs(input):
    """The absolute value of every element.

    Raises
    ------
    NotImplementedError
        If `input` is bool.
    """
    must_be_tensor("abs", input)
    if input.array.dtype.kind == "b":
        raise NotImplementedError("abs: not implemented for bools; convert with .long() first")
    return apply(Abs(), input)


def isnan(input):
    """True where an element is nan."""
    must_be_tensor("isnan", input)
    return input.like(np.isnan(input.array))


def isinf(input):
    """True where an element is infinite."""
    must_be_tensor("isinf", input)
    return input.like(np.isinf(input.array))


def isfinite(input):
    """True where an element is neither infinite nor nan."""
    must_be_tensor("isfinite", input)
    return input.like(np.isfinite(input.array))
