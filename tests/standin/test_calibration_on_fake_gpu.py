"""nn.utils.calibrating and freeze on the stand-in for CuPy: the numbers and the table are the CPU's."""

import numpy as np
import pytest

import minitorch_bn as mt

nn = mt.nn


def calibrated(device, x, passes):
    mt.manual_seed(1)
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2), nn.BatchNorm1d(2)).double()
    net.to(device)
    parts = mt.from_numpy(x).to(device).split(8)
    with nn.utils.calibrating(net) as c:
        for part in c.passes(parts) if passes else parts:
            net(part)
    net[1].freeze()
    return c.table(), net.train()(parts[0]), net


@pytest.mark.parametrize("passes", [False, True])
def test_calibration(fake_gpu, passes):
    x = np.random.default_rng(0).normal(size=(30, 3)) + np.linspace(0, 4, 30)[:, None]
    (table, y, net), (want_table, want, reference) = calibrated("cuda", x, passes), calibrated("cpu", x, passes)
    assert table == want_table and net[4].running_var.device.type == "cuda"
    for got, wanted in zip([y, *net.buffers()], [want, *reference.buffers()], strict=True):
        np.testing.assert_allclose(got.detach().cpu().numpy(), wanted.detach().numpy(), rtol=1e-12)
