"""Both experiments in plain PyTorch, written from their description; nothing of minitorch_bn is used here.

The circles: two rings of 2,000 points, a 2-64-32-2 network with ReLU, SGD on all points at once. The names: three
symbols of context, an embedding, a hidden layer with BatchNorm and tanh, batches of 32 from the default generator.

The tests import the functions; the long run is a process of its own, which writes what it measured as JSON:

    python tests/parity/reference.py names.json --steps 200000 --seed 42
"""

import argparse
import json
import random
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

PRENOMS = Path(__file__).resolve().parents[2] / "data" / "prenoms.txt"


# ---- circles


class Circles(nn.Module):
    """2 - 64 - 32 - 2 with ReLU; BatchNorm1d between Linear and ReLU if asked for."""

    def __init__(self, batch_norm):
        super().__init__()
        self.batch_norm = batch_norm
        self.fc1 = nn.Linear(2, 64)
        if batch_norm:
            self.bn1 = nn.BatchNorm1d(64)
        self.fc2 = nn.Linear(64, 32)
        if batch_norm:
            self.bn2 = nn.BatchNorm1d(32)
        self.fc3 = nn.Linear(32, 2)

    def forward(self, x):
        if self.batch_norm:
            x = F.relu(self.bn1(self.fc1(x)))
            x = F.relu(self.bn2(self.fc2(x)))
        else:
            x = F.relu(self.fc1(x))
            x = F.relu(self.fc2(x))
        return self.fc3(x)


def circles_data(dtype=torch.float32):
    """x_train, x_test, y_train, y_test."""
    from sklearn.datasets import make_circles
    from sklearn.model_selection import train_test_split

    x, y = make_circles(n_samples=2000, noise=0.1, factor=0.4, random_state=42)
    x, y = torch.tensor(x, dtype=dtype), torch.tensor(y, dtype=torch.long)
    return train_test_split(x, y, test_size=0.3, random_state=42)


def circles_net(seed, batch_norm, dtype=torch.float32):
    """The network as the seed makes it: drawn in float32, then turned into `dtype`."""
    torch.manual_seed(seed)
    return Circles(batch_norm).to(dtype)


def run_circles(seed=0, batch_norm=True, dtype=torch.float32, lr=0.1, epochs=500):
    """Losses (epochs), test accuracies (epochs), and the test points' logit differences, class 1 minus class 0."""
    x_train, x_test, y_train, y_test = circles_data(dtype)
    net = circles_net(seed, batch_norm, dtype)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    losses, accuracies, margins = [], [], []
    for _ in range(epochs):
        net.train()
        loss = criterion(net(x_train), y_train)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        net.eval()
        with torch.no_grad():
            logits = net(x_test)
        predicted = torch.max(logits, dim=1)[1]
        accuracies.append((predicted == y_test).sum().item() / len(y_test))
        margins.append((logits[:, 1] - logits[:, 0]).tolist())
    return losses, accuracies, margins


# ---- names


class Names(nn.Module):
    """Embedding(46, 10) - Linear(30, 200) - BatchNorm1d(200) - tanh - Linear(200, 46)."""

    def __init__(self, batch_norm=True, symbols=46):
        super().__init__()
        self.embedding = nn.Embedding(symbols, 10)
        self.fc1 = nn.Linear(30, 200, bias=not batch_norm)
        if batch_norm:
            self.bn1 = nn.BatchNorm1d(200)
        self.batch_norm = batch_norm
        self.fc2 = nn.Linear(200, symbols)

    def forward(self, x):
        h = self.fc1(self.embedding(x).view(x.shape[0], 30))
        if self.batch_norm:
            h = self.bn1(h)
        return self.fc2(torch.tanh(h))


def names_data():
    """{"train": (X, Y), "dev": (X, Y), "test": (X, Y)}, built letter by letter."""
    words = PRENOMS.read_text(encoding="utf-8").splitlines()
    chars = sorted(set("".join(words)))
    stoi = {s: i + 1 for i, s in enumerate(chars)}
    stoi["."] = 0

    def build_dataset(words):
        X, Y = [], []
        for w in words:
            context = [0] * 3
            for ch in w + ".":
                X.append(context)
                Y.append(stoi[ch])
                context = context[1:] + [stoi[ch]]
        return torch.tensor(X), torch.tensor(Y)

    random.seed(42)
    random.shuffle(words)
    n1, n2 = int(0.8 * len(words)), int(0.9 * len(words))
    return {
        "train": build_dataset(words[:n1]),
        "dev": build_dataset(words[n1:n2]),
        "test": build_dataset(words[n2:]),
    }


def names_net(seed, batch_norm=True, dtype=torch.float32):
    """The network as the seed makes it: drawn in float32, then turned into `dtype`."""
    torch.manual_seed(seed)
    return Names(batch_norm).to(dtype)


def run_names(data, steps, seed=42, batch_norm=True, dtype=torch.float32):
    """Train for `steps`, with the rate 0.1 in the first half, then 0.01; give the loss of every batch and the net."""
    X, Y = data["train"]
    net = names_net(seed, batch_norm, dtype)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    losses = []
    for i in range(steps):
        if i == steps // 2:
            optimizer.param_groups[0]["lr"] = 0.01
        ix = torch.randint(0, X.shape[0], (32,))
        loss = F.cross_entropy(net(X[ix]), Y[ix])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, net


@torch.no_grad()
def whole_loss(net, X, Y):
    """Mean loss in nats over all examples, in eval mode."""
    net.eval()
    return F.cross_entropy(net(X), Y).item()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--steps", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--without", action="store_true", help="without BatchNorm")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    data = names_data()
    losses, net = run_names(data, arguments.steps, arguments.seed, not arguments.without)
    final = {part: whole_loss(net, X, Y) for part, (X, Y) in data.items()}
    arguments.output.write_text(json.dumps({"losses": losses, "final": final}))


if __name__ == "__main__":
    main()
