"""debug.why: the terms of a gradient element sum to it, for every row of the table of ops; errors; nothing changes."""

import contextlib
import io
import math
import re
import sys
import types

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn.debug import remember_lines, tape, terms, why
from tests.ops import checks
from tests.ops.cases import BY_NAME, CASES

WITH_GRAD = [case for case in CASES if case.grad]


def quietly(*args, **settings):
    """`why` without its text on standard output."""
    with contextlib.redirect_stdout(io.StringIO()):
        return why(*args, **settings)


def scalar_loss(case, dtype=np.float64):
    """The row's inputs, and one number that all of its floating point results are part of, with random weights."""
    arrays = [a.astype(dtype) if a.dtype == np.float64 else a for a in case.arrays()]
    wants = case.differentiable(arrays)
    tensors = [checks.to_tensor(mt, a, w) for a, w in zip(arrays, wants, strict=True)]
    ys = checks.outputs(case.function(mt, *tensors))
    pairs = [(y, v) for y, v in zip(ys, checks.upstreams(case, ys), strict=True) if y.requires_grad]
    return tensors, sum((y * mt.tensor(v.astype(y.array.dtype))).sum() for y, v in pairs) if pairs else None


def check_row(case, dtype, count):
    """Random elements of every gradient of the row: terms sum to it, it is backward's, nothing else changes."""
    with np.errstate(all="ignore"):
        tensors, loss = scalar_loss(case, dtype)
        if loss is None or loss.op is None:
            return 0
        asked, rng = [], case.rng()
        for t in [t for t in tensors if t.requires_grad and t.array.size]:
            for flat in rng.integers(0, t.array.size, count):
                index = tuple(int(i) for i in np.unravel_index(flat, t.array.shape))
                try:
                    asked.append((t, index, quietly(t, index, loss=loss)))
                except RuntimeError as error:  # a row may give an input no gradient at all
                    assert "does not depend" in str(error)
                    asked.append((t, index, None))
        assert all(t.grad is None and t.dy is None for t in tensors)
        loss.backward()
    for t, index, found in asked:
        if found is None:
            assert t.grad is None
            continue
        assert found.agrees, f"{case.name}: {found!r}"
        got, want = np.float64(found.gradient), np.float64(t.grad_array[index])
        assert np.array_equal(got, want, equal_nan=True), f"{case.name} at {index}: {got} and {want}"
        assert math.isnan(found.total) or found.total == sum_of(found), case.name
    return len(asked)


def sum_of(found):
    """The terms, added up without rounding where that can be."""
    products = [term.product for term in found.terms]
    return math.fsum(products) if all(map(math.isfinite, products)) else sum(products)


@pytest.mark.parametrize("k", range(8))
def test_terms_sum_to_the_gradient_for_every_op(k):
    assert sum(check_row(case, np.float64, 2) for case in WITH_GRAD[k::8]) > 50


@pytest.mark.parametrize("k", range(4))
def test_terms_sum_to_the_gradient_in_float32(k):
    assert sum(check_row(case, np.float32, 1) for case in WITH_GRAD[k::4]) > 50


# ---- the numbers are right, not only consistent


@pytest.mark.parametrize(
    "name", ["tanh/2d", "batch_norm/2d", "linear/2d", "conv2d/padding", "softmax/last", "cumsum/dim"]
)
def test_local_derivatives_are_central_differences(name):
    case = BY_NAME.get(name) or next(case for case in WITH_GRAD if case.op == name.split("/")[0] and case.smooth)
    tensors, loss = scalar_loss(case)
    x = next(t for t in tensors if t.requires_grad)
    index = tuple(n // 2 for n in x.array.shape)
    found, h = quietly(x, index, loss=loss), 1e-6
    assert found.terms
    for term in found.terms[:20]:
        values = []
        for step in (h, -h):
            arrays = [t.array.copy() for t in term.op.inputs if t is not None]
            arrays[0][index] += step
            values.append(applied_again(case, tensors, x, arrays[0])[term.element])
        slope = (values[0] - values[1]) / (2 * h)
        assert abs(slope - term.derivative) < 1e-6 * max(1, abs(slope)), (name, term.element)


def applied_again(case, tensors, x, array):
    """The row's result where x holds `array`."""
    moved = [mt.Tensor(array) if t is x else t.detach() for t in tensors]
    return checks.outputs(case.function(mt, *moved))[0].array


def test_a_term_that_is_missing_is_noticed(monkeypatch):
    whole = terms.contributions

    def careless(slope):
        found, rest = whole(slope)
        return found[:-1] if len(found) > 1 else found, rest

    monkeypatch.setattr(terms, "contributions", careless)
    for name in ("batch_norm", "linear", "conv2d", "softmax", "layer_norm", "cumsum"):
        case = next(case for case in WITH_GRAD if case.op == name)
        tensors, loss = scalar_loss(case)
        found = quietly(tensors[0], (0,) * tensors[0].ndim, loss=loss)
        assert not found.agrees and "more than rounding explains" in repr(found), name


def test_the_bound_is_tight():
    tensors, loss = scalar_loss(next(case for case in WITH_GRAD if case.op == "batch_norm"))
    found = quietly(tensors[0], (0,) * tensors[0].ndim, loss=loss)
    assert 0 < found.bound < 1e-12 * sum(abs(term.product) for term in found.terms)


def test_all_terms_of_a_product():
    x, w = mt.randn(4, 3), mt.randn(2, 3, requires_grad=True)
    y = mt.nn.functional.linear(x, w)
    y.square().sum().backward(retain_graph=True)
    found = quietly(w, (1, 2))
    by_element = {term.element: term for term in found.terms}
    assert sorted(by_element) == [(n, 1) for n in range(4)]
    for n in range(4):
        term = by_element[n, 1]
        assert term.derivative == x.array[n, 2] and term.dy == y.dy[n, 1]
        assert term.product == term.dy * term.derivative
    sizes = [abs(term.product) for term in found.terms]
    assert sizes == sorted(sizes, reverse=True)


def test_every_place_of_a_tensor_is_a_use_of_its_own():
    x = mt.tensor([3.0], requires_grad=True)
    found = quietly(x, 0, loss=(x * x * x).sum())
    assert sorted(term.product for term in found.terms) == [9.0, 9.0, 9.0] and found.total == 27.0


def test_a_dead_relu_adds_nothing_and_says_so():
    x = mt.tensor([-1.0, 1.0], requires_grad=True)
    found = quietly(x, 0, loss=mt.relu(x).sum())
    assert found.terms == [] and found.total == 0 and "ReLU adds nothing" in repr(found)


def test_an_infinite_derivative_is_one_term():
    x = mt.tensor([0.0, 1.0], requires_grad=True)
    with np.errstate(all="ignore"):
        found = quietly(x, 0, loss=x.sqrt().sum())
    assert found.total == np.inf and found.agrees


def test_a_changed_tensor_is_explained_as_it_is_now():
    x = mt.tensor([2.0, 3.0], requires_grad=True)
    h = x * 1
    before = h * 5
    h.mul_(10)
    loss = (h * h).sum() + before.sum()
    found = quietly(h, 1, loss=loss)
    assert found.total == 60.0 and [type(term.op).__name__ for term in found.terms] == ["Mul", "Mul"]
    assert quietly(x, 1, loss=loss).total == 605.0


# ---- BatchNorm's three paths


@pytest.mark.parametrize("mode", ["closed", "paper"])
@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 2, 2)])
def test_the_paths_through_batch_norm(mode, shape):
    mt.manual_seed(1)
    bn = (mt.nn.BatchNorm1d if len(shape) == 2 else mt.nn.BatchNorm2d)(3).double()
    bn.backward_mode = mode
    mt.nn.init.normal_(bn.weight)
    x = mt.randn(*shape, dtype=mt.float64, requires_grad=True)
    y = bn(x)
    y.pow(3).sum().backward(retain_graph=True)
    index = (2, 1) + (1,) * (len(shape) - 2)
    found = quietly(x, index)
    (paths,) = found.paths
    wanted = [float(part.array[index]) for part in bn.paths(mt.Tensor(y.dy))]
    got = [paths.direct, paths.through_mean, paths.through_var]
    assert np.allclose(got, wanted, rtol=1e-12, atol=1e-14)
    assert abs(sum(got) - found.gradient) < 1e-12 and "through the variance" in repr(found)
    assert quietly(bn.weight, 1).paths == []


def test_the_paths_under_another_convention():
    bn = mt.nn.BatchNorm1d(3, convention=mt.compare.Convention.MAKEMORE).double()
    x = mt.randn(6, 3, dtype=mt.float64, requires_grad=True)
    found = quietly(x, (2, 1), loss=bn(x).pow(3).sum())
    (paths,) = found.paths
    assert abs(paths.direct + paths.through_mean + paths.through_var - found.gradient) < 1e-12


# ---- where gradients come from


def chain():
    """A leaf, what is made of it, and a loss; float64."""
    mt.manual_seed(0)
    w = mt.randn(3, 4, dtype=mt.float64, requires_grad=True)
    h = mt.tanh(mt.randn(5, 3, dtype=mt.float64) @ w)
    return w, h, (h * h).mean()


def test_a_kept_walk_and_a_loss_say_the_same():
    w, h, loss = chain()
    aside = [quietly(w, (1, -1), loss=loss), quietly(h, (2, 3), loss=loss)]
    assert w.grad is None and all(t.dy is None for t in mt.engine.graph(loss))
    loss.backward(retain_graph=True)
    kept = [quietly(w, (1, 3)), quietly(h, [2, 3])]
    for a, b in zip(aside, kept, strict=True):
        assert [(t.element, t.product) for t in a.terms] == [(t.element, t.product) for t in b.terms]
        assert a.gradient == b.gradient and a.agrees and b.agrees
    assert kept[0].gradient == w.grad.array[1, 3] and kept[1].gradient == h.dy[2, 3]


@pytest.mark.parametrize(
    "case", [case for case in WITH_GRAD if "empty" not in case.name][::60], ids=lambda case: case.name
)
def test_a_kept_walk_of_any_op(case):
    with np.errstate(all="ignore"):
        tensors, loss = scalar_loss(case)
        x = next(t for t in tensors if t.requires_grad)
        index = tuple(n - 1 for n in x.array.shape)
        aside = quietly(x, index, loss=loss)
        loss.backward(retain_graph=True)
        kept = quietly(x, index)
    assert kept.agrees and np.array_equal(kept.gradient, x.grad_array[index], equal_nan=True)
    assert [term.element for term in kept.terms] == [term.element for term in aside.terms]


def test_deeper_explains_what_has_arrived():
    w, _, loss = chain()
    found = quietly(w, (0, 0), loss=loss)
    with contextlib.redirect_stdout(io.StringIO()):
        while found.terms[0].tensor is not None:
            term = found.terms[0]
            found = found.deeper(0)
            assert found.tensor is term.tensor and found.gradient == term.dy and found.agrees
    assert found.tensor is loss and found.total == 1.0
    with pytest.raises(RuntimeError, match="deeper: term 0 is the start of the chain"):
        found.deeper(0)
    with pytest.raises(IndexError, match="deeper: got term 5, there are the terms 0 to 0"):
        found.deeper(5)


def test_gradients_of_an_earlier_walk_are_pointed_out():
    w, _, loss = chain()
    loss.backward(retain_graph=True)
    assert ".grad holds" not in repr(quietly(w, (0, 0)))
    loss.backward(retain_graph=True)
    found = quietly(w, (0, 0))
    assert found.agrees and ".grad holds" in repr(found) and found.gradient * 2 == w.grad.array[0, 0]


def test_on_a_tape_in_the_middle():
    _, h, loss = chain()
    t = tape(loss)
    t.step()
    t.step()
    found = quietly(h, (0, 0))
    assert found.agrees and len(found.terms) == 2
    t.run()
    assert quietly(h, (0, 0)).gradient == found.gradient


def test_several_results_of_a_function():
    class Both(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x, x + 1

        @staticmethod
        def backward(ctx, d_square, d_more):
            return 2 * ctx.saved_tensors[0] * d_square + d_more

    x = mt.tensor([1.0, 2.0, 3.0], requires_grad=True)
    square, more = Both.apply(x)
    found = quietly(x, 1, loss=(square * 10 + more * 7).sum())
    assert sorted((t.element, t.dy, t.derivative) for t in found.terms) == [((0, 1), 10.0, 4.0), ((1, 1), 7.0, 1.0)]
    assert found.total == 47.0 and found.agrees
    with contextlib.redirect_stdout(io.StringIO()):
        deeper = found.deeper(0)
    assert deeper.gradient == 10.0 and deeper.agrees and "BothBackward" in repr(found)
    assert quietly(x, 1, loss=square.sum()).total == 4.0


def test_a_function_that_is_not_linear_is_found_out():
    class Sign(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, dy):
            return mt.sign(dy)

    x = mt.tensor([1.0, 2.0], requires_grad=True)
    found = quietly(x, 1, loss=(Sign.apply(x) * 3).sum())
    assert not found.agrees and "SignBackward is not linear in dy" in repr(found)


def test_hooks_are_shown_as_such():
    calls = []
    x = mt.tensor([1.0, 2.0], requires_grad=True)
    h = x * 3
    h.register_hook(lambda dy: calls.append(0) or dy.clamp(max=0.5))
    layer = mt.nn.Tanh()
    layer.register_full_backward_hook(lambda *_: calls.append(1))
    loss = layer(h * 1).sum() + (h * 5).sum()
    found = quietly(x, 1, loss=loss)
    assert found.total == 1.5 and found.agrees
    with contextlib.redirect_stdout(io.StringIO()):
        up = found.deeper(0)
        assert up.gradient == 0.5 and "hook" in repr(up) and up.agrees
        assert up.deeper(0).agrees
    assert len(calls) < 12
    for t in mt.engine.graph(loss):
        if not hasattr(t.array, "parts") and t is not loss and t.array.size == 2:
            assert quietly(t, 0, loss=loss).agrees


# ---- what cannot be explained


def test_errors():
    w, h, loss = chain()
    for got, wanted, call in [
        (TypeError, "why: got ndarray for tensor, wanted a Tensor", lambda: why(w.array, 0, loss=loss)),
        (TypeError, "why: got float for loss, wanted a Tensor", lambda: why(w, (0, 0), loss=1.0)),
        (TypeError, r"why: got index 0\.5, wanted an integer", lambda: why(w, 0.5, loss=loss)),
        (TypeError, "why: got index slice", lambda: why(w, slice(2), loss=loss)),
        (IndexError, r"why: got 1 numbers in index 0 for shape \(3, 4\), wanted 2", lambda: why(w, 0, loss=loss)),
        (IndexError, "why: index 3 is out of range for dimension 0", lambda: why(w, (3, 0), loss=loss)),
        (IndexError, "why: index -5 is out of range for dimension 1", lambda: why(w, (0, -5), loss=loss)),
        (RuntimeError, "why: the tensor does not require grad", lambda: why(mt.ones(2), 0, loss=loss)),
        (RuntimeError, "why: the loss has no graph", lambda: why(w, (0, 0), loss=loss.detach())),
        (RuntimeError, r"why: got a loss of shape \(5, 4\), wanted one element", lambda: why(w, (0, 0), loss=h)),
        (RuntimeError, "why: no gradients .* Call loss.backward", lambda: why(w, (0, 0))),
        (RuntimeError, "why: no gradients .* Call loss.backward", lambda: why(h, (0, 0))),
        (RuntimeError, "why: the loss does not depend", lambda: why(mt.ones(2, requires_grad=True), 0, loss=loss)),
    ]:
        with pytest.raises(got, match=wanted):
            call()
    loss.backward()
    for call in (lambda: why(h, (0, 0)), lambda: why(w, (0, 0), loss=loss), lambda: why(h, (0, 0), loss=loss)):
        with pytest.raises(RuntimeError, match=r"why: the graph has been freed.*retain_graph=True"):
            call()
    with pytest.raises(RuntimeError, match="why: no gradients"):
        why(w, (0, 0))


def test_two_kept_losses_are_refused():
    w, h, loss = chain()
    other = (h * 3).sum()
    loss.backward(retain_graph=True)
    other.backward(retain_graph=True)
    with pytest.raises(
        RuntimeError, match=r"why: the tensor has gradients of 2 results, .* why\(tensor, index, loss=loss\)"
    ):
        why(w, (0, 0))
    assert quietly(w, (0, 0), loss=other).agrees


def test_a_write_since_the_forward_is_refused():
    x = mt.ones(3, requires_grad=True)
    loss = (x * x).sum()
    with mt.no_grad():
        x.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        why(x, 0, loss=loss)


def test_ops_that_wait_for_other_processes_are_refused():
    x = mt.ones(3, requires_grad=True)
    h = x * 2
    h.op.group = types.SimpleNamespace(size=2)
    with pytest.raises(NotImplementedError, match="why: got Mul over several processes, wanted one"):
        why(x, 0, loss=h.sum())


# ---- how it is shown


def test_the_rest_is_folded_and_nothing_is_lost():
    x = mt.randn(100, dtype=mt.float64, requires_grad=True)
    loss = (mt.softmax(x, 0) * mt.arange(100)).sum()
    found = quietly(x, 7, loss=loss, top=3)
    assert len(found.terms) == 100 and found.agrees and len(found.rows) == 3
    folded = float(re.search(r"and 97 more, together (\S+)", repr(found))[1])
    assert abs(folded - sum(term.product for term in found.terms[3:])) < 1e-5 * abs(folded)


def test_the_work_is_limited():
    x = mt.randn(3000, requires_grad=True)
    found = quietly(x, 7, loss=mt.softmax(x, 0).square().sum(), limit=100)
    assert found.agrees and found.terms[-1].count > 2000 and found.terms[-1].element is None
    assert sum(term.count for term in found.terms) == 3000 and (7,) in [term.element for term in found.terms]
    assert "were not told apart (limit=100" in repr(found) and f"{found.terms[-1].count:,}" in repr(found)
    with pytest.raises(RuntimeError, match=r"deeper: term .* stands for .* elements together"):
        found.deeper(len(found.terms) - 1)
    calls = []
    backward = mt.engine.graph(found.terms[0].tensor)[0].op.backward
    found.terms[0].op.backward = lambda dy: calls.append(0) or backward(dy)
    quietly(x, 7, loss=found.walk.root, limit=100)
    assert 100 <= len(calls) < 130


def test_few_calls_where_few_elements_matter():
    x, w = mt.randn(300, 50), mt.randn(200, 50, requires_grad=True)
    loss = mt.nn.functional.linear(x, w).square().sum()
    op, calls = loss.op.inputs[0].op.inputs[0].op, []
    backward = op.backward
    op.backward = lambda dy: calls.append(0) or backward(dy)
    assert len(quietly(w, (3, 4), loss=loss).terms) == 300
    assert len(calls) < 1400  # of 60,000 elements
    big = mt.randn(1000, 1000, requires_grad=True)
    found = quietly(big, (3, 4), loss=big.tanh().sum())
    assert len(found.terms) == 1


def test_the_line_of_the_forward_and_names():
    x = mt.tensor([1.0, 2.0], requires_grad=True)
    with remember_lines():
        h = x.exp()
    found = quietly(x, 0, loss=h.sum(), names={"x": x, "h": h, "n": 3})
    text = repr(found)
    assert "d loss / d x[0]" in text and "h[0]" in text and "test_why.py:" in text and "h = x.exp()" in text


def test_it_is_printed_where_nobody_else_shows_it(capsys, monkeypatch):
    x = mt.tensor(2.0, requires_grad=True)
    found = why(x, (), loss=x * x)
    assert capsys.readouterr().out == f"{found!r}\n"
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    why(x, (), loss=x * x)
    assert capsys.readouterr().out == ""


def test_html_has_the_same_rows_and_escapes():
    x = mt.tensor([1.0, 2.0], requires_grad=True)
    text = quietly(x, 1, loss=(x * x).sum(), names={"<x>": x})._repr_html_()
    assert text.count("<tr>") == 3 and "&lt;x&gt;[1] = 4" in text and "<x>" not in text
    assert "equal to the last bit" in text
