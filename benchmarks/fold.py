"""Inference before and after folding: how much time BatchNorm costs in eval mode, and that folding gives it back.

Every network is timed as it was trained (eval mode, no_grad) and with its BatchNorms folded into the layers before
them. The two take turns, in one process with one thread, and the ratio is taken round by round: time before divided by
time after, above 1 is faster folded. What is timed is the processor time of this process.

    python benchmarks/fold.py [--rounds 15] [--seconds 0.2] [--json FILE]
"""

import argparse
import json
import statistics
import time
from pathlib import Path

from threadpoolctl import threadpool_limits
from tqdm import tqdm

import minitorch_bn as mt
from minitorch_bn import nn

utils = nn.utils


def conv_net():
    """Three times convolution, BatchNorm, ReLU on 3x32x32; a linear layer."""
    return nn.Sequential(
        *(nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.AdaptiveAvgPool2d(1)),
        *(nn.Flatten(), nn.Linear(64, 10)),
    )


def names_net():
    """The name MLP: context 3, embedding 10, hidden 200 with BatchNorm and tanh, 46 symbols."""
    return nn.Sequential(
        *(nn.Embedding(46, 10), nn.Flatten(), nn.Linear(30, 200, bias=False), nn.BatchNorm1d(200), nn.Tanh()),
        nn.Linear(200, 46),
    )


def images(batch):
    return mt.randn(batch, 3, 32, 32)


def contexts(batch):
    return mt.randint(0, 46, (batch, 3))


NETS = {"conv": (conv_net, images, (1, 32)), "names": (names_net, contexts, (1, 32, 1000))}


def folded(net):
    """A new Sequential in which every Conv2d or Linear that a BatchNorm follows has taken it in."""
    layers = []
    for layer in net:
        if layers and isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            fuse = utils.fuse_conv_bn_eval if isinstance(layers[-1], nn.Conv2d) else utils.fuse_linear_bn_eval
            layers[-1] = fuse(layers[-1], layer)
        else:
            layers.append(layer)
    return nn.Sequential(*layers).eval()


def seconds(net, x, calls):
    """Processor time of one call, the mean of `calls`."""
    start = time.process_time()
    for _ in range(calls):
        net(x)
    return (time.process_time() - start) / calls


@mt.no_grad()
def measure(make, inputs, batch, rounds, length):
    """{what: list, one entry per round}: seconds before and after, and their ratio; and the largest difference."""
    mt.manual_seed(0)
    net, x = make(), inputs(batch)
    for _ in range(20):
        net(inputs(32))  # running statistics of its own
    after = folded(net.eval())
    y, y_folded = net(x), after(x)
    calls = max(1, round(length / seconds(net, x, 3)))
    found = {"before": [], "after": [], "ratio": []}
    for i in range(rounds):
        order = (("before", net), ("after", after)) if i % 2 else (("after", after), ("before", net))
        for what, which in order:
            found[what].append(seconds(which, x, calls))
        found["ratio"].append(found["before"][-1] / found["after"][-1])
    found["difference"] = ((y - y_folded).abs().max() / (y.max() - y.min())).item()
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.2, help="of each measurement, two in a round")
    parser.add_argument("--json", type=Path, help="write the measurements here")
    arguments = parser.parse_args()
    cases = [(name, batch) for name, (_, _, batches) in NETS.items() for batch in batches]
    found = {}
    for name, batch in tqdm(cases, unit="case", disable=None, leave=False):
        make, inputs, _ = NETS[name]
        with threadpool_limits(1):
            found[f"{name}, batch {batch}"] = measure(make, inputs, batch, arguments.rounds, arguments.seconds)
    print("time before folding / after, above 1 is faster folded; us per call; difference relative to the range")
    for name, m in found.items():
        before, after = (1e6 * statistics.median(m[what]) for what in ("before", "after"))
        print(
            f"{name:18}  median {statistics.median(m['ratio']):.2f}   min {min(m['ratio']):.2f}   "
            f"max {max(m['ratio']):.2f}   {before:8.1f} -> {after:8.1f} us   difference {m['difference']:.1e}"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
