# The first network of the names lesson: raw tensors, a cross-entropy written out, a step written out.
import random

import torch
import torch.nn.functional as F

words = open("data/prenoms.txt", encoding="utf-8").read().splitlines()
chars = sorted(set("".join(words)))
stoi = {s: i + 1 for i, s in enumerate(chars)}
stoi["."] = 0
print(len(words), len(stoi))


def build_dataset(words, block_size=3):
    X, Y = [], []
    for w in words:
        context = [0] * block_size
        for ch in w + ".":
            X.append(context)
            Y.append(stoi[ch])
            context = context[1:] + [stoi[ch]]
    X, Y = torch.tensor(X), torch.tensor(Y)
    print(X.shape, Y.shape, X.dtype)
    return X, Y


random.seed(42)
random.shuffle(words)
Xtr, Ytr = build_dataset(words[:2000])
Xdev, Ydev = build_dataset(words[2000:2400])
print(Xtr[:5], Ytr[:5])

g = torch.Generator().manual_seed(2147483647)
C = torch.randn((46, 10), generator=g)
W1 = torch.randn((30, 100), generator=g) * (5 / 3) / 30**0.5
b1 = torch.randn(100, generator=g) * 0.01
W2 = torch.randn((100, 46), generator=g) * 0.01
b2 = torch.randn(46, generator=g) * 0
parameters = [C, W1, b1, W2, b2]
print(sum(p.nelement() for p in parameters))
for p in parameters:
    p.requires_grad = True

for i in range(300):
    ix = torch.randint(0, Xtr.shape[0], (32,), generator=g)
    emb = C[Xtr[ix]]
    h = torch.tanh(emb.view(-1, 30) @ W1 + b1)
    logits = h @ W2 + b2
    counts = logits.exp()
    prob = counts / counts.sum(1, keepdim=True)
    loss = -prob[torch.arange(32), Ytr[ix]].log().mean()
    for p in parameters:
        p.grad = None
    loss.backward()
    for p in parameters:
        p.data += -0.1 * p.grad
    if i % 50 == 0:
        print(f"{i:7d}: {loss.item():.4f} {F.cross_entropy(logits, Ytr[ix]).item():.4f}")

print(emb.shape, h.shape, logits.shape)
print(loss)
with torch.no_grad():
    for X, Y in ((Xtr, Ytr), (Xdev, Ydev)):
        logits = torch.tanh(C[X].view(X.shape[0], -1) @ W1 + b1) @ W2 + b2
        print(F.cross_entropy(logits, Y))
