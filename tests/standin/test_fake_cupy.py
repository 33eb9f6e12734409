"""The stand-in for CuPy refuses what CuPy refuses (messages of CuPy 14.2.0), and gives where CuPy gives."""

import copy
import importlib.util
import sys

import numpy as np
import pytest

from tests.standin import cupy_api
from tests.standin import fake_cupy as cp

HOST = np.arange(6, dtype=np.float32).reshape(2, 3)
UNSUPPORTED = "Unsupported type <class 'numpy.ndarray'>"
IMPLICIT = "Implicit conversion to a NumPy array is not allowed. Please use `.get"


@pytest.fixture
def x(fake_gpu):
    return cp.asarray(HOST)


@pytest.mark.parametrize("convert", [np.asarray, np.array, list, np.float32], ids=["asarray", "array", "list", "type"])
def test_no_implicit_conversion(x, convert):
    if convert is list:
        assert all(isinstance(row, cp.ndarray) for row in convert(x))
    else:
        with pytest.raises(TypeError, match=IMPLICIT):
            convert(x)


MIXED = {
    "add": lambda x: x + HOST,
    "add_from_the_host": lambda x: HOST + x,
    "zero_dim": lambda x: x + np.array(1.0),
    "zero_dim_from_the_host": lambda x: np.array(1.0, "float32") * x,
    "matmul": lambda x: x @ HOST.T,
    "matmul_from_the_host": lambda x: HOST.T @ x,
    "ufunc": lambda x: np.maximum(x, HOST),
    "compare": lambda x: x > HOST,
    "where": lambda x: np.where(x > 0, x, HOST),
    "where_condition": lambda x: np.where(HOST > 0, x, x),
    "concatenate": lambda x: np.concatenate([x, HOST]),
    "stack": lambda x: np.stack([HOST, x]),
    "in_place": lambda x: x.__iadd__(HOST),
    "in_place_on_the_host": lambda x: HOST.copy().__iadd__(x),
    "out": lambda x: np.add(x, 1, out=HOST.copy()),
}


@pytest.mark.parametrize("mix", MIXED.values(), ids=MIXED)
def test_no_mixed_arithmetic(x, mix):
    with pytest.raises(TypeError, match=UNSUPPORTED):
        mix(x)


def test_functions_of_the_module_refuse_host_arrays(fake_gpu):
    for call in (lambda: cp.pad(HOST, 1), lambda: cp.tanh(HOST), lambda: cp.sum(HOST), lambda: cp.concatenate([HOST])):
        with pytest.raises(TypeError, match=UNSUPPORTED):
            call()


@pytest.mark.parametrize("scalar", [2, 2.0, True, np.float32(2), np.int64(2)], ids=lambda s: type(s).__name__)
def test_scalars_mix(x, scalar):
    for got, want in ((x * scalar, HOST * scalar), (scalar - x, scalar - HOST), (np.maximum(x, scalar), None)):
        assert isinstance(got, cp.ndarray)
        if want is not None:
            assert got.dtype == want.dtype
            np.testing.assert_array_equal(got.get(), want)


def test_comparisons_take_a_zero_dim_host_array(x):
    assert (x > np.array(2.0)).get().sum() == 3


REDUCTIONS = {"sum": np.sum, "max": np.max, "argmax": np.argmax, "mean": np.mean, "all": np.all, "allclose": None}


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_give_device_arrays(x, name):
    results = [getattr(cp, name)(x)] if name != "allclose" else [np.allclose(x, x)]
    results += [REDUCTIONS[name](x), getattr(x, name)()] if name != "allclose" else []
    for result in results:
        assert isinstance(result, cp.ndarray) and result.shape == () and result.device == cp.Device(0)


LACKING = {
    "insert": lambda x: np.insert(x, 0, 1),
    "einsum_path": lambda x: np.einsum_path("ij->j", x),
    "vecdot": lambda x: np.vecdot(x, x),
    "spacing": np.spacing,
    "ufunc.at": lambda x: np.add.at(x, 0, 1),
    "ufunc.reduce": np.add.reduce,
    "where=": lambda x: np.add(x, x, where=True),
    "initial=": lambda x: x.sum(initial=0),
    "np.sum(initial=)": lambda x: np.sum(x, initial=0),
    "two results": lambda x: np.modf(x, out=(x, x)),
}


@pytest.mark.parametrize("call", LACKING.values(), ids=LACKING)
def test_what_cupy_lacks(x, call):
    with pytest.raises((TypeError, ValueError)):
        call(x)


def test_attributes_that_cupy_lacks(x):
    for name in ("__index__", "__array_interface__", "ctypes", "setflags", "tostring", "resize", "__contains__"):
        assert not hasattr(x, name), name
    for name in ("vecdot", "log_softmax", "errstate", "insert"):
        with pytest.raises(AttributeError):
            getattr(cp, name)
    with pytest.raises(TypeError):
        [1, 2][cp.asarray(np.array(1))]
    with pytest.raises(TypeError, match="unhashable"):
        hash(x)


def test_host_indices_are_uploaded_without_a_word(x, fake_gpu):
    before = fake_gpu.to_device
    assert x[np.array([1, 0])].get().tolist() == HOST[[1, 0]].tolist()
    assert x[[1, 0], cp.asarray(np.array([2, 2]))].get().tolist() == [5, 2]
    assert x[HOST > 3].get().tolist() == [4, 5]
    assert fake_gpu.to_device == before + 4


def test_a_host_array_cannot_be_indexed_by_a_device_array(x):
    with pytest.raises(TypeError, match=IMPLICIT):
        HOST[cp.asarray(np.array([0]))]


def test_indices_out_of_range_wrap_around(x):
    assert x[cp.asarray(np.array([2, -3]))].get().tolist() == HOST[[0, 1]].tolist()
    assert x[..., cp.asarray(np.array([3, 7]))].get().tolist() == HOST[:, [0, 1]].tolist()
    with pytest.raises(IndexError):
        x[2]
    with pytest.raises(IndexError):
        x[cp.asarray(np.array([True]))]
    with pytest.raises(IndexError):
        x[cp.asarray(np.array([0.5]))]


def test_writing(x):
    x[0] = np.array(7.0)
    x[cp.asarray(np.array([1]))] = np.array([1.0, 2.0, 3.0])
    assert x.get().tolist() == [[7, 7, 7], [1, 2, 3]]
    with pytest.raises(ValueError, match="cannot be used for fill"):
        x[0] = np.ones(3)


def test_scatter_add(x):
    cp.scatter_add(x, cp.asarray(np.array([0, 0, -1])), 1.0)
    assert x.get().tolist() == (HOST + [[2], [1]]).tolist()
    cp.scatter_add(x, (slice(None), cp.asarray(np.array([True, False, False]))), -2.0)
    assert x[:, 0].get().tolist() == [0, 2]
    with pytest.raises(TypeError, match="scatter_add only supports int32"):
        cp.scatter_add(cp.zeros(3, "int64"), cp.asarray(np.array([0, 0])), 1)


def test_views_have_a_base_and_copies_have_none(x):
    assert x.base is None and x.flags.owndata and x.flags.c_contiguous
    for view in (x[0], x.T, x.reshape(3, 2), x.reshape(2, 3), x[:, None].squeeze(1), np.broadcast_to(x, (2, 2, 3))):
        assert view.base is x
    for new in (x + 1, x.copy(), x[[0]], x.sum(0), x.astype("float64"), np.concatenate([x, x]), copy.deepcopy(x)):
        assert new.base is None
    assert x.squeeze() is x and x[0].T.base is x and +x is x and x.astype("float32", copy=False) is x


def test_functions(x):
    pairs = [
        (np.pad(x, ((1, 0), (0, 2))), np.pad(HOST, ((1, 0), (0, 2)))),
        (np.take_along_axis(x, np.argmax(x, 1, keepdims=True), 1), HOST[:, 2:]),
        (np.flip(x, 1), HOST[:, ::-1]),
        (np.unique(x, return_counts=True)[1], np.ones(6, int)),
        (np.lib.stride_tricks.sliding_window_view(x, 2, 1), np.stack([HOST[:, :2], HOST[:, 1:]], 1)),
        (cp.lib.stride_tricks.sliding_window_view(x, 2, 1), np.stack([HOST[:, :2], HOST[:, 1:]], 1)),
        (cp.arange(3), np.arange(3)),
        (cp.ones_like(x), np.ones_like(HOST)),
        (cp.ascontiguousarray(HOST.T), HOST.T),
        (np.linalg.norm(x), np.linalg.norm(HOST)),
    ]
    for got, want in pairs:
        assert isinstance(got, cp.ndarray)
        np.testing.assert_array_equal(got.get(), want)
    y = x.copy()
    np.put_along_axis(y, cp.asarray(np.array([[0], [1]])), 9.0, 1)
    assert y.get().tolist() == [[9, 1, 2], [3, 9, 5]]
    assert np.may_share_memory(x, x[1:]) is True and np.shares_memory(x, x + 1) is False


def test_to_the_host(x, fake_gpu):
    before = fake_gpu.to_host
    assert bool(x[0, 1]) and x[1, 2].item() == 5 and int(x[0, 2]) == 2 and x.tolist() == HOST.tolist()
    assert repr(x) == repr(HOST) and f"{x[0, 0]:.2f}" == "0.00"
    assert fake_gpu.to_host == before + 6
    assert cp.asnumpy(x).tolist() == HOST.tolist() and cp.asnumpy(HOST) is HOST


def test_copies(x):
    assert cp.asarray(x) is x and cp.array(x) is not x
    assert cp.get_array_module(HOST) is np and cp.get_array_module(HOST, x) is cp


def test_devices(fake_gpu):
    fake_gpu.count = 2
    with cp.Device(1):
        there = cp.zeros(3)
    assert there.device.id == 1 and cp.zeros(3).device.id == 0
    with pytest.raises(ValueError, match=r"The device where the array resides \(1\) is different"):
        there + 1
    assert cp.asarray(there).device.id == 0
    with pytest.raises(RuntimeError, match="invalid device ordinal"), cp.Device(2):
        pass


def test_without_a_device():
    with cp.installed(count=0):
        import cupy

        assert not cupy.cuda.is_available()
        for call in (lambda: cupy.zeros(3), lambda: cupy.asarray(HOST), cupy.cuda.runtime.getDeviceCount):
            with pytest.raises(RuntimeError, match="cudaErrorInsufficientDriver"):
                call()


def test_it_leaves_no_trace():
    before = sys.modules.get("cupy"), sys.modules.get("cupyx")
    with cp.installed():
        assert sys.modules["cupy"] is cp
    assert (sys.modules.get("cupy"), sys.modules.get("cupyx")) == before


def test_every_method_of_the_list_is_played_or_named_here():
    not_played = {"mdspan", "ptp", "reduced_view", "scatter_max", "scatter_min", "set", "toDlpack", "cstruct", "flat"}
    listed = set(cupy_api.read()["method"]) | set(cupy_api.read()["attribute"])
    assert {name for name in listed if not hasattr(cp.ndarray, name)} == not_played
    own = {name for name in vars(cp.ndarray) if not name.startswith("_")}
    assert own <= listed, own - listed


@pytest.mark.skipif(importlib.util.find_spec("cupy") is None, reason="CuPy is not installed: nothing to compare with")
def test_the_list_is_that_of_the_installed_cupy():
    import cupy

    listed = cupy_api.LIST.read_text(encoding="utf-8").splitlines()
    if listed[0].split()[-1] != cupy.__version__:
        pytest.skip(f"{listed[0]} is listed, {cupy.__version__} is installed")
    assert cupy_api.lines() == listed
