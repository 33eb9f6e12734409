# Label smoothing, Dropout and Dropout2d beside BatchNorm, input noise, early weight decay: what each does to the loss.
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(37)
logits = torch.tensor([[4.0, 0.0, -1.0], [0.5, 0.2, 0.1]], requires_grad=True)
target = torch.tensor([0, 2])
for smoothing in (0.0, 0.1, 0.5, 1.0):
    loss = nn.CrossEntropyLoss(label_smoothing=smoothing)(logits, target)
    soft = (1 - smoothing) * F.one_hot(target, 3).float() + smoothing / 3
    by_hand = -(soft * F.log_softmax(logits, dim=1)).sum(1).mean()
    (grad,) = torch.autograd.grad(loss, logits)
    print(f"{smoothing}: {loss.item():.4f} {by_hand.item():.4f} {F.cross_entropy(logits, soft).item():.4f}", grad[0])
weights = torch.tensor([1.0, 2.0, 0.5])
for reduction in ("mean", "sum", "none"):
    criterion = nn.CrossEntropyLoss(weight=weights, label_smoothing=0.2, reduction=reduction, ignore_index=2)
    print(reduction, criterion(logits, target))
print(F.kl_div(F.log_softmax(logits, 1), F.softmax(logits.detach() / 2, 1), reduction="batchmean"))

x = torch.ones(2, 4, 3, 3)
for layer in (nn.Dropout(0.25), nn.Dropout2d(0.5), nn.Dropout1d(0.5)):
    images = x.flatten(2) if isinstance(layer, nn.Dropout1d) else x
    out = layer(images)
    print(layer, out.flatten(1)[0, ::3], layer.eval()(images).sum().item())
print(isinstance(nn.Dropout2d(), nn.Dropout), [m.p for m in (nn.Dropout(), nn.Dropout2d(0.3))])


class Net(nn.Module):
    def __init__(self, order):
        super().__init__()
        parts = {"bn": lambda: nn.BatchNorm1d(16), "relu": nn.ReLU, "dropout": lambda: nn.Dropout(p=0.5)}
        self.first = nn.Linear(8, 16, bias=not order.startswith("bn"))  # BatchNorm would take the bias away again
        self.middle = nn.Sequential(*(parts[name]() for name in order.split()))
        self.last = nn.Linear(16, 3)

    def forward(self, x):
        return self.last(self.middle(self.first(x)))


X, y = torch.randn(60, 8), torch.randint(0, 3, (60,))
X[torch.arange(60), y] += 1.5
for order in ("bn relu", "dropout relu", "bn relu dropout", "dropout bn relu", "relu bn dropout"):
    torch.manual_seed(1)
    net = Net(order)
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.01, weight_decay=0.05)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    for _ in range(12):
        noisy = X + 0.1 * torch.randn_like(X)
        loss = criterion(net(noisy), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    hidden = {}
    for mode in ("train", "eval"):
        getattr(net, mode)()
        with torch.no_grad():
            hidden[mode] = net.middle(net.first(X)).std().item()
    net.eval()
    accuracy = (net(X).argmax(dim=-1) == y).float().mean().item()
    print(f"{order:16} loss {loss.item():.3f} accuracy {accuracy:.3f} std {hidden['train']:.3f} {hidden['eval']:.3f}")


def monte_carlo(net, x, times=4):
    net.eval()
    for m in net.modules():
        if m.__class__.__name__.startswith("Dropout"):
            m.train()
    with torch.no_grad():
        return torch.stack([F.softmax(net(x), dim=-1) for _ in range(times)])


samples = monte_carlo(net, X[:2])
print(samples.mean(0), samples.std(0), sep="\n")
entropy = -(samples.mean(0) * samples.mean(0).log()).sum(-1)
print(entropy, f"{math.log(3):.4f}", torch.dropout(torch.ones(3), 0.5, False))
