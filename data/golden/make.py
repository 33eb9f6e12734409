"""The golden files of this folder, made by PyTorch.

    python data/golden/make.py [FOLDER]

names.npz    3 steps of SGD with momentum on 16 examples each of the first names, float64
circles.npz  3 steps of Adam on 32 points, float32
convnet.npz  2 steps of SGD on 6 random images, float64

The models are `minitorch_bn.compare.golden_model(name)`. gamma, beta and the running statistics start at random values:
at 1 and 0 a forgotten gamma would not show.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from minitorch_bn.compare.golden import golden_model, make_golden
from minitorch_bn.experiments import circles, text

FOLDER = Path(__file__).resolve().parent


def model(name, seed):
    """The model as PyTorch's seed makes it, with gamma, beta and running statistics at random."""
    torch.manual_seed(seed)
    net = golden_model(name, library=torch)
    for m in net.modules():
        if hasattr(m, "running_var"):
            for t, low in ((m.weight, 0.5), (m.bias, -0.5), (m.running_mean, -0.5), (m.running_var, 0.5)):
                t.data.copy_(torch.rand(t.shape) + low)
    return net


def names_batches():
    """Three batches of 16 examples, from the first 30 names."""
    all_names = text.read_names()
    x, y = text.build_dataset(all_names[:30], text.Vocabulary(all_names), 3)
    return [(x[start : start + 16], y[start : start + 16]) for start in (0, 16, 32)]


def circles_batches():
    """Three batches of 32 training points."""
    data = circles.load_data()
    return [(data.x_train[start : start + 32], data.y_train[start : start + 32]) for start in (0, 32, 64)]


def images():
    """Two batches of six random images and classes."""
    rng = np.random.default_rng(0)
    return [(rng.normal(size=(6, 2, 8, 8)), rng.integers(0, 5, 6)) for _ in range(2)]


MAKERS = {
    "names": (names_batches, ("SGD", {"lr": 0.1, "momentum": 0.9})),
    "circles": (circles_batches, ("Adam", {"lr": 0.01})),
    "convnet": (images, ("SGD", {"lr": 0.1, "weight_decay": 0.01})),
}


def make(name, folder=FOLDER):
    """Write one golden file; return its path."""
    batches, optimizer = MAKERS[name]
    torch.set_num_threads(1)
    path = Path(folder) / f"{name}.npz"
    return make_golden(model(name, 42), batches(), path, steps=None, loss="cross_entropy", optimizer=optimizer)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    folder = parser.parse_args().folder
    for name in MAKERS:
        path = make(name, folder)
        print(f"{path.name}: {path.stat().st_size:,} bytes")
