"""How a tape shows itself: as text, as a table of gradients, and in a notebook."""

import html as escape
from dataclasses import dataclass

import numpy as np

from .. import backend
from ..autograd.several import Several
from .lines import line_of, module_of
from .notes import shape_of

MOST_ROWS = 40  # ops that a notebook shows at once, around the one that runs next


@dataclass(frozen=True)
class Row:
    """One tensor and its gradient so far.

    Attributes
    ----------
    name : str
        The user's name, or what made it.
    tensor : Tensor
    shape : tuple
    status : str
        "pending": nothing has arrived. "1 of 2 terms" of the sum over its uses. "complete".
    gradient : array or None
        `dy` of an op's result, `.grad` of a leaf (with what was there before the tape).
    norm, min, max : float or None
        Of the gradient.
    """

    name: str
    tensor: object
    shape: tuple
    status: str
    gradient: object
    norm: float | None
    min: float | None
    max: float | None

    def cells(self):
        """The row as texts."""
        numbers = ["" if x is None else f"{x:.4g}" for x in (self.norm, self.min, self.max)]
        return [self.name, str(self.shape), self.status, *numbers]


class State(list):
    """The rows of a table: which tensor has which gradient so far."""

    titles = ("tensor", "shape", "gradient", "norm", "min", "max")

    def __repr__(self):
        rows = [list(self.titles), *(row.cells() for row in self)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(self.titles))]
        lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join(lines)

    def _repr_html_(self):
        return _table(self.titles, [(row.cells(), row.status == "pending", False) for row in self])


def summary(gradient):
    """(norm, min, max) of a gradient; of all its parts together if it has several; None where there is nothing."""
    parts = gradient.parts if isinstance(gradient, Several) else (gradient,)
    numbers = [backend.to_numpy(backend.as_array(part)).ravel() for part in parts if part is not None and part.size]
    if not numbers:
        return None, None, None
    numbers = np.concatenate(numbers).astype(np.float64)
    return float(np.sqrt((numbers * numbers).sum())), float(numbers.min()), float(numbers.max())


def state(tape):
    """The State of a tape."""
    terms, arrived = {id(tape.loss): 1}, {id(tape.loss): 1}
    tensors = {id(t): t for t in tape.order}
    for i in range(len(tape)):
        op = tape.op_at(i)
        for x, needed in zip(op.inputs or (), op.needs, strict=False):
            if needed:
                tensors.setdefault(id(x), x)
                terms[id(x)] = terms.get(id(x), 0) + 1
                arrived[id(x)] = arrived.get(id(x), 0) + (i < tape.position)
    return State(_row(tape, x, arrived.get(key, 0), terms.get(key, 0)) for key, x in tensors.items())


def _row(tape, x, arrived, terms):
    """The row of one tensor, at which so many terms of its gradient have arrived."""
    status = "pending" if not arrived else "complete" if arrived == terms else f"{arrived} of {terms} terms"
    gradient = x.grad_array if x.op is None else x.dy
    if x.op is None and gradient is not None and not arrived:
        status = "pending, .grad from before"
    shape = tuple(x.array.shape)
    return Row(tape.name(x), x, shape, status, gradient, *(summary(gradient)))


def text(tape):
    """The repr of a tape: how far it is, what runs next, and where that was made."""
    head = f"{tape.position} of {len(tape)} ops done"
    if tape.done:
        return f"<Tape: {head}; at the end>"
    op, t = tape.op, tape.tensor
    name = tape.names.get(id(t), "a tensor")
    module, line = module_of(op), line_of(op)
    inside = f", module {module}" if module else ""
    made = f"\n  {line}" if line else ""
    return f"<Tape: {head}; next: {op.torch_name} of {name} {shape_of(t)}{inside}{made}>"


# ---- in a notebook


def html(tape):
    """A table of the ops in the order of backward, the next one lit, and one of the leaves."""
    first = max(0, min(tape.position - MOST_ROWS // 2, len(tape) - MOST_ROWS))
    last = min(len(tape), first + MOST_ROWS)
    rows = [_op_row(tape, i) for i in range(first, last)]
    before = f"<p>{first} more above</p>" if first else ""
    after = f"<p>{len(tape) - last} more below</p>" if last < len(tape) else ""
    leaves = [row for row in state(tape) if row.tensor.op is None]
    titles = ("", "op", "result", "shape", "module", "made at", "norm of dy", "min", "max")
    ops = _table(titles, rows)
    gradients = State(leaves)._repr_html_()
    head = f"{tape.position} of {len(tape)} ops done" + ("; at the end" if tape.done else "")
    return f"<div><p><b>Tape</b>: {head}</p>{before}{ops}{after}<p>Leaves</p>{gradients}</div>"


def _op_row(tape, i):
    """The cells of op i, whether it is to be pale, and whether it is lit."""
    t, op, next_one = tape.order[i], tape.op_at(i), i == tape.position
    mark = "&#9654;" if next_one else "&#10003;" if i < tape.position else ""
    name, line = tape.names.get(id(t), ""), line_of(op)
    numbers = ["" if x is None else f"{x:.4g}" for x in summary(t.dy)]
    cells = [op.torch_name, name, shape_of(t), module_of(op) or "", str(line or ""), *numbers]
    return [mark, *cells], t.dy is None, next_one


def _table(titles, rows):
    """An HTML table that is readable on light and dark pages: it sets no colour of text."""
    cell = "<td style='text-align:left;white-space:nowrap'>{}</td>"
    lines = []
    for cells, pale, lit in rows:
        marked = [c if c.startswith("&#") else escape.escape(c) for c in cells]
        style = "background:rgba(255,170,0,.35);font-weight:bold" if lit else "opacity:.55" if pale else ""
        lines.append(f"<tr style='{style}'>" + "".join(cell.format(c) for c in marked) + "</tr>")
    head = "".join(f"<th style='text-align:left'>{escape.escape(title)}</th>" for title in titles)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
