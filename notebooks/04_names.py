# %% [markdown]
# # 04 · Names
#
# **Why does a small network that writes first names need its activations looked after?**
#
# You build a network that writes French first names, symbol by symbol. First with raw tensors, then with modules. It
# runs at once. Whether it also learns depends on something that no error message mentions: how large the numbers
# inside are when it starts. In this lesson you look at them. Class time: 75 minutes.
#
# You need the chain rule and a first idea of BatchNorm (notebook 02, its beginning).
#
# | part | what you do | minutes |
# |---|---|---|
# | a | predict; read 30,000 names; make examples | 10 |
# | b | look at the loss before the first step | 8 |
# | c | look at the tanh, and scale with care | 12 |
# | d | write BatchNorm by hand | 10 |
# | e | running statistics, and two sets of formulas | 12 |
# | f | the same with modules; the same numbers as PyTorch | 5 |
# | g | five hidden layers: the figure of this lesson | 10 |
# | h | train, and let the network write; the answer | 8 |
#
# **How the exercises work.** A cell that is marked *exercise* holds an attempt with a mistake. Run it, run the check
# below it, and read what the check says. Repair the attempt and run both again. The folded cell below the check holds
# a solution. Run it in any case, because later cells build on it.
#
# %%
import math
import random
import types
import unicodedata

import matplotlib.pyplot as plt
import numpy as np

from minitorch_bn.experiments.figures import BLACK, GREY, NETS
from minitorch_bn.experiments.text import find_file

plt.rcParams.update(
    {"font.size": 13, "axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 100, "legend.frameon": False}
)

# %% [markdown]
# Two more imports. They are the only lines of this lesson's networks that are not PyTorch's: with `import torch` and
# `import torch.nn.functional as F` in their place, the same code runs there. Part f does that.

# %%
import minitorch_bn as torch
import minitorch_bn.nn.functional as F

# %% [markdown]
# ## a. The question, and your prediction
#
# At the end you will build the network with **five** hidden layers, each followed by tanh. You will build it once
# plain, and once with BatchNorm before every tanh. You will start both from weights that are far too small, right,
# and far too large, train them for a few seconds, and compare their losses. What does BatchNorm do?
#
# - **A** It gives the lower loss from every start.
# - **B** It gives the lower loss from bad starts, too small and too large. From the right start it gains nothing.
# - **C** It gives the lower loss from too large a start only: there tanh saturates. Small activations are harmless.
# - **D** It makes no difference. Training itself repairs a bad start.
#
# Write your letter into the next cell, before you read on. The last cell reads it again.

# %% tags=["prediction"]
prediction = None  # "A", "B", "C" or "D"

# %% [markdown]
# ### 30,000 names
#
# The file holds the 30,000 most frequent first names of people born in France since 1900 (INSEE, Fichier des prénoms,
# edition 2019). One name per line, the most frequent first.

# %%
path = find_file()  # data/prenoms.txt of this project
words = path.read_text(encoding="utf-8").splitlines()

print(len(words), "names:", *words[:6], "...", *words[-3:])
print(f"mean length {sum(map(len, words)) / len(words):.2f}   longest {max(words, key=len)}")
accented = [w for w in words if not w.isascii()]
print(len(accented), "with a letter outside ASCII:", *accented[:8])
first, last = words[:3000], words[-3000:]
lengths = [sum(map(len, part)) / 3000 for part in (first, last)]
print(f"mean length of the first 3,000 names {lengths[0]:.2f}   of the last {lengths[1]:.2f}")

# %% [markdown]
# Two traps are in these lines.
#
# **The order.** Frequent names are shorter than rare ones, as the last line shows. If you cut the file as it is into
# training and test data, you train on one kind of name and test on another. Shuffle first, with a seed.
#
# **The encoding.** Read the same bytes in three ways. None of them raises an error.


# %%
def report(reading, names):
    """One line: how many symbols and examples this way of reading gives."""
    symbols = sorted(set("".join(names)) | {"."})
    examples = sum(len(w) + 1 for w in names)
    print(f"{reading:<34} {len(names):,} names  {len(symbols)} symbols  {examples:,} examples  {names[third]}")
    return symbols


third = words.index("andré")
symbols = report("UTF-8, as it is (NFC)", words)
report("UTF-8, then NFD", [unicodedata.normalize("NFD", w) for w in words])
report("cp1252, the default of some PCs", path.read_bytes().decode("cp1252").splitlines())
print("the symbols:", "".join(symbols))
assert len(symbols) == 46

# %% [markdown]
# In NFC `é` is one symbol. In NFD it is two, an `e` and an accent that combines with it. The two look the same on the
# screen and are different data: other symbols, other examples, other losses. Read in cp1252, `é` becomes `Ã©`. Name
# the encoding, and bring text that people type into NFC.
#
# ### Symbols and numbers
#
# From here on the code is the usual one of such lessons. The `.` stands before and after a name.

# %%
chars = sorted(set("".join(words)))
stoi = {s: i + 1 for i, s in enumerate(chars)}
stoi["."] = 0
itos = {i: s for s, i in stoi.items()}
block_size = 3  # symbols of context


def build_dataset(words):
    X, Y = [], []
    for w in words:
        context = [0] * block_size
        for ch in w + ".":
            ix = stoi[ch]
            X.append(context)
            Y.append(ix)
            context = context[1:] + [ix]
    return torch.tensor(X), torch.tensor(Y)


random.seed(42)
random.shuffle(words)
n1 = int(0.8 * len(words))
n2 = int(0.9 * len(words))
Xtr, Ytr = build_dataset(words[:n1])  # 80 %, to train
Xdev, Ydev = build_dataset(words[n1:n2])  # 10 %, to compare
Xte, Yte = build_dataset(words[n2:])  # 10 %, for the very end

print(Xtr.shape, Xdev.shape, Xte.shape)
for x, y in zip(Xtr[:8].tolist(), Ytr[:8].tolist(), strict=True):
    print(" ".join(itos[i] for i in x), "->", itos[y])
holders = {s: [w for w in words if s in w] for s in symbols}
print("symbols in a single name:", {s: names for s, names in holders.items() if len(names) == 1})

# %% [markdown]
# Two symbols live in a single name each. A vocabulary made of the training part alone could lack them, and the first
# development example with such a symbol would stop you with a `KeyError`. `chars` is made from the whole file.
#
# ## b. The loss before the first step
#
# The network: look up 10 numbers for each of the 3 symbols, put the 30 numbers side by side, multiply, tanh, multiply.
# 46 numbers come out, one per symbol. All weights are drawn with `randn`, just so.

# %%
embed_dim = 10
hidden_dim = 200
batch_size = 32

torch.manual_seed(42)
C = torch.randn((46, embed_dim))
W1 = torch.randn((block_size * embed_dim, hidden_dim))
b1 = torch.randn(hidden_dim) * 0
W2 = torch.randn((hidden_dim, 46))
b2 = torch.randn(46) * 0
parameters = [C, W1, b1, W2, b2]
for p in parameters:
    p.requires_grad = True

ix = torch.randint(0, Xtr.shape[0], (batch_size,))
Xb, Yb = Xtr[ix], Ytr[ix]
emb = C[Xb]  # look up: (32, 3, 10)
embcat = emb.view(emb.shape[0], -1)  # side by side: (32, 30)
hpreact = embcat @ W1 + b1
h = torch.tanh(hpreact)
logits = h @ W2 + b2
loss = F.cross_entropy(logits, Yb)
print(f"loss {loss.item():.2f}   ln 46 = {math.log(46):.2f}   std of the logits {logits.std().item():.1f}")

# %% [markdown]
# Is this loss good or bad? You can know that before any training. A network that knows nothing should give each of
# the 46 symbols the probability 1/46. Its loss is ln 46. Three losses to compare with, computed by counting:

# %%
X, Y = (np.concatenate([part.numpy() for part in parts]) for parts in ((Xtr, Xdev, Xte), (Ytr, Ydev, Yte)))
counts = np.zeros((46, 46))
np.add.at(counts, (X[:, -1], Y), 1)  # how often symbol Y follows the symbol before it

unigram = counts.sum(0) / counts.sum()
bigram = counts / counts.sum(1, keepdims=True)
uniform_loss = math.log(46)
unigram_loss = -np.log(unigram[Y]).mean()
bigram_loss = -np.log(bigram[X[:, -1], Y]).mean()
print(f"knows nothing                      {uniform_loss:.3f}")
print(f"knows how frequent each symbol is  {unigram_loss:.3f}")
print(f"knows which symbol came before     {bigram_loss:.3f}")

# %% [markdown]
# The last number is a floor: no model that sees one symbol back has a lower loss on this file. Your network sees
# three. It must get below 2.494, or the embedding, the hidden layer and the tanh were for nothing.
#
# At the start it stands at 27, seven times the loss of knowing nothing. Where does that come from?

# %%
p = F.softmax(logits, 1).detach()
sure = p.max(1).values
print(
    "largest of the 46 probabilities, mean over the batch:", round(sure.mean().item(), 2), "  1/46 =", round(1 / 46, 3)
)
print("probability of the right symbol, median:            ", f"{np.median(p.numpy()[np.arange(32), Yb.numpy()]):.0e}")
size = math.sqrt(hidden_dim * (h * h).mean().item())
print(f"std of the logits: sqrt(200 * mean(h * h)) = {size:.1f} predicted, {logits.std().item():.1f} measured")

# %% [markdown]
# The last layer is too sure. A logit is a sum of 200 products, so its spread is about $\sqrt{200}$ times that of `h`.
# With logits of that size, softmax puts nearly everything on one symbol, a symbol that chance has chosen. The loss is
# the price of being sure and wrong. Make `W2` smaller, and look at what the first thousand steps do.


# %%
def initialise(scale_1, scale_2, batch_norm=False, seed=42):
    """The parameters, as above, with W1 and W2 scaled; with BatchNorm's two if asked for."""
    torch.manual_seed(seed)
    C = torch.randn((46, embed_dim))
    W1 = torch.randn((block_size * embed_dim, hidden_dim)) * scale_1
    b1 = torch.randn(hidden_dim) * 0
    W2 = torch.randn((hidden_dim, 46)) * scale_2
    b2 = torch.randn(46) * 0
    parameters = [C, W1, b1, W2, b2]
    if batch_norm:
        parameters += [torch.ones((1, hidden_dim)), torch.zeros((1, hidden_dim))]
    for p in parameters:
        p.requires_grad = True
    return parameters


def forward(parameters, X, Y):
    """The plain network: h and the loss."""
    C, W1, b1, W2, b2 = parameters
    emb = C[X]
    hpreact = emb.view(emb.shape[0], -1) @ W1 + b1
    h = torch.tanh(hpreact)
    return h, F.cross_entropy(h @ W2 + b2, Y)


def train(parameters, steps):
    """SGD, rate 0.1, a tenth of it in the second half. Returns the loss of every batch."""
    lossi = []
    for i in range(steps):
        ix = torch.randint(0, Xtr.shape[0], (batch_size,))
        _, loss = forward(parameters, Xtr[ix], Ytr[ix])
        for p in parameters:
            p.grad = None
        loss.backward()
        lr = 0.1 if i < steps // 2 else 0.01
        for p in parameters:
            p.data += -lr * p.grad
        lossi.append(loss.item())
    return lossi


STEPS = 8_000
raw = initialise(1, 1)
fixed = initialise(1, 0.01)
curves = {}
for name, parameters in (("raw randn", raw), ("W2 times 0.01", fixed)):
    with torch.no_grad():
        print(f"{name:<14} loss before the first step {forward(parameters, Xtr, Ytr)[1].item():6.3f}", end="   ")
    curves[name] = train(parameters, STEPS)
    print(f"mean of steps 900 to 1,000 {np.mean(curves[name][900:1000]):.3f}   of the last 1,000 of {STEPS:,} steps "
          f"{np.mean(curves[name][-1000:]):.3f}")  # fmt: skip


# %% tags=["figure"] jupyter={"source_hidden": true}
def smooth(losses, window):
    """The mean of every `window` values in a row."""
    sums = np.cumsum(np.concatenate([[0.0], losses]))
    return (sums[window:] - sums[:-window]) / window


def draw_start():
    """Left: the sorted probabilities, mean over the batch. Right: the losses of the first steps."""
    _, (left, right) = plt.subplots(1, 2, figsize=(13, 4.6), layout="constrained")
    left.bar(range(1, 47), np.sort(p.numpy())[:, ::-1].mean(0), color=NETS[False]["color"], edgecolor=BLACK, lw=0.6)
    left.axhline(1 / 46, color=BLACK, lw=2, linestyle=":")
    left.text(46, 1 / 46 + 0.02, "1/46 each: what a start should look like", ha="right")
    left.set(xlabel="symbols, the most probable first", ylabel="probability before the first step", ylim=(0, 1.02))
    left.set_xticks((1, 10, 20, 30, 40, 46))
    for (name, losses), style in zip(curves.items(), (NETS[False], NETS[True]), strict=True):
        right.plot(np.arange(20, 1001), smooth(losses[:1000], 20), color=style["color"], lw=2.4, label=name,
                   linestyle=style["linestyle"])  # fmt: skip
    right.axhline(uniform_loss, color=BLACK, lw=1.6, linestyle=":")
    right.text(990, uniform_loss / 1.04, "knows nothing: ln 46", ha="right", va="top")
    right.set(xlabel="step", ylabel="loss (nats), mean of 20 batches", yscale="log", xlim=(0, 1000), ylim=(2.2, 30))
    right.set_yticks([2.5, 4, 6, 10, 20], ["2.5", "4", "6", "10", "20"])
    right.minorticks_off()
    right.legend(loc="upper right")


draw_start()

# %% [markdown]
# **Figure 1. A last layer that is too sure.** Left: what the raw network believes before it has seen anything, for
# each example from its first choice to its last, the mean over the batch. It bets nearly all on one symbol. Right: the
# raw network (dashed) spends a thousand steps unlearning that. Then it stands where the other one (solid) began.
#
# The repair costs one factor. Its effect is not gone after 8,000 steps: compare the last two numbers of the table.
# BatchNorm will not do this for you: nothing normalises the logits. Look at the first loss of every network.
#
# ## c. The tanh
#
# The start is now 3.83, as it should be. Is all well? Look inside. `h` is what tanh returned. Its slope is
# `1 - h * h`: where `|h|` is above 0.97, less than 6 % of a gradient passes.

# %%
SATURATED = 0.97


def look(parameters, X, Y):
    """hpreact, h and their gradients on one batch, as arrays."""
    C, W1, b1, W2, b2 = parameters
    emb = C[X]
    hpreact = emb.view(emb.shape[0], -1) @ W1 + b1
    h = torch.tanh(hpreact)
    hpreact.retain_grad()
    h.retain_grad()
    F.cross_entropy(h @ W2 + b2, Y).backward()
    return types.SimpleNamespace(
        hpreact=hpreact.detach().numpy(), h=h.detach().numpy(), dh=h.grad.numpy(), dhpreact=hpreact.grad.numpy()
    )


def describe(name, inside):
    """One line: spread before tanh, saturation after it, what passes of the gradient."""
    saturated = np.abs(inside.h) > SATURATED
    passes = np.abs(inside.dhpreact).mean() / np.abs(inside.dh).mean()
    print(f"{name:<16} std of hpreact {inside.hpreact.std():5.2f}   |h| > {SATURATED}: {saturated.mean():6.1%}   "
          f"saturated for the whole batch: {saturated.all(0).sum():3d} of 200 neurons   gradient that passes "
          f"{passes:6.1%}")  # fmt: skip


random_start = look(initialise(1, 0.01), Xb, Yb)
print(f"slope of tanh where h = 0.97: {1 - SATURATED**2:.3f}")
describe("W1 = randn", random_start)
print(f"root of 30: {math.sqrt(30):.2f}")

# %% [markdown]
# Nearly three quarters of all activations are saturated. Most of the gradient that arrives at `h` never gets to `W1`.
# The reason is the one of part b, one layer earlier: `hpreact` is a sum of 30 products, its std is near $\sqrt{30}$.
#
# ### Exercise 1: scale with care
#
# Choose the std of the weights so that the spread stays where tanh is still steep. Variances of independent terms
# add. And tanh itself shrinks what it is given; people make up for it with a factor of 5/3, the *gain* of tanh.
# Write the std for a layer with `fan_in` inputs and `fan_out` outputs.


# %% tags=["exercise"]
def careful_std(fan_in, fan_out):
    """The std of the weights in front of a tanh."""
    return 5 / 3 / fan_in


# %% tags=["check"] jupyter={"source_hidden": true}
solved = {}  # exercise -> whether the last check of your attempt was content


def same(a, b, tolerance=1e-5, unit=None):
    """Whether two arrays have one shape and agree, relative to `unit`: the largest element of b, if left out."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    unit = np.abs(b).max() if unit is None else unit
    return a.shape == b.shape and bool(np.all(np.abs(a - b) <= tolerance * unit))


def array_of(numbers):
    """Numbers, array or tensor as an array of floats."""
    return np.asarray(numbers.detach().numpy() if hasattr(numbers, "detach") else numbers, float)


def attempt(function, *args):
    """What function(*args) returns, or the exception that it raises."""
    try:
        return function(*args)
    except Exception as error:
        return error


def verdict(got, right, mistakes, **closeness):
    """Compare an answer with the right one and with known wrong ones, a list of (value, hint)."""
    if isinstance(got, Exception):
        return False, f"it raised {type(got).__name__}: {got}"
    if got is None:
        return False, "it returned None: is there a return?"
    got = attempt(array_of, got)
    if isinstance(got, Exception):
        return False, "it did not return numbers"
    if same(got, right, **closeness):
        return True, "right."
    for value, hint in mistakes:
        if same(got, value, **closeness):
            return False, hint
    if got.shape != np.shape(right):
        return False, f"got the shape {got.shape}, wanted {np.shape(right)}"
    worst = np.unravel_index(np.argmax(np.abs(got - right)), got.shape)
    return False, f"no known mistake. Got {got[worst]:.5g}, wanted {np.asarray(right)[worst]:.5g}."


def tell(title, got, right, mistakes=(), **closeness):
    """Print the verdict; return whether the answer was right."""
    for value, _ in mistakes:  # the judge is checked too: no known mistake may pass
        assert not same(value, right, **closeness)
    good, words = verdict(got, right, mistakes, **closeness)
    print(f"{title}: {'' if good else 'not yet: '}{words}")
    return good


def check_careful(function, fan_in=30, fan_out=200, gain=5 / 3):
    """The std for this network's W1."""
    root = math.sqrt(fan_in)
    mistakes = [
        (gain / fan_in, "the variance of the sum is fan_in times as large, its std is root of fan_in times as large."),
        (1 / root, "this keeps the spread up to tanh. tanh shrinks it: where is the gain?"),
        (1 / fan_in, "variances add, stds do not; and the gain of tanh is missing."),
        (gain / math.sqrt(fan_out), "a preactivation is a sum over the inputs: there are fan_in of them."),
        (math.sqrt(gain / fan_in), "the gain is a factor of the std. You have it under the root."),
        (gain * root, "upside down: the more terms the sum has, the smaller each must be."),
        (gain**2 / fan_in, "that is the variance of the weights. Asked for is the std."),
        (gain * math.sqrt(2 / (fan_in + fan_out)), "Xavier's compromise between forward and backward; here: fan_in."),
    ]
    return tell("std for fan_in 30", attempt(function, fan_in, fan_out), gain / root, mistakes)


solved[1] = check_careful(careful_std)


# %% tags=["solution"] jupyter={"source_hidden": true}
def careful_std(fan_in, fan_out):
    """30 independent products of variance std**2 add up to 30 * std**2."""
    return 5 / 3 / math.sqrt(fan_in)


assert check_careful(careful_std)

# %%
scale = careful_std(block_size * embed_dim, hidden_dim)
careful_start = look(initialise(scale, 0.01), Xb, Yb)
print(f"std of W1: {scale:.3f}")
describe("W1 = randn", random_start)
describe("W1 with care", careful_start)


# %% tags=["figure"] jupyter={"source_hidden": true}
def draw_maps(starts):
    """A map per start: rows are examples, columns are neurons, dark is steep, white is saturated."""
    _, axes = plt.subplots(len(starts), 1, figsize=(13, 0.5 + 2.55 * len(starts)), layout="constrained", squeeze=False)
    for ax, (name, inside) in zip(axes[:, 0], starts.items(), strict=True):
        saturated = np.abs(inside.h) > SATURATED
        ax.imshow(saturated, cmap="gray", vmin=-0.7, vmax=1, interpolation="nearest", aspect="auto")
        ax.set_title(f"{name}: {saturated.mean():.0%} saturated", loc="left")
        ax.set(ylabel="example", yticks=(0, 15, 31))
        ax.set_yticklabels(("1", "16", "32"))
        for spine in ax.spines.values():
            spine.set_visible(True)
    axes[-1, 0].set_xlabel("neuron")


draw_maps({"W1 = randn": random_start, "W1 with care": careful_start})

# %% [markdown]
# **Figure 2. Where tanh is saturated.** A white cell is an activation with `|h| > 0.97`; a grey cell still passes its
# gradient. See how white the upper map is. A column that is white from top to bottom would be a neuron that learns
# nothing from this batch. The table counts them: there is none. Keep that in mind.


# %% tags=["figure"] jupyter={"source_hidden": true}
def draw_histograms(starts):
    """Rows: starts. Left: before tanh. Right: the gradient there, in units of the gradient after tanh."""
    _, axes = plt.subplots(len(starts), 2, figsize=(13, 6.6), layout="constrained", sharex="col", sharey="col")
    edge = math.atanh(SATURATED)
    for (left, right), (name, inside) in zip(axes, starts.items(), strict=True):
        bins = np.linspace(-16, 16, 81)
        left.stairs(np.histogram(inside.hpreact, bins)[0] / inside.h.size * 100, bins, fill=True, color="#333333")
        for side in (-1, 1):
            left.axvspan(side * edge, side * 16, color=GREY, alpha=0.28, lw=0, zorder=0)
        left.set_title(f"{name}: hpreact, std {inside.hpreact.std():.1f}", loc="left")
        left.set(ylabel="share (%)", xlim=(-16, 16))
        unit = inside.dh.std()
        bins = np.linspace(-3.05, 3.05, 62)
        shares = np.histogram(inside.dhpreact / unit, bins)[0] / inside.h.size * 100
        right.stairs(shares, bins, fill=True, color="#333333")
        right.set_title(f"its gradient: {np.mean(np.abs(inside.dhpreact) < 0.05 * unit):.0%} next to zero", loc="left")
        right.set(ylabel="share (%)", xlim=(-3, 3))
    axes[-1, 0].set_xlabel("value before tanh (shaded: tanh saturated)")
    axes[-1, 1].set_xlabel("gradient before tanh / std of the gradient after tanh")


draw_histograms({"W1 = randn": random_start, "W1 with care": careful_start})

# %% [markdown]
# **Figure 3. Before the tanh, and what comes back through it.** Left: with `randn` most values lie in the shaded
# region. Right: so most gradients come back as next to nothing, the spike at zero. "Next to zero" means less than a
# twentieth of the std of the gradient after tanh. With care (below) the values lie around the steep middle, and
# gradients of all sizes come back.
#
# ### Does it matter?
#
# That is a question for a measurement, not for a figure.

# %%
careful = initialise(scale, 0.01)
curves["and W1 with care"] = train(careful, STEPS)
print(f"{'start':<20} loss of the last 1,000 batches   development loss")
dev_loss = {}
for (name, losses), parameters in zip(curves.items(), (raw, fixed, careful), strict=True):
    with torch.no_grad():
        dev_loss[name] = forward(parameters, Xdev, Ydev)[1].item()
    print(f"{name:<20} {np.mean(losses[-1000:]):30.3f} {dev_loss[name]:18.3f}")
costs = dev_loss["raw randn"] - dev_loss["W2 times 0.01"], dev_loss["W2 times 0.01"] - dev_loss["and W1 with care"]
print(f"development loss: the last layer cost {costs[0]:.2f}, the saturated tanh cost {costs[1]:.2f}")
assert costs[0] > 0.1 > costs[1]

# %% [markdown]
# The last layer cost 0.19 nats, the saturated tanh 0.03. Be honest about this: in a network with **one** hidden
# layer, saturation is a small matter. A quarter of the activations is alive, the last layer learns from all of them,
# and the gradient has only one tanh to pass. Part g puts five behind each other.
#
# ## d. BatchNorm by hand
#
# A careful start needs a rule for each layer, and holds for the first step only. Ioffe and Szegedy (2015) turn it
# round. You want `hpreact` to have mean 0 and std 1? Then give it mean 0 and std 1, in every step, with the numbers
# of the batch at hand. Both operations have derivatives, so gradients go through them.
#
# `bngain` and `bnbias` are learnt. With them the network can have another spread, if it finds one that is better.
# These are the formulas of the lesson that this notebook grew from. Part e compares them with PyTorch's.

# %%
C, W1, b1, W2, b2, bngain, bnbias = parameters = initialise(1, 0.01, batch_norm=True)

emb = C[Xb]
hpreact = emb.view(emb.shape[0], -1) @ W1 + b1
bnmean = hpreact.mean(0, keepdim=True)
bnstd = hpreact.std(0, keepdim=True)
x_hat = (hpreact - bnmean) / bnstd
y = bngain * x_hat + bnbias
h = torch.tanh(y)
logits = h @ W2 + b2
loss = F.cross_entropy(logits, Yb)
for t in (hpreact, y, h):
    t.retain_grad()
loss.backward()
by_hand = [t.detach() for t in (y.grad, x_hat, bngain, bnstd)]  # kept for exercise 2

for name, t in (("hpreact", hpreact), ("y", y)):
    print(f"{name:<8} std of the first 5 neurons ", *(f"{v:.3f}" for v in t.std(0)[:5].tolist()))
print(f"largest |mean| of y over the batch   {y.mean(0).abs().max().item():.0e}")
print(f"loss {loss.item():.3f}   |h| > 0.97: {(h.abs() > 0.97).float().mean().item():.1%}")
print(f"largest |gradient|: W1 {W1.grad.abs().max().item():.0e}   b1 {b1.grad.abs().max().item():.0e}")

# %% [markdown]
# `W1` is plain `randn` here, the bad start of part c. After BatchNorm hardly any tanh is saturated.
#
# Look at the last line. The gradient of `b1` is nothing but rounding. Why?
#
# ### Exercise 2: a bias before BatchNorm
#
# Write the gradient of `b1`, from `dy`, the gradient that arrives at `y`. `m` is the number of examples. On how
# many paths does `b1` reach `y`?


# %% tags=["exercise"]
def gradient_of_b1(dy, x_hat, bngain, bnstd):
    """db1, shape (hidden_dim,); dy and x_hat are (m, hidden_dim), bngain and bnstd are (1, hidden_dim)."""
    return (bngain / bnstd * dy).sum(0)


# %% tags=["check"] jupyter={"source_hidden": true}
def check_bias(function):
    """db1 on the batch above; rounding error is allowed for."""
    arrays = [array_of(t) for t in by_hand]
    dy, hat, gain, std = arrays
    unit = np.abs(gain / std * dy).sum(0).max()  # what the answer is small against
    mistakes = [
        ((gain / std * dy).sum(0), "mean and std were taken as constants. b1 moves hpreact, and the mean with it. "
         "(In eval mode they are constants, and this is right.)"),
        (dy.sum(0), "that is the gradient of bnbias, which is added after the normalisation."),
        ((gain / std * dy).mean(0), "a sum over the batch, not a mean; and the path by the mean is missing."),
        ((dy * hat).sum(0), "that is the gradient of bngain."),
        (2 * (gain / std * dy).sum(0), "the path by the mean has a minus: the mean is subtracted."),
    ]  # fmt: skip
    got = attempt(function, *(torch.tensor(a) for a in arrays))
    numbers = attempt(array_of, got)
    if got is not None and not isinstance(numbers, Exception):
        got = numbers
        got = np.broadcast_to(got, hidden_dim) if got.size == 1 else got.squeeze()  # 0 is right, and (1, 200)
    return tell("gradient of b1", got, np.zeros(hidden_dim), mistakes, unit=unit)


solved[2] = check_bias(gradient_of_b1)


# %% tags=["solution"] jupyter={"source_hidden": true}
def gradient_of_b1(dy, x_hat, bngain, bnstd):
    """The sum over the batch of what arrives at hpreact: the direct path, by the mean, by the std."""
    m = len(dy)
    dhpreact = bngain / bnstd * (dy - dy.mean(0) - x_hat * (dy * x_hat).sum(0) / (m - 1))
    return dhpreact.sum(0)  # sum(dy) - m * mean(dy) is 0, and the sum of x_hat is 0


assert check_bias(gradient_of_b1)

# %%
with torch.no_grad():
    shifted = hpreact + 5.0  # what b1 = 5 would do
    y_shifted = bngain * (shifted - shifted.mean(0, keepdim=True)) / shifted.std(0, keepdim=True) + bnbias
    print(f"b1 = 5 moves hpreact by 5 and y by at most {(y_shifted - y).abs().max().item():.0e}")
constants = (bngain / bnstd * y.grad).sum(0).abs().max().item()
print(f"largest |db1|: {b1.grad.abs().max().item():.0e}   if mean and std were constants: {constants:.0e}")
assert b1.grad.abs().max().item() < 1e-5 * constants

# %% [markdown]
# A constant that is added before the mean is subtracted does nothing. So its gradient is zero: `b1` stays where it
# started. `bnbias` does its work. That is why you write `bias=False` before a BatchNorm. In eval mode the mean is a
# fixed number: there `b1` would move `y`.
#
# Now the tour of bad starts: `W1` from a hundredth of `randn` to thirty times `randn`.

# %%
print("std of W1   plain: |h| > 0.97   std of h    with BatchNorm: |h| > 0.97   std of h")
for s in (0.01, 0.1, scale, 1, 5, 30):
    with torch.no_grad():
        C0, V, b, *_ = initialise(s, 0.01)
        z = C0[Xtr[:1000]].view(1000, -1) @ V + b
        plain = torch.tanh(z)
        normal = torch.tanh((z - z.mean(0, keepdim=True)) / z.std(0, keepdim=True))
    cells = [(t.abs() > 0.97).float().mean().item() for t in (plain, normal)], [t.std().item() for t in (plain, normal)]
    print(f"{s:9.2f} {cells[0][0]:19.1%} {cells[1][0]:10.3f} {cells[0][1]:29.1%} {cells[1][1]:10.3f}")

# %% [markdown]
# On the left everything depends on the start. On the right nothing does: the columns are constant.
#
# ## e. Running statistics
#
# In train mode an example's output depends on its 31 neighbours in the batch. When the network writes a name, there
# is one example and no neighbours. It needs fixed numbers. There are two ways to get them:
#
# - **running statistics**: during training, mix a little of each batch's mean and std into an average;
# - **a calibration pass**: after training, compute mean and std once over the whole training set.
#
# Train, and keep two running averages with different momentum. `torch.no_grad()` keeps them out of the graph.

# %%
C, W1, b1, W2, b2, bngain, bnbias = parameters = initialise(scale, 0.01, batch_norm=True)
running = {m: [torch.zeros((1, hidden_dim)), torch.ones((1, hidden_dim))] for m in (0.1, 0.001)}
running_var = torch.ones((1, hidden_dim))  # for the comparison with PyTorch's formula
first_std = None
lossi = []
for i in range(STEPS):
    ix = torch.randint(0, Xtr.shape[0], (batch_size,))
    Xb, Yb = Xtr[ix], Ytr[ix]
    emb = C[Xb]
    hpreact = emb.view(emb.shape[0], -1) @ W1 + b1
    bnmeani = hpreact.mean(0, keepdim=True)
    bnstdi = hpreact.std(0, keepdim=True)
    y = bngain * (hpreact - bnmeani) / bnstdi + bnbias
    with torch.no_grad():
        for momentum, statistics in running.items():
            statistics[0] = (1 - momentum) * statistics[0] + momentum * bnmeani
            statistics[1] = (1 - momentum) * statistics[1] + momentum * bnstdi
        running_var = 0.999 * running_var + 0.001 * bnstdi * bnstdi
    h = torch.tanh(y)
    logits = h @ W2 + b2
    loss = F.cross_entropy(logits, Yb)
    for p in parameters:
        p.grad = None
    loss.backward()
    lr = 0.1 if i < STEPS // 2 else 0.01
    for p in parameters:
        p.data += -lr * p.grad
    lossi.append(loss.item())
curves["with BatchNorm"] = lossi
print(f"loss of the first batch {lossi[0]:.3f}   of the last 1,000 batches {np.mean(lossi[-1000:]):.3f}")

# %% [markdown]
# The calibration pass is four lines. Then compare what each choice of statistics gives on the development set.

# %%
with torch.no_grad():
    emb = C[Xtr]
    hpreact = emb.view(emb.shape[0], -1) @ W1 + b1
    bnmean = hpreact.mean(0, keepdim=True)
    bnstd = hpreact.std(0, keepdim=True)


def evaluate(X, Y, mean, std):
    """The loss with these statistics."""
    with torch.no_grad():
        emb = C[X]
        hpreact = emb.view(emb.shape[0], -1) @ W1 + b1
        h = torch.tanh(bngain * (hpreact - mean) / std + bnbias)
        return F.cross_entropy(h @ W2 + b2, Y).item()


def distance(mean, std):
    """How far statistics are from the calibration: root mean square over the neurons, in stds and in percent."""
    off = ((mean - bnmean) / bnstd).square().mean().sqrt().item(), (std / bnstd - 1).square().mean().sqrt().item()
    return f"{off[0]:8.3f} std {off[1]:10.1%}"


choices = {
    "calibration pass": (bnmean, bnstd),
    "running, momentum 0.001": tuple(running[0.001]),
    "running, momentum 0.1": tuple(running[0.1]),
    "never updated: 0 and 1": (torch.zeros((1, hidden_dim)), torch.ones((1, hidden_dim))),
}
print(f"{'statistics':<26} development loss    mean off by    std off by")
eval_loss = {}
for name, (mean, std) in choices.items():
    eval_loss[name] = evaluate(Xdev, Ydev, mean, std)
    print(f"{name:<26} {eval_loss[name]:16.4f}   {distance(mean, std)}")
alone = evaluate(Xdev[:1], Ydev[:1], bnmean, bnstd)
print(f"one example alone, loss {alone:.3f}: no batch is needed any more")


# %% tags=["figure"] jupyter={"source_hidden": true}
def draw_running():
    """Running against calibrated mean and std, one dot per neuron, for both momenta."""
    _, axes = plt.subplots(1, 2, figsize=(13, 5.2), layout="constrained")
    for ax, k, name, right in zip(axes, (0, 1), ("mean", "std"), (bnmean, bnstd), strict=True):
        unit = bnstd.numpy()[0]
        for momentum, marker, colour, size in (
            (0.1, "s", NETS[False]["color"], 34),
            (0.001, "o", NETS[True]["color"], 13),
        ):
            off = (running[momentum][k].numpy()[0] - right.numpy()[0]) / unit
            ax.scatter(np.arange(hidden_dim), off, s=size, marker=marker, color=colour, edgecolor=BLACK, lw=0.4,
                       label=f"momentum {momentum:g}", zorder=2 + (momentum < 0.01))  # fmt: skip
        ax.axhline(0, color=BLACK, lw=1.4)
        ax.set(xlabel="neuron", ylabel=f"running {name} $-$ calibrated {name} (stds)", ylim=(-0.17, 0.17))
    axes[1].legend(loc="upper right", ncols=2, markerscale=1.4)


draw_running()

# %% [markdown]
# **Figure 4. Two running averages against the calibration pass** (the line at zero). Squares: momentum 0.1, an average
# over the last 10 batches or so; it is noisy. Dots: momentum 0.001, an average over about a thousand batches; it is
# close. See that for the loss both are good enough here. The statistics that were never updated are not: they cost 0.3
# nats, and the network is worse than the one that knows a single symbol.
#
# ### Exercise 3: how long is the start remembered?
#
# A running average starts at 0 and 1, numbers that have nothing to do with the data. After `n` steps, how much of the
# start is left? Return the exact `n` (a real number) at which 1 % is left, and the first whole step with 1 % or less.


# %% tags=["exercise"]
def steps_to_forget(momentum, share=0.01):
    """n, not rounded, and the first whole step; running = (1 - momentum) * running + momentum * batch."""
    n = math.log(share) / math.log(momentum)
    return n, round(n)


# %% tags=["check"] jupyter={"source_hidden": true}
def check_forget(function):
    """The exact number and the whole step for three momenta; the exact one first."""
    good = []
    for momentum in (0.1, 0.01, 0.001):
        got = attempt(function, momentum)
        if isinstance(got, (int, float)):
            print("not yet: one number returned; wanted two: the exact n and the first whole step.")
            return False
        exact = math.log(0.01) / math.log(1 - momentum)
        mistakes = [
            (math.log(0.01) / math.log(momentum), "this takes momentum as the share that is kept, as some "
             "texts do. In PyTorch's BatchNorm it is the share of the new value."),
            (0.99 / momentum, "as if each step took the same amount away. Each step takes a share of what is left."),
            (1 / momentum, "the length of the average. There the start is at 37 %, not at 1 %."),
            (-math.log(0.01) / momentum, "nearly: log(1 - momentum) is -momentum only for a small momentum."),
            (math.log(0.99) / math.log(1 - momentum), "that is when 1 % is forgotten. 1 % shall be left."),
            (-exact, "the sign: both logarithms are negative."),
        ]  # fmt: skip
        title = f"momentum {momentum:g}"
        if isinstance(got, Exception) or not isinstance(got, (tuple, list)) or len(got) != 2:
            return tell(title, got, exact, mistakes)
        good.append(tell(f"{title}, exact n", got[0], exact, mistakes))
        if not good[-1]:
            return False
        first = math.ceil(exact)
        hint = f"after {first - 1} steps {(1 - momentum) ** (first - 1):.4%} is left: not yet 1 % or less."
        steps = [(first - 1, hint), (first + 1, "one too late.")]
        good.append(tell(f"{title}, whole step", got[1], first, steps, tolerance=1e-9))
    return all(good)


solved[3] = check_forget(steps_to_forget)


# %% tags=["solution"] jupyter={"source_hidden": true}
def steps_to_forget(momentum, share=0.01):
    """Each step keeps the factor 1 - momentum: (1 - momentum) ** n = share."""
    n = math.log(share) / math.log(1 - momentum)
    return n, math.ceil(n)


assert check_forget(steps_to_forget)

# %%
print("momentum   exact n   first whole step   left of the start, one step before and then   simulated")
for momentum in (0.1, 0.01, 0.001):
    n, whole = steps_to_forget(momentum)
    left, step = 1.0, 0  # the start is 1, and every batch says 0
    while left > 0.01:
        left, step = (1 - momentum) * left + momentum * 0.0, step + 1
    shares = [f"{(1 - momentum) ** k:.4%}" for k in (whole - 1, whole)]
    print(f"{momentum:8g} {n:9.1f} {whole:18,d} {' and '.join(shares):>44} {step:11,d}")
    assert step == whole

# %% [markdown]
# With PyTorch's default of 0.1 the start is forgotten after 44 steps, with 0.001 after 4,603. If your training is
# shorter than that, your evaluation is a mix of your data and of the numbers 0 and 1. If it is longer, a small
# momentum averages over more batches. That is the trade in figure 4.
#
# ### Two sets of formulas
#
# The lesson that this notebook grew from divides by the *unbiased* std, has `eps` outside the root or leaves it out,
# and averages the std. PyTorch divides by the root of the *biased* variance plus `eps`, and averages the unbiased
# variance. How much is that?

# %%
with torch.no_grad():
    ix = torch.randint(0, Xtr.shape[0], (batch_size,))
    emb = C[Xtr[ix]]
    z = emb.view(batch_size, -1) @ W1 + b1
    centred = z - z.mean(0, keepdim=True)
    biased = z.var(0, unbiased=False, keepdim=True)
    torchs = F.batch_norm(z, None, None, training=True, eps=1e-5)
    candidates = {
        "unbiased std, no eps": centred / z.std(0, keepdim=True),
        "unbiased std, eps 1e-6 outside": centred / (z.std(0, keepdim=True) + 1e-6),
        "biased, eps 1e-6 outside the root": centred / (biased.sqrt() + 1e-6),
        "biased, eps 1e-5 inside the root": centred / (biased + 1e-5).sqrt(),
    }
print(f"F.batch_norm on a batch of {batch_size}, root of 32/31 = {math.sqrt(32 / 31):.4f}; relative difference of")
for name, normal in candidates.items():
    print(f"   {name:<36} {(normal / torchs - 1).abs().mean().item():.1e}")
print(f"the same root for a batch of 4: {math.sqrt(4 / 3):.3f}")

mean_of_std, root_of_var = running[0.001][1], running_var.sqrt()
print(f"running std / root of running var, mean over the neurons: {(mean_of_std / root_of_var).mean().item():.4f}")
for name, std in (("running std", mean_of_std), ("root of running var", root_of_var)):
    print(f"   development loss with {name:<20} {evaluate(Xdev, Ydev, running[0.001][0], std):.5f}")
assert (candidates["biased, eps 1e-5 inside the root"] - torchs).abs().max().item() < 1e-5

# %% [markdown]
# The divisor is the largest difference: 1.6 % with 32 examples, and `bngain` can learn it away. `eps` is invisible
# until a neuron's variance comes near it. The std's average is a little smaller than the variance's root, always: the
# root is concave. The loss moves by less than 0.001.
#
# So both sets of formulas train well. But they do not give the same numbers, and numbers are how you find bugs. Use
# PyTorch's. Notebook 11 has the whole list. One item of it now: some texts write
# `running = momentum * running + (1 - momentum) * batch` and call 0.1 the usual value. With PyTorch's 0.1 the factors
# stand the other way round. The attempt of exercise 3 read it that way.
#
# ## f. The same with modules
#
# All of parts b to e in one function: embedding, flatten, linear without a bias, BatchNorm, tanh, linear. The layers
# have PyTorch's default initialisation, which is on the small side of exercise 1: compare the stds.


# %%
def make_net(batch_norm):
    """The names network as modules, with PyTorch's default initialisation."""
    return torch.nn.Sequential(
        torch.nn.Embedding(46, 10),
        torch.nn.Flatten(),
        torch.nn.Linear(30, 200, bias=not batch_norm),
        *([torch.nn.BatchNorm1d(200)] if batch_norm else []),
        torch.nn.Tanh(),
        torch.nn.Linear(200, 46),
    )


def fit(net, steps, lr=0.1, decay=True):
    """SGD on `net`; with `decay` the rate falls to a tenth halfway. Returns the loss of every batch."""
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    net.train()
    lossi = []
    for i in range(steps):
        if decay and i == steps // 2:
            optimizer.param_groups[0]["lr"] = lr / 10
        ix = torch.randint(0, Xtr.shape[0], (32,))
        loss = F.cross_entropy(net(Xtr[ix]), Ytr[ix])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        lossi.append(loss.item())
    return lossi


def loss_of(net, X, Y):
    """The loss in eval mode, with running statistics."""
    net.eval()
    with torch.no_grad():
        return F.cross_entropy(net(X), Y).item()


torch.manual_seed(42)
net = make_net(True)
print(net)
print(sum(p.numel() for p in net.parameters()), "parameters")
print(f"std of the first linear layer's weight {net[2].weight.std().item():.3f}, of exercise 1 {scale:.3f}")

# %% [markdown]
# ### The same seed gives PyTorch's numbers
#
# `manual_seed`, `randn`, `randint` and the layers' initialisation replay PyTorch's random stream. So the losses are
# PyTorch's, up to rounding. The constants below were recorded with torch 2.13.0 on a CPU, by a separate script
# without any line of this package: the loops of parts b, d and f with `import torch`, on the same names.

# %%
RECORDED_WITH_TORCH_2_13 = {
    "raw tensors, randn": [26.956766, 23.352171, 20.426310, 20.506197, 22.017673],
    "raw tensors, BatchNorm by hand": [3.837708, 3.736388, 3.795571, 3.551324, 3.709467],
    "modules, BatchNorm1d": [3.854467, 3.842730, 3.701058, 3.840117, 3.794027],
}


def train_with_batch_norm(parameters, steps):
    """Part e's loop, without the running statistics."""
    C, W1, b1, W2, b2, bngain, bnbias = parameters
    lossi = []
    for _ in range(steps):
        ix = torch.randint(0, Xtr.shape[0], (32,))
        emb = C[Xtr[ix]]
        hpreact = emb.view(emb.shape[0], -1) @ W1 + b1
        y = bngain * (hpreact - hpreact.mean(0, keepdim=True)) / hpreact.std(0, keepdim=True) + bnbias
        loss = F.cross_entropy(torch.tanh(y) @ W2 + b2, Ytr[ix])
        for p in parameters:
            p.grad = None
        loss.backward()
        for p in parameters:
            p.data += -0.1 * p.grad
        lossi.append(loss.item())
    return lossi


def first_losses(steps):
    """The first losses of the three networks, from seed 42. 2 * steps: the rate stays at 0.1."""
    torch.manual_seed(42)
    by_modules = fit(make_net(True), steps, decay=False)
    return {
        "raw tensors, randn": train(initialise(1, 1), 2 * steps)[:steps],
        "raw tensors, BatchNorm by hand": train_with_batch_norm(initialise(1, 0.01, batch_norm=True), steps),
        "modules, BatchNorm1d": by_modules,
    }


for name, losses in first_losses(5).items():
    recorded = RECORDED_WITH_TORCH_2_13[name]
    print(name)
    print("   here    ", *(f"{v:.6f}" for v in losses))
    print("   PyTorch ", *(f"{v:.6f}" for v in recorded))
    assert np.allclose(losses, recorded, rtol=1e-4, atol=0)

# %% [markdown]
# An optional cell: the same functions, live, with PyTorch behind the two names `torch` and `F`. Nothing else is
# exchanged. Without PyTorch it says so and goes on.

# %% tags=["optional"]
try:
    import torch as pytorch
except ImportError:
    pytorch = None


def in_the_world_of_pytorch(function):
    """`function`, and the functions of this notebook that it calls, with PyTorch behind `torch` and `F`."""
    world = {**globals(), "torch": pytorch, "F": pytorch.nn.functional}
    world.update(Xtr=pytorch.tensor(Xtr.numpy()), Ytr=pytorch.tensor(Ytr.numpy()))
    for name in ("initialise", "forward", "train", "train_with_batch_norm", "make_net", "fit", "first_losses"):
        f = globals()[name]
        world[name] = types.FunctionType(f.__code__, world, name, f.__defaults__)
    return world[function.__name__]


if pytorch is None:
    print("PyTorch is not installed: skipped. Nothing below needs it.")
else:
    ours, theirs = first_losses(300), in_the_world_of_pytorch(first_losses)(300)
    for name in ours:
        off = np.abs(np.array(ours[name]) / np.array(theirs[name]) - 1)
        print(f"{name:<32} largest relative difference of 300 losses: {off.max():.0e}")
        assert off[:50].max() < 1e-3

# %% [markdown]
# ## g. Five hidden layers
#
# One hidden layer forgave nearly everything. Now put five behind each other, 100 neurons each. The std of the weights
# is `scale / sqrt(fan_in)`. With `scale = 5/3` that is the careful start of exercise 1. The last layer is small, as
# in part b.


# %%
def deep_net(scale, batch_norm, seed=1, depth=5, width=100):
    """Embedding, then `depth` times linear - [BatchNorm] - tanh, then linear."""
    layers = [torch.nn.Embedding(46, 10), torch.nn.Flatten()]
    for fan_in in [30] + [width] * (depth - 1):
        layers.append(torch.nn.Linear(fan_in, width, bias=not batch_norm))
        if batch_norm:
            layers.append(torch.nn.BatchNorm1d(width))
        layers.append(torch.nn.Tanh())
    layers.append(torch.nn.Linear(width, 46))
    net = torch.nn.Sequential(*layers)
    torch.manual_seed(seed)  # the same weights, with and without
    with torch.no_grad():
        net[0].weight.data = torch.randn((46, 10))
        for layer in net:
            if isinstance(layer, torch.nn.Linear):
                size = scale if layer is not net[-1] else 0.1
                shape = (layer.weight.shape[0], layer.weight.shape[1])
                layer.weight.data = torch.randn(shape) * (size / math.sqrt(shape[1]))
                if layer.bias is not None:
                    layer.bias.data = torch.zeros(shape[0])
    return net


def tanh_layers(net, X, Y):
    """The output of every tanh and its gradient, in train mode, before any step."""
    net.train()
    x, hs = X, []
    for layer in net:
        x = layer(x)
        if isinstance(layer, torch.nn.Tanh):
            x.retain_grad()
            hs.append(x)
    F.cross_entropy(x, Y).backward()
    return [(h.detach().numpy(), h.grad.numpy()) for h in hs]


THREE = {"too small": 0.3, "careful": 5 / 3, "too large": 5.0}
layers = {}
print("                                     layer 1   layer 2   layer 3   layer 4   layer 5")
for name, s in THREE.items():
    for bn in (False, True):
        layers[name, bn] = tanh_layers(deep_net(s, bn), Xdev[:1000], Ydev[:1000])
        print(f"{name}, scale {s:.2g}, {NETS[bn]['label']}")
        hs, dhs = zip(*layers[name, bn], strict=True)
        print(f"{'   std of h':<36}", *(f"{h.std():<9.4f}" for h in hs))
        print(f"{'   |h| > 0.97':<36}", *(f"{(np.abs(h) > SATURATED).mean():<9.1%}" for h in hs))
        print(f"{'   std of its gradient / layer 5':<36}", *(f"{dh.std() / dhs[-1].std():<9.3g}" for dh in dhs))


# %% tags=["figure"] jupyter={"source_hidden": true}
def draw_layers():
    """Histograms of tanh, one ridge per layer; columns: starts; rows: without and with BatchNorm."""
    fig, axes = plt.subplots(2, 3, figsize=(14, 8.6), layout="constrained", sharex=True, sharey=True)
    fig.suptitle("Five layers of tanh before the first step: histogram of h, layer by layer", fontsize=17)
    bins = np.linspace(-1, 1, 61)
    for row, bn in zip(axes, (False, True), strict=True):
        for ax, name in zip(row, THREE, strict=True):
            for side in (-1, 1):
                ax.axvspan(side * SATURATED, side * 1.0, color=GREY, alpha=0.35, lw=0, zorder=0)
            for k, (h, _) in enumerate(layers[name, bn]):
                shares = np.histogram(h, bins)[0]
                heights = np.append(shares, shares[-1]) / shares.max() * 0.8
                ax.fill_between(bins, k + 1, k + 1 + heights, step="post", color=NETS[bn]["color"], lw=0, zorder=2)
                ax.step(bins, k + 1 + heights, where="post", color=BLACK, lw=0.9, zorder=3)
                ax.axhline(k + 1, color=BLACK, lw=0.6, zorder=1)
                numbers = f"std {h.std():.3f}\n|h| > 0.97: {(np.abs(h) > SATURATED).mean():.0%}"
                ax.text(1.06, k + 1.04, numbers, fontsize=11, va="bottom", linespacing=1.25)
            ax.set_title(f"{'with' if bn else 'without'} BatchNorm, {name}", loc="left", fontsize=14)
            ax.set(xlim=(-1, 1), ylim=(0.9, 6), yticks=np.arange(1, 6) + 0.4, xticks=(-1, 0, 1))
            ax.set_yticklabels([f"layer {k}" for k in range(1, 6)])
            ax.tick_params(axis="y", length=0)
            ax.spines["left"].set_visible(False)
    for ax in axes[1]:
        ax.set_xlabel("activation h (shaded: saturated)")


draw_layers()

# %% [markdown]
# **Figure 5. Activations, layer by layer, before the first step.** The scales are 0.3, 5/3 and 5. Read each panel from
# layer 1 (bottom) to layer 5 (top). Top row, without BatchNorm: from too small a start the spread shrinks from layer to
# layer until nothing is left, a needle at zero. From too large a start every layer sits at the two ends, where tanh is
# flat. Only the careful start keeps its shape. Bottom row, with BatchNorm: three starts, one picture.
#
# A layer multiplies the spread by a factor, and five layers multiply five factors. That is why depth makes a start
# delicate. Gradients meet the same factors on their way back. Read the table from right to left. From the small start
# less than a hundredth of what layer 5 got comes back to layer 1. From the large start it is eight times as much: the
# weights are large, and the few neurons that are not saturated pass on more than they got.
#
# ### The measurement
#
# Now train them. 800 steps each, for seven scales and two seeds. Then, from the careful start, for four learning
# rates. The loss is the development loss in eval mode.

# %%
SCALES = (0.1, 0.3, 1.0, 5 / 3, 3.0, 5.0, 10.0)
RATES = (0.1, 0.3, 1.0, 3.0)


def result(scale, batch_norm, seed, lr=0.1):
    """The development loss after 800 steps."""
    net = deep_net(scale, batch_norm, seed)
    fit(net, 800, lr, decay=False)
    return loss_of(net, Xdev, Ydev)


by_scale = {bn: np.array([[result(s, bn, seed) for s in SCALES] for seed in (1, 2)]) for bn in (False, True)}
by_rate = {bn: np.array([by_scale[bn][0][SCALES.index(5 / 3)], *(result(5 / 3, bn, 1, lr) for lr in RATES[1:])])
           for bn in (False, True)}  # fmt: skip
print(f"{'scale':<22}", *(f"{s:7.2f}" for s in SCALES))
for bn in (False, True):
    for seed, row in zip((1, 2), by_scale[bn], strict=True):
        print(f"{NETS[bn]['label']:<15} seed {seed}", *(f"{v:7.3f}" for v in row))
print(f"\n{'learning rate':<22}", *(f"{lr:7g}" for lr in RATES))
for bn in (False, True):
    print(f"{NETS[bn]['label']:<22}", *(f"{v:7.3f}" for v in by_rate[bn]))


# %% tags=["figure"] jupyter={"source_hidden": true}
def draw_sweep():
    """Loss after 800 steps against the scale of the start, and against the learning rate."""
    _, (left, right) = plt.subplots(1, 2, figsize=(13, 5.4), layout="constrained", width_ratios=(1.5, 1))
    top = 4.1
    for bn, style in NETS.items():
        dots = {"marker": "o" if bn else "s", "markeredgecolor": BLACK, "ms": 8}
        left.plot(SCALES, by_scale[bn].mean(0), lw=2.8, **style)
        left.plot(SCALES, by_scale[bn].T, color=style["color"], lw=0, **dots)
        shown = by_rate[bn] < top
        right.plot(RATES, np.minimum(by_rate[bn], 2 * top), lw=2.8, **style)
        right.plot(np.array(RATES)[shown], by_rate[bn][shown], color=style["color"], lw=0, **dots)
        for lr, value in zip(RATES, by_rate[bn], strict=True):
            if value > top:
                right.text(lr, top - 0.05, f"{value:.0f} at rate {lr:g}", ha="right", va="top")
    for ax in (left, right):
        ax.axhline(bigram_loss, color=BLACK, lw=1.5, linestyle=":", zorder=1)
        ax.set_xscale("log")
        ax.minorticks_off()
    right.axhline(uniform_loss, color=BLACK, lw=1.5, linestyle=":", zorder=1)
    right.text(0.1, uniform_loss + 0.02, "knows nothing: ln 46", va="bottom")
    left.text(0.1, bigram_loss - 0.008, "best with one symbol back", va="top")
    left.set_xticks(SCALES, [f"{s:.2g}" for s in SCALES])
    right.set_xticks(RATES, [f"{lr:g}" for lr in RATES])
    left.set(xlabel="scale of the start (careful: 1.7)", ylabel="development loss, 800 steps (nats)", ylim=(2.37, 2.97))
    right.set(xlabel="learning rate (careful start)", ylabel="development loss, 800 steps (nats)", ylim=(2.3, top))
    left.legend(loc="upper center")


draw_sweep()

# %% [markdown]
# **Figure 6. Where BatchNorm matters.** Left: without BatchNorm (dashed) the loss is a valley with steep walls; you
# must know where to start. With it (solid) the valley is wide and shallow. See also where the lines cross: around the
# careful start BatchNorm gains nothing, it even costs a little. Right: at rates of 1 and more the plain network is
# lost, the other still learns. Two seeds, one dot each; a single seed on the right.
#
# Why is the solid line not flat? All starts give the same activations with BatchNorm. But not the same steps.

# %%
print("scale   loss at the start   std of the gradient of layer 2's weight   times the scale   std of the weight")
for s in (0.3, 5 / 3, 5.0):
    net = deep_net(s, True)
    loss = F.cross_entropy(net(Xtr[:1000]), Ytr[:1000])
    loss.backward()
    weight = net[5].weight
    g = weight.grad.std().item()
    print(f"{s:5.2f} {loss.item():19.4f} {g:41.2e} {g * s:17.2e} {weight.std().item():19.3f}")

# %% [markdown]
# BatchNorm does not see the size of a weight, only its direction. So the gradient of a weight that is three times as
# large is a third as large. A large weight turns slowly and a small weight turns quickly: the *scale* of the start
# has become a *learning rate*. That is a milder illness. It is what bends the solid line.
#
# ## h. Train, and write
#
# Back to one hidden layer and PyTorch's default start. 12,000 steps, with and without. Beside it stand the results of
# the full run, recorded, and the two raw networks of parts c and e.

# %%
SHORT = 12_000
nets, short_run = {}, {}
for bn in (True, False):
    torch.manual_seed(42)
    nets[bn] = make_net(bn)
    short_run[bn] = fit(nets[bn], SHORT)
final = {bn: [loss_of(nets[bn], X, Y) for X, Y in ((Xtr, Ytr), (Xdev, Ydev))] for bn in nets}

RECORDED_FULL_RUN = {
    True: (2.047, 2.108),
    False: (2.031, 2.107),
}  # python -m minitorch_bn names: 200,000 steps, seed 42
print(f"loss in eval mode     {SHORT:,} steps, here      200,000 steps, recorded")
print(f"{'':<21} training  development    training  development")
for bn in nets:
    print(
        f"{NETS[bn]['label']:<21}",
        "{:8.3f} {:12.3f}".format(*final[bn]),
        "{:11.3f} {:12.3f}".format(*RECORDED_FULL_RUN[bn]),
    )
print(f"best with one symbol back on all names: {bigram_loss:.3f}")
print(f"parts c and e, development loss: {eval_loss['calibration pass']:.3f} with BatchNorm, "
      f"{dev_loss['and W1 with care']:.3f} without")  # fmt: skip
tests = [loss_of(nets[bn], Xte, Yte) for bn in nets]
print(f"test loss, asked once, now: {tests[0]:.3f} with BatchNorm, {tests[1]:.3f} without")
assert max(v for values in final.values() for v in values) < bigram_loss - 0.1


# %% tags=["figure"] jupyter={"source_hidden": true}
def draw_training():
    """The loss of both networks, the mean of 300 batches."""
    _, ax = plt.subplots(figsize=(13, 5), layout="constrained")
    for bn in (False, True):
        line = smooth(short_run[bn], 300)
        ax.plot(np.arange(300, SHORT + 1), line, lw=2.4, **NETS[bn])
    ax.axhline(bigram_loss, color=BLACK, lw=1.6, linestyle=":")
    ax.text(SHORT, bigram_loss + 0.01, "best with one symbol back", ha="right")
    ax.axvline(SHORT // 2, color=GREY, lw=1.2)
    ax.text(SHORT // 2 + 80, 2.8, "rate 0.1 $\\rightarrow$ 0.01", color="#444444")
    ax.set(xlabel="step", ylabel="loss (nats), mean of 300 batches", xlim=(0, SHORT))
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.legend(loc="upper right")


draw_training()

# %% [markdown]
# **Figure 7. The short run.** Both networks cross the floor of one symbol back (dotted) early, and fall again when
# the rate does. See that with and without (dashed) are nearly one line.
#
# So who is ahead? After 12,000 steps BatchNorm, by 0.03 in the development loss. In parts c and e, from another start,
# the plain network, by 0.05. In the full run neither: the development losses are 0.001 apart, and on the training data
# the plain network is lower. One hidden layer with a sane start has nothing that needs repair, and the sign of a small
# difference depends on the details. A single seed settles nothing. What BatchNorm is good for stands in figure 6.
#
# The full run is one command, and draws its own figures:
#
#     python -m minitorch_bn names
#
# ### Exercise 4: temperature
#
# To write a name, feed the last three symbols, draw the next one from the probabilities, and go on until the `.`
# comes. A *temperature* `T` makes the network bolder or more careful: it divides the **logits**. Below 1 the probable
# becomes more probable. The attempt divides something else.


# %% tags=["exercise"]
def probabilities(logits, T):
    """The probabilities of the next symbol at temperature T; logits are (N, 46)."""
    return F.softmax(logits, 1) / T


# %% tags=["check"] jupyter={"source_hidden": true}
def check_temperature(function):
    """Two rows of four logits at T = 0.5."""
    x, T = np.array([[1.0, 2.0, 0.5, -1.0], [0.0, 3.0, 1.0, 0.5]]), 0.5

    def softmax(x, axis=1):
        e = np.exp(x - x.max(axis, keepdims=True))
        return e / e.sum(axis, keepdims=True)

    mistakes = [
        (softmax(x) / T, "the probabilities were divided: they no longer sum to 1, and their ratios are unchanged. "
         "multinomial would not notice. Divide the logits."),
        (softmax(x) * T, "the probabilities were multiplied: their ratios are unchanged. Divide the logits."),
        (softmax(x), "T is not used."),
        (softmax(x * T), "multiplied: hot and cold are exchanged."),
        (softmax(x - T), "softmax does not see a constant that is subtracted from all logits."),
        (softmax(x / T, 0), "softmax over axis 0 mixes the examples of a batch: use axis 1."),
        (softmax(x) ** (1 / T), "the right ratios, but their sum is not 1. Divide by it, or divide the logits."),
        (softmax(x / T**2), "T was used twice."),
        (softmax(softmax(x) / T), "one softmax too many: T divides the logits, not the probabilities."),
        (x / T, "these are logits: the softmax is missing."),
    ]  # fmt: skip
    return tell("probabilities at T = 0.5", attempt(function, torch.tensor(x), T), softmax(x / T), mistakes)


solved[4] = check_temperature(probabilities)


# %% tags=["solution"] jupyter={"source_hidden": true}
def probabilities(logits, T):
    """Differences of logits are logarithms of ratios. Dividing by T raises every ratio to the power 1 / T."""
    return F.softmax(logits / T, 1)


assert check_temperature(probabilities)


# %% [markdown]
# ### Twenty names
#
# The seed of the next cell was chosen so that accents occur. How often they do is in the table after it, and in the
# file.


# %%
def write(net, count, generator, T=1.0, longest=30):
    """Names that the network writes, in eval mode."""
    net.eval()
    names = []
    with torch.no_grad():
        for _ in range(count):
            context, name = [0] * block_size, ""
            while len(name) < longest:
                p = probabilities(net(torch.tensor([context])), T)
                ix = torch.multinomial(p, num_samples=1, generator=generator).item()
                if ix == 0:
                    break
                context = context[1:] + [ix]
                name += itos[ix]
            names.append(name)
    return names


known = set(words)
twenty = write(nets[True], 20, torch.Generator().manual_seed(46))
for k in range(0, 20, 5):
    print("   ".join(f"{name + (' *' if name in known else ''):<16}" for name in twenty[k : k + 5]).rstrip())
print("* stands in the file.", sum(name not in known for name in twenty), "of 20 are new,",
      sum(not name.isascii() for name in twenty), "have an accent or another letter outside ASCII.")  # fmt: skip

# %%
print(f"outside ASCII in the whole file: {len(accented) / len(words):.0%}")
print("  T   in the file   mean length   outside ASCII   symbols used   the first six of 300")
in_file = {}
for T in (0.3, 0.7, 1.0, 2.0):
    names = write(nets[True], 300, torch.Generator().manual_seed(1), T)
    in_file[T] = sum(name in known for name in names) / 300
    length, accents = (sum(map(f, names)) / 300 for f in (len, lambda name: not name.isascii()))
    used = len(set("".join(names)))
    print(f"{T:4} {in_file[T]:12.0%} {length:13.1f} {accents:15.0%} {used:14d}   {' '.join(names[:6])}")
assert in_file[0.3] > in_file[2.0]

# %% [markdown]
# A cold network writes safe names, many of them known, and hardly an accent. A hot one uses nearly every symbol and
# forgets what a name sounds like. Temperature 1 is what it has learnt: letters outside ASCII are as frequent as in the
# file.
#
# ## The answer
#
# Each letter of the prediction is a claim about the numbers of figure 6. Test all four. "Lower" means lower by more
# than 0.05 nats, in the mean of the two seeds.

# %%
gain = dict(zip(SCALES, (by_scale[False] - by_scale[True]).mean(0), strict=True))  # how much lower with BatchNorm
for s, value in gain.items():
    print(f"scale {s:5.2f}: with BatchNorm the loss is lower by {value:+.3f}")
lower = {s: bool(value > 0.05) for s, value in gain.items()}
small, right, large = lower[0.1] and lower[0.3], lower[5 / 3], lower[5.0] and lower[10.0]
claims = {
    "A": small and right and large,
    "B": small and large and not right,
    "C": large and not small and not right,
    "D": not any(lower.values()),
}
answer = "".join(letter for letter, holds in claims.items() if holds)
print("what holds:", claims)
print("measured:", answer, "  you predicted:", prediction or "nothing yet. Write a letter into the prediction cell.")
if prediction:
    print("As predicted." if prediction == answer else f"Not as predicted. Which number speaks against {prediction}?")
print(f"exercises solved: {sum(solved.values())} of {len(solved)}")

spread = {key: [h.std() for h, _ in hs] for key, hs in layers.items()}
assert prediction in {None, *claims}, f"prediction is {prediction!r}, wanted one of A, B, C, D"
assert answer == "B"
assert spread["too small", False][-1] < 0.1 * spread["too small", False][0]  # the spread dies on its way up
assert np.mean(np.abs(layers["too large", False][-1][0]) > SATURATED) > 0.5  # or tanh is flat
assert np.ptp([spread[name, True][-1] for name in THREE]) < 0.05  # with BatchNorm: one picture for all starts
assert (
    by_rate[False][-1] > uniform_loss > bigram_loss + 0.3 > by_rate[True][-1]
)  # and rates that the plain one cannot take

# %% [markdown]
# **Why does a small network that writes first names need its activations looked after?** Because every layer passes on
# a product. The spread of the activations is multiplied at every layer, and so are the gradients on their way back. If
# the factor is not near 1, five layers turn it into nothing, or into tanh at its two ends, and training starts with
# weights that it can hardly use. You can look after the activations once, with a careful start. Or in every step, with
# BatchNorm: then bad starts and high rates cost little. In the network with one hidden layer and a sane start there
# was next to nothing to repair, and BatchNorm repaired next to nothing.
#
# If your prediction was another: which table of this notebook would have told you first?
#
# Longer, if you like: set `depth=10` in `deep_net` and run part g again. Which of the two lines moves?
#
# Next: notebook 05 steps through a backward pass and asks where a gradient came from.
