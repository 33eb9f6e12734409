# How saturated is a deep tanh network at the start, for three sizes of the weights? Histograms as text.
import torch

torch.manual_seed(3)
x = torch.randn(512, 40)


def bar(counts):
    top = counts.max().item()
    return "".join(" .:-=+*#%@"[int(9 * c / top + 0.01)] for c in counts.tolist())


for gain in (0.5, 5 / 3, 4.0):
    h = x
    print(f"gain {gain:.2f}")
    for layer in range(5):
        W = torch.randn(40, 40) * gain / 40**0.5
        h = torch.tanh(h @ W)
        hist, edges = torch.histogram(h, bins=20, range=(-1.0, 1.0))
        saturated = (h.abs() > 0.97).float().mean() * 100
        print(
            f"layer {layer} ({h.__class__.__name__:>6s}): mean {h.mean():+.3f}, std {h.std():.3f}, "
            f"saturated: {saturated:.1f}%"
        )
        if layer == 4:
            print(hist.long().tolist())
            print("|" + bar(hist) + "|", edges[0].item(), edges[-1].item(), edges.shape, hist.dtype)

dead = (h.abs() > 0.97).all(dim=0)
print(dead.sum(), dead.dtype, dead.any(), (~dead).all().item())
bins = ((h + 1) * 4.999).long().clamp(0, 9).flatten()
counts = torch.bincount(bins, minlength=10)
print(counts, counts.sum().item() == h.numel())
values, where = h.mean(0).topk(3)
print(values.shape, where)
print((h > 0).float().mean(), (h > 0).sum(1)[:6], h.argmax(1)[:10])
print(h.var(0).min(), h.var(0, unbiased=False).max(), h.std(dim=1, keepdim=True).shape)
order = x[:, 0].sort(descending=True)
print(order.indices[:5], order.values[:5], torch.unique(bins))
print(torch.topk(x[0], 2), x[:3, :4].min(dim=0))
