"""Mistakes in the backward formula: the forward pass is right, so only a check of the gradients can see them."""

import numpy as np

from .formula import Formula
from .mistake import into

BACKWARD = []
mistake = into(BACKWARD, "backward")

CORRECT = "dx = gamma * inv_std * (dy - mean(dy) - x_hat * mean(dy * x_hat))."


# ---- paths that are left out


@mistake(
    "statistics-as-constants",
    trap="T10",
    who=".data, detach() or no_grad around the statistics",
    changes="dx",
    says="The mean and the variance were treated as constants; only the direct path of dx is there.",
    instead="x moves its mean and its variance too: " + CORRECT,
)
class StatisticsAsConstants(Formula):
    """dx = gamma * inv_std * dy: eval mode's gradient."""

    def through_mean(self, dx_hat):
        return np.zeros_like(dx_hat)

    def through_variance(self, dx_hat):
        return np.zeros_like(dx_hat)


@mistake(
    "no-mean-term",
    changes="dx",
    says="The path through the mean is missing: dy kept its own mean.",
    instead="Take mean(dy) away: " + CORRECT,
)
class NoMeanTerm(Formula):
    """mean detached."""

    def through_mean(self, dx_hat):
        return np.zeros_like(dx_hat)


@mistake(
    "no-variance-term",
    changes="dx",
    says="The path through the variance is missing: dy kept its part along x_hat.",
    instead="Take x_hat * mean(dy * x_hat) away: " + CORRECT,
)
class NoVarianceTerm(Formula):
    """var detached."""

    def through_variance(self, dx_hat):
        return np.zeros_like(dx_hat)


@mistake(
    "no-direct-path",
    changes="dx",
    says="Only the paths through the mean and the variance are there; the direct one is missing.",
    instead="Three paths add up: " + CORRECT,
)
class NoDirectPath(Formula):
    """The two correction terms alone."""

    def direct(self, dx_hat):
        return np.zeros_like(dx_hat)

    def input_gradient_of_eval(self, dy):
        return super().direct(self.x_hat_gradient(dy))


@mistake("zero-dx", who="what a check with ones as upstream gradient takes for right (T12)", changes="dx",
         says="dx is 0 everywhere.", instead=CORRECT)  # fmt: skip
class ZeroDx(Formula):
    """No gradient flows through."""

    def input_gradient(self, dy):
        return np.zeros_like(dy)


# ---- signs


@mistake("mean-term-added", changes="dx", says="mean(dy) was added; its sign is wrong.",
         instead="Take it away: " + CORRECT)  # fmt: skip
class MeanTermAdded(Formula):
    """+ mean(dy)."""

    def through_mean(self, dx_hat):
        return -super().through_mean(dx_hat)


@mistake("variance-term-added", changes="dx", says="x_hat * mean(dy * x_hat) was added; its sign is wrong.",
         instead="Take it away: d inv_std / d var is negative. " + CORRECT)  # fmt: skip
class VarianceTermAdded(Formula):
    """+ x_hat * mean(dy * x_hat)."""

    def through_variance(self, dx_hat):
        return -super().through_variance(dx_hat)


@mistake("dx-negative", changes="dx", says="dx has the wrong sign.", instead="Drop the minus: " + CORRECT)
class DxNegative(Formula):
    """-dx."""

    def input_gradient(self, dy):
        return -super().input_gradient(dy)


# ---- factors


@mistake(
    "bessel-in-dx",
    trap="T5",
    who="makemore 4, exercise 3: right there, where the forward pass is unbiased",
    changes="dx",
    says="The term along x_hat has a factor m / (m - 1): the gradient of the unbiased variance.",
    instead="PyTorch normalises with the biased variance, so there is no such factor: " + CORRECT,
)
class BesselInDx(Formula):
    """- m / (m - 1) * x_hat * mean(dy * x_hat)."""

    def through_variance(self, dx_hat):
        return super().through_variance(dx_hat) * (self.m / (self.m - 1))


@mistake(
    "variance-term-without-2",
    changes="dx",
    says="The path through the variance is half of what it should be: the 2 of the derivative of a square is missing.",
    instead="d var / d x = 2 (x - mean) / m.",
)
class VarianceTermWithout2(Formula):
    """Half of the path through the variance."""

    def through_variance(self, dx_hat):
        return super().through_variance(dx_hat) / 2


@mistake(
    "sums-for-means",
    changes="dx",
    says="sum(dy) and sum(dy * x_hat) were taken away; the 1 / m is missing.",
    instead="Take the means away: " + CORRECT,
)
class SumsForMeans(Formula):
    """- sum(dy) - x_hat * sum(dy * x_hat)."""

    def through_mean(self, dx_hat):
        return super().through_mean(dx_hat) * self.m

    def through_variance(self, dx_hat):
        return super().through_variance(dx_hat) * self.m


@mistake("dx-divided-by-m", changes="dx", says="dx is m times too small: it was averaged.",
         instead="Every x has a gradient of its own; nothing is averaged over it: " + CORRECT)  # fmt: skip
class DxDividedByM(Formula):
    """dx / m."""

    def input_gradient(self, dy):
        return super().input_gradient(dy) / self.m


@mistake("dx-times-m", who="the form with m * dx_hat - ..., its 1 / m forgotten", changes="dx",
         says="dx is m times too large: the 1 / m in front of the bracket was forgotten.",
         instead="1 / m * gamma * inv_std * (m * dy - sum(dy) - x_hat * sum(dy * x_hat)).")  # fmt: skip
class DxTimesM(Formula):
    """m * dx."""

    def input_gradient(self, dy):
        return super().input_gradient(dy) * self.m


@mistake(
    "gamma-forgotten",
    trap="T13",
    who="Knet.jl #288: the tests had gamma = 1",
    changes="dx eval_dx",
    says="dx lacks the factor gamma.",
    instead="Start from dx_hat = gamma * dy. Test with a gamma that is not 1.",
)
class GammaForgotten(Formula):
    """The gradient of x_hat, handed on as that of y."""

    def x_hat_gradient(self, dy):
        return dy


@mistake(
    "gamma-twice",
    trap="T11",
    who="TinyTorch 09, text: gamma in front of a formula in dx_hat",
    changes="dx eval_dx",
    says="gamma was multiplied in twice: dx_hat contains it already.",
    instead="Either gamma outside with dy, or no gamma with dx_hat = gamma * dy.",
)
class GammaTwice(Formula):
    """gamma^2."""

    def x_hat_gradient(self, dy):
        return dy if self.gamma is None else self.line_up(self.gamma**2) * dy


@mistake("inv-std-forgotten", changes="dx eval_dx", says="dx lacks the factor inv_std.", instead=CORRECT)
class InvStdForgotten(Formula):
    """gamma * (dy - ...)."""

    def input_gradient(self, dy):
        return super().input_gradient(dy) / self.line_up(self.inv_std)

    def input_gradient_of_eval(self, dy):
        return self.x_hat_gradient(dy)


@mistake("inv-std-squared", changes="dx eval_dx", says="dx has inv_std twice.", instead=CORRECT)
class InvStdSquared(Formula):
    """inv_std^2."""

    def input_gradient(self, dy):
        return super().input_gradient(dy) * self.line_up(self.inv_std)

    def input_gradient_of_eval(self, dy):
        return super().input_gradient_of_eval(dy) * self.line_up(self.inv_std)


@mistake("std-for-inv-std", changes="dx eval_dx", instead=CORRECT,
         says="dx was multiplied by the standard deviation, not divided by it.")  # fmt: skip
class StdForInvStd(Formula):
    """std = 1 / inv_std."""

    def input_gradient(self, dy):
        return super().input_gradient(dy) / self.line_up(self.inv_std**2)

    def input_gradient_of_eval(self, dy):
        return super().input_gradient_of_eval(dy) / self.line_up(self.inv_std**2)


@mistake(
    "backward-without-eps",
    who="Chainer 1.24, in eval mode",
    changes="dx eval_dx",
    says="eps is missing in dx: it was divided by sqrt(var).",
    instead="Use the inv_std of the forward pass, 1 / sqrt(var + eps).",
)
class BackwardWithoutEps(Formula):
    """1 / sqrt(var) in front of dx."""

    def without_eps(self, dx):
        return dx * self.line_up(1 / np.sqrt(self.var) / self.inv_std)

    def input_gradient(self, dy):
        return self.without_eps(super().input_gradient(dy))

    def input_gradient_of_eval(self, dy):
        return self.without_eps(super().input_gradient_of_eval(dy))


@mistake(
    "x-for-x-hat",
    changes="dx",
    says="The term along x_hat was written with x - mean: x_hat's factor inv_std is missing in it, twice.",
    instead="Take x_hat * mean(dy * x_hat) away: " + CORRECT,
)
class XForXHat(Formula):
    """- (x - mean) * mean(dy * (x - mean))."""

    def through_variance(self, dx_hat):
        return super().through_variance(dx_hat) / self.line_up(self.inv_std**2)


@mistake("mean-of-everything", changes="dx", says="The mean of dy was taken over everything, channels included.",
         instead="mean(dy) is per channel, over the same axes as the mean of x.")  # fmt: skip
class MeanOfEverything(Formula):
    """dy.mean() without an axis."""

    def through_mean(self, dx_hat):
        return -self.line_up(self.inv_std) * dx_hat.mean() + np.zeros_like(dx_hat)


@mistake("ones-for-dy", changes="dx dgamma dbeta eval_dx eval_dgamma eval_dbeta",
         says="The gradient from above was ignored: everything was computed as if dy were 1.",
         instead="The chain rule: use dy wherever the derivative of y stands.")  # fmt: skip
class OnesForDy(Formula):
    """dy = 1."""

    def backward(self, dy):
        return super().backward(np.ones_like(dy))

    def evaluate_backward(self, dy):
        return super().evaluate_backward(np.ones_like(dy))


# ---- dgamma and dbeta

SCALE = "dgamma = sum(dy * x_hat), dbeta = sum(dy), over the batch and all positions."


@mistake("dgamma-dbeta-swapped", changes="dgamma dbeta eval_dgamma eval_dbeta",
         says="dgamma and dbeta are swapped.", instead=SCALE)  # fmt: skip
class DgammaDbetaSwapped(Formula):
    """(dx, dbeta, dgamma)."""

    def gamma_gradient(self, dy):
        return super().beta_gradient(dy)

    def beta_gradient(self, dy):
        return super().gamma_gradient(dy)


@mistake("dgamma-averaged", changes="dgamma dbeta eval_dgamma eval_dbeta",
         says="dgamma and dbeta are m times too small: they were averaged.", instead=SCALE)  # fmt: skip
class DgammaAveraged(Formula):
    """means for sums."""

    def gamma_gradient(self, dy):
        return super().gamma_gradient(dy) / self.m

    def beta_gradient(self, dy):
        return super().beta_gradient(dy) / self.m


@mistake("dgamma-averaged-over-the-batch", changes="dgamma dbeta eval_dgamma eval_dbeta", shows="image",
         says="dgamma and dbeta were averaged over the batch: they are N times too small.", instead=SCALE)  # fmt: skip
class DgammaAveragedOverTheBatch(Formula):
    """sum over positions, mean over samples."""

    def gamma_gradient(self, dy):
        return super().gamma_gradient(dy) / len(dy)

    def beta_gradient(self, dy):
        return super().beta_gradient(dy) / len(dy)


@mistake("dgamma-with-x", changes="dgamma eval_dgamma", says="dgamma was summed with x, not with x_hat.",
         instead=SCALE)  # fmt: skip
class DgammaWithX(Formula):
    """sum(dy * x)."""

    def gamma_gradient(self, dy):
        return self.total(dy * self.x)


@mistake("dgamma-with-centred", changes="dgamma eval_dgamma",
         says="dgamma was summed with x - mean: the factor inv_std is missing.", instead=SCALE)  # fmt: skip
class DgammaWithCentred(Formula):
    """sum(dy * (x - mean))."""

    def gamma_gradient(self, dy):
        return self.total(dy * self.centred)


@mistake("dgamma-with-y", changes="dgamma eval_dgamma", says="dgamma was summed with y, not with x_hat.",
         instead=SCALE)  # fmt: skip
class DgammaWithY(Formula):
    """sum(dy * y)."""

    def gamma_gradient(self, dy):
        return self.total(dy * self.scale_and_shift(self.x_hat))


@mistake("dgamma-with-gamma", changes="dgamma eval_dgamma", says="dgamma contains gamma: it was summed with dx_hat.",
         instead="dgamma comes from dy, before gamma is multiplied in: " + SCALE)  # fmt: skip
class DgammaWithGamma(Formula):
    """sum(gamma * dy * x_hat)."""

    def gamma_gradient(self, dy):
        return self.total(self.x_hat_gradient(dy) * self.x_hat)


@mistake("dbeta-with-gamma", changes="dbeta eval_dbeta", says="dbeta contains gamma: dx_hat was summed.",
         instead=SCALE)  # fmt: skip
class DbetaWithGamma(Formula):
    """sum(gamma * dy)."""

    def beta_gradient(self, dy):
        return self.total(self.x_hat_gradient(dy))
