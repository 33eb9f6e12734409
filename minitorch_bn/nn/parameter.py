"""Parameter and Buffer: the two kinds of tensors that a module owns."""

from ..tensor import Tensor


class Parameter(Tensor):
    """A tensor that is learnt: a module that holds one as an attribute lists it in parameters().

    Parameters
    ----------
    data : Tensor or array
        The values; memory is shared.
    requires_grad : bool
    """

    def __init__(self, data, requires_grad=True):
        super().__init__(data.array if isinstance(data, Tensor) else data, requires_grad)

    def __repr__(self):
        return f"Parameter containing:\n{super().__repr__()}"


class Buffer(Tensor):
    """A tensor that belongs to a module's state but is not learnt: running statistics, for example.

    Parameters
    ----------
    data : Tensor or array
        The values; memory is shared.
    persistent : bool
        Whether it is part of state_dict().
    """

    def __init__(self, data, *, persistent=True):
        super().__init__(data.array if isinstance(data, Tensor) else data)
        self.persistent = persistent
