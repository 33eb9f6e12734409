"""Rows for ops/elementwise.py, ops/activation.py, ops/softmax.py, ops/dropout.py."""

import numpy as np

from .table import Case, bools, integers, normal, rows, uniform, values

CASES = []

for op, make in (
    ("exp", normal),
    ("log", uniform),
    ("log2", uniform),
    ("log10", uniform),
    ("sqrt", uniform),
    ("rsqrt", uniform),
    ("sin", normal),
    ("cos", normal),
    ("abs", normal),
    ("square", normal),
    ("tanh", normal),
    ("sigmoid", normal),
    ("relu", normal),
):
    CASES += [
        Case(f"{op}/matrix", lambda L, x, o=op: getattr(L, o)(x), (make(3, 4),)),
        Case(f"{op}/method", lambda L, x, o=op: getattr(x, o)(), (make(5),)),
        Case(f"{op}/zero_dim", lambda L, x, o=op: getattr(L, o)(x), (make(),)),
        Case(f"{op}/empty", lambda L, x, o=op: getattr(L, o)(x), (make(0, 3),)),
        Case(f"{op}/integers", lambda L, x, o=op: getattr(L, o)(x), (integers(5, low=1),), grad=False),
    ]
    if op not in ("abs", "square", "relu"):
        CASES += [Case(f"{op}/bools", lambda L, x, o=op: getattr(L, o)(x), (bools(5),), grad=False)]

EXTREME = values([-1000.0, -50.0, -1.0, 1.0, 50.0, 1000.0])
CASES += [
    Case("tanh/saturated", lambda L, x: L.tanh(x), (EXTREME,)),
    Case("sigmoid/saturated", lambda L, x: L.sigmoid(x), (EXTREME,)),
    Case("relu/at_zero", lambda L, x: L.relu(x), (values([-1.0, 0.0, 1.0]),), smooth=False),
    Case("relu/nan", lambda L, x: L.relu(x), (values([np.nan, 1.0]),), grad=False),
    Case("abs/at_zero", lambda L, x: L.abs(x), (values([-1.0, 0.0, 1.0]),), smooth=False),
    Case("abs/operator", lambda L, x: abs(x), (normal(3),)),
    Case("exp/large", lambda L, x: L.exp(x), (values([800.0, -800.0]),), grad=False),
    Case("log/at_zero", lambda L, x: L.log(x), (values([0.0, -1.0, 1.0]),), grad=False),
    Case("log10/at_zero", lambda L, x: L.log10(x), (values([0.0, -1.0, 1.0]),), grad=False),
    Case("log2/at_zero", lambda L, x: L.log2(x), (values([0.0, -1.0, 1.0]),), grad=False),
    Case("sqrt/at_zero", lambda L, x: L.sqrt(x), (values([0.0, -1.0, 1.0]),), grad=False),
    Case("sqrt/gradient_at_zero", lambda L, x: L.sqrt(x), (values([0.0, 1.0]),), smooth=False),
    Case("rsqrt/at_zero", lambda L, x: L.rsqrt(x), (values([0.0, -1.0, 1.0]),), grad=False),
    Case("relu/functional", lambda L, x: L.nn.functional.relu(x), (normal(3, 4),)),
    Case("tanh/functional", lambda L, x: L.nn.functional.tanh(x), (normal(3, 4),)),
    Case("sigmoid/functional", lambda L, x: L.nn.functional.sigmoid(x), (normal(3, 4),)),
]

CASES += rows(
    "clamp",
    {
        "both": lambda L, x: L.clamp(x, -0.5, 0.5),
        "low": lambda L, x: L.clamp(x, min=0.1),
        "high": lambda L, x: x.clamp(max=0.1),
        "crossed": lambda L, x: x.clamp(0.5, -0.5),
        "int_bounds": lambda L, x: x.clamp(-1, 1),
        "clip": lambda L, x: x.clip(-0.5, 0.5),
    },
    normal(4, 5),
)
CASES += [
    Case("clamp/at_bounds", lambda L, x: x.clamp(-1.0, 1.0), (values([-2.0, -1.0, 0.0, 1.0, 2.0]),), smooth=False),
    Case("clamp/integers", lambda L, x: x.clamp(2, 5), (integers(8),), grad=False),
    Case("clamp/integers_float", lambda L, x: x.clamp(2.5, 5), (integers(8),), grad=False),
    Case("clamp/nan", lambda L, x: x.clamp(-1.0, 1.0), (values([np.nan, 3.0]),), grad=False),
    Case("clamp/empty", lambda L, x: x.clamp(-1.0, 1.0), (normal(0, 2),)),
]

ODD = values([np.nan, np.inf, -np.inf, 0.0, -2.0])
for op in ("isnan", "isinf", "isfinite"):
    CASES += [Case(f"{op}/odd", lambda L, x, o=op: getattr(L, o)(x), (ODD,), grad=False)]
    CASES += [Case(f"{op}/integers", lambda L, x, o=op: getattr(L, o)(x), (integers(3),), grad=False)]
CASES += [Case("sign/floats", lambda L, x: L.sign(x), (values([-2.0, 0.0, 3.0]),), grad=False)]
CASES += [Case("sign/integers", lambda L, x: x.sign(), (integers(5, low=-3),), grad=False)]

# ---- softmax and kin

for op in ("softmax", "log_softmax"):
    CASES += [
        *rows(
            op,
            {
                "last": lambda L, x, o=op: getattr(L, o)(x, -1),
                "first": lambda L, x, o=op: getattr(L, o)(x, dim=0),
                "middle": lambda L, x, o=op: getattr(x, o)(1),
                "functional": lambda L, x, o=op: getattr(L.nn.functional, o)(x, dim=2),
            },
            normal(2, 3, 4),
        ),
        Case(f"{op}/vector", lambda L, x, o=op: getattr(L, o)(x, 0), (normal(6),)),
        Case(f"{op}/zero_dim", lambda L, x, o=op: getattr(L, o)(x, 0), (normal(),)),
        Case(f"{op}/one_class", lambda L, x, o=op: getattr(L, o)(x, 1), (normal(4, 1),)),
        Case(
            f"{op}/large", lambda L, x, o=op: getattr(L, o)(x * 1000, 1), (normal(3, 4),), smooth=False, condition=4000
        ),
        Case(f"{op}/minus_inf", lambda L, x, o=op: getattr(L, o)(x, 0), (values([0.0, -np.inf, 1.0]),), smooth=False),
        Case(f"{op}/empty_batch", lambda L, x, o=op: getattr(L, o)(x, 1), (normal(0, 4),)),
        Case(f"{op}/no_classes", lambda L, x, o=op: getattr(L, o)(x, 1), (normal(4, 0),)),
        Case(f"{op}/dtype", lambda L, x, o=op: getattr(L, o)(x, 1, dtype=L.float64), (integers(2, 3),), grad=False),
    ]

CASES += rows(
    "logsumexp",
    {
        "last": lambda L, x: L.logsumexp(x, -1),
        "first_kept": lambda L, x: x.logsumexp(0, keepdim=True),
        "several": lambda L, x: x.logsumexp((0, 2)),
        "several_kept": lambda L, x: x.logsumexp((-1, 0), keepdim=True),
        "all": lambda L, x: x.logsumexp((0, 1, 2)),
        "large": lambda L, x: (x * 300).logsumexp(1),
    },
    normal(2, 3, 4),
    condition=30,
)
CASES += [
    Case("logsumexp/zero_dim", lambda L, x: x.logsumexp(0), (normal(),)),
    Case("logsumexp/empty_batch", lambda L, x: x.logsumexp(1), (normal(0, 4),)),
    Case("logsumexp/no_terms", lambda L, x: x.logsumexp(1), (normal(4, 0),)),
    Case("logsumexp/minus_inf", lambda L, x: x.logsumexp(0), (values([-np.inf, -np.inf]),), grad=False),
    Case("logsumexp/one_minus_inf", lambda L, x: x.logsumexp(0), (values([-np.inf, 1.0]),), smooth=False),
    Case("logsumexp/inf", lambda L, x: x.logsumexp(0), (values([np.inf, 1.0]),), grad=False),
    Case("logsumexp/integers", lambda L, x: x.logsumexp(0), (integers(4),), grad=False),
]


# ---- dropout: the mask comes from the seed


def dropout(L, x, *args, **kwargs):
    """Dropout after seeding."""
    L.manual_seed(7)
    return L.nn.functional.dropout(x, *args, **kwargs)


CASES += rows(
    "dropout",
    {
        "default": dropout,
        "low": lambda L, x: dropout(L, x, 0.1),
        "high": lambda L, x: dropout(L, x, p=0.9),
        "twice": lambda L, x: dropout(L, x, 0.5) + L.nn.functional.dropout(x, 0.5),
    },
    normal(7, 9),
)
CASES += [
    Case("dropout/images", lambda L, x: dropout(L, x, 0.25), (normal(2, 3, 4, 5),)),
    Case("dropout/zero_dim", lambda L, x: dropout(L, x, 0.25), (normal(),)),
    Case("dropout/empty", lambda L, x: dropout(L, x, 0.25), (normal(0, 4),)),
]
