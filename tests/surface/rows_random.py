"""Rows about draws: the same numbers as PyTorch for the same seed, and the same place in the stream afterwards.

Exact, but where a logarithm, a sine or a tangent of the C library stands behind float64 numbers: see random.py. There
the error is a few roundings of a number of size 1, far below the table's bound for float64.
"""

import numpy as np

from .calls import calls, drawn, function, lines, refused
from .table import Row, rows

SIZES = (0, 1, 2, 3, 15, 16, 17, 31, 32, 100, 1000, 1003)
FLOATS = ("float16", "float32", "float64")
WHOLE = ("bool", "uint8", "int8", "int16", "int32", "int64")


def over(template, **choices):
    """Lines for every combination of the choices put into the template."""
    texts = [template]
    for name, values in choices.items():
        texts = [text.replace("{" + name + "}", str(value)) for text in texts for value in values]
    return "\n".join(texts)


ROWS = drawn("rand", over("L.rand({n}, dtype=L.{d})", n=SIZES, d=FLOATS), exact=True)
ROWS += drawn("randn", over("L.randn({n}, dtype=L.{d})", n=SIZES, d=("float16", "float32")), exact=True)
ROWS += drawn("randn", over("L.randn({n}, dtype=L.float64)", n=SIZES[:5]), exact=True)
ROWS += drawn("randn", over("L.randn({n}, dtype=L.float64)", n=SIZES[5:]))
OPTIONS = """
    L.{0}(())
    L.{0}((2, 3))
    L.{0}([2, 3])
    L.{0}(2, 3)
    L.{0}(L.Size([4]))
    L.{0}(size=(2, 2))
    L.{0}(2, generator=None)
    L.{0}(2, requires_grad=True)
    L.{0}(2, device="cpu", layout=L.strided, pin_memory=False)
    L.{0}(4, 5, 6)
    [L.{0}(3), L.{0}(20), L.{0}(3)]
    [L.{0}(5, generator=g) for g in (L.Generator().manual_seed(1), L.Generator().manual_seed(1))]
    L.{0}(2, 0, 3)
    """
OPTION_ERRORS = r"""
    L.{0}()  !!  {0}: missing size
    L.{0}(-1)  !!  {0}: Trying to create tensor with negative dimension -1
    L.{0}(2, -1)  !!  negative dimension -1: \[2, -1\]
    L.{0}(2.0)  !!  found 2.0
    L.{0}(2, dtype=L.int64)  !!  dtype float16, float32 or float64 wanted, got int64
    L.{0}(2, dtype=L.bool)  !!  got bool
    L.{0}(2, generator=3)  !!  {0}: generator must be a Generator, got int
    L.{0}(2, foo=3)  !!  'foo'
    """
for name in ("rand", "randn"):
    ROWS += drawn(name, OPTIONS.format(name), exact=True) + refused(name, OPTION_ERRORS.format(name))
    ROWS += drawn(f"{name}_like", over(f"L.{name}_like(L.ones({{n}}, dtype=L.{{d}}))", n=(1, 7, 20), d=FLOATS))
    ROWS += drawn(
        f"{name}_like",
        f"""
        L.{name}_like(L.ones(2, 3))
        L.{name}_like(L.ones(2, 3).T)
        L.{name}_like(L.ones(4, 6).T)
        L.{name}_like(L.ones(4, 6).T, memory_format=L.contiguous_format)
        L.{name}_like(L.ones(4, 6).T).stride()
        L.{name}_like(L.ones(2, 3, 4).permute(2, 0, 1))
        L.{name}_like(L.ones(8, 6)[::2, ::2])
        L.{name}_like(L.ones(1, 20).expand(3, 20))
        L.{name}_like(L.ones(3, 1, 5).expand(3, 4, 5).transpose(0, 2))
        L.{name}_like(L.ones(2, dtype=L.int64), dtype=L.float32)
        L.{name}_like(L.ones(2), generator=L.Generator().manual_seed(3))
        L.{name}_like(L.ones(2), requires_grad=True)
        L.{name}_like(L.tensor(1.0))
        """,
        exact=True,
    )
    ROWS += refused(
        f"{name}_like",
        f"""
        L.{name}_like(3)  !!  {name}_like: got int, wanted a Tensor
        L.{name}_like(L.ones(2, dtype=L.int64))  !!  wanted, got int64
        L.{name}_like(L.ones(2), foo=1)  !!  'foo'
        """,
    )

# ---- whole numbers

ROWS += drawn("randint", over("L.randint(0, 10, ({n},))", n=SIZES), exact=True)
ROWS += drawn("randint", over("L.randint(2, (9,), dtype=L.{d})", d=FLOATS + WHOLE), exact=True)
ROWS += drawn(
    "randint", over("L.randint(-100, 100, (9,), dtype=L.{d})", d=(*FLOATS, "int8", "int16", "int32")), exact=True
)
RANGES = ("2**24", "2**25 + 3", "2**28 - 1", "2**28", "2**31", "2**32", "2**32 + 1", "2**53", "2**62", "2**63 - 1")
ROWS += drawn("randint", over("L.randint({n}, (7,))", n=RANGES), exact=True)
ROWS += drawn("randint", over("L.randint(-({n}), {n}, (7,))", n=RANGES), exact=True)
ROWS += drawn(
    "randint", over("L.randint(-({n}), {n}, (7,), dtype=L.{d})", n=RANGES[:8], d=("float32", "float64")), exact=True
)
ROWS += drawn(
    "randint",
    """
    L.randint(2, 5, (2, 3))
    L.randint(2, 5, [2])
    L.randint(5, ())
    L.randint(0, 5, ())
    L.randint(high=5, size=(2,))
    L.randint(low=2, high=5, size=(2,))
    L.randint(256, (5,), dtype=L.uint8)
    L.randint(60000, (9,), dtype=L.float16)
    L.randint(-60000, 60001, (9,), dtype=L.float16)
    L.randint(-(2**63), 2**63 - 1, (4,))
    L.randint(5, (2,), dtype=L.float32, requires_grad=True)
    L.randint(L.tensor(5), (2,))
    L.randint(np.int64(5), (2,))
    L.randint(5, (2,), generator=L.Generator().manual_seed(2))
    L.randint(5, (2, 0))
    warned(lambda: L.randint(2**25, (2,), dtype=L.float32))
    """,
    exact=True,
)
ROWS += refused(
    "randint",
    """
    L.randint(5)  !!  randint: size must be a tuple of ints, got NoneType
    L.randint(5, 2)  !!  size must be a tuple
    L.randint(5, 5, (2,))  !!  randint: expects 'from' to be less than 'to', got from=5 >= to=5
    L.randint(0, (2,))  !!  got from=0 >= to=0
    L.randint(5, 2, (2,))  !!  got from=5 >= to=2
    L.randint(5.0, (2,))  !!  low and high must be ints, got float
    L.randint(True, (2,))  !!  got bool
    L.randint(5, (2,), dtype=L.bool)  !!  bool holds 0 to 1
    L.randint(300, (2,), dtype=L.uint8)  !!  uint8 holds 0 to 255
    L.randint(-1, 5, (2,), dtype=L.uint8)  !!  uint8 holds 0 to 255, got low=-1
    L.randint(70000, (2,), dtype=L.float16)  !!  float16 holds
    L.randint(2**63, (2,))  !!  overflow
    L.randint(5, (-1,))  !!  negative dimension -1
    L.randint(5, (2,), requires_grad=True)  !!  floating point
    """,
)
ROWS += drawn(
    "randint_like",
    """
    L.randint_like(L.ones(2, 3), 5)
    L.randint_like(L.ones(2, 3), 2, 5)
    L.randint_like(L.ones(2, 3).T, 50)
    L.randint_like(L.ones(2, 3), 2, 5, dtype=L.int64)
    L.randint_like(L.ones(2, 3), high=5, low=3)
    L.randint_like(L.ones(3), L.tensor(5))
    L.randint_like(L.ones(3, dtype=L.uint8), 256)
    """,
    exact=True,
)
ROWS += refused(
    "randint_like", "L.randint_like(L.ones(3), 5, 2)  !!  from=5 >= to=2\nL.randint_like(3, 5)  !!  wanted a Tensor"
)
ROWS += drawn("randperm", over("L.randperm({n})", n=(*SIZES, 5000)), exact=True)
ROWS += drawn("randperm", over("L.randperm(7, dtype=L.{d})", d=FLOATS + WHOLE[1:]), exact=True)
ROWS += drawn(
    "randperm",
    """
    L.randperm(n=5)
    L.randperm(255, dtype=L.uint8)
    L.randperm(5, dtype=L.float32, requires_grad=True)
    L.randperm(5, generator=L.Generator().manual_seed(2))
    L.randperm(5, device="cpu", layout=L.strided, pin_memory=False)
    L.randperm(L.tensor(5))
    """,
    exact=True,
)
ROWS += refused(
    "randperm",
    """
    L.randperm(-1)  !!  negative dimension -1
    L.randperm(5.0)  !!  found 5.0
    L.randperm(True)  !!  found True
    L.randperm(5, dtype=L.bool)  !!  randperm: not implemented for bool
    L.randperm(300, dtype=L.uint8)  !!  must not be greater than 255 for torch.uint8
    L.randperm(2050, dtype=L.float16)  !!  must not be greater than 2049 for torch.float16
    L.randperm(5, requires_grad=True)  !!  floating point
    """,
)

# ---- normal

ROWS += drawn("normal", over("L.normal(1.5, 2.5, ({n},), dtype=L.{d})", n=SIZES, d=("float16", "float32")), exact=True)
ROWS += drawn("normal", over("L.normal(1.5, 2.5, ({n},), dtype=L.float64)", n=SIZES))
ROWS += drawn("normal", over("L.normal(L.arange({n}) * 0.5, 2.5)", n=SIZES), exact=True)
ROWS += drawn("normal", over("L.normal(0.5, L.arange({n}) * 0.5)", n=SIZES), exact=True)
ROWS += drawn("normal", over("L.normal(L.arange({n}) * 0.5, L.arange({n}) * 0.1)", n=SIZES), exact=True)
ROWS += drawn(
    "normal",
    """
    L.normal(0.0, 1.0, (2, 3))
    L.normal(0, 1, [2])
    L.normal(mean=0.0, std=1.0, size=(2,))
    L.normal(0.0, 1.0, ())
    L.normal(0.0, 0.0, (3,))
    L.normal(0.0, 1.0, (2,), requires_grad=True)
    L.normal(0.0, 1.0, (2,), generator=L.Generator().manual_seed(2))
    L.normal(L.zeros(2))
    L.normal(mean=L.zeros(2))
    L.normal(L.zeros(2, 1), L.ones(3))
    L.normal(L.zeros(2), L.tensor(2.0))
    L.normal(L.tensor(1.0), L.tensor(3.0))
    L.normal(L.zeros(2), L.ones(2, dtype=L.int64))
    L.normal(L.zeros(20) + 0.1, L.full((20,), 0.3, dtype=L.float64))
    L.normal(L.zeros(20, dtype=L.float64) + 0.1, 0.3).to(L.float32)
    L.normal(0.25, L.ones(20, dtype=L.float16) * 3)
    L.normal(L.zeros(5, 6).T, L.ones(6, 5))
    L.normal(L.zeros(5, 6).T, L.ones(6, 5)).stride()
    L.normal(L.zeros(0), 1.0)
    L.normal(L.zeros(2), L.zeros(2))
    L.normal(L.zeros(2), 1.0, generator=L.Generator().manual_seed(2))
    """,
    exact=True,
)
ROWS += refused(
    "normal",
    r"""
    L.normal(0.0, 1.0)  !!  normal: wanted a size
    L.normal(0.0, 1.0, 2)  !!  wanted a size \(a tuple\)
    L.normal(L.zeros(2), 1.0, (2,))  !!  none where a tensor is given
    L.normal(0.0, -1.0, (2,))  !!  std >= 0.0, but found std -1
    L.normal(L.zeros(2), -1.0)  !!  all elements of std >= 0.0
    L.normal(L.zeros(2), -L.ones(2))  !!  all elements of std >= 0.0
    L.normal(L.zeros(2), L.ones(3))  !!  shapes \(2,\) and \(3,\) do not broadcast
    L.normal(L.zeros(2, dtype=L.int64), 1.0)  !!  got int64
    L.normal(0.0, L.ones(2, dtype=L.int64))  !!  got int64
    L.normal(0.0, 1.0, (2,), dtype=L.int64)  !!  got int64
    """,
)


def zero_gradient(draw):
    """A row: as in PyTorch, a draw passes gradients of zero."""

    def row(L):
        L.manual_seed(3)
        parameters = [L.full((2, 3), 0.5, requires_grad=True), L.full((3,), 0.25, requires_grad=True)]
        y = draw(L, *parameters)
        (y * L.arange(1.0, 7).reshape(2, 3)).sum().backward()
        return y, [p.grad for p in parameters]

    return row


ROWS += rows(
    "normal",
    {
        "gradients": zero_gradient(lambda L, m, s: L.normal(m, s)),
        "gradient of the means": zero_gradient(lambda L, m, s: L.normal(m, 2.0)),
        "gradient of the deviations": zero_gradient(lambda L, m, s: L.normal(2.0, m)),
    },
    exact=True,
)

# ---- choices

ROWS += drawn("bernoulli", over("L.bernoulli(L.linspace(0, 1, {n}, dtype=L.{d}))", n=SIZES, d=FLOATS), exact=True)
ROWS += drawn(
    "bernoulli", over("L.bernoulli(L.ones({n}, dtype=L.{d}), 0.3)", n=SIZES[:6], d=FLOATS + WHOLE), exact=True
)
ROWS += drawn(
    "bernoulli",
    """
    L.bernoulli(L.full((2, 3), 0.5))
    L.bernoulli(L.linspace(0, 1, 24).reshape(4, 6).T)
    L.bernoulli(L.linspace(0, 1, 24).reshape(4, 6)[:, ::2])
    L.bernoulli(L.linspace(0, 1, 6).expand(4, 6))
    L.bernoulli(L.ones(4, 6).T, p=0.5)
    L.bernoulli(L.tensor(0.5))
    L.bernoulli(L.ones(3), p=0.0)
    L.bernoulli(L.ones(3), p=1)
    L.bernoulli(L.full((9,), 0.5), generator=L.Generator().manual_seed(2))
    L.full((9,), 0.5).bernoulli()
    L.ones(9).bernoulli(0.5)
    """,
    exact=True,
)
ROWS += rows("bernoulli", {"gradient": zero_gradient(lambda L, p, q: L.bernoulli(p) + 0 * q)}, exact=True)
ROWS += refused(
    "bernoulli",
    r"""
    L.bernoulli(L.tensor([0.5, 2.0]))  !!  bernoulli expects p to be in \[0, 1\]
    L.bernoulli(L.tensor([0.5, -1]))  !!  \[0, 1\]
    L.bernoulli(L.tensor([0.5, float("nan")]))  !!  \[0, 1\]
    L.bernoulli(L.tensor([1, 0]))  !!  got int64
    L.bernoulli(L.tensor([True]))  !!  got bool
    L.bernoulli(0.5)  !!  bernoulli: got float, wanted a Tensor
    L.bernoulli(L.ones(3), p=1.5)  !!  got p=1.5
    """,
)
ROWS += drawn(
    "multinomial",
    over("L.multinomial(L.arange({n}, dtype=L.{d}), {k}, True)", n=(2, 9, 300), d=FLOATS, k=(1, 2, 50)),
    exact=True,
)
ROWS += drawn(
    "multinomial",
    over("L.multinomial(L.arange(1, {n}, dtype=L.{d}), {k})", n=(4, 27, 300), d=FLOATS[1:], k=(1, 2, 3)),
    exact=True,
)
ROWS += drawn(
    "multinomial",
    """
    L.multinomial(L.arange(1.0, 13).reshape(3, 4), 2)
    L.multinomial(L.arange(1.0, 13).reshape(3, 4), 4)
    L.multinomial(L.arange(1.0, 13).reshape(3, 4), 7, replacement=True)
    L.multinomial(L.arange(1.0, 13).reshape(3, 4).T, 2)
    L.multinomial(L.arange(1.0, 13).reshape(3, 4).T, 5, True)
    L.multinomial(L.arange(1.0, 25)[::3], 4)
    L.multinomial(L.arange(1.0, 5).expand(3, 4), 2)
    L.multinomial(L.arange(1.0, 6).reshape(5, 1), 1)
    L.multinomial(L.arange(1.0, 6).reshape(1, 5), 3)
    L.multinomial(L.arange(1.0, 25).reshape(4, 6)[:, ::2], 3)
    L.multinomial(L.tensor([0.0, 1, 0, 2]), 2)
    L.multinomial(L.tensor([0.0, 1e-30, 1e30]), 2)
    L.multinomial(L.ones(0, 3), 1)
    L.multinomial(L.ones(3, requires_grad=True), 1)
    L.multinomial(input=L.ones(3), num_samples=2, replacement=True)
    L.multinomial(L.ones(9), 3, generator=L.Generator().manual_seed(2))
    L.arange(1.0, 9).multinomial(3)
    L.multinomial(L.softmax(L.linspace(-2, 2, 27), 0), num_samples=1, replacement=True).item()
    """,
    exact=True,
)
ROWS += refused(
    "multinomial",
    """
    L.multinomial(L.tensor([1, 2]), 1)  !!  only supports floating-point dtypes for weights, got: int64
    L.multinomial(L.tensor([1.0, -2]), 1)  !!  element < 0
    L.multinomial(L.tensor([0.0, 0]), 1)  !!  sum of weights <= 0
    L.multinomial(L.tensor([[1.0, 0], [0, 0]]), 1)  !!  sum of weights <= 0
    L.multinomial(L.tensor([1.0, 2]), 3)  !!  cannot sample 3 of 2 categories
    L.multinomial(L.tensor([1.0, 2]), 0)  !!  num_samples <= 0 samples, got 0
    L.multinomial(L.tensor([1.0, 2]), -1)  !!  got -1
    L.multinomial(L.tensor(1.0), 1)  !!  1 or 2 dim, got 0
    L.multinomial(L.ones(2, 2, 2), 1)  !!  1 or 2 dim, got 3
    L.multinomial(L.tensor([1.0, float("inf")]), 1)  !!  inf
    L.multinomial(L.tensor([1.0, float("nan")]), 2, True)  !!  nan
    L.multinomial(L.tensor([1.0, 2]), 2.5)  !!  float
    L.multinomial(L.tensor([1.0, 2]), True)  !!  num_samples must be an int, got a bool
    L.multinomial(L.ones(0), 1)  !!  cannot sample 1 of 0
    L.multinomial(L.ones(3, 0), 1)  !!  cannot sample 1 of 0
    L.multinomial([1.0, 2], 1)  !!  multinomial: got list, wanted a Tensor
    """,
)

# ---- in place

TARGETS = """
    L.zeros(4, 6).{call}
    L.zeros(4, 6).T.{call}
    L.zeros(6, 4).T.{call}
    L.zeros(8, 6)[::2].{call}
    L.zeros(40)[1::2].{call}
    L.zeros(4, 5, 6).permute(2, 0, 1).{call}
    L.zeros(2, 3).T.{call}
    L.zeros(()).{call}
    L.zeros(2, 0).{call}
    L.zeros(5, 1, 4).transpose(0, 2).{call}
    """
CALLS = {
    "uniform_": (
        "uniform_()",
        "uniform_(-1, 2.5)",
        "uniform_(0.3, to=0.4)",
        "uniform_(**{'from': 2, 'to': 3})",
        "uniform_(2, 2)",
    ),
    "normal_": (
        "normal_()",
        "normal_(2, 3)",
        "normal_(mean=-1.5, std=0.1)",
        "normal_(1, 0)",
        "normal_(float('nan'), 1)",
    ),
    "exponential_": ("exponential_()", "exponential_(2.5)", "exponential_(lambd=0.1)", "exponential_(float('inf'))"),
    "cauchy_": ("cauchy_()", "cauchy_(1.5, 0.3)", "cauchy_(median=2, sigma=2)"),
    "log_normal_": ("log_normal_()", "log_normal_(0.5, 0.25)", "log_normal_(mean=-1, std=1)"),
    "geometric_": ("geometric_(0.5)", "geometric_(p=0.01)"),
    "bernoulli_": ("bernoulli_()", "bernoulli_(0.3)", "bernoulli_(p=0)", "bernoulli_(L.tensor(0.25))"),
    "random_": (
        "random_()",
        "random_(5)",
        "random_(2, 500)",
        "random_(to=5)",
        "random_(**{'from': -3, 'to': 5})",
        "random_(2, None)",
    ),
}
INEXACT = {"float64": ("normal_", "exponential_", "cauchy_", "log_normal_")}
for name, settings in CALLS.items():
    first = settings[0]
    ROWS += drawn(f"Tensor.{name}", TARGETS.replace("{call}", first), exact=True)
    for d in FLOATS:
        exact = name not in INEXACT.get(d, ())
        ROWS += drawn(
            f"Tensor.{name}", over("L.zeros({n}, dtype=L.{d}).{call}", n=SIZES[:8], d=(d,), call=(first,)), exact=exact
        )
        ROWS += drawn(f"Tensor.{name}", over("L.zeros(33, dtype=L.{d}).{call}", d=(d,), call=settings[1:]), exact=exact)
    ROWS += drawn(
        f"Tensor.{name}",
        over(
            "L.zeros(20).{call}",
            call=(first[:-1] + (", " if first[-2] != "(" else "") + "generator=L.Generator().manual_seed(2))",),
        ),
        exact=True,
    )
    ROWS += rows(
        f"Tensor.{name}",
        {"gives the tensor back": function(f"(lambda t: t.{first} is t)(L.zeros(3))")},
    )
for name in ("geometric_", "bernoulli_", "random_"):
    kinds = WHOLE if name != "geometric_" else WHOLE[2:]
    for call in CALLS[name][:1]:
        ROWS += drawn(
            f"Tensor.{name}", over("L.zeros({n}, dtype=L.{d}).{call}", n=(5, 33), d=kinds, call=(call,)), exact=True
        )
ROWS += drawn(
    "Tensor.bernoulli_",
    """
    L.ones(3).bernoulli_(L.tensor([0.1, 0.5, 0.9]))
    L.ones(7, 3).bernoulli_(L.tensor([0.1, 0.5, 0.9]))
    L.ones(3, 7).T.bernoulli_(L.tensor([0.1, 0.5, 0.9]))
    L.ones(3, 7).bernoulli_(L.linspace(0, 1, 21).reshape(7, 3).T)
    L.ones(3, dtype=L.int64).bernoulli_(L.tensor([0.1, 0.5, 0.9]))
    L.ones(30, dtype=L.float64).bernoulli_(L.linspace(0, 1, 30))
    L.ones(30).bernoulli_(L.linspace(0, 1, 30, dtype=L.float64))
    """,
    exact=True,
)
ROWS += drawn(
    "Tensor.random_",
    """
    L.zeros(9, dtype=L.int64).random_(2**28)
    L.zeros(9, dtype=L.int64).random_(2**28 - 1)
    L.zeros(9, dtype=L.int64).random_(2, None)
    L.zeros(9, dtype=L.int64).random_(-(2**63), None)
    L.zeros(9, dtype=L.uint8).random_(3, None)
    L.zeros(9, dtype=L.int32).random_(-(2**31), None)
    L.zeros(9, dtype=L.int8).random_(-128, 128)
    L.zeros(9).random_(2**24 + 5)
    L.zeros(9).random_(2**25)
    L.zeros(9).random_(-(2**30) - 5, 2**30 + 5)
    L.zeros(9, dtype=L.float64).random_(2**60)
    L.zeros(9, dtype=L.float64).random_(-(2**60) - 1, 2**60 + 77)
    L.zeros(9, dtype=L.float16).random_(3000)
    warned(lambda: L.zeros(3).random_(2**25))
    """,
    exact=True,
)


# a non-leaf becomes the result of the draw; a leaf must not be written to
def failing(run):
    """The name of the error that run() raises."""
    try:
        run()
    except Exception as error:
        return type(error).__name__
    return "nothing raised"


def of_a_result(L):
    """The result of an op becomes the result of the draw, through which no gradient passes."""
    L.manual_seed(2)
    x = L.ones(3, requires_grad=True)
    y = x * 2
    y.uniform_()
    y.sum().backward()
    return y, x.grad


def of_data(L):
    """A leaf may be written to through .data."""
    L.manual_seed(2)
    x = L.ones(3, requires_grad=True)
    x.data.uniform_()
    return x


def of_a_leaf(L):
    """Nothing is drawn when an error is raised."""
    L.manual_seed(2)
    return failing(L.zeros(3, requires_grad=True).uniform_), L.rand(2)


ROWS += rows("Tensor.uniform_", {"of a result": of_a_result, "of .data": of_data, "of a leaf": of_a_leaf}, exact=True)

LEAF = "a leaf Variable that requires grad"
ALIKE = "more than one element of the written-to tensor"
for name in CALLS:
    first = CALLS[name][0]
    ROWS += refused(
        f"Tensor.{name}",
        f"""
        L.ones(3, requires_grad=True).{first}  !!  {name}: {LEAF}
        L.ones(1).expand(3).{first}  !!  {name}: unsupported operation: {ALIKE}
        """,
    )
ROWS += refused(
    "Tensor.uniform_",
    """
    L.ones(3).uniform_(1, 0)  !!  range .low, high., got low=1 > high=0
    L.ones(3).uniform_(2)  !!  low=2 > high=1
    L.ones(3).uniform_(0, float("inf"))  !!  must fit into float32
    L.ones(3).uniform_(0, float("nan"))  !!  high=nan
    L.ones(3, dtype=L.float16).uniform_(0, 70000)  !!  must fit into float16
    L.ones(3).uniform_(-3e38, 3e38)  !!  must fit
    L.ones(3, dtype=L.int64).uniform_()  !!  wanted, got int64
    L.ones(3, dtype=L.bool).uniform_()  !!  wanted, got bool
    L.ones(3).uniform_(foo=3)  !!  foo
    """,
)
ROWS += refused(
    "Tensor.normal_",
    """
    L.ones(3).normal_(0, -1)  !!  std >= 0.0, but found std -1
    L.ones(3).normal_(0, float("nan"))  !!  found std nan
    L.ones(3, dtype=L.int64).normal_()  !!  wanted, got int64
    """,
)
ROWS += refused(
    "Tensor.exponential_",
    """
    L.ones(3).exponential_(0)  !!  rate > 0.0, but found rate=0
    L.ones(3).exponential_(-1)  !!  found rate=-1
    L.ones(3, dtype=L.int64).exponential_()  !!  wanted, got int64
    """,
)
ROWS += refused(
    "Tensor.cauchy_", "L.ones(3).cauchy_(0, -1)  !!  sigma > 0.0\nL.ones(3, dtype=L.int64).cauchy_()  !!  got int64"
)
ROWS += refused(
    "Tensor.log_normal_",
    "L.ones(3).log_normal_(1, 0)  !!  std > 0.0\nL.ones(3, dtype=L.int64).log_normal_()  !!  int64",
)
ROWS += refused(
    "Tensor.geometric_", "L.ones(3).geometric_(0)  !!  p to be in .0, 1.\nL.ones(3).geometric_(1)  !!  got p=1"
)
ROWS += refused(
    "Tensor.bernoulli_",
    """
    L.ones(3).bernoulli_(1.5)  !!  got p=1.5
    L.ones(3).bernoulli_(-0.5)  !!  got p=-0.5
    L.ones(3).bernoulli_(float("nan"))  !!  got p=nan
    L.ones(3).bernoulli_(L.tensor([0.1, 0.5]))  !!  expand
    L.ones(3).bernoulli_(L.tensor([1, 0, 1]))  !!  got int64
    L.ones(3).bernoulli_(L.tensor([0.1, 0.5, 9]))  !!  in .0, 1.
    """,
)
ROWS += refused(
    "Tensor.random_",
    """
    L.ones(3).random_(5, 2)  !!  low to be less than high, but got low=5 >= high=2
    L.ones(3).random_(0)  !!  low=0 >= high=0
    L.ones(3).random_(**{"from": 2})  !!  got `from` without `to`
    L.ones(3).random_(2.5)  !!  wanted no bound
    L.ones(3).random_(1, 2, 3)  !!  wanted no bound
    L.ones(3).random_(foo=3)  !!  'foo'
    L.ones(3, dtype=L.uint8).random_(300)  !!  uint8 holds 0 to 255
    L.ones(3, dtype=L.uint8).random_(-1, 5)  !!  uint8 holds 0 to 255
    L.ones(3, dtype=L.bool).random_(3)  !!  bool holds 0 to 1
    """,
)

# ---- dropout

ROWS += drawn(
    "nn.functional.dropout",
    over("L.nn.functional.dropout(L.ones({n}, dtype=L.{d}), {p})", n=(0, 1, 17, 100), d=FLOATS, p=(0.3, 0.5)),
    exact=True,
)
ROWS += drawn(
    "nn.functional.dropout",
    """
    L.nn.functional.dropout(L.ones(4, 6).T)
    L.nn.functional.dropout(L.ones(8, 6)[::2, ::2], 0.25)
    L.nn.functional.dropout(L.ones(5), 1.0)
    L.nn.functional.dropout(L.ones(5), 0.0)
    L.nn.functional.dropout(L.ones(5), 0.5, False)
    L.nn.functional.dropout(L.ones(5, dtype=L.int64), 0.5, training=False)
    """,
    exact=True,
)
ROWS += refused(
    "nn.functional.dropout",
    """
    L.nn.functional.dropout(L.ones(3), 1.5)  !!  between 0 and 1, but got 1.5
    L.nn.functional.dropout(L.ones(3), -0.1)  !!  but got -0.1
    L.nn.functional.dropout(L.ones(3, dtype=L.int64))  !!  can't be cast to (torch.)?int64
    """,
)

# ---- the generator

SEEDS = (0, 1, -1, 42, 2**31, 2**32 - 1, 2**32, 2**32 + 5, 2**53, 2**63 - 1, 2**63, 2**64 - 1, -(2**31), -(2**63))
ROWS += drawn(
    "manual_seed",
    over("[L.manual_seed({n}).initial_seed(), L.initial_seed(), L.rand(9), L.randn(3)]", n=SEEDS),
    exact=True,
)
ROWS += drawn(
    "Generator",
    over("[(g := L.Generator().manual_seed({n})).initial_seed(), L.rand(9, generator=g)]", n=SEEDS),
    exact=True,
)
ROWS += drawn(
    "manual_seed",
    """
    [L.manual_seed(1.9).initial_seed(), L.rand(2)]
    [L.manual_seed("3").initial_seed(), L.rand(2)]
    [L.manual_seed(True).initial_seed(), L.rand(2)]
    [L.manual_seed(L.tensor(3)).initial_seed(), L.rand(2)]
    [L.manual_seed(np.int64(3)).initial_seed(), L.rand(2)]
    L.manual_seed(3) is L.default_generator
    [L.random.manual_seed(3).initial_seed(), L.rand(2)]
    [L.randn(1), L.manual_seed(5).initial_seed(), L.randn(1)]
    """,
    exact=True,
)
ROWS += refused(
    "manual_seed",
    """
    L.manual_seed("a")  !!  invalid literal
    L.manual_seed(None)  !!  int
    L.manual_seed(2**64)  !!  from -2..63 to 2..64 - 1, got 18446744073709551616
    L.manual_seed(-(2**63) - 1)  !!  got -9223372036854775809
    """,
)
ROWS += calls(
    "Generator",
    """
    L.Generator().initial_seed()
    L.Generator().device
    L.Generator("cpu").device
    L.Generator(device="cpu").device
    L.Generator(device=L.device("cpu")).device
    L.Generator().get_state()
    L.Generator().manual_seed(5).get_state()
    L.Generator().clone_state().initial_seed()
    (lambda g: [L.rand(3, generator=g), L.rand(3, generator=g.clone_state()), L.rand(3, generator=g)])(L.Generator())
    (lambda g: g.manual_seed(3) is g)(L.Generator())
    (lambda g: g.seed() == g.initial_seed())(L.Generator())
    [L.randn(3, generator=(a := L.Generator())), L.randn(3, generator=L.Generator().set_state(a.get_state()))]
    (lambda g: g.set_state(L.Generator().get_state()) is g)(L.Generator())
    (lambda g: [L.rand(3, generator=__import__("copy").deepcopy(g)), L.rand(3, generator=g)])(L.Generator())
    L.rand(3, generator=__import__("pickle").loads(__import__("pickle").dumps(L.Generator().manual_seed(3))))
    """,
    exact=True,
)
ROWS += refused(
    "Generator",
    """
    L.Generator("cuda")  !!  device 'cpu' is the only one supported, got 'cuda'
    L.Generator("abc")  !!  device: got 'abc'
    L.Generator(3)  !!  got '3'
    L.Generator().manual_seed(1.5)  !!  expected a long, but got float
    L.Generator().manual_seed("a")  !!  but got str
    L.Generator().manual_seed(True)  !!  but got bool
    L.Generator().manual_seed(L.tensor(5))  !!  but got Tensor
    L.Generator().manual_seed(None)  !!  but got NoneType
    L.Generator().manual_seed(2**64)  !!  got 18446744073709551616
    L.Generator().set_state(L.zeros(3, dtype=L.uint8))  !!  a state has 5056 bytes, got 3
    L.Generator().set_state(L.zeros(5056))  !!  must be a tensor of uint8, got torch.float32|float32
    L.Generator().set_state(L.zeros(5056, dtype=L.uint8))  !!  not an mt19937 state
    L.Generator().set_state([1])  !!  got list
    """,
)
ROWS += drawn(
    "get_rng_state",
    """
    L.get_rng_state()
    [L.randn(1), L.get_rng_state()]
    [L.rand(700), L.get_rng_state()]
    [L.rand(624), L.get_rng_state()]
    L.random.get_rng_state()
    """,
    exact=True,
)
ROWS += drawn(
    "set_rng_state",
    """
    (lambda s: [L.randn(5), L.set_rng_state(s), L.randn(5)])(L.get_rng_state())
    (lambda x, s: [x, L.randn(2), L.set_rng_state(s), L.randn(2)])(L.randn(1), L.get_rng_state())
    (lambda s: [L.rand(1000), L.random.set_rng_state(s), L.rand(3), L.initial_seed()])(L.get_rng_state())
    """,
    exact=True,
)
ROWS += refused(
    "set_rng_state",
    """
    L.set_rng_state(L.zeros(5056, dtype=L.uint8))  !!  not an mt19937 state
    L.set_rng_state(L.zeros(5, dtype=L.uint8))  !!  5056 bytes, got 5
    L.set_rng_state(L.zeros(5056))  !!  must be a tensor of uint8
    L.set_rng_state(3)  !!  got int
    """,
)


def forked(enabled, breaks=False):
    """A row: what a forked generator draws, and where the stream goes on afterwards."""

    def row(L):
        L.manual_seed(4)
        first = L.randn(3)
        try:
            with L.random.fork_rng(enabled=enabled):
                inside = [L.randn(5), L.manual_seed(9).initial_seed(), L.rand(2)]
                if breaks:
                    raise KeyError
        except KeyError:
            pass
        return first, inside, L.randn(3), L.initial_seed()

    return row


ROWS += rows(
    "random.fork_rng",
    {"enabled": forked(True), "not enabled": forked(False), "left by an error": forked(True, breaks=True)},
    exact=True,
)
ROWS += calls("seed", "L.seed() == L.initial_seed()\nL.seed() != L.seed()\nL.random.seed() == L.random.initial_seed()")

# ---- interleaved: one stream through calls of all kinds

STEPS = lines("""
    L.rand(3)
    L.randn(5)
    L.randn(20)
    L.randint(0, 10, (4,))
    L.zeros(3).uniform_(-1, 1)
    L.zeros(17).normal_(1, 2)
    L.zeros(6, 4).T.normal_()
    L.randperm(9)
    L.bernoulli(L.full((5,), 0.5))
    L.zeros(3).exponential_()
    L.multinomial(L.arange(1.0, 9), 3)
    L.multinomial(L.arange(1.0, 9), 3, True)
    L.nn.functional.dropout(L.ones(11))
    L.randn(1, dtype=L.float64)
    L.zeros(4, dtype=L.int64).random_()
    L.randn(33, dtype=L.float16)
    L.normal(L.zeros(3), L.ones(3))
    L.zeros(3).log_normal_(0, 0.5)
    L.zeros(5).geometric_(0.3)
    L.zeros(2).cauchy_()
    L.rand_like(L.ones(3, 2).T)
    L.randint(2**40, (3,))
    L.nn.init.xavier_normal_(L.zeros(5, 4))
    L.nn.Linear(3, 2).weight.detach()
""")


def interleaved(order):
    """A row that draws with many calls, in an order of its own, from one seed."""
    runs = [function(STEPS[i]) for i in order]

    def row(L):
        L.manual_seed(len(order))
        results = [run(L) for run in runs]
        state = L.get_rng_state()
        again = [run(L) for run in runs]
        L.set_rng_state(state)
        return results, again, [run(L) for run in runs]

    return row


for i in range(20):
    order = np.random.default_rng(i).permutation(np.repeat(np.arange(len(STEPS)), 2)).tolist()
    ROWS.append(Row(f"manual_seed/interleaved {i}", interleaved(order), exact=True))
