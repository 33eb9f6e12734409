# %% [markdown]
# # 08 · Small batches and many machines
#
# **What breaks at batch size 2, and can four machines repair it?**
#
# BatchNorm estimates a mean and a variance from the batch. You measure how good these estimates are, train with batches
# of 1 to 256, and start four processes that share their statistics. Class time: 60 minutes.
#
# You need notebook 02 (what BatchNorm computes) and notebook 07 (its relatives GroupNorm and LayerNorm).
#
# | part | what you do | minutes |
# |---|---|---|
# | a | measure how far a batch's mean and variance are off | 12 |
# | b | look at what is left of two images after BatchNorm, and at one | 6 |
# | c | train with batches of 1 to 256 on one machine | 8 |
# | d | combine the statistics of several machines | 14 |
# | e | accumulate gradients, and see that it is not a large batch | 10 |
# | f | start four ranks | 8 |
#
# Two minutes are for the prediction at the start and the answer at the end.

# %%
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import ranks_digits
from matplotlib.ticker import NullLocator
from ranks_digits import network, train
from threadpoolctl import threadpool_limits
from tqdm import tqdm

import minitorch_bn as mt
import minitorch_bn.nn.functional as F
from minitorch_bn import nn
from minitorch_bn.experiments.figures import BLACK, BLUE, GREY, ORANGE, SETTINGS, band, plain_log_ticks

plt.rcParams.update({**SETTINGS, "figure.dpi": 100, "figure.constrained_layout.use": True})
plt.rcParams.update({"figure.constrained_layout.w_pad": 0.12})
threads = threadpool_limits(1)  # small matrices: one thread is faster, and gives the same numbers everywhere

# %% [markdown]
# ## Your prediction
#
# A network with BatchNorm learns to read digits. A machine has room for 2 images per step. What happens?
#
# - **A** Nothing breaks. It learns as well as with large batches, or with GroupNorm.
# - **B** It breaks. Four machines with 2 images each that average their *gradients* repair it.
# - **C** It breaks. Averaging gradients does not repair it; four machines that share their *statistics*, too, do.
# - **D** It breaks, and four machines cannot repair it. Only another normalisation can.
#
# Write your letter into the next cell, before you read on. The last cell reads it again.

# %% tags=["prediction"]
prediction = None  # "A", "B", "C" or "D"

# %% [markdown]
# ## a. How good is an estimate from m values?
#
# BatchNorm wants the mean and the variance of a channel over all images. It gets those of `m` images. Take one channel
# of a real network, draw batches of `m` values from it, many times, and compare.

# %%
x_train, y_train, x_test, y_test = ranks_digits.data()
mt.manual_seed(0)
with mt.no_grad():
    values = network("BN")[0](mt.tensor(x_train)).numpy().astype(np.float64)
values = values[:, values.std(0).argmax()]  # one channel, before its BatchNorm
mean, var = values.mean(), values.var()
fourth = ((values - mean) ** 4).mean()
print(f"{len(values)} values   mean {mean:.4f}   var {var:.4f}   mean of (x - mean)**4 {fourth:.5f}")

# %% [markdown]
# Theory, for independent draws:
#
# - the batch's mean is right on average; its variance is `var / m`;
# - the batch's variance with 1/m is too small on average: `(m - 1) / m * var`;
# - with 1/(m - 1) it is right on average, and its variance is `(fourth - var**2 * (m - 3) / (m - 1)) / m`. That goes
#   as 1/m, too.

# %%
rng = np.random.default_rng(1)
SIZES = [2**k for k in range(9)]  # 1 to 256
DRAWS = 4000
measured = {}
for m in SIZES:
    batches = rng.choice(values, (DRAWS, m))
    means, biased = batches.mean(1), batches.var(1)
    unbiased = biased * m / (m - 1) if m > 1 else np.full(DRAWS, np.nan)
    measured[m] = means.var(), biased.mean(), unbiased.mean(), unbiased.var()
theory_mean = {m: var / m for m in SIZES}
theory_var = {m: (fourth - var**2 * (m - 3) / (m - 1)) / m for m in SIZES if m > 1}

print("   m   var of the mean      average of the var, as a part of the true one      spread (std) of the var")
print("       measured  theory     with 1/m   theory   with 1/(m-1)                   measured  theory")
for m, (of_mean, biased, unbiased, of_var) in measured.items():
    line = f"{m:4}   {of_mean:.5f}  {theory_mean[m]:.5f}     {biased / var:.3f}      {(m - 1) / m:.3f}"
    if m > 1:
        line += f"    {unbiased / var:.3f} {of_var**0.5 / var:30.0%} {theory_var[m] ** 0.5 / var:9.0%}"
    print(line)

# %% tags=["figure"] jupyter={"source_hidden": true}
fig, axes = plt.subplots(1, 2, figsize=(13, 4.8))
panels = (
    ("The mean of a batch", {m: row[0] for m, row in measured.items()}, theory_mean, var),
    ("The variance of a batch (unbiased)", {m: row[3] for m, row in measured.items() if m > 1}, theory_var, var**2),
)
for ax, (title, dots, line, unit) in zip(axes, panels, strict=True):
    ax.plot(line.keys(), [v / unit for v in line.values()], color=ORANGE, linestyle="--", label="theory")
    ax.plot(dots.keys(), [v / unit for v in dots.values()], "o", color=BLUE, label=f"measured, {DRAWS} batches")
    ax.axhline(1, color=BLACK, linewidth=1, linestyle=":")
    ax.set(title=title, xscale="log", yscale="log", xlabel="values in the batch, m", ylim=(2e-3, 4), xlim=(0.8, 330))
    ax.set_xticks(SIZES, SIZES)
    ax.xaxis.set_minor_locator(NullLocator())
    plain_log_ticks(ax.yaxis)
axes[0].set_ylabel("variance of the estimate / var")
axes[1].set_ylabel("variance of the estimate / var²")
axes[0].legend(loc="lower left")
plt.show()

# %% [markdown]
# **Figure 1. The variance of an estimate goes as 1/m.** Look at the slope: both axes are logarithmic, and the dots fall
# by a factor of ten where m grows by ten. Then look at the first dot of the right panel, above the dotted line: with
# two values the estimate of the variance is typically off by more than the variance itself.
#
# So at `m = 2` two things happen. The variance with 1/m is half of the true one on average: that is a constant, and
# gamma could learn it. And it is another one in every batch: that is noise, and nothing can learn it.

# %%
halved, noise = measured[2][1] / var, measured[2][3] ** 0.5 / var
print(f"m = 2: average of the biased var {halved:.2f} of the true one; spread of the unbiased one {noise:.0%}")
print(f"m = 32: {measured[32][1] / var:.2f}, {measured[32][3] ** 0.5 / var:.0%}")

# %% [markdown]
# ## b. Two images, and one
#
# What does the next layer see of two images? Give BatchNorm any two rows.

# %%
bn = nn.BatchNorm1d(4)
pair = mt.tensor([[0.1, 5.0, -3.0, 200.0], [0.2, 1.0, 3.0, 100.0]])
print("x, two images, 4 channels:\n", pair.numpy())
print("y after BatchNorm in train mode:\n", bn(pair).detach().numpy().round(2))

# %% [markdown]
# Ones and minus ones. Of two numbers, only the order is left: which is larger. How much larger is gone. And with one
# image, `x - mean` is zero in every channel. That is refused, as in PyTorch:

# %%
try:
    bn(pair[:1])
    refused = ""
except ValueError as error:
    refused = str(error)
print("ValueError:", refused)

# %% [markdown]
# What counts is not the number of images, but `m`, the values per channel. Convolutions have many from one image: each
# position counts.

# %%
image = mt.tensor(x_train[:1].reshape(1, 1, 8, 8))
features = nn.Conv2d(1, 6, 3, padding=1)(image)
y = nn.BatchNorm2d(6)(features)
m = features.numel() // features.shape[1]
print("one image, after a convolution:", tuple(features.shape), "  m =", m, "  through BatchNorm2d:", tuple(y.shape))

# %% [markdown]
# Values of one image resemble one another, so this `m` is worth less than as many images. But it runs. From here on the
# networks have no spatial axes: `m` is the batch size.
#
# ## c. One machine
#
# The network of this notebook: 64-64-64-10 on 8 x 8 digits, a normalisation after each hidden layer. It lies in
# `ranks_digits.py`, because other processes will need it, too.
#
# A comparison across batch sizes needs a rule of what stays the same. Here: every run sees every training image 8
# times, and the learning rate is proportional to the images of a step. So every image moves the weights as far at every
# batch size (Goyal et al. 2017). A batch twice as large takes half as many steps.

# %%
settings = {"training images": len(y_train), "test images": len(y_test), "epochs": ranks_digits.EPOCHS}
print(settings, " learning rate at 32 images:", round(32 * ranks_digits.RATE, 6))

runs = [(norm, n, seed) for norm in ("BN", "GN", "LN") for n in SIZES for seed in ranks_digits.SEEDS]
runs = [run for run in runs if run[:2] != ("BN", 1)]  # refused, as you saw
error = {run: train(*run)[0] for run in tqdm(runs, "training", disable=None)}


def median_error(norm, n):
    """Median over the seeds, in %."""
    return 100 * statistics.median(error[norm, n, seed] for seed in ranks_digits.SEEDS)


print("wrong answers on the test digits (%), median of", len(ranks_digits.SEEDS), "seeds")
print("images per step ", *(f"{n:6}" for n in SIZES))
for norm in ("BN", "GN", "LN"):
    print(f"{norm:<16}", *("     -" if (norm, n) == ("BN", 1) else f"{median_error(norm, n):6.1f}" for n in SIZES))

# %% [markdown]
# Read the line of BN from right to left. Its best errors are the lowest of the table. Then, below 8 images, it falls
# apart. GN and LN compute their statistics from one image and do not care.
#
# The right end is another matter: all three lines rise. With 256 images there are few steps:

# %%
steps = {n: ranks_digits.EPOCHS * len(y_train) // n for n in SIZES}
print("steps of a whole run:", steps)

# %% [markdown]
# That is the price of the fixed budget, not of a normalisation. BN needs the fewest steps, by the way.
#
# ## d. The statistics of several machines
#
# Four machines with 2 images each hold 8 images together. If BatchNorm knew the mean and variance of all 8, `m` would
# be 8. Each machine knows `(m, mean, var)` of its own. How do you get those of all?
#
# ### Exercise 1: combine
#
# Write `combine`. It gets arrays with one entry per machine: `m` (the number of values; machines may hold different
# numbers), `mean`, and `var` (with 1/m, as BatchNorm normalises). It returns the mean and the variance (with 1/M) of
# all `M` values together. The attempt takes means of what the machines have.


# %% tags=["exercise"]
def combine(m, mean, var):
    """Mean and biased variance of all values together."""
    return mean.mean(), var.mean()


# %% tags=["check"] jupyter={"source_hidden": true}
solved = {}  # exercise -> whether the last check of your attempt was content

# Unequal machines whose means differ: every wrong formula gives a number of its own.
SHARDS = [np.array(v) for v in ([1.0, 2.0], [4.0, 9.0, 5.0, 7.0, 6.0], [-3.0, -2.5, -1.0])]
PARTS = [np.array([f(v) for v in SHARDS]) for f in (len, np.mean, np.var)]


def right(m, mean, var):
    """The law of total variance: the mean of the variances plus the variance of the means, both weighted."""
    M = m.sum()
    whole = (m * mean).sum() / M
    return whole, (m * var).sum() / M + (m * (mean - whole) ** 2).sum() / M


def named_variances(m, mean, var):
    """{name of a mistake: the variance that it gives}."""
    M, (whole, correct) = m.sum(), right(m, mean, var)
    unbiased = m * var / (m - 1)
    between = (m * (mean - whole) ** 2).sum() / M
    return {
        "mean of local variances": var.mean(),
        "weighted mean of local variances": (m * var).sum() / M,
        "no count weights": var.mean() + ((mean - mean.mean()) ** 2).mean(),
        "count weights only in the mean": var.mean() + ((mean - whole) ** 2).mean(),
        "unbiased once": correct * M / (M - 1),
        "unbiased locally": (m * unbiased).sum() / M + between,
        "unbiased twice": ((m * unbiased).sum() / M + between) * M / (M - 1),
        "the spread of the means only": between,
        "the spread subtracted": (m * var).sum() / M - between,
    }


HINTS = {
    "mean of local variances": "each machine measures around its own mean. The distance of these means is missing, and "
    "so are the counts.",
    "weighted mean of local variances": "the counts are in. But each machine measures around its own mean.",
    "no count weights": "the distance of the means is in. But a machine with 5 values weighs as much as one with 2.",
    "count weights only in the mean": "the mean is weighted. The two sums for the variance need the counts, too.",
    "unbiased once": "the variance with 1/(M - 1). BatchNorm normalises with 1/M.",
    "unbiased locally": "you made the machines' variances unbiased. They are sums / m, and you need the sums: m * var.",
    "unbiased twice": "corrected per machine and again for the whole. BatchNorm normalises with 1/M: no correction.",
    "the spread of the means only": "the variances inside the machines are missing.",
    "the spread subtracted": "the spread of the means adds to the variance.",
}


def check_combine(function):
    """Compare what `function` gives with the right numbers and the known wrong ones."""
    try:
        got_mean, got_var = function(*(part.copy() for part in PARTS))
    except Exception as error:
        print(f"it raised {type(error).__name__}: {error}. Wanted: two numbers, the mean and the variance.")
        return False
    wanted_mean, wanted_var = right(*PARTS)
    for name, wrong in named_variances(*PARTS).items():
        if np.allclose(got_var, wrong, rtol=1e-9):
            print(f"{name}: {HINTS[name]}")
            return False
    if not np.allclose(got_mean, wanted_mean, rtol=1e-9):
        hint = " It is the mean of the means, without counts." if np.allclose(got_mean, PARTS[1].mean()) else ""
        print(f"the mean: got {got_mean:.4f}, wanted {wanted_mean:.4f}.{hint}")
        return False
    if not np.allclose(got_var, wanted_var, rtol=1e-9):
        print(f"the variance: got {got_var:.4f}, wanted {wanted_var:.4f}: a mistake without a name.")
        return False
    print("right: the same numbers as from all values in one place.")
    return True


together = np.concatenate(SHARDS)
assert np.allclose(right(*PARTS), (together.mean(), together.var()))  # the check itself is right
assert len({round(v, 9) for v in [*named_variances(*PARTS).values(), together.var()]}) == len(HINTS) + 1
assert set(HINTS) == set(named_variances(*PARTS))
solved[1] = check_combine(combine)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_1(m, mean, var):
    """Inside the machines, plus between them; both weighted by the counts."""
    M = m.sum()
    whole = (m * mean).sum() / M
    within = (m * var).sum() / M
    between = (m * (mean - whole) ** 2).sum() / M
    return whole, within + between


assert check_combine(solution_1)

# %% [markdown]
# How much does the mean of local variances lose? Deal your 512 values out to 256 machines with 2 values each, in a
# random order; then to 128 machines with 4; and so on.

# %%
shuffled = rng.permutation(values)
print("values per machine   mean of local variances   combined   (parts of the variance of all values)")
for n in (2, 4, 8, 32, 128):
    shards = shuffled.reshape(-1, n)
    parts = np.full(len(shards), n), shards.mean(1), shards.var(1)
    combined = solution_1(*parts)[1]
    print(f"{n:18} {parts[2].mean() / var:25.3f} {combined / var:10.3f}")
    assert np.isclose(combined, var, rtol=1e-12)  # 512 additions of rounded numbers: 512 * 2.2e-16 is 1.1e-13

# %% [markdown]
# The mean of local variances is too small by about the `(m - 1) / m` of part a. Combining loses nothing: SyncBatchNorm
# sends `(m, mean, sum of squares)` of every machine to all, and combines them by your formula. This is its code:

# %%
source = Path(mt.__file__).with_name("ops") / "syncbatchnorm.py"
lines = source.read_text(encoding="utf-8").splitlines()
first = next(i for i, line in enumerate(lines) if "self.M = " in line)
print("\n".join(lines[first : first + 3]))

# %% [markdown]
# ## e. Gradient accumulation is not a large batch
#
# There is a cheaper idea for a machine with room for 2 images: run four batches of 2, add up their gradients, then
# step. With a loss that is a mean over the batch, that should be the gradient of 8 images.
#
# ### Exercise 2: accumulate
#
# Write `accumulate`: after it, the gradients of `net` are those of the mean loss over all rows of `x`, computed from
# the micro-batches `parts` (arrays of row numbers, of *different* lengths). `cross_entropy` is a mean over its rows,
# and `backward` adds to the gradients that are there. The attempt forgets something.


# %% tags=["exercise"]
def accumulate(net, x, y, parts):
    """Leave in the gradients of `net` those of the mean loss over all rows."""
    net.zero_grad()
    for rows in parts:
        loss = F.cross_entropy(net(x[rows]), y[rows])
        loss.backward()


# %% tags=["check"] jupyter={"source_hidden": true}
EIGHT = [np.array([0, 1]), np.array([2, 3, 4]), np.array([5]), np.array([6, 7])]  # unequal micro-batches
x8, y8 = mt.tensor(x_train[:8]).double(), mt.tensor(y_train[:8])


def gradients(norm, function, parts):
    """All gradients of a fresh network in float64, in one array; `function` None: of all rows at once."""
    mt.manual_seed(0)
    net = network(norm).double()
    F.cross_entropy(net(x8.flip(1)), y8).backward()  # gradients of an earlier step, of other images, to be cleared
    if function is None:
        net.zero_grad()
        F.cross_entropy(net(x8), y8).backward()
    else:
        function(net, x8, y8, parts)
    return np.concatenate([p.grad.numpy().ravel() for p in net.parameters()])


def accumulate_with(weight, clear="first"):
    """The right loop, or a wrong one: `weight` of a micro-batch, and when old gradients are cleared."""

    def function(net, x, y, parts):
        if clear == "first":
            net.zero_grad()
        for rows in parts:
            if clear == "always":
                net.zero_grad()
            (weight(rows, parts) * F.cross_entropy(net(x[rows]), y[rows])).backward()

    return function


def share(rows, parts):
    return len(rows) / sum(map(len, parts))


WRONG = {
    "not divided": (accumulate_with(lambda rows, parts: 1), "a sum of means. The whole batch's loss is one mean."),
    "divided by the number of micro-batches": (
        accumulate_with(lambda rows, parts: 1 / len(parts)),
        "right for equal micro-batches. Here a batch of 1 weighs as much as one of 3.",
    ),
    "divided twice": (
        accumulate_with(lambda rows, parts: share(rows, parts) / len(parts)),
        "the counts already divide: the weights sum to 1 without the number of micro-batches.",
    ),
    "multiplied by the count, not divided": (
        accumulate_with(lambda rows, parts: len(rows)),
        "the sum over the rows. Divide by all rows.",
    ),
    "divided by the micro-batch's own count": (
        accumulate_with(lambda rows, parts: 1 / len(rows)),
        "cross_entropy is a mean already: that divides again, and by the wrong count.",
    ),
    "cleared in the loop": (
        accumulate_with(share, "always"),
        "zero_grad() in the loop: only the last micro-batch is left.",
    ),
    "never cleared": (accumulate_with(share, None), "the gradients of the step before are still in it."),
}


def check_accumulate(function):
    """Compare the gradients that `function` leaves with the right ones and the known wrong ones."""
    try:
        got = gradients("LN", function, EIGHT)
    except Exception as error:
        print(f"it raised {type(error).__name__}: {error}")
        return False
    wanted = gradients("LN", None, None)
    if np.allclose(got, wanted, rtol=1e-9, atol=1e-12):
        print("right: the gradients of all rows at once, from micro-batches of any size.")
        return True
    for name, (wrong, words) in WRONG.items():
        if np.allclose(got, gradients("LN", wrong, EIGHT), rtol=1e-9, atol=1e-12):
            print(f"{name}: {words}")
            return False
    print(f"a mistake without a name: the gradients are up to {np.abs(got - wanted).max():.2g} off.")
    return False


assert len({gradients("LN", wrong, EIGHT).round(9).tobytes() for wrong, _ in WRONG.values()}) == len(WRONG)
assert check_accumulate(accumulate_with(share))
solved[2] = check_accumulate(accumulate)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_2(net, x, y, parts):
    """Every row weighs the same: a micro-batch weighs as much as it has rows."""
    net.zero_grad()
    for rows in parts:
        loss = F.cross_entropy(net(x[rows]), y[rows]) * len(rows) / len(x)
        loss.backward()


assert check_accumulate(solution_2)

# %% [markdown]
# Now with every normalisation. Four equal micro-batches of 2, against all 8 rows at once:

# %%
pairs = np.arange(8).reshape(4, 2)
far = {}
for norm in ("LN", "GN", "BN"):
    whole, accumulated = gradients(norm, None, None), gradients(norm, solution_2, pairs)
    far[norm] = np.linalg.norm(accumulated - whole) / np.linalg.norm(whole)
    print(f"{norm}: distance of the two gradients / length of the gradient of the whole batch = {far[norm]:.1e}")

# %% [markdown]
# With LN and GN the two agree to rounding: a loss of one image does not depend on the others, so the order of sums is
# all that changes. With BN it is another gradient, of another function: every image was normalised with one neighbour,
# not with seven. Accumulation gives the optimizer a large batch. BatchNorm still sees the small one.
#
# Data-parallel training averages the gradients of several machines. That is accumulation, at the same time instead of
# one after the other. So what will it do for BatchNorm? Look at your prediction again.
#
# ## f. Four ranks
#
# A rank is a process: its own Python, its own memory. `mpiexec` starts as many as you ask for, all with the same
# script, and they exchange arrays. `ranks_digits.py` trains the network of part c on all of them: same weights, each
# rank its part of every step's images, gradients averaged by `DistributedDataParallel`. In some runs BatchNorm is
# replaced by `SyncBatchNorm`.
#
# The next cell starts them from here. Without MPI it shows numbers that were recorded, and says so.


# %%
def on_four_ranks():
    """Run ranks_digits.py on four ranks; what rank 0 printed, or None, with the reason on paper."""
    beside = Path(sysconfig.get_path("scripts")) / "mpiexec"
    mpiexec = str(beside) if beside.exists() else shutil.which("mpiexec")
    if mpiexec is None or importlib.util.find_spec("mpi4py") is None:
        print("No MPI here. To run the ranks yourself: pip install minitorch_bn[mpi]")
        return None
    command = [mpiexec, "-n", "4", sys.executable, "-m", "mpi4py", "ranks_digits.py"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as job:
        try:
            printed, errors = job.communicate(timeout=30)
        except subprocess.TimeoutExpired:  # four ranks on a busy machine
            job.terminate()  # mpiexec ends its ranks
            job.communicate()
            print("The ranks were not done in 30 seconds: this machine has much else to do.")
            return None
    if job.returncode:
        raise RuntimeError(f"the ranks failed with status {job.returncode}:\n{errors}")
    return json.loads(printed)


found = on_four_ranks()
if found is None:
    print("What follows are the numbers of a recorded run, from ranks_digits.json.")
    found = json.loads(ranks_digits.RECORDED.read_text(encoding="utf-8"))
print("processes that took part:", found["processes"])
for run in found["runs"][:-1]:
    error[run["norm"] + " x 4", run["images"], run["seed"]] = run["error"]
    name = f"{run['norm']}, {run['images']} per rank, seed {run['seed']}:"
    print(f"{name:<30} {100 * run['error']:5.1f} % wrong")

# %% [markdown]
# SyncBN with 4 images on each of 4 ranks should be BN with 16 images in one process, and nothing else. The last run on
# the ranks was made to see that: two epochs in float64. Here is the same in this process.

# %%
last = found["runs"][-1]
_, bias = train("BN", 4 * last["images"], last["seed"], last["epochs"], double=True)
difference = np.abs(np.array(bias) - last["bias"]).max() / np.abs(bias).max()
print(f"after {2 * len(y_train) // 16} steps, the last layer's bias differs by {difference:.1e} of its largest element")

# %% tags=["figure"] jupyter={"source_hidden": true}
LOOKS = {
    "BN": {"color": BLUE, "linestyle": "-", "marker": "o", "label": "BN, one machine"},
    "GN": {"color": ORANGE, "linestyle": "--", "marker": "s", "label": "GN, one machine"},
    "LN": {"color": GREY, "linestyle": "-.", "marker": "^", "label": "LN, one machine"},
}
fig, ax = plt.subplots(figsize=(11.5, 6))
for norm, look in LOOKS.items():
    own = [n for n in SIZES if (norm, n, 0) in error]
    lines = np.array([[100 * error[norm, n, seed] for n in own] for seed in ranks_digits.SEEDS])
    band(ax, own, lines, **look)
synced = sorted(n for norm, n, seed in error if norm == "SyncBN x 4" and seed == 0)
ax.plot(synced, [100 * error["SyncBN x 4", n, 0] for n in synced], color=BLACK, marker="D", markersize=10,
        markerfacecolor="white", markeredgewidth=2.2, linewidth=2, label="SyncBN on 4 ranks")  # fmt: skip
apart = [(n, 100 * e) for (norm, n, _), e in error.items() if norm == "BN x 4"]
ax.scatter(*zip(*apart, strict=True), marker="x", s=130, color=BLACK, linewidth=3, zorder=4,
           label="BN on 4 ranks, only\ngradients averaged")  # fmt: skip
ax.set(xscale="log", yscale="log", ylim=(3, 100), xlabel="images per machine and step (logarithmic)")
ax.set(ylabel="wrong answers on test digits (%)", title="Every run has seen each training image 8 times")
ax.set_xticks(SIZES, SIZES)
ax.set_yticks([3, 5, 10, 20, 50, 100], ["3", "5", "10", "20", "50", "100"])
for axis in (ax.xaxis, ax.yaxis):
    axis.set_minor_locator(NullLocator())
ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), labelspacing=1)
plt.show()

# %% [markdown]
# **Figure 2. Test error against the batch of one machine.** This is the figure to remember. Lines: the median of three
# seeds; bands: lowest to highest; diamonds and crosses: single runs on four ranks. Look at 2 images. BN's line is far
# up, GN and LN lie flat. The crosses are up there, too: four times as many images per step, averaged gradients, and no
# repair. The diamonds are down: the same machines, the same images, shared statistics. At 1 image BN has no point at
# all and SyncBN has one. Follow the diamonds to the right: they are BN's line, moved by a factor of four, its rise at
# the end included.
#
# What do the messages cost? `docs/scale.md` has a measured model. In short: SyncBatchNorm sends two small messages per
# layer and step, and waits for each of them.
#
# ## PyTorch, if it is there
#
# An optional cell. PyTorch makes the same ones and minus ones, and refuses one image, too. Its SyncBatchNorm refuses to
# synchronise on a CPU; this one does it, so that you can watch.

# %% tags=["optional"]
try:
    import torch
except ImportError:
    torch = None

if torch is None:
    print("PyTorch is not installed: skipped. Nothing below needs it.")
else:
    theirs = torch.nn.BatchNorm1d(4)
    assert np.allclose(theirs(torch.from_numpy(pair.numpy())).detach(), bn(pair).detach().numpy(), atol=1e-6)
    try:
        theirs(torch.from_numpy(pair.numpy())[:1])
    except ValueError as reason:
        print("PyTorch, too:", reason)
        words = "Expected more than 1 value per channel when training"
        assert words in str(reason) and words in refused

# %% [markdown]
# ## The answer
#
# Each sentence of the prediction is a claim about the runs with 2 images per machine. Test all four. A run *works* if
# it errs at most twice as often as GN, and is *broken* if it errs more than three times as often.

# %%
ways = {
    "GN, one machine": median_error("GN", 2),
    "BN, one machine": median_error("BN", 2),
    "BN on 4 ranks, gradients averaged": 100 * min(error["BN x 4", 2, 0], error["BN x 4", 2, 1]),
    "SyncBN on 4 ranks": 100 * error["SyncBN x 4", 2, 0],
}
gn, alone, averaged, shared = ways.values()
for name, wrong in ways.items():
    print(f"{name:<35} {wrong:5.1f} % wrong, {wrong / gn:4.1f} times as often as GN")
claims = {
    "A": alone <= 2 * gn,
    "B": alone > 3 * gn and averaged <= 2 * gn,
    "C": alone > 3 * gn and averaged > 3 * gn and shared <= 2 * gn,
    "D": alone > 3 * gn and averaged > 3 * gn and shared > 3 * gn,
}
answer = "".join(letter for letter, holds in claims.items() if holds)
print("measured:", answer, "  you predicted:", prediction or "nothing yet. Write a letter into the second code cell.")
if prediction:
    print(
        "As predicted." if prediction == answer else f"Not as predicted. Which line above speaks against {prediction}?"
    )
print(f"exercises solved: {sum(solved.values())} of {len(solved)}")

assert prediction in {None, *claims}, f"prediction is {prediction!r}, wanted one of A, B, C, D"
assert answer == "C"
assert "more than 1 value per channel" in refused and m == 64
# the variance of the mean: 4,000 draws know it to sqrt(kurtosis / 4000), at most 10 %; four times that is far out
assert all(abs(measured[n][0] / theory_mean[n] - 1) < 0.4 for n in SIZES)
assert far["BN"] > 0.1 and max(far["LN"], far["GN"]) < 1e-12  # another gradient, and the same to rounding
assert difference < 1e-9 and found["processes"] == 4

# %% [markdown]
# **What breaks at batch size 2, and can four machines repair it?** The estimate of the variance: it is off by as much
# as it is large, another way in every batch, and only the order of two values survives. Averaging gradients does not
# help, because every image was already normalised with one neighbour. Sharing statistics does: SyncBatchNorm on four
# machines is BatchNorm on the fourfold batch, digit for digit. A normalisation that looks at one image at a time needs
# no repair, and no messages.
#
# All of it on one data set, with one small network and plain SGD. If your prediction was another: which cell would have
# told you first?
#
# Next: notebook 09 asks what the running statistics are for, once training is over.
