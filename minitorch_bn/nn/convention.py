"""Convention: what implementations of BatchNorm disagree about, as data.

Papers, courses and libraries agree on "subtract the mean, divide by the standard deviation, keep running averages" and
differ in six details. Each detail is a field here; each known combination is a value. A layer follows one with
``nn.BatchNorm1d(30, convention=Convention.KERAS)``; compare.conventions shows how far apart they are.
"""

from dataclasses import dataclass

from ..ops.batchnorm import update_running


@dataclass(frozen=True)
class Convention:
    """The choices of one implementation.

    Attributes
    ----------
    name : str
    momentum : float or None
        Its default; None: all batches count alike.
    momentum_weighs : str
        "new": running = (1 - momentum) * running + momentum * batch. "old": the two factors stand the other way round.
    normalises_by : str
        Variance that the batch is normalised with: "biased", sum((x - mean)**2) / m, or "unbiased", / (m - 1).
    stores : str
        What is averaged for eval mode: "biased" or "unbiased" variance, or "std", the root of the unbiased one.
    eps : float
        Its default.
    eps_inside : bool
        sqrt(var + eps), or sqrt(var) + eps.
    running_var_start : float
        Where the running variance (or standard deviation) starts.
    state_names : tuple of str
        What it calls gamma, beta, the running mean and the running variance.
    source : str
    """

    name: str
    momentum: float | None = 0.1
    momentum_weighs: str = "new"
    normalises_by: str = "biased"
    stores: str = "unbiased"
    eps: float = 1e-5
    eps_inside: bool = True
    running_var_start: float = 1.0
    state_names: tuple = ("weight", "bias", "running_mean", "running_var")
    source: str = ""

    def __post_init__(self):
        for field, wanted in (
            ("momentum_weighs", ("new", "old")),
            ("normalises_by", ("biased", "unbiased")),
            ("stores", ("biased", "unbiased", "std")),
        ):
            if getattr(self, field) not in wanted:
                raise ValueError(f"Convention: {field} must be one of {wanted}, got {getattr(self, field)!r}")

    def weight_of_new(self, momentum):
        """The factor of the new batch in the running averages, for a momentum as this convention reads it."""
        return momentum if self.momentum_weighs == "new" else 1 - momentum

    def store(self, running_var, var, m, weight):
        """Average the variance of a batch of m values per channel (`var`, biased) into the running one, in place."""
        if self.stores == "std":
            update_running(running_var, (var * (m / (m - 1))) ** 0.5, weight)
        else:
            update_running(running_var, var, weight, unbiased=1 if self.stores == "biased" else m / (m - 1))

    def divisor(self, running_var, eps):
        """What eval mode divides by: sqrt(running_var + eps), or as this convention has it."""
        if self.eps_inside:
            return ((running_var**2 if self.stores == "std" else running_var) + eps) ** 0.5
        return (running_var if self.stores == "std" else running_var**0.5) + eps

    def __str__(self):
        return self.name


ALL = (
    Convention("PYTORCH", source="PyTorch 2.13, documentation of nn.BatchNorm1d"),
    Convention("PAPER", momentum=None, source="Ioffe & Szegedy 2015, algorithms 1 and 2: averages over all batches"),
    Convention(
        "KERAS",
        momentum=0.99,
        momentum_weighs="old",
        stores="biased",
        eps=1e-3,
        state_names=("gamma", "beta", "moving_mean", "moving_variance"),
        source="Keras 3, keras/src/layers/normalization/batch_normalization.py",
    ),
    Convention(
        "CHAINER",
        momentum=0.9,
        momentum_weighs="old",
        eps=2e-5,
        state_names=("gamma", "beta", "avg_mean", "avg_var"),
        source="Chainer 7, chainer/links/normalization/batch_normalization.py; it calls momentum decay",
    ),
    Convention(
        "CS231N",
        momentum=0.9,
        momentum_weighs="old",
        stores="biased",
        running_var_start=0.0,
        state_names=("gamma", "beta", "running_mean", "running_var"),
        source="Stanford CS231n, assignment 2, cs231n/layers.py",
    ),
    Convention(
        "MAKEMORE",
        normalises_by="unbiased",
        state_names=("gamma", "beta", "running_mean", "running_var"),
        source="Karpathy, makemore part 3, class BatchNorm1d",
    ),
    Convention(
        "MAKEMORE_BY_HAND",
        momentum=0.001,
        normalises_by="unbiased",
        stores="std",
        eps=0.0,
        state_names=("bngain", "bnbias", "bnmean_running", "bnstd_running"),
        source="Karpathy, makemore part 3, before the class: averages the standard deviation",
    ),
    Convention(
        "D2L",
        stores="biased",
        state_names=("gamma", "beta", "moving_mean", "moving_var"),
        source="Dive into Deep Learning 1.0, section 8.5, PyTorch tab",
    ),
    Convention(
        "FLAX",
        momentum=0.99,
        momentum_weighs="old",
        stores="biased",
        state_names=("scale", "bias", "mean", "var"),
        source="Flax, flax/linen/normalization.py; computes the variance as E[x^2] - E[x]^2, which rounds differently",
    ),
    Convention(
        "REVERSED",
        momentum_weighs="old",
        source="articles that write running = momentum * running + (1 - momentum) * batch with PyTorch's momentum 0.1",
    ),
)
for convention in ALL:
    setattr(Convention, convention.name, convention)
del convention
