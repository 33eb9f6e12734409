"""Rows about data: data sets, samplers, loaders, batches, and the random stream that they leave behind."""

import collections

import numpy as np

from .table import errors, rows, tensor

Point = collections.namedtuple("Point", "x y")


class Numbers:
    """Anything with a length and indices is a data set."""

    def __init__(self, n, offset=0):
        self.n, self.offset = n, offset

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        if not 0 <= i < self.n:
            raise IndexError(f"{i} is not among {self.n}")
        return i + self.offset


def squares(L, n):
    """A Dataset of a sample's number and its square."""

    class Squares(L.utils.data.Dataset):
        def __len__(self):
            return n

        def __getitem__(self, i):
            return i, L.tensor(float(i)) ** 2

    return Squares()


def stream(L, n, length=True):
    """An IterableDataset of n numbers."""

    class Stream(L.utils.data.IterableDataset):
        def __iter__(self):
            return iter(range(n))

    if length:
        Stream.__len__ = lambda self: n
    return Stream()


def pairs(L, n=7):
    return L.utils.data.TensorDataset(L.arange(n), tensor(L, n, 2))


def after(L):
    """What the default generator gives next."""
    return L.rand(3)


# ---- data sets


def shares_memory(L):
    t = L.zeros(3, 2)
    L.utils.data.TensorDataset(t)[1][0].fill_(1)
    return t


def seeded_split(L, *args, seed=3, **kwargs):
    L.manual_seed(seed)
    parts = L.utils.data.random_split(*args, **kwargs)
    return [(list(part.indices), len(part), [part[i] for i in range(len(part))]) for part in parts], after(L)


ROWS = rows(
    "utils.data.Dataset",
    {
        "own": lambda L: [squares(L, 4)[i] for i in range(4)],
        "sum": lambda L: [(d := squares(L, 2) + Numbers(3, 10))[i] for i in range(5)] + [len(d)],
        "subscript": lambda L: issubclass(type("D", (L.utils.data.Dataset,), {}), L.utils.data.Dataset[int].__origin__),
    },
)
ROWS += errors(
    "utils.data.Dataset",
    {
        "no_getitem": (lambda L: L.utils.data.Dataset()[0], r"__getitem__"),
        "no_len": (lambda L: len(L.utils.data.Dataset()), r"len"),
    },
)
ROWS += rows(
    "utils.data.TensorDataset",
    {
        "item": lambda L: pairs(L)[2],
        "negative": lambda L: pairs(L)[-1],
        "slice": lambda L: pairs(L)[1:5:2],
        "list": lambda L: pairs(L)[[0, 3]],
        "tensor": lambda L: pairs(L)[L.tensor([1, 1])],
        "length": lambda L: len(pairs(L, 9)),
        "one": lambda L: L.utils.data.TensorDataset(L.ones(2, 3))[0],
        "empty": lambda L: len(L.utils.data.TensorDataset(L.zeros(0, 3))),
        "tensors": lambda L: pairs(L, 2).tensors,
        "dtypes": lambda L: L.utils.data.TensorDataset(L.ones(2, dtype=L.int32), L.ones(2, dtype=L.bool))[1],
        "iterated": lambda L: list(pairs(L, 3)),
        "shares_memory": shares_memory,
        "gradient": lambda L: L.utils.data.TensorDataset(L.ones(2, requires_grad=True))[0][0].requires_grad,
    },
)


ROWS += errors(
    "utils.data.TensorDataset",
    {
        "sizes": (lambda L: L.utils.data.TensorDataset(L.ones(2), L.ones(3)), r"size mismatch.*\[2, 3\]"),
        "none": (lambda L: len(L.utils.data.TensorDataset()), r"index out of range"),
        "0_dim": (lambda L: L.utils.data.TensorDataset(L.tensor(1.0)), r"dim|index out of range"),
        "beyond": (lambda L: pairs(L)[7], r"7"),
    },
)
ROWS += rows(
    "utils.data.StackDataset",
    {
        "tuple": lambda L: L.utils.data.StackDataset(Numbers(3), Numbers(3, 5))[2],
        "dict": lambda L: L.utils.data.StackDataset(a=Numbers(3), b=squares(L, 3))[2],
        "length": lambda L: len(L.utils.data.StackDataset(Numbers(3))),
        "batches": lambda L: list(L.utils.data.DataLoader(L.utils.data.StackDataset(a=Numbers(5), b=pairs(L, 5)), 2)),
        "subset": lambda L: list(
            L.utils.data.DataLoader(
                L.utils.data.Subset(L.utils.data.StackDataset(Numbers(5), pairs(L, 5)), [4, 1, 0]), 2
            )
        ),
    },
)
ROWS += errors(
    "utils.data.StackDataset",
    {
        "none": (lambda L: L.utils.data.StackDataset(), r"wanted at least one"),
        "both": (
            lambda L: L.utils.data.StackDataset(Numbers(1), a=Numbers(1)),
            r"1 data sets without names and 1 with",
        ),
        "sizes": (lambda L: L.utils.data.StackDataset(Numbers(1), Numbers(2)), r"\[1, 2\]"),
        "named_sizes": (lambda L: L.utils.data.StackDataset(a=Numbers(1), b=Numbers(2)), r"\[1, 2\]"),
    },
)
ROWS += rows(
    "utils.data.ConcatDataset",
    {
        "items": lambda L: (
            [(d := L.utils.data.ConcatDataset([Numbers(2), Numbers(0), Numbers(3, 10)]))[i] for i in range(5)]
            + [len(d), d.cumulative_sizes]
        ),
        "negative": lambda L: [L.utils.data.ConcatDataset([Numbers(2), Numbers(3, 10)])[i] for i in (-1, -3, -4, -5)],
        "generator": lambda L: len(L.utils.data.ConcatDataset(Numbers(n) for n in (1, 2))),
        "batches": lambda L: list(L.utils.data.DataLoader(squares(L, 2) + squares(L, 3), 2)),
    },
)
ROWS += errors(
    "utils.data.ConcatDataset",
    {
        "none": (lambda L: L.utils.data.ConcatDataset([]), r"got no data set"),
        "stream": (lambda L: L.utils.data.ConcatDataset([stream(L, 2)]), r"ChainDataset"),
        "beyond": (lambda L: L.utils.data.ConcatDataset([Numbers(2)])[2], r"range"),
        "far_negative": (lambda L: L.utils.data.ConcatDataset([Numbers(2)])[-3], r"index -3.*2 samples"),
    },
)
ROWS += rows(
    "utils.data.IterableDataset",
    {
        "own": lambda L: list(stream(L, 3)),
        "sum": lambda L: list(stream(L, 3) + stream(L, 2)),
    },
)
ROWS += errors(
    "utils.data.IterableDataset",
    {"no_iter": (lambda L: type("S", (L.utils.data.IterableDataset,), {})(), r"abstract.*__iter__")},
)
ROWS += rows(
    "utils.data.ChainDataset",
    {
        "items": lambda L: (list(d := L.utils.data.ChainDataset([stream(L, 2), stream(L, 0), stream(L, 3)])), len(d)),
        "batches": lambda L: list(L.utils.data.DataLoader(stream(L, 3) + stream(L, 2), 2)),
    },
)
ROWS += errors(
    "utils.data.ChainDataset",
    {
        "map": (lambda L: list(L.utils.data.ChainDataset([Numbers(2)])), r"got a Numbers"),
        "map_length": (lambda L: len(L.utils.data.ChainDataset([Numbers(2)])), r"only IterableDatasets"),
        "no_length": (lambda L: len(L.utils.data.ChainDataset([stream(L, 2, length=False)])), r"len"),
    },
)
ROWS += rows(
    "utils.data.Subset",
    {
        "items": lambda L: [(s := L.utils.data.Subset(squares(L, 9), [3, 3, 8]))[i] for i in range(3)] + [len(s)],
        "negative": lambda L: L.utils.data.Subset(Numbers(9), [3, 5])[-1],
        "nested": lambda L: L.utils.data.Subset(L.utils.data.Subset(Numbers(9), [3, 5, 7]), [2, 0])[0],
        "several": lambda L: L.utils.data.Subset(Numbers(9), [3, 5, 7]).__getitems__([2, 0]),
        "several_nested": lambda L: L.utils.data.Subset(
            L.utils.data.Subset(Numbers(9), [3, 5, 7]), [2, 0]
        ).__getitems__([1]),
        "list": lambda L: L.utils.data.Subset(pairs(L), [3, 5, 6])[[0, 2]],
        "tensor_of_indices": lambda L: L.utils.data.Subset(pairs(L), L.tensor([3, 5]))[1],
        "batches": lambda L: list(L.utils.data.DataLoader(L.utils.data.Subset(pairs(L), [6, 0, 1]), 2)),
    },
)
ROWS += errors(
    "utils.data.Subset",
    {
        "only_getitem": (
            lambda L: type("Own", (L.utils.data.Subset,), {"__getitem__": lambda self, i: i})(Numbers(2), [0]),
            r"Own: overrides __getitem__ but not __getitems__",
        ),
        "beyond": (lambda L: L.utils.data.Subset(Numbers(2), [0])[1], r"range"),
    },
)
ROWS += rows(
    "utils.data.random_split",
    {
        "lengths": lambda L: seeded_split(L, Numbers(10), [3, 7]),
        "tuple": lambda L: seeded_split(L, Numbers(10), (3, 3, 4)),
        "fractions": lambda L: seeded_split(L, Numbers(11), [0.5, 0.25, 0.25]),
        "thirds": lambda L: seeded_split(L, Numbers(11), [1 / 3, 1 / 3, 1 / 3]),
        "all": lambda L: seeded_split(L, Numbers(5), [1.0]),
        "whole_one": lambda L: seeded_split(L, Numbers(1), [1]),
        "one_of_many": lambda L: seeded_split(L, Numbers(5), [1, 0]),
        "zero_fraction": lambda L: seeded_split(L, Numbers(5), [0.0, 1.0]),
        "zero_length": lambda L: seeded_split(L, Numbers(5), [0, 5]),
        "empty": lambda L: seeded_split(L, Numbers(0), [0, 0]),
        "generator": lambda L: seeded_split(L, Numbers(10), [4, 6], generator=L.Generator().manual_seed(42)),
        "large": lambda L: seeded_split(L, Numbers(40000), [0.9, 0.1])[0][1][0],
        "tensors": lambda L: seeded_split(L, pairs(L), [0.4, 0.6]),
    },
)
ROWS += errors(
    "utils.data.random_split",
    {
        "sum": (lambda L: L.utils.data.random_split(Numbers(5), [2, 2]), r"sum 4, wanted 5"),
        "negative_fraction": (lambda L: L.utils.data.random_split(Numbers(5), [1.5, -0.5]), r"between 0 and 1"),
        "fractions_too_small": (lambda L: L.utils.data.random_split(Numbers(5), [0.5, 0.3]), r"sum 0.8"),
    },
)

# ---- samplers


def orders(L, make, epochs=3, seed=5):
    """The order of some epochs, with draws in between, and what the default generator gives afterwards."""
    L.manual_seed(seed)
    sampler, seen = make(L.utils.data), []
    for _ in range(epochs):
        seen += [list(sampler), L.rand(1)]
    return len(sampler), seen, after(L)


def generator(L):
    return L.Generator().manual_seed(11)


def half_read(L):
    """A generator moves on with what is read."""
    g = generator(L)
    sampler = L.utils.data.RandomSampler(Numbers(50), replacement=True, num_samples=100, generator=g)
    it = iter(sampler)
    first = [next(it) for _ in range(40)]
    return first, L.rand(2, generator=g)


ROWS += rows(
    "utils.data.SequentialSampler",
    {"order": lambda L: orders(L, lambda D: D.SequentialSampler(Numbers(4)))},
)
ROWS += rows(
    "utils.data.RandomSampler",
    {
        "order": lambda L: orders(L, lambda D: D.RandomSampler(Numbers(10))),
        "long": lambda L: orders(L, lambda D: D.RandomSampler(Numbers(70000)), epochs=1),
        "one": lambda L: orders(L, lambda D: D.RandomSampler(Numbers(1))),
        "replacement": lambda L: orders(L, lambda D: D.RandomSampler(Numbers(10), replacement=True)),
        "replacement_many": lambda L: orders(L, lambda D: D.RandomSampler(Numbers(10), True, 100)),
        "replacement_32": lambda L: orders(L, lambda D: D.RandomSampler(Numbers(10), True, 64)),
        "fewer": lambda L: orders(L, lambda D: D.RandomSampler(Numbers(10), num_samples=3)),
        "more": lambda L: orders(L, lambda D: D.RandomSampler(Numbers(10), num_samples=23)),
        "generator": lambda L: orders(L, lambda D: D.RandomSampler(Numbers(10), generator=generator(L))),
        "generator_more": lambda L: orders(
            L, lambda D: D.RandomSampler(Numbers(7), num_samples=14, generator=generator(L))
        ),
        "generator_replacement": lambda L: orders(L, lambda D: D.RandomSampler(Numbers(9), True, 40, generator(L))),
        "half_read": half_read,
        "num_samples": lambda L: L.utils.data.RandomSampler(Numbers(10)).num_samples,
    },
)
ROWS += errors(
    "utils.data.RandomSampler",
    {
        "replacement_number": (
            lambda L: L.utils.data.RandomSampler(Numbers(3), 1),
            r"should be a boolean value, got 1",
        ),
        "negative": (lambda L: L.utils.data.RandomSampler(Numbers(3), num_samples=-1), r"positive integer, got -1"),
        "float": (lambda L: L.utils.data.RandomSampler(Numbers(3), num_samples=2.0), r"got 2.0"),
        "empty": (lambda L: L.utils.data.RandomSampler(Numbers(0)), r"got 0"),
    },
)
ROWS += rows(
    "utils.data.SubsetRandomSampler",
    {
        "order": lambda L: orders(L, lambda D: D.SubsetRandomSampler([3, 1, 4, 1, 5, 9])),
        "generator": lambda L: orders(L, lambda D: D.SubsetRandomSampler(range(20, 30), generator=generator(L))),
        "empty": lambda L: orders(L, lambda D: D.SubsetRandomSampler([])),
        "letters": lambda L: orders(L, lambda D: D.SubsetRandomSampler("abcde")),
    },
)
ROWS += rows(
    "utils.data.WeightedRandomSampler",
    {
        "order": lambda L: orders(L, lambda D: D.WeightedRandomSampler([0.1, 0.9, 0.4, 0.7, 3.0, 0.6], 5)),
        "no_replacement": lambda L: orders(
            L, lambda D: D.WeightedRandomSampler([0.1, 0.9, 0.4, 0.7, 3.0, 0.6], 5, replacement=False)
        ),
        "whole": lambda L: orders(L, lambda D: D.WeightedRandomSampler([1, 2, 3], 4)),
        "tensor": lambda L: orders(L, lambda D: D.WeightedRandomSampler(L.tensor([0.5, 1.5]), 9)),
        "generator": lambda L: orders(L, lambda D: D.WeightedRandomSampler([1.0, 2.0], 5, generator=generator(L))),
        "weights": lambda L: L.utils.data.WeightedRandomSampler([1, 2], 1).weights,
    },
)
ROWS += errors(
    "utils.data.WeightedRandomSampler",
    {
        "num_samples": (lambda L: L.utils.data.WeightedRandomSampler([1], 0), r"num_samples=0"),
        "bool": (lambda L: L.utils.data.WeightedRandomSampler([1], True), r"num_samples=True"),
        "float": (lambda L: L.utils.data.WeightedRandomSampler([1], 1.0), r"num_samples=1.0"),
        "replacement": (lambda L: L.utils.data.WeightedRandomSampler([1], 1, 0), r"boolean value, got 0"),
        "2d": (lambda L: L.utils.data.WeightedRandomSampler([[1.0, 2.0]], 1), r"shape \(1, 2\)"),
        "too_many": (lambda L: list(L.utils.data.WeightedRandomSampler([1.0, 2.0], 3, False)), r"multinomial"),
    },
)
ROWS += rows(
    "utils.data.BatchSampler",
    {
        "order": lambda L: orders(L, lambda D: D.BatchSampler(D.SequentialSampler(Numbers(7)), 3, False), 1),
        "drop_last": lambda L: orders(L, lambda D: D.BatchSampler(D.SequentialSampler(Numbers(7)), 3, True), 1),
        "whole": lambda L: orders(L, lambda D: D.BatchSampler(range(6), 3, True)),
        "large": lambda L: orders(L, lambda D: D.BatchSampler(range(2), 3, False)),
        "large_dropped": lambda L: orders(L, lambda D: D.BatchSampler(range(2), 3, True)),
        "random": lambda L: orders(L, lambda D: D.BatchSampler(D.RandomSampler(Numbers(8)), 3, False)),
        "empty": lambda L: orders(L, lambda D: D.BatchSampler([], 3, False)),
        "generator": lambda L: list(L.utils.data.BatchSampler((i for i in range(5)), 2, False)),
    },
)
ROWS += errors(
    "utils.data.BatchSampler",
    {
        "zero": (lambda L: L.utils.data.BatchSampler(range(3), 0, False), r"batch_size=0"),
        "float": (lambda L: L.utils.data.BatchSampler(range(3), 1.0, False), r"batch_size=1.0"),
        "bool": (lambda L: L.utils.data.BatchSampler(range(3), True, False), r"batch_size=True"),
        "drop_last_number": (lambda L: L.utils.data.BatchSampler(range(3), 1, 0), r"boolean value, got 0"),
        "no_length": (lambda L: len(L.utils.data.BatchSampler(iter([1]), 1, False)), r"len"),
    },
)
ROWS += errors("utils.data.Sampler", {"base": (lambda L: iter(L.utils.data.Sampler()), r"__iter__")})


def shares(L, n, replicas, epochs=(0, 1, 7), **options):
    """What every process reads, in some epochs; and nothing is drawn from the default generator."""
    L.manual_seed(0)
    samplers = [
        L.utils.data.distributed.DistributedSampler(Numbers(n), num_replicas=replicas, rank=rank, **options)
        for rank in range(replicas)
    ]
    seen = []
    for epoch in epochs:
        for sampler in samplers:
            sampler.set_epoch(epoch)
            seen.append((list(sampler), list(sampler), len(sampler), sampler.total_size))
    return seen, after(L)


ROWS += rows(
    "utils.data.distributed.DistributedSampler",
    {
        "shuffled": lambda L: shares(L, 10, 2),
        "padded": lambda L: shares(L, 10, 4),
        "dropped": lambda L: shares(L, 10, 4, drop_last=True),
        "ordered": lambda L: shares(L, 7, 3, shuffle=False),
        "ordered_dropped": lambda L: shares(L, 7, 3, shuffle=False, drop_last=True),
        "even": lambda L: shares(L, 9, 3, drop_last=True),
        "seed": lambda L: shares(L, 12, 3, seed=99),
        "one": lambda L: shares(L, 5, 1),
        "few": lambda L: shares(L, 2, 7),
        "few_dropped": lambda L: shares(L, 2, 7, drop_last=True),
        "single": lambda L: shares(L, 1, 5, shuffle=False),
        "in_a_loader": lambda L: [
            batch.tolist()
            for rank in range(2)
            for batch in L.utils.data.DataLoader(
                Numbers(9), 2, sampler=L.utils.data.DistributedSampler(Numbers(9), 2, rank)
            )
        ],
    },
)
ROWS += errors(
    "utils.data.distributed.DistributedSampler",
    {
        "large_rank": (
            lambda L: L.utils.data.DistributedSampler(Numbers(4), 2, 2),
            r"invalid rank 2, wanted one from 0 to 1",
        ),
        "negative_rank": (lambda L: L.utils.data.DistributedSampler(Numbers(4), 2, -1), r"invalid rank -1"),
        "no_group": (lambda L: L.utils.data.DistributedSampler(Numbers(4)), r"init_process_group"),
        "no_rank": (lambda L: L.utils.data.DistributedSampler(Numbers(4), num_replicas=2), r"init_process_group"),
    },
)


# ---- loaders


def together(L):
    """A data set that gives samples by the list."""

    class Together(L.utils.data.Dataset):
        def __len__(self):
            return 5

        def __getitems__(self, indices):
            return [10 * i + len(indices) for i in indices]

    return Together()


def changed(L):
    loader = L.utils.data.DataLoader(Numbers(3))
    loader.collate_fn = list
    loader.generator = None
    return list(loader)


def nested(L):
    """A part of a part, as two random splits make it."""
    return L.utils.data.Subset(L.utils.data.Subset(pairs(L), [6, 5, 4, 3]), [3, 1, 0])


def doubled(L):
    """Samples that are more than rows of tensors."""

    class Doubled(L.utils.data.TensorDataset):
        def __getitem__(self, index):
            number, x = super().__getitem__(index)
            return number, 2 * x, "doubled"

    return Doubled(*pairs(L).tensors)


def with_gradients(L):
    """Rows of a tensor that asks for a gradient."""
    x = tensor(L, 5, 2, grad=True)
    for i, (rows_of_x,) in enumerate(L.utils.data.DataLoader(L.utils.data.TensorDataset(x), 2, sampler=[4, 1, 1, 0])):
        (rows_of_x**2 * (i + 1)).sum().backward()
    return x.grad


def trained(L):
    """A regression on shuffled batches."""
    L.manual_seed(0)
    x = tensor(L, 20, 3)
    data = L.utils.data.TensorDataset(x, x @ tensor(L, 3, 1, seed=5))
    w = L.zeros(3, 1, dtype=L.float64, requires_grad=True)
    optimizer = L.optim.SGD([w], lr=0.05, momentum=0.9)
    for _ in range(3):
        for batch, target in L.utils.data.DataLoader(data, batch_size=6, shuffle=True):
            optimizer.zero_grad()
            ((batch @ w - target) ** 2).mean().backward()
            optimizer.step()
    return w.detach()


def load(L, dataset, *args, epochs=2, seed=7, **options):
    """All batches of some epochs, draws in between, and what the default generator gives afterwards."""
    L.manual_seed(seed)
    loader = L.utils.data.DataLoader(dataset, *args, **options)
    seen = []
    for _ in range(epochs):
        seen += [list(loader), L.rand(1)]
    return seen, after(L)


def order_over_epochs(L):
    """The order of three epochs, then rand(3)."""
    L.manual_seed(1234)
    loader = L.utils.data.DataLoader(Numbers(23), batch_size=4, shuffle=True)
    return [[batch.tolist() for batch in loader] for _ in range(3)], L.rand(3)


def interleaved(L):
    """Two iterations at a time, with draws from the default generator in between."""
    L.manual_seed(1)
    loader = L.utils.data.DataLoader(Numbers(10), batch_size=3, shuffle=True)
    seen, one = [], iter(loader)
    seen += [L.rand(1), next(one), L.randint(0, 10, (2,))]
    two = iter(loader)
    seen += [next(one), L.rand(1), next(two), next(one), next(two), L.randperm(5)]
    return seen + list(one) + list(two), after(L)


def broken_off(L):
    L.manual_seed(1)
    loader = L.utils.data.DataLoader(Numbers(10), batch_size=3, shuffle=True)
    first = next(iter(loader))
    return first, next(iter(loader)), after(L)


def never_started(L):
    """Making an iterator draws one number, the order of a shuffled one is drawn when it starts."""
    L.manual_seed(1)
    iter(L.utils.data.DataLoader(Numbers(10), shuffle=True))
    return after(L)


def with_generator(L, **options):
    g = generator(L)
    seen = load(L, Numbers(10), 3, generator=g, **options)
    return seen, L.rand(2, generator=g)


def attributes(L, **options):
    loader = L.utils.data.DataLoader(Numbers(10), **options)
    names = ("batch_size", "drop_last", "num_workers", "timeout", "pin_memory", "prefetch_factor", "persistent_workers")
    samplers = type(loader.sampler).__name__, type(loader.batch_sampler).__name__
    return {name: getattr(loader, name) for name in names}, samplers, len(loader.dataset), loader.generator


ROWS += rows(
    "utils.data.DataLoader",
    {
        "default": lambda L: load(L, Numbers(3)),
        "batches": lambda L: load(L, pairs(L), 3),
        "drop_last": lambda L: load(L, pairs(L), batch_size=3, drop_last=True),
        "large_batch": lambda L: load(L, pairs(L), 100),
        "large_dropped": lambda L: load(L, pairs(L), 100, drop_last=True),
        "shuffle": lambda L: load(L, pairs(L), 3, shuffle=True),
        "shuffle_none": lambda L: load(L, pairs(L), 3, None),
        "shuffle_dropped": lambda L: load(L, pairs(L), 3, True, drop_last=True),
        "own": lambda L: load(L, squares(L, 5), 2),
        "list": lambda L: load(L, [1.5, 2.5, 3.5], 2),
        "tensor": lambda L: load(L, tensor(L, 5, 2), 2, shuffle=True),
        "empty": lambda L: load(L, Numbers(0), 2),
        "order": order_over_epochs,
        "interleaved": interleaved,
        "broken_off": broken_off,
        "never_started": never_started,
        "generator": with_generator,
        "generator_shuffle": lambda L: with_generator(L, shuffle=True),
        "sampler": lambda L: load(L, pairs(L), 2, sampler=[5, 0, 0, 3, 1]),
        "sampler_random": lambda L: load(L, pairs(L), 2, sampler=L.utils.data.SubsetRandomSampler([1, 3, 5])),
        "sampler_weighted": lambda L: load(L, pairs(L), 2, sampler=L.utils.data.WeightedRandomSampler([1.0] * 7, 5)),
        "batch_sampler": lambda L: load(L, pairs(L), batch_sampler=[[0], [1, 2], [6, 5, 4]]),
        "batch_sampler_random": lambda L: load(
            L, pairs(L), batch_sampler=L.utils.data.BatchSampler(L.utils.data.RandomSampler(Numbers(7)), 3, True)
        ),
        "batch_size_none": lambda L: load(L, pairs(L), None),
        "batch_size_none_shuffle": lambda L: load(L, pairs(L), None, shuffle=True),
        "batch_size_none_arrays": lambda L: load(L, [np.ones(2), np.zeros(3)], None),
        "sampler_of_batches": lambda L: load(
            L, pairs(L), None, sampler=L.utils.data.BatchSampler(L.utils.data.SequentialSampler(Numbers(7)), 3, False)
        ),
        "collate_fn": lambda L: load(L, Numbers(5), 2, collate_fn=sum),
        "collate_fn_single": lambda L: load(L, Numbers(3), None, collate_fn=lambda sample: -sample),
        "items_together": lambda L: load(L, together(L), 2),
        "length": lambda L: [len(L.utils.data.DataLoader(Numbers(10), n)) for n in (1, 3, 5, 10, 11, None)],
        "length_dropped": lambda L: [
            len(L.utils.data.DataLoader(Numbers(10), n, drop_last=True)) for n in (1, 3, 10, 11)
        ],
        "length_sampler": lambda L: len(L.utils.data.DataLoader(Numbers(10), 2, sampler=[1, 2, 3])),
        "length_batch_sampler": lambda L: len(L.utils.data.DataLoader(Numbers(10), batch_sampler=[[1], [2, 3]])),
        "attributes": attributes,
        "attributes_shuffle": lambda L: attributes(L, batch_size=4, shuffle=True, drop_last=True),
        "attributes_single": lambda L: attributes(L, batch_size=None),
        "attributes_batches": lambda L: attributes(L, batch_sampler=[[1]]),
        "pin_memory": lambda L: load(L, Numbers(3), pin_memory=True),
        "in_order": lambda L: load(L, Numbers(3), in_order=False),
        "subscript": lambda L: L.utils.data.DataLoader[int](Numbers(3)).batch_size,
        "batch_sampler_tuples": lambda L: load(L, pairs(L), batch_sampler=[(0,), (2, 1)]),
        "batch_sampler_tensors": lambda L: load(L, pairs(L), batch_sampler=[L.tensor([0]), L.tensor([2, 1])]),
        "batch_sampler_negative": lambda L: load(L, pairs(L), batch_sampler=[[-1, 0], [-7]]),
        "batch_sampler_of_tensors": lambda L: load(L, pairs(L), batch_sampler=[[L.tensor(1), L.tensor(2)]]),
        "default_collate_single": lambda L: load(
            L, [[L.ones(2)], [L.zeros(2)]], None, collate_fn=L.utils.data.default_collate
        ),
        "split": lambda L: [load(L, part, 2, True) for part in L.utils.data.random_split(pairs(L), [5, 2])],
        "nested_subset": lambda L: load(L, nested(L), 2),
        "subset_of_tensor_indices": lambda L: load(L, L.utils.data.Subset(pairs(L), L.tensor([5, 1, 2])), 2),
        "transformed_rows": lambda L: load(L, doubled(L), 3),
        "transformed_subset": lambda L: load(L, L.utils.data.Subset(doubled(L), [6, 1]), 3),
        "rows_with_gradients": with_gradients,
        "rows_of_no_tensor": lambda L: load(
            L, L.utils.data.Subset(L.utils.data.TensorDataset(L.ones(3)), [2, 2, 0]), 2
        ),
        "enumerate": lambda L: [(i, x, y) for i, (x, y) in enumerate(L.utils.data.DataLoader(pairs(L), 4))],
        "changed_generator": changed,
        "training": trained,
        "stream": lambda L: load(L, stream(L, 5), 2),
        "stream_dropped": lambda L: load(L, stream(L, 5), 2, drop_last=True),
        "stream_single": lambda L: load(L, stream(L, 3), None),
        "stream_false": lambda L: load(L, stream(L, 3), shuffle=False),
        "stream_empty": lambda L: load(L, stream(L, 0), 2),
        "stream_length": lambda L: [len(L.utils.data.DataLoader(stream(L, 5), n)) for n in (1, 2, 5, 7, None)],
        "stream_length_dropped": lambda L: len(L.utils.data.DataLoader(stream(L, 5), 2, drop_last=True)),
    },
)


def nested_pair(L):
    return L.utils.data.Subset(pairs(L), [5, 1])


def fixed(name, value):
    def run(L):
        setattr(L.utils.data.DataLoader(Numbers(3)), name, value)

    return run


def loader(*args, dataset=None, **options):
    return lambda L: list(L.utils.data.DataLoader(Numbers(5) if dataset is None else dataset(L), *args, **options))


ROWS += errors(
    "utils.data.DataLoader",
    {
        "batch_size": (loader(0), r"batch_size=0"),
        "batch_size_float": (loader(1.5), r"batch_size=1.5"),
        "workers": (loader(num_workers=-1), r"num_workers should be non-negative, got -1"),
        "timeout": (loader(timeout=-1), r"timeout should be non-negative"),
        "timeout_alone": (loader(timeout=5), r"timeout=5 and no worker"),
        "prefetch": (loader(prefetch_factor=2), r"prefetch_factor needs num_workers > 0"),
        "prefetch_negative": (loader(prefetch_factor=-2, num_workers=1), r"prefetch_factor should be non-negative"),
        "persistent": (loader(persistent_workers=True), r"persistent_workers needs num_workers > 0"),
        "context": (loader(multiprocessing_context="fork"), r"multiprocessing_context needs num_workers > 0"),
        "sampler_shuffle": (loader(shuffle=True, sampler=[0]), r"sampler and shuffle=True are mutually exclusive"),
        "batch_sampler_size": (loader(2, batch_sampler=[[0]]), r"batch_sampler is mutually exclusive"),
        "batch_sampler_shuffle": (loader(shuffle=True, batch_sampler=[[0]]), r"batch_sampler is mutually"),
        "batch_sampler_sampler": (loader(sampler=[0], batch_sampler=[[0]]), r"batch_sampler is mutually"),
        "batch_sampler_drop": (loader(drop_last=True, batch_sampler=[[0]]), r"batch_sampler is mutually"),
        "single_drop": (loader(None, drop_last=True), r"batch_size=None makes no batches"),
        "drop_last_number": (loader(2, drop_last=1), r"boolean value, got 1"),
        "empty_shuffle": (loader(shuffle=True, dataset=lambda L: Numbers(0)), r"num_samples.*got 0"),
        "stream_shuffle": (loader(shuffle=True, dataset=lambda L: stream(L, 3)), r"order of its own.*shuffle=True"),
        "stream_sampler": (loader(sampler=[0], dataset=lambda L: stream(L, 3)), r"sampler=\[0\]"),
        "stream_batch_sampler": (
            loader(batch_sampler=[[0]], dataset=lambda L: stream(L, 3)),
            r"batch_sampler=\[\[0\]\]",
        ),
        "stream_no_length": (
            lambda L: len(L.utils.data.DataLoader(stream(L, 3, length=False))),
            r"len",
        ),
        "no_length": (loader(dataset=lambda L: iter([1])), r"len"),
        "in_the_data": (loader(sampler=[7]), r"7 is not among 5"),
        "in_the_rows": (loader(2, sampler=[7], dataset=pairs), r"7"),
        "in_the_subset": (loader(2, sampler=[2], dataset=nested_pair), r"range"),
        "empty_batch": (loader(batch_sampler=[[]], dataset=pairs), r"range"),
        "shapes": (loader(2, dataset=lambda L: [L.ones(2), L.ones(3)]), r"stack"),
        "set_batch_size": (fixed("batch_size", 3), r"batch_size should not be set"),
        "set_sampler": (fixed("sampler", None), r"sampler should not be set"),
        "set_batch_sampler": (fixed("batch_sampler", None), r"batch_sampler should not be set"),
        "set_drop_last": (fixed("drop_last", True), r"drop_last should not be set"),
        "set_dataset": (fixed("dataset", []), r"dataset should not be set"),
        "set_persistent": (fixed("persistent_workers", True), r"persistent_workers should not be set"),
    },
)

# ---- batches


def collate(make):
    return lambda L: L.utils.data.default_collate(make(L))


def convert(make):
    return lambda L: L.utils.data.default_convert(make(L))


ROWS += rows(
    "utils.data.default_collate",
    {
        "tensors": collate(lambda L: [tensor(L, 2, 3), tensor(L, 2, 3, seed=1)]),
        "0_dim": collate(lambda L: [L.tensor(1.5), L.tensor(2.5)]),
        "dtypes": collate(lambda L: [[L.ones(2, dtype=getattr(L, t)) for t in ("int32", "bool", "float16")]] * 2),
        "gradient": collate(lambda L: [L.ones(2, requires_grad=True), L.zeros(2)]),
        "ints": collate(lambda L: [1, 2, 3]),
        "bools": collate(lambda L: [True, False]),
        "floats": collate(lambda L: [0.1, 0.2]),
        "ints_then_float": collate(lambda L: [1, 2.5]),
        "texts": collate(lambda L: ["a", "b"]),
        "bytes": collate(lambda L: [b"a", b"b"]),
        "arrays": collate(lambda L: [np.ones((2, 2)), np.zeros((2, 2))]),
        "arrays_float32": collate(lambda L: [np.ones(2, np.float32)] * 2),
        "arrays_int": collate(lambda L: [np.arange(3, dtype=np.int16)] * 2),
        "arrays_bool": collate(lambda L: [np.array([True, False])] * 2),
        "arrays_0_dim": collate(lambda L: [np.array(3.5), np.array(4.5)]),
        "numpy_float64": collate(lambda L: [np.float64(0.1), np.float64(0.2)]),
        "numpy_float32": collate(lambda L: [np.float32(0.1), np.float32(0.2)]),
        "numpy_int32": collate(lambda L: [np.int32(1), np.int32(2)]),
        "numpy_bool": collate(lambda L: [np.bool_(True), np.bool_(False)]),
        "tuples": collate(lambda L: [(1, L.ones(2)), (2, L.zeros(2))]),
        "lists": collate(lambda L: [[1, 2.0], [3, 4.0]]),
        "named": collate(lambda L: [Point(1, 2.0), Point(3, 4.0)]),
        "dicts": collate(lambda L: [{"a": 1, "b": "x"}, {"b": "y", "a": 2, "c": 0}]),
        "ordered_dicts": collate(lambda L: [collections.OrderedDict(a=1), collections.OrderedDict(a=2)]),
        "nested": collate(lambda L: [{"a": [(1, "x"), [2.0]]}, {"a": [(3, "y"), [4.0]]}]),
        "single": collate(lambda L: [5]),
        "empty_samples": collate(lambda L: [(), ()]),
        "ranges": collate(lambda L: [range(2), range(2, 4)]),
        "of_tuple": collate(lambda L: (1, 2)),
        "user_list": lambda L: list(
            L.utils.data.default_collate([collections.UserList([1, 2]), collections.UserList([3, 4])])
        ),
        "original_unchanged": lambda L: (d := [{"a": 1}, {"a": 2}], L.utils.data.default_collate(d), d)[1:],
    },
)
ROWS += errors(
    "utils.data.default_collate",
    {
        "sizes": (collate(lambda L: [[1, 2], [3]]), r"equal size, got \[2, 1\]"),
        "shapes": (collate(lambda L: [L.ones(2), L.ones(3)]), r"stack"),
        "object": (collate(lambda L: [object(), object()]), r"found <class 'object'>"),
        "none": (collate(lambda L: [None]), r"NoneType"),
        "set": (collate(lambda L: [{1}, {2}]), r"set"),
        "text_arrays": (collate(lambda L: [np.array(["a"])]), r"<U1"),
        "missing_key": (collate(lambda L: [{"a": 1}, {"b": 2}]), r"a"),
        "empty": (collate(lambda L: []), r"index out of range"),
    },
)
ROWS += rows(
    "utils.data.default_convert",
    {
        "number": convert(lambda L: 3),
        "float": convert(lambda L: 3.5),
        "text": convert(lambda L: "a"),
        "none": convert(lambda L: None),
        "tensor": convert(lambda L: L.ones(2)),
        "array": convert(lambda L: np.ones(2, np.float32)),
        "numpy_number": convert(lambda L: np.float64(2.5)),
        "numpy_int": convert(lambda L: np.int32(2)),
        "numpy_bool": convert(lambda L: np.bool_(True)),
        "text_array": convert(lambda L: np.array(["a", "b"])),
        "tuple": convert(lambda L: (np.ones(2), 1)),
        "list": convert(lambda L: [np.ones(2), "x"]),
        "named": convert(lambda L: Point(np.ones(1), 2)),
        "dict": convert(lambda L: {"a": np.zeros(1), "b": {"c": np.int64(1)}}),
    },
)
ROWS += rows("utils.data.get_worker_info", {"here": lambda L: L.utils.data.get_worker_info()})
