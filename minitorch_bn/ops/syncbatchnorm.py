"""SyncBatchNorm: BatchNorm over the batches of several processes, as if they were one batch.

Each rank r holds m_r values per channel. Forward, the ranks exchange (m_r, mean_r, squares_r), where squares_r is the
sum of squared deviations from mean_r; backward, the two sums that BatchNorm's dx is made of. Everything else is local.
"""

import numpy as np

from .. import backend
from ..engine import Op, apply
from .batchnorm import channel_layout, channel_sum, check_arguments, in_float32, update_running


class SyncBatchNorm(Op):
    """Normalise every channel with the statistics of all ranks' batches together, then scale and shift.

    With M = sum_r m_r, the statistics of the whole come from those of the parts (the parallel-variance formula):

        mean = sum_r m_r * mean_r / M
        var  = (sum_r squares_r  +  sum_r m_r * (mean_r - mean)**2) / M

    The second sum, of the distances between the ranks' means, is what the mean of local variances forgets. Nothing is
    computed as E[x**2] - E[x]**2, which loses all digits where the mean is large.

    Backward, an x of one rank moves mean and var of all; so the two means in dx are over all ranks, too:

        dx = gamma * inv_std * (dy - sum(dy) / M - x_hat * sum(dy * x_hat) / M)      sums over all ranks
        dgamma, dbeta: sums over this rank only; data-parallel training adds or averages them as it does all gradients

    Parameters
    ----------
    group : object with all_gather(array) and all_reduce(array)
        How the ranks exchange; see world.py. All ranks must run forward, and backward, the same number of times.

    Source: Ioffe & Szegedy 2015; Chan, Golub & LeVeque 1983, equation 2.1; PyTorch documentation of SyncBatchNorm.
    """

    torch_name = "SyncBatchNormBackward"

    def __init__(self, group, eps=1e-5):
        self.group, self.eps = group, eps

    def forward(self, x, gamma, beta):
        self.axes, m, self.shape = channel_layout(x)
        self.gamma = gamma

        own_mean = channel_sum(x, self.axes) / max(m, 1)  # an empty rank has m 0 and sums 0
        from_own = x - own_mean.reshape(self.shape)
        own_squares = channel_sum(from_own * from_own, self.axes)
        ranks = exchange(self.group, m, own_mean, own_squares)

        self.M = sum(m for m, _, _ in ranks)
        M = max(self.M, 1)  # all ranks may be empty
        mean = sum(m * mean for m, mean, _ in ranks) / M
        squares = sum(squares + m * (mean_r - mean) ** 2 for m, mean_r, squares in ranks)
        self.mean, self.var = mean.astype(x.dtype), (squares / M).astype(x.dtype)

        self.inv_std = 1 / np.sqrt(self.var + self.eps)
        # from this rank's own mean first: the distance of the two means is small, both may be large
        centred = from_own + (own_mean - mean).astype(x.dtype).reshape(self.shape)
        self.x_hat = centred * self.inv_std.reshape(self.shape)
        y = self.x_hat if gamma is None else gamma.reshape(self.shape) * self.x_hat
        return y if beta is None else y + beta.reshape(self.shape)

    def backward(self, dy):
        dbeta = channel_sum(dy, self.axes)
        dgamma = channel_sum(dy * self.x_hat, self.axes)
        all_dbeta, all_dgamma = self.group.all_reduce(np.stack([dbeta, dgamma]))

        scale = self.inv_std if self.gamma is None else self.gamma * self.inv_std
        M = max(self.M, 1)
        mean_dy, mean_dy_x_hat = all_dbeta / M, all_dgamma / M
        kept = dy - mean_dy.reshape(self.shape) - self.x_hat * mean_dy_x_hat.reshape(self.shape)
        return scale.reshape(self.shape) * kept, dgamma, dbeta


def exchange(group, m, mean, squares):
    """(m, mean, squares) of every rank, in one message, in float64."""
    own = np.concatenate([mean, squares]).astype(np.float64)
    counted = np.append(own, backend.namespace(own).full(1, m, np.float64))  # a plain number would be put on the host
    return [(float(part[-1]), *np.split(part[:-1], 2)) for part in group.all_gather(counted)]


def sync_batch_norm(input, running_mean, running_var, weight, bias, group, momentum=0.1, eps=1e-5):
    """`batch_norm` in training, over the batches of all ranks of a group, which all call it; arguments as there.

    Raises
    ------
    ValueError
        As `batch_norm`; on all ranks, if all together hold one value per channel. Nothing is changed then.
    RuntimeError
        As `batch_norm`.
    """
    if input.array.dtype.char == "e":
        return in_float32(sync_batch_norm, input, running_mean, running_var, weight, bias, group, momentum, eps)
    check_arguments(input.array, (running_mean, running_var, weight, bias), True, eps, lonely=True)
    op = SyncBatchNorm(group, eps)
    y = apply(op, input, weight, bias)
    if op.M == 1:
        raise ValueError(
            "SyncBatchNorm: Expected more than 1 value per channel when training, all ranks together have 1"
        )
    if running_mean is not None and op.M:  # no values at all: nothing to average
        update_running(running_mean.array, op.mean, momentum)
        update_running(running_var.array, op.var, momentum, unbiased=op.M / (op.M - 1))
    return y
