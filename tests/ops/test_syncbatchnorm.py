"""The SyncBatchNorm op, with other ranks played by constants; on real ranks: tests/distributed."""

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn.ops.syncbatchnorm import SyncBatchNorm
from minitorch_bn.world import Alone
from tests.ops import checks
from tests.ops.table import Case, normal, uniform


class Played(Alone):
    """A group whose other rank holds constant statistics: enough to check the op's own gradient."""

    size = 2

    def __init__(self, others):
        self.others = others

    def all_gather(self, array):
        return [array, *self.others]

    def all_reduce(self, array, op="sum"):
        return array


ALONE = Case(
    "sync/alone",
    lambda L, x, g, b: mt.engine.apply(SyncBatchNorm(Alone()), x, g, b),
    (normal(6, 3, 2), uniform(3), normal(3)),
)


@pytest.mark.parametrize("check", ["check_differences", "check_memory", "check_strided"])
def test_op_alone(check):
    getattr(checks, check)(ALONE)


def test_op_alone_is_batch_norm(torch):
    case = Case(
        "sync/torch",
        lambda L, x, g, b: (
            mt.engine.apply(SyncBatchNorm(Alone()), x, g, b)
            if L is mt
            else L.nn.functional.batch_norm(x, None, None, g, b, True)
        ),
        ALONE.inputs,
    )
    checks.check_against_torch(case)
    checks.check_float32(case)


def test_saves_what_backward_reads(monkeypatch):
    monkeypatch.setitem(checks.READ_BY_OTHERS, "SyncBatchNorm", {"mean", "var"})
    checks.check_saved(ALONE, monkeypatch)


def test_means_of_local_variances_are_not_the_variance(rng):
    parts = [rng.normal(mean, 1, (8, 3)) for mean in (0, 5)]
    packets = [np.concatenate([p.mean(0), ((p - p.mean(0)) ** 2).sum(0), [8]]) for p in parts]
    op = SyncBatchNorm(Played([packets[1]]))
    op.needs = [False] * 3
    op.forward(parts[0], None, None)
    assert np.allclose(op.var, np.concatenate(parts).var(0), rtol=1e-14)
    assert (op.var > 3 * np.mean([p.var(0) for p in parts], axis=0)).all()


MUTANTS = {
    "local sums": ("all_reduce", lambda self, array, op="sum": array / 2),
    "no message": ("all_gather", lambda self, array: [array * np.append(np.ones(len(array) - 1), 2)]),
}


@pytest.mark.parametrize("what", MUTANTS)
def test_mutants_are_caught(what, monkeypatch):
    monkeypatch.setattr(Alone, *MUTANTS[what])
    with pytest.raises(AssertionError):
        checks.check_differences(ALONE)
