"""Random programs: run one with two libraries, compare everything it computes, shrink what disagrees.

A program is data: a list of lines of Python over the names `torch`, `F` (torch.nn.functional) and its own variables.
`disagreement` runs it with both libraries and gives the first step after which they differ; `shrunk` drops and
simplifies lines as long as they do. programs_growth.py makes such programs.

How far two numbers may be apart. Rounding differs between the libraries, and a program can magnify that without end (1
/ (a - b)) and let it decide (a > b). So after every step PyTorch takes over the package's numbers: each step starts
from equal ones, and may be off by ROUNDING eps of its largest element. Gradients come from all steps: for them, that
is multiplied by the number of steps. Where the true result is 0 (softmax minus itself), nothing but rounding is left
to compare with. Then PyTorch's own sensitivity is measured: twins of the program in which every result is moved by
NOISE eps. What moves with them may be off by MARGIN times as much, up to SMOOTH eps, so that a gradient on the wrong
side of a tie, which is off by its own size, is still seen.
"""

import ast
import functools
import warnings

import numpy as np

import minitorch_bn as mt

ROUNDING = 64  # sums here are at most that long, and no composite function in float16 rounds more often
NOISE = 16
MARGIN = 16
TWINS = 3
SMOOTH = 1e5
KEPT_MEMORY = "modified by an inplace operation"  # PyTorch at backward, where a write overwrote a saved value
MASKED = ("relu", "hardtanh", "clamp", "maximum", "minimum", "mish")
HALF_A_VIEW = "created in no_grad mode"  # and where such a view was read, its base then written to


class Disagreement:
    """Where and how a program parts the libraries.

    Attributes
    ----------
    step : int
        The position of the line.
    line : str
    kind : str
        "error", "missing", "structure", "dtype", "shape", "requires_grad", "is_leaf", "grad", "values".
    text : str
        What was got and what was wanted.
    """

    def __init__(self, step, line, kind, text):
        self.step, self.line, self.kind, self.text = step, line, kind, text

    def __repr__(self):
        return f"{self.kind} after line {self.step}, `{self.line}`: {self.text}"


# ---- running


@functools.lru_cache(4096)
def parsed(line):
    """The code of a line, and the name it assigns to (None: it writes in place, walks back or switches something)."""
    tree = ast.parse(line)
    inner = tree.body[0].body[0] if isinstance(tree.body[0], ast.With) else tree.body[0]
    plain = isinstance(inner, ast.Assign) and isinstance(inner.targets[0], ast.Name)
    return compile(tree, line, "exec"), inner.targets[0].id if plain else None


def values_of(t):
    """A copy of the values of a tensor of either library."""
    return t.array.copy() if isinstance(t, mt.Tensor) else t.detach().numpy().copy()


def snapshot(x):
    """What `x` is now, in a form that can be compared and does not change any more."""
    if hasattr(x, "requires_grad"):
        grad = x.grad if x.is_leaf or x.retains_grad else None
        return {
            "dtype": str(x.dtype),
            "shape": tuple(x.shape),
            "requires_grad": x.requires_grad,
            "is_leaf": x.is_leaf,
            "grad": None if grad is None else snapshot(grad),
            "values": values_of(x),
        }
    if isinstance(x, tuple | list):
        return [snapshot(part) for part in x]
    if hasattr(x, "state_dict"):
        gradients = [snapshot(p) for p in x.parameters()]
        return [gradients, [snapshot(b) for b in x.buffers()]]
    return x


def tensors_in(x):
    """The tensors that a variable holds."""
    if isinstance(x, tuple | list):
        return [t for part in x for t in tensors_in(part)]
    return [x] if hasattr(x, "requires_grad") else []


def fresh(library):
    """The names that a program starts with; the random stream starts, too."""
    library.manual_seed(0)
    return {"torch": library, "F": library.nn.functional}


def variables(names):
    """The variables of a program, without what it started with."""
    return {name: x for name, x in names.items() if name not in ("torch", "F") and not name.startswith("__")}


def step(names, line):
    """Do one line: ("value", snapshot of what it assigned, or of everything) or ("error", exception)."""
    code, target = parsed(line)
    try:
        exec(code, names)
    except Exception as error:
        return "error", error.with_traceback(None)
    seen = {target: names[target]} if target else variables(names)
    return "value", {name: snapshot(x) for name, x in seen.items()}


def run(lines, library, moved=lambda i, names: None):
    """Do all lines with a library: what each gave. `moved` may change the variables after a step."""
    names, trace = fresh(library), []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for i, line in enumerate(lines):
            trace.append(step(names, line))
            moved(i, names)
    return trace


def run_from(ours, lines, torch):
    """Do all lines with PyTorch, each on the numbers that the package had: those of its trace `ours`."""

    def take_over(i, names):
        if ours[i][0] == "value":
            for name, seen in ours[i][1].items():
                if name in names:
                    hand_over(seen, names[name])

    return run(lines, torch, take_over)


def hand_over(seen, x):
    """Write the numbers of a snapshot into PyTorch's tensor, behind autograd's back; not where elements share it."""
    if isinstance(seen, dict):
        fits = hasattr(x, "requires_grad") and seen["shape"] == tuple(x.shape) and 0 not in x.stride()
        if fits and x.dtype.is_floating_point and f"torch.{seen['values'].dtype}" == str(x.dtype):
            if seen["values"].tobytes() != values_of(x).tobytes():
                x.data.copy_(x.data.new_tensor(seen["values"].tolist()).reshape(x.shape))
    elif isinstance(seen, list) and isinstance(x, tuple | list):
        for part, t in zip(seen, x):
            hand_over(part, t)


# ---- comparing


def coarsest_eps(lines):
    """The eps of the coarsest floating point type that a program names or makes by default."""
    text = "\n".join(lines)
    if "float16" in text or ".half()" in text:
        return 2.0**-10
    return 2.0**-23 if "float32" in text or ".float()" in text or "torch.rand" in text else 2.0**-52


class Bound:
    """How far the numbers after one line of a program may be apart, in eps of the largest and absolutely.

    A gradient comes from as many steps as there are, from numbers around 1 (the weights of the loss) of whatever types.
    """

    def __init__(self, lines, i):
        walk = ".backward(" in lines[i]
        self.steps = i + 1 if walk else 1
        # an infinite gradient times a mask: nan here (ops/activation.py), 0 in PyTorch
        self.masks = any(word in line for word in MASKED for line in lines)
        self.of_gradients = self.steps * ROUNDING * coarsest_eps(lines) if walk else 0.0


def difference(got, want, bound, slack=None, where=""):
    """The first difference between two snapshots: (kind, text), or None. `slack`: how far twins move."""
    if isinstance(want, dict) and "values" in want:
        if not isinstance(got, dict) or "values" not in got:
            return "structure", f"{where}: got {got!r}, wanted a tensor"
        for kind in ("dtype", "shape", "requires_grad", "is_leaf"):
            if got[kind] != want[kind]:
                return kind, f"{where}.{kind}: got {got[kind]}, wanted {want[kind]}"
        slack = slack or {}
        wrong = different_values(got["values"], want["values"], bound, slack.get("values", 0), where)
        if wrong or (got["grad"] is None) == (want["grad"] is None) is True:
            return ("values", wrong) if wrong else None
        if got["grad"] is None or want["grad"] is None:
            return "grad", f"{where}.grad: got {got['grad']}, wanted {want['grad']}"
        inner = difference(got["grad"], want["grad"], bound, slack.get("grad"), f"{where}.grad")
        return inner and ("grad", inner[1])
    if isinstance(want, dict | list):
        keys = list(want) if isinstance(want, dict) else range(len(want))
        if type(got) is not type(want) or len(got) != len(want):
            return "structure", f"{where}: got {got!r}, wanted {want!r}"
        inner = (
            difference(got[k], want[k], bound, slack and slack[k], f"{where}[{k}]" if where else str(k)) for k in keys
        )
        return next((d for d in inner if d), None)
    if isinstance(want, float) and isinstance(got, float):
        wrong = different_values(np.asarray(got), np.asarray(want), bound, slack or 0, where, np.float32)
        return wrong and ("values", wrong)
    if type(got) is not type(want) and type(want).__module__ == "builtins":
        return "structure", f"{where}: got {got!r}, wanted {want!r}"
    if repr(got) != repr(want):
        return "values", f"{where}: got {got!r}, wanted {want!r}"
    return None


def different_values(got, want, bound, slack, where, precision=None):
    """What is wrong with `got`, or None: nan and infinities alike, the rest within the bound described above."""
    if want.dtype.kind != "f":
        return None if np.array_equal(got, want) else f"{where}: got {got.tolist()}, wanted {want.tolist()}"
    if np.array_equal(got, want, equal_nan=True):
        return None
    if bound.masks and where.endswith(".grad"):
        got = np.where(np.isnan(got) & (want == 0), want, got)
    finite = np.isfinite(want)
    alike = np.array_equal(np.isfinite(got), finite) and np.array_equal(got[~finite], want[~finite], equal_nan=True)
    if alike:
        got64, want64 = got[finite].astype(np.float64), want[finite].astype(np.float64)
        kind = np.finfo(precision or want.dtype)
        allowed = bound.steps * ROUNDING * (float(kind.eps) * np.abs(want64).max() + float(kind.tiny)) + MARGIN * slack
        allowed += bound.of_gradients * max(np.abs(want64).max(), 1.0) if where.endswith(".grad") else 0.0
        error = np.abs(got64 - want64).max()
        if error <= allowed:
            return None
        return f"{where}: off by {error:.3g}, allowed {allowed:.3g}: got {got.tolist()}, wanted {want.tolist()}"
    return f"{where}: got {got.tolist()}, wanted {want.tolist()}"


def compare(lines, ours, theirs, slack=None):
    """The first step after which two traces differ."""
    for i, (line, (kind, got), (wanted_kind, want)) in enumerate(zip(lines, ours, theirs)):
        if wanted_kind == "error":
            names = [t.__name__ for t in type(got).__mro__]
            if kind == "error" and type(want).__name__ in names:
                if ".backward(" in line:
                    return None  # who has received a gradient by then is nobody's promise
                continue
            if kind == "value" and (KEPT_MEMORY in str(want) or HALF_A_VIEW in str(want)):
                return None  # here the old memory was left alone or is not read: nothing more to compare
            said = f"{type(got).__name__}: {got}" if kind == "error" else "a value"
            return Disagreement(i, line, "error", f"got {said}; wanted {type(want).__name__}: {want}")
        if kind == "error":
            if KEPT_MEMORY in str(got) and any("no_grad" in other and not parsed(other)[1] for other in lines):
                return None  # the formulas of the package may read a result where PyTorch's read an operand
            missing = isinstance(got, AttributeError)
            return Disagreement(
                i, line, "missing" if missing else "error", f"got {type(got).__name__}: {got}; wanted a value"
            )
        found = difference(got, want, Bound(lines, i), slack and slack[i])
        if found:
            return Disagreement(i, line, *found)
    return None


def disagreement(lines, torch):
    """The first step after which the libraries differ, or None."""
    ours = run(lines, mt)
    theirs = run_from(ours, lines, torch)
    found = compare(lines, ours, theirs)
    if found is None or found.kind not in ("values", "grad"):
        return found
    return compare(lines, ours, theirs, sensitivity(lines, torch))


# ---- rounding


def sensitivity(lines, torch):
    """How far the twins of a program move, in the form of a trace."""
    theirs, slack = run(lines, torch), [None] * len(lines)
    limit = SMOOTH * coarsest_eps(lines)
    for seed in range(TWINS):
        rng = np.random.default_rng(seed)

        def moved(i, names, rng=rng):
            _, target = parsed(lines[i])
            for name in [target] if target else variables(names) if "backward" not in lines[i] else ():
                for t in tensors_in(names.get(name)):
                    shake(t, rng)

        for i, ((kind, got), (wanted_kind, want)) in enumerate(zip(run(lines, torch, moved), theirs)):
            if kind == wanted_kind == "value":
                slack[i] = larger(slack[i], distance(got, want, limit))
    return slack


def shake(t, rng):
    """Move the numbers of a tensor of PyTorch a little, behind autograd's back; not where elements share memory."""
    if t.dtype.is_floating_point and t.numel() and 0 not in t.stride():
        size = NOISE * np.finfo(values_of(t).dtype).eps * t.detach().abs().max()
        t.data.add_(t.new_tensor(rng.choice([-1.0, 1.0], tuple(t.shape)).tolist()).reshape(t.shape) * size)


def distance(got, want, limit):
    """The largest distances between the numbers of two snapshots, in their form; 0 where they are beyond `limit`."""
    if isinstance(want, dict) and "values" in want:
        inner = want["grad"] is not None and got["grad"] is not None
        return {
            "values": distance_of_arrays(got["values"], want["values"], limit),
            "grad": distance(got["grad"], want["grad"], limit) if inner else None,
        }
    if isinstance(want, dict) and len(got) == len(want):
        return {key: distance(got[key], want[key], limit) for key in want}
    if isinstance(want, list) and len(got) == len(want):
        return [distance(a, b, limit) for a, b in zip(got, want)]
    if isinstance(want, float):
        return distance_of_arrays(np.asarray(got), np.asarray(want), limit)
    return None


def distance_of_arrays(got, want, limit):
    if want.dtype.kind != "f" or got.shape != want.shape or not want.size:
        return 0.0
    gap = np.abs(got.astype(np.float64) - want.astype(np.float64))
    largest = gap[np.isfinite(gap)].max(initial=0)
    return 0.0 if largest > limit else float(largest)


def larger(a, b):
    """The larger distances of two twins."""
    if a is None or b is None or type(a) is not type(b):
        return b if a is None else a
    if isinstance(a, dict):
        return {key: larger(a[key], b[key]) for key in a}
    if isinstance(a, list):
        return [larger(p, q) for p, q in zip(a, b)]
    return max(a, b)


# ---- shrinking


def is_recorded_write(line):
    """Whether the growth marked the line as an in-place write that autograd records."""
    return line.endswith("# recorded")


def shrunk(lines, torch, found):
    """The shortest program found by dropping and simplifying lines that still disagrees in the same line and kind."""

    def still(candidate):
        new = disagreement(candidate, torch)
        return new if new and (new.kind, new.line) == (found.kind, found.line) else None

    best, smaller = lines[: found.step + 1], True
    while smaller:
        smaller = False
        for i in range(len(best) - 2, -1, -1):
            without = best[:i] + best[i + 1 :]
            if sound(without, torch) and still(without):
                best, smaller = without, True
                continue
            literal = as_literal(best, i, torch)
            if literal and literal != best[i]:
                candidate = [*best[:i], literal, *best[i + 1 :]]
                if sound(candidate, torch) and still(candidate):
                    best, smaller = candidate, True
    return best, still(best) or found


def sound(lines, torch):
    """Whether every name in a program is defined when it is used."""
    return not any(kind == "error" and isinstance(error, NameError) for kind, error in run(lines, torch))


def as_literal(lines, i, torch):
    """Line `i` as torch.tensor(what it computes), where that is one tensor that can be written down."""
    _, target = parsed(lines[i])
    kind, seen = run(lines[: i + 1], torch)[i]
    if target is None or kind == "error" or lines[i].startswith(f"{target} = torch.tensor("):
        return None
    x = seen[target]
    if not isinstance(x, dict) or 0 in x["shape"] or not np.isfinite(x["values"]).all():
        return None
    grad = ", requires_grad=True" if x["requires_grad"] else ""
    return f"{target} = torch.tensor({x['values'].tolist()}, dtype={x['dtype']}{grad})"


def script(lines):
    """The program as a script to run with either library."""
    return "\n".join(["import torch", "import torch.nn.functional as F", "torch.manual_seed(0)", *lines])
