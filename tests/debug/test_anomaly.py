"""debug.detect_anomaly: the first NaN or infinity, forwards and backwards, is named; nothing is left behind."""

import re

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import engine
from minitorch_bn.debug import anomaly
from minitorch_bn.debug.anomaly import detect_anomaly
from minitorch_bn.debug.lines import are_lines_remembered

PLAIN_STEP = engine.Variable.backward_step


@pytest.fixture(autouse=True)
def nothing_left():
    yield
    assert engine.Variable.backward_step is PLAIN_STEP and vars(engine.Op)["needs"] is None
    assert not anomaly.detect_anomaly._open and not are_lines_remembered()


def leaf(*numbers):
    return mt.tensor(numbers, dtype=mt.float64, requires_grad=True)


def test_infinity_in_forward():
    x = leaf(2.0, 0.0, 1.0)
    with pytest.raises(RuntimeError) as caught, detect_anomaly():
        y = x * 3
        y.log()
    said = str(caught.value).splitlines()
    assert said[0] == "detect_anomaly: forward of Log gave infinity: 1 of 3 elements, the first at [1]"
    assert said[1].startswith("  line    test_anomaly.py:") and said[1].endswith(": y.log()")
    assert said[2] == "  x0      float64 (3,)  from 0 to 6, 1 zeros"
    assert said[3] == "  y       float64 (3,)  from 1.099 to 1.792, 1 -inf"
    assert type(caught.value.op).__name__ == "Log" and len(said) == 4


def test_nan_in_backward():
    x = leaf(4.0, 0.0)
    with pytest.raises(RuntimeError) as caught, detect_anomaly():
        y = x.sqrt()
        (y * 0).sum().backward()
    said = str(caught.value)
    assert said.startswith("detect_anomaly: backward of Sqrt gave nan: 1 of 2 elements, the first at [1]")
    assert ": y = x.sqrt()" in said and "  dy      float64 (2,)  from 0 to 0, 2 zeros" in said
    assert "  saved   y: float64 (2,)  from 0 to 2, 1 zeros" in said
    assert x.grad is None and "backward" not in vars(caught.value.op)


def test_infinity_in_backward():
    x = leaf(4.0, 0.0)
    with pytest.raises(RuntimeError, match="backward of Sqrt gave infinity"), detect_anomaly():
        x.sqrt().sum().backward()
    with np.errstate(divide="ignore"), detect_anomaly(infinity=False):
        x.sqrt().sum().backward()
    assert x.grad.tolist() == [0.25, float("inf")]


def test_a_graph_from_before():
    x = leaf(0.0)
    y = (x.sqrt() * 0).sum()
    with pytest.raises(RuntimeError, match="line    not known: the op ran before"), detect_anomaly():
        y.backward()


def test_each_direction_can_be_switched_off():
    x = leaf(0.0)
    with pytest.raises(RuntimeError, match="backward of Log"), detect_anomaly(forward=False):
        with np.errstate(divide="ignore"):
            y = x.log()
        y.backward()
    with pytest.raises(RuntimeError, match="forward of Log"), detect_anomaly(backward=False):
        x.log()
    with np.errstate(divide="ignore", invalid="ignore"), detect_anomaly(backward=False):
        x.sqrt().backward()


def test_masks_of_infinity_are_let_through_on_request():
    x = leaf(1.0, 2.0)
    with detect_anomaly(infinity=False):
        hidden = x.masked_fill(mt.tensor([True, False]), -float("inf"))
        hidden.softmax(0).sum().backward()
    with pytest.raises(RuntimeError, match="MaskedFill gave infinity"), detect_anomaly():
        x.masked_fill(mt.tensor([True, False]), -float("inf"))


def test_inputs_that_were_bad_already():
    x = mt.tensor([1.0, float("nan")], requires_grad=True)
    with pytest.raises(RuntimeError, match="x0 held such numbers already"), detect_anomaly():
        x * 2
    y = leaf(1.0) * 1
    with pytest.raises(RuntimeError, match="dy held such numbers already"), detect_anomaly():
        y.backward(mt.tensor([float("inf")], dtype=mt.float64))


def test_where_nothing_is_recorded():
    with pytest.raises(RuntimeError, match="forward of Log"), detect_anomaly(), mt.no_grad():
        mt.zeros(2).log()


def test_the_module_is_named():
    net = mt.nn.Sequential(mt.nn.Linear(2, 3), mt.nn.Sequential(mt.nn.Tanh(), mt.nn.Linear(3, 1)))
    net[1][1].weight.data.fill_(float("inf"))
    with pytest.raises(RuntimeError, match=r"forward of Linear.*\n.*\n  module  1\.1\n"), detect_anomaly():
        net(mt.ones(4, 2))


def test_integers_and_numbers_pass():
    with detect_anomaly():
        assert (mt.arange(4) + 1).tolist() == [1, 2, 3, 4]
        assert mt.zeros(0).sum().item() == 0
        assert (leaf(1.0) * float(2)).item() == 2


def test_gradients_and_saved_values_are_those_without_it():
    def run():
        mt.manual_seed(0)
        net = mt.nn.Sequential(mt.nn.Linear(3, 4), mt.nn.BatchNorm1d(4), mt.nn.Tanh(), mt.nn.Linear(4, 2))
        loss = mt.nn.functional.cross_entropy(net(mt.randn(8, 3)), mt.arange(8) % 2)
        saved = {type(t.op).__name__: sorted(vars(t.op)) for t in engine.graph(loss)}
        loss.backward()
        return saved, [p.grad.tolist() for p in net.parameters()]

    plain = run()
    with detect_anomaly():
        looked_at = run()
    assert looked_at == plain


def test_nested_blocks():
    x = leaf(0.0)
    with detect_anomaly(backward=False, infinity=False):
        with detect_anomaly():
            with pytest.raises(RuntimeError, match="gave infinity"):
                x.log()
        with np.errstate(divide="ignore"):
            x.log()  # the inner block alone looked for infinity
        with pytest.raises(RuntimeError, match="gave nan"):
            x / 0
    with np.errstate(divide="ignore"):
        x.log()


def test_beside_pytorchs_own():
    x = leaf(0.0)
    with mt.autograd.detect_anomaly():
        with pytest.raises(RuntimeError, match="detect_anomaly: backward of Sqrt"), detect_anomaly():
            (x.sqrt() * 0).backward()
        with pytest.raises(RuntimeError, match="Function 'SqrtBackward0' returned nan"):
            (x.sqrt() * 0).backward()
    with detect_anomaly():
        with mt.autograd.detect_anomaly(), pytest.raises(RuntimeError, match="Function 'SqrtBackward0'"):
            (x.sqrt() * 0).backward()


def test_functions_with_several_results():
    class Both(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, a, b):
            return a / 0

    x = leaf(1.0)
    with pytest.raises(RuntimeError, match=r"backward of BothBackward gave infinity"), detect_anomaly(forward=False):
        a, _ = Both.apply(x)
        with np.errstate(divide="ignore"):
            a.backward()
    with pytest.raises(RuntimeError, match=r"forward of Div gave infinity(.|\n)*: return a / 0"), detect_anomaly():
        Both.apply(x)[0].backward()  # an op inside the user's backward
    bad = leaf(float("inf"))
    with pytest.raises(RuntimeError, match="forward of Mul gave infinity"), detect_anomaly():
        Both.apply(bad)


def test_an_error_of_forward_itself_passes():
    with detect_anomaly(), pytest.raises(RuntimeError, match=r"shape|size"):
        mt.ones(2, 3) @ mt.ones(2, 3)


def test_a_0_dim_result():
    x = leaf(0.0)[0]
    with pytest.raises(RuntimeError, match=re.escape("gave infinity: the only element")), detect_anomaly():
        x.log()
