"""Averages over training: BatchNorm's statistics over a whole data set, and models averaged over steps.

`update_bn` forgets BatchNorm's running statistics and averages anew over all batches of a loader, each with the same
weight. It is needed where weights change without training, as in a model that is the average of others: its running
statistics were those of other weights. `AveragedModel` is such an average; `SWALR` is the schedule that goes with it.
"""

import copy
import itertools
import math

from .. import creation
from ..engine import no_grad
from ..nn import Module
from ..nn.batchnorm import BatchNorm
from ..nn.parameter import Buffer
from .lr_scheduler.base import LRScheduler, one_per_group


@no_grad()
def update_bn(loader, model, device=None):
    """Average the running statistics of all BatchNorms of `model` that are not frozen anew, over `loader`'s batches.

    Every batch counts alike, however large: the running mean is the mean of the batches' means, the running variance
    that of their unbiased variances (the variance *between* batches is not in it). Parameters do not change. Modes and
    momenta are afterwards as before, also after an error.

    Parameters
    ----------
    loader : iterable of Tensor, or of lists or tuples whose first element is the input
    model : Module
        Called on every input, in train mode, without gradients. Models without BatchNorm are not called.
    device : device or str, optional
        Where inputs are moved to first.

    Source: Izmailov et al. 2018, section 3.2; PyTorch documentation of torch.optim.swa_utils.update_bn.
    """
    layers = [module for module in model.modules() if isinstance(module, BatchNorm) and not module.frozen]
    if not layers:
        return
    momenta, was_training = [layer.momentum for layer in layers], model.training
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # all batches alike
    try:
        model.train()
        for batch in loader:
            input = batch[0] if isinstance(batch, list | tuple) else batch
            model(input if device is None else input.to(device))
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        model.train(was_training)


def get_ema_avg_fn(decay=0.999):
    """An `avg_fn` for the exponential moving average: decay * average + (1 - decay) * new.

    Raises
    ------
    ValueError
        If decay is not between 0 and 1.
    """
    _check_decay("get_ema_avg_fn", decay)

    def ema(average, new, count):
        return decay * average + (1 - decay) * new

    return no_grad()(ema)


def get_swa_avg_fn():
    """An `avg_fn` for the plain mean of all models: average + (new - average) / (count + 1)."""

    def mean(average, new, count):
        return average + (new - average) / (count + 1)

    return no_grad()(mean)


def get_ema_multi_avg_fn(decay=0.999):
    """A `multi_avg_fn` for the exponential moving average, which changes all averages in place.

    Buffers of integers (how many batches a BatchNorm has seen) keep the whole part of their average.

    Raises
    ------
    ValueError
        If decay is not between 0 and 1.
    """
    _check_decay("get_ema_multi_avg_fn", decay)
    return _for_all(get_ema_avg_fn(decay))


def get_swa_multi_avg_fn():
    """A `multi_avg_fn` for the plain mean of all models, which changes all averages in place.

    As in PyTorch the new model's share, 1 / (count + 1), is a float32 where `count` is a tensor, also among float64.
    """
    return _for_all(lambda average, new, count: average + (new - average) * (1 / (count + 1)))


def _for_all(avg_fn):
    """The `multi_avg_fn` that takes an `avg_fn` to every parameter."""

    def update(averages, new, count):
        for average, p in zip(averages, new, strict=True):
            average.copy_(avg_fn(average, p, count))

    return no_grad()(update)


def _check_decay(name, decay):
    """Raise ValueError unless `decay` is between 0 and 1."""
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"{name}: decay must be between 0 and 1, got {decay}")


class AveragedModel(Module):
    """A copy of a model whose parameters are averages over what the model's have been.

    Parameters
    ----------
    model : Module
        Copied, not kept.
    device : device or str, optional
        Where the average lives.
    avg_fn : callable, optional
        avg_fn(average, new, how many have been averaged) -> new average, for every parameter; default: the plain mean.
    multi_avg_fn : callable, optional
        The same for the lists of all averages and all new parameters at once; changes the averages in place.
    use_buffers : bool
        Whether buffers are averaged, too. Otherwise they are copied, and BatchNorm's statistics are those of the last
        model rather than of the average: call `update_bn`.

    Attributes
    ----------
    module : Module
        The average.
    n_averaged : Buffer of shape ()
        How many models are in it.

    Raises
    ------
    AssertionError
        If both avg_fn and multi_avg_fn are given.

    Source: Izmailov et al. 2018, algorithm 1; PyTorch documentation of torch.optim.swa_utils.AveragedModel.
    """

    def __init__(self, model, device=None, avg_fn=None, multi_avg_fn=None, use_buffers=False):
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("AveragedModel: got both avg_fn and multi_avg_fn, wanted one at most")
        self.module = copy.deepcopy(model) if device is None else copy.deepcopy(model).to(device)
        self.n_averaged = Buffer(creation.tensor(0, device=device))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args, **kwargs):
        return self.module(*args, **kwargs)

    @no_grad()
    def update_parameters(self, model):
        """Take the present parameters of `model` into the average; the first ones are copied."""
        pairs = list(zip(self.module.parameters(), model.parameters(), strict=True))
        buffers = list(zip(self.module.buffers(), model.buffers(), strict=True))
        pairs, copied = (pairs + buffers, []) if self.use_buffers else (pairs, buffers)
        averages = [average.detach() for average, _ in pairs]
        new = [p.detach().to(average.device) for average, p in pairs]
        if self.n_averaged.item() == 0:
            copied = itertools.chain(pairs, copied)
        elif self.multi_avg_fn is not None:
            self.multi_avg_fn(averages, new, self.n_averaged)
        else:
            avg_fn = self.avg_fn or get_swa_avg_fn()
            for average, p in zip(averages, new, strict=True):
                average.copy_(avg_fn(average, p, self.n_averaged))
        for average, p in copied:
            average.detach().copy_(p.detach())
        self.n_averaged.add_(1)


class SWALR(LRScheduler):
    """Moves every group's learning rate to a fixed one, `swa_lr`, within some epochs, and leaves it there.

        lr = (1 - a) * first + a * swa_lr

    where a goes from 0 to 1: a = t, or a = (1 - cos(pi t)) / 2, with t = epoch / anneal_epochs. `first` is the rate
    from which the present one would have come on this way, so other schedules may change it meanwhile.

    Parameters
    ----------
    optimizer : Optimizer
    swa_lr : float, or list or tuple with one for each group
    anneal_epochs : int
        0 jumps at once.
    anneal_strategy : str
        "cos" or "linear".
    last_epoch : int
        -1 to begin.

    Raises
    ------
    ValueError
        If the strategy is another, anneal_epochs no int from 0 up, or there are not as many rates as groups.

    Source: PyTorch documentation, torch.optim.swa_utils.SWALR.
    """

    def __init__(self, optimizer, swa_lr, anneal_epochs=10, anneal_strategy="cos", last_epoch=-1):
        rates = one_per_group("SWALR", optimizer, swa_lr)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"SWALR: anneal_strategy must be 'cos' or 'linear', got {anneal_strategy!r}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"SWALR: anneal_epochs must be an int from 0 up, got {anneal_epochs!r}")
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["swa_lr"] = rate
        self._anneal_strategy, self.anneal_epochs = anneal_strategy, anneal_epochs
        super().__init__(optimizer, last_epoch)

    def anneal(self, epoch):
        """How far on the way from 0 to 1 this epoch is."""
        t = max(0, min(1, epoch / max(1, self.anneal_epochs)))
        return t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2

    def next_lr(self, lr, base_lr, i):
        epoch = self._step_count - 1
        if self.anneal_epochs == 0:
            epoch = max(1, epoch)
        swa_lr = self.optimizer.param_groups[i]["swa_lr"]
        before, now = self.anneal(epoch - 1), self.anneal(epoch)
        first = swa_lr if before == 1 else (lr - before * swa_lr) / (1 - before)
        return swa_lr * now + first * (1 - now)
