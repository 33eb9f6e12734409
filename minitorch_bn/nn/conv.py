"""Conv2d: state for ops/conv.py."""

from .. import creation, ops
from ..ops.conv import pair
from . import init
from .module import Module
from .parameter import Parameter


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

    Attributes
    ----------
    weight : Parameter of shape (O, C / groups, KH, KW)
        Starts uniform in +-1 / sqrt(C / groups * KH * KW).
    bias : Parameter of shape (O,) or None
        Starts uniform in the same range.

    Raises
    ------
    ValueError
        If channels are not divisible by groups, padding is an unknown word, or "same" with a stride.
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
                f"Conv2d: in_channels {in_channels} and out_channels {out_channels} must be divisible by {groups}"
            )
        if isinstance(padding, str) and padding not in ("same", "valid"):
            raise ValueError(f"Conv2d: Invalid padding string {padding!r}, should be one of 'valid', 'same'")
        if padding == "same" and pair(stride) != (1, 1):
            raise ValueError(f"Conv2d: padding='same' is not supported for strided convolutions, got stride {stride}")
        if padding_mode != "zeros":
            raise NotImplementedError(f"Conv2d: padding_mode {padding_mode!r} is not available; wanted 'zeros'")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride, self.dilation = pair(kernel_size), pair(stride), pair(dilation)
        self.padding = padding if isinstance(padding, str) else pair(padding)
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = Parameter(creation.empty(*shape, device=device, dtype=dtype))
        self.bias = Parameter(creation.empty(out_channels, device=device, dtype=dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self):
        """Draw weight and bias afresh."""
        init.default_(self.weight, self.bias)

    def forward(self, input):
        return ops.conv2d(input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)

    def extra_repr(self):
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        if self.padding != (0, 0):
            text += f", padding={self.padding}"
        if self.dilation != (1, 1):
            text += f", dilation={self.dilation}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        return text if self.bias is not None else f"{text}, bias=False"
