"""Mistakes in the running statistics, in eval mode, in folding and on several devices; train mode's y, dx are right."""

import numpy as np

from .formula import Formula
from .mistake import into

RUNNING = []
mistake = into(RUNNING, "running")

UNBIASED = "Store var * m / (m - 1): normalise with the biased variance, average the unbiased one."
BLEND = "running = (1 - momentum) * running + momentum * batch: PyTorch's momentum is the weight of the new value."


# ---- what is stored


@mistake(
    "biased-running-variance",
    trap="T2",
    who="PyDyNet, TinyTorch, CS231n, d2l, numpy-ml, labml, flax, pureml, mangograd",
    changes="running_var",
    says="The biased variance was stored: the batch's part of running_var is (m - 1) / m of PyTorch's.",
    instead=UNBIASED,
)
class BiasedRunningVariance(Formula):
    """One variance for both jobs."""

    def stored_variance(self):
        return self.var


@mistake(
    "running-variance-corrected-twice",
    changes="running_var",
    says="The factor m / (m - 1) was applied twice to the running variance.",
    instead=UNBIASED,
)
class RunningVarianceCorrectedTwice(Formula):
    """The unbiased variance, made unbiased."""

    def stored_variance(self):
        return super().stored_variance() * (self.m / (self.m - 1))


@mistake(
    "running-variance-corrected-with-n",
    who="BatchNorm1d's code applied to images",
    changes="running_var",
    shows="image",
    says="The running variance was corrected with N / (N - 1), N the batch size.",
    instead="m = N * H * W values share one variance: correct with m / (m - 1).",
)
class RunningVarianceCorrectedWithN(Formula):
    """N / (N - 1)."""

    def stored_variance(self):
        return self.var * (len(self.x) / (len(self.x) - 1))


@mistake(
    "running-std-averaged",
    trap="T7",
    who="makemore 3, first version",
    changes="running_var",
    says="The standard deviations were averaged, not the variances.",
    instead="Average variances; take the root when normalising.",
)
class RunningStdAveraged(Formula):
    """(average of std)^2, which is smaller than the average of variances."""

    def update(self, running_mean, running_var, batches=0):
        weight = self.weight_of_new(batches)
        std = self.blend(np.sqrt(running_var), np.sqrt(self.stored_variance()), weight)
        return self.blend(running_mean, self.stored_mean(), weight), std * std


@mistake(
    "std-in-running-variance",
    changes="running_var",
    says="The batch's standard deviation went into running_var, in place of its variance.",
    instead="Store the variance; take the root when normalising.",
)
class StdInRunningVariance(Formula):
    """std where var is meant."""

    def stored_variance(self):
        return np.sqrt(super().stored_variance())


@mistake(
    "eps-in-running-variance",
    changes="running_var",
    says="eps was stored with the variance.",
    instead="eps is added when normalising, every time; the running variance is without it.",
)
class EpsInRunningVariance(Formula):
    """var + eps."""

    def stored_variance(self):
        return super().stored_variance() + self.eps


@mistake(
    "variance-around-the-running-mean",
    changes="running_var",
    says="The stored variance was measured from the running mean, not from the batch's mean.",
    instead="Take the batch's own mean away before squaring.",
)
class VarianceAroundTheRunningMean(Formula):
    """sum((x - running_mean)^2) / (m - 1)."""

    def update(self, running_mean, running_var, batches=0):
        weight = self.weight_of_new(batches)
        squares = self.total((self.x - self.line_up(running_mean)) ** 2) / (self.m - 1)
        return self.blend(running_mean, self.stored_mean(), weight), self.blend(running_var, squares, weight)


@mistake(
    "statistics-of-the-output",
    changes="running_mean running_var",
    says="The running statistics are those of y, not of x.",
    instead="Store the mean and variance of what goes in.",
)
class StatisticsOfTheOutput(Formula):
    """The mean and variance of y."""

    def stored_mean(self):
        return self.mean_of(self.scale_and_shift(self.x_hat))

    def stored_variance(self):
        y = self.scale_and_shift(self.x_hat)
        return self.total((y - self.line_up(self.mean_of(y))) ** 2) / (self.m - 1)


# ---- how it is averaged


@mistake(
    "momentum-reversed",
    trap="T1",
    who="CS231n, Chainer, DeZero, numpy-ml, Keras, flax, d2l-jax: momentum is what is kept",
    changes="running_mean running_var",
    says="Momentum was taken as the weight of the old value.",
    instead=BLEND,
)
class MomentumReversed(Formula):
    """momentum * running + (1 - momentum) * batch."""

    def blend(self, running, new, weight):
        return weight * running + (1 - weight) * new


@mistake("running-statistics-not-moved", changes="running_mean running_var",
         says="The running statistics did not move.", instead=BLEND)  # fmt: skip
class RunningStatisticsNotMoved(Formula):
    """running = running."""

    def blend(self, running, new, weight):
        return running


@mistake("last-batch-only", changes="running_mean running_var",
         says="The running statistics are those of the last batch alone.", instead=BLEND)  # fmt: skip
class LastBatchOnly(Formula):
    """running = batch."""

    def blend(self, running, new, weight):
        return new


@mistake("batch-added-on-top", changes="running_mean running_var",
         says="momentum * batch was added, but nothing was taken away from the old value.", instead=BLEND)  # fmt: skip
class BatchAddedOnTop(Formula):
    """running + momentum * batch."""

    def blend(self, running, new, weight):
        return running + weight * new


@mistake("running-mean-and-variance-swapped", changes="running_mean running_var",
         says="The batch's mean went into running_var and its variance into running_mean.",
         instead="running_mean averages means, running_var variances.")  # fmt: skip
class RunningMeanAndVarianceSwapped(Formula):
    """Each where the other belongs."""

    def stored_mean(self):
        return super().stored_variance()

    def stored_variance(self):
        return super().stored_mean()


@mistake(
    "running-variance-starts-at-0",
    trap="T8",
    who="CS231n",
    changes="start_var running_var",
    says="running_var started at 0.",
    instead="It starts at 1: before the first batch, eval mode should change nothing.",
)
class RunningVarianceStartsAt0(Formula):
    """zeros for ones."""

    def start(self, channels, dtype=float):
        return np.zeros(channels, dtype), np.zeros(channels, dtype)


@mistake("running-mean-starts-at-1", changes="start_mean running_mean", says="running_mean started at 1.",
         instead="It starts at 0, and the variance at 1.")  # fmt: skip
class RunningMeanStartsAt1(Formula):
    """ones for zeros."""

    def start(self, channels, dtype=float):
        return np.ones(channels, dtype), np.ones(channels, dtype)


# ---- momentum None


@mistake(
    "momentum-none-as-0.1",
    changes="running_mean running_var",
    shows="cumulative",
    says="A momentum of None was read as 0.1.",
    instead="None averages all batches alike: the weight of batch k is 1 / k.",
)
class MomentumNoneAsTenth(Formula):
    """The default in place of the cumulative average."""

    def weight_of_new(self, batches):
        return 0.1 if self.momentum is None else self.momentum


@mistake(
    "momentum-none-one-late",
    changes="running_mean running_var",
    shows="cumulative",
    says="With momentum None, the weight of the new batch was 1 / (batches before it).",
    instead="Count the new batch first: its weight is 1 / (batches with it).",
)
class MomentumNoneOneLate(Formula):
    """1 / batches."""

    def weight_of_new(self, batches):
        return 1 / max(1, batches) if self.momentum is None else self.momentum


@mistake(
    "pooled-variance",
    trap="T16",
    who="the expectation that momentum=None gives the population's statistics",
    changes="running_var",
    shows="cumulative",
    says="The running variance is that of all batches together: the spread of the batches' means is in it.",
    instead="PyTorch's momentum=None is the mean of the unbiased variances of the batches, no more.",
)
class PooledVariance(Formula):
    """The law of total variance, one batch at a time."""

    def update(self, running_mean, running_var, batches=0):
        mean, var = super().update(running_mean, running_var, batches)
        if self.momentum is None:
            weight = self.weight_of_new(batches)
            var = var + weight * (1 - weight) * (self.mean - running_mean) ** 2
        return mean, var


# ---- eval mode

mistake = into(RUNNING, "eval")

FIXED = "In eval mode the statistics are numbers that x does not move: dx = gamma * inv_std * dy."
RUNNING_ONES = "x_hat = (x - running_mean) / sqrt(running_var + eps)."


@mistake(
    "training-formula-in-eval",
    trap="T9",
    who="one backward for both modes",
    changes="eval_dx",
    says="The training formula was used in eval mode: dy lost its mean and its part along x_hat.",
    instead=FIXED,
)
class TrainingFormulaInEval(Formula):
    """Three paths where there is one."""

    def input_gradient_of_eval(self, dy):
        return self.input_gradient(dy)


@mistake("zero-dx-in-eval", trap="T9", who="numpy-ml, d2l, DeZero: no gradient at all in eval mode", changes="eval_dx",
         says="No gradient came through in eval mode.", instead=FIXED)  # fmt: skip
class ZeroDxInEval(Formula):
    """Frozen layers still hand gradients on."""

    def input_gradient_of_eval(self, dy):
        return np.zeros_like(dy)


@mistake(
    "batch-statistics-in-eval",
    who="a train flag that did not arrive; running statistics that are not used",
    changes="eval_y eval_dx eval_dgamma",
    says="Eval mode normalised with the statistics of the batch, not with the running ones.",
    instead=RUNNING_ONES,
)
class BatchStatisticsInEval(Formula):
    """Train mode, called eval."""

    def statistics_of_eval(self, running_mean, running_var):
        self.mean = self.mean_of(self.x)
        return self.mean, self.variance(self.centre(self.x))

    def input_gradient_of_eval(self, dy):
        return self.input_gradient(dy)


@mistake(
    "eval-without-eps",
    who="torchvision #2169: FrozenBatchNorm2d",
    changes="eval_y eval_dx eval_dgamma fold_weight fold_bias",
    says="eps was left out in eval mode.",
    instead=RUNNING_ONES,
)
class EvalWithoutEps(Formula):
    """1 / sqrt(running_var)."""

    def inverse_std_of_eval(self, var):
        return 1 / np.sqrt(var)


@mistake(
    "variance-corrected-in-eval",
    who="the paper's algorithm 2 on top of PyTorch's running_var",
    changes="eval_y eval_dx eval_dgamma",
    says="running_var was multiplied by m / (m - 1) in eval mode.",
    instead="PyTorch's running_var is unbiased already: use it as it is.",
)
class VarianceCorrectedInEval(Formula):
    """Unbiased twice."""

    def statistics_of_eval(self, running_mean, running_var):
        return running_mean, running_var * (self.m / (self.m - 1))


@mistake(
    "running-variance-taken-for-std",
    changes="eval_y eval_dx eval_dgamma fold_weight fold_bias",
    says="Eval mode divided by the running variance: the root is missing.",
    instead=RUNNING_ONES,
)
class RunningVarianceTakenForStd(Formula):
    """1 / (running_var + eps)."""

    def inverse_std_of_eval(self, var):
        return 1 / (var + self.eps)


@mistake("running-mean-forgotten", changes="eval_y eval_dgamma", says="Eval mode did not take the running mean away.",
         instead=RUNNING_ONES)  # fmt: skip
class RunningMeanForgotten(Formula):
    """x / sqrt(running_var + eps)."""

    def statistics_of_eval(self, running_mean, running_var):
        return running_mean * 0, running_var


@mistake("gamma-forgotten-in-eval", changes="eval_dx", says="dx in eval mode lacks the factor gamma.",
         instead=FIXED)  # fmt: skip
class GammaForgottenInEval(Formula):
    """inv_std * dy."""

    def input_gradient_of_eval(self, dy):
        return self.direct(dy)


@mistake("dgamma-of-train-mode-in-eval", changes="eval_dgamma",
         says="dgamma in eval mode was summed with the batch's own x_hat.",
         instead="dgamma = sum(dy * x_hat) with the x_hat that was used, from the running statistics.")  # fmt: skip
class DgammaOfTrainModeInEval(Formula):
    """x_hat from the statistics of the batch."""

    def evaluate_backward(self, dy):
        of_batch = Formula(self.eps)
        of_batch.normalise(self.x)
        return self.input_gradient_of_eval(dy), of_batch.gamma_gradient(dy), self.beta_gradient(dy)


# ---- folding into the layer in front, and several devices

SHIFT = "bias' = (bias - running_mean) * gamma * inv_std + beta."


@mistake(
    "fold-does-not-scale-the-bias",
    trap="T22",
    who="ultralytics/yolov3 #807, XiaoMi/mace #262",
    changes="fold_bias",
    says="The bias of the layer in front was added without being scaled.",
    instead=SHIFT,
)
class FoldDoesNotScaleTheBias(Formula):
    """bias + beta - running_mean * factor."""

    def fold(self, weight, bias, gamma, beta, running_mean, running_var):
        folded, shift = super().fold(weight, bias * 0, gamma, beta, running_mean, running_var)
        return folded, bias + shift


@mistake("fold-drops-the-bias", changes="fold_bias", says="The bias of the layer in front was dropped.",
         instead=SHIFT)  # fmt: skip
class FoldDropsTheBias(Formula):
    """beta - running_mean * factor."""

    def fold(self, weight, bias, gamma, beta, running_mean, running_var):
        return super().fold(weight, bias * 0, gamma, beta, running_mean, running_var)


@mistake("fold-forgets-the-mean", changes="fold_bias", says="The running mean was not folded in.", instead=SHIFT)
class FoldForgetsTheMean(Formula):
    """bias * factor + beta."""

    def fold(self, weight, bias, gamma, beta, running_mean, running_var):
        return super().fold(weight, bias, gamma, beta, running_mean * 0, running_var)


@mistake(
    "mean-of-local-variances",
    trap="T23",
    who="hand-written SyncBatchNorm",
    changes="sync_var",
    says="The variance over all devices was taken as the mean of the devices' variances.",
    instead="Add the variance of the devices' means: total = within + between.",
)
class MeanOfLocalVariances(Formula):
    """within, without between."""

    def combine_statistics(self, means, variances, shares):
        mean, _ = super().combine_statistics(means, variances, shares)
        return mean, sum(share * part for share, part in zip(shares, variances, strict=True))


@mistake(
    "devices-weighted-alike",
    changes="sync_mean sync_var",
    says="Every device counted alike, though they hold different numbers of values.",
    instead="Weight each device with its share of the values.",
)
class DevicesWeightedAlike(Formula):
    """1 / devices."""

    def combine_statistics(self, means, variances, shares):
        return super().combine_statistics(means, variances, np.full_like(shares, 1 / len(shares)))
