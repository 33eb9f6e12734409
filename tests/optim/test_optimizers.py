"""All optimisers against PyTorch over a hundred steps, to 1e-12 in float64; states exchanged with PyTorch; memory."""

import copy
import pickle
import time

import numpy as np
import pytest

import minitorch_bn as mt
from tests.surface.rows_optim import OPTIONS, give_gradients, weights

torch = pytest.importorskip("torch")

ROWS = [(name, special) for name, table in OPTIONS.items() for special in table]
NAMES = {name: ({"momentum": 0.9} if name in ("SGD", "RMSprop") else {}) for name in OPTIONS}


def walk(L, name, options, steps, dtype="float64"):
    params = weights(L, dtype)
    optimizer = getattr(L.optim, name)(params, **options)
    for step in range(steps):
        give_gradients(L, params, step)
        optimizer.step()
    return params, optimizer


def tensors(params, optimizer):
    """Parameters and everything that is remembered of them, as arrays."""
    memory = [value for s in optimizer.state_dict()["state"].values() for value in s.values() if value is not None]
    return [t.detach().numpy() for t in (*params, *memory)]


@pytest.mark.parametrize(("name", "special"), ROWS)
def test_a_hundred_steps(name, special):
    ours, theirs = (tensors(*walk(L, name, OPTIONS[name][special], 100)) for L in (mt, torch))
    for got, want in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-12 * np.abs(want).max())


@pytest.mark.parametrize(("name", "special"), ROWS)
def test_float32_is_as_exact_as_pytorchs(name, special):
    """Both libraries make about ten roundings per step: neither may be further than that from the float64 result."""
    steps = 50
    exact = tensors(*walk(torch, name, OPTIONS[name][special], steps))
    for L in (mt, torch):
        for got, want in zip(tensors(*walk(L, name, OPTIONS[name][special], steps, "float32")), exact, strict=True):
            assert got.dtype == np.float32
            scale = max(np.abs(want).max(), 1)
            np.testing.assert_allclose(got, want, rtol=0, atol=10 * steps * np.finfo(np.float32).eps * scale)


@pytest.mark.parametrize("name", NAMES)
def test_a_state_of_pytorch_loads_as_it_is(name):
    params, theirs = walk(torch, name, NAMES[name], 5)
    own = weights(mt)
    with mt.no_grad():
        for p, q in zip(own, params, strict=True):
            p.copy_(mt.tensor(q.detach().numpy()))
    optimizer = getattr(mt.optim, name)(own, lr=9.0)
    optimizer.load_state_dict(theirs.state_dict())
    assert all(type(value) is mt.Tensor for p in own for value in optimizer.state[p].values())
    for step in range(5, 10):
        for L, some, o in ((mt, own, optimizer), (torch, params, theirs)):
            give_gradients(L, some, step)
            o.step()
    for got, want in zip(tensors(own, optimizer), tensors(params, theirs), strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-12 * np.abs(want).max())


@pytest.mark.parametrize("name", NAMES)
def test_pytorch_loads_our_state(name):
    own, optimizer = walk(mt, name, NAMES[name], 5)
    saved = optimizer.state_dict()
    state = {
        i: {key: torch.tensor(value.numpy()) for key, value in memory.items()} for i, memory in saved["state"].items()
    }
    params = [torch.tensor(p.detach().numpy(), requires_grad=True) for p in own]
    theirs = getattr(torch.optim, name)(params, lr=9.0)
    theirs.load_state_dict({**saved, "state": state})
    for step in range(5, 10):
        for L, some, o in ((mt, own, optimizer), (torch, params, theirs)):
            give_gradients(L, some, step)
            o.step()
    for got, want in zip(tensors(own, optimizer), tensors(params, theirs), strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-12 * np.abs(want).max())


@pytest.mark.parametrize("name", NAMES)
def test_saved_with_pickle(name):
    _, optimizer = walk(mt, name, NAMES[name], 3)
    optimizer.register_step_pre_hook(lambda *args: None)
    copied = pickle.loads(pickle.dumps(optimizer))
    assert repr(copied) == repr(optimizer) and "step" not in vars(copied)
    for got, want in zip(*(tensors(o.param_groups[0]["params"], o) for o in (copied, optimizer)), strict=True):
        assert np.array_equal(got, want)
    copied.step()
    fresh = pickle.loads(pickle.dumps(mt.optim.Adam([mt.ones(1)])))
    assert fresh.state[mt.ones(1)] == {}


@pytest.mark.parametrize(("name", "special"), ROWS)
def test_a_step_writes_in_place_and_changes_no_gradient(name, special):
    params, optimizer = walk(mt, name, OPTIONS[name][special], 1)
    arrays, gradients = [p.array for p in params], [p.grad_array.copy() for p in params]
    optimizer.step()
    for p, array, gradient in zip(params, arrays, gradients, strict=True):
        assert p.array is array and np.array_equal(p.grad_array, gradient) and p.is_leaf
        memory = [value.array for value in optimizer.state[p].values()]
        for one, other in [(a, b) for i, a in enumerate(memory) for b in [*memory[:i], p.array, p.grad_array]]:
            assert not np.shares_memory(one, other)


@pytest.mark.parametrize("name", NAMES)
def test_a_loaded_state_shares_no_memory(name):
    _, optimizer = walk(mt, name, NAMES[name], 3)
    params = weights(mt)
    other = getattr(mt.optim, name)(params)
    other.load_state_dict(optimizer.state_dict())
    before = [array.copy() for array in tensors([], optimizer)]
    give_gradients(mt, params, 3)
    other.step()
    assert before and all(np.array_equal(a, b) for a, b in zip(before, tensors([], optimizer), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_float32_stays_float32_with_numpys_numbers_as_settings(name):
    p = mt.ones(3, requires_grad=True)
    settings = {key: np.float64(value) for key, value in NAMES[name].items()}
    optimizer = getattr(mt.optim, name)([p], lr=np.float64(0.1), weight_decay=np.float64(0.1), **settings)
    for _ in range(3):
        p.grad = mt.ones(3)
        optimizer.step()
    assert p.dtype == mt.float32 and all(value.dtype == mt.float32 for value in optimizer.state[p].values())


@pytest.mark.parametrize("name", NAMES)
def test_saved_to_a_file(name, tmp_path):
    """Through our file and back, and from PyTorch's file."""
    _params, optimizer = walk(mt, name, NAMES[name], 3)
    _, theirs = walk(torch, name, NAMES[name], 3)
    mt.save(optimizer.state_dict(), tmp_path / "ours.pt")
    torch.save(theirs.state_dict(), tmp_path / "theirs.pt")
    for file in ("ours.pt", "theirs.pt"):
        other = getattr(mt.optim, name)(weights(mt), lr=9.0)
        other.load_state_dict(mt.load(tmp_path / file))
        assert repr(other) == repr(optimizer)
        for got, want in zip(tensors([], other), tensors([], optimizer), strict=True):
            np.testing.assert_allclose(got, want, rtol=0, atol=1e-12 * np.abs(want).max())


@pytest.mark.parametrize("special", ["MultiStepLR", "OneCycleLR", "LambdaLR"])
def test_schedules_are_saved_to_a_file(special, tmp_path):
    make = {
        "MultiStepLR": lambda S, o: S.MultiStepLR(o, [2, 2, 5]),
        "OneCycleLR": lambda S, o: S.OneCycleLR(o, 0.1, 10),
        "LambdaLR": lambda S, o: S.LambdaLR(o, lambda epoch: 0.9**epoch),
    }[special]
    schedules = []
    for L in (mt, torch):
        optimizer = L.optim.SGD([L.zeros(1)], lr=0.1)
        schedules.append(make(L.optim.lr_scheduler, optimizer))
        for _ in range(3):
            optimizer.step()
            schedules[-1].step()
    ours, theirs = schedules
    mt.save(ours.state_dict(), tmp_path / "ours.pt")
    torch.save(theirs.state_dict(), tmp_path / "theirs.pt")
    for file in ("ours.pt", "theirs.pt"):
        other = make(mt.optim.lr_scheduler, mt.optim.SGD([mt.zeros(1)], lr=0.1))
        other.load_state_dict(mt.load(tmp_path / file))
        assert other.state_dict() == ours.state_dict() and other.get_last_lr() == theirs.get_last_lr()


def test_a_refused_state_changes_nothing():
    params, optimizer = walk(mt, "Adam", {"lr": 0.1}, 2)
    before = copy.deepcopy(optimizer.state_dict())
    for bad in (
        {"state": {}, "param_groups": []},
        {"state": {}, "param_groups": [{"params": [0], "lr": 5.0}]},
        {"param_groups": [{"params": [0, 1], "lr": 5.0}]},
    ):
        with pytest.raises((ValueError, KeyError)):
            optimizer.load_state_dict(bad)
        assert optimizer.param_groups[0]["params"] == list(params) and optimizer.param_groups[0]["lr"] == 0.1
        for got, want in zip(tensors([], optimizer), [v.numpy() for s in before["state"].values() for v in s.values()]):
            assert np.array_equal(got, want)


def test_a_refused_group_is_not_changed():
    optimizer = mt.optim.SGD([p := mt.zeros(1)], lr=0.1)
    for params in ([p], [("a", mt.zeros(1))], [mt.zeros(1), 3]):
        group = {"params": params}
        with pytest.raises((ValueError, TypeError)):
            optimizer.add_param_group(group)
        assert list(group) == ["params"] and group["params"] is params and len(optimizer.param_groups) == 1


def test_a_parameter_twice_in_a_group_is_warned_of():
    for L in (mt, torch):
        with pytest.warns(UserWarning, match=r"parameter"):
            L.optim.SGD([p := L.zeros(1), p], lr=0.1)


def test_without_hooks_step_is_the_methods_own():
    optimizer = mt.optim.SGD([mt.zeros(1)], lr=0.1)
    assert "step" not in vars(optimizer)
    with optimizer.register_step_post_hook(lambda *args: None):
        assert "step" in vars(optimizer)


def test_backward_refuses_what_a_step_has_changed():
    """Every optimiser notes its writes."""
    for name in NAMES:
        w, x = mt.ones(2, 2, requires_grad=True), mt.ones(2, 2, requires_grad=True)
        y = (x @ w).sum()
        w.grad = mt.ones(2, 2)
        getattr(mt.optim, name)([w]).step()
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.backward()


def test_time_of_a_plain_step(measured):
    params = [mt.zeros(100, 100, requires_grad=True) for _ in range(4)]
    for p in params:
        p.grad = mt.ones(100, 100)
    for name in NAMES:
        optimizer = getattr(mt.optim, name)(params)
        optimizer.step()
        start = time.perf_counter()
        for _ in range(50):
            optimizer.step()
        measured(f"{name}: {(time.perf_counter() - start) / 50 * 1e6:.0f} us for a step of 4 x (100, 100)")
