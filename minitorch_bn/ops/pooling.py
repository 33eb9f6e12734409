"""Pooling: one number for every window of an image, its largest or its mean."""

import math

import numpy as np

from .. import backend
from ..engine import Op, apply
from .conv import check_window, fold, out_size, pair, windows


class MaxPool2d(Op):
    """y = the largest element of every window.  dx adds dy at the element that was largest (the first, if several tie).

    Shapes: x (N, C, H, W), y (N, C, OH, OW).
    """

    torch_name = "MaxPool2DWithIndicesBackward0"

    def __init__(self, kernel, stride, padding, dilation):
        self.kernel, self.stride, self.padding, self.dilation = kernel, stride, padding, dilation

    def forward(self, x):
        ph, pw = self.padding
        if ph or pw:
            x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=-np.inf)
        view = windows(x, self.kernel, self.stride, self.dilation)
        flat = view.reshape(*view.shape[:4], self.kernel[0] * self.kernel[1])
        self.padded_shape, self.view_shape = x.shape, view.shape
        self.winner = flat.argmax(-1)[..., None]
        return np.take_along_axis(flat, self.winner, -1)[..., 0]

    def backward(self, dy):
        ph, pw = self.padding
        offsets = backend.namespace(dy).arange(self.kernel[0] * self.kernel[1])
        dview = (dy[..., None] * (self.winner == offsets)).reshape(self.view_shape)
        dx = fold(dview, self.padded_shape, self.stride, self.dilation)
        return (dx[:, :, ph : dx.shape[2] - ph, pw : dx.shape[3] - pw],)


class AvgPool2d(Op):
    """y = the sum of every window, divided by how many elements count.  dx adds dy / count to all of them.

    Shapes: x (N, C, H, W), y (N, C, OH, OW).

    Parameters
    ----------
    kernel, stride, padding : pair of int
    count_padding : bool
        Whether the zeros of the padding count.
    """

    torch_name = "AvgPool2DBackward0"

    def __init__(self, kernel, stride, padding, count_padding):
        self.kernel, self.stride, self.padding, self.count_padding = kernel, stride, padding, count_padding

    def forward(self, x):
        (ph, pw), margins = self.padding, ((0, 0), (0, 0), (self.padding[0],) * 2, (self.padding[1],) * 2)
        ones = backend.namespace(x).ones((1, 1, *x.shape[2:]), x.dtype)
        ones = np.pad(ones, margins, constant_values=1 if self.count_padding else 0)
        x = np.pad(x, margins) if ph or pw else x
        view = windows(x, self.kernel, self.stride, (1, 1))
        self.padded_shape, self.view_shape = x.shape, view.shape
        self.count = windows(ones, self.kernel, self.stride, (1, 1)).sum((4, 5))
        return view.sum((4, 5)) / self.count

    def backward(self, dy):
        ph, pw = self.padding
        dview = np.broadcast_to((dy / self.count)[..., None, None], self.view_shape)
        dx = fold(dview, self.padded_shape, self.stride, (1, 1))
        return (dx[:, :, ph : dx.shape[2] - ph, pw : dx.shape[3] - pw],)


class AdaptiveAvgPool2d(Op):
    """y[i, j] = the mean of the rows floor(i H / OH) to ceil((i + 1) H / OH) and the like columns.

    Shapes: x (N, C, H, W), y (N, C, OH, OW). dx adds dy / count to every element of its cell; cells may overlap.
    """

    torch_name = "AdaptiveAvgPool2DBackward0"

    def __init__(self, out):
        self.out = out

    def cells(self):
        """(i, j, the part of x that y[i, j] is the mean of)."""
        rows, columns = (
            [slice(i * size // out, -(-(i + 1) * size // out)) for i in range(out)]
            for size, out in zip(self.x_shape[2:], self.out, strict=True)
        )
        return [(i, j, (slice(None), slice(None), r, c)) for i, r in enumerate(rows) for j, c in enumerate(columns)]

    def forward(self, x):
        self.x_shape = x.shape
        y = backend.namespace(x).empty((*x.shape[:2], *self.out), x.dtype)
        for i, j, cell in self.cells():
            y[:, :, i, j] = x[cell].mean((2, 3))
        return y

    def backward(self, dy):
        dx = backend.namespace(dy).zeros(self.x_shape, dy.dtype)
        for i, j, cell in self.cells():
            count = math.prod(dx[cell].shape[2:])
            dx[cell] += (dy[:, :, i, j] / count)[..., None, None]
        return (dx,)


def max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1):
    """The largest element of every window.

    Parameters
    ----------
    input : Tensor of shape (N, C, H, W) or (C, H, W)
    kernel_size, stride, padding, dilation : int or pair of int
        stride is kernel_size if left out. The padding counts as -inf and is at most half the kernel.

    Returns
    -------
    Tensor of shape (N, C, OH, OW) or (C, OH, OW), OH = (H + 2 padding - dilation (K - 1) - 1) // stride + 1

    Raises
    ------
    RuntimeError
        If the rank is wrong, the padding too wide, or no window fits.
    """
    kernel, stride, padding, dilation = _window("max_pool2d", input, kernel_size, stride, padding, dilation)
    return _batched(MaxPool2d(kernel, stride, padding, dilation), input)


def avg_pool2d(input, kernel_size, stride=None, padding=0, count_include_pad=True):
    """The mean of every window; with `count_include_pad` the zeros of the padding count. Shapes as in max_pool2d."""
    kernel, stride, padding, _ = _window("avg_pool2d", input, kernel_size, stride, padding, 1)
    return _batched(AvgPool2d(kernel, stride, padding, count_include_pad), input)


def adaptive_avg_pool2d(input, output_size):
    """The image averaged down (or repeated up) to `output_size`, an int or a pair; None keeps a size.

    input (N, C, H, W) or (C, H, W) gives (N, C, OH, OW) or (C, OH, OW).
    """
    if input.array.ndim not in (3, 4):
        raise RuntimeError(f"adaptive_avg_pool2d: Expected 3D or 4D tensor, got shape {input.array.shape}")
    wanted = (output_size, output_size) if output_size is None or hasattr(output_size, "__index__") else output_size
    if len(wanted) != 2:
        raise RuntimeError(f"adaptive_avg_pool2d: output_size must be 2 numbers, got {output_size}")
    out = tuple(n if o is None else int(o) for o, n in zip(wanted, input.array.shape[-2:], strict=True))
    return _batched(AdaptiveAvgPool2d(out), input)


def _batched(op, input):
    """`op` on (N, C, H, W), or on (C, H, W) as a batch of one."""
    return apply(op, input.unsqueeze(0)).squeeze(0) if input.array.ndim == 3 else apply(op, input)


def _window(name, input, kernel, stride, padding, dilation):
    """The window's numbers as pairs, checked against the input."""
    if input.array.ndim not in (3, 4):
        raise RuntimeError(f"{name}: Expected 3D (C, H, W) or 4D (N, C, H, W) tensor, got shape {input.array.shape}")
    kernel = pair(kernel)
    stride = kernel if stride is None else pair(stride)
    padding, dilation = pair(padding), pair(dilation)
    check_window(name, kernel, stride, padding, dilation)
    if any(p > k // 2 for p, k in zip(padding, kernel, strict=True)):
        raise RuntimeError(f"{name}: pad should be at most half of kernel size, got padding {padding}, kernel {kernel}")
    out = [out_size(*a) for a in zip(input.array.shape[-2:], kernel, stride, padding, dilation, strict=True)]
    if min(out) < 1:
        raise RuntimeError(
            f"{name}: Given input {input.array.shape} and kernel {kernel}, the output size {out} is too small"
        )
    return kernel, stride, padding, dilation
