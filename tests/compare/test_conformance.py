"""compare.conformance: this package is PyTorch in every cell, and every mistake is crossed where it shows."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn.compare import conformance, scenarios
from minitorch_bn.compare.__main__ import main
from minitorch_bn.compare.adapters import Absent, FormulaAdapter, adapter_for
from minitorch_bn.compare.catalogue import MISTAKES, find
from minitorch_bn.compare.conformance import COLUMNS, CROSS, DASH, TICK, conformance_of_mistake
from minitorch_bn.compare.formula import Formula
from minitorch_bn.compare.others import OTHERS
from minitorch_bn.compare.scenarios import FILE, SCENARIOS, make_reference, read_reference

ROOT = Path(__file__).resolve().parents[2]


# ---- PyTorch's numbers


def test_the_stored_numbers_are_what_pytorch_gives(torch, tmp_path):
    """Made anew they are the same. Another CPU may add in another order, so: to rounding."""
    make_reference(tmp_path / FILE)
    (made, _), (stored, meta) = read_reference(tmp_path / FILE), read_reference()
    assert meta["torch"].startswith("2.13.0") and set(made) == set(stored) == set(SCENARIOS)
    for name in SCENARIOS:
        assert made[name]["out"].keys() == stored[name]["out"].keys()
        assert "error" in stored[name]["out"] or stored[name]["out"], name
        for side in ("in", "out"):
            for key, want in stored[name][side].items():
                got = made[name][side][key]
                if isinstance(want, str) or side == "in":
                    assert np.array_equal(got, want, **({} if isinstance(want, str) else {"equal_nan": True}))
                    continue
                assert got.dtype == want.dtype
                np.testing.assert_allclose(
                    got, want, rtol=1e-10, atol=1e-12 * np.abs(np.nan_to_num(want)).max(initial=0)
                )


def test_the_file_is_small():
    assert (ROOT / "data" / "golden" / FILE).stat().st_size < 300_000


def test_a_missing_file_is_named(monkeypatch):
    from minitorch_bn.compare import golden

    monkeypatch.setattr(golden, "PLACES", (Path("nowhere"),))
    monkeypatch.setattr(scenarios, "read_reference", scenarios.read_reference.__wrapped__)
    with pytest.raises(FileNotFoundError, match=r"conformance: no batchnorm_conformance.npz in nowhere"):
        scenarios.read_reference()


def test_every_scenario_has_a_column():
    assert {scenario for scenario, _ in COLUMNS.values()} == set(SCENARIOS)


# ---- what is right


@pytest.mark.parametrize("layer", [mt, mt.nn.BatchNorm1d, mt.nn.BatchNorm2d, mt.nn.BatchNorm3d])
def test_this_package_is_pytorch_in_every_cell(layer):
    row = conformance(layer)
    assert row.ok and bool(row) and not row.crossed, repr(row)
    assert [cell.mark for cell in row.cells.values()] == [TICK] * len(COLUMNS)
    assert row.name == f"minitorch_bn {mt.__version__}"


def test_pytorch_is_itself_in_every_cell(torch):
    assert conformance(torch).ok and conformance(torch.nn.BatchNorm1d).ok


def test_functions_are_wrapped(torch):
    for function in (mt.nn.functional.batch_norm, torch.nn.functional.batch_norm):
        row = conformance(function)
        assert not row.crossed, repr(row)
        dashes = [cell.column for cell in row.cells.values() if cell.mark == DASH]
        assert dashes == ["momentum None, 3 batches", "num_batches_tracked", "no tracking", "no tracking in eval"]


def test_the_formula_is_right():
    assert conformance(Formula).ok, repr(conformance(Formula))


def test_it_is_reached_from_the_package():
    assert mt.compare.conformance is conformance


def test_it_works_without_pytorch():
    """In a process where PyTorch cannot be imported."""
    program = "import sys; sys.modules['torch'] = None\nimport minitorch_bn as mt\n"
    program += "from minitorch_bn.compare import conformance\nprint(conformance(mt.nn.BatchNorm1d).ok)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "True\n", done.stderr


# ---- what is wrong

# what a mistake changes -> a column that must be crossed. Mistakes about parts of a layer that the table has not
# (folding, several devices) cross nothing.
SHOWS = {
    "y": "train y", "dx": "train dx", "dgamma": "dgamma", "dbeta": "dbeta", "running_mean": "running_mean",
    "running_var": "running_var", "eval_y": "eval y", "eval_dx": "eval dx", "eval_dgamma": "eval dgamma, dbeta",
    "eval_dbeta": "eval dgamma, dbeta", "start_mean": "start 0 and 1", "start_var": "start 0 and 1",
}  # fmt: skip
FORMULAS = [mistake for mistake in MISTAKES if mistake.formula is not None]


@pytest.mark.parametrize("mistake", FORMULAS, ids=lambda m: m.name)
def test_a_mistake_is_crossed_where_it_shows_and_named(mistake):
    row = conformance(mistake, mistake.name)
    shown = mistake.changes & set(SHOWS)
    if not shown:
        assert row.ok
        return
    assert row.crossed and row.name == mistake.name
    if mistake.shows == "usual":
        # the start is given in all scenarios but one
        from_start = mistake.changes & {"start_mean", "start_var"}
        wanted = {"start 0 and 1"} if from_start else {SHOWS[what] for what in shown}
        basics = set(SHOWS.values())
        assert set(row.crossed) & basics == wanted
    named = {cell.mistake for cell in row.cells.values() if cell.mark == CROSS}
    if mistake.name != "one-pass-variance":  # which digits it loses depends on the order of the sums
        assert mistake.name in named, named


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("one-pass-variance", "mean 10,000, float32"),
        ("batch-axis-only", "(N, C, H, W)"),
        ("running-variance-corrected-with-n", "(N, C, H, W) statistics"),
        ("momentum-none-as-0.1", "momentum None, 3 batches"),
        ("pooled-variance", "momentum None, 3 batches"),
        ("eps-outside", "large eps"),
        ("eval-without-eps", "large eps in eval"),
        ("batch-statistics-in-eval", "N = 1 in eval"),
        ("running-variance-starts-at-0", "start 0 and 1"),
        ("eps-missing", "constant channel"),
    ],
)
def test_special_cells_see_special_mistakes(name, column):
    assert column in conformance_of_mistake(name).crossed


def test_a_crossed_cell_says_which_mistake():
    row = conformance(find("biased-running-variance"))
    cell = row.cells["running_var"]
    assert cell.mark == CROSS and cell.mistake == "biased-running-variance"
    assert re.match(r"running_var off by 0\.\d+: The biased variance was stored", cell.why)
    assert row.cells["running_mean"].mark == TICK and row.cells["running_mean"].why == ""


class Biased(mt.nn.BatchNorm1d):
    """A student's layer: the running variance is the biased one."""

    def forward(self, x):
        before = self.running_var.clone() if self.training and self.running_var is not None else None
        y = super().forward(x)
        if before is not None and x.shape[0] > 1 and x.dim() == 2:
            m = len(x)
            self.running_var.copy_(before + (self.running_var - before) + 0.0)
            weight = self.momentum if self.momentum is not None else 1 / int(self.num_batches_tracked)
            self.running_var.copy_((1 - weight) * before + (self.running_var - (1 - weight) * before) * ((m - 1) / m))
        return y


def test_a_students_layer():
    row = conformance(Biased)
    assert row.name == "Biased" and row.cells["train dx"].mark == TICK
    assert row.cells["running_var"].mistake == "biased-running-variance"
    assert row.cells["(N, C, H, W)"].mark == CROSS and "ValueError" in row.cells["(N, C, H, W)"].why  # a 1d layer


def test_a_students_function():
    def batch_norm(input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
        axes = [0, *range(2, input.dim())]
        shape = (1, -1) + (1,) * (input.dim() - 2)
        mean = input.mean(axes) if training else running_mean
        var = input.var(axes) if training else running_var
        if training:
            with mt.no_grad():
                running_mean.copy_(0.9 * running_mean + 0.1 * mean)
                running_var.copy_(0.9 * running_var + 0.1 * var)
        x_hat = (input - mean.reshape(shape)) / (var.reshape(shape) + eps).sqrt()
        return x_hat if weight is None else weight.reshape(shape) * x_hat + bias.reshape(shape)

    row = conformance(batch_norm)
    assert row.cells["train y"].mistake == row.cells["train dx"].mistake == "unbiased-forward"
    assert row.cells["running_var"].mark == TICK and row.cells["eval dx"].mark == TICK
    assert row.cells["momentum 0.3, 2 batches"].mark == CROSS
    assert "raises nothing; wanted ValueError" in row.cells["N = 1 in train"].why


# ---- adapters


class Minimal(FormulaAdapter):
    """An adapter of a user's own."""

    name = "minimal"

    def __init__(self):
        super().__init__(Formula)
        self.name = "minimal"

    def construct(self, *args, affine, dtype, **settings):
        if not affine:
            raise Absent("always affine")
        if dtype == "float32":
            raise RuntimeError("no float32 here")
        super().construct(*args, affine=affine, dtype=dtype, **settings)

    def backward(self, dy):
        dy[...] = 0
        return super().backward(dy)


def test_an_adapter_of_ones_own():
    row = conformance(Minimal)
    assert row.name == "minimal" and not row
    assert row.cells["affine=False"].mark == DASH and row.cells["affine=False"].why == "always affine"
    assert row.cells["float32"].why == "raises RuntimeError (no float32 here)"
    assert row.cells["inputs left alone"].why == "x or dy was changed"
    assert row.cells["train dx"].mistake == "zero-dx"


def test_what_is_no_batch_norm_is_refused():
    for thing in (3, "batch_norm", abs, mt.tensor([1.0])):
        with pytest.raises(TypeError, match=r"conformance: got .*, wanted a layer class, a function"):
            adapter_for(thing)


@pytest.mark.filterwarnings("ignore")  # other people's, at import and in use
@pytest.mark.parametrize("other", OTHERS, ids=lambda other: other.__name__)
def test_other_frameworks_where_installed(other):
    """The bridge works: what these frameworks are known to do right is ticked."""
    if importlib.util.find_spec(other.module) is None:
        assert not other.installed()
        pytest.skip(f"{other.distribution} is not installed")
    row = conformance(other)
    assert row.cells["train y"].mark == row.cells["train dx"].mark == row.cells["dgamma"].mark == TICK
    assert not row.ok


# ---- reports


def test_text():
    row = conformance(find("biased-running-variance"), "mine")
    lines = repr(row).splitlines()
    assert re.match(rf"mine: \d+ as PyTorch 2\.13\.0, {len(row.crossed)} not, 0 not there", lines[0])
    assert (
        len(lines) == 1 + len(COLUMNS) and len({line.index(c) for line, c in zip(lines[1:], COLUMNS, strict=True)}) == 1
    )
    assert sum("The biased variance was stored" in line for line in lines) == 1
    assert sum("biased-running-variance, as above" in line for line in lines) == len(row.crossed) - 1


def test_html():
    page = conformance(find("eps-outside"), "<mine>")._repr_html_()
    assert page.count("<tr>") == 1 + len(COLUMNS) and "&lt;mine&gt;" in page and "<mine>" not in page
    assert page.count(f">{CROSS}<") == len(conformance(find("eps-outside")).crossed)


def test_command(capsys, tmp_path):
    assert main(["minitorch_bn"]) == 0
    assert f"{len(COLUMNS)} as PyTorch 2.13.0, 0 not, 0 not there" in capsys.readouterr().out
    assert main(["minitorch_bn", "--html", str(tmp_path / "table.html")]) == 0
    assert (tmp_path / "table.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    with pytest.raises(SystemExit, match="compare: got keras, wanted some of what is installed: minitorch_bn"):
        main(["keras"])


def test_command_with_several(torch, capsys):
    assert main(["minitorch_bn", "torch"]) == 0
    out = capsys.readouterr().out
    assert "1: minitorch_bn" in out and "2: torch 2.13.0" in out
    assert len(re.findall(rf"^.*{TICK}  {TICK}$", out, re.M)) == len(COLUMNS)


# ---- the page


def test_the_page_shows_what_is():
    """docs/conformance.md has our row, all ticks, and every column."""
    page = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
    head, *body = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    assert head[:2] == ["BatchNorm of", f"minitorch_bn {mt.__version__}"] and len(head) >= 5
    marks = {cells[0]: cells[1:] for cells in body[: len(COLUMNS)]}
    assert list(marks) == list(COLUMNS)
    assert all(line[0] == TICK for line in marks.values())
    assert "python docs/make_conformance.py" in page
