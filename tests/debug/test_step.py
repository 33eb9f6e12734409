"""debug.step and debug.presses: the debugger in the walk, and the number of its stops."""

import functools
import io
import pdb
import sys

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn.debug import stepper
from minitorch_bn.debug.stepper import presses, step

NUMPY = ("numpy", "numpy.*")


@pytest.fixture(autouse=True)
def trace_is_kept():
    """The debuggers switch tracing off when they are done; give back what was there, such as a coverage tool's."""
    before = sys.gettrace()
    yield
    sys.settrace(before)


def batchnorm_and_tanh():
    """A batch, tanh(batchnorm(batch)), and a gradient to start with."""
    mt.manual_seed(0)
    x = mt.randn(4, 2).requires_grad_()
    bn = mt.nn.BatchNorm1d(2)
    return x, mt.tanh(bn(x)), mt.randn(4, 2)


def typed(loss, gradient, *commands, **options):
    """What the debugger answers to these commands."""
    out = io.StringIO()
    step(loss, gradient, stdin=io.StringIO("".join(f"{line}\n" for line in commands)), stdout=out, **options)
    return out.getvalue()


def test_it_starts_right_before_the_first_op():
    _, y, dy = batchnorm_and_tanh()
    banner, *answers = typed(y, dy, "p dy is self.dy, type(op).__name__", "s", "s", "c").split("(Pdb) ")
    lines = banner.splitlines()
    assert lines[0] == (
        "debug.step: Tanh, the first of 2 ops of this walk; gradient of shape (4, 2). "
        "Next line: gradients = op.backward(dy)"
    )
    assert "s steps into" in lines[1] and "q leaves" in lines[2]
    assert lines[3].endswith("backward_step()") and lines[4] == "-> gradients = op.backward(dy)"
    assert answers[0] == "(True, 'Tanh')\n"
    assert answers[1].startswith("--Call--") and "activation.py" in answers[1]
    assert "(dy * (1 - self.y * self.y),)" in answers[2]


def test_afterwards_the_gradients_are_those_of_backward():
    x, y, dy = batchnorm_and_tanh()
    y.backward(dy)
    for commands in (["c"], ["s"] * 300 + ["c"], ["n"] * 300):
        z, w, dw = batchnorm_and_tanh()
        typed(w, dw, *commands)
        np.testing.assert_array_equal(z.grad.array, x.grad.array)
        with pytest.raises(RuntimeError, match="second time"):
            w.backward(dw)


def test_retain_graph():
    x, y, dy = batchnorm_and_tanh()
    typed(y, dy, "c", retain_graph=True)
    once = x.grad.clone()
    y.backward(dy)
    np.testing.assert_array_equal(x.grad.array, 2 * once.array)


def test_leaving_takes_everything_back():
    x, y, dy = batchnorm_and_tanh()
    y.backward(dy, retain_graph=True)
    before, op = x.grad.clone(), y.op
    for commands in (["q"], ["s"] * 20 + ["q"], ["n"] * 6 + ["q"], []):  # the last: the input ends
        typed(y, dy, *commands)
        np.testing.assert_array_equal(x.grad.array, before.array)
        assert y.op is op
    y.backward(dy)
    np.testing.assert_array_equal(x.grad.array, 2 * before.array)


def test_numpy_and_the_bookkeeping_are_passed_over():
    _, y, dy = batchnorm_and_tanh()
    said = typed(y, dy, *["s"] * 300)
    files = {line.split("(")[0][2:] for line in said.splitlines() if line.startswith("> ")}
    names = {file.replace("\\", "/").split("minitorch_bn/")[-1] for file in files if "minitorch_bn" in file}
    assert {"engine.py", "ops/activation.py", "ops/batchnorm.py"} <= names <= {
        "engine.py", "ops/activation.py", "ops/batchnorm.py", "backend.py", "tensor.py"
    }  # fmt: skip
    assert not any("numpy" in file for file in files)


def test_a_scalar_loss_and_a_function_with_several_results():
    class Both(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, a, b):
            return a * 2 + b * 3

    x = mt.tensor(1.0, requires_grad=True)
    a, b = Both.apply(x)
    assert "gradient 1. Next line" in typed(a + b, None, "c") and x.grad.item() == 5


@pytest.mark.parametrize(
    ("loss", "gradient", "error", "text"),
    [
        (lambda: None, None, TypeError, "got NoneType, wanted a Tensor"),
        (lambda: mt.ones(1), None, RuntimeError, "does not require grad"),
        (lambda: mt.ones(2, requires_grad=True) * 2, None, RuntimeError, "only for scalar outputs"),
        (lambda: mt.ones(2, requires_grad=True) * 2, mt.ones(3), RuntimeError, "got a gradient of shape"),
    ],
)
def test_errors(loss, gradient, error, text):
    with pytest.raises(error, match=text):
        typed(loss(), gradient, "c")


def test_a_freed_graph():
    y = mt.ones(1, requires_grad=True) * 2
    y.backward()
    with pytest.raises(RuntimeError, match="second time"):
        typed(y, None, "c")


def test_an_error_in_a_backward_takes_everything_back():
    class Broken(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, dy):
            raise ZeroDivisionError

    x = mt.ones(1, requires_grad=True)
    loss = (Broken.apply(x * 3) + x).sum()
    with pytest.raises(ZeroDivisionError):
        typed(loss, None, "c")
    assert x.grad is None


# ---- counting


def presses_in_pdb(call, skip):
    """Start pdb at a line that is `call()`, and press "s" until that line has returned; count what led there."""
    typed, out = io.StringIO("s\n" * 10_000), io.StringIO()
    debugger = pdb.Pdb(skip=(*skip, "bdb"), stdin=typed, stdout=out, nosigint=True, readrc=False)
    debugger.use_rawinput = False
    debugger.run("call()", {"call": call, "__name__": "__main__"})
    prompts = out.getvalue().count("(Pdb) ")
    return prompts - 2  # the prompt at the line itself, and the one at the end of this program of one line


@pytest.mark.parametrize("skip", [NUMPY, stepper.SKIP])
def test_presses_are_those_of_pdb(skip, measured):
    _, y, dy = batchnorm_and_tanh()
    counted = presses(functools.partial(y.backward, dy), skip, bookkeeping=True)
    _, y, dy = batchnorm_and_tanh()
    assert counted == presses_in_pdb(functools.partial(y.backward, dy), skip)
    skipped = "NumPy" if skip is NUMPY else "NumPy, contextlib and the clock"
    measured(f'presses of "s" through loss.backward() of tanh(batchnorm(x)), {skipped} skipped: {counted}')


@pytest.mark.parametrize("scalar", [True, False])
def test_few_presses_from_backward_through_tanh_of_batchnorm(scalar, measured):
    """In debug.step, which passes over NumPy and the bookkeeping between the ops."""
    _, y, dy = batchnorm_and_tanh()
    counted = presses(y.sum().backward if scalar else functools.partial(y.backward, dy))
    measured(f"debug.step, presses through tanh(batchnorm(x)){'.sum()' if scalar else ''}: {counted}")
    assert counted <= 75


def test_few_presses_from_where_step_starts_with_nothing_but_numpy_skipped(measured):
    """From the first op of the walk to its end, through every line of the engine and of the ops."""
    _, y, dy = batchnorm_and_tanh()
    out = io.StringIO()
    step(y, dy, skip=NUMPY, bookkeeping=True, stdin=io.StringIO("s\n" * 1000), stdout=out)
    counted = out.getvalue().count("(Pdb) ") - 1  # the first prompt is where step starts
    measured(f"debug.step, presses through tanh(batchnorm(x)), nothing but NumPy skipped: {counted}")
    assert counted <= 75


def test_exceptions_are_stops_too():
    def fails():
        try:
            raise KeyError
        except KeyError:
            return 1

    assert presses(fails) == presses_in_pdb(fails, stepper.SKIP) > presses(lambda: 1)


def test_step_needs_few_presses_to_the_mathematics():
    """From the banner: one "s" is the call of Tanh.backward, the next one its first line."""
    _, y, dy = batchnorm_and_tanh()
    said = typed(y, dy, "s", "s", "c")
    assert [line for line in said.splitlines() if line.startswith("-> ")] == [
        "-> gradients = op.backward(dy)",
        "-> def backward(self, dy):",
        "-> return (dy * (1 - self.y * self.y),)",
    ]
