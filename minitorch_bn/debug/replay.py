"""replay: one HTML page that steps through forward and backward, op by op, with all numbers.

    debug.replay(loss, names=locals()).save("step.html")
    debug.replay(train_step).save("step.html")

The page needs no network and no program but a browser. It is a recording: nothing is computed when it is looked at.
"""

import functools
import html
import inspect
import sys
import types
from pathlib import Path

from .. import clock, engine
from ..nn.module import Module
from ..optim.optimizer import Optimizer
from ..random import get_rng_state, set_rng_state
from .lines import remember_lines
from .patches import Patches
from .replay_page import page
from .trace import trace

APPLY = engine.apply.__code__
LARGEST_IN_NOTEBOOK = 8_000_000  # characters of a page that is put into a notebook


def replay(loss_or_step, names=None, model=None, title=None):
    """Record the forward and backward of a loss as a page that can be stepped through.

    Every op is shown with its formula, its source, the line that applied it, heat maps of what it read, saved and gave,
    and of the gradients that reached it and left it; BatchNorm also with the three paths of dx and the two directions
    that dx has lost. Before the page is made, every op is run a second time from the recorded inputs and gradients, and
    has to give the same bits.

    Parameters
    ----------
    loss_or_step : Tensor or callable
        A loss with its graph; or a function without arguments that computes one and returns it, and may walk backward
        and step an optimiser. The function shows more: lines, modules, and the numbers in ``x * 2``.
    names : dict, optional
        {name: Tensor or Module}, for example ``locals()``; a function's own variables are known without.
    model : Module, optional
        Gives parameters their names.
    title : str, optional
        The heading of the page.

    Returns
    -------
    Replay
        With ``save(path)``. Jupyter shows it.

    Raises
    ------
    TypeError
        If `loss_or_step` is neither, or the function gives no loss and walks back from none.
    RuntimeError
        If the loss has no graph, has more than one element, its graph has been freed; if an op that is run a second
        time does not give the same bits: the message names it.

    Notes
    -----
    Gradients, graph, parameters, buffers, the optimiser and the default random generator are afterwards what they were
    before; schedules, data loaders, other generators, and lists that the step appends to, go on. Hooks of the user's
    are called. The walk starts with 1.

    >>> from minitorch_bn import tensor
    >>> x = tensor([1.0, 2.0], requires_grad=True)
    >>> replay((x * x).sum(), names={"x": x})
    Replay of 2 ops, 4 steps. Save it with .save("replay.html") and open it in a browser.
    >>> x.grad is None
    True
    """
    if names is not None and not isinstance(names, dict):
        raise TypeError(f"replay: got names of type {type(names).__name__}, wanted a dict, for example names=locals()")
    if model is not None and not isinstance(model, Module):
        raise TypeError(f"replay: got a model of type {type(model).__name__}, wanted an nn.Module")
    if isinstance(loss_or_step, engine.Variable) or not callable(loss_or_step) or isinstance(loss_or_step, Module):
        return Replay(trace(loss_or_step, names, model), title or "Replay")
    with remember_lines():
        return _Rehearsal(loss_or_step, names, model, title).run()


class Replay:
    """A page. Jupyter shows it; ``save(path)`` writes it.

    Attributes
    ----------
    html : str
        The whole page.
    """

    def __init__(self, records, title):
        self.html = page(records, title)
        self.ops = len(records)
        self.steps = self.ops + sum(1 for record in records if record.dy)

    def save(self, path):
        """Write the page to a file. Returns the path."""
        Path(path).write_text(self.html, encoding="utf-8")
        return Path(path)

    def __repr__(self):
        how = 'Save it with .save("replay.html") and open it in a browser.'
        return f"Replay of {self.ops} ops, {self.steps} steps. {how}"

    def _repr_html_(self):
        if len(self.html) > LARGEST_IN_NOTEBOOK:
            return f"<p>{html.escape(repr(self))} ({len(self.html) / 1e6:.0f} MB are too much for a notebook.)</p>"
        style = "width:100%;height:820px;border:1px solid #888"
        return f'<iframe sandbox="allow-scripts" style="{style}" srcdoc="{html.escape(self.html)}"></iframe>'


class _Numbers:
    """Stands for the clock while a step runs, and notes what ops are applied to that is no tensor: {serial: arguments}.

    An op keeps its input tensors, not its numbers. The engine asks the clock for a serial in the middle of `apply`, and
    there the numbers can be seen.
    """

    def __init__(self, ticks):
        self.ticks, self.of = ticks, {}

    def __iter__(self):
        return self

    def __next__(self):
        serial = next(self.ticks)
        frame = sys._getframe(1)
        if frame.f_code is APPLY:
            self.of[serial] = [None if isinstance(x, engine.Variable) else x for x in frame.f_locals["inputs"]]
        return serial


class _Rehearsal:
    """One run of a training step whose traces are taken away afterwards.

    While it runs, the tensors that the step can reach, those of modules and optimisers among them, have copies of their
    arrays. The first thing that `backward` does is to take the trace, before the walk frees the graph and the optimiser
    moves the parameters.
    """

    def __init__(self, step, names, model, title):
        self.step, self.names, self.model, self.title = step, names, model, title
        self.code = getattr(inspect.unwrap(_plain(step)), "__code__", None)
        self.patches, self.seen, self.undo = Patches(), {}, []
        self.replays = []  # (loss, Replay) of every call of backward

    def run(self):
        """Run the step; give the Replay of the loss that it returns, or of the last one that it walked back from."""
        stream = get_rng_state()
        self._patch()
        try:
            for value in (*_reached(self.step), *(self.names or {}).values(), self.model):
                self.keep(value)
            loss = self.step()
            chosen = [r for root, r in self.replays if root is loss] or [r for _, r in self.replays]
            if not chosen and not isinstance(loss, engine.Variable):
                raise TypeError(
                    f"replay: the step returned {type(loss).__name__} and called no loss.backward(); let it return "
                    "the loss"
                )
            return chosen[-1] if chosen else self._replay(loss, None)
        finally:
            self.patches.undo()
            for restore in reversed(self.undo):
                restore()
            set_rng_state(stream)

    def _patch(self):
        """Let modules, optimisers and `backward` report before they do anything, and note the numbers ops are given."""
        self.numbers = _Numbers(clock.ticks)
        self.patches.attribute(clock, "ticks", self.numbers)
        self.patches.attribute(Module, "__call__", self._first_keep(Module.__call__))
        for kind in _all_subclasses(Optimizer):
            for method in ("step", "zero_grad"):
                if method in vars(kind):
                    self.patches.attribute(kind, method, self._first_keep(vars(kind)[method]))
        plain = engine.Variable.backward

        def backward(loss, *args, **kwargs):
            if loss.op is not None and loss.array.size == 1:
                self.keep([x for t in engine.graph(loss) for x in t.op.inputs if x is not None and x.op is None])
                self.replays.append((loss, self._replay(loss, sys._getframe(1))))
            return plain(loss, *args, **kwargs)

        self.patches.attribute(engine.Variable, "backward", functools.wraps(plain)(backward))

    def _first_keep(self, method):
        """`method`, which keeps what its object is like before it runs."""

        @functools.wraps(method)
        def kept(owner, *args, **kwargs):
            self.keep(owner)
            return method(owner, *args, **kwargs)

        return kept

    def _replay(self, loss, frame):
        """The Replay of a loss, with the names of the step's own variables."""
        while frame is not None and frame.f_code is not self.code:
            frame = frame.f_back
        names = {**_variables(self.step), **(frame.f_locals if frame is not None else {}), **(self.names or {})}
        return Replay(trace(loss, names, self.model, self.numbers.of), self.title or f"Replay of {_name(self.step)}")

    def keep(self, value):
        """Take down what a tensor, module or optimiser is like, to make it so again; it goes on with copies."""
        if value is None or id(value) in self.seen:
            return
        if isinstance(value, list | tuple):
            self.seen[id(value)] = value
            for part in value:
                self.keep(part)
        elif isinstance(value, dict):
            self.seen[id(value)] = value
            self.keep(list(value.values()))
        elif isinstance(value, engine.Variable):
            self.seen[id(value)] = value
            self.undo.append(_restorer(value))
            if value.op is None and hasattr(value.array, "strides"):
                value.array = value.array.copy()
        elif isinstance(value, Module):
            for module in value.modules():
                if id(module) not in self.seen:
                    self.seen[id(module)] = module
                    self.undo.append(_restorer(module))
                    for tensor in (*module.parameters(), *module.buffers()):
                        self.keep(tensor)
        elif isinstance(value, Optimizer):
            self.seen[id(value)] = value
            self.undo.append(_restorer(value))
            self._keep_optimizer(value)

    def _keep_optimizer(self, optimizer):
        """The optimiser goes on with copies of its memory and of its groups' settings."""
        for group in optimizer.param_groups:
            for p in group["params"]:
                self.keep(p)
        memory = type(optimizer.state)(dict)
        for p, remembered in optimizer.state.items():
            memory[p] = {k: v.clone() if isinstance(v, engine.Variable) else v for k, v in remembered.items()}
        optimizer.state = memory
        groups = [(group, dict(group)) for group in optimizer.param_groups]
        self.undo.append(lambda: [_become(group, before) for group, before in groups])


def _restorer(thing):
    """A function that gives all attributes of `thing` back the values that they have now."""
    before = dict(vars(thing))
    return lambda: _become(vars(thing), before)


def _become(mapping, before):
    """Let a dict have the entries of another again."""
    mapping.clear()
    mapping.update(before)


def _plain(step):
    """The function behind a partial or a method."""
    while isinstance(step, functools.partial | types.MethodType):
        step = step.func if isinstance(step, functools.partial) else step.__func__
    return step


def _name(step):
    """What to call a step: its name."""
    return getattr(_plain(step), "__name__", type(step).__name__)


def _variables(step):
    """{name: value} of what a function refers to outside of itself."""
    try:
        found = inspect.getclosurevars(_plain(step))
    except TypeError:  # no Python function
        return {}
    return {**found.globals, **found.nonlocals}


def _reached(step):
    """What a step can change: what it refers to, and the arguments and object that are bound to it."""
    values = list(_variables(step).values())
    while isinstance(step, functools.partial | types.MethodType):
        if isinstance(step, functools.partial):
            values += [*step.args, *step.keywords.values()]
            step = step.func
        else:
            values.append(step.__self__)
            step = step.__func__
    own = [vars(x) for x in values if hasattr(x, "__dict__") and not isinstance(x, type | types.ModuleType | Module)]
    return [x for x in values if not isinstance(x, type | types.ModuleType)] + [
        x for attributes in own for x in attributes.values() if isinstance(x, engine.Variable | Module | Optimizer)
    ]


def _all_subclasses(kind):
    """A class and all that are derived from it."""
    found = [kind]
    for k in found:
        found += [s for s in k.__subclasses__() if s not in found]
    return found
