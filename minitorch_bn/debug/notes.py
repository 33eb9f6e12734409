"""What is added to an exception while lines are remembered: the op, its shapes, and the line that made it."""

from .. import engine
from ..autograd import walk
from ..autograd.several import Several
from . import journal

MARK = "minitorch_bn: "


def add(error, text):
    """Attach a note to an exception. Before Python 3.11 it becomes the last of its arguments."""
    if hasattr(error, "add_note"):
        error.add_note(MARK + text)
    else:
        error.args = (*error.args, MARK + text)


def has(error):
    """Whether the exception carries such a note already."""
    texts = getattr(error, "__notes__", ()) if hasattr(error, "add_note") else error.args
    return any(isinstance(text, str) and text.startswith(MARK) for text in texts)


def shape_of(x):
    """The shape of a tensor or array, as text; a number as it is."""
    array = getattr(x, "array", x)
    if isinstance(array, Several):
        return "(" + ", ".join(map(shape_of, array.parts)) + ")"
    return str(tuple(array.shape)) if hasattr(array, "shape") else repr(array)


def shapes_of(inputs):
    """The shapes of several inputs, as text."""
    return ", ".join(map(shape_of, inputs)) or "none"


def of_forward(op, inputs, line, module):
    """What to say of an error in an op's forward."""
    inside = f" in module {module!r}" if module else ""
    return f"in the forward of {type(op).__name__}{inside}, inputs {shapes_of(inputs)}\n  {line}"


def of_module(module, name, args, line):
    """What to say of an error in a module's forward that no op has raised: a check of a function above the ops."""
    called = f"{type(module).__name__} {name!r}" if name else type(module).__name__
    return f"in the forward of module {called}, arguments {shapes_of(args)}\n  called at {line}"


def of_backward(op, dy):
    """What to say of an error in an op's backward."""
    from .lines import line_of, module_of  # which imports this module

    line, module = line_of(op), module_of(op)
    inside = f" in module {module!r}" if module else ""
    made = f"made at {line}" if line else "its line was not remembered: run the forward under debug.remember_lines()"
    inputs = "freed" if op.inputs is None else shapes_of(op.inputs)
    return f"in the backward of {type(op).__name__}{inside}, inputs {inputs}, dy {shape_of(dy)}\n  {made}"


def explain(error):
    """Add to an error that left a walk which op's backward raised it."""
    steps = []
    trace = error.__traceback__
    while trace is not None:
        if isinstance(trace.tb_frame.f_locals.get("op"), engine.Op) and "dy" in trace.tb_frame.f_locals:
            steps.append(trace.tb_frame.f_locals)
        trace = trace.tb_next
    if steps and not has(error):
        add(error, of_backward(steps[-1]["op"], steps[-1]["dy"]))


def watch_walks(patches, caller):
    """Let the errors of all walks say more, until the patches are undone. One step of a walk has no frame more."""
    plain_backward, plain_walk = engine.Variable.backward, walk._walk

    def watched(order, retain_graph, function, *args):
        try:
            result = function(*args)
        except Exception as error:
            explain(error)
            raise
        if not retain_graph:
            journal.freed(order, caller())
        return result

    def backward(self, gradient=None, retain_graph=None, create_graph=False):
        freed = self.op is None or self.op.inputs is None
        order = [] if freed or retain_graph else engine.graph(self)
        watched(order, retain_graph, plain_backward, self, gradient, retain_graph, create_graph)

    def _walk(order, roots, starts, chosen, retain_graph):
        return watched(order, retain_graph, plain_walk, order, roots, starts, chosen, retain_graph)

    patches.attribute(engine.Variable, "backward", backward)
    patches.attribute(walk, "_walk", _walk)
