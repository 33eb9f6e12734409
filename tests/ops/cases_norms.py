"""Rows for ops/layernorm.py, groupnorm.py, instancenorm.py, rmsnorm.py, localresponsenorm.py (normalisation.py)."""

from .table import Case, normal, rows, uniform

CASES = []

# The condition of x -> x_hat is |x| / std: the mean is taken away. Inputs here have mean 1.5 and standard deviation 2,
# but rows of few values can have a standard deviation several times smaller; 10 covers that, as for batch_norm.
CONDITION = 10


def shifted(*shape):
    """Inputs whose mean is not 0."""
    return normal(*shape, mean=1.5, std=2.0)


# ---- layer norm

LAYERS = {  # the input's shape, how many of its last sizes are normalised
    "vector": ((6,), 1),
    "matrix": ((5, 6), 1),
    "whole_matrix": ((5, 6), 2),
    "sequence": ((2, 3, 6), 1),
    "sequence_two": ((2, 3, 6), 2),
    "sequence_all": ((2, 3, 6), 3),
    "image": ((2, 3, 4, 5), 3),
    "size_one_among": ((4, 1, 5), 2),
    "one_row": ((1, 7), 1),
    "wide": ((2, 100), 1),
}
for name, (shape, rank) in LAYERS.items():
    D = shape[-rank:]
    for how, eps in (("", 1e-5), ("_large_eps", 0.5)):
        CASES += [
            Case(
                f"layer_norm/{name}{how}",
                lambda L, x, g, b, D=D, e=eps: L.nn.functional.layer_norm(x, D, g, b, e),
                (shifted(*shape), normal(*D), normal(*D)),
                condition=CONDITION,
            ),
            Case(
                f"layer_norm/{name}_plain{how}",
                lambda L, x, D=D, e=eps: L.nn.functional.layer_norm(x, D, eps=e),
                (shifted(*shape),),
                condition=CONDITION,
            ),
        ]
CASES += [
    Case(
        "layer_norm/only_gamma",
        lambda L, x, g: L.nn.functional.layer_norm(x, [6], g),
        (shifted(5, 6), normal(6)),
        condition=CONDITION,
    ),
    Case(
        "layer_norm/only_beta",
        lambda L, x, b: L.nn.functional.layer_norm(x, [6], bias=b),
        (shifted(5, 6), normal(6)),
        condition=CONDITION,
    ),
    Case(
        "layer_norm/empty_batch",
        lambda L, x, g, b: L.nn.functional.layer_norm(x, (6,), g, b),
        (normal(0, 6), normal(6), normal(6)),
    ),
    Case(
        "layer_norm/empty_rows",
        lambda L, x, g, b: L.nn.functional.layer_norm(x, (0,), g, b),
        (normal(3, 0), normal(0), normal(0)),
    ),
    Case(
        "layer_norm/transposed",
        lambda L, x, g: L.nn.functional.layer_norm(x.T, (6,), g),
        (shifted(6, 5), normal(6)),
        condition=CONDITION,
    ),
    # mean 1000, standard deviation 1: two passes keep what E[x**2] - E[x]**2 would lose. Condition |x| / std.
    Case(
        "layer_norm/far_from_zero",
        lambda L, x, g, b: L.nn.functional.layer_norm(x, (8,), g, b),
        (normal(4, 8, mean=1000.0), normal(8), normal(8)),
        condition=3000,
    ),
]

# ---- group norm

GROUPS = {  # the input's shape, number of groups
    "2d": ((5, 6), 2),
    "2d_one_group": ((5, 6), 1),
    "3d": ((4, 6, 5), 3),
    "3d_every_channel": ((4, 6, 5), 6),
    "4d": ((2, 4, 3, 5), 2),
    "5d": ((2, 4, 2, 2, 3), 2),
    "6d": ((2, 4, 2, 1, 2, 2), 4),
    "one_sample": ((1, 4, 3, 3), 2),
    "one_channel": ((3, 1, 5), 1),
}
for name, (shape, G) in GROUPS.items():
    C = shape[1]
    for how, eps in (("", 1e-5), ("_large_eps", 0.5)):
        CASES += [
            Case(
                f"group_norm/{name}{how}",
                lambda L, x, g, b, G=G, e=eps: L.nn.functional.group_norm(x, G, g, b, e),
                (shifted(*shape), normal(C), normal(C)),
                condition=CONDITION,
            ),
            Case(
                f"group_norm/{name}_plain{how}",
                lambda L, x, G=G, e=eps: L.nn.functional.group_norm(x, G, eps=e),
                (shifted(*shape),),
                condition=CONDITION,
            ),
        ]
CASES += [
    Case(
        "group_norm/only_gamma",
        lambda L, x, g: L.nn.functional.group_norm(x, 2, g),
        (shifted(3, 6, 4), normal(6)),
        condition=CONDITION,
    ),
    Case(
        "group_norm/only_beta",
        lambda L, x, b: L.nn.functional.group_norm(x, 2, bias=b),
        (shifted(3, 6, 4), normal(6)),
        grad=False,  # PyTorch 2.13 crashes in this backward; tests/nn/test_norms.py compares with gamma = 1
        condition=CONDITION,
    ),
    Case(
        "group_norm/empty_batch",
        lambda L, x, g, b: L.nn.functional.group_norm(x, 2, g, b),
        (normal(0, 6, 4), normal(6), normal(6)),
    ),
    Case("group_norm/no_positions", lambda L, x: L.nn.functional.group_norm(x, 2), (normal(2, 6, 0),)),
    Case(
        "group_norm/no_channels",
        lambda L, x, g, b: L.nn.functional.group_norm(x, 2, g, b),
        (normal(2, 0, 4), normal(0), normal(0)),
    ),
    Case(
        "group_norm/far_from_zero",
        lambda L, x, g, b: L.nn.functional.group_norm(x, 2, g, b),
        (normal(3, 4, 5, mean=1000.0), normal(4), normal(4)),
        condition=3000,
    ),
]

# ---- instance norm

INSTANCES = {
    "3d": (4, 3, 5),
    "4d": (2, 3, 4, 5),
    "5d": (2, 3, 2, 3, 2),
    "one_sample": (1, 3, 6),
    "one_channel": (4, 1, 6),
}
for name, shape in INSTANCES.items():
    C = shape[1]
    for how, eps in (("", 1e-5), ("_large_eps", 0.5)):
        CASES += [
            Case(
                f"instance_norm/{name}{how}",
                lambda L, x, g, b, e=eps: L.nn.functional.instance_norm(x, None, None, g, b, eps=e),
                (shifted(*shape), normal(C), normal(C)),
                condition=CONDITION,
            ),
            Case(
                f"instance_norm/{name}_plain{how}",
                lambda L, x, e=eps: L.nn.functional.instance_norm(x, eps=e),
                (shifted(*shape),),
                condition=CONDITION,
            ),
            Case(
                f"instance_norm/{name}_given{how}",
                lambda L, x, g, b, m, v, e=eps: L.nn.functional.instance_norm(x, m, v, g, b, False, eps=e),
                (shifted(*shape), normal(C), normal(C), normal(C), uniform(C)),
                no_grad_for=(3, 4),
            ),
        ]
CASES += [
    Case(
        "instance_norm/only_gamma",
        lambda L, x, g: L.nn.functional.instance_norm(x, weight=g),
        (shifted(3, 4, 5), normal(4)),
        condition=CONDITION,
    ),
    Case(
        "instance_norm/only_beta",
        lambda L, x, b: L.nn.functional.instance_norm(x, bias=b),
        (shifted(3, 4, 5), normal(4)),
        condition=CONDITION,
    ),
    Case("instance_norm/empty_batch", lambda L, x: L.nn.functional.instance_norm(x), (normal(0, 4, 5),), grad=False),
    Case(
        "instance_norm/no_positions",
        lambda L, x, g, b: L.nn.functional.instance_norm(x, None, None, g, b),
        (normal(2, 4, 0), normal(4), normal(4)),
    ),
    Case(
        "instance_norm/far_from_zero",
        lambda L, x, g, b: L.nn.functional.instance_norm(x, None, None, g, b),
        (normal(2, 3, 10, mean=1000.0), normal(3), normal(3)),
        condition=3000,
    ),
]

# ---- rms norm

for name, (shape, rank) in LAYERS.items():
    D = shape[-rank:]
    for how, eps in (("", None), ("_large_eps", 0.5)):
        CASES += [
            Case(
                f"rms_norm/{name}{how}",
                lambda L, x, g, D=D, e=eps: L.nn.functional.rms_norm(x, D, g, e),
                (shifted(*shape), normal(*D)),
                condition=2,  # no mean is taken away; dx is what is left of dx_hat without its projection
            ),
            Case(
                f"rms_norm/{name}_plain{how}",
                lambda L, x, D=D, e=eps: L.nn.functional.rms_norm(x, D, eps=e),
                (shifted(*shape),),
                condition=2,
            ),
        ]
CASES += [
    Case("rms_norm/empty_batch", lambda L, x, g: L.nn.functional.rms_norm(x, (6,), g), (normal(0, 6), normal(6))),
    Case("rms_norm/empty_rows", lambda L, x, g: L.nn.functional.rms_norm(x, (0,), g), (normal(3, 0), normal(0))),
]

# ---- local response norm

CASES += rows(
    "local_response_norm",
    {
        "default": lambda L, x: L.nn.functional.local_response_norm(x, 3),
        "even": lambda L, x: L.nn.functional.local_response_norm(x, 4, 0.5, 0.7, 2.0),
        "odd": lambda L, x: L.nn.functional.local_response_norm(x, 3, 0.5, 0.7, 2.0),
        "one": lambda L, x: L.nn.functional.local_response_norm(x, 1, 0.5, 1.5, 1.0),
        "wider_than_all": lambda L, x: L.nn.functional.local_response_norm(x, 13, alpha=2.0, beta=2, k=1.5),
        "power_one": lambda L, x: L.nn.functional.local_response_norm(x, 2, 1.0, 1.0, 0.5),
    },
    normal(2, 6, 3),
)
CASES += [
    Case(
        f"local_response_norm/{name}",
        lambda L, x: L.nn.functional.local_response_norm(x, 3, 0.5, 0.7, 2.0),
        (normal(*shape),),
    )
    for name, shape in {
        "4d": (2, 5, 3, 2),
        "5d": (2, 3, 2, 2, 2),
        "6d": (1, 3, 2, 1, 2, 2),
        "one_channel": (2, 1, 4),
    }.items()
]
CASES += [
    Case(
        "local_response_norm/empty",
        lambda L, x: L.nn.functional.local_response_norm(x, 3) * 2,
        (normal(0, 3, 4),),
    )
]

# ---- vectors of length 1: no normalisation layer

CASES += rows(
    "normalize",
    {
        "default": lambda L, x: L.nn.functional.normalize(x),
        "last": lambda L, x: L.nn.functional.normalize(x, dim=-1),
        "p_three": lambda L, x: L.nn.functional.normalize(x, 3.0, 0),
        "large_eps": lambda L, x: L.nn.functional.normalize(x, eps=10.0),
    },
    normal(4, 3, 2),
)
