"""debug.why and the diagnostic figures on the stand-in for CuPy: the same numbers as on the CPU."""

import contextlib
import io

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import nn
from minitorch_bn.debug import activations, gradients, update_ratio, why

pytestmark = pytest.mark.usefixtures("fake_gpu")


def model(device):
    mt.manual_seed(0)
    layers = nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 3), nn.ReLU()
    return nn.Sequential(*layers).to(device), mt.randn(8, 4).to(device)


def explained(device):
    """All terms of some gradient elements: of a weight, gamma, and the input of the BatchNorm."""
    net, x = model(device)
    h = net[0](x)
    loss = net[4](net[3](net[2](net[1](h)))).square().mean()
    with contextlib.redirect_stdout(io.StringIO()):
        found = [why(net[0].weight, (1, 2), loss=loss), why(net[1].weight, 3, loss=loss)]
        loss.backward(retain_graph=True)
        found.append(why(h, (4, 1)))
        found.append(found[-1].deeper(0))
    return found


def test_why():
    for ours, wanted in zip(explained("cuda"), explained("cpu"), strict=True):
        assert ours.agrees and wanted.agrees and len(ours.terms) == len(wanted.terms)
        assert ours.gradient == pytest.approx(wanted.gradient, rel=1e-5, abs=1e-9)
        by_element = {term.element: term.product for term in wanted.terms}
        for term in ours.terms:
            assert term.product == pytest.approx(by_element[term.element], rel=1e-4, abs=1e-9)
        for a, b in zip(ours.paths, wanted.paths, strict=True):
            assert vars(a) == pytest.approx(vars(b), rel=1e-4, abs=1e-9)


def figures(device):
    """The numbers of the three figures."""
    net, x = model(device)
    optimizer = mt.optim.SGD(net.parameters(), lr=0.1)
    loss = lambda y: y.square().mean()
    layers = activations(net, x).data + gradients(net, x, loss=loss).data
    with update_ratio(optimizer, net) as ratio:
        loss(net(x)).backward()
        optimizer.step()
    layers += gradients(net).data
    return layers, ratio.data


def test_diagnostics():
    (ours, our_ratios), (wanted, ratios) = figures("cuda"), figures("cpu")
    for a, b in zip(ours, wanted, strict=True):
        assert a.name == b.name and isinstance(a.values, np.ndarray)
        assert np.allclose(a.values, b.values, rtol=1e-4, atol=1e-6)
        assert (a.saturated, a.dead) == (b.saturated, b.dead)
    for name, steps in ratios.items():
        assert our_ratios[name] == pytest.approx(steps, abs=0.01, nan_ok=True) or name == "0.bias"  # noise before BN
