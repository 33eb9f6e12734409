"""What came from what, also where nothing is recorded: kept while lines are remembered, for `why_no_grad`.

The graph ends where it was cut, so it cannot say where. The journal goes on there: for every tensor it has an `Origin`,
which names the tensors that its values came from, the call that made it, and what the call did to the graph. An origin
holds other origins, but no tensor and no array; those find their origin in tables that do not keep them alive.
"""

import itertools
import sys
from collections import deque
from dataclasses import dataclass, field

from .. import clock, creation, engine, inplace
from ..engine import Variable
from ..tensor import Tensor
from .weak import WeakTable

DETACHING = ("detach", "data")
EARLIER = "recorded before lines were remembered"
MOST_CONVERSIONS = 10_000  # the newest are kept

numbers = itertools.count()
by_op = WeakTable()
by_tensor = WeakTable()
by_memory = WeakTable()  # {array that owns memory: origin of a tensor that lies in it}
written = WeakTable()  # {array that owns memory: origin of the last write that was not recorded}
conversions = deque(maxlen=MOST_CONVERSIONS)  # (number, how, line, origin): values that became numbers or arrays
starts = deque([-1], maxlen=MOST_CONVERSIONS)  # numbers at which a new forward pass may have begun
walks = WeakTable()  # {tensor: line of the walk that freed its op}


@dataclass(eq=False)
class Origin:
    """Where the values of one tensor came from.

    Attributes
    ----------
    name : str
        The function or op that made it; "" for a leaf that was there before, EARLIER for a recorded tensor that was.
    line : Line or None
    parents : list of (Origin, bool)
        What the values came from, and whether a gradient can flow back there.
    cause : str
        What the call did to the graph: "recorded", "data", "detach", "no_grad", "integer", "rebuilt", "in place",
        "late" (a tensor required grad only afterwards), "first seen", or "other".
    number : int
        In the order of creation.
    """

    name: str
    line: object
    parents: list = field(default_factory=list)
    cause: str = "first seen"
    number: int = field(default_factory=numbers.__next__)


def known(x):
    """The origin of a tensor, or None if the journal has not seen it."""
    found = None if x.op is None else by_op.get(x.op)
    found = found or by_tensor.get(x)
    write = written.get(clock.owner(x.array)) if hasattr(x.array, "shape") else None
    return write if write and (found is None or write.number > found.number) and x.op is None else found


def origin(x, line=None):
    """The origin of a tensor. One that was not seen before gets one now."""
    found = known(x)
    if found is None:
        found = Origin("" if x.op is None else EARLIER, line)
        memory = memory_of(x.array)
        if memory is not None and x.op is None:
            found.parents, found.cause, found.name = [(memory, False)], "rebuilt", "a tensor made from its array"
        _enter(x, found)
    return found


def memory_of(array):
    """The origin of a tensor whose memory `array` lies in, or None."""
    return by_memory.get(clock.owner(array)) if hasattr(array, "strides") else None


def _enter(x, found):
    """Note the origin of a tensor: under its op, under itself, and under its memory if that is new."""
    if x.op is not None:
        by_op[x.op] = found
    by_tensor[x] = found
    if hasattr(x.array, "strides"):  # the hub of a function with several results has none
        memory = clock.owner(x.array)
        if by_memory.get(memory) is None:
            by_memory[memory] = found


# ---- what happens to tensors


def applied(op, inputs, y, line):
    """Note the result of an op, recorded or not."""
    tensors = [(x, needed) for x, needed in zip(inputs, op.needs, strict=True) if isinstance(x, Variable)]
    recorded = y.op is op
    if recorded:
        cause = "recorded"
    elif engine.is_grad_enabled():
        cause = "late"  # no input required grad when it ran
    else:
        cause = "no_grad"
    parents = [(origin(x, line), recorded and needed) for x, needed in tensors]
    parents += [(found, False) for array in _index_arrays(op) if (found := memory_of(array)) is not None]
    _enter(y, Origin(type(op).__name__, line, parents, cause))


def _index_arrays(op):
    """The arrays of integers and bools that an op keeps: indices and masks, which are not among its inputs."""
    for kept in vars(op).values():
        for array in kept if type(kept) is tuple else (kept,):
            if hasattr(array, "strides") and array.dtype.kind in "iub":
                yield array


def made_like(self, y, name, line):
    """Note a tensor that was made from another's array: detach, .data, comparisons, argmax and their kin."""
    if name in DETACHING:
        cause = name
    else:
        cause = "integer" if self.array.dtype.kind == "f" != y.array.dtype.kind else "other"
    _enter(y, Origin(name, line, [(origin(self, line), False)], cause))


def built(y, given, name, line):
    """Note a new leaf: perhaps of other tensors' numbers, or in their memory, or a copy of an array of theirs."""
    parents = [(origin(x, line), False) for x in _tensors_in(given)]
    memories = {id(m): m for m in (memory_of(y.array), memory_of(given)) if m is not None}
    parents += [(memory, False) for memory in memories.values()]
    _enter(y, Origin(name, line, parents, "rebuilt" if parents else "first seen"))


def wrote(x, sources, name, line):
    """Note a write into the memory of `x` that is not recorded."""
    sources = [s for s in sources if isinstance(s, Variable)]
    if sources and hasattr(x.array, "strides"):
        parents = [(origin(s, line), False) for s in (x, *sources)]
        made = Origin(name, line, parents, "in place")
        by_tensor[x] = written[clock.owner(x.array)] = made


def converted(x, how, line):
    """Note that the values of a tensor became numbers or an array."""
    found = origin(x, line)
    conversions.append((next(numbers), how, line, found))
    by_memory[clock.owner(x.array)] = found


def freed(order, line):
    """Note which walk freed the ops of these tensors."""
    begin()
    for t in order:
        walks[t] = line


def begin():
    """Note that what was converted so far belongs to an earlier forward pass."""
    starts.append(next(numbers))


# ---- what takes the place of Tensor's methods while lines are remembered


def watch(patches, caller):
    """Let the functions that make tensors outside of the graph tell the journal, until the patches are undone.

    Parameters
    ----------
    patches : Patches
    caller : function
        Gives the line of the user's code that is running.
    """
    _watch_makers(patches, caller)
    _watch_writes(patches, caller)
    for how in ("item", "tolist", "numpy", "__array__", "__float__", "__int__", "__index__"):
        patches.attribute(Tensor, how, _converting(getattr(Tensor, how), how, caller))


def _called():
    """The name of the function of the package that the user has called; of detach and data, whoever called them."""
    from .lines import in_package  # which imports this module

    frame, name = sys._getframe(2), ""
    if frame.f_code.co_name in DETACHING:
        return frame.f_code.co_name
    while frame is not None and in_package(frame.f_code.co_filename):
        frame, name = frame.f_back, frame.f_code.co_name
    return name


def _watch_makers(patches, caller):
    plain_like, plain_init, plain_make = Tensor.like, Tensor.__init__, creation.make
    plain_getitem, plain_detach_ = Tensor.__getitem__, Tensor.detach_

    def like(self, array):
        y = plain_like(self, array)
        name = _called()
        if name != "grad" and hasattr(y.array, "dtype"):  # the gradient's numbers are not the tensor's
            made_like(self, y, name, caller())
        return y

    def __init__(self, array=(), *sizes, requires_grad=False):
        plain_init(self, array, *sizes, requires_grad=requires_grad)
        built(self, None, type(self).__name__, caller())

    def make(array, *args, **kwargs):
        y = plain_make(array, *args, **kwargs)
        maker = sys._getframe(1)  # tensor, as_tensor, from_numpy, ...
        built(y, maker.f_locals.get("data"), maker.f_code.co_name, caller())
        return y

    def __getitem__(self, index):
        y = plain_getitem(self, index)
        indices = _tensors_in(list(index) if type(index) is tuple else index)
        origin(y).parents += [(origin(i), False) for i in indices]  # 0-dim indices become ints, not arrays
        return y

    def detach_(self):
        before = origin(self)
        plain_detach_(self)
        by_tensor[self] = Origin("detach_", caller(), [(before, False)], "detach")
        return self

    patches.attribute(Tensor, "like", like)
    patches.attribute(Tensor, "__init__", __init__)
    patches.attribute(Tensor, "__getitem__", __getitem__)
    patches.attribute(Tensor, "detach_", detach_)
    patches.everywhere(plain_make, make)


def _watch_writes(patches, caller):
    plain_write, plain_setitem, plain_data = inplace.write, Tensor.__setitem__, Tensor.data

    def write(name, x, compute, others=(), parts=()):
        y = plain_write(name, x, compute, others, parts)
        if x.op is None or not engine.is_grad_enabled():
            wrote(x, (*others, *parts), name, caller())
        return y

    def __setitem__(self, index, value):
        plain_setitem(self, index, value)
        if self.op is None or not engine.is_grad_enabled():
            wrote(self, (value,), "x[...] = value", caller())

    def set_data(self, new):
        plain_data.fset(self, new)
        by_tensor[self] = Origin(".data = ...", caller(), [(origin(new), False)], "data")

    patches.everywhere(plain_write, write)
    patches.attribute(Tensor, "__setitem__", __setitem__)
    patches.attribute(Tensor, "data", property(plain_data.fget, set_data, doc=plain_data.__doc__))


def _converting(plain, how, caller):
    """A method that makes numbers or an array, and tells the journal."""

    def method(self, *args, **kwargs):
        values = plain(self, *args, **kwargs)
        if sys._getframe(1).f_code.co_name != "__format__":  # text leads nowhere
            converted(self, how, caller())
        return values

    return method


def _tensors_in(data, most=10_000):
    """The tensors in nested lists."""
    found, todo = [], [data]
    for item in todo:
        if isinstance(item, Variable):
            found.append(item)
        elif type(item) in (list, tuple) and len(todo) < most:
            todo += item
    return found
