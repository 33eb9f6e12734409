"""DataLoader: a data set in batches, in order or shuffled."""

import collections
import contextlib
import copy
import itertools
from typing import Generic, TypeVar

from ...random import Generator, default_generator
from .collate import default_collate, default_convert
from .dataset import IterableDataset, rows_at_once
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, draw_seed

T_co = TypeVar("T_co", covariant=True)

_ENDED = object()  # what a reader gives after the last sample of its stream
_at_work = None  # the WorkerInfo of the worker that is reading now


class DataLoader(Generic[T_co]):
    """Batches of a data set, to iterate over.

        indices  ->  samples                ->  batch
        sampler      dataset[i] for each i      collate_fn(samples)

    Everything is read in this process, also with `num_workers` > 0: Python's threads would not be faster, and processes
    could not be stepped through. What comes out is what PyTorch's workers give: worker k makes every num_workers-th
    batch, of a (shallow) copy of the data set, with PyTorch's random numbers of its own; each worker reads an
    IterableDataset as a whole, unless it asks `get_worker_info` for its share. (Random numbers of Python's `random` and
    of NumPy are those of this process.)

    An iteration draws one number from the generator, whatever it is used for, and a shuffled one another: as PyTorch's,
    so that the same numbers come after it.

    Parameters
    ----------
    dataset : Dataset or IterableDataset
    batch_size : int or None
        None: samples one by one, not batched.
    shuffle : bool, optional
        Whether each iteration takes a new random order.
    sampler : iterable of int, optional
        The order; excludes `shuffle`.
    batch_sampler : iterable of list of int, optional
        The indices of each batch; excludes batch_size, shuffle, sampler and drop_last.
    num_workers : int
    collate_fn : callable, optional
        From a list of samples to a batch. Default: `default_collate`; without batches `default_convert`.
    pin_memory, timeout, multiprocessing_context, prefetch_factor, pin_memory_device, in_order
        Checked, kept, and otherwise ignored: they are about processes and GPU memory.
    drop_last : bool
        Whether a last batch that is smaller is left out.
    worker_init_fn : callable, optional
        Called with the number of each worker before it reads.
    generator : Generator, optional
        Where random numbers come from; default: the default generator.
    persistent_workers : bool
        Whether workers, and their random numbers, go on from one iteration to the next.

    Raises
    ------
    ValueError
        If options exclude each other, a number is negative, or batch_size is no positive integer; and if one of these
        attributes is changed later.
    AssertionError
        When it is iterated over, if there is a timeout, but no worker.

    >>> [batch.tolist() for batch in DataLoader(range(5), batch_size=2)]
    [[0, 1], [2, 3], [4]]

    Source: PyTorch documentation, torch.utils.data.DataLoader.
    """

    _fixed = False

    def __init__(
        self,
        dataset,
        batch_size=1,
        shuffle=None,
        sampler=None,
        batch_sampler=None,
        num_workers=0,
        collate_fn=None,
        pin_memory=False,
        drop_last=False,
        timeout=0,
        worker_init_fn=None,
        multiprocessing_context=None,
        generator=None,
        *,
        prefetch_factor=None,
        persistent_workers=False,
        pin_memory_device="",
        in_order=True,
    ):
        for name, value in (("num_workers", num_workers), ("timeout", timeout), ("prefetch_factor", prefetch_factor)):
            if value is not None and value < 0:
                raise ValueError(f"DataLoader: {name} should be non-negative, got {value}")
        for name, value in (
            ("prefetch_factor", prefetch_factor is not None),
            ("persistent_workers", persistent_workers),
            ("multiprocessing_context", multiprocessing_context is not None),
        ):
            if value and not num_workers:
                raise ValueError(f"DataLoader: {name} needs num_workers > 0, got num_workers={num_workers}")
        stream = isinstance(dataset, IterableDataset)
        if stream and (shuffle or sampler is not None or batch_sampler is not None):
            raise ValueError(
                "DataLoader: an IterableDataset has an order of its own; got "
                f"shuffle={shuffle}, sampler={sampler}, batch_sampler={batch_sampler}, wanted none of them"
            )
        if sampler is not None and shuffle:
            raise ValueError("DataLoader: sampler and shuffle=True are mutually exclusive; shuffle in the sampler")
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
            raise ValueError(
                "DataLoader: batch_sampler is mutually exclusive with batch_size, shuffle, sampler and drop_last"
            )
        if batch_size is None and drop_last:
            raise ValueError("DataLoader: batch_size=None makes no batches and is mutually exclusive with drop_last")
        if sampler is None:
            sampler = _Forever() if stream else SequentialSampler(dataset)
            if shuffle:
                sampler = RandomSampler(dataset, generator=generator)
        if batch_sampler is not None:
            batch_size = None
        elif batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        batched = batch_sampler is not None
        self.dataset, self.batch_size, self.drop_last = dataset, batch_size, drop_last
        self.sampler, self.batch_sampler, self.generator = sampler, batch_sampler, generator
        self.collate_fn = collate_fn or (default_collate if batched else default_convert)
        self.num_workers, self.worker_init_fn, self.persistent_workers = num_workers, worker_init_fn, persistent_workers
        self.pin_memory, self.pin_memory_device, self.timeout = pin_memory, pin_memory_device, timeout
        self.multiprocessing_context, self.in_order = multiprocessing_context, in_order
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self._workers = None
        self._fixed = True

    def __setattr__(self, name, value):
        fixed = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")
        if self._fixed and name in fixed:
            raise ValueError(f"DataLoader: {name} should not be set after initialisation; make a new DataLoader")
        super().__setattr__(name, value)

    def __len__(self):
        """The number of batches (of an IterableDataset: by its own word)."""
        if not isinstance(self.dataset, IterableDataset):
            return len(self.sampler if self.batch_sampler is None else self.batch_sampler)
        whole, rest = divmod(len(self.dataset), self.batch_size or 1)
        return whole if self.drop_last or not rest else whole + 1

    def __iter__(self):
        if self.timeout and not self.num_workers:
            raise AssertionError(f"DataLoader: got timeout={self.timeout} and no worker to wait for; wanted timeout=0")
        indices = iter(self.sampler if self.batch_sampler is None else self.batch_sampler)
        if self._workers is not None:
            for worker in self._workers:
                worker.begin()
            return self._batches(indices, self._workers)
        base_seed = draw_seed(self.generator)  # what seeds the workers; PyTorch draws it without workers, too
        if not self.num_workers:
            return self._batches(indices, [_Reader(self, self.dataset)])
        workers = [_Worker(self, i, base_seed) for i in range(self.num_workers)]
        if self.persistent_workers:
            self._workers = workers
        return self._batches(indices, workers)

    def _batches(self, indices, readers):
        """What the readers give, in turn; a reader whose stream has ended drops out."""
        readers = collections.deque(readers)
        for index in indices:
            batch = readers[0].read(index)
            while batch is _ENDED:
                readers.popleft()
                if not readers:
                    return
                batch = readers[0].read(index)
            readers.rotate(-1)
            yield batch


class _Forever(Sampler):
    """Indices for a stream, which has none."""

    def __iter__(self):
        return itertools.repeat(None)


class _Reader:
    """Reads samples, by number or from a stream, and makes a batch of them."""

    def __init__(self, loader, dataset):
        self.dataset, self.collate_fn, self.drop_last = dataset, loader.collate_fn, loader.drop_last
        self.batched = loader.batch_sampler is not None
        self.begin()

    def begin(self):
        """Go to the beginning of the stream."""
        self.stream = iter(self.dataset) if isinstance(self.dataset, IterableDataset) else None

    def read(self, index):
        """The batch with these indices, or the one sample; of a stream, the next so many, or _ENDED."""
        if self.stream is not None:
            return self._next(len(index)) if self.batched else self._next_sample()
        if self.batched and self.collate_fn is default_collate:
            batch = rows_at_once(self.dataset, index)
            if batch is not None:
                return batch
        if not self.batched:
            samples = self.dataset[index]
        elif callable(getattr(self.dataset, "__getitems__", None)):
            samples = self.dataset.__getitems__(index)
        else:
            samples = [self.dataset[i] for i in index]
        return self.collate_fn(samples)

    def _next(self, count):
        samples = list(itertools.islice(self.stream, count))
        if not samples or (self.drop_last and len(samples) < count):
            return _ENDED
        return self.collate_fn(samples)

    def _next_sample(self):
        sample = next(self.stream, _ENDED)
        return sample if sample is _ENDED else self.collate_fn(sample)


class WorkerInfo:
    """What a worker knows of itself.

    Attributes
    ----------
    id : int
        From 0 to num_workers - 1.
    num_workers : int
    seed : int
        Of its random numbers.
    dataset : Dataset
        Its copy.
    """

    def __init__(self, id, num_workers, seed, dataset):
        self.id, self.num_workers, self.seed, self.dataset = id, num_workers, seed, dataset


def get_worker_info():
    """In a worker of a `DataLoader`, its WorkerInfo; None elsewhere. An IterableDataset finds its share with it.

    Source: PyTorch documentation, torch.utils.data.get_worker_info.
    """
    return _at_work


class _Worker(_Reader):
    """A reader with a copy of the data set and random numbers of its own, as if it were another process."""

    def __init__(self, loader, i, base_seed):
        self.info = WorkerInfo(i, loader.num_workers, base_seed + i, copy.copy(loader.dataset))
        self.random = Generator().manual_seed(self.info.seed)
        if loader.worker_init_fn is not None:
            with self.working():
                loader.worker_init_fn(i)
        super().__init__(loader, self.info.dataset)

    @contextlib.contextmanager
    def working(self):
        """Within, `get_worker_info` tells of this worker, and default random numbers are its own."""
        global _at_work
        main = default_generator
        before, _at_work = _at_work, self.info
        main.__dict__, self.random.__dict__ = self.random.__dict__, main.__dict__
        try:
            yield
        finally:
            main.__dict__, self.random.__dict__ = self.random.__dict__, main.__dict__
            _at_work = before

    def begin(self):
        """Go to the beginning of the stream."""
        with self.working():
            super().begin()

    def read(self, index):
        """The batch with these indices; of a stream, the next so many."""
        with self.working():
            return super().read(index)
