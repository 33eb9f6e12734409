# A residual network that takes its norm layer as an argument: no norm, BatchNorm, GroupNorm and others; tiny batches.
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn


class Residual(nn.Module):
    def __init__(self, c_in, c_out, norm_layer, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=norm_layer is nn.Identity)
        self.norm1 = norm_layer(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding="same", bias=norm_layer is nn.Identity)
        self.norm2 = norm_layer(c_out)
        self.skip = nn.Identity() if c_in == c_out and stride == 1 else nn.Conv2d(c_in, c_out, 1, stride)

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        return F.relu(y + self.skip(x))


def network(norm_layer):
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        Residual(8, 8, norm_layer),
        Residual(8, 12, norm_layer, stride=2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(12, 2),
    )


NORMS = {
    "none": nn.Identity,
    "batch": nn.BatchNorm2d,
    "group": lambda channels: nn.GroupNorm(4, channels),
    "layer": partial(nn.GroupNorm, 1),
    "instance": partial(nn.InstanceNorm2d, affine=True),
    "batch, no statistics": partial(nn.BatchNorm2d, track_running_stats=False),
}
torch.manual_seed(34)
y = torch.arange(24) % 2
X = torch.randn(24, 1, 10, 10)
X[y == 1, :, 3:7, 3:7] += 1.5
for name, norm_layer in NORMS.items():
    torch.manual_seed(0)
    net = network(norm_layer)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9, weight_decay=1e-3)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.05, total_steps=12)
    for step in range(12):
        batch = torch.arange(2 * step, 2 * step + 2)
        loss = F.cross_entropy(net(X[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        total = nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        if step % 4 == 3:
            print(f"{name:20} step {step:2}  loss {loss.item():.3f}  gradient norm {total.item():.3f}")
    net.eval()
    with torch.inference_mode():
        in_batch, alone = net(X[:4]), torch.cat([net(x[None]) for x in X[:4]])
    print(f"{name:20} a batch changes its samples: {not torch.allclose(in_batch, alone, atol=1e-5)}", end="  ")
    print(f"loss {F.cross_entropy(net(X), y).item():.3f}", sum(p.numel() for p in net.parameters()))
print(net[1])
print([k for k in network(NORMS["group"]).state_dict() if "norm" in k])
print(torch.group_norm(X[:2].expand(2, 6, 10, 10), 3)[0, 0, 0, :3])
