"""LayerNorm: every sample is normalised by itself, over its last dimensions."""

from operator import index

from .axes import must_be_tensor
from .normalisation import Normalisation, apply_widened, check_dtypes


class LayerNorm(Normalisation):
    """Normalise every row with its own mean and variance, then scale and shift.

        x_hat = (x - mean) / sqrt(var + eps)        y = gamma * x_hat + beta

    Shapes: x, y and their gradients are (*, *D), where D are the last `rank` sizes; gamma and beta are D or None. A row
    is what lies along D: it shares one mean. gamma and beta differ along the row and are the same for all rows, so
    their gradients are sums over rows, and gamma must stay inside the means of the backward:

        dx_hat = gamma * dy
        dx = inv_std * (dx_hat - mean(dx_hat) - x_hat * mean(dx_hat * x_hat))

    Source: Ba, Kiros & Hinton 2016, equations 3 and 4; eps as in PyTorch's documentation of LayerNorm.
    """

    torch_name = "NativeLayerNormBackward0"

    def __init__(self, rank, eps=1e-5):
        super().__init__(eps)
        self.rank = rank

    def forward(self, x, gamma, beta):
        self.gamma = gamma
        row = tuple(range(x.ndim - self.rank, x.ndim))

        x_hat = self.normalise(x, row)
        y = x_hat if gamma is None else gamma * x_hat
        return y if beta is None else y + beta

    def backward(self, dy):
        rows = tuple(range(dy.ndim - self.rank))

        dbeta = dy.sum(rows) if self.needs[2] else None
        dgamma = (dy * self.x_hat).sum(rows) if self.needs[1] else None
        dx_hat = dy if self.gamma is None else self.gamma * dy
        dx = self.normalise_backward(dx_hat)
        return dx, dgamma, dbeta


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5):
    """Layer normalisation: the functional form of nn.LayerNorm.

    Parameters
    ----------
    input : Tensor of shape (*, *normalized_shape)
    normalized_shape : list or tuple of int
        The last sizes of the input; the values along them share one mean and one (biased) variance.
    weight, bias : Tensor of shape normalized_shape, or None
        gamma and beta.
    eps : float
        Added to the variance, inside the root.

    Returns
    -------
    Tensor of the input's shape

    Raises
    ------
    TypeError
        If the input is no tensor, or normalized_shape no list or tuple of ints.
    RuntimeError
        If normalized_shape is empty or not the end of the input's shape, weight or bias has another shape, or dtypes
        differ.
    NotImplementedError
        If the input is not floating point.

    Source: PyTorch documentation, torch.nn.functional.layer_norm.
    """
    must_be_tensor("layer_norm", input, *(t for t in (weight, bias) if t is not None))
    shape = check_shapes("layer_norm", input, normalized_shape, weight=weight, bias=bias)
    check_dtypes("layer_norm", input, weight, bias)
    return apply_widened(LayerNorm(len(shape), eps), input, weight, bias)


def check_shapes(name, input, normalized_shape, **parameters):
    """`normalized_shape` as a tuple, if it is the end of the input's shape and that of the parameters.

    Raises
    ------
    TypeError
        If it is no list or tuple of ints.
    RuntimeError
        If it is empty, or something has another shape.
    """
    is_size = lambda n: hasattr(n, "__index__") and not isinstance(n, bool)
    if not isinstance(normalized_shape, list | tuple) or not all(map(is_size, normalized_shape)):
        raise TypeError(f"{name}: normalized_shape must be a list or tuple of ints, got {normalized_shape!r}")
    shape = tuple(index(n) for n in normalized_shape)
    if not shape:
        raise RuntimeError(f"{name}: expected normalized_shape to hold at least one size, got {normalized_shape!r}")
    x_shape = tuple(input.array.shape)
    if x_shape[-len(shape) :] != shape:
        raise RuntimeError(
            f"{name}: given normalized_shape={list(shape)}, expected input with shape "
            f"[*, {', '.join(map(str, shape))}], but got input of size {list(x_shape)}"
        )
    for what, t in parameters.items():
        if t is not None and t.array.shape != shape:
            raise RuntimeError(
                f"{name}: expected {what} to be of same shape as normalized_shape, {list(shape)}, got "
                f"{list(t.array.shape)}"
            )
    return shape
