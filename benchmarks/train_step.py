"""One training step against PyTorch eager: names and circles, nn.Module style, one thread each.

The same code runs under both libraries. Each library runs in a process of its own; the processes take turns, so that
both see the same machine, and the ratio is taken round by round: PyTorch's time divided by ours, above 1 is faster than
PyTorch.

    python benchmarks/train_step.py [--rounds 9] [--steps 300] [--json FILE]
"""

import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# These bind one library to the kernels of another processor and leave the other free: both choose for themselves.
PINS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "MKL_ENABLE_INSTRUCTIONS", "ATEN_CPU_CAPABILITY")


def names_step(torch, batch=32):
    """The name MLP: context 3, embedding 10, hidden 200 with BatchNorm and tanh, 46 symbols."""
    nn, F = torch.nn, torch.nn.functional

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(46, 10)
            self.hidden = nn.Linear(30, 200, bias=False)
            self.bn = nn.BatchNorm1d(200)
            self.out = nn.Linear(200, 46)

        def forward(self, x):
            e = self.embedding(x)
            return self.out(torch.tanh(self.bn(self.hidden(e.view(e.shape[0], -1)))))

    torch.manual_seed(0)
    net = Net()
    X, Y = torch.randint(0, 46, (180_000, 3)), torch.randint(0, 46, (180_000,))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

    def step():
        rows = torch.randint(0, X.shape[0], (batch,))
        loss = F.cross_entropy(net(X[rows]), Y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def circles_step(torch, batch=1400):
    """The circles net: 2-64-32-2 with BatchNorm and ReLU, full batch."""
    nn, F = torch.nn, torch.nn.functional
    torch.manual_seed(0)
    net = nn.Sequential(
        *(nn.Linear(2, 64), nn.BatchNorm1d(64), nn.ReLU()),
        *(nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU()),
        nn.Linear(32, 2),
    )
    x, y = torch.randn(batch, 2), torch.randint(0, 2, (batch,))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

    def step():
        loss = F.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


STEPS = {"names": names_step, "circles": circles_step}


def serve(library):
    """Time steps on request: a line "<experiment> <n>" on stdin gives the seconds for n steps on stdout."""
    torch = importlib.import_module(library)
    if library == "torch":
        torch.set_num_threads(1)
    steps = {name: make(torch) for name, make in STEPS.items()}
    for step in steps.values():
        for _ in range(50):
            step()
    print("ready", flush=True)
    for line in sys.stdin:
        name, n = line.split()
        step = steps[name]
        start = time.perf_counter()
        for _ in range(int(n)):
            step()
        print(time.perf_counter() - start, flush=True)


def start(library):
    """A process that serves `library`, with one thread for matrix products and its own choice of kernels."""
    environment = {name: value for name, value in os.environ.items() if name not in PINS}
    environment |= dict.fromkeys(THREADS, "1")
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), environment.get("PYTHONPATH", "")])
    command = [sys.executable, __file__, "--serve", library]
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if process.stdout.readline().strip() != "ready":
        raise RuntimeError(f"{library} did not start; is it installed?")
    return process


def measure(rounds, count):
    """{experiment: list of ratios}, one ratio per round."""
    processes = {library: start(library) for library in ("torch", "minitorch_bn")}
    ratios = {name: [] for name in STEPS}
    for i in range(rounds):
        for name in STEPS:
            seconds = {}
            for library in sorted(processes, reverse=i % 2 == 0):
                processes[library].stdin.write(f"{name} {count}\n")
                processes[library].stdin.flush()
                seconds[library] = float(processes[library].stdout.readline())
            ratios[name].append(seconds["torch"] / seconds["minitorch_bn"])
    for process in processes.values():
        process.stdin.close()
        process.wait()
    return ratios


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=300, help="steps per round")
    parser.add_argument("--json", type=Path, help="write the ratios here")
    parser.add_argument("--serve", choices=["torch", "minitorch_bn"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve)
        return
    ratios = measure(arguments.rounds, arguments.steps)
    print("PyTorch's time / ours, 1 thread each; above 1 is faster than PyTorch eager")
    for name, values in ratios.items():
        print(f"{name:8}  median {statistics.median(values):.2f}   min {min(values):.2f}   max {max(values):.2f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(ratios, indent=1) + "\n")


if __name__ == "__main__":
    main()
