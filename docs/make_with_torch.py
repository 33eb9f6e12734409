"""10,000 steps of the names network against PyTorch, in lockstep; writes docs/with_torch_names.md.

    python docs/make_with_torch.py [--steps 10000]

The network is the package's own (minitorch_bn/experiments/names.py), PyTorch's is written apart from it, from its
description (tests/parity/reference.py). Both start from the weights that seed 42
makes, each library's own, and are given the same batches.
"""

import argparse
import datetime
import platform
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
TOLERANCE = {"float64": 1e-12, "float32": 2e-5}  # nats
SEED = 42


def compare(dtype, steps, progress=None):
    """The report of `steps` steps in lockstep, batches of 32, the rate 0.1 in the first half, then 0.01."""
    import torch

    import minitorch_bn as mt
    from minitorch_bn.compare import with_torch
    from minitorch_bn.experiments import names

    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    from tests.parity import reference

    torch.set_num_threads(1)
    data = names.load_data(names.Settings())
    mt.manual_seed(SEED)
    net = names.Net(len(data.vocabulary), True).to(getattr(mt, dtype))
    torch_net = reference.names_net(SEED, True, getattr(torch, dtype))
    optimizers = mt.optim.SGD(net.parameters(), lr=0.1), torch.optim.SGD(torch_net.parameters(), lr=0.1)
    x, y = data.train

    def batch(step):
        if step == steps // 2:
            for optimizer in optimizers:
                optimizer.param_groups[0]["lr"] = 0.01
        ix = mt.randint(0, x.shape[0], (32,))
        return x[ix], y[ix]

    return with_torch(
        net, torch_net, batch, steps, "cross_entropy", optimizers,
        watch="loss", tolerance={"loss": TOLERANCE[dtype]}, progress=progress,
    )  # fmt: skip


def losses_table(report, every):
    """Both losses at every so many steps, as lines of a Markdown table."""
    ours, theirs = report.losses
    rows = ["| step | this package | PyTorch | difference |", "| ---: | ---: | ---: | ---: |"]
    for i in [*range(0, len(ours), every), len(ours) - 1]:
        rows.append(f"| {i + 1:,} | {ours[i]:.12f} | {theirs[i]:.12f} | {ours[i] - theirs[i]:+.1e} |")
    return rows


def page(reports, steps):
    """The text of the page."""
    import torch

    lines = [
        f"# {steps:,} steps of the names network in lockstep with PyTorch",
        "",
        "Made by `python docs/make_with_torch.py`, which runs `minitorch_bn.compare.with_torch` with the network of "
        "[names.py](../minitorch_bn/experiments/names.py) and PyTorch's of "
        "[reference.py](../tests/parity/reference.py); nothing here is typed by hand. "
        f"Seed {SEED}, batches of 32, SGD with the rate 0.1, from the middle on 0.01.",
        "",
        f"{datetime.datetime.now(datetime.timezone.utc).date().isoformat()}, Python {platform.python_version()}, "
        f"NumPy {np.__version__}, torch {torch.__version__}, one thread.",
    ]
    for dtype, report in reports.items():
        ours, theirs = (np.array(losses) for losses in report.losses)
        apart = np.abs(ours - theirs)
        lines += [
            "",
            f"## {dtype}",
            "",
            f"The losses differ by at most {apart.max():.1e} nats, at step {apart.argmax() + 1:,}; allowed are "
            f"{TOLERANCE[dtype]:g}. They are equal to the last bit in {(apart == 0).sum():,} of {steps:,} steps. "
            f"A change of one ulp moves PyTorch's own loss by up to {report.row('loss').moved:.1e}.",
            "",
            *losses_table(report, max(1, steps // 10)),
            "",
            "```text",
            repr(report),
            "```",
        ]
    return "\n".join(lines) + "\n"


def main():
    """Do what the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=10_000)
    steps = parser.parse_args().steps
    reports = {dtype: compare(dtype, steps) for dtype in TOLERANCE}
    path = Path(__file__).with_name("with_torch_names.md")
    path.write_text(page(reports, steps), encoding="utf-8")
    print(path.name, *(f"{dtype}: {report.ok}" for dtype, report in reports.items()))


if __name__ == "__main__":
    main()
