"""The tape: to the end it is loss.backward() to the bit, and back and forth it leaves the same gradients."""

import gc
import random
import weakref

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import debug, engine, nn
from minitorch_bn.autograd import Function
from tests.ops import checks
from tests.ops.cases import CASES

DIFFERENTIABLE = [case for case in CASES if case.grad]
HAND_THROUGH = ["dropout/empty", "flatten/nothing"]  # rows whose result is the input itself
RANDOM_GRAPHS = 200
MOVES = 5  # back and forth, per graph


# ---- the same gradients, to the bit


class SplitInTwo(Function):
    """A function with two results: its node is a hub in the graph."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return 2 * x, x * x

    @staticmethod
    def backward(ctx, da, db):
        (x,) = ctx.saved_tensors
        return 2 * da + 2 * x * db


def bits(tensors):
    """The gradients in flight and those kept, as bytes."""

    def frozen(g):
        parts = getattr(g, "parts", (g,))
        return [None if p is None else (str(p.dtype), p.shape, np.asarray(p).tobytes()) for p in parts]

    return [(frozen(t.dy), frozen(t.grad_array)) for t in tensors]


def leaves_of(order):
    """The tensors that the walk ends at, in the order in which it meets them."""
    inputs = [x for t in order for x in t.op.inputs if x is not None and x.op is None]
    return list({id(x): x for x in inputs}.values())


def graph_of_case(case, with_grad_before):
    """A loss, and what the chain rule starts with."""
    arrays = case.arrays()
    tensors = [checks.to_tensor(mt, a, w) for a, w in zip(arrays, case.differentiable(arrays), strict=True)]
    if with_grad_before:
        for t in tensors:
            if t.requires_grad:
                t.grad = mt.ones_like(t)
    with np.errstate(all="ignore"):
        ys = [y for y in checks.outputs(case.function(mt, *tensors)) if y.requires_grad]
        loss = sum((y * y).sum() for y in ys) if len(ys) > 1 else ys[0]
    return loss, mt.Tensor(case.rng().normal(size=loss.shape).astype(loss.array.dtype))


def random_graph(seed):
    """A loss with random ops: tensors that are used again, in-place writes, hubs, kept gradients, gradients before."""
    draw = random.Random(seed)
    mt.manual_seed(seed)
    pool = [mt.randn(3, 4, requires_grad=True) for _ in range(3)]
    pool[0].grad = mt.randn(3, 4)
    bn, batch = nn.BatchNorm1d(4), pool[0]
    for _ in range(draw.randint(3, 12)):
        a, b = draw.choice(pool), draw.choice(pool)
        kind = draw.randrange(9)
        if kind == 0:
            batch = bn(a)
        elif kind == 1:
            batch = a * b
        elif kind == 2:
            batch = a + b
        elif kind == 3:
            batch = a.tanh()
        elif kind == 4:
            batch = (a @ b.T).softmax(1) @ b
        elif kind == 5:
            batch = sum(SplitInTwo.apply(a.tanh()))
        elif kind == 6:
            batch = a - a.mean(0)
        elif kind == 7 and not a.is_leaf:
            a += b.tanh()
            batch = a
        elif kind == 8 and not a.is_leaf:
            a.retain_grad()
            batch = a.sigmoid()
        if batch is not a:
            pool.append(batch)
    return sum((t * t).mean() for t in pool)


def assert_tape_is_backward(make):
    """The tape of one graph against loss.backward() of its twin, and random moves against the same states."""
    twin, gradient = make()
    order = engine.graph(twin)
    tensors = order + leaves_of(order)
    twin.backward(gradient, retain_graph=True)
    wanted = bits(tensors)

    loss, gradient = make()
    tape = debug.tape(loss, gradient)
    tensors = tape.order + leaves_of(tape.order)
    states = [bits(tensors)]
    while not tape.done:
        states.append(bits(tape.step().order + tensors[len(tape) :]))
    assert states[-1] == wanted
    draw = random.Random(len(tape))
    for _ in range(MOVES):
        goal = draw.randint(0, len(tape))
        while tape.position != goal:
            tape.step() if tape.position < goal else tape.back()
        assert bits(tensors) == states[goal]
    assert bits(tape.run().order + tensors[len(tape) :]) == wanted
    tape.reset()
    assert bits(tensors) == states[0] and tape.position == 0


@pytest.mark.parametrize("op", sorted({case.op for case in DIFFERENTIABLE}))
def test_every_op(op):
    for case in DIFFERENTIABLE:
        if case.op == op and case.name not in HAND_THROUGH:
            with np.errstate(all="ignore"):
                assert_tape_is_backward(lambda case=case: graph_of_case(case, with_grad_before=len(case.name) % 2))


@pytest.mark.parametrize("name", HAND_THROUGH)
def test_rows_without_an_op_have_no_tape(name):
    case = next(case for case in DIFFERENTIABLE if case.name == name)
    with pytest.raises(RuntimeError, match="tape: the loss has no graph, it is a leaf"):
        debug.tape(*graph_of_case(case, False))


def test_random_graphs():
    for seed in range(RANDOM_GRAPHS):
        assert_tape_is_backward(lambda seed=seed: (random_graph(seed), None))


# ---- moves


@pytest.fixture
def network():
    """A small network, its loss as a function, and the user's names."""
    mt.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 4), nn.Tanh())
    x = mt.randn(5, 3)

    def loss():
        return (net(x) ** 2).sum()

    return {"net": net, "x": x, "loss_of": loss}


def test_until_takes_names_of_modules_ops_and_grad_fns(network):
    tape = debug.tape(network["loss_of"])
    assert tape.until("1").op.torch_name == "NativeBatchNormBackward0"
    assert tape.tensor.dy is not None and network["net"][1].weight.grad is None  # about to run
    assert tape.step() is tape and network["net"][1].weight.grad is not None
    tape.reset()
    assert tape.until("BatchNorm1d").position == tape.reset().until("BatchNorm").position
    tape.reset()
    first = tape.until("TanhBackward0").position
    assert tape.until("TanhBackward0").position > first  # a second call goes on
    tape.reset()
    assert tape.until(type(tape.order[-1].op)).position < len(tape)
    assert tape.until(tape.order[-1].op).position == len(tape) - 1


def test_until_takes_tensors_names_and_predicates():
    x = mt.tensor([1.0, 2.0], requires_grad=True)
    w = mt.tensor([1e-9, 3.0], requires_grad=True)
    h = x * w
    y = h.tanh()
    tape = debug.tape(y.sum(), names=locals())
    assert tape.until("h").tensor is h and tape.until(h).tensor is h
    assert tape.until(x).tensor is h  # the op that made h is the one that gives x its gradient
    with pytest.raises(RuntimeError, match="until: Tensor lies behind"):
        tape.until(x)
    tape.reset()
    assert tape.until(x).tensor is h
    assert tape.reset().until(lambda t: t is y).tensor is y
    assert tape.until(lambda t: False).done


def test_until_at_the_present_op_stays_once():
    x = mt.tensor(0.5, requires_grad=True)
    tape = debug.tape(x.tanh().tanh())
    assert [tape.until("Tanh").position, tape.until("Tanh").position] == [0, 1]
    assert tape.back().until("Tanh").position == 0  # back forgets where until has stopped


@pytest.fixture
def tape():
    x = mt.tensor(0.5, requires_grad=True)
    return debug.tape(x.exp().tanh(), names=locals())


def test_errors_of_moves(tape):
    with pytest.raises(RuntimeError, match=r"back: the tape is at its beginning.*call step\(\)"):
        tape.back()
    with pytest.raises(KeyError, match=r"^until: got 'Relu', which is not.*tensors: loss; .*not remembered.*Exp, Tanh"):
        tape.until("Relu")
    with pytest.raises(KeyError, match="until: got Tensor, which is not"):
        tape.until(mt.ones(1))
    with pytest.raises(TypeError, match="until: got int, wanted a name"):
        tape.until(3)
    assert tape.position == 0
    with pytest.raises(RuntimeError, match=r"where: the line of Tanh was not remembered.*remember_lines"):
        tape.where()
    tape.run()
    with pytest.raises(RuntimeError, match=r"step: the tape is at its end, all 2 ops.*back\(\) or reset\(\)"):
        tape.step()
    with pytest.raises(RuntimeError, match=r"until: 'Exp' lies behind, at position 1 of 2"):
        tape.until("Exp")
    with pytest.raises(RuntimeError, match="where: the tape is at its end"):
        tape.where()


@pytest.mark.parametrize(
    ("loss", "error", "match"),
    [
        (lambda: 3.0, TypeError, "tape: got float, wanted the loss"),
        (lambda: mt.ones(()), RuntimeError, "tape: the loss has no graph, it does not require grad; debug.why_no_grad"),
        (lambda: mt.ones((), requires_grad=True), RuntimeError, "it is a leaf"),
        (lambda: mt.ones(2, requires_grad=True) * 2, RuntimeError, "only for scalar outputs"),
    ],
)
def test_errors_of_the_loss(loss, error, match):
    with pytest.raises(error, match=match):
        debug.tape(loss())
    with pytest.raises(error, match=match):
        debug.tape(loss)


def test_freed_graph_and_wrong_gradient():
    loss = mt.ones((), requires_grad=True) * 2
    with pytest.raises(RuntimeError, match="got a gradient of shape"):
        debug.tape(loss, gradient=mt.ones(2))
    assert loss.dy is None
    loss.backward()
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        debug.tape(loss)


# ---- what happens to the graph meanwhile


def test_a_leaf_that_was_written_to_ends_the_tape():
    w, x = mt.ones(2, requires_grad=True), mt.ones(2, requires_grad=True)
    tape = debug.tape((w + x).sum(), names=locals()).step()
    with mt.no_grad():
        w -= 0.1
    with pytest.raises(RuntimeError, match=r"step: w of shape \(2,\) has been written to"):
        tape.step()
    assert w.grad is None and x.grad is None
    tape = debug.tape((w + x).sum(), names=locals())
    w.data = mt.zeros(2)
    with pytest.raises(RuntimeError, match="step: w of shape"):
        tape.run()
    assert w.grad is None


def test_writes_elsewhere_do_not():
    w, other = mt.ones(2, requires_grad=True), mt.ones(2)
    tape = debug.tape((w * 2).sum()).step()
    other += 1
    tape.run()
    assert w.grad.tolist() == [2, 2]


def test_a_saved_value_that_was_written_to():
    w, x = mt.ones(2, requires_grad=True), mt.ones(2)
    tape = debug.tape((w * x).sum())
    x += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        tape.run()


def test_a_graph_that_was_freed_or_walked():
    w = mt.ones(2, requires_grad=True)
    loss = (w * 2).sum()
    tape = debug.tape(loss)
    loss.backward()
    with pytest.raises(RuntimeError, match=r"freed by a backward\(\) without retain_graph"):
        tape.step()
    loss = (w * 2).sum()
    first, second = debug.tape(loss).step(), debug.tape(loss)
    with pytest.raises(RuntimeError, match="another walk, or another tape"):
        first.step()
    assert second.run().done


def test_gradients_of_before_that_were_zeroed_cannot_come_back():
    w = mt.ones(2, requires_grad=True)
    w.grad = mt.ones(2)
    kept = w.grad
    tape = debug.tape((w * 2).sum(), names=locals()).run()
    kept.zero_()
    with pytest.raises(RuntimeError, match=r"back: the .grad of w that was there before has been written to"):
        tape.back()
    assert tape.done


class Broken(engine.Op):
    def forward(self, x, y):
        return x + y

    def backward(self, dy):
        return dy, dy[:1]


def test_an_error_in_backward_changes_nothing_and_says_where():
    x, y = mt.ones(2, requires_grad=True), mt.ones(2, requires_grad=True)
    tape = debug.tape(lambda: engine.apply(Broken(), x, y).sum()).step()
    with pytest.raises(RuntimeError, match="gave shape") as caught:
        tape.step()
    assert x.grad is None and tape.position == 1
    text = "\n".join(getattr(caught.value, "__notes__", map(str, caught.value.args)))
    assert "in the backward of Broken" in text and "inputs (2,), (2,)" in text and "test_tape.py" in text
    with pytest.raises(RuntimeError, match="gave shape"):
        tape.step()


def test_few_frames_lie_between_step_and_the_mathematics():
    frames = []

    class Look(engine.Op):
        def forward(self, x):
            return x + 1

        def backward(self, dy):
            import sys

            frame = sys._getframe()
            while frame.f_code.co_name != "test_few_frames_lie_between_step_and_the_mathematics":
                frames.append(frame.f_code.co_name)
                frame = frame.f_back
            return (dy,)

    debug.tape(lambda: engine.apply(Look(), mt.ones((), requires_grad=True))).step()
    assert frames == ["backward", "backward_step", "step"]


def test_a_dropped_tape_leaves_nothing_for_the_cycle_collector():
    x = mt.ones((), requires_grad=True)
    loss = x * 2
    gc.collect()
    gc.disable()
    try:
        tape = debug.tape(loss).run()
        gone = weakref.ref(tape)
        del tape
        assert gone() is None
        gone = weakref.ref(loss)
        del loss
        assert gone() is None
    finally:
        gc.enable()


# ---- what it shows


def test_where_is_the_line_of_the_forward(network):
    tape = debug.tape(network["loss_of"])
    line = tape.where()
    assert line.text == "return (net(x) ** 2).sum()" and line.file == __file__ and line.cell is None
    assert "test_tape.py:" in str(line) and line.line == network["loss_of"].__code__.co_firstlineno + 1


def test_state_counts_terms_and_sums_up_gradients():
    x = mt.tensor([3.0, -4.0], requires_grad=True)
    h = x * 1
    y = (h * h).sum() + h.sum()
    tape = debug.tape(y, names=locals())
    rows = {row.name: row for row in tape.state()}
    assert rows["y"].status == "complete" and rows["y"].norm == 1
    assert rows["h"].status == rows["x"].status == "pending" and rows["h"].norm is None
    tape.until("Mul")  # the sums are through: h has one of its three terms
    rows = {row.name: row for row in tape.state()}
    assert rows["h"].status == "1 of 3 terms"
    rows = {row.name: row for row in tape.run().state()}
    assert rows["x"].status == "complete"
    assert (rows["x"].min, rows["x"].max) == (-7, 7) and rows["x"].norm == pytest.approx(np.hypot(7, 7), rel=1e-12)
    assert rows["x"].gradient is x.grad_array
    lines = repr(tape.state()).splitlines()
    assert lines[0].split() == ["tensor", "shape", "gradient", "norm", "min", "max"]
    assert len(lines) == 1 + len(tape.state())


def test_state_tells_gradients_of_before():
    x = mt.tensor([3.0], requires_grad=True)
    x.grad = mt.ones(1)
    row = debug.tape((x * 2).sum(), names=locals()).state()[-1]
    assert row.name == "x" and row.status == "pending, .grad from before" and row.norm == 1


def test_repr_and_notebook_view(network):
    tape = debug.tape(network["loss_of"], names=network)
    assert repr(tape).startswith(f"<Tape: 0 of {len(tape)} ops done; next: SumBackward0 of loss ()")
    assert "return (net(x) ** 2).sum()" in repr(tape)
    tape.until("1")
    assert "NativeBatchNormBackward0" in repr(tape) and "module 1" in repr(tape)
    page = tape._repr_html_()
    lit = [row for row in page.split("<tr") if "font-weight:bold" in row]
    assert len(lit) == 1 and "NativeBatchNormBackward0" in lit[0] and "&#9654;" in lit[0]
    assert page.count("&#10003;") == tape.position and "net.1.weight" in page
    assert "at the end" in repr(tape.run()) and "font-weight:bold" not in tape._repr_html_()


def test_notebook_view_escapes_names_and_shortens_long_graphs():
    x = mt.ones((), requires_grad=True)
    y = x
    for _ in range(500):
        y = y + 1
    tape = debug.tape(y, names={"<script>": y, "x": x})
    page = tape._repr_html_()
    assert "<script>" not in page and "&lt;script&gt;" in page
    assert "460 more below" in page and page.count("<tr") < 60
    for _ in range(250):
        tape.step()
    page = tape._repr_html_()
    assert "230 more above" in page and "230 more below" in page and page.count("font-weight:bold") == 1


def test_hubs_with_several_results_are_steps_like_others():
    x = mt.tensor([3.0], requires_grad=True)
    a, b = SplitInTwo.apply(x)
    tape = debug.tape((a * b).sum(), names=locals())
    while not tape.done:
        assert repr(tape) and tape._repr_html_() and repr(tape.state())
        tape.step()
    assert x.grad.item() == 6 * 9  # d 2x^3
    with pytest.raises(TypeError, match="names: got list"):
        debug.tape((x * x).sum(), names=[x])


def test_a_long_chain_is_stepped_in_time_and_back():
    x = mt.ones((), requires_grad=True)
    y = x
    for _ in range(20_000):
        y = y + 1
    tape = debug.tape(y).run()
    assert x.grad.item() == 1
    assert tape.reset().position == 0 and x.grad is None


def test_names_of_tensors_lists_and_modules():
    net, x, y = nn.Linear(2, 2), mt.ones(2, 2, requires_grad=True), mt.ones(2, requires_grad=True)
    loss = (net(x) * y).sum()
    tape = debug.tape(loss, names={"_hidden": x, "net": net, "layers": [x, {"y": y}], "w": net.weight, "z": {"y": y}})
    assert tape.name(net.weight) == "w" and tape.name(net.bias) == "net.bias"  # a name of its own comes first
    assert tape.name(x) == "layers[0]" and tape.name(y) == "z['y']" and tape.name(loss) == "loss"
    assert tape.name(mt.ones(1)) == "unnamed" and tape.name(tape.order[1]) == "result of Mul"
