"""The arrays of a page: each kept once, sampled where they are too large, packed into one block of bytes.

Elements keep their type (float32, float64; float16 becomes float32, integers float64, exact up to 2**53), so that the
numbers on the page are the numbers of the program. An array that is too large is sampled: of every axis each s-th index
is kept, from 0 on, and the page says so. Minimum, maximum and mean are always those of the whole array.
"""

import base64
import math

import numpy as np

from ... import backend

BUDGET = 9_000_000  # bytes of all arrays together; in base64 a third more
MOST_ELEMENTS = 1 << 18  # of one array
KEPT = {"f4": "f4", "f8": "f8", "f2": "f4", "b1": "u1", "u1": "u1"}  # everything else becomes float64


class Store:
    """Arrays under numbers.

    Parameters
    ----------
    budget : int
        Bytes that all arrays may take.
    """

    def __init__(self, budget=BUDGET):
        self.budget = budget
        self.arrays, self._numbers = [], {}

    def add(self, array):
        """The number of `array`; the same for arrays of the same elements in memory. A later write is seen: pack soon.

        >>> store, x = Store(), np.arange(4.0)
        >>> store.add(x), store.add(x[:2]), store.add(x.reshape(4))
        (0, 1, 0)
        """
        x = backend.to_numpy(backend.as_array(array))
        key = x.__array_interface__["data"][0] if x.size else id(x), x.shape, x.strides, x.dtype.str
        if key not in self._numbers:
            self._numbers[key] = len(self.arrays)
            self.arrays.append(x)  # which also keeps its memory from being another's
        return self._numbers[key]

    def pack(self):
        """What the page needs to know of every array, and all elements as base64.

        Returns
        -------
        table : list of dict
            For every array: `shape`; `type`, of the elements in the block; `at`, the byte where they begin; `step`, of
            every axis, where it was sampled; `min`, `max`, `mean` of the finite elements, `bad`, how many are not.
        block : str
        """
        most = self._most_elements()
        table, parts, at = [], [], 0
        for x in self.arrays:
            steps = steps_for(x.shape, most)
            kind = KEPT.get(x.dtype.str[1:], "f8")
            sample = np.ascontiguousarray(x[tuple(slice(None, None, s) for s in steps)]).astype(f"<{kind}")
            about = {"shape": list(x.shape), "type": kind, "at": at, **_summary(x)}
            if x.dtype.str[1:] != kind:
                about["was"] = x.dtype.name
            if max(steps, default=1) > 1:
                about["step"] = list(steps)
            table.append(about)
            parts.append(sample.tobytes())
            parts.append(b"\0" * (-sample.nbytes % 8))  # every array begins at a multiple of 8
            at += sample.nbytes + len(parts[-1])
        return table, base64.b64encode(b"".join(parts)).decode("ascii")

    def _most_elements(self):
        """The largest number of elements per array, a power of 2, with which all arrays fit the budget."""
        sizes = np.array([x.size for x in self.arrays] or [0])
        widths = np.array([int(KEPT.get(x.dtype.str[1:], "f8")[1]) for x in self.arrays] or [0])
        most = MOST_ELEMENTS
        while most > 1 and int((np.minimum(sizes, most) * widths).sum()) > self.budget:
            most //= 2
        return most


def steps_for(shape, most):
    """The step along every axis with which at most `most` elements are left.

    >>> steps_for((1000, 1000), 300_000)
    (2, 2)
    >>> steps_for((3, 5), 100)
    (1, 1)
    """
    steps = [1] * len(shape)
    counts = list(shape)
    while math.prod(counts) > most:
        axis = counts.index(max(counts))
        fewer = min(counts[axis] - 1, counts[axis] * 19 // 20)  # a twentieth less at a time
        steps[axis] = -(-shape[axis] // fewer)
        counts[axis] = -(-shape[axis] // steps[axis])
    return tuple(steps)


def _summary(x):
    """Minimum, maximum and mean of the finite elements of `x`, and how many elements are nan or infinite."""
    if x.size == 0:
        return {"min": None, "max": None, "mean": None, "bad": 0}
    low, high = float(x.min()), float(x.max())  # nan and infinity go through both
    bad = 0
    if not math.isfinite(low) or not math.isfinite(high):
        finite = x[np.isfinite(x)]
        bad = x.size - finite.size
        if finite.size == 0:
            return {"min": None, "max": None, "mean": None, "bad": bad}
        x, low, high = finite, float(finite.min()), float(finite.max())
    with np.errstate(over="ignore"):
        mean = float(x.mean(dtype=np.float64))
    return {"min": low, "max": high, "mean": mean if math.isfinite(mean) else None, "bad": bad}
