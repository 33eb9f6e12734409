# %% [markdown]
# # 02 · BatchNorm by hand
#
# **What does BatchNorm take away from a gradient?**
#
# A gradient `dy` comes back from the loss. BatchNorm turns it into `dx` and hands it on. Something is lost on the
# way. In this lesson you derive `dx` three times: from a graph, from the paper, and in a single line. Then you draw
# that line and see what is lost. Class time: 90 minutes.
#
# You need notebook 01 (what `backward` does) and the chain rule.
#
# | part | what you do | minutes |
# |---|---|---|
# | a | write BatchNorm as nine small ops, and let autograd run | 12 |
# | b | read the paper's gradients off that graph | 13 |
# | c | simplify them to one line, no step skipped | 15 |
# | d | see that line as geometry | 20 |
# | e | compare the three forms: their results, and their costs | 5 |
# | f | go on to images | 5 |
# | g | meet the running statistics: a second function with a second backward | 12 |
# | h | find out which mistakes a gradient check lets through | 5 |
#
# Three minutes are for the prediction at the start and the answer at the end.

# %%
import math
import timeit
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np

import minitorch_bn as mt
from minitorch_bn.engine import graph
from minitorch_bn.nn import functional as F

np.set_printoptions(precision=4, suppress=True)
plt.rcParams.update({"font.size": 12, "axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 100})

# %% [markdown]
# ## Your prediction
#
# One channel holds `m` values. `dy` holds `m` numbers, any numbers. BatchNorm, in train mode, computes `dx` from
# them. Which sentence is true?
#
# - **A** Nothing is lost. `dx` is `dy`, scaled.
# - **B** `dy` loses its mean. Then it is scaled.
# - **C** `dy` loses its mean and one more direction. Then it is scaled.
# - **D** `dy` loses its length. Whatever comes in, `dx` has the same norm.
#
# Write your letter into the next cell, before you read on. The last cell reads it again.

# %% tags=["prediction"]
prediction = None  # "A", "B", "C" or "D"

# %% [markdown]
# ## a. From the definition to nine small ops
#
# For every channel, with `m` values each:
#
# $$
# \mathtt{mean} = \frac1m\sum_i \mathtt{x}_i \qquad
# \mathtt{var} = \frac1m\sum_i (\mathtt{x}_i - \mathtt{mean})^2 \qquad
# \mathtt{inv\_std} = \frac{1}{\sqrt{\mathtt{var} + \mathtt{eps}}}
# $$
#
# $$
# \mathtt{x\_hat}_i = (\mathtt{x}_i - \mathtt{mean})\cdot\mathtt{inv\_std} \qquad
# \mathtt{y}_i = \mathtt{gamma}\cdot\mathtt{x\_hat}_i + \mathtt{beta}
# $$
#
# `var` divides by `m`: it is the biased variance. `eps` stands inside the root. `gamma` and `beta` are learnt, one of
# each per channel. Write one op per line.


# %%
def nine_ops(x, gamma, beta, eps=1e-5):
    """BatchNorm of x, an (m, C) tensor. Returns every value under its name."""
    mean = x.mean(0)  # 1
    centred = x - mean  # 2
    square = centred * centred  # 3
    var = square.mean(0)  # 4
    var_eps = var + eps  # 5
    inv_std = mt.rsqrt(var_eps)  # 6
    x_hat = centred * inv_std  # 7
    scaled = gamma * x_hat  # 8
    y = scaled + beta  # 9
    return SimpleNamespace(**locals())


# %% [markdown]
# Now data. Three channels with different means and spreads, `gamma` that is not 1, `beta` that is not 0, and a random
# `dy`. Part h shows why none of these choices is idle. All arrays are float64, so that rounding stays out of the way.

# %%
rng = np.random.default_rng(2)
m, C, eps = 8, 3, 1e-5
x = rng.normal(size=(m, C)) * [1.0, 3.0, 0.1] + [0.0, 5.0, -2.0]
gamma = rng.uniform(0.5, 2.0, C) * [1, -1, 1]
beta = rng.normal(size=C)
dy = rng.normal(size=(m, C))

t = nine_ops(
    mt.tensor(x, requires_grad=True), mt.tensor(gamma, requires_grad=True), mt.tensor(beta, requires_grad=True)
)
order = graph(t.y)  # the tensors that ops made, newest first: the order of backward
t.y.backward(dy, retain_graph=True)  # keep the graph: you will look at the gradient at every op

print(len(order), "ops, newest first:", *(type(tensor.op).__name__ for tensor in order))
print("y, mean of each channel    ", t.y.array.mean(0), "  beta ", beta)
print("y, std of each channel     ", t.y.array.std(0), "  gamma", gamma)
print("dx, first two rows\n", t.x.grad.array[:2])
assert len(order) == 9

# %% [markdown]
# Nine ops, and a `dx` without a line of calculus from you. The next cell draws the graph. Its arrows are read from
# `op.inputs`, so the picture is the graph that `backward` walks. Only the places of the boxes are chosen by hand.

# %%
PLACES = {  # name: (across, up), what the op does, where its gradient comes from
    "x": ((0.0, 1.1), "", "dcentred + dmean / m"),
    "mean": ((1.45, 2.3), "Σ x / m", "$-$ Σ dcentred"),
    "centred": ((2.9, 1.1), "x $-$ mean", "3 arrows, added"),
    "square": ((2.9, -0.3), "centred $\\cdot$ centred", "dvar / m"),
    "var": ((5.3, -0.3), "Σ square / m", "dvar_eps"),
    "var_eps": ((7.7, -0.3), "var + eps", "$-\\frac{1}{2}$ inv_std$^3$ $\\cdot$ dinv_std"),
    "inv_std": ((10.1, -0.3), "1 / root of var_eps", "Σ dx_hat $\\cdot$ centred"),
    "x_hat": ((10.1, 1.1), "centred $\\cdot$ inv_std", "gamma $\\cdot$ dscaled"),
    "gamma": ((12.5, 2.3), "", "Σ dscaled $\\cdot$ x_hat"),
    "scaled": ((12.5, 1.1), "gamma $\\cdot$ x_hat", "dy"),
    "beta": ((14.9, 2.3), "", "Σ dy"),
    "y": ((14.9, 1.1), "scaled + beta", "comes from the loss"),
}
ROUTES = {  # how to draw an arrow: colour, line
    "directly": ("#111111", "solid"),
    "by the mean": ("#d55e00", (0, (3, 1.3))),
    "by the variance": ("#0072b2", (0, (1, 1))),
    "after x_hat": ("#999999", "solid"),
}
WIDTH, HEIGHT = 2.06, 0.66  # of a box


def arrows(t, order):
    """(from, to) for every arrow of the graph, read from the ops' inputs."""
    names = {id(tensor): name for name, tensor in vars(t).items()}
    return [(names[id(a)], names[id(tensor)]) for tensor in order for a in tensor.op.inputs if isinstance(a, mt.Tensor)]


def route_of(a, b):
    """Which way from x to x_hat the arrow from a to b belongs to."""
    if "mean" in (a, b):
        return "by the mean"
    if {a, b} & {"square", "var", "var_eps", "inv_std"}:
        return "by the variance"
    return "directly" if b in ("centred", "x_hat") else "after x_hat"


def border(a, b):
    """The point where the line from box a to box b leaves box a."""
    start, way = np.array(PLACES[a][0]), np.subtract(PLACES[b][0], PLACES[a][0])
    reach = min(size / 2 / abs(part) for size, part in zip((WIDTH, HEIGHT), way, strict=True) if part)
    return start + way * reach


def draw_arrow(ax, start, end, colour, line="solid", width=2.6, head=0.4):
    """An arrow on the page: a shaft in any line style, and a solid head."""
    neck = end - (end - start) * min(1, 0.2 / np.linalg.norm(end - start))
    ax.plot(*np.array([start, neck]).T, color=colour, linestyle=line, lw=width, dash_capstyle="butt", zorder=3)
    style = {"arrowstyle": f"-|>,head_width={head},head_length={1.8 * head}", "color": colour, "lw": width}
    ax.annotate("", end, neck, arrowprops={**style, "shrinkA": 0, "shrinkB": 0}, zorder=4)


def draw_graph(backward=False):
    """The nine ops as boxes. Forward: how values are made. Backward: arrows turned, gradients in the boxes."""
    _, ax = plt.subplots(figsize=(14, 4.4), layout="constrained")
    drawn = []
    for a, b in arrows(t, order):
        start, end = (border(b, a), border(a, b)) if backward else (border(a, b), border(b, a))
        aside = np.array([0.45 * drawn.count((a, b)) - 0.22 * ((a, b) == ("centred", "square")), 0])
        drawn.append((a, b))
        colour, line = ROUTES[route_of(a, b)]
        draw_arrow(ax, start + aside, end + aside, colour, line)
    for name, (place, how, gradient) in PLACES.items():
        corner = np.subtract(place, (WIDTH / 2, HEIGHT / 2))
        ax.add_patch(plt.Rectangle(corner, WIDTH, HEIGHT, fc="white" if how else "#dddddd", ec="#111111", lw=1.3))
        title, below = ("d" + name, gradient) if backward else (name, how)
        ax.text(place[0], place[1] + (0.14 if below else 0), title, ha="center", va="center", weight="bold")
        ax.text(place[0], place[1] - 0.16, below, ha="center", va="center", fontsize=10)
    for label, (colour, line) in ROUTES.items():
        ax.plot([], [], color=colour, linestyle=line, lw=2.6, label=label)
    ax.legend(loc="upper center", bbox_to_anchor=(0.44, 1.02), ncols=4, frameon=False, fontsize=13)
    ax.set(xlim=(-1.1, 16.0), ylim=(-0.75, 3.15))
    ax.axis("off")


draw_graph()

# %% [markdown]
# **Figure 1. Three paths lead from `x` to `x_hat`.** Grey boxes are inputs, white boxes are the nine ops. Follow the
# arrows: `x` reaches `x_hat` directly (solid), by the mean (dashed), and by the variance (dotted). A gradient comes
# back along every path that a value went. Whoever forgets a path gets a wrong `dx`.
#
# ### Is it right?
#
# Trust no gradient that you have not checked. Central differences know no calculus: move one element of `x` by `h`,
# look at the loss, move it the other way. The loss is `(y * dy).sum()` with your random `dy`, because the gradient of
# that loss with respect to `y` is `dy`.


# %%
def central_differences(loss, x, h=1e-6):
    """d loss / d x, one element at a time: (loss(x + h) - loss(x - h)) / 2h."""
    dx = np.empty_like(x)
    for i in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[i] = h
        dx[i] = (loss(x + step) - loss(x - step)) / (2 * h)
    return dx


def loss_of_nine_ops(x):
    """(y * dy).sum(), a number, for an array x."""
    return float((nine_ops(mt.tensor(x), mt.tensor(gamma), mt.tensor(beta), eps).y.array * dy).sum())


dx_graph = t.x.grad.array
dx_numerical = central_differences(loss_of_nine_ops, x)
error = np.abs(dx_graph - dx_numerical).max() / np.abs(dx_graph).max()
print(f"largest difference, relative to the largest dx: {error:.1e}")
assert error < 1e-7

# %% [markdown]
# Autograd agrees with central differences, up to the error of the differences themselves. From here on, `dx_graph` is
# the reference.
#
# ### How the exercises work
#
# A cell marked *exercise* holds an attempt with a mistake. Run it. `diagnose` compares its `dx` with the right one,
# and with the answers that people usually give instead. It says which of them yours is. Repair the attempt and run it
# again. The folded cell below it holds a solution. `diagnose` reads like this:


# %%
def diagnose(student_dx, case):
    """Print and return which answer student_dx is: "right", or the name of the mistake."""
    verdict, hint = name_mistake(student_dx, case)
    print(f"{verdict}: {hint}")
    return verdict


def name_mistake(student_dx, case):
    """Compare student_dx with case.right and with case.wrong, a dict: name of the mistake -> (its dx, hint)."""
    right = case.right
    if student_dx is None:
        return "nothing returned", "your function ends without a return."
    dx = np.asarray(student_dx, dtype=float)
    if dx.shape != right.shape:
        return "wrong shape", f"got {dx.shape}, wanted {right.shape}: a gradient has the shape of its x."
    if not np.isfinite(dx).all():
        return "not finite", f"{np.count_nonzero(~np.isfinite(dx))} of {dx.size} elements are nan or inf."

    def same(a, b):
        return np.abs(a - b).max() <= 1e-9 * np.abs(right).max()

    if same(dx, right):
        return "right", f"largest difference {np.abs(dx - right).max():.0e}."
    for name, (wrong_dx, hint) in case.wrong.items():
        if same(dx, wrong_dx):
            return name, hint
    factor = (dx * right).sum() / (right * right).sum()
    if same(dx, factor * right):
        return "wrong factor", f"yours is {factor:.6g} times the right one."
    if np.abs(dx - right).max() <= 1e-5 * np.abs(right).max():
        return "nearly right", "five digits agree, not nine. Is something float32?"
    worst = tuple(map(int, np.unravel_index(np.abs(dx - right).argmax(), dx.shape)))
    return "a mistake without a name", f"worst at {worst}: got {dx[worst]:.6g}, wanted {right[worst]:.6g}."


# %% [markdown]
# The next cell holds the right and the wrong answers. The right ones come from autograd on the forward, so they
# cannot share a mistake with your formula. Run the cell. Read it after the exercises, not before.


# %% tags=["examiner", "hide-input"] jupyter={"source_hidden": true}
def autograd(forward, x, dy):
    """dx of a forward on tensors, by autograd."""
    x = mt.tensor(x, requires_grad=True)
    forward(x).backward(dy)
    return x.grad.array


def case(right, wrong):
    """A right answer, and the known wrong ones: name -> (array, hint)."""
    return SimpleNamespace(right=right, wrong=wrong)


def ingredients(x, eps, correction=0, axes=(0,)):
    """x_hat and inv_std, with the variance divided by m - correction."""
    count = math.prod(x.shape[i] for i in axes)
    centred = x - x.mean(axes, keepdims=True)
    inv_std = 1 / np.sqrt((centred**2).sum(axes, keepdims=True) / (count - correction) + eps)
    return centred * inv_std, inv_std


def all_cases():
    """The seven exercises' answers, on the data that the exercises use."""
    cases = SimpleNamespace()
    x_hat, inv_std = ingredients(x, eps)
    mean_dy, dot = dy.mean(0), (dy * x_hat).sum(0)

    cases.centre = case(
        autograd(lambda x: x - x.mean(0), x, dy),
        {
            "the mean was taken as a constant": (dy, "mean is made of x. Move one x and every centred value moves."),
            "the sum was subtracted not the mean": (dy - dy.sum(0), "each x enters the mean with weight 1/m."),
            "the sign of the path by the mean": (dy + mean_dy, "the mean is subtracted: its path has a minus."),
        },
    )

    inv_rms = 1 / np.sqrt((x * x).mean(0) + eps)
    u = x * inv_rms
    cases.scale = case(
        autograd(lambda x: x * mt.rsqrt((x * x).mean(0) + eps), x, dy),
        {
            "the path by the variance was forgotten": (inv_rms * dy, "inv_rms is made of x too. Add its path."),
            "a factor 2 too much": (
                inv_rms * (dy - 2 * u * (dy * u).mean(0)),
                "the 2 of the square meets the 1/2 of the root.",
            ),
            "a factor 2 too little": (inv_rms * (dy - u * (dy * u).mean(0) / 2), "x enters its square twice."),
            "the mean was removed as well": (
                inv_rms * (dy - mean_dy - u * (dy * u).mean(0)),
                "nothing was centred in this forward; nothing is in its backward.",
            ),
            "divided by m - 1": (inv_rms * (dy - u * (dy * u).sum(0) / (m - 1)), "the forward divides by m."),
        },
    )

    x_hat_1, inv_std_1 = ingredients(x, eps, correction=1)
    dot_1 = (dy * x_hat_1).sum(0)

    def unbiased(x):
        centred = x - x.mean(0)
        return mt.tensor(gamma) * (centred * mt.rsqrt((centred * centred).sum(0) / (m - 1) + eps))

    cases.unbiased = case(
        autograd(unbiased, x, dy),
        {
            "the mean of dy was divided by m - 1 too": (
                gamma * inv_std_1 * (dy - dy.sum(0) / (m - 1) - x_hat_1 * dot_1 / (m - 1)),
                "only the variance divides by m - 1. The mean divides by m.",
            ),
            "divided by m where the forward divides by m - 1": (
                gamma * inv_std_1 * (dy - mean_dy - x_hat_1 * dot_1 / m),
                "follow the factor of the variance through step 3 of part c.",
            ),
            "the biased BatchNorm": (
                gamma * inv_std * (dy - mean_dy - x_hat * dot / m),
                "this is PyTorch's dx. This forward has another variance.",
            ),
            "m - 1 in the backward only": (
                gamma * inv_std * (dy - mean_dy - x_hat * dot / (m - 1)),
                "x_hat and inv_std come from the unbiased variance as well.",
            ),
        },
    )

    def closed(dy, factor):
        return factor * inv_std * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))

    cases.gamma = case(
        autograd(lambda x: nine_ops(x, mt.tensor(gamma), mt.tensor(beta), eps).y, x, dy),
        {
            "gamma counted twice": (closed(gamma * dy, gamma), "dx_hat has gamma in it already."),
            "gamma forgotten": (closed(dy, 1.0), "dx_hat is dy times gamma."),
            "mean and variance taken as constants": (
                gamma * inv_std * dy,
                "two of the three paths in figure 1 are missing.",
            ),
            "the path by the variance was forgotten": (
                gamma * inv_std * (dy - mean_dy),
                "follow the dotted path in figure 1.",
            ),
        },
    )

    std = x_flat.std(0)

    def with_inv_std(inv_std, divisor=None):
        x_hat = (x_flat - x_flat.mean(0)) * inv_std
        divisor = m if divisor is None else divisor(x_hat)
        return gamma * inv_std * (dy - mean_dy - x_hat * (dy * x_hat).sum(0) / divisor)

    cases.flat = case(
        autograd(lambda x: nine_ops(x, mt.tensor(gamma), mt.tensor(beta), eps).y, x_flat, dy),
        {
            "eps outside the root": (
                with_inv_std(1 / (std + eps)),
                "the root of var + eps is not the root of var, plus eps.",
            ),
            "eps left out": (with_inv_std(1 / std), "where var is small, eps is most of var + eps."),
            "the part along x_hat was removed entirely": (
                with_inv_std(1 / np.sqrt(std**2 + eps), lambda x_hat: (x_hat * x_hat).sum(0)),
                "the formula divides by m. x_hat's square sums to less than m, by eps: a remainder stays.",
            ),
            "var divided by m - 1": (
                with_inv_std(1 / np.sqrt(std**2 * m / (m - 1) + eps)),
                "BatchNorm normalises by m.",
            ),
        },
    )

    axes = (0, 2, 3)
    n = len(images)
    x_hat_4, inv_std_4 = ingredients(images, eps, axes=axes)
    count = images.size // images.shape[1]
    g = gamma.reshape(-1, 1, 1)

    def over(axes, divisor, g=g):
        total, along = dy_images.sum(axes, keepdims=True), (dy_images * x_hat_4).sum(axes, keepdims=True)
        return g * inv_std_4 * (dy_images - total / divisor - x_hat_4 * along / divisor)

    cases.images = case(
        autograd(
            lambda x: F.batch_norm(x, None, None, mt.tensor(gamma), mt.tensor(beta), True, eps=eps), images, dy_images
        ),
        {
            "the sum over the spatial axes was forgotten": (
                over((0,), n),
                "the values of a channel lie along N, H and W.",
            ),
            "summed over N and divided by all m": (
                over((0,), count),
                "m counts N, H and W. The sum must run over them too.",
            ),
            "summed over H and W only": (
                over((2, 3), count // n),
                "that is InstanceNorm. BatchNorm shares over N as well.",
            ),
            "summed over the channels too": (over((0, 1, 2, 3), images.size), "every channel has its own mean."),
            "gamma along the last axis": (
                over(axes, count, gamma),
                "C = W here, so a (C,) array fits both. Reshape it to (C, 1, 1).",
            ),
        },
    )

    x_run = (x - running_mean) / np.sqrt(running_var + eps)
    inv_run = 1 / np.sqrt(running_var + eps)
    cases.evaluation = case(
        autograd(
            lambda x: F.batch_norm(
                x, mt.tensor(running_mean), mt.tensor(running_var), mt.tensor(gamma), mt.tensor(beta)
            ),
            x,
            dy,
        ),
        {
            "the training formula": (
                gamma * inv_std * (dy - mean_dy - x_hat * dot / m),
                "in eval mode the statistics do not move with x. Which paths of figure 1 are left?",
            ),
            "the training formula with running statistics": (
                gamma * inv_run * (dy - mean_dy - x_run * (dy * x_run).mean(0)),
                "right inv_std, but nothing is subtracted: the running statistics are no function of x.",
            ),
            "inv std of the batch": (gamma * inv_std * dy, "the forward divided by the running std."),
            "eps left out": (gamma * dy / np.sqrt(running_var), "eps is there in eval mode, too."),
        },
    )
    return cases


images, dy_images = rng.normal(size=(4, 3, 3, 3)), rng.normal(size=(4, 3, 3, 3))  # C = H = W: shapes hide no mistake
x_flat = x / x.std(0) * [1e-3, 1e-2, 1e-4]  # three channels that hardly vary
running_mean, running_var = rng.normal(size=C), rng.uniform(0.5, 4.0, C)
cases = all_cases()
verdicts = {}  # exercise -> what diagnose said of your attempt

for a_case in vars(cases).values():  # diagnose is checked itself: it knows every answer by its own name
    assert name_mistake(a_case.right, a_case)[0] == "right"
    for name, (wrong_dx, _) in a_case.wrong.items():
        assert name_mistake(wrong_dx, a_case)[0] == name
known = sum(len(a_case.wrong) for a_case in vars(cases).values())
print(known, "wrong answers, each recognised by its name, in", len(vars(cases)), "exercises")

# %% [markdown]
# ### Exercise 1: only centre
#
# Half of BatchNorm: `y = x - mean`. Write its `dx`. The attempt below is where most people start. Run it, read the
# diagnosis, repair it.


# %% tags=["exercise"]
def dx_of_centring(dy):
    """dx of y = x - mean over axis 0; dy is (m, C)."""
    return dy


verdicts[1] = diagnose(dx_of_centring(dy), cases.centre)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_1(dy):
    """Each x_i is in y_i, with weight 1, and in the mean that all m values subtract, with weight 1/m."""
    return dy - dy.mean(0)


assert diagnose(solution_1(dy), cases.centre) == "right"

# %% [markdown]
# Centring takes the mean away from `x`. Its backward takes the mean away from `dy`. Keep that in mind for part d.
#
# ## b. The paper's gradients, read off the graph
#
# Ioffe and Szegedy (2015, section 3) give four formulas: for `dx_hat`, `dvar`, `dmean` and `dx`. They look like a
# trick. They are the graph, read from right to left.

# %%
draw_graph(backward=True)

# %% [markdown]
# **Figure 2. The same graph, backwards.** The arrows are turned, and every box holds a gradient. Three arrows arrive
# at `dcentred`: one from `x_hat`, and two along the dotted path, because `centred * centred` uses `centred` twice.
# Two arrows arrive at `dx`. Where arrows meet, gradients add.
#
# Every value of the forward pass is known. Take the arrays out of the graph. `check` compares a gradient with the one
# that autograd left on the same tensor. It counts in ulps: units in the last place of the largest element.

# %%
mean, centred, var, inv_std, x_hat = (getattr(t, n).array for n in ("mean", "centred", "var", "inv_std", "x_hat"))


def sci(values):
    """Numbers in short scientific form."""
    return " ".join(f"{value:8.0e}" for value in values)


def ulps(a, b):
    """The largest difference of a and b, in units of the last place of b's largest element."""
    return np.abs(a - b).max() / np.spacing(np.abs(b).max())


def check(name, ours, graphs):
    """Print how far ours is from the graph's gradient; refuse more than 1000 ulps."""
    distance = ulps(ours, graphs)
    print(f"{name:<42} max difference {np.abs(ours - graphs).max():.1e} = {distance:.1f} ulp")
    assert distance < 1000


# %% [markdown]
# **`dbeta`, `dgamma`, `dx_hat`.** In `y = gamma * x_hat + beta` one `beta` serves all `m` values of its channel, so
# its gradient is the sum of theirs. The same goes for `gamma`, times what it was multiplied with. `x_hat` receives
# `dy` times `gamma`.

# %%
dbeta = dy.sum(0)
dgamma = (dy * x_hat).sum(0)
dx_hat = dy * gamma

check("dbeta", dbeta, t.beta.grad.array)
check("dgamma", dgamma, t.gamma.grad.array)
check("dx_hat", dx_hat, t.x_hat.dy)

# %% [markdown]
# **`dvar`.** Follow the dotted path back: `x_hat`, `inv_std`, `var`. In `x_hat = centred * inv_std` one `inv_std`
# serves all `m` values: a sum again, of `dx_hat * centred`. Then the slope of $(\mathtt{var}+\mathtt{eps})^{-1/2}$,
# which is $-\frac12(\mathtt{var}+\mathtt{eps})^{-3/2} = -\frac12\,\mathtt{inv\_std}^3$.
#
# $$\mathtt{dvar}
#   = \sum_i \mathtt{dx\_hat}_i\,(\mathtt{x}_i-\mathtt{mean})\cdot\left(-\tfrac12\right)\mathtt{inv\_std}^3$$

# %%
dvar = (dx_hat * centred).sum(0) * -0.5 * inv_std**3

check("dvar", dvar, t.var.dy)

# %% [markdown]
# **`dmean`.** `mean` is in every `centred`, with a minus. So it receives minus the sum of what arrives at `centred`.
# That comes from two sides: from `x_hat` (times `inv_std`) and from `var` (times `2 * centred / m`).
#
# $$\mathtt{dmean} = \sum_i \mathtt{dx\_hat}_i\cdot(-\mathtt{inv\_std})
#   \;+\; \mathtt{dvar}\cdot\frac1m\sum_i\left(-2\,(\mathtt{x}_i-\mathtt{mean})\right)$$

# %%
dmean = (dx_hat * -inv_std).sum(0) + dvar * (-2 * centred).sum(0) / m

check("dmean", dmean, t.mean.dy)
print("its first term, per channel  ", sci((dx_hat * -inv_std).sum(0)))
print("its second term, per channel ", sci(dvar * (-2 * centred).sum(0) / m))

# %% [markdown]
# **`dx`.** Three paths, three terms. Directly: `dx_hat * inv_std`. By the variance: each `x` is in `var` with slope
# `2 * centred / m`. By the mean: each `x` is in `mean` with weight `1 / m`.
#
# $$\mathtt{dx}_i = \mathtt{dx\_hat}_i\cdot\mathtt{inv\_std}
#   + \mathtt{dvar}\cdot\frac{2\,(\mathtt{x}_i-\mathtt{mean})}{m} + \mathtt{dmean}\cdot\frac1m$$

# %%
direct = dx_hat * inv_std
by_var = dvar * 2 * centred / m
by_mean = dmean / m
dx_staged = direct + by_var + by_mean

check("dx", dx_staged, dx_graph)
for name, part in (("direct", direct), ("by the variance", by_var), ("by the mean", by_mean), ("dx", dx_staged)):
    print(f"norm of each channel, {name:<16}", np.linalg.norm(np.broadcast_to(part, x.shape), axis=0))
assert (np.linalg.norm(dx_staged, axis=0) < np.linalg.norm(direct, axis=0)).all()

# %% [markdown]
# The parts by the mean and by the variance are no small corrections. Compare the norms in the last four lines. `dx`
# is shorter than its direct part in every channel: the other two paths only ever take away. Part d says why.
#
# ### Exercise 2: only scale
#
# The other half: `u = x * inv_rms` with `inv_rms = 1 / sqrt(mean(x * x) + eps)`. Nothing is centred. (Under the name
# RMSNorm, along other axes, this is a layer of its own: notebook 07.) Write its `dx`. Find the paths from `x` to `u`
# first.


# %% tags=["exercise"]
def dx_of_scaling(dy, u, inv_rms):
    """dx of u = x * inv_rms; dy and u are (m, C), inv_rms is (C,)."""
    return inv_rms * dy


inv_rms = 1 / np.sqrt((x * x).mean(0) + eps)
verdicts[2] = diagnose(dx_of_scaling(dy, x * inv_rms, inv_rms), cases.scale)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_2(dy, u, inv_rms):
    """Two paths: the direct one, and the one by mean(x * x)."""
    x = u / inv_rms
    dmean_square = (dy * x).sum(0) * -0.5 * inv_rms**3
    dx = dy * inv_rms + dmean_square * 2 * x / len(x)
    shorter = inv_rms * (dy - u * (dy * u).mean(0))  # the same, simplified as in part c
    assert np.allclose(dx, shorter, rtol=0, atol=1e-12)
    return shorter


assert diagnose(solution_2(dy, x * inv_rms, inv_rms), cases.scale) == "right"

# %% [markdown]
# ## c. One line, no step skipped
#
# Start from the paper's `dx`, its three terms in the order above:
#
# $$\mathtt{dx} = \underbrace{\mathtt{dx\_hat}\cdot\mathtt{inv\_std}}_{\text{direct}}
#   + \underbrace{\mathtt{dvar}\cdot\frac{2\,\mathtt{centred}}{m}}_{\text{by the variance}}
#   + \underbrace{\mathtt{dmean}\cdot\frac1m}_{\text{by the mean}}$$
#
# **Step 1. Half of `dmean` is zero.** Centred values sum to zero:
#
# $$\sum_i(\mathtt{x}_i-\mathtt{mean}) = m\,\mathtt{mean} - m\,\mathtt{mean} = 0$$
#
# The second term of `dmean` contains that sum. It goes. `inv_std` is one
# number per channel and leaves the remaining sum:
#
# $$\mathtt{dmean} = -\,\mathtt{inv\_std}\sum_i\mathtt{dx\_hat}_i$$

# %%
print("sum of centred, per channel ", sci(centred.sum(0)))
dmean_1 = -inv_std * dx_hat.sum(0)
check("step 1: dmean", dmean_1, dmean)

# %% [markdown]
# In exact arithmetic the sum is zero. In the computer it is not quite: `x - mean` is rounded. What you leave out here
# is rounding error, and that is what the ulps count, from now on.
#
# **Step 2. `dvar` in terms of `x_hat`.** By definition $\mathtt{x\_hat} = \mathtt{centred}\cdot\mathtt{inv\_std}$, so
# $\mathtt{centred} = \mathtt{x\_hat}/\mathtt{inv\_std}$. Put that in. One power of `inv_std` cancels:
#
# $$\mathtt{dvar}
#   = -\tfrac12\,\mathtt{inv\_std}^3\sum_i\mathtt{dx\_hat}_i\cdot\frac{\mathtt{x\_hat}_i}{\mathtt{inv\_std}}
#   = -\tfrac12\,\mathtt{inv\_std}^2\sum_i\mathtt{dx\_hat}_i\,\mathtt{x\_hat}_i$$

# %%
dvar_2 = -0.5 * inv_std**2 * (dx_hat * x_hat).sum(0)
check("step 2: dvar", dvar_2, dvar)

# %% [markdown]
# **Step 3. The part by the variance.** Put step 2 and $\mathtt{centred} = \mathtt{x\_hat}/\mathtt{inv\_std}$ into
# $\mathtt{dvar}\cdot 2\,\mathtt{centred}/m$. The 2 cancels the one half, and one more power of `inv_std` cancels. The
# sum over `m` values, divided by `m`, is a mean:
#
# $$-\tfrac12\,\mathtt{inv\_std}^2\Big(\sum_j\mathtt{dx\_hat}_j\,\mathtt{x\_hat}_j\Big)\cdot\frac2m\cdot
#   \frac{\mathtt{x\_hat}}{\mathtt{inv\_std}}
#   = -\,\mathtt{inv\_std}\cdot\mathtt{x\_hat}\cdot\operatorname{mean}(\mathtt{dx\_hat}\cdot\mathtt{x\_hat})$$

# %%
by_var_3 = -inv_std * x_hat * (dx_hat * x_hat).mean(0)
check("step 3: the part by the variance", by_var_3, by_var)

# %% [markdown]
# **Step 4. The part by the mean.** Step 1, divided by `m`, is a mean as well:
#
# $$\mathtt{dmean}\cdot\frac1m = -\,\mathtt{inv\_std}\cdot\frac1m\sum_j\mathtt{dx\_hat}_j
#   = -\,\mathtt{inv\_std}\cdot\operatorname{mean}(\mathtt{dx\_hat})$$

# %%
by_mean_4 = -inv_std * dx_hat.mean(0)
check("step 4: the part by the mean", by_mean_4, by_mean)

# %% [markdown]
# **Step 5. `inv_std` is a factor of all three.** Put it in front:
#
# $$\mathtt{dx} = \mathtt{inv\_std}\,\big(\mathtt{dx\_hat} - \operatorname{mean}(\mathtt{dx\_hat})
#   - \mathtt{x\_hat}\cdot\operatorname{mean}(\mathtt{dx\_hat}\cdot\mathtt{x\_hat})\big)$$

# %%
dx_5 = inv_std * (dx_hat - dx_hat.mean(0) - x_hat * (dx_hat * x_hat).mean(0))
check("step 5: dx", dx_5, dx_graph)

# %% [markdown]
# **Step 6. `gamma` is a factor, too.** $\mathtt{dx\_hat} = \mathtt{gamma}\cdot\mathtt{dy}$, and `gamma` is one number
# per channel. It is a factor of all three terms. In front with it, once:
#
# $$\boxed{\;\mathtt{dx} = \mathtt{gamma}\cdot\mathtt{inv\_std}\,\big(\mathtt{dy} - \operatorname{mean}(\mathtt{dy})
#   - \mathtt{x\_hat}\cdot\operatorname{mean}(\mathtt{dy}\cdot\mathtt{x\_hat})\big)\;}$$


# %%
def closed_form(dy, x_hat, inv_std, gamma):
    """dx of BatchNorm on (m, C)."""
    return gamma * inv_std * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))


dx_closed = closed_form(dy, x_hat, inv_std, gamma)
check("step 6: dx", dx_closed, dx_graph)

error = np.abs(dx_closed - dx_numerical).max() / np.abs(dx_closed).max()
print(f"against central differences, relative: {error:.1e}")
assert error < 1e-7

# %% [markdown]
# Neither `x` nor `mean` nor `var` is left in it. A backward pass needs `x_hat` and `inv_std`, and two means that it
# can share with `dbeta` and `dgamma`. This is the line that you find in `minitorch_bn/ops/batchnorm.py`.
#
# ### Exercise 3: where does m - 1 go?
#
# Some courses normalise with the unbiased variance: `var` divides by `m - 1`. PyTorch does not. Take that other
# forward, with its own `x_hat` and `inv_std`, and write its `dx`. Walk through the six steps: which of them changes?


# %% tags=["exercise"]
def dx_unbiased(dy, x_hat, inv_std, gamma):
    """dx of BatchNorm whose var divides by m - 1; x_hat and inv_std are from that forward."""
    m = len(dy)
    return gamma * inv_std * (dy - dy.sum(0) / (m - 1) - x_hat * (dy * x_hat).sum(0) / (m - 1))


inv_std_unbiased = 1 / np.sqrt(x.var(0, ddof=1) + eps)
x_hat_unbiased = (x - x.mean(0)) * inv_std_unbiased
verdicts[3] = diagnose(dx_unbiased(dy, x_hat_unbiased, inv_std_unbiased, gamma), cases.unbiased)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_3(dy, x_hat, inv_std, gamma):
    """Only step 3 changes: each x is in var with slope 2 * centred / (m - 1). The mean still divides by m."""
    m = len(dy)
    return gamma * inv_std * (dy - dy.sum(0) / m - x_hat * (dy * x_hat).sum(0) / (m - 1))


assert diagnose(solution_3(dy, x_hat_unbiased, inv_std_unbiased, gamma), cases.unbiased) == "right"

# %% [markdown]
# ### Exercise 4: where does gamma go?
#
# A textbook gives `dx` in terms of `dx_hat`, the gradient that has already passed `gamma`. The attempt follows a
# printed version of it. It is wrong, and a test with `gamma = 1` will never say so.


# %% tags=["exercise"]
def dx_from_dx_hat(dx_hat, x_hat, inv_std, gamma):
    """dx of BatchNorm, from dx_hat = dy * gamma."""
    return gamma * inv_std * (dx_hat - dx_hat.mean(0) - x_hat * (dx_hat * x_hat).mean(0))


verdicts[4] = diagnose(dx_from_dx_hat(dx_hat, x_hat, inv_std, gamma), cases.gamma)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_4(dx_hat, x_hat, inv_std, gamma):
    """Step 5. gamma outside goes with dy inside; dx_hat inside has it already."""
    return inv_std * (dx_hat - dx_hat.mean(0) - x_hat * (dx_hat * x_hat).mean(0))


assert diagnose(solution_4(dx_hat, x_hat, inv_std, gamma), cases.gamma) == "right"

# %% [markdown]
# ## d. The geometry
#
# Look at one channel. Its `m` values of `dy` are one arrow in a space of `m` dimensions. Two directions in that space
# are special: **1** = (1, 1, ..., 1), and `x_hat`. They are at right angles, because `x_hat` sums to zero.
#
# The part of an arrow `v` along a direction `d` is $\frac{v\cdot d}{d\cdot d}\,d$. Now read the closed form again:
#
# $$\operatorname{mean}(\mathtt{dy})\cdot\mathbf 1 = \frac{\mathtt{dy}\cdot\mathbf 1}{m}\,\mathbf 1
#   = \frac{\mathtt{dy}\cdot\mathbf 1}{\mathbf 1\cdot\mathbf 1}\,\mathbf 1
#   \qquad
#   \operatorname{mean}(\mathtt{dy}\cdot\mathtt{x\_hat})\cdot\mathtt{x\_hat}
#   = \frac{\mathtt{dy}\cdot\mathtt{x\_hat}}{m}\,\mathtt{x\_hat}
#   \approx \frac{\mathtt{dy}\cdot\mathtt{x\_hat}}{\mathtt{x\_hat}\cdot\mathtt{x\_hat}}\,\mathtt{x\_hat}$$
#
# The first is exactly the part of `dy` along **1**. The second is the part along `x_hat`, because
# $\mathtt{x\_hat}\cdot\mathtt{x\_hat}$ is `m`, up to `eps`. BatchNorm subtracts both. What is left is scaled by
# `gamma * inv_std`.
#
# With `m = 3` you can see it.

# %%
x3, dy3, gamma3 = np.array([1.0, 2.0, 6.0]), np.array([3.0, -1.0, 4.0]), 1.5
inv_std3 = 1 / np.sqrt(x3.var() + eps)
x_hat3 = (x3 - x3.mean()) * inv_std3
part_1 = np.full(3, dy3.mean())
part_x_hat = x_hat3 * (dy3 * x_hat3).mean()
kept3 = dy3 - part_1 - part_x_hat
dx3 = gamma3 * inv_std3 * kept3

for name, value in (
    ("x", x3), ("x_hat", x_hat3), ("dy", dy3), ("  its part along 1", part_1), ("  its part along x_hat", part_x_hat),
    ("  what is left", kept3), ("dx = gamma * inv_std * what is left", dx3),
):  # fmt: skip
    print(f"{name:<36}", value)
print(f"gamma * inv_std = {gamma3 * inv_std3:.3f}")
assert np.allclose(dx3, autograd(lambda x: nine_ops(x, gamma3, 0.0, eps).y, x3[:, None], dy3[:, None])[:, 0])

# %%
VERMILION, BLUE, INK, GREY = "#d55e00", "#0072b2", "#111111", "#8a8a8a"


TURN, TILT = np.radians(16), np.radians(27)  # how the camera stands


def seen(a, b, c):
    """Where the point a * (direction 1) + b * (direction x_hat) + c * (third direction) is drawn on the page."""
    across, back = a * np.cos(TURN) - b * np.sin(TURN), a * np.sin(TURN) + b * np.cos(TURN)
    return np.array([across, back * np.sin(TILT) + c * np.cos(TILT)])


def line(ax, start, end, zorder=2, **style):
    """A line between two points of the space."""
    ax.plot(*np.array([seen(*start), seen(*end)]).T, zorder=zorder, **style)


def draw_space(ax):
    """Left: the space of three values, turned so that the plane of 1 and x_hat is the floor."""
    unit_1, unit_x_hat = np.ones(3) / np.sqrt(3), x_hat3 / np.linalg.norm(x_hat3)
    up = np.cross(unit_1, unit_x_hat)
    a, b, c = dy3 @ unit_1, dy3 @ unit_x_hat, dy3 @ up
    short = gamma3 * inv_std3 * c  # length of dx

    left, right, front, back = -1.3, 4.9, -1.6, 3.3
    ax.fill(*np.array([seen(s, q, 0) for s, q in ((left, front), (right, front), (right, back), (left, back))]).T,
            color="#e9e9e9", zorder=0)  # fmt: skip
    for s in np.linspace(left, right, 8)[1:-1]:
        line(ax, (s, front, 0), (s, back, 0), 1, color="white", lw=1.2)
    for s in np.linspace(front, back, 7)[1:-1]:
        line(ax, (left, s, 0), (right, s, 0), 1, color="white", lw=1.2)
    line(ax, (0, 0, 0), (4.6, 0, 0), color=GREY, lw=1.2)
    line(ax, (0, 0, 0), (0, 3.05, 0), color=GREY, lw=1.2)
    line(ax, (0, 0, 0), (0, 0, 4.4), color=INK, lw=1.4, linestyle=(0, (6, 3)))
    for start, end in (((a, 0, 0), (a, b, 0)), ((0, b, 0), (a, b, 0)), ((a, b, 0), (a, b, c)), ((0, 0, c), (a, b, c))):
        line(ax, start, end, 3, color="#666666", lw=1.4, linestyle=(0, (2, 2)))
    line(ax, (0, 0, 0), (a, b, 0), 3, color="#c4c4c4", lw=6)

    draw_arrow(ax, seen(0, 0, 0), seen(*(a, 0, 0)), VERMILION, (0, (3, 1.3)), 3.4)
    draw_arrow(ax, seen(0, 0, 0), seen(*(0, b, 0)), BLUE, (0, (1, 0.9)), 3.4)
    draw_arrow(ax, seen(0, 0, 0), seen(*(a, b, c)), INK, width=3.4)
    draw_arrow(ax, seen(0, 0, 0), seen(*(0, 0, c)), "#b0b0b0", width=8, head=0.55)
    draw_arrow(ax, seen(0, 0, 0), seen(*(0, 0, short)), INK, width=3.4)

    def say(place, text, shift=(0, 0), **style):
        ax.text(*(seen(*place) + shift), text, **{"fontsize": 13, "va": "center", "zorder": 6, **style})

    say((a, b, c), f"dy = ({dy3[0]:g}, $-${-dy3[1]:g}, {dy3[2]:g})", (0.12, 0.1), weight="bold")
    say((0, 0, c), "what is left", (-0.2, -0.15), ha="right")
    say((0, 0, short), "dx", (-0.2, -0.1), ha="right", weight="bold")
    say((0, 0, 4.4), "the one direction that passes", (0, 0.2), ha="center")
    say((a, 0, 0), "part along 1: removed", (0.05, -0.3), ha="center", color="#9c4300")
    say((0, b, 0), "part along x_hat:\nremoved", (-0.2, 0.0), ha="right", color="#005a8e")
    say((4.6, 0, 0), "1", (0.12, 0.02))
    say((0, 3.05, 0), "x_hat", (0.0, 0.2), ha="center")
    say((a, b, 0), "shadow of dy", (0.12, 0.05), color="#555555")
    say((2.3, -1.28, 0), "the floor: all that BatchNorm removes", ha="center", color="#555555",
        rotation=np.degrees(np.arctan2(*(seen(1, 0, 0)[::-1]))), rotation_mode="anchor")  # fmt: skip
    ax.set_aspect("equal")
    ax.set(xlim=(-2.75, 5.2), ylim=(-1.1, 4.45))
    ax.axis("off")


def draw_stages(ax):
    """Right: the same arrows as three numbers each, and their products with the two directions."""
    stages = (
        ("dy", dy3, INK, ""),
        ("$-$ mean(dy)", dy3 - part_1, "white", "///"),
        ("$-$ x_hat $\\cdot$\nmean(dy $\\cdot$ x_hat)", kept3, "#b0b0b0", ""),
        ("$\\times$ gamma $\\cdot$\ninv_std = dx", dx3, INK, ""),
    )
    for place, (_, values, colour, hatch) in enumerate(stages):
        where = place + np.array([-0.25, 0, 0.25])
        bars = ax.bar(where, values, 0.21, color=colour, edgecolor=INK, hatch=hatch, lw=1.2, zorder=2)
        ax.bar_label(bars, [f"{v:.2g}".replace("-", "\N{MINUS SIGN}") for v in values], padding=3, fontsize=11)
        for row, direction in ((-4.3, np.ones(3)), (-5.0, x_hat3)):
            ax.text(place, row, f"{abs(round(values @ direction, 3)):.1f}", ha="center", va="center", fontsize=13)
    ax.text(-0.55, -4.3, "times 1", ha="right", va="center", fontsize=13)
    ax.text(-0.55, -5.0, "times x_hat", ha="right", va="center", fontsize=13)
    ax.axhline(0, color=INK, lw=1)
    ax.axhline(-3.75, color=GREY, lw=0.8)
    ax.set(xlim=(-0.5, 3.5), ylim=(-5.4, 4.6), ylabel="gradient of each of the three values", yticks=range(-3, 5))
    ax.yaxis.set_label_coords(-0.09, 0.62)
    ax.spines["left"].set_bounds(-3.5, 4.6)
    ax.spines["bottom"].set_visible(False)
    ax.set_xticks(range(4), [name for name, *_ in stages], fontsize=12)
    ax.tick_params(axis="x", length=0)
    ax.xaxis.set_ticks_position("top")


def draw_geometry():
    """Both panels."""
    fig, (left, right) = plt.subplots(1, 2, figsize=(14, 5.8), width_ratios=(1.3, 1), layout="constrained")
    fig.suptitle("BatchNorm takes the shadow away: the part of dy along 1, and the part along x_hat", fontsize=16)
    draw_space(left)
    draw_stages(right)


draw_geometry()

# %% [markdown]
# **Figure 3. What BatchNorm takes away.** Left: the space of three values, turned so that **1** and `x_hat` lie on
# the floor. `dy` is the long black arrow. Its shadow on the floor is the sum of its part along **1** (dashed) and its
# part along `x_hat` (dotted). BatchNorm removes the shadow. What is left stands upright (grey). `dx` is that, scaled
# (black). Right: the same, as three numbers at every stage, and below them their products with **1** (their sum) and
# with `x_hat`. See each product become zero at its own step.
#
# With three values, two of three directions are gone and a single line is left. With `m` values, `m - 2` directions
# are left. Look at the matrix that turns `dy` into `dx`, for one channel of your data, and at its eigenvalues.


# %%
def matrix_of(backward, m):
    """The (m, m) matrix of a linear map: what it makes of each unit arrow."""
    return np.array([backward(unit) for unit in np.eye(m)]).T


def channel(dy, k=0):
    """The closed form for one channel."""
    return closed_form(dy[:, None], x_hat[:, k : k + 1], inv_std[k : k + 1], gamma[k : k + 1])[:, 0]


J = matrix_of(channel, m)
passes = np.linalg.eigvalsh(J) / (gamma[0] * inv_std[0])
print("symmetric:", np.allclose(J, J.T, rtol=0, atol=1e-15))
print("what passes, in units of gamma * inv_std, direction by direction:")
print(np.array2string(np.sort(passes), formatter={"float": lambda v: f"{v:.1e}" if abs(v) < 0.1 else f"{v:.6f}"}))
assert np.sum(passes > 0.5) == m - 2

# %% [markdown]
# All but two directions pass untouched, up to the scale. One is closed to rounding: **1**. One is closed but for a
# remainder: `x_hat`. The remainder comes from `eps`.
#
# ### Why these two?
#
# Ask the forward pass. Add a constant to every `x`: the mean takes it away again. Stretch every `x` about the mean:
# the variance takes that away again. `y` does not change. A function has no slope in a direction in which it does not
# change.


# %%
def y_of(x):
    """BatchNorm's output for an array."""
    return nine_ops(mt.tensor(x), mt.tensor(gamma), mt.tensor(beta), eps).y.array


print(f"y moves by {np.abs(y_of(x + 0.01) - y_of(x)).max():.1e}   when 0.01 is added to x")
print(f"y moves by {np.abs(y_of(mean + 1.01 * centred) - y_of(x)).max():.1e}   when x is stretched by 1 %")
nudge = 0.01 * rng.normal(size=x.shape)
print(f"y moves by {np.abs(y_of(x + nudge) - y_of(x)).max():.1e}   when every x moves at random, by about 0.01")

# %% [markdown]
# ### Consequence 1: `dx` sums to zero. Exactly.
#
# $\sum\mathtt{dy} - m\operatorname{mean}(\mathtt{dy}) = 0$, and $\sum\mathtt{x\_hat} = 0$. So a bias in front of
# BatchNorm learns nothing: its gradient is that sum. In the computer, rounding is left of it.
#
# ### Consequence 2: `dx` is orthogonal to `x_hat`. Up to eps.
#
# $$\mathtt{dx}\cdot\mathtt{x\_hat} = \mathtt{gamma}\,\mathtt{inv\_std}\;(\mathtt{dy}\cdot\mathtt{x\_hat})
#   \Big(1-\frac{\mathtt{x\_hat}\cdot\mathtt{x\_hat}}{m}\Big),
#   \qquad \frac{\mathtt{x\_hat}\cdot\mathtt{x\_hat}}{m} = \frac{\mathtt{var}}{\mathtt{var}+\mathtt{eps}}$$
#
# So the share of the part along `x_hat` that stays is `eps / (var + eps)`. Measure it, also for the nearly constant
# channels `x_flat` that the exercises use.


# %%
def share_that_stays(x):
    """Which share of dy's part along x_hat is left in dx, per channel: measured, and by the formula."""
    t = nine_ops(mt.tensor(x, requires_grad=True), mt.tensor(gamma), mt.tensor(beta), eps)
    t.y.backward(dy)
    x_hat, inv_std, dx = t.x_hat.array, t.inv_std.array, t.x.grad.array
    return (dx * x_hat).sum(0) / (gamma * inv_std * (dy * x_hat).sum(0)), eps / (t.var.array + eps)


print("sum of dy, per channel ", sci(dy.sum(0)))
print("sum of dx, per channel ", sci(dx_closed.sum(0)))
print()
print("std of x      share that stays   eps / (var + eps)")
for values in (x, x_flat):
    for std, measured, formula in zip(values.std(0), *share_that_stays(values), strict=True):
        print(f"{std:9.1e}     {measured:.6e}       {formula:.6e}")
        assert math.isclose(measured, formula, rel_tol=1e-6)
assert np.abs(dx_closed.sum(0)).max() < 1e-12 * np.abs(dx_closed).max()

# %% [markdown]
# Where `var` is much larger than `eps`, the share is next to nothing. Where it is much smaller, nearly everything
# stays: there BatchNorm divides by the root of `eps`, a constant, and a constant takes nothing away.
#
# ### Consequence 3: `y.sum()` has no gradient
#
# Its `dy` is **1** everywhere: an arrow along the direction that is removed. The loss `(y * y).sum()` fares hardly
# better. Its `dy` is `2 * (gamma * x_hat + beta)`: a mix of `x_hat` and **1**. Both losses see only what BatchNorm
# has made constant. What you see of the second is the remainder; the third channel, with the smallest spread, shows
# most of it.

# %%
for name, seed in (("y.sum()", np.ones_like(dy)), ("(y * y).sum()", 2 * t.y.array), ("(y * random).sum()", dy)):
    dx_seed = autograd(lambda x: nine_ops(x, mt.tensor(gamma), mt.tensor(beta), eps).y, x, seed)
    print(f"largest |dx| per channel for the loss {name:<20}", sci(np.abs(dx_seed).max(0)))

# %% [markdown]
# So a gradient check that starts from `y.sum()` compares zero with zero. Here are two wrong backwards. See whether
# the check notices.


# %%
def gradient_check(backward, seed):
    """Whether a backward agrees with central differences for the loss (y * seed).sum(), and the largest difference."""
    numerical = central_differences(lambda x: float((y_of(x) * seed).sum()), x)
    difference = np.abs(backward(seed) - numerical).max()
    return ("passes" if difference < 1e-6 else "FAILS "), difference


candidates = {
    "always zero": np.zeros_like,
    "no path by the variance": lambda dy: gamma * inv_std * (dy - dy.mean(0)),
    "the closed form": lambda dy: closed_form(dy, x_hat, inv_std, gamma),
}
outcome = {}
for name, backward in candidates.items():
    for seed_name, seed in (("ones", np.ones_like(dy)), ("random", dy)):
        outcome[name, seed_name], difference = gradient_check(backward, seed)
        print(f"{name:<24} dy = {seed_name:<7} {outcome[name, seed_name]}  largest difference {difference:.0e}")
assert outcome["always zero", "ones"] == outcome["no path by the variance", "ones"] == "passes"
assert outcome["always zero", "random"] == outcome["no path by the variance", "random"] == "FAILS "

# %% [markdown]
# With ones, both wrong backwards pass, even the one that is always zero. With a random `dy`, both fail. Use a random
# `dy`.
#
# ### What it does to the layer in front
#
# Put a linear layer before BatchNorm. Its bias adds a constant per channel: direction **1**. Its weight row times a
# number scales the channel: direction `x_hat`. Neither can move the loss.

# %%
mt.manual_seed(0)
layers = mt.nn.Sequential(mt.nn.Linear(5, C), mt.nn.BatchNorm1d(C)).double()
layers(mt.tensor(rng.normal(size=(32, 5)))).backward(rng.normal(size=(32, C)))
bias, weight = layers[0].bias, layers[0].weight
w, dw = weight.array, weight.grad.array
cosine = (w * dw).sum(1) / (np.linalg.norm(w, axis=1) * np.linalg.norm(dw, axis=1))
print("largest gradient of the weight               ", sci([np.abs(dw).max()]))
print("largest gradient of the bias                 ", sci([np.abs(bias.grad.array).max()]))
print("cosine of weight and its gradient, per channel", sci(cosine))
assert np.abs(bias.grad.array).max() < 1e-12 and np.abs(cosine).max() < 1e-3

# %% [markdown]
# The bias gets rounding noise. The weight's gradient is at right angles to the weight, up to `eps`. So the bias
# before a BatchNorm is left out in practice: notebook 04 does so.
#
# ### Exercise 5: a channel that hardly varies
#
# `x_flat` has channels whose std is far below 1. Write `dx` from `x`, without help. In the attempt one thing stands
# in the wrong place. On ordinary data you would hardly see it.


# %% tags=["exercise"]
def dx_of_flat(x, gamma, dy, eps):
    """dx of BatchNorm on (m, C), from x alone."""
    inv_std = 1 / (np.sqrt(x.var(0)) + eps)
    x_hat = (x - x.mean(0)) * inv_std
    return closed_form(dy, x_hat, inv_std, gamma)


verdicts[5] = diagnose(dx_of_flat(x_flat, gamma, dy, eps), cases.flat)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_5(x, gamma, dy, eps):
    """eps inside the root."""
    inv_std = 1 / np.sqrt(x.var(0) + eps)
    x_hat = (x - x.mean(0)) * inv_std
    return closed_form(dy, x_hat, inv_std, gamma)


assert diagnose(solution_5(x_flat, gamma, dy, eps), cases.flat) == "right"

# %%
for name, values, right in (("x", x, cases.gamma.right), ("x_flat", x_flat, cases.flat.right)):
    wrong_inv_std = 1 / (values.std(0) + eps)
    outside = closed_form(dy, (values - values.mean(0)) * wrong_inv_std, wrong_inv_std, gamma)
    off = np.abs(outside - right).max(0) / np.abs(right).max(0)
    print(f"eps outside the root, relative error of dx per channel on {name:<7}", sci(off))

# %% [markdown]
# One mistake, two inputs. On `x` a test with an ordinary tolerance lets it pass in the first two channels. On
# `x_flat` it is a different gradient.
#
# ## e. Three forms, one result
#
# The graph, the paper's four lines, the closed form. A fourth is the package's own op, which users call. All of them
# add the same numbers in another order, so they differ by rounding, and by nothing else.


# %%
def staged_form(dy, centred, x_hat, inv_std, gamma):
    """The paper's gradients: dx, dgamma, dbeta."""
    m = len(dy)
    dx_hat = dy * gamma
    dvar = (dx_hat * centred).sum(0) * -0.5 * inv_std**3
    dmean = (dx_hat * -inv_std).sum(0) + dvar * (-2 * centred).sum(0) / m
    dx = dx_hat * inv_std + dvar * 2 * centred / m + dmean / m
    return dx, (dy * x_hat).sum(0), dy.sum(0)


def short_form(dy, x_hat, inv_std, gamma):
    """The closed form, which finds its two means on the way: dx, dgamma, dbeta."""
    m = len(dy)
    dbeta = dy.sum(0)
    dgamma = (dy * x_hat).sum(0)
    return gamma * inv_std * (dy - dbeta / m - x_hat * (dgamma / m)), dgamma, dbeta


forms = {
    "graph": dx_graph,
    "staged": staged_form(dy, centred, x_hat, inv_std, gamma)[0],
    "closed": short_form(dy, x_hat, inv_std, gamma)[0],
    "package": autograd(lambda x: F.batch_norm(x, None, None, mt.tensor(gamma), mt.tensor(beta), True, eps=eps), x, dy),
}
print("largest difference, in ulps of the largest dx")
print(" " * 9, *(f"{name:>8}" for name in forms))
for name, ours in forms.items():
    print(f"{name:<9}", *(f"{ulps(ours, other):8.1f}" for other in forms.values()))
assert max(ulps(a, b) for a in forms.values() for b in forms.values()) < 1000

# %% [markdown]
# Their costs do differ. Time the three backwards in one run, in float32, at a size where the number of NumPy calls
# counts (a small batch) and at one where memory does. The ratios are rounded to halves: they vary from run to run.


# %%
def seconds(function, number):
    """The best of 25 rounds of a number of calls."""
    return min(timeit.repeat(function, number=number, repeat=25))


for rows, number in ((32, 30), (2048, 2)):
    big = {name: rng.normal(size=(rows, 200)).astype(np.float32) for name in ("x", "dy")}
    leaf = mt.tensor(big["x"], requires_grad=True)
    one, zero = mt.ones(200, requires_grad=True), mt.zeros(200, requires_grad=True)
    b = nine_ops(leaf, one, zero)
    saved = [getattr(b, name).array for name in ("centred", "x_hat", "inv_std", "gamma")]
    times = {
        "graph": seconds(lambda b=b, d=big["dy"]: b.y.backward(d, retain_graph=True), number),
        "staged": seconds(lambda s=saved, d=big["dy"]: staged_form(d, *s), number),
        "closed": seconds(lambda s=saved, d=big["dy"]: short_form(d, *s[1:]), number),
    }
    ratios = (f"{name} {round(2 * time / times['closed']) / 2}" for name, time in times.items())
    print(f"{rows:4d} x 200, time of a backward, closed form = 1:  ", "   ".join(ratios))

# %% [markdown]
# The algebra of part c is worth its chalk: fewer calls, fewer passes over memory. But the graph needed no algebra,
# and it is the judge of the other two. Keep both: one to run, one to check.
#
# ## f. Images: more values per channel
#
# For images `x` is (N, C, H, W). One channel's values lie along N, H and W, and all of them share one mean:
# `m = N * H * W`. Nothing else changes. Show it: move the channel to the end, flatten the rest, use what you have.

# %%
rows = images.transpose(0, 2, 3, 1).reshape(-1, C)
dy_rows = dy_images.transpose(0, 2, 3, 1).reshape(-1, C)
dx_rows = autograd(lambda x: nine_ops(x, mt.tensor(gamma), mt.tensor(beta), eps).y, rows, dy_rows)
n, _, height, width = images.shape
dx_back = dx_rows.reshape(n, height, width, C).transpose(0, 3, 1, 2)
print(f"{images.shape} becomes {rows.shape}: m = {n} * {height} * {width} = {len(rows)}")
check("dx by the detour", dx_back, cases.images.right)

# %% [markdown]
# ### Exercise 6: without the detour
#
# Write the closed form for (N, C, H, W). `gamma` has shape (C,), `x_hat` is (N, C, H, W), `inv_std` is (1, C, 1, 1).
# The attempt was copied from the (m, C) code. It runs, and its shapes fit.


# %% tags=["exercise"]
def dx_of_images(dy, x_hat, inv_std, gamma):
    """dx of BatchNorm on (N, C, H, W)."""
    gamma = gamma.reshape(1, -1, 1, 1)
    return gamma * inv_std * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))


x_hat_images, inv_std_images = ingredients(images, eps, axes=(0, 2, 3))
verdicts[6] = diagnose(dx_of_images(dy_images, x_hat_images, inv_std_images, gamma), cases.images)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_6(dy, x_hat, inv_std, gamma):
    """The two means run over all values of the channel: axes 0, 2 and 3."""
    axes = (0, 2, 3)
    gamma = gamma.reshape(1, -1, 1, 1)
    along = x_hat * (dy * x_hat).mean(axes, keepdims=True)
    return gamma * inv_std * (dy - dy.mean(axes, keepdims=True) - along)


assert diagnose(solution_6(dy_images, x_hat_images, inv_std_images, gamma), cases.images) == "right"

# %% [markdown]
# ## g. Running statistics: another function, another backward
#
# After training you may want `y` for a single sample, and the same `y` whatever else is in the batch. So BatchNorm
# keeps running statistics, and uses them in eval mode. Watch one step.

# %%
bn = mt.nn.BatchNorm1d(C, momentum=0.1).double()
print("before     ", bn.running_mean.array, bn.running_var.array)
bn(mt.tensor(x))
print("after      ", bn.running_mean.array, bn.running_var.array)
print("by hand    ", 0.9 * 0 + 0.1 * x.mean(0), 0.9 * 1 + 0.1 * x.var(0, ddof=1))
assert np.allclose(bn.running_mean.array, 0.1 * x.mean(0), rtol=0, atol=1e-15)
assert np.allclose(bn.running_var.array, 0.9 + 0.1 * x.var(0, ddof=1), rtol=0, atol=1e-14)
assert not np.allclose(bn.running_var.array, 0.9 + 0.1 * x.var(0), rtol=0, atol=1e-4)

# %% [markdown]
# Two conventions are in that line, and both cause arguments.
#
# **Biased to normalise, unbiased to average.** To normalise, BatchNorm divides by the spread of the very values at
# hand: `m`. Then `x_hat` has mean square 1 (up to `eps`), and part d works. The running variance has another purpose.
# It estimates the spread of values that are not in the batch. A batch's biased variance is too small for that, on
# average by the factor `(m - 1) / m`, because the batch's mean sits in the middle of its own values. Measure it.

# %%
sizes = np.array([2, 3, 4, 6, 8, 12, 16, 32, 64])
draws = [rng.normal(size=(40_000, size)) for size in sizes]  # the true variance is 1
biased = np.array([d.var(1).mean() for d in draws])
unbiased = np.array([d.var(1, ddof=1).mean() for d in draws])


def draw_bias():
    """Average variance of a batch against its size."""
    _, ax = plt.subplots(figsize=(8, 3.8), layout="constrained")
    ax.axhline(1, color=GREY, lw=1, label="true variance")
    fine = np.linspace(2, 64, 400)
    ax.plot(fine, (fine - 1) / fine, color=BLUE, linestyle="--", label="(m - 1) / m")
    ax.plot(sizes, biased, "o", color=BLUE, ms=8, label="divided by m: measured")
    ax.plot(sizes, unbiased, "s", mfc="white", mec=VERMILION, mew=2, ms=8, label="divided by m - 1: measured")
    ax.set_xscale("log", base=2)
    ax.set_xticks(sizes, sizes)
    ax.minorticks_off()
    ax.set(xlabel="m, values per channel in a batch", ylabel="average of a batch's variance", ylim=(0.4, 1.1))
    ax.legend(frameon=False, loc="lower right")


draw_bias()
print("batches of 2: biased", round(biased[0], 3), " unbiased", round(unbiased[0], 3))
assert np.abs(biased - (sizes - 1) / sizes).max() < 0.03 and np.abs(unbiased - 1).max() < 0.03

# %% [markdown]
# **Figure 4. Small batches look too calm.** Round dots: the biased variance, averaged over many batches. It follows
# `(m - 1) / m`. Squares: the unbiased one stays at the truth for every batch size. An average over batches should be
# made of squares.
#
# **Momentum is the weight of the new value.** In PyTorch, and here:
#
# $$\mathtt{running} = (1-\mathtt{momentum})\cdot\mathtt{running} + \mathtt{momentum}\cdot\mathtt{new}$$
#
# Two of the texts that this course was made from write it the other way round (`momentum` times the old plus `1 -
# momentum` times the new), and one of them gives 0.1 with it. Other frameworks do so, too, with 0.9 or 0.99 as their
# number. The number alone does not tell you which is meant. See what happens to 0.1, read both ways.

# %%
stream = rng.normal(2.0, 1.0, size=(60, 16, 1))  # 60 batches of 16 values
readings = {"weight of the new value (PyTorch)": 0.1, "weight of the old value": 1 - 0.1}
traces = {}
for name, momentum in readings.items():
    layer = mt.nn.BatchNorm1d(1, momentum=momentum).double()
    traces[name] = [(layer(mt.tensor(batch)), layer.running_mean.item())[1] for batch in stream]


def draw_momentum():
    """running_mean over the batches, for both readings of momentum = 0.1."""
    _, ax = plt.subplots(figsize=(9, 3.8), layout="constrained")
    steps = np.arange(1, 61)
    ax.axhline(2, color=GREY, lw=1, label="true mean")
    ax.plot(steps, stream.mean((1, 2)), ".", color=GREY, ms=9, label="mean of each batch")
    for (name, trace), line, colour in zip(traces.items(), ("-", "--"), (INK, VERMILION), strict=True):
        ax.plot(steps, trace, line, color=colour, lw=2.2, label=f"0.1 = {name}")
    ax.set(xlabel="batches seen", ylabel="running_mean", ylim=(0, 2.8))
    ax.legend(frameon=False, loc="lower right")


draw_momentum()
for name, trace in traces.items():
    print(f"{name:<36} spread of running_mean over the last 30 batches: {np.std(trace[30:]):.3f}")
for momentum in (0.1, 0.01, 0.001):
    forgotten = math.ceil(math.log(0.01) / math.log(1 - momentum))
    print(f"momentum {momentum}: after {forgotten} batches the start counts for 1 % or less")

# %% [markdown]
# **Figure 5. One number, two meanings.** Grey dots: what each batch says. Solid: 0.1 as the weight of the new value.
# It starts at 0, takes its time, and then stays near the truth. Dashed: 0.1 as the weight of the old value. It chases
# every batch, and averages next to nothing.
#
# ### Two functions
#
# In train mode, mean and variance are functions of `x`. In eval mode they are constants. `y` looks alike. The
# backward does not: two of the three paths in figure 1 are gone. The package makes it two ops.

# %%
T = mt.tensor
training = F.batch_norm(T(x, requires_grad=True), None, None, T(gamma), T(beta), training=True, eps=eps)
evaluation = F.batch_norm(T(x, requires_grad=True), T(running_mean), T(running_var), T(gamma), T(beta), eps=eps)
print("train:", type(training.op).__name__, "   eval:", type(evaluation.op).__name__)

# %% [markdown]
# ### Exercise 7: the backward of eval mode
#
# Write `dx` for eval mode. The attempt uses the formula of this lesson, with the running statistics put in. Before
# you repair it: how many directions does eval mode take away?


# %% tags=["exercise"]
def dx_of_eval(x, dy, gamma, running_mean, running_var, eps):
    """dx of y = gamma * (x - running_mean) / sqrt(running_var + eps) + beta."""
    inv_std = 1 / np.sqrt(running_var + eps)
    x_hat = (x - running_mean) * inv_std
    return gamma * inv_std * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))


verdicts[7] = diagnose(dx_of_eval(x, dy, gamma, running_mean, running_var, eps), cases.evaluation)


# %% tags=["solution"] jupyter={"source_hidden": true}
def solution_7(x, dy, gamma, running_mean, running_var, eps):
    """A scale and a shift with fixed numbers: dy, scaled. Nothing is taken away."""
    return gamma * dy / np.sqrt(running_var + eps)


assert diagnose(solution_7(x, dy, gamma, running_mean, running_var, eps), cases.evaluation) == "right"


# %% [markdown]
# Check it against differences, and look at both backwards as matrices: how does `dx` of each value depend on `dy` of
# each other value?


# %%
def loss_in_eval(x):
    """(y * dy).sum() in eval mode."""
    y = F.batch_norm(T(x), T(running_mean), T(running_var), T(gamma), T(beta), eps=eps)
    return float((y.array * dy).sum())


dx_eval = solution_7(x, dy, gamma, running_mean, running_var, eps)
error = np.abs(dx_eval - central_differences(loss_in_eval, x)).max() / np.abs(dx_eval).max()
print(f"eval mode against central differences, relative: {error:.1e}")
assert error < 1e-7

x6 = np.array([-1.5, -0.6, -0.2, 0.1, 0.5, 2.4])
x_hat6, inv_std6 = ingredients(x6[:, None], eps)
J_train = matrix_of(lambda d: closed_form(d[:, None], x_hat6, inv_std6[0], 1.0)[:, 0], 6)
J_eval = matrix_of(lambda d: solution_7(x6, d, 1.0, 0.0, x6.var(), eps), 6)
assert np.abs(J_train.sum(0)).max() < 1e-14 and np.abs(J_train.sum(1)).max() < 1e-14
for name, J in (("train", J_train), ("eval", J_eval)):
    print(f"{name:<6} directions that pass: {np.sum(np.linalg.eigvalsh(J) > 1e-3)} of 6")


def draw_matrices():
    """The two backwards as matrices, their numbers written in."""
    _, axes = plt.subplots(1, 2, figsize=(11.5, 5.2), layout="constrained")
    for ax, J, title in (
        (axes[0], J_train, "train: all values of a batch are tied"),
        (axes[1], J_eval, "eval: each on its own"),
    ):
        ax.imshow(np.abs(J), cmap="Greys", vmin=0, vmax=1.3 * np.abs(J_eval).max())
        for i, j in np.ndindex(J.shape):
            dark = abs(J[i, j]) > 0.7 * np.abs(J_eval).max()
            ax.text(
                j,
                i,
                f"{J[i, j] + 0.0:.2f}" if J[i, j] else "0",
                ha="center",
                va="center",
                color="white" if dark else INK,
            )
        ax.set_xticks(range(6), [f"{v:g}" for v in x6])
        ax.set_yticks(range(6), [f"{v:g}" for v in x6])
        ax.set_title(title, fontsize=13)
        ax.set(xlabel="dy of the value x =", ylabel="dx of the value x =")
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)


draw_matrices()

# %% [markdown]
# **Figure 6. Two functions, two backwards.** Each cell says how much `dy` of the column's value adds to `dx` of the
# row's value; grey is the size. Left, train mode: every `dx` depends on every `dy` of the batch, and every row and
# column sums to zero. See the last value, far from the others: `x_hat` points mostly its way, so little of its own
# gradient comes back. Right, eval mode: only the diagonal.
#
# Which mode a layer is in has nothing to do with whether gradients are recorded. In eval mode, gradients flow; under
# `no_grad`, train mode still moves the running statistics (notebook 09).
#
# ### A batch of one, and of two
#
# A single value equals its own mean. `x_hat` is zero, `y` is `beta`, whatever `x` was. Train mode refuses it, as
# PyTorch does. With spatial axes a single sample still has many values per channel.

# %%
bn = mt.nn.BatchNorm1d(C)
try:
    bn(mt.randn(1, C))
except ValueError as error:
    refusal = error
    print("train, (1, C):      ValueError:", error)
print("train, (1, C, 4, 4):", mt.nn.BatchNorm2d(C)(mt.randn(1, C, 4, 4)).shape)
print("eval,  (1, C):      ", bn.eval()(mt.randn(1, C)).shape)

x2, dy2 = x[:2], dy[:2]
dx2 = autograd(lambda x: nine_ops(x, mt.tensor(gamma), mt.tensor(beta), eps).y, x2, dy2)
print("two values: x_hat\n", nine_ops(mt.tensor(x2), mt.tensor(gamma), mt.tensor(beta), eps).x_hat.array)
print("largest |dx| per channel", sci(np.abs(dx2).max(0)), "  largest |dy|", f"{np.abs(dy2).max():.1f}")
assert "more than 1 value per channel" in str(refusal)

# %% [markdown]
# Two values are legal, and useless. `x_hat` is 1 and -1, up to `eps`, whatever `x` was. Two directions minus two
# leaves none: `dx` is nothing but the remainder from `eps`. Notebook 08 looks at small batches.
#
# ## h. Which mistakes does a check let through?
#
# You have met the mistakes one by one. Now turn the question round. Take ten wrong backwards and six ways to check a
# backward. Each check compares with central differences, except the first, which only looks whether `dx` sums to
# zero. Checks like the second, third and fifth are found in published test suites.


# %%
def formula(x, gamma, dy, eps, parts="mx", correction=(0, 0), gammas=1, axes=None, outside=False):
    """The closed form for (N, C, *S), with a switch for every mistake."""
    every = (0, *range(2, x.ndim))
    m = x.size // x.shape[1]
    g = gamma.reshape(-1, *[1] * (x.ndim - 2)) ** gammas
    centred = x - x.mean(every, keepdims=True)
    var = (centred**2).sum(every, keepdims=True) / (m - correction[0])
    inv_std = 1 / (np.sqrt(var) + eps) if outside else 1 / np.sqrt(var + eps)
    x_hat = centred * inv_std
    over = every if axes is None else axes
    divisor = (m if axes is None else math.prod(x.shape[i] for i in axes)) - correction[1]
    dx = dy.copy()
    if "m" in parts:
        dx -= dy.sum(over, keepdims=True) / divisor
    if "x" in parts:
        dx -= x_hat * ((dy * x_hat).sum(over, keepdims=True) / divisor)
    return g * inv_std * dx


backwards = {
    "the right one": {},
    "mean and var as constants": {"parts": ""},
    "no path by the variance": {"parts": "m"},
    "no path by the mean": {"parts": "x"},
    "m - 1 in var": {"correction": (1, 0)},
    "m - 1 in the two means": {"correction": (0, 1)},
    "gamma counted twice": {"gammas": 2},
    "gamma forgotten": {"gammas": 0},
    "sum over N only": {"axes": (0,)},
    "eps outside the root": {"outside": True},
    "always zero": None,
}


def run(wrong, x, gamma, dy, eps):
    """dx of one of the backwards."""
    return np.zeros_like(x) if wrong is None else formula(x, gamma, dy, eps, **wrong)


def situation(shape, dy="random", gamma="random", stds=(1.0, 2.0, 0.5), tolerance=1e-6):
    """Data for a check, and dx by central differences."""
    rng = np.random.default_rng(5)
    spread = np.array(stds).reshape(-1, *[1] * (len(shape) - 2))
    s = SimpleNamespace(x=rng.normal(size=shape) * spread, tolerance=tolerance)
    s.gamma = rng.uniform(0.5, 2.0, 3) * [1, -1, 1] if gamma == "random" else np.ones(3)
    s.dy = rng.normal(size=shape) if dy == "random" else np.ones(shape)
    beta = rng.normal(size=3)

    def loss(x):
        return float((F.batch_norm(T(x), None, None, T(s.gamma), T(beta), True, eps=eps).array * s.dy).sum())

    s.dx = central_differences(loss, s.x)
    return s


def agrees(wrong, s):
    """Whether a backward agrees with central differences."""
    dx = run(wrong, s.x, s.gamma, s.dy, eps)
    return np.abs(dx - s.dx).max() <= s.tolerance * max(np.abs(s.dx).max(), 1)


def sums_to_zero(wrong, s):
    """Whether every channel's dx sums to zero."""
    dx = run(wrong, s.x, s.gamma, s.dy, eps)
    return np.abs(dx.sum((0, *range(2, dx.ndim)))).max() < 1e-9


checks = {
    "dx sums\nto zero": (sums_to_zero, situation((4, 3, 2, 2))),
    "loss is\ny.sum()": (agrees, situation((4, 3, 2, 2), dy="ones")),
    "gamma = 1": (agrees, situation((4, 3, 2, 2), gamma="ones")),
    "(m, C)\nonly": (agrees, situation((8, 3))),
    "std near 1,\nto 1 in 1000": (agrees, situation((4, 3, 2, 2), tolerance=1e-3)),
    "random dy, gamma;\nimages; a flat channel": (agrees, situation((4, 3, 2, 2), stds=(1.0, 2.0, 1e-3))),
}
passed = np.array([[test(wrong, s) for test, s in checks.values()] for wrong in backwards.values()])


def draw_checks():
    """A table: does the backward (row) pass the check (column)?"""
    _, ax = plt.subplots(figsize=(12.5, 6.2), layout="constrained")
    slips = passed.copy()
    slips[0] = False
    ax.imshow(slips, cmap="Greys", vmin=0, vmax=1.25, aspect="auto")
    for i, j in np.ndindex(passed.shape):
        word = "passes" if i == 0 and passed[i, j] else "slips through" if passed[i, j] else "caught"
        ax.text(j, i, word, ha="center", va="center", color="white" if slips[i, j] else INK)
    ax.set_xticks(range(len(checks)), checks)
    ax.set_yticks(range(len(backwards)), backwards)
    ax.set_xticks(np.arange(len(checks) - 1) + 0.5, minor=True)
    ax.set_yticks(np.arange(len(backwards) - 1) + 0.5, minor=True)
    ax.grid(which="minor", color=GREY, lw=0.8)
    ax.tick_params(which="both", length=0)
    ax.xaxis.set_ticks_position("top")
    ax.set(ylabel="backward under test")


draw_checks()
for name, column in zip(checks, passed[1:].T, strict=True):
    print(f"{name.replace(chr(10), ' '):<42} lets {column.sum():2d} of {len(column)} wrong backwards through")
assert passed[0].all() and not passed[1:, -1].any()

# %% [markdown]
# **Figure 7. A check is as good as its data.** Rows: the right backward and ten wrong ones. Columns: ways to check.
# Dark cells are mistakes that nobody notices. Go down a column to judge a check. Only the last column is white from
# top to bottom: a random `dy`, a random `gamma`, spatial axes, and one channel that hardly varies.
#
# ## PyTorch, if it is there
#
# An optional cell. It asks PyTorch for the same gradients, in both modes. Without PyTorch it says so and goes on.

# %% tags=["optional"]
try:
    import torch
except ImportError:
    torch = None

if torch is None:
    print("PyTorch is not installed: skipped. Nothing below needs it.")
else:
    for mode in (True, False):
        arrays = (x, running_mean.copy(), running_var.copy(), gamma, beta)
        theirs = [torch.tensor(a) for a in arrays]
        ours = [T(a.copy()) for a in arrays]
        for tensors, batch_norm in ((theirs, torch.nn.functional.batch_norm), (ours, F.batch_norm)):
            for k in (0, 3, 4):
                tensors[k].requires_grad_()
            y = batch_norm(*tensors, training=mode, momentum=0.1, eps=eps)
            y.backward(torch.tensor(dy) if tensors is theirs else T(dy))
        print("train" if mode else "eval ", end="  ")
        for name, k in (("dx", 0), ("dgamma", 3), ("dbeta", 4)):
            distance = ulps(ours[k].grad.array, theirs[k].grad.numpy())
            print(f"{name} {distance:.1f} ulp", end="   ")
            assert distance < 1000
        for name, k in (("running_mean", 1), ("running_var", 2)):
            distance = ulps(ours[k].array, theirs[k].numpy())
            print(f"{name} {distance:.1f} ulp", end="   ")
            assert distance < 1000
        print()

# %% [markdown]
# ## The answer
#
# Each sentence of the prediction is a claim about numbers. Test all four, on fresh data, against autograd.

# %%
fresh = rng.normal(size=(16, C)) * 2 + 1
seeds = rng.normal(size=(2, 16, C))
dxs = [autograd(lambda x: nine_ops(x, mt.tensor(gamma), mt.tensor(beta), eps).y, fresh, seed) for seed in seeds]
fresh_x_hat, fresh_inv_std = ingredients(fresh, eps)
scale = gamma * fresh_inv_std
without_mean = [seed - seed.mean(0) for seed in seeds]
without_both = [seed - fresh_x_hat * (seed * fresh_x_hat).mean(0) for seed in without_mean]
norms = [np.linalg.norm(dx, axis=0) for dx in dxs]

claims = {
    "A": np.allclose(dxs, scale * seeds, rtol=0, atol=1e-12),
    "B": np.allclose(dxs, scale * without_mean, rtol=0, atol=1e-12),
    "C": np.allclose(dxs, scale * without_both, rtol=0, atol=1e-12),
    "D": np.allclose(norms[0], norms[1], rtol=1e-3),
}
answer = "".join(letter for letter, holds in claims.items() if holds)
print("what holds:", claims)
print("measured:", answer, "  you predicted:", prediction or "nothing yet. Write a letter into the second code cell.")
if prediction:
    print("As predicted." if prediction == answer else f"Not as predicted. What speaks against {prediction}?")
solved = [number for number, verdict in verdicts.items() if verdict == "right"]
print(f"exercises solved: {len(solved)} of {len(verdicts)}")

assert prediction in {None, *claims}, f"prediction is {prediction!r}, wanted one of A, B, C, D"
assert answer == "C"
dx_fresh, fresh_var = dxs[0], fresh.var(0)
remainder = scale * (seeds[0] * fresh_x_hat).sum(0) * eps / (fresh_var + eps)
assert np.abs(dx_fresh.sum(0)).max() < 1e-12  # the direction 1 is gone
assert np.allclose((dx_fresh * fresh_x_hat).sum(0), remainder, rtol=0, atol=1e-12)  # x_hat is gone, up to eps
assert np.linalg.norm(dx_fresh / scale) < np.linalg.norm(seeds[0])  # what is left is shorter

# %% [markdown]
# **What does BatchNorm take away from a gradient?** Its part along **1**, and its part along `x_hat`: the two
# directions in which `x` can move without moving `y`. The first it takes exactly, the second up to `eps`. What is
# left is multiplied by `gamma * inv_std`. In eval mode it takes nothing.
#
# If your prediction was another: which cell of this notebook would have told you first?
#
# Next: notebook 03 asks whether all this makes a network learn faster.
