# Convolution and pooling with every option that lessons use, and their gradients.
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(31)
x = torch.randn(2, 4, 9, 9, requires_grad=True)
for settings in (
    {"kernel_size": 3},
    {"kernel_size": 3, "padding": 1, "stride": 2},
    {"kernel_size": 3, "padding": "same"},
    {"kernel_size": (2, 3), "padding": "valid", "bias": False},
    {"kernel_size": 3, "dilation": 2, "padding": (2, 1)},
    {"kernel_size": 3, "groups": 2},
    {"kernel_size": 3, "groups": 4, "padding": 1, "padding_mode": "reflect"},
    {"kernel_size": 3, "padding": 2, "padding_mode": "circular"},
    {"kernel_size": 5, "padding": 2, "padding_mode": "replicate"},
):
    conv = nn.Conv2d(4, 8, **settings)
    y = conv(x)
    x.grad = None
    (y * torch.linspace(-1, 1, y.numel()).reshape(y.shape)).sum().backward()
    print(conv)
    print(tuple(y.shape), f"{y.mean().item():.4f} {x.grad.norm().item():.4f} {conv.weight.grad.norm().item():.4f}")
edge = torch.tensor([[[[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]]]])
ramp = torch.arange(25.0).reshape(1, 1, 5, 5)
print(F.conv2d(ramp, edge)[0, 0])
print(F.conv2d(ramp, edge, padding=1)[0, 0])
pools = (
    nn.MaxPool2d(2),
    nn.MaxPool2d(3, stride=2, padding=1),
    nn.MaxPool2d(2, ceil_mode=True),
    nn.AvgPool2d(2),
    nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False),
    nn.AdaptiveAvgPool2d(1),
    nn.AdaptiveAvgPool2d((2, 3)),
)
for pool in pools:
    out = pool(ramp)
    print(pool, tuple(out.shape), out.flatten()[:6])
best, where = F.max_pool2d(ramp, 2, return_indices=True)
print(best.flatten(), where.flatten())
net = nn.Sequential(
    nn.Conv2d(4, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(6, 6, 3), nn.BatchNorm2d(6), nn.LeakyReLU(0.1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3),
)  # fmt: skip
y = torch.tensor([0, 2])
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(12):
    loss = F.cross_entropy(net(x.detach()), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 4 == 3:
        print(step, f"{loss.item():.4f}")
print(tuple(nn.Unflatten(1, (2, 3))(torch.ones(4, 6)).shape), F.pad(torch.ones(1, 2), (1, 2), value=7.0))
