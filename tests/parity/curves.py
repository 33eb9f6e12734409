"""How two loss curves, and two sets of weights, are compared."""

import numpy as np

TOLERANCE = {"float64": 1e-12, "float32": 1e-5}  # nats


def check_curves(name, ours, theirs, tolerance, measured):
    """Assert that two loss curves agree within `tolerance`, but not by being one and the same; report the maximum."""
    ours, theirs = np.array(ours), np.array(theirs)
    assert ours.shape == theirs.shape and np.isfinite(theirs).all()
    difference = np.abs(ours - theirs)
    line = (
        f"{name}: losses differ by at most {difference.max():.2e} (at {difference.argmax()}), "
        f"in {(difference > 0).sum()} of {difference.size}"
    )
    measured(line)
    assert difference.max() <= tolerance, line + f"; wanted {tolerance:g}"
    assert difference.max() > 0, line + ": equal to the last bit everywhere; is one library compared with itself?"
    assert theirs.max() - theirs.min() > 0.01, line + ": nothing was learnt, so nothing was compared"


def check_same_weights(net, torch_net):
    """Assert that parameters and buffers have the same names, and the same values to the bit."""
    ours, theirs = net.state_dict(), torch_net.state_dict()
    assert list(ours) == list(theirs)
    for name, value in theirs.items():
        array = ours[name].numpy()
        assert array.dtype == value.numpy().dtype and array.shape == tuple(value.shape), name
        assert array.tobytes() == value.numpy().tobytes(), f"{name}: the weights that the seed makes differ"
