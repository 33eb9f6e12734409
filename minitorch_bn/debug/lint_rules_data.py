"""Rules of the BatchNorm doctor that judge what running the model has shown (lint_record.py).

A rule is a function of a `Case` whose evidence is there, and yields findings.
"""

import numpy as np

from ..ops.arithmetic import Add, Sub
from ..ops.batchnorm import channel_layout
from ..ops.cast import Cast, Clone
from ..ops.conv import Conv2d
from ..ops.dropout import Dropout
from ..ops.embedding import Embedding
from ..ops.linear import Linear
from ..ops.shape import Permute, Reshape
from ..ops.softmax import LogSoftmax, Softmax
from .lint_report import Finding
from .lint_rules import channels, is_cold

SMALL_BATCH = 8  # values per channel
STALE = 0.5  # distance of a running mean in standard deviations, and of a variance as |ln(ratio)|, typical channel
GAP = 0.5  # difference between train and eval, in standard deviations of the outputs
LOSS_GAP, LOSS_FLOOR = 0.25, 0.1  # the same for the loss: relative to it, and beside that; nats, for cross-entropy
MOSTLY = 0.5  # a tanh unit is saturated if more than this share of its values is
FEW = 64  # values, below which nothing is said of a unit
RESHAPES = (Reshape, Permute, Cast, Clone)


# ---- the neighbourhood of a BatchNorm ------------------------------------------------------------------------------


def behind(op, through):
    """Go from `op` towards the inputs while it is one of the classes `through`; the first other op, or None."""
    while op is not None and isinstance(op, through):
        op = op.inputs[0].op
    return op


def bias_of(structure, op):
    """The parameter that `op` adds to what it makes, or None."""
    candidates = op.inputs[2:] if isinstance(op, Linear | Conv2d) else op.inputs if isinstance(op, Add | Sub) else ()
    return next((p for p in candidates if structure.gradients.get(p) is not None), None)


def dead_bias(case):
    """A bias whose gradient is 0, because BatchNorm takes it away."""
    structure = case.evidence.structure
    names = {p: name for name, p in case.model.named_parameters()}
    told = set()
    for layer_name, m in case.layers:
        if m not in structure.by_batch or m not in structure.entries:
            continue
        bias, scale = bias_of(structure, behind(structure.entries[m][0], RESHAPES)), arriving(structure, m)
        if bias is None or bias in told or not scale:
            continue
        gradient = structure.gradients[bias]
        largest = float(np.abs(gradient).max())
        ratio = largest / scale
        if ratio < max(1e-4, 10 * np.finfo(gradient.dtype).eps):
            told.add(bias)
            what = (
                f"{names[bias]} ({bias.array.size} numbers) feeds {layer_name or 'the model'}: for random gradients "
                f"behind it the bias gets {largest:.1e} at most, {ratio:.0e} of what arrives there"
            )
            owner = names[bias].rpartition(".")[0]
            yield Finding("dead-bias", owner, "note", f"{what}.")


def arriving(structure, m):
    """The size of what a bias before BatchNorm would be the sum of: the largest channel's sum of |dy| gamma / std."""
    y = structure.made.get(structure.exits[m][0])
    dy = None if y is None else y.dy
    if dy is None:
        return 0.0
    x = structure.entries[m][1].astype(np.float64)
    axes = channel_layout(x)[0]
    gamma = 1.0 if m.weight is None else np.abs(m.weight.array)
    return float((np.abs(dy).sum(axes) * gamma / np.sqrt(x.var(axes) + m.eps)).max())


def dropout_before_bn(case):
    """Dropout right before BatchNorm."""
    structure = case.evidence.structure
    for name, m in case.layers:
        if m not in structure.by_batch or m not in structure.entries:
            continue
        op = behind(structure.entries[m][0], RESHAPES)
        if not isinstance(op, Dropout) or (op.mask != 0).all():
            continue
        kept, dropped = op.inputs[0].array, structure.made[op].array
        ratio = float(dropped.var() / kept.var()) if kept.var() else 1.0
        what = f"Dropout with p={1 - 1 / float(op.mask.max()):.2g} feeds the layer; on one batch it makes the variance"
        yield Finding("dropout-before-bn", name, "warning", f"{what} {ratio:.2f} times what eval mode sees.")


def bn_on_output(case):
    """BatchNorm as the last layer."""
    structure = case.evidence.structure
    last = {behind(t.op, (*RESHAPES, Softmax, LogSoftmax)) for t in structure.outputs}
    for name, m in case.layers:
        if name and m in structure.exits and structure.exits[m][0] in last - {None}:
            what = f"What the model returns is the result of this layer, with {m.num_features} channels."
            yield Finding("bn-on-output", name, "warning", what)


def channel_layout_suspicion(case):
    """Features in the last dimension, BatchNorm on dimension 1."""
    structure = case.evidence.structure
    for name, m in case.layers:
        op, x = structure.entries.get(m, (None, None))
        if x is None or x.ndim < 3:
            continue
        while op is not None and not isinstance(op, (Linear, Embedding, Reshape, Permute, Conv2d)):
            before = next((t for t in op.inputs if t is not None and t.array.shape == x.shape), None)
            op = None if before is None else before.op
        if isinstance(op, Linear | Embedding):
            what = (
                f"The input has the shape {tuple(x.shape)} and comes from {type(op).__name__}, whose features lie "
                f"along the last dimension ({x.shape[-1]}); the layer normalises dimension 1 ({x.shape[1]})"
            )
            yield Finding("channel-layout", name, "warning", what + ".")


# ---- statistics ------------------------------------------------------------------------------------------------------


def small_batch(case):
    """Too few values to estimate a variance from."""
    if case.evidence.lonely == case.evidence.seen and case.layers:
        what = f"All {case.evidence.seen} batches that were looked at have one value per channel."
        yield Finding("small-batch", "", "serious", what)
    for layer in case.evidence.layers:
        if layer.counts and np.median(layer.counts) < SMALL_BATCH and layer.module in by_batch(case):
            m = int(np.median(layer.counts))
            what = (
                f"m = {m} values per channel: typically a batch's mean is off by {1 / np.sqrt(m):.0%} of a standard "
                f"deviation, its variance by {np.sqrt(2 / max(1, m - 1)):.0%}"
            )
            yield Finding("small-batch", layer.name, "warning", what + ".")


def by_batch(case):
    """The BatchNorms that normalise with the batch in training."""
    return set() if case.evidence.structure is None else case.evidence.structure.by_batch


def variance_below_eps(case):
    """Channels that hardly vary."""
    for layer in case.evidence.layers:
        if not layer.variances:
            continue
        var, eps = layer.variance, layer.module.eps
        low = var < eps
        if low.any():
            what = (
                f"The variance of {channels(np.flatnonzero(low))} of {len(var)} is at most {var[low].max():.2g} in a "
            )
            what += f"batch, eps is {eps:g}; the median channel has {np.median(var):.2g}."
            yield Finding("variance-below-eps", layer.name, "warning", what)


def stale_statistics(case):
    """Running statistics that are not those of this data."""
    for layer in case.evidence.layers:
        distance = layer.distance()
        if distance is not None and not is_cold(layer.module) and not layer.agrees(STALE):
            shift, ratio = (np.median(part) for part in distance)
            what = (
                f"On {len(layer.counts)} batches the typical channel's running mean is {shift:.2f} standard deviations "
                f"away from the data's, its running variance is {ratio:.3g} times the data's"
            )
            severity = "warning" if layer.module.training else "serious"
            yield Finding("stale-statistics", layer.name, severity, what + ".")


def difference(ours, theirs):
    """(root mean square difference, standard deviation of theirs) over batches that both have; None without any."""
    pairs = [(a, b) for a, b in zip(ours, theirs, strict=True) if a is not None and b is not None and a.size == b.size]
    if not pairs or not sum(a.size for a, _ in pairs):
        return None
    a, b = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return None
    return float(np.sqrt(((a - b) ** 2).mean())), float(b.std())


def train_eval_gap(case):
    """Outputs, or the loss, that depend on the mode."""
    evidence, layers = case.evidence, case.layers
    outputs, losses = evidence.outputs, evidence.losses
    if not layers or (case.model.training and any(is_cold(m) for _, m in layers)):  # training will warm them
        return
    way = "recalibrated" if evidence.dropout else "train"  # dropout would be a difference of its own
    found, after = (difference(outputs[ours], outputs[way]) for ours in ("eval", "recalibrated"))
    if found is None or not found[1]:
        return
    gap = found[0] / found[1]
    repaired = gap if after is None else after[0] / found[1]
    said = "train and eval mode" if way == "train" else "eval mode before and after recalibrating"
    what = [f"Outputs in {said} differ by {gap:.2f} of their standard deviation"]
    large = gap > GAP
    if losses["eval"] and losses[way]:
        ours, theirs = np.mean(losses["eval"]), np.mean(losses[way])
        what.append(
            f"the loss is {ours:.4g} in eval mode, {theirs:.4g} in {'train mode' if way == 'train' else 'the other'}"
        )
        large = large or ours - theirs > LOSS_GAP * abs(theirs) + LOSS_FLOOR
    if large:
        what.append(f"with recalibrated statistics the difference is {repaired:.2f}")
        yield Finding("train-eval-gap", "", "serious" if repaired < gap / 2 else "warning", "; ".join(what) + ".")


# ---- activations -----------------------------------------------------------------------------------------------------


def place_of(activation):
    """Where a function was called, in words."""
    return f"{activation.kind}{'' if activation.line is None else f' at {activation.line}'}"


def saturated_tanh(case):
    """tanh units that are nearly always at the ends."""
    for a in case.evidence.activations:
        if a.kind != "tanh" or a.values < FEW:
            continue
        share = a.saturated / a.values
        units, always = np.flatnonzero(share > MOSTLY), int((share == 1).sum())
        if len(units):
            what = (
                f"{len(units)} of {len(share)} units of {place_of(a)} have more than {MOSTLY:.0%} of their values "
                f"beyond +-0.97, {always} of them all {a.values}; over all units it is {share.mean():.0%}"
            )
            yield Finding(
                "saturated-tanh", a.module, "serious" if len(units) > len(share) / 2 else "warning", what + "."
            )


def dead_relu(case):
    """ReLU units that are always 0."""
    for a in case.evidence.activations:
        if a.kind != "relu" or a.values < FEW:
            continue
        dead = np.flatnonzero(a.active == 0)
        if len(dead):
            what = f"{len(dead)} of {len(a.active)} units of {place_of(a)} are 0 for all {a.values} values"
            what += f": {channels(dead, 'unit')}."
            yield Finding("dead-relu", a.module, "serious" if len(dead) > len(a.active) / 2 else "warning", what)


STRUCTURE_RULES = (dead_bias, dropout_before_bn, bn_on_output, channel_layout_suspicion)
DATA_RULES = (small_batch, variance_below_eps, stale_statistics, train_eval_gap, saturated_tanh, dead_relu)
