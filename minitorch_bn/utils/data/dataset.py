"""Data sets: things with samples that can be asked for by number, or one after the other."""

import bisect
import itertools
import math
import warnings
from collections.abc import Iterable
from typing import Generic, TypeVar

from ... import creation, drawing

T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """Samples by number: a subclass has ``__getitem__(index)`` and ``__len__()``.

    It may have ``__getitems__(indices)``, too, which gives a list of samples: `DataLoader` then asks for batches.

    >>> class Squares(Dataset):
    ...     def __len__(self):
    ...         return 4
    ...
    ...     def __getitem__(self, index):
    ...         return index**2
    >>> (Squares() + Squares())[5]
    1

    Source: PyTorch documentation, torch.utils.data.Dataset.
    """

    def __getitem__(self, index):
        raise NotImplementedError(f"{type(self).__name__}: a Dataset needs a __getitem__(index)")

    def __add__(self, other):
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co], Iterable[T_co]):
    """Samples one after the other, from a stream: a subclass has ``__iter__()``.

    Source: PyTorch documentation, torch.utils.data.IterableDataset.
    """

    def __add__(self, other):
        return ChainDataset([self, other])


class TensorDataset(Dataset):
    """Sample i is the tuple of the i-th rows of tensors.

    Parameters
    ----------
    *tensors : Tensor of shape (N, *)
        All with the same N.

    Raises
    ------
    AssertionError
        If they have different lengths.

    Source: PyTorch documentation, torch.utils.data.TensorDataset.
    """

    def __init__(self, *tensors):
        if any(t.size(0) != tensors[0].size(0) for t in tensors):
            raise AssertionError(
                f"TensorDataset: size mismatch between tensors: got {[t.size(0) for t in tensors]} rows, not one number"
            )
        self.tensors = tensors

    def __getitem__(self, index):
        return tuple(t[index] for t in self.tensors)

    def __len__(self):
        return self.tensors[0].size(0)


class StackDataset(Dataset):
    """Data sets side by side: sample i is the tuple (or, with names, the dict) of their samples i.

    Parameters
    ----------
    *args, **kwargs : Dataset
        Either without names or with; all of the same length.

    Raises
    ------
    ValueError
        If there is none, some have names and some have not, or their lengths differ.

    Source: PyTorch documentation, torch.utils.data.StackDataset.
    """

    def __init__(self, *args, **kwargs):
        if bool(args) == bool(kwargs):
            raise ValueError(
                f"StackDataset: got {len(args)} data sets without names and {len(kwargs)} with; wanted at least one of "
                "one kind, and none of the other"
            )
        lengths = [len(dataset) for dataset in args or kwargs.values()]
        if len(set(lengths)) > 1:
            raise ValueError(f"StackDataset: size mismatch between datasets: got the lengths {lengths}")
        self.datasets, self._length = args or kwargs, lengths[0]

    def __getitem__(self, index):
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __len__(self):
        return self._length


class ConcatDataset(Dataset):
    """Data sets one behind the other, numbered through.

    Parameters
    ----------
    datasets : iterable of Dataset

    Attributes
    ----------
    cumulative_sizes : list of int
        Where each of them ends.

    Raises
    ------
    AssertionError
        If there is none, or one is an IterableDataset.

    Source: PyTorch documentation, torch.utils.data.ConcatDataset.
    """

    def __init__(self, datasets):
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("ConcatDataset: got no data set; datasets should not be an empty iterable")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise AssertionError(
                "ConcatDataset: got an IterableDataset, whose samples have no numbers; use ChainDataset"
            )
        self.cumulative_sizes = list(itertools.accumulate(len(dataset) for dataset in self.datasets))

    def __len__(self):
        return self.cumulative_sizes[-1]

    def __getitem__(self, idx):
        if idx < -len(self):
            raise ValueError(f"ConcatDataset: got index {idx}, but there are only {len(self)} samples")
        idx = idx + len(self) if idx < 0 else idx
        which = bisect.bisect_right(self.cumulative_sizes, idx)
        return self.datasets[which][idx - (self.cumulative_sizes[which - 1] if which else 0)]


class ChainDataset(IterableDataset):
    """Streams one after the other.

    Parameters
    ----------
    datasets : iterable of IterableDataset

    Raises
    ------
    AssertionError
        When it is read, if one is no IterableDataset.

    Source: PyTorch documentation, torch.utils.data.ChainDataset.
    """

    def __init__(self, datasets):
        self.datasets = datasets

    def __iter__(self):
        for dataset in self._streams():
            yield from dataset

    def __len__(self):
        return sum(len(dataset) for dataset in self._streams())

    def _streams(self):
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError(
                    f"ChainDataset: got a {type(dataset).__name__}; only IterableDatasets are supported"
                )
            yield dataset


class Subset(Dataset[T_co]):
    """Some samples of a data set, renumbered: sample i is ``dataset[indices[i]]``.

    Parameters
    ----------
    dataset : Dataset
    indices : sequence of int

    Raises
    ------
    NotImplementedError
        If a subclass has a `__getitem__` of its own, but no `__getitems__`, which `DataLoader` would call.

    Source: PyTorch documentation, torch.utils.data.Subset.
    """

    def __init__(self, dataset, indices):
        own = type(self)
        if own.__getitem__ is not Subset.__getitem__ and own.__getitems__ is Subset.__getitems__:
            raise NotImplementedError(
                f"{own.__name__}: overrides __getitem__ but not __getitems__, which DataLoader calls; add\n"
                "def __getitems__(self, indices):\n    return [self[i] for i in indices]"
            )
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, idx):
        if isinstance(idx, list):
            return self.dataset[[self.indices[i] for i in idx]]
        return self.dataset[self.indices[idx]]

    def __getitems__(self, indices):
        """Several samples, as a list."""
        indices = [self.indices[i] for i in indices]
        if callable(getattr(self.dataset, "__getitems__", None)):
            return self.dataset.__getitems__(indices)
        return [self.dataset[i] for i in indices]

    def __len__(self):
        return len(self.indices)


def rows_at_once(dataset, indices):
    """The batch that `default_collate` makes of samples that are nothing but rows of tensors, without the samples.

    One indexing of each tensor instead of one per sample: several times faster. For a `TensorDataset`, or a `Subset` of
    one; None for other data sets, which must be asked for each sample.
    """
    if type(indices) is not list or not indices:
        return None
    while type(dataset) is Subset:
        dataset, indices = dataset.dataset, [dataset.indices[i] for i in indices]
    if type(dataset) is not TensorDataset or any(type(i) is not int for i in indices):
        return None
    return [t[creation.tensor(indices, device=t.device)] for t in dataset.tensors]


def random_split(dataset, lengths, generator=None):
    """Deal the samples of a data set at random into subsets: PyTorch's for the same seed.

    Parameters
    ----------
    dataset : Dataset
    lengths : sequence of int, or of float
        How many each gets; or fractions that sum to 1, rounded down, and what is left given one each from the first on.
    generator : Generator, optional

    Returns
    -------
    list of Subset

    Raises
    ------
    ValueError
        If the lengths do not sum to that of the data set, or a fraction is not between 0 and 1.

    >>> from minitorch_bn import Generator
    >>> [list(part) for part in random_split(range(5), [0.6, 0.4], Generator().manual_seed(0))]
    [[4, 0, 1], [3, 2]]

    Source: PyTorch documentation, torch.utils.data.random_split.
    """
    n = len(dataset)
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        if not all(0 <= fraction <= 1 for fraction in lengths):
            raise ValueError(f"random_split: got the fractions {list(lengths)}, wanted each between 0 and 1")
        lengths = [math.floor(n * fraction) for fraction in lengths]
        for i in range(n - sum(lengths)):
            lengths[i % len(lengths)] += 1
        for i, length in enumerate(lengths):
            if not length:
                warnings.warn(f"random_split: the length of split {i} is 0", stacklevel=2)
    if sum(lengths) != n:
        raise ValueError(f"random_split: got lengths with the sum {sum(lengths)}, wanted {n}, the dataset's length")
    indices = drawing.randperm(n, generator=generator).tolist()
    ends = itertools.accumulate(lengths)
    return [Subset(dataset, indices[end - length : end]) for end, length in zip(ends, lengths, strict=True)]
