"""SGD against PyTorch: twenty steps with every combination of settings, to 1e-12 in float64."""

import itertools

import numpy as np
import pytest

import minitorch_bn as mt

torch = pytest.importorskip("torch")

SETTINGS = {
    "plain": {"lr": 0.1},
    "default_lr": {},
    "zero_lr": {"lr": 0.0},
    "momentum": {"lr": 0.05, "momentum": 0.9},
    "dampening": {"lr": 0.05, "momentum": 0.9, "dampening": 0.5},
    "full_dampening": {"lr": 0.05, "momentum": 0.9, "dampening": 1.0},
    "nesterov": {"lr": 0.05, "momentum": 0.9, "nesterov": True},
    "weight_decay": {"lr": 0.1, "weight_decay": 0.3},
    "all": {"lr": 0.05, "momentum": 0.8, "dampening": 0.1, "weight_decay": 0.2},
    "nesterov_decay": {"lr": 0.05, "momentum": 0.8, "weight_decay": 0.2, "nesterov": True},
    "maximize": {"lr": 0.01, "maximize": True},
    "maximize_all": {"lr": 0.01, "momentum": 0.8, "weight_decay": 0.2, "maximize": True},
}


def train(L, make, steps=20, skip=()):
    """Parameters after `steps` steps on a fixed, not quadratic function; in steps of `skip`, b gets no gradient."""
    rng = np.random.default_rng(0)
    a, b = (L.from_numpy(rng.normal(size=s)).requires_grad_() for s in ((3, 4), (4,)))
    x = L.from_numpy(rng.normal(size=(5, 3)))
    optimizer = make(L, a, b)
    for step in range(steps):
        optimizer.zero_grad()
        y = (x @ a).tanh() if step in skip else (x @ a + b).tanh()
        (y**2).mean().backward()
        optimizer.step()
    return [a.detach().numpy(), b.detach().numpy()]


def assert_same(make, **how):
    for got, want in zip(train(mt, make, **how), train(torch, make, **how), strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-12 * np.abs(want).max())


@pytest.mark.parametrize("name", SETTINGS)
def test_equals_torch(name):
    assert_same(lambda L, a, b: L.optim.SGD([a, b], **SETTINGS[name]))


@pytest.mark.parametrize("name", ["momentum", "all", "nesterov"])
def test_parameters_without_a_gradient_are_left_out(name):
    """At the first steps and in between: the momentum starts with the first gradient."""
    assert_same(lambda L, a, b: L.optim.SGD([a, b], **SETTINGS[name]), skip=(0, 1, 7))


GROUPS = {
    "own_lr": [{"lr": 0.5}, {}],
    "own_momentum": [{"momentum": 0.5}, {"lr": 0.01}],
    "own_decay": [{"weight_decay": 0.1}, {"weight_decay": 0.0, "momentum": 0.0}],
    "own_everything": [{"lr": 0.2, "nesterov": True, "momentum": 0.7}, {"maximize": True}],
}


@pytest.mark.parametrize(("name", "rest"), [*itertools.product(GROUPS, ["plain", "momentum"])])
def test_parameter_groups(name, rest):
    def make(L, a, b):
        groups = [{"params": [p], **own} for p, own in zip((a, b), GROUPS[name], strict=True)]
        return L.optim.SGD(groups, **SETTINGS[rest])

    assert_same(make)


def test_a_group_added_later_and_a_changed_lr():
    def make(L, a, b):
        optimizer = L.optim.SGD([a], lr=0.1)
        optimizer.add_param_group({"params": b, "lr": 0.3})
        optimizer.param_groups[0]["lr"] = 0.05
        return optimizer

    assert_same(make)


def test_defaults_and_groups_have_torchs_keys():
    for lib in (mt, torch):
        group = lib.optim.SGD([lib.ones(1, requires_grad=True)], lr=0.1).param_groups[0]
        assert {"params", "lr", "momentum", "dampening", "weight_decay", "nesterov", "maximize"} <= group.keys()


def test_state_dict_continues_where_it_was():
    """Ten steps, state saved and loaded into new objects, ten more: as twenty."""

    def model():
        mt.manual_seed(0)
        return mt.nn.Linear(3, 2).double()

    def steps(layer, optimizer, n):
        x = mt.from_numpy(np.random.default_rng(0).normal(size=(5, 3)))
        for _ in range(n):
            optimizer.zero_grad()
            (layer(x) ** 2).sum().backward()
            optimizer.step()

    one = model()
    steps(one, optimizer := mt.optim.SGD(one.parameters(), lr=0.01, momentum=0.9), 10)
    two = model()
    two.load_state_dict(one.state_dict())
    other = mt.optim.SGD(two.parameters(), lr=1.0)
    other.load_state_dict(optimizer.state_dict())
    steps(one, optimizer, 10)
    steps(two, other, 10)
    for p, q in zip(one.parameters(), two.parameters(), strict=True):
        assert np.array_equal(p.array, q.array)


def test_float32_stays_float32():
    p = mt.ones(3, requires_grad=True)
    optimizer = mt.optim.SGD([p], lr=np.float64(0.1), momentum=0.9, weight_decay=0.1)
    for _ in range(3):
        (p * p).sum().backward()
        optimizer.step()
    assert p.dtype == mt.float32 and optimizer.state[p]["momentum_buffer"].dtype == mt.float32


def test_steps_write_in_place_and_change_no_gradient():
    p = mt.ones(3, requires_grad=True)
    array = p.array
    (p * p).sum().backward()
    gradient = p.grad_array.copy()
    mt.optim.SGD([p], lr=0.1, momentum=0.9, weight_decay=0.1).step()
    assert p.array is array and np.array_equal(p.grad_array, gradient) and p.is_leaf
    assert not np.shares_memory(p.array, p.grad_array)


def test_the_momentum_buffer_shares_no_memory_with_the_gradient():
    p = mt.ones(3, requires_grad=True)
    (p * p).sum().backward()
    optimizer = mt.optim.SGD([p], lr=0.1, momentum=0.9)
    optimizer.step()
    assert not np.shares_memory(optimizer.state[p]["momentum_buffer"].array, p.grad_array)


def test_zero_grad():
    p = mt.ones(3, requires_grad=True)
    optimizer = mt.optim.SGD([p], lr=0.1)
    (p * p).sum().backward()
    held = p.grad
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.tolist() == held.tolist() == [0, 0, 0]  # in place, as in PyTorch
    optimizer.zero_grad()
    assert p.grad is None


def test_closure():
    p = mt.ones(1, requires_grad=True)
    optimizer = mt.optim.SGD([p], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with mt.no_grad():
        assert optimizer.step(closure).item() == 1
    assert p.item() == pytest.approx(0.8)


def leaf(L):
    return L.ones(2, requires_grad=True)


ERRORS = {
    "tensor": lambda L: L.optim.SGD(leaf(L), lr=0.1),
    "empty": lambda L: L.optim.SGD([], lr=0.1),
    "empty_model": lambda L: L.optim.SGD(L.nn.Tanh().parameters(), lr=0.1),
    "not_leaf": lambda L: L.optim.SGD([leaf(L) * 2], lr=0.1),
    "not_tensor": lambda L: L.optim.SGD([3.0], lr=0.1),
    "twice_in_groups": lambda L: L.optim.SGD([{"params": [p]} for p in [leaf(L)] * 2], lr=0.1),
    "negative_lr": lambda L: L.optim.SGD([leaf(L)], lr=-0.1),
    "negative_momentum": lambda L: L.optim.SGD([leaf(L)], lr=0.1, momentum=-0.1),
    "negative_decay": lambda L: L.optim.SGD([leaf(L)], lr=0.1, weight_decay=-0.1),
    "nesterov_alone": lambda L: L.optim.SGD([leaf(L)], lr=0.1, nesterov=True),
    "nesterov_dampening": lambda L: L.optim.SGD([leaf(L)], lr=0.1, momentum=0.9, dampening=0.1, nesterov=True),
    "state_of_other_groups": lambda L: L.optim.SGD([leaf(L)], lr=0.1).load_state_dict(
        L.optim.SGD([{"params": [leaf(L)]}, {"params": [leaf(L)]}], lr=0.1).state_dict()
    ),
    "state_of_other_sizes": lambda L: L.optim.SGD([leaf(L)], lr=0.1).load_state_dict(
        L.optim.SGD([leaf(L), leaf(L)], lr=0.1).state_dict()
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_torchs(name):
    with pytest.raises(Exception) as theirs:
        ERRORS[name](torch)
    with pytest.raises(theirs.type) as ours:
        ERRORS[name](mt)
    assert len(str(ours.value)) > 15
