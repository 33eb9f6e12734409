"""Random programs do the same with both libraries, step by step; and where they would not, it is found and shrunk."""

import re
from importlib import import_module

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import dtypes
from minitorch_bn.ops import arithmetic, batchnorm, indexing
from tests.parity import programs, programs_growth
from tests.parity.programs_tensors import FAMILIES

PROGRAMS = 900
PROGRAMS_UNTIL_FOUND = 150  # a planted bug shows in one of so many
SHORT = 12  # lines of a shrunk program


def report(lines, found):
    """What to read when the libraries part: the script, and how."""
    return f"\n\n{programs.script(lines)}\n\n{found}"


def test_programs_agree(torch, measured):
    steps, errors, names = 0, 0, set()
    for seed in range(PROGRAMS):
        lines = programs_growth.grow(seed, torch, FAMILIES)
        found = programs.disagreement(lines, torch)
        if found:
            pytest.fail(f"seed {seed}:{report(*programs.shrunk(lines, torch, found))}")
        steps += len(lines)
        errors += sum(kind == "error" for kind, _ in programs.run(lines, mt))
        names.update(name for line in lines for name in re.findall(r"\.(\w+)\(", line))
    assert errors < 0.1 * steps, "programs that mostly raise compare little"
    measured(f"{PROGRAMS} random programs, {steps} steps ({errors} raise), {len(names)} names: all as in PyTorch")


# ---- the proof that it would notice


def twice(right):
    """A backward whose gradients are all doubled."""
    return lambda op, dy: tuple(None if d is None else 2 * d for d in right(op, dy))


def without_projection(right):
    """Softmax's backward without its second term."""
    return lambda op, dy: (op.y * dy,)


def last_term_only(right):
    """Indexing's backward that writes where it should add."""

    def backward(op, dy):
        dx = np.zeros(op.x_shape, dy.dtype)
        dx[op.index] = dy
        return (dx,)

    return backward


def numpy_rules(right):
    """NumPy's type promotion: int64 and float32 make float64."""
    return lambda *operands: dtypes.of(np.result_type(*operands))


def a_copy(right):
    """A view that shares no memory."""
    return lambda op, x: right(op, x).copy()


def unbiased(right):
    """BatchNorm with the variance that divides by m - 1."""

    def forward(op, x, gamma, beta):
        y = right(op, x, gamma, beta)
        shrink = np.asarray((op.m - 1) / op.m, y.dtype) ** 0.5
        return (
            y * shrink if beta is None else (y - beta.reshape(shape(y, beta))) * shrink + beta.reshape(shape(y, beta))
        )

    def shape(y, beta):
        return (-1,) + (1,) * (y.ndim - 2)

    return forward


def another_error(right):
    """A mean that raises ValueError where RuntimeError is due."""

    def mean(*arguments, **named):
        try:
            return right(*arguments, **named)
        except RuntimeError as error:
            raise ValueError(str(error)) from None

    return mean


def without_a_flag(right):
    """A where whose result needs no gradient."""
    return lambda *arguments: right(*arguments).detach()


PLANTS = {
    "a gradient of a product is doubled": (arithmetic.Mul, "backward", twice, "grad"),
    "softmax without the projection": (
        import_module("minitorch_bn.ops.softmax").Softmax,
        "backward",
        without_projection,
        "grad",
    ),
    "a repeated index counts once": (indexing.Rows, "backward", last_term_only, "grad"),
    "NumPy's promotion": (dtypes, "result_type", numpy_rules, "dtype"),
    "a view that is a copy": (indexing.View, "forward", a_copy, "values"),
    "the unbiased variance normalises": (batchnorm.BatchNorm, "forward", unbiased, "values"),
    "another exception": (mt.Tensor, "mean", another_error, "error"),
    "a result that forgets its graph": (mt, "where", without_a_flag, "requires_grad"),
}


@pytest.mark.parametrize("name", PLANTS)
def test_planted_bug_is_found_and_shrunk(torch, monkeypatch, name):
    owner, attribute, wrong, kind = PLANTS[name]
    grown = [programs_growth.grow(seed, torch, FAMILIES) for seed in range(PROGRAMS_UNTIL_FOUND)]
    monkeypatch.setattr(owner, attribute, wrong(getattr(owner, attribute)))
    for lines in grown:
        found = programs.disagreement(lines, torch)
        if found and found.kind == kind:
            break
    else:
        pytest.fail(f"{name}: not found in {PROGRAMS_UNTIL_FOUND} programs")
    small, why = programs.shrunk(lines, torch, found)
    assert why.kind == kind
    assert len(small) <= SHORT, report(small, why)
    assert programs.disagreement(small, torch).line == found.line
    monkeypatch.undo()
    assert programs.disagreement(small, torch) is None, f"the bug is gone:{report(small, why)}"


def test_programs_are_scripts(torch):
    """What is printed after a failure runs as it stands."""
    lines = ["v0 = torch.ones(2)", "v1 = F.relu(v0)"]
    names = {}
    exec(programs.script(lines), names)
    assert names["v1"].tolist() == [1.0, 1.0]


def test_same_seed_same_program(torch):
    first, again, other = (programs_growth.grow(seed, torch, FAMILIES) for seed in (1, 1, 2))
    assert first == again != other
