"""In-place draws: x.uniform_(), x.normal_() and their kin fill `x` with PyTorch's numbers for the same seed.

Numbers are handed out in the order of memory, as in PyTorch: a transposed matrix gets them column by column. Nothing is
drawn when an error is raised. The distributions, and what is equal bit for bit, are described in random.py.

PyTorch calls the lower bound of `uniform_` and `random_` `from`, which Python does not allow as a name: pass it by
position, or as ``**{"from": low}``.
"""

from . import backend, ops
from .inplace import write
from .random import WHOLE_NUMBERS, default_generator


def uniform_(self, start=0.0, to=1.0, *, generator=None, **named):
    """Every element becomes a draw from [start, to).

    Raises
    ------
    RuntimeError
        If start > to, the range does not fit into the dtype, or `self` is a leaf that requires grad.
    NotImplementedError
        If `self` is not floating point.
    """
    start = _from("uniform_", start, named)
    g = generator or default_generator
    return _fill("uniform_", self, lambda shape: g.uniform(shape, start, to, self.array.dtype))


def normal_(self, mean=0.0, std=1.0, *, generator=None):
    """Every element becomes a draw from the normal distribution.

    Raises
    ------
    RuntimeError
        If not std >= 0, or `self` is a leaf that requires grad.
    NotImplementedError
        If `self` is not floating point.
    """
    g, in_pairs = generator or default_generator, not self.array.flags.c_contiguous
    return _fill("normal_", self, lambda shape: g.normal(shape, mean, std, self.array.dtype, in_pairs))


def log_normal_(self, mean=1.0, std=2.0, *, generator=None):
    """Every element becomes exp of a draw from the normal distribution.

    Raises
    ------
    RuntimeError
        If not std > 0, or `self` is a leaf that requires grad.
    NotImplementedError
        If `self` is not floating point.
    """
    g = generator or default_generator
    return _fill("log_normal_", self, lambda shape: g.log_normal(shape, mean, std, self.array.dtype))


def exponential_(self, lambd=1.0, *, generator=None):
    """Every element becomes a draw from the exponential distribution with mean 1 / lambd.

    Raises
    ------
    RuntimeError
        If not lambd > 0, or `self` is not floating point or a leaf that requires grad.
    """
    g = generator or default_generator
    return _fill("exponential_", self, lambda shape: g.exponential(shape, lambd, self.array.dtype))


def cauchy_(self, median=0.0, sigma=1.0, *, generator=None):
    """Every element becomes a draw from the Cauchy distribution.

    Raises
    ------
    RuntimeError
        If not sigma > 0, or `self` is not floating point or a leaf that requires grad.
    """
    g = generator or default_generator
    return _fill("cauchy_", self, lambda shape: g.cauchy(shape, median, sigma, self.array.dtype))


def geometric_(self, p, *, generator=None):
    """Every element becomes the number of trials until the first success with probability `p`.

    Raises
    ------
    RuntimeError
        If not 0 < p < 1, or `self` is a leaf that requires grad.
    """
    g = generator or default_generator
    return _fill("geometric_", self, lambda shape: g.geometric(p, shape, self.array.dtype))


def bernoulli_(self, p=0.5, *, generator=None):
    """Every element becomes 1 with probability `p`, a number or a tensor that broadcasts to `self`, else 0.

    Raises
    ------
    RuntimeError
        If a probability is not in [0, 1], `p` does not broadcast, or `self` is a leaf that requires grad.
    NotImplementedError
        If `p` is a tensor, but not floating point.
    """
    g, dtype = generator or default_generator, self.array.dtype
    if not hasattr(p, "array"):
        return _fill("bernoulli_", self, lambda shape: g.bernoulli(p, shape, dtype))
    each = ops.expand(p.detach(), *self.array.shape)  # one probability per element, in self's order in memory
    each = backend.to_numpy(each.array.transpose(ops.memory_order(self.array)))
    return _fill("bernoulli_", self, lambda shape: g.bernoulli(each, shape, dtype))


def random_(self, *bounds, generator=None, **named):
    """Every element becomes a whole number: ``random_()``, ``random_(to)`` or ``random_(start, to)``.

    Without bounds from 0 to the largest whole number of the dtype (in floating point up to 2**digits, for example
    2**24 in float32); with ``to=None`` from `start` up to that one.

    Raises
    ------
    RuntimeError
        If start >= to, a bound lies outside of the dtype, or `self` is a leaf that requires grad.
    TypeError
        If a bound is no int.
    """
    g, dtype = generator or default_generator, self.array.dtype
    if "to" in named:
        bounds = (*bounds, named.pop("to"))
    start = _from("random_", None, named)
    if start is not None:
        bounds = (start, *bounds)
        if len(bounds) == 1:
            raise TypeError("random_: got `from` without `to`; pass both, to=None for the largest number of the dtype")
    if len(bounds) > 2 or not all(b is None or hasattr(b, "__index__") for b in bounds):
        raise TypeError(f"random_: wanted no bound, `to`, or `from` and `to`, all ints; got {bounds}")
    if not bounds:
        return _fill("random_", self, lambda shape: g.whole_range(shape, dtype))
    low, high = (0, *bounds) if len(bounds) == 1 else bounds
    if high is None:
        high = WHOLE_NUMBERS[dtype][1] + 1
    return _fill("random_", self, lambda shape: g.integers(low, high, shape, dtype))


def _from(name, start, named):
    """The lower bound: `start`, unless it was given by PyTorch's name; raises TypeError for any other name."""
    start = named.pop("from", start)
    if named:
        raise TypeError(f"{name}: got an unexpected keyword argument {next(iter(named))!r}")
    return start


def _fill(name, self, draw):
    """Write ``draw(shape)``, drawn on the CPU, where `self` lies, in the order of its memory."""
    strides = zip(self.array.shape, self.array.strides, strict=True)
    if self.array.size and any(n > 1 and stride == 0 for n, stride in strides):
        raise RuntimeError(
            f"{name}: unsupported operation: more than one element of the written-to tensor refers to a single memory "
            "location. Draw into a clone()."
        )

    def drawn(x):
        return ops.put_index(x, ..., x.like(backend.to_device(ops.laid_out_like(x.array, draw), x.device)))

    return write(name, self, drawn)
