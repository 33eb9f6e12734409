"""All parameters as one vector, and back."""

from ... import ops
from ...tensor import Tensor


def parameters_to_vector(parameters):
    """The values of all parameters, one after the other; gradients flow through.

    Parameters
    ----------
    parameters : iterable of Tensor
        On one device.

    Returns
    -------
    Tensor of shape (total number of elements,)
    """
    return ops.cat([p.view(-1) for p in parameters])


def vector_to_parameters(vec, parameters):
    """Let the parameters have the values of `vec`, in order. They then share its memory; no gradient flows.

    Parameters
    ----------
    vec : Tensor of shape (total number of elements,)
        What is left over at the end is ignored.
    parameters : iterable of Tensor

    Raises
    ------
    TypeError
        If `vec` is no tensor.
    RuntimeError
        If it is too short. Nothing is changed then.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"vector_to_parameters: expected a Tensor as vec, got {type(vec).__name__}")
    parameters = list(parameters)
    needed = sum(p.numel() for p in parameters)
    if vec.numel() < needed:
        raise RuntimeError(f"vector_to_parameters: the parameters have {needed} elements, vec only {vec.numel()}")
    values, start = vec.detach(), 0
    for p in parameters:
        p.data = values[start : start + p.numel()].view(p.shape)
        start += p.numel()
