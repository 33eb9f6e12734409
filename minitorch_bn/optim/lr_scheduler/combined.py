"""Schedules of schedules: one after the other, or all at once."""

import bisect

from .base import LRScheduler, put, values_of
from .plateau import ReduceLROnPlateau


class _Combined(LRScheduler):
    """Several schedules of one optimiser; their states are in the state of this one."""

    def _check(self, schedulers, optimizer):
        name = type(self).__name__
        for i, scheduler in enumerate(schedulers):
            kind = type(scheduler).__name__
            if not hasattr(scheduler, "optimizer"):
                raise TypeError(f"{name}: got a {kind} at index {i}, which has no attribute `optimizer`")
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ValueError(f"{name}: got a {kind} at index {i}, whose step wants a metric; step it by itself")
            if scheduler.optimizer is not optimizer:
                raise ValueError(
                    f"{name}: got a {kind} at index {i} that belongs to another optimizer; all must have the same"
                )

    def state_dict(self):
        """All attributes but the optimiser, with the states of the schedules."""
        state = super().state_dict()
        del state["_schedulers"]
        return {**state, "_schedulers": [scheduler.state_dict() for scheduler in self._schedulers]}

    def load_state_dict(self, state_dict):
        """Take over what `state_dict` gave, for all the schedules."""
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "_schedulers"})
        for scheduler, state in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            scheduler.load_state_dict(state)


class SequentialLR(_Combined):
    """One schedule after the other: schedulers[i] takes over at epoch milestones[i - 1], which is its epoch 0.

    Parameters
    ----------
    optimizer : Optimizer
    schedulers : list of LRScheduler
        All of this optimiser.
    milestones : list of int
        One fewer than schedules.
    last_epoch : int

    Raises
    ------
    ValueError
        If there is no schedule, one belongs to another optimiser or is a ReduceLROnPlateau, or the milestones are not
        one fewer.
    TypeError
        If one of the schedulers is none.

    Source: PyTorch documentation, torch.optim.lr_scheduler.SequentialLR.
    """

    def __init__(self, optimizer, schedulers, milestones, last_epoch=-1):
        if len(schedulers) < 1:
            raise ValueError("SequentialLR: got no scheduler, wanted at least one")
        self._check(schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"SequentialLR: got {len(milestones)} milestones for {len(schedulers)} schedulers, wanted one fewer"
            )
        self._schedulers, self._milestones, self.last_epoch, self.optimizer = (
            schedulers, milestones, last_epoch + 1, optimizer
        )  # fmt: skip
        for group in optimizer.param_groups:  # all schedules have set the rate of their epoch 0: undo that
            put(group, "lr", group["initial_lr"])
        _undo_first_step(self)
        first = schedulers[bisect.bisect_right(milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def step(self):
        """One epoch of the schedule whose turn it is."""
        self.last_epoch += 1
        i = bisect.bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[i]
        if i > 0 and self._milestones[i - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


def _undo_first_step(scheduler):
    """Take a schedule, and those inside it, back to before epoch 0."""
    if hasattr(scheduler, "_schedulers"):
        for inner in scheduler._schedulers:
            _undo_first_step(inner)
    elif hasattr(scheduler, "last_epoch"):
        scheduler.last_epoch -= 1


class ChainedScheduler(_Combined):
    """All schedules at every epoch: their factors multiply.

    Parameters
    ----------
    schedulers : sequence of LRScheduler
    optimizer : Optimizer, optional
        That of the schedules.

    Raises
    ------
    ValueError
        If there is no schedule, or one belongs to another optimiser or is a ReduceLROnPlateau.
    TypeError
        If one of the schedulers is none.

    Source: PyTorch documentation, torch.optim.lr_scheduler.ChainedScheduler.
    """

    def __init__(self, schedulers, optimizer=None):
        if len(schedulers) < 1:
            raise ValueError("ChainedScheduler: got no scheduler, wanted at least one")
        optimizer = optimizer or schedulers[0].optimizer
        self._check(schedulers, optimizer)
        self._schedulers, self.optimizer = schedulers, optimizer
        self._last_lr = values_of(optimizer, "lr")

    def step(self):
        """One epoch of every schedule."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = values_of(self.optimizer, "lr")
