# BatchNorm's modes: batch and running statistics, momentum, none, cumulative; what freezes it and what does not.
import torch
from torch import nn

torch.manual_seed(5)
x = torch.randn(16, 3) * torch.tensor([1.0, 4.0, 0.5]) + torch.tensor([0.0, -2.0, 7.0])
bn = nn.BatchNorm1d(3)
print(bn, list(bn.state_dict()))
y = bn(x)
print(y.mean(0).abs().max().item() < 1e-6, y.std(0, unbiased=False))
print(bn.running_mean, x.mean(0) * 0.1)
print(bn.running_var, 0.9 + 0.1 * x.var(0), 0.9 + 0.1 * x.var(0, unbiased=False))
for _ in range(43):
    bn(x)
print(bn.num_batches_tracked, ((bn.running_mean - x.mean(0)) / x.mean(0)))
bn.eval()
print((bn(x) - (x - bn.running_mean) / torch.sqrt(bn.running_var + bn.eps)).abs().max().item() < 1e-5)
print(bn(x[:1]))
for settings in (
    {"momentum": None},
    {"momentum": 1.0},
    {"affine": False},
    {"track_running_stats": False},
    {"eps": 1.0},
):
    layer = nn.BatchNorm1d(3, **settings)
    for part in x.split(8):
        out = layer(part)
    print(settings, layer.running_mean, layer.running_var, layer.num_batches_tracked, len(list(layer.parameters())))
    print(out[0], layer.eval()(x)[0])
frozen = nn.BatchNorm1d(3).requires_grad_(False)
with torch.no_grad():
    frozen(x)
print(frozen.running_mean, frozen.num_batches_tracked)
frozen.eval()
frozen(x)
print(frozen.num_batches_tracked)
net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
net[1].eval()
net.train()
print(net[1].training)
image = torch.randn(2, 3, 4, 4)
two = nn.BatchNorm2d(3)
out = two(image)
print(out.shape, out.mean((0, 2, 3)).abs().max().item() < 1e-6, out.var((0, 2, 3), unbiased=False))
as_rows = nn.BatchNorm1d(3)(image.permute(0, 2, 3, 1).reshape(-1, 3))
print(torch.allclose(as_rows, out.permute(0, 2, 3, 1).reshape(-1, 3), atol=1e-6))
for bad in (lambda: nn.BatchNorm1d(3)(x[:1]), lambda: nn.BatchNorm2d(3)(x), lambda: nn.BatchNorm1d(4)(x)):
    try:
        bad()
    except (ValueError, RuntimeError) as error:
        print(type(error).__name__)
