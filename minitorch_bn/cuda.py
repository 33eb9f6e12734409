"""Whether there is a GPU, and which: torch.cuda's names. Without a GPU they answer as PyTorch's CPU build does."""

from . import backend
from .backend import is_available


def device_count():
    """How many GPUs there are: 0 without CuPy or without one."""
    return backend.cupy().cuda.runtime.getDeviceCount() if is_available() else 0


def current_device():
    """The number of the GPU that device "cuda" stands for.

    Raises
    ------
    AssertionError
        If there is none.
    """
    _check("current_device")
    return backend.cupy().cuda.Device().id


def get_device_name(device=None):
    """The name of a GPU.

    Raises
    ------
    AssertionError
        If there is none.
    """
    _check("get_device_name")
    where = backend.device("cuda" if device is None else device)
    number = current_device() if where.index is None else where.index
    return backend.cupy().cuda.runtime.getDeviceProperties(number)["name"].decode()


def synchronize(device=None):
    """Wait until the GPU has done all that it was given. Without a GPU there is nothing to wait for.

    PyTorch's CPU build raises AssertionError; here a script that measures a step need not ask for the device first.
    """
    backend.synchronize()


def is_initialized():
    """Whether a GPU is in use."""
    return is_available()


def manual_seed(seed):
    """Does nothing: random numbers for a GPU are made on the CPU and moved, so minitorch_bn.manual_seed seeds them."""


def manual_seed_all(seed):
    """Does nothing, as `manual_seed`."""


def empty_cache():
    """Give memory that is not used back to the GPU."""
    if is_available():
        backend.cupy().get_default_memory_pool().free_all_blocks()


def _check(name):
    """PyTorch's error where there is no GPU."""
    if not is_available():
        raise AssertionError(f"cuda.{name}: there is no CuPy with a GPU here; ask is_available() first")
