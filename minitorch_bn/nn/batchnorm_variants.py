"""The BatchNorm layer in its other forms: three ways to compute the gradient, other conventions, the paths of dx."""

from typing import NamedTuple

import numpy as np

from .. import ops
from ..engine import apply
from ..ops import batchnorm_variants as math
from ..ops.batchnorm import BatchNorm, channel_layout, check_arguments, update_running
from ..tensor import Tensor
from .convention import Convention

MODES = ("closed", "paper", "graph")


def check_mode(mode, convention):
    """Raise ValueError for a backward_mode that there is not, or not for this convention."""
    if mode not in MODES:
        raise ValueError(f"backward_mode must be one of {MODES}, got {mode!r}")
    usual = convention is None or (convention.normalises_by == "biased" and convention.eps_inside)
    if mode == "paper" and not usual:
        raise ValueError(
            f"backward_mode 'paper' is written for the biased variance with eps inside the root; convention "
            f"{convention} has it otherwise. Use 'closed' or 'graph'."
        )


def forward(layer, input):
    """What the layer computes when its convention or its backward_mode is not the usual one."""
    convention = layer.convention or Convention.PYTORCH
    x, statistics = input.array, (layer.running_mean, layer.running_var)
    if layer.training and not layer.track_running_stats:
        statistics = (None, None)
    per_channel = (*statistics, layer.weight, layer.bias)
    if x.size == 0 or not (layer.training or statistics[0] is None):
        check_arguments(x, per_channel, False, layer.eps)
        std = convention.divisor(layer.running_var.array, layer.eps)
        return math.fixed_batch_norm(input, layer.running_mean.array, std, layer.weight, layer.bias)
    check_arguments(x, per_channel, True, 1 if layer.convention else layer.eps)  # some conventions do without eps
    y, mean, var = normalise(layer, input, convention)
    if layer.training and statistics[0] is not None:
        momentum = layer.weight_of_next_batch() if layer.momentum is None else convention.weight_of_new(layer.momentum)
        update_running(layer.running_mean.array, mean, momentum)
        convention.store(layer.running_var.array, var, channel_layout(x)[1], momentum)
        layer.num_batches_tracked.add_(1)
    return y


def normalise(layer, input, convention):
    """y, and the mean and biased variance of the batch as arrays."""
    correction = 1 if convention.normalises_by == "unbiased" else 0
    if layer.backward_mode == "graph":
        y, mean, var = math.batch_norm_as_graph(
            input, layer.weight, layer.bias, layer.eps, correction, convention.eps_inside
        )
        return y, mean.array, var.array
    if layer.backward_mode == "paper":
        op = math.StagedBatchNorm(layer.eps)
    elif correction or not convention.eps_inside:
        op = math.OtherBatchNorm(layer.eps, correction, convention.eps_inside)
    else:
        op = BatchNorm(layer.eps)
    y = apply(op, input, layer.weight, layer.bias)
    return y, op.mean, op.var


class Paths(NamedTuple):
    """dx in three parts: straight from y, through the mean, through the variance."""

    direct: Tensor
    through_mean: Tensor
    through_var: Tensor

    @property
    def dx(self):
        """Their sum."""
        return self.direct + self.through_mean + self.through_var

    def __repr__(self):
        sizes = {name: float(np.sqrt((part.array.astype(float) ** 2).sum())) for name, part in self._asdict().items()}
        total = float(np.sqrt((self.dx.array.astype(float) ** 2).sum()))
        parts = ", ".join(f"|{name}| = {size:.4g}" for name, size in sizes.items())
        return f"Paths({parts}; |dx| = {total:.4g})"


def paths(layer, dy):
    """See BatchNorm.paths."""
    x = getattr(layer, "_seen", None)
    if x is None:
        raise RuntimeError("paths: the layer has seen no batch yet; call it on one first")
    if tuple(dy.shape) != x.shape:
        raise RuntimeError(f"paths: got dy of shape {tuple(dy.shape)}, wanted that of the last batch, {x.shape}")
    gamma = None if layer.weight is None else layer.weight.array
    dy = dy.array.astype(x.dtype)
    if layer.training or layer.running_mean is None:
        check_paths(layer)
        direct, through_mean, through_var, _ = math.batch_norm_paths(x, gamma, dy, layer.eps)
    else:
        std = (layer.convention or Convention.PYTORCH).divisor(layer.running_var.array, layer.eps)
        scale = (1 if gamma is None else gamma) / std
        direct = scale.reshape(channel_layout(x)[2]) * dy
        through_mean, through_var = np.zeros_like(direct), np.zeros_like(direct)
    like = ops.clone(Tensor(x)).like
    return Paths(like(direct), like(through_mean), like(through_var))


def check_paths(layer):
    """Raise NotImplementedError for a convention whose variance term has another weight."""
    convention = layer.convention
    if convention is not None and (convention.normalises_by != "biased" or not convention.eps_inside):
        raise NotImplementedError(
            f"paths: is written for the biased variance with eps inside the root, not for convention {convention}"
        )
