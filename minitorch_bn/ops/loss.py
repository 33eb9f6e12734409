"""Losses: cross-entropy, negative log-likelihood, mean squared error."""

import numpy as np

from .. import backend
from ..engine import Op, apply
from .axes import must_be_tensor
from .indexing import indices_outside, is_rows
from .softmax import log_softmax


class CrossEntropy(Op):
    """y = mean over the counted rows of -log(softmax(x)[target]).  dx = dy * (softmax(x) - one_hot(target)) / rows.

    Shapes: x (N, C) logits, target (N,) class indices, y () or, with reduction "none", (N,).

    Parameters
    ----------
    target : int64 array of shape (N,)
    counted : bool array of shape (N,) or None
        Rows that take part; None is all of them.
    divisor : int or float
        What the sum over rows is divided by: the number of counted rows for "mean", 1 for "sum" and "none".
    keep_rows : bool
        reduction "none": one loss per row.
    """

    torch_name = "NllLossBackward0"

    def __init__(self, target, counted, divisor, keep_rows):
        self.target, self.counted, self.divisor, self.keep_rows = target, counted, divisor, keep_rows

    def forward(self, x):
        logits = x.T.copy()  # (C, N), classes first: NumPy reduces long rows several times faster than short ones
        shifted = logits - logits.max(0)
        self.exp = np.exp(shifted)
        self.total = backend.sum_of_rows(self.exp)  # softmax is exp / total
        self.where = self.target * len(x) + backend.row_numbers(x)  # of every target, counted through the whole matrix
        losses = np.log(self.total) - shifted.take(self.where)
        if self.counted is not None:
            losses = losses * self.counted
        return losses if self.keep_rows else backend.sum_of_rows(losses) / self.divisor

    def backward(self, dy):
        scale = dy / self.divisor
        if self.counted is not None:
            scale = np.where(self.counted, scale, 0)  # not times 0: where no row counts, scale is nan
        difference = self.exp * (scale / self.total)
        difference.reshape(-1)[self.where] -= scale
        return (difference.T,)


class MSE(Op):
    """y = mean of (a - b)**2.  da = dy * 2 (a - b) / n, db = -da.

    Parameters
    ----------
    divisor : int
        n, the number of elements, for the mean; 1 for the sum.
    """

    torch_name = "MseLossBackward0"

    def __init__(self, divisor):
        self.divisor = divisor

    def forward(self, a, b):
        self.difference = a - b
        return (self.difference * self.difference).sum() / self.divisor

    def backward(self, dy):
        da = self.difference * (dy * 2 / self.divisor)
        return da, -da if self.needs[1] else None


REDUCTIONS = ("mean", "sum", "none")


def check_reduction(name, reduction):
    """Raise PyTorch's error for an unknown `reduction`."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"{name}: {reduction!r} is not a valid value for reduction; wanted one of {REDUCTIONS}")


def cross_entropy(input, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    """-log of the probability that softmax gives to the right class.

    Parameters
    ----------
    input : Tensor of shape (N, C), (C,) or (N, C, *S)
        Logits: unnormalised log-probabilities.
    target : Tensor of int64, of input's shape without C, holding class indices
        Or of input's shape and floating point, holding class probabilities.
    weight : Tensor of shape (C,), optional
        Weight of each class; "mean" divides by the sum of the weights of the targets.
    ignore_index : int
        Targets of this value count nothing.
    reduction : {"mean", "sum", "none"}
    label_smoothing : float in [0, 1]
        Share of the target that is spread evenly over all classes.

    Returns
    -------
    Tensor of shape (), or of the target's shape for reduction "none"

    Raises
    ------
    ValueError
        If the batch sizes differ, or `reduction` is unknown.
    RuntimeError
        If the target is no int64, or the shapes do not fit.
    IndexError
        If a target is no class.

    Source: PyTorch documentation, torch.nn.CrossEntropyLoss.
    """
    must_be_tensor("cross_entropy", input, target)
    x, y = input.array, target.array
    if weight is None and label_smoothing == 0.0 and reduction == "mean" and x.ndim == 2 and ignore_index < 0:
        # the usual case, at once
        if y.shape == x.shape[:1] != (0,) and is_rows(y, x) and not indices_outside(y, x.shape[1]):
            return apply(CrossEntropy(y, None, len(y), False), input)
    check_reduction("cross_entropy", reduction)
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"cross_entropy: label_smoothing must be between 0.0 and 1.0, got {label_smoothing}")
    if target.array.dtype.kind == "f":
        return soft_cross_entropy(input, target, weight, reduction, label_smoothing)
    x, classes = _classes_last("cross_entropy", input, target)
    shape, target = target.array.shape, target.array.reshape(-1)
    counted = check_classes("cross_entropy", target, classes, ignore_index)
    if weight is not None or label_smoothing:
        return _weighted(log_softmax(x, 1), target, counted, weight, reduction, label_smoothing).reshape(
            shape if reduction == "none" else ()
        )
    divisor = 1
    if reduction == "mean":  # the mean of no row is nan, as in PyTorch
        divisor = (len(target) if counted is None else int(counted.sum())) or float("nan")
    if counted is not None:
        target = target * counted  # an ignored row may hold any number: let it point at class 0
    loss = apply(CrossEntropy(target, counted, divisor, reduction == "none"), x)
    return loss.reshape(shape) if reduction == "none" and len(shape) != 1 else loss


def nll_loss(input, target, weight=None, ignore_index=-100, reduction="mean"):
    """Minus the log-probability of the right class: cross_entropy for an input that is log_softmax already."""
    check_reduction("nll_loss", reduction)
    x, classes = _classes_last("nll_loss", input, target)
    shape, flat = target.array.shape, target.array.reshape(-1)
    counted = check_classes("nll_loss", flat, classes, ignore_index)
    return _weighted(x, flat, counted, weight, reduction, 0.0).reshape(shape if reduction == "none" else ())


def mse_loss(input, target, reduction="mean"):
    """The mean (or sum) of the squared differences.

    Raises
    ------
    RuntimeError
        If the shapes do not broadcast. Shapes that broadcast but differ warn, as in PyTorch: it is seldom meant.
    """
    check_reduction("mse_loss", reduction)
    backend.check_devices("mse_loss", input.array, target.array)
    if input.array.shape != target.array.shape:
        import warnings

        warnings.warn(
            f"mse_loss: Using a target size {target.array.shape} that is different to the input size "
            f"{input.array.shape}: broadcasting will likely lead to incorrect results",
            stacklevel=2,
        )
        difference = input - target
        squares = difference * difference
        return squares if reduction == "none" else getattr(squares, reduction)()
    if reduction == "none":
        difference = input - target
        return difference * difference
    return apply(MSE(input.array.size if reduction == "mean" else 1), input, target)


def soft_cross_entropy(input, target, weight, reduction, label_smoothing):
    """Cross-entropy against class probabilities instead of class indices."""
    if target.array.shape != input.array.shape:
        raise RuntimeError(f"cross_entropy: probabilities of shape {target.array.shape} for input {input.array.shape}")
    axis = 0 if input.array.ndim == 1 else 1
    classes = input.array.shape[axis]
    share = target * (1 - label_smoothing) + label_smoothing / classes
    check_weight(weight, classes)
    terms = log_softmax(input, axis) * share
    if weight is not None:
        terms = terms * weight.reshape([-1 if i == axis else 1 for i in range(input.array.ndim)])
    losses = -terms.sum(axis)
    if reduction == "mean":
        return losses.sum() / (losses.array.size if losses.array.ndim else 1)
    return losses.sum() if reduction == "sum" else losses


def check_weight(weight, classes):
    """Raise PyTorch's error if there is not one weight per class."""
    if weight is not None and weight.array.shape != (classes,):
        raise RuntimeError(
            f"cross_entropy, nll_loss: weight of shape {weight.array.shape}, wanted ({classes},): one a class"
        )


def _weighted(log_p, target, counted, weight, reduction, label_smoothing):
    """Loss from log-probabilities (N, C) with class weights and label smoothing, out of smaller recorded ops."""
    check_weight(weight, log_p.array.shape[1])
    ones = log_p.like(backend.namespace(target).ones(len(target), log_p.array.dtype))
    row_weight = ones if weight is None else weight[log_p.like(target if counted is None else target * counted)]
    if counted is not None:
        target = target * counted
        row_weight = row_weight * log_p.like(counted)
    rows = log_p.like(backend.namespace(target).arange(len(target)))
    losses = -log_p[rows, log_p.like(target)] * row_weight
    if label_smoothing:
        spread = -(log_p if weight is None else log_p * weight).sum(1)
        if counted is not None:
            spread = spread * log_p.like(counted)
        losses = losses * (1 - label_smoothing) + spread * (label_smoothing / log_p.array.shape[1])
    if reduction == "none":
        return losses
    return losses.sum() / row_weight.sum() if reduction == "mean" else losses.sum()


def _classes_last(name, input, target):
    """Logits (N, C) from any of the allowed shapes, and C."""
    if type(input.array) is not type(target.array):
        backend.check_devices(name, input.array, target.array)
    x, y = input.array.shape, target.array.shape
    if len(x) == 2 and y == x[:1]:
        return input, x[1]
    if len(x) > 1 and len(y) and x[0] != y[0]:
        raise ValueError(f"{name}: Expected input batch_size ({x[0]}) to match target batch_size ({y[0]}).")
    wanted = x[:1] + x[2:] if len(x) > 1 else ()
    if len(x) == 0 or y != wanted:
        raise RuntimeError(f"{name}: target of shape {y} for input {x}, wanted {wanted}")
    classes = x[1] if len(x) > 1 else x[0]
    if len(x) > 2:
        input = input.permute(0, *range(2, len(x)), 1)
    return input.reshape(-1, classes), classes


def check_classes(name, target, classes, ignore_index):
    """Which rows count (None: all). Raises if a target that counts is no class index.

    Raises
    ------
    RuntimeError
        If the targets are not int64.
    IndexError
        If a target is below 0 or not below `classes`.
    """
    if target.dtype != np.int64:
        raise RuntimeError(
            f"{name}: expected scalar type Long (int64) for target but found {target.dtype}; use .long()"
        )
    if not indices_outside(target, classes) and not 0 <= ignore_index < classes:
        return None
    counted = target != ignore_index
    wrong = target[counted & ((target < 0) | (target >= classes))]
    if wrong.size:
        raise IndexError(
            f"{name}: Target {int(wrong[0])} is out of bounds: there are {classes} classes, 0 to {classes - 1}"
        )
    return counted
