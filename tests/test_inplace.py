"""In-place writes: to leaves, to recorded tensors, to views, with and without recording."""

import operator

import numpy as np
import pytest

import minitorch_bn as mt

WRITES = {
    "iadd": lambda L, x: operator.iadd(x, 1),
    "isub": lambda L, x: operator.isub(x, 1),
    "imul": lambda L, x: operator.imul(x, 2),
    "itruediv": lambda L, x: operator.itruediv(x, 2),
    "ipow": lambda L, x: operator.ipow(x, 2),
    "iadd_tensor": lambda L, x: operator.iadd(x, L.ones(3, dtype=L.float64)),
    "add_": lambda L, x: x.add_(2.5),
    "add_alpha": lambda L, x: x.add_(L.ones(3, dtype=L.float64), alpha=-0.5),
    "sub_": lambda L, x: x.sub_(1, alpha=2),
    "mul_": lambda L, x: x.mul_(3),
    "div_": lambda L, x: x.div_(4),
    "neg_": lambda L, x: x.neg_(),
    "pow_": lambda L, x: x.pow_(2),
    "sqrt_": lambda L, x: x.sqrt_(),
    "clamp_": lambda L, x: x.clamp_(1.5, 2.5),
    "zero_": lambda L, x: x.zero_(),
    "fill_": lambda L, x: x.fill_(7),
    "copy_": lambda L, x: x.copy_(L.tensor([4.0, 5.0, 6.0])),
    "copy_broadcast": lambda L, x: x.copy_(L.tensor(9)),
    "masked_fill_": lambda L, x: x.masked_fill_(L.tensor([True, False, True]), -1.0),
    "setitem": lambda L, x: operator.setitem(x, 1, 10.0),
    "setitem_slice": lambda L, x: operator.setitem(x, slice(1, None), L.tensor([8.0, 9.0])),
    "setitem_mask": lambda L, x: operator.setitem(x, L.tensor([True, False, True]), 0),
    "setitem_tensor": lambda L, x: operator.setitem(x, L.tensor([2, 0]), L.tensor([1.0, 2.0], dtype=L.float64)),
    "uniform_": lambda L, x: (L.manual_seed(1), x.uniform_(-1, 1)),
    "normal_": lambda L, x: (L.manual_seed(1), x.normal_(1, 2)),
}


def both(function):
    """The function's arrays under torch and under mt."""
    torch = pytest.importorskip("torch")
    return [[np.asarray(t.detach()) for t in function(lib)] for lib in (torch, mt)]


@pytest.mark.parametrize("name", WRITES)
def test_plain_write_equals_torch_and_is_seen_by_views(name):
    """Nothing is recorded: memory changes, and whoever shares it sees it."""

    def run(L):
        x = L.tensor([1.0, 2.0, 3.0], dtype=L.float64)
        view, alias = x[1:], x
        WRITES[name](L, x)
        return x, view, alias

    want, got = both(run)
    for w, g in zip(want, got, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-14)


@pytest.mark.parametrize("name", WRITES)
def test_writing_to_a_leaf_that_requires_grad_is_an_error(name):
    torch = pytest.importorskip("torch")
    for lib in (torch, mt):
        x = lib.tensor([1.0, 2.0, 3.0], dtype=lib.float64, requires_grad=True)
        with pytest.raises(RuntimeError, match=r"leaf [Vv]ariable that requires grad"):
            WRITES[name](lib, x)
        assert x.tolist() == [1, 2, 3]


@pytest.mark.parametrize("name", WRITES)
def test_writing_to_a_leaf_under_no_grad_keeps_it_a_leaf(name):
    def run(L):
        x = L.tensor([1.0, 2.0, 3.0], dtype=L.float64, requires_grad=True)
        with L.no_grad():
            WRITES[name](L, x)
        assert x.is_leaf and x.requires_grad
        return (x,)

    want, got = both(run)
    np.testing.assert_allclose(got[0], want[0], rtol=1e-14)


@pytest.mark.parametrize("name", [n for n in WRITES if n not in ("sqrt_",)])
def test_write_to_a_recorded_tensor_is_recorded(name):
    """The gradient of what was overwritten is 0, of what was changed is the change's."""

    def run(L):
        x = L.tensor([1.0, 2.0, 3.0], dtype=L.float64, requires_grad=True)
        y = x + 0.5
        WRITES[name](L, y)
        (y * L.tensor([1.0, 10.0, 100.0], dtype=L.float64)).sum().backward()
        return y, x.grad

    want, got = both(run)
    for w, g in zip(want, got, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-14)


def test_an_alias_and_an_earlier_consumer():
    """z = x; x += 1: z is x and changed too; what read x before keeps its gradient of then."""

    def run(L):
        a = L.tensor([1.0, 2.0], dtype=L.float64, requires_grad=True)
        x = a * 3
        z = x
        before = x.sum() * 2  # sum saves nothing of x: PyTorch allows the write
        x += 5
        assert z is x
        (before + (z * z).sum()).backward()
        return z, a.grad

    want, got = both(run)
    for w, g in zip(want, got, strict=True):
        np.testing.assert_array_equal(g, w)


def test_many_writes_in_a_row():
    def run(L):
        a = L.tensor([1.0, 2.0], dtype=L.float64, requires_grad=True)
        x = a * 1
        for i in range(5):
            x *= i + 1
            x += a
        x[0] = a[1] * 3
        x.sum().backward()
        return x, a.grad

    want, got = both(run)
    for w, g in zip(want, got, strict=True):
        np.testing.assert_array_equal(g, w)


def test_a_tensor_becomes_recorded_by_what_is_written_into_it():
    """out = zeros; out[i] = f(x): the usual way to collect results."""

    def run(L):
        x = L.tensor([1.0, 2.0, 3.0], dtype=L.float64, requires_grad=True)
        out = L.zeros(3, dtype=L.float64)
        for i in range(3):
            out[i] = x[i] ** (i + 1)
        out += x
        assert out.requires_grad and not out.is_leaf
        out.sum().backward()
        return out, x.grad

    want, got = both(run)
    for w, g in zip(want, got, strict=True):
        np.testing.assert_array_equal(g, w)


def test_a_saved_value_stays_right():
    """tanh saved its result, which is then changed: PyTorch refuses the backward; here the saved array stays."""
    x = mt.tensor([0.5], dtype=mt.float64, requires_grad=True)
    y = x.tanh()
    z = y * 1
    y += 100
    z.sum().backward()
    np.testing.assert_allclose(x.grad.array, 1 - np.tanh(0.5) ** 2)


def test_data_shares_memory_and_records_nothing():
    x = mt.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    x.data += 1
    x.data[0] = 9
    assert x.tolist() == [9, 3] and x.is_leaf and x.requires_grad
    x.data = mt.tensor([5.0, 6.0])
    assert x.tolist() == [5, 6]
    y.sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_writes_through_detach_and_numpy_are_seen():
    x = mt.zeros(3)
    x.detach()[0] = 1
    x.numpy()[1] = 2
    x.view(3, 1)[2] = 3
    assert x.tolist() == [1, 2, 3]


def test_in_place_methods_give_back_the_tensor_itself():
    x = mt.ones(2)
    assert x.add_(1) is x and x.zero_() is x and x.fill_(3) is x and x.copy_(mt.ones(2)) is x
    assert x.uniform_() is x and x.normal_() is x and x.clamp_(0, 1) is x


def test_dtype_stays():
    """An in-place write never changes the dtype; what does not fit is an error."""
    x = mt.ones(2)
    x += mt.ones(2, dtype=mt.float64)
    assert x.dtype == mt.float32
    i = mt.tensor([1, 2])
    i += 1
    assert i.dtype == mt.int64 and i.tolist() == [2, 3]
    i[0] = 7.9
    assert i.tolist() == [7, 3]
    x.fill_(2)
    assert x.dtype == mt.float32


ERRORS = {
    "float_into_int": lambda L: L.tensor([1, 2]).add_(0.5),
    "divide_int": lambda L: L.tensor([1, 2]).div_(2),
    "idiv_int": lambda L: operator.itruediv(L.tensor([1, 2]), 2),
    "grows": lambda L: L.ones(2).add_(L.ones(3, 2)),
    "does_not_broadcast": lambda L: L.ones(2).add_(L.ones(3)),
    "copy_shape": lambda L: L.ones(2).copy_(L.ones(3)),
    "setitem_shape": lambda L: operator.setitem(L.ones(3), slice(0, 2), L.ones(3)),
    "setitem_range": lambda L: operator.setitem(L.ones(3), 3, 1.0),
    "setitem_tensor_range": lambda L: operator.setitem(L.ones(3), L.tensor([0, 3]), 1.0),
    "setitem_too_many": lambda L: operator.setitem(L.ones(3), (0, 0), 1.0),
    "setitem_recorded_shape": lambda L: operator.setitem(L.ones(3, requires_grad=True) * 2, slice(0, 2), L.ones(3)),
    "setitem_recorded_range": lambda L: operator.setitem(L.ones(3, requires_grad=True) * 2, 3, 1.0),
    "string": lambda L: L.ones(3).add_("one"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_torchs(name):
    torch = pytest.importorskip("torch")
    with pytest.raises(Exception) as theirs:
        ERRORS[name](torch)
    with pytest.raises(theirs.type):
        ERRORS[name](mt)


def test_a_failed_write_changes_nothing():
    x = mt.ones(3, requires_grad=True) * 2
    op = x.op
    with pytest.raises(RuntimeError):
        x += mt.ones(4)
    assert x.op is op and x.tolist() == [2, 2, 2]
