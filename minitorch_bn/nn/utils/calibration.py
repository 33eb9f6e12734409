"""Calibration: the running statistics of a whole data set, instead of an average over batches.

A running variance averages the variances *inside* batches. Where batches differ, by drift, sorted classes or because
they are small, their means differ too, and that part of the variance is in no average of variances. The law of total
variance, for M values in batches of m_b:

    var = sum_b m_b * var_b / M  +  sum_b m_b * (mean_b - mean)**2 / M

The first term is what is averaged; the second is forgotten. Here (m, mean, squares) of the batches are merged one
after the other, where squares is the sum of squared deviations, always in float64:

    delta = mean_b - mean                           M' = M + m_b
    mean' = mean + delta * m_b / M'                 squares' = squares + squares_b + delta**2 * M * m_b / M'

E[x**2] - E[x]**2 would need one pass, too, and loses all digits where the mean is large.

Source: Chan, Golub & LeVeque 1983, equation 2.1; Ioffe & Szegedy 2015, algorithm 2.
"""

import contextlib
import warnings

import numpy as np
from tqdm import tqdm

from ... import backend, world
from ...engine import no_grad
from ...ops.batchnorm import channel_layout, update_running
from ...ops.syncbatchnorm import exchange
from ..batchnorm import BatchNorm
from ..convention import Convention
from ..syncbatchnorm import SyncBatchNorm


@contextlib.contextmanager
def calibrating(model, exact=True):
    """Within, forwards of `model` are measured; at the end every BatchNorm has the statistics of all that it has seen.

    At the end `running_mean` is the mean and `running_var` the unbiased variance of all values of a channel: what train
    mode with momentum 1 would store if all batches had come as one. `num_batches_tracked` is the number of batches. The
    sizes of the batches and their order do not matter. Within, gradients are not recorded, BatchNorms normalise with
    the batch at hand, and all other modules are in eval mode: no dropout, as where the statistics are going to be used.
    Frozen layers, and those without running statistics, are left alone. Afterwards modes are as before.

    **Depth.** What the second BatchNorm sees depends on how the first one normalises: here by batches, later by its new
    statistics. The first layer's statistics are exact after one pass, those behind it only nearly. To have all of them
    exact, let the calibration read the loader, once per layer, each with the statistics of those before it::

        with nn.utils.calibrating(model) as c:
            for x, _ in c.passes(loader):
                model(x)

    Parameters
    ----------
    model : Module
    exact : bool
        Otherwise the plain average over batches of their means and unbiased variances, in train mode: what
        optim.swa_utils.update_bn computes.

    Yields
    ------
    Calibration
        `c.table()` is a text with running, averaged and exact statistics side by side; `c.passes(loader)`, see above.

    Raises
    ------
    ValueError
        If there is no BatchNorm to calibrate, a layer has seen a single value per channel, or `exact` is False and a
        SyncBatchNorm has other ranks.
    RuntimeError
        If no forward was seen in train mode, or gave a BatchNorm no values. After these and all other errors, those of
        the block too, the statistics are as they were before.

    Notes
    -----
    A SyncBatchNorm has the statistics of all ranks' values, any other BatchNorm those of its own rank. Without `passes`
    it talks to the other ranks in every forward, so all need the same number of batches.

    A layer that is called several times in one forward has the statistics of all its calls; `passes` cannot make those
    exact, since its later inputs depend on its own statistics.

    >>> from minitorch_bn import nn, tensor
    >>> bn = nn.BatchNorm1d(1)
    >>> with calibrating(bn):
    ...     for batch in ([[0.0], [2.0]], [[10.0], [12.0]]):
    ...         y = bn(tensor(batch))
    >>> bn.running_mean, bn.running_var  # the mean of the two variances is 2
    (tensor([6.]), tensor([34.6667]))
    """
    c = Calibration(model, exact)
    modes = {m: m.training for m in model.modules() if not getattr(m, "frozen", False)}
    handles = [layer.register_forward_pre_hook(c.look, with_kwargs=True) for layer in c.tallies]
    try:
        for m in modes:
            m.training = m in c.tallies or not exact
        for layer in c.tallies:
            layer.track_running_stats = False  # normalise with the batch and move nothing
        with no_grad():
            yield c
            c.finish()
    except BaseException:
        c.restore()
        raise
    finally:
        c.is_over = True
        for handle in handles:
            handle.remove()
        for layer in c.tallies:
            if c.in_order:
                layer.unfreeze()  # what `passes` froze
            layer.track_running_stats = True
        for m, mode in modes.items():
            m.training = mode


class Tally:
    """What one layer has seen.

    Attributes
    ----------
    m : int
        Values per channel.
    mean, squares : array of shape (C,), float64
        Their mean, and the sum of their squared deviations from it.
    batches : int
    averaged_mean, averaged_var : array of shape (C,), float64
        The plain averages over batches of what train mode stores: means, and unbiased variances.
    before : (mean, var, number of batches)
        Copies of the layer's statistics, as they were.
    """

    def __init__(self, name, layer):
        self.name = name or type(layer).__name__  # the model itself has no name
        self.convention = layer.convention or Convention.PYTORCH
        self.before = tuple(t.clone() for t in (layer.running_mean, layer.running_var, layer.num_batches_tracked))
        self.forget()

    def forget(self):
        """Begin again."""
        self.m = self.batches = self.with_var = 0
        zeros = backend.namespace(self.before[0].array).zeros
        shape = (4, len(self.before[0]))  # one row for each of these
        self.mean, self.squares, self.averaged_mean, self.averaged_var = zeros(shape, np.float64)

    def see(self, x):
        """Take in a batch, an array of shape (N, C, *S)."""
        axes, m, shape = channel_layout(x)
        if x.size == 0:
            return
        x = x.astype(np.float64)
        mean = x.sum(axes) / m
        centred = x - mean.reshape(shape)
        squares = (centred * centred).sum(axes)
        self.merge(m, mean, squares)
        self.batches += 1
        update_running(self.averaged_mean, mean, 1 / self.batches)
        if m > 1:  # a single value has no variance to average
            self.with_var += 1
            self.convention.store(self.averaged_var, squares / m, m, 1 / self.with_var)

    def merge(self, m, mean, squares):
        """Put m values more, with this mean and these squared deviations, to those that are there."""
        if m:  # the first ones are merged with m, mean and squares 0
            total, delta = self.m + m, mean - self.mean
            self.mean = self.mean + delta * (m / total)
            self.squares = self.squares + squares + delta * delta * (self.m * m / total)
            self.m = total

    def gather(self, group):
        """Merge what all ranks have seen."""
        ranks = exchange(group, self.m, self.mean, self.squares)
        self.m, self.mean, self.squares = 0, 0.0, 0.0
        for m, mean, squares in ranks:
            self.merge(m, mean, squares)

    @property
    def exact_var(self):
        """The variance of all values, as train mode stores it: unbiased."""
        var = 0 * self.squares
        self.convention.store(var, self.squares / self.m, self.m, 1.0)
        return var


class Calibration:
    """What `calibrating` gives: it watches the BatchNorms of a model.

    Attributes
    ----------
    exact : bool
    tallies : dict
        {BatchNorm: its Tally}
    """

    def __init__(self, model, exact=True):
        self.exact = exact
        self.tallies = {
            layer: Tally(name, layer)
            for name, layer in model.named_modules()
            if isinstance(layer, BatchNorm) and can_be_calibrated(layer)
        }
        if not self.tallies:
            raise ValueError(
                "calibrating: the model has no BatchNorm with running statistics that is not frozen; there is nothing "
                "to calibrate"
            )
        self.is_over = False
        self.in_order = False  # whether layers are done one after the other, by passes()
        self.order, self.done = [], set()
        if not exact and any(has_other_ranks(layer) for layer in self.tallies):
            raise ValueError(
                "calibrating: exact=False knows no SyncBatchNorm of several ranks; use swa_utils.update_bn"
            )

    def look(self, layer, args, kwargs):
        """The forward pre-hook of every layer: measure what comes in."""
        x = args[0] if args else kwargs["input"]
        if self.in_order:
            if layer not in self.order:
                self.order.append(layer)
            if layer is self.next_layer():
                self.tallies[layer].see(x.array)
        elif layer.training:
            self.tallies[layer].see(x.array)

    def next_layer(self):
        """The first layer, in the order in which they are called, that is not done; None if there is none."""
        return next((layer for layer in self.order if layer not in self.done), None)

    def passes(self, loader):
        """The batches of `loader`, once per BatchNorm, in the order in which the layers are called.

        In every pass one layer is measured, and all layers before it normalise with their new statistics. So the result
        does not depend on how samples are put into batches, and a batch may be a single sample.

        Parameters
        ----------
        loader : iterable that can be read again
            It must give the same samples each time, in any order.

        Raises
        ------
        RuntimeError
            If the loader gave nothing the first time, or a later time, as an iterator does; or if the block is over.
        """
        if self.is_over:
            raise RuntimeError("calibrating: passes(loader) was called after the end of its block; use it inside")
        self.in_order = True
        self.order, self.done = [], set()
        for layer, tally in self.tallies.items():
            tally.forget()
            layer.freeze()  # a pass moves nothing, and train() changes nothing
        while not self.done or self.next_layer() is not None:
            read = 0
            for batch in tqdm(loader, desc=f"pass {len(self.done) + 1}", unit="batch", disable=None, leave=False):
                read += 1
                yield batch
            layer = self.next_layer()
            if not read or layer is None or not self.tallies[layer].batches:
                raise RuntimeError(
                    f"calibrating: pass {len(self.done) + 1} of passes(loader) brought {read} batches and no values "
                    "for a BatchNorm; wanted a loader that can be read once per layer (a DataLoader or a list, not an "
                    "iterator), and a call of the model for every batch"
                )
            self.store(layer)
            self.done.add(layer)

    def finish(self):
        """Give every layer its statistics."""
        if self.next_layer() is not None:
            raise RuntimeError("calibrating: passes(loader) was left before its end; wanted every pass to be complete")
        called = [layer for layer, tally in self.tallies.items() if tally.m or has_other_ranks(layer)]
        if not called:
            raise RuntimeError(
                "calibrating: no BatchNorm has seen a batch; wanted calls of the model, in train mode, inside the "
                "block. Does the loop call eval(), or read a loader that is at its end?"
            )
        for layer in called:
            if layer not in self.done:
                self.store(layer)
        if left_out := [repr(tally.name) for layer, tally in self.tallies.items() if layer not in called]:
            warnings.warn(f"calibrating: saw no batch, and stay as they were: {', '.join(left_out)}", stacklevel=4)

    def store(self, layer):
        """Put what was measured into the running statistics of one layer."""
        tally = self.tallies[layer]
        if has_other_ranks(layer):
            tally.gather(world.current())
        if tally.m < 2 or not (self.exact or tally.with_var):
            raise ValueError(
                f"calibrating: Expected more than 1 value per channel, layer {tally.name!r} has seen {tally.m:g}"
            )
        mean, var = (tally.mean, tally.exact_var) if self.exact else (tally.averaged_mean, tally.averaged_var)
        layer.running_mean.copy_(layer.running_mean.like(mean))
        layer.running_var.copy_(layer.running_var.like(var))
        layer.num_batches_tracked.fill_(tally.batches)

    def restore(self):
        """Give every layer the statistics that it had."""
        with no_grad():
            for layer, tally in self.tallies.items():
                buffers = layer.running_mean, layer.running_var, layer.num_batches_tracked
                for t, old in zip(buffers, tally.before, strict=True):
                    t.copy_(old)

    def table(self, channels=1):
        """A text: the statistics as they were (running), averaged over batches, and exact, side by side.

        Parameters
        ----------
        channels : int or None
            How many channels of every layer: those whose averaged variance is furthest from the exact one, as a ratio.
            None: all, in order.
        """
        width = max(5, *(len(tally.name) for tally in self.tallies.values()))
        columns = "   running  averaged     exact"
        lines = [
            f"{'':{width}}  {'':7}  {'mean':>30}  {'variance':>30}",
            f"{'layer':{width}}  channel{2 * ('  ' + columns)}",
        ]
        for tally in self.tallies.values():
            if tally.m < 2:
                continue
            before_mean, before_var, _ = (t.array for t in tally.before)
            averaged_var = tally.averaged_var if tally.with_var else tally.averaged_var + np.nan
            found = before_mean, tally.averaged_mean, tally.mean, before_var, averaged_var, tally.exact_var
            arrays = [backend.to_numpy(array) for array in found]
            with np.errstate(divide="ignore", invalid="ignore"):
                distance = np.abs(np.log(arrays[4] / arrays[5]))
            worst = np.argsort(-distance, kind="stable")[:channels] if channels is not None else range(len(distance))
            for c in worst:
                numbers = [f"{array[c]:10.4g}" for array in arrays]
                lines.append(f"{tally.name:{width}}  {c:7}  {''.join(numbers[:3])}  {''.join(numbers[3:])}")
        return "\n".join(lines)

    __repr__ = table


def can_be_calibrated(layer):
    """Whether a BatchNorm has running statistics that train mode moves."""
    return layer.track_running_stats and layer.running_mean is not None and not layer.frozen


def has_other_ranks(layer):
    """Whether a layer's statistics are those of several processes."""
    return isinstance(layer, SyncBatchNorm) and world.current().size > 1
