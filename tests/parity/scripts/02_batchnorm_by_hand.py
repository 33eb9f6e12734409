# BatchNorm with raw tensors: mean and std over the batch, gain and bias, running statistics under no_grad.
import torch
import torch.nn.functional as F

words = open("data/prenoms.txt", encoding="utf-8").read().splitlines()[:1500]
chars = ["."] + sorted(set("".join(words)))
stoi = {s: i for i, s in enumerate(chars)}
pairs = [("..." + w + ".")[i : i + 4] for w in words for i in range(len(w) + 1)]
data = torch.tensor([[stoi[s] for s in p] for p in pairs])
X, Y = data[:, :3], data[:, 3]
print(X.shape, Y.shape, X.is_contiguous())

torch.manual_seed(42)
V, hidden = len(chars), 64
C = torch.randn((V, 8))
W1 = torch.randn((24, hidden)) * 0.2
W2 = torch.randn((hidden, V)) * 0.01
b2 = torch.randn(V) * 0
bngain = torch.ones((1, hidden))
bnbias = torch.zeros((1, hidden))
bnmean_running = torch.zeros((1, hidden))
bnstd_running = torch.ones((1, hidden))
parameters = [C, W1, W2, b2, bngain, bnbias]
for p in parameters:
    p.requires_grad = True

lossi = []
for i in range(400):
    ix = torch.randint(0, X.shape[0], (32,))
    Xb, Yb = X[ix], Y[ix]
    emb = C[Xb]
    embcat = emb.view(emb.shape[0], -1)
    hpreact = embcat @ W1
    bnmeani = hpreact.mean(0, keepdim=True)
    bnstdi = hpreact.std(0, keepdim=True)
    hpreact = bngain * (hpreact - bnmeani) / bnstdi + bnbias
    with torch.no_grad():
        bnmean_running = 0.99 * bnmean_running + 0.01 * bnmeani
        bnstd_running = 0.99 * bnstd_running + 0.01 * bnstdi
    h = torch.tanh(hpreact)
    logits = h @ W2 + b2
    loss = F.cross_entropy(logits, Yb)
    for p in parameters:
        p.grad = None
    loss.backward()
    lr = 0.1 if i < 300 else 0.01
    for p in parameters:
        p.data += -lr * p.grad
    lossi.append(loss.log10().item())
    if i % 50 == 0:
        print(f"{i:7d}/{400:7d}: {loss.item():.4f}")

print(torch.tensor(lossi).view(-1, 50).mean(1))
print(bngain.data[0, :8], bnbias[0, :3])
print(bnmeani.requires_grad, bnmean_running.requires_grad, bnmean_running.shape)
with torch.no_grad():
    hpreact = C[X].view(X.shape[0], -1) @ W1
    bnmean, bnstd = hpreact.mean(0, keepdim=True), hpreact.std(0, keepdim=True)
    for mean, std in ((bnmean, bnstd), (bnmean_running, bnstd_running)):
        h = torch.tanh(bngain * (hpreact - mean) / std + bnbias)
        print(F.cross_entropy(h @ W2 + b2, Y).item())
    print((bnmean - bnmean_running).abs().max().item(), ((bnstd / bnstd_running) - 1).abs().mean().item())
