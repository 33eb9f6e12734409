"""Functions of torch.nn.functional that may write into an argument: `inplace=True`, names that end in "_", max_norm.

The mathematics is in ops/, which writes nowhere; here its result replaces the values of the input (../inplace.py).
"""

from .. import ops
from ..engine import no_grad
from ..inplace import write


def relu(input, inplace=False):
    """max(input, 0) for every element; into `input` itself if `inplace`, which is what all functions here return then.

    Raises
    ------
    RuntimeError
        If the input is of bools; or, here and below, if it is written to while it is a leaf that requires grad.
    """
    return relu_(input) if inplace else ops.relu(input)


def relu_(input):
    """relu, into `input` itself."""
    return write("relu_", input, ops.relu)


def leaky_relu(input, negative_slope=0.01, inplace=False):
    """`input` where it is positive, else negative_slope * input. NotImplementedError if it is not floating point."""
    return leaky_relu_(input, negative_slope) if inplace else ops.leaky_relu(input, negative_slope)


def leaky_relu_(input, negative_slope=0.01):
    """leaky_relu, into `input` itself."""
    return write("leaky_relu_", input, lambda x: ops.leaky_relu(x, negative_slope))


def elu(input, alpha=1.0, inplace=False):
    """`input` where it is positive, else alpha * (exp(input) - 1). NotImplementedError if it is not floating point."""
    return elu_(input, alpha) if inplace else ops.elu(input, alpha)


def elu_(input, alpha=1.0):
    """elu, into `input` itself."""
    return write("elu_", input, lambda x: ops.elu(x, alpha))


def selu(input, inplace=False):
    """elu with the alpha and the scale that keep mean 0 and variance 1 from layer to layer; see ops/activation.py."""
    return selu_(input) if inplace else ops.selu(input)


def selu_(input):
    """selu, into `input` itself."""
    return write("selu_", input, ops.selu)


def celu(input, alpha=1.0, inplace=False):
    """`input` where it is positive, else alpha * (exp(input / alpha) - 1)."""
    return celu_(input, alpha) if inplace else ops.celu(input, alpha)


def celu_(input, alpha=1.0):
    """celu, into `input` itself."""
    return write("celu_", input, lambda x: ops.celu(x, alpha))


def hardtanh(input, min_val=-1.0, max_val=1.0, inplace=False):
    """`input` held between `min_val` and `max_val`. ValueError if min_val is the larger one."""
    return hardtanh_(input, min_val, max_val) if inplace else ops.hardtanh(input, min_val, max_val)


def hardtanh_(input, min_val=-1.0, max_val=1.0):
    """hardtanh, into `input` itself."""
    return write("hardtanh_", input, lambda x: ops.hardtanh(x, min_val, max_val))


def relu6(input, inplace=False):
    """`input` held between 0 and 6."""
    return write("relu6", input, ops.relu6) if inplace else ops.relu6(input)


def silu(input, inplace=False):
    """input * sigmoid(input). NotImplementedError if it is not floating point."""
    return write("silu", input, ops.silu) if inplace else ops.silu(input)


def mish(input, inplace=False):
    """input * tanh(softplus(input)). NotImplementedError if it is not floating point."""
    return write("mish", input, ops.mish) if inplace else ops.mish(input)


def dropout(input, p=0.5, training=True, inplace=False):
    """`input` with elements zeroed with probability `p` and the rest divided by 1 - p; see ops/dropout.py.

    Raises
    ------
    ValueError
        If `p` is not between 0 and 1.
    RuntimeError
        If the input is not floating point and something would have to be divided; if `p` is nan.
    """
    return _dropped("dropout", ops.dropout, input, p, training, inplace)


def dropout1d(input, p=0.5, training=True, inplace=False):
    """Whole channels of (N, C, L) or (C, L) zeroed with probability `p`. RuntimeError for other ranks."""
    return _dropped("dropout1d", ops.dropout1d, input, p, training, inplace)


def dropout2d(input, p=0.5, training=True, inplace=False):
    """Whole channels of (N, C, H, W) zeroed with probability `p`; other ranks are taken with a warning."""
    return _dropped("dropout2d", ops.dropout2d, input, p, training, inplace)


def _dropped(name, function, input, p, training, inplace):
    """A dropout function's result, in the memory of `input` if `inplace`."""
    if not inplace:
        return function(input, p, training)
    if not training or p == 0 or input.array.size == 0:
        return function(input, p, training)  # the input itself
    return write(name, input, lambda x: function(x, p, training))


def embedding(input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False):
    """The rows of `weight` at the indices `input`.

    Parameters
    ----------
    input : Tensor of int64 or int32, of any shape (*)
    weight : Tensor of shape (num_embeddings, embedding_dim)
    padding_idx : int, optional
        A row that gets no gradient; negative ones count from the end.
    max_norm : float, optional
        Rows that are looked up and have a larger norm are shortened to this one first, in `weight` itself.
    norm_type : float
        Which norm: 2 is the Euclidean one.
    scale_grad_by_freq : bool
        Divide the gradient of a row by how often it occurs in `input`.
    sparse : bool
        Only False: there are no sparse gradients here.

    Returns
    -------
    Tensor of shape (*, embedding_dim)

    Raises
    ------
    IndexError
        If an index is negative or not below num_embeddings. `weight` is unchanged then.
    RuntimeError
        If the indices are of another dtype, or weight is no matrix.
    AssertionError
        If `padding_idx` is no row.
    NotImplementedError
        If `sparse`.

    Source: PyTorch documentation, torch.nn.functional.embedding.
    """
    if sparse:
        raise NotImplementedError("embedding: sparse gradients are deliberately absent; use sparse=False")
    if max_norm is not None:
        ops.embedding(input, weight.detach(), padding_idx)  # raises what is wrong before anything is written
        shorten_rows_(weight, input, max_norm, norm_type)
    return ops.embedding(input, weight, padding_idx, scale_grad_by_freq)


@no_grad()
def shorten_rows_(weight, index, max_norm, norm_type):
    """Scale the rows of `weight` at `index` down to norm `max_norm`, those that are longer; into `weight` itself.

    As in PyTorch a row ends a hair below: it is multiplied by max_norm / (norm + 1e-7).
    """
    rows = ops.unique(index.detach().long())
    found = weight.detach()[rows]
    norms = ops.norm(found, norm_type, 1, True)
    weight.detach()[rows] = found * ops.where(norms > max_norm, max_norm / (norms + 1e-7), 1.0)
