"""Rows for ops/reduction.py, ops/axes.py, ops/ordering.py and `norm`: one dim, several, none; ties, empty."""

import numpy as np

from .table import Case, bools, distinct, integers, normal, rows, uniform, values

CASES = []

WAYS = {
    "all": lambda o: lambda L, x: getattr(L, o)(x),
    "method": lambda o: lambda L, x: getattr(x, o)(),
    "first": lambda o: lambda L, x: getattr(L, o)(x, 0),
    "last": lambda o: lambda L, x: getattr(x, o)(dim=-1),
    "middle_kept": lambda o: lambda L, x: getattr(x, o)(1, keepdim=True),
    "positional_kept": lambda o: lambda L, x: getattr(L, o)(x, 1, keepdim=True),
    "several": lambda o: lambda L, x: getattr(x, o)((0, 2)),
    "several_list": lambda o: lambda L, x: getattr(x, o)([0, -1]),
    "several_kept": lambda o: lambda L, x: getattr(x, o)(dim=(-1, 0), keepdim=True),
    "every": lambda o: lambda L, x: getattr(x, o)((0, 1, 2)),
}

for op in ("sum", "mean", "var", "std", "amax", "amin"):
    make = distinct if op in ("amax", "amin") else normal
    CASES += rows(op, {name: way(op) for name, way in WAYS.items()}, make(2, 3, 4), condition=4)
    CASES += [
        # no dims are all dims; PyTorch 2.13's gradient of var and std is nan then
        Case(f"{op}/nothing", lambda L, x, o=op: getattr(x, o)(()), (make(2, 3),), grad=op not in ("var", "std")),
        Case(f"{op}/vector", lambda L, x, o=op: getattr(x, o)(0), (make(5),)),
        Case(f"{op}/one_element_axis", lambda L, x, o=op: getattr(x, o)(0), (make(4, 1),)),
        Case(f"{op}/empty_kept_axis", lambda L, x, o=op: getattr(x, o)(1), (make(0, 3),)),
    ]
    if op not in ("var", "std"):
        CASES += [
            Case(f"{op}/zero_dim", lambda L, x, o=op: getattr(x, o)(), (normal(),)),
            Case(f"{op}/zero_dim_0", lambda L, x, o=op: getattr(x, o)(0), (normal(),)),
        ]

CASES += [
    Case("sum/empty", lambda L, x: x.sum(), (normal(0, 3),)),
    Case("sum/empty_axis", lambda L, x: x.sum(0), (normal(0, 3),)),
    Case("mean/empty", lambda L, x: x.mean(), (normal(0, 3),), smooth=False),
    Case("mean/empty_axis", lambda L, x: x.mean(0), (normal(0, 3),), smooth=False),
    Case("sum/integers", lambda L, x: x.sum(), (integers(3, 4),), grad=False),
    Case("sum/int32", lambda L, x: x.sum(0), (integers(3, 4, dtype="int32"),), grad=False),
    Case("sum/uint8", lambda L, x: x.sum(), (integers(300, low=200, high=255, dtype="uint8"),), grad=False),
    Case("sum/bools", lambda L, x: x.sum(1), (bools(3, 4),), grad=False),
    Case("sum/dtype", lambda L, x: x.sum(dtype=L.float64), (integers(3, 4),), grad=False),
    Case("sum/none", lambda L, x: x.sum(None), (normal(3, 4),)),
    Case("mean/dtype", lambda L, x: x.mean(dtype=L.float64), (integers(3, 4),), grad=False),
    Case("mean/shifted", lambda L, x: x.mean(0), (normal(50, 3, mean=1e4),), smooth=False),
]

for op in ("var", "std"):
    CASES += rows(
        op,
        {
            "unbiased_false": lambda L, x, o=op: getattr(L, o)(x, unbiased=False),
            "unbiased_true": lambda L, x, o=op: getattr(x, o)(unbiased=True),
            "old_signature": lambda L, x, o=op: getattr(x, o)(False),
            "dim_unbiased": lambda L, x, o=op: getattr(x, o)(1, False),
            "dim_unbiased_kept": lambda L, x, o=op: getattr(x, o)(1, False, True),
            "correction_0": lambda L, x, o=op: getattr(x, o)(1, correction=0),
            "correction_1": lambda L, x, o=op: getattr(x, o)(1, correction=1),
            "correction_2": lambda L, x, o=op: getattr(x, o)((0, 2), correction=2, keepdim=True),
            "correction_all": lambda L, x, o=op: getattr(x, o)(correction=0),
        },
        normal(2, 3, 4),
        condition=4,
    )
    # shifted data: two passes lose nothing but the rounding of the data itself; E[x**2] - E[x]**2 would lose everything
    CASES += [Case(f"{op}/shifted", lambda L, x, o=op: getattr(x, o)(0), (normal(40, 3, mean=1e3),), condition=1e3)]
    CASES += [
        Case(f"{op}/biased_one", lambda L, x, o=op: getattr(x, o)(0, correction=0), (normal(1, 3),), smooth=False)
    ]
CASES += [Case("std/constant", lambda L, x: x.std(0), (values([[2.0, 1.0], [2.0, 3.0]]),), smooth=False)]
CASES += [Case("var/constant", lambda L, x: x.var(0), (values([[2.0, 1.0], [2.0, 3.0]]),), smooth=False)]

# ---- extremes

for op in ("max", "min"):
    CASES += rows(
        op,
        {
            "all": lambda L, x, o=op: getattr(L, o)(x),
            "first": lambda L, x, o=op: tuple(getattr(L, o)(x, 0)),
            "last": lambda L, x, o=op: tuple(getattr(x, o)(dim=-1)),
            "kept": lambda L, x, o=op: tuple(getattr(x, o)(1, keepdim=True)),
            "values": lambda L, x, o=op: getattr(x, o)(1).values,
            "indices": lambda L, x, o=op: (getattr(x, o)(1).indices, x * 1),
            "unpacked": lambda L, x, o=op: getattr(x, o)(1)[0],
        },
        distinct(2, 3, 4),
    )
    TIES = values([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0], [0.0, 5.0, 5.0]])
    CASES += [
        Case(f"{op}/other", lambda L, a, b, o=op: getattr(L, o)(a, b), (normal(3, 4), normal(4))),
        Case(f"{op}/ties_all", lambda L, x, o=op: getattr(x, o)(), (TIES,), smooth=False),
        Case(f"{op}/ties", lambda L, x, o=op: tuple(getattr(x, o)(1)), (TIES,), smooth=False),
        Case(f"{op}/zero_dim", lambda L, x, o=op: getattr(x, o)(), (normal(),)),
        Case(f"{op}/zero_dim_0", lambda L, x, o=op: tuple(getattr(x, o)(0)), (normal(),)),
        Case(f"{op}/integers", lambda L, x, o=op: tuple(getattr(x, o)(0)), (integers(3, 4),), grad=False),
        Case(f"{op}/nan", lambda L, x, o=op: getattr(x, o)(), (values([1.0, np.nan, 2.0]),), grad=False),
        Case(f"{op}/nan_dim", lambda L, x, o=op: tuple(getattr(x, o)(0)), (values([1.0, np.nan, 2.0]),), grad=False),
        Case(f"{op}/empty_kept_axis", lambda L, x, o=op: tuple(getattr(x, o)(1)), (normal(0, 3),)),
        Case(f"a{op}/ties", lambda L, x, o=op: getattr(x, f"a{o}")(1), (TIES,), smooth=False),
        Case(f"a{op}/ties_all", lambda L, x, o=op: getattr(x, f"a{o}")(), (TIES,), smooth=False),
        Case(f"a{op}/integers", lambda L, x, o=op: getattr(x, f"a{o}")(0), (integers(3, 4),), grad=False),
    ]
    CASES += rows(
        f"arg{op}",
        {
            "all": lambda L, x, o=op: getattr(L, f"arg{o}")(x),
            "first": lambda L, x, o=op: getattr(L, f"arg{o}")(x, 0),
            "last_kept": lambda L, x, o=op: getattr(x, f"arg{o}")(-1, keepdim=True),
            "all_kept": lambda L, x, o=op: getattr(x, f"arg{o}")(keepdim=True),
            "ties": lambda L, x, o=op: getattr(x * 0, f"arg{o}")(1),
        },
        distinct(2, 3, 4),
        grad=False,
    )
    CASES += [Case(f"arg{op}/zero_dim", lambda L, x, o=op: getattr(x, f"arg{o}")(), (normal(),), grad=False)]
    CASES += [Case(f"arg{op}/nan", lambda L, x, o=op: getattr(x, f"arg{o}")(), (values([1.0, np.nan]),), grad=False)]

CASES += rows(
    "cumsum",
    {
        "first": lambda L, x: L.cumsum(x, 0),
        "last": lambda L, x: x.cumsum(-1),
        "middle": lambda L, x: x.cumsum(dim=1),
    },
    normal(2, 3, 4),
    condition=4,
)
CASES += [
    Case("cumsum/zero_dim", lambda L, x: x.cumsum(0), (normal(),)),
    Case("cumsum/empty", lambda L, x: x.cumsum(0), (normal(0, 3),)),
    Case("cumsum/integers", lambda L, x: x.cumsum(0), (integers(5),), grad=False),
    Case("cumsum/bools", lambda L, x: x.cumsum(0), (bools(5),), grad=False),
]

for op in ("all", "any"):
    CASES += rows(
        op,
        {
            "all": lambda L, x, o=op: getattr(L, o)(x),
            "first": lambda L, x, o=op: getattr(x, o)(0),
            "last_kept": lambda L, x, o=op: getattr(x, o)(-1, keepdim=True),
        },
        bools(2, 3),
        grad=False,
    )
    CASES += [
        Case(f"{op}/integers", lambda L, x, o=op: getattr(x, o)(0), (integers(3, 4, high=2),), grad=False),
        Case(f"{op}/floats", lambda L, x, o=op: getattr(x, o)(), (normal(3),), grad=False),
        Case(f"{op}/empty", lambda L, x, o=op: getattr(x, o)(), (bools(0),), grad=False),
    ]

# ---- norms

CASES += rows(
    "norm",
    {
        "all": lambda L, x: L.norm(x),
        "method": lambda L, x: x.norm(),
        "one": lambda L, x: x.norm(1),
        "three": lambda L, x: x.norm(3),
        "inf": lambda L, x: x.norm(float("inf")),
        "dim": lambda L, x: x.norm(dim=1),
        "dim_kept": lambda L, x: x.norm(2, 0, True),
        "several": lambda L, x: x.norm(2, (0, 1)),
        "fro": lambda L, x: x.norm("fro"),
    },
    normal(3, 4),
)
CASES += [Case("norm/zeros", lambda L, x: x.norm(), (values([0.0, 0.0]),), smooth=False)]

# ---- order

CASES += rows(
    "sort",
    {
        "last": lambda L, x: tuple(L.sort(x)),
        "first": lambda L, x: tuple(x.sort(0)),
        "descending": lambda L, x: tuple(x.sort(descending=True)),
        "values": lambda L, x: x.sort(-1).values,
    },
    distinct(3, 5),
)
CASES += rows(
    "topk",
    {
        "last": lambda L, x: tuple(L.topk(x, 2)),
        "first": lambda L, x: tuple(x.topk(2, 0)),
        "smallest": lambda L, x: tuple(x.topk(2, largest=False)),
        "all": lambda L, x: tuple(x.topk(5)),
    },
    distinct(3, 5),
)
CASES += [
    Case("sort/integers", lambda L, x: x.sort().values, (integers(9),), grad=False),
    Case("sort/bools_descending", lambda L, x: x.sort(descending=True).values, (bools(6),), grad=False),
    Case(
        "sort/uint8_descending", lambda L, x: x.sort(descending=True).values, (integers(6, dtype="uint8"),), grad=False
    ),
    Case("unique/integers", lambda L, x: L.unique(x), (integers(20, high=5),), grad=False),
    Case("unique/counts", lambda L, x: L.unique(x, return_counts=True), (integers(20, high=5),), grad=False),
    Case("unique/floats", lambda L, x: x.unique(), (values([2.0, 1.0, 2.0]),), grad=False),
    Case("bincount/integers", lambda L, x: L.bincount(x), (integers(20, high=5),), grad=False),
    Case("bincount/minlength", lambda L, x: L.bincount(x, minlength=9), (integers(20, high=5),), grad=False),
    Case("histogram/bins", lambda L, x: tuple(L.histogram(x, 7)), (normal(100),), grad=False),
    Case("histogram/range", lambda L, x: tuple(L.histogram(x, 5, range=(-1.0, 1.0))), (normal(100),), grad=False),
    Case("histogram/density", lambda L, x: tuple(L.histogram(x, 5, density=True)), (uniform(100),), grad=False),
]
