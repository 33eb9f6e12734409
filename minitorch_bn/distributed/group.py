"""The process group: who takes part, and over what they talk."""

import datetime
import importlib.util
import os
import sys
import threading
import traceback

from .. import backend as devices
from .. import world

WORLD = None  # the group of all ranks, as the argument `group=`: there is no other
INSTALL = {
    "mpi": "pip install minitorch_bn[mpi]  (mpi4py and mpich; any other MPI will do)",
    "nccl": "pip install minitorch_bn[gpu-cuda13] nvidia-nccl-cu13, on machines with NVIDIA GPUs",
}


def init_process_group(
    backend=None,
    init_method=None,
    timeout=None,
    world_size=-1,
    rank=-1,
    store=None,
    group_name="",
    pg_options=None,
    device_id=None,
):
    """Join the other processes of this job.

    Parameters
    ----------
    backend : str
        "mpi": ranks and their number come from mpiexec; arrays on a GPU travel through host memory. "nccl": one GPU per
        rank; ranks come from mpiexec, too, or from the variables RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT. None is
        "nccl" if there is a GPU, else "mpi".
    world_size, rank : int
        What the caller expects; -1 expects nothing.
    device_id : device or int, optional
        The GPU of this rank, for "nccl"; by default rank modulo the number of GPUs.
    timeout : timedelta, optional
        How long a rank waits for others, over MPI, before it raises RuntimeError and so ends the job. By default for
        ever: ranks that do not make the same calls then hang.
    init_method, store, group_name, pg_options
        Taken for PyTorch's sake; MPI needs none of them.

    Raises
    ------
    ValueError
        If the backend is unknown, a group exists already, or rank or world_size are not those of the launcher.
    TypeError
        If `timeout` is no timedelta.
    RuntimeError
        If the backend is not installed; the message says what to install.

    An exception that ends one rank ends the whole job at once, with its traceback; without that, the others would wait
    for ever for what that rank was to send.
    """
    if world.is_initialized():
        raise ValueError("init_process_group: trying to initialize the default process group twice!")
    name = str(backend).lower() if backend is not None else "nccl" if devices.is_available() else "mpi"
    if name not in INSTALL:
        raise ValueError(f"init_process_group: got backend {backend!r}, wanted 'mpi' or 'nccl'; on CPUs, 'mpi'")
    if not isinstance(timeout, datetime.timedelta | None):
        raise TypeError(f"init_process_group: expected timeout to be of type timedelta, got {type(timeout).__name__}")
    group = mpi_group(timeout) if name == "mpi" else nccl_group(device_id, rank, world_size)
    if world_size not in (-1, group.size) or rank not in (-1, group.rank):
        group.close()
        raise ValueError(
            f"init_process_group: got rank {rank} of {world_size}, but the launcher made this rank {group.rank} of "
            f"{group.size}. Start it with `mpiexec -n {max(world_size, 1)} python -m mpi4py script.py`."
        )
    world.enter(group)
    if group.size > 1:
        end_all_with_this_rank(group)


def mpi_group(timeout):
    """The ranks that mpiexec started."""
    if not is_mpi_available():
        raise RuntimeError(f"init_process_group: backend 'mpi' is not installed here. Install it: {INSTALL['mpi']}")
    try:
        from mpi4py import MPI  # noqa: F401  it looks for the library when it is imported
    except (ImportError, RuntimeError) as error:
        raise RuntimeError(
            f"init_process_group: mpi4py is installed, but finds no MPI library ({error}). Try: pip install mpich"
        ) from None
    from .mpi import MpiGroup

    return MpiGroup(None if timeout is None else timeout.total_seconds())


def nccl_group(device_id, rank, world_size):
    """The ranks that mpiexec or the environment name, one GPU each."""
    if not is_nccl_available():
        raise RuntimeError(
            f"init_process_group: backend 'nccl' needs CuPy, NCCL and a GPU. Install it: {INSTALL['nccl']}"
        )
    from .nccl import NcclGroup

    index = getattr(device_id, "index", device_id)
    if is_mpi_available() and "RANK" not in os.environ:
        return NcclGroup.over_mpi(index)
    named = {"RANK": rank, "WORLD_SIZE": world_size}
    for variable, given in named.items():
        if given == -1:
            if variable not in os.environ:
                raise ValueError(f"init_process_group: environment variable {variable} expected, but not set")
            named[variable] = int(os.environ[variable])
    return NcclGroup.over_tcp(named["RANK"], named["WORLD_SIZE"], index)


def end_all_with_this_rank(group):
    """From now on an uncaught exception in this process prints its traceback and ends all ranks."""

    def report_and_abort(kind, value, trace):
        sys.stdout.flush()
        print(f"rank {group.rank} of {group.size} failed; ending all ranks", file=sys.stderr)
        traceback.print_exception(kind, value, trace)
        sys.stderr.flush()
        group.abort()

    def excepthook(kind, value, trace):
        if not issubclass(kind, SystemExit):
            report_and_abort(kind, value, trace)

    sys.excepthook = excepthook
    threading.excepthook = lambda args: excepthook(args.exc_type, args.exc_value, args.exc_traceback)


def destroy_process_group(group=None):
    """Leave the group; AssertionError if there is none."""
    if not world.is_initialized():
        raise AssertionError("destroy_process_group: Process group cannot be None: there is none to leave")
    world.current().close()
    world.enter(None)
    sys.excepthook, threading.excepthook = sys.__excepthook__, threading.__excepthook__


def the_group(name):
    """The group, or PyTorch's error if there is none."""
    if not world.is_initialized():
        raise ValueError(
            f"{name}: Default process group has not been initialized, please make sure to call init_process_group."
        )
    return world.current()


def is_available():
    """Whether the package can be used at all; which backends are installed is another question."""
    return True


def is_initialized():
    """Whether init_process_group has been called."""
    return world.is_initialized()


def is_mpi_available():
    """Whether mpi4py is installed."""
    return importlib.util.find_spec("mpi4py") is not None


def is_nccl_available():
    """Whether CuPy sees a GPU and has NCCL."""
    if not devices.is_available():
        return False
    from .nccl import installed

    return installed()


def get_backend(group=None):
    """The name of the backend, "mpi" or "nccl". ValueError if there is no group."""
    return the_group("get_backend").backend


def get_rank(group=None):
    """The number of this process, from 0. ValueError if there is no group."""
    return the_group("get_rank").rank


def get_world_size(group=None):
    """How many processes take part. ValueError if there is no group."""
    return the_group("get_world_size").size
