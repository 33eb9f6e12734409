"""`why`: the chain-rule sum of one gradient element, with numbers. How the terms are found is in terms.py."""

import html
import math
import operator
import sys
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from .. import engine
from ..ops.batchnorm import BatchNorm
from . import terms as chain
from .lines import line_of


def why(tensor, index, loss=None, top=8, names=None, limit=2000, seconds=10):
    """Explain one element of a gradient: d loss / d tensor[index] as a sum, term by term, the largest terms first.

    Every op that read the tensor adds, for every element j of its result y, the gradient that arrived there times the
    local derivative: dy_j * d y_j / d tensor[index]. The sum is compared with the gradient that the engine computes.

    Parameters
    ----------
    tensor : Tensor
        Whose gradient: a parameter, or any tensor between the leaves and the loss.
    index : int or tuple of int
        Which element; negative numbers count from the end. () for a tensor with one element and no dimensions.
    loss : Tensor, optional
        A tensor with one element. Its gradients are computed for this purpose, and nothing is changed. Left out, the
        gradients are those that ``backward(retain_graph=True)`` or a tape has left on the tensors.
    top : int
        How many terms are shown; the rest is folded into one line.
    names : dict, optional
        What to call tensors: ``names=locals()``.
    limit, seconds : number
        How often the backward of one op may be called to tell its terms apart, and for how long. The elements beyond,
        those with the smallest dy, are one term together.

    Returns
    -------
    Why
        It is printed at once, but in an interactive session, which shows values by itself.

    Raises
    ------
    TypeError
        If `tensor` or `loss` is no Tensor, or an entry of `index` is no integer.
    IndexError
        If `index` has not one entry per dimension, or one is out of range.
    RuntimeError
        If there is no gradient to explain: the tensor does not require grad, `loss` has no graph, more than one
        element, or does not depend on the tensor, the graph was freed, or, without `loss`, no gradients were kept.

    Notes
    -----
    The backward of a Function of the user's own is called many times. Hooks are called again, too: once or twice.

    How far the sum of the terms may be from the gradient: (n + 16) roundings of the terms' sizes for n terms, and 8
    times as far as the gradient moves when dy and what the ops have saved are moved by one ulp.

    >>> from minitorch_bn import tensor
    >>> x = tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> found = why(x, 1, loss=(x * x).sum())
    d loss / d tensor[1] = 4        (a leaf of shape (3,), float32)
      term  of the op  at y[j]  dy_j * dy_j/dx  =  adds
         0  Mul        y[1]        1 *       2  =     2
         1  Mul        y[1]        1 *       2  =     2
    The 2 terms sum to 4, the gradient is 4: equal to the last bit.
    """
    check_tensor("tensor", tensor)
    index = checked_index(index, tensor.array.shape)
    if not tensor.requires_grad:
        raise RuntimeError(
            "why: the tensor does not require grad, so that it has no gradient to explain. Set requires_grad=True "
            "before the forward pass, or ask debug.why_no_grad(tensor, loss)"
        )
    if tensor.op is not None and not tensor.op.inputs:
        raise RuntimeError(FREED)
    walk = chain.kept_walk(tensor) if loss is None else walk_of(loss, tensor)
    named = {id(t): name for name, t in (names or {}).items() if isinstance(t, engine.Variable)}
    return shown(explain(walk, tensor, index, Settings(top, named, limit, seconds)))


@dataclass(frozen=True)
class Settings:
    """What `why` was asked for besides the element, for `deeper` to ask the same: see `why`."""

    top: int
    names: dict
    limit: int
    seconds: float


FREED = (
    "why: the graph has been freed by a backward(). Call loss.backward(retain_graph=True) the first time, or say "
    "why(tensor, index, loss=loss) before backward()"
)


def check_tensor(name, value):
    """Raise TypeError for what is no Tensor."""
    if not isinstance(value, engine.Variable):
        raise TypeError(f"why: got {type(value).__name__} for {name}, wanted a Tensor")


def checked_index(index, shape):
    """`index` as a tuple of non-negative integers, one per dimension of `shape`."""
    given = index if isinstance(index, tuple | list) else (index,)
    try:
        given = tuple(operator.index(i) for i in given)
    except TypeError:
        raise TypeError(
            f"why: got index {index!r}, wanted an integer per dimension: one element is explained"
        ) from None
    if len(given) != len(shape):
        raise IndexError(
            f"why: got {len(given)} numbers in index {index!r} for shape {tuple(shape)}, wanted {len(shape)}: one "
            "element is explained"
        )
    for axis, (i, n) in enumerate(zip(given, shape, strict=True)):
        if not -n <= i < n:
            raise IndexError(f"why: index {i} is out of range for dimension {axis} of shape {tuple(shape)}")
    return tuple(i % n for i, n in zip(given, shape, strict=True))


def walk_of(loss, tensor):
    """The gradients of `loss`, after a check that there are any and that they reach `tensor`."""
    check_tensor("loss", loss)
    if loss.op is None:
        raise RuntimeError("why: the loss has no graph. Was it made under no_grad, detached, or from .item()?")
    if not loss.op.inputs:
        raise RuntimeError(FREED)
    if loss.array.size != 1:
        raise RuntimeError(
            f"why: got a loss of shape {tuple(loss.array.shape)}, wanted one element. Reduce it, for example with "
            ".sum(); or call loss.backward(gradient, retain_graph=True) and leave loss= out"
        )
    walk = chain.own_walk(loss)
    if id(tensor) not in walk.arrived:
        raise RuntimeError(
            "why: the loss does not depend on this tensor, or its graph was cut between them; "
            "debug.why_no_grad(tensor, loss) says where"
        )
    return walk


def explain(walk, tensor, index, settings):
    """The Why of one element, from gradients that are there."""
    uses = walk.uses(tensor)
    found, moved, parts = [], 0.0, []
    with np.errstate(all="ignore"), engine.no_grad(), tqdm(desc="terms", unit=" calls", leave=False, delay=2) as bar:
        work = chain.Work(settings.limit, settings.seconds, bar)
        if tensor is walk.root:
            found.append(chain.Term(None, 0, None, None, None, 1.0 if not walk.kept else start_of(walk, index)))
        for t, position in uses:
            new, more = chain.terms_of_use(walk, t, position, index, work)
            found, moved = found + new, moved + more
            if isinstance(t.op, BatchNorm) and position == 0:
                parts.append(Paths.of(t.op, chain.backend.to_numpy(walk.arrived[id(t)]), index))
        gradient = chain.engine_sum(walk, tensor, index)
    found.sort(key=lambda term: (term.count > 1, -abs(term.product) if term.product == term.product else -math.inf))
    return Why(walk, tensor, index, found, [t for t, _ in uses], parts, gradient, moved, settings)


def start_of(walk, index):
    """What the chain started with at one element of the root."""
    return chain.read(walk.root.dy, index)


@dataclass(frozen=True)
class Paths:
    """One element of BatchNorm's dx in three parts: straight from y, through the batch's mean, through its variance.

    direct = gamma * inv_std * dy_i
    mean   = -gamma * inv_std * sum(dy) / m
    var    = -gamma * inv_std * x_hat_i * sum(dy * x_hat) / m
    """

    direct: float
    through_mean: float
    through_var: float

    @classmethod
    def of(cls, op, dy, index):
        """The paths of element `index`, from what the op has saved and the gradient that has arrived."""
        channel = index[1]
        dy, x_hat = dy[:, channel].astype(float), chain.backend.to_numpy(op.x_hat)[:, channel].astype(float)
        scale = float(op.inv_std[channel]) * (1 if op.gamma is None else float(op.gamma[channel]))
        share = getattr(op, "share", 1 / op.m)  # of the variance's path, under another convention
        share = float(share if np.ndim(share) == 0 else share[channel])
        i = (index[0], *index[2:])
        return cls(scale * dy[i], -scale * dy.sum() / op.m, -scale * x_hat[i] * (dy * x_hat).sum() * share)

    def __str__(self):
        direct, mean, var = number(self.direct), signed(self.through_mean), signed(self.through_var)
        total = number(self.direct + self.through_mean + self.through_var)
        return f"{direct} direct {mean} through the mean {var} through the variance = {total}"


class Why:
    """One element of a gradient, taken apart. Its text is the table; in notebooks it is a table of its own.

    Attributes
    ----------
    tensor, index : Tensor and tuple of int
        What is explained.
    terms : list of Term
        The largest first; last those that stand for several elements.
    total : float
        Their sum.
    gradient : float
        The element as the engine computes it.
    bound : float
        How far apart these may be by rounding.
    agrees : bool
        Whether they are no farther apart.
    paths : list of Paths
        For every BatchNorm that read the tensor, the three ways through it.
    """

    def __init__(self, walk, tensor, index, terms, results, paths, gradient, moved, settings):
        self.walk, self.tensor, self.index, self.terms = walk, tensor, index, terms
        self.results, self.paths, self.gradient, self.settings = results, paths, gradient, settings
        products = [term.product for term in terms]
        finite = all(map(math.isfinite, products))
        self.total = math.fsum(products) if finite else sum(products)
        self.bound = self._bound(moved)
        both_nan = self.total != self.total and self.gradient != self.gradient
        self.agrees = both_nan or self.total == self.gradient or abs(self.total - self.gradient) <= self.bound

    def _bound(self, moved):
        """See the notes of `why`. What is below the smallest number of the dtype is lost altogether."""
        arrays = [array for t in (self.tensor, *self.results) for array in getattr(t.array, "parts", (t.array,))]
        kinds = [np.finfo(array.dtype) for array in arrays if array is not None and array.dtype.kind == "f"]
        eps, least = (max(float(getattr(kind, name)) for kind in kinds) for name in ("eps", "smallest_subnormal"))
        n = sum(term.count for term in self.terms) + chain.ROUNDINGS
        sizes = math.fsum(abs(term.product) for term in self.terms) if math.isfinite(self.total) else 0.0
        lost = least * sum(1 + abs(term.dy or 0) for term in self.terms)
        return n * eps * sizes + chain.TWIN * moved + n * lost

    def deeper(self, k):
        """Explain the dy_j of term number k in its turn: d loss / d y_j, one op nearer to the loss.

        Raises
        ------
        IndexError
            If there is no term number k.
        RuntimeError
            If the term is the start of the chain, or stands for several elements that were not told apart.
        """
        if not 0 <= operator.index(k) < len(self.terms):
            raise IndexError(f"deeper: got term {k}, there are the terms 0 to {len(self.terms) - 1}")
        term = self.terms[k]
        if term.tensor is None:
            raise RuntimeError(f"deeper: term {k} is the start of the chain: d loss / d loss = 1")
        if term.element is None:
            raise RuntimeError(
                f"deeper: term {k} stands for {term.count} elements together; choose one with one element"
            )
        return shown(explain(self.walk, term.tensor, term.element, self.settings))

    def _name(self, t, otherwise):
        """What the user calls a tensor, or `otherwise`."""
        return self.settings.names.get(id(t), otherwise)

    @property
    def head(self):
        """What is explained, in one line: two strings."""
        t, where = self.tensor, ", ".join(map(str, self.index))
        kind = "a leaf" if t.op is None else f"made by {type(t.op).__name__}"
        shape = f" of shape {tuple(t.array.shape)}, {t.array.dtype}" if hasattr(t.array, "dtype") else ""
        place = f"[{where}]" if self.index else ""
        return f"d loss / d {self._name(t, 'tensor')}{place} = {number(self.gradient)}", f"{kind}{shape}"

    @property
    def rows(self):
        """The table: a list of rows, (number, op, element, dy, derivative, product, line), all strings."""
        rows = []
        for k, term in enumerate(self.terms[: self.settings.top]):
            if term.tensor is None:
                rows.append((str(k), "the start of the chain", "", "", "", number(term.product), ""))
                continue
            where = self._name(term.tensor, "y")
            if term.element is None:
                where = f"{term.count:,} elements, together"
            elif term.element:
                where += f"[{', '.join(map(str, term.element))}]"
            slope = "hook" if term.derivative is None and term.dy is not None else number(term.derivative)
            rows.append((str(k), name_of(term.op), where, number(term.dy), slope, number(term.product), place(term.op)))
        return rows

    @property
    def folded(self):
        """The line for the terms that are not shown; empty if all are."""
        rest = self.terms[self.settings.top :]
        if not rest:
            return ""
        together = sum(term.product for term in rest)
        return f"and {sum(term.count for term in rest):,} more, together {number(together)}"

    @property
    def notes(self):
        """The lines below the table."""
        lines, n = [], sum(term.count for term in self.terms)
        silent = [t for t in self.results if all(term.tensor is not t for term in self.terms)]
        lines += [f"{name_of(t.op)} adds nothing: no element of its result changes with this one." for t in silent]
        together = sum(term.count for term in self.terms if term.count > 1)
        if together:
            limits = f"limit={self.settings.limit}, seconds={self.settings.seconds}"
            lines.append(f"{together:,} elements were not told apart ({limits}): among them may be large terms.")
        lines += [f"The three ways through BatchNorm: {paths}." for paths in self.paths]
        off, said = abs(self.total - self.gradient), f"{n:,} terms sum" if n != 1 else "1 term comes"
        said = f"The {said} to {number(self.total)}, the gradient is {number(self.gradient)}: "
        if self.agrees and not off > 0:
            said += "equal to the last bit." if off == 0 else "alike."
        elif self.agrees:
            said += f"apart by {off:.1e}, rounding explains {self.bound:.1e}."
        else:
            said += f"apart by {off:.1e}, more than rounding explains ({self.bound:.1e}): the backward of " + (
                f"{' or '.join(sorted({name_of(t.op) for t in self.results}))} is not linear in dy."
            )
        return [*lines, said, *self._held()]

    def _held(self):
        """A line if the tensor holds another gradient than the sum."""
        t = self.tensor
        array = None if not self.walk.kept else t.grad_array if t.op is None else t.dy
        held = None if array is None else chain.read(array, self.index)
        if held is None or not abs(held - self.gradient) > self.bound:
            return []
        if t.op is not None:
            return [f"So far {number(held)} of it has arrived: the walk is not yet through all uses."]
        return [f".grad holds {number(held)}: it adds up over walks, and was not set to None before this one."]

    def __repr__(self):
        head, kind = self.head
        titles = ("term", "of the op", "at y[j]", "dy_j", "dy_j/dx", "adds", "")
        table = [titles, *self.rows]
        wide = [max(len(row[c]) for row in table) for c in range(7)]
        lines = [f"{head}        ({kind})"]
        for k, op, at, dy, slope, product, line in table:
            signs = (" ", " ") if not slope.strip() else ("*", "=")
            lines.append(
                f"  {k:>{wide[0]}}  {op:<{wide[1]}}  {at:<{wide[2]}}  {dy:>{wide[3]}} {signs[0]} {slope:>{wide[4]}}  "
                f"{signs[1]} {product:>{wide[5] + 1}}  {line}".rstrip()
            )
        lines += [f"  {self.folded}"] if self.folded else []
        return "\n".join([*lines, *self.notes])

    def _repr_html_(self):
        right = 'style="text-align: right; font-variant-numeric: tabular-nums"'
        cell = lambda text, style="": f'<td style="text-align: left" {style}>{html.escape(text)}</td>'
        rows = []
        for k, op, at, dy, slope, product, line in self.rows:
            numbers = "".join(f"<td {right}>{html.escape(text)}</td>" for text in (dy, slope))
            adds = f"<td {right}><b>{html.escape(product)}</b></td>"
            rows.append(f"<tr><td {right}>{k}</td>{cell(op)}{cell(at)}{numbers}{adds}{cell(line)}</tr>")
        if self.folded:
            rows.append(f'<tr><td></td><td style="text-align: left" colspan="6">{html.escape(self.folded)}</td></tr>')
        titles = ("term", "of the op", "at y[j]", "dy_j", "× dy_j/dx", "= adds", "line")
        titles = "".join(f"<th>{html.escape(title)}</th>" for title in titles)
        head, kind = map(html.escape, self.head)
        notes = "<br>".join(map(html.escape, self.notes))
        return (
            f"<div><b>{head}</b> &nbsp; ({kind})<table><thead><tr>{titles}</tr></thead><tbody>{''.join(rows)}</tbody>"
            f"</table>{notes}</div>"
        )


def name_of(op):
    """The name of an op's class; for a Function of the user's, that of its grad_fn."""
    return type(op).__name__


def place(op):
    """The line of the forward pass that made an op, where lines are remembered."""
    line = line_of(op)
    return "" if line is None else str(line)


def number(value):
    """Six digits, or nothing."""
    return "" if value is None else f"{value:.6g}"


def signed(value):
    """As a term of a sum: "+ 2" or "- 2"."""
    return f"{'-' if value < 0 else '+'} {abs(value):.6g}"


def shown(found):
    """`found`, printed, but where the session shows values by itself (Python's prompt, IPython, notebooks)."""
    if not hasattr(sys, "ps1"):
        print(found)
    return found
