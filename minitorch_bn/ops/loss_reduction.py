"""What losses have in common: one number per element, then their mean, their sum, or all of them."""

import math
import warnings

import numpy as np

from ..engine import Op
from .axes import must_be_tensor
from .promotion import check_broadcast
from .shape import expand

REDUCTIONS = ("mean", "sum", "none")


class Loss(Op):
    """A loss for every element, reduced.  The gradient of the elements is dy, for the mean over their number.

    Subclasses end forward with `reduce` and begin backward with `spread`.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}
    """

    def __init__(self, reduction):
        self.reduction = reduction

    def reduce(self, losses):
        """The losses themselves, or their sum over what `spread` divides by: 1, or their number."""
        self.divisor = (losses.size or math.nan) if self.reduction == "mean" else 1  # the mean of nothing is nan
        return losses if self.reduction == "none" else in_float32(lambda x: x.sum() / self.divisor, losses)

    def spread(self, dy):
        """d y / d losses times dy: broadcasts to the shape of the losses."""
        return in_float32(lambda x: x / self.divisor, dy)


def in_float32(function, x):
    """function(x); of float16 in float32, rounded once, at the end: sums of halves and large divisors overflow.

    >>> print(in_float32(lambda x: x.sum() / 90000, np.full(90000, 2, np.float16)))
    2.0
    """
    return function(x) if x.dtype != np.float16 else function(x.astype(np.float32)).astype(np.float16)


def check_reduction(name, reduction):
    """Raise PyTorch's error for an unknown `reduction`."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"{name}: {reduction!r} is not a valid value for reduction; wanted one of {REDUCTIONS}")


def reduction_of(name, size_average, reduce, reduction):
    """`reduction`, or what the arguments that it replaced long ago, size_average and reduce, mean.

    They warn, as in PyTorch: reduce=False means "none", size_average=False means "sum", anything else "mean".

    >>> reduction_of("mse_loss", None, None, "sum")
    'sum'

    Raises
    ------
    ValueError
        If `reduction` is unknown.
    """
    if size_average is not None or reduce is not None:
        reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
        warnings.warn(
            f"{name}: size_average and reduce args will be deprecated, please use reduction={reduction!r} instead",
            UserWarning,
            stacklevel=3,
        )
    check_reduction(name, reduction)
    return reduction


def legacy_reduction(name, size_average, reduce, reduction):
    """The same for the constructors of modules, which leave an unknown `reduction` to be found when they are called."""
    if size_average is None and reduce is None:
        return reduction
    return reduction_of(name, size_average, reduce, "mean")


def same_shape(name, input, target):
    """`input` and `target`, expanded to one shape. If they differ in shape there is a warning: it is seldom meant."""
    must_be_tensor(name, input, target)
    a, b = input.array.shape, target.array.shape
    if a == b:
        return input, target
    warnings.warn(
        f"{name}: Using a target size {b} that is different to the input size {a}: broadcasting will likely lead to "
        "incorrect results. Please ensure they have the same size.",
        UserWarning,
        stacklevel=3,
    )
    check_broadcast(name, a, b)
    rank = max(len(a), len(b))
    a, b = (1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b
    shape = tuple(n if m == 1 else m for m, n in zip(a, b, strict=True))
    return expand(input, *shape), expand(target, *shape)


def times_weight(name, losses, weight):
    """`losses` times `weight`; ValueError unless the two have one shape."""
    if weight.array.shape != losses.array.shape:
        raise ValueError(
            f"{name}: Weights and input must have the same size, got {weight.array.shape} and {losses.array.shape}"
        )
    return losses * weight
