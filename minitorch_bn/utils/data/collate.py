"""From a list of samples to a batch: numbers and tensors are stacked, whatever they lie in is kept."""

import collections.abc
import copy

import numpy as np

from ... import creation, dtypes, ops
from ...tensor import Tensor


def default_collate(batch):
    """Make a batch of samples: tensors of one more dimension, the first, in the structure of a sample.

    Parameters
    ----------
    batch : list of samples
        Tensors and arrays (of one shape) and numbers are stacked, floats as float64; texts stay a list. Lists, tuples
        and dicts of these become lists and dicts of batches, named tuples named tuples.

    Raises
    ------
    TypeError
        If samples are of another type.
    RuntimeError
        If lists differ in length, or tensors in shape.

    >>> default_collate([(1, 0.5), (2, 0.25)])
    [tensor([1, 2]), tensor([0.5000, 0.2500], dtype=torch.float64)]

    Source: PyTorch documentation, torch.utils.data.default_collate.
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return ops.stack(list(batch), 0)
    if isinstance(first, np.ndarray) and first.dtype.kind not in "SUO":
        return ops.stack([creation.as_tensor(array) for array in batch], 0)
    if isinstance(first, np.number | np.bool_):
        return creation.as_tensor(np.array(batch))
    if isinstance(first, float):
        return creation.tensor(batch, dtype=dtypes.float64)
    if isinstance(first, int):
        return creation.tensor(batch)
    if isinstance(first, str | bytes):
        return batch
    if isinstance(first, collections.abc.Mapping):
        return _like(first, {key: default_collate([sample[key] for sample in batch]) for key in first})
    if isinstance(first, collections.abc.Sequence):
        if any(len(sample) != len(first) for sample in batch):
            lengths = [len(sample) for sample in batch]
            raise RuntimeError(f"default_collate: each element in list of batch should be of equal size, got {lengths}")
        return _like(first, [default_collate(values) for values in zip(*batch, strict=True)])
    raise TypeError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found "
        f"{first.dtype if isinstance(first, np.ndarray) else type(first)}"
    )


def default_convert(data):
    """Make tensors of the arrays in one sample: what `DataLoader` does where it makes no batches.

    >>> default_convert([np.ones(2), 3, "text"])
    [tensor([1., 1.], dtype=torch.float64), 3, 'text']

    Source: PyTorch documentation, torch.utils.data.default_convert.
    """
    if isinstance(data, np.ndarray | np.number | np.bool_):
        return data if data.dtype.kind in "SUO" else creation.as_tensor(np.asarray(data))
    if isinstance(data, Tensor | str | bytes):
        return data
    if isinstance(data, collections.abc.Mapping):
        return _like(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, collections.abc.Sequence):
        return _like(data, [default_convert(value) for value in data])
    return data


def _like(sample, values):
    """Values in a structure of the kind of `sample`; in a list for tuples, and where the kind cannot be made."""
    if isinstance(sample, tuple):
        return type(sample)(*values) if hasattr(sample, "_fields") else values
    try:
        if isinstance(sample, collections.abc.MutableMapping):
            made = copy.copy(sample)
            made.update(values)
            return made
        if isinstance(sample, collections.abc.MutableSequence):
            made = copy.copy(sample)
            for i, value in enumerate(values):
                made[i] = value
            return made
        return type(sample)(values)
    except TypeError:
        return values
