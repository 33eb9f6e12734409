"""Whether there is a GPU, under PyTorch's names."""

from .backend import is_available, synchronize  # noqa: F401 (synchronize is handed on)


def device_count():
    """How many GPUs there are: 0 without CuPy or without one."""
    if not is_available():
        return 0
    from . import backend

    return backend.cupy().cuda.runtime.getDeviceCount()
