"""debug.lint: every planted fault is found, healthy models are not spoken of, and nothing is changed."""

import random as python_random
import re
from pathlib import Path

import numpy as np
import pytest

import minitorch_bn as mt
import minitorch_bn.nn.functional as F
from minitorch_bn import __main__ as command_line
from minitorch_bn import nn
from minitorch_bn.compare import Convention
from minitorch_bn.debug import lint_advice, lint_command, lint_rules
from minitorch_bn.debug.lint import lint
from minitorch_bn.experiments import circles, names
from minitorch_bn.utils.data import DataLoader, IterableDataset, TensorDataset

STEPS = 60


def data(samples=256, features=6, seed=1):
    """Three blobs, and which one each point is of."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, samples)
    x = rng.standard_normal((samples, features)) + np.eye(3, features)[y] * 3
    return mt.tensor(x, dtype=mt.float32), mt.tensor(y)


def batches(samples=256, size=32, shape=None, **options):
    """The blobs in batches."""
    x, y = data(samples, **options)
    if shape is not None:
        x = x.reshape(samples, *shape)
    return [(x[i : i + size], y[i : i + size]) for i in range(0, samples, size)]


def trained(net, loader=None, steps=STEPS, lr=0.1):
    """`net` after a few steps of SGD."""
    loader = loader or batches()
    optimizer = mt.optim.SGD(net.parameters(), lr=lr)
    for step in range(steps):
        x, y = loader[step % len(loader)]
        loss = F.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net


def mlp(activation=nn.ReLU, **options):
    """A healthy network with one BatchNorm, called "1"."""
    mt.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16, bias=False), nn.BatchNorm1d(16, **options), activation(), nn.Linear(16, 3))


def convnet():
    """A healthy small convolutional network."""
    mt.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3),
    )  # fmt: skip


def images(count=128, size=32):
    """Noise with one of three bars in it."""
    rng = np.random.default_rng(3)
    y = rng.integers(0, 3, count)
    x = rng.standard_normal((count, 1, 6, 6)) * 0.5
    x[np.arange(count), 0, y * 2] += 2
    x, y = mt.tensor(x, dtype=mt.float32), mt.tensor(y)
    return [(x[i : i + size], y[i : i + size]) for i in range(0, count, size)]


def found(*args, **options):
    """What lint finds, printed nowhere."""
    return lint(*args, show=False, **options)


def of(findings, name):
    """The findings of one name."""
    return [finding for finding in findings if finding.name == name]


# ---- healthy models --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh, nn.GELU])
def test_silent_about_a_healthy_mlp(activation, mode, capsys):
    net = trained(mlp(activation)).train(mode)
    findings = lint(net, batches(), mt.optim.SGD(net.parameters(), 0.1, weight_decay=0), F.cross_entropy)
    assert findings == [] and not findings and repr(findings) == "healthy: nothing found"
    assert findings._repr_html_() == "<p>healthy: nothing found</p>"
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("mode", [True, False], ids=["train", "eval"])
def test_silent_about_a_healthy_convnet(mode):
    assert found(trained(convnet(), images()).train(mode), images(), loss=F.cross_entropy) == []


@pytest.mark.parametrize("seed", [0, 7])
def test_silent_about_the_circles(seed):
    points = circles.load_data()
    net = circles.run(seed=seed, epochs=200, data=points).net
    loader = DataLoader(TensorDataset(points.x_train, points.y_train), 100, shuffle=True)
    optimizer = mt.optim.SGD(net.parameters(), lr=0.1)
    assert found(net, loader, optimizer, F.cross_entropy) == []
    assert found(net.eval(), loader, optimizer, F.cross_entropy) == []
    assert found(net, [(points.x_train, points.y_train)], loss=F.cross_entropy) == []


def test_the_circles_without_batchnorm_have_dead_units():
    points = circles.load_data()
    net = circles.run(seed=0, batch_norm=False, epochs=60, data=points).net
    assert found(net, [(points.x_train, points.y_train)]).names == ["dead-relu"]


def test_the_circles_accept_their_biases():
    points = circles.load_data()
    net = circles.run(epochs=60, data=points).net
    net.lint_accepts = {}
    findings = found(net, [(points.x_train, points.y_train)])
    assert [(f.name, f.module) for f in findings] == [("dead-bias", "fc1"), ("dead-bias", "fc2")]


@pytest.mark.parametrize("seed", [0, 42])
def test_silent_about_the_names(seed):
    settings = names.Settings()
    text = names.load_data(settings)
    mt.manual_seed(seed)
    net = names.Net(len(text.vocabulary), True)
    names.train(net, *text.train, 400)
    loader = DataLoader(TensorDataset(*text.train), 32, shuffle=True)
    assert found(net, loader, mt.optim.SGD(net.parameters(), lr=0.1), F.cross_entropy) == []
    assert found(net.eval(), loader, loss=F.cross_entropy, validation=True) == []


def test_silent_without_batchnorm_and_where_only_settings_are_seen():
    assert found(trained(nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))), batches()) == []
    assert found(trained(mlp())) == []
    assert found(nn.Linear(2, 2), optimizer=mt.optim.SGD(nn.Linear(2, 2).parameters(), 0.1)) == []


def test_silent_about_deliberate_freezing():
    net = trained(mlp())
    net[1].eval().requires_grad_(False)
    assert found(net, batches()) == []


# ---- planted faults: each is found, in its place, and nothing else is ------------------------------------------------


def only(findings, name, module, severity, *numbers):
    """Assert that there is one finding, and that it says these numbers."""
    assert [(f.name, f.module, f.severity) for f in findings] == [(name, module, severity)]
    for number in numbers:
        assert re.search(number, findings[0].what), findings[0].what


def test_dead_bias_of_a_linear():
    mt.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))
    only(found(trained(net), batches()), "dead-bias", "0", "note", r"0\.bias \(16 numbers\) feeds 1")


def test_dead_bias_of_a_convolution():
    net = trained(convnet(), images())
    net[4] = nn.Conv2d(8, 8, 3, padding=1)
    assert [f.module for f in of(found(trained(net, images()), images()), "dead-bias")] == ["4"]


class OutOfOrder(nn.Module):
    """Defined in another order than it is called, with a bias that is a plain parameter, and a transposition."""

    def __init__(self, skip):
        super().__init__()
        self.out = nn.Linear(16, 3)
        self.bn = nn.BatchNorm1d(16)
        self.shift = nn.Parameter(mt.zeros(16))
        self.first = nn.Linear(6, 16, bias=False)
        self.skip = skip

    def forward(self, x):
        h = self.first(x) + self.shift
        y = self.bn(h.unsqueeze(2)).squeeze(2)
        return self.out((y + h if self.skip else y).relu())


def test_dead_bias_comes_from_the_graph():
    only(found(trained(OutOfOrder(False)), batches()), "dead-bias", "", "note", r"shift \(16 numbers\) feeds bn")


def test_a_bias_that_is_used_elsewhere_is_not_dead():
    assert found(trained(OutOfOrder(True)), batches()) == []


def test_a_bias_before_a_frozen_batchnorm_is_not_dead():
    mt.manual_seed(0)
    net = trained(nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3)))
    net[1].eval().requires_grad_(False)
    assert found(net, batches()) == []


@pytest.mark.parametrize("mode", ["paper", "graph"])
def test_dead_bias_in_other_backward_modes(mode):
    mt.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))
    net[1].backward_mode = mode
    assert found(trained(net), batches()).names == ["dead-bias"]


def test_cold_statistics():
    only(found(mlp().eval()), "cold-statistics", "1", "serious", "num_batches_tracked is 0")
    assert found(mlp()) == []
    only(found(mlp(), batches(), loss=F.cross_entropy), "cold-statistics", "1", "note", "train mode")
    assert "cold-statistics" in found(mlp(momentum=None).eval(), batches()).names


@pytest.mark.parametrize(("momentum", "needed"), [(0.1, 44), (0.01, 459), (0.001, 4603)])
def test_unwarmed_statistics(momentum, needed):
    assert lint_rules.batches_needed(momentum) == needed
    net = mlp(momentum=momentum)
    net[1].num_batches_tracked.fill_(needed - 1)
    only(found(net.eval()), "unwarmed-statistics", "1", "warning", f"{needed} batches")
    net[1].num_batches_tracked.fill_(needed)
    assert found(net) == []


@pytest.mark.parametrize("mode", [True, False], ids=["train", "eval"])
def test_statistics_that_were_recalibrated_are_warm(mode):
    net = trained(mlp()).train(mode)
    mt.optim.swa_utils.update_bn(batches(), net)
    assert net[1].num_batches_tracked.item() == 8
    assert found(net, batches(), loss=F.cross_entropy) == []


def test_unwarmed_statistics_on_data():
    net = mlp()
    net[0].weight.data.mul_(5)
    for x, _ in batches():
        net(x)
    assert of(found(net, batches()), "unwarmed-statistics")[0].severity == "note"
    assert of(found(net.eval(), batches()), "unwarmed-statistics")[0].severity == "warning"


def test_stale_statistics_and_the_gap_that_follows():
    net = trained(mlp())
    net[1].running_mean.add_(4)
    net[1].running_var.mul_(9)
    findings = found(net.eval(), batches(), loss=F.cross_entropy)
    assert [(f.name, f.severity) for f in findings] == [("stale-statistics", "serious"), ("train-eval-gap", "serious")]
    assert re.search(r"running variance is 9\.\d* times|running variance is 8\.\d* times", findings[0].what)
    assert "loss is" in findings[1].what


def test_stale_statistics_of_weights_that_were_changed():
    net = trained(mlp())
    net[0].weight.data.mul_(5)
    assert found(net, batches()).names[0] in ("train-eval-gap", "stale-statistics")
    mt.optim.swa_utils.update_bn(batches(), net)
    assert found(net, batches()) == []


def test_train_eval_gap_without_a_loss():
    net = trained(mlp())
    net[1].running_mean.sub_(3)
    findings = of(found(net, batches()), "train-eval-gap")
    assert len(findings) == 1 and "recalibrated" in findings[0].what and "loss" not in findings[0].what


class FunctionalDropout(nn.Module):
    """Dropout that lint cannot switch off."""

    def __init__(self):
        super().__init__()
        self.first, self.bn, self.out = nn.Linear(6, 16, bias=False), nn.BatchNorm1d(16), nn.Linear(16, 3)

    def forward(self, x):
        return self.out(F.dropout(self.bn(self.first(x)).relu(), 0.8, self.training))


def test_dropout_is_no_gap():
    mt.manual_seed(0)
    net = trained(FunctionalDropout())
    assert found(net, batches(), loss=F.cross_entropy) == []
    net.bn.running_mean.add_(2)
    findings = of(found(net, batches(), loss=F.cross_entropy), "train-eval-gap")
    assert "before and after recalibrating" in findings[0].what
    plain = trained(nn.Sequential(*mlp()[:3], nn.Dropout(0.8), nn.Linear(16, 3)))
    assert found(plain, batches(), loss=F.cross_entropy) == []


def test_last_batch_of_one():
    net = trained(mlp())
    loader = DataLoader(TensorDataset(*data(257)), 32, shuffle=True)
    only(found(net, loader, batches=3), "last-batch-of-one", "", "serious", "257 samples in batches of 32")
    only(found(net, loader), "last-batch-of-one", "", "serious")
    assert found(net.eval(), loader).serious == []
    assert found(net, DataLoader(TensorDataset(*data(257)), 32, drop_last=True)) == []
    only(found(net.train(), batches(257)), "last-batch-of-one", "", "serious", "last of 9 batches has 1 sample")
    assert found(nn.Linear(6, 3), loader) == []


def test_last_batch_of_one_image_is_a_note():
    x, y = (mt.cat(parts) for parts in zip(*images(), strict=True))
    loader = DataLoader(TensorDataset(x[:97], y[:97]), 32)
    only(found(trained(convnet(), images()), loader), "last-batch-of-one", "", "note", "97 samples")


def test_last_batch_of_a_loader_that_does_not_say_its_length():
    class Stream(IterableDataset):
        def __iter__(self):
            return iter([data(1)[0][0]] * 33)

    findings = found(trained(mlp()), DataLoader(Stream(), 32))
    assert "1 of the first 2 batches had one value" in of(findings, "last-batch-of-one")[0].what


def test_small_batch():
    findings = found(trained(mlp()), batches(size=4))
    assert of(findings, "small-batch")[0].what.startswith("m = 4 values per channel")
    assert of(found(trained(mlp()), batches(size=1)), "small-batch")[0].severity == "serious"
    assert "small-batch" not in found(trained(convnet(), images()), images(size=2)).names  # 2 * 6 * 6 values


def test_moving_statistics_in_validation():
    net = trained(mlp())
    only(found(net, batches(), validation=True), "moving-statistics", "1", "serious", "one for validation")


def test_moving_statistics_under_no_grad():
    net = trained(mlp())
    with mt.no_grad():
        only(found(net), "moving-statistics", "1", "serious", "no_grad")
        assert found(net.eval()) == []


def test_moving_statistics_in_an_evaluation():
    net = trained(mlp())

    def forgets_eval():
        with mt.no_grad():
            return [net(x) for x, _ in batches()]

    def does_not():
        net.eval()
        forgets_eval()
        net.train()

    only(found(net, evaluate=forgets_eval), "moving-statistics", "1", "serious", "running mean by up to")
    assert found(net, evaluate=does_not) == []
    assert net[1].num_batches_tracked.item() == STEPS


def test_mixed_modes():
    net = trained(mlp())
    net[1].eval()
    only(found(net), "mixed-modes", "1", "warning", "eval mode, the model in train mode")
    net.eval()[1].train()
    only(found(net, batches()), "mixed-modes", "1", "serious", "train mode, the model in eval mode")


def test_frozen_but_tracking():
    net = trained(mlp())
    net[1].requires_grad_(False)
    only(found(net, batches()), "frozen-but-tracking", "1", "warning", "the layer before it is not frozen")
    net[0].requires_grad_(False)
    only(found(net), "frozen-but-tracking", "1", "warning", "is frozen, too")
    assert found(net.eval()) == []
    plain = trained(mlp(affine=False))
    only(found(plain.requires_grad_(False)), "frozen-but-tracking", "1", "warning", "No parameter")


@pytest.mark.parametrize("momentum", [0.9, 0.99, 0.999])
def test_reversed_momentum(momentum):
    findings = found(trained(mlp(momentum=momentum)))
    only(findings, "reversed-momentum", "1", "serious", f"momentum={momentum:g}")


def test_a_convention_may_reverse_it():
    assert of(found(mlp(convention=Convention.KERAS)), "reversed-momentum") == []
    wrong = mlp(momentum=0.1, convention=Convention.KERAS)
    assert of(found(wrong), "reversed-momentum")[0].severity == "serious"


def test_variance_below_eps():
    net = trained(mlp())
    net[0].weight.data[3] = 0
    mt.optim.swa_utils.update_bn(batches(), net)
    findings = found(net, batches(), ignore="dead-relu")
    only(findings, "variance-below-eps", "1", "warning", "channel 3 of 16 is at most 0 ")


def test_large_eps():
    net = trained(mlp(eps=0.5))
    only(found(net, batches()), "large-eps", "1", "warning", "eps=0.5, the median variance")
    only(found(trained(mlp(eps=0.1))), "large-eps", "1", "warning", "eps=0.1")
    assert found(trained(mlp(eps=1e-3)), batches()) == []


def test_weight_decay():
    net = trained(mlp())
    decay = mt.optim.AdamW(net.parameters(), lr=0.01, weight_decay=0.02)
    only(found(net, optimizer=decay), "weight-decay", "1", "warning", "weight_decay=0.02 on gamma and beta .lr 0.01")
    groups = [{"params": net[1].parameters()}, {"params": net[3].parameters(), "weight_decay": 0.1}]
    assert found(net, optimizer=mt.optim.SGD(groups, lr=0.1)) == []


@pytest.mark.parametrize("share", [9, 16])
def test_saturated_tanh(share):
    net = trained(mlp(nn.Tanh))
    net[1].weight.data[:share] = 300
    findings = of(found(net, batches()), "saturated-tanh")
    assert [(f.module, f.severity) for f in findings] == [("2", "serious")]
    assert findings[0].what.startswith(f"{share} of 16 units of tanh")


class Functional(nn.Module):
    """Activations that are no modules."""

    def __init__(self):
        super().__init__()
        self.inside = nn.Linear(6, 16)
        self.out = nn.Linear(16, 3)

    def forward(self, x):
        return self.out(F.relu(self.inside(x)))


def test_dead_relu():
    net = trained(Functional())
    net.inside.bias.data[5] = -1000
    findings = found(net, batches())
    only(findings, "dead-relu", "", "warning", "1 of 16 units of relu at test_lint.py", "256 values: unit 5")
    net.inside.bias.data.fill_(-1000)
    only(found(net, batches()), "dead-relu", "", "serious", "16 of 16")


def test_dead_channel_of_a_convnet():
    net = trained(convnet(), images())
    net[5].bias.data[2] = -1000
    only(found(net, images()), "dead-relu", "6", "warning", "1 of 8 units", "unit 2")


def test_units_of_sequences():
    mt.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Flatten(), nn.Linear(35, 3))
    net[0].bias.data[4] = -1000
    x = mt.randn(16, 7, 6)
    only(found(net, [x]), "dead-relu", "1", "warning", "1 of 5 units")


def test_dead_gamma():
    net = trained(mlp())
    net[1].weight.data[2] = 1e-5
    only(found(net), "dead-gamma", "1", "warning", "channel 2 of 16", "1e-05")
    fresh = mlp()
    fresh[1].weight.data.zero_()
    assert found(fresh) == []  # a block that is to begin as the identity


def test_dropout_before_bn():
    mt.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.4), nn.BatchNorm1d(16), nn.Linear(16, 3))
    findings = of(found(trained(net), batches()), "dropout-before-bn")
    assert [f.module for f in findings] == ["3"] and "p=0.4" in findings[0].what
    net[2].p = 0.0
    assert "dropout-before-bn" not in found(net, batches()).names


def test_dropout_on_the_input():
    mt.manual_seed(0)
    net = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(6), nn.Linear(6, 3))
    assert "dropout-before-bn" in found(trained(net), batches()).names


def test_bn_on_output():
    mt.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 3, bias=False), nn.BatchNorm1d(3))
    only(found(trained(net), batches()), "bn-on-output", "1", "warning", "3 channels")
    soft = nn.Sequential(net, nn.LogSoftmax(1))
    only(found(soft, batches()), "bn-on-output", "0.1", "warning")


def test_channel_layout():
    mt.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 5, bias=False), nn.ReLU(), nn.BatchNorm1d(4), nn.Flatten(), nn.Linear(20, 3))
    loader = [(mt.randn(32, 4, 3), mt.randint(0, 3, (32,))) for _ in range(8)]
    findings = of(found(trained(net, loader), loader), "channel-layout")
    assert [f.module for f in findings] == ["2"] and "(32, 4, 5)" in findings[0].what

    class Turned(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.bn, self.out = nn.Linear(3, 5, bias=False), nn.BatchNorm1d(5), nn.Linear(20, 3)

        def forward(self, x):
            return self.out(self.bn(self.first(x).transpose(1, 2)).transpose(1, 2).flatten(1))

    assert found(trained(Turned(), loader), loader) == []


@pytest.mark.parametrize(
    ("buffer", "value"), [("running_mean", np.nan), ("running_var", np.inf), ("running_var", -1.0)]
)
def test_broken_statistics(buffer, value):
    net = trained(mlp())
    getattr(net[1], buffer)[4] = value
    only(found(net), "broken-statistics", "1", "serious", f"{buffer} of channel 4 is {value:g}")
    assert found(net, batches()).names[0] == "broken-statistics"


def test_no_running_statistics():
    net = trained(mlp(track_running_stats=False))
    only(found(net.eval(), batches()), "no-running-statistics", "1", "serious", "eval mode")
    only(found(net.train()), "no-running-statistics", "1", "note")


def test_untracked_statistics():
    net = trained(mlp())
    net[1].track_running_stats = False
    only(found(net), "untracked-statistics", "1", "warning", "track_running_stats is False")
    only(found(trained(mlp(momentum=0.0))), "untracked-statistics", "1", "warning", "momentum is 0")


def test_lonely_syncbatchnorm():
    net = nn.SyncBatchNorm.convert_sync_batchnorm(trained(mlp()))
    only(found(net, batches()), "lonely-syncbatchnorm", "1", "note", "no process group")


# ---- nothing is changed ----------------------------------------------------------------------------------------------


def everything(net):
    """All that may not change, as text and bytes."""
    tensors = [(name, id(t), id(t.array), t.array.tobytes(), t.requires_grad) for name, t in net.state_dict().items()]
    own = [(id(t), id(t.array), t.array.tobytes(), t.requires_grad) for t in [*net.parameters(), *net.buffers()]]
    gradients = [None if p.grad_array is None else (id(p.grad_array), p.grad_array.tobytes()) for p in net.parameters()]
    modules = [(name, m.training, list(m._hooks), sorted(vars(m))) for name, m in net.named_modules()]
    return [t[0] for t in tensors], own, gradients, modules, net[1].momentum


def chance():
    """The states of all random generators."""
    return mt.get_rng_state().tolist(), str(np.random.get_state()), python_random.getstate()  # noqa: NPY002


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("mode", [True, False], ids=["train", "eval"])
def test_all_is_as_before(mode, frozen):
    net = trained(mlp(nn.Tanh)).train(mode)
    net.append(nn.Dropout(0.5))
    net[0].requires_grad_(not frozen)
    calls = []
    handle = net[1].register_forward_hook(lambda *_: calls.append(1))
    generator = mt.Generator().manual_seed(3)
    loader = DataLoader(TensorDataset(*data()), 32, shuffle=True, generator=generator)
    before, luck, own_luck = everything(net), chance(), generator.get_state().tolist()
    found(net, loader, loss=F.cross_entropy, evaluate=lambda: [net(x) for x, _ in loader])
    assert calls
    assert everything(net) == before and chance() == luck and generator.get_state().tolist() == own_luck
    handle.remove()
    assert net[1]._hooks == []


def test_all_is_as_before_after_an_error():
    net = trained(mlp())
    before, luck = everything(net), chance()

    def fails(output, target):
        fails.calls += 1
        if fails.calls == 11:
            raise ArithmeticError("in the loss")
        return F.cross_entropy(output, target)

    fails.calls = 0
    with pytest.raises(ArithmeticError, match="in the loss"):
        found(net, batches(), loss=fails)
    with pytest.raises(ZeroDivisionError):
        found(net, evaluate=lambda: [net(batches()[0][0]), 1 / 0])
    assert everything(net) == before and chance() == luck
    assert mt.is_grad_enabled()


def test_a_graph_that_is_under_way_survives():
    net = trained(mlp())
    net.zero_grad()
    x, y = batches()[0]
    loss = F.cross_entropy(net(x), y)
    found(net, batches())
    loss.backward()
    ours = [p.grad.clone() for p in net.parameters()]
    net.zero_grad()
    F.cross_entropy(net(x), y).backward()
    assert all(mt.equal(a, p.grad) for a, p in zip(ours, net.parameters(), strict=True))


def test_data_are_as_before_where_the_model_writes_into_its_input():
    mt.manual_seed(0)
    net = nn.Sequential(nn.ReLU(inplace=True), *mlp())
    loader = batches()
    before = [x.tolist() for x, _ in loader]
    for x, _ in batches() * 6:
        net(x)
    assert found(net, loader) == []
    assert [x.tolist() for x, _ in loader] == before


def test_only_so_many_batches_are_read():
    class Counted(list):
        read = 0

        def __iter__(self):
            for batch in super().__iter__():
                self.read += 1
                yield batch

    loader = Counted(batches())
    found(trained(mlp()), loader, batches=3)
    assert loader.read == 3


def test_workers_that_persist_are_left_alone():
    loader = DataLoader(TensorDataset(*data()), 32, shuffle=True, num_workers=2, persistent_workers=True)
    found(trained(mlp()), loader)
    assert loader._workers is None


# ---- what is returned ------------------------------------------------------------------------------------------------


def test_findings_are_printed_and_sorted(capsys):
    net = mlp(momentum=0.99)
    findings = lint(net, batches(257))
    said = capsys.readouterr().out
    assert said == f"{findings!r}\n"
    assert [f.severity for f in findings][:2] == ["serious", "serious"] and len(findings.serious) == 2
    assert findings.names[:2] == ["reversed-momentum", "last-batch-of-one"]
    for part in ("momentum=0.99", "what ", "why ", "fix ", "docs/doctor.md#reversed-momentum"):
        assert part in said
    html = findings._repr_html_()
    assert html.count("<tr>") == 1 + len(findings) and "reversed-momentum" in html
    assert set(findings[0].as_dict()) == {"name", "module", "severity", "what", "why", "fix", "link"}


def test_ignoring():
    net = mlp(momentum=0.99)
    assert found(net, ignore=["reversed-momentum"]) == []
    net[1].lint_accepts = {"reversed-momentum": "a test"}
    assert found(net) == []
    net[1].lint_accepts = {}
    net[0].lint_accepts = ["reversed-momentum"]
    assert found(net).names == ["reversed-momentum"]


def test_inputs_of_several_kinds():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.bn = nn.Linear(6, 4, bias=False), nn.BatchNorm1d(4)

        def forward(self, a, b):
            h = self.bn(self.first(a + b))
            return {"sum": h.sum(1), "parts": [h.relu(), "no tensor"], "count": mt.tensor(3)}

    net = Two()
    x = data()[0]
    for _ in range(50):
        net(x, x)
    assert found(net, [((x, x), None)] * 2) == []
    assert found(net.double(), [((x.double(), x.double()),)]) == []


class Unusual(nn.Module):
    """A BatchNorm that is never called, one that is called twice, and a result without gradients."""

    def __init__(self):
        super().__init__()
        self.never, self.twice = nn.BatchNorm1d(2), nn.BatchNorm1d(6)

    def forward(self, x):
        return self.twice(self.twice(x) * 2).argmax(1)


def test_unusual_models():
    net = Unusual()
    assert found(net, batches()).names == ["cold-statistics"]
    assert found(nn.BatchNorm1d(6), batches()).names == ["cold-statistics"]
    assert found(nn.BatchNorm1d(6).half(), [data()[0].half()]).names == ["cold-statistics"]
    net = trained(mlp()).eval()
    with mt.no_grad():
        assert found(net, batches()) == []
    with mt.debug.remember_lines():
        assert found(trained(mlp()), batches()) == []


# ---- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"model": 3}, TypeError, "model of type int, wanted an nn.Module"),
        ({"optimizer": "SGD"}, TypeError, "optimizer of type str"),
        ({"loader": 3}, TypeError, "loader of type int, wanted an iterable"),
        ({"loader": iter(batches())}, TypeError, "read only once"),
        ({"loader": data()[0]}, TypeError, r"wanted batches: \[\(input, target\)\]"),
        ({"loader": data()}, TypeError, r"wanted batches: \[\(input, target\)\]"),
        ({"loader": []}, ValueError, "gave no batch"),
        ({"loader": [3]}, TypeError, "does not begin with a tensor"),
        ({"loader": [{"x": 1}]}, TypeError, "a batch of type dict"),
        ({"loader": batches(), "loss": 3}, TypeError, "loss of type int"),
        ({"loss": F.cross_entropy}, ValueError, "give one as well"),
        ({"validation": True}, ValueError, "give one as well"),
        ({"loader": [data()[0]], "loss": F.cross_entropy}, ValueError, "batches without a target"),
        ({"evaluate": 3}, TypeError, "evaluate of type int"),
        ({"batches": 0}, ValueError, "batches must be a positive integer, got 0"),
        ({"batches": True}, ValueError, "batches must be a positive integer"),
        ({"ignore": ["dead"]}, ValueError, "no finding 'dead' to ignore; there are dead-bias"),
    ],
)
def test_bad_input(arguments, error, message):
    with pytest.raises(error, match=f"^lint: .*{message}"):
        found(**{"model": mlp()} | arguments)


# ---- the page and the command ----------------------------------------------------------------------------------------


def test_every_finding_is_explained():
    page = (Path(__file__).resolve().parents[2] / "docs" / "doctor.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^## ([a-z-]+)$", page, re.MULTILINE)) == set(lint_advice.ADVICE)


def test_every_finding_has_a_test():
    source = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in lint_advice.ADVICE if f'"{name}"' not in source] == []


MODEL_FILE = """
import minitorch_bn as mt
from minitorch_bn import nn

def model():
    mt.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 8, bias=False), nn.BatchNorm1d(8, momentum={momentum}), nn.ReLU(), nn.Linear(8, 3))
    for _ in range(50):
        net(mt.randn(32, 6))
    return net

def with_loader():
    return model(), [mt.randn(32, 6) for _ in range(4)]

def as_dict():
    return {{"model": model(), "loader": [mt.randn(32, 6)], "validation": True}}

def too_much():
    return (1,) * 5

nothing = 3
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "healthy_model.py").write_text(MODEL_FILE.format(momentum=0.1))
    (tmp_path / "sick_model.py").write_text(MODEL_FILE.format(momentum=0.99))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["healthy_model:model"], 0, "healthy: nothing found"),
        (["healthy_model.py:with_loader"], 0, "healthy: nothing found"),
        (["healthy_model:as_dict"], 1, "moving-statistics in 1"),
        (["healthy_model:with_loader", "--validation"], 1, "moving-statistics in 1"),
        (["healthy_model:with_loader", "--validation", "--eval"], 0, "healthy: nothing found"),
        (["sick_model:model"], 1, "reversed-momentum in 1"),
        (["sick_model:model", "--ignore", "reversed-momentum"], 0, "healthy: nothing found"),
        (["--demo", "faulty"], 1, "dead-relu in 6"),
        (["--demo", "circles"], 0, "healthy: nothing found"),
        (["--demo", "names"], 0, "healthy: nothing found"),
    ],
)
def test_the_command(words, status, said, folder, capsys):
    before = {path.name for path in folder.iterdir()}
    assert command_line.main(["doctor", *words]) == status
    assert said in capsys.readouterr().out
    assert {path.name for path in folder.iterdir()} - {"__pycache__"} == before


def test_the_command_loads_a_checkpoint(folder, capsys):
    net = trained(mlp())
    small = nn.Sequential(nn.Linear(6, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    small[1].running_var[1] = np.nan
    mt.save({"model": small.state_dict(), "step": 3}, "broken.pt")
    mt.save(net.state_dict(), "other.pt")
    assert command_line.main(["doctor", "healthy_model:model", "--checkpoint", "broken.pt"]) == 1
    assert "running_var of channel 1 is nan" in capsys.readouterr().out
    for file, message in (("other.pt", "does not fit"), ("nowhere.pt", "there is no file")):
        with pytest.raises(SystemExit) as ended:
            command_line.main(["doctor", "healthy_model:model", "--checkpoint", file])
        assert ended.value.code == 2 and message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give either MODULE:FACTORY or --demo"),
        (["healthy_model:model", "--demo", "names"], "give either"),
        (["healthy_model"], "wanted MODULE:FACTORY"),
        (["nowhere.at_all:model"], "there is no module 'nowhere'"),
        (["nowhere.py:model"], "there is no file 'nowhere.py'"),
        (["healthy_model:other"], "has no function 'other'"),
        (["healthy_model:nothing"], "has no function 'nothing'"),
        (["healthy_model:too_much"], "returned 5 things"),
        (["healthy_model:model", "--batches", "0"], "--batches must be a number at least 1"),
        (["healthy_model:model", "--ignore", "x"], "there is no finding 'x'"),
        (["healthy_model:model", "--validation"], "give one as well"),
        (["--demo", "x"], "invalid choice"),
    ],
)
def test_the_command_refuses(words, message, folder, capsys):
    with pytest.raises(SystemExit) as ended:
        command_line.main(["doctor", *words])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_the_help_says_how(capsys):
    with pytest.raises(SystemExit):
        command_line.main(["doctor", "--help"])
    said = capsys.readouterr().out
    assert "MODULE:FACTORY" in said and "--demo" in said and "Exit status" in said and "--out" not in said


def test_the_demos_are_those_that_are_named():
    assert set(lint_command.DEMOS) == {"names", "circles", "faulty"}
