"""Convolution in two dimensions (cross-correlation, as everywhere in deep learning), as one matrix product per group.

Every output pixel is the dot product of a filter with a window of the input. Write the windows side by side as the rows
of a matrix ("im2col") and the convolution is that matrix times the filters.
"""

import numpy as np

from .. import backend
from ..engine import Op, apply
from .axes import must_be_tensor
from .padding import pad
from .shape import sizes


def pair(name, what, value):
    """(v, v) for one number or a sequence of one, else the two that are given.

    >>> pair("conv2d", "stride", 2), pair("conv2d", "stride", (2, 1))
    ((2, 2), (2, 1))

    Raises
    ------
    TypeError
        If what is given are no ints.
    RuntimeError
        If they are neither one nor two.
    """
    try:
        numbers = sizes((value,))
    except TypeError:
        raise TypeError(f"{name}: argument {what!r} must be an int or a pair of ints, got {value!r}") from None
    if len(numbers) not in (1, 2):
        raise RuntimeError(f"{name}: expected {what} to be a single int or a list of 2, but got {what}={value}")
    return numbers * 2 if len(numbers) == 1 else numbers


def out_size(size, kernel, stride, padding, dilation, ceil_mode=False):
    """How many windows fit along one axis; with `ceil_mode` also one that reaches beyond the padding.

    As in PyTorch a window that would begin in the padding on the right does not count.

    >>> out_size(5, 2, 2, 0, 1), out_size(5, 2, 2, 0, 1, ceil_mode=True)
    (2, 3)
    """
    last_start = size + 2 * padding - dilation * (kernel - 1) - 1
    if not ceil_mode:
        return last_start // stride + 1
    count = -(-last_start // stride) + 1
    return count - 1 if (count - 1) * stride >= size + padding else count


def check_window(name, kernel, stride, padding, dilation):
    """Raise PyTorch's error for numbers that describe no window."""
    if min(*kernel, *stride, *dilation) < 1 or min(padding) < 0:
        raise RuntimeError(
            f"{name}: wanted a positive kernel, stride and dilation, no negative padding; got kernel {kernel}, "
            f"stride {stride}, padding {padding}, dilation {dilation}"
        )


def windows(x, kernel, stride, dilation):
    """All windows of x (N, C, H, W), as a view of shape (N, C, OH, OW, KH, KW): no number is copied."""
    (kh, kw), (sh, sw), (dh, dw) = kernel, stride, dilation
    every = backend.namespace(x).lib.stride_tricks.sliding_window_view
    span = (dh * (kh - 1) + 1, dw * (kw - 1) + 1)
    return every(x, span, axis=(2, 3))[:, :, ::sh, ::sw, ::dh, ::dw]


def fold(dwindows, shape, stride, dilation):
    """The reverse of `windows`: (N, C, OH, OW, KH, KW) added up into an array of `shape` (N, C, H, W)."""
    _, _, oh, ow, kh, kw = dwindows.shape
    dx = backend.namespace(dwindows).zeros(shape, dwindows.dtype)
    for i in range(kh):
        for j in range(kw):
            top, left = i * dilation[0], j * dilation[1]
            rows = slice(top, top + stride[0] * oh, stride[0])
            columns = slice(left, left + stride[1] * ow, stride[1])
            dx[:, :, rows, columns] += dwindows[..., i, j]
    return dx


class Conv2d(Op):
    """y = the products of the filters W with all windows of x, plus b.

    Shapes: x (N, C, H, W), W (O, C/G, KH, KW), b (O,) or None, y (N, O, OH, OW). Inside, G groups: rows is
    (G, N*OH*OW, C/G*KH*KW), filters is (G, O/G, C/G*KH*KW), and y is rows @ filters.T.

        dfilters = dy.T @ rows        drows = dy @ filters, folded back to x's shape        db = sum of dy
    """

    torch_name = "ConvolutionBackward0"

    def __init__(self, stride, padding, dilation, groups):
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups

    def forward(self, x, W, b):
        (ph, pw), G = self.padding, self.groups
        x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw))) if ph or pw else x
        view = windows(x, W.shape[2:], self.stride, self.dilation)
        N, C, OH, OW, KH, KW = self.view_shape = view.shape
        self.padded_shape, self.W_shape = x.shape, W.shape

        by_group = view.reshape(N, G, C // G, OH, OW, KH, KW).transpose(1, 0, 3, 4, 2, 5, 6)
        O, window = W.shape[0], C // G * KH * KW
        self.rows = by_group.reshape(G, N * OH * OW, window)
        self.filters = W.reshape(G, O // G, window)
        y = self.rows @ self.filters.swapaxes(1, 2)
        y = y.reshape(G, N, OH, OW, O // G).transpose(1, 0, 4, 2, 3).reshape(N, O, OH, OW)
        y = y if y.flags.c_contiguous else y.copy()  # in order, so that view takes it
        if b is not None:
            y += b.reshape(-1, 1, 1)
        return y

    def backward(self, dy):
        (ph, pw), G = self.padding, self.groups
        N, C, OH, OW, KH, KW = self.view_shape
        dx = dW = None
        O = self.W_shape[0]
        dy_rows = dy.reshape(N, G, O // G, OH, OW).transpose(1, 0, 3, 4, 2).reshape(G, N * OH * OW, O // G)
        if self.needs[1]:
            dW = (dy_rows.swapaxes(1, 2) @ self.rows).reshape(self.W_shape)
        if self.needs[0]:
            drows = (dy_rows @ self.filters).reshape(G, N, OH, OW, C // G, KH, KW)
            dview = drows.transpose(1, 0, 4, 2, 3, 5, 6).reshape(self.view_shape)
            dx = fold(dview, self.padded_shape, self.stride, self.dilation)
            dx = dx[:, :, ph : dx.shape[2] - ph, pw : dx.shape[3] - pw]
        return dx, dW, dy.sum((0, 2, 3)) if self.needs[2] else None


def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """2-D cross-correlation.

    Parameters
    ----------
    input : Tensor of shape (N, C, H, W) or (C, H, W)
    weight : Tensor of shape (O, C / groups, KH, KW)
    bias : Tensor of shape (O,), optional
    stride, padding, dilation : int or pair of int
        Step of the window; zeros added on each side; distance between the window's elements. padding may be "valid" (0)
        or "same" (stride 1 only; H and W stay).
    groups : int
        Channels and filters are cut into this many independent parts.

    Returns
    -------
    Tensor of shape (N, O, OH, OW) or (O, OH, OW), OH = (H + 2 padding - dilation (KH - 1) - 1) // stride + 1

    Raises
    ------
    RuntimeError
        If channels, groups, dtypes or sizes do not fit together, or `padding` is another word.
    TypeError
        If stride, padding or dilation are no ints, or the input is no tensor.
    NotImplementedError
        If the numbers are bools.

    Source: PyTorch documentation, torch.nn.functional.conv2d.
    """
    try:
        x, W, b = input.array, weight.array, None if bias is None else bias.array
    except AttributeError:
        must_be_tensor("conv2d", input, weight, *(() if bias is None else (bias,)))
        raise
    if x.ndim == 3:
        return conv2d(input.unsqueeze(0), weight, bias, stride, padding, dilation, groups).squeeze(0)
    backend.check_devices("conv2d", x, W, b)
    check_conv(x, W, b, groups)
    stride, dilation = pair("conv2d", "stride", stride), pair("conv2d", "dilation", dilation)
    kernel = W.shape[2:]
    if padding == "same":
        if stride != (1, 1):
            raise RuntimeError(f"conv2d: padding='same' is not supported for strided convolutions, got stride {stride}")
        input, padding = pad_same(input, kernel, dilation)
    elif isinstance(padding, str):
        if padding != "valid":
            raise RuntimeError(f"conv2d: Invalid padding string {padding!r}, wanted 'valid' or 'same'")
        padding = 0
    padding = pair("conv2d", "padding", padding)
    check_window("conv2d", kernel, stride, padding, dilation)
    out = [out_size(*a) for a in zip(input.array.shape[2:], kernel, stride, padding, dilation, strict=True)]
    if min(out) < 1:
        raise RuntimeError(
            f"conv2d: Kernel size can't be greater than actual input size: kernel {kernel}, dilation {dilation}, "
            f"padded input {tuple(n + 2 * p for n, p in zip(input.array.shape[2:], padding, strict=True))}"
        )
    return apply(Conv2d(stride, padding, dilation, groups), input, weight, bias)


def pad_same(input, kernel, dilation):
    """Padding that keeps H and W: what is even goes to both sides by `padding`, an odd zero to the right and bottom."""
    total = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    if any(t % 2 for t in total):
        input = pad(input, (0, total[1] % 2, 0, total[0] % 2))
    return input, tuple(t // 2 for t in total)


def check_conv(x, W, b, groups):
    """Raise PyTorch's error if the shapes or dtypes of a convolution do not fit."""
    if x.ndim != 4 or W.ndim != 4:
        raise RuntimeError(
            f"conv2d: expected 3D (C, H, W) or 4D (N, C, H, W) input and 4D weight, got {x.shape}, {W.shape}"
        )
    if groups < 1 or W.shape[0] < groups:
        raise RuntimeError(
            f"conv2d: groups must be positive and there must be a filter for each: got groups={groups}, {W.shape[0]} "
            "filters"
        )
    if x.shape[1] != W.shape[1] * groups:
        raise RuntimeError(
            f"conv2d: Given groups={groups}, weight of size {W.shape}, expected input{x.shape} to have "
            f"{W.shape[1] * groups} channels, but got {x.shape[1]} channels instead"
        )
    if W.shape[0] % groups:
        raise RuntimeError(f"conv2d: {W.shape[0]} filters cannot be divided into {groups} groups")
    if x.dtype.kind == "b":
        raise NotImplementedError("conv2d: not implemented for bools; use .float()")
    if x.dtype != W.dtype:
        raise RuntimeError(f"conv2d: Input type ({x.dtype}) and weight type ({W.dtype}) should be the same")
    if b is not None and b.dtype != W.dtype:
        raise RuntimeError(f"conv2d: weight type ({W.dtype}) and bias type ({b.dtype}) should be the same")
    if b is not None and b.shape != (W.shape[0],):
        raise RuntimeError(f"conv2d: bias of shape {b.shape} for {W.shape[0]} filters, wanted ({W.shape[0]},)")
