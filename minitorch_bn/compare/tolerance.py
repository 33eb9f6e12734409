"""How far two right programs may differ: a bound from dtype and lengths, and a yardstick that is measured.

Two libraries add the same numbers in different orders, so that their results differ by rounding. A comparison that asks
for equality finds nothing but that; one with a tolerance out of the air finds nothing at all. Here is where the
tolerance of `with_torch` and `with_golden` comes from.

1. **Rounding.** One rounding changes a number by at most u = eps / 2 of its size. A sum of n terms rounds n times. The
   worst case, all errors of one sign, is n * u; errors of random sign add up to about sqrt(n) * u, and exceed
   c * sqrt(n) * u with a probability below 2 * exp(-c**2 / 2) (Higham & Mary 2019, theorem 2.4). Both libraries err,
   hence twice that. n is the longest sum between this tensor and those that it was computed from: the fan-in of a
   Linear or a convolution, the m values per channel of a BatchNorm, the rows behind a parameter's gradient.

       rounding = c * sqrt(n) * 2 u * largest element                                                 with c = 4

   The largest element is the tensor's, or that of what was added where this can be larger: x for running statistics,
   dy for the gradient of a bias.

2. **Amplification.** Errors made earlier are carried on by what follows, and may grow: a BatchNorm behind a nearly
   constant channel divides them by its standard deviation, a difference of large numbers keeps their errors, and
   every step of training adds to what the last one left. A formula cannot know by how much, so it is measured: a twin
   of PyTorch's model does the same steps, with every parameter moved by one ulp, up or down at random, before every
   step, every op's result by one ulp, and every layer's output by sqrt(n) * u. The gradient of a layer's output is
   moved by an ulp channel by channel, too: a BatchNorm takes the same mean, and its error, off all rows, and what adds
   up the rows adds up the error. How far a tensor of the twin is from the original is what roundings do to this tensor
   in this network (Monte Carlo arithmetic: Parker 1997).

       allowed = rounding + K * (the farthest that the twin has been from the original so far)        with K = 8

   Where roundings are as large as the tensor itself (the bias before a BatchNorm has a gradient of nothing but rounding
   errors), squares of them, as in Adam's second moment, spread wider: (K * farthest)**2 / largest element is added, at
   most K * K * farthest. The report says which tensors these are: a mistake could hide in them.

   The twin is one draw, and the two libraries are another. In healthy networks their difference, less what number 1
   explains, was below the twin's (measured: 20 steps of three networks, 3 seeds, both dtypes), and 6 times the twin's
   in the worst case met, the bias before a BatchNorm with 1,400 rows. K leaves room for an unlucky draw.

A ReLU's input within rounding of 0 may fall on either side. Its gradient then differs by all of it: that is reported,
with the two inputs, and is no mistake.

Where there is no twin (a model that cannot be copied), the lengths of all tensors so far, in all steps, add up in n,
and a gradient is measured by the largest gradient so far. That is cruder.
"""

import math

import numpy as np

SPREAD = 4  # c
TWIN = 8  # K
NOISY = 0.01  # of the largest element: what moves by more under a change of one ulp is ruled by rounding


def eps_of(dtype):
    """The distance from 1 to the next number of a floating point dtype; 0 for other dtypes, which must be equal.

    >>> eps_of(np.dtype("float64")) == 2.0**-52, eps_of(np.dtype("int64"))
    (True, 0.0)
    """
    return float(np.finfo(dtype).eps) if dtype.kind == "f" else 0.0


def largest(array):
    """The size of the largest finite element; 0 if there is none."""
    if array.dtype.kind not in "fiu" or not array.size:
        return 0.0
    sizes = np.abs(array[np.isfinite(array)])
    return float(sizes.max()) if sizes.size else 0.0


class Tolerance:
    """What is allowed for the tensors of a run, in the order in which they are met.

    Parameters
    ----------
    given : number, dict {kind: number}, or None
        Absolute differences that replace the derived ones, for all tensors or for those of a kind ("loss", "output",
        "gradient", "parameter", "buffer", "optimizer state").

    twin : bool
        Whether entries know how far the twin `moved`.

    Attributes
    ----------
    moved : dict {tensor name: float}
        The farthest that the twin's tensor has been from the original's.
    """

    def __init__(self, given=None, twin=True):
        self.given, self.twin = given, twin
        self.moved = {}
        self.lengths, self.largest_gradient = 1, 0.0  # so far, where there is no twin

    def allowed(self, entry):
        """The largest difference from `entry`, PyTorch's, that rounding explains: a float."""
        given = self.given.get(entry.kind) if isinstance(self.given, dict) else self.given
        moved = self.moved[entry.name] = max(self.moved.get(entry.name, 0.0), entry.moved)
        if given is not None:
            return float(given)
        eps, scale, n = eps_of(entry.array.dtype), max(largest(entry.array), entry.scale), entry.length
        if not eps:
            return 0.0
        if not self.twin:
            n = self.lengths = self.lengths + entry.length
            if entry.kind in ("gradient", "optimizer state"):
                scale = self.largest_gradient = max(self.largest_gradient, scale)
        carried = TWIN * moved
        second = min(carried * carried / scale, TWIN * carried) if scale else 0.0
        return SPREAD * math.sqrt(n) * eps * scale + carried + second


def length_of(module, x, y):
    """The longest sum behind an element of `y`, what a layer gives for the input `x`.

    A layer with running statistics averages m = x.size / C values per channel; Linear and convolutions add up a row of
    their weight; an embedding adds nothing; a layer without weight takes at most what a sample has (a pooling window).
    """
    if not x.ndim or not x.size or not y.size:
        return 1
    if hasattr(module, "running_var") or hasattr(module, "num_groups"):
        return max(1, x.size // x.shape[1])
    weight = getattr(module, "weight", None)
    if weight is None:
        return max(1, x.size // y.size) if y.size < x.size else 1
    if hasattr(module, "num_embeddings") or not weight.ndim:
        return 1
    if weight.ndim == 1 or hasattr(module, "normalized_shape"):
        return int(np.prod(weight.shape))
    return int(np.prod(weight.shape[1:]))
