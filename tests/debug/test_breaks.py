"""break_when: stops at the right op, with the right names in the frame, and leaves nothing behind."""

import gc
import io
import pdb
import sys
import weakref

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import engine
from minitorch_bn.debug.breaks import break_when
from minitorch_bn.debug.lines import are_lines_remembered
from minitorch_bn.nn.module import Module


class Recorder:
    """A debugger that notes the names of the frame that it was opened in, and those of the callers."""

    def __init__(self):
        self.frames = []
        self.callers = []

    def __call__(self):
        frame = sys._getframe(1)
        self.frames.append(dict(frame.f_locals))
        names = []
        while frame is not None:
            names.append(frame.f_code.co_name)
            frame = frame.f_back
        self.callers.append(names)


@pytest.fixture
def seen():
    return Recorder()


@pytest.fixture(autouse=True)
def nothing_left():
    yield
    assert not are_lines_remembered()
    assert "receive" in vars(engine.Variable) and Module.__call__.__name__ == "__call__"


def leaf(*numbers):
    return mt.tensor(numbers, dtype=mt.float64, requires_grad=True)


def test_stops_at_the_op_that_produced_the_gradient(seen):
    x = leaf(4.0, 0.0)
    y = x * 2
    with break_when(y, lambda g: g.isinf().any(), debugger=seen) as handle:
        z = y.sqrt()
        with np.errstate(divide="ignore"):
            z.sum().backward()
    (frame,) = seen.frames
    assert type(frame["op"]).__name__ == "Sqrt" and handle.stops == 1
    np.testing.assert_array_equal(frame["dy"], [1, 1])
    np.testing.assert_array_equal(frame["dx"], [0.5 / np.sqrt(8), np.inf])
    assert frame["line"].text == "z = y.sqrt()" and frame["tensor"] is y
    assert "backward_step" in seen.callers[0] and seen.callers[0][0] == "_stop_at_gradient"


def test_the_predicate_sees_the_complete_gradient(seen):
    y = leaf(1.0, 2.0) * 1
    sums = []
    with break_when(y, lambda g: sums.append(g.tolist()), debugger=seen):
        (y * 3 + y * 4 + y * 5).sum().backward()
    assert sums == [[12.0, 12.0]] and seen.frames == []


def test_the_term_that_fits_is_shown(seen):
    y = leaf(0.0, 1.0) * 1
    with break_when(y, lambda g: g.isinf().any(), debugger=seen), np.errstate(divide="ignore"):
        a = y.exp()
        b = y.sqrt()
        c = y * 5
        (a + b + c).sum().backward()
    assert type(seen.frames[0]["op"]).__name__ == "Sqrt"
    np.testing.assert_array_equal(seen.frames[0]["gradient"], [np.inf, np.e + 0.5 + 5])


def test_uses_before_break_when_count_too(seen, capsys):
    y = leaf(1.0) * 1
    loss = (y * 7).sum()
    with break_when(y, lambda g: g == 7, debugger=seen):
        loss.backward()
    assert seen.frames[0]["line"] is None and "ran before break_when" in capsys.readouterr().out


def test_a_leaf_is_looked_at_term_by_term(seen):
    w = leaf(2.0)
    with break_when(w, lambda g: g > 3, debugger=seen):
        loss = (w * 2 + w * 5).sum()
        loss.backward()
    assert [float(frame["dx"][0]) for frame in seen.frames] == [5.0]
    assert type(seen.frames[0]["op"]).__name__ == "Mul" and w.grad.item() == 7
    assert "receive" not in vars(w)


def test_the_gradient_that_backward_starts_with(seen, capsys):
    y = leaf(1.0) * 1
    with break_when(y, lambda g: g == 9, debugger=seen):
        y.backward(mt.tensor([9.0], dtype=mt.float64))
    assert seen.frames[0]["op"] is None and "given to backward()" in capsys.readouterr().out


@pytest.mark.parametrize("retain", [False, True])
def test_gradients_are_those_without_it(retain, seen):
    def gradients(watch):
        x = leaf(0.3, -0.7)
        y = mt.tanh(x) * x
        z = (y * y).sum()
        handles = [break_when(t, lambda g: True, debugger=seen) for t in (x, y, z)] if watch else []
        z.backward(retain_graph=retain)
        if retain:
            z.backward()
        for handle in handles:
            handle.remove()
        return x.grad.array

    np.testing.assert_array_equal(gradients(True), gradients(False))
    assert len(seen.frames) == (8 if retain else 4)  # the leaf has two terms per walk


def test_remove_puts_everything_back(seen):
    x = leaf(1.0)
    y = x.exp()
    op = y.op
    handle = break_when(y, lambda g: True, debugger=seen)
    assert y.op is not op
    handle.remove()
    handle.remove()
    assert y.op is op and not {"receive", "_seen_by"} & vars(y).keys()
    y.backward()
    assert seen.frames == [] and x.grad.item() == np.e


def test_two_on_one_tensor_in_any_order_of_removal(seen):
    for order in ((0, 1), (1, 0)):
        y = leaf(1.0) * 1
        seen.frames.clear()
        handles = [break_when(y, lambda g: True, debugger=seen) for _ in range(2)]
        handles[order[0]].remove()
        (y * 2).sum().backward()
        handles[order[1]].remove()
        assert len(seen.frames) == 1 and type(seen.frames[0]["op"]).__name__ == "Mul"


def test_two_on_one_leaf_in_any_order_of_removal(seen):
    for first in (0, 1):
        x = leaf(1.0)
        seen.frames.clear()
        handles = [break_when(x, lambda g: True, debugger=seen) for _ in range(2)]
        handles[first].remove()
        (x * 2).sum().backward()
        handles[1 - first].remove()
        assert len(seen.frames) == 1 and "receive" not in vars(x)


def test_a_hook_of_the_user_stays(seen):
    y = leaf(1.0) * 1
    y.register_hook(lambda g: g * 10)
    with break_when(y, lambda g: True, debugger=seen):
        pass
    x = y.op.inputs[0].op.inputs[0]
    y.backward()
    assert x.grad.item() == 10


def test_a_walk_that_raises_leaves_nothing_behind(seen):
    class Broken(engine.Op):
        def forward(self, x):
            return x

        def backward(self, dy):
            raise ZeroDivisionError

    y = leaf(1.0) * 1
    with pytest.raises(ZeroDivisionError), break_when(y, lambda g: True, debugger=seen):
        engine.apply(Broken(), y * 2).backward()
    assert "receive" not in vars(y) and seen.frames == []


# ---- modules


def test_an_activation_of_a_module_inside(seen, capsys):
    mt.manual_seed(0)
    net = mt.nn.Sequential(mt.nn.Linear(3, 4), mt.nn.ReLU(), mt.nn.Linear(4, 2))
    net[0].bias.data.fill_(-100.0)  # a dead ReLU
    with break_when(net, lambda t: (t == 0).all(), gradients=False, debugger=seen) as handle:
        net(mt.randn(5, 3))
    assert handle.stops == 1 and type(seen.frames[0]["op"]).__name__ == "ReLU"
    assert seen.frames[0]["line"].text == "net(mt.randn(5, 3))" and not seen.frames[0]["y"].any()
    assert "output of 1 (ReLU)" in capsys.readouterr().out


def test_a_gradient_of_a_module_inside(seen, capsys):
    net = mt.nn.Sequential(mt.nn.Linear(3, 4), mt.nn.ReLU(), mt.nn.Linear(4, 2))
    net[0].bias.data.fill_(-100.0)
    with break_when(net, lambda t: not t.any(), activations=False, debugger=seen):
        net(mt.randn(5, 3)).sum().backward()
    assert [type(frame["op"]).__name__ for frame in seen.frames] == ["ReLU"]
    assert "an output of 0 (Linear)" in capsys.readouterr().out
    assert not any(module._hooks for module in net.modules())


def test_a_module_with_several_outputs_and_no_grad(seen):
    class Two(mt.nn.Module):
        def forward(self, x):
            return {"a": x * 2, "b": (x * 3, None)}

    with break_when(Two(), lambda t: t.item() in (2, 3), debugger=seen) as handle:
        with mt.no_grad():
            Two()(mt.ones(1))
    assert handle.stops == 0  # another module of the class
    two = Two()
    with break_when(two, lambda t: t.item() in (2, 3), debugger=seen), mt.no_grad():
        two(mt.ones(1))
    assert [frame["op"] for frame in seen.frames] == [None, None]


def test_results_of_a_function_with_several(seen):
    class Both(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, a, b):
            return a * 2 + b * 3

    x = leaf(1.0)
    y = x * 1
    with break_when(y, lambda g: True, debugger=seen):
        a, b = Both.apply(y)
        (a + b).sum().backward()
    assert seen.frames[0]["gradient"].item() == 5 and x.grad.item() == 5


def test_a_watched_graph_is_freed_without_the_collector():
    gc.disable()
    try:
        y = leaf(1.0) * 1
        handle = break_when(y, lambda g: True, debugger=print)
        gone = weakref.ref(y.op)
        del y
        assert gone() is None
        handle.remove()
    finally:
        gc.enable()


# ---- the debugger itself, and errors


def test_pdb_opens_by_default(monkeypatch):
    y = leaf(2.0) * 1
    out = io.StringIO()
    typed = io.StringIO("p type(op).__name__, dy.tolist(), dx.tolist()\nu\nu\np op is self.op\nc\n")

    def hook():
        debugger = pdb.Pdb(stdin=typed, stdout=out, nosigint=True, readrc=False)
        debugger.use_rawinput = False
        debugger.set_trace(sys._getframe(1))

    monkeypatch.setattr(sys, "breakpointhook", hook)
    before = sys.gettrace()
    with break_when(y, lambda g: True):
        (y * 3).sum().backward()
    sys.settrace(before)
    assert "('Mul', [1.0], [3.0])" in out.getvalue()


@pytest.mark.parametrize(
    ("watched", "predicate", "error", "text"),
    [
        (lambda: 3, bool, TypeError, "got int, wanted a Tensor or a Module"),
        (lambda: leaf(1.0), "nan", TypeError, "predicate of type str"),
        (lambda: mt.ones(1), bool, RuntimeError, "does not require grad"),
    ],
)
def test_errors(watched, predicate, error, text):
    with pytest.raises(error, match=text):
        break_when(watched(), predicate)


def test_a_freed_graph():
    y = leaf(1.0) * 1
    y.backward()
    with pytest.raises(RuntimeError, match="was freed"):
        break_when(y, bool)


def test_a_predicate_with_many_answers():
    y = leaf(1.0, 2.0) * 1
    with break_when(y, lambda g: g > 0), pytest.raises(RuntimeError, match=r"gave shape \(2,\).*end with \.any"):
        y.sum().backward()
