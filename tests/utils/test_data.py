"""Workers against PyTorch's processes; warnings; what a loader costs."""

import random
import warnings

import numpy as np
import pytest

import minitorch_bn as mt

torch = pytest.importorskip("torch")


class Numbers:
    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        if i >= self.n:
            raise IndexError
        return i


def noisy(L, n):
    """A data set with random numbers in the samples: each worker draws its own."""

    class Noisy(L.utils.data.Dataset):
        def __len__(self):
            return n

        def __getitem__(self, i):
            info = L.utils.data.get_worker_info()
            return i, L.rand(2), -1 if info is None else info.id

    return Noisy()


def stream(L, n, shared=False, lazy=False):
    """A stream; read as a whole by each worker, or only that worker's share."""

    class Stream(L.utils.data.IterableDataset):
        def __iter__(self):
            return self.numbers() if lazy else iter(list(self.numbers()))

        def numbers(self):
            info = L.utils.data.get_worker_info()
            step, start = (info.num_workers, info.id) if shared and info is not None else (1, 0)
            for i in range(start, n, step):
                yield i, L.rand(1)

    return Stream()


def bounded(L):
    """PyTorch's documented way to share: worker_init_fn changes the worker's copy of the data set."""

    class Range(L.utils.data.IterableDataset):
        def __init__(self):
            self.start, self.end = 3, 10

        def __iter__(self):
            return iter(range(self.start, self.end))

    def init(worker):
        info = L.utils.data.get_worker_info()
        dataset = info.dataset
        start, end = dataset.start, dataset.end
        per_worker = -(-(end - start) // info.num_workers)
        dataset.start = start + worker * per_worker
        dataset.end = min(dataset.start + per_worker, end)

    return {"dataset": Range(), "worker_init_fn": init}


CASES = {
    "map": lambda L: {"dataset": noisy(L, 7), "batch_size": 2, "num_workers": 2},
    "shuffled": lambda L: {"dataset": noisy(L, 9), "batch_size": 2, "num_workers": 3, "shuffle": True},
    "one_worker": lambda L: {"dataset": noisy(L, 3), "num_workers": 1},
    "more_workers": lambda L: {"dataset": noisy(L, 2), "num_workers": 3},
    "single": lambda L: {"dataset": noisy(L, 5), "batch_size": None, "num_workers": 2},
    "generator": lambda L: {"dataset": noisy(L, 5), "num_workers": 2, "generator": L.Generator().manual_seed(8)},
    "persistent": lambda L: {"dataset": noisy(L, 5), "num_workers": 2, "persistent_workers": True, "shuffle": True},
    "stream": lambda L: {"dataset": stream(L, 5), "batch_size": 2, "num_workers": 2},
    "stream_lazy": lambda L: {"dataset": stream(L, 5, lazy=True), "batch_size": 2, "num_workers": 2},
    "stream_shared": lambda L: {"dataset": stream(L, 7, shared=True), "batch_size": 2, "num_workers": 3},
    "stream_shared_lazy": lambda L: {"dataset": stream(L, 7, True, True), "batch_size": 2, "num_workers": 3},
    "stream_dropped": lambda L: {"dataset": stream(L, 7, True), "batch_size": 2, "num_workers": 3, "drop_last": True},
    "stream_single": lambda L: {"dataset": stream(L, 7, True), "batch_size": None, "num_workers": 2},
    "stream_persistent": lambda L: {"dataset": stream(L, 3), "num_workers": 2, "persistent_workers": True},
    "stream_bounded": lambda L: {**bounded(L), "num_workers": 3, "batch_size": 2},
}


def arrays(batch):
    if isinstance(batch, list | tuple):
        return [arrays(part) for part in batch]
    return np.asarray(batch.numpy() if hasattr(batch, "numpy") else batch).tolist()


def epochs(L, options, n=2):
    """All batches of some epochs, and what the default generator gives between and after them."""
    L.manual_seed(5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch warns of processes
        loader = L.utils.data.DataLoader(**options)
        seen = [([arrays(batch) for batch in loader], L.rand(2).tolist()) for _ in range(n)]
    return seen


@pytest.mark.parametrize("name", CASES)
def test_workers_give_what_processes_give(name):
    """Which worker reads what, and with which random numbers."""
    assert epochs(mt, CASES[name](mt)) == epochs(torch, CASES[name](torch))


def test_outside_of_a_worker_nothing_is_left():
    """After an error in a worker, or a loop that is left, this is the main process again."""
    mt.manual_seed(0)
    want = mt.rand(3).tolist()
    for dataset in (Numbers(4), [1, 2, None, 4]):
        mt.manual_seed(0)
        loader = mt.utils.data.DataLoader(dataset, num_workers=2, generator=mt.Generator())
        try:
            for _ in loader:
                assert mt.utils.data.get_worker_info() is None
                if dataset[-1] != 4:
                    break
        except TypeError:
            assert None in dataset
        assert mt.utils.data.get_worker_info() is None and mt.rand(3).tolist() == want


def test_a_worker_knows_itself():
    infos = []

    class Curious(mt.utils.data.Dataset):
        def __len__(self):
            return 4

        def __getitem__(self, i):
            infos.append(mt.utils.data.get_worker_info())
            return i

    dataset = Curious()
    list(mt.utils.data.DataLoader(dataset, num_workers=2))
    assert [(info.id, info.num_workers) for info in infos] == [(0, 2), (1, 2), (0, 2), (1, 2)]
    assert infos[1].seed == infos[0].seed + 1
    assert all(type(info.dataset) is Curious and info.dataset is not dataset for info in infos)


def test_python_and_numpy_random_numbers_are_left_alone():
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    states = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    list(mt.utils.data.DataLoader(noisy(mt, 4), num_workers=2, shuffle=True))
    assert (random.getstate(), np.random.get_state()[1].tolist()) == states  # noqa: NPY002


def test_random_split_warns_of_empty_parts():
    for L in (mt, torch):
        with pytest.warns(UserWarning, match=r"ength of split at index 1|length of split 1 is 0"):
            L.utils.data.random_split(Numbers(3), [1.0, 0.0])


def test_annotations_like_pytorchs():
    data = mt.utils.data

    class Own(data.Dataset[int]):
        pass

    class Stream(data.IterableDataset[tuple[int, str]]):
        def __iter__(self):
            return iter([])

    class Order(data.Sampler[list[int]]):
        pass

    assert issubclass(Own, data.Dataset) and issubclass(Order, data.Sampler) and list(Stream()) == []
    assert isinstance(data.Subset[int](Numbers(2), [1]), data.Subset)


def test_modules_are_where_pytorch_has_them():
    from minitorch_bn.utils.data import DataLoader, DistributedSampler
    from minitorch_bn.utils.data.dataloader import default_collate
    from minitorch_bn.utils.data.dataset import random_split
    from minitorch_bn.utils.data.distributed import DistributedSampler as Same
    from minitorch_bn.utils.data.sampler import BatchSampler

    assert DistributedSampler is Same and DataLoader is mt.utils.data.DataLoader
    assert (default_collate, random_split, BatchSampler) == (
        mt.utils.data.default_collate,
        mt.utils.data.random_split,
        mt.utils.data.BatchSampler,
    )
