# retain_grad on everything in between, statistics of the gradients, update-to-data ratios.
import torch
import torch.nn.functional as F

g = torch.Generator().manual_seed(7)
X = torch.randint(0, 27, (600, 3), generator=g)
Y = (X.sum(1) * 5 + 1) % 27
C = torch.randn((27, 6), generator=g)
weights = [torch.randn((a, b), generator=g) * (5 / 3) / a**0.5 for a, b in ((18, 40), (40, 40), (40, 27))]
parameters = [C, *weights]
for p in parameters:
    p.requires_grad_()

ud = []
for _ in range(200):
    ix = torch.randint(0, 600, (32,), generator=g)
    h = C[X[ix]].view(32, -1)
    outs = []
    for W in weights[:-1]:
        h = torch.tanh(h @ W)
        outs.append(h)
    logits = h @ weights[-1]
    outs.append(logits)
    loss = F.cross_entropy(logits, Y[ix])
    for out in outs:
        out.retain_grad()
    for p in parameters:
        p.grad = None
    loss.backward()
    with torch.no_grad():
        for p in parameters:
            p -= 0.1 * p.grad
        ud.append([((0.1 * p.grad).std() / p.data.std()).log10().item() for p in parameters])

for i, out in enumerate(outs):
    t = out.grad
    print(f"out {i}: mean {t.mean():+f}, std {t.std():e}, shape {tuple(t.shape)}, leaf {out.is_leaf}")
for p in parameters:
    t = p.grad
    print(f"weight {tuple(p.shape)!s:>10s} | mean {t.mean():+f} | std {t.std():e} | grad:data {t.std() / p.std():e}")
hist, edges = torch.histogram(weights[0].grad, bins=5, density=True)
print(hist.shape, edges.shape, f"{(hist * (edges[1:] - edges[:-1])).sum():.4f}")
ud = torch.tensor(ud)
print(ud.shape, ud[::50])
print(ud.mean(0), ud.std(0))
print(f"{loss.item():.4f}", loss.requires_grad, loss.grad_fn is not None, C.grad_fn)
print(C.grad.shape, C.grad.abs().sum(1).gt(0).sum().item(), logits.grad.sum(1).abs().max().item() < 1e-6)
