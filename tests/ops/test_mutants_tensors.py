"""The test of the tests for the ops of tensors: each backward broken on purpose, in every way that people break it."""

import numpy as np
import pytest

from minitorch_bn import backend
from minitorch_bn.ops import (
    arithmetic,
    cumulative,
    division,
    elementwise,
    extremes,
    indexing,
    rearrange,
    rounding,
    trigonometry,
)
from minitorch_bn.ops.clamp import Clamp
from minitorch_bn.ops.norm import LargestNorm, OneNorm, PNorm, TwoNorm
from minitorch_bn.ops.scatter import IndexAdd, IndexFill, Scatter, ScatterAdd
from tests.ops import checks
from tests.ops.cases import BY_NAME

torch = pytest.importorskip("torch")


def times(factor):
    """The first gradient multiplied."""
    return lambda backward: (
        lambda self, dy: tuple(factor * g if i == 0 and g is not None else g for i, g in enumerate(backward(self, dy)))
    )


def without(position):
    """No gradient at one position."""
    return lambda backward: (
        lambda self, dy: tuple(None if i == position else g for i, g in enumerate(backward(self, dy)))
    )


def negated(position):
    """One gradient with the wrong sign."""
    return lambda backward: (
        lambda self, dy: tuple(-g if i == position and g is not None else g for i, g in enumerate(backward(self, dy)))
    )


def upstream_ignored(backward):
    """The slope without the chain rule."""
    return lambda self, dy: backward(self, np.ones_like(dy))


def replaced(new):
    """Another backward altogether."""
    return lambda backward: new


# name: (op, how it is broken, the function whose rows must notice)
MUTANTS = {
    "tan_minus": (trigonometry.Tan, replaced(lambda self, dy: (dy * (1 - self.y * self.y),)), "tan"),
    "asin_no_root": (trigonometry.Asin, replaced(lambda self, dy: (dy / (1 - self.x * self.x),)), "asin"),
    "acos_sign": (trigonometry.Acos, negated(0), "acos"),
    "atan_minus": (trigonometry.Atan, replaced(lambda self, dy: (dy / (1 - self.x * self.x + 3),)), "atan"),
    "sinh_sign": (trigonometry.Sinh, negated(0), "sinh"),
    "cosh_as_cos": (trigonometry.Cosh, replaced(lambda self, dy: (-dy * np.sin(self.x),)), "cosh"),
    "sin_of_y": (trigonometry.Sin, replaced(lambda self, dy: (dy * np.sin(self.x),)), "sin"),
    "cos_sign": (trigonometry.Cos, negated(0), "cos"),
    "atan2_swapped": (trigonometry.Atan2, lambda b: lambda self, dy: b(self, dy)[::-1], "atan2"),
    "atan2_sign_of_x": (trigonometry.Atan2, negated(1), "atan2"),
    "exp2_no_log": (elementwise.Exp2, replaced(lambda self, dy: (dy * self.y,)), "exp2"),
    "expm1_no_one": (elementwise.Expm1, replaced(lambda self, dy: (dy * self.y,)), "expm1"),
    "log1p_no_one": (elementwise.Log1p, replaced(lambda self, dy: (dy / self.x,)), "log1p"),
    "reciprocal_sign": (elementwise.Reciprocal, negated(0), "reciprocal"),
    "reciprocal_no_square": (elementwise.Reciprocal, replaced(lambda self, dy: (-dy * self.y,)), "reciprocal"),
    "log2_no_base": (elementwise.Log2, replaced(lambda self, dy: (dy / self.x,)), "log2"),
    "log10_no_base": (elementwise.Log10, replaced(lambda self, dy: (dy / self.x,)), "log10"),
    "square_halved": (arithmetic.Square, times(0.5), "square"),
    "maximum_sign": (arithmetic.Maximum, negated(1), "maximum"),
    "frac_flat": (rounding.Frac, times(0), "frac"),
    "steps_pass_through": (rounding.Step, replaced(lambda self, dy: (dy * 1,)), "floor"),
    "clamp_passes_all": (Clamp, lambda b: lambda self, dy: (dy * 1, *b(self, dy)[1:]), "clamp"),
    "clamp_no_low": (Clamp, without(1), "clamp"),
    "clamp_high_sign": (Clamp, negated(2), "clamp"),
    "remainder_sign": (division.Remainder, negated(1), "remainder"),
    "remainder_no_divisor": (division.Remainder, without(1), "remainder"),
    "fmod_sign": (division.Remainder, negated(1), "fmod"),
    "whole_div_as_div": (division.WholeDiv, lambda b: lambda self, dy: (b(self, dy)[0] + 1, b(self, dy)[1]), "div"),
    "cumprod_no_tail": (cumulative.CumProd, replaced(lambda self, dy: (dy * cumulative.before(self.x),)), "cumprod"),
    "cumprod_ignores_dy": (cumulative.CumProd, upstream_ignored, "cumprod"),
    "prod_only_before": (
        cumulative.Prod,
        replaced(
            lambda self, dy: (
                np.moveaxis(
                    cumulative.before(np.moveaxis(self.x, self.axis, 0))
                    * (np.moveaxis(dy, self.axis, 0) if self.keepdim else dy[None]),
                    0,
                    self.axis,
                ),
            )
        ),
        "prod",
    ),
    "prod_of_all_ignores_dy": (cumulative.ProdOfAll, upstream_ignored, "prod"),
    "norm_one_no_sign": (OneNorm, lambda b: lambda self, dy: (abs(b(self, dy)[0]),), "norm"),
    "norm_two_doubled": (TwoNorm, times(2), "norm"),
    "norm_largest_sign": (LargestNorm, negated(0), "norm"),
    "norm_p_power": (PNorm, lambda b: lambda self, dy: (b(self, dy)[0] * self.p,), "norm"),
    "median_all": (extremes.Amax, lambda b: lambda self, dy: (np.ones_like(b(self, dy)[0]),), "median"),
    "pick_halved": (extremes.PickAlong, times(0.5), "median"),
    "masked_fill_no_value": (indexing.MaskedFillByTensor, without(1), "masked_fill"),
    "masked_fill_everywhere": (
        indexing.MaskedFillByTensor,
        lambda b: lambda self, dy: (dy * 1, b(self, dy)[1]),
        "masked_fill",
    ),
    "view_halved": (indexing.View, times(0.5), "narrow"),
    "repeat_first_copy": (rearrange.Repeat, times(0.5), "repeat"),
    "roll_same_way": (rearrange.Roll, replaced(lambda self, dy: (np.roll(dy, self.shifts, self.axes),)), "roll"),
    "flip_not_back": (rearrange.Flip, replaced(lambda self, dy: (dy * 1,)), "flip"),
    "tril_all": (rearrange.Tril, replaced(lambda self, dy: (dy * 1,)), "tril"),
    "triu_as_tril": (rearrange.Triu, replaced(lambda self, dy: (np.tril(dy, self.diagonal),)), "triu"),
    "diagonal_twice": (rearrange.Diagonal, times(2), "diagonal"),
    "diag_main": (
        rearrange.DiagEmbed,
        replaced(lambda self, dY: (np.diagonal(dY)[: len(dY) - abs(self.offset)],)),
        "diag",
    ),
    "scatter_keeps": (Scatter, lambda b: lambda self, dy: (dy * 1, b(self, dy)[1]), "scatter"),
    "scatter_no_src": (Scatter, without(1), "scatter"),
    "scatter_add_erases": (ScatterAdd, lambda b: lambda self, dy: (dy * 0, b(self, dy)[1]), "scatter_add"),
    "scatter_add_sign": (ScatterAdd, negated(1), "scatter_add"),
    "index_add_no_alpha": (IndexAdd, replaced(lambda self, dy: (dy * 1, dy[self.where])), "index_add"),
    "index_fill_keeps": (IndexFill, replaced(lambda self, dy: (dy * 1,)), "index_fill"),
}  # fmt: skip
MISSING = ("no_low", "no_divisor", "no_value", "no_src")  # a missing gradient is no wrong one: not for differences


def rejects(check, cases):
    """The names of the rows in which `check` notices."""
    found = []
    for case in cases:
        try:
            check(case)
        except (AssertionError, RuntimeError, ValueError, AttributeError):
            found.append(case.name)
    return found


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_noticed(name, monkeypatch):
    """By the comparison with PyTorch and, where a gradient is given at all, by central differences."""
    op, mutate, function = MUTANTS[name]
    cases = [case for case in BY_NAME.values() if case.op == function and case.grad]
    with np.errstate(all="ignore"):
        assert not rejects(checks.check_against_torch, cases)
        monkeypatch.setattr(op, "backward", mutate(op.backward))
        assert rejects(checks.check_against_torch, cases)
        if not name.endswith(MISSING):
            assert rejects(checks.check_differences, [case for case in cases if case.smooth])


@pytest.mark.parametrize("function", ["index_select", "take_along_dim", "repeat_interleave"])
def test_overwriting_repeated_indices_is_noticed(function, monkeypatch):
    """`=` where `+=` is meant: of the gradients that share an index only the last stays."""

    def overwrite(target, index, values):
        target[index] = values

    cases = [case for case in BY_NAME.values() if case.op == function and case.grad]
    monkeypatch.setattr(backend, "scatter_add", overwrite)
    assert rejects(checks.check_against_torch, cases)


@pytest.mark.parametrize("function", ["scatter_add", "index_add"])
def test_adding_only_once_is_noticed(function, monkeypatch):
    """The forward that loses what repeats."""

    def once(target, index, values):
        target[index] += values

    cases = [case for case in BY_NAME.values() if case.op == function]
    monkeypatch.setattr(backend, "scatter_add", once)
    assert rejects(checks.check_against_torch, cases)
