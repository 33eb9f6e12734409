"""Sums of a tensor and a product: lerp, addcmul, addcdiv."""

from ..engine import Variable
from .arithmetic import add, mul, sub
from .axes import must_be_floating, must_be_tensor
from .division import div


def lerp(input, end, weight):
    """input + weight * (end - input): from `input` at weight 0 to `end` at weight 1.

    Parameters
    ----------
    input, end : Tensor
        Of one dtype.
    weight : Tensor or number

    Raises
    ------
    RuntimeError
        If the dtypes differ.
    NotImplementedError
        If they are integers or bools.
    """
    must_be_tensor("lerp", input, end)
    for other in (end, weight):
        if isinstance(other, Variable) and other.dtype != input.dtype:
            raise RuntimeError(f"lerp: expected dtype {input.dtype}, got {other.dtype}; convert with .to()")
    must_be_floating("lerp", input)
    return add(input, mul(weight, sub(end, input)))


def addcmul(input, tensor1, tensor2, *, value=1):
    """input + value * tensor1 * tensor2, element by element.

    Raises
    ------
    NotImplementedError
        If all are bools: use & and |.
    """
    must_be_tensor("addcmul", input, tensor1, tensor2)
    if all(x.array.dtype.kind == "b" for x in (input, tensor1, tensor2)):
        raise NotImplementedError("addcmul: not implemented for bools; use & and |")
    return add(input, mul(tensor1, tensor2), alpha=value)


def addcdiv(input, tensor1, tensor2, *, value=1):
    """input + value * tensor1 / tensor2, element by element.

    Raises
    ------
    RuntimeError
        If all are integers: convert with .float() first.
    """
    must_be_tensor("addcdiv", input, tensor1, tensor2)
    if not any(x.array.dtype.kind == "f" for x in (tensor1, tensor2)):
        raise RuntimeError("addcdiv: integer division is not supported; convert with .float() first")
    return add(input, div(tensor1, tensor2), alpha=value)
