"""Draws that depend on tensors: bernoulli and multinomial; and the order in which drawn numbers take their places.

The numbers come from random.py, which replays PyTorch's CPU stream.
"""

import numpy as np

from .. import backend
from ..engine import Op, apply
from ..random import default_generator
from .axes import must_be_tensor


class Draw(Op):
    """y = numbers drawn with the given parameters.  dparameter = 0: as in PyTorch, no gradient passes a draw.

    y and the parameters are arrays; y has the shape that the parameters broadcast to. A parameter may be a number.
    """

    torch_name = "BernoulliBackward0"

    def __init__(self, y):
        self.y = y

    def forward(self, *parameters):
        self.shapes = [getattr(parameter, "shape", None) for parameter in parameters]
        return self.y

    def backward(self, dy):
        zeros = backend.namespace(dy).zeros
        return tuple(None if shape is None else zeros(shape, dy.dtype) for shape in self.shapes)


def memory_order(x):
    """The axes of array `x`, those with long steps in memory first: (0, 1, ...) for an array that lies in order.

    Source: PyTorch's TensorIterator, which walks through memory in this order (ATen/native/TensorIterator.cpp,
    reorder_dimensions): axes that are repeated (stride 0) stay where they are, equal steps put the longer axis first.

    >>> memory_order(np.zeros((2, 3)).T)
    (1, 0)
    """
    order = list(range(x.ndim))[::-1]  # short steps first
    for place in range(1, x.ndim):
        for left in range(place)[::-1]:
            a, b = ((x.strides[axis], x.shape[axis]) for axis in (order[left], order[place]))
            if a[0] == 0 or b[0] == 0:
                continue
            if a > b:
                order[left], order[place] = order[place], order[left]
                place = left
            elif a[0] < b[0]:
                break
    return tuple(order[::-1])


def laid_out_like(x, make):
    """``make(shape)`` with the shape of array `x` and its axes in the same order in memory.

    PyTorch gives such a layout to what it makes "like" a tensor, and hands out random numbers in the order of memory.

    Parameters
    ----------
    x : array
    make : function of a shape, giving a NumPy array of that shape that lies in order

    >>> laid_out_like(np.zeros((2, 3)).T, lambda shape: np.arange(6).reshape(shape))
    array([[0, 3],
           [1, 4],
           [2, 5]])
    """
    if x.flags.c_contiguous:
        return make(tuple(x.shape))
    order = memory_order(x)
    return make(tuple(x.shape[axis] for axis in order)).transpose(np.argsort(order))


def bernoulli(input, p=None, *, generator=None):
    """1 with the probability that each element of `input` gives, else 0; bit for bit PyTorch's for the same seed.

    Parameters
    ----------
    input : Tensor, floating point
        Probabilities. With `p`, only its shape and dtype count, and any dtype will do.
    p : float, optional
        One probability for all elements. It uses up another number of draws than a tensor filled with it.
    generator : Generator, optional

    Returns
    -------
    Tensor of the shape and dtype of `input`

    Raises
    ------
    RuntimeError
        If a probability is not in [0, 1].
    NotImplementedError
        If `input` is not floating point and `p` is not given.
    """
    must_be_tensor("bernoulli", input)
    probabilities, generator = backend.to_numpy(input.array), generator or default_generator
    if p is None:
        drawn = generator.bernoulli(probabilities)
    else:
        drawn = generator.bernoulli(p, probabilities.shape, probabilities.dtype)
    return apply(Draw(backend.to_device(drawn, input.device)), input)


def multinomial(input, num_samples, replacement=False, *, generator=None):
    """Indices drawn with the (unnormalised) probabilities in each row of `input`, as PyTorch draws them.

    Parameters
    ----------
    input : Tensor of shape (C,) or (M, C), floating point, non-negative
    num_samples : int
    replacement : bool
        Whether an index may be drawn twice.
    generator : Generator, optional

    Returns
    -------
    Tensor of int64, shape (num_samples,) or (M, num_samples)

    Raises
    ------
    TypeError
        If `input` is no tensor, or `num_samples` no int.
    RuntimeError
        If `input` has another shape or dtype, an element that is negative or not finite, or a row that sums to zero; or
        if `num_samples` is not positive, or larger than C without replacement.

    Notes
    -----
    Without replacement PyTorch leaves the order of equal arrival times open, see `Generator.multinomial`.
    """
    must_be_tensor("multinomial", input)
    if isinstance(num_samples, bool):
        raise TypeError("multinomial: num_samples must be an int, got a bool")
    weights = backend.to_numpy(input.array)
    drawn = (generator or default_generator).multinomial(weights, num_samples, replacement)
    return input.like(backend.to_device(drawn, input.device))
