# Watching a convnet: weights by apply and isinstance, hooks that record means and dead units, a summary table.
from collections import OrderedDict

import torch
import torch.nn as nn
import torch.nn.functional as F


class SqueezeExcite(nn.Module):
    def __init__(self, channels, reduction=2):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Sequential(
            nn.Linear(channels, channels // reduction),
            nn.ReLU(),
            nn.Linear(channels // reduction, channels),
            nn.Sigmoid(),
        )

    def forward(self, x):
        b, c, _, _ = x.size()
        return x * self.fc(self.pool(x).view(b, c)).view(b, c, 1, 1).expand_as(x)


def make(norm=nn.BatchNorm2d):
    return nn.Sequential(
        OrderedDict(
            [
                ("conv1", nn.Conv2d(3, 8, 5, padding=2)),
                ("norm1", norm(8)),
                ("relu1", nn.ReLU()),
                ("pool1", nn.AvgPool2d(2)),
                ("conv2", nn.Conv2d(8, 8, 3, padding=1, groups=4)),
                ("norm2", norm(8)),
                ("relu2", nn.LeakyReLU(0.1)),
                ("se", SqueezeExcite(8)),
                ("pool2", nn.AdaptiveMaxPool2d((2, None))),
                ("flat", nn.Flatten()),
                ("fc", nn.Linear(64, 4)),
            ]
        )
    )


def weights_init(gain):
    def init(m):
        if isinstance(m, nn.Conv2d):
            nn.init.xavier_normal_(m.weight, gain=gain)
            if m.bias is not None:
                nn.init.zeros_(m.bias)
        elif isinstance(m, nn.BatchNorm2d):
            nn.init.normal_(m.weight, 1.0, 0.02)
            nn.init.constant_(m.bias, 0)
        elif isinstance(m, nn.Linear):
            nn.init.kaiming_uniform_(m.weight, nonlinearity="relu")
            m.bias.data.fill_(0.01)

    return init


def summary(model, x):
    rows, hooks = [], []

    def register(name, m):
        def hook(module, inputs, output):
            params = sum(p.numel() for p in module.parameters(recurse=False))
            rows.append((name, module.__class__.__name__, list(inputs[0].shape), list(output.shape), params))

        if len(list(m.children())) == 0:
            hooks.append(m.register_forward_hook(hook))

    for name, m in model.named_modules():
        register(name, m)
    with torch.no_grad():
        model(x)
    for h in hooks:
        h.remove()
    print(f"{'layer':10} {'type':18} {'input':18} {'output':18} {'params':>8}")
    for name, kind, before, after, params in rows:
        print(f"{name:10} {kind:18} {before!s:18} {after!s:18} {params:8,}")
    total = sum(p.numel() for p in model.parameters())
    size = sum(t.numel() * t.element_size() for t in [*model.parameters(), *model.buffers()])
    print(f"total {total:,} parameters, {size / 1024:.1f} KB")


class Recorder:
    """What ReLUs give and what gradients convolutions get, by layer."""

    def __init__(self, net):
        self.stats, self.grads, self.handles = {}, {}, []
        for name, m in net.named_children():
            if isinstance(m, (nn.ReLU, nn.LeakyReLU)):
                self.handles.append(m.register_forward_hook(self.output(name)))
            if isinstance(m, nn.Conv2d):
                self.handles.append(m.register_full_backward_hook(self.gradient(name)))

    def output(self, name):
        def hook(module, inputs, out):
            numbers = out.mean(), out.std(), (out <= 0).float().mean()
            self.stats[name] = tuple(round(v.item(), 3) for v in numbers)

        return hook

    def gradient(self, name):
        def hook(module, grad_input, grad_output):
            self.grads[name] = f"{grad_output[0].std().item():.2e}"

        return hook

    def remove(self):
        for handle in self.handles:
            handle.remove()


torch.manual_seed(44)
x, y = torch.randn(8, 3, 8, 8, requires_grad=True), torch.arange(8) % 4
model = make()
print(model)
summary(model, x)
for gain in (0.1, 1.0, nn.init.calculate_gain("relu"), 5.0):
    for norm in (nn.BatchNorm2d, nn.Identity):
        torch.manual_seed(0)
        net = make(norm)
        net.apply(weights_init(gain))
        recorder = Recorder(net)
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        recorder.remove()
        print(f"gain {gain:.2f} {norm.__name__:12} loss {loss.item():.3f}", recorder.stats, recorder.grads)

torch.manual_seed(1)
net = make().apply(weights_init(1.0))
seen = {}


def pre_hook(module, args):
    (t,) = args
    mean, var = t.mean((0, 2, 3)), t.var((0, 2, 3))
    seen[module] = (mean - module.running_mean).abs().mean().item(), (var - module.running_var).abs().mean().item()


for m in net.modules():
    if isinstance(m, nn.modules.batchnorm._BatchNorm):
        m.register_forward_pre_hook(pre_hook)
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
for step in range(6):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    ratio = {n: (p.grad.std() / p.data.std()).log10().item() for n, p in net.named_parameters() if p.ndim == 4}
    if step % 2 == 1:
        print(
            step,
            f"{loss.item():.3f}",
            [f"{a:.3f} {b:.3f}" for a, b in seen.values()],
            {n: f"{r:.1f}" for n, r in ratio.items()},
        )
print([type(m).__name__ for m in net.se.modules()])
print({n: tuple(p.shape) for n, p in net.named_parameters() if "norm" in n or "fc" in n})
print(dict(net.named_children())["se"].fc[0].weight.shape, hasattr(net, "norm3"), net.get_submodule("se.fc.0"))
