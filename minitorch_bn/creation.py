"""New tensors: from data, filled, counted, or drawn at random.

`out`, `layout`, `pin_memory` and `memory_format` are not taken; everything else is as in PyTorch. Random numbers come
from `random.default_generator` unless a generator is given, and replay PyTorch's CPU stream, also for tensors on a GPU.
"""

import numpy as np

from . import backend, dtypes
from .ops.shape import sizes
from .random import default_generator
from .tensor import Tensor


def _make(array, dtype, device, requires_grad):
    """A leaf tensor with `array` in `dtype` on `device`."""
    if dtype is not None:
        array = array.astype(dtypes.of(dtype).numpy, copy=False)
    if device is not None:
        array = backend.to_device(array, device)
    t = object.__new__(Tensor)
    t.array = array
    return t.requires_grad_() if requires_grad else t


def _plain(data):
    """`data` with the tensors inside it replaced by numbers, lists and arrays."""
    if isinstance(data, Tensor):
        return backend.to_numpy(data.array)
    if isinstance(data, list | tuple):
        return [_plain(item) for item in data]
    return data


def tensor(data, *, dtype=None, device=None, requires_grad=False):
    """A new tensor that holds a copy of `data`: a number, nested lists, or an array.

    Python floats become the default floating point type (float32), ints int64, bools bool; arrays keep their type.

    Raises
    ------
    ValueError
        If nested lists are not of equal length, or hold texts.
    TypeError, RuntimeError
        If `data` is a text, or anything else but numbers.

    >>> tensor([[1.0, 2.0], [3.0, 4.0]])
    tensor([[1., 2.],
            [3., 4.]])
    """
    if isinstance(data, Tensor):
        return _make(data.array.copy(), dtype, device, requires_grad)
    if backend.is_array(data) or isinstance(data, np.generic):
        dtypes.of(data.dtype)
        return _make(backend.as_array(data).copy(), dtype, device, requires_grad)
    typed = isinstance(data, list | tuple) and _holds_arrays(data)
    try:
        array = np.array(_plain(data))
    except ValueError as error:
        raise ValueError(f"tensor: expected sequences of equal length at every depth: {error}") from None
    if array.dtype.kind not in "biuf":
        text = array.dtype.kind in "US"
        error = RuntimeError if not text else ValueError if array.ndim else TypeError
        raise error(f"tensor: wanted numbers or nested lists of them, got {type(data).__name__} holding {array.dtype}")
    if array.dtype == np.float64 and not typed:
        array = array.astype(dtypes.get_default_dtype().numpy)
    return _make(array, dtype, device, requires_grad)


def _holds_arrays(data):
    """Whether the first number in nested lists is an array's: it then decides the type."""
    while isinstance(data, list | tuple) and data:
        data = data[0]
    return isinstance(data, np.ndarray | np.generic)


def as_tensor(data, dtype=None, device=None):
    """`data` as a tensor, without a copy where that can be."""
    if isinstance(data, Tensor):
        return data.to(device or data.device, dtype or data.dtype)
    return _make(data, dtype, device, False) if backend.is_array(data) else tensor(data, dtype=dtype, device=device)


def from_numpy(ndarray):
    """A tensor that shares the memory of a NumPy array.

    Raises
    ------
    TypeError
        If it is no NumPy array, or of a type that tensors do not have.
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy: expected np.ndarray (got {type(ndarray).__name__})")
    dtypes.of(ndarray.dtype)
    return Tensor(ndarray)


def _filled(name, size, value, dtype, device, requires_grad):
    size = sizes(size)
    if min(size, default=0) < 0:
        raise RuntimeError(f"{name}: Trying to create tensor with negative dimension: {list(size)}")
    dtype = dtypes.of(dtype or dtypes.get_default_dtype())
    return _make(np.full(size, value, dtype.numpy), None, device, requires_grad)


def zeros(*size, dtype=None, device=None, requires_grad=False):
    """A tensor of the given size, filled with 0."""
    return _filled("zeros", size, 0, dtype, device, requires_grad)


def ones(*size, dtype=None, device=None, requires_grad=False):
    """A tensor of the given size, filled with 1."""
    return _filled("ones", size, 1, dtype, device, requires_grad)


def empty(*size, dtype=None, device=None, requires_grad=False):
    """A tensor of the given size whose values mean nothing (here: 0)."""
    return _filled("empty", size, 0, dtype, device, requires_grad)


def full(size, fill_value, *, dtype=None, device=None, requires_grad=False):
    """A tensor of the given size, filled with `fill_value`, whose kind of number decides the type without `dtype`."""
    fill_value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    return _filled("full", (size,), fill_value, dtype or tensor(fill_value).dtype, device, requires_grad)


def zeros_like(input, *, dtype=None, device=None, requires_grad=False):
    """A tensor of input's size, dtype and device, filled with 0."""
    return zeros(*input.shape, dtype=dtype or input.dtype, device=device or input.device, requires_grad=requires_grad)


def ones_like(input, *, dtype=None, device=None, requires_grad=False):
    """A tensor of input's size, dtype and device, filled with 1."""
    return ones(*input.shape, dtype=dtype or input.dtype, device=device or input.device, requires_grad=requires_grad)


def full_like(input, fill_value, *, dtype=None, device=None, requires_grad=False):
    """A tensor of input's size, dtype and device, filled with `fill_value`."""
    return full(
        input.shape, fill_value, dtype=dtype or input.dtype, device=device or input.device, requires_grad=requires_grad
    )


def empty_like(input, *, dtype=None, device=None, requires_grad=False):
    """A tensor of input's size, dtype and device whose values mean nothing (here: 0)."""
    return zeros_like(input, dtype=dtype, device=device, requires_grad=requires_grad)


def arange(start, end=None, step=1, *, dtype=None, device=None, requires_grad=False):
    """start, start + step, ... below `end`; one argument counts from 0. int64 if all are ints."""
    if end is None:
        start, end = 0, start
    start, end, step = (n.item() if isinstance(n, Tensor) else n for n in (start, end, step))
    if step == 0 or (end - start) * step < 0:
        raise RuntimeError(f"arange: upper bound and lower bound inconsistent with step: {start}, {end}, {step}")
    count = int(np.ceil((end - start) / step))
    whole = all(isinstance(n, int) for n in (start, end, step))
    dtype = dtypes.of(dtype or (dtypes.int64 if whole else dtypes.get_default_dtype()))
    return _make(start + step * np.arange(count), dtype, device, requires_grad)


def linspace(start, end, steps, *, dtype=None, device=None, requires_grad=False):
    """`steps` evenly spaced values from `start` to `end`, both included."""
    return _make(np.linspace(start, end, steps), dtype or dtypes.get_default_dtype(), device, requires_grad)


def eye(n, m=None, *, dtype=None, device=None, requires_grad=False):
    """n rows and m (default n) columns with 1 on the diagonal, 0 elsewhere."""
    return _make(np.eye(n, m), dtype or dtypes.get_default_dtype(), device, requires_grad)


def _floating(name, dtype):
    """`dtype` (default: the default type) as NumPy's, checked to be floating point."""
    dtype = dtypes.of(dtype or dtypes.get_default_dtype())
    if not dtype.is_floating_point:
        raise NotImplementedError(f"{name}: not implemented for {dtype}; wanted a floating point dtype")
    return dtype.numpy


def rand(*size, generator=None, dtype=None, device=None, requires_grad=False):
    """Draws from [0, 1), bit for bit PyTorch's for the same seed."""
    drawn = (generator or default_generator).uniform(sizes(size), dtype=_floating("rand", dtype))
    return _make(drawn, None, device, requires_grad)


def randn(*size, generator=None, dtype=None, device=None, requires_grad=False):
    """Draws from the standard normal distribution, PyTorch's to rounding for the same seed."""
    drawn = (generator or default_generator).normal(sizes(size), dtype=_floating("randn", dtype))
    return _make(drawn, None, device, requires_grad)


def rand_like(input, *, dtype=None, device=None, requires_grad=False):
    """`rand` of input's size, dtype and device."""
    return rand(*input.shape, dtype=dtype or input.dtype, device=device or input.device, requires_grad=requires_grad)


def randn_like(input, *, dtype=None, device=None, requires_grad=False):
    """`randn` of input's size, dtype and device."""
    return randn(*input.shape, dtype=dtype or input.dtype, device=device or input.device, requires_grad=requires_grad)


def randint(low, high=None, size=None, *, generator=None, dtype=None, device=None, requires_grad=False):
    """Integers from `low` (default 0) to high - 1, bit for bit PyTorch's: ``randint(high, size)`` or all three.

    Raises
    ------
    RuntimeError
        If low >= high.
    """
    if size is None:
        low, high, size = 0, low, high
    if low >= high:
        raise RuntimeError(f"randint: expects 'from' < 'to', got from={low} >= to={high}")
    drawn = (generator or default_generator).integers(low, high, sizes((size,)))
    return _make(drawn, dtype, device, requires_grad)


def randperm(n, *, generator=None, dtype=None, device=None, requires_grad=False):
    """The numbers 0 to n - 1 in random order, bit for bit PyTorch's."""
    return _make((generator or default_generator).permutation(n), dtype or dtypes.int64, device, requires_grad)


def normal(mean=0.0, std=1.0, size=None, *, generator=None):
    """Draws from normal distributions: numbers with a `size`, or tensors of means and deviations."""
    if size is None:
        shape = np.broadcast_shapes(*(getattr(v, "shape", ()) for v in (mean, std)))
        return randn(*shape, generator=generator) * std + mean
    return _make((generator or default_generator).normal(sizes((size,)), mean, std), None, None, False)


def bernoulli(input, *, generator=None):
    """1 with the probability that each element of `input` gives, else 0."""
    p = backend.to_numpy(input.array)
    return _make((generator or default_generator).bernoulli(p, p.shape, p.dtype), None, input.device, False)


def multinomial(input, num_samples, replacement=False, *, generator=None):
    """Indices drawn with the (unnormalised) probabilities in each row of `input`, as PyTorch draws them.

    Parameters
    ----------
    input : Tensor of shape (C,) or (M, C), floating point, non-negative
    num_samples : int
    replacement : bool
        Whether an index may be drawn twice.

    Returns
    -------
    Tensor of int64, shape (num_samples,) or (M, num_samples)
    """
    drawn = (generator or default_generator).multinomial(backend.to_numpy(input.array), num_samples, replacement)
    return _make(drawn, None, input.device, False)
