"""What a picture of the graph shows: boxes with their texts, and edges. Where they lie is for layout.py."""

from dataclasses import dataclass, field

from .. import engine
from ..nn.module import Module
from ..nn.parameter import Buffer, Parameter
from . import folding, lines
from .naming import names_of
from .summary import gradient_of, is_sick, shape_of, summary

PARAMETERS_SHOWN = 4  # in the box of a module
MOST_LEAVES = 16  # of one op; if it has more, half of that is drawn


@dataclass
class Box:
    """A box of the picture.

    Attributes
    ----------
    kind : str
        "op", "module", "parameter" (a leaf that gets a gradient), "input" (one that does not), "hidden" (the middle of
        a graph that was shortened) or "again" (a stand-in near the use of something drawn far away).
    title, shape : str
        The first line.
    lines : list of (str, str)
        What stands below: (style, text), the style one of "value", "grad", "note", "sick".
    tip : str
        What a mouse that rests on the box shows.
    arrived : bool
        Whether a gradient has arrived.
    marked, root : bool
        Whether the user pointed at it; whether the picture is of this tensor.
    """

    kind: str
    title: str
    shape: str = ""
    lines: list = field(default_factory=list)
    tip: str = ""
    arrived: bool = False
    marked: bool = False
    root: bool = False


@dataclass(frozen=True)
class Edge:
    """An arrow from box `source` to box `target`; `flows` says whether a gradient comes back along it."""

    source: int
    target: int
    flows: bool = True


@dataclass
class Picture:
    """Boxes in an order in which every edge points forward, edges, and what must be said about the whole."""

    boxes: list
    edges: list
    title: str
    notes: list


class Drafting:
    """Turns a recorded graph into a Picture.

    Parameters
    ----------
    root : Variable
    names : dict or None
    model : Module or None
    values : bool
    fold, limit
        As for `folding.group`.
    marked : set of int
        The ids of tensors that the user points at.
    """

    def __init__(self, root, names, model, values, fold, limit, marked):
        order = engine.graph(root)[::-1]
        self.names = names_of(names)
        roots = [model] if model is not None else [m for m in (names or {}).values() if isinstance(m, Module)]
        self.paths = {id(x): path for root in roots for path, x in root.named_parameters()}
        for key, path in self.paths.items():
            self.names.setdefault(key, path)
        self.named = [x for x in _tensors(names) if isinstance(x, engine.Variable)]
        self.values, self.marked, self.root = values, marked, root
        self.groups = folding.group(order, folding.modules_by_op(order, model, names), fold, limit)
        self.group_of = {id(t): i for i, group in enumerate(self.groups) for t in group.tensors}
        self.boxes, self.edges, self.count = [], [], len(order)
        self.box_of = {}  # {id of a leaf, or number of a group: number of its box}

    def picture(self):
        """The picture of the whole graph."""
        users = {}
        for i, group in enumerate(self.groups):
            for x in folding.leaves(group):
                users.setdefault(id(x), set()).add(i)
        for i, group in enumerate(self.groups):
            inside = [x for x in folding.leaves(group) if users[id(x)] == {i} and _belongs(x, group)]
            self.draw_leaves(group, {id(x) for x in inside})
            self.box_of[i] = self.add(self.box_of_group(group, inside))
            self.draw_edges(i, group)
        return Picture(self.boxes, self.edges, self.title(), self.notes())

    def add(self, box):
        """Add a box; its number."""
        self.boxes.append(box)
        return len(self.boxes) - 1

    def draw_leaves(self, group, inside):
        """Add what the group is applied to and has no box yet, unless it is drawn inside of the group's box."""
        sources = [x for t in group.tensors for x in t.op.inputs if x is not None and x.op is None]
        new = {id(x): x for x in sources + self.read_beside(group)}
        new = [x for x in new.values() if id(x) not in inside and id(x) not in self.box_of]
        shown = new if len(new) <= MOST_LEAVES else new[: MOST_LEAVES // 2]
        for x in shown:
            kind = "parameter" if x.requires_grad else "input"
            box = Box(kind, self.names.get(id(x), kind), shape_of(x))
            self.fill(box, x)
            self.box_of[id(x)] = self.add(box)
        if len(shown) < len(new):
            rest = self.add(Box("hidden", f"... {len(new) - len(shown):,} more leaves, not shown ..."))
            self.box_of.update((id(x), rest) for x in new[len(shown) :])

    def read_beside(self, group):
        """Named tensors whose arrays an op holds without being applied to them: indices, labels, masks."""
        if group.shortened:
            return []
        held = {id(v) for t in group.tensors for v in vars(t.op).values() if hasattr(v, "dtype")}
        inputs = {id(x.array) for t in group.tensors for x in t.op.inputs if x is not None}
        made = {id(t.array) for t in group.tensors}
        return [x for x in self.named if x.op is None and id(x.array) in held - inputs - made]

    def draw_edges(self, i, group):
        """Add the edges into a group: to a single op one per argument, to and from a folded one once for all."""
        here, drawn = self.box_of[i], set()
        for t in group.tensors:
            for x in t.op.inputs:
                if x is None or self.group_of.get(id(x)) == i:
                    continue
                source = self.box_of.get(id(x) if x.op is None else self.group_of[id(x)])
                each = group.single and source is not None and self.boxes[source].kind != "hidden"
                if source is not None and (each or source not in drawn):
                    drawn.add(source)
                    self.edges.append(Edge(source, here, x.requires_grad))
        for x in self.read_beside(group):
            if self.box_of[id(x)] not in drawn:
                self.edges.append(Edge(self.box_of[id(x)], here, False))

    def box_of_group(self, group, inside):
        """The box of one op, of a module, or of what is not shown."""
        last = group.tensors[-1]
        name = self.names.get(id(last), "")
        equals = f"{name} = " if name else ""
        if group.shortened:
            box = Box("hidden", f"... {len(group.tensors):,} ops, not shown ...")
            box.lines.append(("note", group.count_ops()))
            box.arrived = any(gradient_of(t) is not None for t in group.tensors)
            box.marked = any(id(t) in self.marked for t in group.tensors)
            return box
        if group.single:
            box = Box("op", equals + type(last.op).__name__, shape_of(last))
        else:
            kind = group.kind or (group.count_ops() if len(group.tensors) == 1 else "")
            box = Box("module", equals + group.module + (f": {kind}" if kind else ""), shape_of(last))
            if len(group.tensors) > 1:
                box.lines.append(("note", group.count_ops()))
        self.fill(box, last)
        box.root = last is self.root
        box.marked = any(id(t) in self.marked for t in group.tensors)
        for x in inside[:PARAMETERS_SHOWN]:
            box.lines.append(("note", self.parameter_line(x, group.module)))
        if len(inside) > PARAMETERS_SHOWN:
            box.lines.append(("note", f"and {len(inside) - PARAMETERS_SHOWN} more"))
        box.tip = "\n".join([_tip(t) for t in group.tensors[:12]] + ["..."] * (len(group.tensors) > 12))
        return box

    def fill(self, box, t):
        """Write the values and the gradient of a tensor into its box."""
        gradient = gradient_of(t)
        box.arrived, box.marked = gradient is not None, id(t) in self.marked
        if self.values:
            for style, array in (("value", t.array), ("grad", gradient)):
                text = summary(array)
                if text:
                    box.lines.append(("sick" if is_sick(array) else style, f"{style:5} {text}"))

    def parameter_line(self, x, module):
        """The line of a parameter in the box of its module: its name there, shape, gradient."""
        name = self.paths.get(id(x)) or self.names.get(id(x), "parameter" if x.requires_grad else "input")
        short = name.removeprefix(f"{module}.")
        gradient = summary(x.grad_array) if self.values else ""
        return f"{short} {shape_of(x)}" + (f"  grad {gradient.split(' [')[0]}" if gradient else "")

    def title(self):
        """What the picture is of."""
        name = self.names.get(id(self.root), type(self.root.op).__name__)
        leaves = {id(x): x for group in self.groups for x in folding.leaves(group) + self.read_beside(group)}
        learnt = sum(x.requires_grad for x in leaves.values())
        counts = [(self.count, "op"), (learnt, "parameter"), (len(leaves) - learnt, "input")]
        return f"{name}: " + ", ".join(f"{n:,} {word}{'s' * (n != 1)}" for n, word in counts if n)

    def notes(self):
        """What must be said: what is folded or left out, and whether there are gradients."""
        said = []
        folded = [group for group in self.groups if group.module]
        if folded:
            said.append(f"Folded by module: {len(folded)} boxes stand for a module each (fold=False shows all ops).")
        said += [
            f"Shortened: {len(group.tensors):,} of {self.count:,} ops are not shown (limit= sets how many are)."
            for group in self.groups
            if group.shortened
        ]
        if not self.values:
            return said
        said.append("value and grad: the number, or mean ± std [min, max].")
        if not any(box.arrived for box in self.boxes):
            said.append("No gradients yet: after backward(retain_graph=True), draw again.")
        elif not any(box.arrived for box in self.boxes if box.root):
            said.append("The gradients are those of an earlier walk: none has arrived at the end.")
        return said


def _belongs(x, group):
    """Whether a leaf that only this group uses is drawn inside of the group's box: state of a module, not its input."""
    return group.shortened or (not group.single and isinstance(x, Parameter | Buffer))


def _tensors(names):
    """The tensors of a dict of names, by themselves, in lists and in modules."""
    for name, value in (names or {}).items():
        if str(name).startswith("_"):
            continue
        if isinstance(value, Module):
            yield from value.buffers()
        elif isinstance(value, list | tuple):
            yield from value
        else:
            yield value


def _tip(t):
    """One op on one line: what it made, in which module and line, and what backward will read."""
    line, module = lines.line_of(t.op), lines.module_of(t.op)
    saved = sorted(set(vars(t.op)) - {"inputs", "needs", "serial"})
    parts = [f"{type(t.op).__name__} {shape_of(t)}", f"in module {module}" if module else ""]
    parts += [f"made in {line}" if line else "", f"saved: {', '.join(saved)}" if saved else ""]
    return "; ".join(part for part in parts if part)
