"""repr of tensors: the same text as PyTorch's, compared where PyTorch is installed; fixed texts need no PyTorch."""

import numpy as np
import pytest

from minitorch_bn import printing

FLOATS = ["float16", "float32", "float64"]
INTEGERS = ["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"]
SHAPES = [(), (1,), (7,), (30,), (1001,), (4, 5), (40, 30), (2, 3, 4), (2, 700, 2), (2, 1, 3, 2), (5, 8, 7, 9)]
SCALES = [1e-30, 1e-5, 1e-4, 0.01, 1.0, 30.0, 1e4, 1e9]
EMPTY = [(0,), (0, 3), (3, 0), (2, 0, 4)]
NAN, INF = np.nan, np.inf
SPECIAL = {
    "zeros": [0.0, 0.0],
    "negative zero": [-0.0],
    "negative zero among whole": [-0.0, 3.0],
    "negative zero among fixed": [-0.0, 1.5],
    "nan": [NAN],
    "nan and zero": [0.0, NAN],
    "nan among whole": [1.0, NAN, 20.0],
    "nan among fixed": [1.5, NAN, -20.25],
    "infinities only": [INF, -INF],
    "infinities among whole": [INF, 100.0, -INF],
    "infinities among fixed": [0.5, INF, -INF],
    "infinity among scientific": [1e-5, INF, -0.0, NAN],
    "whole, ratio 1000": [1.0, 1000.0],
    "whole, ratio 1001": [1.0, 1001.0],
    "fixed, ratio 1000": [0.5, 500.0],
    "fixed, ratio above 1000": [0.5, 500.5],
    "negative, ratio above 1000": [-0.5, 500.5],
    "whole, 1e8": [1e8],
    "whole, above 1e8": [1.00001e8],
    "fixed, smallest 1e-4": [1e-4],
    "fixed, below 1e-4": [0.99e-4],
    "rounds up a digit": [0.99996, 9.99996],
    "half to even": [0.00005, 0.00015, 0.00025],
    "largest and smallest": [6e4, 6e-8],
    "ratio above the largest float": [1e300, 1e-300],
    "subnormal": [5e-324, 1e-45],
}
OPTIONS = [
    {"precision": 0},
    {"precision": 2},
    {"precision": 10},
    {"threshold": 5},
    {"threshold": 0, "edgeitems": 1},
    {"threshold": 5, "edgeitems": 0},
    {"edgeitems": 0},
    {"linewidth": 1},
    {"linewidth": 20},
    {"linewidth": 200},
    {"profile": "default"},
    {"profile": "short"},
    {"profile": "short", "precision": 3},
    {"profile": "full"},
    {"profile": "no such profile"},
    {"sci_mode": True},
    {"sci_mode": False},
    {"sci_mode": True, "precision": 1, "threshold": 10, "edgeitems": 2, "linewidth": 40},
]


@pytest.fixture(autouse=True)
def default_options():
    """Undo a test's options."""
    yield
    printing.set_printoptions(profile="default")


@pytest.fixture
def torch():
    """PyTorch, its options and default dtype put back afterwards."""
    torch = pytest.importorskip("torch")
    yield torch
    torch.set_printoptions(profile="default")
    torch.set_default_dtype(torch.float32)


def text(array, **details):
    return printing.tensor_repr(array, dtype_name=array.dtype.name, **details)


def floats(rng, dtype, shape, scale):
    with np.errstate(over="ignore", under="ignore"):  # float16 ends at 65504
        return np.asarray(rng.standard_normal(shape) * scale).astype(dtype)


# against PyTorch


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", FLOATS)
def test_floats(torch, rng, dtype, shape, scale):
    array = floats(rng, dtype, shape, scale)
    assert text(array) == repr(torch.from_numpy(array))
    whole = np.asarray(np.round(array))
    assert text(whole) == repr(torch.from_numpy(whole))


@pytest.mark.parametrize("largest", [1, 100, 2**62])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers(torch, rng, dtype, shape, largest):
    info = np.iinfo(dtype)
    low, high = max(info.min, -largest), min(info.max, largest)
    array = np.asarray(rng.integers(low, high, shape, dtype=dtype, endpoint=True))
    assert text(array) == repr(torch.from_numpy(array))


@pytest.mark.parametrize("density", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_bools(torch, rng, shape, density):
    array = np.asarray(rng.random(shape) < density)
    assert text(array) == repr(torch.from_numpy(array))


@pytest.mark.parametrize("default", FLOATS)
@pytest.mark.parametrize("shape", EMPTY, ids=str)
@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS, "bool"])
def test_empty(torch, dtype, shape, default):
    torch.set_default_dtype(getattr(torch, default))
    array = np.zeros(shape, dtype)
    assert text(array, default_dtype_name=default) == repr(torch.from_numpy(array))


@pytest.mark.parametrize("default", FLOATS)
@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS, "bool"])
def test_dtype_is_left_out_where_the_numbers_tell_it(torch, dtype, default):
    torch.set_default_dtype(getattr(torch, default))
    array = np.ones(2, dtype)
    assert text(array, default_dtype_name=default) == repr(torch.from_numpy(array))


@pytest.mark.parametrize("sci_mode", [None, True, False])
@pytest.mark.parametrize("values", SPECIAL.values(), ids=SPECIAL.keys())
@pytest.mark.parametrize("dtype", FLOATS)
def test_special_values(torch, dtype, values, sci_mode):
    torch.set_printoptions(sci_mode=sci_mode)
    printing.set_printoptions(sci_mode=sci_mode)
    with np.errstate(over="ignore", under="ignore"):
        array = np.array(values).astype(dtype)
    assert text(array) == repr(torch.from_numpy(array))
    assert text(array[0].reshape(())) == repr(torch.from_numpy(array)[0])


@pytest.mark.parametrize("kwargs", OPTIONS, ids=str)
@pytest.mark.parametrize("shape", [*SHAPES, (0, 3)], ids=str)
def test_options(torch, rng, shape, kwargs):
    torch.set_printoptions(**kwargs)
    printing.set_printoptions(**kwargs)
    for array in (floats(rng, "float32", shape, 1.0), floats(rng, "float64", shape, 1e-6), np.ones(shape, "int16")):
        assert text(array) == repr(torch.from_numpy(array))


def test_options_stay_until_they_are_set_again_but_for_sci_mode(torch, rng):
    array = floats(rng, "float32", (20,), 1.0)
    for kwargs in ({"precision": 7}, {"sci_mode": True}, {"linewidth": 50}, {"profile": "short"}, {"threshold": 3}, {}):
        torch.set_printoptions(**kwargs)
        printing.set_printoptions(**kwargs)
        assert text(array) == repr(torch.from_numpy(array)), kwargs


@pytest.mark.parametrize("n", range(1, 13))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradient_notes_wrap_at_the_line_end(torch, rng, dtype, n):
    array = floats(rng, dtype, (n,), 1.0)
    for linewidth in (*range(20, 100, 3), 80):
        torch.set_printoptions(linewidth=linewidth)
        printing.set_printoptions(linewidth=linewidth)
        leaf = torch.from_numpy(array).requires_grad_()
        assert text(array, requires_grad=True) == repr(leaf)
        assert text(array, requires_grad=True, grad_fn_name="CloneBackward0") == repr(leaf.clone())


def test_notes_of_an_empty_tensor_wrap_too(torch):
    array = np.zeros((0, 3))
    for linewidth in range(10, 90):
        torch.set_printoptions(linewidth=linewidth)
        printing.set_printoptions(linewidth=linewidth)
        assert text(array, requires_grad=True) == repr(torch.from_numpy(array).requires_grad_()), linewidth


@pytest.mark.parametrize("requires_grad", [True, False])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [*SHAPES, (0, 3)], ids=str)
def test_parameters(torch, rng, shape, dtype, requires_grad):
    array = floats(rng, dtype, shape, 1.0)
    wanted = repr(torch.nn.Parameter(torch.from_numpy(array), requires_grad=requires_grad))
    assert printing.parameter_repr(array, dtype_name=dtype, requires_grad=requires_grad) == wanted


def test_memory_order_does_not_matter(torch, rng):
    array = floats(rng, "float32", (30, 50), 1.0)
    for view in (array.T, array[::-2, 3:], np.asfortranarray(array)):
        assert text(view) == repr(torch.from_numpy(view.copy()))


# fixed texts


@pytest.mark.parametrize(
    ("array", "wanted"),
    [
        (np.float32(2.5).reshape(()), "tensor(2.5000)"),
        (np.array([1.0, 2.0], "float32"), "tensor([1., 2.])"),
        (np.array([1.5, -2.0], "float64"), "tensor([ 1.5000, -2.0000], dtype=torch.float64)"),
        (np.array([1e-5, 1.0], "float32"), "tensor([1.0000e-05, 1.0000e+00])"),
        (np.array([0.0, NAN], "float32"), "tensor([0., nan])"),
        (np.array([-0.0, 1.5, INF], "float32"), "tensor([-0.0000, 1.5000,    inf])"),
        (np.array([True, False]), "tensor([ True, False])"),
        (np.array([1, -20]), "tensor([  1, -20])"),
        (np.array([1, 2], "int32"), "tensor([1, 2], dtype=torch.int32)"),
        (np.zeros(0, "float32"), "tensor([])"),
        (np.zeros(0, "int64"), "tensor([], dtype=torch.int64)"),
        (np.zeros((0, 3), "float32"), "tensor([], size=(0, 3))"),
        (np.arange(1001), "tensor([   0,    1,    2,  ...,  998,  999, 1000])"),
        (
            np.zeros((2, 1, 2), "float16"),
            "tensor([[[0., 0.]],\n\n        [[0., 0.]]], dtype=torch.float16)",
        ),
        (
            np.arange(25) * 10,
            "tensor([  0,  10,  20,  30,  40,  50,  60,  70,  80,  90, 100, 110, 120, 130,\n"
            "        140, 150, 160, 170, 180, 190, 200, 210, 220, 230, 240])",
        ),
    ],
)
def test_fixed_texts(array, wanted):
    assert text(array) == wanted


def test_device_stands_first_among_the_notes():
    on_gpu = text(np.ones(2), device="cuda:0", requires_grad=True)
    assert on_gpu == "tensor([1., 1.], device='cuda:0', dtype=torch.float64, requires_grad=True)"


def test_grad_fn_replaces_requires_grad_and_wraps():
    array = np.full(7, 0.5, "float32")
    wanted = "tensor([0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000],\n       grad_fn=<AddBackward0>)"
    assert text(array, requires_grad=True, grad_fn_name="AddBackward0") == wanted


def test_parameter_has_a_line_of_its_own_before_it():
    array = np.ones((2, 2), "float32")
    wanted = "Parameter containing:\ntensor([[1., 1.],\n        [1., 1.]], requires_grad=True)"
    assert printing.parameter_repr(array, dtype_name="float32") == wanted


def test_only_the_shown_elements_of_a_large_tensor_are_read():
    huge = np.broadcast_to(np.float32(0.5), (10**6, 10**6))  # 4 TB, if anybody copied it
    row = "[0.5000, 0.5000, 0.5000,  ..., 0.5000, 0.5000, 0.5000]"
    rows = [row] * 3 + ["..."] + [row] * 3
    assert text(huge) == "tensor([" + ",\n        ".join(rows) + "])"
