"""Draws that depend on tensors: the order in memory in which numbers are handed out, and gradients of zero."""

import itertools

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn.ops import Draw, bernoulli, laid_out_like, memory_order, multinomial


def layouts():
    """Arrays with all kinds of steps: axes exchanged, cut, repeated, of length 1."""
    base = np.arange(2 * 3 * 4 * 6).reshape(2, 3, 4, 6)
    for axes in itertools.permutations(range(4)):
        yield base.transpose(axes)
        yield base.transpose(axes)[:, :1]
        yield base.transpose(axes)[::2, :, 1:, ::3]
        yield np.broadcast_to(base.transpose(axes)[:, :1], [base.shape[axes[0]], 5, *(base.shape[a] for a in axes[2:])])
    yield np.arange(6)
    yield np.array(3)
    yield np.zeros((0, 3)).T
    yield np.broadcast_to(np.array(1), (2, 3))


def test_memory_order_is_torchs():
    """What PyTorch makes like a tensor lies as our copy of the same shape does."""
    torch = pytest.importorskip("torch")
    for x in layouts():
        want = torch.empty_like(torch.as_strided(torch.arange(200), x.shape, [s // 8 for s in x.strides]))
        got = laid_out_like(x, np.empty)
        assert got.shape == x.shape
        steps = {axis: (g // 8, w) for axis, (g, w, n) in enumerate(zip(got.strides, want.stride(), x.shape)) if n > 1}
        assert x.size == 0 or all(g == w for g, w in steps.values()), (x.shape, x.strides, got.strides, want.stride())


def test_memory_order_sorts_steps():
    for axes in itertools.permutations(range(4)):
        x = np.zeros((2, 3, 4, 5)).transpose(axes)
        assert memory_order(x) == tuple(np.argsort(axes))
        assert x.transpose(memory_order(x)).flags.c_contiguous


def test_gradients_of_draws_are_zero_and_there():
    p = mt.full((2, 3), 0.5, requires_grad=True)
    bernoulli(p).sum().backward()
    assert p.grad.tolist() == [[0, 0, 0], [0, 0, 0]]
    mean, std = mt.zeros(3, requires_grad=True), mt.ones(2, 1, requires_grad=True)
    y = mt.normal(mean, std)
    assert y.shape == (2, 3) and y.grad_fn.torch_name == "NormalBackward3"
    y.sum().backward()
    assert mean.grad.tolist() == [0, 0, 0] and std.grad.tolist() == [[0], [0]]
    assert not multinomial(mt.ones(3, requires_grad=True), 1).requires_grad


def test_a_failed_call_draws_nothing():
    leaf, cases = mt.ones(3, requires_grad=True), []
    cases += [
        leaf.uniform_,
        lambda: leaf.bernoulli_(0.5),
        lambda: leaf.random_(3),
        leaf.exponential_,
    ]
    cases += [
        lambda: mt.ones(3).uniform_(2, 1),
        lambda: mt.ones(3).normal_(0, -1),
        lambda: mt.bernoulli(mt.full((3,), 2.0)),
    ]
    cases += [
        lambda: mt.multinomial(mt.zeros(3), 1),
        lambda: mt.normal(mt.zeros(2), mt.zeros(3)),
        lambda: mt.randint(3, 3, (2,)),
    ]
    cases += [lambda: mt.rand(2, dtype=mt.int64), lambda: mt.randperm(300, dtype=mt.uint8), lambda: mt.rand(2, foo=1)]
    for call in cases:
        mt.manual_seed(3)
        with pytest.raises((RuntimeError, NotImplementedError, TypeError)):
            call()
        assert mt.rand(1).item() == mt.rand(1, generator=mt.Generator().manual_seed(3)).item()


def test_rows_notice_a_gradient_that_passes(monkeypatch, torch):
    """The rows about zero gradients reject a draw that hands its gradient on, as a sum or as dy itself."""
    from tests.surface import rows_random, table

    rows = [row for row in rows_random.ROWS if row.of in ("normal", "bernoulli") and "gradient" in row.name]
    assert len(rows) == 4
    right = Draw.backward
    wrong = lambda op, dy: tuple(g if g is None else g + 1 for g in right(op, dy))
    for row in rows:
        want = row.run(torch)
        table.same(row, row.run(mt), want)
        with monkeypatch.context() as patch:
            patch.setattr(Draw, "backward", wrong)
            with pytest.raises(AssertionError):
                table.same(row, row.run(mt), want)
