"""Loss modules hand their arguments on to the functions, which tests/ops tests."""

import numpy as np
import pytest

import minitorch_bn as mt

torch = pytest.importorskip("torch")

LOSSES = {
    "cross_entropy": lambda L: L.nn.CrossEntropyLoss(),
    "cross_entropy_sum": lambda L: L.nn.CrossEntropyLoss(reduction="sum"),
    "cross_entropy_none": lambda L: L.nn.CrossEntropyLoss(reduction="none"),
    "cross_entropy_weight": lambda L: L.nn.CrossEntropyLoss(L.tensor([1.0, 2.0, 0.5])),
    "cross_entropy_ignore": lambda L: L.nn.CrossEntropyLoss(ignore_index=1),
    "cross_entropy_smoothing": lambda L: L.nn.CrossEntropyLoss(label_smoothing=0.3),
    "nll": lambda L: L.nn.NLLLoss(),
    "nll_weight": lambda L: L.nn.NLLLoss(weight=L.tensor([1.0, 2.0, 0.5]), reduction="sum"),
    "nll_ignore": lambda L: L.nn.NLLLoss(ignore_index=0),
}


@pytest.mark.parametrize("name", LOSSES)
def test_equals_torch(name, rng):
    x, y = rng.normal(size=(5, 3)).astype(np.float32), np.array([0, 2, 1, 1, 0])
    results = [np.asarray(LOSSES[name](L)(L.from_numpy(x), L.from_numpy(y))) for L in (mt, torch)]
    np.testing.assert_allclose(*results, rtol=1e-5)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_mse(reduction, rng):
    a, b = rng.normal(size=(2, 4, 3))
    results = [np.asarray(L.nn.MSELoss(reduction=reduction)(L.from_numpy(a), L.from_numpy(b))) for L in (mt, torch)]
    np.testing.assert_allclose(*results, rtol=1e-12)


def test_mse_of_different_shapes_warns_and_broadcasts(rng):
    a, b = rng.normal(size=(4, 1)), rng.normal(size=(4,))
    results = []
    for lib in (mt, torch):
        with pytest.warns(UserWarning, match="target size"):
            results.append(lib.nn.functional.mse_loss(lib.from_numpy(a), lib.from_numpy(b)).item())
    assert results[0] == pytest.approx(results[1], rel=1e-12)


def test_uniform_logits_cost_log_of_the_number_of_classes():
    """The number to expect before training: log(27) = 3.2958 for the name model."""
    loss = mt.nn.functional.cross_entropy(mt.zeros(10, 27), mt.arange(10))
    assert loss.item() == pytest.approx(np.log(27), rel=1e-6)
