"""The figures of the names experiment."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from . import names
from .figures import BLACK, GREY, NETS, new_figure, save, style


def draw_all(folder, settings, content, runs):
    """Draw the two figures into `folder`.

    Parameters
    ----------
    folder : Path
    settings : names.Settings
    content, runs : dict
        What `names.experiment` returned.

    Returns
    -------
    list of Path
    """
    with style():
        return [
            loss(folder / "names_loss.png", settings, content, runs),
            saturation(folder / "names_tanh.png", settings, runs),
        ]


def loss(path, settings, content, runs):
    """The loss of both networks, the start and the whole run, beside the two losses to compare with."""
    early = min(settings.steps, max(20, settings.steps // 100))
    panels = (early, max(1, early // 40)), (settings.steps, names.window_of(settings.steps))
    dev = {net["batch_norm"]: names.show(net["loss"]["dev"]) for net in content["nets"]}
    bigram, uniform = (content["data"][key] for key in ("bigram_loss", "uniform_loss"))
    batch = settings.batch * content["ranks"]
    figure, axes = new_figure(
        1,
        2,
        title=f"Names: loss of {settings.steps:,} training batches of {batch}",
        caption=f"The step down halfway is the learning rate falling from {settings.lr:g} to {settings.lr / 10:g}. "
        f"These are losses in train mode, where BatchNorm uses the statistics of {batch} examples. In "
        f"eval mode, on all development names, they are {dev[True]} with BatchNorm and {dev[False]} without at "
        "the end (one seed).",
        size=(13, 6.8),
        width_ratios=(2, 3),
    )
    for panel, (steps, window) in zip(axes, panels, strict=True):
        drawn = [bigram]
        for bn, run in runs.items():
            line = names.running_mean(run.losses[:steps], window)
            picked = np.unique(np.linspace(0, len(line) - 1, min(1500, len(line))).astype(int))
            panel.plot(picked + window, line[picked], **NETS[bn] | {"linewidth": 2})
            drawn += line[np.isfinite(line)].tolist()
        low, high = min(drawn), max(drawn)
        panel.set(xlabel="step", xlim=(0, steps), ylim=(low - 0.05 * (high - low), high + 0.1 * (high - low) + 0.01))
        panel.set_title(f"{'All' if panel is axes[1] else 'The first'} {steps:,} steps, mean of {window:,}")
        panel.xaxis.set_major_formatter("{x:,.0f}")
        panel.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        panel.axhline(bigram, color=BLACK, linewidth=1.4, linestyle=":")
    axes[0].axhline(uniform, color=BLACK, linewidth=1.4, linestyle=":")
    axes[0].set_ylim(top=max(axes[0].get_ylim()[1], uniform + 0.15))
    axes[0].set_ylabel("cross-entropy (nats)")
    _name_line(axes[0], uniform, f"knows nothing: ln {len(content['data']['symbols'])} = {uniform:.3f}")
    _name_line(axes[1], bigram, f"best with one symbol of context: {bigram:.3f}")
    axes[1].legend(loc="upper right")
    return save(figure, path)


def _name_line(panel, height, words):
    """Write `words` above the horizontal line at `height`, at its right end."""
    where = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "ha": "right"}
    panel.annotate(words, (1, height), (-4, 4), **where)


def saturation(path, settings, runs):
    """Histograms of the tanh activations of both networks, before and after training."""
    figure, axes = new_figure(
        2,
        2,
        title="Names: where the tanh activations lie, before and after training",
        caption=f"{settings.hidden} neurons, the first 1,000 development examples; BatchNorm with the batch's "
        "statistics, as in training. Grey: |h|\u00a0>\u00a00.97, where the slope of tanh is below 0.06 and hardly "
        "any gradient passes; the number is the share of activations there.",
        size=(13, 8.4),
        sharex=True,
        sharey=True,
    )
    bins = np.linspace(-1, 1, 101)
    for column, (bn, look) in enumerate(NETS.items()):
        for row, (when, h) in enumerate((("before", runs[bn].hidden_start), ("after", runs[bn].hidden_end))):
            panel = axes[row, column]
            panel.stairs(np.histogram(h, bins)[0] / h.size * 100, bins, fill=True, color=look["color"], alpha=0.9)
            for side in (-1, 1):
                panel.axvspan(side * names.SATURATED, side * 1.0, color=GREY, alpha=0.45, linewidth=0, zorder=0)
            panel.set(title=f"{look['label']}, {when}", xlim=(-1.02, 1.02))
            share = f"|h| > {names.SATURATED}: {names.percent(names.saturated(h))}"
            panel.annotate(share, (0.5, 0.88), xycoords="axes fraction", ha="center")
    for panel in axes[1]:
        panel.set_xlabel("activation h")
    for panel in axes[:, 0]:
        panel.set_ylabel("share per 0.02 (%)")
    return save(figure, path)
