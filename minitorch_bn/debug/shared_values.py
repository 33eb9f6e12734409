"""Which values share a mean: read off the axes that a norm layer's op really summed over, and drawn as cubes.

    labels = shared_values(nn.GroupNorm(3, 6), (4, 6, 2, 2))     equal numbers: one mean
    draw_shared_values({"GroupNorm": labels})

BatchNorm, LayerNorm, InstanceNorm and GroupNorm are one formula; they differ in these numbers only.
"""

import copy
import math

import numpy as np

from .. import backend, dtypes, engine, world
from ..experiments.figures import BLUE, new_figure, style
from ..nn.module import Module
from ..ops.batchnorm import BatchNorm, FixedBatchNorm
from ..ops.normalisation import Normalisation
from ..ops.rmsnorm import RMSNorm
from ..ops.syncbatchnorm import SyncBatchNorm
from ..tensor import Tensor

FAMILY = (BatchNorm, SyncBatchNorm, Normalisation, RMSNorm)  # ops that compute statistics of their input
DEPTH = (0.46, 0.34)  # how far right and up one sample lies behind the one in front of it, in sides of a cell


# ---- labels ----------------------------------------------------------------------------------------------------------


def shared_values(layer, shape, ranks=1):
    """Number the values of an input so that two values have the same number if they share one mean.

    The layer, or a copy of it, is applied to random numbers of this shape. The numbers follow from the `axes` of the op
    that ran. In RMSNorm, which computes no mean, they say which values share a root mean square.

    Parameters
    ----------
    layer : Module, function of a Tensor, or Op
        A norm layer, or a call such as ``lambda x: F.group_norm(x, 3)``; a layer is left as it is. Or an op that ran,
        such as ``y.op``, of which the numbers are read off.
    shape : tuple or list of int
        Of the input.
    ranks : int
        Cut the samples (dimension 0) into so many parts, one per rank of a group. A SyncBatchNorm exchanges its
        statistics with the other ranks, every other layer works on its own part alone.

    Returns
    -------
    array of int of the given shape

    Raises
    ------
    ValueError
        If the layer normalises with given (running) statistics, no norm op or several run inside it, the op works on
        other values than the input (a layer stands before it, or a transpose), the shape has no values, the ranks are
        more than the samples, or the layer refuses the shape.
    TypeError
        If the layer cannot be called, the shape is no tuple or list, or ranks no int.

    >>> from minitorch_bn import nn
    >>> shared_values(nn.InstanceNorm1d(2), (2, 2, 3)).tolist()
    [[[0, 0, 0], [1, 1, 1]], [[2, 2, 2], [3, 3, 3]]]
    >>> shared_values(nn.BatchNorm1d(3), (4, 3), ranks=2).tolist()
    [[0, 1, 2], [0, 1, 2], [3, 4, 5], [3, 4, 5]]
    """
    check(layer, shape)
    shape = tuple(shape)
    if isinstance(layer, FAMILY):
        return numbers(layer, shape)
    if not isinstance(ranks, int):
        raise TypeError(f"shared_values: ranks must be an int, got {type(ranks).__name__}")
    if ranks < 1 or (ranks > 1 and not (shape and shape[0] >= ranks)):
        raise ValueError(f"shared_values: got ranks={ranks} for input of shape {shape}, wanted 1 to its first size")
    x = np.random.default_rng(0).normal(size=shape)
    numbered, used = [], 0
    for op, part in run_on_ranks(layer, np.array_split(x, ranks) if ranks > 1 else [x]):
        own = numbers(op, part.shape)
        exchanged = isinstance(op, SyncBatchNorm)
        numbered.append(own if exchanged else own + used)
        used += own.max(initial=-1) + 1
    return np.concatenate(numbered) if ranks > 1 else numbered[0]


def check(layer, shape):
    """Raise the errors of `shared_values` about the kind of its arguments."""
    if not callable(layer) and not isinstance(layer, FAMILY):
        raise TypeError(
            f"shared_values: got {type(layer).__name__}, wanted a norm layer, a function of a tensor, or a norm op"
        )
    if not isinstance(shape, tuple | list):
        raise TypeError(f"shared_values: shape must be a tuple or list of ints, got {type(shape).__name__}")
    if math.prod(shape) <= 0:
        raise ValueError(f"shared_values: got shape {tuple(shape)}, wanted one that holds values")


def numbers(op, shape):
    """The numbers of one op that ran: they do not change along `op.axes`, and along all other axes they count.

    They are counted in the shape of `op.x_hat`. That is the input's, but for GroupNorm, which sees the input as
    (N, G, C / G, S).
    """
    view = op.x_hat.shape
    groups = [1 if axis in op.axes else size for axis, size in enumerate(view)]
    one_per_group = np.arange(math.prod(groups)).reshape(groups)
    return np.broadcast_to(one_per_group, view).reshape(shape)


def run_on_ranks(layer, parts):
    """Apply a layer to the parts of a batch, each on a rank of its own; give (op, part) of every rank.

    The ranks are played one after the other, twice: the second time every rank knows what the others said the first
    time.
    """
    before = world.current() if world.is_initialized() else None
    group = PlayedGroup(len(parts))
    try:
        world.enter(group)
        for _ in range(2 if len(parts) > 1 else 1):
            group.heard, group.said = group.said, []
            ops = [op_of(layer, part) for part in parts]
    finally:
        world.enter(before)
    return list(zip(ops, parts, strict=True))


class PlayedGroup(world.Alone):
    """A group whose ranks run one after the other: each is answered with what all said in the round before."""

    def __init__(self, size):
        self.size, self.said, self.heard = size, [], []

    def all_gather(self, array):
        self.said.append(array)
        return self.heard or [array] * self.size


def op_of(layer, values):
    """The norm op that runs when a layer, or a function, is applied to an array of values."""
    dtype, device = dtypes.float32.numpy, "cpu"
    if isinstance(layer, Module):
        layer = copy.deepcopy(layer)
        for t in (*layer.parameters(), *layer.buffers()):
            if t.array.dtype.kind == "f":
                dtype, device = t.array.dtype, backend.device_of(t.array)
                break
    x = Tensor(backend.to_device(values.astype(dtype), device))
    x.requires_grad = True
    with engine.enable_grad():
        y = layer(x)
    ops = [t.op for t in engine.graph(y)]
    found = [op for op in ops if isinstance(op, FAMILY)]
    if len(found) == 1:
        seen = backend.to_numpy(found[0].inputs[0].array)
        if not np.array_equal(seen.reshape(-1), backend.to_numpy(x.array).reshape(-1)):
            raise ValueError(
                f"shared_values: in {layer!r}, {type(found[0]).__name__} gets other values than the input, or in "
                "another order. Give the norm layer itself, and the shape of its input"
            )
        return found[0]
    if any(isinstance(op, FixedBatchNorm) for op in ops):
        raise ValueError(
            f"shared_values: {layer!r} normalises with given (running) statistics: no values of its input share a mean."
            " Use .train() (and .unfreeze()), or a layer without running statistics"
        )
    raise ValueError(
        f"shared_values: wanted a layer in which one norm op runs, got {layer!r}, in which {len(found)} do; its ops: "
        + (", ".join(type(op).__name__ for op in reversed(ops)) or "none")
    )


# ---- the figure ------------------------------------------------------------------------------------------------------


def draw_shared_values(members, ranks=None, columns=4):
    """Draw a cube of (N, C, S) per member of the family: dark are the values that share one mean with a corner's.

    The corner is that of the first sample, the last channel and the first position; it is seen from three sides. Heavy
    lines run between values that have different means.

    Parameters
    ----------
    members : dict
        {name: array of labels}, each of shape (N, C) or (N, C, *S), as `shared_values` gives them. Positions S are
        drawn as one axis.
    ranks : dict, optional
        {name: number of ranks}, for members whose samples are spread over several.
    columns : int
        Cubes in one row.

    Returns
    -------
    matplotlib Figure
        With `data`, the members.

    Raises
    ------
    ValueError
        If there are no members, an array has fewer than 2 dimensions or no values, or columns is not positive.
    TypeError
        If the members are no dict.
    """
    if not isinstance(members, dict):
        raise TypeError(f"draw_shared_values: got {type(members).__name__}, wanted a dict {{name: array of labels}}")
    cubes = {name: as_cube(name, labels) for name, labels in members.items()}
    if not cubes:
        raise ValueError("draw_shared_values: got no members, wanted a dict of arrays of labels")
    if columns < 1:
        raise ValueError(f"draw_shared_values: got columns={columns}, wanted 1 or more")
    columns = min(columns, len(cubes))
    rows = -(-len(cubes) // columns)
    with style():
        figure, axes = new_figure(
            rows,
            columns,
            title="Which values share a mean",
            caption="Dark: all values that are normalised with the same mean and variance (RMSNorm: the same root mean "
            "square). Heavy lines run between values that do not share it.",
            size=(3.6 * columns + 0.4, 3.0 * rows + 1.4),
            squeeze=False,
        )
        for ax in axes.flat:
            ax.axis("off")
        for ax, (name, cube) in zip(axes.flat, cubes.items(), strict=False):
            draw_cube(ax, cube, (ranks or {}).get(name, 1))
            here = cube == cube[0, -1, 0]
            ax.set_title(f"{name}\n{len(np.unique(cube))} sets of {here.sum()} values", fontsize=14, loc="center")
    figure.data = dict(members)
    return figure


def as_cube(name, labels):
    """Labels as (N, C, positions)."""
    labels = np.asarray(labels)
    if labels.ndim < 2 or labels.size == 0:
        raise ValueError(
            f"draw_shared_values: got labels of shape {labels.shape} for {name!r}, wanted (N, C, *S), not empty"
        )
    return labels.reshape(*labels.shape[:2], -1)


def on_paper(sample, channel, position):
    """Where a corner of the grid lies: channels to the right, positions down, samples away from the reader."""
    return channel + DEPTH[0] * sample, DEPTH[1] * sample - position


def draw_cube(ax, cube, ranks):
    """Three faces of a cube of labels (N, C, P): the first sample, the last channel, the first position."""
    N, C, P = cube.shape
    faces = (  # labels of a face as (rows, columns), and where its grid's corner (row, column) lies
        (cube[0].T, lambda row, column: on_paper(0, column, row)),
        (cube[:, -1, :].T, lambda row, column: on_paper(column, C, row)),
        (cube[:, :, 0], lambda row, column: on_paper(row, column, 0)),
    )
    for labels, corner in faces:
        draw_face(ax, labels, labels == cube[0, -1, 0], corner)
    right, back = on_paper(0, C, P), on_paper(N, C, P)
    ax.text(C / 2, -P - 0.2, f"{C} channels", ha="center", va="top")
    ax.text(-0.2, -P / 2, f"{P} positions", ha="right", va="center", rotation=90)
    samples = f"{N} samples" if ranks == 1 else f"{N} samples\non {ranks} ranks"
    ax.text((right[0] + back[0]) / 2 + 0.2, (right[1] + back[1]) / 2 - 0.1, samples, ha="left", va="top")
    for first in range(1, N):  # a dashed line where the next rank's samples begin
        if any(len(part) and part[0] == first for part in np.array_split(np.arange(N), ranks)):
            corners = (on_paper(first, 0, 0), on_paper(first, C, 0), on_paper(first, C, P))
            ax.plot(*zip(*corners, strict=True), color="white", linewidth=3.4, zorder=4)
            ax.plot(*zip(*corners, strict=True), color="black", linewidth=2, linestyle=(0, (2, 1.5)), zorder=5)
    ax.set_xlim(-0.8, C + DEPTH[0] * N + 1.4)
    ax.set_ylim(-P - 0.9, DEPTH[1] * N + 0.2)
    ax.set_aspect("equal")


def draw_face(ax, labels, dark, corner):
    """Cells of one face; heavy lines around it and between cells of different labels."""
    rows, columns = labels.shape
    for row, column in np.ndindex(rows, columns):
        cell = [corner(row, column), corner(row, column + 1), corner(row + 1, column + 1), corner(row + 1, column)]
        fill, line = (BLUE, "#8fa9cf") if dark[row, column] else ("#f4f4f4", "#c9c9c9")
        ax.fill(*zip(*cell, strict=True), facecolor=fill, edgecolor=line, linewidth=0.8, zorder=1)
    for row, column in np.ndindex(rows + 1, columns):
        if row in (0, rows) or labels[row - 1, column] != labels[row, column]:
            draw_edge(ax, corner(row, column), corner(row, column + 1))
    for row, column in np.ndindex(rows, columns + 1):
        if column in (0, columns) or labels[row, column - 1] != labels[row, column]:
            draw_edge(ax, corner(row, column), corner(row + 1, column))


def draw_edge(ax, start, end):
    """A heavy line between two corners."""
    ax.plot(*zip(start, end, strict=True), color="black", linewidth=1.9, solid_capstyle="round", zorder=3)
