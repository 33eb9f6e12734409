"""The two networks of the course, small, trained for a few steps on a device: every loss, and what was learnt."""

import minitorch_bn as mt
from minitorch_bn import nn

F = nn.functional


class Names(nn.Module):
    """Three letters in, the next one out: embedding, BatchNorm, tanh."""

    def __init__(self, **where):
        super().__init__()
        self.embedding = nn.Embedding(46, 10, **where)
        self.hidden = nn.Linear(30, 50, bias=False, **where)
        self.bn = nn.BatchNorm1d(50, **where)
        self.out = nn.Linear(50, 46, **where)

    def forward(self, x):
        e = self.embedding(x)
        return self.out(mt.tanh(self.bn(self.hidden(e.view(e.shape[0], -1)))))


def circles(**where):
    """Two coordinates in, inside or outside out."""
    return nn.Sequential(
        *(nn.Linear(2, 32, **where), nn.BatchNorm1d(32, **where), nn.ReLU()),
        *(nn.Linear(32, 16, **where), nn.BatchNorm1d(16, **where), nn.ReLU()),
        nn.Linear(16, 2, **where),
    )


def train(model, x, y, batch, steps, rate=0.1):
    """Losses of SGD steps on random rows (all rows if `batch` is None); x and y lie where the model lies."""
    optimiser = mt.optim.SGD(model.parameters(), lr=rate, momentum=0.5)
    losses = []
    for _ in range(steps):
        rows = slice(None) if batch is None else mt.randint(0, len(x), (batch,), device=x.device)
        loss = F.cross_entropy(model(x[rows]), y[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def train_names(device, steps=6):
    """(losses, model) of the names network."""
    mt.manual_seed(2)
    model = Names(device=device)
    x, y = mt.randint(0, 46, (500, 3), device=device), mt.randint(0, 46, (500,), device=device)
    return train(model, x, y, 32, steps), model


def train_circles(device, steps=6):
    """(losses, model) of the circles network."""
    mt.manual_seed(3)
    model = circles(device=device)
    x = mt.randn(200, 2)
    y = ((x * x).sum(1) > 1.4).long()
    return train(model, x.to(device), y.to(device), None, steps), model


RUNS = {"names": train_names, "circles": train_circles}
