# Backward through BatchNorm by hand, step by step and in one formula, compared with autograd.
import torch
import torch.nn.functional as F


def cmp(name, dt, t):
    ex = torch.all(dt == t.grad).item()
    app = torch.allclose(dt, t.grad, atol=1e-6)
    maxdiff = (dt - t.grad).abs().max().item()
    print(f"{name:10s} | approximate: {app!s:5s} | small: {maxdiff < 1e-6} | {tuple(dt.shape)} {type(ex).__name__}")


n = 32
g = torch.Generator().manual_seed(2147483647)
x = torch.randn((n, 12), generator=g)
W = torch.randn((12, 24), generator=g) * 0.3
gain = torch.randn((1, 24), generator=g) * 0.1 + 1.0
bias = torch.randn((1, 24), generator=g) * 0.1
V = torch.randn((24, 10), generator=g) * 0.2
Yb = torch.randint(0, 10, (n,), generator=g)
for p in (x, W, gain, bias, V):
    p.requires_grad = True

hprebn = x @ W
bnmeani = 1 / n * hprebn.sum(0, keepdim=True)
bndiff = hprebn - bnmeani
bndiff2 = bndiff**2
bnvar = 1 / (n - 1) * bndiff2.sum(0, keepdim=True)
bnvar_inv = (bnvar + 1e-5) ** -0.5
bnraw = bndiff * bnvar_inv
hpreact = gain * bnraw + bias
h = torch.tanh(hpreact)
logits = h @ V
logit_maxes = logits.max(1, keepdim=True).values
norm_logits = logits - logit_maxes
counts = norm_logits.exp()
counts_sum = counts.sum(1, keepdims=True)
counts_sum_inv = counts_sum**-1
probs = counts * counts_sum_inv
logprobs = probs.log()
loss = -logprobs[range(n), Yb].mean()
for t in (logprobs, probs, counts, counts_sum, logits, h, hpreact, bnraw, bnvar_inv, bnvar, bndiff, hprebn, bnmeani):
    t.retain_grad()
loss.backward()
print(loss, F.cross_entropy(logits, Yb))

dlogprobs = torch.zeros_like(logprobs)
dlogprobs[range(n), Yb] = -1.0 / n
cmp("logprobs", dlogprobs, logprobs)
dprobs = (1.0 / probs) * dlogprobs
cmp("probs", dprobs, probs)
dlogits = F.softmax(logits, 1)
dlogits[range(n), Yb] -= 1
dlogits /= n
cmp("logits", dlogits, logits)
dh = dlogits @ V.T
cmp("h", dh, h)
cmp("V", h.T @ dlogits, V)
dhpreact = (1.0 - h**2) * dh
cmp("hpreact", dhpreact, hpreact)
cmp("gain", (bnraw * dhpreact).sum(0, keepdim=True), gain)
cmp("bias", dhpreact.sum(0, keepdim=True), bias)
dbnraw = gain * dhpreact
dbnvar_inv = (bndiff * dbnraw).sum(0, keepdim=True)
cmp("bnvar_inv", dbnvar_inv, bnvar_inv)
dbnvar = (-0.5 * (bnvar + 1e-5) ** -1.5) * dbnvar_inv
cmp("bnvar", dbnvar, bnvar)
dbndiff = bnvar_inv * dbnraw + (2 * bndiff) * (1.0 / (n - 1)) * torch.ones_like(bndiff2) * dbnvar
cmp("bndiff", dbndiff, bndiff)
dbnmeani = (-dbndiff).sum(0, keepdim=True)
cmp("bnmeani", dbnmeani, bnmeani)
cmp("hprebn", dbndiff.clone() + 1.0 / n * torch.ones_like(hprebn) * dbnmeani, hprebn)
short = gain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0))
cmp("in one", short, hprebn)
cmp("W", x.T @ short, W)
print(short[0, :5], W.grad[0, :5], logits.grad[0].sum().abs().item() < 1e-7)
