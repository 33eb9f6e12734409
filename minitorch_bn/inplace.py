"""In-place writes: what ``x += 1``, ``x.zero_()``, ``x[i] = v`` and their kin do.

Three cases, as in PyTorch:

- nothing is recorded (no_grad, ``x.data``, or no operand requires grad): the memory of `x` changes, and every tensor
  that shares it sees the change;
- `x` is a leaf that requires grad: RuntimeError, because the gradient of its old values could never be asked for;
- `x` was recorded, or becomes so: `x` takes over array and op of the result, and its former self stands in for it in
  the graph (engine.former_self). Unlike PyTorch's, that write leaves the old memory alone, so values saved for backward
  stay right, and views taken of `x` before do not change.
"""

import numpy as np

from . import backend, clock, engine, ops
from .random import default_generator


def write(name, x, compute, others=()):
    """Replace the values of `x` by those of ``compute(x)``; returns `x`.

    Parameters
    ----------
    name : str
        For error messages.
    x : Tensor
    compute : function of a Tensor, giving a Tensor that broadcasts to x
    others : iterable
        Other operands; a gradient that one of them needs makes `x` part of the graph.

    Raises
    ------
    RuntimeError
        If `x` is a leaf that requires grad and recording is on, if the result does not have x's shape, or if its dtype
        cannot be stored in x's (floating point in integers).
    """
    wants = [v.requires_grad for v in (x, *others) if isinstance(v, engine.Variable)]
    recorded = engine.is_grad_enabled() and True in wants
    if recorded and x.op is None and x.requires_grad:
        raise RuntimeError(
            f"{name}: a leaf Variable that requires grad is being used in an in-place operation. Write inside "
            "`with no_grad():`, change x.data, or make a new tensor (x = x + ...)."
        )
    old = x
    if recorded:
        old = x.like(x.array)
        old.op, old.requires_grad = x.op, x.requires_grad
        old.retains_grad, old.grad_array = x.retains_grad, x.grad_array
    new = compute(old)
    if new.array.shape != x.array.shape:
        raise RuntimeError(
            f"{name}: output with shape {x.array.shape} doesn't match the broadcast shape {new.array.shape}"
        )
    if not np.can_cast(new.array.dtype, x.array.dtype, "same_kind"):
        raise RuntimeError(f"{name}: result type {new.dtype} can't be cast to the desired output type {x.dtype}")
    if not recorded:
        x.array[...] = new.array
        clock.wrote(x.array)
        return x
    new = ops.cast(new, x.dtype)
    x.array, x.op, x.requires_grad = new.array, new.op, True
    x.retains_grad, x.grad_array = False, None
    return x


def add_(self, other, *, alpha=1):
    """self += alpha * other."""
    return write("add_", self, lambda x: ops.add(x, other, alpha=alpha), (other,))


def sub_(self, other, *, alpha=1):
    """self -= alpha * other."""
    return write("sub_", self, lambda x: ops.sub(x, other, alpha=alpha), (other,))


def mul_(self, other):
    """self *= other."""
    return write("mul_", self, lambda x: ops.mul(x, other), (other,))


def div_(self, other):
    """self /= other."""
    return write("div_", self, lambda x: ops.div(x, other), (other,))


def pow_(self, exponent):
    """self **= exponent."""
    return write("pow_", self, lambda x: ops.pow(x, exponent), (exponent,))


def sqrt_(self):
    """Every element becomes its square root."""
    return write("sqrt_", self, ops.sqrt)


def neg_(self):
    """Every element changes its sign."""
    return write("neg_", self, ops.neg)


def clamp_(self, min=None, max=None):
    """Every element is held between `min` and `max`."""
    return write("clamp_", self, lambda x: ops.clamp(x, min, max))


def masked_fill_(self, mask, value):
    """Elements where `mask` is true become `value`."""
    return write("masked_fill_", self, lambda x: ops.masked_fill(x, mask, value))


def setitem_(self, index, value):
    """self[index] = value."""
    if isinstance(value, engine.Variable):
        value = ops.cast(ops.to_device(value, self.device), self.dtype)
    recorded = engine.is_grad_enabled() and (self.requires_grad or getattr(value, "requires_grad", False))
    if recorded:
        write("setitem", self, lambda x: ops.put_index(x, index, value), (value,))
        return
    plain = ops.plain_index(index)[0]
    try:
        *numbers, last = ops.index_steps(plain)
        part = self.array
        for step in numbers:
            part = part[step]
        backend.check_index(part, last)
        part[last] = value.array if isinstance(value, engine.Variable) else value
        clock.wrote(part)
    except TypeError:
        backend.check_devices("setitem", self.array, plain)
        raise
    except IndexError as error:
        raise ops.index_error(error, plain, self.array.shape) from None
    except ValueError as error:
        raise RuntimeError(f"setitem: shape mismatch: {error}") from None


def copy_(self, src, non_blocking=False):
    """self takes the values of `src`, which broadcasts, in its own dtype and on its own device."""
    return write("copy_", self, lambda x: ops.put_index(x, ..., src.to(self.device, self.dtype)), (src,))


def fill_(self, value):
    """Every element becomes `value`, a number or a 0-dim tensor."""
    return write("fill_", self, lambda x: ops.put_index(x, ..., value), (value,))


def zero_(self):
    """Every element becomes 0."""
    return write("zero_", self, lambda x: ops.put_index(x, ..., 0))


def uniform_(self, a=0.0, b=1.0, *, generator=None):
    """Every element becomes a draw from [a, b)."""
    drawn = (generator or default_generator).uniform(self.array.shape, a, b, self.array.dtype)
    return _take(self, "uniform_", drawn)


def normal_(self, mean=0.0, std=1.0, *, generator=None):
    """Every element becomes a draw from the normal distribution."""
    drawn = (generator or default_generator).normal(self.array.shape, mean, std, self.array.dtype)
    return _take(self, "normal_", drawn)


def _take(self, name, drawn):
    """Values drawn on the CPU, put where `self` lies."""
    return write(name, self, lambda x: ops.put_index(x, ..., x.like(drawn).to(self.device)))
