# Counting bigrams, sampling from the counts, and the same model as one layer trained by gradient descent.
from itertools import pairwise

import torch
import torch.nn.functional as F

words = ["emma", "olivia", "ava", "isabella", "sophia", "mia", "amelia", "harper", "evelyn", "abigail", "emily", "ella"]
letters = ["."] + sorted(set("".join(words)))
stoi = {c: i for i, c in enumerate(letters)}
n = len(letters)
N = torch.zeros((n, n), dtype=torch.int32)
for word in words:
    chars = ["."] + list(word) + ["."]
    for a, b in pairwise(chars):
        N[stoi[a], stoi[b]] += 1
print(n, N.sum(), N[0])
p = N[0].float()
p /= p.sum()
print(p)
g = torch.Generator().manual_seed(2147483647)
print(torch.multinomial(p, num_samples=12, replacement=True, generator=g))
P = (N + 1).float()
P /= P.sum(1, keepdim=True)
print(P.shape, f"{P[0].sum():.4f}", P.std())
for _ in range(5):
    out, i = [], 0
    while True:
        i = torch.multinomial(P[i], 1, replacement=True, generator=g).item()
        if i == 0 or len(out) > 20:
            break
        out.append(letters[i])
    print("".join(out))
xs, ys = [], []
log_likelihood, count = 0.0, 0
for word in words:
    chars = ["."] + list(word) + ["."]
    for a, b in pairwise(chars):
        xs.append(stoi[a])
        ys.append(stoi[b])
        log_likelihood += torch.log(P[stoi[a], stoi[b]])
        count += 1
print(f"{count} bigrams, nll {-log_likelihood / count:.4f}")
xs, ys = torch.tensor(xs), torch.tensor(ys)
W = torch.randn((n, n), generator=g, requires_grad=True)
for k in range(60):
    xenc = F.one_hot(xs, num_classes=n).float()
    logits = xenc @ W
    counts = logits.exp()
    probs = counts / counts.sum(1, keepdim=True)
    loss = -probs[torch.arange(count), ys].log().mean() + 0.01 * (W**2).mean()
    W.grad = None
    loss.backward()
    W.data += -20 * W.grad
    if k % 12 == 0:
        print(k, f"{loss.item():.4f}")
print(f"{loss.item():.4f}", W[0, :5])
