"""New tensors: shapes, dtypes, values and errors as in PyTorch. Draws are tested in test_random.py."""

import numpy as np
import pytest

import minitorch_bn as mt

torch = pytest.importorskip("torch")

CALLS = {
    "tensor_int": lambda L: L.tensor(3),
    "tensor_float": lambda L: L.tensor(3.5),
    "tensor_bool": lambda L: L.tensor(True),
    "tensor_list": lambda L: L.tensor([1, 2, 3]),
    "tensor_floats": lambda L: L.tensor([1, 2.5]),
    "tensor_bools": lambda L: L.tensor([True, False]),
    "tensor_bool_int": lambda L: L.tensor([True, 2]),
    "tensor_nested": lambda L: L.tensor([[1.0, 2], [3, 4]]),
    "tensor_tuple": lambda L: L.tensor(((1, 2), (3, 4))),
    "tensor_empty": lambda L: L.tensor([]),
    "tensor_empty_rows": lambda L: L.tensor([[], []]),
    "tensor_numpy": lambda L: L.tensor(np.array([1.0, 2.0])),
    "tensor_numpy_int": lambda L: L.tensor(np.array([1, 2], np.int32)),
    "tensor_numpy_scalar": lambda L: L.tensor(np.float64(2.5)),
    "tensor_numpy_scalars": lambda L: L.tensor([np.float64(2.5), np.float64(1.0)]),
    "tensor_range": lambda L: L.tensor(range(3)),
    "tensor_tensors": lambda L: L.tensor([L.tensor(1.0), L.tensor(2.0)]),
    "tensor_dtype": lambda L: L.tensor([1, 2], dtype=L.float64),
    "tensor_dtype_down": lambda L: L.tensor([1.7, -2.7], dtype=L.int64),
    "tensor_large_int": lambda L: L.tensor(2**40),
    "tensor_inf": lambda L: L.tensor([float("inf"), float("nan")]),
    "Tensor_list": lambda L: L.Tensor([1, 2]),
    "as_tensor": lambda L: L.as_tensor([1, 2]),
    "as_tensor_numpy": lambda L: L.as_tensor(np.array([1.0])),
    "as_tensor_dtype": lambda L: L.as_tensor(np.array([1.0]), dtype=L.float32),
    "from_numpy": lambda L: L.from_numpy(np.array([[1, 2]])),
    "zeros": lambda L: L.zeros(2, 3),
    "zeros_tuple": lambda L: L.zeros((2, 3)),
    "zeros_list": lambda L: L.zeros([2, 3]),
    "zeros_nothing": lambda L: L.zeros(()),
    "zeros_size": lambda L: L.zeros(L.ones(2, 3).shape),
    "zeros_dtype": lambda L: L.zeros(2, dtype=L.int64),
    "zeros_empty": lambda L: L.zeros(0, 3),
    "ones": lambda L: L.ones(2, 3),
    "full": lambda L: L.full((2, 3), 7),
    "full_float": lambda L: L.full((2,), 7.0),
    "full_bool": lambda L: L.full((2,), True),
    "full_dtype": lambda L: L.full((2,), 7, dtype=L.float64),
    "zeros_like": lambda L: L.zeros_like(L.ones(2, 3, dtype=L.float64)),
    "ones_like": lambda L: L.ones_like(L.tensor([1, 2])),
    "ones_like_zero_dim": lambda L: L.ones_like(L.tensor(5.0)),
    "full_like": lambda L: L.full_like(L.tensor([1, 2]), 9),
    "zeros_like_dtype": lambda L: L.zeros_like(L.tensor([1, 2]), dtype=L.float32),
    "arange": lambda L: L.arange(5),
    "arange_start": lambda L: L.arange(2, 7),
    "arange_step": lambda L: L.arange(1, 10, 3),
    "arange_negative": lambda L: L.arange(5, 0, -2),
    "arange_float": lambda L: L.arange(0, 1, 0.25),
    "arange_float_end": lambda L: L.arange(3.0),
    "arange_dtype": lambda L: L.arange(3, dtype=L.float32),
    "arange_empty": lambda L: L.arange(0),
    "arange_keyword": lambda L: L.arange(start=1, end=4),
    "linspace": lambda L: L.linspace(0, 1, 5),
    "linspace_one": lambda L: L.linspace(2, 3, 1),
    "linspace_backwards": lambda L: L.linspace(1, -1, 3),
    "linspace_keyword": lambda L: L.linspace(0, 1, steps=3),
    "eye": lambda L: L.eye(3),
    "eye_wide": lambda L: L.eye(2, 3),
    "eye_dtype": lambda L: L.eye(2, dtype=L.int64),
    "one_element": lambda L: L.tensor([[[1]]]),
    "empty_shape": lambda L: L.empty(2, 0),
}


@pytest.mark.parametrize("name", CALLS)
def test_equals_torch(name):
    ours, theirs = CALLS[name](mt), CALLS[name](torch)
    assert tuple(ours.shape) == tuple(theirs.shape) and str(ours.dtype) == str(theirs.dtype)
    assert ours.is_leaf and not ours.requires_grad
    np.testing.assert_array_equal(ours.array, theirs.numpy())


ERRORS = {
    "ragged": lambda L: L.tensor([[1, 2], [3]]),
    "text": lambda L: L.tensor("abc"),
    "texts": lambda L: L.tensor(["a", "b"]),
    "none": lambda L: L.tensor(None),
    "negative_size": lambda L: L.zeros(2, -1),
    "arange_step_zero": lambda L: L.arange(0, 5, 0),
    "arange_wrong_way": lambda L: L.arange(5, 0, 1),
    "from_numpy_list": lambda L: L.from_numpy([1, 2]),
    "from_numpy_text": lambda L: L.from_numpy(np.array(["a"])),
    "integers_with_grad": lambda L: L.zeros(2, dtype=L.int64, requires_grad=True),
    "float_size": lambda L: L.zeros(2.5),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_torchs(name):
    with pytest.raises(Exception) as theirs:
        ERRORS[name](torch)
    with pytest.raises(theirs.type):
        ERRORS[name](mt)


def test_tensor_copies_and_from_numpy_shares():
    a = np.zeros(2)
    copied, shared, also, viewed = mt.tensor(a), mt.from_numpy(a), mt.as_tensor(a), mt.Tensor(a)
    a[0] = 1
    assert copied.tolist() == [0, 0]
    assert shared.tolist() == also.tolist() == viewed.tolist() == [1, 0]


def test_requires_grad_and_device():
    for make in (mt.zeros, mt.ones, mt.empty, mt.rand, mt.randn):
        t = make(2, requires_grad=True, device="cpu")
        assert t.requires_grad and t.is_leaf and str(t.device) == "cpu"
    assert mt.tensor([1.0], requires_grad=True).requires_grad


def test_a_tensor_of_a_tensor_is_a_copy_outside_the_graph():
    x = mt.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match=r"source.detach\(\).clone\(\)"):
        y = mt.tensor((x * 2).detach())
    assert y.is_leaf and not np.shares_memory(y.array, x.array)


def test_cuda_without_a_gpu_says_what_to_do():
    if mt.cuda.is_available():
        pytest.skip("there is a GPU here")
    for make in (
        lambda: mt.zeros(2, device="cuda"),
        lambda: mt.zeros(2).cuda(),
        lambda: mt.zeros(2).to("cuda:0"),
        lambda: mt.nn.Linear(2, 2).to("cuda"),
        lambda: mt.nn.Linear(2, 2, device="cuda"),
    ):
        with pytest.raises(RuntimeError, match=r"CuPy.*(pip install|cpu)"):
            make()
