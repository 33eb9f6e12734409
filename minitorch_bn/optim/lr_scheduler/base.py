"""LRScheduler: the base of all schedules, and the two ways to give one: from the last rate, or from the first."""

import warnings

from ...tensor import Tensor
from ..optimizer import Optimizer


class LRScheduler:
    """Changes the learning rates of an optimiser's groups, once per `step`.

    A schedule is a subclass with a `next_lr`: a group's new rate, made from its present one. Two schedules of one
    optimiser therefore multiply. A subclass may have a `get_lr` instead, as in PyTorch: the rates of all groups. Those
    that can compute an epoch's rate from the first one have a `closed_form`, too: the same number up to rounding.

    Parameters
    ----------
    optimizer : Optimizer
        Each group gets an "initial_lr", the rate that it starts from.
    last_epoch : int
        -1 to begin; otherwise the epoch to continue after, which needs "initial_lr" in the groups.

    Attributes
    ----------
    base_lrs : list of float
        The rates at the beginning.
    last_epoch : int
        How many epochs have been stepped; 0 after construction.

    Raises
    ------
    TypeError
        If `optimizer` is no Optimizer.
    KeyError
        If last_epoch is not -1, and a group has no "initial_lr".

    Source: PyTorch documentation, torch.optim.lr_scheduler.LRScheduler.
    """

    _is_initial = False  # whether the rates of epoch 0 are being set
    _get_lr_called_within_step = False
    closed_form = None

    def __init__(self, optimizer, last_epoch=-1):
        name = type(self).__name__
        self.optimizer = checked_optimizer(name, optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", value_of(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"{name}: got last_epoch={last_epoch}, but param_groups[{i}] has no 'initial_lr'; load the "
                    "optimizer's state first, or begin with last_epoch=-1"
                )
        self.base_lrs = values_of(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        if not hasattr(optimizer, "_opt_called"):
            optimizer._opt_called = False
            optimizer.register_step_pre_hook(_note_step)
        self._initial_step()

    def _initial_step(self):
        """Set the rates of epoch 0."""
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def step(self, epoch=None):
        """Go on to the next epoch, or to `epoch` (deprecated; by the closed form, where there is one)."""
        if self._step_count == 1 and not getattr(self.optimizer, "_opt_called", True):
            warnings.warn(
                f"{type(self).__name__}.step: called before optimizer.step(), so that the first learning rate is never "
                "used; call optimizer.step() first",
                stacklevel=2,
            )
        self._step_count += 1
        if epoch is not None:
            warnings.warn(
                f"{type(self).__name__}.step: the epoch parameter is deprecated; call step() without", stacklevel=2
            )
        self._update_lr(epoch)

    def _update_lr(self, epoch=None):
        """Put the rates of the next epoch, or of `epoch`, into the groups."""
        self._get_lr_called_within_step = True
        try:
            self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
            if epoch is not None and self.closed_form is not None:
                rates = [self.closed_form(base_lr) for base_lr in self.base_lrs]
            else:
                rates = self.get_lr()
        finally:
            self._get_lr_called_within_step = False
        self._set(rates)

    def _set(self, rates):
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            put(group, "lr", lr)
        self._last_lr = values_of(self.optimizer, "lr")

    def get_lr(self):
        """The rates of this epoch, made from the present ones: for `step` only, which calls it once per epoch."""
        if not self._get_lr_called_within_step:
            warnings.warn("get_lr: made for step() only; the present rates are get_last_lr()", stacklevel=2)
        rates = values_of(self.optimizer, "lr")
        return [self.next_lr(lr, base_lr, i) for i, (lr, base_lr) in enumerate(zip(rates, self.base_lrs, strict=True))]

    def next_lr(self, lr, base_lr, i):
        """The rate of group `i` at `last_epoch`, whose rate before was `lr` and at the beginning `base_lr`."""
        raise NotImplementedError(f"{type(self).__name__} has neither a next_lr nor a get_lr")

    def get_last_lr(self):
        """The rates that were set last, one per group."""
        return self._last_lr

    def state_dict(self):
        """All attributes but the optimiser."""
        return {key: value for key, value in vars(self).items() if key != "optimizer"}

    def load_state_dict(self, state_dict):
        """Take over what `state_dict` gave. The optimiser's rates are not set: load its state, too."""
        vars(self).update(state_dict)


def _note_step(optimizer, args, kwargs):
    """The hook by which a schedule learns that the optimiser has been stepped."""
    optimizer._opt_called = True


def checked_optimizer(name, optimizer):
    """`optimizer`, or a TypeError if it is none."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{name}: got {type(optimizer).__name__} as optimizer, which is not an Optimizer")
    return optimizer


def value_of(setting):
    """A setting of a group, copied if it is a tensor: the group's own is written to in place."""
    return setting.clone() if isinstance(setting, Tensor) else setting


def values_of(optimizer, key):
    """One setting of all groups."""
    return [value_of(group[key]) for group in optimizer.param_groups]


def put(group, key, value):
    """Change a setting of a group; a tensor in place, since others may hold it."""
    if isinstance(group[key], Tensor):
        group[key].fill_(float(value))
    else:
        group[key] = value


def one_per_group(name, optimizer, values):
    """`values` as a list with one for each group; a single one is for all.

    Raises
    ------
    ValueError
        If it is a list or tuple of another length.
    """
    n = len(optimizer.param_groups)
    if not isinstance(values, list | tuple):
        return [value_of(values) for _ in range(n)]
    if len(values) != n:
        raise ValueError(f"{name}: got {len(values)} values for {n} parameter groups, wanted one for each")
    return [value_of(value) for value in values]


def state_of_function(fn):
    """What a state dict keeps of a function: the attributes of a callable object, nothing of a plain function."""
    return None if isinstance(fn, type(value_of)) else vars(fn).copy()
