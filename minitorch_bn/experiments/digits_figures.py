"""The figures of the digits experiment."""

import statistics

import numpy as np

from . import digits, digits_results
from .digits_net import NORMS
from .figures import BLACK, BLUE, GREY, ORANGE, band, new_figure, plain_log_ticks, save, style

# The three networks in every figure: in grey, dark, middle and light; three lines, three markers.
LOOKS = {
    "batch": {"color": BLUE, "linestyle": "-", "marker": "o", "label": NORMS["batch"]},
    "group": {"color": GREY, "linestyle": "-.", "marker": "^", "label": NORMS["group"]},
    "none": {"color": ORANGE, "linestyle": "--", "marker": "s", "label": NORMS["none"]},
}
MARKS = {"batch": "B", "group": "G", "none": "-"}  # beside the answers of each network
SHOWN = 14  # images in the figure of wrong answers


def draw_all(folder, settings, content, runs):
    """Draw the figures into `folder`.

    Parameters
    ----------
    folder : Path
    settings : digits.Settings
    content, runs : dict
        What `digits.experiment` returned.

    Returns
    -------
    list of Path
    """
    with style():
        drawn = [rates(folder / "digits_rates.png", settings, content)] if content["rates"] else []
        return [
            *drawn,
            curves(folder / "digits_curves.png", settings, content, runs),
            wrong(folder / "digits_wrong.png", settings, content),
        ]


def draw_rates(axes, rows, held_out):
    """The sweep on two axes: right answers against the learning rate, and wrong ones on a logarithmic scale.

    Parameters
    ----------
    axes : two Axes
    rows : list of dict
        From `digits_results.summary`.
    held_out : int
        How many images were asked for: none wrong is drawn as half an image.
    """
    for norm, look in LOOKS.items():
        own = [row for row in rows if row["norm"] == norm]
        lr, accuracy = [row["lr"] for row in own], np.array([row["accuracy"] for row in own]).T
        band(axes[0], lr, 100 * accuracy, **look)
        band(axes[1], lr, percent_wrong(accuracy, held_out), **look)
    for panel in axes:
        panel.set(xscale="log", xlabel="largest learning rate (logarithmic)")
        plain_log_ticks(panel.xaxis)
    axes[0].set(title="Right answers", ylabel="validation images (%)", ylim=(0, 102))
    axes[0].legend(loc="lower center")
    axes[1].set(title="Wrong answers, logarithmic", ylabel="validation images (%)", yscale="log", ylim=(0.5, 100))
    plain_log_ticks(axes[1].yaxis)


def percent_wrong(accuracy, held_out):
    """Wrong answers in percent; none is half an image, so that a logarithmic axis can show it."""
    return 100 * np.maximum(1 - np.asarray(accuracy), 0.5 / held_out)


def rates(path, settings, content):
    """The sweep: accuracy of short runs against the learning rate."""
    parts = []
    for norm, name in NORMS.items():
        found = digits_results.usable(content["rates"], norm)
        parts.append(f"{name} {len(found)}")
    figure, axes = new_figure(
        1,
        2,
        title=f"Digits at {len(settings.rates)} learning rates, {settings.sweep_epochs} epochs, {_seeds(settings)}",
        caption="Lines: median over the seeds; bands: lowest to highest. Left: how wide the range of good rates is "
        f"(rates at which every seed reaches {100 * digits_results.USABLE:.0f} %: {', '.join(parts)}). "
        "Right: how good each network is at its best rate.",
        size=(13, 6.6),
    )
    draw_rates(axes, content["rates"], content["data"]["validation"]["held_out"])
    return save(figure, path)


def curves(path, settings, content, runs):
    """Training loss and wrong answers of the long runs, epoch by epoch."""
    means = {
        row["norm"]: f"{100 * statistics.mean(row['accuracy']):.2f} % at rate {row['lr']:g}" for row in content["final"]
    }
    figure, axes = new_figure(
        1,
        2,
        title=f"Digits: each network at its rate, {settings.epochs} epochs, {_seeds(settings)}",
        caption="Right at the end, mean over the seeds: "
        + ", ".join(f"{NORMS[norm]} {words}" for norm, words in means.items())
        + ". Lines: median; bands: lowest to highest seed. The test images had no part in any choice.",
        size=(13, 6.6),
    )
    epochs = np.arange(1, settings.epochs + 1)
    for norm, look in LOOKS.items():
        own = [run for (kind, _, _), run in runs.items() if kind == norm]
        band(axes[0], epochs, np.array([run.losses for run in own]), **look)
        wrong_share = percent_wrong([run.accuracies for run in own], content["data"]["test"]["held_out"])
        band(axes[1], epochs, wrong_share, **look)
    no_loss = not any(np.isfinite(run.losses).any() for run in runs.values())
    if no_loss:
        axes[0].text(0.5, 0.5, "no loss was a finite number", ha="center", transform=axes[0].transAxes)
        axes[0].set_yticks([])
    for panel in axes:
        panel.set(xlabel="epoch", xlim=(0.5, settings.epochs + 0.5))
        panel.xaxis.get_major_locator().set_params(integer=True)
        if not (no_loss and panel is axes[0]):  # a logarithmic axis needs numbers
            panel.set_yscale("log")
            plain_log_ticks(panel.yaxis)
    axes[0].set(title="Training loss, shifted images", ylabel="cross-entropy (nats, logarithmic)")
    axes[1].set(title="Wrong answers on the test images", ylabel="wrong (%, logarithmic)")
    axes[1].legend(loc="upper right")
    return save(figure, path)


def wrong(path, settings, content):
    """The test images that most of the long runs got wrong, with all answers."""
    found = content["wrong"]
    shown = found[:SHOWN]
    runs = len(NORMS) * settings.seeds
    columns = SHOWN // 2
    figure, axes = new_figure(
        2,
        columns,
        title=f"Digits: {len(found)} of {content['data']['test']['held_out']} test images are wrong in some run",
        caption=f"Above each scan its digit; below it the answers of each network ({_seeds(settings)}; "
        f"{', '.join(f'{mark}: {NORMS[norm]}' for norm, mark in MARKS.items())}). "
        f"First those that most of the {runs} runs got wrong. Which of them would you get right?",
        size=(13, 7.2),
    )
    images = digits.load_data("test").x_test.numpy()
    for panel in axes.flat:
        panel.axis("off")
    for panel, entry in zip(axes.flat, shown):  # there may be fewer images than places
        panel.imshow(images[entry["image"], 0], cmap="gray_r", vmin=-1, vmax=1)
        panel.set_title(f"a {entry['digit']}", loc="center", fontsize=17, fontweight="bold")
        answers = "\n".join(f"{MARKS[norm]} {' '.join(map(str, own))}" for norm, own in entry["answers"].items())
        panel.text(0.5, -0.06, answers, transform=panel.transAxes, ha="center", va="top", fontsize=14, color=BLACK,
                   family="DejaVu Sans Mono")  # fmt: skip
    return save(figure, path)


def _seeds(settings):
    return "one seed" if settings.seeds == 1 else f"{settings.seeds} seeds"
