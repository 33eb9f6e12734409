"""A layer of each library, made alike, used alike: what came out, and where the two differ.

For test_options.py (every option of every layer) and test_uses.py (what a user does with a layer).
"""

import numpy as np

import minitorch_bn as mt

RTOL = {"float64": 1e-12, "float32": 1e-5}  # of the largest element; float32: 100 roundings of 1.2e-7 in a row
SMALL = 1e-3  # a gradient this much smaller than the largest is the rest of larger numbers that cancelled


def normal(*shape, seed=1):
    """Normal numbers with mean 0.3, the same ones every time."""
    return np.random.default_rng(seed).normal(size=shape) + 0.3


def array(t):
    """The numbers of a tensor of either library."""
    return np.asarray(t.detach().numpy())


def filled(L, layer):
    """The layer with parameters and running statistics between 0.5 and 2, the same in both libraries."""
    rng = np.random.default_rng(9)
    for name, t in layer.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            t.copy_(L.from_numpy(rng.uniform(0.5, 2, tuple(t.shape))).to(t.dtype))
    return layer


def upstream(L, y, seed=5):
    """A random upstream gradient for y."""
    return L.from_numpy(np.random.default_rng(seed).normal(size=tuple(y.shape))).to(y.dtype)


def leaf(L, values, dtype="float64"):
    """A tensor of values that gets a gradient if it is floating point."""
    values = np.asarray(values)
    t = L.from_numpy(values.astype(dtype) if values.dtype.kind == "f" else values.copy())
    return t.requires_grad_() if values.dtype.kind == "f" else t


def used(L, make, inputs, dtype="float64", modes=(True,)):
    """Make a layer, use it once per mode (train or not): all that can be seen of it, or the exception.

    Returns
    -------
    dict {what: text, numbers, arrays or lists of them}, or Exception
    """
    try:
        layer = filled(L, make(L))
        seen = {"repr": repr(layer), "keys": list(layer.state_dict())}
        seen["parameters"] = [name for name, _ in layer.named_parameters()]
        seen["buffers"] = [name for name, _ in layer.named_buffers()]
        for step, training in enumerate(modes):
            layer.train(training)
            layer.zero_grad()
            xs = [leaf(L, values, dtype) for values in inputs]
            L.manual_seed(step)  # dropout draws
            seen[step] = outcome(L, layer(*xs), xs, layer)
        return seen
    except Exception as error:
        return error


def outcome(L, y, xs, layer):
    """A result, the gradients of inputs and parameters for a random upstream gradient, and the state afterwards."""
    first = y[0] if isinstance(y, tuple) else y
    if first.requires_grad:
        first.backward(upstream(L, first))
    grads = [t.grad for t in (*xs, *layer.parameters())]
    return {
        "y": [array(t) for t in (y if isinstance(y, tuple) else (y,))],
        "requires_grad": first.requires_grad,
        "gradients": [None if g is None else array(g) for g in grads],
        "state": [array(t).copy() for t in layer.state_dict().values()],
    }


def difference(ours, theirs, rtol, path=""):
    """Where two things that `used` or a program gave differ, in words; "" if nowhere."""
    if isinstance(ours, Exception) or isinstance(theirs, Exception):
        if isinstance(ours, Exception) and isinstance(theirs, Exception) and isinstance(ours, type(theirs)):
            return ""  # of PyTorch's type, or of a class below it
        return f"{path}: got {ours!r:.300}, wanted {theirs!r:.300}"
    if isinstance(theirs, dict):
        pairs = [(key, ours.get(key), want) for key, want in theirs.items()]
    elif isinstance(theirs, list | tuple):
        if len(ours) != len(theirs):
            return f"{path}: got {len(ours)}, wanted {len(theirs)}"
        pairs = [(i, got, want) for i, (got, want) in enumerate(zip(ours, theirs, strict=True))]
    elif isinstance(theirs, np.ndarray) and isinstance(ours, np.ndarray):
        return array_difference(ours, theirs, rtol, path)
    else:
        return "" if ours == theirs else f"{path}: got {ours!r}, wanted {theirs!r}"
    if path.endswith("gradients"):
        largest = max((np.abs(w[np.isfinite(w)]).max(initial=0) for w in theirs if w is not None), default=0)
        found = (array_difference(g, w, rtol, f"{path}[{i}]", SMALL * largest) for i, g, w in pairs if w is not None)
        missing = [f"{path}[{i}]: got {g is None}" for i, g, w in pairs if (g is None) != (w is None)]
        return next(iter(missing), "") or next(filter(None, found), "")
    return next(filter(None, (difference(got, want, rtol, f"{path}.{key}") for key, got, want in pairs)), "")


def array_difference(got, want, rtol, path, scale=0.0):
    """Where two arrays differ in shape, dtype, what is not finite, or by more than rtol of the largest element."""
    if (got.shape, got.dtype) != (want.shape, want.dtype):
        return f"{path}: got {got.dtype} {got.shape}, wanted {want.dtype} {want.shape}"
    if want.dtype.kind != "f":
        return "" if np.array_equal(got, want) else f"{path}: got {got}, wanted {want}"
    finite = np.isfinite(want)
    if not np.array_equal(got[~finite], want[~finite], equal_nan=True) or not np.isfinite(got[finite]).all():
        return f"{path}: nan or infinite elsewhere: got {got}, wanted {want}"
    scale = max(np.abs(want[finite]).max(initial=0), scale)
    error = np.abs(got[finite] - want[finite]).max(initial=0)
    return "" if error <= rtol * scale else f"{path}: off by {error / scale:.1e} of the largest, allowed {rtol:.0e}"


def disagreement(torch, make, inputs, dtype="float64", modes=(True,)):
    """Where a layer of this package and PyTorch's differ, in words; "" if nowhere."""
    ours, theirs = (used(L, make, inputs, dtype, modes) for L in (mt, torch))
    return difference(ours, theirs, RTOL[dtype])
