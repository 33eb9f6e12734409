"""Rows about methods of tensors that are functions, too: by position, by name, and of what is no tensor."""

from .table import errors, gradients, rows, tensor

M = ((1.0, -2.0, 3.0), (0.5, 4.0, -1.0))
MASK = ((True, False, True), (False, False, True))
# name: {special: function of the library's function and of a matrix of shape (2, 3)}
USES = {
    "clone": {
        "plain": lambda L, f, x: f(x),
        "named": lambda L, f, x: f(input=x),
        "transposed": lambda L, f, x: f(x.T),
    },
    "reshape": {
        "tuple": lambda L, f, x: f(x, (3, 2)),
        "list": lambda L, f, x: f(x, [6]),
        "named": lambda L, f, x: f(input=x, shape=(-1, 2)),
        "size": lambda L, f, x: f(x, L.Size([1, 6])),
        "transposed": lambda L, f, x: f(x.T, (6,)),
    },
    "flatten": {
        "all": lambda L, f, x: f(x),
        "start": lambda L, f, x: f(x, 1),
        "named": lambda L, f, x: f(input=x, start_dim=0, end_dim=1),
        "end": lambda L, f, x: f(x.view(1, 2, 3), end_dim=1),
    },
    "permute": {
        "tuple": lambda L, f, x: f(x, (1, 0)),
        "list": lambda L, f, x: f(x, [1, 0]),
        "named": lambda L, f, x: f(input=x, dims=(1, 0)),
        "negative": lambda L, f, x: f(x, (-1, 0)),
    },
    "transpose": {
        "dims": lambda L, f, x: f(x, 0, 1),
        "named": lambda L, f, x: f(input=x, dim0=-1, dim1=0),
        "mixed": lambda L, f, x: f(x, 1, dim1=0),
    },
    "squeeze": {
        "all": lambda L, f, x: f(x[:1]),
        "dim": lambda L, f, x: f(x[:1], 0),
        "dims": lambda L, f, x: f(x[:1, :1], (0, 1)),
        "named": lambda L, f, x: f(input=x[:1], dim=0),
    },
    "unsqueeze": {
        "first": lambda L, f, x: f(x, 0),
        "last": lambda L, f, x: f(x, -1),
        "named": lambda L, f, x: f(input=x, dim=1),
    },
    "clamp": {
        "both": lambda L, f, x: f(x, -1, 1),
        "min": lambda L, f, x: f(x, min=0),
        "max": lambda L, f, x: f(x, max=0.5),
        "named": lambda L, f, x: f(input=x, min=-1.0, max=1.0),
        "tensors": lambda L, f, x: f(x, L.zeros(3).double(), L.ones(2, 1).double()),
    },
    "cumsum": {
        "first": lambda L, f, x: f(x, 0),
        "named": lambda L, f, x: f(input=x, dim=-1),
        "axis": lambda L, f, x: f(x, axis=1),
    },
    "masked_fill": {
        "number": lambda L, f, x: f(x, L.tensor(MASK), 7),
        "named": lambda L, f, x: f(input=x, mask=L.tensor(MASK), value=0.5),
        "tensor": lambda L, f, x: f(x, L.tensor(MASK), L.tensor(2)),
    },
    "gather": {
        "rows": lambda L, f, x: f(x, 0, L.tensor([[1, 0, 1]])),
        "columns": lambda L, f, x: f(x, 1, L.tensor([[2], [0]])),
        "named": lambda L, f, x: f(input=x, dim=-1, index=L.tensor([[2, 2], [0, 1]])),
    },
    "index_select": {
        "rows": lambda L, f, x: f(x, 0, L.tensor([1, 1, 0])),
        "columns": lambda L, f, x: f(x, 1, L.tensor([2])),
        "named": lambda L, f, x: f(input=x, dim=-1, index=L.tensor([0, 2])),
    },
    "pow": {
        "number": lambda L, f, x: f(x, 2),
        "tensor": lambda L, f, x: f(x.abs(), L.tensor([1.0, 2.0, 0.5])),
        "named": lambda L, f, x: f(input=x, exponent=3),
    },
    "sum": {"named": lambda L, f, x: f(input=x, dim=1, keepdim=True), "list": lambda L, f, x: f(x, [0, 1])},
    "mean": {"named": lambda L, f, x: f(input=x, dim=0), "list": lambda L, f, x: f(x, [0, 1], True)},
    "var": {"named": lambda L, f, x: f(input=x, dim=1, correction=0), "unbiased": lambda L, f, x: f(x, unbiased=False)},
    "std": {"named": lambda L, f, x: f(input=x, dim=1, correction=0), "unbiased": lambda L, f, x: f(x, 1, False)},
    "softmax": {"named": lambda L, f, x: f(input=x, dim=1), "positional": lambda L, f, x: f(x, 0)},
    "log_softmax": {"named": lambda L, f, x: f(input=x, dim=1), "positional": lambda L, f, x: f(x, 0)},
    "logsumexp": {"named": lambda L, f, x: f(input=x, dim=1, keepdim=True), "list": lambda L, f, x: f(x, [0, 1])},
    "norm": {"named": lambda L, f, x: f(input=x, p=1, dim=1, keepdim=True), "positional": lambda L, f, x: f(x, 3, 0)},
    "amax": {"named": lambda L, f, x: f(input=x, dim=1, keepdim=True), "all": lambda L, f, x: f(x)},
    "amin": {"named": lambda L, f, x: f(input=x, dim=(0, 1)), "all": lambda L, f, x: f(x)},
}
ROWS = []


def used(name, use):
    """A row: one use of a function, with its gradient."""

    def run(L):
        x = L.tensor(M, dtype=L.float64, requires_grad=True)
        return gradients(L, use(L, getattr(L, name), x), x)

    return run


for name, uses in USES.items():
    ROWS += rows(name, {f"function_{special}": used(name, use) for special, use in uses.items()})
    ROWS += errors(
        name,
        {
            "nothing_given": (lambda L, n=name: getattr(L, n)(), r"missing|argument|required"),
            "unknown_name": (lambda L, n=name: getattr(L, n)(L.ones(2, 2), no_such=1), r"no_such|unexpected"),
        },
    )
REST = {  # what follows the tensor, where a list stands in its place
    "clone": (), "reshape": ((2,),), "flatten": (), "permute": ((0,),), "transpose": (0, 0), "squeeze": (),
    "unsqueeze": (0,), "clamp": (0, 1), "cumsum": (0,), "sum": (), "mean": (), "var": (), "std": (), "softmax": (0,),
    "log_softmax": (0,), "logsumexp": (0,), "amax": (0,), "amin": (0,), "argmax": (), "argmin": (),
    "max": (), "min": (),
    "pow": (2,),
}  # fmt: skip
for name, rest in REST.items():
    ROWS += errors(name, {"of_a_list": (lambda L, n=name, r=rest: getattr(L, n)([1.0, 2.0], *r), r"list")})

ROWS += rows(
    "Tensor.zero_",
    {
        "integers": lambda L: L.arange(3).zero_(),
        "bools": lambda L: L.tensor([True, False]).zero_(),
        "part": lambda L: (x := L.ones(2, 3), x[:, 1].zero_(), x)[2],
        "empty": lambda L: L.ones(0).zero_(),
    },
)
ROWS += rows(
    "numel",
    {
        "zero_dim": lambda L: L.numel(L.tensor(1)),
        "empty": lambda L: L.numel(L.ones(2, 0)),
        "method": lambda L: tensor(L, 2, 3).numel(),
    },
)
