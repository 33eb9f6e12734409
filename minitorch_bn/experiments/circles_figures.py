"""The figures of the circles experiment."""

import math
import statistics

import numpy as np
from threadpoolctl import threadpool_limits

import minitorch_bn as mt

from . import circles, sweep
from .figures import BLACK, MARKERS, NETS, ORANGE, WITH, band, new_figure, plain_log_ticks, save, style


def draw_all(folder, settings, content, curves):
    """Draw the four figures into `folder`.

    Parameters
    ----------
    folder : Path
    settings : circles.Settings
    content, curves : dict
        What `circles.experiment` returned.

    Returns
    -------
    list of Path
    """
    with style(), threadpool_limits(1):
        return [
            one_seed(folder / "circles_one_seed.png", settings, curves),
            regions(folder / "circles_regions.png", settings),
            seeds(folder / "circles_seeds.png", settings, curves),
            rates(folder / "circles_rates.png", settings, content["rates"]),
        ]


def one_seed(path, settings, curves):
    """Loss and test accuracy of both networks, from the first seed."""
    picked = {bn: curves[bn, settings.lr, settings.seed] for bn in NETS}
    reached = [_epochs(sweep.epochs_to(picked[bn][1])) for bn in NETS]
    ends = [f"{100 * picked[bn][1][-1]:.1f} %" for bn in NETS]
    dtype, own = getattr(mt, settings.dtype), []
    data = circles.load_data(dtype)

    def ask(net):
        own.append(100 * circles.accuracy_in_train_mode(net, data))

    circles.run(settings.seed, True, settings.lr, settings.epochs, settings.dtype, data, probe=ask)
    figure, axes = new_figure(
        1,
        2,
        title=f"Circles, seed {settings.seed}, learning rate {settings.lr:g}",
        caption=f"95 % of the test points are first right after {reached[0]} with BatchNorm and {reached[1]} "
        f"without; at the end {ends[0]} and {ends[1]} are. Thin line: the same network with BatchNorm, asked with "
        "the test points' own mean and variance; where it runs above the thick one, the running statistics lag "
        "behind the weights. This is one seed.",
        size=(13, 6.6),
    )
    epochs = np.arange(1, settings.epochs + 1)
    for bn, (losses, accuracies) in picked.items():
        axes[0].plot(epochs, losses, **NETS[bn])
        axes[1].plot(epochs, 100 * np.array(accuracies), **NETS[bn])
    thin = {"color": WITH["color"], "linewidth": 1.3, "label": "with, test points' own statistics", "zorder": 1.5}
    axes[1].plot(epochs, own, **thin)
    _label(axes, settings.epochs)
    return save(figure, path)


def seeds(path, settings, curves):
    """Loss and test accuracy of both networks over all seeds: median and range."""
    figure, axes = new_figure(
        1,
        2,
        title=f"Circles, {settings.seeds} seeds, learning rate {settings.lr:g}",
        caption="Lines: median over the seeds. Bands: from the lowest to the highest seed. Where the bands lie apart, "
        "every seed agrees; where they overlap, a single run proves nothing.",
    )
    epochs = np.arange(1, settings.epochs + 1)
    for bn in NETS:
        runs = [run for (b, lr, _), run in curves.items() if b is bn and lr == settings.lr]
        band(axes[0], epochs, np.array([losses for losses, _ in runs]), **NETS[bn])
        band(axes[1], epochs, 100 * np.array([accuracies for _, accuracies in runs]), **NETS[bn])
    _label(axes, settings.epochs)
    return save(figure, path)


def _label(axes, epochs):
    """Titles, labels and scales of the two panels, loss and accuracy."""
    for panel in axes:
        panel.set(xscale="log", xlabel="epoch (logarithmic)", xlim=(1, max(2, epochs)))
        plain_log_ticks(panel.xaxis)
    axes[0].set(title="Training loss", ylabel="cross-entropy (nats)", yscale="log")
    plain_log_ticks(axes[0].yaxis)
    axes[1].set(title="Test accuracy", ylabel="right answers (%)", ylim=(40, 101.5))
    axes[1].axhline(100 * sweep.GOAL, color=BLACK, linewidth=1, linestyle=":")
    axes[1].annotate("95 %", (1, 100 * sweep.GOAL), (6, -4), textcoords="offset points", va="top", fontsize=12)
    axes[1].legend(loc="lower right")


def regions(path, settings):
    """What both networks, trained from the first seed, say about every point of the plane."""
    figure, axes = new_figure(
        1,
        2,
        title=f"Circles: where each network draws the line, seed {settings.seed}, learning rate {settings.lr:g}",
        caption=f"After {settings.epochs} epochs. Test points: circles are the outer ring, triangles the inner one. "
        "Background: the probability of the inner ring; black line: one half. Look for the corners of the line "
        "(each is a ReLU that switches), for the width of the grey border, and for how sure both are where no "
        "data is.",
        size=(13, 7.5),
        sharex=True,
        sharey=True,
    )
    data = circles.load_data()
    ticks = np.linspace(-1.5, 1.5, 151)
    grid = np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2)
    x, y = data.x_test.numpy(), data.y_test.numpy()
    for panel, (bn, look) in zip(axes, NETS.items(), strict=True):
        run = circles.run(settings.seed, bn, settings.lr, settings.epochs, settings.dtype)
        p = circles.probabilities(run.net, grid).reshape(len(ticks), len(ticks))
        filled = panel.contourf(ticks, ticks, p, levels=np.linspace(0, 1, 11), cmap="Greys", alpha=0.75)
        if p.min() < 0.5 < p.max():
            panel.contour(ticks, ticks, p, levels=[0.5], colors=BLACK, linewidths=2.5)
        for label, marker, face in ((0, "o", ORANGE), (1, "^", "white")):
            panel.scatter(*x[y == label].T, s=28, marker=marker, facecolor=face, edgecolor=BLACK, linewidth=0.7)
        wrong = round((1 - run.accuracies[-1]) * len(y))
        panel.set(title=f"{look['label']}: {wrong} of {len(y)} wrong", xlabel="$x_1$", aspect="equal")
        panel.grid(False)
    axes[0].set_ylabel("$x_2$")
    figure.colorbar(filled, ax=axes, label="P(inner ring)", ticks=[0, 0.5, 1], shrink=0.8, pad=0.02)
    return save(figure, path)


def rates(path, settings, rows):
    """The sweep: final accuracy, and epochs to 95 %, against the learning rate."""
    figure, axes = new_figure(
        1,
        2,
        title=f"Circles at {len({row['lr'] for row in rows})} learning rates, {settings.seeds} seeds each",
        caption=_rates_caption(rows),
        size=(13, 6.6),
    )
    never = 2 * settings.epochs
    for bn, look in NETS.items():
        own = [row for row in rows if row["batch_norm"] is bn]
        lr = np.array([row["lr"] for row in own])
        band(axes[0], lr, 100 * np.array([row["accuracy"] for row in own]).T, **look, marker=MARKERS[bn])
        shift = 1.06 if bn else 1 / 1.06  # beside each other, not on top of each other
        middles = []
        for row in own:
            first = [never if epoch is None else epoch for epoch in row["epochs_to_95"]]
            dots = {"s": 22, "color": look["color"], "alpha": 0.45, "linewidth": 0, "marker": MARKERS[bn]}
            axes[1].scatter([row["lr"] * shift] * len(first), first, **dots)
            middles.append(statistics.median(first))
        axes[1].plot(lr * shift, middles, **look, marker=MARKERS[bn])
    for panel in axes:
        panel.set(xscale="log", xlabel="learning rate (logarithmic)")
        plain_log_ticks(panel.xaxis)
    axes[0].set(title=f"Test accuracy after {settings.epochs} epochs", ylabel="right answers (%)", ylim=(40, 101.5))
    axes[1].set(title="Epochs until 95 % were first right", ylabel="epochs", yscale="log", ylim=(0.8, 1.4 * never))
    plain_log_ticks(axes[1].yaxis, extra={never: "never"})
    axes[1].axhline(settings.epochs * math.sqrt(2), color=BLACK, linewidth=1, linestyle=":")
    axes[0].legend(handles=axes[1].get_lines()[:2], loc="lower center")
    return save(figure, path)


def _rates_caption(rows):
    """What the sweep shows, from its numbers."""
    good = {bn: [row["lr"] for row in rows if row["batch_norm"] is bn and sweep.mostly(row)] for bn in NETS}
    parts = [
        f"{name} at " + (f"{len(good[bn])} rates, {min(good[bn]):g} to {max(good[bn]):g}" if good[bn] else "no rate")
        for bn, name in ((True, "with BatchNorm"), (False, "without"))
    ]
    best = [max(statistics.median(row["accuracy"]) for row in rows if row["batch_norm"] is bn) for bn in NETS]
    return (
        f"Most seeds end at 95 % or more {', '.join(parts)}. At its best rate each network comes to "
        f"{100 * best[0]:.1f} % and {100 * best[1]:.1f} %. Lines: median over the seeds; bands: lowest "
        "to highest; dots: "
        "single seeds."
    )


def _epochs(count):
    return "no epoch at all" if count is None else f"{count} epoch{'s' if count > 1 else ''}"
