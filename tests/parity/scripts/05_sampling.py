# A bigram table counted, then sampled with a generator of its own.
import torch

words = open("data/prenoms.txt", encoding="utf-8").read().splitlines()[:3000]
chars = sorted(set("".join(words)))
stoi = {s: i + 1 for i, s in enumerate(chars)}
stoi["."] = 0
itos = {i: s for s, i in stoi.items()}
V = len(stoi)

N = torch.zeros((V, V), dtype=torch.int32)
for w in words:
    for ch1, ch2 in zip("." + w, w + "."):
        N[stoi[ch1], stoi[ch2]] += 1
print(N.dtype, N.shape, N.sum(), N[0, 1:11])
print(N[3, 5].item(), N[:, 0].float().mean())

P = (N + 1).float()
P /= P.sum(1, keepdim=True)
print(P[0].sum(), P.sum(), P[:3, :6])

g = torch.Generator().manual_seed(2147483647)
for _ in range(12):
    out, ix = [], 0
    while True:
        ix = torch.multinomial(P[ix], num_samples=1, replacement=True, generator=g).item()
        if ix == 0:
            break
        out.append(itos[ix])
    print("".join(out))

log_likelihood, n = 0.0, 0
for w in words[:200]:
    for ch1, ch2 in zip("." + w, w + "."):
        log_likelihood += torch.log(P[stoi[ch1], stoi[ch2]])
        n += 1
print(f"{log_likelihood=}")
print(f"{-log_likelihood / n}", n)

g = torch.Generator().manual_seed(1)
p = torch.rand(3, generator=g)
p = p / p.sum()
print(p, torch.multinomial(p, 20, replacement=True, generator=g))
print(torch.multinomial(torch.ones(2, 6), 6, generator=g))
print(torch.randperm(8, generator=g), torch.randint(-3, 3, (2, 4), generator=g))
print(torch.bernoulli(torch.full((10,), 0.3), generator=g))
torch.manual_seed(5)
print(torch.rand(2, 2), torch.randn(3), torch.normal(1.0, 2.0, (2,)), torch.randn(20)[16:])
print(torch.initial_seed(), g.initial_seed())
