"""BatchNorm: the math that this project exists to show. State (running statistics, train, eval) is in nn/batchnorm.py.

Two ops: `BatchNorm` normalises with the statistics of the batch at hand, `FixedBatchNorm` with given ones. They share a
formula forwards and nothing backwards: the batch's mean and variance move when x moves, given ones do not.

Shapes: x, y and their gradients are (N, C, *S): N samples, C channels, S any further axes. gamma, beta and the
statistics are (C,). The m = N * prod(S) values of one channel share one mean and one variance.
"""

import numpy as np

from .. import backend, dtypes
from ..engine import Op, apply
from .cast import cast


def channel_layout(x):
    """The axes that one channel's values lie along, how many values that is, and the shape that lines (C,) up with x.

    >>> channel_layout(np.zeros((8, 3, 5, 5)))
    ((0, 2, 3), 200, (3, 1, 1))
    """
    if x.ndim == 2:
        return (0,), len(x), x.shape[1:]
    axes = (0, *range(2, x.ndim))
    channels = x.shape[1]
    m = x.size // channels if channels else 0
    return axes, m, (channels,) + (1,) * (x.ndim - 2)


def channel_sum(x, axes):
    """The sum of every channel's values: (N, C, *S) gives (C,)."""
    return backend.sum_of_rows(x) if x.ndim == 2 else x.sum(axes)


class BatchNorm(Op):
    """Normalise every channel with the statistics of this batch, then scale and shift.

        x_hat = (x - mean) / sqrt(var + eps)        y = gamma * x_hat + beta

    var is the biased variance, sum((x - mean)**2) / m; eps stands inside the root. gamma and beta may be None (1, 0).

    Backward, with mean(.) over the m values of a channel:

        dx = gamma * inv_std * (dy - mean(dy) - x_hat * mean(dy * x_hat))

    dy loses its mean, because adding a constant to x changes nothing (the mean takes it away again), and it loses its
    part along x_hat, because scaling x changes nothing (the variance takes it away again). What is left is scaled.

    Source: Ioffe & Szegedy 2015, algorithm 1 and section 3. Derivation: notebooks/02_batchnorm_by_hand.
    """

    torch_name = "NativeBatchNormBackward0"

    def __init__(self, eps=1e-5):
        self.eps = eps

    def forward(self, x, gamma, beta):
        self.axes, self.m, self.shape = channel_layout(x)
        self.gamma = gamma

        self.mean = backend.channel_mean(x, self.axes, self.m)
        centred = x - self.mean.reshape(self.shape)
        self.var = backend.channel_mean(centred * centred, self.axes, self.m)
        self.inv_std = 1 / np.sqrt(self.var + self.eps)
        self.x_hat = centred * self.inv_std.reshape(self.shape)

        y = self.x_hat if gamma is None else gamma.reshape(self.shape) * self.x_hat
        return y if beta is None else y + beta.reshape(self.shape)

    def backward(self, dy):
        mean_dy = backend.channel_mean(dy, self.axes, self.m)
        mean_dy_x_hat = backend.channel_mean(dy * self.x_hat, self.axes, self.m)
        dbeta, dgamma = self.m * mean_dy, self.m * mean_dy_x_hat

        scale = self.inv_std if self.gamma is None else self.gamma * self.inv_std
        kept = dy - mean_dy.reshape(self.shape) - self.x_hat * mean_dy_x_hat.reshape(self.shape)
        dx = scale.reshape(self.shape) * kept
        return dx, dgamma, dbeta


class FixedBatchNorm(Op):
    """Normalise every channel with a given mean and variance, then scale and shift: BatchNorm in eval mode.

        x_hat = (x - mean) / sqrt(var + eps)        y = gamma * x_hat + beta

    mean and var do not depend on x, so nothing is taken away from dy:  dx = gamma * inv_std * dy.

    Parameters
    ----------
    mean, var : array of shape (C,)
    eps : float
        Added to var inside the root.
    """

    torch_name = "NativeBatchNormBackward0"

    def __init__(self, mean, var, eps=1e-5):
        self.mean, self.var, self.eps = mean, var, eps

    def forward(self, x, gamma, beta):
        self.axes, _, self.shape = channel_layout(x)
        self.gamma = gamma

        self.inv_std = 1 / np.sqrt(self.var + self.eps)
        self.x_hat = (x - self.mean.reshape(self.shape)) * self.inv_std.reshape(self.shape)
        y = self.x_hat if gamma is None else gamma.reshape(self.shape) * self.x_hat
        return y if beta is None else y + beta.reshape(self.shape)

    def backward(self, dy):
        dbeta = channel_sum(dy, self.axes)
        dgamma = channel_sum(dy * self.x_hat, self.axes)
        scale = self.inv_std if self.gamma is None else self.gamma * self.inv_std
        dx = scale.reshape(self.shape) * dy
        return dx, dgamma, dbeta


def batch_norm(input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    """Batch normalisation with PyTorch's arguments; the functional form of nn.BatchNorm1d, 2d and 3d.

    In training it normalises with the batch's mean and biased variance, and moves the running statistics in place:

        running = (1 - momentum) * running + momentum * batch

    with the *unbiased* batch variance, m / (m - 1) times the biased one. Otherwise it normalises with the running ones.

    Parameters
    ----------
    input : Tensor of shape (N, C, *S)
    running_mean, running_var : Tensor of shape (C,) or None
        Updated in training if given; needed otherwise.
    weight, bias : Tensor of shape (C,) or None
        gamma and beta.
    training : bool
        Whether the statistics of this batch are used.
    momentum : float
        Weight of the new value in the running statistics, between 0 and 1 (not the optimiser's momentum).
    eps : float
        Added to the variance, inside the root; > 0 in training.

    Returns
    -------
    Tensor of shape (N, C, *S)

    Raises
    ------
    ValueError
        In training, for one value per channel (its variance is 0 and says nothing), eps that is not positive, or one
        running statistic without the other.
    RuntimeError
        If the input has fewer than 2 dimensions, a (C,) argument has another length, dtypes differ, statistics are
        missing out of training, or require grad.

    Source: Ioffe & Szegedy 2015, algorithms 1 and 2; running variance as in PyTorch's documentation of BatchNorm1d.
    """
    x = input.array
    if x.dtype.char == "e":
        return in_float32(batch_norm, input, running_mean, running_var, weight, bias, training, momentum, eps)
    check_arguments(x, (running_mean, running_var, weight, bias), training, eps)
    if not training:
        return apply(FixedBatchNorm(running_mean.array, running_var.array, eps), input, weight, bias)
    if x.size == 0:  # no values, no statistics: nothing to normalise, nothing to average
        nothing = x.sum((0, *range(2, x.ndim)))
        return apply(FixedBatchNorm(nothing, nothing, eps), input, weight, bias)
    op = BatchNorm(eps)
    y = apply(op, input, weight, bias)
    if running_mean is not None:
        update_running(running_mean.array, op.mean, momentum)
    if running_var is not None:
        update_running(running_var.array, op.var, momentum, unbiased=op.m / (op.m - 1))
    return y


def in_float32(function, input, running_mean, running_var, weight, bias, *options):
    """A `function` like `batch_norm`, of float16: computed in float32 and rounded once; sums of halves lose too much.

    The arguments of shape (C,) are all float16, or all float32.
    """
    given = (running_mean, running_var, weight, bias)
    kinds = {str(t.array.dtype) for t in given if t is not None}
    if len(kinds) > 1 or not kinds <= {"float16", "float32"}:
        raise RuntimeError(
            "batch_norm: mixed dtype: expected weight, bias and running statistics for an input of float16 to be all "
            f"float32 or all float16, got {', '.join(sorted(kinds))}; use .to()"
        )
    wide = [t if t is None else cast(t, dtypes.float32) for t in given]
    y = function(cast(input, dtypes.float32), *wide, *options)
    for running, updated in zip(given[:2], wide[:2], strict=True):
        if running is not None and running is not updated:
            running.copy_(updated)
    return cast(y, dtypes.float16)


def update_running(running, new, momentum, unbiased=1):
    """running <- (1 - momentum) * running + momentum * unbiased * new, in place."""
    running *= 1 - momentum
    running += (momentum * unbiased) * new


def check_arguments(x, per_channel, training, eps, lonely=False):
    """Raise PyTorch's errors for what `batch_norm` cannot take, before anything is changed.

    `lonely` lets a single value per channel pass in training: other processes may have more.
    """
    if x.ndim < 2:
        raise RuntimeError(f"batch_norm: expected input of shape (N, C, ...), got {tuple(x.shape)}")
    channels = x.shape[1:2]
    for t in per_channel:
        if t is not None and (t.array.shape != channels or t.array.dtype != x.dtype or type(t.array) is not type(x)):
            refuse(x, per_channel, t)
    if x.dtype.kind != "f":
        refuse_integers(x)
    for t in per_channel[:2]:
        if t is not None and t.requires_grad:
            raise RuntimeError(
                "batch_norm: not differentiable with respect to running_mean and running_var, and one of them requires "
                "grad; give a buffer, or .detach() it"
            )
    if not training:
        if per_channel[0] is None or per_channel[1] is None:
            raise RuntimeError("batch_norm: expected running_mean and running_var to be defined when training=False")
        return
    if (per_channel[0] is None) != (per_channel[1] is None):
        raise ValueError(
            "batch_norm: running_mean and running_var must either both be None or neither be None; got one of them"
        )
    if x.size == x.shape[1] and not lonely:
        raise ValueError(
            f"batch_norm: Expected more than 1 value per channel when training, got input size {tuple(x.shape)}: the "
            "variance of one value is 0. Often this is the last, smaller batch of a data loader: use drop_last=True, a "
            "batch size that leaves no remainder of 1, or eval mode."
        )
    if eps <= 0:
        raise ValueError(f"batch_norm: eps must be positive in training, got {eps}")


def refuse(x, per_channel, wrong):
    """Raise PyTorch's error for the argument of shape (C,) that does not fit the input."""
    backend.check_devices("batch_norm", x, wrong.array)
    name = ("running_mean", "running_var", "weight", "bias")[[t is wrong for t in per_channel].index(True)]
    if wrong.array.shape != x.shape[1:2]:
        raise RuntimeError(
            f"batch_norm: {name} should contain {x.shape[1]} elements, one per channel of input {tuple(x.shape)}, "
            f"got shape {tuple(wrong.array.shape)}. The channel is dimension 1."
        )
    if x.dtype.kind != "f":
        refuse_integers(x)
    raise RuntimeError(
        f"batch_norm: expected input and {name} of one dtype, got {x.dtype} and {wrong.array.dtype}; "
        "use .to() or .double()"
    )


def refuse_integers(x):
    """Raise PyTorch's error for an input that is not floating point; NotImplementedError is a RuntimeError."""
    raise NotImplementedError(
        f'"batch_norm" not implemented for {x.dtype}: expected a floating point input; convert it with .float()'
    )
