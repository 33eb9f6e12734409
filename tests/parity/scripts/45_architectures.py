# Five small convnets in the style of well-known ones: VGG from a list, AlexNet's LRN, DenseNet, MobileNet, MLP-Mixer.
import torch
import torch.nn as nn
import torch.nn.functional as F

cfg = {"A": [4, "M", 8, 8, "M"], "B": [4, 4, "M", 8, "M"]}


def make_layers(cfg, batch_norm=False):
    layers, in_channels = [], 3
    for v in cfg:
        if v == "M":
            layers += [nn.MaxPool2d(kernel_size=2, stride=2)]
        else:
            conv2d = nn.Conv2d(in_channels, v, kernel_size=3, padding=1)
            layers += (
                [conv2d, nn.BatchNorm2d(v), nn.ReLU(inplace=True)] if batch_norm else [conv2d, nn.ReLU(inplace=True)]
            )
            in_channels = v
    return nn.Sequential(*layers)


class VGG(nn.Module):
    def __init__(self, features, num_classes=3):
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((2, 2))
        self.classifier = nn.Sequential(
            nn.Linear(8 * 2 * 2, 16), nn.ReLU(True), nn.Dropout(), nn.Linear(16, num_classes)
        )

    def forward(self, x):
        x = self.avgpool(self.features(x))
        return self.classifier(x.view(x.size(0), -1))


class AlexLike(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Conv2d(3, 6, kernel_size=5, stride=2, padding=2), nn.ReLU(),
            nn.LocalResponseNorm(size=5, alpha=1e-2, beta=0.75, k=2.0), nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.Conv2d(6, 6, 3, padding=1, groups=2), nn.ReLU(), nn.LocalResponseNorm(3), nn.AvgPool2d(2, padding=1),
            nn.Flatten(), nn.Linear(54, 3),
        )  # fmt: skip


class DenseLayer(nn.Module):
    def __init__(self, channels, growth):
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(channels), nn.Conv2d(channels, 2 * growth, 1, bias=False)
        self.norm2, self.conv2 = nn.BatchNorm2d(2 * growth), nn.Conv2d(2 * growth, growth, 3, padding=1, bias=False)

    def forward(self, *features):
        x = torch.cat(features, 1)
        x = self.conv1(F.relu(self.norm1(x)))
        return self.conv2(F.relu(self.norm2(x)))


class DenseNet(nn.Module):
    def __init__(self, growth=3, layers=3):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1, stride=2, bias=False)
        for i in range(layers):
            self.add_module(f"dense{i + 1}", DenseLayer(4 + i * growth, growth))
        self.layers = layers
        self.norm = nn.BatchNorm2d(4 + layers * growth)
        self.head = nn.Linear(4 + layers * growth, 3)

    def forward(self, x):
        features = [self.stem(x)]
        for i in range(self.layers):
            features.append(getattr(self, f"dense{i + 1}")(*features))
        x = F.relu(self.norm(torch.cat(features, 1)), inplace=True)
        return self.head(F.adaptive_avg_pool2d(x, 1).squeeze(-1).squeeze(-1))


class ConvBNReLU(nn.Sequential):
    def __init__(self, c_in, c_out, kernel_size=3, stride=1, groups=1):
        super().__init__(
            nn.Conv2d(c_in, c_out, kernel_size, stride, (kernel_size - 1) // 2, groups=groups, bias=False),
            nn.BatchNorm2d(c_out, momentum=0.01, eps=1e-3),
            nn.ReLU6(inplace=True),
        )


class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, stride, expand):
        super().__init__()
        hidden = c_in * expand
        self.use_res = stride == 1 and c_in == c_out
        layers = [ConvBNReLU(c_in, hidden, kernel_size=1)] if expand != 1 else []
        layers += [ConvBNReLU(hidden, hidden, stride=stride, groups=hidden), nn.Conv2d(hidden, c_out, 1, bias=False)]
        self.conv = nn.Sequential(*layers, nn.BatchNorm2d(c_out))

    def forward(self, x):
        return x + self.conv(x) if self.use_res else self.conv(x)


def mobilenet():
    settings = [[1, 4, 1, 1], [3, 6, 2, 2]]
    layers, channels = [ConvBNReLU(3, 4, stride=2)], 4
    for t, c, n, s in settings:
        for i in range(n):
            layers.append(InvertedResidual(channels, c, s if i == 0 else 1, expand=t))
            channels = c
    return nn.Sequential(*layers, ConvBNReLU(channels, 12, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 3))


class Mixer(nn.Module):
    def __init__(self, patches=16, dim=8):
        super().__init__()
        self.embed = nn.Conv2d(3, dim, kernel_size=4, stride=4)
        self.norms = nn.ModuleList([nn.LayerNorm(dim) for _ in range(3)])
        self.tokens = nn.Sequential(nn.Linear(patches, 12), nn.SiLU(), nn.Linear(12, patches))
        self.channels = nn.Sequential(nn.Linear(dim, 12), nn.GELU(approximate="tanh"), nn.Linear(12, dim))
        self.gain = nn.ParameterList([nn.Parameter(torch.full((dim,), 0.5)) for _ in range(2)])
        self.head = nn.Linear(dim, 3)

    def forward(self, x):
        x = self.embed(x).flatten(2).transpose(1, 2)
        x = x + self.gain[0] * self.tokens(self.norms[0](x).permute(0, 2, 1)).permute(0, 2, 1)
        x = x + self.gain[1] * self.channels(self.norms[1](x))
        return self.head(self.norms[2](x).mean(dim=1))


torch.manual_seed(45)
x, y = torch.randn(12, 3, 16, 16), torch.arange(12) % 3
x[range(12), y] += 1
models = {
    "VGG": lambda: VGG(make_layers(cfg["A"])),
    "VGG with BatchNorm": lambda: VGG(make_layers(cfg["B"], batch_norm=True)),
    "AlexNet": AlexLike,
    "DenseNet": DenseNet,
    "MobileNet": mobilenet,
    "Mixer": Mixer,
}
for name, make in models.items():
    torch.manual_seed(1)
    model = make()
    print(f"{name}: {sum(p.numel() for p in model.parameters())} parameters, {len(list(model.modules()))} modules")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, dampening=0.1)
    scheduler = torch.optim.lr_scheduler.SequentialLR(
        optimizer,
        [
            torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=2),
            torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9),
        ],
        milestones=[2],
    )
    history = []
    for _ in range(5):
        model.train()
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        history.append(f"{loss.item():.3f}")
    print("  ", *history, f"rate {scheduler.get_last_lr()[0]:.5f}")
    model.eval()
    with torch.no_grad():
        logits = model(x[:3])
    print("  ", logits.softmax(-1).max(-1).values, logits.argmax(1).tolist())
    largest = max(model.named_parameters(), key=lambda item: item[1].grad.norm().item())
    print("  ", largest[0], f"{largest[1].grad.norm().item():.3f}")
print(models["MobileNet"]()[1])
print(AlexLike())
print(VGG(make_layers(cfg["A"])).features[:3])
