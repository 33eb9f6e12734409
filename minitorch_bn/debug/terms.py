"""One element of a gradient as a sum of terms: which element of which result contributes how much.

    d loss / d x_i  =  sum over the ops that read x, sum over the elements j of their results, of dy_j * d y_j / d x_i

An op's backward is linear in dy. So its answer to a dy that is 1 at element j and 0 elsewhere is the local derivative
d y_j / d x_i. Asking for every j would take as many calls as y has elements; most of them are zero by structure (row 3
of a Linear's result has nothing to do with row 5 of its input). These are found with a dy of random numbers, among
which nothing cancels by accident: a random dy on half of the elements that gives exactly 0 rules out that half.
"""

import gc
import math
import time
from dataclasses import dataclass

import numpy as np

from .. import backend, clock, engine
from ..autograd.function import FunctionNode
from ..autograd.several import Several
from ..hooks import Probe
from ..nn.hooks import BackwardHookFunction

ROUNDINGS = 16  # per term, of the longest formula: as in the bound of the float32 tests
TWINS, TWIN = 4, 8  # how many twins, and the factor K on how far they move: compare/tolerance.py
FEW = 32  # elements that are asked one by one straight away


# ---- gradients that have arrived -------------------------------------------------------------------------------------


class Walk:
    """A graph, and the gradient that has arrived at each of its tensors.

    Attributes
    ----------
    root : Tensor
        Where the chain rule starts.
    arrived : dict {id of a tensor: array}
        d root / d tensor.
    kept : bool
        Whether these are the gradients that a walk left on the tensors, or were computed for this purpose.
    """

    def __init__(self, root, order, arrived, kept):
        self.root, self.arrived, self.kept = root, arrived, kept
        self.readers = {}
        for t in reversed(order):
            for position, (x, needed) in enumerate(zip(t.op.inputs, t.op.needs, strict=False)):
                if needed and id(t) in arrived:
                    self.readers.setdefault(id(x), []).append((t, position))

    def uses(self, x):
        """What ops made of `x`, as far as gradients have reached it, each with the position of `x`, oldest first."""
        return self.readers.get(id(x), [])


def own_walk(loss):
    """The gradients of `loss`, computed aside: no `.grad`, no `dy` and no op is changed."""
    order = engine.graph(loss)
    clock.check(order)
    arrived = {id(loss): loss.array**0}
    for t in order:
        if id(t) in arrived:
            for x, dx, needed in zip(t.op.inputs, t.op.backward(arrived[id(t)]), t.op.needs, strict=False):
                if needed and dx is not None:
                    arrived[id(x)] = arrived[id(x)] + dx if id(x) in arrived else dx
    return Walk(loss, order, arrived, kept=False)


def kept_walk(x):
    """The gradients that ``backward(retain_graph=True)``, or a tape, left on the tensors between `x` and its loss.

    References in a graph point to the past, so that the uses of `x` are looked for among all tensors that are alive.

    Raises
    ------
    RuntimeError
        If there are none, or they belong to several losses.
    """
    alive = [t for t in gc.get_objects() if issubclass(type(t), engine.Variable)]
    alive = [t for t in alive if t.op is not None and t.op.inputs and t.dy is not None]
    readers = {}
    for t in alive:
        for y in t.op.inputs:
            readers.setdefault(id(y), []).append(t)
    seen, todo = {id(x): x}, [x]
    for t in todo:
        for y in readers.get(id(t), ()):
            if id(y) not in seen:
                seen[id(y)] = y
                todo.append(y)
    roots = [t for t in todo if id(t) not in readers and (t is not x or x.op is not None)]
    if not roots or (x.op is not None and x.dy is None):
        raise RuntimeError(
            "why: no gradients between this tensor and a loss are kept. Call loss.backward(retain_graph=True) first, "
            "or say why(tensor, index, loss=loss) before backward(), which frees the graph. If the loss does not "
            "depend on the tensor, debug.why_no_grad(tensor, loss) says where it was cut off"
        )
    if len(roots) > 1:
        raise RuntimeError(
            f"why: the tensor has gradients of {len(roots)} results, {', '.join(map(label, roots[:4]))}, whose graphs "
            "are all kept. Say which one is meant: why(tensor, index, loss=loss)"
        )
    order = [t for t in engine.graph(roots[0]) if t.dy is not None]
    return Walk(roots[0], order, {id(t): t.dy for t in order}, kept=True)


def label(t):
    """What a tensor is, in a few words: the op that made it, and its shape."""
    return f"{type(t.op).__name__} {tuple(t.array.shape)}" if t.op is not None else f"a leaf {tuple(t.array.shape)}"


def read(array, index):
    """One element as a float; of a Function's several results, the first number of `index` picks one."""
    if isinstance(array, Several):
        array, index = array.parts[index[0]], index[1:]
    return 0.0 if array is None else float(array[index])


# ---- one op ----------------------------------------------------------------------------------------------------------


class Slope:
    """The linear function from the gradient of an op's result to one element of the gradient of one of its inputs.

    Parameters
    ----------
    t : Tensor
        The result.
    position : int
        Which input.
    index : tuple of int
        Which element of it.
    dy : array or Several
        The gradient that has arrived at the result.
    part : int
        Which result, where the op is a Function that has several; 0.
    work : Work
        Counts the calls.
    """

    def __init__(self, t, position, index, dy, part, work):
        self.t, self.position, self.index, self.part = t, position, index, part
        self.op = copy_of(t.op)
        self.op.needs = [i == position for i in range(len(t.op.needs))]  # spares the work for its other inputs
        self.several = isinstance(dy, Several)
        self.all_dy = dy.parts if self.several else (backend.as_array(dy),)
        self.dy = backend.to_numpy(self.all_dy[part])
        self.shape, self.dtype, self.size = self.dy.shape, self.dy.dtype, self.dy.size
        self.random = np.random.default_rng(0).uniform(0.5, 1.5, self.shape).astype(self.dtype)
        self.work = work
        alike = t.op.inputs[position].array.shape == self.shape and len(index) == len(self.shape)
        self.same = int(np.ravel_multi_index(index, self.shape)) if alike and index else None  # flat position of i in y

    def __call__(self, v, op=None):
        """dx_i for the upstream gradient `v`, an array of NumPy."""
        self.work.called()
        parts = [None if dy is None else self._beside(np.zeros(dy.shape, dy.dtype)) for dy in self.all_dy]
        parts[self.part] = self._beside(v)
        gradients = (op or self.op).backward(Several(parts) if self.several else parts[0])
        dx = gradients[self.position]
        return 0.0 if dx is None else read(dx, self.index)

    def _beside(self, array):
        """`array` on the device of dy."""
        return backend.to_device(array, backend.device_of(self.all_dy[self.part]))

    def on(self, values, where):
        """dx_i for the upstream gradient that is `values` at the flat positions `where` and 0 elsewhere."""
        v = np.zeros(self.shape, self.dtype)
        v.reshape(-1)[where] = values.reshape(-1)[where]
        return self(v)

    def derivative(self, j):
        """d y_j / d x_i for flat position j."""
        return self.on(np.ones(self.shape, self.dtype), [j])

    def element(self, j):
        """Flat position j as an index of the tensor, behind the number of the result where there are several."""
        index = tuple(int(k) for k in np.unravel_index(j, self.shape))
        return (self.part, *index) if self.several else index


class Work:
    """How often a backward may be called to tell terms apart, and for how long; and a progress bar.

    Parameters
    ----------
    limit : int
        Calls per use of the tensor.
    seconds : float
        For everything.
    bar : tqdm
    """

    def __init__(self, limit, seconds, bar):
        self.limit, self.bar, self.calls, self.end = limit, bar, 0, time.monotonic() + seconds

    def called(self):
        """Count one call."""
        self.calls += 1
        self.bar.update()

    def is_over(self, share=1.0):
        """Whether this share of the calls has been made, or the time is up."""
        return self.calls > share * self.limit or time.monotonic() > self.end


def box(slope):
    """Flat positions that may contribute: along every axis, only where a slice of random dy gives something.

    What does not contribute is often a whole slice (other rows, other channels), and axes are asked one by one.
    """
    if slope.size <= FEW:
        return np.arange(slope.size)
    if slope.same is not None:  # often element i depends on element i alone
        others = slope.random.copy()
        others[slope.index] = 0
        if slope(others) == 0:
            return np.array([slope.same])
    kept = []
    for axis, length in enumerate(slope.shape):
        found, todo = [], [range(length)]
        while todo:
            part = todo.pop()
            v = np.zeros(slope.shape, slope.dtype)
            where = (slice(None),) * axis + (slice(part.start, part.stop),)
            v[where] = slope.random[where]
            if slope.work.is_over(0.5):
                found += part
            elif slope(v) != 0:
                middle = len(part) // 2
                todo += [part[middle:], part[:middle]] if middle else []
                found += part if not middle else []
        kept.append(np.array(sorted(found), int))
    return np.ravel_multi_index(np.ix_(*kept), slope.shape).reshape(-1)


def contributions(slope):
    """The elements of the result that dx_i depends on: element i first, then those with the largest dy.

    Returns
    -------
    found : list of (flat position, local derivative)
        All derivatives that are not 0.
    rest : array of flat positions
        What was not asked one by one, because that takes more work than is allowed.
    """
    candidates = box(slope)
    sizes = np.abs(slope.dy.reshape(-1)[candidates].astype(float))
    if slope.same is not None:
        sizes[candidates == slope.same] = np.inf
    found, todo = [], [candidates[np.argsort(-sizes, kind="stable")]]
    while todo and not slope.work.is_over():
        block = todo.pop()
        if len(block) <= 4 or slope.size <= FEW:
            asked = [(int(j), slope.derivative(j)) for j in block]
            found += [(j, slope_j) for j, slope_j in asked if slope_j != 0]
        elif slope.on(slope.random, block) != 0:
            middle = len(block) // 2
            todo += [block[middle:], block[:middle]]
    return found, np.concatenate([np.array([], int), *todo])


def nan_from_zero(slope, found):
    """Elements whose derivative is 0 and that contribute all the same, since their dy is infinite or nan: 0 * inf.

    As triples (flat position, 0.0, product).
    """
    wild = np.setdiff1d(np.flatnonzero(~np.isfinite(slope.dy)), [j for j, *_ in found])
    if not wild.size or slope.on(slope.dy, wild) == 0:
        return []
    products = [(int(j), 0.0, slope.on(slope.dy, [j])) for j in wild]
    return [triple for triple in products if triple[2] != 0]


def rounding_of(slope):
    """How far dx_i moves if dy and all that the op saved are moved by one ulp at random: the farthest of a few twins.

    That is what roundings inside the op's formula do to its result (Monte Carlo arithmetic, Parker 1997).
    """
    dy, moved = slope.dy, 0.0
    here = slope(dy)
    for seed in range(TWINS):
        rng = np.random.default_rng(seed)
        twin = copy_of(slope.op)
        vars(twin).update({name: nudged(saved, rng) for name, saved in vars(slope.op).items() if name != "needs"})
        there = slope(nudged(dy, rng), twin)
        moved = max(moved, abs(there - here)) if math.isfinite(there - here) else moved
    return moved


def copy_of(op):
    """Another op with the same attributes."""
    other = object.__new__(type(op))
    vars(other).update(vars(op))
    return other


def nudged(saved, rng):
    """A copy of a floating point array, or of those in a tuple, with every number moved up or down by one ulp."""
    if type(saved) in (tuple, list):
        return type(saved)(nudged(one, rng) for one in saved)
    saved = backend.as_array(saved)
    if not backend.is_array(saved) or saved.dtype.kind != "f":
        return saved
    ulps = (rng.integers(0, 2, saved.shape) * 2 - 1) * float(np.finfo(saved.dtype).eps)
    factor = backend.to_device(np.asarray(1 + ulps, saved.dtype), backend.device_of(saved))
    return backend.as_array(saved * factor)


# ---- terms -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Term:
    """One term of the chain rule's sum, or several that were not told apart.

    Attributes
    ----------
    tensor : Tensor or None
        The result of the op; None for the start of the chain.
    position : int
        At which position of the op's inputs the explained tensor stands.
    element : tuple of int or None
        Which element of the result; None for several together. Of a Function with several results, the first number
        says which one.
    dy, derivative : float or None
        d loss / d y_j, and d y_j / d x_i; None for several together.
    product : float
        What this adds to the gradient.
    count : int
        How many elements these are.
    """

    tensor: object
    position: int
    element: tuple | None
    dy: float | None
    derivative: float | None
    product: float
    count: int = 1

    @property
    def op(self):
        """The op, or None at the start of the chain."""
        return None if self.tensor is None else self.tensor.op


def terms_of_use(walk, t, position, index, work):
    """All terms that one use of a tensor adds to its gradient at `index`, and how far roundings move their sum."""
    refuse_ranks(t.op)
    dy = walk.arrived[id(t)]
    parts = range(len(dy.parts)) if isinstance(dy, Several) else (0,)
    work.calls = 0
    slopes = [Slope(t, position, index, dy, part, work) for part in parts if not_none(dy, part)]
    if goes_through_hooks(t.op):
        dx = t.op.backward(dy)[position]
        element = index if isinstance(t.op, Probe) else (position - 2, *index)
        return [Term(t, position, element, read(dy, element), None, read(dx, index))], 0.0
    terms, moved = [], 0.0
    for slope in slopes:
        if not math.isfinite(slope(np.zeros(slope.shape, slope.dtype))):  # an infinite derivative times 0 is nan
            terms.append(Term(t, position, None, None, None, slope(slope.dy), slope.size))
            continue
        found, rest = contributions(slope)
        found = [(j, derivative, float(slope.dy.reshape(-1)[j]) * derivative) for j, derivative in found]
        for j, derivative, product in [*found, *nan_from_zero(slope, found)]:
            dy_j = float(slope.dy.reshape(-1)[j])
            terms.append(Term(t, position, slope.element(j), dy_j, derivative, product))
        if rest.size:
            terms.append(Term(t, position, None, None, None, slope.on(slope.dy, rest), int(rest.size)))
        moved += rounding_of(slope)
    return terms, moved


def not_none(dy, part):
    """Whether a gradient has arrived at this result."""
    return not isinstance(dy, Several) or dy.parts[part] is not None


def goes_through_hooks(op):
    """Whether an op's backward calls hooks of the user: functions that need not be linear, and may do anything."""
    return isinstance(op, Probe) or (isinstance(op, FunctionNode) and op.function is BackwardHookFunction)


def refuse_ranks(op):
    """Raise NotImplementedError for an op whose backward talks to other processes: they would have to ask as often."""
    if getattr(getattr(op, "group", None), "size", 1) > 1:
        raise NotImplementedError(
            f"why: got {type(op).__name__} over several processes, wanted one: its backward waits for the others"
        )


def engine_sum(walk, x, index):
    """The element of the gradient as the engine computes it: whole gradients, added up in its order and precision."""
    if not walk.kept:
        return read(walk.arrived[id(x)], index)
    total = walk.root.array**0 if x is walk.root else None
    for t, position in reversed(walk.uses(x)):
        dx = t.op.backward(walk.arrived[id(t)])[position]
        if dx is not None:
            total = dx if total is None else total + dx
    return 0.0 if total is None else read(total, index)
