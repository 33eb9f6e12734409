"""Tensor: attributes and methods as PyTorch's. Gradients of the methods that are ops are in tests/ops."""

import copy

import numpy as np
import pytest

import minitorch_bn as mt

torch = pytest.importorskip("torch")


def plain(value):
    """Something that both libraries' values become equal in."""
    if isinstance(value, mt.Tensor | torch.Tensor):
        return (str(value.dtype), value.tolist())
    if isinstance(value, torch.Size | mt.Size):
        return ("Size", tuple(value))
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    return value if isinstance(value, int | float | bool | str | type(None)) else str(value)


ASKED = {
    "shape": lambda x: x.shape,
    "size": lambda x: x.size(),
    "size_dim": lambda x: x.size(1),
    "size_negative": lambda x: x.size(-1),
    "numel_of_shape": lambda x: x.shape.numel(),
    "ndim": lambda x: x.ndim,
    "dim": lambda x: x.dim(),
    "numel": lambda x: x.numel(),
    "nelement": lambda x: x.nelement(),
    "len": len,
    "dtype": lambda x: x.dtype,
    "device": lambda x: x.device,
    "device_type": lambda x: x.device.type,
    "is_leaf": lambda x: x.is_leaf,
    "requires_grad": lambda x: x.requires_grad,
    "is_cuda": lambda x: x.is_cuda,
    "is_floating_point": lambda x: x.is_floating_point(),
    "element_size": lambda x: x.element_size(),
    "stride": lambda x: x.stride(),
    "stride_transposed": lambda x: x.T.stride(),
    "stride_dim": lambda x: x.stride(0),
    "contiguous": lambda x: (x.is_contiguous(), x.T.is_contiguous(), x.T.contiguous().is_contiguous()),
    "type": lambda x: x.type(),
    "type_as": lambda x: x.type_as(x.double()),
    "to_dtype": lambda x: x.to(x.double().dtype),
    "to_tensor": lambda x: x.to(x.double()),
    "to_keyword": lambda x: x.to(dtype=x.double().dtype, copy=True),
    "tolist": lambda x: x.tolist(),
    "item": lambda x: x[1, 2].item(),
    "float": lambda x: float(x[0, 0]),
    "int": lambda x: int(x[1, 1]),
    "bool": lambda x: (bool(x[0, 0] > 9), bool(x[0, 0] < 9)),
    "format": lambda x: f"{x[0, 1]:.3f}",
    "in": lambda x: (2.0 in x, 99.0 in x),
    "iteration": lambda x: [row for row in x],
    "unpacked": lambda x: [*x][::-1],
    "numpy": lambda x: x.numpy().tolist(),
    "array": lambda x: np.asarray(x).tolist(),
    "array_dtype": lambda x: np.asarray(x, np.int64).tolist(),
    "numpy_function": lambda x: float(np.asarray(x).sum()),
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
    "data": lambda x: x.data,
    "detach": lambda x: x.detach(),
    "clone": lambda x: x.clone(),
    "cpu": lambda x: x.cpu(),
    "index": lambda x: [10, 20, 30][x[0, 0].long()],
    "range": lambda x: list(range(x[0, 2].long())),
    "equal_none": lambda x: (x == None, x != None),  # noqa: E711 that comparison is what is tested
    "hash": lambda x: len({x, x, x.clone()}),
    "abs": lambda x: abs(-x),
    "expand_as": lambda x: x[0].expand_as(x),
    "view_as": lambda x: x.view_as(x),
    "grad": lambda x: x.grad,
    "grad_fn": lambda x: x.grad_fn,
    "round_trip": copy.deepcopy,
    "new_leaf": lambda x: x.clone().requires_grad_().requires_grad,
}


@pytest.mark.parametrize("name", ASKED)
def test_equals_torch(name):
    data = np.array([[0.0, 1.0, 2.0], [3.0, 4.5, -5.0]], np.float32)
    results = [plain(ASKED[name](L.tensor(data))) for L in (mt, torch)]
    assert results[0] == results[1]


ERRORS = {
    "item_of_many": (lambda L: L.ones(2).item(), "2 elements"),
    "float_of_many": (lambda L: float(L.ones(2)), "one element"),
    "bool_of_many": (lambda L: bool(L.ones(2)), "ambiguous"),
    "bool_of_none": (lambda L: bool(L.ones(0)), "ambiguous"),
    "len_zero_dim": (lambda L: len(L.tensor(1.0)), "0-d"),
    "iterate_zero_dim": (lambda L: list(L.tensor(1.0)), "0-d"),
    "index_of_float": (lambda L: [1, 2][L.tensor(1.0)], "integer"),
    "size_out_of_range": (lambda L: L.ones(2).size(1), "size.*range"),
    "no_such_attribute": (lambda L: L.ones(2).no_such_thing, "no_such_thing"),
    "copy_recorded": (lambda L: copy.deepcopy(L.ones(2, requires_grad=True) * 2), "leaves"),
    "cuda": (lambda L: L.ones(2).cuda(), "GPU"),
    "device_name": (lambda L: L.ones(2).to("gpu"), "cpu"),
    "add_text": (lambda L: L.ones(2) + "a", "str"),
    "add_none": (lambda L: L.ones(2) + None, "NoneType"),
    "add_list": (lambda L: L.ones(2) + [1, 2], "list"),
    "broadcast": (lambda L: L.ones(2, 3) + L.ones(2), "add.*2, 3.*2"),
    "matmul_number": (lambda L: L.ones(2) @ 3, "matmul"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_torchs(name):
    function, message = ERRORS[name]
    with pytest.raises(Exception) as theirs:
        function(torch)
    expected = RuntimeError if name == "cuda" else theirs.type  # torch without CUDA: AssertionError
    with pytest.raises(expected, match=message):
        function(mt)


def test_numpy_shares_memory():
    x = mt.zeros(3)
    x.numpy()[1] = 5
    assert x.tolist() == [0, 5, 0] and x.array is x.numpy()


def test_numpy_of_recorded_tensors():
    x = mt.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="detach"):
        np.asarray(x)
    assert x.detach().numpy() is x.array and x.numpy(force=True) is x.array


def test_numpy_times_tensor_asks_the_tensor():
    a, x = np.array([1.0, 2.0], np.float32), mt.tensor([3.0, 4.0], requires_grad=True)
    for y in (np.float64(2.0) * x, np.float32(2.0) + x, np.int64(2) - x, 2 / x):
        assert isinstance(y, mt.Tensor) and y.requires_grad and y.dtype == mt.float32
    assert (mt.from_numpy(a) * x).requires_grad


def test_deepcopy_of_a_leaf_shares_nothing():
    x = mt.ones(2, requires_grad=True)
    (x * 3).sum().backward()
    y = copy.deepcopy(x)
    assert y.requires_grad and y.tolist() == x.tolist() and y.grad.tolist() == [3, 3]
    assert not np.shares_memory(x.array, y.array) and not np.shares_memory(x.grad_array, y.grad_array)


def test_grad_can_be_set_and_deleted():
    x = mt.ones(2, requires_grad=True)
    x.grad = mt.tensor([1.0, 2.0])
    assert x.grad.tolist() == [1, 2]
    x.grad = None
    assert x.grad is None
    x.grad = mt.tensor([1.0, 2.0])
    del x.grad
    assert x.grad is None


def test_equality_is_elementwise_and_hash_by_identity():
    a, b = mt.ones(2), mt.ones(2)
    assert (a == b).tolist() == [True, True] and len({a, b}) == 2


def test_size_prints_as_torchs():
    assert repr(mt.ones(2, 3).shape) == repr(torch.ones(2, 3).shape)
    assert mt.ones(2, 3).shape == (2, 3) and mt.ones(2, 3).shape[0] == 2


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow", "matmul", "exp", "tanh", "sum", "mean", "view"])
def test_grad_fn_has_torchs_name(name):
    def made(L):
        x = L.ones(2, 2, requires_grad=True)
        arguments = (x,) if name in ("add", "sub", "mul", "div", "matmul") else (2,) if name == "pow" else ()
        return getattr(x, name)(*((4,) if name == "view" else arguments)).grad_fn

    assert repr(made(mt)).split(" ")[0].strip("<>") == repr(made(torch)).split(" ")[0].strip("<>")
