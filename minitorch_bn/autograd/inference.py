"""inference_mode: no_grad under the name that newer scripts for PyTorch use."""

from ..engine import enable_grad, no_grad


def inference_mode(mode=True):
    """Do not record inside: ``with inference_mode():``, ``@inference_mode()`` or ``@inference_mode``.

    PyTorch's tensors from such a block may not take part in recording afterwards, which lets it save some bookkeeping.
    Here they may: there is nothing to save, so this is `no_grad`.

    Parameters
    ----------
    mode : bool
        False records, as `enable_grad`.

    >>> import minitorch_bn as torch
    >>> with torch.inference_mode():
    ...     (torch.ones(2, requires_grad=True) * 2).requires_grad
    False
    """
    if callable(mode):
        return no_grad(mode)
    return no_grad() if mode else enable_grad()
