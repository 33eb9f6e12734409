"""Rows about reductions: every kind of `dim`, dtypes, nan, ties, nothing to reduce, and their names in print."""

from .table import errors, given, gradients, rows, tensor

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
NAN, INF = float("nan"), float("inf")

# every way to say which dimensions; of a tensor of shape (2, 3, 4)
DIMS = {
    "nothing": {},
    "none": {"dim": None},
    "int": {"dim": 1},
    "negative": {"dim": -1},
    "several": {"dim": (0, 2)},
    "list": {"dim": [0, 1]},
    "negative_several": {"dim": (-1, 0)},
    "all_listed": {"dim": (0, 1, 2)},
    "empty_tuple": {"dim": ()},
    "keepdim": {"dim": 1, "keepdim": True},
    "keepdim_several": {"dim": (0, -1), "keepdim": True},
    "keepdim_none": {"dim": None, "keepdim": True},
    "axis": {"axis": 1},
    "axis_keepdims": {"axis": 0, "keepdims": True},
}
ONE_DIM = ("nothing", "int", "negative", "keepdim", "axis", "axis_keepdims")
BAD_DIMS = {
    "out_of_range": {"dim": 3},
    "negative_out_of_range": {"dim": -4},
    "twice": {"dim": (1, 1)},
    "twice_negative": {"dim": (1, -2)},
    "float": {"dim": 1.0},
    "text": {"dim": "a"},
}
SEVERAL = ("sum", "mean", "var", "std", "amax", "amin", "logsumexp", "norm", "all", "any")
SINGLE = ("max", "min", "argmax", "argmin", "prod", "median")
SMALL = ("sum", "mean", "var", "std", "max", "min", "amax", "amin", "argmax", "argmin", "all", "any", "prod")


def needed(name, how):
    """The arguments, where a function insists on `dim`."""
    return {"dim": how.get("dim", 1)} | how if name == "logsumexp" and "axis" not in how else how


def method(name, how):
    return lambda L: getattr(tensor(L, 2, 3, 4), name)(**needed(name, how))


def function(name, how):
    return lambda L: getattr(L, name)(tensor(L, 2, 3, 4), **needed(name, how))


def slope(name, how):
    def run(L):
        x = tensor(L, 2, 3, 4, grad=True)
        y = getattr(x, name)(**needed(name, how))
        return gradients(L, y[0] if isinstance(y, tuple) else y, x)

    return run


ROWS = []
for name in SEVERAL + SINGLE:
    ways = {k: v for k, v in DIMS.items() if name in SEVERAL or k in ONE_DIM}
    if name in ("norm", "logsumexp"):  # NumPy's names are not taken everywhere
        ways = {k: v for k, v in ways.items() if "axis" not in v}
    if name == "logsumexp":  # None is an error, see below; () is one by accident
        ways = {k: v for k, v in ways.items() if v.get("dim", 0) not in (None, ())}
    if name == "norm":  # the default p is for one or two dims, see below
        del ways["all_listed"]
    for special, how in ways.items():
        ROWS += rows(f"Tensor.{name}", {f"dim_{special}": method(name, how)})
        ROWS += rows(name, {f"dim_{special}": function(name, how)})
        spread = name in ("var", "std") and special == "empty_tuple"  # PyTorch's gradient divides by 0 there
        if name not in ("argmax", "argmin", "all", "any") and not spread:
            ROWS += rows(f"Tensor.{name}", {f"gradient_{special}": slope(name, how)})
    for special, how in BAD_DIMS.items():
        ROWS += errors(f"Tensor.{name}", {f"dim_{special}": (method(name, how), rf"{name}: |dim")})


def of_every_dtype(name, **how):
    """A row: a reduction of small numbers of every dtype; an error counts with its type."""

    def run(L):
        found = {}
        for dtype in DTYPES:
            x = L.tensor([[3, 0, 2, 3], [1, 4, 4, 0]]).to(getattr(L, dtype))
            try:
                y = getattr(x, name)(**how)
                found[dtype] = tuple(y) if isinstance(y, tuple) else y
            except Exception as error:
                found[dtype] = f"raises {type(error).__name__}"
        return found

    return run


def of_shapes(name, **how):
    """A row: a reduction of tensors without elements, and without dimensions."""

    def run(L):
        found = {}
        for shape in ((), (0,), (1,), (0, 3), (3, 0), (2, 0, 3)):
            x = tensor(L, *shape)
            try:
                y = getattr(x, name)(**how)
                found[shape] = tuple(y) if isinstance(y, tuple) else y
            except Exception as error:
                found[shape] = f"raises {type(error).__name__}"
        return found

    return run


for name in (*SMALL, "logsumexp", "norm", "median"):
    ways = {"all": {}, "first": {"dim": 0}, "last": {"dim": -1}, "kept": {"dim": 0, "keepdim": True}}
    if name == "logsumexp":
        del ways["all"]
    ROWS += rows(f"Tensor.{name}", {f"every_dtype_{k}": of_every_dtype(name, **how) for k, how in ways.items()})
    ROWS += rows(f"Tensor.{name}", {f"every_shape_{k}": of_shapes(name, **how) for k, how in ways.items()})

for name in ("sum", "mean", "prod", "softmax", "log_softmax", "cumsum"):
    how = {"dim": 0} if name in ("softmax", "log_softmax", "cumsum") else {}
    for dtype in DTYPES:
        ROWS += rows(
            f"Tensor.{name}",
            {
                f"into_{dtype}": (lambda L, n=name, d=dtype, h=how: of_every_dtype(n, dtype=getattr(L, d), **h)(L)),
            },
        )

# ---- nan, infinities, ties

SPECIAL = [[1.0, NAN, 2.0], [NAN, NAN, NAN], [INF, -INF, 0.0], [INF, INF, 1.0], [-INF, -INF, -INF], [0.0, -0.0, 0.0]]
for name in (*SMALL, "logsumexp", "norm", "softmax", "log_softmax", "median", "cumsum"):
    ROWS += rows(
        f"Tensor.{name}",
        {
            "nan_and_infinity": lambda L, n=name: given(
                lambda y: tuple(y) if isinstance(y, tuple) else y, getattr(L.tensor(SPECIAL, dtype=L.float64), n)(dim=1)
            ),
        },
    )


def ties(name, how, values=((2.0, 1.0, 2.0, 2.0), (0.0, 3.0, 3.0, -1.0))):
    def run(L):
        x = L.tensor(values, dtype=L.float64, requires_grad=True)
        y = getattr(x, name)(**how)
        return gradients(L, y[0] if isinstance(y, tuple) else y, x), tuple(y) if isinstance(y, tuple) else y

    return run


NANS = ((NAN, 1.0, NAN, 2.0), (0.0, 3.0, 3.0, -1.0))
for name in ("max", "min", "amax", "amin", "median"):
    ROWS += rows(
        f"Tensor.{name}",
        {
            "ties_all": ties(name, {}),
            "ties_along": ties(name, {"dim": 1}),
            "ties_down": ties(name, {"dim": 0}),
            "nan_gradient": ties(name, {"dim": 1}, NANS),
            "nan_gradient_all": ties(name, {}, NANS),
        },
    )
for name in ("argmax", "argmin"):
    ROWS += rows(
        f"Tensor.{name}",
        {
            "ties": lambda L, n=name: getattr(L.tensor([[2, 1, 2, 1], [0, 3, 3, 0]]), n)(1),
            "ties_flat": lambda L, n=name: getattr(L.tensor([[2, 1, 2, 1], [0, 3, 3, 0]]), n)(),
            "nan": lambda L, n=name: getattr(L.tensor(NANS), n)(1),
            "keepdim_without_dim": lambda L, n=name: getattr(L.tensor(NANS), n)(keepdim=True),
            "transposed": lambda L, n=name: getattr(tensor(L, 3, 4).T, n)(0),
        },
    )
for name in ("max", "min"):
    ROWS += rows(
        f"Tensor.{name}",
        {
            "other_tensor": lambda L, n=name: getattr(tensor(L, 2, 3), n)(tensor(L, 3, seed=1)),
            "other_tensor_gradient": lambda L, n=name: given(
                lambda x, y: gradients(L, getattr(x, n)(y), x, y),
                tensor(L, 2, 3, grad=True),
                tensor(L, 3, seed=1, grad=True),
            ),
            "named_parts": lambda L, n=name: given(lambda y: (y.values, y.indices), getattr(tensor(L, 2, 3), n)(1)),
            "unpacked": lambda L, n=name: [*getattr(tensor(L, 2, 3), n)(1)],
            "text": lambda L, n=name: repr(getattr(L.arange(6.0).view(2, 3), n)(1)),
            "keepdim_positional": lambda L, n=name: tuple(getattr(tensor(L, 2, 3), n)(1, True)),
        },
    )
    ROWS += errors(
        name,
        {
            "no_tensor": (lambda L, n=name: getattr(L, n)([1, 2]), rf"{name}.*list"),
            "empty": (lambda L, n=name: getattr(L, n)(L.ones(0)), rf"{name}.*\(0,\)"),
            "empty_dim": (lambda L, n=name: getattr(L, n)(L.ones(2, 0), 1), rf"{name}.*0"),
            "two_dims": (lambda L, n=name: getattr(L, n)(L.ones(2, 2), (0, 1)), rf"{name}.*tuple|{name}.*dim"),
        },
    )

# ---- var and std

for name in ("var", "std"):
    for special, how in {
        "unbiased": {"unbiased": True},
        "biased": {"unbiased": False},
        "biased_dim": {"dim": 1, "unbiased": False},
        "correction_0": {"correction": 0},
        "correction_1": {"dim": 0, "correction": 1},
        "correction_2": {"dim": (0, 2), "correction": 2},
        "correction_fraction": {"dim": 2, "correction": 0.5},
        "correction_m": {"dim": 1, "correction": 3},
        "correction_more": {"dim": 1, "correction": 5},
        "correction_negative": {"dim": 1, "correction": -1},
        "correction_keepdim": {"dim": 1, "correction": 0, "keepdim": True},
    }.items():
        ROWS += rows(f"Tensor.{name}", {special: method(name, how), f"gradient_{special}": slope(name, how)})
    ROWS += rows(
        f"Tensor.{name}",
        {
            "bool_first": lambda L, n=name: getattr(tensor(L, 2, 3), n)(False),
            "dim_bool": lambda L, n=name: getattr(tensor(L, 2, 3), n)(1, False),
            "dim_bool_keepdim": lambda L, n=name: getattr(tensor(L, 2, 3), n)(1, False, True),
            "one_element": lambda L, n=name: getattr(tensor(L, 1), n)(),
            "one_element_biased": lambda L, n=name: getattr(tensor(L, 1), n)(correction=0),
            "one_element_gradient": lambda L, n=name: given(
                lambda x: gradients(L, getattr(x, n)(), x), tensor(L, 1, grad=True)
            ),
            "rows_of_one": lambda L, n=name: getattr(tensor(L, 3, 1), n)(1),
            "constant": lambda L, n=name: getattr(L.full((5,), 0.1, dtype=L.float64), n)(),
            "constant_gradient": lambda L, n=name: given(
                lambda x: gradients(L, getattr(x, n)(correction=0), x), L.ones(4, dtype=L.float64, requires_grad=True)
            ),
            "large_mean": lambda L, n=name: getattr(tensor(L, 50) + 1e6, n)(),
            "float32_large_mean": lambda L, n=name: getattr((tensor(L, 50) + 64).float(), n)(),
            "function": lambda L, n=name: getattr(L, n)(tensor(L, 2, 3), 0, keepdim=True),
        },
        condition=64,  # mean 64, deviation 1: the relative error of x - mean is 64 times that of x
    )
    both = f"{name}_mean"
    ROWS += rows(
        both,
        {
            "all": lambda L, n=both: getattr(L, n)(tensor(L, 2, 3)),
            "dim": lambda L, n=both: getattr(L, n)(tensor(L, 2, 3), 1),
            "options": lambda L, n=both: getattr(L, n)(tensor(L, 2, 3), dim=0, correction=0, keepdim=True),
        },
    )
    ROWS += errors(
        f"Tensor.{name}",
        {
            "both": (lambda L, n=name: getattr(L.ones(2), n)(0, unbiased=True, correction=1), rf"{name}.*correction"),
            "integers": (lambda L, n=name: getattr(L.tensor([1, 2]), n)(), rf"{name}.*float.*int64"),
            "bools": (lambda L, n=name: getattr(L.tensor([True]), n)(), rf"{name}.*float.*bool"),
        },
    )
ROWS += errors(
    "Tensor.mean",
    {
        "integers": (lambda L: L.tensor([1, 2]).mean(), r"mean.*float.*int64"),
        "bools": (lambda L: L.tensor([True]).mean(0), r"mean.*float.*bool"),
        "into_integers": (lambda L: L.ones(2).mean(dtype=L.int64), r"mean.*float.*int64"),
    },
)
ROWS += rows(
    "Tensor.mean",
    {
        "integers_as_float": lambda L: L.tensor([1, 2]).mean(dtype=L.float32),
        "empty": lambda L: L.ones(0).mean(),
        "empty_rows": lambda L: L.ones(2, 0).mean(1),
        "dims_positional": lambda L: tensor(L, 2, 3, 4).mean((0, 1), True),
    },
)
ROWS += rows(
    "Tensor.sum",
    {
        "dims_positional": lambda L: tensor(L, 2, 3, 4).sum((0, 1), True),
        "dim_tensor": lambda L: tensor(L, 2, 3).sum(L.tensor(1)),
        "uint8_no_overflow": lambda L: L.full((300,), 255, dtype=L.uint8).sum(),
        "bool_counts": lambda L: (tensor(L, 40) > 0).sum(),
        "int64_wraps": lambda L: L.full((2,), 2**62).sum(),
        "transposed": lambda L: tensor(L, 3, 4).T.sum(0),
        "expanded": lambda L: tensor(L, 3).expand(4, 3).sum(0),
        "strided": lambda L: tensor(L, 9)[::2].sum(),
    },
)

# ---- running sums and products, softmax, norm

for name in ("cumsum", "cumprod"):
    ROWS += rows(
        f"Tensor.{name}",
        {
            "first": lambda L, n=name: getattr(tensor(L, 3, 4), n)(0),
            "negative": lambda L, n=name: getattr(tensor(L, 3, 4), n)(dim=-1),
            "function": lambda L, n=name: getattr(L, n)(tensor(L, 3, 4), 1),
            "zero_dim": lambda L, n=name: getattr(tensor(L), n)(0),
            "empty": lambda L, n=name: getattr(tensor(L, 0, 3), n)(0),
            "axis": lambda L, n=name: getattr(tensor(L, 3, 4), n)(axis=0),
            "dtype": lambda L, n=name: getattr(L.tensor([1, 2, 3]), n)(0, dtype=L.float32),
            "every_dtype": of_every_dtype(name, dim=1),
            "gradient": lambda L, n=name: given(
                lambda x: gradients(L, getattr(x, n)(1), x), tensor(L, 3, 4, grad=True)
            ),
            "gradient_zero_dim": lambda L, n=name: given(
                lambda x: gradients(L, getattr(x, n)(0), x), tensor(L, grad=True)
            ),
            "int8_wraps_not": lambda L, n=name: getattr(L.tensor([100, 100], dtype=L.int8), n)(0),
        },
    )
    ROWS += errors(
        f"Tensor.{name}",
        {
            "out_of_range": (lambda L, n=name: getattr(L.ones(2), n)(1), rf"{name}.*range"),
            "no_dim": (lambda L, n=name: getattr(L.ones(2), n)(), "dim"),
            "zero_dim_range": (lambda L, n=name: getattr(L.tensor(1.0), n)(1), rf"{name}.*range"),
            "float_dim": (lambda L, n=name: getattr(L.ones(2), n)(0.5), rf"{name}.*float"),
            "bool_dtype": (lambda L, n=name: getattr(L.tensor([1, 0]), n)(0, dtype=L.bool), rf"{name}.*bool"),
        },
    )
ROWS += rows(
    "cumprod",
    {
        "gradient_one_zero": lambda L: given(
            lambda x: gradients(L, x.cumprod(0), x), L.tensor([2.0, 0.0, 3.0, 4.0], dtype=L.float64, requires_grad=True)
        ),
        "gradient_two_zeros": lambda L: given(
            lambda x: gradients(L, x.cumprod(0), x),
            L.tensor([2.0, 0.0, 3.0, 0.0, 5.0], dtype=L.float64, requires_grad=True),
        ),
    },
)
ROWS += rows(
    "Tensor.prod",
    {
        f"gradient_zeros_{k}": (
            lambda L, v=values: given(
                lambda x: gradients(L, x.prod(1), x),
                L.tensor([v, [1.0, 2.0, 3.0]], dtype=L.float64, requires_grad=True),
            )
        )
        for k, values in {"none": [2.0, 3.0, 4.0], "one": [2.0, 0.0, 4.0], "two": [0.0, 0.0, 4.0]}.items()
    },
)
ROWS += rows(
    "Tensor.prod",
    {
        "gradient_zero_all": lambda L: given(
            lambda x: gradients(L, x.prod(), x), L.tensor([[2.0, 0.0], [4.0, 5.0]], dtype=L.float64, requires_grad=True)
        ),
        "bool": lambda L: L.tensor([True, False]).prod(),
        "uint8": lambda L: L.full((3,), 200, dtype=L.uint8).prod(),
    },
)
for name in ("softmax", "log_softmax"):
    ROWS += rows(
        f"Tensor.{name}",
        {
            "last": lambda L, n=name: getattr(tensor(L, 2, 3), n)(-1),
            "first": lambda L, n=name: getattr(tensor(L, 2, 3), n)(dim=0),
            "middle": lambda L, n=name: getattr(tensor(L, 2, 3, 4), n)(1),
            "function": lambda L, n=name: getattr(L, n)(tensor(L, 2, 3), 1),
            "large": lambda L, n=name: getattr(L.tensor([1000.0, 1001.0, -1000.0]), n)(0),
            "zero_dim": lambda L, n=name: getattr(tensor(L), n)(0),
            "zero_dim_negative": lambda L, n=name: getattr(tensor(L), n)(-1),
            "empty": lambda L, n=name: getattr(tensor(L, 0, 3), n)(1),
            "empty_dim": lambda L, n=name: getattr(tensor(L, 3, 0), n)(1),
            "all_masked": lambda L, n=name: getattr(L.tensor([-INF, -INF]), n)(0),
            "one_masked": lambda L, n=name: getattr(L.tensor([0.0, -INF, 1.0]), n)(0),
            "transposed": lambda L, n=name: getattr(tensor(L, 3, 4).T, n)(0),
            "float16": lambda L, n=name: getattr(tensor(L, 3, 4).half(), n)(1),
            "gradient": lambda L, n=name: given(
                lambda x: gradients(L, getattr(x, n)(1), x), tensor(L, 3, 4, grad=True)
            ),
            "gradient_float32": lambda L, n=name: given(
                lambda x: gradients(L, getattr(x, n)(0), x), tensor(L, 3, 4, dtype="float32", grad=True)
            ),
            "dtype_gradient": lambda L, n=name: given(
                lambda x: gradients(L, getattr(x, n)(1, dtype=L.float64), x),
                tensor(L, 3, 4, dtype="float32", grad=True),
            ),
        },
    )
    ROWS += errors(
        f"Tensor.{name}",
        {
            "out_of_range": (lambda L, n=name: getattr(L.ones(2), n)(1), rf"{name}.*range"),
            "integers": (lambda L, n=name: getattr(L.tensor([1, 2]), n)(0), rf"{name}.*int64"),
            "bools": (lambda L, n=name: getattr(L.tensor([True]), n)(0), rf"{name}.*bool"),
            "float_dim": (lambda L, n=name: getattr(L.ones(2), n)(0.5), rf"{name}.*float"),
            "no_dim": (lambda L, n=name: getattr(L.ones(2), n)(), r"dim"),
        },
    )
ROWS += rows(
    "Tensor.logsumexp",
    {
        "large": lambda L: L.tensor([1000.0, 1000.0]).logsumexp(0),
        "small": lambda L: L.tensor([-1000.0, -1000.0]).logsumexp(0),
        "function": lambda L: L.logsumexp(tensor(L, 2, 3), (0, 1)),
        "keepdim_positional": lambda L: tensor(L, 2, 3).logsumexp(1, True),
        "integers": lambda L: L.tensor([1, 2]).logsumexp(0),
        "gradient_minus_infinity": lambda L: given(
            lambda x: gradients(L, x.logsumexp(0), x), L.tensor([-INF, 1.0, 2.0], dtype=L.float64, requires_grad=True)
        ),
    },
)
ROWS += errors(
    "Tensor.logsumexp",
    {
        "no_dim": (lambda L: L.ones(2).logsumexp(), "dim"),
        "none": (lambda L: L.ones(2).logsumexp(None), r"logsumexp.*None"),
    },
)

PS = {
    "one": 1, "two": 2, "three": 3, "half": 0.5, "zero": 0, "inf": INF, "minus_inf": -INF, "minus_one": -1,
    "minus_two": -2, "fro": "fro", "float_two": 2.0, "none": None,
}  # fmt: skip
for special, p in PS.items():
    ROWS += rows(
        "Tensor.norm",
        {
            f"p_{special}": lambda L, p=p: tensor(L, 2, 3, low=0.5).norm(p),
            f"p_{special}_dim": lambda L, p=p: tensor(L, 2, 3, low=0.5).norm(p, 1),
            f"p_{special}_dims": lambda L, p=p: tensor(L, 2, 3, 4, low=0.5).norm(p, (0, 2)),
            f"p_{special}_keepdim": lambda L, p=p: tensor(L, 2, 3, low=-1).norm(p=p, dim=0, keepdim=True),
            f"p_{special}_all_keepdim": lambda L, p=p: tensor(L, 2, 3, low=-1).norm(p=p, keepdim=True),
            f"p_{special}_zeros": lambda L, p=p: L.zeros(2, 3).norm(p, 1),
            f"p_{special}_gradient": lambda L, p=p: given(
                lambda x: gradients(L, x.norm(p), x), tensor(L, 2, 3, grad=True)
            ),
            f"p_{special}_gradient_dim": lambda L, p=p: given(
                lambda x: gradients(L, x.norm(p, dim=1), x), tensor(L, 2, 3, grad=True)
            ),
            f"p_{special}_gradient_zeros": lambda L, p=p: given(
                lambda x: gradients(L, x.norm(p), x), L.zeros(3, dtype=L.float64, requires_grad=True)
            ),
            f"p_{special}_gradient_some_zeros": lambda L, p=p: given(
                lambda x: gradients(L, x.norm(p), x),
                L.tensor([0.0, 3.0, -4.0, 0.0], dtype=L.float64, requires_grad=True),
            ),
            f"p_{special}_function": lambda L, p=p: L.norm(tensor(L, 5), p),
        },
    )
ROWS += rows(
    "Tensor.norm",
    {
        "zero_dim": lambda L: tensor(L).norm(),
        "empty": lambda L: tensor(L, 0).norm(),
        "dtype": lambda L: tensor(L, 3, dtype="float32").norm(dtype=L.float64),
        "float16": lambda L: tensor(L, 3).half().norm(),
        "nan": lambda L: L.tensor([1.0, NAN]).norm(),
        "large": lambda L: L.tensor([1e200, 1e200], dtype=L.float64).norm(1),
    },
)
ROWS += errors(
    "Tensor.norm",
    {
        "integers": (lambda L: L.tensor([3, 4]).norm(), r"norm.*float"),
        "range": (lambda L: L.ones(2).norm(2, 1), r"norm.*range"),
        "text": (lambda L: L.ones(2).norm("abc"), r"norm.*abc"),
        "three_dims": (lambda L: L.ones(2, 2, 2).norm(dim=(0, 1, 2)), r"norm.*fro.*\(0, 1, 2\)"),
    },
)

# ---- what they are called

GRAD_FNS = {
    "sum": "x.sum()", "sum_dim": "x.sum(0)", "sum_dims": "x.sum((0, 1))", "sum_keepdim": "x.sum(1, keepdim=True)",
    "mean": "x.mean()", "mean_dim": "x.mean(0)", "var": "x.var()", "var_dim": "x.var(0)", "std": "x.std()",
    "max": "x.max()", "max_dim": "x.max(0)", "min": "x.min()", "min_dim": "x.min(1)", "amax": "x.amax(0)",
    "amin": "x.amin()", "max_other": "x.max(x * 2)", "prod": "x.prod()", "prod_dim": "x.prod(0)", "norm": "x.norm()",
    "norm_1": "x.norm(1)", "norm_dim": "x.norm(2, 1)", "cumsum": "x.cumsum(0)", "cumprod": "x.cumprod(0)",
    "logsumexp": "x.logsumexp(0)", "softmax": "x.softmax(0)", "log_softmax": "x.log_softmax(0)",
    "median": "x.median()", "median_dim": "x.median(0)",
}  # fmt: skip
ROWS += rows(
    "Tensor.grad_fn",
    {f"of_{k}": (lambda L, e=e: repr(eval(e, {"x": tensor(L, 2, 3, grad=True)}))) for k, e in GRAD_FNS.items()},
)
ROWS += rows(
    "Tensor.grad_fn",
    {
        f"of_{k}_after_backward": (
            lambda L, e=e: given(lambda y: (y.sum().backward(), repr(y))[1], eval(e, {"x": tensor(L, 2, 3, grad=True)}))
        )
        for k, e in GRAD_FNS.items()
        if not k.startswith(("max_dim", "min_dim", "median_dim"))
    },
)
