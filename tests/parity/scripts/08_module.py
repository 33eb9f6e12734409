# The same network with nn.Module, an optimiser and train/eval mode; what print shows of it.
import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self, symbols, width):
        super().__init__()
        self.emb = nn.Embedding(symbols, 5)
        self.fc1 = nn.Linear(15, width, bias=False)
        self.bn1 = nn.BatchNorm1d(width, momentum=0.05)
        self.act = nn.Tanh()
        self.fc2 = nn.Linear(width, symbols)
        self.register_buffer("seen", torch.tensor(0))

    def forward(self, x):
        if self.training:
            self.seen += len(x)
        h = self.act(self.bn1(self.fc1(self.emb(x).flatten(1))))
        return self.fc2(h)


torch.manual_seed(1337)
net = Net(12, 32)
print(net)
print([name for name, _ in net.named_parameters()])
print({name: tuple(t.shape) for name, t in net.state_dict().items()})
print(sum(p.numel() for p in net.parameters() if p.requires_grad))
X = torch.randint(0, 12, (500, 3))
Y = X.max(dim=1).values
optimizer = torch.optim.SGD(net.parameters(), lr=0.2)
for epoch in range(6):
    net.train()
    perm = torch.randperm(len(X))
    total = 0.0
    for start in range(0, len(X), 50):
        rows = perm[start : start + 50]
        loss = F.cross_entropy(net(X[rows]), Y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    net.eval()
    with torch.no_grad():
        accuracy = (net(X).argmax(dim=-1) == Y).float().mean().item()
    print(f"epoch {epoch}: loss {total / len(X):.4f}, accuracy {accuracy:.3f}, seen {net.seen.item()}")

print(net.bn1.running_mean[:5], net.bn1.running_var[:5], net.bn1.num_batches_tracked)
print(net.bn1.weight[:4], net.fc2.bias.grad.shape)
one = net(X[:1])
print(one, one.shape, net.training)
print(torch.allclose(net(X)[0], one[0], atol=1e-6))
other = Net(12, 32)
print(other.load_state_dict(net.state_dict()))
other.eval()
print(torch.equal(other(X[:9]), net(X[:9])), other.seen)
try:
    net.train()(X[:1])
except ValueError as error:
    print(type(error).__name__, "more than 1 value per channel" in str(error))
