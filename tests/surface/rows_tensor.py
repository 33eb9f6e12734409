"""Rows about tensors: attributes, methods, operators, indexing."""

from .table import errors, rows, tensor

ROWS = rows(
    "Tensor.view",
    {
        "shape": lambda L: tensor(L, 2, 3).view(3, 2),
        "unknown": lambda L: tensor(L, 2, 3).view(-1, 2),
        "text": lambda L: str(L.arange(6).view(2, 3)),
    },
)
ROWS += errors(
    "Tensor.view",
    {
        "negative": (lambda L: L.ones(6).view(-2, 3), r"-2"),
    },
)
