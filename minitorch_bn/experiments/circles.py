"""Circles: two rings of points, a small network with and without BatchNorm, many seeds, nine learning rates.

    1,400 points to train on, 600 to test  ->  Linear(2, 64) [BatchNorm1d] ReLU  Linear(64, 32) [BatchNorm1d] ReLU
    Linear(32, 2)  ->  cross-entropy, all points in one batch, SGD with a fixed rate, 500 epochs

One seed proves nothing, and one learning rate proves little: so the same two networks are trained from ten seeds at
nine rates (sweep.py), and the verdict is computed from those numbers.

In a notebook:

    from minitorch_bn.experiments import circles
    result = circles.run(seed=0, batch_norm=True)
    result.losses, result.accuracies, result.net
"""

import copy
import time
from collections import namedtuple
from dataclasses import asdict, dataclass

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

import minitorch_bn as mt
import minitorch_bn.nn.functional as F

from . import results, sweep
from .jobs import run_jobs

RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)

Data = namedtuple("Data", ["x_train", "y_train", "x_test", "y_test"])
Run = namedtuple("Run", ["net", "losses", "accuracies"])


@dataclass(frozen=True)
class Settings:
    """What a circles experiment is run with; the command line's options have the same names and defaults."""

    seed: int = 0
    seeds: int = 10
    epochs: int = 500
    lr: float = 0.1
    rates: tuple = RATES
    dtype: str = "float32"

    def check(self):
        """Raise BadInput for the first setting that cannot be used; return self."""
        results.check_seed(self.seed)
        results.check("seeds", self.seeds, smallest=1)
        results.check("epochs", self.epochs, smallest=1)
        results.check("lr", self.lr, above=0)
        for rate in self.rates:
            results.check("rates", rate, above=0)
        results.check_dtype(self.dtype)
        return self


def load_data(dtype=mt.float32):
    """The circles: scikit-learn's make_circles, 30 % of it set aside for testing. The same points every time.

    Parameters
    ----------
    dtype : dtype
        Of the coordinates: mt.float32 or mt.float64.

    Returns
    -------
    Data : (x_train, y_train, x_test, y_test)
        Coordinates of shape (1400, 2) and (600, 2), without unit; classes of shape (1400,) and (600,), int64: 0 is the
        outer ring (radius 1), 1 the inner one (radius 0.4). Both have Gaussian noise of standard deviation 0.1.
    """
    from sklearn.datasets import make_circles
    from sklearn.model_selection import train_test_split

    x, y = make_circles(n_samples=2000, noise=0.1, factor=0.4, random_state=42)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, random_state=42)
    x_train, x_test = (mt.tensor(a, dtype=dtype) for a in (x_train, x_test))
    y_train, y_test = (mt.tensor(a, dtype=mt.int64) for a in (y_train, y_test))
    return Data(x_train, y_train, x_test, y_test)


class Net(mt.nn.Module):
    """2 - 64 - 32 - 2 with ReLU, and BatchNorm before each ReLU or nothing there.

    Parameters
    ----------
    batch_norm : bool
        With BatchNorm after each hidden Linear. The layers draw the same random numbers either way.
    """

    lint_accepts = {"dead-bias": "the biases before BatchNorm stay, so that both networks draw the same numbers"}

    def __init__(self, batch_norm):
        super().__init__()
        self.fc1 = mt.nn.Linear(2, 64)
        self.bn1 = mt.nn.BatchNorm1d(64) if batch_norm else mt.nn.Identity()
        self.fc2 = mt.nn.Linear(64, 32)
        self.bn2 = mt.nn.BatchNorm1d(32) if batch_norm else mt.nn.Identity()
        self.fc3 = mt.nn.Linear(32, 2)

    def forward(self, x):
        x = F.relu(self.bn1(self.fc1(x)))
        x = F.relu(self.bn2(self.fc2(x)))
        return self.fc3(x)


def train(net, data, lr=0.1, epochs=500, progress=False, probe=None):
    """Train `net` on all training points at once, `epochs` times; test it after each.

    Parameters
    ----------
    net : Module
    data : Data
    lr : float
        Learning rate of SGD.
    epochs : int
    progress : bool
        Whether to show a progress bar, on standard error.
    probe : function, optional
        Called as probe(net) after every epoch; what it returns is not used.

    Returns
    -------
    losses : list of float, length `epochs`
        Training loss in nats, in train mode, before the epoch's step.
    accuracies : list of float, length `epochs`
        Share of test points that are classified right, in eval mode, after the epoch's step.
    """
    optimizer = mt.optim.SGD(net.parameters(), lr=lr)
    losses, accuracies = [], []
    for _ in tqdm(range(epochs), unit="epoch") if progress else range(epochs):
        net.train()
        loss = F.cross_entropy(net(data.x_train), data.y_train)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

        net.eval()
        with mt.no_grad():
            predicted = net(data.x_test).argmax(1)
        accuracies.append((predicted == data.y_test).sum().item() / len(data.y_test))
        if probe:
            probe(net)
    net.train()
    return losses, accuracies


def run(seed=0, batch_norm=True, lr=0.1, epochs=500, dtype="float32", data=None, progress=False, probe=None):
    """Make a network from `seed` and train it.

    Returns
    -------
    Run : (net, losses, accuracies)
        The trained network in train mode, and what `train` returned.
    """
    dtype = getattr(mt, dtype)
    data = load_data(dtype) if data is None else data
    with threadpool_limits(1):
        mt.manual_seed(seed)
        net = Net(batch_norm).to(dtype)
        return Run(net, *train(net, data, lr, epochs, progress, probe))


def accuracy_in_train_mode(net, data):
    """Share of test points that `net` gets right when BatchNorm uses these points' own mean and variance.

    A copy of the network is asked, so that its running statistics stay as they are.
    """
    with mt.no_grad():
        predicted = copy.deepcopy(net).train()(data.x_test).argmax(1)
    return (predicted == data.y_test).sum().item() / len(data.y_test)


def probabilities(net, x):
    """P(class 1) that `net` gives to points `x`, an array of shape (N, 2), in eval mode: an array of shape (N,)."""
    was_training, dtype = net.training, next(net.parameters()).dtype
    net.eval()
    with mt.no_grad():
        p = F.softmax(net(mt.tensor(x, dtype=dtype)), 1)[:, 1]
    net.train(was_training)
    return p.numpy()


def jobs_of(settings):
    """(batch_norm, lr, seed) of every run: all rates of the sweep, and the rate of the curves if it is another."""
    rates = sorted({*settings.rates, settings.lr})
    seeds = range(settings.seed, settings.seed + settings.seeds)
    return [(bn, lr, seed) for lr in rates for seed in seeds for bn in (True, False)]


def run_all(settings, processes=None, progress=False):
    """Train every network of the sweep: {(batch_norm, lr, seed): (losses, accuracies)}, in the order of `jobs_of`."""
    keys = jobs_of(settings)
    work = [(*key, settings.epochs, settings.dtype) for key in keys]
    curves = run_jobs(
        _run_one, work, total=len(work), unit="run", label="circles", processes=processes, progress=progress
    )
    return dict(zip(keys, curves, strict=True))


def _run_one(job, tick):
    """Train one network; a loss that overflows is a result here (`sweep.diverged`), not a mistake."""
    batch_norm, lr, seed, epochs, dtype = job
    with np.errstate(over="ignore", invalid="ignore"):
        finished = run(seed, batch_norm, lr, epochs, dtype)
    tick(1)
    return finished.losses, finished.accuracies


def experiment(settings, processes=None, progress=False):
    """Train both networks at every rate from every seed.

    Parameters
    ----------
    settings : Settings
    processes : int, optional
        All cores if left out.
    progress : bool

    Returns
    -------
    results : dict
        Everything, as it goes into circles.json: settings, verdict, per network and rate the numbers of every seed.
    curves : dict
        (batch_norm, lr, seed) -> (losses, accuracies), lists of length epochs.
    """
    settings.check()
    began = time.perf_counter()
    curves = run_all(settings, processes, progress)
    rows = sweep.summary(curves)
    content = {
        "experiment": "circles",
        "settings": asdict(settings),
        "seeds": list(range(settings.seed, settings.seed + settings.seeds)),
        "verdict": sweep.verdict(rows, settings.lr, settings.epochs),
        "rates": rows,
        "curves": [
            {"batch_norm": bn, "lr": lr, "seed": seed, "loss": results.thinned(loss), "accuracy": results.thinned(acc)}
            for (bn, lr, seed), (loss, acc) in curves.items()
            if lr == settings.lr
        ],
        "seconds": round(time.perf_counter() - began, 1),
        "versions": results.versions(),
    }
    return results.plain(content), curves


# ---- the command -----------------------------------------------------------------------------------------------------


def add_arguments(parser):
    """The options of `python -m minitorch_bn circles`."""
    default = Settings()
    parser.add_argument("--epochs", type=int, default=default.epochs, help="epochs of every run (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=default.seed, help="the first seed (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=default.seeds, help="how many seeds (default: %(default)s)")
    parser.add_argument("--lr", type=float, default=default.lr, help="rate of the curves (default: %(default)s)")
    parser.add_argument(
        "--rates", type=float, nargs="*", default=default.rates, metavar="LR", help="rates of the sweep (default: nine)"
    )
    parser.add_argument("--processes", type=int, help="runs at once (default: one a core)")
    parser.add_argument("--dtype", default=default.dtype, help="float32 or float64 (default: %(default)s)")


def prepare(options):
    """Settings from the command line's options, checked."""
    if options.processes is not None:
        results.check("processes", options.processes, smallest=1)
    names = Settings.__dataclass_fields__
    return Settings(**{name: getattr(options, name) for name in names} | {"rates": tuple(options.rates)}).check()


def execute(options, settings, folder):
    """Run the experiment, print its table, write its files.

    Returns
    -------
    results : dict
    files : list of Path
    """
    count = len(jobs_of(settings))
    print(f"circles: {count} runs of {settings.epochs} epochs, with and without BatchNorm", flush=True)
    content, curves = experiment(settings, options.processes, options.progress)
    print(f"\n{sweep.text_table(content['rates'])}\n")
    print("\n".join(content["verdict"]))
    files = [results.write_json(folder / "circles.json", content)]
    if options.figures:
        from . import circles_figures

        with np.errstate(over="ignore", invalid="ignore"):
            files += circles_figures.draw_all(folder, settings, content, curves)
    return content, files


def combined_rows(content):
    """The rows of circles in the table of `all`: (what, with BatchNorm, without)."""
    row = {r["batch_norm"]: r for r in content["rates"] if r["lr"] == content["settings"]["lr"]}
    lr, epochs = content["settings"]["lr"], content["settings"]["epochs"]
    first, last = sweep.show_epochs, sweep.show_accuracy
    good = {bn: [sweep.mostly(r) for r in content["rates"] if r["batch_norm"] is bn] for bn in (True, False)}
    return [
        [f"circles, lr {lr:g}: epochs to 95 % (median)", *(first(row[bn]["epochs_to_95"]) for bn in (True, False))],
        [f"circles, lr {lr:g}: test accuracy after {epochs}", *(last(row[bn]["accuracy"]) for bn in (True, False))],
        [
            "circles: rates that reach 95 % (most seeds)",
            *(f"{sum(good[bn])} of {len(good[bn])}" for bn in (True, False)),
        ],
    ]
