"""Rows for ops/arithmetic.py, ops/comparison.py, ops/cast.py: broadcasting and numbers on both sides, 0-dim."""

import operator

import numpy as np

from .table import Case, bools, distinct, integers, normal, rows, uniform, values

SHAPES = {
    "same": ((2, 3), (2, 3)),
    "row": ((2, 3), (3,)),
    "row_left": ((3,), (2, 3)),
    "column_row": ((2, 1), (1, 3)),
    "zero_dim_right": ((2, 3), ()),
    "zero_dim_left": ((), (2, 3)),
    "zero_dim_both": ((), ()),
    "middle": ((4, 1, 3), (2, 1)),
    "one": ((1,), (2, 3)),
    "empty": ((0, 3), (3,)),
    "empty_stretched": ((2, 0), (1, 1)),
}

CASES = []

for op, function, make in (
    ("add", lambda L, a, b: a + b, normal),
    ("sub", lambda L, a, b: a - b, normal),
    ("mul", lambda L, a, b: a * b, normal),
    ("div", lambda L, a, b: a / b, uniform),
    ("pow", lambda L, a, b: a**b, uniform),
    ("maximum", lambda L, a, b: L.maximum(a, b), normal),
    ("minimum", lambda L, a, b: L.minimum(a, b), normal),
):
    CASES += [Case(f"{op}/{name}", function, (make(*a), make(*b))) for name, (a, b) in SHAPES.items()]

CASES += [
    Case(f"where/{name}", lambda L, a, b: L.where((a + b) * 0 < (a + b).detach(), a, b), (normal(*a), normal(*b)))
    for name, (a, b) in SHAPES.items()
]

CASES += rows(
    "where",
    {
        "condition": lambda L, c, x: L.where(c, x, -x),
        "condition_broadcast": lambda L, c, x: L.where(c[:, :1], x, x * 2),
        "number_right": lambda L, c, x: L.where(c, x, 0.5),
        "number_left": lambda L, c, x: L.where(c, 2, x),
        "numbers": lambda L, c, x: L.where(c, 1.5, 2) * x,
        "zero_dim": lambda L, c, x: L.where(c, x, x.sum()),
        "method": lambda L, c, x: x.where(c, x * 3),
    },
    bools(3, 4),
    normal(3, 4),
)

NUMBERS = {"int": 2, "float": 2.5, "negative": -3, "numpy": np.float64(1.5), "bool": True}

for name, number in NUMBERS.items():
    CASES += [
        Case(f"add/{name}_right", lambda L, x, n=number: x + n, (normal(2, 3),)),
        Case(f"add/{name}_left", lambda L, x, n=number: n + x, (normal(2, 3),)),
        Case(f"mul/{name}_right", lambda L, x, n=number: x * n, (normal(2, 3),)),
        Case(f"mul/{name}_left", lambda L, x, n=number: n * x, (normal(2, 3),)),
        Case(f"div/{name}_right", lambda L, x, n=number: x / n, (normal(2, 3),)),
        Case(f"div/{name}_left", lambda L, x, n=number: n / x, (uniform(2, 3),)),
    ]
    if name != "bool":  # PyTorch refuses subtraction of bools
        CASES += [
            Case(f"sub/{name}_right", lambda L, x, n=number: x - n, (normal(2, 3),)),
            Case(f"sub/{name}_left", lambda L, x, n=number: n - x, (normal(2, 3),)),
            Case(f"pow/{name}_right", lambda L, x, n=number: x**n, (uniform(2, 3),)),
        ]
    if name in ("int", "float", "numpy"):
        CASES += [Case(f"pow/{name}_left", lambda L, x, n=number: n**x, (normal(2, 3),))]

CASES += rows(
    "pow",
    {
        "zero": lambda L, x: x**0,
        "one_number": lambda L, x: x**1,
        "two": lambda L, x: x**2,
        "three": lambda L, x: L.pow(x, 3),
        "method": lambda L, x: x.pow(2),
    },
    values([-1.5, -0.5, 0.0, 0.5, 2.0]),
)
CASES += [
    Case("pow/half", lambda L, x: x**0.5, (uniform(5),)),
    Case("pow/minus_one", lambda L, x: x**-1, (uniform(5),)),
    Case("pow/zero_base", lambda L, a, b: a**b, (values([0.0, 0.0, 2.0]), values([0.0, 2.0, 0.0])), smooth=False),
    Case("pow/base_zero_number", lambda L, b: 0**b, (values([0.5, 2.0]),), smooth=False),
    Case("pow/integers", lambda L, a: a**3, (integers(4),), grad=False),
    Case("pow/integers_both", lambda L, a, b: a**b, (integers(4), integers(4, high=4)), grad=False),
    Case("pow/integers_float", lambda L, a: a**0.5, (integers(4),), grad=False),
    Case("pow/number_integers", lambda L, a: 2**a, (integers(4),), grad=False),
    Case("add/alpha", lambda L, a, b: L.add(a, b, alpha=3), (normal(2, 3), normal(3))),
    Case("sub/alpha", lambda L, a, b: L.sub(a, b, alpha=-0.5), (normal(2, 3), normal(3))),
    Case("add/itself", lambda L, x: x + x, (normal(2, 3),)),
    Case("sub/itself", lambda L, x: x - x, (normal(2, 3),)),
    Case("mul/itself", lambda L, x: x * x, (normal(2, 3),)),
    Case("div/both_sides", lambda L, x: (x + 1) / x, (uniform(2, 3),)),
    Case("mul/integers", lambda L, a, b: a * b, (integers(3), normal(3))),
    Case("add/integers", lambda L, a, b: a + b, (normal(2, 3), integers(3))),
    Case("div/integers", lambda L, a, b: a / b, (integers(4), integers(4, low=1)), grad=False),
    Case("div/by_integers", lambda L, a, b: a / b, (normal(4), integers(4, low=1))),
    Case("div/by_zero", lambda L, a, b: a / b, (values([1.0, -1.0, 0.0]), values([0.0, 0.0, 0.0])), grad=False),
    Case("div/floor", lambda L, a, b: L.div(a, b, rounding_mode="floor"), (normal(6), uniform(6)), grad=False),
    Case("div/trunc", lambda L, a, b: L.div(a, b, rounding_mode="trunc"), (normal(6, std=3), uniform(6)), grad=False),
    Case(
        "div/trunc_integers",
        lambda L, a, b: L.div(a, b, rounding_mode="trunc"),
        (integers(9, low=-9), integers(9, low=1)),
        grad=False,
    ),
    Case("neg/tensor", lambda L, x: -x, (normal(2, 3),)),
    Case("neg/function", lambda L, x: L.neg(x), (normal(),)),
    Case("neg/integers", lambda L, x: -x, (integers(3),), grad=False),
    Case("neg/empty", lambda L, x: -x, (normal(0, 2),)),
    Case(
        "maximum/ties",
        lambda L, a, b: L.maximum(a, b),
        (values([1.0, 2.0, 3.0]), values([1.0, 3.0, 2.0])),
        smooth=False,
    ),
    Case(
        "minimum/ties",
        lambda L, a, b: L.minimum(a, b),
        (values([1.0, 2.0, 3.0]), values([1.0, 3.0, 2.0])),
        smooth=False,
    ),
    Case("maximum/nan", lambda L, a, b: L.maximum(a, b), (values([np.nan, 1.0]), values([0.0, np.nan])), grad=False),
    Case("maximum/integers", lambda L, a, b: L.maximum(a, b), (integers(5), integers(5)), grad=False),
    Case("minimum/integers", lambda L, a, b: L.minimum(a, b), (integers(5), integers(5)), grad=False),
    Case("rsub/tensor", lambda L, x: 3.0 - x, (normal(4),)),
    Case("rsub/integers", lambda L, x: 3 - x, (integers(4),), grad=False),
    Case("rdiv/tensor", lambda L, x: 3.0 / x, (uniform(4),)),
    Case("rdiv/integers", lambda L, x: 3 / x, (integers(4, low=1),), grad=False),
    Case("rpow/tensor", lambda L, x: 3.0**x, (normal(4),)),
    Case("floor_divide/floats", lambda L, a, b: a // b, (normal(6, std=4), uniform(6)), grad=False),
    Case("floor_divide/integers", lambda L, a, b: a // b, (integers(9, low=-9), integers(9, low=1)), grad=False),
    Case("floor_divide/number_left", lambda L, a: 7 // a, (integers(9, low=1),), grad=False),
    Case("remainder/number_left", lambda L, a: 7.5 % a, (integers(9, low=1),), grad=False),
    Case("floor_divide/number", lambda L, a: a // 3, (integers(9, low=-9),), grad=False),
    Case("remainder/floats", lambda L, a, b: a % b, (normal(6, std=4), uniform(6)), grad=False),
    Case("remainder/integers", lambda L, a, b: a % b, (integers(9, low=-9), integers(9, low=1)), grad=False),
    Case("remainder/number", lambda L, a: L.remainder(a, 3), (integers(9, low=-9),), grad=False),
]

# ---- comparison

for op, function in (
    ("eq", operator.eq),
    ("ne", operator.ne),
    ("lt", operator.lt),
    ("le", operator.le),
    ("gt", operator.gt),
    ("ge", operator.ge),
):
    CASES += rows(
        op,
        {
            "operator": lambda L, a, b, f=function: f(a, b),
            "function": lambda L, a, b, o=op: getattr(L, o)(a, b),
            "method": lambda L, a, b, o=op: getattr(a, o)(b),
            "broadcast": lambda L, a, b, f=function: f(a, b[0]),
            "int": lambda L, a, b, f=function: f(a, 2),
            "float": lambda L, a, b, f=function: f(a, 2.0),
            "number_left": lambda L, a, b, f=function: f(2, a),
            "floats": lambda L, a, b, f=function: f(a.double(), b),
        },
        integers(4, 3, high=4),
        integers(4, 3, high=4),
        grad=False,
    )
    CASES += [Case(f"{op}/nan", lambda L, a, f=function: f(a, a), (values([np.nan, 1.0]),), grad=False)]

for op, function in (("bitwise_and", operator.and_), ("bitwise_or", operator.or_), ("bitwise_xor", operator.xor)):
    both = {"operator": lambda L, a, b, f=function: f(a, b), "function": lambda L, a, b, o=op: getattr(L, o)(a, b)}
    CASES += rows(op, {f"bools_{k}": f for k, f in both.items()}, bools(3, 4), bools(4), grad=False)
    CASES += rows(op, {f"integers_{k}": f for k, f in both.items()}, integers(3, 4), integers(4), grad=False)

CASES += [
    Case("bitwise_not/bools", lambda L, a: ~a, (bools(5),), grad=False),
    Case("bitwise_not/integers", lambda L, a: L.bitwise_not(a), (integers(5),), grad=False),
    Case("equal/same", lambda L, a: L.tensor(L.equal(a, a + 0)), (normal(3),), grad=False),
    Case("equal/other", lambda L, a: L.tensor(L.equal(a, a + 1)), (normal(3),), grad=False),
    Case("equal/shape", lambda L, a: L.tensor(L.equal(a, a[:2])), (normal(3),), grad=False),
    Case("isclose/close", lambda L, a: L.isclose(a, a + 1e-9), (normal(3),), grad=False),
    Case("isclose/nan", lambda L, a: L.isclose(a, a, equal_nan=True), (values([np.nan, 1.0]),), grad=False),
    Case("allclose/close", lambda L, a: L.tensor(L.allclose(a, a + 1e-9)), (normal(3),), grad=False),
    Case("allclose/far", lambda L, a: L.tensor(L.allclose(a, a + 1e-3)), (normal(3),), grad=False),
    Case("allclose/tolerance", lambda L, a: L.tensor(L.allclose(a, a + 1e-3, atol=0.1)), (normal(3),), grad=False),
]

# ---- dtype and copy

CASES += [
    Case("clone/tensor", lambda L, x: x.clone(), (normal(2, 3),)),
    Case("clone/function", lambda L, x: L.clone(x), (normal(),)),
    Case("clone/empty", lambda L, x: x.clone(), (normal(0),)),
    Case("cast/to_float32", lambda L, x: x.to(L.float32) * 2, (normal(2, 3),), smooth=False, grad=False),
    Case("cast/and_back", lambda L, x: x.float().double(), (normal(2, 3),), smooth=False, grad=False),
    Case("cast/same", lambda L, x: x.to(x.dtype) * 2, (normal(2, 3),)),
    Case("cast/long", lambda L, x: x.long(), (normal(5, std=5),), grad=False),
    Case("cast/bool", lambda L, x: x.bool(), (integers(5, high=2),), grad=False),
    Case("cast/half", lambda L, x: x.half(), (normal(5),), grad=False),
    Case("cast/int", lambda L, x: x.int(), (normal(5, std=5),), grad=False),
    Case("cast/type", lambda L, x: x.type(L.float64), (integers(5),), grad=False),
    Case("to_device/same", lambda L, x: x.to("cpu") * 2, (normal(5),)),
    Case("to_device/cpu", lambda L, x: x.cpu() * 2, (normal(5),)),
    Case("to_device/both", lambda L, x: x.to("cpu", L.float64) * 2, (distinct(5),), smooth=False, grad=False),
]
