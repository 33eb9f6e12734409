"""experiments/circles.py and sweep.py: data, curves, numbers, verdict."""

import json

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn.experiments import circles, results, sweep

TINY = circles.Settings(seeds=2, epochs=4, rates=(0.01, 1.0))


@pytest.mark.parametrize("dtype", [mt.float32, mt.float64])
def test_data(dtype):
    data = circles.load_data(dtype)
    assert [tuple(t.shape) for t in data] == [(1400, 2), (1400,), (600, 2), (600,)]
    assert [t.dtype for t in data] == [dtype, mt.int64, dtype, mt.int64]
    assert set(data.y_test.tolist()) == {0, 1}
    radius = np.linalg.norm(data.x_train.numpy(), axis=1)
    assert radius[data.y_train.numpy() == 0].mean() > 0.95 and radius[data.y_train.numpy() == 1].mean() < 0.5


def test_net_has_the_names_of_the_course():
    mt.manual_seed(0)
    plain = circles.Net(False)
    mt.manual_seed(0)
    normed = circles.Net(True)
    assert [name for name, _ in plain.named_parameters()] == [
        f"fc{i}.{p}" for i in (1, 2, 3) for p in ("weight", "bias")
    ]
    assert [name for name, _ in normed.named_children()] == ["fc1", "bn1", "fc2", "bn2", "fc3"]
    assert mt.equal(plain.fc3.weight, normed.fc3.weight)  # both draw the same numbers


def test_same_seed_same_curves():
    first, again, other = (circles.run(seed, True, epochs=5) for seed in (3, 3, 4))
    assert first.losses == again.losses and first.accuracies == again.accuracies
    assert first.losses != other.losses
    assert first.losses[-1] < first.losses[0] and all(0 <= a <= 1 for a in first.accuracies)
    assert first.net.training


@pytest.mark.parametrize("batch_norm", [True, False])
def test_same_curves_as_pytorch(batch_norm):
    torch = pytest.importorskip("torch")
    nn, F = torch.nn, torch.nn.functional
    data = [torch.from_numpy(t.numpy()) for t in circles.load_data()]
    torch.manual_seed(1)
    norm = nn.BatchNorm1d if batch_norm else nn.Identity
    net = nn.Sequential(nn.Linear(2, 64), norm(64), nn.ReLU(), nn.Linear(64, 32), norm(32), nn.ReLU(), nn.Linear(32, 2))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    losses = []
    for _ in range(30):
        loss = F.cross_entropy(net(data[0]), data[1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    np.testing.assert_allclose(circles.run(1, batch_norm, epochs=30).losses, losses, rtol=1e-5)


def test_probe_and_train_mode_accuracy_leave_the_training_alone():
    data, seen = circles.load_data(), []
    probed = circles.run(0, True, epochs=4, probe=lambda net: seen.append(circles.accuracy_in_train_mode(net, data)))
    assert len(seen) == 4 and all(0 <= a <= 1 for a in seen)
    assert probed.losses == circles.run(0, True, epochs=4).losses


def test_probabilities():
    net = circles.run(0, True, epochs=2).net
    before = net.bn1.running_mean.numpy().copy()
    p = circles.probabilities(net, np.zeros((5, 2)))
    assert p.shape == (5,) and (p > 0).all() and (p < 1).all()
    assert (net.bn1.running_mean.numpy() == before).all() and net.training


def test_experiment_is_what_json_can_hold():
    content, curves = circles.experiment(TINY, processes=1)
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert len(curves) == 3 * 2 * 2  # the rate of the curves, 0.1, joins the two of the sweep
    assert {len(losses) for losses, _ in curves.values()} == {4}
    assert content["seeds"] == [0, 1] and len(content["rates"]) == 6 and len(content["curves"]) == 4
    row = next(row for row in content["rates"] if row["lr"] == 0.1 and row["batch_norm"])
    assert row["loss"] == [curves[True, 0.1, seed][0][-1] for seed in (0, 1)]


def test_pool_and_one_process_agree():
    alone = circles.run_all(TINY, processes=1)
    assert circles.run_all(TINY, processes=2) == alone and list(alone) == circles.jobs_of(TINY)


def test_a_run_that_overflows_is_reported_not_warned_about():
    settings = circles.Settings(seeds=1, epochs=6, lr=1e30, rates=())
    content, _ = circles.experiment(settings, processes=1)  # warnings are errors in tests
    plain = next(row for row in content["rates"] if not row["batch_norm"])
    assert plain["diverged"] == [True] and plain["loss"] == [None]
    assert "diverged" in content["verdict"][-1]


def test_epochs_and_medians():
    assert sweep.epochs_to([0.2, 0.3]) is None
    assert sweep.median_epochs([3, None, 5]) == 5 and sweep.median_epochs([3, None, None, 5]) is None
    assert sweep.show_epochs([1, 2]) == "1.5" and sweep.show_epochs([None]) == "never"
    assert sweep.show_arrived([0.95, 0.94, 1.0]) == "2/3"


def row(batch_norm, lr, epochs, accuracy=0.99):
    size = len(epochs)
    return {
        "batch_norm": batch_norm, "lr": lr, "epochs_to_95": epochs, "accuracy": [accuracy] * size,
        "loss": [0.1] * size, "diverged": [False] * size,
    }  # fmt: skip


def test_verdict_sorts_rates_by_what_the_numbers_say():
    pairs = [
        (0.1, row(True, 0.1, [5] * 4), row(False, 0.1, [9] * 4)),
        (0.2, row(True, 0.2, [5] * 4), row(False, 0.2, [None] * 4, 0.5)),
        (0.3, row(True, 0.3, [5, 6, 7, 8]), row(False, 0.3, [6, 7, 5, 8])),
        (0.4, row(True, 0.4, [9] * 4), row(False, 0.4, [3] * 4)),
        (0.5, row(True, 0.5, [9] * 4, 0.5), row(False, 0.5, [3] * 4)),
        (0.6, row(True, 0.6, [9] * 4, 0.5), row(False, 0.6, [3] * 4, 0.5)),
    ]
    rows = [r for _, *both in pairs for r in both]
    lines = {line.split(":")[0].strip(): line.split("lr")[-1].strip() for line in sweep.verdict(rows, 0.1, 20)}
    assert lines["Both, BatchNorm sooner"] == "0.1"
    assert lines["Only BatchNorm gets there"] == "0.2"
    assert lines["Both, no clear difference"] == "0.3"
    assert lines["Both, without it sooner"] == "0.4"
    assert lines["Only without it"] == "0.5"
    assert lines["Neither"] == "0.6"
    assert (
        "leaves the top where it was; most seeds end at 95 % at 4 rates with it, at 4 without"
        in sweep.what_it_changes(rows)
    )
    assert len(sweep.text_table(rows).splitlines()) == 2 + 6 + 2


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"epochs": 0}, "--epochs must be a number at least 1, got 0"),
        ({"seeds": 0}, "--seeds"),
        ({"lr": 0.0}, "--lr must be a number above 0"),
        ({"lr": float("nan")}, "--lr"),
        ({"rates": (0.1, -1.0)}, "--rates"),
        ({"dtype": "float16"}, "--dtype must be one of float32, float64, got 'float16'"),
        ({"seed": -1}, "--seed"),
    ],
)
def test_bad_settings(setting, message):
    with pytest.raises(results.BadInput, match=message):
        circles.Settings(**setting).check()
