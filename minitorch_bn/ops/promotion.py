"""What operands have to do with one another: common shape, common dtype, common device."""

import numpy as np

from .. import backend, dtypes
from ..engine import Variable
from .cast import cast, to_device


def unbroadcast(dy, shape):
    """`dy` summed over the axes along which `shape` was stretched to `dy`'s shape.

    >>> unbroadcast(np.ones((4, 3)), (3,))
    array([4., 4., 4.])
    """
    if dy.shape == shape:
        return dy
    extra = dy.ndim - len(shape)
    stretched = tuple(i for i in range(dy.ndim) if i < extra or (shape[i - extra] == 1 and dy.shape[i] != 1))
    return dy.sum(stretched, keepdims=True).reshape(shape)


def shape_of(x):
    """The shape of an array; () for a Python number."""
    return getattr(x, "shape", ())


def promoted(name, a, b, floating=False):
    """`a` and `b` in the dtype that PyTorch would compute in; Python numbers stay as they are where NumPy agrees.

    Parameters
    ----------
    name : str
        The function's, for error messages.
    a, b : Tensor or number
        At least one is a tensor. A NumPy array counts as a tensor that needs no gradient.
    floating : bool
        Whether integers and bools shall become the default floating point dtype.

    Raises
    ------
    TypeError
        If an operand is neither a tensor nor a number.
    RuntimeError
        If the shapes do not broadcast or the devices differ.
    OverflowError
        If a Python int does not fit into 64 bits.
    """
    if isinstance(a, Variable) and isinstance(b, Variable):
        if type(a.array) is not type(b.array):
            a, b = on_one_device(name, a, b)
        if a.array.dtype == b.array.dtype and (not floating or a.array.dtype.kind == "f"):
            if a.array.shape != b.array.shape:
                check_broadcast(name, a.array.shape, b.array.shape)
            return a, b
        check_broadcast(name, a.array.shape, b.array.shape)
    else:
        tensor, number = (a, b) if isinstance(a, Variable) else (b, a)
        kind = type(number)
        if kind is not float and kind is not int and kind is not bool:
            other = _from_numpy(name, tensor, number)
            return promoted(name, *((a, other) if tensor is a else (other, b)), floating)
        must_hold_a_tensor(name, tensor, number)
        if tensor.array.dtype.kind == "f":
            return a, b
    target = dtypes.result_type(*(x.array if isinstance(x, Variable) else x for x in (a, b)))
    if floating and not target.is_floating_point:
        target = dtypes.get_default_dtype()
    return tuple(cast(x, target) if isinstance(x, Variable) else _number_in(x, target) for x in (a, b))


def promoted_arrays(name, a, b):
    """The arrays (or numbers) of `promoted` operands, and one of the operands that is a tensor."""
    a, b = promoted(name, a, b)
    source = a if isinstance(a, Variable) else b
    return *(x.array if isinstance(x, Variable) else x for x in (a, b)), source


def must_hold_a_tensor(name, a, b):
    """Raise TypeError if neither of two operands is a tensor."""
    if not isinstance(a, Variable) and not isinstance(b, Variable):
        raise TypeError(f"{name}: got {type(a).__name__} and {type(b).__name__}, wanted at least one tensor")


def _from_numpy(name, tensor, x):
    """What NumPy made, as an operand: an array as a tensor, a scalar (np.float64 is a float) as a Python number."""
    if isinstance(x, np.generic):
        return x.item()
    if isinstance(x, int | float):
        return int(x) if isinstance(x, int) else float(x)
    if backend.is_array(x) and isinstance(tensor, Variable):
        return tensor.like(x)
    raise TypeError(f"{name}: got {type(x).__name__}, wanted a tensor or a number")


def _number_in(number, target):
    """A Python number among integers of dtype `target`: taken modulo 2**bits, as the numbers in the tensor are."""
    return number if target.is_floating_point else np.int64(number).astype(target.numpy)


def on_one_device(name, a, b):
    """`a` and `b`, one on the CPU and one on a GPU, on the GPU: PyTorch allows that if the one on the CPU is 0-dim."""
    host, other = (a, b) if isinstance(a.array, np.ndarray) else (b, a)
    if host.array.ndim:
        backend.check_devices(name, a.array, b.array)
    moved = to_device(host, backend.device_of(other.array))
    return (moved, b) if host is a else (a, moved)


def check_broadcast(name, a_shape, b_shape):
    """Raise PyTorch's error if the two shapes do not broadcast."""
    for i, (m, n) in enumerate(zip(a_shape[::-1], b_shape[::-1], strict=False)):
        if m != n and m != 1 and n != 1:
            dim = max(len(a_shape), len(b_shape)) - 1 - i
            raise RuntimeError(
                f"{name}: The size of tensor a ({m}) must match the size of tensor b ({n}) at non-singleton dimension "
                f"{dim}; got shapes {tuple(a_shape)} and {tuple(b_shape)}. Sizes are compared from the right and must "
                "be equal or 1."
            )
