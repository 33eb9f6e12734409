# BatchNorm folded into the layer before it: by hand, by torch.nn.utils.fusion, in whole models; and what refuses.
import copy

import torch
import torch.nn as nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_conv_bn_weights, fuse_linear_bn_eval

torch.manual_seed(41)


def settle(bn):
    """Statistics, gamma and beta as after some training."""
    with torch.no_grad():
        bn.running_mean.normal_(0.5, 1.0)
        bn.running_var.uniform_(0.5, 3.0)
        bn.weight.uniform_(0.5, 1.5)
        bn.bias.normal_(0, 0.5)


def fold(conv, bn):
    factor = bn.weight / torch.sqrt(bn.running_var + bn.eps)
    folded = nn.Conv2d(
        conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, conv.padding, conv.dilation, conv.groups
    )
    bias = conv.bias if conv.bias is not None else torch.zeros(conv.out_channels)
    folded.weight.data = (conv.weight * factor.reshape(-1, 1, 1, 1)).detach()
    folded.bias.data = ((bias - bn.running_mean) * factor + bn.bias).detach()
    return folded


x = torch.randn(2, 4, 9, 9)
for settings in ({}, {"bias": False}, {"stride": 2, "padding": 1}, {"groups": 2}, {"dilation": 2, "padding": (2, 1)}):
    conv, bn = nn.Conv2d(4, 6, 3, **settings), nn.BatchNorm2d(6)
    settle(bn)
    conv.eval(), bn.eval()
    before, by_hand, fused = bn(conv(x)), fold(conv, bn), fuse_conv_bn_eval(conv, bn)
    span = (before.max() - before.min()).item()
    print(settings, fused)
    print([((f(x) - before).abs().max().item() / span) < 1e-6 for f in (by_hand, fused)], fused.weight[0, 0, 0])
    print(torch.allclose(by_hand.bias, fused.bias, atol=1e-6), fused.bias.requires_grad, fused.weight.requires_grad)

linear, bn = nn.Linear(5, 3), nn.BatchNorm1d(3)
settle(bn)
linear.eval(), bn.eval()
rows = torch.randn(4, 5)
fused = fuse_linear_bn_eval(linear, bn)
print(fused, torch.allclose(fused(rows), bn(linear(rows)), atol=1e-6), fused.bias)
weight, bias = fuse_conv_bn_weights(conv.weight, None, torch.zeros(6), torch.ones(6), 0.0, None, None)
print(type(weight).__name__, torch.equal(weight, conv.weight), bias.abs().max().item())


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(4, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
            nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        )  # fmt: skip
        self.classifier = nn.Sequential(nn.Linear(8, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 2))

    def forward(self, x):
        return self.classifier(torch.amax(self.features(x), (2, 3)))


def fuse_model(model):
    """Replace every pair in a Sequential; what is left of the BatchNorm is an Identity."""
    model = copy.deepcopy(model).eval()
    for container in model.modules():
        if not isinstance(container, nn.Sequential):
            continue
        for i in range(len(container) - 1):
            first, second = container[i], container[i + 1]
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                container[i], container[i + 1] = fuse_conv_bn_eval(first, second), nn.Identity()
            elif isinstance(first, nn.Linear) and isinstance(second, nn.BatchNorm1d):
                container[i], container[i + 1] = torch.nn.utils.fuse_linear_bn_eval(first, second), nn.Identity()
    return model


model = Model()
for m in model.modules():
    if isinstance(m, nn.modules.batchnorm._BatchNorm):
        settle(m)
model.eval()
small = fuse_model(model)
print(small)
with torch.no_grad():
    print(torch.allclose(model(x), small(x), atol=1e-5), small(x))
print(len(model.state_dict()), len(small.state_dict()), [k for k in small.state_dict() if "features" in k])
same = nn.Sequential(*(m for m in small.features if not isinstance(m, nn.Identity)))
print(len(same), torch.equal(same(x), small.features(x)))
for bad in (
    lambda: fuse_conv_bn_eval(nn.Conv2d(4, 6, 3), bn),
    lambda: fuse_linear_bn_eval(nn.Linear(5, 3), nn.BatchNorm1d(3)),
):
    try:
        bad()
    except AssertionError as error:
        print(type(error).__name__)
