"""BatchNorm layers: the state around the math of ops/batchnorm.py.

The state is gamma and beta (`weight`, `bias`: learnt), the running statistics (`running_mean`, `running_var`: averaged,
not learnt) and how many batches went into them. `training` decides whether a batch is normalised with its own
statistics or with the running ones; whether gradients are recorded has nothing to do with it.
"""

from .. import creation, ops
from . import batchnorm_variants, init
from .crosscheck import crosscheck
from .freezing import Freezable
from .module import Module
from .parameter import Buffer, Parameter


class Default(float):
    """A default that can be told from the same number given by the user: a convention replaces only defaults."""


EPS, MOMENTUM = Default(1e-5), Default(0.1)


class BatchNorm(Freezable, Module):
    """What BatchNorm1d, 2d and 3d share; they differ only in the ranks that they take.

    Parameters
    ----------
    num_features : int
        C, the size of dimension 1.
    eps : float
        Added to the variance, inside the root.
    momentum : float or None
        Weight of the newest batch in the running statistics: running = (1 - momentum) * running + momentum * batch.
        None averages all batches alike (weight 1 / number of batches).
    affine : bool
        Whether there are a weight (gamma) and a bias (beta).
    bias : bool
        Whether there is a beta, if affine.
    track_running_stats : bool
        Whether there are running statistics. Without, eval mode uses the batch's own.
    convention : Convention, optional
        Follow another implementation than PyTorch in what momentum means, which variance is used and stored, and where
        eps stands. eps and momentum are then read as that implementation reads them; left out, they are its defaults.

    Attributes
    ----------
    weight, bias : Parameter of shape (C,) or None
        gamma, starting at 1, and beta, starting at 0.
    running_mean, running_var : Buffer of shape (C,) or None
        Start at 0 and 1. running_var averages the unbiased variance, m / (m - 1) times the one used to normalise.
    num_batches_tracked : Buffer of shape () or None
        Batches seen in train mode.
    backward_mode : str
        How the gradient is computed: "closed" (one formula), "paper" (the paper's stages) or "graph" (small ops, the
        engine does the rest). They agree to rounding: see `crosscheck`.
    frozen : bool
        Whether the layer stays in eval mode, whatever `train()` says: see `freeze`.

    Source: Ioffe & Szegedy 2015; PyTorch documentation of BatchNorm1d.
    """

    ranks = ()
    _version = 2  # version 1 had no num_batches_tracked

    def __init__(
        self,
        num_features,
        eps=EPS,
        momentum=MOMENTUM,
        affine=True,
        track_running_stats=True,
        device=None,
        dtype=None,
        *,
        bias=True,
        convention=None,
    ):
        super().__init__()
        if convention is not None:
            eps = convention.eps if isinstance(eps, Default) else eps
            momentum = convention.momentum if isinstance(momentum, Default) else momentum
        self.num_features, self.convention = num_features, convention
        self.eps = float(eps) if isinstance(eps, Default) else eps
        self.momentum = float(momentum) if isinstance(momentum, Default) else momentum
        self._backward_mode, self._plain = "closed", convention is None
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
        """Forget all batches: mean 0, variance 1, count 0."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1 if self.convention is None else self.convention.running_var_start)
            self.num_batches_tracked.zero_()

    def reset_parameters(self):
        """gamma 1, beta 0, and no batches seen."""
        self.reset_running_stats()
        if self.affine:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input):
        if input.array.ndim not in self.ranks:
            wanted = " or ".join(f"{rank}D" for rank in self.ranks)
            raise ValueError(f"{type(self).__name__}: expected {wanted} input (got {input.array.ndim}D input)")
        self.__dict__["_seen"] = input.array  # for paths(); not by self._seen = ..., which takes longer
        if not self._plain:
            return batchnorm_variants.forward(self, input)
        if not self.training and self.running_mean is not None:
            return ops.batch_norm(
                input, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps
            )
        if not (self.training and self.track_running_stats):
            return ops.batch_norm(input, None, None, self.weight, self.bias, True, 0.0, self.eps)
        momentum = self.momentum if self.momentum is not None else self.weight_of_next_batch()
        y = ops.batch_norm(input, self.running_mean, self.running_var, self.weight, self.bias, True, momentum, self.eps)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.array[()] += 1
        return y

    @property
    def backward_mode(self):
        return self._backward_mode

    @backward_mode.setter
    def backward_mode(self, mode):
        batchnorm_variants.check_mode(mode, self.convention)
        self._backward_mode, self._plain = mode, mode == "closed" and self.convention is None

    def paths(self, dy):
        """The three parts of dx, for the batch that the layer saw last and a gradient `dy` of its result.

        Parameters
        ----------
        dy : Tensor of shape (N, C, *S)

        Returns
        -------
        Paths (direct, through_mean, through_var), Tensors of shape (N, C, *S) that sum to dx
            In eval mode there is only the direct way: the running statistics do not depend on x.

        Raises
        ------
        RuntimeError
            If the layer has seen no batch yet, or `dy` has another shape.
        """
        return batchnorm_variants.paths(self, dy)

    crosscheck = crosscheck

    def _update_state(self, state, prefix, version):
        if self.track_running_stats and (version is None or version < 2):
            state.setdefault(f"{prefix}num_batches_tracked", self.num_batches_tracked)

    def weight_of_next_batch(self):
        """What a momentum of None stands for: 1 / (number of batches with the next one)."""
        return 1.0 / (self.num_batches_tracked.item() + 1)

    def extra_repr(self):
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
            + (f", convention={self.convention}" if self.convention is not None else "")
            + (", frozen=True" if self.frozen else "")
        )


_BatchNorm = BatchNorm  # what scripts for PyTorch ask for: isinstance(m, nn.modules.batchnorm._BatchNorm)
_NormBase = Freezable  # the same for InstanceNorm and BatchNorm together


class BatchNorm1d(BatchNorm):
    """BatchNorm over (N, C) or (N, C, L): one mean and variance per channel C.

    Raises
    ------
    ValueError
        If the input has another rank; in train mode, if a channel has a single value.
    """

    ranks = (2, 3)


class BatchNorm2d(BatchNorm):
    """BatchNorm over (N, C, H, W): one mean and variance per channel C. Errors as BatchNorm1d."""

    ranks = (4,)


class BatchNorm3d(BatchNorm):
    """BatchNorm over (N, C, D, H, W): one mean and variance per channel C. Errors as BatchNorm1d."""

    ranks = (5,)
