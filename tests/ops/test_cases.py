"""Every row of the table (cases.py), through every check (checks.py)."""

import functools
import importlib
import pkgutil
import types

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import engine, ops
from tests.ops import checks
from tests.ops.cases import CASES

try:
    import torch
except ImportError:
    torch = None

needs_torch = pytest.mark.skipif(torch is None, reason="PyTorch is not installed (extra: parity)")

# Exported by ops/__init__.py, but not for users: what axis a dim is, how an index reads, how an error is said.
NOT_OPS = {
    "axis_of",
    "check_broadcast",
    "plain_index",
    "sizes",
    "all_transposed",
    "matrix_transposed",
    "index_steps",
    "index_error",
    "leading_ones_off",
    "laid_out_like",
    "memory_order",
    # draws, which have no gradient: tests/surface/rows_random.py, tests/ops/test_drawing.py
    "bernoulli",
    "multinomial",
}


def each(cases):
    """Run a test once per row."""
    return pytest.mark.parametrize("case", cases, ids=[case.name for case in cases])


@pytest.fixture(autouse=True)
def numbers_out_of_range():
    """1 / 0, log(0) and inf - inf are part of some rows; NumPy warns of them and PyTorch does not."""
    with np.errstate(all="ignore"):
        yield


@needs_torch
@each(CASES)
def test_equals_torch(case):
    checks.check_against_torch(case)


@needs_torch
@each(CASES)
def test_float32(case):
    checks.check_float32(case)


@each([case for case in CASES if case.grad and case.smooth])
def test_central_differences(case):
    checks.check_differences(case)


@each(CASES)
def test_memory(case):
    checks.check_memory(case)


# view refuses such inputs; dropout draws its mask in the order of memory, as PyTorch does: other numbers, another order
@each([case for case in CASES if case.op not in ("view", "dropout")])
def test_strided(case):
    checks.check_strided(case)


@each([case for case in CASES if case.grad])
def test_saves_what_backward_reads(case, monkeypatch):
    checks.check_saved(case, monkeypatch)


def test_every_exported_function_has_rows():
    exported = {name for name, value in vars(ops).items() if isinstance(value, types.FunctionType)} - NOT_OPS
    functional = {name for name, value in vars(mt.nn.functional).items() if isinstance(value, types.FunctionType)}
    missing = (exported | functional) - {case.op for case in CASES}
    assert not missing, f"no row in tests/ops/cases_*.py for {sorted(missing)}"


def op_classes():
    """Every op of ops/ that is not the base of others."""
    modules = [importlib.import_module(f"minitorch_bn.ops.{m.name}") for m in pkgutil.iter_modules(ops.__path__)]
    found = {v for m in modules for v in vars(m).values() if isinstance(v, type) and issubclass(v, engine.Op)}
    return {op for op in found if "forward" in vars(op)} - {engine.Op}


@functools.cache
def applied_ops():
    """The classes of all ops that the differentiable rows record."""
    applied = set()
    for case in CASES:
        if not case.grad:
            continue
        arrays = case.arrays()
        tensors = [checks.to_tensor(mt, a, w) for a, w in zip(arrays, case.differentiable(arrays), strict=True)]
        for y in checks.outputs(case.function(mt, *tensors)):
            if y.requires_grad:
                applied |= {with_forward(type(t.op)) for t in engine.graph(y)}
    return applied


def with_forward(op):
    """The class that an op has its forward from: some subclasses only give another name."""
    return next(base for base in op.__mro__ if "forward" in vars(base))


def test_every_op_class_is_differentiated_in_some_row():
    # moves to another device need a GPU; casts to another floating point type are in tests/test_dtypes.py; the backward
    # of NoDerivative raises, see tests/surface
    elsewhere = {"ToDevice", "Cast", "NoDerivative"}
    elsewhere |= {"Draw", "OtherBatchNorm", "StagedBatchNorm", "SyncBatchNorm"}  # have test files of their own
    missing = {op.__name__ for op in op_classes() - applied_ops()} - elsewhere
    assert not missing, f"no differentiable row records {sorted(missing)}"


def test_names_of_rows_differ():
    names = [case.name for case in CASES]
    assert len(names) == len(set(names)), sorted({name for name in names if names.count(name) > 1})


@pytest.mark.parametrize("name", ["add/same", "sum/all"])
def test_a_row_is_the_same_at_every_call(name):
    case = next(case for case in CASES if case.name == name)
    assert all(np.array_equal(a, b) for a, b in zip(case.arrays(), case.arrays(), strict=True))
