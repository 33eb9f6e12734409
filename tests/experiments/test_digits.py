"""experiments/digits*.py: data, network, training, numbers, verdict, figures, command."""

import json
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import __main__ as command_line
from minitorch_bn.experiments import digits, digits_figures, digits_net, digits_results, jobs, results

TINY = digits.Settings(epochs=1, seeds=1, rates=(0.03,), sweep_epochs=1, batch=100)
Short = namedtuple("Short", ["net", "losses", "accuracies", "predicted"])


def rows_of(data):
    """Every image as bytes: sets of them can be compared."""
    return [{x.tobytes() for x in part.numpy().astype(np.float32)} for part in (data.x_train, data.x_test)]


# ---- data


@pytest.mark.parametrize("dtype", [mt.float32, mt.float64])
def test_data(dtype):
    data = digits.load_data(dtype=dtype)
    assert [tuple(t.shape) for t in data] == [(1437, 1, 8, 8), (1437,), (360, 1, 8, 8), (360,)]
    assert [t.dtype for t in data] == [dtype, mt.int64, dtype, mt.int64]
    assert data.x_train.min().item() == -1 and data.x_train.max().item() == 1
    counts = np.bincount(data.y_test.numpy(), minlength=10)
    assert counts.min() >= 34 and counts.max() <= 38  # every digit in its share


def test_test_images_have_no_part_in_the_choice_of_settings():
    train, test = rows_of(digits.load_data("test"))
    fitting, validation = rows_of(digits.load_data("validation"))
    assert not train & test and not fitting & validation
    assert fitting | validation == train
    assert len(digits.load_data("validation").y_train) == 1437 - 360
    with pytest.raises(KeyError):
        digits.load_data("everything")


def test_the_sweep_never_sees_the_test_images(monkeypatch):
    asked = []
    monkeypatch.setattr(digits, "run_all", lambda *a, **k: asked.append(a[3]) or {})
    digits.sweep(TINY)
    digits.long_runs(TINY, dict.fromkeys(digits_net.NORMS, 0.1))
    assert asked == ["validation", "test"]


def test_shifts_move_whole_images_by_at_most_a_pixel():
    x = mt.tensor(np.random.default_rng(0).uniform(0, 1, (200, 1, 8, 8)))
    mt.manual_seed(0)
    shifted = digits_net.shifted(x).numpy()
    padded = np.pad(x.numpy(), ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-1)
    seen = set()
    for image, wide in zip(shifted[:, 0], padded[:, 0], strict=True):
        found = [
            (i, j) for i in range(3) for j in range(3) if np.array_equal(image, wide[i : i + 8, j : j + 8])
        ]  # fmt: skip
        assert len(found) == 1
        seen.update(found)
    assert len(seen) == 9  # all nine shifts, one of them by nothing


# ---- network


@pytest.mark.parametrize("norm", digits_net.NORMS)
def test_network(norm):
    net = digits_net.Net(norm)
    assert net(mt.zeros(2, 1, 8, 8)).shape == (2, 10)
    kinds = [type(m).__name__ for m in net.modules()]
    wanted = {"batch": "BatchNorm2d", "group": "GroupNorm"}.get(norm)
    assert sum(kind in ("BatchNorm2d", "GroupNorm") for kind in kinds) == (6 if wanted else 0)
    assert wanted is None or kinds.count(wanted) == 6
    convs = [m for m in net.modules() if isinstance(m, mt.nn.Conv2d)]
    assert len(convs) == 6 and all((m.bias is None) == (norm != "none") for m in convs)
    assert sum(p.numel() for p in net.parameters()) == (24_506 if wanted else 24_362)


def test_a_block_adds_its_input():
    """With gamma of the last normalisation at 0, a block is relu of its short cut."""
    block = digits_net.Block("batch", 4, 4)
    block.norm2.weight.array[...] = 0
    x = mt.randn(3, 4, 5, 5)
    assert mt.equal(block(x), x.relu())


def test_dropout_stands_behind_the_last_normalisation():
    order = [name for name, m in digits_net.Net("batch", 0.5).named_modules() if not list(m.children())]
    normalised = [i for i, name in enumerate(order) if "norm" in name or name.endswith("shortcut.1")]
    assert order.index("dropout") > max(normalised) and order[-1] == "fc"
    net = digits_net.Net("batch", 0.5)
    x = mt.randn(4, 1, 8, 8)
    assert not mt.equal(net(x), net(x)) and mt.equal(net.eval()(x), net(x))


def of_pytorch():
    """The names of digits_net.py, with PyTorch in the place of the package."""
    text = Path(digits_net.__file__).read_text(encoding="utf-8")
    for ours, theirs in (
        ("import minitorch_bn as mt\n", "import torch as mt\n"),
        ("import minitorch_bn.nn.functional as F\n", "import torch.nn.functional as F\n"),
        ("from minitorch_bn import nn\n", "from torch import nn\n"),
    ):
        assert ours in text
        text = text.replace(ours, theirs)
    scope = {}
    exec(compile(text, "digits_net.py under PyTorch", "exec"), scope)
    return scope


@pytest.mark.parametrize("norm", digits_net.NORMS)
def test_same_losses_as_pytorch(norm, torch):
    """12 steps of training in float64, from the same seed: the same weights, the same shifts, the same losses.

    A step's numbers differ by some 1e-14 of themselves. The bound leaves room for a tenfold growth every three steps.
    """
    x, y = (t.numpy()[:96] for t in digits.load_data(dtype=mt.float64)[:2])

    def losses(L, Net, shifted):
        L.manual_seed(3)
        net = Net(norm).double()
        optimizer = L.optim.SGD(net.parameters(), lr=0.02, momentum=0.9, nesterov=True)
        found = []
        for step in range(12):
            part = slice(step % 3 * 32, step % 3 * 32 + 32)
            loss = L.nn.functional.cross_entropy(net(shifted(L.from_numpy(x[part]))), L.from_numpy(y[part]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            found.append(loss.item())
        return found

    ours = losses(mt, digits_net.Net, digits_net.shifted)
    theirs = of_pytorch()
    np.testing.assert_allclose(ours, losses(torch, theirs["Net"], theirs["shifted"]), rtol=1e-10)
    assert ours[-1] < ours[0]


# ---- training


def test_same_seed_same_run():
    first, again, other = (digits.run(TINY, seed=seed) for seed in (3, 3, 4))
    assert first.losses == again.losses and np.array_equal(first.predicted, again.predicted)
    assert first.losses != other.losses
    assert first.net.training and first.predicted.shape == (360,)
    assert first.accuracies[-1] == (first.predicted == digits.load_data().y_test.numpy()).mean()


def test_it_learns():
    """Two epochs are enough for 85 %: chance is 10 %."""
    run = digits.run(digits.Settings(epochs=2), lr=0.03)
    assert run.losses[1] < run.losses[0] and run.accuracies[-1] > 0.85


def test_rate_and_decay_of_every_step(monkeypatch):
    """The rate rises to lr in the first fifth and falls to almost 0; gamma, beta and biases never decay."""
    seen, step = [], mt.optim.SGD.step

    def remember(self, closure=None):
        seen.append([(g["lr"], g["weight_decay"], {p.ndim for p in g["params"]}) for g in self.param_groups])
        return step(self, closure)

    monkeypatch.setattr(mt.optim.SGD, "step", remember)
    x, y = mt.randn(8, 1, 8, 8), mt.randint(0, 10, (8,))
    digits.train(digits_net.Net(), [(x, y)] * 10, epochs=2, lr=0.5, weight_decay=0.25)
    rates = [groups[0][0] for groups in seen]
    assert len(rates) == 20 and max(rates) == rates[3] == 0.5 and rates[0] < 0.03 and rates[-1] < 1e-4
    assert all([g[1] for g in groups] == [0.0, 0.25] for groups in seen)
    assert seen[0][0][2] == {1} and seen[0][1][2] == {2, 4}


def test_losses_are_means_over_the_batches():
    """Blank images, which no shift changes, and a rate too small to move a weight: every loss is known."""
    net, blank = digits_net.Net("none"), mt.full((4, 1, 8, 8), -1.0)
    batches = [(blank, mt.tensor([0, 1, 2, 3])), (blank, mt.tensor([9, 9, 9, 9]))]
    wanted = np.mean([mt.nn.functional.cross_entropy(net(x), y).item() for x, y in batches])
    history = digits.train(net, batches, epochs=5, lr=1e-12, after_epoch=lambda net: 7)
    np.testing.assert_allclose([loss for loss, _ in history], [wanted] * 5, rtol=1e-6)
    assert [said for _, said in history] == [7] * 5


def test_predict_leaves_mode_and_statistics_alone():
    net = digits_net.Net("batch", 0.5)
    before = net.norm.running_mean.numpy().copy()
    digits.predict(net, mt.randn(5, 1, 8, 8))
    assert net.training and np.array_equal(net.norm.running_mean.numpy(), before)


def test_pool_and_one_process_agree():
    settings = digits.Settings(epochs=1, seeds=1, batch=100)
    keys = [("batch", 0.03, 0), ("none", 0.03, 0)]
    alone, pooled = (digits.run_all(settings, keys, 1, "test", "digits", processes=n) for n in (1, 2))
    for key in keys:
        assert alone[key].losses == pooled[key].losses and alone[key].net == pooled[key].net
        assert np.array_equal(alone[key].predicted, pooled[key].predicted)


# ---- numbers


def test_experiment_is_what_json_can_hold():
    content, runs = digits.experiment(TINY, processes=1)
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert list(runs) == [(norm, 0.03, 0) for norm in digits_net.NORMS]
    assert [row["norm"] for row in content["final"]] == list(digits_net.NORMS)
    assert content["data"] == {
        "test": {"train": 1437, "held_out": 360}, "validation": {"train": 1077, "held_out": 360}
    }  # fmt: skip
    y = digits.load_data().y_test.numpy()
    wrong = set().union(*({int(i) for i in np.flatnonzero(run.predicted != y)} for run in runs.values()))
    assert {entry["image"] for entry in content["wrong"]} == wrong


def test_each_network_gets_its_own_best_rate(monkeypatch):
    best = {"batch": 0.3, "group": 0.1, "none": 0.01}
    rates = (0.01, 0.1, 0.3)
    asked = {}

    def runs(settings, keys, epochs, held_out, *_):
        asked[held_out] = keys
        right = np.zeros(360, int)
        return {k: Short(1, [0.1], [0.9 if held_out == "test" or k[1] == best[k[0]] else 0.5], right) for k in keys}

    monkeypatch.setattr(digits, "run_all", runs)
    digits.experiment(digits.Settings(rates=rates, seeds=2))
    assert {(norm, lr) for norm, lr, _ in asked["test"]} == set(best.items())
    digits.experiment(digits.Settings(rates=(), lr=0.2, seeds=2))
    assert {lr for _, lr, _ in asked["test"]} == {0.2}


def short(norm, lr, seed, accuracy, loss=0.1):
    return (norm, lr, seed), Short(7, [1.0, loss], [0.2, accuracy], None)


def test_summary_table_and_verdict():
    tried = dict(
        short(norm, lr, seed, accuracy)
        for norm, accuracies in {"batch": (0.96, 0.97), "group": (0.5, 0.96), "none": (0.3, 0.89)}.items()
        for lr, accuracy in zip((0.1, 0.01), accuracies, strict=True)
        for seed in (0, 1)
    )
    rows = digits_results.summary(tried)
    assert [(row["lr"], row["norm"]) for row in rows][:3] == [(0.01, "batch"), (0.01, "group"), (0.01, "none")]
    assert digits_results.usable(rows, "batch") == [0.01, 0.1]
    assert digits_results.usable(rows, "group") == [0.01] and digits_results.usable(rows, "none") == []
    final = digits_results.summary(
        dict([
            short("batch", 0.01, 0, 0.99), short("batch", 0.01, 1, 0.98), short("group", 0.01, 0, 0.97),
            short("group", 0.01, 1, 0.975), short("none", 0.1, 0, 0.985), short("none", 0.1, 1, 0.9, float("nan")),
        ])
    )  # fmt: skip
    said = "\n".join(digits_results.verdict(rows, final, digits.Settings(seeds=2, epochs=2)))
    assert "BatchNorm: 98.50 % (98.0 to 99.0), lr 0.01" in said
    assert "BatchNorm: lr 0.01, 0.1\n" in said and "without:   no rate" in said
    assert "every seed with BatchNorm above every seed with GroupNorm; no difference between" in said
    assert "diverged): without at lr 0.1: 1." in said
    content = results.plain({"rates": rows, "final": final, "settings": {"epochs": 2, "sweep_epochs": 1}})
    table = digits_results.text_tables(content)
    assert "96.0 %" in table and "98.50 % (98.0 to 99.0)" in table and "diverged" in table


@pytest.mark.parametrize(("a", "b", "words"), [(0.99, 0.98, "above"), (0.97, 0.98, "below")])
def test_compare(a, b, words):
    own = {"batch": {"accuracy": [a]}, "group": {"accuracy": [b]}, "none": {"accuracy": [b]}}
    assert digits_results.compare(own).count(f"BatchNorm {words} every seed with") == 2


def test_wrong_answers_most_wrong_first():
    runs = {
        ("batch", 0.1, 0): Short(1, [], [], np.array([1, 2, 3])),
        ("batch", 0.1, 1): Short(1, [], [], np.array([1, 0, 3])),
        ("none", 0.1, 0): Short(1, [], [], np.array([1, 2, 9])),
    }
    found = digits_results.wrong_answers(runs, np.array([1, 5, 3]))
    assert found == [
        {"image": 1, "digit": 5, "answers": {"batch": [2, 0], "none": [2]}},
        {"image": 2, "digit": 3, "answers": {"batch": [3, 3], "none": [9]}},
    ]


def test_a_run_that_overflows_is_reported_not_warned_about(tmp_path):
    settings = digits.Settings(epochs=1, seeds=1, rates=(), lr=1e30, batch=100)
    content, runs = digits.experiment(settings, processes=1)  # warnings are errors in tests
    digits_figures.curves(tmp_path / "curves.png", settings, content, runs)  # a logarithmic axis without a number
    without = next(row for row in content["final"] if row["norm"] == "none")
    assert without["diverged"] == [True] and without["loss"] == [None]
    assert "diverged" in content["verdict"][-1]


# ---- figures and command


def test_looks_differ_in_grey_in_line_and_in_marker():
    from matplotlib.colors import to_rgb

    looks = digits_figures.LOOKS.values()
    grey = sorted(np.dot(to_rgb(look["color"]), [0.2126, 0.7152, 0.0722]) for look in looks)
    assert min(np.diff(grey)) > 0.08
    assert len({look["linestyle"] for look in looks}) == len({look["marker"] for look in looks}) == 3


def test_command_writes_numbers_and_figures(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(jobs, "cores", lambda: 1)
    words = "digits --epochs 1 --seeds 1 --rates 0.03 3 --sweep-epochs 1 --batch 100 --quiet".split()
    assert command_line.main([*words, "--out", str(tmp_path)]) == 0
    said = capsys.readouterr()
    pictures = ["digits_curves.png", "digits_rates.png", "digits_wrong.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["digits.json", *pictures])
    content = json.loads((tmp_path / "digits.json").read_text(encoding="utf-8"))
    assert all(line in said.out for line in content["verdict"]) and said.err == ""
    for name in pictures:
        assert name in said.out and (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_command_without_a_sweep_or_figures(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "cores", lambda: 1)
    words = "digits --epochs 1 --seeds 1 --lr 0.03 --batch 100 --no-figures --quiet --rates".split()
    assert command_line.main([*words, "--out", str(tmp_path)]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["digits.json"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--batch", "0"], "--batch must be a number at least 1"),
        (["--batch", "101"], "--batch must be a number at least 1 and at most 100"),
        (["--lr", "0"], "--lr must be a number above 0"),
        (["--rates"], "--rates is empty"),
        (["--rates", "0.1", "-1"], "--rates must be a number above 0"),
        (["--epochs", "0"], "--epochs"),
        (["--seeds", "0"], "--seeds"),
        (["--seed", "-1"], "--seed"),
        (["--sweep-epochs", "0"], "--sweep-epochs must be"),
        (["--weight-decay", "-1"], "--weight-decay must be"),
        (["--dropout", "1"], "--dropout must be a number at least 0 and at most 0.95, got 1.0"),
        (["--dtype", "float16"], "--dtype must be one of float32, float64"),
        (["--processes", "0"], "--processes"),
    ],
)
def test_bad_options_are_said_in_one_line(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        command_line.main(["digits", *words])
    said = capsys.readouterr()
    assert ended.value.code == 2 and said.out == "" and said.err.count("\n") == 1 and message in said.err
    assert list(tmp_path.iterdir()) == []
