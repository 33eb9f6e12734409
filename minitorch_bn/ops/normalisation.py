"""What LayerNorm, GroupNorm and InstanceNorm share: normalise over some axes. BatchNorm (batchnorm.py) is their model.

All of them compute y = gamma * x_hat + beta with x_hat = (x - mean) / sqrt(var + eps). They differ in two sets of axes:
those whose values share one mean, and those along which gamma and beta differ.

    x is (N, C, *S)        share a mean             gamma and beta
    BatchNorm              N and S                  one per channel: (C,)
    InstanceNorm           S                        one per channel: (C,)
    GroupNorm              S and C / G channels     one per channel: (C,)
    LayerNorm              the last few             one per value: those last sizes

docs/figures/norm_family.png draws it, from the `axes` of the ops below (debug.shared_values).

BatchNorm alone lets samples see one another. So the others need no running statistics and no eval mode, and take a
batch of one. (InstanceNorm can be told to average its statistics nevertheless.)
"""

import math

import numpy as np

from .. import backend, dtypes
from ..engine import Op, apply
from .cast import cast


class Normalisation(Op):
    """The step from x to x_hat, and back from d x_hat to dx. The ops built on it scale, shift, and choose the axes.

        x_hat = (x - mean) / sqrt(var + eps)

    Over the m values that share it, mean is their mean and var their biased variance, sum((x - mean)**2) / m; eps
    stands inside the root. The variance takes two passes, because E[x**2] - E[x]**2 loses all digits where the mean is
    large.

    Backward, with mean(.) over the same m values:

        dx = inv_std * (dx_hat - mean(dx_hat) - x_hat * mean(dx_hat * x_hat))

    dx_hat loses its mean, because adding a constant to the m values changes nothing, and its part along x_hat, because
    scaling them changes nothing (but for eps). In BatchNorm gamma is the same for all m values and moves to the front;
    here it may differ among them, so it is part of dx_hat = gamma * dy.

    Attributes
    ----------
    axes : tuple of int
        Along which the values share a mean and a variance.
    m : int
        How many values that is.
    mean, var, inv_std : array
        The shape of x, with size 1 along `axes`.
    x_hat : array of x's shape

    Source: Ioffe & Szegedy 2015, section 3; Ba, Kiros & Hinton 2016, section 3; Wu & He 2018, equations 1 to 6.
    """

    def __init__(self, eps=1e-5):
        self.eps = eps

    def normalise(self, x, axes):
        """x_hat; keeps what the way back needs."""
        self.axes, self.m = axes, math.prod(x.shape[axis] for axis in axes)
        self.mean = self.mean_of(x)
        centred = x - self.mean
        self.var = self.mean_of(centred * centred)
        self.inv_std = 1 / np.sqrt(self.var + self.eps)
        self.x_hat = centred * self.inv_std
        return self.x_hat

    def normalise_backward(self, dx_hat):
        """dx: what is left of dx_hat without its mean and its projection on x_hat, scaled as x was."""
        along = self.x_hat * self.mean_of(dx_hat * self.x_hat)
        return self.inv_std * (dx_hat - self.mean_of(dx_hat) - along)

    def mean_of(self, values):
        """The mean of the m values that belong together, as often as there are such; 0 if there are no values."""
        return values.sum(self.axes, keepdims=True) / max(self.m, 1)


def apply_widened(op, input, *parameters):
    """`apply`, but float16 is computed in float32 and rounded once, at the end: sums of halves lose too much."""
    if input.array.dtype != np.float16:
        return apply(op, input, *parameters)
    wide = [t if t is None else cast(t, dtypes.float32) for t in (input, *parameters)]
    return cast(apply(op, *wide), dtypes.float16)


def check_dtypes(name, input, weight, bias):
    """Raise PyTorch's errors for numbers that are not floating point, or of several types.

    Parameters of float32 go with an input of float16.

    Raises
    ------
    NotImplementedError
        If the input is not floating point.
    RuntimeError
        If the dtypes of input, weight and bias do not go together, or they lie on different devices.
    """
    x = input.array
    if x.dtype.kind != "f":
        raise NotImplementedError(
            f"{name}: not implemented for {x.dtype}, wanted floating point; convert with .float()"
        )
    given = [t.array for t in (weight, bias) if t is not None]
    backend.check_devices(name, x, *given)
    allowed = (x.dtype, np.float32) if x.dtype == np.float16 else (x.dtype,)
    if any(a.dtype not in allowed or a.dtype != given[0].dtype for a in given):
        names = ", ".join(str(a.dtype) for a in given)
        raise RuntimeError(
            f"{name}: mixed dtype: expected weight and bias of the input's dtype, {x.dtype}, got {names}; use .to()"
        )


def check_per_channel(name, channels, **given):
    """Raise RuntimeError if one of the `given` tensors is not of shape (channels,); their names are for the message."""
    for what, t in given.items():
        if t is not None and t.array.shape != (channels,):
            raise RuntimeError(
                f"{name}: expected {what} to be a vector of {channels} elements, one per channel of the input, got "
                f"shape {tuple(t.array.shape)}. The channel is dimension 1."
            )
