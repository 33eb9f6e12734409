"""What the BatchNorm doctor measures: a model is run on a few batches, in train and in eval mode, and watched.

Four passes over the same batches (all inside `lint_state.untouched`, so that nothing of it remains):

    eval            the outputs with the running statistics as they are
    train           without dropout; the running statistics start afresh and average all batches alike
    recalibrated    eval mode again, with the statistics of the pass before
    structure       one batch, with dropout, and backward: what stands before and behind each BatchNorm
"""

import re

import numpy as np
from tqdm import tqdm

from .. import creation, engine
from ..backend import to_numpy
from ..nn.batchnorm import BatchNorm
from ..nn.dropout import Dropout
from ..ops.activation import ReLU, Tanh
from ..ops.batchnorm import channel_layout
from ..ops.dropout import Dropout as DropoutOp
from ..tensor import Tensor
from . import lines

SATURATED = 0.97  # |tanh| above this: its slope, 1 - tanh**2, is below 0.06
LONELY = re.compile("more than 1 value per channel")


class Layer:
    """What one BatchNorm has seen in the train pass.

    Attributes
    ----------
    counts : list of int
        m, the number of values per channel, of every batch.
    means, variances : list of array of shape (C,)
        Of every batch; the variance is the biased one, as it is used to normalise.
    recalibrated : (array, array) or None
        Running mean and variance after the train pass; None where the layer does not move them.
    one_per_sample : bool
        Whether a sample has one value per channel, so that a batch of one cannot be normalised.
    """

    def __init__(self, name, module):
        self.name, self.module = name, module
        self.counts, self.means, self.variances = [], [], []
        self.recalibrated, self.one_per_sample = None, False

    def see(self, x):
        """Note the statistics of one batch `x`, an array."""
        axes, m, _ = channel_layout(x)
        self.one_per_sample = m == len(x)
        if m:
            x = x.astype(np.float64)
            self.counts.append(m)
            self.means.append(to_numpy(x.mean(axes)))
            self.variances.append(to_numpy(x.var(axes)))

    @property
    def variance(self):
        """The mean over the batches of every channel's variance."""
        return np.mean(self.variances, 0)

    def distance(self):
        """How far the running statistics are from the data's: two arrays, one entry per channel that varies, or None.

        Of the means in standard deviations; of the variances their ratio. None where nothing can be compared.
        """
        m, new = self.module, self.recalibrated
        if new is None or not self.counts:
            return None
        mean, var = (to_numpy(t.array).astype(np.float64) for t in (m.running_mean, m.running_var))
        live = new[1] > m.eps
        if not (live.any() and np.isfinite(mean).all() and np.isfinite(var).all()):
            return None
        shift = np.abs(mean - new[0]) / np.sqrt(new[1] + m.eps)
        ratio = (np.maximum(var, 0) + m.eps) / (new[1] + m.eps)
        return shift[live], ratio[live]

    def noise(self):
        """What distance comes from batches being samples: the typical error of both averages."""
        weight = 0.1 if self.module.momentum is None else self.module.momentum
        averaged = min(len(self.counts), (2 - weight) / weight if weight else np.inf)  # batches an average is worth
        return float(np.sqrt(2 / np.median(self.counts) / max(1.0, averaged)))

    def agrees(self, allowed):
        """Whether the typical channel's distance is at most `allowed` and what noise explains; False if unknown."""
        distance = self.distance()
        if distance is None:
            return False
        shift, ratio = distance
        allowed += 3 * self.noise()
        return bool(np.median(shift) <= allowed and np.median(np.abs(np.log(ratio))) <= allowed)


class Activation:
    """What came out of one tanh or ReLU, unit by unit, over all batches.

    Attributes
    ----------
    kind : str
        "tanh" or "relu".
    module : str
        Whose forward calls it.
    line : Line or None
        Where.
    values : int
        How many values every unit had.
    saturated, active : array of shape (units,)
        How many of them were beyond +-0.97, or not 0.
    """

    def __init__(self, kind, op):
        self.kind, self.module, self.line = kind, lines.module_of(op) or "", lines.line_of(op)
        if self.line == lines.caller():  # all of forward is the package's: that is the call of lint
            self.line = None
        self.values, self.saturated, self.active = 0, 0, 0

    def see(self, y, axis):
        """Count in one batch `y`, whose units lie along `axis`."""
        others = tuple(i for i in range(y.ndim) if i != axis)
        self.values += y.size // y.shape[axis]
        self.saturated = self.saturated + to_numpy((np.abs(y) > SATURATED).sum(others))
        self.active = self.active + to_numpy((y != 0).sum(others))


class Evidence:
    """All that was measured.

    Attributes
    ----------
    layers : list of Layer
        The BatchNorms, in order of definition; those that were never called have empty lists.
    activations : list of Activation
        In the order of the calls.
    outputs : dict
        {"eval", "train", "recalibrated": list of array, one per batch}.
    losses : dict
        The same: list of float, empty without a loss.
    lonely : int
        How many batches had one value per channel, so that train mode refused them.
    seen : int
        How many batches were looked at.
    dropout : bool
        Whether there was dropout in the train pass all the same: a function that is no module was called.
    structure : Structure or None
        None if no batch could be run in train mode.
    """

    def __init__(self, model):
        named = [(name, m) for name, m in model.named_modules() if isinstance(m, BatchNorm)]
        self.layers = [Layer(name, m) for name, m in named]
        self.activations, self.outputs, self.losses = [], {}, {}
        self.lonely, self.seen, self.dropout, self.structure = 0, 0, False, None


class Structure:
    """One batch, run in train mode and walked back, with everything kept.

    Attributes
    ----------
    made : dict
        {op: the tensor that it made}.
    entries, exits : dict
        {BatchNorm module: (op that made its input or None, its input's array)}, and the same for its result.
    by_batch : set
        The BatchNorms that normalised with the batch's statistics.
    gradients : dict
        {parameter: its gradient, an array, or None}.
    outputs, results : list of Tensor
        Of the model, and of its BatchNorms.
    """

    def __init__(self):
        self.made, self.entries, self.exits, self.by_batch = {}, {}, {}, set()
        self.gradients, self.outputs, self.results = {}, [], []

    def before(self, module, inputs):
        """A forward pre-hook of BatchNorm."""
        self.entries[module] = (inputs[0].op, inputs[0].array)
        if module.training or module.running_mean is None:
            self.by_batch.add(module)

    def after(self, module, _, output):
        """A forward hook of BatchNorm."""
        self.exits[module] = (output.op, output.array)
        self.results.append(output)


def examine(model, batches, loss=None, progress=True):
    """Run `model` on `batches` in all four ways; to be called inside `untouched`.

    Parameters
    ----------
    model : Module
    batches : list of (inputs, target)
        As `parse` gives them.
    loss : callable, optional
        loss(output, target) -> Tensor with one element.
    progress : bool
        Whether to show a progress bar, on a terminal.

    Returns
    -------
    Evidence
    """
    evidence = Evidence(model)
    evidence.seen = len(batches)
    for p in model.parameters():
        p.requires_grad = p.is_floating_point()  # frozen ones, too, so that everything is recorded
    modes = {m: m.training for m in model.modules()}
    bar = tqdm(total=3 * len(batches) + 1, unit="batch", disable=None if progress else True, leave=False)
    with bar, np.errstate(all="ignore"):  # what is not finite is a finding, and no warning
        model.eval()
        with engine.no_grad():
            _run_all(model, batches, loss, evidence, "eval", bar)

        training_mode(model, modes)
        for m in model.modules():
            if isinstance(m, Dropout):
                m.training = False
        with engine.enable_grad():
            _train_pass(model, batches, loss, evidence, bar)

        model.eval()
        with engine.no_grad():
            _run_all(model, batches, loss, evidence, "recalibrated", bar)

        training_mode(model, modes)
        with engine.enable_grad():
            evidence.structure = _look_at_structure(model, batches)
        bar.update()
    return evidence


def training_mode(model, modes):
    """Train mode, in which a BatchNorm that was in eval mode inside a model in train mode stays so: it is frozen."""
    root = modes[model]
    for m, mode in modes.items():
        m.training = mode if root and isinstance(m, BatchNorm) else True
    if not root:
        model.train()  # the model's own train() may know better


def parse(batch, device):
    """(inputs, target) of what a loader gives: a tensor, or (input, target, ...); an input may be several tensors."""
    first, target = batch, None
    if isinstance(batch, list | tuple) and batch:
        first, target = batch[0], batch[1] if len(batch) > 1 else None
    inputs = tuple(first) if isinstance(first, list | tuple) else (first,)
    if not inputs or not all(isinstance(x, Tensor) for x in inputs):
        raise TypeError(
            f"lint: got a batch of type {type(batch).__name__} that does not begin with a tensor, wanted tensors or "
            "(input, target); wrap the loader: [(make_input(batch), target) for batch in loader]"
        )
    target = target.to(device) if isinstance(target, Tensor) else target
    return tuple(x.to(device) for x in inputs), target


def tensors_in(output):
    """The floating point tensors in what a model returned."""
    if isinstance(output, Tensor):
        return [output] if output.is_floating_point() else []
    values = output.values() if isinstance(output, dict) else output if isinstance(output, list | tuple) else ()
    return [t for value in values for t in tensors_in(value)]


def _run(model, batch, loss):
    """(output, loss or None) of one batch; None where train mode refused it, because it has one value per channel."""
    inputs, target = batch
    try:
        output = model(*(x.clone() for x in inputs))  # the model may write into its input
    except ValueError as error:
        if LONELY.search(str(error)):
            return None
        raise
    return output, None if loss is None else loss(output, target)


def _note(evidence, way, output, loss):
    """Keep one batch's outputs and loss."""
    flat = [to_numpy(t.array).reshape(-1).astype(np.float64) for t in tensors_in(output)]
    evidence.outputs[way].append(np.concatenate(flat) if flat else np.zeros(0))
    if loss is not None:
        evidence.losses[way].append(float(loss))


def _run_all(model, batches, loss, evidence, way, bar):
    """One of the passes: outputs and losses of all batches, None where a batch was refused."""
    evidence.outputs[way], evidence.losses[way] = [], []
    for batch in batches:
        ran = _run(model, batch, loss)
        if ran is None:
            evidence.outputs[way].append(None)
        else:
            _note(evidence, way, *ran)
        bar.update()


def _train_pass(model, batches, loss, evidence, bar):
    """The train pass: statistics before every BatchNorm, activations, recalibrated running statistics."""
    evidence.outputs["train"], evidence.losses["train"] = [], []
    moving = [layer for layer in evidence.layers if moves(layer.module)]
    for layer in moving:
        layer.module.reset_running_stats()
        layer.module.momentum = None
    layer_of, seen = {layer.module: layer for layer in evidence.layers}, []

    def note_input(module, inputs):
        seen.append((layer_of[module], inputs[0].array))

    handles = [module.register_forward_pre_hook(note_input) for module in layer_of]
    for batch in batches:
        seen.clear()
        with lines.remember_lines(not evidence.activations):  # where they are called need be seen once
            ran = _run(model, batch, loss)
            if ran is not None:
                _see_activations(evidence, tensors_in(ran[0]))
        if ran is None:
            evidence.lonely += 1
            evidence.outputs["train"].append(None)
        else:
            _note(evidence, "train", *ran)
            for layer, x in seen:
                layer.see(x)
        bar.update()
    for handle in handles:
        handle.remove()
    for layer in moving:
        m = layer.module
        layer.recalibrated = tuple(to_numpy(t.array).astype(np.float64) for t in (m.running_mean, m.running_var))


def moves(module):
    """Whether a BatchNorm, in the mode that it is in, moves its running statistics."""
    return module.training and module.track_running_stats and module.running_mean is not None and module.momentum != 0.0


def recorded(outputs):
    """The tensors from which `outputs` were computed, each once, oldest first."""
    made = {t.op: t for output in outputs for t in engine.graph(output)}
    return [made[op] for op in sorted(made, key=lambda op: op.serial)]


def _see_activations(evidence, outputs):
    """Count what the tanh and ReLU ops of one batch gave; the k-th of one batch is the k-th of the next."""
    tensors = recorded(outputs)
    evidence.dropout = evidence.dropout or any(isinstance(t.op, DropoutOp) for t in tensors)
    found = [t for t in tensors if type(t.op) in (Tanh, ReLU) and t.array.ndim > 1 and t.array.size]
    for i, t in enumerate(found):
        if i == len(evidence.activations):
            evidence.activations.append(Activation(type(t.op).__name__.lower(), t.op))
        axis = unit_axis(t)
        activation = evidence.activations[i]
        if activation.values == 0 or np.shape(activation.active) == (t.array.shape[axis],):
            activation.see(t.array, axis)


def unit_axis(t):
    """The axis along which the units of an activation lie: 1, or the last one behind a Linear."""
    rank = t.array.ndim
    if rank != 3:
        return 1
    while t is not None and t.op is not None and t.array.ndim == rank:
        name = type(t.op).__name__
        if name.startswith(("Conv", "BatchNorm", "FixedBatchNorm")):
            return 1
        if name == "Linear":
            break
        t = (t.op.inputs or (None,))[0]
    return rank - 1


def _look_at_structure(model, batches):
    """One batch with dropout, forward and backward; None if all are too small, or nothing can be differentiated.

    Backward starts at the outputs and at every BatchNorm, with random gradients: that a bias gets none must hold for
    all of them, and what is dead further on must not hide it.
    """
    structure = Structure()
    for m in model.modules():
        if isinstance(m, BatchNorm):
            m.register_forward_pre_hook(structure.before)
            m.register_forward_hook(structure.after)
    for inputs, target in batches:
        structure.results.clear()
        inputs = tuple(x.detach().requires_grad_() if x.is_floating_point() else x for x in inputs)
        ran = _run(model, (inputs, target), None)
        if ran is None:
            continue
        structure.outputs = [t for t in tensors_in(ran[0]) if t.requires_grad]
        if not structure.outputs:
            return None
        root = _random_sum(structure.outputs + [t for t in structure.results if t.requires_grad])
        root.backward(retain_graph=True)
        structure.made = {t.op: t for t in recorded([root])}
        structure.gradients = {p: p.grad_array for p in model.parameters()}
        return structure
    return None


def _random_sum(outputs):
    """The sum of all numbers, each with a random weight: a loss whose gradients are random."""
    weights, total = np.random.default_rng(0), 0.0
    for t in outputs:
        drawn = creation.tensor(weights.standard_normal(t.shape), dtype=t.dtype, device=t.device)
        total = total + (t * drawn).sum()
    return total
