"""Module: what assignment registers, what state dicts carry, what hooks see, and what mistakes say."""

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import nn
from tests.nn.layers import custom

torch = pytest.importorskip("torch")


def names(module):
    """All names that a module reports."""
    return [[n for n, _ in getattr(module, f"named_{what}")()] for what in ("parameters", "buffers", "modules")]


# ---- registration


def test_parameters_come_in_definition_order():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.z = nn.Linear(1, 1)
            self.a = nn.Parameter(mt.zeros(1))
            self.m = nn.Linear(1, 1)

    # as in PyTorch: a module's own parameters first, then those of its children
    assert [n for n, _ in Model().named_parameters()] == ["a", "z.weight", "z.bias", "m.weight", "m.bias"]


SCRIPTS = {
    "replaced_parameter": lambda L, m: setattr(m, "scale", L.nn.Parameter(L.zeros(3))),
    "parameter_to_none": lambda L, m: setattr(m, "scale", None),
    "module_to_none": lambda L, m: setattr(m, "inner", None),
    "replaced_module": lambda L, m: setattr(m, "inner", L.nn.Tanh()),
    "new_module": lambda L, m: setattr(m, "later", L.nn.Linear(1, 1)),
    "add_module": lambda L, m: m.add_module("later", L.nn.Linear(1, 1)),
    "deleted_parameter": lambda L, m: delattr(m, "scale"),
    "deleted_buffer": lambda L, m: delattr(m, "seen"),
    "deleted_module": lambda L, m: delattr(m, "inner"),
    "buffer_replaced_by_tensor": lambda L, m: setattr(m, "seen", L.ones(3)),
    "buffer_to_none": lambda L, m: setattr(m, "seen", None),
    "plain_tensor": lambda L, m: setattr(m, "plain", L.ones(3)),
    "plain_list": lambda L, m: setattr(m, "list", [L.nn.Linear(1, 1)]),
    "shared_parameter": lambda L, m: setattr(m, "again", m.scale),
    "shared_module": lambda L, m: setattr(m, "again", m.inner),
    "buffer_object": lambda L, m: setattr(m, "kept", L.nn.Buffer(L.ones(2))),
    "buffer_object_temporary": lambda L, m: setattr(m, "kept", L.nn.Buffer(L.ones(2), persistent=False)),
    "registered_late": lambda L, m: m.register_parameter("late", L.nn.Parameter(L.ones(1))),
    "frozen": lambda L, m: m.requires_grad_(False),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_attributes_register_as_in_torch(name):
    results = []
    for lib in (mt, torch):
        module = custom(lib)
        SCRIPTS[name](lib, module)
        flags = [p.requires_grad for p in module.parameters()]
        results.append([names(module), list(module.state_dict()), flags, len(list(module.parameters()))])
    assert results[0] == results[1]


def assign_before_init(L):
    class Early(L.nn.Module):
        def __init__(self):
            self.layer = L.nn.Linear(1, 1)

    return Early()


ERRORS = {
    "before_init": assign_before_init,
    "tensor_as_parameter": lambda L: setattr(L.nn.Linear(1, 1), "weight", L.ones(1, 1)),
    "number_as_parameter": lambda L: setattr(L.nn.Linear(1, 1), "weight", 3.0),
    "number_as_buffer": lambda L: setattr(L.nn.BatchNorm1d(1), "running_mean", 3.0),
    "number_as_module": lambda L: setattr(custom(L), "inner", 3.0),
    "no_such_attribute": lambda L: L.nn.Linear(1, 1).weights,
    "register_tensor": lambda L: L.nn.Linear(1, 1).register_parameter("extra", L.ones(1)),
    "register_buffer_number": lambda L: L.nn.Linear(1, 1).register_buffer("extra", 3.0),
    "register_dotted_buffer": lambda L: L.nn.Linear(1, 1).register_buffer("a.b", L.ones(1)),
    "register_taken_buffer": lambda L: L.nn.Linear(1, 1).register_buffer("weight", L.ones(1)),
    "register_dotted_parameter": lambda L: L.nn.Linear(1, 1).register_parameter("a.b", L.nn.Parameter(L.ones(1))),
    "add_number": lambda L: L.nn.Linear(1, 1).add_module("extra", 3),
    "parameter_of_integers": lambda L: L.nn.Parameter(L.tensor([1, 2])),
    "state_missing": lambda L: L.nn.Linear(2, 2).load_state_dict({}),
    "state_not_a_dict": lambda L: L.nn.Linear(2, 2).load_state_dict([1]),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_torchs(name):
    with pytest.raises(Exception) as theirs:
        ERRORS[name](torch)
    with pytest.raises(theirs.type) as ours:
        ERRORS[name](mt)
    assert len(str(ours.value)) > 10


# ---- state


def test_state_dict_shares_memory_and_is_detached():
    layer = nn.Linear(2, 2)
    state = layer.state_dict()
    assert all(not t.requires_grad and t.is_leaf for t in state.values())
    state["weight"].zero_()
    assert not layer.weight.array.any()


def test_load_state_dict_copies_into_place():
    """The arrays stay the same objects: optimisers that hold them go on."""
    layer, other = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    arrays = [p.array for p in layer.parameters()]
    with mt.no_grad():
        other.weight.fill_(5)
        other.running_mean.fill_(7)
        other.num_batches_tracked.fill_(9)
    result = layer.load_state_dict(other.state_dict())
    assert all(p.array is a for p, a in zip(layer.parameters(), arrays, strict=True))
    assert layer.weight.tolist() == [5] * 3 and layer.running_mean.tolist() == [7] * 3
    assert layer.num_batches_tracked.item() == 9 and layer.num_batches_tracked.dtype == mt.int64
    assert result.missing_keys == [] and result.unexpected_keys == []


def broken(kind, state, L):
    """A state with one of the three mistakes."""
    state = dict(state)
    if kind == "missing":
        del state["0.bias"]
    elif kind == "unexpected":
        state["2.weight"] = L.ones(1)
    else:
        state["1.bias"] = L.ones(7)
    return {key: value + 1 for key, value in state.items()}


def model(L):
    return L.nn.Sequential(L.nn.Linear(2, 3), L.nn.BatchNorm1d(3))


@pytest.mark.parametrize("kind", ["missing", "unexpected", "shape"])
def test_a_wrong_state_is_refused_and_nothing_half_changed(kind):
    for lib in (torch, mt):
        m = model(lib)
        before = {key: np.asarray(value).copy() for key, value in m.state_dict().items()}
        with pytest.raises(RuntimeError) as caught:
            m.load_state_dict(broken(kind, m.state_dict(), lib))
        named = {"missing": "0.bias", "unexpected": "2.weight", "shape": "1.bias"}[kind]
        assert named in str(caught.value) and "Sequential" in str(caught.value)
        if lib is mt:
            assert all(np.array_equal(v.array, before[k]) for k, v in m.state_dict().items())


@pytest.mark.parametrize("kind", ["missing", "unexpected"])
def test_not_strict_takes_what_fits(kind):
    results = []
    for lib in (torch, mt):
        lib.manual_seed(0)
        m = model(lib)
        state = broken(kind, m.state_dict(), lib)
        missing, unexpected = m.load_state_dict(state, strict=False)
        results.append([missing, unexpected, {k: np.asarray(v).tolist() for k, v in m.state_dict().items()}])
    assert results[0] == results[1]


def test_a_wrong_shape_is_an_error_even_if_not_strict():
    for lib in (torch, mt):
        m = model(lib)
        with pytest.raises(RuntimeError, match=r"size mismatch for 1\.bias"):
            m.load_state_dict(broken("shape", m.state_dict(), lib), strict=False)


def test_a_state_of_numpy_arrays_or_other_dtypes_is_cast():
    layer = nn.Linear(2, 2)
    layer.load_state_dict({"weight": mt.ones(2, 2, dtype=mt.float64), "bias": mt.tensor([1, 2])})
    assert layer.weight.dtype == mt.float32 and layer.bias.tolist() == [1, 2]


# ---- hooks


def test_forward_hooks():
    """Called with (module, inputs, output) after forward; a result replaces the output; removable."""
    for lib in (mt, torch):
        seen = []
        layer = lib.nn.Tanh()
        handle = layer.register_forward_hook(lambda m, x, y, seen=seen: seen.append((m, len(x), tuple(y.shape))))
        double = layer.register_forward_hook(lambda m, x, y: y * 2)
        y = layer(lib.ones(2))
        assert [(n, s) for _, n, s in seen] == [(1, (2,))] and seen[0][0] is layer
        assert y.tolist() == pytest.approx([2 * np.tanh(1.0)] * 2)
        handle.remove()
        handle.remove()
        layer(lib.ones(2))
        assert len(seen) == 1
        double.remove()
        assert layer(lib.ones(2)).tolist() == pytest.approx([np.tanh(1.0)] * 2)


def test_a_hook_may_remove_itself():
    layer, calls = nn.Tanh(), []

    def once(module, inputs, output):
        calls.append(1)
        handle.remove()

    handle = layer.register_forward_hook(once)
    layer(mt.ones(1))
    layer(mt.ones(1))
    assert calls == [1]


# ---- modes, gradients, moves


def test_zero_grad():
    """None, and what was held stays; or zeros, written into what is held, as in PyTorch."""
    for lib in (mt, torch):
        for to_none in (True, False):
            layer = lib.nn.Linear(2, 2)
            layer.zero_grad(set_to_none=to_none)
            assert layer.weight.grad is None
            layer(lib.ones(1, 2)).sum().backward()
            layer.weight.grad[0, 0] = float("nan")
            held = layer.weight.grad
            layer.zero_grad(set_to_none=to_none)
            assert layer.weight.grad is None if to_none else layer.weight.grad.tolist() == [[0, 0], [0, 0]]
            assert bool((held != 0).any()) == to_none


def test_apply_visits_children_first():
    for lib in (mt, torch):
        m, seen = model(lib), []
        assert m.apply(lambda layer, seen=seen: seen.append(type(layer).__name__)) is m
        assert seen == ["Linear", "BatchNorm1d", "Sequential"]


def test_frozen_layers_get_no_gradient():
    m = model(mt)
    m[0].requires_grad_(False)
    m(mt.randn(4, 2)).sum().backward()
    assert m[0].weight.grad is None and m[1].weight.grad is not None


def test_to_moves_gradients_as_well():
    layer = nn.Linear(2, 2)
    layer(mt.ones(1, 2)).sum().backward()
    assert layer.to(mt.float64) is layer
    assert layer.weight.grad.dtype == mt.float64 and layer.weight.is_leaf and layer.weight.requires_grad
    assert layer.to("cpu") is layer and layer.cpu() is layer


def test_parameters_keep_their_identity_when_moved():
    layer = nn.Linear(2, 2)
    before = list(layer.parameters())
    layer.double()
    assert all(a is b for a, b in zip(before, layer.parameters(), strict=True))


def test_parameter_repr():
    for value in ([1.0, 2.0], [[0.5]]):
        ours, theirs = nn.Parameter(mt.tensor(value)), torch.nn.Parameter(torch.tensor(value))
        assert repr(ours) == repr(theirs)


def test_a_shared_layer_counts_once_and_gets_both_gradients():
    for lib in (mt, torch):
        shared = lib.nn.Linear(2, 2)
        m = lib.nn.Sequential(shared, lib.nn.Tanh(), shared)
        assert len(list(m.parameters())) == 2
        assert list(m.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
