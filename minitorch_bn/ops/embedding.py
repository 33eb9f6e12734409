"""Embedding: rows of a table, picked by index."""

import numpy as np

from .. import backend
from ..engine import apply
from .indexing import Rows, indices_outside


class Embedding(Rows):
    """y = weight[index]: one row per index.  dweight adds dy into every row, once for every time it was picked.

    Shapes: index (*), weight (num_embeddings, embedding_dim), y (*, embedding_dim).

    Parameters
    ----------
    index : int64 array
    padding_idx : int or None
        A row that gets no gradient.
    """

    torch_name = "EmbeddingBackward0"

    def __init__(self, index, padding_idx=None):
        self.index, self.padding_idx = index, padding_idx

    def backward(self, dy):
        (dweight,) = super().backward(dy)
        if self.padding_idx is not None:
            dweight[self.padding_idx] = 0
        return (dweight,)


def embedding(input, weight, padding_idx=None):
    """The rows of `weight` at the indices `input`.

    Parameters
    ----------
    input : Tensor of integers, of any shape (*)
    weight : Tensor of shape (num_embeddings, embedding_dim)
    padding_idx : int, optional
        A row that gets no gradient.

    Returns
    -------
    Tensor of shape (*, embedding_dim)

    Raises
    ------
    IndexError
        If an index is negative or not below num_embeddings.
    RuntimeError
        If the indices are no integers.
    AssertionError
        If `padding_idx` is no row.
    """
    index, rows = input.array, weight.array.shape[0]
    if index.dtype != np.int64:
        if index.dtype != np.int32:
            raise RuntimeError(f"embedding: expected indices of dtype int64 or int32, got {index.dtype}; use .long()")
        index = index.astype(np.int64)
    if type(index) is not type(weight.array):
        backend.check_devices("embedding", index, weight.array)
    if padding_idx is not None and not -rows <= padding_idx < rows:
        raise AssertionError(f"embedding: padding_idx {padding_idx} must be within the {rows} rows of the table")
    if indices_outside(index, rows):
        raise IndexError(
            f"embedding: index out of range: got indices from {int(index.min())} to {int(index.max())} for a table of "
            f"{rows} rows, wanted 0 to {rows - 1}"
        )
    return apply(Embedding(index, padding_idx), weight)
