# Saving and going on: a checkpoint of model, optimiser and epoch; the resumed run repeats the uninterrupted one.
import io
import os
import tempfile

import torch
from torch import nn

torch.manual_seed(12)
x, y = torch.randn(60, 4), torch.randint(0, 3, (60,))


def make():
    net = nn.Sequential(nn.Linear(4, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Linear(12, 3))
    return net, torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)


def train(net, optimizer, epochs):
    losses = []
    for _ in range(epochs):
        loss = nn.functional.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


net, optimizer = make()
train(net, optimizer, 5)
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "checkpoint.pt")
    torch.save(
        {"epoch": 5, "model": net.state_dict(), "optimizer": optimizer.state_dict(), "notes": ["a", {"b": (1, 2.5)}]},
        path,
    )
    uninterrupted = train(net, optimizer, 5)
    torch.manual_seed(99)
    other, its_optimizer = make()
    checkpoint = torch.load(path)
print(list(checkpoint), checkpoint["epoch"], checkpoint["notes"])
print(other.load_state_dict(checkpoint["model"]))
its_optimizer.load_state_dict(checkpoint["optimizer"])
resumed = train(other, its_optimizer, 5)
print(resumed == uninterrupted)
print([f"{loss:.4f}" for loss in resumed])
print({k: v.dtype for k, v in checkpoint["model"].items()})

file = io.BytesIO()
torch.save([torch.arange(3), torch.tensor(2.5, dtype=torch.float64), torch.ones(2, 3).T, torch.empty(0)], file)
file.seek(0)
for t in torch.load(file, map_location="cpu"):
    print(t, t.shape)
partial = {"0.weight": torch.zeros(12, 4), "extra": torch.zeros(1)}
print(other.load_state_dict(partial, strict=False))
print(other[0].weight.abs().sum())
for wrong in (partial, {**net.state_dict(), "0.weight": torch.zeros(3, 4)}):
    try:
        other.load_state_dict(wrong)
    except RuntimeError as error:
        print(type(error).__name__, "0.weight" in str(error) or "extra" in str(error))
try:
    torch.load(os.path.join("no", "such", "file.pt"))
except FileNotFoundError as error:
    print(type(error).__name__)
