"""Embedding: rows of a table, picked by index."""

import numpy as np

from .. import backend
from ..engine import apply
from .axes import must_be_tensor
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


class AveragedEmbedding(Embedding):
    """The same y, but dweight adds dy / how often the row was picked: the mean where Embedding has the sum.

    Attributes
    ----------
    frequency : array of shape (*, 1)
        For every index, how often it occurs.
    """

    def forward(self, weight):
        self.frequency = np.bincount(self.index.reshape(-1))[self.index][..., None].astype(weight.dtype)
        return super().forward(weight)

    def backward(self, dy):
        return super().backward(dy / self.frequency)


def embedding(input, weight, padding_idx=None, scale_grad_by_freq=False):
    """The rows of `weight` at the indices `input`.

    Parameters
    ----------
    input : Tensor of int64 or int32, of any shape (*)
    weight : Tensor of shape (num_embeddings, embedding_dim)
    padding_idx : int, optional
        A row that gets no gradient; negative ones count from the end.
    scale_grad_by_freq : bool
        Divide the gradient of a row by how often it occurs in `input`.

    Returns
    -------
    Tensor of shape (*, embedding_dim)

    Raises
    ------
    IndexError
        If an index is negative or not below num_embeddings.
    RuntimeError
        If the indices are of another dtype, or weight is no matrix.
    AssertionError
        If `padding_idx` is no row.
    """
    try:
        index, table = input.array, weight.array
    except AttributeError:
        must_be_tensor("embedding", input, weight)
        raise
    if table.ndim != 2:
        raise RuntimeError(f"embedding: 'weight' must be 2-D, got shape {table.shape}")
    rows = table.shape[0]
    if index.dtype != np.int64:
        if index.dtype != np.int32:
            raise RuntimeError(f"embedding: expected indices of dtype int64 or int32, got {index.dtype}; use .long()")
        index = index.astype(np.int64)
    if type(index) is not type(table):
        backend.check_devices("embedding", index, table)
    if padding_idx is not None and not -rows <= padding_idx < rows:
        raise AssertionError(f"embedding: padding_idx {padding_idx} must be within the {rows} rows of the table")
    if indices_outside(index, rows):
        error = IndexError if rows else RuntimeError  # as PyTorch distinguishes
        raise error(
            f"embedding: index out of range: got indices from {int(index.min())} to {int(index.max())} for a table of "
            f"{rows} rows, wanted 0 to {rows - 1}"
        )
    return apply((AveragedEmbedding if scale_grad_by_freq else Embedding)(index, padding_idx), weight)
