"""Rounding and signs: steps, flat between their jumps, so that their gradient is 0 almost everywhere."""

import numpy as np

from .. import backend
from ..engine import Op, apply
from .axes import must_be_tensor


class Step(Op):
    """y = a step function of x.  dx = 0: the jumps have no slope, and what lies between them is flat."""

    def backward(self, dy):
        return (backend.namespace(dy).zeros(dy.shape, dy.dtype),)  # not dy * 0, which is nan where dy is infinite


class Floor(Step):
    """y = the largest whole number not above x.  dx = 0."""

    def forward(self, x):
        return np.floor(x)


class Ceil(Step):
    """y = the smallest whole number not below x.  dx = 0."""

    def forward(self, x):
        return np.ceil(x)


class Trunc(Step):
    """y = x without its fraction.  dx = 0."""

    def forward(self, x):
        return np.trunc(x)


class Round(Step):
    """y = the whole number nearest to x; of two, the even one.  dx = 0."""

    def forward(self, x):
        return np.rint(x)


class RoundDecimals(Step):
    """y = x rounded to `decimals` digits behind the point (before it, if negative).  dx = 0."""

    torch_name = "RoundBackward1"

    def __init__(self, decimals):
        self.scale = 10.0**decimals

    def forward(self, x):
        return np.rint(x * self.scale) / self.scale


class Sign(Step):
    """y = -1, 0 or 1: the sign of x, 0 for nan.  dx = 0."""

    def forward(self, x):
        return np.where(x != x, 0, np.sign(x))


class Frac(Op):
    """y = x - trunc(x).  dx = dy."""

    def forward(self, x):
        return x - np.trunc(x)

    def backward(self, dy):
        return (dy,)


def floor(input):
    """The largest whole number not above each element. Integers stay as they are."""
    return _rounded("floor", Floor(), input)


def ceil(input):
    """The smallest whole number not below each element. Integers stay as they are."""
    return _rounded("ceil", Ceil(), input)


def trunc(input):
    """Every element without its fraction: rounded towards 0. Integers stay as they are."""
    return _rounded("trunc", Trunc(), input)


def round(input, *, decimals=0):
    """Every element rounded to `decimals` digits; halves go to the even neighbour. Integers stay as they are."""
    return _rounded("round", RoundDecimals(decimals) if decimals else Round(), input)


def frac(input):
    """What `trunc` takes away: the fraction, with the element's sign.

    Raises
    ------
    NotImplementedError
        For integers and bools.
    """
    must_be_tensor("frac", input)
    if input.array.dtype.kind != "f":
        raise NotImplementedError(f"frac: not implemented for {input.dtype}; convert with .float() first")
    return apply(Frac(), input)


def sign(input):
    """-1, 0 or 1 for every element, 0 for nan; bools stay as they are."""
    must_be_tensor("sign", input)
    return apply(Sign(), input) if input.array.dtype.kind != "b" else input.clone()


def _rounded(name, op, input):
    """`op` of floating point numbers; integers have nothing to round.

    Raises
    ------
    NotImplementedError
        For bools.
    """
    must_be_tensor(name, input)
    if input.array.dtype.kind == "b":
        raise NotImplementedError(f"{name}: not implemented for bools; convert with .float() first")
    return apply(op, input) if input.array.dtype.kind == "f" else input.clone()
