"""The catalogue: the right formula is PyTorch's, every mistake changes what it claims and no more, and is found."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn.compare import catalogue, formula
from minitorch_bn.compare.catalogue import EXAMPLES, MISTAKES, attempt, explain, find, rounding
from minitorch_bn.compare.formula import QUANTITIES, Formula, quantity
from minitorch_bn.compare.mistake import STAGES

FORMULAS = [mistake for mistake in MISTAKES if mistake.formula is not None]
USES = [mistake for mistake in MISTAKES if mistake.formula is None]
TRAPS = {f"T{i}" for i in range(1, 31)}


def off(got, want):
    """The largest difference, infinite for other shapes."""
    return catalogue._distance(np.asarray(got), np.asarray(want))


def tolerance(data, want):
    """How far two right ways to compute may lie apart."""
    return rounding(want.dtype, data) * max(1e-300, float(np.abs(want).max()))


# ---- the right formula


def by_torch(torch, data):
    """What PyTorch gives for the quantities of a layer, in float64."""
    double = {name: a.astype(float) for name, a in data.items() if isinstance(a, np.ndarray)}
    x, dy = double["x"], double["dy"]
    layer = {2: torch.nn.BatchNorm1d, 3: torch.nn.BatchNorm1d, 4: torch.nn.BatchNorm2d}[x.ndim]
    found = {}
    for mode in ("", "eval_"):
        bn = layer(x.shape[1], momentum=data.get("momentum", 0.1), dtype=torch.float64)
        found.setdefault("start_mean", bn.running_mean.clone()), found.setdefault("start_var", bn.running_var.clone())
        names = {"weight": "gamma", "bias": "beta", "running_mean": "running_mean", "running_var": "running_var"}
        bn.load_state_dict(
            {name: torch.from_numpy(double[ours]) for name, ours in names.items()}
            | {"num_batches_tracked": torch.tensor(data.get("batches", 0))}
        )
        bn.train(not mode)
        t = torch.from_numpy(x).requires_grad_()
        y = bn(t)
        y.backward(torch.from_numpy(dy))
        found |= {f"{mode}y": y, f"{mode}dx": t.grad, f"{mode}dgamma": bn.weight.grad, f"{mode}dbeta": bn.bias.grad}
        if not mode:
            found |= {"running_mean": bn.running_mean, "running_var": bn.running_var}
    linear = torch.nn.Linear(4, x.shape[1], dtype=torch.float64)
    linear.load_state_dict({name: torch.from_numpy(double[name]) for name in ("weight", "bias")})
    flat = torch.nn.BatchNorm1d(x.shape[1], dtype=torch.float64)
    flat.load_state_dict({**bn.state_dict()})
    fused = torch.nn.utils.fuse_linear_bn_eval(linear.eval(), flat.eval())
    found |= {"fold_weight": fused.weight, "fold_bias": fused.bias}
    axes = (0, *range(2, x.ndim))
    whole = torch.from_numpy(np.concatenate([shard.astype(float) for shard in data["shards"]]))
    found |= {"sync_mean": whole.mean(axes), "sync_var": whole.var(axes, correction=0)}
    return {name: t.detach().numpy() for name, t in found.items()}


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_formula_is_pytorchs(torch, example):
    data = EXAMPLES[example]()
    want = by_torch(torch, data)
    assert set(want) == set(QUANTITIES)
    for what in QUANTITIES:
        got = quantity(what, Formula, data)
        assert got.dtype == data["x"].dtype
        assert off(got, want[what]) <= tolerance(data, got), what


def test_the_formula_takes_no_gamma_and_no_beta(torch):
    data = EXAMPLES["image"]()
    del data["gamma"], data["beta"]
    x = torch.from_numpy(data["x"]).requires_grad_()
    y = torch.nn.functional.batch_norm(x, None, None, training=True)
    y.backward(torch.from_numpy(data["dy"]))
    assert off(quantity("y", Formula, data), y.detach().numpy()) < 1e-14
    assert off(quantity("dx", Formula, data), x.grad.numpy()) < 1e-14


def test_shards_of_any_number_combine_to_the_whole(rng):
    x = rng.normal(size=(9, 2, 3)) + [[5.0], [-7.0]]
    for cuts in ([4], [1, 2], [2, 5, 8]):
        mean, var = Formula().combine(np.split(x, cuts))
        assert off(mean, x.mean((0, 2))) < 1e-14 and off(var, x.var((0, 2))) < 1e-13


# ---- the mistakes


def changed(mistake, data):
    """Which quantities a mistake changes on some data, beyond rounding: from its own start, from given statistics."""
    found = set()
    for what in QUANTITIES:
        for own_start in (True, False):
            right = quantity(what, Formula, data, own_start)
            with np.errstate(all="ignore"):
                wrong = quantity(what, mistake.formula, data, own_start)
            if off(wrong, right) > 4 * tolerance(data, right):
                found.add(what)
    return found


@pytest.mark.parametrize("mistake", FORMULAS, ids=lambda m: m.name)
def test_a_mistake_changes_what_it_claims_and_nothing_else(mistake):
    assert changed(mistake, EXAMPLES[mistake.shows]()) == mistake.changes


@pytest.mark.parametrize(
    "mistake", [m for m in FORMULAS if m.shows in ("offset", "image", "cumulative")], ids=lambda m: m.name
)
def test_a_mistake_that_needs_special_data_hides_on_the_usual(mistake):
    hidden = {"dgamma-averaged-over-the-batch"}  # there N = m, and it is the plain dgamma-averaged
    assert changed(mistake, EXAMPLES["usual"]()) == (mistake.changes if mistake.name in hidden else set())


@pytest.mark.parametrize("mistake", FORMULAS, ids=lambda m: m.name)
def test_explain_finds_the_mistake(mistake):
    """It is among those named for each quantity that it changes; others there are its equals on these data."""
    data = EXAMPLES[mistake.shows]()
    given = {name: value for name, value in data.items() if name not in ("momentum", "batches")}
    for what in sorted(mistake.changes):
        own = "running_mean" if what.startswith(("start", "running")) and "start" in " ".join(mistake.changes) else ""
        arrays = {n: v for n, v in given.items() if not (own and n.startswith("running"))}
        needed = {n: v for n, v in arrays.items() if n in EXPLAIN}
        settings = {"momentum": data.get("momentum", 0.1), "batches": data.get("batches", 0)}
        wrong = attempt(what, mistake.formula, {**arrays, **settings})
        if own == "" and not what.startswith("start"):
            wrong = quantity(what, mistake.formula, data)
        found = explain(what, wrong, **needed, **settings)
        assert mistake in found, (what, [m.name for m in found])
        for other in found:
            same = attempt(what, other.formula, {**arrays, **settings})
            largest = max(abs(np.asarray(wrong)).max(), abs(quantity(what, Formula, data)).max())
            assert off(same, wrong) <= 2 * tolerance(data, np.asarray(largest, data["x"].dtype))


EXPLAIN = {"x", "gamma", "beta", "dy", "running_mean", "running_var", "weight", "bias", "shards"}


@pytest.mark.parametrize("what", ["y", "dx", "dgamma", "dbeta", "running_mean", "running_var", "eval_y", "eval_dx"])
def test_explain_says_nothing_of_what_is_right(what):
    data = EXAMPLES["usual"]()
    given = {name: data[name] for name in EXPLAIN & set(data)}
    right = quantity(what, Formula, data)
    assert explain(what, right, **given) == []
    assert explain(what, right * (1 + 1e-15), **given) == []


@pytest.mark.parametrize("what", ["y", "dx", "running_var", "eval_y"])
def test_explain_says_nothing_of_what_it_does_not_know(what, rng):
    data = EXAMPLES["usual"]()
    given = {name: data[name] for name in EXPLAIN & set(data)}
    right = quantity(what, Formula, data)
    assert explain(what, right + 0.01 * rng.normal(size=right.shape), **given) == []
    assert explain(what, right * np.nan, **given) == []
    assert explain(what, right[:1], **given) == []


def test_explain_in_float32(rng):
    x = rng.normal(2, 3, (32, 5)).astype(np.float32)
    got = 0.9 + 0.1 * x.var(0)
    assert got.dtype == np.float32
    assert [m.name for m in explain("running_var", got, x=x)] == ["biased-running-variance"]
    assert explain("running_var", 0.9 + 0.1 * x.var(0, ddof=1), x=x) == []


def test_explain_in_eval_mode():
    data = EXAMPLES["usual"]()
    given = {name: data[name] for name in EXPLAIN & set(data)}
    wrong = quantity("eval_dx", find("training-formula-in-eval").formula, data)
    assert "training-formula-in-eval" in [m.name for m in explain("dx", wrong, training=False, **given)]
    # without running statistics eval mode is that of a new layer
    fresh = {name: data[name] for name in ("x", "gamma", "beta")}
    y = mt.nn.BatchNorm1d(3, dtype=mt.float64).eval()(mt.from_numpy(data["x"])).array * data["gamma"] + data["beta"]
    assert explain("y", y, training=False, **fresh) == []


def test_explain_takes_tensors_of_both_libraries(torch):
    x = EXAMPLES["usual"]()["x"]
    got = 0.9 + 0.1 * x.var(0)
    for lib in (mt, torch):
        found = explain("running_var", lib.from_numpy(got), x=lib.from_numpy(x).requires_grad_())
        assert [m.name for m in found] == ["biased-running-variance"]


def test_explain_leaves_its_inputs_alone():
    data = EXAMPLES["usual"]()
    given = {name: data[name] for name in EXPLAIN & set(data)}
    explain("dx", quantity("dx", find("gamma-twice").formula, data), **given)
    again = EXAMPLES["usual"]()
    assert all(np.array_equal(given[name], again[name]) for name in ("x", "gamma", "beta", "dy", "running_var"))


def test_explain_says_what_it_needs():
    with pytest.raises(ValueError, match=r"explain: got what='z', wanted one of y, dx"):
        explain("z", np.zeros(3), x=np.zeros((4, 3)))
    with pytest.raises(ValueError, match=r"explain: dx is computed from x dy; got no dy"):
        explain("dx", np.zeros((4, 3)), x=np.zeros((4, 3)))


def test_find():
    assert find("gamma-twice").trap == "T11"
    with pytest.raises(KeyError, match=r"'biased-variance', wanted a name of the catalogue.*biased-running-variance"):
        find("biased-variance")


# ---- the list


def test_all_traps_are_there():
    assert {mistake.trap for mistake in MISTAKES} - {""} == TRAPS


def test_names_and_sentences():
    names = [mistake.name for mistake in MISTAKES]
    assert len(names) == len(set(names))
    for mistake in MISTAKES:
        assert re.fullmatch(r"[a-z0-9.]+(-[a-z0-9.]+)*", mistake.name)
        assert mistake.stage in STAGES and mistake.changes <= set(QUANTITIES) and mistake.shows in EXAMPLES
        assert mistake.says.endswith(".") and mistake.instead.endswith((".", ")."))
        assert str(mistake) == f"{mistake.name}: {mistake.says} {mistake.instead}"
        assert (mistake.formula is None) == (mistake.stage == "use") == (not mistake.changes)
        if mistake.formula is not None:
            assert issubclass(mistake.formula, Formula) and mistake.formula.__doc__ != Formula.__doc__


def all_numbers(kind):
    """All quantities of a formula on the float64 examples, as one vector; what it cannot compute is far away."""
    parts = []
    for example in sorted(set(EXAMPLES) - {"offset"}):
        data = EXAMPLES[example]()
        for what in QUANTITIES:
            for own_start in (True, False):
                right = quantity(what, Formula, data, own_start)
                try:
                    with np.errstate(all="ignore"):
                        wrong = np.nan_to_num(quantity(what, kind, data, own_start), nan=1e6, posinf=1e7, neginf=-1e7)
                except (ValueError, IndexError):
                    wrong = np.full(right.shape, 1e8)
                parts.append((wrong if wrong.shape == right.shape else np.full(right.shape, 1e9)).ravel())
    return np.concatenate(parts)


def test_no_two_mistakes_are_one():
    """Somewhere, each gives other numbers than each other."""
    vectors = {mistake.name: all_numbers(mistake.formula) for mistake in FORMULAS}
    for a, b in itertools.combinations(vectors, 2):
        assert np.abs(vectors[a] - vectors[b]).max() > 1e-9, f"{a} is {b}"


# ---- traps of use


@pytest.mark.parametrize("mistake", [m for m in USES if m.demonstrate], ids=lambda m: m.name)
def test_demonstration_runs_alike_twice(mistake):
    state = mt.get_rng_state()
    shown = mistake.demonstrate()
    assert all(isinstance(value, int | float) and np.isfinite(value) for value in shown.values())
    mt.set_rng_state(state)
    assert mistake.demonstrate() == shown


SHOWN = {
    "gradient-check-with-ones": lambda v: v[0] < 1e-14 < 0.1 < v[1],
    "bias-in-front": lambda v: v[0] < 1e-13 < 0.1 < v[1],
    "batch-of-one": lambda v: v == [1, 1, 0, 0],
    "frozen-by-requires-grad": lambda v: v[0] > 0.1 and v[1] > 0.1 and v[2] == 0,
    "tracking-switched-off-later": lambda v: v[0] > 0.1 and v[1] == 0,
    "std-checked-with-correction": lambda v: (
        v[0] == pytest.approx(np.sqrt(8 / 7)) and v[1] == pytest.approx(1, rel=1e-5)
    ),
    "accumulation-for-a-large-batch": lambda v: v[0] > 0.1,
    "eval-before-the-average-is-warm": lambda v: v[0] > 1 and v[1] < 0.05,
    "eval-tied-to-no-grad": lambda v: v[0] == 1 and v[1] > 0.1,
    "statistics-as-plain-attributes": lambda v: v == [3, 0],
}


@pytest.mark.parametrize("name", SHOWN)
def test_demonstration_shows_the_trap(name):
    assert SHOWN[name](list(find(name).demonstrate().values()))


def test_every_demonstration_is_judged():
    assert {mistake.name for mistake in USES if mistake.demonstrate} == set(SHOWN)


# ---- as mutants


def test_backward_mutants(rng):
    """Every mistake that changes a gradient is there, and gives what the formula gives."""
    data = EXAMPLES["usual"]()
    gamma, beta = mt.from_numpy(data["gamma"]), mt.from_numpy(data["beta"])
    statistics = (mt.from_numpy(data["running_mean"]), mt.from_numpy(data["running_var"]))
    for training, prefix in ((True, ""), (False, "eval_")):
        x = mt.from_numpy(data["x"]).requires_grad_()
        op = mt.nn.functional.batch_norm(x, *(t.clone() for t in statistics), gamma, beta, training).op
        names = {f"{prefix}{name}" for name in ("dx", "dgamma", "dbeta")}
        mutants = catalogue.backward_mutants(op)
        assert [m for m, _ in mutants] == [m for m in FORMULAS if m.changes & names]
        for mistake, backward in mutants:
            for name, got in zip(("dx", "dgamma", "dbeta"), backward(op, data["dy"]), strict=True):
                assert off(got, quantity(f"{prefix}{name}", mistake.formula, data)) < 1e-12 * (1 + abs(got).max())


def test_formula_needs_no_package():
    """The reference is written apart from what it checks."""
    source = Path(formula.__file__).read_text(encoding="utf-8")
    assert re.findall(r"^(?:from|import) .*", source, re.M) == ["import numpy as np"]
