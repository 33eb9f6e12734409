"""Element types: the dtype of every result must be PyTorch's, whatever the dtypes of the operands."""

import itertools
import pickle

import numpy as np
import pytest

import minitorch_bn as mt

torch = pytest.importorskip("torch")

NAMES = ["float16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool"]
KINDS = {"dimensions": (2,), "zero_dim": ()}
OPS = {
    "add": lambda L, a, b: a + b,
    "mul": lambda L, a, b: a * b,
    "sub": lambda L, a, b: a - b,
    "div": lambda L, a, b: a / b,
    "floor_divide": lambda L, a, b: a // b,
    "pow": lambda L, a, b: a**b,
    "maximum": lambda L, a, b: L.maximum(a, b),
    "where": lambda L, a, b: L.where(L.tensor([True, False]), a, b),
    "eq": lambda L, a, b: a == b,
    "lt": lambda L, a, b: a < b,
}
NUMBERS = {"True": True, "3": 3, "2.5": 2.5}


def make(L, name, shape):
    """A tensor of ones."""
    return L.ones(shape, dtype=getattr(L, name))


# Where PyTorch has no answer, or one that is an accident of its history; nothing in class depends on them.
QUIRKS = {
    ("pow", "bool", True),  # bool ** True is a bool there, True ** bool is not implemented
    ("square", "bool"),
    ("sign", "bool"),
    ("relu", "bool"),
    ("argmax", "bool"),  # not implemented there
    ("all", "uint8"),  # uint8 there, bool for all other types
    ("any", "uint8"),
}


def outcome(function):
    """The name of the dtype that comes out, or the type of the exception."""
    try:
        return str(function().dtype).removeprefix("torch.")
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("shapes", list(itertools.product(KINDS, KINDS)), ids="-".join)
@pytest.mark.parametrize("op", OPS)
def test_two_tensors(op, shapes):
    """All 81 pairs of dtypes."""
    a_shape, b_shape = (KINDS[s] for s in shapes)
    wrong = []
    for a, b in itertools.product(NAMES, NAMES):
        got, want = (
            outcome(lambda L=L, a=a, b=b: OPS[op](L, make(L, a, a_shape), make(L, b, b_shape))) for L in (mt, torch)
        )
        if got != want:
            wrong.append(f"{a}, {b}: got {got}, wanted {want}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("op", [op for op in OPS if op != "maximum"])  # PyTorch's maximum takes no numbers
def test_tensor_and_number(op):
    """The number on the right and on the left, against tensors with and without dimensions."""
    wrong = []
    for name, shape, number in itertools.product(NAMES, KINDS.values(), NUMBERS.values()):
        for left in (False, True):
            if op in ("eq", "lt", "where") and left:
                continue

            def run(L, name=name, shape=shape, number=number, left=left):
                x = make(L, name, shape)
                return OPS[op](L, number, x) if left else OPS[op](L, x, number)

            got, want = (outcome(lambda L=L: run(L)) for L in (mt, torch))
            if got != want and (op, name, number) not in QUIRKS:
                wrong.append(f"{name}{shape} {'left' if left else 'right'} {number}: got {got}, wanted {want}")
    assert not wrong, "\n".join(wrong)


FUNCTIONS = [
    "abs", "neg", "square", "sign", "exp", "log", "sqrt", "rsqrt", "tanh", "sigmoid", "relu", "log2", "log10",
    "sum", "mean", "var", "std", "max", "min", "amax", "amin", "argmax", "all", "any", "isnan",
]  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS)
def test_functions_of_one_tensor(function):
    wrong = []
    for name in NAMES:
        got, want = (outcome(lambda L=L, name=name: getattr(L, function)(make(L, name, (4,)))) for L in (mt, torch))
        if got != want and (function, name) not in QUIRKS:
            wrong.append(f"{name}: got {got}, wanted {want}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("pair", list(itertools.product(NAMES, NAMES)), ids="-".join)
def test_promote_types(pair):
    a, b = pair
    got = mt.promote_types(getattr(mt, a), getattr(mt, b))
    assert repr(got) == repr(torch.promote_types(getattr(torch, a), getattr(torch, b)))


@pytest.mark.parametrize("name", [*NAMES, "float", "double", "half", "int", "long", "short"])
def test_names_and_properties(name):
    ours, theirs = getattr(mt, name), getattr(torch, name)
    assert repr(ours) == repr(theirs) and ours.is_floating_point == theirs.is_floating_point
    assert ours.itemsize == theirs.itemsize and ours.is_signed == theirs.is_signed
    assert pickle.loads(pickle.dumps(ours)) is ours


@pytest.mark.parametrize("method", ["float", "double", "half", "int", "long", "bool"])
def test_conversions(method):
    x = np.array([-1.7, 0.0, 2.5])
    got, want = (getattr(L.from_numpy(x), method)() for L in (mt, torch))
    assert str(got.dtype) == str(want.dtype) and got.tolist() == want.tolist()


def test_type_names():
    for name in NAMES:
        assert make(mt, name, ()).type() == make(torch, name, ()).type()


def test_default_dtype():
    """New floats, integers divided, and numbers mixed into integers take the default type."""
    seen = []
    for lib in (mt, torch):
        lib.set_default_dtype(lib.float64)
        try:
            made = [lib.tensor(1.0), lib.zeros(2), lib.tensor([1, 2]) / 2, lib.tensor([1]) + 0.5, lib.arange(0.0, 1.0)]
            made += [lib.rand(1), lib.tensor([1]).exp(), lib.nn.Linear(1, 1).weight]
            seen.append([str(t.dtype) for t in made])
        finally:
            lib.set_default_dtype(lib.float32)
    assert seen[0] == seen[1]
    assert mt.get_default_dtype() is mt.float32


def test_a_cast_carries_gradients_in_the_dtype_of_its_input():
    for lib in (mt, torch):
        x = lib.ones(2, dtype=lib.float64, requires_grad=True)
        y = x.float()
        (y * 3).sum().backward()
        assert x.grad.dtype == lib.float64 and x.grad.tolist() == [3, 3]
        assert not x.detach().long().requires_grad


@pytest.mark.parametrize("bad", ["float31", object, complex, "x"])
def test_an_unknown_dtype_is_a_type_error(bad):
    with pytest.raises(TypeError, match="wanted one of"):
        mt.dtypes.of(bad)


def test_default_dtype_must_be_floating_point():
    for lib in (mt, torch):
        with pytest.raises(TypeError, match="floating-point"):
            lib.set_default_dtype(lib.int64)
