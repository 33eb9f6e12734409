# Gradients written by hand: torch.autograd.Function, what is saved, several inputs, none wanted, a wrong one found.
import torch
from torch.autograd import Function


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * dy


class BatchNorm(Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, eps):
        mean, var = x.mean(0), x.var(0, unbiased=False)
        inv_std = 1 / torch.sqrt(var + eps)
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, gamma, inv_std)
        return gamma * x_hat + beta

    @staticmethod
    def backward(ctx, dy):
        x_hat, gamma, inv_std = ctx.saved_tensors
        print("needs", ctx.needs_input_grad)
        dgamma, dbeta = (dy * x_hat).sum(0), dy.sum(0)
        dx = gamma * inv_std * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))
        return dx, dgamma, dbeta, None


class Round(Function):
    @staticmethod
    def forward(ctx, x, step):
        ctx.step = step
        return torch.floor(x / step + 0.5) * step

    @staticmethod
    def backward(ctx, dy):
        return dy, None


torch.manual_seed(4)
x = torch.randn(5, requires_grad=True)
y = Cube.apply(x)
print(y)
y.sum().backward()
print(x.grad)
x = torch.randn(6, 3, dtype=torch.float64, requires_grad=True)
gamma = torch.rand(3, dtype=torch.float64, requires_grad=True)
beta = torch.zeros(3, dtype=torch.float64, requires_grad=True)
dy = torch.randn(6, 3, dtype=torch.float64)
BatchNorm.apply(x, gamma, beta, 1e-5).backward(dy)
mine = x.grad.clone(), gamma.grad.clone(), beta.grad.clone()
x.grad = gamma.grad = beta.grad = None
torch.nn.functional.batch_norm(x, None, None, gamma, beta, True, eps=1e-5).backward(dy)
for name, a, t in zip(("dx", "dgamma", "dbeta"), mine, (x, gamma, beta)):
    print(name, torch.allclose(a, t.grad), (a - t.grad).abs().max().item() < 1e-12)
print(mine[0])
frozen = BatchNorm.apply(x, gamma.detach(), beta.detach(), 1e-5)
frozen.sum().backward()
w = torch.tensor([0.3, 1.2, -0.7], requires_grad=True)
rounded = Round.apply(w, 0.5)
print(rounded)
(rounded * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
print(w.grad)
print(torch.autograd.gradcheck(Cube.apply, (torch.randn(4, dtype=torch.float64, requires_grad=True),)))


class Wrong(Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, dy):
        return dy * 3


try:
    torch.autograd.gradcheck(Wrong.apply, (torch.randn(4, dtype=torch.float64, requires_grad=True),))
except RuntimeError as error:
    print(type(error).__name__)
