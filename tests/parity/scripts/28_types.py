# Types: what comes out of integers, floats and booleans together, divisions, reductions, how they print.
import torch

kinds = [torch.bool, torch.uint8, torch.int32, torch.int64, torch.float32, torch.float64]
for first in kinds:
    row = [str((torch.ones(2, dtype=first) + torch.ones(2, dtype=second)).dtype)[6:] for second in kinds]
    print(f"{first!s:14}", *row)
i, f = torch.tensor([7, -7, 2]), torch.tensor([7.0, -7.0, 2.0])
print(i / 2, i // 2, i % 3, i**2, -i)
print(f / 2, f // 2, f % 3, f**-1)
print(i * 2.5, i + True, (i * torch.tensor(2.5)).dtype, (i * torch.tensor(2.5, dtype=torch.float64)).dtype)
print(f * torch.tensor(2, dtype=torch.int64), (f * torch.tensor(1.0, dtype=torch.float64)).dtype)
print(i.sum(), i.float().mean(), i.max(), i.sum().dtype, torch.tensor([True, True]).sum())
print((i > 0), (i > 0).sum(), (i > 0) & (i < 5), ~(i > 0), (i > 0).float().mean())
print(torch.arange(3), torch.arange(0.0, 1.0, 0.25), torch.arange(3, dtype=torch.float64), torch.linspace(0, 1, 3))
print(torch.tensor([1, 2.5]), torch.tensor([True, False]), torch.tensor(3), torch.tensor([]), torch.tensor([[1], [2]]))
print(torch.tensor([1e-8, 1.0]), torch.tensor([1e10, 1.0]), torch.tensor([float("nan"), float("inf"), -1.0]))
print(torch.zeros(2, 3, dtype=torch.int32), torch.ones(2, dtype=torch.float16), torch.full((2,), 7), torch.eye(2))
print(torch.arange(1200), torch.zeros(0, 3))
print(f.to(torch.int32), f.long(), i.double(), i.bool(), f.type(), i.type(torch.float32).dtype)
print(torch.cat([i, i.float()]), torch.stack([f, f]).shape, torch.where(i > 0, i, 0.5))
x = torch.arange(24).reshape(2, 3, 4)
print(x[1, ::2, [0, 3]], x[..., -1], x[x % 7 == 0], x[:, None].shape, x[torch.tensor([1, 0]), :, 1:3])
print(x.float().mean((0, 2)), x.float().std(), x.float().var(1, unbiased=False)[0], x.sum(-1, keepdim=True).shape)
x[0, :, 1] = torch.tensor([-1, -2, -3])
x[1][x[1] > 20] = 0
print(x)
print(x.permute(2, 0, 1).shape, x.transpose(0, 2).contiguous().view(-1)[:5], x.T.shape if x.ndim == 2 else x.mT.shape)
print(torch.unique(torch.tensor([3, 1, 3, 2])), torch.sort(torch.tensor([3, 1, 2]), descending=True))
print(torch.topk(torch.tensor([0.1, 0.9, 0.5]), 2), torch.argmax(x), x.argmin(dim=1))
print(torch.cumsum(torch.ones(4), 0), torch.tensor([1.0, 2.0]).norm(), torch.tensor([[1.0, 2.0]]) @ torch.ones(2, 1))
print(torch.tensor(3.7).item(), int(torch.tensor(3.7)), float(torch.tensor(2)), bool(torch.tensor([0])), len(x))
for call in (
    i.mean,
    lambda: i[5],
    lambda: x @ f,
    lambda: x.view(5),
    lambda: torch.ones(2) + torch.ones(3),
    lambda: i.__iadd__(0.5),
):
    try:
        print(call())
    except Exception as error:
        print(type(error).__name__)
