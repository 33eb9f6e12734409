"""A side: one library's model, loss and optimiser, and what is seen of them while they take a step.

Both libraries have the same interface, so the observer is written once and runs on both: forward hooks see what goes
into every layer and what comes out, `retain_grad` keeps the gradient of each of these tensors, and parameters, buffers
and the optimiser's memory are read by name.

Names: "fc1.weight" (parameters and buffers), "fc1 input", "fc1 output", "loss", "gradient of fc1 output", "gradient of
fc1.weight", "momentum_buffer of fc1.weight". A tensor that one layer gives and the next takes has one name, that of the
output. A layer that is used again has "fc1 output (call 2)".
"""

import contextlib
from dataclasses import dataclass, field

import numpy as np

from .tolerance import largest, length_of

AVERAGES = ("momentum_buffer", "exp_avg")  # optimisers' memories that are sums of gradients, and round as these
SIMPLE = (bool, int, float, str, type(None))  # settings of layers that can be compared and stored


def as_array(value):
    """A copy of a tensor of either library, or of a number, as a NumPy array."""
    return np.array(value.detach().cpu().numpy() if hasattr(value, "detach") else value)


@dataclass
class Entry:
    """One tensor as it was seen.

    Attributes
    ----------
    name, kind : str
        The kind is "input", "output", "loss", "gradient", "parameter", "buffer" or "optimizer state".
    array : numpy.ndarray or None
        A copy; None for a gradient that never came.
    module : str
        The layer that it belongs to; "" for the model itself.
    of : str
        For gradients and optimiser state: the tensor whose they are.
    length : int
        The longest sum behind an element, counted from the tensor before (tolerance.py).
    moved : float
        How far the perturbed twin was from this.
    recorded : bool
        Whether it requires grad: a gradient can flow through it.
    scale : float
        The largest number that went into its sums, where that may be larger than the result.
    """

    name: str
    kind: str
    array: object
    module: str = ""
    of: str = ""
    length: int = 1
    moved: float = 0.0
    recorded: bool = False
    scale: float = 0.0


@dataclass
class Call:
    """One call of a layer: its name, the names of what went in and came out, its mode; the first call has number 1."""

    module: str
    x: str
    y: str
    training: bool
    number: int = 1
    parameters: list = field(default_factory=list)


class Raw:
    """A model that is no Module: a function and the tensors it learns, with the few methods that a Side asks for.

    Parameters
    ----------
    function : callable
        function(parameters, *inputs) -> tensor, or a dict of tensors of which the last is the output.
    parameters : dict {name: Tensor} or list of Tensor
    """

    def __init__(self, function, parameters):
        self.function, self.given = function, parameters

    def __call__(self, *inputs):
        return self.function(self.given, *inputs)

    def named_parameters(self):
        """(name, tensor); tensors of a list are called "parameter 0", "parameter 1", ..."""
        given = self.given
        return given.items() if isinstance(given, dict) else [(f"parameter {i}", p) for i, p in enumerate(given)]

    def parameters(self):
        """The tensors."""
        return [p for _, p in self.named_parameters()]

    def named_buffers(self):
        """None."""
        return []

    named_modules = named_buffers


class Owner(Raw):
    """A model that is no Module but has `parameters()`, as in lessons that build their layers by hand."""

    def __init__(self, model):
        self.model = model

    def __call__(self, *inputs):
        return self.model(*inputs)

    @property
    def given(self):
        """The tensors, as a list."""
        return list(self.model.parameters())


def as_model(function, model):
    """`model` with named parameters, buffers and modules; TypeError for what has none."""
    if hasattr(model, "named_modules"):
        return model
    if isinstance(model, tuple) and len(model) == 2 and callable(model[0]) and isinstance(model[1], dict | list):
        return Raw(*model)
    if callable(model) and callable(getattr(model, "parameters", None)):
        return Owner(model)
    raise TypeError(
        f"{function}: got a model of type {type(model).__name__}; wanted an nn.Module, an object with parameters(), or "
        "a pair (function(parameters, x), dict or list of tensors)"
    )


class Side:
    """One library's part of a comparison.

    Parameters
    ----------
    library : module
        `torch` or `minitorch_bn`.
    model : Module, Raw or Owner
    loss : callable (output, target) -> scalar Tensor
    optimizer : Optimizer or None
    watch : str
        "all", or "loss" for the losses and the final state only.
    noise : Noise, optional
        Makes a twin of this side: see twin.py.
    """

    def __init__(self, library, model, loss, optimizer, watch="all", noise=None):
        self.library, self.model, self.loss, self.optimizer = library, model, loss, optimizer
        self.watch, self.noise = watch, noise
        self.calls, self.seen, self.entries, self.tape, self.gradients = [], {}, [], [], {}

    # what does not change while it runs

    def modules(self):
        """{name: settings} of all modules: type, mode, and what numbers and words they hold."""
        described = {}
        for name, m in self.model.named_modules():
            own = {key: value for key, value in vars(m).items() if key[0] != "_" and _is_simple(value)}
            described[name] = {"type": type(m).__name__, "training": m.training} | own
        return described

    def state(self):
        """Parameters and buffers, as entries."""
        found = [("parameter", name, p) for name, p in self.model.named_parameters()]
        found += [("buffer", name, b) for name, b in self.model.named_buffers()]
        return [Entry(n, kind, as_array(t), n.rpartition(".")[0], recorded=t.requires_grad) for kind, n, t in found]

    # one step

    def forward(self, inputs, target):
        """Run the model and its loss; give what was seen, in order, and then the buffers."""
        self.calls, self.seen, self.entries, self.tape = [], {}, [], []
        if self.noise:
            self.noise.move(self.model)
        inputs = [self._batch(x) for x in inputs]
        if self.watch == "all":
            for i, x in enumerate(inputs):
                self._see(x, "input" if len(inputs) == 1 else f"input {i + 1}", "input")
        handles = self._hook() if self.watch == "all" or self.noise else []
        try:
            with self.noise.every_op() if self.noise else contextlib.nullcontext():
                output = self._output(self.model(*inputs))
                self.last_loss = self.loss(output, self._batch(target, learn=False))
        finally:
            for handle in handles:
                handle.remove()
        if not getattr(self.loss, "artificial", False):
            terms = sum(output.shape) if hasattr(output, "shape") else 1
            loss = self.last_loss
            self.entries.append(Entry("loss", "loss", as_array(loss), "", "", max(1, terms), 0.0, loss.requires_grad))
        if self.watch == "all":
            self.entries += self._buffers()
        return self.entries

    def backward(self):
        """Walk back from the loss; give the gradients in the order in which they are computed."""
        if not self.last_loss.requires_grad:  # nothing to learn, nothing to walk back through
            return []
        parameters = dict(self.model.named_parameters())
        if self.optimizer is not None:
            self.optimizer.zero_grad()
        else:
            for p in parameters.values():
                p.grad = None
        self.last_loss.backward()
        if self.watch == "loss":
            return []
        entries, left, sizes = [], dict(parameters), {}
        for kind, name, t, call, length in reversed(self.tape):
            if kind == "tensor":
                entries.append(self._gradient(name, t, call, length))
                if entries[-1].array is not None:
                    sizes[call] = largest(entries[-1].array)  # of what a bias's gradient adds up
                continue
            for p in t:
                if p in left:
                    vector = left[p].ndim == 1
                    entries.append(self._gradient(p, left.pop(p), call, length))
                    entries[-1].scale = sizes.get(call, 0.0) if vector else 0.0
        entries += [self._gradient(name, p, name.rpartition(".")[0], 1) for name, p in left.items()]
        self.gradients = {entry.of: entry for entry in entries}
        return entries

    def update(self):
        """Step the optimiser; give its memory and the parameters after it."""
        if self.optimizer is None:
            return []
        self.optimizer.step()
        return [] if self.watch == "loss" else self.after()

    def after(self):
        """What the optimiser remembers, and the parameters."""
        return self.memory() + [e for e in self.state() if e.kind == "parameter"]

    def final(self):
        """Where a run that was not watched has arrived: the optimiser's memory, parameters, buffers."""
        return self.memory() + self.state()

    def memory(self):
        """The optimiser's state, as entries."""
        if self.optimizer is None:
            return []
        state, entries = self.optimizer.state, []
        for name, p in self.model.named_parameters():
            for key, value in sorted((state.get(p) or {}).items()):
                if value is None:
                    continue
                module, g = name.rpartition(".")[0], self.gradients.get(name) if key in AVERAGES else None
                length, scale = (1, 0.0) if g is None else (g.length, g.scale)
                array = as_array(value)
                entries.append(Entry(f"{key} of {name}", "optimizer state", array, module, name, length, scale=scale))
        return entries

    # how it is seen

    def _output(self, output):
        """See what the model gave; the part that the loss gets."""
        named = output.items() if isinstance(output, dict) else [(f"output{i}", t) for i, t in self._tensors(output)]
        for name, t in named:
            if self.watch == "all" and id(t) not in self.seen:
                self._see(t, name, "output")
        return list(output.values())[-1] if isinstance(output, dict) else output

    def _batch(self, value, learn=True):
        """A part of a batch as a tensor of this library, floating point numbers in the parameters' dtype."""
        if value is None:
            return None
        t = self.library.tensor(as_array(value))
        like = next((p for p in self.model.parameters() if p.is_floating_point()), None)
        if like is not None:
            t = t.to(like.device, like.dtype if t.is_floating_point() else t.dtype)
        if learn and self.watch == "all" and t.is_floating_point():
            t.requires_grad_()
        return t

    def _buffers(self):
        """The buffers; those of a layer are averages of its input, which may be larger than they are."""
        buffers = [e for e in self.state() if e.kind == "buffer"]
        known = {e.name: e for e in self.entries}
        for call in self.calls:
            for e in buffers:
                if e.module == call.module and call.x in known and call.y in known:
                    e.scale, e.length = largest(known[call.x].array), known[call.y].length
        return buffers

    def _hook(self):
        """Put hooks on the layers: modules without modules inside, or with parameters of their own."""
        handles = []
        for name, m in self.model.named_modules():
            if list(m.children()) and not list(m.parameters(recurse=False)):
                continue
            if self.noise:
                handles.append(m.register_forward_hook(self.noise.hook))
            if self.watch == "all":
                handles.append(m.register_forward_hook(lambda m, x, y, name=name: self._called(name, m, x, y)))
        return handles

    def _called(self, name, module, inputs, output):
        """What a forward hook does: note the call, see what went in and what came out."""
        number = 1 + sum(call.module == name for call in self.calls)
        label = name or "model"
        again = f" (call {number})" if number > 1 else ""
        x = ""
        for suffix, t in self._tensors(inputs if len(inputs) != 1 else inputs[0]):
            if id(t) not in self.seen:
                self._see(t, f"{label} input{suffix}{again}", "input", name)
            x = x or self.seen[id(t)][0]
        own = [f"{name}.{key}" if name else key for key, _ in module.named_parameters(recurse=False)]
        xs, ys = (next((t for _, t in self._tensors(t)), None) for t in (inputs, output))
        length = 1 if xs is None or ys is None else length_of(module, Sized(xs), Sized(ys))
        if ys is not None and number == 1:
            rows = max(1, ys.numel() // max(1, ys.shape[1] if ys.ndim > 1 else 1))
            self.tape.append(("parameters", "", own, name, rows))
        for suffix, t in self._tensors(output):
            self._see(t, f"{label} output{suffix}{again}", "output", name, length)
        y = "" if ys is None else self.seen[id(ys)][0]
        self.calls.append(Call(name, x, y, module.training, number, own))

    def _tensors(self, value):
        """(suffix for the name, tensor) of a tensor, or of those in a tuple or list."""
        values = value if isinstance(value, tuple | list) else [value]
        found = [t for t in values if isinstance(t, self.library.Tensor)]
        return [("" if len(found) == 1 else f" {i + 1}", t) for i, t in enumerate(found)]

    def _see(self, t, name, kind, module="", length=1):
        """Copy a tensor now, and ask it to keep its gradient."""
        self.entries.append(Entry(name, kind, as_array(t), module, "", length, 0.0, t.requires_grad))
        if id(t) in self.seen:
            if self.seen[id(t)][2] is t.grad_fn:  # handed on as it was
                return
            self.tape = [
                item for item in self.tape if item[2] is not t
            ]  # written in place: a gradient of its last self
        self.seen[id(t)] = (name, t, t.grad_fn)  # holding it keeps the id from being used again
        if t.requires_grad:
            if not t.is_leaf:
                t.retain_grad()
            self.tape.append(("tensor", name, t, module, length))

    def _gradient(self, name, t, module, length):
        """The entry of a tensor's gradient."""
        array = None if t.grad is None else as_array(t.grad)
        return Entry(f"gradient of {name}", "gradient", array, module, of=name, length=length)


class Sized:
    """Shape and size of a tensor as of an array, without copying it."""

    def __init__(self, t):
        self.shape, self.ndim, self.size = tuple(t.shape), t.ndim, t.numel()


def _is_simple(value):
    """Whether a setting can be compared and stored: a number, a word, or a tuple of them."""
    if isinstance(value, tuple):
        return all(isinstance(v, SIMPLE) for v in value)
    return isinstance(value, SIMPLE)
