"""The lines of random programs, part one: arithmetic, reductions, products."""

from .programs_growth import DTYPE_WEIGHTS, DTYPES

UNARY = """
    neg abs sign square exp exp2 expm1 log log2 log10 log1p sqrt rsqrt reciprocal sin cos tan sinh cosh asin acos atan
    tanh sigmoid relu floor ceil round trunc frac isnan isinf isfinite logical_not bitwise_not clone detach contiguous t
    ravel flatten positive
""".split()
ANY_FLOAT = ["log", "log2", "log10", "sqrt", "rsqrt"]
OPERATORS = ["+", "-", "*", "/", "//", "%", "==", "!=", "<", "<=", ">", ">=", "&", "|", "^"]
OPERATOR_WEIGHTS = [5, 4, 5, 3, 1, 1, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.5, 0.5, 0.5]
METHODS = """
    add sub mul div maximum minimum fmod remainder floor_divide atan2 eq ne lt le gt ge logical_and logical_or
    logical_xor isclose true_divide
""".split()
REDUCTIONS = "sum mean prod amax amin all any logsumexp var std norm".split()


def same_dtype(g, x):
    return str(g.value(x).dtype).removeprefix("torch.")


# ---- arithmetic


def unary(g):
    x, f = g.tensor(), g.pick(UNARY)
    if f in ANY_FLOAT and g.chance(0.8):
        return g.assign(f"({x}.abs() + 0.5).{f}()")
    if f in ("asin", "acos", "log1p") and g.chance(0.8):
        return g.assign(f"({x}.sigmoid() * 0.9).{f}()")
    return g.assign(f"{x}.{f}()")


def stretched(g, name):
    """The shape of a tensor that broadcasts with `name`; now and then one that does not."""
    shape = [1 if g.chance(0.2) else n for n in g.value(name).shape]
    shape = shape[g.integer(0, len(shape)) :] if g.chance(0.3) else shape
    if len(shape) < 4 and g.chance(0.15):
        shape = [g.integer(1, 3), *shape]
    if shape and g.chance(0.02):
        shape[g.integer(0, len(shape) - 1)] += 2
    return tuple(shape)


def partner(g, x, dtype=None):
    """A tensor that broadcasts with the tensor `x`."""

    def fits(t):
        pairs = zip(reversed(t.shape), reversed(g.value(x).shape))
        return (dtype is None or str(t.dtype) == f"torch.{dtype}") and all(m == n or 1 in (m, n) for m, n in pairs)

    def make():
        own = str(g.value(x).dtype).removeprefix("torch.")
        return stretched(g, x), dtype or (own if g.chance(0.6) else g.pick(DTYPES, DTYPE_WEIGHTS))

    return g.tensor(fits, make) if g.chance(0.7) else g.leaf(*make())


def number(g):
    """A Python number; PyTorch takes a bool in few places, and binary takes care of those."""
    return g.number() if g.chance(0.6) else g.integer(-3, 4)


def binary(g):
    x, op = g.tensor(), g.pick(OPERATORS, OPERATOR_WEIGHTS)
    if g.chance(0.3) or (op == "%" and g.value(x).requires_grad):  # PyTorch has no gradient for the divisor
        n = f"({number(g) if g.chance(0.9) else g.chance(0.5)})"
        return g.assign(f"{x} {op} {n}" if op == "%" or g.chance(0.6) else f"{n} {op} {x}")
    return g.assign(f"{x} {op} {partner(g, x)}")


def binary_method(g):
    x, f = g.tensor(), g.pick(METHODS)
    y = str(number(g)) if g.chance(0.2) else partner(g, x)
    option = ""
    if f in ("add", "sub") and g.chance(0.4):
        option = f", alpha={number(g)}"
    if f == "atan2" and "bool" in same_dtype(g, x) + str(getattr(g.names.get(y), "dtype", "")):
        return None  # PyTorch cannot walk back to a bool's partner
    if f == "div" and g.chance(0.5):
        option = f", rounding_mode={g.pick(['floor', 'trunc', None])!r}"
    return g.assign(f"{x}.{f}({y}{option})")


def power(g):
    x, kind = g.tensor(), g.integer(0, 5)
    if kind == 0:
        return g.assign(f"{x} ** {g.integer(-2, 3)}")
    if kind == 1:
        return g.assign(f"{g.integer(1, 3)} ** {x}")
    if kind == 2:
        return g.assign(f"{x}.pow({g.pick([0.5, 2.0, 3, 1, 0, -1, True, 1.5])})")
    if kind == 3:
        return g.assign(f"torch.pow(2.5, {x})")
    y = partner(g, x)
    return g.assign(f"({x}.abs() + 1) ** {y}") if g.value(y).dtype != g.torch.bool else None


def several(g):
    x = g.tensor()
    y = partner(g, x, str(g.value(x).dtype).removeprefix("torch."))
    z = partner(g, x, str(g.value(x).dtype).removeprefix("torch."))
    if None in (y, z):
        return None
    mask, full = g.leaf(stretched(g, x), "bool"), g.leaf(g.value(x).shape, same_dtype(g, x))
    low, high = sorted([g.number(), g.number()])
    return g.assign(
        g.pick(
            [
                f"torch.where({mask}, {x}, {y})",
                f"torch.where({mask}, {x}, {number(g)})",
                f"torch.where({x} > 0, {partner(g, x)}, {x})",
                f"{x}.lerp({y}, {g.pick([0.3, 0.7, 1.5])})",
                f"{x}.addcmul({y}, {z}, value={g.pick([1, 2, -1])})",
                f"{x}.addcdiv({y}, {z}.abs() + 1, value={g.pick([1, 2, 0.5])})",
                f"{x}.clamp({low}, {high})",
                f"{x}.clamp(min={low})",
                f"{x}.clamp(max={g.integer(-2, 2)})",
                f"{x}.clamp({full}, {full} + 1)",  # PyTorch cannot walk back to bounds that stretch the tensor
                f"{x}.clamp(min={full})",
                f"{x}.masked_fill({mask}, {number(g)})",
                f"{x}.masked_fill({mask}, {y}.sum())",
            ]
        )
    )


# ---- reductions


def dims(g, t):
    """Text of the argument dim: an int, a tuple, rarely one with a repetition."""
    if t.ndim >= 2 and g.chance(0.3):
        chosen = sorted(g.rng.permutation(t.ndim)[: g.integer(1, t.ndim)].tolist())
        chosen = [d - t.ndim if g.chance(0.3) else d for d in chosen]
        return str(tuple(chosen + chosen[:1] * (t.numel() > 0 and g.chance(0.03))))
    return str(g.dim(t))


def reduction(g):
    x, f = g.tensor(), g.pick(REDUCTIONS, [4, 4, 1, 1, 1, 1, 1, 1, 2, 2, 1])
    options = []
    if f == "norm":
        options.append(f"p={g.pick(['2', '1', '3', 'float(chr(105) + chr(110) + chr(102))', '2.5'])}")
    if f in ("logsumexp",) or g.chance(0.65):
        d = dims(g, g.value(x))
        d = str(g.dim(g.value(x))) if f == "prod" else d
        options.append(f"dim={d}")
        if g.chance(0.4):
            options.append("keepdim=True")
    if f in ("var", "std") and g.chance(0.5):
        options.append(g.pick(["correction=0", "unbiased=False", "correction=2", "unbiased=True"]))
    if f in ("sum", "mean", "prod") and not g.value(x).requires_grad and g.chance(0.2):
        options.append(f"dtype=torch.{g.pick(['float64', 'float32', 'int64'])}")
    return g.assign(f"{x}.{f}({', '.join(options)})")


def has_ties(t):
    """Whether two numbers of a tensor are equal, or one is nan."""
    return t.unique().numel() < t.numel() or (t.dtype.is_floating_point and bool(t.isnan().any()))


def extreme(g):
    x = g.tensor()
    t, d = g.value(x), g.dim(g.value(x))
    keep = g.pick(["", ", keepdim=True"])
    options = [
        f"{x}.max()", f"{x}.min()", f"{x}.argmax()", f"{x}.argmin()",
        f"{x}.max({d}{keep})", f"{x}.min({d}{keep})", f"{x}.argmax({d}{keep})", f"{x}.argmin({d}{keep})",
        f"{x}.sort(dim={d}, stable=True)", f"torch.sort({x}, dim={d}, descending=True, stable=True)",
        f"{x}.argsort(dim={d}, stable=True)", f"{x}.unique()", f"{x}.count_nonzero()", f"{x}.count_nonzero({d})",
        f"{x}.nonzero(as_tuple=True)", f"torch.where({x} > 0)", f"{x}.isclose({x} + 1e-9)",
        f"{x}.cumsum({d})", f"{x}.cumprod({d})", f"{x}.softmax({d})", f"{x}.log_softmax({d})",
        f"torch.softmax({x}, {d})", f"torch.var_mean({x}, {d}{keep})", f"torch.std_mean({x})",
        f"{x}.nonzero().contiguous()",
    ]  # fmt: skip
    options = [o for o in options if "softmax" not in o or t.dtype.is_floating_point]
    options += [f"{x}.median()"] * (t.dtype != g.torch.bool)
    if not has_ties(t) and t.numel() and t.dtype != g.torch.bool:
        options += [f"{x}.topk({g.integer(0, 2)}, {d})", f"{x}.median({d}{keep})", f"{x}.topk(1, {d}, largest=False)"]
    return g.assign(g.pick(options))


# ---- products


def product(g):
    fits = (lambda t: t.ndim > 0 and t.dtype != g.torch.bool), lambda: ((2, 3), "int64")
    x = g.floating(low=1) if g.chance(0.9) else g.tensor(*fits)
    t = g.value(x)
    if t.ndim == 0:
        return g.assign(f"{x} @ {x}")
    dtype = str(t.dtype).removeprefix("torch.")
    n, m = t.shape[-1], g.integer(1, 3)
    kind = g.integer(0, 6)
    if g.chance(0.03):
        n += 1
    if kind == 0:
        return g.assign(f"{x} @ {g.leaf((n,), dtype)}")
    if kind == 1:
        return g.assign(f"{x} @ {g.leaf((n, m), dtype)}")
    if kind == 2:
        batch = [1 if g.chance(0.3) else b for b in t.shape[:-2]]
        y = g.leaf((*batch, n, m), dtype)
        return g.assign(g.pick([f"torch.matmul({x}, {y})", f"{x} @ {y}", f"{x}.bmm({y})", f"torch.mm({x}, {y})"]))
    if kind == 3:
        return g.assign(f"{g.leaf((m, t.shape[-2] if t.ndim > 1 else n), dtype)} @ {x}")
    if kind == 4:
        weight, bias = g.leaf((m, n), dtype), g.leaf((m,), dtype)
        return g.assign(g.pick([f"F.linear({x}, {weight}, {bias})", f"F.linear({x}, {weight})"]))
    if kind == 5:
        y = g.leaf((n,), dtype)
        return g.assign(g.pick([f"{x}.mv({y})", f"{x}.dot({y})", f"{x}.outer({y})"]))
    y, bias = g.leaf((n, m), dtype), g.leaf((m,), dtype)
    return g.assign(f"{bias}.addmm({x}, {y}, beta={g.pick([0, 1, 3])}, alpha={g.pick([1, 2])})")


FAMILIES = [
    (3, unary), (5, binary), (2.5, binary_method), (1, power), (2, several), (3.5, reduction),
    (3, extreme), (3, product),
]  # fmt: skip
