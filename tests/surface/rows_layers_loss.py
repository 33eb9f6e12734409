"""Rows about losses: modules and functions, old arguments, weights, ignored classes, targets that do not fit."""

import math
import warnings

import numpy as np

from .table import errors, gradients, rows, tensor

ROWS = []


# ---- what rows do


def classes(L, *shape, high=4, seed=3):
    """Random class indices."""
    return L.tensor(np.random.default_rng(seed).integers(0, high, shape).tolist(), dtype=L.int64).reshape(shape)


def probabilities(L, *shape, seed=4, dtype="float64"):
    """Random numbers between 0 and 1."""
    return L.sigmoid(tensor(L, *shape, seed=seed)).to(getattr(L, dtype))


def entropy(L, shape=(6, 4), target=None, dtype="float64", **settings):
    """cross_entropy of random logits with class indices, and their gradient."""
    x = tensor(L, *shape, dtype=dtype, grad=True)
    y = classes(L, *(shape[:1] + shape[2:] if len(shape) > 1 else ())) if target is None else target
    return gradients(L, L.nn.functional.cross_entropy(x, y, **settings), x)


def soft(L, shape=(6, 4), dtype="float64", **settings):
    """cross_entropy with class probabilities, and both gradients."""
    x, p = tensor(L, *shape, dtype=dtype, grad=True), tensor(L, *shape, seed=8, dtype=dtype, grad=True)
    share = L.softmax(p, 1 if len(shape) > 1 else 0)
    return gradients(L, L.nn.functional.cross_entropy(x, share, **settings), x, p)


def likelihood(L, shape=(6, 4), target=None, dtype="float64", **settings):
    """nll_loss of random numbers with class indices, and their gradient."""
    x = tensor(L, *shape, dtype=dtype, grad=True)
    y = classes(L, *(shape[:1] + shape[2:] if len(shape) > 1 else ())) if target is None else target
    return gradients(L, L.nn.functional.nll_loss(x, y, **settings), x)


def pair(L, name, shape=(3, 4), other=None, dtype="float64", both=True, **settings):
    """A loss of two random tensors, and both gradients."""
    a = tensor(L, *shape, dtype=dtype, grad=True)
    b = tensor(L, *(shape if other is None else other), seed=1, dtype=dtype, grad=both)
    y = getattr(L.nn.functional, name)(a, b, **settings)
    return gradients(L, y, a, b) if both else gradients(L, y, a)


def logistic(L, name, shape=(3, 4), dtype="float64", both=True, **settings):
    """Binary cross-entropy of random numbers; probabilities for the form that wants them."""
    x = tensor(L, *shape, dtype=dtype, grad=True)
    t = probabilities(L, *shape, seed=6, dtype=dtype).requires_grad_(both)
    y = getattr(L.nn.functional, name)(x if name.endswith("logits") else L.sigmoid(x), t, **settings)
    return gradients(L, y, x, t) if both else gradients(L, y, x)


def module(L, make, *inputs):
    """A loss module: what it gives, the gradient of its first argument, text, state, and what it remembers."""
    loss = make(L)
    x, *others = (f(L) for f in inputs)
    x.requires_grad_()
    names = ("reduction", "ignore_index", "label_smoothing", "beta", "delta", "log_target")
    remembered = {name: getattr(loss, name) for name in names if hasattr(loss, name)}
    return gradients(L, loss(x, *others), x), repr(loss), dict(loss.state_dict()), remembered


def warned(function):
    """The categories of the warnings that a call gives."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        function()
    return [w.category.__name__ for w in found]


def grad_fn(y):
    """The name of a grad_fn, without the address that PyTorch prints."""
    return repr(y.grad_fn).strip("<>").split(" ")[0]


def as_float32(y):
    """A float64 result of float32 logarithms: its dtype, and as many digits as it has."""
    return str(y.dtype), y.float()


REDUCTIONS = ("mean", "sum", "none")

# ---- cross_entropy

SHAPES = {
    "rows": (6, 4),
    "one_row": (1, 4),
    "vector": (4,),
    "sequence": (3, 4, 5),
    "image": (2, 4, 3, 2),
    "volume": (2, 4, 2, 1, 3),
    "one_class": (3, 1),
}
for reduction in REDUCTIONS:
    for name, shape in SHAPES.items():
        high = 1 if name == "one_class" else 4
        target_shape = shape[:1] + shape[2:] if len(shape) > 1 else ()
        weights = shape[1] if len(shape) > 1 else shape[0]
        ROWS += rows(
            "nn.functional.cross_entropy",
            {
                f"{name}_{reduction}": lambda L, s=shape, r=reduction, t=target_shape, h=high: entropy(
                    L, s, classes(L, *t, high=h), reduction=r
                ),
                f"{name}_{reduction}_weight": lambda L, s=shape, r=reduction, t=target_shape, h=high, w=weights: (
                    entropy(L, s, classes(L, *t, high=h), weight=tensor(L, w, seed=5, low=0.5), reduction=r)
                ),
                f"{name}_{reduction}_ignore": lambda L, s=shape, r=reduction, t=target_shape, h=high: entropy(
                    L, s, classes(L, *t, high=h), ignore_index=0 if h > 1 else 7, reduction=r
                ),
                f"{name}_{reduction}_smoothing": lambda L, s=shape, r=reduction, t=target_shape, h=high: entropy(
                    L, s, classes(L, *t, high=h), label_smoothing=0.3, reduction=r
                ),
                f"{name}_{reduction}_everything": lambda L, s=shape, r=reduction, t=target_shape, h=high, w=weights: (
                    entropy(
                        L,
                        s,
                        classes(L, *t, high=h),
                        weight=tensor(L, w, seed=5, low=0.5),
                        ignore_index=1,
                        label_smoothing=0.3,
                        reduction=r,
                    )
                ),
                f"{name}_{reduction}_probabilities": lambda L, s=shape, r=reduction: soft(L, s, reduction=r),
                f"{name}_{reduction}_probabilities_all": lambda L, s=shape, r=reduction, w=weights: soft(
                    L, s, reduction=r, weight=tensor(L, w, seed=5, low=0.5), label_smoothing=0.2
                ),
            },
        )
        ROWS += rows(
            "nn.functional.nll_loss",
            {
                f"{name}_{reduction}": lambda L, s=shape, r=reduction, t=target_shape, h=high: likelihood(
                    L, s, classes(L, *t, high=h), reduction=r
                ),
                f"{name}_{reduction}_weight": lambda L, s=shape, r=reduction, t=target_shape, h=high, w=weights: (
                    likelihood(L, s, classes(L, *t, high=h), weight=tensor(L, w, seed=5, low=0.5), reduction=r)
                ),
                f"{name}_{reduction}_ignore": lambda L, s=shape, r=reduction, t=target_shape, h=high: likelihood(
                    L, s, classes(L, *t, high=h), ignore_index=0 if h > 1 else 7, reduction=r
                ),
            },
        )


def F(L):
    """nn.functional."""
    return L.nn.functional


ROWS += rows(
    "nn.functional.cross_entropy",
    {
        "positional": lambda L: F(L).cross_entropy(
            tensor(L, 6, 4), classes(L, 6), tensor(L, 4, low=0.5), None, 2, None, "sum", 0.1
        ),
        "float32": lambda L: entropy(L, dtype="float32"),
        "float32_weight": lambda L: entropy(L, dtype="float32", weight=L.tensor([1.0, 2.0, 0.5, 0.1])),
        "float16": lambda L: F(L).cross_entropy(tensor(L, 6, 4, dtype="float16"), classes(L, 6)),
        "bytes": lambda L: entropy(L, target=L.tensor([0, 1, 2, 3, 0, 1], dtype=L.uint8)),
        "size_average_false": lambda L: entropy(L, size_average=False),
        "size_average_true": lambda L: entropy(L, size_average=True),
        "reduce_false": lambda L: entropy(L, reduce=False),
        "reduce_true": lambda L: entropy(L, reduce=True),
        "reduce_and_size_average": lambda L: entropy(L, reduce=True, size_average=False),
        "not_reduced_nor_averaged": lambda L: entropy(L, reduce=False, size_average=False),
        "old_arguments_win": lambda L: entropy(L, reduction="none", size_average=True),
        "old_arguments_positional": lambda L: F(L).cross_entropy(tensor(L, 6, 4), classes(L, 6), None, False),
        "old_arguments_warn": lambda L: warned(lambda: entropy(L, reduce=False)),
        "does_not_warn": lambda L: warned(lambda: entropy(L)),
        "all_ignored": lambda L: entropy(L, (2, 4), L.tensor([-100, -100])),
        "all_ignored_sum": lambda L: entropy(L, (2, 4), L.tensor([-100, -100]), reduction="sum"),
        "all_ignored_none": lambda L: entropy(L, (2, 4), L.tensor([-100, -100]), reduction="none"),
        "all_ignored_smoothing": lambda L: F(L).cross_entropy(
            tensor(L, 2, 4), L.tensor([1, 1]), ignore_index=1, label_smoothing=0.1
        ),
        "all_ignored_weight": lambda L: F(L).cross_entropy(
            tensor(L, 2, 4), L.tensor([1, 1]), ignore_index=1, weight=tensor(L, 4, low=0.5)
        ),
        "some_ignored": lambda L: entropy(L, (3, 4), L.tensor([1, -100, 3])),
        "ignored_out_of_range": lambda L: entropy(L, (3, 4), L.tensor([1, 99, 3]), ignore_index=99),
        "ignored_minus_one": lambda L: entropy(L, (3, 4), L.tensor([1, -1, 3]), ignore_index=-1),
        "weights_of_zero": lambda L: F(L).cross_entropy(tensor(L, 3, 4), classes(L, 3), L.zeros(4).double()),
        "no_rows": lambda L: entropy(L, (0, 4)),
        "no_rows_sum": lambda L: entropy(L, (0, 4), reduction="sum"),
        "no_rows_none": lambda L: entropy(L, (0, 4), reduction="none"),
        "no_rows_probabilities": lambda L: F(L).cross_entropy(L.zeros(0, 4), L.zeros(0, 4)),
        "no_rows_no_classes": lambda L: F(L).cross_entropy(L.zeros(0, 0), L.zeros(0, dtype=L.int64)),
        "no_classes_probabilities": lambda L: F(L).cross_entropy(L.zeros(2, 0), L.zeros(2, 0)),
        "no_pixels": lambda L: F(L).cross_entropy(L.zeros(2, 4, 0), L.zeros(2, 0, dtype=L.int64)),
        "vector_and_target_of_one": lambda L: F(L).cross_entropy(tensor(L, 4), L.tensor([2])),
        "vector_and_target_of_one_none": lambda L: F(L).cross_entropy(tensor(L, 4), L.tensor([2]), reduction="none"),
        "mixed_probabilities": lambda L: as_float32(
            F(L).cross_entropy(tensor(L, 3, 4, dtype="float32"), probabilities(L, 3, 4))
        ),
        "probabilities_not_normalised": lambda L: F(L).cross_entropy(tensor(L, 3, 4), L.ones(3, 4).double() * 2),
        "negative_smoothing_is_none": lambda L: entropy(L, label_smoothing=-0.5),
        "full_smoothing": lambda L: entropy(L, label_smoothing=1.0),
        "large_logits": lambda L: F(L).cross_entropy(tensor(L, 6, 4) * 1e4, classes(L, 6)),
        "infinite_logit": lambda L: F(L).cross_entropy(L.tensor([[math.inf, 0.0]]), L.tensor([1])),
        "impossible_class": lambda L: F(L).cross_entropy(L.tensor([[-math.inf, 0.0]]), L.tensor([0])),
        "impossible_other": lambda L: F(L).cross_entropy(L.tensor([[-math.inf, 0.0]]), L.tensor([1])),
        "nan": lambda L: F(L).cross_entropy(
            L.tensor([[math.nan, 0.0], [0.0, 1.0]]), L.tensor([1, 1]), reduction="none"
        ),
        "strided": lambda L: gradients(
            L, F(L).cross_entropy((x := tensor(L, 4, 12, grad=True)).T[::2], classes(L, 12)[::2]), x
        ),
        "channels_last": lambda L: gradients(
            L, F(L).cross_entropy((x := tensor(L, 3, 5, 4, grad=True)).permute(0, 2, 1), classes(L, 3, 5)), x
        ),
        "uniform": lambda L: F(L).cross_entropy(L.zeros(10, 27), L.arange(10)),
        "chain": lambda L: gradients(
            L, F(L).cross_entropy((x := tensor(L, 6, 4, grad=True)).tanh() * 3, classes(L, 6)), x
        ),
        "twice_backward": lambda L: gradients(
            L, entropy(L)[0].detach() + F(L).cross_entropy(x := tensor(L, 6, 4, grad=True), classes(L, 6)), x
        ),
    },
)
MESSAGES = {
    "target_too_large": (lambda L, f: f(L.zeros(2, 3), L.tensor([0, 3])), r"3.*0 to 2"),
    "target_negative": (lambda L, f: f(L.zeros(2, 3), L.tensor([0, -1])), r"-1.*0 to 2"),
    "target_too_large_vector": (lambda L, f: f(L.zeros(3), L.tensor(3)), r"3.*0 to 2"),
    "target_too_large_image": (lambda L, f: f(L.zeros(2, 3, 1), L.tensor([[3], [0]])), r"3.*0 to 2"),
    "target_int32": (lambda L, f: f(L.zeros(2, 3), L.tensor([0, 1], dtype=L.int32)), r"int64.*int32"),
    "target_int16": (lambda L, f: f(L.zeros(2, 3), L.tensor([0, 1], dtype=L.int16)), r"int64.*int16"),
    "target_bool": (lambda L, f: f(L.zeros(2, 3), L.tensor([True, False])), r"int64.*bool"),
    "target_float": (lambda L, f: f(L.zeros(2, 3), L.tensor([0.0, 1.0])), r"int64.*float32"),
    "batch": (lambda L, f: f(L.zeros(4, 3), L.tensor([0, 1])), r"batch_size \(4\).*\(2\)"),
    "batch_none": (lambda L, f: f(L.zeros(4, 3), L.tensor(1)), r"batch_size \(4\).*\(0\)"),
    "batch_of_images": (lambda L, f: f(L.zeros(2, 3, 4), L.zeros(3, 4, dtype=L.int64)), r"batch_size \(2\).*\(3\)"),
    "column": (lambda L, f: f(L.zeros(2, 3), L.tensor([[0], [1]])), r"\(2, 1\).*\(2, 3\)"),
    "sequence_length": (lambda L, f: f(L.zeros(2, 3, 4), L.zeros(2, 3, dtype=L.int64)), r"\(2, 3\).*\(2, 4\)"),
    "image_size": (lambda L, f: f(L.zeros(2, 3, 4, 5), L.zeros(2, 4, 4, dtype=L.int64)), r"\(2, 4, 4\).*\(2, 4, 5\)"),
    "image_rank": (lambda L, f: f(L.zeros(2, 3, 4, 5), L.zeros(2, 4, dtype=L.int64)), r"\(2, 4\)"),
    "reduction": (lambda L, f: f(L.zeros(2, 3), L.tensor([0, 1]), reduction="average"), r"'average'"),
    "reduction_none": (lambda L, f: f(L.zeros(2, 3), L.tensor([0, 1]), reduction=None), r"None"),
    "weight_length": (lambda L, f: f(L.zeros(2, 3), L.tensor([0, 1]), L.ones(4)), r"weight.*\(4,\).*\(3,\)"),
    "weight_matrix": (lambda L, f: f(L.zeros(2, 3), L.tensor([0, 1]), L.ones(1, 3)), r"weight.*\(1, 3\)"),
    "weight_dtype": (lambda L, f: f(L.zeros(2, 3), L.tensor([0, 1]), L.ones(3).double()), r"weight.*float32.*float64"),
    "weight_integers": (lambda L, f: f(L.zeros(2, 3), L.tensor([0, 1]), L.tensor([1, 2, 3])), r"weight.*int64"),
    "weight_with_gradient": (
        lambda L, f: f(L.zeros(2, 3), L.tensor([0, 1]), L.ones(3).requires_grad_()),
        r"weight.*detach",
    ),
    "integers": (lambda L, f: f(L.zeros(2, 3, dtype=L.int64), L.tensor([0, 1])), r"int64"),
    "no_classes": (lambda L, f: f(L.zeros(2, 0), L.tensor([0, 0])), r"0 classes"),
}
for name in ("cross_entropy", "nll_loss"):
    ROWS += errors(
        f"nn.functional.{name}",
        {
            special: (lambda L, n=name, g=run: g(L, getattr(F(L), n)), rf"{name}.*{message}")
            for special, (run, message) in MESSAGES.items()
        },
    )
ROWS += errors(
    "nn.functional.cross_entropy",
    {
        "list": (lambda L: F(L).cross_entropy([1.0], L.tensor([0])), r"cross_entropy.*list"),
        "list_target": (lambda L: F(L).cross_entropy(L.zeros(1, 2), [0]), r"cross_entropy.*list"),
        "wrong_smoothing": (
            lambda L: F(L).cross_entropy(L.zeros(2, 3), L.tensor([0, 1]), label_smoothing=1.5),
            r"cross_entropy.*1.5",
        ),
        "probabilities_shape": (lambda L: F(L).cross_entropy(L.zeros(2, 3), L.zeros(2, 4)), r"cross_entropy.*\(2, 4\)"),
        "probabilities_ignore": (
            lambda L: F(L).cross_entropy(L.zeros(2, 3), L.zeros(2, 3), ignore_index=1),
            r"cross_entropy.*ignore_index",
        ),
        "probabilities_weight": (
            lambda L: F(L).cross_entropy(L.zeros(2, 3), L.zeros(2, 3), L.ones(2)),
            r"cross_entropy.*weight.*\(2,\)",
        ),
        "probabilities_integers": (
            lambda L: F(L).cross_entropy(L.zeros(2, 3), L.zeros(2, 3, dtype=L.int64)),
            r"cross_entropy.*floating point.*int64",
        ),
        "zero_dim": (lambda L: F(L).cross_entropy(L.tensor(1.0), L.tensor(0)), r"cross_entropy.*floating point"),
        "reduction_before_shapes": (
            lambda L: F(L).cross_entropy(L.zeros(2, 3), L.tensor([0]), reduction="no"),
            r"cross_entropy.*'no'",
        ),
    },
)
ROWS += rows(
    "nn.functional.nll_loss",
    {
        "positional": lambda L: F(L).nll_loss(
            tensor(L, 6, 4), classes(L, 6), tensor(L, 4, low=0.5), None, 2, None, "sum"
        ),
        "is_cross_entropy": lambda L: F(L).nll_loss(F(L).log_softmax(tensor(L, 6, 4), 1), classes(L, 6)),
        "size_average_false": lambda L: likelihood(L, size_average=False),
        "reduce_false": lambda L: likelihood(L, reduce=False),
        "old_arguments_warn": lambda L: warned(lambda: likelihood(L, size_average=True)),
        "bytes": lambda L: likelihood(L, target=L.tensor([0, 1, 2, 3, 0, 1], dtype=L.uint8)),
        "float32": lambda L: likelihood(L, dtype="float32"),
        "no_rows": lambda L: F(L).nll_loss(L.zeros(0, 4), L.zeros(0, dtype=L.int64)),
        "no_rows_sum": lambda L: F(L).nll_loss(L.zeros(0, 4), L.zeros(0, dtype=L.int64), reduction="sum"),
        "no_rows_none": lambda L: F(L).nll_loss(L.zeros(0, 4), L.zeros(0, dtype=L.int64), reduction="none"),
        "all_ignored": lambda L: F(L).nll_loss(tensor(L, 2, 4), L.tensor([-100, -100])),
        "all_ignored_sum": lambda L: likelihood(L, (2, 4), L.tensor([-100, -100]), reduction="sum"),
        "vector_and_target_of_one": lambda L: F(L).nll_loss(tensor(L, 4), L.tensor([2])),
        "vector_and_target_of_one_none": lambda L: F(L).nll_loss(tensor(L, 4), L.tensor([2]), reduction="none"),
    },
)
ROWS += errors(
    "nn.functional.nll_loss",
    {"zero_dim": (lambda L: F(L).nll_loss(L.tensor(1.0), L.tensor(0)), r"nll_loss.*1 or more")},
)

# ---- numbers against numbers

REGRESSION = {
    "mse_loss": [{}],
    "l1_loss": [{}],
    "smooth_l1_loss": [{}, {"beta": 0.3}, {"beta": 0}, {"beta": 2}],
    "huber_loss": [{}, {"delta": 0.3}, {"delta": 2}],
}
for name, settings in REGRESSION.items():
    for how in settings:
        what = "_".join(f"{key}_{value}" for key, value in how.items()) or "plain"
        for reduction in REDUCTIONS:
            ROWS += rows(
                f"nn.functional.{name}",
                {
                    f"{what}_{reduction}": lambda L, n=name, r=reduction, h=how: pair(L, n, reduction=r, **h),
                    f"{what}_{reduction}_broadcast": lambda L, n=name, r=reduction, h=how: pair(
                        L, n, (3, 4), (4,), reduction=r, **h
                    ),
                    f"{what}_{reduction}_zero_dim": lambda L, n=name, r=reduction, h=how: pair(
                        L, n, (), reduction=r, **h
                    ),
                    f"{what}_{reduction}_empty": lambda L, n=name, r=reduction, h=how: pair(
                        L, n, (0, 4), reduction=r, **h
                    ),
                    f"{what}_{reduction}_float32": lambda L, n=name, r=reduction, h=how: pair(
                        L, n, reduction=r, dtype="float32", **h
                    ),
                },
            )
    ROWS += rows(
        f"nn.functional.{name}",
        {
            "target_without_gradient": lambda L, n=name: pair(L, n, both=False),
            "broadcast_warns": lambda L, n=name: warned(lambda: pair(L, n, (3, 4), (4,))),
            "broadcast_up": lambda L, n=name: pair(L, n, (4,), (3, 4)),
            "broadcast_both": lambda L, n=name: pair(L, n, (3, 1), (1, 4), reduction="none"),
            "same_shape_does_not_warn": lambda L, n=name: warned(lambda: pair(L, n)),
            "mixed": lambda L, n=name: getattr(F(L), n)(tensor(L, 3, dtype="float32"), tensor(L, 3, seed=1)),
            "mixed_down": lambda L, n=name: getattr(F(L), n)(tensor(L, 3), tensor(L, 3, seed=1, dtype="float32")),
            "integer_target": lambda L, n=name: getattr(F(L), n)(tensor(L, 3), L.tensor([1, 2, 3])),
            "float16": lambda L, n=name: getattr(F(L), n)(
                tensor(L, 3, dtype="float16"), tensor(L, 3, seed=1, dtype="float16")
            ),
            "nan": lambda L, n=name: getattr(F(L), n)(
                L.tensor([math.nan, 1.0]), L.tensor([0.0, 0.0]), reduction="none"
            ),
            "strided": lambda L, n=name: gradients(
                L, getattr(F(L), n)((x := tensor(L, 4, 6, grad=True)).T[::2], tensor(L, 3, 4, seed=1)), x
            ),
        },
    )
    if name != "l1_loss":
        ROWS += rows(
            f"nn.functional.{name}",
            {"name_of_grad_fn": lambda L, n=name: grad_fn(getattr(F(L), n)(tensor(L, 3, grad=True), tensor(L, 3)))},
        )
    if name != "huber_loss":
        ROWS += rows(
            f"nn.functional.{name}",
            {
                "size_average_false": lambda L, n=name: pair(L, n, size_average=False),
                "reduce_false": lambda L, n=name: pair(L, n, reduce=False),
                "both_old_positional": lambda L, n=name: getattr(F(L), n)(
                    tensor(L, 3), tensor(L, 3, seed=1), False, True
                ),
                "old_arguments_warn": lambda L, n=name: warned(lambda: pair(L, n, reduce=False)),
                "integer_input": lambda L, n=name: getattr(F(L), n)(L.tensor([1, 2, 3]), tensor(L, 3)),
            },
        )
    if name != "smooth_l1_loss":
        for reduction in REDUCTIONS:
            ROWS += rows(
                f"nn.functional.{name}",
                {
                    f"weight_{reduction}": lambda L, n=name, r=reduction: pair(
                        L, n, reduction=r, weight=tensor(L, 3, 4, seed=5, low=0.5)
                    ),
                    f"weight_negative_{reduction}": lambda L, n=name, r=reduction: pair(
                        L, n, reduction=r, weight=tensor(L, 3, 4, seed=5)
                    ),
                },
            )
        ROWS += rows(
            f"nn.functional.{name}",
            {
                "weight_zero": lambda L, n=name: getattr(F(L), n)(
                    tensor(L, 3), L.zeros(3).double(), weight=L.zeros(3).double()
                )
            },
        )
        ROWS += errors(
            f"nn.functional.{name}",
            {
                "weight_shape": (
                    lambda L, n=name: getattr(F(L), n)(L.ones(2, 3), L.ones(2, 3), weight=L.ones(3)),
                    rf"{name}.*\(3,\).*\(2, 3\)",
                )
            },
        )
    ROWS += errors(
        f"nn.functional.{name}",
        {
            "shapes": (lambda L, n=name: getattr(F(L), n)(L.ones(2, 3), L.ones(4)), rf"{name}.*\(3\).*\(4\)"),
            "reduction": (lambda L, n=name: getattr(F(L), n)(L.ones(2), L.ones(2), reduction="avg"), rf"{name}.*'avg'"),
            "integers": (lambda L, n=name: getattr(F(L), n)(L.tensor([1]), L.tensor([2])), r"int64|floating"),
            "bools": (lambda L, n=name: getattr(F(L), n)(L.tensor([True]), L.tensor([False])), r"bool"),
            "no_target": (lambda L, n=name: getattr(F(L), n)(L.ones(2)), r"target"),
        },
    )
ROWS += rows(
    "nn.functional.l1_loss",
    {
        "integers_sum": lambda L: F(L).l1_loss(L.tensor([1, 5]), L.tensor([4, 2]), reduction="sum"),
        "integers_none": lambda L: F(L).l1_loss(L.tensor([1, 5]), L.tensor([4, 2]), reduction="none"),
    },
)
ROWS += rows(
    "nn.functional.huber_loss",
    {"positional": lambda L: F(L).huber_loss(tensor(L, 5), tensor(L, 5, seed=1), "sum", 0.5)},
)
ROWS += errors(
    "nn.functional.huber_loss",
    {
        "delta_zero": (lambda L: F(L).huber_loss(L.ones(2), L.ones(2), delta=0), r"huber_loss.*delta.*0"),
        "delta_negative": (lambda L: F(L).huber_loss(L.ones(2), L.ones(2), delta=-1.0), r"huber_loss.*delta.*-1"),
        "integer_input": (lambda L: F(L).huber_loss(L.tensor([1]), L.ones(1)), r"huber_loss.*int64"),
    },
)
ROWS += errors(
    "nn.functional.smooth_l1_loss",
    {"wrong_beta": (lambda L: F(L).smooth_l1_loss(L.ones(2), L.ones(2), beta=-1), r"smooth_l1_loss.*beta.*-1")},
)

# ---- probabilities against probabilities

LOGISTIC = "binary_cross_entropy_with_logits"
WEIGHTS = {"all": (3, 4), "columns": (4,), "rows": (3, 1), "one": (1,), "zero_dim": ()}
for reduction in REDUCTIONS:
    for name in (LOGISTIC, "binary_cross_entropy"):
        ROWS += rows(
            f"nn.functional.{name}",
            {
                f"plain_{reduction}": lambda L, n=name, r=reduction: logistic(L, n, reduction=r),
                f"float32_{reduction}": lambda L, n=name, r=reduction: logistic(L, n, dtype="float32", reduction=r),
                f"zero_dim_{reduction}": lambda L, n=name, r=reduction: logistic(L, n, (), reduction=r),
                f"empty_{reduction}": lambda L, n=name, r=reduction: logistic(L, n, (0, 4), reduction=r),
                f"target_without_gradient_{reduction}": lambda L, n=name, r=reduction: logistic(
                    L, n, both=False, reduction=r
                ),
                **{
                    f"weight_{special}_{reduction}": lambda L, n=name, r=reduction, s=shape: logistic(
                        L, n, weight=tensor(L, *s, seed=5, low=0.5), reduction=r
                    )
                    for special, shape in WEIGHTS.items()
                },
            },
        )
    ROWS += rows(
        f"nn.functional.{LOGISTIC}",
        {
            **{
                f"pos_weight_{special}_{reduction}": lambda L, r=reduction, s=shape: logistic(
                    L, LOGISTIC, pos_weight=tensor(L, *s, seed=5, low=0.5), reduction=r
                )
                for special, shape in WEIGHTS.items()
            },
            f"both_weights_{reduction}": lambda L, r=reduction: logistic(
                L,
                LOGISTIC,
                weight=tensor(L, 4, seed=5, low=0.5),
                pos_weight=tensor(L, 3, 1, seed=6, low=0.5),
                reduction=r,
            ),
        },
    )
for name in (LOGISTIC, "binary_cross_entropy"):
    ROWS += rows(
        f"nn.functional.{name}",
        {
            "size_average_false": lambda L, n=name: logistic(L, n, size_average=False),
            "reduce_false": lambda L, n=name: logistic(L, n, reduce=False),
            "old_arguments_warn": lambda L, n=name: warned(lambda: logistic(L, n, reduce=False)),
            "name_of_grad_fn": lambda L, n=name: grad_fn(
                getattr(F(L), n)(probabilities(L, 3).requires_grad_(), probabilities(L, 3, seed=2))
            ),
        },
    )
    ROWS += errors(
        f"nn.functional.{name}",
        {
            special: (lambda L, n=name, g=run: g(L, getattr(F(L), n)), rf"{name}.*{message}")
            for special, (run, message) in {
                "shape": (lambda L, f: f(L.ones(3, 4), L.ones(4)), r"\(4,\).*\(3, 4\)"),
                "shape_same_size": (lambda L, f: f(L.ones(3, 4), L.ones(4, 3)), r"\(4, 3\).*\(3, 4\)"),
                "weight_shape": (lambda L, f: f(L.ones(3, 4), L.ones(3, 4), L.ones(3)), r"4.*3"),
                "target_integers": (lambda L, f: f(L.ones(2), L.tensor([0, 1])), r"int64"),
                "target_bools": (lambda L, f: f(L.ones(2), L.tensor([True, False])), r"bool"),
                "reduction": (lambda L, f: f(L.ones(2), L.ones(2), reduction="avg"), r"'avg'"),
            }.items()
        },
    )
ROWS += rows(
    f"nn.functional.{LOGISTIC}",
    {
        "positional": lambda L: F(L).binary_cross_entropy_with_logits(
            tensor(L, 3, 4),
            probabilities(L, 3, 4),
            tensor(L, 4, low=0.5),
            None,
            None,
            "sum",
            tensor(L, 4, seed=2, low=0.5),
        ),
        "zeros_and_ones": lambda L: F(L).binary_cross_entropy_with_logits(
            tensor(L, 4), L.tensor([0.0, 1.0, 1.0, 0.0]).double()
        ),
        "large": lambda L: F(L).binary_cross_entropy_with_logits(
            L.tensor([-1000.0, 1000.0, -1000.0, 1000.0]), L.tensor([0.0, 0.0, 1.0, 1.0]), reduction="none"
        ),
        "large_gradient": lambda L: gradients(
            L,
            F(L).binary_cross_entropy_with_logits(
                x := L.tensor([-1000.0, 1000.0, -1000.0, 1000.0]).requires_grad_(), L.tensor([0.0, 0.0, 1.0, 1.0])
            ),
            x,
        ),
        "target_beyond_one": lambda L: F(L).binary_cross_entropy_with_logits(tensor(L, 4), tensor(L, 4, seed=1) * 3),
        "mixed": lambda L: as_float32(
            F(L).binary_cross_entropy_with_logits(tensor(L, 4, dtype="float32"), probabilities(L, 4))
        ),
        "weight_integers": lambda L: F(L).binary_cross_entropy_with_logits(
            tensor(L, 4), probabilities(L, 4), L.tensor([1, 2, 3, 4])
        ),
        "weight_double": lambda L: F(L).binary_cross_entropy_with_logits(
            tensor(L, 4, dtype="float32"), probabilities(L, 4, dtype="float32"), tensor(L, 4)
        ),
    },
)
ROWS += errors(
    f"nn.functional.{LOGISTIC}",
    {
        "integers": (lambda L: F(L).binary_cross_entropy_with_logits(L.tensor([1]), L.ones(1)), rf"{LOGISTIC}.*int64"),
        "weight_larger": (
            lambda L: F(L).binary_cross_entropy_with_logits(L.ones(3, 4), L.ones(3, 4), L.ones(2, 3, 4)),
            rf"{LOGISTIC}.*\(2, 3, 4\)",
        ),
        "pos_weight_shape": (
            lambda L: F(L).binary_cross_entropy_with_logits(L.ones(3, 4), L.ones(3, 4), pos_weight=L.ones(3)),
            rf"{LOGISTIC}.*4.*3",
        ),
        "pos_weight_larger": (
            lambda L: F(L).binary_cross_entropy_with_logits(L.ones(3, 4), L.ones(3, 4), pos_weight=L.ones(2, 3, 4)),
            rf"{LOGISTIC}.*\(2, 3, 4\)",
        ),
        "pos_weight_number": (
            lambda L: F(L).binary_cross_entropy_with_logits(L.ones(3), L.ones(3), pos_weight=2.0),
            rf"{LOGISTIC}.*float",
        ),
        "weight_with_gradient": (
            lambda L: F(L).binary_cross_entropy_with_logits(L.ones(3), L.ones(3), L.ones(3).requires_grad_()),
            rf"{LOGISTIC}.*detach",
        ),
    },
)
ROWS += rows(
    "nn.functional.binary_cross_entropy",
    {
        "certain": lambda L: F(L).binary_cross_entropy(
            L.tensor([0.0, 1.0, 0.0, 1.0]), L.tensor([0.0, 1.0, 1.0, 0.0]), reduction="none"
        ),
        "certain_gradient": lambda L: gradients(
            L,
            F(L).binary_cross_entropy(
                x := L.tensor([0.0, 1.0, 0.0, 1.0]).requires_grad_(), L.tensor([0.0, 1.0, 1.0, 0.0])
            ),
            x,
        ),
        "positional": lambda L: F(L).binary_cross_entropy(
            probabilities(L, 3, 4), probabilities(L, 3, 4, seed=9), tensor(L, 4, low=0.5), None, None, "sum"
        ),
    },
)
ROWS += errors(
    "nn.functional.binary_cross_entropy",
    {
        "above_one": (
            lambda L: F(L).binary_cross_entropy(L.tensor([1.5]), L.ones(1)),
            r"binary_cross_entropy.*between 0 and 1",
        ),
        "below_zero": (
            lambda L: F(L).binary_cross_entropy(L.tensor([-0.5]), L.ones(1)),
            r"binary_cross_entropy.*between 0",
        ),
        "nan": (
            lambda L: F(L).binary_cross_entropy(L.tensor([math.nan]), L.ones(1)),
            r"binary_cross_entropy.*between 0",
        ),
        "mixed": (lambda L: F(L).binary_cross_entropy(L.ones(1), L.ones(1).double()), r"binary_cross_entropy.*float64"),
    },
)
for reduction in (*REDUCTIONS, "batchmean"):
    ROWS += rows(
        "nn.functional.kl_div",
        {
            f"{reduction}": lambda L, r=reduction: divergence(L, (3, 4), reduction=r),
            f"{reduction}_three": lambda L, r=reduction: divergence(L, (2, 3, 4), reduction=r),
            f"{reduction}_zero_dim": lambda L, r=reduction: divergence(L, (), reduction=r),
            f"{reduction}_float32": lambda L, r=reduction: divergence(L, (3, 4), dtype="float32", reduction=r),
            f"{reduction}_logarithms": lambda L, r=reduction: pair(L, "kl_div", (3, 4), reduction=r, log_target=True),
            f"{reduction}_broadcast": lambda L, r=reduction: pair(
                L, "kl_div", (3, 4), (4,), reduction=r, log_target=True
            ),
            f"{reduction}_empty": lambda L, r=reduction: F(L).kl_div(L.zeros(0, 4), L.zeros(0, 4), reduction=r),
        },
    )


def divergence(L, shape, dtype="float64", **settings):
    """kl_div of random log-probabilities and probabilities, with both gradients."""
    x = tensor(L, *shape, dtype=dtype, grad=True)
    t = probabilities(L, *shape, dtype=dtype).requires_grad_()
    return gradients(L, F(L).kl_div(x, t, **settings), x, t)


ROWS += rows(
    "nn.functional.kl_div",
    {
        "zeros": lambda L: F(L).kl_div(tensor(L, 4), L.tensor([0.0, 0.5, 0.0, 0.5]).double(), reduction="none"),
        "negative": lambda L: F(L).kl_div(tensor(L, 4), -probabilities(L, 4), reduction="none"),
        "warns": lambda L: warned(lambda: F(L).kl_div(tensor(L, 4), probabilities(L, 4))),
        "batchmean_does_not_warn": lambda L: warned(
            lambda: F(L).kl_div(tensor(L, 4), probabilities(L, 4), reduction="batchmean")
        ),
        "size_average_false": lambda L: F(L).kl_div(tensor(L, 4), probabilities(L, 4), False),
        "reduce_false": lambda L: F(L).kl_div(tensor(L, 4), probabilities(L, 4), None, False),
        "mixed": lambda L: F(L).kl_div(tensor(L, 4, dtype="float32"), probabilities(L, 4), reduction="sum"),
    },
)
ROWS += errors(
    "nn.functional.kl_div",
    {
        "reduction": (lambda L: F(L).kl_div(L.ones(2), L.ones(2), reduction="avg"), r"kl_div.*'avg'"),
        "shapes": (lambda L: F(L).kl_div(L.ones(2, 3), L.ones(4)), r"kl_div.*3.*4"),
        "integers": (lambda L: F(L).kl_div(L.ones(2), L.tensor([1, 2])), r"kl_div.*Integral"),
    },
)

# ---- modules


def numbers(L):
    """Input of a loss."""
    return tensor(L, 5, 3)


def others(L):
    """Target of a loss of numbers."""
    return tensor(L, 5, 3, seed=1)


def labels(L):
    """Target of a loss of classes."""
    return classes(L, 5, high=3)


def shares(L):
    """Target of a loss of probabilities."""
    return probabilities(L, 5, 3)


def weights(L):
    """Weights of three classes."""
    return tensor(L, 3, seed=5, low=0.5)


MODULES = {
    "CrossEntropyLoss": (
        (numbers, labels),
        {
            "plain": lambda L: L.nn.CrossEntropyLoss(),
            "sum": lambda L: L.nn.CrossEntropyLoss(reduction="sum"),
            "none": lambda L: L.nn.CrossEntropyLoss(reduction="none"),
            "weight": lambda L: L.nn.CrossEntropyLoss(weights(L)),
            "ignore": lambda L: L.nn.CrossEntropyLoss(ignore_index=1),
            "smoothing": lambda L: L.nn.CrossEntropyLoss(label_smoothing=0.2),
            "positional": lambda L: L.nn.CrossEntropyLoss(weights(L), None, 1, None, "sum", 0.1),
            "size_average": lambda L: L.nn.CrossEntropyLoss(size_average=False),
            "reduce": lambda L: L.nn.CrossEntropyLoss(reduce=False),
            "reduce_positional": lambda L: L.nn.CrossEntropyLoss(None, True, -100, False),
        },
    ),
    "NLLLoss": (
        (numbers, labels),
        {
            "plain": lambda L: L.nn.NLLLoss(),
            "sum": lambda L: L.nn.NLLLoss(reduction="sum"),
            "none": lambda L: L.nn.NLLLoss(reduction="none"),
            "weight": lambda L: L.nn.NLLLoss(weight=weights(L)),
            "ignore": lambda L: L.nn.NLLLoss(ignore_index=0),
            "positional": lambda L: L.nn.NLLLoss(weights(L), None, 1, None, "sum"),
            "size_average": lambda L: L.nn.NLLLoss(size_average=False),
            "reduce": lambda L: L.nn.NLLLoss(None, None, -100, False),
        },
    ),
    "MSELoss": (
        (numbers, others),
        {
            "plain": lambda L: L.nn.MSELoss(),
            "sum": lambda L: L.nn.MSELoss(reduction="sum"),
            "none": lambda L: L.nn.MSELoss(reduction="none"),
            "size_average": lambda L: L.nn.MSELoss(False),
            "reduce": lambda L: L.nn.MSELoss(None, False),
        },
    ),
    "L1Loss": (
        (numbers, others),
        {
            "plain": lambda L: L.nn.L1Loss(),
            "sum": lambda L: L.nn.L1Loss(reduction="sum"),
            "none": lambda L: L.nn.L1Loss(reduction="none"),
            "size_average": lambda L: L.nn.L1Loss(False),
        },
    ),
    "SmoothL1Loss": (
        (numbers, others),
        {
            "plain": lambda L: L.nn.SmoothL1Loss(),
            "beta": lambda L: L.nn.SmoothL1Loss(beta=0.3),
            "positional": lambda L: L.nn.SmoothL1Loss(None, None, "none", 2.0),
            "size_average": lambda L: L.nn.SmoothL1Loss(False),
        },
    ),
    "HuberLoss": (
        (numbers, others),
        {
            "plain": lambda L: L.nn.HuberLoss(),
            "delta": lambda L: L.nn.HuberLoss(delta=0.3),
            "positional": lambda L: L.nn.HuberLoss("none", 2.0),
        },
    ),
    "BCELoss": (
        (shares, lambda L: probabilities(L, 5, 3, seed=9)),
        {
            "plain": lambda L: L.nn.BCELoss(),
            "weight": lambda L: L.nn.BCELoss(weights(L)),
            "sum": lambda L: L.nn.BCELoss(reduction="sum"),
            "none": lambda L: L.nn.BCELoss(None, None, None, "none"),
            "size_average": lambda L: L.nn.BCELoss(size_average=False),
        },
    ),
    "BCEWithLogitsLoss": (
        (numbers, shares),
        {
            "plain": lambda L: L.nn.BCEWithLogitsLoss(),
            "weight": lambda L: L.nn.BCEWithLogitsLoss(weights(L)),
            "pos_weight": lambda L: L.nn.BCEWithLogitsLoss(pos_weight=weights(L)),
            "sum": lambda L: L.nn.BCEWithLogitsLoss(reduction="sum"),
            "none": lambda L: L.nn.BCEWithLogitsLoss(reduction="none"),
            "positional": lambda L: L.nn.BCEWithLogitsLoss(weights(L), None, None, "sum", weights(L)),
            "size_average": lambda L: L.nn.BCEWithLogitsLoss(size_average=False),
        },
    ),
    "KLDivLoss": (
        (numbers, shares),
        {
            "plain": lambda L: L.nn.KLDivLoss(),
            "batchmean": lambda L: L.nn.KLDivLoss(reduction="batchmean"),
            "log_target": lambda L: L.nn.KLDivLoss(reduction="sum", log_target=True),
            "size_average": lambda L: L.nn.KLDivLoss(False),
        },
    ),
}
for name, (inputs, makes) in MODULES.items():
    for special, make in makes.items():
        ROWS += rows(
            f"nn.{name}",
            {
                special: lambda L, m=make, i=inputs: module(L, m, *i),
                f"{special}_warns": lambda L, m=make: warned(lambda: m(L)),
            },
        )
    ROWS += rows(
        f"nn.{name}",
        {
            "no_parameters": lambda L, m=makes["plain"]: [len(list(m(L).parameters())), len(list(m(L).buffers()))],
            "unknown_reduction_is_found_later": lambda L, n=name: getattr(L.nn, n)(reduction="avg").reduction,
            "to_double": lambda L, n=name, m=makes["plain"]: repr(m(L).double().train()),
        },
    )
    ROWS += errors(
        f"nn.{name}",
        {
            "reduction": (
                lambda L, n=name, i=inputs: getattr(L.nn, n)(reduction="avg")(*(f(L) for f in i)),
                r"'avg' is not a valid value",
            ),
            "one_argument": (lambda L, m=makes["plain"]: m(L)(tensor(L, 5, 3)), r"target"),
        },
    )
ROWS += rows(
    "nn.CrossEntropyLoss",
    {
        "probabilities": lambda L: module(L, lambda L: L.nn.CrossEntropyLoss(), numbers, shares),
        "images": lambda L: module(
            L, lambda L: L.nn.CrossEntropyLoss(), lambda L: tensor(L, 2, 3, 4, 4), lambda L: classes(L, 2, 4, 4, high=3)
        ),
        "vector": lambda L: module(L, lambda L: L.nn.CrossEntropyLoss(), lambda L: tensor(L, 3), lambda L: L.tensor(1)),
        "weight_moves_with_it": lambda L: [str(b.dtype) for b in L.nn.CrossEntropyLoss(L.ones(3)).double().buffers()],
        "weight_is_a_buffer": lambda L: [n for n, _ in L.nn.CrossEntropyLoss(L.ones(3)).named_buffers()],
        "smoothing_is_found_later": lambda L: L.nn.CrossEntropyLoss(label_smoothing=2).label_smoothing,
    },
)
ROWS += rows(
    "nn.BCEWithLogitsLoss",
    {
        "weights_are_buffers": lambda L: [
            n for n, _ in L.nn.BCEWithLogitsLoss(L.ones(3), pos_weight=L.ones(3)).named_buffers()
        ]
    },
)
ROWS += errors(
    "nn.CrossEntropyLoss",
    {
        "class": (lambda L: L.nn.CrossEntropyLoss()(L.zeros(2, 3), L.tensor([0, 3])), r"cross_entropy.*3.*0 to 2"),
        "wrong_smoothing": (
            lambda L: L.nn.CrossEntropyLoss(label_smoothing=2)(L.zeros(2, 3), L.tensor([0, 1])),
            r"cross_entropy.*label_smoothing.*2",
        ),
        "weight_length": (
            lambda L: L.nn.CrossEntropyLoss(L.ones(4))(L.zeros(2, 3), L.tensor([0, 1])),
            r"cross_entropy.*weight.*\(4,\)",
        ),
        "weight_list": (lambda L: L.nn.CrossEntropyLoss([1.0, 2.0]), r"weight"),
        "float_target": (
            lambda L: L.nn.CrossEntropyLoss()(L.zeros(2, 3), L.tensor([0.0, 1.0])),
            r"cross_entropy.*float32",
        ),
    },
)
ROWS += errors("nn.MSELoss", {"shapes": (lambda L: L.nn.MSELoss()(L.ones(2, 3), L.ones(4)), r"mse_loss.*3.*4")})
ROWS += errors(
    "nn.HuberLoss", {"wrong_delta": (lambda L: L.nn.HuberLoss(delta=-1)(L.ones(2), L.ones(2)), r"huber_loss.*-1")}
)
ROWS += errors(
    "nn.SmoothL1Loss", {"wrong_beta": (lambda L: L.nn.SmoothL1Loss(beta=-1)(L.ones(2), L.ones(2)), r"smooth_l1.*-1")}
)
ROWS += errors(
    "nn.BCEWithLogitsLoss",
    {
        "shapes": (
            lambda L: L.nn.BCEWithLogitsLoss()(L.ones(2, 3), L.ones(3)),
            r"binary_cross_entropy_with_logits.*\(3,\)",
        )
    },
)
ROWS += errors("nn.NLLLoss", {"class": (lambda L: L.nn.NLLLoss()(L.zeros(2, 3), L.tensor([0, -1])), r"nll_loss.*-1")})
