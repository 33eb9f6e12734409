# %% [markdown]
# # 01 · The engine
#
# **What happens between `loss.backward()` and a number in `w.grad`?**
#
# In this lesson you build the answer three times: with closures, with a serial number, and with a class for every
# operation. The third one is the file `minitorch_bn/engine.py`, and you read it line by line.
#
# | part | what you do | minutes |
# |---|---|---|
# | 0 | run four lines, predict, build a referee | 10 |
# | 1 | closures: an engine on one screen, and its bug | 15 |
# | 2 | a serial number instead of a recursive sort | 10 |
# | 3 | the Op class; the source of the engine; the figure; the debugger | 15 |
# | 4 | three backward methods that go wrong easily, and an op of your own | 10 |
#
# **How the exercises work.** A cell that is marked *exercise* holds an attempt with a mistake. Run it, run the check
# below it, read what the check says, repair the attempt, and run both again. The folded cell below the check holds a
# solution. Run it in any case, because later cells build on it.

# %%
import gc
import importlib.util
import inspect
import io
import itertools
import pdb
import re
import sys
import textwrap

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown, display
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

import minitorch_bn as mt
from minitorch_bn import engine

mt.set_default_dtype(mt.float64)  # 16 digits: we shall compare gradients with differences of nearly equal numbers

# %% [markdown]
# ## Part 0. The question
#
# Three operations make a loss. `w` is used twice, and so is `b`.

# %%
w = mt.tensor(0.5, requires_grad=True)
x = mt.tensor(3.0)

a = w * x
b = a + w
loss = b * b
print("loss              ", loss.item())
print("w.grad, before    ", w.grad)

loss.backward()
print("w.grad, afterwards", w.grad.item())

# %% [markdown]
# ### Your prediction
#
# What did `loss.backward()` do? Each of these four ways gives the same number here.
#
# - **A.** It differentiated the formula of `loss` and put the numbers into the result.
# - **B.** It changed `w` a little, computed `loss` again, and divided the change of `loss` by the change of `w`.
# - **C.** It visited every recorded operation once, newest first, and added up at each input what arrived there.
# - **D.** It followed every path from `loss` to `w`, multiplied along each path, and added up the products.
#
# Write a letter into the next cell before you go on. The last cell reads it again, next to a measurement.

# %% tags=["prediction"]
prediction = None  # "A", "B", "C" or "D"

# %% [markdown]
# ### A referee
#
# A derivative is a ratio of changes: `(f(x + h) - f(x - h)) / 2h` for a small `h`. That is slow, since it runs `f`
# twice for every single number in `x`. But it knows nothing of graphs and chain rules, so it cannot share their bugs.


# %%
def numeric_gradient(f, x, h=1e-6):
    """d f / d x by central differences, for a function f that returns one number."""
    x = np.asarray(x, dtype=float)
    dx = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[i] = h
        dx[i] = (f(x + step) - f(x - step)) / (2 * h)
    return dx


def formula(w, x=3.0):
    return (w * x + w) ** 2


print("referee:", numeric_gradient(formula, 0.5))
print("engine: ", w.grad.item())

# %% [markdown]
# The next cell is the judge of the exercises. It compares your answer with the right one and with answers that are
# known to be wrong, and it names the mistake. You need not read it.


# %% tags=["check"] jupyter={"source_hidden": true}
def attempt(function, *args):
    """What function(*args) returns, or the exception that it raises."""
    try:
        return function(*args)
    except Exception as error:
        return error


def gradients_of(op, dy, *inputs):
    """What op.backward(dy) returns after op.forward(*inputs): one gradient for each input."""
    op.forward(*inputs)
    gradients = op.backward(dy)
    if not isinstance(gradients, tuple) or len(gradients) != len(inputs):
        wanted = "(dx,)" if len(inputs) == 1 else "(da, db)"
        got = f"a tuple of {len(gradients)}" if isinstance(gradients, tuple) else type(gradients).__name__
        raise TypeError(f"backward returned {got}, wanted a tuple with one gradient per input: {wanted}")
    return gradients


solved = {}  # exercise -> whether the last check of your attempt was content


def equal(got, wanted):
    return np.shape(got) == np.shape(wanted) and np.allclose(got, wanted, rtol=1e-5, atol=1e-7)


def short(value):
    return np.array2string(np.asarray(value), precision=4, separator=", ").replace("\n", "")


def check(title, got, right, mistakes=()):
    """Say whether `got` is right, and which mistake it shows if not. `mistakes`: (wrong answer, what was done)."""
    if isinstance(got, Exception):
        print(f"not yet  {title}\n         your code raised {type(got).__name__}: {got}")
    elif got is None:
        print(f"not yet  {title}\n         got None, wanted {short(right)}: is there a return?")
    elif equal(got, right):
        print(f"right    {title}: {short(got)}")
        return True
    else:
        print(f"not yet  {title}\n         got {short(got)}, wanted {short(right)}")
        named = [text for wrong, text in mistakes if equal(got, wrong)]
        if named:
            print("\n".join(textwrap.wrap(named[0], 112, initial_indent=" " * 9, subsequent_indent=" " * 9)))
        elif np.shape(got) != np.shape(right):
            print(f"         shape {np.shape(got)}, wanted {np.shape(right)}: a gradient has the shape of its input")
        else:
            print("         this is none of the known mistakes: compare it with the numbers above, one by one")
    return False


# %% [markdown]
# ## Part 1. Closures
#
# Every value remembers two things: its parents, and a function `step` that hands its gradient to them. An operation
# makes the result and the function together. The function sees the operands because it was defined beside them; such
# a function is called a *closure*.
#
# The gradient of a value is named `d` + name in this course: `dy` is d loss / d y. For one operation:
#
# - `y = a + b` gives `da = dy` and `db = dy`;
# - `y = a * b` gives `da = dy * b` and `db = dy * a`.
#
# Before a value hands its gradient on, all values made from it must have handed theirs to it. So `backward` needs an
# order: a *topological sort*, here the usual recursive one.


# %%
class Value:
    """A number that remembers how it was made."""

    def __init__(self, data, parents=()):
        self.data = data
        self.grad = 0.0
        self.parents = parents
        self.step = lambda: None  # a leaf hands nothing on

    def receive(self, dx):
        self.grad = dx

    def __add__(self, other):
        y = type(self)(self.data + other.data, (self, other))

        def step():
            self.receive(y.grad)
            other.receive(y.grad)

        y.step = step
        return y

    def __mul__(self, other):
        y = type(self)(self.data * other.data, (self, other))

        def step():
            self.receive(y.grad * other.data)
            other.receive(y.grad * self.data)

        y.step = step
        return y

    def order(self):
        """All values that this one was made from: every value after those that were made from it."""
        seen, found = set(), []

        def visit(v):
            if v not in seen:
                seen.add(v)
                for parent in v.parents:
                    visit(parent)
                found.append(v)

        visit(self)
        return found[::-1]

    def backward(self):
        self.grad = 1.0
        for v in self.order():
            v.step()


def three_ops(kind):
    """The expression of part 0, made of values of this kind; returns w, whose gradient has been computed."""
    w, x = kind(0.5), kind(3.0)
    a = w * x
    b = a + w
    loss = b * b
    loss.backward()
    return w


print("closures:", three_ops(Value).grad)
print("referee: ", numeric_gradient(formula, 0.5))

# %% [markdown]
# ### Exercise 1: the gradient of `x * x`
#
# The closures and the referee disagree. Every product and every sum is right; one method of `Value` is wrong. The
# shortest expression that shows it is `x * x`. Repair `receive`.


# %% tags=["exercise"]
def receive(self, dx):
    self.grad = dx


Value.receive = receive


# %% tags=["check"] jupyter={"source_hidden": true}
def gradient_of_square():
    x = Value(3.0)
    (x * x).backward()
    return x.grad


def check_receive():
    square = check(
        "d(x * x)/dx at x = 3",
        attempt(gradient_of_square),
        6.0,
        [
            (3.0, "x*x counted once: x is used twice, and the second gradient to arrive replaced the first."),
            (9.0, "that is x * x itself: `receive` gets a gradient, not a value."),
            (0.0, "nothing was kept of the gradients that arrived."),
            (7.0, "the gradients were added to a start of 1: start from 0."),
        ],
    )
    expression = check(
        "d loss/dw at w = 0.5",
        attempt(lambda: three_ops(Value).grad),
        float(numeric_gradient(formula, 0.5)),
        [
            (6.0, "of the two uses of w only `a = w * x` is counted, and of the two uses of b only one."),
            (48.0, "twice the last gradient is right only for two equal uses: add up what arrives."),
        ],
    )
    return square and expression


solved[1] = check_receive()

# %% [markdown]
# <details><summary>A hint</summary>
#
# How often is `x.receive` called during `(x * x).backward()`, and with which numbers? Put a `print(dx)` into it.
#
# </details>
#
# A solution is in the folded cell. Run it in any case.


# %% tags=["solution"] jupyter={"source_hidden": true}
def receive(self, dx):
    self.grad += dx


Value.receive = receive
assert check_receive()

# %% [markdown]
# ### Why `+=` is the chain rule
#
# Give the two uses of `w` two names. Then each has a gradient of its own, with the other one held fixed. In the
# program both names stand for one number: when `w` moves, both move, and the two effects on the loss add up.


# %%
def two_uses(w_in_product, w_in_sum):
    return (w_in_product * 3.0 + w_in_sum) ** 2


through_product = numeric_gradient(lambda v: two_uses(v, 0.5), 0.5)
through_sum = numeric_gradient(lambda v: two_uses(0.5, v), 0.5)
print(f"through a = w * x: {through_product:6.3f}")
print(f"through b = a + w: {through_sum:6.3f}")
print(f"the sum of both:   {through_product + through_sum:6.3f}")

# %% [markdown]
# A value that is used n times receives n terms. `+=` is the sum in the chain rule. The same `+=` is why PyTorch's
# `.grad` grows from one `backward()` to the next until you call `zero_grad()`.
#
# ### Where closures end: deep graphs
#
# The sort calls itself once per operation in a row. Python stops a function that calls itself too deeply.

# %%
length = 2 * sys.getrecursionlimit()
y = Value(1.0)
for _ in range(length):
    y = y + Value(0.0)

print(f"recursion limit {sys.getrecursionlimit()}, chain of {length} ops")
try:
    y.backward()
    broke = False
except RecursionError as error:
    broke = True
    print(f"RecursionError: {error}")

# %% [markdown]
# A network that is applied to a text of many letters, letter by letter, is a chain like this one. A larger limit only
# moves the problem.
#
# ### Where closures end: garbage
#
# `y` holds `step`, and `step` holds `y`, because it reads `y.grad`. That is a cycle. Python frees an object at once
# when nothing refers to it any more; in a cycle something always does. Such objects wait for the cycle collector,
# which runs now and then. We switch it off to see what waits.


# %%
def left_behind(make_graph, kind):
    """How many objects of this kind outlive a graph that was made and dropped, until the cycle collector runs."""

    def alive():
        return sum(type(o) is kind for o in gc.get_objects())

    gc.collect()
    gc.disable()
    before = alive()
    make_graph()  # the result is dropped here
    waiting = alive() - before
    gc.enable()
    gc.collect()
    return waiting, alive() - before


def chain(leaf, length=300):
    y = leaf
    for _ in range(length):
        y = y * leaf
    return y


waiting_values, after_collector = left_behind(lambda: chain(Value(1.0)), Value)
print(f"Values that outlive their graph: {waiting_values}; after the cycle collector ran: {after_collector}")

# %% [markdown]
# Every one of them stays until the collector comes round, and in a network every one holds an array. The collector
# counts objects, not bytes, so memory can run out before it starts.
#
# ## Part 2. A serial number
#
# The recursive sort works out an order that we knew all along. The operands of an operation exist before its result.
# So the order of creation *is* a topological order, and backward walks it from the newest to the oldest. All it takes
# is a number on every value.


# %%
class Numbered(Value):
    """A value that also knows when it was made."""

    serials = itertools.count()

    def __init__(self, data, parents=()):
        super().__init__(data, parents)
        self.serial = next(Numbered.serials)


# %% [markdown]
# ### Exercise 2: the order of backward
#
# `order` collects everything that `root` was made from, with a loop in place of the recursion. The attempt returns
# the values in the order in which it found them. Is that good enough? Return them in the order that backward needs.


# %% tags=["exercise"]
def order(root):
    found, todo = {}, [root]
    while todo:
        v = todo.pop()
        if v.serial not in found:
            found[v.serial] = v
            todo.extend(v.parents)
    return list(found.values())


Numbered.order = order


# %% tags=["check"] jupyter={"source_hidden": true}
def gradient_with_a_shortcut():
    w = Numbered(3.0)
    a = w + w
    loss = a * a + a
    loss.backward()
    return w.grad


def gradient_of_long_chain():
    leaf = Numbered(1.0)
    y = leaf
    for _ in range(length):
        y = y + Numbered(0.0)
    y.backward()
    return leaf.grad


def check_order():
    shortcut = check(
        "d loss/dw for a = w + w, loss = a * a + a, at w = 3",
        attempt(gradient_with_a_shortcut),
        float(numeric_gradient(lambda w: (2 * w) ** 2 + 2 * w, 3.0)),
        [
            (2.0, "a handed its gradient on before `a * a` had handed a its own: found first is not made last."),
            (0.0, "oldest first: w and a handed on what had not arrived yet."),
            (54.0, "a was stepped twice: a value may be found twice, but it steps once."),
        ],
    )
    chain_ok = check(f"a chain of {length} ops", attempt(gradient_of_long_chain), 1.0)
    return shortcut and chain_ok


solved[2] = check_order()


# %% tags=["solution"] jupyter={"source_hidden": true}
def order(root):
    found, todo = {}, [root]
    while todo:
        v = todo.pop()
        if v.serial not in found:
            found[v.serial] = v
            todo.extend(v.parents)
    return [found[serial] for serial in sorted(found, reverse=True)]


Numbered.order = order
assert check_order()

# %% [markdown]
# The recursion is gone. A chain that is far longer works, and the three operations still give the right number.

# %%
leaf = Numbered(1.0)
y = leaf
for _ in range(50_000):
    y = y + Numbered(0.0)
y.backward()
print("chain of 50000 ops:", leaf.grad)
print("three ops:         ", three_ops(Numbered).grad)

waiting_numbered, _ = left_behind(lambda: chain(Numbered(1.0)), Numbered)
print("values that outlive their graph:", waiting_numbered)

# %% [markdown]
# The garbage is still there. `step` reads `y.grad`, so it must hold `y`. What if `step` were *given* the gradient
# instead of fetching it? Then it would need no result, only operands: the cycle would be cut.
#
# ## Part 3. The Op class
#
# So an operation becomes an object with two methods. `forward` takes arrays, returns an array, and saves what
# backward will read as attributes: you can look at them in a debugger, which you cannot with the variables of a
# closure. `backward` takes `dy` and returns one gradient per argument of `forward`. Neither knows of graphs.
#
# Everything that does know of graphs moves into three functions.


# %%
class Op:
    """One application of one operation."""


class Add(Op):
    def forward(self, a, b):
        return a + b

    def backward(self, dy):
        return dy, dy


class Mul(Op):
    def forward(self, a, b):
        self.a, self.b = a, b
        return a * b

    def backward(self, dy):
        return dy * self.b, dy * self.a


class Variable:
    """An array and the op that made it."""

    op = None
    dy = None

    def __init__(self, array):
        self.array = array


serials = itertools.count()


def apply(op, *inputs):
    y = Variable(op.forward(*[x.array for x in inputs]))
    y.op, op.inputs, op.serial = op, inputs, next(serials)
    return y


def graph(root):
    found, todo = {}, [root]
    while todo:
        t = todo.pop()
        if t.op is not None and t.op.serial not in found:
            found[t.op.serial] = t
            todo.extend(t.op.inputs)
    return [found[serial] for serial in sorted(found, reverse=True)]


def backward(root):
    root.dy = np.ones_like(root.array)
    for t in graph(root):
        for x, dx in zip(t.op.inputs, t.op.backward(t.dy)):
            x.dy = dx if x.dy is None else x.dy + dx


w, x = Variable(np.array(0.5)), Variable(np.array(3.0))
a = apply(Mul(), w, x)
b = apply(Add(), a, w)
loss = apply(Mul(), b, b)
backward(loss)
print("third engine, dw:", w.dy)


def op_chain(length=300):
    y = leaf = Variable(np.array(1.0))
    for _ in range(length):
        y = apply(Mul(), y, leaf)
    return y


waiting_variables, _ = left_behind(op_chain, Variable)
print("variables that outlive their graph:", waiting_variables)

# %% [markdown]
# The result refers to the op, the op refers to its inputs, and nothing refers forward. A graph that you drop is gone
# at once.
#
# ### This is `minitorch_bn/engine.py`
#
# | you called it | the engine calls it |
# |---|---|
# | `Value` | `Variable`; `Tensor` adds PyTorch's methods |
# | the closure `step` | `Op.backward`, called by `Variable.backward_step` |
# | `receive`, with `+=` | `Variable.receive` |
# | `order`, with the serial number | `graph` |
# | `parents` | `op.inputs` |
#
# The next cells show the source as it is installed, read from the file at this moment. First the whole file in
# numbers.


# %%
def show(*pieces):
    """Show the source of functions and classes of the package."""
    for piece in pieces:
        display(Markdown(f"```python\n{textwrap.dedent(inspect.getsource(piece))}```"))


lines = inspect.getsource(engine).splitlines()
names = [name for name, thing in vars(engine).items() if getattr(thing, "__module__", "") == engine.__name__]
print(f"engine.py: {len(lines)} lines, explanations included")
print("it defines:", ", ".join(names))

# %% [markdown]
# **The op.** Two attributes are new. `needs` says which inputs want a gradient, before `forward` runs: an op can skip
# work and memory for the others. `torch_name` is what PyTorch prints as `grad_fn`.

# %%
show(engine.Op)

# %% [markdown]
# **Record.** Your `apply` had three lines, and they are all here: run `forward`, keep the inputs, take a serial
# number. New: inputs that are plain numbers or `None`; nothing is recorded unless an input needs a gradient; an op
# object is used once.

# %%
show(engine.apply)

# %% [markdown]
# **Order.** Your `graph`, with two additions. A graph that was freed is an error that says so. And `former_self`
# finds the right version of a tensor that was changed in place after it was read; leave that for another day.

# %%
show(engine.graph)

# %% [markdown]
# **The walk.** This is what `loss.backward()` calls. Read its loop aloud. Unless you say `retain_graph=True`, it drops
# what an op saved as soon as the op has been used. So memory is back before the next step, and a second `backward()`
# through the same graph is an error.

# %%
show(engine.Variable.backward)

# %% [markdown]
# **The chain rule of one op.** `op.backward(dy)` is the mathematics; the rest checks the shape and hands over. A
# gradient of the wrong shape stops here, in the op that made it, and not ten ops later.

# %%
show(engine.Variable.backward_step)

# %% [markdown]
# **The sum.** Your exercise 1. There are two places for a gradient. `dy` belongs to the present walk, and every
# tensor that an op made has one. `grad_array` is what the user asked for, the array behind `w.grad`, and it adds up
# from walk to walk. It says `self.dy + dx` and not `+=`, since `+=` would write into an array that another tensor may
# hold.

# %%
show(engine.Variable.receive)

# %% [markdown]
# ### The walk in slow motion
#
# `graph` and `backward_step` are public. So you can write the loop of `backward` yourself and look between the steps.

# %%
w = mt.tensor(0.5, requires_grad=True)
x = mt.tensor(3.0)
a = w * x
b = a + w
loss = b * b

tensors = {"w": w, "x": x, "a": a, "b": b, "loss": loss}
name_of = {id(t): name for name, t in tensors.items()}


def snapshot():
    """The gradient that has arrived at every tensor so far; None where none has."""
    arrived = {name: t.grad_array if t.op is None else t.dy for name, t in tensors.items()}
    return {name: None if dx is None else dx.item() for name, dx in arrived.items()}


snapshots = [snapshot()]
terms = []  # (from, to, number): what each op handed to each input
order_of_walk = engine.graph(loss)
loss.receive(np.ones(()))
for t in order_of_walk:
    for i, dx in enumerate(t.op.backward(t.dy)):
        if dx is not None:
            terms.append((name_of[id(t)], name_of[id(t.op.inputs[i])], dx.item()))
    t.backward_step()
    snapshots.append(snapshot())

print("order of the walk:", ", ".join(f"{name_of[id(t)]} (serial {t.op.serial})" for t in order_of_walk))
print()
print("                " + "".join(f"{'d' + name:>8}" for name in tensors))
for label, state in zip(["before", "loss stepped", "b stepped", "a stepped"], snapshots, strict=True):
    print(f"{label:<16}" + "".join(f"{'-' if dx is None else format(dx, 'g'):>8}" for dx in state.values()))
print()
print("terms handed over:", ", ".join(f"{source} -> {target}: {dx:g}" for source, target, dx in terms))
dw_terms = [dx for _, target, dx in terms if target == "w"]
print("dw =", " + ".join(f"{dx:g}" for dx in dw_terms), "=", f"{sum(dw_terms):g}")

# %% [markdown]
# ### The figure
#
# The next cell draws three of these moments. The code is long because drawings are; the numbers in it all come from
# the cell above.

# %% tags=["figure"] jupyter={"source_hidden": true}
INK, BLUE, GREY, PALE = "#111111", "#0b3d75", "#8a8a8a", "#e6e6e6"
WIDTH, HEIGHT, RADIUS = 0.40, 0.145, 0.045  # of boxes and circles, in units of a panel's width
BOX = {"w": (0.22, 1.30), "x": (0.78, 1.30), "a": (0.60, 0.86), "b": (0.40, 0.45), "loss": (0.40, 0.06)}
CIRCLE = {"a": ((0.60, 1.06), "×"), "b": ((0.40, 0.64), "+"), "loss": ((0.40, 0.25), "×")}
# (tensor that the op makes, place of the input): where the edge leaves the input's box, bend, where its number stands
EDGE = {
    ("a", 0): (0.30, 0.0, (0.37, 1.125)),
    ("a", 1): (0.72, 0.0, None),
    ("b", 0): (0.55, 0.0, (0.56, 0.71)),
    ("b", 1): (0.13, 0.12, (0.12, 0.92)),
    ("loss", 0): (0.31, 0.0, (0.265, 0.325)),
    ("loss", 1): (0.49, 0.0, (0.535, 0.325)),
}


def arrow(ax, start, end, strong, bend=0.0):
    color, width = (BLUE, 2.8) if strong else (GREY, 1.2)
    style = {"arrowstyle": "-|>", "connectionstyle": f"arc3,rad={bend}", "shrinkA": 0, "shrinkB": 0}
    ax.add_patch(FancyArrowPatch(start, end, mutation_scale=16, color=color, linewidth=width, zorder=2, **style))


def beside(center, target):
    """The point of the circle about `center` that faces `target`."""
    (px, py), (tx, ty) = center, target
    distance = np.hypot(tx - px, ty - py)
    return px + RADIUS * (tx - px) / distance, py + RADIUS * (ty - py) / distance


def draw_tensor(ax, name, dx, final):
    """A box with the value, and the gradient that has arrived so far; dashed where a term is still missing."""
    px, py = BOX[name]
    if name == "x":
        text, look = "no gradient wanted", {"fontsize": 12, "color": "#666666"}
    elif dx is None:
        text, look = f"d{name}: none yet", {"fontsize": 12, "color": "#666666"}
    else:
        text, look = (
            f"d{name} = {dx:g}" + ("" if final else " so far"),
            {"fontsize": 15, "color": BLUE, "weight": "bold"},
        )
    edge = {"edgecolor": GREY, "facecolor": "white", "linewidth": 1.2}
    if dx is not None:
        edge = {"edgecolor": BLUE, "facecolor": PALE, "linewidth": 2.8, "linestyle": "-" if final else (0, (3, 2))}
    corner, style = (px - WIDTH / 2, py - HEIGHT / 2), "round,pad=0,rounding_size=0.025"
    ax.add_patch(FancyBboxPatch(corner, WIDTH, HEIGHT, boxstyle=style, zorder=3, **edge))
    ax.text(px, py + 0.029, f"{name} = {tensors[name].item():g}", ha="center", va="center", fontsize=15, zorder=4)
    ax.text(px, py - 0.035, text, ha="center", va="center", zorder=4, **look)


def draw_op(ax, name, place_in_walk):
    """The op that made a tensor, with its edges; they point upwards once it has stepped, and carry its terms."""
    center, symbol = CIRCLE[name]
    stepped = place_in_walk is not None
    look = {"edgecolor": BLUE if stepped else GREY, "linewidth": 2.8 if stepped else 1.2}
    ax.add_patch(Circle(center, RADIUS, facecolor="white", zorder=3, **look))
    ax.text(*center, symbol, ha="center", va="center_baseline", fontsize=18, zorder=4)
    if stepped:
        ax.text(center[0] + 0.065, center[1] - 0.005, f"step {place_in_walk}", va="center", fontsize=13, color=INK)
    result, below = (BOX[name][0], BOX[name][1] + HEIGHT / 2), (center[0], center[1] - RADIUS)
    arrow(ax, *((result, below) if stepped else (below, result)), stepped)
    handed = iter([dx for source, _, dx in terms if source == name])
    for i, source in enumerate(tensors[name].op.inputs):
        leaves, bend, number = EDGE[name, i]
        at_box = (leaves, BOX[name_of[id(source)]][1] - HEIGHT / 2)
        at_circle = beside(center, at_box)
        strong = stepped and source.requires_grad
        arrow(ax, *((at_circle, at_box, True, -bend) if strong else (at_box, at_circle, False, bend)))
        if strong:
            ax.text(*number, f"+{next(handed):g}", ha="center", va="center", fontsize=15, weight="bold", color=INK)


def draw_panel(ax, title, direction, state, steps, unfinished=()):
    """One moment of the walk: `state` is a snapshot after so many `steps`."""
    walked = [name_of[id(t)] for t in order_of_walk[:steps]]
    for name in tensors:
        draw_tensor(ax, name, state[name], name not in unfinished)
    for name in CIRCLE:
        draw_op(ax, name, walked.index(name) + 1 if name in walked else None)
    ax.set_title(title, fontsize=16, pad=12, linespacing=1.4)
    ax.set_ylabel(direction, fontsize=13)
    ax.set(xlim=(0, 1), ylim=(-0.02, 1.38), xticks=[], yticks=[], aspect="equal")
    ax.spines[:].set_visible(False)


fig, (left, middle, right) = plt.subplots(1, 3, figsize=(15, 7.6), layout="constrained")
draw_panel(left, "before\nvalues, no gradients", "forward has run downwards", snapshots[0], 0)
draw_panel(middle, "during\ntwo of three ops have stepped", "backward runs upwards", snapshots[2], 2, unfinished="w")
draw_panel(right, "after\nevery op has stepped once", "backward has run upwards", snapshots[3], 3)
plt.show()

# %% [markdown]
# **What to see.** Thin grey arrows are forward, thick dark ones are backward, and the number on a thick arrow is the
# term that it carries. In the middle, `w` holds a number that is not yet its gradient: one of its two terms is still
# missing. Had `w` been the result of an op, handing that number on now would have been the mistake of exercise 2.
# On the right, both terms have arrived, and so have the two of `b`.
#
# This is what lies between `loss.backward()` and a number in `w.grad`. A plain `backward()` drops `db` and `da` as
# soon as they have been handed on; here they stay because we walked by hand.
#
# ### Step through it
#
# Put `breakpoint()` into any op and call `backward()`. Three frames matter, and each is one level of detail:
# the op's `backward` is the mathematics, `backward_step` is the chain rule of one op, `backward` is the order.
# In the debugger, `p` prints, `u` goes up to the caller, `n` runs a line, `s` steps into a call, `c` continues.
#
# This cell types the commands for you, so that the notebook runs by itself. In class, write `breakpoint()` where it
# says `debugger.set_trace()`.


# %%
class Square(engine.Op):
    """y = x**2.  dx = dy * 2x."""

    def forward(self, x):
        self.x = x
        return x * x

    def backward(self, dy):
        debugger.set_trace()
        return (dy * 2 * self.x,)


commands = ["p dy, self.x", "u", "p op, dy, op.inputs[0].op", "u", "p [t.op for t in order]", "c"]
typed = io.StringIO()
debugger = pdb.Pdb(stdin=io.StringIO("\n".join(commands) + "\n"), stdout=typed, nosigint=True, readrc=False)

w = mt.tensor(0.5, requires_grad=True)
loss = engine.apply(Square(), w * 3.0 + w)
loss.backward()

answers = re.split(r"ipdb> |\(Pdb\) ", re.sub(r"\x1b\[[0-9;]*m", "", typed.getvalue()))
transcript = answers[0] + "".join(f"(pdb) {c}\n{a}" for c, a in zip(commands, answers[1:], strict=False))
transcript = re.sub(r"> .*[\\/](minitorch_bn[\\/]\w+\.py)\(", r"> \1(", transcript)  # no folders of this machine
transcript = re.sub(r"> .*[\\/]ipykernel_[^(]*\(", "> this cell(", transcript)
print("\n".join(line.rstrip() for line in transcript.strip().splitlines()))
print("\nw.grad:", w.grad.item())

# %% [markdown]
# ### Two promises
#
# Does the engine keep what your third engine promised?

# %%
leaf = mt.tensor(1.0, requires_grad=True)
y = leaf
for _ in range(50_000):
    y = y + 0.0
y.backward()
print("chain of 50000 ops:", leaf.grad.item())

waiting_tensors, _ = left_behind(lambda: chain(mt.tensor(1.0, requires_grad=True)), mt.Tensor)
print("tensors that outlive their graph:", waiting_tensors)

try:
    y.backward()
except RuntimeError as error:
    print("a second backward:", error)

# %% [markdown]
# ## Part 4. Backward methods that go wrong easily
#
# An op sees arrays only. So you can test it alone: call `forward`, call `backward` with some `dy`, compare. Use a
# `dy` of different numbers. With ones everywhere, several of the following mistakes do not show.
#
# ### Exercise 3: a broadcast add
#
# `a` is (4, 3), `b` is (3,). NumPy stretches `b` over four rows. Which gradient does `b` get? Write it for any two
# shapes that broadcast.


# %% tags=["exercise"]
class MyAdd(engine.Op):
    def forward(self, a, b):
        self.a_shape, self.b_shape = a.shape, b.shape
        return a + b

    def backward(self, dy):
        da = dy
        db = dy
        return da, db


# %% tags=["check"] jupyter={"source_hidden": true}
def check_add(op_class):
    """Add arrays of three pairs of shapes; compare both gradients with the referee."""
    results = []
    for a_shape, b_shape in [((4, 3), (3,)), ((3, 3), (3,)), ((3, 1), (1, 3))]:
        a = np.linspace(0.1, 1, np.prod(a_shape)).reshape(a_shape)
        b = np.linspace(2, 3, np.prod(b_shape)).reshape(b_shape)
        dy = np.arange(1.0, (a + b).size + 1).reshape((a + b).shape)
        got = attempt(gradients_of, op_class(), dy, a, b)
        gradients = [got, got] if isinstance(got, Exception) else got
        functions = (lambda v, b=b, dy=dy: (dy * (v + b)).sum(), lambda v, a=a, dy=dy: (dy * (a + v)).sum())
        for name, x, dx, function in zip(("da", "db"), (a, b), gradients, functions, strict=True):
            right = numeric_gradient(function, x)
            mistakes = [
                (right.reshape(-1), "the right numbers in the wrong shape: a stretched axis of length 1 stays."),
                (dy, "broadcast add not summed: every stretched copy used the number, so the copies' terms add up."),
                (dy.mean(0), "the mean over the copies: the chain rule adds, it does not average."),
                (dy.sum(0), "summed over axis 0: sum over the axes that were stretched, here another one."),
                (dy.sum(1), "summed over axis 1: sum over the axes that were stretched, here another one."),
                (np.full(x.shape, dy.sum()), "summed over everything: only over the axes that were stretched."),
                (dy.sum(), "summed over everything: only over the axes that were stretched."),
                (dy[0], "one row of dy: the other rows used the number as well."),
                (np.full(x.shape, dy.size / x.size), "counted the copies, but forgot to multiply with dy."),
            ]
            results.append(check(f"{name} for shapes {a_shape} + {b_shape}", dx, right, mistakes))
    return all(results)


solved[3] = check_add(MyAdd)


# %% tags=["solution"] jupyter={"source_hidden": true}
def fold(dy, shape):
    """`dy` summed over the axes along which `shape` was stretched: new axes on the left, and axes of length 1."""
    new = dy.ndim - len(shape)
    stretched = tuple(i for i in range(dy.ndim) if i < new or shape[i - new] == 1)
    return dy.sum(stretched, keepdims=True).reshape(shape)


class MyAdd(engine.Op):
    def forward(self, a, b):
        self.a_shape, self.b_shape = a.shape, b.shape
        return a + b

    def backward(self, dy):
        return fold(dy, self.a_shape), fold(dy, self.b_shape)


assert check_add(MyAdd)

# %% [markdown]
# It is the rule of exercise 1 again: a number that was used four times receives four terms. The engine catches the
# first attempt, because the shape is wrong. It cannot catch a sum over the wrong axis of a square. Here is what it
# says, and how `ops/arithmetic.py` does it.


# %%
class Unsummed(engine.Op):
    def forward(self, a, b):
        return a + b

    def backward(self, dy):
        return dy, dy


a, b = mt.ones(4, 3, requires_grad=True), mt.ones(3, requires_grad=True)
try:
    engine.apply(Unsummed(), a, b).sum().backward()
except RuntimeError as error:
    print("RuntimeError:", error)

from minitorch_bn.ops.arithmetic import unbroadcast

show(unbroadcast)

# %% [markdown]
# ### Exercise 4: the largest number, with ties
#
# `y = max(x)`. Only the largest number moves `y`. But in `[1, 4, 4, 2, 4]` there are three. PyTorch's `amax` treats
# equal numbers equally. What does each of them get?


# %% tags=["exercise"]
class MyMax(engine.Op):
    def forward(self, x):
        self.x = x
        return x.max()

    def backward(self, dy):
        largest = (self.x == self.x.max()).astype(float)
        return (largest * dy,)


# %% tags=["check"] jupyter={"source_hidden": true}
def check_max(op_class):
    """The gradient of max without and with ties, for dy = 6."""
    dy, results = np.array(6.0), []
    for title, x in [("no tie", np.array([1.0, 4.0, 3.0])), ("three ties", np.array([1.0, 4.0, 4.0, 2.0, 4.0]))]:
        got = attempt(gradients_of, op_class(), dy, x)
        dx = got if isinstance(got, Exception) else got[0]
        hit = (x == x.max()).astype(float)
        first, last = np.eye(len(x))[x.argmax()], np.eye(len(x))[len(x) - 1 - x[::-1].argmax()]
        mistakes = [
            (hit * dy, "max with ties: each tied number got all of dy. Raise the three together by h: y rises by h, "
             "but these gradients promise 3h."),
            (hit * dy / 2, "a half each is what central differences say. At a kink they are no referee: the shares "
             "of three must add up to dy."),
            (first * dy, "only the first gets dy. The sum is right, torch.max(x, dim) does so; amax shares evenly."),
            (last * dy, "only the last gets dy. The sum is right; amax shares evenly."),
            (hit / hit.sum(), "the shares are right, but dy is lost: multiply with it."),
            (hit * dy / len(x), "divided by the length of x: divide by the number of ties."),
            (np.full(len(x), dy / len(x)), "that is the gradient of the mean."),
        ]  # fmt: skip
        if hit.sum() == 1:
            mistakes = [(hit * dy / 2, "half of dy is lost: one number moves y all by itself."), *mistakes]
        results.append(check(f"dx for {title}, x = {short(x)}, dy = 6", dx, hit * dy / hit.sum(), mistakes))
    return all(results)


solved[4] = check_max(MyMax)


# %% tags=["solution"] jupyter={"source_hidden": true}
class MyMax(engine.Op):
    def forward(self, x):
        largest = x == x.max()
        self.share = largest / largest.sum()
        return x.max()

    def backward(self, dy):
        return (dy * self.share,)


assert check_max(MyMax)

# %% [markdown]
# At a tie the derivative does not exist: the slope to the right is not the slope to the left. Any rule is a choice,
# but not every choice is consistent. Ask the function itself, and compare with the referee.

# %%
x, h = np.array([1.0, 4.0, 4.0, 2.0, 4.0]), 1e-6
tied = x == x.max()
print("the tied numbers rise together by h: y rises by", round(((x + h * tied).max() - x.max()) / h, 6), "h")
print("each gets everything, sum of dx:  ", tied.sum() * 1.0)
print("central differences, sum of dx:   ", round(numeric_gradient(np.max, x).sum(), 6))
print("even shares, sum of dx:           ", round((tied / tied.sum()).sum(), 6))

# %% [markdown]
# ### Exercise 5: an index that repeats
#
# `y = x[index]` with `index = [0, 2, 2]`: element 2 is read twice, element 1 never. An embedding does this whenever a
# letter occurs twice in a batch. Repair `backward`. The obvious repair is worth a try: it will surprise you.


# %% tags=["exercise"]
class MyPick(engine.Op):
    def __init__(self, index):
        self.index = np.array(index)

    def forward(self, x):
        self.x_shape = x.shape
        return x[self.index]

    def backward(self, dy):
        dx = np.zeros(self.x_shape)
        dx[self.index] = dy
        return (dx,)


# %% tags=["check"] jupyter={"source_hidden": true}
def check_pick(op_class):
    """Pick numbers, then rows, with a repeated index; compare with the referee."""
    results, index = [], [0, 2, 2]
    for title, x, dy in [
        ("numbers", np.array([0.1, 0.2, 0.3]), np.array([1.0, 10.0, 100.0])),
        ("rows", np.arange(6.0).reshape(3, 2), np.array([[1.0, 2.0], [10.0, 20.0], [100.0, 200.0]])),
    ]:
        got = attempt(gradients_of, op_class(index), dy, x)
        dx = got if isinstance(got, Exception) else got[0]
        right = numeric_gradient(lambda v, dy=dy: (dy * v[index]).sum(), x)
        last, first, mean, count = right.copy(), right.copy(), right.copy(), np.zeros(x.shape)
        last[2], first[2], mean[2], count[0], count[2] = dy[2], dy[1], (dy[1] + dy[2]) / 2, 1, 2
        mistakes = [
            (last, "one contribution instead of two: only the last of the repeated indices was kept. NumPy's "
             "dx[index] += dy does that too, since it reads all, adds, then writes all."),
            (first, "one contribution instead of two: only the first of the repeated indices was kept."),
            (mean, "the mean of the two contributions: the chain rule adds."),
            (count, "counted how often each was read, but forgot dy."),
            (dy, "that is dy itself, in the order of the index: put it where it came from."),
        ]  # fmt: skip
        results.append(check(f"dx for x[{index}], {title}", dx, right, mistakes))
    return all(results)


solved[5] = check_pick(MyPick)


# %% tags=["solution"] jupyter={"source_hidden": true}
class MyPick(engine.Op):
    def __init__(self, index):
        self.index = np.array(index)

    def forward(self, x):
        self.x_shape = x.shape
        return x[self.index]

    def backward(self, dy):
        dx = np.zeros(self.x_shape)
        np.add.at(dx, self.index, dy)  # adds once for every occurrence
        return (dx,)


assert check_pick(MyPick)

# %% [markdown]
# In exercise 1, `+=` was the repair. Here it is not: `dx[index] += dy` adds once per *position*, `np.add.at` once per
# *occurrence*.

# %%
index, dy = np.array([0, 2, 2]), np.array([1.0, 10.0, 100.0])
with_plus, with_add_at = np.zeros(3), np.zeros(3)
with_plus[index] += dy
np.add.at(with_add_at, index, dy)
print("dx[index] += dy:         ", with_plus, " sum", with_plus.sum())
print("np.add.at(dx, index, dy):", with_add_at, " sum", with_add_at.sum(), " sum of dy", dy.sum())

# %% [markdown]
# ### Exercise 6: an op of your own
#
# Swish is `y = x * sigmoid(x)`, a smooth relative of ReLU. Write its backward. With `s = sigmoid(x)`, the derivative
# of `s` is `s * (1 - s)`.


# %% tags=["exercise"]
class Swish(engine.Op):
    """y = x * s with s = 1 / (1 + exp(-x))."""

    def forward(self, x):
        self.x = x
        self.s = 1 / (1 + np.exp(-x))
        return x * self.s

    def backward(self, dy):
        return (dy * self.s,)


# %% tags=["check"] jupyter={"source_hidden": true}
def check_swish(op_class):
    """Compare with the referee at five places, with five different dy."""
    x, dy = np.array([-3.0, -0.5, 0.0, 0.5, 3.0]), np.array([1.0, -2.0, 3.0, -4.0, 5.0])
    got = attempt(gradients_of, op_class(), dy, x)
    dx = got if isinstance(got, Exception) else got[0]
    s = 1 / (1 + np.exp(-x))
    mistakes = [
        (dy * s, "one of two terms: x also moves s. `y = x * s` is a product of two things that depend on x."),
        (dy * x * s * (1 - s), "one of two terms: x is a factor of its own, besides moving s."),
        (s + x * s * (1 - s), "dy is lost. With dy = 1 everywhere you would never have noticed."),
        (dy * s * (1 - s), "that is the gradient of sigmoid alone: where is the factor x?"),
        (dy * (s + s * (1 - s)), "the second term lost its factor x."),
        (dy * x * s, "that is dy times y, not times the derivative of y."),
    ]
    right = numeric_gradient(lambda v: (dy * v / (1 + np.exp(-v))).sum(), x)
    return check("dx of swish at five places", dx, right, mistakes)


solved[6] = check_swish(Swish)


# %% tags=["solution"] jupyter={"source_hidden": true}
class Swish(engine.Op):
    """y = x * s with s = 1 / (1 + exp(-x)).  dx = dy * (s + x * s * (1 - s))."""

    def forward(self, x):
        self.x = x
        self.s = 1 / (1 + np.exp(-x))
        return x * self.s

    def backward(self, dy):
        return (dy * (self.s + self.x * self.s * (1 - self.s)),)


assert check_swish(Swish)

# %% [markdown]
# Your op is now an op of `minitorch_bn`. Nothing needs to be registered: `apply` takes any object with these two
# methods. Put it between two layers, and ask the referee about every weight of the first.


# %%
def swish(x):
    return engine.apply(Swish(), x)


mt.manual_seed(0)
first, last = mt.nn.Linear(3, 4), mt.nn.Linear(4, 1)
inputs = mt.randn(8, 3)
loss = (last(swish(first(inputs))) ** 2).mean()
loss.backward()


def loss_for(weight):
    hidden = inputs.array @ weight.T + first.bias.array
    return ((hidden / (1 + np.exp(-hidden)) @ last.weight.array.T + last.bias.array) ** 2).mean()


by_referee = numeric_gradient(loss_for, first.weight.array)
swish_error = np.abs(first.weight.grad.array - by_referee).max()
print("ops on the graph, newest first:", [type(t.op).__name__ for t in engine.graph(last(swish(first(inputs))))])
print("largest gradient of a weight:  ", np.abs(by_referee).max().round(4))
print("engine and referee differ by less than 1e-7:", bool(swish_error < 1e-7))

# %% [markdown]
# ### With PyTorch, if it is installed
#
# The same five computations there. This cell is skipped where PyTorch is absent.


# %%
def gradients_with(torch, add, amax, pick, silu):
    """The gradients of this lesson, computed with a library and these four functions."""

    def leaf(*numbers):
        return torch.tensor(numbers, dtype=torch.float64, requires_grad=True)

    w = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    b = w * 3.0 + w
    (b * b).backward()
    row, table = leaf(2.0, 2.5, 3.0), torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], dtype=torch.float64)
    (add(table, row) * table).sum().backward()
    ties, picked, places = leaf(1.0, 4.0, 4.0, 2.0, 4.0), leaf(0.1, 0.2, 0.3), leaf(-3.0, -0.5, 0.0, 0.5, 3.0)
    (amax(ties) * 6.0).backward()
    (pick(picked) * torch.tensor([1.0, 10.0, 100.0], dtype=torch.float64)).sum().backward()
    silu(places).sum().backward()
    leaves = {"three ops": w, "broadcast add": row, "max with ties": ties, "repeated index": picked, "swish": places}
    return {name: np.array(t.grad.tolist()) for name, t in leaves.items()}


ours = gradients_with(
    mt,
    lambda a, b: engine.apply(MyAdd(), a, b),
    lambda x: engine.apply(MyMax(), x),
    lambda x: engine.apply(MyPick([0, 2, 2]), x),
    swish,
)
if importlib.util.find_spec("torch"):
    import torch

    theirs = gradients_with(torch, torch.add, torch.amax, lambda x: x[[0, 2, 2]], torch.nn.functional.silu)
    for name, gradient in ours.items():
        assert np.allclose(gradient, theirs[name], rtol=1e-12, atol=1e-12), name
        print(f"{name:<15} equal to PyTorch's: {short(gradient)}")
else:
    print("PyTorch is not installed: skipped")

# %% [markdown]
# ## The answer
#
# Back to your prediction. The four ways give the same number, but they do different work. So count the work. Here is
# a graph with few ops and very many paths: `y = y + y`, again and again. The op counts how often it is called while
# `backward()` runs.

# %%
calls = {"forward": 0, "backward": 0}


class CountedAdd(engine.Op):
    def forward(self, a, b):
        calls["forward"] += 1
        return a + b

    def backward(self, dy):
        calls["backward"] += 1
        return dy, dy


n = 20
x = mt.tensor(1.0, requires_grad=True)
y = x
for _ in range(n):
    y = engine.apply(CountedAdd(), y, y)

calls.update(forward=0, backward=0)
y.backward()
measured = calls["forward"], calls["backward"]

work = {
    "A": ("the formula", (0, 0)),
    "B": ("finite differences", (2 * n, 0)),
    "C": ("every op once", (0, n)),
    "D": ("every path", (0, 2**n - 1)),
}
print(f"{n} ops, {2**n:,} paths, x.grad = {x.grad.item():,.0f}\n")
print("calls during backward()      forward    backward")
for letter, (what, (forwards, backwards)) in work.items():
    print(f"{letter}. {what:<20}     {forwards:>8}  {backwards:>10,}")
print(f"measured                    {measured[0]:>8}  {measured[1]:>10,}")

# %%
answer = next(letter for letter, (_, counts) in work.items() if counts == measured)
predicted = str(prediction).strip().upper()
if predicted not in work:
    print(f"You wrote down no letter. Measured: {answer}, {work[answer][0]}.")
elif predicted == answer:
    print(f"You predicted {predicted}, and {answer} was measured: {work[answer][0]}.")
else:
    print(f"You predicted {predicted}: {work[predicted][0]}. Measured was {answer}: {work[answer][0]}.")
print("Exercises solved without the folded cells:", [number for number, right in solved.items() if right] or "none yet")

# The question was: what happens between loss.backward() and a number in w.grad?
assert answer == "C", "every recorded op is visited once, newest first"
assert broke and waiting_values and not waiting_variables and not waiting_tensors, (
    "closures met their two limits, ops did not"
)
assert [source for source, _, _ in terms] == ["loss", "loss", "b", "b", "a"], "newest first"
assert len(dw_terms) == 2 and sum(dw_terms) == snapshots[-1]["w"], "a gradient is the sum of one term per use"
assert equal(sum(dw_terms), numeric_gradient(formula, 0.5)), "and it is the slope of the loss"
assert x.grad.item() == 2**n, "one visit per op is enough, however many paths there are"
print("The question is answered.")

# %% [markdown]
# ## What to keep
#
# - Forward records: each result keeps its op, each op keeps its inputs and what backward will read.
# - The order of creation is a topological order. Backward walks it from the newest op to the oldest, each op once.
# - One op turns `dy` into one gradient per input. The engine does not know any formula; the op does not know any graph.
# - A gradient is a sum over uses: twice in an expression, four times in a broadcast, twice in an index.
# - References point only to the past. So a graph that you drop is freed at once.
#
# Longer, if you like: set `n` to 1000 in the counting cell. There are `2**1000` paths then. How long does `backward()`
# take, and what is `x.grad`?
#
# Next: `02_batchnorm_by_hand`. There the op is BatchNorm, and its backward takes something away.
