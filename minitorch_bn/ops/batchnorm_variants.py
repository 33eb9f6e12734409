"""BatchNorm said in other ways: the same gradient in stages and as a graph, and other conventions of the variance.

ops/batchnorm.py has the gradient in closed form. The forms here are what it is derived from, and what other courses and
libraries compute. A layer picks one with `backward_mode` and `convention`; see nn/batchnorm_variants.py.
"""

import numpy as np

from ..engine import apply
from .arithmetic import add, mul, sub
from .batchnorm import BatchNorm, FixedBatchNorm, channel_layout
from .division import div
from .elementwise import sqrt
from .reduction import sum as sum_over
from .shape import reshape


class StagedBatchNorm(BatchNorm):
    """BatchNorm with its backward in the paper's stages: d x_hat, d var, d mean, and the three ways from x to y.

    With i over the m values of a channel:

        dx_hat = dy * gamma
        dvar   = sum_i dx_hat * (x - mean) * (-1/2) * (var + eps)**(-3/2)
        dmean  = sum_i dx_hat * -inv_std  +  dvar * sum_i -2 * (x - mean) / m
        dx     = dx_hat * inv_std  +  dvar * 2 * (x - mean) / m  +  dmean / m

    The second term of dmean is 0 up to rounding, because deviations from a mean sum to 0; the paper keeps it, and so
    does this. The closed form follows by putting dvar and dmean into dx.

    Source: Ioffe & Szegedy 2015, section 3, the equations after algorithm 1.
    """

    def forward(self, x, gamma, beta):
        y = super().forward(x, gamma, beta)
        self.centred = x - self.mean.reshape(self.shape)
        return y

    def backward(self, dy):
        axes, m, shape = self.axes, self.m, self.shape
        inv_std = self.inv_std.reshape(shape)

        dbeta = dy.sum(axes)
        dgamma = (dy * self.x_hat).sum(axes)
        dx_hat = dy if self.gamma is None else dy * self.gamma.reshape(shape)

        dvar = (dx_hat * self.centred).sum(axes) * -0.5 * self.inv_std**3
        dmean = (dx_hat * -inv_std).sum(axes) + dvar * (-2 * self.centred).sum(axes) / m

        direct = dx_hat * inv_std
        through_var = dvar.reshape(shape) * 2 * self.centred / m
        through_mean = dmean.reshape(shape) / m
        return direct + through_var + through_mean, dgamma, dbeta


class OtherBatchNorm(BatchNorm):
    """Normalise with the statistics of this batch under another convention of variance and eps.

        var = sum((x - mean)**2) / (m - correction)         std = sqrt(var + eps)  or  sqrt(var) + eps
        x_hat = (x - mean) / std                            y = gamma * x_hat + beta

    Backward: std moves with x by d std / d x_i = x_hat_i * share, where

        share = 1 / (m - correction)                with eps inside the root,
        share = std / ((m - correction) * sqrt(var))      with eps outside,

    so that the closed form keeps its shape and only the last term's weight changes, from 1 / m to share:

        dx = gamma / std * (dy - mean(dy) - x_hat * share * sum(dy * x_hat))

    Attributes are those of BatchNorm; `var` stays the biased variance, which every convention can be computed from.
    """

    def __init__(self, eps=1e-5, correction=0, eps_inside=True):
        super().__init__(eps)
        self.correction, self.eps_inside = correction, eps_inside

    def forward(self, x, gamma, beta):
        self.axes, self.m, self.shape = channel_layout(x)
        self.gamma = gamma

        self.mean = x.sum(self.axes) / self.m
        centred = x - self.mean.reshape(self.shape)
        squares = (centred * centred).sum(self.axes)
        self.var = squares / self.m
        var = squares / (self.m - self.correction)
        std = np.sqrt(var + self.eps) if self.eps_inside else np.sqrt(var) + self.eps
        self.share = 1 / (self.m - self.correction) * (1 if self.eps_inside else std / np.sqrt(var))
        self.inv_std = 1 / std
        self.x_hat = centred * self.inv_std.reshape(self.shape)

        y = self.x_hat if gamma is None else gamma.reshape(self.shape) * self.x_hat
        return y if beta is None else y + beta.reshape(self.shape)

    def backward(self, dy):
        dbeta = dy.sum(self.axes)
        dgamma = (dy * self.x_hat).sum(self.axes)
        scale = self.inv_std if self.gamma is None else self.gamma * self.inv_std
        kept = dy - (dbeta / self.m).reshape(self.shape) - self.x_hat * (dgamma * self.share).reshape(self.shape)
        return scale.reshape(self.shape) * kept, dgamma, dbeta


def batch_norm_as_graph(input, weight, bias, eps=1e-5, correction=0, eps_inside=True):
    """BatchNorm in train mode composed of small ops, so that the engine finds the gradient by itself.

    Returns
    -------
    y : Tensor of shape (N, C, *S)
    mean, var : Tensor of shape (C,)
        Of the batch; var is the biased one. Both are part of the graph: detach them before they are averaged.
    """
    axes, m, shape = channel_layout(input.array)
    mean = div(sum_over(input, axes), m)
    centred = sub(input, reshape(mean, shape))
    squares = sum_over(mul(centred, centred), axes)
    var = div(squares, m - correction)
    std = sqrt(add(var, eps)) if eps_inside else add(sqrt(var), eps)
    y = div(centred, reshape(std, shape))
    if weight is not None:
        y = mul(y, reshape(weight, shape))
    if bias is not None:
        y = add(y, reshape(bias, shape))
    return y, mean, var if correction == 0 else div(squares, m)


def batch_norm_paths(x, gamma, dy, eps=1e-5):
    """The three parts of dx: what goes straight from y to x, what goes through the mean, what through the variance.

    Arrays in, arrays out: x and dy of shape (N, C, *S), gamma of shape (C,) or None. The parts sum to dx:

        direct = gamma * inv_std * dy
        mean   = -gamma * inv_std * mean(dy)                       constant along a channel
        var    = -gamma * inv_std * x_hat * mean(dy * x_hat)       a multiple of x_hat

    Returns
    -------
    direct, through_mean, through_var, x_hat : arrays of x's shape
    """
    op = BatchNorm(eps)
    op.forward(x, gamma, None)
    scale = op.inv_std if gamma is None else gamma * op.inv_std
    dbeta, dgamma = dy.sum(op.axes), (dy * op.x_hat).sum(op.axes)
    direct = scale.reshape(op.shape) * dy
    through_mean = -(scale * dbeta / op.m).reshape(op.shape) * np.ones_like(dy)
    through_var = -(scale * dgamma / op.m).reshape(op.shape) * op.x_hat
    return direct, through_mean, through_var, op.x_hat


def fixed_batch_norm(input, mean, std, weight, bias):
    """Normalise with a given mean and divisor: eval mode under a convention that is not PyTorch's.

    mean and std are arrays of shape (C,); std is all that x - mean is divided by, eps included.
    """
    return apply(FixedBatchNorm(mean, std * std, 0), input, weight, bias)
