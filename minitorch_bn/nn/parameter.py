"""Parameter and Buffer: the two kinds of tensors that a module owns."""

from ..tensor import Tensor


class Parameter(Tensor):
    """A tensor that is learnt: a module that holds one as an attribute lists it in parameters().

    Parameters
    ----------
    data : Tensor, optional
        The values; memory is shared. Left out, there are none: shape (0,).
    requires_grad : bool
        Whether backward computes its gradient.

    Raises
    ------
    AttributeError
        If `data` is no Tensor.
    RuntimeError
        If it requires grad and is not of floating point dtype.
    """

    def __init__(self, data=None, requires_grad=True):
        super().__init__(_array("Parameter", data), requires_grad=requires_grad)

    def __repr__(self):
        return f"Parameter containing:\n{super().__repr__()}"

    def __deepcopy__(self, memo):
        new = super().__deepcopy__(memo)
        new.grad_array = None  # as in PyTorch: a copied model starts without gradients
        return new


class Buffer(Tensor):
    """A tensor that belongs to a module's state but is not learnt: running statistics, for example.

    Parameters
    ----------
    data : Tensor, optional
        The values; memory is shared. Left out, there are none: shape (0,).
    persistent : bool
        Whether it is part of state_dict().

    Raises
    ------
    AttributeError
        If `data` is no Tensor.
    """

    def __init__(self, data=None, *, persistent=True):
        super().__init__(_array("Buffer", data), requires_grad=getattr(data, "requires_grad", False))
        self.persistent = persistent


def _array(name, data):
    """The array of a Tensor; one without elements for None."""
    if data is None:
        return Tensor([]).array
    if not isinstance(data, Tensor):
        raise AttributeError(f"{name}: got {type(data).__name__}, wanted a Tensor; make one with tensor(...)")
    return data.array
