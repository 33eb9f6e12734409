"""The ops behind the layer's other forms: the paper's stages, other conventions of variance and eps."""

import pytest

import minitorch_bn as mt
from minitorch_bn.ops import batchnorm_variants
from tests.ops import checks
from tests.ops.table import Case, normal, uniform

SHAPES = {"2d": (7, 3), "3d": (4, 3, 5), "4d": (2, 3, 4, 5)}
OPS = {
    "staged": lambda: batchnorm_variants.StagedBatchNorm(1e-5),
    "unbiased": lambda: batchnorm_variants.OtherBatchNorm(1e-2, 1, True),
    "outside": lambda: batchnorm_variants.OtherBatchNorm(1e-2, 0, False),
    "both": lambda: batchnorm_variants.OtherBatchNorm(1e-2, 1, False),
    "plain": lambda: batchnorm_variants.OtherBatchNorm(1e-5, 0, True),
}


def case_of(op, shape, affine=True):
    inputs = (normal(*shape), uniform(shape[1]), normal(shape[1])) if affine else (normal(*shape),)
    return Case(
        f"{op}/{len(shape)}d{affine}",
        lambda L, x, *gb: mt.engine.apply(OPS[op](), x, *(gb or (None, None))),
        inputs,
    )


CASES = [case_of(op, shape, affine) for op in OPS for shape in SHAPES.values() for affine in (True, False)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("check", ["check_differences", "check_memory", "check_strided"])
def test_op(case, check):
    getattr(checks, check)(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_op_saves_what_backward_reads(case, monkeypatch):
    monkeypatch.setitem(checks.READ_BY_OTHERS, "OtherBatchNorm", {"mean", "var"})
    # the base class saves x_hat's ingredients for all forms of the backward
    monkeypatch.setitem(checks.READ_BY_OTHERS, "StagedBatchNorm", {"mean", "var"})
    monkeypatch.setattr(checks, "TAKE_NONE", checks.TAKE_NONE | {"StagedBatchNorm", "OtherBatchNorm"})
    checks.check_saved(case, monkeypatch)


def drop(op_class, name, value):
    """A mutant: one saved value is replaced before backward reads it."""

    def backward(self, dy):
        setattr(self, name, value(self))
        return original(self, dy)

    original = op_class.backward
    return backward


MUTANTS = {
    "staged: no way through the variance": ("staged", "centred", lambda op: op.centred * 0),
    "staged: gamma forgotten": ("staged", "gamma", lambda op: None),
    "staged: std**2 for std**3": ("staged", "inv_std", lambda op: op.inv_std ** (2 / 3)),
    "unbiased: 1 / m": ("unbiased", "share", lambda op: 1 / op.m),
    "outside: eps as if inside": ("outside", "share", lambda op: 1 / op.m),
    "both: correction forgotten": ("both", "share", lambda op: op.share * (op.m - 1) / op.m),
    "both: gamma forgotten": ("both", "gamma", lambda op: None),
}


@pytest.mark.parametrize("what", MUTANTS)
def test_mutants_are_caught(what, monkeypatch):
    op, name, value = MUTANTS[what]
    op_class = type(OPS[op]())
    monkeypatch.setattr(op_class, "backward", drop(op_class, name, value))
    with pytest.raises(AssertionError):
        checks.check_differences(case_of(op, SHAPES["2d"]))
