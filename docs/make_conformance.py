"""Writes docs/conformance.md: the conformance table, for this package and for others that are installed.

    python docs/make_conformance.py

The other frameworks need an environment of their own: pip install mygrad pydynet tinygrad ym-pure-ml mangograd
"""

import datetime
import platform
from pathlib import Path

import numpy as np

from minitorch_bn.compare.__main__ import rows
from minitorch_bn.compare.conformance import CROSS, DASH, TICK, markdown_table

PAGE = Path(__file__).resolve().parent / "conformance.md"

TEXT = """# Which BatchNorm is PyTorch's?

Every cell puts an implementation through the same data as PyTorch {torch}, and compares. ✔: the same, to 1e-12 of the
largest element in float64, and to the rounding of the sums in float32. ✘: not the same. –: the implementation does not
have it, which is no mistake. What stands in a cell is in `minitorch_bn/compare/conformance.py`, the data in
`minitorch_bn/compare/scenarios.py`, and how a framework is talked to in `minitorch_bn/compare/others.py`.

{table}

## What is wrong in the crossed cells

The sentences are those of the catalogue of mistakes (`minitorch_bn/compare/catalogue.py`): the numbers are what such a
formula gives.

{why}

## How this page is made

    python docs/make_conformance.py

Made on {date} with Python {python} and NumPy {numpy}. It shows this package and those of PyTorch, MyGrad, PyDyNet,
tinygrad, ym-pure-ml and mangograd that are installed; PyTorch's numbers are stored in
`data/golden/batchnorm_conformance.npz`. `python -m minitorch_bn.compare` prints the same table. For an implementation
of your own: `minitorch_bn.compare.conformance(YourBatchNorm)`.
"""


def wrong(row):
    """What is wrong in a row, as Markdown: one item per sentence, with the cells that it stands in."""
    cells = {}
    for column, cell in row.cells.items():
        if cell.mark == CROSS:
            text = cell.why.split(": ", 1)[1] if cell.mistake else cell.why
            cells.setdefault(text, []).append(column)
    if not cells:
        return []
    return [f"**{row.name}**", "", *(f"- {'; '.join(columns)}: {text}" for text, columns in cells.items()), ""]


def page(table):
    """The page as text."""
    counts = {
        row.name: [sum(c.mark == mark for c in row.cells.values()) for mark in (TICK, CROSS, DASH)] for row in table
    }
    lines = markdown_table(table)
    for i, mark in enumerate((TICK, CROSS, DASH)):
        lines.append(f"| **{mark}** | " + " | ".join(f"**{counts[row.name][i]}**" for row in table) + " |")
    return TEXT.format(
        torch=table[0].torch,
        table="\n".join(lines),
        why="\n".join(line for row in table for line in wrong(row)).rstrip(),
        date=datetime.date.today().isoformat(),
        python=platform.python_version(),
        numpy=np.__version__,
    )


if __name__ == "__main__":
    PAGE.write_text(page(rows()), encoding="utf-8")
    print(f"wrote {PAGE}")
