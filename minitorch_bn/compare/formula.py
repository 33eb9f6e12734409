"""PyTorch's BatchNorm in steps that can be replaced one at a time: what the catalogue's mistakes are changes of.

Every step of the formula is a method of one or two lines. A mistake is a subclass that overrides the step that goes
wrong; all else stays right. Nothing here is used by the layers: it is plain NumPy, written apart from ops/batchnorm.py,
so that the two check one another.
"""

import numpy as np

# What a BatchNorm computes, as the catalogue, the exercises and the reports call it.
QUANTITIES = (
    "y", "dx", "dgamma", "dbeta",
    "running_mean", "running_var", "start_mean", "start_var",
    "eval_y", "eval_dx", "eval_dgamma", "eval_dbeta",
    "fold_weight", "fold_bias", "sync_mean", "sync_var",
)  # fmt: skip


class Formula:
    """BatchNorm as PyTorch computes it, in both modes, one method per step.

    Train mode is `normalise`, `backward` and `update`; eval mode is `evaluate` and `evaluate_backward`. What a step
    computes is kept as an attribute (`mean`, `var`, `inv_std`, `x_hat`, `m`, ...), for the later steps and for readers.

    Parameters
    ----------
    eps : float
        Added to the variance, inside the root.
    momentum : float or None
        Weight of the new value in the running statistics; None for the average of all batches.

    Source: Ioffe & Szegedy 2015, algorithms 1 and 2, section 3; PyTorch documentation of BatchNorm1d.

    >>> formula = Formula()
    >>> formula.normalise(np.array([[1.0, 10.0], [3.0, 30.0]])).round(3)
    array([[-1., -1.],
           [ 1.,  1.]])
    >>> running_mean, running_var = formula.update(*formula.start(2))
    >>> running_var  # 0.9 * 1 + 0.1 * [2, 200]: the unbiased variances
    array([ 1.1, 20.9])
    """

    def __init__(self, eps=1e-5, momentum=0.1):
        self.eps, self.momentum = eps, momentum

    # ---- which values belong together

    def layout(self, x):
        """The axes of one channel's values, and the shape in which (C,) broadcasts against x."""
        return (0, *range(2, x.ndim)), (1, x.shape[1]) + (1,) * (x.ndim - 2)

    def total(self, values):
        """The sum over every channel's values: (N, C, *S) gives (C,)."""
        return values.sum(self.axes)

    def line_up(self, per_channel):
        """(C,) in the shape that broadcasts against x."""
        return per_channel.reshape(self.shape)

    def take(self, x, gamma, beta):
        """Keep the arguments, and find out which values belong together."""
        self.x, self.gamma, self.beta = x, gamma, beta
        self.axes, self.shape = self.layout(x)
        self.m = x.size // max(1, int(np.prod(self.shape)))

    # ---- train mode, forwards

    def normalise(self, x, gamma=None, beta=None):
        """y of a batch in train mode.

        Parameters
        ----------
        x : array of shape (N, C, *S)
        gamma, beta : array of shape (C,), or None for 1 and 0
        """
        self.take(x, gamma, beta)
        self.mean = self.mean_of(x)
        self.centred = self.centre(x)
        self.var = self.variance(self.centred)
        self.inv_std = self.inverse_std(self.var)
        self.x_hat = self.centred * self.line_up(self.inv_std)
        return self.scale_and_shift(self.x_hat)

    def mean_of(self, x):
        """The mean of every channel, (C,)."""
        return self.total(x) / self.m

    def centre(self, x):
        """x without its mean."""
        return x - self.line_up(self.mean)

    def variance(self, centred):
        """The variance that a batch is normalised with: the biased one."""
        return self.total(centred * centred) / self.divisor()

    def divisor(self):
        """What the sum of squares is divided by: m, not m - 1."""
        return self.m

    def inverse_std(self, var):
        """1 / sqrt(var + eps): eps inside the root."""
        return 1 / np.sqrt(var + self.eps)

    def scale_and_shift(self, x_hat):
        """gamma * x_hat + beta."""
        y = x_hat if self.gamma is None else self.line_up(self.gamma) * x_hat
        return y if self.beta is None else y + self.line_up(self.beta)

    # ---- train mode, backwards

    def backward(self, dy):
        """(dx, dgamma, dbeta) from dy, after `normalise`."""
        return self.input_gradient(dy), self.gamma_gradient(dy), self.beta_gradient(dy)

    def beta_gradient(self, dy):
        """beta reaches y directly, once per value: the sum of dy."""
        return self.total(dy)

    def gamma_gradient(self, dy):
        """gamma reaches y through x_hat, once per value."""
        return self.total(dy * self.x_hat)

    def input_gradient(self, dy):
        """x reaches y on three paths: directly, through the mean, and through the variance."""
        dx_hat = self.x_hat_gradient(dy)
        return self.direct(dx_hat) + self.through_mean(dx_hat) + self.through_variance(dx_hat)

    def x_hat_gradient(self, dy):
        """gamma * dy."""
        return dy if self.gamma is None else self.line_up(self.gamma) * dy

    def direct(self, dx_hat):
        """The part of dx with the mean and the variance held still."""
        return dx_hat * self.line_up(self.inv_std)

    def through_mean(self, dx_hat):
        """The part of dx through the mean: every value moves it by 1 / m. (N, C, *S), constant in a channel."""
        dmean = -self.total(dx_hat) * self.inv_std
        return self.line_up(dmean) / self.m + np.zeros_like(dx_hat)

    def through_variance(self, dx_hat):
        """The part of dx through the variance: a value moves it by 2 * centred / m."""
        dvar = self.total(dx_hat * self.centred) * self.slope_of_inverse_std()
        return self.line_up(dvar) * 2 * self.centred / self.divisor()

    def slope_of_inverse_std(self):
        """d inv_std / d var = -1/2 (var + eps)^(-3/2)."""
        return -self.inv_std * self.inv_std * self.inv_std / 2

    # ---- running statistics

    def start(self, channels, dtype=float):
        """The running mean and variance before the first batch: 0 and 1."""
        return np.zeros(channels, dtype), np.ones(channels, dtype)

    def update(self, running_mean, running_var, batches=0):
        """The running statistics after the batch of `normalise`, as new arrays.

        Parameters
        ----------
        running_mean, running_var : array of shape (C,)
        batches : int
            Batches seen before this one; counts where momentum is None.
        """
        weight = self.weight_of_new(batches)
        mean = self.blend(running_mean, self.stored_mean(), weight)
        var = self.blend(running_var, self.stored_variance(), weight)
        return mean, var

    def weight_of_new(self, batches):
        """The momentum; where it is None, 1 / (number of batches with this one)."""
        return 1 / (batches + 1) if self.momentum is None else self.momentum

    def stored_mean(self):
        """The mean that goes into the running mean."""
        return self.mean

    def stored_variance(self):
        """The variance that goes into the running variance: the unbiased one."""
        return self.var * (self.m / (self.m - 1))

    def blend(self, running, new, weight):
        """(1 - weight) * running + weight * new."""
        return (1 - weight) * running + weight * new

    # ---- eval mode

    def evaluate(self, x, gamma, beta, running_mean, running_var):
        """y in eval mode: normalised with the running statistics."""
        self.take(x, gamma, beta)
        self.mean, self.var = self.statistics_of_eval(running_mean, running_var)
        self.centred = self.centre(x)
        self.inv_std = self.inverse_std_of_eval(self.var)
        self.x_hat = self.centred * self.line_up(self.inv_std)
        return self.scale_and_shift(self.x_hat)

    def statistics_of_eval(self, running_mean, running_var):
        """The mean and variance that eval mode normalises with: the running ones, as they are."""
        return running_mean, running_var

    def inverse_std_of_eval(self, var):
        """1 / sqrt(var + eps), as in train mode."""
        return self.inverse_std(var)

    def evaluate_backward(self, dy):
        """(dx, dgamma, dbeta) from dy, after `evaluate`."""
        return self.input_gradient_of_eval(dy), self.gamma_gradient(dy), self.beta_gradient(dy)

    def input_gradient_of_eval(self, dy):
        """The running statistics do not move with x: only the direct path is there."""
        return self.direct(self.x_hat_gradient(dy))

    # ---- beside the layer

    def fold(self, weight, bias, gamma, beta, running_mean, running_var):
        """The weight (C, ...) and bias (C,) of a linear or convolution layer that does eval mode's work as well."""
        factor = gamma * self.inverse_std_of_eval(running_var)
        folded = weight * factor.reshape(-1, *[1] * (weight.ndim - 1))
        return folded, (bias - running_mean) * factor + beta

    def combine(self, shards):
        """The mean and biased variance of a batch whose parts lie on several devices, from each part's own."""
        parts = [Formula(self.eps) for _ in shards]
        for part, shard in zip(parts, shards, strict=True):
            part.normalise(shard)
        shares = np.array([part.m for part in parts], shards[0].dtype) / sum(part.m for part in parts)
        return self.combine_statistics([part.mean for part in parts], [part.var for part in parts], shares)

    def combine_statistics(self, means, variances, shares):
        """The mean of the variances plus the variance of the means, each part with its share of the values."""
        mean = sum(share * part for share, part in zip(shares, means, strict=True))
        within = sum(share * part for share, part in zip(shares, variances, strict=True))
        between = sum(share * (part - mean) ** 2 for share, part in zip(shares, means, strict=True))
        return mean, within + between


def quantity(what, formula, data, own_start=False):
    """One of QUANTITIES, computed by a formula.

    Parameters
    ----------
    what : str
    formula : type
        Formula, or a subclass of it with a mistake.
    data : dict
        The arrays that `what` needs, of x gamma beta dy running_mean running_var weight bias shards, and the numbers
        eps, momentum and batches where they are not PyTorch's defaults.
    own_start : bool
        Whether the running statistics begin where the formula lets them begin, whatever `data` says.
    """
    f = formula(data.get("eps", 1e-5), data.get("momentum", 0.1))
    x, gamma, beta, dy = (data.get(name) for name in ("x", "gamma", "beta", "dy"))
    running = data.get("running_mean"), data.get("running_var")
    if what.startswith("fold_"):
        return f.fold(data["weight"], data["bias"], gamma, beta, *running)[what == "fold_bias"]
    if what.startswith("sync_"):
        return f.combine(data["shards"])[what == "sync_var"]
    if what.startswith("start_"):
        return f.start(x.shape[1], x.dtype)[what == "start_var"]
    if what.startswith("eval_"):
        y = f.evaluate(x, gamma, beta, *running)
        return y if what == "eval_y" else dict(zip(("dx", "dgamma", "dbeta"), f.evaluate_backward(dy)))[what[5:]]
    y = f.normalise(x, gamma, beta)
    if what == "y":
        return y
    if what.startswith("running_"):
        start = f.start(x.shape[1], x.dtype)
        mean, var = start if own_start else (b if a is None else a for a, b in zip(running, start))
        return f.update(mean, var, data.get("batches", 0))[what == "running_var"]
    return dict(zip(("dx", "dgamma", "dbeta"), f.backward(dy)))[what]
