# %% [markdown]
# # 09 · Freeze, fold, fine-tune
#
# **What are the running statistics for, once training is over?**
#
# In training a BatchNorm uses the batch at hand, and the running statistics only watch. Afterwards they are the layer.
# You find out what moves them and what does not, how good they are when the data drift, what they do to fine-tuning,
# and how they vanish into the weights. Class time: 45 minutes.
#
# You need notebook 02 (what BatchNorm computes, in train mode and in eval mode).
#
# | part | what you do | minutes |
# |---|---|---|
# | a | predict what fine-tuning does to a network that is "frozen" | 4 |
# | b | try five ways to freeze a layer | 8 |
# | c | running, averaged and exact statistics under drift | 12 |
# | d | fine-tune on small batches from another scanner | 10 |
# | e | fold: take BatchNorm out of the finished network | 9 |
#
# Two minutes are for the answer at the end.
#
# **How the exercises work.** A cell that is marked *exercise* holds an attempt with a mistake. Run it, run the check
# below it, and read what the check says. Repair the attempt and run both again. The folded cell below the check holds
# a solution. Run it in any case, because later cells build on it.

# %%
import copy
import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits
from tqdm import tqdm

import minitorch_bn as mt
import minitorch_bn.nn.functional as F
from minitorch_bn import nn
from minitorch_bn.experiments.figures import BLACK, GREY, ORANGE, SETTINGS

plt.rcParams.update({**SETTINGS, "figure.dpi": 100, "figure.constrained_layout.use": True})
np.set_printoptions(precision=4, suppress=True)
threads = threadpool_limits(1)  # small matrices: one thread is faster, and gives the same numbers everywhere
solved = {}  # number of the exercise: whether your own attempt was right

# %% [markdown]
# ## a. The question, and your prediction
#
# A network has learnt the digits 0 to 4, from scans. Now it is to learn 5 to 9, from another scanner that inverts the
# picture and gives little contrast. There are 100 labelled scans. So you keep the body of the network and train only
# a new last layer:
#
# ```python
# body.requires_grad_(False)            # the body is to stay as it is
# net = nn.Sequential(body, new_head)
# net.train()
# for x, y in small_batches:            # 200 steps
#     F.cross_entropy(net(x), y).backward()
#     optimizer.step()                  # only has new_head's parameters
# ```
#
# The body has BatchNorms. Afterwards you put the **old** head back and test on the **old** digits, from the old
# scanner, in eval mode. What do you find?
#
# - **A** The same predictions, to the last bit. Nothing that belongs to the body has changed.
# - **B** The same accuracy, to rounding. The statistics moved a little.
# - **C** A lower accuracy. The body has changed, although none of its parameters has.
# - **D** A lower accuracy. gamma and beta have changed, because BatchNorm learns in train mode.
#
# Write your letter into the next cell, before you read on. The last cell reads it again.

# %% tags=["prediction"]
prediction = None  # "A", "B", "C" or "D"

# %% [markdown]
# ## b. Five ways to freeze a layer
#
# One BatchNorm that has seen a few batches, and a batch that is unlike them. Which of these keep it from moving?

# %%
mt.manual_seed(9)
seen = nn.BatchNorm1d(3)
for _ in range(50):
    seen(mt.randn(32, 3))
unlike = 5 + 2 * mt.randn(32, 3)


def parameters_do_not_learn(model):
    model.requires_grad_(False)
    model.train()
    model(unlike)


def nothing_is_recorded(model):
    model.train()
    with mt.no_grad():
        model(unlike)


def eval_mode(model):
    model.eval()
    model(unlike)


def eval_mode_before_an_epoch(model):
    model.eval()
    model.train()  # the first line of most training loops
    model(unlike)


def freeze(model):
    model[0].freeze()
    model.train()
    model(unlike)


moved = {}
for way in (parameters_do_not_learn, nothing_is_recorded, eval_mode, eval_mode_before_an_epoch, freeze):
    model = nn.Sequential(copy.deepcopy(seen))
    way(model)
    moved[way.__name__] = (model[0].running_mean - seen.running_mean).abs().max().item()
    batches = model[0].num_batches_tracked.item() - seen.num_batches_tracked.item()
    print(f"{way.__name__:<27} running_mean moved by {moved[way.__name__]:.2f}   batches counted: {batches}")

# %% [markdown]
# Three flags, and none of them knows of the others:
#
# - `requires_grad=False` keeps the **optimiser** from a parameter. Running statistics are no parameters.
# - `no_grad` keeps the **graph** from being recorded. Forward does what it did.
# - `eval()` switches to the running statistics, **until the next** `train()`, which switches all of them back.
#
# `freeze()` is eval mode that `train()` does not undo. gamma and beta still learn, unless you say
# `freeze(affine=True)`. The layer says what it is, and its state dict remembers, without a key that PyTorch would not
# know:

# %%
model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
keys = list(model.state_dict())
model[1].freeze()
print(model.train())
again = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
again.load_state_dict(model.state_dict())
print("frozen after loading:", again[1].frozen, "  in train mode:", again[1].training)
print("same keys as before: ", list(model.state_dict()) == keys)

# %% [markdown]
# ### Exercise 1: prepare a network for fine-tuning
#
# Write `prepare(body, head)`: afterwards a training loop, which calls `train()` in every epoch, must change `head` and
# nothing of `body`: no parameter, no statistic. The attempt trusts `eval()`.


# %% tags=["exercise"]
def prepare(body, head):
    """Let only `head` change from now on; returns both as one network."""
    body.requires_grad_(False)
    body.eval()
    return nn.Sequential(body, head)


# %% tags=["check"] jupyter={"source_hidden": true}
def check_prepare(function):
    """Train for three epochs as others would, and name what has changed."""
    mt.manual_seed(1)
    body = nn.Sequential(
        nn.Linear(3, 4), nn.Sequential(nn.BatchNorm1d(4)), nn.ReLU(), nn.Linear(4, 4), nn.BatchNorm1d(4)
    )
    head = nn.Linear(4, 2)
    body(mt.randn(64, 3))
    before = {name: t.clone() for name, t in nn.Sequential(body, head).state_dict().items()}
    try:
        net = function(body, head)
    except Exception as error:
        print(f"it raised {type(error).__name__}: {error}")
        return False
    if not isinstance(net, nn.Module):
        print("nothing returned: return nn.Sequential(body, head).")
        return False
    trainable = [p for p in net.parameters() if p.requires_grad]
    if not trainable:
        print("not yet: no parameter requires grad any more, the head's neither. There is nothing left to train.")
        return False
    optimizer = mt.optim.SGD(trainable, lr=0.1)
    for _ in range(3):
        net.train()
        optimizer.zero_grad()
        F.cross_entropy(net(2 + mt.randn(8, 3)), mt.randint(0, 2, (8,))).backward()
        optimizer.step()
    changed = {name for name, t in nn.Sequential(body, head).state_dict().items() if not mt.equal(t, before[name])}
    own = {name for name in changed if name.startswith("0.")}
    if not changed - own:
        print("not yet: the head has not learnt anything.")
    elif not own:
        print("right: the head has learnt, and the body is the same to the bit.")
        return True
    elif {"0.1.0.running_mean", "0.4.running_mean"} <= own and not any("weight" in name for name in own):
        print("not yet: the parameters stayed, and the running statistics moved in both BatchNorms. net.train() goes\n"
              "through all modules and ends your eval(). Which mode does not end?")  # fmt: skip
    elif "0.1.0.running_mean" in own and "0.4.running_mean" not in own:
        print("not yet: the BatchNorm inside the inner Sequential still moves. modules() goes to all depths, and\n"
              "iterating over a Sequential only to the first.")  # fmt: skip
    elif any("weight" in name or "bias" in name for name in own):
        print(f"not yet: {sorted(own)[0]} and others have learnt. freeze() leaves requires_grad of the rest to you.")
    else:
        print(f"not yet: {sorted(own)} changed.")
    return False


solved[1] = check_prepare(prepare)


# %% tags=["solution"] jupyter={"source_hidden": true}
def prepare(body, head):
    """Let only `head` change from now on; returns both as one network."""
    body.requires_grad_(False)
    nn.utils.freeze_batchnorm(body)  # calls freeze() on every BatchNorm, at all depths
    return nn.Sequential(body, head)


assert check_prepare(prepare)

# %% [markdown]
# ## c. Running, averaged, exact
#
# How good are the numbers that eval mode uses? Take a sensor that warms up: its mean wanders while the data come in.
# One value per sample, 64 samples per batch, in the order of time. Three ways to a mean and a variance:
#
# - **running**: what training leaves, `0.9 * running + 0.1 * batch`. It remembers the last few batches.
# - **averaged**: all batches alike, the mean of their means and of their variances. This is PyTorch's `update_bn`.
# - **exact**: all values together.

# %%
rng = np.random.default_rng(4)
BATCH, BATCHES = 64, 60
hours = np.arange(BATCH * BATCHES) / (BATCH * BATCHES) * 8
values = 20 + 3 * np.sqrt(hours) + 0.8 * np.sin(1.5 * hours) + rng.normal(0, 1, hours.shape)
stream = mt.tensor(values.reshape(-1, 1))
batches = stream.split(BATCH)

layer = nn.BatchNorm1d(1, dtype=mt.float64)
for x in batches:
    layer(x)  # training, as far as the statistics see it

with nn.utils.calibrating(layer) as c:
    for x in batches:
        layer(x)
print(c.table())

# %% [markdown]
# Compare the three variances with the numbers of NumPy, for all values at once.

# %%
tally = c.tallies[layer]
ways = {
    "running": [t.item() for t in tally.before[:2]],
    "averaged": [tally.averaged_mean.item(), tally.averaged_var.item()],
    "exact": [layer.running_mean.item(), layer.running_var.item()],
}
whole_mean, whole_var = values.mean(), values.var(ddof=1)
for way, (mean, var) in ways.items():
    outputs = (values - mean) / np.sqrt(var)
    in_eval = f"outputs of eval mode: mean {outputs.mean():5.2f}, std {outputs.std():4.2f}"
    print(f"{way:<9} mean {mean:7.3f}   variance {var:7.3f}   {in_eval}")
print(f"{'NumPy':<9} mean {whole_mean:7.3f}   variance {whole_var:7.3f}")
assert np.allclose(ways["exact"], [whole_mean, whole_var], rtol=1e-12)

# %% tags=["figure"] jupyter={"source_hidden": true}
LOOKS = {
    "running": {"color": GREY, "hatch": "//"},
    "averaged": {"color": ORANGE, "hatch": ".."},
    "exact": {"color": BLACK, "hatch": ""},
}
fig, axes = plt.subplots(1, 2, figsize=(13, 5), width_ratios=(3, 2))
axes[0].plot(hours, values, ".", color="0.7", markersize=3)
axes[0].set(
    xlabel="time since switching on (hours)",
    ylabel="value of the sensor (degrees)",
    xlim=(0, 11.6),
    xticks=range(0, 9, 2),
)
for x, (way, (mean, var)) in zip((8.8, 9.8, 10.8), ways.items(), strict=True):
    std = np.sqrt(var)
    axes[0].errorbar(
        x, mean, 2 * std, color=LOOKS[way]["color"], linewidth=4, capsize=8, capthick=4, marker="o", markersize=11
    )
    axes[0].text(x, mean - 2 * std - 0.4, way, ha="center", va="top", fontsize=13)
axes[0].set_title("All values, and mean ± 2 std of each way")
for i, (way, (_, var)) in enumerate(ways.items()):
    axes[1].bar(
        i, np.sqrt(var), facecolor="white", edgecolor=LOOKS[way]["color"], hatch=LOOKS[way]["hatch"], linewidth=3
    )
    axes[1].text(i, np.sqrt(var) + 0.05, f"{np.sqrt(var):.2f}", ha="center", fontsize=13)
axes[1].axhline(values.std(ddof=1), color=BLACK, linewidth=1.5, linestyle=":")
axes[1].set(xticks=range(3), xticklabels=ways, ylabel="standard deviation (degrees)", title="Dotted: of all values")
axes[1].set_ylim(0, 1.2 * values.std(ddof=1))
plt.show()

# %% [markdown]
# **Figure 1. Three answers to one question.** Left: the grey cloud is all that the sensor said; the bars on the right
# of it are what each way believes. Running stands where the sensor stood last. Averaged stands in the middle, with a
# bar that is far too short. Only the exact bar spans the cloud. Right: the same standard deviations, side by side.
#
# Why is the averaged one too short? Inside a batch of neighbours the sensor hardly moves. All that it moves *between*
# batches is in the batches' means, and an average of variances never sees those. The law of total variance says so, for
# batches of `m_b` values, `M` together:
#
#     var = sum(m_b * var_b) / M  +  sum(m_b * (mean_b - mean)**2) / M
#
# Shuffled batches hide the mistake: their means hardly differ. It is never quite zero, and it is largest for small
# batches.


# %%
def parts_of_variance(rows):
    """The two terms for batches of one size, one batch per row."""
    return rows.var(1).mean(), rows.mean(1).var()


in_order = values.reshape(BATCHES, BATCH)
shuffled = rng.permutation(values).reshape(BATCHES, BATCH)
for name, rows in (("in order", in_order), ("shuffled", shuffled)):
    inside, between = parts_of_variance(rows)
    print(f"{name}: inside {inside:.3f} + between {between:.3f} = {inside + between:.3f}")
    assert np.isclose(inside + between, values.var(), rtol=1e-12)
print(f"biased variance of all values: {values.var():.3f}")

# %% [markdown]
# ### Exercise 2: put two parts together
#
# You need not keep all values. Keep three numbers for what you have seen: how many (`m`), their `mean`, and `squares`,
# the sum of the squared deviations from that mean. Write `merge(a, b)`, which gives the three numbers of both parts
# together. Parts differ in size. The attempt forgets something.


# %% tags=["exercise"]
def merge(a, b):
    """(m, mean, squares) of two parts together."""
    (m_a, mean_a, squares_a), (m_b, mean_b, squares_b) = a, b
    m = m_a + m_b
    mean = (m_a * mean_a + m_b * mean_b) / m
    squares = squares_a + squares_b
    return m, mean, squares


# %% tags=["check"] jupyter={"source_hidden": true}
def part(values):
    """The three numbers of an array."""
    return len(values), values.mean(), ((values - values.mean()) ** 2).sum()


def check_merge(function):
    """Compare with the numbers of the whole, and with the usual mistakes, on parts of different sizes."""
    numbers = np.random.default_rng(3)
    a, b = numbers.normal(2, 1, 30), numbers.normal(7, 3, 10)
    (m_a, mean_a, sq_a), (m_b, mean_b, sq_b) = part(a), part(b)
    delta, m = mean_b - mean_a, 40
    try:
        got = function(part(a), part(b))
        got_m, got_mean, got_squares = (float(number) for number in got)
    except Exception as error:
        print(f"it raised {type(error).__name__}: {error}. Three numbers are wanted: m, mean, squares.")
        return False
    want = part(np.concatenate([a, b]))
    if got_m != 40:
        print(f"not yet: m is {got_m:g}, and 30 + 10 values are 40.")
        return False
    if not np.isclose(got_mean, want[1], rtol=1e-12):
        plain = np.isclose(got_mean, (mean_a + mean_b) / 2)
        print(
            "not yet: the mean of the two means. 30 values count more than 10."
            if plain
            else "not yet: the mean is wrong."
        )
        return False
    mistakes = [
        (sq_a + sq_b, "the squares inside the parts only. The parts lie apart, too: where is mean_b - mean_a?"),
        (sq_a + sq_b + delta**2 * (m_a + m_b), "delta**2 counts with m_a * m_b / m, not with m."),
        (sq_a + sq_b + delta**2 * m_b, "delta is from the old mean, and the mean has moved: m_a * m_b / m."),
        (sq_a + sq_b + delta**2 * m_a * m_b, "m_a * m_b is divided by m."),
        (sq_a + sq_b + delta**2, "delta**2 stands for many values: it counts with m_a * m_b / m."),
        (sq_a + sq_b - delta**2 * m_a * m_b / m, "the sign: parts that lie apart have more variance, not less."),
        (sq_a + sq_b + delta * m_a * m_b / m, "delta is to be squared."),
        ((m_a * sq_a + m_b * sq_b) / m, "sums are added, not averaged; and the distance of the means is missing."),
        (want[2] / m, "that is a variance. squares is the sum: do not divide by m."),
        (want[2] / (m - 1), "that is a variance. squares is the sum: do not divide."),
    ]  # fmt: skip
    if not np.isclose(got_squares, want[2], rtol=1e-12):
        for value, text in mistakes:
            if np.isclose(got_squares, value, rtol=1e-9):
                print(f"not yet: {text}")
                return False
        print(f"not yet: squares is {got_squares:.4f}, wanted {want[2]:.4f}.")
        return False
    far = 1e9
    shifted = function(part(a + far), part(b + far))
    if not np.isclose(shifted[2], want[2], rtol=1e-4):
        print(f"not yet: right near 0, and at {far:.0e} it gives {shifted[2]:.4g} instead of {want[2]:.4g}.\n"
              "A difference of two large sums of squares loses its digits. Use mean_b - mean_a.")  # fmt: skip
        return False
    print("right, also where the mean is large.")
    return True


solved[2] = check_merge(merge)


# %% tags=["solution"] jupyter={"source_hidden": true}
def merge(a, b):
    """(m, mean, squares) of two parts together."""
    (m_a, mean_a, squares_a), (m_b, mean_b, squares_b) = a, b
    m, delta = m_a + m_b, mean_b - mean_a
    mean = mean_a + delta * m_b / m
    squares = squares_a + squares_b + delta**2 * m_a * m_b / m
    return m, mean, squares


assert check_merge(merge)

# %% [markdown]
# With it, sixty batches become one, and the batches may have any size:

# %%
total = (0, 0.0, 0.0)
for x in np.split(values, [10, 500, 501, 2000]):
    total = merge(total, part(x))
print(f"mean {total[1]:.6f}   variance {total[2] / (total[0] - 1):.6f}")
print(f"mean {ways['exact'][0]:.6f}   variance {ways['exact'][1]:.6f}   nn.utils.calibrating")
assert np.allclose([total[1], total[2] / (total[0] - 1)], ways["exact"], rtol=1e-12)

# %% [markdown]
# ### Two layers
#
# What the second BatchNorm sees depends on how the first one normalises: with the batch while you collect, with its new
# statistics when you use it. So exact statistics of a deep network need one pass per layer, each with the layers before
# it done. `c.passes(loader)` reads the loader that often. The proof that it is exact: the size of the batches no longer
# matters, not even when it is 1.

# %%
mt.manual_seed(2)
deep = nn.Sequential(nn.Linear(1, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2), nn.BatchNorm1d(2)).double()
some, variances = stream[::8], {}  # 480 values, still in the order of time
for size in (480, 10, 1):
    for how in ("one loop", "passes"):
        if how == "one loop" and size == 1:
            continue  # train mode cannot normalise a single value
        loader = some.split(size)
        with nn.utils.calibrating(deep) as c:
            for x in c.passes(loader) if how == "passes" else loader:
                deep(x)
        variances[how, size] = deep[4].running_var.numpy().copy()
        print(f"{how:<9} batches of {size:<4} running_var of the second layer: {variances[how, size]}")
assert np.allclose(variances["passes", 10], variances["passes", 1], rtol=1e-10)
assert np.allclose(variances["passes", 10], variances["passes", 480], rtol=1e-10)
assert not np.allclose(variances["one loop", 10], variances["passes", 10], rtol=0.01)

# %% [markdown]
# Even one batch of everything gives other digits in one loop than in passes: train mode normalises with the biased
# variance, 1/m, and eval mode with what is stored, the unbiased one, 1/(m - 1).
#
# ## d. Fine-tune
#
# Now the question of part a. The scans are scikit-learn's digits, 8x8 pixels. The network is small: two linear layers
# with BatchNorm, and a head. First it learns 0 to 4.

# %%
digits = load_digits()
pixels, labels = (digits.images.reshape(-1, 64) / 16).astype(np.float32), digits.target


def another_scanner(x):
    """Dark on light, and little contrast."""
    return 0.7 - 0.3 * x


def scans(which, seed, scanner=lambda x: x):
    """Scans of five digits: (x, y) to train on and (x, y) to test with; labels begin at 0."""
    rows = np.random.default_rng(seed).permutation(np.flatnonzero((labels >= which) & (labels < which + 5)))
    x, y = mt.tensor(scanner(pixels[rows])), mt.tensor(labels[rows] - which)
    half = len(rows) // 2
    return (x[:half], y[:half]), (x[half:], y[half:])


def new_body():
    return nn.Sequential(
        *(nn.Linear(64, 64, bias=False), nn.BatchNorm1d(64), nn.ReLU()),
        *(nn.Linear(64, 64, bias=False), nn.BatchNorm1d(64), nn.ReLU()),
    )


def train(net, data, batch, steps, lr, seed):
    """Plain SGD with momentum; whatever requires grad learns."""
    x, y = data
    optimizer = mt.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=lr, momentum=0.9)
    draw = np.random.default_rng(seed)
    net.train()
    for _ in range(steps):
        rows = mt.tensor(draw.choice(len(x), batch, replace=False))
        optimizer.zero_grad()
        F.cross_entropy(net(x[rows]), y[rows]).backward()
        optimizer.step()


@mt.no_grad()
def accuracy(net, data):
    """Share of right answers in eval mode, in percent."""
    x, y = data
    return 100 * (net.eval()(x).argmax(1) == y).sum().item() / len(y)


SEEDS, SIZES, FEW = 5, (2, 4, 8, 32), 100
pretrained = []
for seed in range(SEEDS):
    mt.manual_seed(seed)
    body, head = new_body(), nn.Linear(64, 5)
    to_train, to_test = scans(0, seed)
    train(nn.Sequential(body, head), to_train, 32, 300, 0.05, seed)
    pretrained.append((body, head, to_test))
old_accuracy = [accuracy(nn.Sequential(body, head), to_test) for body, head, to_test in pretrained]
print("digits 0 to 4, right answers (%), one number per seed:", *(f"{a:.1f}" for a in old_accuracy))

# %% tags=["figure"] jupyter={"source_hidden": true}
fig, axes = plt.subplots(1, 6, figsize=(13, 2.6))
chosen = [np.flatnonzero(labels == digit)[3] for digit in (0, 2, 4, 5, 7, 9)]
for i, (ax, row) in enumerate(zip(axes, chosen, strict=True)):
    picture = pixels[row] if i < 3 else another_scanner(pixels[row])
    ax.imshow(picture.reshape(8, 8), cmap="gray", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[], title=f"old: {labels[row]}" if i < 3 else f"new: {labels[row]}")
plt.show()

# %% [markdown]
# **Figure 2. What the network has learnt, and what it is to learn.** Left: old digits from the old scanner. Right: new
# digits from the new one.
#
# Now train a new head in three ways. In all of them no parameter of the body requires grad.
#
# - **train mode**: as in part a. The body normalises with the small batches, and its statistics move.
# - **frozen**: `freeze_batchnorm(body)`. The statistics of the old scanner stay.
# - **calibrated, then frozen**: first the exact statistics of the 100 new scans, no labels needed, then `freeze`.


# %%
def fine_tune(way, body, data, batch, seed):
    """A copy of the body with a new head, trained in one of the three ways."""
    body = copy.deepcopy(body).requires_grad_(False)
    if way == "calibrated":
        with nn.utils.calibrating(body) as c:
            for x in c.passes([data[0]]):
                body(x)
    if way != "train mode":
        nn.utils.freeze_batchnorm(body)
    mt.manual_seed(seed)
    net = nn.Sequential(body, nn.Linear(64, 5))
    train(net, data, batch, 200, 0.02, seed)
    return net


WAYS = ("train mode", "frozen", "calibrated")
SCANNERS = {"the same scanner": lambda x: x, "another scanner": another_scanner}
new, old = {}, {}  # (scanner, way, batch) -> accuracies on new and on old digits, one per seed
for scanner, change in SCANNERS.items():
    for seed in tqdm(range(SEEDS), desc=scanner, disable=None, leave=False):
        (x, y), to_test = scans(5, seed, change)
        body, old_head, old_test = pretrained[seed]
        for way in WAYS:
            for size in SIZES:
                net = fine_tune(way, body, (x[:FEW], y[:FEW]), size, seed)
                new.setdefault((scanner, way, size), []).append(accuracy(net, to_test))
                old.setdefault((scanner, way, size), []).append(accuracy(nn.Sequential(net[0], old_head), old_test))

print("right answers (%), mean of", SEEDS, "seeds" + " " * 18 + "new digits, by size of batch      old digits")
print(f"{'':<18}{'':<13}" + "".join(f"{size:>8}" for size in SIZES) + "    " + "".join(f"{size:>8}" for size in SIZES))
for scanner in SCANNERS:
    for way in WAYS:
        means = [f"{np.mean(table[scanner, way, size]):8.1f}" for table in (new, old) for size in SIZES]
        print(f"{scanner:<18}{way:<13}" + "".join(means[:4]) + "    " + "".join(means[4:]))

# %% tags=["figure"] jupyter={"source_hidden": true}
LINES = {
    "train mode": {"color": GREY, "linestyle": "--", "marker": "o"},
    "frozen": {"color": ORANGE, "linestyle": "-", "marker": "s"},
    "calibrated": {"color": BLACK, "linestyle": "-", "marker": "^"},
}
fig, axes = plt.subplots(1, 3, figsize=(14, 4.8), sharey=True)
panels = [(new, "the same scanner"), (new, "another scanner"), (old, "another scanner")]
titles = ["New digits, the same scanner", "New digits, another scanner", "Old digits, after the middle one"]
for ax, (table, scanner), title in zip(axes, panels, titles, strict=True):
    for beside, (way, look) in zip((0.93, 1.0, 1.07), LINES.items(), strict=True):
        runs = np.array([table[scanner, way, size] for size in SIZES])
        ax.plot(np.array(SIZES) * beside, runs.mean(1), **look, linewidth=2.5, markersize=10, label=way)
        ax.plot(np.array(SIZES) * beside, runs, ".", color=look["color"], markersize=5, alpha=0.7)
    ax.set(xscale="log", xticks=SIZES, xticklabels=SIZES, xlabel="size of a batch", title=title, ylim=(30, 102))
    ax.minorticks_off()
axes[0].set_ylabel("right answers, eval mode (%)")
axes[0].legend(loc="lower right")
plt.show()

# %% [markdown]
# **Figure 3. Three ways to fine-tune a head.** Lines: the mean of five seeds; small dots: single seeds. Left: where the
# data are like those before, frozen is better than train mode in small batches, and equal in large ones. Middle: on
# another scanner frozen alone is the worst, because it normalises with statistics of a scanner that is gone. Calibrated
# first, it is the best in small batches, and in large ones as good as train mode. Right: the old task, with the old
# head. Only frozen statistics keep it.
#
# Frozen is not free, though. A frozen BatchNorm is one multiplication and one addition per channel. It looks at no
# batch any more, and so it no longer tames steps that are too large. Let the whole network learn, instead of the head
# alone, on new digits from the same scanner:

# %%
for lr in (0.005, 0.02, 0.1):
    for way in ("train mode", "frozen"):
        right = []
        for seed in range(3):
            (x, y), to_test = scans(5, seed)
            mt.manual_seed(seed)
            net = nn.Sequential(copy.deepcopy(pretrained[seed][0]), nn.Linear(64, 5))
            if way == "frozen":
                nn.utils.freeze_batchnorm(net)
            with np.errstate(all="ignore"):  # weights may grow beyond all bounds: that is a result here
                train(net, (x[:FEW], y[:FEW]), 8, 200, lr, seed)
                right.append(accuracy(net, to_test))
        print(f"lr {lr:<6g} {way:<11} right answers (%), one number per seed:", *(f"{a:.1f}" for a in right))

# %% [markdown]
# At the smallest rate there is no difference. At the largest one the frozen network is at chance, one in five: if you
# freeze, use a smaller learning rate.
#
# ## e. Fold
#
# In eval mode the statistics are constants. Then BatchNorm after a layer `x = W z + b` is
#
#     y = gamma * (W z + b - mean) / sqrt(var + eps) + beta
#
# and that is a linear layer again. Write `scale = gamma / sqrt(var + eps)`, one number per output, and sort by `z`:
#
#     y = (scale * W) z  +  (scale * (b - mean) + beta)
#          `--- W' ---'      `--------- b' ----------'
#
# No approximation: algebra. The BatchNorm is gone, and with it its time.
#
# ### Exercise 3: fold
#
# Write `fold`. `W` has the shape (outputs, inputs), all others (outputs,). The attempt forgets something that most
# networks would not notice, because a layer before a BatchNorm mostly has no bias.


# %% tags=["exercise"]
def fold(W, b, mean, var, eps, gamma, beta):
    """Weight and bias of the one layer that does what the layer and its BatchNorm do."""
    scale = gamma / np.sqrt(var + eps)
    return scale[:, None] * W, b - scale * mean + beta


# %% tags=["check"] jupyter={"source_hidden": true}
def check_fold(function):
    """Compare with the right weights and with the usual mistakes; as many outputs as inputs, to let all of them run."""
    r = np.random.default_rng(5)
    W, b, mean, beta = r.normal(size=(4, 4)), *r.normal(size=(3, 4))
    var, gamma, eps = r.uniform(0.5, 2, 4), r.uniform(0.5, 2, 4), 0.3
    try:
        got_W, got_b = (np.asarray(a, float) for a in function(W, b, mean, var, eps, gamma, beta))
    except Exception as error:
        print(f"it raised {type(error).__name__}: {error}. A weight and a bias are wanted.")
        return False
    s = gamma / np.sqrt(var + eps)
    scales = [
        (gamma / np.sqrt(var), "eps is missing: the layer divides by sqrt(var + eps)."),
        (gamma / (np.sqrt(var) + eps), "eps stands inside the root: sqrt(var + eps)."),
        (gamma / (var + eps), "the root is missing: BatchNorm divides by the standard deviation, not by the variance."),
        (1 / np.sqrt(var + eps), "gamma is missing in the scale."),
        (gamma * np.sqrt(var + eps), "multiplied by the standard deviation: divide."),
        (1 / (gamma * np.sqrt(var + eps)), "divided by gamma: multiply."),
    ]
    right_W = got_W.shape == W.shape and np.allclose(got_W, s[:, None] * W, rtol=1e-10)
    if not right_W:
        if got_W.shape == W.shape and np.allclose(got_W, s * W):
            print("not yet: scale[:, None]. There is one scale per output, a row of W; you have scaled the inputs.")
            return False
        if np.allclose(got_W, W):
            print("not yet: the weight is what it was. Its rows are to be scaled.")
            return False
        for scale, text in scales:
            if got_W.shape == W.shape and np.allclose(got_W, scale[:, None] * W):
                print(f"not yet: {text}")
                return False
        print(f"not yet: another weight than scale[:, None] * W; its shape is {got_W.shape}.")
        return False
    biases = [
        (b - s * mean + beta, "the layer's own bias is scaled, too: it goes through the BatchNorm like the rest of x."),
        (beta - s * mean, "the layer's own bias is forgotten."),
        (s * b - mean + beta, "the mean is to be scaled, too."),
        (s * (b + mean) + beta, "the mean is subtracted."),
        (s * (b - mean + beta), "beta comes after the scaling and is not scaled."),
        (s * (b - mean), "beta is forgotten."),
        (s * b + beta, "the mean is forgotten."),
        (b, "the bias is what it was: put b - mean through the scale, and add beta."),
    ]
    if got_b.shape == b.shape and np.allclose(got_b, s * (b - mean) + beta, rtol=1e-10):
        print("right: W' = scale * W, b' = scale * (b - mean) + beta.")
        return True
    for bias, text in biases:
        if got_b.shape == b.shape and np.allclose(got_b, bias):
            print(f"not yet: the weight is right, but {text}")
            return False
    print("not yet: the weight is right, the bias is not.")
    return False


solved[3] = check_fold(fold)


# %% tags=["solution"] jupyter={"source_hidden": true}
def fold(W, b, mean, var, eps, gamma, beta):
    """Weight and bias of the one layer that does what the layer and its BatchNorm do."""
    scale = gamma / np.sqrt(var + eps)
    return scale[:, None] * W, scale * (b - mean) + beta


assert check_fold(fold)

# %% [markdown]
# The package has it as PyTorch has it, with one wish more: `check=x` prints how far the two ways are apart on `x`. It
# refuses a layer in train mode, where the statistics are not constants.

# %%
body, head, (x_test, y_test) = pretrained[0]
net = nn.Sequential(*body, head).eval()
folded = nn.Sequential(
    nn.utils.fuse_linear_bn_eval(net[0], net[1], check=x_test),
    net[2],
    nn.utils.fuse_linear_bn_eval(net[3], net[4], check=mt.rand(100, 64)),
    net[5],
    net[6],
).eval()
bn = net[1]
arrays = [t.detach().numpy() for t in (net[0].weight, bn.running_mean, bn.running_var, bn.weight, bn.bias)]
W, mean, var, gamma, beta = arrays
yours_W, yours_b = fold(W, np.zeros(64), mean, var, bn.eps, gamma, beta)
apart = [np.abs(a - t.detach().numpy()).max() for a, t in ((yours_W, folded[0].weight), (yours_b, folded[0].bias))]
print(f"your fold and the package's: weights differ by {apart[0]:.1e} at most, biases by {apart[1]:.1e}")
with mt.no_grad():
    y, y_folded = net(x_test).numpy(), folded(x_test).numpy()
difference = np.abs(y - y_folded).max() / np.ptp(y)
same_answers = (y.argmax(1) == y_folded.argmax(1)).all()
print(f"whole network, largest difference: {difference:.1e} of the output's range;   same answers: {same_answers}")
try:
    nn.utils.fuse_linear_bn_eval(net[0], net[1].train())
except AssertionError as error:
    print("\nAssertionError:", error)
net.eval()
assert difference <= 1e-6

# %% [markdown]
# What is it worth? Time three networks before and after, in turns: this one, the names network of notebook 04, and a
# small convnet.


# %%
def conv_net():
    return nn.Sequential(
        *(nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.AdaptiveAvgPool2d(1)),
        *(nn.Flatten(), nn.Linear(32, 10)),
    )


def names_net():
    return nn.Sequential(
        *(nn.Embedding(46, 10), nn.Flatten(), nn.Linear(30, 200, bias=False), nn.BatchNorm1d(200), nn.Tanh()),
        nn.Linear(200, 46),
    )


def fold_all(net):
    """A new Sequential in which every BatchNorm went into the layer before it."""
    layers = []
    for layer in net:
        if isinstance(layer, nn.BatchNorm1d):
            layers[-1] = nn.utils.fuse_linear_bn_eval(layers[-1], layer)
        elif isinstance(layer, nn.BatchNorm2d):
            layers[-1] = nn.utils.fuse_conv_bn_eval(layers[-1], layer)
        else:
            layers.append(layer)
    return nn.Sequential(*layers).eval()


def processor_time(net, x, calls):
    """Microseconds of one call."""
    start = time.process_time()
    for _ in range(calls):
        net(x)
    return 1e6 * (time.process_time() - start) / calls


mt.manual_seed(0)
timed = {
    "digits, batch 100": (net, mt.rand(100, 64), 100),
    "names, batch 1": (names_net().eval(), mt.randint(0, 46, (1, 3)), 1000),
    "names, batch 32": (names_net().eval(), mt.randint(0, 46, (32, 3)), 500),
    "convnet, batch 8": (conv_net().eval(), mt.randn(8, 3, 32, 32), 5),
}
times = {}
with mt.no_grad():
    for name, (before, x, calls) in timed.items():
        after = fold_all(before)
        assert mt.allclose(before(x), after(x), rtol=1e-4, atol=1e-5)
        rounds = [(processor_time(before, x, calls), processor_time(after, x, calls)) for _ in range(9)]
        times[name] = np.array(rounds)
for name, rounds in times.items():
    before, after = np.median(rounds, 0)
    ratio = np.median(rounds[:, 0] / rounds[:, 1])
    print(f"{name:<18} {before:9.1f} us -> {after:9.1f} us   before / after: {ratio:.2f}")

# %% tags=["figure"] jupyter={"source_hidden": true}
fig, ax = plt.subplots(figsize=(11, 4.2))
for i, rounds in enumerate(times.values()):
    ratios = rounds[:, 1] / rounds[:, 0]
    ax.barh(i + 0.19, 1, height=0.34, color="0.8", edgecolor=BLACK, label="with BatchNorm" if i == 0 else None)
    ax.barh(
        i - 0.19,
        np.median(ratios),
        height=0.34,
        color=ORANGE,
        edgecolor=BLACK,
        hatch="//",
        label="folded" if i == 0 else None,
    )
    ax.plot(ratios, [i - 0.19] * len(ratios), ".", color=BLACK, markersize=5)
ax.set(
    yticks=range(len(times)), yticklabels=times, xlabel="processor time of one call in eval mode (with BatchNorm = 1)"
)
ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)
ax.set(xlim=(0, 1.1), title="Inference, folded and not")
ax.grid(False)
plt.show()

# %% [markdown]
# **Figure 4. Inference before and after folding.** Bars: the median of nine rounds in turns; dots: single rounds. The
# output is the same to rounding. The gain is what BatchNorm cost: much where the other layers are cheap, little where a
# convolution does the work. Your machine has other numbers than the one that built this page.
#
# ## The answer
#
# Back to part a: the fine-tuning in train mode, in batches of 4, from another scanner. What became of the body?

# %%
(x, y), _ = scans(5, 0, another_scanner)
body, old_head, old_test = pretrained[0]
changed, lost = {}, {}
for way in ("train mode", "frozen"):
    net = fine_tune(way, body, (x[:FEW], y[:FEW]), 4, 0)
    parameters = any(not mt.equal(p, q) for p, q in zip(net[0].parameters(), body.parameters(), strict=True))
    statistics = any(not mt.equal(p, q) for p, q in zip(net[0].buffers(), body.buffers(), strict=True))
    changed[way] = (parameters, statistics)
    lost[way] = np.mean(old_accuracy) - np.mean(old["another scanner", way, 4])
    print(
        f"{way:<11} parameters of the body changed: {parameters!s:<5}   statistics changed: {statistics!s:<5}   "
        f"old digits: {lost[way]:.1f} points of accuracy lost, mean of {SEEDS} seeds"
    )
parameters, statistics = changed["train mode"]
claims = {
    "A": not parameters and not statistics,
    "B": statistics and not parameters and lost["train mode"] < 0.5,
    "C": statistics and not parameters and lost["train mode"] >= 0.5,
    "D": parameters,
}
answer = "".join(letter for letter, holds in claims.items() if holds)
print("\nmeasured:", answer, "  you predicted:", prediction or "nothing yet. Write a letter into the second code cell.")
if prediction:
    print(
        "As predicted." if prediction == answer else f"Not as predicted. Which line above speaks against {prediction}?"
    )
print(f"exercises solved: {sum(solved.values())} of {len(solved)}")

assert prediction in {None, *claims}, f"prediction is {prediction!r}, wanted one of A, B, C, D"
assert answer == "C" and changed["frozen"] == (False, False) and lost["frozen"] == 0
assert moved["freeze"] == moved["eval_mode"] == 0  # part b: these two, and only freeze() outlives train()
assert min(moved[way] for way in ("parameters_do_not_learn", "nothing_is_recorded", "eval_mode_before_an_epoch")) > 0.1
assert ways["averaged"][1] < 0.5 * ways["exact"][1]  # part c: what an average of variances forgets
small = {way: np.mean(new["another scanner", way, 2]) for way in WAYS}
assert small["calibrated"] > small["train mode"] + 3 and small["calibrated"] > small["frozen"] + 3  # part d
assert difference <= 1e-6  # part e: folding is algebra

# %% [markdown]
# **What are the running statistics for, once training is over?** They are the part of the network that no optimiser
# knows of. In eval mode they decide what every channel is compared with, so they must describe the data that come: fit
# them to new data (`calibrating`), or keep them for old data (`freeze`), and know which of the two you want. When they
# will not change any more, they are constants, and constants fold into the weights.
#
# Next: notebook 10 asks which of the usual claims about BatchNorm hold.
