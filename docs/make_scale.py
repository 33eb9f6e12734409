"""Writes docs/scale.md and its figures: what ranks cost, fitted to docs/scale.json, and predicted for a cluster.

    python docs/make_scale.py            the page and the figures
    python benchmarks/scale.py --json docs/scale.json     measure anew, before that (minutes)

Every number of the page is computed here, from the measurements or from an assumption that the page names.
"""

import json
import math
from pathlib import Path

import numpy as np
from matplotlib.ticker import NullLocator

from minitorch_bn.experiments.figures import BLACK, BLUE, ORANGE, new_figure, plain_log_ticks, save, style

DOCS = Path(__file__).resolve().parent
DATA, PAGE = DOCS / "scale.json", DOCS / "scale.md"
SMALLEST, QUARTILE = 0, 1  # of the three numbers of a measurement: smallest, lower quartile, median
FLOAT = 4  # bytes of a gradient, or of a sum that SyncBatchNorm's backward sends
EXACT = 8  # bytes of a statistic that its forward sends: float64
KINDS = ("all_reduce", "all_gather")
RANKS = [2**k for k in range(3, 11)]  # 8 to 1,024
LIMITS = (0.05, 0.1, 0.25)  # shares of a step

# Assumed, not measured here: (name, alpha in seconds per message, bytes per second), and where they are from.
NETWORKS = {
    "fast": ("40 Gbit/s, past the kernel", 1.93e-6, 37.23e9 / 8),
    "slow": ("10 Gbit/s, TCP", 40e-6, 10e9 / 8),
}
# Assumed, not measured here: one image of 224 x 224 through ResNet-50, forward and backward, on one Tesla P100.
BACKWARD_SECONDS, BACKWARD_IMAGES = 0.120, 32
SECONDS_PER_IMAGE = 1.5 * BACKWARD_SECONDS / BACKWARD_IMAGES  # forward costs half of what backward costs
BATCH, TOTAL = 32, 1024  # images per rank in weak scaling, images of all ranks in strong scaling


# ---- what is sent


def resnet50():
    """(number of parameters, channels of every BatchNorm layer) of ResNet-50, counted from He et al. 2016, table 1."""
    channels, parameters, before = [64], 3 * 64 * 7 * 7, 64
    for blocks, width in ((3, 64), (4, 128), (6, 256), (3, 512)):
        for block in range(blocks):
            channels += [width, width, 4 * width]
            parameters += before * width + 9 * width * width + 4 * width * width
            if block == 0:  # the shortcut changes the number of channels
                channels.append(4 * width)
                parameters += before * 4 * width
            before = 4 * width
    return parameters + 2 * sum(channels) + before * 1000 + 1000, channels


def perceptron(layers, width):
    """The same of the networks of benchmarks/scale.py: `layers` times Linear and BatchNorm1d, 64 inputs, 10 outputs."""
    parameters = 64 * width + (layers - 1) * width * width + 2 * layers * width + 10 * width + 10
    return parameters, [width] * layers


def messages(parameters, channels, sync):
    """What one rank gives to the exchanges of one step: a list of (kind, bytes)."""
    found = [("all_reduce", FLOAT * parameters)]  # the gradients; one bucket where they are less than 25 MiB
    for c in channels if sync else ():
        found.append(("all_gather", EXACT * (2 * c + 1)))  # forward: count, mean, sum of squares
        found.append(("all_reduce", FLOAT * 2 * c))  # backward: sum dy, sum dy * x_hat
    return found


def reduced(channels):
    """What another SyncBatchNorm could send: two all_reduces forward (count, sum; then centred squares), one back."""
    found = []
    for c in channels:
        found += [("all_reduce", EXACT * (c + 1)), ("all_reduce", EXACT * c), ("all_reduce", FLOAT * 2 * c)]
    return found


# ---- what it costs


def load_of(kind, n, ranks):
    """(messages one after the other, bytes through one rank) of the cheapest tree algorithm for n bytes per rank."""
    rounds = math.log2(ranks)
    if kind == "all_gather":
        return rounds, (ranks - 1) * n
    return rounds, min(rounds, 2 * (ranks - 1) / ranks) * n


def exchange_seconds(kind, n, ranks, alpha, bandwidth):
    """(latency, transfer) in seconds of the cheapest tree algorithm of Thakur et al.

    Doubling: log2(p) messages of n bytes. Or halving and doubling: 2 log2(p) messages, 2 (p - 1) / p n bytes in all.
    """
    rounds = math.log2(ranks)
    if kind == "all_gather":
        return rounds * alpha, (ranks - 1) * n / bandwidth
    doubling = rounds * alpha, rounds * n / bandwidth
    return min(doubling, (2 * rounds * alpha, 2 * (ranks - 1) / ranks * n / bandwidth), key=sum)


def ring_seconds(n, ranks, alpha, bandwidth):
    """all_reduce in a ring: 2 (p - 1) messages of n / p bytes."""
    return 2 * (ranks - 1) * (alpha + n / ranks / bandwidth)


def step_seconds(net, ranks, alpha, bandwidth):
    """(latency, transfer) in seconds of one step's communication: of the gradients, of SyncBatchNorm."""
    costs = [exchange_seconds(kind, n, ranks, alpha, bandwidth) for kind, n in messages(*net, sync=True)]
    return costs[0], tuple(map(sum, zip(*costs[1:], strict=True)))


# ---- the fit


def communication(row, which=SMALLEST):
    """Seconds that a measurement spent on the other ranks: with them, less alone."""
    return row["real"][which] - row["silent"][which]


def fit(data, ranks, kind, bare=False, which=SMALLEST):
    """alpha and bandwidth for which rounds * alpha + bytes / bandwidth is nearest, in relative error.

    A measurement below the noise (a tenth of the median) counts as the noise, so that none gets an endless weight.
    """
    rows = [r for r in data["exchanges"] if (r["ranks"], r["kind"], r["work"] == 0) == (ranks, kind, bare)]
    seconds = np.array([communication(row, which) for row in rows])
    loads = np.array([load_of(row["kind"], row["bytes"], ranks) for row in rows])
    weight = 1 / np.maximum(seconds, 0.1 * np.median(seconds))
    alpha, per_byte = np.linalg.lstsq(loads * weight[:, None], seconds * weight, rcond=None)[0]
    return float(alpha), float(1 / per_byte)


def fit_all(data, bare=False, which=SMALLEST):
    """{(ranks, kind of exchange): (alpha, bandwidth)}."""
    return {(ranks, kind): fit(data, ranks, kind, bare, which) for ranks in (2, 4) for kind in KINDS}


def fitted(fits, ranks, kind, n):
    """Seconds of one exchange with the fitted constants."""
    (alpha, bandwidth), (rounds, through) = fits[ranks, kind], load_of(kind, n, ranks)
    return rounds * alpha + through / bandwidth


def residuals(data, fits):
    """Rows (ranks, kind, bytes, measured, predicted) of the exchanges after work, in seconds."""
    for row in data["exchanges"]:
        if row["work"] and row["ranks"] > 1:
            what = row["ranks"], row["kind"], row["bytes"]
            yield *what, communication(row), fitted(fits, *what)


def checks(data, fits, which=SMALLEST):
    """Rows (layers, width, sync, ranks, alone, measured, predicted) of the training steps, in seconds."""
    for row in data["steps"]:
        if row["ranks"] == 1:
            continue
        sent = messages(*perceptron(row["layers"], row["width"]), row["sync"])
        predicted = row["silent"][which] + sum(fitted(fits, row["ranks"], kind, n) for kind, n in sent)
        alone, measured = row["silent"][which], row["real"][which]
        yield row["layers"], row["width"], row["sync"], row["ranks"], alone, measured, predicted


# ---- what the fit predicts


def shares(net, ranks, images, alpha, bandwidth):
    """Seconds of one step with `images` per rank: (computation, gradients, SyncBatchNorm)."""
    return images * SECONDS_PER_IMAGE, *map(sum, step_seconds(net, ranks, alpha, bandwidth))


def images_for(net, share, ranks, alpha, bandwidth):
    """Images per rank below which SyncBatchNorm takes more than this share of the step."""
    _, gradients, sync = shares(net, ranks, 0, alpha, bandwidth)
    return max(0.0, (sync * (1 - share) / share - gradients) / SECONDS_PER_IMAGE)


def latency_part(net, ranks, alpha, bandwidth):
    """Which part of the seconds is latency: (of the gradients, of SyncBatchNorm)."""
    return tuple(cost[0] / sum(cost) for cost in step_seconds(net, ranks, alpha, bandwidth))


# ---- text


def engineering(seconds):
    """A time with three digits and a unit."""
    seconds = float(f"{seconds:.3g}")
    unit, size = next(((u, size) for u, size in (("s", 1), ("ms", 1e-3)) if abs(seconds) >= size), ("µs", 1e-6))
    return f"{seconds / size:.3g} {unit}"


def table(head, rows):
    """A Markdown table; the first column is text, the others are numbers."""
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)])


def sent_table(net):
    """What a rank gives away per step, for ResNet-50 and the two ends of the measured networks."""
    named = {"16 layers of 64": perceptron(16, 64), "4 layers of 512": perceptron(4, 512), "ResNet-50": net}
    rows = []
    for name, (parameters, channels) in named.items():
        gradients, *sync = messages(parameters, channels, sync=True)
        rows.append([name, f"{parameters:,}", len(channels), 1, f"{gradients[1]:,}", len(sync)])
        rows[-1].append(f"{sum(n for _, n in sync):,}")
    head = ["network", "parameters", "BatchNorm layers", "gradients: messages", "bytes"]
    return table([*head, "SyncBatchNorm: messages", "bytes"], rows)


def fit_table(fits, bare):
    """The fitted constants."""
    rows = []
    for what, found in (("bare, one after the other", bare), ("each after a piece of work", fits)):
        for (ranks, kind), (alpha, bandwidth) in found.items():
            rows.append([what, kind, ranks, engineering(alpha), f"{bandwidth / 1e9:.2g} GB/s"])
    return table(["exchanges", "kind", "ranks", "alpha, per message", "bandwidth"], rows)


def residual_table(data, fits):
    """Predicted / measured of every exchange that the fit saw."""
    found = {tuple(row[:3]): row[4] / row[3] for row in residuals(data, fits)}
    sizes = sorted({n for _, _, n in found})
    kinds = [(kind, ranks) for kind in KINDS for ranks in (2, 4)]
    rows = [[f"{n:,}", *(f"{found[ranks, kind, n]:.2f}" for kind, ranks in kinds)] for n in sizes]
    return table(["bytes per rank", *(f"{kind}, {ranks} ranks" for kind, ranks in kinds)], rows)


def check_table(rows):
    """The training steps, which the fit never saw."""
    lines = []
    for layers, width, sync, ranks, alone, measured, predicted in rows:
        name = f"{layers} x {width}, {'SyncBatchNorm' if sync else 'BatchNorm'}"
        lines.append([name, ranks, *map(engineering, (alone, measured, predicted)), f"{predicted / measured:.2f}"])
        lines[-1].append(f"{(predicted - alone) / (measured - alone):.2f}")
    head = ["network", "ranks", "alone", "measured", "predicted", "predicted / measured"]
    return table([*head, "the same of communication only"], lines)


def prediction_table(net, name):
    """Weak scaling on one network: seconds and shares."""
    rows, network = [], NETWORKS[name][1:]
    for ranks in RANKS:
        compute, gradients, sync = shares(net, ranks, BATCH, *network)
        total = compute + gradients + sync
        ring = ring_seconds(messages(*net, sync=False)[0][1], ranks, *network)
        instead = sum(sum(exchange_seconds(kind, n, ranks, *network)) for kind, n in reduced(net[1]))
        of_gradients, of_sync = latency_part(net, ranks, *network)
        rows.append([f"{ranks:,}", *map(engineering, (gradients, ring)), f"{of_gradients:.1%}"])
        rows[-1] += [engineering(sync), f"{of_sync:.0%}", f"{sync / total:.1%}", engineering(instead)]
        rows[-1].append(f"{compute / total:.0%}")
    head = ["ranks", "gradients, tree", "gradients, ring", "latency in it (tree)", "SyncBatchNorm", "latency in it"]
    return table([*head, "share of the step", "if it reduced", "efficiency"], rows)


def limit_table(net):
    """Images per rank below which SyncBatchNorm costs more than a share of the step."""
    rows = []
    for ranks in RANKS:
        cells = [images_for(net, share, ranks, *NETWORKS[name][1:]) for name in NETWORKS for share in LIMITS]
        rows.append([f"{ranks:,}", *(f"{math.ceil(cell)}" for cell in cells)])
    return table(["ranks", *(f"{name}, {share:.0%}" for name in NETWORKS for share in LIMITS)], rows)


def first(net, name, share, images):
    """The smallest number of ranks at which SyncBatchNorm takes more than `share` of a step; images(ranks) per rank."""
    for ranks in RANKS:
        times = shares(net, ranks, images(ranks), *NETWORKS[name][1:])
        if times[2] / sum(times) > share:
            return f"{ranks:,}"
    return "more than 1,024"


def gathered(net, ranks):
    """Bytes through one rank in one step: (of the gathered statistics, of the gradients)."""
    loads = [(kind, load_of(kind, n, ranks)[1]) for kind, n in messages(*net, sync=True)]
    return sum(n for kind, n in loads if kind == "all_gather"), loads[0][1]


def page(data):
    """The page as text."""
    net = resnet50()
    fits, bare, other = fit_all(data), fit_all(data, bare=True), fit_all(data, which=QUARTILE)
    alphas = {(what, n): found[n, "all_reduce"][0] for what, found in
              (("work", fits), ("bare", bare), ("quartile", other)) for n in (2, 4)}  # fmt: skip
    tried = list(checks(data, fits))
    ratios = sorted(predicted / measured for *_, measured, predicted in tried)
    nobody = [abs(communication(r)) for r in data["exchanges"] if r["ranks"] == 1 and r["bytes"] <= 32768]
    low = {n: [row[6] / row[5] for row in checks(data, other, QUARTILE) if row[3] == n] for n in (2, 4)}
    high = {n: [row[6] / row[5] for row in tried if row[3] == n] for n in (2, 4)}
    only = {n: [(row[6] - row[4]) / (row[5] - row[4]) for row in tried if row[3] == n] for n in (2, 4)}
    deep = [r for r in data["steps"] if (r["layers"], r["width"], r["sync"]) == (16, 64, False)]
    alone = {row["ranks"]: row["silent"][SMALLEST] for row in deep}
    parts = {row["parts"]: row["seconds"][SMALLEST] for row in data["combining"]}
    crossing = next((ranks for ranks in RANKS if gathered(net, ranks)[0] > gathered(net, ranks)[1]), None)
    parts_of = {(name, n): latency_part(net, n, *NETWORKS[name][1:]) for name in NETWORKS for n in (8, 1024)}
    weak = {name: first(net, name, 0.1, lambda ranks: BATCH) for name in NETWORKS}
    strong = {name: first(net, name, 0.1, lambda ranks: TOTAL / ranks) for name in NETWORKS}
    return TEXT.format(
        **{key: data[key] for key in ("date", "python", "numpy", "cores", "batch", "channels")},
        sent=sent_table(net), fits=fit_table(fits, bare), residuals=residual_table(data, fits),
        checks=check_table(tried), fast=prediction_table(net, "fast"), slow=prediction_table(net, "slow"),
        limits=limit_table(net), tried=len(tried), worst=f"{ratios[0]:.2f}", best=f"{ratios[-1]:.2f}",
        middle=f"{ratios[len(ratios) // 2]:.2f}", close=sum(1 / 1.25 < ratio < 1.25 for ratio in ratios),
        zero=engineering(np.median(nobody)), zero_worst=engineering(max(nobody)),
        alpha2=engineering(alphas["work", 2]), alpha4=engineering(alphas["work", 4]),
        other2=engineering(alphas["quartile", 2]), other4=engineering(alphas["quartile", 4]),
        ratio2=f"{np.median(high[2]):.2f}", ratio4=f"{np.median(high[4]):.2f}",
        low2=f"{np.median(low[2]):.2f}", low4=f"{np.median(low[4]):.2f}",
        only2=f"{np.median(only[2]):.2f}", only4=f"{np.median(only[4]):.2f}",
        contention2=f"{alone[2] / alone[1]:.2f}", contention4=f"{alone[4] / alone[1]:.2f}",
        oversubscribed=f"{alphas['work', 4] / alphas['work', 2]:.0f}",
        waiting2=f"{alphas['work', 2] / alphas['bare', 2]:.1f}",
        waiting4=f"{alphas['work', 4] / alphas['bare', 4]:.1f}",
        fast_name=NETWORKS["fast"][0], fast_alpha=engineering(NETWORKS["fast"][1]),
        fast_bandwidth=f"{NETWORKS['fast'][2] / 1e9:.2f} GB/s", slow_name=NETWORKS["slow"][0],
        slow_alpha=engineering(NETWORKS["slow"][1]), slow_bandwidth=f"{NETWORKS['slow'][2] / 1e9:.2f} GB/s",
        image=engineering(SECONDS_PER_IMAGE), step=engineering(BATCH * SECONDS_PER_IMAGE), batch_per_rank=BATCH,
        total=f"{TOTAL:,}", layers=len(net[1]), sync_messages=2 * len(net[1]),
        gradients_most=f"{max(of_gradients for of_gradients, _ in parts_of.values()):.1%}",
        fast8=f"{parts_of['fast', 8][1]:.0%}", slow8=f"{parts_of['slow', 8][1]:.0%}",
        fast1024=f"{parts_of['fast', 1024][1]:.0%}", slow1024=f"{parts_of['slow', 1024][1]:.0%}",
        weak_fast=weak["fast"], weak_slow=weak["slow"], strong_fast=strong["fast"], strong_slow=strong["slow"],
        crossing=f"{crossing:,}" if crossing else "no number of",
        gathered=f"{gathered(net, 1024)[0] / 1e6:,.0f} MB", reduced=f"{gathered(net, 1024)[1] / 1e6:,.0f} MB",
        combining=f"{parts[1024] / parts[4]:.0f}", per_part=engineering((parts[1024] - parts[4]) / 1020),
        all_parts=engineering(len(net[1]) * parts[1024]),
    )  # fmt: skip


TEXT = """# What ranks cost

[DistributedDataParallel](../minitorch_bn/nn/parallel/data_parallel.py) sends gradients,
[SyncBatchNorm](../minitorch_bn/ops/syncbatchnorm.py) sends statistics. This page counts what they send, measures
what an exchange costs on 1, 2 and 4 ranks, fits a model of two constants per kind of exchange, tests it on training
steps that it never saw, and says what it predicts for 8 to 1,024 ranks.

Three things to take along:

- **Gradients cost bandwidth, SyncBatchNorm costs latency first and bytes later.** Of the gradients' time at most
  {gradients_most} is latency: it is one large message. SyncBatchNorm sends {sync_messages} small ones per step of
  ResNet-50, one after the other. On 8 ranks {slow8} of its time is latency on a slow network, {fast8} on a fast
  one; on 1,024 ranks {slow1024} and {fast1024}.
- **SyncBatchNorm takes more than 10 % of a step** of ResNet-50 with {batch_per_rank} images per rank from this
  number of ranks on: {weak_fast} on the fast network, {weak_slow} on the slow one. With fewer images per rank it
  comes earlier; and few images per rank are the reason to use it.
- **Gathering does not scale.** Every rank gets the statistics of all ranks: the bytes grow with their number. From
  {crossing} ranks on, more statistics than gradients pass through each rank. Synchronise in groups of ranks
  instead.

## What is sent

Per step, one rank gives to the others:

{sent}

- Gradients: 4 bytes per parameter, in buckets of up to 25 MiB. The model has one bucket; more buckets cost one
  latency each, and can travel while backward still computes. Here they do not (see the assumptions below).
- SyncBatchNorm, forward: one `all_gather` per layer of the count, C means and C sums of squares, in float64.
- SyncBatchNorm, backward: one `all_reduce` per layer of C sums of dy and C sums of dy * x_hat, in float32.
- Not counted: DistributedDataParallel sends running statistics before each forward unless
  `broadcast_buffers=False`. With SyncBatchNorm all ranks have the same ones, and it can be left out.

## The model

An exchange of n bytes per rank among p ranks takes `messages * alpha + bytes / bandwidth` longer than the same call
in one process. `alpha` is the time of a message without content. With the algorithms that Thakur, Rabenseifner and
Gropp (2005) describe, and MPICH uses:

| exchange | algorithm | messages, one after the other | bytes through one rank |
| --- | --- | --- | --- |
| all_gather | recursive doubling | log2(p) | (p - 1) n |
| all_reduce, small n | recursive doubling | log2(p) | log2(p) n |
| all_reduce, large n | recursive halving and doubling (Rabenseifner) | 2 log2(p) | 2 (p - 1) / p n |
| all_reduce, for comparison | ring (Patarasuk & Yuan 2009) | 2 (p - 1) | 2 (p - 1) / p n |

The fit has log2(p) messages and the smaller of the two numbers of bytes; the prediction takes the cheaper
algorithm. The additions are part of the bandwidth.

## The fit

Measured on {date} with Python {python}, NumPy {numpy} and MPICH, on **{cores} cores that share their memory and do
other work, too**. No network was involved: these constants describe this machine. Every measurement is taken twice
in alternation, with the other ranks and with a rank that talks to itself; communication is the difference. Of all
rounds the smallest counts: what else runs here can only add.

{fits}

On one rank there is nobody to talk to, and the difference should be zero: over all small exchanges (up to 32 KiB)
it is {zero} in the median, {zero_worst} at most. That is the error of the method, per exchange.

Two lessons stand in this table.

- **Waiting is part of latency.** After a piece of work a message of an all_reduce costs {waiting2} times as much as
  in a loop of messages on two ranks, {waiting4} times on four: the ranks do not finish their work at the same
  moment, and all wait for the last.
- **Four ranks on {cores} cores are no model of four machines.** A message of an all_reduce costs {oversubscribed} times
  as much as on two ranks, because a rank has to wait for a core before it can answer. This is contention for cores, not
  communication, and nothing below is extrapolated from it. Computation suffers, too: the network of 16 layers takes
  {contention2} times as long when two ranks compute it side by side, {contention4} times with four, without a
  single message.

Predicted / measured, for each of the exchanges that the fit saw (after work):

{residuals}

Two constants cannot describe protocols that change with the size of a message, nor memory that is fetched anew for
large arrays: single sizes are off by the factors above. The ends, where one of the two terms rules, decide the
constants.

## The test: training steps

None of these steps took part in the fit. Multilayer perceptrons, {batch} rows per rank. "Alone": the same step in
which every rank exchanges with itself; that is the computation, contention included. Predicted: alone, plus the
model's communication.

{checks}

![Left: exchanges and fit. Right: predicted against measured steps.](figures/scale_fit.png)

Of {tried} steps, {close} are predicted within a quarter; predicted / measured goes from {worst} to {best}, the
middle one is {middle}. That flatters the model, because most of a step is computation, which was measured. The last
column leaves it out: of the communication alone, the model finds {only2} on two ranks and {only4} on four (medians;
1 is all of it). It is too low. A likely reason: the longer the way from one message to the next, the further the
ranks drift apart, and the longer they wait; in these steps it is longer than the piece of work of the fit. So read
the predictions below as lower bounds.

Does it depend on taking the smallest of all rounds? With the lower quartile alpha of an all_reduce is {other2}
instead of {alpha2} on two ranks and {other4} instead of {alpha4} on four, and the median of predicted / measured
moves from {ratio2} to {low2} on two ranks, from {ratio4} to {low4} on four.

Absolute times mean little on this machine. What carries over is the count of messages and bytes, and the form of
the cost.

## The prediction: ResNet-50 on 8 to 1,024 ranks

Assumptions, none of which was measured here:

- Networks. *fast*: {fast_name}: alpha {fast_alpha}, {fast_bandwidth} (measured between two servers:
  [Cisco](http://blogs.cisco.com/performance/mpi-over-40gb-ethernet/)). *slow*: {slow_name}: alpha {slow_alpha}, the
  low end of [a common range](http://www.aspsys.com/content/glossary/glos_low_latency), and {slow_bandwidth}, its
  nominal rate.
- One rank per machine; no two messages share a wire; all ranks finish their work at the same moment.
- Computation: {image} per image, from 120 ms for the backward pass of 32 images on one Tesla P100 (Goyal et al.
  2017, section 4), and half of that for the forward pass. It is proportional to the images per rank.
- Nothing overlaps: a step is computation + gradients + SyncBatchNorm. Gradients can be sent during backward; then
  up to two thirds of the computation hide them. SyncBatchNorm cannot hide: the next layer waits for its result.
- SyncBatchNorm's own arithmetic is part of the computation, except for the last section.

Weak scaling, {batch_per_rank} images per rank ({step} of computation), fast network:

{fast}

The same on the slow network:

{slow}

![Weak scaling, strong scaling, and the share of SyncBatchNorm.](figures/scale_predicted.png)

Efficiency is computation / whole step. A ring sends as many bytes as the tree, in 2 (p - 1) messages: with many
ranks its latency counts, and libraries change to trees.

SyncBatchNorm's time grows first as log2(p), the latency, and then as p, the bytes of the gathered statistics: on
1,024 ranks {gathered} of statistics pass through each rank in a step, and {reduced} of gradients. The column "if it
reduced" is another design: sums are added on the way instead of gathered, so the bytes hardly grow; but the sum of
squares must be centred, so the mean has to be known first, and there are three messages per layer instead of two.
With few ranks that is more latency; with many ranks it is far less of everything. PyTorch's SyncBatchNorm gathers,
too, in float32: half the bytes.

**From which batch on?** SyncBatchNorm takes more than this share of a step if a rank has *fewer* images than this:

{limits}

0 means: never. Not even without computation, because the gradients take the rest. In strong scaling, {total} images
are dealt out to all ranks: the images per rank fall while these numbers rise. The share passes 10 % at
{strong_fast} ranks on the fast network and at {strong_slow} on the slow one.

## What to do about it

- Synchronise within small groups of ranks. What a larger batch still gains is measured in [notebook
  08](../notebooks/08_small_batches_and_many_machines.ipynb).
- Use a normalisation without messages: GroupNorm, LayerNorm.
- In this package, combining is a readable loop over ranks in Python: {per_part} per rank and layer of {channels}
  channels. A forward that combines 1,024 ranks takes {combining} times as long as one that combines 4; for {layers}
  layers that alone is {all_parts} per step on this machine. It is not in the predictions above.

## How this page is made

    python benchmarks/scale.py --json docs/scale.json     measure (minutes; needs MPI)
    python docs/make_scale.py                             fit, predict, write this page and its figures

## Sources

- R. Thakur, R. Rabenseifner, W. Gropp: Optimization of collective communication operations in MPICH. International
  Journal of High Performance Computing Applications 19(1), 2005, sections 3 and 4.
- P. Patarasuk, X. Yuan: Bandwidth optimal all-reduce algorithms for clusters of workstations. Journal of Parallel
  and Distributed Computing 69(2), 2009.
- P. Goyal et al.: Accurate, large minibatch SGD: training ImageNet in 1 hour. arXiv:1706.02677, 2017.
- K. He, X. Zhang, S. Ren, J. Sun: Deep residual learning for image recognition. CVPR 2016."""


# ---- figures


def draw_fit(data, fits, path):
    """Exchanges with the fitted lines; predicted against measured steps."""
    title = "Latency and bandwidth: fitted to exchanges, tested on training steps"
    caption = "Left: flat on the left is latency, the slope on the right is bandwidth. Right: on the line, the "
    caption += "prediction is the measurement; above it the model is too high, below too low."
    figure, (left, right) = new_figure(1, 2, title=title, caption=caption)
    for ranks, color, marker in ((2, BLUE, "o"), (4, ORANGE, "s")):
        rows = [row[2:] for row in residuals(data, fits) if row[:2] == (ranks, "all_reduce")]
        sizes, measured, lines = zip(*rows, strict=True)
        left.plot(sizes, np.array(measured) * 1e6, marker, color=color, label=f"{ranks} ranks, measured")
        left.plot(sizes, np.array(lines) * 1e6, color=color, linestyle="-" if ranks == 2 else "--", label="fit")
        for sync, filled in ((False, "white"), (True, color)):
            own = [row for row in checks(data, fits) if row[2] is sync and row[3] == ranks]
            x, y = ([1e3 * row[i] for row in own] for i in (5, 6))
            name = f"{ranks} ranks, {'SyncBatchNorm' if sync else 'BatchNorm'}"
            look = {"markerfacecolor": filled, "markeredgecolor": color, "markeredgewidth": 2, "label": name}
            right.plot(x, y, marker, linestyle="", **look)
    left.set(title="all_reduce among the ranks", xlabel="bytes per rank", ylabel="communication (µs)")
    right.plot([0.1, 100], [0.1, 100], color=BLACK, linewidth=1)
    right.set(title="Training steps", xlabel="measured (ms)", ylabel="predicted (ms)")
    for axes in (left, right):
        axes.set(xscale="log", yscale="log")
        axes.legend()
    values = [1e3 * value for row in checks(data, fits) for value in row[5:]]
    right.set(xlim=(min(values) / 1.4, max(values) * 1.4), ylim=(min(values) / 1.4, max(values) * 1.4))
    for axis in (left.yaxis, right.xaxis, right.yaxis):
        plain_log_ticks(axis)
    save(figure, path)


def draw_predicted(path):
    """Weak and strong scaling, and SyncBatchNorm's share, on both networks."""
    title = "Predicted, not measured: ResNet-50 on a cluster"
    caption = "Left: the gap between the dotted line and the others is communication. Middle: the straight line halves "
    caption += "the time with twice the ranks; the others leave it. Right: SyncBatchNorm's share; "
    caption += "with fewer and fewer images per rank (white) it rises soonest."
    figure, (weak, strong, share) = new_figure(1, 3, title=title, caption=caption, size=(17, 6.4))
    net = resnet50()
    looks = {"fast": {"color": BLUE, "linestyle": "-"}, "slow": {"color": ORANGE, "linestyle": "--"}}
    for axes, images in ((weak, {n: BATCH for n in RANKS}), (strong, {n: TOTAL / n for n in RANKS})):
        axes.plot(RANKS, [1e3 * images[n] * SECONDS_PER_IMAGE for n in RANKS], color=BLACK, linestyle=":",
                  label="computation alone")  # fmt: skip
        for name, look in looks.items():
            times = np.array([shares(net, n, images[n], *NETWORKS[name][1:]) for n in RANKS])
            axes.plot(RANKS, 1e3 * times[:, :2].sum(1), **look, linewidth=1.6, label=f"{name}: with gradients")
            axes.plot(RANKS, 1e3 * times.sum(1), **look, marker="o", label=f"{name}: and SyncBatchNorm")
            mode = "weak" if axes is weak else "strong"
            filled = look["color"] if axes is weak else "white"
            share.plot(RANKS, 100 * times[:, 2] / times.sum(1), **look, marker="o" if axes is weak else "s",
                       markerfacecolor=filled, label=f"{name}, {mode} scaling")  # fmt: skip
    weak.set(title=f"Weak: {BATCH} images per rank", ylabel="one step (ms)")
    strong.set(title=f"Strong: {TOTAL:,} images in all", ylabel="one step (ms)")
    share.set(title="SyncBatchNorm's share", ylabel="% of the step")
    for axes in (weak, strong, share):
        axes.set(xlabel="ranks", xscale="log", yscale="log")
        axes.set_xticks(RANKS, [f"{n:,}" if i % 2 else "" for i, n in enumerate(RANKS)])
        axes.xaxis.set_minor_locator(NullLocator())
        plain_log_ticks(axes.yaxis)
        axes.legend(fontsize=11, loc="lower right" if axes is share else "best")
    weak.set(ylim=(100, 1000))
    weak.set_yticks([100, 200, 500, 1000], ["100", "200", "500", "1000"])
    weak.yaxis.set_minor_locator(NullLocator())
    save(figure, path)


def main():
    """Write the page and the figures."""
    data = json.loads(DATA.read_text(encoding="utf-8"))
    PAGE.write_text(page(data), encoding="utf-8")
    with style():
        draw_fit(data, fit_all(data), DOCS / "figures" / "scale_fit.png")
        draw_predicted(DOCS / "figures" / "scale_predicted.png")
    print("wrote docs/scale.md, docs/figures/scale_fit.png and docs/figures/scale_predicted.png")


if __name__ == "__main__":
    main()
