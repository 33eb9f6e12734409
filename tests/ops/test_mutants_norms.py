"""The test of the tests for the normalisations beside BatchNorm: the checks must notice mistakes made on purpose.

See test_mutants.py. Forward mutants must be noticed by the comparison with PyTorch; backward mutants by central
differences as well, which need no PyTorch.
"""

import numpy as np
import pytest

from minitorch_bn.ops import instancenorm
from minitorch_bn.ops.groupnorm import GroupNorm
from minitorch_bn.ops.instancenorm import InstanceNorm
from minitorch_bn.ops.layernorm import LayerNorm
from minitorch_bn.ops.localresponsenorm import LocalResponseNorm
from minitorch_bn.ops.normalisation import Normalisation
from minitorch_bn.ops.rmsnorm import RMSNorm
from tests.nn.test_norms import check
from tests.ops import checks
from tests.ops.cases_norms import CASES

torch = pytest.importorskip("torch")

FUNCTIONS = {LayerNorm: "layer_norm", GroupNorm: "group_norm", InstanceNorm: "instance_norm", RMSNorm: "rms_norm"}


def rows_of(function):
    """The rows of one function whose gradients central differences can see."""
    return [case for case in CASES if case.op == function and case.grad]


def rejects(check, cases):
    """The names of the rows in which `check` notices."""
    found = []
    for case in cases:
        try:
            check(case)
        except (AssertionError, RuntimeError, ValueError):
            found.append(case.name)
    return found


# ---- the shared step: from d x_hat to dx


def step_back(mean=True, along=True, sign=-1, factor=1.0, power=1, axes=None):
    """Normalisation.normalise_backward with some of its parts missing."""

    def normalise_backward(self, dx_hat):
        over = self.axes if axes is None else axes(self)
        m = np.prod([self.x_hat.shape[axis] for axis in over])
        mean_of = lambda values: values.sum(over, keepdims=True) / max(m, 1)
        dx = dx_hat
        if mean:
            dx = dx - mean_of(dx_hat)
        if along:
            dx = dx + sign * factor * self.x_hat * mean_of(dx_hat * self.x_hat)
        return self.inv_std**power * dx

    return normalise_backward


def bessel_step_back(self, dx_hat):
    """The projection divided by m - 1."""
    return step_back(factor=self.m / (self.m - 1) if self.m > 1 else 2.0)(self, dx_hat)


STEPS = {
    "no_mean_term": step_back(mean=False),
    "no_projection": step_back(along=False),
    "neither": step_back(mean=False, along=False),
    "sign_of_projection": step_back(sign=1),
    "inv_std_squared": step_back(power=2),
    "bessel": bessel_step_back,
    "mean_over_one_axis": step_back(axes=lambda op: op.axes[-1:]),
    "mean_over_samples_too": step_back(axes=lambda op: (0, *op.axes) if 0 not in op.axes else op.axes),
}


@pytest.mark.parametrize("op", [LayerNorm, GroupNorm, InstanceNorm])
@pytest.mark.parametrize("name", STEPS)
def test_backward_mutant_is_noticed(name, op, monkeypatch):
    monkeypatch.setattr(op, "normalise_backward", STEPS[name])
    cases = rows_of(FUNCTIONS[op])
    assert rejects(checks.check_against_torch, cases)
    assert rejects(checks.check_differences, cases)


@pytest.mark.parametrize("op", [LayerNorm, GroupNorm, InstanceNorm])
def test_the_step_without_a_mistake_is_accepted(op, monkeypatch):
    monkeypatch.setattr(op, "normalise_backward", step_back())
    cases = rows_of(FUNCTIONS[op])
    assert not rejects(checks.check_against_torch, cases)
    assert not rejects(checks.check_differences, cases)


# ---- the shared step: from x to x_hat


def step(ddof=0, outside=False, keep_mean=False, eps=True, last_axis_only=False, samples_too=False):
    """Normalisation.normalise with one mistake."""

    def normalise(self, x, axes):
        over = axes[-1:] if last_axis_only else (0, *axes) if samples_too and 0 not in axes else axes
        self.axes, self.m = axes, int(np.prod([x.shape[axis] for axis in axes]))
        with np.errstate(all="ignore"):
            self.mean = x.sum(over, keepdims=True) / max(np.prod([x.shape[axis] for axis in over]), 1)
            self.var = ((x - self.mean) ** 2).sum(over, keepdims=True) / max(
                np.prod([x.shape[axis] for axis in over]) - ddof, 1
            )
            small = self.eps if eps else 0.0
            self.inv_std = 1 / (np.sqrt(self.var) + small) if outside else 1 / np.sqrt(self.var + small)
        self.x_hat = (x if keep_mean else x - self.mean) * self.inv_std
        return self.x_hat

    return normalise


FORWARDS = {
    "unbiased": step(ddof=1),
    "eps_outside": step(outside=True),
    "no_eps": step(eps=False),
    "mean_not_taken_away": step(keep_mean=True),
    "last_axis_only": step(last_axis_only=True),
    "samples_share_statistics": step(samples_too=True),
}


@pytest.mark.parametrize("op", [LayerNorm, GroupNorm, InstanceNorm])
@pytest.mark.parametrize("name", FORWARDS)
def test_forward_mutant_is_noticed(name, op, monkeypatch):
    monkeypatch.setattr(op, "normalise", FORWARDS[name])
    assert rejects(checks.check_against_torch, rows_of(FUNCTIONS[op]))


@pytest.mark.parametrize("op", [LayerNorm, GroupNorm, InstanceNorm])
def test_the_forward_without_a_mistake_is_accepted(op, monkeypatch):
    monkeypatch.setattr(op, "normalise", step())
    assert not rejects(checks.check_against_torch, rows_of(FUNCTIONS[op]))


def test_one_pass_variance_is_noticed(monkeypatch):
    """E[x**2] - E[x]**2 is right on paper; in float32, at a mean of 1000, it has no digit left."""

    def normalise(self, x, axes):
        self.axes, self.m = axes, int(np.prod([x.shape[axis] for axis in axes]))
        self.mean = self.mean_of(x)
        self.var = np.maximum(self.mean_of(x * x) - self.mean * self.mean, 0)
        self.inv_std = 1 / np.sqrt(self.var + self.eps)
        self.x_hat = (x - self.mean) * self.inv_std
        return self.x_hat

    monkeypatch.setattr(Normalisation, "normalise", normalise)
    far = [case for case in CASES if case.name.endswith("far_from_zero")]
    assert len(rejects(checks.check_float32, far)) == len(far) == 3


# ---- each op's own part


def without_gamma(op):
    """dx as if gamma were 1."""
    backward = op.backward

    def mutant(self, dy):
        gamma, self.gamma = self.gamma, None
        grads = backward(self, dy)
        self.gamma = gamma
        return grads

    return mutant


def gamma_outside_the_means(op):
    """BatchNorm's closed form, gamma in front: right only where gamma is the same for all that share a mean."""
    backward = op.backward

    def mutant(self, dy):
        gamma, self.gamma = self.gamma, None
        dx, *rest = backward(self, dy)
        self.gamma = gamma
        if gamma is None:
            return dx, *rest
        lined_up = np.broadcast_to(gamma, self.x_hat.shape).reshape(dx.shape)
        return lined_up * dx, *rest

    return mutant


def gamma_twice(op):
    """gamma counted twice."""
    backward = op.backward

    def mutant(self, dy):
        dx, *rest = backward(self, dy)
        if self.gamma is None:
            return dx, *rest
        return np.broadcast_to(self.gamma, self.x_hat.shape).reshape(dx.shape) * dx, *rest

    return mutant


def swapped(op):
    """dgamma and dbeta the wrong way round."""
    backward = op.backward

    def mutant(self, dy):
        dx, dgamma, dbeta = backward(self, dy)
        return dx, dbeta, dgamma

    return mutant


def averaged(op):
    """dgamma averaged over what it is summed over."""
    backward = op.backward

    def mutant(self, dy):
        dx, dgamma, *rest = backward(self, dy)
        return dx, None if dgamma is None else dgamma * (dgamma.size / max(dy.size, 1)), *rest

    return mutant


def dgamma_of_y(op):
    """dy times y instead of dy times x_hat."""
    backward = op.backward

    def mutant(self, dy):
        dx, dgamma, *rest = backward(self, dy)
        return dx, None if dgamma is None else dgamma * self.gamma.reshape(dgamma.shape), *rest

    return mutant


def wrong_axes(op):
    """dgamma summed over the axes that share a mean, and spread from there."""
    backward = op.backward

    def mutant(self, dy):
        dx, dgamma, *rest = backward(self, dy)
        if dgamma is not None:
            own = (dy.reshape(self.x_hat.shape) * self.x_hat).sum(self.axes).reshape(-1)
            dgamma = np.resize(own, dgamma.shape) if own.size else dgamma
        return dx, dgamma, *rest

    return mutant


PARTS = {f.__name__: f for f in (without_gamma, gamma_outside_the_means, gamma_twice, swapped, averaged, dgamma_of_y)}
PARTS["wrong_axes"] = wrong_axes


PAIRS = [(name, op) for name in PARTS for op in FUNCTIONS if (name, op) != ("swapped", RMSNorm)]  # it has no beta


@pytest.mark.parametrize(("name", "op"), PAIRS, ids=lambda part: getattr(part, "__name__", part))
def test_affine_mutant_is_noticed(name, op, monkeypatch):
    monkeypatch.setattr(op, "backward", PARTS[name](op))
    cases = rows_of(FUNCTIONS[op])
    if op is InstanceNorm and name == "gamma_outside_the_means":  # there it is right, as in BatchNorm
        assert not rejects(checks.check_against_torch, cases)
        return
    assert rejects(checks.check_against_torch, cases)
    assert rejects(checks.check_differences, cases)


# ---- InstanceNorm's running statistics

UPDATES = {
    "biased": lambda running, new, momentum, unbiased: (1 - momentum) * running + momentum * new,
    "swapped": lambda running, new, momentum, unbiased: momentum * running + (1 - momentum) * unbiased * new,
    "never": lambda running, new, momentum, unbiased: running,
    "last_only": lambda running, new, momentum, unbiased: unbiased * new,
    "summed_over_samples": lambda running, new, momentum, unbiased: (1 - momentum) * running + momentum * 4 * new,
    "mean_of_standard_deviations": lambda running, new, momentum, unbiased: (
        ((1 - momentum) * np.sqrt(abs(running)) + momentum * np.sqrt(abs(unbiased * new))) ** 2
    ),
}
TRACKED = {"track_running_stats": True, "momentum": 0.3}


def updating(rule):
    """update_running with another rule."""

    def update(running, new, momentum, unbiased=1):
        running[...] = rule(running.copy(), new, momentum, unbiased)

    return update


@pytest.mark.parametrize("name", UPDATES)
def test_running_statistics_mutant_is_noticed(name, monkeypatch, rng):
    monkeypatch.setattr(instancenorm, "update_running", updating(UPDATES[name]))
    with pytest.raises(AssertionError):
        check(torch, "InstanceNorm1d", (3,), (4, 3, 5), TRACKED, rng, (True,))


def test_the_right_update_is_accepted(monkeypatch, rng):
    rule = lambda running, new, momentum, unbiased: (1 - momentum) * running + momentum * unbiased * new
    monkeypatch.setattr(instancenorm, "update_running", updating(rule))
    check(torch, "InstanceNorm1d", (3,), (4, 3, 5), TRACKED, rng)


def test_statistics_of_all_samples_at_once_are_noticed(monkeypatch, rng):
    """The variance of all values of a channel, as BatchNorm would average it."""
    forward = InstanceNorm.forward

    def mutant(self, x, gamma, beta):
        y = forward(self, x, gamma, beta)
        self.var = np.broadcast_to(x.var((0, 2), keepdims=True), self.var.shape)
        return y

    monkeypatch.setattr(InstanceNorm, "forward", mutant)
    with pytest.raises(AssertionError):
        check(torch, "InstanceNorm1d", (3,), (4, 3, 5), TRACKED, rng, (True,))


# ---- RMSNorm, LocalResponseNorm


def rms_backward(along=True, mean=False, sign=-1, power=1, whole=False):
    """RMSNorm.backward with a mistake."""

    def backward(self, dy):
        rows = tuple(range(dy.ndim - self.rank))
        dgamma = (dy * self.x_hat).sum(rows)
        dx = dx_hat = dy if self.gamma is None else self.gamma * dy
        over = None if whole else self.axes
        if mean:
            dx = dx - dx_hat.mean(self.axes, keepdims=True) if dx_hat.size else dx
        if along:
            m = dy.size if whole else self.m
            dx = dx + sign * self.x_hat * (dx_hat * self.x_hat).sum(over, keepdims=True) / max(m, 1)
        return self.inv_rms**power * dx, dgamma

    return backward


RMS = {
    "no_projection": rms_backward(along=False),
    "sign": rms_backward(sign=1),
    "mean_as_in_layer_norm": rms_backward(mean=True),
    "inv_rms_squared": rms_backward(power=2),
    "over_all_rows": rms_backward(whole=True),
}


@pytest.mark.parametrize("name", RMS)
def test_rms_mutant_is_noticed(name, monkeypatch):
    monkeypatch.setattr(RMSNorm, "backward", RMS[name])
    assert rejects(checks.check_against_torch, rows_of("rms_norm"))
    assert rejects(checks.check_differences, rows_of("rms_norm"))


def test_the_rms_backward_without_a_mistake_is_accepted(monkeypatch):
    monkeypatch.setattr(RMSNorm, "backward", rms_backward())
    assert not rejects(checks.check_against_torch, rows_of("rms_norm"))


def test_the_wrong_eps_of_rms_norm_is_noticed(monkeypatch):
    """LayerNorm's 1e-5 where eps is None."""
    forward = RMSNorm.forward

    def mutant(self, x, gamma):
        self.eps = 1e-5 if self.eps is None else self.eps
        return forward(self, x, gamma)

    monkeypatch.setattr(RMSNorm, "forward", mutant)
    assert rejects(checks.check_against_torch, rows_of("rms_norm"))


def response(change):
    """LocalResponseNorm with an attribute changed before backward."""
    backward = LocalResponseNorm.backward

    def mutant(self, dy):
        saved = dict(vars(self))
        change(self)
        grads = backward(self, dy)
        vars(self).update(saved)
        return grads

    return mutant


RESPONSES = {
    "no_neighbours": lambda op: setattr(op, "alpha", 0.0),
    "sign": lambda op: setattr(op, "alpha", -op.alpha),
    "factor_two": lambda op: setattr(op, "alpha", op.alpha / 2),
    "no_size": lambda op: setattr(op, "size", 1),
    "window_not_mirrored": lambda op: vars(op).update(before=op.after, after=op.before),
    "no_power": lambda op: setattr(op, "power", 1.0),
}


@pytest.mark.parametrize("name", RESPONSES)
def test_local_response_mutant_is_noticed(name, monkeypatch):
    monkeypatch.setattr(LocalResponseNorm, "backward", response(RESPONSES[name]))
    assert rejects(checks.check_against_torch, rows_of("local_response_norm"))
    assert rejects(checks.check_differences, rows_of("local_response_norm"))


def test_the_originals_are_accepted():
    """The harness does not cry wolf."""
    cases = [case for case in CASES if case.grad]
    assert not rejects(checks.check_against_torch, cases)
    assert not rejects(checks.check_differences, cases)
