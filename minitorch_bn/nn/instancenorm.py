"""InstanceNorm layers: state for ops/instancenorm.py.

Unlike BatchNorm they have neither gamma and beta nor running statistics unless asked. Without running statistics train
and eval mode are the same: a sample is always normalised with its own.
"""

import warnings

from .. import creation, ops
from . import init
from .freezing import Freezable
from .module import Module
from .parameter import Buffer, Parameter


class InstanceNorm(Freezable, Module):
    """What InstanceNorm1d, 2d and 3d share; they differ only in the rank that they take.

    Parameters
    ----------
    num_features : int
        C, the size of the channel dimension.
    eps : float
        Added to the variance, inside the root.
    momentum : float or None
        Weight of the newest batch in the running statistics. None never moves them (in BatchNorm it averages).
    affine : bool
        Whether there are a weight (gamma) and a bias (beta).
    track_running_stats : bool
        Whether there are running statistics, which then normalise in eval mode.
    bias : bool
        Whether there is a beta, if affine.

    Attributes
    ----------
    weight, bias : Parameter of shape (C,) or None
        gamma, starting at 1, and beta, starting at 0.
    running_mean, running_var : Buffer of shape (C,) or None
        Start at 0 and 1; average the means and unbiased variances of the samples, themselves averaged over the batch.
    num_batches_tracked : Buffer of shape () or None
        Stays 0: it is there for the sake of state_dict, as in PyTorch.
    frozen : bool
        Whether the layer stays in eval mode, whatever `train()` says: see `freeze`.

    Source: Ulyanov, Vedaldi & Lempitsky 2016; PyTorch documentation of InstanceNorm1d.
    """

    unbatched_rank = 0  # of (C, *S)
    _version = 2  # version 1 had no num_batches_tracked

    def __init__(
        self,
        num_features,
        eps=1e-5,
        momentum=0.1,
        affine=False,
        track_running_stats=False,
        device=None,
        dtype=None,
        *,
        bias=True,
    ):
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        where = {"device": device, "dtype": dtype}
        self.weight = Parameter(creation.empty(num_features, **where)) if affine else None
        self.bias = Parameter(creation.empty(num_features, **where)) if affine and bias else None
        tracked = track_running_stats
        self.register_buffer("running_mean", Buffer(creation.zeros(num_features, **where)) if tracked else None)
        self.register_buffer("running_var", Buffer(creation.ones(num_features, **where)) if tracked else None)
        count = Buffer(creation.tensor(0, device=device)) if tracked else None
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self):
        """Forget all batches: mean 0, variance 1."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self):
        """gamma 1, beta 0, and no batches seen."""
        self.reset_running_stats()
        if self.affine:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input):
        self.check_input(input)
        unbatched = input.array.ndim == self.unbatched_rank
        y = ops.instance_norm(
            input.unsqueeze(0) if unbatched else input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return y.squeeze(0) if unbatched else y

    def check_input(self, input):
        """Raise ValueError for a wrong rank or, with gamma, for another number of channels than num_features."""
        name, rank, unbatched = type(self).__name__, input.array.ndim, self.unbatched_rank
        if rank not in (unbatched, unbatched + 1):
            raise ValueError(f"{name}: expected {unbatched}D or {unbatched + 1}D input (got {rank}D input)")
        dim = rank - unbatched
        channels = input.array.shape[dim]
        if channels == self.num_features:
            return
        got = f"{name}: expected input's size at dim={dim} to match num_features ({self.num_features}), but got: "
        if self.affine:
            raise ValueError(got + f"{channels}. The input is (N, C, *S) or (C, *S).")
        warnings.warn(got + f"{channels}; without affine, num_features is not used", stacklevel=4)

    def _update_state(self, state, prefix, version):
        if self.track_running_stats and (version is None or version < 2):
            state.setdefault(f"{prefix}num_batches_tracked", self.num_batches_tracked)

    def extra_repr(self):
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
            + (", frozen=True" if self.frozen else "")
        )


_InstanceNorm = InstanceNorm  # what scripts for PyTorch ask for


class InstanceNorm1d(InstanceNorm):
    """InstanceNorm over (N, C, L) or (C, L): every channel of every sample has a mean and a variance of its own.

    Raises
    ------
    ValueError
        If the input has another rank, or its statistics are used and it has a single position; with affine, if it has
        another number of channels.
    RuntimeError
        With running statistics and without affine, if the input has another number of channels.
    """

    unbatched_rank = 2


class InstanceNorm2d(InstanceNorm):
    """InstanceNorm over (N, C, H, W) or (C, H, W). Errors as InstanceNorm1d."""

    unbatched_rank = 3


class InstanceNorm3d(InstanceNorm):
    """InstanceNorm over (N, C, D, H, W) or (C, D, H, W). Errors as InstanceNorm1d."""

    unbatched_rank = 4
