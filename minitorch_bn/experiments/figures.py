"""One look for all figures of the project.

Made for a projector: large letters, few ticks. Readable without colour: blue is dark and orange light, and their lines
differ too. Every figure has a title that says what it is, axes with units, and a caption that says what to see.

Figures are made with matplotlib's objects, not with pyplot: no window, no state, nothing to close.

    with style():
        figure, (left, right) = new_figure(1, 2, title="...", caption="...")
        left.plot(x, y, **WITH)
        save(figure, path)
"""

import io
import textwrap
from contextlib import contextmanager

import numpy as np

from .results import write_bytes

BLUE, ORANGE, GREY, BLACK = "#0b3c7d", "#e8850c", "#7a7a7a", "#111111"

# The two networks in every figure: colour, line and name. In grey, blue is dark and orange is light.
WITH = {"color": BLUE, "linestyle": "-", "label": "with BatchNorm"}
WITHOUT = {"color": ORANGE, "linestyle": "--", "label": "without"}
NETS = {True: WITH, False: WITHOUT}
MARKERS = {True: "o", False: "s"}

DPI = 150
SETTINGS = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters everywhere, accents too
    "font.size": 14,
    "axes.titlesize": 15,
    "axes.titlelocation": "left",
    "axes.labelsize": 14,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.edgecolor": "#444444",
    "grid.color": "#dddddd",
    "grid.linewidth": 0.8,
    "legend.fontsize": 13,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "lines.linewidth": 2.6,
    "lines.markersize": 8,
    "figure.titlesize": 19,
    "figure.titleweight": "bold",
    "xtick.labelsize": 13,
    "ytick.labelsize": 13,
    "savefig.facecolor": "white",
    "axes.unicode_minus": True,
}


@contextmanager
def style():
    """Draw in the look of the project inside; matplotlib's settings are as before afterwards."""
    import matplotlib

    defaults = {name: value for name, value in matplotlib.rcParamsDefault.items() if name != "backend"}
    with matplotlib.rc_context({**defaults, **SETTINGS}):  # rc_context would not put a backend back
        yield


def new_figure(rows=1, columns=1, *, title, caption, size=(13, 6), **subplots):
    """A figure with a title above and a caption below.

    Parameters
    ----------
    rows, columns : int
        Of axes.
    title : str
        What is shown, in one line.
    caption : str
        What to see: one to three sentences, wrapped to the width.
    size : (float, float)
        Width and height in inches.
    **subplots
        For Figure.subplots: sharex, sharey, ...

    Returns
    -------
    (Figure, array of Axes or Axes)
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    figure._repr_png_ = lambda: png(figure)  # how a notebook shows it, whether pyplot has been used or not
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.1)
    axes = figure.subplots(rows, columns, **subplots)
    figure.suptitle(title, x=0.012, ha="left")
    wrapped = "\n".join(textwrap.wrap(caption, int(size[0] * 9.7)))
    figure.supxlabel(wrapped, x=0.012, ha="left", fontsize=14, color="#333333", linespacing=1.35)
    return figure, axes


def band(axes, x, lines, **look):
    """Draw the median of several curves as a line, and behind it the band from the lowest to the highest.

    Parameters
    ----------
    axes : Axes
    x : array of shape (N,)
    lines : array of shape (curves, N)
        nan where a curve has no value.
    look : dict
        One of NETS.
    """
    axes.fill_between(x, lines.min(0), lines.max(0), color=look["color"], alpha=0.22, linewidth=0)
    axes.plot(x, np.median(lines, 0), **look)


def plain_log_ticks(axis, extra=None):
    """Label a logarithmic axis with plain numbers at the powers of ten: 0.01, 0.1, 1, 10, 100.

    Parameters
    ----------
    axis : Axis
        `axes.xaxis` or `axes.yaxis`, after its scale is set.
    extra : dict, optional
        {position: label} of further ticks.
    """
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator

    extra = extra or {}
    if extra:
        low, high = axis.get_view_interval()
        powers = 10.0 ** np.arange(np.ceil(np.log10(max(low, 1e-12))), np.floor(np.log10(high)) + 1)
        axis.set_major_locator(FixedLocator([*powers[powers < min(extra)], *extra]))
    else:
        axis.set_major_locator(LogLocator(10, numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _: extra.get(value, f"{value:g}")))


def png(figure, dpi=None):
    """The figure as the bytes of a PNG file; dots per inch as the figure says, unless given."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=dpi or figure.dpi)
    return picture.getvalue()


def save(figure, path):
    """Write `figure` as PNG, whole or not at all; return the path."""
    return write_bytes(path, png(figure, DPI))
