"""A schedule that looks at the loss: smaller steps once it no longer gets better."""

import math
import warnings

from .base import LRScheduler, checked_optimizer, put, values_of


class ReduceLROnPlateau(LRScheduler):
    """lr <- factor * lr, when a metric has not become better for more than `patience` epochs.

    Parameters
    ----------
    optimizer : Optimizer
    mode : "min" or "max"
        Whether smaller or larger is better.
    factor : float
    patience : int
    threshold : float
        By how much a better metric must be better.
    threshold_mode : "rel" or "abs"
        Whether threshold is a fraction of the best metric so far, or an amount.
    cooldown : int
        Epochs after a reduction that do not count.
    min_lr : float or list of float
        One per group.
    eps : float
        A smaller change is not made.

    Raises
    ------
    ValueError
        If factor >= 1, a mode is unknown, or min_lr does not have one value for each group.
    TypeError
        If `optimizer` is no Optimizer.

    Source: PyTorch documentation, torch.optim.lr_scheduler.ReduceLROnPlateau.
    """

    def __init__(
        self,
        optimizer,
        mode="min",
        factor=0.1,
        patience=10,
        threshold=1e-4,
        threshold_mode="rel",
        cooldown=0,
        min_lr=0,
        eps=1e-8,
    ):
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau: got factor={factor}, wanted a number < 1.0")
        if mode not in ("min", "max"):
            raise ValueError(f"ReduceLROnPlateau: got mode={mode!r}, wanted 'min' or 'max'")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"ReduceLROnPlateau: got threshold_mode={threshold_mode!r}, wanted 'rel' or 'abs'")
        self.factor, self.optimizer = factor, checked_optimizer("ReduceLROnPlateau", optimizer)
        n = len(optimizer.param_groups)
        several = isinstance(min_lr, list | tuple)
        if several and len(min_lr) != n:
            raise ValueError(f"ReduceLROnPlateau: got {len(min_lr)} min_lrs for {n} parameter groups, expected {n}")
        self.default_min_lr = None if several else min_lr
        self.min_lrs = list(min_lr) if several else [min_lr] * n
        self.patience, self.cooldown, self.eps, self.last_epoch = patience, cooldown, eps, 0
        self._last_lr = values_of(optimizer, "lr")
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self.mode, self.threshold, self.threshold_mode = mode, threshold, threshold_mode
        self.best, self.cooldown_counter, self.num_bad_epochs = self.mode_worse, 0, 0

    @property
    def in_cooldown(self):
        """Whether the last reduction was so recent that bad epochs do not count."""
        return self.cooldown_counter > 0

    def step(self, metrics, epoch=None):
        """Look at the metric of an epoch, and reduce the rates if it is time to.

        Parameters
        ----------
        metrics : float or Tensor with one element
        epoch : int, optional
            Deprecated.
        """
        current = float(metrics)
        if epoch is not None:
            warnings.warn("ReduceLROnPlateau.step: the epoch parameter is deprecated", stacklevel=2)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(current, self.best):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce_lr()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = values_of(self.optimizer, "lr")

    def _is_better(self, current, best):
        if self.mode == "min":
            return current < (best * (1.0 - self.threshold) if self.threshold_mode == "rel" else best - self.threshold)
        return current > (best * (self.threshold + 1.0) if self.threshold_mode == "rel" else best + self.threshold)

    def _reduce_lr(self):
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):  # groups were added since
            if self.default_min_lr is None:
                raise RuntimeError(
                    f"ReduceLROnPlateau.step: got {len(groups)} parameter groups and {len(self.min_lrs)} min_lrs; put "
                    "the minimum of the new groups into the attribute min_lrs"
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, least in zip(groups, self.min_lrs, strict=True):
            old = float(group["lr"])
            new = max(old * self.factor, least)
            if old - new > self.eps:
                put(group, "lr", new)
