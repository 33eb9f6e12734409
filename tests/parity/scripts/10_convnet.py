# A small convolutional network on random pictures: shapes, a few steps, running statistics, gradients.
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(
    nn.Conv2d(3, 8, 3, padding=1, bias=False),
    nn.BatchNorm2d(8),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(8, 16, kernel_size=3, stride=2, padding=1),
    nn.BatchNorm2d(16),
    nn.ReLU(inplace=True),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(16, 4),
)
print(net)
images = torch.randn(24, 3, 16, 16)
labels = torch.randint(0, 4, (24,))
images += labels.view(-1, 1, 1, 1) * 0.2
x = images
for layer in net:
    x = layer(x)
    print(f"{type(layer).__name__:20s} {tuple(x.shape)}")

criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
for step in range(12):
    optimizer.zero_grad()
    out = net(images)
    loss = criterion(out, labels)
    loss.backward()
    optimizer.step()
    if step % 3 == 0:
        print(step, f"{loss.item():.4f}", (out.argmax(1) == labels).sum().item())

print(net[1].running_mean, net[1].running_var, net[1].num_batches_tracked.item())
for name, p in net.named_parameters():
    print(f"{name:10s} {tuple(p.shape)!s:15s} {p.norm().item():.4f} {p.grad.norm().item():.4f}")
net.eval()
with torch.no_grad():
    print(net(images[:2]), F.softmax(net(images[:2]), dim=1).sum(1))
pooled = F.avg_pool2d(images[:1], 4)
print(pooled.shape, pooled[0, 0], F.max_pool2d(images, 8).amax(dim=(1, 2, 3))[:4])
kernel = torch.ones(1, 1, 2, 2)
print(F.conv2d(torch.arange(9.0).view(1, 1, 3, 3), kernel))
print(F.pad(torch.ones(1, 2), (1, 2)), images.mean((0, 2, 3)), images.permute(0, 2, 3, 1).shape)
