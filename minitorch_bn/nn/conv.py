"""Conv2d: state for ops/conv.py."""

from collections.abc import Iterable

from .. import creation, ops
from . import init
from .module import Module
from .parameter import Parameter

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class Conv2d(Module):
    """2-D convolution (cross-correlation) of images.

    Parameters
    ----------
    in_channels, out_channels : int
        C and O; both divisible by `groups`.
    kernel_size, stride, padding, dilation : int or pair of int
        padding may be "valid" or "same".
    groups : int
    bias : bool
    padding_mode : {"zeros", "reflect", "replicate", "circular"}
        What stands in the padding: 0, or what functional.pad puts there.
    device, dtype : where and as what the parameters are made

    Attributes
    ----------
    weight : Parameter of shape (O, C / groups, KH, KW)
        Starts uniform in +-1 / sqrt(C / groups * KH * KW).
    bias : Parameter of shape (O,) or None
        Starts uniform in the same range.

    Raises
    ------
    ValueError
        If groups is not positive or does not divide the channels, a word is unknown, or padding "same" has a stride.

    Source: PyTorch documentation, torch.nn.Conv2d.
    """

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        groups=1,
        bias=True,
        padding_mode="zeros",
        device=None,
        dtype=None,
    ):
        super().__init__()
        if groups <= 0 or in_channels % groups or out_channels % groups:
            raise ValueError(
                f"Conv2d: groups must be a positive integer that divides in_channels and out_channels, got groups "
                f"{groups}, in_channels {in_channels}, out_channels {out_channels}"
            )
        if isinstance(padding, str) and padding not in ("same", "valid"):
            raise ValueError(f"Conv2d: Invalid padding string {padding!r}, should be one of 'valid', 'same'")
        if padding == "same" and twice(stride) != (1, 1):
            raise ValueError(f"Conv2d: padding='same' is not supported for strided convolutions, got stride {stride}")
        if padding_mode not in PADDING_MODES:
            raise ValueError(f"Conv2d: padding_mode must be one of {PADDING_MODES}, but got {padding_mode!r}")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride, self.dilation = twice(kernel_size), twice(stride), twice(dilation)
        self.padding = padding if isinstance(padding, str) else twice(padding)
        self.padding_mode = padding_mode
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = Parameter(creation.empty(*shape, device=device, dtype=dtype))
        self.bias = Parameter(creation.empty(out_channels, device=device, dtype=dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self):
        """Draw weight and bias afresh."""
        init.default_(self.weight, self.bias)

    def forward(self, input):
        padding = self.padding
        if self.padding_mode != "zeros":
            input, padding = ops.pad(input, self.margins(), self.padding_mode), 0
        return ops.conv2d(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def margins(self):
        """The padding as functional.pad takes it: left, right, top, bottom."""
        if self.padding == "valid":
            return (0, 0, 0, 0)
        if self.padding == "same":  # an odd number goes to the right and the bottom
            high, wide = (d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True))
            return (wide // 2, wide - wide // 2, high // 2, high - high // 2)
        top, left = self.padding
        return (left, left, top, top)

    def extra_repr(self):
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        if self.padding != (0, 0):
            text += f", padding={self.padding}"
        if self.dilation != (1, 1):
            text += f", dilation={self.dilation}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        return text if self.padding_mode == "zeros" else f"{text}, padding_mode={self.padding_mode}"


_ConvNd = Conv2d  # what scripts for PyTorch ask for


def twice(value):
    """(v, v) for one number, else what is given as a tuple; ops.conv2d checks it.

    >>> twice(3), twice([3, 2])
    ((3, 3), (3, 2))
    """
    return tuple(value) if isinstance(value, Iterable) else (value, value)
