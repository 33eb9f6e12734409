"""Pooling: one number for every window of an image, its largest or its mean."""

import math

import numpy as np

from .. import backend
from ..engine import Op, apply
from .axes import must_be_tensor
from .conv import check_window, fold, out_size, pair, windows


class Window:
    """Where the windows of a pooling lie: their numbers as pairs, one for the rows and one for the columns.

    Attributes
    ----------
    kernel, stride, padding, dilation, out : pair of int
        `out` is how many windows there are along each axis.
    """

    def __init__(self, kernel, stride, padding, dilation, out):
        self.kernel, self.stride, self.padding, self.dilation, self.out = kernel, stride, padding, dilation, out

    def margins(self, shape):
        """What to add around an image (N, C, H, W), so that all windows fit: the padding, and what lies beyond."""
        beyond = [
            max(0, (out - 1) * s + d * (k - 1) + 1 - (n + p))
            for out, k, s, p, d, n in zip(
                self.out, self.kernel, self.stride, self.padding, self.dilation, shape[2:], strict=True
            )
        ]
        return ((0, 0), (0, 0), *zip(self.padding, beyond, strict=True))

    def view(self, x):
        """All windows of the padded image, (N, C, OH, OW, KH, KW); no number is copied."""
        return windows(x, self.kernel, self.stride, self.dilation)

    def fold(self, dview, padded_shape, x_shape):
        """The reverse of padding and `view`: added up into the shape of the image."""
        dx = fold(dview, padded_shape, self.stride, self.dilation)
        (ph, pw), (H, W) = self.padding, x_shape[2:]
        return dx[:, :, ph : ph + H, pw : pw + W]


class MaxPool2d(Op):
    """y = the largest element of every window.  dx adds dy at that element: the first, if several tie.

    Shapes: x (N, C, H, W), y (N, C, OH, OW), winner (N, C, OH, OW, 1), where in its window the largest element stands.
    nan counts as larger than anything; of several the last is the winner. Padding is never the winner.

    Parameters
    ----------
    window : Window
    """

    torch_name = "MaxPool2DWithIndicesBackward0"

    def __init__(self, window):
        self.window = window

    def forward(self, x):
        self.x_shape, margins = x.shape, self.window.margins(x.shape)
        if any(margins[2] + margins[3]):
            lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
            x = np.pad(x, margins, constant_values=lowest)
        view = self.window.view(x)
        self.padded_shape, self.view_shape = x.shape, view.shape
        flat = view.reshape(*view.shape[:4], math.prod(self.window.kernel))
        self.winner = flat.argmax(-1)[..., None]
        y = np.take_along_axis(flat, self.winner, -1)
        nan = np.isnan(y)
        if nan.any():
            self.winner = np.where(
                nan, flat.shape[-1] - 1 - np.isnan(flat)[..., ::-1].argmax(-1)[..., None], self.winner
            )
        if self.padded_shape != self.x_shape and (y == lowest).any():
            inside = self.inside(backend.namespace(x))
            padding = ~np.take_along_axis(np.broadcast_to(inside, flat.shape), self.winner, -1)
            self.winner = np.where(padding, inside.argmax(-1)[..., None], self.winner)
        return y[..., 0]

    def inside(self, xp):
        """For every element of every window, whether it is none of the padding: (1, 1, OH, OW, K)."""
        inside = np.pad(xp.ones((1, 1, *self.x_shape[2:]), bool), self.window.margins(self.x_shape))
        return self.window.view(inside).reshape(1, 1, *self.window.out, -1)

    def backward(self, dy):
        offsets = backend.namespace(dy).arange(math.prod(self.window.kernel))
        dview = (dy[..., None] * (self.winner == offsets)).reshape(self.view_shape)
        return (self.window.fold(dview, self.padded_shape, self.x_shape),)

    def indices(self):
        """Where the winners stand in their images, counted row by row: int64 (N, C, OH, OW)."""
        xp, w = backend.namespace(self.winner), self.window
        (_, kw), (oh, ow), W = w.kernel, w.out, self.x_shape[3]
        i, j = self.winner[..., 0] // kw, self.winner[..., 0] % kw
        rows = (xp.arange(oh) * w.stride[0] - w.padding[0])[:, None] + i * w.dilation[0]
        columns = xp.arange(ow) * w.stride[1] - w.padding[1] + j * w.dilation[1]
        return rows * W + columns


class AvgPool2d(Op):
    """y = the sum of every window, divided by how many elements count.  dx adds dy / count to all of them.

    Shapes: x (N, C, H, W), y (N, C, OH, OW).

    Parameters
    ----------
    window : Window
    count_padding : bool
        Whether the zeros of the padding count. What `ceil_mode` adds beyond the padding never counts.
    divisor : int or None
        Take this number instead of the count.
    """

    torch_name = "AvgPool2DBackward0"

    def __init__(self, window, count_padding, divisor):
        self.window, self.count_padding, self.divisor = window, count_padding, divisor

    def counts(self, x):
        """How many elements of every window count: (OH, OW), or the one number that is to be taken."""
        if self.divisor is not None:
            return self.divisor
        xp, w, lengths = backend.namespace(x), self.window, []
        for out, k, s, p, n in zip(w.out, w.kernel, w.stride, w.padding, x.shape[2:], strict=True):
            start = xp.arange(out) * s - p
            stop = np.minimum(start + k, n + p)
            if not self.count_padding:
                start, stop = np.maximum(start, 0), np.minimum(stop, n)
            lengths.append(stop - start)
        return (lengths[0][:, None] * lengths[1]).astype(x.dtype)

    def forward(self, x):
        self.x_shape, margins = x.shape, self.window.margins(x.shape)
        self.count = self.counts(x)
        x = np.pad(x, margins) if any(margins[2] + margins[3]) else x
        view = self.window.view(x)
        self.padded_shape, self.view_shape = x.shape, view.shape
        return (view.sum((4, 5)) / self.count).astype(x.dtype, copy=False)

    def backward(self, dy):
        dview = np.broadcast_to((dy / self.count)[..., None, None], self.view_shape)
        return (self.window.fold(dview, self.padded_shape, self.x_shape),)


def max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """The largest element of every window.

    Parameters
    ----------
    input : Tensor of shape (N, C, H, W) or (C, H, W)
    kernel_size, stride, padding, dilation : int or pair of int
        stride is kernel_size if left out. The padding counts as -inf and is at most half the window.
    ceil_mode : bool
        Also take a last window that reaches beyond the padding, if it begins before it.
    return_indices : bool
        Also give the places of the largest elements, counted row by row through each image.

    Returns
    -------
    Tensor of shape (N, C, OH, OW) or (C, OH, OW), OH = (H + 2 padding - dilation (K - 1) - 1) // stride + 1
        With `return_indices` a pair, the second one of int64.

    Raises
    ------
    RuntimeError
        If the rank is wrong, a size other than the batch's is 0, the padding too wide, or no window fits.
    TypeError
        If the window's numbers are no ints.
    NotImplementedError
        If the input is of bools.

    Source: PyTorch documentation, torch.nn.functional.max_pool2d.
    """
    must_be_tensor("max_pool2d", input)
    if input.array.dtype.kind == "b":
        raise NotImplementedError("max_pool2d: not implemented for bools; use .float()")
    op = MaxPool2d(_window("max_pool2d", input, kernel_size, stride, padding, dilation, ceil_mode))
    y = _batched(op, input)
    return (y, input.like(op.indices().reshape(y.array.shape))) if return_indices else y


def avg_pool2d(
    input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
):
    """The mean of every window.

    Parameters
    ----------
    input, kernel_size, stride, padding, ceil_mode
        As in max_pool2d; the padding counts as 0.
    count_include_pad : bool
        Whether the padding is counted for the mean.
    divisor_override : int, optional
        Divide the sums by this number.

    Returns
    -------
    Tensor of shape (N, C, OH, OW) or (C, OH, OW), see max_pool2d

    Raises
    ------
    RuntimeError, TypeError
        As in max_pool2d; RuntimeError also if the divisor is 0.
    IndexError
        If the input has fewer than three dimensions.
    NotImplementedError
        If the numbers are neither floating point nor int64.

    Source: PyTorch documentation, torch.nn.functional.avg_pool2d.
    """
    must_be_tensor("avg_pool2d", input)
    if input.array.ndim < 3:
        raise IndexError(f"avg_pool2d: Expected 3D (C, H, W) or 4D (N, C, H, W) tensor, got shape {input.array.shape}")
    if input.array.dtype.kind != "f" and input.array.dtype != np.int64:
        raise NotImplementedError(f"avg_pool2d: not implemented for {input.array.dtype}; use .float()")
    if divisor_override is not None and type(divisor_override) is not int:
        raise TypeError(f"avg_pool2d: divisor_override must be int, not {type(divisor_override).__name__}")
    if divisor_override == 0:
        raise RuntimeError("avg_pool2d: divisor must be not zero, got divisor_override=0")
    window = _window("avg_pool2d", input, kernel_size, stride, padding, 1, ceil_mode)
    return _batched(AvgPool2d(window, count_include_pad, divisor_override), input)


def _batched(op, input):
    """`op` on (N, C, H, W), or on (C, H, W) as a batch of one."""
    return apply(op, input.unsqueeze(0)).squeeze(0) if input.array.ndim == 3 else apply(op, input)


def _window(name, input, kernel_size, stride, padding, dilation, ceil_mode):
    """The Window for these arguments, checked against the input."""
    shape = input.array.shape
    if len(shape) not in (3, 4) or 0 in shape[-3:]:
        raise RuntimeError(
            f"{name}: Expected 3D (C, H, W) or 4D (N, C, H, W) tensor, no size of 0 but for the batch, got {shape}"
        )
    kernel = pair(name, "kernel_size", kernel_size)
    stride = kernel if stride is None or stride == () else pair(name, "stride", stride)
    padding, dilation = pair(name, "padding", padding), pair(name, "dilation", dilation)
    check_window(name, kernel, stride, padding, dilation)
    if any(p > k // 2 for p, k in zip(padding, kernel, strict=True)):
        raise RuntimeError(f"{name}: pad should be at most half of kernel size, got padding {padding}, kernel {kernel}")
    out = tuple(
        out_size(*numbers, ceil_mode) for numbers in zip(shape[-2:], kernel, stride, padding, dilation, strict=True)
    )
    if min(out) < 1:
        raise RuntimeError(f"{name}: Given input {shape} and kernel {kernel}, the output size {out} is too small")
    return Window(kernel, stride, padding, dilation, out)
