"""Which line of the user's code made an op: recorded on request, while the forward pass runs.

The engine knows nothing of lines. While they are remembered, its `apply` is another function in all modules that use
it, which looks up the stack for the first frame outside of the package; `Module.__call__` is another one, too, which
notes whose forward is running. Afterwards both are what they were.
"""

import functools
import linecache
import sys
from dataclasses import dataclass
from pathlib import Path

from .. import engine
from ..nn.module import Module
from . import journal, notes
from .patches import Patches
from .weak import WeakTable

PACKAGE = str(Path(__file__).resolve().parents[1])
EXPERIMENTS = str(Path(PACKAGE, "experiments"))  # networks and training loops: a user of the package like any other
MOST_TEXT = 100  # characters of a line that messages show

_lines = WeakTable()  # {op: Line}
_modules = WeakTable()  # {op: (dotted name, name of the module's class)}
_patches = Patches()
_running = []  # the modules whose forward is running, outermost first: (module, dotted name)
_names = {}  # {id of a module: its dotted name below the outermost one that is running}
_state = {"on": False}


@dataclass(frozen=True)
class Line:
    """A line of the user's code.

    Attributes
    ----------
    file : str
        The file's name, as the compiler was given it.
    line : int
        Counted from 1, in a notebook within the cell.
    function : str
        The name of the function that the line stands in; "<module>" outside of any.
    cell : int or None
        In a notebook or in IPython the number of the cell, as in ``In[3]``.
    """

    file: str
    line: int
    function: str
    cell: int | None = None

    @functools.cached_property
    def text(self):
        """The line itself, without the spaces around it; empty where the source is gone."""
        return linecache.getline(self.file, self.line).strip()

    def __str__(self):
        file = Path(self.file).name
        where = f"{file}:{self.line}" if self.cell is None else f"cell In[{self.cell}], line {self.line}"
        inside = "" if self.function == "<module>" else f" in {self.function}"
        text = self.text if len(self.text) <= MOST_TEXT else self.text[:MOST_TEXT] + "..."
        return f"{where}{inside}" + (f": {text}" if text else "")


class remember_lines:
    """Remember, from here on, which line makes an op; used with `with`, until the end of the block.

    What is remembered is read with `line_of` and `module_of`, and by the other tools. Errors in the forward or backward
    of an op then say which op it was, with which shapes, and where it was made. It costs about ten microseconds per op;
    nothing once it is off again. A function that was imported from the engine under another name than `apply` is not
    seen.

    Parameters
    ----------
    mode : bool
        Whether to remember.

    >>> from minitorch_bn import tensor
    >>> x = tensor(2.0, requires_grad=True)
    >>> with remember_lines():
    ...     y = x.exp()
    >>> line_of(y).line, line_of(y).text
    (2, 'y = x.exp()')
    """

    def __init__(self, mode=True):
        self.before = _state["on"]
        _switch(mode)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        _switch(self.before)


def are_lines_remembered():
    """Whether lines are being remembered."""
    return _state["on"]


def line_of(op):
    """The line that made an op, or None if that was not remembered.

    Parameters
    ----------
    op : Op or Tensor
        An op that is recorded, or the tensor that it made.

    Returns
    -------
    Line or None
        The innermost frame outside of the package: a line of the user's own forward, or of a script or notebook cell.
    """
    return _lines.get(_op(op))


def module_of(op):
    """The module whose forward made an op, as its dotted name below the module that was called first.

    Parameters
    ----------
    op : Op or Tensor

    Returns
    -------
    str or None
        "blocks.0.bn1"; "" in the forward of the outermost module itself; None outside of any, or not remembered.
    """
    return _modules.get(_op(op), (None,))[0]


def module_class_of(op):
    """The name of the class of the module whose forward made an op ("BatchNorm1d"), or None. As `module_of`."""
    return _modules.get(_op(op), (None, None))[1]


def _op(op_or_tensor):
    """The op of a tensor, or the op itself."""
    return op_or_tensor.op if isinstance(op_or_tensor, engine.Variable) else op_or_tensor


def caller():
    """The line of the innermost frame outside of the package that is running now."""
    frame = sys._getframe(1)
    while frame.f_back is not None and in_package(frame.f_code.co_filename):
        frame = frame.f_back
    code = frame.f_code
    return Line(code.co_filename, frame.f_lineno, getattr(code, "co_qualname", code.co_name), cell_of(code.co_filename))


@functools.lru_cache(None)
def in_package(file):
    """Whether `file` is the package's own, and not one of its experiments."""
    return file.startswith(PACKAGE) and not file.startswith(EXPERIMENTS)


def cell_of(file):
    """The number of the notebook cell that was compiled under the name `file`, or None.

    IPython knows it, both in terminals ("<ipython-input-3-...>") and in Jupyter ("/.../ipykernel_7/123.py").
    """
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    names = {} if shell is None else getattr(shell.compile, "_filename_map", {})
    return names.get(file)


# ---- what takes the place of the engine's apply and of Module.__call__ while lines are remembered


_plain_apply = engine.apply
_plain_call = Module.__call__


def _apply(op, *inputs):
    """engine.apply, with the line noted."""
    line = caller()
    try:
        y = _plain_apply(op, *inputs)
    except Exception as error:
        notes.add(error, notes.of_forward(op, inputs, line, _running[-1][1] if _running else None))
        raise
    if y.op is op:
        _lines[op] = line
        if _running:
            module, name = _running[-1]
            _modules[op] = name, type(module).__name__
    journal.applied(op, inputs, y, line)
    return y


def _call(module, *args, **kwargs):
    """Module.__call__, with the module's name noted while its forward runs."""
    if not _running:
        _names.update((id(m), name) for name, m in module.named_modules())
    _running.append((module, _names.get(id(module), _running[-1][1] if _running else "")))
    try:
        return _plain_call(module, *args, **kwargs)
    except Exception as error:
        if not notes.has(error):
            notes.add(error, notes.of_module(module, _running[-1][1], args, caller()))
        raise
    finally:
        _running.pop()
        if not _running:
            _names.clear()


def _switch(on):
    """Replace the functions, or put them back."""
    if bool(on) == _state["on"]:
        return
    _state["on"] = bool(on)
    if not on:
        _patches.undo()
        return
    _patches.everywhere(_plain_apply, _apply)
    _patches.attribute(Module, "__call__", _call)
    notes.watch_walks(_patches, caller)
    journal.watch(_patches, caller)
