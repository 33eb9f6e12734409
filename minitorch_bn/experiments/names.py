"""Names: a small network that learns to write French first names, with and without BatchNorm.

    3 symbols of context  ->  Embedding(46, 10)  ->  Linear(30, 200) [BatchNorm1d] tanh  ->  Linear(200, 46)
    ->  cross-entropy with the next symbol, batches of 32 drawn at random, 200,000 steps of SGD, rate 0.1 then 0.01

The loop is plain PyTorch: with `import torch as mt` the same lines run there, and give the same losses from the same
seed (to rounding).

In a notebook:

    from minitorch_bn.experiments import names
    result = names.run(names.Settings(steps=20_000), batch_norm=True)
    result.losses, result.final, result.samples, result.net
"""

import copy
import math
import time
from collections import namedtuple
from dataclasses import asdict, dataclass

import numpy as np

import minitorch_bn as mt
import minitorch_bn.nn.functional as F

from . import checkpoints, ranks, results, text
from .jobs import run_jobs

SATURATED = 0.97  # |h| above this: the slope of tanh, 1 - h * h, is below 0.06
SAMPLES = 20
LONGEST = 40  # symbols of a sampled name; a network that has learnt little may not find an end

Data = namedtuple("Data", ["vocabulary", "train", "dev", "test", "known", "bigram", "uniform"])
Run = namedtuple("Run", ["net", "losses", "final", "hidden_start", "hidden_end", "samples", "seconds"])


@dataclass(frozen=True)
class Settings:
    """What a names experiment is run with; the command line's options have the same names and defaults."""

    steps: int = 200_000
    seed: int = 42
    hidden: int = 200
    batch: int = 32
    embedding: int = 10
    context: int = 3
    lr: float = 0.1
    file: str | None = None
    dtype: str = "float32"

    def check(self):
        """Raise BadInput for the first setting that cannot be used; return self."""
        results.check_seed(self.seed)
        for name in ("steps", "hidden", "embedding", "context"):
            results.check(name, getattr(self, name), smallest=1)
        if self.batch == 1:
            raise results.BadInput("--batch must be at least 2: BatchNorm has no variance in a batch of 1")
        results.check("batch", self.batch, smallest=2)
        results.check("lr", self.lr, above=0)
        results.check_dtype(self.dtype)
        return self


def load_data(settings):
    """Read the names, part them, and make the examples.

    Returns
    -------
    Data
        vocabulary; train, dev and test, each (x, y) of int64 with shapes (N, context) and (N,); known, the set of all
        names; bigram and uniform, the losses in nats that the best model with one symbol of context, and one that knows
        nothing, have on the whole file.
    """
    names = text.read_names(settings.file)
    vocabulary = text.Vocabulary(names)
    parts = [text.build_dataset(part, vocabulary, settings.context) for part in text.split_names(names)]
    x, y = (np.concatenate([part[i].numpy() for part in parts]) for i in (0, 1))
    return Data(vocabulary, *parts, set(names), text.bigram_floor(y, x[:, -1]), math.log(len(vocabulary)))


class Net(mt.nn.Module):
    """Embedding - Linear - [BatchNorm1d] - tanh - Linear: from `context` symbols to the logits of the next.

    Parameters
    ----------
    symbols : int
        Size of the vocabulary.
    batch_norm : bool
        With BatchNorm before the tanh; the Linear before it then has no bias, since BatchNorm takes any constant away.
    embedding, context, hidden : int
    """

    def __init__(self, symbols, batch_norm, embedding=10, context=3, hidden=200):
        super().__init__()
        self.embedding = mt.nn.Embedding(symbols, embedding)
        self.fc1 = mt.nn.Linear(context * embedding, hidden, bias=not batch_norm)
        self.bn1 = mt.nn.BatchNorm1d(hidden) if batch_norm else mt.nn.Identity()
        self.fc2 = mt.nn.Linear(hidden, symbols)

    def hidden(self, x):
        """The activations after tanh: (N, context) symbols -> (N, hidden)."""
        e = self.embedding(x)
        return mt.tanh(self.bn1(self.fc1(e.view(e.shape[0], -1))))

    def forward(self, x):
        return self.fc2(self.hidden(x))


def train(net, x, y, steps, batch=32, lr=0.1, tick=None, kept=None):
    """Train `net` on batches drawn from the default generator; the rate falls to a tenth halfway.

    On several ranks all draw the same examples, `batch` for each, and each takes its part of them.

    Parameters
    ----------
    net : Module
    x, y : Tensor of int64, shapes (N, context) and (N,)
    steps, batch : int
    lr : float
        Learning rate of SGD in the first half.
    tick : function, optional
        Called as tick(n) whenever n more steps are done, every 1,000 steps.
    kept : checkpoints.OfOneNet, optional
        Where to go on from, and where to keep checkpoints.

    Returns
    -------
    list of float, length `steps`
        The loss of every batch of this rank, in nats, before its step.
    """
    optimizer = mt.optim.SGD(net.parameters(), lr=lr)
    net.train()
    losses = kept.resume(net, optimizer) if kept else []
    if tick and losses:
        tick(len(losses) // 1000 * 1000)
    for step in range(len(losses), steps):
        if step == (steps + 1) // 2:
            optimizer.param_groups[0]["lr"] = lr / 10
        ix = ranks.part(mt.randint(0, x.shape[0], (ranks.count() * batch,)))
        loss = F.cross_entropy(net(x[ix]), y[ix])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if kept:
            kept.keep(losses, net, optimizer, last=step + 1 == steps)
        if tick and (step + 1) % 1000 == 0:
            tick(1000)
    if tick:
        tick(steps % 1000)
    return losses


def evaluate(net, x, y, rows=8192):
    """The mean loss of `net` on all of x and y, in nats, in eval mode; `rows` examples at a time."""
    was_training = net.training
    net.eval()
    total = 0.0
    with mt.no_grad():
        for i in range(0, len(y), rows):
            total += F.cross_entropy(net(x[i : i + rows]), y[i : i + rows], reduction="sum").item()
    net.train(was_training)
    return total / len(y)


def sample(net, vocabulary, context, count=SAMPLES, generator=None):
    """Let `net` write names, symbol by symbol, in eval mode.

    Parameters
    ----------
    net : Net
    vocabulary : Vocabulary
    context : int
    count : int
    generator : Generator, optional
        Where the chance comes from; the default generator if left out.

    Returns
    -------
    list of str
        Without the '.' at the end; cut at 40 symbols.
    """
    was_training = net.training
    net.eval()
    names = []
    with mt.no_grad():
        for _ in range(count):
            seen = [0] * context
            while len(seen) < context + LONGEST:
                p = F.softmax(net(mt.tensor([seen[-context:]])), 1)
                if not p.isfinite().all():  # a network that diverged has nothing to say
                    break
                symbol = mt.multinomial(p, 1, generator=generator).item()
                if symbol == 0:
                    break
                seen.append(symbol)
            names.append(vocabulary.decode(seen[context:]))
    net.train(was_training)
    return names


def activations(net, x):
    """The tanh activations that training sees for `x`, normalised with the batch's own statistics: (N, hidden) array.

    A copy of the network is asked, so that its running statistics stay as they are.
    """
    with mt.no_grad():
        return copy.deepcopy(net).train().hidden(x).numpy()


def run(settings=None, batch_norm=True, data=None, tick=None, kept=None):
    """Make a network from the seed, train it, evaluate it, and let it write; on all ranks, if there are several.

    Returns
    -------
    Run
        net; losses, one per step; final, {"train", "dev", "test"}: mean loss over the whole part, in nats; hidden_start
        and hidden_end, `activations` on the first 1,000 development examples; samples, 20 names (none if the loss
        is not finite); seconds of training.
    """
    settings = (settings or Settings()).check()
    data = data or load_data(settings)
    mt.manual_seed(settings.seed)
    net = Net(len(data.vocabulary), batch_norm, settings.embedding, settings.context, settings.hidden)
    net.to(getattr(mt, settings.dtype))
    probe = data.dev[0][:1000]
    hidden_start = activations(net, probe)
    began = time.perf_counter()
    losses = train(ranks.parallel(net), *data.train, settings.steps, settings.batch, settings.lr, tick, kept)
    losses = ranks.mean_over_ranks(losses)
    seconds = time.perf_counter() - began
    final = {part: evaluate(net, *getattr(data, part)) for part in ("train", "dev", "test")}
    generator = mt.Generator().manual_seed(settings.seed)
    well = all(map(math.isfinite, final.values()))
    samples = sample(net, data.vocabulary, settings.context, generator=generator) if well else []
    return Run(net, losses, final, hidden_start, activations(net, probe), samples, seconds)


def _run_one(job, tick):
    """Train one of the two networks; without the network itself, which stays in the process that trained it."""
    settings, batch_norm, kept = job
    with np.errstate(over="ignore", invalid="ignore"):  # a loss that overflows is a result here: it is reported
        finished = run(settings, batch_norm, tick=tick, kept=kept)
    return finished._replace(net=sum(p.numel() for p in finished.net.parameters()))


def running_mean(losses, window):
    """The mean of every `window` values in a row: array of shape (len(losses) - window + 1,)."""
    sums = np.cumsum(np.concatenate([[0.0], losses]))
    return (sums[window:] - sums[:-window]) / window


def window_of(steps):
    """How many steps the drawn loss is averaged over: 1,000, or a tenth of a short run."""
    return max(1, min(1000, steps // 10))


def experiment(settings, processes=None, progress=False, kept=None):
    """Train with and without BatchNorm, in two processes at once; one after the other on several ranks.

    Parameters
    ----------
    settings : Settings
    processes : int, optional
        1 trains one after the other, here.
    progress : bool
    kept : checkpoints.Checkpoints, optional
        Trains one after the other, here, and can go on after a stop.

    Returns
    -------
    results : dict
        Everything, as it goes into names.json.
    runs : dict
        batch_norm -> Run, with the number of parameters in the place of the network.
    """
    data = load_data(settings.check())
    began = time.perf_counter()
    jobs = [(settings, bn, kept and kept.of("with" if bn else "without")) for bn in (True, False)]
    finished = run_jobs(
        _run_one,
        jobs,
        total=2 * settings.steps,
        unit="step",
        label="names",
        processes=ranks.processes(processes, kept),
        progress=progress,
    )
    runs = dict(zip((True, False), finished, strict=True))
    window = window_of(settings.steps)
    content = {
        "experiment": "names",
        "settings": asdict(settings) | {"file": None if settings.file is None else str(settings.file)},
        "ranks": ranks.count(),
        "data": {
            "names": len(data.known),
            "symbols": data.vocabulary.symbols,
            **{part: len(getattr(data, part)[1]) for part in ("train", "dev", "test")},
            "bigram_loss": data.bigram,
            "uniform_loss": data.uniform,
        },
        "nets": [
            {
                "batch_norm": bn,
                "parameters": r.net,
                "loss": r.final,
                "diverged": not all(map(math.isfinite, [*r.losses, *r.final.values()])),
                "first_batch_loss": r.losses[0],
                "running_mean": {"window": window, **results.thinned(running_mean(r.losses, window), 200)},
                "saturated": {"start": saturated(r.hidden_start), "end": saturated(r.hidden_end)},
                "samples": [{"name": name, "known": name in data.known} for name in r.samples],
                "training_seconds": round(r.seconds, 1),
            }
            for bn, r in runs.items()
        ],
        "seconds": round(time.perf_counter() - began, 1),
        "versions": results.versions(),
    }
    content = results.plain(content)
    content["verdict"] = verdict(content)
    return content, runs


def saturated(h):
    """The share of activations with |h| > 0.97."""
    return float((np.abs(h) > SATURATED).mean())


def show(value, form=".3f"):
    """A number of the results as text; what is not finite stands there as None."""
    return "diverged" if value is None else format(value, form)


def percent(share):
    """A share as text."""
    return "diverged" if share is None else f"{100 * share:.1f} %"


def verdict(content):
    """What the two runs show, in sentences whose numbers are computed from them."""
    nets = {net["batch_norm"]: net for net in content["nets"]}
    fallen = ["with BatchNorm" if bn else "without" for bn, net in nets.items() if net["diverged"]]
    if fallen:
        return [f"Diverged, its loss was not a finite number: {' and '.join(fallen)}. Try a smaller --lr."]
    dev = [nets[bn]["loss"]["dev"] for bn in (True, False)]
    batch = [nets[bn]["running_mean"]["value"][-1] for bn in (True, False)]
    ends = [percent(nets[bn]["saturated"]["end"]) for bn in (True, False)]
    return [
        f"Development loss {dev[0]:.3f} with BatchNorm, {dev[1]:.3f} without: {dev[0] - dev[1]:+.3f} (one seed each).",
        f"Loss of the last {nets[True]['running_mean']['window']:,} batches {batch[0]:.3f} and {batch[1]:.3f}: in "
        f"train mode BatchNorm has only {content['settings']['batch'] * content['ranks']} examples for its statistics.",
        f"Saturated activations after training: {ends[0]} and {ends[1]}.",
    ]


# ---- the command -----------------------------------------------------------------------------------------------------


def add_arguments(parser):
    """The options of `python -m minitorch_bn names`."""
    default = Settings()
    helps = {
        "steps": "steps of SGD; the rate falls to a tenth halfway",
        "seed": "of weights, batches and samples",
        "hidden": "neurons of the hidden layer",
        "batch": "examples in a batch, 2 or more",
        "embedding": "numbers that stand for a symbol",
        "context": "symbols that the network sees",
        "lr": "learning rate of the first half",
    }
    for name, words in helps.items():
        value = getattr(default, name)
        parser.add_argument(f"--{name}", type=type(value), default=value, help=f"{words} (default: %(default)s)")
    parser.add_argument("--file", help="names, one per line, UTF-8 (default: the package's prenoms.txt)")
    parser.add_argument("--processes", type=int, help="1: one network after the other (default: both at once)")
    parser.add_argument("--dtype", default=default.dtype, help="float32 or float64 (default: %(default)s)")
    ranks.add_arguments(parser, every=(10_000, "steps"))


def prepare(options):
    """Settings from the command line's options, checked; the files too."""
    if options.processes is not None:
        results.check("processes", options.processes, smallest=1)
    settings = Settings(**{name: getattr(options, name) for name in Settings.__dataclass_fields__}).check()
    text.split_names(text.read_names(settings.file))
    options.kept = checkpoints.prepare(options, asdict(settings))
    return settings


def execute(options, settings, folder):
    """Run the experiment, print its table and the sampled names, write its files.

    Returns
    -------
    results : dict
    files : list of Path
    """
    size = ranks.count()
    where = f", {size * settings.batch} examples each, on {size} ranks" if size > 1 else ""
    print(f"names: {settings.steps:,} steps with BatchNorm, as many without{where}", flush=True)
    kept = getattr(options, "kept", None)  # the command `all` keeps no checkpoints
    if kept:
        kept.share()
    content, runs = experiment(settings, options.processes, options.progress, kept)
    if not ranks.is_first():
        return content, []
    print("\n".join(["", text_table(content), "", *content["verdict"], "", text_samples(content)]))
    files = [results.write_json(folder / "names.json", content)]
    if options.figures:
        from . import names_figures

        files += names_figures.draw_all(folder, settings, content, runs)
    return content, files


def text_table(content):
    """Losses and saturation of both networks as aligned text, and the two losses to compare with."""
    rows = [
        [
            "with BatchNorm" if net["batch_norm"] else "without",
            *(show(net["loss"][part]) for part in ("train", "dev", "test")),
            *(percent(net["saturated"][when]) for when in ("start", "end")),
            f"{net['parameters']:,}",
            f"{net['training_seconds']:.1f}",
        ]
        for net in content["nets"]
    ]
    head = ["loss in nats", "train", "dev", "test", "|h| > 0.97, start", "end", "parameters", "seconds"]
    data = content["data"]
    floor = f"(to compare with: bigram {data['bigram_loss']:.3f}, uniform over {len(data['symbols'])} symbols "
    return results.table(head, rows) + "\n" + floor + f"{data['uniform_loss']:.3f})"


def text_samples(content):
    """The sampled names in two columns; a star marks a name that stands in the file."""
    columns = [[s["name"] + (" *" if s["known"] else "") for s in net["samples"]] for net in content["nets"]]
    lines = [[a, b] for a, b in zip(*(column + [""] * (SAMPLES - len(column)) for column in columns), strict=True)]
    width = max(len("with BatchNorm"), *(len(a) for a, _ in lines)) + 4
    shown = [f"{a:<{width}}{b}".rstrip() for a, b in [["with BatchNorm", "without"], *lines]]
    return "New names, drawn symbol by symbol (* stands in the file):\n" + "\n".join(f"  {line}" for line in shown)


def combined_rows(content):
    """The rows of names in the table of `all`: (what, with BatchNorm, without)."""
    nets = content["nets"]
    return [
        *([f"names: {p} loss in nats", *(show(net["loss"][p]) for net in nets)] for p in ("train", "dev", "test")),
        ["names: |h| > 0.97 after training", *(percent(net["saturated"]["end"]) for net in nets)],
    ]
