"""BatchNorm against itself: the three backwards, central differences and, where installed, PyTorch, on one batch."""

import importlib.util

import numpy as np

from .. import backend, ops
from ..engine import apply
from ..ops.batchnorm import BatchNorm
from ..ops.batchnorm_variants import StagedBatchNorm, batch_norm_as_graph
from ..tensor import Tensor

NAMES = ("dx", "dgamma", "dbeta")
SAMPLED = 60  # elements of x that central differences are taken along


class CrossCheck:
    """What `crosscheck` returns: for every other way, the largest difference from the closed form.

    Attributes
    ----------
    differences : dict
        {way: {"dx": difference, "dgamma": ..., "dbeta": ...}}, each divided by the largest element of that gradient.
    allowed : dict
        {way: what rounding (or the step of the differences) explains}.
    ok : bool
        Whether all differences are within what is allowed.
    """

    def __init__(self, differences, allowed):
        self.differences, self.allowed = differences, allowed

    @property
    def ok(self):
        return all(d <= self.allowed[way] for way, row in self.differences.items() for d in row.values())

    def __bool__(self):
        return self.ok

    def __repr__(self):
        lines = [f"{'closed form against':<22}" + "".join(f"{name:>10}" for name in NAMES) + f"{'allowed':>10}"]
        for way, row in self.differences.items():
            cells = "".join(f"{row[name]:10.1e}" if name in row else f"{'-':>10}" for name in NAMES)
            verdict = "" if max(row.values()) <= self.allowed[way] else "  <- too far"
            lines.append(f"{way:<22}{cells}{self.allowed[way]:10.1e}{verdict}")
        return "\n".join(lines)


def crosscheck(self, x, dy):
    """Compute the gradients of this layer in train mode in every way there is, and compare them.

    Nothing changes: neither the running statistics nor any gradient.

    Parameters
    ----------
    x, dy : Tensor of shape (N, C, *S)
        A batch, and a gradient of the layer's result. Not ones: then dx is 0, and every formula seems right.

    Returns
    -------
    CrossCheck
        Prints as a table; true if all agree. Differences are relative to the largest element of a gradient.

    Raises
    ------
    ValueError, RuntimeError
        As the layer does for such a batch; RuntimeError if dy has another shape.
    """
    if tuple(dy.shape) != tuple(x.shape):
        raise RuntimeError(f"crosscheck: got dy of shape {tuple(dy.shape)}, wanted that of x, {tuple(x.shape)}")
    gamma = None if self.weight is None else self.weight.array
    beta = None if self.bias is None else self.bias.array
    arrays, dy = (x.array, gamma, beta), dy.array.astype(x.array.dtype)
    ops.batchnorm.check_arguments(x.array, (None, None, self.weight, self.bias), True, self.eps)

    closed = by_op(BatchNorm(self.eps), arrays, dy)
    m = x.array.size // max(x.array.shape[1], 1)
    rounding = (m + 16) * float(np.finfo(x.array.dtype).eps)
    ways = {
        "paper (stages)": (by_op(StagedBatchNorm(self.eps), arrays, dy), rounding),
        "graph (small ops)": (by_graph(arrays, dy, self.eps), rounding),
        "central differences": (by_differences(arrays, dy, self.eps, closed), 1e-5),
    }
    if importlib.util.find_spec("torch") is not None:
        ways["PyTorch"] = (by_torch(arrays, dy, self.eps), rounding)
    differences = {way: compared(closed, gradients) for way, (gradients, _) in ways.items()}
    return CrossCheck(differences, {way: allowed for way, (_, allowed) in ways.items()})


def leaves(arrays):
    """Tensors that want gradients, on copies of the arrays; None stays None."""
    return [None if a is None else Tensor(a.copy(), requires_grad=True) for a in arrays]


def by_op(op, arrays, dy):
    """(dx, dgamma, dbeta) from an op's own backward."""
    inputs = leaves(arrays)
    apply(op, *inputs).backward(Tensor(dy))
    return [None if t is None else t.grad_array for t in inputs]


def by_graph(arrays, dy, eps):
    """(dx, dgamma, dbeta) from the engine's walk through small ops."""
    inputs = leaves(arrays)
    batch_norm_as_graph(*inputs, eps)[0].backward(Tensor(dy))
    return [None if t is None else t.grad_array for t in inputs]


def by_differences(arrays, dy, eps, closed):
    """Central differences in float64, along a sample of the elements; nan where none was taken."""
    arrays = [None if a is None else backend.to_numpy(a).astype(np.float64) for a in arrays]
    dy, h = backend.to_numpy(dy).astype(np.float64), float(np.finfo(np.float64).eps) ** (1 / 3)
    found = []
    for k, array in enumerate(arrays):
        slopes = None if array is None else np.full(array.shape, np.nan)
        order = () if array is None else np.random.default_rng(0).permutation(array.size)[:SAMPLED]
        for i in order:
            where, ends = np.unravel_index(i, array.shape), []
            for step in (h, -h):
                moved = [a if j != k or a is None else a.copy() for j, a in enumerate(arrays)]
                moved[k][where] += step
                ends.append(float((BatchNorm(eps).forward(*moved) * dy).sum()))
            slopes[where] = (ends[0] - ends[1]) / (2 * h)
        found.append(slopes)
    return found


def by_torch(arrays, dy, eps):
    """(dx, dgamma, dbeta) from PyTorch."""
    import torch

    inputs = [None if a is None else torch.tensor(backend.to_numpy(a), requires_grad=True) for a in arrays]
    x, gamma, beta = inputs
    y = torch.nn.functional.batch_norm(x, None, None, gamma, beta, training=True, eps=eps)
    y.backward(torch.tensor(backend.to_numpy(dy)))
    return [None if t is None else t.grad.numpy() for t in inputs]


def compared(closed, other):
    """Largest difference per gradient, relative to its largest element."""
    result = {}
    for name, a, b in zip(NAMES, closed, other, strict=True):
        if a is not None:
            a, b = backend.to_numpy(a).astype(np.float64), backend.to_numpy(b).astype(np.float64)
            taken = ~np.isnan(b)
            scale = max(float(np.abs(a).max()), float(np.finfo(np.float64).tiny))
            result[name] = float(np.abs(a - b)[taken].max()) / scale
    return result
