"""Logarithm, sine and cosine in float32, and x * factor + term rounded once: digit for digit as PyTorch's `normal_`.

NumPy's own functions are as accurate, but round the last digit otherwise for about one number in twenty. The first
weights of a network would then differ from PyTorch's in the last digit, and training makes such a difference grow.
PyTorch's vector code (ATen/native/cpu/avx_mathfun.h, for processors with AVX2) evaluates the polynomials of the Cephes
library with fused multiply-adds. The same polynomials, rounded at the same places, give the same numbers.

Source: Moshier 1992, Cephes mathematical library, single precision (logf.c, sinf.c).
"""

import math

import numpy as np

__all__ = ["log", "multiply_add", "sine_cosine"]

# Highest power first; log(2) and pi/2 in parts.
LOG_COEFFICIENTS = np.float32(
    [7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1]
    + [-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1]
)
SINE_COEFFICIENTS = np.float32([-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1])
COSINE_COEFFICIENTS = np.float32([2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2])
LOG2_HIGH, LOG2_LOW = np.float32([0.693359375, -2.12194440e-4])
HALF_PI_PARTS = 2 * np.float32([0.78515625, 2.4187564849853515625e-4, 3.77489497744594108e-8])


def log(x):
    """Natural logarithm of positive float32 numbers, digit for digit as PyTorch computes it in `normal`.

    x = (1 + t) * 2**exponent with 1 + t between sqrt(1/2) and sqrt(2), so that
    log(x) = exponent * log(2) + t - t**2 / 2 + t**3 * polynomial(t).
    log(2) is added in two parts, the first so short that its product with the exponent is exact.
    Source: Moshier 1992, Cephes library, logf.c; ATen/native/cpu/avx_mathfun.h.
    """
    fraction, exponent = np.frexp(x)
    below = fraction < np.float32(math.sqrt(0.5))
    t = np.where(below, 2 * fraction, fraction) - 1
    exponent = (exponent - below).astype(np.float32)
    square = t * t
    series = multiply_add(polynomial(LOG_COEFFICIENTS, t) * t, square, exponent * LOG2_LOW)
    series = multiply_add(square, -0.5, series)
    return multiply_add(exponent, LOG2_HIGH, t + series)


def sine_cosine(angle):
    """Sine and cosine of float32 angles from 0 to 2 pi, digit for digit as PyTorch computes them in `normal`.

    Turn back by whole right angles, until between -pi/4 and pi/4; there short polynomials do. Then put the right angles
    back: an odd number of them exchanges sine and cosine, and each has its minus sign in two of the four quarters.
    pi/2 is subtracted in three parts, since a rounded pi/2 would spoil small remainders (Cody & Waite 1980, chapter 8).
    Source: Moshier 1992, Cephes library, sinf.c; ATen/native/cpu/avx_mathfun.h.
    """
    right_angles = ((angle * np.float32(4 / np.pi)).astype(np.int32) + 1) // 2
    rest = angle
    for part in HALF_PI_PARTS:
        rest = multiply_add(right_angles.astype(np.float32), -part, rest)
    square = rest * rest
    sine = multiply_add(polynomial(SINE_COEFFICIENTS, square) * square, rest, rest)
    cosine = 1 + multiply_add(polynomial(COSINE_COEFFICIENTS, square) * square, square, -0.5 * square)
    odd = right_angles % 2 == 1
    sine, cosine = np.where(odd, cosine, sine), np.where(odd, sine, cosine)
    return np.where(right_angles & 2, -sine, sine), np.where((right_angles + 1) & 2, -cosine, cosine)


def polynomial(coefficients, x):
    """Return coefficients[0] * x**n + ... + coefficients[n] by Horner's rule."""
    total = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        total = multiply_add(total, x, coefficient)
    return total


def multiply_add(x, factor, term):
    """Return x * factor + term with one rounding at the end, like a processor's fused multiply-add.

    float32: in float64 the product is exact (24 + 24 of 53 digits), and so is the sum, unless one term is far larger
    than the other; then the conversion back is the one rounding.

    float64: split both numbers into halves of 26 and 27 digits, whose products are exact, to get the rounding error of
    the product; get the rounding error of the sum by undoing it; add both errors back.

    Source: Dekker 1971, Numerische Mathematik 18, sections 4 and 5.
    """
    if x.dtype == np.float32:
        return (x.astype(np.float64) * factor + term).astype(np.float32)
    product = x * factor
    x_high, factor_high = upper_half(x), upper_half(np.float64(factor))
    x_low, factor_low = x - x_high, factor - factor_high
    product_error = x_high * factor_high - product + x_high * factor_low + x_low * factor_high + x_low * factor_low
    total = product + term
    added = total - product
    total_error = (product - (total - added)) + (term - added)
    return total + (total_error + product_error)


def upper_half(x):
    """Return float64 `x` without its lowest 27 binary digits."""
    return (x.view(np.uint64) & np.uint64(2**64 - 2**27)).view(np.float64)
