# Why initialisation matters: the spread of activations through ten layers, gains, saturation, gradients, update ratios.
import torch
import torch.nn.functional as F
from torch import nn

g = torch.Generator().manual_seed(2147483647)
x = torch.randn(1000, 50, generator=g)
for gain in (0.5, 1.0, 5 / 3, 3.0):
    h = x
    for _ in range(6):
        h = torch.tanh(h @ (torch.randn(50, 50, generator=g) * gain / 50**0.5))
    print(f"gain {gain:.2f}: std {h.std():.4f}, saturated {(h.abs() > 0.97).float().mean() * 100:.2f} %")
torch.manual_seed(0)
for name in ("xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_"):
    w = torch.empty(30, 40)
    getattr(nn.init, name)(w)
    print(f"{name:17} mean {w.mean():+.4f} std {w.std():.4f} max {w.abs().max():.4f}", w[0, :3])
print(nn.init.calculate_gain("tanh"), nn.init.calculate_gain("relu"), nn.init.calculate_gain("leaky_relu", 0.2))
layer = nn.Linear(64, 32)
print(layer.weight.abs().max() <= 1 / 8, f"{layer.weight.std():.4f}", layer.bias[:3])
conv = nn.Conv2d(3, 8, 3)
print(f"{conv.weight.std():.4f}", conv.bias[:3])
print(nn.Embedding(5, 3).weight)
net = nn.Sequential(
    *(m for _ in range(4) for m in (nn.Linear(20, 20, bias=False), nn.BatchNorm1d(20), nn.Tanh())), nn.Linear(20, 5)
)
with torch.no_grad():
    net[-1].weight *= 0.1
    for m in net[:-1]:
        if isinstance(m, nn.Linear):
            m.weight *= 5 / 3
xb, yb = torch.randn(64, 20), torch.randint(0, 5, (64,))
ratios = []
for step in range(30):
    loss = F.cross_entropy(net(xb), yb)
    if step == 0:
        print(f"first loss {loss.item():.4f}, ln 5 = {torch.tensor(5.0).log().item():.4f}")
    for p in net.parameters():
        p.grad = None
    loss.backward()
    with torch.no_grad():
        ratios.append([(0.1 * p.grad.std() / p.std()).log10().item() for p in net.parameters() if p.ndim == 2])
        for p in net.parameters():
            p -= 0.1 * p.grad
for name, p in net.named_parameters():
    if p.ndim == 2:
        print(f"{name:10} {tuple(p.shape)} mean {p.mean():+.4f} std {p.std():.4f} grad std {p.grad.std():.2e}")
print([f"{r:.3f}" for r in ratios[-1]], f"{loss.item():.4f}")
