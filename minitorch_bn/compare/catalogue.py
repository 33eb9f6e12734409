"""The catalogue of wrong BatchNorm formulas: what people compute instead, each as a formula that runs.

One list, four uses: `explain` finds the mistake behind a wrong array, `backward_mutants` shows that a gradient check
would notice, the conformance table says what is wrong in a crossed cell, and the exercises name what a student did.

The mistakes are in mistakes_forward.py, mistakes_backward.py, mistakes_running.py (running statistics, eval mode,
folding, several devices) and mistakes_use.py (a right formula used wrongly).

>>> x = EXAMPLES["usual"]()["x"]
>>> got = 0.9 * 1 + 0.1 * x.var(0)  # NumPy's var divides by m
>>> [mistake.name for mistake in explain("running_var", got, x=x)]
['biased-running-variance']
"""

import numpy as np

from .formula import QUANTITIES, Formula, quantity
from .mistakes_backward import BACKWARD
from .mistakes_forward import FORWARD
from .mistakes_running import RUNNING
from .mistakes_use import USE

MISTAKES = (*FORWARD, *BACKWARD, *RUNNING, *USE)

# What each quantity is computed from; running statistics and momentum have defaults.
NEEDS = {
    "y": "x", "dx": "x dy", "dgamma": "x dy", "dbeta": "x dy",
    "running_mean": "x", "running_var": "x", "start_mean": "x", "start_var": "x",
    "eval_y": "x running_mean running_var", "eval_dx": "x dy running_mean running_var",
    "eval_dgamma": "x dy running_mean running_var", "eval_dbeta": "x dy running_mean running_var",
    "fold_weight": "weight bias gamma beta running_mean running_var",
    "fold_bias": "weight bias gamma beta running_mean running_var",
    "sync_mean": "shards", "sync_var": "shards",
}  # fmt: skip


def _example(*shape, offset=0.5, spread=1.5, dtype=float, **settings):
    """Random data for a formula: gamma and beta far from 1 and 0, few values per channel, no mean near 0."""
    rng = np.random.default_rng(7)
    channels, normal = shape[1], rng.normal
    data = {
        "x": offset + np.arange(channels).reshape((1, -1) + (1,) * (len(shape) - 2)) + spread * normal(size=shape),
        "gamma": rng.uniform(0.5, 2, channels) * rng.choice([-1, 1], channels), "beta": normal(size=channels),
        "dy": normal(size=shape),
        "running_mean": normal(size=channels), "running_var": rng.uniform(0.5, 3, channels),
        "weight": normal(size=(channels, 4)), "bias": normal(size=channels),
    }  # fmt: skip
    data = {name: array.astype(dtype) for name, array in data.items()}
    return {**data, "shards": (data["x"][: len(data["x"]) // 4 + 1], data["x"][len(data["x"]) // 4 + 1 :]), **settings}


# Data on which mistakes show. Each is a function: nobody can spoil the next one's arrays.
EXAMPLES = {
    "usual": lambda: _example(8, 3),
    "image": lambda: _example(4, 3, 2, 2),
    "sequence": lambda: _example(5, 4, 4),
    "cumulative": lambda: _example(8, 3, momentum=None, batches=3),
    "offset": lambda: _example(8, 3, offset=3e3, spread=1.0, dtype=np.float32),
}


def find(name):
    """The mistake of that name.

    Raises
    ------
    KeyError
        If there is none; the message lists the names nearest to it.
    """
    for mistake in MISTAKES:
        if mistake.name == name:
            return mistake
    near = [mistake.name for mistake in MISTAKES if set(name.split("-")) & set(mistake.name.split("-"))]
    raise KeyError(f"find: got {name!r}, wanted a name of the catalogue, for example {', '.join(near or ['no-gamma'])}")


def explain(what, got, *, x=None, gamma=None, beta=None, dy=None, running_mean=None, running_var=None, eps=1e-5,
            momentum=0.1, batches=0, training=True, weight=None, bias=None, shards=None, tolerance=None):  # fmt: skip
    """Which mistakes turn these inputs into `got`.

    Parameters
    ----------
    what : str
        What `got` is meant to be: "y", "dx", "dgamma", "dbeta", "running_mean", "running_var" (after the batch), or one
        of the others in formula.QUANTITIES.
    got : array or Tensor
        What came out.
    x, gamma, beta, dy, running_mean, running_var : array or Tensor, optional
        What went in: x and dy (N, C, *S), the others (C,). gamma and beta None are 1 and 0; running statistics None are
        those before the first batch. running_mean and running_var are from before the batch.
    eps, momentum, batches
        As the layer's; `batches` is the number of batches before this one, for a momentum of None.
    training : bool
        Whether the layer was in train mode. "y" without training is "eval_y", and so on.
    weight, bias : array, optional
        The layer in front, for "fold_weight" and "fold_bias".
    shards : sequence of array, optional
        The parts of a batch, for "sync_mean" and "sync_var".
    tolerance : float, optional
        How near counts as equal, of the largest element of PyTorch's result. Left out, it is derived: sums of n values
        that are `offset` standard deviations away from 0, in the precision of `got`.

    Returns
    -------
    list of Mistake
        The nearest first. Empty if `got` is right, and if no mistake of the catalogue gives it.

    Raises
    ------
    ValueError
        If `what` is no quantity, or something that it is computed from was not given.
    """
    if not training and what in ("y", "dx", "dgamma", "dbeta"):
        what = f"eval_{what}"
    given = dict(x=x, gamma=gamma, beta=beta, dy=dy, running_mean=running_mean, running_var=running_var)
    given.update(weight=weight, bias=bias, shards=shards)
    data = {name: _array(value) for name, value in given.items() if value is not None}
    if what.startswith("eval_") and x is not None:
        mean, var = Formula().start(data["x"].shape[1], data["x"].dtype)
        data = {"running_mean": mean, "running_var": var, **data}
    if what not in QUANTITIES:
        raise ValueError(f"explain: got what={what!r}, wanted one of {', '.join(QUANTITIES)}")
    missing = [name for name in NEEDS[what].split() if name not in data]
    if missing:
        raise ValueError(f"explain: {what} is computed from {NEEDS[what]}; got no {', '.join(missing)}")
    data.update(eps=eps, momentum=momentum, batches=batches)
    return _explain(what, _array(got), data, tolerance)


def _explain(what, got, data, tolerance):
    """`explain` for arrays that are there."""
    right = quantity(what, Formula, data)
    tolerance = rounding(got.dtype, data) if tolerance is None else tolerance
    scale = _largest(right)
    if _distance(got, right) <= tolerance * scale:
        return []
    found = []
    for mistake in MISTAKES:
        if mistake.formula is not None and what in mistake.changes:
            wrong = attempt(what, mistake.formula, data)
            if wrong is None or _distance(wrong, right) <= 4 * tolerance * scale:  # here it makes no difference
                continue
            distance = _distance(got, wrong)
            if distance <= tolerance * max(scale, _largest(wrong)):
                found.append((distance, len(found), mistake))
    return [mistake for _, _, mistake in sorted(found)]


def backward_mutants(op):
    """What the catalogue's mistakes would make of one recorded BatchNorm: for a gradient check to find.

    Parameters
    ----------
    op : BatchNorm or FixedBatchNorm
        Applied, and with its inputs.

    Returns
    -------
    list of (Mistake, function)
        function(op, dy) -> (dx, dgamma, dbeta), with the mistake. Only mistakes that change a gradient.
    """
    fixed = "Fixed" in type(op).__name__
    changed = {f"eval_{name}" if fixed else name for name in ("dx", "dgamma", "dbeta")}
    return [(m, _mutant(m.formula, fixed)) for m in MISTAKES if m.formula is not None and changed & m.changes]


def _mutant(formula, fixed):
    """The backward of an op, computed by a formula from the op's own inputs."""

    def backward(op, dy):
        f = formula(op.eps)
        x, gamma, beta = (None if t is None else t.array for t in op.inputs)
        if fixed:
            f.evaluate(x, gamma, beta, op.mean, op.var)
            return f.evaluate_backward(dy)
        f.normalise(x, gamma, beta)
        return f.backward(dy)

    return backward


def attempt(what, formula, data):
    """`quantity`, or None where the mistaken formula cannot take data of this shape."""
    try:
        with np.errstate(all="ignore"):
            return np.asarray(quantity(what, formula, data, own_start="running_mean" not in data))
    except (ValueError, IndexError):
        return None


def rounding(dtype, data):
    """How far two right ways to compute a quantity may lie apart, of its largest element.

    A sum of n rounded terms is off by (n + 16) eps at most; taking the mean away from values that lie `offset` standard
    deviations from 0 loses that many digits of them, so the bound is multiplied by 1 + offset.
    """
    x = np.asarray(data["x"] if "x" in data else np.concatenate(data["shards"]) if "shards" in data else data["weight"])
    eps = float(np.finfo(dtype if np.dtype(dtype).kind == "f" else float).eps)
    if not x.size:
        return eps
    axes = (0, *range(2, x.ndim))
    std = np.sqrt(x.var(axes, dtype=float) + data.get("eps", 1e-5))
    offset = float((abs(x.mean(axes, dtype=float)) / std).max())
    return (x.size // max(1, x.shape[1]) + 16) * eps * (1 + offset)


def _array(value):
    """A NumPy array of what is given: this package's tensor, PyTorch's, an array, a sequence of them."""
    if isinstance(value, tuple | list):
        return [_array(part) for part in value]
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    return np.asarray(value)


def _largest(a):
    """The largest magnitude of an array."""
    return float(np.abs(a).max()) if a.size else 0.0


def _distance(a, b):
    """The largest difference of two arrays: infinite if their shapes differ or anything is not finite on one side."""
    if a.shape != b.shape:
        return np.inf
    with np.errstate(invalid="ignore"):
        difference = np.abs(np.asarray(a, float) - np.asarray(b, float))
    difference = np.where(np.isnan(a) & np.isnan(b), 0, difference)
    return np.inf if np.isnan(difference).any() else float(difference.max(initial=0))
