"""Why has this tensor no gradient? Where the graph was cut, and by what."""

from ..engine import Variable
from . import journal
from .lines import line_of, remember_lines
from .notes import shape_of

RERUN = (
    "Run the forward pass under `with debug.remember_lines():`, or give the loss as a function, "
    "debug.why_no_grad(tensor, lambda: compute_loss()), to see where"
)

# cause of a cut: what to say of it, and what to do
CUTS = {
    "data": ("the values were taken out of the graph by .data", "Leave .data away, or write inside no_grad"),
    "detach": ("the values were taken out of the graph by .{name}()", "Leave it away where the gradient is wanted"),
    "no_grad": ("{name} ran under no_grad, so it was not recorded", "Move it out of the no_grad block"),
    "integer": (
        "{name} gives integers or bools, which carry no gradient",
        "Use a differentiable function, for example softmax or sigmoid, where the gradient shall pass",
    ),
    "rebuilt": (
        "a new tensor was made of its values by {name}, and a new tensor is a leaf",
        "Use the tensor itself; to join tensors, torch.stack or torch.cat",
    ),
    "in place": (
        "its values were written into another tensor by {name}, unrecorded",
        "Make a new tensor, or write outside of no_grad and not into .data",
    ),
    "late": (
        "it did not require grad yet when {name} ran, so that was not recorded",
        "Set requires_grad before the forward pass",
    ),
    "other": ("{name} gives a tensor outside of the graph", "Use a differentiable function there"),
}


class Reason:
    """Why a tensor has no gradient.

    Attributes
    ----------
    cause : str
        "data", "detach", "no_grad", "integer", "rebuilt", "in place", "late": an operation cut the graph.
        "array", "number": its values left the graph as an array or Python numbers, and did not come back.
        "requires_grad": it asks for none. "not retained": it is no leaf, and its gradient was not kept. "freed": the
        graph is gone. "never used": the loss was not computed from it. "not walked": nothing is cut, backward was not
        called. "has gradient": it has one. "zero": it has one, of zeros. "unknown": lines were not remembered.
    line : Line or None
        Where that happened.
    text : str
        What happened, and what to do.
    more : list of Reason
        The other cuts, if it was cut on several paths.
    """

    def __init__(self, cause, text, line=None, more=()):
        self.cause, self.text, self.line, self.more = cause, text, line, list(more)

    def __repr__(self):
        at = f"\n  at {self.line}" if self.line else ""
        others = "".join(f"\nand: {reason!r}" for reason in self.more)
        return f"{self.cause}: {self.text}{at}{others}"


def why_no_grad(tensor, loss):
    """Why `tensor` has no gradient from `loss`: what cut the graph between them, and at which line.

    Where the graph was cut can be said if lines were remembered during the forward pass (`remember_lines`), or if the
    loss is given as a function, which is then called once more.

    Parameters
    ----------
    tensor : Tensor
        The one that has no gradient.
    loss : Tensor, or function that computes one
        Where backward was, or will be, called.

    Returns
    -------
    Reason
        With cause, line and text. It prints as an explanation.

    Raises
    ------
    TypeError
        If `tensor` or `loss` is no tensor; a number (``loss.item()``) has no graph.

    >>> from minitorch_bn import tensor
    >>> w = tensor([1.0, 2.0], requires_grad=True)
    >>> def compute_loss():
    ...     h = w * 3
    ...     y = h.detach().exp()
    ...     return y.sum()
    >>> print(why_no_grad(w, compute_loss))  # doctest: +ELLIPSIS
    detach: the values were taken out of the graph by .detach(). Leave it away where the gradient is wanted.
      at <doctest ...>:3 in compute_loss: y = h.detach().exp()
    """
    if not isinstance(tensor, Variable):
        raise TypeError(f"why_no_grad: got {type(tensor).__name__} as tensor, wanted a Tensor")
    if callable(loss):
        with remember_lines():
            journal.begin()
            loss = loss()
    if not isinstance(loss, Variable):
        raise TypeError(
            f"why_no_grad: got {type(loss).__name__} as loss, wanted a Tensor, or a function that returns one; a "
            "number (.item()) has no graph any more"
        )
    return _asks_for_none(tensor) or _by_graph(tensor, loss) or _by_journal(tensor, loss)


def _asks_for_none(tensor):
    """The reason if the tensor requires no gradient, or None."""
    if tensor.requires_grad:
        return None
    found = journal.known(tensor)
    if tensor.array.dtype.kind != "f":
        what = f"it is of dtype {tensor.dtype}: only floating point tensors have gradients."
        return Reason("integer", what, _line(found))
    if found is not None and found.cause in ("data", "detach", "no_grad", "integer", "rebuilt", "other"):
        return _cut(found)
    if found is not None and found.cause == "late":
        return Reason(
            "requires_grad",
            f"it is the result of {found.name} of tensors that do not require grad. Call requires_grad_() on those "
            "before the forward pass, or on it, if it is to be a leaf.",
            found.line,
        )
    return Reason(
        "requires_grad",
        "its requires_grad is False: it asks for no gradient. Call requires_grad_() before the forward pass, or make "
        "it with requires_grad=True; in a module it must be a Parameter that is not frozen.",
    )


def _by_graph(tensor, loss):
    """The reason as far as the recorded graph knows it, or None."""
    reached, freed = _reached(loss)
    shape = shape_of(tensor)
    if id(tensor) in reached:
        if tensor.op is not None and tensor.op.inputs is None:
            return _freed_reason(tensor, loss)
        if tensor.op is not None and not tensor.retains_grad and tensor is not loss:
            return Reason(
                "not retained",
                f"it is no leaf, but the result of {type(tensor.op).__name__}, shape {shape}: its gradient passes by "
                "and is not kept. Call retain_grad() on it before backward(), or step through it: debug.tape(loss).",
                line_of(tensor),
            )
        return _has_or_awaits(tensor)
    return _freed_reason(tensor, loss) if freed else None


def _has_or_awaits(tensor):
    """The reason for a tensor that the graph connects with the loss."""
    if tensor.grad_array is None:
        how = "Call loss.backward(); if that was done, it was on another loss, or the gradient was set to None since."
        return Reason("not walked", f"nothing is cut: the loss depends on it in the recorded graph. {how}")
    if tensor.grad_array.size and not tensor.grad_array.any():
        how = "debug.why(tensor, index) shows its terms: a dead ReLU, a saturated tanh, a factor 0?"
        return Reason("zero", f"nothing is cut: it has a gradient, and all of it is 0. {how}")
    return Reason("has gradient", "nothing is cut: it has a gradient, see .grad.")


def _freed_reason(tensor, loss):
    """The reason where the graph has been freed on the way, or None if the journal may know of a cut."""
    start, end = journal.known(tensor), journal.known(loss)
    if start is not None and end is not None and not _carries(start, end)[0]:
        return None
    walked = loss.op.inputs is None  # then the gradient of this very loss has been computed
    if tensor.op is not None and not tensor.retains_grad:
        return Reason(
            "not retained",
            "it is no leaf: its gradient passed by and was not kept, and the graph has been freed since. Call "
            "retain_grad() on it before backward(), or step through a new graph: debug.tape(loss).",
            line_of(tensor) or _line(start),
        )
    if walked and tensor.grad_array is not None:
        return _has_or_awaits(tensor)
    seen = walked and start is not None and end is not None
    why = "its gradient has been computed then, and set to None since" if seen else RERUN
    again = f"{why}." if walked else "call backward(retain_graph=True) the first time."
    return Reason(
        "freed",
        "the graph was freed by a backward() that went through it, or through a part of it, before. Compute the loss "
        f"again, or {again}"
        if not walked
        else f"the graph was freed by backward(); {again}",
        _line_of_a_walk(loss),
    )


def _by_journal(tensor, loss):
    """The reason that the journal knows."""
    start, end = journal.known(tensor), journal.known(loss)
    if end is None:
        return Reason("unknown", f"the loss does not depend on it in the recorded graph. {RERUN}.")
    if start is None:  # then another tensor in its memory may have been used
        other = journal.memory_of(tensor.array)
        cuts = [o for o in _ancestors(end) if o is other]
    else:
        _, cuts = _carries(start, end)
    if cuts:
        first, *more = [_cut(found) for found in cuts]
        first.more = more
        return first
    left = _conversions(start, end)
    if left:
        return left[-1]
    if _whole(end) and (start is not None or tensor.op is None):
        how = "Is it an older tensor of that name, or a layer that forward does not call?"
        return Reason("never used", f"the loss was not computed from it. {how}", end.line)
    return Reason(
        "unknown", f"the loss does not depend on it in what was recorded, and not all of it was remembered. {RERUN}."
    )


# ---- searches


def _reached(loss):
    """({id of a tensor: the tensor that backward from the loss reaches}, whether a freed op stands in the way)."""
    reached, todo, freed = {id(loss): loss}, [loss], False
    for t in todo:
        op = t.op
        if op is None:
            continue
        if op.inputs is None:
            freed = True
            continue
        for x, needed in zip(op.inputs, op.needs, strict=True):
            if needed:
                todo += _selves(x, op.serial, reached)
    return reached, freed


def _selves(x, serial, reached):
    """The tensor that op `serial` read, where it was not met before; both that and x if x was written to since."""
    read = x
    while read.op is not None and read.op.serial > serial and read.op.inputs:
        reached.setdefault(id(x), x)
        read = read.op.inputs[0]
    new = id(read) not in reached
    reached[id(read)] = read
    return [read] if new else []


def _ancestors(end):
    """The origins that `end` came from, itself included, oldest first."""
    found, todo = {end.number: end}, [end]
    for origin in todo:
        for parent, _ in origin.parents:
            if parent.number not in found:
                found[parent.number] = parent
                todo.append(parent)
    return [found[number] for number in sorted(found)]


def _carries(start, end):
    """Whether a gradient gets from `end` to `start`; and the origins that stop it on its ways."""
    reached, carrying, cuts = {start.number}, {start.number}, []
    for origin in _ancestors(end):
        if origin.number == start.number or not any(parent.number in reached for parent, _ in origin.parents):
            continue
        reached.add(origin.number)
        before = [flows for parent, flows in origin.parents if parent.number in carrying]
        if any(before):
            carrying.add(origin.number)
        elif before:
            cuts.append(origin)
    return end.number in carrying, cuts


def _conversions(start, end):
    """The reasons from values that came from `start` and became numbers or an array before `end` was computed."""
    since = max(number for number in journal.starts if number < end.number)
    reasons = []
    for number, how, line, origin in journal.conversions:
        if since < number < end.number and start is not None and any(found is start for found in _ancestors(origin)):
            _, cuts = _carries(start, origin)
            reasons.append(_cut(cuts[0]) if cuts and cuts[0].cause == "integer" else _conversion(how, line, origin))
    return reasons


def _conversion(how, line, origin):
    """The reason for values that became numbers or an array."""
    array = how in ("numpy", "__array__")
    call = {"__array__": "NumPy", "__float__": "float()", "__int__": "int()", "__index__": "indexing"}.get(
        how, f".{how}()"
    )
    made = f" (after .{origin.name}())" if origin.cause in ("detach", "data") else ""
    return Reason(
        "array" if array else "number",
        f"its values became {'an array' if array else 'Python numbers'} by {call}{made}; what is computed from those "
        "has no graph, and no other way to the loss was seen. Stay with tensors up to the loss.",
        line,
    )


def _whole(end):
    """Whether the journal has seen everything that led to `end`: no op was recorded before it began."""
    return not any(origin.name == journal.EARLIER for origin in _ancestors(end))


def _line_of_a_walk(loss):
    """The line of the walk that freed a part of the loss's graph, if it was seen."""
    reached, _ = _reached(loss)
    return next((line for t in reached.values() if (line := journal.walks.get(t)) is not None), None)


def _cut(origin):
    """The reason for one cut."""
    cause = {"recorded": "late", "first seen": "rebuilt"}.get(origin.cause, origin.cause)
    what, how = CUTS.get(cause, CUTS["other"])
    return Reason(cause, f"{what.format(name=origin.name or 'a function')}. {how}.", origin.line)


def _line(origin):
    """The line of an origin, if there is one."""
    return None if origin is None else origin.line
