"""Backward refuses saved values that were written to after the forward, as PyTorch does; and nothing else."""

import gc

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import clock


def leaf(L, *shape):
    return L.arange(float(np.prod(shape)), dtype=L.float64).reshape(shape).add(1).requires_grad_()


def no_grad_write(L, t):
    with L.no_grad():
        t += 1


def step(L, t):
    t.grad = L.ones_like(t)
    L.optim.SGD([t], lr=0.1).step()


def view_write(L, t):
    with L.no_grad():
        t[1:].mul_(2)


def copy_write(L, t):
    with L.no_grad():
        t.copy_(L.zeros(3))


def detached_write(L, t):
    t.detach().zero_()


WRITES = [no_grad_write, step, view_write, copy_write, detached_write]
# what is computed of a leaf, and whether its forward saves the leaf's values
USES = {
    "mul": (lambda L, t: t * t, True),
    "exp": (lambda L, t: t.exp(), False),  # saves its result
    "add": (lambda L, t: t + 1, False),
    "log": (lambda L, t: t.log(), True),
    "linear": (
        lambda L, t: L.nn.functional.linear(L.ones(2, 3, dtype=L.float64).requires_grad_(), t.reshape(1, 3)),
        True,
    ),
    "mul_by_number": (lambda L, t: t * 2, False),
    "matmul": (lambda L, t: t @ leaf(L, 3), True),
    "matmul_by_constant": (lambda L, t: t @ leaf(L, 3).detach(), False),
    "pow": (lambda L, t: t**3, True),
    "sum": (lambda L, t: t.sum(), False),
}


def outcome(L, use, write):
    t = leaf(L, 3)
    y = use(L, t)
    write(L, t)
    t.grad = None
    try:
        y.sum().backward()
    except RuntimeError as error:
        return str(error)
    return t.grad.numpy()


@pytest.mark.parametrize("write", WRITES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("use", USES)
def test_a_write_between_forward_and_backward(torch, use, write):
    use, saved = USES[use]
    ours, theirs = outcome(mt, use, write), outcome(torch, use, write)
    assert isinstance(theirs, str) == saved
    if saved:
        assert "modified by an inplace operation" in ours and "Backward" not in ours.split(":")[0]
    else:
        assert np.allclose(ours, theirs, rtol=1e-15)


def test_a_write_through_data_is_refused_too(torch):
    """PyTorch does not count writes to .data: its gradient is silently that of values the forward never saw."""
    theirs = outcome(torch, lambda L, t: t * t, lambda L, t: t.data.fill_(5))
    assert np.array_equal(theirs, [10, 10, 10])  # the loss was the sum of 1, 4 and 9
    assert "modified" in outcome(mt, lambda L, t: t * t, lambda L, t: t.data.fill_(5))


def test_write_to_a_result(torch):
    for L in (torch, mt):
        y = leaf(L, 3).tanh()
        with L.no_grad():
            y += 1
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.sum().backward()


def test_error_names_what_was_saved_and_changes_nothing():
    x, w = leaf(mt, 2, 3), leaf(mt, 4, 3)
    y = mt.nn.functional.linear(x, w)
    w.data *= 2
    with pytest.raises(RuntimeError, match=r"Linear.backward: .*of shape \(4, 3\).*optimiser step.*clone"):
        y.sum().backward()
    assert x.grad is None and w.grad is None
    w.data /= 2  # no way back: PyTorch counts, too
    with pytest.raises(RuntimeError, match="modified"):
        y.sum().backward()


def test_two_networks_in_turn(torch):
    """The classic mistake of adversarial training: one network steps before the other's loss walks through it."""
    for L in (torch, mt):
        one, other = L.nn.Linear(3, 3), L.nn.Linear(3, 1)
        optimiser = L.optim.SGD(other.parameters(), lr=0.1)
        made = one(L.ones(2, 3))
        first, second = other(made.detach()).sum(), other(made).sum()
        first.backward()
        optimiser.step()
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            second.backward()


def test_ordinary_training_is_let_through():
    model = mt.nn.Sequential(mt.nn.Linear(3, 4), mt.nn.BatchNorm1d(4), mt.nn.Tanh(), mt.nn.Linear(4, 2))
    optimiser = mt.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    losses = mt.zeros(5)
    for i in range(5):
        loss = model(mt.randn(6, 3)).square().mean()
        losses[i] = loss.item()  # a write of something else, between forward and backward
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert losses.isfinite().all()


def test_walking_a_kept_graph_again_after_a_step_is_refused():
    w = leaf(mt, 3)
    loss = (w * w).sum()
    loss.backward(retain_graph=True)
    loss.backward(retain_graph=True)
    mt.optim.SGD([w], lr=0.1).step()
    with pytest.raises(RuntimeError, match="modified"):
        loss.backward()


def test_a_recorded_write_leaves_saved_values_alone():
    x = leaf(mt, 3)
    y = x * 1
    z = y.exp()
    y += 1
    (z + y * y).sum().backward()
    assert np.allclose(x.grad_array, np.exp(x.array) + 2 * (x.array + 1))


def test_an_id_that_is_used_again_raises_no_alarm():
    for _ in range(2000):  # addresses are given out again at once
        scratch = mt.zeros(3)
        scratch += 1
        del scratch
        x = leaf(mt, 3)
        (x * x).sum().backward()
    gc.collect()


def test_notes_do_not_pile_up(monkeypatch):
    monkeypatch.setattr(clock, "MOST_NOTES", 20)
    kept = [mt.zeros(2) for _ in range(100)]
    for t in kept:
        t += 1
    assert len(clock._written) <= 21
