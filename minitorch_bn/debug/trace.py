"""A trace: what every op of a graph read, saved, gave and handed back, in the order of forward; and its proof.

`trace` walks backward from a loss by the engine's own steps, looks at every op on the way, and leaves the graph and all
gradients as they were. A trace proves itself: every op is run a second time, forward from the recorded inputs and
backward from the recorded gradient, and has to give the same bits. What differs is an error that names the op.
"""

import copy
import inspect
from dataclasses import dataclass, field, replace

import numpy as np

from .. import backend, clock, engine
from ..autograd.function import FunctionNode
from ..autograd.several import Several
from ..hooks import Probe
from ..nn.module import Module
from .lines import line_of, module_of

MAY_BE_NOTHING = {"b", "gamma", "beta"}  # arguments of forwards for which None is nothing, and numbers are not given
NOT_SAVED = ("inputs", "needs", "serial", "hooks", "ctx", "backward")  # attributes of ops that are no saved values


@dataclass
class Value:
    """One array that an op read, saved or gave.

    Attributes
    ----------
    name : str
        Its name in the op: "x", "gamma", "dx".
    array : array, number or None
        None where an op was given nothing, or a number that the graph does not keep.
    called : str
        The user's name for the tensor, or "".
    source : int or None
        The number of the record that made it; None for a leaf.
    leaf : bool
        Whether it is a leaf that requires grad: a parameter.
    """

    name: str
    array: object
    called: str = ""
    source: object = None
    leaf: bool = False


@dataclass
class Record:
    """One op of the graph: forward and backward.

    Attributes
    ----------
    op : Op
    called, module : str
        The user's name for its result, and the dotted name of the module whose forward applied it; "" if not known.
    line : Line or None
        Where the user's code applied it.
    inputs, outputs, dy, gradients : list of Value
        What forward read and gave, what backward got and gave. `dy` is empty where no gradient arrived.
    saved : list of Value
        The arrays among ``vars(op)``.
    settings : dict
        What else is there: eps, axes, shapes.
    unproved : dict
        {"forward" or "backward": why that was not run a second time}.
    """

    op: object
    called: str = ""
    module: str = ""
    line: object = None
    inputs: list = field(default_factory=list)
    outputs: list = field(default_factory=list)
    dy: list = field(default_factory=list)
    gradients: list = field(default_factory=list)
    saved: list = field(default_factory=list)
    settings: dict = field(default_factory=dict)
    unproved: dict = field(default_factory=dict)


def trace(loss, names=None, model=None, numbers=None):
    """The records of all ops that `loss` was computed from, oldest first.

    Parameters
    ----------
    loss : Tensor
        With one element and a graph that has not been freed.
    names : dict, optional
        {name: Tensor or Module}, for example ``locals()``: what the page calls things.
    model : Module, optional
        Its parameters have their names from it.
    numbers : dict, optional
        {serial of an op: what it was applied to that is no tensor}, in the places of its arguments; see `Numbers`.

    Raises
    ------
    TypeError
        If `loss` is no tensor.
    RuntimeError
        If it has no graph, has more than one element, its graph has been freed, saved values have been written to
        since, or an op that is run again does not give the same bits.
    """
    order = _graph(loss)
    called = _names(names, model)
    places = {id(t): i for i, t in enumerate(reversed(order))}
    records = [_record(t, places, called, numbers or {}) for t in reversed(order)]
    leaves = {id(x): x for t in order for x in t.op.inputs if x is not None and x.op is None}
    before = [(x, x.dy, x.grad_array) for x in (*order, *leaves.values())]
    try:
        for x, *_ in before:
            x.dy = x.grad_array = None
        loss.receive(loss.array**0)
        for t, record in zip(order, reversed(records), strict=True):
            if t.dy is not None:
                _look_back(t, record)
    finally:
        for x, dy, grad_array in before:
            x.dy, x.grad_array = dy, grad_array
    return records


def _graph(loss):
    """The recorded tensors, newest first, or an error that says what is wrong with `loss`."""
    if not isinstance(loss, engine.Variable):
        raise TypeError(f"replay: got {type(loss).__name__}, wanted a loss: a Tensor with one element, or a function")
    if loss.op is None:
        raise RuntimeError(
            "replay: the loss has no graph. Was it computed under no_grad, from detached tensors, or from tensors "
            "without requires_grad=True? Compute it with recording on."
        )
    if loss.array.size != 1:
        raise RuntimeError(f"replay: got a tensor of shape {loss.array.shape}, wanted one number; reduce it: .mean()")
    try:
        order = engine.graph(loss)
    except RuntimeError as error:
        raise RuntimeError(
            "replay: the graph has been freed by backward(). Call replay before backward(), use "
            "backward(retain_graph=True), or give replay the whole step as a function."
        ) from error
    clock.check(order)
    return order


def _names(names, model):
    """{id of a tensor: name}, from the user's variables, and from the model, whose names win."""
    called = {}
    for name, value in (names or {}).items():
        if isinstance(value, engine.Variable) and not name.startswith("_"):
            called.setdefault(id(value), name)
    modules = [(name, m) for name, m in (names or {}).items() if isinstance(m, Module) and not name.startswith("_")]
    for prefix, module in [*modules, *([("", model)] if model is not None else [])]:
        for name, p in module.named_parameters():
            called[id(p)] = f"{prefix}.{name}".lstrip(".")
    return called


def _record(t, places, called, numbers):
    """What is known of the op of `t` before the walk, with its forward proved."""
    op = t.op
    given = numbers.get(op.serial, [None] * len(op.inputs))
    words = _argument_names(op)
    record = Record(op, called.get(id(t), ""), module_of(op) or "", line_of(op))
    for x, number, word in zip(op.inputs, given, words, strict=True):
        if x is None:
            record.inputs.append(Value(word, number))
        else:
            leaf = x.op is None and x.requires_grad
            record.inputs += _values(word, x.array, called.get(id(x), ""), places.get(id(x)), leaf)
    record.outputs = _values("y", t.array, record.called)
    _look_at_saved(op, record)
    _prove_forward(t, [number if x is None else x.array for x, number in zip(op.inputs, given, strict=True)], record)
    return record


def _argument_names(op):
    """One name for every input of `op`: those that its forward gives them."""
    names = []
    for p in inspect.signature(type(op).forward).parameters.values():
        if p.kind is p.VAR_POSITIONAL:
            names += [f"{p.name.rstrip('s') or p.name}{i}" for i in range(len(op.inputs) + 1 - len(names))]
        else:
            names.append(p.name)
    return names[1 : len(op.inputs) + 1]


def _values(name, array, *rest):
    """`array` as a list of values: several where it is the results of a function with several, or none."""
    if isinstance(array, Several):
        return [Value(f"{name}[{i}]", part, *rest) for i, part in enumerate(array.parts) if part is not None]
    return [] if array is None else [Value(name, array, *rest)]


def _look_at_saved(op, record):
    """Sort what stands on the op into arrays and settings."""
    for name, value in vars(op).items():
        parts = value if type(value) in (tuple, list) else ()
        if name in NOT_SAVED:
            continue
        if backend.is_array(value):
            record.saved.append(Value(name, value))
        elif any(backend.is_array(part) for part in parts):
            record.saved += [Value(f"{name}[{i}]", part) for i, part in enumerate(parts) if backend.is_array(part)]
        elif value is not None and not callable(value) and not isinstance(value, engine.Op | Several):
            record.settings[name] = value


def _look_back(t, record):
    """The engine's step of `t`, with a look at what goes in and what comes out, and a second run that proves it."""
    op, dy = t.op, t.dy
    gradients = op.backward(dy)
    record.dy = _values("dy", dy, record.called)
    for x, word, dx, needed in zip(op.inputs, _argument_names(op), gradients, op.needs, strict=False):
        if needed and dx is not None:
            called, leaf = _of(x, word, record)
            record.gradients += _values(f"d{word}", dx, called, None, leaf)
    if isinstance(op, Probe | FunctionNode):
        record.unproved["backward"] = "it is code of the user's, and ran once"
    elif not _same(gradients, op.backward(dy)):
        raise RuntimeError(_differs(op, record, "backward", "the recorded gradient"))
    op.backward = lambda dy: gradients  # already there: the step below is not to compute them a third time
    try:
        t.backward_step()
    finally:
        del op.backward


def _of(x, word, record):
    """The user's name of input `x`, and whether it is a leaf."""
    found = [v.called for v in record.inputs if v.name == word or v.name.startswith(f"{word}[")]
    return (found[0] if found else ""), x.op is None


def _prove_forward(t, arguments, record):
    """Run the op's forward again, on a copy of the op, from what is recorded; compare the result and what it saves."""
    op = t.op
    if isinstance(op, Probe | FunctionNode):
        record.unproved["forward"] = "it is code of the user's, and ran once"
        return
    failed = ""  # what was different where forward ran through
    unknown = [i for i, x in enumerate(op.inputs) if x is None and arguments[i] is None]
    scalars = [v for v in record.settings.values() if isinstance(v, int | float | np.generic)] if unknown else []
    for number in (None, *scalars):  # nothing; or, if that fails, a number that forward has saved: the bits decide
        tried = [number if i in unknown else a for i, a in enumerate(arguments)]
        again = copy.copy(op)
        try:
            y = again.forward(*tried)
        except (TypeError, AttributeError):
            if not unknown:
                raise
            continue
        if not _same(y, t.array):
            wrong = "the recorded inputs"
        else:
            wrong = next((f"the recorded inputs, in its '{name}'," for name in _unequal(op, again)), "")
        if not wrong:
            record.inputs = [v if v.array is not None else replace(v, array=number) for v in record.inputs]
            return
        if number is None and y.dtype == t.array.dtype:  # NumPy makes objects of a number that is missing
            failed = wrong
    if failed and MAY_BE_NOTHING.issuperset(record.inputs[i].name for i in unknown):
        raise RuntimeError(_differs(op, record, "forward", failed))
    record.unproved["forward"] = "the graph does not keep the number that it was applied to; give replay a function"


def _unequal(op, again):
    """The names of saved arrays that are not the same in both."""
    return (k for k, v in vars(op).items() if backend.is_array(v) and not _same(vars(again)[k], v))


def _differs(op, record, direction, start):
    """The message for an op that does not give the same a second time."""
    where = f" Its forward line: {record.line}." if record.line else ""
    shapes = ", ".join(f"{v.name} {np.shape(v.array)}" for v in record.inputs)
    return (
        f"replay: {type(op).__name__}.{direction}, run again from {start}, does not give the same bits ({shapes}). Was "
        f"an input written to after the forward (.data, under no_grad, its NumPy array), or is the op random?{where}"
    )


def _same(a, b):
    """Whether two results are equal bit for bit: arrays, numbers, or tuples of these and None."""
    if isinstance(a, Several) and isinstance(b, Several):
        a, b = a.parts, b.parts
    if type(a) in (tuple, list):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    if a is None or b is None:
        return a is b
    a, b = backend.to_numpy(backend.as_array(a)), backend.to_numpy(backend.as_array(b))
    if a is b:
        return True
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    bits = f"u{a.dtype.itemsize}"
    return np.array_equal(np.ascontiguousarray(a).view(bits), np.ascontiguousarray(b).view(bits))
