"""BatchNorm: the heart of the project, against PyTorch, against itself composed of primitives, and against its theory.

The rows in cases_layers.py hold the formulas on random data; here are the state, the modes, the errors, the properties
that follow from the mathematics, and the data on which wrong formulas give themselves away.
"""

import itertools

import numpy as np
import pytest

import minitorch_bn as mt
from tests.ops import batchnorm_checks as checks

torch = pytest.importorskip("torch")

DIMENSIONS = {
    "1d_2": ("BatchNorm1d", (8, 3)),
    "1d_3": ("BatchNorm1d", (4, 3, 5)),
    "2d": ("BatchNorm2d", (4, 3, 2, 3)),
    "3d": ("BatchNorm3d", (2, 3, 2, 2, 2)),
    "one_image": ("BatchNorm2d", (1, 3, 2, 3)),
}
TWO_ROWS = ("BatchNorm1d", (2, 3))  # with a small eps they normalise to +-1 whatever they are, and dx is rounding
SETTINGS = {
    "default": {},
    "momentum_none": {"momentum": None},
    "momentum_0": {"momentum": 0},
    "momentum_0.0": {"momentum": 0.0},
    "momentum_1": {"momentum": 1},
    "momentum_0.3": {"momentum": 0.3},
    "plain": {"affine": False},
    "untracked": {"track_running_stats": False},
    "plain_untracked": {"affine": False, "track_running_stats": False},
    "large_eps": {"eps": 0.5},
    "huge_eps": {"eps": 100.0},
}


@pytest.mark.parametrize(("dimension", "setting"), [*itertools.product(DIMENSIONS, SETTINGS), ("two_rows", "huge_eps")])
def test_layer_equals_torch_step_by_step(dimension, setting, rng):
    """Forward, dx, dgamma, dbeta and every buffer, after each of five training steps and in eval mode, to 1e-12."""
    kind, shape = DIMENSIONS.get(dimension, TWO_ROWS)
    checks.check_layers(kind, shape, SETTINGS[setting], rng)


def test_training_of_a_layer_stays_equal(rng):
    """Twenty SGD steps on gamma and beta, with changing batch sizes: state equal to 1e-12 at the end."""
    bn, theirs = checks.pair("BatchNorm1d", 3, {}, rng)
    sgd, their_sgd = mt.optim.SGD(bn.parameters(), lr=0.1), torch.optim.SGD(theirs.parameters(), lr=0.1)
    for step in range(20):
        x, v = rng.normal(1, 2, (4 + step % 3, 3)), rng.normal(size=(4 + step % 3, 3))
        for layer, lib, optimizer in ((bn, mt, sgd), (theirs, torch, their_sgd)):
            optimizer.zero_grad()
            (layer(lib.from_numpy(x)) ** 2 * lib.from_numpy(v)).sum().backward()
            optimizer.step()
    checks.assert_same_state(bn, theirs)


# ---- modes: train and eval, tracking, recording are three independent switches


def test_tracking_switched_off_on_a_live_layer(rng):
    """Switched off on a live layer, training moves no statistics and eval still uses the buffers; as in PyTorch."""
    bn, theirs = checks.pair("BatchNorm1d", 3, {}, rng)
    x = rng.normal(size=(8, 3))
    for layer, lib in ((bn, mt), (theirs, torch)):
        layer(lib.from_numpy(x))
        layer.track_running_stats = False
        layer(lib.from_numpy(x * 3))
    checks.assert_same_state(bn, theirs)
    assert bn.num_batches_tracked.item() == 1
    checks.assert_same_run(bn.eval(), theirs.eval(), x, x[::-1].copy())


@pytest.mark.parametrize("grad", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_no_grad_and_eval_are_independent(grad, training, rng):
    """no_grad decides what is recorded, eval decides which statistics: each alone does nothing of the other's work."""
    x = mt.from_numpy(rng.normal(3, 1, (8, 2))).requires_grad_()
    bn = mt.nn.BatchNorm1d(2, dtype=mt.float64).train(training)
    with mt.set_grad_enabled(grad):
        y = bn(x)
    assert y.requires_grad == grad
    assert (np.abs(bn.running_mean.array).max() > 0) == training
    assert (np.abs(y.array.mean(0)).max() < 1e-12) == training


def test_requires_grad_false_freezes_no_statistics(rng):
    bn = mt.nn.BatchNorm1d(2, dtype=mt.float64).requires_grad_(False)
    bn(mt.from_numpy(rng.normal(3, 1, (8, 2))))
    assert (bn.running_mean.array != 0).all()


def test_eval_changes_no_statistics(rng):
    bn = mt.nn.BatchNorm1d(2, dtype=mt.float64).eval()
    before = {name: b.array.copy() for name, b in bn.named_buffers()}
    bn(mt.from_numpy(rng.normal(3, 1, (8, 2))))
    assert all(np.array_equal(b.array, before[name]) for name, b in bn.named_buffers())


def test_buffers_belong_to_no_graph(rng):
    """After thirty steps the running statistics hold no history (labml's held 59 nodes)."""
    bn = mt.nn.BatchNorm1d(2, dtype=mt.float64)
    x = mt.from_numpy(rng.normal(size=(8, 2))).requires_grad_()
    for _ in range(30):
        bn(x * 2)
    assert all(b.op is None and not b.requires_grad and b.grad_array is None for b in bn.buffers())


def test_buffers_are_updated_in_place(rng):
    """A reference to a buffer, as state_dict() gives one, sees the update."""
    bn = mt.nn.BatchNorm1d(2, dtype=mt.float64)
    state = bn.state_dict()
    bn(mt.from_numpy(rng.normal(3, 1, (8, 2))))
    assert state["running_mean"].array is bn.running_mean.array or (
        np.shares_memory(state["running_mean"].array, bn.running_mean.array)
    )
    assert state["num_batches_tracked"].item() == 1


def test_functional_updates_running_statistics(rng):
    x = rng.normal(2, 3, (7, 4))
    statistics = []
    for lib in (mt, torch):
        mean, var = lib.zeros(4, dtype=lib.float64), lib.ones(4, dtype=lib.float64)
        lib.nn.functional.batch_norm(lib.from_numpy(x), mean, var, training=True, momentum=0.25)
        statistics.append((np.asarray(mean), np.asarray(var)))
    for ours, theirs in zip(*statistics, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


# ---- what earlier implementations got wrong (design notes: traps; anchors)


def test_running_mean_of_constant_batches_is_the_constant():
    """Bessel's factor belongs to the variance: Chainer 1.0 applied it to the mean (1.143 instead of 1)."""
    bn = mt.nn.BatchNorm1d(2, momentum=None, dtype=mt.float64)
    for _ in range(5):
        bn(mt.ones(8, 2, dtype=mt.float64))
    np.testing.assert_allclose(bn.running_mean.array, 1, rtol=1e-15)


def test_running_var_of_constant_batches_tends_to_zero():
    """eps stays out of the running variance."""
    bn = mt.nn.BatchNorm1d(2, momentum=1, eps=0.5, dtype=mt.float64)
    bn(mt.ones(8, 2, dtype=mt.float64))
    assert (bn.running_var.array == 0).all()


def test_output_has_biased_standard_deviation_1(rng):
    """y.std(unbiased=False) is 1; the unbiased one prints sqrt(m / (m - 1)) and shows nothing wrong."""
    y = mt.nn.BatchNorm1d(3, eps=1e-12, dtype=mt.float64)(mt.from_numpy(rng.normal(size=(8, 3))))
    np.testing.assert_allclose(y.std(0, unbiased=False).array, 1, rtol=1e-9)
    np.testing.assert_allclose(y.std(0).array, np.sqrt(8 / 7), rtol=1e-9)


def test_eps_is_inside_the_root():
    """Features of standard deviation 1e-3: inside the root the output reaches 0.3, outside it would reach 1."""
    x = np.array([[-1e-3], [1e-3]])
    y = mt.nn.functional.batch_norm(mt.from_numpy(x), None, None, training=True, eps=1e-5).array
    np.testing.assert_allclose(y, x / np.sqrt(1e-6 + 1e-5), rtol=1e-12)


def test_shifted_data_in_float32(rng):
    """Mean 1e4, standard deviation 1: two passes keep the variance; E[x**2] - E[x]**2 gives 16, -8 or nan.

    The variance is off by (error of the mean)**2 plus what m subtractions round: x has an ulp of 1e-3, so the mean is
    known to about 1e-3, and centred values are exact (Sterbenz): 1e-5 relative is generous.
    """
    x = (1e4 + rng.normal(size=(64, 8))).astype(np.float32)
    bn = mt.nn.BatchNorm1d(8, momentum=1)
    bn(mt.from_numpy(x))
    np.testing.assert_allclose(bn.running_var.array, x.astype(np.float64).var(0, ddof=1), rtol=1e-5)
    theirs = torch.nn.BatchNorm1d(8, momentum=1)
    theirs(torch.from_numpy(x))
    np.testing.assert_allclose(bn.running_var.array, theirs.running_var.numpy(), rtol=1e-5)


@pytest.mark.parametrize("shape", [(8, 3), (4, 3, 5), (4, 3, 2, 3)])
def test_float32_stays_float32(shape, rng):
    bn = mt.nn.BatchNorm1d(3) if len(shape) < 4 else mt.nn.BatchNorm2d(3)
    x = mt.from_numpy(rng.normal(size=shape).astype(np.float32)).requires_grad_()
    for mode in (True, False):
        y = bn.train(mode)(x)
        y.sum().backward()
        arrays = [y.array, x.grad_array, bn.weight.grad_array, bn.bias.grad_array]
        arrays += [bn.running_mean.array, bn.running_var.array]
        assert {a.dtype for a in arrays} == {np.dtype("float32")}


# ---- properties: dx has lost two directions


@pytest.mark.parametrize("shape", [(16, 3), (4, 3, 5), (2, 3, 4, 4)])
def test_dx_has_no_mean_and_no_part_along_x_hat(shape, rng):
    """Adding a constant to x or scaling x changes nothing, so dx is orthogonal to 1 and, but for eps, to x_hat."""
    x = mt.from_numpy(rng.normal(2, 3, shape)).requires_grad_()
    gamma = mt.from_numpy(rng.normal(size=3))
    y = mt.nn.functional.batch_norm(x, None, None, gamma, training=True, eps=1e-12)
    x_hat = y.op.x_hat.copy()
    y.backward(mt.from_numpy(rng.normal(size=shape)))
    axes = (0, *range(2, len(shape)))
    dx = x.grad_array
    assert np.abs(dx.sum(axes)).max() < 1e-13 * np.abs(dx).sum()
    assert np.abs((dx * x_hat).sum(axes)).max() < 1e-11 * np.abs(dx).sum()


def test_what_eps_leaves_along_x_hat(rng):
    """With eps, the mean of dx * x_hat is gamma * inv_std * mean(dy * x_hat) * eps / (var + eps), not 0."""
    x, eps = rng.normal(size=(16, 1)), 0.3
    t, v = mt.from_numpy(x).requires_grad_(), rng.normal(size=(16, 1))
    mt.nn.functional.batch_norm(t, None, None, training=True, eps=eps).backward(mt.from_numpy(v))
    inv_std = 1 / np.sqrt(x.var() + eps)
    x_hat = (x - x.mean()) * inv_std
    left = inv_std * (v * x_hat).mean() * eps * inv_std**2
    np.testing.assert_allclose((t.grad_array * x_hat).mean(), left, rtol=1e-10)


def test_the_gradient_of_the_sum_is_zero(rng):
    """y.sum() is m * beta whatever x is, so dx = 0: a test with an upstream gradient of ones accepts dx = 0 always.

    Here is the proof: with BatchNorm's backward replaced by zeros, that test still passes. Hence the random upstream
    gradients everywhere else.
    """
    x = mt.from_numpy(rng.normal(size=(8, 3))).requires_grad_()
    y = mt.nn.functional.batch_norm(x, None, None, training=True)
    y.sum().backward()
    assert np.abs(x.grad_array).max() < 1e-13
    np.testing.assert_allclose(x.grad_array, np.zeros_like(x.array), atol=1e-13)  # the wrong dx = 0 passes as well


def test_a_bias_before_batchnorm_gets_no_gradient(rng):
    x, b = mt.from_numpy(rng.normal(size=(8, 3))), mt.zeros(3, dtype=mt.float64, requires_grad=True)
    y = mt.nn.functional.batch_norm(x + b, None, None, training=True)
    (y * mt.from_numpy(rng.normal(size=(8, 3)))).sum().backward()
    assert np.abs(b.grad_array).max() < 1e-13


# ---- independent oracle: batch norm composed of the package's own primitives


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(8, 3), (4, 3, 5), (4, 3, 2, 3)])
@pytest.mark.parametrize("eps", [1e-5, 0.5])
def test_equals_batchnorm_composed_of_primitives(shape, training, eps, rng):
    """mean, var, sqrt, sub, mul, div, add, each with its own tested backward, give what the hand-derived op gives."""
    axes, like_x = (0, *range(2, len(shape))), (1, 3) + (1,) * (len(shape) - 2)
    arrays = [rng.normal(1, 2, shape), rng.normal(size=3), rng.normal(size=3)]
    mean, var = mt.from_numpy(rng.normal(size=3)), mt.from_numpy(rng.uniform(0.5, 2, 3))
    v = mt.from_numpy(rng.normal(size=shape))

    def composed(x, gamma, beta):
        m, s2 = (x.mean(axes), x.var(axes, correction=0)) if training else (mean, var)
        x_hat = (x - m.view(like_x)) / (s2.view(like_x) + eps).sqrt()
        return gamma.view(like_x) * x_hat + beta.view(like_x)

    def direct(x, gamma, beta):
        statistics = (None, None) if training else (mean, var)
        return mt.nn.functional.batch_norm(x, *statistics, gamma, beta, training, eps=eps)

    results = []
    for f in (composed, direct):
        tensors = [mt.from_numpy(a.copy()).requires_grad_() for a in arrays]
        y = f(*tensors)
        y.backward(v)
        results.append([y.array, *(t.grad_array for t in tensors)])
    for want, got in zip(*results, strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-12 * np.abs(want).max())


# ---- batches of one, and other errors


@pytest.mark.parametrize(
    ("kind", "shape"), [("BatchNorm1d", (1, 3)), ("BatchNorm2d", (1, 3, 1, 1)), ("BatchNorm1d", (1, 3, 1))]
)
def test_one_value_per_channel_is_an_error_in_training(kind, shape):
    """Type, and nothing has moved: neither the statistics nor the count."""
    for lib in (mt, torch):
        bn = getattr(lib.nn, kind)(3)
        with pytest.raises(ValueError, match="more than 1 value per channel"):
            bn(lib.ones(*shape))
        bn.eval()(lib.ones(*shape))
    bn = getattr(mt.nn, kind)(3)
    with pytest.raises(ValueError, match=r"batch_norm.*drop_last"):
        bn(mt.ones(*shape))
    assert (bn.running_mean.array == 0).all() and bn.num_batches_tracked.item() == 0


def test_one_image_is_enough(rng):
    x = rng.normal(size=(1, 3, 4, 4))
    bn, theirs = checks.pair("BatchNorm2d", 3, {}, rng)
    checks.assert_same_run(bn, theirs, x, rng.normal(size=x.shape))


ERRORS = {
    "rank_1": ("BatchNorm1d", (3,)),
    "rank_4_in_1d": ("BatchNorm1d", (2, 3, 4, 4)),
    "rank_2_in_2d": ("BatchNorm2d", (2, 3)),
    "rank_3_in_2d": ("BatchNorm2d", (2, 3, 4)),
    "rank_4_in_3d": ("BatchNorm3d", (2, 3, 4, 4)),
    "channels": ("BatchNorm1d", (2, 4)),
    "channels_last": ("BatchNorm1d", (4, 7, 3)),
}


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize("training", [True, False])
def test_errors_are_torchs(name, training):
    kind, shape = ERRORS[name]
    types = []
    for lib in (torch, mt):
        bn = getattr(lib.nn, kind)(3).train(training)
        with pytest.raises(Exception) as caught:
            bn(lib.ones(*shape))
        types.append(caught.type)
        before = bn.num_batches_tracked.item()
    assert types[0] is types[1] and before == 0
    assert kind in str(caught.value) or "batch_norm" in str(caught.value)
    assert f"{len(shape)}D" in str(caught.value) or str(shape) in str(caught.value)


@pytest.mark.parametrize("eps", [0.0, -1.0])
def test_eps_must_be_positive_in_training_only(eps):
    x = np.array([[1.0, 2.0], [3.0, 5.0]])
    for lib in (torch, mt):
        with pytest.raises(ValueError, match="eps"):
            lib.nn.functional.batch_norm(lib.from_numpy(x), None, None, training=True, eps=eps)
    if eps == 0:
        mean, var = np.zeros(2), np.full(2, 4.0)
        ys = [lib.nn.functional.batch_norm(*map(lib.from_numpy, (x, mean, var)), eps=eps) for lib in (torch, mt)]
        np.testing.assert_allclose(np.asarray(ys[1]), ys[0].numpy(), rtol=1e-15)


def test_an_empty_batch():
    """No rows give no rows and move no statistics; PyTorch counts them as a batch all the same."""
    for training in (False, True):
        results = []
        for lib in (torch, mt):
            bn = lib.nn.BatchNorm1d(3).train(training)
            y = bn(lib.zeros(0, 3))
            y.sum().backward()
            state = [np.asarray(b).tolist() for b in bn.buffers()]
            results.append((tuple(y.shape), np.asarray(bn.weight.grad).tolist(), state))
        assert results[0] == results[1], training
