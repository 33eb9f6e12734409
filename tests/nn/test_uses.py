"""What a user does with a layer beside one forward and backward: views, shared layers, parts that are switched off.

Every program runs with every layer, in both libraries: results, gradients and state must be the same, or the types of
the exceptions.
"""

import copy

import numpy as np
import pytest

import minitorch_bn as mt
from tests.nn.side_by_side import array, difference, filled, leaf, normal, outcome, upstream

LAYERS = {  # how to make it; a shape of its input
    "BatchNorm1d": (lambda L, **k: L.nn.BatchNorm1d(6, **k), (4, 6, 5)),
    "BatchNorm2d": (lambda L, **k: L.nn.BatchNorm2d(6, **k), (4, 6, 3, 2)),
    "BatchNorm3d": (lambda L, **k: L.nn.BatchNorm3d(6, **k), (4, 6, 3, 2, 2)),
    "SyncBatchNorm": (lambda L, **k: L.nn.SyncBatchNorm(6, **k), (4, 6, 5)),
    "LayerNorm": (lambda L, **k: L.nn.LayerNorm(5, **k), (4, 6, 5)),
    "LayerNorm_pair": (lambda L, **k: L.nn.LayerNorm((6, 5), **k), (4, 6, 5)),
    "GroupNorm": (lambda L, **k: L.nn.GroupNorm(3, 6, **k), (4, 6, 5)),
    "InstanceNorm1d": (lambda L, **k: L.nn.InstanceNorm1d(6, affine=True, track_running_stats=True, **k), (4, 6, 5)),
    "InstanceNorm2d": (lambda L, **k: L.nn.InstanceNorm2d(6, **k), (4, 6, 3, 2)),
    "RMSNorm": (lambda L, **k: L.nn.RMSNorm(5, **k), (4, 6, 5)),
    "LocalResponseNorm": (lambda L, **k: L.nn.LocalResponseNorm(3), (4, 6, 5)),
    "Conv2d": (lambda L, **k: L.nn.Conv2d(6, 4, 2, **k), (4, 6, 3, 2)),
    "Linear": (lambda L, **k: L.nn.Linear(5, 3, **k), (4, 6, 5)),
    "MaxPool2d": (lambda L, **k: L.nn.MaxPool2d(2), (4, 6, 4, 4)),
    "AvgPool2d": (lambda L, **k: L.nn.AvgPool2d(2), (4, 6, 4, 4)),
    "GELU": (lambda L, **k: L.nn.GELU(), (4, 6)),
}
FEW = {"expanded", "constant"}  # programs whose numbers cancel: all values of a group alike, or nearly


def at(L, kind):
    """The layer, filled, in float64, and a function that gives its input from an array."""
    make, shape = LAYERS[kind]
    return filled(L, make(L, dtype=L.float64)), shape


def transposed(L, kind):
    """The input is a transposed view."""
    layer, shape = at(L, kind)
    turned = tuple(range(len(shape)))[::-1]
    x = leaf(L, np.ascontiguousarray(normal(*shape).transpose(turned)))
    return outcome(L, layer(x.permute(*turned)), [x], layer)


def strided(L, kind):
    """The input is every other column of a larger array."""
    layer, shape = at(L, kind)
    x = leaf(L, np.repeat(normal(*shape), 2, axis=-1))
    return outcome(L, layer(x[..., ::2]), [x], layer)


def expanded(L, kind):
    """One sample is shown as a whole batch; its gradient is the sum."""
    layer, shape = at(L, kind)
    x = leaf(L, normal(*shape)[:1])
    return outcome(L, layer(x.expand(*shape)), [x], layer)


def shared(L, kind):
    """One layer is used twice in one graph."""
    layer, shape = at(L, kind)
    x = leaf(L, normal(*shape))
    y, z = layer(x), layer(x * x + 0.1)
    return outcome(L, (y * upstream(L, y)).sum() + (z * upstream(L, z, 6)).sum(), [x], layer)


def accumulated(L, kind):
    """Two backwards without zero_grad."""
    layer, shape = at(L, kind)
    x = leaf(L, normal(*shape))
    first = layer(x)
    first.backward(upstream(L, first, 6))
    return outcome(L, layer(x), [x], layer)


def only_parameters(L, kind):
    """The input needs no gradient."""
    layer, shape = at(L, kind)
    return outcome(L, layer(leaf(L, normal(*shape)).detach()), [], layer)


def weight_fixed(L, kind):
    """The weight needs no gradient."""
    layer, shape = at(L, kind)
    if getattr(layer, "weight", None) is not None:
        layer.weight.requires_grad_(False)
    x = leaf(L, normal(*shape))
    return outcome(L, layer(x), [x], layer)


def bias_fixed(L, kind):
    """The bias needs no gradient."""
    layer, shape = at(L, kind)
    if getattr(layer, "bias", None) is not None:
        layer.bias.requires_grad_(False)
    x = leaf(L, normal(*shape))
    return outcome(L, layer(x), [x], layer)


def bias_removed(L, kind):
    """The bias is None from now on."""
    layer, shape = at(L, kind)
    layer.bias = None
    x = leaf(L, normal(*shape))
    return outcome(L, layer(x), [x], layer), list(layer.state_dict()), repr(layer)


def without_recording(L, kind):
    """Inside no_grad: running statistics move all the same."""
    layer, shape = at(L, kind)
    with L.no_grad():
        y = layer(leaf(L, normal(*shape)))
    return outcome(L, y, [], layer)


def multiplied_in_place(L, kind):
    """What the layer saved is not what the user changes afterwards."""
    layer, shape = at(L, kind)
    x = leaf(L, normal(*shape))
    y = layer(x * 1) * 1
    y.mul_(2)
    return outcome(L, y, [x], layer)


def loaded(L, kind):
    """The state goes into another layer, by load_state_dict."""
    layer, shape = at(L, kind)
    other = LAYERS[kind][0](L, dtype=L.float64)
    x = leaf(L, normal(*shape))
    return repr(other.load_state_dict(layer.state_dict())), outcome(L, other(x), [x], other)


def copied(L, kind):
    """A deep copy is used; the original does not notice."""
    layer, shape = at(L, kind)
    other = copy.deepcopy(layer)
    x = leaf(L, normal(*shape))
    return outcome(L, other(x), [x], other), [array(t) for t in layer.state_dict().values()]


def in_float64_later(L, kind):
    """Made in float32, then .double()."""
    make, shape = LAYERS[kind]
    layer = filled(L, make(L)).double()
    x = leaf(L, normal(*shape))
    return outcome(L, layer(x), [x], layer)


def constant(L, kind):
    """All values alike: the variance is 0 and eps decides."""
    layer, shape = at(L, kind)
    return outcome(L, layer(leaf(L, np.full(shape, 7.0)).detach()), [], layer)["y"]


def of_other_dtype(name):
    """A layer of float32 is given something else."""

    def program(L, kind):
        make, shape = LAYERS[kind]
        return array(make(L)(L.ones(*shape, dtype=getattr(L, name))))

    return program


def with_a(value):
    """One value of the input is nan or infinite: where does it spread to?"""

    def program(L, kind):
        layer, shape = at(L, kind)
        x = normal(*shape)
        x.flat[3] = value
        with np.errstate(all="ignore"):
            y = layer(leaf(L, x))
        return np.isnan(array(y)), [np.isnan(array(t)) for t in layer.state_dict().values()]

    return program


def of_rank(rank):
    """The input has so many dimensions, of size 2 each."""
    return lambda L, kind: tuple(LAYERS[kind][0](L)(L.ones([2] * rank)).shape)


def key_missing(L, kind):
    """A state dict without its first key, strictly."""
    state = dict(LAYERS[kind][0](L).state_dict())
    state.pop(next(iter(state)))
    LAYERS[kind][0](L).load_state_dict(state)


def key_unknown(L, kind):
    """A state dict with a key too many, not strictly."""
    state = dict(LAYERS[kind][0](L).state_dict())
    state["more"] = L.ones(1)
    return str(LAYERS[kind][0](L).load_state_dict(state, strict=False))


def of_old_version(L, kind):
    """A state dict without metadata and without num_batches_tracked, as PyTorch 0.3 wrote it."""
    layer = filled(L, LAYERS[kind][0](L))
    state = {name: t for name, t in layer.state_dict().items() if name != "num_batches_tracked"}
    return str(LAYERS[kind][0](L).load_state_dict(state))


def versions(L, kind):
    """The versions that the state dict's metadata tell."""
    return {name: entry["version"] for name, entry in LAYERS[kind][0](L).state_dict()._metadata.items()}


def of_wrong_shapes(L, kind):
    """A state dict whose tensors all have another shape."""
    state = {name: L.ones(2, 2) for name in LAYERS[kind][0](L).state_dict()}
    return str(LAYERS[kind][0](L).load_state_dict(state))


PROGRAMS = [transposed, strided, expanded, shared, accumulated, only_parameters, weight_fixed, bias_fixed, bias_removed]
PROGRAMS += [without_recording, multiplied_in_place, loaded, copied, in_float64_later, constant]
PROGRAMS += [key_missing, key_unknown, of_old_version, versions, of_wrong_shapes]
PROGRAMS = {program.__name__: program for program in PROGRAMS}
PROGRAMS |= {f"given_{name}": of_other_dtype(name) for name in ("int64", "bool", "float64")}
PROGRAMS |= {f"with_{value}": with_a(value) for value in (np.nan, np.inf, -np.inf)}
PROGRAMS |= {f"rank_{rank}": of_rank(rank) for rank in range(6)}

LEFT_OUT = {("LocalResponseNorm", "given_int64")}  # PyTorch computes it in integers, and truncates on the way
PAIRS = [(kind, name) for kind in LAYERS for name in PROGRAMS if (kind, name) not in LEFT_OUT]


def ran(program, L, kind):
    """What a program gives, or its exception."""
    try:
        return program(L, kind)
    except Exception as error:
        return error


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_program(torch, kind, name):
    """To 1e-12; to 1e-10 where the numbers cancel: with samples that are alike, m values are two or three."""
    ours, theirs = (ran(PROGRAMS[name], L, kind) for L in (mt, torch))
    assert not difference(ours, theirs, 1e-10 if name in FEW else 1e-12)
