"""Start Python's debugger inside the walk of backward, and count how often one has to press "s" there.

Backward is ordinary Python, so pdb can step through it. Two things stand in the way: the frames of NumPy, which pdb is
told to skip, and the lines between `loss.backward()` and the first op, which `step` passes over.
"""

import bdb
import dis
import linecache
import pdb

from .. import backend, clock, engine
from ..autograd.several import Several
from ..tensor import Tensor

SKIP = (
    "numpy",
    "numpy.*",
    "contextlib",  # the frames of `with no_grad():`
    "threading",
    clock.__name__,  # who wrote to what: no mathematics
    f"{__package__}.*",  # the tools themselves
)
"""Modules whose frames `step` and `presses` pass over: NumPy, the bookkeeping of writes, and the tools themselves."""

_BOOKKEEPING = [
    *(engine.graph, engine.former_self, engine._begin, engine.Variable.receive),
    *(backend.channel_mean, backend.sum_of_rows, Tensor.shape.fget),
]
BOOKKEEPING = {function.__code__ for function in _BOOKKEEPING}
BOOKKEEPING |= {c for code in BOOKKEEPING for c in code.co_consts if hasattr(c, "co_code")}  # comprehensions in them
"""Functions that `step` and `presses` pass over: order, first gradient, sums over uses, and sums over rows.

What is left are the lines of `backward`, `backward_step` and the ops: the order, the chain rule and the mathematics.
"""

BANNER = """\
debug.step: {first}, the first of {n} ops of this walk; gradient {dy}. Next line: {line}
s steps into op.backward, the mathematics; n runs it and stops at the next line; u and d move between the frames.
p op, p dy, p vars(op) show what is there; c walks to the end; q leaves, and every gradient is as it was before.
"""


def step(loss, gradient=None, retain_graph=None, *, skip=SKIP, bookkeeping=False, stdin=None, stdout=None):
    """Run ``loss.backward()`` under pdb, and stop right before the first op's backward.

    Parameters
    ----------
    loss : Tensor
        The end of the graph.
    gradient : Tensor or array of the shape of `loss`, optional
        Where the chain rule starts; left out, `loss` must have one element.
    retain_graph : bool, optional
        Keep the graph after the walk.
    skip : sequence of str
        Patterns of module names whose frames "s" passes over.
    bookkeeping : bool
        Whether "s" also steps into what the engine does between the ops: BOOKKEEPING.
    stdin, stdout : text files, optional
        Where commands come from and where pdb writes to; left out, the terminal or the notebook's prompt.

    Raises
    ------
    TypeError
        If `loss` is no Tensor.
    RuntimeError
        The errors of backward: no graph, a graph that was freed, a `gradient` that is missing or of the wrong shape.

    Notes
    -----
    Leaving with ``q`` takes back what the walk has done: the gradients are those from before, and the graph is whole.
    """
    if not isinstance(loss, engine.Variable):
        raise TypeError(f"step: got {type(loss).__name__}, wanted a Tensor: give it the loss, not loss.backward()")
    order = engine.graph(loss)
    leaves = {id(x): x for t in order for x in t.op.inputs if x is not None}
    before = [(t, t.dy, t.grad_array) for t in [*order, *leaves.values()]]
    debugger = _Stepper(len(order), skip, bookkeeping, stdin, stdout)
    finished = False
    try:
        debugger.runcall(loss.backward, gradient, retain_graph=True)  # freed below: after "q" the graph must be whole
        finished = not debugger.left
    finally:
        if not finished:
            for t, dy, grad_array in before:
                t.dy, t.grad_array = dy, grad_array
    if finished and not retain_graph:
        for t in order:
            t.dy, t.op = None, object.__new__(type(t.op))


def presses(call, skip=SKIP, bookkeeping=False):
    """How many times pdb stops during ``call()`` if one only ever presses "s": calls, lines, returns and exceptions.

    Parameters
    ----------
    call : callable
        A function or method written in Python, for example ``loss.backward``.
    skip : sequence of str
        Patterns of module names whose frames are passed over.
    bookkeeping : bool
        Whether stops in BOOKKEEPING count, too: those that pdb itself makes.

    Returns
    -------
    int
        The stops from the call of the function to its return, both counted: so many times "s" on a line that holds
        the call and nothing else. One more leads back to that line's function.

    >>> presses(lambda: None, skip=())  # the call, its only line, the return
    3
    """
    counter = _Counter(skip, bookkeeping)
    counter.runcall(call)
    return counter.stops + 1  # Bdb.runcall is silent about the first call


class _PassesOver:
    """A debugger that does not stop in the engine's bookkeeping, unless asked to."""

    bookkeeping = True

    def stop_here(self, frame):
        """Whether the debugger may stop in this frame."""
        return (self.bookkeeping or frame.f_code not in BOOKKEEPING) and super().stop_here(frame)


class _Counter(_PassesOver, bdb.Bdb):
    """Counts the events at which pdb would stop after "s"."""

    def __init__(self, skip, bookkeeping):
        super().__init__(skip=skip)
        self.stops, self.bookkeeping = 0, bookkeeping

    def user_call(self, frame, argument_list):
        self.stops += 1

    user_line = user_return = user_exception = lambda self, frame, *_: self.user_call(frame, None)


_Pdb = next(
    kind for kind in pdb.Pdb.__mro__ if kind.__module__ == "pdb"
)  # a notebook puts its own in the place of pdb's


class _Stepper(_PassesOver, _Pdb):
    """pdb that keeps quiet until the walk stands before its first op."""

    def __init__(self, n_ops, skip, bookkeeping, stdin, stdout):
        super().__init__(skip=skip, stdin=stdin, stdout=stdout, nosigint=True, readrc=stdin is None)
        if stdin is not None:
            self.use_rawinput = False
        self.n_ops, self.arrived, self.left, self.bookkeeping = n_ops, False, False, bookkeeping

    def user_call(self, frame, argument_list):
        if self.arrived:
            super().user_call(frame, argument_list)

    def user_return(self, frame, return_value):
        if self.arrived:
            super().user_return(frame, return_value)

    def user_exception(self, frame, exc_info):
        if self.arrived:
            super().user_exception(frame, exc_info)

    def user_line(self, frame):
        if not self.arrived:
            if not _before_an_op(frame):
                return
            self.arrived = True
            op, dy = frame.f_locals["op"], frame.f_locals["dy"]
            line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
            self.stdout.write(BANNER.format(first=type(op).__name__, n=self.n_ops, dy=_summary(dy), line=line))
        super().user_line(frame)

    def set_quit(self):
        self.left = True
        super().set_quit()


def _before_an_op(frame):
    """Whether the next line of `frame` is the one of `Variable.backward_step` that calls the op's backward."""
    code = frame.f_code
    if code.co_name != "backward_step" or code.co_filename != engine.__file__:
        return False
    starts, line = dict(dis.findlinestarts(code)), None
    for instruction in dis.get_instructions(code):
        line = starts.get(instruction.offset, line)
        if instruction.argval == "backward" and line == frame.f_lineno:
            return True
    return False


def _summary(dy):
    """A gradient in a few words."""
    if isinstance(dy, Several):
        return f"of {len(dy.parts)} results"
    return f"{dy.item():.4g}" if dy.size == 1 else f"of shape {dy.shape}"
