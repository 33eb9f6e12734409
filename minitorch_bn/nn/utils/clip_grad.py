"""Clipping: keep a step from being thrown off by a few huge gradients. Gradients are changed in place.

By norm, all gradients are seen as one long vector, which is shortened if it is too long: its direction stays. By value,
every element is held in a range by itself, and the direction changes.

`foreach` is PyTorch's choice of kernels; it is accepted and changes nothing here.
"""

import math
import warnings
from types import GeneratorType

from ... import creation, ops
from ...engine import no_grad
from ...tensor import Tensor


def _listed(tensors):
    """One tensor, or an iterable of them, as a list."""
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def get_total_norm(tensors, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """The norm of all tensors, seen as one vector: the norm of their norms.

    Parameters
    ----------
    tensors : Tensor or iterable of Tensor
    norm_type : float
        p; may be inf.
    error_if_nonfinite : bool
        Whether a norm of nan or infinity is an error.
    foreach : bool, optional
        Changes nothing.

    Returns
    -------
    Tensor of shape ()

    Raises
    ------
    RuntimeError
        If error_if_nonfinite and the norm is nan or infinite.

    >>> get_total_norm([creation.tensor([3.0]), creation.tensor([0.0, 4.0])])
    tensor(5.)
    """
    p = float(norm_type)
    norms = [ops.norm(t, p) for t in _listed(tensors)]
    if not norms:
        return creation.tensor(0.0)
    total = ops.norm(ops.stack([norm.to(norms[0].device) for norm in norms]), p)
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise RuntimeError(
            f"get_total_norm: the total norm of order {p} of the gradients is non-finite, {total.item()}, so it cannot "
            "be clipped. Look for the first nan in the forward pass, or scale anyway with error_if_nonfinite=False."
        )
    return total


@no_grad()
def clip_grads_with_norm_(parameters, max_norm, total_norm, foreach=None):
    """Multiply all gradients by min(1, max_norm / (total_norm + 1e-6)), in place.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Those without gradient are skipped.
    max_norm : float
    total_norm : Tensor of shape ()
        What `get_total_norm` gave for the gradients.
    foreach : bool, optional
        Changes nothing.
    """
    factor = ops.clamp(float(max_norm) / (total_norm + 1e-6), max=1.0)
    for p in _listed(parameters):
        if p.grad is not None:
            p.grad.mul_(factor.to(p.grad.device))


@no_grad()
def clip_grad_norm_(parameters, max_norm, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """Shorten the vector of all gradients to `max_norm` if it is longer. Gradients are changed in place.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Those without gradient are skipped.
    max_norm : float
    norm_type : float
        p of the norm; may be inf.
    error_if_nonfinite : bool
        Whether a norm of nan or infinity is an error. Otherwise the gradients are scaled by it: nan spreads to all.
    foreach : bool, optional
        Changes nothing.

    Returns
    -------
    Tensor of shape ()
        The norm before clipping.

    Raises
    ------
    RuntimeError
        If error_if_nonfinite and the norm is nan or infinite. Nothing is changed then.

    Source: Pascanu, Mikolov & Bengio 2013, algorithm 1; PyTorch documentation of clip_grad_norm_.

    >>> w = creation.tensor([3.0, 4.0], requires_grad=True)
    >>> (w * w / 2).sum().backward()
    >>> clip_grad_norm_(w, 1.0)
    tensor(5.)
    >>> w.grad
    tensor([0.6000, 0.8000])
    """
    listed = _listed(parameters)
    if not listed and isinstance(parameters, GeneratorType):
        warnings.warn("clip_grad_norm_: got an empty generator, so nothing is clipped. Is it used up?", stacklevel=3)
    gradients = [p.grad for p in listed if p.grad is not None]
    total_norm = get_total_norm(gradients, norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(listed, max_norm, total_norm, foreach)
    return total_norm


@no_grad()
def clip_grad_value_(parameters, clip_value, foreach=None):
    """Hold every element of every gradient between -clip_value and clip_value, in place.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Those without gradient are skipped.
    clip_value : float
    foreach : bool, optional
        Changes nothing.
    """
    limit = float(clip_value)
    for p in _listed(parameters):
        if p.grad is not None:
            p.grad.clamp_(-limit, limit)
