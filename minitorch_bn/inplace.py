"""In-place writes: what ``x += 1``, ``x.zero_()``, ``x[i] = v`` and their kin do.

Three cases, as in PyTorch:

- nothing is recorded (no_grad, ``x.data``, or no operand requires grad): the memory of `x` changes, and every tensor
  that shares it sees the change;
- `x` is a leaf that requires grad: RuntimeError, because the gradient of its old values could never be asked for;
- `x` was recorded, or becomes so: `x` takes over array and op of the result, and its former self stands in for it in
  the graph (engine.former_self). Unlike PyTorch's, that write leaves the old memory alone, so values saved for backward
  stay right, and views taken of `x` before do not change.
"""

from functools import wraps

from . import backend, clock, dtypes, engine, ops


def write(name, x, compute, others=(), parts=()):
    """Replace the values of `x` by those of ``compute(x)``; returns `x`.

    Parameters
    ----------
    name : str
        For error messages.
    x : Tensor
    compute : function of a Tensor, giving a Tensor that broadcasts to x
    others : iterable
        Other operands, which broadcast to x; a gradient that one of them needs makes `x` part of the graph.
    parts : iterable
        The same for operands that go into a part of `x` and have a shape of their own.

    Raises
    ------
    RuntimeError
        If `x` is a leaf that requires grad and recording is on, if the result does not have x's shape, if its dtype
        cannot be stored in x's (floating point in integers), or if several elements of `x` share memory (expand).
    """
    _check_operands(name, x, others)
    wants = [v.requires_grad for v in (x, *others, *parts) if isinstance(v, engine.Variable)]
    recorded = engine.is_grad_enabled() and True in wants
    if recorded and x.op is None and x.requires_grad:
        raise RuntimeError(
            f"{name}: a leaf Variable that requires grad is being used in an in-place operation. Write inside "
            "`with no_grad():`, change x.data, or make a new tensor (x = x + ...)."
        )
    old = x
    if recorded:
        check_writeable(name, x.array)
        old = x.like(x.array)
        old.op, old.requires_grad = x.op, x.requires_grad
        # .grad and the wish to retain it stay with x: what it asks for from now on is d loss / d the new values
    new = compute(old)
    if new.array.shape != x.array.shape:
        raise _wrong_shape(name, x, new.array.shape)
    if new.dtype.category > x.dtype.category:
        raise _wrong_dtype(name, x, new.dtype)
    if not recorded:
        _store(name, x.array, ..., new.array)
        return x
    new = ops.cast(new, x.dtype)
    x.array, x.op, x.requires_grad = new.array, new.op, True
    return x


def _store(name, array, index, values):
    """array[index] = values, noted on the clock, with PyTorch's errors."""
    try:
        array[index] = values
    except ValueError as error:
        if not array.size:
            return
        check_writeable(name, array)
        raise RuntimeError(f"{name}: shape mismatch: {error}") from None
    clock.wrote(array)


def check_writeable(name, array):
    """Raise PyTorch's error if the elements of `array` share memory, as after expand, or cannot be written to."""
    shared = any(step == 0 and n > 1 for step, n in zip(array.strides, array.shape, strict=True))
    if array.size and (shared or not getattr(array.flags, "writeable", True)):  # CuPy has no such flag
        raise RuntimeError(
            f"{name}: unsupported operation: more than one element of the written-to tensor refers to a single "
            "memory location (expand), or its memory is read-only; write to a clone()"
        )


def _check_operands(name, x, others):
    """Raise PyTorch's errors for operands that would stretch `x` or change its dtype, before anything is computed."""
    for v in others:
        if x.dtype.category < (v.dtype.category if isinstance(v, engine.Variable) else 2 * isinstance(v, float)):
            raise _wrong_dtype(name, x, getattr(v, "dtype", type(v).__name__))
        if isinstance(v, engine.Variable) and v.array.shape != x.array.shape:
            ops.check_broadcast(name, x.array.shape, v.array.shape)
            if v.array.ndim > x.array.ndim or any(
                n not in (1, m) for m, n in zip(x.array.shape[::-1], v.array.shape[::-1], strict=False)
            ):
                raise _wrong_shape(name, x, v.array.shape)


def _wrong_dtype(name, x, dtype):
    """PyTorch's error for a result that x's dtype cannot hold."""
    return RuntimeError(
        f"{name}: result type {dtype} can't be cast to the desired output type {x.dtype}; make a new tensor "
        "(x = x + ...), or convert the operand first"
    )


def _wrong_shape(name, x, shape):
    """PyTorch's error for a result that does not have x's shape."""
    return RuntimeError(
        f"{name}: output with shape {x.array.shape} doesn't match the broadcast shape, got an operand of {shape}; an "
        "in-place write keeps the shape: make a new tensor instead (x = x + ...)"
    )


def in_place(name, function):
    """The method `name` that writes function(self, ...) into self, and returns self."""

    @wraps(function)
    def method(self, *arguments, **named):
        def compute(x):
            return function(x, *(x if a is self else a for a in arguments), **named)  # x += x reads x's former self

        return write(name, self, compute, (*arguments, *named.values()))

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"`{function.__name__}`, written into the tensor itself; returns it."
    return method


add_, sub_, mul_, div_ = (in_place(f"{f.__name__}_", f) for f in (ops.add, ops.sub, ops.mul, ops.div))
floor_divide_, remainder_, fmod_, pow_ = (
    in_place(f"{f.__name__}_", f) for f in (ops.floor_divide, ops.remainder, ops.fmod, ops.pow)
)
bitwise_and_, bitwise_or_, bitwise_xor_, bitwise_not_ = (
    in_place(f"{f.__name__}_", f) for f in (ops.bitwise_and, ops.bitwise_or, ops.bitwise_xor, ops.bitwise_not)
)
clamp_, clamp_min_, clamp_max_ = (in_place(f"{f.__name__}_", f) for f in (ops.clamp, ops.clamp_min, ops.clamp_max))
lerp_, addcmul_, addcdiv_ = (in_place(f"{f.__name__}_", f) for f in (ops.lerp, ops.addcmul, ops.addcdiv))
tril_, triu_ = in_place("tril_", ops.tril), in_place("triu_", ops.triu)
neg_, abs_, sign_, square_ = (in_place(f"{f.__name__}_", f) for f in (ops.neg, ops.abs, ops.sign, ops.square))
exp_, exp2_, expm1_, log_, log2_, log10_, log1p_, sqrt_, rsqrt_, reciprocal_ = (
    in_place(f"{f.__name__}_", f)
    for f in (
        ops.exp, ops.exp2, ops.expm1, ops.log, ops.log2, ops.log10, ops.log1p, ops.sqrt, ops.rsqrt, ops.reciprocal
    )
)  # fmt: skip
floor_, ceil_, round_, trunc_, frac_ = (
    in_place(f"{f.__name__}_", f) for f in (ops.floor, ops.ceil, ops.round, ops.trunc, ops.frac)
)
sin_, cos_, tan_, tanh_, sigmoid_, relu_ = (
    in_place(f"{f.__name__}_", f) for f in (ops.sin, ops.cos, ops.tan, ops.tanh, ops.sigmoid, ops.relu)
)


def masked_fill_(self, mask, value):
    """Elements where `mask` is true become `value`."""
    return write("masked_fill_", self, lambda x: ops.masked_fill(x, mask, value), (mask,), (value,))


def setitem_(self, index, value):
    """self[index] = value, a tensor, which is converted to self's dtype, or a number.

    Raises
    ------
    IndexError
        If an index is out of range, or there are too many.
    TypeError
        If `value` is neither a tensor nor a number.
    RuntimeError
        If `value` does not broadcast to the shape of self[index], or is a number that self's dtype cannot hold.
    """
    plain, holds_arrays = ops.plain_index(index)
    other_dtype = isinstance(value, engine.Variable) and value.array.dtype != self.array.dtype
    if holds_arrays and other_dtype and not (value.array.size == 1 and _only_masks(plain)):  # a mask may be filled
        raise RuntimeError(
            f"setitem: index put requires the source and destination dtypes match, got {value.dtype} for a tensor of "
            f"{self.dtype}; convert with .to(x.dtype)"
        )
    value = _element_or_tensor("setitem", self, value)
    recorded = engine.is_grad_enabled() and (self.requires_grad or getattr(value, "requires_grad", False))
    if recorded:
        write("setitem", self, lambda x: ops.put_index(x, plain, value), (), (value,))
        return
    try:
        *numbers, last = ops.index_steps(plain)
        part = self.array
        for step in numbers:
            part = part[step]
        backend.check_index(part, last)
        _store(
            "setitem", part, last, ops.leading_ones_off(value.array) if isinstance(value, engine.Variable) else value
        )
    except TypeError:
        backend.check_devices("setitem", self.array, plain)
        raise
    except IndexError as error:
        raise ops.index_error(error, plain, self.array.shape) from None


def _only_masks(plain):
    """Whether the arrays in an index are all of bools."""
    parts = plain if type(plain) is tuple else (plain,)
    return all(p.dtype.kind == "b" for p in parts if hasattr(p, "dtype") and p.ndim)


def _element_or_tensor(name, x, value):
    """What is to be written into parts of `x`: a tensor of its dtype and device, or a number that fits.

    Raises
    ------
    TypeError
        If it is neither a tensor nor a number.
    RuntimeError
        If x's dtype cannot hold the number.
    """
    if isinstance(value, engine.Variable):
        return ops.cast(ops.to_device(value, x.device), x.dtype)
    if not isinstance(value, int | float):
        raise TypeError(f"{name}: can't assign a {type(value).__name__} to a tensor, wanted a number or tensor(...)")
    return dtypes.element(name, value, x.dtype)


def copy_(self, src, non_blocking=False):
    """self takes the values of `src`, a tensor that broadcasts or a number, in its own dtype and on its own device.

    Raises
    ------
    TypeError
        If `src` is neither a tensor nor a number.
    RuntimeError
        If it does not broadcast to self's shape, or self is a leaf that requires grad.
    """
    if isinstance(src, int | float):
        src = self.like(backend.namespace(self.array).asarray(src))
    if src is self:
        return self
    value = _element_or_tensor("copy_", self, src)
    return write("copy_", self, lambda x: ops.put_index(x, ..., value), (value,))


def fill_(self, value):
    """Every element becomes `value`, a number or a 0-dim tensor.

    Raises
    ------
    TypeError
        If it is neither.
    RuntimeError
        If the tensor is not 0-dim, self's dtype cannot hold the number, or self is a leaf that requires grad.
    """
    if isinstance(value, engine.Variable) and value.array.ndim:
        raise RuntimeError(f"fill_: only supports 0-dimension value tensors, got shape {value.array.shape}; use copy_")
    value = _element_or_tensor("fill_", self, value)
    return write("fill_", self, lambda x: ops.put_index(x, ..., value), (value,))


def zero_(self):
    """Every element becomes 0."""
    return write("zero_", self, lambda x: ops.put_index(x, ..., 0))


def scatter_(self, dim, index, src):
    """`src`, a tensor or number, is written to positions `index` along `dim`."""
    return write("scatter_", self, lambda x: ops.scatter(x, dim, index, src), (), (src,))


def scatter_add_(self, dim, index, src):
    """`src` is added at positions `index` along `dim`."""
    return write("scatter_add_", self, lambda x: ops.scatter_add(x, dim, index, src), (), (src,))


def index_add_(self, dim, index, source, *, alpha=1):
    """The slices of alpha * source are added at positions `index` along `dim`."""
    return write("index_add_", self, lambda x: ops.index_add(x, dim, index, source, alpha=alpha), (), (source,))


def index_fill_(self, dim, index, value):
    """All slices at positions `index` along `dim` become `value`."""
    return write("index_fill_", self, lambda x: ops.index_fill(x, dim, index, value))
