"""What a comparison found: rows, one per tensor; the first divergence; what it may come from. As text and as HTML."""

import html
from dataclasses import dataclass, field

import numpy as np

from .ulps import differences, ulps, worst

SHOWN = 12  # rows in the text of a report that is not ok: those around the divergence


@dataclass
class Row:
    """One tensor, as it was compared so far: where it was worst.

    Attributes
    ----------
    name, kind, phase : str
        The phase is "start", "forward", "backward", "update" or "end".
    step : int
        Where it was worst; the first step is 1, the start is 0.
    count : int
        How often it was compared.
    ours, theirs : numpy.ndarray or None
        The values there; None where there is no gradient.
    difference, allowed : float
        The largest absolute difference, and what rounding explains (tolerance.py).
    moved : float
        How far the one-ulp twin had moved it by then.
    problem : str
        Why the values could not be compared: a dtype, a shape, a gradient that is missing.
    """

    name: str
    kind: str
    phase: str
    step: int
    ours: object
    theirs: object
    difference: float
    allowed: float
    moved: float = 0.0
    problem: str = ""
    count: int = 1

    @property
    def ok(self):
        """Whether the difference is within what is allowed."""
        return not self.problem and self.difference <= self.allowed

    @property
    def share(self):
        """The difference as a share of what is allowed; above 1 is a divergence."""
        if self.problem:
            return np.inf
        return self.difference / self.allowed if self.allowed else (np.inf if self.difference else 0.0)

    @property
    def index(self):
        """The worst element's index; None if the values cannot be compared."""
        return None if self._apart() else worst(self.ours, self.theirs)

    @property
    def max_ulps(self):
        """The largest difference in ulps of the elements; None if the values cannot be compared."""
        return None if self._apart() or not self.ours.size else float(ulps(self.ours, self.theirs).max())

    @property
    def median_ulps(self):
        """The median difference in ulps."""
        return None if self._apart() or not self.ours.size else float(np.median(ulps(self.ours, self.theirs)))

    @property
    def relative(self):
        """The largest difference, divided by the largest element."""
        if self._apart() or not self.ours.size:
            return None
        size = float(np.abs(self.theirs.astype(np.float64)).max())
        return float(differences(self.ours, self.theirs).max()) / size if size else (np.inf if self.difference else 0.0)

    def _apart(self):
        return self.ours is None or self.theirs is None or self.ours.shape != self.theirs.shape


@dataclass
class Guess:
    """A cause that was tested: what it says was computed in place of PyTorch's, and what to do.

    Attributes
    ----------
    says, instead : str
    residual : float or None
        What difference is left if PyTorch's value is changed as `says`; None for facts that need no test.
    source : str
        Name of the catalogue's mistake, or of the hypothesis.
    """

    says: str
    instead: str = ""
    residual: object = None
    source: str = ""


@dataclass
class Report:
    """What `with_torch` and `with_golden` give; true if nothing diverged.

    Attributes
    ----------
    title : str
    rows : list of Row
        One per tensor, in the order in which they were met.
    first : Row or None
        The first divergence.
    guesses : list of Guess
        What the first divergence may come from, the likeliest first; empty if no known mistake explains it.
    notes : list of str
        What differs without being a divergence, and what could not be compared.
    steps : int
        How many steps were begun.
    losses : tuple of two lists of float
        This package's and PyTorch's, one per step.
    """

    title: str
    rows: list = field(default_factory=list)
    first: object = None
    guesses: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    steps: int = 0
    losses: tuple = field(default_factory=lambda: ([], []))
    twin: bool = True

    @property
    def ok(self):
        """Whether nothing diverged."""
        return self.first is None

    def __bool__(self):
        return self.ok

    def row(self, name):
        """The row of a tensor; KeyError if none is called so."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(
            f"row: no tensor was compared under the name {name!r}; wanted one of {[r.name for r in self.rows]}"
        )

    def __repr__(self):
        lines = [self.title, self._verdict()]
        if self.first is not None:
            lines += ["", *self._divergence()]
        lines += ["", *_aligned([HEAD, *(_cells(row) for row in self._shown())])]
        hidden = len(self.rows) - len(self._shown())
        if hidden:
            lines.append(f"... and {hidden} more that agree; all are in .rows")
        return "\n".join(lines + [f"note: {note}" for note in self.notes])

    def _verdict(self):
        """One sentence."""
        steps = f"{self.steps:,} step{'s' if self.steps != 1 else ''}"
        if self.first is not None:
            where = (
                "before the first step" if self.first.step == 0 else f"at step {self.first.step}, {self.first.phase}"
            )
            return f"DIFFERS {where}: {self.first.name}"
        if not self.rows:
            return "nothing was compared"
        closest = max(self.rows, key=lambda row: row.share)
        text = f"agrees: {len(self.rows)} tensors over {steps}, every difference within rounding"
        return f"{text}; the nearest to its limit is {closest.name}, {_share(closest.share)} of it"

    def _divergence(self):
        """The lines about the first divergence: (label, text), aligned."""
        row = self.first
        pairs = [("tensor", f"{row.name} ({row.kind}), {_form(row.theirs)}")]
        before = [r for r in self.rows if r is not row and r.ok]
        if before:
            pairs.append(("agreed before", f"{len(before)} tensors, the last of them {before[-1].name}"))
        if row.problem:
            pairs.append(("problem", row.problem))
        elif row.index is not None:
            ours, theirs = row.ours[row.index], row.theirs[row.index]
            place = f"[{', '.join(map(str, row.index))}]: " if row.index else ""
            pairs.append(("worst element", f"{place}ours {_number(ours)}, PyTorch {_number(theirs)}"))
            size = f"{row.difference:.3g}; relative to the largest element {_short(row.relative)}"
            pairs.append(
                ("difference", f"{size}; {_short(row.max_ulps)} ulps at most, median {_short(row.median_ulps)}")
            )
            measured = f"the one-ulp twin moved it by {row.moved:.2g}" if self.twin else "no twin"
            pairs.append(("allowed", f"{row.allowed:.3g} ({measured})"))
        if self.guesses:
            for i, guess in enumerate(self.guesses):
                left = "" if guess.residual is None else f" (leaves {guess.residual:.2g})"
                pairs.append(("guess" if i == 0 else "or", guess.says + left))
                if guess.instead:
                    pairs.append(("what to do", guess.instead))
        else:
            pairs.append(("guess", "no known mistake explains it"))
            pairs.append(("what to do", "look at what is computed between the last tensor that agrees and this one"))
        width = max(len(label) for label, _ in pairs)
        return [f"  {label:<{width}}  {text}" for label, text in pairs]

    def _shown(self):
        """The rows that the text shows: all if the report is ok, else the worst and those before the divergence."""
        if self.ok or len(self.rows) <= SHOWN:
            return self.rows
        bad = [i for i, row in enumerate(self.rows) if not row.ok]
        place = bad[0] if bad else 0
        chosen = {*bad[:SHOWN], *range(max(0, place - 4), place)}
        return [row for i, row in enumerate(self.rows) if i in chosen]

    def _repr_html_(self):
        """For notebooks: the same, with the rows in a table that scrolls; colours that suit light and dark pages."""
        colour = "#2a9d4a" if self.ok else "#d1452c"
        parts = [
            f'<div style="border-left:4px solid {colour};padding:.2em .8em;font-size:90%">',
            f"<div>{html.escape(self.title)}</div><div><b>{html.escape(self._verdict())}</b></div>",
        ]
        if self.first is not None:
            parts.append(
                f'<pre style="background:none;color:inherit">{html.escape(chr(10).join(self._divergence()))}</pre>'
            )
        cells = "".join(f'<th style="text-align:left">{html.escape(cell)}</th>' for cell in HEAD)
        parts.append(f'<div style="max-height:24em;overflow:auto"><table><thead><tr>{cells}</tr></thead><tbody>')
        for row in self.rows:
            shade = "" if row.ok else ' style="background:rgba(209,69,44,.18)"'
            cells = "".join(f'<td style="text-align:left">{html.escape(cell)}</td>' for cell in _cells(row))
            parts.append(f"<tr{shade}>{cells}</tr>")
        parts.append("</tbody></table></div>")
        parts += [f"<div>note: {html.escape(note)}</div>" for note in self.notes]
        return "".join(parts) + "</div>"


HEAD = ["tensor", "shape", "compared", "worst at", "difference", "ulps", "median", "allowed", "of it", ""]


def _cells(row):
    """A row of the table, as text."""
    shape = "" if row.theirs is None else "x".join(map(str, row.theirs.shape)) or "()"
    place = "start" if row.step == 0 else f"step {row.step}"
    sizes = ["-"] * 3 if row.problem else [f"{row.difference:.1e}", _short(row.max_ulps), _short(row.median_ulps)]
    limit = ["-", "-"] if row.problem else [f"{row.allowed:.1e}", _share(row.share)]
    return [row.name, shape, f"{row.count}x", place, *sizes, *limit, "" if row.ok else "DIFFERS"]


def _aligned(table):
    """Lines with columns of equal width."""
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table]


def _form(array):
    """Shape and dtype in words."""
    return "no values" if array is None else f"shape {tuple(array.shape)}, {array.dtype}"


def _number(value):
    """All digits that an element of its dtype has."""
    return str(value)


def _short(value):
    """A number in few characters."""
    return "-" if value is None else f"{value:.3g}"


def _share(share):
    """A share of what is allowed: in percent as long as that can be read."""
    return f"{100 * share:.0f} %" if share < 10 else f"{share:.2g} times"
