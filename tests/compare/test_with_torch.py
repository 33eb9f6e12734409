"""with_torch: no alarm where nothing is wrong, and every planted mistake found at its tensor, with its cause."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn.compare import tolerance, with_torch

from . import networks, planted

ROOT = Path(__file__).resolve().parents[2]
DTYPES = ("float64", "float32")
NETS = {"names": (networks.names, networks.names_batches), "convnet": (networks.convnet, networks.image_batches)}
SGD = ("SGD", {"lr": 0.1})
MOMENTUM = ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01})
ADAM = ("Adam", {"lr": 0.01})


def pair(torch, net, dtype="float64", seed=0, **layers):
    """The network of both libraries, made from one seed; `layers` are planted in ours."""
    build = NETS[net][0]
    mt.manual_seed(seed)
    torch.manual_seed(seed)
    return build(mt, dtype, **layers), build(torch, dtype)


def found(report, tensor, words):
    """Assert that the report names this tensor, and a guess with these words first."""
    assert not report and report.first.name == tensor, report
    assert report.guesses and re.search(words, report.guesses[0].says), report
    assert report.first.share > 3


# ---- no false alarm


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("optimizer", [MOMENTUM, ADAM], ids=["sgd", "adam"])
@pytest.mark.parametrize("net", NETS)
def test_healthy_models_agree(torch, net, optimizer, dtype, measured):
    nearest = []
    for seed in range(3):
        report = with_torch(*pair(torch, net, dtype, seed), NETS[net][1](seed), 20, "cross_entropy", optimizer)
        assert report and report.steps == 20 and len(report.losses[0]) == len(report.losses[1]) == 20, report
        nearest.append(max(row.share for row in report.rows))
    measured(f"with_torch {net}, {dtype}, {optimizer[0]}, 20 steps: at most {max(nearest):.0%} of what is allowed")


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_measured_margin_of_the_tolerance(torch, dtype, monkeypatch):
    """What tolerance.py says of K = 8: healthy networks need less than 1."""
    monkeypatch.setattr(tolerance, "TWIN", 1)
    for net, seed in (("names", 11), ("convnet", 12)):
        assert with_torch(*pair(torch, net, dtype, seed), NETS[net][1](seed), 20, "cross_entropy", MOMENTUM)


def test_what_is_compared(torch):
    report = with_torch(*pair(torch, "names"), networks.names_batches(), 2, "cross_entropy", MOMENTUM)
    names = [row.name for row in report.rows]
    order = [
        "embedding.weight", "bn1.running_var", "embedding output", "fc1 input", "fc1 output", "bn1 output", "fc2 input",
        "fc2 output", "fc3 input", "fc3 output", "loss", "gradient of fc3 output", "gradient of fc3.weight",
        "gradient of fc3.bias", "gradient of fc3 input", "gradient of fc2 output", "gradient of fc2 input",
        "gradient of bn1 output", "gradient of bn1.weight", "gradient of fc1 output", "gradient of fc1.weight",
        "gradient of embedding output", "gradient of embedding.weight", "momentum_buffer of embedding.weight",
    ]  # fmt: skip
    assert [name for name in names if name in order] == order
    counts = {row.name: row.count for row in report.rows}
    assert counts["loss"] == 2 and counts["fc1.weight"] == 3 and counts["bn1.running_mean"] == 3


# ---- planted mistakes


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("dimensions", [1, 2])
@pytest.mark.parametrize("bug", planted.BATCHNORM)
def test_planted_in_batchnorm(torch, bug, dimensions, dtype):
    mixin, words, tensor = planted.BATCHNORM[bug]
    net, before = {1: ("names", "fc1"), 2: ("convnet", "conv1")}[dimensions]
    layer = planted.batch_norm(mixin, planted.BASES[dimensions])
    # in float32, 1e-5 outside the root is no more than rounding where the variance is near 1/4
    eps = 1e-3 if bug == "eps outside" else 1e-5
    build, batches = NETS[net]
    name = f"BatchNorm{dimensions}d"
    ours = build(mt, dtype, **{name: lambda c: layer(c, eps=eps)})
    theirs = networks.unsettle(torch, build(torch, dtype, **{name: lambda c: getattr(torch.nn, name)(c, eps=eps)}))
    report = with_torch(ours, theirs, batches(), 3, "cross_entropy", SGD, copy_state=True)
    found(report, tensor.replace("bn1 input", f"{before} output"), words)
    assert report.first.step == 1 and report.guesses[0].source != "factor"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bug", [*planted.LINEAR, *(f"conv: {bug}" for bug in planted.CONV)])
def test_planted_in_linear_and_convolution(torch, bug, dtype):
    conv = bug.startswith("conv: ")
    layer, words, tensor = (planted.CONV if conv else planted.LINEAR)[bug.removeprefix("conv: ")]
    net, name = ("convnet", "Conv2d") if conv else ("names", "Linear")
    build, batches = NETS[net]
    theirs = networks.unsettle(torch, build(torch, dtype))
    report = with_torch(build(mt, dtype, **{name: layer}), theirs, batches(), 3, "cross_entropy", SGD, copy_state=True)
    found(report, tensor, words)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bug", planted.LOSSES)
def test_planted_in_the_loss(torch, bug, dtype):
    loss, words, tensor = planted.LOSSES[bug]
    losses = loss, torch.nn.functional.cross_entropy
    found(with_torch(*pair(torch, "names", dtype), networks.names_batches(), 3, losses, SGD), tensor, words)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bug", planted.OPTIMISERS)
def test_planted_in_the_optimiser(torch, bug, dtype):
    kind, words = planted.OPTIMISERS[bug]
    ours, theirs = pair(torch, "names", dtype)
    optimizers = (
        kind(ours.parameters(), **planted.SETTINGS),
        torch.optim.SGD(theirs.parameters(), **planted.SETTINGS),
    )
    report = with_torch(ours, theirs, networks.names_batches(), 3, "cross_entropy", optimizers)
    found(report, "embedding.weight", words)
    assert report.first.phase == "update"


@pytest.mark.parametrize("dtype", DTYPES)
def test_planted_in_the_embedding(torch, dtype):
    ours, theirs = pair(torch, "names", dtype, Embedding=planted.LastWins)
    report = with_torch(ours, theirs, networks.names_batches(), 1, "cross_entropy")
    found(report, "gradient of embedding.weight", "overwrite one another")


def test_a_mistake_that_shows_only_later(torch):
    """Weight decay that begins at the third step."""

    class Late(planted.mt.optim.SGD):
        steps = 0

        def update(self, group):
            self.steps += 1
            super().update({**group, "weight_decay": 0.5 if self.steps >= 3 else 0})

    ours, theirs = pair(torch, "names")
    optimizers = Late(ours.parameters(), lr=0.1), torch.optim.SGD(theirs.parameters(), lr=0.1)
    report = with_torch(ours, theirs, networks.names_batches(), 10, "cross_entropy", optimizers)
    found(report, "embedding.weight", "weight decay")
    assert report.first.step == report.steps == 3


def test_gradients_that_are_not_zeroed(torch):
    class Forgetful(mt.optim.SGD):
        def zero_grad(self, set_to_none=True):
            pass

    ours, theirs = pair(torch, "names")
    optimizers = Forgetful(ours.parameters(), lr=0.1), torch.optim.SGD(theirs.parameters(), lr=0.1)
    report = with_torch(ours, theirs, networks.names_batches(), 10, "cross_entropy", optimizers)
    found(report, "gradient of fc3.weight", "not zeroed")
    assert report.first.step == 2


def test_without_stop_all_steps_are_done_and_the_worst_is_kept(torch):
    layer = planted.batch_norm(planted.BiasedRunningVariance, mt.nn.BatchNorm1d)
    ours, theirs = pair(torch, "names", BatchNorm1d=layer)
    report = with_torch(ours, theirs, networks.names_batches(), 6, "cross_entropy", SGD, stop=False)
    assert not report and report.steps == 6 and report.first.step == 1
    assert [row.name for row in report.rows if not row.ok] == ["bn1.running_var"]
    row = report.row("bn1.running_var")
    assert row.step == 6 and row.difference > report.first.difference and row.count == 7


# ---- what can be given


def square_error(output, target):
    return ((output - target) ** 2).mean()


LOSSES = {
    "name": "mse_loss",
    "name and options": ("mse_loss", {"reduction": "sum"}),
    "methods that both have": square_error,
    "none": None,
}


@pytest.mark.parametrize("loss", LOSSES)
def test_losses(torch, loss):
    ours, theirs = mt.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    batch = np.random.default_rng(0).normal(size=(5, 3)), np.random.default_rng(1).normal(size=(5, 2))
    report = with_torch(ours, theirs, batch, 4, LOSSES[loss], SGD, copy_state=True)
    assert report and len(report.losses[0]) == (0 if loss == "none" else 4)


def test_a_pair_of_losses(torch):
    pairs = [(mt.nn.MSELoss(), torch.nn.MSELoss()), (mt.nn.functional.mse_loss, torch.nn.functional.mse_loss)]
    for losses in pairs:
        assert with_torch(
            mt.nn.Linear(3, 2), torch.nn.Linear(3, 2), (mt.ones(4, 3), mt.ones(4, 2)), 1, losses, copy_state=True
        )


def test_optimisers(torch):
    x = np.random.default_rng(0).normal(size=(5, 3))
    for optimizer in ("SGD", SGD, lambda lib, params: lib.optim.SGD([{"params": params, "lr": 0.2}], lr=0.1)):
        assert with_torch(mt.nn.Linear(3, 2), torch.nn.Linear(3, 2), x, 3, optimizer=optimizer, copy_state=True)
    ours, theirs = mt.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    optimizers = mt.optim.SGD(ours.parameters(), lr=0.1), torch.optim.SGD(theirs.parameters(), lr=0.1)
    assert with_torch(ours, theirs, x, 3, optimizer=optimizers, copy_state=True)
    found(
        with_torch(mt.nn.Linear(3, 2), torch.nn.Linear(3, 2), x, copy_state=True,
                   optimizer=lambda lib, params: lib.optim.SGD(params, lr=0.1 if lib is mt else 0.3)),
        "weight", "times the step: compare lr",
    )  # fmt: skip


def test_settings_that_change_on_the_way_are_the_twins_too(torch):
    ours, theirs = pair(torch, "names")
    optimizers = mt.optim.SGD(ours.parameters(), lr=0.1), torch.optim.SGD(theirs.parameters(), lr=0.1)

    def batch(step):
        for optimizer in optimizers:
            optimizer.param_groups[0]["lr"] = 0.1 / (1 + step)
        return networks.names_batches()(step)

    report = with_torch(ours, theirs, batch, 5, "cross_entropy", optimizers)
    assert report and report.row("fc2.weight").moved < 1e-13


def test_batches(torch):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(6, 3)), rng.integers(0, 2, 6)
    kinds = {
        "array": (x, 2, None), "tensor": (mt.tensor(x), 2, None), "theirs": (torch.tensor(x), 2, None),
        "pair": ((x, y), 2, "cross_entropy"), "list": ([(x, y)] * 3, None, "cross_entropy"),
        "loader": ([[torch.tensor(x), torch.tensor(y)]] * 3, 2, "cross_entropy"),
        "generator": (((x + i, y) for i in range(3)), None, "cross_entropy"),
        "callable": (lambda step: (x + step, y), 2, "cross_entropy"),
    }  # fmt: skip
    for kind, (batch, steps, loss) in kinds.items():
        report = with_torch(mt.nn.Linear(3, 2), torch.nn.Linear(3, 2), batch, steps, loss, copy_state=True)
        assert report and report.steps == (steps or 3), kind


def test_two_inputs_two_outputs_a_layer_used_twice(torch):
    def build(L):
        class Net(L.nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = L.nn.Linear(3, 3)

            def forward(self, a, b):
                return L.tanh(self.fc(a)) + self.fc(b)

        return Net().double()

    rng = np.random.default_rng(0)
    batch = ((rng.normal(size=(4, 3)), rng.normal(size=(4, 3))), rng.normal(size=(4, 3)))
    report = with_torch(build(mt), build(torch), batch, 2, "mse_loss", SGD, copy_state=True)
    names = [row.name for row in report.rows]
    assert report and {"input 1", "input 2", "fc output", "fc output (call 2)", "gradient of input 2", "output"} <= set(
        names
    )


def raw(p, x):
    """The names network by hand, as in the lessons: the same function for both libraries."""
    e = p["C"][x].view(x.shape[0], -1)
    h = (e @ p["W1"] + p["b1"]).tanh()
    return {"e": e, "h": h, "logits": h @ p["W2"]}


def raw_parameters(L):
    rng = np.random.default_rng(0)
    shapes = {"C": (46, 4), "W1": (12, 20), "b1": (20,), "W2": (20, 46)}
    return {name: L.tensor(rng.normal(size=shape) * 0.3).requires_grad_() for name, shape in shapes.items()}


def test_a_function_and_its_tensors(torch):
    ours, theirs = (raw, raw_parameters(mt)), (raw, raw_parameters(torch))
    report = with_torch(ours, theirs, networks.names_batches(), 5, "cross_entropy", SGD)
    assert report and {"h", "gradient of e", "gradient of C", "W2"} <= {row.name for row in report.rows}
    assert not any("no perturbed twin" in note for note in report.notes)

    def wrong(p, x):
        values = raw(p, x)
        return values | {"h": values["h"] * 1.001, "logits": values["logits"] * 1.001}

    report = with_torch(
        (wrong, raw_parameters(mt)), (raw, raw_parameters(torch)), networks.names_batches(), 5, "cross_entropy"
    )
    found(report, "h", r"1\.001 times")


def test_an_object_with_parameters(torch):
    class ByHand:
        """As layers are built in lessons; keeps its output, so that it cannot be copied."""

        def __init__(self, L):
            self.w = L.tensor(np.random.default_rng(0).normal(size=(3, 2)).tolist()).requires_grad_()

        def __call__(self, x):
            self.out = (x @ self.w).tanh()
            return self.out

        def parameters(self):
            return [self.w]

    x = np.random.default_rng(0).normal(size=(5, 3))
    ours, theirs = ByHand(mt), ByHand(torch)
    report = with_torch(ours, theirs, x, 5, optimizer=SGD)
    assert report and "parameter 0" in [row.name for row in report.rows]
    theirs(torch.tensor(x, dtype=torch.float32))
    report = with_torch(ours, theirs, x, 5, optimizer=SGD)
    assert report and any("no perturbed twin" in note for note in report.notes)


def test_without_a_twin_healthy_networks_agree_too(torch):
    for net in NETS:
        for dtype in DTYPES:
            report = with_torch(*pair(torch, net, dtype), NETS[net][1](), 5, "cross_entropy", SGD, twin=False)
            assert report, report


def test_dropout_needs_a_seed(torch):
    def build(L):
        return L.nn.Sequential(L.nn.Linear(8, 8), L.nn.Dropout(0.5), L.nn.Linear(8, 2)).double()

    x = np.random.default_rng(0).normal(size=(16, 8))
    mt.manual_seed(1)
    torch.manual_seed(2)
    report = with_torch(build(mt), build(torch), x, 3, copy_state=True)
    found(report, "1 output", "draws random numbers")
    assert "seed=" in report.guesses[0].instead
    assert with_torch(build(mt), build(torch), x, 20, optimizer=SGD, seed=5, copy_state=True)


def test_the_mode_of_a_layer(torch):
    ours, theirs = pair(torch, "names")
    ours.bn1.eval()
    report = with_torch(ours, theirs, networks.names_batches(), 1, "cross_entropy")
    found(report, "bn1 output", "bn1 is in eval mode here, in train mode in PyTorch's")
    ours, theirs = pair(torch, "names")
    ours.eval(), theirs.eval()
    networks.unsettle(torch, theirs)
    assert with_torch(ours, theirs, networks.names_batches(), 3, "cross_entropy", SGD, copy_state=True)


def test_a_setting_of_a_layer(torch):
    ours, theirs = pair(torch, "names")
    ours.bn1.eps = 1e-3
    report = with_torch(ours, theirs, networks.names_batches(), 1, "cross_entropy")
    found(report, "bn1 output", r"bn1\.eps is 0\.001 here, 1e-05")
    assert "bn1.eps is 0.001 in ours, 1e-05 in PyTorch's" in report.notes


def test_different_starts(torch):
    mt.manual_seed(1)
    torch.manual_seed(2)
    ours, theirs = networks.names(mt), networks.names(torch)
    report = with_torch(ours, theirs, networks.names_batches(), 1, "cross_entropy")
    found(report, "embedding.weight", "start from different values")
    assert report.first.step == 0 and report.steps == 0 and "copy_state" in report.guesses[0].instead
    assert with_torch(ours, theirs, networks.names_batches(), 1, "cross_entropy", copy_state=True)


def test_different_dtypes(torch):
    report = with_torch(networks.names(mt, "float32"), networks.names(torch), networks.names_batches(), copy_state=True)
    assert report.first.problem == "ours is float32, PyTorch's float64" and "float32 here" in report.guesses[0].says


def test_a_gradient_that_never_comes(torch):
    class Cut(mt.nn.BatchNorm1d):
        def forward(self, input):
            return super().forward(input).detach()

    ours, theirs = pair(torch, "names", BatchNorm1d=Cut)
    report = with_torch(ours, theirs, networks.names_batches(), 1, "cross_entropy")
    found(report, "bn1 output", "the graph is cut on the way to bn1 output")


def test_frozen_on_one_side(torch):
    ours, theirs = pair(torch, "names")
    ours.fc2.weight.requires_grad_(False)
    found(with_torch(ours, theirs, networks.names_batches(), 1, "cross_entropy"), "fc2.weight", "frozen on one side")


def test_frozen_parameters_agree(torch):
    ours, theirs = pair(torch, "names")
    for net in (ours, theirs):
        net.fc2.weight.requires_grad_(False)
    report = with_torch(ours, theirs, networks.names_batches(), 3, "cross_entropy", SGD)
    assert report and "gradient of fc2.weight" not in [row.name for row in report.rows]


def test_a_model_that_learns_nothing(torch):
    ours, theirs = mt.nn.Embedding(5, 3).requires_grad_(False), torch.nn.Embedding(5, 3).requires_grad_(False)
    report = with_torch(ours, theirs, np.arange(4), 2, copy_state=True)
    assert report and not [row for row in report.rows if row.kind == "gradient"]
    assert with_torch(mt.nn.Tanh(), torch.nn.Tanh(), np.linspace(-2.0, 2.0, 7)).row("gradient of input").ok


def test_layers_without_state_may_differ(torch):
    def body(L):
        return [L.nn.Linear(4, 4), L.nn.Tanh()]

    ours = mt.nn.Sequential(*body(mt), mt.nn.Identity())
    report = with_torch(ours, torch.nn.Sequential(*body(torch)), np.ones((3, 4)), copy_state=True)
    assert report and any("only in ours, so not compared: 2 output" in note for note in report.notes)


@pytest.mark.parametrize("inplace", [(True, True), (False, True), (True, False)], ids=str)
def test_in_place_layers(torch, inplace):
    def build(L, inplace):
        return L.nn.Sequential(L.nn.Linear(4, 6), L.nn.ReLU(inplace=inplace), L.nn.Linear(6, 2))

    x = np.random.default_rng(0).normal(size=(5, 4))
    report = with_torch(build(mt, inplace[0]), build(torch, inplace[1]), x, 3, optimizer=SGD, copy_state=True)
    assert report and report.row("gradient of 1 output").count == 3


def test_both_models_are_trained_and_hooks_are_gone(torch):
    ours, theirs = pair(torch, "names")
    before = ours.fc1.weight.array.copy()
    with_torch(ours, theirs, networks.names_batches(), 2, "cross_entropy", SGD)
    assert (ours.fc1.weight.array != before).any() and not any(map(hooks, (*ours.modules(), *theirs.modules())))
    np.testing.assert_allclose(ours.fc1.weight.array, theirs.fc1.weight.detach().numpy(), rtol=0, atol=1e-14)


def hooks(module):
    """How many forward hooks a module has."""
    return len(vars(module).get("_forward_hooks", ()))


def test_hooks_are_gone_after_an_error(torch):
    ours, theirs = pair(torch, "names")
    with pytest.raises((RuntimeError, IndexError)):
        with_torch(ours, theirs, (np.full((2, 3), 99), np.zeros(2, int)), 1, "cross_entropy")
    assert not any(map(hooks, (*ours.modules(), *theirs.modules())))


def test_the_random_streams_are_left_as_training_leaves_them(torch):
    def draw(twin):
        mt.manual_seed(3)
        torch.manual_seed(3)
        net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Dropout(0.5))
        with_torch(
            mt.nn.Sequential(mt.nn.Linear(4, 4), mt.nn.Dropout(0.5)), net, np.ones((2, 4)), 3, twin=twin, stop=False
        )
        return torch.rand(4)

    assert torch.equal(draw(True), draw(False))


# ---- thousands of steps


def test_losses_only(torch):
    report = with_torch(*pair(torch, "names"), networks.names_batches(), 50, "cross_entropy", SGD, watch="loss")
    kinds = {row.kind for row in report.rows}
    assert report and kinds == {"loss", "parameter", "buffer"} and report.row("loss").count == 50
    layer = planted.batch_norm(planted.BiasedRunningVariance, mt.nn.BatchNorm1d)
    report = with_torch(
        *pair(torch, "names", BatchNorm1d=layer), networks.names_batches(), 20, "cross_entropy", SGD, watch="loss"
    )
    assert not report and report.first.name == "bn1.running_var" and report.first.phase == "end"


def test_a_progress_bar(torch, capsys):
    for progress, shown in ((True, True), (False, False), (None, False)):  # None: no terminal here
        with_torch(*pair(torch, "names"), networks.names_batches(), 3, "cross_entropy", progress=progress)
        assert ("3/3" in capsys.readouterr().err) is shown


def test_given_tolerances(torch):
    for given, good in ((1e-3, True), ({"loss": 0.0}, False), ({"loss": 1e-12}, True), ({"gradient": 0.0}, False)):
        report = with_torch(*pair(torch, "names"), networks.names_batches(), 20, "cross_entropy", SGD, tolerance=given)
        assert bool(report) is good, (given, report)


def long_run():
    spec = importlib.util.spec_from_file_location("make_with_torch", ROOT / "docs" / "make_with_torch.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("steps", [500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_the_names_network_over_thousands_of_steps(torch, steps, dtype, measured):
    report = long_run().compare(dtype, steps)
    ours, theirs = (np.array(losses) for losses in report.losses)
    apart = np.abs(ours - theirs)
    measured(f"with_torch names, {dtype}, {steps:,} steps: losses differ by at most {apart.max():.1e} nats")
    assert report and len(ours) == len(theirs) == steps
    assert 0 < apart.max() <= {"float64": 1e-12, "float32": 2e-5}[dtype]
    assert theirs[:50].mean() - theirs[-50:].mean() > 0.1, "nothing was learnt, so nothing was compared"


# ---- errors


def linear(torch):
    return mt.nn.Linear(3, 2), torch.nn.Linear(3, 2)


X = np.ones((4, 3))
ERRORS = {
    "other names": (lambda t: with_torch(mt.nn.Sequential(mt.nn.Linear(3, 2)), t.nn.Linear(3, 2), X),
                    ValueError, r"0\.weight \(2, 3\) only in ours.*weight \(2, 3\) only in PyTorch's"),
    "other shapes": (lambda t: with_torch(mt.nn.Linear(3, 2), t.nn.Linear(3, 4), X),
                     ValueError, r"weight \(2, 3\) in ours, \(4, 3\) in PyTorch's"),
    "no bias": (lambda t: with_torch(mt.nn.Linear(3, 2, bias=False), t.nn.Linear(3, 2), X),
                ValueError, r"bias \(2,\) only in PyTorch's"),
    "no model": (lambda t: with_torch(3, t.nn.Linear(3, 2), X), TypeError, "got a model of type int"),
    "steps": (lambda t: with_torch(*linear(t), X, 0), ValueError, "got steps=0"),
    "steps None": (lambda t: with_torch(*linear(t), X, None), TypeError, "give steps"),
    "few batches": (lambda t: with_torch(*linear(t), [X, X], 3, copy_state=True), ValueError, "ended after 2 steps"),
    "watch": (lambda t: with_torch(*linear(t), X, watch="weights"), ValueError, "got watch='weights'"),
    "loss name": (lambda t: with_torch(*linear(t), X, loss="crossentropy"), AttributeError, "no 'crossentropy'"),
    "loss": (lambda t: with_torch(*linear(t), X, loss=3), TypeError, "got loss=3"),
    "optimizer name": (lambda t: with_torch(*linear(t), X, optimizer="Sgd"), AttributeError, "no 'Sgd'"),
    "optimizer": (lambda t: with_torch(*linear(t), X, optimizer=0.1), TypeError, r"got optimizer=0\.1"),
    "batch": (lambda t: with_torch(*linear(t), (X, X, X)), TypeError, "a batch of 3 parts"),
    "batch of words": (lambda t: with_torch(*linear(t), ("a", X)), TypeError, "a batch with str inside"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", ERRORS)
def test_errors(torch, wrong):
    run, kind, message = ERRORS[wrong]
    with pytest.raises(kind, match=message) as error:
        run(torch)
    assert str(error.value).startswith("with_torch: ")
