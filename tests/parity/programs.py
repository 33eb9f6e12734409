"""Random programs: run one with two libraries, compare everything it computes, shrink what disagrees.

A program is data: a list of lines of Python over the names `torch`, `F` (torch.nn.functional) and its own variables.
`disagreement` runs it with both libraries and gives the first step after which they differ; `shrunk` drops and simplifies
lines as long as they do. programs_growth.py makes such programs.

How far two numbers may be apart. Both libraries round differently, and a program can magnify that without end (1 / (a - b)).
A step on equal numbers may be off by ROUNDING eps per step, of the largest element. Where that is exceeded, PyTorch's own
sensitivity is measured: twins of the program run with PyTorch, in which every result on which the libraries do not agree to
the last bit is moved by NOISE eps of its largest element. What moves the twins by as much (up to a factor MARGIN) is
rounding; what turns a comparison, an order or an error around in them decides nothing, and the program counts as undecided.
Differences of equal numbers (softmax minus itself) leave nothing but rounding even where the libraries start alike. So there
are twins, too, in which every result is moved; they count up to SMOOTH eps only, which hides no wrong gradient at a tie.
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
SMOOTH = 1e3
KEPT_MEMORY = "modified by an inplace operation"  # PyTorch at backward, where a recorded write overwrote a saved value


class Undecided(Exception):
    """The program magnifies rounding so much that its numbers say nothing."""


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


# ---- comparing


def difference(got, want, steps, slack=None, where=""):
    """The first difference between two snapshots: (kind, text), or None. `slack` is a twin's deviation, of the same form."""
    if isinstance(want, dict) and "values" in want:
        if not isinstance(got, dict) or "values" not in got:
            return "structure", f"{where}: got {got!r}, wanted a tensor"
        for kind in ("dtype", "shape", "requires_grad", "is_leaf"):
            if got[kind] != want[kind]:
                return kind, f"{where}.{kind}: got {got[kind]}, wanted {want[kind]}"
        slack = slack or {}
        wrong = different_values(got["values"], want["values"], steps, slack.get("values", 0), where)
        if wrong or (got["grad"] is None) == (want["grad"] is None) is True:
            return ("values", wrong) if wrong else None
        if got["grad"] is None or want["grad"] is None:
            return "grad", f"{where}.grad: got {got['grad']}, wanted {want['grad']}"
        inner = difference(got["grad"], want["grad"], steps, slack.get("grad"), f"{where}.grad")
        return inner and ("grad", inner[1])
    if isinstance(want, dict | list):
        keys = list(want) if isinstance(want, dict) else range(len(want))
        if type(got) is not type(want) or len(got) != len(want):
            return "structure", f"{where}: got {got!r}, wanted {want!r}"
        inner = (
            difference(got[k], want[k], steps, slack and slack[k], f"{where}[{k}]" if where else str(k)) for k in keys
        )
        return next((d for d in inner if d), None)
    if isinstance(want, float) and isinstance(got, float):
        wrong = different_values(np.asarray(got), np.asarray(want), steps, slack or 0, where, np.float32)
        return wrong and ("values", wrong)
    if type(got) is not type(want) and type(want).__module__ == "builtins":
        return "structure", f"{where}: got {got!r}, wanted {want!r}"
    if repr(got) != repr(want):
        return "values", f"{where}: got {got!r}, wanted {want!r}"
    return None


def different_values(got, want, steps, slack, where, precision=None):
    """What is wrong with `got`, or None: nan and infinities alike, the rest within the bound at the top of this file."""
    if want.dtype.kind != "f":
        return None if np.array_equal(got, want) else f"{where}: got {got.tolist()}, wanted {want.tolist()}"
    if np.array_equal(got, want, equal_nan=True):
        return None
    finite = np.isfinite(want)
    alike = np.array_equal(np.isfinite(got), finite) and np.array_equal(got[~finite], want[~finite], equal_nan=True)
    if alike:
        got64, want64 = got[finite].astype(np.float64), want[finite].astype(np.float64)
        kind = np.finfo(precision or want.dtype)
        allowed = steps * ROUNDING * (float(kind.eps) * np.abs(want64).max() + float(kind.tiny)) + MARGIN * slack
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
            if KEPT_MEMORY in str(want) and kind == "value" and any(is_recorded_write(other) for other in lines):
                return None  # here the old memory is left alone (ARCHITECTURE.md): nothing more to compare
            said = f"{type(got).__name__}: {got}" if kind == "error" else "a value"
            return Disagreement(i, line, "error", f"got {said}; wanted {type(want).__name__}: {want}")
        if kind == "error":
            missing = isinstance(got, AttributeError)
            return Disagreement(
                i, line, "missing" if missing else "error", f"got {type(got).__name__}: {got}; wanted a value"
            )
        found = difference(got, want, i + 1, slack and slack[i])
        if found:
            return Disagreement(i, line, *found)
    return None


def disagreement(lines, torch):
    """The first step after which the libraries differ, or None.

    Raises
    ------
    Undecided
        If rounding alone makes such a difference between PyTorch and PyTorch.
    """
    ours, theirs = run(lines, mt), run(lines, torch)
    found = compare(lines, ours, theirs)
    if found is None or found.kind not in ("values", "grad", "error"):
        return found
    slack, stable = sensitivity(lines, torch, ours, theirs)
    found = compare(lines, ours, theirs, slack)
    if found is not None and found.step >= stable:
        raise Undecided(f"after line {stable}, `{lines[stable]}`, rounding decides: {found}")
    return found


# ---- rounding


def sensitivity(lines, torch, ours, theirs):
    """How far twins of the program move, in the form of a trace, and the first step at which they part company."""
    slack, stable = [None] * len(lines), len(lines)
    smooth = SMOOTH * coarsest_eps(lines)
    for seed in range(2 * TWINS):
        rng, everything = np.random.default_rng(seed), seed >= TWINS

        def moved(i, names, rng=rng, everything=everything):
            _, target = parsed(lines[i])
            if theirs[i][0] == "error" or ours[i][0] == "error":
                return
            for name in [target] if target else variables(names):
                alike = name in names and exactly(ours[i][1].get(name), theirs[i][1].get(name))
                if name in names and (not alike or (everything and target)):
                    for t in tensors_in(names[name]):
                        shake(t, rng)

        twin = run(lines, torch, moved)
        for i, ((kind, got), (wanted_kind, want)) in enumerate(zip(twin, theirs)):
            try:
                deviation = distance(got, want) if kind == wanted_kind == "value" else same_error(kind, got, want)
            except Undecided:
                if everything:  # a tie of equal numbers is broken; what depends on it moves too far to count
                    continue
                stable = min(stable, i)
                break
            slack[i] = larger(slack[i], small_only(deviation, smooth) if everything else deviation)
    return slack, stable


def coarsest_eps(lines):
    """The eps of the coarsest floating point type that a program names or makes by default."""
    text = "\n".join(lines)
    if "float16" in text or ".half()" in text:
        return 2.0**-10
    return 2.0**-23 if "float32" in text or "torch.rand" in text or "torch.nn." in text else 2.0**-52


def small_only(deviation, limit):
    """A deviation with 0 wherever it is too large to be what rounding does to a smooth function."""
    if isinstance(deviation, dict):
        return {key: small_only(d, limit) for key, d in deviation.items()}
    if isinstance(deviation, list):
        return [small_only(d, limit) for d in deviation]
    return 0.0 if deviation is not None and deviation > limit else deviation


def exactly(a, b):
    """Whether two snapshots hold the same numbers to the last bit."""
    return difference(a, b, 0) is None


def shake(t, rng):
    """Move the numbers of a tensor of PyTorch a little, behind autograd's back; not where elements share memory."""
    if t.dtype.is_floating_point and t.numel() and 0 not in t.stride():
        size = NOISE * np.finfo(values_of(t).dtype).eps * t.detach().abs().max()
        t.data.add_(t.new_tensor(rng.choice([-1.0, 1.0], tuple(t.shape)).tolist()).reshape(t.shape) * size)


def same_error(kind, got, want):
    """Nothing, where a twin raises what the program raises; else it decides nothing."""
    if kind != "error" or type(got) is not type(want):
        raise Undecided
    return None


def distance(got, want):
    """The largest distance between the numbers of two snapshots, in their form."""
    if isinstance(want, dict) and "values" in want:
        if got["shape"] != want["shape"]:
            raise Undecided
        grad = None if want["grad"] is None or got["grad"] is None else distance(got["grad"], want["grad"])
        return {"values": distance_of_arrays(got["values"], want["values"]), "grad": grad}
    if isinstance(want, dict):
        return {key: distance(got[key], want[key]) for key in want}
    if isinstance(want, list):
        if len(got) != len(want):
            raise Undecided
        return [distance(a, b) for a, b in zip(got, want)]
    if isinstance(want, float):
        return distance_of_arrays(np.asarray(got), np.asarray(want))
    if repr(got) != repr(want):
        raise Undecided
    return None


def distance_of_arrays(got, want):
    finite = np.isfinite(want) if want.dtype.kind == "f" else np.zeros(want.shape, bool)
    if not np.array_equal(got[~finite], want[~finite], equal_nan=want.dtype.kind == "f"):
        raise Undecided
    if not finite.any():
        return 0.0
    gap = np.abs(got[finite].astype(np.float64) - want[finite].astype(np.float64)).max()
    if not np.isfinite(gap):
        raise Undecided
    return float(gap)


def larger(a, b):
    """The larger distances of two twins."""
    if a is None or b is None:
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
        try:
            new = disagreement(candidate, torch)
        except Undecided:
            return None
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
