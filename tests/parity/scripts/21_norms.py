# One input, five normalisations: which values share a mean, what each does to a scaled sample or a scaled channel.
import torch
from torch import nn

torch.manual_seed(21)
x = torch.randn(4, 6, 3, 3) * 2 + 1
layers = {
    "BatchNorm2d": nn.BatchNorm2d(6),
    "LayerNorm": nn.LayerNorm([6, 3, 3]),
    "InstanceNorm2d": nn.InstanceNorm2d(6, affine=True),
    "GroupNorm": nn.GroupNorm(2, 6),
    "RMSNorm": nn.RMSNorm(3),
}
axes = {"BatchNorm2d": (0, 2, 3), "LayerNorm": (1, 2, 3), "InstanceNorm2d": (2, 3)}
for name, layer in layers.items():
    print(layer, {k: tuple(v.shape) for k, v in layer.state_dict().items()})
    y = layer(x)
    if name in axes:
        print(y.mean(axes[name]).abs().max().item() < 1e-5, f"{y.var(axes[name], unbiased=False).mean().item():.4f}")
    sample, channel = x.clone(), x.clone()
    sample[0] *= 10
    channel[:, 0] *= 10
    print(f"{name:15} sample scaled {(layer(sample) - y).abs().max().item():.3f}", end="  ")
    print(f"channel scaled {(layer(channel) - y).abs().max().item():.3f}")
for name, layer in layers.items():
    t = x.clone().requires_grad_()
    weights = torch.linspace(-1, 1, x.numel()).reshape(x.shape)
    (layer(t) * weights).sum().backward()
    print(f"{name:15} {t.grad.norm().item():.4f} {t.grad.sum().abs().item() < 1e-2}", layer.weight.grad.flatten()[:3])
words = torch.randn(2, 5, 8)
print(nn.LayerNorm(8)(words)[0, 0], nn.LayerNorm(8, elementwise_affine=False).weight)
print(torch.allclose(nn.GroupNorm(1, 6)(x), nn.LayerNorm([6, 3, 3])(x), atol=1e-5))
print(torch.allclose(nn.GroupNorm(6, 6)(x), nn.InstanceNorm2d(6)(x), atol=1e-5))
tracked = nn.InstanceNorm2d(6, track_running_stats=True)
tracked(x)
print(tracked.running_mean, tracked.eval()(x)[0, 0, 0])
for bad in (lambda: nn.GroupNorm(4, 6), lambda: nn.LayerNorm(5)(x)):
    try:
        bad()
    except (ValueError, RuntimeError) as error:
        print(type(error).__name__)
