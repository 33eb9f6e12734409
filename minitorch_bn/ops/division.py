"""Division: with a fraction, rounded to whole numbers, and the remainder that rounding leaves."""

import numpy as np

from ..engine import Op, Variable, apply
from .arithmetic import refuse_bools
from .promotion import promoted, shape_of, unbroadcast


class Div(Op):
    """y = a / b.  da = dy / b, db = -dy * a / b**2, each summed to its operand's shape."""

    def forward(self, a, b):
        self.a_shape, self.b_shape = shape_of(a), shape_of(b)
        self.b = b
        if self.needs[1]:
            self.a = a
        return np.true_divide(a, b)

    def backward(self, dy):
        da_full = dy / self.b
        da = unbroadcast(da_full, self.a_shape) if self.needs[0] else None
        db = unbroadcast(-da_full * self.a / self.b, self.b_shape) if self.needs[1] else None
        return da, db


class ReverseDiv(Div):
    """y = a / b for a number a, which PyTorch computes as a * (1 / b) and names so."""

    torch_name = "MulBackward0"


class Remainder(Op):
    """y = a - b * q, where q is a / b rounded down.  da = dy, db = -dy * q; the jumps of q have no slope."""

    torch_name = "RemainderBackward1"

    def forward(self, a, b):
        self.a_shape, self.b_shape = shape_of(a), shape_of(b)
        if self.needs[1]:
            self.quotient = np.floor_divide(a, b)
        return np.remainder(a, b)

    def backward(self, dy):
        da = unbroadcast(dy, self.a_shape) if self.needs[0] else None
        db = unbroadcast(-dy * self.quotient, self.b_shape) if self.needs[1] else None
        return da, db


class RemainderByNumber(Remainder):
    """The same for a number b."""

    torch_name = "RemainderBackward0"


class Fmod(Remainder):
    """y = a - b * q, where q is a / b rounded towards 0: y has the sign of a.  da = dy, db = -dy * q."""

    torch_name = "FmodBackward1"

    def forward(self, a, b):
        self.a_shape, self.b_shape = shape_of(a), shape_of(b)
        if self.needs[1]:
            self.quotient = np.trunc(a / b)
        return np.fmod(a, b)


class FmodByNumber(Fmod):
    """The same for a number b."""

    torch_name = "FmodBackward0"


class WholeDiv(Op):
    """y = a / b rounded down ("floor") or towards 0 ("trunc"): flat between its jumps, so da = db = 0."""

    torch_name = "DivBackward2"

    def __init__(self, rounding_mode):
        self.rounding_mode = rounding_mode

    def forward(self, a, b):
        self.a_shape, self.b_shape = shape_of(a), shape_of(b)
        if self.rounding_mode == "floor":
            return np.floor_divide(a, b)
        if np.result_type(a, b).kind == "f":
            return np.trunc(a / b)
        quotient = np.floor_divide(a, b)  # whole numbers, without a detour through floating point
        return quotient + ((quotient < 0) & (quotient * b != a)).astype(quotient.dtype)

    def backward(self, dy):
        da = unbroadcast(dy * 0, self.a_shape) if self.needs[0] else None
        db = unbroadcast(dy * 0, self.b_shape) if self.needs[1] else None
        return da, db


class NoDerivative(Op):
    """A result that PyTorch lets nobody walk back through: backward says so.

    Parameters
    ----------
    name : str
        The function's, for the message.
    function : callable
        What it computes, of arrays.
    """

    torch_name = "NotImplemented"

    def __init__(self, name, function):
        self.name, self.function = name, function

    def forward(self, *arrays):
        return self.function(*arrays)

    def backward(self, dy):
        raise NotImplementedError(
            f"{self.name}: its derivative is not implemented (0 or undefined); use .detach() first"
        )


def div(input, other, *, rounding_mode=None):
    """input / other, element by element, with broadcasting.

    Parameters
    ----------
    input, other : Tensor or number
        Integers and bools give the default floating point dtype, unless rounded.
    rounding_mode : {"floor", "trunc"}, optional
        Round down, or towards 0; integers then stay integers.

    Raises
    ------
    RuntimeError
        If `rounding_mode` is another text, or whole numbers are divided by 0 with rounding.
    NotImplementedError
        If both are bools and the result is rounded.
    """
    if rounding_mode is None:
        return apply(Div(), *promoted("div", input, other, floating=True))
    if rounding_mode not in ("floor", "trunc"):
        raise RuntimeError(f"div: rounding_mode got {rounding_mode!r}, wanted None, 'floor' or 'trunc'")
    return apply(WholeDiv(rounding_mode), *_whole_operands("div", input, other))


def rdiv(input, other):
    """other / input: what Python calls for ``number / tensor``."""
    return apply(ReverseDiv(), *promoted("div", other, input, floating=True))


def _whole_operands(name, input, other):
    """The operands of a division whose quotient is whole.

    Raises
    ------
    RuntimeError
        If integers are divided by 0.
    NotImplementedError
        If both are bools.
    """
    a, b = promoted(name, input, other)
    refuse_bools(name, a, b)
    divisor = b.array if isinstance(b, Variable) else b
    whole = all(x.array.dtype.kind != "f" for x in (a, b) if isinstance(x, Variable))
    if whole and np.any(divisor == 0) and 0 not in shape_of(a.array if isinstance(a, Variable) else a):
        raise RuntimeError(f"{name}: ZeroDivisionError: integers divided by 0; convert with .float() to get inf or nan")
    return a, b


def floor_divide(input, other):
    """The largest integer not above input / other. As in PyTorch, no gradient flows through it: backward raises."""
    return apply(NoDerivative("floor_divide", np.floor_divide), *_whole_operands("floor_divide", input, other))


def remainder(input, other):
    """input - other * floor(input / other): the sign is that of `other`, as in Python."""
    operands = _whole_operands("remainder", input, other)
    return apply(Remainder() if isinstance(other, Variable) else RemainderByNumber(), *operands)


def fmod(input, other):
    """input - other * trunc(input / other): the sign is that of `input`, as in C."""
    operands = _whole_operands("fmod", input, other)
    return apply(Fmod() if isinstance(other, Variable) else FmodByNumber(), *operands)
