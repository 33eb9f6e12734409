"""Rows about nn.init and about what layers start with: the same draws as PyTorch, in place, without a graph."""

from .calls import calls, drawn, function, refused
from .table import Row, rows

SHAPES = ("5, 7", "40, 30", "4, 3, 3, 3", "6, 4, 5", "2, 3, 2, 2, 2", "1, 1")
KINDS = {
    "uniform_": ("", ", -2, 3", ", a=0.5, b=0.75", ", generator=L.Generator().manual_seed(5)"),
    "normal_": ("", ", 1.0, 0.02", ", mean=-1, std=3", ", generator=L.Generator().manual_seed(5)"),
    "constant_": (", 0.3", ", val=-2"),
    "ones_": ("",),
    "zeros_": ("",),
    "xavier_uniform_": ("", ", gain=5 / 3", ", generator=L.Generator().manual_seed(5)"),
    "xavier_normal_": ("", ", 0.5", ", generator=L.Generator().manual_seed(5)"),
    "trunc_normal_": (
        "",
        ", std=0.02",
        ", mean=1, std=2, a=-1, b=1.5",
        ", a=0.5, b=1",
        ", 0.0, 1.0, 2.0, 3.0",
        ", a=-0.1, b=0.1",
        ", generator=L.Generator().manual_seed(5)",
    ),
}
KAIMING = (
    "",
    ", a=0.2",
    ", a=5**0.5",
    ", mode='fan_out'",
    ", mode='FAN_OUT', nonlinearity='relu'",
    ", nonlinearity='tanh'",
)
KAIMING += (
    ", nonlinearity='linear'",
    ", nonlinearity='selu'",
    ", nonlinearity='sigmoid'",
    ", generator=L.Generator().manual_seed(5)",
)
KINDS |= {"kaiming_uniform_": KAIMING, "kaiming_normal_": KAIMING}

ROWS = []
for name, settings in KINDS.items():
    for shape in SHAPES:
        text = "\n".join(f"L.nn.init.{name}(L.empty({shape}){setting})" for setting in settings)
        ROWS += drawn(f"nn.init.{name}", text, exact=True)
    for d, exact in (("float16", True), ("float64", "normal" not in name)):
        text = "\n".join(f"L.nn.init.{name}(L.empty(12, 9, dtype=L.{d}){setting})" for setting in settings[:4])
        ROWS += drawn(f"nn.init.{name}", text, exact=exact)
    first = settings[0]
    ROWS += drawn(
        f"nn.init.{name}",
        f"""
        L.nn.init.{name}(L.ones(4, 6).T{first})
        L.nn.init.{name}(L.ones(4, 6)[:, ::2]{first})
        L.nn.init.{name}(L.nn.Parameter(L.ones(4, 3)){first})
        L.nn.init.{name}(L.ones(4, 3, requires_grad=True){first})
        """,
        exact=True,
    )
    in_place = f"L.nn.init.{name}((t := L.ones(4, 3, requires_grad=True)){first}) is t and t.is_leaf"
    ROWS += [Row(f"nn.init.{name}/in place", function(in_place))]

for name in ("uniform_", "normal_", "ones_", "zeros_"):
    ROWS += drawn(
        f"nn.init.{name}",
        "\n".join(f"L.nn.init.{name}(L.empty({shape}))" for shape in ("()", "3", "0", "2, 0, 3")),
        exact=True,
    )
for name in ("kaiming_uniform_", "kaiming_normal_"):
    ROWS += drawn(
        f"nn.init.{name}",
        f"warned(lambda: L.nn.init.{name}(L.empty(0, 3)))\nwarned(lambda: L.nn.init.{name}(L.empty(0)))",
    )
ROWS += drawn(
    "nn.init.trunc_normal_",
    """
    warned(lambda: L.nn.init.trunc_normal_(L.empty(20), 5.0, 1.0))
    L.nn.init.trunc_normal_(L.empty(3, 0))
    L.nn.init.trunc_normal_(L.empty(()))
    """,
    exact=True,
)

for name in ("xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_"):
    ROWS += refused(
        f"nn.init.{name}",
        f"""
        L.nn.init.{name}(L.empty(3))  !!  fewer than 2 dimensions
        L.nn.init.{name}(L.empty(()))  !!  fewer than 2 dimensions
        L.nn.init.{name}(L.empty(3, 3, dtype=L.int64))  !!  wanted, got int64
        """,
    )
for name in ("kaiming_uniform_", "kaiming_normal_"):
    ROWS += refused(
        f"nn.init.{name}",
        f"""
        L.nn.init.{name}(L.empty(3, 3), mode="fan_avg")  !!  Mode fan_avg not supported
        L.nn.init.{name}(L.empty(3, 3), nonlinearity="swish")  !!  Unsupported nonlinearity swish
        L.nn.init.{name}(L.empty(3, 3), a="x")  !!  'x' is not a valid number
        """,
    )
ROWS += refused("nn.init.xavier_uniform_", "L.nn.init.xavier_uniform_(L.empty(0, 0))  !!  division")
ROWS += refused("nn.init.normal_", "L.nn.init.normal_(L.empty(3), std=-1)  !!  std -1")
ROWS += refused("nn.init.uniform_", "L.nn.init.uniform_(L.empty(3), 2, 1)  !!  low=2 > high=1")
ROWS += calls(
    "nn.init.eye_",
    """
    L.nn.init.eye_(L.ones(3, 3))
    L.nn.init.eye_(L.ones(2, 4))
    L.nn.init.eye_(L.ones(4, 2).T)
    L.nn.init.eye_(L.ones(3, 2, dtype=L.int64))
    L.nn.init.eye_(L.ones(0, 2))
    L.nn.init.eye_(L.nn.Parameter(L.ones(2, 2)))
    (lambda t: L.nn.init.eye_(t) is t and t.is_leaf)(L.ones(2, 2, requires_grad=True))
    """,
)
ROWS += refused(
    "nn.init.eye_",
    "L.nn.init.eye_(L.ones(3))  !!  2 dimensions are supported\nL.nn.init.eye_(L.ones(2, 2, 2))  !!  2 dimensions",
)
ROWS += calls(
    "nn.init.dirac_",
    """
    L.nn.init.dirac_(L.ones(3, 4, 3))
    L.nn.init.dirac_(L.ones(4, 3, 3, 5))
    L.nn.init.dirac_(L.ones(4, 4, 2, 2))
    L.nn.init.dirac_(L.ones(2, 2, 1, 2, 3))
    L.nn.init.dirac_(L.ones(6, 2, 3), 3)
    L.nn.init.dirac_(L.ones(6, 4, 3, 3), groups=2)
    L.nn.init.dirac_(L.nn.Parameter(L.ones(2, 2, 3)))
    L.nn.functional.conv2d(tensor(L, 2, 3, 5, 5), L.nn.init.dirac_(L.empty(3, 3, 3, 3).double()), padding=1)
    """,
)
ROWS += refused(
    "nn.init.dirac_",
    """
    L.nn.init.dirac_(L.ones(3, 3))  !!  3, 4 or 5 dimensions
    L.nn.init.dirac_(L.ones(2, 2, 2, 2, 2, 2))  !!  3, 4 or 5 dimensions
    L.nn.init.dirac_(L.ones(3, 3, 3), 2)  !!  divisible by groups, got 3 and 2
    """,
)
# QR of an (m, n) matrix: the error of Q is the condition of the drawn matrix times the n roundings of every column;
# PyTorch decomposes float32 in float32. A Gaussian matrix with n = 2m rows has condition < 20, a square one of 20 < 1e4
# with a probability of 0.998 (Edelman 1988); the seed is fixed.
for shape, condition in {
    "5, 12": 20,
    "12, 5": 20,
    "20, 20": 1e4,
    "4, 3, 3, 3": 20,
    "1, 4": 1,
    "4, 1": 1,
    "2, 2": 100,
}.items():
    text = f"L.nn.init.orthogonal_(L.empty({shape}))\nL.nn.init.orthogonal_(L.empty({shape}), gain=2 ** 0.5)"
    ROWS += drawn("nn.init.orthogonal_", text, condition=condition)
    text = f"L.nn.init.orthogonal_(L.empty({shape}, dtype=L.float64))"
    ROWS += drawn("nn.init.orthogonal_", text, condition=condition)
ROWS += drawn(
    "nn.init.orthogonal_",
    """
    L.nn.init.orthogonal_(L.ones(8, 4).T)
    L.nn.init.orthogonal_(L.empty(6, 3), generator=L.Generator().manual_seed(5))
    L.nn.init.orthogonal_(L.nn.Parameter(L.ones(6, 3)))
    L.nn.init.orthogonal_(L.empty(0, 3))
    """,
    condition=100,
)
ROWS += [
    Row(
        "nn.init.orthogonal_/in place",
        function("(lambda t: L.nn.init.orthogonal_(t) is t and t.is_leaf)(L.ones(4, 3, requires_grad=True))"),
    )
]
ROWS += refused(
    "nn.init.orthogonal_",
    """
    L.nn.init.orthogonal_(L.empty(3))  !!  2 or more dimensions
    L.nn.init.orthogonal_(L.empty(3, 3, dtype=L.int64))  !!  wanted, got int64
    L.nn.init.orthogonal_(L.empty(3, 3, dtype=L.float16))  !!  not available for float16
    """,
)
ROWS += drawn(
    "nn.init.sparse_",
    """
    L.nn.init.sparse_(L.empty(10, 4), 0.25)
    L.nn.init.sparse_(L.empty(10, 4), sparsity=0.5, std=2)
    L.nn.init.sparse_(L.empty(3, 9), 0.1)
    L.nn.init.sparse_(L.empty(3, 9), 0.9, generator=L.Generator().manual_seed(5))
    L.nn.init.sparse_(L.empty(3, 2), 0.0)
    L.nn.init.sparse_(L.empty(3, 2), 1.0)
    L.nn.init.sparse_(L.empty(4, 5).T, 0.5)
    L.nn.init.sparse_(L.nn.Parameter(L.ones(4, 3)), 0.5)
    """,
    exact=True,
)
ROWS += refused(
    "nn.init.sparse_",
    "L.nn.init.sparse_(L.empty(3), 0.5)  !!  2 dimensions\nL.nn.init.sparse_(L.empty(3, 3, 3), 0.5)  !!  2 dimensions",
)
GAINS = ["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]
GAINS += [f"conv{kind}{n}d" for kind in ("", "_transpose") for n in (1, 2, 3)]
ROWS += calls("nn.init.calculate_gain", "\n".join(f"L.nn.init.calculate_gain('{name}')" for name in GAINS), exact=True)
ROWS += calls(
    "nn.init.calculate_gain",
    """
    L.nn.init.calculate_gain("leaky_relu", 0.2)
    L.nn.init.calculate_gain("leaky_relu", 1)
    L.nn.init.calculate_gain("leaky_relu", param=None)
    L.nn.init.calculate_gain("relu", 0.2)
    """,
    exact=True,
)
ROWS += refused(
    "nn.init.calculate_gain",
    """
    L.nn.init.calculate_gain("swish")  !!  calculate_gain: Unsupported nonlinearity swish
    L.nn.init.calculate_gain("leaky_relu", True)  !!  True is not a valid number
    L.nn.init.calculate_gain("leaky_relu", "0.2")  !!  '0.2' is not a valid number
    """,
)

# ---- what layers start with

LAYERS = {
    "nn.Linear": (
        "3, 2",
        "30, 200",
        "30, 200, bias=False",
        "1, 1",
        "5, 4, dtype=L.float64",
        "5, 4, dtype=L.float16",
        "0, 3",
        "3, 0",
    ),
    "nn.Conv2d": (
        "3, 8, 3",
        "1, 1, 1",
        "3, 8, (3, 5), bias=False",
        "4, 4, 2, dtype=L.float64",
        "4, 4, 2, stride=2, padding=1",
    ),
    "nn.Embedding": (
        "27, 10",
        "5, 3, padding_idx=2",
        "5, 3, padding_idx=-1",
        "1, 1",
        "27, 10, dtype=L.float64",
        "0, 3",
    ),
    "nn.BatchNorm1d": ("4", "4, affine=False", "4, track_running_stats=False", "4, dtype=L.float64"),
    "nn.BatchNorm2d": ("4", "4, affine=False"),
}


def started(layer, arguments, times=1):
    """A row: the state of a layer from one seed, perhaps drawn again, and the place in the stream afterwards."""
    make = function(f"L.{layer}({arguments})")

    def row(L):
        L.manual_seed(12)
        made = make(L)
        for _ in range(times - 1):
            made.reset_parameters()
        return dict(made.state_dict()), [p.requires_grad for p in made.parameters()], L.randn(1), L.rand(2)

    return row


for layer, choices in LAYERS.items():
    table = {f"starts: {arguments}": started(layer, arguments) for arguments in choices}
    table |= {f"reset_parameters three times: {choices[0]}": started(layer, choices[0], times=4)}
    # float64 normal draws of 16 numbers and more are PyTorch's to 1e-15, see rows_random.py
    ROWS += [
        Row(f"{layer}/{special}", run, exact=not ("Embedding" in layer and "float64" in special))
        for special, run in table.items()
    ]


def network(L):
    """A network of many layers, built from one seed."""
    L.manual_seed(2147483647)
    nn = L.nn
    return nn.Sequential(
        nn.Embedding(27, 10),
        nn.Flatten(),
        nn.Linear(30, 200, bias=False),
        nn.BatchNorm1d(200),
        nn.Tanh(),
        nn.Linear(200, 27),
    )


ROWS += rows("nn.Sequential", {"starts as PyTorch's": lambda L: dict(network(L).state_dict())}, exact=True)
