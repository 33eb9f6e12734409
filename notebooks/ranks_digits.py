"""What every machine of notebook 08 runs: train a small network on its part of every batch.

    mpiexec -n 4 python -m mpi4py ranks_digits.py            all runs of PLAN; rank 0 prints the results as JSON
    mpiexec -n 4 python -m mpi4py ranks_digits.py '[{"norm": "SyncBN", "images": 2, "seed": 0}]'     only these
    mpiexec -n 4 python -m mpi4py ranks_digits.py --record   all, and rank 0 writes ranks_digits.json

The notebook calls `train` in its own process, too: one process without a group is one machine. ranks_digits.json is
what the notebook shows to a reader who has no MPI.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from tqdm import tqdm

import minitorch_bn as mt
import minitorch_bn.distributed as dist
import minitorch_bn.nn.functional as F
from minitorch_bn import nn

RECORDED = Path(__file__).with_suffix(".json")
TRAINING, EPOCHS = 512, 8
RATE = 0.05 / 32  # learning rate per image of a step: every image moves the weights as far at every batch size
SEEDS = range(3)
NORMS = {
    "BN": nn.BatchNorm1d,
    "GN": lambda channels: nn.GroupNorm(4, channels),
    "LN": nn.LayerNorm,
    "SyncBN": nn.SyncBatchNorm,
}
PLAN = [{"norm": "SyncBN", "images": n, "seed": 0} for n in (1, 2, 4, 16, 64)]
PLAN += [{"norm": "BN", "images": n, "seed": seed} for n, seed in ((2, 0), (2, 1), (8, 0))]
PLAN += [{"norm": "SyncBN", "images": 4, "seed": 0, "epochs": 2, "double": True}]  # to compare digit for digit


def data():
    """512 digits to train on, 1,285 to test with: pixels from 0 to 1, (N, 64), and labels."""
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    x, y = x[order].astype(np.float32) / 16, y[order]
    return x[:TRAINING], y[:TRAINING], x[TRAINING:], y[TRAINING:]


def network(norm):
    """64-64-64-10, a normalisation after each hidden layer."""
    layers = []
    for _ in range(2):
        layers += [nn.Linear(64, 64, bias=False), NORMS[norm](64), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(64, 10))


def train(norm, images, seed, epochs=EPOCHS, double=False):
    """Train with `images` per machine and step; the share of wrong answers on the test digits, and the last bias.

    The ranks draw the same weights and the same order of images, and take turns in dealing out the images of a step.
    """
    x, y, x_test, y_test = (mt.tensor(array) for array in data())
    rank, ranks = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    mt.manual_seed(seed)
    dtype = mt.float64 if double else mt.float32
    net = network(norm).to(dtype)
    model = nn.parallel.DistributedDataParallel(net, broadcast_buffers=False) if ranks > 1 else net
    per_step = images * ranks
    optimizer = mt.optim.SGD(net.parameters(), lr=RATE * per_step)
    for _ in range(epochs):
        order = mt.randperm(len(y)).numpy()
        for start in range(0, len(y), per_step):
            own = order[start : start + per_step][rank::ranks]
            loss = F.cross_entropy(model(x[own].to(dtype)), y[own])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    net.eval()
    with mt.no_grad():
        wrong = (net(x_test.to(dtype)).argmax(1) != y_test).sum().item()
    return wrong / len(y_test), net[-1].bias.tolist()


def main(words):
    dist.init_process_group("mpi")
    processes = [None] * dist.get_world_size()
    dist.all_gather_object(processes, os.getpid())
    runs = json.loads(words[0]) if words and words[0] != "--record" else PLAN
    results = []
    for run in tqdm(runs, "runs on all ranks", disable=None if dist.get_rank() == 0 else True):
        error, bias = train(**run)
        results.append({**run, "error": error, **({"bias": bias} if run.get("double") else {})})
    if dist.get_rank() == 0:
        text = json.dumps({"processes": len(set(processes)), "runs": results})
        print(text)
        if words == ["--record"]:
            RECORDED.write_text(text.replace(', {"norm"', ',\n{"norm"') + "\n", encoding="utf-8")
    dist.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1:])
