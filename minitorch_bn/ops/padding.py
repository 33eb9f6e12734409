"""Padding: a tensor made longer on both sides, with a number or with copies of its own elements."""

from operator import index

import numpy as np

from .. import backend
from ..engine import Op, apply
from .axes import must_be_tensor
from .cast import clone


class Pad(Op):
    """y = x with `value` around it.  dx = the part of dy that x went to."""

    torch_name = "ConstantPadNdBackward0"

    def __init__(self, widths, value):
        self.widths, self.value = widths, value

    def forward(self, x):
        self.inside = tuple(slice(before, before + n) for (before, _), n in zip(self.widths, x.shape, strict=True))
        return np.pad(x, self.widths, constant_values=self.value)

    def backward(self, dy):
        return (dy[self.inside],)


class PadWithCopies(Op):
    """y = x, where every position along some axes shows the element of x that `sources` names.

    dx = the sum of dy over all positions that show an element: what lies near an edge may be shown several times.

    Parameters
    ----------
    sources : dict of {axis: int array}
        For every position of y along an axis, the position in x.
    name : str
        PyTorch's, of the grad_fn.
    """

    torch_name = property(lambda self: self.name)

    def __init__(self, sources, name):
        self.sources, self.name = sources, name

    def forward(self, x):
        self.shapes = []
        for axis, source in self.sources.items():
            self.shapes.append(x.shape)
            x = x.take(source, axis)
        return x

    def backward(self, dy):
        dx = dy
        for (axis, source), shape in zip(reversed(self.sources.items()), reversed(self.shapes), strict=True):
            axis_first = (shape[axis], *(n for i, n in enumerate(shape) if i != axis))
            dx = np.moveaxis(backend.sum_by_row(source, np.moveaxis(dx, axis, 0), axis_first), 0, axis)
        return (dx,)


def reflected(n, before, after):
    """Positions mirrored at the first and the last element, which are not repeated: 2 1 | 0 1 2 | 1 0.

    >>> reflected(3, 2, 1)
    array([2, 1, 0, 1, 2, 1])
    """
    return n - 1 - np.abs(n - 1 - np.abs(np.arange(-before, n + after)))


def replicated(n, before, after):
    """Positions with the first and the last element repeated: 0 0 | 0 1 2 | 2.

    >>> replicated(3, 2, 1)
    array([0, 0, 0, 1, 2, 2])
    """
    return np.clip(np.arange(-before, n + after), 0, n - 1)


def wrapped(n, before, after):
    """Positions that go on at the other end: 1 2 | 0 1 2 | 0. What a negative width cuts off is no part of the ring.

    >>> wrapped(3, 2, 1)
    array([1, 2, 0, 1, 2, 0])
    """
    ring = np.arange(max(-before, 0), n - max(-after, 0))
    return ring[np.arange(-max(before, 0), len(ring) + max(after, 0)) % max(len(ring), 1)]


COPIES = {
    "reflect": (reflected, "ReflectionPad{}DBackward0"),
    "replicate": (replicated, "ReplicationPad{}DBackward0"),
    "circular": (wrapped, "CopySlices"),
}


def pad(input, pad, mode="constant", value=None):
    """`input` made longer, or shorter where a width is negative, along its last dimensions.

    Parameters
    ----------
    input : Tensor
        For the modes other than "constant" of shape (C, L) or (N, C, L) to pad one dimension, (C, H, W) or (N, C, H, W)
        to pad two, (C, D, H, W) or (N, C, D, H, W) to pad three.
    pad : sequence of int
        (before, after) for the last dimension, then for the one before it, and so on.
    mode : {"constant", "reflect", "replicate", "circular"}
        What fills the margin: `value`; the elements mirrored at the edge; the edge repeated; the other end.
    value : number, optional
        0 if left out; for "constant" only.

    Raises
    ------
    RuntimeError
        If `pad` has an odd length or names more dimensions than there are, the result would have a negative size, a
        mirrored or circular margin is wider than what it shows, or `value` is given to another mode than "constant".
    NotImplementedError
        If the mode is unknown, or does not take as many dimensions or bools.
    TypeError
        If the widths are no ints.

    Source: PyTorch documentation, torch.nn.functional.pad.
    """
    must_be_tensor("pad", input)
    try:
        pad = tuple(map(index, pad))
    except TypeError:
        raise TypeError(f"pad: argument 'pad' must be a tuple of ints, got {pad!r}") from None
    shape = input.array.shape
    if len(pad) % 2 or len(pad) > 2 * len(shape):
        raise RuntimeError(
            f"pad: Padding length must be even, two for each of at most {len(shape)} dimensions, got {pad}"
        )
    if not pad and mode == "constant":
        return clone(input)
    if mode != "constant":
        return _pad_with_copies(input, pad, mode, value)
    widths = [(0, 0)] * (len(shape) - len(pad) // 2)
    widths += [(pad[i], pad[i + 1]) for i in range(len(pad) - 2, -1, -2)]
    if min(pad, default=0) < 0:  # cut off
        kept = [(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(widths, shape, strict=True)]
        if any(start > stop for start, stop in kept):
            raise RuntimeError(f"pad: negative widths {pad} cut off more than there is in shape {shape}")
        input = input[tuple(slice(start, stop) for start, stop in kept)]
        widths = [(max(a, 0), max(b, 0)) for a, b in widths]
    return apply(Pad(widths, input.array.dtype.type(value or 0)), input)


def _pad_with_copies(input, pad, mode, value):
    """`pad` for the modes that show elements of the input."""
    shape, count = input.array.shape, len(pad) // 2
    if mode not in COPIES:
        raise NotImplementedError(
            f"pad: Unrecognised padding mode {mode!r}, wanted 'constant' or one of {list(COPIES)}"
        )
    if value:
        raise RuntimeError(f"pad: Padding mode {mode!r} doesn't take in value argument, got value={value}")
    if count not in (1, 2, 3) or len(shape) not in (count + 1, count + 2):
        raise NotImplementedError(
            f"pad: {len(pad)} widths are not supported for shape {shape} in mode {mode!r}: wanted (C, ...) or "
            "(N, C, ...), and two widths for each of the last 1, 2 or 3 dimensions"
        )
    if mode != "circular" and input.array.dtype.kind == "b":
        raise NotImplementedError(f"pad: mode {mode!r} is not implemented for bools")
    if mode != "circular" and 0 in shape[-count - 1 :]:
        raise RuntimeError(f"pad: Expected non-zero sizes but for the batch, got shape {shape}")
    positions, name = COPIES[mode]
    sources = {}
    for i in range(count):
        axis, before, after = len(shape) - 1 - i, pad[2 * i], pad[2 * i + 1]
        n = shape[axis]
        widest = {"reflect": n - 1, "replicate": max(before, after), "circular": n}[mode]
        if max(before, after) > widest:
            raise RuntimeError(
                f"pad: Padding size should be at most {widest} for mode {mode!r} and size {n} at dimension {axis}, got "
                f"{(before, after)}"
            )
        size, kept = n + before + after, n + min(before, 0) + min(after, 0)
        if size < 0 or (mode == "circular" and kept < 1 and size > 0):
            raise RuntimeError(f"pad: widths {(before, after)} leave nothing of size {n} at dimension {axis}")
        sources[axis] = backend.namespace(input.array).asarray(positions(n, before, after))
    if mode != "circular" and not any(len(source) for source in sources.values()):
        raise RuntimeError(f"pad: widths {pad} leave nothing of shape {shape}")
    return apply(PadWithCopies(sources, name.format(count)), input)
