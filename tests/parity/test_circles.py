"""The circles against PyTorch: the same weights, loss curves and accuracies from the same seed, over all 500 epochs."""

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn.experiments import circles

from .curves import TOLERANCE, check_curves, check_same_weights

# How far rounding may move a logit in 500 epochs. In eval mode float32 moves them far: PyTorch with two threads differs
# from PyTorch with one by 0.09. So there the bound is a multiple of the distance of PyTorch's float32 to its float64.
LOGITS_FLOAT64 = 1e-11
TIMES_OWN_ROUNDING = 4


def run_ours(seed, batch_norm, dtype):
    """What reference.run_circles gives, from the package: losses, accuracies, logit differences."""
    data, margins = circles.load_data(getattr(mt, dtype)), []

    def probe(net):
        with mt.no_grad():
            logits = net(data.x_test)
        margins.append((logits[:, 1] - logits[:, 0]).tolist())

    run = circles.run(seed, batch_norm, dtype=dtype, data=data, probe=probe)
    return run.losses, run.accuracies, margins


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_same_data(reference, torch, dtype):
    ours = circles.load_data(getattr(mt, dtype))
    x_train, x_test, y_train, y_test = reference.circles_data(getattr(torch, dtype))
    for own, other in zip(ours, (x_train, y_train, x_test, y_test), strict=True):
        assert own.numpy().dtype == other.numpy().dtype and (own.numpy() == other.numpy()).all()


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("batch_norm", [True, False], ids=["batchnorm", "without"])
def test_same_weights_at_the_start(reference, torch, batch_norm, dtype):
    for seed in (0, 42, 2**31):
        mt.manual_seed(seed)
        net = circles.Net(batch_norm).to(getattr(mt, dtype))
        check_same_weights(net, reference.circles_net(seed, batch_norm, getattr(torch, dtype)))


@pytest.mark.parametrize("seed", [0, 42])
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("batch_norm", [True, False], ids=["batchnorm", "without"])
def test_same_curves(reference, torch, batch_norm, dtype, seed, measured):
    losses, accuracies, margins = run_ours(seed, batch_norm, dtype)
    their_losses, their_accuracies, their_margins = reference.run_circles(seed, batch_norm, getattr(torch, dtype))
    name = f"circles {'with BatchNorm' if batch_norm else 'without'}, {dtype}, seed {seed}"
    check_curves(name, losses, their_losses, TOLERANCE[dtype], measured)

    margins, their_margins = np.array(margins), np.array(their_margins)
    rounding = np.abs(margins - their_margins).max()
    other_class = (margins > 0) != (their_margins > 0)  # argmax takes class 0 where both logits are equal
    y = reference.circles_data()[3].numpy()
    measured(
        f"{name}: logits differ by at most {rounding:.2e}, classes at {other_class.sum()} of {other_class.size} "
        f"points x epochs, accuracies at {(np.array(accuracies) != their_accuracies).sum()} epochs"
    )
    bound = LOGITS_FLOAT64
    if dtype == "float32":
        exact = np.array(reference.run_circles(seed, batch_norm, torch.float64)[2])
        own_rounding = np.abs(their_margins - exact).max()
        measured(f"{name}: PyTorch's own logits differ from its float64 by {own_rounding:.2e}")
        bound = TIMES_OWN_ROUNDING * own_rounding
    assert rounding <= bound
    assert (np.abs(their_margins[other_class]) <= rounding).all()
    for own, classes in ((accuracies, margins > 0), (their_accuracies, their_margins > 0)):
        np.testing.assert_allclose(own, (classes == y).mean(1), rtol=0, atol=1e-12)
    assert np.abs(np.array(accuracies) - their_accuracies).max() <= other_class.sum(1).max() / len(y)
    assert max(accuracies) > 0.99
