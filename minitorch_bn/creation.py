"""New tensors: from data, filled, counted. (Drawn at random: drawing.py.)

All take PyTorch's options. `dtype`, `device` and `requires_grad` do what they say. `layout` and `pin_memory` are there
for scripts that pass their defaults: memory is strided, and not pinned. `memory_format` says whether what is made
"like" a tensor has its axes in the same order in memory (preserve_format, the default) or lies in order
(contiguous_format).
"""

import math
import operator
import warnings

import numpy as np

from . import backend, dtypes, ops
from ._cephes import multiply_add
from .ops.axes import must_be_tensor
from .random import Generator
from .sequences import array_of_lists, check_fits, usable
from .tensor import Size, Tensor

Generator.state_type = Tensor  # states are Tensors, as in PyTorch


class Option:
    """A value of `layout` or `memory_format` under PyTorch's name."""

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"torch.{self.name}"


strided, contiguous_format, preserve_format = map(Option, ("strided", "contiguous_format", "preserve_format"))
OPTIONS = {"layout": (strided,), "pin_memory": (False,), "memory_format": (contiguous_format, preserve_format)}
VECTOR = 32  # bytes that PyTorch's arange computes at once, twice; see `_steps`


def make(array, dtype=None, device=None, requires_grad=False):
    """A leaf tensor that holds `array`, in `dtype` and on `device` where they are given."""
    if dtype is not None:
        array = array.astype(dtypes.of(dtype).numpy, copy=False)
    if device is not None:
        array = backend.to_device(array, device)
    t = object.__new__(Tensor)
    t.array = array
    return t.requires_grad_() if requires_grad else t


def check_options(name, options):
    """Raise PyTorch's errors for options that are unknown, or known but not available."""
    for option, value in options.items():
        if option not in OPTIONS:
            raise TypeError(f"{name}: got an unexpected keyword argument {option!r}")
        if value is not None and value not in OPTIONS[option]:
            raise RuntimeError(f"{name}: got {option}={value}, wanted one of {OPTIONS[option]}: no other is available")


def shape_of(name, sizes, options):
    """The shape that is meant by sizes given one by one, as one tuple, list or Size, or as the option `size`.

    Raises
    ------
    TypeError
        If there is none, or one of them is no int.
    RuntimeError
        If one is negative.
    """
    sizes = sizes or (options.pop("size"),) if "size" in options else sizes
    if not sizes:
        raise TypeError(f"{name}: missing size; pass ints or one tuple of them, () for a 0-dim tensor")
    sizes = sizes[0] if len(sizes) == 1 and isinstance(sizes[0], tuple | list) else sizes
    for n in sizes:
        if isinstance(n, bool | np.ndarray) or not hasattr(n, "__index__"):
            raise TypeError(f"{name}: size must be ints or one tuple of ints, but found {n!r} in {sizes!r}")
    shape = tuple(map(operator.index, sizes))
    if min(shape, default=0) < 0:
        raise RuntimeError(f"{name}: Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
    return shape


# ---- from data


def tensor(data, *, dtype=None, device=None, requires_grad=False, pin_memory=False):
    """A new tensor that holds a copy of `data`: a number, nested sequences, or an array.

    Python floats become the default floating point type (float32), ints int64, bools bool. Arrays, NumPy's numbers and
    tensors keep their type. Where they are mixed, the smallest type that holds all is taken.

    Raises
    ------
    ValueError
        If nested sequences are not of equal length, an int does not fit into 64 bits, or an array has steps backwards.
    TypeError
        If there is a text or a sequence where a number is wanted, or an array of a type that tensors do not have.
    RuntimeError
        If there is anything else but numbers, a number does not fit into `dtype`, or integers shall require grad.

    >>> tensor([[1.0, 2.0], [3.0, 4.0]])
    tensor([[1., 2.],
            [3., 4.]])
    >>> tensor([1, True]), tensor([1, 2.5]).dtype
    (tensor([1, 1]), torch.float32)
    """
    check_options("tensor", {"pin_memory": pin_memory})
    if isinstance(data, Tensor):
        warnings.warn(
            "tensor: got a tensor; to copy it, write source.detach().clone(), and then .requires_grad_() where wanted",
            stacklevel=2,
        )
        array = ops.laid_out_like(data.array, lambda shape: np.empty(shape, data.array.dtype))
        array[...] = backend.to_numpy(data.array)
        return make(array, dtype, device or data.device, requires_grad)
    if backend.is_array(data):
        usable("tensor", data)
        array = data.copy() if not isinstance(data, np.ndarray) else np.array(data)
        return make(array, dtype, device, requires_grad)
    return make(array_of_lists("tensor", data, dtype), None, device, requires_grad)


def as_tensor(data, *, dtype=None, device=None):
    """`data` as a tensor, without a copy where that can be: tensors are handed through, arrays share their memory.

    Raises
    ------
    ValueError, TypeError, RuntimeError
        As `tensor`.
    """
    if isinstance(data, Tensor):
        return data.to(device or data.device, dtype or data.dtype)
    if backend.is_array(data):
        usable("as_tensor", data)
        return make(np.asarray(data) if isinstance(data, np.ndarray) else data, dtype, device)
    return make(array_of_lists("as_tensor", data, dtype), None, device)


def asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=None):
    """`obj` as a tensor: as `as_tensor`, but a copy can be asked for or refused, and the graph can be left behind.

    Parameters
    ----------
    copy : bool, optional
        True: always a copy. False: never one.
    requires_grad : bool, optional
        False: a tensor outside of the graph. Default: as `obj`.

    Raises
    ------
    ValueError
        With ``copy=False``, if another dtype, another device or a list needs a copy; and as `tensor`.
    TypeError, RuntimeError
        As `tensor`.
    """
    t = as_tensor(obj, dtype=dtype, device=device)
    given = getattr(obj, "array", obj)
    shared = backend.is_array(given) and (np.shares_memory(t.array, given) or not t.array.size)
    if copy is False and not shared:
        raise ValueError("asarray: got copy=False, but another dtype, another device or a list needs a copy")
    if copy and shared:
        t = t.clone()
    if requires_grad is False and t.requires_grad:
        return t.detach()
    return t.requires_grad_() if requires_grad else t


def from_numpy(ndarray, /):
    """A tensor that shares the memory of a NumPy array.

    Raises
    ------
    TypeError
        If it is no NumPy array, or of a type that tensors do not have.
    ValueError
        If it has steps backwards, a foreign byte order, or steps that are no multiple of the element size.
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy: expected np.ndarray (got {type(ndarray).__name__})")
    usable("from_numpy", ndarray)
    return make(np.asarray(ndarray))


# ---- filled


def _filled(name, sizes, value, dtype, device, requires_grad, options):
    shape = shape_of(name, sizes, options)
    check_options(name, options)
    dtype = dtypes.of(dtype or dtypes.get_default_dtype())
    return make(np.full(shape, value, dtype.numpy), None, device, requires_grad)


def zeros(*size, dtype=None, device=None, requires_grad=False, **options):
    """A tensor of the given size, filled with 0. RuntimeError if a size is negative."""
    return _filled("zeros", size, 0, dtype, device, requires_grad, options)


def ones(*size, dtype=None, device=None, requires_grad=False, **options):
    """A tensor of the given size, filled with 1. RuntimeError if a size is negative."""
    return _filled("ones", size, 1, dtype, device, requires_grad, options)


def empty(*size, dtype=None, device=None, requires_grad=False, **options):
    """A tensor of the given size whose values mean nothing (here: 0). RuntimeError if a size is negative."""
    return _filled("empty", size, 0, dtype, device, requires_grad, options)


def number_of(name, what, value):
    """`value` as a Python number; it may be a number of NumPy's or a 0-dim tensor.

    Raises
    ------
    TypeError
        If it is something else.
    """
    if isinstance(value, Tensor | np.ndarray | np.generic) and value.ndim == 0:
        value = value.item()
    if not isinstance(value, bool | int | float):
        raise TypeError(f"{name}: {what} must be a number, got {type(value).__name__}")
    return value


def full(size, fill_value, *, dtype=None, device=None, requires_grad=False, **options):
    """A tensor of the given size, filled with `fill_value`, whose kind of number decides the type without `dtype`.

    Raises
    ------
    RuntimeError
        If a size is negative, or the value does not fit into the dtype.
    TypeError
        If `size` is no tuple of ints or `fill_value` no number.
    """
    if not isinstance(size, tuple | list):
        raise TypeError(f"full: size must be a tuple of ints, got {type(size).__name__}")
    fill_value = number_of("full", "fill_value", fill_value)
    dtype = dtypes.of(dtype) if dtype is not None else dtypes.result_type(fill_value)
    check_fits("full", fill_value, dtype)
    filling = np.array(fill_value).astype(dtype.numpy)
    return _filled("full", (tuple(size),), filling, dtype, device, requires_grad, options)


def _like(name, input, value, dtype, device, requires_grad, options):
    """A tensor with the shape and, unless `memory_format` says otherwise, the order in memory of `input`."""
    must_be_tensor(name, input)
    check_options(name, options)
    dtype = dtypes.of(dtype or input.dtype)
    check_fits(name, value, dtype)
    value = np.array(value).astype(dtype.numpy)
    if options.get("memory_format") is contiguous_format:
        array = np.full(input.shape, value)
    else:
        array = ops.laid_out_like(input.array, lambda shape: np.full(shape, value))
    return make(array, None, device or input.device, requires_grad)


def zeros_like(input, *, dtype=None, device=None, requires_grad=False, **options):
    """A tensor of input's size, dtype and device, filled with 0."""
    return _like("zeros_like", input, 0, dtype, device, requires_grad, options)


def ones_like(input, *, dtype=None, device=None, requires_grad=False, **options):
    """A tensor of input's size, dtype and device, filled with 1."""
    return _like("ones_like", input, 1, dtype, device, requires_grad, options)


def empty_like(input, *, dtype=None, device=None, requires_grad=False, **options):
    """A tensor of input's size, dtype and device whose values mean nothing (here: 0)."""
    return _like("empty_like", input, 0, dtype, device, requires_grad, options)


def full_like(input, fill_value, *, dtype=None, device=None, requires_grad=False, **options):
    """A tensor of input's size, dtype and device, filled with `fill_value`. RuntimeError if it does not fit."""
    value = number_of("full_like", "fill_value", fill_value)
    return _like("full_like", input, value, dtype, device, requires_grad, options)


def eye(n, m=None, *, dtype=None, device=None, requires_grad=False, **options):
    """n rows and m (default n) columns with 1 on the diagonal, 0 elsewhere. RuntimeError if n or m is negative."""
    shape = shape_of("eye", (n, n if m is None else m), {})
    check_options("eye", options)
    return make(np.eye(*shape), dtype or dtypes.get_default_dtype(), device, requires_grad)


# ---- counted


def arange(start=0, end=None, step=1, *, dtype=None, device=None, requires_grad=False, **options):
    """start, start + step, ... below `end`; one argument counts from 0. int64 if all are ints.

    In an integer dtype all three numbers are first cut to ints, as in PyTorch. Up to 32768 floating point numbers are
    PyTorch's bit for bit (on a processor with AVX2); of more, PyTorch computes a part on every core, and the last digit
    depends on their number.

    Raises
    ------
    RuntimeError
        If `step` is 0 or leads away from `end`, or the numbers are not finite.
    ValueError
        If `step` is 0 once it is cut to an int.
    TypeError
        If one of them is no number.
    NotImplementedError
        If `dtype` is bool.

    >>> arange(1, 2.5, 0.5), arange(3)
    (tensor([1.0000, 1.5000, 2.0000]), tensor([0, 1, 2]))
    """
    if end is None:
        start, end = 0, start
    start, end, step = (number_of("arange", w, n) for w, n in (("start", start), ("end", end), ("step", step)))
    check_options("arange", options)
    whole = all(isinstance(n, int) for n in (start, end, step))
    dtype = dtypes.of(dtype or (dtypes.int64 if whole else dtypes.get_default_dtype()))
    if dtype is dtypes.bool:
        raise NotImplementedError("arange: not implemented for bool")
    if not abs(step) > 0:
        raise RuntimeError(f"arange: step must be nonzero, got {step}")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"arange: unsupported range: {start} -> {end}")
    if (end - start) * step < 0:
        raise RuntimeError(f"arange: upper bound and lower bound inconsistent with step: {start}, {end}, {step}")
    if not dtype.is_floating_point:
        cut = int(start), int(end), int(step)
        if cut[2] == 0:
            raise ValueError(f"arange: step must be nonzero, got {step}, which is 0 in {dtype}")
        if dtype is dtypes.int64:
            start, end, step = cut
        return make(cut[0] + cut[2] * np.arange(_count(start, end, step)), dtype, device, requires_grad)
    return make(_steps(start, step, _count(start, end, step), dtype.numpy), None, device, requires_grad)


def _count(start, end, step):
    """How many steps there are from `start`, before `end`."""
    whole = all(isinstance(n, int) for n in (start, end, step))
    return -((start - end) // step) if whole else math.ceil((end - start) / step)


def _steps(start, step, count, dtype):
    """start + i * step with PyTorch's roundings: once for the first of every eight (float32), and again from there.

    Source: PyTorch's ATen/native/cpu/RangeFactoriesKernel.cpp and vec256 `arange`. Two vectors are taken at a time,
    what is left over is computed number by number.
    """
    precise = np.dtype(np.float32 if dtype == np.float16 else np.float64)
    start, step = precise.type(start), precise.type(step)
    width = VECTOR // dtype.itemsize
    i = np.arange(count)
    single = multiply_add(i.astype(precise), step, start)
    firsts = multiply_add((i - i % width).astype(precise), step, start).astype(dtype).astype(precise)
    in_vectors = i < count - count % (2 * width)
    return np.where(in_vectors, multiply_add((i % width).astype(precise), step, firsts), single).astype(dtype)


def _steps_between(name, start, end, steps, dtype, options):
    """`steps` values from `start` to `end`, counted from the nearer end: an array of `dtype`, for ints of float64."""
    for n in (start, end):
        if isinstance(n, Tensor) and n.ndim:
            raise RuntimeError(f"{name}: only supports 0-dimensional start and end tensors, got shape {n.shape}")
    start, end = number_of(name, "start", start), number_of(name, "end", end)
    if isinstance(steps, bool) or not hasattr(steps, "__index__"):
        raise TypeError(f"{name}: steps must be an int, got {type(steps).__name__}")
    if steps < 0:
        raise RuntimeError(f"{name}: number of steps must be non-negative, got {steps}")
    if dtype is dtypes.bool:
        raise NotImplementedError(f"{name}: not implemented for bool")
    check_options(name, options)
    precise = dtype.numpy if dtype.is_floating_point else np.dtype(np.float64)
    if not dtype.is_floating_point:
        start, end = int(start), int(end)
    start, end = precise.type(start), precise.type(end)
    step = (end - start) / precise.type(max(steps - 1, 1))
    i = np.arange(steps).astype(precise)
    if precise == np.float16:
        forwards, backwards = start + step * i, end - step * i[::-1]
    else:
        forwards, backwards = multiply_add(i, step, start), multiply_add(i[::-1], -step, end)
    return start[None] if steps == 1 else np.where(np.arange(steps) < steps // 2, forwards, backwards)


def linspace(start, end, steps, *, dtype=None, device=None, requires_grad=False, **options):
    """`steps` evenly spaced values from `start` to `end`, both included; bit for bit PyTorch's.

    Raises
    ------
    RuntimeError
        If `steps` is negative, or a tensor with dimensions is given.
    TypeError
        If `steps` is no int, `start` or `end` no number.
    NotImplementedError
        If `dtype` is bool.
    """
    dtype = dtypes.of(dtype or dtypes.get_default_dtype())
    return make(_steps_between("linspace", start, end, steps, dtype, options), dtype, device, requires_grad)


def logspace(start, end, steps, base=10.0, *, dtype=None, device=None, requires_grad=False, **options):
    """`steps` values from base**start to base**end whose logarithms are evenly spaced.

    Powers are NumPy's; PyTorch's differ in the last digit.

    Raises
    ------
    RuntimeError, TypeError, NotImplementedError
        As `linspace`.
    """
    dtype = dtypes.of(dtype or dtypes.get_default_dtype())
    exponents = _steps_between("logspace", start, end, steps, dtype, options)
    with np.errstate(invalid="ignore"):
        return make(np.power(exponents.dtype.type(base), exponents), dtype, device, requires_grad)


def _indices(name, triangle, row, col, offset, dtype, device, options):
    check_options(name, options)
    for n in (row, col):
        if n < 0:
            raise RuntimeError(f"{name}: row and col must be non-negative, got {row} and {col}")
    if dtypes.of(dtype) not in (dtypes.int32, dtypes.int64):
        raise NotImplementedError(f"{name}: not implemented for {dtype}; wanted int32 or int64")
    return make(np.stack(triangle(row, offset, col)), dtype, device)


def tril_indices(row, col, offset=0, *, dtype=dtypes.int64, device=None, **options):
    """Row and column numbers of the lower triangle of a (row, col) matrix, `offset` diagonals more: shape (2, n)."""
    return _indices("tril_indices", np.tril_indices, row, col, offset, dtype, device, options)


def triu_indices(row, col, offset=0, *, dtype=dtypes.int64, device=None, **options):
    """Row and column numbers of the upper triangle of a (row, col) matrix, from diagonal `offset`: shape (2, n)."""
    return _indices("triu_indices", np.triu_indices, row, col, offset, dtype, device, options)


def meshgrid(*tensors, indexing=None):
    """The coordinates of all points of a grid: one tensor of shape (n0, n1, ...) per axis. Gradients flow through.

    Parameters
    ----------
    *tensors : Tensors of shape (n,) or (), or one list of them
        The coordinates along each axis.
    indexing : "ij" or "xy"
        Whether the first tensor runs along the first dimension or the second. Left out: "ij", and a warning.

    Raises
    ------
    RuntimeError
        If there is no tensor, one has two or more dimensions, dtypes differ, or `indexing` is something else.

    >>> meshgrid(arange(2), arange(3), indexing="ij")[1]
    tensor([[0, 1, 2],
            [0, 1, 2]])
    """
    tensors = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], tuple | list) else tensors
    if not tensors:
        raise RuntimeError("meshgrid: expects a non-empty list of tensors")
    must_be_tensor("meshgrid", *tensors)
    if indexing is None:
        warnings.warn('meshgrid: say indexing="ij" or indexing="xy"; "ij" is taken', stacklevel=2)
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(f'meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    if max(t.ndim for t in tensors) > 1 or len({t.dtype for t in tensors}) > 1:
        got = ", ".join(f"{t.dtype} {tuple(t.shape)}" for t in tensors)
        raise RuntimeError(f"meshgrid: expects tensors of 0 or 1 dimensions and all of the same dtype, got {got}")
    axes = list(range(len(tensors)))
    if indexing == "xy" and len(tensors) > 1:
        axes[:2] = 1, 0
    sizes = [t.numel() for t in tensors]
    shape = Size(sizes[axes.index(i)] for i in range(len(tensors)))
    rows = [[-1 if i == axis else 1 for i in range(len(tensors))] for axis in axes]
    return tuple(ops.expand(ops.reshape(t, *row), *shape) for t, row in zip(tensors, rows, strict=True))
