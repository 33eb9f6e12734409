# %% [markdown]
# # 06 · Convolution and digits
#
# **Which values share a mean when the input is an image?**
#
# You write convolution as a matrix product, and its three gradients as convolutions. Then you put BatchNorm behind it,
# and find out which pixels it averages. At the end a small residual network reads real handwriting, with BatchNorm,
# with GroupNorm, and without. Class time: 60 minutes.
#
# You need notebook 02 (BatchNorm and its gradient). Notebook 03 helps (a sweep over learning rates).
#
# | part | what you do | minutes |
# |---|---|---|
# | a | slide a window over an image, and see that it is a matrix product | 10 |
# | b | derive the three gradients, each a convolution | 18 |
# | c | turn BatchNorm1d into BatchNorm2d with a reshape | 12 |
# | d | train a residual network on real digits | 8 |
# | e | compare BatchNorm, GroupNorm and neither at five learning rates | 6 |
# | f | find the place for Dropout and weight decay beside BatchNorm | 3 |
#
# Three minutes are for the prediction at the start and the answer at the end.

# %%
import statistics
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
from threadpoolctl import threadpool_limits

import minitorch_bn as mt
import minitorch_bn.nn.functional as F
from minitorch_bn import nn
from minitorch_bn.experiments import digits, digits_results
from minitorch_bn.experiments.digits_figures import draw_rates
from minitorch_bn.experiments.digits_net import NORMS, Net
from minitorch_bn.experiments.figures import BLUE, SETTINGS

np.set_printoptions(precision=4, suppress=True)
plt.rcParams.update({**SETTINGS, "figure.dpi": 100, "figure.constrained_layout.use": True})
threads = threadpool_limits(1)  # small matrices: one thread is faster, and gives the same numbers everywhere

# %% [markdown]
# ## Your prediction
#
# A batch holds `N` images with `C` channels of `H` times `W` pixels. BatchNorm2d subtracts a mean from every number.
# How many different means does it compute?
#
# - **A** `C·H·W`: one for every place in the image. A pixel is compared with the same pixel of the other images.
# - **B** `N·C`: one for every channel of every image.
# - **C** `C`: one for every channel, over all images and all places.
# - **D** `N`: one for every image.
#
# Write your letter into the next cell, before you read on. The last cell reads it again.

# %% tags=["prediction"]
prediction = None  # "A", "B", "C" or "D"

# %% [markdown]
# ## a. A sliding window is a matrix
#
# A filter is a small image of weights. Lay it on the image, multiply what lies on each other, add up: one number. Move
# the window by a pixel, and do it again. (Mathematics calls this cross-correlation; deep learning calls it
# convolution.)
#
# Number the pixels of a 5x5 image from 0 to 24. A 3x3 window fits at 9 places. Write the pixels that it sees at each
# place as a row.

# %%
numbered = np.arange(25).reshape(5, 5)
rows = np.array([numbered[i : i + 3, j : j + 3].ravel() for i in range(3) for j in range(3)])
print(rows)
times_seen = np.bincount(rows.ravel(), minlength=25).reshape(5, 5)
print("\nhow often each pixel stands in the matrix:\n", times_seen)

# %% tags=["figure"] jupyter={"source_hidden": true}
PIXEL, WINDOW = 12, 1  # the pixel and the window to look at


def grid(ax, numbers, colours, title, size=15):
    """Boxes with numbers in them; colours: one per box, or None for white."""
    height, width = np.shape(numbers)
    for i, j in np.ndindex(height, width):
        face = colours[i][j]
        ax.add_patch(plt.Rectangle((j, i), 1, 1, fc=face or "white", ec="#444444", lw=1))
        dark = face == BLUE
        ax.text(
            j + 0.5, i + 0.54, numbers[i][j], ha="center", va="center", fontsize=size, color="white" if dark else "k"
        )
    ax.set(xlim=(-0.1, width + 0.1), ylim=(height + 0.1, -0.1), aspect="equal", title=title)
    ax.axis("off")


def shade(number, in_window):
    return BLUE if number == PIXEL else "#f6c78b" if in_window else None


fig, axes = plt.subplots(1, 4, figsize=(14, 5.4), width_ratios=(5, 9, 2.2, 3))
seen = set(rows[WINDOW])
grid(axes[0], numbered, [[shade(n, n in seen) for n in row] for row in numbered], "the image")
grid(
    axes[1],
    rows,
    [[shade(n, i == WINDOW) for n in row] for i, row in enumerate(rows)],
    "its windows, one per row",
    size=14,
)
grid(axes[2], [[f"w{k}"] for k in range(9)], [[None]] * 9, "times the filter")
results_named = [[f"y{3 * i + j}" for j in range(3)] for i in range(3)]
grid(
    axes[3],
    results_named,
    [["#f6c78b" if 3 * i + j == WINDOW else None for j in range(3)] for i in range(3)],
    "is the result",
)
plt.show()

# %% [markdown]
# **Figure 1. The sliding window as a matrix.** Left: the image; light: the window at its second place. Middle: the same
# window is the second row. The matrix times the filter, written as a column, gives all 9 results at once. Follow the
# dark pixel, number 12. It stands in every row, each time one column further to the left: each window sees it at
# another of its own places. A corner pixel stands there once. Remember the slant of the dark boxes: in part b it turns
# a filter around.
#
# With several channels a row holds the windows of all of them. With several filters the filter is a matrix, one column
# each. This is all of `minitorch_bn/ops/conv.py`, but for groups.


# %%
def convolve(x, W, b, padding):
    """y[n, o] = sum over c of the windows of x[n, c] times W[o, c], plus b[o]: a matrix product."""
    N, _, H, width = x.shape
    O, C, KH, KW = W.shape
    OH, OW = H + 2 * padding - KH + 1, width + 2 * padding - KW + 1
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (KH, KW), axis=(2, 3))  # (N, C, OH, OW, KH, KW)
    rows = windows.transpose(0, 2, 3, 1, 4, 5).reshape(N * OH * OW, C * KH * KW)
    y = rows @ W.reshape(O, -1).T + b
    return y.reshape(N, OH, OW, O).transpose(0, 3, 1, 2)


rng = np.random.default_rng(6)
N, C, H, width, O, K, padding = 3, 2, 5, 6, 4, 3, 1
x = rng.normal(size=(N, C, H, width))
W = rng.normal(size=(O, C, K, K))
b = rng.normal(size=O)
dy = rng.normal(size=(N, O, H, width))  # padding 1 keeps the size

x_t, W_t, b_t = (mt.tensor(a, requires_grad=True) for a in (x, W, b))
y_t = F.conv2d(x_t, W_t, b_t, padding=padding)
y_t.backward(mt.tensor(dy))
difference = np.abs(convolve(x, W, b, padding) - y_t.array).max()
print("result", y_t.shape, f"  largest difference from F.conv2d: {difference:.0e}")
assert difference < 1e-13

# %% [markdown]
# ## b. Three gradients, three convolutions
#
# The layer is `y = rows @ filters.T + b`. You know the gradients of that from notebook 01:
#
# - `db` is the sum of `dy` over everything that got the same `b`.
# - `dfilters = dy.T @ rows`: for every weight, the sum of `dy` times the pixel that it met.
# - `drows = dy @ filters`. A pixel stands in several rows: its `dx` is the sum over all of them.
#
# The last cell has computed all three with autograd. They are the reference for your own.
#
# A cell marked *exercise* holds an attempt with a mistake. Run it and the check below it. The check names the mistake.
# Repair the attempt and run both again.

# %% tags=["examiner", "hide-input"] jupyter={"source_hidden": true}
solved = {}  # exercise -> whether the last check of your attempt was content


def check(number, function, case):
    """Compare what `function` returns with case.right, and with the known wrong answers; say which it is."""
    try:
        got = function()
    except Exception as error:
        print(f"it raised {type(error).__name__}: {error}\n{case.raised}")
        return False
    if got is None:
        print("nothing returned: your function ends without a return.")
        return False
    got = np.asarray(got.detach().numpy() if isinstance(got, mt.Tensor) else got, dtype=float)
    if got.shape != case.right.shape:
        hint = case.shapes.get(got.shape, "a gradient has the shape of what it belongs to.")
        print(f"wrong shape: got {got.shape}, wanted {case.right.shape}. {hint}")
        return False

    def same(a, b):
        return a.shape == b.shape and np.abs(a - b).max() <= 1e-9 * np.abs(case.right).max()

    if same(got, case.right):
        print(f"right: largest difference {np.abs(got - case.right).max():.0e}.")
        return True
    for name, (wrong, hint) in case.wrong.items():
        if same(got, wrong):
            print(f"{name}: {hint}")
            return False
    factor = (got * case.right).sum() / (case.right**2).sum()
    if same(got, factor * case.right):
        print(f"a wrong factor: yours is {factor:.6g} times the right one.")
        return False
    worst = tuple(map(int, np.unravel_index(np.abs(got - case.right).argmax(), got.shape)))
    print(f"a mistake without a name: worst at {worst}, got {got[worst]:.4g}, wanted {case.right[worst]:.4g}.")
    return False


def case(right, wrong=None, shapes=None, raised=""):
    """A right answer; known wrong ones, name -> (array, hint); wrong shapes -> hint; a word about exceptions."""
    answers = [right, *(array for array, _ in (wrong or {}).values())]
    assert all(np.abs(a - b).max() > 1e-3 for i, a in enumerate(answers) for b in answers[:i] if a.shape == b.shape)
    return SimpleNamespace(right=right, wrong=wrong or {}, shapes=shapes or {}, raised=raised)


def numpy_conv(x, W, padding):
    """A convolution of arrays without bias."""
    return convolve(x, W, np.zeros(len(W)), padding)


def swap(a):
    """The first two axes exchanged."""
    return a.swapaxes(0, 1)


def flip(a):
    """Turned by 180 degrees."""
    return a[..., ::-1, ::-1]


CASES = {
    1: case(
        b_t.grad.numpy(),
        {
            "the mean": (dy.mean((0, 2, 3)), "b is added to every pixel: its gradients add up. No division."),
            "the last image only": (dy[-1].sum((1, 2)), "every image got b."),
            "the first image only": (dy[0].sum((1, 2)), "every image got b."),
        },
        {
            (O, H, width): "That sums over the images only. b[o] is added at every place of the image, too.",
            (N, O): "That sums over the places only. b[o] is added in every image, too.",
            (N,): "That sums over the filters. There is one b for each filter: axis 1 stays.",
            (N, H, width): "That sums over the filters. There is one b for each filter: axis 1 stays.",
            (): "That sums over the filters, too. There is one b for each: axis 1 stays.",
            (width,): "Those axes belong to dy of a Linear. Here axis 1 counts the filters.",
            (H,): "Axis 1 counts the filters. It stays, the three others go.",
        },
    ),
    2: case(
        W_t.grad.numpy(),
        {
            "turned around": (flip(W_t.grad.numpy()), "no flip here: weight (i, j) met the pixel i down and j right."),
            "the mean over the images": (W_t.grad.numpy() / N, "the loss's own division is in dy already. Sum."),
            "the padding has no zeros": (
                swap(
                    numpy_conv(np.pad(swap(x), ((0, 0), (0, 0), (1, 1), (1, 1)), "edge"), swap(dy), 0),
                ),
                "the forward saw zeros around the image. dW must see the same.",
            ),
        },
        {
            (O, C, 1, 1): "The forward saw x with zeros around it. dW must see them, too: padding.",
            (C, O, K, K): "Filters come first in W. Exchange the first two axes of the result.",
            (C, O, 1, 1): "Two things: the padding of the forward, and the order of the first two axes.",
        },
        "The sum runs over the images, so they must stand where conv2d sums: in axis 1 of both.",
    ),
    3: case(
        x_t.grad.numpy(),
        {
            "the filter was not turned around": (
                numpy_conv(dy, swap(W), 1),
                "in figure 1 pixel 12 goes one column to the left with every row: the first window sees it last.",
            ),
            "turned in one direction only": (numpy_conv(dy, swap(W)[..., ::-1], 1), "turn it in both axes, H and W."),
            "upside down only": (numpy_conv(dy, swap(W)[..., ::-1, :], 1), "turn it in both axes, H and W."),
        },
        {
            (N, C, H - 2, width - 2): "dx of the border is missing: padding K - 1 - padding of the forward.",
            (N, C, H + 2, width + 2): "That is the gradient of the padded image. Cut the padding off, or pad less.",
        },
        "conv2d sums over axis 1 of its filters. Here the sum runs over the filters o: exchange the first two axes.",
    ),
}

# %% [markdown]
# ### Exercise 1: db
#
# `b` has shape `(O,)`, `dy` has shape `(N, O, H, W)`. The attempt knows Linear, where a batch is the only thing to sum
# over.


# %% tags=["exercise"]
def db():
    return dy.sum(0)


# %% tags=["check"]
solved[1] = check(1, db, CASES[1])


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_1():
    """b[o] is added to all images and at all places."""
    return dy.sum((0, 2, 3))


assert check(1, solution_1, CASES[1])

# %% [markdown]
# ### Exercise 2: dW
#
# Weight `(i, j)` of filter `o` and channel `c` met, at every place `(h, w)`, the pixel `i` down and `j` to the right of
# it (`x` with its padding):
#
# $$\mathtt{dW}_{o c i j} = \sum_{n, h, w} \mathtt{dy}_{n o h w}\;\mathtt{x}_{n c\,(h+i)\,(w+j)}$$
#
# Look at it again: the image slides over `dy`. It is a convolution of `x` with `dy` as the filter, and the images `n`
# take the part of the channels. So `F.conv2d` can do it, if you exchange axes 0 and 1. The attempt forgets one thing.


# %% tags=["exercise"]
def dW():
    x_, dy_ = mt.tensor(x), mt.tensor(dy)
    return F.conv2d(x_.transpose(0, 1), dy_.transpose(0, 1)).transpose(0, 1)


# %% tags=["check"]
solved[2] = check(2, dW, CASES[2])


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_2():
    """The padding of the forward: weights at the border of the filter met its zeros."""
    x_, dy_ = mt.tensor(x), mt.tensor(dy)
    return F.conv2d(x_.transpose(0, 1), dy_.transpose(0, 1), padding=padding).transpose(0, 1)


assert check(2, solution_2, CASES[2])

# %% [markdown]
# ### Exercise 3: dx
#
# A pixel met weight `(i, j)` in the window that begins `i` above and `j` to the left of it:
#
# $$\mathtt{dx}_{n c h w} = \sum_{o, i, j} \mathtt{dy}_{n o\,(h-i)\,(w-j)}\;\mathtt{W}_{o c i j}$$
#
# Now `dy` is the image, and `W` slides. But the indices run backwards: `h - i`, not `h + i`. The attempt has the
# padding right: `K - 1` zeros so that the border gets its share, less the padding of the forward.


# %% tags=["exercise"]
def dx():
    dy_, W_ = mt.tensor(dy), mt.tensor(W)
    return F.conv2d(dy_, W_.transpose(0, 1), padding=K - 1 - padding)


# %% tags=["check"]
solved[3] = check(3, dx, CASES[3])


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_3():
    """Indices that run backwards are a filter turned by 180 degrees."""
    return F.conv2d(mt.tensor(dy), mt.tensor(flip(W).copy()).transpose(0, 1), padding=K - 1 - padding)


assert check(3, solution_3, CASES[3])

# %% [markdown]
# `Conv2d.backward` of the package does the same with two matrix products and a `fold`, which adds up all places of a
# pixel in the matrix of figure 1. Both ways give the same numbers:

# %%
for name, ours, autograd in (
    ("db", solution_1(), b_t),
    ("dW", solution_2().numpy(), W_t),
    ("dx", solution_3().numpy(), x_t),
):
    error = np.abs(ours - autograd.grad.numpy()).max()
    print(f"{name}  as a sum or a convolution, against matrix product and fold: {error:.0e}")
    assert error < 1e-12

# %% [markdown]
# ## c. BatchNorm2d is BatchNorm1d after a reshape
#
# A filter looks for the same thing everywhere in an image. So all places of a channel are examples of one feature, and
# BatchNorm may treat them as one long batch. Then BatchNorm2d needs no formula of its own: bring `(N, C, H, W)` into
# the form `(m, C)` with `m = N·H·W`, apply BatchNorm1d, and go back.
#
# ### Exercise 4
#
# Write it. `x4` has shape `(N, C, H, W)`; every channel has another mean and another spread. The attempt has the right
# shape in between, and the wrong numbers in its columns.

# %%
x4 = (
    rng.normal(size=(4, 3, 5, 6)) * np.array([1.0, 4.0, 0.2])[:, None, None] + np.array([0.0, 9.0, -3.0])[:, None, None]
)
x4 += rng.normal(size=(4, 1, 1, 1))  # images differ in brightness
gamma, beta = rng.uniform(0.5, 2.0, 3), rng.normal(size=3)
dy4 = rng.normal(size=x4.shape)


# %% tags=["exercise"]
def batch_norm_2d(x, gamma, beta):
    N, C, H, W = x.shape
    flat = x.reshape(N * H * W, C)
    y = F.batch_norm(flat, None, None, gamma, beta, training=True)
    return y.reshape(N, C, H, W)


# %% tags=["examiner", "check"] jupyter={"source_hidden": true}
def by_axes(x, axes):
    """x normalised with the mean and the variance over these axes, gamma and beta per channel."""
    centred = x - x.mean(axes, keepdims=True)
    x_hat = centred / np.sqrt((centred**2).mean(axes, keepdims=True) + 1e-5)
    return x_hat * gamma[:, None, None] + beta[:, None, None]


def mixed(x):
    """The attempt: reshape without moving the channels to the end."""
    y = F.batch_norm(mt.tensor(x).reshape(-1, x.shape[1]), None, None, mt.tensor(gamma), mt.tensor(beta), True)
    return y.numpy().reshape(x.shape)


CASES[4] = case(
    F.batch_norm(mt.tensor(x4), None, None, mt.tensor(gamma), mt.tensor(beta), True).numpy(),
    {
        "columns that mix the channels": (
            mixed(x4),
            "reshape keeps the order in memory, where a channel's pixels stand together. First permute C to the end.",
        ),
        "every image by itself": (
            by_axes(x4, (2, 3)),
            "that is InstanceNorm. The images of a batch share a mean, too.",
        ),
        "every place by itself": (by_axes(x4, 0), "that is BatchNorm1d of C·H·W features. The places share a mean."),
        "one image, all channels": (by_axes(x4, (1, 2, 3)), "that is LayerNorm, or GroupNorm with one group."),
        "everything together": (by_axes(x4, (0, 1, 2, 3)), "each channel has a mean of its own."),
    },
    {(4, 5, 6, 3): "The channels are still at the end: permute back.", (120, 3): "Go back to (N, C, H, W)."},
    "BatchNorm1d wants (m, C), and as many gammas as columns.",
)
solved[4] = check(4, lambda: batch_norm_2d(mt.tensor(x4), mt.tensor(gamma), mt.tensor(beta)), CASES[4])


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_4(x, gamma, beta):
    """Channels to the end, then all that is in front of them is one long batch."""
    N, C, H, W = x.shape
    flat = x.permute(0, 2, 3, 1).reshape(N * H * W, C)
    y = F.batch_norm(flat, None, None, gamma, beta, training=True)
    return y.reshape(N, H, W, C).permute(0, 3, 1, 2)


assert check(4, lambda: solution_4(mt.tensor(x4), mt.tensor(gamma), mt.tensor(beta)), CASES[4])

# %% [markdown]
# The proof by doing it: two layers, three batches, gradients and running statistics side by side.

# %%
two_d, one_d = nn.BatchNorm2d(3).double(), nn.BatchNorm1d(3).double()
worst = dict.fromkeys(("y", "dx", "dgamma", "dbeta", "running_mean", "running_var"), 0.0)
for _ in range(3):
    images, upstream = rng.normal(2.0, 3.0, (4, 3, 5, 6)), mt.tensor(rng.normal(size=(4, 3, 5, 6)))
    a, c = (mt.tensor(images, requires_grad=True) for _ in range(2))
    y_2d = two_d(a)
    y_1d = one_d(c.permute(0, 2, 3, 1).reshape(-1, 3)).reshape(4, 5, 6, 3).permute(0, 3, 1, 2)
    for layer, y in ((two_d, y_2d), (one_d, y_1d)):
        layer.zero_grad()
        y.backward(upstream)
    pairs = {
        "y": (y_2d, y_1d),
        "dx": (a.grad, c.grad),
        "dgamma": (two_d.weight.grad, one_d.weight.grad),
        "dbeta": (two_d.bias.grad, one_d.bias.grad),
        "running_mean": (two_d.running_mean, one_d.running_mean),
        "running_var": (two_d.running_var, one_d.running_var),
    }
    for name, (left, right) in pairs.items():
        worst[name] = max(worst[name], np.abs(left.detach().numpy() - right.detach().numpy()).max())
print("BatchNorm2d against BatchNorm1d after a reshape, largest differences of three batches:")
print("  ".join(f"{name} {difference:.0e}" for name, difference in worst.items()))
assert max(worst.values()) < 1e-12

# %% [markdown]
# Nothing differs but the last digits. So `m` is now `N·H·W`: 4 images of 5x6 pixels are `m = 120` values behind every
# mean, and the running variance takes `m / (m - 1)` with that `m`.
#
# ### Exercise 5: dgamma
#
# `gamma` has shape `(C,)`. Notebook 02 has `dgamma = (dy * x_hat).sum(0)`, and so has the attempt. Repair it for
# images.


# %% tags=["exercise"]
def dgamma(dy, x_hat):
    return (dy * x_hat).sum(0)


# %% tags=["examiner", "check"] jupyter={"source_hidden": true}
x_hat4 = (by_axes(x4, (0, 2, 3)) - beta[:, None, None]) / gamma[:, None, None]
gamma_t = mt.tensor(gamma, requires_grad=True)
F.batch_norm(mt.tensor(x4), None, None, gamma_t, mt.tensor(beta), True).backward(mt.tensor(dy4))
CASES[5] = case(
    gamma_t.grad.numpy(),
    {
        "the mean": (
            (dy4 * x_hat4).mean((0, 2, 3)),
            "gamma multiplies every value: its gradients add up. No division.",
        ),
        "that is dbeta": (dy4.sum((0, 2, 3)), "gamma stands beside x_hat. Its gradient does, too."),
        "gamma counted twice": (
            (dy4 * x_hat4).sum((0, 2, 3)) * gamma,
            "dy is the gradient of y. x_hat is before gamma.",
        ),
    },
    {
        (3, 5, 6): "You forgot the sum over the places. One gamma scales all H·W pixels of its channel.",
        (4, 3): "You forgot the sum over the images.",
        (4, 5, 6): "That sums over the channels. There is one gamma for each: axis 1 stays.",
        (): "That sums over the channels, too. Axis 1 stays.",
    },
)
solved[5] = check(5, lambda: dgamma(dy4, x_hat4), CASES[5])


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_5(dy, x_hat):
    """All axes but that of the channels."""
    return (dy * x_hat).sum((0, 2, 3))


assert check(5, lambda: solution_5(dy4, x_hat4), CASES[5])

# %% [markdown]
# ## d. Real digits
#
# scikit-learn brings 1,797 scans of handwritten digits, 8x8 pixels each. They are cut in three. 360 *test* images say
# how good a trained network is; nothing is chosen by them. Of the others, 360 are for *validation*: they choose between
# learning rates.

# %%
data, tuning = digits.load_data("test"), digits.load_data("validation")
print("to train on:", tuple(data.x_train.shape), "  to test with:", tuple(data.x_test.shape))
print("while the rate is chosen:", len(tuning.y_train), "to train on,", len(tuning.y_test), "for validation")
print("pixels from", data.x_train.min().item(), "(paper) to", data.x_train.max().item(), "(ink)")

# %% tags=["figure"] jupyter={"source_hidden": true}
SOBEL = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])  # bright on the left of a stroke, dark on the right
filters = {"the scan": None, "left and right edges": SOBEL, "upper and lower edges": SOBEL.T}
fig, axes = plt.subplots(3, 8, figsize=(13, 5.4))
for row, (name, kernel) in zip(axes, filters.items(), strict=True):
    for ax, image, digit in zip(row, data.x_train.numpy()[:8, 0], data.y_train.tolist()[:8], strict=True):
        if kernel is None:
            ax.imshow(image, cmap="gray_r", vmin=-1, vmax=1)
            ax.set_title(f"a {digit}", loc="center")
        else:
            ax.imshow(numpy_conv(image[None, None], kernel[None, None], 0)[0, 0], cmap="gray", vmin=-8, vmax=8)
        ax.set(xticks=[], yticks=[])
        ax.grid(False)
    row[0].set_ylabel(name.replace(" edges", "\nedges"), fontsize=13)
plt.show()

# %% [markdown]
# **Figure 2. Eight scans, and what two filters see in them.** Top: the input. Below: a filter that answers to the left
# and right edges of a stroke, and one for upper and lower edges. Grey is no answer; the brighter or darker, the
# stronger the edge. Look along a row: the same filter gives the same kind of answer everywhere. That is why its places
# may share a mean. A network learns its filters; these two are made by hand.
#
# ### The network
#
# A residual network: two blocks, each `relu(f(x) + x)`. It is `Net` in `minitorch_bn/experiments/digits_net.py`. Every
# convolution is followed by a BatchNorm, and has no bias then: BatchNorm would take it away again.

# %%
mt.manual_seed(0)
net = Net("batch")
seen = []
handles = [
    module.register_forward_hook(lambda module, inputs, y, name=name: seen.append((name, tuple(y.shape))))
    for name, module in net.named_modules()
    if isinstance(module, nn.BatchNorm2d)
]
net(data.x_train[:32])
for handle in handles:
    handle.remove()
print("BatchNorm2d         its output           means    values behind each, m = N·H·W")
for name, shape in seen:
    print(f"{name:<19} {shape!s:<20} {shape[1]:5d} {shape[0] * shape[2] * shape[3]:10,d}")
print(f"\n{sum(p.numel() for p in net.parameters()):,} numbers to learn")

# %% [markdown]
# A batch of 32 images is a small sample for a mean. With the places it is hundreds of values or more, though neighbours
# are alike and count less than strangers.
#
# Train it once, at a rate that part e will find good: SGD with momentum, the rate going up and down once, images
# shifted by up to one pixel at random so that no two epochs are the same.

# %%
settings = digits.Settings(epochs=10)
RATE = 0.01
one = digits.run(settings, norm="batch", lr=RATE, seed=0, data=data)
for epoch in (1, 2, 5, 10):
    print(f"epoch {epoch:2d}: loss {one.losses[epoch - 1]:.3f}   right {100 * one.accuracies[epoch - 1]:.1f} %")
missed = np.flatnonzero(one.predicted != data.y_test.numpy())
print("wrong:", len(missed), "of", len(data.y_test), "test images")

# %% tags=["figure"] jupyter={"source_hidden": true}
shown = missed[:8]
fig, axes = plt.subplots(1, max(4, len(shown)), figsize=(13, 3))
for ax in axes:
    ax.axis("off")
for ax, i in zip(axes, shown, strict=False):
    ax.imshow(data.x_test.numpy()[i, 0], cmap="gray_r", vmin=-1, vmax=1)
    ax.set_title(f"a {data.y_test[i].item()}, read as {one.predicted[i]}", loc="center", fontsize=12)
plt.show()

# %% [markdown]
# **Figure 3. What it got wrong.** Test images that the trained network misread (at most eight). Cover the titles. Which
# of them would you get right?
#
# The full experiment has three seeds, 15 epochs, and all three networks. Run it in a terminal:
# `python -m minitorch_bn digits`. It takes one or two minutes.
#
# ## e. BatchNorm, GroupNorm, neither
#
# GroupNorm takes its means from one image alone: 8 groups of channels each. It knows no batch. The next cell trains all
# three networks at five rates from three seeds, two epochs each, and asks the validation images. It takes most of
# this notebook's time.

# %%
short = digits.Settings(rates=(0.001, 0.01, 0.03, 0.1, 0.3), sweep_epochs=2)
runs = digits.sweep(short)  # (norm, lr, seed) -> losses, accuracies
rows = digits_results.summary(runs)

print("right (%), mean of", short.seeds, "seeds      ", *(f"{lr:>7g}" for lr in short.rates))
mean = {norm: {r["lr"]: statistics.mean(r["accuracy"]) for r in rows if r["norm"] == norm} for norm in NORMS}
for norm, name in NORMS.items():
    print(f"{name:<30}", *(f"{100 * share:7.1f}" for share in mean[norm].values()))
best = {norm: digits_results.best_rate(rows, norm) for norm in NORMS}
top = {norm: mean[norm][best[norm]] for norm in NORMS}
good = {norm: sum(share >= digits_results.USABLE for share in mean[norm].values()) for norm in NORMS}
for norm, name in NORMS.items():
    print(f"{name:<10} best at {best[norm]:g}; {100 * digits_results.USABLE:.0f} % at {good[norm]} of the rates")

# %% tags=["figure"] jupyter={"source_hidden": true}
fig, axes = plt.subplots(1, 2, figsize=(13, 5))
draw_rates(axes, rows, len(tuning.y_test))
plt.show()

# %% [markdown]
# **Figure 4. Three networks at five learning rates.** Lines: the median of three seeds; bands: lowest to highest. Left:
# the two lines with a normalisation lie together, and are high from 0.01 on. The dashed one comes up later. Right: the
# same as wrong answers, on a logarithmic scale, so that the good rates can be told apart. Look at the right end, too.
# At 0.3 all three are worse than at their best, and in runs as short as these a normalisation is no help there. Two
# epochs ask who learns soon, not who is best in the end.
#
# Why is the dashed line further to the right? Look at the networks before their first step.


# %%
def at_the_start(norm, seed):
    """Spread over 256 images of what the last layer gets, and the norm of the whole gradient, before training."""
    mt.manual_seed(seed)
    net, seen = Net(norm), []
    net.block2.register_forward_hook(lambda module, inputs, y: seen.append(y))
    F.cross_entropy(net(tuning.x_train[:256]), tuning.y_train[:256]).backward()
    norm_of_gradient = np.sqrt(sum((p.grad.array**2).sum() for p in net.parameters()))
    return float(seen[0].detach().numpy().std(0).mean()), float(norm_of_gradient)


steps = {}
for norm, name in NORMS.items():
    spread, steps[norm] = (
        statistics.median(v) for v in zip(*(at_the_start(norm, seed) for seed in range(3)), strict=True)
    )
    print(f"{name:<10} spread in front of the last layer {spread:.3f}   norm of the gradient {steps[norm]:.2f}")
ratio = steps["batch"] / steps["none"]
print(f"at the same rate, the first step with BatchNorm is {ratio:.0f} times as long as without")

# %% [markdown]
# Without normalisation the signal shrinks from layer to layer, and the gradient with it. It takes a larger rate to make
# a step of the same length: a good part of the distance between the lines is that (notebook 03, part c).
#
# ## f. Two neighbours of BatchNorm
#
# **Weight decay** pulls weights towards 0. A `gamma` pulled towards 0 switches its channel off, and `beta` has no
# reason to be small. So they are usually spared, and biases with them. A helper sorts the parameters into two groups.

# %%
groups = mt.optim.param_groups_weight_decay(Net("batch"), 5e-4)
for group in groups:
    dimensions = sorted({p.ndim for p in group["params"]})
    count = sum(p.numel() for p in group["params"])
    print(f"weight decay {group['weight_decay']:<7g} {len(group['params']):2d} parameters of {dimensions} dimensions,"
          f" {count:6,d} numbers")  # fmt: skip
optimizer = mt.optim.SGD(groups, lr=0.01, momentum=0.9)

# %% [markdown]
# **Dropout in front of BatchNorm** sets a share `p` of the values to 0, and multiplies the others by `1 / (1 - p)`. The
# mean stays. The variance does not: it becomes `(var + mean²) / (1 - p) - mean²`. BatchNorm averages that for eval
# mode, where Dropout is off and the variance is another. Measure it, on what the trained network hands to its last
# layer:

# %%
one.net.eval()
with mt.no_grad():
    h = one.net.conv(data.x_train)
    h = one.net.block2(one.net.block1(F.relu(one.net.norm(h)))).flatten(1)
h = h[:, mt.from_numpy(np.flatnonzero(h.numpy().std(0) > 0.1))]  # features that say something
plain = h.numpy().var(0)
ratios = {}
mt.manual_seed(0)
print("p      variance in train mode / in eval mode (median over the features)   by the formula")
for p in (0.0, 0.1, 0.3, 0.5):
    pair = nn.Sequential(nn.Dropout(p), nn.BatchNorm1d(h.shape[1], momentum=1.0))
    pair(h)  # momentum 1: the running variance is that of this pass
    formula = (plain + h.numpy().mean(0) ** 2) / (1 - p) - h.numpy().mean(0) ** 2
    ratios[p] = np.median(pair[1].running_var.numpy() / plain), np.median(formula / plain)
    print(f"{p:<6g} {ratios[p][0]:20.3f} {ratios[p][1]:62.3f}")

# %% [markdown]
# In eval mode such a layer divides by a standard deviation that its inputs do not have. Behind the last BatchNorm there
# is nothing that averages a variance, and Dropout does no harm: there `Net` has it, with `p = 0.3` by default
# (Li et al. 2018). So the rule: Dropout behind the last BatchNorm, or not at all.
#
# ## PyTorch, if it is there
#
# An optional cell. The convolution, its gradients, and the three BatchNorm gradients of part c. Without PyTorch it says
# so and goes on.

# %% tags=["optional"]
try:
    import torch
except ImportError:
    torch = None

if torch is None:
    print("PyTorch is not installed: skipped. Nothing below needs it.")
else:
    theirs = [torch.tensor(a, requires_grad=True) for a in (x, W, b)]
    torch.nn.functional.conv2d(*theirs, padding=padding).backward(torch.tensor(dy))
    bn_theirs = [torch.tensor(a, requires_grad=True) for a in (x4, gamma, beta)]
    bn_ours = [mt.tensor(a, requires_grad=True) for a in (x4, gamma, beta)]
    for L, (image, scale, shift) in ((torch, bn_theirs), (mt, bn_ours)):
        y = L.nn.functional.batch_norm(image, None, None, scale, shift, training=True)
        y.backward(L.tensor(dy4))
    names = ("conv dx", "conv dW", "conv db", "BatchNorm dx", "dgamma", "dbeta")
    for name, ours, their in zip(names, [x_t, W_t, b_t, *bn_ours], theirs + bn_theirs, strict=True):
        difference = np.abs(ours.grad.numpy() - their.grad.numpy()).max()
        print(f"{name:<13} largest difference from PyTorch: {difference:.0e}")
        assert difference < 1e-11

# %% [markdown]
# ## The answer
#
# Each sentence of the prediction says which values share a mean. Values that share one have the mean 0 afterwards. Take
# a fresh batch, normalise it, and ask which groups do.

# %%
fresh = rng.normal(size=(6, 3, 4, 5)) * rng.uniform(1, 3, (6, 3, 1, 1)) + rng.normal(size=(6, 3, 4, 5))
normalised = nn.BatchNorm2d(3).double()(mt.tensor(fresh)).detach().numpy()
groups_of = {"A": (0,), "B": (2, 3), "C": (0, 2, 3), "D": (1, 2, 3)}  # axes of the values that would share a mean
largest = {letter: np.abs(normalised.mean(axes)).max() for letter, axes in groups_of.items()}
answer = "".join(letter for letter, size in largest.items() if size < 1e-12)
for letter, size in largest.items():
    count = normalised.mean(groups_of[letter]).size
    print(f"{letter}: {count:3d} groups, largest mean left in a group {size:.0e}")
print("measured:", answer, "  you predicted:", prediction or "nothing yet. Write a letter into the second code cell.")
if prediction:
    print("As predicted." if prediction == answer else f"Not as predicted. Which line speaks against {prediction}?")
print(f"exercises solved: {sum(solved.values())} of {len(solved)}")

assert prediction in {None, *groups_of}, f"prediction is {prediction!r}, wanted one of A, B, C, D"
assert answer == "C"
assert times_seen.max() == 9 and times_seen.min() == 1
assert one.accuracies[-1] >= 0.97  # a network that reads
assert mean["batch"][0.01] > mean["none"][0.01] + 0.05  # at a small rate the normalised one is ahead
assert mean["batch"][RATE] >= digits_results.USABLE  # the rate of part d is a good one
assert good["batch"] > good["none"]  # and more rates will do
assert ratio > 4  # because its steps are longer
assert all(mean[norm][0.3] < top[norm] for norm in NORMS)  # 0.3 is too large for all
assert abs(top["batch"] - top["group"]) < 0.03  # GroupNorm does about as well
assert all(abs(measured - formula) < 0.05 * formula for measured, formula in ratios.values())

# %% [markdown]
# **Which values share a mean when the input is an image?** All pixels of a channel, over all images of the batch. A
# filter looks for one thing everywhere, so every place is one more example, and BatchNorm2d is BatchNorm1d of a long
# batch. On digits it makes small learning rates work, and so does GroupNorm, which needs no batch.
#
# If your prediction was another: which cell would have told you first?
#
# Next: notebook 07 takes the same formula along other axes.
