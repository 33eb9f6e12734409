"""Schedules: warnings where PyTorch warns, both ways to a rate, and nothing half-done after an error."""

import gc
import math
import warnings
import weakref

import pytest

import minitorch_bn as mt
from tests.surface.rows_lr_scheduler import SCHEDULES, optimizer_of

torch = pytest.importorskip("torch")

ALL = [(name, special) for name, table in SCHEDULES.items() for special in table]


def warned(run):
    """How many UserWarnings each library gives."""
    counts = []
    for L in (mt, torch):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            run(L)
        counts.append(sum(issubclass(w.category, UserWarning) for w in caught))
    return counts


def in_order(L, *calls, before=()):
    """An optimiser "o" and a schedule "s", stepped in the order of `calls`; `before` the schedule is made."""
    optimizer = optimizer_of(L)
    for _ in before:
        optimizer.step()
    scheduler = L.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    for call in calls:
        optimizer.step() if call == "o" else scheduler.step()


@pytest.mark.parametrize(
    ("calls", "before", "count"),
    [("os", "", 0), ("s", "", 1), ("sos", "", 1), ("ss", "", 1), ("osos", "", 0), ("s", "o", 1), ("os", "o", 0)],
)
def test_a_schedule_before_the_optimiser_is_warned_of(calls, before, count):
    assert warned(lambda L: in_order(L, *calls, before=before)) == [count, count]


def test_the_second_schedule_knows_of_earlier_steps():
    def two(L):
        optimizer = optimizer_of(L)
        L.optim.lr_scheduler.StepLR(optimizer, 1)
        optimizer.step()
        L.optim.lr_scheduler.StepLR(optimizer, 1).step()

    assert warned(two) == [0, 0]


def test_what_else_is_warned_of():
    def get_lr(L):
        L.optim.lr_scheduler.StepLR(optimizer_of(L), 1).get_lr()

    def epoch(L):
        optimizer = optimizer_of(L)
        scheduler = L.optim.lr_scheduler.StepLR(optimizer, 1)
        optimizer.step()
        scheduler.step(3)

    def plateau(L):
        L.optim.lr_scheduler.ReduceLROnPlateau(optimizer_of(L)).step(1.0, 3)

    for run in (get_lr, epoch, plateau):
        assert warned(run) == [1, 1], run.__name__


def test_the_warning_says_what_to_do():
    with pytest.warns(UserWarning, match=r"ExponentialLR.step: called before optimizer.step\(\).*call optimizer.step"):
        in_order(mt, "s")
    with pytest.warns(UserWarning, match=r"get_last_lr"):
        mt.optim.lr_scheduler.StepLR(optimizer_of(mt), 1).get_lr()


CLOSED = [(name, special) for name, special in ALL if getattr(mt.optim.lr_scheduler, name).closed_form is not None]


@pytest.mark.parametrize(("name", "special"), CLOSED)
def test_the_closed_form_is_where_the_steps_lead(name, special):
    """At each epoch; the steps have made one rounding error or two each."""
    make = SCHEDULES[name][special]
    stepped = make(mt.optim.lr_scheduler, o := optimizer_of(mt))
    epochs = 5 if name == "PolynomialLR" and special == "default" else 20 if name == "PolynomialLR" else 30
    epochs = stepped.T_max if name == "CosineAnnealingLR" else epochs
    for epoch in range(1, epochs):
        o.step()
        stepped.step()
        if (name, special, epoch) == ("MultiStepLR", "at_zero", epoch):
            continue  # the closed form counts a milestone at 0, the steps begin at 1
        want = [stepped.closed_form(base_lr) for base_lr in stepped.base_lrs]
        for got, rate in zip(stepped.get_last_lr(), want, strict=True):
            assert math.isclose(got, rate, rel_tol=1e-12, abs_tol=1e-15), epoch


def test_a_schedule_is_freed():
    """An optimiser keeps no schedule alive, only the note that it is stepped."""
    optimizer = optimizer_of(mt)
    scheduler = weakref.ref(mt.optim.lr_scheduler.StepLR(optimizer, 1))
    gc.collect()
    assert scheduler() is None


def test_a_refused_schedule_changes_no_group():
    for wrong in (
        lambda S, o: S.OneCycleLR(o, [0.1], 9),
        lambda S, o: S.OneCycleLR(o, 0.1, 9, max_momentum=[0.5]),
        lambda S, o: S.CyclicLR(o, 0.1, [1.0]),
        lambda S, o: S.CyclicLR(o, 0.1, 1.0, mode="saw"),
        lambda S, o: S.StepLR(o, 1, last_epoch=3),
    ):
        optimizer = optimizer_of(mt)
        before = [dict(group) for group in optimizer.param_groups]
        with pytest.raises((ValueError, KeyError)):
            wrong(mt.optim.lr_scheduler, optimizer)
        changed = [
            [key for key in group if key != "params" and (key not in old or group[key] != old[key])]
            for group, old in zip(optimizer.param_groups, before, strict=True)
        ]
        assert changed == [[], []]


def test_an_error_of_a_lambda_leaves_the_rates():
    optimizer = optimizer_of(mt)
    scheduler = mt.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 / (2 - epoch))
    optimizer.step()
    scheduler.step()
    rates = [group["lr"] for group in optimizer.param_groups]
    with pytest.raises(ZeroDivisionError):
        scheduler.step()
    assert [group["lr"] for group in optimizer.param_groups] == rates == scheduler.get_last_lr()
