"""LayerNorm, GroupNorm, InstanceNorm, RMSNorm: training side by side with PyTorch, and what must hold of them."""

import itertools

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn.ops.groupnorm import GroupNorm
from minitorch_bn.ops.instancenorm import InstanceNorm
from minitorch_bn.ops.layernorm import LayerNorm
from tests.ops.batchnorm_checks import assert_same_run, assert_same_state
from tests.ops.checks import assert_close

F = mt.nn.functional
EPS32 = float(np.finfo(np.float32).eps)


def pair(torch, kind, args, settings, rng):
    """A float64 layer of each library with the same random parameters and running statistics."""
    ours = getattr(mt.nn, kind)(*args, **settings, dtype=mt.float64)
    theirs = getattr(torch.nn, kind)(*args, **settings, dtype=torch.float64)
    for name, want in theirs.state_dict().items():
        if name != "num_batches_tracked":
            values = rng.uniform(0.5, 2.0, tuple(want.shape))
            ours.state_dict()[name].copy_(mt.from_numpy(values))
            want.copy_(torch.from_numpy(values))
    return ours, theirs


def check(torch, kind, args, shape, settings, rng, modes=(True, True, False, True, False)):
    """Steps in these modes: y, dx and the parameters' gradients to 1e-12, the state, names and repr."""
    ours, theirs = pair(torch, kind, args, settings, rng)
    assert repr(ours) == repr(theirs)
    for training in modes:
        x = rng.normal(rng.normal(), rng.uniform(1, 3), shape)
        assert_same_run(ours.train(training), theirs.train(training), x, rng.normal(size=shape))
        assert_same_state(ours, theirs)


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("eps", [1e-5, 0.5])
@pytest.mark.parametrize(
    ("wanted", "shape"), [(6, (4, 6)), (6, (2, 3, 6)), ((3, 6), (2, 3, 6)), ([2, 3, 6], (2, 3, 6))]
)
def test_layer_norm_is_pytorchs(torch, rng, wanted, shape, eps, bias, affine):
    check(torch, "LayerNorm", (wanted,), shape, {"eps": eps, "elementwise_affine": affine, "bias": bias}, rng)


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("eps", [1e-5, 0.5])
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 4, 3, 2), (2, 4, 2, 2, 3)], ids=str)
def test_group_norm_is_pytorchs(torch, rng, groups, shape, eps, bias, affine):
    check(torch, "GroupNorm", (groups, 4), shape, {"eps": eps, "affine": affine, "bias": bias}, rng, (True, False))


INSTANCE = list(itertools.product([True, False], [True, False], [0.1, 0.9, None], [1e-5, 0.5]))


@pytest.mark.parametrize(("affine", "tracked", "momentum", "eps"), INSTANCE)
@pytest.mark.parametrize(
    ("kind", "size"), [("InstanceNorm1d", (6,)), ("InstanceNorm2d", (2, 3)), ("InstanceNorm3d", (2, 2, 2))]
)
def test_instance_norm_is_pytorchs(torch, rng, kind, size, affine, tracked, momentum, eps):
    settings = {"affine": affine, "track_running_stats": tracked, "momentum": momentum, "eps": eps}
    for shape in ((4, 3, *size), (3, *size)):
        check(torch, kind, (3,), shape, settings, rng)


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("eps", [None, 1e-5, 0.5])
@pytest.mark.parametrize(("wanted", "shape"), [(6, (4, 6)), ((3, 6), (2, 3, 6))])
def test_rms_norm_is_pytorchs(torch, rng, wanted, shape, eps, affine):
    check(torch, "RMSNorm", (wanted,), shape, {"eps": eps, "elementwise_affine": affine}, rng, (True, False))


# ---- what must hold, with or without PyTorch


def test_every_op_says_which_axes_share_a_mean(rng):
    """axes, counted in the shape of x_hat: what varies along them has mean 0 and (but for eps) variance 1."""
    x = rng.normal(3.0, 2.0, (4, 6, 5, 7))
    for op, axes, m in ((LayerNorm(2), (2, 3), 35), (LayerNorm(3), (1, 2, 3), 210), (InstanceNorm(), (2, 3), 35)):
        op.needs = [True] * 3
        op.forward(x, None, None)
        assert (op.axes, op.m) == (axes, m)
    op = GroupNorm(3)
    op.needs = [True] * 3
    op.forward(x, None, None)
    assert (op.view, op.axes, op.m) == ((4, 3, 2, 35), (2, 3), 70)
    np.testing.assert_allclose(op.x_hat.mean(op.axes), 0, atol=1e-13)
    np.testing.assert_allclose(op.x_hat.var(op.axes), 1, atol=1e-4)
    assert op.mean.shape == op.var.shape == (4, 3, 1, 1)


def both(f, *arrays):
    """f's result and the gradients of sum(result * fixed numbers)."""
    ts = [mt.from_numpy(a.copy()).requires_grad_() for a in arrays]
    y = f(*ts)
    y.backward(mt.from_numpy(np.random.default_rng(7).normal(size=y.shape)))
    return [y.detach().numpy(), *(t.grad.numpy() for t in ts)]


def equal(got, want):
    """All arrays alike, whatever their shapes, to 1e-12 of the largest."""
    for g, w in zip(got, want, strict=True):
        assert_close("result", g.reshape(w.shape), w)


def test_group_norm_of_as_many_groups_as_channels_is_instance_norm(rng):
    arrays = rng.normal(size=(3, 4, 5, 6)), rng.normal(size=4), rng.normal(size=4)
    equal(
        both(lambda x, g, b: F.group_norm(x, 4, g, b), *arrays),
        both(lambda x, g, b: F.instance_norm(x, None, None, g, b), *arrays),
    )


def test_group_norm_of_one_group_is_layer_norm_of_the_sample(rng):
    x = rng.normal(size=(3, 4, 5, 6))
    equal(both(lambda x: F.group_norm(x, 1), x), both(lambda x: F.layer_norm(x, x.shape[1:]), x))


def test_instance_norm_is_batch_norm_of_single_samples(rng):
    x, g, b = rng.normal(size=(3, 4, 5)), rng.normal(size=4), rng.normal(size=4)
    mine = both(lambda x, g, b: F.instance_norm(x, None, None, g, b), x, g, b)
    one = lambda x, g, b: mt.cat([F.batch_norm(t.unsqueeze(0), None, None, g, b, True) for t in x.unbind(0)])
    equal(mine, both(one, x, g, b))


def test_batch_norm_of_one_long_sample_is_instance_norm_of_samples_as_channels(rng):
    """How PyTorch computes InstanceNorm: N * C channels in a batch of one."""
    x = rng.normal(size=(3, 4, 5))
    equal(
        both(F.instance_norm, x),
        both(lambda x: F.batch_norm(x.reshape(1, 12, 5), None, None, training=True).reshape(3, 4, 5), x),
    )


def test_layer_norm_of_a_centred_row_is_rms_norm(rng):
    x = rng.normal(size=(5, 8))
    x -= x.mean(1, keepdims=True)
    got, want = (f(mt.from_numpy(x), (8,), eps=1e-5).numpy() for f in (F.layer_norm, F.rms_norm))
    assert_close("y", got, want)


@pytest.mark.parametrize(
    "f",
    [
        lambda x, *p: F.layer_norm(x, (6,), *p),
        lambda x, *p: F.group_norm(x, 2, *p),
        lambda x, *p: F.instance_norm(x, None, None, *p),
    ],
    ids=["layer", "group", "instance"],
)
def test_only_beta_is_gamma_of_one(rng, f):
    """Compared with gamma = 1, because PyTorch 2.13 crashes in the backward of group_norm without weight."""
    x, b = rng.normal(size=(3, 6, 6)), rng.normal(size=6)
    equal(both(lambda x, b: f(x, None, b), x, b), both(lambda x, b: f(x, mt.ones(6, dtype=mt.float64), b), x, b))


@pytest.mark.parametrize(
    ("f", "shifts"),
    [
        (lambda x: F.layer_norm(x, (8,), eps=0.0), True),
        (lambda x: F.group_norm(x, 2, eps=0.0), True),
        (lambda x: F.instance_norm(x, eps=0.0), True),
        (lambda x: F.rms_norm(x, (8,), eps=0.0), False),
    ],
    ids=["layer", "group", "instance", "rms"],
)
def test_what_each_cannot_see(rng, f, shifts):
    """Scaling changes nothing, a shift nothing but in RMSNorm; so dx is orthogonal to x and, but for RMSNorm, to 1."""
    x = rng.normal(size=(3, 4, 8))
    y = f(mt.from_numpy(x)).numpy()
    assert_close("scaled", f(mt.from_numpy(3 * x)).numpy(), y)
    moved = f(mt.from_numpy(x + 5)).numpy()
    assert np.allclose(moved, y, rtol=0, atol=1e-12) == shifts
    _, dx = both(f, x)
    size = np.abs(dx).sum()
    assert abs((dx * x).sum()) < 1e-13 * size
    assert (abs(dx.sum()) < 1e-13 * size) == shifts


def test_samples_do_not_see_one_another(rng):
    """But in BatchNorm. What BatchNorm's batch gives to a sample, the others' gradients show."""
    x = rng.normal(size=(4, 6, 5))
    for f, mixes in (
        (lambda x: F.layer_norm(x, (6, 5)), False),
        (lambda x: F.group_norm(x, 3), False),
        (F.instance_norm, False),
        (lambda x: F.rms_norm(x, (5,)), False),
        (lambda x: F.batch_norm(x, None, None, training=True), True),
    ):
        t = mt.from_numpy(x.copy()).requires_grad_()
        (f(t)[0] ** 3).sum().backward()
        assert bool(np.abs(t.grad.numpy()[1:]).max() > 1e-6) == mixes


@pytest.mark.parametrize("offset", [1e2, 1e3, 1e4])
def test_large_offsets_in_float32(rng, offset):
    """Two passes: the error is that of the input's rounding, |offset| eps / std, not its square.

    x is rounded to float32 first, so that what is left is the formula's error. NumPy adds up to 64 values of size
    `offset` in 8 lanes: no value passes more than 11 additions, so their mean is off by at most 11 offset eps / 2. The
    difference to it is exact but for that, and is divided by a standard deviation of about 1. E[x^2] - E[x]^2 would
    be off by offset^2 eps: by more than the variance itself for offsets from 3e3 on.
    """
    x = rng.normal(offset, 1.0, (6, 8, 16)).astype(np.float32)
    bound = 8 * offset * EPS32 + 16 * EPS32
    for f in (lambda x: F.layer_norm(x, (16,)), lambda x: F.group_norm(x, 2), F.instance_norm):
        got, want = f(mt.from_numpy(x)).numpy(), f(mt.from_numpy(x.astype(np.float64))).numpy()
        assert got.dtype == np.float32
        assert np.abs(got - want).max() <= bound * np.abs(want).max()


def test_float16_is_computed_in_float32(rng):
    """Squares of 300 overflow float16 (65504); the result is rounded once: within half a unit, 2**-11."""
    x = rng.normal(0, 300.0, (4, 6, 32)).astype(np.float16)
    for f in (
        lambda x: F.layer_norm(x, (32,)),
        lambda x: F.group_norm(x, 2),
        F.instance_norm,
        lambda x: F.rms_norm(x, (32,)),
    ):
        got, want = f(mt.from_numpy(x)), f(mt.from_numpy(x.astype(np.float64))).numpy()
        assert got.dtype is mt.float16
        assert np.abs(got.numpy() - want).max() <= (2**-11 + 1e-6) * np.abs(want).max()


def test_running_statistics_of_instance_norm_by_hand(rng):
    """The mean over samples of each sample's mean and unbiased variance, not those of all values at once."""
    x = rng.normal(2.0, 3.0, (4, 3, 5))
    layer = mt.nn.InstanceNorm1d(3, track_running_stats=True, momentum=0.25, dtype=mt.float64)
    layer(mt.from_numpy(x))
    assert_close("mean", layer.running_mean.numpy(), 0.25 * x.mean((0, 2)))
    assert_close("var", layer.running_var.numpy(), 0.75 + 0.25 * x.var(2, ddof=1).mean(0))
    assert not np.allclose(layer.running_var.numpy(), 0.75 + 0.25 * x.var((0, 2), ddof=1))


def test_nothing_is_changed_by_an_error(rng):
    layer = mt.nn.InstanceNorm1d(3, affine=True, track_running_stats=True)
    before = {name: t.clone() for name, t in layer.state_dict().items()}
    for x in (mt.ones(2, 3, 1), mt.ones(2, 4, 5), mt.ones(2, 3, 5, dtype=mt.float64), mt.ones(2, 3, 5, dtype=mt.int64)):
        with pytest.raises((ValueError, RuntimeError)):
            layer(x)
    for name, t in layer.state_dict().items():
        assert mt.equal(t, before[name])


def test_other_channels_without_affine_are_a_warning():
    with pytest.warns(UserWarning, match=r"InstanceNorm2d: expected input's size at dim=1 to match num_features \(3\)"):
        mt.nn.InstanceNorm2d(3)(mt.randn(2, 4, 3, 3))


def test_gradients_flow_through_given_statistics_as_through_a_linear_map(rng):
    """In eval mode with running statistics dx is gamma * inv_std * dy: nothing is taken away."""
    layer = mt.nn.InstanceNorm1d(3, affine=True, track_running_stats=True, dtype=mt.float64).eval()
    layer.running_var.copy_(mt.tensor([1.0, 4.0, 9.0]))
    x = mt.from_numpy(rng.normal(size=(2, 3, 5))).requires_grad_()
    layer(x).sum().backward()
    assert_close("dx", x.grad.numpy(), np.broadcast_to(1 / np.sqrt(np.array([[1.0], [4.0], [9.0]]) + 1e-5), (2, 3, 5)))


@pytest.mark.parametrize(("affine", "training"), list(itertools.product([True, False], [True, False])))
def test_samples_without_positions_move_no_statistics(affine, training):
    layer = mt.nn.InstanceNorm1d(3, affine=affine, track_running_stats=True).train(training)
    layer(mt.randn(4, 3, 5))
    before = {name: t.clone() for name, t in layer.state_dict().items()}
    x = mt.ones(2, 3, 0, requires_grad=True)
    y = layer(x)
    y.sum().backward()
    assert y.shape == x.grad.shape == (2, 3, 0)
    assert all(mt.equal(t, before[name]) for name, t in layer.state_dict().items())
    for p in layer.parameters():
        assert mt.equal(p.grad, mt.zeros(3))


def test_no_samples_with_gamma_are_refused_before_anything_changes():
    layer = mt.nn.InstanceNorm1d(3, affine=True, track_running_stats=True)
    for training in (True, False):
        with pytest.raises(
            IndexError, match=r"instance_norm: got input of shape \(0, 3, 5\), wanted at least one sample"
        ):
            layer.train(training)(mt.ones(0, 3, 5))
    assert mt.equal(layer.running_mean, mt.zeros(3)) and mt.equal(layer.running_var, mt.ones(3))


NO_TENSORS = {
    "group_input": (lambda: F.group_norm([1.0, 2.0], 2), "group_norm: got list, wanted a Tensor"),
    "group_weight": (lambda: F.group_norm(mt.ones(2, 4), 2, [1.0] * 4), "group_norm: got list"),
    "group_bias": (lambda: F.group_norm(mt.ones(2, 4), 2, None, np.ones(4)), "group_norm: got ndarray"),
    "instance_input": (lambda: F.instance_norm(np.ones((2, 3, 4))), "instance_norm: got ndarray, wanted a Tensor"),
    "instance_weight": (lambda: F.instance_norm(mt.ones(2, 3, 4), weight=[1.0] * 3), "instance_norm: got list"),
    "instance_running": (lambda: F.instance_norm(mt.ones(2, 3, 4), [0.0] * 3, [1.0] * 3), "instance_norm: got list"),
    "instance_integers": (
        lambda: F.instance_norm(mt.ones(2, 3, 4), mt.zeros(3).long(), mt.ones(3).long()),
        "running statistics of int64 cannot be averaged",
    ),
    "response_input": (lambda: F.local_response_norm([[[1.0]]], 2), "local_response_norm: got list"),
    "layer_bool": (lambda: F.layer_norm(mt.ones(2, 1), (True,)), r"ints, got \(True,\)"),
    "rms_bool": (lambda: F.rms_norm(mt.ones(2, 1), (True,)), r"ints, got \(True,\)"),
    "rms_int": (lambda: F.rms_norm(mt.ones(2, 4), 4), "must be a list or tuple of ints, got 4"),
}


@pytest.mark.parametrize("name", NO_TENSORS)
def test_what_is_no_tensor_or_no_size_is_named(name):
    use, message = NO_TENSORS[name]
    with pytest.raises(TypeError, match=message):
        use()


def test_rms_norm_of_too_few_dimensions(torch):
    for L in (mt, torch):
        with pytest.raises(ValueError, match="at least 2 dimensions"):
            L.nn.RMSNorm((3, 6))(L.ones(6))


def test_rms_norm_calls_its_input_x(torch):
    """PyTorch's other norm layers call it input."""
    for L in (mt, torch):
        assert L.nn.RMSNorm(3)(x=L.ones(2, 3)).shape == (2, 3)
        assert L.nn.LayerNorm(3)(input=L.ones(2, 3)).shape == (2, 3)


def test_bool_has_no_local_response_norm(torch):
    for L in (mt, torch):
        with pytest.raises(NotImplementedError, match="not implemented for"):
            L.nn.LocalResponseNorm(2)(L.ones(1, 2, 3, dtype=L.bool))


KINDS = [("LayerNorm", (6,), {}), ("GroupNorm", (2, 6), {}), ("RMSNorm", (6,), {})]
KINDS += [("InstanceNorm1d", (6,), {"affine": True, "track_running_stats": True})]


@pytest.mark.parametrize(("kind", "args", "settings"), KINDS)
def test_files_of_torch_save_are_loaded(torch, tmp_path, kind, args, settings):
    """What PyTorch trained, saved and closed goes on here: same keys, same numbers, same results."""
    ours, theirs = getattr(mt.nn, kind)(*args, **settings), getattr(torch.nn, kind)(*args, **settings)
    for t in theirs.state_dict().values():
        t.copy_(torch.arange(1, t.numel() + 1).reshape(t.shape))
    torch.save(theirs.state_dict(), tmp_path / "theirs.pt")
    assert repr(ours.load_state_dict(mt.load(tmp_path / "theirs.pt"))) == "<All keys matched successfully>"
    assert {n: t.tolist() for n, t in ours.state_dict().items()} == {
        n: t.tolist() for n, t in theirs.state_dict().items()
    }


@pytest.mark.parametrize(("kind", "args", "settings"), KINDS)
def test_device_and_dtype_of_all_that_a_layer_owns(kind, args, settings):
    layer = getattr(mt.nn, kind)(*args, **settings, device="cpu", dtype=mt.float64)
    assert {t.dtype.name for t in (*layer.parameters(), *layer.buffers())} <= {"float64", "int64"}
    assert {str(t.device) for t in (*layer.parameters(), *layer.buffers())} == {"cpu"}
    with pytest.raises(RuntimeError, match="gpu"):
        getattr(mt.nn, kind)(*args, **settings, device="gpu")
