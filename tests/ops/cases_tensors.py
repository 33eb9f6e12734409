"""Rows for ops/trigonometry.py, rounding.py, clamp.py, division.py, blending.py, cumulative.py, norm.py, extremes.py,
joining.py, rearrange.py, scatter.py, promotion.py and the products beside matmul in ops/linear.py."""

import numpy as np

from .table import Case, bools, distinct, integers, normal, rows, uniform, values

# ---- functions of one element

SMOOTH = {
    "tan": uniform(2, 3, low=-1.0, high=1.0), "asin": uniform(2, 3, low=-0.9, high=0.9),
    "acos": uniform(2, 3, low=-0.9, high=0.9), "atan": normal(2, 3), "sinh": normal(2, 3), "cosh": normal(2, 3),
    "exp2": normal(2, 3), "expm1": normal(2, 3), "log1p": uniform(2, 3), "reciprocal": uniform(2, 3),
}  # fmt: skip
STEPS = ("floor", "ceil", "round", "trunc", "sign", "frac")

CASES = []
for op, make in SMOOTH.items():
    CASES += [
        Case(f"{op}/function", lambda L, x, o=op: getattr(L, o)(x), (make,)),
        Case(f"{op}/method", lambda L, x, o=op: getattr(x, o)(), (make,)),
        Case(f"{op}/zero_dim", lambda L, x, o=op: getattr(x, o)(), (uniform(low=0.1, high=0.9),)),
        Case(f"{op}/empty", lambda L, x, o=op: getattr(x, o)(), (uniform(0, 3),)),
        Case(f"{op}/integers", lambda L, x, o=op: getattr(x, o)(), (integers(4, low=1, high=2),), grad=False),
    ]
for op in STEPS:
    CASES += [
        Case(f"{op}/function", lambda L, x, o=op: getattr(L, o)(x), (normal(2, 3, std=3),)),
        Case(f"{op}/zero_dim", lambda L, x, o=op: getattr(x, o)(), (normal(),)),
        Case(f"{op}/empty", lambda L, x, o=op: getattr(x, o)(), (normal(0, 3),)),
        Case(f"{op}/halves", lambda L, x, o=op: getattr(x, o)(), (values([-1.5, -0.5, 0.5, 1.5, 2.5]),), smooth=False),
    ]
    if op not in ("frac", "sign"):
        CASES += [Case(f"{op}/integers", lambda L, x, o=op: getattr(x, o)(), (integers(4, low=-3),), grad=False)]
CASES += [
    Case("square/function", lambda L, x: L.square(x), (normal(2, 3),)),
    Case("round/decimals", lambda L, x: x.round(decimals=1), (normal(5),)),
    Case("atan2/same", lambda L, y, x: L.atan2(y, x), (normal(2, 3), normal(2, 3))),
    Case("atan2/broadcast", lambda L, y, x: y.atan2(x), (normal(2, 1), normal(3))),
    Case("atan2/integers", lambda L, y, x: L.atan2(y, x), (integers(4, low=-3), integers(4, low=1)), grad=False),
    Case("logical_not/floats", lambda L, x: L.logical_not(x), (values([0.0, 2.0]),), grad=False),
    Case("pos/operator", lambda L, x: (+x) * 2, (normal(3),)),
]
for op in ("logical_and", "logical_or", "logical_xor"):
    CASES += [
        Case(f"{op}/bools", lambda L, a, b, o=op: getattr(L, o)(a, b), (bools(3, 4), bools(4)), grad=False),
        Case(f"{op}/integers", lambda L, a, b, o=op: getattr(a, o)(b), (integers(4, high=2), bools(4)), grad=False),
    ]

# ---- bounds, division, blending

CASES += rows(
    "clamp",
    {
        "tensors": lambda L, x, a, b: x.clamp(a, b),
        "tensor_min": lambda L, x, a, b: x.clamp(min=a) * b,
        "tensor_max": lambda L, x, a, b: x.clamp(max=b) + a,
    },
    normal(3, 4),
    normal(4),
    normal(3, 1),
)
CASES += [
    Case("clamp_min/number", lambda L, x: L.clamp_min(x, 0.1), (normal(3, 4),)),
    Case("clamp_min/tensor", lambda L, x, a: x.clamp_min(a), (normal(3, 4), normal(4))),
    Case("clamp_max/number", lambda L, x: x.clamp_max(0.1), (normal(3, 4),)),
    Case("clamp_max/tensor", lambda L, x, a: L.clamp_max(x, a), (normal(3, 4), normal(3, 1))),
]
for op in ("remainder", "fmod"):
    CASES += [
        Case(f"{op}/gradient", lambda L, a, b, o=op: getattr(L, o)(a, b), (normal(3, 4, std=4), uniform(4))),
        Case(f"{op}/gradient_number", lambda L, a, o=op: getattr(a, o)(0.7), (normal(6, std=4),)),
        Case(f"{op}/gradient_column", lambda L, a, b, o=op: getattr(L, o)(a, b), (normal(3, 4, std=4), uniform(3, 1))),
        Case(
            f"{op}/whole",
            lambda L, a, b, o=op: getattr(L, o)(a, b),
            (integers(9, low=-9), integers(9, low=1)),
            grad=False,
        ),
    ]
for mode in ("floor", "trunc"):
    CASES += [
        Case(
            f"div/{mode}_gradient",
            lambda L, a, b, m=mode: L.div(a, b, rounding_mode=m) + a * b,
            (normal(3, 4, std=3), uniform(4)),
        )
    ]
CASES += [
    Case("lerp/number", lambda L, a, b: L.lerp(a, b, 0.3), (normal(2, 3), normal(3))),
    Case("lerp/tensor", lambda L, a, b, w: a.lerp(b, w), (normal(2, 3), normal(3), normal(2, 1))),
    Case("addcmul/value", lambda L, a, b, c: L.addcmul(a, b, c, value=0.5), (normal(2, 3), normal(3), normal(2, 1))),
    Case("addcdiv/value", lambda L, a, b, c: a.addcdiv(b, c, value=-2), (normal(2, 3), normal(3), uniform(2, 1))),
    Case("masked_fill/tensor_gradient", lambda L, x, m, v: x.masked_fill(m, v), (normal(3, 4), bools(4), normal())),
]

# ---- running and whole products, norms, extremes

for op in ("cumprod", "prod", "cumsum"):
    CASES += rows(
        op,
        {
            "product_first": lambda L, x, o=op: getattr(x, o)(0),
            "product_last": lambda L, x, o=op: getattr(L, o)(x, -1),
            "product_middle": lambda L, x, o=op: getattr(x, o)(dim=1),
        },
        uniform(2, 3, 4),
    )
    CASES += [
        Case(f"{op}/product_zero", lambda L, x, o=op: getattr(x, o)(0), (values([2.0, 0.0, 3.0, 0.5]),)),
        Case(f"{op}/product_zeros", lambda L, x, o=op: getattr(x, o)(0), (values([2.0, 0.0, 3.0, 0.0, 4.0]),)),
        Case(f"{op}/product_empty", lambda L, x, o=op: getattr(x, o)(0), (uniform(0, 3),)),
        Case(f"{op}/product_empty_rows", lambda L, x, o=op: getattr(x, o)(1), (uniform(2, 0),)),
        Case(f"{op}/product_zero_dim", lambda L, x, o=op: getattr(x, o)(0), (uniform(),)),
        Case(f"{op}/product_integers", lambda L, x, o=op: getattr(x, o)(0), (integers(3, 2, high=4),), grad=False),
    ]
CASES += [
    Case("prod/all", lambda L, x: x.prod(), (uniform(2, 3),)),
    Case("prod/all_zero", lambda L, x: L.prod(x), (values([[2.0, 0.0], [3.0, 4.0]]),)),
    Case("prod/all_empty", lambda L, x: x.prod(), (uniform(0),)),
    Case("prod/keepdim", lambda L, x: x.prod(1, keepdim=True), (uniform(2, 3),)),
    Case("count_nonzero/all", lambda L, x: L.count_nonzero(x), (integers(3, 4, high=2),), grad=False),
    Case("count_nonzero/dim", lambda L, x: x.count_nonzero(1), (integers(3, 4, high=2),), grad=False),
    Case("median/all", lambda L, x: x.median(), (distinct(3, 4),)),
    Case("median/dim", lambda L, x: L.median(x, 1).values, (distinct(3, 4),)),
    Case("median/dim_keepdim", lambda L, x: x.median(0, keepdim=True)[0], (distinct(3, 5),)),
    Case("median/indices", lambda L, x: x.median(1)[1], (distinct(3, 5),), grad=False),
    Case("median/ties", lambda L, x: x.median(), (values([1.0, 2.0, 2.0, 3.0]),), smooth=False),
    Case("median/nan", lambda L, x: x.median(), (values([1.0, np.nan, 2.0]),), smooth=False),
    Case("var_mean/dim", lambda L, x: L.var_mean(x, 1), (normal(3, 4),)),
    Case("std_mean/dim", lambda L, x: L.std_mean(x, (0, 1), correction=0), (normal(3, 4),)),
]
for name, p in {"one": 1, "two": 2, "three": 3, "half": 0.5, "inf": np.inf, "minus_inf": -np.inf, "zero": 0}.items():
    inputs = (distinct(3, 4),) if p in (np.inf, -np.inf) else (uniform(3, 4, low=0.2),)
    CASES += rows(
        "norm",
        {
            f"p_{name}": lambda L, x, p=p: x.norm(p),
            f"p_{name}_dim": lambda L, x, p=p: x.norm(p, 1),
            f"p_{name}_keepdim": lambda L, x, p=p: L.norm(x, p, 0, keepdim=True),
        },
        *inputs,
        smooth=p != 0,
    )
    if p != 0:  # PyTorch gives no gradient then, and neither do we
        continue
    CASES[-3:] = [Case(case.name, case.function, case.inputs, grad=False) for case in CASES[-3:]]
CASES += [
    Case("norm/p_zero_and_more", lambda L, x: x.norm(0) + x.sum(), (uniform(3, 4),), smooth=False),
    Case("norm/signs", lambda L, x: x.norm(1) + x.norm(3, 0).sum() + x.norm(np.inf), (distinct(3, 4),)),
]

# ---- joining, cutting, moves that copy

X = normal(3, 4)
for op, table in {
    "chunk": {
        "two": lambda L, x: x.chunk(2, 1), "uneven": lambda L, x: L.chunk(x, 2), "first": lambda L, x: x.chunk(2)[0],
    },
    "narrow": {"rows": lambda L, x: x.narrow(0, 1, 2), "columns": lambda L, x: L.narrow(x, 1, -2, 2)},
    "unflatten": {"last": lambda L, x: x.unflatten(1, (2, 2)), "unknown": lambda L, x: L.unflatten(x, -1, (-1, 2))},
    "movedim": {"one": lambda L, x: x.movedim(0, 1), "two": lambda L, x: L.movedim(x, (0, 1), (1, 0))},
    "all_transposed": {"T": lambda L, x: x.T},
    "matrix_transposed": {"mT": lambda L, x: x.mT},
    "repeat": {
        "counts": lambda L, x: x.repeat(2, 3), "front": lambda L, x: x.repeat(2, 1, 2),
        "none": lambda L, x: x.repeat(0, 1),
    },
    "tile": {"last": lambda L, x: x.tile(2), "more": lambda L, x: L.tile(x, (2, 1, 2))},
    "repeat_interleave": {
        "dim": lambda L, x: x.repeat_interleave(2, 0), "all": lambda L, x: L.repeat_interleave(x, 3),
        "counts": lambda L, x: x.repeat_interleave(L.tensor([0, 2, 1]), dim=0),
    },
    "roll": {
        "all": lambda L, x: x.roll(3), "dim": lambda L, x: x.roll(-1, 1),
        "dims": lambda L, x: L.roll(x, (1, 2), (0, 1)),
    },
    "flip": {"dim": lambda L, x: x.flip(0), "dims": lambda L, x: L.flip(x, (0, 1))},
    "tril": {"main": lambda L, x: x.tril(), "above": lambda L, x: L.tril(x, 1), "below": lambda L, x: x.tril(-1)},
    "triu": {"main": lambda L, x: x.triu(), "above": lambda L, x: L.triu(x, 1), "below": lambda L, x: x.triu(-1)},
    "diagonal": {
        "main": lambda L, x: x.diagonal(), "above": lambda L, x: x.diagonal(1), "below": lambda L, x: L.diagonal(x, -1),
        "dims": lambda L, x: x.diagonal(0, 1, 0),
    },
    "diag": {
        "matrix": lambda L, x: x.diag(1), "vector": lambda L, x: L.diag(x[0]), "below": lambda L, x: x[0].diag(-2),
    },
    "trace": {"square": lambda L, x: x[:, :3].trace(), "wide": lambda L, x: L.trace(x)},
}.items():  # fmt: skip
    CASES += rows(op, table, X)
CASES += [
    Case("diagonal/batch", lambda L, x: x.diagonal(1, 1, 2), (normal(2, 3, 4),)),
    Case("repeat/zero_dim", lambda L, x: x.repeat(3), (normal(),)),
    Case("argsort/dim", lambda L, x: x.argsort(1), (distinct(3, 4),), grad=False),
    Case("sort/stable", lambda L, x: L.sort(x, stable=True)[0], (distinct(3, 4),)),
]

# ---- positions

CASES += rows(
    "scatter",
    {
        "rows": lambda L, x, s: x.scatter(0, L.tensor([[2, 0, 1, 0]]), s[:1]),
        "columns": lambda L, x, s: L.scatter(x, 1, L.tensor([[3, 0], [1, 2], [0, 1]]), s[:, :2]),
    },
    X,
    normal(3, 4),
)
CASES += rows(
    "scatter_add",
    {
        "repeated": lambda L, x, s: x.scatter_add(1, L.tensor([[1, 1], [0, 0], [3, 3]]), s[:, :2]),
        "rows": lambda L, x, s: L.scatter_add(x, 0, L.tensor([[2, 0, 1, 0]]), s[:1]),
    },
    X,
    normal(3, 4),
)
CASES += rows(
    "index_add",
    {
        "repeated": lambda L, x, s: x.index_add(0, L.tensor([1, 1, 0]), s),
        "alpha": lambda L, x, s: L.index_add(x, 1, L.tensor([3, 0]), s[:, :2], alpha=-2),
    },
    X,
    normal(3, 4),
)
CASES += [
    Case("scatter/number", lambda L, x: x.scatter(1, L.tensor([[0, 2]]), 5.0), (X,)),
    Case("index_fill/rows", lambda L, x: x.index_fill(0, L.tensor([2, 0]), 5.0), (X,)),
    Case("index_fill/columns", lambda L, x: L.index_fill(x, 1, L.tensor([3]), -1), (X,)),
    Case("masked_select/matrix", lambda L, x, m: L.masked_select(x, m), (X, bools(3, 4))),
    Case("masked_select/row", lambda L, x, m: x.masked_select(m), (X, bools(4))),
    Case("take_along_dim/columns", lambda L, x, i: x.take_along_dim(i, 1), (X, integers(3, 2, high=4))),
    Case("take_along_dim/broadcast", lambda L, x, i: L.take_along_dim(x, i, 1), (X, integers(1, 2, high=4))),
    Case("take_along_dim/flat", lambda L, x, i: L.take_along_dim(x, i), (X, integers(5, high=12))),
    Case("nonzero/matrix", lambda L, x: L.nonzero(x), (integers(3, 4, high=2),), grad=False),
    Case("nonzero/as_tuple", lambda L, x: L.nonzero(x, as_tuple=True), (integers(3, 4, high=2),), grad=False),
    Case("isin/tensors", lambda L, a, b: L.isin(a, b), (integers(3, 4), integers(3)), grad=False),
    Case("index_select/repeated", lambda L, x, i: x.index_select(1, i), (X, values([0, 3, 3, 0]))),
]

# ---- products

CASES += [
    Case("mv/matrix_vector", lambda L, a, b: L.mv(a, b), (X, normal(4))),
    Case("dot/vectors", lambda L, a, b: a.dot(b), (normal(4), normal(4))),
    Case("outer/vectors", lambda L, a, b: L.outer(a, b), (normal(3), normal(4))),
    Case("addmm/matrix", lambda L, c, a, b: L.addmm(c, a, b), (normal(3, 5), X, normal(4, 5))),
    Case("addmm/scaled", lambda L, c, a, b: L.addmm(c, a, b, beta=0.5, alpha=-2), (normal(5), X, normal(4, 5))),
    Case("bmm/two_batches", lambda L, a, b: a.bmm(b), (normal(2, 3, 4), normal(2, 4, 5))),
]

# ---- the ~ operator

CASES += [
    Case("invert/bools", lambda L, x: ~x, (bools(3, 4),), grad=False),
    Case("invert/integers", lambda L, x: ~x, (integers(5),), grad=False),
    Case("invert/uint8", lambda L, x: ~x, (integers(5, dtype="uint8"),), grad=False),
]
