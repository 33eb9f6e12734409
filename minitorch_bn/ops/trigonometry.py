"""Sines, their relatives and their inverses; all angles in radians."""

import numpy as np

from ..engine import Op, apply
from .axes import must_be_tensor
from .elementwise import floating
from .promotion import promoted, shape_of, unbroadcast


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


class Tan(Op):
    """y = tan(x).  dx = dy * (1 + y**2)."""

    def forward(self, x):
        self.y = np.tan(x)
        return self.y

    def backward(self, dy):
        return (dy * (1 + self.y * self.y),)


class Asin(Op):
    """y = the angle whose sine is x.  dx = dy / sqrt(1 - x**2)."""

    def forward(self, x):
        self.x = x
        return np.arcsin(x)

    def backward(self, dy):
        return (dy / np.sqrt(1 - self.x * self.x),)


class Acos(Op):
    """y = the angle whose cosine is x.  dx = -dy / sqrt(1 - x**2)."""

    def forward(self, x):
        self.x = x
        return np.arccos(x)

    def backward(self, dy):
        return (-dy / np.sqrt(1 - self.x * self.x),)


class Atan(Op):
    """y = the angle whose tangent is x.  dx = dy / (1 + x**2)."""

    def forward(self, x):
        self.x = x
        return np.arctan(x)

    def backward(self, dy):
        return (dy / (1 + self.x * self.x),)


class Sinh(Op):
    """y = (e**x - e**-x) / 2.  dx = dy * cosh(x)."""

    def forward(self, x):
        self.x = x
        return np.sinh(x)

    def backward(self, dy):
        return (dy * np.cosh(self.x),)


class Cosh(Op):
    """y = (e**x + e**-x) / 2.  dx = dy * sinh(x)."""

    def forward(self, x):
        self.x = x
        return np.cosh(x)

    def backward(self, dy):
        return (dy * np.sinh(self.x),)


class Atan2(Op):
    """z = the angle of the point (x, y) from the x axis.  dy = dz * x / r2, dx = -dz * y / r2, r2 = x**2 + y**2.

    At the origin, which has no angle, both are 0, as in PyTorch.
    """

    torch_name = "Atan2Backward0"

    def forward(self, y, x):
        self.y, self.x = y, x
        return np.arctan2(y, x)

    def backward(self, dz):
        r2 = self.x * self.x + self.y * self.y
        scaled = dz / np.where(r2 == 0, 1, r2).astype(dz.dtype, copy=False)
        dy = unbroadcast(scaled * self.x, shape_of(self.y)) if self.needs[0] else None
        dx = unbroadcast(-scaled * self.y, shape_of(self.x)) if self.needs[1] else None
        return dy, dx


def sin(input):
    """The sine of every element, an angle in radians."""
    return apply(Sin(), floating("sin", input))


def cos(input):
    """The cosine of every element, an angle in radians."""
    return apply(Cos(), floating("cos", input))


def tan(input):
    """The tangent of every element, an angle in radians."""
    return apply(Tan(), floating("tan", input))


def asin(input):
    """The angle whose sine an element is, from -pi/2 to pi/2; nan beyond 1."""
    return apply(Asin(), floating("asin", input))


def acos(input):
    """The angle whose cosine an element is, from 0 to pi; nan beyond 1."""
    return apply(Acos(), floating("acos", input))


def atan(input):
    """The angle whose tangent an element is, from -pi/2 to pi/2."""
    return apply(Atan(), floating("atan", input))


def sinh(input):
    """The hyperbolic sine of every element."""
    return apply(Sinh(), floating("sinh", input))


def cosh(input):
    """The hyperbolic cosine of every element."""
    return apply(Cosh(), floating("cosh", input))


def atan2(input, other):
    """The angle of the points (other, input) from the x axis, from -pi to pi: atan(input / other) in all quadrants."""
    must_be_tensor("atan2", input, other)
    return apply(Atan2(), *promoted("atan2", input, other, floating=True))
