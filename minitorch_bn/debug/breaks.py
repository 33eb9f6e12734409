"""Open the debugger where a gradient or an activation satisfies a condition.

A tensor is watched at two places. A probe, the identity op of `hooks.py`, sees its gradient when the terms of all uses
are added up. And its `receive` notes every term on the way, so that the debugger can show the op that produced it. A
module is watched by forward hooks, which look at its outputs and watch them in turn. All of it is gone after `remove`.
"""

import sys
import weakref

from .. import engine
from ..hooks import Probe, register_hook
from ..nn.module import Module
from ..tensor import Tensor
from .lines import line_of, remember_lines


def break_when(watched, predicate, *, activations=True, gradients=True, debugger=None):
    """Open the debugger at the op that produced a gradient (or activation) for which ``predicate`` is true.

    Parameters
    ----------
    watched : Tensor or Module
        A tensor: its incoming gradient is looked at, complete where the tensor is an op's result. A leaf has no step
        of its own, so every term is looked at as it arrives. A module: the outputs of it and of all modules inside it,
        and their gradients; they are known from the next forward on.
    predicate : callable
        Gets a Tensor, returns something with a truth value: ``lambda g: g.isnan().any()``.
    activations, gradients : bool
        What to look at of a module.
    debugger : callable, optional
        Called without arguments where to stop. Left out, it is what ``breakpoint()`` calls: pdb, or the debugger of
        the editor.

    Returns
    -------
    Break
        ``remove()`` ends it; so does the end of a ``with`` block. `stops` counts how often it has stopped.

    Raises
    ------
    TypeError
        If `watched` is neither Tensor nor Module, or `predicate` cannot be called.
    RuntimeError
        If the tensor does not require grad, or its graph was freed; in backward, if the predicate gives a tensor with
        more than one element.

    Notes
    -----
    The debugger opens in a frame with these names: `op` (what produced it), `dy` (the gradient of op's result), `dx`
    (op's term), `gradient` (the sum of all terms), `line` (where op ran in forward), `tensor`. Its callers are the
    walk: ``u`` goes up. Forward lines are remembered while a Break is in place.

    >>> from minitorch_bn import tensor
    >>> x = tensor([1.0, 4.0], requires_grad=True)
    >>> y = x.sqrt()
    >>> with break_when(y, lambda g: (g > 1).any(), debugger=lambda: print("here")):
    ...     (3 * y).sum().backward()
    break_when: gradient of shape (2,), produced by the backward of Mul
      forward line: ... (3 * y).sum().backward()
      p op, dy, dx, gradient, tensor; u goes up into the walk
    here
    """
    if not isinstance(watched, Tensor | Module):
        raise TypeError(f"break_when: got {type(watched).__name__}, wanted a Tensor or a Module to watch")
    if not callable(predicate):
        raise TypeError(
            f"break_when: got a predicate of type {type(predicate).__name__}, wanted a function of a Tensor"
        )
    if isinstance(watched, Tensor):
        _check_tensor(watched)
    handle = Break(predicate, debugger)
    if isinstance(watched, Module):
        handle.watch_module(watched, activations, gradients)
    else:
        handle.watch_tensor(watched)
    return handle


class Break:
    """What `break_when` has put in place.

    Attributes
    ----------
    stops : int
        How often the debugger was opened.
    """

    def __init__(self, predicate, debugger):
        self.predicate, self.debugger = predicate, debugger
        self.stops = 0
        self.watches = weakref.WeakSet()  # a watch lives as long as its tensor
        self.hooks = []
        _Lines.take(self)

    def watch_tensor(self, tensor, module=None):
        """Look at the gradient of `tensor`, from now on."""
        self.watches.add(_Watch(self, tensor, module))

    def watch_module(self, module, activations, gradients):
        """Look at what the module and those inside it give, from their next forward on."""
        for name, m in module.named_modules():
            label = f"{name} ({type(m).__name__})" if name else type(m).__name__

            def hook(m, inputs, output, label=label):
                for y in _tensors(output):
                    seen = isinstance(vars(y).get("_seen_by"), weakref.ref) and y._seen_by() is self
                    if seen:  # a container gives what its last module gave
                        continue
                    y._seen_by = weakref.ref(self)
                    if activations and self.holds(y.detach()):
                        _stop_at_activation(self, y, y.op, inputs, label)
                    if gradients and y.requires_grad:
                        self.watch_tensor(y, label)

            self.hooks.append(m.register_forward_hook(hook))

    def holds(self, value):
        """Whether the predicate is true of a Tensor."""
        with engine.no_grad():
            answer = self.predicate(value)
        if isinstance(answer, Tensor) and answer.array.size != 1:
            shape = tuple(answer.array.shape)
            raise RuntimeError(f"break_when: the predicate gave shape {shape}, wanted one truth value: end with .any()")
        return bool(answer)

    def open(self):
        """What to call to stop in the caller's frame."""
        self.stops += 1
        return sys.breakpointhook if self.debugger is None else self.debugger

    def remove(self):
        """End it. Doing so twice does nothing."""
        for hook in self.hooks:
            hook.remove()
        for watch in list(self.watches):
            watch.remove()
        self.hooks.clear()
        self.watches.clear()
        _Lines.give_back(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()


class _Watch:
    """One tensor watched by one Break."""

    def __init__(self, handle, tensor, module):
        self.handle, self.tensor, self.module = handle, weakref.ref(tensor), module
        self.terms = _Terms.of(tensor)
        self.terms.watches.append(self)
        self.probe_hook = None if tensor.op is None else register_hook(tensor, self.complete)

    def arrived(self, term):
        """A term has arrived; a leaf has no other moment to be looked at."""
        if self.probe_hook is None and self.handle.holds(self.tensor().like(term[2]).detach()):
            _stop_at_gradient(self.handle, self.tensor(), [term], term[2], self.module)

    def complete(self, gradient):
        """The probe's hook: all terms have arrived."""
        if self.handle.holds(gradient):
            _stop_at_gradient(self.handle, self.tensor(), self.terms.noted, gradient.array, self.module)

    def remove(self):
        """Take out what nothing else needs."""
        tensor = self.tensor()
        if tensor is None:
            return
        vars(tensor).pop("_seen_by", None)
        self.terms.watches.remove(self)
        if not self.terms.watches:
            del tensor.receive
        if self.probe_hook is not None:
            self.probe_hook.remove()
            probe = tensor.op
            if isinstance(probe, Probe) and probe.inputs and not probe.hooks:
                tensor.op = probe.inputs[0].op


class _Terms:
    """The terms of one tensor's gradient: (op, dy, dx), what each use has contributed in the present walk."""

    def __init__(self, tensor):
        self.tensor, self.watches, self.noted = weakref.ref(tensor), [], []

    @classmethod
    def of(cls, tensor):
        """The one that stands at the tensor's `receive`, put there if need be."""
        if "receive" not in vars(tensor):
            tensor.receive = cls(tensor).receive
        return tensor.receive.__self__

    def receive(self, dx, source=None):
        """`Variable.receive`, with a note of who gives `dx`: `backward_step` has it at hand."""
        tensor = self.tensor()
        if tensor.dy is None:  # a new walk; a leaf keeps the last term only
            self.noted.clear()
        self.noted.append((sys._getframe(1).f_locals.get("op"), source, dx))
        type(tensor).receive(tensor, dx, source)
        for watch in list(self.watches):
            watch.arrived(self.noted[-1])


class _Lines:
    """Forward lines are remembered from the first Break on, until the last is removed."""

    breaks = []
    switch = None

    @classmethod
    def take(cls, handle):
        if not cls.breaks:
            cls.switch = remember_lines()
        cls.breaks.append(handle)

    @classmethod
    def give_back(cls, handle):
        if handle in cls.breaks:
            cls.breaks.remove(handle)
            if not cls.breaks:
                cls.switch.__exit__()


# ---- the two frames in which the debugger opens


def _stop_at_gradient(handle, tensor, terms, gradient, module):
    """Stop where `gradient` has arrived. `op`, `dy` and `dx` are of the term that satisfies the predicate, if one does.

    A sum can do so where no term does; then they are of the last one.
    """
    fitting = [term for term in terms if handle.holds(tensor.like(term[2]).detach())]
    op, dy, dx = (fitting or terms or [(None, None, gradient)])[-1]  # noqa: RUF059  for who looks around
    line = None if op is None else line_of(op)
    whose = f" of an output of {module}" if module else ""
    by = "given to backward()" if op is None else f"produced by the backward of {type(op).__name__}"
    print(f"break_when: gradient{whose} of shape {gradient.shape}, {by}")
    if op is not None:
        print(f"  forward line: {line or 'not known, it ran before break_when'}")
    print("  p op, dy, dx, gradient, tensor; u goes up into the walk")
    debugger = handle.open()
    debugger()
    return line  # the frame of break_when: op, dy, dx, gradient, line, tensor


def _stop_at_activation(handle, tensor, op, inputs, module):
    """Stop where a module has given `tensor`, the result of `op` (None where nothing is recorded)."""
    y, line = tensor.array, None if op is None else line_of(op)
    by = "not recorded" if op is None else f"the result of {type(op).__name__}"
    print(f"break_when: activation, output of {module}, of shape {y.shape}, {by}")
    print(f"  forward line: {line or 'not known'}")
    print("  p op, y, inputs, tensor, vars(op); u goes up to the module's call")
    debugger = handle.open()
    debugger()
    return line  # the frame of break_when: op, y, inputs, line, tensor


def _check_tensor(tensor):
    """Raise where no gradient will arrive."""
    if not tensor.requires_grad:
        raise RuntimeError("break_when: this tensor does not require grad, so no gradient arrives: see why_no_grad")
    if tensor.op is not None and tensor.op.inputs is None:
        raise RuntimeError("break_when: the graph of this tensor was freed by backward; call break_when before that")


def _tensors(output):
    """The tensors in what a module gave: itself, or in tuples, lists and dicts."""
    if isinstance(output, Tensor):
        return [output]
    if isinstance(output, dict):
        output = list(output.values())
    return [t for part in output for t in _tensors(part)] if isinstance(output, tuple | list) else []
