"""The figures that one looks at before anything else: activations, gradients, and the size of the updates.

Each function returns a matplotlib Figure whose `data` attribute holds the numbers that are drawn. The model is left as
it was: nothing of its state, its gradients and the random stream is changed.
"""

import contextlib
import functools
from dataclasses import dataclass

import numpy as np

from .. import backend, engine, random
from ..experiments.figures import BLACK, BLUE, GREY, ORANGE, new_figure, style
from ..nn import functional
from ..nn.module import Module
from ..ops.activation import ReLU, Tanh
from ..tensor import Tensor
from . import terms

SATURATED = 0.97  # |tanh| above this: less than 6 % of the gradient passes
ACTIVATIONS = ("Tanh", "ReLU", "Sigmoid", "LeakyReLU", "ELU", "SiLU", "GELU", "TanhGELU", "Softplus", "Hardtanh")
MOST = 20  # panels in one figure
BINS = 60


@dataclass(frozen=True)
class Layer:
    """What is drawn of one layer.

    Attributes
    ----------
    name : str
        As in `named_modules`; for functions that are no modules, their op and a number.
    kind : str
        Class of the module, or of the op.
    values : array
        All elements: activations or gradients.
    mean, std : float
    saturated : float or None
        For tanh, the share of elements with |y| > 0.97.
    dead : float or None
        For ReLU, the share of units that are 0 for every sample of the batch.
    ratio : float or None
        For gradients of parameters, the standard deviation of the gradient over that of the parameter.
    """

    name: str
    kind: str
    values: np.ndarray
    mean: float
    std: float
    saturated: float | None = None
    dead: float | None = None
    ratio: float | None = None

    @property
    def caption(self):
        """The numbers, in a line or two."""
        lines = [f"mean {self.mean:+.2g}, std {self.std:.2g}"]
        lines += [] if self.saturated is None else [f"{self.saturated:.1%} saturated"]
        lines += [] if self.dead is None else [f"{self.dead:.1%} of units dead"]
        lines += [] if self.ratio is None else [f"std(gradient) / std(values) {self.ratio:.1g}"]
        return "\n".join(lines)


def activations(model, batch):
    """Histograms of what every layer of a model gives for a batch, with mean, standard deviation and what is stuck.

    Parameters
    ----------
    model : Module
        Asked in the mode that it is in. Its buffers, modes and gradients stay as they are.
    batch : Tensor or sequence
        The input, or a batch of a DataLoader, whose first entry is the input.

    Returns
    -------
    Figure
        `figure.data` is a list of Layer, one for every innermost module with a floating point output, and for every
        activation function that was called as a function (``mt.tanh(x)``), in the order of the calls.

    Raises
    ------
    TypeError
        If `model` is no Module, or the input no Tensor.
    RuntimeError
        If no layer gives floating point numbers.

    Source: Glorot & Bengio 2010, section 3.2; Karpathy 2022, makemore part 3.
    """
    x, _ = _inputs("activations", model, batch)
    with _borrowed(model) as outputs:
        y = model(x)
        found = [_layer(*entry) for entry in _in_order(outputs, y)]
    if not found:
        raise RuntimeError(
            "activations: no layer of the model gives floating point numbers, so there is nothing to draw"
        )
    mode = "train" if model.training else "eval"
    caption = (
        f"{len(x):,} samples, {mode} mode. Saturated: |tanh| > {SATURATED:g}, where less than 6 % of the gradient "
    )
    caption += "passes. A dead unit is 0 for every sample: no gradient passes."
    return _histograms(found, "Activations of every layer", caption, "activation")


def gradients(model, batch=None, loss=None):
    """Histograms of gradients: of every layer's output, for a batch, or of every parameter, after a backward.

    Parameters
    ----------
    model : Module
    batch : sequence of (inputs, targets), or Tensor, optional
        Gradients of the loss for this batch, computed aside: `.grad` is not touched. Left out, the gradients are those
        in `.grad` of the parameters.
    loss : callable, optional
        ``loss(output, targets)`` gives a tensor with one element; ``loss(output)`` where there are no targets. Left
        out, it is cross-entropy for integer targets and the mean squared error for others.

    Returns
    -------
    Figure
        `figure.data` is a list of Layer: outputs of layers first, then parameters.

    Raises
    ------
    TypeError
        If `model` is no Module, the input no Tensor, or there is neither a loss nor a target.
    RuntimeError
        Without a batch, if no parameter has a gradient; with one, if the loss has no graph.
    """
    if batch is None:
        _check_model("gradients", model)
        found = [_parameter(name, p, p.grad_array) for name, p in model.named_parameters() if p.grad_array is not None]
        if not found:
            raise RuntimeError("gradients: no parameter has a gradient; call loss.backward() first, or give a batch")
        caption = "Gradients in .grad of the parameters. They should be of similar width from layer to layer; "
    else:
        found = _gradients_for(model, batch, loss)
        caption = "Gradients that arrive at the output of every layer, then those of the parameters. They should be of "
        caption += "similar width from layer to layer; "
    caption += "where the width falls towards the input, they vanish, and where it grows, they explode."
    return _histograms(found, "Gradients of every layer", caption, "d loss / d value")


def _gradients_for(model, batch, loss):
    """Layers and parameters with their gradients for one batch."""
    x, target = _inputs("gradients", model, batch)
    if loss is None:
        if not isinstance(target, Tensor):
            raise TypeError("gradients: got a batch without targets, wanted (inputs, targets), or loss=")
        loss = functional.mse_loss if target.is_floating_point() else functional.cross_entropy
    with _borrowed(model) as outputs:
        y = model(x)
        value = loss(y) if target is None else loss(y, target)
        if not isinstance(value, Tensor) or value.op is None or value.array.size != 1:
            raise RuntimeError("gradients: the loss must be one number that depends on parameters that require grad")
        arrived = terms.own_walk(value).arrived
        found = [
            _summary(name, kind, arrived[id(t)]) for name, kind, t in _in_order(outputs, value) if id(t) in arrived
        ]
        parameters = [(name, p) for name, p in model.named_parameters() if id(p) in arrived]
    return found + [_parameter(name, p, arrived[id(p)]) for name, p in parameters]


class update_ratio:
    """Record, at every step of an optimiser, how large its updates are beside the parameters: log10 std(dp) / std(p).

    About -3 is usual: every step changes a parameter by a thousandth of its spread. Far above, the learning rate is
    too high; far below, too low.

    Parameters
    ----------
    optimizer : Optimizer
    model : Module, optional
        Where the names of the parameters come from; without, they are numbered.

    Attributes
    ----------
    data : dict {name: list of float}
        One number per step and parameter; nan where the parameter or its update has no spread (one element, all alike).
    steps : int
        How many steps have been recorded.

    Raises
    ------
    TypeError
        If `optimizer` has no step hooks.

    Notes
    -----
    It records until `remove()`, or to the end of a ``with`` block. It copies every parameter at every step.

    Source: Karpathy 2022, makemore part 3.

    >>> from minitorch_bn import nn, ones, optim
    >>> layer = nn.Linear(2, 2)
    >>> optimizer = optim.SGD(layer.parameters(), lr=0.1)
    >>> with update_ratio(optimizer, layer) as ratio:
    ...     for _ in range(3):
    ...         optimizer.zero_grad()
    ...         (layer(ones(1, 2)) ** 2).sum().backward()
    ...         optimizer.step()
    >>> [(name, len(steps)) for name, steps in ratio.data.items()]
    [('weight', 3), ('bias', 3)]
    """

    def __init__(self, optimizer, model=None):
        if not hasattr(optimizer, "register_step_post_hook"):
            raise TypeError(f"update_ratio: got {type(optimizer).__name__}, wanted an optimiser, and a model behind it")
        names = {} if model is None else {id(p): name for name, p in model.named_parameters()}
        self.optimizer, self.data, self.shapes, self.steps = optimizer, {}, {}, 0
        self._names, self._before = names, {}
        self._handles = [
            optimizer.register_step_pre_hook(self._remember), optimizer.register_step_post_hook(self._record)
        ]  # fmt: skip

    def _parameters(self):
        """(name, parameter) for all that the optimiser steps."""
        everything = [p for group in self.optimizer.param_groups for p in group["params"]]
        return [(self._names.get(id(p), f"parameter {i}"), p) for i, p in enumerate(everything)]

    def _remember(self, *_):
        self._before = {id(p): p.array.copy() for _, p in self._parameters()}

    def _record(self, *_):
        for name, p in self._parameters():
            before = self._before.get(id(p))
            steps = self.data.setdefault(name, [float("nan")] * self.steps)
            self.shapes[name] = tuple(p.array.shape)
            spread, moved = (0.0, 0.0) if before is None else (float(before.std()), float((p.array - before).std()))
            steps.append(float(np.log10(moved / spread)) if moved > 0 and spread > 0 else float("nan"))
        self.steps, self._before = self.steps + 1, {}

    def remove(self):
        """Stop recording; the figures can still be drawn."""
        for handle in self._handles:
            handle.remove()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    def figure(self, names=None):
        """Draw the ratios over the steps.

        Parameters
        ----------
        names : sequence of str, optional
            Which parameters; left out, those with two or more dimensions, or all if there are none.

        Raises
        ------
        RuntimeError
            If nothing has been recorded.
        KeyError
            If there is no such parameter.
        """
        if not self.data:
            raise RuntimeError("update_ratio: nothing has been recorded; train some steps first")
        unknown = [name for name in names or () if name not in self.data]
        if unknown:
            raise KeyError(f"update_ratio: there is no parameter {unknown[0]!r}, there are {', '.join(self.data)}")
        chosen = names or [name for name in self.data if len(self.shapes[name]) > 1] or list(self.data)
        return _ratio_lines({name: self.data[name] for name in chosen})


# ---- drawing ---------------------------------------------------------------------------------------------------------

DASHES = ("-", "--", ":", "-.", (0, (6, 1, 1, 1, 1, 1)))
SHADES = (BLUE, ORANGE, BLACK, GREY, "#7d3b0b", "#3b8a8a")


def _ratio_lines(data):
    """One line per parameter."""
    caption = (
        "Around -3, a step changes a parameter by a thousandth of its spread, which is usual. Above -2 the learning "
    )
    caption += "rate is likely too high, below -4 too low."
    with style():
        figure, axes = new_figure(title="Size of the updates beside the parameters", caption=caption, size=(13, 6.8))
        for k, (name, steps) in enumerate(data.items()):
            look = {"color": SHADES[k % len(SHADES)], "linestyle": DASHES[k % len(DASHES)], "linewidth": 2}
            axes.plot(np.arange(1, len(steps) + 1), steps, label=name, **look)
        axes.axhline(-3, color=BLACK, linewidth=1.2)
        axes.annotate(
            "usual", (1, -3), (4, 0), xycoords=("axes fraction", "data"), textcoords="offset points", va="center"
        )
        axes.set(xlabel="step", ylabel="log10 of std(update) / std(parameter)")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(loc="upper left", bbox_to_anchor=(1.06, 1))
    figure.data = data
    return figure


def _histograms(found, title, caption, xlabel):
    """A panel per layer, in reading order."""
    drawn = found[:MOST]
    if len(found) > MOST:
        caption += f" The first {MOST} of {len(found)} are drawn; figure.data has all."
    columns = min(len(drawn), 3 if len(drawn) <= 9 else 4)
    rows = -(-len(drawn) // columns)
    with style():
        size = (max(7, 4.4 * columns), 1.9 + 2.5 * rows)
        figure, axes = new_figure(rows, columns, title=title, caption=caption, size=size, squeeze=False)
        for k, panel in enumerate(axes.flat):
            if k < len(drawn):
                _panel(panel, drawn[k])
                panel.set_xlabel(xlabel if k >= len(drawn) - columns else "")
                panel.set_ylabel("% of values" if k % columns == 0 else "")
            else:
                panel.set_visible(False)
    figure.data = found
    return figure


def _panel(panel, layer):
    """One histogram, and its numbers in words."""
    values = layer.values[np.isfinite(layer.values)]
    lost = layer.values.size - values.size
    panel.set_title(f"{layer.name} ({layer.kind})" if layer.kind else layer.name, fontsize=13)
    if values.size:
        share = np.full(values.size, 100 / values.size)
        panel.hist(values.astype(float), BINS, weights=share, color=BLUE, histtype="stepfilled")
    if layer.saturated is not None:
        for side in (-SATURATED, SATURATED):
            panel.axvline(side, color=ORANGE, linewidth=1.6, linestyle="--")
    text = layer.caption + (f"\n{lost:,} nan or infinite" if lost else "")
    paper = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1}
    low, high = panel.get_ylim()
    panel.set_ylim(low, high * 1.5)  # room for the words
    panel.text(0.03, 0.96, text, transform=panel.transAxes, va="top", fontsize=12, bbox=paper)
    panel.locator_params(axis="x", nbins=4)
    panel.locator_params(axis="y", nbins=3)
    panel.xaxis.set_major_formatter(lambda value, _: f"{value:.3g}")


# ---- measuring -------------------------------------------------------------------------------------------------------


def _check_model(name, model):
    """Raise TypeError for what is no Module."""
    if not isinstance(model, Module):
        raise TypeError(f"{name}: got {type(model).__name__} for the model, wanted a Module")


def _inputs(name, model, batch):
    """The input and the target (or None) of a batch."""
    _check_model(name, model)
    x, *rest = batch if isinstance(batch, tuple | list) and batch else (batch,)
    if not isinstance(x, Tensor):
        raise TypeError(
            f"{name}: got {type(x).__name__} for the input, wanted a Tensor, or a batch that begins with one"
        )
    return x, rest[0] if rest else None


@contextlib.contextmanager
def _borrowed(model):
    """A model to be called: gives the list that its innermost modules put their outputs into.

    Buffers are replaced by copies meanwhile, so that statistics move in the copies. Afterwards all attributes of all
    modules, and the random stream, are what they were.
    """
    outputs, before = [], [(module, dict(vars(module))) for module in model.modules()]
    stream = random.get_rng_state()
    inner = [(name, module) for name, module in model.named_modules() if not list(module.children())]
    handles = []
    try:
        for module, attributes in before:
            for name, _ in module.named_buffers(recurse=False):
                vars(module)[name] = attributes[name].detach().clone()
        for name, module in inner:
            handles.append(module.register_forward_hook(functools.partial(_note, outputs, name)))
        with engine.enable_grad():
            yield outputs
    finally:
        for handle in handles:
            handle.remove()
        for module, attributes in before:
            vars(module).clear()
            vars(module).update(attributes)
        random.set_rng_state(stream)


def _note(outputs, name, module, _, y):
    """A forward hook that puts floating point outputs into a list: (name, class, tensor, number of its op or None)."""
    if isinstance(y, Tensor) and y.is_floating_point():
        recorded = y.op is not None and y.op.inputs
        outputs.append((name, type(module).__name__, y, y.op.serial if recorded else None))


def _in_order(outputs, root):
    """The outputs of modules, and activation functions between them: (name, kind, tensor) in the order of the calls.

    A tensor that several modules hand on (dropout in eval mode) is the first one's.
    """
    recorded = {t.op.serial: t for t in engine.graph(root)}
    found, last = {}, -1
    for name, kind, y, serial in outputs:  # by its number: a later module may have changed y in place
        last = last if serial is None else serial
        found.setdefault(id(y) if serial is None else serial, (last, name or kind, kind, recorded.get(serial, y)))
    counts = {}
    for serial, t in sorted(recorded.items()):
        kind = type(t.op).__name__
        if kind in ACTIVATIONS and serial not in found:
            counts[kind] = counts.get(kind, 0) + 1
            found[serial] = serial, f"{kind.lower()} {counts[kind]}", "", t
    return [entry[1:] for entry in sorted(found.values(), key=lambda entry: entry[0])]


def _layer(name, kind, t):
    """The summary of one activation."""
    values = backend.to_numpy(t.array)
    tanh = kind == "Tanh" or isinstance(t.op, Tanh)
    relu = kind == "ReLU" or isinstance(t.op, ReLU)
    saturated = float((np.abs(values) > SATURATED).mean()) if tanh and values.size else None
    axes = (0, *range(2, values.ndim)) if values.ndim > 1 else 0
    dead = float((values == 0).all(axes).mean()) if relu and values.size and values.ndim else None
    return _summary(name, kind, values, saturated=saturated, dead=dead)


def _summary(name, kind, array, **more):
    """A Layer of an array."""
    values = backend.to_numpy(backend.as_array(array)).reshape(-1)
    numbers = values.astype(np.float64)
    mean, std = (float(numbers.mean()), float(numbers.std())) if values.size else (float("nan"), float("nan"))
    return Layer(name, kind, values, mean, std, **more)


def _parameter(name, p, gradient):
    """The summary of one parameter's gradient."""
    spread = float(p.array.std()) if p.array.size else 0.0
    layer = _summary(name, "parameter", gradient)
    return _summary(name, "parameter", gradient, ratio=layer.std / spread if spread > 0 else None)
