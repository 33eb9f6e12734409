"""The text of a tensor: character for character what PyTorch prints.

Three steps, each a function or two below: pick the elements that are shown, write each of them as a number, set the
numbers in rows and brackets. What is not the default (dtype, device, gradient) follows the closing bracket.

The rules were worked out from what PyTorch 2.13 prints; tests/test_printing.py compares the two.
"""

import math
from dataclasses import dataclass

import numpy as np


@dataclass
class Options:
    """What `set_printoptions` sets.

    Attributes
    ----------
    precision : int
        Digits behind the point.
    threshold : float
        A tensor with more elements than this is summarised.
    edgeitems : int
        How many entries a summary keeps at either end of a dimension.
    linewidth : int
        Characters per line.
    sci_mode : bool or None
        Whether floats are written as 1.0000e+00; None: where their magnitudes ask for it.
    """

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


PROFILES = {
    "default": Options(),
    "short": Options(precision=2, edgeitems=2),
    "full": Options(threshold=math.inf),
}
options = Options()


def set_printoptions(precision=None, threshold=None, edgeitems=None, linewidth=None, profile=None, sci_mode=None):
    """Choose how tensors are printed; what is None stays as it is, but for `sci_mode`, where None means automatic.

    Parameters
    ----------
    precision, threshold, edgeitems, linewidth, sci_mode
        See `Options`.
    profile : {"default", "short", "full"}, optional
        Start from these settings; the other arguments then override them. PyTorch ignores other names, and so do we.

    >>> set_printoptions(precision=2)
    >>> tensor_repr(np.array([0.125, 3.0]), dtype_name="float64")
    'tensor([0.12, 3.00], dtype=torch.float64)'
    >>> set_printoptions(profile="default")
    """
    start = PROFILES.get(profile, options)
    chosen = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    for name, value in chosen.items():
        setattr(options, name, getattr(start, name) if value is None else value)
    options.sci_mode = sci_mode


def tensor_repr(
    array,
    *,
    dtype_name,
    default_dtype_name="float32",
    device="cpu",
    requires_grad=False,
    grad_fn_name=None,
    prefix="tensor(",
):
    """Give the text that PyTorch's repr gives for a tensor with these contents.

    Parameters
    ----------
    array : ndarray of shape (*S)
        The contents: floats, integers or bools. Of a large array only the elements that are shown are read.
    dtype_name, default_dtype_name : str
        The tensor's dtype and that of new floating point tensors, such as "float64".
    device : str
        Shown unless it is "cpu".
    requires_grad : bool
        Shown where there is no `grad_fn_name`.
    grad_fn_name : str or None
        Name of the op that made the tensor, such as "AddBackward0".
    prefix : str
        What stands before the numbers. The length of its last line is the indent of all further lines.

    >>> print(tensor_repr(np.array([[1.5, -2.0], [0.0, 30.0]], "float32"), dtype_name="float32", requires_grad=True))
    tensor([[ 1.5000, -2.0000],
            [ 0.0000, 30.0000]], requires_grad=True)
    """
    indent = len(prefix) - (prefix.rfind("\n") + 1)
    notes = [f"device='{device}'"] if device != "cpu" else []
    notes += _shape_and_dtype_notes(array, dtype_name, default_dtype_name)
    if grad_fn_name is not None:
        notes.append(f"grad_fn=<{grad_fn_name}>")
    elif requires_grad:
        notes.append("requires_grad=True")
    return _append_notes(prefix + _contents(array, indent), notes, indent) + ")"


def parameter_repr(array, *, requires_grad=True, **details):
    """Give the text that PyTorch's repr gives for an nn.Parameter; `details` as for `tensor_repr`.

    >>> print(parameter_repr(np.zeros(2, "float32"), dtype_name="float32"))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """
    return tensor_repr(array, requires_grad=requires_grad, prefix="Parameter containing:\ntensor(", **details)


def _contents(array, indent):
    """The numbers with their brackets; `indent` is the column of the first bracket."""
    if array.size == 0:
        return "[]"
    gaps = (False,) * array.ndim
    if array.size > options.threshold and array.ndim > 0:
        if options.edgeitems == 0:
            return "[...]"
        array, gaps = _summary(array)
    width, texts = _cells(array.ravel().tolist())
    cells = np.array([text.rjust(width) for text in texts], dtype=object).reshape(array.shape)
    return _block(cells, gaps, width, indent) if array.ndim else cells.item()


# which elements


def _summary(array):
    """The elements that a summary shows, and for each axis whether it leaves out its middle."""
    edge = options.edgeitems
    gaps = tuple(n > 2 * edge for n in array.shape)
    kept = [[*range(edge), *range(n - edge, n)] if gap else range(n) for n, gap in zip(array.shape, gaps)]
    return array[np.ix_(*kept)], gaps


# each element as text


def _cells(values):
    """The width of a column, and the text of every value: floats in one notation for all, the rest as in Python."""
    if not isinstance(values[0], float):
        texts = [str(v) for v in values]
        return max(map(len, texts)), texts

    # zeros, infinities and nans have no say: where they are longer than the rest, the columns do not line up
    deciding = [v for v in values if v != 0 and math.isfinite(v)]
    if _scientific(deciding):
        write = _write_scientific
    else:
        write = _write_whole if all(v.is_integer() for v in deciding) else _write_fixed
    return max((len(write(v)) for v in deciding), default=1), [write(v) for v in values]


def _scientific(values):
    """Whether to write 1.0000e+00: `sci_mode`, or else a ratio above 1000, a magnitude above 1e8 or one below 1e-4."""
    if not values:
        return False
    if options.sci_mode is not None:
        return options.sci_mode
    sizes = [abs(v) for v in values]
    largest, smallest = max(sizes), min(sizes)
    return largest / smallest > 1000 or largest > 1e8 or smallest < 1e-4


def _write_whole(value):
    """3.0 as "3.": the point tells a float from an integer."""
    return f"{value:.0f}." if math.isfinite(value) else str(value)


def _write_fixed(value):
    """3.0 as "3.0000"."""
    return f"{value:.{options.precision}f}"


def _write_scientific(value):
    """3.0 as "3.0000e+00"."""
    return f"{value:.{options.precision}e}"


# rows and brackets


def _block(cells, gaps, width, column):
    """An array of texts in nested brackets, the first one at `column`; n dimensions: n - 2 blank lines in between."""
    if cells.ndim == 1:
        return _row(list(cells), gaps[0], width, column)
    blocks = [_block(part, gaps[1:], width, column + 1) for part in cells]
    if gaps[0]:
        blocks.insert(options.edgeitems, "...")
    between = "," + "\n" * (cells.ndim - 1) + " " * (column + 1)
    return "[" + between.join(blocks) + "]"


def _row(cells, gap, width, column):
    """The innermost bracket: as many texts per line as fit, each with its comma and space."""
    if gap:
        cells.insert(options.edgeitems, " ...")
    per_line = max(1, (options.linewidth - column) // (width + 2))
    lines = [", ".join(cells[i : i + per_line]) for i in range(0, len(cells), per_line)]
    return "[" + (",\n" + " " * (column + 1)).join(lines) + "]"


# what follows the numbers


def _shape_and_dtype_notes(array, dtype_name, default_dtype_name):
    """The shape, where the brackets do not tell it, and the dtype, where the numbers do not."""
    notes = []
    empty = array.size == 0
    if (empty and array.ndim != 1) or (not empty and options.edgeitems == 0):
        notes.append(f"size={array.shape}")
    told_by_numbers = (default_dtype_name,) if empty else (default_dtype_name, "int64", "bool")
    if dtype_name not in told_by_numbers:
        notes.append(f"dtype=torch.{dtype_name}")
    return notes


def _append_notes(text, notes, indent):
    """Add the notes behind commas, each on the last line if it fits there, otherwise on a line of its own."""
    used = len(text) - (text.rfind("\n") + 1) + 2  # PyTorch sets aside two characters on the first line
    for note in notes:
        if used + len(note) + 2 > options.linewidth:
            text += ",\n" + " " * indent + note
            used = indent + len(note)
        else:
            text += ", " + note
            used += len(note) + 2
    return text
