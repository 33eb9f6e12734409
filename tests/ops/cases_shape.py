"""Rows for ops/shape.py and ops/indexing.py."""

import numpy as np

from .table import Case, bools, distinct, integers, normal, rows, values

X = normal(2, 3, 4)

CASES = [
    *rows(
        "view",
        {
            "sizes": lambda L, x: x.view(6, 4),
            "tuple": lambda L, x: x.view((4, 6)),
            "inferred": lambda L, x: x.view(2, -1),
            "flat": lambda L, x: x.view(-1),
            "ones": lambda L, x: x.view(2, 1, 12),
            "view_as": lambda L, x: x.view_as(x),
        },
        X,
    ),
    *rows(
        "reshape",
        {
            "sizes": lambda L, x: x.reshape(6, 4),
            "function": lambda L, x: L.reshape(x, (4, 6)),
            "inferred": lambda L, x: x.reshape([3, -1]),
            "after_transpose": lambda L, x: x.transpose(0, 2).reshape(6, 4),
            "same": lambda L, x: x.reshape(2, 3, 4),
            "size": lambda L, x: x.reshape(x.size()),
        },
        X,
    ),
    *rows(
        "flatten",
        {
            "all": lambda L, x: x.flatten(),
            "from_1": lambda L, x: L.flatten(x, 1),
            "to_1": lambda L, x: x.flatten(0, 1),
            "negative": lambda L, x: x.flatten(-2, -1),
            "nothing": lambda L, x: x.flatten(1, 1),
        },
        X,
    ),
    *rows(
        "permute",
        {
            "sizes": lambda L, x: x.permute(2, 0, 1),
            "tuple": lambda L, x: L.permute(x, (1, 2, 0)),
            "negative": lambda L, x: x.permute(-1, 0, 1),
            "identity": lambda L, x: x.permute(0, 1, 2),
        },
        X,
    ),
    *rows(
        "transpose",
        {
            "first_last": lambda L, x: x.transpose(0, 2),
            "negative": lambda L, x: L.transpose(x, -1, -2),
            "mT": lambda L, x: x.mT,
            "same": lambda L, x: x.transpose(1, 1),
            "contiguous": lambda L, x: x.transpose(0, 1).contiguous(),
        },
        X,
    ),
    *rows("t", {"matrix": lambda L, x: x.t(), "T": lambda L, x: x.T, "function": lambda L, x: L.t(x)}, normal(2, 3)),
    Case("t/vector", lambda L, x: x.t(), (normal(3),)),
    Case("t/zero_dim", lambda L, x: x.t(), (normal(),)),
    *rows(
        "squeeze",
        {
            "all": lambda L, x: x.squeeze(),
            "one": lambda L, x: x.squeeze(0),
            "negative": lambda L, x: L.squeeze(x, -1),
            "not_one": lambda L, x: x.squeeze(1),
            "several": lambda L, x: x.squeeze((0, 3)),
        },
        normal(1, 3, 1, 1, 2),
    ),
    Case("squeeze/zero_dim", lambda L, x: x.squeeze(0), (normal(),)),
    Case("squeeze/to_zero_dim", lambda L, x: x.squeeze(), (normal(1, 1),)),
    *rows(
        "unsqueeze",
        {
            "first": lambda L, x: x.unsqueeze(0),
            "last": lambda L, x: L.unsqueeze(x, -1),
            "middle": lambda L, x: x.unsqueeze(1),
        },
        normal(2, 3),
    ),
    Case("unsqueeze/zero_dim", lambda L, x: x.unsqueeze(0), (normal(),)),
    *rows(
        "expand",
        {
            "columns": lambda L, x: x.expand(3, 4),
            "keep": lambda L, x: x.expand(-1, 4),
            "in_front": lambda L, x: x.expand(2, 3, 4),
            "tuple": lambda L, x: x.expand((3, 4)),
            "expand_as": lambda L, x: x.expand_as(L.zeros(3, 4)),
            "same": lambda L, x: x.expand(3, 1),
            "to_nothing": lambda L, x: x.expand(3, 0),
        },
        normal(3, 1),
    ),
    Case("expand/zero_dim", lambda L, x: x.expand(2, 3), (normal(),)),
    *rows(
        "cat",
        {
            "first": lambda L, a, b: L.cat([a, b]),
            "tuple": lambda L, a, b: L.cat((a, b, a), 0),
            "last": lambda L, a, b: L.cat([a, b.T.T], dim=-2),
            "single": lambda L, a, b: L.cat([b]),
        },
        normal(2, 3),
        normal(4, 3),
    ),
    Case("cat/columns", lambda L, a, b: L.cat([a, b], 1), (normal(3, 2), normal(3, 4))),
    Case("cat/empty_part", lambda L, a, b: L.cat([a, b], 0), (normal(0, 3), normal(2, 3))),
    Case("cat/legacy_empty", lambda L, a, b: L.cat([a, b], 0), (normal(0), normal(2, 3)), no_grad_for=(0,)),
    Case("cat/dtypes", lambda L, a, b: L.cat([a, b], 0), (normal(2), integers(3)), smooth=False),
    Case("cat/integers", lambda L, a, b: L.cat([a, b], 0), (integers(2), integers(3)), grad=False),
    *rows(
        "stack",
        {
            "first": lambda L, a, b: L.stack([a, b]),
            "last": lambda L, a, b: L.stack((a, b), -1),
            "middle": lambda L, a, b: L.stack([a, b, a], dim=1),
        },
        normal(2, 3),
        normal(2, 3),
    ),
    Case("stack/zero_dim", lambda L, a, b: L.stack([a, b]), (normal(), normal())),
    Case("stack/dtypes", lambda L, a, b: L.stack([a, b]), (normal(3), integers(3)), smooth=False),
    *rows(
        "split",
        {
            "size": lambda L, x: x.split(2),
            "uneven": lambda L, x: L.split(x, 3),
            "sizes": lambda L, x: x.split([1, 4]),
            "dim": lambda L, x: x.split(2, dim=1),
            "negative": lambda L, x: x.split([1, 2], -1),
            "one_piece": lambda L, x: x.split(9),
            "first_only": lambda L, x: x.split(2)[0],
            "zero_piece": lambda L, x: x.split([0, 5]),
        },
        normal(5, 3),
    ),
    Case("split/empty", lambda L, x: x.split(2), (normal(0, 3),)),
    *rows(
        "unbind",
        {
            "first": lambda L, x: x.unbind(),
            "last": lambda L, x: L.unbind(x, -1),
            "one": lambda L, x: x.unbind(1)[1],
            "iterated": lambda L, x: tuple(row for row in x),
        },
        normal(3, 4),
    ),
    *[
        Case(f"{op}/empty", function, (normal(0, 3),))
        for op, function in {
            "view": lambda L, x: x.view(3, 0),
            "reshape": lambda L, x: x.reshape(0, 3, 1),
            "flatten": lambda L, x: x.flatten(),
            "permute": lambda L, x: x.permute(1, 0),
            "transpose": lambda L, x: x.transpose(0, 1),
            "squeeze": lambda L, x: x.squeeze(),
            "unsqueeze": lambda L, x: x.unsqueeze(1),
            "expand": lambda L, x: x.expand(2, 0, 3),
            "stack": lambda L, x: L.stack([x, x]),
        }.items()
    ],
    Case("reshape/zero_dim", lambda L, x: x.reshape(1, 1), (normal(),)),
    Case("reshape/to_zero_dim", lambda L, x: x.reshape(()), (normal(1),)),
    Case("flatten/zero_dim", lambda L, x: x.flatten(), (normal(),)),
]

# ---- indexing

INDICES = {
    "int": lambda L, x: x[1],
    "negative": lambda L, x: x[-1],
    "ints": lambda L, x: x[1, 2],
    "all_ints": lambda L, x: x[1, 2, 3],
    "slice": lambda L, x: x[1:],
    "slice_step": lambda L, x: x[:, ::2],
    "slice_negative": lambda L, x: x[:, -2:],
    "slices": lambda L, x: x[:1, 1:3, 2:],
    "slice_empty": lambda L, x: x[2:],
    "slice_beyond": lambda L, x: x[:, 1:99],
    "none": lambda L, x: x[None],
    "none_inside": lambda L, x: x[:, None, 1],
    "ellipsis": lambda L, x: x[..., 1],
    "ellipsis_front": lambda L, x: x[0, ...],
    "ellipsis_only": lambda L, x: x[...],
    "ellipsis_none": lambda L, x: x[..., None],
    "list": lambda L, x: x[[1, 0, 1]],
    "tensor": lambda L, x: x[L.tensor([1, 0])],
    "tensor_repeated": lambda L, x: x[L.tensor([0, 0, 1, 0])],
    "tensor_negative": lambda L, x: x[L.tensor([-1, -2])],
    "tensor_2d": lambda L, x: x[L.tensor([[0, 1], [1, 1]])],
    "tensor_zero_dim": lambda L, x: x[L.tensor(1)],
    "tensor_empty": lambda L, x: x[L.zeros(0, dtype=L.int64)],
    "tensor_second": lambda L, x: x[:, L.tensor([2, 0, 2])],
    "tensors": lambda L, x: x[L.tensor([0, 1, 0]), L.tensor([2, 2, 2])],
    "tensors_same_place": lambda L, x: x[L.tensor([1, 1]), L.tensor([2, 2]), L.tensor([3, 3])],
    "tensors_broadcast": lambda L, x: x[L.tensor([[0], [1]]), L.tensor([0, 2])],
    "tensors_apart": lambda L, x: x[L.tensor([0, 1]), :, L.tensor([3, 3])],
    "tensor_and_int": lambda L, x: x[L.tensor([0, 1]), 1],
    "int_and_tensor": lambda L, x: x[1, :, L.tensor([0, 0])],
    "int_tensor_apart": lambda L, x: x[0, :, L.tensor([0, 1])],
    "tensor_and_slice": lambda L, x: x[L.tensor([0, 1]), 1:],
    "tensor_and_none": lambda L, x: x[L.tensor([0, 0]), None],
    "int32": lambda L, x: x[L.tensor([1, 0, 0], dtype=L.int32)],
    "mask": lambda L, x: x[x > 0],
    "mask_none_true": lambda L, x: x[x > 99],
    "mask_rows": lambda L, x: x[L.tensor([True, False])],
    "mask_second": lambda L, x: x[:, L.tensor([True, False, True])],
    "mask_2d": lambda L, x: x[x.sum(2) > 0],
    "mask_and_int": lambda L, x: x[L.tensor([True, True]), 0],
    "mask_true": lambda L, x: x[True],
    "int_mask": lambda L, x: x[1, x[1].detach() > 0],
    "mask_apart_int": lambda L, x: x[L.tensor([True, True]), :, 1],
    "none_tensor_int": lambda L, x: x[None, L.tensor([1, 0, 1]), :, 2],
    "int_ellipsis_tensor": lambda L, x: x[0, ..., L.tensor([1, 0])],
    "int_none_tensor": lambda L, x: x[0, None, L.tensor([1, 0])],
    "zero_dim_slice_tensor": lambda L, x: x[L.tensor(1), :, L.tensor([0, 0, 3])],
    "tuple": lambda L, x: x[(0, 1)],
    "arange": lambda L, x: x[L.arange(2), L.tensor([0, 2])],
    "numpy_int": lambda L, x: x[np.int64(1)],
    "numpy_array": lambda L, x: x[np.array([0, 0, 1])],
    "twice": lambda L, x: x[1][2] + x[0, 1],
    "overlap": lambda L, x: x[:, :2] + x[:, 1:],
}
CASES += rows("getitem", INDICES, X)
CASES += [
    Case("getitem/zero_dim_ellipsis", lambda L, x: x[...], (normal(),)),
    Case("getitem/zero_dim_none", lambda L, x: x[None], (normal(),)),
    Case("getitem/integers", lambda L, x: x[1:, L.tensor([0, 0])], (integers(3, 4),), grad=False),
    Case("getitem/given_index", lambda L, x, i: x[i], (normal(6, 3), integers(9, high=6))),
    Case("getitem/empty", lambda L, x: x[:, 1], (normal(0, 3),)),
    Case("gather/columns", lambda L, x, i: x.gather(1, i), (normal(4, 5), integers(4, 3, high=5))),
    Case("gather/rows", lambda L, x, i: L.gather(x, 0, i), (normal(4, 5), integers(6, 5, high=4))),
    Case("gather/smaller", lambda L, x, i: x.gather(1, i), (normal(4, 5), integers(2, 7, high=5))),
    Case("gather/negative_dim", lambda L, x, i: x.gather(-1, i), (normal(2, 3, 4), integers(2, 3, 2, high=4))),
    Case("gather/middle", lambda L, x, i: x.gather(1, i), (normal(2, 3, 4), integers(2, 5, 4, high=3))),
    Case("gather/zero_dim", lambda L, x, i: x.gather(0, i), (normal(), values(0))),
    Case("gather/empty_index", lambda L, x, i: x.gather(1, i), (normal(4, 5), integers(4, 0))),
    Case("index_select/rows", lambda L, x, i: x.index_select(0, i), (normal(4, 5), integers(7, high=4))),
    Case("index_select/columns", lambda L, x, i: L.index_select(x, 1, i), (normal(4, 5), integers(3, high=5))),
    Case("index_select/negative_dim", lambda L, x, i: x.index_select(-1, i), (normal(2, 3, 4), integers(3, high=4))),
    Case("index_select/empty", lambda L, x, i: x.index_select(0, i), (normal(4, 5), integers(0))),
    Case("masked_fill/number", lambda L, x, m: x.masked_fill(m, 7.0), (normal(3, 4), bools(3, 4))),
    Case("masked_fill/int", lambda L, x, m: x.masked_fill(m, 7), (normal(3, 4), bools(3, 4))),
    Case("masked_fill/inf", lambda L, x, m: x.masked_fill(m, float("-inf")), (normal(3, 4), bools(3, 4)), smooth=False),
    Case("masked_fill/broadcast", lambda L, x, m: L.masked_fill(x, m, 0.0), (normal(3, 4), bools(4))),
    Case("masked_fill/column", lambda L, x, m: x.masked_fill(m, 0.0), (normal(3, 4), bools(3, 1))),
    Case("masked_fill/tensor", lambda L, x, m: x.masked_fill(m, L.tensor(2.0)), (normal(3, 4), bools(3, 4))),
    Case("masked_fill/integers", lambda L, x, m: x.masked_fill(m, 9), (integers(4), bools(4)), grad=False),
    Case("masked_fill/wider", lambda L, x, m: x.masked_fill(m, 9.0), (normal(4), bools(3, 4))),
    Case("masked_fill/empty", lambda L, x, m: x.masked_fill(m, 9.0), (normal(0, 4), bools(0, 4))),
    Case("one_hot/classes", lambda L, i: L.nn.functional.one_hot(i, 12), (integers(3, 4),), grad=False),
    Case("one_hot/inferred", lambda L, i: L.nn.functional.one_hot(i), (integers(5),), grad=False),
    Case("one_hot/zero_dim", lambda L, i: L.nn.functional.one_hot(i, 4), (values(2),), grad=False),
]


# ---- indexed assignment of a recorded tensor: an op like any other (ops.put_index)


def put(index, value):
    """A row's function: write `value(x, v)` at `index(L)` into a copy of x."""

    def function(L, x, v):
        y = x * 1
        y[index(L)] = value(x, v)
        return y

    return function


CASES += rows(
    "put_index",
    {
        "int": put(lambda L: 0, lambda x, v: v[1]),
        "slice": put(lambda L: slice(1, None), lambda x, v: v[1:]),
        "broadcast": put(lambda L: slice(None), lambda x, v: v[0]),
        "number": put(lambda L: (0, slice(1, 3)), lambda x, v: 5.0),
        "zero_dim": put(lambda L: (slice(None), 2), lambda x, v: v.sum()),
        "ellipsis": put(lambda L: (..., 1), lambda x, v: v[:, 1]),
        "tensor": put(lambda L: L.tensor([2, 0]), lambda x, v: v[:2]),
        "mask": put(lambda L: L.tensor([True, False, True]), lambda x, v: v[0]),
        "mask_number": put(lambda L: L.tensor([True, False, True]), lambda x, v: 0.0),
        "from_itself": put(lambda L: 0, lambda x, v: x[1] * v[2]),
        "two": put(lambda L: (0, slice(None, 2)), lambda x, v: v[1, 2:]),
        "int_tensor": put(lambda L: (0, L.tensor([0, 3])), lambda x, v: v[1, 1:3]),
        "leading_ones": put(lambda L: 0, lambda x, v: v[:1]),
    },
    normal(3, 4),
    normal(3, 4),
    smooth=True,
)
CASES += [
    Case(
        "put_index/int_slice_tensor",
        put(lambda L: (0, slice(None), L.tensor([0, 2])), lambda x, v: v),
        (normal(2, 3, 4), normal(3, 2)),
    ),
    Case(
        "put_index/tensor_slice_int",
        put(lambda L: (L.tensor([1, 0]), slice(None), 3), lambda x, v: v),
        (normal(2, 3, 4), normal(2, 3)),
    ),
]
CASES += [Case("put_index/integers_in", put(lambda L: 0, lambda x, v: v), (distinct(3, 4), integers(4)))]
