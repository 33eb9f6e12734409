"""Rows about schedules of the learning rate: the rates of thirty epochs, float for float, state, resuming, errors."""

import copy
import math

from .table import errors, rows

EPOCHS = 30


def optimizer_of(L, name="SGD", **options):
    """An optimiser with two groups of different rates."""
    groups = [{"params": [L.zeros(1, requires_grad=True)], "lr": lr} for lr in (0.5, 0.03)]
    return getattr(L.optim, name)(groups, lr=0.1, **options)


def settings(optimizer):
    """What schedules change, of all groups."""
    keys = ("lr", "initial_lr", "max_lr", "min_lr", "momentum", "betas", "base_momentum", "max_momentum")
    return [{key: group[key] for key in keys if key in group} for group in optimizer.param_groups]


def follow(scheduler, optimizer, epochs=EPOCHS, argument=None):
    """The rates epoch by epoch."""
    seen = [scheduler.get_last_lr() if hasattr(scheduler, "_last_lr") else None]
    for epoch in range(epochs):
        optimizer.step()
        scheduler.step(*([] if argument is None else [argument(epoch)]))
        seen.append((list(scheduler.get_last_lr()), settings(optimizer), scheduler.last_epoch))
    return seen


def run(make, name="SGD", argument=None, **options):
    def row(L):
        optimizer = optimizer_of(L, name, **options)
        scheduler = make(L.optim.lr_scheduler, optimizer)
        start = settings(optimizer)
        return (
            start,
            follow(scheduler, optimizer, argument=argument),
            scheduler.state_dict(),
            list(optimizer.param_groups[0]),
        )

    return row


def resumed(make):
    """Ten epochs; optimiser and schedule saved, and loaded into new ones; ten more."""

    def row(L):
        optimizer = optimizer_of(L)
        scheduler = make(L.optim.lr_scheduler, optimizer)
        follow(scheduler, optimizer, 10)
        other = optimizer_of(L, momentum=0.1)
        new = make(L.optim.lr_scheduler, other)
        new.load_state_dict(copy.deepcopy(scheduler.state_dict()))
        other.load_state_dict(optimizer.state_dict())
        return follow(new, other, 10), new.state_dict()

    return row


def from_last_epoch(make):
    """A new schedule for an optimiser that has been scheduled before: last_epoch says where it was."""

    def row(L):
        optimizer = optimizer_of(L)
        scheduler = make(L.optim.lr_scheduler, optimizer)
        follow(scheduler, optimizer, 9)
        new = make(L.optim.lr_scheduler, optimizer, last_epoch=8)
        return settings(optimizer), follow(new, optimizer, 10), new.state_dict()

    return row


def jumping(make):
    """The deprecated step(epoch)."""
    order = [3, 1, 10, 10, 25, 0, 7, 29]
    return lambda L: follow(make(L.optim.lr_scheduler, o := optimizer_of(L)), o, len(order), lambda i: order[i])


def mixed(make):
    """step() after step(epoch)."""

    def row(L):
        optimizer = optimizer_of(L)
        scheduler = make(L.optim.lr_scheduler, optimizer)
        follow(scheduler, optimizer, 3)
        follow(scheduler, optimizer, 1, lambda i: 12)
        return follow(scheduler, optimizer, 8)

    return row


def in_tensor(make):
    """A rate that is a tensor is written to in place."""

    def row(L):
        lr = L.tensor(0.5, dtype=L.float64)
        optimizer = L.optim.SGD([L.zeros(1, requires_grad=True)], lr=lr)
        scheduler = make(L.optim.lr_scheduler, optimizer)
        seen = []
        for _ in range(8):
            optimizer.step()
            scheduler.step()
            seen.append((lr.clone(), scheduler.get_last_lr()))
        return seen, optimizer.param_groups[0]["lr"] is lr, optimizer.param_groups[0]["initial_lr"]

    return row


class Decay:
    """A callable object, whose attributes are saved."""

    def __init__(self, rate):
        self.rate = rate

    def __call__(self, epoch):
        return self.rate**epoch


SCHEDULES = {
    "StepLR": {
        "default": lambda S, o, **k: S.StepLR(o, 4, **k),
        "gamma": lambda S, o, **k: S.StepLR(o, step_size=3, gamma=0.7, **k),
        "every": lambda S, o, **k: S.StepLR(o, 1, 0.9, **k),
    },
    "MultiStepLR": {
        "default": lambda S, o, **k: S.MultiStepLR(o, [3, 8, 21], **k),
        "gamma": lambda S, o, **k: S.MultiStepLR(o, (2, 20), gamma=0.3, **k),
        "twice": lambda S, o, **k: S.MultiStepLR(o, [10, 5, 5], gamma=0.3, **k),
        "at_zero": lambda S, o, **k: S.MultiStepLR(o, [0, 4], gamma=0.3, **k),
        "none": lambda S, o, **k: S.MultiStepLR(o, [], **k),
    },
    "ConstantLR": {
        "default": lambda S, o, **k: S.ConstantLR(o, **k),
        "factor": lambda S, o, **k: S.ConstantLR(o, factor=0.7, total_iters=11, **k),
    },
    "LinearLR": {
        "default": lambda S, o, **k: S.LinearLR(o, **k),
        "down": lambda S, o, **k: S.LinearLR(o, 1.0, 0.1, 20, **k),
        "up": lambda S, o, **k: S.LinearLR(o, start_factor=0.01, end_factor=0.9, total_iters=7, **k),
    },
    "ExponentialLR": {"default": lambda S, o, **k: S.ExponentialLR(o, 0.9, **k)},
    "PolynomialLR": {
        "default": lambda S, o, **k: S.PolynomialLR(o, **k),
        "power": lambda S, o, **k: S.PolynomialLR(o, total_iters=20, power=2.5, **k),
    },
    "CosineAnnealingLR": {
        "default": lambda S, o, **k: S.CosineAnnealingLR(o, 30, **k),
        "eta_min": lambda S, o, **k: S.CosineAnnealingLR(o, T_max=12, eta_min=0.01, **k),
        "short": lambda S, o, **k: S.CosineAnnealingLR(o, 3, 0.001, **k),
        "whole_eta_min": lambda S, o, **k: S.CosineAnnealingLR(o, 10, 0, **k),
    },
    "CosineAnnealingWarmRestarts": {
        "default": lambda S, o, **k: S.CosineAnnealingWarmRestarts(o, 7, **k),
        "longer": lambda S, o, **k: S.CosineAnnealingWarmRestarts(o, T_0=3, T_mult=2, eta_min=0.001, **k),
    },
    "LambdaLR": {
        "one": lambda S, o, **k: S.LambdaLR(o, lambda epoch: 0.95**epoch, **k),
        "list": lambda S, o, **k: S.LambdaLR(o, [lambda epoch: 1 / (1 + epoch), lambda epoch: math.exp(-epoch)], **k),
        "tuple": lambda S, o, **k: S.LambdaLR(o, (lambda epoch: 0.5, lambda epoch: epoch // 3), **k),
        "object": lambda S, o, **k: S.LambdaLR(o, [Decay(0.9), Decay(0.8)], **k),
    },
    "MultiplicativeLR": {
        "one": lambda S, o, **k: S.MultiplicativeLR(o, lambda epoch: 0.95, **k),
        "list": lambda S, o, **k: S.MultiplicativeLR(o, [lambda epoch: 0.9, lambda epoch: 1 - epoch / 100], **k),
        "object": lambda S, o, **k: S.MultiplicativeLR(o, Decay(0.99), **k),
    },
    "OneCycleLR": {
        "default": lambda S, o, **k: S.OneCycleLR(o, 0.1, total_steps=EPOCHS, **k),
        "epochs": lambda S, o, **k: S.OneCycleLR(o, max_lr=0.1, epochs=4, steps_per_epoch=10, **k),
        "linear": lambda S, o, **k: S.OneCycleLR(o, 0.1, 40, anneal_strategy="linear", **k),
        "three_phase": lambda S, o, **k: S.OneCycleLR(o, 0.1, 40, three_phase=True, pct_start=0.4, **k),
        "per_group": lambda S, o, **k: S.OneCycleLR(
            o, [0.1, 0.2], 40, base_momentum=[0.7, 0.8], max_momentum=[0.9, 0.99], **k
        ),
        "factors": lambda S, o, **k: S.OneCycleLR(o, 0.1, 40, div_factor=10, final_div_factor=100, **k),
        "no_momentum": lambda S, o, **k: S.OneCycleLR(o, 0.1, 40, cycle_momentum=False, **k),
    },
    "CyclicLR": {
        "default": lambda S, o, **k: S.CyclicLR(o, 0.01, 0.1, step_size_up=4, **k),
        "uneven": lambda S, o, **k: S.CyclicLR(o, 0.01, 0.1, step_size_up=4, step_size_down=7, **k),
        "triangular2": lambda S, o, **k: S.CyclicLR(o, 0.01, 0.1, 4, mode="triangular2", **k),
        "exp_range": lambda S, o, **k: S.CyclicLR(o, 0.01, 0.1, 4, mode="exp_range", gamma=0.95, **k),
        "per_group": lambda S, o, **k: S.CyclicLR(
            o, [0.01, 0.02], [0.1, 0.2], 4, base_momentum=[0.5, 0.6], max_momentum=[0.7, 0.9], **k
        ),
        "no_momentum": lambda S, o, **k: S.CyclicLR(o, 0.01, 0.1, 4, cycle_momentum=False, **k),
        "own": lambda S, o, **k: S.CyclicLR(o, 0.01, 0.1, 4, scale_fn=lambda x: 1 / x, scale_mode="cycle", **k),
        "own_by_step": lambda S, o, **k: S.CyclicLR(
            o, 0.01, 0.1, 4, scale_fn=lambda x: 0.9**x, scale_mode="iterations", **k
        ),
        "own_object": lambda S, o, **k: S.CyclicLR(o, 0.01, 0.1, 4, scale_fn=Decay(0.5), **k),
    },
}
# those that PyTorch cannot resume in the middle for these settings, or that have no fixed rates
NOT_RESUMED = {"CosineAnnealingWarmRestarts/longer"}

ROWS = []
for name, table in SCHEDULES.items():
    for special, make in table.items():
        cases = {special: run(make), f"{special}/resumed": resumed(make)}
        if f"{name}/{special}" not in NOT_RESUMED:
            cases[f"{special}/last_epoch"] = from_last_epoch(make)
        if name != "OneCycleLR":  # its groups hold Python numbers
            cases[f"{special}/tensor"] = in_tensor(make) if special == "default" else None
        cases[f"{special}/epoch"] = jumping(make)
        cases[f"{special}/epoch_then_next"] = mixed(make)
        ROWS += rows(f"optim.lr_scheduler.{name}", {k: v for k, v in cases.items() if v}, exact=True)

for name in ("OneCycleLR", "CyclicLR"):  # beta1 is Adam's momentum
    ROWS += rows(
        f"optim.lr_scheduler.{name}",
        {f"adam/{special}": run(make, "AdamW") for special, make in SCHEDULES[name].items()},
        exact=True,
    )
ROWS += rows(
    "optim.lr_scheduler.CosineAnnealingWarmRestarts",
    {
        "fractions": lambda L: follow(
            L.optim.lr_scheduler.CosineAnnealingWarmRestarts(o := optimizer_of(L), 3, 2), o, 30, lambda i: i / 2
        ),
        "fractions_equal": lambda L: follow(
            L.optim.lr_scheduler.CosineAnnealingWarmRestarts(o := optimizer_of(L), 3), o, 30, lambda i: i * 0.3
        ),
    },
    exact=True,
)


# ---- on a plateau

METRICS = [
    5,
    4,
    3,
    3,
    3.00001,
    2.9999,
    3,
    3,
    3,
    2,
    2,
    2,
    2,
    2,
    2,
    1.9,
    1.9,
    1.9,
    1.9,
    1.9,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
]


def plateau(**options):
    def row(L):
        optimizer = optimizer_of(L)
        scheduler = L.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options)
        seen = follow(scheduler, optimizer, EPOCHS, lambda epoch: METRICS[epoch])
        return seen, scheduler.state_dict(), scheduler.in_cooldown

    return row


def plateau_resumed(L):
    scheduler = L.optim.lr_scheduler.ReduceLROnPlateau(optimizer_of(L), patience=1)
    for metric in METRICS[:12]:
        scheduler.step(metric)
    new = L.optim.lr_scheduler.ReduceLROnPlateau(o := optimizer_of(L))
    new.load_state_dict(scheduler.state_dict())
    for metric in METRICS[12:]:
        new.step(metrics=L.tensor(metric))
    return new.state_dict(), settings(o)


def plateau_after_new_group(L, min_lr):
    optimizer = optimizer_of(L)
    scheduler = L.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=min_lr)
    optimizer.add_param_group({"params": [L.zeros(1)], "lr": 2.0})
    for _ in range(4):
        scheduler.step(1.0)
    return settings(optimizer), scheduler.min_lrs


ROWS += rows(
    "optim.lr_scheduler.ReduceLROnPlateau",
    {
        "default": plateau(),
        "patience": plateau(patience=2),
        "no_patience": plateau(patience=0, factor=0.5),
        "max": plateau(mode="max", patience=3),
        "absolute": plateau(patience=1, threshold=0.05, threshold_mode="abs"),
        "max_absolute": plateau(mode="max", patience=2, threshold=0.05, threshold_mode="abs"),
        "relative": plateau(patience=1, threshold=0.2),
        "cooldown": plateau(patience=0, cooldown=3, factor=0.9),
        "min_lr": plateau(patience=0, min_lr=0.02),
        "min_lrs": plateau(patience=0, min_lr=[0.1, 0.001]),
        "eps": plateau(patience=0, eps=0.01),
        "epoch": lambda L: (s := L.optim.lr_scheduler.ReduceLROnPlateau(optimizer_of(L)), s.step(1, 7), s.last_epoch)[
            2
        ],
        "resumed": plateau_resumed,
        "new_group": lambda L: plateau_after_new_group(L, 0.01),
    },
    exact=True,
)

# ---- schedules of schedules


def warm_then_cosine(S, o, **k):
    return S.SequentialLR(o, [S.LinearLR(o, 0.1, total_iters=5), S.CosineAnnealingLR(o, 20)], [5], **k)


COMBINED = {
    "SequentialLR": {
        "two": warm_then_cosine,
        "three": lambda S, o: S.SequentialLR(
            o, [S.ConstantLR(o, 0.5, 3), S.ExponentialLR(o, 0.9), S.StepLR(o, 2)], milestones=[4, 12]
        ),
        "one": lambda S, o: S.SequentialLR(o, [S.ExponentialLR(o, 0.9)], []),
        "nested": lambda S, o: S.SequentialLR(
            o, [S.SequentialLR(o, [S.ConstantLR(o, 0.5), S.ExponentialLR(o, 0.9)], [3]), S.StepLR(o, 3)], [9]
        ),
        "multiplied": lambda S, o: S.SequentialLR(
            o, [S.MultiplicativeLR(o, lambda e: 0.9), S.LambdaLR(o, lambda e: 0.8**e)], [6]
        ),
        "polynomial": lambda S, o: S.SequentialLR(o, [S.LinearLR(o), S.PolynomialLR(o, 10)], [5]),
    },
    "ChainedScheduler": {
        "two": lambda S, o: S.ChainedScheduler([S.ConstantLR(o, 0.1, 5), S.ExponentialLR(o, 0.9)]),
        "optimizer": lambda S, o: S.ChainedScheduler([S.StepLR(o, 3, 0.5), S.ExponentialLR(o, 0.9)], optimizer=o),
        "cosine": lambda S, o: S.ChainedScheduler([S.LinearLR(o), S.CosineAnnealingLR(o, 20)]),
        "tuple": lambda S, o: S.ChainedScheduler((S.StepLR(o, 3), S.StepLR(o, 5))),
    },
}


def followed(make, epochs=EPOCHS):
    """Rates, without those in the state of the schedules, which is compared, too."""

    def row(L):
        optimizer = optimizer_of(L)
        scheduler = make(L.optim.lr_scheduler, optimizer)
        seen = [scheduler.get_last_lr()]
        for _ in range(epochs):
            optimizer.step()
            scheduler.step()
            seen.append((list(scheduler.get_last_lr()), settings(optimizer)))
        return seen, scheduler.state_dict()

    return row


def combined_resumed(make):
    def row(L):
        optimizer = optimizer_of(L)
        scheduler = make(L.optim.lr_scheduler, optimizer)
        for _ in range(10):
            optimizer.step()
            scheduler.step()
        other = optimizer_of(L)
        new = make(L.optim.lr_scheduler, other)
        new.load_state_dict(copy.deepcopy(scheduler.state_dict()))
        other.load_state_dict(optimizer.state_dict())
        seen = []
        for _ in range(10):
            new.step()
            seen.append(settings(other))
        return seen, new.state_dict()

    return row


for name, table in COMBINED.items():
    for special, make in table.items():
        cases = {special: followed(make), f"{special}/resumed": combined_resumed(make)}
        ROWS += rows(f"optim.lr_scheduler.{name}", cases, exact=True)


# ---- the base


def own_schedule(L):
    """A schedule written for PyTorch: get_lr for all groups."""

    class Halving(L.optim.lr_scheduler.LRScheduler):
        def get_lr(self):
            return [group["lr"] / 2 if self.last_epoch else group["lr"] for group in self.optimizer.param_groups]

    return run(lambda S, o: Halving(o))(L)


def old_name(L):
    """Scripts from before PyTorch 2.0 inherit from _LRScheduler."""

    class Thirds(L.optim.lr_scheduler._LRScheduler):
        def __init__(self, optimizer, last_epoch=-1):
            self.factor = 1 / 3
            super().__init__(optimizer, last_epoch)

        def get_lr(self):
            return [base_lr * self.factor**self.last_epoch for base_lr in self.base_lrs]

    return run(lambda S, o: Thirds(o))(L)


def two_schedules(L):
    """Two of one optimiser multiply; initial_lr is that of the first."""
    optimizer = optimizer_of(L)
    first = L.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    second = L.optim.lr_scheduler.StepLR(optimizer, 3)
    seen = []
    for _ in range(10):
        optimizer.step()
        first.step()
        second.step()
        seen.append((first.get_last_lr(), second.get_last_lr()))
    return seen, second.base_lrs


def scheduled_training(L):
    """Parameters under a schedule."""
    p = L.tensor([1.0, -2.0], dtype=L.float64, requires_grad=True)
    optimizer = L.optim.Adam([p], lr=0.3)
    scheduler = L.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    for _ in range(10):
        optimizer.zero_grad()
        (p**2).sum().backward()
        optimizer.step()
        scheduler.step()
    return p.detach(), scheduler.get_last_lr()


def outside_step(L):
    return L.optim.lr_scheduler.ExponentialLR(optimizer_of(L), 0.5).get_lr()


ROWS += rows(
    "optim.lr_scheduler.LRScheduler",
    {"own": own_schedule, "two": two_schedules, "old_name": old_name, "get_lr": outside_step},
    exact=True,
)
ROWS += rows("optim.lr_scheduler.LRScheduler", {"training": scheduled_training})


def wrong(make):
    return lambda L: make(L.optim.lr_scheduler, optimizer_of(L), L)


def stepped_too_often(S, o, L):
    scheduler = S.OneCycleLR(o, 0.1, total_steps=3)
    for _ in range(5):
        scheduler.step()


ROWS += errors(
    "optim.lr_scheduler.LRScheduler",
    {
        "no_optimizer": (wrong(lambda S, o, L: S.StepLR(3, 1)), r"StepLR: got int as optimizer"),
        "base": (wrong(lambda S, o, L: S.LRScheduler(o)), r"LRScheduler has neither"),
        "no_initial_lr": (wrong(lambda S, o, L: S.StepLR(o, 1, last_epoch=3)), r"last_epoch=3.*param_groups\[0\]"),
        "groups_added": (
            wrong(lambda S, o, L: (s := S.StepLR(o, 1), o.add_param_group({"params": L.zeros(1)}), s.step(4))),
            r"zip|length|argument",
        ),
    },
)
ROWS += errors(
    "optim.lr_scheduler.LambdaLR",
    {"count": (wrong(lambda S, o, L: S.LambdaLR(o, [lambda e: 1])), r"LambdaLR: lr_lambda: got 1 values for 2")},
)
ROWS += errors(
    "optim.lr_scheduler.MultiplicativeLR",
    {
        "count": (wrong(lambda S, o, L: S.MultiplicativeLR(o, [lambda e: 1] * 3)), r"got 3 values for 2"),
        "number": (wrong(lambda S, o, L: S.MultiplicativeLR(o, 0.5)), r"should be a function, got float"),
    },
)
ROWS += errors(
    "optim.lr_scheduler.ConstantLR",
    {
        "large": (wrong(lambda S, o, L: S.ConstantLR(o, 1.5)), r"factor=1.5"),
        "negative": (wrong(lambda S, o, L: S.ConstantLR(o, -0.5)), r"factor=-0.5"),
        "zero_factor": (followed(lambda S, o: S.ConstantLR(o, 0.0)), r"division by zero"),
    },
)
ROWS += errors(
    "optim.lr_scheduler.LinearLR",
    {
        "start": (wrong(lambda S, o, L: S.LinearLR(o, 0.0)), r"start_factor=0.0"),
        "start_large": (wrong(lambda S, o, L: S.LinearLR(o, 1.1)), r"start_factor=1.1"),
        "end": (wrong(lambda S, o, L: S.LinearLR(o, 0.5, -0.1)), r"end_factor=-0.1"),
    },
)
ROWS += errors(
    "optim.lr_scheduler.CosineAnnealingWarmRestarts",
    {
        "T_0": (wrong(lambda S, o, L: S.CosineAnnealingWarmRestarts(o, 0)), r"T_0=0, wanted an int from 1 up"),
        "T_0_float": (wrong(lambda S, o, L: S.CosineAnnealingWarmRestarts(o, 1.5)), r"T_0=1.5"),
        "T_mult": (wrong(lambda S, o, L: S.CosineAnnealingWarmRestarts(o, 2, 0)), r"T_mult=0"),
        "eta_min": (wrong(lambda S, o, L: S.CosineAnnealingWarmRestarts(o, 2, 1, "0")), r"got a str as eta_min"),
        "epoch": (wrong(lambda S, o, L: S.CosineAnnealingWarmRestarts(o, 2).step(-1)), r"got epoch -1"),
    },
)
ROWS += errors(
    "optim.lr_scheduler.OneCycleLR",
    {
        "no_steps": (wrong(lambda S, o, L: S.OneCycleLR(o, 0.1)), r"neither total_steps nor epochs"),
        "only_epochs": (wrong(lambda S, o, L: S.OneCycleLR(o, 0.1, epochs=3)), r"neither total_steps nor epochs"),
        "zero_steps": (wrong(lambda S, o, L: S.OneCycleLR(o, 0.1, 0)), r"total_steps=0, wanted a positive integer"),
        "epochs_negative": (wrong(lambda S, o, L: S.OneCycleLR(o, 0.1, epochs=-1, steps_per_epoch=2)), r"epochs=-1"),
        "per_epoch": (
            wrong(lambda S, o, L: S.OneCycleLR(o, 0.1, epochs=1, steps_per_epoch=2.0)),
            r"steps_per_epoch=2.0",
        ),
        "pct_start": (wrong(lambda S, o, L: S.OneCycleLR(o, 0.1, 9, pct_start=1.5)), r"pct_start=1.5"),
        "pct_start_int": (wrong(lambda S, o, L: S.OneCycleLR(o, 0.1, 9, pct_start=1)), r"pct_start=1, wanted a float"),
        "strategy": (wrong(lambda S, o, L: S.OneCycleLR(o, 0.1, 9, anneal_strategy="sin")), r"anneal_strategy='sin'"),
        "max_lrs": (wrong(lambda S, o, L: S.OneCycleLR(o, [0.1], 9)), r"max_lr: got 1 values for 2"),
        "too_often": (wrong(stepped_too_often), r"tried to step 4 times, but total_steps is 3"),
        "without_momentum": (
            lambda L: L.optim.lr_scheduler.OneCycleLR(L.optim.Adagrad([L.zeros(1)]), 0.1, 9),
            r"must support momentum or beta1, got a Adagrad",
        ),
        "no_optimizer": (lambda L: L.optim.lr_scheduler.OneCycleLR([], 0.1, 9), r"OneCycleLR: got list"),
    },
)
ROWS += errors(
    "optim.lr_scheduler.CyclicLR",
    {
        "mode": (wrong(lambda S, o, L: S.CyclicLR(o, 0.1, 1.0, mode="saw")), r"mode='saw' and no scale_fn"),
        "max_lrs": (wrong(lambda S, o, L: S.CyclicLR(o, 0.1, [1.0])), r"max_lr: got 1 values for 2"),
        "base_momenta": (wrong(lambda S, o, L: S.CyclicLR(o, 0.1, 1.0, base_momentum=[1, 2, 3])), r"got 3 values"),
        "without_momentum": (
            lambda L: L.optim.lr_scheduler.CyclicLR(L.optim.Adagrad([L.zeros(1)]), 0.1, 1.0),
            r"must support momentum",
        ),
        "no_optimizer": (lambda L: L.optim.lr_scheduler.CyclicLR(None, 0.1, 1.0), r"CyclicLR: got NoneType"),
    },
)
ROWS += errors(
    "optim.lr_scheduler.ReduceLROnPlateau",
    {
        "factor": (wrong(lambda S, o, L: S.ReduceLROnPlateau(o, factor=1.0)), r"factor=1.0"),
        "mode": (wrong(lambda S, o, L: S.ReduceLROnPlateau(o, "least")), r"mode='least'"),
        "threshold_mode": (wrong(lambda S, o, L: S.ReduceLROnPlateau(o, threshold_mode="x")), r"threshold_mode='x'"),
        "min_lrs_count": (wrong(lambda S, o, L: S.ReduceLROnPlateau(o, min_lr=[0.1])), r"got 1 min_lrs for 2"),
        "no_optimizer": (lambda L: L.optim.lr_scheduler.ReduceLROnPlateau("SGD"), r"got str as optimizer"),
        "no_metric": (wrong(lambda S, o, L: S.ReduceLROnPlateau(o).step()), r"metrics"),
        "new_group_min_lrs": (lambda L: plateau_after_new_group(L, [0.1, 0.2]), r"3 parameter groups and 2 min_lrs"),
    },
)
ROWS += errors(
    "optim.lr_scheduler.SequentialLR",
    {
        "none": (wrong(lambda S, o, L: S.SequentialLR(o, [], [])), r"SequentialLR: got no scheduler"),
        "milestones": (
            wrong(lambda S, o, L: S.SequentialLR(o, [S.StepLR(o, 1)], [3])),
            r"1 milestones for 1 schedulers",
        ),
        "no_scheduler": (wrong(lambda S, o, L: S.SequentialLR(o, [3], [])), r"got a int at index 0"),
        "plateau": (
            wrong(lambda S, o, L: S.SequentialLR(o, [S.StepLR(o, 1), S.ReduceLROnPlateau(o)], [3])),
            r"ReduceLROnPlateau at index 1.*metric",
        ),
        "other_optimizer": (
            wrong(lambda S, o, L: S.SequentialLR(o, [S.StepLR(optimizer_of(L), 1)], [])),
            r"index 0 that belongs to another optimizer",
        ),
    },
)
ROWS += errors(
    "optim.lr_scheduler.ChainedScheduler",
    {
        "none": (wrong(lambda S, o, L: S.ChainedScheduler([])), r"ChainedScheduler: got no scheduler"),
        "plateau": (
            wrong(lambda S, o, L: S.ChainedScheduler([S.ReduceLROnPlateau(o)])),
            r"ReduceLROnPlateau at index 0",
        ),
        "other_optimizer": (
            wrong(lambda S, o, L: S.ChainedScheduler([S.StepLR(o, 1), S.StepLR(optimizer_of(L), 1)])),
            r"index 1 that belongs",
        ),
    },
)
