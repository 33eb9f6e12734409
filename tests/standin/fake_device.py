"""The devices of the stand-in for CuPy: how many there are, which one is current, and what was copied to and fro."""

import types


class CUDARuntimeError(RuntimeError):
    """What CuPy raises when CUDA itself fails."""


class GPU:
    """How many devices there are, which one is current, and how many arrays were copied to and from the host."""

    def __init__(self):
        self.reset(1)

    def reset(self, count):
        self.count, self.current, self.to_host, self.to_device = count, 0, 0, 0

    def check(self):
        """CuPy's error if there is no device."""
        if not self.count:
            raise CUDARuntimeError("cudaErrorInsufficientDriver: CUDA driver version is insufficient for CUDA runtime")


gpu = GPU()
memory = {}  # address: weak reference to the array whose `.data.ptr` it is
stream = types.SimpleNamespace(ptr=0x5EED, synchronize=gpu.check)  # the current one; not CUDA's default, 0


class Device:
    """One GPU: the current one, or the one with that number."""

    def __init__(self, device=None):
        self.id = gpu.current if device is None else int(device)

    def __eq__(self, other):
        return isinstance(other, Device) and self.id == other.id

    __hash__ = None

    def __repr__(self):
        return f"<CUDA Device {self.id}>"

    def use(self):
        """Make it the current device."""
        gpu.check()
        if not 0 <= self.id < gpu.count:
            raise CUDARuntimeError("cudaErrorInvalidDevice: invalid device ordinal")
        gpu.current = self.id

    def __enter__(self):
        self._before = gpu.current
        self.use()
        return self

    def __exit__(self, *_):
        gpu.current = self._before

    def synchronize(self):
        """Nothing to wait for."""
        gpu.check()
