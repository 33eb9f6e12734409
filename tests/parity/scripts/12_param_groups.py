# Parameter groups, momentum, Nesterov, weight decay, a rate changed by hand, frozen layers, initialised weights.
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(11)
x = torch.randn(128, 6)
y = (x[:, :3].sum(1) > x[:, 3:].sum(1)).long()


def make():
    torch.manual_seed(2)
    net = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.25), nn.Linear(16, 2))
    nn.init.kaiming_normal_(net[0].weight, nonlinearity="relu")
    nn.init.zeros_(net[0].bias)
    nn.init.xavier_uniform_(net[-1].weight)
    return net


def train(net, optimizer, steps=60):
    losses = []
    for i in range(steps):
        if i == 40:
            for group in optimizer.param_groups:
                group["lr"] /= 10
        loss = F.cross_entropy(net(x), y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


print(make())
for settings in (
    {"lr": 0.1},
    {"lr": 0.1, "momentum": 0.9},
    {"lr": 0.05, "momentum": 0.9, "nesterov": True},
    {"lr": 0.1, "momentum": 0.8, "dampening": 0.5, "weight_decay": 0.01},
):
    net = make()
    losses = train(net, torch.optim.SGD(net.parameters(), **settings))
    print(settings, [round(value, 4) for value in losses[::15]], f"{losses[-1]:.4f}")

net = make()
decay = [p for p in net.parameters() if p.ndim > 1]
rest = [p for p in net.parameters() if p.ndim == 1]
optimizer = torch.optim.SGD(
    [{"params": decay, "weight_decay": 0.1}, {"params": rest, "lr": 0.01}], lr=0.1, momentum=0.5
)
print(
    f"{train(net, optimizer)[-1]:.4f}", [(g["lr"], g["weight_decay"], len(g["params"])) for g in optimizer.param_groups]
)

net = make()
for p in net[0].parameters():
    p.requires_grad_(False)
net[1].eval()
before = net[0].weight.clone()
optimizer = torch.optim.SGD((p for p in net.parameters() if p.requires_grad), lr=0.1)
print(f"{train(net, optimizer)[-1]:.4f}", torch.equal(before, net[0].weight), net[1].running_mean.abs().sum())
print(net[0].weight.grad, [name for name, p in net.named_parameters() if p.requires_grad])
net.eval()
print(F.mse_loss(net(x), torch.zeros(128, 2)), nn.MSELoss(reduction="sum")(net(x)[:3], torch.ones(3, 2)))
