# Tensors at the prompt: making, indexing, writing in place, broadcasting, reductions, errors.
import torch

a = torch.arange(12).view(3, 4)
print(a, a.shape, a.dtype, a.T.shape, a.sum(), a.float().mean())
b = torch.tensor([[1.5, -2.0], [0.25, 1e4]])
print(b, b.dtype, b.max(), b.min(dim=1), b.abs().log())
print(torch.tensor([1e-8, 1.0]), torch.tensor([1.0, 2.0, 3.0]), torch.tensor([]), torch.tensor(3), torch.tensor(0.1))
print(torch.tensor([True, False]), torch.tensor([1, 2]) / 2, torch.tensor(7) // 2, 2 ** torch.tensor([3, 4]))
print(torch.zeros(2, 0), torch.ones(2, 2, dtype=torch.float64), torch.full((2,), 7), torch.eye(2))
print(torch.linspace(0, 1, 5), torch.arange(0, 1, 0.25), torch.arange(5, 0, -2))
print(torch.tensor([float("inf"), float("nan"), 1.0]), torch.tensor([1234567.0, 0.5]))

print(a[1], a[:, 1], a[1, 2], a[-1, ::2], a[[0, 2]], a[[0, 2], [1, 3]], a[a > 6])
print(a[None].shape, a[..., 0], a[1:, 1:3], a[torch.tensor([2, 0])][:, 0])
c = a.clone()
c[0] = 0
c[1, 1:3] = torch.tensor([-1, -2])
c[c > 9] *= 10
c[:, 3] += a[:, 0]
print(c)
row = c[2]
row += 1
print(c[2], row, c)
z = torch.ones(2, 3)
z.add_(1).mul_(3)
z[0].zero_()
z[:, -1].fill_(0.5)
z -= 0.25
print(z, z.view(-1), z.reshape(3, 2), z.clamp(0, 1), z.t())
print(
    (z + torch.tensor([1.0, 2.0, 3.0])).shape, (z.unsqueeze(1) * z).shape, z.sum(0), z.sum(1, keepdim=True), z.cumsum(1)
)
print(torch.cat([z, z], dim=1).shape, torch.stack([z, z]).shape, z.argmax(), z.argmax(1), z.expand(2, 2, 3).shape)
print(torch.where(z > 1, z, torch.zeros_like(z)), z.masked_fill(z > 1, -1.0), (z == z).all())
first, second = torch.split(torch.arange(6), 3)
print(first, second, [t.item() for t in second], torch.unbind(z)[0], z.tolist())
print((torch.ones(2, 3) @ torch.ones(3)).shape, torch.ones(4, 2, 3).matmul(torch.ones(3, 5)).shape)
print(torch.float32, (torch.ones(1) + torch.ones(1, dtype=torch.float64)).dtype, (torch.arange(2) * 1.5).dtype)

w = torch.randn(3, generator=torch.Generator().manual_seed(0)).requires_grad_()
y = (w * 2).sum()
print(w, y, w.grad, y.item())
y.backward()
(w**2).sum().backward()
print(w.grad, w.detach(), w.is_leaf, (w * 1).is_leaf)
w.grad.zero_()
u = w * 3
u[1] = 0
u.sum().backward()
print(w.grad)
for wrong in (
    lambda: w.add_(1),
    lambda: torch.ones(2) @ torch.ones(3),
    u.numpy,
    lambda: a[5],
    (w * 2).backward,
):
    try:
        wrong()
    except Exception as error:
        print(type(error).__name__)
