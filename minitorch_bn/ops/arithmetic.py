"""Arithmetic with broadcasting: add, subtract, multiply, divide, power, negate, and choice of the larger or smaller.

Where an operand was stretched to the result's shape, its gradient is summed over the stretched axes (`unbroadcast`): a
number that was used n times receives n terms of the chain rule.
"""

import numpy as np

from .. import backend, dtypes
from ..engine import Op, Variable, apply
from .cast import cast, to_device


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
            slope = np.where(flat, 0, self.y * log_a).astype(dy.dtype, copy=False)  # if a is a number, it is float64
            db = unbroadcast(dy * slope, shape_of(b))
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
        if type(a.array) is not type(b.array):
            a, b = on_one_device(name, a, b)
        if a.array.dtype == b.array.dtype and (not floating or a.array.dtype.kind == "f"):
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


def on_one_device(name, a, b):
    """`a` and `b`, one on the CPU and one on a GPU, on the GPU: PyTorch allows that if the one on the CPU is 0-dim."""
    host, other = (a, b) if isinstance(a.array, np.ndarray) else (b, a)
    if host.array.ndim:
        backend.check_devices(name, a.array, b.array)
    moved = to_device(host, backend.device_of(other.array))
    return (moved, b) if host is a else (a, moved)


def check_broadcast(name, a_shape, b_shape):
    """Raise PyTorch's error if the two shapes do not broadcast."""
    for i, (m, n) in enumerate(zip(a_shape[::-1], b_shape[::-1], strict=False)):
        if m != n and m != 1 and n != 1:
            dim = max(len(a_shape), len(b_shape)) - 1 - i
            raise RuntimeError(
                f"{name}: The size of tensor a ({m}) must match the size of tensor b ({n}) at non-singleton dimension "
                f"{dim}; got shapes {tuple(a_shape)} and {tuple(b_shape)}. Sizes are compared from the right and must "
                "be equal or 1."
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
    """input - alpha * other, with broadcasting and PyTorch's type promotion.

    Raises
    ------
    RuntimeError
        If one of the two is bool: use ``^`` or ``~``, or convert.
    """
    if _is_bool(input) or _is_bool(other):
        raise RuntimeError("sub: Subtraction with a bool tensor is not supported; use ^ or ~, or .long() first")
    return apply(Sub(), *promoted("sub", input, other if alpha == 1 else other * alpha))


def _is_bool(x):
    """Whether a tensor or number is bool."""
    return x.array.dtype.kind == "b" if isinstance(x, Variable) else x is True or x is False


def mul(input, other):
    """input * other, element by element, with broadcasting and PyTorch's type promotion."""
    return apply(Mul(), *promoted("mul", input, other))


def div(input, other, *, rounding_mode=None):
    """input / other. Integers give floating point, as in PyTorch; rounding_mode "floor" or "trunc" keeps integers."""
    if rounding_mode is None:
        return apply(Div(), *promoted("div", input, other, floating=True))
    if rounding_mode not in ("floor", "trunc"):
        raise RuntimeError(f"div: rounding_mode got {rounding_mode!r}, wanted None, 'floor' or 'trunc'")
    a, b, source = _whole_division("div", input, other)
    if rounding_mode == "trunc" and not source.is_floating_point():
        quotient = np.abs(a) // np.abs(b)  # whole numbers, without a detour through floating point
        return source.like(backend.as_array(np.where((a < 0) == (b < 0), quotient, -quotient)))
    return source.like(backend.as_array(np.floor_divide(a, b) if rounding_mode == "floor" else np.trunc(a / b)))


def _whole_division(name, input, other):
    """The operands of a division whose result is whole, as arrays or numbers, and one that is a tensor.

    Raises
    ------
    RuntimeError
        If integers are divided by 0.
    NotImplementedError
        If both are bools.
    """
    a, b, source = _arrays(*promoted(name, input, other))
    _refuse_bools(name, a, b)
    if not source.is_floating_point() and np.result_type(b).kind != "f" and np.any(b == 0):
        raise RuntimeError(f"{name}: ZeroDivisionError: integers divided by 0; convert with .float() to get inf or nan")
    return a, b, source


def _refuse_bools(name, a, b):
    """Raise PyTorch's error if both operands (arrays or numbers) are bools."""
    if np.result_type(a).kind == np.result_type(b).kind == "b":
        raise NotImplementedError(f"{name}: not implemented for bools; convert with .long() first")


def floor_divide(input, other):
    """The largest integer not above input / other. Its gradient is 0 almost everywhere: none is recorded."""
    return div(input, other, rounding_mode="floor")


def remainder(input, other):
    """input - other * floor(input / other): the sign is that of `other`, as in Python."""
    a, b, source = _whole_division("remainder", input, other)
    return source.like(backend.as_array(np.remainder(a, b)))


def pow(input, exponent):
    """input ** exponent, element by element, with broadcasting.

    Raises
    ------
    RuntimeError
        For an integer tensor with a negative integer exponent, whose result is no integer.
    NotImplementedError
        If both are bools.
    """
    a, b = promoted("pow", input, exponent)
    if isinstance(a, Variable) and a.array.dtype.kind in "iu" and not isinstance(b, Variable) and b < 0:
        raise RuntimeError("pow: Integers to negative integer powers are not allowed; convert with .float() first")
    _refuse_bools("pow", *(x.array if isinstance(x, Variable) else x for x in (a, b)))
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
    """-input.

    Raises
    ------
    RuntimeError
        If `input` is bool: its opposite is ~input.
    """
    if input.array.dtype.kind == "b":
        raise RuntimeError("neg: Negation, the `-` operator, on a bool tensor is not supported; use ~ instead")
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
        If `condition` is not a bool tensor, or the shapes do not broadcast.
    """
    if condition.array.dtype.kind != "b":
        raise RuntimeError(f"where: expected condition to be a boolean tensor, got {condition.dtype}; compare it first")
    if not isinstance(input, Variable) and not isinstance(other, Variable):
        dtype = dtypes.result_type(input, other).numpy
        input = condition.like(backend.namespace(condition.array).full((), input, dtype))
    a, b = promoted("where", input, other)
    backend.check_devices("where", condition.array, *(x.array for x in (a, b) if isinstance(x, Variable)))
    for x in (a, b):
        check_broadcast("where", condition.array.shape, shape_of(getattr(x, "array", x)))
    return apply(Where(condition.array), a, b)


def _arrays(a, b):
    """The arrays (or numbers) of two operands, and one operand that is a tensor."""
    source = a if isinstance(a, Variable) else b
    return *(x.array if isinstance(x, Variable) else x for x in (a, b)), source
