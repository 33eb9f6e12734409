# One head of self-attention by hand: matrix products in batches, a mask, softmax, averages of the past three ways.
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(1337)
B, T, C = 2, 5, 4
x = torch.randn(B, T, C)
means = torch.zeros(B, T, C)
for b in range(B):
    for t in range(T):
        means[b, t] = x[b, : t + 1].mean(0)
lower = torch.tril(torch.ones(T, T))
print(lower)
print(torch.allclose(means, (lower / lower.sum(1, keepdim=True)) @ x, atol=1e-6))
wei = torch.zeros(T, T).masked_fill(lower == 0, float("-inf"))
wei = F.softmax(wei, dim=-1)
print(torch.allclose(means, wei @ x, atol=1e-6), wei[2])


class Head(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.key = nn.Linear(C, size, bias=False)
        self.query = nn.Linear(C, size, bias=False)
        self.value = nn.Linear(C, size, bias=False)
        self.register_buffer("tril", torch.tril(torch.ones(T, T)))

    def forward(self, x):
        k, q = self.key(x), self.query(x)
        wei = q @ k.transpose(-2, -1) * k.shape[-1] ** -0.5
        wei = wei.masked_fill(self.tril == 0, float("-inf"))
        wei = wei.softmax(dim=-1)
        self.wei = wei.detach()
        return wei @ self.value(x)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.heads = nn.ModuleList([Head(2) for _ in range(2)])
        self.proj = nn.Linear(4, C)
        self.ln1, self.ln2 = nn.LayerNorm(C), nn.LayerNorm(C)
        self.mlp = nn.Sequential(nn.Linear(C, 4 * C), nn.GELU(), nn.Linear(4 * C, C))

    def forward(self, x):
        y = self.ln1(x)
        x = x + self.proj(torch.cat([h(y) for h in self.heads], dim=-1))
        return x + self.mlp(self.ln2(x))


block = Block()
print(block)
y = block(x)
print(y.shape, block.heads[0].wei[0])
later = x.clone()
later[:, 3:] += 1
print((block(later) - y).abs().amax((0, 2)) > 0)
y.square().mean().backward()
print({name: f"{p.grad.norm().item():.4f}" for name, p in block.named_parameters()})
print(torch.bmm(x, x.transpose(1, 2)).shape, (x @ x.mT)[0, 0])
target = torch.randint(0, C, (B, T))
optimizer = torch.optim.AdamW(block.parameters(), lr=0.02)
for step in range(30):
    logits = block(x)
    loss = F.cross_entropy(logits.view(B * T, C), target.view(B * T))
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    if step % 10 == 9:
        print(step, f"{loss.item():.4f}")
