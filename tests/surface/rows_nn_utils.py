"""Rows about nn.utils (clipping, parameters as a vector, folding) and optim.swa_utils."""

import math

from .table import errors, gradients, rows, tensor

ROWS = []


# ---- clipping


def leaves(L, *shapes, dtype="float64", scale=1.0, skip=()):
    """Parameters with random gradients; those whose number is in `skip` have none."""
    made = []
    for i, shape in enumerate(shapes or ((3, 2), (4,), ())):
        p = tensor(L, *shape, seed=i, dtype=dtype, grad=True)
        if i not in skip:
            p.grad = tensor(L, *shape, seed=50 + i, dtype=dtype) * scale
        made.append(p)
    return made


def clip(L, *args, made=None, function="clip_grad_norm_", **settings):
    """What clipping returns, the gradients afterwards, and whether they are the same objects' memory."""
    made = leaves(L) if made is None else made
    before = [None if p.grad is None else p.grad.detach() for p in made]
    result = getattr(L.nn.utils, function)(made, *args, **settings)
    return result, [p.grad for p in made], before


def of_one(L, function, *args):
    """Clipping with one tensor instead of a list."""
    (p,) = leaves(L, (5,))
    return getattr(L.nn.utils, function)(p, *args), p.grad


def of_model(L, function, *args):
    """Clipping with a model's generator of parameters, between backward and step."""
    model = L.nn.Sequential(L.nn.Linear(3, 4, dtype=L.float64), L.nn.Tanh(), L.nn.Linear(4, 2, dtype=L.float64))
    with L.no_grad():
        for i, p in enumerate(model.parameters()):
            p.copy_(tensor(L, *p.shape, seed=i))
    (model(tensor(L, 5, 3, seed=9)) ** 2).sum().backward()
    return getattr(L.nn.utils, function)(model.parameters(), *args), [p.grad for p in model.parameters()]


def spoilt(L, value, **settings):
    """Clipping gradients of which one element is `value`."""
    made = leaves(L)
    made[1].grad[2] = value
    return clip(L, 1.0, made=made, **settings)


def refused(L, value):
    """The gradients after an error for a norm that is not finite: unchanged."""
    made = leaves(L)
    made[1].grad[2] = value
    try:
        L.nn.utils.clip_grad_norm_(made, 0.5, error_if_nonfinite=True)
    except RuntimeError:
        return [p.grad for p in made]
    return "no error"


def infinite_value(L, value):
    """Clipping by value a gradient that holds infinity."""
    made = leaves(L)
    made[0].grad[0, 0] = value
    return clip(L, 0.5, made=made, function="clip_grad_value_")


NORM = "nn.utils.clip_grad_norm_"
ROWS += rows(
    NORM,
    {
        "shortens": lambda L: clip(L, 0.5),
        "leaves_short_alone": lambda L: clip(L, 100.0),
        "int": lambda L: clip(L, 1),
        "max_norm_0": lambda L: clip(L, 0.0),
        "negative_max_norm": lambda L: clip(L, -1.0),
        "one_norm": lambda L: clip(L, 0.5, 1),
        "one_norm_float": lambda L: clip(L, 0.5, norm_type=1.0),
        "two_norm": lambda L: clip(L, 0.5, 2.0),
        "three_norm": lambda L: clip(L, 0.5, 3),
        "half_norm": lambda L: clip(L, 0.5, 0.5),
        "zero_norm": lambda L: clip(L, 0.5, 0),
        "inf_norm": lambda L: clip(L, 0.5, math.inf),
        "inf_norm_text": lambda L: clip(L, 0.5, "inf"),
        "minus_inf_norm": lambda L: clip(L, 0.01, -math.inf),
        "infinite_max_norm": lambda L: clip(L, math.inf),
        "one_tensor": lambda L: of_one(L, "clip_grad_norm_", 0.3),
        "generator": lambda L: of_model(L, "clip_grad_norm_", 0.3),
        "tuple": lambda L: L.nn.utils.clip_grad_norm_(tuple(leaves(L)), 0.3),
        "some_without_gradient": lambda L: clip(L, 0.5, made=leaves(L, skip=(1,))),
        "none_with_gradient": lambda L: clip(L, 0.5, made=leaves(L, skip=(0, 1, 2))),
        "nothing": lambda L: L.nn.utils.clip_grad_norm_([], 0.5),
        "empty_generator": lambda L: L.nn.utils.clip_grad_norm_((p for p in ()), 0.5),
        "empty_gradient": lambda L: clip(L, 0.5, made=leaves(L, (0,), (3,))),
        "zero_gradients": lambda L: clip(L, 0.5, made=leaves(L, scale=0.0)),
        "float32": lambda L: clip(L, 0.5, made=leaves(L, dtype="float32")),
        "both_dtypes": lambda L: clip(L, 0.5, made=leaves(L, (3,)) + leaves(L, (4,), dtype="float32")),
        "nan": lambda L: spoilt(L, math.nan),
        "infinity": lambda L: spoilt(L, math.inf),
        "nonfinite_unasked": lambda L: spoilt(L, math.nan, error_if_nonfinite=False),
        "finite_asked": lambda L: clip(L, 0.5, error_if_nonfinite=True),
        "unchanged_after_error": lambda L: refused(L, math.inf),
        "foreach_false": lambda L: clip(L, 0.5, foreach=False),
        "foreach_true": lambda L: clip(L, 0.5, foreach=True),
        "positional": lambda L: clip(L, 0.5, 2.0, False, None),
    },
)
ROWS += errors(
    NORM,
    {
        "nan_refused": (lambda L: spoilt(L, math.nan, error_if_nonfinite=True), "non-finite, nan"),
        "infinity_refused": (lambda L: spoilt(L, math.inf, error_if_nonfinite=True), "order 2.0.*non-finite, inf"),
        "infinity_one_norm": (lambda L: spoilt(L, math.inf, norm_type=1, error_if_nonfinite=True), "order 1.0"),
        "no_max_norm": (lambda L: L.nn.utils.clip_grad_norm_(leaves(L)), "max_norm"),
        "norm_type_text": (lambda L: clip(L, 1.0, "two"), "two"),
    },
)
VALUE = "nn.utils.clip_grad_value_"
ROWS += rows(
    VALUE,
    {
        "clips": lambda L: clip(L, 0.5, function="clip_grad_value_"),
        "int": lambda L: clip(L, 1, function="clip_grad_value_"),
        "wide": lambda L: clip(L, 100.0, function="clip_grad_value_"),
        "zero": lambda L: clip(L, 0.0, function="clip_grad_value_"),
        "one_tensor": lambda L: of_one(L, "clip_grad_value_", 0.3),
        "generator": lambda L: of_model(L, "clip_grad_value_", 0.3),
        "some_without_gradient": lambda L: clip(L, 0.5, made=leaves(L, skip=(0,)), function="clip_grad_value_"),
        "infinity": lambda L: infinite_value(L, math.inf),
        "float32": lambda L: clip(L, 0.1, made=leaves(L, dtype="float32"), function="clip_grad_value_"),
        "foreach": lambda L: clip(L, 0.5, foreach=True, function="clip_grad_value_"),
    },
)


ROWS += errors(VALUE, {"text": (lambda L: clip(L, "much", function="clip_grad_value_"), "much")})
ROWS += rows(
    "nn.utils.get_total_norm",
    {
        "two": lambda L: L.nn.utils.get_total_norm([tensor(L, 3), tensor(L, 2, 2, seed=1)]),
        "inf": lambda L: L.nn.utils.get_total_norm([tensor(L, 3), tensor(L, 2, 2, seed=1)], math.inf),
        "one_tensor": lambda L: L.nn.utils.get_total_norm(tensor(L, 3), 1.0),
        "none": lambda L: L.nn.utils.get_total_norm([]),
        "generator": lambda L: L.nn.utils.get_total_norm(tensor(L, 3, seed=i) for i in range(2)),
        "float32": lambda L: L.nn.utils.get_total_norm([tensor(L, 3, dtype="float32")]),
        "nan": lambda L: L.nn.utils.get_total_norm([L.tensor([math.nan, 1.0])]),
    },
)
ROWS += errors(
    "nn.utils.get_total_norm",
    {
        "nan_refused": (
            lambda L: L.nn.utils.get_total_norm([L.tensor([math.nan])], 2.0, True),
            "get_total_norm.*non-finite",
        )
    },
)
ROWS += rows(
    "nn.utils.clip_grads_with_norm_",
    {
        "larger": lambda L: clip(L, 0.5, L.tensor(4.0), function="clip_grads_with_norm_"),
        "smaller": lambda L: clip(L, 0.5, L.tensor(0.4), function="clip_grads_with_norm_"),
        "float64": lambda L: clip(L, 0.5, L.tensor(4.0, dtype=L.float64), function="clip_grads_with_norm_"),
        "one_tensor": lambda L: of_one(L, "clip_grads_with_norm_", 0.5, L.tensor(4.0)),
    },
)

# ---- parameters as a vector


def there_and_back(L, more=0):
    """A model's parameters as a vector, the vector doubled and put back; then the vector changed once more."""
    model = L.nn.Sequential(L.nn.Linear(2, 3), L.nn.Linear(3, 1))
    with L.no_grad():
        for i, p in enumerate(model.parameters()):
            p.copy_(tensor(L, *p.shape, seed=i))
    vector = L.nn.utils.parameters_to_vector(model.parameters())
    longer = L.cat([vector.detach() * 2, L.ones(more)])
    nothing = L.nn.utils.vector_to_parameters(longer, model.parameters())
    values = [p.detach().clone() for p in model.parameters()]
    longer.zero_()
    return (
        vector,
        nothing,
        values,
        [p.detach() for p in model.parameters()],
        [p.requires_grad for p in model.parameters()],
    )


def too_short(L):
    """Parameters after an error for a vector that is too short."""
    parameters = [L.zeros(2, requires_grad=True), L.zeros(3, requires_grad=True)]
    L.nn.utils.vector_to_parameters(L.ones(4), parameters)


VECTOR = "nn.utils.parameters_to_vector"
ROWS += rows(
    VECTOR,
    {
        "there_and_back": there_and_back,
        "gradients_flow": lambda L: gradients(
            L, L.nn.utils.parameters_to_vector(ps := [tensor(L, 2, 3, grad=True), tensor(L, 4, grad=True)]), *ps
        ),
        "zero_dim": lambda L: L.nn.utils.parameters_to_vector([L.tensor(1.0), L.ones(2)]),
        "generator": lambda L: L.nn.utils.parameters_to_vector(L.ones(i) for i in (1, 2)),
    },
)
ROWS += errors(VECTOR, {"transposed": (lambda L: L.nn.utils.parameters_to_vector([L.ones(2, 3).T]), "view")})
ROWS += rows("nn.utils.vector_to_parameters", {"longer": lambda L: there_and_back(L, 3)})
ROWS += errors(
    "nn.utils.vector_to_parameters",
    {
        "list": (lambda L: L.nn.utils.vector_to_parameters([1.0], [L.ones(1)]), "expected a Tensor as vec, got list"),
        "too_short": (too_short, "have 5 elements, vec only 4"),
    },
)

# ---- folding


def settled(L, made, dtype):
    """A layer in eval mode and `dtype` with random parameters and running statistics."""
    made = made.to(getattr(L, dtype)).eval()
    with L.no_grad():
        for i, p in enumerate(made.parameters()):
            p.copy_(tensor(L, *p.shape, seed=30 + i))
        for i, (name, b) in enumerate(made.named_buffers()):
            if name.startswith("running"):
                b.copy_(tensor(L, *b.shape, seed=40 + i, low=0.3))
    return made


def fold(L, kind, made, bn, shape, dtype="float64", bn_dtype=None, **settings):
    """The folded layer: its state, repr, mode, result and gradients; the layers before and after."""
    made, bn = settled(L, made, dtype), settled(L, bn, bn_dtype or dtype)
    before = [t.clone() for m in (made, bn) for t in m.state_dict().values()]
    fused = getattr(L.nn.utils, kind)(made, bn, **settings)
    x = tensor(L, *shape, seed=5, dtype=dtype, grad=True)
    y, grads = gradients(L, fused(x), x, *[p for p in fused.parameters() if p.requires_grad])
    after = [t.clone() for m in (made, bn) for t in m.state_dict().values()]
    flags = [p.requires_grad for p in fused.parameters()]
    return dict(fused.state_dict()), repr(fused), fused.training, flags, fused is made, y, grads, before, after


CONV = "nn.utils.fuse_conv_bn_eval"
image = (2, 4, 7, 6)
ROWS += rows(
    CONV,
    {
        name: lambda L, c=conv, b=bn: fold(
            L, "fuse_conv_bn_eval", L.nn.Conv2d(*c[0], **c[1]), L.nn.BatchNorm2d(c[0][1], **b), image
        )
        for name, conv, bn in (
            ("plain", ((4, 3, 3), {}), {}),
            ("no_conv_bias", ((4, 3, 3), {"bias": False}), {}),
            ("no_affine", ((4, 3, 3), {}), {"affine": False}),
            ("no_affine_no_conv_bias", ((4, 3, 3), {"bias": False}), {"affine": False}),
            ("no_beta", ((4, 3, 3), {}), {"bias": False}),
            ("eps", ((4, 3, 3), {}), {"eps": 0.5}),
            ("groups", ((4, 6, 3), {"groups": 2}), {}),
            ("depthwise", ((4, 4, 3), {"groups": 4, "padding": 1}), {}),
            ("dilation", ((4, 3, 2), {"dilation": 2, "stride": (2, 1), "padding": (1, 2)}), {}),
            ("same", ((4, 3, 3), {"padding": "same", "bias": False}), {}),
            ("one_by_one", ((4, 5, 1), {}), {}),
        )
    },
)
ROWS += rows(
    CONV,
    {
        "float32": lambda L: fold(
            L, "fuse_conv_bn_eval", L.nn.Conv2d(4, 3, 3), L.nn.BatchNorm2d(3), image, dtype="float32"
        ),
        "bn_in_float64": lambda L: fold(
            L, "fuse_conv_bn_eval", L.nn.Conv2d(4, 3, 3), L.nn.BatchNorm2d(3), image, "float32", "float64"
        ),
        "frozen": lambda L: fold(
            L, "fuse_conv_bn_eval", L.nn.Conv2d(4, 3, 3).requires_grad_(False), L.nn.BatchNorm2d(3), image
        ),
        "transpose_of_square": lambda L: fold(
            L, "fuse_conv_bn_eval", L.nn.Conv2d(4, 4, 3), L.nn.BatchNorm2d(4), image, transpose=True
        ),
    },
)
ROWS += errors(
    CONV,
    {
        "conv_in_train_mode": (
            lambda L: L.nn.utils.fuse_conv_bn_eval(L.nn.Conv2d(2, 3, 1), L.nn.BatchNorm2d(3).eval()),
            "fuse_conv_bn_eval: only for eval mode, but the Conv2d is in train mode",
        ),
        "bn_in_train_mode": (
            lambda L: L.nn.utils.fuse_conv_bn_eval(L.nn.Conv2d(2, 3, 1).eval(), L.nn.BatchNorm2d(3)),
            "the BatchNorm2d is in train mode",
        ),
        "no_statistics": (
            lambda L: L.nn.utils.fuse_conv_bn_eval(
                L.nn.Conv2d(2, 3, 1).eval(), L.nn.BatchNorm2d(3, track_running_stats=False).eval()
            ),
            "running_mean and bn.running_var must not be None",
        ),
        "other_channels": (
            lambda L: L.nn.utils.fuse_conv_bn_eval(L.nn.Conv2d(2, 3, 1).eval(), L.nn.BatchNorm2d(4).eval()),
            "3.*4|4.*3",
        ),
    },
)


def weights(L, shape, channels, function="fuse_conv_bn_weights", bias=True, affine=True, grad=True, **settings):
    """Folding of tensors alone."""
    w = tensor(L, *shape, seed=1, grad=grad)
    b = tensor(L, channels, seed=2, grad=grad) if bias else None
    mean, var = tensor(L, channels, seed=3), tensor(L, channels, seed=4, low=0.2)
    gamma, beta = (tensor(L, channels, seed=s, grad=True) if affine else None for s in (5, 6))
    fused = getattr(L.nn.utils, function)(w, b, mean, var, 1e-3, gamma, beta, **settings)
    return fused, [type(t).__name__ for t in fused], [t.is_leaf for t in fused]


ROWS += rows(
    "nn.utils.fuse_conv_bn_weights",
    {
        "2d": lambda L: weights(L, (3, 2, 3, 3), 3),
        "1d": lambda L: weights(L, (3, 2, 3), 3),
        "3d": lambda L: weights(L, (3, 2, 2, 1, 3), 3),
        "transposed": lambda L: weights(L, (2, 3, 3, 3), 3, transpose=True),
        "no_bias": lambda L: weights(L, (3, 2, 3, 3), 3, bias=False),
        "no_affine": lambda L: weights(L, (3, 2, 3, 3), 3, affine=False),
        "no_bias_no_affine": lambda L: weights(L, (3, 2, 3, 3), 3, bias=False, affine=False),
        "frozen": lambda L: weights(L, (3, 2, 3, 3), 3, grad=False),
    },
)
LINEAR = "nn.utils.fuse_linear_bn_eval"
ROWS += rows(
    LINEAR,
    {
        "plain": lambda L: fold(L, "fuse_linear_bn_eval", L.nn.Linear(4, 3), L.nn.BatchNorm1d(3), (5, 4)),
        "no_bias": lambda L: fold(L, "fuse_linear_bn_eval", L.nn.Linear(4, 3, bias=False), L.nn.BatchNorm1d(3), (5, 4)),
        "eps": lambda L: fold(L, "fuse_linear_bn_eval", L.nn.Linear(4, 3), L.nn.BatchNorm1d(3, eps=0.3), (5, 4)),
        "one_feature": lambda L: fold(L, "fuse_linear_bn_eval", L.nn.Linear(4, 3), L.nn.BatchNorm1d(1), (5, 4)),
        "one_output": lambda L: fold(L, "fuse_linear_bn_eval", L.nn.Linear(4, 1), L.nn.BatchNorm1d(1), (5, 4)),
        "float32": lambda L: fold(
            L, "fuse_linear_bn_eval", L.nn.Linear(4, 3), L.nn.BatchNorm1d(3), (5, 4), dtype="float32"
        ),
    },
)
ROWS += errors(
    LINEAR,
    {
        "train_mode": (
            lambda L: L.nn.utils.fuse_linear_bn_eval(L.nn.Linear(2, 3), L.nn.BatchNorm1d(3)),
            "fuse_linear_bn_eval: only for eval mode, but the Linear is in train mode",
        ),
        "bn_in_train_mode": (
            lambda L: L.nn.utils.fuse_linear_bn_eval(L.nn.Linear(2, 3).eval(), L.nn.BatchNorm1d(3)),
            "BatchNorm1d is in train mode",
        ),
        "no_statistics": (
            lambda L: L.nn.utils.fuse_linear_bn_eval(
                L.nn.Linear(2, 3).eval(), L.nn.BatchNorm1d(3, track_running_stats=False).eval()
            ),
            "must not be None",
        ),
        "other_features": (
            lambda L: L.nn.utils.fuse_linear_bn_eval(L.nn.Linear(2, 3).eval(), L.nn.BatchNorm1d(2).eval()),
            r"linear.out_features \(3\) or 1, got 2",
        ),
    },
)
ROWS += rows(
    "nn.utils.fuse_linear_bn_weights",
    {
        "plain": lambda L: weights(L, (3, 4), 3, "fuse_linear_bn_weights"),
        "no_bias": lambda L: weights(L, (3, 4), 3, "fuse_linear_bn_weights", bias=False),
        "frozen": lambda L: weights(L, (3, 4), 3, "fuse_linear_bn_weights", grad=False),
    },
)

# ---- optim.swa_utils


def network(L, **settings):
    """A model with two BatchNorms and a LayerNorm, with parameters that are the same in both libraries."""
    model = L.nn.Sequential(
        L.nn.Linear(3, 4),
        L.nn.BatchNorm1d(4, **settings),
        L.nn.Tanh(),
        L.nn.Linear(4, 2),
        L.nn.BatchNorm1d(2),
        L.nn.LayerNorm(2),
    ).double()
    with L.no_grad():
        for i, p in enumerate(model.parameters()):
            p.copy_(tensor(L, *p.shape, seed=i))
    return model


def batches(L, *sizes, shift=0.0):
    """Batches of these sizes."""
    return [tensor(L, n, 3, seed=70 + i) + shift for i, n in enumerate(sizes)]


def updated(L, loader, model=None, train=True, **settings):
    """State, modes and momenta after update_bn of a model that has seen other batches before."""
    model = network(L) if model is None else model
    model(tensor(L, 6, 3, seed=60))
    model.train(train)
    result = L.optim.swa_utils.update_bn(loader, model, **settings)
    modes = [m.training for m in model.modules()]
    momenta = [m.momentum for m in model.modules() if isinstance(m, L.nn.BatchNorm1d)]
    return result, dict(model.state_dict()), modes, momenta, [p.grad for p in model.parameters()]


def counted(L):
    """How often update_bn calls a model without BatchNorm."""
    calls = []
    model = L.nn.Sequential(L.nn.Linear(3, 2))
    model.register_forward_hook(lambda *_: calls.append(1))
    L.optim.swa_utils.update_bn(batches(L, 2, 2), model)
    return len(calls)


def part_in_eval(L):
    """Modes after update_bn of a model of which a part was in eval mode: they follow the model's own, as in PyTorch."""
    model = network(L)
    model[1].eval()
    L.optim.swa_utils.update_bn(batches(L, 4), model)
    return [m.training for m in model.modules()], dict(model.state_dict())


UPDATE = "optim.swa_utils.update_bn"
ROWS += rows(
    UPDATE,
    {
        "tensors": lambda L: updated(L, batches(L, 4, 4, 4)),
        "tuples": lambda L: updated(L, [(b, L.zeros(len(b))) for b in batches(L, 4, 3)]),
        "lists": lambda L: updated(L, [[b, L.zeros(len(b))] for b in batches(L, 4, 3)]),
        "generator": lambda L: updated(L, (b for b in batches(L, 4, 3))),
        "batches_of_other_sizes_count_alike": lambda L: updated(L, batches(L, 2, 9)),
        "no_batches": lambda L: updated(L, []),
        "eval_mode_is_restored": lambda L: updated(L, batches(L, 4, 4), train=False),
        "device": lambda L: updated(L, batches(L, 4), device="cpu"),
        "momentum_is_restored": lambda L: updated(L, batches(L, 4, 4), network(L, momentum=0.7)),
        "momentum_none": lambda L: updated(L, batches(L, 4, 4), network(L, momentum=None)),
        "untracked_layer": lambda L: updated(L, batches(L, 4, 4), network(L, track_running_stats=False)),
        "no_affine": lambda L: updated(L, batches(L, 4, 4), network(L, affine=False)),
        "far_away": lambda L: updated(L, batches(L, 4, 4, shift=100.0)),
        "without_batchnorm_not_called": counted,
        "one_part_in_eval_mode": part_in_eval,
    },
)


ROWS += errors(
    UPDATE,
    {
        "batch_of_one": (lambda L: updated(L, batches(L, 4, 1)), "more than 1 value per channel"),
    },
)


def averaged(L, steps=4, **settings):
    """A model trained for some steps, averaged after each: the average's state, result and count."""
    model = network(L)
    average = L.optim.swa_utils.AveragedModel(model, **settings)
    for step in range(steps):
        with L.no_grad():
            for i, p in enumerate(model.parameters()):
                p.add_(tensor(L, *p.shape, seed=100 * step + i))
        model(tensor(L, 5, 3, seed=step))
        average.update_parameters(model)
    y = average.eval()(tensor(L, 4, 3, seed=7))
    return dict(average.state_dict()), y, average.n_averaged, [p.requires_grad for p in average.parameters()]


def average_then_update(L):
    """The usual end of averaging: statistics for the averaged weights."""
    model = network(L)
    average = L.optim.swa_utils.AveragedModel(model)
    average.update_parameters(model)
    L.optim.swa_utils.update_bn(batches(L, 4, 5), average)
    return dict(average.state_dict())


AVERAGED = "optim.swa_utils.AveragedModel"
ROWS += rows(
    AVERAGED,
    {
        "mean": averaged,
        "none_yet": lambda L: averaged(L, 0),
        "one": lambda L: averaged(L, 1),
        "buffers": lambda L: averaged(L, use_buffers=True, avg_fn=lambda a, p, n: a + (p - a) * 0.5),
        "ema": lambda L: averaged(L, avg_fn=L.optim.swa_utils.get_ema_avg_fn(0.9)),
        "ema_default": lambda L: averaged(L, avg_fn=L.optim.swa_utils.get_ema_avg_fn()),
        "swa_fn": lambda L: averaged(L, avg_fn=L.optim.swa_utils.get_swa_avg_fn()),
        "own": lambda L: averaged(L, avg_fn=lambda a, p, n: a * 0.3 + p * n),
        "multi": lambda L: averaged(
            L, multi_avg_fn=lambda a, p, n: [x.mul_(0.5).add_(y) for x, y in zip(a, p, strict=True)]
        ),
        "device": lambda L: averaged(L, device="cpu"),
        "then_update_bn": average_then_update,
        "repr": lambda L: repr(L.optim.swa_utils.AveragedModel(L.nn.Linear(1, 2))),
    },
)


ROWS += errors(
    AVERAGED,
    {
        "both_functions": (
            lambda L: L.optim.swa_utils.AveragedModel(L.nn.Linear(1, 1), avg_fn=max, multi_avg_fn=max),
            "both avg_fn and multi_avg_fn",
        ),
        "decay": (lambda L: L.optim.swa_utils.get_ema_avg_fn(1.5), "decay must be between 0 and 1, got 1.5"),
    },
)


def schedule(L, epochs=6, lrs=(0.5,), others=False, **settings):
    """Learning rates over the epochs, the groups' settings, what the schedule remembers; another schedule besides."""
    ps = [L.ones(2, requires_grad=True) for _ in lrs]
    optimizer = L.optim.SGD([{"params": [p], "lr": lr} for p, lr in zip(ps, lrs, strict=True)], lr=0.1)
    other = L.optim.lr_scheduler.StepLR(optimizer, 2) if others else None
    made = L.optim.swa_utils.SWALR(optimizer, **settings)
    seen = [made.get_last_lr()]
    for _ in range(epochs):
        optimizer.step()
        if other is not None:
            other.step()
        made.step()
        seen.append(made.get_last_lr())
    return (
        seen,
        [(g["lr"], g["swa_lr"], g["initial_lr"]) for g in optimizer.param_groups],
        made.last_epoch,
        made.base_lrs,
    )


def continued(L):
    """A schedule stopped after three epochs, its state loaded into a new one."""
    optimizer = L.optim.SGD([L.ones(2, requires_grad=True)], lr=0.5)
    first = L.optim.swa_utils.SWALR(optimizer, 0.05, anneal_epochs=6, anneal_strategy="linear")
    for _ in range(3):
        optimizer.step()
        first.step()
    second = L.optim.swa_utils.SWALR(optimizer, 0.05)
    second.load_state_dict(first.state_dict())
    seen = []
    for _ in range(4):
        optimizer.step()
        second.step()
        seen += second.get_last_lr()
    return seen


def swalr(*args, **settings):
    """A schedule of an optimiser with one group, made of these arguments."""
    return lambda L: L.optim.swa_utils.SWALR(L.optim.SGD([L.ones(2, requires_grad=True)], lr=0.5), *args, **settings)


SWALR = "optim.swa_utils.SWALR"
ROWS += rows(
    SWALR,
    {
        "cos": lambda L: schedule(L, swa_lr=0.05, anneal_epochs=4),
        "default": lambda L: schedule(L, 12, swa_lr=0.05),
        "linear": lambda L: schedule(L, swa_lr=0.05, anneal_epochs=4, anneal_strategy="linear"),
        "upwards": lambda L: schedule(L, swa_lr=2.0, anneal_epochs=3),
        "one_epoch": lambda L: schedule(L, swa_lr=0.05, anneal_epochs=1),
        "no_epochs": lambda L: schedule(L, swa_lr=0.05, anneal_epochs=0),
        "no_epochs_linear": lambda L: schedule(L, swa_lr=0.05, anneal_epochs=0, anneal_strategy="linear"),
        "groups": lambda L: schedule(L, lrs=(0.5, 1.0), swa_lr=[0.05, 0.2], anneal_epochs=4),
        "groups_alike": lambda L: schedule(L, lrs=(0.5, 1.0), swa_lr=0.05, anneal_epochs=4),
        "groups_tuple": lambda L: schedule(L, lrs=(0.5, 1.0), swa_lr=(0.05, 0.2), anneal_epochs=4),
        "besides_another": lambda L: schedule(L, swa_lr=0.05, anneal_epochs=4, others=True),
        "continued": continued,
    },
)
ROWS += errors(
    SWALR,
    {
        "strategy": (swalr(0.05, anneal_strategy="step"), "must be 'cos' or 'linear', got 'step'"),
        "negative": (swalr(0.05, -1), "anneal_epochs must be an int from 0 up, got -1"),
        "float": (swalr(0.05, 2.5), "anneal_epochs must be an int from 0 up, got 2.5"),
        "other_number": (swalr([0.05, 0.1]), "SWALR: got 2 values for 1 parameter groups"),
        "no_rate": (swalr(), "swa_lr"),
    },
)
