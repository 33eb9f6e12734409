"""The checks that test_cases.py, test_batchnorm.py and test_mutants.py share.

Each takes a Case, raises AssertionError if the package fails it, and returns nothing. test_mutants.py proves that they
can fail: it breaks an op on purpose and wants the error.
"""

import sys
import warnings

import numpy as np

import minitorch_bn as mt
from minitorch_bn import engine

RTOL = 1e-12  # of the largest element of PyTorch's result, in float64
FLOAT32_EPS = float(np.finfo(np.float32).eps)

# Attributes that forward saves for a user function or a reader, not for backward.
READ_BY_OTHERS = {name: {"mean", "var"} for name in ("BatchNorm", "LayerNorm", "GroupNorm", "InstanceNorm")}
# Ops with arguments that may be None (a bias, gamma, beta); numbers also stand as None among an op's inputs.
TAKE_NONE = {"BatchNorm", "FixedBatchNorm", "Linear", "Conv2d", "LayerNorm", "GroupNorm", "InstanceNorm", "RMSNorm"}


# ---- running a row


def to_tensor(lib, array, requires_grad=False):
    """A leaf of `lib` with a copy of `array` (in the same memory order)."""
    array = array.copy("K") if array.ndim else array.copy()
    t = mt.from_numpy(array) if lib is mt else lib.from_numpy(array)
    return t.requires_grad_() if requires_grad else t


def to_array(t):
    """The array of a tensor of either library."""
    return t.array if isinstance(t, mt.Tensor) else t.detach().numpy()


def outputs(result):
    """The tensors that a function gave, as a list."""
    return list(result) if isinstance(result, tuple | list) else [result]


def upstreams(case, ys):
    """A random gradient for every output; it depends on shapes and the row only."""
    rng = case.rng()
    rng.normal(size=1)
    return [rng.normal(size=y.shape) for y in map(to_array, ys)]


def run(lib, case, arrays, backward=True):
    """Apply the row to `arrays`: result arrays, and gradient arrays of the differentiable inputs (None: the rest)."""
    wants = case.differentiable(arrays)
    tensors = [to_tensor(lib, a, w and backward) for a, w in zip(arrays, wants, strict=True)]
    with warnings.catch_warnings():
        if lib is not mt:
            warnings.simplefilter(
                "ignore"
            )  # PyTorch warns of what gives nan; here the package's own warnings are errors
        ys = outputs(case.function(lib, *tensors))
    if not (backward and any(wants)):
        return [to_array(y) for y in ys], [None] * len(arrays)
    vs = [to_tensor(lib, v.astype(to_array(y).dtype)) for v, y in zip(upstreams(case, ys), ys, strict=True)]
    floating = [(y, v) for y, v in zip(ys, vs, strict=True) if y.requires_grad]
    if len(floating) == 1:
        floating[0][0].backward(floating[0][1])
    else:
        sum((y * v).sum() for y, v in floating).backward()
    grads = [None if t.grad is None else to_array(t.grad) for t in tensors]
    return [to_array(y) for y in ys], grads


# ---- comparing


def assert_close(what, got, want, rtol=RTOL, scale=None):
    """Shape and dtype equal; elements within rtol * scale (default: the largest wanted one); nan and inf alike."""
    assert got.shape == want.shape, f"{what}: got shape {got.shape}, wanted {want.shape}"
    assert got.dtype == want.dtype, f"{what}: got dtype {got.dtype}, wanted {want.dtype}"
    if not want.size:
        return
    if want.dtype.kind != "f":
        assert np.array_equal(got, want), f"{what}: got {got}, wanted {want}"
        return
    rtol = max(
        rtol, 32 * float(np.finfo(want.dtype).eps)
    )  # integers give float32, whatever the floating point inputs are
    finite = np.isfinite(want)
    assert np.array_equal(got[~finite], want[~finite], equal_nan=True), f"{what}: got {got}, wanted {want}"
    got, want = got[finite].astype(np.float64), want[finite].astype(np.float64)
    if want.size:
        scale = np.abs(want).max() if scale is None else scale
        error = np.abs(got - want).max()
        assert error <= rtol * scale, f"{what}: off by {error:.3g}, allowed {rtol * scale:.3g}"


def assert_all_close(case, got, want, rtol=RTOL):
    """Results and gradients of one run against those of another."""
    assert len(got[0]) == len(want[0]), f"{case.name}: got {len(got[0])} results, wanted {len(want[0])}"
    for i, (g, w) in enumerate(zip(got[0], want[0], strict=True)):
        assert_close(f"{case.name}: result {i}", g, w, rtol)
    for i, (g, w) in enumerate(zip(got[1], want[1], strict=True)):
        assert (g is None) == (w is None), f"{case.name}: gradient {i}: got {g}, wanted {w}"
        if w is not None:
            assert_close(f"{case.name}: gradient {i}", g, w, rtol)


# ---- the checks


def check_against_torch(case):
    """Forward and every gradient equal PyTorch's in float64, with a random upstream gradient."""
    import torch

    arrays = case.arrays()
    assert_all_close(case, run(mt, case, arrays), run(torch, case, arrays))


def check_float32(case):
    """float32 in, float32 out and back; equal to PyTorch's float32 within a derived bound.

    Every rounding has a relative error of at most u = eps / 2. A sum of n terms t adds up n - 1 roundings; they are
    independent of one another, so together they come to sqrt(n) u sum|t| rather than n u sum|t| (Higham 2002, section
    2.6). A sum of n terms of either sign is itself about sum|t| / sqrt(n). So the error of a sum is about n u |sum|,
    and that of the two libraries, which add up in different orders, twice that: n eps |sum|. Formulas have a few more
    roundings per element than their sum: 16 covers the longest (softmax, batch norm: 9). `condition` is the factor by
    which the row itself magnifies relative errors (pow, cancellation).
    """
    import torch

    arrays = [a.astype(np.float32) if a.dtype == np.float64 else a for a in case.arrays()]
    n = case.length or max((a.size for a in arrays), default=1)
    bound = (n + 16) * FLOAT32_EPS * case.condition
    got, want = run(mt, case, arrays), run(torch, case, arrays)
    assert_all_close(case, got, want, bound)
    for i, g in enumerate(got[1]):
        assert g is None or g.dtype == np.float32, f"{case.name}: gradient {i} is {g.dtype}, wanted float32"


def loss(case, arrays, vs):
    """The number whose gradient `run` computes: the sum of upstream gradient times result."""
    ys, _ = run(mt, case, arrays, backward=False)
    return sum(float((y * v).sum()) for y, v in zip(ys, vs, strict=True) if y.dtype.kind == "f")


def check_differences(case, most=24, rtol=2e-6):
    """Backward equals central differences in float64: (L(x + h) - L(x - h)) / 2h, error h**2 |L'''| / 6 + u |L| / h."""
    arrays = case.arrays()
    ys, grads = run(mt, case, arrays)
    rng = case.rng()
    rng.normal(size=1)
    vs = [rng.normal(size=y.shape) for y in ys]
    h = np.finfo(np.float64).eps ** (1 / 3)
    for k, grad in enumerate(grads):
        if grad is None or not grad.size:
            continue
        scale = max(np.abs(grad).max(), 1e-3)
        for i in case.rng().permutation(grad.size)[:most]:
            where = np.unravel_index(i, grad.shape)
            both = []
            for step in (h, -h):
                moved = [a.copy() for a in arrays]
                moved[k][where] += step
                both.append(loss(case, moved, vs))
            slope = (both[0] - both[1]) / (2 * h)
            error = abs(slope - grad[where])
            assert error <= rtol * scale, (
                f"{case.name}: gradient {k} at {where}: got {grad[where]:.6g}, central difference {slope:.6g}"
            )


def check_backward_changes_nothing(case, y):
    """The backward of every op leaves dy and what forward saved alone: a second call gives the same."""
    for t in engine.graph(y):
        dy = case.rng().normal(size=t.array.shape).astype(t.array.dtype)
        before = dy.copy()
        first = [None if g is None else np.array(g) for g in t.op.backward(dy)]
        assert np.array_equal(dy, before), f"{case.name}: {type(t.op).__name__}.backward changes dy"
        for g, again in zip(first, t.op.backward(dy), strict=True):
            same = g is None or np.array_equal(g, again, equal_nan=True)
            assert same, f"{case.name}: a second {type(t.op).__name__}.backward gives another gradient"


def check_memory(case):
    """Inputs and upstream gradient stay as they were; gradients share memory with nothing, nor with each other."""
    arrays = case.arrays()
    wants = case.differentiable(arrays)
    tensors = [to_tensor(mt, a, w) for a, w in zip(arrays, wants, strict=True)]
    ys = outputs(case.function(mt, *tensors))
    vs = [to_tensor(mt, v) for v in upstreams(case, ys)]
    before = [v.array.copy() for v in vs]
    recorded = [(y, v) for y, v in zip(ys, vs, strict=True) if y.requires_grad]
    if recorded:
        check_backward_changes_nothing(case, recorded[0][0])
        recorded[0][0].backward(recorded[0][1])
    for i, (t, a) in enumerate(zip(tensors, arrays, strict=True)):
        assert np.array_equal(t.array, a, equal_nan=a.dtype.kind == "f"), f"{case.name}: input {i} was changed"
    for v, b in zip(vs, before, strict=True):
        assert np.array_equal(v.array, b), f"{case.name}: the upstream gradient was changed"
    named = [(f"gradient {i}", t.grad_array) for i, t in enumerate(tensors) if t.grad_array is not None]
    others = [(f"input {i}", t.array) for i, t in enumerate(tensors)]
    others += [(f"upstream gradient {i}", v.array) for i, v in enumerate(vs)]
    for i, (name, g) in enumerate(named):
        for other, a in named[i + 1 :] + others:
            assert not np.shares_memory(g, a), f"{case.name}: {name} shares memory with {other}"
        assert g.flags.writeable, f"{case.name}: {name} cannot be written to (a broadcast view?)"
        inside = [s for s, n in zip(g.strides, g.shape, strict=True) if n > 1]
        assert not g.size or 0 not in inside, f"{case.name}: {name} holds one number in several places"


def strided(array):
    """The same numbers, not contiguous: every second element along the last axis, other axes in Fortran order."""
    if array.ndim == 0:
        return array
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype, order="F")
    view = wide[..., ::2]
    view[...] = array
    return view


def run_view(case, arrays):
    """`run` on the arrays themselves, not on copies."""
    wants = case.differentiable(arrays)
    tensors = [mt.Tensor(a) for a in arrays]
    for t, w in zip(tensors, wants, strict=True):
        t.requires_grad = w
    ys = outputs(case.function(mt, *tensors))
    floating = [(y, mt.Tensor(strided(v))) for y, v in zip(ys, upstreams(case, ys), strict=True) if y.requires_grad]
    if len(floating) == 1:
        floating[0][0].backward(floating[0][1])
    elif floating:
        sum((y * v).sum() for y, v in floating).backward()
    return [to_array(y) for y in ys], [t.grad_array for t in tensors]


def check_strided(case):
    """Inputs and upstream gradients that do not lie in order give the same results and gradients."""
    arrays = case.arrays()
    assert_all_close(case, run_view(case, [strided(a) for a in arrays]), run(mt, case, arrays))


class Spy:
    """Records, for every op, which attributes anything but __init__ and the engine saved, and which backward read."""

    def __init__(self, monkeypatch):
        self.saved, self.read, self.in_backward, self.alive = {}, {}, None, []
        spy = self

        def set_attribute(op, name, value):
            code = sys._getframe(1).f_code
            if code.co_name != "__init__" and not code.co_filename.endswith("engine.py"):
                spy.saved.setdefault(id(op), set()).add(name)
                spy.alive.append(op)  # so that no other op gets its id
            object.__setattr__(op, name, value)

        def get_attribute(op, name):
            if spy.in_backward == id(op):
                spy.read.setdefault(id(op), set()).add(name)
            return object.__getattribute__(op, name)

        monkeypatch.setattr(engine.Op, "__setattr__", set_attribute, raising=False)
        monkeypatch.setattr(engine.Op, "__getattribute__", get_attribute, raising=False)

    def backward(self, op, dy):
        """op.backward(dy), watched."""
        self.in_backward = id(op)
        try:
            return op.backward(dy)
        finally:
            self.in_backward = None


def check_saved(case, monkeypatch):
    """Forward saves exactly what backward reads: nothing is kept in vain, nothing is computed twice."""
    spy = Spy(monkeypatch)
    arrays = case.arrays()
    tensors = [to_tensor(mt, a, w) for a, w in zip(arrays, case.differentiable(arrays), strict=True)]
    recorded = [y for y in outputs(case.function(mt, *tensors)) if y.requires_grad]
    for t in engine.graph(recorded[0]) if recorded else []:
        name = type(t.op).__name__
        spared = [x for x, need in zip(t.op.inputs, t.op.needs, strict=True) if not need]
        if any(x is not None for x in spared) or (spared and name not in TAKE_NONE):
            continue  # an input that needs no gradient (a target, a number) may leave something unread
        spy.backward(t.op, np.ones(t.array.shape, t.array.dtype))
        saved, read = spy.saved.get(id(t.op), set()), spy.read.get(id(t.op), set())
        vain = saved - read - READ_BY_OTHERS.get(name, set())
        assert not vain, f"{case.name}: {name}.forward saves {sorted(vain)}, which backward does not read"
