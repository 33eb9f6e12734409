"""Rows about activations: layers and functions, in place and not; softmax with and without a dimension."""

import math

from .table import errors, gradients, rows, tensor

ROWS = []


# ---- what rows do


def through(L, make, *shape, dtype="float64", state=True):
    """A layer on a random input: result, gradient, what it is called, what it owns."""
    layer = make(L)
    x = tensor(L, *shape, dtype=dtype, grad=True)
    return gradients(L, layer(x), x), repr(layer), list(layer.state_dict()) if state else None


def call(L, name, *args, shape=(3, 4), dtype="float64", **settings):
    """A function of nn.functional on a random input, with the input's gradient."""
    x = tensor(L, *shape, dtype=dtype, grad=True)
    return gradients(L, getattr(L.nn.functional, name)(x, *args, **settings), x)


def strided(L, name, *args):
    """The same on a transposed and on a cut input."""
    x = tensor(L, 4, 6, grad=True)
    f = getattr(L.nn.functional, name)
    return gradients(L, [f(x.T, *args), f(x[::2, 1::2], *args)], x)


def kinds(L, name, *args):
    """The result in all floating point dtypes."""
    f = getattr(L.nn.functional, name)
    return [f(tensor(L, 3, 4, dtype=d), *args) for d in ("float64", "float32")]


def in_place(L, name, *args, **settings):
    """`inplace=True` on a plain tensor: the result is the input, and it has changed."""
    x = tensor(L, 3, 4)
    y = getattr(L.nn.functional, name)(x, *args, inplace=True, **settings)
    return y is x, x, y.requires_grad


def in_place_recorded(L, name, *args):
    """`inplace=True` on the result of an op: the gradient of the leaf, and that the result is the input."""
    x = tensor(L, 3, 4, grad=True)
    h = x * 2
    y = getattr(L.nn.functional, name)(h, *args, inplace=True)
    return y is h, gradients(L, y, x)


def underscored(L, name, *args):
    """A function whose name ends in "_"."""
    x = tensor(L, 3, 4)
    y = getattr(L.nn.functional, name)(x, *args)
    return y is x, x


def leaf_in_place(L, name):
    """`inplace=True` on a leaf that requires grad."""
    return getattr(L.nn.functional, name)(tensor(L, 3, grad=True), inplace=True)


def in_eval(L, make):
    """The layer in eval mode, called twice, in float32."""
    layer = make(L).eval()
    x = tensor(L, 2, 5, dtype="float32")
    return layer(x), layer(x)


# ---- layers; alphas of CELU are exact in float32: PyTorch rounds 1 / alpha to it in backward

LAYERS = {
    "Tanh": {"plain": lambda L: L.nn.Tanh()},
    "Sigmoid": {"plain": lambda L: L.nn.Sigmoid()},
    "ReLU": {"plain": lambda L: L.nn.ReLU(), "named": lambda L: L.nn.ReLU(inplace=False)},
    "LeakyReLU": {
        "plain": lambda L: L.nn.LeakyReLU(),
        "slope": lambda L: L.nn.LeakyReLU(0.2),
        "slope_named": lambda L: L.nn.LeakyReLU(negative_slope=1.5),
        "slope_int": lambda L: L.nn.LeakyReLU(0),
    },
    "GELU": {
        "plain": lambda L: L.nn.GELU(),
        "tanh": lambda L: L.nn.GELU("tanh"),
        "none": lambda L: L.nn.GELU(approximate="none"),
    },
    "ELU": {"plain": lambda L: L.nn.ELU(), "alpha": lambda L: L.nn.ELU(0.3)},
    "CELU": {"plain": lambda L: L.nn.CELU(), "alpha": lambda L: L.nn.CELU(alpha=0.25)},
    "SELU": {"plain": lambda L: L.nn.SELU()},
    "SiLU": {"plain": lambda L: L.nn.SiLU()},
    "Mish": {"plain": lambda L: L.nn.Mish()},
    "ReLU6": {"plain": lambda L: L.nn.ReLU6()},
    "Hardtanh": {
        "plain": lambda L: L.nn.Hardtanh(),
        "bounds": lambda L: L.nn.Hardtanh(-0.4, 0.7),
        "old_names": lambda L: L.nn.Hardtanh(min_value=-0.4, max_value=0.7),
    },
    "LogSigmoid": {"plain": lambda L: L.nn.LogSigmoid()},
    "Softsign": {"plain": lambda L: L.nn.Softsign()},
    "Tanhshrink": {"plain": lambda L: L.nn.Tanhshrink()},
    "Softplus": {
        "plain": lambda L: L.nn.Softplus(),
        "beta": lambda L: L.nn.Softplus(2, 0.5),
        "named": lambda L: L.nn.Softplus(beta=0.5, threshold=1.0),
    },
    "Softmax": {
        "dim": lambda L: L.nn.Softmax(1),
        "negative": lambda L: L.nn.Softmax(dim=-1),
        "first": lambda L: L.nn.Softmax(0),
        "implicit": lambda L: L.nn.Softmax(),
    },
    "LogSoftmax": {
        "dim": lambda L: L.nn.LogSoftmax(1),
        "negative": lambda L: L.nn.LogSoftmax(dim=-1),
        "first": lambda L: L.nn.LogSoftmax(0),
        "implicit": lambda L: L.nn.LogSoftmax(),
    },
    "Softmin": {"dim": lambda L: L.nn.Softmin(1), "implicit": lambda L: L.nn.Softmin()},
}


def layer_in_place(L, make):
    """A layer with inplace=True: whether it gives back its input, what stands there, its text."""
    layer, x = make(L), tensor(L, 3, 4)
    y = layer(x)
    return y is x, x, repr(layer), layer.inplace


def layer_in_place_recorded(L, make):
    """The same between two ops, with the gradient of the leaf."""
    x = tensor(L, 3, 4, grad=True)
    h = x * 2
    y = make(L)(h)
    return y is h, gradients(L, y * 3, x)


def with_no_grad(L, layer):
    """A layer under no_grad."""
    with L.no_grad():
        return layer(tensor(L, 4, grad=True))


def write_view(L):
    """relu into a row of a matrix."""
    x = tensor(L, 3, 4)
    L.nn.functional.relu(x[1], inplace=True)
    return x


def text_of_grad_fn(y):
    """The name of a tensor's grad_fn, without the address that PyTorch prints."""
    return repr(y.grad_fn).strip("<>").split(" ")[0]


def warned(function):
    """Whether a UserWarning is given."""
    import warnings

    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        function()
    return [w.category.__name__ for w in found]


for name, makes in LAYERS.items():
    for special, make in makes.items():
        table = {
            f"{special}_matrix": lambda L, m=make: through(L, m, 3, 4),
            f"{special}_three": lambda L, m=make: through(L, m, 2, 3, 4),
            f"{special}_four": lambda L, m=make: through(L, m, 2, 3, 2, 2),
            f"{special}_float32": lambda L, m=make: through(L, m, 3, 4, dtype="float32"),
            f"{special}_empty": lambda L, m=make: through(L, m, 0, 4),
            f"{special}_eval": lambda L, m=make: in_eval(L, m),
            f"{special}_text": lambda L, m=make: repr(L.nn.Sequential(m(L), m(L))),
        }
        if special not in ("dim",):
            table[f"{special}_zero_dim"] = lambda L, m=make: through(L, m)
            table[f"{special}_vector"] = lambda L, m=make: through(L, m, 4)
        ROWS += rows(f"nn.{name}", table)
ROWS += rows(
    "nn.Softmax2d",
    {
        "images": lambda L: through(L, lambda L: L.nn.Softmax2d(), 2, 3, 2, 2),
        "image": lambda L: through(L, lambda L: L.nn.Softmax2d(), 3, 2, 2),
    },
)

IN_PLACE = {
    "ReLU": lambda L: L.nn.ReLU(True),
    "LeakyReLU": lambda L: L.nn.LeakyReLU(0.3, True),
    "ELU": lambda L: L.nn.ELU(0.3, inplace=True),
    "CELU": lambda L: L.nn.CELU(0.25, True),
    "SELU": lambda L: L.nn.SELU(True),
    "SiLU": lambda L: L.nn.SiLU(True),
    "Mish": lambda L: L.nn.Mish(inplace=True),
    "ReLU6": lambda L: L.nn.ReLU6(True),
    "Hardtanh": lambda L: L.nn.Hardtanh(-0.5, 0.5, True),
}


for name, make in IN_PLACE.items():
    ROWS += rows(
        f"nn.{name}",
        {
            "inplace": lambda L, m=make: layer_in_place(L, m),
            "inplace_recorded": lambda L, m=make: layer_in_place_recorded(L, m),
        },
    )
    ROWS += errors(f"nn.{name}", {"inplace_leaf": (lambda L, m=make: m(L)(tensor(L, 3, grad=True)), r"leaf.*in-place")})

ATTRIBUTES = {
    "LeakyReLU": ("negative_slope", "inplace"),
    "ELU": ("alpha", "inplace"),
    "GELU": ("approximate",),
    "Softplus": ("beta", "threshold"),
    "Hardtanh": ("min_val", "max_val", "inplace"),
    "ReLU6": ("min_val", "max_val"),
    "Softmax": ("dim",),
    "LogSoftmax": ("dim",),
    "ReLU": ("inplace", "training"),
}
for name, attributes in ATTRIBUTES.items():
    ROWS += rows(
        f"nn.{name}",
        {"attributes": lambda L, n=name, a=attributes: [getattr(getattr(L.nn, n)(), attribute) for attribute in a]},
    )
ROWS += rows(
    "nn.ReLU",
    {
        "kinds_of_layers": lambda L: [
            isinstance(L.nn.SELU(), L.nn.ReLU),
            isinstance(L.nn.ReLU6(), L.nn.Hardtanh),
            isinstance(L.nn.LogSoftmax(1), L.nn.Softmax),
        ],
        "gradient_at_zero": lambda L: gradients(L, L.nn.ReLU()(x := L.tensor([0.0, -0.0, 1.0]).requires_grad_()), x),
        "gradient_at_nan": lambda L: gradients(L, L.nn.ReLU()(x := L.tensor([math.nan, 1.0]).requires_grad_()), x),
        "integers": lambda L: L.nn.ReLU()(L.tensor([-1, 0, 3])),
        "small_integers": lambda L: L.nn.ReLU()(L.tensor([-1, 0, 3], dtype=L.int8)),
        "inplace_integers": lambda L: L.nn.ReLU(True)(L.tensor([-1, 0, 3])),
        "no_grad": lambda L: with_no_grad(L, L.nn.ReLU()),
    },
)


ROWS += errors(
    "nn.ReLU",
    {
        "bools": (lambda L: L.nn.ReLU()(L.tensor([True])), r"relu.*[Bb]ool"),
        "list": (lambda L: L.nn.ReLU()([1.0]), r"relu.*list"),
        "three_arguments": (lambda L: L.nn.ReLU(True, 1), r"argument"),
    },
)
ROWS += errors(
    "nn.GELU",
    {
        "word": (lambda L: L.nn.GELU("erf")(L.ones(2)), r"gelu.*none or tanh.*erf"),
        "integers": (lambda L: L.nn.GELU()(L.tensor([1])), r"gelu.*int64"),
    },
)
ROWS += errors("nn.Hardtanh", {"bounds": (lambda L: L.nn.Hardtanh(1.0, -1.0), r"Hardtanh.*-1.*1")})
ROWS += errors("nn.Tanh", {"argument": (lambda L: L.nn.Tanh(3), r"argument")})
ROWS += errors("nn.Sigmoid", {"argument": (lambda L: L.nn.Sigmoid(a=3), r"argument")})
ROWS += errors(
    "nn.Softmax",
    {
        "range": (lambda L: L.nn.Softmax(2)(L.ones(2, 3)), r"softmax.*out of range.*2"),
        "integers": (lambda L: L.nn.Softmax(1)(L.ones(2, 3, dtype=L.int64)), r"softmax.*int64"),
    },
)
ROWS += errors("nn.LogSoftmax", {"range": (lambda L: L.nn.LogSoftmax(-3)(L.ones(2, 3)), r"log_softmax.*out of range")})
ROWS += errors("nn.Softmax2d", {"rank": (lambda L: L.nn.Softmax2d()(L.ones(2, 3)), r"Softmax2d.*2D")})

# ---- functions

FUNCTIONS = {
    "tanh": [()],
    "sigmoid": [()],
    "relu": [()],
    "leaky_relu": [(), (0.2,)],
    "elu": [(), (0.5,)],
    "celu": [(), (0.5,)],
    "selu": [()],
    "silu": [()],
    "mish": [()],
    "gelu": [()],
    "softplus": [(), (2.0, 1.0)],
    "logsigmoid": [()],
    "hardtanh": [(), (-0.5, 0.25)],
    "relu6": [()],
    "softsign": [()],
    "tanhshrink": [()],
    "softmax": [(1,)],
    "log_softmax": [(1,)],
    "softmin": [(1,)],
}
MAY_WRITE = ("relu", "leaky_relu", "elu", "celu", "selu", "silu", "mish", "hardtanh", "relu6")
WHOLE = ("tanh", "sigmoid", "relu", "hardtanh", "relu6", "softsign", "tanhshrink")  # take integers
for name, settings in FUNCTIONS.items():
    for args in settings:
        special = "_".join(map(str, args)) or "plain"
        ROWS += rows(
            f"nn.functional.{name}",
            {
                special: lambda L, n=name, a=args: call(L, n, *a),
                f"{special}_large": lambda L, n=name, a=args: call(L, n, *a, shape=(20, 30)),
                f"{special}_float32": lambda L, n=name, a=args: call(L, n, *a, dtype="float32"),
                f"{special}_float16": lambda L, n=name, a=args: call(L, n, *a, dtype="float16"),
                f"{special}_strided": lambda L, n=name, a=args: strided(L, n, *a),
                f"{special}_kinds": lambda L, n=name, a=args: kinds(L, n, *a),
                f"{special}_empty": lambda L, n=name, a=args: call(L, n, *a, shape=(0, 4)),
            },
        )
    if name not in WHOLE:
        for dtype in ("int64", "int32", "uint8", "bool"):
            if (name, dtype) == ("softmin", "bool"):
                continue
            said = "softmax" if name == "softmin" else name
            ROWS += errors(
                f"nn.functional.{name}",
                {
                    f"of_{dtype}": (
                        lambda L, n=name, a=settings[0], d=dtype: getattr(L.nn.functional, n)(
                            L.ones(2, 3, dtype=getattr(L, d)), *a
                        ),
                        rf"{said}.*{dtype}",
                    )
                },
            )
    if name not in ("tanh", "sigmoid", "softsign", "tanhshrink", "softmin", "softmax", "log_softmax"):
        ROWS += errors(
            f"nn.functional.{name}",
            {"list": (lambda L, n=name, a=settings[0]: getattr(L.nn.functional, n)([1.0], *a), rf"{name}.*list")},
        )
for name in WHOLE:
    for dtype in ("int64", "int32", "int8"):
        ROWS += rows(
            f"nn.functional.{name}",
            {
                f"of_{dtype}": lambda L, n=name, d=dtype: getattr(L.nn.functional, n)(
                    L.tensor([[-9, -1, 0], [1, 2, 7]], dtype=getattr(L, d))
                )
            },
        )
ROWS += rows("nn.functional.tanh", {"of_bool": lambda L: L.nn.functional.tanh(L.tensor([True, False]))})
ROWS += rows("nn.functional.sigmoid", {"of_bool": lambda L: L.nn.functional.sigmoid(L.tensor([True, False]))})
for name in MAY_WRITE:
    args = FUNCTIONS[name][-1]
    ROWS += rows(
        f"nn.functional.{name}",
        {
            "inplace": lambda L, n=name, a=args: in_place(L, n, *a),
            "inplace_recorded": lambda L, n=name, a=args: in_place_recorded(L, n, *a),
        },
    )
    ROWS += errors(f"nn.functional.{name}", {"inplace_leaf": (lambda L, n=name: leaf_in_place(L, n), rf"{name}.*leaf")})
for name, args in {
    "relu_": (),
    "leaky_relu_": (0.3,),
    "elu_": (0.3,),
    "celu_": (0.3,),
    "selu_": (),
    "hardtanh_": (-0.5, 0.5),
}.items():
    ROWS += rows(f"nn.functional.{name}", {"plain": lambda L, n=name, a=args: underscored(L, n, *a)})
ROWS += rows(
    "nn.functional.relu",
    {
        "positional_inplace": lambda L: L.nn.functional.relu(tensor(L, 4), True),
        "view_in_place": write_view,
        "grad_fn": lambda L: type(L.nn.functional.relu(tensor(L, 4, grad=True)).grad_fn).__name__ is not None,
        "name_of_grad_fn": lambda L: text_of_grad_fn(L.nn.functional.relu(tensor(L, 4, grad=True))),
    },
)


for name, args in {
    "tanh": (),
    "sigmoid": (),
    "leaky_relu": (),
    "elu": (),
    "selu": (),
    "celu": (),
    "silu": (),
    "gelu": (),
    "softplus": (),
    "hardtanh": (),
    "softmax": (0,),
    "log_softmax": (0,),
}.items():
    ROWS += rows(
        f"nn.functional.{name}",
        {
            "name_of_grad_fn": lambda L, n=name, a=args: text_of_grad_fn(
                getattr(L.nn.functional, n)(tensor(L, 4, grad=True), *a)
            )
        },
    )
ROWS += rows(
    "nn.functional.gelu",
    {
        "tanh": lambda L: call(L, "gelu", approximate="tanh"),
        "tanh_float32": lambda L: call(L, "gelu", approximate="tanh", dtype="float32"),
        "none": lambda L: call(L, "gelu", approximate="none"),
        "erf_by_hand": lambda L: L.nn.functional.gelu(x := tensor(L, 50)) - 0.5 * x * (1 + L.erf(x / 2**0.5)) + 1,
    },
)
ROWS += errors(
    "nn.functional.gelu",
    {
        "word": (lambda L: L.nn.functional.gelu(L.ones(2), approximate="sigmoid"), r"gelu.*none or tanh.*sigmoid"),
        "positional": (lambda L: L.nn.functional.gelu(L.ones(2), "tanh"), r"positional"),
    },
)
ROWS += errors(
    "nn.functional.leaky_relu",
    {"slope": (lambda L: L.nn.functional.leaky_relu(L.ones(2), "a"), r"leaky_relu.*negative_slope.*str")},
)
ROWS += errors(
    "nn.functional.hardtanh",
    {
        "bounds": (lambda L: L.nn.functional.hardtanh(L.ones(2), 1.0, -1.0), r"hardtanh.*1.0 and -1.0"),
        "bools": (lambda L: L.nn.functional.hardtanh(L.tensor([True])), r"hardtanh.*[Bb]ool"),
        "unsigned": (lambda L: L.nn.functional.hardtanh(L.tensor([1], dtype=L.uint8)), r"hardtanh.*unsigned"),
    },
)
ROWS += errors("nn.functional.relu", {"bools": (lambda L: L.nn.functional.relu(L.tensor([True])), r"relu.*[Bb]ool")})
ROWS += errors("nn.functional.celu", {"alpha_0": (lambda L: L.nn.functional.celu(L.ones(2), 0.0), r"celu.*alpha.*0")})
ROWS += errors("nn.functional.softsign", {"bools": (lambda L: L.nn.functional.softsign(L.tensor([True])), r"bool")})

# ---- softmax and kin

for name in ("softmax", "log_softmax", "softmin"):
    ROWS += rows(
        f"nn.functional.{name}",
        {
            "implicit_zero_dim": lambda L, n=name: call(L, n, shape=()),
            "implicit_vector": lambda L, n=name: call(L, n, shape=(4,)),
            "implicit_matrix": lambda L, n=name: call(L, n, shape=(3, 4)),
            "implicit_three": lambda L, n=name: call(L, n, shape=(2, 3, 4)),
            "implicit_four": lambda L, n=name: call(L, n, shape=(2, 3, 2, 2)),
            "implicit_warns": lambda L, n=name: warned(lambda: getattr(L.nn.functional, n)(tensor(L, 3, 4))),
            "dim_does_not_warn": lambda L, n=name: warned(lambda: getattr(L.nn.functional, n)(tensor(L, 3, 4), 1)),
            "stacklevel": lambda L, n=name: call(L, n, 1, 5),
            "dtype": lambda L, n=name: getattr(L.nn.functional, n)(
                tensor(L, 3, 4, dtype="float32"), 1, dtype=L.float64
            ),
            "dtype_gradient": lambda L, n=name: call(L, n, 1, dtype="float32"),
            "dtype_of_integers": lambda L, n=name: getattr(L.nn.functional, n)(
                L.tensor([[1, 2, 3]]), 1, dtype=L.float64
            ),
            "dtype_positional": lambda L, n=name: getattr(L.nn.functional, n)(L.tensor([[1, 2, 3]]), 1, 3, L.float32),
            "large": lambda L, n=name: getattr(L.nn.functional, n)(L.tensor([[1000.0, 0.0, -1000.0]]), 1),
            "infinite": lambda L, n=name: getattr(L.nn.functional, n)(L.tensor([[math.inf, 0.0]]), 1),
            "minus_infinite": lambda L, n=name: getattr(L.nn.functional, n)(L.tensor([[-math.inf, 0.0]]), 1),
            "nan": lambda L, n=name: getattr(L.nn.functional, n)(L.tensor([[math.nan, 0.0], [1.0, 2.0]]), 1),
            "no_rows": lambda L, n=name: call(L, n, 0, shape=(0, 3)),
            "no_columns": lambda L, n=name: call(L, n, 1, shape=(2, 0)),
            "one_column": lambda L, n=name: call(L, n, 1, shape=(3, 1)),
            "zero_dim": lambda L, n=name: call(L, n, 0, shape=()),
            "zero_dim_negative": lambda L, n=name: call(L, n, -1, shape=()),
            "middle": lambda L, n=name: call(L, n, -2, shape=(2, 3, 4)),
        },
    )
    said = "softmax" if name == "softmin" else name
    ROWS += errors(
        f"nn.functional.{name}",
        {
            "range": (lambda L, n=name: getattr(L.nn.functional, n)(L.ones(2, 3), 2), rf"{said}.*out of range.*2"),
            "float_dim": (lambda L, n=name: getattr(L.nn.functional, n)(L.ones(2, 3), 1.0), rf"{said}.*float"),
            "dtype_of_whole_numbers": (
                lambda L, n=name: getattr(L.nn.functional, n)(L.ones(2, 3), 1, dtype=L.int64),
                rf"{said}.*int64",
            ),
        },
    )


for name in ("softmax", "log_softmax"):
    ROWS += rows(
        name,
        {
            "dtype_positional": lambda L, n=name: getattr(L, n)(L.tensor([[1, 2, 3]]), 1, L.float64),
            "dtype_named": lambda L, n=name: getattr(L, n)(tensor(L, 2, 3), dim=1, dtype=L.float32),
            "method": lambda L, n=name: getattr(tensor(L, 2, 3), n)(-1),
            "method_dtype": lambda L, n=name: getattr(tensor(L, 2, 3), n)(-1, L.float32),
        },
    )
    ROWS += errors(
        name,
        {
            "no_dim": (lambda L, n=name: getattr(L, n)(L.ones(2)), r"dim"),
            "dim_none": (lambda L, n=name: getattr(L, n)(L.ones(2), None), rf"{name}.*dim"),
            "integers": (lambda L, n=name: getattr(L, n)(L.tensor([1, 2]), 0), rf"{name}.*int64"),
            "method_no_dim": (lambda L, n=name: getattr(L.ones(2), n)(), r"dim"),
        },
    )
ROWS += rows(
    "erf",
    {
        "plain": lambda L: gradients(L, L.erf(x := tensor(L, 40, grad=True)), x),
        "float32": lambda L: L.erf(tensor(L, 40, dtype="float32")),
        "wide": lambda L: L.erf(L.linspace(-7, 7, 99, dtype=L.float64)),
        "infinite": lambda L: L.erf(L.tensor([math.inf, -math.inf, math.nan])),
        "integers": lambda L: L.erf(L.tensor([-2, 0, 1])),
    },
)
