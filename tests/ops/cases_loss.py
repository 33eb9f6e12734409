"""Rows for ops/loss.py: every shape and reduction, with weights, ignored classes, smoothing and probabilities."""

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
CASES += [
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
