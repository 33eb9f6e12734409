"""Digits: scans of handwriting, a small residual network with BatchNorm, GroupNorm, or no normalisation.

    1,797 images of 8x8 pixels  ->  Net of digits_net.py: 24,506 numbers to learn  ->  cross-entropy, batches of 32
    SGD with momentum, one cycle of the rate, weight decay for all but gamma, beta and biases, shifts by one pixel

360 images are the test set. Nothing was chosen by them: the settings were picked, and the learning rate of each network
is picked in every run, on 360 others, which are taken out of the training set for that (a sweep of short runs). Then
each network is trained on the whole training set, from several seeds, and tested.

In a notebook:

    from minitorch_bn.experiments import digits
    result = digits.run(digits.Settings(epochs=5), norm="batch", lr=0.03, seed=0)
    result.losses, result.accuracies, result.predicted, result.net
"""

import time
from collections import namedtuple
from dataclasses import asdict, dataclass

import numpy as np
from threadpoolctl import threadpool_limits

import minitorch_bn as mt
import minitorch_bn.nn.functional as F
from minitorch_bn.utils.data import DataLoader, TensorDataset

from . import checkpoints, digits_results, ranks, results
from .digits_net import NORMS, Net, shifted
from .jobs import run_jobs

RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
HELD_OUT = 360  # images that a network is judged by: a fifth of all
LARGEST_BATCH = 100  # leaves ten steps in an epoch, for the rate to rise and fall

Data = namedtuple("Data", ["x_train", "y_train", "x_test", "y_test"])
Run = namedtuple("Run", ["net", "losses", "accuracies", "predicted"])


@dataclass(frozen=True)
class Settings:
    """What a digits experiment is run with; the command line's options have the same names and defaults.

    `lr` is the rate of the long runs; None: for each network the one that did best in the sweep.
    """

    epochs: int = 15
    seed: int = 0
    seeds: int = 3
    batch: int = 32
    lr: float | None = None
    rates: tuple = RATES
    sweep_epochs: int = 4
    weight_decay: float = 5e-4
    dropout: float = 0.3
    dtype: str = "float32"

    def check(self):
        """Raise BadInput for the first setting that cannot be used; return self."""
        results.check_seed(self.seed)
        for name in ("epochs", "seeds", "sweep_epochs"):
            results.check(name.replace("_", "-"), getattr(self, name), smallest=1)
        results.check("batch", self.batch, smallest=1, largest=LARGEST_BATCH)
        if self.lr is not None:
            results.check("lr", self.lr, above=0)
        elif not self.rates:
            raise results.BadInput("--rates is empty, so no rate can be picked: give one with --lr, or rates to try")
        for rate in self.rates:
            results.check("rates", rate, above=0)
        results.check("weight-decay", self.weight_decay, smallest=0)
        results.check("dropout", self.dropout, smallest=0, largest=0.95)
        results.check_dtype(self.dtype)
        return self


def load_data(held_out="test", dtype=mt.float32):
    """scikit-learn's digits in two parts, every digit in both in the same share. The same parts every time.

    Parameters
    ----------
    held_out : {"test", "validation"}
        "test": 360 images of all are held out. "validation": 360 of the remaining 1,437 are; the test images are then
        in no part.
    dtype : dtype
        Of the pixels: mt.float32 or mt.float64.

    Returns
    -------
    Data : (x_train, y_train, x_test, y_test)
        Pixels of shape (N, 1, 8, 8), from -1 (background) to 1 (ink); digits of shape (N,), int64. x_test and y_test
        are the part held out.

    scikit-learn's images come from 13 people, and a random part holds some of each. So the test asks for new scans of
    known hands; new hands would be harder. Source: Alpaydin & Kaynak 1998, UCI repository, optdigits, the test part.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    x, y = load_digits(return_X_y=True)
    x = x.reshape(-1, 1, 8, 8) / 8 - 1  # from 0 ... 16
    for _ in range({"test": 1, "validation": 2}[held_out]):
        parts = train_test_split(x, y, test_size=HELD_OUT, random_state=0, stratify=y)
        x, x_held, y, y_held = parts
    x, x_held = (mt.tensor(a, dtype=dtype) for a in (x, x_held))
    y, y_held = (mt.tensor(a, dtype=mt.int64) for a in (y, y_held))
    return Data(x, y, x_held, y_held)


def train(net, batches, epochs, lr, weight_decay=5e-4, after_epoch=None, kept=None):
    """Train `net`; the rate rises to `lr` in the first fifth of all steps, and falls to almost 0 in the others.

    On several ranks all draw the same batches and shifts, and each takes its part of them.

    Parameters
    ----------
    net : Module
    batches : DataLoader
        Of (x, y), x of shape (N, 1, 8, 8), y of shape (N,). Anything that can be iterated over anew in every epoch, and
        knows its length, will do.
    epochs : int
    lr : float
        The largest learning rate of SGD with Nesterov momentum 0.9.
    weight_decay : float
        For all but one-dimensional parameters (gamma, beta, biases).
    after_epoch : function, optional
        Called as after_epoch(net) after every epoch; it returns a number.
    kept : checkpoints.OfOneNet, optional
        Where to go on from, and where to keep checkpoints.

    Returns
    -------
    list of (float, float), length `epochs`
        Training loss in nats: the mean over the epoch's batches, in train mode, on shifted images; and what
        `after_epoch` returned.
    """
    groups = mt.optim.param_groups_weight_decay(net, weight_decay)
    optimizer = mt.optim.SGD(groups, lr=lr, momentum=0.9, nesterov=True)
    schedule = mt.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=lr, epochs=epochs, steps_per_epoch=len(batches), pct_start=0.2, cycle_momentum=False
    )
    history = kept.resume(net, optimizer, schedule) if kept else []
    for epoch in range(len(history), epochs):
        net.train()
        total = 0.0
        for x, y in batches:
            loss = F.cross_entropy(net(ranks.part(shifted(x))), ranks.part(y))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        history.append((total / len(batches), after_epoch(net) if after_epoch else 0.0))
        if kept:
            kept.keep(history, net, optimizer, schedule, last=epoch + 1 == epochs)
    return history


def predict(net, x):
    """The digit that `net` sees in every image of `x`, in eval mode: a tensor of shape (N,), int64."""
    was_training = net.training
    net.eval()
    with mt.no_grad():
        predicted = net(x).argmax(1)
    net.train(was_training)
    return predicted


def accuracy(predicted, y):
    """The share of right answers."""
    return (predicted == y).sum().item() / len(y)


def run(settings=None, norm="batch", lr=0.1, seed=0, epochs=None, held_out="test", data=None, tick=None, kept=None):
    """Make a network from `seed` and train it; ask it for the images held out after every epoch. On all ranks.

    Parameters
    ----------
    settings : Settings, optional
        Of it count epochs, batch, weight_decay, dropout and dtype.
    norm : {"batch", "group", "none"}
    lr : float
    seed : int
        Of weights, order, shifts and Dropout.
    epochs : int, optional
        settings.epochs if left out.
    held_out : {"test", "validation"}
    data : Data, optional
    tick : function, optional
        Called as tick(1) after every epoch.
    kept : checkpoints.OfOneNet, optional

    Returns
    -------
    Run : (net, losses, accuracies, predicted)
        The trained network in train mode; per epoch the training loss and the share of right answers on the images held
        out; the last answers to these, an int64 array of shape (360,).
    """
    settings = settings or Settings()
    data = data or load_data(held_out, getattr(mt, settings.dtype))
    epochs = epochs or settings.epochs
    new = []

    def ask(net):
        new.append(accuracy(predict(net, data.x_test), data.y_test))
        if tick:
            tick(1)
        return new[-1]

    with threadpool_limits(1):
        mt.manual_seed(seed)
        net = Net(norm, settings.dropout).to(getattr(mt, settings.dtype))
        dataset = TensorDataset(data.x_train, data.y_train)
        batches = DataLoader(dataset, batch_size=settings.batch * ranks.count(), shuffle=True, drop_last=True)
        history = train(ranks.parallel(net), batches, epochs, lr, settings.weight_decay, ask, kept)
        if tick:
            tick(len(history) - len(new))  # epochs that an earlier run has done
    losses, accuracies = map(list, zip(*history, strict=True))
    return Run(net, ranks.mean_over_ranks(losses), accuracies, predict(net, data.x_test).numpy())


def run_all(settings, keys, epochs, held_out, label, processes=None, progress=False, kept=None):
    """Train one network for each key (norm, lr, seed): {key: Run}, where the net is only its number of parameters."""
    work = [(settings, *key, epochs, held_out, kept and kept.of(f"{held_out} {key}")) for key in keys]
    total, processes = len(work) * epochs, ranks.processes(processes, kept)
    runs = run_jobs(_run_one, work, total=total, unit="epoch", label=label, processes=processes, progress=progress)
    return dict(zip(keys, runs, strict=True))


def _run_one(job, tick):
    """Train one network; a loss that overflows is a result here (`digits_results.diverged`), not a mistake."""
    with np.errstate(over="ignore", invalid="ignore"):
        *settings, kept = job
        finished = run(*settings, tick=tick, kept=kept)
    return finished._replace(net=sum(p.numel() for p in finished.net.parameters()))


def sweep(settings, processes=None, progress=False, kept=None):
    """Short runs at all rates, judged by the validation images: {(norm, lr, seed): Run}."""
    seeds = range(settings.seed, settings.seed + settings.seeds)
    keys = [(norm, lr, seed) for lr in settings.rates for seed in seeds for norm in NORMS]
    return run_all(settings, keys, settings.sweep_epochs, "validation", "digits, sweep", processes, progress, kept)


def long_runs(settings, rates, processes=None, progress=False, kept=None):
    """Runs of settings.epochs on the whole training set, judged by the test images, norm by norm at rates[norm]."""
    seeds = range(settings.seed, settings.seed + settings.seeds)
    keys = [(norm, rates[norm], seed) for seed in seeds for norm in NORMS]
    return run_all(settings, keys, settings.epochs, "test", "digits", processes, progress, kept)


def experiment(settings, processes=None, progress=False, kept=None):
    """The sweep, then the long runs; on several ranks, all train one network after the other.

    Parameters
    ----------
    settings : Settings
    processes : int, optional
        All cores if left out.
    progress : bool
    kept : checkpoints.Checkpoints, optional
        Trains one after the other, here, and can go on after a stop.

    Returns
    -------
    results : dict
        Everything, as it goes into digits.json: settings, verdict, per network and rate the numbers of every seed.
    runs : dict
        (norm, lr, seed) -> Run of the long runs, with the number of parameters in the place of the network.
    """
    settings.check()
    began = time.perf_counter()
    rows = digits_results.summary(sweep(settings, processes, progress, kept)) if settings.rates else []
    rates = {norm: settings.lr or digits_results.best_rate(rows, norm) for norm in NORMS}
    runs = long_runs(settings, rates, processes, progress, kept)
    final = digits_results.summary(runs)
    test, tuning = load_data("test"), load_data("validation")
    content = {
        "experiment": "digits",
        "settings": asdict(settings),
        "ranks": ranks.count(),
        "seeds": list(range(settings.seed, settings.seed + settings.seeds)),
        "data": {
            "test": {"train": len(test.y_train), "held_out": len(test.y_test)},
            "validation": {"train": len(tuning.y_train), "held_out": len(tuning.y_test)},
        },
        "verdict": digits_results.verdict(rows, final, settings),
        "rates": rows,
        "final": final,
        "curves": [
            {"norm": norm, "lr": lr, "seed": seed, "loss": run.losses, "accuracy": run.accuracies}
            for (norm, lr, seed), run in runs.items()
        ],
        "wrong": digits_results.wrong_answers(runs, test.y_test.numpy()),
        "seconds": round(time.perf_counter() - began, 1),
        "versions": results.versions(),
    }
    return results.plain(content), runs


# ---- the command -----------------------------------------------------------------------------------------------------


def add_arguments(parser):
    """The options of `python -m minitorch_bn digits`."""
    default = Settings()
    helps = {
        "epochs": "epochs of the long runs",
        "seed": "the first seed",
        "seeds": "how many seeds",
        "batch": f"images in a batch, 1 to {LARGEST_BATCH}",
        "sweep_epochs": "epochs of the short runs of the sweep",
        "weight_decay": "for all parameters but gamma, beta and biases",
        "dropout": "probability of Dropout in front of the last layer",
    }
    for name, words in helps.items():
        value, option = getattr(default, name), "--" + name.replace("_", "-")
        parser.add_argument(option, type=type(value), default=value, help=f"{words} (default: %(default)s)")
    parser.add_argument("--lr", type=float, help="rate of the long runs (default: each network's best of the sweep)")
    parser.add_argument(
        "--rates", type=float, nargs="*", default=default.rates, metavar="LR", help="of the sweep (default: seven)"
    )
    parser.add_argument("--processes", type=int, help="runs at once (default: one a core)")
    parser.add_argument("--dtype", default=default.dtype, help="float32 or float64 (default: %(default)s)")
    ranks.add_arguments(parser, every=(5, "epochs"))


def prepare(options):
    """Settings from the command line's options, checked; the checkpoint too."""
    if options.processes is not None:
        results.check("processes", options.processes, smallest=1)
    names = Settings.__dataclass_fields__
    settings = Settings(**{name: getattr(options, name) for name in names} | {"rates": tuple(options.rates)}).check()
    together, most = settings.batch * ranks.count(), LARGEST_BATCH * min(settings.epochs, settings.sweep_epochs)
    if together > most:
        raise results.BadInput(
            f"--batch {settings.batch} on {ranks.count()} ranks makes batches of {together}: wanted at most {most}"
        )
    options.kept = checkpoints.prepare(options, asdict(settings))
    return settings


def execute(options, settings, folder):
    """Run the experiment, print its tables, write its files.

    Returns
    -------
    results : dict
    files : list of Path
    """
    each = len(NORMS) * settings.seeds
    short = f"{each * len(settings.rates)} runs of {settings.sweep_epochs} epochs, then " if settings.rates else ""
    print(f"digits: {short}{each} runs of {settings.epochs}: {', '.join(NORMS.values())}", flush=True)
    if ranks.count() > 1:
        print(f"on {ranks.count()} ranks, {settings.batch * ranks.count()} images in a batch", flush=True)
    if options.kept:
        options.kept.share()
    content, runs = experiment(settings, options.processes, options.progress, options.kept)
    if not ranks.is_first():
        return content, []
    print(f"\n{digits_results.text_tables(content)}\n")
    print("\n".join(content["verdict"]))
    files = [results.write_json(folder / "digits.json", content)]
    if options.figures:
        from . import digits_figures

        with np.errstate(over="ignore", invalid="ignore"):
            files += digits_figures.draw_all(folder, settings, content, runs)
    return content, files
