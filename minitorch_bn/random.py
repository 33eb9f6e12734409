"""Random numbers: PyTorch's CPU generator, replayed with NumPy.

    mt19937  ->  raw 32-bit numbers  ->  uniform    ->  normal, exponential, cauchy, geometric, bernoulli, multinomial
                                     ->  remainder  ->  integers, permutation

A computer's "random" numbers are one long fixed list, produced by a recurrence; the seed chooses the place in the list
where one starts. Two programs that use the same recurrence, the same seed, and turn the list into samples in the same
way get the same samples. This file does all three as PyTorch 2.13 does on a CPU, so that a network starts here from the
same weights, and sees the same batches, as in PyTorch. What is equal bit for bit, and what only to the last digit, is
said at each method.

Every method uses up a definite number of raw 32-bit numbers ("draws"). That count is part of the replay: with one draw
too many or too few the present sample is right and every later one is wrong. So each docstring states it.

PyTorch rounds `a * b + c` once, not twice (a fused multiply-add), on every processor with AVX2 or newer; so does this
file, see `_cephes.multiply_add`. A PyTorch without such instructions differs from these numbers in the last digit.

No vendor library takes part. Until January 2025 PyTorch drew `exponential_` and `bernoulli_(p)` from Intel's MKL
(generator MCG31), on the processors where it could; pull request 146174 switched that off because the samples repeated
(issue 132395). Those older versions give other numbers for exponential, for bernoulli with one p (dropout), and for
multinomial.

The raw numbers, seeds and states are in _mt19937.py. Everything here takes and returns NumPy arrays, but for states;
the Tensor versions are built on top: `rand`, `randn`, `randint`, ... in drawing.py, `uniform_`, `normal_`, ... in
filling.py, `bernoulli` and `multinomial` in ops/drawing.py.

Source: PyTorch's ATen/core/DistributionsHelper.h, ATen/core/TransformationHelper.h, and
ATen/native/cpu/DistributionTemplates.h.
"""

import contextlib
import math
import operator
import warnings

import numpy as np

from . import backend
from ._cephes import log, multiply_add, sine_cosine
from ._mt19937 import RawStream

__all__ = [
    "Generator",
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]

WIDE_RANGE = 2**28  # integers over a range this wide or wider take 64 bits each
NORMAL_BLOCK = 16  # samples that `normal` makes together
CACHED = 1024 * NORMAL_BLOCK  # so many at a time stay in the processor's cache from one step of the formula to the next

# dtype asked for -> dtype that PyTorch computes in
FLOATS = {np.dtype(np.float16): np.dtype(np.float32)}
FLOATS |= {np.dtype(t): np.dtype(t) for t in (np.float32, np.float64)}
# dtype -> (smallest, largest) whole number such that it and all between it and zero exist in that dtype
WHOLE_NUMBERS = {np.dtype(np.bool_): (0, 1)}
WHOLE_NUMBERS |= {np.dtype(t): (-(2**d), 2**d) for t, d in ((np.float16, 11), (np.float32, 24), (np.float64, 53))}
WHOLE_NUMBERS |= {np.dtype(t): (int(np.iinfo(t).min), int(np.iinfo(t).max)) for t in "bhilqBHI"}


class Generator(RawStream):
    """A stream of random numbers: mt19937, PyTorch's generator on the CPU.

    Parameters
    ----------
    device : str or device, default "cpu"
        "cpu" is the only one: random numbers are made on the CPU and then moved.

    Raises
    ------
    RuntimeError
        If `device` is not the CPU.

    Examples
    --------
    >>> generator = Generator().manual_seed(0)
    >>> generator.uniform((3,))
    array([0.4962566 , 0.7682218 , 0.08847743], dtype=float32)
    >>> generator.integers(0, 10, (5,))
    array([0, 3, 9, 7, 3])
    """

    def __init__(self, device="cpu"):
        if backend.device(device).type != "cpu":
            raise RuntimeError(f"Generator: device 'cpu' is the only one supported, got {str(device)!r}")
        super().__init__()

    device = backend.CPU

    def __reduce__(self):
        return _restored, (np.asarray(self.get_state()),)

    def _fractions(self, n, dtype):
        """Return `n` uniform numbers in [0, 1): the lowest 24 random bits times 2**-24, or in float64 53 times 2**-53.

        24 and 53 are the binary digits of the two formats. With more bits the whole number would have to be rounded,
        and the largest ones would be rounded up to 1, which must not occur: log(1 - 1) is -inf. With fewer, values are
        lost.
        Uses n draws for float32, 2 * n for float64.
        """
        if dtype == np.float64:
            return (self.random64(n) & (2**53 - 1)) * 2.0**-53
        return (self.random32(n) & (2**24 - 1)).astype(np.float32) * np.float32(2.0**-24)

    # ---- real numbers

    def uniform(self, shape, low=0.0, high=1.0, dtype=np.float32):
        """Uniform samples in [low, high): `torch.rand`, `Tensor.uniform_`. Equal to PyTorch's bit for bit.

            x = low + (high - low) * fraction         fraction = k / 2**24, or k / 2**53 in float64, k random

        The one rounding of that line can reach `high`; PyTorch then returns `low`, and so does this.
        Uses one draw per sample, in float64 two.

        Parameters
        ----------
        shape : int or tuple of int
        low, high : float
        dtype : float16, float32 or float64

        Returns
        -------
        ndarray of shape `shape`

        Raises
        ------
        RuntimeError
            If low > high, or high - low does not fit into `dtype`, or a dimension is negative.
        NotImplementedError
            If `dtype` is not a floating type.
        """
        dtype, shape = _float_dtype("uniform", dtype), _checked_shape("uniform", shape)
        if not low <= high:
            raise RuntimeError(f"uniform expects a range [low, high), got low={low} > high={high}")
        if not high - low <= float(np.finfo(dtype).max):
            raise RuntimeError(f"uniform: high - low must fit into {dtype}, got low={low} and high={high}")
        precise = FLOATS[dtype]
        low, high = precise.type(low), precise.type(high)
        samples = self._fractions(math.prod(shape), precise)
        if (low, high) != (0, 1):
            samples = multiply_add(samples, float(high - low), float(low))
        samples = _cast(samples, dtype)
        samples[samples == dtype.type(high)] = low
        return samples.reshape(shape)

    def normal(self, shape, mean=0.0, std=1.0, dtype=np.float32, in_pairs=False):
        """Normal (Gaussian) samples: `torch.randn`, `Tensor.normal_`, `torch.normal`, by the method of Box and Muller.

            radius = sqrt(-2 log(1 - u))       angle = 2 pi v       u, v uniform in [0, 1)
            x = radius cos(angle)              y = radius sin(angle)

        Two independent normal samples, seen as a point in the plane, have a uniform angle, and half their squared
        distance from the origin is exponentially distributed; so draw those two and go back to x and y. PyTorch does it
        in two ways:

        - Fewer than 16 samples: one pair (x, y) at a time, in float64 whatever `dtype` is; y is cached in the generator
          and becomes the first sample of the next such call. Uses 4 draws per new pair. Bit for bit (with the same C
          library: log1p, cos and sin are Python's).
        - 16 samples or more: in blocks of 16, of which numbers 0-7 are the u and 8-15 the v; the cache is left alone.
          If the size is no multiple of 16, the last 16 samples are thrown away and drawn anew. Uses one draw per sample
          (in float64 two), and 16 more (32) for those drawn anew; in float16 nothing is drawn for the incomplete block
          the first time. In float32 and float16 bit for bit with PyTorch on a processor with AVX2, see `_cephes.py`; in
          float64 within 1e-15 of max(1, |sample|).

        Source: Box & Muller 1958, Annals of Mathematical Statistics 29(2), eq. 1.

        Parameters
        ----------
        shape : int or tuple of int
        mean, std : float
        dtype : float16, float32 or float64
        in_pairs : bool
            The first way for any size: PyTorch takes it for tensors that do not lie in order.

        Returns
        -------
        ndarray of shape `shape`

        Raises
        ------
        RuntimeError
            If std < 0, or a dimension is negative.
        NotImplementedError
            If `dtype` is not a floating type.
        """
        dtype, shape = _float_dtype("normal", dtype), _checked_shape("normal", shape)
        if not std >= 0:
            raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")
        count = math.prod(shape)
        if count < NORMAL_BLOCK or in_pairs:
            samples = self._normal_pairs(count)
        else:
            samples = self._normal_blocks(count, dtype)
            mean, std = samples.dtype.type(mean), samples.dtype.type(std)
        if (mean, std) != (0, 1):
            samples = multiply_add(samples, float(std), float(mean))
        return _cast(samples, dtype).reshape(shape)

    def _normal_pairs(self, count):
        """Return `count` standard normal samples, float64, one Box-Muller pair at a time; see `normal`."""
        samples = []
        while len(samples) < count:
            if self._second_normal is not None:
                samples.append(self._second_normal)
                self._second_normal = None
            else:
                v, u = self._fractions(2, np.float64).tolist()
                radius = math.sqrt(-2 * math.log1p(-u))
                angle = 2 * math.pi * v
                samples.append(radius * math.cos(angle))
                self._second_normal = radius * math.sin(angle)
        return np.array(samples, np.float64)

    def _normal_blocks(self, count, dtype):
        """Return `count` standard normal samples, float32 or float64, in blocks of 16; see `normal`."""
        precise = FLOATS[dtype]
        whole = count - count % NORMAL_BLOCK
        # float16 draws block by block; the wider types first draw all, including the incomplete block
        fractions = self._fractions(whole if dtype == np.float16 else count, precise)
        samples = np.empty(count, precise)
        for start in range(0, whole, CACHED):
            stop = min(start + CACHED, whole)
            samples[start:stop] = _box_muller(fractions[start:stop])
        if whole < count:
            samples[-NORMAL_BLOCK:] = _box_muller(self._fractions(NORMAL_BLOCK, precise))
        return samples

    def exponential(self, shape, rate=1.0, dtype=np.float32):
        """Exponential samples with density rate * exp(-rate * x): `Tensor.exponential_`.

            x = -log(1 - u) / rate        the inverse of the distribution function u = 1 - exp(-rate * x)

        Computed in float64 whatever `dtype` is. Uses two draws per sample. Bit for bit in float32 and float16 (but for
        a rounding tie, about one in 10**8); in float64 within 4e-16 of the sample, since NumPy has its own log1p.

        Parameters
        ----------
        shape : int or tuple of int
        rate : float
            1 / mean; PyTorch's `lambd`.
        dtype : float16, float32 or float64

        Returns
        -------
        ndarray of shape `shape`

        Raises
        ------
        RuntimeError
            If not rate > 0, a dimension is negative, or `dtype` is not a floating type.
        """
        dtype, shape = _float_dtype("exponential", dtype, RuntimeError), _checked_shape("exponential", shape)
        if not rate > 0:
            raise RuntimeError(f"exponential expects rate > 0.0, but found rate={rate}")
        samples = -1.0 / rate * np.log1p(-self._fractions(math.prod(shape), np.float64))
        return _cast(samples, dtype).reshape(shape)

    def cauchy(self, shape, median=0.0, sigma=1.0, dtype=np.float32):
        """Cauchy samples: `Tensor.cauchy_`.

            x = median + sigma * tan(pi * (u - 1/2))        the inverse of the distribution function

        Computed in float64 whatever `dtype` is. Uses two draws per sample. NumPy's tan and the C library's agree to
        1e-15 of the sample, so float32 and float16 are PyTorch's but for a rounding tie.

        Parameters
        ----------
        shape : int or tuple of int
        median, sigma : float
        dtype : float16, float32 or float64

        Raises
        ------
        RuntimeError
            If not sigma > 0, a dimension is negative, or `dtype` is not a floating type.
        """
        dtype, shape = _float_dtype("cauchy", dtype, RuntimeError), _checked_shape("cauchy", shape)
        if not sigma > 0:
            raise RuntimeError(f"cauchy expects sigma > 0.0, but found sigma={sigma}")
        samples = median + sigma * np.tan(np.pi * (self._fractions(math.prod(shape), np.float64) - 0.5))
        return _cast(samples, dtype).reshape(shape)

    def log_normal(self, shape, mean=1.0, std=2.0, dtype=np.float32):
        """Samples whose logarithm is normal: `Tensor.log_normal_`. exp of pairs of normal samples, see `normal`.

        Bit for bit in float32 and float16 (but for a rounding tie); in float64 within 4e-16 of the sample, since NumPy
        has its own exp.

        Parameters
        ----------
        shape : int or tuple of int
        mean, std : float
            Of the logarithm.
        dtype : float16, float32 or float64

        Raises
        ------
        RuntimeError
            If not std > 0, or a dimension is negative.
        NotImplementedError
            If `dtype` is not a floating type.
        """
        dtype, shape = _float_dtype("log_normal", dtype), _checked_shape("log_normal", shape)
        if not std > 0:
            raise RuntimeError(f"log_normal expects std > 0.0, but found std={std}")
        samples = np.exp(multiply_add(self._normal_pairs(math.prod(shape)), float(std), float(mean)))
        return _cast(samples, dtype).reshape(shape)

    # ---- whole numbers

    def geometric(self, p, shape, dtype=np.float32):
        """How many trials until the first success with probability `p`: `Tensor.geometric_`.

            x = ceil(log(u) / log(1 - p))        P(x > k) = (1 - p)^k

        Uses two draws per sample. Equal to PyTorch's, unless a quotient lies within rounding of a whole number.

        Parameters
        ----------
        p : float
        shape : int or tuple of int
        dtype : any integer type or floating type

        Raises
        ------
        RuntimeError
            If not 0 < p < 1, or a dimension is negative.
        """
        shape = _checked_shape("geometric", shape)
        if not 0 < p < 1:
            raise RuntimeError(f"geometric expects p to be in (0, 1), but got p={p}")
        trials = np.ceil(np.log(self._fractions(math.prod(shape), np.float64)) / math.log1p(-p))
        return _cast(trials, np.dtype(dtype)).reshape(shape)

    def integers(self, low, high, shape, dtype=np.int64):
        """Whole numbers from `low` to `high` - 1: `torch.randint`, `Tensor.random_(low, high)`. Equal bit for bit.

            x = low + raw % (high - low)

        The remainder is not quite fair. If 2**32 is not a multiple of the range, the smallest values own one raw number
        more than the others: with the range 3 * 2**30, the lowest third would come twice as often. The excess is at
        most range / 2**32; PyTorch accepts it up to 2**28 (6 percent) and takes 64 raw bits from there on. Uses one
        draw per sample, two if high - low >= 2**28.

        Parameters
        ----------
        low, high : int
        shape : int or tuple of int
        dtype : any integer type, bool, or a floating type
            Where a floating type does not hold every whole number of the range, values are rounded, with a warning.

        Returns
        -------
        ndarray of shape `shape`

        Raises
        ------
        RuntimeError
            If low >= high, or the bounds do not fit into `dtype`, or a dimension is negative.
        NotImplementedError
            If `dtype` is not one of these.
        """
        dtype, shape = np.dtype(dtype), _checked_shape("integers", shape)
        low, high = operator.index(low), operator.index(high)
        if low >= high:
            raise RuntimeError(f"integers expects low to be less than high, but got low={low} >= high={high}")
        smallest, largest = _whole_numbers("integers", dtype)
        if low < smallest or high - 1 > largest:
            low, high = _rounded_range(low, high, dtype, smallest, largest)
        count, width = math.prod(shape), high - low
        if width == 2**64:  # the whole of int64: any 64 bits are a value, and nothing is added
            return self.random64(count).astype(dtype).reshape(shape)
        draw = self.random32 if width < WIDE_RANGE else self.random64
        values = (draw(count) % width).astype(np.int64)
        if low != 0:
            values += low  # modulo 2**64
        return values.astype(dtype, copy=False).reshape(shape)

    def whole_range(self, shape, dtype=np.int64):
        """Whole numbers from zero to the largest in `dtype`: `Tensor.random_()` without bounds. Equal bit for bit.

        In the floating types up to 2**digits (float32: 2**24), up to which every whole number exists.
        Uses one draw per sample; int64 and float64 use two.

        Parameters
        ----------
        shape : int or tuple of int
        dtype : any integer type, bool or floating type

        Returns
        -------
        ndarray of shape `shape`
        """
        dtype, shape = np.dtype(dtype), _checked_shape("whole_range", shape)
        _, largest = _whole_numbers("whole_range", dtype)
        draw = self.random64 if dtype in (np.int64, np.float64) else self.random32
        return (draw(math.prod(shape)) % (largest + 1)).astype(dtype).reshape(shape)

    def permutation(self, n):
        """The numbers 0 to n - 1 in random order: `torch.randperm`. Equal bit for bit.

        The shuffle of Fisher and Yates: for every place from the left, choose one of the places from there to the right
        end and exchange the two. Every order is equally likely, but for the small bias of the remainder (see
        `integers`). Uses n - 1 draws: the last place has no choice.

        Source: Durstenfeld 1964, Communications of the ACM 7(7), algorithm 235.

        Parameters
        ----------
        n : int

        Returns
        -------
        ndarray of shape (n,), int64

        Raises
        ------
        RuntimeError
            If n is negative, or 2**32 / 20 or more (PyTorch changes its algorithm there).
        """
        n = operator.index(n)
        if not 0 <= n < 2**32 // 20:
            raise RuntimeError(f"permutation: n must be from 0 to {2**32 // 20 - 1}, got {n}")
        order = list(range(n))  # a list: single elements are exchanged faster than in an array
        places_left = np.arange(n, 1, -1, dtype=np.uint32)
        steps = self.random32(len(places_left)) % places_left
        for here, step in enumerate(steps.tolist()):
            there = here + step
            order[here], order[there] = order[there], order[here]
        return np.array(order, np.int64)

    # ---- choices

    def bernoulli(self, p, shape=None, dtype=None):
        """Ones with probability p, else zeros. Equal bit for bit.

        - `p` a number: `Tensor.bernoulli_(p)`, which dropout uses. Uses two draws per sample.
        - `p` an array, one probability per sample: `torch.bernoulli(p)`, `Tensor.bernoulli_(p_tensor)`. Uses one draw
          per sample, two if `p` is float64.

        Parameters
        ----------
        p : float, or ndarray of floats
        shape : int or tuple of int, optional
            Needed if `p` is a number; an array is broadcast to it (default: its own shape).
        dtype : numeric type, optional
            Default float32 if `p` is a number, else the dtype of `p`.

        Returns
        -------
        ndarray of shape `shape`

        Raises
        ------
        RuntimeError
            If a probability is not in [0, 1].
        NotImplementedError
            If `p` is an array but not of floats.
        """
        if isinstance(p, np.ndarray):
            p_dtype = _float_dtype("bernoulli (p)", p.dtype)
            precise, dtype = FLOATS[p_dtype], p_dtype if dtype is None else dtype
            p = p if shape is None else np.broadcast_to(p, shape)
            shape = p.shape
        else:
            precise, dtype = np.dtype(np.float64), np.float32 if dtype is None else dtype
        if not np.all((p >= 0) & (p <= 1)):
            raise RuntimeError(f"bernoulli expects p to be in [0, 1], but got p={p}")
        shape = _checked_shape("bernoulli", shape)
        fractions = self._fractions(math.prod(shape), precise).reshape(shape)
        return np.asarray(fractions < p).astype(dtype)

    def multinomial(self, weights, num_samples, replacement=False):
        """Indices of categories, drawn with the given weights: `torch.multinomial`.

        With replacement and more than one sample: find a uniform number in the cumulative distribution. In float32 the
        sum is accumulated in float32, one category after the other, as in PyTorch. Uses two draws per sample.

        Otherwise an exponential race: category i arrives at the time exponential / weight_i; those with the
        `num_samples` earliest times are drawn, in the order of their arrival. Uses two draws per weight.

        The indices are PyTorch's, but for one case that PyTorch leaves open: without replacement, the order of equal
        times. These are: categories of weight zero, if there are too few others; now and then two of ten thousand
        categories in float32; and in float16 often.

        Source: the race, Efraimidis & Spirakis 2006, Information Processing Letters 97(5).

        Parameters
        ----------
        weights : ndarray of floats, of shape (categories,) or (rows, categories)
            Not negative, finite, and in no row all zero; they need not sum to 1.
        num_samples : int
            Samples per row.
        replacement : bool
            Whether a category may be drawn more than once.

        Returns
        -------
        ndarray of shape (num_samples,) or (rows, num_samples), int64

        Raises
        ------
        RuntimeError
            If `weights` has another shape or dtype, more than 2**24 categories, an entry that is negative or not
            finite, or a row that sums to zero; or if `num_samples` is not positive, or too large without replacement.
        """
        weights, num_samples = np.asarray(weights), operator.index(num_samples)
        _check_multinomial(weights, num_samples, replacement)
        if weights.size == 0:
            return np.zeros(weights.shape[:-1] + (num_samples,), np.int64)
        if replacement and num_samples > 1:
            return self._multinomial_with_replacement(weights, num_samples)
        if weights.ndim == 1 or weights.strides[0] >= weights.strides[1] or weights.strides[0] == 0:
            times = self.exponential(weights.shape, 1.0, weights.dtype)
        else:  # a transposed matrix: PyTorch draws in the order of memory
            times = self.exponential(weights.shape[::-1], 1.0, weights.dtype).T
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            speed = weights / times
        if num_samples == 1:
            return speed.argmax(axis=-1, keepdims=True)
        return np.argsort(-speed, axis=-1, kind="stable")[..., :num_samples]

    def _multinomial_with_replacement(self, weights, num_samples):
        """Invert the cumulative distribution of every row; see `multinomial`."""
        rows = weights.reshape(-1, weights.shape[-1])
        points = self._fractions(len(rows) * num_samples, np.float64).reshape(len(rows), num_samples)
        indices = np.empty(points.shape, np.int64)
        for row, point, index in zip(rows, points, indices):
            cumulative = np.cumsum(row, dtype=FLOATS[row.dtype])
            cumulative /= cumulative[-1]
            index[:] = np.searchsorted(cumulative.astype(np.float64), point)
        return indices.reshape(weights.shape[:-1] + (num_samples,))


# ---- arithmetic


def _box_muller(fractions):
    """Turn uniform numbers into normal ones, in blocks of 16: 8 for the radius, 8 for the angle; see `normal`."""
    blocks = fractions.reshape(-1, NORMAL_BLOCK)
    u, v = 1 - blocks[:, :8], blocks[:, 8:]
    angle = u.dtype.type(2 * np.pi) * v
    if u.dtype == np.float32:
        log_u, (sine, cosine) = log(u), sine_cosine(angle)
    else:
        log_u, sine, cosine = np.log(u), np.sin(angle), np.cos(angle)
    radius = np.sqrt(-2 * log_u)
    return np.concatenate([radius * cosine, radius * sine], axis=1).ravel()


def _cast(samples, dtype):
    """Convert to `dtype`; to float16 by way of float32, as PyTorch does (two roundings)."""
    if dtype == np.float16:
        samples = samples.astype(np.float32, copy=False)
    return samples.astype(dtype, copy=False)


# ---- checks


def _checked_shape(name, shape):
    """Return `shape` as a tuple, or raise PyTorch's error for a negative dimension."""
    shape = shape if type(shape) is tuple else (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    if shape and min(shape) < 0:
        raise RuntimeError(f"{name}: Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
    return shape


def _float_dtype(name, dtype, error=NotImplementedError):
    """Return `dtype` as a NumPy dtype, or raise if it is not one of the keys of FLOATS."""
    dtype = np.dtype(dtype)
    if dtype not in FLOATS:
        raise error(f"{name}: dtype float16, float32 or float64 wanted, got {dtype}")
    return dtype


def _whole_numbers(name, dtype):
    """Return the smallest and largest whole number of `dtype`, or raise if WHOLE_NUMBERS has none."""
    if dtype not in WHOLE_NUMBERS:
        raise NotImplementedError(f"{name}: an integer dtype, bool, float16, float32 or float64 wanted, got {dtype}")
    return WHOLE_NUMBERS[dtype]


def _rounded_range(low, high, dtype, smallest, largest):
    """Return (low, high) as PyTorch changes them where `dtype` does not hold every whole number between them.

    Raises
    ------
    RuntimeError
        If a bound does not even lie in the range of `dtype`.
    """
    if dtype.kind != "f" or max(abs(low), abs(high - 1)) > float(np.finfo(dtype).max):
        raise RuntimeError(f"integers: {dtype} holds {smallest} to {largest}, got low={low}, high={high}")
    warnings.warn(
        f"integers: {dtype} holds every whole number from {smallest} to {largest} only, got low={low}, high={high}: "
        "values are rounded",
        stacklevel=4,
    )
    digits = largest.bit_length() - 1
    if int(dtype.type(high - 1)) >= high:
        high = int(dtype.type(high - 1)) - 2 ** (abs(high - 1).bit_length() - digits)
    if int(dtype.type(low + 1)) < low:
        low = int(dtype.type(low + 1)) + 2 ** (abs(low + 1).bit_length() - digits)
    return low, high


def _check_multinomial(weights, num_samples, replacement):
    """Raise PyTorch's errors for `Generator.multinomial`."""
    if weights.dtype not in FLOATS:
        raise RuntimeError(f"multinomial only supports floating-point dtypes for weights, got: {weights.dtype}")
    if weights.ndim not in (1, 2):
        raise RuntimeError(f"multinomial: weights must be 1 or 2 dim, got {weights.ndim} dim")
    categories = weights.shape[-1]
    if num_samples <= 0:
        raise RuntimeError(f"multinomial: cannot sample num_samples <= 0 samples, got {num_samples}")
    if not replacement and num_samples > categories:
        raise RuntimeError(f"multinomial: cannot sample {num_samples} of {categories} categories without replacement")
    if categories > 2**24:
        raise RuntimeError(f"multinomial: number of categories cannot exceed 2^24, got {categories}")
    if not np.all(np.isfinite(weights) & (weights >= 0)):
        raise RuntimeError("multinomial: weights contain either `inf`, `nan` or element < 0")
    if not np.all(weights.any(axis=-1)):
        raise RuntimeError("multinomial: invalid multinomial distribution (sum of weights <= 0)")


# ---- the generator everybody shares

default_generator = Generator()
default_generator.seed()  # as in PyTorch: without manual_seed, every process gets other numbers


def manual_seed(seed):
    """Seed the shared generator; return it. `seed`: int, see `Generator.manual_seed` (first converted by `int`)."""
    return default_generator.manual_seed(int(seed))


def seed():
    """Seed the shared generator from the operating system's entropy; return the seed."""
    return default_generator.seed()


def initial_seed():
    """Return the seed of the shared generator."""
    return default_generator.initial_seed()


def get_rng_state():
    """Return the state of the shared generator: shape (5056,), uint8."""
    return default_generator.get_state()


def set_rng_state(new_state):
    """Set the state of the shared generator to what `get_rng_state` returned."""
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(devices=None, enabled=True):
    """Put the shared generator back, at the end of the block, where it was at its beginning.

    Parameters
    ----------
    devices : ignored
        Random numbers are made on the CPU for all devices, with this one generator.
    enabled : bool
        If false, nothing is put back.
    """
    state = default_generator.get_state()
    try:
        yield
    finally:
        if enabled:
            default_generator.set_state(state)


def _restored(state):
    """Return a generator in the given state: how copies and pickles are made."""
    generator = Generator()
    generator.set_state(state)
    return generator
