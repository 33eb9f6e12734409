"""Losses of numbers against numbers: squared, absolute, and those in between."""

import numpy as np

from .. import backend
from ..engine import apply
from .axes import must_be_floating
from .cast import cast
from .elementwise import abs
from .loss_reduction import Loss, check_reduction, reduction_of, same_shape, times_weight
from .promotion import promoted


class MSE(Loss):
    """y = mean (or sum) of (a - b)**2.  da = dy * 2 (a - b) / n, db = -da."""

    torch_name = "MseLossBackward0"

    def forward(self, a, b):
        self.difference = a - b
        return self.reduce(self.difference * self.difference)

    def backward(self, dy):
        da = self.difference * (self.spread(dy) * 2)
        return da, -da if self.needs[1] else None


class SmoothL1(Loss):
    """y = mean (or sum) of d**2 / (2 beta) where |d| < beta, else |d| - beta / 2, with d = a - b.

    da = dy / n * (d / beta, or sign(d)), db = -da.  Source: Girshick 2015, eq. 3.
    """

    torch_name = "SmoothL1LossBackward0"

    def __init__(self, reduction, beta):
        super().__init__(reduction)
        self.beta = beta

    def forward(self, a, b):
        d = a - b
        size = np.abs(d)
        half = 0.5 / self.beta if self.beta else 0.0  # beta 0: no difference is below it
        close = size < self.beta
        self.slope = np.where(close, d * (2 * half), np.sign(d))
        return self.reduce(np.where(close, d * d * half, size - 0.5 * self.beta))

    def backward(self, dy):
        da = self.slope * self.spread(dy)
        return da, -da if self.needs[1] else None


class Huber(Loss):
    """y = mean (or sum) of d**2 / 2 where |d| <= delta, else delta * (|d| - delta / 2), with d = a - b.

    da = dy / n * (d held between -delta and delta), db = -da.  Source: Huber 1964, eq. 3.7.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}
    delta : float
    mixed : str or None
        Which dtypes a and b had, if not the same: backward refuses them.
    """

    torch_name = "HuberLossBackward0"

    def __init__(self, reduction, delta, mixed=None):
        super().__init__(reduction)
        self.delta, self.mixed = delta, mixed

    def forward(self, a, b):
        d = a - b
        self.slope = np.clip(d, -self.delta, self.delta)
        return self.reduce(self.slope * (d - 0.5 * self.slope))

    def backward(self, dy):
        if self.mixed:
            raise RuntimeError(f"huber_loss: {self.mixed}: PyTorch gives no gradient then. Convert one with .to()")
        da = self.slope * self.spread(dy)
        return da, -da if self.needs[1] else None


def mse_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """The mean (or sum) of the squared differences.

    Parameters
    ----------
    input, target : Tensor of the same shape
        Shapes that differ are broadcast with a UserWarning: it is seldom meant.
    size_average, reduce : bool, optional
        Old forms of `reduction`, with a UserWarning.
    reduction : {"mean", "sum", "none"}
    weight : Tensor of that shape, optional
        A factor for every element; "mean" divides by the sum of the weights.

    Returns
    -------
    Tensor of shape (), or of the input's shape for reduction "none"

    Raises
    ------
    RuntimeError
        If the shapes do not broadcast.
    ValueError
        If `reduction` is unknown, or `weight` has another shape.
    NotImplementedError
        If neither is of floating point dtype.

    Source: PyTorch documentation, torch.nn.functional.mse_loss.
    """
    reduction = reduction_of("mse_loss", size_average, reduce, reduction)
    input, target = _operands("mse_loss", input, target)
    if weight is not None:
        return _weighted("mse_loss", apply(MSE("none"), input, target), weight, reduction)
    return apply(MSE(reduction), input, target)


def l1_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """The mean (or sum) of the absolute differences. Arguments and errors as in mse_loss; sums take integers, too."""
    reduction = reduction_of("l1_loss", size_average, reduce, reduction)
    input, target = same_shape("l1_loss", input, target)
    losses = abs(input - target)
    if weight is not None:
        return _weighted("l1_loss", losses, weight, reduction)
    return losses if reduction == "none" else getattr(losses, reduction)()


def smooth_l1_loss(input, target, size_average=None, reduce=None, reduction="mean", beta=1.0):
    """Squares of differences below `beta`, absolute values above, fitted together. Other arguments as in mse_loss.

    Raises
    ------
    RuntimeError
        If `beta` is negative, or the shapes do not broadcast.
    ValueError, NotImplementedError
        As mse_loss.
    """
    reduction = reduction_of("smooth_l1_loss", size_average, reduce, reduction)
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss: does not support negative values for beta, got {beta}")
    return apply(SmoothL1(reduction, beta), *_operands("smooth_l1_loss", input, target))


def huber_loss(input, target, reduction="mean", delta=1.0, weight=None):
    """Squares of differences up to `delta`, beyond that straight lines. Other arguments as in mse_loss.

    With `weight`, "mean" divides by the number of elements here, not by the sum of the weights.

    Raises
    ------
    RuntimeError
        If `delta` is not positive, the shapes do not broadcast, or the input is of integers and the target is not. In
        backward, if input and target are of different dtypes.
    ValueError, NotImplementedError
        As mse_loss.
    """
    check_reduction("huber_loss", reduction)
    if delta <= 0:
        raise RuntimeError(f"huber_loss: does not support non-positive values for delta, got {delta}")
    a, b = _operands("huber_loss", input, target)
    dtype = input.dtype
    mixed = None if target.dtype is dtype else f"got input of {dtype} and target of {target.dtype}"
    if not dtype.is_floating_point:
        raise RuntimeError(f"huber_loss: result type {a.dtype} can't be cast to the input's type {dtype}")
    if weight is None:
        return cast(apply(Huber(reduction, delta, mixed), a, b), dtype)
    losses = times_weight("huber_loss", cast(apply(Huber("none", delta, mixed), a, b), dtype), weight)
    return losses if reduction == "none" else getattr(losses, reduction)()


def _weighted(name, losses, weight, reduction):
    """`losses` times `weight`, then their sum, for the mean over the sum of the weights."""
    losses = times_weight(name, losses, weight)
    if reduction == "none":
        return losses
    return losses.sum() / weight.sum() if reduction == "mean" else losses.sum()


def _operands(name, input, target):
    """The two in one shape and one floating point dtype."""
    input, target = same_shape(name, input, target)
    backend.check_devices(name, input.array, target.array)
    if input.array.dtype != target.array.dtype:
        input, target = promoted(name, input, target)
    must_be_floating(name, input, target)
    return input, target
