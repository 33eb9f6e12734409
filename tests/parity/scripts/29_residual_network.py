# A small residual network on images of bars: nested modules, apply, names, ModuleList, freezing, copies.
import copy

import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, channels, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if stride != 1:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, channels, 1, stride=stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 6, 3, padding=1)
        self.blocks = nn.ModuleList([Block(6), Block(6, stride=2)])
        self.head = nn.Linear(6, 2)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean((2, 3)))


def initialise(m):
    if isinstance(m, nn.Conv2d):
        nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(m, nn.BatchNorm2d):
        nn.init.constant_(m.weight, 1)


torch.manual_seed(29)
net = Net().apply(initialise)
print(net)
print(sum(p.numel() for p in net.parameters()), len(list(net.modules())))
print([name for name, m in net.named_modules() if isinstance(m, nn.BatchNorm2d)])
images, labels = torch.zeros(40, 1, 8, 8), torch.arange(40) % 2
for i in range(40):
    k = torch.randint(0, 8, (1,)).item()
    if labels[i] == 0:
        images[i, 0, k] = 1
    else:
        images[i, 0, :, k] = 1
images += 0.1 * torch.randn(images.shape)
decay, rest = [], []
for p in net.parameters():
    (decay if p.ndim > 1 else rest).append(p)
optimizer = torch.optim.SGD([{"params": decay, "weight_decay": 1e-2}, {"params": rest}], lr=0.05, momentum=0.9)
average = copy.deepcopy(net)
for step in range(15):
    loss = F.cross_entropy(net(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        for a, p in zip(average.parameters(), net.parameters()):
            a.mul_(0.8).add_(p, alpha=0.2)
    if step % 5 == 4:
        print(step, f"{loss.item():.4f}")
torch.optim.swa_utils.update_bn([images[:20], images[20:]], average)
for name, model in (("net", net), ("average", average)):
    model.eval()
    with torch.no_grad():
        print(name, (model(images).argmax(1) == labels).float().mean().item(), model.blocks[1].bn2.running_mean[:3])
for p in net.blocks.parameters():
    p.requires_grad = False
net.head = nn.Linear(6, 3)
print([name for name, p in net.named_parameters() if p.requires_grad])
net.train()
F.cross_entropy(net(images), labels).backward()
print(
    net.blocks[0].conv1.weight.grad is None or net.blocks[0].conv1.weight.grad.abs().sum().item() >= 0,
    net.head.weight.grad.shape,
)
net.eval()
folded = nn.utils.fuse_conv_bn_eval(net.blocks[0].conv1, net.blocks[0].bn1)
x = net.stem(images[:2])
print(folded, torch.allclose(folded(x), net.blocks[0].bn1(net.blocks[0].conv1(x)), atol=1e-5))
