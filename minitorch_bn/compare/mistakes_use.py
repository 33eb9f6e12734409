"""Traps that are no wrong formula: a right BatchNorm used wrongly, each with a demonstration that runs.

A demonstration returns {what: number}. They use this package's own layers and leave the default random stream alone.
"""

import numpy as np

from .mistake import into

USE = []
mistake = into(USE, "use")


def batch(*shape, seed=3):
    """A tensor of random numbers around 2, in float64."""
    import minitorch_bn as mt

    return mt.from_numpy(np.random.default_rng(seed).normal(2, 3, shape))


def largest(array):
    """The largest magnitude."""
    return float(abs(array).max())


@mistake(
    "gradient-check-with-ones",
    trap="T12",
    who="DeZero, TinyTorch's first test, and many: y.sum().backward()",
    says="The gradient was checked for y.sum(): ones as upstream gradient, for which dx of BatchNorm is 0.",
    instead="Check with a random upstream gradient: (y * c).sum() with c random.",
)
def gradient_of_a_sum():
    """The largest dx for ones, and for a random upstream gradient."""
    import minitorch_bn as mt

    x, bn = batch(8, 3).requires_grad_(), mt.nn.BatchNorm1d(3, dtype=mt.float64)
    bn(x).sum().backward()
    ones = largest(x.grad.array)
    x.grad = None
    bn(x).backward(gradient=batch(8, 3, seed=4))
    return {"largest dx, upstream ones": ones, "largest dx, upstream random": largest(x.grad.array)}


@mistake(
    "bias-in-front",
    trap="T14",
    who="Linear(..., bias=True) before BatchNorm",
    says="The layer in front of BatchNorm has a bias: the mean takes it away again, its gradient is 0.",
    instead="Use bias=False there; beta does the work.",
)
def dead_bias():
    """The largest gradient of the bias in front, and of beta."""
    import minitorch_bn as mt

    linear, bn = mt.nn.Linear(4, 3, dtype=mt.float64), mt.nn.BatchNorm1d(3, dtype=mt.float64)
    linear.load_state_dict({"weight": batch(3, 4, seed=1), "bias": batch(3, seed=2)})
    bn(linear(batch(8, 4))).backward(gradient=batch(8, 3, seed=4))
    return {"gradient of the bias": largest(linear.bias.grad.array), "of beta": largest(bn.bias.grad.array)}


@mistake(
    "batch-of-one",
    trap="T15",
    who="DeZero, MyGrad, PyDyNet and others return beta; tinygrad divides by 0",
    says="A batch of one value per channel was normalised: the result is beta, whatever x is.",
    instead="PyTorch raises ValueError in train mode. (1, C, H, W) is fine, eval mode too: m counts, not N.",
)
def batch_of_one():
    """1 where ValueError is raised, 0 where not."""
    import minitorch_bn as mt

    def refused(layer, x):
        try:
            layer(x)
        except ValueError:
            return 1
        return 0

    flat, image = mt.nn.BatchNorm1d(3, dtype=mt.float64), mt.nn.BatchNorm2d(3, dtype=mt.float64)
    return {
        "(1, C) in train mode": refused(flat, batch(1, 3)),
        "(1, C, 1, 1) in train mode": refused(image, batch(1, 3, 1, 1)),
        "(1, C, 2, 2) in train mode": refused(image, batch(1, 3, 2, 2)),
        "(1, C) in eval mode": refused(flat.eval(), batch(1, 3)),
    }


@mistake(
    "frozen-by-requires-grad",
    trap="T17",
    who="fine-tuning recipes",
    says="requires_grad=False or no_grad() was meant to freeze BatchNorm: the running statistics move all the same.",
    instead="Only bn.eval() stops them, and model.train() undoes that.",
)
def frozen_by_requires_grad():
    """How far running_mean moved under each of the two, and in eval mode."""
    import minitorch_bn as mt

    moved = {}
    for name in ("requires_grad=False", "no_grad()", "eval()"):
        bn = mt.nn.BatchNorm1d(3, dtype=mt.float64).requires_grad_(name != "requires_grad=False")
        with mt.set_grad_enabled(name != "no_grad()"):
            bn.train(name != "eval()")(batch(8, 3))
        moved[f"running_mean moved, {name}"] = largest(bn.running_mean.array)
    return moved


@mistake(
    "tracking-switched-off-later",
    trap="T18",
    who="bn.track_running_stats = False on a layer that exists",
    says="track_running_stats was set to False on a finished layer: eval mode still uses the buffers.",
    instead="Say it in the constructor, or set running_mean and running_var to None.",
)
def tracking_switched_off_later():
    """How far y in eval mode lies from y in train mode: 0 if the batch's statistics are used."""
    import minitorch_bn as mt

    x, far = batch(8, 3), {}
    right = mt.nn.BatchNorm1d(3, dtype=mt.float64)(x).array
    later, never = mt.nn.BatchNorm1d(3, dtype=mt.float64), mt.nn.BatchNorm1d(3, track_running_stats=False)
    later.track_running_stats = False
    for name, bn in (("switched off later", later), ("never tracked", never.double())):
        far[name] = largest(bn.eval()(x).array - right)
    return far


@mistake(
    "std-checked-with-correction",
    trap="T21",
    who="print(y.std(0)) after BatchNorm",
    says="The output's standard deviation was checked with the unbiased one: it is sqrt(m / (m - 1)), not 1.",
    instead="y.std(0, correction=0) is 1 (up to eps).",
)
def std_with_correction():
    """Both standard deviations of a normalised batch of 8."""
    import minitorch_bn as mt

    y = mt.nn.BatchNorm1d(3, dtype=mt.float64)(batch(8, 3)).detach()
    return {"y.std(0)": float(y.std(0).array[0]), "y.std(0, correction=0)": float(y.std(0, correction=0).array[0])}


@mistake(
    "accumulation-for-a-large-batch",
    trap="T24",
    who="gradient accumulation",
    says="Gradients of two batches of 4 were added up for those of a batch of 8: BatchNorm saw 4 at a time.",
    instead="Larger batches need larger batches, or SyncBatchNorm.",
)
def accumulation():
    """How far the outputs of two halves are from those of the whole."""
    import minitorch_bn as mt

    x = batch(8, 3)
    bn = mt.nn.BatchNorm1d(3, dtype=mt.float64)
    halves = np.concatenate([bn(x[:4]).array, bn(x[4:]).array])
    return {"difference of y": largest(halves - bn(x).array)}


@mistake(
    "eval-before-the-average-is-warm",
    trap="T26",
    who="makemore: momentum 0.001",
    says="Eval mode was used before the running statistics had forgotten their start.",
    instead="The start's weight is (1 - momentum)^steps: 1 % after 44, 458 or 4603 steps at 0.1, 0.01 or 0.001.",
)
def warm_up():
    """How far eval mode's y is from train mode's on one and the same batch, after 1 step and after 200."""
    import minitorch_bn as mt

    x, bn, far = batch(64, 3), mt.nn.BatchNorm1d(3, dtype=mt.float64), {}
    for step in range(1, 201):
        y = bn.train()(x)
        if step in (1, 200):
            far[f"eval and train differ after {step}"] = largest(bn.eval()(x).array - y.array)
    return far


@mistake(
    "eval-tied-to-no-grad",
    trap="T27",
    who="d2l: eval mode is where gradients are off; PyDyNet: eval() turns them off everywhere",
    says="Eval mode was tied to no_grad: the one chooses statistics, the other recording.",
    instead="They are independent: bn.eval() records gradients, no_grad() uses the batch's statistics.",
)
def independent_switches():
    """Whether y asks for a gradient in eval mode; how far running_mean moves under no_grad."""
    import minitorch_bn as mt

    bn = mt.nn.BatchNorm1d(3, dtype=mt.float64)
    asks = bn.eval()(batch(8, 3)).requires_grad
    with mt.no_grad():
        bn.train()(batch(8, 3))
    return {"eval mode records": int(asks), "running_mean moved under no_grad": largest(bn.running_mean.array)}


@mistake(
    "statistics-as-plain-attributes",
    trap="T29",
    who="d2l, makemore: attributes, or of shape (1, C)",
    says="The running statistics were kept as attributes: they are not saved with the model.",
    instead="Make them buffers of shape (C,): then state_dict() has them, with num_batches_tracked.",
)
def saved_state():
    """How many entries of the state are statistics, as buffers and as attributes."""
    import minitorch_bn as mt

    buffers, attributes = mt.nn.BatchNorm1d(3), mt.nn.BatchNorm1d(3, track_running_stats=False)
    object.__setattr__(attributes, "my_mean", mt.zeros(1, 3))
    names = ("running_mean", "running_var", "num_batches_tracked", "my_mean")
    return {
        "as buffers": sum(name in buffers.state_dict() for name in names),
        "as attributes": sum(name in attributes.state_dict() for name in names),
    }


mistake(
    "internal-covariate-shift",
    trap="T30",
    who="TinyTorch 09; numpy-ml and CS231n give it as the motive",
    says='"BatchNorm works because it removes internal covariate shift" was taken for a fact.',
    instead="It is the paper's account, and contested (Santurkar et al. 2018): no test of the code can show it.",
)(None)
