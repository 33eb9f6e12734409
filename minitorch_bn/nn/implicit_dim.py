"""softmax and its kin as torch.nn.functional has them: the dimension may be left out, and is guessed with a warning."""

import warnings

from .. import ops
from ..ops.axes import must_be_tensor


def softmax(input, dim=None, _stacklevel=3, dtype=None):
    """Positive numbers that sum to 1 along `dim`.

    Parameters
    ----------
    input : Tensor of any shape
    dim : int
        Left out, it is 0 for tensors of 0, 1 or 3 dimensions and 1 for others, with a UserWarning: say which you mean.
    _stacklevel : int
        Whose line the warning names.
    dtype : dtype, optional
        What the input is cast to first.

    Raises
    ------
    NotImplementedError
        If the numbers are not floating point.
    IndexError
        If there is no such dimension.
    """
    return ops.softmax(input, guessed("softmax", input, _stacklevel) if dim is None else dim, dtype)


def log_softmax(input, dim=None, _stacklevel=3, dtype=None):
    """The logarithm of softmax along `dim`; arguments and errors as there."""
    return ops.log_softmax(input, guessed("log_softmax", input, _stacklevel) if dim is None else dim, dtype)


def softmin(input, dim=None, _stacklevel=3, dtype=None):
    """softmax of -input along `dim`; arguments and errors as there."""
    return ops.softmax(-input, guessed("softmin", input, _stacklevel) if dim is None else dim, dtype)


def guessed(name, input, stacklevel):
    """The dimension that PyTorch takes where none is given, with its warning."""
    warnings.warn(
        f"{name}: Implicit dimension choice for {name} has been deprecated. Say along which dimension the result shall "
        "sum to 1, for example dim=1.",
        UserWarning,
        stacklevel=stacklevel,
    )
    must_be_tensor(name, input)
    return 0 if input.array.ndim in (0, 1, 3) else 1
