"""Rows for ops/loss.py, ops/regression_loss.py, ops/probability_loss.py: every shape and reduction, with weights,
ignored classes, smoothing and probabilities. What the last two share is in ops/loss_reduction.py.
"""

import numpy as np

from .table import Case, integers, normal, probabilities, rows, uniform, values

CASES = []

LOGITS = normal(6, 4)
CLASSES = integers(6, high=4)


def entropy(L, x, y, w=None, **how):
    """cross_entropy."""
    return L.nn.functional.cross_entropy(x, y, weight=w, **how)


def likelihood(L, x, y, w=None, **how):
    """nll_loss after log_softmax."""
    return L.nn.functional.nll_loss(L.nn.functional.log_softmax(x, 1 if x.ndim > 1 else 0), y, weight=w, **how)


SHAPES = {
    "rows": (LOGITS, CLASSES),
    "one_row": (normal(1, 4), values([2])),
    "vector": (normal(4), values(2)),
    "sequence": (normal(3, 4, 5), integers(3, 5, high=4)),
    "image": (normal(2, 4, 3, 2), integers(2, 3, 2, high=4)),
}
for reduction in ("mean", "sum", "none"):
    for name, inputs in SHAPES.items():
        for op, f in (("cross_entropy", entropy), ("nll_loss", likelihood)):
            if name == "vector" and reduction == "none" and op == "nll_loss":
                pass
            how = {"reduction": reduction}
            CASES += [
                Case(f"{op}/{name}_{reduction}", lambda L, x, y, f=f, how=how: f(L, x, y, **how), inputs),
                Case(
                    f"{op}/{name}_{reduction}_weight",
                    lambda L, x, y, w, f=f, how=how: f(L, x, y, w, **how),
                    (*inputs, uniform(4)),
                    no_grad_for=(2,),
                ),
                Case(
                    f"{op}/{name}_{reduction}_ignore",
                    lambda L, x, y, f=f, how=how: f(L, x, y, ignore_index=3, **how),
                    inputs,
                ),
            ]
        CASES += rows(
            "cross_entropy",
            {
                f"{name}_{reduction}_smoothing": lambda L, x, y, w, r=reduction: entropy(
                    L, x, y, reduction=r, label_smoothing=0.2
                ),
                f"{name}_{reduction}_smoothing_weight_ignore": lambda L, x, y, w, r=reduction: entropy(
                    L, x, y, w, reduction=r, label_smoothing=0.2, ignore_index=1
                ),
            },
            *inputs,
            uniform(4),
            no_grad_for=(2,),
        )
    for name, shape in {"rows": (6, 4), "vector": (4,), "sequence": (3, 4, 5)}.items():
        inputs = (normal(*shape), probabilities(*shape, axis=min(len(shape) - 1, 1)))
        CASES += [
            Case(
                f"cross_entropy/probabilities_{name}_{reduction}",
                lambda L, x, p, r=reduction: entropy(L, x, p, reduction=r),
                inputs,
            ),
            Case(
                f"cross_entropy/probabilities_{name}_{reduction}_weight_smoothing",
                lambda L, x, p, w, r=reduction: entropy(L, x, p, w, reduction=r, label_smoothing=0.1),
                (*inputs, uniform(4)),
                no_grad_for=(2,),
            ),
        ]
    CASES += [
        Case(
            f"mse_loss/{reduction}",
            lambda L, a, b, r=reduction: L.nn.functional.mse_loss(a, b, reduction=r),
            (normal(3, 4), normal(3, 4)),
        ),
        Case(
            f"mse_loss/{reduction}_target",
            lambda L, a, b, r=reduction: L.nn.functional.mse_loss(a, b, reduction=r),
            (normal(3, 4), normal(3, 4)),
            no_grad_for=(1,),
        ),
        Case(
            f"mse_loss/{reduction}_zero_dim",
            lambda L, a, b, r=reduction: L.nn.functional.mse_loss(a, b, reduction=r),
            (normal(), normal()),
        ),
        Case(
            f"mse_loss/{reduction}_empty",
            lambda L, a, b, r=reduction: L.nn.functional.mse_loss(a, b, reduction=r),
            (normal(0, 2), normal(0, 2)),
            smooth=False,
        ),
        Case(
            f"cross_entropy/{reduction}_empty",
            lambda L, x, y, r=reduction: entropy(L, x, y, reduction=r),
            (normal(0, 4), integers(0)),
            smooth=False,
        ),
        Case(
            f"cross_entropy/{reduction}_all_ignored",
            lambda L, x, y, r=reduction: entropy(L, x, y, reduction=r),
            (normal(2, 4), values([-100, -100])),
            smooth=False,
        ),
        Case(
            f"cross_entropy/{reduction}_some_ignored",
            lambda L, x, y, r=reduction: entropy(L, x, y, reduction=r),
            (normal(3, 4), values([1, -100, 3])),
        ),
    ]

# ---- numbers against numbers

REGRESSION = {
    "l1_loss": [{}],
    "smooth_l1_loss": [{}, {"beta": 0.4}, {"beta": 3}],
    "huber_loss": [{}, {"delta": 0.4}, {"delta": 3}],
    "mse_loss": [{}],
}


def functional(L, name):
    """A function of nn.functional."""
    return getattr(L.nn.functional, name)


for name, settings in REGRESSION.items():
    for how in settings:
        what = "_".join(f"{key}_{value}" for key, value in how.items()) or "plain"
        for reduction in ("mean", "sum", "none"):
            CASES += [
                Case(
                    f"{name}/{what}_{reduction}",
                    lambda L, a, b, n=name, r=reduction, how=how: functional(L, n)(a, b, reduction=r, **how),
                    (normal(5, 4), normal(5, 4)),
                )
            ]
    for reduction in ("mean", "sum", "none"):
        CASES += [
            Case(
                f"{name}/{reduction}_vector",
                lambda L, a, b, n=name, r=reduction: functional(L, n)(a, b, reduction=r),
                (normal(7), normal(7)),
                no_grad_for=(1,),
            ),
            Case(
                f"{name}/{reduction}_number",
                lambda L, a, b, n=name, r=reduction: functional(L, n)(a, b, reduction=r),
                (normal(), normal()),
            ),
            Case(
                f"{name}/{reduction}_nothing",
                lambda L, a, b, n=name, r=reduction: functional(L, n)(a, b, reduction=r),
                (normal(0, 2), normal(0, 2)),
                smooth=False,
            ),
            Case(
                f"{name}/{reduction}_equal",
                lambda L, a, b, n=name, r=reduction: functional(L, n)(a, b, reduction=r),
                (values([1.0, -2.0, 0.0]), values([1.0, -2.0, 0.0])),
                smooth=False,
            ),
        ]
        if name != "smooth_l1_loss":
            CASES += [
                Case(
                    f"{name}/{reduction}_times_weight",
                    lambda L, a, b, w, n=name, r=reduction: functional(L, n)(a, b, reduction=r, weight=w),
                    (normal(5, 4), normal(5, 4), uniform(5, 4)),
                    no_grad_for=(2,),
                )
            ]
    CASES += [
        Case(
            f"{name}/integer_target",
            lambda L, a, b, n=name: functional(L, n)(a, b),
            (normal(6), integers(6)),
            grad=name != "huber_loss",
        )
    ]
CASES += [
    Case(
        "smooth_l1_loss/beta_0", lambda L, a, b: functional(L, "smooth_l1_loss")(a, b, beta=0), (normal(6), normal(6))
    ),
    Case(
        "smooth_l1_loss/at_beta",
        lambda L, a, b: functional(L, "smooth_l1_loss")(a, b, reduction="none"),
        (values([1.0, -1.0, 2.0, 0.0]), values([0.0] * 4)),
        smooth=False,
    ),
    Case(
        "huber_loss/at_delta",
        lambda L, a, b: functional(L, "huber_loss")(a, b, "none", 2.0),
        (values([2.0, -2.0, 1.0, 3.0]), values([0.0] * 4)),
        smooth=False,
    ),
    Case(
        "l1_loss/integers",
        lambda L, a, b: functional(L, "l1_loss")(a, b, reduction="sum"),
        (integers(5), integers(5)),
        grad=False,
    ),
]

# ---- probabilities against probabilities

LOGISTIC = "binary_cross_entropy_with_logits"
for reduction in ("mean", "sum", "none"):
    how = {"reduction": reduction}
    for name, shape in {
        "matrix": (5, 4),
        "vector": (4,),
        "zero_dim": (),
        "empty": (0, 4),
        "image": (2, 3, 2, 4),
    }.items():
        CASES += [
            Case(
                f"{LOGISTIC}/{reduction}_{name}",
                lambda L, x, t, how=how: functional(L, LOGISTIC)(x, t, **how),
                (normal(*shape, std=3.0), uniform(*shape, low=0.0, high=1.0)),
                smooth=name != "empty",
            ),
            Case(
                f"binary_cross_entropy/{reduction}_{name}",
                lambda L, x, t, how=how: functional(L, "binary_cross_entropy")(x, t, **how),
                (uniform(*shape, low=0.05, high=0.95), uniform(*shape, low=0.0, high=1.0)),
                smooth=name != "empty",
            ),
        ]
    for name, weight in {"all": (5, 4), "columns": (4,), "rows": (5, 1), "one": ()}.items():
        CASES += [
            Case(
                f"{LOGISTIC}/{reduction}_weight_{name}",
                lambda L, x, t, w, how=how: functional(L, LOGISTIC)(x, t, w, **how),
                (normal(5, 4), uniform(5, 4, low=0.0, high=1.0), uniform(*weight)),
                no_grad_for=(2,),
            ),
            Case(
                f"{LOGISTIC}/{reduction}_positive_{name}",
                lambda L, x, t, p, how=how: functional(L, LOGISTIC)(x, t, pos_weight=p, **how),
                (normal(5, 4), uniform(5, 4, low=0.0, high=1.0), uniform(*weight)),
                no_grad_for=(2,),
            ),
            Case(
                f"binary_cross_entropy/{reduction}_weight_{name}",
                lambda L, x, t, w, how=how: functional(L, "binary_cross_entropy")(x, t, w, **how),
                (uniform(5, 4, low=0.05, high=0.95), uniform(5, 4, low=0.0, high=1.0), uniform(*weight)),
                no_grad_for=(2,),
            ),
        ]
    CASES += [
        Case(
            f"{LOGISTIC}/{reduction}_both",
            lambda L, x, t, w, p, how=how: functional(L, LOGISTIC)(x, t, weight=w, pos_weight=p, **how),
            (normal(5, 4), uniform(5, 4, low=0.0, high=1.0), uniform(5, 1), uniform(4)),
            no_grad_for=(2, 3),
        ),
        Case(
            f"{LOGISTIC}/{reduction}_target",
            lambda L, x, t, how=how: functional(L, LOGISTIC)(x, t, **how),
            (normal(5, 4), values((np.arange(20) % 3 == 0).reshape(5, 4), "float64")),
            no_grad_for=(1,),
        ),
        Case(
            f"binary_cross_entropy/{reduction}_target",
            lambda L, x, t, how=how: functional(L, "binary_cross_entropy")(x, t, **how),
            (uniform(5, 4, low=0.05, high=0.95), values((np.arange(20) % 3 == 0).reshape(5, 4), "float64")),
            no_grad_for=(1,),
        ),
        Case(
            f"binary_cross_entropy/{reduction}_certain",
            lambda L, x, t, how=how: functional(L, "binary_cross_entropy")(x, t, **how),
            (values([0.0, 1.0, 0.0, 1.0]), values([0.0, 1.0, 1.0, 0.0])),
            no_grad_for=(1,),
            smooth=False,
        ),
    ]
for reduction in ("sum", "none", "batchmean"):  # "mean" warns: in the surface's rows
    how = {"reduction": reduction}
    for name, shape in {"matrix": (3, 4), "vector": (4,), "three": (2, 3, 4)}.items():
        inputs = (normal(*shape), probabilities(*shape, axis=-1))
        CASES += [
            Case(
                f"kl_div/{reduction}_{name}",
                lambda L, x, t, how=how: functional(L, "kl_div")(functional(L, "log_softmax")(x, -1), t, **how),
                inputs,
            ),
            Case(
                f"kl_div/{reduction}_{name}_logarithms",
                lambda L, x, t, how=how: functional(L, "kl_div")(x, t.log(), log_target=True, **how),
                inputs,
            ),
        ]
    CASES += [
        Case(
            f"kl_div/{reduction}_zeros",
            lambda L, x, t, how=how: functional(L, "kl_div")(x, t, **how),
            (normal(4), values([0.0, 0.5, 0.0, 0.5])),
            no_grad_for=(1,),
        ),
        Case(
            f"kl_div/{reduction}_broadcast",
            lambda L, x, t, how=how: functional(L, "kl_div")(x, t, **how),
            (normal(3, 4), probabilities(4, axis=0)),
        ),
    ]
CASES += [
    Case(
        f"{LOGISTIC}/large",
        lambda L, x, t: functional(L, LOGISTIC)(x * 1000, t),
        (normal(8), uniform(8, low=0.0, high=1.0)),
        smooth=False,
    ),
    Case(
        f"{LOGISTIC}/at_zero", lambda L, x, t: functional(L, LOGISTIC)(x, t), (values([0.0, -0.0]), values([0.3, 1.0]))
    ),
    Case(f"{LOGISTIC}/beyond_one", lambda L, x, t: functional(L, LOGISTIC)(x, t * 3), (normal(5), uniform(5))),
]
for op, f in (("cross_entropy", entropy), ("nll_loss", likelihood)):
    CASES += [
        *(
            Case(
                f"{op}/all_ignored_{reduction}{'_weight' if weight else ''}",
                lambda L, x, y, w, f=f, r=reduction, u=weight: f(L, x, y, w if u else None, reduction=r),
                (normal(2, 4), values([-100, -100]), uniform(4)),
                no_grad_for=(2,),
                smooth=False,
            )
            for reduction in ("mean", "sum", "none")
            for weight in (False, True)
        ),
        Case(
            f"{op}/all_ignored_vector",
            lambda L, x, y, f=f: f(L, x, y, ignore_index=2),
            (normal(4), values(2)),
            smooth=False,
        ),
        Case(f"{op}/bytes", f, (LOGITS, integers(6, high=4, dtype="uint8"))),
        Case(f"{op}/vector_target_of_one", f, (normal(4), values([2])), grad=False),
        Case(
            f"{op}/vector_target_of_one_none",
            lambda L, x, y, f=f: f(L, x, y, reduction="none"),
            (normal(4), values([2])),
            grad=False,
        ),
        Case(f"{op}/five_dimensions", f, (normal(2, 4, 2, 1, 3), integers(2, 2, 1, 3, high=4))),
        Case(f"{op}/empty_image", f, (normal(0, 4, 2, 3), integers(0, 2, 3, high=4)), smooth=False),
        Case(
            f"{op}/ignored_weight",
            lambda L, x, y, w, f=f: f(L, x, y, w, ignore_index=2),
            (LOGITS, CLASSES, uniform(4)),
            no_grad_for=(2,),
        ),
        Case(
            f"{op}/ignored_negative",
            lambda L, x, y, f=f: f(L, x, y, ignore_index=-1),
            (normal(3, 4), values([-1, 0, 3])),
        ),
    ]
CASES += [
    Case(
        "cross_entropy/smoothing_below_zero_is_none",
        lambda L, x, y: entropy(L, x, y, label_smoothing=-0.5),
        (LOGITS, CLASSES),
    ),
    Case(
        "cross_entropy/all_ignored_smoothing",
        lambda L, x, y: entropy(L, x, y, label_smoothing=0.2, ignore_index=1),
        (normal(2, 4), values([1, 1])),
        smooth=False,
    ),
    Case("cross_entropy/no_classes", entropy, (normal(0, 0), integers(0, high=1)), smooth=False),
    Case(
        "cross_entropy/probabilities_with_gradient",
        lambda L, x, p: entropy(L, x, L.nn.functional.softmax(p, 1)),
        (normal(3, 4), normal(3, 4)),
    ),
    Case(
        "cross_entropy/probabilities_empty",
        entropy,
        (normal(0, 4), normal(0, 4)),
        smooth=False,
    ),
    Case(
        "cross_entropy/large_logits",
        lambda L, x, y: entropy(L, x * 1000, y),
        (LOGITS, CLASSES),
        smooth=False,
        condition=1000,
    ),
    Case("cross_entropy/one_class", entropy, (normal(3, 1), values([0, 0, 0]))),
    Case("cross_entropy/full_smoothing", lambda L, x, y: entropy(L, x, y, label_smoothing=1.0), (LOGITS, CLASSES)),
    Case("mse_loss/itself", lambda L, a: L.nn.functional.mse_loss(a, a * 0.5), (normal(3),)),
]
