"""How random programs grow: PyTorch runs along, so that a new line can fit the shapes, types and numbers there are.

The lines come from the families of programs_arithmetic.py, programs_tensors.py and programs_layers.py. What is left
out, because the libraries differ in it on purpose (ARCHITECTURE.md, "In-place writes and former selves"): whatever
shares memory with a tensor is deleted when autograd records a write to that tensor, and leaves are not written to
through views that autograd records.
"""

import warnings

import numpy as np

from . import programs

DTYPES = ["float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"]
DTYPE_WEIGHTS = [0.42, 0.2, 0.05, 0.14, 0.03, 0.03, 0.03, 0.04, 0.06]
SIZES, SIZE_WEIGHTS = [0, 1, 2, 3, 4], [0.04, 0.18, 0.3, 0.32, 0.16]
RANKS, RANK_WEIGHTS = [0, 1, 2, 3, 4], [0.1, 0.24, 0.34, 0.22, 0.1]
LARGEST, LARGEST_HALF = 1e4, 1e2  # numbers beyond make every later result overflow or round to nothing
MOST_ELEMENTS = 96
ABOUT_MEMORY = ("view", "leaf Variable")  # PyTorch's words when it refuses a recorded write because of a view


class Growth:
    """A program while it grows.

    Attributes
    ----------
    lines : list of str
    names : dict
        The variables, as PyTorch has them now.
    pool : list of str
        The variables that are tensors.
    widths, dtypes : dict
        For the modules: the shape behind the batch, and the dtype, that they were made for.
    """

    def __init__(self, seed, torch, families, weights):
        self.rng = np.random.default_rng(seed)
        self.torch = torch
        self.families, self.weights = families, np.asarray(weights) / np.sum(weights)
        self.names = programs.fresh(torch)
        self.lines, self.pool, self.count = [], [], 0
        self.widths, self.dtypes = {}, {}

    # choosing

    def chance(self, p):
        """True with probability `p`."""
        return self.rng.random() < p

    def pick(self, things, weights=None):
        """One of several."""
        p = None if weights is None else np.asarray(weights) / np.sum(weights)
        return things[self.rng.choice(len(things), p=p)]

    def integer(self, low, high):
        """An int from low to high, both included."""
        return int(self.rng.integers(low, high + 1))

    def number(self):
        """A float of two digits, now and then a round one."""
        return float(self.integer(-3, 3)) if self.chance(0.3) else round(float(self.rng.normal()), 2)

    def shape(self, rank=None):
        """A random shape; at least one empty axis now and then."""
        rank = self.pick(RANKS, RANK_WEIGHTS) if rank is None else rank
        return tuple(self.pick(SIZES, SIZE_WEIGHTS) for _ in range(rank))

    def value(self, name):
        """What PyTorch has under that name."""
        return self.names[name]

    def tensor(self, wanted=lambda t: True, make=None):
        """The name of a tensor as wanted: one of those there are, or, if there is none, a new leaf from `make`."""
        fitting = [name for name in self.pool if wanted(self.names[name])]
        if fitting and self.chance(0.85):
            late = np.arange(1, len(fitting) + 1.0)  # later ones oftener: programs get deep
            return self.pick(fitting, late)
        if make is None and fitting:
            return self.pick(fitting)
        return self.leaf(*(make() if make else (None, self.pick(DTYPES, DTYPE_WEIGHTS))))

    def floating(self, rank=None, low=None):
        """The name of a floating point tensor, of that rank or at least rank `low`."""

        def wanted(t):
            right = t.ndim == rank if rank is not None else low is None or t.ndim >= low
            return t.dtype.is_floating_point and right

        rank_of_new = rank if rank is not None else None if low is None else self.integer(low, 4)
        return self.tensor(wanted, lambda: (self.shape(rank_of_new), self.pick(["float64", "float32"])))

    def dim(self, t, wrong=0.03):
        """A dimension of `t`, negative or not; out of range now and then."""
        n = max(t.ndim, 1)
        return self.integer(-n - 1, n) if self.chance(wrong) else self.integer(-n, n - 1)

    # leaves

    def leaf(self, shape=None, dtype="float64", low=None, high=None, grad=None):
        """Add a line that makes a tensor of random numbers; its name."""
        shape = self.shape() if shape is None else tuple(shape)
        if dtype == "bool":
            array = self.rng.random(shape) < 0.5
        elif "int" in dtype:
            bottom = 0 if dtype == "uint8" else -4
            array = self.rng.integers(bottom if low is None else low, 6 if high is None else high, shape)
        elif self.chance(0.25):
            array = self.rng.integers(-3, 4, shape).astype(float)  # exact, with ties and zeros
        else:
            array = self.rng.normal(size=shape).round(2)
        values = f"torch.zeros({shape}" if 0 in shape else f"torch.tensor({array.tolist()}"
        wants = dtype.startswith("float") and self.chance(0.65 if grad is None else grad)
        return self.assign(f"{values}, dtype=torch.{dtype}{', requires_grad=True' if wants else ''})")

    # adding lines

    def assign(self, expression):
        """Add a line that gives the expression a new name; that name, or None if PyTorch raises or it is useless."""
        name = f"v{self.count}"
        self.count += 1
        line = f"{name} = {expression}"
        if self.lines and "requires_grad" not in expression and self.chance(0.05):
            line = f"with torch.no_grad(): {line}"
        kind, _ = programs.step(self.names, line)
        if kind == "value" and (self.useless(self.names[name]) or self.half_a_view(self.names[name])):
            del self.names[name]
            return None
        self.lines.append(line)
        if kind == "error":
            return None
        self.keep(name)
        return name

    def keep(self, name):
        """Take the tensor of that name, or a part of the tuple of that name, into the pool."""
        x = self.names[name]
        if isinstance(x, self.torch.Tensor):
            if x.numel() <= MOST_ELEMENTS:
                self.pool.append(name)
        elif isinstance(x, tuple | list) and x and isinstance(x[0], self.torch.Tensor):
            self.assign(f"{name}[{self.integer(0, len(x) - 1)}]")

    def half_a_view(self, x):
        """Whether it is a view, made under no_grad, of what requires grad: only PyTorch's then requires grad, too."""
        return any(t._is_view() and t.requires_grad and t.grad_fn is None for t in programs.tensors_in(x))

    def useless(self, x):
        """Whether numbers are mostly nan, or so large that later ones would overflow."""
        for t in programs.tensors_in(x):
            if t.dtype.is_floating_point and t.numel():
                largest = LARGEST_HALF if t.dtype == self.torch.float16 else LARGEST
                values = t.detach().double()
                if values.isnan().sum() * 2 > values.numel() or bool((values.abs() > largest).any()):
                    return True
        return False

    def write(self, target, statement):
        """Add a line that writes to the tensor `target` and deletes what would see a recorded write in PyTorch only."""
        t = self.names[target]
        no_grad = self.chance(0.1) or (t.requires_grad and t.is_leaf and self.chance(0.8))
        if self.in_a_graph(target) and not self.chance(0.6 if t.requires_grad and not no_grad else 0.1):
            return  # most such writes only end in an error at backward
        statement = f"with torch.no_grad(): {statement}" if no_grad else statement
        code, _ = programs.parsed(statement)
        try:
            exec(code, self.names)
        except Exception as error:
            if not any(words in str(error) for words in ABOUT_MEMORY):
                self.lines.append(statement)
            self.forget([name for name in self.sharing(t) if self.spoiled(self.names[name])])
            return
        recorded = t.requires_grad and not no_grad
        others = self.sharing(t)
        others = [name for name in others if (recorded and self.names[name] is not t) or self.spoiled(self.names[name])]
        self.forget(others, said=False)
        statement += f"; del {', '.join(others)}" if others else ""
        statement += "  # recorded" if recorded else ""
        self.lines.append(statement)
        if target in self.names and self.useless(t):
            self.pool = [name for name in self.pool if self.names[name] is not t]

    def forget(self, names, said=True):
        """Delete variables; with a line that says so, unless the line of the write does."""
        for name in names:
            del self.names[name]
        self.pool = [name for name in self.pool if name not in names]
        if names and said:
            self.lines.append(f"del {', '.join(names)}")

    def sharing(self, t):
        """The names of the variables that share memory with a tensor; it is one of them."""

        def shares(y):
            memory, own = y.untyped_storage().data_ptr(), t.untyped_storage().data_ptr()
            return (memory == own != 0) or (y._base if y._is_view() else y) is (t._base if t._is_view() else t)

        variables = programs.variables(self.names).items()
        return [name for name, x in variables if any(shares(y) for y in programs.tensors_in(x))]

    def spoiled(self, x):
        """Whether PyTorch refuses to say where a view comes from, after a write to its base."""
        try:
            return any(t.grad_fn is False for t in programs.tensors_in(x))
        except RuntimeError:
            return True

    def in_a_graph(self, target):
        """Whether a recorded tensor shares memory with `target`, so that its old values may be needed for backward."""
        tensors = [t for name in self.sharing(self.names[target]) for t in programs.tensors_in(self.names[name])]
        return any(t.requires_grad for t in tensors)

    def statement(self, line):
        """Add a line that is neither an assignment nor a write."""
        programs.step(self.names, line)
        self.lines.append(line)


def grow(seed, torch, families, steps=(5, 20)):
    """The program of that seed: a list of lines.

    Parameters
    ----------
    families : list of (weight, function of a Growth)
        Each function adds lines.
    steps : (int, int)
        The fewest and the most steps, without the leaves that they need.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weights, functions = zip(*families)
        g = Growth(seed, torch, functions, weights)
        for _ in range(g.integer(1, 3)):
            g.leaf(dtype=g.pick(DTYPES[:3], DTYPE_WEIGHTS[:3]))
        for _ in range(g.integer(*steps)):
            g.pick(g.families, g.weights)(g)
        walk_back(g, final=True)
        return without_lost_memory(g.lines, torch)


def walk_back(g, final=False):
    """Add a sum of several results with random weights, and backward."""
    names = [n for n in g.pool if g.value(n).dtype.is_floating_point and g.value(n).numel()]
    wanting = [n for n in names if g.value(n).requires_grad and g.value(n).grad_fn is not None] or names
    if not wanting:
        return
    chosen = sorted(
        {g.pick(wanting, np.arange(1, len(wanting) + 1.0)) for _ in range(g.integer(1, 4))}, key=names.index
    )
    terms = []
    g.count += 1
    for i, name in enumerate(chosen):
        t = g.value(name)
        shape = tuple(t.shape)
        weights = g.rng.integers(-4, 5, shape) / 4
        weights = weights if weights.any() else weights + 1
        terms.append(f"part{g.count}_{i}")
        g.statement(f"{terms[-1]} = ({name} * torch.tensor({weights.tolist()}, dtype={t.dtype})).sum()")
    loss = f"loss{g.count}"
    g.statement(f"{loss} = {' + '.join(terms)}")
    g.statement(f"{loss}.backward({'' if final else 'retain_graph=True'})")


def without_lost_memory(lines, torch):
    """The program without the recorded writes that overwrite what PyTorch needs for backward."""
    trace = programs.run(lines, torch)
    lost = any(kind == "error" and programs.KEPT_MEMORY in str(error) for kind, error in trace)
    if not lost:
        return lines
    kept = []
    for line in lines:
        if not programs.is_recorded_write(line):
            kept.append(line)
        elif "; del " in line:
            kept.append("del " + line.split("; del ")[1].split("  #")[0])
    return kept
