"""The test of the tests for activations, convolution, pooling, padding, embedding, losses: mistakes made on purpose.

See test_mutants.py. A mutant is a backward (or, for losses and smooth activations, a saved slope) with one mistake that
people make. It must be noticed by the comparison with PyTorch, and by central differences, which need no PyTorch.
"""

import numpy as np
import pytest

from minitorch_bn.ops import (
    activation,
    adaptive_pooling,
    padding,
    pooling,
    probability_loss,
    regression_loss,
    smooth_activation,
)
from minitorch_bn.ops.dropout import Dropout
from minitorch_bn.ops.embedding import AveragedEmbedding, Embedding, Rows
from minitorch_bn.ops.erf import Erf
from minitorch_bn.ops.loss import NLL
from minitorch_bn.ops.loss_reduction import Loss
from tests.ops import checks
from tests.ops.cases import BY_NAME

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def numbers_out_of_range():
    """Some rows hold infinities."""
    with np.errstate(all="ignore"):
        yield


def rows_of(function, smooth=False):
    """The rows of one function that have gradients; those that central differences can judge."""
    return [c for c in BY_NAME.values() if c.op == function and c.grad and (c.smooth or not smooth)]


def rejects(check, cases):
    """The names of the rows in which `check` notices."""
    found = []
    for case in cases:
        try:
            check(case)
        except (AssertionError, RuntimeError, ValueError, IndexError):
            found.append(case.name)
    return found


# ---- mistakes


def times(factor, position=0):
    """One gradient multiplied."""
    return lambda op, b: (
        lambda self, dy: tuple(g if g is None or i != position else factor * g for i, g in enumerate(b(self, dy)))
    )


def ignores_dy(op, backward):
    """The upstream gradient forgotten."""
    return lambda self, dy: backward(self, np.ones_like(dy))


def swapped(op, backward):
    """The gradients of two arguments the wrong way round."""
    return lambda self, dy: backward(self, dy)[::-1]


def undivided(op, backward):
    """The gradient of the sum where the mean was taken."""
    return lambda self, dy: backward(self, dy * self.divisor)


def backward(new):
    """Another backward altogether."""
    return lambda op, old: new


def bent_without_scale(self, dy):
    """ELU: the slope of the curve where it is straight, too."""
    return (dy * (self.y + self.alpha * self.scale) * self.rate,)


def elu_without_alpha(self, dy):
    """ELU: y + 1 instead of y + alpha, right for alpha = 1 only."""
    return (dy * np.where(self.bent, (self.y + 1) * self.rate, self.scale),)


def celu_without_rate(self, dy):
    """CELU: the inner derivative forgotten."""
    return (dy * np.where(self.bent, self.y + self.alpha * self.scale, self.scale),)


def average_undivided(self, dy):
    """Average pooling: dy handed to every element undivided."""
    dview = np.broadcast_to(dy[..., None, None], self.view_shape)
    return (self.window.fold(dview, self.padded_shape, self.x_shape),)


def average_of_kernel(self, dy):
    """Average pooling: always divided by the size of the kernel."""
    dview = np.broadcast_to((dy / np.prod(self.window.kernel))[..., None, None], self.view_shape)
    return (self.window.fold(dview, self.padded_shape, self.x_shape),)


def max_to_all(self, dy):
    """Max pooling: dy handed to every element of the window."""
    dview = np.broadcast_to(dy[..., None, None], self.view_shape)
    return (self.window.fold(dview, self.padded_shape, self.x_shape),)


def max_to_first(self, dy):
    """Max pooling: dy handed to the first element of the window."""
    self.winner = self.winner * 0
    return ORIGINAL_MAX(self, dy)


ORIGINAL_MAX = pooling.MaxPool2d.backward


def padding_dropped(self, dy):
    """Padding with copies: what the copies received is lost."""
    x_shape = self.shapes[0]
    dx = np.zeros(x_shape, dy.dtype)
    where = []
    for axis in range(len(x_shape)):
        source = self.sources.get(axis, np.arange(x_shape[axis]))
        first = {int(s): i for i, s in reversed(list(enumerate(source)))}
        where.append([first.get(i, 0) for i in range(x_shape[axis])])
    dx[...] = dy[np.ix_(*where)]
    return (dx,)


def one_axis_only(self, dy):
    """Padding with copies: only the last axis is gathered back, the others are cut."""
    dx = dy
    for axis, shape in zip(self.sources, self.shapes, strict=True):
        dx = np.take(dx, np.arange(shape[axis]), axis, mode="clip")
    return (dx,)


def adaptive_overwrites(self, dy):
    """Adaptive average: `=` where cells overlap and `+=` is meant."""
    dx = np.zeros(self.x_shape, dy.dtype)
    for i, j, cell in adaptive_pooling.cells(self.x_shape, self.out):
        dx[cell] = (dy[:, :, i, j] / np.prod(dx[cell].shape[2:]))[..., None, None]
    return (dx,)


def adaptive_max_overwrites(self, dy):
    """Adaptive maximum: of the cells that share their largest element only the last counts."""
    N, C, H, W = self.x_shape
    dx = np.zeros((N * C, H * W), dy.dtype)
    flat = self.indices.reshape(N * C, self.out[0] * self.out[1])
    dx[np.arange(N * C)[:, None], flat] = dy.reshape(flat.shape)
    return (dx.reshape(self.x_shape),)


def mask_twice(self, dy):
    """Dropout: the mask and its scale applied twice."""
    return (dy * self.mask * self.mask,)


def mask_unscaled(self, dy):
    """Dropout: the scale forgotten in backward."""
    return (dy * (self.mask != 0),)


def nll_everywhere(self, dy):
    """Negative log-likelihood: the gradient of the ignored rows, too."""
    dx = np.zeros(self.x_shape, dy.dtype)
    weight = 1 if self.row_weight is None else self.row_weight
    dx[np.arange(len(dx)), self.target] = -weight * dy / self.divisor
    return (dx,)


def nll_without_weight(self, dy):
    """Negative log-likelihood: the weights in the divisor only."""
    scale = -dy / self.divisor
    if self.counted is not None:
        scale = np.where(self.counted, scale, 0)
    dx = np.zeros(self.x_shape, dy.dtype)
    dx[np.arange(len(dx)), self.target] = scale
    return (dx,)


OPS = {
    "nll_sign": (NLL, times(-1), "nll_loss"),
    "nll_ignores_dy": (NLL, ignores_dy, "nll_loss"),
    "nll_undivided": (NLL, undivided, "nll_loss"),
    "nll_ignored_rows": (NLL, backward(nll_everywhere), "nll_loss"),
    "nll_without_weight": (NLL, backward(nll_without_weight), "nll_loss"),
    "smoothed_nll_sign": (NLL, times(-1), "cross_entropy"),
    "leaky_no_slope": (activation.LeakyReLU, backward(lambda self, dy: (dy * self.positive,)), "leaky_relu"),
    "leaky_everywhere": (activation.LeakyReLU, backward(lambda self, dy: (dy * self.slope,)), "leaky_relu"),
    "leaky_sign": (
        activation.LeakyReLU,
        backward(lambda self, dy: (np.where(self.positive, dy, -dy * self.slope),)),
        "leaky_relu",
    ),
    "elu_bent_everywhere": (activation.ELU, backward(bent_without_scale), "elu"),
    "elu_no_alpha": (activation.ELU, backward(elu_without_alpha), "elu"),
    "selu_no_scale": (activation.ELU, times(1 / activation.SELU_SCALE), "selu"),
    "celu_no_rate": (activation.CELU, backward(celu_without_rate), "celu"),
    "hardtanh_all": (activation.Hardtanh, backward(lambda self, dy: (dy,)), "hardtanh"),
    "relu6_all": (activation.Hardtanh, backward(lambda self, dy: (dy,)), "relu6"),
    "hardtanh_reversed": (activation.Hardtanh, backward(lambda self, dy: (dy * ~self.passes,)), "hardtanh"),
    "silu_ignores_dy": (smooth_activation.SiLU, ignores_dy, "silu"),
    "gelu_halved": (smooth_activation.GELU, times(0.5), "gelu"),
    "tanh_gelu_ignores_dy": (smooth_activation.TanhGELU, ignores_dy, "gelu"),
    "softplus_sign": (smooth_activation.Softplus, times(-1), "softplus"),
    "logsigmoid_sign": (smooth_activation.LogSigmoid, times(-1), "logsigmoid"),
    "erf_ignores_dy": (Erf, ignores_dy, "erf"),
    "erf_no_factor": (Erf, times(np.sqrt(np.pi) / 2), "erf"),
    "max_to_all": (pooling.MaxPool2d, backward(max_to_all), "max_pool2d"),
    "max_to_first": (pooling.MaxPool2d, backward(max_to_first), "max_pool2d"),
    "average_undivided": (pooling.AvgPool2d, backward(average_undivided), "avg_pool2d"),
    "average_of_kernel": (pooling.AvgPool2d, backward(average_of_kernel), "avg_pool2d"),
    "adaptive_overwrites": (adaptive_pooling.AdaptiveAvgPool2d, backward(adaptive_overwrites), "adaptive_avg_pool2d"),
    "adaptive_max_overwrites": (
        adaptive_pooling.AdaptiveMaxPool2d,
        backward(adaptive_max_overwrites),
        "adaptive_max_pool2d",
    ),
    "pad_copies_lost": (padding.PadWithCopies, backward(padding_dropped), "pad"),
    "pad_cut_from_the_left": (padding.PadWithCopies, backward(one_axis_only), "pad"),
    "pad_constant_doubled": (padding.Pad, times(2), "pad"),
    "dropout_mask_twice": (Dropout, backward(mask_twice), "dropout2d"),
    "dropout_unscaled": (Dropout, backward(mask_unscaled), "dropout1d"),
    "mse_halved": (regression_loss.MSE, times(0.5), "mse_loss"),
    "mse_target_sign": (regression_loss.MSE, times(-1, 1), "mse_loss"),
    "mse_undivided": (regression_loss.MSE, undivided, "mse_loss"),
    "smooth_l1_undivided": (regression_loss.SmoothL1, undivided, "smooth_l1_loss"),
    "smooth_l1_swapped": (regression_loss.SmoothL1, swapped, "smooth_l1_loss"),
    "smooth_l1_no_beta": (
        regression_loss.SmoothL1,
        backward(lambda self, dy: (np.sign(self.slope) * self.spread(dy), -np.sign(self.slope) * self.spread(dy))),
        "smooth_l1_loss",
    ),
    "huber_ignores_dy": (regression_loss.Huber, ignores_dy, "huber_loss"),
    "huber_no_delta": (
        regression_loss.Huber,
        backward(lambda self, dy: (np.sign(self.slope) * self.spread(dy), -np.sign(self.slope) * self.spread(dy))),
        "huber_loss",
    ),
    "bce_logits_undivided": (probability_loss.BCEWithLogits, undivided, "binary_cross_entropy_with_logits"),
    "bce_logits_swapped": (probability_loss.BCEWithLogits, swapped, "binary_cross_entropy_with_logits"),
    "bce_logits_target_sign": (probability_loss.BCEWithLogits, times(-1, 1), "binary_cross_entropy_with_logits"),
    "bce_undivided": (probability_loss.BCE, undivided, "binary_cross_entropy"),
    "bce_sign": (probability_loss.BCE, times(-1), "binary_cross_entropy"),
    "bce_target_sign": (probability_loss.BCE, times(-1, 1), "binary_cross_entropy"),
    "kl_sign": (probability_loss.KLDivergence, times(-1), "kl_div"),
    "kl_target_sign": (probability_loss.KLDivergence, times(-1, 1), "kl_div"),
    "kl_logarithms_sign": (probability_loss.LogKLDivergence, times(-1), "kl_div"),
    "kl_logarithms_target_halved": (probability_loss.LogKLDivergence, times(0.5, 1), "kl_div"),
}


@pytest.mark.parametrize("name", OPS)
def test_backward_mutant_is_noticed(name, monkeypatch):
    op, mutate, function = OPS[name]
    monkeypatch.setattr(op, "backward", mutate(op, op.backward))
    assert rejects(checks.check_against_torch, rows_of(function))
    assert rejects(checks.check_differences, rows_of(function, smooth=True))


@pytest.mark.parametrize("function", sorted({function for _, _, function in OPS.values()}))
def test_the_original_is_accepted(function):
    assert not rejects(checks.check_against_torch, rows_of(function))
    assert not rejects(checks.check_differences, rows_of(function, smooth=True))


# ---- slopes that forward leaves for backward


def slope_of(op, change):
    """A forward that leaves a wrong slope: change(x, right slope)."""
    forward = op.forward

    def mutant(self, x):
        y = forward(self, x)
        if self.needs[0]:
            self.slope = change(x, self.slope)
        return y

    return mutant


def normal_density(x):
    return np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi)


SLOPES = {
    "silu_without_product_rule": (smooth_activation.SiLU, lambda x, slope: 1 / (1 + np.exp(-x)), "silu"),
    "silu_of_sigmoid_only": (
        smooth_activation.SiLU,
        lambda x, slope: x * np.exp(-x) / (1 + np.exp(-x)) ** 2,
        "silu",
    ),
    "gelu_without_density": (smooth_activation.GELU, lambda x, slope: slope - x * normal_density(x), "gelu"),
    "gelu_density_without_x": (
        smooth_activation.GELU,
        lambda x, slope: slope + (1 - x) * normal_density(x),
        "gelu",
    ),
    "gelu_tanh_without_cube": (
        smooth_activation.TanhGELU,
        lambda x, slope: slope * (1 - 1e-3 * np.tanh(x)),
        "gelu",
    ),
    "softplus_linear_everywhere": (smooth_activation.Softplus, lambda x, slope: np.ones_like(x), "softplus"),
    "softplus_of_minus_x": (smooth_activation.Softplus, lambda x, slope: 1 - slope, "softplus"),
    "logsigmoid_is_sigmoid": (smooth_activation.LogSigmoid, lambda x, slope: 1 - slope, "logsigmoid"),
    "erf_exponent_halved": (
        Erf,
        lambda x, slope: np.exp(-0.5 * x * x) * 2 / np.sqrt(np.pi),
        "erf",
    ),
}


@pytest.mark.parametrize("name", SLOPES)
def test_wrong_slope_is_noticed(name, monkeypatch):
    op, change, function = SLOPES[name]
    monkeypatch.setattr(op, "forward", slope_of(op, change))
    assert rejects(checks.check_against_torch, rows_of(function))
    assert rejects(checks.check_differences, rows_of(function, smooth=True))


def loss_slopes(change):
    """BCEWithLogits.forward that leaves wrong slopes: change(x, t, p, slopes)."""
    forward = probability_loss.BCEWithLogits.forward

    def mutant(self, x, t):
        y = forward(self, x, t)
        p = 1 if self.positive_weight is None else self.positive_weight
        self.slopes = [None if s is None else new for s, new in zip(self.slopes, change(x, t, p), strict=True)]
        return y

    return mutant


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


LOGITS = {
    "without_pos_weight": lambda x, t, p: (sigmoid(x) - t, -x),
    "target_forgotten": lambda x, t, p: (sigmoid(x) * (1 + (p - 1) * t), (p - 1) * np.log1p(np.exp(-x)) - x),
    "pos_weight_on_both": lambda x, t, p: (p * (sigmoid(x) - t), (p - 1) * np.log1p(np.exp(-x)) - x),
}


@pytest.mark.parametrize("name", LOGITS)
def test_wrong_slope_of_logits_is_noticed(name, monkeypatch):
    monkeypatch.setattr(probability_loss.BCEWithLogits, "forward", loss_slopes(LOGITS[name]))
    function = "binary_cross_entropy_with_logits"
    assert rejects(checks.check_against_torch, rows_of(function))
    assert rejects(checks.check_differences, rows_of(function, smooth=True))


def test_the_right_slopes_of_logits_are_accepted(monkeypatch):
    def right(x, t, p):
        return (1 - t) - (1 + (p - 1) * t) * (1 - sigmoid(x)), (p - 1) * np.log1p(np.exp(-x)) - x

    monkeypatch.setattr(probability_loss.BCEWithLogits, "forward", loss_slopes(right))
    cases = [c for c in rows_of("binary_cross_entropy_with_logits") if "large" not in c.name]
    assert not rejects(checks.check_against_torch, cases)


def test_forgotten_weights_are_noticed(monkeypatch):
    """In backward only: the forward is right."""
    for op, function in (
        (probability_loss.BCEWithLogits, "binary_cross_entropy_with_logits"),
        (probability_loss.BCE, "binary_cross_entropy"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(
                op,
                "backward",
                lambda self, dy: tuple(None if s is None else s * self.spread(dy) for s in self.slopes),
            )
            assert rejects(checks.check_against_torch, rows_of(function))
            assert rejects(checks.check_differences, rows_of(function, smooth=True))


@pytest.mark.parametrize("function", ["mse_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy", "kl_div"])
def test_a_mean_over_the_rows_is_noticed(function, monkeypatch):
    """reduction "mean" divides by all elements, not by the first size."""

    def reduce(self, losses):
        self.divisor = max(losses.shape[0], 1) if self.reduction != "none" and losses.ndim > 1 else 1
        return losses if self.reduction == "none" else losses.sum() / self.divisor

    monkeypatch.setattr(Loss, "reduce", reduce)
    assert rejects(checks.check_against_torch, rows_of(function))


# ---- what only the comparison with PyTorch can see

AVERAGED = {
    "by_frequency_not_divided": Embedding.backward,
    "by_frequency_squared": lambda self, dy: Embedding.backward(self, dy / self.frequency**2),
}


@pytest.mark.parametrize("name", AVERAGED)
def test_embedding_mutant_is_noticed(name, monkeypatch):
    monkeypatch.setattr(AveragedEmbedding, "backward", AVERAGED[name])
    assert rejects(checks.check_against_torch, rows_of("embedding"))


def test_a_gradient_of_the_padding_row_is_noticed(monkeypatch):
    monkeypatch.setattr(Embedding, "backward", Rows.backward)
    assert rejects(checks.check_against_torch, rows_of("embedding"))


def test_ties_given_to_all_are_noticed(monkeypatch):
    """Max pooling where several elements tie: the first gets the gradient, not each its share."""
    rows = [c for c in rows_of("max_pool2d") if "ties" in c.name]
    monkeypatch.setattr(pooling.MaxPool2d, "backward", max_to_all)
    assert len(rejects(checks.check_against_torch, rows)) == len(rows) > 2


def test_padding_that_wins_is_noticed(monkeypatch):
    """Max pooling over -infinity: an index in the padding."""
    monkeypatch.setattr(pooling.MaxPool2d, "inside", lambda self, xp: np.ones((1, 1, *self.window.out, 9), bool))
    assert rejects(checks.check_against_torch, [c for c in rows_of("max_pool2d") if "minus_infinity" in c.name])


def test_a_bend_that_belongs_to_the_other_side_is_noticed(monkeypatch):
    """At 0 and at the bounds: hardtanh with clamp's convention, leaky_relu with the slope of the right."""

    def clamp_forward(self, x):
        self.passes = (x >= self.low) & (x <= self.high)
        return np.clip(x, self.low, self.high)

    def right_of_zero(self, x):
        self.positive = x >= 0
        return np.where(self.positive, x, x * self.slope)

    monkeypatch.setattr(activation.Hardtanh, "forward", clamp_forward)
    monkeypatch.setattr(activation.LeakyReLU, "forward", right_of_zero)
    for function in ("hardtanh", "relu6", "leaky_relu"):
        assert rejects(checks.check_against_torch, [c for c in rows_of(function) if c.name.endswith("kinks")])
