"""Who else takes part in this computation: the group of processes that layers and samplers ask.

A group gives arrays to other ranks and gets theirs; it knows nothing of tensors. Alone there is one rank, and every
exchange gives back what was put in. distributed/ makes larger groups, over MPI or NCCL, and puts them here.
"""


class Alone:
    """The group of one process: what every larger group can do, where there is nobody to ask.

    Attributes
    ----------
    rank, size : int
        This process's number, from 0, and how many there are.
    """

    rank, size, backend = 0, 1, "none"

    def start_all_reduce(self, array, op="sum"):
        """Begin to combine `array` (contiguous) over all ranks; `.wait()` on the result gives the combined array."""
        return Finished(array.copy())

    def all_reduce(self, array, op="sum"):
        """`array` combined over all ranks ("sum", "product", "min", "max", "avg", ...): a new array, alike on all."""
        return self.start_all_reduce(array, op).wait()

    def all_gather(self, array):
        """The arrays of all ranks, which have one shape, in the order of ranks."""
        return [array.copy()]

    def all_gather_object(self, thing):
        """What all ranks put in, in the order of ranks: anything that can be pickled."""
        return [thing]

    def broadcast(self, array, src=0):
        """The array of rank `src`, a new one."""
        return array.copy()

    def barrier(self):
        """Wait until all ranks are here."""

    def close(self):
        """Give back what the group holds."""


class Finished:
    """An exchange that is over."""

    def __init__(self, result):
        self.result = result

    def wait(self):
        """The combined array."""
        return self.result


_current = None


def current():
    """The group that init_process_group made, or the group of one."""
    return _current or _alone


def is_initialized():
    """Whether there is a group other than the one that every process is by itself."""
    return _current is not None


def enter(group):
    """Make `group` the one that `current` gives; None leaves it."""
    global _current
    _current = group


_alone = Alone()
