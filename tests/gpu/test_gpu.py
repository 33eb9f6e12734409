"""Everything that a GPU must do, on a real one with CuPy. Skipped, with the reason, where there is none.

Kernels add up in another order than NumPy and have their own exp and tanh, so results agree within rounding: a sum of
n terms within 2 n u times the largest number, u = eps / 2; formulas have up to 16 more roundings per element. CUDA's
functions are within a few u (CUDA C++ Programming Guide, mathematical functions). See tests/ops/checks.py.
"""

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import backend
from tests.gpu import bodies, mixing, training
from tests.ops import checks
from tests.ops.cases import CASES
from tests.standin import test_fake_cupy as strictness

pytestmark = pytest.mark.gpu

ROWS = [case for case in CASES if case.op != "to_device"]


@pytest.fixture(autouse=True)
def numbers_out_of_range():
    """1 / 0, log(0) and inf - inf are part of some rows; NumPy warns of them."""
    with np.errstate(all="ignore"):
        yield


def same(what, got, want, terms=1):
    """Equal within the rounding of sums of `terms` terms; with 0 terms, equal."""
    got, want = got.detach().cpu().array, want.detach().cpu().array
    eps = np.finfo(want.dtype).eps if want.dtype.kind == "f" else 0
    checks.assert_close(what, got, want, (terms + 16) * eps if terms else 0)


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("case", ROWS, ids=[case.name for case in ROWS])
def test_row(case, dtype):
    terms = case.length or max((a.size for a in case.arrays()), default=1)
    bodies.check_row(case, dtype, (terms + 16) * float(np.finfo(dtype).eps) * case.condition)


@pytest.mark.parametrize("name", bodies.LAYERS)
def test_layer(name):
    bodies.check_layer(name, same)


@pytest.mark.parametrize("body", bodies.BODIES + mixing.BODIES, ids=lambda body: body.__name__)
def test_body(body):
    body(same)


@pytest.mark.parametrize("name", training.RUNS)
def test_training(name):
    """The first loss agrees to rounding (1e4 terms at most in a sum), the others as far as training magnifies that."""
    (want, _), (got, model) = training.RUNS[name]("cpu", 40), training.RUNS[name]("cuda", 40)
    assert abs(got[0] - want[0]) <= 1e4 * np.finfo(np.float32).eps
    np.testing.assert_allclose(got, want, rtol=0.02)
    assert got[-1] < 0.9 * got[0]
    assert all(bodies.on_device(t) for _, t in bodies.tensors_of(model))


def test_memory_is_given_back_after_backward():
    pool = backend.cupy().get_default_memory_pool()
    model = training.circles(device="cuda")
    x, y = mt.randn(20_000, 2, device="cuda"), mt.randint(0, 2, (20_000,), device="cuda")
    used = []
    for _ in range(4):
        loss = mt.nn.functional.cross_entropy(model(x), y)
        during = pool.used_bytes()
        loss.backward()
        model.zero_grad()
        used.append(pool.used_bytes())
        assert during - used[-1] > 20_000 * 32 * 4, "the graph of 20,000 rows is still there"
    assert used[1] == used[2] == used[3]


def test_half_precision():
    x = mt.randn(64, 32)
    same("half", x.cuda().half() @ x.cuda().half().T, x.half() @ x.half().T, 32)


def test_large_sums_stay_accurate():
    """A million float32: sums in blocks, as CuPy's, are off by far less than one after the other would be."""
    x = mt.rand(1_000_000)
    assert abs(x.cuda().sum().item() - float(x.array.sum(dtype=np.float64))) <= 500_000 * 64 * np.finfo(np.float32).eps


def test_synchronize_and_counts():
    assert mt.cuda.is_available() and mt.cuda.device_count() >= 1
    mt.cuda.synchronize()


# ---- the stand-in is no stricter and no laxer than CuPy where its tests say what CuPy does


@pytest.fixture
def x():
    return backend.cupy().asarray(strictness.HOST)


@pytest.mark.parametrize("mix", strictness.MIXED.values(), ids=strictness.MIXED)
def test_cupy_refuses_to_mix(x, mix):
    with pytest.raises(TypeError):
        mix(x)


@pytest.mark.parametrize("call", strictness.LACKING.values(), ids=strictness.LACKING)
def test_cupy_lacks(x, call):
    with pytest.raises((TypeError, ValueError)):
        call(x)


def test_cupy_wraps_around_and_uploads_indices(x):
    cupy = backend.cupy()
    assert x[cupy.asarray([2, -3])].get().tolist() == strictness.HOST[[0, 1]].tolist()
    assert x[np.array([1, 0])].get().tolist() == strictness.HOST[[1, 0]].tolist()
    assert x.take(np.array([2]), 1).get().tolist() == strictness.HOST[:, 2:].tolist()
    with pytest.raises(ValueError):
        x[0] = np.ones(3)
    with pytest.raises(TypeError):
        np.asarray(x)
    with pytest.raises(TypeError):
        strictness.HOST[cupy.asarray([0])]
    with pytest.raises(TypeError, match="scatter_add only supports"):
        cupy.zeros(3, "int64").scatter_add(cupy.asarray([0, 0]), 1)


def test_cupy_gives_bases_to_views_only(x):
    for view in (x[0], x.T, x.reshape(3, 2), x.reshape(2, 3), x[:, None].squeeze(1), np.broadcast_to(x, (2, 2, 3))):
        assert view.base is not None
    for new in (x + 1, x.copy(), x[[0]], x.sum(0), x.astype("float64"), np.concatenate([x, x])):
        assert new.base is None
    assert x.squeeze() is x and x.astype("float32", copy=False) is x and np.may_share_memory(x, x[1:])
