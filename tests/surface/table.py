"""What a row of the surface table is: one use of one public name, done with both libraries, and compared.

The table of ops (tests/ops/) checks the math of every op in depth. This table is as wide as the interface: tensors'
methods, creation, drawing, modules, optimisers, schedulers, data loading, saving, and errors. A row is a function of a
library; what it gives with `minitorch_bn` must be what it gives with `torch`: the same structure, numbers, shapes,
dtypes and text, or an exception of the same type. A row's name is "public name/what is special"; the public name is
written as after `torch.`: "Tensor.view", "nn.Conv2d", "optim.lr_scheduler.StepLR".
"""

import numpy as np

import minitorch_bn as mt

RTOL = 1e-10  # of the largest element of PyTorch's result, in float64
EXACT = "exact"


class Row:
    """One row.

    Attributes
    ----------
    name : str
        "public name/what is special".
    run : callable
        run(library) -> tensors, arrays, numbers, text, None, and tuples, lists and dicts of them. May raise.
    length : int
        The longest sum behind a number of the result, for the float32 bound (length + 16) eps; see tests/ops/checks.py.
    condition : float
        How much the row magnifies rounding errors, for the float32 bound.
    exact : bool
        Whether floating point numbers must be equal to the last bit (random streams).
    message : str or None
        For rows that raise: a regular expression that our message must match (PyTorch's need not).
    """

    def __init__(self, name, run, length=64, condition=1.0, exact=False, message=None):
        self.name, self.run, self.length, self.condition = name, run, length, condition
        self.exact, self.message = exact, message

    @property
    def of(self):
        """The public name that the row is about."""
        return self.name.split("/")[0]

    def __repr__(self):
        return self.name


def rows(name, table, **settings):
    """Rows about one name: `table` is {what is special: function of a library}."""
    return [Row(f"{name}/{special}", run, **settings) for special, run in table.items()]


def errors(name, table):
    """Rows about one name that raise: {what is wrong: (function of a library, what our message must match)}."""
    return [Row(f"{name}/{special}", run, message=message) for special, (run, message) in table.items()]


def tensor(L, *shape, seed=0, dtype="float64", grad=False, low=None):
    """The same random tensor in both libraries: standard normal, or uniform from `low` to low + 2."""
    rng = np.random.default_rng(seed)
    array = rng.normal(size=shape) if low is None else rng.uniform(low, low + 2, size=shape)
    t = L.tensor(array.tolist(), dtype=getattr(L, dtype)).reshape(shape)
    return t.requires_grad_() if grad else t


def given(function, *values):
    """function(*values): a name for each value, inside of a lambda."""
    return function(*values)


def gradients(L, y, *leaves, seed=99):
    """Walk back from `y` (or the tensors in it) with a random upstream gradient: (y, gradient of every leaf)."""
    ys = list(y) if isinstance(y, tuple | list) else [y]
    total = sum((t * tensor(L, *t.shape, seed=seed + i).to(t.dtype)).sum() for i, t in enumerate(ys) if t.requires_grad)
    total.backward()
    return y, [leaf.grad for leaf in leaves]


def outcome(run, L):
    """What a row gives: ("value", ...) or ("error", exception)."""
    try:
        return "value", run(L)
    except Exception as error:
        return "error", error


def same(row, got, want, where="result"):
    """Raise AssertionError unless `got` (ours) is `want` (PyTorch's)."""
    if hasattr(want, "detach") and not isinstance(want, mt.Tensor):
        return same_tensor(row, got, want, where)
    if isinstance(want, np.ndarray):
        assert isinstance(got, np.ndarray), f"{where}: got {type(got).__name__}, wanted an array"
        return same_array(row, got, want, where)
    if isinstance(want, dict):
        assert isinstance(got, dict), f"{where}: got {type(got).__name__}, wanted {type(want).__name__}"
        assert list(got) == list(want), f"{where}: got keys {list(got)}, wanted {list(want)}"
        for key in want:
            same(row, got[key], want[key], f"{where}[{key!r}]")
        return None
    if isinstance(want, tuple | list):
        assert isinstance(got, tuple if isinstance(want, tuple) else list), f"{where}: got {got!r}, wanted {want!r}"
        assert len(got) == len(want), f"{where}: got {len(got)} things, wanted {len(want)}: {got!r}, {want!r}"
        for i, (a, b) in enumerate(zip(got, want, strict=True)):
            same(row, a, b, f"{where}[{i}]")
        return None
    if isinstance(want, float) and not isinstance(want, bool):
        assert isinstance(got, float), f"{where}: got {got!r}, wanted {want!r}"
        return same_array(row, np.float64(got), np.float64(want), where, np.float32)
    if isinstance(want, bool | int | str | bytes | type(None)):
        assert type(got) is type(want) and got == want, f"{where}: got {got!r}, wanted {want!r}"
        return None
    assert repr(got).replace("minitorch_bn", "torch") == repr(want), f"{where}: got {got!r}, wanted {want!r}"
    return None


def same_tensor(row, got, want, where):
    """Tensors: dtype, shape, whether a gradient is asked for, values."""
    assert isinstance(got, mt.Tensor), f"{where}: got {got!r}, wanted a tensor"
    assert str(got.dtype) == str(want.dtype), f"{where}: got {got.dtype}, wanted {want.dtype}"
    assert tuple(got.shape) == tuple(want.shape), f"{where}: got shape {got.shape}, wanted {want.shape}"
    assert got.requires_grad == want.requires_grad, (
        f"{where}: got requires_grad={got.requires_grad}, wanted {want.requires_grad}"
    )
    same_array(row, np.asarray(got.array), want.detach().numpy(), where)


def same_array(row, got, want, where, precision=None):
    """Arrays and numbers: within the row's bound, nan and infinities alike."""
    assert got.shape == want.shape, f"{where}: got shape {got.shape}, wanted {want.shape}"
    if want.dtype.kind != "f" or row.exact:
        equal = np.array_equal(got, want, equal_nan=want.dtype.kind == "f")
        assert equal, f"{where}: got {got}, wanted {want}"
        return
    eps = float(np.finfo(precision or want.dtype).eps)
    rtol = max(RTOL, (row.length + 16) * eps * row.condition)
    finite = np.isfinite(want)
    assert np.array_equal(got[~finite], want[~finite], equal_nan=True), f"{where}: got {got}, wanted {want}"
    if finite.any():
        scale = np.abs(want[finite].astype(np.float64)).max()
        error = np.abs(got[finite].astype(np.float64) - want[finite].astype(np.float64)).max()
        assert error <= rtol * scale, f"{where}: off by {error:.3g}, allowed {rtol * scale:.3g}: {got}, {want}"
