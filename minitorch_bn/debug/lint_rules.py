"""Rules of the BatchNorm doctor that need no batch: they read settings, modes, buffers, the optimiser, the loader.

A rule is a function of a `Case`, and yields findings.
"""

import math
from dataclasses import dataclass

import numpy as np

from .. import world
from ..backend import to_numpy
from ..nn import Module, SyncBatchNorm
from ..nn.batchnorm import BatchNorm
from ..utils.data import DataLoader
from .lint_report import Finding

REMAINDER = 0.01  # running statistics are warm when this much of their start is left
LARGE_MOMENTUM = 0.9
LARGE_EPS = 1e-3  # Keras's default; what is above is unusual
DEAD_GAMMA = 1e-3


@dataclass
class Case:
    """What there is to judge.

    Attributes
    ----------
    model : Module
    loader, optimizer : object or None
    validation : bool
        Whether the loader is one for validation.
    recording : bool
        Whether gradients were enabled where lint was called.
    evidence : Evidence or None
        What running the model has shown; None without a loader.
    moved : dict or None
        {name of a BatchNorm: how far its running mean moved} in the user's evaluation; None without one.
    """

    model: Module
    loader: object = None
    optimizer: object = None
    validation: bool = False
    recording: bool = True
    evidence: object = None
    moved: dict | None = None

    @property
    def layers(self):
        """(name, module) of all BatchNorms."""
        return [(name, m) for name, m in self.model.named_modules() if isinstance(m, BatchNorm)]


def weight_of_new(m):
    """The weight of the newest batch in the running statistics of a BatchNorm; None: all batches alike."""
    if m.momentum is None or m.convention is None:
        return m.momentum
    return m.convention.weight_of_new(m.momentum)


def batches_needed(weight):
    """How many batches leave 1 % of the start in the running statistics.

    >>> [batches_needed(weight) for weight in (0.1, 0.01, 0.001)]
    [44, 459, 4603]
    """
    return math.ceil(math.log(REMAINDER) / math.log1p(-weight))


def tracks(m):
    """Whether train mode would move the running statistics."""
    return m.track_running_stats and m.running_mean is not None and weight_of_new(m) != 0


def channels(indices, kind="channel"):
    """Numbers of channels, or of units, in words.

    >>> channels([3]), channels(range(9))
    ('channel 3', '9 channels (0, 1, 2, 3, 4, ...)')
    """
    indices = [int(i) for i in indices]
    if len(indices) == 1:
        return f"{kind} {indices[0]}"
    shown = ", ".join(str(i) for i in indices[:5])
    return f"{len(indices)} {kind}s ({shown}{', ...' if len(indices) > 5 else ''})"


def is_cold(m):
    """Whether the running statistics are those of a new layer."""
    if m.running_mean is None or m.num_batches_tracked is None or m.num_batches_tracked.item():
        return False
    start = 1 if m.convention is None else m.convention.running_var_start
    return bool((m.running_mean.array == 0).all() and (m.running_var.array == start).all())


def cold_statistics(case):
    """No batch has been seen, and eval mode is near."""
    for name, m in case.layers:
        if is_cold(m) and (not m.training or case.loader is not None):
            mode = "train" if m.training else "eval"
            what = f"num_batches_tracked is 0 and the running statistics are as they began; the layer is in {mode} mode"
            yield Finding("cold-statistics", name, "note" if m.training else "serious", what + and_frozen(m))


def unwarmed_statistics(case):
    """Fewer batches than it takes to forget the start."""
    for name, m in case.layers:
        weight = weight_of_new(m)
        if m.running_mean is None or m.num_batches_tracked is None or weight is None or not 0 < weight < 1:
            continue
        n, needed = m.num_batches_tracked.item(), batches_needed(weight)
        if 0 < n < needed and holds_start(m, (1 - weight) ** n) and not agrees(case, m):
            what = (
                f"{n} batches at momentum {m.momentum:g}: {(1 - weight) ** n:.0%} of the start (mean 0, variance 1) is "
                f"still in the running statistics; 1 % takes {needed} batches"
            )
            yield Finding("unwarmed-statistics", name, "note" if m.training else "warning", what + and_frozen(m))


def and_frozen(m):
    """The end of a sentence about running statistics that should move."""
    return "; they are frozen, and move only after unfreeze()." if m.frozen else "."


def holds_start(m, rest):
    """Whether the running variances can be averages that hold `rest` of their start: update_bn leaves none of it."""
    start = 1 if m.convention is None else m.convention.running_var_start
    return bool((m.running_var.array >= rest * start * 0.999).all())


def agrees(case, m):
    """Whether the running statistics were seen to be those of the data, however few batches they come from."""
    layers = [] if case.evidence is None else case.evidence.layers
    return any(layer.module is m and layer.agrees(0.1) for layer in layers)


def untracked_statistics(case):
    """Running statistics that are used and never moved."""
    for name, m in case.layers:
        if m.running_mean is not None and not tracks(m) and not m.frozen:
            cause = "momentum is 0" if m.track_running_stats else "track_running_stats is False"
            yield Finding("untracked-statistics", name, "warning", f"{cause}, but there are running statistics.")


def no_running_statistics(case):
    """Eval mode that uses the batch."""
    for name, m in case.layers:
        if m.running_mean is None or m.running_var is None:
            mode = "train" if m.training else "eval"
            what = f"track_running_stats is {m.track_running_stats}, there are no running statistics; {mode} mode"
            yield Finding("no-running-statistics", name, "note" if m.training else "serious", what + ".")


def broken_statistics(case):
    """nan, infinity or a negative variance in buffers."""
    for name, m in case.layers:
        for buffer in ("running_mean", "running_var"):
            t = getattr(m, buffer)
            if t is None:
                continue
            values = to_numpy(t.array)
            bad = ~np.isfinite(values) | ((values < 0) if buffer == "running_var" else False)
            if bad.any():
                what = f"{buffer} of {channels(np.flatnonzero(bad))} is {values[bad][0]:g}"
                yield Finding("broken-statistics", name, "serious", what + ".")


def reversed_momentum(case):
    """A momentum that is probably the weight of the old average."""
    for name, m in case.layers:
        weight = weight_of_new(m)
        if weight is not None and weight >= LARGE_MOMENTUM:
            what = (
                f"momentum={m.momentum:g}: the newest batch has the weight {weight:g}, all batches before it together "
                f"{1 - weight:g}"
            )
            yield Finding("reversed-momentum", name, "serious" if 0 < weight < 1 else "warning", what + ".")


def mixed_modes(case):
    """A BatchNorm in another mode than its model."""
    for name, m in case.layers:
        if m.frozen:
            continue
        fixed = not any(p.requires_grad for p in m.parameters())
        if m.training and not case.model.training:
            what = "The layer is in train mode, the model in eval mode: every call of the model moves its statistics."
            yield Finding("mixed-modes", name, "serious", what)
        elif case.model.training and not m.training and not (fixed and m.affine):
            what = "The layer is in eval mode, the model in train mode, and its gamma and beta are being trained."
            yield Finding("mixed-modes", name, "warning", what if m.affine else what.split(", and")[0] + ".")


def frozen_but_tracking(case):
    """requires_grad=False taken for eval mode."""
    before = None  # the last parameter before the layer, in order of definition
    for name, m in case.model.named_modules():
        own = [p for _, p in m.named_parameters(recurse=False)]
        if isinstance(m, BatchNorm) and m.training and tracks(m):
            if own and not any(p.requires_grad for p in own):
                rest = "" if before is None else f"; the layer before it is {'not ' * before.requires_grad}frozen, too"
                what = f"gamma and beta have requires_grad=False, but the layer is in train mode{rest}."
                yield Finding("frozen-but-tracking", name, "warning", what)
            elif not own and before is not None and not any(p.requires_grad for p in case.model.parameters()):
                what = "No parameter of the model requires grad, but the layer is in train mode."
                yield Finding("frozen-but-tracking", name, "warning", what)
        before = own[-1] if own else before


def large_eps(case):
    """An eps that is not small beside the variance."""
    measured = {} if case.evidence is None else {layer.module: layer for layer in case.evidence.layers}
    for name, m in case.layers:
        if m.eps <= LARGE_EPS:
            continue
        if m in measured and measured[m].variances:
            var = float(np.median(measured[m].variance))
            if m.eps > 0.01 * var:
                kept = var / (var + m.eps)
                what = (
                    f"eps={m.eps:g}, the median variance of a channel is {var:.3g}: the output's is {kept:.3g}, not 1."
                )
                yield Finding("large-eps", name, "warning", what)
        elif m.eps >= 10 * LARGE_EPS:
            yield Finding("large-eps", name, "warning", f"eps={m.eps:g}; the usual value is 1e-5.")


def dead_gamma(case):
    """Channels that are switched off."""
    for name, m in case.layers:
        if m.weight is None:
            continue
        gamma = np.abs(to_numpy(m.weight.array))
        dead = gamma < DEAD_GAMMA
        fresh = m.num_batches_tracked is not None and not m.num_batches_tracked.item()
        if dead.any() and not (dead.all() and fresh):  # all 0 at the start: a residual block that begins as identity
            what = f"|gamma| of {channels(np.flatnonzero(dead))} of {len(gamma)} is at most {gamma[dead].max():.2g}"
            yield Finding("dead-gamma", name, "warning", f"{what}; the median of all is {np.median(gamma):.2g}.")


def weight_decay(case):
    """An optimiser that shrinks gamma and beta."""
    if case.optimizer is None:
        return
    for name, m in case.layers:
        own = {p: which for which, p in (("gamma", m.weight), ("beta", m.bias)) if p is not None}
        for group in case.optimizer.param_groups:
            found = [own[p] for p in group["params"] if p in own]
            if found and group.get("weight_decay", 0) > 0:
                what = f"weight_decay={group['weight_decay']:g} on {' and '.join(found)}"
                lr = group.get("lr")
                what += f" (lr {lr:g})." if isinstance(lr, int | float) else "."
                yield Finding("weight-decay", name, "warning", what)


def lonely_syncbatchnorm(case):
    """SyncBatchNorm where there is nobody to synchronise with."""
    for name, m in case.layers:
        if isinstance(m, SyncBatchNorm) and world.current().size == 1:
            yield Finding("lonely-syncbatchnorm", name, "note", "There is no process group of more than one rank.")


def moving_statistics(case):
    """Train mode where validation happens."""
    moving = [(name, m) for name, m in case.layers if m.training and tracks(m)]
    for name, _ in moving:
        if case.validation or not case.recording:
            where = "The loader is one for validation" if case.validation else "Gradients are disabled (no_grad)"
            what = f"{where}, and the layer is in train mode and would move its running statistics."
            yield Finding("moving-statistics", name, "serious", what)
    for name, distance in (case.moved or {}).items():
        what = f"The evaluation moved the running mean by up to {distance:.2g}, or its count, and was to move nothing."
        yield Finding("moving-statistics", name, "serious", what)


def last_batch_of_one(case):
    """A data set that leaves one sample over."""
    what = one_left_over(case.loader) if case.layers else ""
    if not what and case.evidence is not None and 0 < case.evidence.lonely < case.evidence.seen:
        what = f"{case.evidence.lonely} of the first {case.evidence.seen} batches had one value per channel."
    if what:
        alone = case.evidence is None or any(layer.one_per_sample for layer in case.evidence.layers)
        severity = "note" if not alone else "serious" if case.model.training else "warning"
        yield Finding("last-batch-of-one", "", severity, what)


def one_left_over(loader):
    """What to say of a loader whose last batch is a single sample, read off its lengths; "" if it is not."""
    if isinstance(loader, list) and len(loader) > 1:
        first, last = (len(rows_of(batch)) for batch in (loader[0], loader[-1]))
        return f"The last of {len(loader)} batches has 1 sample, the first {first}." if first > last == 1 else ""
    if not isinstance(loader, DataLoader):
        return ""
    sampler = loader.batch_sampler
    size, samples = getattr(sampler, "batch_size", None), getattr(sampler, "sampler", None)
    if not isinstance(size, int) or size < 2 or getattr(sampler, "drop_last", True) or not hasattr(samples, "__len__"):
        return ""  # no batches, or a stream or a sampler of the user's, which does not say how long it is
    count = len(samples)
    if count % size != 1:
        return ""
    return f"{count} samples in batches of {size} leave a last batch of 1, and drop_last is False."


def rows_of(batch):
    """The first tensor in a batch."""
    while isinstance(batch, list | tuple):
        batch = batch[0]
    return batch


RULES = (
    broken_statistics, cold_statistics, unwarmed_statistics, untracked_statistics, no_running_statistics,
    moving_statistics, mixed_modes, frozen_but_tracking, reversed_momentum, large_eps, dead_gamma, weight_decay,
    last_batch_of_one, lonely_syncbatchnorm,
)  # fmt: skip
