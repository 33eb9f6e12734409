"""nn.utils.calibrating: the statistics of all values, whatever the batches; and nothing else changes."""

import copy
import itertools

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import world
from minitorch_bn.nn.utils import calibration
from minitorch_bn.optim.swa_utils import update_bn
from tests.ops.checks import assert_close

nn = mt.nn
calibrating = nn.utils.calibrating
SHAPES = {"BatchNorm1d": (3,), "BatchNorm2d": (3, 2, 3), "BatchNorm3d": (3, 2, 1, 2), "SyncBatchNorm": (3, 4)}
SPLITS = {"equal": [10] * 6, "unequal": [2, 31, 3, 20, 4], "one": [60], "an empty one": [0, 25, 0, 35]}


def drifting(rng, n, shape=(3,), offset=0.0):
    """n samples in an order in which mean and variance wander: what batches forget."""
    t = np.linspace(0.0, 1.0, n).reshape(n, *[1] * len(shape))
    return offset + 8.0 * t + (0.5 + t) * rng.normal(size=(n, *shape))


def layer_of(kind="BatchNorm1d", dtype=mt.float64, **options):
    return getattr(nn, kind)(3, dtype=dtype, **options)


def run(model, batches, exact=True, passes=False):
    with calibrating(model, exact=exact) as c:
        for x in c.passes(batches) if passes else batches:
            model(x)
    return c


def statistics(layer):
    return [t.numpy().copy() for t in (layer.running_mean, layer.running_var, layer.num_batches_tracked)]


def whole(x):
    """Mean and unbiased variance of all values of every channel."""
    axes = (0, *range(2, x.ndim))
    return x.mean(axes), x.var(axes, ddof=1)


def check_exact(model, layer, x, sizes, passes=False):
    """After calibration on x in batches of these sizes, the layer has the statistics of x.

    Both ways add up M numbers of one sign per channel and pass some ten roundings more: at most (M + 10) eps apart,
    relative to the variance plus what the rounding of the mean leaves of it (Chan, Golub & LeVeque 1983). That is below
    1e-12 for the M here.
    """
    run(model, mt.from_numpy(x).split(sizes), passes=passes)
    mean, var = whole(x)
    np.testing.assert_allclose(layer.running_mean.numpy(), mean, rtol=1e-12)
    np.testing.assert_allclose(layer.running_var.numpy(), var, rtol=1e-12)
    assert layer.num_batches_tracked.item() == sum(size > 0 for size in sizes)


# ---- the numbers


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("sizes", SPLITS.values(), ids=SPLITS)
@pytest.mark.parametrize("passes", [False, True], ids=["loop", "passes"])
def test_exact_is_the_statistics_of_all_values(kind, sizes, passes, rng):
    layer = layer_of(kind)
    layer(mt.from_numpy(rng.normal(100.0, 1.0, (5, *SHAPES[kind]))))  # forgotten
    check_exact(layer, layer, drifting(rng, 60, SHAPES[kind]), sizes, passes)


def test_batches_of_one_sample_in_passes(rng):
    layer = layer_of()
    check_exact(layer, layer, drifting(rng, 60), [1] * 60, passes=True)


def test_what_pytorch_stores_for_one_batch_of_everything(rng, torch):
    """The definition: train mode, momentum 1, the whole training set as one batch."""
    x = drifting(rng, 60, (3, 2, 2))
    theirs = torch.nn.BatchNorm2d(3, momentum=1.0, dtype=torch.float64)
    theirs(torch.from_numpy(x))
    layer = layer_of("BatchNorm2d")
    run(layer, mt.from_numpy(x).split(7))
    np.testing.assert_allclose(layer.running_mean.numpy(), theirs.running_mean.numpy(), rtol=1e-12)
    np.testing.assert_allclose(layer.running_var.numpy(), theirs.running_var.numpy(), rtol=1e-12)


@pytest.mark.parametrize("name", ["KERAS", "PAPER", "CHAINER", "MAKEMORE_BY_HAND"])
def test_other_conventions_store_what_they_store(name, rng):
    """One batch of everything in train mode, with the newest batch's weight 1, again."""
    convention = getattr(nn.convention.Convention, name)
    layer, reference = layer_of(convention=convention), layer_of(convention=convention)
    reference.momentum = 1.0 if convention.momentum_weighs == "new" else 0.0
    x = mt.from_numpy(drifting(rng, 60))
    reference(x)
    run(layer, x.split(7))
    np.testing.assert_allclose(layer.running_mean.numpy(), reference.running_mean.numpy(), rtol=1e-12)
    np.testing.assert_allclose(layer.running_var.numpy(), reference.running_var.numpy(), rtol=1e-12)


@pytest.mark.parametrize("passes", [False, True], ids=["loop", "passes"])
def test_float32_at_a_large_offset(passes, rng):
    """All is added up in float64: what is left is one rounding, eps / 2, of the float32 that it is stored in."""
    x = drifting(rng, 600, offset=1e5).astype(np.float32)
    layer = layer_of(dtype=mt.float32)
    run(layer, mt.from_numpy(x).split([1, 299, 300] if passes else [2, 298, 300]), passes=passes)
    mean, var = whole(x.astype(np.float64))
    np.testing.assert_allclose(layer.running_mean.numpy(), mean, rtol=2.0**-24 + 1e-12)
    np.testing.assert_allclose(layer.running_var.numpy(), var, rtol=2.0**-24 + 1e-12)
    naive = (x * x).mean(0) - x.mean(0) ** 2  # what E[x**2] - E[x]**2 makes of it in float32
    assert np.abs(naive / var - 1).max() > 1


@pytest.mark.parametrize("kind", ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d"])
@pytest.mark.parametrize("convention", [None, "CHAINER", "MAKEMORE_BY_HAND"])
def test_averaged_is_update_bn(kind, convention, rng):
    options = {} if convention is None else {"convention": getattr(nn.convention.Convention, convention)}
    layer = layer_of(kind, **options)
    reference = copy.deepcopy(layer)
    batches = mt.from_numpy(drifting(rng, 60, SHAPES[kind])).split([10, 30, 5, 15])
    run(layer, batches, exact=False)
    update_by_hand(reference, batches) if convention else update_bn(batches, reference)
    for got, want in zip(statistics(layer), statistics(reference), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12)


def update_by_hand(layer, batches):
    """The plain average of what single batches leave, with the newest batch's weight 1."""
    each = []
    for x in batches:
        alone = copy.deepcopy(layer)
        alone.momentum = 1.0 if layer.convention.momentum_weighs == "new" else 0.0
        alone(x)
        each.append(statistics(alone))
    layer.running_mean.copy_(mt.from_numpy(np.mean([mean for mean, _, _ in each], 0)))
    layer.running_var.copy_(mt.from_numpy(np.mean([var for _, var, _ in each], 0)))
    layer.num_batches_tracked.fill_(len(each))


def test_what_is_forgotten_by_averaging(rng):
    """The law of total variance: the exact variance is the variance inside batches plus that of their means."""
    x = drifting(rng, 60)
    exact, averaged = layer_of(), layer_of()
    batches = mt.from_numpy(x).split(10)
    run(exact, batches)
    run(averaged, batches, exact=False)
    parts = x.reshape(6, 10, 3)
    inside, between = parts.var(1).mean(0), parts.mean(1).var(0)
    assert_close("exact", exact.running_var.numpy(), (inside + between) * 60 / 59)
    assert_close("averaged", averaged.running_var.numpy(), inside * 10 / 9)
    assert (exact.running_var.numpy() > 2 * averaged.running_var.numpy()).all()


# ---- depth


class Residual(nn.Module):
    """Two BatchNorms around a skip, defined in another order than they are called in, and dropout."""

    def __init__(self):
        super().__init__()
        self.last = nn.BatchNorm1d(3, dtype=mt.float64)
        self.first = nn.BatchNorm1d(3, dtype=mt.float64)
        self.linear = nn.Linear(3, 3, dtype=mt.float64)
        self.dropout = nn.Dropout(0.5)

    def forward(self, x):
        return self.last(x + mt.tanh(self.linear(self.dropout(self.first(x)))))


def deep(kind):
    mt.manual_seed(3)
    if kind == "residual":
        net = Residual()
        return net, [net.first, net.last]
    layers = [m for i in range(3) for m in (nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Tanh())]
    net = nn.Sequential(*layers, nn.Linear(3, 1)).double()
    return net, [net[1], net[4], net[7]]


def by_definition(net, layers, x):
    """Statistics layer by layer: the inputs of layer k are those of the whole set in eval mode with layers < k done."""
    net.eval()
    for layer in layers:
        seen = []
        handle = layer.register_forward_pre_hook(lambda m, inputs, seen=seen: seen.append(inputs[0].detach().numpy()))
        net(mt.from_numpy(x))
        handle.remove()
        mean, var = whole(seen[0])
        layer.running_mean.copy_(mt.from_numpy(mean))
        layer.running_var.copy_(mt.from_numpy(var))
    return [statistics(layer)[:2] for layer in layers]


@pytest.mark.parametrize("kind", ["chain", "residual"])
@pytest.mark.parametrize("size", [1, 7, 60])
def test_passes_make_every_layer_exact(kind, size, rng):
    """Rounding in layer k moves the inputs of the next by as much, times |weights| < 10: far below 1e-10."""
    x = drifting(rng, 60)
    net, layers = deep(kind)
    reference, reference_layers = deep(kind)
    want = by_definition(reference, reference_layers, x)
    run(net, mt.from_numpy(x).split(size), passes=True)
    for layer, (mean, var) in zip(layers, want, strict=True):
        np.testing.assert_allclose(layer.running_mean.numpy(), mean, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(layer.running_var.numpy(), var, rtol=1e-10)


def test_one_loop_makes_the_first_layer_exact_and_the_others_nearly(rng):
    """Behind the first layer the values are those that the batches gave: here the reference does as a batch does."""
    x = drifting(rng, 60)
    net, layers = deep("chain")
    run(net, mt.from_numpy(x).split(20))
    reference, reference_layers = deep("chain")
    seen = [[] for _ in reference_layers]
    for layer, values in zip(reference_layers, seen, strict=True):
        layer.register_forward_pre_hook(lambda m, inputs, v=values: v.append(inputs[0].detach().numpy()))
    for part in mt.from_numpy(x).split(20):
        reference(part)
    for layer, values in zip(layers, seen, strict=True):
        mean, var = whole(np.concatenate(values))
        assert_close("mean", layer.running_mean.numpy(), mean)
        assert_close("var", layer.running_var.numpy(), var)
    exact = by_definition(*deep("chain"), x)
    ratios = [layer.running_var.numpy() / var for layer, (_, var) in zip(layers, exact, strict=True)]
    assert np.allclose(ratios[0], 1, rtol=1e-12) and np.abs(ratios[1] - 1).max() > 0.1


def test_exact_measures_without_dropout(rng):
    """As the statistics are used. The average, as update_bn, has it switched on."""
    net = nn.Sequential(nn.Dropout(0.5), layer_of())
    x = mt.from_numpy(drifting(rng, 60))
    run(net, x.split(20))
    np.testing.assert_allclose(net[1].running_mean.numpy(), x.numpy().mean(0), rtol=1e-12)
    mt.manual_seed(0)
    run(net, x.split(20), exact=False)
    reference = nn.Sequential(nn.Dropout(0.5), layer_of())
    mt.manual_seed(0)
    update_bn(x.split(20), reference)
    np.testing.assert_allclose(net[1].running_var.numpy(), reference[1].running_var.numpy(), rtol=1e-12)


# ---- the rest is as before


def settings(net):
    return [
        (m.training, getattr(m, "momentum", 0), getattr(m, "track_running_stats", 0), list(m._hooks))
        for m in net.modules()
    ]


@pytest.mark.parametrize("passes", [False, True], ids=["loop", "passes"])
@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("recording", [True, False])
def test_modes_momentum_hooks_and_recording(passes, exact, recording, rng):
    net, layers = deep("residual")
    layers[0].momentum, layers[0].training = None, False
    before, x = settings(net), mt.from_numpy(drifting(rng, 60))
    parameters = [p.detach().clone() for p in net.parameters()]
    with mt.set_grad_enabled(recording):
        with calibrating(net, exact) as c:
            for part in c.passes(x.split(20)) if passes else x.split(20):
                assert net(part).grad_fn is None
        assert mt.is_grad_enabled() is recording
    assert settings(net) == before and not any(layer.frozen for layer in layers)
    assert all(mt.equal(p.detach(), old) for p, old in zip(net.parameters(), parameters, strict=True))
    assert layers[0].num_batches_tracked.item() == 3


@pytest.mark.parametrize("passes", [False, True], ids=["loop", "passes"])
@pytest.mark.parametrize("at", [0, 2, 4])
def test_after_an_error_all_is_as_before(passes, at, rng):
    """Also in the second pass, when the first layer has its new statistics already."""
    net, layers = deep("chain")
    net(mt.from_numpy(drifting(rng, 60)))
    before = settings(net), [statistics(layer) for layer in layers]
    parts = mt.from_numpy(drifting(rng, 60)).split(20)
    with pytest.raises(KeyboardInterrupt), calibrating(net) as c:
        for i, part in enumerate(c.passes(parts) if passes else parts * 2):
            if i == at:
                raise KeyboardInterrupt
            net(part)
    assert settings(net) == before[0] and mt.is_grad_enabled()
    for layer, old in zip(layers, before[1], strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(statistics(layer), old, strict=True))


def test_nothing_moves_before_the_end(rng):
    layer = layer_of()
    before = statistics(layer)
    with calibrating(layer):
        layer(mt.from_numpy(drifting(rng, 60)))
        assert all(np.array_equal(a, b) for a, b in zip(statistics(layer), before, strict=True))


@pytest.mark.parametrize("passes", [False, True], ids=["loop", "passes"])
def test_train_inside_the_block_changes_nothing(passes, rng):
    """Loops often begin with model.train(). In passes, layers that are done must stay in eval mode."""
    results = []
    x = mt.from_numpy(drifting(rng, 60))
    for calls_train in (False, True):
        net, layers = deep("chain")
        with calibrating(net) as c:
            for part in c.passes(x.split(20)) if passes else x.split(20):
                if calls_train:
                    net.train()
                net(part)
        results.append([array for layer in layers for array in statistics(layer)])
    assert all(np.array_equal(a, b) for a, b in zip(*results, strict=True))


def test_statistics_that_were_nan_are_repaired(rng):
    layer, x = layer_of(), drifting(rng, 60)
    layer.running_mean.fill_(float("nan"))
    layer.running_var.fill_(float("nan"))
    run(layer, mt.from_numpy(x).split(20), passes=True)
    np.testing.assert_allclose(layer.running_var.numpy(), whole(x)[1], rtol=1e-12)


def test_a_layer_that_is_frozen_inside_the_block_stays_frozen(rng):
    model = nn.Sequential(layer_of(), nn.ReLU())
    with calibrating(model):
        model(mt.from_numpy(drifting(rng, 8)))
        model[0].freeze()
    assert model[0].frozen and not model[0].training and model[0].unfreeze().training


def test_passes_behind_the_block_change_nothing(rng):
    layer, x = layer_of(), mt.from_numpy(drifting(rng, 8))
    with calibrating(layer) as c:
        layer(x)
    before = statistics(layer)
    with pytest.raises(RuntimeError, match="after the end of its block"):
        next(c.passes([x]))
    assert layer.training and not layer.frozen
    assert all(np.array_equal(a, b) for a, b in zip(statistics(layer), before, strict=True))


def test_an_input_that_is_given_by_name(rng):
    x, layer = drifting(rng, 8), layer_of()
    with calibrating(layer):
        layer(input=mt.from_numpy(x))
    np.testing.assert_allclose(layer.running_mean.numpy(), whole(x)[0], rtol=1e-12)


def test_frozen_layers_are_left_alone(rng):
    net, layers = deep("chain")
    layers[1].freeze()
    before = statistics(layers[1])
    for passes in (False, True):
        c = run(net, mt.from_numpy(drifting(rng, 60)).split(20), passes=passes)
        assert layers[1].frozen and layers[1] not in c.tallies and list(c.tallies) == [layers[0], layers[2]]
        assert all(np.array_equal(a, b) for a, b in zip(statistics(layers[1]), before, strict=True))
    assert layers[1].unfreeze().training


# ---- several ranks, played by a group that knows what the others have sent


class Played(world.Alone):
    """A group of two ranks in one process: the other one's messages are given."""

    size = 2

    def __init__(self, others):
        self.others = others

    def all_gather(self, array):
        return [array.copy(), next(self.others)]


@pytest.mark.parametrize("n", [0, 1, 25])
def test_synchronised_layers_have_the_statistics_of_all_ranks(n, rng):
    x, other = drifting(rng, 60), drifting(rng, n, offset=7.0)
    centred = other - other.mean(0) if n else other
    message = np.concatenate([other.sum(0) / max(n, 1), (centred**2).sum(0), [n]])
    layer, alone = layer_of("SyncBatchNorm"), layer_of()
    world.enter(Played(iter([message])))
    try:
        parts = mt.from_numpy(x).split(20)
        with calibrating(layer) as c:
            for part in c.passes(parts):
                layer(part)
        run(alone, parts)
        with (
            pytest.raises(ValueError, match="exact=False knows no SyncBatchNorm of several ranks"),
            calibrating(layer, False),
        ):
            pass
    finally:
        world.enter(None)
    mean, var = whole(np.concatenate([x, other]))
    np.testing.assert_allclose(layer.running_mean.numpy(), mean, rtol=1e-12)
    np.testing.assert_allclose(layer.running_var.numpy(), var, rtol=1e-12)
    np.testing.assert_allclose(alone.running_var.numpy(), whole(x)[1], rtol=1e-12)


# ---- bad input


def test_a_model_without_anything_to_calibrate():
    for net in (nn.Linear(2, 2), nn.BatchNorm1d(2, track_running_stats=False), nn.BatchNorm1d(2).freeze()):
        with pytest.raises(ValueError, match="nothing to calibrate"), calibrating(net):
            pass


def test_no_forward_in_train_mode(rng):
    layer, x = layer_of(), mt.from_numpy(drifting(rng, 60))
    with pytest.raises(RuntimeError, match="no BatchNorm has seen a batch"), calibrating(layer):
        pass
    with pytest.raises(RuntimeError, match=r"eval\(\)"), calibrating(layer):
        layer.eval()
        layer(x)
    assert layer.training


def test_loaders_that_cannot_be_read_again(rng):
    net, layers = deep("chain")
    parts = mt.from_numpy(drifting(rng, 60)).split(20)
    before = statistics(layers[0])
    for loader, number in ((iter(parts), 2), ([], 1)):
        with pytest.raises(RuntimeError, match=rf"pass {number} .* brought 0 batches"):
            run(net, loader, passes=True)
    with pytest.raises(RuntimeError, match=r"pass 1 .* brought 3 batches and no values"), calibrating(net) as c:
        for _ in c.passes(parts):
            pass
    with pytest.raises(RuntimeError, match="left before its end"), calibrating(net) as c:
        for part in itertools.islice(c.passes(parts), 4):
            net(part)
    assert all(np.array_equal(a, b) for a, b in zip(statistics(layers[0]), before, strict=True))


def test_a_single_value(rng):
    layer = layer_of()
    before = statistics(layer)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        run(layer, [mt.from_numpy(drifting(rng, 1))], passes=True)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        run(layer, [mt.from_numpy(drifting(rng, 1))])
    assert all(np.array_equal(a, b) for a, b in zip(statistics(layer), before, strict=True))


def test_a_layer_that_is_not_called_is_named(rng):
    net = nn.ModuleDict({"used": layer_of(), "auxiliary": layer_of()})
    with pytest.warns(UserWarning, match="stay as they were: 'auxiliary'"), calibrating(net):
        net["used"](mt.from_numpy(drifting(rng, 60)))
    assert net["auxiliary"].num_batches_tracked.item() == 0 and net["used"].num_batches_tracked.item() == 1


# ---- the table


def test_table_under_drift(rng):
    """Three numbers side by side, for mean and variance: as it was, averaged, exact."""
    x = drifting(rng, 600)
    layer = layer_of()
    net = nn.Sequential(layer)
    for part in mt.from_numpy(x).split(20):
        net(part)
    running = statistics(layer)
    c = run(net, mt.from_numpy(x).split(20))
    parts = x.reshape(30, 20, 3)
    want = [running[0], parts.mean((0, 1)), whole(x)[0], running[1], parts.var(1, ddof=1).mean(0), whole(x)[1]]
    rows = [line.split() for line in c.table(channels=None).splitlines()[2:]]
    for i, (name, channel, *numbers) in enumerate(rows):
        assert (name, channel) == ("0", str(i)) and len(rows) == 3
        np.testing.assert_allclose([float(n) for n in numbers], [column[i] for column in want], rtol=1e-3)
        assert float(numbers[5]) > 2 * float(numbers[4]) and float(numbers[3]) < float(numbers[5])
    furthest = np.argmax(np.abs(np.log(want[5] / want[4])))
    assert [line.split()[1] for line in repr(c).splitlines()[2:]] == [str(furthest)]


def test_table_names_layers_and_leaves_out_what_saw_nothing(rng):
    net, _ = deep("residual")
    c = run(net, mt.from_numpy(drifting(rng, 60)).split(20))
    assert [line.split()[0] for line in c.table().splitlines()[2:]] == ["last", "first"]
    with calibrating(net) as c:
        assert len(c.table().splitlines()) == 2
        net(mt.from_numpy(drifting(rng, 60)))
        assert len(c.table().splitlines()) == 4
    c = run(layer_of(), mt.from_numpy(drifting(rng, 3)).split(1), passes=True)
    assert "nan" in c.table()


# ---- the tests would notice


def mean_of_variances(self, m, mean, squares):
    """Forgets the variance between batches."""
    total = self.m + m
    self.mean = self.mean + (mean - self.mean) * (m / total)
    self.squares, self.m = self.squares + squares, total


def unweighted(self, m, mean, squares):
    """Counts batches instead of values."""
    total, delta = self.m + m, mean - self.mean
    self.mean = self.mean + delta / (self.batches + 1)
    self.squares, self.m = self.squares + squares + delta * delta * (self.m * m / total), total


def wrong_weight(self, m, mean, squares):
    """m instead of M * m / (M + m)."""
    total, delta = self.m + m, mean - self.mean
    self.mean = self.mean + delta * (m / total)
    self.squares, self.m = self.squares + squares + delta * delta * m, total


def new_mean(self, m, mean, squares):
    """The distance from the merged mean instead of the old one."""
    total = self.m + m
    self.mean = self.mean + (mean - self.mean) * (m / total)
    self.squares = self.squares + squares + (mean - self.mean) ** 2 * (self.m * m / total)
    self.m = total


def minus(self, m, mean, squares):
    """The sign of the second term."""
    total, delta = self.m + m, mean - self.mean
    self.mean = self.mean + delta * (m / total)
    self.squares, self.m = self.squares + squares - delta * delta * (self.m * m / total), total


@pytest.mark.parametrize("wrong", [mean_of_variances, unweighted, wrong_weight, new_mean, minus])
def test_a_wrong_merge_is_noticed(wrong, rng, monkeypatch):
    monkeypatch.setattr(calibration.Tally, "merge", wrong)
    layer = layer_of()
    with pytest.raises(AssertionError):
        check_exact(layer, layer, drifting(rng, 60), SPLITS["unequal"])


def test_the_biased_variance_is_noticed(rng, monkeypatch):
    monkeypatch.setattr(calibration.Tally, "exact_var", property(lambda self: self.squares / self.m))
    layer = layer_of()
    with pytest.raises(AssertionError):
        check_exact(layer, layer, drifting(rng, 60), SPLITS["unequal"])
