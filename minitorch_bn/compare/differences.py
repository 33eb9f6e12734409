"""Slopes from function values: central differences whose error is known, and kinks.

The loss is <c, y(x)>, the sum of the outputs with random weights c (the upstream gradient). Its slope along one element
of x, or along a random direction, is (loss(x + h) - loss(x - h)) / 2h. That number has two errors: the function bends
(about h^2), and y is rounded (about eps |y| / h). `Probe` keeps the slope together with how far it can be trusted.
"""

import itertools
from dataclasses import dataclass

import numpy as np

EPS = float(np.finfo(np.float64).eps)
STEP = EPS ** (1 / 3)  # balances the two errors for a function that bends about as much as it is large
SAFETY = 12  # standard deviations of noise that a slope may be off: the noise was itself measured on few values


@dataclass
class Probe:
    """One slope: along one element of a leaf (`position`), or along a `direction`.

    Attributes
    ----------
    leaf : int
        Which of the subject's leaves.
    position : int or None
        Which element of it, counted in C order.
    direction : array or None
        Of the leaf's shape.
    numeric : float
        The slope from differences.
    allowed : float
        How far the true slope may be from `numeric`.
    kink : bool
        Whether the loss has no slope there: the slopes on the two sides differ.
    """

    leaf: int
    position: int | None = None
    direction: np.ndarray | None = None
    numeric: float = np.nan
    allowed: float = np.inf
    kink: bool = False

    def of(self, gradients):
        """The slope according to gradients, one per leaf."""
        g = gradients[self.leaf]
        return float(g.reshape(-1)[self.position] if self.direction is None else (g * self.direction).sum())

    def accepts(self, gradients):
        """Whether the gradients agree with this slope, or there is none."""
        return self.kink or abs(self.of(gradients) - self.numeric) <= self.allowed


class Slopes:
    """Measures slopes of <upstream, subject> around the place where the subject is.

    Parameters
    ----------
    subject : Subject
    upstream : list of array
        One per output.
    gradients : list of array
        What backward gave: from its size follows how far its own rounding goes.
    step : float, optional
        The step of the first try, for an element of magnitude up to 1; larger elements get a step in proportion.
    """

    def __init__(self, subject, upstream, gradients, step=None):
        self.subject, self.upstream, self.step = subject, upstream, STEP if step is None else step
        self.here, self.gradients, self.measured_noise = subject.values(), gradients, {}
        largest = max(float(np.abs(a).max(initial=0)) for a in (*gradients, *upstream))
        self.rounding_of_backward = (16 + sum(a.size for a in upstream)) * EPS * largest

    def measure(self, probe, analytic):
        """Fill in `numeric`, `allowed` and `kink`.

        The first try is one pair of values. Where it does not agree with `analytic` to within rounding, many
        steps are tried and extrapolated; where that disagrees, too, the two sides are compared.
        """
        h = self.step * self.scale(probe)
        probe.numeric, probe.allowed = self.central(probe, h)
        if abs(analytic - probe.numeric) <= probe.allowed:
            return
        probe.numeric, probe.allowed = self.extrapolated(probe)
        if not abs(analytic - probe.numeric) <= probe.allowed:
            probe.kink = self.has_kink(probe, analytic)

    def scale(self, probe):
        """The magnitude of what is moved, 1 at least."""
        x = self.subject.leaves[probe.leaf][1].array
        there = x.reshape(-1)[probe.position] if probe.direction is None else x
        return max(1.0, float(np.abs(there).max(initial=0)))

    def values(self, probe, h):
        """The outputs with the probe's element, or direction, moved by h."""
        x = self.origin(probe.leaf)
        if probe.direction is not None:
            return self.subject.values(probe.leaf, x + np.sign(h) * exact_step(x, abs(h) * probe.direction))
        moved = x.copy()
        moved.reshape(-1)[probe.position] += h
        return self.subject.values(probe.leaf, moved)

    def step_of(self, probe, h):
        """h, changed in its last digits so that the probe's element can be moved by just that, up and down."""
        return h if probe.direction is not None else float(exact_step(self.origin(probe.leaf).flat[probe.position], h))

    def origin(self, leaf):
        """The array of a leaf where nothing is moved."""
        t = self.subject.leaves[leaf][1]
        return next(array for other, array in self.subject.start if other is t)

    def central(self, probe, h):
        """(slope, how far rounding alone can move it): the rounding of y, of the direction, and of backward."""
        h = self.step_of(probe, h)
        slope, noise = self.between(probe, self.values(probe, h), self.values(probe, -h), 2 * h)
        if probe.direction is not None:  # its elements were changed in their last digits, so that steps are exact
            noise += EPS * float(np.abs(self.origin(probe.leaf) * self.gradients[probe.leaf]).sum()) / h
        return slope, noise + self.rounding_of_backward

    def between(self, probe, above, below, width):
        """The slope of the loss from one set of outputs to another, and how far the noise of y can move it."""
        slope = noise = 0.0
        for c, a, b, sigma in zip(self.upstream, above, below, self.noise(probe.leaf), strict=True):
            change = a - b
            slope += float((c * change).sum())
            noise += float((np.where(change == 0, 0, c) ** 2).sum() * sigma**2)
        return slope / width, SAFETY * np.sqrt(2 * noise) / width

    def noise(self, leaf):
        """The standard deviation of the rounding errors in each output, measured; not less than half a last digit.

        Along a line of tiny steps a smooth function is a straight line, to all digits; its fourth differences vanish.
        What is left of them is rounding, (1, -4, 6, -4, 1) times it: sqrt(70) of its standard deviation. The two sides
        are measured apart, so that a kink right here does not count as noise.

        Source: Moré & Wild 2011, Estimating computational noise, section 3.
        """
        if leaf not in self.measured_noise:
            x = self.origin(leaf)
            direction = np.random.default_rng(leaf).normal(size=x.shape)  # no round numbers: they would round alike
            step = 1e-8 * max(1.0, float(np.abs(x).max(initial=0))) * direction
            sides = [[self.subject.values(leaf, x + side * k * step) for k in range(9)] for side in (1, -1)]
            of_sides = [[_noise(np.stack(y)) for y in zip(*line, strict=True)] for line in sides]
            self.measured_noise[leaf] = [
                max(min(both), EPS / 2 * _root_mean_square(y)) for y, *both in zip(self.here, *of_sides, strict=True)
            ]
        return self.measured_noise[leaf]

    def extrapolated(self, probe):
        """(slope, how far it can be trusted), from many steps.

        The error of a central difference is a series in h^2; two steps, h and h / 2, take its first term away
        (Richardson). Of the results for all h, the one that agrees best with both its neighbours is taken: larger steps
        suffer from the next term, smaller ones from noise. Its error is that disagreement.

        Source: Ridders 1982, Accurate computation of F'(x) and F'(x) F''(x), with one extrapolation instead of all.
        """
        largest = 8e-3 * self.scale(probe)
        steps = [largest / 2**k for k in range(int(np.log2(largest / 1e-8)) + 1)]
        slopes = [self.central(probe, h) for h in steps]
        better = [(4 * fine[0] - coarse[0]) / 3 for coarse, fine in itertools.pairwise(slopes)]
        errors = [
            max(abs(better[k] - better[k - 1]), abs(better[k] - better[k + 1])) + slopes[k + 1][1]
            for k in range(1, len(better) - 1)
        ]
        best = int(np.argmin(np.where(np.isfinite(errors), errors, np.inf)))
        return better[best + 1], 8 * errors[best] if np.isfinite(errors[best]) else np.inf

    def has_kink(self, probe, analytic):
        """Whether the slopes to the two sides differ however small the step, and `analytic` lies between them.

        For a smooth function their difference shrinks with the step, tenfold from one to the next; at a kink it stays.
        """
        difference_before = np.inf
        for k in range(5, 9):
            h = self.step_of(probe, self.scale(probe) / 10**k)
            right, rounding = self.between(probe, self.values(probe, h), self.here, h)
            left, _ = self.between(probe, self.here, self.values(probe, -h), h)
            difference, margin = abs(right - left), 4 * rounding
            if difference > margin and difference > 0.5 * difference_before:
                low, high = min(left, right), max(left, right)
                slack = margin + 0.01 * difference
                return bool(low - slack <= analytic <= high + slack)
            difference_before = difference
        return False


def exact_step(x, step):
    """A step near `step` that x can be moved by without rounding, in both directions.

    >>> 1e4 + 1e-9 - 1e4 == 1e-9
    False
    >>> h = float(exact_step(1e4, 1e-9))
    >>> 1e4 + h - 1e4 == h == 1e4 - (1e4 - h)
    True
    """
    return ((np.abs(x) + np.abs(step)) - np.abs(x)) * np.sign(step)


def _noise(line):
    """The standard deviation of the rounding in values along a line of equal steps."""
    return _root_mean_square(np.diff(line, 4, axis=0)) / np.sqrt(70)


def _root_mean_square(a):
    """The root of the mean square; 0 of nothing, infinite where something is not finite."""
    mean = float((a * a).mean()) if a.size else 0.0
    return np.sqrt(mean) if np.isfinite(mean) else np.inf
