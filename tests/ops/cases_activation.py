"""Rows for ops/activation.py, ops/smooth_activation.py, ops/erf.py, the channels of ops/dropout.py; in place, too."""

import numpy as np

from .table import Case, bools, integers, normal, rows, values

CASES = []

SHAPES = {"matrix": (3, 4), "vector": (7,), "zero_dim": (), "empty": (0, 3), "image": (2, 3, 4, 2)}
# Both sides of every bend, none on it.
WIDE = values([-1000.0, -40.0, -9.0, -5.9, -2.0, -1.5, -0.999, -0.3, -1e-3, 1e-3, 0.3, 0.999, 1.5, 5.9, 6.1, 9.0, 40.0])
KINKS = values([-1.0, 0.0, 1.0, 6.0, -0.0])
STRANGE = values([np.nan, np.inf, -np.inf, 1.0])

FUNCTIONS = {
    "leaky_relu": [(), (0.2,), (1.5,), (0.0,)],
    "elu": [(), (0.5,), (2,)],
    "celu": [(), (0.5,), (2.0,)],
    "selu": [()],
    "hardtanh": [(), (-2.2, 0.5)],
    "relu6": [()],
    "silu": [()],
    "mish": [()],
    "softplus": [(), (2.0,), (0.5, 3.0)],
    "logsigmoid": [()],
    "softsign": [()],
    "tanhshrink": [()],
    "gelu": [()],
}
IN_PLACE = ("leaky_relu", "elu", "celu", "selu", "hardtanh", "relu6", "silu", "mish", "relu")
UNDERSCORED = ("relu_", "leaky_relu_", "elu_", "celu_", "selu_", "hardtanh_")
BENDS = ("leaky_relu", "elu", "celu", "selu", "hardtanh", "relu6")


def functional(L, name):
    """A function of nn.functional."""
    return getattr(L.nn.functional, name)


for name, settings in FUNCTIONS.items():
    for shape_name, shape in SHAPES.items():
        CASES += [Case(f"{name}/{shape_name}", lambda L, x, n=name: functional(L, n)(x), (normal(*shape),))]
    for args in settings:
        CASES += [
            Case(
                f"{name}/{'_'.join(map(str, args)) or 'plain'}_wide",
                lambda L, x, n=name, args=args: functional(L, n)(x, *args),
                (WIDE,),
            ),
        ]
    CASES += [Case(f"{name}/kinks", lambda L, x, n=name: functional(L, n)(x), (KINKS,), smooth=False)]
    if name != "gelu":  # gelu(inf) is nan in PyTorch where vector code runs, inf where it does not
        CASES += [Case(f"{name}/nan_and_infinite", lambda L, x, n=name: functional(L, n)(x), (STRANGE,), smooth=False)]
for name in IN_PLACE:
    CASES += [
        Case(f"{name}/inplace", lambda L, x, n=name: functional(L, n)(x * 1, inplace=True), (normal(3, 4),)),
        Case(f"{name}/inplace_read_before", lambda L, x, n=name: after_write(L, x, n), (normal(3, 4),)),
    ]
for name in UNDERSCORED:
    CASES += [Case(f"{name}/recorded", lambda L, x, n=name: functional(L, n)(x * 1), (normal(3, 4),))]


def after_write(L, x, name):
    """What was computed from a tensor before a write keeps its gradient."""
    y = x * 2
    before = y * 3
    functional(L, name)(y, inplace=True)
    return y + before


CASES += rows(
    "gelu",
    {
        "tanh": lambda L, x: L.nn.functional.gelu(x, approximate="tanh"),
        "none": lambda L, x: L.nn.functional.gelu(x, approximate="none"),
        "twice": lambda L, x: L.nn.functional.gelu(L.nn.functional.gelu(x)),
    },
    normal(4, 5, std=2.0),
)
CASES += [
    Case("gelu/tanh_wide", lambda L, x: L.nn.functional.gelu(x, approximate="tanh"), (WIDE,)),
    Case("erf/matrix", lambda L, x: L.erf(x), (normal(3, 40),)),
    Case("erf/wide", lambda L, x: L.erf(x), (WIDE,)),
    Case("erf/near_one", lambda L, x: L.erf(x), (values(np.linspace(0.9, 1.1, 21)),)),
    Case("erf/small", lambda L, x: L.erf(x), (values([1e-3, -1e-8, 1e-20, 0.0]),)),
    Case("erf/strange", lambda L, x: L.erf(x), (STRANGE,), smooth=False),
    Case("erf/integers", lambda L, x: L.erf(x), (integers(5, low=-3, high=4),), grad=False),
    Case("erf/bools", lambda L, x: L.erf(x), (bools(5),), grad=False),
    Case("erf/zero_dim", lambda L, x: L.erf(x), (normal(),)),
    Case("erf/empty", lambda L, x: L.erf(x), (normal(0),)),
    Case("relu/signed", lambda L, x: L.nn.functional.relu(x), (integers(5, low=-3, high=4),), grad=False),
    Case("relu/nan_passes", lambda L, x: L.nn.functional.relu(x), (STRANGE,), smooth=False),
    Case("relu6/integers", lambda L, x: L.nn.functional.relu6(x), (integers(9, low=-5, high=9),), grad=False),
    Case(
        "hardtanh/integers",
        lambda L, x: L.nn.functional.hardtanh(x, -2.0, 2.0),
        (integers(9, low=-5, high=9),),
        grad=False,
    ),
    Case("softsign/integers", lambda L, x: L.nn.functional.softsign(x), (integers(9, low=-5, high=9),), grad=False),
    Case("tanhshrink/integers", lambda L, x: L.nn.functional.tanhshrink(x), (integers(9, low=-5, high=9),), grad=False),
    Case("sigmoid/small_results", lambda L, x: L.sigmoid(x).log(), (values([-30.0, -20.0, -5.0, 3.0]),)),
    Case("silu/nested", lambda L, x: L.nn.functional.silu(L.nn.functional.silu(x)), (normal(4, 5),)),
]

# ---- softmin, and what implicit dims give

for rank, shape in {"zero_dim": (), "vector": (4,), "matrix": (3, 4), "three": (2, 3, 4), "four": (2, 3, 2, 2)}.items():
    for name in ("softmin", "softmax", "log_softmax"):
        CASES += [
            Case(f"{name}/last_{rank}", lambda L, x, n=name: functional(L, n)(x, -1), (normal(*shape),)),
            Case(f"{name}/first_{rank}", lambda L, x, n=name: functional(L, n)(x, dim=0), (normal(*shape),)),
        ]

# ---- channels dropped together


def dropped(L, x, name, **settings):
    """A dropout function with a fixed seed; the draws are 0 or 1 in both libraries alike."""
    L.manual_seed(5)
    return functional(L, name)(x, **settings)


for name, shape in {
    "dropout1d": (4, 5, 3),
    "dropout2d": (3, 4, 2, 5),
    "dropout": (3, 4),
}.items():
    CASES += [
        Case(f"{name}/half", lambda L, x, n=name: dropped(L, x, n), (normal(*shape),)),
        Case(f"{name}/fifth", lambda L, x, n=name: dropped(L, x, n, p=0.2), (normal(*shape),)),
        Case(f"{name}/all", lambda L, x, n=name: dropped(L, x, n, p=1.0), (normal(*shape),)),
        Case(f"{name}/none", lambda L, x, n=name: dropped(L, x, n, p=0.0) * 1, (normal(*shape),)),
        Case(f"{name}/eval", lambda L, x, n=name: dropped(L, x, n, training=False) * 1, (normal(*shape),)),
        Case(f"{name}/inplace", lambda L, x, n=name: dropped(L, x * 1, n, inplace=True), (normal(*shape),)),
    ]
CASES += [Case("dropout1d/unbatched", lambda L, x: dropped(L, x, "dropout1d"), (normal(6, 3),))]
