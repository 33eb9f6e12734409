"""Three backwards in one layer, the paths of dx, and the conventions of other implementations."""

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn.nn import convention as conventions
from minitorch_bn.nn.batchnorm import BatchNorm1d, BatchNorm2d
from minitorch_bn.nn.convention import Convention
from minitorch_bn.ops import batchnorm_variants
from tests.ops import checks
from tests.ops.table import Case, normal

SHAPES = {"2d": (7, 3), "3d": (4, 3, 5), "4d": (2, 3, 4, 5)}


def layer_and_batch(shape, mode, dtype=mt.float64, **settings):
    rng = np.random.default_rng(3)
    kind = BatchNorm2d if len(shape) == 4 else BatchNorm1d
    layer = kind(shape[1], dtype=dtype, **settings)
    layer.weight.data.copy_(mt.tensor(rng.uniform(0.5, 2, shape[1])))
    layer.bias.data.copy_(mt.tensor(rng.normal(size=shape[1])))
    layer.backward_mode = mode
    x = mt.tensor(rng.normal(2, 3, shape), dtype=dtype, requires_grad=True)
    return layer, x, mt.tensor(rng.normal(size=shape), dtype=dtype)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("mode", ["closed", "paper", "graph"])
@pytest.mark.parametrize("momentum", [0.1, None])
def test_all_modes_are_pytorch(torch, shape, mode, momentum):
    layer, x, dy = layer_and_batch(shape, mode, momentum=momentum)
    theirs = getattr(torch.nn, type(layer).__name__)(shape[1], momentum=momentum, dtype=torch.float64)
    theirs.load_state_dict({k: torch.tensor(v.numpy()) for k, v in layer.state_dict().items()})
    for scale in (1.0, 3.0):
        x.grad = None
        layer.zero_grad()
        theirs.zero_grad()
        other = torch.tensor(x.array * scale, requires_grad=True)
        ((layer(x * scale)) * dy).sum().backward()
        y = theirs(other)
        y.backward(torch.tensor(dy.array))
        checks.assert_close("dx", x.grad_array, other.grad.numpy() * scale)
        checks.assert_close("dgamma", layer.weight.grad_array, theirs.weight.grad.numpy())
        checks.assert_close("dbeta", layer.bias.grad_array, theirs.bias.grad.numpy())
    for name, buffer in theirs.named_buffers():
        checks.assert_close(name, getattr(layer, name).array, buffer.numpy())
    checks.assert_close("eval", layer.eval()(x).array, theirs.eval()(torch.tensor(x.array)).detach().numpy())


@pytest.mark.parametrize("mode", ["closed", "paper", "graph"])
def test_modes_keep_float32(mode):
    layer, x, dy = layer_and_batch((6, 3), mode, mt.float32)
    y = layer(x)
    y.backward(dy)
    assert {a.dtype for a in (y.array, x.grad_array, layer.weight.grad_array, layer.running_var.array)} == {
        np.dtype(np.float32)
    }


def test_graph_mode_shows_its_ops():
    layer, x, _ = layer_and_batch((6, 3), "graph")
    assert len(mt.engine.graph(layer(x))) > 8
    layer.backward_mode = "closed"
    assert len(mt.engine.graph(layer(x))) == 1


def test_unknown_mode():
    with pytest.raises(ValueError, match=r"backward_mode.*closed.*got 'fast'"):
        BatchNorm1d(3).backward_mode = "fast"
    with pytest.raises(ValueError, match=r"paper.*biased"):
        BatchNorm1d(3, convention=Convention.MAKEMORE).backward_mode = "paper"


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_paths_sum_to_dx_and_lie_where_they_should(shape):
    layer, x, dy = layer_and_batch(shape, "closed")
    layer(x).backward(dy)
    parts = layer.paths(dy)
    axes = tuple(i for i in range(len(shape)) if i != 1)
    scale = np.abs(x.grad_array).max()
    assert np.abs(parts.dx.array - x.grad_array).max() <= 1e-14 * scale
    x_hat = (x.array - x.array.mean(axes, keepdims=True)) / x.array.std(axes, keepdims=True)
    assert np.abs(x.grad_array.sum(axes)).max() <= 1e-12 * scale  # orthogonal to 1
    # to x_hat, but for eps: 1 - var / (var + eps) is about 1e-6 here
    assert np.abs((x.grad_array * x_hat).sum(axes)).max() <= 1e-4 * scale
    assert np.ptp(parts.through_mean.array, axis=axes).max() == 0
    ratio = parts.through_var.array / x_hat
    assert np.ptp(ratio, axis=axes).max() <= 1e-12 * np.abs(ratio).max()
    assert "|through_var|" in repr(parts)


def test_paths_in_eval_mode_and_without_a_batch():
    layer, x, dy = layer_and_batch((6, 3), "closed")
    with pytest.raises(RuntimeError, match="seen no batch"):
        layer.paths(dy)
    layer.eval()(x).backward(dy)
    parts = layer.paths(dy)
    assert np.array_equal(parts.direct.array, x.grad_array) and not parts.through_mean.array.any()
    with pytest.raises(RuntimeError, match=r"\(2, 3\).*\(6, 3\)"):
        layer.paths(dy[:2])


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("dtype", [mt.float64, mt.float32])
def test_crosscheck_agrees_and_changes_nothing(shape, affine, dtype):
    layer = (BatchNorm2d if len(shape) == 4 else BatchNorm1d)(shape[1], affine=affine, dtype=dtype)
    x, dy = mt.randn(shape, dtype=dtype), mt.randn(shape, dtype=dtype)
    before = {name: b.clone() for name, b in layer.named_buffers()}
    report = layer.crosscheck(x, dy)
    assert report and "central differences" in repr(report), report
    assert all(mt.equal(b, before[name]) for name, b in layer.named_buffers())
    assert x.grad is None and all(p.grad is None for p in layer.parameters())


def test_crosscheck_notices(monkeypatch):
    layer, x, dy = layer_and_batch((6, 3), "closed")
    assert layer.crosscheck(x, dy)
    plain = batchnorm_variants.StagedBatchNorm.backward
    monkeypatch.setattr(
        batchnorm_variants.StagedBatchNorm,
        "backward",
        lambda self, dy: (plain(self, dy)[0] * 1.001, *plain(self, dy)[1:]),
    )
    report = layer.crosscheck(x, dy)
    assert not report and "too far" in repr(report)
    with pytest.raises(RuntimeError, match="dy of shape"):
        layer.crosscheck(x, dy[:2])
    with pytest.raises(ValueError, match="more than 1 value"):
        layer.crosscheck(x[:1], dy[:1])


# ---- conventions


def as_written(convention, x, gamma, beta, running, steps):
    """What the implementation's own formulas give, in NumPy: y, running mean, running var, eval y."""
    mean_running, var_running = running
    c = convention
    for k in range(steps):
        mean, biased, unbiased = x.mean(0), x.var(0), x.var(0, ddof=1)
        used = {"biased": biased, "unbiased": unbiased}[c.normalises_by]
        std = np.sqrt(used + c.eps) if c.eps_inside else np.sqrt(used) + c.eps
        y = (x - mean) / std * gamma + beta
        stored = {"biased": biased, "unbiased": unbiased, "std": np.sqrt(unbiased)}[c.stores]
        keep, new = (k / (k + 1), 1 / (k + 1)) if c.momentum is None else (1 - c.momentum, c.momentum)
        if c.momentum_weighs == "old":
            keep, new = new, keep
        mean_running, var_running = keep * mean_running + new * mean, keep * var_running + new * stored
    var = var_running**2 if c.stores == "std" else var_running
    std = np.sqrt(var + c.eps) if c.eps_inside else np.sqrt(var) + c.eps
    return y, mean_running, var_running, (x - mean_running) / std * gamma + beta


@pytest.mark.parametrize("convention", conventions.ALL, ids=str)
@pytest.mark.parametrize("mode", ["closed", "graph"])
def test_layer_follows_its_convention(convention, mode, rng):
    layer = BatchNorm1d(3, convention=convention, dtype=mt.float64)
    layer.backward_mode = mode
    gamma, beta, x = rng.uniform(0.5, 2, 3), rng.normal(size=3), rng.normal(2, 3, (5, 3))
    layer.weight.data.copy_(mt.tensor(gamma))
    layer.bias.data.copy_(mt.tensor(beta))
    start = np.zeros(3), np.full(3, convention.running_var_start)
    for _ in range(3):
        y = layer(mt.tensor(x))
    wanted = as_written(convention, x, gamma, beta, start, 3)
    got = y.array, layer.running_mean.array, layer.running_var.array, layer.eval()(mt.tensor(x)).array
    for name, a, b in zip(("y", "running_mean", "running_var", "eval y"), got, wanted, strict=True):
        checks.assert_close(f"{convention} {name}", a, b)
    assert f"convention={convention.name}" in repr(layer)


@pytest.mark.parametrize("convention", conventions.ALL, ids=str)
def test_gradients_under_a_convention(convention):
    case = Case(
        f"{convention}/layer",
        lambda L, x: BatchNorm1d(3, convention=convention, affine=False, dtype=mt.float64)(x),
        (normal(6, 3),),
    )
    checks.check_differences(case)
    case = Case(
        f"{convention}/eval",
        lambda L, x: BatchNorm1d(3, convention=convention, affine=False, dtype=mt.float64).eval()(x) * 1e-3,
        (normal(6, 3),),
    )
    checks.check_differences(case)


def test_the_pytorch_convention_is_the_layer_without():
    x, plain, said = mt.randn(6, 3), BatchNorm1d(3), BatchNorm1d(3, convention=Convention.PYTORCH)
    assert mt.equal(plain(x), said(x)) and mt.equal(plain.running_var, said.running_var)


def test_a_convention_replaces_defaults_only():
    assert BatchNorm1d(3, convention=Convention.KERAS).momentum == 0.99
    assert BatchNorm1d(3, convention=Convention.KERAS).eps == 1e-3
    assert BatchNorm1d(3, momentum=0.1, eps=1e-5, convention=Convention.KERAS).momentum == 0.1
    assert BatchNorm1d(3, momentum=0.1, eps=1e-5, convention=Convention.KERAS).eps == 1e-5
    assert type(BatchNorm1d(3).momentum) is float


def test_a_convention_with_unknown_words():
    with pytest.raises(ValueError, match=r"momentum_weighs.*'new', 'old'.*got 'both'"):
        Convention("X", momentum_weighs="both")
    with pytest.raises(ValueError, match="stores"):
        Convention("X", stores="range")
