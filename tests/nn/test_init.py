"""Initialisers: the draws, gains and errors of torch.nn.init, from the same seed."""

import numpy as np
import pytest

import minitorch_bn as mt

torch = pytest.importorskip("torch")

CALLS = {
    "uniform_": lambda L, t: L.nn.init.uniform_(t),
    "uniform_range": lambda L, t: L.nn.init.uniform_(t, -2, 3),
    "normal_": lambda L, t: L.nn.init.normal_(t),
    "normal_scaled": lambda L, t: L.nn.init.normal_(t, 1.0, 0.02),
    "constant_": lambda L, t: L.nn.init.constant_(t, 0.3),
    "ones_": lambda L, t: L.nn.init.ones_(t),
    "zeros_": lambda L, t: L.nn.init.zeros_(t),
    "xavier_uniform_": lambda L, t: L.nn.init.xavier_uniform_(t),
    "xavier_gain": lambda L, t: L.nn.init.xavier_uniform_(t, gain=5 / 3),
    "xavier_normal_": lambda L, t: L.nn.init.xavier_normal_(t),
    "kaiming_uniform_": lambda L, t: L.nn.init.kaiming_uniform_(t),
    "kaiming_relu": lambda L, t: L.nn.init.kaiming_uniform_(t, nonlinearity="relu"),
    "kaiming_fan_out": lambda L, t: L.nn.init.kaiming_normal_(t, mode="fan_out", nonlinearity="relu"),
    "kaiming_normal_": lambda L, t: L.nn.init.kaiming_normal_(t),
    "kaiming_tanh": lambda L, t: L.nn.init.kaiming_normal_(t, nonlinearity="tanh"),
    "kaiming_leaky": lambda L, t: L.nn.init.kaiming_uniform_(t, a=0.2, nonlinearity="leaky_relu"),
}


@pytest.mark.parametrize("shape", [(5, 7), (4, 3, 3, 3), (40, 30)])
@pytest.mark.parametrize("name", CALLS)
def test_equals_torch(name, shape):
    results = []
    for lib in (mt, torch):
        lib.manual_seed(11)
        t = lib.zeros(*shape, requires_grad=True)
        out = CALLS[name](lib, t)
        assert out is t and t.is_leaf and t.requires_grad
        results.append(t.detach().numpy())
    np.testing.assert_allclose(*results, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ["linear", "sigmoid", "conv2d", "tanh", "relu", "leaky_relu", "selu"])
def test_gains(name):
    assert mt.nn.init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name), rel=1e-15)
    if name == "leaky_relu":
        assert mt.nn.init.calculate_gain(name, 0.5) == pytest.approx(torch.nn.init.calculate_gain(name, 0.5))


ERRORS = {
    "gain": lambda L: L.nn.init.calculate_gain("swish"),
    "xavier_vector": lambda L: L.nn.init.xavier_uniform_(L.zeros(3)),
    "kaiming_vector": lambda L: L.nn.init.kaiming_normal_(L.zeros(3)),
    "mode": lambda L: L.nn.init.kaiming_normal_(L.zeros(3, 3), mode="fan_avg"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_torchs(name):
    with pytest.raises(Exception) as theirs:
        ERRORS[name](torch)
    with pytest.raises(theirs.type):
        ERRORS[name](mt)


def test_generator_argument():
    results = []
    for lib in (mt, torch):
        generator = lib.Generator().manual_seed(5)
        results.append(lib.nn.init.uniform_(lib.zeros(6), generator=generator).tolist())
    assert results[0] == results[1]


def test_initialisation_is_not_recorded():
    t = mt.zeros(3, 3, requires_grad=True)
    mt.nn.init.kaiming_normal_(t)
    assert t.op is None
