"""nn.utils: folding a BatchNorm into the layer before it, clipping, parameters as a vector."""

import math

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn.nn.utils import fusion
from minitorch_bn.ops.conv import Conv2d

utils = mt.nn.utils


# ---- folding


def settled(module, rng, dtype):
    """The module in eval mode, with random parameters and running statistics: nothing is 0 or 1."""
    for name, t in module.to(dtype).eval().state_dict().items():
        if name != "num_batches_tracked":
            draws = rng.uniform(0.3, 3.0, t.shape) if name.endswith("var") else rng.normal(0.5, 1.0, t.shape)
            t.copy_(mt.from_numpy(np.asarray(draws)))
    return module


def magnitude(layer, bn, x):
    """For every number of the output, the sum of the sizes of all terms that it is made of, in float64."""
    arrays = [np.abs(t.numpy().astype(np.float64)) for t in (x, layer.weight.detach())]
    if isinstance(layer, mt.nn.Conv2d):
        op = Conv2d(layer.stride, layer.padding, layer.dilation, layer.groups)
        terms, lined_up = op.forward(*arrays, None), (-1, 1, 1)
    else:
        terms, lined_up = arrays[0] @ arrays[1].T, (-1,)
    scale = 1 / np.sqrt(bn.running_var.numpy().astype(np.float64) + bn.eps)
    constant = np.abs(bn.running_mean.numpy())
    if layer.bias is not None:
        constant = constant + np.abs(layer.bias.detach().numpy())
    if bn.weight is not None:
        scale = scale * np.abs(bn.weight.detach().numpy())
    shift = 0.0 if bn.bias is None else np.abs(bn.bias.detach().numpy()).reshape(lined_up)
    return scale.reshape(lined_up) * (terms + constant.reshape(lined_up)) + shift


def check_fold(layer, bn, fold, shape, rng, dtype):
    """The folded layer gives what layer and BatchNorm give, to rounding; both stay as they were.

    Every output is a sum of K products, the bias, the mean and beta. In either order of computation each term passes at
    most K + 8 roundings of relative size eps / 2: K to add up, and those of the products, of rsqrt(var + eps), gamma,
    and of the subtraction. So each way is off by at most (K + 8) eps / 2 times the sum of the sizes of the terms, and
    they are (K + 8) eps apart (Higham 2002, section 3.1).
    """
    layer, bn = settled(layer, rng, dtype), settled(bn, rng, dtype)
    before = [t.clone() for module in (layer, bn) for t in module.state_dict().values()]
    fused = fold(layer, bn)
    x = mt.from_numpy(rng.normal(size=shape)).to(dtype)

    want, got = bn(layer(x)).detach().numpy(), fused(x).detach().numpy()
    K = layer.weight.numel() // len(layer.weight)
    bound = (K + 8) * np.finfo(want.dtype).eps * magnitude(layer, bn, x)
    assert got.dtype == want.dtype == dtype.numpy
    assert (np.abs(got.astype(np.float64) - want) <= bound).all(), np.abs(got - want).max()

    after = [t for module in (layer, bn) for t in module.state_dict().values()]
    assert all(mt.equal(a, b) for a, b in zip(after, before, strict=True))
    assert type(fused) is type(layer) and fused is not layer and not fused.training
    assert not np.shares_memory(fused.weight.array, layer.weight.array)


CONVS = {
    "plain": {},
    "stride": {"stride": 2},
    "padding": {"padding": (1, 2)},
    "dilation": {"dilation": 2},
    "groups": {"groups": 2},
    "depthwise": {"groups": 6, "padding": 1},
}
BNS = {"affine": {}, "no_affine": {"affine": False}, "no_beta": {"bias": False}, "large_eps": {"eps": 0.5}}


@pytest.mark.parametrize("dtype", [mt.float64, mt.float32], ids=str)
@pytest.mark.parametrize("bn", BNS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("conv", CONVS)
def test_folded_convolution(conv, bias, bn, dtype, rng):
    layer = mt.nn.Conv2d(6, 6, 3, bias=bias, **CONVS[conv])
    check_fold(layer, mt.nn.BatchNorm2d(6, **BNS[bn]), utils.fuse_conv_bn_eval, (2, 6, 9, 8), rng, dtype)


@pytest.mark.parametrize("dtype", [mt.float64, mt.float32], ids=str)
@pytest.mark.parametrize("bn", BNS)
@pytest.mark.parametrize("bias", [True, False])
def test_folded_linear(bias, bn, dtype, rng):
    """PyTorch folds a BatchNorm without affine into a convolution only; here linear layers take it, too."""
    layer = mt.nn.Linear(7, 5, bias=bias)
    check_fold(layer, mt.nn.BatchNorm1d(5, **BNS[bn]), utils.fuse_linear_bn_eval, (9, 7), rng, dtype)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("conv", CONVS)
def test_largest_difference_in_float32(conv, bias, rng, capsys):
    """At most 1e-6 of the output's range, on random filters; and what is printed is that, and positive."""
    conv = settled(mt.nn.Conv2d(6, 12, 3, bias=bias, **CONVS[conv]), rng, mt.float32)
    bn = settled(mt.nn.BatchNorm2d(12), rng, mt.float32)
    x = mt.from_numpy(rng.normal(size=(8, 6, 12, 11)).astype(np.float32))
    fused = utils.fuse_conv_bn_eval(conv, bn, check=x)
    check_report("fuse_conv_bn_eval", conv, bn, fused, x, capsys)


@pytest.mark.parametrize("bias", [True, False])
def test_largest_difference_of_a_linear_layer_in_float32(bias, rng, capsys):
    linear = settled(mt.nn.Linear(200, 50, bias=bias), rng, mt.float32)
    bn = settled(mt.nn.BatchNorm1d(50), rng, mt.float32)
    x = mt.from_numpy(rng.normal(size=(64, 200)).astype(np.float32))
    fused = utils.fuse_linear_bn_eval(linear, bn, check=x)
    check_report("fuse_linear_bn_eval", linear, bn, fused, x, capsys)


def check_report(name, layer, bn, fused, x, capsys):
    y, folded = bn(layer(x)).detach().numpy(), fused(x).detach().numpy()
    largest, spread = np.abs(folded - y).max(), y.max() - y.min()
    said = capsys.readouterr().out
    assert 0 < largest / spread <= 1e-6
    want = f"{name}: largest difference {largest:.3g}, {largest / spread:.3g} of the output's range {spread:.3g}\n"
    assert said == want


def test_nothing_is_printed_unless_asked(rng, capsys):
    utils.fuse_linear_bn_eval(settled(mt.nn.Linear(7, 5), rng, mt.float64), mt.nn.BatchNorm1d(5).double().eval())
    assert capsys.readouterr().out == ""


def test_a_wrong_folding_is_seen_in_the_difference(rng):
    layer, bn = settled(mt.nn.Linear(7, 5), rng, mt.float64), settled(mt.nn.BatchNorm1d(5), rng, mt.float64)
    fused = utils.fuse_linear_bn_eval(layer, bn)
    x = mt.from_numpy(rng.normal(size=(9, 7)))
    assert fusion.difference(layer, bn, fused, x).relative < 1e-14
    fused.bias.detach().add_(0.25)
    assert np.isclose(fusion.difference(layer, bn, fused, x).largest, 0.25)


def test_relative_difference_of_a_constant_output():
    assert fusion.Difference(0.0, 0.0).relative == 0 and fusion.Difference(1e-9, 0.0).relative == math.inf


def test_both_modules_must_be_in_eval_mode(rng):
    for train_layer, train_bn, named in ((True, False, "Conv2d"), (False, True, "BatchNorm2d")):
        conv, bn = mt.nn.Conv2d(2, 3, 3).train(train_layer), mt.nn.BatchNorm2d(3).train(train_bn)
        with pytest.raises(AssertionError, match=f"the {named} is in train mode"):
            utils.fuse_conv_bn_eval(conv, bn)


def test_a_layer_of_other_channels_or_without_statistics_is_refused():
    conv = mt.nn.Conv2d(3, 4, 3).eval()
    with pytest.raises(RuntimeError, match="BatchNorm2d of 4 features, as many as the Conv2d puts out, got 5"):
        utils.fuse_conv_bn_eval(conv, mt.nn.BatchNorm2d(5).eval())
    with pytest.raises(AttributeError, match="a GroupNorm has no running_mean; only layers with running statistics"):
        utils.fuse_conv_bn_eval(conv, mt.nn.GroupNorm(2, 4).eval())
    with pytest.raises(AttributeError, match="LayerNorm"):
        utils.fuse_linear_bn_eval(mt.nn.Linear(3, 4).eval(), mt.nn.LayerNorm(4).eval())


def test_an_instance_norm_with_running_statistics_folds(rng):
    norm = mt.nn.InstanceNorm2d(4, affine=True, track_running_stats=True)
    check_fold(mt.nn.Conv2d(3, 4, 3), norm, utils.fuse_conv_bn_eval, (2, 3, 6, 5), rng, mt.float64)


def broken(change):
    """_scale_and_bias with one mistake."""

    def mutant(b, mean, var, eps, gamma, beta):
        b = mt.zeros_like(mean) if b is None else b
        gamma = mt.ones_like(mean) if gamma is None else gamma
        beta = mt.zeros_like(mean) if beta is None else beta
        return change(b, mean, (var + eps).rsqrt(), (var + eps).sqrt() + 0 * var, gamma, beta, var, eps)

    return mutant


MISTAKES = {
    "bias_not_scaled": lambda b, mean, inv, std, gamma, beta, var, eps: (gamma * inv, b - gamma * inv * mean + beta),
    "bias_forgotten": lambda b, mean, inv, std, gamma, beta, var, eps: (gamma * inv, beta - gamma * inv * mean),
    "mean_not_scaled": lambda b, mean, inv, std, gamma, beta, var, eps: (gamma * inv, gamma * inv * b - mean + beta),
    "mean_added": lambda b, mean, inv, std, gamma, beta, var, eps: (gamma * inv, gamma * inv * (b + mean) + beta),
    "beta_scaled": lambda b, mean, inv, std, gamma, beta, var, eps: (gamma * inv, gamma * inv * (b - mean + beta)),
    "no_gamma": lambda b, mean, inv, std, gamma, beta, var, eps: (inv, inv * (b - mean) + beta),
    "times_std": lambda b, mean, inv, std, gamma, beta, var, eps: (gamma * std, gamma * std * (b - mean) + beta),
    "no_eps": lambda b, mean, inv, std, gamma, beta, var, eps: (
        gamma * var.rsqrt(), gamma * var.rsqrt() * (b - mean) + beta
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["conv", "linear"])
@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_in_folding_is_noticed(name, kind, rng, monkeypatch):
    monkeypatch.setattr(fusion, "_scale_and_bias", broken(MISTAKES[name]))
    with pytest.raises(AssertionError):
        if kind == "conv":
            layer, bn = mt.nn.Conv2d(6, 6, 3), mt.nn.BatchNorm2d(6)
            check_fold(layer, bn, utils.fuse_conv_bn_eval, (2, 6, 5, 5), rng, mt.float64)
        else:
            layer, bn = mt.nn.Linear(7, 5), mt.nn.BatchNorm1d(5)
            check_fold(layer, bn, utils.fuse_linear_bn_eval, (9, 7), rng, mt.float64)


def test_folding_without_a_mistake_is_accepted(rng, monkeypatch):
    right = lambda b, mean, inv, std, gamma, beta, var, eps: (gamma * inv, gamma * inv * (b - mean) + beta)
    monkeypatch.setattr(fusion, "_scale_and_bias", broken(right))
    check_fold(mt.nn.Linear(7, 5), mt.nn.BatchNorm1d(5), utils.fuse_linear_bn_eval, (9, 7), rng, mt.float64)


def test_an_unscaled_bias_is_invisible_without_bias(rng, monkeypatch):
    """Why the classic mistake survives: convolutions before a BatchNorm mostly have no bias."""
    monkeypatch.setattr(fusion, "_scale_and_bias", broken(MISTAKES["bias_not_scaled"]))
    layer = mt.nn.Conv2d(6, 6, 3, bias=False)
    check_fold(layer, mt.nn.BatchNorm2d(6), utils.fuse_conv_bn_eval, (2, 6, 5, 5), rng, mt.float64)


def test_a_whole_model_folds_and_learns_no_more_of_statistics(rng):
    """conv, bn, relu, linear, bn: two layers fewer and the same numbers; train mode then changes nothing."""
    conv, bn2 = settled(mt.nn.Conv2d(2, 3, 3), rng, mt.float64), settled(mt.nn.BatchNorm2d(3), rng, mt.float64)
    linear, bn1 = settled(mt.nn.Linear(12, 4), rng, mt.float64), settled(mt.nn.BatchNorm1d(4), rng, mt.float64)
    flat = mt.nn.Flatten()
    model = mt.nn.Sequential(conv, bn2, mt.nn.ReLU(), flat, linear, bn1).eval()
    folded = mt.nn.Sequential(
        utils.fuse_conv_bn_eval(conv, bn2), mt.nn.ReLU(), flat, utils.fuse_linear_bn_eval(linear, bn1)
    )
    x = mt.from_numpy(rng.normal(size=(3, 2, 4, 4)))
    assert mt.allclose(folded(x), model(x), rtol=1e-12, atol=1e-12)
    assert mt.equal(folded.train()(x), folded.eval()(x))


@pytest.mark.parametrize("name", ["KERAS", "MAKEMORE_BY_HAND", "CHAINER"])
def test_other_conventions_fold_as_they_normalise(name, rng):
    bn = mt.nn.BatchNorm1d(5, convention=getattr(mt.nn.convention.Convention, name))
    layer, bn = settled(mt.nn.Linear(7, 5), rng, mt.float64), settled(bn, rng, mt.float64)
    x = mt.from_numpy(rng.normal(size=(9, 7)))
    assert mt.allclose(utils.fuse_linear_bn_eval(layer, bn)(x), bn(layer(x)), rtol=1e-12, atol=1e-12)


def test_one_feature_gives_every_output_a_bias(rng):
    """PyTorch's bias has one element then, which its linear broadcasts; here it has one per output."""
    layer = settled(mt.nn.Linear(7, 5, bias=False), rng, mt.float64)
    bn = settled(mt.nn.BatchNorm1d(1), rng, mt.float64)
    x = mt.from_numpy(rng.normal(size=(9, 7)))
    fused = utils.fuse_linear_bn_eval(layer, bn)
    assert fused.bias.shape == (5,)
    assert mt.allclose(fused(x), bn(layer(x).unsqueeze(1)).squeeze(1), rtol=1e-12, atol=1e-12)


def test_folded_parameters_start_a_graph_of_their_own(rng):
    layer = settled(mt.nn.Linear(7, 5), rng, mt.float64)
    fused = utils.fuse_linear_bn_eval(layer, settled(mt.nn.BatchNorm1d(5), rng, mt.float64))
    fused(mt.ones(2, 7, dtype=mt.float64)).sum().backward()
    assert fused.weight.is_leaf and fused.weight.grad is not None and fused.bias.grad is not None
    assert layer.weight.grad is None


# ---- clipping


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, math.inf])
def test_clipping_keeps_the_direction(p, rng):
    ws = [mt.zeros(3, 4, requires_grad=True), mt.zeros(5, requires_grad=True)]
    for w in ws:
        w.grad = mt.from_numpy(rng.normal(size=w.shape).astype(np.float32))
    before = np.concatenate([w.grad.numpy().ravel() for w in ws])
    total = utils.clip_grad_norm_(ws, 0.25, p)
    after = np.concatenate([w.grad.numpy().ravel() for w in ws])
    assert np.isclose(total.item(), np.linalg.norm(before, p), rtol=1e-6)
    np.testing.assert_allclose(after, before * (0.25 / (total.item() + 1e-6)), rtol=1e-6)
    assert np.linalg.norm(after, p) <= 0.25


def test_clipping_writes_into_the_gradients_memory():
    """A gradient that someone holds is the one that is clipped."""
    w = mt.zeros(2, requires_grad=True)
    w.grad = held = mt.tensor([30.0, 40.0])
    utils.clip_grad_norm_(w, 5.0)
    assert np.allclose(held.numpy(), [3.0, 4.0])
    utils.clip_grad_value_([w], 3.5)
    assert np.allclose(held.numpy(), [3.0, 3.5])


def test_an_exhausted_generator_is_a_warning():
    with pytest.warns(UserWarning, match="clip_grad_norm_: got an empty generator"):
        assert utils.clip_grad_norm_((p for p in ()), 1.0).item() == 0


def test_a_vector_that_is_too_short_changes_nothing():
    parameters = [mt.ones(2, requires_grad=True), mt.ones(3, requires_grad=True)]
    with pytest.raises(RuntimeError, match="have 5 elements, vec only 4"):
        utils.vector_to_parameters(mt.zeros(4), parameters)
    assert all(mt.equal(p.detach(), mt.ones(len(p))) for p in parameters)
