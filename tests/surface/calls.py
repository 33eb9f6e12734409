"""Rows that are single expressions: the expression, written for a library `L`, is the row and its name."""

import warnings

import numpy as np

from .table import Row, tensor


def warned(run):
    """What run() gives, and the kinds of warnings that it raises."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = run()
    return result, [warning.category.__name__ for warning in caught]


def bits(t):
    """The bits of a tensor, as integers: for what `==` does not see (nan, the sign of 0)."""
    return t.detach().numpy().tobytes()


KNOWN = {"np": np, "tensor": tensor, "warned": warned, "bits": bits}


def function(expression):
    """The function of a library that an expression stands for."""
    return eval(f"lambda L: {expression}", dict(KNOWN))


def calls(name, expressions, **settings):
    """Rows about `name`, one for every line of `expressions`."""
    return [Row(f"{name}/{line}", function(line), **settings) for line in lines(expressions)]


def refused(name, expressions):
    """Rows about `name` that raise: every line is ``expression  !!  what our message must match``."""
    pairs = [line.split("  !!  ") for line in lines(expressions)]
    return [Row(f"{name}/{call}", function(call), message=message) for call, message in pairs]


def lines(text):
    """The lines of a text, without indentation and empty ones."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def drawn(name, expressions, seeds=(7,), **settings):
    """Rows about draws: the default generator is seeded before, and what it gives afterwards is compared, too."""

    def replay(line, seed):
        run = function(line)

        def row(L):
            L.manual_seed(seed)
            return run(L), L.randn(1), L.randint(0, 2**28 - 1, (2,))

        return Row(f"{name}/{line}" + (f" seed {seed}" if len(seeds) > 1 else ""), row, **settings)

    return [replay(line, seed) for line in lines(expressions) for seed in seeds]
