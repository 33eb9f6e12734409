"""Losses of logits against classes: cross-entropy and negative log-likelihood."""

import math

import numpy as np

from .. import backend
from ..engine import Op, apply
from .axes import must_be_floating, must_be_tensor
from .indexing import indices_outside, is_rows, masked_fill
from .loss_reduction import check_reduction, reduction_of
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


class NLL(Op):
    """y = sum over the counted rows of -w * x[row, target], divided.  dx = -w * dy / divisor there, 0 elsewhere.

    Shapes: x (N, C) log-probabilities, target and w (N,), y () or, with reduction "none", (N,).

    Parameters
    ----------
    target : int64 array of shape (N,)
    counted : bool array of shape (N,) or None
        Rows that take part; None is all of them.
    row_weight : array of shape (N,) or None
        w; None is 1 for all rows.
    divisor : float
        The sum of the weights of the counted rows for "mean", 1 for "sum" and "none".
    keep_rows : bool
        reduction "none": one loss per row.
    """

    torch_name = "NllLossBackward0"

    def __init__(self, target, counted, row_weight, divisor, keep_rows):
        self.target, self.counted, self.row_weight = target, counted, row_weight
        self.divisor, self.keep_rows = divisor, keep_rows

    def forward(self, x):
        self.x_shape = x.shape
        losses = -x[backend.row_numbers(x), self.target]
        if self.row_weight is not None:
            losses = losses * self.row_weight
        if self.counted is not None:
            losses = np.where(self.counted, losses, 0)
        return losses if self.keep_rows else losses.sum() / self.divisor

    def backward(self, dy):
        scale = dy / -self.divisor
        if self.row_weight is not None:
            scale = scale * self.row_weight
        if self.counted is not None:
            scale = np.where(self.counted, scale, 0)  # also where no row counts, and scale is nan
        dx = backend.namespace(dy).zeros(self.x_shape, dy.dtype)
        dx[backend.row_numbers(dx), self.target] = scale
        return (dx,)


def cross_entropy(
    input,
    target,
    weight=None,
    size_average=None,
    ignore_index=-100,
    reduce=None,
    reduction="mean",
    label_smoothing=0.0,
):
    """-log of the probability that softmax gives to the right class.

    Parameters
    ----------
    input : Tensor of shape (N, C), (C,) or (N, C, *S)
        Logits: unnormalised log-probabilities.
    target : Tensor of int64 or uint8, of input's shape without C, holding class indices
        Or of input's shape and floating point, holding class probabilities.
    weight : Tensor of shape (C,), optional
        Weight of each class; "mean" divides by the sum of the weights of the targets.
    size_average, reduce : bool, optional
        Old forms of `reduction`, with a UserWarning.
    ignore_index : int
        Targets of this value count nothing.
    reduction : {"mean", "sum", "none"}
    label_smoothing : float up to 1
        Share of the target that is spread evenly over all classes.

    Returns
    -------
    Tensor of shape (), or of the target's shape for reduction "none"

    Raises
    ------
    ValueError
        If the batch sizes differ, or `reduction` is unknown.
    RuntimeError
        If the target is of another dtype, the shapes do not fit, label_smoothing is above 1, the weights are not one a
        class and of the input's dtype, or a class is to be ignored among probabilities.
    IndexError
        If a target is no class.
    NotImplementedError
        If the input is not floating point.

    Source: PyTorch documentation, torch.nn.CrossEntropyLoss.
    """
    must_be_tensor("cross_entropy", input, target)
    if size_average is not None or reduce is not None:
        reduction = reduction_of("cross_entropy", size_average, reduce, reduction)
    x, y = input.array, target.array
    if weight is None and label_smoothing == 0.0 and reduction == "mean" and x.ndim == 2 and ignore_index < 0:
        # the usual case, at once
        if (
            y.shape == x.shape[:1] != (0,)
            and x.dtype.kind == "f"
            and is_rows(y, x)
            and not indices_outside(y, x.shape[1])
        ):
            return apply(CrossEntropy(y, None, len(y), False), input)
    check_reduction("cross_entropy", reduction)
    if label_smoothing > 1:
        raise RuntimeError(f"cross_entropy: label_smoothing must be between 0.0 and 1.0, got {label_smoothing}")
    must_be_floating("cross_entropy", input)
    if y.shape == x.shape:
        return soft_cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)
    rows, labels, shape = _rows("cross_entropy", input, target)
    counted = check_classes("cross_entropy", labels, rows.array.shape[1], ignore_index)
    if weight is not None or label_smoothing > 0 or not rows.array.shape[1]:
        check_weight("cross_entropy", weight, rows)
        return _weighted(log_softmax(rows, 1), labels, counted, weight, reduction, label_smoothing, shape)
    divisor = _total_weight(labels, counted, None) if reduction == "mean" else 1
    if counted is not None:
        labels = labels * counted  # an ignored row may hold any number: let it point at class 0
    loss = apply(CrossEntropy(labels, counted, divisor, reduction == "none"), rows)
    return loss.reshape(shape) if reduction == "none" and len(shape) != 1 else loss


def nll_loss(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"):
    """Minus the log-probability of the right class: cross_entropy for an input that is log_softmax already.

    Arguments and errors as there, but targets are class indices, and ValueError is raised for an input of 0 dimensions.

    Source: PyTorch documentation, torch.nn.NLLLoss.
    """
    must_be_tensor("nll_loss", input, target)
    reduction = reduction_of("nll_loss", size_average, reduce, reduction)
    if input.array.ndim == 0:
        raise ValueError("nll_loss: Expected 1 or more dimensions (got 0): (C,), (N, C) or (N, C, *S)")
    rows, labels, shape = _rows("nll_loss", input, target)
    must_be_floating("nll_loss", input)
    counted = check_classes("nll_loss", labels, rows.array.shape[1], ignore_index)
    check_weight("nll_loss", weight, rows)
    return _weighted(rows, labels, counted, weight, reduction, 0.0, shape)


def soft_cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing):
    """Cross-entropy against class probabilities instead of class indices; target has the shape of input."""
    if target.array.dtype.kind != "f":
        raise RuntimeError(
            f"cross_entropy: Expected floating point type for target with class probabilities, got {target.array.dtype}"
        )
    if ignore_index >= 0:
        raise RuntimeError(f"cross_entropy: ignore_index is not supported for probabilities, got {ignore_index}")
    axis = 0 if input.array.ndim == 1 else 1
    classes = input.array.shape[axis]
    if weight is not None and weight.array.shape != (classes,):
        raise RuntimeError(f"cross_entropy: weight of shape {weight.array.shape}, wanted ({classes},): one a class")
    if label_smoothing > 0:
        target = target * (1 - label_smoothing) + label_smoothing / classes
    terms = log_softmax(input, axis) * target
    if weight is not None:
        terms = terms * weight.reshape([-1 if i == axis else 1 for i in range(input.array.ndim)])
    losses = -terms.sum(axis)
    if reduction == "mean":
        return losses.sum() / ((losses.array.size if classes else 0) or math.nan)
    return losses.sum() if reduction == "sum" else losses


def check_weight(name, weight, rows):
    """Raise PyTorch's error if there is not one weight per class, of the dtype of the logits and without gradient."""
    if weight is None:
        return
    x, w = rows.array, weight.array
    backend.check_devices(name, x, w)
    if w.shape != x.shape[1:]:
        raise RuntimeError(f"{name}: weight of shape {w.shape}, wanted ({x.shape[1]},): one a class")
    if w.dtype != x.dtype:
        raise RuntimeError(f"{name}: expected weight of dtype {x.dtype}, as the input, but found {w.dtype}")
    if weight.requires_grad:
        raise RuntimeError(f"{name}: not differentiable with respect to weight; use weight.detach()")


def _weighted(log_p, labels, counted, weight, reduction, label_smoothing, shape):
    """Loss from log-probabilities (N, C) with class weights and label smoothing.

    `shape` is what reduction "none" gives.
    """
    if counted is not None:
        labels = labels * counted
    row_weight = None if weight is None else weight.array[labels]
    divisor, keep_rows = 1, reduction == "none"
    if reduction == "mean":
        divisor = _total_weight(labels, counted, row_weight)
    loss = apply(NLL(labels, counted, row_weight, divisor, keep_rows), log_p)
    if keep_rows and loss.array.shape != shape:
        loss = loss.reshape(shape)
    if label_smoothing > 0:
        spread = -(log_p if weight is None else log_p * weight).sum(1)
        if counted is not None:
            spread = masked_fill(spread, log_p.like(~counted), 0.0)
        share = label_smoothing / log_p.array.shape[1]
        spread = spread.reshape(shape) if keep_rows else spread.sum() / divisor
        loss = loss * (1 - label_smoothing) + spread * share
    return loss


def _total_weight(labels, counted, row_weight):
    """The sum of the weights of the rows that count; nan if there is no such row, as the mean of none is."""
    if row_weight is None:
        return (len(labels) if counted is None else int(counted.sum())) or math.nan
    rows = row_weight if counted is None else row_weight[counted]
    return rows.sum().item() if rows.any() else math.nan


def _rows(name, input, target):
    """Logits (N, C), targets (N,) as an array, and the shape that the losses have, from any of the allowed shapes.

    Raises
    ------
    ValueError
        If the batch sizes differ.
    RuntimeError
        If the shapes do not fit, or the target is neither int64 nor uint8.
    """
    if type(input.array) is not type(target.array):
        backend.check_devices(name, input.array, target.array)
    x, y, labels = input.array.shape, target.array.shape, target.array
    if len(x) > 1 and y[:1] != x[:1]:
        got = y[0] if y else 0
        raise ValueError(f"{name}: Expected input batch_size ({x[0]}) to match target batch_size ({got}).")
    wanted = x[:1] + x[2:] if len(x) > 1 else ()
    if y != wanted and (len(x) > 1 or y != (1,)):
        raise RuntimeError(f"{name}: got a target of shape {y} for input {x}, wanted {wanted}")
    if labels.dtype != np.int64:
        if labels.dtype != np.uint8:
            raise RuntimeError(f"{name}: expected target dtype int64 or uint8, but got {labels.dtype}; use .long()")
        labels = labels.astype(np.int64)
    if len(x) == 2:
        return input, labels, y
    if len(x) > 2:
        input = input.permute(0, *range(2, len(x)), 1)
    return input.reshape(labels.size, x[min(len(x) - 1, 1)]), labels.reshape(-1), wanted


def check_classes(name, target, classes, ignore_index):
    """Which rows count (None: all). IndexError if a target that counts is below 0 or not below `classes`."""
    if not indices_outside(target, classes) and not 0 <= ignore_index < classes:
        return None
    counted = target != ignore_index
    wrong = target[counted & ((target < 0) | (target >= classes))]
    if wrong.size:
        raise IndexError(
            f"{name}: Target {int(wrong[0])} is out of bounds: there are {classes} classes, 0 to {classes - 1}"
        )
    return counted
