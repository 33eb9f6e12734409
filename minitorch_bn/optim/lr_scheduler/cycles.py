"""Schedules that go up and down: in one cycle over all of training, or in many. Momentum goes the other way."""

import math

from .base import LRScheduler, checked_optimizer, one_per_group, put, state_of_function


class _Cycling(LRScheduler):
    """What the two have in common: momentum (in Adam: beta1) that is largest where the rate is smallest."""

    def _momenta(self, name, base_momentum, max_momentum):
        """The least and the largest momentum of each group, after a check that the optimiser has one."""
        defaults = self.optimizer.defaults
        if "momentum" not in defaults and "betas" not in defaults:
            raise ValueError(
                f"{name}: the optimizer must support momentum or beta1, got a {type(self.optimizer).__name__}; or use "
                "cycle_momentum=False"
            )
        self.use_beta1 = "betas" in defaults
        low = one_per_group(f"{name}: base_momentum", self.optimizer, base_momentum)
        return low, one_per_group(f"{name}: max_momentum", self.optimizer, max_momentum)

    def _begin_momentum(self, low, high):
        """Write where the momentum starts into the groups."""
        for group, base, largest in zip(self.optimizer.param_groups, low, high, strict=True):
            self._put_momentum(group, largest)
            group["max_momentum"], group["base_momentum"] = largest, base

    def _put_momentum(self, group, momentum):
        if self.use_beta1:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum


class OneCycleLR(_Cycling):
    """Up from a small rate to `max_lr`, then down to almost 0, in all of training. Step it after every batch.

    The rate starts at max_lr / div_factor, reaches max_lr at pct_start of all steps, and ends at the first rate /
    final_div_factor. With `three_phase` it first comes down to the first rate, as fast as it went up. Momentum goes
    from max_momentum down to base_momentum and back.

    Parameters
    ----------
    optimizer : Optimizer
    max_lr : float or list of float
        One per group.
    total_steps : int, optional
        How many steps training has; or give `epochs` and `steps_per_epoch`.
    pct_start : float
        The rising part, as a fraction of all steps.
    anneal_strategy : "cos" or "linear"
        The form of the way from one rate to the next.
    cycle_momentum : bool
    base_momentum, max_momentum : float or list of float
    div_factor, final_div_factor : float
    three_phase : bool
    last_epoch : int

    Raises
    ------
    ValueError
        If the number of steps is missing or not positive, pct_start is no float in [0, 1], the strategy is unknown, a
        list does not have one value for each group, or the optimiser has no momentum. From `step`: if it is called more
        than total_steps times.
    TypeError
        If `optimizer` is no Optimizer.

    Source: Smith & Topin 2018; PyTorch documentation, torch.optim.lr_scheduler.OneCycleLR.
    """

    def __init__(
        self,
        optimizer,
        max_lr,
        total_steps=None,
        epochs=None,
        steps_per_epoch=None,
        pct_start=0.3,
        anneal_strategy="cos",
        cycle_momentum=True,
        base_momentum=0.85,
        max_momentum=0.95,
        div_factor=25.0,
        final_div_factor=1e4,
        three_phase=False,
        last_epoch=-1,
    ):
        self.optimizer = checked_optimizer("OneCycleLR", optimizer)
        if total_steps is None and (epochs is None or steps_per_epoch is None):
            raise ValueError(
                "OneCycleLR: got neither total_steps nor epochs and steps_per_epoch; give one or the others"
            )
        given = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
        given = given if total_steps is None else {"total_steps": total_steps}
        for name, value in given.items():
            if not isinstance(value, int) or value <= 0:
                raise ValueError(f"OneCycleLR: got {name}={value}, wanted a positive integer")
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: got pct_start={pct_start}, wanted a float between 0 and 1")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"OneCycleLR: got anneal_strategy={anneal_strategy!r}, wanted 'cos' or 'linear'")
        self.total_steps = math.prod(given.values())
        self._schedule_phases = self._phases(pct_start, three_phase)
        self._anneal_func_type = anneal_strategy
        largest = one_per_group("OneCycleLR: max_lr", optimizer, max_lr)
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            momenta = self._momenta("OneCycleLR", base_momentum, max_momentum)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, largest, strict=True):
                group["initial_lr"] = lr / div_factor
                group["max_lr"] = lr
                group["min_lr"] = group["initial_lr"] / final_div_factor
            if cycle_momentum:
                self._begin_momentum(*momenta)
        super().__init__(optimizer, last_epoch)

    def _phases(self, pct_start, three_phase):
        """The parts of the schedule: at which step each ends, and which settings it goes from and to."""
        last = self.total_steps - 1
        top = float(pct_start * self.total_steps) - 1
        back = float(2 * pct_start * self.total_steps) - 2
        up = (top, "initial_lr", "max_lr", "max_momentum", "base_momentum")
        if three_phase:
            down = (back, "max_lr", "initial_lr", "base_momentum", "max_momentum")
            phases = [up, down, (last, "initial_lr", "min_lr", "max_momentum", "max_momentum")]
        else:
            phases = [up, (last, "max_lr", "min_lr", "base_momentum", "max_momentum")]
        keys = ("end_step", "start_lr", "end_lr", "start_momentum", "end_momentum")
        return [dict(zip(keys, phase, strict=True)) for phase in phases]

    def get_lr(self):
        """The rates of this step; sets the momenta."""
        if self.last_epoch > self.total_steps:
            raise ValueError(
                f"OneCycleLR.step: tried to step {self.last_epoch} times, but total_steps is {self.total_steps}"
            )
        return super().get_lr()

    def next_lr(self, lr, base_lr, i):
        """Find the phase, and go so far from its start to its end; sets the group's momentum."""
        start_step = 0.0
        for phase in self._schedule_phases:
            if self.last_epoch <= phase["end_step"]:
                break
            if phase is not self._schedule_phases[-1]:
                start_step = phase["end_step"]
        way = (self.last_epoch - start_step) / (phase["end_step"] - start_step)
        group = self.optimizer.param_groups[i]
        if self.cycle_momentum:
            self._put_momentum(group, self._between(group[phase["start_momentum"]], group[phase["end_momentum"]], way))
        return self._between(group[phase["start_lr"]], group[phase["end_lr"]], way)

    def _between(self, start, end, way):
        """Between two values, at `way` from 0 (start) to 1 (end)."""
        if self._anneal_func_type == "linear":
            return (end - start) * way + start
        return end + (start - end) / 2.0 * (math.cos(math.pi * way) + 1)


class CyclicLR(_Cycling):
    """Up from `base_lr` to `max_lr` and down again, in straight lines, cycle after cycle. Step it after every batch.

    Parameters
    ----------
    optimizer : Optimizer
    base_lr, max_lr : float or list of float
        One per group.
    step_size_up, step_size_down : int
        Steps of the rising and of the falling half (default: as many).
    mode : "triangular", "triangular2" or "exp_range"
        The height of a cycle: constant, half of the last one's, or gamma^step.
    gamma : float
    scale_fn : callable, optional
        A height of your own, instead of `mode`: from the number of the cycle (from 1), or with scale_mode="iterations"
        from the number of the step.
    scale_mode : "cycle" or "iterations"
    cycle_momentum : bool
    base_momentum, max_momentum : float or list of float
    last_epoch : int

    Raises
    ------
    ValueError
        If the mode is unknown and there is no scale_fn, a list does not have one value for each group, or the optimiser
        has no momentum.
    TypeError
        If `optimizer` is no Optimizer.

    Source: Smith 2017, section 3; PyTorch documentation, torch.optim.lr_scheduler.CyclicLR.
    """

    def __init__(
        self,
        optimizer,
        base_lr,
        max_lr,
        step_size_up=2000,
        step_size_down=None,
        mode="triangular",
        gamma=1.0,
        scale_fn=None,
        scale_mode="cycle",
        cycle_momentum=True,
        base_momentum=0.8,
        max_momentum=0.9,
        last_epoch=-1,
    ):
        self.optimizer = checked_optimizer("CyclicLR", optimizer)
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError(f"CyclicLR: got mode={mode!r} and no scale_fn; the mode is invalid")
        base_lrs = one_per_group("CyclicLR: base_lr", optimizer, base_lr)
        self.max_lrs = one_per_group("CyclicLR: max_lr", optimizer, max_lr)
        up = float(step_size_up)
        self.total_size = up + (up if step_size_down is None else float(step_size_down))
        self.step_ratio = up / self.total_size
        self.mode, self.gamma, self._scale_fn_custom = mode, gamma, scale_fn
        self.scale_mode = scale_mode if scale_fn is not None else "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.base_momentums, self.max_momentums = self._momenta("CyclicLR", base_momentum, max_momentum)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, base_lrs, strict=True):
                put(group, "lr", lr)
            if cycle_momentum:
                self._begin_momentum(self.base_momentums, self.max_momentums)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x):
        """The height of a cycle, from its number or from the number of the step, see `scale_mode`."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular":
            return 1.0
        return 1 / 2.0 ** (x - 1) if self.mode == "triangular2" else self.gamma**x

    def next_lr(self, lr, base_lr, i):
        """On the line up or down; sets the group's momentum."""
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        way = 1.0 + self.last_epoch / self.total_size - cycle  # within the cycle, from 0 to 1
        height = way / self.step_ratio if way <= self.step_ratio else (way - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            base, largest = self.base_momentums[i], self.max_momentums[i]
            self._put_momentum(self.optimizer.param_groups[i], largest - (largest - base) * height * scale)
        return base_lr + (self.max_lrs[i] - base_lr) * height * scale

    def state_dict(self):
        """All attributes but the optimiser and a plain scale_fn."""
        state = super().state_dict()
        fn = state.pop("_scale_fn_custom")
        return {**state, "_scale_fn_custom": None if fn is None else state_of_function(fn)}

    def load_state_dict(self, state_dict):
        """Take over what `state_dict` gave; a plain scale_fn stays, a callable object gets its attributes."""
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "_scale_fn_custom"})
        if state_dict["_scale_fn_custom"] is not None:
            vars(self._scale_fn_custom).update(state_dict["_scale_fn_custom"])
