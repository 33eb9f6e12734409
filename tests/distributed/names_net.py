"""The network of the name lesson in float64, and batches of 128 drawn from a fixed stream."""

import numpy as np

import minitorch_bn as mt


def make():
    """The network; its weights come from the generator as it stands."""
    nn = mt.nn
    net = nn.Sequential(
        nn.Embedding(46, 10),
        nn.Flatten(),
        nn.Linear(30, 200, bias=False),
        nn.BatchNorm1d(200),
        nn.Tanh(),
        nn.Linear(200, 46),
    )
    return net.double()


def batches(steps):
    """(x, y) of 128 rows, `steps` times."""
    rng = np.random.default_rng(5)
    for _ in range(steps):
        yield mt.tensor(rng.integers(0, 46, (128, 3))), mt.tensor(rng.integers(0, 46, 128))
