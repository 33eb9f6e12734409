"""The conformance table: does a BatchNorm give what PyTorch's gives, cell by cell, and where not, which mistake is it.

`conformance(implementation)` goes through scenarios.py and compares with the numbers that PyTorch gave, which are
stored. `python -m minitorch_bn.compare` prints the table for this package, and for others that are installed.

>>> print(conformance_of_mistake("biased-running-variance").crossed)
['running_var', 'eval after training', '(N, C, L) statistics', ...]
"""

import functools
import html
from dataclasses import dataclass

import numpy as np

from .adapters import Absent, Fails, FormulaAdapter, adapter_for
from .catalogue import MISTAKES, find, rounding
from .scenarios import SCENARIOS, read_reference, run

GRADIENTS = ("dx", "dgamma", "dbeta")
STATISTICS = ("running_mean", "running_var")
OUTPUTS = ("y", *GRADIENTS)

# column: (scenario, what is compared). An error in PyTorch must be an error of that type.
COLUMNS = {
    "train y": ("train", ("y",)),
    "train dx": ("train", ("dx",)),
    "dgamma": ("train", ("dgamma",)),
    "dbeta": ("train", ("dbeta",)),
    "running_mean": ("train", ("running_mean",)),
    "running_var": ("train", ("running_var",)),
    "start 0 and 1": ("start", STATISTICS),
    "eval y": ("eval", ("y",)),
    "eval dx": ("eval", ("dx",)),
    "eval dgamma, dbeta": ("eval", ("dgamma", "dbeta")),
    "eval moves nothing": ("eval", STATISTICS),
    "eval after training": ("train, then eval", OUTPUTS),
    "(N, C, L)": ("sequence", OUTPUTS),
    "(N, C, H, W)": ("image", OUTPUTS),
    "(N, C, D, H, W)": ("volume", OUTPUTS),
    "(N, C, L) statistics": ("sequence", STATISTICS),
    "(N, C, H, W) statistics": ("image", STATISTICS),
    "(N, C, D, H, W) statistics": ("volume", STATISTICS),
    "(N, C, H, W) in eval": ("image in eval", OUTPUTS),
    "large eps": ("large eps", OUTPUTS),
    "large eps in eval": ("large eps in eval", OUTPUTS),
    "momentum 0.3, 2 batches": ("momentum 0.3", ("running_mean",)),
    "momentum None, 3 batches": ("momentum None", STATISTICS),
    "num_batches_tracked": ("momentum 0.3", ("num_batches_tracked",)),
    "affine=False": ("no affine", ("y", "dx")),
    "affine=False in eval": ("no affine in eval", ("y", "dx")),
    "no tracking": ("no tracking", OUTPUTS),
    "no tracking in eval": ("no tracking in eval", OUTPUTS),
    "N = 1 in train": ("one value", ()),
    "(1, C, 1, 1) in train": ("one value in an image", ()),
    "(1, C, H, W) in train": ("one image", OUTPUTS),
    "N = 1 in eval": ("one value in eval", OUTPUTS),
    "eps=0 in train": ("eps 0", ()),
    "eps=0 in eval": ("eps 0 in eval", OUTPUTS),
    "float32": ("float32", OUTPUTS),
    "float32 statistics": ("float32", STATISTICS),
    "float32 in eval": ("float32 in eval", OUTPUTS),
    "mean 10,000, float32": ("offset", ("y",)),
    "constant channel": ("constant", OUTPUTS),
    "nan in a channel": ("nan", OUTPUTS),
    "inf in a channel": ("inf", OUTPUTS),
    "strided input": ("strided", OUTPUTS),
    "empty batch": ("empty", ("y", "dx", *STATISTICS)),
    "two walks back": ("walks", GRADIENTS),
    "no_grad freezes nothing": ("no_grad", ("y", "running_mean")),
    "inputs left alone": ("train", ("x_left_alone",)),
}
TICK, CROSS, DASH = "✔", "✘", "–"
TICK_IN_FLOAT64 = 1e-12  # relative; what is mathematically PyTorch's, however it is computed, is within this


@dataclass(frozen=True)
class Cell:
    """One cell of the table.

    Attributes
    ----------
    column : str
    mark : str
        ✔ as PyTorch; ✘ not; – the implementation does not have it.
    why : str
        For ✘ and –.
    mistake : str
        Name of the catalogue's mistake that gives these numbers; "" if none does.
    """

    column: str
    mark: str
    why: str = ""
    mistake: str = ""


@dataclass(repr=False)
class Conformance:
    """The row of one implementation.

    Attributes
    ----------
    name : str
    cells : dict of str to Cell
    torch : str
        The version of PyTorch that the numbers are from.
    """

    name: str
    cells: dict
    torch: str

    @property
    def ok(self):
        """Whether every cell is a tick."""
        return all(cell.mark == TICK for cell in self.cells.values())

    def __bool__(self):
        return self.ok

    @property
    def crossed(self):
        """The columns with a cross."""
        return [column for column, cell in self.cells.items() if cell.mark == CROSS]

    def lines(self):
        """The row as lines of text, one per cell."""
        marks = [cell.mark for cell in self.cells.values()]
        width = max(map(len, self.cells))
        counts = f"{marks.count(TICK)} as PyTorch {self.torch}, {marks.count(CROSS)} not, {marks.count(DASH)} not there"
        text, said_before = [f"{self.name}: {counts}"], set()
        for cell in self.cells.values():
            why = cell.why
            if cell.mistake in said_before:
                why = f"{why.split(': ')[0]}: {cell.mistake}, as above"
            text.append(f"  {cell.mark} {cell.column:{width}}  {why}".rstrip())
            said_before |= {cell.mistake} - {""}
        return text

    def __repr__(self):
        return "\n".join(self.lines())

    def _repr_html_(self):
        return html_table([self])


def conformance(batch_norm_like, name=None):
    """Compare an implementation of BatchNorm with PyTorch, cell by cell. PyTorch is not needed.

    Parameters
    ----------
    batch_norm_like
        A layer class of this package or of PyTorch (BatchNorm1d stands for all three), a subclass of one, a function
        with F.batch_norm's signature, a library such as `torch`, a Formula or a Mistake of the catalogue, or an adapter
        class for anything else: see compare/adapters.py.
    name : str, optional
        What the table calls it.

    Returns
    -------
    Conformance
        True in an `if` or `assert` when every cell is a tick. Crossed cells say what is wrong.

    Raises
    ------
    TypeError
        If it is none of these.
    FileNotFoundError
        If the stored numbers are missing.

    >>> from minitorch_bn import nn
    >>> conformance(nn.BatchNorm1d).ok
    True
    """
    make = adapter_for(batch_norm_like)
    reference, meta = read_reference()
    results = {}
    for scenario in SCENARIOS.values():
        adapter = make()
        results[scenario.name] = run(adapter, scenario, reference[scenario.name]["in"])
    suspects = Suspects(results, reference)
    cells = {
        column: judge(column, SCENARIOS[scenario], quantities, results[scenario], reference[scenario], suspects)
        for column, (scenario, quantities) in COLUMNS.items()
    }
    return Conformance(name or adapter.name, cells, meta["torch"].split("+")[0])


def conformance_of_mistake(name):
    """The row of one of the catalogue's mistakes, by name: which cells it gets wrong."""
    return conformance(find(name), name)


def judge(column, scenario, quantities, got, reference, suspects):
    """The Cell of one column."""
    want, error = reference["out"], got.get("error")
    if isinstance(error, Absent):
        return Cell(column, DASH, str(error))
    if "error" in want:
        wanted = want["error"]
        if error is None:
            return Cell(column, CROSS, f"raises nothing; wanted {wanted}")
        raised = [kind.__name__ for kind in type(error).__mro__]
        return Cell(column, TICK) if wanted in raised else Cell(column, CROSS, f"raises {said(error)}; wanted {wanted}")
    if error is not None:
        return Cell(column, CROSS, f"raises {said(error)}")
    if "backward" in got and set(quantities) & set(GRADIENTS):
        return Cell(column, CROSS, f"backward raises {said(got['backward'])}")
    for what in quantities:
        if what == "x_left_alone":
            return Cell(column, TICK) if got[what] else Cell(column, CROSS, "x or dy was changed")
        if what not in want:  # PyTorch has none either: gamma without affine
            continue
        if what not in got:
            return Cell(column, DASH if what in (*STATISTICS, "num_batches_tracked") else CROSS, f"no {what}")
        why = difference(scenario, what, got[what], want[what], reference["in"])
        if why:
            mistake = suspects.mistake(scenario.name, what)
            return Cell(
                column, CROSS, f"{what} {why}{f': {mistake.says}' if mistake else ''}", mistake.name if mistake else ""
            )
    return Cell(column, TICK)


def difference(scenario, what, got, want, data):
    """How a quantity differs from PyTorch's: "" if not. See `tolerance`."""
    if got.shape != want.shape:
        return f"has shape {got.shape}, not {want.shape}"
    if what == "num_batches_tracked":
        return "" if got == want else f"is {got}, not {want}"
    if got.dtype != scenario.dtype:
        return f"is {got.dtype}, not {scenario.dtype}"
    finite = np.isfinite(want)
    if not np.array_equal(got[~finite], want[~finite], equal_nan=True) or not np.isfinite(got[finite]).all():
        return "is not finite where PyTorch's is, or the other way round"
    if not finite.any():
        return ""
    off = float(np.abs(got[finite].astype(float) - want[finite]).max())
    return f"off by {off:.2g}" if off > tolerance(scenario, data, want[finite]) else ""


def tolerance(scenario, data, want):
    """How far a tick may be off, for the largest element: TICK_IN_FLOAT64, or the rounding of four sums where more."""
    x = data["x"][-1]
    x = np.where(np.isfinite(x), x, 0)
    derived = 4 * rounding(scenario.dtype, {"x": x, "eps": scenario.eps or 1.0})
    return max(derived, TICK_IN_FLOAT64) * float(np.abs(want).max())


class Suspects:
    """Which of the catalogue's mistakes stands behind a number: the one that agrees with most of the whole row."""

    def __init__(self, results, reference):
        self.results, self.reference, self.scores = results, reference, {}

    def mistake(self, scenario, what):
        """The mistake that gives this quantity in this scenario, or None."""
        found = [m for m in MISTAKES if m.formula is not None and self.agrees(m, scenario, what)]
        wrong = [m for m in found if self.differs(m, scenario, what)]
        return max(wrong, key=self.score, default=None)

    def agrees(self, mistake, scenario, what):
        """Whether the mistake gives what the implementation gave."""
        wrong, got = of_mistake(mistake, scenario).get(what), self.results[scenario].get(what)
        if wrong is None or got is None or got.dtype.kind != "f":
            return False
        return not difference(SCENARIOS[scenario], what, got, wrong.astype(float), self.reference[scenario]["in"])

    def differs(self, mistake, scenario, what):
        """Whether the mistake gives something else than PyTorch."""
        data, want = self.reference[scenario]["in"], self.reference[scenario]["out"][what]
        return bool(difference(SCENARIOS[scenario], what, of_mistake(mistake, scenario)[what], want, data))

    def score(self, mistake):
        """With how many numbers of the row the mistake agrees."""
        if mistake.name not in self.scores:
            pairs = {(scenario, what) for scenario, quantities in COLUMNS.values() for what in quantities}
            self.scores[mistake.name] = sum(self.agrees(mistake, *pair) for pair in pairs)
        return self.scores[mistake.name]


@functools.cache
def of_mistake(mistake, scenario):
    """What a mistake gives in a scenario."""
    reference, _ = read_reference()
    return run(FormulaAdapter(mistake.formula), SCENARIOS[scenario], reference[scenario]["in"])


def said(error):
    """An exception in a few words."""
    text = " ".join(str(error).split())
    if isinstance(error, Fails):
        return f"an error: {text}"
    return f"{type(error).__name__}" + (f" ({text[:60]}{'...' if len(text) > 60 else ''})" if text else "")


# ---- several implementations


def text_table(rows):
    """The rows as text: one line per column of COLUMNS, one mark per implementation; then what is wrong."""
    if len(rows) == 1:
        return repr(rows[0])
    width = max(map(len, COLUMNS))
    lines = [f"{'':{width}}  {i + 1}: {row.name}" for i, row in enumerate(rows)]
    lines.append(f"{'':{width}}  " + "  ".join(str(i + 1) for i in range(len(rows))))
    lines += [f"{column:{width}}  " + "  ".join(row.cells[column].mark for row in rows) for column in COLUMNS]
    for row in rows:
        if row.crossed:
            lines += ["", *(line for line in row.lines() if not line.startswith(f"  {TICK}"))]
    return "\n".join(lines)


def markdown_table(rows):
    """The marks as lines of Markdown."""
    lines = ["| BatchNorm of | " + " | ".join(row.name for row in rows) + " |", "|---|" + ":-:|" * len(rows)]
    return lines + [f"| {c} | " + " | ".join(row.cells[c].mark for row in rows) + " |" for c in COLUMNS]


def html_table(rows):
    """The rows as an HTML table; what is wrong is shown under the pointer, and below."""
    colours = {TICK: "#2a8a2a", CROSS: "#c03030", DASH: "inherit"}
    head = "".join(f"<th>{html.escape(row.name)}</th>" for row in rows)
    lines = []
    for column in COLUMNS:
        cells = [row.cells[column] for row in rows]
        tds = "".join(
            f'<td title="{html.escape(c.why)}" style="color:{colours[c.mark]};text-align:center">{c.mark}</td>'
            for c in cells
        )
        why = html.escape(cells[0].why) if len(rows) == 1 else ""
        lines.append(f'<tr><td style="text-align:left">{html.escape(column)}</td>{tds}<td>{why}</td></tr>')
    return f'<table style="color:inherit"><tr><th>BatchNorm</th>{head}<th></th></tr>{"".join(lines)}</table>'
