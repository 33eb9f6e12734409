"""Rows about mixing dtypes: every binary operator with every pair of dtypes, 0-dim tensors and Python numbers.

One row is one operator and one dtype on its left; inside, it meets every other dtype, in every form. What raises
counts with the type of the error. The numbers are small, of both signs, and never 0 on the right: division by 0 and
overflow have rows of their own in rows_tensor_arithmetic.py.
"""

import operator

from .table import rows

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
NUMBERS = (True, 2, -3, 0.5, -1.5)
LEFT, RIGHT = [3, -2, 0, 1], [2, 1, -1, 3]

OPERATORS = {
    "__add__": operator.add,
    "__sub__": operator.sub,
    "__mul__": operator.mul,
    "__truediv__": operator.truediv,
    "__floordiv__": operator.floordiv,
    "__mod__": operator.mod,
    "__pow__": operator.pow,
    "__and__": operator.and_,
    "__or__": operator.or_,
    "__xor__": operator.xor,
    "__eq__": operator.eq,
    "__ne__": operator.ne,
    "__lt__": operator.lt,
    "__le__": operator.le,
    "__gt__": operator.gt,
    "__ge__": operator.ge,
}
IN_PLACE = {
    "__iadd__": operator.iadd,
    "__isub__": operator.isub,
    "__imul__": operator.imul,
    "__itruediv__": operator.itruediv,
    "__ifloordiv__": operator.ifloordiv,
    "__imod__": operator.imod,
    "__ipow__": operator.ipow,
    "__iand__": operator.iand,
    "__ior__": operator.ior,
    "__ixor__": operator.ixor,
    "copy_": lambda a, b: a.copy_(b),
    "fill_": lambda a, b: a.fill_(b if not hasattr(b, "ndim") else b.reshape(-1)[0]),
}


def attempt(function, *arguments):
    """What a function gives, or the name of the type of its error."""
    try:
        return function(*arguments)
    except Exception as error:
        return f"raises {type(error).__name__}"


def made(L, values, dtype):
    """A tensor of `values` in `dtype`; negative ones wrap around in uint8."""
    return L.tensor(values).to(getattr(L, dtype))


def meets_all(function, dtype):
    """A row: tensors of `dtype` on the left and on the right of every other dtype, 0-dim and not, and of numbers."""

    def run(L):
        a, found = made(L, LEFT, dtype), {}
        for other in DTYPES:
            b = made(L, RIGHT, other)
            found[other] = attempt(function, a, b)
            found[f"0-dim {other}"] = attempt(function, a, b[0])
            found[f"{other}, 0-dim left"] = attempt(function, a[1], b)
            found[f"{other}, both 0-dim"] = attempt(function, a[1], b[0])
        for number in NUMBERS:
            found[f"{number!r}"] = attempt(function, a, number)
            found[f"{number!r} left"] = attempt(function, number, made(L, RIGHT, dtype))
            found[f"0-dim and {number!r}"] = attempt(function, a[1], number)
        return found

    return run


def takes_all(function, dtype):
    """A row: every other dtype written into a tensor of `dtype`; what is left in it counts, too."""

    def run(L):
        found = {}
        others = [(other, made(L, RIGHT, other)) for other in DTYPES]
        others += [(f"0-dim {other}", b[0]) for other, b in others] + [(f"{n!r}", n) for n in NUMBERS]
        for name, b in others:
            a = made(L, LEFT, dtype)
            found[name] = attempt(function, a, b), a
            a = made(L, LEFT[1], dtype)
            found[f"{name} into 0-dim"] = attempt(function, a, b), a
        return found

    return run


def choices(L, dtype):
    """Every use of `where`, with tensors of `dtype` and others, and with numbers."""
    condition = L.tensor([True, False, True, False])
    a, found = made(L, LEFT, dtype), {}
    for other in DTYPES:
        b = made(L, RIGHT, other)
        found[other] = attempt(L.where, condition, a, b)
        found[f"0-dim {other}"] = attempt(L.where, condition, a, b[0])
        found[f"{other}, 0-dim left"] = attempt(L.where, condition, a[1], b)
    for number in NUMBERS:
        found[f"{number!r}"] = attempt(L.where, condition, a, number)
        found[f"{number!r} left"] = attempt(L.where, condition, number, a)
        found[f"{number!r} and 0.5"] = attempt(L.where, condition, number, 0.5)
    return found


def joined(function, dtype):
    """A row: tensors of `dtype` joined with every other dtype, and with two others."""

    def run(L):
        a, found = made(L, LEFT, dtype), {}
        for other in DTYPES:
            b = made(L, RIGHT, other)
            found[other] = attempt(function(L), [a, b])
            found[f"{other} and float16"] = attempt(function(L), [b, a, made(L, RIGHT, "float16")])
        return found

    return run


ROWS = []
for name, function in OPERATORS.items():
    ROWS += rows(f"Tensor.{name}", {f"{d}_meets_all": meets_all(function, d) for d in DTYPES})
for name, function in IN_PLACE.items():
    ROWS += rows(f"Tensor.{name}", {f"{d}_takes_all": takes_all(function, d) for d in DTYPES})
for name in ("maximum", "minimum"):
    ROWS += rows(name, {f"{d}_meets_all": (lambda L, n=name, d=d: meets_all(getattr(L, n), d)(L)) for d in DTYPES})
ROWS += rows("where", {f"{d}_meets_all": (lambda L, d=d: choices(L, d)) for d in DTYPES})
ROWS += rows("cat", {f"{d}_meets_all": joined(lambda L: L.cat, d) for d in DTYPES})
ROWS += rows("stack", {f"{d}_meets_all": joined(lambda L: L.stack, d) for d in DTYPES})
ROWS += rows(
    "Tensor.masked_fill", {f"{d}_meets_all": meets_all(lambda a, b: a.masked_fill(a > 0, b), d) for d in DTYPES}
)
ROWS += rows("Tensor.clamp", {f"{d}_meets_all": meets_all(lambda a, b: a.clamp(b), d) for d in DTYPES})
ROWS += rows(
    "Tensor.div",
    {
        f"{d}_{mode}_meets_all": meets_all(lambda a, b, mode=mode: a.div(b, rounding_mode=mode), d)
        for d in DTYPES
        for mode in ("trunc", "floor")
    },
)
