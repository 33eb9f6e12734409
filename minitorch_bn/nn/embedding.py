"""Embedding: state for ops/embedding.py."""

from .. import creation, ops
from ..engine import no_grad
from . import in_place, init
from .module import Module
from .parameter import Parameter


class Embedding(Module):
    """A table of vectors, looked up by index.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        Rows and columns of the table.
    padding_idx : int, optional
        A row that starts at 0 and gets no gradient; negative ones count from the end.
    max_norm, norm_type, scale_grad_by_freq
        As in functional.embedding.
    sparse : bool
        Only False.
    _weight : Tensor of shape (num_embeddings, embedding_dim), optional
        Start with these values, and share their memory.
    _freeze : bool
        The table is not learnt: requires_grad is False.
    device, dtype : where and as what the table is made

    Attributes
    ----------
    weight : Parameter of shape (num_embeddings, embedding_dim)
        Starts standard normal.

    Raises
    ------
    AssertionError
        If padding_idx is no row, or `_weight` has another shape.
    NotImplementedError
        If `sparse`.

    Source: PyTorch documentation, torch.nn.Embedding.
    """

    def __init__(
        self,
        num_embeddings,
        embedding_dim,
        padding_idx=None,
        max_norm=None,
        norm_type=2.0,
        scale_grad_by_freq=False,
        sparse=False,
        _weight=None,
        _freeze=False,
        device=None,
        dtype=None,
    ):
        super().__init__()
        if sparse:
            raise NotImplementedError("Embedding: sparse gradients are deliberately absent; use sparse=False")
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise AssertionError(f"Embedding: padding_idx {padding_idx} must be within num_embeddings {num_embeddings}")
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        negative = padding_idx is not None and padding_idx < 0
        self.padding_idx = padding_idx + num_embeddings if negative else padding_idx
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        if _weight is None:
            empty = creation.empty(num_embeddings, embedding_dim, device=device, dtype=dtype)
            self.weight = Parameter(empty, requires_grad=not _freeze)
            self.reset_parameters()
            return
        if tuple(_weight.shape) != (num_embeddings, embedding_dim):
            raise AssertionError(
                f"Embedding: _weight has shape {tuple(_weight.shape)}, wanted {(num_embeddings, embedding_dim)}"
            )
        self.weight = Parameter(_weight, requires_grad=not _freeze)

    @classmethod
    def from_pretrained(
        cls,
        embeddings,
        freeze=True,
        padding_idx=None,
        max_norm=None,
        norm_type=2.0,
        scale_grad_by_freq=False,
        sparse=False,
    ):
        """An Embedding with the rows of the matrix `embeddings`, whose memory it shares; not learnt if `freeze`.

        Raises
        ------
        AssertionError
            If `embeddings` is no matrix.
        """
        if embeddings.dim() != 2:
            raise AssertionError(
                f"Embedding.from_pretrained: embeddings must be 2-dimensional, got shape {tuple(embeddings.shape)}"
            )
        return cls(
            *embeddings.shape,
            padding_idx=padding_idx,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            sparse=sparse,
            _weight=embeddings,
            _freeze=freeze,
        )

    def reset_parameters(self):
        """Draw the table afresh."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0

    def forward(self, input):
        if self.max_norm is None:
            return ops.embedding(input, self.weight, self.padding_idx, self.scale_grad_by_freq)
        return in_place.embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq
        )

    def extra_repr(self):
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        return text + (", scale_grad_by_freq=True" if self.scale_grad_by_freq else "")
