# Two rings, a network of raw tensors with ReLU, with and without BatchNorm.
import math

import torch
import torch.nn.functional as F


def rings(n, generator):
    angle = torch.rand(n, generator=generator) * 2 * math.pi
    label = torch.arange(n) % 2
    radius = torch.where(label == 0, 1.0, 0.4)
    points = torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], dim=1)
    return points + 0.1 * torch.randn(n, 2, generator=generator), label


g = torch.Generator().manual_seed(42)
x, y = rings(600, g)
print(x.shape, x.dtype, y.dtype, x[:3], y[:6])
xtest, ytest = x[400:], y[400:]
x, y = x[:400], y[:400]


def forward(x, p, stats=None):
    h = x @ p["W1"].t() + p["b1"]
    if "gain" in p:
        mean, var = (h.mean(0), h.var(0, unbiased=False)) if stats is None else stats
        h = (h - mean) * torch.rsqrt(var + 1e-5) * p["gain"] + p["shift"]
        stats = (mean.detach(), var.detach())
    return F.linear(torch.relu(h), p["W2"], p["b2"]), stats


for batch_norm in (False, True):
    torch.manual_seed(0)
    p = {
        "W1": torch.empty(32, 2).uniform_(-0.7, 0.7),
        "b1": torch.empty(32).uniform_(-0.7, 0.7),
        "W2": torch.empty(2, 32).normal_(0, 0.2),
        "b2": torch.zeros(2),
    }
    if batch_norm:
        p.update(gain=torch.ones(32), shift=torch.zeros(32))
    for value in p.values():
        value.requires_grad_(True)
    for epoch in range(151):
        logits, stats = forward(x, p)
        loss = -F.log_softmax(logits, dim=1).gather(1, y.unsqueeze(1)).squeeze(1).mean()
        loss.backward()
        with torch.no_grad():
            for value in p.values():
                value.sub_(0.3 * value.grad)
                value.grad.zero_()
        if epoch % 50 == 0:
            with torch.no_grad():
                _, predicted = torch.max(forward(xtest, p, stats)[0], dim=1)
            correct = (predicted == ytest).sum().item()
            print(f"{batch_norm!s:5} epoch {epoch:3d} loss {loss.item():.4f} correct {correct}/{len(ytest)}")
    print({name: round(value.norm().item(), 3) for name, value in p.items()})
