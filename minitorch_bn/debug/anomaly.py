"""Stop at the first NaN or infinity, in forward or in backward, and say where it came from.

`autograd.detect_anomaly` is PyTorch's: it looks at backward only, and names the op. This one looks at every op's result
as well, and prints what one would look up next: the line of forward, the ranges of the inputs, what the op has saved.

The engine has no hooks. While a block of `detect_anomaly` is open, two of its names are something else: `Op.needs`,
which the engine sets on every op right before forward, is a property, whose setter puts a look behind that one
op's forward; and `Variable.backward_step` looks at the gradients of the op before the engine hands them on.
"""

import numpy as np

from .. import engine
from ..autograd.several import Several
from . import lines

MOST_SAVED = 8  # arrays among the saved values that a message shows


class detect_anomaly:
    """Inside ``with detect_anomaly():``, the first op that gives NaN or infinity raises.

    Parameters
    ----------
    forward, backward : bool
        Whether to look at the results of ops, and at their gradients.
    infinity : bool
        Whether infinity counts. False is for models that use it on purpose, such as masks of -inf before a softmax.

    Raises
    ------
    RuntimeError
        From the op's forward or backward. The message has the op, its line in forward, shape and range of its inputs
        and of what it saved; `error.op` is the op itself.

    Notes
    -----
    Blocks may be nested: what any of them looks for is looked for. Outside, nothing is slower. NumPy's warnings about
    such numbers are silenced inside, because the error says more.

    >>> from minitorch_bn import tensor
    >>> x = tensor([1.0, 0.0], requires_grad=True)
    >>> with detect_anomaly():
    ...     y = (x * x).log()  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    RuntimeError: detect_anomaly: forward of Log gave infinity: 1 of 2 elements, the first at [1]
    ...
    """

    _open = []
    """The blocks that are open now, the outermost first."""

    def __init__(self, forward=True, backward=True, infinity=True):
        self.forward, self.backward, self.infinity = bool(forward), bool(backward), bool(infinity)

    def __enter__(self):
        self.lines = lines.remember_lines()
        if not self._open:
            _put_looks_in()
        self._open.append(self)
        return self

    def __exit__(self, *why):
        self._open.remove(self)
        if not self._open:
            _take_looks_out()
        self.lines.__exit__(*why)


# ---- where the looks are put


_before = {}
"""What the engine's two names were before the first block was opened."""


def _put_looks_in():
    _before.update(needs=vars(engine.Op)["needs"], step=engine.Variable.backward_step)
    engine.Op.needs = property(_get_needs, _set_needs)
    engine.Variable.backward_step = _step


def _take_looks_out():
    engine.Op.needs = _before["needs"]
    engine.Variable.backward_step = _before["step"]
    _before.clear()


def _get_needs(op):
    return vars(op).get("needs")


def _set_needs(op, needs):
    """What runs instead of ``op.needs = needs``: forward comes next, and is looked at once."""
    vars(op)["needs"] = needs
    if any(block.forward for block in detect_anomaly._open):
        op.forward = lambda *inputs: _looked_at_forward(op, inputs)


def _looked_at_forward(op, inputs):
    """The op's forward, and a look at its result."""
    del op.forward  # vars(op) is to show the op's own attributes only
    with np.errstate(all="ignore"):
        y = op.forward(*inputs)
    looked_for = _looked_for("forward")
    found = _first_bad(y, looked_for)
    if found is not None:
        what = [*((f"x{i}", x) for i, x in enumerate(inputs)), ("y", y)]
        already = [name for name, x in what[:-1] if _first_bad(x, looked_for) is not None]
        _raise("forward", op, found, what, already)
    return y


def _step(self):
    """The chain rule of one op, with a look at the gradients before they are handed on."""
    op, dy = self.op, self.dy
    if dy is None or not any(block.backward for block in detect_anomaly._open):
        return _before["step"](self)

    def looked_at_backward(dy):
        del op.backward
        with np.errstate(all="ignore"):
            gradients = op.backward(dy)
        looked_for = _looked_for("backward")
        for i, (dx, needed) in enumerate(zip(gradients, op.needs, strict=False)):
            found = _first_bad(dx, looked_for) if needed else None
            if found is not None:
                inputs = [(f"x{k}", x.array) for k, x in enumerate(op.inputs) if x is not None]
                what = [("dy", dy), (f"dx{i}", dx), *inputs]
                already = [name for name, x in (what[0], *inputs) if _first_bad(x, looked_for) is not None]
                _raise("backward", op, found, what, already)
        return gradients

    op.backward = looked_at_backward
    try:
        return _before["step"](self)
    finally:
        vars(op).pop("backward", None)


# ---- what they look for


def _looked_for(direction):
    """What the open blocks look for in this direction: "nan", or "all" if infinity counts as well."""
    blocks = [block for block in detect_anomaly._open if getattr(block, direction)]
    return "all" if any(block.infinity for block in blocks) else "nan"


def _first_bad(x, looked_for):
    """(kind, how many, of how many, index of the first) of the bad numbers in an array; None if there are none."""
    if isinstance(x, Several):
        return next((found for part in x.parts if (found := _first_bad(part, looked_for)) is not None), None)
    if getattr(getattr(x, "dtype", None), "kind", None) != "f":
        return None
    bad = np.isnan(x) if looked_for == "nan" else ~np.isfinite(x)
    if not bool(bad.any()):
        return None
    index = np.unravel_index(int(bad.argmax()), bad.shape)
    kind = "nan" if bool(np.isnan(x[index])) else "infinity"
    return kind, int(bad.sum()), bad.size, [int(i) for i in index]


# ---- what they say


def _raise(direction, op, found, what, already):
    """Raise the RuntimeError that names the op and shows what it had at hand."""
    kind, count, size, index = found
    where = f"{count} of {size} elements, the first at {index}" if index else "the only element"
    told = [f"detect_anomaly: {direction} of {type(op).__name__} gave {kind}: {where}"]
    if direction == "forward":  # it is running now
        line, module = lines.caller(), lines._running[-1][1] if lines._running else None
    else:
        line, module = lines.line_of(op), lines.module_of(op)
    told.append(
        f"  line    {line}" if line else "  line    not known: the op ran before detect_anomaly was switched on"
    )
    told += [f"  module  {module}"] * bool(module)
    told += [f"  {name:<7} {_range(x)}" for name, x in what]
    shown = {id(x) for _, x in what}
    saved = {name: value for name, value in vars(op).items() if hasattr(value, "dtype") and id(value) not in shown}
    told += [f"  saved   {name}: {_range(value)}" for name, value in list(saved.items())[:MOST_SAVED]]
    if already:
        told.append(f"  {' and '.join(already)} held such numbers already: look at where they come from")
    error = RuntimeError("\n".join(told))
    error.op = op
    raise error


def _range(x):
    """dtype, shape, smallest and largest finite number, and how many are not finite."""
    if isinstance(x, Several):
        return "; ".join("nothing" if part is None else _range(part) for part in x.parts)
    if not hasattr(x, "dtype"):
        return f"{x!r}"[:60]
    text = f"{x.dtype} {tuple(x.shape)}"
    if x.dtype.kind not in "fiu" or not x.size:
        return text
    fine = x[np.isfinite(x)]
    if fine.size:
        text += f"  from {float(fine.min()):.4g} to {float(fine.max()):.4g}"
    if x.dtype.kind == "f":
        counts = {"nan": np.isnan(x), "inf": x == np.inf, "-inf": x == -np.inf}
        text += "".join(f", {n} {name}" for name, bad in counts.items() if (n := int(bad.sum())))
        zeros = int((x == 0).sum())
        text += f", {zeros} zeros" if zeros else ""
    return text
