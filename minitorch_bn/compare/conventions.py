"""Who differs from PyTorch by how much, and how to carry running statistics from one convention to another.

`conventions` runs a BatchNorm layer under every known Convention on the same batches; `convert_state` changes a
state_dict as if it had been trained under another convention. What the conventions are: nn/convention.py.
"""

import html
import re

import numpy as np

from .. import creation
from ..nn.batchnorm import BatchNorm
from ..nn.convention import ALL, Convention
from ..tensor import Tensor

COLUMNS = ("y", "running_mean", "running_var", "eval y")


class AnyRank(BatchNorm):
    """A BatchNorm layer that takes every rank."""

    ranks = range(2, 10)


class ConventionTable:
    """What `conventions` returns; prints as a table.

    Attributes
    ----------
    rows : dict
        {convention: {"y": largest difference from PyTorch's, "running_mean": ..., "running_var": ..., "eval y": ...}}.
    steps : int
        How many times the batch was seen.
    """

    def __init__(self, rows, steps, shape):
        self.rows, self.steps, self.shape = rows, steps, shape

    def lines(self):
        """Title, head and rows, each row a list of cells."""
        seen = "once" if self.steps == 1 else f"{self.steps} times"
        title = f"Largest difference from PyTorch; a batch of shape {self.shape}, seen {seen}"
        head = ["convention", *COLUMNS, "what is different"]
        body = []
        for convention, row in self.rows.items():
            cells = [size_in_words(row[c]) for c in COLUMNS]
            body.append([convention.name, *cells, difference_in_words(convention)])
        return title, head, body

    def __repr__(self):
        title, head, body = self.lines()
        widths = [max(len(line[i]) for line in (head, *body)) for i in range(len(head))]
        text = [title]
        for line in (head, *body):
            cells = [line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:-1], widths[1:-1], strict=True))]
            text.append("  ".join([*cells, line[-1]]))
        return "\n".join(text)

    def _repr_html_(self):
        title, head, body = self.lines()
        rows = "".join("<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in line) + "</tr>" for line in body)
        heads = "".join(f"<th>{html.escape(c)}</th>" for c in head)
        return f"<table><caption>{html.escape(title)}</caption><tr>{heads}</tr>{rows}</table>"


def size_in_words(difference):
    """A difference as it stands in the table; what only rounding explains is called so."""
    return "same" if difference == 0 else "rounding" if difference < 1e-13 else f"{difference:.3g}"


def difference_in_words(convention):
    """What a convention does otherwise than PyTorch, in a few words."""
    usual, c = Convention.PYTORCH, convention
    words = []
    if c.normalises_by != usual.normalises_by:
        words.append(f"normalises by the {c.normalises_by} variance")
    if c.stores != usual.stores:
        words.append("averages the standard deviation" if c.stores == "std" else f"stores the {c.stores} variance")
    if c.momentum is None:
        words.append("all batches count alike")
    elif c.momentum_weighs == "old":
        words.append(f"momentum {c.momentum:g} weighs the old value: {c.weight_of_new(c.momentum):g} of the new")
    elif c.momentum != usual.momentum:
        words.append(f"momentum {c.momentum:g}")
    if c.eps != usual.eps:
        words.append(f"eps {c.eps:g}")
    if not c.eps_inside:
        words.append("eps outside the root")
    if c.running_var_start != usual.running_var_start:
        words.append(f"running_var starts at {c.running_var_start:g}")
    return "; ".join(words) or "-"


def conventions(x, steps=1, chosen=ALL):
    """Run BatchNorm on the batch `x` under every known convention, each with its own defaults, and compare.

    Parameters
    ----------
    x : Tensor or array of shape (N, C, *S)
        A batch. Computed in float64.
    steps : int
        How many times the batch is seen in train mode before eval mode is asked.
    chosen : iterable of Convention

    Returns
    -------
    ConventionTable
        Largest absolute differences from PyTorch's y, running mean, running variance (a stored standard deviation is
        squared before it is compared) and y in eval mode.

    Raises
    ------
    ValueError
        If x has fewer than 2 dimensions, a channel has a single value, or `steps` is not positive.

    >>> batch = np.random.default_rng(0).normal(size=(32, 3))
    >>> [name.name for name, row in conventions(batch).rows.items() if row["y"] > 1e-6]
    ['KERAS', 'CHAINER', 'MAKEMORE', 'MAKEMORE_BY_HAND']
    """
    array = np.asarray(x.detach().cpu().array if isinstance(x, Tensor) else x, dtype=np.float64)
    if array.ndim < 2:
        raise ValueError(f"conventions: wanted a batch of shape (N, C, ...), got shape {array.shape}")
    if steps < 1:
        raise ValueError(f"conventions: wanted steps >= 1, got {steps}")
    batch = creation.from_numpy(np.ascontiguousarray(array))
    usual = outcome(Convention.PYTORCH, batch, steps)
    rows = {}
    for convention in chosen:
        results = outcome(convention, batch, steps)
        rows[convention] = {c: float(np.abs(results[c] - usual[c]).max()) for c in COLUMNS}
    return ConventionTable(rows, steps, array.shape)


def outcome(convention, batch, steps):
    """What the columns compare, as arrays."""
    layer = AnyRank(batch.shape[1], convention=convention, dtype=batch.dtype)
    for _ in range(steps):
        y = layer(batch)
    var = layer.running_var.array ** (2 if convention.stores == "std" else 1)
    evaluated = layer.eval()(batch).detach().array
    values = (y.detach().array, layer.running_mean.array.copy(), var.copy(), evaluated)
    return dict(zip(COLUMNS, values, strict=True))


def convert_state(state, src, dst, m=None, momentum=None):
    """The state_dict of a model, as if its BatchNorm layers had followed `dst` instead of `src`.

    The same batches are assumed. Names change (weight, gamma, scale, ...), the stored variance changes between biased,
    unbiased and its root, and what is left of the starting value is exchanged where `dst` starts elsewhere. What cannot
    be changed afterwards stays: how much each batch weighs. Carry the momentum over too:
    ``dst.weight_of_new(new) == src.weight_of_new(old)``.

    Parameters
    ----------
    state : dict
        {dotted name: Tensor or array}. A layer is found by its running mean and variance; other entries are copied.
    src, dst : Convention
    m : int, optional
        Values per channel in a batch (N * prod(S)). Needed where one side stores the biased variance and the other not.
    momentum : float, optional
        As `src` reads it, if it was not its default. With num_batches_tracked in `state` it says how much of the
        starting value is left; without, the start counts as forgotten.

    Returns
    -------
    dict
        New arrays or tensors of the same kind and dtype; `state` is unchanged. The root of an average is not the
        average of roots: a stored standard deviation is converted as if all batches had the same.

    Raises
    ------
    ValueError
        If m is needed and missing or below 2, if the state has no running statistics by the names of `src`, or if the
        conventions start at different values and the state has no num_batches_tracked.

    >>> state = {"bn.running_mean": np.zeros(2), "bn.running_var": np.array([1.0, 2.0])}
    >>> convert_state(state, Convention.PYTORCH, Convention.FLAX, m=5)["bn.var"]
    array([0.8, 1.6])
    """
    mean_name, var_name = src.state_names[2:]
    layers = [key[: -len(var_name)] for key in state if re.search(rf"(^|\.){re.escape(var_name)}$", key)]
    layers = [prefix for prefix in layers if prefix + mean_name in state]
    if not layers:
        raise ValueError(
            f"convert_state: found no {mean_name} and {var_name}, the names of convention {src}, among {list(state)}"
        )
    if "biased" in (src.stores, dst.stores) and src.stores != dst.stores and (m is None or m < 2):
        raise ValueError(
            f"convert_state: {src} stores the {src.stores} variance and {dst} the {dst.stores} one; pass m >= 2, the "
            f"number of values per channel in a training batch, got m={m}"
        )
    names = {prefix + old: prefix + new for prefix in layers for old, new in names_of(src, dst)}
    result = {names.get(key, key): copied(value) for key, value in state.items()}
    for prefix in layers:
        old = state[prefix + var_name]
        start = scaled(np.float64(src.running_var_start), src, dst, m)
        left = left_of_start(state, prefix, src, dst, momentum)
        new = scaled(as_float64(old), src, dst, m) + left * (dst.running_var_start - start)
        result[prefix + dst.state_names[3]] = like(old, new)
    return result


def names_of(src, dst):
    """(old name, new name) of what a layer stores."""
    return list(zip(src.state_names, dst.state_names, strict=True))


def scaled(value, src, dst, m):
    """A stored variance (or standard deviation) of `src`, as `dst` would have stored it."""
    var = value**2 if src.stores == "std" else value
    if src.stores == "biased" and dst.stores != "biased":
        var = var * m / (m - 1)
    if src.stores != "biased" and dst.stores == "biased":
        var = var * (m - 1) / m
    return var**0.5 if dst.stores == "std" else var


def left_of_start(state, prefix, src, dst, momentum):
    """The share of the starting value in a running average; 0 (forgotten) where the number of batches is not known."""
    count = state.get(prefix + "num_batches_tracked")
    if count is None and src.running_var_start == dst.running_var_start:
        return 0.0
    if count is None:
        raise ValueError(
            "convert_state: the conventions start the running variance at different values; to know how much of the "
            f"start is left, {prefix}num_batches_tracked must be in the state"
        )
    momentum = src.momentum if momentum is None else momentum
    count = int(as_float64(count))
    if momentum is None:
        return 0.0 if count else 1.0
    return (1 - src.weight_of_new(momentum)) ** count


def as_float64(value):
    """The numbers of a Tensor or array."""
    return np.asarray(value.detach().cpu().array if isinstance(value, Tensor) else value, dtype=np.float64)


def copied(value):
    """A copy of a Tensor or array."""
    return value.detach().clone() if isinstance(value, Tensor) else np.array(value)


def like(old, new):
    """`new` in the kind, dtype and device of `old`."""
    if isinstance(old, Tensor):
        return creation.tensor(new, dtype=old.dtype, device=old.device)
    return new.astype(np.asarray(old).dtype)
