"""Schedules along a cosine: from the initial rate down to the least one, and perhaps up again."""

import math

from .base import LRScheduler


class CosineAnnealingLR(LRScheduler):
    """lr = eta_min + (initial lr - eta_min) * (1 + cos(pi * epoch / T_max)) / 2.

    Half a period of a cosine in T_max epochs; after that the rate rises again. The rate of an epoch is made from that
    of the last one, by the quotient of the two cosines.

    Parameters
    ----------
    optimizer : Optimizer
    T_max : int
    eta_min : float
    last_epoch : int

    Source: Loshchilov & Hutter 2017, eq. 5, without restarts; PyTorch documentation,
    torch.optim.lr_scheduler.CosineAnnealingLR.
    """

    def __init__(self, optimizer, T_max, eta_min=0.0, last_epoch=-1):
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr, base_lr, i):
        """Along the cosine, from the present rate."""
        epoch, span, least = self.last_epoch, self.T_max, self.eta_min
        if self._is_initial:
            return lr
        if self._step_count == 1 and epoch > 0:
            return least + (base_lr - least) * (1 + math.cos(epoch * math.pi / span)) / 2
        if (epoch - 1 - span) % (2 * span) == 0:  # the last epoch was at the bottom, where the quotient is 0 / 0
            return lr + (base_lr - least) * (1 - math.cos(math.pi / span)) / 2
        here, before = 1 + math.cos(math.pi * epoch / span), 1 + math.cos(math.pi * (epoch - 1) / span)
        return here / before * (lr - least) + least

    def closed_form(self, base_lr):
        """The formula above."""
        return self.eta_min + (base_lr - self.eta_min) * (1 + math.cos(math.pi * self.last_epoch / self.T_max)) / 2


class CosineAnnealingWarmRestarts(LRScheduler):
    """lr = eta_min + (initial lr - eta_min) * (1 + cos(pi * T_cur / T_i)) / 2, again and again from the top.

    T_cur epochs have passed since the last restart. The first period T_i has T_0 epochs, each later one T_mult times as
    many as the one before.

    Parameters
    ----------
    optimizer : Optimizer
    T_0, T_mult : int
    eta_min : float
    last_epoch : int

    Raises
    ------
    ValueError
        If T_0 or T_mult is no int from 1 up, or eta_min no number.

    Source: Loshchilov & Hutter 2017, eq. 5; PyTorch documentation,
    torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.
    """

    def __init__(self, optimizer, T_0, T_mult=1, eta_min=0.0, last_epoch=-1):
        for name, value in (("T_0", T_0), ("T_mult", T_mult)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"CosineAnnealingWarmRestarts: got {name}={value}, wanted an int from 1 up")
        if not isinstance(eta_min, float | int):
            kind = type(eta_min).__name__
            raise ValueError(f"CosineAnnealingWarmRestarts: got a {kind} as eta_min, wanted a float or int")
        self.T_0, self.T_i, self.T_mult, self.eta_min, self.T_cur = T_0, T_0, T_mult, eta_min, last_epoch
        super().__init__(optimizer, last_epoch)

    def next_lr(self, lr, base_lr, i):
        """The formula above."""
        return self.eta_min + (base_lr - self.eta_min) * (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2

    def step(self, epoch=None):
        """Go on to the next epoch, or to `epoch`, which can be a fraction: epoch + batch / batches.

        Raises
        ------
        ValueError
            If epoch is negative.
        """
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur, self.T_i = self.T_cur % self.T_i, self.T_i * self.T_mult
        elif epoch < 0:
            raise ValueError(f"CosineAnnealingWarmRestarts.step: got epoch {epoch}, wanted a non-negative number")
        elif epoch < self.T_0:
            self.T_i, self.T_cur = self.T_0, epoch
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:  # n periods have passed: T_0 * (1 + T_mult + T_mult^2 + ...), a geometric series
            n = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            self.T_cur = epoch - self.T_0 * (self.T_mult**n - 1) / (self.T_mult - 1)
            self.T_i = self.T_0 * self.T_mult**n
        self.last_epoch = math.floor(epoch)
        self._get_lr_called_within_step = True
        try:
            rates = self.get_lr()
        finally:
            self._get_lr_called_within_step = False
        self._set(rates)
