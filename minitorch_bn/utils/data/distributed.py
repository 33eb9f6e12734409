"""DistributedSampler: every process reads its share of a data set."""

import math

from ... import drawing
from ...random import Generator
from .sampler import Sampler


class DistributedSampler(Sampler):
    """Deals the samples out in turn: process `rank` of `num_replicas` gets every num_replicas-th one.

    All processes shuffle alike, by seed + epoch, and then take from their place on: no sample is read twice. To give
    all the same number, the first samples are repeated at the end, or the last ones dropped.

    Parameters
    ----------
    dataset : Dataset
    num_replicas, rank : int, optional
        How many processes there are, and which one this is; default: those of minitorch_bn.distributed.
    shuffle : bool
    seed : int
        The same in all processes.
    drop_last : bool
        Drop samples, rather than repeat some.

    Raises
    ------
    ValueError
        If rank is not in [0, num_replicas), or it is to be asked for and no process group has been initialised.

    >>> [list(DistributedSampler(range(5), num_replicas=2, rank=rank, shuffle=False)) for rank in (0, 1)]
    [[0, 2, 4], [1, 3, 0]]

    Source: PyTorch documentation, torch.utils.data.distributed.DistributedSampler.
    """

    def __init__(self, dataset, num_replicas=None, rank=None, shuffle=True, seed=0, drop_last=False):
        if num_replicas is None or rank is None:
            from ... import distributed  # only here: one process needs none of it

            num_replicas = distributed.get_world_size() if num_replicas is None else num_replicas
            rank = distributed.get_rank() if rank is None else rank
        if not 0 <= rank < num_replicas:
            raise ValueError(f"DistributedSampler: invalid rank {rank}, wanted one from 0 to {num_replicas - 1}")
        self.dataset, self.num_replicas, self.rank, self.epoch = dataset, num_replicas, rank, 0
        self.drop_last, self.shuffle, self.seed = drop_last, shuffle, seed
        n = len(dataset)
        self.num_samples = n // num_replicas if drop_last else math.ceil(n / num_replicas)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self):
        n = len(self.dataset)
        indices = list(range(n))
        if self.shuffle:
            generator = Generator().manual_seed(self.seed + self.epoch)
            indices = drawing.randperm(n, generator=generator).tolist()
        if n:
            indices = indices * math.ceil(self.total_size / n)
        return iter(indices[self.rank : self.total_size : self.num_replicas])

    def __len__(self):
        return self.num_samples

    def set_epoch(self, epoch):
        """Say which epoch begins. Without it, every epoch is shuffled alike."""
        self.epoch = epoch
