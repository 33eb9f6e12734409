"""Arithmetic with broadcasting: add, subtract, multiply, divide, power, negate, and the choice of the larger or smaller.

Where an operand was stretched to the result's shape, its gradient is summed over the stretched axes (`unbroadcast`): a
number that was used n times receives n terms of the chain rule.
"""

import numpy as np

from .. import dtypes
from ..engine import Op, Variable, apply
from .cast import cast


def unbroadcast(dy, shape):
    """`dy` summed over the axes along which `shape` was stretched to `dy`'s shape.

    >>> unbroadcast(np.ones((4, 3)), (3,))
    array([4., 4., 4.])
    """
    if dy.shape == shape:
        return dy
    extra = dy.ndim - len(shape)
    stretched = tuple(i for i in range(dy.ndim) if i < extra or (shape[i - extra] == 1 and dy.shape[i] != 1))
    return dy.sum(stretched, keepdims=True).reshape(shape)


def shape_of(x):
    """The shape of an array; () for a Python number."""
    return getattr(x, "shape", ())


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


class Div(Op):
    """y = a / b.  da = dy / b, db = -dy * y / b, each summed to its operand's shape."""

    def forward(self, a, b):
        self.a_shape, self.b_shape = shape_of(a), shape_of(b)
        self.b = b
        y = np.true_divide(a, b)
        if self.needs[1]:
            self.y = y
        return y

    def backward(self, dy):
        da_full = dy / self.b
        da = unbroadcast(da_full, self.a_shape) if self.needs[0] else None
        db = unbroadcast(-da_full * self.y, self.b_shape) if self.needs[1] else None
        return da, db


class Pow(Op):
    """y = a ** b.  da = dy * b * a**(b-1), and 0 where b is 0;  db = dy * y * log(a), and 0 where a is 0 and b >= 0."""

    torch_name = "PowBackward0"

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
            slope = dy * (b * np.power(a, b - 1)) if shape_of(b) or b != 0 else dy * 0
            da = unbroadcast(np.where(b == 0, 0, slope) if shape_of(b) else slope, shape_of(a))
        if self.needs[1]:
            flat = (a == 0) & (b >= 0)
            log_a = np.log(np.where(flat, 1, a))
            db = unbroadcast(dy * np.where(flat, 0, self.y * log_a), shape_of(b))
        return da, db


class Neg(Op):
    """y = -x.  dx = -dy."""

    def forward(self, x):
        return -x

    def backward(self, dy):
        return (-dy,)


class Maximum(Op):
    """y = the larger of a and b, element by element. Where they tie, each gets half of dy."""

    def forward(self, a, b):
        self.a_shape, self.b_shape = shape_of(a), shape_of(b)
        self.a_share = ((a > b) + 0.5 * (a == b)).astype(a.dtype)
        return np.maximum(a, b)

    def backward(self, dy):
        da = unbroadcast(dy * self.a_share, self.a_shape) if self.needs[0] else None
        db = unbroadcast(dy * (1 - self.a_share), self.b_shape) if self.needs[1] else None
        return da, db


class Minimum(Maximum):
    """y = the smaller of a and b, element by element. Where they tie, each gets half of dy."""

    def forward(self, a, b):
        self.a_shape, self.b_shape = shape_of(a), shape_of(b)
        self.a_share = ((a < b) + 0.5 * (a == b)).astype(a.dtype)
        return np.minimum(a, b)


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


def promoted(name, a, b, floating=False):
    """`a` and `b` in the dtype that PyTorch would compute in; Python numbers stay as they are where NumPy agrees.

    Raises
    ------
    TypeError
        If an operand is neither a tensor nor a number.
    RuntimeError
        If the shapes do not broadcast or the devices differ.
    """
    if isinstance(a, Variable) and isinstance(b, Variable):
        if a.array.dtype == b.array.dtype and (not floating or a.array.dtype.kind == "f"):
            if type(a.array) is not type(b.array):
                raise RuntimeError(f"{name}: expected all tensors on one device, got {a.device} and {b.device}; use .to()")
            if a.array.shape != b.array.shape:
                check_broadcast(name, a.array.shape, b.array.shape)
            return a, b
        check_broadcast(name, a.array.shape, b.array.shape)
    else:
        tensor, number = (a, b) if isinstance(a, Variable) else (b, a)
        if not isinstance(number, int | float | bool | np.generic):
            raise TypeError(f"{name}: got {type(number).__name__}, wanted a tensor or a number")
        if isinstance(number, np.generic):
            a, b = (a, number.item()) if tensor is a else (number.item(), b)
        if tensor.array.dtype.kind == "f":
            return a, b
    arrays = [x.array if isinstance(x, Variable) else x for x in (a, b)]
    target = dtypes.result_type(*arrays)
    if floating and not target.is_floating_point:
        target = dtypes.get_default_dtype()
    return tuple(cast(x, target) if isinstance(x, Variable) else x for x in (a, b))


def check_broadcast(name, a_shape, b_shape):
    """Raise PyTorch's error if the two shapes do not broadcast."""
    for i, (m, n) in enumerate(zip(a_shape[::-1], b_shape[::-1], strict=False)):
        if m != n and m != 1 and n != 1:
            dim = max(len(a_shape), len(b_shape)) - 1 - i
            raise RuntimeError(
                f"{name}: The size of tensor a ({m}) must match the size of tensor b ({n}) at non-singleton dimension "
                f"{dim}; got shapes {tuple(a_shape)} and {tuple(b_shape)}. Sizes are compared from the right and must be "
                "equal or 1."
            )


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
    """
    return apply(Add(), *promoted("add", input, other if alpha == 1 else other * alpha))


def sub(input, other, *, alpha=1):
    """input - alpha * other, with broadcasting and PyTorch's type promotion."""
    return apply(Sub(), *promoted("sub", input, other if alpha == 1 else other * alpha))


def mul(input, other):
    """input * other, element by element, with broadcasting and PyTorch's type promotion."""
    return apply(Mul(), *promoted("mul", input, other))


def div(input, other, *, rounding_mode=None):
    """input / other. Integers give floating point, as in PyTorch; rounding_mode "floor" or "trunc" keeps integers."""
    if rounding_mode is None:
        return apply(Div(), *promoted("div", input, other, floating=True))
    if rounding_mode not in ("floor", "trunc"):
        raise RuntimeError(f"div: rounding_mode got {rounding_mode!r}, wanted None, 'floor' or 'trunc'")
    a, b = promoted("div", input, other)
    a, b, source = _arrays(a, b)
    return source.like(np.floor_divide(a, b) if rounding_mode == "floor" else np.trunc(a / b).astype((a / b).dtype))


def floor_divide(input, other):
    """The largest integer not above input / other. Its gradient is 0 almost everywhere: none is recorded."""
    return div(input, other, rounding_mode="floor")


def remainder(input, other):
    """input - other * floor(input / other): the sign is that of `other`, as in Python."""
    a, b, source = _arrays(*promoted("remainder", input, other))
    return source.like(np.remainder(a, b))


def pow(input, exponent):
    """input ** exponent, element by element, with broadcasting.

    Raises
    ------
    RuntimeError
        For an integer tensor with a negative integer exponent, whose result is no integer.
    """
    a, b = promoted("pow", input, exponent)
    if isinstance(a, Variable) and a.array.dtype.kind in "iu" and not isinstance(b, Variable) and b < 0:
        raise RuntimeError("pow: Integers to negative integer powers are not allowed; convert with .float() first")
    return apply(Pow(), a, b)


def rsub(input, other):
    """other - input: what Python calls for ``number - tensor``."""
    return sub(other, input)


def rdiv(input, other):
    """other / input: what Python calls for ``number / tensor``."""
    return div(other, input)


def rpow(input, other):
    """other ** input: what Python calls for ``number ** tensor``."""
    return pow(other, input)


def neg(input):
    """-input."""
    return apply(Neg(), input)


def maximum(input, other):
    """The larger of two tensors, element by element, with broadcasting; ties share the gradient."""
    return apply(Maximum(), *promoted("maximum", input, other))


def minimum(input, other):
    """The smaller of two tensors, element by element, with broadcasting; ties share the gradient."""
    return apply(Minimum(), *promoted("minimum", input, other))


def where(condition, input, other):
    """`input` where `condition` is true, else `other`, with broadcasting.

    Raises
    ------
    RuntimeError
        If `condition` is not a bool tensor.
    """
    if condition.array.dtype.kind != "b":
        raise RuntimeError(f"where: expected condition to be a boolean tensor, got {condition.dtype}; compare it first")
    return apply(Where(condition.array), *promoted("where", input, other))


def _arrays(a, b):
    """The arrays (or numbers) of two operands, and one operand that is a tensor."""
    source = a if isinstance(a, Variable) else b
    return *(x.array if isinstance(x, Variable) else x for x in (a, b)), source
