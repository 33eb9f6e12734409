"""Rows about LayerNorm, GroupNorm, InstanceNorm, RMSNorm, LocalResponseNorm: layers and functions."""

import copy
import inspect

from .table import errors, gradients, rows, tensor

ROWS = []


# ---- what rows do


def layer(L, kind, *args, **settings):
    """A layer of nn with random gamma and beta and, if it has them, random running statistics."""
    made = getattr(L.nn, kind)(*args, **settings)
    with L.no_grad():
        for i, p in enumerate(made.parameters()):
            p.copy_(tensor(L, *p.shape, seed=10 + i))
        for i, (name, b) in enumerate(made.named_buffers()):
            if name.startswith("running"):
                b.copy_(tensor(L, *b.shape, seed=20 + i, low=0.5))
    return made


def use(L, kind, args, shape, dtype="float64", steps=2, train=True, seed=0, **settings):
    """`steps` batches through a layer: results, gradients of input and parameters, state and repr."""
    made = layer(L, kind, *args, **settings, dtype=getattr(L, dtype)).train(train)
    seen = []
    for step in range(steps):
        x = tensor(L, *shape, seed=seed + step, dtype=dtype, low=0.0).requires_grad_()
        made.zero_grad()
        seen.append(gradients(L, made(x), x, *made.parameters()))
    return seen, dict(made.state_dict()), repr(made)


def plain(L, kind, args, shape, dtype="float64", **settings):
    """One batch through a layer without parameters."""
    made = getattr(L.nn, kind)(*args, **settings)
    x = tensor(L, *shape, dtype=dtype, grad=True)
    return gradients(L, made(x), x), dict(made.state_dict()), repr(made)


def call(L, name, shape, *args, dtype="float64", **settings):
    """A function of nn.functional on a random input, with the input's gradient."""
    x = tensor(L, *shape, dtype=dtype, grad=True)
    return gradients(L, getattr(L.nn.functional, name)(x, *args, **settings), x)


def affine(L, name, shape, where, *args, dtype="float64", pdtype=None, **settings):
    """The same with random weight and bias of shape `where`, and their gradients."""
    x = tensor(L, *shape, dtype=dtype, grad=True)
    w, b = (tensor(L, *where, seed=s, dtype=pdtype or dtype, grad=True) for s in (1, 2))
    y, grads = gradients(L, getattr(L.nn.functional, name)(x, *args, w, b, **settings), x, w, b)
    return y, [(str(g.dtype), g.to(x.dtype)) for g in grads]  # with a float16 input, PyTorch's dw is that exact


def scaled(L, name, shape, where, *args, dtype="float64", pdtype=None, **settings):
    """The same with a random weight only."""
    x = tensor(L, *shape, dtype=dtype, grad=True)
    w = tensor(L, *where, seed=1, dtype=pdtype or dtype, grad=True)
    y, grads = gradients(L, getattr(L.nn.functional, name)(x, *args, weight=w, **settings), x, w)
    return y, [(str(g.dtype), g.to(x.dtype)) for g in grads]


def signature(L, name):
    """Names and defaults of the arguments of a layer or function."""
    thing = L.nn
    for part in name.split("."):
        thing = getattr(thing, part)
    thing = thing.__init__ if isinstance(thing, type) else thing
    found = inspect.signature(thing).parameters.values()
    return [(p.name, "needed" if p.default is p.empty else p.default) for p in found]


ROWS += [
    row
    for name in ("LayerNorm", "GroupNorm", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "RMSNorm")
    + ("LocalResponseNorm", "functional.layer_norm", "functional.group_norm", "functional.instance_norm")
    + ("functional.rms_norm", "functional.local_response_norm")
    for row in rows(f"nn.{name}", {"signature": lambda L, n=name: signature(L, n)})
]


def reset(L, made):
    """State after reset_parameters()."""
    made.reset_parameters()
    return dict(made.state_dict())


def reset_running(L, made):
    """State after reset_running_stats()."""
    made.reset_running_stats()
    return dict(made.state_dict())


def without_statistics(made):
    """The layer in eval mode, its running statistics gone."""
    made.running_mean = made.running_var = None
    return made.eval()


def modes(L, kind, size):
    """Train, eval, train: what comes out and where the running statistics are, with gradients in all modes."""
    made, seen = layer(L, kind, 3, affine=True, track_running_stats=True, dtype=L.float64), []
    for step, train in enumerate((True, False, False, True)):
        made.train(train)
        made.zero_grad()
        x = tensor(L, 2, 3, *size, seed=step, grad=True)
        seen.append((gradients(L, made(x), x, *made.parameters()), made.running_mean.clone(), made.running_var.clone()))
    return seen


def running(L, shape=(2, 3, 5), dtype="float64", sdtype=None, steps=2, **settings):
    """instance_norm with running statistics: results, and the statistics afterwards."""
    mean, var = tensor(L, 3, seed=1, dtype=sdtype or dtype), tensor(L, 3, seed=2, low=0.5, dtype=sdtype or dtype)
    x = [tensor(L, *shape, seed=3 + i, dtype=dtype, grad=True) for i in range(steps)]
    return [gradients(L, L.nn.functional.instance_norm(t, mean, var, **settings), t) for t in x], mean, var


def with_input(L, x):
    """layer_norm's result, and its input afterwards."""
    return L.nn.functional.layer_norm(x, (4,)), x


def weight_only_mixed(L, name, dtype, pdtype, to=None):
    """A function with a weight of another dtype than its input; dw in the precision that it is computed in, `to`."""
    x = tensor(L, 2, 4, dtype=dtype, grad=True)
    w = tensor(L, 4, seed=1, dtype=pdtype, grad=True)
    y, (dx, dw) = gradients(L, getattr(L.nn.functional, name)(x, (4,), weight=w), x, w)
    return y, dx, str(dw.dtype), dw.to(to or dw.dtype)


# ---- LayerNorm

ROWS += rows(
    "nn.LayerNorm",
    {
        "int": lambda L: use(L, "LayerNorm", (4,), (3, 4)),
        "tuple": lambda L: use(L, "LayerNorm", ((3, 4),), (2, 3, 4)),
        "list": lambda L: use(L, "LayerNorm", ([3, 4],), (2, 3, 4)),
        "size": lambda L: use(L, "LayerNorm", (L.ones(3, 4).shape,), (2, 3, 4)),
        "range": lambda L: use(L, "LayerNorm", (range(3, 5),), (2, 3, 4)),
        "whole_input": lambda L: use(L, "LayerNorm", ((3, 4),), (3, 4)),
        "vector": lambda L: use(L, "LayerNorm", (4,), (4,)),
        "image": lambda L: use(L, "LayerNorm", ((2, 3, 4),), (5, 2, 3, 4)),
        "eps": lambda L: use(L, "LayerNorm", (4, 0.1), (3, 4)),
        "eps_int": lambda L: use(L, "LayerNorm", (4,), (3, 4), eps=1),
        "no_affine": lambda L: plain(L, "LayerNorm", (4,), (3, 4), elementwise_affine=False),
        "no_affine_bias": lambda L: plain(L, "LayerNorm", (4, 1e-3, False, True), (3, 4)),
        "no_bias": lambda L: use(L, "LayerNorm", (4,), (3, 4), bias=False),
        "float32": lambda L: use(L, "LayerNorm", (4,), (3, 4), dtype="float32"),
        "eval_is_train": lambda L: use(L, "LayerNorm", (4,), (3, 4), train=False),
        "one_value": lambda L: layer(L, "LayerNorm", 1, dtype=L.float64)(tensor(L, 3, 1)),
        "empty_batch": lambda L: use(L, "LayerNorm", (4,), (0, 4)),
        "start": lambda L: dict(L.nn.LayerNorm(3).state_dict()),
        "reset": lambda L: reset(L, layer(L, "LayerNorm", 3)),
        "attributes": lambda L: [
            (m.normalized_shape, m.eps, m.elementwise_affine, m.bias is None)
            for m in (
                L.nn.LayerNorm(3),
                L.nn.LayerNorm([2, 3], bias=False),
                L.nn.LayerNorm((1,), elementwise_affine=False),
            )
        ],
        "scalar_shape": lambda L: (repr(L.nn.LayerNorm(())), L.nn.LayerNorm(()).weight.shape),
        "device": lambda L: repr(L.nn.LayerNorm(3, device="cpu", dtype=L.float64).weight),
        "copy": lambda L: dict(copy.deepcopy(layer(L, "LayerNorm", 3)).state_dict()),
        "grad_fn": lambda L: (
            L.nn.LayerNorm(3)(L.ones(2, 3)).grad_fn.__class__.__name__.replace("Norm", "Norm")[-8:]
            and repr(L.nn.LayerNorm(3)(L.ones(2, 3)))[-40:]
        ),
    },
)
ROWS += errors(
    "nn.LayerNorm",
    {
        "no_shape": (lambda L: L.nn.LayerNorm(), "normalized_shape"),
        "float_shape": (lambda L: L.nn.LayerNorm(4.0), r"LayerNorm: normalized_shape must be an int.*got float"),
        "negative": (lambda L: L.nn.LayerNorm(-1), "negative"),
        "wrong_input": (
            lambda L: L.nn.LayerNorm(4)(L.ones(3, 5)),
            r"layer_norm: given normalized_shape=\[4\].*\[3, 5\]",
        ),
        "transposed_input": (lambda L: L.nn.LayerNorm((3, 4))(L.ones(2, 4, 3)), r"\[\*, 3, 4\]"),
        "too_few_dims": (lambda L: L.nn.LayerNorm((3, 4))(L.ones(4)), r"\[\*, 3, 4\].*\[4\]"),
        "scalar_shape_forward": (lambda L: L.nn.LayerNorm(())(L.ones(3)), "at least one size"),
        "integers": (
            lambda L: L.nn.LayerNorm(3)(L.ones(2, 3).long()),
            r"layer_norm: not implemented for int64.*\.float",
        ),
        "float64_input": (lambda L: L.nn.LayerNorm(3)(L.ones(2, 3).double()), r"mixed dtype.*float64, got float32"),
        "load_missing": (lambda L: L.nn.LayerNorm(3).load_state_dict({"weight": L.ones(3)}), "Missing key.*bias"),
        "load_shape": (
            lambda L: L.nn.LayerNorm(3).load_state_dict({"weight": L.ones(4), "bias": L.ones(3)}),
            "size mismatch for weight",
        ),
        "load_unexpected": (
            lambda L: L.nn.LayerNorm(3, bias=False).load_state_dict({"weight": L.ones(3), "bias": L.ones(3)}),
            "Unexpected key.*bias",
        ),
    },
)


LAYER = "nn.functional.layer_norm"
ROWS += rows(
    LAYER,
    {
        "plain": lambda L: call(L, "layer_norm", (2, 3, 4), (4,)),
        "list": lambda L: call(L, "layer_norm", (2, 3, 4), [3, 4]),
        "affine": lambda L: affine(L, "layer_norm", (2, 3, 4), (3, 4), (3, 4)),
        "weight": lambda L: scaled(L, "layer_norm", (2, 3, 4), (4,), (4,)),
        "keywords": lambda L: call(L, "layer_norm", (2, 4), normalized_shape=(4,), weight=None, bias=None, eps=0.3),
        "constant_rows": lambda L: L.nn.functional.layer_norm(L.full((2, 4), 7.0), (4,)),
        "constant_rows_eps_0": lambda L: L.nn.functional.layer_norm(L.full((2, 4), 7.0), (4,), eps=0.0),
        "negative_eps": lambda L: L.nn.functional.layer_norm(L.full((2, 4), 7.0), (4,), eps=-1.0),
        "nan_stays_in_its_row": lambda L: L.nn.functional.layer_norm(L.tensor([[1.0, float("nan")], [1.0, 2.0]]), (2,)),
        "infinity": lambda L: L.nn.functional.layer_norm(L.tensor([[1.0, float("inf")], [1.0, 2.0]]), (2,)),
        "not_contiguous": lambda L: gradients(
            L, L.nn.functional.layer_norm(tensor(L, 4, 3).T, (4,), tensor(L, 8, grad=True)[::2])
        )[0],
        "empty_batch": lambda L: affine(L, "layer_norm", (0, 4), (4,), (4,)),
        "empty_rows": lambda L: affine(L, "layer_norm", (3, 0), (0,), (0,)),
        "no_grad_input": lambda L: L.nn.functional.layer_norm(tensor(L, 3, 4), (4,)),
        "input_not_changed": lambda L: with_input(L, tensor(L, 3, 4)),
    },
)
ROWS += rows(
    LAYER,
    {
        "float16": lambda L: call(L, "layer_norm", (3, 8), (8,), dtype="float16"),
        "float16_affine": lambda L: affine(L, "layer_norm", (3, 8), (8,), (8,), dtype="float16"),
        "float16_float32_affine": lambda L: affine(
            L, "layer_norm", (3, 8), (8,), (8,), dtype="float16", pdtype="float32"
        ),
        "float16_float32_weight": lambda L: scaled(
            L, "layer_norm", (3, 8), (8,), (8,), dtype="float16", pdtype="float32"
        ),
    },
    length=0,
    condition=4,  # PyTorch rounds some sums to float16 on the way
)
F = lambda name: (
    lambda *args, **settings: (
        lambda L: getattr(L.nn.functional, name)(
            *(a(L) if callable(a) else a for a in args), **{k: v(L) if callable(v) else v for k, v in settings.items()}
        )
    )
)
ones = lambda *shape, dtype="float32": lambda L: L.ones(*shape, dtype=getattr(L, dtype))
f = F("layer_norm")
ROWS += errors(
    LAYER,
    {
        "int_shape": (f(ones(2, 4), 4), "layer_norm: normalized_shape must be a list or tuple"),
        "float_shape": (f(ones(2, 4), (4.0,)), r"got \(4.0,\)"),
        "empty_shape": (f(ones(2, 4), ()), "at least one size"),
        "zero_dim": (f(lambda L: L.tensor(1.0), ()), "at least one size"),
        "wrong_shape": (f(ones(2, 4), (3,)), r"given normalized_shape=\[3\].*\[2, 4\]"),
        "negative_shape": (f(ones(2, 4), (-4,)), r"given normalized_shape=\[-4\]"),
        "weight_shape": (f(ones(2, 4), (4,), ones(3)), r"expected weight.*\[4\], got \[3\]"),
        "weight_broadcasts": (f(ones(2, 3, 4), (3, 4), ones(4)), r"expected weight.*\[3, 4\], got \[4\]"),
        "bias_shape": (f(ones(2, 4), (4,), None, ones(3)), r"expected bias.*\[4\], got \[3\]"),
        "weight_float64": (f(ones(2, 4), (4,), ones(4, dtype="float64")), "mixed dtype.*float32, got float64"),
        "bias_float64": (f(ones(2, 4), (4,), ones(4), ones(4, dtype="float64")), "mixed dtype.*float32, float64"),
        "only_bias_float64": (f(ones(2, 4), (4,), None, ones(4, dtype="float64")), "mixed dtype"),
        "float64_with_float32": (f(ones(2, 4, dtype="float64"), (4,), ones(4)), "mixed dtype"),
        "float32_with_float16": (f(ones(2, 4), (4,), ones(4, dtype="float16")), "mixed dtype"),
        "float16_two_kinds": (f(ones(2, 4, dtype="float16"), (4,), ones(4, dtype="float16"), ones(4)), "mixed dtype"),
        "int64": (f(ones(2, 4, dtype="int64"), (4,)), "not implemented for int64"),
        "bool": (f(ones(2, 4, dtype="bool"), (4,)), "not implemented for bool"),
        "list_as_input": (f([1.0, 2.0], (2,)), "layer_norm: got list, wanted a Tensor"),
        "none_as_input": (f(None, (2,)), "layer_norm: got NoneType, wanted a Tensor"),
        "list_as_weight": (f(ones(2, 4), (4,), [1.0] * 4), "layer_norm: got list, wanted a Tensor"),
    },
)

# ---- GroupNorm

ROWS += rows(
    "nn.GroupNorm",
    {
        "3d": lambda L: use(L, "GroupNorm", (2, 6), (3, 6, 5)),
        "2d": lambda L: use(L, "GroupNorm", (2, 6), (3, 6)),
        "4d": lambda L: use(L, "GroupNorm", (3, 6), (2, 6, 2, 3)),
        "5d": lambda L: use(L, "GroupNorm", (3, 6), (2, 6, 2, 1, 3)),
        "6d": lambda L: use(L, "GroupNorm", (3, 6), (2, 6, 2, 1, 3, 2)),
        "one_group": lambda L: use(L, "GroupNorm", (1, 6), (2, 6, 3)),
        "every_channel": lambda L: use(L, "GroupNorm", (6, 6), (2, 6, 3)),
        "one_value_per_group": lambda L: layer(L, "GroupNorm", 6, 6, dtype=L.float64)(tensor(L, 2, 6)),
        "eps": lambda L: use(L, "GroupNorm", (2, 6, 0.5), (3, 6, 5)),
        "no_affine": lambda L: plain(L, "GroupNorm", (2, 6), (3, 6, 5), affine=False),
        "no_affine_positional": lambda L: plain(L, "GroupNorm", (2, 6, 1e-3, False), (3, 6, 5)),
        "no_bias": lambda L: use(L, "GroupNorm", (2, 6), (3, 6, 5), bias=False),
        "float32": lambda L: use(L, "GroupNorm", (2, 6), (3, 6, 5), dtype="float32"),
        "eval_is_train": lambda L: use(L, "GroupNorm", (2, 6), (3, 6, 5), train=False),
        "empty_batch": lambda L: use(L, "GroupNorm", (2, 6), (0, 6, 5)),
        "other_channels_without_affine": lambda L: plain(L, "GroupNorm", (2, 6), (3, 4, 5), affine=False),
        "start": lambda L: dict(L.nn.GroupNorm(2, 4).state_dict()),
        "reset": lambda L: reset(L, layer(L, "GroupNorm", 2, 4)),
        "attributes": lambda L: [
            vars(L.nn.GroupNorm(2, 4))[n] for n in ("num_groups", "num_channels", "eps", "affine")
        ],
        "negative_groups_are_made": lambda L: repr(L.nn.GroupNorm(-2, 4)),
        "grad_fn": lambda L: repr(L.nn.GroupNorm(1, 3)(L.ones(2, 3)))[-40:],
    },
)
ROWS += errors(
    "nn.GroupNorm",
    {
        "not_divisible": (lambda L: L.nn.GroupNorm(4, 6), r"num_channels \(6\) must be divisible by num_groups \(4\)"),
        "no_groups": (lambda L: L.nn.GroupNorm(0, 6), "GroupNorm: num_groups must be greater than 0"),
        "bias_positional": (lambda L: L.nn.GroupNorm(2, 6, 1e-5, True, None, None, False), "positional"),
        "other_channels": (lambda L: L.nn.GroupNorm(2, 6)(L.ones(2, 4, 5)), "weight to be a vector of 4"),
        "one_dim": (lambda L: L.nn.GroupNorm(2, 6)(L.ones(6)), "at least 2 dimensions"),
        "one_value": (lambda L: L.nn.GroupNorm(6, 6)(L.ones(1, 6)), "more than 1 value per group"),
        "negative_groups": (lambda L: L.nn.GroupNorm(-2, 4)(L.ones(3, 4)), "greater than 0, got -2"),
    },
)
GROUP = "nn.functional.group_norm"
ROWS += rows(
    GROUP,
    {
        "plain": lambda L: call(L, "group_norm", (2, 6, 5), 2),
        "affine": lambda L: affine(L, "group_norm", (2, 6, 5), (6,), 3),
        "affine_2d": lambda L: affine(L, "group_norm", (4, 6), (6,), 3),
        "weight": lambda L: scaled(L, "group_norm", (2, 6, 5), (6,), 3),
        "bias": lambda L: L.nn.functional.group_norm(tensor(L, 2, 6, 5), 3, bias=tensor(L, 6, seed=1)),
        "keywords": lambda L: call(L, "group_norm", (2, 6), num_groups=2, weight=None, bias=None, eps=0.3),
        "constant": lambda L: L.nn.functional.group_norm(L.full((2, 4, 3), 7.0), 2),
        "eps_0": lambda L: L.nn.functional.group_norm(L.full((2, 4, 3), 7.0), 2, eps=0.0),
        "nan_stays_in_its_group": lambda L: L.nn.functional.group_norm(
            L.tensor([[1.0, float("nan"), 3.0, 5.0], [1.0, 2.0, 3.0, 5.0]]), 2
        ),
        "empty_batch": lambda L: affine(L, "group_norm", (0, 6, 5), (6,), 3),
        "no_positions": lambda L: call(L, "group_norm", (2, 6, 0), 3),
        "no_channels": lambda L: affine(L, "group_norm", (2, 0, 5), (0,), 3),
        "not_contiguous": lambda L: L.nn.functional.group_norm(
            tensor(L, 5, 6, 2).transpose(0, 2), 3, tensor(L, 12)[::2]
        ),
        "one_group": lambda L: call(L, "group_norm", (2, 6, 5), 1),
    },
)
ROWS += rows(
    GROUP,
    {
        "float16": lambda L: call(L, "group_norm", (3, 4, 5), 2, dtype="float16"),
        "float16_affine": lambda L: affine(L, "group_norm", (3, 4, 5), (4,), 2, dtype="float16"),
        "float16_float32_affine": lambda L: affine(
            L, "group_norm", (3, 4, 5), (4,), 2, dtype="float16", pdtype="float32"
        ),
    },
    length=0,
    condition=4,  # PyTorch rounds some sums to float16 on the way
)
f = F("group_norm")
ROWS += errors(
    GROUP,
    {
        "not_divisible": (f(ones(2, 6, 5), 4), "divisible by num_groups.*6 channels.*num_groups=4"),
        "one_dim": (f(ones(6), 2), "group_norm: expected at least 2 dimensions"),
        "zero_dim": (f(lambda L: L.tensor(1.0), 2), "group_norm: expected at least 2 dimensions"),
        "one_value_per_group": (f(ones(1, 6), 6), r"more than 1 value per group.*\(1, 6\)"),
        "one_value_per_group_3d": (f(ones(1, 6, 1), 6), r"more than 1 value per group"),
        "one_value_not_divisible": (f(ones(1, 7), 4), r"more than 1 value per group"),
        "no_groups": (f(ones(2, 6), 0), "group_norm: num_groups must be greater than 0, got 0"),
        "negative_groups": (f(ones(2, 6), -2), "greater than 0, got -2"),
        "float_groups": (f(ones(2, 6), 2.0), "num_groups must be an int, got float"),
        "weight_shape": (f(ones(2, 6), 2, ones(3)), r"weight to be a vector of 6 elements.*\(3,\)"),
        "weight_rank": (f(ones(2, 6), 2, ones(6, 1)), r"weight to be a vector of 6 elements.*\(6, 1\)"),
        "bias_shape": (f(ones(2, 6), 2, None, ones(3)), r"bias to be a vector of 6 elements.*\(3,\)"),
        "weight_float64": (f(ones(2, 6), 2, ones(6, dtype="float64")), "mixed dtype"),
        "bias_float64": (f(ones(2, 6), 2, ones(6), ones(6, dtype="float64")), "mixed dtype"),
        "int64": (f(ones(2, 6, dtype="int64"), 2), "not implemented for int64"),
        "bool": (f(ones(2, 6, dtype="bool"), 2), "not implemented for bool"),
    },
)

# ---- InstanceNorm

for kind, size in (("InstanceNorm1d", (5,)), ("InstanceNorm2d", (3, 4)), ("InstanceNorm3d", (2, 3, 2))):
    table = {
        "plain": lambda L, k, s: plain(L, k, (3,), (2, 3, *s)),
        "plain_unbatched": lambda L, k, s: plain(L, k, (3,), (3, *s)),
        "plain_eval": lambda L, k, s: gradients(L, getattr(L.nn, k)(3).eval()(tensor(L, 2, 3, *s, grad=True))),
        "other_channels": lambda L, k, s: plain(L, k, (3,), (2, 4, *s)),
        "other_channels_unbatched": lambda L, k, s: plain(L, k, (3,), (4, *s)),
        "empty_batch": lambda L, k, s: getattr(L.nn, k)(3)(L.ones(0, 3, *s)),
        "affine": lambda L, k, s: use(L, k, (3,), (2, 3, *s), affine=True),
        "affine_unbatched": lambda L, k, s: use(L, k, (3,), (3, *s), affine=True),
        "affine_eval": lambda L, k, s: use(L, k, (3,), (2, 3, *s), affine=True, train=False),
        "affine_no_bias": lambda L, k, s: use(L, k, (3,), (2, 3, *s), affine=True, bias=False),
        "positional": lambda L, k, s: use(L, k, (3, 0.1, 0.3, True, True), (2, 3, *s)),
        "eps_and_momentum": lambda L, k, s: use(
            L, k, (3,), (2, 3, *s), eps=0.5, momentum=0.7, affine=True, track_running_stats=True
        ),
        "tracked_affine": lambda L, k, s: use(L, k, (3,), (4, 3, *s), affine=True, track_running_stats=True, steps=4),
        "tracked_unbatched": lambda L, k, s: use(L, k, (3,), (3, *s), affine=True, track_running_stats=True),
        "tracked_eval": lambda L, k, s: use(L, k, (3,), (2, 3, *s), affine=True, track_running_stats=True, train=False),
        "tracked_eval_unbatched": lambda L, k, s: use(
            L, k, (3,), (3, *s), affine=True, track_running_stats=True, train=False
        ),
        "tracked_momentum_none": lambda L, k, s: use(
            L, k, (3,), (2, 3, *s), affine=True, track_running_stats=True, momentum=None
        ),
        "tracked_momentum_0": lambda L, k, s: use(
            L, k, (3,), (2, 3, *s), affine=True, track_running_stats=True, momentum=0
        ),
        "tracked_momentum_1": lambda L, k, s: use(
            L, k, (3,), (2, 3, *s), affine=True, track_running_stats=True, momentum=1.0
        ),
        "tracked_without_affine": lambda L, k, s: plain(
            L, k, (3,), (2, 3, *s), track_running_stats=True, dtype="float32"
        ),
        "float32": lambda L, k, s: use(L, k, (3,), (2, 3, *s), dtype="float32", affine=True, track_running_stats=True),
        "tracked_one_position_eval": lambda L, k, s: layer(L, k, 3, track_running_stats=True).eval()(
            L.ones(2, 3, *(1 for _ in s))
        ),
        "frozen_statistics_keep_a_gradient": modes,
        "start": lambda L, k, s: dict(getattr(L.nn, k)(3, affine=True, track_running_stats=True).state_dict()),
        "reset": lambda L, k, s: reset(L, layer(L, k, 3, affine=True, track_running_stats=True)),
        "reset_running_stats": lambda L, k, s: reset_running(L, layer(L, k, 3, affine=True, track_running_stats=True)),
        "names": lambda L, k, s: [
            [n for n, _ in kinds]
            for m in (getattr(L.nn, k)(3, affine=True, track_running_stats=True), getattr(L.nn, k)(3))
            for kinds in (m.named_parameters(), m.named_buffers())
        ],
        "attributes": lambda L, k, s: [
            vars(getattr(L.nn, k)(3))[n] for n in ("num_features", "eps", "momentum", "affine", "track_running_stats")
        ],
    }
    ROWS += rows(f"nn.{kind}", {n: lambda L, run=run, k=kind, s=size: run(L, k, s) for n, run in table.items()})
    wrong = {
        "too_few_dims": (
            lambda L, k, s: getattr(L.nn, k)(3)(L.ones(*s)),
            r"expected \dD or \dD input \(got \dD input\)",
        ),
        "too_many_dims": (lambda L, k, s: getattr(L.nn, k)(3)(L.ones(1, 2, 3, *s)), r"expected \dD or \dD input"),
        "one_position": (
            lambda L, k, s: getattr(L.nn, k)(3)(L.ones(2, 3, *(1 for _ in s))),
            "instance_norm: expected more than 1 spatial element",
        ),
        "one_position_eval_untracked": (
            lambda L, k, s: getattr(L.nn, k)(3).eval()(L.ones(2, 3, *(1 for _ in s))),
            "more than 1 spatial element",
        ),
        "channels": (
            lambda L, k, s: getattr(L.nn, k)(3, affine=True)(L.ones(2, 4, *s)),
            r"size at dim=1 to match num_features \(3\), but got: 4",
        ),
        "channels_unbatched": (
            lambda L, k, s: getattr(L.nn, k)(3, affine=True)(L.ones(4, *s)),
            r"size at dim=0 to match num_features \(3\), but got: 4",
        ),
        "channels_tracked": (
            lambda L, k, s: getattr(L.nn, k)(3, track_running_stats=True)(L.ones(2, 4, *s)),
            "running_mean to be a vector of 4 elements",
        ),
        "integers": (
            lambda L, k, s: getattr(L.nn, k)(3)(L.ones(2, 3, *s).long()),
            "instance_norm: not implemented for int64",
        ),
        "float64_input": (
            lambda L, k, s: getattr(L.nn, k)(3, affine=True)(L.ones(2, 3, *s).double()),
            "instance_norm: mixed dtype",
        ),
        "negative": (lambda L, k, s: getattr(L.nn, k)(-3, affine=True), "negative"),
        "statistics_taken_away": (
            lambda L, k, s: without_statistics(getattr(L.nn, k)(3, track_running_stats=True))(L.ones(2, 3, *s)),
            "running_mean and running_var when use_input_stats is False",
        ),
        "load_missing": (
            lambda L, k, s: getattr(L.nn, k)(3, affine=True).load_state_dict({"weight": L.ones(3)}),
            "Missing key.*bias",
        ),
        "load_statistics_untracked": (
            lambda L, k, s: getattr(L.nn, k)(3).load_state_dict({"running_mean": L.ones(3), "running_var": L.ones(3)}),
            "running_mean",
        ),
    }
    ROWS += errors(
        f"nn.{kind}", {n: (lambda L, run=run, k=kind, s=size: run(L, k, s), text) for n, (run, text) in wrong.items()}
    )


INSTANCE = "nn.functional.instance_norm"
ROWS += rows(
    INSTANCE,
    {
        "plain": lambda L: call(L, "instance_norm", (2, 3, 5)),
        "six_dims": lambda L: call(L, "instance_norm", (2, 3, 2, 2, 1, 2)),
        "affine": lambda L: affine(L, "instance_norm", (2, 3, 5), (3,), None, None),
        "weight": lambda L: scaled(L, "instance_norm", (2, 3, 5), (3,)),
        "bias": lambda L: call(L, "instance_norm", (2, 3, 5), bias=tensor(L, 3, seed=4)),
        "eps": lambda L: call(L, "instance_norm", (2, 3, 5), eps=0.3),
        "eps_0": lambda L: call(L, "instance_norm", (2, 3, 5), eps=0),
        "negative_eps": lambda L: L.nn.functional.instance_norm(L.full((2, 3, 4), 7.0), eps=-1),
        "running": running,
        "running_momentum": lambda L: running(L, momentum=0.6),
        "running_momentum_int": lambda L: running(L, momentum=1),
        "running_two_positions": lambda L: running(L, (2, 3, 2)),
        "running_one_sample": lambda L: running(L, (1, 3, 4)),
        "running_float32": lambda L: running(L, dtype="float32"),
        "running_in_float64": lambda L: running(L, dtype="float32", sdtype="float64")[0],
        "given": lambda L: running(L, use_input_stats=False),
        "given_in_float64": lambda L: running(L, dtype="float32", sdtype="float64", use_input_stats=False),
        "given_one_position": lambda L: running(L, (2, 3, 1), use_input_stats=False),
        "given_no_positions": lambda L: running(L, (2, 3), use_input_stats=False),
        "positional": lambda L: L.nn.functional.instance_norm(
            tensor(L, 2, 3, 5), None, None, tensor(L, 3, seed=1), tensor(L, 3, seed=2), True, 0.2, 0.3
        ),
        "empty_batch": lambda L: L.nn.functional.instance_norm(L.ones(0, 3, 5)),
        "no_positions": lambda L: affine(L, "instance_norm", (2, 3, 0), (3,), None, None),
        "no_channels": lambda L: L.nn.functional.instance_norm(L.ones(2, 0, 5)),
        "empty_batch_ruins_statistics": lambda L: running(L, (0, 3, 5), steps=1)[1:],
        "not_contiguous": lambda L: L.nn.functional.instance_norm(tensor(L, 5, 3, 2).transpose(0, 2)),
        "nan_stays_in_its_channel": lambda L: L.nn.functional.instance_norm(
            L.tensor([[[1.0, float("nan")], [1.0, 2.0]]])
        ),
    },
)
ROWS += rows(
    INSTANCE,
    {
        "float16": lambda L: call(L, "instance_norm", (3, 4, 5), dtype="float16"),
        "float16_affine": lambda L: affine(L, "instance_norm", (3, 4, 5), (4,), None, None, dtype="float16"),
        "float16_float32_affine": lambda L: affine(
            L, "instance_norm", (3, 4, 5), (4,), None, None, dtype="float16", pdtype="float32"
        ),
        "float16_running": lambda L: running(L, dtype="float16"),
        "float16_running_float32": lambda L: running(L, dtype="float16", sdtype="float32")[0],
        "float16_given": lambda L: running(L, dtype="float16", sdtype="float32", use_input_stats=False),
    },
    length=0,
    condition=4,  # PyTorch rounds some sums to float16 on the way
)
f = F("instance_norm")
ROWS += errors(
    INSTANCE,
    {
        "two_dims": (f(ones(2, 3)), r"more than 1 spatial element, got input of shape \(2, 3\)"),
        "one_dim": (f(ones(3)), "more than 1 spatial element"),
        "one_position": (f(ones(2, 3, 1, 1)), "more than 1 spatial element"),
        "no_statistics": (f(ones(2, 3, 5), use_input_stats=False), "running_mean and running_var when use_input_stats"),
        "only_mean_given": (f(ones(2, 3, 5), ones(3), use_input_stats=False), "running_mean and running_var"),
        "weight_shape": (f(ones(2, 3, 5), weight=ones(4)), r"weight to be a vector of 3 elements.*\(4,\)"),
        "weight_of_all_instances": (f(ones(2, 3, 5), weight=ones(6)), r"weight to be a vector of 3 elements.*\(6,\)"),
        "weight_one": (f(ones(2, 3, 5), weight=ones(1)), r"weight to be a vector of 3"),
        "weight_rank": (f(ones(2, 3, 5), weight=ones(3, 1)), r"weight to be a vector of 3"),
        "bias_shape": (f(ones(2, 3, 5), bias=ones(4)), r"bias to be a vector of 3"),
        "mean_shape": (f(ones(2, 3, 5), ones(4), ones(4)), "running_mean to be a vector of 3"),
        "mean_one": (f(ones(2, 3, 5), ones(1), ones(1)), "running_mean to be a vector of 3"),
        "var_shape": (f(ones(2, 3, 5), ones(3), ones(4)), "running_var to be a vector of 3"),
        "weight_float64": (f(ones(2, 3, 5), weight=ones(3, dtype="float64")), "mixed dtype"),
        "bias_float64": (f(ones(2, 3, 5), None, None, ones(3), ones(3, dtype="float64")), "mixed dtype"),
        "only_bias_float64": (f(ones(2, 3, 5), bias=ones(3, dtype="float64")), "mixed dtype"),
        "float16_two_kinds": (
            f(ones(2, 3, 5, dtype="float16"), None, None, ones(3, dtype="float16"), ones(3)),
            "mixed dtype",
        ),
        "int64": (f(ones(2, 3, 5, dtype="int64")), "not implemented for int64"),
        "learnt_statistics": (
            lambda L: L.nn.functional.instance_norm(
                L.ones(2, 3, 5), L.ones(3, requires_grad=True), L.ones(3, requires_grad=True)
            ),
            "averaged, not learnt",
        ),
    },
)

# ---- RMSNorm

ROWS += rows(
    "nn.RMSNorm",
    {
        "int": lambda L: use(L, "RMSNorm", (4,), (3, 4)),
        "tuple": lambda L: use(L, "RMSNorm", ((3, 4),), (2, 3, 4)),
        "list": lambda L: use(L, "RMSNorm", ([3, 4],), (2, 3, 4)),
        "vector": lambda L: use(L, "RMSNorm", (4,), (4,)),
        "eps": lambda L: use(L, "RMSNorm", (4, 0.1), (3, 4)),
        "no_affine": lambda L: plain(L, "RMSNorm", (4,), (3, 4), elementwise_affine=False),
        "positional": lambda L: plain(L, "RMSNorm", (4, None, False), (3, 4)),
        "float32": lambda L: use(L, "RMSNorm", (4,), (3, 4), dtype="float32"),
        "float64_input": lambda L: gradients(L, L.nn.RMSNorm(4)(tensor(L, 3, 4, grad=True))),
        "eval_is_train": lambda L: use(L, "RMSNorm", (4,), (3, 4), train=False),
        "empty_batch": lambda L: use(L, "RMSNorm", (4,), (0, 4)),
        "start": lambda L: dict(L.nn.RMSNorm(3).state_dict()),
        "reset": lambda L: reset(L, layer(L, "RMSNorm", 3)),
        "attributes": lambda L: [
            vars(L.nn.RMSNorm([2, 3]))[n] for n in ("normalized_shape", "eps", "elementwise_affine")
        ],
        "no_bias": lambda L: hasattr(L.nn.RMSNorm(3), "bias"),
        "grad_fn": lambda L: repr(L.nn.RMSNorm(3)(L.ones(2, 3)))[-30:],
    },
)
ROWS += errors(
    "nn.RMSNorm",
    {
        "float_shape": (lambda L: L.nn.RMSNorm(4.0), r"RMSNorm: normalized_shape must be an int.*got float"),
        "wrong_input": (lambda L: L.nn.RMSNorm(4)(L.ones(3, 5)), r"rms_norm: given normalized_shape=\[4\].*\[3, 5\]"),
        "integers": (lambda L: L.nn.RMSNorm(4)(L.ones(3, 4).long()), "rms_norm: not implemented for int64"),
        "bias": (lambda L: L.nn.RMSNorm(4, bias=True), "bias"),
    },
)
RMS = "nn.functional.rms_norm"
ROWS += rows(
    RMS,
    {
        "plain": lambda L: call(L, "rms_norm", (2, 3, 4), (4,)),
        "list": lambda L: call(L, "rms_norm", (2, 3, 4), [3, 4]),
        "weight": lambda L: scaled(L, "rms_norm", (2, 3, 4), (3, 4), (3, 4)),
        "eps": lambda L: call(L, "rms_norm", (2, 4), (4,), eps=0.3),
        "eps_int": lambda L: call(L, "rms_norm", (2, 4), (4,), None, 1),
        "zeros": lambda L: L.nn.functional.rms_norm(L.zeros(2, 4), (4,)),
        "zeros_eps_0": lambda L: L.nn.functional.rms_norm(L.zeros(2, 4), (4,), eps=0.0),
        "default_eps_float32": lambda L: L.nn.functional.rms_norm(L.full((2, 4), 1e-4), (4,)),
        "default_eps_float64": lambda L: L.nn.functional.rms_norm(L.full((2, 4), 1e-8, dtype=L.float64), (4,)),
        "weight_float32": lambda L: weight_only_mixed(L, "rms_norm", "float64", "float32"),
        "weight_float64": lambda L: weight_only_mixed(L, "rms_norm", "float32", "float64", L.float32),
        "weight_integers": lambda L: L.nn.functional.rms_norm(tensor(L, 2, 4), (4,), L.arange(4)),
        "empty_batch": lambda L: scaled(L, "rms_norm", (0, 4), (4,), (4,)),
        "empty_rows": lambda L: scaled(L, "rms_norm", (3, 0), (0,), (0,)),
        "nan_stays_in_its_row": lambda L: L.nn.functional.rms_norm(L.tensor([[1.0, float("nan")], [1.0, 2.0]]), (2,)),
        "not_contiguous": lambda L: L.nn.functional.rms_norm(tensor(L, 4, 3).T, (4,), tensor(L, 8)[::2]),
    },
)
ROWS += rows(
    RMS,
    {
        "float16": lambda L: call(L, "rms_norm", (3, 8), (8,), dtype="float16"),
        "float16_weight": lambda L: scaled(L, "rms_norm", (3, 8), (8,), (8,), dtype="float16"),
        "float16_float32_weight": lambda L: scaled(
            L, "rms_norm", (3, 8), (8,), (8,), dtype="float16", pdtype="float32"
        ),
        "default_eps_float16": lambda L: L.nn.functional.rms_norm(L.full((2, 4), 1e-3, dtype=L.float16), (4,)),
    },
    length=0,
    condition=4,  # PyTorch rounds some sums to float16 on the way
)
f = F("rms_norm")
ROWS += errors(
    RMS,
    {
        "int_shape": (f(ones(2, 4), 4), "rms_norm: normalized_shape must be a list or tuple"),
        "empty_shape": (f(ones(2, 4), ()), "rms_norm.*at least one size"),
        "wrong_shape": (f(ones(2, 4), (3,)), r"rms_norm: given normalized_shape=\[3\]"),
        "weight_shape": (f(ones(2, 4), (4,), ones(3)), r"rms_norm: expected weight.*\[3\]"),
        "int64": (f(ones(2, 4, dtype="int64"), (4,)), "rms_norm: not implemented for int64"),
        "list_as_input": (f([1.0], (1,)), "rms_norm: got list, wanted a Tensor"),
        "none_as_input": (f(None, (1,)), "rms_norm: got NoneType, wanted a Tensor"),
        "list_as_weight": (f(ones(2, 4), (4,), [1.0] * 4), "rms_norm: got list, wanted a Tensor"),
    },
)

# ---- LocalResponseNorm

ROWS += rows(
    "nn.LocalResponseNorm",
    {
        "default": lambda L: plain(L, "LocalResponseNorm", (2,), (2, 4, 3)),
        "all": lambda L: plain(L, "LocalResponseNorm", (3, 1.0, 2.0, 0.5), (2, 4, 3)),
        "keywords": lambda L: plain(L, "LocalResponseNorm", (), (2, 4, 3, 2), size=5, alpha=1, beta=2, k=3),
        "attributes": lambda L: [vars(L.nn.LocalResponseNorm(2))[n] for n in ("size", "alpha", "beta", "k")],
        "grad_fn": lambda L: repr(L.nn.LocalResponseNorm(2)(L.ones(1, 2, 3, requires_grad=True)))[-30:],
    },
)
ROWS += errors(
    "nn.LocalResponseNorm",
    {"two_dims": (lambda L: L.nn.LocalResponseNorm(2)(L.ones(3, 4)), r"3D or higher dimensionality input.*got 2D")},
)
RESPONSE = "nn.functional.local_response_norm"
ROWS += rows(
    RESPONSE,
    {
        "odd": lambda L: call(L, "local_response_norm", (2, 5, 3), 3, 0.5, 0.7, 2.0),
        "even": lambda L: call(L, "local_response_norm", (2, 5, 3), 2, 0.5, 0.7, 2.0),
        "wider": lambda L: call(L, "local_response_norm", (2, 5, 3), 11, 0.5, 0.7, 2.0),
        "float32": lambda L: call(L, "local_response_norm", (2, 5, 3, 2), 3, dtype="float32"),
        "six_dims": lambda L: call(L, "local_response_norm", (2, 3, 2, 1, 2, 1), 3, 1.0),
        "empty": lambda L: L.nn.functional.local_response_norm(L.ones(0, 4, 3), 2),
        "empty_any_size": lambda L: L.nn.functional.local_response_norm(L.ones(0, 4, 3), 0),
    },
)
f = F("local_response_norm")
ROWS += errors(
    RESPONSE,
    {
        "one_dim": (f(ones(3), 2), "3D or higher.*got 1D"),
        "size_0": (f(ones(1, 3, 4), 0), "size must be greater than 0, got 0"),
        "size_negative": (f(ones(1, 3, 4), -2), "size must be greater than 0, got -2"),
        "size_float": (f(ones(1, 3, 4), 2.0), "size must be an int, got float"),
    },
)

# ---- F.normalize, which is no normalisation layer


def unit(L, shape, *args, **settings):
    """F.normalize and its gradient."""
    x = tensor(L, *shape, grad=True)
    return gradients(L, L.nn.functional.normalize(x, *args, **settings), x)


NORMALIZE = "nn.functional.normalize"
ROWS += rows(
    NORMALIZE,
    {
        "default": lambda L: unit(L, (4, 3)),
        "p_one": lambda L: unit(L, (4, 3), 1.0),
        "p_three": lambda L: unit(L, (2, 4, 3), p=3.0, dim=-1),
        "infinite": lambda L: unit(L, (4, 3), float("inf"), 0),
        "two_dims": lambda L: unit(L, (2, 4, 3), dim=(1, 2)),
        "vector": lambda L: unit(L, (5,), dim=0),
        "large_eps": lambda L: unit(L, (4, 3), eps=10.0),
        "zeros": lambda L: L.nn.functional.normalize(L.zeros(2, 3)),
        "empty": lambda L: L.nn.functional.normalize(L.zeros(0, 3)),
        "signature": lambda L: signature(L, "functional.normalize"),
    },
)
ROWS += errors(
    NORMALIZE,
    {
        "integers": (lambda L: L.nn.functional.normalize(L.ones(2, 3, dtype=L.int64)), "floating point"),
        "no_dim": (lambda L: L.nn.functional.normalize(L.ones(3)), "Dimension out of range"),
    },
)
