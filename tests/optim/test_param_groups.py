"""param_groups_weight_decay: which parameter is in which group, and what an optimiser does with the groups."""

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import nn
from minitorch_bn.optim import param_groups_weight_decay


class Tied(nn.Module):
    """Two names for one weight matrix, as in language models; a gain of no dimension."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(6, 4)
        self.norm = nn.LayerNorm(4)
        self.gain = nn.Parameter(mt.tensor(2.0))
        self.out = nn.Linear(4, 6)
        self.out.weight = self.embedding.weight

    def forward(self, x):
        return self.out(self.norm(self.embedding(x)) * self.gain)


def convnet():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.GroupNorm(2, 4), nn.Flatten(),
        nn.Linear(64, 10),
    )  # fmt: skip


def names(model, group):
    """The names of a group's parameters."""
    return [name for p in group["params"] for name, own in model.named_parameters() if own is p]


def test_weights_decay_and_gamma_beta_and_biases_do_not():
    model = convnet()
    spared, decayed = param_groups_weight_decay(model, 0.1)
    assert names(model, decayed) == ["0.weight", "3.weight", "6.weight"]
    assert names(model, spared) == ["0.bias", "1.weight", "1.bias", "3.bias", "4.weight", "4.bias", "6.bias"]
    assert (spared["weight_decay"], decayed["weight_decay"]) == (0.0, 0.1)
    both = spared["params"] + decayed["params"]
    assert len(both) == len(set(both)) and set(both) == set(model.parameters())


def test_shared_parameters_come_once():
    model = Tied()
    spared, decayed = param_groups_weight_decay(model, 0.1)
    assert names(model, decayed) == ["embedding.weight"]
    assert names(model, spared) == ["gain", "norm.weight", "norm.bias", "out.bias"]


@pytest.mark.parametrize("name", ["embedding.weight", "out.weight"])
def test_a_list_spares_more_by_any_of_their_names(name):
    model = Tied()
    spared, decayed = param_groups_weight_decay(model, 0.1, iter([name]))
    assert names(model, decayed) == [] and "embedding.weight" in names(model, spared)


def test_frozen_parameters_are_left_out():
    model = convnet()
    model[0].requires_grad_(False)
    model[1].weight.requires_grad_(False)
    spared, decayed = param_groups_weight_decay(model, 0.1)
    assert names(model, decayed) == ["3.weight", "6.weight"]
    assert names(model, spared) == ["1.bias", "3.bias", "4.weight", "4.bias", "6.bias"]


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_an_optimiser_decays_one_group_only(kind, rng):
    """One step with gradients of 0: only what decays moves, and towards 0."""
    model = convnet()
    optimizer = getattr(mt.optim, kind)(param_groups_weight_decay(model, 0.1), lr=0.01)
    for p in model.parameters():
        p.array[...] = rng.uniform(1.0, 2.0, p.shape)
        p.grad = mt.zeros(*p.shape)
    before = {name: p.array.copy() for name, p in model.named_parameters()}
    optimizer.step()
    for name, p in model.named_parameters():
        if name in ("0.weight", "3.weight", "6.weight"):
            assert (p.array < before[name]).all(), name
        else:
            assert np.array_equal(p.array, before[name]), name


def test_one_step_of_sgd_by_hand(rng):
    """p - lr * (g + weight_decay * p), the second term for matrices only."""
    model = nn.Linear(3, 2, dtype=mt.float64)
    optimizer = mt.optim.SGD(param_groups_weight_decay(model, 0.5), lr=0.1)
    W, b = (p.array.copy() for p in (model.weight, model.bias))
    dW, db = rng.normal(size=W.shape), rng.normal(size=b.shape)
    model.weight.grad, model.bias.grad = mt.from_numpy(dW), mt.from_numpy(db)
    optimizer.step()
    np.testing.assert_allclose(model.weight.array, W - 0.1 * (dW + 0.5 * W), rtol=1e-14)
    np.testing.assert_allclose(model.bias.array, b - 0.1 * db, rtol=1e-14)


def test_a_network_without_matrices():
    model = nn.BatchNorm1d(3)
    spared, decayed = param_groups_weight_decay(model, 0.1)
    assert len(spared["params"]) == 2 and decayed["params"] == []
    mt.optim.SGD([spared, decayed], lr=0.1)  # an empty group does no harm


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (lambda: (list(convnet().parameters()), 0.1), TypeError, "got a list, wanted a Module"),
        (lambda: (convnet(), -0.1), ValueError, "invalid weight_decay: got -0.1"),
        (lambda: (convnet(), float("nan")), ValueError, "invalid weight_decay"),
        (lambda: (convnet(), 0.1, "0.weight"), TypeError, r"is a string, wanted a list of names: \['0.weight'\]"),
        (lambda: (convnet(), 0.1, ["weight"]), ValueError, "no parameter is called 'weight'"),
        (lambda: (nn.ReLU(), 0.1), ValueError, "ReLU has no parameter that requires a gradient"),
        (lambda: (convnet().requires_grad_(False), 0.1), ValueError, "nothing is left to train"),
    ],
    ids=["no_model", "negative", "nan", "string", "unknown", "empty", "frozen"],
)
def test_what_cannot_be_used(arguments, error, message):
    with pytest.raises(error, match=message):
        param_groups_weight_decay(*arguments())
