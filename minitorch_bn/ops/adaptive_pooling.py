"""Adaptive pooling: images of any size become images of a given size; the windows adapt.

y[i, j] is made from the rows floor(i H / OH) to ceil((i + 1) H / OH) of the image, the last one excluded, and from the
like columns: a cell. Cells cover the image, and overlap where OH does not divide H.
"""

import math

import numpy as np

from .. import backend
from ..engine import Op, apply
from .axes import must_be_floating, must_be_tensor
from .reduction import mean


def cells(shape, out):
    """(i, j, the part of the image (N, C, H, W) that y[i, j] is made from), for all of y."""
    rows, columns = (
        [slice(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]
        for size, count in zip(shape[2:], out, strict=True)
    )
    return [(i, j, (slice(None), slice(None), r, c)) for i, r in enumerate(rows) for j, c in enumerate(columns)]


class AdaptiveAvgPool2d(Op):
    """y[i, j] = the mean of its cell.  dx adds dy / count to every element of the cell.

    Shapes: x (N, C, H, W), y (N, C, OH, OW).
    """

    torch_name = "AdaptiveAvgPool2DBackward0"

    def __init__(self, out):
        self.out = out

    def forward(self, x):
        self.x_shape = x.shape
        y = backend.namespace(x).empty((*x.shape[:2], *self.out), x.dtype)
        for i, j, cell in cells(x.shape, self.out):
            y[:, :, i, j] = x[cell].mean((2, 3))
        return y

    def backward(self, dy):
        dx = backend.namespace(dy).zeros(self.x_shape, dy.dtype)
        for i, j, cell in cells(self.x_shape, self.out):
            count = math.prod(dx[cell].shape[2:])
            dx[cell] += (dy[:, :, i, j] / count)[..., None, None]
        return (dx,)


class AdaptiveMaxPool2d(Op):
    """y[i, j] = the largest element of its cell.  dx adds dy at that element: the first, if several tie; the last nan.

    Shapes: x (N, C, H, W), y (N, C, OH, OW), indices (N, C, OH, OW), counted row by row through each image.
    """

    torch_name = "AdaptiveMaxPool2DBackward0"

    def __init__(self, out):
        self.out = out

    def forward(self, x):
        xp, self.x_shape = backend.namespace(x), x.shape
        self.indices = xp.empty((*x.shape[:2], *self.out), np.int64)
        for i, j, cell in cells(x.shape, self.out):
            part = x[cell]
            flat = part.reshape(*x.shape[:2], part.shape[2] * part.shape[3])
            nan = np.isnan(flat)
            last_nan = flat.shape[2] - 1 - nan[..., ::-1].argmax(-1)
            winner = np.where(nan.any(-1), last_nan, flat.argmax(-1))
            row, column = winner // part.shape[3], winner % part.shape[3]
            self.indices[:, :, i, j] = (row + cell[2].start) * x.shape[3] + column + cell[3].start
        images = x.reshape(*x.shape[:2], x.shape[2] * x.shape[3])
        flat = self.indices.reshape(*x.shape[:2], self.out[0] * self.out[1])
        return np.take_along_axis(images, flat, -1).reshape(self.indices.shape)

    def backward(self, dy):
        N, C, H, W = self.x_shape
        dx = backend.namespace(dy).zeros((N * C, H * W), dy.dtype)
        image = backend.namespace(dy).arange(N * C)[:, None]
        cells = (N * C, self.out[0] * self.out[1])
        backend.scatter_add(dx, (image, self.indices.reshape(cells)), dy.reshape(cells))
        return (dx.reshape(self.x_shape),)


def adaptive_avg_pool2d(input, output_size):
    """The image averaged down (or repeated up) to a given size.

    One cell is the mean over the last two dimensions: to (1, 1) an input of any rank from 2 up goes, as in PyTorch.

    Parameters
    ----------
    input : Tensor of shape (N, C, H, W) or (C, H, W)
    output_size : int or pair of int or None
        OH and OW; None keeps H or W.

    Returns
    -------
    Tensor of shape (N, C, OH, OW) or (C, OH, OW)

    Raises
    ------
    RuntimeError
        If the input has another rank or no pixels, or output_size is negative or not two numbers; if the input is of
        integers and output_size (1, 1).
    IndexError
        If the input has fewer than two dimensions and output_size is 1.
    ValueError
        If the input has no more dimensions than output_size has numbers.
    TypeError
        If output_size is neither an int nor a pair.
    NotImplementedError
        If the input is not of floating point dtype.

    Source: PyTorch documentation, torch.nn.functional.adaptive_avg_pool2d.
    """
    out = _out("adaptive_avg_pool2d", input, output_size)
    if out == (1, 1):
        return mean(input, (-2, -1), keepdim=True)
    _must_be_image("adaptive_avg_pool2d", input, 2)
    return _batched(AdaptiveAvgPool2d(out), input)[0]


def adaptive_max_pool2d(input, output_size, return_indices=False):
    """The largest elements of the cells of an image; with `return_indices` also where they stand, int64.

    Shapes and errors as in `adaptive_avg_pool2d`; RuntimeError also if there are no channels.
    """
    out = _out("adaptive_max_pool2d", input, output_size)
    _must_be_image("adaptive_max_pool2d", input, 3)
    y, op = _batched(AdaptiveMaxPool2d(out), input)
    return (y, input.like(op.indices.reshape(y.array.shape))) if return_indices else y


def _batched(op, input):
    """`op` on (N, C, H, W), or on (C, H, W) as a batch of one; and `op`."""
    return (apply(op, input.unsqueeze(0)).squeeze(0) if input.array.ndim == 3 else apply(op, input)), op


def _out(name, input, output_size):
    """OH and OW as two ints; None is the input's H or W."""
    must_be_tensor(name, input)
    shape = input.array.shape
    one = hasattr(output_size, "__index__") and not isinstance(output_size, bool)
    wanted = (output_size,) * 2 if one else output_size
    if not isinstance(wanted, tuple | list) or not all(o is None or hasattr(o, "__index__") for o in wanted):
        raise TypeError(f"{name}: output_size must be an int or a pair of ints or None, got {output_size!r}")
    if not one and len(shape) <= len(wanted):
        raise ValueError(f"{name}: input of shape {shape} has too few dimensions for output_size {output_size}")
    if len(wanted) != 2 or min((o for o in wanted if o is not None), default=0) < 0:
        raise RuntimeError(f"{name}: output_size must be 2 numbers from 0 up, got {output_size}")
    return tuple(shape[i - 2] if o is None else int(o) for i, o in enumerate(wanted))


def _must_be_image(name, input, filled):
    """Raise PyTorch's errors unless the input is a batch of images or one, whose last `filled` sizes are not 0."""
    must_be_floating(name, input)
    shape = input.array.shape
    if len(shape) not in (3, 4):
        raise RuntimeError(f"{name}: Expected 3D (C, H, W) or 4D (N, C, H, W) tensor, got shape {shape}")
    if 0 in shape[1:][-filled:]:
        raise RuntimeError(f"{name}: Expected non-zero sizes but for the batch, got shape {shape}")
