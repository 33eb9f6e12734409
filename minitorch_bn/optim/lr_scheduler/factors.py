"""Schedules that multiply the rate: at every epoch, at some, or by a function of the epoch."""

import bisect
import collections

from .base import LRScheduler, checked_optimizer, one_per_group, state_of_function


class LambdaLR(LRScheduler):
    """lr = initial lr * lr_lambda(epoch).

    Parameters
    ----------
    optimizer : Optimizer
    lr_lambda : callable, or list of callable
        From the epoch to a factor; a list has one for each group.
    last_epoch : int

    Raises
    ------
    ValueError
        If the list does not have one for each group.

    Source: PyTorch documentation, torch.optim.lr_scheduler.LambdaLR.
    """

    def __init__(self, optimizer, lr_lambda, last_epoch=-1):
        name = type(self).__name__
        self.optimizer = checked_optimizer(name, optimizer)
        self.lr_lambdas = one_per_group(f"{name}: lr_lambda", optimizer, lr_lambda)
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr, base_lr, i):
        """A factor of the first rate."""
        return base_lr * self.lr_lambdas[i](self.last_epoch)

    def state_dict(self):
        """All attributes but the optimiser and plain functions, which cannot be saved; of callable objects, theirs."""
        state = super().state_dict()
        del state["lr_lambdas"]
        return {**state, "lr_lambdas": [state_of_function(fn) for fn in self.lr_lambdas]}

    def load_state_dict(self, state_dict):
        """Take over what `state_dict` gave; functions stay, callable objects get their attributes."""
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "lr_lambdas"})
        for fn, attributes in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if attributes is not None:
                vars(fn).update(attributes)


class MultiplicativeLR(LambdaLR):
    """lr <- lr * lr_lambda(epoch), from epoch 1 on.

    Parameters
    ----------
    optimizer : Optimizer
    lr_lambda : callable, or list of callable
        From the epoch to a factor; a list has one for each group.
    last_epoch : int

    Raises
    ------
    ValueError
        If the list does not have one for each group.
    TypeError
        If one of them cannot be called.

    Source: PyTorch documentation, torch.optim.lr_scheduler.MultiplicativeLR.
    """

    def __init__(self, optimizer, lr_lambda, last_epoch=-1):
        for fn in lr_lambda if isinstance(lr_lambda, list | tuple) else [lr_lambda]:
            if not callable(fn):
                raise TypeError(f"MultiplicativeLR: lr_lambda should be a function, got {type(fn).__name__}")
        super().__init__(optimizer, lr_lambda, last_epoch)

    def next_lr(self, lr, base_lr, i):
        """A factor of the present rate."""
        return lr if self._is_initial else lr * self.lr_lambdas[i](self.last_epoch)


class StepLR(LRScheduler):
    """lr <- gamma * lr, every `step_size` epochs.

    Parameters
    ----------
    optimizer : Optimizer
    step_size : int
    gamma : float
    last_epoch : int

    >>> from minitorch_bn import ones, optim
    >>> optimizer = optim.SGD([ones(1)], lr=0.5)
    >>> scheduler = StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for epoch in range(5):
    ...     optimizer.step()
    ...     print(epoch, optimizer.param_groups[0]["lr"])
    ...     scheduler.step()
    0 0.5
    1 0.5
    2 0.25
    3 0.25
    4 0.125

    Source: PyTorch documentation, torch.optim.lr_scheduler.StepLR.
    """

    def __init__(self, optimizer, step_size, gamma=0.1, last_epoch=-1):
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr, base_lr, i):
        """Smaller at multiples of step_size."""
        return lr if self.last_epoch == 0 or self.last_epoch % self.step_size != 0 else lr * self.gamma

    def closed_form(self, base_lr):
        """base_lr * gamma^(epoch // step_size)"""
        return base_lr * self.gamma ** (self.last_epoch // self.step_size)


class MultiStepLR(LRScheduler):
    """lr <- gamma * lr at each of the milestones.

    Parameters
    ----------
    optimizer : Optimizer
    milestones : list of int
        Epochs; one that stands twice counts twice.
    gamma : float
    last_epoch : int

    Source: PyTorch documentation, torch.optim.lr_scheduler.MultiStepLR.
    """

    def __init__(self, optimizer, milestones, gamma=0.1, last_epoch=-1):
        self.milestones, self.gamma = collections.Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr, base_lr, i):
        """Smaller at a milestone."""
        if self.last_epoch not in self.milestones:
            return lr
        return lr * self.gamma ** self.milestones[self.last_epoch]

    def closed_form(self, base_lr):
        """base_lr * gamma^(milestones so far)"""
        return base_lr * self.gamma ** bisect.bisect_right(sorted(self.milestones.elements()), self.last_epoch)


class ConstantLR(LRScheduler):
    """lr = factor * initial lr, until `total_iters`; the initial lr from then on.

    Parameters
    ----------
    optimizer : Optimizer
    factor : float
    total_iters : int
    last_epoch : int

    Raises
    ------
    ValueError
        If factor is not in [0, 1].

    Source: PyTorch documentation, torch.optim.lr_scheduler.ConstantLR.
    """

    def __init__(self, optimizer, factor=1.0 / 3, total_iters=5, last_epoch=-1):
        if factor > 1.0 or factor < 0:
            raise ValueError(f"ConstantLR: got factor={factor}, wanted a number between 0 and 1")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr, base_lr, i):
        """Smaller at epoch 0, larger at total_iters."""
        if self.last_epoch == 0:
            return lr * self.factor
        return lr if self.last_epoch != self.total_iters else lr * (1.0 / self.factor)

    def closed_form(self, base_lr):
        """base_lr * factor before total_iters"""
        return base_lr * (self.factor + (self.last_epoch >= self.total_iters) * (1 - self.factor))


class LinearLR(LRScheduler):
    """lr = initial lr * a factor that goes from `start_factor` to `end_factor` in equal steps, `total_iters` of them.

    Parameters
    ----------
    optimizer : Optimizer
    start_factor, end_factor : float
    total_iters : int
    last_epoch : int

    Raises
    ------
    ValueError
        If start_factor is not in (0, 1] or end_factor not in [0, 1].

    Source: PyTorch documentation, torch.optim.lr_scheduler.LinearLR.
    """

    def __init__(self, optimizer, start_factor=1.0 / 3, end_factor=1.0, total_iters=5, last_epoch=-1):
        if start_factor > 1.0 or start_factor <= 0:
            raise ValueError(f"LinearLR: got start_factor={start_factor}, wanted a number above 0 and at most 1")
        if end_factor > 1.0 or end_factor < 0:
            raise ValueError(f"LinearLR: got end_factor={end_factor}, wanted a number between 0 and 1")
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr, base_lr, i):
        """The quotient of two neighbouring factors, times the present rate."""
        if self.last_epoch == 0:
            return lr * self.start_factor
        if self._is_initial or self.last_epoch > self.total_iters:
            return lr
        rise = self.end_factor - self.start_factor  # over all epochs
        return lr * (1.0 + rise / (self.total_iters * self.start_factor + (self.last_epoch - 1) * rise))

    def closed_form(self, base_lr):
        """base_lr times the factor of this epoch"""
        rise = self.end_factor - self.start_factor
        return base_lr * (self.start_factor + rise * min(self.total_iters, self.last_epoch) / self.total_iters)


class ExponentialLR(LRScheduler):
    """lr <- gamma * lr at every epoch.

    Parameters
    ----------
    optimizer : Optimizer
    gamma : float
    last_epoch : int

    Source: PyTorch documentation, torch.optim.lr_scheduler.ExponentialLR.
    """

    def __init__(self, optimizer, gamma, last_epoch=-1):
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr, base_lr, i):
        """Smaller."""
        return lr if self._is_initial else lr * self.gamma

    def closed_form(self, base_lr):
        """base_lr * gamma^epoch"""
        return base_lr * self.gamma**self.last_epoch


class PolynomialLR(LRScheduler):
    """lr = initial lr * (1 - epoch / total_iters)^power; 0 from `total_iters` on.

    Parameters
    ----------
    optimizer : Optimizer
    total_iters : int
    power : float
    last_epoch : int

    Source: PyTorch documentation, torch.optim.lr_scheduler.PolynomialLR.
    """

    def __init__(self, optimizer, total_iters=5, power=1.0, last_epoch=-1):
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr, base_lr, i):
        """The quotient of two neighbouring factors, times the present rate."""
        if self._is_initial or self.last_epoch > self.total_iters:
            return lr
        left, left_before = 1.0 - self.last_epoch / self.total_iters, 1.0 - (self.last_epoch - 1) / self.total_iters
        return lr * (left / left_before) ** self.power

    def closed_form(self, base_lr):
        """base_lr times what is left, to a power"""
        return base_lr * (1.0 - min(self.total_iters, self.last_epoch) / self.total_iters) ** self.power
