# Adam and AdamW: the first steps, weight decay inside and outside the gradient, the optimiser's memory.
import copy

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(3)
x = torch.randn(200, 5)
y = (x[:, 0] * x[:, 1] + 0.5 * x[:, 2] > 0).long()


def make():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(5, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))


def train(optimizer, net, steps=40):
    losses = []
    for _ in range(steps):
        loss = F.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


optimizers = {
    "Adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "Adam, decay": lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.1),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
    "Adam, betas": lambda p: torch.optim.Adam(p, lr=0.02, betas=(0.5, 0.9), eps=1e-6),
    "amsgrad": lambda p: torch.optim.Adam(p, lr=0.02, amsgrad=True),
    "SGD": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
}
for name, make_optimizer in optimizers.items():
    net = make()
    losses = train(make_optimizer(net.parameters()), net)
    shown = " ".join(f"{losses[k]:.4f}" for k in (0, 9, 19, 39))
    print(f"{name:12} {shown}  w {net[0].weight.norm().item():.4f}")

net = make()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
print(optimizer)
train(optimizer, net, 3)
memory = optimizer.state[net[3].bias]
print(list(memory), memory["step"], memory["exp_avg"], memory["exp_avg_sq"])
state = optimizer.state_dict()
print(list(state), len(state["state"]), state["param_groups"][0]["params"], state["param_groups"][0]["betas"])
other = make()
other.load_state_dict(net.state_dict())
again = torch.optim.Adam(other.parameters(), lr=0.5)
again.load_state_dict(copy.deepcopy(state))
print(again.param_groups[0]["lr"])
print(train(optimizer, net, 3) == train(again, other, 3))
decay = [p for p in net.parameters() if p.ndim > 1]
rest = [p for p in net.parameters() if p.ndim <= 1]
optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 0.2}, {"params": rest, "weight_decay": 0.0}], lr=0.003)
losses = train(optimizer, net, 10)
print([len(g["params"]) for g in optimizer.param_groups], [g["weight_decay"] for g in optimizer.param_groups])
print(f"{losses[-1]:.4f}")
