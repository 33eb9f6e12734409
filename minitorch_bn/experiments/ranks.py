"""An experiment on several ranks: one network, trained by all; rank 0 alone speaks and writes.

    mpiexec -n 4 python -m mpi4py -m minitorch_bn names --distributed

Every rank holds the same network and takes its own part of every batch. With BatchNorm over all ranks (SyncBatchNorm)
and the mean of the ranks' gradients (DistributedDataParallel), four ranks with batches of 32 compute what one process
computes with batches of 128. Then all ranks hold the same numbers, so all evaluate, and none waits for another;
rank 0 prints, draws and writes what it found.
"""

import contextlib
import os
import sys

import numpy as np

from .. import distributed, world
from ..distributed.group import INSTALL
from ..nn import SyncBatchNorm
from ..nn.parallel import DistributedDataParallel
from . import checkpoints
from .results import BadInput


def add_arguments(parser, every):
    """The options of a command that can run on several ranks; `every`: between checkpoints, (a number, its unit)."""
    parser.add_argument(
        "--distributed", action="store_true", help="train on all ranks that mpiexec started; --batch is that of a rank"
    )
    checkpoints.add_arguments(parser, *every)


@contextlib.contextmanager
def joined(options):
    """Be one of the ranks that mpiexec started, if the options say so; all but rank 0 fall silent.

    Raises
    ------
    BadInput
        If there is no MPI.
    """
    if not getattr(options, "distributed", False):
        yield
        return
    if not distributed.is_mpi_available():
        raise BadInput(f"--distributed needs MPI: {INSTALL['mpi']}")
    try:
        distributed.init_process_group("mpi")
    except RuntimeError as error:  # no MPI library
        raise BadInput(f"--distributed: {error}") from None
    group = world.current()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere if group.rank else sys.stdout):
        try:
            yield
        except BaseException:
            if group.size == 1:
                distributed.destroy_process_group()
            raise  # with more ranks the group stays: it is needed to end them all
    distributed.destroy_process_group()


def on_all(call):
    """call() on every rank: its result. What one rank cannot use is an error on all: none waits for one that is gone.

    Raises
    ------
    BadInput
        On all ranks alike, if any rank raised BadInput or OSError.
    """
    result = problem = None
    try:
        result = call()
    except (BadInput, OSError) as error:
        problem = str(error)
    for rank, said in enumerate(world.current().all_gather_object(problem)):
        if said is not None:
            raise BadInput(said if rank == 0 else f"rank {rank}: {said}")
    return result


def is_first():
    """Whether this rank speaks and writes: rank 0, or the only process."""
    return world.current().rank == 0


def may_show_progress():
    """Whether a progress bar makes sense: on a terminal, and on rank 0 of several, whose terminal mpiexec hides."""
    return is_first() and (count() > 1 or sys.stderr.isatty())


def end_all(status):
    """End all ranks now, with this exit status; with one process, do nothing."""
    if count() > 1:
        world.current().abort(status)


def parallel(net):
    """`net`, to be trained by all ranks together: statistics over all of them, gradients averaged; alone, `net` itself.

    The ranks' running statistics are equal to the bit, so no buffers need to be sent.
    """
    if not world.is_initialized():
        return net
    return DistributedDataParallel(SyncBatchNorm.convert_sync_batchnorm(net), broadcast_buffers=False)


def count():
    """How many ranks there are; 1 without a group."""
    return world.current().size


def part(batch):
    """This rank's share of a batch that all ranks hold: as many rows for each, in the order of ranks; alone, all."""
    group = world.current()
    if group.size == 1:
        return batch
    rows = len(batch) // group.size
    return batch[group.rank * rows : (group.rank + 1) * rows]


def processes(wanted, kept):
    """How many processes `run_jobs` may use: 1 where all ranks train one network, or checkpoints are kept of each."""
    return 1 if kept or world.is_initialized() else wanted


def mean_over_ranks(values):
    """The mean over ranks of every number in a list; all ranks must hold as many."""
    return world.current().all_reduce(np.array(values, np.float64), "avg").tolist()
