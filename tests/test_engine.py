"""The engine: order, chain rule, freeing, switches, errors. No op's mathematics is tested here."""

import gc
import sys
import tracemalloc
import weakref

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import engine
from minitorch_bn.ops.batchnorm import BatchNorm


def leaf(*values):
    """A float64 leaf that requires grad."""
    array = np.array(values[0] if len(values) == 1 else values, np.float64)
    return mt.from_numpy(array).requires_grad_()


# ---- the chain rule sums over all uses


def test_x_times_x():
    x = leaf(3.0)
    (x * x).backward()
    assert x.grad.item() == 6


def test_fan_out():
    x = leaf(2.0)
    (x + x + x * x + x).backward()
    assert x.grad.item() == 7


def test_diamond():
    """a -> b, c -> d: two ways from d to a."""
    a = leaf(2.0)
    b, c = a * 3, a * a
    (b * c).backward()
    assert a.grad.item() == 3 * 3 * 4


def test_many_diamonds_take_linear_time():
    """Fifty diamonds in a row: 2**50 paths, 100 ops."""
    x = y = leaf(1.0)
    for _ in range(50):
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**50


def test_a_long_and_a_short_way():
    """The newest op is not always the farthest: order by serial, not by depth."""
    x = leaf(2.0)
    short = x * 1
    long = x
    for _ in range(5):
        long = long * 2
    (short * long).backward()
    assert x.grad.item() == 2 * 32 * 2


def test_one_tensor_in_both_places_of_one_op():
    x = leaf([1.0, 2.0])
    mt.where(mt.tensor([True, False]), x, x).sum().backward()
    assert x.grad.tolist() == [1, 1]


def test_gradients_add_up_over_calls():
    x = leaf(3.0)
    (x * 2).backward()
    (x * 5).backward()
    assert x.grad.item() == 7


def test_chain_of_fifty_thousand_ops():
    """Forward, backward and dropping the graph, without recursion."""
    x = y = leaf(1.0)
    for _ in range(50_000):
        y = y + 1.0
    y.backward()
    assert x.grad.item() == 1
    for _ in range(50_000):
        y = y * 1.0
    del y


def test_dropping_a_recorded_chain_of_fifty_thousand_ops():
    """Nobody calls backward: freeing the chain must not overflow the stack either."""
    x = y = leaf(1.0)
    for _ in range(50_000):
        y = y + x
    del y


def test_a_path_that_is_cut_gives_nothing():
    x = leaf(2.0)
    (x.detach() * x).backward()
    assert x.grad.item() == 2


def test_gradient_argument():
    x = leaf([1.0, 2.0])
    (x * x).backward(mt.tensor([1.0, 10.0], dtype=mt.float64))
    assert x.grad.tolist() == [2, 40]


def test_backward_of_a_leaf():
    x = leaf(2.0)
    x.backward()
    assert x.grad.item() == 1


def test_backward_in_float32_from_float64_gradient():
    x = mt.ones(2, requires_grad=True)
    (x * 2).backward(mt.ones(2, dtype=mt.float64))
    assert x.grad.dtype == mt.float32


# ---- twice


def test_backward_twice_is_torchs_error():
    y = leaf(2.0) ** 3
    y.backward()
    with pytest.raises(RuntimeError, match=r"second time.*retain_graph=True"):
        y.backward()


def test_backward_through_a_freed_part_is_an_error():
    x = leaf(2.0)
    y = x * x
    (y * 2).backward()
    with pytest.raises(RuntimeError, match="second time"):
        (y * 3).backward()


def test_retain_graph():
    """x**3 at 2: 12, and 24 after a second walk."""
    x = leaf(2.0)
    y = x**3
    y.backward(retain_graph=True)
    assert x.grad.item() == 12
    y.backward()
    assert x.grad.item() == 24


def test_retain_graph_keeps_ops_and_gradients_for_inspection():
    x = leaf(2.0)
    y = x * 3
    z = y * y
    z.backward(retain_graph=True)
    assert y.dy.item() == 12 and z.op.inputs[0] is y


def test_an_op_is_applied_once():
    op = engine.Op()
    op.needs = [True]
    with pytest.raises(RuntimeError, match="applied already"):
        engine.apply(op, leaf(1.0))
    bn = BatchNorm()
    x = leaf([[1.0], [2.0]])
    engine.apply(bn, x, None, None)
    with pytest.raises(RuntimeError, match="BatchNorm has been applied already"):
        engine.apply(bn, x, None, None)


# ---- what is kept, what is shared, what is freed


def test_gradients_are_replaced_never_changed():
    """Who holds x.grad's array sees no later backward."""
    x = leaf([1.0, 2.0])
    (x * 2).sum().backward()
    held = x.grad_array
    copy = held.copy()
    (x * 3).sum().backward()
    assert np.array_equal(held, copy) and x.grad_array is not held


def test_gradients_of_leaves_share_no_memory():
    """add hands the same dy to both operands, reshape a view of it: the leaves get copies."""
    a, b, c = leaf([1.0, 2.0]), leaf([3.0, 4.0]), leaf([[5.0], [6.0]])
    d = a + b + c.reshape(2)
    v = mt.ones(2, dtype=mt.float64)
    d.backward(v)
    arrays = [a.grad_array, b.grad_array, c.grad_array, v.array]
    for i, g in enumerate(arrays):
        assert not any(np.shares_memory(g, other) for other in arrays[i + 1 :])


def test_grad_shares_memory_with_its_array():
    x = leaf([1.0, 2.0])
    (x * x).sum().backward()
    x.grad.zero_()
    assert x.grad_array.tolist() == [0, 0]


@pytest.fixture
def no_gc():
    """The cycle collector switched off."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def network():
    """A small graph with all kinds of ops; its loss and the arrays that it holds."""
    x = mt.from_numpy(np.random.default_rng(0).normal(size=(8, 5)))
    model = mt.nn.Sequential(mt.nn.Linear(5, 4), mt.nn.BatchNorm1d(4), mt.nn.Tanh(), mt.nn.Linear(4, 3)).double()
    return model, mt.nn.functional.cross_entropy(model(x), mt.tensor([0, 1, 2, 0, 1, 2, 0, 1]))


@pytest.mark.parametrize("walked", [True, False])
def test_a_dropped_graph_leaves_nothing_for_the_collector(walked, no_gc):
    model, loss = network()
    ops = [weakref.ref(t.op) for t in engine.graph(loss)]
    if walked:
        loss.backward()
    del loss
    assert [op() for op in ops if op() is not None] == []
    del model
    assert gc.collect() == 0


def test_backward_frees_what_forward_saved():
    """After backward the peak of a second pass is no higher, though the loss of the first is held."""
    x = mt.zeros(100_000, requires_grad=True)
    tracemalloc.start()
    try:
        held = []
        sizes = []
        for _ in range(4):
            loss = (x.tanh().tanh().tanh().tanh()).sum()
            loss.backward()
            held.append(loss)
            sizes.append(tracemalloc.get_traced_memory()[0])
        assert sizes[-1] - sizes[1] < x.array.nbytes
    finally:
        tracemalloc.stop()


def test_no_grad_saves_no_graph():
    x = leaf([1.0])
    with mt.no_grad():
        y = x * 2
    assert y.op is None and not y.requires_grad


# ---- three frames


def test_three_frames_from_the_user_to_the_mathematics():
    """loss.backward() -> backward -> backward_step -> BatchNorm.backward: what single-stepping in class relies on."""
    x = mt.from_numpy(np.random.default_rng(0).normal(size=(4, 2))).requires_grad_()
    loss = mt.nn.functional.batch_norm(x, None, None, training=True).pow(2).sum()
    here, stacks = sys._getframe(), []

    def trace(frame, event, argument):
        if event == "call" and frame.f_code is BatchNorm.backward.__code__:
            names, f = [], frame
            while f is not here:
                names.append(f.f_code.co_name)
                f = f.f_back
            stacks.append(names[::-1])

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        loss.backward()
    finally:
        sys.settrace(before)
    assert stacks == [["backward", "backward_step", "backward"]]


# ---- switches


def test_grad_modes_nest():
    assert mt.is_grad_enabled()
    with mt.no_grad():
        assert not mt.is_grad_enabled()
        with mt.enable_grad():
            assert mt.is_grad_enabled()
            with mt.no_grad():
                assert not mt.is_grad_enabled()
            assert mt.is_grad_enabled()
        assert not mt.is_grad_enabled()
    assert mt.is_grad_enabled()


def test_grad_modes_as_decorators():
    @mt.no_grad()
    def off():
        return mt.is_grad_enabled()

    @mt.no_grad
    def bare():
        return mt.is_grad_enabled()

    @mt.enable_grad()
    def on():
        return mt.is_grad_enabled()

    @mt.set_grad_enabled(False)
    def switched():
        return mt.is_grad_enabled()

    assert mt.is_grad_enabled()
    assert [off(), bare(), on(), switched()] == [False, False, True, False]
    with mt.no_grad():
        assert on() and not mt.is_grad_enabled()
    assert off.__name__ == "off" and mt.is_grad_enabled()


def test_a_decorated_function_may_call_itself():
    @mt.no_grad()
    def down(n):
        return mt.is_grad_enabled() or (n > 0 and down(n - 1))

    assert not down(3) and mt.is_grad_enabled()


def test_set_grad_enabled_as_context_and_as_function():
    with mt.set_grad_enabled(False):
        assert not mt.is_grad_enabled()
        with mt.set_grad_enabled(True):
            assert mt.is_grad_enabled()
        assert not mt.is_grad_enabled()
    assert mt.is_grad_enabled()
    mt.set_grad_enabled(False)
    try:
        assert not mt.is_grad_enabled()
    finally:
        mt.set_grad_enabled(True)
    assert mt.is_grad_enabled()


def test_grad_modes_are_undone_by_an_exception():
    with pytest.raises(ZeroDivisionError), mt.no_grad():
        raise ZeroDivisionError
    assert mt.is_grad_enabled()


def test_one_no_grad_object_used_twice():
    off = mt.no_grad()
    for _ in range(2):
        with off, off:
            assert not mt.is_grad_enabled()
        assert mt.is_grad_enabled()


# ---- leaves, retain_grad, requires_grad


def test_retain_grad():
    x = leaf([1.0, 2.0])
    y = x * 3
    y.retain_grad()
    (y * y).sum().backward()
    assert y.grad.tolist() == [6, 12] and x.grad.tolist() == [18, 36]


def test_reading_grad_of_an_intermediate_warns():
    y = leaf(1.0) * 2
    with pytest.warns(UserWarning, match="retain_grad"):
        assert y.grad is None


def test_is_leaf_and_grad_fn():
    x = leaf(1.0)
    y = x * 2
    assert x.is_leaf and x.grad_fn is None
    assert not y.is_leaf and repr(y.grad_fn) == "<MulBackward0>"


def test_inputs_that_need_nothing_get_nothing():
    x, w = mt.ones(2, 3), mt.ones(4, 3, requires_grad=True)
    mt.nn.functional.linear(x, w).sum().backward()
    assert x.grad is None and w.grad is not None


def test_graph_lists_newest_first():
    x = leaf(1.0)
    y = x * 2
    z = y + x
    assert engine.graph(z) == [z, y] or [t is s for t, s in zip(engine.graph(z), [z, y], strict=True)] == [True, True]
    assert engine.graph(x) == []


def test_stepping_by_hand_is_backward():
    """What debug tools do: graph(), receive(), backward_step()."""
    x = leaf(2.0)
    y = x**3 * x
    order = engine.graph(y)
    y.receive(np.ones(()))
    for t in order:
        t.backward_step()
    assert x.grad.item() == 4 * 8
