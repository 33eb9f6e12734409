# %% [markdown]
# # 05 · Step through gradients
#
# **Where exactly did this gradient come from?**
#
# A gradient is a number that many other numbers had a hand in. When it is wrong, or zero, or missing, you want to go
# back to the place where it was made, and look. In this lesson you go there in three ways, take one gradient apart to
# the last term, and then hunt three bugs. Class time: 60 minutes.
#
# You need notebook 01 (the engine) and the closed form of BatchNorm's gradient from notebook 02.
#
# | part | what you do | minutes |
# |---|---|---|
# | a | predict | 5 |
# | b | three ways to the same place: pdb, a breakpoint, the tape | 15 |
# | c | one gradient, term by term; the figure of this lesson | 10 |
# | d | hunt: a gradient that is missing | 8 |
# | e | hunt: a gradient that is zero | 7 |
# | f | hunt: a gradient that is not a number | 8 |
# | g | a gradient that vanishes; the answer | 7 |
#
# **How the exercises work.** A cell that is marked *exercise* holds an attempt with a mistake. Run it, run the check
# below it, and read what the check says. Repair the attempt and run both again. The folded cell below the check holds
# a solution. Run it in any case, because later cells build on it.
#
# %%
import io
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import minitorch_bn as mt
from minitorch_bn import debug
from minitorch_bn.nn import functional as F

np.set_printoptions(precision=4, suppress=True)
plt.rcParams.update({"font.size": 13, "figure.dpi": 100})
solved = {}  # number of the exercise: whether your own attempt was right

# %% [markdown]
# ## a. The question, and your prediction
#
# Six samples with three channels go through BatchNorm and tanh. The loss reads **row 3 of the result and nothing
# else**.


# %%
def compute_loss():
    h = bn(x)
    y = mt.tanh(h)
    return y[3].sum()


mt.manual_seed(5)
x = mt.randn(6, 3, dtype=mt.float64).requires_grad_()
bn = mt.nn.BatchNorm1d(3).double()
loss = compute_loss()
print("loss:", round(loss.item(), 4))

# %% [markdown]
# Row 0 of `y` is not in the loss. What is the gradient of row 0 of **x**, and where does it come from?
#
# - **A** It is zero. Rows are samples, and samples do not know of each other.
# - **B** It is not zero, and all of it comes the direct way, through `x_hat` of row 0.
# - **C** It is not zero, and all of it comes through the batch's mean and variance.
# - **D** It is not zero, but only because of rounding.
#
# Write your letter into the next cell, before you read on. The last cell reads it again.

# %% tags=["prediction"]
prediction = None  # "A", "B", "C" or "D"

# %% [markdown]
# ## b. Three ways to the same place
#
# The place is the backward of BatchNorm: `dy` comes in, `dx` goes out. These two arrays are to be fetched
# from there, in each of the three ways.
#
# ### First way: pdb
#
# `debug.step(loss)` does what `loss.backward()` does, but opens Python's debugger right before the first op. It skips
# the frames of NumPy. In your own notebook, call `debug.step(compute_loss())` and type. Here the typing is done by a
# string, so that this lesson can be run without you. It sets a breakpoint in the backward of BatchNorm, and looks.


# %%
def typed(loss, *commands):
    """debug.step with these commands; returns what pdb said, with paths cut to the package."""
    said = io.StringIO()
    debug.step(loss, stdin=io.StringIO("\n".join(commands) + "\n"), stdout=said)
    answers = said.getvalue().replace(str(Path(mt.__file__).parents[1]) + "/", "").split("(Pdb) ")
    return answers[0] + "".join(f"(Pdb) {c}\n{a}" for c, a in zip(commands, answers[1:], strict=False))


print(
    typed(
        compute_loss(),
        "s",  # into the backward of the first op, the sum: its first event is the call
        "s",  # its first line
        "u",  # one frame up: the chain rule of one op
        "p type(op).__name__, op.needs",
        "q",  # leave: all gradients are as they were
    )
)
assert x.grad is None

# %% [markdown]
# Read the transcript from the top. The banner says where you are and what the keys do. `--Call--` is the moment before
# the first line of a function. `q` took everything back, as the assertion shows. Now the same with a breakpoint: `b`
# sets it, `c` goes there.

# %%
transcript = typed(
    compute_loss(),
    "u",  # to the frame of backward, where the order of the ops is
    "p [type(t.op).__name__ for t in order]",
    "b order[-1].op.backward",
    "c",
    "p dy[3]",
    "p dy[0]",
    "p self.x_hat[0]",
    "q",
)
print(transcript)

# %% [markdown]
# `dy[0]` is zero: nothing of row 0 of the result is in the loss. So the gradient of row 0 of `x`, whatever it is, is
# made *here*, in this function.
#
# ### Second way: a breakpoint with a condition
#
# In an editor you click beside a line, and press F5 and F11: [docs/stepping.md](../docs/stepping.md) has the keys of VS
# Code, PyCharm and JupyterLab. But where do you click if you know the symptom and not the place?
# `debug.break_when(tensor, condition)` opens the debugger where a gradient of this tensor satisfies the condition.
#
# What opens is what `breakpoint()` opens. Here it is a function of ours that reads the frame's variables as you would
# read them in the editor's pane.

# %%
import sys

frames = []


def look():
    """Instead of a debugger: keep the variables of the frame that it would open in."""
    frames.append(dict(sys._getframe(1).f_locals))


with debug.break_when(x, lambda g: (g[0] != 0).any(), debugger=look) as stop:
    compute_loss().backward()

frame = frames[0]
print("\nthe op:", type(frame["op"]).__name__, "  dy[0] =", frame["dy"][0], "  dx[0] =", frame["dx"][0])
dx_breakpoint = frame["dx"]

# %% [markdown]
# The op has a name, BatchNorm, and the line of *your* code that made it. It received zeros in row 0, and gave something
# else.
#
# ### Third way: the tape
#
# A debugger only goes forwards. The tape is the walk of backward, one op per step, and it also goes back.

# %%
tape = debug.tape(compute_loss, names=globals())
tape

# %%
tape.until("BatchNorm")
print("next op:", type(tape.op).__name__, "  made at", tape.where())
x.grad = None
tape.step()
dx_tape = x.grad.array
print("row 0 of dx:", dx_tape[0])
tape.back()
print("one step back: x.grad is", x.grad)

# %% [markdown]
# All three ways came to the same place:

# %%
tape.step()
assert (dx_breakpoint == x.grad.array).all(), "to the bit"
assert "array([0., 0., 0.])" in transcript, "dy[0], as pdb has shown it"
print("the breakpoint and the tape give the same dx, to the bit")

# %% [markdown]
# ## c. One gradient, term by term
#
# `debug.why` writes the chain rule of one element as the sum that it is. Element `x[0, 1]` was read by one op, and that
# op gave six numbers of channel 1 that depend on it.

# %%
x.grad = None
why = debug.why(x, (0, 1), loss=compute_loss())
why

# %% [markdown]
# One term is left: only row 3 of the result has a gradient that is not zero. But row 3 of the result is a function of
# row 3 of `x`, you would say. How does row 0 come into it? Through the mean and the variance, which all six rows share.
# `bn.paths(dy)` takes `dx` apart into the three ways that lead from `x` to `x_hat`.

# %%
dy = mt.tensor(frame["dy"])
paths = bn.paths(dy)
for name, part in zip(paths._fields, paths, strict=True):
    print(f"{name:<14} row 0: {part.array[0]}   row 3: {part.array[3]}")
total = sum(part.array for part in paths)
print(f"{'sum':<14} row 0: {total[0]}   row 3: {total[3]}")
assert np.allclose(total, dx_breakpoint, rtol=1e-12, atol=1e-14)

# %%
pictures = [*(part.array for part in paths), total]
titles = ["direct", "through\nthe mean", "through\nthe variance", "dx, their sum"]
limit = max(abs(picture).max() for picture in pictures)
figure, axes = plt.subplots(1, 4, figsize=(11, 4), sharey=True)
for ax, picture, title in zip(axes, pictures, titles, strict=True):
    image = ax.imshow(picture, cmap="PuOr", vmin=-limit, vmax=limit)
    for (i, j), value in np.ndenumerate(picture):
        ax.text(
            j,
            i,
            f"{value:.2f}",
            ha="center",
            va="center",
            fontsize=10,
            color="white" if abs(value) > limit / 2 else "black",
        )
    ax.set(title=title, xlabel="channel", xticks=range(3))
axes[0].set_ylabel("row of the batch")
figure.colorbar(image, ax=axes, label="gradient", shrink=0.8)
plt.show()

# %% [markdown]
# **What to see.** The direct part is zero outside of row 3: it is `dy`, scaled. The mean spreads the opposite over all
# rows, each the same share. The variance spreads a part that is proportional to `x_hat`. In the sum, every column adds
# up to zero. That is what BatchNorm takes away from a gradient, seen at one place.
#
# The same picture, and every other op of the walk, stand in one page that you can step through with the arrow keys. It
# needs no network. In your notebook, `page` alone in a cell shows it; `page.save("gradients.html")` writes a file.

# %%
page = debug.replay(compute_loss, names=globals())
print(repr(page))

# %% [markdown]
# ## d. Hunt: a gradient that is missing
#
# A network with a bug. The loss is a number, nothing complains, and yet the first layer never learns.

# %%
mt.manual_seed(1)
inputs, targets = mt.randn(16, 4), mt.randint(0, 3, (16,))
first, last = mt.nn.Linear(4, 8), mt.nn.Linear(8, 3)


def forward_with_bug():
    h = mt.tanh(first(inputs))
    h = (h - h.mean(0).detach()) / h.detach().std()
    h = h.detach().clamp(-2, 2)
    return F.cross_entropy(last(h), targets)


forward_with_bug().backward()
print("last.weight.grad: ", None if last.weight.grad is None else tuple(last.weight.grad.shape))
print("first.weight.grad:", first.weight.grad)

# %% [markdown]
# Ask what has cut the graph between the two. The function is called once more, with its lines remembered.

# %%
reason = debug.why_no_grad(first.weight, forward_with_bug)
reason

# %% [markdown]
# Every `detach()` is a cut, and all of them are listed, each with its line. `h` reaches the loss in three ways: by
# itself, through its mean, and through its standard deviation. The first two cuts are meant: they make constants of the
# mean and the standard deviation. The third one takes the last way that was left.
#
# ### Exercise 1: mend it
#
# Mend the function so that the first layer gets its gradient. The other two `detach()` stay: they are meant. The
# attempt asks for a gradient where there is none.


# %% tags=["exercise"]
def forward():
    h = mt.tanh(first(inputs))
    h = (h - h.mean(0).detach()) / h.detach().std()
    h = h.detach().clamp(-2, 2).requires_grad_()
    return F.cross_entropy(last(h), targets)


# %% tags=["check"] jupyter={"source_hidden": true}
def check_mended(function):
    """Compare the first layer's gradient with those of the right function and of the usual mistakes."""

    def reference(centre, scale):
        h = mt.tanh(first(inputs))
        h = (h - centre(h.mean(0))) / scale(h).std()
        return F.cross_entropy(last(h.clamp(-2, 2)), targets)

    def gradient(f):
        first.weight.grad = last.weight.grad = None
        f().backward()
        return first.weight.grad

    def same(t):
        return t

    got = gradient(function)
    if got is None:
        print("not yet: first.weight.grad is None still. requires_grad_() makes a new leaf: the gradient ends there,\n"
              "and what was cut stays cut. Take the detach() of that line away.")  # fmt: skip
        return False
    for centre, scale, text in [
        (mt.Tensor.detach, mt.Tensor.detach, None),
        (same, mt.Tensor.detach, "the gradient also flows through the mean now: that detach() was meant"),
        (mt.Tensor.detach, same, "the gradient also flows through the standard deviation now: that detach() was meant"),
        (same, same, "all three are gone; two of them were meant"),
    ]:
        if mt.allclose(got, gradient(lambda: reference(centre, scale)), rtol=1e-5, atol=1e-8):  # noqa: B023
            print("right" if text is None else f"not yet: {text}.")
            return text is None
    print("not yet: it has a gradient, but another one than the function without its third detach().")
    return False


solved[1] = check_mended(forward)


# %% tags=["solution"] jupyter={"source_hidden": true}
def forward():
    h = mt.tanh(first(inputs))
    h = (h - h.mean(0).detach()) / h.detach().std()
    h = h.clamp(-2, 2)
    return F.cross_entropy(last(h), targets)


assert check_mended(forward)

# %% [markdown]
# ## e. Hunt: a gradient that is zero
#
# Here nothing is cut. A network with ReLU was started with a bias of -3 in its second layer, "so that the units begin
# quietly".

# %%
mt.manual_seed(2)
net = mt.nn.Sequential(
    mt.nn.Linear(4, 8), mt.nn.ReLU(), mt.nn.Linear(8, 8), mt.nn.ReLU(), mt.nn.Linear(8, 1)
)  # fmt: skip
rows, wanted = mt.rand(16, 4), mt.ones(16, 1)


def one_loss():
    return F.mse_loss(net(rows), wanted)


net[2].bias.data.fill_(-3.0)
one_loss().backward()
for name, p in net.named_parameters():
    print(f"{name:<9} largest |gradient|: {p.grad.abs().max().item():.4g}")

# %% [markdown]
# Only the last bias still learns. Where does it die? Watch all modules at once: the debugger is to open where an
# activation is zero in every row.

# %%
frames.clear()
with debug.break_when(net, lambda t: (t == 0).all(), gradients=False, debugger=look):
    one_loss()
culprit = frames[0]
print("\nits inputs lie between", culprit["inputs"][0].min().item(), "and", culprit["inputs"][0].max().item())

# %% [markdown]
# All inputs of that ReLU are negative, for every row: its gradient is zero, and so is that of everything below it. No
# step can repair it, because no gradient arrives. A large step of the optimiser can lead to the same place. BatchNorm
# before the ReLU prevents it, because it centres what the ReLU sees, whatever the layer below gives.

# %%
with_bn = mt.nn.Sequential(
    net[0], mt.nn.BatchNorm1d(8), net[1], net[2], mt.nn.BatchNorm1d(8), *list(net.children())[3:]
)
with debug.break_when(with_bn, lambda t: (t == 0).all(), gradients=False, debugger=look) as watched:
    F.mse_loss(with_bn(rows), wanted).backward()
print("stops with BatchNorm in between:", watched.stops)
print("largest |gradient| of the first layer:", f"{net[0].weight.grad.abs().max().item():.4g}")

# %% [markdown]
# ## f. Hunt: a gradient that is not a number
#
# The entropy of a distribution is `-(p * log p).sum()`. One of the probabilities is zero. NumPy warns; then the number
# `nan` wanders through the model. `debug.detect_anomaly()` stops where it is born.

# %%
p = mt.tensor([0.5, 0.25, 0.25, 0.0], requires_grad=True)


def entropy_with_bug(p):
    return -(p * p.log()).sum()


try:
    with debug.detect_anomaly():
        entropy_with_bug(p).backward()
except RuntimeError as error:
    print(error)

# %% [markdown]
# Forward already: the logarithm of 0 is -infinity. `x0` has a zero, and the line is yours.
#
# ### Exercise 2: an entropy that can be differentiated
#
# By convention `0 log 0 = 0`. Write an entropy that gives the right value **and** finite gradients at `p = 0`. The
# attempt gives the right value.


# %% tags=["exercise"]
def entropy(p):
    term = p * p.log()
    return -mt.where(p > 0, term, mt.zeros_like(term)).sum()


# %% tags=["check"] jupyter={"source_hidden": true}
def check_entropy(function):
    """Value, gradients where p > 0, and a finite gradient at p = 0."""
    numbers = np.array([0.5, 0.25, 0.25, 0.0])
    p = mt.tensor(numbers, requires_grad=True)
    with np.errstate(all="ignore"):
        value = function(p)
        value.backward()
    if p.grad is None:
        print("not yet: no gradient arrives at p.")
        return False
    gradient = p.grad.array
    right = -np.log(numbers[:3]) - 1
    if not abs(value.item() - 1.5 * np.log(2)) < 1e-6:
        print(f"not yet: the value is {value.item():.6f}, wanted 1.5 log 2 = {1.5 * np.log(2):.6f}.")
    elif np.isnan(gradient[3]):
        print("not yet: the value is right, but the gradient at p = 0 is nan. where() sends a gradient of 0 into the\n"
              "branch that was not taken, and there it meets log 0: 0 * -inf = nan. Keep the zero away from log\n"
              "BEFORE it is computed.")  # fmt: skip
    elif not np.isfinite(gradient).all():
        print("not yet: the gradient at p = 0 is infinite.")
    elif not np.allclose(gradient[:3], right, rtol=1e-5):
        print(f"not yet: the gradients at p > 0 are {gradient[:3]}, wanted {right}.")
    else:
        print("right")
        return True
    return False


solved[2] = check_entropy(entropy)


# %% tags=["solution"] jupyter={"source_hidden": true}
def entropy(p):
    return -(p * p.clamp(min=1e-12).log()).sum()


assert check_entropy(entropy)

# %% [markdown]
# The attempt is a famous trap: PyTorch does the same. See where it happens:

# %%
try:
    with debug.detect_anomaly(forward=False), np.errstate(all="ignore"):
        term = p * p.log()
        mt.where(p > 0, term, mt.zeros_like(term)).sum().backward()
except RuntimeError as error:
    print(error)

# %% [markdown]
# ## g. A gradient that vanishes
#
# Eight layers, sigmoid after each, as in the nineties. Somewhere the gradient falls below one millionth.


# %%
def deep_loss():
    h = signal
    for i, layer in enumerate(layers):
        h = mt.sigmoid(layer(h))
        if i == 3:
            h = h * 0.05
    return h.mean()


mt.manual_seed(3)
signal = mt.randn(5, 6)
layers = mt.nn.ModuleList([mt.nn.Linear(6, 6) for _ in range(8)])
tape = debug.tape(deep_loss)
while not tape.done:
    t, op = tape.tensor, tape.op
    print(f"{tape.position:>2}  {type(op).__name__:<8} largest |dy| {abs(t.dy).max():.1e}")
    tape.step()
tape.reset()

# %% [markdown]
# ### Exercise 3: who did it?
#
# From the tape alone, return the op that **first makes** the gradient smaller than 1e-6: the one whose `dx` is that
# small, while its own `dy` was not. `tape.until(function)` stops before the first op for whose tensor the function is
# true.


# %% tags=["exercise"]
def first_small(tape):
    tape.reset()
    tape.until(lambda t: abs(t.dy).max() < 1e-6)
    return tape.op


# %% tags=["check"] jupyter={"source_hidden": true}
def check_first_small(function):
    """Compare with the gradients themselves, on this tape and on another."""
    for make in (deep_loss, lambda: deep_loss() * 2 + layers[0](signal).mean() * 1e-9):
        tape = debug.tape(make)
        ops = [tape.op_at(i) for i in range(len(tape))]
        culprit = victim = None
        while not tape.done and culprit is None:
            op, dy = tape.op, abs(tape.tensor.dy).max()
            tape.step()
            small = [x for x in op.inputs if x is not None and x.op is not None and abs(x.dy).max() < 1e-6]
            if small and dy >= 1e-6:
                culprit, victim = op, small[0].op
        tape.reset()
        got = function(tape)
        if got is victim:
            print("not yet: that op received the small gradient; it is the victim. Wanted is the op that gave it.")
            return False
        if got is not culprit:
            what = f"number {ops.index(got)}" if got in ops else "no op of this tape"
            print(f"not yet: got {what}, wanted number {ops.index(culprit)} in the walk's order.")
            return False
    print("right")
    return True


solved[3] = check_first_small(first_small)


# %% tags=["solution"] jupyter={"source_hidden": true}
def first_small(tape):
    tape.reset()
    while not tape.done:
        op, dy = tape.op, abs(tape.tensor.dy).max()
        tape.step()
        inputs = [x for x in op.inputs if x is not None and x.op is not None]
        if dy >= 1e-6 and any(abs(x.dy).max() < 1e-6 for x in inputs):
            return op


assert check_first_small(first_small)

# %% [markdown]
# ## The answer
#
# Back to row 0, which the loss does not read. Where did its gradient come from?

# %%
direct, through_mean, through_var = (abs(part.array[0]).max() for part in paths)
print(
    f"row 0 of dx: direct {direct:.4f}   through the mean {through_mean:.4f}   through the variance {through_var:.4f}"
)
zero = not np.abs(dx_breakpoint[0]).max() > 0
shared = np.allclose(total[0], paths.through_mean.array[0] + paths.through_var.array[0], rtol=0, atol=0)
answer = "A" if zero else "C" if direct == 0 and shared else "B" if through_mean + through_var == 0 else "D"
what = {
    "A": "it is zero",
    "B": "all of it comes the direct way",
    "C": "all of it comes through the batch's mean and variance",
    "D": "rounding",
}
predicted = str(prediction).strip().upper()
if predicted not in what:
    print(f"You wrote down no letter. Measured: {answer}, {what[answer]}.")
elif predicted == answer:
    print(f"You predicted {predicted}, and {answer} was measured: {what[answer]}.")
else:
    print(f"You predicted {predicted}: {what[predicted]}. Measured was {answer}: {what[answer]}.")
print("Exercises solved without the folded cells:", [number for number, right in solved.items() if right] or "none yet")

# The question was: where exactly did this gradient come from?
assert answer == "C", "from the other rows, by way of the statistics that they share"
assert type(frame["op"]).__name__ == "BatchNorm" and not frame["dy"][0].any() and frame["dx"][0].all(), "made by one op"
assert reason.cause == "detach" and type(culprit["op"]).__name__ == "ReLU", "and two hunts ended at one line each"
print("The question is answered.")

# %% [markdown]
# ## What to keep
#
# - Backward is Python. Any debugger can stop in it: `debug.step(loss)` starts pdb at the first op.
# - Know the symptom and not the place? `break_when` stops at the op that produced the gradient.
# - Missing: `why_no_grad`. Zero: `break_when` on activations. Not a number: `detect_anomaly`. Vanishing: the tape.
# - A gradient through BatchNorm comes from all rows of the batch: two of its three ways are shared.
#
# Longer, if you like: run `debug.replay` on the network of notebook 04, and step to its first BatchNorm.
