"""Samplers: the order in which the samples of a data set are read. PyTorch's order for the same seed."""

import itertools
from typing import Generic, TypeVar

from ... import creation, drawing, dtypes, ops
from ...random import Generator

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """Something to iterate over that gives indices, or lists of indices: a subclass has ``__iter__()``.

    Source: PyTorch documentation, torch.utils.data.Sampler.
    """

    def __iter__(self):
        raise NotImplementedError(f"{type(self).__name__}: a Sampler needs an __iter__()")


def draw_seed(generator=None):
    """A seed, drawn from a generator (default: the default one): one number of 64 bits, as PyTorch takes it."""
    return creation.empty((), dtype=dtypes.int64).random_(generator=generator).item()


class SequentialSampler(Sampler[int]):
    """0, 1, 2, ..., len(data_source) - 1.

    Source: PyTorch documentation, torch.utils.data.SequentialSampler.
    """

    def __init__(self, data_source):
        self.data_source = data_source

    def __iter__(self):
        return iter(range(len(self.data_source)))

    def __len__(self):
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """All samples in random order, anew at each iteration; or, with replacement, random samples.

    Without a generator, an iteration draws one number from the default generator, which seeds a generator of its own:
    that much, and no more, it moves the default generator on.

    Parameters
    ----------
    data_source : Dataset
    replacement : bool
    num_samples : int, optional
        How many indices; default: as many as there are samples. Without replacement, one permutation follows another.
    generator : Generator, optional

    Raises
    ------
    TypeError
        If replacement is no bool.
    ValueError
        If num_samples is no positive integer.

    Source: PyTorch documentation, torch.utils.data.RandomSampler.
    """

    def __init__(self, data_source, replacement=False, num_samples=None, generator=None):
        self.data_source, self.replacement, self._num_samples = data_source, replacement, num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(f"RandomSampler: replacement should be a boolean value, got {replacement!r}")
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(f"RandomSampler: num_samples should be a positive integer, got {self.num_samples}")

    @property
    def num_samples(self):
        """How many indices an iteration gives."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self):
        n, count = len(self.data_source), self.num_samples
        generator = self.generator or Generator().manual_seed(draw_seed())
        if self.replacement:
            for size in [32] * (count // 32) + [count % 32]:
                yield from drawing.randint(n, (size,), generator=generator).tolist()
        else:
            for size in [n] * (count // n) + [count % n]:
                yield from drawing.randperm(n, generator=generator).tolist()[:size]

    def __len__(self):
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """Given indices in random order, anew at each iteration.

    Parameters
    ----------
    indices : sequence of int
    generator : Generator, optional

    Source: PyTorch documentation, torch.utils.data.SubsetRandomSampler.
    """

    def __init__(self, indices, generator=None):
        self.indices, self.generator = indices, generator

    def __iter__(self):
        for i in drawing.randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def __len__(self):
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices drawn with the given (unnormalised) probabilities.

    Parameters
    ----------
    weights : sequence of float
        One for each sample.
    num_samples : int
    replacement : bool
        Whether an index may be drawn twice.
    generator : Generator, optional

    Raises
    ------
    ValueError
        If num_samples is no positive integer, replacement no bool, or weights have more than one dimension.

    Source: PyTorch documentation, torch.utils.data.WeightedRandomSampler.
    """

    def __init__(self, weights, num_samples, replacement=True, generator=None):
        _check_positive("WeightedRandomSampler", "num_samples", num_samples)
        if not isinstance(replacement, bool):
            raise ValueError(f"WeightedRandomSampler: replacement should be a boolean value, got {replacement!r}")
        self.weights = creation.as_tensor(weights, dtype=dtypes.float64)
        if self.weights.ndim != 1:
            shape = tuple(self.weights.shape)
            raise ValueError(f"WeightedRandomSampler: weights should be a 1d sequence, got the shape {shape}")
        self.num_samples, self.replacement, self.generator = num_samples, replacement, generator

    def __iter__(self):
        indices = ops.multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator)
        yield from indices.tolist()

    def __len__(self):
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """The indices of another sampler, in lists of `batch_size`.

    Parameters
    ----------
    sampler : Sampler or iterable
    batch_size : int
    drop_last : bool
        Whether a last list that is shorter is left out.

    Raises
    ------
    ValueError
        If batch_size is no positive integer or drop_last no bool.

    >>> list(BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]

    Source: PyTorch documentation, torch.utils.data.BatchSampler.
    """

    def __init__(self, sampler, batch_size, drop_last):
        _check_positive("BatchSampler", "batch_size", batch_size)
        if not isinstance(drop_last, bool):
            raise ValueError(f"BatchSampler: drop_last should be a boolean value, got {drop_last!r}")
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self):
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self):
        whole, rest = divmod(len(self.sampler), self.batch_size)
        return whole if self.drop_last or not rest else whole + 1


def _check_positive(name, setting, value):
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"{name}: {setting} should be a positive integer value, got {setting}={value}")
