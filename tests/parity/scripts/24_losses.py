# Losses and their options: cross-entropy in all its forms, binary, squared, what is ignored, smoothed, weighted.
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(17)
logits = torch.randn(6, 4, requires_grad=True)
target = torch.tensor([0, 3, 1, 1, 2, 0])
weight = torch.tensor([1.0, 2.0, 0.5, 1.5])


def show(name, loss):
    logits.grad = None
    loss.sum().backward()
    text = f"{loss.item():.4f}" if loss.ndim == 0 else str(loss.detach())
    print(f"{name:18} {text}  grad {logits.grad.norm().item():.4f} {logits.grad[0]}")


show("plain", F.cross_entropy(logits, target))
show("sum", F.cross_entropy(logits, target, reduction="sum"))
show("none", F.cross_entropy(logits, target, reduction="none"))
show("weight", F.cross_entropy(logits, target, weight=weight))
show("ignore", F.cross_entropy(logits, target, ignore_index=1))
show("smoothing", F.cross_entropy(logits, target, label_smoothing=0.1))
show("weight, smoothing", nn.CrossEntropyLoss(weight=weight, label_smoothing=0.2)(logits, target))
show("probabilities", F.cross_entropy(logits, torch.softmax(torch.randn(6, 4), 1)))
show("by hand", -(logits.softmax(1)[range(6), target]).log().mean())
show("nll", F.nll_loss(F.log_softmax(logits, dim=1), target))
show("mse", F.mse_loss(logits, torch.zeros(6, 4)))
show("bce", F.binary_cross_entropy_with_logits(logits, (logits.detach() > 0).float()))
show("bce, pos_weight", nn.BCEWithLogitsLoss(pos_weight=weight)(logits, torch.ones(6, 4)))
images = torch.randn(2, 3, 4, 5, requires_grad=True)
labels = torch.randint(0, 3, (2, 4, 5))
loss = F.cross_entropy(images, labels)
loss.backward()
print(f"{loss.item():.4f} {images.grad.norm().item():.4f}", F.cross_entropy(images, labels, reduction="none").shape)
print(F.cross_entropy(torch.tensor([1.0, 2.0, 3.0]), torch.tensor(2)))
print(F.cross_entropy(torch.ones(2, 3), torch.tensor([-100, -100])))
print(F.cross_entropy(torch.tensor([[1000.0, 0.0], [0.0, -1000.0]]), torch.tensor([0, 1])))
print(nn.CrossEntropyLoss(), nn.MSELoss(reduction="sum"), nn.BCEWithLogitsLoss())
uniform = torch.zeros(5, 46)
print(F.cross_entropy(uniform, torch.zeros(5, dtype=torch.long)), torch.tensor(46.0).log())
print(F.softmax(torch.tensor([1.0, 2.0, 3.0]), dim=0), torch.logsumexp(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), 1))
print(
    F.one_hot(torch.tensor([0, 2]), 3), F.gelu(torch.tensor([-1.0, 0.0, 2.0])), F.leaky_relu(torch.tensor([-1.0, 2.0]))
)
wrong = (
    lambda: F.cross_entropy(logits, torch.tensor([0, 1])),
    lambda: F.cross_entropy(logits, torch.tensor([0, 1, 2, 3, 4, 0])),
    lambda: F.cross_entropy(logits, target.float()),
    lambda: F.nll_loss(logits, torch.zeros(5, dtype=torch.long)),
)
for call in wrong:
    try:
        call()
    except Exception as error:
        print(type(error).__name__)
