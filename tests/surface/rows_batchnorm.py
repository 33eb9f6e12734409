"""Rows about BatchNorm1d, 2d and 3d: every option, train and eval, state, errors."""

import itertools

import numpy as np

from .table import errors, gradients, rows, tensor

SHAPES = {
    "1d": ("BatchNorm1d", (6, 3)),
    "1d_length": ("BatchNorm1d", (4, 3, 5)),
    "2d": ("BatchNorm2d", (2, 3, 4, 5)),
    "3d": ("BatchNorm3d", (2, 3, 2, 3, 2)),
}


def make(L, kind, dtype="float64", **settings):
    """A layer with random gamma and beta."""
    layer = getattr(L.nn, kind)(3, dtype=getattr(L, dtype), **settings)
    with L.no_grad():
        for i, p in enumerate(layer.parameters()):
            p.copy_(tensor(L, 3, seed=50 + i, low=0.5))
    return layer


def trained(L, kind, shape, dtype="float64", steps=2, evaluate=False, **settings):
    """Results, gradients and state after some steps in train mode, or after them in eval mode."""
    layer = make(L, kind, dtype, **settings)
    for step in range(steps):
        x = (tensor(L, *shape, seed=step) * 2 + 1).to(getattr(L, dtype)).requires_grad_()
        layer.train(not (evaluate and step == steps - 1)).zero_grad()
        y, grads = gradients(L, layer(x), x, *layer.parameters())
    return y, grads, dict(layer.state_dict()), layer.training


ROWS = []
for name, (kind, shape) in SHAPES.items():
    options = itertools.product((0.1, None, 0.0, 1.0), (True, False), (True, False), (True, False))
    for momentum, affine, track, evaluate in options:
        settings = {"momentum": momentum, "affine": affine, "track_running_stats": track, "evaluate": evaluate}
        label = f"{name} momentum={momentum} affine={affine} track={track} eval={evaluate}"
        ROWS += rows(f"nn.{kind}", {label: lambda L, k=kind, s=shape, o=settings: trained(L, k, s, **o)})
    # float32: m values per channel in a sum, two steps of them; x_hat of channels near their mean cancels a little
    ROWS += rows(
        f"nn.{kind}",
        {f"{name} float32": lambda L, k=kind, s=shape: trained(L, k, s, "float32")},
        length=2 * int(np.prod(shape)),
        condition=4,
    )
    ROWS += rows(
        f"nn.{kind}",
        {
            f"{name} large_eps": lambda L, k=kind, s=shape: trained(L, k, s, eps=10.0),
            f"{name} no_bias": lambda L, k=kind, s=shape: trained(L, k, s, bias=False),
            f"{name} constant": lambda L, k=kind, s=shape: make(L, k)(L.full(s, 3.0, dtype=L.float64)),
            f"{name} infinite": lambda L, k=kind, s=shape: with_value(L, k, s, float("inf")),
            f"{name} nan": lambda L, k=kind, s=shape: with_value(L, k, s, float("nan")),
            f"{name} offset": lambda L, k=kind, s=shape: offset(L, k, s),
            f"{name} empty": lambda L, k=kind, s=shape: empty(L, k, s),
            f"{name} repr": lambda L, k=kind: repr(getattr(L.nn, k)(7, 1e-3, 0.2, False, False)),
            f"{name} state": lambda L, k=kind: dict(getattr(L.nn, k)(3).state_dict()),
            f"{name} untracked_state": lambda L, k=kind: dict(
                getattr(L.nn, k)(3, track_running_stats=False).state_dict()
            ),
            f"{name} late_flag": lambda L, k=kind, s=shape: late_flag(L, k, s),
            f"{name} strided": lambda L, k=kind, s=shape: make(L, k)(tensor(L, *s[:-1], 2 * s[-1])[..., ::2]),
            f"{name} no_grad": lambda L, k=kind, s=shape: unrecorded(L, k, s),
            f"{name} reset": lambda L, k=kind, s=shape: reset(L, k, s),
        },
    )


def with_value(L, kind, shape, value):
    """One inf or nan spoils its channel, in results, gradients and running statistics, and no other."""
    layer, x = make(L, kind), tensor(L, *shape)
    x[0, 1] = value
    x.requires_grad_()
    y, grads = gradients(L, layer(x), x, *layer.parameters())
    return y, grads, dict(layer.state_dict())


def offset(L, kind, shape):
    """A large mean, in float64: two passes lose only what the data lost."""
    layer = make(L, kind)
    y = layer((tensor(L, *shape) * 2**10).round() / 2**10 + 2.0**20)
    return y, layer.running_var


def empty(L, kind, shape):
    layer = make(L, kind).eval()
    x = L.zeros(0, *shape[1:], dtype=L.float64, requires_grad=True)
    y = layer(x)
    y.sum().backward()
    return y, x.grad, layer.weight.grad


def late_flag(L, kind, shape):
    """track_running_stats set to False on a live layer: eval mode still uses the buffers, train mode leaves them."""
    layer = make(L, kind)
    layer(tensor(L, *shape) + 1)
    layer.track_running_stats = False
    trained_y = layer(tensor(L, *shape, seed=1))
    return trained_y, layer.eval()(tensor(L, *shape, seed=2)), dict(layer.state_dict())


def unrecorded(L, kind, shape):
    """no_grad does not freeze the statistics; requires_grad=False neither."""
    layer = make(L, kind).requires_grad_(False)
    with L.no_grad():
        y = layer(tensor(L, *shape))
    return y, layer.running_mean, layer.num_batches_tracked, layer(tensor(L, *shape)).requires_grad


def reset(L, kind, shape):
    layer = make(L, kind)
    layer(tensor(L, *shape))
    layer.reset_running_stats()
    before = dict(layer.state_dict())
    layer(tensor(L, *shape))
    layer.reset_parameters()
    return before, dict(layer.state_dict())


def old_state(L, metadata):
    """A state_dict without num_batches_tracked: fine where it is a plain dict, a missing key under version 2."""
    layer = L.nn.BatchNorm1d(3)
    state = layer.state_dict()
    del state["num_batches_tracked"]
    return str(L.nn.BatchNorm1d(3).load_state_dict(state if metadata else dict(state)))


ROWS += rows("nn.BatchNorm1d", {"old_state": lambda L: old_state(L, False)})
ROWS += errors(
    "nn.BatchNorm1d",
    {
        "old_state_with_version": (lambda L: old_state(L, True), "num_batches_tracked"),
        "rank_4": (lambda L: L.nn.BatchNorm1d(3)(L.ones(2, 3, 4, 4)), "2D or 3D.*got 4D"),
        "rank_1": (lambda L: L.nn.BatchNorm1d(3)(L.ones(3)), "got 1D"),
        "one_value": (lambda L: L.nn.BatchNorm1d(3)(L.ones(1, 3)), "more than 1 value.*drop_last"),
        "one_value_length": (lambda L: L.nn.BatchNorm1d(3)(L.ones(1, 3, 1)), "more than 1 value"),
        "one_value_untracked": (
            lambda L: L.nn.BatchNorm1d(3, track_running_stats=False).eval()(L.ones(1, 3)),
            "more than 1 value",
        ),
        "channels": (lambda L: L.nn.BatchNorm1d(3)(L.ones(2, 4)), "4.*3"),
        "channels_last": (lambda L: L.nn.BatchNorm1d(3)(L.ones(2, 4, 3)), "channel is dimension 1"),
        "integers": (lambda L: L.nn.BatchNorm1d(3)(L.ones(2, 3).long()), "dtype|float"),
        "eps_zero": (lambda L: L.nn.BatchNorm1d(3, eps=0.0)(L.ones(2, 3)), "eps must be positive"),
        "double_input": (lambda L: L.nn.BatchNorm1d(3)(L.ones(2, 3, dtype=L.float64)), "float64.*float32|one dtype"),
        "negative_features": (lambda L: L.nn.BatchNorm1d(-1), "-1"),
    },
)
ROWS += errors(
    "nn.BatchNorm2d",
    {
        "rank_3": (lambda L: L.nn.BatchNorm2d(3)(L.ones(2, 3, 4)), "4D.*got 3D"),
        "one_value": (lambda L: L.nn.BatchNorm2d(3)(L.ones(1, 3, 1, 1)), "more than 1 value"),
    },
)
ROWS += errors("nn.BatchNorm3d", {"rank_4": (lambda L: L.nn.BatchNorm3d(3)(L.ones(2, 3, 4, 4)), "5D.*got 4D")})
ROWS += rows(
    "nn.BatchNorm2d",
    {
        "one_image": lambda L: make(L, "BatchNorm2d")(tensor(L, 1, 3, 4, 4)),
        "one_image_eval": lambda L: make(L, "BatchNorm2d").eval()(tensor(L, 1, 3, 1, 1)),
        "eps_zero_eval": lambda L: L.nn.BatchNorm2d(3, eps=0.0).double().eval()(tensor(L, 2, 3, 1, 1)),
    },
)


# ---- float16, which is computed in float32 and rounded once


def halves(L, kind, shape, parameters, evaluate=False, **settings):
    """Two batches of float16: results, gradients and state."""
    layer, seen = make(L, kind, parameters, **settings), []
    for step in range(2):
        x = tensor(L, *shape, seed=step).half().requires_grad_()
        layer.train(not (evaluate and step == 1)).zero_grad()
        seen.append(gradients(L, layer(x), x, *layer.parameters()))
    return seen, dict(layer.state_dict())


for name, (kind, shape) in SHAPES.items():
    ROWS += rows(
        f"nn.{kind}",
        {
            f"{name} half parameters={dtype} eval={evaluate} {label}": (
                lambda L, k=kind, s=shape, d=dtype, e=evaluate, o=o: halves(L, k, s, d, e, **o)
            )
            for dtype in ("float16", "float32")
            for evaluate in (True, False)
            for label, o in {"": {}, "plain": {"affine": False, "track_running_stats": False}}.items()
        },
        length=2 * int(np.prod(shape)),
        condition=4,
    )


def functional(L, x, mean=0.0, var=1.0, weight=None, bias=None, grad=(), **settings):
    """F.batch_norm of 3 channels; statistics and parameters are numbers with a dtype's name, or None."""
    made = []
    for i, given in enumerate((mean, var, weight, bias)):
        value, dtype = given if isinstance(given, tuple) else (given, "float32")
        made.append(None if value is None else L.full((3,), value, dtype=getattr(L, dtype), requires_grad=i in grad))
    y = L.nn.functional.batch_norm(x, *made, **settings)
    return y, made[:2]


half, single = (lambda number: (number, "float16")), (lambda number: (number, "float32"))
ROWS += errors(
    "nn.functional.batch_norm",
    {
        "mean_without_var": (
            lambda L: functional(L, L.ones(4, 3), var=None, training=True),
            "must either both be None",
        ),
        "var_without_mean": (
            lambda L: functional(L, L.ones(4, 3), mean=None, training=True),
            "must either both be None",
        ),
        "eval_without_var": (lambda L: functional(L, L.ones(4, 3), var=None), "training=False"),
        **{
            f"grad_of_{which}_training={training}": (
                lambda L, i=i, t=training: functional(L, L.ones(4, 3), grad=(i,), training=t),
                "not differentiable.*detach",
            )
            for i, which in enumerate(("mean", "var"))
            for training in (True, False)
        },
        "half_statistics_float_weight": (
            lambda L: functional(L, L.ones(4, 3).half(), half(0), half(1), single(1), single(0)),
            "mixed dtype",
        ),
        "float_statistics_half_weight": (
            lambda L: functional(L, L.ones(4, 3).half(), single(0), single(1), half(1), half(0)),
            "mixed dtype",
        ),
        "double_weight_half_input": (
            lambda L: L.nn.BatchNorm1d(3).double()(L.ones(4, 3).half()),
            "mixed dtype.*float64",
        ),
        "half_weight_float_input": (lambda L: L.nn.BatchNorm1d(3).half()(L.ones(4, 3)), "float32.*float16"),
        "half_one_value": (lambda L: L.nn.BatchNorm1d(3)(L.ones(1, 3).half()), "more than 1 value"),
    },
)
ROWS += rows(
    "nn.functional.batch_norm",
    {
        "half_one_parameter": lambda L: functional(
            L, tensor(L, 5, 3).half(), single(0), single(1), single(2), training=True
        ),
    },
    length=15,
)


# ---- the layers' home in PyTorch


def kinds(L):
    """Which layers a script finds that looks for BatchNorms the way PyTorch's own code does."""
    wanted = L.nn.modules.batchnorm._BatchNorm
    made = [getattr(L.nn, f"{kind}{n}d")(2) for kind in ("BatchNorm", "InstanceNorm") for n in (1, 2, 3)]
    made += [L.nn.SyncBatchNorm(2), L.nn.GroupNorm(1, 2), L.nn.LayerNorm(2), L.nn.Linear(2, 2)]
    return [isinstance(layer, wanted) for layer in made]


def homes(L):
    """Layers under the modules that PyTorch defines them in."""
    places = {"linear": "Linear", "conv": "Conv2d", "batchnorm": "BatchNorm2d", "activation": "ReLU", "loss": "MSELoss"}
    places |= {"container": "Sequential", "module": "Module", "pooling": "MaxPool2d", "dropout": "Dropout"}
    places |= {"flatten": "Flatten", "instancenorm": "InstanceNorm1d"}
    return [getattr(getattr(L.nn.modules, place), name) is getattr(L.nn, name) for place, name in places.items()]


ROWS += rows("nn.modules", {"batchnorm": kinds, "homes": homes})
