"""The models of the package's golden files, written once for both libraries: L is one of them, nn holds its layers."""


def names(L, nn):
    """Embedding - Linear without bias - BatchNorm1d - tanh - Linear, float64: 3 symbols to the logits of the next."""

    class Names(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(46, 6)
            self.fc1 = nn.Linear(18, 32, bias=False)
            self.bn1 = nn.BatchNorm1d(32)
            self.fc2 = nn.Linear(32, 46)

        def forward(self, x):
            e = self.embedding(x)
            return self.fc2(L.tanh(self.bn1(self.fc1(e.view(e.shape[0], -1)))))

    return Names().to(L.float64)


def circles(L, nn):
    """2 - 16 - 8 - 2 with BatchNorm1d and ReLU, float32."""
    return nn.Sequential(
        nn.Linear(2, 16),
        nn.BatchNorm1d(16),
        nn.ReLU(),
        nn.Linear(16, 8),
        nn.BatchNorm1d(8),
        nn.ReLU(),
        nn.Linear(8, 2),
    ).to(L.float32)


def convnet(L, nn):
    """Two convolutions with BatchNorm2d, pooling, a Linear, float64: images (2, 8, 8) to the logits of 5 classes."""
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(24, 5),
    ).to(L.float64)


MODELS = {"names": names, "circles": circles, "convnet": convnet}
