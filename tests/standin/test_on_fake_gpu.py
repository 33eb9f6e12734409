"""Everything that a GPU must do, on the stand-in for CuPy: the code paths of a GPU, with NumPy's numbers, exactly."""

import gc

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import backend, engine
from tests.gpu import bodies, mixing, training
from tests.ops.cases import CASES
from tests.standin import fake_cupy


@pytest.fixture(autouse=True)
def exact(fake_gpu, monkeypatch):
    """1 / 0 is part of some rows. On the CPU, rows are summed as on a GPU: another order would round otherwise."""
    monkeypatch.setattr(backend, "sum_of_rows", lambda x: x.sum(0))
    monkeypatch.setattr(backend, "channel_mean", lambda x, axes, m: x.sum(axes) / m)
    with np.errstate(all="ignore"):
        yield


def same(what, got, want, terms=1):
    """Equal to the bit."""
    assert got.dtype is want.dtype, f"{what}: got {got.dtype}, wanted {want.dtype}"
    np.testing.assert_array_equal(got.detach().cpu().array, want.detach().array, what, strict=True)


ROWS = [case for case in CASES if case.op != "to_device"]


@pytest.mark.parametrize("case", ROWS, ids=[case.name for case in ROWS])
def test_row(case):
    bodies.check_row(case, np.float64, 0)


@pytest.mark.parametrize("case", ROWS, ids=[case.name for case in ROWS])
def test_row_float32(case):
    bodies.check_row(case, np.float32, 0)


@pytest.mark.parametrize("name", bodies.LAYERS)
def test_layer(name):
    bodies.check_layer(name, same)


@pytest.mark.parametrize("body", bodies.BODIES + mixing.BODIES, ids=lambda body: body.__name__)
def test_body(body):
    body(same)


@pytest.mark.parametrize("name", training.RUNS)
def test_training_equals_the_cpu(name):
    (want, here), (got, there) = training.RUNS[name]("cpu"), training.RUNS[name]("cuda")
    assert got == want and got[-1] < got[0]
    for (key, a), (_, b) in zip(bodies.tensors_of(there), bodies.tensors_of(here), strict=True):
        assert bodies.on_device(a)
        same(key, a, b)


@pytest.mark.parametrize(("name", "to_host", "to_device"), [("names", 5, 1), ("circles", 2, 0)])
def test_copies_per_training_step(fake_gpu, name, to_host, to_device):
    """Each copy to the host waits for the GPU: loss.item(), and one look at the numbers of every array of indices.

    circles: the loss, the targets. names: these, the letters for the embedding, and the rows in x[rows] and y[rows];
    the rows themselves are drawn on the CPU and go to the device.
    """
    counts = []
    for steps in (2, 5):
        before = fake_gpu.to_host, fake_gpu.to_device
        training.RUNS[name]("cuda", steps)
        counts.append((fake_gpu.to_host - before[0], fake_gpu.to_device - before[1]))
    assert tuple((b - a) / 3 for a, b in zip(*counts, strict=True)) == (to_host, to_device)


def test_memory_is_given_back_after_backward():
    """What the ops saved goes with the graph; only parameters, gradients and statistics stay on the device."""

    def alive():
        gc.collect()
        return sum(type(x) is fake_cupy.ndarray for x in gc.get_objects())

    model = training.circles(device="cuda")
    x, y = mt.randn(20, 2, device="cuda"), mt.randint(0, 2, (20,), device="cuda")
    counts = []
    for _ in range(3):
        loss = mt.nn.functional.cross_entropy(model(x), y)
        during = alive()
        loss.backward()
        counts.append(alive())
        assert counts[-1] < during
        model.zero_grad()
    assert counts[0] == counts[1] == counts[2]
    assert all(t.op is None for t in model.parameters()) and engine.is_grad_enabled()


def test_several_gpus(fake_gpu):
    fake_gpu.count = 2
    assert mt.cuda.device_count() == 2
    x = mt.ones(2).to("cuda:1")
    assert x.device == mt.device("cuda", 1) and repr(x) == "tensor([1., 1.], device='cuda:1')"
    assert x.cpu().tolist() == [1, 1] and x.to("cuda:0").device == mt.device("cuda", 0)
    with pytest.raises(RuntimeError, match="device 'cuda:2' was asked for, but there are only 2 GPUs"):
        x.to("cuda:2")
    mt.cuda.synchronize()


def test_one_gpu():
    assert mt.cuda.is_available() and mt.cuda.device_count() == 1
    with pytest.raises(RuntimeError, match="only 1 GPUs"):
        mt.zeros(2, device="cuda:1")
