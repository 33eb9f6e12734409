"""autograd: what the rows against PyTorch (tests/surface/rows_autograd.py) cannot see: memory, walks, mutants."""

import gc
import warnings
import weakref

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import engine, nn
from minitorch_bn.autograd import Function, anomaly, function, several
from minitorch_bn.autograd.function import FunctionCtx, FunctionNode
from minitorch_bn.nn import hooks
from tests.surface import rows_autograd, rows_module, table

# ---- the names, and how they are imported


def test_the_names_are_where_pytorch_has_them():
    from minitorch_bn.autograd import Variable, backward, detect_anomaly, grad, gradcheck  # noqa: F401
    from minitorch_bn.autograd.function import once_differentiable  # noqa: F401
    from minitorch_bn.autograd.gradcheck import GradcheckError

    assert issubclass(GradcheckError, RuntimeError)
    assert mt.autograd.Function is Function and callable(mt.autograd.gradcheck)


# ---- Function


class Fork(Function):
    """x doubled and x tripled, without checks of anything."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * 2, x * 3

    @staticmethod
    def backward(ctx, da, db):
        return 2 * da + 3 * db


def leaf(*values):
    return mt.tensor(values, dtype=mt.float64).requires_grad_()


def test_one_result_is_one_op():
    class Double(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, dy):
            return dy * 2

    x = leaf(1.0, 2.0)
    y = Double.apply(x)
    assert [type(t.op).__name__ for t in engine.graph(y)] == ["DoubleBackward"]
    assert isinstance(y.op, FunctionNode) and isinstance(y.op.ctx, FunctionCtx)
    assert y.op.inputs == (x,) and not hasattr(y.op, "result")


def test_several_results_are_a_hub_and_its_parts():
    """The parts and the hub carry the function's name; the gradients that meet at the hub stay apart."""
    x = leaf(1.0, 2.0)
    a, b = Fork.apply(x)
    order = engine.graph(a.sum() + b.sum())
    assert [type(t.op).__name__ for t in order] == ["Add", "Sum", "Sum", "ForkBackward", "ForkBackward", "ForkBackward"]
    assert [t.op.torch_name for t in order[3:]] == ["ForkBackward"] * 3
    hub = order[-1]
    (a.sum() + b.sum()).backward(retain_graph=True)
    assert [part.tolist() for part in hub.dy.parts] == [[1, 1], [1, 1]]
    assert x.grad.tolist() == [5, 5]


def test_an_output_may_be_walked_alone_and_again():
    """What has arrived in one walk does not come back in the next."""
    x = leaf(1.0)
    a, b = Fork.apply(x)
    for y, wanted in [(a, 2), (b, 5), (a, 7)]:
        y.backward(retain_graph=True)
        assert x.grad.tolist() == [wanted]


def test_the_engines_own_names_may_be_used_in_ctx():
    class Names(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.inputs, ctx.needs, ctx.result, ctx.saved, ctx.serial, ctx.function = "abcdef"
            return x * 1

        @staticmethod
        def backward(ctx, dy):
            assert (ctx.inputs, ctx.needs, ctx.result, ctx.saved, ctx.serial, ctx.function) == tuple("abcdef")
            return dy * 3

    x = leaf(1.0)
    Names.apply(x).backward()
    assert x.grad.tolist() == [3]


def test_no_leaves_share_memory():
    """Not even if backward returns one array twice, what it was given, or what it saved."""

    class Careless(Function):
        @staticmethod
        def forward(ctx, a, b, c, d):
            ctx.save_for_backward(d)
            return a + b + c + d

        @staticmethod
        def backward(ctx, dy):
            d = dy * 2
            return d, d, dy, ctx.saved_tensors[0]

    leaves = [leaf(1.0, 2.0) for _ in range(4)]
    Careless.apply(*leaves).sum().backward()
    arrays = [t.grad_array for t in leaves] + [t.array for t in leaves]
    for i, one in enumerate(arrays):
        for other in arrays[i + 1 :]:
            assert not np.shares_memory(one, other)


def test_grad_shares_memory_with_nothing():
    x = leaf(1.0, 2.0)
    h = x + 1
    start = mt.ones(2, dtype=mt.float64)
    found = [*mt.autograd.grad(h, [h, x, x, h], start, retain_graph=True), *mt.autograd.grad(h, h, start)]
    for i, one in enumerate(found):
        assert not any(np.shares_memory(one.array, t.array) for t in [*found[i + 1 :], start, x, h])


def test_saved_tensors_are_the_values_of_then():
    """A recorded write gives a tensor new memory; what was saved before stays what it was."""
    x = leaf(1.0, 2.0)
    h = x * 1
    a, _ = Fork.apply(h)
    h += 10
    (saved,) = a.op.inputs[0].op.saved_tensors
    assert saved.tolist() == [1, 2] and h.tolist() == [11, 12]
    (a * h).sum().backward()
    assert x.grad.tolist() == [2 * 11 + 2 * 1, 2 * 12 + 2 * 2]


def test_a_dropped_graph_leaves_nothing():
    """No cycle holds a Function's node, its ctx or what it saved."""
    gc.collect()
    gc.disable()
    try:
        x = leaf(1.0, 2.0)
        a, b = Fork.apply(x)
        marks = [weakref.ref(a.op.inputs[0].op), weakref.ref(a.op.inputs[0].op.ctx)]
        a.sum().backward()
        del a, b
        assert [mark() for mark in marks] == [None, None]
    finally:
        gc.enable()


def test_the_freed_node_keeps_its_name():
    y = Fork.apply(leaf(1.0))[0]
    y.backward()
    assert repr(y) == "tensor([2.], dtype=torch.float64, grad_fn=<ForkBackward>)"
    with pytest.raises(AttributeError, match="nothing"):
        y.grad_fn.nothing  # noqa: B018


def test_a_long_chain_of_functions():
    class Next(Function):
        @staticmethod
        def forward(ctx, x):
            return x + 1

        @staticmethod
        def backward(ctx, dy):
            return dy

    x = leaf(0.0)
    y = x
    for _ in range(5_000):
        y = Next.apply(y)
    y.backward()
    assert x.grad.tolist() == [1]


def test_the_recording_flag_is_restored_after_errors():
    class Raises(Function):
        @staticmethod
        def forward(ctx, x):
            raise KeyError("forward")

    with pytest.raises(KeyError):
        Raises.apply(leaf(1.0))
    assert mt.is_grad_enabled()


# ---- grad


def test_grad_restores_dot_grad_after_errors():
    """The walk fails in the middle; `.grad` of the leaves is as before."""

    class Bad(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, dy):
            raise KeyError("backward")

    a, b = leaf(1.0), leaf(2.0)
    a.grad = mt.tensor([7.0], dtype=mt.float64)
    y = Bad.apply(a) + a * b
    with pytest.raises(KeyError):
        mt.autograd.grad(y, [a, b])
    assert a.grad.tolist() == [7] and b.grad is None


def test_absent_things_say_so():
    x = leaf(1.0)
    for call in (
        lambda: mt.autograd.grad(x * 2, x, create_graph=True),
        lambda: mt.autograd.backward(x * 2, create_graph=True),
        lambda: mt.autograd.grad(x * 2, x, is_grads_batched=True),
        lambda: mt.autograd.gradcheck(lambda x: x, (x,), check_forward_ad=True),
    ):
        with pytest.raises(NotImplementedError, match=r"absent|not available"):
            call()


def test_a_long_chain_between_outputs_and_inputs():
    x = leaf(1.0)
    y = x
    for _ in range(20_000):
        y = y + 0
    assert mt.autograd.grad(y, x)[0].tolist() == [1]


# ---- anomaly detection


def test_detection_leaves_the_engine_as_it_was():
    plain = engine.Variable.backward_step
    with mt.autograd.detect_anomaly():
        assert engine.Variable.backward_step is not plain
        with mt.autograd.detect_anomaly(check_nan=False):
            assert engine.Variable.backward_step is plain
    assert engine.Variable.backward_step is plain


def test_detection_calls_every_backward_once():
    calls = []

    class Counted(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, dy):
            calls.append(1)
            return dy * 2

    x = leaf(1.0)
    y = Counted.apply(x)
    with mt.autograd.detect_anomaly():
        y.backward(retain_graph=True)
    assert calls == [1] and "backward" not in vars(y.op)
    y.backward()
    assert x.grad.tolist() == [4]


def test_an_instance_of_detection_can_be_used_twice():
    detection = mt.autograd.detect_anomaly()
    for _ in range(2):
        with detection:
            assert mt.is_anomaly_enabled()
        assert not mt.is_anomaly_enabled()


# ---- gradcheck


def test_gradcheck_names_the_worst_element():
    class Wrong(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, dy):
            d = dy * 2
            d[1] = d[1] * 3
            return d

    with pytest.raises(
        mt.autograd.GradcheckError, match=r"1 of 9 .*output element 1 by input element 1: backward gives 6"
    ):
        mt.autograd.gradcheck(Wrong.apply, (leaf(1.0, 2.0, 3.0),))


def test_gradcheck_warns_of_float32():
    x = mt.tensor([1.0, 2.0]).requires_grad_()
    with pytest.warns(UserWarning, match=r"input 0 is torch\.float32"):
        mt.autograd.gradcheck(lambda x: x * 0.5, (x,), eps=2**-8)


def test_gradcheck_leaves_its_inputs_alone():
    x = leaf(1.0, 2.0)
    assert mt.autograd.gradcheck(lambda x: x.mul_(2) if x.op is not None else x * 1.0, (x,))
    assert x.tolist() == [1, 2] and x.grad is None


# ---- mutants: the rows notice every mistake in the new backward functions


def dropped(self, other):
    """What arrives second is lost."""
    return self


def wrong_place(self, dy):
    """The gradient of one result arrives as that of another."""
    return (several.Several(dy if i == 0 else None for i in range(self.count)),)


def scattered(self, dy):
    """The gradient of one result arrives as that of all."""
    return (several.Several(dy for i in range(self.count)),)


def kept_by_x(self, dy):
    """The gradient goes to the former self."""
    return dy, None


def to_both(self, dy):
    """The gradient goes to the former self, too."""
    return dy, dy


def not_summed(self, i, x, dx):
    """A gradient that is too large is cut instead of summed."""
    return None if dx is None else dx.array.reshape(-1)[: x.array.size].reshape(x.array.shape).astype(x.array.dtype)


def unchecked(self, i, x, dx):
    """A gradient is taken as it is."""
    return None if dx is None else dx.array


def no_zeros(self, d, zeros):
    """None is never replaced by zeros."""
    return None if d is None else mt.Tensor(d)


def always_zeros(self, d, zeros):
    """None is always replaced by zeros."""
    return None if d is None and zeros is None else mt.Tensor(zeros.copy() if d is None else d)


def blind(self, grads):
    """What a hook returns is forgotten."""
    self.grad_output = hooks._spread(self.output_places, grads, self.n_outputs)
    return grads


MUTANTS = {
    "several_add": (several.Several, "__add__", dropped, rows_autograd),
    "part_wrong_place": (several.Part, "backward", wrong_place, rows_autograd),
    "part_scattered": (several.Part, "backward", scattered, rows_autograd),
    "takeover_kept": (several.Takeover, "backward", kept_by_x, rows_autograd),
    "takeover_both": (several.Takeover, "backward", to_both, rows_autograd),
    "gradient_not_summed": (FunctionNode, "_checked", not_summed, rows_autograd),
    "gradient_unchecked": (FunctionNode, "_checked", unchecked, rows_autograd),
    "no_zeros": (FunctionNode, "_as_tensor", no_zeros, rows_autograd),
    "always_zeros": (FunctionNode, "_as_tensor", always_zeros, rows_autograd),
    "all_ops_walked": (mt.autograd.walk, "_towards", lambda order, chosen: order, rows_autograd),
    "anomaly_unseen": (anomaly, "_checked_step", anomaly._plain_step, rows_autograd),
    "hook_blind": (hooks.Gates, "outputs_seen", blind, rows_module),
    "hook_blind_inputs": (hooks.Gates, "inputs_seen", lambda self, grads: grads, rows_module),
    "differentiable_all": (function, "_differentiable", lambda ctx, y: isinstance(y, mt.Tensor), rows_autograd),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_rows_reject(name, monkeypatch, torch):
    owner, attribute, mutant, module = MUTANTS[name]
    assert wrong_rows(module, torch) == []
    monkeypatch.setattr(owner, attribute, mutant)
    assert wrong_rows(module, torch, first=True), f"no row notices {name}"


def wrong_rows(module, torch, first=False):
    """The names of the rows about functions, grad, detection and backward hooks that fail; or only the first."""
    wrong = []
    for row in module.ROWS:
        if not row.of.startswith(("autograd.Function", "autograd.grad", "autograd.detect", "nn.Module.register_full")):
            continue
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            kind, want = table.outcome(row.run, torch)
            ours, got = table.outcome(row.run, mt)
            try:
                assert kind == ours
                if kind == "value":
                    table.same(row, got, want)
            except AssertionError:
                wrong.append(row.name)
                if first:
                    return wrong
    return wrong


# ---- modules


def test_a_module_without_hooks_calls_forward_at_once():
    """Two frames: __call__ and forward. It is the hot path of every model."""
    import inspect

    class Depth(nn.Module):
        def forward(self):
            return len(inspect.stack())

    here = len(inspect.stack())
    assert Depth()() - here == 2
