"""Arithmetic with broadcasting: add, subtract, multiply, power, negate, and choice of the larger or smaller.

Where an operand was stretched to the result's shape, its gradient is summed over the stretched axes (`unbroadcast`): a
number that was used n times receives n terms of the chain rule.
"""

import numpy as np

from .. import backend, dtypes
from ..engine import Op, Variable, apply
from .axes import must_be_tensor
from .cast import cast
from .promotion import check_broadcast, must_hold_a_tensor, promoted, shape_of, unbroadcast


class Add(Op):
    """y = a + b.  da = dy, db = dy, each summed to its operand's shape."""

    def forward(self, a, b):
        self.a_shape, self.b_shape = shape_of(a), shape_of(b)
        return a + b

    def backward(self, dy):
        da = unbroadcast(dy, self.a_shape) if self.needs[0] else None
        db = unbroadcast(dy, self.b_shape) if self.needs[1] else None
        return da, db


class Sub(Op):
    """y = a - b.  da = dy, db = -dy, each summed to its operand's shape."""

    def forward(self, a, b):
        self.a_shape, self.b_shape = shape_of(a), shape_of(b)
        return a - b

    def backward(self, dy):
        da = unbroadcast(dy, self.a_shape) if self.needs[0] else None
        db = unbroadcast(-dy, self.b_shape) if self.needs[1] else None
        return da, db


class ReverseSub(Sub):
    """y = a - b, written as rsub(b, a); what Python calls for ``number - tensor``."""

    torch_name = "RsubBackward1"


class Mul(Op):
    """y = a * b.  da = dy * b, db = dy * a, each summed to its operand's shape."""

    def forward(self, a, b):
        self.a_shape, self.b_shape = shape_of(a), shape_of(b)
        if self.needs[0]:
            self.b = b
        if self.needs[1]:
            self.a = a
        return a * b

    def backward(self, dy):
        da = unbroadcast(dy * self.b, self.a_shape) if self.needs[0] else None
        db = unbroadcast(dy * self.a, self.b_shape) if self.needs[1] else None
        return da, db


class Pow(Op):
    """y = a ** b.  da = dy * b * a**(b-1), and 0 where b is 0;  db = dy * y * log(a), and 0 where a is 0 and b >= 0."""

    def forward(self, a, b):
        self.a, self.b = a, b
        y = np.power(a, b)
        if self.needs[1]:
            self.y = y
        return y

    def backward(self, dy):
        a, b = self.a, self.b
        da = db = None
        if self.needs[0]:
            slope = dy * (b * np.power(a, b - 1)) if shape_of(b) or b != 0 else np.zeros_like(dy)
            da = unbroadcast(np.where(b == 0, 0, slope) if shape_of(b) else slope, shape_of(a))
        if self.needs[1]:
            flat = (a == 0) & (b >= 0)
            log_a = np.log(np.where(flat, 1, a))
            slope = np.where(flat, 0, self.y * log_a).astype(dy.dtype, copy=False)  # if a is a number, it is float64
            db = unbroadcast(dy * slope, shape_of(b))
        return da, db


class PowOfTensors(Pow):
    """y = a ** b for two tensors."""

    torch_name = "PowBackward1"


class PowOfNumber(Pow):
    """y = a ** b for a number a."""

    torch_name = "PowBackward2"


class Square(Op):
    """y = x * x.  dx = 2 dy * x."""

    torch_name = "PowBackward0"

    def forward(self, x):
        self.x = x
        return x * x

    def backward(self, dy):
        return (2 * dy * self.x,)


class Neg(Op):
    """y = -x.  dx = -dy."""

    def forward(self, x):
        return -x

    def backward(self, dy):
        return (-dy,)


class Maximum(Op):
    """y = the larger of a and b, element by element. Where they tie, each gets half of dy; beside a nan, all of it."""

    def forward(self, a, b):
        self.a_shape, self.b_shape = shape_of(a), shape_of(b)
        if self.needs[0]:
            self.a_share = _share(a < b, a == b, a.dtype)
        if self.needs[1]:
            self.b_share = _share(b < a, a == b, b.dtype)
        return np.maximum(a, b)

    def backward(self, dy):
        da = unbroadcast(dy * self.a_share, self.a_shape) if self.needs[0] else None
        db = unbroadcast(dy * self.b_share, self.b_shape) if self.needs[1] else None
        return da, db


class Minimum(Maximum):
    """y = the smaller of a and b, element by element. Where they tie, each gets half of dy; beside a nan, all of it."""

    def forward(self, a, b):
        self.a_shape, self.b_shape = shape_of(a), shape_of(b)
        if self.needs[0]:
            self.a_share = _share(a > b, a == b, a.dtype)
        if self.needs[1]:
            self.b_share = _share(b > a, a == b, b.dtype)
        return np.minimum(a, b)


def _share(loses, ties, dtype):
    """How much of dy an operand gets: nothing where it loses, half where the two tie, else all."""
    return (1 - loses - 0.5 * ties).astype(dtype)


class Where(Op):
    """y = a where condition, else b.  Each operand gets dy where it was chosen, 0 elsewhere."""

    def __init__(self, condition):
        self.condition = condition

    def forward(self, a, b):
        self.a_shape, self.b_shape = shape_of(a), shape_of(b)
        return np.where(self.condition, a, b)

    def backward(self, dy):
        da = unbroadcast(np.where(self.condition, dy, 0), self.a_shape) if self.needs[0] else None
        db = unbroadcast(np.where(self.condition, 0, dy), self.b_shape) if self.needs[1] else None
        return da, db


def add(input, other, *, alpha=1):
    """input + alpha * other, with broadcasting and PyTorch's type promotion.

    Parameters
    ----------
    input, other : Tensor or number
        Shapes must broadcast.
    alpha : number
        Factor of `other`.

    Returns
    -------
    Tensor of the broadcast shape

    Raises
    ------
    RuntimeError
        If `alpha` is a float and both operands hold integers or bools, or the shapes do not broadcast.
    """
    return apply(Add(), *promoted("add", input, _times("add", input, other, alpha)))


def sub(input, other, *, alpha=1):
    """input - alpha * other, with broadcasting and PyTorch's type promotion.

    Raises
    ------
    RuntimeError
        If one of the two is bool: use ``^`` or ``~``, or convert; or for what `add` raises it.
    """
    return apply(Sub(), *_to_subtract(input, other, alpha))


def rsub(input, other, *, alpha=1):
    """other - alpha * input: what Python calls for ``number - tensor``."""
    return apply(ReverseSub(), *_to_subtract(other, input, alpha))


def _to_subtract(input, other, alpha):
    """The operands of a subtraction, after the checks that it shares with its reverse."""
    if _is_bool(input) or _is_bool(other):
        raise RuntimeError("sub: Subtraction with a bool tensor is not supported; use ^ or ~, or .long() first")
    return promoted("sub", input, _times("sub", input, other, alpha))


def _is_bool(x):
    """Whether a tensor or number is bool."""
    return x.array.dtype.kind == "b" if isinstance(x, Variable) else x is True or x is False


def _times(name, input, other, alpha):
    """alpha * other, in the dtype that the sum of `input` and `other` has."""
    if alpha == 1 and type(alpha) is int:
        return other
    target = dtypes.result_type(*(x.array if isinstance(x, Variable) else x for x in (input, other)))
    if isinstance(alpha, bool) and target is not dtypes.bool:
        raise RuntimeError(f"{name}: got alpha={alpha} for {target}: a bool is only for bools; use 0 or 1")
    if isinstance(alpha, float) and not target.is_floating_point:
        raise RuntimeError(
            f"{name}: got alpha={alpha} for integer tensors, wanted a whole number; convert with .float()"
        )
    if not isinstance(other, Variable):
        return other * alpha
    return cast(mul(cast(other, target), alpha), target)


def mul(input, other):
    """input * other, element by element, with broadcasting and PyTorch's type promotion."""
    return apply(Mul(), *promoted("mul", input, other))


def neg(input):
    """-input.

    Raises
    ------
    RuntimeError
        If `input` is bool: its opposite is ~input.
    """
    must_be_tensor("neg", input)
    if input.array.dtype.kind == "b":
        raise RuntimeError("neg: Negation, the `-` operator, on a bool tensor is not supported; use ~ instead")
    return apply(Neg(), input)


def pos(input):
    """+input: `input` itself.

    Raises
    ------
    RuntimeError
        If `input` is bool.
    """
    if input.array.dtype.kind == "b":
        raise RuntimeError("positive: the `+` operator on a bool tensor is not supported; convert with .long() first")
    return input


def pow(input, exponent):
    """input ** exponent, element by element, with broadcasting.

    Integers stay integers; a tensor of negative integer exponents gives 1 / input rounded towards 0, as in PyTorch.

    Raises
    ------
    RuntimeError
        For an integer tensor and a negative whole number, or one that the tensor's dtype cannot hold.
    NotImplementedError
        If both are bools.
    """
    must_hold_a_tensor("pow", input, exponent)
    if not isinstance(exponent, Variable) and input.array.dtype.kind != "f" and isinstance(exponent, int):
        if exponent < 0:
            raise RuntimeError("pow: Integers to negative integer powers are not allowed; convert with .float() first")
        if input.array.dtype.kind == "b" and isinstance(exponent, bool):
            return input.like(input.array | (not exponent))  # 0 ** 0 is 1
    a, b = promoted("pow", input, exponent)
    if isinstance(exponent, int) and input.array.dtype.kind in "iu":
        dtypes.check_fits("pow", exponent, input.dtype)
    refuse_bools("pow", a, b)
    arrays = [x.array if isinstance(x, Variable) else x for x in (a, b)]
    if isinstance(exponent, Variable) and arrays[1].dtype.kind == "i":
        return exponent.like(_whole_power(*arrays))
    if isinstance(exponent, Variable):
        return apply(PowOfTensors() if isinstance(input, Variable) else PowOfNumber(), a, b)
    return apply(Pow(), a, b)


def _whole_power(a, b):
    """a ** b for integers: where b is negative, 1 / a**-b rounded towards 0, which is 0 unless a is 1 or -1."""
    inverse = np.where(abs(a) == 1, np.where(b % 2 == 0, 1, a), 0)
    return np.where(b < 0, inverse, np.power(a, np.where(b < 0, 0, b))).astype(b.dtype)


def refuse_bools(name, a, b):
    """Raise PyTorch's error if both promoted operands are bools."""
    if any(isinstance(x, Variable) and x.array.dtype.kind == "b" for x in (a, b)):
        raise NotImplementedError(f"{name}: not implemented for bools; convert with .long() first")


def rpow(input, other):
    """other ** input: what Python calls for ``number ** tensor``."""
    return pow(other, input)


def square(input):
    """Every element times itself. Bools become int64."""
    must_be_tensor("square", input)
    return apply(Square(), cast(input, dtypes.int64) if input.array.dtype.kind == "b" else input)


def maximum(input, other):
    """The larger of two tensors, element by element, with broadcasting; ties share the gradient, nan wins."""
    must_be_tensor("maximum", input, other)
    return apply(Maximum(), *promoted("maximum", input, other))


def minimum(input, other):
    """The smaller of two tensors, element by element, with broadcasting; ties share the gradient, nan wins."""
    must_be_tensor("minimum", input, other)
    return apply(Minimum(), *promoted("minimum", input, other))


def where(condition, input=None, other=None):
    """`input` where `condition` is true, else `other`, with broadcasting.

    Parameters
    ----------
    condition : Tensor of bool
    input, other : Tensor or number
        Both left out: the places where `condition` is true, one index tensor per dimension (`nonzero`).

    Raises
    ------
    TypeError
        If only one of `input` and `other` is given, or a wrong thing.
    RuntimeError
        If `condition` is not a bool tensor, or the shapes do not broadcast.
    """
    must_be_tensor("where", condition)
    if input is None and other is None:
        return tuple(condition.like(places) for places in np.nonzero(_at_least_1d(condition.array)))
    if condition.array.dtype.kind != "b" and condition.array.dtype != np.uint8:
        raise RuntimeError(f"where: expected condition to be a boolean tensor, got {condition.dtype}; compare it first")
    if not isinstance(input, Variable) and not isinstance(other, Variable) and isinstance(input, int | float):
        dtype = dtypes.result_type(input, other).numpy
        input = condition.like(backend.namespace(condition.array).full((), input, dtype))
    a, b = promoted("where", input, other)
    backend.check_devices("where", condition.array, *(x.array for x in (a, b) if isinstance(x, Variable)))
    for x in (a, b):
        check_broadcast("where", condition.array.shape, shape_of(getattr(x, "array", x)))
    return apply(Where(condition.array != 0), a, b)


def _at_least_1d(x):
    """A 0-dim array as one of one element."""
    return x if x.ndim else x.reshape(1)
