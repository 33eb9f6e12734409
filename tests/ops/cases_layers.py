"""Rows for ops/linear.py, ops/embedding.py, ops/conv.py, ops/padding.py, ops/pooling.py, ops/adaptive_pooling.py and
ops/batchnorm.py.
"""

import numpy as np

from .table import Case, bools, distinct, integers, normal, rows, uniform, values

CASES = []

# ---- matrix products

PRODUCTS = {
    "vectors": ((4,), (4,)),
    "matrix_vector": ((3, 4), (4,)),
    "vector_matrix": ((4,), (4, 5)),
    "matrices": ((3, 4), (4, 5)),
    "batch": ((2, 3, 4), (2, 4, 5)),
    "batch_matrix": ((2, 3, 4), (4, 5)),
    "matrix_batch": ((3, 4), (2, 4, 5)),
    "batch_vector": ((2, 3, 4), (4,)),
    "vector_batch": ((4,), (2, 4, 5)),
    "broadcast": ((2, 1, 3, 4), (5, 4, 2)),
    "broadcast_one": ((1, 3, 4), (2, 4, 5)),
    "one_by_one": ((1, 1), (1, 1)),
    "outer": ((3, 1), (1, 5)),
    "empty_rows": ((0, 4), (4, 5)),
    "empty_inner": ((3, 0), (0, 5)),
    "empty_batch": ((0, 3, 4), (4, 5)),
    "empty_vectors": ((0,), (0,)),
}
CASES += [Case(f"matmul/{name}", lambda L, a, b: a @ b, (normal(*a), normal(*b))) for name, (a, b) in PRODUCTS.items()]
CASES += [
    Case("matmul/function", lambda L, a, b: L.matmul(a, b), (normal(3, 4), normal(4, 5))),
    Case("matmul/method", lambda L, a, b: a.matmul(b), (normal(3, 4), normal(4, 5))),
    Case("matmul/itself", lambda L, a: a @ a, (normal(3, 3),)),
    Case("matmul/gram", lambda L, a: a.T @ a, (normal(5, 3),)),
    Case("matmul/integers", lambda L, a, b: a @ b, (integers(3, 4), integers(4, 5)), grad=False),
    Case("mm/matrices", lambda L, a, b: L.mm(a, b), (normal(3, 4), normal(4, 5))),
    Case("mm/method", lambda L, a, b: a.mm(b), (normal(3, 4), normal(4, 5))),
    Case("bmm/batches", lambda L, a, b: L.bmm(a, b), (normal(2, 3, 4), normal(2, 4, 5))),
    Case("bmm/method", lambda L, a, b: a.bmm(b), (normal(2, 3, 4), normal(2, 4, 5))),
]

for name, shape in {"vector": (4,), "rows": (3, 4), "three": (2, 3, 4), "four": (2, 1, 3, 4), "empty": (0, 4)}.items():
    CASES += [
        Case(f"linear/{name}", lambda L, x, W: L.nn.functional.linear(x, W), (normal(*shape), normal(5, 4))),
        Case(
            f"linear/{name}_bias",
            lambda L, x, W, b: L.nn.functional.linear(x, W, b),
            (normal(*shape), normal(5, 4), normal(5)),
        ),
    ]
CASES += [Case("linear/one_output", lambda L, x, W: L.nn.functional.linear(x, W), (normal(3, 4), normal(1, 4)))]
CASES += [Case("linear/weight_vector", lambda L, x, W: L.nn.functional.linear(x, W), (normal(3, 4), normal(4)))]

for name, x, b in (
    ("one", (3, 4), (1,)),
    ("zero_dim", (3, 4), ()),
    ("matrix", (3, 4), (3, 5)),
    ("row", (3, 4), (1, 5)),
    ("column", (3, 4), (3, 1)),
    ("three", (2, 3, 4), (1,)),
    ("vector", (4,), (1,)),
):
    CASES += [
        Case(
            f"linear/bias_{name}",
            lambda L, x, W, b: L.nn.functional.linear(x, W, b),
            (normal(*x), normal(5, 4), normal(*b)),
        )
    ]
CASES += [
    Case(
        "linear/no_features",
        lambda L, x, W, b: L.nn.functional.linear(x, W, b),
        (normal(3, 0), normal(5, 0), normal(5)),
    ),
    Case(
        "linear/no_output", lambda L, x, W, b: L.nn.functional.linear(x, W, b), (normal(3, 4), normal(0, 4), normal(0))
    ),
    Case("linear/integers", lambda L, x, W: L.nn.functional.linear(x, W), (integers(3, 4), integers(5, 4)), grad=False),
]

# ---- embedding

for name, index in {
    "vector": integers(6, high=5),
    "matrix": integers(3, 4, high=5),
    "repeated": values([2, 2, 2, 0]),
    "zero_dim": values(3),
    "empty": integers(0, high=5),
    "int32": integers(6, high=5, dtype="int32"),
}.items():
    CASES += [Case(f"embedding/{name}", lambda L, i, W: L.nn.functional.embedding(i, W), (index, normal(5, 3)))]
    CASES += [
        Case(
            f"embedding/{name}_padding",
            lambda L, i, W: L.nn.functional.embedding(i, W, padding_idx=2),
            (index, normal(5, 3)),
            smooth=False,
        )
    ]
for name, index in {
    "repeated": values([2, 2, 2, 0]),
    "matrix": integers(3, 4, high=5),
    "empty": integers(0, high=5),
}.items():
    CASES += [
        Case(
            f"embedding/by_frequency_{name}",
            lambda L, i, W: L.nn.functional.embedding(i, W, scale_grad_by_freq=True),
            (index, normal(5, 3)),
            smooth=False,  # the gradient is divided on purpose
        ),
        Case(
            f"embedding/by_frequency_padding_{name}",
            lambda L, i, W: L.nn.functional.embedding(i, W, 2, None, 2.0, True),
            (index, normal(5, 3)),
            smooth=False,
        ),
        Case(
            f"embedding/short_enough_{name}",
            lambda L, i, W: L.nn.functional.embedding(i, W * 1e-3, max_norm=1.0),
            (index, normal(5, 3)),
        ),
    ]
CASES += [
    Case(
        "embedding/integers",
        lambda L, i, W: L.nn.functional.embedding(i, W),
        (values([1, 0]), integers(5, 3)),
        grad=False,
    ),
    Case(
        "embedding/negative_padding",
        lambda L, i, W: L.nn.functional.embedding(i, W, padding_idx=-1),
        (integers(9, high=5), normal(5, 3)),
        smooth=False,
    ),
    Case("embedding/twice", lambda L, i, W: L.nn.functional.embedding(i, W) @ W.T, (integers(9, high=5), normal(5, 3))),
]

# ---- convolution

CONVOLUTIONS = {
    "plain": ((2, 3, 6, 7), (4, 3, 3, 3), {}),
    "stride": ((2, 3, 6, 7), (4, 3, 3, 3), {"stride": 2}),
    "stride_pair": ((2, 3, 6, 7), (4, 3, 3, 2), {"stride": (1, 2)}),
    "stride_leaves_rest": ((1, 2, 6, 6), (2, 2, 3, 3), {"stride": 2}),
    "padding": ((2, 3, 5, 5), (4, 3, 3, 3), {"padding": 1}),
    "padding_pair": ((2, 3, 5, 5), (4, 3, 3, 3), {"padding": (2, 1)}),
    "dilation": ((2, 3, 7, 8), (4, 3, 3, 3), {"dilation": 2}),
    "dilation_pair": ((2, 3, 7, 8), (4, 3, 2, 3), {"dilation": (3, 2)}),
    "groups": ((2, 4, 5, 5), (6, 2, 3, 3), {"groups": 2}),
    "depthwise": ((2, 4, 5, 5), (4, 1, 3, 3), {"groups": 4, "padding": 1}),
    "everything": ((2, 4, 9, 8), (6, 2, 3, 2), {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2), "groups": 2}),
    "one_by_one": ((2, 3, 4, 4), (5, 3, 1, 1), {}),
    "whole_image": ((2, 3, 4, 4), (5, 3, 4, 4), {}),
    "same": ((2, 3, 5, 6), (4, 3, 3, 3), {"padding": "same"}),
    "same_dilated": ((1, 2, 6, 7), (2, 2, 3, 5), {"padding": "same", "dilation": (2, 1)}),
    "valid": ((2, 3, 5, 6), (4, 3, 3, 3), {"padding": "valid"}),
    "unbatched": ((3, 5, 6), (4, 3, 3, 3), {"padding": 1}),
    "unbatched_same": ((3, 5, 6), (4, 3, 3, 3), {"padding": "same"}),
    "empty_batch": ((0, 3, 5, 6), (4, 3, 3, 3), {}),
    "stride_beyond": ((1, 1, 7, 7), (1, 1, 2, 2), {"stride": 3}),
    "same_even": ((2, 3, 5, 6), (4, 3, 2, 4), {"padding": "same"}),
    "same_groups": ((1, 4, 5, 6), (4, 2, 3, 1), {"padding": "same", "groups": 2}),
    "tuple_of_one": ((2, 3, 7, 8), (4, 3, 3, 3), {"stride": (2,), "padding": (1,), "dilation": [1]}),
    "more_filters_a_group": ((2, 2, 4, 4), (6, 1, 2, 2), {"groups": 2}),
    "wide_padding": ((1, 1, 2, 2), (1, 1, 3, 3), {"padding": 3}),
    "one_pixel": ((2, 3, 1, 1), (4, 3, 1, 1), {}),
    "unbatched_all": ((4, 9, 8), (6, 2, 3, 2), {"stride": 2, "padding": (1, 2), "dilation": (1, 2), "groups": 2}),
    "empty_batch_padded": ((0, 3, 5, 6), (4, 3, 3, 3), {"padding": 1, "stride": 2}),
}
for name, (x, W, how) in CONVOLUTIONS.items():
    length = W[1] * W[2] * W[3] * 8
    CASES += [
        Case(
            f"conv2d/{name}",
            lambda L, x, W, b, how=how: L.nn.functional.conv2d(x, W, b, **how),
            (normal(*x), normal(*W), normal(W[0])),
            length=length,
        ),
        Case(
            f"conv2d/{name}_no_bias",
            lambda L, x, W, how=how: L.nn.functional.conv2d(x, W, **how),
            (normal(*x), normal(*W)),
            length=length,
        ),
    ]
CASES += [Case("conv2d/root", lambda L, x, W: L.conv2d(x, W, None, 1, 1), (normal(1, 2, 4, 4), normal(2, 2, 3, 3)))]
CASES += rows(
    "pad",
    {
        "last": lambda L, x: L.nn.functional.pad(x, (1, 2)),
        "two": lambda L, x: L.nn.functional.pad(x, (1, 0, 0, 2)),
        "value": lambda L, x: L.nn.functional.pad(x, (1, 1, 1, 1), value=3.0),
        "mode": lambda L, x: L.nn.functional.pad(x, (1, 1), "constant", 2),
        "negative": lambda L, x: L.nn.functional.pad(x, (-1, 1)),
        "nothing": lambda L, x: L.nn.functional.pad(x, (0, 0)) * 2,
    },
    normal(2, 3, 4),
)

CASES += [
    Case(
        "conv2d/integers",
        lambda L, x, W: L.nn.functional.conv2d(x, W),
        (integers(1, 2, 5, 5), integers(3, 2, 3, 3)),
        grad=False,
    ),
    Case("pad/integers", lambda L, x: L.nn.functional.pad(x, (1, 2), value=7), (integers(2, 3),), grad=False),
    Case(
        "pad/integers_cut_value", lambda L, x: L.nn.functional.pad(x, (1, 2), value=1.7), (integers(2, 3),), grad=False
    ),
    Case("pad/bools", lambda L, x: L.nn.functional.pad(x, (1, 2), value=True), (bools(2, 3),), grad=False),
    Case("pad/zero_dim", lambda L, x: L.nn.functional.pad(x, ()) * 2, (normal(),)),
    Case("pad/all_cut", lambda L, x: L.nn.functional.pad(x, (-2, -2)), (normal(3, 4),)),
    Case("pad/cut_and_add", lambda L, x: L.nn.functional.pad(x, (-1, 2, 1, -1)), (normal(3, 4),)),
    Case("pad/empty", lambda L, x: L.nn.functional.pad(x, (1, 0)), (normal(0, 2),)),
    Case("pad/none", lambda L, x: L.nn.functional.pad(x, [1, 0], "constant", None), (normal(3, 2),)),
]
MARGINS = {
    "one": ((3, 5), (2, 1)),
    "one_batched": ((2, 3, 5), (1, 4)),
    "left": ((3, 5), (3, 0)),
    "widest": ((3, 4), (3, 3)),
    "two": ((3, 4, 5), (1, 2, 3, 0)),
    "two_batched": ((2, 3, 4, 5), (2, 1, 1, 3)),
    "three": ((2, 3, 4, 3), (1, 2, 2, 0, 1, 1)),
    "three_batched": ((1, 2, 3, 4, 3), (1, 0, 0, 2, 2, 1)),
    "nothing": ((2, 3, 4, 5), (0, 0, 0, 0)),
    "cut": ((2, 3, 4, 5), (-1, 1, 0, 0)),
    "cut_both": ((3, 5), (-2, -2)),
    "cut_left": ((3, 5), (-2, 2)),
    "cut_rows": ((2, 3, 6, 5), (1, 1, 2, -1)),
    "empty_batch": ((0, 3, 4, 5), (1, 1, 1, 1)),
    "cut_to_nothing": ((3, 3, 4), (1, 1, -1, -2)),
}
for mode in ("reflect", "replicate", "circular"):
    for name, (shape, margin) in MARGINS.items():
        CASES += [
            Case(
                f"pad/{mode}_{name}",
                lambda L, x, p=margin, m=mode: L.nn.functional.pad(x, p, mode=m),
                (normal(*shape),),
            )
        ]
    CASES += [
        Case(
            f"pad/{mode}_integers",
            lambda L, x, m=mode: L.nn.functional.pad(x, (2, 1), m),
            (integers(2, 4),),
            grad=False,
        ),
    ]
CASES += [
    Case("pad/replicate_wide", lambda L, x: L.nn.functional.pad(x, (7, 9), "replicate"), (normal(2, 3),)),
    Case("pad/replicate_what_was_cut", lambda L, x: L.nn.functional.pad(x, (-2, 3), "replicate"), (normal(2, 1),)),
    Case("pad/circular_bools", lambda L, x: L.nn.functional.pad(x, (2, 1), "circular"), (bools(2, 4),), grad=False),
    Case("pad/circular_whole", lambda L, x: L.nn.functional.pad(x, (3, 3), "circular"), (normal(2, 3),)),
    Case("pad/reflect_one_value", lambda L, x: L.nn.functional.pad(x, (0, 0), "reflect"), (normal(2, 1),)),
]

# ---- pooling

POOLS = {
    "plain": (2, {}),
    "pair": ((2, 3), {}),
    "stride": (3, {"stride": 1}),
    "stride_pair": (2, {"stride": (2, 1)}),
    "padding": (3, {"padding": 1}),
    "padding_stride": (3, {"stride": 2, "padding": 1}),
    "padding_pair": ((3, 2), {"padding": (1, 0)}),
    "one": (1, {}),
    "gaps": (1, {"stride": 2}),
    "stride_none": (2, {"stride": None}),
    "tuple_of_one": ((2,), {"stride": [2], "padding": (1,)}),
    "ceil": (2, {"ceil_mode": True}),
    "ceil_padding": (3, {"stride": 2, "padding": 1, "ceil_mode": True}),
    "ceil_beyond": (3, {"stride": 3, "padding": 1, "ceil_mode": True}),
    "ceil_gaps": (2, {"stride": 4, "ceil_mode": True}),
    "ceil_large": (7, {"stride": 7, "ceil_mode": True}),
    "ceil_pair": ((2, 3), {"stride": (3, 2), "padding": (1, 0), "ceil_mode": True}),
    "everything": ((3, 4), {"stride": (2, 3), "padding": (1, 2), "ceil_mode": True}),
}
for name, (kernel, how) in POOLS.items():
    for shape, batch in (((2, 3, 6, 7), ""), ((3, 6, 7), "_unbatched"), ((0, 3, 6, 7), "_empty")):
        CASES += [
            Case(
                f"max_pool2d/{name}{batch}",
                lambda L, x, k=kernel, how=how: L.nn.functional.max_pool2d(x, k, **how),
                (normal(*shape),),
            ),
            Case(
                f"avg_pool2d/{name}{batch}",
                lambda L, x, k=kernel, how=how: L.nn.functional.avg_pool2d(x, k, **how),
                (normal(*shape),),
            ),
        ]
CASES += [
    Case("max_pool2d/dilation", lambda L, x: L.nn.functional.max_pool2d(x, 2, 1, 0, 2), (normal(2, 3, 6, 7),)),
    Case("max_pool2d/dilation_padding", lambda L, x: L.nn.functional.max_pool2d(x, 3, 2, 1, 2), (normal(2, 3, 6, 7),)),
    Case(
        "max_pool2d/ties", lambda L, x: L.nn.functional.max_pool2d(x, 2), (values([[[[1.0] * 4] * 4]]),), smooth=False
    ),
    Case(
        "max_pool2d/overlapping_ties",
        lambda L, x: L.nn.functional.max_pool2d(x, 3, 1, 1),
        (values([[[[2.0] * 4] * 4]]),),
        smooth=False,
    ),
    Case(
        "max_pool2d/dilation_ceil",
        lambda L, x: L.nn.functional.max_pool2d(x, (2, 3), (3, 2), (1, 1), (2, 2), True),
        (normal(2, 3, 8, 9),),
    ),
    Case(
        "max_pool2d/indices", lambda L, x: L.nn.functional.max_pool2d(x, 2, return_indices=True), (normal(2, 3, 6, 7),)
    ),
    Case(
        "max_pool2d/indices_all",
        lambda L, x: L.nn.functional.max_pool2d(x, (3, 2), (2, 3), (1, 1), (2, 1), True, True),
        (normal(2, 3, 9, 8),),
    ),
    Case(
        "max_pool2d/indices_unbatched",
        lambda L, x: L.nn.functional.max_pool2d(x, 3, 2, 1, return_indices=True),
        (normal(3, 6, 7),),
    ),
    Case(
        "max_pool2d/ties_padded",
        lambda L, x: L.nn.functional.max_pool2d(x, 3, 2, 1, return_indices=True),
        (values([[[[-1.0, 0.0, 0.0, -1.0], [0.0, 0.0, -1.0, -1.0], [2.0, 2.0, 2.0, 2.0], [2.0, 1.0, 2.0, 3.0]]]]),),
        smooth=False,
    ),
    Case(
        "max_pool2d/nan",
        lambda L, x: L.nn.functional.max_pool2d(x, 2, return_indices=True),
        (
            values(
                [
                    [
                        [1.0, np.nan, 2, 2],
                        [np.nan, 0, 2, 2],
                        [-np.inf, -np.inf, 3, np.nan],
                        [-np.inf, -np.inf, np.nan, np.nan],
                    ]
                ]
            ),
        ),
        smooth=False,
    ),
    Case(
        "max_pool2d/minus_infinity_padded",
        lambda L, x: L.nn.functional.max_pool2d(x, 3, 2, 1, return_indices=True),
        (values([[[-np.inf] * 5] * 4]),),
        smooth=False,
    ),
    Case(
        "max_pool2d/minus_infinity_ceil",
        lambda L, x: L.nn.functional.max_pool2d(x, 3, 2, 1, 1, True, True),
        (values([[[-np.inf, 1.0, -np.inf, -np.inf]] * 4]),),
        smooth=False,
    ),
    Case("max_pool2d/integers", lambda L, x: L.nn.functional.max_pool2d(x, 2), (integers(1, 2, 4, 6),), grad=False),
    Case(
        "max_pool2d/integers_padded",
        lambda L, x: L.nn.functional.max_pool2d(x - 20, 3, 2, 1, return_indices=True),
        (integers(1, 2, 4, 6),),
        grad=False,
    ),
    Case("avg_pool2d/integers", lambda L, x: L.nn.functional.avg_pool2d(x - 5, 2), (integers(1, 2, 4, 6),), grad=False),
    *rows(
        "avg_pool2d",
        {
            "divisor": lambda L, x: L.nn.functional.avg_pool2d(x, 2, divisor_override=3),
            "divisor_negative": lambda L, x: L.nn.functional.avg_pool2d(x, 3, 2, 1, divisor_override=-2),
            "divisor_ceil": lambda L, x: L.nn.functional.avg_pool2d(x, 3, 2, 1, True, False, 5),
            "ceil_without_padding": lambda L, x: L.nn.functional.avg_pool2d(x, 3, 3, 1, True, False),
            "ceil_without_padding_beyond": lambda L, x: L.nn.functional.avg_pool2d(
                x, (2, 3), (3, 2), (1, 1), True, False
            ),
        },
        normal(2, 3, 6, 7),
    ),
    Case("max_pool2d/negative", lambda L, x: L.nn.functional.max_pool2d(x - 10, 3, 2, 1), (normal(1, 2, 5, 5),)),
    Case(
        "avg_pool2d/without_padding",
        lambda L, x: L.nn.functional.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
        (normal(2, 3, 6, 7),),
    ),
]
for name, shape, size in (
    ("one", (2, 3, 6, 7), 1),
    ("divides", (2, 3, 6, 8), (3, 4)),
    ("overlaps", (2, 3, 5, 7), (3, 4)),
    ("enlarges", (1, 2, 2, 3), (5, 4)),
    ("none", (2, 3, 5, 7), (None, 2)),
    ("same", (1, 2, 3, 3), 3),
    ("unbatched", (3, 5, 7), 2),
    ("empty", (0, 3, 5, 7), 2),
):
    CASES += [
        Case(
            f"adaptive_avg_pool2d/{name}",
            lambda L, x, s=size: L.nn.functional.adaptive_avg_pool2d(x, s),
            (normal(*shape),),
        ),
        Case(
            f"adaptive_max_pool2d/{name}",
            lambda L, x, s=size: L.nn.functional.adaptive_max_pool2d(x, s, return_indices=True),
            (distinct(*shape),),
        ),
    ]
CASES += [
    Case(
        "adaptive_avg_pool2d/list",
        lambda L, x: L.nn.functional.adaptive_avg_pool2d(x, [None, None]),
        (normal(2, 3, 4, 5),),
    ),
    Case(
        "adaptive_avg_pool2d/nothing",
        lambda L, x: L.nn.functional.adaptive_avg_pool2d(x, (0, 2)),
        (normal(2, 3, 4, 5),),
        grad=False,
    ),
    Case(
        "adaptive_avg_pool2d/no_channels",
        lambda L, x: L.nn.functional.adaptive_avg_pool2d(x, 2),
        (normal(2, 0, 4, 5),),
        grad=False,
    ),
    Case("adaptive_max_pool2d/values", lambda L, x: L.nn.functional.adaptive_max_pool2d(x, 2), (distinct(2, 3, 4, 5),)),
    Case(
        "adaptive_max_pool2d/ties",
        lambda L, x: L.nn.functional.adaptive_max_pool2d(x, (2, 3), True),
        (values([[[1.0] * 5] * 5]),),
        smooth=False,
    ),
    Case(
        "adaptive_max_pool2d/nan",
        lambda L, x: L.nn.functional.adaptive_max_pool2d(x, 2, True),
        (values([[[1.0, np.nan, 0.0], [np.nan, 2.0, -np.inf], [-np.inf, 3.0, 1.0]]]),),
        smooth=False,
    ),
]

# ---- batch norm (test_batchnorm.py has the rest: state, modes, properties)

for name, shape in {
    "2d": (8, 3),
    "3d": (4, 3, 5),
    "4d": (4, 3, 2, 3),
    "5d": (2, 3, 2, 2, 2),
    "one_image": (1, 3, 2, 3),
    "one_channel": (6, 1),
    "two_values": (2, 3),
}.items():
    statistics = (normal(shape[1]), uniform(shape[1]))
    affine = (normal(shape[1]), normal(shape[1]))
    for eps in (1e-5, 0.5):
        if name == "two_values" and eps != 0.5:
            continue  # they normalise to +-1 whatever they are: dx is what rounding leaves of 0
        how = "" if eps == 1e-5 else "_large_eps"
        CASES += [
            Case(
                f"batch_norm/{name}_train{how}",
                lambda L, x, g, b, e=eps: L.nn.functional.batch_norm(x, None, None, g, b, True, eps=e),
                (normal(*shape, mean=1.5, std=2.0), *affine),
                condition=10,
            ),
            Case(
                f"batch_norm/{name}_eval{how}",
                lambda L, x, g, b, m, v, e=eps: L.nn.functional.batch_norm(x, m, v, g, b, False, eps=e),
                (normal(*shape, mean=1.5, std=2.0), *affine, *statistics),
                no_grad_for=(3, 4),
            ),
        ]
    CASES += [
        Case(
            f"batch_norm/{name}_plain_train",
            lambda L, x: L.nn.functional.batch_norm(x, None, None, training=True, eps=0.1),
            (normal(*shape),),
            condition=10,
        ),
        Case(
            f"batch_norm/{name}_plain_eval",
            lambda L, x, m, v: L.nn.functional.batch_norm(x, m, v),
            (normal(*shape), *statistics),
            no_grad_for=(1, 2),
        ),
    ]
CASES += [
    Case(
        "batch_norm/only_gamma",
        lambda L, x, g: L.nn.functional.batch_norm(x, None, None, g, training=True),
        (normal(6, 3), normal(3)),
        condition=10,
    ),
    Case(
        "batch_norm/only_beta",
        lambda L, x, b: L.nn.functional.batch_norm(x, None, None, bias=b, training=True),
        (normal(6, 3), normal(3)),
        condition=10,
    ),
]
