"""A gradient check that says how far it can be trusted: random upstream gradient, errors derived, mistakes tried out.

A check compares backward with slopes computed from function values alone (differences.py). What makes checks of
BatchNorm worthless in practice is not the differences but the rest: ones as upstream gradient, for which dx is 0; gamma
equal to 1; running statistics that move during the check. So the upstream gradient is random here, state is put back,
and `prove=True` makes mistakes on purpose (mutants.py) to see whether this very check would have noticed them.
"""

import html
from dataclasses import dataclass, field

import numpy as np
from tqdm import tqdm

from .. import engine
from .differences import Probe, Slopes
from .mutants import Proof, prove
from .subject import Subject

DIRECTIONS = 8  # random directions per leaf, where there are too many elements to try each
KINKED = ("ReLU", "Abs", "Clamp", "Max", "Min", "Hard", "Sort", "TopK", "Round", "Floor", "Sign", "Norm")


def gradcheck(
    fn, *inputs, prove=False, seed=0, eps=None, upstream="random", limit=1000, also=(), upcast=False, progress=None
):
    """Whether backward through `fn` gives the right gradients.

    Parameters
    ----------
    fn : callable or nn.Module
        Takes the inputs; gives a Tensor or a tuple of Tensors. A module's parameters are checked as well. Running
        statistics and the random generator are put back, so layers in train mode and dropout can be checked.
    *inputs
        Tensors in float64, and other things. Checked are those that require grad, or all floats if none does.
    prove : bool
        Also make mistakes on purpose in the backward of every op, and report how many the check would have caught.
    seed : int
        Of the upstream gradient, the sample and the directions.
    eps : float, optional
        Step of the differences, for elements of magnitude up to 1; left out, the cube root of the rounding unit, 6e-6.
    upstream : str
        "random", or "ones": what `y.sum().backward()` checks. For a BatchNorm that is nothing: dx is 0.
    limit : int
        Up to so many elements are tried one by one. Of more, a random sample is, and the rest by random directions.
    also : sequence of Tensor or nn.Module
        What else is to be checked, for functions that reach further tensors by themselves.
    upcast : bool
        Take float32 tensors, and compute in float64.
    progress : bool, optional
        Whether there is a progress bar; left out, there is one if it takes more than two seconds.

    Returns
    -------
    Result
        True in an `if` or `assert`. Printed, it names the worst element.

    Raises
    ------
    ValueError
        If something to check is not float64 (see `upcast`), there is nothing to check, or `upstream` is unknown.
    TypeError
        If fn gives something else than Tensors.
    RuntimeError
        If fn gives different values at the same place: it draws from a generator of its own.

    Source: Ridders 1982 for the differences; the mistakes are those of the catalogue (catalogue.py).

    >>> from minitorch_bn import float64, nn, randn
    >>> bn = nn.BatchNorm1d(3, dtype=float64)
    >>> bool(gradcheck(bn, randn(8, 3, dtype=float64)))
    True
    """
    if upstream not in ("random", "ones"):
        raise ValueError(f"gradcheck: got upstream={upstream!r}, wanted 'random' or 'ones'")
    rng = np.random.default_rng(seed)
    with Subject(fn, inputs, also, upcast) as subject:
        first, second = subject.values(), subject.values()
        if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(first, second, strict=True)):
            raise RuntimeError(
                "gradcheck: fn gave two results for the same inputs: does it draw random numbers itself?"
            )
        c = [rng.normal(size=y.shape) if upstream == "random" else np.ones(y.shape) for y in first]
        ys = subject.recorded()
        gradients = subject.walk(ys, c)
        graph = list({t.op.serial: t for y in ys for t in engine.graph(y)}.values())
        probes, slopes = probes_of(subject, rng, limit), Slopes(subject, c, gradients, eps)
        for probe in bar(probes, "slopes", progress):
            slopes.measure(probe, probe.of(gradients))
        result = Result(
            [name for name, _ in subject.leaves],
            probes,
            gradients,
            [t.array.shape for _, t in subject.leaves],
            upstream,
        )
        result.warnings = weaknesses(result, graph)
        result.kinked_ops = sorted({type(t.op).__name__ for t in graph if type(t.op).__name__.startswith(KINKED)})
        if prove:
            result.proof = proven(subject, ys, c, graph, probes, rng, progress)
        return result


def probes_of(subject, rng, limit):
    """Which slopes are measured: every element of every leaf, or a sample of them and random directions."""
    sizes = [t.array.size for _, t in subject.leaves]
    every = sum(sizes) <= limit
    probes = []
    for leaf, size in enumerate(sizes):
        sample = size if every else min(size, max(1, limit // len(sizes)))
        positions = range(size) if sample == size else np.sort(rng.choice(size, sample, replace=False)).tolist()
        probes += [Probe(leaf, position) for position in positions]
        if sample < size:
            shape = subject.leaves[leaf][1].array.shape
            probes += [Probe(leaf, direction=rng.normal(size=shape)) for _ in range(DIRECTIONS)]
    return probes


def bar(things, what, progress):
    """A progress bar, shown after two seconds if nobody says otherwise."""
    return tqdm(things, what, leave=False, delay=2 if progress is None else 0, disable=progress is False)


def proven(subject, ys, upstream, graph, probes, rng, progress):
    """The proof: every mistake in every op, judged by the slopes that were measured."""

    def accepts(gradients):
        return all(probe.accepts(gradients) for probe in probes)

    return prove(subject, ys, upstream, graph, accepts, rng, lambda jobs: bar(jobs, "mistakes", progress))


def weaknesses(result, graph):
    """What this check cannot see, in sentences."""
    found = []
    for leaf, name in enumerate(result.names):
        of_leaf = [p for p in result.probes if p.leaf == leaf and not p.kink]
        if of_leaf and all(abs(p.numeric) <= p.allowed for p in of_leaf):
            why = "; ones as upstream gradient do that to BatchNorm" if result.upstream == "ones" else ""
            found.append(f"the gradient of {name} is 0 everywhere: a backward that returns 0 would pass{why}")
    for op in (t.op for t in graph if "BatchNorm" in type(t.op).__name__):
        gamma, m = getattr(op, "gamma", None), getattr(op, "m", None)
        if gamma is not None and (gamma == 1).all():
            found.append("gamma is 1 in a BatchNorm: a backward that forgets gamma would pass; use random values")
        if m == 2:
            found.append(
                "a BatchNorm sees 2 values per channel: x_hat is 1 and -1 whatever x is, dx nearly 0; use more"
            )
    return found


@dataclass
class Element:
    """One slope that was compared.

    Attributes
    ----------
    name : str
        Like "x[3, 1]", or "x along direction 2".
    analytic, numeric : float
        According to backward, and to differences.
    allowed : float
        How far they may lie apart.
    """

    name: str
    analytic: float
    numeric: float
    allowed: float

    @property
    def difference(self):
        """How far they lie apart."""
        return abs(self.analytic - self.numeric)

    def __str__(self):
        return (
            f"{self.name}: backward {self.analytic:.10g}, differences {self.numeric:.10g}, "
            f"apart {self.difference:.2g}, allowed {self.allowed:.2g}"
        )


@dataclass(repr=False)
class Result:
    """What `gradcheck` found. True if all gradients are right.

    Attributes
    ----------
    names : list of str
        The leaves.
    probes : list of Probe
        All slopes that were measured.
    gradients : list of array
        What backward gave, one per leaf.
    shapes : list of tuple
        Of the leaves.
    upstream : str
        "random" or "ones".
    warnings : list of str
        What this check cannot see.
    kinked_ops : list of str
        The ops of the graph that have corners: where a kink may come from.
    proof : Proof or None
        With `prove=True`, which mistakes it would have caught.
    """

    names: list
    probes: list
    gradients: list
    shapes: list
    upstream: str
    warnings: list = field(default_factory=list)
    kinked_ops: list = field(default_factory=list)
    proof: Proof | None = None

    def __bool__(self):
        return not self.wrong

    @property
    def ok(self):
        """Whether all gradients are right. Says nothing of `warnings` and escaped mistakes."""
        return not self.wrong

    @property
    def checked(self):
        """How many slopes were compared."""
        return sum(not probe.kink for probe in self.probes)

    @property
    def wrong(self):
        """The elements that disagree, worst first."""
        return sorted(self._elements(lambda p: not p.accepts(self.gradients)), key=_excess, reverse=True)

    @property
    def worst(self):
        """The element that uses most of what it is allowed; None if nothing was compared."""
        return max(self._elements(lambda p: not p.kink), key=_excess, default=None)

    @property
    def kinks(self):
        """The elements at which there is no slope: not counted wrong."""
        return self._elements(lambda p: p.kink)

    def _elements(self, which):
        """The probes that `which` picks, as Elements."""
        return [
            Element(self._name(probe), probe.of(self.gradients), probe.numeric, probe.allowed)
            for probe in self.probes
            if which(probe)
        ]

    def _name(self, probe):
        """Like "x[3, 1]"."""
        name = self.names[probe.leaf]
        if probe.direction is not None:
            same = [p for p in self.probes if p.leaf == probe.leaf and p.direction is not None]
            return f"{name} along direction {[p is probe for p in same].index(True)}"
        index = np.unravel_index(probe.position, self.shapes[probe.leaf])
        return f"{name}[{', '.join(str(int(i)) for i in index)}]" if index else name

    def lines(self):
        """The result as lines of text: the verdict, the worst, kinks, warnings, the proof."""
        wrong = self.wrong
        verdict = f"WRONG at {len(wrong)} of {self.checked} slopes" if wrong else f"right at {self.checked} slopes"
        text = [f"gradcheck: {verdict} ({', '.join(self.names)})"]
        text += [f"  worst: {element}" for element in wrong[:3] or [self.worst] if element]
        allowed = [probe.allowed for probe in self.probes if not probe.kink]
        if allowed:
            upstream = "a random" if self.upstream == "random" else "ones as"
            text.append(
                f"  allowed: {max(allowed):.2g} at most, the rounding of y over the step; {upstream} upstream gradient"
            )
        where = f" ({' or '.join(self.kinked_ops)} at its corner?)" if self.kinked_ops else ""
        text += [f"  a kink at {element.name}{where}: no slope there, not counted" for element in self.kinks[:5]]
        text += [f"  ... and {len(self.kinks) - 5} more kinks"] if len(self.kinks) > 5 else []
        text += [f"  warning: {warning}" for warning in self.warnings]
        return text + ([f"  {line}" for line in self.proof.lines()] if self.proof else [])

    def __repr__(self):
        return "\n".join(self.lines())

    def _repr_html_(self):
        first, *rest = (html.escape(line) for line in self.lines())
        colour = "#2a8a2a" if self.ok else "#c03030"
        body = "\n".join(rest)
        return f'<pre style="background:none;color:inherit"><b style="color:{colour}">{first}</b>\n{body}</pre>'


def _excess(element):
    """How much of what is allowed an element uses; infinite where nothing could be measured."""
    if element.difference == 0:
        return 0.0
    used = element.difference / element.allowed if element.allowed else np.inf
    return used if np.isfinite(used) else np.inf
