"""Variable: the old name of Tensor in PyTorch scripts."""

from ..tensor import Tensor


class _EveryTensor(type):
    """Makes isinstance(x, Variable) true for every Tensor."""

    def __instancecheck__(cls, x):
        return isinstance(x, Tensor)


class Variable(metaclass=_EveryTensor):
    """``Variable(tensor, requires_grad=True)``: a leaf with the values of `tensor`, sharing its memory.

    Tensors can do all by themselves; old scripts still wrap them.

    Raises
    ------
    TypeError
        If `data` is no Tensor.
    """

    def __new__(cls, data, requires_grad=False, volatile=None):
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable: data must be a Tensor, got {type(data).__name__}")
        return data.detach().requires_grad_(requires_grad)
