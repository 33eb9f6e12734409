"""The test of the tests: every mistake below is made on purpose, and the checks must notice it.

A mutant is an op with one mistake that people make. If the checks accepted it, they would prove nothing.
"""

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import backend, ops
from minitorch_bn.ops import activation, adaptive_pooling, batchnorm, pooling
from minitorch_bn.ops.conv import Conv2d
from minitorch_bn.ops.embedding import Embedding
from minitorch_bn.ops.linear import Linear
from minitorch_bn.ops.loss import CrossEntropy
from tests.ops import batchnorm_checks, checks
from tests.ops.cases import BY_NAME

torch = pytest.importorskip("torch")

BN, FIXED = batchnorm.BatchNorm, batchnorm.FixedBatchNorm


# ---- how BatchNorm goes wrong


def lines_up(op, v):
    """(C,) in the shape that broadcasts against x."""
    return np.asarray(v).reshape(op.shape)


def bn_backward(mean=True, along=True, sign=-1, gamma=True, factor=1.0, std=1):
    """BatchNorm.backward with some of its parts missing."""

    def backward(self, dy):
        axes = self.axes
        dbeta, dgamma = dy.sum(axes), (dy * self.x_hat).sum(axes)
        scale = lines_up(self, self.inv_std) ** std
        if gamma and self.gamma is not None:
            scale = scale * lines_up(self, self.gamma)
        dx = dy
        if mean:
            dx = dx - lines_up(self, dbeta / self.m)
        if along:
            dx = dx + sign * self.x_hat * lines_up(self, dgamma / self.m) * factor
        return scale * dx, dgamma, dbeta

    return backward


def swapped(self, dy):
    """dgamma and dbeta the wrong way round."""
    dx, dgamma, dbeta = ORIGINAL[BN](self, dy)
    return dx, dbeta, dgamma


def gamma_twice(self, dy):
    """gamma counted twice."""
    dx, dgamma, dbeta = ORIGINAL[BN](self, dy)
    return dx * (1 if self.gamma is None else lines_up(self, self.gamma)), dgamma, dbeta


def averaged(self, dy):
    """dgamma and dbeta averaged instead of summed."""
    dx, dgamma, dbeta = ORIGINAL[BN](self, dy)
    return dx, dgamma / self.m, dbeta / self.m


def bessel_backward(self, dy):
    """The last term divided by n - 1 (makemore's forward is other than PyTorch's)."""
    return bn_backward(factor=self.m / (self.m - 1))(self, dy)


ORIGINAL = {BN: BN.backward, FIXED: FIXED.backward}


def bn_forward(ddof=0, outside=False, keep_mean=False, one_axis=False):
    """BatchNorm.forward with one mistake."""

    def forward(self, x, gamma, beta):
        self.axes, self.m, self.shape = batchnorm.channel_layout(x)
        axes = (0,) if one_axis else self.axes
        self.gamma = gamma
        mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True, ddof=ddof)
        if keep_mean:
            mean = mean * 0
        inv_std = 1 / (np.sqrt(var) + self.eps) if outside else 1 / np.sqrt(var + self.eps)
        self.x_hat = (x - mean) * inv_std
        self.mean, self.var = x.mean(self.axes), x.var(self.axes)
        self.inv_std = inv_std.reshape(-1) if inv_std.size == x.shape[1] else inv_std[0].reshape(x.shape[1], -1)[:, 0]
        y = self.x_hat if gamma is None else gamma.reshape(self.shape) * self.x_hat
        return y if beta is None else y + beta.reshape(self.shape)

    return forward


def fixed_training_formula(self, dy):
    """The training formula in eval mode."""
    self.m = dy.size // dy.shape[1]
    return bn_backward()(self, dy)


def fixed_without_eps(self, dy):
    """eps in the forward, none in the backward (Chainer 1.24)."""
    dx, dgamma, dbeta = ORIGINAL[FIXED](self, dy)
    return dx * lines_up(self, np.sqrt((self.var + self.eps) / self.var)), dgamma, dbeta


def fixed_without_gamma(self, dy):
    """gamma forgotten."""
    _, dgamma, dbeta = ORIGINAL[FIXED](self, dy)
    return dy * lines_up(self, self.inv_std), dgamma, dbeta


BN_MUTANTS = {
    "no_mean_term": (BN, "backward", bn_backward(mean=False)),
    "no_x_hat_term": (BN, "backward", bn_backward(along=False)),
    "neither_term": (BN, "backward", bn_backward(mean=False, along=False)),
    "sign_of_x_hat_term": (BN, "backward", bn_backward(sign=1)),
    "no_gamma": (BN, "backward", bn_backward(gamma=False)),
    "gamma_twice": (BN, "backward", gamma_twice),
    "inv_std_squared": (BN, "backward", bn_backward(std=2)),
    "bessel_in_backward": (BN, "backward", bessel_backward),
    "dgamma_dbeta_swapped": (BN, "backward", swapped),
    "averaged": (BN, "backward", averaged),
    "zeros": (BN, "backward", lambda self, dy: (dy * 0, (dy * self.x_hat).sum(self.axes), dy.sum(self.axes))),
    "unbiased_in_forward": (BN, "forward", bn_forward(ddof=1)),
    "eps_outside": (BN, "forward", bn_forward(outside=True)),
    "mean_not_taken_away": (BN, "forward", bn_forward(keep_mean=True)),
    "training_formula_in_eval": (FIXED, "backward", fixed_training_formula),
    "no_eps_in_eval_backward": (FIXED, "backward", fixed_without_eps),
    "no_gamma_in_eval": (FIXED, "backward", fixed_without_gamma),
}
BN_ROWS = [case for name, case in BY_NAME.items() if name.startswith("batch_norm/") and case.grad]


def rejects(check, cases):
    """The names of the rows in which `check` notices."""
    found = []
    for case in cases:
        try:
            check(case)
        except (AssertionError, RuntimeError, ValueError, AttributeError):
            found.append(case.name)
    return found


@pytest.mark.parametrize("name", BN_MUTANTS)
def test_batchnorm_mutant_is_noticed(name, monkeypatch, rng):
    """By the comparison with PyTorch, by the layer's, and (backward mutants) by central differences."""
    op, method, mutant = BN_MUTANTS[name]
    monkeypatch.setattr(op, method, mutant)
    assert rejects(checks.check_against_torch, BN_ROWS)
    with pytest.raises(AssertionError):
        batchnorm_checks.check_layers("BatchNorm1d", (8, 3), {"eps": 0.5}, rng)
    if method == "backward":
        assert rejects(checks.check_differences, BN_ROWS)


def test_the_original_is_accepted(rng):
    """The harness does not cry wolf: unchanged ops, and a mutant generator without a mistake, pass."""
    assert not rejects(checks.check_against_torch, BN_ROWS)
    batchnorm_checks.check_layers("BatchNorm1d", (8, 3), {"eps": 0.5}, rng)


def test_the_generators_without_a_mistake_are_accepted(monkeypatch):
    monkeypatch.setattr(BN, "backward", bn_backward())
    monkeypatch.setattr(BN, "forward", bn_forward())
    assert not rejects(checks.check_against_torch, BN_ROWS)


def test_no_eps_mutant_needs_a_large_eps(monkeypatch):
    """Why rows with eps = 0.5 exist: with eps = 1e-5 and a variance of 1, this mutant is off by 5e-6 only."""
    monkeypatch.setattr(FIXED, "backward", fixed_without_eps)

    def careless(case):
        checks.check_differences(case, rtol=1e-4)

    assert not rejects(careless, [c for c in BN_ROWS if "_eval" in c.name and "large" not in c.name])
    large = [c for c in BN_ROWS if "eval_large" in c.name]
    assert len(rejects(careless, large)) == len(large)


def test_a_forgotten_gamma_is_invisible_at_gamma_one(monkeypatch):
    """Why gamma is random in all rows: at gamma = 1 a backward without gamma is right."""
    monkeypatch.setattr(BN, "backward", bn_backward(gamma=False))
    assert not rejects(checks.check_against_torch, [c for c in BN_ROWS if "plain_train" in c.name])
    assert rejects(checks.check_against_torch, [c for c in BN_ROWS if c.name == "batch_norm/2d_train"])


# ---- the running statistics

UPDATES = {
    "keep_and_new_swapped": lambda running, new, momentum: momentum * running + (1 - momentum) * new,
    "never": lambda running, new, momentum: running,
    "last_only": lambda running, new, momentum: new,
    "added": lambda running, new, momentum: running + momentum * new,
    "wrong_way": lambda running, new, momentum: (1 + momentum) * running - momentum * new,
    "with_eps": lambda running, new, momentum: (1 - momentum) * running + momentum * (new + 1e-5),
    "of_standard_deviations": lambda running, new, momentum: (
        ((1 - momentum) * np.sqrt(abs(running)) + momentum * np.sqrt(abs(new))) ** 2
    ),
}


def broken_update(rule):
    """update_running with another rule."""

    def update(running, new, momentum, unbiased=1):
        running[...] = rule(running.copy(), unbiased * new, momentum)

    return update


@pytest.mark.parametrize("name", UPDATES)
def test_running_statistics_mutant_is_noticed(name, monkeypatch, rng):
    monkeypatch.setattr(batchnorm, "update_running", broken_update(UPDATES[name]))
    with pytest.raises(AssertionError):
        batchnorm_checks.check_layers("BatchNorm1d", (8, 3), {}, rng)


def test_the_right_update_is_accepted(monkeypatch, rng):
    rule = broken_update(lambda running, new, momentum: (1 - momentum) * running + momentum * new)
    monkeypatch.setattr(batchnorm, "update_running", rule)
    batchnorm_checks.check_layers("BatchNorm1d", (8, 3), {}, rng)


def test_biased_running_variance_is_noticed(monkeypatch, rng):
    """`op.m` lies to the user function: m / (m - 1) becomes (nearly) 1."""
    forward = BN.forward

    def biased(self, x, gamma, beta):
        y = forward(self, x, gamma, beta)
        self.var = self.var * (self.m - 1) / self.m
        return y

    monkeypatch.setattr(BN, "forward", biased)
    with pytest.raises(AssertionError):
        batchnorm_checks.check_layers("BatchNorm1d", (8, 3), {}, rng)


# ---- other ops


def overwrite(target, index, values):
    """`=` where `+=` is meant: of the gradients that share an index only the last stays."""
    target[index] = values


def overwritten_rows(index, values, shape):
    """The same, into a new table of rows."""
    table = np.zeros(shape, values.dtype)
    table[index] = values
    return table


def times(factor):
    """A backward whose first gradient is multiplied."""
    return lambda backward: (
        lambda self, dy: tuple(factor * g if i == 0 else g for i, g in enumerate(backward(self, dy)))
    )


def without(position):
    """A backward that returns no gradient at one position."""
    return lambda backward: (
        lambda self, dy: tuple(None if i == position else g for i, g in enumerate(backward(self, dy)))
    )


def replaced(new):
    """Another backward altogether."""
    return lambda backward: new


def changing_dy(backward):
    """A backward that changes the upstream gradient."""

    def mutant(self, dy):
        grads = backward(self, dy)
        dy *= 2
        return grads

    return mutant


OTHERS = {
    "linear_sign": (Linear, times(-1), "linear"),
    "linear_no_dW": (Linear, without(1), "linear"),
    "linear_no_db": (Linear, without(2), "linear"),
    "linear_db_halved": (
        Linear,
        lambda b: lambda self, dy: (*b(self, dy)[:2], dy.reshape(-1, dy.shape[-1]).sum(0) / 2),
        "linear",
    ),
    "linear_changes_dy": (Linear, changing_dy, "linear"),
    "conv_no_dx": (Conv2d, without(0), "conv2d"),
    "conv_no_dW": (Conv2d, without(1), "conv2d"),
    "conv_flipped": (
        Conv2d,
        lambda b: lambda self, dy: (b(self, dy)[0], b(self, dy)[1][..., ::-1, ::-1], b(self, dy)[2]),
        "conv2d",
    ),
    "cross_entropy_no_one_hot": (
        CrossEntropy,
        replaced(lambda self, dy: (((self.exp / self.total * dy) / self.divisor).T,)),
        "cross_entropy",
    ),
    "cross_entropy_double": (CrossEntropy, times(2), "cross_entropy"),
    "cross_entropy_ignores_dy": (
        CrossEntropy,
        lambda b: lambda self, dy: b(self, np.ones_like(dy)),
        "cross_entropy",
    ),
    "tanh_no_square": (activation.Tanh, replaced(lambda self, dy: (dy * (1 - self.y),)), "tanh"),
    "tanh_no_chain": (activation.Tanh, replaced(lambda self, dy: (1 - self.y * self.y,)), "tanh"),
    "relu_all": (activation.ReLU, replaced(lambda self, dy: (dy,)), "relu"),
    "relu_at_zero": (activation.ReLU, lambda b: lambda self, dy: (dy * 0.5 + b(self, dy)[0] * 0.5,), "relu"),
    "sigmoid_no_square": (activation.Sigmoid, replaced(lambda self, dy: (dy * self.y,)), "sigmoid"),
    "max_pool_all": (
        pooling.MaxPool2d,
        lambda b: lambda self, dy: (np.ones_like(b(self, dy)[0]),),
        "max_pool2d",
    ),
    "avg_pool_undivided": (
        pooling.AvgPool2d,
        lambda b: lambda self, dy: b(self, dy * self.count),
        "avg_pool2d",
    ),
    "adaptive_undivided": (adaptive_pooling.AdaptiveAvgPool2d, times(2), "adaptive_avg_pool2d"),
    "embedding_halved": (Embedding, times(0.5), "embedding"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_mutant_is_noticed(name, monkeypatch):
    """By the comparison with PyTorch and, but for what central differences cannot see, by those as well."""
    op, mutate, function = OTHERS[name]
    cases = [case for case in BY_NAME.values() if case.op == function and case.grad]
    assert not rejects(checks.check_against_torch, cases)
    monkeypatch.setattr(op, "backward", mutate(op.backward))
    if name == "linear_changes_dy":
        assert rejects(checks.check_memory, cases)
        return
    assert rejects(checks.check_against_torch, cases)
    if name.endswith(("no_dx", "no_dW", "no_db")):
        return  # a missing gradient is no wrong one
    assert rejects(checks.check_differences, [case for case in cases if case.smooth])


@pytest.mark.parametrize("function", ["embedding", "getitem", "gather", "index_select"])
def test_overwriting_repeated_indices_is_noticed(function, monkeypatch):
    cases = [case for case in BY_NAME.values() if case.op == function and case.grad]
    monkeypatch.setattr(backend, "scatter_add", overwrite)
    monkeypatch.setattr(backend, "sum_by_row", overwritten_rows)
    assert rejects(checks.check_against_torch, cases)
    assert rejects(checks.check_differences, [case for case in cases if case.smooth])


def test_shared_gradients_are_noticed(monkeypatch):
    """An op that gives one array to both inputs."""

    def shared(self, dy):
        both = dy * 1
        return both, both

    monkeypatch.setattr(ops.arithmetic.Add, "backward", shared)
    with pytest.raises(AssertionError, match="shares memory"):
        checks.check_memory(BY_NAME["add/same"])


def test_a_changed_input_is_noticed(monkeypatch):
    def forward(self, x):
        self.y = np.exp(x, out=x)
        return self.y

    monkeypatch.setattr(ops.elementwise.Exp, "forward", forward)
    with pytest.raises(AssertionError, match="input 0 was changed"):
        checks.check_memory(BY_NAME["exp/matrix"])


def test_saving_in_vain_is_noticed(monkeypatch):
    forward = activation.Tanh.forward

    def hoarding(self, x):
        self.x = x
        return forward(self, x)

    monkeypatch.setattr(activation.Tanh, "forward", hoarding)
    with pytest.raises(AssertionError, match="saves"):
        checks.check_saved(BY_NAME["tanh/matrix"], monkeypatch)


def test_a_lost_dtype_is_noticed(monkeypatch):
    backward = activation.Tanh.backward
    monkeypatch.setattr(activation.Tanh, "backward", lambda self, dy: (backward(self, dy)[0].astype(np.float64),))
    with pytest.raises(AssertionError, match="float64"):
        checks.check_float32(BY_NAME["tanh/matrix"])


def test_memory_order_mistakes_are_noticed(monkeypatch):
    """A backward that reads dy in memory order instead of index order."""
    monkeypatch.setattr(
        activation.Tanh, "backward", lambda self, dy: ((dy.ravel("K").reshape(dy.shape)) * (1 - self.y * self.y),)
    )
    with pytest.raises(AssertionError):
        checks.check_strided(BY_NAME["tanh/matrix"])


def test_mt_is_whole_again():
    """monkeypatch has put everything back."""
    assert BN.backward is ORIGINAL[BN] and mt.nn.functional.tanh is ops.tanh
