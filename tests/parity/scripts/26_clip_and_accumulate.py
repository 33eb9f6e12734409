# Long steps clipped, small batches added up: what accumulation does, and what BatchNorm makes of it.
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(26)
x, y = torch.randn(32, 6) * 3, torch.randint(0, 4, (32,))


def make(norm):
    torch.manual_seed(1)
    layers = [nn.Linear(6, 10), nn.BatchNorm1d(10) if norm else nn.Identity(), nn.ReLU(), nn.Linear(10, 4)]
    return nn.Sequential(*layers)


for norm in (False, True):
    net = make(norm)
    F.cross_entropy(net(x), y).backward()
    whole = [p.grad.clone() for p in net.parameters()]
    net.zero_grad()
    for part in range(4):
        rows = slice(part * 8, part * 8 + 8)
        (F.cross_entropy(net(x[rows]), y[rows]) / 4).backward()
    same = [torch.allclose(p.grad, g, atol=1e-6) for p, g in zip(net.parameters(), whole)]
    print(norm, same)
net = make(True)
loss = F.cross_entropy(net(x) * 50, y)
loss.backward()
total = nn.utils.clip_grad_norm_(net.parameters(), max_norm=1.0)
print(f"{loss.item():.3f} {total.item():.3f}")
print(f"{sum((p.grad**2).sum() for p in net.parameters()).sqrt().item():.4f}")
print(f"{nn.utils.clip_grad_norm_(net.parameters(), 2.0):.4f}")
print(nn.utils.clip_grad_norm_(net.parameters(), 100.0, norm_type=float("inf")))
for p in net.parameters():
    p.grad.mul_(1000)
nn.utils.clip_grad_value_(net.parameters(), 0.5)
print(max(p.grad.abs().max().item() for p in net.parameters()))
vector = nn.utils.parameters_to_vector(net.parameters())
print(vector.shape, vector[:3])
nn.utils.vector_to_parameters(vector * 0.5, net.parameters())
print(torch.allclose(nn.utils.parameters_to_vector(net.parameters()), vector * 0.5))
net = make(False)
optimizer = torch.optim.SGD(net.parameters(), lr=1.0)
for step in range(10):
    loss = F.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    before = nn.utils.clip_grad_norm_(net.parameters(), 0.5)
    optimizer.step()
    if step % 3 == 0:
        print(step, f"{loss.item():.4f} {before.item():.4f}")
w = torch.tensor([1.0, 2.0], requires_grad=True)
for _ in range(3):
    (w**2).sum().backward()
print(w.grad)
