# Stochastic weight averaging and an exponential moving average: AveragedModel, SWALR, update_bn.
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.optim.swa_utils import SWALR, AveragedModel, get_ema_multi_avg_fn, update_bn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(36)
X = torch.randn(64, 1, 6, 6)
y = (X.mean((1, 2, 3)) > 0).long()
loader = DataLoader(TensorDataset(X, y), batch_size=16, shuffle=True, generator=torch.Generator().manual_seed(1))
model = nn.Sequential(nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 2))
swa_model = AveragedModel(model)
ema_model = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9))
with_buffers = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=True)
by_hand = AveragedModel(model, avg_fn=lambda avg, new, num_averaged: 0.9 * avg + 0.1 * new)
print(list(swa_model.state_dict()))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=8)
swa_start, swa_scheduler = 4, SWALR(optimizer, anneal_strategy="linear", anneal_epochs=2, swa_lr=0.05)
for epoch in range(8):
    losses = 0.0
    for inputs, targets in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
        losses += loss.item()
        for average in (ema_model, with_buffers, by_hand):
            average.update_parameters(model)
    if epoch >= swa_start:
        swa_model.update_parameters(model)
        swa_scheduler.step()
    else:
        scheduler.step()
    print(f"epoch {epoch}: loss {losses / len(loader):.3f}, lr {optimizer.param_groups[0]['lr']:.5f}")
print(swa_model.n_averaged, ema_model.n_averaged.item())
a, b = ema_model.module[4].weight, by_hand.module[4].weight
print(torch.allclose(a, b, atol=1e-6), (a - model[4].weight).abs().mean())


def evaluate(net):
    net.eval()
    with torch.no_grad():
        return f"{F.cross_entropy(net(X), y).item():.3f}"


print("model", evaluate(model))
for name, average in (("swa", swa_model), ("ema", ema_model), ("ema with buffers", with_buffers)):
    bn = average.module[1]
    print(name, evaluate(average), bn.running_mean, bn.num_batches_tracked)
update_bn(loader, swa_model)
print("swa, update_bn", evaluate(swa_model), swa_model.module[1].running_var, swa_model.module[1].momentum)
torch.optim.swa_utils.update_bn(loader, ema_model, device=torch.device("cpu"))
print("ema, update_bn", evaluate(ema_model), ema_model.module[1].running_mean, ema_model.training)
swa_model.load_state_dict(ema_model.state_dict())
print(swa_model.n_averaged.item(), swa_model(X[:2]))
