"""Compare what two programs print: numbers may differ by rounding, everything else must be the same."""

import re

# A number with the blank or sign before it: " 0.5000" and "-0.0000" fill the same place in a printed tensor.
NUMBER = re.compile(r"([-+ ]?(?:\d+\.\d*|\.\d+|\d+)(?:e[-+]?\d+)?)")
LAST_DIGIT = 1e-4 * (1 + 1e-6)  # of four decimals


def same_number(a, b):
    """Whether two numbers, as text, are printed alike and differ by no more than rounding.

    Integers must be equal. Others must have as many decimals (up to 6: what is longer is the whole float), and agree
    within 1e-4, absolute up to 1 and relative above; in exponent notation, within 1e-3 of their size.

    >>> same_number("0.3026", "0.3027"), same_number("0.3026", "0.3028"), same_number("0.3026", "0.303")
    (True, False, False)
    >>> same_number("10", "11"), same_number("1e-05", "1e-04"), same_number("-0.0000", " 0.0000")
    (False, False, True)
    """
    if a == b:
        return True
    if form(a) != form(b) or form(a) == (0, False):
        return False
    if (a[0] in " +-") != (b[0] in " +-") and len(a) != len(b):  # " 9.9999" and "10.0000" fill the same place
        return False
    x, y = float(a), float(b)
    size = max(abs(x), abs(y))
    return abs(x - y) <= (1e-3 * size if "e" in a else LAST_DIGIT * max(1.0, size))


def form(number):
    """How a number is written: its decimals (at most 6 are counted), and whether it has an exponent or a point."""
    mantissa, e, _ = number.partition("e")
    _, point, decimals = mantissa.partition(".")
    return min(len(decimals), 6), bool(e or point)


def compare_texts(ours, theirs):
    """Raise AssertionError for the first line that differs, naming it and what differs in it."""
    our_lines, their_lines = ours.splitlines(), theirs.splitlines()
    for i, (own, other) in enumerate(zip(our_lines, their_lines, strict=False), 1):
        own_parts, other_parts = NUMBER.split(own), NUMBER.split(other)
        for k, (a, b) in enumerate(zip(own_parts, other_parts, strict=False)):
            good = same_number(a, b) if k % 2 else a == b
            assert good, f"line {i}: got {a!r}, PyTorch {b!r}\n  got     {own}\n  PyTorch {other}"
        assert len(own_parts) == len(other_parts), f"line {i}: more on one side\n  got     {own}\n  PyTorch {other}"
    assert len(our_lines) == len(their_lines), f"got {len(our_lines)} lines, PyTorch {len(their_lines)}"


def numbers_that_differ(ours, theirs):
    """How many numbers are not the same text, of how many."""
    pairs = list(zip(NUMBER.findall(ours), NUMBER.findall(theirs), strict=True))
    return sum(a != b for a, b in pairs), len(pairs)
