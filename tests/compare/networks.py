"""Networks for the comparisons: one definition for both libraries, in which a layer's class can be replaced."""

import numpy as np


def names(L, dtype="float64", hidden=24, **layers):
    """The names network, small, with a square Linear in the middle; layers: Linear=, BatchNorm1d=, Embedding=."""
    nn = L.nn
    linear, norm = layers.get("Linear", nn.Linear), layers.get("BatchNorm1d", nn.BatchNorm1d)
    embedding = layers.get("Embedding", nn.Embedding)

    class Names(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = embedding(46, 4)
            self.fc1 = nn.Linear(12, hidden, bias=False)
            self.bn1 = norm(hidden)
            self.fc2 = linear(hidden, hidden)
            self.fc3 = nn.Linear(hidden, 46)

        def forward(self, x):
            h = L.tanh(self.bn1(self.fc1(self.embedding(x).view(x.shape[0], -1))))
            return self.fc3(L.tanh(self.fc2(h)))

    return Names().to(getattr(L, dtype))


def convnet(L, dtype="float64", **layers):
    """Two convolutions with BatchNorm, pooling and a Linear; layers: Conv2d=, BatchNorm2d=."""
    nn = L.nn
    conv, norm = layers.get("Conv2d", nn.Conv2d), layers.get("BatchNorm2d", nn.BatchNorm2d)

    class Convnet(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = conv(2, 4, 3, padding=1)
            self.bn1 = norm(4)
            self.relu = nn.ReLU()
            self.pool = nn.AvgPool2d(2)
            self.conv2 = nn.Conv2d(4, 6, 3)
            self.fc = nn.Linear(6 * 2 * 2, 5)

        def forward(self, x):
            h = self.pool(self.relu(self.bn1(self.conv1(x))))
            return self.fc(L.tanh(self.conv2(h)).flatten(1))

    return Convnet().to(getattr(L, dtype))


def names_batches(seed=0, n=16):
    """A function of the step that gives (x, y), drawn anew at each call with the same seed for the same step."""

    def batch(step):
        rng = np.random.default_rng([seed, step])
        return rng.integers(0, 46, (n, 3)), rng.integers(0, 46, n)

    return batch


def image_batches(seed=0, n=6):
    """As names_batches, with images of (2, 8, 8) and five classes."""

    def batch(step):
        rng = np.random.default_rng([seed, step])
        return rng.normal(size=(n, 2, 8, 8)), rng.integers(0, 5, n)

    return batch


def unsettle(torch, model, seed=0):
    """Give PyTorch's model values under which every term of a formula shows: no gamma of 1, no bias of 0."""
    generator = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        if p.ndim > 1:
            fan_in = p[0].numel()
            p.data.copy_(torch.randn(p.shape, generator=generator, dtype=p.dtype) / fan_in**0.5)
        else:
            spread = torch.rand(p.shape, generator=generator, dtype=p.dtype)
            p.data.copy_(0.5 + 1.5 * spread if name.endswith("weight") else spread - 0.5)
    for name, b in model.named_buffers():
        if b.is_floating_point():
            b.copy_(torch.rand(b.shape, generator=generator, dtype=b.dtype) + (0.5 if "var" in name else 0.0))
    return model
