"""Folding: a BatchNorm in eval mode, right after a convolution or a linear layer, is part of that layer.

In eval mode the statistics are given numbers, so BatchNorm is one multiplication and one addition per channel:

    y = gamma * (x - mean) / sqrt(var + eps) + beta        with x = W z + b, the layer's output for its input z

Put x in, and sort by z:

    scale = gamma / sqrt(var + eps)        y = (scale * W) z  +  scale * (b - mean) + beta

So W' = scale * W, filter by filter, and b' = scale * (b - mean) + beta. The classic mistake is to forget that the
layer's own bias is scaled too; layers before a BatchNorm mostly have none, which hides it.

In train mode the statistics depend on the batch, and nothing can be folded.

Source: PyTorch documentation of fuse_conv_bn_eval; Jacob et al. 2018, section 3.2, equation 14.
"""

import copy
import math
from typing import NamedTuple

from ...engine import no_grad
from ..parameter import Parameter


def fuse_conv_bn_eval(conv, bn, transpose=False, *, check=None):
    """A new convolution that does what `conv` followed by `bn` does. Both stay as they are.

    Parameters
    ----------
    conv : Conv2d
        In eval mode, with or without bias.
    bn : BatchNorm2d or any BatchNorm, or an InstanceNorm
        In eval mode, with running statistics; weight and bias may be missing.
    transpose : bool
        Whether the filters lie along dimension 1 of the weight, as in transposed convolutions.
    check : Tensor, optional
        An input: print by how much the two ways differ on it at most, relative to the output's range.

    Returns
    -------
    A module of conv's type, in eval mode, with a bias.

    Raises
    ------
    AssertionError
        If a module is in train mode, or `bn` has no running statistics.
    AttributeError
        If `bn` is of a kind that never has any, such as GroupNorm.
    RuntimeError
        If `bn` is for another number of channels than `conv` puts out.
    """
    mean, var, eps = _statistics("fuse_conv_bn_eval", conv, bn)
    channels = conv.weight.shape[1 if transpose else 0]
    if bn.num_features not in (channels, 1):  # one feature for all channels is PyTorch's, too
        raise RuntimeError(
            f"fuse_conv_bn_eval: expected a {type(bn).__name__} of {channels} features, as many as the "
            f"{type(conv).__name__} puts out, got {bn.num_features}"
        )
    fused = copy.deepcopy(conv)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        conv.weight, conv.bias, mean, var, eps, bn.weight, bn.bias, transpose
    )
    if check is not None:
        print(f"fuse_conv_bn_eval: {difference(conv, bn, fused, check)}")
    return fused


@no_grad()
def fuse_conv_bn_weights(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, transpose=False):
    """Weight and bias of a convolution with a BatchNorm folded in.

    Parameters
    ----------
    conv_w : Tensor of shape (O, C / groups, *K), or (C, O, *K) if transposed
    conv_b : Tensor of shape (O,) or None
    bn_rm, bn_rv : Tensor of shape (O,)
        Running mean and variance.
    bn_eps : float
    bn_w, bn_b : Tensor of shape (O,) or None
        gamma and beta.
    transpose : bool

    Returns
    -------
    weight : Parameter of conv_w's shape
    bias : Parameter of shape (O,)
        They require grad as conv_w and conv_b do; without conv_b the bias does not.
    """
    scale, bias = _scale_and_bias(conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)
    along = [1] * conv_w.ndim
    along[1 if transpose else 0] = -1
    return _parameters(conv_w * scale.reshape(along), conv_w, bias, conv_b)


def fuse_linear_bn_eval(linear, bn, *, check=None):
    """A new linear layer that does what `linear` followed by `bn` does. Both stay as they are.

    Parameters
    ----------
    linear : Linear
        In eval mode, with or without bias.
    bn : BatchNorm1d or any BatchNorm
        In eval mode, with running statistics, for as many features as `linear` puts out, or for one.
    check : Tensor, optional
        An input: print by how much the two ways differ on it at most, relative to the output's range.

    Returns
    -------
    A module of linear's type, in eval mode, with a bias.

    Raises
    ------
    AssertionError
        If a module is in train mode, `bn` has no running statistics, or another number of features.
    AttributeError
        If `bn` is of a kind that never has any, such as GroupNorm.
    """
    mean, var, eps = _statistics("fuse_linear_bn_eval", linear, bn)
    if bn.num_features not in (linear.out_features, 1):
        raise AssertionError(
            f"fuse_linear_bn_eval: expected bn.num_features to be linear.out_features ({linear.out_features}) or 1, "
            f"got {bn.num_features}"
        )
    fused = copy.deepcopy(linear)
    fused.weight, fused.bias = fuse_linear_bn_weights(linear.weight, linear.bias, mean, var, eps, bn.weight, bn.bias)
    if check is not None:
        print(f"fuse_linear_bn_eval: {difference(linear, bn, fused, check)}")
    return fused


@no_grad()
def fuse_linear_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b):
    """Weight and bias of a linear layer with a BatchNorm folded in.

    Parameters
    ----------
    linear_w : Tensor of shape (out, in)
    linear_b : Tensor of shape (out,) or None
    bn_rm, bn_rv : Tensor of shape (out,) or (1,)
        Running mean and variance.
    bn_eps : float
    bn_w, bn_b : Tensor of shape (out,) or (1,), or None
        gamma and beta.

    Returns
    -------
    weight : Parameter of shape (out, in)
    bias : Parameter of shape (out,)
        They require grad as linear_w and linear_b do; without linear_b the bias does not.
    """
    scale, bias = _scale_and_bias(linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)
    return _parameters(linear_w * scale.unsqueeze(-1), linear_w, bias.expand(len(linear_w)), linear_b)


class Difference(NamedTuple):
    """How far two outputs are apart: the largest difference of two numbers, and the range of all numbers, max - min."""

    largest: float
    range: float

    @property
    def relative(self):
        """The largest difference as a part of the range; infinite where all outputs are one number, and differ."""
        return self.largest / self.range if self.range else (math.inf if self.largest else 0.0)

    def __str__(self):
        return f"largest difference {self.largest:.3g}, {self.relative:.3g} of the output's range {self.range:.3g}"


@no_grad()
def difference(layer, bn, fused, x):
    """The Difference between `bn(layer(x))` and `fused(x)`: rounding, if the folding is right."""
    y, folded = bn(layer(x)), fused(x)
    return Difference((folded - y).abs().max().item(), (y.max() - y.min()).item())


def _scale_and_bias(b, mean, var, eps, gamma, beta):
    """scale = gamma / sqrt(var + eps), and the fused bias scale * (b - mean) + beta; None counts as 0, gamma as 1."""
    scale = (var + eps).rsqrt() if gamma is None else gamma * (var + eps).rsqrt()
    bias = scale * (-mean if b is None else b - mean)
    return scale, bias if beta is None else bias + beta


def _parameters(weight, old_weight, bias, old_bias):
    """Parameters with these values, of the dtypes of the old ones, that require grad where the old ones did."""
    bias_like = old_weight if old_bias is None else old_bias
    return (
        Parameter(weight.to(old_weight.dtype), old_weight.requires_grad),
        Parameter(bias.to(bias_like.dtype).clone(), old_bias is not None and old_bias.requires_grad),
    )


def _statistics(name, layer, bn):
    """The mean, variance and eps that `bn` normalises with, if it can be folded into `layer`."""
    for what, module in ((type(layer).__name__, layer), (type(bn).__name__, bn)):
        if module.training:
            raise AssertionError(
                f"{name}: only for eval mode, but the {what} is in train mode, where a BatchNorm uses the batch's own "
                "statistics; call .eval() on both"
            )
    if not hasattr(bn, "running_mean"):
        raise AttributeError(
            f"{name}: a {type(bn).__name__} has no running_mean; only layers with running statistics, such as "
            "BatchNorm2d, can be folded: the others compute statistics of every input"
        )
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError(f"{name}: bn.running_mean and bn.running_var must not be None; what should be folded?")
    if getattr(bn, "convention", None) is None:
        return bn.running_mean, bn.running_var, bn.eps
    divisor = bn.convention.divisor(bn.running_var, bn.eps)  # other implementations put eps elsewhere
    return bn.running_mean, divisor * divisor, 0.0
