"""experiments/names.py: the network, the loop, what is reported; the same lines in PyTorch."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn.experiments import names, results, text

TINY = names.Settings(steps=30, hidden=16, batch=8)


@pytest.fixture(scope="module")
def data():
    return names.load_data(TINY)


@pytest.mark.parametrize(("batch_norm", "count"), [(True, 16_106), (False, 15_906)])
def test_net(batch_norm, count):
    net = names.Net(46, batch_norm)
    assert sum(p.numel() for p in net.parameters()) == count
    assert (net.fc1.bias is None) == batch_norm
    x = mt.randint(0, 46, (7, 3))
    assert tuple(net(x).shape) == (7, 46) and tuple(net.hidden(x).shape) == (7, 200)


def test_same_seed_same_run(data):
    first, again = (names.run(TINY, True, data) for _ in range(2))
    assert first.losses == again.losses and first.final == again.final and first.samples == again.samples
    assert len(first.losses) == 30 and len(first.samples) == 20
    assert first.losses[0] == pytest.approx(data.uniform, abs=0.5)
    assert first.hidden_start.shape == (1000, 16) and np.abs(first.hidden_end).max() <= 1
    assert first.net.bn1.num_batches_tracked.item() == 30  # evaluation and probes have not moved the statistics


@pytest.mark.parametrize(("steps", "change"), [(1, None), (4, 2), (5, 3)])
def test_the_rate_falls_halfway(data, monkeypatch, steps, change):
    rates = []
    monkeypatch.setattr(mt.optim.SGD, "step", lambda self: rates.append(self.param_groups[0]["lr"]))
    ticks = []
    names.train(names.Net(46, False), *data.train, steps, 4, 0.1, ticks.append)
    assert rates == [0.1] * (change or steps) + [0.01] * (steps - (change or steps))
    assert sum(ticks) == steps


def test_evaluate_does_not_depend_on_the_chunks(data):
    net = names.Net(46, True)
    whole, parts = (names.evaluate(net, *data.dev, rows) for rows in (10**6, 1000))
    assert whole == pytest.approx(parts, rel=1e-5) and net.training


def test_samples_are_cut_where_no_end_comes():
    vocabulary = text.Vocabulary(["ab"])
    net = names.Net(3, False, context=2)
    with mt.no_grad():
        net.fc2.weight.zero_()
        net.fc2.bias.copy_(mt.tensor([-100.0, 100.0, -100.0]))
    assert names.sample(net, vocabulary, 2, 2) == ["a" * 40] * 2


@pytest.mark.parametrize("batch_norm", [True, False])
def test_the_same_lines_in_pytorch(data, batch_norm, monkeypatch):
    torch = pytest.importorskip("torch")
    ours = names.run(names.Settings(steps=300), batch_norm, data)
    source = Path(names.__file__).read_text(encoding="utf-8")
    source = source.replace("import minitorch_bn as mt\nimport minitorch_bn.nn.functional as F", "import torch as mt")
    source = source.replace("F.cross_entropy", "mt.nn.functional.cross_entropy")
    spec = importlib.util.spec_from_loader("minitorch_bn.experiments.names_in_torch", loader=None)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    exec(compile(source, names.__file__, "exec"), module.__dict__)
    assert module.mt is torch and "F.cross_entropy" not in source.replace("functional.cross_entropy", "")
    x, y = (torch.from_numpy(t.numpy()) for t in data.train)
    torch.manual_seed(42)
    losses = module.train(module.Net(46, batch_norm), x, y, 300)
    np.testing.assert_allclose(ours.losses, losses, rtol=2e-5)
    assert ours.losses[:2] == pytest.approx(losses[:2], rel=1e-6)


def test_float64_starts_from_the_same_weights(data):
    single, double = (names.run(names.Settings(steps=5, dtype=d), True, data) for d in ("float32", "float64"))
    assert double.net.fc1.weight.dtype == mt.float64
    assert single.losses == pytest.approx(double.losses, rel=1e-5) and single.losses != double.losses


def test_experiment_is_what_json_can_hold():
    content, runs = names.experiment(TINY, processes=1)
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    for net in content["nets"]:
        run = runs[net["batch_norm"]]
        assert net["loss"] == run.final and net["first_batch_loss"] == run.losses[0]
        assert net["saturated"]["end"] == names.saturated(run.hidden_end)
        assert net["running_mean"]["window"] == 3 and net["running_mean"]["index"][-1] == 27
        assert net["running_mean"]["value"][-1] == pytest.approx(np.mean(run.losses[-3:]))
        assert [s["name"] for s in net["samples"]] == run.samples
    assert runs[True].losses == names.run(TINY, True).losses
    assert f"{content['nets'][0]['loss']['dev']:.3f}" in names.text_table(content)


def test_a_run_that_overflows_is_reported_not_warned_about():
    content, _ = names.experiment(names.Settings(steps=20, hidden=8, lr=1e30), processes=1)
    assert any(net["diverged"] for net in content["nets"])
    assert "Diverged" in content["verdict"][0] and "diverged" in names.text_table(content)
    assert names.text_samples(content)
    json.dumps(content, allow_nan=False)


def test_running_mean():
    assert names.running_mean([1, 2, 3, 6], 2).tolist() == [1.5, 2.5, 4.5]
    assert [names.window_of(steps) for steps in (1, 50, 200_000)] == [1, 5, 1000]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"steps": 0}, "--steps must be a number at least 1, got 0"),
        ({"batch": 1}, "--batch must be at least 2: BatchNorm has no variance in a batch of 1"),
        ({"batch": 0}, "--batch"),
        ({"hidden": 0}, "--hidden"),
        ({"embedding": -3}, "--embedding"),
        ({"context": 0}, "--context"),
        ({"lr": float("inf")}, "--lr"),
        ({"dtype": "int64"}, "--dtype"),
        ({"seed": 2**64}, "--seed"),
    ],
)
def test_bad_settings(setting, message):
    with pytest.raises(results.BadInput, match=message):
        names.Settings(**setting).check()
