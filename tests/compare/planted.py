"""Layers, losses and optimisers with a mistake planted in them: copies of the package's, each wrong in one place."""

import numpy as np

import minitorch_bn as mt
from minitorch_bn.engine import Op, apply
from minitorch_bn.nn import BatchNorm1d, BatchNorm2d, Conv2d, Embedding, Linear
from minitorch_bn.nn import functional as F
from minitorch_bn.ops import batchnorm


class Spoil(Op):
    """y = x, but the gradient is changed on the way back: dx = change(dy)."""

    def __init__(self, change):
        self.change = change

    def forward(self, x):
        return x.copy()

    def backward(self, dy):
        return (self.change(dy),)


def spoilt(tensor, change):
    """`tensor`, whose gradient will be changed."""
    return apply(Spoil(change), tensor)


# ---- BatchNorm


class Op1(batchnorm.BatchNorm):
    """BatchNorm's op, whose parts of dx can be dropped."""

    keep_mean, keep_projection, keep_gamma = True, True, True

    def backward(self, dy):
        _, dgamma, dbeta = super().backward(dy)
        kept = dy
        if self.keep_mean:
            kept = kept - (dbeta / self.m).reshape(self.shape)
        if self.keep_projection:
            kept = kept - self.x_hat * (dgamma / self.m).reshape(self.shape)
        scale = self.gamma * self.inv_std if self.keep_gamma else self.inv_std
        return scale.reshape(self.shape) * kept, dgamma, dbeta


class NoProjection(Op1):
    keep_projection = False


class NoMean(Op1):
    keep_mean = False


class Constants(Op1):
    keep_mean = keep_projection = False


class NoGammaInDx(Op1):
    keep_gamma = False


class MeanOfDgamma(batchnorm.BatchNorm):
    def backward(self, dy):
        dx, dgamma, dbeta = super().backward(dy)
        return dx, dgamma / self.m, dbeta


class SwappedGradients(batchnorm.BatchNorm):
    def backward(self, dy):
        dx, dgamma, dbeta = super().backward(dy)
        return dx, dbeta, dgamma


class NegativeDx(batchnorm.BatchNorm):
    def backward(self, dy):
        dx, dgamma, dbeta = super().backward(dy)
        return -dx, dgamma, dbeta


class UnbiasedForward(batchnorm.BatchNorm):
    def forward(self, x, gamma, beta):
        super().forward(x, gamma, beta)
        self.inv_std = 1 / np.sqrt(self.var * (self.m / (self.m - 1)) + self.eps)
        self.x_hat = (x - self.mean.reshape(self.shape)) * self.inv_std.reshape(self.shape)
        return gamma.reshape(self.shape) * self.x_hat + beta.reshape(self.shape)


class EpsOutside(batchnorm.BatchNorm):
    def forward(self, x, gamma, beta):
        super().forward(x, gamma, beta)
        self.inv_std = 1 / (np.sqrt(self.var) + self.eps)
        self.x_hat = (x - self.mean.reshape(self.shape)) * self.inv_std.reshape(self.shape)
        return gamma.reshape(self.shape) * self.x_hat + beta.reshape(self.shape)


class NoGamma(batchnorm.BatchNorm):
    def forward(self, x, gamma, beta):
        super().forward(x, gamma, beta)
        return self.x_hat + beta.reshape(self.shape)


class Planted:
    """A BatchNorm in train mode with an op of its own, and its own average; the second half of a layer class."""

    op = batchnorm.BatchNorm

    def forward(self, input):
        op = self.op(self.eps)
        y = apply(op, input, self.weight, self.bias)
        with mt.no_grad():
            self.average(mt.tensor(op.mean), mt.tensor(op.var), op.m)
        self.num_batches_tracked.add_(1)
        return y

    def average(self, mean, var, m):
        """Move the running statistics, as PyTorch does."""
        new = self.momentum
        self.running_mean.mul_(1 - new).add_(mean, alpha=new)
        self.running_var.mul_(1 - new).add_(var * (m / (m - 1)), alpha=new)


class BiasedRunningVariance(Planted):
    def average(self, mean, var, m):
        super().average(mean, var * ((m - 1) / m), m)


class MomentumReversed(Planted):
    def average(self, mean, var, m):
        self.momentum = 1 - self.momentum
        super().average(mean, var, m)
        self.momentum = 1 - self.momentum


class NoAverage(Planted):
    def average(self, mean, var, m):
        pass


def with_op(op):
    """A Planted with this op."""
    return type(op.__name__, (Planted,), {"op": op})


# what is planted: (words of the guess, tensor that must be named); "bn1 input" stands for the tensor that bn1 takes
BATCHNORM = {
    "biased running variance": (BiasedRunningVariance, "biased", "bn1.running_var"),
    "momentum reversed": (MomentumReversed, "momentum|old", "bn1.running_mean"),
    "no average": (NoAverage, "did not move", "bn1.running_mean"),
    "n - 1 in the forward": (with_op(UnbiasedForward), "unbiased", "bn1 output"),
    "eps outside": (with_op(EpsOutside), "eps", "bn1 output"),
    "no gamma": (with_op(NoGamma), "gamma", "bn1 output"),
    "no projection": (with_op(NoProjection), "variance|x_hat", "gradient of bn1 input"),
    "no mean": (with_op(NoMean), "mean", "gradient of bn1 input"),
    "statistics as constants": (with_op(Constants), "constant", "gradient of bn1 input"),
    "no gamma in dx": (with_op(NoGammaInDx), "gamma", "gradient of bn1 input"),
    "dx negative": (with_op(NegativeDx), "sign", "gradient of bn1 input"),
    "dgamma averaged": (with_op(MeanOfDgamma), "averaged", "gradient of bn1.weight"),
    "dgamma and dbeta swapped": (with_op(SwappedGradients), "swapped|exchanged", "gradient of bn1.weight"),
}


def batch_norm(mixin, base):
    """The planted layer as a subclass of BatchNorm1d or BatchNorm2d."""
    return type(f"{mixin.__name__}{base.__name__}", (mixin, base), {})


BASES = {1: BatchNorm1d, 2: BatchNorm2d}


# ---- Linear: fc2 of the names network, which is square


class TransposedGradient(Linear):
    def forward(self, input):
        return F.linear(input, spoilt(self.weight, lambda dW: dW.T), self.bias)


class NoBiasGradient(Linear):
    def forward(self, input):
        return F.linear(input, self.weight, self.bias.detach())


class MeanBiasGradient(Linear):
    def forward(self, input):
        n = input.shape[0]
        return F.linear(input, self.weight, spoilt(self.bias, lambda db: db / n))


class NotTransposed(Linear):
    def forward(self, input):
        return input @ self.weight + self.bias


class NoBias(Linear):
    def forward(self, input):
        return F.linear(input, self.weight)


class BiasTwice(Linear):
    def forward(self, input):
        return F.linear(input, self.weight, self.bias) + self.bias


class WrongDx(Linear):
    def forward(self, input):
        arrived = []  # dy, on its way back

        def keep(dy):
            arrived.append(dy)
            return dy

        y = F.linear(spoilt(input, lambda dx: arrived[0] @ self.weight.array.T), self.weight, self.bias)
        return spoilt(y, keep)


LINEAR = {
    "transposed weight gradient": (TransposedGradient, "transposed", "gradient of fc2.weight"),
    "no bias gradient": (NoBiasGradient, "no gradient reached fc2.bias", "gradient of fc2.bias"),
    "mean of the bias gradient": (MeanBiasGradient, "1/16 of PyTorch's.*batch size", "gradient of fc2.bias"),
    "weight not transposed": (NotTransposed, "x @ weight where", "fc2 output"),
    "bias missing": (NoBias, "without the bias", "fc2 output"),
    "bias twice": (BiasTwice, "bias added twice", "fc2 output"),
    "dx with the transposed weight": (WrongDx, r"dy @ weight\.T where", "gradient of fc2 input"),
}


# ---- Conv2d: conv1 of the convnet, 3 x 3


class FlippedGradient(Conv2d):
    def forward(self, input):
        turned = spoilt(self.weight, lambda dW: dW[:, :, ::-1, ::-1].copy())
        return F.conv2d(input, turned, self.bias, self.stride, self.padding)


class SwappedAxesGradient(Conv2d):
    def forward(self, input):
        swapped = spoilt(self.weight, lambda dW: dW.swapaxes(2, 3).copy())
        return F.conv2d(input, swapped, self.bias, self.stride, self.padding)


class NoConvBias(Conv2d):
    def forward(self, input):
        return F.conv2d(input, self.weight, None, self.stride, self.padding)


class MeanConvGradient(Conv2d):
    def forward(self, input):
        n = input.shape[0]
        return F.conv2d(input, spoilt(self.weight, lambda dW: dW / n), self.bias, self.stride, self.padding)


CONV = {
    "weight gradient flipped": (FlippedGradient, "turned round", "gradient of conv1.weight"),
    "weight gradient with swapped axes": (
        SwappedAxesGradient,
        r"axes in the order \(0, 1, 3, 2\)",
        "gradient of conv1.weight",
    ),
    "bias missing": (NoConvBias, "without the bias", "conv1 output"),
    "mean over the batch": (MeanConvGradient, "1/6 of PyTorch's.*batch size", "gradient of conv1.weight"),
}


# ---- Embedding


class LastWins(Embedding):
    """The gradient of a row that is looked up twice is overwritten, not added to."""

    def forward(self, input):
        table = self.weight
        rows = table.array[input.array]

        class Lookup(Op):
            def forward(self, weight):
                return rows

            def backward(self, dy):
                dW = np.zeros_like(table.array)
                dW[input.array] = dy
                return (dW,)

        return apply(Lookup(), table)


# ---- losses, a pair with PyTorch's right one


def summed(output, target):
    return F.cross_entropy(output, target, reduction="sum")


def negative(output, target):
    return -F.cross_entropy(output, target)


def gradient_of_sum(output, target):
    return F.cross_entropy(spoilt(output, lambda dy: dy * len(dy)), target)


LOSSES = {
    "sum": (summed, r"16 times PyTorch's.*batch size.*a sum where PyTorch has a mean", "loss"),
    "sign": (negative, "sign is reversed", "loss"),
    "gradient of the sum": (gradient_of_sum, "16 times PyTorch's", "gradient of fc3 output"),
}


# ---- SGD with momentum and weight decay


class Uphill(mt.optim.SGD):
    def update(self, group):
        super().update({**group, "lr": -group["lr"]})


class Twice(mt.optim.SGD):
    def update(self, group):
        super().update({**group, "lr": 2 * group["lr"]})


class NoDecay(mt.optim.SGD):
    def update(self, group):
        super().update({**group, "weight_decay": 0})


class NoStep(mt.optim.SGD):
    def update(self, group):
        pass


SETTINGS = {"lr": 0.1, "weight_decay": 0.01}
OPTIMISERS = {
    "uphill": (Uphill, "uphill"),
    "twice": (Twice, "twice"),
    "no weight decay": (NoDecay, "weight decay"),
    "no step": (NoStep, "not moved"),
}
