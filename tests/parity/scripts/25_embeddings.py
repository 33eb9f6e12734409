# Embeddings: rows of a table, their gradients, padding, bags of words, the pretrained, the frozen.
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(25)
emb = nn.Embedding(7, 3, padding_idx=0)
print(emb, emb.weight)
codes = torch.tensor([[1, 2, 2], [3, 0, 0]])
out = emb(codes)
print(out.shape, out[1])
out.sum().backward()
print(emb.weight.grad)
lengths = (codes != 0).sum(1, keepdim=True)
print(lengths, (emb(codes).sum(1) / lengths))
table = torch.arange(12.0).reshape(4, 3)
print(torch.equal(F.embedding(torch.tensor([3, 1]), table), table[torch.tensor([3, 1])]))
print(torch.equal(table[[3, 1]], F.one_hot(torch.tensor([3, 1]), 4).float() @ table))
given = nn.Embedding.from_pretrained(table)
print(given.weight.requires_grad, given(torch.tensor([2])), list(given.state_dict()))
small = nn.Embedding(5, 2, max_norm=1.0)
print(small(torch.arange(5)).norm(dim=1) <= 1.0 + 1e-6)
words = ["a cat sat", "the dog ran", "a dog sat", "the cat ran fast", "fast dog", "a slow cat"]
labels = torch.tensor([0, 1, 1, 0, 1, 0])
vocabulary = {w: i + 1 for i, w in enumerate(sorted({w for line in words for w in line.split()}))}
longest = max(len(line.split()) for line in words)
rows = torch.zeros(len(words), longest, dtype=torch.long)
for i, line in enumerate(words):
    for j, w in enumerate(line.split()):
        rows[i, j] = vocabulary[w]
print(rows)


class Bag(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(len(vocabulary) + 1, 4, padding_idx=0)
        self.out = nn.Linear(4, 2)

    def forward(self, x):
        mask = (x != 0).unsqueeze(-1)
        mean = (self.embedding(x) * mask).sum(1) / mask.sum(1)
        return self.out(mean)


net = Bag()
optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
for step in range(60):
    loss = F.cross_entropy(net(rows), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 20 == 19:
        print(step, f"{loss.item():.4f}")
print(net(rows).argmax(1), net.embedding.weight[0])
try:
    emb(torch.tensor([7]))
except IndexError as error:
    print(type(error).__name__)
