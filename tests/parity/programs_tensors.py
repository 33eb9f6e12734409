"""The lines of random programs, part two: indexing, shapes, writes, types, gradients; and the list of all parts."""

from . import programs_arithmetic, programs_layers
from .programs_arithmetic import dims, number, partner, same_dtype
from .programs_growth import DTYPE_WEIGHTS, DTYPES, walk_back

IN_PLACE = "neg_ abs_ sign_ square_ exp_ tanh_ sigmoid_ relu_ sin_ cos_ floor_ ceil_ round_ trunc_ zero_ sqrt_".split()

# ---- indexing


def index_of(g, t, unique=False):
    """Text of a random index for a tensor; `unique`: no element twice (a write would depend on the order)."""
    kind = g.integer(0, 9)
    if kind == 0 and not unique:
        return (
            f"torch.tensor({[g.integer(-n, n - 1) for n in (t.shape[0],) for _ in range(g.integer(0, 4))]})"
            if (t.ndim and t.shape[0])
            else "None"
        )
    if kind == 1 and (t.ndim or not unique):
        mask = g.rng.random(tuple(t.shape)[: g.integer(min(unique, t.ndim), t.ndim)]) < 0.5
        return f"torch.tensor({mask.tolist()})" if mask.size else "..."
    parts, arrays, length = [], 0, g.integer(1, 3)
    for n in t.shape[: g.integer(0, t.ndim)]:
        what = g.pick(["int", "slice", "all", "list", "mask", "tensor0"], [4, 5, 3, 2 * (not unique) + 0.5, 0.7, 0.5])
        if what == "int" and n:
            parts.append(str(n if not unique and g.chance(0.03) else g.integer(-n, n - 1)))
        elif what == "slice":
            ends = [g.pick(["", str(g.integer(-n - 1, n + 1))]) for _ in range(2)]
            parts.append(":".join(ends) + (f":{g.integer(1, 3)}" if g.chance(0.3) else ""))
        elif what == "list" and n and (not unique or not arrays):
            arrays += 1
            picks = g.rng.permutation(n)[:length].tolist() if unique else [g.integer(-n, n - 1) for _ in range(length)]
            parts.append(g.pick([str(picks), f"torch.tensor({picks})"]))
        elif what == "mask" and n and not arrays:
            arrays += 1
            parts.append(f"torch.tensor({(g.rng.random(n) < 0.6).tolist()})")
        elif what == "tensor0" and n:
            parts.append(f"torch.tensor({g.integer(-n, n - 1)})")
        else:
            parts.append(":")
    if g.chance(0.15):
        parts.insert(g.integer(0, len(parts)), "None")
    if g.chance(0.15):
        parts.insert(len(parts) if unique or len(parts) >= t.ndim else g.integer(0, len(parts)), "...")
    return ", ".join(parts) or "..."


def read(g):
    x = g.tensor(lambda t: t.ndim > 0 or g.chance(0.1))
    return g.assign(f"{x}[{index_of(g, g.value(x))}]")


def pick_along(g):
    x = g.tensor(lambda t: t.ndim > 0 and 0 not in t.shape, lambda: ((3, 2), "float64"))
    t = g.value(x)
    d = g.integer(-t.ndim, t.ndim - 1)
    n = t.shape[d]
    many = [g.integer(0, n - 1) for _ in range(g.integer(0, 4))]
    once = g.rng.permutation(n)[: g.integer(1, n)].tolist()
    shape = [g.integer(1, m) for m in t.shape]
    where = f"torch.tensor({g.rng.integers(0, n, shape).tolist()})"
    source = g.leaf(shape, str(t.dtype).removeprefix("torch."))
    part = list(t.shape)
    part[d] = len(once)
    rows = g.leaf(part, str(t.dtype).removeprefix("torch."))
    return g.assign(
        g.pick(
            [
                f"{x}.index_select({d}, torch.tensor({many}, dtype=torch.int64))",
                f"{x}.gather({d}, {where})",
                f"torch.gather({x}, {d}, {where})",
                f"{x}.scatter_add({d}, {where}, {source})",
                f"{x}.index_add({d}, torch.tensor({once}), {rows})",
                f"{x}.index_add({d}, torch.tensor({once}), {rows}, alpha=2)",
                f"{x}.index_fill({d}, torch.tensor({once}), {number(g)})",
                f"{x}.scatter({d}, {where}, {number(g)})",
                f"{x}.masked_select({x} > 0)",
                f"torch.take_along_dim({x}, {where}, {d})",
            ]
        )
    )


# ---- shapes


def factors(g, count):
    """A random shape with that many elements."""
    shape = []
    for p in (2, 3, 5, 7):
        while count and count % p == 0 and len(shape) < 5:
            shape.append(p)
            count //= p
    shape = [shape[i] for i in g.rng.permutation(len(shape))] + ([count] if count != 1 else [])
    while len(shape) > 3 or (len(shape) > 1 and g.chance(0.3)):
        shape = [shape[0] * shape[1], *shape[2:]]
    if len(shape) < 4 and g.chance(0.3):
        shape.insert(g.integer(0, len(shape)), 1)
    return shape


def reshaping(g):
    x = g.tensor()
    t = g.value(x)
    shape = factors(g, t.numel())
    if shape and t.numel() and g.chance(0.4):
        shape[g.integer(0, len(shape) - 1)] = -1
    order = [int(i) - (t.ndim if g.chance(0.2) else 0) for i in g.rng.permutation(t.ndim)]
    d, e = g.dim(t), g.dim(t)
    wide = [n if n != 1 or g.chance(0.4) else g.integer(1, 3) for n in t.shape]
    wide = [g.integer(1, 2), *wide] if t.ndim < 4 and g.chance(0.3) else [n if g.chance(0.7) else -1 for n in wide]
    times = [g.integer(0 if g.chance(0.05) else 1, 2) for _ in range(t.ndim + g.chance(0.2))]
    options = [
        f"{x}.reshape({shape})", f"{x}.view({shape})", f"{x}.reshape({', '.join(map(str, shape)) or '()'})",
        f"{x}.permute({order})", f"{x}.permute({', '.join(map(str, order)) or '()'})", f"{x}.transpose({d}, {e})",
        f"{x}.squeeze()", f"{x}.squeeze({d})", f"{x}.unsqueeze({g.integer(-t.ndim - 1, t.ndim)})", f"{x}.flatten({d})",
        f"{x}.flatten({d}, {e})", f"{x}.expand({wide})", f"{x}.movedim({d}, {e})", f"{x}.swapaxes({d}, {e})",
        f"{x}.repeat({times})", f"{x}.tile({tuple(times)})", f"{x}.flip({dims(g, t)})", f"{x}.roll({g.integer(-3, 3)})",
        f"{x}.roll({g.integer(-3, 3)}, {d})", f"{x}.repeat_interleave({g.integer(0, 2)}, {d})",
        f"{x}.repeat_interleave(2)", f"{x}.tril({g.integer(-1, 1)})", f"{x}.triu({g.integer(-1, 1)})", f"{x}.mT",
        f"{x}.diag({g.integer(-1, 1)})", f"{x}.diagonal({g.integer(-1, 1)}, {d}, {e})",
        f"{x}.contiguous()", f"{x}.squeeze(({d}, {e}))", f"torch.flatten({x})",
    ]  # fmt: skip
    if t.ndim == 2:
        options += [f"{x}.T", f"{x}.t()"] + [f"{x}.trace()"] * (t.dtype != g.torch.bool)
    return g.assign(g.pick(options))


def parting(g):
    x = g.tensor(lambda t: t.ndim > 0, lambda: ((4, 3), "float64"))
    t = g.value(x)
    d = g.dim(t)
    n = t.shape[d] if -t.ndim <= d < t.ndim else 2
    cut = g.integer(0, n)
    start = g.integer(0, n)
    return g.assign(
        g.pick(
            [
                f"{x}.split({g.integer(1, 3)}, {d})",
                f"{x}.split([{cut}, {n - cut}], {d})",
                f"{x}.chunk({g.integer(1, 3)}, {d})",
                f"{x}.unbind({d})",
                f"{x}.narrow({d}, {start}, {g.integer(0, n - start)})",
            ]
        )
    )


def joining(g):
    x = g.tensor(lambda t: t.ndim > 0, lambda: ((2, 3), "float64"))
    t = g.value(x)
    d = g.dim(t, 0.02)
    dtype = str(t.dtype).removeprefix("torch.") if g.chance(0.7) else g.pick(DTYPES, DTYPE_WEIGHTS)
    if g.chance(0.5):
        shape = list(t.shape)
        if -t.ndim <= d < t.ndim:
            shape[d] = g.integer(0, 3)
        y = g.leaf(shape, dtype)
        return g.assign(f"torch.cat([{x}, {y}, {x}], {d})" if g.chance(0.5) else f"torch.cat(({y}, {x}), dim={d})")
    y = g.leaf(tuple(t.shape), dtype)
    return g.assign(f"torch.stack([{x}, {y}], {d})")


# ---- writes


def write(g):
    x = g.tensor()
    t, kind = g.value(x), g.integer(0, 6)
    inner = tuple(1 if g.chance(0.2) else n for n in t.shape)
    inner = inner[g.integer(0, len(inner)) :] if g.chance(0.3) else inner
    dtype = same_dtype(g, x) if g.chance(0.8) else g.pick(DTYPES, DTYPE_WEIGHTS)
    if kind == 0 and g.chance(0.2):
        return g.write(x, f"F.{g.pick(['relu', 'elu', 'leaky_relu', 'silu'])}({x}, inplace=True)")
    if kind == 0:
        return g.write(x, f"{x}.{g.pick(IN_PLACE)}()")
    if kind == 1:
        y = number(g) if g.chance(0.5) else g.leaf(inner, dtype)
        return g.write(x, f"{x} {g.pick(['+=', '-=', '*=', '/='], [4, 4, 4, 2])} {y}")
    if kind == 2:
        y = number(g) if g.chance(0.3) else g.leaf(inner, dtype)
        return g.write(x, f"{x}.{g.pick(['add_', 'sub_', 'mul_', 'div_', 'copy_'])}({y})")
    if kind == 3:
        low, high = sorted([g.integer(-3, 3), g.integer(-3, 3)])
        options = [f"fill_({number(g)})", f"clamp_({low}, {high})", f"pow_({g.pick([1, 2, 3])})", "zero_()"]
        options += [f"masked_fill_({x} > 0, {number(g)})", "add_(2, alpha=0.5)"]
        options += [f"floor_divide_({g.pick([2, -3, 1])})", f"remainder_({g.pick([2, -3, 1.5])})"]
        return g.write(x, f"{x}.{g.pick(options)}")
    index = index_of(g, t, unique=True)
    if kind == 4:
        return g.write(x, f"{x}[{index}] = {number(g)}")
    try:
        part = eval(f"t[{index}]", {"t": t.detach(), "torch": g.torch})
    except Exception:
        return g.write(x, f"{x}[{index}] = 1")
    inner = tuple(1 if g.chance(0.2) else n for n in part.shape)
    inner = inner[g.integer(0, len(inner)) :] if g.chance(0.2) else inner
    y = g.leaf(inner, dtype, grad=None if t.dtype.is_floating_point else 0)
    return g.write(x, f"{x}[{index}] {g.pick(['=', '+=', '*='], [5, 2, 1])} {y}")


# ---- types, flags, Python


def cast(g):
    x = g.tensor()
    t = g.value(x).detach()
    targets = ["float64", "float32"] + ["float16"] * g.chance(0.3)
    small = not t.dtype.is_floating_point or bool(t.isfinite().all() and (t.abs() < 100).all())
    if small:  # beyond, what comes out depends on the processor
        targets += ["int64", "int32", "bool"] + ([] if (t < 0).any() else ["uint8", "int8"])
    target = g.pick(targets)
    method = {
        "float64": "double",
        "float32": "float",
        "float16": "half",
        "int64": "long",
        "int32": "int",
        "bool": "bool",
    }
    texts = [f"{x}.to(torch.{target})", f"{x}.type(torch.{target})"]
    return g.assign(g.pick(texts + ([f"{x}.{method[target]}()"] if target in method else [])))


def make(g):
    shape, dtype = g.shape(), g.pick(DTYPES, DTYPE_WEIGHTS)
    x = g.tensor()
    return g.assign(
        g.pick(
            [
                f"torch.zeros({shape}, dtype=torch.{dtype})",
                f"torch.ones({shape})",
                f"torch.full({shape}, {number(g)})",
                f"torch.arange({g.integer(0, 5)})",
                f"torch.arange({g.integer(-2, 2)}, {g.integer(2, 5)}, {g.pick([1, 2])}, dtype=torch.{dtype})",
                f"torch.arange({g.integer(-2, 2)}, {g.integer(2, 5)}, {g.pick([0.5, 0.3])})",
                f"torch.linspace({g.number()}, {g.number()}, {g.integer(0, 6)}, dtype=torch.float64)",
                f"torch.eye({g.integer(0, 3)}, {g.integer(1, 3)})",
                f"torch.zeros_like({x})",
                f"torch.ones_like({x})",
                f"torch.full_like({x}, {g.integer(0, 3)})",
                f"{x}.new_zeros({shape})",
                f"{x}.new_full({shape}, {g.integer(0, 3)})",
                f"torch.rand({shape})",
                f"torch.randn({shape})",
                f"torch.randint(-3, 4, {shape})",
                f"torch.randperm({g.integer(0, 5)})",
            ]
        )
    )


def flag(g):
    x = g.tensor()
    t = g.value(x)
    if t.grad_fn is not None and t.requires_grad:
        return g.statement(f"{x}.retain_grad()")
    if g.chance(0.3):
        return g.assign(f"{x}.detach().clone()")
    if t.requires_grad and g.chance(0.5):
        return g.assign(f"{x}.data")
    return g.statement(f"{x}.requires_grad_()") if len(g.sharing(t)) == 1 else None  # PyTorch's views follow suit


def python(g):
    x = g.tensor()
    texts = ["tolist()", "shape", "size()", f"size({g.dim(g.value(x))})", "dim()", "numel()", "is_leaf", "dtype"]
    texts += ["item()", "is_floating_point()", "element_size()"]
    calls = [f"{f}({x})" for f in ("len", "bool", "float", "int", "list")] + [f"{g.integer(-2, 2)} in {x}"]
    calls += [f"torch.equal({x}, {partner(g, x)})", f"torch.allclose({x}, {x})", f"{x}.sum().item()"]
    return g.assign(g.pick([f"{x}.{text}" for text in texts] + calls))


def gradient(g):
    """Walk back in the middle of a program; or do with the gradients of a walk what a training loop does."""
    got = [name for name in g.pool if g.value(name).is_leaf and g.value(name).grad is not None]
    if not got or g.chance(0.2):
        return walk_back(g)
    x = g.pick(got)
    if g.chance(0.4):
        return g.assign(g.pick([f"{x}.grad.clone()", f"{x}.grad * 2", f"({x} * {x}.grad).sum()"]))
    if g.chance(0.3):
        return g.write(x, f"{x} -= 0.1 * {x}.grad")
    return g.statement(g.pick([f"{x}.grad = None", f"{x}.grad.zero_()", f"{x}.grad *= 0.5"]))


FAMILIES = [
    *programs_arithmetic.FAMILIES, (3.5, read), (1.5, pick_along), (4, reshaping), (1.5, parting), (2, joining),
    (4, write), (1, cast), (0.7, make), (0.6, flag), (0.7, python), (0.7, gradient), *programs_layers.FAMILIES,
]  # fmt: skip
