# Names with a tree of contexts: layers as classes, a container, BatchNorm over two axes, sampling at the end.
import torch
import torch.nn.functional as F
from torch import nn

words = ["emma", "olivia", "ava", "isabella", "sophia", "mia", "amelia", "harper", "evelyn", "ella", "lila", "nora"]
letters = ["."] + sorted(set("".join(words)))
stoi = {c: i for i, c in enumerate(letters)}
block = 4
X, Y = [], []
for word in words:
    context = [0] * block
    for c in word + ".":
        X.append(context)
        Y.append(stoi[c])
        context = context[1:] + [stoi[c]]
X, Y = torch.tensor(X), torch.tensor(Y)
print(X.shape, Y[:8])


class FlattenConsecutive(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.n = n

    def forward(self, x):
        B, T, C = x.shape
        x = x.reshape(B, T // self.n, C * self.n)
        return x.squeeze(1) if x.shape[1] == 1 else x

    def extra_repr(self):
        return f"{self.n}"


class ChannelsLast(nn.BatchNorm1d):
    def forward(self, x):
        if x.ndim == 3:
            return super().forward(x.transpose(1, 2)).transpose(1, 2)
        return super().forward(x)


torch.manual_seed(42)
net = nn.Sequential(
    nn.Embedding(len(letters), 6),
    FlattenConsecutive(2), nn.Linear(12, 16, bias=False), ChannelsLast(16), nn.Tanh(),
    FlattenConsecutive(2), nn.Linear(32, 16, bias=False), ChannelsLast(16), nn.Tanh(),
    nn.Linear(16, len(letters)),
)  # fmt: skip
with torch.no_grad():
    net[-1].weight *= 0.1
print(net)
x = X[:3]
for layer in net:
    x = layer(x)
    print(f"{type(layer).__name__:18}", tuple(x.shape))
losses = []
for step in range(120):
    ix = torch.randint(0, len(X), (16,))
    loss = F.cross_entropy(net(X[ix]), Y[ix])
    for p in net.parameters():
        p.grad = None
    loss.backward()
    rate = 0.2 if step < 80 else 0.02
    for p in net.parameters():
        p.data += -rate * p.grad
    losses.append(loss.log10().item())
print(torch.tensor(losses).view(-1, 20).mean(1))
net.eval()
with torch.no_grad():
    print(f"{F.cross_entropy(net(X), Y).item():.4f}")
    for _ in range(4):
        out, context = [], [0] * block
        while len(out) < 12:
            probs = F.softmax(net(torch.tensor([context])), dim=1)
            i = torch.multinomial(probs, num_samples=1).item()
            context = context[1:] + [i]
            if i == 0:
                break
            out.append(letters[i])
        print("".join(out))
