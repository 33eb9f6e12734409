"""The norms and dropout under torch's own names: `torch.batch_norm` beside `torch.nn.functional.batch_norm`.

The computation is the same. These are the functions under those of nn.functional: gamma and beta come before the
running statistics, and what has no default there must be given. As there, but unlike PyTorch's functions of these
names, a single value per channel or group is refused: its variance is 0, and it would become 0 in silence.
`cudnn_enabled` has no meaning here.
"""

from . import ops
from .ops.axes import must_be_tensor


def batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, cudnn_enabled):
    """Batch normalisation of (N, C, *S), as `nn.functional.batch_norm`.

    Raises
    ------
    IndexError
        If the input has fewer than 2 dimensions.
    ValueError, RuntimeError, NotImplementedError
        As there.
    TypeError
        If the input is no tensor, or momentum no number.
    """
    _must_have_channels("batch_norm", input)
    _must_be_number("batch_norm", momentum)
    return ops.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def instance_norm(input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, cudnn_enabled):
    """Instance normalisation of (N, C, *S), as `nn.functional.instance_norm`; TypeError if momentum is no number."""
    _must_be_number("instance_norm", momentum)
    return ops.instance_norm(input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5, cudnn_enable=True):
    """Layer normalisation of (*, *normalized_shape), as `nn.functional.layer_norm`."""
    return ops.layer_norm(input, normalized_shape, weight, bias, eps)


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-5, cudnn_enabled=True):
    """Group normalisation of (N, C, *S), as `nn.functional.group_norm`.

    Raises
    ------
    IndexError
        If the input has fewer than 2 dimensions.
    RuntimeError
        If num_groups is not positive; and as there.
    TypeError, ValueError, NotImplementedError
        As there.
    """
    _must_have_channels("group_norm", input)
    if hasattr(num_groups, "__index__") and num_groups < 1:
        raise RuntimeError(f"group_norm: expected num_groups to be greater than 0, got {num_groups}")
    return ops.group_norm(input, num_groups, weight, bias, eps)


def dropout(input, p, train):
    """`input` with elements zeroed with probability `p` if `train`, as `nn.functional.dropout`.

    Raises
    ------
    RuntimeError
        If `p` is not between 0 and 1; and as there.
    """
    if not 0 <= p <= 1:
        raise RuntimeError(f"dropout: probability has to be between 0 and 1, but got {p}")
    return ops.dropout(input, p, train)


def _must_have_channels(name, input):
    """Raise PyTorch's error for an input without a channel dimension."""
    must_be_tensor(name, input)
    if input.ndim < 2:
        raise IndexError(
            f"{name}: got input of shape {tuple(input.shape)}, wanted (N, C, ...): the channel is dimension 1"
        )


def _must_be_number(name, momentum):
    """Raise PyTorch's error for a momentum of None, which only layers understand."""
    if isinstance(momentum, bool) or not isinstance(momentum, int | float):
        raise TypeError(f"{name}: momentum must be a float, got {momentum!r}; None is for layers, which count batches")
