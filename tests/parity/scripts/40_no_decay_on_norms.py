# Weight decay for weights only: biases, gammas, betas and embeddings in a group of their own, sorted in three ways.
from collections import defaultdict

import torch
import torch.nn as nn

torch.manual_seed(40)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 6, 3, bias=False)
        self.norm1 = nn.BatchNorm2d(6)
        self.body = nn.Sequential(nn.Conv2d(6, 8, 3), nn.GroupNorm(2, 8), nn.ReLU(inplace=True))
        self.side = nn.Embedding(5, 8)
        self.norm2 = nn.LayerNorm(8)
        self.scale = nn.Parameter(torch.ones(()))
        self.head = nn.Linear(8, 3)

    def forward(self, x, kind):
        x = torch.relu(self.norm1(self.stem(x)))
        x = self.body(x).mean(dim=[-2, -1])
        return self.head(self.norm2(self.scale * x + self.side(kind)))


def by_shape(model, weight_decay):
    decay, no_decay = [], []
    for name, param in model.named_parameters():
        if not param.requires_grad:
            continue
        (no_decay if len(param.shape) == 1 or name.endswith(".bias") else decay).append(param)
    return [{"params": no_decay, "weight_decay": 0.0}, {"params": decay, "weight_decay": weight_decay}]


def by_module(model, weight_decay):
    norms = (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm, nn.InstanceNorm2d, nn.Embedding)
    decay, no_decay = set(), set()
    for mn, m in model.named_modules():
        for pn, _ in m.named_parameters(recurse=False):
            fpn = f"{mn}.{pn}" if mn else pn
            if pn == "weight" and not isinstance(m, norms):
                decay.add(fpn)
            else:
                no_decay.add(fpn)
    params = {pn: p for pn, p in model.named_parameters()}
    assert not decay & no_decay and not params.keys() - (decay | no_decay)
    return [
        {"params": [params[pn] for pn in sorted(decay)], "weight_decay": weight_decay},
        {"params": [params[pn] for pn in sorted(no_decay)], "weight_decay": 0.0},
    ]


def by_name(model, weight_decay):
    skip = ["bias", "norm", "side", "scale"]
    named = list(model.named_parameters())
    return [
        {"params": [p for n, p in named if not any(s in n for s in skip)], "weight_decay": weight_decay},
        {"params": [p for n, p in named if any(s in n for s in skip)], "weight_decay": 0.0, "lr": 5e-3},
    ]


x, kind, y = torch.randn(10, 1, 8, 8), torch.arange(10) % 5, torch.arange(10) % 3
for sort in (by_shape, by_module, by_name):
    torch.manual_seed(1)
    net = Net()
    optimizer = torch.optim.AdamW(sort(net, 0.1), lr=1e-2)
    for group in optimizer.param_groups:
        size = sum(p.numel() for p in group["params"])
        print(sort.__name__, len(group["params"]), size, group["weight_decay"], group["lr"], group["betas"])
    for _ in range(4):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x, kind), y)
        loss.backward()
        optimizer.step()
    print(f"  loss {loss.item():.4f}", {n: round(p.norm().item(), 4) for n, p in net.named_parameters() if p.dim() > 1})
    print(" ", net.norm1.weight, net.scale)

print("a gradient of zero: only the decay moves")
for cls, settings in (
    (torch.optim.SGD, {"lr": 0.5}),
    (torch.optim.Adam, {"lr": 0.5}),
    (torch.optim.AdamW, {"lr": 0.5}),
):
    w, g = nn.Parameter(torch.tensor([1.0, -2.0])), nn.Parameter(torch.tensor([1.0, -2.0]))
    optimizer = cls([{"params": [w], "weight_decay": 0.1}, {"params": [g], "weight_decay": 0}], **settings)
    for _ in range(3):
        w.grad, g.grad = torch.zeros(2), torch.zeros(2)
        optimizer.step()
    print(cls.__name__, w.data, g.data)

print("scale invariance: the effective rate of a weight before BatchNorm")
torch.manual_seed(2)
features, wanted = torch.randn(32, 6), torch.randn(32, 4)
for decay in (0.0, 0.1):
    layer, bn = nn.Linear(6, 4, bias=False), nn.BatchNorm1d(4, affine=False)
    nn.init.orthogonal_(layer.weight)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.5, weight_decay=decay)
    sizes = defaultdict(list)
    for _ in range(6):
        loss = (bn(layer(features)) - wanted).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        sizes["norm"].append(round(layer.weight.norm().item(), 4))
        sizes["across"].append(round((layer.weight * layer.weight.grad).sum().abs().item(), 3))
        optimizer.step()
    print(decay, dict(sizes), f"{loss.item():.4f}")
optimizer.add_param_group({"params": bn.parameters() if bn.affine else [nn.Parameter(torch.zeros(1))], "lr": 1.0})
print(len(optimizer.param_groups), optimizer)
