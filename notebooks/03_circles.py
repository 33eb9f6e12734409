# %% [markdown]
# # 03 · Circles
#
# **Does BatchNorm make this network learn faster, and when does it not?**
#
# You train one small network twice: with BatchNorm and without. One run looks like a clear win. Then you do what a
# claim needs: more seeds, more learning rates, and a look at the reason. Class time: 45 minutes.
#
# You need notebook 02 (what BatchNorm computes, in train mode and in eval mode).
#
# | part | what you do | minutes |
# |---|---|---|
# | a | train both networks once, and look at what they learnt | 8 |
# | b | train them from five seeds at nine learning rates | 10 |
# | c | find out what the learning rate does to each of them | 10 |
# | d | ask one network in two modes, and get two answers | 8 |
# | e | predict and measure what a batch of 8 does | 6 |
#
# Three minutes are for the prediction at the start and the answer at the end.

# %%
import copy
import math
import statistics

import matplotlib.pyplot as plt
import numpy as np
from threadpoolctl import threadpool_limits

import minitorch_bn as mt
import minitorch_bn.nn.functional as F
from minitorch_bn import nn
from minitorch_bn.experiments import circles, sweep
from minitorch_bn.experiments.figures import BLACK, GREY, MARKERS, NETS, ORANGE, SETTINGS, band, plain_log_ticks

plt.rcParams.update({**SETTINGS, "figure.dpi": 100, "figure.constrained_layout.use": True})
plt.rcParams.update({"figure.constrained_layout.w_pad": 0.12})
threads = threadpool_limits(1)  # small matrices: one thread is faster, and gives the same numbers everywhere

# %% [markdown]
# ## Your prediction
#
# Both networks are trained at nine learning rates, from 0.001 to 10, from five seeds each. For every run you count the
# epochs until 95 % of the test points are classified right. At which rates is the network with BatchNorm clearly
# sooner?
#
# - **A** At every rate.
# - **B** At small rates only. At large rates there is no difference, or the other network is sooner.
# - **C** At large rates only. At small rates there is no difference, or the other network is sooner.
# - **D** At small rates and at large ones. In between there are rates without a clear difference.
#
# Write your letter into the next cell, before you read on. The last cell reads it again.

# %% tags=["prediction"]
prediction = None  # "A", "B", "C" or "D"

# %% [markdown]
# ## a. One run
#
# The data: two rings with noise, from scikit-learn. A straight line cannot separate them.

# %%
data = circles.load_data()
x_train, y_train, x_test, y_test = data
radius = np.linalg.norm(x_train.numpy(), axis=1)
for c, name in enumerate(("outer ring", "inner ring")):
    own = radius[y_train.numpy() == c]
    print(f"class {c}, {name}: {len(own)} points to train on, radius {own.mean():.2f} +- {own.std():.2f}")
print(len(y_test), "points to test with")

# %% tags=["figure"] jupyter={"source_hidden": true}
RINGS = ((0, "outer ring", "o", ORANGE), (1, "inner ring", "^", "white"))


def draw_points(ax, x, y, size=22):
    """The points of both rings: orange circles and white triangles."""
    for c, name, marker, face in RINGS:
        ax.scatter(*x[y == c].T, s=size, marker=marker, facecolor=face, edgecolor=BLACK, linewidth=0.6, label=name)
    ax.set(xlabel="$x_1$", aspect="equal", xlim=(-1.5, 1.5), ylim=(-1.5, 1.5))


fig, ax = plt.subplots(figsize=(7.6, 5))
draw_points(ax, x_train.numpy(), y_train.numpy())
ax.set_ylabel("$x_2$")
ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), markerscale=1.6)
plt.show()

# %% [markdown]
# **Figure 1. The training points.** Look for the gap between the rings: it is wide, and hardly a point lies in it. The
# task is easy. What is in question is how soon it is learnt.
#
# ### Two networks
#
# They differ in two lines. `Identity` hands its input on. Write `import torch as mt` and `from torch import nn` at the
# top, and this cell is PyTorch.


# %%
class Net(nn.Module):
    def __init__(self, batch_norm):
        super().__init__()
        self.fc1 = nn.Linear(2, 64)
        self.bn1 = nn.BatchNorm1d(64) if batch_norm else nn.Identity()
        self.fc2 = nn.Linear(64, 32)
        self.bn2 = nn.BatchNorm1d(32) if batch_norm else nn.Identity()
        self.fc3 = nn.Linear(32, 2)

    def forward(self, x):
        x = F.relu(self.bn1(self.fc1(x)))
        x = F.relu(self.bn2(self.fc2(x)))
        return self.fc3(x)


def train(net, lr, epochs):
    """All training points in one batch, one step per epoch. Returns training losses and test accuracies."""
    optimizer = mt.optim.SGD(net.parameters(), lr=lr)
    losses, accuracies = [], []
    for _ in range(epochs):
        net.train()
        loss = F.cross_entropy(net(x_train), y_train)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

        net.eval()  # from here on BatchNorm uses its running statistics
        with mt.no_grad():
            predicted = net(x_test).argmax(1)
        accuracies.append((predicted == y_test).sum().item() / len(y_test))
    return losses, accuracies


# %% [markdown]
# One seed, learning rate 0.1, 300 epochs. Both networks draw the same random weights.

# %%
LR, EPOCHS = 0.1, 300
nets, one_run = {}, {}
for batch_norm in (True, False):
    mt.manual_seed(0)
    nets[batch_norm] = Net(batch_norm)
    one_run[batch_norm] = train(nets[batch_norm], LR, EPOCHS)

for batch_norm, (losses, accuracies) in one_run.items():
    print(
        f"{NETS[batch_norm]['label']:<15} loss {losses[0]:.3f} -> {losses[-1]:.4f}   accuracy at the end "
        f"{100 * accuracies[-1]:.1f} %   first at 95 % in epoch {sweep.epochs_to(accuracies)}"
    )


# %% tags=["figure"] jupyter={"source_hidden": true}
def finish_curves(axes, epochs):
    """Labels of the two panels: loss and accuracy over the epochs."""
    for ax in axes:
        ax.set(xscale="log", xlabel="epoch (logarithmic)", xlim=(1, epochs))
        plain_log_ticks(ax.xaxis)
    axes[0].set(title="Training loss", ylabel="cross-entropy (nats)", yscale="log")
    plain_log_ticks(axes[0].yaxis)
    axes[1].set(title="Test accuracy, eval mode", ylabel="right answers (%)", ylim=(40, 101.5))
    axes[1].axhline(95, color=BLACK, linewidth=1, linestyle=":")
    axes[1].text(1.1, 93.5, "95 %", va="top", fontsize=12)
    axes[1].legend(loc="lower right")


fig, axes = plt.subplots(1, 2, figsize=(13, 4.8))
for batch_norm, (losses, accuracies) in one_run.items():
    axes[0].plot(range(1, EPOCHS + 1), losses, **NETS[batch_norm])
    axes[1].plot(range(1, EPOCHS + 1), 100 * np.array(accuracies), **NETS[batch_norm])
finish_curves(axes, EPOCHS)
plt.show()

# %% [markdown]
# **Figure 2. One seed at learning rate 0.1.** Left: with BatchNorm the loss falls from the first step on; without it
# waits. Right: both end at the same height. Look at the first 40 epochs of the solid line: the accuracy moves up and
# down while the loss only falls. Part d says why.
#
# This is the picture of most blog posts. It is one seed, at one learning rate, and somebody chose both.
#
# What have the two networks learnt? Ask them about every point of the plane.

# %% tags=["figure"] jupyter={"source_hidden": true}
ticks = np.linspace(-1.5, 1.5, 121)
grid = np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2)
fig, axes = plt.subplots(1, 2, figsize=(13, 5.6), sharey=True)
for ax, (batch_norm, net) in zip(axes, nets.items(), strict=True):
    p = circles.probabilities(net, grid).reshape(len(ticks), len(ticks))
    filled = ax.contourf(ticks, ticks, p, levels=np.linspace(0, 1, 11), cmap="Greys", alpha=0.75)
    ax.contour(ticks, ticks, p, levels=[0.5], colors=BLACK, linewidths=2.5)
    draw_points(ax, x_test.numpy(), y_test.numpy())
    wrong = round((1 - one_run[batch_norm][1][-1]) * len(y_test))
    ax.set_title(f"{NETS[batch_norm]['label']}: {wrong} of {len(y_test)} wrong")
    ax.grid(False)
axes[0].set_ylabel("$x_2$")
fig.colorbar(filled, ax=axes, label="P(inner ring)", ticks=[0, 0.5, 1], shrink=0.85, pad=0.02)
plt.show()

# %% [markdown]
# **Figure 3. Where each network draws the line.** Background: the probability of the inner ring; black line: one half.
# Points: the test set. Look at the width of the grey border. It is narrower with BatchNorm, because that network is
# further in its training. The lines themselves do the same job.
#
# ### The same networks in the package
#
# `circles.Net` and `circles.train` are this class and this loop, with a progress bar and a hook. From here on you use
# those. First make sure that they give your numbers.

# %%
for batch_norm in (True, False):
    again = circles.run(seed=0, batch_norm=batch_norm, lr=LR, epochs=40, data=data)
    same = [name for name, _ in again.net.named_parameters()] == [
        name for name, _ in nets[batch_norm].named_parameters()
    ]
    distance = np.abs(np.array(again.losses) - one_run[batch_norm][0][:40]).max()
    print(f"{NETS[batch_norm]['label']:<15} same parameters: {same}   largest difference of 40 losses: {distance:g}")
    assert same and distance < 1e-6

# %% [markdown]
# ## b. Five seeds, nine learning rates
#
# The next cell trains 90 networks: two kinds, nine rates, five seeds, 300 epochs each. It takes about half of this
# notebook's time. The seed decides the weights at the start. The points stay the same.
#
# The full experiment has ten seeds and 500 epochs. Run it in a terminal: `python -m minitorch_bn circles`.

# %%
settings = circles.Settings(seeds=5, epochs=EPOCHS, lr=LR)
curves = circles.run_all(settings)  # (batch_norm, lr, seed) -> (losses, accuracies)
rows = sweep.summary(curves)  # one row per network and rate
by_rate = {bn: {row["lr"]: row for row in rows if row["batch_norm"] is bn} for bn in (True, False)}

print(len(curves), "runs. At learning rate", LR)
for bn in (True, False):
    row = by_rate[bn][LR]
    accuracies = [f"{100 * a:.1f}" for a in row["accuracy"]]
    print(f"{NETS[bn]['label']:<15} first at 95 % in epoch {row['epochs_to_95']}   at the end (%)", *accuracies)

# %% tags=["figure"] jupyter={"source_hidden": true}
fig, axes = plt.subplots(1, 2, figsize=(13, 4.8))
for bn, look in NETS.items():
    runs = [curves[bn, LR, seed] for seed in range(settings.seeds)]
    band(axes[0], range(1, EPOCHS + 1), np.array([losses for losses, _ in runs]), **look)
    band(axes[1], range(1, EPOCHS + 1), 100 * np.array([accuracies for _, accuracies in runs]), **look)
finish_curves(axes, EPOCHS)
plt.show()

# %% [markdown]
# **Figure 4. Five seeds at learning rate 0.1.** Lines: the median; bands: from the lowest seed to the highest. Left:
# after the first epochs the bands of the loss lie far apart. The difference is no accident of a seed. Right: the bands
# are wide, cross the dotted line one after the other, and end together. Seed 0, in figure 2, was BatchNorm's slowest
# here (list above).
#
# At this rate BatchNorm is sooner. Is that a fact about BatchNorm, or about 0.1?
#
# ### All nine rates

# %%
print(sweep.text_table(rows))


# %% tags=["figure"] jupyter={"source_hidden": true}
NEVER = 2 * EPOCHS


def arrival(row):
    """A row's epochs to 95 %, with a number above all others for never."""
    return [NEVER if epoch is None else epoch for epoch in row["epochs_to_95"]]


def finish_epochs(ax):
    """The axis that counts epochs until 95 %, with `never` at the top."""
    ax.set(ylabel="epochs (logarithmic)", yscale="log", ylim=(0.8, 1.4 * NEVER))
    plain_log_ticks(ax.yaxis, extra={NEVER: "never"})
    ax.axhline(EPOCHS * math.sqrt(2), color=BLACK, linewidth=1, linestyle=":")


def draw_sweep():
    """Final accuracy, and epochs to 95 %, against the learning rate."""
    _, axes = plt.subplots(1, 2, figsize=(13, 5.4))
    for bn, look in NETS.items():
        rates, own = list(by_rate[bn]), list(by_rate[bn].values())
        band(axes[0], rates, 100 * np.array([row["accuracy"] for row in own]).T, **look, marker=MARKERS[bn])
        beside = np.array(rates) * (1.06 if bn else 1 / 1.06)
        for rate, row in zip(beside, own, strict=True):
            dots = {"s": 32, "color": look["color"], "alpha": 0.65, "linewidth": 0, "marker": MARKERS[bn]}
            axes[1].scatter([rate] * len(arrival(row)), arrival(row), **dots)
        axes[1].plot(beside, [statistics.median(arrival(row)) for row in own], **look, marker=MARKERS[bn])
    for ax in axes:
        ax.set(xscale="log", xlabel="learning rate (logarithmic)")
        plain_log_ticks(ax.xaxis)
    axes[0].set(title=f"Test accuracy after {EPOCHS} epochs", ylabel="right answers (%)", ylim=(40, 101.5))
    axes[0].legend(handles=axes[1].get_lines()[:2], loc="lower center")
    axes[1].set_title("Epochs until 95 % were first right")
    finish_epochs(axes[1])


draw_sweep()
plt.show()

# %% [markdown]
# **Figure 5. The same two networks at nine learning rates.** This is the figure to remember. Lines: the median of five
# seeds; band: lowest to highest; dots: single seeds. Right: far to the left the solid line is lower. Follow both lines
# to the right. They meet. Then the dashed one leaves upwards, and single seeds never arrive. Left: BatchNorm's plateau
# is wider, and not higher. Where a band is wide, the seeds disagree. Compare both panels at rate 10: a seed can touch
# 95 % early and lose it again.
#
# ### Where is there no difference?
#
# Say it with a rule, not by eye. A network is *reliable* at a rate if every seed ends at 95 % or more. If both are, one
# is *clearly sooner* if its slowest seed is sooner than the other's fastest.


# %%
def reliable(row):
    return min(row["accuracy"]) >= sweep.GOAL


def compare(with_bn, without):
    """One of six verdicts about two rows of the same rate."""
    if not (reliable(with_bn) and reliable(without)):
        return {(True, False): "only with BatchNorm", (False, True): "only without it", (False, False): "neither"}[
            reliable(with_bn), reliable(without)
        ]
    if max(with_bn["epochs_to_95"]) < min(without["epochs_to_95"]):
        return "BatchNorm sooner"
    return "without sooner" if max(without["epochs_to_95"]) < min(with_bn["epochs_to_95"]) else "no clear difference"


verdict = {lr: compare(by_rate[True][lr], by_rate[False][lr]) for lr in settings.rates}
for lr, words in verdict.items():
    print(f"lr {lr:<6g} {words}" + (f", within {EPOCHS} epochs" if words == "neither" else ""))
no_difference = [lr for lr, words in verdict.items() if words == "no clear difference"]
top = {bn: max(statistics.median(row["accuracy"]) for row in by_rate[bn].values()) for bn in (True, False)}
print("\nno clear difference at", *no_difference)
print(f"best median accuracy: {100 * top[True]:.1f} % with BatchNorm, {100 * top[False]:.1f} % without")

# %% [markdown]
# The list says where there is no difference, and the last line says in what: the best accuracy is the same. BatchNorm
# did not make this network better. It made more learning rates work.
#
# A warning about the right end. At a rate that is too large, the outcome hangs on the last digits of the start. Move
# the first layer's weights by a hundred-thousandth of themselves, and train again:


# %%
def nudged(seed, lr, factor):
    """Test accuracy after 100 epochs without BatchNorm, the first layer's starting weights multiplied by factor."""
    mt.manual_seed(seed)
    net = circles.Net(batch_norm=False)
    net.fc1.weight.array[...] *= factor
    return circles.train(net, data, lr, 100)[1][-1]


for lr in (0.3, 3.0):
    pairs = [[100 * nudged(seed, lr, factor) for factor in (1, 1 + 1e-5)] for seed in range(4)]
    print(f"lr {lr:g}, accuracy (%) as it was -> nudged:", ",  ".join(f"{a:.1f} -> {b:.1f}" for a, b in pairs))

# %% [markdown]
# At 0.3 nothing moves. At 3 a seed can turn from success to failure, or back. So do not explain a single dot at the
# right end of figure 5. Another machine, or another version of NumPy, puts it elsewhere. Only how many of them fail
# means something.
#
# ### Exercise 1: a fair comparison
#
# "At learning rate 0.1 BatchNorm is sooner" compares both networks at a rate that suits one of them. Fairer: give each
# its own best rate. Write `best_rate`: the learning rate, of those at which every seed *ends* at 95 % or more, with the
# lowest median of epochs to 95 %. A row is a dict with `lr` and two lists with one entry per seed: `accuracy` (at the
# end) and `epochs_to_95` (`None`: never). The attempt looks at one seed.


# %% tags=["exercise"]
def best_rate(rows):
    """The learning rate at which a network learns soonest, from its rows."""
    arrived = [row for row in rows if row["epochs_to_95"][0] is not None]
    return min(arrived, key=lambda row: row["epochs_to_95"][0])["lr"]


# %% tags=["check"] jupyter={"source_hidden": true}
solved = {}  # exercise -> whether the last check of your attempt was content

# Rows that were made up so that every wrong rule picks a rate of its own.
MADE_UP = [
    {"lr": lr, "epochs_to_95": epochs, "accuracy": accuracy}
    for lr, epochs, accuracy in (
        (0.01, [3, 90, 90, 90, 90], [0.99] * 5),
        (0.02, [50, 50, 2, 60, 60], [0.99] * 5),
        (0.05, [5, 5, None, None, None], [0.99, 0.99, 0.5, 0.5, 0.5]),
        (0.1, [8, 8, 8, 8, 8], [0.99, 0.99, 0.5, 0.5, 0.5]),
        (0.3, [20, 20, 22, 21, 200], [0.98] * 5),
        (1.0, [30, 30, 30, 30, 30], [0.98] * 5),
        (3.0, [70, 70, 70, 70, 70], [1.0] * 5),
        (10.0, [None] * 5, [0.5] * 5),
    )
]
NAMES_OF_MISTAKES = {
    0.01: ("one seed", "seed 0 was lucky at this rate. Ask all of them."),
    0.02: ("the luckiest seed", "the minimum over seeds is one seed again, and a chosen one."),
    0.05: ("never was left out", "three of five seeds never arrived. None is later than any number, not missing."),
    0.1: ("arrived and lost again", "all seeds touch 95 %, and three end at 50 %. Look at accuracy, too."),
    1.0: ("the mean", "one late seed moves a mean as far as it likes. The median was asked for."),
    3.0: ("the best accuracy", "you chose by accuracy. The question is how soon."),
    10.0: ("never won", "no seed arrived at this rate. Is None counted as zero?"),
}


def check_best_rate(function):
    """Say which rule `function` follows."""
    try:
        got = function(copy.deepcopy(MADE_UP))
    except Exception as error:
        hint = "None has no order: filter, or replace it by math.inf." if isinstance(error, TypeError) else ""
        print(f"it raised {type(error).__name__}: {error}. {hint}")
        return False
    if got == 0.3:
        print("right: lowest median, among the rates at which every seed ends at 95 % or more.")
        return True
    if isinstance(got, dict):
        print("a row: return its learning rate, row['lr'].")
    elif got is None:
        print("nothing returned: your function ends without a return.")
    elif got in NAMES_OF_MISTAKES:
        print("{}: {}".format(*NAMES_OF_MISTAKES[got]))
    else:
        print(f"a mistake without a name: got {got!r}, wanted one of the rates.")
    return False


solved[1] = check_best_rate(best_rate)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_1(rows):
    """Among reliable rows, the lowest median."""
    return min(filter(reliable, rows), key=lambda row: statistics.median(row["epochs_to_95"]))["lr"]


assert check_best_rate(solution_1)

# %%
best = {bn: by_rate[bn][solution_1(by_rate[bn].values())] for bn in (True, False)}
for bn in (True, False):
    own, other = best[bn], by_rate[not bn][best[bn]["lr"]]
    print(
        f"{NETS[bn]['label']:<15} best rate {own['lr']:g}: median {sweep.show_epochs(own['epochs_to_95'])} epochs, "
        f"seeds {own['epochs_to_95']}   (the other network there: {other['epochs_to_95']})"
    )

# %% [markdown]
# At its own best rate the network without BatchNorm is about as quick. So "BatchNorm is faster" was a sentence about
# the rate 0.1. What remains is the width: nobody had to find BatchNorm's best rate.
#
# ## c. What does the rate do to each network?
#
# ### The left end: the same rate is not the same step
#
# SGD moves the weights by `lr` times the gradient. Look at the gradient before the first step.


# %%
def first_gradient(seed, batch_norm):
    """Spread over the points of what the second ReLU gets, and the norm of the whole gradient, before training."""
    mt.manual_seed(seed)
    net = circles.Net(batch_norm)
    a2 = net.bn2(net.fc2(F.relu(net.bn1(net.fc1(x_train)))))
    F.cross_entropy(net.fc3(F.relu(a2)), y_train).backward()
    norm = math.sqrt(sum((p.grad.array**2).sum() for p in net.parameters()))
    return float(np.median(a2.array.std(0))), norm


norm_at_start = {}
for bn in (True, False):
    spreads, norms = zip(*(first_gradient(seed, bn) for seed in range(settings.seeds)), strict=True)
    norm_at_start[bn] = statistics.median(norms)
    print(
        f"{NETS[bn]['label']:<15} spread at the second ReLU {statistics.median(spreads):.2f}   "
        f"norm of the gradient {norm_at_start[bn]:.2f}   (medians of {settings.seeds} seeds)"
    )
ratio = norm_at_start[True] / norm_at_start[False]
print(f"ratio of the gradients: {ratio:.1f}")

# %% [markdown]
# PyTorch's initial weights shrink the signal from layer to layer. BatchNorm brings it back to spread 1, and the
# gradient with it. At the same `lr`, its first step is longer by the ratio in the last line. A small rate with
# BatchNorm is a larger rate without. How much of the left end does that explain? Figure 6 (left) draws the sweep again,
# against the length of the first step.
#
# ### The right end: who survives a step that is too long?
#
# **Without BatchNorm**: a long step can push a ReLU so far down that it gives 0 for every point. Its gradient is 0 from
# then on. It is *dead*.
#
# **With BatchNorm**: the weights in front of it have no scale. Multiply them by 10: `mean` and the standard deviation
# grow tenfold, too, and `x_hat` stays. The cell tries it, on `fc2.weight`.


# %%
def turned(before, after):
    """Median angle, in degrees, by which the rows of a matrix turned."""
    u, v = (w / np.linalg.norm(w, axis=1, keepdims=True) for w in (before.astype(float), after.astype(float)))
    return float(np.median(np.degrees(2 * np.arcsin(np.linalg.norm(u - v, axis=1) / 2))))


print("network         weights   logits move by   norm of dW   one step at lr 0.1 turns W by")
effect = {}
for bn in (True, False):
    for factor in (1, 10):
        mt.manual_seed(0)
        net = circles.Net(bn)
        before_scaling = net(x_train).array
        W = net.fc2.weight
        W.array[...] *= factor
        logits = net(x_train)
        F.cross_entropy(logits, y_train).backward()
        moved, norm = np.abs(logits.array - before_scaling).max(), np.linalg.norm(W.grad.array)
        angle = turned(W.array, W.array - 0.1 * W.grad.array)
        effect[bn, factor] = moved, norm, angle
        print(f"{NETS[bn]['label']:<15} times {factor:<3d} {moved:12.4f} {norm:15.4f} {angle:18.4f} degrees")
        if bn and factor == 1:
            cosine = (W.array * W.grad.array).sum(1) / np.linalg.norm(W.array, axis=1)
            cosine = np.abs(cosine / np.linalg.norm(W.grad.array, axis=1)).max()
print(f"\nwith BatchNorm, cosine between a row of W and its gradient: at most {cosine:.0e}")
assert effect[True, 10][0] < 0.01 < effect[False, 10][0] and cosine < 0.01

# %% [markdown]
# With BatchNorm the logits do not notice. The gradient is ten times smaller, the step turns the weights a hundred times
# less. So the rate that matters is `lr / |W|²`: the *effective rate*. And since the gradient stands at a right angle to
# `W` (the last line), a step can only make `W` longer (Pythagoras):
#
# $$|\mathtt{W} - \mathtt{lr}\,\mathtt{dW}|^2 = |\mathtt{W}|^2 + \mathtt{lr}^2\,|\mathtt{dW}|^2$$
#
# A step that is too long makes `W` long, and a long `W` makes the next steps short. BatchNorm corrects a rate that is
# too large. The other network has nothing of the kind. Measure both effects at every rate: three seeds, 100 epochs.


# %%
def lengths(w):
    return np.linalg.norm(w, axis=1, keepdims=True)


def after_training(seed, batch_norm, lr, epochs=100):
    """Share of hidden units that are 0 for all training points; growth of the rows of fc2.weight (median)."""
    mt.manual_seed(seed)
    net = circles.Net(batch_norm)
    at_start = lengths(net.fc2.weight.array)
    circles.train(net, data, lr, epochs)
    with mt.no_grad():
        h1 = F.relu(net.bn1(net.fc1(x_train)))
        h2 = F.relu(net.bn2(net.fc2(h1)))
    silent = [(h.array == 0).all(0) for h in (h1, h2)]
    return np.concatenate(silent).mean(), np.median(lengths(net.fc2.weight.array) / at_start)


with np.errstate(over="ignore", invalid="ignore"):  # at lr 10 a loss may overflow: a result here
    measured = {
        bn: np.array([[after_training(seed, bn, lr) for seed in range(3)] for lr in settings.rates])
        for bn in (True, False)
    }  # (rate, seed, what)
dead = {bn: 100 * np.median(measured[bn][:, :, 0], 1) for bn in (True, False)}
growth = {bn: np.median(measured[bn][:, :, 1], 1) for bn in (True, False)}
effective = np.array(settings.rates) / growth[True] ** 2  # |W| at the start is the unit

print("lr       dead ReLUs (%): BN, without    |W| / |W| at the start, BN    effective rate, BN")
for i, lr in enumerate(settings.rates):
    print(f"{lr:<8g} {dead[True][i]:20.1f} {dead[False][i]:8.1f} {growth[True][i]:24.2f} {effective[i]:25.3g}")

# %% tags=["figure"] jupyter={"source_hidden": true}
fig, axes = plt.subplots(1, 3, figsize=(14, 5))
for bn, look in NETS.items():
    lr = np.array(settings.rates)
    middles = [statistics.median(arrival(row)) for row in by_rate[bn].values()]
    axes[0].plot(lr * norm_at_start[bn], middles, **look, marker=MARKERS[bn])
    axes[1].plot(lr, dead[bn], **look, marker=MARKERS[bn])
    axes[1].fill_between(lr, *100 * np.quantile(measured[bn][:, :, 0], (0, 1), axis=1), color=look["color"], alpha=0.2)
axes[2].plot(lr, lr, color=GREY, linewidth=1.6, linestyle=":", label="if W kept its length")
axes[2].plot(lr, effective, **{**NETS[True], "label": "with BatchNorm"}, marker="o")
for ax in axes:
    ax.set(xscale="log", xlabel="learning rate")
    plain_log_ticks(ax.xaxis)
    ax.tick_params(labelsize=11)
finish_epochs(axes[0])
axes[0].set(title="Epochs until 95 %", xlabel="length of the first step: lr · |gradient|")
axes[1].set(title="Dead ReLUs after 100 epochs", ylabel="share of the hidden units (%)", ylim=(-3, 103))
axes[1].legend(loc="upper left")
axes[2].set(title="Effective rate after 100 epochs", ylabel="lr / (growth of |W|)²", yscale="log")
plain_log_ticks(axes[2].yaxis)
axes[2].legend(loc="upper left")
plt.show()

# %% [markdown]
# **Figure 6. What explains the sweep.** Left: figure 5 against the length of the first step, not against `lr`. The two
# lines have moved together: a good part of the distance on the left was the length of the step. Middle: without
# BatchNorm some ReLUs are silent from the start, and from rate 1 on more of them die. At 10 BatchNorm loses many, too:
# it is robust, not immune. Right: the effective rate follows `lr` (dotted) as long as `lr` is good, and bends down
# where `lr` is too large.
#
# ### Is that the reason, or only there?
#
# Something that happens at the same time need not be the cause. So take it away. After every step, give the rows of
# `fc1.weight` and `fc2.weight` their length back. The network computes the same (they have no scale), but the effective
# rate cannot fall any more.


# %%
def with_held_length(seed, lr, hold, epochs=100):
    """Accuracies of the network with BatchNorm; `hold`: its weights keep the length that they had at the start."""
    mt.manual_seed(seed)
    net = circles.Net(batch_norm=True)
    weights = [(layer.weight.array, lengths(layer.weight.array)) for layer in (net.fc1, net.fc2)]

    def probe(net):
        for W, length in weights:
            W[...] *= length / lengths(W)

    with np.errstate(over="ignore", invalid="ignore"):
        return circles.train(net, data, lr, epochs, probe=probe if hold else None)[1]


held = {}
print("lr    weights     first at 95 % in epoch (five seeds)     seeds at 95 % after 100 epochs")
for lr in (1.0, 3.0, 10.0):
    for hold in (False, True):
        runs = [with_held_length(seed, lr, hold) for seed in range(5)]
        first = [sweep.epochs_to(accuracies) for accuracies in runs]
        held[lr, hold] = first
        arrived = sweep.show_arrived([accuracies[-1] for accuracies in runs])
        print(f"{lr:<5g} {'kept short' if hold else 'may grow  '}  {first!s:<40}{arrived}")

# %% [markdown]
# At 1 it changes little: the weights hardly grow there (table above). At 3 the runs with short weights are later. At 10
# compare the last two lines. So the growth is a reason for the right end, and no part of the left end.
#
# ## d. Two answers from one network
#
# Back to figure 2. With BatchNorm the loss falls at once, but the test accuracy takes its time. The loss is computed in
# train mode, the accuracy in eval mode. Ask the same network for the test accuracy in both modes, after every epoch.


# %%
def two_answers(seed, lr, momentum, epochs=80):
    """Test accuracies after every epoch: with the running statistics, and with the test set's own."""
    mt.manual_seed(seed)
    net = circles.Net(batch_norm=True)
    net.bn1.momentum = net.bn2.momentum = momentum
    own = []
    _, running = circles.train(
        net, data, lr, epochs, probe=lambda net: own.append(circles.accuracy_in_train_mode(net, data))
    )
    return running, own


def show_first(runs):
    return ", ".join(f"{sweep.epochs_to(accuracies) or 'never'!s:>5}" for accuracies in runs)


LAG_SEEDS = 3
answers = {}
print("first at 95 % in epoch (three seeds), 80 epochs")
for lr in (0.1, 1.0):
    for momentum in (0.01, 0.1, 1.0):
        pairs = [two_answers(seed, lr, momentum) for seed in range(LAG_SEEDS)]
        answers[lr, momentum] = [running for running, _ in pairs]
        print(f"lr {lr:<4g} with BatchNorm, eval mode, momentum {momentum:<5g}", show_first(answers[lr, momentum]))
    answers[lr, "own"] = [own for _, own in pairs]
    print(f"lr {lr:<4g} with BatchNorm, train mode               ", show_first(answers[lr, "own"]))
    plain = [curves[False, lr, seed][1] for seed in range(LAG_SEEDS)]
    print(f"lr {lr:<4g} without                                  ", show_first(plain))

lags = [sweep.epochs_to(late) - sweep.epochs_to(own) for late, own in zip(answers[0.1, 0.1], answers[0.1, "own"])]
print("\nlr 0.1, momentum 0.1: eval mode is behind train mode by", *lags, "epochs")
print("\nsteps until the start's weight (1 - momentum)^n is below    10 %     1 %")
for momentum in (0.01, 0.1):
    steps = [math.ceil(math.log(share) / math.log(1 - momentum)) for share in (0.1, 0.01)]
    print(f"momentum {momentum:<51g} {steps[0]:d}     {steps[1]:d}")

# %% tags=["figure"] jupyter={"source_hidden": true}
fig, axes = plt.subplots(1, 2, figsize=(13, 4.8), sharey=True)
epochs = range(1, 81)
SHADES = {"own": (GREY, "-."), 1.0: (ORANGE, "--"), 0.1: (NETS[True]["color"], "-"), 0.01: (BLACK, ":")}
for ax, keys in ((axes[0], ("own", 0.1)), (axes[1], (1.0, 0.1, 0.01))):
    for key in keys:
        colour, line = SHADES[key]
        words = "train mode: the test points' own" if key == "own" else f"eval mode: running, momentum {key:g}"
        values = 100 * np.array(answers[0.1, key])
        band(ax, epochs, values, color=colour, linestyle=line, label=words)
    ax.axhline(95, color=BLACK, linewidth=1, linestyle=":")
    ax.set(xlabel="epoch (one step each)", xlim=(1, 80), ylim=(10, 102))
    ax.legend(loc="lower right")
axes[0].set(title="One network, asked in two modes", ylabel="right answers (%)")
axes[1].set_title("Eval mode, three momenta")
plt.show()

# %% [markdown]
# **Figure 7. The running statistics trail behind** (learning rate 0.1, median and range of three seeds). Left: the same
# weights after the same epoch. In train mode they are right almost at once. In eval mode the answer comes later, since
# the running statistics still hold mean 0 and variance 1 from the start, and the values of old weights. Right: the
# smaller the momentum, the longer that lasts.
#
# One epoch is one step here. With momentum 0.1, `0.9^n` of the start is left after `n` steps; the table counts them.
# Learning is not what is missing: with momentum 1 the same weights answer right a few epochs after train mode does.
# With many batches per epoch the delay is over within the first.
#
# Does this touch the sweep? Yes, and it has to be said: at rate 1 the tie of part b is a tie with default momentum, in
# eval mode. Compare the lines for lr 1. Where a network needs only a handful of steps, the running statistics are what
# you wait for. Momentum 1 would be a fair repair here, because the batch is the whole training set. With small batches
# it would be a bad one.
#
# ### Exercise 2: the accuracy that jumps
#
# Somebody wrote the function below and evaluates your trained network with it. On the whole test set all looks well. In
# batches of 8 the accuracy jumps. Run both cells, and repair the function. It should leave the network as it was.


# %% tags=["exercise"]
def accuracy(net, x, y):
    """Share of the points x that net classifies right. Changes nothing in net, and leaves it in the mode it was in."""
    with mt.no_grad():
        predicted = net(x).argmax(1)
    return (predicted == y).sum().item() / len(y)


# %% tags=["check"] jupyter={"source_hidden": true}
def in_batches(function, net, size):
    """The mean of function(net, x, y) over batches of the test set."""
    starts = range(0, len(y_test), size)
    return statistics.mean(function(net, x_test[i : i + size], y_test[i : i + size]) for i in starts)


def eval_accuracy(net):
    """The reference: eval mode, on a copy."""
    with mt.no_grad():
        return float((copy.deepcopy(net).eval()(x_test).argmax(1) == y_test).array.mean())


def check_accuracy(function):
    """Try `function` on copies of the trained network, in both modes, and name what is wrong."""
    wanted = eval_accuracy(nets[True])
    try:
        for mode in (True, False):
            net = copy.deepcopy(nets[True]).train(mode)
            before = {name: b.array.copy() for name, b in net.named_buffers()}
            whole = function(net, x_test, y_test)
            if whole is None:
                print("nothing returned: your function ends without a return.")
                return False
            eights = in_batches(function, net, 8)
            if mode:
                print(f"whole test set {100 * whole:.1f} %, in batches of 8 {100 * eights:.1f} %")
            moved = any((b.array != before[name]).any() for name, b in net.named_buffers())
            if abs(eights - wanted) > 1e-9 or abs(whole - wanted) > 1e-9 or moved:
                return _name(net, mode, moved, whole, eights, wanted)
            if net.training != mode:
                was, now = ("train", "eval") if mode else ("eval", "train")
                print(f"left in {now} mode: it came in {was} mode. The training loop that calls you will not notice.")
                return False
            if function(net, x_test[:1], y_test[:1]) not in (0, 1):
                print("one point has accuracy 0 or 1: divide by len(y).")
                return False
    except Exception as error:
        print(f"it raised {type(error).__name__}: {error}")
        return False
    print("right: the same accuracy in batches of any size, and the network is as it was.")
    return True


def _name(net, mode, moved, whole, eights, wanted):
    """Print the name of the mistake."""
    if not 0 <= whole <= 1:
        print(f"not a share: got {whole!r}, wanted a number from 0 to 1.")
    elif moved and mode:
        print(
            "train mode: BatchNorm normalises the points with each other's mean and variance, so the answer depends "
            "on the company. And the running statistics moved: test points went into them. no_grad() stops gradients, "
            "not statistics."
        )
    elif moved:
        print("train mode was switched on: the network came in eval mode, and its running statistics moved.")
    elif abs(eights - whole) > 1e-9:
        print("depends on the batch: every point should get the same answer in any company.")
    else:
        print(f"a mistake without a name: got {whole:.4f}, wanted {wanted:.4f}.")
    return False


solved[2] = check_accuracy(accuracy)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_2(net, x, y):
    """Eval mode for the forward pass, then the mode that the network came in."""
    was_training = net.training
    net.eval()
    with mt.no_grad():
        predicted = net(x).argmax(1)
    net.train(was_training)
    return (predicted == y).sum().item() / len(y)


assert check_accuracy(solution_2)


# %% [markdown]
# Explain the jump before you read on. The cell asks the same network, in both modes, about different company.


# %%
def in_train_mode(net, x, y):
    """The mistake of exercise 2: accuracy in whatever mode the network is in."""
    with mt.no_grad():
        return (net(x).argmax(1) == y).sum().item() / len(y)


inner = np.flatnonzero(y_test.numpy() == 1)
company = {
    "the whole test set": lambda ask, net: ask(net, x_test, y_test),
    "batches of 8": lambda ask, net: in_batches(ask, net, 8),
    "the inner ring alone": lambda ask, net: ask(net, x_test[inner], y_test[inner]),
}
jump = {}
print("right answers (%)        eval mode   train mode")
for name, ask_all in company.items():
    jump[name] = [ask_all(ask, copy.deepcopy(nets[True]).train()) for ask in (solution_2, in_train_mode)]
    print(f"{name:<22} {100 * jump[name][0]:10.1f} {100 * jump[name][1]:12.1f}")

spoilt = copy.deepcopy(nets[True]).train()
for _ in range(20):
    in_train_mode(spoilt, x_test[inner], y_test[inner])
after_looks = solution_2(spoilt, x_test, y_test)
print(f"\neval mode, after 20 looks at the inner ring in train mode: {100 * after_looks:.1f} %")
assert jump["batches of 8"][1] < jump["batches of 8"][0] - 0.05

# %% [markdown]
# Eight points are a rough estimate of a mean and a variance. The ring alone is worse: BatchNorm divides by *its*
# spread, so the inner ring comes out as wide as the whole data, and looks like something else. In eval mode a point's
# answer depends on the point. The last line is the second damage: looking in train mode changed the network, without a
# single gradient.
#
# ## e. A batch of 8
#
# So far one batch was the whole training set. Now take 8 points at a time: 175 steps per epoch, each with the
# statistics of 8 points. Learning rate 0.1, 10 epochs, five seeds. What will you see?
#
# - **A** BatchNorm is clearly ahead in test accuracy after the first epoch, as in figure 4.
# - **B** Test accuracy: no difference worth the name. Training loss at the end: much higher with BatchNorm.
# - **C** Test accuracy: no difference worth the name. Training loss at the end: much lower with BatchNorm.
# - **D** With BatchNorm the test accuracy ends more than 2 points lower, because 8 points are too few.
#
# ### Exercise 3: predict, then measure
#
# Write your letter, then repair the loop. Its attempt runs, and learns badly.

# %% tags=["exercise"]
prediction_8 = None  # "A", "B", "C" or "D"


def one_epoch(net, optimizer, x, y, batches):
    """One step per batch; a batch is an array of numbers of points. Returns the mean loss, in nats."""
    net.train()
    losses = []
    optimizer.zero_grad()
    for batch in batches:
        loss = F.cross_entropy(net(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


# %% tags=["check"] jupyter={"source_hidden": true}
def epoch_with(mistake=None):
    """A function like one_epoch, with one known mistake or none."""

    def epoch(net, optimizer, x, y, batches):
        net.train(mistake != "eval")
        losses = []
        optimizer.zero_grad()
        for batch in batches[:-1] if mistake == "last" else batches:
            labels = y[: len(batch)] if mistake == "labels" else y[batch]
            loss = F.cross_entropy(net(x[batch]), labels, reduction="sum" if mistake == "sum" else "mean")
            if mistake not in ("accumulate", "late"):
                optimizer.zero_grad()
            if mistake != "backward":
                loss.backward()
            if mistake not in ("late", "step"):
                optimizer.step()
            losses.append(loss.item())
        if mistake == "late":
            optimizer.step()
        return sum(losses) / len(losses)

    return epoch


MISTAKES_8 = {
    "accumulate": "gradients add up: backward() adds to .grad, and nothing sets it back before the next batch.",
    "late": "one step per epoch: the step stands behind the loop, so all batches see the same weights.",
    "step": "no step: the weights did not move, or moved without the optimizer.",
    "labels": "other points' labels: y needs the same batch as x.",
    "eval": "eval mode: BatchNorm trained with its running statistics, and did not update them.",
    "sum": "the sum of the losses: a step 8 times too long. cross_entropy's mean is per point.",
    "last": "the last batch is missing.",
}


def result_of(epoch):
    """Weights and running statistics after `epoch` on six batches of 8, and what it returned."""
    mt.manual_seed(3)
    net = circles.Net(batch_norm=True)
    batches = np.random.default_rng(0).permutation(len(y_train))[:48].reshape(6, 8)
    loss = epoch(net, mt.optim.SGD(net.parameters(), lr=0.1), x_train, y_train, batches)
    state = [p.array.ravel() for p in net.parameters()] + [b.array.ravel() for b in net.buffers()]
    return np.concatenate(state), loss


def check_one_epoch(function):
    """Compare what `function` does to a network with what the right loop and the known wrong ones do."""
    try:
        state, loss = result_of(function)
    except Exception as error:
        print(f"it raised {type(error).__name__}: {error}")
        return False

    def same(a, b):
        return np.allclose(a, b, rtol=1e-4, atol=1e-5)

    wanted, wanted_loss = result_of(epoch_with())
    if same(state, wanted):
        if loss is not None and same(loss, wanted_loss):
            print("right: the same weights, the same statistics, the same loss.")
            return True
        print(f"the right steps, another loss: got {loss!r}, wanted the mean over the batches, {wanted_loss:.4f}.")
        return False
    for name, words in MISTAKES_8.items():
        if same(state, result_of(epoch_with(name))[0]):
            print(words)
            return False
    print(f"a mistake without a name: the weights end up to {np.abs(state - wanted).max():.2g} from the right ones.")
    return False


assert len({result_of(epoch_with(name))[0].tobytes() for name in [None, *MISTAKES_8]}) == 1 + len(MISTAKES_8)
solved[3] = check_one_epoch(one_epoch)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_3(net, optimizer, x, y, batches):
    """zero_grad() belongs into the loop: every batch starts from a gradient of zero."""
    net.train()
    losses = []
    for batch in batches:
        loss = F.cross_entropy(net(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


assert check_one_epoch(solution_3)


# %%
def train_in_batches(seed, batch_norm, size=8, lr=0.1, epochs=10):
    """Train in batches; returns the network, and per epoch the mean training loss and the test accuracy."""
    mt.manual_seed(seed)
    net = circles.Net(batch_norm)
    optimizer = mt.optim.SGD(net.parameters(), lr=lr)
    losses, accuracies = [], []
    for _ in range(epochs):
        batches = mt.randperm(len(y_train)).numpy().reshape(-1, size)
        losses.append(solution_3(net, optimizer, x_train, y_train, batches))
        accuracies.append(solution_2(net, x_test, y_test))
    return net, losses, accuracies


small = {bn: [train_in_batches(seed, bn) for seed in range(5)] for bn in (True, False)}
at_8 = {}
print("batch of 8 (medians of five seeds)    accuracy after 1 epoch   after 10    training loss in epoch 10")
for bn, runs in small.items():
    at_8[bn] = [statistics.median(v) for v in zip(*((a[0], a[-1], losses[-1]) for _, losses, a in runs), strict=True)]
    first, last, loss = at_8[bn]
    print(f"{NETS[bn]['label']:<37} {100 * first:20.1f} % {100 * last:9.1f} % {loss:21.4f}")

answer_8 = {
    "A": at_8[True][0] > at_8[False][0] + 0.02,
    "B": abs(at_8[True][1] - at_8[False][1]) < 0.02 and at_8[True][2] > 3 * at_8[False][2],
    "C": abs(at_8[True][1] - at_8[False][1]) < 0.02 and at_8[True][2] < at_8[False][2] / 3,
    "D": at_8[True][1] < at_8[False][1] - 0.02,
}
print(
    "measured:", "".join(k for k, holds in answer_8.items() if holds), "  you predicted:", prediction_8 or "nothing yet"
)

# %% [markdown]
# Is the higher loss a worse network? Ask the first of these networks for its loss on the training points, three times,
# with the same weights.

# %%
net = small[True][0][0]
with mt.no_grad():
    in_eval = F.cross_entropy(copy.deepcopy(net).eval()(x_train), y_train).item()
    whole = F.cross_entropy(copy.deepcopy(net).train()(x_train), y_train).item()
    busy = copy.deepcopy(net).train()
    in_eights = [F.cross_entropy(busy(x_train[i : i + 8]), y_train[i : i + 8]).item() for i in range(0, 1400, 8)]
in_eights = statistics.mean(in_eights)
print(f"eval mode                      {in_eval:.4f}")
print(f"train mode, all points at once {whole:.4f}")
print(f"train mode, 8 points at a time {in_eights:.4f}")

# %% [markdown]
# Same weights, three losses. Most of the high one is the price of statistics from 8 points: a point's `x_hat` depends
# on seven others, and every batch draws them anew. Eval mode is free of that noise. What remains there is still above
# the other network's loss: under noise, this one learnt to be less sure. Its answers are right all the same. And with
# 175 steps per epoch both networks are done within the first: nothing is left to be faster at. Notebook 08 makes the
# batch smaller until BatchNorm breaks.
#
# ## PyTorch, if it is there
#
# An optional cell. Same seed, same layers: the first losses should be PyTorch's. Without PyTorch it says so
# and goes on.

# %% tags=["optional"]
try:
    import torch
except ImportError:
    torch = None

if torch is None:
    print("PyTorch is not installed: skipped. Nothing below needs it.")
else:
    x_torch, y_torch = torch.from_numpy(x_train.numpy()), torch.from_numpy(y_train.numpy())
    for batch_norm in (True, False):
        torch.manual_seed(0)
        norm = torch.nn.BatchNorm1d if batch_norm else torch.nn.Identity
        layers = (torch.nn.Linear(2, 64), norm(64), torch.nn.ReLU(), torch.nn.Linear(64, 32), norm(32))
        net = torch.nn.Sequential(*layers, torch.nn.ReLU(), torch.nn.Linear(32, 2))
        optimizer = torch.optim.SGD(net.parameters(), lr=LR)
        theirs = []
        for _ in range(5):
            loss = torch.nn.functional.cross_entropy(net(x_torch), y_torch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            theirs.append(loss.item())
        ours = one_run[batch_norm][0][:5]
        print(f"{NETS[batch_norm]['label']:<15} PyTorch", *(f"{v:.6f}" for v in theirs))
        print(f"{'':<15} ours   ", *(f"{v:.6f}" for v in ours))
        assert np.allclose(ours, theirs, rtol=1e-4)

# %% [markdown]
# ## The answer
#
# Each sentence of the prediction is a claim about the verdicts of part b. Test all four.

# %%
wins = [lr for lr, words in verdict.items() if words in ("only with BatchNorm", "BatchNorm sooner")]
small_rates = [lr for lr in wins if lr < min(no_difference, default=math.inf)]
large_rates = [lr for lr in wins if lr > max(no_difference, default=math.inf)]
claims = {
    "A": len(wins) == len(settings.rates),
    "B": bool(small_rates) and not large_rates and len(wins) < len(settings.rates),
    "C": bool(large_rates) and not small_rates,
    "D": bool(small_rates) and bool(large_rates),
}
answer = "".join(letter for letter, holds in claims.items() if holds)
print("BatchNorm clearly sooner, small rates:", *small_rates)
print("no clear difference:                  ", *no_difference)
print("BatchNorm clearly sooner, large rates:", *large_rates)
print(f"best median accuracy: {100 * top[True]:.1f} % with BatchNorm, {100 * top[False]:.1f} % without")
print("measured:", answer, "  you predicted:", prediction or "nothing yet. Write a letter into the second code cell.")
if prediction:
    print(
        "As predicted." if prediction == answer else f"Not as predicted. Which line above speaks against {prediction}?"
    )
print(f"exercises solved: {sum(solved.values())} of {len(solved)}")

assert prediction in {None, *claims}, f"prediction is {prediction!r}, wanted one of A, B, C, D"
assert prediction_8 in {None, *answer_8}, f"prediction_8 is {prediction_8!r}, wanted one of A, B, C, D"
assert answer == "D"
assert verdict[0.01] == "only with BatchNorm" and verdict[0.1] == "BatchNorm sooner" and 1.0 in no_difference
assert abs(top[True] - top[False]) < 0.01  # the top is where it was
assert sum(map(reliable, by_rate[True].values())) >= sum(map(reliable, by_rate[False].values())) + 2  # and wider
assert ratio > 4  # the left end: longer steps
assert growth[True][-1] > 3 > growth[True][settings.rates.index(0.1)]  # the right end: weights that grow

# %% [markdown]
# **Does BatchNorm make this network learn faster, and when does it not?** At a small learning rate, yes: its gradients
# are larger, so its steps are longer. At a rate that is too large for the other network, yes: its weights grow and
# shorten the steps, and fewer ReLUs die. At a rate that suits both, no: not in eval mode with the default momentum, and
# with batches of 8 neither. The best accuracy is the same. BatchNorm widens the range of rates that work; it does not
# raise the top.
#
# All of it on one data set, with one architecture and plain SGD. If your prediction was another: which cell would have
# told you first?
#
# Next: notebook 04 takes a network in which the signal itself gets lost.
