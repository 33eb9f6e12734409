"""What many runs of the circles say: numbers per network and learning rate, a table, a verdict."""

import math
import statistics

from .results import table

GOAL = 0.95  # test accuracy that counts as "the circles are separated"


def epochs_to(accuracies, goal=GOAL):
    """How many epochs until the test accuracy first reached `goal`; None if it never did.

    >>> epochs_to([0.5, 0.9, 0.96, 0.94])
    3
    """
    return next((epoch for epoch, accuracy in enumerate(accuracies, 1) if accuracy >= goal), None)


def diverged(losses):
    """Whether a loss was not a finite number."""
    return not all(math.isfinite(loss) for loss in losses)


def summary(curves):
    """One row per network and rate, from {(batch_norm, lr, seed): (losses, accuracies)}.

    Returns
    -------
    list of dict
        batch_norm, lr, and for every seed: accuracy and loss (after the last epoch), epochs_to_95 (None: never),
        diverged. The training loss is the last epoch's, before its step.
    """
    rows = {}
    for (batch_norm, lr, _), (losses, accuracies) in curves.items():
        row = rows.setdefault((lr, not batch_norm), {"batch_norm": batch_norm, "lr": lr})
        for name, value in (
            ("accuracy", accuracies[-1]),
            ("loss", losses[-1]),
            ("epochs_to_95", epochs_to(accuracies)),
            ("diverged", diverged(losses)),
        ):
            row.setdefault(name, []).append(value)
    return [rows[key] for key in sorted(rows)]


def median_epochs(values):
    """Median of epochs to the goal, where None is later than any number; None if at least half never got there."""
    middle = statistics.median(math.inf if value is None else value for value in values)
    return None if math.isinf(middle) else middle


def mostly(row):
    """Whether more than half of the seeds ended at the goal or above."""
    return sum(accuracy >= GOAL for accuracy in row["accuracy"]) > len(row["accuracy"]) / 2


def show_epochs(values):
    """The median of epochs to the goal as text."""
    middle = median_epochs(values)
    return "never" if middle is None else f"{middle:g}"


def show_accuracy(values):
    """The median of accuracies as text, in percent."""
    return f"{100 * statistics.median(values):.1f} %"


def show_arrived(accuracies):
    """How many of the accuracies are at the goal, as text."""
    return f"{sum(accuracy >= GOAL for accuracy in accuracies)}/{len(accuracies)}"


def text_table(rows):
    """The sweep as aligned text: one line per rate, both networks side by side."""
    by_rate = {}
    for row in rows:
        by_rate.setdefault(row["lr"], {})[row["batch_norm"]] = row
    lines = []
    for lr, pair in by_rate.items():
        cells = [[show(pair[bn][what]) for bn in (True, False)] for what, show in SHOWN]
        lines.append([f"{lr:g}", *cells[0], *cells[1], *cells[2]])
    head = ["lr", "accuracy BN", "plain", "first 95 % BN", "plain", "95 % at the end BN", "plain"]
    notes = [
        "(test accuracy after the last epoch, and the first epoch at 95 %: medians over the seeds; never says that",
        "half of them or more did not get there; then how many seeds ended at 95 % or more)",
    ]
    return "\n".join([table(head, lines), *notes])


SHOWN = (("accuracy", show_accuracy), ("epochs_to_95", show_epochs), ("accuracy", show_arrived))


def verdict(rows, lr, epochs):
    """What the sweep shows, in sentences whose numbers are computed from it.

    Parameters
    ----------
    rows : list of dict
        From `summary`.
    lr : float
        The rate of the curves, spoken of first.
    epochs : int

    Returns
    -------
    list of str
    """
    nets = {bn: {row["lr"]: row for row in rows if row["batch_norm"] is bn} for bn in (True, False)}
    rates = sorted(nets[True])
    bn, plain = nets[True][lr], nets[False][lr]
    lines = [
        f"At lr {lr:g}, epochs until 95 %: {show_epochs(bn['epochs_to_95'])} with BatchNorm, "
        f"{show_epochs(plain['epochs_to_95'])} without (median); test accuracy after {epochs} epochs "
        f"{show_accuracy(bn['accuracy'])} and {show_accuracy(plain['accuracy'])}."
    ]
    groups = {"Only BatchNorm gets there": [], "Both, BatchNorm sooner": [], "Both, no clear difference": []}
    groups |= {"Both, without it sooner": [], "Only without it": [], "Neither": []}
    for rate in rates:
        groups[_compare(nets[True][rate], nets[False][rate])].append(rate)
    lines.append(f"At 95 % test accuracy or more after {epochs} epochs, in most seeds:")
    lines += [f"  {name + ':':<27} lr {', '.join(f'{r:g}' for r in found)}" for name, found in groups.items() if found]
    best = {bn: max(nets[bn].values(), key=lambda row: statistics.median(row["accuracy"])) for bn in (True, False)}
    top = [f"{show_accuracy(best[bn]['accuracy'])} at lr {best[bn]['lr']:g}" for bn in (True, False)]
    lines.append(f"The best rate of each: {top[0]} with BatchNorm, {top[1]} without.")
    lines.append(what_it_changes(rows))
    broken = [row for row in rows if any(row["diverged"])]
    if broken:
        names = [f"{'with' if r['batch_norm'] else 'without'} at lr {r['lr']:g}: {sum(r['diverged'])}" for r in broken]
        lines.append(f"Runs whose loss was not a finite number (diverged): {', '.join(names)}.")
    return lines


def what_it_changes(rows):
    """Whether BatchNorm, in this sweep, raises the best accuracy, or widens the range of rates, or both."""
    best, count = {}, {}
    for bn in (True, False):
        own = [row for row in rows if row["batch_norm"] is bn]
        best[bn] = max(statistics.median(row["accuracy"]) for row in own)
        count[bn] = sum(map(mostly, own))
    difference = 100 * (best[True] - best[False])
    top = "leaves the top where it was" if abs(difference) < 0.5 else f"changes the top by {difference:+.1f} points"
    return f"Here BatchNorm {top}; most seeds end at 95 % at {count[True]} rates with it, at {count[False]} without."


def _compare(bn, plain):
    """Which of the groups of `verdict` a pair of rows belongs to.

    A difference is clear if a network's quartiles lie apart: three quarters of its seeds are sooner than three quarters
    of the other's.
    """
    if not (mostly(bn) and mostly(plain)):
        return {(True, False): "Only BatchNorm gets there", (False, True): "Only without it"}.get(
            (mostly(bn), mostly(plain)), "Neither"
        )
    bn, plain = (sorted(math.inf if e is None else e for e in row["epochs_to_95"]) for row in (bn, plain))
    late, early = math.ceil(0.75 * len(bn)) - 1, math.floor(0.25 * len(bn))
    if bn[late] < plain[early]:
        return "Both, BatchNorm sooner"
    return "Both, without it sooner" if plain[late] < bn[early] else "Both, no clear difference"
