"""One clock for ops and for writes to memory, so that backward can tell whether saved values were changed since.

An op saves arrays in its forward, often the very arrays of its inputs. If such memory is written to before backward
(an optimiser step, ``x += 1`` under no_grad, ``x.data[0] = 2``), the gradient would be computed from values that the
forward never saw. Who writes notes the time (`wrote`); backward compares it with the time of every op (`check`).
PyTorch's version counter does the same, but lets writes to ``x.data`` pass, and gives a wrong gradient.
"""

import itertools

ticks = itertools.count()
newest = -1  # the time of the last write
_written = {}  # {id of an array that owns memory: the time it was last written to}

# An array that is saved keeps its id; one that is gone may leave its id to a newer one, whose ops are newer than the
# note: no false alarm. Old notes are dropped together when there are too many.
MOST_NOTES = 10_000


def wrote(*arrays):
    """Note that the memory of these arrays has been written to, now."""
    global newest
    newest = next(ticks)
    if len(_written) > MOST_NOTES:
        _written.clear()
    for array in arrays:
        _written[id(array if array.base is None else owner(array))] = newest


def owner(array):
    """The array that owns the memory which `array` is a view of, or itself."""
    while getattr(array, "base", None) is not None:
        array = array.base
    return array


def last_write(array):
    """The time of the last write to the memory of `array`; -1 if none was noted."""
    return _written.get(id(owner(array)), -1)


def check(order):
    """Raise PyTorch's error if what an op of `order` (tensors, newest first) saved was written to after its forward.

    Raises
    ------
    RuntimeError
        Naming the op and what it saved. Nothing has been changed then.
    """
    if not order or newest < order[-1].op.serial:  # no write since the oldest op: the usual case
        return
    for op in (t.op for t in order):
        for name, saved in vars(op).items():
            for array in saved if type(saved) in (tuple, list) else (saved,):
                if hasattr(array, "strides") and _written.get(id(owner(array)), -1) > op.serial:
                    raise RuntimeError(
                        f"{type(op).__name__}.backward: one of the variables needed for gradient computation has been "
                        f"modified by an inplace operation: '{name}' of shape {tuple(array.shape)}, which the forward "
                        "saved, was written to since (an optimiser step, or a write under no_grad or to .data). Call "
                        "backward() before the write, or write to a clone."
                    )
