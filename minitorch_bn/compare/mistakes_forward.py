"""Mistakes in the forward formula. Their gradients are those of the formula that was mistaken for BatchNorm."""

import numpy as np

from .formula import Formula
from .mistake import into

FORWARD = []
mistake = into(FORWARD, "forward")

IN_TRAIN = "y dx dgamma"
IN_BOTH = "y dx dgamma eval_y eval_dx eval_dgamma"


# ---- the variance


@mistake(
    "unbiased-forward",
    trap="T3",
    who="makemore 3, 4 and 5: x.var()",
    changes=IN_TRAIN,
    says="The batch was normalised with the unbiased variance, sum / (m - 1).",
    instead="Divide by m: PyTorch normalises with the biased variance; the unbiased one is for running_var only.",
)
class UnbiasedForward(Formula):
    """torch.var's default where torch.var(correction=0) is meant."""

    def divisor(self):
        return self.m - 1

    def stored_variance(self):
        return self.var


@mistake(
    "unbiased-twice-in-forward",
    trap="T4",
    who="torch.var ported to a formula that corrects by itself",
    changes=IN_TRAIN + " running_var",
    says="The variance was already unbiased, and m / (m - 1) was applied to it once more for running_var.",
    instead="np.var divides by m, torch.var by m - 1: say which you want, np.var(x, ddof=0) or x.var(correction=0).",
)
class UnbiasedTwiceInForward(Formula):
    """One unbiased variance, corrected again for storage."""

    def divisor(self):
        return self.m - 1


@mistake(
    "one-pass-variance",
    trap="T20",
    who="labml, ChainerMN, flax (with a clip)",
    changes=IN_TRAIN + " running_var",
    shows="offset",
    says="The variance was computed as E[x^2] - E[x]^2: far from 0 that subtracts two large, nearly equal numbers.",
    instead="Take the mean away first, then average the squares.",
)
class OnePassVariance(Formula):
    """Mathematically right; in floating point it loses all digits where the mean is large."""

    def variance(self, centred):
        return np.maximum(self.total(self.x * self.x) / self.m - self.mean * self.mean, 0)


@mistake(
    "mean-square-for-variance",
    changes=IN_TRAIN + " running_var",
    says="The mean of x^2 was taken for the variance: the mean was not taken away before squaring.",
    instead="var = mean((x - mean)^2).",
)
class MeanSquareForVariance(Formula):
    """The variance of uncentred values."""

    def variance(self, centred):
        return self.total(self.x * self.x) / self.m

    def through_variance(self, dx_hat):
        dvar = self.total(dx_hat * self.centred) * self.slope_of_inverse_std()
        return self.line_up(dvar) * 2 * self.x / self.m


# ---- eps


class WithEps(Formula):
    """What the mistakes about eps share: a function of the variance and its slope."""

    def inverse_std(self, var):
        return 1 / (np.sqrt(var) + self.eps)

    def slope_of_inverse_std(self):
        return -self.inv_std * self.inv_std / (2 * np.sqrt(self.var))


@mistake(
    "eps-outside",
    trap="T6",
    who="many hand-written versions",
    changes=IN_BOTH + " fold_weight fold_bias",
    says="eps was added to the standard deviation, outside the root.",
    instead="inv_std = 1 / sqrt(var + eps): eps stands inside the root.",
)
class EpsOutside(WithEps):
    """1 / (sqrt(var) + eps)."""


@mistake(
    "eps-missing",
    trap="T28",
    who="derivations that set eps = 0 for simplicity",
    changes=IN_BOTH + " fold_weight fold_bias",
    says="eps was left out.",
    instead="Add eps to the variance; without it a constant channel divides 0 by 0.",
)
class EpsMissing(Formula):
    """1 / sqrt(var)."""

    def inverse_std(self, var):
        return 1 / np.sqrt(var)


@mistake(
    "eps-squared",
    changes=IN_BOTH + " fold_weight fold_bias",
    says="eps^2 was added to the variance.",
    instead="Add eps itself: it is on the scale of a variance.",
)
class EpsSquared(Formula):
    """1 / sqrt(var + eps^2)."""

    def inverse_std(self, var):
        return 1 / np.sqrt(var + self.eps**2)


@mistake(
    "eps-twice",
    changes=IN_BOTH + " fold_weight fold_bias",
    says="eps was added twice: to the variance, and again under the root.",
    instead="Add it once, under the root.",
)
class EpsTwice(Formula):
    """1 / sqrt(var + 2 eps)."""

    def inverse_std(self, var):
        return 1 / np.sqrt(var + 2 * self.eps)


@mistake(
    "variance-for-std",
    changes=IN_BOTH + " fold_weight fold_bias",
    says="The values were divided by the variance, not by the standard deviation: the root is missing.",
    instead="inv_std = 1 / sqrt(var + eps).",
)
class VarianceForStd(Formula):
    """1 / (var + eps)."""

    def inverse_std(self, var):
        return 1 / (var + self.eps)

    def slope_of_inverse_std(self):
        return -self.inv_std * self.inv_std


# ---- centring and scaling


@mistake(
    "mean-not-taken-away",
    who="micrograd-ds and others that normalise x itself",
    changes="y dx dgamma eval_y eval_dgamma",
    says="x itself was divided by the standard deviation; its mean was not taken away.",
    instead="x_hat = (x - mean) * inv_std.",
)
class MeanNotTakenAway(Formula):
    """x_hat = x * inv_std, with the right variance."""

    def centre(self, x):
        return x

    def variance(self, centred):
        return self.total((self.x - self.line_up(self.mean)) ** 2) / self.m

    def through_mean(self, dx_hat):
        return np.zeros_like(dx_hat)

    def through_variance(self, dx_hat):
        dvar = self.total(dx_hat * self.x) * self.slope_of_inverse_std()
        return self.line_up(dvar) * 2 * (self.x - self.line_up(self.mean)) / self.m


@mistake(
    "not-scaled-by-std",
    changes=IN_BOTH,
    says="The mean was taken away, but nothing was divided by the standard deviation.",
    instead="x_hat = (x - mean) * inv_std.",
)
class NotScaledByStd(Formula):
    """x_hat = x - mean. The statistics themselves stay right."""

    def inverse_std(self, var):
        return np.ones_like(var)

    def slope_of_inverse_std(self):
        return np.zeros_like(self.inv_std)

    def fold(self, *arrays):
        return Formula(self.eps).fold(*arrays)


@mistake(
    "gamma-not-applied",
    changes="y dx eval_y eval_dx",
    says="gamma was not applied: y = x_hat + beta.",
    instead="y = gamma * x_hat + beta.",
)
class GammaNotApplied(Formula):
    """y = x_hat + beta; dgamma is summed all the same."""

    def scale_and_shift(self, x_hat):
        return x_hat if self.beta is None else x_hat + self.line_up(self.beta)

    def x_hat_gradient(self, dy):
        return dy


@mistake(
    "beta-not-applied",
    changes="y eval_y",
    says="beta was not added: y = gamma * x_hat.",
    instead="y = gamma * x_hat + beta.",
)
class BetaNotApplied(Formula):
    """y = gamma * x_hat."""

    def scale_and_shift(self, x_hat):
        return x_hat if self.gamma is None else self.line_up(self.gamma) * x_hat


@mistake(
    "gamma-and-beta-swapped",
    changes="y dx eval_y eval_dx",
    says="gamma and beta were swapped: y = beta * x_hat + gamma.",
    instead="y = gamma * x_hat + beta: weight scales, bias shifts.",
)
class GammaAndBetaSwapped(Formula):
    """y = beta * x_hat + gamma."""

    def take(self, x, gamma, beta):
        super().take(x, beta, gamma)


# ---- which values share a mean


@mistake(
    "channel-on-the-last-axis",
    trap="T19",
    who="makemore 5: layers that take (N, L, C); Keras's default",
    changes="y dx dgamma dbeta running_mean running_var eval_y eval_dx eval_dgamma eval_dbeta",
    shows="sequence",
    says="The last axis was taken for the channels.",
    instead="Channels are axis 1: (N, C, L). Transpose (N, L, C) before and after.",
)
class ChannelOnTheLastAxis(Formula):
    """Statistics over all axes but the last. Silent where the last axis is as long as the channels."""

    def layout(self, x):
        return tuple(range(x.ndim - 1)), (1,) * (x.ndim - 1) + (x.shape[-1],)


@mistake(
    "one-mean-for-all",
    changes="y dx dgamma running_mean running_var",
    says="One mean and one variance were computed over everything, channels included.",
    instead="Leave axis 1 out of the reduction: every channel has statistics of its own.",
)
class OneMeanForAll(Formula):
    """x.mean() and x.var() without an axis."""

    def mean_of(self, x):
        return super().mean_of(x) * 0 + x.mean()

    def variance(self, centred):
        self.everything = self.m * len(self.mean)
        return self.mean * 0 + (centred * centred).sum() / self.everything

    def stored_variance(self):
        return self.var * (self.everything / (self.everything - 1))

    def through_mean(self, dx_hat):
        dmean = -self.total(dx_hat) * self.inv_std
        return dmean.sum() / self.everything + np.zeros_like(dx_hat)

    def through_variance(self, dx_hat):
        dvar = self.total(dx_hat * self.centred) * self.slope_of_inverse_std()
        return dvar.sum() * 2 * self.centred / self.everything


@mistake(
    "layer-statistics",
    trap="T25",
    who="the same mix-up as PyDyNet's LayerNorm, which is a BatchNorm",
    changes=IN_TRAIN,
    says="Every sample was normalised over its own features: that is LayerNorm.",
    instead="Average over the batch (axis 0) and the positions, for every channel.",
)
class LayerStatistics(Formula):
    """Normalised along axis 1; the statistics that are stored are the channels'."""

    def normalise(self, x, gamma=None, beta=None):
        super().normalise(x, gamma, beta)
        rows = tuple(range(1, x.ndim))
        self.rows = {"axis": rows, "keepdims": True}
        centred = x - x.mean(**self.rows)
        self.row_inv_std = 1 / np.sqrt((centred * centred).mean(**self.rows) + self.eps)
        self.x_hat = centred * self.row_inv_std
        return self.scale_and_shift(self.x_hat)

    def input_gradient(self, dy):
        dx_hat = self.x_hat_gradient(dy)
        along = self.x_hat * (dx_hat * self.x_hat).mean(**self.rows)
        return self.row_inv_std * (dx_hat - dx_hat.mean(**self.rows) - along)


@mistake(
    "batch-axis-only",
    who="BatchNorm1d's code applied to images",
    changes=IN_TRAIN + " running_var",
    shows="image",
    says="Mean and variance were computed over the batch axis only, for every position apart.",
    instead="Reduce over the batch and all positions, axes (0, 2, 3): a channel has one mean.",
)
class BatchAxisOnly(Formula):
    """Statistics of shape (C, *S); what is stored is their average over the positions."""

    def normalise(self, x, gamma=None, beta=None):
        self.take(x, gamma, beta)
        self.m = len(x)
        mean = x.mean(0)
        self.centred = x - mean
        var = (self.centred * self.centred).mean(0)
        self.position_inv_std = self.inverse_std(var)
        self.x_hat = self.centred * self.position_inv_std
        positions = tuple(range(1, mean.ndim))
        self.mean, self.var = mean.mean(positions), var.mean(positions)
        return self.scale_and_shift(self.x_hat)

    def input_gradient(self, dy):
        dx_hat = self.x_hat_gradient(dy)
        along = self.x_hat * (dx_hat * self.x_hat).mean(0)
        return self.position_inv_std * (dx_hat - dx_hat.mean(0) - along)
