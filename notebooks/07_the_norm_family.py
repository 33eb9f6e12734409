# %% [markdown]
# # 07 · The norm family
#
# **One formula, five axes: what changes?**
#
# BatchNorm, InstanceNorm, GroupNorm, LayerNorm and RMSNorm have five papers and five names. Here they are one function
# of a few lines. It is called with other axes each time. From the axes follows everything else: what a layer cannot
# see, what its backward looks like, and which layer a network for sentences needs. Class time: 45 minutes.
#
# You need notebook 02 (what BatchNorm computes, and what it takes away from a gradient).
#
# | part | what you do | minutes |
# |---|---|---|
# | a | write the one function, and look at its axes | 10 |
# | b | find out what each layer cannot see | 10 |
# | c | move gamma inside the means | 7 |
# | d | pad a batch of names with zeros | 9 |
# | e | give InstanceNorm a memory; meet a relative | 5 |
#
# Four minutes are for the prediction at the start and the answer at the end.

# %%
import math

import matplotlib.pyplot as plt
import numpy as np

import minitorch_bn as mt
import minitorch_bn.nn.functional as F
from minitorch_bn import debug, nn
from minitorch_bn.experiments.figures import BLACK, BLUE, ORANGE, SETTINGS
from minitorch_bn.experiments.text import Vocabulary, read_names

np.set_printoptions(precision=4, suppress=True)
plt.rcParams.update({**SETTINGS, "figure.dpi": 100, "figure.constrained_layout.use": True})

# %% [markdown]
# ## Your prediction
#
# A batch of images goes through each of the five layers. Now a camera's red sensor gets stronger: in **every** sample,
# **one** channel is multiplied by 3, the others stay. (There is no gamma and no beta, and eps is too small to matter.)
# Which layers give exactly the same output as before?
#
# - **A** All five. That is what normalising means.
# - **B** BatchNorm alone.
# - **C** BatchNorm and InstanceNorm.
# - **D** LayerNorm, RMSNorm and GroupNorm.
#
# Write your letter into the next cell, before you read on. The last cell reads it again.

# %% tags=["prediction"]
prediction = None  # "A", "B", "C" or "D"

# %% [markdown]
# ## a. One function, other axes
#
# The formula of notebook 02, with one more argument: the axes along which values share a mean.


# %%
def normalise(x, axes, eps=1e-5, centre=True):
    """x_hat: what lies along `axes` gets mean 0 and variance 1. Without `centre` nothing is subtracted."""
    mean = x.mean(axes, keepdims=True) if centre else 0.0
    var = ((x - mean) ** 2).mean(axes, keepdims=True)
    return (x - mean) / np.sqrt(var + eps)


# %% [markdown]
# Axis 0 counts samples, axis 1 channels, and the rest positions: `x` is `(N, C, H, W)`. Three layers are one call
# each. RMSNorm is the fourth: it leaves out the mean. Its `var` is then the mean of the squares, whose root gives it
# the name: root mean square. The fifth, GroupNorm, cuts the channels into groups first. That is exercise 1.

# %%
rng = np.random.default_rng(7)
N, C, H, W = 4, 6, 5, 3
x = rng.normal(size=(N, C, H, W)) * rng.uniform(0.5, 2, (N, C, 1, 1)) + rng.normal(size=(N, C, 1, 1))

ours = {
    "BatchNorm": normalise(x, (0, 2, 3)),
    "InstanceNorm": normalise(x, (2, 3)),
    "LayerNorm": normalise(x, (1, 2, 3)),
    "RMSNorm": normalise(x, (1, 2, 3), centre=False),
}
layers = {
    "BatchNorm": lambda x, eps=1e-5: F.batch_norm(x, None, None, training=True, eps=eps),
    "InstanceNorm": lambda x, eps=1e-5: F.instance_norm(x, eps=eps),
    "GroupNorm": lambda x, eps=1e-5: F.group_norm(x, 3, eps=eps),
    "LayerNorm": lambda x, eps=1e-5: F.layer_norm(x, x.shape[1:], eps=eps),
    "RMSNorm": lambda x, eps=1e-5: F.rms_norm(x, x.shape[1:], eps=eps),
}
for name, x_hat in ours.items():
    distance = np.abs(layers[name](mt.tensor(x)).array - x_hat).max()
    print(f"{name:<13} largest difference to the package's layer: {distance:.0e}")
    assert distance < 1e-13

# %% [markdown]
# Equal, up to rounding. So the axes are the whole difference.
#
# ### Exercise 1: GroupNorm
#
# GroupNorm with G groups cuts the C channels of a sample into G groups of neighbours, C/G channels each. All values of
# a group share one mean. Write it with `normalise`: reshape, choose the axes, reshape back. The attempt mixes up two
# numbers.


# %% tags=["exercise"]
def group_x_hat(x, groups):
    """GroupNorm's x_hat of x, an (N, C, H, W) array."""
    N, C, H, W = x.shape
    view = x.reshape(N, C // groups, groups, H, W)
    return normalise(view, (2, 3, 4)).reshape(x.shape)


# %% tags=["check"] jupyter={"source_hidden": true}
solved = {}  # exercise -> whether the last check of your attempt was content


def diagnose(got, right, wrong):
    """Compare an array with the right one and with known wrong ones, {name: (array, hint)}; print and return a name."""
    if got is None:
        verdict, hint = "nothing returned", "your function ends without a return."
    elif np.shape(got) != right.shape:
        verdict, hint = "wrong shape", f"got {np.shape(got)}, wanted {right.shape}."
    else:
        close = lambda a, b: np.abs(np.asarray(a) - b).max() <= 1e-9 * np.abs(right).max()
        known = {"right": (right, f"largest difference {np.abs(np.asarray(got) - right).max():.0e}."), **wrong}
        found = [(name, hint) for name, (array, hint) in known.items() if close(got, array)]
        worst = tuple(map(int, np.unravel_index(np.abs(np.asarray(got) - right).argmax(), right.shape)))
        verdict, hint = found[0] if found else ("a mistake without a name", f"worst at {worst}.")
    print(f"{verdict}: {hint}")
    return verdict


def check_diagnose(right, wrong):
    """The check is checked: it knows every answer by its own name."""
    for name, (array, _) in {"right": (right, ""), **wrong}.items():
        others = [n for n, (a, _) in {"right": (right, ""), **wrong}.items() if np.abs(a - array).max() < 1e-9]
        assert others == [name], others
    print(len(wrong), "wrong answers are known by name")


def grouped(x, shape, axes, ddof=0):
    """normalise, seen in another shape; with the variance divided by m - ddof."""
    view = x.reshape(shape)
    m = math.prod(view.shape[axis] for axis in axes)
    centred = view - view.mean(axes, keepdims=True)
    return (centred / np.sqrt((centred**2).sum(axes, keepdims=True) / (m - ddof) + 1e-5)).reshape(x.shape)


G = 3
right_groups = layers["GroupNorm"](mt.tensor(x)).array
cut, swapped = (N, G, C // G, H, W), (N, C // G, G, H, W)
WRONG_GROUPS = {
    "number and size mixed up": (
        grouped(x, swapped, (2, 3, 4)),
        "these are C/G groups of G channels. The second axis counts groups, the third the channels of one.",
    ),
    "dealt out like cards": (
        grouped(x, swapped, (1, 3, 4)),
        "a group holds every third channel. Its channels are neighbours: reshape to (N, G, C / G, H, W).",
    ),
    "every channel alone": (grouped(x, cut, (3, 4)), "that is InstanceNorm. The channels of a group share, too."),
    "without the positions": (grouped(x, cut, (2,)), "only the channels of a group share here. Add H and W."),
    "the whole sample": (grouped(x, cut, (1, 2, 3, 4)), "that is LayerNorm. The axis that counts groups stays."),
    "samples too": (grouped(x, cut, (0, 2, 3, 4)), "a sample must not see the others: leave out axis 0."),
    "var divided by m - 1": (grouped(x, cut, (2, 3, 4), ddof=1), "the family normalises with 1/m."),
}
check_diagnose(right_groups, WRONG_GROUPS)
solved[1] = diagnose(group_x_hat(x, G), right_groups, WRONG_GROUPS) == "right"


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_1(x, groups):
    """The second axis counts the groups; a group is what lies along the three behind it."""
    N, C, H, W = x.shape
    view = x.reshape(N, groups, C // groups, H, W)
    return normalise(view, (2, 3, 4)).reshape(x.shape)


assert diagnose(solution_1(x, G), right_groups, WRONG_GROUPS) == "right"
for groups, same in ((C, "InstanceNorm"), (1, "LayerNorm")):
    print(f"GroupNorm with {groups} group(s) is {same}: {np.allclose(solution_1(x, groups), ours[same], atol=1e-13)}")
    assert np.allclose(solution_1(x, groups), ours[same], atol=1e-13)

# %% [markdown]
# GroupNorm stands between the two: with as many groups as channels it is InstanceNorm, with one group it is LayerNorm.
#
# ### The figure
#
# Every op of the package remembers along which axes it summed. `debug.shared_values` runs a layer, reads those axes,
# and numbers the values: equal numbers share a mean. Nothing in the figure is drawn by hand.

# %%
shape = (4, 6, 2, 2)
members = {
    "BatchNorm": nn.BatchNorm2d(6),
    "InstanceNorm": nn.InstanceNorm2d(6),
    "GroupNorm, 3 groups": nn.GroupNorm(3, 6),
    "LayerNorm": nn.LayerNorm((6, 2, 2)),
    "RMSNorm": nn.RMSNorm((6, 2, 2)),
}
labels = {name: debug.shared_values(layer, shape) for name, layer in members.items()}
labels["SyncBatchNorm, 2 ranks"] = debug.shared_values(nn.SyncBatchNorm(6), shape, ranks=2)

for name, numbers in labels.items():
    count = numbers.max() + 1
    print(f"{name:<23} {count:3d} sets, m = {numbers.size // count:2d} values in each")

# %% tags=["figure"] jupyter={"source_hidden": true}
figure = debug.draw_shared_values(labels, ranks={"SyncBatchNorm, 2 ranks": 2}, columns=3)
figure.set_size_inches(11.2, 7.2)
figure

# %% [markdown]
# **Figure 1. Which values share a mean.** Dark: one set of values that share a mean. Heavy lines: borders between sets.
# Compare BatchNorm with the others in the first row: its dark set runs through all samples, from front to back. No
# other one does, but SyncBatchNorm's, which also runs over the border between two machines (dashed; notebook 08). From
# InstanceNorm to GroupNorm to LayerNorm the set grows, inside of one sample. RMSNorm shares what LayerNorm shares, and
# takes no mean away.
#
# Do not trust a figure. Poke a value, and see which means move:

# %%
x_small = rng.normal(size=shape)
poked = x_small.copy()
poked[0, 5, 0, 0] += 1
for name, layer in members.items():
    y, y_poked = (layer(mt.tensor(v).float()).detach().array for v in (x_small, poked))
    moved = y != y_poked
    same_set = labels[name] == labels[name][0, 5, 0, 0]
    print(f"{name:<20} {moved.sum():2d} results moved, exactly the dark set: {(moved == same_set).all()}")
    assert (moved == same_set).all()

# %% [markdown]
# ## b. What each cannot see
#
# Change the input, and compare the output. If nothing happened, the layer *cannot see* the change. Whatever lies above
# it will never know either. The cell below changes `x` in several ways. The last three only put things into another
# order: there the output may be reordered in the same way, and nothing else.

# %%
others = rng.normal(size=x.shape) * 2 + 1  # other samples, from elsewhere
by_sample, by_channel, by_position = rng.permutation(N), np.array([1, 3, 5, 0, 2, 4]), rng.permutation(H)
one_sample = (np.arange(N) == 0).reshape(N, 1, 1, 1)
one_channel = (np.arange(C) == 5).reshape(1, C, 1, 1)

CHANGES = {  # name: (the change of x, what the output must be then if the layer did not see it)
    "one sample × 3": (lambda x: x * (1 + 2 * one_sample), None),
    "one channel × 3": (lambda x: x * (1 + 2 * one_channel), None),
    "everything × 3": (lambda x: x * 3, None),
    "one sample + 2": (lambda x: x + 2 * one_sample, None),
    "one channel + 2": (lambda x: x + 2 * one_channel, None),
    "everything + 2": (lambda x: x + 2, None),
    "the other samples replaced": (lambda x: np.where(one_sample, x, others), lambda y, y_new: (y[0], y_new[0])),
    "samples reordered": (lambda x: x[by_sample], lambda y, y_new: (y[by_sample], y_new)),
    "channels reordered": (lambda x: x[:, by_channel], lambda y, y_new: (y[:, by_channel], y_new)),
    "positions reordered": (lambda x: x[:, :, by_position], lambda y, y_new: (y[:, :, by_position], y_new)),
}
EPS = 1e-12  # out of the way: with 1e-5, x * 3 would be seen in the fifth digit


def sees(layer, change):
    """Whether the output of a layer tells that its input was changed."""
    how, line_up = CHANGES[change]
    y, y_new = (layer(mt.tensor(v), eps=EPS).array for v in (x, how(x)))
    y, y_new = line_up(y, y_new) if line_up else (y, y_new)
    return bool(np.abs(y - y_new).max() > 1e-9)


seen = {name: {change: sees(layer, change) for change in CHANGES} for name, layer in layers.items()}
print(f"{'':<27}" + "".join(f"{name:>14}" for name in layers))
for change in CHANGES:
    print(f"{change:<27}" + "".join(f"{'sees' if seen[name][change] else '.':>14}" for name in layers))

# %% tags=["figure"] jupyter={"source_hidden": true}
fig, ax = plt.subplots(figsize=(11, 5.6))
table = np.array([[seen[name][change] for name in layers] for change in CHANGES])
ax.imshow(np.where(table, 0.15, 0.93), cmap="gray", vmin=0, vmax=1, aspect="auto")
for (row, column), value in np.ndenumerate(table):
    words, colour = ("sees it", "white") if value else ("cannot see", BLACK)
    ax.text(column, row, words, ha="center", va="center", color=colour, fontsize=13)
ax.set_xticks(range(len(layers)), layers)
ax.set_yticks(range(len(CHANGES)), CHANGES)
ax.set(xlabel="layer", ylabel="change of the input")
ax.xaxis.tick_top()
ax.xaxis.set_label_position("top")
ax.xaxis.labelpad = 10
ax.grid(False)
ax.tick_params(length=0)
for edge in np.arange(0.5, len(CHANGES) - 1):
    ax.axhline(edge, color="white", linewidth=2)
for edge in np.arange(0.5, len(layers) - 1):
    ax.axvline(edge, color="white", linewidth=2)
plt.show()

# %% [markdown]
# **Figure 2. What each layer sees.** Dark: the output tells of the change. Read BatchNorm's column: it is the only
# layer that sees its neighbours in the batch, and it does not care about their order. Read InstanceNorm's: it sees
# nothing of this list. That is why it is used where the light of a picture shall not matter, and why it cannot be used
# where the size of a channel is the message. Read the row *one sample × 3*: only BatchNorm sees it. Read the column of
# RMSNorm: it sees every shift, because it takes no mean away.
#
# The rule behind the first rows: a change is invisible if it multiplies every set of figure 1 by one positive number,
# or adds one number to it (RMSNorm forgives the factor only). Look at the row of your prediction, *one channel × 3*,
# and at the cubes again.
#
# ### Exercise 2: one sees it, the other does not
#
# Write a change of `x` that LayerNorm sees and BatchNorm cannot see. And one for which it is the other way round. The
# attempts are too simple.


# %% tags=["exercise"]
def only_layer_norm_sees(x):
    """A changed copy of x, an (N, C, H, W) array."""
    return 3 * x


def only_batch_norm_sees(x):
    """A changed copy of x, an (N, C, H, W) array."""
    return x + 2


# %% tags=["check"] jupyter={"source_hidden": true}
def who_sees(change):
    """(whether BatchNorm, whether LayerNorm sees a change), or a text that says why it is none."""
    before = x.copy()
    try:
        changed = change(before)
    except Exception as error:
        return f"it raised {type(error).__name__}: {error}"
    if not np.array_equal(before, x):
        return "your function changed x itself. Make a copy: x = x.copy()."
    if np.shape(changed) != x.shape:
        return f"got shape {np.shape(changed)}, wanted {x.shape}."
    if np.array_equal(changed, x):
        return "nothing was changed."
    pairs = [[layers[name](mt.tensor(v), eps=EPS).array for v in (x, changed)] for name in ("BatchNorm", "LayerNorm")]
    return tuple(bool(np.abs(a - b).max() > 1e-9) for a, b in pairs)


SAYS = {
    (False, False): "neither sees it: it is one number for everything. Give it to a part of x only.",
    (True, True): "both see it. Does it treat all values of one dark set of figure 1 alike?",
}


def check_sees(change, wanted):
    """Print who sees a change; True if it is as wanted."""
    result = who_sees(change)
    if isinstance(result, str):
        print(result)
    elif result == wanted:
        print(
            "right:",
            "BatchNorm sees it, LayerNorm does not." if wanted[0] else "LayerNorm sees it, BatchNorm does not.",
        )
    else:
        print(SAYS.get(result, "the other way round: you treated samples where channels were meant, or the reverse."))
    return result == wanted


solved[2] = check_sees(only_layer_norm_sees, (False, True)) & check_sees(only_batch_norm_sees, (True, False))


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_2a(x):
    """Every channel times a number of its own: a set of BatchNorm is one channel, a set of LayerNorm holds them all."""
    return x * np.arange(1, C + 1).reshape(1, C, 1, 1)


def solution_2b(x):
    """Every sample times a number of its own."""
    return x * np.arange(1, N + 1).reshape(N, 1, 1, 1)


assert check_sees(solution_2a, (False, True)) and check_sees(solution_2b, (True, False))

# %% [markdown]
# ### What is not seen is not passed on
#
# Notebook 02: BatchNorm takes two directions away from a gradient, because its output does not move along them. The
# same holds here. Take the direction in which a change moves `x`, and ask how much of `dx` lies along it. For a layer
# that cannot see the change, it must be nothing, whatever `dy` is.

# %%
dy = rng.normal(size=x.shape)
mismatches = 0
print(f"{'dx along the direction of':<27}" + "".join(f"{name:>14}" for name in layers))
for change in list(CHANGES)[:6]:  # those that move x a little if they are applied a little
    direction = CHANGES[change][0](x) - x
    parts = []
    for name, layer in layers.items():
        leaf = mt.tensor(x, requires_grad=True)
        layer(leaf, eps=EPS).backward(mt.tensor(dy))
        dx = leaf.grad.array
        parts.append((dx * direction).sum() / np.linalg.norm(dx) / np.linalg.norm(direction))
        mismatches += (abs(parts[-1]) > 1e-9) != seen[name][change]
    print(f"{change:<27}" + "".join(f"{part:14.0e}" for part in parts))
print("places where this table and figure 2 disagree:", mismatches)
assert mismatches == 0

# %% [markdown]
# Numbers around 1e-16 are rounding. They stand exactly where figure 2 is light. A layer that forgets something forwards
# forgets it backwards, too.
#
# ## c. Gamma inside the means
#
# `gamma` and `beta` come after `x_hat`, and here the layers differ in a second set of axes. In BatchNorm, InstanceNorm
# and GroupNorm there is one gamma per channel. In LayerNorm and RMSNorm there is one per *value of a row*: gamma has
# the shape of what is normalised.

# %%
for name, layer in members.items():
    gamma = getattr(layer, "weight", None)
    print(f"{name:<20} gamma {tuple(gamma.shape) if gamma is not None else 'not unless asked for: affine=True'}")

# %% [markdown]
# So in BatchNorm all m values that share a mean share a gamma, and it can be pulled to the front:
#
# $$\mathtt{dx} = \mathtt{gamma}\cdot\mathtt{inv\_std}\cdot
# (\mathtt{dy} - \mathrm{mean}(\mathtt{dy}) - \mathtt{x\_hat}\cdot\mathrm{mean}(\mathtt{dy}\cdot\mathtt{x\_hat}))$$
#
# ### Exercise 3: LayerNorm's dx
#
# For rows of an `(n, D)` matrix, with `gamma` of shape `(D,)`, write LayerNorm's `dx`. Start from `dx_hat`, the
# gradient that arrives at `x_hat`. The attempt is BatchNorm's formula with LayerNorm's axis.

# %%
rows = rng.normal(size=(5, 8)) * rng.uniform(0.5, 3, (5, 1)) + 1
row_gamma, d_rows = rng.uniform(0.5, 2, 8) * np.array([1, -1] * 4), rng.normal(size=(5, 8))
row_inv_std = 1 / np.sqrt(rows.var(1, keepdims=True) + 1e-5)
row_hat = (rows - rows.mean(1, keepdims=True)) * row_inv_std


# %% tags=["exercise"]
def layer_norm_dx(dy, x_hat, inv_std, gamma):
    """dx of gamma * x_hat + beta; dy and x_hat are (n, D), inv_std is (n, 1), gamma is (D,)."""
    mean_dy = dy.mean(1, keepdims=True)
    mean_dy_x_hat = (dy * x_hat).mean(1, keepdims=True)
    return gamma * inv_std * (dy - mean_dy - x_hat * mean_dy_x_hat)


# %% tags=["check"] jupyter={"source_hidden": true}
def closed(dx_hat, front=1.0, axis=1, mean=True, along=True):
    """The closed form, with parts left out or along another axis."""
    kept = dx_hat - mean * dx_hat.mean(axis, keepdims=True)
    return front * row_inv_std * (kept - along * row_hat * (dx_hat * row_hat).mean(axis, keepdims=True))


leaf = mt.tensor(rows, requires_grad=True)
small_ops = leaf - leaf.mean(1, keepdim=True)  # the right answer comes from small ops, and shares no formula with yours
small_ops = small_ops * mt.rsqrt((small_ops * small_ops).mean(1, keepdim=True) + 1e-5) * mt.tensor(row_gamma)
small_ops.backward(mt.tensor(d_rows))
right_rows = leaf.grad.array
WRONG_ROWS = {
    "gamma in front of the means": (
        closed(d_rows, row_gamma),
        "gamma differs inside a row, so it cannot leave the means. Put it into dx_hat = gamma * dy.",
    ),
    "gamma forgotten": (closed(d_rows), "dx_hat is dy times gamma."),
    "gamma counted twice": (
        closed(row_gamma * d_rows, row_gamma),
        "it is in dx_hat. It must not stand in front again.",
    ),
    "means over the samples": (
        closed(row_gamma * d_rows, axis=0),
        "the rows share means: axis 1. This is BatchNorm's axis.",
    ),
    "the mean was not taken away": (closed(row_gamma * d_rows, mean=False), "that is RMSNorm's backward."),
    "the part along x_hat was not taken away": (
        closed(row_gamma * d_rows, along=False),
        "the variance moves with x, too.",
    ),
    "mean and variance as constants": (
        closed(row_gamma * d_rows, mean=False, along=False),
        "two of the three ways from y to x are missing.",
    ),
}
check_diagnose(right_rows, WRONG_ROWS)
solved[3] = diagnose(layer_norm_dx(d_rows, row_hat, row_inv_std, row_gamma), right_rows, WRONG_ROWS) == "right"


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_3(dy, x_hat, inv_std, gamma):
    """gamma first; then what BatchNorm does, along the row."""
    dx_hat = gamma * dy
    mean = dx_hat.mean(1, keepdims=True)
    along = x_hat * (dx_hat * x_hat).mean(1, keepdims=True)
    return inv_std * (dx_hat - mean - along)


assert diagnose(solution_3(d_rows, row_hat, row_inv_std, row_gamma), right_rows, WRONG_ROWS) == "right"

# %% [markdown]
# The package writes it once, for all: `Normalisation.normalise_backward` takes `dx_hat`, and BatchNorm's file alone
# pulls gamma out, to save a multiplication of a whole array.
#
# ## d. A padded batch
#
# Sentences have different lengths, and a batch is one array. So the short ones are filled up with zeros: *padding*.
# Names do as well as sentences. Each symbol becomes a vector of D numbers; where a name has ended, the vector is 0.

# %%
names = read_names()[:64]
vocabulary = Vocabulary("".join(names))
lengths = np.array([len(name) for name in names])
D = 16
mt.manual_seed(0)
embedding = nn.Embedding(len(vocabulary) + 1, D, padding_idx=0)  # row 0 is the padding: zeros
embedding.weight.data[1:] += 0.5  # so that, as after training, the mean of a channel is not 0


def padded(count, more=0):
    """The first `count` names as (count, T, D), with zeros up to the longest and `more`; and a mask (count, T)."""
    T = int(lengths[:count].max()) + more
    index = np.zeros((count, T), int)
    for row, name in zip(index, names[:count], strict=True):
        row[: len(name)] = np.asarray(vocabulary.encode(name)) + 1
    return embedding(mt.tensor(index)).detach().double(), index > 0


batch, mask = padded(64)
print("names:", ", ".join(names[:6]), "...   lengths", lengths.min(), "to", lengths.max())
print("batch (names, symbols, D):", tuple(batch.shape), f"  share of padding {1 - mask.mean():.0%}")

# %% [markdown]
# The padding says nothing. So a layer should give every real symbol the same result, however much of it there is. Add
# columns of zeros, and look at the real symbols only. BatchNorm1d wants `(N, C, L)`: its channels are the D numbers.


# %%
def batch_norm(x):
    return F.batch_norm(x.transpose(1, 2), None, None, training=True).transpose(1, 2)


def layer_norm(x):
    return F.layer_norm(x, (D,))


EXTRA = (0, 2, 5, 10, 20, 40, 80, 160)
results = {"BatchNorm": [], "LayerNorm": []}
share = []
for more in EXTRA:
    longer, real = padded(64, more)
    share.append(1 - real.mean())
    results["BatchNorm"].append(batch_norm(longer).array[real])
    results["LayerNorm"].append(layer_norm(longer).array[real])

print("share of padding      ", "".join(f"{s:8.0%}" for s in share))
change = {name: [np.abs(y - ys[0]).max() for y in ys] for name, ys in results.items()}
spread = {name: [y.std() for y in ys] for name, ys in results.items()}
for name in results:
    print(f"{name}: largest change", "".join(f"{c:8.3f}" for c in change[name]))
    print(f"{'':<11}spread of y   ", "".join(f"{s:8.3f}" for s in spread[name]))
assert max(change["LayerNorm"]) == 0

# %% tags=["figure"] jupyter={"source_hidden": true}
values = batch.array[mask]
mu, variance = values.mean(0), values.var(0)
p = np.linspace(0, 0.97, 200)[:, None]  # share of zeros
mean_of_all, var_of_all = (1 - p) * mu, (1 - p) * (variance + p * mu**2)  # of real values and zeros together
y_mean = (mu - mean_of_all) / np.sqrt(var_of_all)  # of real values, per channel, after BatchNorm
y_var = variance / var_of_all
expected = np.sqrt((y_var + y_mean**2).mean(1) - y_mean.mean(1) ** 2)

fig, axes = plt.subplots(1, 2, figsize=(13, 4.8))
LOOKS = {"BatchNorm": (BLUE, "-", "o"), "LayerNorm": (ORANGE, "--", "s")}
for name, (colour, line, marker) in LOOKS.items():
    look = {"color": colour, "linestyle": line, "marker": marker, "label": name}
    axes[0].plot(100 * np.array(share), change[name], **look)
    axes[1].plot(100 * np.array(share), spread[name], **(look | {"linestyle": "" if name == "BatchNorm" else line}))
axes[1].plot(100 * p, expected, color=BLACK, linewidth=1.6, linestyle=":", label="BatchNorm, computed")
axes[0].set(xlabel="share of padding (%)", ylabel="largest change of a real symbol's y", xlim=(0, 100))
axes[1].set(
    xlabel="share of padding (%)", ylabel="standard deviation of real symbols' y", xlim=(0, 100), ylim=(0, None)
)
axes[0].legend()
axes[1].legend()
axes[0].set_title("Zeros are added: what happens to the symbols?")
axes[1].set_title("BatchNorm blows them up")
plt.show()

# %% [markdown]
# **Figure 3. The same names with more and more padding.** Left: with LayerNorm the dashed line stays at 0, because a
# symbol's mean is over its own D numbers. With BatchNorm every symbol's result depends on how many zeros stand
# elsewhere. Right: the zeros pull BatchNorm's variance down, and so the real values come out larger. The dotted line is
# computed from the share of zeros, and the mean and the variance of the real symbols.
#
# Padding depends on the longest name in the batch: on company, again. And the damage stays: the running statistics
# average what the batches gave.

# %%
layer = nn.BatchNorm1d(D, dtype=mt.float64)
for more in [*range(5)] * 20:
    layer(padded(64, more)[0].transpose(1, 2))
layer.eval()
alone, _ = padded(1)  # one name, without padding: as it will be used
y_alone = layer(alone.transpose(1, 2)).detach().array
ratio = (layer.running_var.array / variance).mean()
in_batch, by_itself = (layer_norm(v).array[0, : lengths[0]] for v in (batch, alone))
print(f"running_var is {ratio:.2f} of the real symbols' variance, on average over the {D} channels")
print(f"LayerNorm, {names[0]} in the batch against alone: largest difference {np.abs(in_batch - by_itself).max():.0e}")
assert ratio < 0.97 and np.abs(in_batch - by_itself).max() < 1e-14

# %% [markdown]
# This is why models of sequences use LayerNorm, or RMSNorm, which does one step less: no padding, no length and no
# neighbour gets into a symbol's result, training and use are the same function, and a batch of one symbol will do.
#
# ### Exercise 4: BatchNorm with a mask
#
# It can be repaired. Write BatchNorm's `x_hat` over the real symbols only: `mask` is `(N, T)` and True for them.
# Padding stays 0. The attempt forgets what `mean` divides by.


# %% tags=["exercise"]
def masked_x_hat(x, mask, eps=1e-5):
    """x_hat of x, an (N, T, D) array, with the statistics of the masked symbols; 0 elsewhere."""
    real = mask[:, :, None]
    mean = (x * real).mean((0, 1))
    var = (((x - mean) * real) ** 2).mean((0, 1))
    return (x - mean) / np.sqrt(var + eps) * real


# %% tags=["check"] jupyter={"source_hidden": true}
x_names = batch.array
real = mask[:, :, None]


def finish(mean, var):
    """x_hat with given statistics, 0 at the padding."""
    return (x_names - mean) / np.sqrt(var + 1e-5) * real


total = mask.sum()
good_mean = x_names[mask].mean(0)
per_name = (x_names * real).sum(1) / lengths[:, None]
per_name_var = (((x_names - per_name[:, None]) * real) ** 2).sum(1) / lengths[:, None]
all_mean = x_names.mean((0, 1))
right_mask = finish(good_mean, x_names[mask].var(0))
WRONG_MASK = {
    "divided by N T": (
        finish(all_mean, (((x_names - all_mean) * real) ** 2).mean((0, 1))),
        "the sums are over real symbols, the divisor counts the padding, too. Divide by mask.sum().",
    ),
    "the mask was not used": (finish(all_mean, x_names.var((0, 1))), "this is plain BatchNorm: zeros count as values."),
    "zeros in the variance": (
        finish(good_mean, ((x_names - good_mean) ** 2).sum((0, 1)) / total),
        "the mean is right. In the variance the padding adds mean**2 each: multiply by the mask before you sum.",
    ),
    "zeros in the variance and its divisor": (
        finish(good_mean, ((x_names - good_mean) ** 2).mean((0, 1))),
        "the mean is right. The variance still runs over all N T places.",
    ),
    "the mean of the names' means": (
        finish(per_name.mean(0), (((x_names - per_name.mean(0)) * real) ** 2).sum((0, 1)) / total),
        "a short name's symbols count more than a long one's. Sum first, divide once.",
    ),
    "every name by itself": (
        finish(per_name[:, None], per_name_var[:, None]),
        "that is InstanceNorm with a mask: the names must share.",
    ),
    "var divided by count - 1": (finish(good_mean, x_names[mask].var(0, ddof=1)), "BatchNorm normalises with 1/m."),
    "padding is not 0 afterwards": (
        (x_names - good_mean) / np.sqrt(x_names[mask].var(0) + 1e-5),
        "right at the real symbols. Multiply by the mask at the end.",
    ),
}
check_diagnose(right_mask, WRONG_MASK)
solved[4] = diagnose(masked_x_hat(x_names, mask), right_mask, WRONG_MASK) == "right"


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_4(x, mask, eps=1e-5):
    """m counts the real symbols, and every sum runs over them alone."""
    real = mask[:, :, None]
    m = mask.sum()
    mean = (x * real).sum((0, 1)) / m
    var = (((x - mean) * real) ** 2).sum((0, 1)) / m
    return (x - mean) / np.sqrt(var + eps) * real


assert diagnose(solution_4(x_names, mask), right_mask, WRONG_MASK) == "right"
with_more, more_mask = padded(64, 80)
drift = np.abs(solution_4(with_more.array, more_mask)[more_mask] - solution_4(x_names, mask)[mask]).max()
print(f"80 more columns of zeros change the masked x_hat by at most {drift:.0e}")
assert drift < 1e-12

# %% [markdown]
# The mask repairs the padding. It does not repair the company: a name's result still depends on which other names are
# in the batch. Only other axes repair that.
#
# ## e. InstanceNorm with a memory, and a relative
#
# InstanceNorm normalises a sample with its own statistics, in train mode and in eval mode. It needs no running
# statistics. But it can be told to keep them: `track_running_stats=True`. Then eval mode uses the averages, as in
# BatchNorm, and the layer is another function than in training. Is that wise? Take images under different light.

# %%
light, contrast = rng.normal(0, 3, (200, 1, 1, 1)), rng.uniform(0.5, 2, (200, 1, 1, 1))
images = mt.tensor(light + contrast * rng.normal(size=(200, 2, 6, 6)))

kept = nn.InstanceNorm2d(2, track_running_stats=True, momentum=1.0, dtype=mt.float64)  # 1.0: the newest batch counts
y_train = kept(images).array
y_eval = kept.eval()(images).array
pixels = images.array
within, of_all = pixels.var((2, 3), ddof=1).mean(0), pixels.var((0, 2, 3), ddof=1)
print("running_var                          ", kept.running_var.array)
print("variance within an image, averaged   ", within)
print("variance of all pixels of a channel  ", of_all)
print(
    "std over images of an image's mean y:  train",
    f"{y_train.mean((2, 3)).std():.2f}",
    "  eval",
    f"{y_eval.mean((2, 3)).std():.2f}",
)
assert np.allclose(kept.running_var.array, within) and (of_all > 2 * within).all()

# %% [markdown]
# `running_var` is the average of the images' own variances. The variance *of their means*, the light, is in the
# variance of all pixels only. So in train mode no light is left in the output, and in eval mode all of it is. Whoever
# keeps running statistics here must want that. The default, in PyTorch as well, is not to keep them.
#
# **A relative that takes no mean at all.** Before BatchNorm, AlexNet divided every value by the energy of neighbouring
# channels at its own position: LocalResponseNorm. There are no sets in it, only windows, and its k = 1 keeps it from
# forgetting the size of the input:

# %%
relative = nn.LocalResponseNorm(3, alpha=1.0)
once, thrice = (relative(mt.tensor(v)).array for v in (x, 3 * x))
print(
    f"std of y: {once.std():.3f} for x, {thrice.std():.3f} for 3 x. Largest change: {np.abs(thrice - once).max():.2f}"
)
try:
    debug.shared_values(relative, shape)
except ValueError as error:
    print(str(error).split(";")[0])

# %% [markdown]
# ## PyTorch, if it is there
#
# An optional cell. All five layers, in float64: results and gradients should be PyTorch's, up to rounding.

# %% tags=["optional"]
try:
    import torch
except ImportError:
    torch = None

if torch is None:
    print("PyTorch is not installed: skipped. Nothing below needs it.")
else:
    theirs_by_name = {
        "BatchNorm": torch.nn.BatchNorm2d(6),
        "InstanceNorm": torch.nn.InstanceNorm2d(6),
        "GroupNorm, 3 groups": torch.nn.GroupNorm(3, 6),
        "LayerNorm": torch.nn.LayerNorm((6, 2, 2)),
        "RMSNorm": torch.nn.RMSNorm((6, 2, 2)),
    }
    for name, layer in members.items():
        theirs = theirs_by_name[name].double()
        a, b = mt.tensor(x_small, requires_grad=True), torch.tensor(x_small, requires_grad=True)
        upstream = rng.normal(size=shape)
        layer.double()(a).backward(mt.tensor(upstream))
        theirs(b).backward(torch.tensor(upstream))
        distance = np.abs(a.grad.array - b.grad.numpy()).max() / np.abs(b.grad.numpy()).max()
        print(f"{name:<20} dx: largest difference {distance:.0e} of the largest")
        assert distance < 1e-12

# %% [markdown]
# ## The answer
#
# The prediction is the row *one channel × 3* of figure 2.

# %%
unseen = {name for name in layers if not seen[name]["one channel × 3"]}
claims = {
    "A": unseen == set(layers),
    "B": unseen == {"BatchNorm"},
    "C": unseen == {"BatchNorm", "InstanceNorm"},
    "D": unseen == {"LayerNorm", "RMSNorm", "GroupNorm"},
}
answer = "".join(letter for letter, holds in claims.items() if holds)
print("cannot see one channel × 3:", ", ".join(sorted(unseen)))
print("measured:", answer, "  you predicted:", prediction or "nothing yet. Write a letter into the second code cell.")
if prediction:
    print(
        "As predicted."
        if prediction == answer
        else f"Not as predicted. Which cube of figure 1 speaks against {prediction}?"
    )
print(f"exercises solved: {sum(solved.values())} of {len(solved)}")

assert prediction in {None, *claims}, f"prediction is {prediction!r}, wanted one of A, B, C, D"
assert answer == "C"
assert [name for name in layers if seen[name]["the other samples replaced"]] == ["BatchNorm"]
assert [name for name in layers if seen[name]["everything + 2"]] == ["RMSNorm"]
assert [name for name in layers if seen[name]["channels reordered"]] == ["GroupNorm"]
assert not any(seen[name]["samples reordered"] for name in layers)
assert mismatches == 0  # and backwards the same
assert max(change["LayerNorm"]) == 0 < min(change["BatchNorm"][1:])

# %% [markdown]
# **One formula, five axes: what changes?** What shares a mean. From that follows what a layer cannot see, forwards and
# backwards: BatchNorm cannot see the scale of a channel, GroupNorm, LayerNorm and RMSNorm cannot see the scale of a
# sample, and InstanceNorm sees neither. BatchNorm alone looks at the other samples. So it alone needs running
# statistics, and breaks when the batch is small: notebook 08. LayerNorm and RMSNorm look at one symbol at a time. That
# is what a model of sentences needs. RMSNorm leaves out the mean, and sees shifts for it.
#
# If your prediction was another: which cube would have told you?
