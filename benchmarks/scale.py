"""What ranks cost: exchanges by themselves on 1, 2 and 4 ranks, and training steps with and without their exchanges.

    python benchmarks/scale.py --json docs/scale.json [--runs 3] [--rounds 8]

Started without mpiexec, as above, it starts itself on 1, 2 and 4 ranks in turn, several times, and collects what they
measured. `python docs/make_scale.py` fits a model to the file and writes docs/scale.md.

Ranks that share a core slow one another down even if they never talk. To tell that from communication, everything is
measured twice, in alternation: with MPI among all ranks, and with a group in which every rank talks to itself alone
(`Silent`: the same calls, the same copies, no message). All ranks run at the same time in both; the difference is
communication, and the wait for the slowest rank with it.

Exchanges are measured bare, one after the other, and each after a piece of work, as in a training step.
"""

import argparse
import functools
import json
import os
import platform
import statistics
import subprocess
import sys
import sysconfig
import time
from datetime import date
from pathlib import Path

import numpy as np
from tqdm import tqdm

import minitorch_bn as mt
import minitorch_bn.distributed as dist
from minitorch_bn import nn, world
from minitorch_bn.distributed.mpi import MpiGroup

ROOT = Path(__file__).resolve().parents[1]
RANKS = (1, 2, 4)
BYTES = (8, 64, 512, 2048, 8192, 32768, 131072, 524288, 2097152)  # what one rank puts in
NETS = ((1, 64), (4, 64), (16, 64), (4, 512))  # (layers, width): few and many messages, few and many bytes
WORK = 8  # products of (32, 64) and (64, 64), with ReLU: about what a step computes from one exchange to the next
PATIENCE = 3  # seconds that a measurement waits for a moment in which nothing else runs here
BATCH = 32  # rows per rank
PARTS = (1, 4, 16, 64, 256, 1024)  # how many ranks' statistics one rank combines
CHANNELS = 256


class Silent(MpiGroup):
    """A group of `size` ranks that sends nothing: each rank exchanges with itself, and gets its own array as all parts.

    What is left of a training step is its computation, with all that the exchanges cost in calls and copies.
    """

    def __init__(self, size):
        super().__init__()
        self.comm.Free()
        self.rank, self.size, self.comm = 0, size, self.MPI.COMM_SELF.Dup()

    def all_gather(self, array):
        size, self.size = self.size, 1  # what the communicator holds
        own = super().all_gather(array)
        self.size = size
        return own + [own[0].copy() for _ in range(size - 1)]

    def another(self):
        return self


def network(layers, width):
    """`layers` times Linear, BatchNorm1d and ReLU on 64 inputs, then 10 outputs."""
    mt.manual_seed(0)
    parts = []
    for i in range(layers):
        parts += [nn.Linear(width if i else 64, width, bias=False), nn.BatchNorm1d(width), nn.ReLU()]
    return nn.Sequential(*parts, nn.Linear(width, 10))


def make_step(group, layers, width, sync):
    """A function that runs one training step among the ranks of `group`."""
    world.enter(group)
    net = network(layers, width)
    if sync:
        net = nn.SyncBatchNorm.convert_sync_batchnorm(net)
    net = nn.parallel.DistributedDataParallel(net, broadcast_buffers=False)
    optimizer = mt.optim.SGD(net.parameters(), lr=1e-3)
    x, y = mt.randn(BATCH, 64), mt.randint(0, 10, (BATCH,))

    def step():
        loss = nn.functional.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def seconds(group, function, count):
    """Seconds per call of `function`, the mean of `count`, from the moment that all ranks are here."""
    group.barrier()
    start = time.perf_counter()
    for _ in range(count):
        function()
    return (time.perf_counter() - start) / count


def busy(pause):
    """The share of all cores that was busy during so many seconds of sleep; 0 where no /proc/stat can tell."""
    if not os.path.exists("/proc/stat"):
        return 0.0
    seen = []
    for seconds_of_sleep in (pause, 0):
        with open("/proc/stat", encoding="ascii") as file:
            seen.append([int(n) for n in file.readline().split()[1:]])
        time.sleep(seconds_of_sleep)
    spent = [after - before for before, after in zip(*seen, strict=True)]
    return 1 - (spent[3] + spent[4]) / max(sum(spent), 1)  # idle, and waiting for a disk


def wait_for_quiet(group):
    """Sleep, all ranks together, until the cores were idle for a tenth of a second; at most PATIENCE seconds."""
    for _ in range(10 * PATIENCE):
        if group.all_reduce(np.array([busy(0.1)]), "max")[0] < 0.2:
            return


def in_turns(group, functions, rounds, count):
    """For each function the list of seconds per call, `rounds` long; the functions take turns, the first round is lost.

    functions : list of (group to be in, function)
    """
    wait_for_quiet(group)
    times = [[] for _ in functions]
    for i in range(rounds + 1):
        for own, (inside, function) in zip(times, functions, strict=True):
            world.enter(inside)
            taken = seconds(group, function, count)
            own += [taken] if i else []
    world.enter(group)
    return times


def exchange_of(group, kind, n, work):
    """A function: the work, then an exchange to which every rank gives n bytes."""
    array, exchange = np.ones(n // 4, np.float32), getattr(group, kind)
    a, b = np.ones((32, 64), np.float32), np.eye(64, dtype=np.float32)

    def run():
        y = a
        for _ in range(work):
            y = np.maximum(y @ b, 0)
        exchange(array)

    return run


def time_exchanges(group, silent, rounds):
    """Rows (kind, bytes, work, silent, real): the two lists of seconds, for bare exchanges and for those after work."""
    rows = []
    for kind in ("all_reduce", "all_gather"):
        for n in BYTES:
            for work in (0, WORK):
                functions = [(who, exchange_of(who, kind, n, work)) for who in (silent, group)]
                times = in_turns(group, functions, rounds, 20 if n < 100_000 else 4)
                rows.append({"kind": kind, "bytes": n, "work": work, "silent": times[0], "real": times[1]})
    return rows


def time_steps(group, silent, rounds):
    """Rows (layers, width, sync, silent, real): the two lists of seconds per training step."""
    rows = []
    for layers, width in NETS:
        for sync in (False, True):
            functions = [(who, make_step(who, layers, width, sync)) for who in (silent, group)]
            times = in_turns(group, functions, rounds, 5)
            rows.append({"layers": layers, "width": width, "sync": sync, "silent": times[0], "real": times[1]})
    return rows


def time_combining(group, rounds):
    """Rows (parts, seconds): one SyncBatchNorm forward of (32, 256) that combines the statistics of so many ranks."""
    x = mt.randn(BATCH, CHANNELS)
    functions = [(Silent(parts), nn.SyncBatchNorm(CHANNELS)) for parts in PARTS]
    times = in_turns(group, [(who, functools.partial(layer, x)) for who, layer in functions], rounds, 3)
    return [{"parts": parts, "seconds": own} for parts, own in zip(PARTS, times, strict=True)]


def measure_here(rounds):
    """What one rank does: measure with the others; rank 0 prints what it saw."""
    dist.init_process_group("mpi")
    group = world.current()
    silent = Silent(group.size)
    found = {"exchanges": time_exchanges(group, silent, rounds), "steps": time_steps(group, silent, rounds)}
    found["combining"] = time_combining(group, rounds) if group.size == 1 else []
    if group.rank == 0:
        print(json.dumps(found))
    dist.destroy_process_group()


def launch(ranks, rounds):
    """Start this script on `ranks` ranks; what rank 0 printed."""
    mpiexec = Path(sysconfig.get_path("scripts")) / "mpiexec"
    command = [str(mpiexec if mpiexec.exists() else "mpiexec"), "-n", str(ranks), sys.executable, "-m", "mpi4py"]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    words = [*command, __file__, "--rank", "--rounds", str(rounds)]
    done = subprocess.run(words, check=True, env=environment, stdout=subprocess.PIPE, text=True, timeout=600)
    return json.loads(done.stdout)


def lowest(values):
    """The smallest, the lower quartile and the median, to four digits. What else runs here can only add to a time."""
    quartile, median, _ = statistics.quantiles(values, n=4, method="inclusive")
    return [float(f"{v:.4g}") for v in (min(values), quartile, median)]


def summary(runs):
    """Rows of all runs, one per thing measured: the lists of seconds joined, and made three numbers."""
    joined = {}
    for ranks, found in runs:
        for table, rows in found.items():
            for row in rows:
                what = {"ranks": ranks, **{k: v for k, v in row.items() if not isinstance(v, list)}}
                own = joined.setdefault((table, *what.values()), (table, what, {}))
                for key in set(row) - set(what):
                    own[2].setdefault(key, []).extend(row[key])
    result = {table: [] for _, found in runs for table in found}
    for table, what, lists in joined.values():
        result[table].append({**what, **{key: lowest(lists[key]) for key in sorted(lists)}})
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write what was measured here (default: print it)")
    parser.add_argument("--rounds", type=int, default=8, help="how often everything is timed in one run")
    parser.add_argument("--runs", type=int, default=3, help="how often the ranks are started, 1, 2, 4 in turn")
    parser.add_argument("--rank", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.rank:
        measure_here(arguments.rounds)
        return
    head = {"date": date.today().isoformat(), "python": platform.python_version(), "numpy": np.__version__}
    head |= {"cores": len(os.sched_getaffinity(0)), "batch": BATCH, "channels": CHANNELS}
    runs = []
    for ranks in tqdm([*RANKS] * arguments.runs, "1, 2 and 4 ranks", unit=" runs"):
        runs.append((ranks, launch(ranks, arguments.rounds)))
        if arguments.json is not None:
            arguments.json.write_text(as_text(head, summary(runs)), encoding="utf-8")
    if arguments.json is None:
        print(as_text(head, summary(runs)))


def as_text(head, tables):
    """JSON with one measurement per line."""
    lines = [f'"{key}": {json.dumps(value)}' for key, value in head.items()]
    for table, rows in tables.items():
        lines.append(f'"{table}": [\n  ' + ",\n  ".join(json.dumps(row) for row in rows) + "\n ]")
    return "{\n " + ",\n ".join(lines) + "\n}\n"


if __name__ == "__main__":
    main()
