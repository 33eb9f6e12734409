"""Moves that change how numbers are stored, not which numbers: dtype, device, a copy."""

from .. import backend, dtypes
from ..engine import Op, apply
from .axes import must_be_tensor


class Cast(Op):
    """y = x in another floating point dtype.  dx = dy in x's dtype."""

    torch_name = "ToCopyBackward0"

    def __init__(self, dtype):
        self.dtype = dtype

    def forward(self, x):
        self.x_dtype = x.dtype
        return x.astype(self.dtype)

    def backward(self, dy):
        return (dy.astype(self.x_dtype),)


class ToDevice(Op):
    """y = x on another device.  dx = dy brought back."""

    torch_name = "ToCopyBackward0"

    def __init__(self, device):
        self.device = device

    def forward(self, x):
        self.x_device = backend.device_of(x)
        return backend.to_device(x, self.device)

    def backward(self, dy):
        return (backend.to_device(dy, self.x_device),)


class Clone(Op):
    """y = a copy of x.  dx = dy."""

    def forward(self, x):
        return x.copy()

    def backward(self, dy):
        return (dy,)


def cast(input, dtype):
    """`input` in `dtype`; itself if it has that dtype already. Integers and bools carry no gradient."""
    dtype = dtypes.of(dtype)
    if input.array.dtype == dtype.numpy:
        return input
    if not dtype.is_floating_point:
        return input.like(input.array.astype(dtype.numpy))
    return apply(Cast(dtype.numpy), input)


def to_device(input, device):
    """`input` on `device`; itself if it is there already.

    Raises
    ------
    RuntimeError
        If a GPU is asked for and there is none; the message says what to install.
    """
    device = backend.device(device)
    here = backend.device_of(input.array)
    if here.type == device.type and device.index in (None, here.index):
        return input
    return apply(ToDevice(device), input)


def clone(input, *, memory_format=None):
    """A copy of `input` with memory of its own, in order; gradients flow through.

    `memory_format` is taken for PyTorch's sake and changes nothing.
    """
    must_be_tensor("clone", input)
    return apply(Clone(), input)
