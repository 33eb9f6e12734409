"""Rows about names beside the promised ones: second names, in-place forms, what a tensor says of itself."""

from .table import errors, gradients, rows, tensor

ROWS = []

# ---- in place: the value, the tensor itself, and a gradient through the recorded form

UNARY = (
    "abs ceil cos exp2 expm1 floor frac log log10 log1p log2 reciprocal round rsqrt sigmoid sign sin sqrt square tan "
    "tanh trunc"
).split()


def kept(L):
    y = tensor(L, 3, grad=True) * 2
    before = y.retains_grad
    y.retain_grad()
    return before, y.retains_grad


def enabled(L):
    before = L.is_anomaly_enabled(), L.is_anomaly_check_nan_enabled()
    with L.autograd.set_detect_anomaly(True, check_nan=False):
        inside = L.is_anomaly_enabled(), L.is_anomaly_check_nan_enabled()
    return before, inside, L.is_anomaly_enabled()


def in_place(L, name, *arguments, dtype="float64"):
    """x.name_(*arguments), whether it gives x back, and the same of a recorded tensor with its gradient."""
    x = (tensor(L, 2, 3, low=0.25) * 1).to(getattr(L, dtype))
    y = getattr(x, name)(*arguments)
    if dtype != "float64":
        return y is x, x
    leaf = tensor(L, 2, 3, seed=1, low=0.25, grad=True)
    recorded = leaf * 1.5
    getattr(recorded, name)(*arguments)
    return y is x, x, gradients(L, recorded, leaf)


for name in UNARY:
    ROWS += rows(
        f"Tensor.{name}_",
        {
            "plain": lambda L, name=name: in_place(L, f"{name}_"),
            "float32": lambda L, name=name: in_place(L, f"{name}_", dtype="float32"),
        },
    )
for name, arguments in {
    "clamp_min_": (0.5,), "clamp_max_": (1.5,), "clip_": (0.5, 1.5), "remainder_": (0.7,), "fmod_": (0.7,),
    "tril_": (), "triu_": (1,),
}.items():  # fmt: skip
    ROWS += rows(f"Tensor.{name}", {"plain": lambda L, n=name, a=arguments: in_place(L, n, *a)})
for name in ("bitwise_and_", "bitwise_or_", "bitwise_xor_"):
    ROWS += rows(
        f"Tensor.{name}",
        {
            "integers": lambda L, n=name: getattr(L.arange(6), n)(3),
            "bools": lambda L, n=name: getattr(L.tensor([True, False, True]), n)(L.tensor([True, True, False])),
        },
    )
    ROWS += errors(f"Tensor.{name}", {"floats": (lambda L, n=name: getattr(L.ones(2), n)(1), name[:-1])})
ROWS += rows("Tensor.bitwise_not_", {"integers": lambda L: L.arange(4).bitwise_not_()})
ROWS += rows("Tensor.floor_divide_", {"integers": lambda L: L.arange(-4, 5).floor_divide_(3)})
ROWS += rows(
    "Tensor.scatter_add_",
    {"rows": lambda L: L.zeros(3, 2).scatter_add_(0, L.tensor([[0, 2], [0, 1]]), L.ones(2, 2) * 3)},
)
ROWS += rows(
    "Tensor.detach_",
    {"result": lambda L: [y := tensor(L, 3, grad=True) * 2, y.detach_() is y, y.requires_grad, y.is_leaf]},
)

# ---- second names

TWINS = {
    "absolute": (), "clip": (-0.5, 0.5), "divide": (2.0,), "fix": (), "greater": (0.0,), "greater_equal": (0.0,),
    "less": (0.0,), "less_equal": (0.0,), "moveaxis": (0, 1), "multiply": (2.0,), "negative": (), "not_equal": (0.0,),
    "positive": (), "ravel": (), "subtract": (2.0,), "swapaxes": (0, 1), "swapdims": (0, 1), "true_divide": (2.0,),
}  # fmt: skip
for name, arguments in TWINS.items():
    ROWS += rows(f"Tensor.{name}", {"method": lambda L, n=name, a=arguments: getattr(tensor(L, 2, 3), n)(*a)})
    ROWS += rows(name, {"function": lambda L, n=name, a=arguments: getattr(L, n)(tensor(L, 2, 3), *a)})
ROWS += rows(
    "Tensor.type_as",
    {
        "integers": lambda L: tensor(L, 3).type_as(L.ones(1, dtype=L.int64)),
        "same": lambda L: L.ones(2).type_as(L.ones(1)),
    },
)
ROWS += rows("Tensor.view_as", {"plain": lambda L: tensor(L, 2, 3).view_as(L.ones(3, 2))})
ROWS += rows("Tensor.reshape_as", {"strided": lambda L: tensor(L, 2, 3).T.reshape_as(L.ones(2, 3))})
ROWS += rows("Tensor.expand_as", {"plain": lambda L: tensor(L, 3).expand_as(L.ones(2, 3))})

# ---- what a tensor says of itself

SAYS = {
    "element_size": lambda t: t.element_size(), "is_complex": lambda t: t.is_complex(), "nbytes": lambda t: t.nbytes,
    "is_contiguous": lambda t: t.is_contiguous(), "is_cpu": lambda t: t.is_cpu, "is_cuda": lambda t: t.is_cuda,
    "is_floating_point": lambda t: t.is_floating_point(), "is_signed": lambda t: t.is_signed(),
    "itemsize": lambda t: t.itemsize, "ndimension": lambda t: t.ndimension(), "stride": lambda t: t.stride(),
    "storage_offset": lambda t: t.storage_offset(), "get_device": lambda t: t.get_device(),
    "is_same_size": lambda t: (t.is_same_size(t), t.is_same_size(t[0])), "retains_grad": lambda t: t.retains_grad,
}  # fmt: skip
for name, ask in SAYS.items():
    ROWS += rows(
        f"Tensor.{name}",
        {
            "float32": lambda L, ask=ask: ask(L.zeros(2, 3, 4)),
            "uint8": lambda L, ask=ask: ask(L.zeros(2, 3, dtype=L.uint8)),
            "strided": lambda L, ask=ask: ask(L.zeros(4, 6).T[1:, ::2]),
        },
    )
ROWS += rows("Tensor.retains_grad", {"kept": kept})
ROWS += rows(
    "Tensor.data_ptr",
    {"views": lambda L: [x := L.zeros(4), x.data_ptr() == x[:2].data_ptr(), x[1:].data_ptr() - x.data_ptr()][1:]},
)
ROWS += rows(
    "Tensor.is_nonzero", {"values": lambda L: [L.tensor(v).is_nonzero() for v in (0, 1, 0.0, 2.5, True, False)]}
)
ROWS += errors("Tensor.is_nonzero", {"many": (lambda L: L.ones(2).is_nonzero(), "ambiguous|one element")})
ROWS += errors("Tensor.view_as", {"size": (lambda L: L.ones(6).view_as(L.ones(4)), "view")})


# ---- tensors like a tensor

for name, arguments in {
    "new_ones": ((2, 3),), "new_zeros": ((2, 3),), "new_full": ((2, 3), 2.5), "new_tensor": ([1.5, 2.0],),
}.items():  # fmt: skip
    ROWS += rows(
        f"Tensor.{name}",
        {
            "float64": lambda L, n=name, a=arguments: getattr(L.ones(1, dtype=L.float64), n)(*a),
            "dtype": lambda L, n=name, a=arguments: getattr(L.ones(1), n)(*a, dtype=L.int32),
            "grad": lambda L, n=name, a=arguments: getattr(L.ones(1), n)(*a, requires_grad=True),
        },
    )
ROWS += rows(
    "Tensor.new_empty",
    {"shape": lambda L: [list(t.shape) + [str(t.dtype)] for t in [L.ones(1).double().new_empty(2, 3)]]},
)

# ---- settings

ROWS += rows(
    "promote_types",
    {
        "table": lambda L: [
            str(L.promote_types(getattr(L, a), getattr(L, b)))
            for a in ("bool", "uint8", "int8", "int32", "int64", "float16", "float32", "float64")
            for b in ("bool", "uint8", "int8", "int32", "int64", "float16", "float32", "float64")
        ]
    },
)
ROWS += rows("initial_seed", {"after": lambda L: (L.manual_seed(77), L.initial_seed())[1]})


def printed(L, **options):
    """A tensor as text under other options."""
    L.set_printoptions(**options)
    try:
        return str(tensor(L, 4, 5)), str(L.arange(30)), str(L.tensor([1e-9, 1.0]))
    finally:
        L.set_printoptions(profile="default", sci_mode=None)


ROWS += rows(
    "set_printoptions",
    {
        "precision": lambda L: printed(L, precision=2),
        "threshold": lambda L: printed(L, threshold=10, edgeitems=2),
        "linewidth": lambda L: printed(L, linewidth=30),
        "scientific": lambda L: printed(L, sci_mode=True),
    },
)
ROWS += rows(
    "is_anomaly_enabled",
    {"inside": enabled},
)
ROWS += rows("is_anomaly_check_nan_enabled", {"inside": enabled})

# ---- alpha of another kind than the operands

ROWS += rows("add", {"alpha_one_float": lambda L: L.add(L.ones(2), 2, alpha=1.0)})
ROWS += errors(
    "add",
    {
        "alpha_one_float_for_integers": (lambda L: L.add(L.arange(2), 2, alpha=1.0), "alpha=1.0"),
        "alpha_true_for_integers": (lambda L: L.arange(2).add(2, alpha=True), "alpha=True"),
    },
)
ROWS += errors("sub", {"alpha_one_float_for_integers": (lambda L: L.arange(2).sub(2, alpha=1.0), "alpha=1.0")})
