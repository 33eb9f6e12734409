# Fine-tuning: a trained network gets a new head; BatchNorm frozen in the ways that people write it.
import copy

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

torch.manual_seed(35)
backbone = nn.Sequential(
    nn.Conv2d(3, 6, 3, padding=1, bias=False),
    nn.BatchNorm2d(6),
    nn.ReLU(),
    nn.Conv2d(6, 8, 3, stride=2, padding=1, bias=False),
    nn.BatchNorm2d(8),
    nn.ReLU(),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.BatchNorm1d(8),
)
with torch.no_grad():
    for _ in range(10):  # "pretraining": the running statistics settle
        backbone(torch.randn(16, 3, 8, 8) + 1)
print([f"{name}: {b.mean().item():.3f}" for name, b in backbone.named_buffers() if b.dtype.is_floating_point])


def freeze_by_loop(model):
    for m in model.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.eval()
            m.weight.requires_grad = False
            m.bias.requires_grad = False


def freeze_all_kinds(model):
    for m in model.modules():
        if isinstance(m, _BatchNorm):
            m.eval()
            for p in m.parameters():
                p.requires_grad_(False)


def freeze_by_apply(model):
    def set_bn_eval(m):
        classname = m.__class__.__name__
        if classname.find("BatchNorm") != -1:
            m.eval()

    model.apply(set_bn_eval)


def freeze_by_type(model):
    for _name, m in model.named_modules():
        if isinstance(m, nn.modules.batchnorm._BatchNorm):
            m.track_running_stats, m.momentum = True, 0.0


def freeze_nothing(model):
    pass


class FineTuned(nn.Module):
    """train() keeps BatchNorm in eval mode."""

    def __init__(self, features, classes, freeze):
        super().__init__()
        self.features, self.freeze = features, freeze
        self.classifier = nn.Linear(8, classes)

    def train(self, mode=True):
        super().train(mode)
        if mode:
            self.freeze(self.features)
        return self

    def forward(self, x):
        return self.classifier(self.features(x))


images = torch.randn(12, 3, 8, 8) * 2 - 1  # another camera
labels = torch.randint(0, 3, (12,))
for freeze in (freeze_nothing, freeze_by_loop, freeze_all_kinds, freeze_by_apply, freeze_by_type):
    torch.manual_seed(0)
    model = FineTuned(copy.deepcopy(backbone), 3, freeze)
    before = copy.deepcopy(model.state_dict())
    model.train()
    trainable = filter(lambda p: p.requires_grad, model.parameters())
    optimizer = torch.optim.Adam(trainable, lr=1e-2)
    for _ in range(3):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
    after = model.state_dict()
    moved = [key for key in before if not torch.equal(before[key], after[key])]
    still = [key for key in before if key not in moved]
    print(f"{freeze.__name__:16} loss {loss.item():.4f}, still: {still}")
    print([m.training for m in model.modules() if isinstance(m, _BatchNorm)], len(list(trainable)))
    model.eval()
    print(model(images[:1]))
for name, p in model.named_parameters():
    p.requires_grad = name.startswith("classifier")
print([name for name, p in model.named_parameters() if p.requires_grad])
model.zero_grad()
nn.functional.cross_entropy(model(images), labels).backward()
print([name for name, p in model.named_parameters() if p.grad is not None])
print(isinstance(nn.BatchNorm1d(2), _BatchNorm), isinstance(nn.GroupNorm(1, 2), _BatchNorm))
missing, unexpected = model.load_state_dict({k: v for k, v in before.items() if "classifier" not in k}, strict=False)
print(missing, unexpected)
