"""compare.gradcheck: right gradients pass, wrong ones do not, and what it cannot see it says."""

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn.compare import catalogue, gradcheck
from minitorch_bn.compare.catalogue import MISTAKES
from minitorch_bn.compare.differences import Probe, Slopes
from minitorch_bn.compare.subject import Subject
from minitorch_bn.engine import Op, apply
from tests.ops.cases import CASES

F = mt.nn.functional


def tensor(rng, *shape):
    return mt.from_numpy(rng.normal(size=shape))


def batch_norm(rng, layer=None, channels=3):
    """A layer whose gamma is not 1 and whose beta is not 0."""
    bn = (layer or mt.nn.BatchNorm1d)(channels, dtype=mt.float64)
    names = ("weight", "bias", "running_mean", "running_var")
    bn.load_state_dict({**bn.state_dict(), **{name: mt.from_numpy(rng.uniform(0.5, 2, channels)) for name in names}})
    return bn


class Wrong(mt.autograd.Function):
    """x * y, whose second gradient is a factor off."""

    factor = 2.0

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y

    @staticmethod
    def backward(ctx, dy):
        x, y = ctx.saved_tensors
        return dy * y, dy * x * Wrong.factor


# ---- right gradients pass


@pytest.mark.parametrize("seed", range(5))
def test_healthy_networks_pass(seed):
    rng = np.random.default_rng(seed)
    mt.manual_seed(seed)
    net = mt.nn.Sequential(mt.nn.Linear(5, 8), mt.nn.BatchNorm1d(8), mt.nn.Tanh(), mt.nn.Linear(8, 4)).double()
    conv = mt.nn.Sequential(
        mt.nn.Conv2d(2, 3, 3),
        mt.nn.BatchNorm2d(3),
        mt.nn.ReLU(),
        mt.nn.MaxPool2d(2),
        mt.nn.Flatten(),
        mt.nn.Linear(12, 3),
    ).double()
    target = mt.from_numpy(rng.integers(0, 4, 16))
    assert gradcheck(lambda x: F.cross_entropy(net(x), target), tensor(rng, 16, 5), also=[net], seed=seed, limit=60)
    assert gradcheck(conv, tensor(rng, 3, 2, 6, 6), seed=seed, limit=60)


@pytest.mark.parametrize("seed", range(10))
def test_badly_conditioned_functions_pass(seed):
    """Far from 0, where y has lost digits, and with a deviation of 0.001, where the function bends sharply."""
    rng = np.random.default_rng(seed)
    assert gradcheck(lambda x: F.batch_norm(x, None, None, training=True), tensor(rng, 8, 3) + 1e4, seed=seed)
    assert gradcheck(lambda x: F.batch_norm(x, None, None, training=True), 1 + 1e-3 * tensor(rng, 8, 3), seed=seed)
    assert gradcheck(lambda x: (1e3 * x).sin() + 1e4 * x.exp().log(), tensor(rng, 6), seed=seed)


OPS = ("batch_norm", "linear", "cross_entropy", "tanh", "conv2d", "logsumexp")
SMOOTH = [case for case in CASES if case.grad and case.smooth and case.op in OPS][::4]


@pytest.mark.parametrize("case", SMOOTH, ids=lambda case: case.name)
def test_rows_of_the_table_pass(case):
    """The library's own ops, on data of the table."""
    arrays = case.arrays()
    asked = case.differentiable(arrays)
    inputs = [mt.from_numpy(a).requires_grad_(grad) for a, grad in zip(arrays, asked, strict=True)]
    assert gradcheck(lambda *xs: case.function(mt, *xs), *inputs, limit=100)


def test_tuples_scalars_and_numbers(rng):
    x, y = tensor(rng, 3), tensor(rng)
    assert gradcheck(lambda x, y, n: (x * y, (x**n).sum()), x, y, 3)
    assert gradcheck(lambda x: x * 2, y).checked == 1


def test_strided_inputs(rng):
    x = tensor(rng, 4, 3).T
    assert not x.array.flags.c_contiguous
    assert gradcheck(lambda x: (x * mt.from_numpy(np.arange(12.0).reshape(3, 4))).tanh(), x)


def test_empty_inputs(rng):
    assert gradcheck(lambda x, y: x.sum() + y, tensor(rng, 0, 3), tensor(rng)).checked == 1
    nothing = gradcheck(lambda x: x[:0], tensor(rng, 3))
    assert nothing and nothing.worst.difference == 0 and "gradient of x is 0 everywhere" in repr(nothing)


# ---- wrong gradients do not


@pytest.mark.parametrize("factor", [2, -1, 0, 1.01, 1 + 1e-6])
def test_a_wrong_factor_is_found(rng, monkeypatch, factor):
    monkeypatch.setattr(Wrong, "factor", factor)
    x, y = tensor(rng, 2, 3), tensor(rng, 2, 3)
    result = gradcheck(Wrong.apply, x, y)
    assert not result and not result.ok
    assert len(result.wrong) == 6 and result.worst.name.startswith("input 1[")
    i, j = np.argwhere(np.abs(x.array) == np.abs(x.array).max())[0]
    worst = max(result.wrong, key=lambda e: e.difference)
    upstream = np.random.default_rng(0).normal(size=(2, 3))
    assert worst.analytic / worst.numeric == pytest.approx(factor, abs=1e-8)
    elements = {e.name: e for e in result.wrong}
    element = elements[f"input 1[{i}, {j}]"]
    assert element.numeric == pytest.approx(upstream[i, j] * x.array[i, j], rel=1e-8)
    assert "WRONG at 6 of 12 slopes" in repr(result)


class HalfTanh(Op):
    """tanh with one wrong element in its gradient."""

    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, dy):
        dx = dy * (1 - self.y * self.y)
        dx[1, 2] *= 1.001
        return (dx,)


def test_one_wrong_element_is_named(rng):
    result = gradcheck(lambda x: apply(HalfTanh(), x), tensor(rng, 3, 4))
    assert [e.name for e in result.wrong] == ["x[1, 2]"]
    assert "worst: x[1, 2]: backward " in repr(result) and "x[1, 2]" in result._repr_html_()


def test_a_wrong_parameter_gradient_is_named(rng, monkeypatch):
    linear = mt.nn.Linear(3, 2, dtype=mt.float64)
    kind = type(linear(tensor(rng, 4, 3)).op)
    backward = kind.backward
    monkeypatch.setattr(kind, "backward", lambda op, dy: (*backward(op, dy)[:2], 2 * backward(op, dy)[2]))
    result = gradcheck(linear, tensor(rng, 4, 3))
    assert {e.name for e in result.wrong} == {"bias[0]", "bias[1]"}


def test_a_cut_graph_is_found(rng):
    """detach: backward gives nothing where there is a slope."""
    result = gradcheck(lambda x: x * x.detach(), tensor(rng, 3))
    assert not result and all(e.analytic == pytest.approx(e.numeric / 2) for e in result.wrong)


def test_large_inputs_are_sampled_and_still_checked(rng):
    x, y = tensor(rng, 60, 40), tensor(rng, 60, 40)
    right = gradcheck(lambda x, y: (x * y).tanh(), x, y, limit=50)
    assert right and right.checked == 2 * (25 + 8)
    wrong = gradcheck(Wrong.apply, x, y, limit=50)
    assert any("along direction" in e.name for e in wrong.wrong)
    assert {e.name.split("[")[0].split(" along")[0] for e in wrong.wrong} == {"input 1"}


def test_directions_see_what_the_sample_misses(rng):
    """One wrong element of 2,400: every direction has a part along it."""

    class OneOff(HalfTanh):
        def backward(self, dy):
            dx = dy * (1 - self.y * self.y)
            dx[7, 7] += 0.5
            return (dx,)

    result = gradcheck(lambda x: apply(OneOff(), x), tensor(rng, 60, 40), limit=20)
    assert any("along direction" in e.name for e in result.wrong)


# ---- kinks


def test_kinks_are_reported_and_not_counted(rng):
    x = tensor(rng, 4, 2)
    x.array[3, 1] = 0
    result = gradcheck(mt.relu, x)
    assert result and [e.name for e in result.kinks] == ["input[3, 1]"] and result.checked == 7
    assert "a kink at input[3, 1] (ReLU at its corner?)" in repr(result)


def test_ties_of_a_maximum_are_kinks(rng):
    x = tensor(rng, 5)
    x.array[[1, 3]] = x.array.max() + 1
    result = gradcheck(lambda x: x.max(0)[0], x)
    assert result and {e.name for e in result.kinks} <= {"x[1]", "x[3]"} and result.kinks


def test_a_wrong_gradient_at_a_kink_is_wrong(rng):
    """Between the slopes of the two sides anything may stand; outside nothing."""

    class Relu(Op):
        slope = 0.3

        def forward(self, x):
            self.x = x
            return np.maximum(x, 0)

        def backward(self, dy):
            return (np.where(self.x == 0, self.slope, self.x > 0) * dy,)

    x = mt.from_numpy(np.array([1.0, 0.0, -2.0]))
    assert gradcheck(lambda x: apply(Relu(), x), x).kinks
    for slope in (-0.5, 1.5):
        Relu.slope = slope
        result = gradcheck(lambda x: apply(Relu(), x), x)
        assert [e.name for e in result.wrong] == ["x[1]"] and not result.kinks


def test_a_kink_beside_the_point_is_no_excuse_and_no_alarm():
    for distance in 10.0 ** -np.arange(2, 7):
        x = mt.from_numpy(np.array([distance, -distance]))
        assert gradcheck(mt.relu, x)
        result = gradcheck(lambda x: Wrong.apply(x, x).sum() + x.relu(), x)
        assert not result


# ---- slopes


def test_the_error_of_a_slope_is_known(rng):
    """The true derivative is within what is allowed, and that is not much, whatever the scale."""
    for offset in (0.0, 1.0, 100.0):
        x = rng.normal(size=20) + offset
        with Subject(lambda x: x.sin(), (mt.from_numpy(x),)) as subject:
            slopes = Slopes(subject, [np.ones(20)], [np.ones(20)])
            for position in range(20):
                probe = Probe(0, position)
                slopes.measure(probe, np.cos(x[position]))
                assert abs(probe.numeric - np.cos(x[position])) <= probe.allowed < 1e-7 * (1 + offset)
                probe = Probe(0, position)
                slopes.measure(probe, np.cos(x[position]) + 1e-4)
                assert abs(probe.numeric - np.cos(x[position])) <= probe.allowed < 1e-6 and not probe.kink


# ---- what must not move


def test_state_is_put_back(rng):
    bn = batch_norm(rng)
    bn.weight.grad = mt.ones(3, dtype=mt.float64)
    net = mt.nn.Sequential(bn, mt.nn.Dropout(0.5))
    before = {name: (id(t.array), t.array.copy()) for name, t in net.state_dict(keep_vars=True).items()}
    stream = mt.get_rng_state()
    x = tensor(rng, 8, 3)
    kept = x.array.copy()
    assert gradcheck(net, x, prove=True)
    for name, t in net.state_dict(keep_vars=True).items():
        assert (id(t.array), t.array.tolist()) == (before[name][0], before[name][1].tolist()), name
    assert np.array_equal(bn.weight.grad.array, np.ones(3)) and bn.bias.grad is None
    assert mt.equal(mt.get_rng_state(), stream)
    assert np.array_equal(x.array, kept) and not x.requires_grad and x.grad is None


def test_state_is_put_back_after_an_error(rng):
    bn = batch_norm(rng)
    before = bn.running_mean.array.copy()

    def breaks(x):
        bn(x)
        raise KeyError("on purpose")

    with pytest.raises(KeyError):
        gradcheck(breaks, tensor(rng, 8, 3), also=[bn])
    assert np.array_equal(bn.running_mean.array, before)


def test_inputs_that_are_written_to(rng):
    """fn may write into its arguments: it gets new ones every time."""

    def writes(x, n):
        n += 1
        return x * n

    n = mt.from_numpy(np.array([1.0, 2.0, 3.0]))
    assert gradcheck(writes, tensor(rng, 3).requires_grad_(), n)
    assert n.tolist() == [1, 2, 3]


# ---- what is refused


def test_float32_is_refused_or_cast_up(rng):
    x = tensor(rng, 3).float()
    with pytest.raises(
        ValueError, match=r"gradcheck: input is torch\.float32|gradcheck: input is float32, wanted float64"
    ):
        gradcheck(mt.tanh, x)
    assert gradcheck(mt.tanh, x, upcast=True) and x.dtype is mt.float32
    bn = mt.nn.BatchNorm1d(3)
    with pytest.raises(ValueError, match="weight is float32"):
        gradcheck(bn, tensor(rng, 8, 3))
    assert gradcheck(bn, tensor(rng, 8, 3).float(), upcast=True)
    assert bn.weight.dtype is bn.running_var.dtype is mt.float32


def test_errors(rng):
    x = tensor(rng, 3)
    with pytest.raises(ValueError, match="got no floating point tensor and no parameter"):
        gradcheck(lambda n: n, mt.ones(3, dtype=mt.int64))
    with pytest.raises(ValueError, match="upstream='twos', wanted 'random' or 'ones'"):
        gradcheck(mt.tanh, x, upstream="twos")
    with pytest.raises(TypeError, match="fn gave a float, wanted a Tensor"):
        gradcheck(lambda x: 1.0, x)
    with pytest.raises(RuntimeError, match="two results for the same inputs"):
        gradcheck(lambda x: x * float(rng.normal()), x)
    with pytest.raises(ValueError, match=r"also\[0\] was computed from others"):
        gradcheck(mt.tanh, x, also=[x.requires_grad_() * 2])


# ---- what it cannot see, it says


def test_ones_are_blind(rng):
    bn, x = batch_norm(rng), tensor(rng, 8, 3)
    blind, seeing = gradcheck(bn, x, upstream="ones"), gradcheck(bn, x)
    assert blind and seeing and not seeing.warnings
    assert any("gradient of input is 0 everywhere" in w and "ones" in w for w in blind.warnings)


def test_gamma_one_is_warned_of(rng):
    result = gradcheck(mt.nn.BatchNorm1d(3, dtype=mt.float64), tensor(rng, 8, 3))
    assert result and any("gamma is 1" in w for w in result.warnings)


def test_two_values_per_channel_are_warned_of(rng):
    result = gradcheck(batch_norm(rng), tensor(rng, 2, 3))
    assert result and any("2 values per channel" in w for w in result.warnings)


def test_a_dead_bias_is_warned_of(rng):
    net = mt.nn.Sequential(mt.nn.Linear(3, 3), batch_norm(rng)).double()
    result = gradcheck(net, tensor(rng, 8, 3), prove=True)
    assert result and any("gradient of 0.bias is 0" in w for w in result.warnings)
    assert {(m.op, m.says.split(" ")[1]) for m in result.proof.escaped} == {("Linear", "2")}


# ---- the proof

CHANGES_TRAIN = {m.name for m in MISTAKES if m.changes & {"dx", "dgamma", "dbeta"} and m.shows == "usual"}
CHANGES_EVAL = {m.name for m in MISTAKES if m.changes & {"eval_dx", "eval_dgamma", "eval_dbeta"} and m.shows == "usual"}


@pytest.mark.parametrize("training", [True, False])
def test_every_mistake_of_the_catalogue_is_caught(rng, training):
    bn = batch_norm(rng).train(training)
    proof = gradcheck(bn, tensor(rng, 8, 3), prove=True).proof
    assert not proof.escaped
    caught = {m.name for m in proof.caught}
    assert caught >= (CHANGES_TRAIN if training else CHANGES_EVAL)
    assert {m.name for m in proof.same} == {
        m.name for m, _ in catalogue.backward_mutants(bn(tensor(rng, 8, 3)).op)
    } - caught


def test_mistakes_of_images_are_caught_on_images(rng):
    proof = gradcheck(batch_norm(rng, mt.nn.BatchNorm2d), tensor(rng, 4, 3, 2, 2), prove=True).proof
    wanted = {m.name for m in MISTAKES if m.changes & {"dx", "dgamma", "dbeta"} and m.shows in ("usual", "image")}
    assert not proof.escaped and {m.name for m in proof.caught} >= wanted


def test_mistakes_of_sequences_are_caught_on_sequences(rng):
    proof = gradcheck(batch_norm(rng, channels=4), tensor(rng, 5, 4, 4), prove=True).proof
    assert not proof.escaped and "channel-on-the-last-axis" in {m.name for m in proof.caught}


def test_with_ones_most_mistakes_escape(rng):
    """DeZero's check, and many others': it takes dx = 0 for right."""
    proof = gradcheck(batch_norm(rng), tensor(rng, 8, 3), prove=True, upstream="ones").proof
    escaped = {m.name for m in proof.escaped}
    assert {"zero-dx", "no-variance-term", "variance-term-added", "gamma-forgotten", "inv-std-forgotten"} <= escaped
    assert len(escaped) > len(proof.caught)
    assert "escaped: BatchNorm: dx is 0 everywhere." in str(proof)


def test_at_gamma_one_some_mistakes_are_none(rng):
    result = gradcheck(mt.nn.BatchNorm1d(3, dtype=mt.float64), tensor(rng, 8, 3), prove=True)
    same = {m.name for m in result.proof.same if m.why_same}
    assert {"gamma-forgotten", "gamma-twice"} <= same and "gamma is 1: choose other values" in repr(result)


def test_the_proof_covers_every_op_and_leaves_no_trace(rng):
    w = tensor(rng, 4, 4).requires_grad_()
    seen = []

    def function(x):
        y = ((x @ w).tanh() + w).exp() / 10
        seen.append(y)
        return y

    result = gradcheck(function, tensor(rng, 4, 4), also=[w], prove=True)
    assert result and not result.proof.escaped
    kinds = {type(t.op).__name__ for t in mt.engine.graph(seen[-1] if seen[-1].op else seen[2])}
    assert {m.op.split()[0] for m in result.proof.caught} == kinds
    assert not any("backward" in vars(t.op) for y in seen for t in mt.engine.graph(y))
    assert any(m.name.startswith("transposed") for m in result.proof.caught)


def test_functions_of_the_user_are_proven_too(rng, monkeypatch):
    monkeypatch.setattr(Wrong, "factor", 1)
    result = gradcheck(Wrong.apply, tensor(rng, 3, 2), tensor(rng, 3, 2), prove=True)
    assert result and not result.proof.escaped
    assert {"zero-0", "sign-1", "double-0", "swapped-0-1", "ones-for-dy"} <= {m.name for m in result.proof.caught}


def test_a_scalar_loss_hides_what_its_sum_makes_equal(rng):
    """dy of the last layers is constant: averaging it is no mistake there, and the proof says so."""
    result = gradcheck(lambda x: x.tanh().sum(), tensor(rng, 3, 2), prove=True)
    assert [str(m) for m in result.proof.escaped] == ["Tanh: the gradient from above was averaged"]


# ---- options


def test_the_seed_chooses_the_upstream_gradient(rng):
    x = tensor(rng, 4)
    one, same, other = (gradcheck(mt.tanh, x, seed=seed).gradients[0] for seed in (1, 1, 2))
    assert np.array_equal(one, same) and not np.array_equal(one, other)


def test_a_step_that_is_too_large_is_made_up_for(rng):
    assert gradcheck(mt.tanh, tensor(rng, 4), eps=0.5) and gradcheck(mt.tanh, tensor(rng, 4), eps=1e-12)
    assert not gradcheck(lambda x: apply(HalfTanh(), x), tensor(rng, 3, 4), eps=0.5)


def test_a_progress_bar_on_request(rng, capsys):
    gradcheck(mt.tanh, tensor(rng, 4), progress=True)
    assert "slopes" in capsys.readouterr().err
    gradcheck(mt.tanh, tensor(rng, 4))
    assert capsys.readouterr().err == ""
