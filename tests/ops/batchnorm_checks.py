"""What test_batchnorm.py and test_mutants.py check of BatchNorm layers, side by side with PyTorch's."""

import minitorch_bn as mt
from tests.ops.checks import assert_close, to_array


def pair(kind, channels, setting, rng):
    """A float64 layer of each library with the same random gamma, beta and running statistics."""
    import torch

    ours = getattr(mt.nn, kind)(channels, **setting, dtype=mt.float64)
    theirs = getattr(torch.nn, kind)(channels, **setting, dtype=torch.float64)
    draws = {
        "weight": rng.normal(size=channels),
        "bias": rng.normal(size=channels),
        "running_mean": rng.normal(size=channels),
        "running_var": rng.uniform(0.5, 2.0, channels),
    }
    for name, values in draws.items():
        if getattr(theirs, name) is not None:
            getattr(ours, name).data.copy_(mt.from_numpy(values))
            getattr(theirs, name).data.copy_(torch.from_numpy(values))
    return ours, theirs


def assert_same_state(ours, theirs):
    """state_dict in the same order with the same values, to 1e-12."""
    mine, other = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(other), f"keys {list(mine)}, wanted {list(other)}"
    for name, want in other.items():
        assert_close(name, mine[name].array, want.numpy(), scale=max(1.0, float(want.abs().max())))


def assert_same_run(ours, theirs, x, v):
    """One forward and backward with upstream gradient v: y, dx, dgamma, dbeta."""
    import torch

    results = []
    for layer, lib in ((ours, mt), (theirs, torch)):
        for p in layer.parameters():
            p.grad = None
        t = lib.from_numpy(x.copy()).requires_grad_()
        y = layer(t)
        y.backward(lib.from_numpy(v.copy()))
        results.append([("y", to_array(y)), ("dx", to_array(t.grad))])
        results[-1] += [(f"d{name}", to_array(p.grad)) for name, p in layer.named_parameters()]
    for (name, got), (_, want) in zip(*results, strict=True):
        assert_close(name, got, want)


def check_layers(kind, shape, setting, rng):
    """Five training steps, then eval, then one more training step and eval: results and state at every step."""
    ours, theirs = pair(kind, shape[1], setting, rng)
    for training in (True,) * 5 + (False, True, False):
        x = rng.normal(rng.normal(), rng.uniform(1, 3), shape)
        assert_same_run(ours.train(training), theirs.train(training), x, rng.normal(size=shape))
        assert_same_state(ours, theirs)
