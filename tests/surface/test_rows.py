"""Every row of the surface table, with both libraries, and that no public name is without rows."""

import importlib
import inspect
import pkgutil
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import minitorch_bn as mt
from tests.ops.cases import CASES

from . import table
from .names import promised

ROWS = [
    row
    for module in sorted(
        m.name for m in pkgutil.iter_modules([str(Path(__file__).parent)]) if m.name.startswith("rows")
    )
    for row in importlib.import_module(f"tests.surface.{module}").ROWS
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_row(torch, row):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # PyTorch warns where it likes; what is compared is what comes out
        kind, want = table.outcome(row.run, torch)
        ours, got = table.outcome(row.run, mt)
    if kind == "value":
        assert ours == "value", f"got {type(got).__name__}: {got}; wanted a value"
        assert row.message is None, "PyTorch raises nothing here"
        table.same(row, got, want)
        return
    assert ours == "error", f"got a value; wanted {type(want).__name__}: {want}"
    names = [kind.__name__ for kind in type(got).__mro__]
    assert type(want).__name__ in names, f"got {type(got).__name__}: {got}; wanted {type(want).__name__}: {want}"
    assert row.message is not None, f"both raise {type(want).__name__}: a row that raises says what our message holds"
    assert re.search(row.message, str(got), re.S), f"our message {str(got)!r} does not match {row.message!r}"


def test_names_of_rows_differ():
    names = [row.name for row in ROWS]
    assert len(names) == len(set(names)), sorted({name for name in names if names.count(name) > 1})


def found(name):
    """What a public name stands for here."""
    value = mt
    for part in name.split("."):
        value = inspect.getattr_static(value, part) if inspect.isclass(value) else getattr(value, part)
    return value


@pytest.mark.parametrize("name", promised())
def test_name_exists_and_has_rows(name):
    found(name)
    ops = {case.op for case in CASES}
    assert name in {row.of for row in ROWS} or name.split(".")[-1] in ops, f"no row is about {name}"


def test_count(measured):
    measured(f"{len(CASES)} rows of ops, {len(ROWS)} rows of the surface, {len(promised())} promised names")


def public_names():
    """Every name of this package's spaces: the package, tensors, layers, functions, optimisers, data."""
    spaces = {"": mt, "Tensor.": mt.Tensor, "nn.": mt.nn, "nn.functional.": mt.nn.functional, "nn.init.": mt.nn.init}
    spaces |= {"nn.utils.": mt.nn.utils, "optim.": mt.optim, "optim.lr_scheduler.": mt.optim.lr_scheduler}
    spaces |= {"utils.data.": mt.utils.data, "autograd.": mt.autograd, "nn.Module.": mt.nn.Module}
    found = {prefix + name for prefix, space in spaces.items() for name in dir(space) if not name.startswith("_")}
    return sorted(name for name in found if not inspect.ismodule(value_in(mt, name)))


def value_in(library, name):
    """What a dotted name stands for, or None."""
    value = library
    for part in name.split("."):
        value = getattr(value, part, None) if not isinstance(value, property) else None
    return value


def test_every_public_name_has_rows(torch):
    """A name without a row is a promise that nobody checks."""
    spoken_of = {row.of.split(".")[-1] for row in ROWS} | {case.op for case in CASES}
    spoken_of |= {"contiguous_format", "preserve_format", "strided"}  # words that arguments take
    spoken_of |= {"default_generator", "forward", "set_extra_state"}  # used by rows of other names
    missing = [n for n in public_names() if value_in(torch, n) is not None and n.split(".")[-1] not in spoken_of]
    assert missing == [], "no row in tests/surface or tests/ops is about these"
