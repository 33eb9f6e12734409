"""Which ops share one box of a picture: those of one module, or those in the middle of a long graph.

A box holds ops that follow one another in the order of creation. Ops use older results only, so no path leaves such a
run and comes back: the picture of a graph without cycles has none either.
"""

from collections import Counter
from dataclasses import dataclass

from ..nn.module import Module
from . import lines

COMFORTABLE = 40  # boxes that are read without searching; a picture with more is folded, unless the user says otherwise


@dataclass
class Group:
    """Ops that are drawn as one box.

    Attributes
    ----------
    tensors : list of Variable
        Their results, oldest first.
    module : str
        The dotted name of the module that they are; "" for a single op or a shortened part.
    kind : str
        The name of the module's class, where it is known.
    shortened : bool
        Whether this is the middle of a graph that was too long.
    """

    tensors: list
    module: str = ""
    kind: str = ""
    shortened: bool = False

    @property
    def single(self):
        """Whether this is one op, drawn as itself."""
        return not self.module and not self.shortened

    def count_ops(self):
        """The kinds of op, the most frequent first, as text: "Linear 3, Tanh 2, ..."."""
        counts = Counter(type(t.op).__name__ for t in self.tensors).most_common()
        shown = [name if count == 1 else f"{name} {count}x" for name, count in counts[:4]]
        return ", ".join(shown + ["..."] * (len(counts) > 4))


def modules_by_op(order, model, names):
    """The dotted name of every op's module and of its class: {serial: (name, class)}.

    Known where lines were remembered during the forward pass. Otherwise an op belongs to the module that has all of its
    parameters: of `model`, or of the modules among `names`.
    """
    found = {}
    roots = [model] if model is not None else [m for m in (names or {}).values() if isinstance(m, Module)]
    owners = {}
    for root in roots:
        for path, module in root.named_modules():
            for parameter in module.parameters(recurse=False):
                owners.setdefault(id(parameter), (path, type(module).__name__))
    for t in order:
        path = lines.module_of(t.op)
        if path is not None:
            found[t.op.serial] = path, lines.module_class_of(t.op)
            continue
        candidates = {owners[id(x)] for x in t.op.inputs if id(x) in owners}
        if len(candidates) == 1:
            found[t.op.serial] = candidates.pop()
    return found


def fold_by_module(order, modules, depth):
    """Groups of consecutive ops whose modules have the same first `depth` names; other ops stay single.

    >>> from minitorch_bn import tensor
    >>> a = tensor(1.0, requires_grad=True)
    >>> b = a.exp()
    >>> c = b.tanh()
    >>> modules = {b.op.serial: ("0.fc", "Linear"), c.op.serial: ("0.act", "Tanh")}
    >>> [(group.module, len(group.tensors)) for group in fold_by_module([b, c], modules, 1)]
    [('0', 2)]
    >>> [(group.module, group.kind) for group in fold_by_module([b, c], modules, 2)]
    [('0.fc', 'Linear'), ('0.act', 'Tanh')]
    """
    groups = []
    paths = {path for path, _ in modules.values()}
    containers = {path.rsplit(".", i)[0] for path in paths for i in range(1, path.count(".") + 1)}
    for t in order:
        path, kind = modules.get(t.op.serial, ("", ""))
        parts = path.split(".")
        name = ".".join(parts[:depth])
        if len(parts) < depth and path in containers:
            name = ""  # an op between the parts of a module that is shown with its parts
        if name and groups and groups[-1].module == name:
            groups[-1].tensors.append(t)
        else:
            groups.append(Group([t], name))
        if path == name:
            groups[-1].kind = kind
    return groups


def shorten(groups, limit):
    """All groups, if they are at most `limit`; else some from the start and more from the end, the middle as one."""
    if len(groups) <= limit:
        return groups
    limit = min(limit, COMFORTABLE)
    first = max(1, limit // 3)
    last = max(1, limit - first - 1)
    middle = groups[first : len(groups) - last]
    return [*groups[:first], Group([t for g in middle for t in g.tensors], shortened=True), *groups[-last:]]


def count_boxes(groups):
    """How many boxes these groups make, with the leaves that are drawn on their own."""
    users = {}
    for i, group in enumerate(groups):
        for x in leaves(group):
            users.setdefault(id(x), set()).add(i)
    alone = sum(len(used) > 1 or groups[min(used)].single for used in users.values())
    return len(groups) + alone


def leaves(group):
    """The leaves that a group's ops were applied to, each once."""
    found = {id(x): x for t in group.tensors for x in t.op.inputs if x is not None and x.op is None}
    return list(found.values())


def group(order, modules, fold, limit):
    """Divide the recorded tensors into the boxes of a picture.

    Parameters
    ----------
    order : list of Variable
        Oldest first.
    modules : dict
        From `modules_by_op`.
    fold : None, bool or int
        How many names of a module's dotted name are told apart: 0 for no folding (False), 1 for True; None chooses the
        deepest that leaves a picture that can be read.
    limit : int
        The most groups.

    Returns
    -------
    list of Group
    """
    single = [Group([t]) for t in order]
    if fold is None:
        deepest = max((path.count(".") + 1 for path, _ in modules.values() if path), default=0)
        if len(order) > limit or count_boxes(single) > COMFORTABLE:
            for depth in range(deepest, 0, -1):
                groups = fold_by_module(order, modules, depth)
                if count_boxes(groups) <= COMFORTABLE or depth == 1:
                    return shorten(groups, limit)
        return shorten(single, limit)
    return shorten(fold_by_module(order, modules, int(fold)) if fold else single, limit)
