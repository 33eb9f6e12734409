"""LocalResponseNorm: divide by the energy of neighbouring channels. What AlexNet had before BatchNorm."""

import numpy as np

from ..engine import Op, apply
from .axes import must_be_tensor
from .elementwise import floating


class LocalResponseNorm(Op):
    """Divide every value by a power of the mean square of the channels around its own, at its own position.

        scale = k + alpha * (sum of x**2 over a window of `size` channels) / size        y = x / scale**beta

    Shapes: x, y and their gradients are (N, C, *S). The window of channel c begins at c - size // 2; channels that do
    not exist count as 0. Each x stands in its own numerator and in the windows of its neighbours:

        dx = dy / scale**beta  -  2 * alpha * beta / size * x * (sum of dy * y / scale over the windows that hold x)

    Source: Krizhevsky, Sutskever & Hinton 2012, section 3.3; alpha / size as in PyTorch's LocalResponseNorm.
    """

    torch_name = "DivBackward0"

    def __init__(self, size, alpha=1e-4, beta=0.75, k=1.0):
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k
        self.before = size // 2
        self.after = size - 1 - self.before

    def forward(self, x):
        self.x = x
        self.scale = self.k + self.alpha / self.size * channel_windows(x * x, self.before, self.after)
        self.power = self.scale**self.beta
        return x / self.power

    def backward(self, dy):
        direct = dy / self.power
        # x lies in the windows of the channels that have x in theirs: `before` and `after` change places
        shared = channel_windows(direct * self.x / self.scale, self.after, self.before)
        return (direct - 2 * self.alpha * self.beta / self.size * self.x * shared,)


def channel_windows(x, before, after):
    """For every channel, the sum over the channels from `before` ahead of it to `after` behind it: (N, C, *S).

    >>> channel_windows(np.array([[1.0, 10.0, 100.0]]), 1, 0)
    array([[  1.,  11., 110.]])
    """
    C = x.shape[1]
    zeros = ((0, 0), (before, after)) + ((0, 0),) * (x.ndim - 2)
    padded = np.pad(x, zeros)
    return sum(padded[:, offset : offset + C] for offset in range(before + 1 + after))


def local_response_norm(input, size, alpha=1e-4, beta=0.75, k=1.0):
    """Local response normalisation: the functional form of nn.LocalResponseNorm.

    Parameters
    ----------
    input : Tensor of shape (N, C, *S)
    size : int
        How many neighbouring channels are looked at.
    alpha, beta, k : float
        y = x / (k + alpha * mean square)**beta.

    Returns
    -------
    Tensor of shape (N, C, *S)

    Raises
    ------
    ValueError
        If the input has fewer than 3 dimensions.
    RuntimeError
        If size is not positive.
    TypeError
        If size is no int, or the input no tensor.
    NotImplementedError
        If the input is bool.

    Source: PyTorch documentation, torch.nn.functional.local_response_norm.
    """
    must_be_tensor("local_response_norm", input)
    if input.array.ndim < 3:
        raise ValueError(
            f"local_response_norm: expected 3D or higher dimensionality input, (N, C, *S), got {input.array.ndim}D"
        )
    if input.array.size == 0:
        return input
    if not hasattr(size, "__index__"):
        raise TypeError(f"local_response_norm: size must be an int, got {type(size).__name__}")
    if size < 1:
        raise RuntimeError(f"local_response_norm: size must be greater than 0, got {size}")
    if input.array.dtype == bool:
        raise NotImplementedError("local_response_norm: not implemented for bool; use .float()")
    return apply(LocalResponseNorm(size, alpha, beta, k), floating("local_response_norm", input))
