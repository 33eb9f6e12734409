"""The error function, which NumPy lacks: erf(x) = 2 / sqrt(pi) times the integral of exp(-t**2) from 0 to x."""

import math

import numpy as np

from ..engine import Op, apply
from .elementwise import floating

# Highest power first. erf(x) = x * SMALL(x**2) / SMALL_BELOW(x**2) for |x| < 1, and
# 1 - erf(x) = exp(-x**2) * TAIL(x) / TAIL_BELOW(x) for 1 <= x < 8; beyond 8 it is less than 1e-28.
SMALL = (9.60497373987051638749, 90.0260197203842689217, 2232.00534594684319226, 7003.32514112805075473)
SMALL += (55592.3013010394962768,)
SMALL_BELOW = (1.0, 33.5617141647503099647, 521.357949780152679795, 4594.32382970980127987, 22629.0000613890934246)
SMALL_BELOW += (49267.3942608635921086,)
TAIL = (2.46196981473530512524e-10, 0.564189564831068821977, 7.46321056442269912687, 48.6371970985681366614)
TAIL += (196.520832956077098242, 526.445194995477358631, 934.528527171957607540, 1027.55188689515710272)
TAIL += (557.535335369399327526,)
TAIL_BELOW = (1.0, 13.2281951154744992508, 86.7072140885989742329, 354.937778887819891062, 975.708501743205489753)
TAIL_BELOW += (1823.90916687909736289, 2246.33760818710981792, 1656.66309194161350182, 557.535340817727675546)


class Erf(Op):
    """y = erf(x).  dx = dy * 2 / sqrt(pi) * exp(-x**2)."""

    def forward(self, x):
        if self.needs[0]:
            self.slope = np.exp(-x * x) * (2 / math.sqrt(math.pi))
        return error_function(x)

    def backward(self, dy):
        return (dy * self.slope,)


def error_function(x):
    """erf of every element of an array, to a few units of the last digit.

    Two fractions of polynomials, one near 0 and one for the tail; odd, so that the sign is put back at the end.
    Source: Moshier 1992, Cephes mathematical library, double precision (ndtr.c).

    >>> float(error_function(np.array(0.5))) - math.erf(0.5)
    0.0
    """
    if x.dtype == np.float16:  # the coefficients do not fit
        return error_function(x.astype(np.float32)).astype(np.float16)
    size = np.minimum(np.abs(x), 8.0)
    square = np.minimum(size, 1.0) ** 2
    near = x * (polynomial(SMALL, square) / polynomial(SMALL_BELOW, square))
    far = 1 - np.exp(-size * size) * (polynomial(TAIL, size) / polynomial(TAIL_BELOW, size))
    return np.where(size < 1, near, np.copysign(far, x))


def polynomial(coefficients, x):
    """The polynomial with these coefficients, highest power first, at every element of `x` (Horner's rule)."""
    total = coefficients[0]
    for coefficient in coefficients[1:]:
        total = total * x + coefficient
    return total


def erf(input):
    """The error function of every element: the probability that a normal number of variance 1/2 lies within +-input.

    Source: PyTorch documentation, torch.erf.
    """
    return apply(Erf(), floating("erf", input))
