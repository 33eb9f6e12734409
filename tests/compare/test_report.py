"""Reports, ulps and tolerances: what is said about numbers that are known."""

import html.parser

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn.compare import with_torch
from minitorch_bn.compare.report import Guess, Report, Row
from minitorch_bn.compare.side import Entry
from minitorch_bn.compare.tolerance import SPREAD, TWIN, Tolerance, eps_of, largest, length_of
from minitorch_bn.compare.ulps import differences, ulps, worst

from . import networks, planted

# ---- ulps


def test_differences():
    nan, inf = np.nan, np.inf
    a, b = np.array([1.0, nan, inf, inf, nan, -inf]), np.array([1.5, nan, inf, 1.0, 0.0, inf])
    assert differences(a, b).tolist() == [0.5, 0.0, 0.0, inf, inf, inf]
    assert differences(np.array([2**62]), np.array([2**62 + 1])).tolist() == [1.0]
    assert differences(np.array([True, False]), np.array([True, True])).tolist() == [0.0, 1.0]
    assert differences(np.array(3), np.array(3.0)).tolist() == 0.0


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_ulps(dtype, rng):
    x = rng.normal(size=50).astype(dtype)
    assert (ulps(np.nextafter(x, dtype(np.inf)), x) == 1).all()
    assert (ulps(x, x) == 0).all()
    np.testing.assert_array_equal(ulps(x, -x), 2 * np.abs(x.astype(float)) / np.spacing(np.abs(x)).astype(float))


def test_ulps_of_mixed_and_special_numbers():
    assert ulps(np.float32(1), np.float64(1 + 2**-24)) == 0.5  # in ulps of the coarser
    assert ulps(np.array([0.0]), np.array([0.0])).tolist() == [0.0]
    assert ulps(np.array([np.inf]), np.array([1.0])).tolist() == [np.inf]
    assert ulps(np.array([1, 2]), np.array([1, 4])).tolist() == [0.0, 2.0]


def test_worst():
    a = np.zeros((2, 3))
    a[1, 0], a[0, 2] = 5, np.nan
    assert worst(a, np.zeros((2, 3))) == (0, 2)
    assert worst(np.zeros(0), np.zeros(0)) is None and worst(np.float64(1), np.float64(2)) == ()


# ---- tolerances


def test_the_formula_of_the_tolerance():
    x = np.array([3.0, -4.0])
    assert Tolerance().allowed(Entry("y", "output", x, length=9)) == SPREAD * 3 * 2.0**-52 * 4
    moved = Tolerance().allowed(Entry("y", "output", x, length=9, moved=1e-13))
    carried = TWIN * 1e-13
    assert moved == pytest.approx(SPREAD * 3 * 2.0**-52 * 4 + carried + carried**2 / 4, rel=1e-12)
    assert Tolerance().allowed(Entry("n", "buffer", np.array(3))) == 0
    assert Tolerance().allowed(Entry("y", "output", x.astype(np.float32))) == SPREAD * 2.0**-23 * 4


def test_what_the_twin_moved_is_remembered():
    tolerance, x = Tolerance(), np.ones(2)
    first = tolerance.allowed(Entry("loss", "loss", x, moved=1e-10))
    assert tolerance.allowed(Entry("loss", "loss", x, moved=1e-14)) == first
    assert tolerance.allowed(Entry("other", "loss", x)) < 1e-14


def test_tensors_of_nothing_but_rounding_errors():
    noise = np.full(3, 1e-17)
    assert Tolerance().allowed(Entry("b", "gradient", noise, moved=1e-17)) == pytest.approx((8 + 64) * 1e-17, rel=1e-2)
    assert Tolerance().allowed(Entry("b", "gradient", noise * 0, moved=1e-17)) == pytest.approx(8e-17)


def test_without_a_twin_lengths_add_up():
    tolerance, x = Tolerance(twin=False), np.ones(2)
    allowed = [tolerance.allowed(Entry(name, "output", x, length=8)) for name in "abc"]
    assert allowed == pytest.approx([SPREAD * 2.0**-52 * n**0.5 for n in (9, 17, 25)])
    tolerance.allowed(Entry("g", "gradient", 100 * x))
    assert tolerance.allowed(Entry("h", "gradient", 1e-18 * x)) > 1e-13


def test_given_tolerances():
    entry = Entry("loss", "loss", np.array(2.0))
    assert Tolerance(1e-3).allowed(entry) == 1e-3 and Tolerance({"loss": 1e-4}).allowed(entry) == 1e-4
    assert Tolerance({"gradient": 1e-4}).allowed(entry) < 1e-14


def test_eps_and_largest():
    assert eps_of(np.dtype("float32")) == 2.0**-23 and eps_of(np.dtype("bool")) == 0
    assert largest(np.array([1.0, -3.0, np.inf, np.nan])) == 3 and largest(np.array([])) == 0
    assert largest(np.array([np.nan])) == 0 and largest(np.array([True])) == 0


def test_lengths(torch):
    for L in (mt, torch):
        nn, one = L.nn, lambda *shape: np.ones(shape)
        assert length_of(nn.Linear(5, 7), one(4, 5), one(4, 7)) == 5
        assert length_of(nn.Conv2d(2, 3, (3, 5)), one(4, 2, 8, 8), one(4, 3, 6, 4)) == 30
        assert length_of(nn.BatchNorm2d(3), one(4, 3, 2, 2), one(4, 3, 2, 2)) == 16
        assert length_of(nn.Embedding(9, 4), one(4, 3), one(4, 3, 4)) == 1
        assert length_of(nn.Tanh(), one(4, 3), one(4, 3)) == 1
        assert length_of(nn.AvgPool2d(2), one(1, 1, 4, 4), one(1, 1, 2, 2)) == 4
        assert length_of(nn.Tanh(), one(0, 3), one(0, 3)) == 1


# ---- reports


def row(name="fc output", ours=None, theirs=None, difference=0.0, allowed=1e-12, **more):
    ours, theirs = np.array([1.0, 2.0]) if ours is None else ours, np.array([1.0, 2.0]) if theirs is None else theirs
    return Row(name, "output", "forward", 1, ours, theirs, difference, allowed, **more)


def test_a_row_says_how_far_apart():
    r = row(ours=np.array([1.0, 2.5]), difference=0.5)
    assert not r.ok and r.index == (1,) and r.relative == 0.25 and r.share == 0.5 / 1e-12
    assert r.max_ulps == 0.5 / 2**-51 and r.median_ulps == r.max_ulps / 2
    apart = row(ours=np.ones(3), problem="ours has shape (3,), PyTorch's (2,)")
    assert not apart.ok and apart.index is apart.max_ulps is apart.median_ulps is apart.relative is None
    assert row(ours=np.ones(0), theirs=np.ones(0)).max_ulps is None
    assert row(allowed=0.0).share == 0 and row(difference=1.0, allowed=0.0).share == np.inf


def test_a_report_is_true_if_nothing_diverged():
    good = Report("title", rows=[row()], steps=1)
    bad = Report("title", rows=[row()], first=row(difference=1.0), steps=1)
    assert good and good.ok and not bad and not bad.ok
    assert good.row("fc output").ok
    with pytest.raises(KeyError, match=r"row: no tensor was compared under the name 'x'.*fc output"):
        good.row("x")
    assert "nothing was compared" in repr(Report("title"))


def test_the_text_of_a_report_that_agrees():
    text = repr(Report("title", rows=[row(), row("fc2 output", difference=2e-13)], steps=1000, notes=["a note"]))
    lines = text.split("\n")
    assert lines[0] == "title"
    assert lines[1] == (
        "agrees: 2 tensors over 1,000 steps, every difference within rounding; the nearest to its limit is fc2 output, "
        "20 % of it"
    )
    assert lines[-1] == "note: a note" and "DIFFERS" not in text
    columns = {line.index("1x") for line in lines[4:6]}
    assert len(columns) == 1 and lines[3].index("compared") in columns


def test_the_text_of_a_divergence():
    first = row("bn1 output", np.array([1.0, 2.5]), difference=0.5, moved=3e-14)
    guesses = [Guess("gamma was not applied", "multiply by gamma", 1e-16), Guess("something else")]
    text = repr(Report("title", [row(), first], first, guesses, steps=1))
    for part in (
        "DIFFERS at step 1, forward: bn1 output",
        "bn1 output (output), shape (2,), float64",
        "1 tensors, the last of them fc output",
        "[1]: ours 2.5, PyTorch 2.0",
        "0.5; relative to the largest element 0.25; 1.13e+15 ulps at most",
        "1e-12 (the one-ulp twin moved it by 3e-14)",
        "gamma was not applied (leaves 1e-16)",
        "what to do     multiply by gamma",
        "or             something else",
    ):
        assert part in text, text
    unknown = repr(Report("title", [row(), first], first, steps=1, twin=False))
    assert "no known mistake explains it" in unknown and "(no twin)" in unknown


def test_a_long_report_shows_what_is_around_the_divergence():
    rows = [row(f"t{i}") for i in range(40)]
    rows[30] = row("t30", np.array([1.0, 3.0]), difference=1.0)
    text = repr(Report("title", rows, rows[30], steps=1))
    assert "t27" in text and "t30" in text and "t3 " not in text and "and 35 more that agree" in text


class Balanced(html.parser.HTMLParser):
    """Checks that tags are closed in order, and collects the text and attributes."""

    def __init__(self):
        super().__init__()
        self.open, self.text, self.seen = [], "", []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.seen += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("good", [True, False])
def test_html(good):
    first = None if good else row("<b>1 output", np.array([1.0, 2.5]), difference=0.5)
    rows = [row()] if good else [row(), first]
    report = Report("a <title>", rows, first, [] if good else [Guess("a < b")], ["x & y"], 1)
    page = Balanced()
    page.feed(report._repr_html_())
    assert not page.open and "a <title>" in page.text and "x & y" in page.text
    assert ("a < b" in page.text and "<b>1 output" in page.text and "DIFFERS" in page.text) is not good
    assert not any(name in ("src", "href") for name, _ in page.seen)
    styles = " ".join(value for name, value in page.seen if name == "style")
    assert "color:#" not in styles.replace("border-left:4px solid #", "") and "background:#" not in styles


def test_a_real_report(torch):
    mt.manual_seed(0)
    torch.manual_seed(0)
    layer = planted.batch_norm(planted.BiasedRunningVariance, mt.nn.BatchNorm1d)
    ours, theirs = networks.names(mt, BatchNorm1d=layer), networks.names(torch)
    report = with_torch(ours, theirs, networks.names_batches(), 5, "cross_entropy", ("SGD", {"lr": 0.1}))
    text = repr(report)
    assert text.startswith("with_torch: minitorch_bn") and "cross_entropy, SGD(lr=0.1)" in text
    assert "DIFFERS at step 1, forward: bn1.running_var" in text and "biased variance" in text
    assert f"torch {torch.__version__}" in report._repr_html_()
