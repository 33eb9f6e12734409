"""InstanceNorm: every channel of every sample is normalised by itself."""

import math

from .. import dtypes
from .axes import must_be_tensor
from .batchnorm import FixedBatchNorm, update_running
from .normalisation import Normalisation, apply_widened, check_dtypes, check_per_channel


class InstanceNorm(Normalisation):
    """Normalise every channel of every sample over its positions, then scale and shift each channel.

        x_hat = (x - mean) / sqrt(var + eps)        y = gamma * x_hat + beta

    Shapes: x, y and their gradients are (N, C, *S); gamma and beta are (C,) or None. What lies along S shares one mean:
    BatchNorm without the axis of samples. gamma is the same for all of it, as in BatchNorm; dgamma and dbeta are sums
    over samples and positions.

        dx_hat = gamma * dy
        dx = inv_std * (dx_hat - mean(dx_hat) - x_hat * mean(dx_hat * x_hat))

    Source: Ulyanov, Vedaldi & Lempitsky 2016, equation 3; PyTorch documentation of InstanceNorm1d.
    """

    torch_name = "ViewBackward0"  # PyTorch composes it: batch_norm of (1, N * C, *S), seen as (N, C, *S) at the end

    def forward(self, x, gamma, beta):
        positions = tuple(range(2, x.ndim))
        per_channel = (x.shape[1],) + (1,) * len(positions)
        self.gamma = None if gamma is None else gamma.reshape(per_channel)

        x_hat = self.normalise(x, positions)
        y = x_hat if gamma is None else self.gamma * x_hat
        return y if beta is None else y + beta.reshape(per_channel)

    def backward(self, dy):
        samples_and_positions = (0, *self.axes)

        dbeta = dy.sum(samples_and_positions) if self.needs[2] else None
        dgamma = (dy * self.x_hat).sum(samples_and_positions) if self.needs[1] else None
        dx_hat = dy if self.gamma is None else self.gamma * dy
        dx = self.normalise_backward(dx_hat)
        return dx, dgamma, dbeta


def instance_norm(
    input,
    running_mean=None,
    running_var=None,
    weight=None,
    bias=None,
    use_input_stats=True,
    momentum=0.1,
    eps=1e-5,
):
    """Instance normalisation: the functional form of nn.InstanceNorm1d, 2d and 3d.

    With use_input_stats it normalises with each channel's own mean and biased variance in each sample, and moves the
    running statistics, if given, in place:

        running = (1 - momentum) * running + momentum * (mean over the samples of the new statistics)

    where the new variance is the *unbiased* one, m / (m - 1) times the one that normalises, for m positions. Without,
    it normalises with the running statistics, which are the same for all samples: as BatchNorm in eval mode. Samples
    without positions move nothing; without samples there is no mean over them, and the running statistics become nan.

    Parameters
    ----------
    input : Tensor of shape (N, C, *S)
    running_mean, running_var : Tensor of shape (C,) or None
        Both or neither; needed if use_input_stats is False.
    weight, bias : Tensor of shape (C,) or None
        gamma and beta.
    use_input_stats : bool
    momentum : float
        Weight of the new value in the running statistics.
    eps : float
        Added to the variance, inside the root.

    Returns
    -------
    Tensor of shape (N, C, *S)

    Raises
    ------
    ValueError
        With use_input_stats, if there is only one position (its variance is 0), or one running statistic only.
    RuntimeError
        If a (C,) argument has another shape, dtypes differ, or running statistics are missing or require grad.
    NotImplementedError
        If the input is not floating point.
    IndexError
        If there are no samples, but gamma or beta.
    TypeError
        If one of the tensors is none, or running statistics are not floating point.

    Source: PyTorch documentation, torch.nn.functional.instance_norm and torch.nn.InstanceNorm1d.
    """
    check_arguments(input, running_mean, running_var, weight, bias, use_input_stats)
    if not use_input_stats:
        dtype = dtypes.float32.numpy if input.dtype is dtypes.float16 else input.array.dtype
        mean, var = running_mean.array.astype(dtype), running_var.array.astype(dtype)
        return apply_widened(FixedBatchNorm(mean, var, eps), input, weight, bias)
    op = InstanceNorm(eps)
    y = apply_widened(op, input, weight, bias)
    N, C = input.array.shape[:2]
    if running_mean is not None and (op.m or not N):  # without positions there is nothing to average
        new_mean, new_var = (statistic.reshape(N, C).sum(0) / N for statistic in (op.mean, op.var))
        update_running(running_mean.array, new_mean, momentum)
        update_running(running_var.array, new_var, momentum, unbiased=op.m / (op.m - 1))
    return y


def check_arguments(input, running_mean, running_var, weight, bias, use_input_stats):
    """Raise PyTorch's errors for what `instance_norm` cannot take, before anything is changed."""
    given = [t for t in (running_mean, running_var, weight, bias) if t is not None]
    must_be_tensor("instance_norm", input, *given)
    shape = tuple(input.array.shape)
    if use_input_stats and math.prod(shape[2:]) == 1:
        raise ValueError(
            f"instance_norm: expected more than 1 spatial element, got input of shape {shape}, wanted (N, C, *S): the "
            "variance of one value is 0. Normalise over channels, too (group_norm), or over the batch (batch_norm)."
        )
    if not use_input_stats and (running_mean is None or running_var is None):
        raise RuntimeError("instance_norm: expected running_mean and running_var when use_input_stats is False")
    if (running_mean is None) != (running_var is None):
        raise ValueError("instance_norm: running_mean and running_var must either both be None or neither be None")
    if len(shape) < 2:
        raise RuntimeError(f"instance_norm: expected input of shape (N, C, *S), got {shape}")
    check_per_channel(
        "instance_norm", shape[1], running_mean=running_mean, running_var=running_var, weight=weight, bias=bias
    )
    check_dtypes("instance_norm", input, weight, bias)
    if shape[0] == 0 and (weight is not None or bias is not None):
        raise IndexError(
            f"instance_norm: got input of shape {shape}, wanted at least one sample where there are gamma and beta: "
            "PyTorch repeats them once per sample. Skip empty batches"
        )
    for t in (running_mean, running_var):
        if t is not None and t.array.dtype.kind != "f":
            raise TypeError(f"instance_norm: running statistics of {t.array.dtype} cannot be averaged; use .float()")
        if t is not None and t.requires_grad:
            raise RuntimeError("instance_norm: running statistics are averaged, not learnt; got one that requires grad")
