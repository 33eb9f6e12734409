"""Bounds: every element held between two numbers, or between two tensors."""

import numpy as np

from .. import dtypes
from ..engine import Op, Variable, apply
from .axes import must_be_tensor
from .cast import cast
from .promotion import check_broadcast, shape_of, unbroadcast


class Clamp(Op):
    """y = min(max(x, low), high).  Whichever of the three y is gets dy; x where it touches a bound.

    Shapes: x, low and high broadcast to y's; a bound may be a number or None.
    """

    torch_name = "ClampBackward1"

    def forward(self, x, low, high):
        self.shapes = shape_of(x), shape_of(low), shape_of(high)
        below = x < low if low is not None else False
        above = x > high if high is not None else False
        if self.needs[0]:
            self.inside = (x == x) & ~(below | above)
        if self.needs[1]:
            self.at_low = below if high is None else below & (low < high)
        if self.needs[2]:
            self.at_high = above if low is None else above | (high < low)
        y = x if low is None else np.maximum(x, low)
        return y if high is None else np.minimum(y, high)

    def backward(self, dy):
        dx = unbroadcast(dy * self.inside, self.shapes[0]) if self.needs[0] else None
        dlow = unbroadcast(dy * self.at_low, self.shapes[1]) if self.needs[1] else None
        dhigh = unbroadcast(dy * self.at_high, self.shapes[2]) if self.needs[2] else None
        return dx, dlow, dhigh


class ClampToTensors(Clamp):
    """The same with tensors as bounds."""

    torch_name = "ClampBackward0"


class ClampMin(Clamp):
    """The same with a lower bound only."""

    torch_name = "ClampMinBackward0"


class ClampMax(Clamp):
    """The same with an upper bound only."""

    torch_name = "ClampMaxBackward0"


def clamp(input, min=None, max=None):
    """Every element held between `min` and `max`; either may be left out. Where min > max, the result is max.

    Parameters
    ----------
    input : Tensor
    min, max : number, Tensor or None
        Both numbers or both tensors; tensors broadcast, and receive the gradient where they are the result.

    Raises
    ------
    RuntimeError
        If both bounds are left out, a number does not fit into the dtype, or the shapes do not broadcast.
    TypeError
        If one bound is a number and the other a tensor.
    NotImplementedError
        For bools with numbers as bounds.
    """
    if min is None and max is None:
        raise RuntimeError("clamp: at least one of min and max must be given")
    op = ClampToTensors() if isinstance(min, Variable) or isinstance(max, Variable) else Clamp()
    return _clamped("clamp", op, input, min, max)


def clamp_min(input, min):
    """Every element, or `min` (a number or tensor) where it is smaller."""
    return _clamped("clamp_min", ClampMin(), input, min, None)


def clamp_max(input, max):
    """Every element, or `max` (a number or tensor) where it is larger."""
    return _clamped("clamp_max", ClampMax(), input, None, max)


def _clamped(name, op, input, low, high):
    """`op` applied to operands of one dtype."""
    must_be_tensor(name, input)
    bounds = [bound for bound in (low, high) if bound is not None]
    if len({isinstance(bound, Variable) for bound in bounds}) > 1:
        raise TypeError(f"{name}: got a number and a tensor as bounds, wanted two of a kind")
    for bound in bounds:
        if not isinstance(bound, Variable | int | float):
            raise TypeError(f"{name}: got a {type(bound).__name__} as bound, wanted a number or a tensor")
        if isinstance(bound, Variable):
            check_broadcast(name, input.array.shape, bound.array.shape)
    target = dtypes.result_type(input.array, *(getattr(bound, "array", bound) for bound in bounds))
    if target is dtypes.bool and ((name == "clamp" and len(bounds) == 2) or not isinstance(bounds[0], Variable)):
        raise NotImplementedError(f"{name}: not implemented for bools; use & or |")
    x, low, high = (
        cast(v, target) if isinstance(v, Variable) else v if v is None else dtypes.element(name, v, target)
        for v in (input, low, high)
    )
    return apply(op, x, low, high)
