"""debug.replay of a network on the stand-in for a GPU: the same page as on the CPU, but for rounding."""

import numpy as np

import minitorch_bn as mt
from minitorch_bn import debug
from tests.debug.test_replay import page_data


def recorded(device):
    mt.manual_seed(0)
    net = mt.nn.Sequential(mt.nn.Linear(3, 4), mt.nn.BatchNorm1d(4), mt.nn.Tanh(), mt.nn.Linear(4, 2)).to(device)
    x, y = mt.randn(8, 3).to(device), mt.tensor([0, 1] * 4).to(device)

    def step():
        loss = mt.nn.functional.cross_entropy(net(x), y)
        loss.backward()
        return loss

    before = net[0].weight.array
    replay = debug.replay(step, model=net)
    assert net[0].weight.array is before and net[0].weight.grad is None
    return page_data(replay.html)


def test_the_page_is_the_same(fake_gpu):
    (cpu, cpu_arrays), (gpu, gpu_arrays) = recorded("cpu"), recorded("cuda")
    assert gpu["steps"] == cpu["steps"] and len(gpu["steps"]) == 10
    assert gpu["ops"][1]["batchnorm"]["orthogonal"] is True
    for one, other in zip(cpu["ops"], gpu["ops"], strict=True):
        for kind in ("inputs", "outputs", "dy", "gradients"):
            for a, b in zip(one[kind], other[kind], strict=True):
                if "array" in a:
                    got, want = gpu_arrays[b["array"]], cpu_arrays[a["array"]]
                    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)  # sums of 8 terms, in another order
