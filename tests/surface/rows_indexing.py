"""Rows about indexing: every kind of index, read, written, added to, with gradients; wrong ones; and its functions."""

import numpy as np

from .table import errors, given, gradients, rows, tensor

# of a tensor of shape (3, 4, 5)
INDICES = {
    "int": lambda L: 1,
    "negative": lambda L: -1,
    "two": lambda L: (0, 2),
    "three": lambda L: (1, 2, 3),
    "slice": lambda L: slice(1, 3),
    "slice_all": lambda L: slice(None),
    "slice_step": lambda L: slice(None, None, 2),
    "slice_negative": lambda L: slice(-2, None),
    "slice_beyond": lambda L: slice(1, 99),
    "slice_empty": lambda L: slice(2, 1),
    "slice_tensors": lambda L: slice(L.tensor(0), L.tensor(2)),
    "slices": lambda L: (slice(None), slice(1, 3), slice(0, 5, 2)),
    "ellipsis": lambda L: ...,
    "ellipsis_last": lambda L: (..., 0),
    "ellipsis_first": lambda L: (0, ...),
    "ellipsis_middle": lambda L: (0, ..., 1),
    "ellipsis_nothing": lambda L: (0, 1, ..., 2),
    "none": lambda L: None,
    "none_last": lambda L: (..., None),
    "none_middle": lambda L: (0, None, slice(1, 2)),
    "nones": lambda L: (None, slice(None), None),
    "empty_tuple": lambda L: (),
    "true": lambda L: True,
    "false": lambda L: False,
    "true_and_int": lambda L: (True, 0),
    "list": lambda L: [0, 2],
    "list_negative": lambda L: [-1, 0],
    "list_repeated": lambda L: [1, 1, 1],
    "list_empty": lambda L: [],
    "list_bools": lambda L: [True, False, True],
    "list_second": lambda L: (slice(None), [3, 0]),
    "list_of_lists": lambda L: [[0, 1], [1, 2]],
    "list_of_slices": lambda L: [slice(0, 2), slice(1, 2)],
    "lists": lambda L: ([0, 1], [2, 3]),
    "tuple_of_nested_list": lambda L: ([[0, 1], [1, 2]],),
    "tensor": lambda L: L.tensor([2, 0]),
    "tensor_int32": lambda L: L.tensor([2, 0], dtype=L.int32),
    "tensor_negative": lambda L: L.tensor([-1, -3]),
    "tensor_repeated": lambda L: L.tensor([1, 1, 0]),
    "tensor_matrix": lambda L: L.tensor([[0, 1], [2, 2]]),
    "tensor_zero_dim": lambda L: L.tensor(1),
    "tensor_zero_dim_second": lambda L: (slice(None), L.tensor(1)),
    "tensor_zero_dim_int32": lambda L: L.tensor(1, dtype=L.int32),
    "tensor_empty": lambda L: L.zeros(0, dtype=L.int64),
    "tensor_empty_matrix": lambda L: L.zeros(2, 0, dtype=L.int64),
    "tensor_last": lambda L: (..., L.tensor([0, 4])),
    "tensors": lambda L: (L.tensor([0, 1]), L.tensor([2, 3])),
    "tensors_three": lambda L: (L.tensor([0, 1]), L.tensor([2, 3]), L.tensor([4, 4])),
    "tensors_broadcast": lambda L: (L.tensor([[0], [1]]), L.tensor([2, 3])),
    "tensors_apart": lambda L: (L.tensor([0, 1]), slice(None), L.tensor([2, 3])),
    "tensors_with_slice_first": lambda L: (slice(1, 3), L.tensor([0, 1]), L.tensor([2, 3])),
    "tensor_and_int": lambda L: (L.tensor([0, 1]), 2),
    "int_and_tensor": lambda L: (1, L.tensor([0, 3])),
    "int_tensor_apart": lambda L: (1, slice(None), L.tensor([0, 3])),
    "tensor_int_apart": lambda L: (L.tensor([0, 2]), slice(None), 1),
    "tensor_and_none": lambda L: (L.tensor([0, 2]), None),
    "none_and_tensor": lambda L: (None, L.tensor([0, 2])),
    "tensor_none_tensor": lambda L: (L.tensor([0, 2]), None, L.tensor([1, 1])),
    "tensor_and_ellipsis": lambda L: (L.tensor([0, 2]), ..., L.tensor([1, 1])),
    "tensor_and_list": lambda L: (L.tensor([0, 2]), [1, 3]),
    "mask": lambda L: tensor(L, 3, 4, 5) > 0,
    "mask_none": lambda L: tensor(L, 3, 4, 5) > 99,
    "mask_rows": lambda L: L.tensor([True, False, True]),
    "mask_two": lambda L: tensor(L, 3, 4) > 0,
    "mask_second": lambda L: (slice(None), L.tensor([True, False, True, False])),
    "mask_last": lambda L: (..., L.tensor([True, False, True, False, True])),
    "mask_and_int": lambda L: (L.tensor([True, False, True]), 2),
    "mask_and_tensor": lambda L: (L.tensor([True, False, True]), L.tensor([0, 3])),
    "mask_and_none": lambda L: (L.tensor([True, False, True]), None),
    "mask_zero_dim": lambda L: L.tensor(True),
    "mask_zero_dim_false": lambda L: L.tensor(False),
    "masks": lambda L: (L.tensor([True, False, True]), L.tensor([True, False, False, True])),
    "numpy_int": lambda L: np.int64(2),
    "numpy_array": lambda L: np.array([2, 0]),
    "numpy_mask": lambda L: np.array([True, False, True]),
    "arange": lambda L: (L.arange(3), L.arange(3)),
}  # fmt: skip
BYTES = {  # PyTorch reads uint8 as a mask, with a warning
    "uint8_mask": lambda L: L.tensor([1, 0, 1], dtype=L.uint8),
    "uint8_mask_two": lambda L: (tensor(L, 3, 4) > 0).to(L.uint8),
}

BAD = {
    "out_of_range": (lambda L: 3, IndexError),
    "negative_out_of_range": (lambda L: -4, IndexError),
    "second_out_of_range": (lambda L: (0, 4), IndexError),
    "too_many": (lambda L: (0, 0, 0, 0), IndexError),
    "too_many_slices": (lambda L: (slice(None),) * 4, IndexError),
    "too_many_with_ellipsis": (lambda L: (0, 0, ..., 0, 0), IndexError),
    "float": (lambda L: 1.5, IndexError),
    "float_in_tuple": (lambda L: (0, 1.0), IndexError),
    "float_tensor": (lambda L: L.tensor([1.0]), IndexError),
    "float_zero_dim": (lambda L: L.tensor(1.0), IndexError),
    "int8_tensor": (lambda L: L.tensor([1], dtype=L.int8), IndexError),
    "int16_tensor": (lambda L: L.tensor([1], dtype=L.int16), IndexError),
    "tensor_out_of_range": (lambda L: L.tensor([0, 3]), IndexError),
    "tensor_negative_out_of_range": (lambda L: L.tensor([-4]), IndexError),
    "list_out_of_range": (lambda L: [0, 3], IndexError),
    "second_tensor_out_of_range": (lambda L: (slice(None), L.tensor([4])), IndexError),
    "tensors_that_do_not_broadcast": (lambda L: (L.tensor([0, 1]), L.tensor([0, 1, 2])), IndexError),
    "mask_too_short": (lambda L: L.tensor([True, False]), IndexError),
    "mask_too_long": (lambda L: L.tensor([True] * 4), IndexError),
    "mask_wrong_second": (lambda L: tensor(L, 3, 5) > 0, IndexError),
    "text": (lambda L: "a", TypeError),
    "text_in_tuple": (lambda L: (0, "a"), TypeError),
    "backwards": (lambda L: slice(None, None, -1), ValueError),
    "step_zero": (lambda L: slice(None, None, 0), ValueError),
    "slice_of_floats": (lambda L: slice(0.5, 2), TypeError),
}


def read(index):
    return lambda L: tensor(L, 3, 4, 5)[index(L)]


def read_slope(index):
    """Read twice, so that gradients add up; the recorded tensor is no leaf."""

    def run(L):
        x = tensor(L, 3, 4, 5, grad=True)
        return gradients(L, [x[index(L)], (x * 2)[index(L)]], x)

    return run


def write(index, value):
    """x[index] = value, where value is a number, or a tensor that the part's shape is broadcast from."""

    def run(L):
        x = tensor(L, 3, 4, 5)
        part = x[index(L)]
        x[index(L)] = value if isinstance(value, float) else value(L, part)
        return x

    return run


def write_slope(index):
    """The same into a recorded tensor, with a recorded value: gradients of both."""

    def run(L):
        x = tensor(L, 3, 4, 5, grad=True)
        v = tensor(L, *x[index(L)].shape, seed=3, grad=True)
        y = x * 2
        y[index(L)] = v * 3
        return gradients(L, y * y, x, v)

    return run


def add_in_place(index):
    def run(L):
        x = tensor(L, 3, 4, 5)
        x[index(L)] += 10.0
        return x

    return run


REPEATED = ("list_repeated", "tensor_repeated", "tensor_matrix")  # which of several values stays is nobody's promise
ROWS = []
for name, index in {**INDICES, **BYTES}.items():
    ROWS += rows("Tensor.__getitem__", {name: read(index), f"gradient_{name}": read_slope(index)})
for name, index in INDICES.items():
    ROWS += rows(
        "Tensor.__setitem__",
        {
            f"number_{name}": write(index, 7.0),
            f"zero_dim_{name}": write(index, lambda L, part: tensor(L, seed=5)),
            f"add_{name}": add_in_place(index),
        },
    )
    if name not in REPEATED:
        ROWS += rows(
            "Tensor.__setitem__",
            {
                f"tensor_{name}": write(index, lambda L, part: tensor(L, *part.shape, seed=5)),
                f"leading_one_{name}": write(index, lambda L, part: tensor(L, 1, *part.shape, seed=5)),
                f"ones_{name}": write(index, lambda L, part: tensor(L, *[1 for _ in part.shape], seed=5)),
            },
        )
        if name != "false":  # nothing is written: PyTorch gives no gradient instead of an empty one
            ROWS += rows("Tensor.__setitem__", {f"gradient_{name}": write_slope(index)})
OTHER_DTYPE = {
    "int": lambda L: 1,
    "slice": lambda L: slice(1, 3),
    "ellipsis": lambda L: ...,
    "list": lambda L: [0, 2],
    "tensor": lambda L: L.tensor([0, 2]),
    "mask": lambda L: L.tensor([True, False, True]),
}
for name, index in OTHER_DTYPE.items():
    run = write(index, lambda L, part: tensor(L, *part.shape, seed=5).float())
    advanced = name in ("list", "tensor", "mask")  # PyTorch converts for views only
    ROWS += (
        errors("Tensor.__setitem__", {f"other_dtype_{name}": (run, r"setitem.*float32.*float64")})
        if advanced
        else rows("Tensor.__setitem__", {f"other_dtype_{name}": run})
    )
    run = write(index, lambda L, part: L.tensor(2))
    ROWS += (
        errors("Tensor.__setitem__", {f"other_dtype_zero_dim_{name}": (run, r"setitem.*int64.*float64")})
        if name in ("list", "tensor")
        else rows("Tensor.__setitem__", {f"other_dtype_zero_dim_{name}": run})
    )
for name, (index, _) in BAD.items():
    ROWS += errors("Tensor.__getitem__", {name: (read(index), r"index")})
    ROWS += errors(
        "Tensor.__setitem__",
        {
            name: (lambda L, i=index: tensor(L, 3, 4, 5).__setitem__(i(L), 1.0), r"index"),
            f"recorded_{name}": (
                lambda L, i=index: (tensor(L, 3, 4, 5, grad=True) * 1).__setitem__(i(L), 1.0),
                r"index",
            ),
        },
    )

# ---- what else reading gives


def shares(L):
    """Slices share memory: what is written into the part is seen in the whole."""
    x = L.zeros(3, 4)
    x[1].add_(1)
    x[:, 2:][0].fill_(5)
    x[[0]].fill_(9)  # a list copies
    return x


ROWS += rows(
    "Tensor.__getitem__",
    {
        "zero_dim_ellipsis": lambda L: L.tensor(3.0)[...],
        "zero_dim_none": lambda L: L.tensor(3.0)[None],
        "zero_dim_empty_tuple": lambda L: L.tensor(3.0)[()],
        "zero_dim_true": lambda L: L.tensor(3.0)[True],
        "zero_dim_mask": lambda L: L.tensor(3.0)[L.tensor(True)],
        "of_integers": lambda L: L.arange(6).view(2, 3)[1],
        "of_bools": lambda L: L.tensor([True, False])[L.tensor([1, 1, 0])],
        "of_float16": lambda L: tensor(L, 3).half()[1:],
        "of_empty": lambda L: L.zeros(0, 3)[:, 1],
        "of_empty_mask": lambda L: L.zeros(0, 3)[L.zeros(0, dtype=L.bool)],
        "of_transposed": lambda L: tensor(L, 3, 4).T[L.tensor([3, 0])],
        "of_transposed_mask": lambda L: given(lambda x: x[x > 0], tensor(L, 3, 4).T),
        "of_expanded": lambda L: tensor(L, 3).expand(2, 3)[1],
        "slice_is_a_view": shares,
        "chained": lambda L: tensor(L, 3, 4, 5)[1][2][3],
        "contiguous": lambda L: tensor(L, 3, 4)[:, 1].is_contiguous(),
        "item": lambda L: tensor(L, 3)[1].item(),
        "no_grad": lambda L: given(lambda x: x[0], tensor(L, 3).requires_grad_().detach()),
        "python_loop": lambda L: [float(x[i, i]) for x in [tensor(L, 3, 3)] for i in range(3)],
        "index_tensor_loop": lambda L: [tensor(L, 3)[i] for i in L.tensor([2, 0])],
    },
)
ROWS += errors(
    "Tensor.__getitem__",
    {
        "of_zero_dim": (lambda L: L.tensor(1.0)[0], r"index"),
        "of_zero_dim_slice": (lambda L: L.tensor(1.0)[:], r"index"),
        "int_of_empty": (lambda L: L.zeros(0)[0], r"index"),
    },
)

# ---- what else writing does

KINDS = ("bool", "uint8", "int8", "int32", "int64", "float16", "float32", "float64")
NUMBERS = {"true": True, "two": 2, "minus_one": -1, "half": 0.5, "minus_two_and_half": -2.5}


def assigned(dtype, value):
    def run(L):
        x = L.zeros(3, dtype=getattr(L, dtype))
        x[1] = value(L) if callable(value) else value
        return x

    return run


for dtype in KINDS:
    values = dict(NUMBERS)
    if dtype == "uint8":
        del values["minus_two_and_half"]  # too small for it: an error, below
    ROWS += rows("Tensor.__setitem__", {f"{dtype}_from_number_{k}": assigned(dtype, v) for k, v in values.items()})
    ROWS += rows(
        "Tensor.__setitem__",
        {f"{dtype}_from_{other}": assigned(dtype, lambda L, o=other: L.tensor(3).to(getattr(L, o))) for other in KINDS},
    )
ROWS += rows(
    "Tensor.__setitem__",
    {
        "broadcast_row": lambda L: given(lambda x: (x.__setitem__(slice(1, 3), tensor(L, 4)), x)[1], L.zeros(3, 4)),
        "broadcast_column": lambda L: given(
            lambda x: (x.__setitem__((slice(None), [0, 2]), L.ones(3, 1)), x)[1], L.zeros(3, 4)
        ),
        "mask_values": lambda L: given(
            lambda x: (x.__setitem__(x > 0, tensor(L, int((x > 0).sum()))), x)[1], tensor(L, 3, 4)
        ),
        "mask_one_value": lambda L: given(
            lambda x: (x.__setitem__(x > 0, L.tensor([5.0])), x)[1], tensor(L, 3, 4).float()
        ),
        "from_itself": lambda L: given(lambda x: (x.__setitem__(0, x[1]), x)[1], tensor(L, 3, 4)),
        "overlapping": lambda L: given(lambda x: (x.__setitem__(slice(1, 4), x[:3].clone()), x)[1], tensor(L, 4)),
        "zero_dim": lambda L: given(lambda x: (x.__setitem__(..., 5.0), x)[1], L.tensor(3.0)),
        "zero_dim_tuple": lambda L: given(lambda x: (x.__setitem__((), 5.0), x)[1], L.tensor(3.0)),
        "into_transposed": lambda L: given(lambda x: (x.T.__setitem__(0, 5.0), x)[1], tensor(L, 3, 4)),
        "add_row": lambda L: given(lambda x: (x.__setitem__(0, x[0] + 1), x)[1], tensor(L, 3, 4)),
        "requires_grad_value_alone": lambda L: given(
            lambda x, v: (x.__setitem__(0, v * 2), gradients(L, x * x, v))[1],
            L.zeros(3, dtype=L.float64),
            tensor(L, grad=True),
        ),
        "two_writes_gradient": lambda L: given(
            lambda x, y: (y.__setitem__(0, 0.0), y.__setitem__((slice(None), 1), y[:, 0]), gradients(L, y * y, x))[2],
            *given(lambda x: (x, x * 1), tensor(L, 3, 4, grad=True)),
        ),
        "used_before_gradient": lambda L: given(
            lambda x, y: given(lambda z: (y.__setitem__(0, 0.0), gradients(L, [z, y * y], x))[1], y.sum(1)),
            *given(lambda x: (x, x * 1), tensor(L, 3, 4, grad=True)),
        ),
        "leaf_under_no_grad": lambda L: given(
            lambda x: L.no_grad()(lambda: (x.__setitem__(0, 5.0), x.detach())[1])(), tensor(L, 3, grad=True)
        ),
        "add_repeated_once": lambda L: given(
            lambda x: (x.__setitem__(L.tensor([0, 0]), x[L.tensor([0, 0])] + 1), x)[1], L.zeros(3)
        ),
    },
)
ROWS += errors(
    "Tensor.__setitem__",
    {
        "shape": (lambda L: L.zeros(2, 3).__setitem__(0, L.ones(2)), r"setitem.*shape"),
        "shape_recorded": (lambda L: (tensor(L, 2, 3, grad=True) * 1).__setitem__(0, L.ones(2)), r"shape"),
        "shape_slice": (lambda L: L.zeros(2, 3).__setitem__(slice(None), L.ones(3, 3)), r"setitem.*shape"),
        "mask_count": (lambda L: L.zeros(3).__setitem__(L.tensor([True, True, False]), L.ones(3)), r"setitem.*shape"),
        "list": (lambda L: L.zeros(2, 3).__setitem__(0, [1, 2, 3]), r"setitem.*list"),
        "tuple": (lambda L: L.zeros(2, 3).__setitem__(0, (1, 2, 3)), r"setitem.*tuple"),
        "value_text": (lambda L: L.zeros(2).__setitem__(0, "a"), r"setitem.*str"),
        "none": (lambda L: L.zeros(2).__setitem__(0, None), r"setitem.*None"),
        "array": (lambda L: L.zeros(2, 3).__setitem__(0, np.ones(3)), r"setitem.*ndarray"),
        "uint8_too_large": (assigned("uint8", 300), r"setitem.*300.*uint8.*255"),
        "uint8_too_small": (assigned("uint8", -2.5), r"setitem.*-2.5.*uint8"),
        "int8_too_large": (assigned("int8", 200), r"setitem.*200.*int8.*127"),
        "int64_nan": (assigned("int64", float("nan")), r"setitem.*nan.*int64"),
        "int64_infinity": (assigned("int64", float("inf")), r"setitem.*inf.*int64"),
        "float32_too_large": (assigned("float32", 1e40), r"setitem.*1e\+40.*float32"),
        "leaf": (lambda L: tensor(L, 3, grad=True).__setitem__(0, 1.0), r"setitem.*leaf"),
    },
)

# ---- gather, index_select, masked_fill and their kin


def along(function, *more):
    """A row: function(x, index) of a tensor of shape (3, 4) with its gradient."""

    def run(L):
        x = tensor(L, 3, 4, grad=True)
        return gradients(L, function(L, x), x)

    return run


ROWS += rows(
    "Tensor.gather",
    {
        "rows": along(lambda L, x: x.gather(0, L.tensor([[0, 2, 1, 0]]))),
        "columns": along(lambda L, x: x.gather(1, L.tensor([[3], [0], [0]]))),
        "repeated": along(lambda L, x: x.gather(1, L.tensor([[1, 1, 1], [0, 0, 3], [2, 2, 2]]))),
        "negative_dim": along(lambda L, x: x.gather(-1, L.tensor([[3, 2]]))),
        "smaller": along(lambda L, x: x.gather(0, L.tensor([[1, 2]]))),
        "longer": along(lambda L, x: x.gather(1, L.zeros(3, 9, dtype=L.int64))),
        "empty": along(lambda L, x: x.gather(1, L.zeros(3, 0, dtype=L.int64))),
        "function": lambda L: L.gather(tensor(L, 3, 4), 1, L.tensor([[3], [0], [0]])),
        "named": lambda L: L.gather(tensor(L, 3, 4), dim=1, index=L.tensor([[3], [0], [0]])),
        "zero_dim": lambda L: tensor(L).gather(0, L.tensor(0)),
        "zero_dim_vector": lambda L: tensor(L, 3).gather(0, L.tensor([2, 2])),
        "int32": lambda L: tensor(L, 3, 4).gather(1, L.tensor([[3]], dtype=L.int32)),
        "of_integers": lambda L: L.arange(12).view(3, 4).gather(0, L.tensor([[2, 1, 0, 0]])),
        "of_bools": lambda L: (tensor(L, 3, 4) > 0).gather(0, L.tensor([[2, 1, 0, 0]])),
        "of_transposed": lambda L: tensor(L, 3, 4).T.gather(1, L.tensor([[0, 1]])),
        "three_dims": lambda L: tensor(L, 2, 3, 4).gather(1, L.tensor([[[0, 1, 2, 0]], [[1, 1, 1, 1]]])),
    },
)
ROWS += errors(
    "Tensor.gather",
    {
        "range": (lambda L: L.ones(2, 2).gather(1, L.tensor([[2]])), r"gather.*2"),
        "negative": (lambda L: L.ones(2, 2).gather(1, L.tensor([[-1]])), r"gather.*-1"),
        "dtype": (lambda L: L.ones(2, 2).gather(1, L.tensor([[1.0]])), r"gather.*int64.*float32"),
        "rank": (lambda L: L.ones(2, 2).gather(1, L.tensor([1])), r"gather.*\(1,\)"),
        "larger": (lambda L: L.ones(2, 2).gather(1, L.tensor([[0], [0], [0]])), r"gather.*\(3, 1\)"),
        "dim": (lambda L: L.ones(2, 2).gather(2, L.tensor([[0]])), r"gather.*range"),
        "list": (lambda L: L.ones(2, 2).gather(1, [[0]]), r"gather.*list"),
    },
)
ROWS += rows(
    "Tensor.index_select",
    {
        "rows": along(lambda L, x: x.index_select(0, L.tensor([2, 0]))),
        "columns": along(lambda L, x: x.index_select(1, L.tensor([3, 3, 0]))),
        "negative_dim": along(lambda L, x: x.index_select(-1, L.tensor([1]))),
        "int32": along(lambda L, x: x.index_select(0, L.tensor([1, 1], dtype=L.int32))),
        "empty": along(lambda L, x: x.index_select(0, L.zeros(0, dtype=L.int64))),
        "zero_dim_index": along(lambda L, x: x.index_select(0, L.tensor(1))),
        "zero_dim": lambda L: tensor(L).index_select(0, L.tensor([0])),
        "vector": lambda L: tensor(L, 4).index_select(0, L.tensor([3, 1])),
        "function": lambda L: L.index_select(tensor(L, 3, 4), 1, L.tensor([3])),
        "named": lambda L: L.index_select(tensor(L, 3, 4), dim=1, index=L.tensor([3])),
        "of_bools": lambda L: (tensor(L, 3, 4) > 0).index_select(1, L.tensor([3])),
        "of_transposed": lambda L: tensor(L, 3, 4).T.index_select(0, L.tensor([3, 1])),
        "text": lambda L: str(tensor(L, 3, 4, grad=True).index_select(0, L.tensor([2]))),
    },
)
ROWS += errors(
    "Tensor.index_select",
    {
        "range": (lambda L: L.ones(2, 2).index_select(0, L.tensor([2])), r"index"),
        "negative": (lambda L: L.ones(2, 2).index_select(0, L.tensor([-1])), r"index_select.*-1"),
        "dtype": (lambda L: L.ones(2, 2).index_select(0, L.tensor([1.0])), r"index_select.*float32"),
        "matrix": (lambda L: L.ones(2, 2).index_select(0, L.tensor([[1]])), r"index_select.*\(1, 1\)"),
        "dim": (lambda L: L.ones(2, 2).index_select(2, L.tensor([0])), r"index_select.*range"),
        "list": (lambda L: L.ones(2, 2).index_select(0, [0]), r"index_select.*list"),
        "bool": (lambda L: L.ones(2, 2).index_select(0, L.tensor([True, False])), r"index_select.*bool"),
    },
)
MASK = [[True, False, True, False], [False] * 4, [True] * 4]
ROWS += rows(
    "Tensor.masked_fill",
    {
        "number": along(lambda L, x: x.masked_fill(L.tensor(MASK), 7.0)),
        "int": along(lambda L, x: x.masked_fill(L.tensor(MASK), 7)),
        "true": along(lambda L, x: x.masked_fill(L.tensor(MASK), True)),
        "infinity": along(lambda L, x: x.masked_fill(L.tensor(MASK), float("-inf"))),
        "tensor": along(lambda L, x: x.masked_fill(L.tensor(MASK), L.tensor(2.0))),
        "row": along(lambda L, x: x.masked_fill(L.tensor(MASK[0]), 7.0)),
        "column": along(lambda L, x: x.masked_fill(L.tensor([[True], [False], [True]]), 7.0)),
        "zero_dim_mask": along(lambda L, x: x.masked_fill(L.tensor(True), 7.0)),
        "larger_mask": along(lambda L, x: x.masked_fill(L.tensor([MASK, MASK]), 7.0)),
        "text": along(lambda L, x: x.masked_fill(L.tensor(MASK), 7.0)),
        "value_gradient": lambda L: given(
            lambda x, v: gradients(L, x.masked_fill(L.tensor(MASK), v), x, v),
            tensor(L, 3, 4, grad=True),
            tensor(L, grad=True),
        ),
        "value_gradient_alone": lambda L: given(
            lambda x, v: gradients(L, x.masked_fill(L.tensor(MASK), v), v), tensor(L, 3, 4), tensor(L, grad=True)
        ),
        "function": lambda L: L.masked_fill(tensor(L, 3, 4), L.tensor(MASK), 7.0),
        "named": lambda L: tensor(L, 3, 4).masked_fill(mask=L.tensor(MASK), value=7.0),
        "integers_from_float": lambda L: L.arange(3).masked_fill(L.tensor([True, False, True]), 2.7),
        "integers_from_tensor": lambda L: L.arange(3).masked_fill(L.tensor([True, False, True]), L.tensor(2.7)),
        "empty": lambda L: L.zeros(0).masked_fill(L.zeros(0, dtype=L.bool), 1.0),
        "zero_dim": lambda L: L.tensor(1.0).masked_fill(L.tensor(True), 5.0),
        "in_place": lambda L: given(lambda x: (x.masked_fill_(x > 0, -1.0), x), tensor(L, 3, 4)),
        "in_place_recorded": lambda L: given(
            lambda x: gradients(L, (x * 1).masked_fill_(L.tensor(MASK), -1.0), x), tensor(L, 3, 4, grad=True)
        ),
        "in_place_integers": lambda L: L.arange(3).masked_fill_(L.tensor([True, False, True]), 2.7),
        "grad_fn": lambda L: repr(tensor(L, 3, grad=True).masked_fill(L.tensor([True, False, True]), 1.0)),
        "grad_fn_tensor": lambda L: repr(
            tensor(L, 3, grad=True).masked_fill(L.tensor([True, False, True]), L.tensor(1.0))
        ),
    },
)
ROWS += errors(
    "Tensor.masked_fill",
    {
        "integer_mask": (lambda L: L.ones(2).masked_fill(L.tensor([1, 0]), 2.0), r"masked_fill.*bool.*int64"),
        "uint8_mask": (lambda L: L.ones(2).masked_fill(L.tensor([1, 0], dtype=L.uint8), 2.0), r"masked_fill.*uint8"),
        "shape": (lambda L: L.ones(2).masked_fill(L.ones(3) > 0, 2.0), r"masked_fill.*3.*2"),
        "list": (lambda L: L.ones(2).masked_fill([True, False], 2.0), r"masked_fill.*list"),
        "none": (lambda L: L.ones(2).masked_fill(L.ones(2) > 0, None), r"masked_fill.*None"),
        "vector": (lambda L: L.ones(2).masked_fill(L.ones(2) > 0, L.ones(1)), r"masked_fill.*\(1,\)"),
        "too_large": (lambda L: L.ones(2).masked_fill(L.ones(2) > 0, 1e40), r"masked_fill.*1e\+40"),
        "nan_into_integers": (lambda L: L.arange(2).masked_fill(L.ones(2) > 0, float("nan")), r"masked_fill.*nan"),
        "larger_mask_in_place": (lambda L: L.ones(2).masked_fill_(L.ones(2, 2) > 0, 1.0), r"masked_fill_.*\(2, 2\)"),
        "leaf": (lambda L: tensor(L, 2, grad=True).masked_fill_(L.ones(2) > 0, 1.0), r"masked_fill_.*leaf"),
    },
)
ROWS += rows(
    "where",
    {
        "places": lambda L: L.where(tensor(L, 3, 4) > 0),
        "places_of_numbers": lambda L: L.where(L.tensor([0.0, 2.0, -1.0])),
        "places_zero_dim": lambda L: L.where(L.tensor(True)),
        "places_empty": lambda L: L.where(L.zeros(0, 3) > 0),
        "uint8_condition": lambda L: L.where(L.tensor([1, 0, 2], dtype=L.uint8), 1, 2),
        "broadcast": lambda L: L.where(tensor(L, 3, 1) > 0, tensor(L, 4), tensor(L, 2, 1, 1)),
        "gradient": lambda L: given(
            lambda x, y: gradients(L, L.where(L.tensor(MASK), x, y), x, y),
            tensor(L, 3, 4, grad=True),
            tensor(L, 4, seed=1, grad=True),
        ),
        "gradient_nan_elsewhere": lambda L: given(
            lambda x: gradients(L, L.where(x > 0, x.log(), x), x),
            L.tensor([-1.0, 0.0, 2.0], dtype=L.float64, requires_grad=True),
        ),
        "numbers_int": lambda L: L.where(L.tensor([True, False]), 1, 2),
        "numbers_float": lambda L: L.where(L.tensor([True, False]), 1.0, 2.0),
        "numbers_bool": lambda L: L.where(L.tensor([True, False]), True, False),
        "numbers_mixed": lambda L: L.where(L.tensor([True, False]), 1, 2.5),
        "zero_dim": lambda L: L.where(L.tensor(True), L.tensor(1.0), L.tensor(2.0)),
        "method": lambda L: tensor(L, 3).where(tensor(L, 3) > 0, tensor(L, 3, seed=1)),
        "method_number": lambda L: tensor(L, 3).where(tensor(L, 3) > 0, 0.0),
        "named": lambda L: L.where(condition=L.tensor([True, False]), input=L.ones(2), other=L.zeros(2)),
        "grad_fn": lambda L: repr(L.where(L.tensor([True, False]), tensor(L, 2, grad=True), 0.0)),
    },
)
ROWS += errors(
    "where",
    {
        "integer_condition": (lambda L: L.where(L.tensor([1, 0]), 1, 2), r"where.*bool.*int64"),
        "float_condition": (lambda L: L.where(L.tensor([1.0, 0]), 1, 2), r"where.*bool.*float32"),
        "list_condition": (lambda L: L.where([True, False], 1, 2), r"where.*list"),
        "shapes": (lambda L: L.where(L.ones(2) > 0, L.ones(3), L.ones(3)), r"where"),
        "shapes_of_values": (lambda L: L.where(L.ones(1) > 0, L.ones(3), L.ones(2)), r"where.*3.*2"),
        "one_value": (lambda L: L.where(L.ones(2) > 0, L.ones(2)), r"where.*None"),
        "text": (lambda L: L.where(L.ones(2) > 0, L.ones(2), "a"), r"where.*str"),
    },
)
ROWS += rows(
    "Tensor.where",
    {"gradient": lambda L: given(lambda x: gradients(L, x.where(x > 0, x * 3), x), tensor(L, 5, grad=True))},
)
ROWS += errors("Tensor.where", {"shapes": (lambda L: L.ones(2).where(L.ones(3) > 0, L.ones(2)), r"where")})
