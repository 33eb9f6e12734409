"""The engine beside PyTorch's: its errors, and the gradients of two hundred random graphs."""

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import engine

torch = pytest.importorskip("torch")


def leaf(*values):
    """A float64 leaf that requires grad."""
    array = np.array(values[0] if len(values) == 1 else values, np.float64)
    return mt.from_numpy(array).requires_grad_()


# ---- errors: PyTorch's types, and messages that help

ERRORS = {
    "no_grad": (lambda L: L.ones(1).backward(), "does not require grad"),
    "under_no_grad": (lambda L: under_no_grad(L).backward(), "no_grad"),
    "not_scalar": (lambda L: (L.ones(2, requires_grad=True) * 2).backward(), "scalar outputs.*shape"),
    "gradient_shape": (lambda L: (L.ones(2, requires_grad=True) * 2).backward(L.ones(3)), "shape"),
    "twice": (lambda L: squared(L).backward(), "second time"),
    "numpy_of_grad": (lambda L: L.ones(2, requires_grad=True).numpy(), "detach"),
    "integers": (lambda L: L.tensor([1, 2]).requires_grad_(), "floating point"),
    "integers_at_birth": (lambda L: L.tensor([1, 2], requires_grad=True), "floating point"),
    "retain_grad": (lambda L: L.ones(2).retain_grad(), "requires_grad=False"),
    "no_leaf": (lambda L: (L.ones(2, requires_grad=True) * 2).requires_grad_(False), "leaf"),
    "grad_shape": (lambda L: setattr(L.ones(2, requires_grad=True), "grad", L.ones(3)), "shape"),
}


def under_no_grad(L):
    x = L.ones(1, requires_grad=True)
    with L.no_grad():
        return x * 2


def squared(L):
    y = L.ones(1, requires_grad=True) ** 2
    y.backward()
    return y


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_torchs(name):
    function, message = ERRORS[name]
    with pytest.raises(Exception) as theirs:
        function(torch)
    with pytest.raises(theirs.type, match=message):
        function(mt)


def test_a_gradient_of_the_wrong_shape_names_the_op():
    class Wrong(engine.Op):
        def forward(self, x):
            return x * 2

        def backward(self, dy):
            return (dy[:1],)

    with pytest.raises(RuntimeError, match=r"Wrong.backward.*\(1,\).*\(2,\)"):
        engine.apply(Wrong(), leaf([1.0, 2.0])).sum().backward()


def test_an_op_without_forward_or_backward_says_so():
    class Half(engine.Op):
        def forward(self, x):
            return x * 1

    with pytest.raises(NotImplementedError, match="Half has no backward"):
        engine.apply(Half(), leaf(1.0)).backward()
    with pytest.raises(NotImplementedError, match="Op has no forward"):
        engine.apply(engine.Op(), leaf(1.0))


def test_create_graph_is_deliberately_absent():
    with pytest.raises(NotImplementedError, match="gradients of gradients"):
        (leaf(2.0) ** 2).backward(create_graph=True)


# ---- random graphs


def random_graph(L, seed, leaves):
    """Thirty random ops on random earlier tensors, all 3 x 3; the same graph for the same seed in both libraries."""
    rng = np.random.default_rng(seed)
    tensors = list(leaves)
    unary = ["tanh", "sigmoid", "exp", "relu", "abs", "clone", "T", "sum", "mean", "row", "softmax", "detach", "none"]
    for _ in range(30):
        a, b = (tensors[rng.integers(len(tensors))] for _ in range(2))
        kind = rng.integers(4)
        if kind == 0:
            y = a + b * float(rng.normal())
        elif kind == 1:
            y = (a * b).tanh()
        elif kind == 2:
            y = (a @ b).tanh()
        else:
            name = unary[rng.integers(len(unary))]
            if name == "none":
                with L.no_grad():
                    y = a * 2
            elif name == "row":
                y = a[rng.integers(3)] + b
            elif name in ("sum", "mean"):
                y = getattr(a, name)(int(rng.integers(2)), keepdim=True) * 0.3 + b
            elif name == "softmax":
                y = a.softmax(1)
            elif name == "exp":
                y = (a * 0.1).exp()
            else:
                y = a.T if name == "T" else getattr(a, name)()
        tensors.append(y)
    return sum((t * (0.1 * i)).sum() for i, t in enumerate(tensors[-8:], 1))


@pytest.mark.parametrize("seed", range(200))
def test_random_graphs_equal_torch(seed):
    rng = np.random.default_rng(1000 + seed)
    arrays = [rng.normal(size=(3, 3)) for _ in range(3)]
    results = []
    for lib in (mt, torch):
        leaves = [lib.from_numpy(a.copy()).requires_grad_() for a in arrays]
        loss = random_graph(lib, seed, leaves)
        if loss.requires_grad:
            loss.backward()
        results.append([loss.item(), *(None if t.grad is None else np.asarray(t.grad) for t in leaves)])
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-12)
    for got, want in zip(results[0][1:], results[1][1:], strict=True):
        if want is None or got is None:  # PyTorch gives zeros where a cut path still counts as used
            assert got is None or not got.any()
            assert want is None or not want.any()
        else:
            np.testing.assert_allclose(got, want, rtol=0, atol=1e-12 * max(np.abs(want).max(), 1e-300))


def test_a_leaf_that_is_frozen_after_the_forward_gets_no_gradient(torch):
    for L in (torch, mt):
        w, v = L.ones(2, requires_grad=True), L.ones(2, requires_grad=True)
        y = (w * v).sum()
        w.requires_grad_(False)
        y.backward()
        assert w.grad is None and v.grad.tolist() == [1, 1]
