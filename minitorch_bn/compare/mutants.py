"""Mistakes made on purpose: what a gradient check must notice.

A mutant is one op of a recorded graph with another backward. `generic` knows the mistakes that any backward can have;
for BatchNorm the catalogue adds those that people make. `Proof` says which of them a check caught.
"""

from dataclasses import dataclass, field

import numpy as np

from . import catalogue


@dataclass(frozen=True)
class Mutant:
    """One op with a mistake in its backward.

    Attributes
    ----------
    op : str
        The class of the op, numbered where there are several: "BatchNorm", "Linear 2".
    name, says : str
        The mistake.
    why_same : str
        Why it makes no difference on these inputs; "" where it does.
    """

    op: str
    name: str
    says: str
    why_same: str = ""

    def __str__(self):
        return f"{self.op}: {self.says}"


@dataclass
class Proof:
    """What a gradient check would have caught.

    Attributes
    ----------
    caught, escaped : list of Mutant
        Those that give another gradient somewhere, noticed and not.
    same : list of Mutant
        Those that give the right gradients on these inputs: no check can notice them here.
    """

    caught: list = field(default_factory=list)
    escaped: list = field(default_factory=list)
    same: list = field(default_factory=list)

    @property
    def total(self):
        """How many mutants make a difference here."""
        return len(self.caught) + len(self.escaped)

    def lines(self):
        """The proof as lines of text."""
        text = [f"proof: {len(self.caught)} of {self.total} mistakes made on purpose were caught"]
        text += [f"  escaped: {mutant}" for mutant in self.escaped]
        named = [mutant for mutant in self.same if mutant.why_same]
        if self.same:
            text.append(f"  {len(self.same)} more make no difference on these inputs")
        text += [f"    {mutant} ({mutant.why_same})" for mutant in named]
        return text

    def __str__(self):
        return "\n".join(self.lines())


def mutants_of(op):
    """All mistakes for one recorded op: a list of (name, says, function(op, dy) -> gradients)."""
    found = [(m.name, m.says, backward) for m, backward in of_catalogue(op)]
    known = {name for name, _, _ in found}
    return found + [mutant for mutant in generic(op) if mutant[0] not in known]


def of_catalogue(op):
    """The catalogue's mistakes, if the op is a BatchNorm."""
    names = {kind.__name__ for kind in type(op).__mro__}
    return catalogue.backward_mutants(op) if names & {"BatchNorm", "FixedBatchNorm"} else []


def generic(op):
    """The mistakes that any backward can have, for every input that wants a gradient."""
    original = op.backward
    wanted = [i for i, needed in enumerate(op.needs) if needed]
    shapes = {i: op.inputs[i].array.shape for i in wanted}
    found = [
        ("ones-for-dy", "the gradient from above was ignored", lambda op, dy: original(dy * 0 + 1)),
        ("mean-of-dy", "the gradient from above was averaged", lambda op, dy: original(dy * 0 + dy.mean())),
    ]
    for i in wanted:
        for name, says, change in CHANGES:
            found.append((f"{name}-{i}", f"gradient {i} {says}", _changed(original, i, change)))
        if len(shapes[i]) == 2 and shapes[i][0] == shapes[i][1] > 1:
            found.append((f"transposed-{i}", f"gradient {i} was transposed", _changed(original, i, lambda g: g.T)))
        for axis, n in enumerate(shapes[i]):
            if n > 1:
                says = f"gradient {i} was turned round along axis {axis}"
                found.append((f"reversed-{i}-{axis}", says, _changed(original, i, lambda g, a=axis: np.flip(g, a))))
    for i in wanted:
        for j in wanted:
            if i < j and shapes[i] == shapes[j]:
                found.append((f"swapped-{i}-{j}", f"gradients {i} and {j} were swapped", _swapped(original, i, j)))
    return found


def _one_off(g):
    """A gradient with its largest element 1 % off."""
    g = np.array(g)
    if g.size:
        g.reshape(-1)[np.abs(g).argmax()] *= 1.01
    return g


def _first_row(g):
    """A gradient that is 0 but for its first row; a single number stays."""
    g = np.array(g)
    if g.ndim:
        g[1:] = 0
    return g


CHANGES = (
    ("zero", "was dropped", lambda g: g * 0),
    ("sign", "has the wrong sign", lambda g: -g),
    ("double", "was doubled", lambda g: 2 * g),
    ("one-off", "is 1 % off in one element", _one_off),
    ("first-row", "was kept for its first row only", _first_row),
)


def _changed(original, i, change):
    """A backward whose gradient i is another."""

    def backward(op, dy):
        gradients = list(original(dy))
        if gradients[i] is not None:
            gradients[i] = np.asarray(change(gradients[i]))
        return tuple(gradients)

    return backward


def _swapped(original, i, j):
    """A backward with two gradients in each other's place."""

    def backward(op, dy):
        gradients = list(original(dy))
        gradients[i], gradients[j] = gradients[j], gradients[i]
        return tuple(gradients)

    return backward


def prove(subject, ys, upstream, graph, accepts, rng, progress):
    """Make every mistake in every op, one at a time, and see whether the check notices.

    Parameters
    ----------
    subject, ys, upstream
        What is checked, its recorded outputs, and where the walks back start.
    graph : list of Tensor
        All recorded tensors.
    accepts : callable
        accepts(gradients) -> whether the check takes these gradients of the leaves for right.
    rng : numpy.random.Generator
    progress : callable
        Wraps the loop.
    """
    made = [t for t in graph if isinstance(t.array, np.ndarray)]  # not the joint results of a Function
    proof, names = Proof(), _numbered([t.op for t in made])
    jobs = [(t, mutant) for t in made for mutant in mutants_of(t.op)]
    for t, (name, says, backward) in progress(jobs):
        op = t.op
        if _same_here(op, backward, rng.normal(size=t.array.shape)):
            proof.same.append(Mutant(names[id(op)], name, says, _why_same(op, says)))
            continue
        op.backward = lambda dy, op=op, backward=backward: backward(op, dy)
        try:
            noticed = not accepts(subject.walk(ys, upstream))
        except (ValueError, RuntimeError, IndexError):  # a gradient of the wrong shape: the engine refuses it
            noticed = True
        finally:
            del op.backward
        (proof.caught if noticed else proof.escaped).append(Mutant(names[id(op)], name, says))
    return proof


def _same_here(op, backward, dy):
    """Whether a mutant gives the right gradients for a random dy: then it is no mistake on these inputs."""
    right = op.backward(dy)
    try:
        with np.errstate(all="ignore"):
            wrong = backward(op, dy)
    except (ValueError, IndexError):  # no such mistake for arrays of this shape
        return True
    for a, b, needed in zip(right, wrong, op.needs, strict=False):
        if needed and a is not None:
            if b is None or np.shape(a) != np.shape(b):
                return False
            if not np.allclose(a, b, rtol=1e-9, atol=1e-9 * float(np.abs(a).max(initial=0)), equal_nan=True):
                return False
    return True


def _why_same(op, says):
    """For BatchNorm: why a mistake about gamma makes no difference."""
    gamma = getattr(op, "gamma", None)
    if "gamma" in says and gamma is not None and (gamma == 1).all():
        return "gamma is 1: choose other values"
    return ""


def _numbered(ops):
    """{id of op: its class, with a number where there are several of that class, oldest first}."""
    names, counts = {}, {}
    for op in sorted(ops, key=lambda op: op.serial):
        kind = type(op).__name__
        counts[kind] = counts.get(kind, 0) + 1
        names[id(op)] = (kind, counts[kind])
    return {key: f"{kind} {n}" if counts[kind] > 1 else kind for key, (kind, n) in names.items()}
