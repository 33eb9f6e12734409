"""backend.py: devices by name, what is said where there is no GPU, adding at repeated indices."""

import importlib.machinery
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import backend, nn
from tests.standin import fake_cupy

ROOT = Path(__file__).resolve().parents[1]

# ---- device

DEVICES = {
    "cpu": ("cpu", None),
    "cuda": ("cuda", None),
    "cuda:0": ("cuda", 0),
    "cuda:12": ("cuda", 12),
    "cpu:0": ("cpu", 0),
}
NO_DEVICES = ["foo", "CUDA", "", "cuda:", "cuda:-1", "cuda:x", "cuda:01", "cuda:1:2", "cuda 0", "cuda:\u00b2"]


@pytest.mark.parametrize("name", DEVICES)
def test_device_reads_a_name(name):
    d = mt.device(name)
    assert (d.type, d.index) == DEVICES[name] and str(d) == name
    assert mt.device(d) == d == mt.device(d.type, d.index) and hash(mt.device(d)) == hash(d)
    assert d != mt.device("cuda", 7) and d != name


def test_device_from_an_index():
    assert mt.device(1) == mt.device("cuda:1") == mt.device("cuda", 1) == mt.device(type="cuda", index=1)
    assert mt.device("cuda") != mt.device("cuda:0") and mt.device("cpu") != mt.device("cuda")
    assert {mt.device("cuda:1"): 5}[mt.device("cuda", 1)] == 5


@pytest.mark.parametrize("name", NO_DEVICES)
def test_device_refuses_a_name(name):
    with pytest.raises(RuntimeError, match="wanted 'cpu', 'cuda' or 'cuda:<index>'"):
        mt.device(name)


def test_device_refuses_arguments():
    for wrong in (None, 1.5, True, ["cpu"]):
        with pytest.raises(TypeError, match="device: got"):
            mt.device(wrong)
    with pytest.raises(RuntimeError, match="must not include an index because index was passed explicitly"):
        mt.device("cuda:1", 0)
    for negative in (lambda: mt.device("cuda", -1), lambda: mt.device(-1)):
        with pytest.raises(RuntimeError, match="index must not be negative"):
            negative()


def test_device_is_printed_as_in_pytorch():
    torch = pytest.importorskip("torch")
    for arguments in (["cpu"], ["cuda"], ["cuda:1"], ["cuda", 2], ["cpu:0"]):
        ours, theirs = mt.device(*arguments), torch.device(*arguments)
        assert (repr(ours), str(ours)) == (repr(theirs), str(theirs))
        assert (ours.type, ours.index) == (theirs.type, theirs.index)


def test_tensors_say_where_they_lie():
    x = mt.ones(2)
    assert x.device == mt.device("cpu") and not x.is_cuda
    assert x.cpu() is x and x.to("cpu") is x and x.to("cpu:0").device == mt.device("cpu")
    assert mt.zeros(2, device="cpu").device == mt.device("cpu") == mt.as_tensor([1], device=mt.device("cpu")).device


# ---- no GPU


def no_cupy(monkeypatch):
    """As if CuPy were not installed."""
    monkeypatch.setitem(sys.modules, "cupy", None)
    backend._usable_cupy.cache_clear()


@pytest.fixture(params=["not installed", "installed, no GPU"])
def without_gpu(request, monkeypatch):
    """A machine where no array can be put on a GPU, for either of the two reasons."""
    if request.param == "not installed":
        with monkeypatch.context() as patch:
            no_cupy(patch)
            yield
        backend._usable_cupy.cache_clear()
    else:
        with fake_cupy.installed(count=0):
            yield


def model():
    mt.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))


ASK = {
    "zeros": lambda: mt.zeros(2, device="cuda"),
    "tensor": lambda: mt.tensor([1.0], device="cuda:0"),
    "second GPU": lambda: mt.ones(2, device="cuda:1"),
    "index": lambda: mt.randn(2, device=0),
    "device": lambda: mt.arange(3, device=mt.device("cuda")),
    "like": lambda: mt.zeros_like(mt.ones(2), device="cuda"),
    "as_tensor": lambda: mt.as_tensor([1, 2], device="cuda"),
    "cuda": lambda: mt.ones(2).cuda(),
    "cuda(1)": lambda: mt.ones(2).cuda(1),
    "to": lambda: mt.ones(2).to("cuda"),
    "to with dtype": lambda: mt.ones(2).to("cuda", mt.float64),
    "to(0)": lambda: mt.ones(2).to(0),
    "Module.to": lambda: model().to("cuda"),
    "Module.cuda": lambda: model().cuda(),
    "Linear": lambda: nn.Linear(2, 3, device="cuda"),
    "BatchNorm1d": lambda: nn.BatchNorm1d(2, device="cuda"),
    "Embedding": lambda: nn.Embedding(4, 2, device="cuda"),
    "Conv2d": lambda: nn.Conv2d(1, 2, 3, device="cuda"),
}


@pytest.mark.parametrize("ask", ASK.values(), ids=ASK)
def test_asking_for_a_gpu_says_what_to_install(without_gpu, ask):
    with pytest.raises(RuntimeError) as error:
        ask()
    assert "there is no CuPy with a GPU here" in str(error.value) and "minitorch_bn[gpu-cuda13]" in str(error.value)
    assert "device='cpu'" in str(error.value) and error.value.__cause__ is None and error.value.__context__ is None


def test_there_is_no_gpu(without_gpu):
    assert mt.cuda.is_available() is False and mt.cuda.device_count() == 0
    mt.cuda.synchronize()
    assert backend.is_array(np.ones(2)) and not backend.is_array([1, 2]) and not backend.is_array(mt.ones(2))


def test_a_model_that_cannot_move_is_unchanged(without_gpu):
    there, same = model(), model()
    (there(mt.ones(4, 3)) * mt.ones(4, 2)).sum().backward()
    same(mt.ones(4, 3))
    before = [(p, p.array, p.grad_array) for p in there.parameters()]
    for move in (lambda: there.to("cuda"), lambda: there.to("cuda", mt.float64), there.cuda):
        with pytest.raises(RuntimeError, match="CuPy"):
            move()
    for (p, array, grad), q in zip(before, there.parameters(), strict=True):
        assert p is q and p.array is array and p.grad_array is grad and p.dtype is mt.float32
    for (name, a), (_, b) in zip(there.state_dict().items(), same.state_dict().items(), strict=True):
        assert mt.equal(a, b), name


def test_a_gpu_that_is_not_asked_for_changes_nothing(without_gpu):
    x = mt.randn(3, 3, requires_grad=True)
    ((x @ x)[mt.tensor([0, 0])] ** 2).sum().backward()
    assert x.grad.device == mt.device("cpu")


@pytest.mark.parametrize("statement", ["import minitorch_bn", "from minitorch_bn import nn, optim, backend"])
def test_the_import_does_not_import_cupy(statement):
    code = f"import sys; {statement}; print([m for m in sys.modules if m.startswith(('cupy', 'torch'))])"
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, check=True
    )
    assert result.stdout.strip() == "[]"


def test_work_on_the_cpu_does_not_import_cupy(monkeypatch):
    """An import of CuPy costs a tenth of a second, and memory on the GPU."""
    code = (
        "import sys, minitorch_bn as mt; m = mt.nn.Linear(2, 2); m(mt.ones(3, 2)).sum().backward(); "
        "mt.optim.SGD(m.parameters()).step(); print('cupy' in sys.modules)"
    )
    if importlib.machinery.PathFinder.find_spec("cupy") is None:
        pytest.skip("CuPy is not installed: it cannot be imported by mistake")
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, check=True
    )
    assert result.stdout.strip() == "False"


# ---- arrays


def test_arrays_stay_themselves():
    a = np.ones(3)
    assert backend.to_numpy(a) is a and backend.to_device(a, "cpu") is a and backend.namespace(a) is np
    assert backend.as_array(a) is a and backend.namespace(np.float32(1)) is np
    scalar = backend.as_array(np.float32(2))
    assert isinstance(scalar, np.ndarray) and scalar.shape == () and scalar.dtype == np.float32


def reference_add(target, index, values):
    """One at a time, in a loop."""
    expected = target.copy()
    positions = np.arange(target.size).reshape(target.shape)[index]
    for i, v in zip(positions.ravel(), np.broadcast_to(values, positions.shape).ravel(), strict=True):
        expected.reshape(-1)[i] += v
    return expected


RNG = np.random.default_rng(1)
# name: (shape of the target, index, shape of the values)
ADDITIONS = {
    "vector": ((5,), np.array([0, 2, 2, 2]), (4,)),
    "vector_negative": ((5,), np.array([-1, 4, -5]), (3,)),
    "vector_number": ((5,), np.array([1, 1]), ()),
    "vector_empty": ((5,), np.zeros(0, int), (0,)),
    "rows": ((4, 3), np.array([0, 3, 0]), (3, 3)),
    "rows_negative": ((4, 3), np.array([-1, 3, -4]), (3, 3)),
    "rows_2d": ((4, 3), np.array([[0, 1], [1, -1]]), (2, 2, 3)),
    "rows_3d": ((4, 3), np.zeros((2, 1, 2), int), (2, 1, 2, 3)),
    "rows_int32": ((4, 3), np.array([1, 1], np.int32), (2, 3)),
    "rows_number": ((4, 3), np.array([1, 1, 0]), ()),
    "rows_broadcast": ((4, 3), np.array([1, 1, 0]), (3,)),
    "rows_column": ((4, 3), np.array([1, 1, 0]), (3, 1)),
    "rows_empty": ((4, 3), np.zeros(0, int), (0, 3)),
    "rows_zero_dim": ((4, 3), np.array(2), (3,)),
    "mask": ((4, 3), np.array([True, False, True, True]), (3, 3)),
    "mask_full": ((4, 3), RNG.random((4, 3)) < 0.5, ()),
    "mask_none": ((4, 3), np.zeros(4, bool), (0, 3)),
    "pairs": ((4, 3), (np.array([0, 0, -1]), np.array([2, 2, -3])), (3,)),
    "broadcast_pairs": ((4, 3), (np.array([[0], [3]]), np.array([1, 1])), (2, 2)),
    "slice_and_rows": ((4, 3), (slice(1, None), np.array([0, 0])), (3, 2)),
    "three": ((2, 3, 4), np.array([1, 1, 0]), (3, 3, 4)),
    "three_middle": ((2, 3, 4), (slice(None), np.array([2, 2]), slice(1, 3)), (2, 2, 2)),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ADDITIONS)
def test_scatter_add(name, dtype, rng):
    shape, index, size = ADDITIONS[name]
    target, values = rng.normal(size=shape).astype(dtype), np.asarray(rng.normal(size=size), dtype)
    expected, given = reference_add(target, index, values), values.copy()
    backend.scatter_add(target, index, values)
    np.testing.assert_array_equal(target, expected, strict=True)
    np.testing.assert_array_equal(values, given)


@pytest.mark.parametrize("name", ADDITIONS)
def test_scatter_add_to_what_does_not_lie_in_order(name, rng):
    shape, index, size = ADDITIONS[name]
    target = np.zeros(shape, order="F")
    values = rng.normal(size=size)
    backend.scatter_add(target, index, values)
    np.testing.assert_array_equal(target, reference_add(np.zeros(shape), index, values))


@pytest.mark.parametrize("name", ADDITIONS)
def test_scatter_add_on_the_stand_in(name, rng):
    shape, index, size = ADDITIONS[name]
    values = rng.normal(size=size)
    with fake_cupy.installed():
        target = fake_cupy.zeros(shape)
        moved = [fake_cupy.asarray(i) if isinstance(i, np.ndarray) else i for i in backend_parts(index)]
        backend.scatter_add(target, tuple(moved) if isinstance(index, tuple) else moved[0], fake_cupy.asarray(values))
        np.testing.assert_array_equal(target.get(), reference_add(np.zeros(shape), index, values))


def backend_parts(index):
    return index if isinstance(index, tuple) else (index,)


def test_scatter_add_of_integers(rng):
    target, index = np.zeros((3, 2), np.int64), np.array([0, 2, 2])
    backend.scatter_add(target, index, np.ones((3, 2), np.int64))
    assert target.tolist() == [[1, 1], [0, 0], [2, 2]] and target.dtype == np.int64


def test_scatter_add_refuses_what_lies_outside():
    for target in (np.zeros(3), np.zeros((3, 2, 1))):
        with pytest.raises(IndexError):
            backend.scatter_add(target, np.array([3]), 1.0)


def test_sum_of_rows(rng):
    for shape in ((5, 3), (1, 4), (0, 2), (3, 0)):
        for dtype in (np.float32, np.float64):
            x = rng.normal(size=shape).astype(dtype)
            got = backend.sum_of_rows(x)
            assert got.dtype == dtype and got.flags.writeable and not np.may_share_memory(got, x)
            np.testing.assert_allclose(got, x.astype(np.float64).sum(0), rtol=8 * np.finfo(dtype).eps, atol=1e-6)
