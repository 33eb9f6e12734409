"""Losses of probabilities against probabilities: binary cross-entropy, and the divergence of Kullback and Leibler."""

import warnings

import numpy as np

from .. import backend
from ..engine import apply
from .axes import must_be_floating, must_be_tensor
from .cast import cast
from .loss_reduction import Loss, reduction_of
from .promotion import check_broadcast, promoted
from .shape import expand

SMALLEST = float(np.float32(1e-12))  # divisor in BCE's gradient; PyTorch's constant is a float32


class Weighted(Loss):
    """A loss of x against t whose forward leaves d loss / dx and d loss / dt of every element in `slopes`.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}
    weight : array or None
        w, a factor for every element; broadcasts to x.
    """

    def __init__(self, reduction, weight):
        super().__init__(reduction)
        self.weight = weight

    def times_weight(self, values):
        """`values` times w."""
        return values if self.weight is None else values * self.weight

    def backward(self, dy):
        dlosses = self.spread(dy)
        return tuple(None if slope is None else self.times_weight(slope * dlosses) for slope in self.slopes)


class BCEWithLogits(Weighted):
    """y = mean (or sum) of w * ((1 - t) x + c * log(1 + e**-x)), with c = 1 + (p - 1) t.

    This is -w * (p t log(s) + (1 - t) log(1 - s)) for s = sigmoid(x), without overflow and without log(0).
    dx = dy / n * w * ((1 - t) - c (1 - s)), dt = dy / n * w * ((p - 1) log(1 + e**-x) - x).

    Parameters
    ----------
    positive_weight : array or None
        p, a factor for what belongs to t; broadcasts to x.
    """

    torch_name = "BinaryCrossEntropyWithLogitsBackward0"

    def __init__(self, reduction, weight, positive_weight):
        super().__init__(reduction, weight)
        self.positive_weight = positive_weight

    def forward(self, x, t):
        e = np.exp(-np.abs(x))
        missed = np.log1p(e) + np.maximum(-x, 0)  # log(1 + e**-x)
        extra = 0 if self.positive_weight is None else self.positive_weight - 1
        c = 1 + extra * t
        self.slopes = [None, None]
        if self.needs[0]:
            self.slopes[0] = (1 - t) - c * (np.where(x < 0, 1, e) / (1 + e))
        if self.needs[1]:
            self.slopes[1] = extra * missed - x
        return self.reduce(self.times_weight((1 - t) * x + c * missed))


class BCE(Weighted):
    """y = mean (or sum) of -w * (t log(x) + (1 - t) log(1 - x)), each logarithm at least -100.

    dx = dy / n * w * (x - t) / (x (1 - x)), where the divisor is at least 1e-12;
    dt = dy / n * w * (log(1 - x) - log(x)).
    """

    torch_name = "BinaryCrossEntropyBackward0"

    def forward(self, x, t):
        with np.errstate(divide="ignore"):  # log(0)
            log_x, log_rest = np.maximum(np.log(x), -100), np.maximum(np.log1p(-x), -100)
        self.slopes = [None, None]
        if self.needs[0]:
            self.slopes[0] = (x - t) / np.maximum(x * (1 - x), SMALLEST)
        if self.needs[1]:
            self.slopes[1] = log_rest - log_x
        return self.reduce(self.times_weight((t - 1) * log_rest - t * log_x))


class KLDivergence(Loss):
    """y = mean (or sum) of t * (log(t) - x), where x is a log-probability; 0 where t is 0.

    dx = -dy / n * t, dt = dy / n * (log(t) + 1 - x).  Source: Kullback & Leibler 1951, eq. 2.4.
    """

    torch_name = "MeanBackward0"

    def forward(self, x, t):
        with np.errstate(divide="ignore", invalid="ignore"):  # log(0)
            log_t = np.log(t)
            self.t = t if self.needs[0] else None
            self.dt = log_t + 1 - x if self.needs[1] else None
            return self.reduce(np.where(t == 0, 0, t * log_t) - t * x)

    def backward(self, dy):
        dlosses = self.spread(dy)
        return None if self.t is None else -dlosses * self.t, None if self.dt is None else dlosses * self.dt


class LogKLDivergence(Loss):
    """The same for a target l that is a log-probability, too: y = mean (or sum) of e**l * (l - x).

    dx = -dy / n * e**l, dl = dy / n * e**l * (l + 1 - x).
    """

    torch_name = "MeanBackward0"

    def forward(self, x, log_t):
        self.t = np.exp(log_t)
        losses = self.t * (log_t - x)
        self.dlog_t = losses + self.t if self.needs[1] else None
        return self.reduce(losses)

    def backward(self, dy):
        dlosses = self.spread(dy)
        return -dlosses * self.t, None if self.dlog_t is None else dlosses * self.dlog_t


def binary_cross_entropy_with_logits(
    input, target, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None
):
    """Binary cross-entropy of sigmoid(input) and target, computed without overflow.

    Parameters
    ----------
    input : Tensor of any shape, floating point
        Logits.
    target : Tensor of that shape, floating point
        Probabilities, or 0 and 1.
    weight : Tensor that broadcasts to that shape, optional
        A factor for every element. "mean" divides by the number of elements, not by the weights.
    size_average, reduce : bool, optional
        Old forms of `reduction`, with a UserWarning.
    reduction : {"mean", "sum", "none"}
    pos_weight : Tensor that broadcasts to that shape, optional
        A factor for what belongs to the positive class: above 1 it costs more to miss one.

    Returns
    -------
    Tensor of shape (), or of the input's shape for reduction "none"; of the target's dtype

    Raises
    ------
    ValueError
        If target has another shape, or `reduction` is unknown.
    RuntimeError
        If target is not floating point, or a weight does not broadcast or requires grad.
    NotImplementedError
        If input is not floating point.
    TypeError
        If an argument is no tensor.

    Source: PyTorch documentation, torch.nn.functional.binary_cross_entropy_with_logits.
    """
    name = "binary_cross_entropy_with_logits"
    reduction = reduction_of(name, size_average, reduce, reduction)
    _check(name, input, target, weight, pos_weight)
    must_be_floating(name, input)
    if target.array.dtype.kind != "f":
        raise RuntimeError(f"{name}: target must be of floating point dtype, got {target.array.dtype}; use .float()")
    wanted = target.dtype
    input, target = promoted(name, input, target)
    dtype = input.array.dtype
    weight, pos_weight = (None if w is None else w.array.astype(dtype) for w in (weight, pos_weight))
    return cast(apply(BCEWithLogits(reduction, weight, pos_weight), input, target), wanted)


def binary_cross_entropy(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """Binary cross-entropy of probabilities. Logits are better: see binary_cross_entropy_with_logits.

    Parameters
    ----------
    input : Tensor of any shape, numbers from 0 to 1
    target : Tensor of that shape and dtype
    weight, size_average, reduce, reduction
        As there.

    Raises
    ------
    RuntimeError
        If an element of the input is not from 0 to 1, dtypes differ, or the weight does not broadcast.
    ValueError
        If target has another shape, or `reduction` is unknown.
    NotImplementedError
        If both are of integers or bools.

    Source: PyTorch documentation, torch.nn.functional.binary_cross_entropy.
    """
    name = "binary_cross_entropy"
    reduction = reduction_of(name, size_average, reduce, reduction)
    _check(name, input, target, weight)
    x = input.array
    if target.array.dtype == x.dtype:
        must_be_floating(name, input)
    else:
        raise RuntimeError(f"{name}: Found dtype {target.array.dtype} for target, input has {x.dtype}; use .float()")
    if not ((x >= 0) & (x <= 1)).all():
        raise RuntimeError(f"{name}: all elements of input should be between 0 and 1; apply sigmoid first")
    return apply(BCE(reduction, None if weight is None else weight.array.astype(x.dtype)), input, target)


def kl_div(input, target, size_average=None, reduce=None, reduction="mean", log_target=False):
    """The divergence of `input` from `target`: how many nats it costs to take the one for the other.

    Parameters
    ----------
    input : Tensor of log-probabilities
    target : Tensor of probabilities; of log-probabilities with `log_target`
    reduction : {"mean", "batchmean", "sum", "none"}
        "batchmean", the sum over the first size, is the divergence per sample; "mean" warns that it is not.

    Raises
    ------
    ValueError
        If `reduction` is unknown.
    RuntimeError
        If the shapes do not broadcast, or the numbers are integers.

    Source: PyTorch documentation, torch.nn.functional.kl_div.
    """
    must_be_tensor("kl_div", input, target)
    if reduction != "batchmean" or size_average is not None or reduce is not None:
        if (size_average, reduce, reduction) == (None, None, "mean"):
            warnings.warn(
                "kl_div: reduction 'mean' divides by the number of elements, which is not the mathematical "
                "definition; use 'batchmean'",
                UserWarning,
                stacklevel=2,
            )
        reduction = reduction_of("kl_div", size_average, reduce, reduction)
    if input.array.dtype.kind != "f" or target.array.dtype.kind != "f":
        raise RuntimeError("kl_div: Integral inputs not supported; use .float()")
    samples = input.array.shape[0] if input.array.ndim else 1
    input, target = promoted("kl_div", input, target)
    shape = np.broadcast_shapes(input.array.shape, target.array.shape)
    input, target = (t if t.array.shape == shape else expand(t, *shape) for t in (input, target))
    op = (LogKLDivergence if log_target else KLDivergence)("sum" if reduction == "batchmean" else reduction)
    y = apply(op, input, target)
    return y / samples if reduction == "batchmean" else y


def _check(name, input, target, *weights):
    """Raise the errors that the two forms of binary cross-entropy share."""
    given = [w for w in weights if w is not None]
    must_be_tensor(name, input, target, *given)
    backend.check_devices(name, input.array, target.array, *(w.array for w in given))
    shape = input.array.shape
    if target.array.shape != shape:
        raise ValueError(f"{name}: Target size {target.array.shape} must be the same as input size {shape}")
    for w in given:
        check_broadcast(name, shape, w.array.shape)
        if np.broadcast_shapes(shape, w.array.shape) != shape:
            raise RuntimeError(f"{name}: a weight of shape {w.array.shape} does not broadcast to the input's {shape}")
        if w.requires_grad:
            raise RuntimeError(f"{name}: not differentiable with respect to weights; use weight.detach()")
