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

    def start_all_gather(self, array):
        """Begin to collect the arrays of all ranks; `.wait()` gives them as `all_gather` does."""
        return Finished([array.copy()])

    def start_broadcast(self, array, src=0):
        """Begin to spread the array of rank `src`; `.wait()` gives it."""
        return Finished(array.copy())

    def start_barrier(self):
        """Say that this rank is here; `.wait()` ends when all are."""
        return Finished(None)

    def all_reduce(self, array, op="sum"):
        """`array` combined over all ranks ("sum", "product", "min", "max", "avg", ...): a new array, alike on all."""
        return self.start_all_reduce(array, op).wait()

    def all_gather(self, array):
        """The arrays of all ranks, which have one shape, in the order of ranks."""
        return self.start_all_gather(array).wait()

    def broadcast(self, array, src=0):
        """The array of rank `src`, a new one."""
        return self.start_broadcast(array, src).wait()

    def barrier(self):
        """Wait until all ranks are here."""
        self.start_barrier().wait()

    def all_gather_object(self, thing):
        """What all ranks put in, in the order of ranks: anything that can be pickled."""
        return [thing]

    def another(self):
        """A group of the same ranks whose messages never meet those of this one, where the engine offers that."""
        return self

    def close(self):
        """Give back what the group holds."""

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        return current, ()  # whoever reads a pickle is in a group of their own


class Finished:
    """An exchange that is over."""

    def __init__(self, result):
        self.result = result

    def wait(self):
        """Its result."""
        return self.result

    def is_done(self):
        """Whether `wait` would return at once."""
        return True


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
