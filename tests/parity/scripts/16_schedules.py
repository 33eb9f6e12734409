# Learning rates over time: every scheduler's numbers, and a training run with one.
import math

import torch
from torch.optim import SGD, lr_scheduler


def rates(make, steps=12):
    p = torch.nn.Parameter(torch.zeros(2))
    optimizer = SGD([p], lr=0.1)
    scheduler = make(optimizer)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        p.grad = torch.ones(2)
        optimizer.step()
        scheduler.step()
    return found, scheduler


makers = {
    "step": lambda o: lr_scheduler.StepLR(o, step_size=3, gamma=0.5),
    "multistep": lambda o: lr_scheduler.MultiStepLR(o, milestones=[2, 5, 5, 9], gamma=0.1),
    "exponential": lambda o: lr_scheduler.ExponentialLR(o, gamma=0.9),
    "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=10, eta_min=0.01),
    "cosine, long": lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=4),
    "lambda": lambda o: lr_scheduler.LambdaLR(o, lambda epoch: 1 / math.sqrt(epoch + 1)),
    "linear": lambda o: lr_scheduler.LinearLR(o, start_factor=0.25, total_iters=5),
}
for name, make in makers.items():
    found, scheduler = rates(make)
    print(f"{name:13}", " ".join(f"{r:.5f}" for r in found))
    print(" " * 13, scheduler.last_epoch, [f"{r:.6f}" for r in scheduler.get_last_lr()])

torch.manual_seed(0)
x = torch.randn(64, 3)
y = x @ torch.tensor([[1.0], [-2.0], [0.5]]) + 0.1 * torch.randn(64, 1)
net = torch.nn.Linear(3, 1)
optimizer = SGD([{"params": [net.weight]}, {"params": [net.bias], "lr": 0.5}], lr=0.2, momentum=0.5)
scheduler = lr_scheduler.MultiStepLR(optimizer, [10, 20])
for epoch in range(30):
    loss = torch.nn.functional.mse_loss(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    if epoch % 10 == 9:
        print(epoch, f"{loss.item():.5f}", scheduler.get_last_lr())
state = scheduler.state_dict()
print(state["last_epoch"], state["base_lrs"], state["gamma"])
fresh = lr_scheduler.MultiStepLR(SGD([net.weight], lr=0.2), [10, 20])
fresh.load_state_dict(state)
print(fresh.last_epoch)
