"""What many runs of the digits say: numbers per network and learning rate, tables, a verdict."""

import math
import statistics

from .digits_net import NORMS
from .results import table

USABLE = 0.9  # accuracy of a short run that counts as "this rate works"


def diverged(losses):
    """Whether a loss was not a finite number."""
    return not all(math.isfinite(loss) for loss in losses)


def summary(runs):
    """One row per network and rate, from {(norm, lr, seed): Run}.

    Returns
    -------
    list of dict
        norm, lr, parameters, and for every seed: accuracy and loss after the last epoch, diverged.
    """
    rows = {}
    for (norm, lr, _), run in runs.items():
        row = rows.setdefault((norm, lr), {"norm": norm, "lr": lr, "parameters": run.net})
        for name, value in (
            ("accuracy", run.accuracies[-1]),
            ("loss", run.losses[-1]),
            ("diverged", diverged(run.losses)),
        ):
            row.setdefault(name, []).append(value)
    order = list(NORMS)
    return [rows[key] for key in sorted(rows, key=lambda key: (key[1], order.index(key[0])))]


def best_rate(rows, norm):
    """The rate at which `norm` has the highest mean accuracy over the seeds; of equals the smallest.

    >>> rows = [{"norm": "batch", "lr": lr, "accuracy": a} for lr, a in ((0.1, [0.9, 0.8]), (0.3, [0.1, 0.95]))]
    >>> best_rate(rows, "batch")
    0.1
    """
    own = [row for row in rows if row["norm"] == norm]
    return min(own, key=lambda row: (-statistics.mean(row["accuracy"]), row["lr"]))["lr"]


def wrong_answers(runs, y):
    """Every image held out that some run got wrong: its number, its digit, and what each run saw in it.

    Returns
    -------
    list of dict
        {"image", "digit", "answers": {norm: [one per seed]}}, the image with the most wrong answers first.
    """
    answers = {}
    for (norm, _, _), run in runs.items():
        answers.setdefault(norm, []).append(run.predicted)
    found = []
    for i, digit in enumerate(y):
        given = {norm: [int(predicted[i]) for predicted in own] for norm, own in answers.items()}
        count = sum(answer != digit for own in given.values() for answer in own)
        if count:
            found.append((-count, {"image": i, "digit": int(digit), "answers": given}))
    return [entry for _, entry in sorted(found, key=lambda pair: pair[0])]


def percent(share):
    """A share as text."""
    return f"{100 * share:.1f} %"


def spread(values):
    """Mean, lowest and highest of shares as text."""
    return f"{100 * statistics.mean(values):.2f} % ({100 * min(values):.1f} to {100 * max(values):.1f})"


def usable(rows, norm):
    """The rates at which every seed of `norm` ends at USABLE or more."""
    return [row["lr"] for row in rows if row["norm"] == norm and min(row["accuracy"]) >= USABLE]


def text_tables(content):
    """The sweep, one line per rate, and the long runs, one line per network, as aligned text."""
    parts = []
    if content["rates"]:
        by_rate = {}
        for row in content["rates"]:
            by_rate.setdefault(row["lr"], {})[row["norm"]] = row["accuracy"]
        lines = [[f"{lr:g}", *(percent(statistics.mean(own[norm])) for norm in NORMS)] for lr, own in by_rate.items()]
        epochs = content["settings"]["sweep_epochs"]
        parts.append(table([f"validation, {epochs} epochs: lr", *NORMS.values()], lines))
    lines = [
        [
            NORMS[row["norm"]],
            f"{row['lr']:g}",
            spread(row["accuracy"]),
            "diverged" if None in row["loss"] else f"{statistics.mean(row['loss']):.4f}",
            f"{row['parameters']:,}",
        ]
        for row in content["final"]
    ]
    head = [f"test, {content['settings']['epochs']} epochs", "lr", "accuracy (lowest to highest)"]
    parts.append(table([*head, "training loss", "parameters"], sorted(lines, key=_order_of_line)))
    return "\n\n".join(parts) + "\n(means over the seeds)"


def _order_of_line(line):
    return list(NORMS.values()).index(line[0])


def verdict(rows, final, settings):
    """What the runs show, in sentences whose numbers are computed from them.

    Parameters
    ----------
    rows, final : list of dict
        From `summary`: the sweep (may be empty), and the long runs.
    settings : Settings

    Returns
    -------
    list of str
    """
    own = {row["norm"]: row for row in final}
    lines = [f"Share of test images that are right after {settings.epochs} epochs, mean of {settings.seeds} seeds:"]
    for norm, name in NORMS.items():
        lines.append(f"  {name + ':':<10} {spread(own[norm]['accuracy'])}, lr {own[norm]['lr']:g}")
    if rows:
        lines.append(
            f"Rates at which every seed has {100 * USABLE:.0f} % of the validation images right after "
            f"{settings.sweep_epochs} epochs:"
        )
        for norm, name in NORMS.items():
            found = ", ".join(f"{lr:g}" for lr in usable(rows, norm))
            lines.append(f"  {name + ':':<10} " + (f"lr {found}" if found else "no rate"))
    lines.append(compare(own))
    broken = [row for row in [*rows, *final] if any(row["diverged"])]
    if broken:
        names = [f"{NORMS[row['norm']]} at lr {row['lr']:g}: {sum(row['diverged'])}" for row in broken]
        lines.append(f"Runs whose loss was not a finite number (diverged): {', '.join(names)}.")
    return lines


def compare(own):
    """Whether the seeds tell the long runs of BatchNorm apart from the two others."""
    words = []
    for other, name in (("group", "GroupNorm"), ("none", "no normalisation")):
        a, b = own["batch"]["accuracy"], own[other]["accuracy"]
        if min(a) > max(b):
            words.append(f"every seed with BatchNorm above every seed with {name}")
        elif max(a) < min(b):
            words.append(f"every seed with BatchNorm below every seed with {name}")
        else:
            words.append(f"no difference between BatchNorm and {name} that these seeds show")
    return f"Each at its own rate: {'; '.join(words)}."
