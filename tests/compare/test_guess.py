"""The guesses: every hypothesis names its mistake, and says nothing where the numbers do not support it."""

import re

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn.compare import catalogue, with_torch
from minitorch_bn.compare.guess import Scene, guesses_for
from minitorch_bn.compare.report import Row
from minitorch_bn.compare.side import Call, Entry

from . import networks

X = np.random.default_rng(3).normal(size=(8, 6))


def guess(ours, theirs, kind="output", name="fc output", phase="forward", allowed=1e-13, **known):
    """The sentences for one tensor that diverges."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    difference = float(np.abs(ours.astype(float) - theirs).max()) if ours.shape == theirs.shape else 0.0
    row = Row(name, kind, phase, 1, ours, theirs, difference, allowed)
    entry = Entry(name, kind, theirs, module="fc", of=known.pop("of", ""))
    empty = dict(here={}, there={}, before_here={}, before_there={}, calls=[], info_here={}, info_there={}, batch=8)
    return [g.says for g in guesses_for(Scene(row, entry, **{**empty, **known}))]


TIMES = {
    "sign": (-X, "sign is reversed"),
    "twice": (2 * X, "^2 times"),
    "half": (X / 2, "half of"),
    "batch": (8 * X, "8 times.*batch size.*a sum where"),
    "mean": (X / 8, "1/8 of.*a mean where"),
    "elements": (48 * X, "48 times.*number of elements"),
    "any": (X * 1.2345, r"1\.2345 times"),
    "zero": (0 * X, "0 everywhere"),
    "shift": (X + 0.25, r"\+0\.25 everywhere"),
    "transposed": (X[:6].T, "transposed"),
    "turned": (X[::-1], r"turned round along axes \(0,\)"),
    "mirrored": (X[:, ::-1], r"turned round along axes \(-1,\)"),
    "single": (X.astype(np.float32).astype(np.float64), "float32 numbers in a float64 array"),
    "digits": (X * (1 + 1e-8 * np.sign(X - 0.3)), "digits of float32 only"),
    "nan": (np.where(X > 1, np.nan, X), "nan or infinite"),
}


@pytest.mark.parametrize("change", TIMES)
def test_changes_of_any_tensor(change):
    ours, words = TIMES[change]
    theirs = X[:6] if change == "transposed" else X
    if change == "nan":
        with np.errstate(invalid="ignore"):
            assert re.search(words, guess(ours, theirs)[0])
        return
    assert re.search(words, guess(ours, theirs)[0]), guess(ours, theirs)


def test_other_axes_and_shapes():
    images = np.random.default_rng(0).normal(size=(4, 4, 4, 4))
    assert "axes in the order (0, 1, 3, 2)" in guess(images.swapaxes(2, 3), images)[0]
    row = Row("fc output", "output", "forward", 1, X.T, X, 0.0, 0.0, 0.0, "ours has shape (6, 8), PyTorch's (8, 6)")
    scene = Scene(row, Entry("fc output", "output", X), {}, {}, {}, {}, [], {}, {}, 8)
    assert [g.says for g in guesses_for(scene)] == ["PyTorch's with its axes in the order (1, 0)"]


def test_no_guess_without_support():
    rng = np.random.default_rng(1)
    assert guess(X + 0.1 * rng.normal(size=X.shape), X) == []
    assert guess(2 * X + 1e-9 * rng.normal(size=X.shape), X) == []  # nearly twice is not twice
    other = rng.normal(size=X.shape)
    assert guess(other, X, there={"other": other + 1e-9}) == []


def test_guesses_of_small_differences_must_explain_them():
    """A difference of twice the rounding may not be explained by anything that leaves as much."""
    ours = X * (1 + 3e-13 * np.sign(np.random.default_rng(5).normal(size=X.shape)))
    assert [words for words in guess(ours, X, allowed=1e-13) if "float32" not in words] == []


def test_tensors_that_were_mixed_up():
    other = np.random.default_rng(1).normal(size=X.shape)
    assert "what PyTorch has for fc2 output" in guess(other, X, there={"fc2 output": other})[0]
    assert guess(X, other, before_here={"fc output": X})[0].startswith("ours has not moved")
    assert "one step late" in guess(X + 1e-15, other, before_there={"fc output": X})[0]


def test_kinks_are_no_mistakes():
    x = X.copy()
    x[0, 0], y = 1e-16, np.where(X > 0, 1.0, 0.0)
    theirs, there = y.copy(), X.copy()
    theirs[0, 0], there[0, 0] = 0.0, -1e-16
    y[0, 0] = 1.0
    says = guess(
        y, theirs, "gradient", "gradient of fc output", "backward", of="fc output",
        here={"fc output": x}, there={"fc output": there}, calls=[Call("relu", "fc output", "relu output", True)],
        info_there={"relu": {"type": "ReLU"}},
    )  # fmt: skip
    assert "two sides of the kink at 0" in says[0]


def test_tensors_that_are_rounding_errors():
    noise = np.random.default_rng(0).normal(size=(2, 9)) * 1e-17
    row = Row("gradient of fc.bias", "gradient", "backward", 1, noise[0], noise[1], 3e-17, 2e-17, 2e-18)
    scene = Scene(row, Entry(row.name, "gradient", noise[1]), {}, {}, {}, {}, [], {}, {}, 8)
    assert "rounding: one ulp moves this tensor by" in guesses_for(scene)[0].says
    row.difference = 1e-12
    assert guesses_for(scene) == [] or "rounding" not in guesses_for(scene)[0].says


def test_a_factor_is_that_of_most_elements():
    """A single large element must not make a factor of noise."""
    ours, theirs = np.full(9, 1e-9), np.full(9, -1e-9)
    ours[4], theirs[4] = 0.37, 1.0
    assert guess(ours, theirs, allowed=1e-8) == []


LEARNT = {
    "no bias": (lambda x, w, b: x @ w.T, "without the bias"),
    "twice": (lambda x, w, b: x @ w.T + 2 * b, "bias added twice"),
    "not transposed": (lambda x, w, b: x @ w + b, "x @ weight where"),
}


@pytest.mark.parametrize("bug", LEARNT)
def test_linear(bug):
    rng = np.random.default_rng(0)
    w, b, x = rng.normal(size=(6, 6)), rng.normal(size=6), X
    wrong, words = LEARNT[bug]
    known = {"there": {"input": x}, "before_there": {"fc.weight": w, "fc.bias": b}}
    says = guess(wrong(x, w, b), x @ w.T + b, calls=[Call("fc", "input", "fc output", True)], **known)
    assert re.search(words, says[0])


def test_normalisation_layers_without_gamma():
    rng = np.random.default_rng(0)
    gamma, beta = rng.uniform(1, 2, 6), rng.normal(size=6)
    known = {"there": {"input": X}, "before_there": {"fc.weight": gamma, "fc.bias": beta}}
    calls = [Call("fc", "input", "fc output", True)]
    says = guess(X + beta, gamma * X + beta, calls=calls, **known)
    assert says[0] == "PyTorch's without gamma (the weight)"
    assert guess(X, gamma * X + beta, calls=calls, **known)[0] == "PyTorch's without gamma and beta (weight and bias)"
    assert "gamma (the weight) twice" in guess(gamma * gamma * X + beta, gamma * X + beta, calls=calls, **known)[0]


MOVES = {
    "uphill": (lambda p, g: p + 0.1 * g, "uphill"),
    "twice": (lambda p, g: p - 0.2 * g, "done twice"),
    "rate": (lambda p, g: p - 0.03 * g, "times the step: compare lr"),
    "decay": (lambda p, g: p - 0.1 * g - 0.01 * p, "weight decay"),
}


@pytest.mark.parametrize("bug", MOVES)
def test_optimisers(bug):
    p, g = X, np.random.default_rng(1).normal(size=X.shape)
    wrong, words = MOVES[bug]
    known = {"there": {"gradient of fc.weight": g}, "before_there": {"fc.weight": p}, "before_here": {"fc.weight": p}}
    assert re.search(words, guess(wrong(p, g), p - 0.1 * g, "parameter", "fc.weight", "update", **known)[0])


CATALOGUE = [
    m for m in catalogue.MISTAKES if m.formula is not None and m.shows == "usual" and m.stage in ("forward", "backward")
]

CHANGED = {
    "bn1 output": "y", "bn1.running_mean": "running_mean", "bn1.running_var": "running_var",
    "gradient of bn1.weight": "dgamma", "gradient of bn1.bias": "dbeta", "gradient of fc1 output": "dx",
}  # fmt: skip


@pytest.mark.parametrize("mistake", CATALOGUE, ids=lambda m: m.name)
def test_every_batchnorm_mistake_of_the_catalogue_is_found_in_a_layer(torch, mistake):
    """Each wrong formula in the place of a BatchNorm1d, in a network, against PyTorch's."""
    from minitorch_bn.engine import Op, apply

    class Wrong(Op):
        def __init__(self, layer):
            self.layer, self.formula = layer, mistake.formula(layer.eps, layer.momentum)

        def forward(self, x, gamma, beta):
            return self.formula.normalise(x, gamma, beta)

        def backward(self, dy):
            return self.formula.backward(dy)

    class Layer(mt.nn.BatchNorm1d):
        def forward(self, input):
            op = Wrong(self)
            y = apply(op, input, self.weight, self.bias)
            mean, var = op.formula.update(self.running_mean.array, self.running_var.array)
            with mt.no_grad():
                self.running_mean.copy_(mt.tensor(mean))
                self.running_var.copy_(mt.tensor(var))
            self.num_batches_tracked.add_(1)
            return y

    theirs = networks.unsettle(torch, networks.names(torch))
    ours = networks.names(mt, BatchNorm1d=Layer)
    batches = networks.names_batches(n=8)
    report = with_torch(ours, theirs, batches, 1, "cross_entropy", copy_state=True)
    assert not report and report.first.name in CHANGED, report
    assert CHANGED[report.first.name] in mistake.changes
    sources = [g.source for g in report.guesses]
    assert mistake.name in sources or (sources and says_the_same(mistake, sources[0], report.first.name)), (
        sources,
        report,
    )


def batch_statistics(layer, x):
    return mt.nn.functional.batch_norm(x, None, None, layer.weight, layer.bias, True, 0.0, layer.eps)


def without_eps(layer, x):
    return (x - layer.running_mean) / layer.running_var.sqrt() * layer.weight + layer.bias


EVAL = {"batch statistics": (batch_statistics, "statistics of the batch"), "no eps": (without_eps, "eps was left out")}


@pytest.mark.parametrize("bug", EVAL)
def test_eval_mode_of_a_layer_by_itself(torch, bug):
    forward, words = EVAL[bug]
    layer = type("Layer", (mt.nn.BatchNorm1d,), {"forward": forward})(6).double().eval()
    theirs = networks.unsettle(torch, torch.nn.BatchNorm1d(6).double()).eval()
    report = with_torch(layer, theirs, X, copy_state=True)
    assert report.first.name == "model output" and words in report.guesses[0].says, report


def test_the_average_of_all_batches(torch):
    """A momentum of None, read as 0.1 from the third batch on."""

    class Layer(mt.nn.BatchNorm1d):
        def forward(self, input):
            self.momentum = None if self.num_batches_tracked.item() < 2 else 0.1
            y = super().forward(input)
            self.momentum = None
            return y

    theirs = torch.nn.BatchNorm1d(6, momentum=None).double()
    report = with_torch(Layer(6, momentum=None).double(), theirs, lambda step: X + step, 5, copy_state=True)
    assert report.first.name == "running_mean" and report.first.step == 3, report
    assert "momentum of None was read as 0.1" in report.guesses[0].says


def says_the_same(mistake, source, tensor):
    """Whether another mistake of the catalogue changes the diverging tensor alike: nobody can tell them apart."""
    data = catalogue.EXAMPLES["usual"]() | {"eps": 1e-5, "momentum": 0.1, "batches": 0}
    got = [catalogue.attempt(CHANGED[tensor], m.formula, data) for m in (mistake, catalogue.find(source))]
    return np.allclose(*got, rtol=1e-9)
