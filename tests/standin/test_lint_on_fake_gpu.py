"""debug.lint of a model on the stand-in for a GPU: the same findings, and nothing left behind."""

import minitorch_bn as mt
import minitorch_bn.nn.functional as F
from minitorch_bn import nn
from minitorch_bn.debug.lint import lint


def faulty():
    """A network with faults that need the batch, the graph, the gradients and the buffers to be found."""
    mt.manual_seed(0)
    net = nn.Sequential(
        nn.Linear(4, 8), nn.BatchNorm1d(8, eps=0.5), nn.ReLU(), nn.Dropout(0.5),
        nn.BatchNorm1d(8), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 2),
    )  # fmt: skip
    for _ in range(50):
        net(mt.randn(32, 4))
    net[1].weight.data[2] = 0.0
    net[1].running_mean[0] = float("nan")
    net[4].running_mean.add_(5)
    net[5].weight.data.mul_(100)
    net[5].bias.data.add_(1000)
    return net


def test_the_findings_are_those_of_the_cpu(fake_gpu):
    def found(net):
        findings = lint(net, loader, mt.optim.SGD(net.parameters(), 0.1, weight_decay=0.1), F.cross_entropy, show=False)
        return sorted((f.name, f.module, f.severity) for f in findings)

    loader = [(mt.randn(32, 4), mt.randint(0, 2, (32,))) for _ in range(4)]
    here, there = faulty(), faulty().cuda()
    before = [t.detach().cpu().numpy().copy() for t in (*there.parameters(), *there.buffers())]
    assert found(there) == found(here)
    assert {"dead-bias", "dead-gamma", "dropout-before-bn", "broken-statistics"} <= {
        name for name, _, _ in found(there)
    }
    for old, t in zip(before, (*there.parameters(), *there.buffers()), strict=True):
        assert t.device.type == "cuda" and old.tobytes() == t.detach().cpu().numpy().tobytes()
