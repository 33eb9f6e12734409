"""New tensors drawn at random. (In place: filling.py. The distributions: random.py.)

Numbers come from `random.default_generator` unless a generator is given, and replay PyTorch's CPU stream, also for
tensors on a GPU. What is made "like" a tensor gets its numbers in the order of that tensor's memory, as in PyTorch.
"""

import operator

import numpy as np

from . import dtypes, ops
from .creation import check_options, contiguous_format, make, shape_of
from .engine import apply
from .ops.axes import must_be_tensor
from .ops.drawing import Draw
from .random import Generator, default_generator
from .tensor import Tensor


def _generator(name, generator):
    """`generator`, or the default one; TypeError for anything else."""
    if generator is not None and not isinstance(generator, Generator):
        raise TypeError(f"{name}: generator must be a Generator, got {type(generator).__name__}")
    return generator or default_generator


def _dtype(d, like=None):
    """A dtype as NumPy's; default that of the tensor `like`, or the default floating point type."""
    return dtypes.of(d or (dtypes.get_default_dtype() if like is None else like.dtype)).numpy


def rand(*size, generator=None, dtype=None, device=None, requires_grad=False, **options):
    """Draws from [0, 1), bit for bit PyTorch's for the same seed.

    Raises
    ------
    NotImplementedError
        If `dtype` is not floating point.
    RuntimeError
        If a size is negative.
    """
    shape = shape_of("rand", size, options)
    check_options("rand", options)
    drawn = _generator("rand", generator).uniform(shape, dtype=_dtype(dtype))
    return make(drawn, None, device, requires_grad)


def randn(*size, generator=None, dtype=None, device=None, requires_grad=False, **options):
    """Draws from the standard normal distribution, for the same seed PyTorch's.

    Bit for bit in float32 and float16 (on processors with AVX2); in float64 within 1e-15 of max(1, |x|) for 16 numbers
    or more, bit for bit for fewer. See `random.Generator.normal`.

    Raises
    ------
    NotImplementedError
        If `dtype` is not floating point.
    RuntimeError
        If a size is negative.
    """
    shape = shape_of("randn", size, options)
    check_options("randn", options)
    drawn = _generator("randn", generator).normal(shape, dtype=_dtype(dtype))
    return make(drawn, None, device, requires_grad)


def _like(name, input, draw, device, requires_grad, options):
    """A tensor of numbers drawn by draw(shape, whether in pairs), laid out like `input`."""
    must_be_tensor(name, input)
    check_options(name, options)
    if options.get("memory_format") is contiguous_format:
        drawn = draw(tuple(input.shape), False)
    else:
        in_pairs = not ops.laid_out_like(input.array, np.empty).flags.c_contiguous
        drawn = ops.laid_out_like(input.array, lambda shape: draw(shape, in_pairs))
    return make(drawn, None, device or input.device, requires_grad)


def rand_like(input, *, generator=None, dtype=None, device=None, requires_grad=False, **options):
    """`rand` of input's size, dtype and device."""
    g = _generator("rand_like", generator)
    return _like(
        "rand_like",
        input,
        lambda shape, _: g.uniform(shape, dtype=_dtype(dtype, input)),
        device,
        requires_grad,
        options,
    )


def randn_like(input, *, generator=None, dtype=None, device=None, requires_grad=False, **options):
    """`randn` of input's size, dtype and device."""
    g = _generator("randn_like", generator)
    return _like(
        "randn_like",
        input,
        lambda shape, in_pairs: g.normal(shape, dtype=_dtype(dtype, input), in_pairs=in_pairs),
        device,
        requires_grad,
        options,
    )


def _bounds(name, low, high):
    """The bounds of `randint` as ints."""
    for n in (low, high):
        if isinstance(n, bool) or not hasattr(n, "__index__"):
            raise TypeError(f"{name}: low and high must be ints, got {type(n).__name__}")
    low, high = operator.index(low), operator.index(high)
    if not (-(2**63) <= low < 2**63 and -(2**63) <= high < 2**63):
        raise ValueError(f"{name}: overflow: low and high must fit into 64 bits, got {low} and {high}")
    if low >= high:
        raise RuntimeError(f"{name}: expects 'from' to be less than 'to', got from={low} >= to={high}")
    return low, high


def randint(low=0, high=None, size=None, *, generator=None, dtype=None, device=None, requires_grad=False, **options):
    """Integers from `low` (default 0) to high - 1, bit for bit PyTorch's: ``randint(high, size)`` or all three.

    Raises
    ------
    RuntimeError
        If low >= high, a bound does not fit into `dtype`, or a size is negative.
    TypeError
        If the bounds are no ints, or `size` is no tuple of ints.
    """
    if isinstance(high, tuple | list) and size is None:
        low, high, size = 0, low, high
    if not isinstance(size, tuple | list):
        raise TypeError(f"randint: size must be a tuple of ints, got {type(size).__name__}")
    low, high = _bounds("randint", low, high)
    shape = shape_of("randint", (tuple(size),), {})
    check_options("randint", options)
    drawn = _generator("randint", generator).integers(low, high, shape, _dtype(dtype or dtypes.int64))
    return make(drawn, None, device, requires_grad)


def randint_like(input, low=0, high=None, *, generator=None, dtype=None, device=None, requires_grad=False, **options):
    """Integers from `low` (default 0) to high - 1 in input's size, dtype and device: ``randint_like(input, high)``."""
    low, high = _bounds("randint_like", *((0, low) if high is None else (low, high)))
    g = _generator("randint_like", generator)
    return _like(
        "randint_like",
        input,
        lambda shape, _: g.integers(low, high, shape, _dtype(dtype, input)),
        device,
        requires_grad,
        options,
    )


def randperm(n, *, generator=None, dtype=dtypes.int64, device=None, requires_grad=False, **options):
    """The numbers 0 to n - 1 in random order, bit for bit PyTorch's.

    Raises
    ------
    RuntimeError
        If `n` is negative or too large for `dtype`.
    TypeError
        If `n` is no int.
    NotImplementedError
        If `dtype` is bool.
    """
    (n,) = shape_of("randperm", (n,), {})
    check_options("randperm", options)
    dtype = dtypes.of(dtype)
    if dtype is dtypes.bool:
        raise NotImplementedError("randperm: not implemented for bool")
    most = 2 ** (np.finfo(dtype.numpy).nmant + 1) + 1 if dtype.is_floating_point else int(np.iinfo(dtype.numpy).max)
    if n > most:
        raise RuntimeError(f"randperm: n must not be greater than {most} for {dtype}, got {n}")
    return make(_generator("randperm", generator).permutation(n), dtype, device, requires_grad)


def normal(mean=0.0, std=1.0, size=None, *, generator=None, dtype=None, device=None, requires_grad=False, **options):
    """Draws from normal distributions: numbers with a `size`, or tensors of means and deviations.

    Where tensors are given, the result has the dtype of the means, or else of the deviations: standard normal numbers
    (see `randn`) times `std`, rounded, plus `mean`, rounded. As in PyTorch no gradient passes: they are zeros.

    Parameters
    ----------
    mean, std : float or Tensor
        Tensors broadcast.
    size : tuple of int
        Only, and always, with two numbers.

    Raises
    ------
    RuntimeError
        If a deviation is negative, or the shapes do not broadcast.
    TypeError
        If there is no `size` for two numbers, or one for tensors.
    NotImplementedError
        If the result would not be floating point.
    """
    g, tensors = _generator("normal", generator), [v for v in (mean, std) if isinstance(v, Tensor)]
    if bool(tensors) == isinstance(size, tuple | list):
        raise TypeError("normal: wanted a size (a tuple) for two numbers, and none where a tensor is given")
    if not tensors:
        shape = shape_of("normal", (size,), options)
        check_options("normal", options)
        return make(g.normal(shape, mean, std, _dtype(dtype)), None, device, requires_grad)
    if not (std.array >= 0).all() if isinstance(std, Tensor) else not std >= 0:
        raise RuntimeError(f"normal: expects all elements of std >= 0.0, got {std}")
    try:
        shape = np.broadcast_shapes(*(t.array.shape for t in tensors))
    except ValueError:
        raise RuntimeError(f"normal: shapes {tuple(mean.shape)} and {tuple(std.shape)} do not broadcast") from None
    dtype = tensors[0].dtype
    if isinstance(std, Tensor):
        y = (make(g.normal(shape, dtype=dtype.numpy), None, std.device) * std.detach()).to(dtype)
    else:
        y = make(g.normal(shape, 0.0, std, dtype.numpy), None, mean.device)
    y = (y + (mean.detach() if isinstance(mean, Tensor) else mean)).to(dtype)
    op = Draw(y.array)
    op.torch_name = f"NormalBackward{1 if not isinstance(std, Tensor) else len(tensors) + 1}"
    return apply(op, mean, std)
