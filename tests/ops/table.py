"""What a row of the table of cases is, and the inputs that rows are made of. The rows are in cases_*.py.

A row is one use of one op: a function of a library (`minitorch_bn` or `torch`: they have the same names) and of
tensors, and how to make the tensors' arrays from a seed. test_cases.py derives every test from the row alone.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Case:
    """One row.

    Attributes
    ----------
    name : str
        "op/what is special": the part before the slash is the exported function that the row tests.
    function : callable
        function(library, *tensors) -> tensor, or tuple of tensors.
    inputs : tuple of callable
        input(rng) -> array. Floating point ones are float64; the float32 test casts them.
    grad : bool
        Whether the result has gradients for all floating point inputs that `no_grad_for` leaves.
    smooth : bool
        Whether central differences apply: not at ties, kinks and for constants.
    no_grad_for : tuple of int
        Positions of floating point inputs that get no gradient (targets, class weights).
    length : int or None
        The longest sum in forward and backward, for the float32 bound; None: the size of the largest input.
    condition : float
        How much the row magnifies rounding errors, for the float32 bound: the condition number of the formula.
    """

    name: str
    function: Callable
    inputs: tuple
    grad: bool = True
    smooth: bool = True
    no_grad_for: tuple = ()
    length: int | None = None
    condition: float = 1.0

    @property
    def op(self):
        """The exported function that the row tests."""
        return self.name.split("/")[0]

    def rng(self):
        """A generator that depends on the row's name only: adding rows changes no other row."""
        return np.random.default_rng(zlib.crc32(self.name.encode()))

    def arrays(self):
        """The inputs, the same at every call."""
        rng = self.rng()
        return [make(rng) for make in self.inputs]

    def differentiable(self, arrays):
        """For every input, whether it gets a gradient."""
        return [self.grad and a.dtype.kind == "f" and i not in self.no_grad_for for i, a in enumerate(arrays)]


def rows(op, table, *inputs, **settings):
    """Rows of one op that share their inputs: `table` is {what is special: function}."""
    return [Case(f"{op}/{special}", function, inputs, **settings) for special, function in table.items()]


# ---- inputs


def normal(*shape, mean=0.0, std=1.0):
    """Standard normal numbers."""
    return lambda rng: np.asarray(rng.normal(mean, std, shape))


def uniform(*shape, low=0.5, high=2.5):
    """Uniform numbers; positive by default."""
    return lambda rng: np.asarray(rng.uniform(low, high, shape))


def integers(*shape, low=0, high=10, dtype="int64"):
    """Whole numbers from low to high - 1."""
    return lambda rng: np.asarray(rng.integers(low, high, shape, dtype))


def bools(*shape):
    """True and False, evenly."""
    return lambda rng: np.asarray(rng.random(shape) < 0.5)


def values(data, dtype=None):
    """These very numbers."""
    return lambda rng: np.array(data, dtype)


def distinct(*shape):
    """Numbers that are at least 0.1 apart, in random order: no two tie, also after a small step."""
    return lambda rng: rng.permutation(int(np.prod(shape))).reshape(shape) * 0.1 - 1.0


def probabilities(*shape, axis=1):
    """Positive numbers that sum to 1 along `axis`."""

    def make(rng):
        p = rng.uniform(0.1, 1.0, shape)
        return p / p.sum(axis, keepdims=True)

    return make
