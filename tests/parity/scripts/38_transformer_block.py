# A transformer from Linear layers: attention by matmul and softmax, LayerNorm before and after, RMSNorm; next letters.
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(38)


class SelfAttention(nn.Module):
    def __init__(self, dim, heads, dropout=0.0):
        super().__init__()
        assert dim % heads == 0
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.proj = nn.Linear(dim, dim)
        self.attn_drop, self.resid_drop = nn.Dropout(dropout), nn.Dropout(dropout)
        self.register_buffer("mask", torch.tril(torch.ones(16, 16)).view(1, 1, 16, 16), persistent=False)

    def forward(self, x):
        B, T, C = x.size()
        q, k, v = self.qkv(x).split(C, dim=2)
        q, k, v = (t.view(B, T, self.heads, C // self.heads).transpose(1, 2) for t in (q, k, v))
        att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
        att = att.masked_fill(self.mask[:, :, :T, :T] == 0, float("-inf"))
        att = self.attn_drop(F.softmax(att, dim=-1))
        y = (att @ v).transpose(1, 2).contiguous().view(B, T, C)
        return self.resid_drop(self.proj(y))


class Block(nn.Module):
    def __init__(self, dim, heads, norm, first):
        super().__init__()
        self.ln1, self.ln2, self.first = norm(dim), norm(dim), first
        self.attn = SelfAttention(dim, heads, dropout=0.1)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim), nn.Dropout(0.1))

    def forward(self, x):
        if self.first:
            x = x + self.attn(self.ln1(x))
            return x + self.mlp(self.ln2(x))
        x = self.ln1(x + self.attn(x))
        return self.ln2(x + self.mlp(x))


class Model(nn.Module):
    def __init__(self, vocab, dim=16, heads=2, norm=nn.LayerNorm, first=True):
        super().__init__()
        self.tok, self.pos = nn.Embedding(vocab, dim), nn.Embedding(16, dim)
        self.blocks = nn.ModuleList([Block(dim, heads, norm, first) for _ in range(2)])
        self.norm = norm(dim)
        self.head = nn.Linear(dim, vocab, bias=False)
        self.head.weight = self.tok.weight  # tied
        self.apply(self._init_weights)

    def _init_weights(self, module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            torch.nn.init.normal_(module.weight, mean=0.0, std=0.1)
            if isinstance(module, nn.Linear) and module.bias is not None:
                torch.nn.init.zeros_(module.bias)
        elif isinstance(module, nn.LayerNorm):
            torch.nn.init.ones_(module.weight)

    def forward(self, idx, targets=None):
        x = self.tok(idx) + self.pos(torch.arange(idx.shape[1]))
        for block in self.blocks:
            x = block(x)
        logits = self.head(self.norm(x))
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1))


text = "the mean of the batch and the variance of the batch "
chars = sorted(set(text))
data = torch.tensor([chars.index(c) for c in text * 4])
for norm, first in ((nn.LayerNorm, True), (nn.LayerNorm, False), (nn.RMSNorm, True)):
    torch.manual_seed(0)
    model = Model(len(chars), norm=norm, first=first)
    decay = [p for p in model.parameters() if p.dim() >= 2]
    rest = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": decay, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=3e-3, betas=(0.9, 0.95))
    warmup = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 5))
    for step in range(15):
        starts = torch.randint(len(data) - 17, (8,))
        x = torch.stack([data[i : i + 16] for i in starts])
        y = torch.stack([data[i + 1 : i + 17] for i in starts])
        _, loss = model(x, y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm_of_all = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        warmup.step()
        if step % 7 == 0:
            print(f"{norm.__name__} first={first} {step:2} loss {loss.item():.3f} norm {norm_of_all:.3f}")
    print(len(decay), len(rest), sum(p.numel() for p in model.parameters()))
    model.eval()
    with torch.no_grad():
        idx = data[:3][None]
        for _ in range(6):
            logits, _ = model(idx[:, -16:])
            idx = torch.cat((idx, logits[:, -1].argmax(-1, keepdim=True)), dim=1)
    print(repr("".join(chars[i] for i in idx[0].tolist())))
    print({name: round(p.grad.norm().item(), 3) for name, p in model.named_parameters() if "ln1" in name})
h = model.tok(data[:4])[None]
print(model.blocks[0])
print(torch.layer_norm(h, (16,))[0, 0, :4], torch.rms_norm(h, [16])[0, 0, :4])
print(
    torch.allclose(
        torch.layer_norm(h, [16]), (h - h.mean(-1, True)) / (h.var(-1, False, True) + 1e-5).sqrt(), atol=1e-5
    )
)
print(list(model.blocks[0].attn.state_dict()), model.blocks[0].attn.mask.shape)
