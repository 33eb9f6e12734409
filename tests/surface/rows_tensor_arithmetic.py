"""Rows about arithmetic: operators and functions of elements, their edges, comparisons, logic, and matrix products."""

import operator

from .table import errors, gradients, rows, tensor

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
NAN, INF = float("nan"), float("inf")


def of_every_dtype(function, values=(0, 1, 3)):
    """A row: a function of a tensor of every dtype; an error counts with its type."""

    def run(L):
        found = {}
        for dtype in DTYPES:
            try:
                found[dtype] = function(L, L.tensor(values).to(getattr(L, dtype)))
            except Exception as error:
                found[dtype] = f"raises {type(error).__name__}"
        return found

    return run


def slope(function, *shapes, low=None):
    """A row: a function of recorded tensors of these shapes, its text, and all gradients."""

    def run(L):
        leaves = [tensor(L, *shape, seed=i, grad=True, low=low) for i, shape in enumerate(shapes)]
        y = function(L, *leaves)
        return gradients(L, y, *leaves), repr(y)

    return run


ROWS = []

# ---- functions of one element

ANY = [-2.5, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.5, 3.5]
EDGES = [NAN, INF, -INF, 0.0, -0.0, 1e-30, -1e-30, 1e30]
ONE = {  # name: where its gradient is taken
    "abs": None, "exp": None, "log": 0.5, "log10": 0.5, "log2": 0.5, "sqrt": 0.5, "rsqrt": 0.5, "tanh": None,
    "sigmoid": None, "relu": None, "exp2": None, "expm1": None, "log1p": 0.0, "reciprocal": 0.5, "square": None,
    "sin": None, "cos": None, "tan": -1.0, "asin": -1.0, "acos": -1.0, "atan": None, "sinh": None, "cosh": None,
    "floor": None, "ceil": None, "round": None, "trunc": None, "frac": None, "sign": None, "neg": None,
    "isnan": None, "isinf": None, "isfinite": None, "logical_not": None,
}  # fmt: skip
NO_GRADIENT = ("isnan", "isinf", "isfinite", "logical_not")
for name, low in ONE.items():
    ROWS += rows(
        f"Tensor.{name}",
        {
            "values": lambda L, n=name: getattr(L.tensor(ANY, dtype=L.float64), n)(),
            "float32": lambda L, n=name: getattr(L.tensor(ANY), n)(),
            "float16": lambda L, n=name: getattr(L.tensor(ANY).half(), n)(),
            "edges": lambda L, n=name: getattr(L.tensor(EDGES, dtype=L.float64), n)(),
            "every_dtype": of_every_dtype(lambda L, x, n=name: getattr(x, n)()),
            "zero_dim": lambda L, n=name: getattr(L.tensor(0.5, dtype=L.float64), n)(),
            "empty": lambda L, n=name: getattr(L.zeros(0, 3), n)(),
            "transposed": lambda L, n=name: getattr(tensor(L, 3, 4, low=0.1).T, n)(),
            "strided": lambda L, n=name: getattr(tensor(L, 9, low=0.1)[::2], n)(),
            "no_grad": lambda L, n=name: L.no_grad()(getattr(L.ones(2, requires_grad=True), n))(),
        },
    )
    ROWS += rows(
        name,
        {
            "function": lambda L, n=name: getattr(L, n)(L.tensor(ANY, dtype=L.float64)),
            "named": lambda L, n=name: getattr(L, n)(input=L.tensor([0.5, 1.0], dtype=L.float64)),
        },
    )
    ROWS += errors(
        name,
        {
            "number": (lambda L, n=name: getattr(L, n)(1.0), rf"{name}.*float"),
            "list": (lambda L, n=name: getattr(L, n)([1.0]), rf"{name}.*list"),
            "nothing": (lambda L, n=name: getattr(L, n)(), r"missing|argument"),
        },
    )
    if name not in NO_GRADIENT:
        ROWS += rows(
            f"Tensor.{name}",
            {
                "gradient": slope(lambda L, x, n=name: getattr(x, n)(), (2, 3), low=None if low is None else low),
                "gradient_twice": slope(lambda L, x, n=name: getattr(x, n)() * getattr(x, n)(), (5,), low=low),
                "gradient_zero_dim": slope(lambda L, x, n=name: getattr(x, n)(), (), low=low),
            },
        )
for name in ("abs", "relu", "sign", "floor", "ceil", "round", "trunc", "frac", "clamp"):
    function = (lambda L, x: x.clamp(-1.0, 0.5)) if name == "clamp" else lambda L, x, n=name: getattr(x, n)()
    ROWS += rows(
        f"Tensor.{name}",
        {
            "gradient_at_kinks": lambda L, f=function: gradients(
                L, f(L, x := L.tensor(ANY, dtype=L.float64, requires_grad=True)), x
            ),
            "gradient_at_edges": lambda L, f=function: gradients(
                L, f(L, x := L.tensor(EDGES, dtype=L.float64, requires_grad=True)), x
            ),
        },
    )
for name in ("exp", "log", "sqrt", "rsqrt", "reciprocal", "tanh", "sigmoid", "log1p"):
    ROWS += rows(
        f"Tensor.{name}",
        {
            "gradient_at_edges": lambda L, n=name: gradients(
                L, getattr(x := L.tensor(EDGES, dtype=L.float64, requires_grad=True), n)(), x
            )
        },
    )
ROWS += rows(
    "Tensor.round",
    {
        "halves": lambda L: L.tensor([0.5, 1.5, 2.5, -0.5, -1.5]).round(),
        "decimals": lambda L: L.tensor([1.2345, -1.2355], dtype=L.float64).round(decimals=2),
        "decimals_negative": lambda L: L.tensor([123.0, 155.0]).round(decimals=-1),
        "decimals_gradient": slope(lambda L, x: x.round(decimals=1), (4,)),
    },
)

# ---- clamp

ROWS += rows(
    "Tensor.clamp",
    {
        "both": slope(lambda L, x: x.clamp(-0.5, 0.5), (3, 4)),
        "named": slope(lambda L, x: x.clamp(min=-0.5, max=0.5), (3, 4)),
        "min": slope(lambda L, x: x.clamp(min=0.0), (3, 4)),
        "max": slope(lambda L, x: x.clamp(max=0), (3, 4)),
        "clip": slope(lambda L, x: x.clip(0, 1), (3, 4)),
        "upside_down": slope(lambda L, x: x.clamp(1.0, -1.0), (3, 4)),
        "function": slope(lambda L, x: L.clamp(x, -0.5, 0.5), (3, 4)),
        "function_named": slope(lambda L, x: L.clamp(input=x, min=0.5), (3, 4)),
        "tensors": slope(lambda L, x, a, b: x.clamp(a, b), (3, 4), (4,), (3, 1)),
        "tensor_min": slope(lambda L, x, a: x.clamp(min=a), (3, 4), (4,)),
        "tensor_max": slope(lambda L, x, a: x.clamp(max=a), (3, 4), (3, 1)),
        "tensor_wider": slope(lambda L, x, a: x.clamp(min=a), (4,), (3, 4)),
        "clamp_min": slope(lambda L, x: x.clamp_min(0.0), (3, 4)),
        "clamp_min_tensor": slope(lambda L, x, a: L.clamp_min(x, a).sum(0) * 2, (3, 4), (4,)),
        "clamp_max": slope(lambda L, x: L.clamp_max(x, 0.0), (3, 4)),
        "nan": lambda L: L.tensor([NAN, 1.0]).clamp(0, 0.5),
        "nan_bound": lambda L: L.tensor([2.0, 1.0]).clamp(max=NAN),
        "infinity": lambda L: L.tensor([INF, -INF]).clamp(-1, 1),
        "integers": lambda L: L.arange(5).clamp(1, 3),
        "integers_float_bound": lambda L: L.arange(5).clamp(0.5),
        "zero_dim": lambda L: L.tensor(3.0).clamp(max=1),
        "ties_gradient": lambda L: gradients(
            L, (x := L.tensor([0.0, 1.0, 2.0], dtype=L.float64, requires_grad=True)).clamp(0.0, 2.0), x
        ),
        "ties_tensor_gradient": lambda L: gradients(
            L,
            (x := L.tensor([0.0, 1.0, 2.0], dtype=L.float64, requires_grad=True)).clamp(
                a := L.tensor([0.0, 2.0, 3.0], dtype=L.float64, requires_grad=True),
                b := L.tensor([0.0, 2.0, 1.0], dtype=L.float64, requires_grad=True),
            ),
            x,
            a,
            b,
        ),
    },
)
ROWS += errors(
    "Tensor.clamp",
    {
        "nothing": (lambda L: L.ones(2).clamp(), r"clamp.*min"),
        "mixed": (lambda L: L.ones(2).clamp(L.ones(2), 1.0), r"clamp.*tensor"),
        "too_large": (lambda L: L.tensor([1], dtype=L.int8).clamp(max=300), r"clamp.*300.*int8"),
        "text": (lambda L: L.ones(2).clamp("a"), r"clamp.*str"),
        "shape": (lambda L: L.ones(2).clamp(L.ones(3)), r"clamp.*2.*3"),
    },
)
ROWS += rows("Tensor.clamp", {"bools_and_integers": lambda L: L.tensor([True, False]).clamp(0, 1)})

# ---- operators at their edges

WHOLE, DIVISORS = [7, -7, 5, -5, 0], [2, 2, -3, -3, 4]
SPECIAL = [1.0, -1.0, 0.0, -0.0, INF, -INF, NAN, 2.5]
for name, f in {
    "__add__": operator.add, "__sub__": operator.sub, "__mul__": operator.mul, "__truediv__": operator.truediv,
    "__floordiv__": operator.floordiv, "__mod__": operator.mod, "__pow__": operator.pow,
}.items():  # fmt: skip
    ROWS += rows(
        f"Tensor.{name}",
        {
            "signs_integers": lambda L, f=f: f(
                L.tensor(WHOLE), abs(L.tensor(DIVISORS)) if f is operator.pow else L.tensor(DIVISORS)
            ),
            "signs_floats": lambda L, f=f: f(L.tensor(WHOLE, dtype=L.float64), L.tensor(DIVISORS, dtype=L.float64)),
            "fractions": lambda L, f=f: f(tensor(L, 9), tensor(L, 9, seed=1, low=0.5)),
            "special_values": lambda L, f=f: f(L.tensor(SPECIAL).view(-1, 1), L.tensor(SPECIAL)),
            "int8_wraps": lambda L, f=f: f(
                L.tensor([100, -100, 127], dtype=L.int8), L.tensor([100, 100, 2], dtype=L.int8)
            ),
            "uint8_wraps": lambda L, f=f: f(
                L.tensor([200, 5, 255], dtype=L.uint8), L.tensor([100, 6, 2], dtype=L.uint8)
            ),
            "large_number": lambda L, f=f: f(L.tensor([1, 2], dtype=L.int16), 30000 if f is not operator.pow else 3),
            "broadcast": lambda L, f=f: f(tensor(L, 2, 1, 3, low=1.0), tensor(L, 4, 1, low=1.0, seed=1)),
            "zero_dim": lambda L, f=f: f(L.tensor(7.0), L.tensor(2.0)),
            "zero_dim_integers": lambda L, f=f: f(L.tensor(7), L.tensor(2)),
            "empty": lambda L, f=f: f(L.zeros(0, 3), L.ones(3)),
            "transposed": lambda L, f=f: f(tensor(L, 3, 4, low=1.0).T, tensor(L, 4, 3, low=1.0)),
            "number_left": lambda L, f=f: f(5, L.tensor([2.0, -3.0])),
            "number_left_integers": lambda L, f=f: f(5, L.tensor([2, 3])),
            "expanded": lambda L, f=f: f(tensor(L, 3, low=1.0).expand(2, 3), 2),
            "half": lambda L, f=f: f(L.tensor([1.5, 2.5]).half(), L.tensor([0.3, 1.7]).half()),
        },
    )
    ROWS += errors(
        f"Tensor.{name}",
        {
            "shapes": (lambda L, f=f: f(L.ones(2, 3), L.ones(2)), r"\(2, 3\).*\(2,\)"),
            "text": (lambda L, f=f: f(L.ones(2), "a"), r"str"),
            "none": (lambda L, f=f: f(L.ones(2), None), r"None"),
            "list": (lambda L, f=f: f(L.ones(2), [1, 2]), r"list"),
            "text_left": (lambda L, f=f: f(None, L.ones(2)), r"None"),
        },
    )
    if name != "__truediv__":
        ROWS += errors(f"Tensor.{name}", {"huge_number": (lambda L, f=f: f(L.tensor([1]), 2**70), r"int|large|fit")})
    if name != "__floordiv__":
        ROWS += rows(
            f"Tensor.{name}",
            {
                "gradient": slope(lambda L, a, b, f=f: f(a, b), (2, 3), (3,), low=0.6),
                "gradient_number": slope(lambda L, a, f=f: f(a, 1.5), (2, 3), low=0.6),
                "gradient_number_left": slope(lambda L, b, f=f: f(1.5, b) * 1, (2, 3), low=0.6)
                if name != "__mod__"  # PyTorch has no gradient for it
                else (lambda L: 1.5 % tensor(L, 3, low=0.6)),
                "gradient_zero_dim": slope(lambda L, a, b, f=f: f(a, b), (), (2, 3), low=0.6),
            },
        )
for name, f in {"__floordiv__": operator.floordiv, "__mod__": operator.mod}.items():
    ROWS += errors(
        f"Tensor.{name}",
        {
            "zero": (lambda L, f=f: f(L.tensor([1, 2]), 0), r"ZeroDivision"),
            "zero_tensor": (lambda L, f=f: f(L.tensor([1, 2]), L.tensor([1, 0])), r"ZeroDivision"),
            "zero_left": (lambda L, f=f: f(5, L.tensor([0])), r"ZeroDivision"),
            "bools": (lambda L, f=f: f(L.tensor([True]), L.tensor([True])), r"bool"),
        },
    )
    ROWS += rows(f"Tensor.{name}", {"float_zero": lambda L, f=f: f(L.tensor([5.0, -5.0, 0.0]), 0)})
ROWS += errors(
    "Tensor.__floordiv__",
    {"backward": (lambda L: (L.ones(2, requires_grad=True) // 2).sum().backward(), r"floor_divide.*derivative")},
)
ROWS += rows(
    "Tensor.__truediv__",
    {
        "integers_zero": lambda L: L.tensor([5, -5, 0]) / 0,
        "bools": lambda L: L.tensor([True, True]) / L.tensor([True, False]),
        "trunc": lambda L: L.div(L.tensor(WHOLE), L.tensor(DIVISORS), rounding_mode="trunc"),
        "floor": lambda L: L.div(L.tensor(WHOLE), L.tensor(DIVISORS), rounding_mode="floor"),
        "trunc_floats": lambda L: L.div(tensor(L, 9), tensor(L, 9, seed=1), rounding_mode="trunc"),
        "trunc_gradient": slope(lambda L, a, b: L.div(a, b, rounding_mode="trunc"), (3,), (3,), low=0.6),
        "floor_gradient": slope(lambda L, a, b: L.div(a, b, rounding_mode="floor"), (3,), (3,), low=0.6),
        "true_divide": lambda L: L.tensor([1, 2]).true_divide(2),
        "divide": lambda L: L.tensor([1.0, 2.0]).divide(2),
        "fmod": lambda L: (L.tensor(WHOLE).fmod(3), L.fmod(L.tensor([5.5, -5.5]), 2.0)),
        "fmod_gradient": slope(lambda L, a, b: a.fmod(b), (3,), (3,), low=0.6),
    },
)
ROWS += errors(
    "Tensor.__truediv__",
    {
        "rounding_mode": (lambda L: L.div(L.ones(2), 2, rounding_mode="up"), r"div.*up"),
        "integers_zero_rounded": (lambda L: L.div(L.tensor([1]), 0, rounding_mode="trunc"), r"ZeroDivision"),
    },
)
ROWS += rows(
    "Tensor.__sub__",
    {
        "alpha": lambda L: L.sub(L.ones(2), L.ones(2), alpha=3),
        "rsub": lambda L: L.rsub(L.ones(2), 3, alpha=2),
        "subtract": lambda L: L.ones(2).subtract(2),
    },
)
ROWS += errors(
    "Tensor.__sub__",
    {
        "bools": (lambda L: L.tensor([True]) - L.tensor([False]), r"sub.*bool"),
        "bool_number": (lambda L: L.tensor([1]) - True, r"sub.*bool"),
        "bool_and_int": (lambda L: L.tensor([True]) - 1, r"sub.*bool"),
        "int_and_bool": (lambda L: 1 - L.tensor([True]), r"sub.*bool"),
    },
)
ROWS += rows(
    "Tensor.__add__",
    {
        "alpha": lambda L: L.add(L.ones(2), L.tensor([1, 2]), alpha=0.5),
        "alpha_number": lambda L: L.tensor([1]).add(2.0, alpha=2),
        "alpha_gradient": slope(lambda L, a, b: L.add(a, b, alpha=-2), (2, 3), (3,)),
        "alpha_bools": lambda L: L.tensor([True]).add(L.tensor([True]), alpha=True),
        "bools": lambda L: L.tensor([True, False]) + L.tensor([True, False]),
        "function_number_left": lambda L: L.add(1, L.tensor([2])),
        "named": lambda L: L.add(input=L.ones(2), other=L.ones(2)),
    },
)
ROWS += errors(
    "Tensor.__add__",
    {"alpha_of_integers": (lambda L: L.tensor([1]).add(L.tensor([1]), alpha=0.5), r"add.*alpha=0.5.*integer")},
)
ROWS += rows(
    "Tensor.__mul__",
    {
        "bools": lambda L: L.tensor([True, False]) * L.tensor([True, True]),
        "multiply": lambda L: L.ones(2).multiply(3),
        "itself": slope(lambda L, a: a * a + (a + a) - a, (4,)),
        "in_sum": slope(lambda L, a: a * a * a, (3,)),
    },
)
ROWS += rows(
    "Tensor.pow",
    {
        "numbers": lambda L: [L.tensor([-2.0, 0.0, 3.0]).pow(n) for n in (0, 1, 2, 3, -1, -2, 0.5, 2.5)],
        "integers": lambda L: [L.tensor([-2, 0, 3]).pow(n) for n in (0, 1, 2, 3)],
        "integers_half": lambda L: L.tensor([4, 9]).pow(0.5),
        "negative_exponent_tensor": lambda L: L.tensor([1, 2, -1, -1]) ** L.tensor([-1, -2, -3, -2]),
        "negative_exponents_of_number": lambda L: 2 ** L.tensor([-1, 2]),
        "zero_to_zero": lambda L: L.tensor([0.0]) ** L.tensor([0.0]),
        "negative_base_fraction": lambda L: L.tensor([-8.0]) ** (1 / 3),
        "gradient_zero_exponent": slope(lambda L, a: a**0, (3,)),
        "gradient_at_zero": lambda L: gradients(L, (x := L.zeros(3, dtype=L.float64, requires_grad=True)) ** 2, x),
        "gradient_zero_base": lambda L: gradients(
            L,
            (a := L.tensor([0.0, 0.0, 2.0], dtype=L.float64, requires_grad=True))
            ** (b := L.tensor([0.0, 2.0, 0.0], dtype=L.float64, requires_grad=True)),
            a,
            b,
        ),
        "gradient_base_number_zero": lambda L: gradients(
            L, 0 ** (b := L.tensor([0.0, 2.0], dtype=L.float64, requires_grad=True)), b
        ),
        "function": lambda L: L.pow(L.tensor([2.0, 3.0]), 2),
        "function_number_left": lambda L: L.pow(2, L.tensor([2.0, 3.0])),
        "named": lambda L: L.pow(input=L.tensor([2.0]), exponent=3),
        "bool_exponent": lambda L: L.tensor([2.0]) ** True,
    },
)
ROWS += rows("pow", {"function": lambda L: L.pow(L.tensor([2.0, 3.0]), L.tensor([1, 2]))})
ROWS += errors(
    "Tensor.pow",
    {
        "negative": (lambda L: L.tensor([1, 2]) ** -1, r"pow.*negative.*float"),
        "negative_bool": (lambda L: L.tensor([True]) ** -1, r"pow.*negative"),
        "too_large": (lambda L: L.tensor([1], dtype=L.int8) ** 300, r"pow.*300.*int8"),
        "bools": (lambda L: L.tensor([True]) ** L.tensor([True]), r"pow.*bool"),
        "text": (lambda L: L.ones(2).pow("a"), r"pow.*str"),
    },
)
ROWS += rows(
    "Tensor.__neg__", {"every_dtype": of_every_dtype(lambda L, x: -x), "gradient": slope(lambda L, x: -x, (3,))}
)
ROWS += errors("Tensor.__neg__", {"bools": (lambda L: -L.tensor([True]), r"neg.*bool.*~")})
ROWS += rows("Tensor.__neg__", {"plus": lambda L: (+L.ones(2)) is not None, "positive": lambda L: +L.tensor([1, -1])})
ROWS += errors("Tensor.__neg__", {"plus_bools": (lambda L: +L.tensor([True]), r"bool")})

# ---- blending, larger and smaller

ROWS += rows(
    "lerp",
    {
        "number": lambda L: gradients(
            L, L.lerp(a := tensor(L, 3, grad=True), b := tensor(L, 3, seed=1, grad=True), 0.25), a, b
        ),
        "tensor": slope(lambda L, a, b, w: a.lerp(b, w) * 1, (2, 3), (3,), (2, 1)),
        "addcmul": slope(lambda L, a, b, c: L.addcmul(a, b, c, value=0.5) * 1, (2, 3), (3,), (2, 1)),
        "addcdiv": slope(lambda L, a, b, c: a.addcdiv(b, c, value=-2) * 1, (2, 3), (3,), (2, 1), low=0.5),
        "addcmul_integers": lambda L: L.addcmul(L.tensor([1]), L.tensor([2]), L.tensor([3])),
        "atan2": slope(lambda L, a, b: L.atan2(a, b), (2, 3), (3,)),
        "atan2_edges": lambda L: L.tensor(SPECIAL).view(-1, 1).atan2(L.tensor(SPECIAL)),
        "atan2_integers": lambda L: L.atan2(L.tensor([1, -1]), L.tensor([0, 1])),
    },
)
ROWS += errors(
    "lerp",
    {
        "dtypes": (lambda L: L.lerp(L.ones(2), L.ones(2).double(), 0.5), r"lerp.*float64"),
        "number_end": (lambda L: L.lerp(L.ones(2), 1.0, 0.5), r"lerp.*float"),
    },
)
for name in ("maximum", "minimum"):
    ROWS += rows(
        name,
        {
            "gradient": slope(lambda L, a, b, n=name: getattr(L, n)(a, b), (2, 3), (3,)),
            "ties": lambda L, n=name: gradients(
                L,
                getattr(L, n)(
                    a := L.tensor([1.0, 2.0, 3.0], dtype=L.float64, requires_grad=True),
                    b := L.tensor([1.0, 3.0, 2.0], dtype=L.float64, requires_grad=True),
                ),
                a,
                b,
            ),
            "nan": lambda L, n=name: gradients(
                L,
                getattr(L, n)(
                    a := L.tensor([NAN, 2.0, NAN], dtype=L.float64, requires_grad=True),
                    b := L.tensor([1.0, NAN, NAN], dtype=L.float64, requires_grad=True),
                ),
                a,
                b,
            ),
            "method": lambda L, n=name: getattr(L.ones(2), n)(L.tensor([0.0, 3.0])),
            "one_recorded": slope(lambda L, a, n=name: getattr(L, n)(a, L.zeros(3).double()), (2, 3)),
        },
    )
    ROWS += errors(
        name,
        {
            "number": (lambda L, n=name: getattr(L, n)(L.ones(2), 1.0), rf"{name}.*float"),
            "shapes": (lambda L, n=name: getattr(L, n)(L.ones(2), L.ones(3)), rf"{name}.*2.*3"),
        },
    )

# ---- comparison and logic

for name, f in {
    "__eq__": operator.eq, "__ne__": operator.ne, "__lt__": operator.lt, "__le__": operator.le, "__gt__": operator.gt,
    "__ge__": operator.ge,
}.items():  # fmt: skip
    plain = name.strip("_")
    ROWS += rows(
        f"Tensor.{name}",
        {
            "edges": lambda L, f=f: f(L.tensor(SPECIAL).view(-1, 1), L.tensor(SPECIAL)),
            "broadcast": lambda L, f=f: f(tensor(L, 3, 1), tensor(L, 4, seed=1)),
            "number": lambda L, f=f: f(L.tensor(ANY), 0.5),
            "number_left": lambda L, f=f: f(0.5, L.tensor(ANY)),
            "zero_dim": lambda L, f=f: f(L.tensor(1), L.tensor(1.0)),
            "empty": lambda L, f=f: f(L.zeros(0), 1),
            "recorded": lambda L, f=f: f(L.ones(2, requires_grad=True), 1).requires_grad,
            "function": lambda L, n=plain: getattr(L, n)(L.tensor(ANY), 0.0),
            "method": lambda L, n=plain: getattr(L.tensor([1, 2]), n)(L.tensor([2, 1])),
            "wrapped_number": lambda L, f=f: f(L.tensor([1, 44, 255], dtype=L.uint8), 300),
            "float32_number": lambda L, f=f: f(L.tensor([0.1]), 0.1),
            "large_integers": lambda L, f=f: f(L.tensor([2**53]), L.tensor([2**53 + 1])),
            "numpy_free": lambda L, f=f: f(L.tensor([True, False]), L.tensor([1, 1])),
        },
    )
    ROWS += errors(f"Tensor.{name}", {"shapes": (lambda L, f=f: f(L.ones(2), L.ones(3)), rf"{plain}.*2.*3")})
for name in ("__lt__", "__le__", "__gt__", "__ge__"):
    ROWS += errors(
        f"Tensor.{name}",
        {
            "none": (lambda L, n=name: getattr(operator, n)(L.ones(2), None), rf"{name.strip('_')}.*None"),
            "text": (lambda L, n=name: getattr(operator, n)(L.ones(2), "a"), rf"{name.strip('_')}.*str"),
        },
    )
ROWS += rows(
    "Tensor.__eq__",
    {
        "none": lambda L: operator.eq(L.ones(2), None),
        "text": lambda L: L.ones(2) == "a",
        "list": lambda L: L.ones(2) == [1],
    },
)
ROWS += rows("Tensor.__ne__", {"none": lambda L: operator.ne(L.ones(2), None), "text": lambda L: L.ones(2) != "a"})
for name in ("logical_and", "logical_or", "logical_xor"):
    ROWS += rows(
        name,
        {
            "bools": lambda L, n=name: getattr(L, n)(L.tensor([[True], [False]]), L.tensor([True, False])),
            "numbers": lambda L, n=name: getattr(L.tensor([0.0, 2.0, NAN]), n)(L.tensor([1, 0, 0])),
            "broadcast": lambda L, n=name: getattr(L, n)(L.ones(2, 1), L.zeros(3)),
        },
    )
    ROWS += errors(name, {"number": (lambda L, n=name: getattr(L, n)(L.ones(2), 1), rf"{name}.*int")})
for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
    ROWS += rows(
        name,
        {
            "integers": lambda L, n=name: getattr(L, n)(L.tensor([[5], [3]]), L.tensor([1, 6])),
            "bools": lambda L, n=name: getattr(L.tensor([True, False]), n)(L.tensor([True])),
            "number": lambda L, n=name: getattr(L, n)(L.tensor([5, 6]), 3),
        },
    )
    ROWS += errors(
        name,
        {
            "floats": (lambda L, n=name: getattr(L, n)(L.ones(2), L.ones(2)), rf"{name}.*float"),
            "float_number": (lambda L, n=name: getattr(L, n)(L.tensor([1]), 1.0), rf"{name}.*1.0"),
            "shapes": (lambda L, n=name: getattr(L, n)(L.tensor([1, 2]), L.tensor([1, 2, 3])), rf"{name}.*2.*3"),
        },
    )
ROWS += rows(
    "bitwise_not", {"every": lambda L: (~L.tensor([True, False]), ~L.tensor([0, 5]), ~L.tensor([0], dtype=L.uint8))}
)
ROWS += errors("bitwise_not", {"floats": (lambda L: ~L.ones(2), r"bitwise_not.*float32")})

# ---- matrix products

SHAPES = {
    "matrices": ((2, 3), (3, 4)), "vectors": ((3,), (3,)), "matrix_vector": ((2, 3), (3,)),
    "vector_matrix": ((3,), (3, 4)),
    "batches": ((5, 2, 3), (5, 3, 4)), "batch_matrix": ((5, 2, 3), (3, 4)), "matrix_batch": ((2, 3), (5, 3, 4)),
    "batch_vector": ((5, 2, 3), (3,)), "vector_batch": ((3,), (5, 3, 4)), "broadcast": ((2, 1, 2, 3), (5, 3, 4)),
    "one_in_batch": ((1, 2, 3), (5, 3, 4)), "empty": ((0, 3), (3, 4)), "empty_inner": ((2, 0), (0, 4)),
    "one": ((1, 1), (1, 1)),
    "empty_batch": ((0, 2, 3), (0, 3, 4)), "empty_vectors": ((0,), (0,)),
}  # fmt: skip


def product(function, shapes, seeds=(0, 1)):
    """A row: a product of two recorded tensors with both gradients."""

    def run(L):
        a, b = (tensor(L, *shape, seed=seed, grad=True) for shape, seed in zip(shapes, seeds, strict=True))
        return gradients(L, function(L, a, b), a, b)

    return run


for special, shapes in SHAPES.items():
    ROWS += rows("Tensor.matmul", {special: product(lambda L, a, b: a.matmul(b), shapes)})
    ROWS += rows("Tensor.__matmul__", {special: product(lambda L, a, b: a @ b, shapes)})
    ROWS += rows("matmul", {special: product(lambda L, a, b: L.matmul(a, b), shapes)})
for name, kinds in {"mm": ("matrices", "empty", "one", "empty_inner"), "bmm": ("batches", "empty_batch")}.items():
    for kind in kinds:
        ROWS += rows(f"Tensor.{name}", {kind: product(lambda L, a, b, n=name: getattr(a, n)(b), SHAPES[kind])})
        ROWS += rows(name, {kind: product(lambda L, a, b, n=name: getattr(L, n)(a, b), SHAPES[kind])})
    ROWS += rows(
        name,
        {"named": lambda L, n=name, s=SHAPES[kinds[0]]: getattr(L, n)(input=tensor(L, *s[0]), mat2=tensor(L, *s[1]))},
    )
ROWS += rows(
    "Tensor.matmul",
    {
        "transposed": lambda L: tensor(L, 3, 2).T @ tensor(L, 4, 3).T,
        "integers": lambda L: L.arange(6).view(2, 3) @ L.arange(6).view(3, 2),
        "float32": lambda L: tensor(L, 20, 30, dtype="float32") @ tensor(L, 30, 20, seed=1, dtype="float32"),
        "float16": lambda L: L.ones(2, 3).half() @ L.ones(3, 2).half(),
        "one_recorded": lambda L: gradients(L, (a := tensor(L, 2, 3, grad=True)) @ L.ones(3, 2).double(), a),
        "itself": lambda L: gradients(L, (a := tensor(L, 3, 3, grad=True)) @ a, a),
        "expanded": lambda L: tensor(L, 3, 1).expand(3, 4) @ tensor(L, 4, 2),
        "named": lambda L: L.matmul(input=L.ones(2, 3), other=L.ones(3)),
        "nan": lambda L: L.tensor([[NAN, 1.0]]) @ L.tensor([[0.0], [1.0]]),
    },
)
ROWS += rows(
    "mv",
    {
        "mv": product(lambda L, a, b: L.mv(a, b), SHAPES["matrix_vector"]),
        "dot": product(lambda L, a, b: a.dot(b), SHAPES["vectors"]),
        "outer": product(lambda L, a, b: L.outer(a, b), ((3,), (4,))),
        "addmm": lambda L: gradients(
            L,
            L.addmm(
                c := tensor(L, 4, grad=True),
                a := tensor(L, 2, 3, seed=1, grad=True),
                b := tensor(L, 3, 4, seed=2, grad=True),
                beta=0.5,
                alpha=2,
            ),
            a,
            b,
            c,
        ),
        "dot_integers": lambda L: L.arange(3).dot(L.arange(3)),
        "outer_dtypes": lambda L: L.outer(L.arange(3), L.ones(2)),
    },
)
ROWS += errors(
    "mv",
    {
        "mv_rank": (lambda L: L.mv(L.ones(3), L.ones(3)), r"mv.*\(3,\)"),
        "mv_size": (lambda L: L.mv(L.ones(2, 3), L.ones(2)), r"matmul.*2x3"),
        "dot_rank": (lambda L: L.dot(L.ones(2, 2), L.ones(2)), r"dot.*\(2, 2\)"),
        "dot_size": (lambda L: L.dot(L.ones(2), L.ones(3)), r"dot.*\(2,\).*\(3,\)"),
        "outer_rank": (lambda L: L.outer(L.ones(2, 2), L.ones(2)), r"outer.*\(2, 2\)"),
        "addmm_rank": (lambda L: L.addmm(L.ones(2), L.ones(2), L.ones(2, 2)), r"addmm.*\(2,\)"),
        "addmm_size": (lambda L: L.addmm(L.ones(3), L.ones(2, 2), L.ones(2, 2)), r"expand"),
        "addmm_dtype": (lambda L: L.addmm(L.ones(2).double(), L.ones(2, 2), L.ones(2, 2)), r"addmm.*float64.*float32"),
    },
)
for name in ("matmul", "mm", "bmm"):
    ROWS += errors(
        f"Tensor.{name}",
        {
            "number": (lambda L, n=name: getattr(L.ones(2, 2), n)(2.0), rf"{name}.*float"),
            "vector": (lambda L, n=name: getattr(L.ones(2, 3), n)(L.ones(2)), rf"{name}"),
            "zero_dim": (lambda L, n=name: getattr(L.ones(2, 3), n)(L.tensor(1.0)), rf"{name}"),
        },
    )
ROWS += errors(
    "Tensor.matmul",
    {
        "shapes": (lambda L: L.ones(2, 3) @ L.ones(2, 3), r"matmul.*2x3.*2x3"),
        "vector_lengths": (lambda L: L.ones(3) @ L.ones(2), r"matmul.*3"),
        "batch_sizes": (lambda L: L.ones(2, 3, 4) @ L.ones(3, 4, 5), r"matmul|batch"),
        "dtypes": (lambda L: L.ones(2, 2) @ L.ones(2, 2).double(), r"matmul.*float32.*float64"),
        "dtypes_integers": (lambda L: L.ones(2, 2) @ L.ones(2, 2).long(), r"matmul.*float32.*int64"),
        "list": (lambda L: L.ones(2, 2) @ [[1, 2], [3, 4]], r"matmul.*list"),
    },
)
ROWS += errors(
    "Tensor.mm",
    {
        "shapes": (lambda L: L.mm(L.ones(2, 3), L.ones(2, 3)), r"2x3.*2x3"),
        "batch": (lambda L: L.mm(L.ones(1, 2, 3), L.ones(1, 3, 2)), r"mm.*\(1, 2, 3\)"),
        "dtypes": (lambda L: L.mm(L.ones(2, 2), L.ones(2, 2).double()), r"float32.*float64"),
    },
)
ROWS += errors(
    "Tensor.bmm",
    {
        "shapes": (lambda L: L.bmm(L.ones(1, 2, 3), L.ones(1, 2, 3)), r"1x2x3"),
        "batch": (lambda L: L.bmm(L.ones(2, 3, 3), L.ones(3, 3, 3)), r"bmm.*2.*3"),
        "matrices": (lambda L: L.bmm(L.ones(3, 3), L.ones(3, 3)), r"bmm.*\(3, 3\)"),
        "dtypes": (lambda L: L.bmm(L.ones(1, 2, 2), L.ones(1, 2, 2).double()), r"float32.*float64"),
    },
)

# ---- positions and masks

ROWS += rows(
    "nonzero",
    {
        "matrix": lambda L: L.nonzero(L.tensor([[0, 1], [2, 0]])),
        "method": lambda L: L.tensor([0.0, 0.5, NAN]).nonzero(),
        "as_tuple": lambda L: L.nonzero(L.tensor([[0, 1], [2, 0]]), as_tuple=True),
        "none": lambda L: L.zeros(2, 3).nonzero(),
        "zero_dim": lambda L: (L.tensor(1).nonzero(), L.tensor(0).nonzero()),
        "bools": lambda L: (tensor(L, 4) > 0).nonzero(as_tuple=True),
        "masked_select": slope(lambda L, x: x.masked_select(x > 0), (3, 4)),
        "masked_select_broadcast": slope(lambda L, x: L.masked_select(x, L.tensor([[True], [False]])), (3,)),
        "take_along": slope(lambda L, x: x.take_along_dim(L.tensor([[0], [2], [1]]), dim=1), (3, 4)),
        "take_along_flat": lambda L: L.take_along_dim(tensor(L, 3, 4), L.tensor([5, 1])),
        "take_along_argsort": lambda L: (x := tensor(L, 3, 4)).take_along_dim(x.argsort(1), 1),
        "isin": lambda L: L.isin(L.tensor([[1, 2], [3, 4]]), L.tensor([2, 4])),
        "isin_number": lambda L: (L.isin(L.tensor([1, 2]), 2), L.isin(1, L.tensor([1, 2]))),
        "isin_invert": lambda L: L.isin(L.tensor([1, 2]), L.tensor([2]), invert=True),
        "count_nonzero": lambda L: (L.tensor([[0, 1], [2, 3]]).count_nonzero(), L.count_nonzero(L.ones(2, 3), dim=1)),
        "scatter": slope(lambda L, x, s: x.scatter(1, L.tensor([[0, 2], [1, 0]]), s), (3, 4), (2, 2)),
        "scatter_larger_source": lambda L: L.scatter(tensor(L, 3, 4), 0, L.tensor([[2, 1]]), tensor(L, 2, 3)),
        "scatter_number": slope(lambda L, x: x.scatter(1, L.tensor([[0], [3]]), 5.0), (3, 4)),
        "scatter_add": slope(lambda L, x, s: x.scatter_add(1, L.tensor([[0, 0], [1, 0]]), s), (3, 4), (2, 2)),
        "scatter_counts": lambda L: L.zeros(4).scatter_add(0, L.tensor([1, 1, 3]), L.ones(3)),
        "scatter_one_hot": lambda L: L.zeros(3, 4).scatter(1, L.tensor([[2], [0], [3]]), 1.0),
        "index_add": slope(lambda L, x, s: x.index_add(0, L.tensor([2, 2]), s), (3, 4), (2, 4)),
        "index_add_alpha": slope(lambda L, x, s: L.index_add(x, 1, L.tensor([3]), s, alpha=-2), (3, 4), (3, 1)),
        "index_fill": slope(lambda L, x: x.index_fill(1, L.tensor([0, -1]), 2.0), (3, 4)),
        "index_fill_tensor": lambda L: L.index_fill(L.arange(4), 0, L.tensor([1]), L.tensor(9)),
    },
)
ROWS += errors(
    "nonzero",
    {
        "masked_select_dtype": (lambda L: L.ones(2).masked_select(L.tensor([1, 0])), r"masked_select.*bool.*int64"),
        "masked_select_shape": (lambda L: L.ones(2).masked_select(L.ones(3) > 0), r"masked_select.*2.*3"),
        "scatter_range": (lambda L: L.zeros(2).scatter(0, L.tensor([2]), 1.0), r"scatter.*2"),
        "scatter_dtype": (lambda L: L.zeros(2).scatter(0, L.tensor([0.0]), 1.0), r"scatter.*int64"),
        "scatter_source_dtype": (
            lambda L: L.zeros(2).scatter(0, L.tensor([0]), L.ones(1).double()),
            r"scatter.*float64",
        ),
        "scatter_shape": (lambda L: L.zeros(2, 2).scatter(0, L.tensor([0]), 1.0), r"scatter.*\(1,\).*\(2, 2\)"),
        "scatter_add_number": (lambda L: L.zeros(2).scatter_add(0, L.tensor([0]), 1.0), r"scatter_add.*float"),
        "index_add_count": (
            lambda L: L.zeros(2).index_add(0, L.tensor([0, 1]), L.ones(1)),
            r"index_add.*\(1,\).*\(2,\)",
        ),
        "index_add_range": (lambda L: L.zeros(2).index_add(0, L.tensor([2]), L.ones(1)), r"index_add.*2"),
        "index_fill_range": (lambda L: L.zeros(2).index_fill(0, L.tensor([2]), 1.0), r"index_fill.*2"),
        "index_fill_vector": (lambda L: L.zeros(2).index_fill(0, L.tensor([1]), L.ones(1)), r"index_fill.*\(1,\)"),
        "take_along_dtype": (lambda L: L.zeros(2).take_along_dim(L.tensor([1.0]), 0), r"int64"),
        "isin_numbers": (lambda L: L.isin(1, 2), r"isin.*int"),
    },
)
