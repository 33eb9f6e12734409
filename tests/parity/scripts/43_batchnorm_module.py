# BatchNorm written as a Module, with parameters and buffers, beside nn.BatchNorm2d: results, gradients, training.
import torch
from torch import nn


class MyBatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True):
        super().__init__()
        self.num_features, self.eps, self.momentum, self.affine = num_features, eps, momentum, affine
        if affine:
            self.weight = nn.Parameter(torch.ones(num_features))
            self.bias = nn.Parameter(torch.zeros(num_features))
        else:
            self.register_parameter("weight", None)
            self.register_parameter("bias", None)
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0, dtype=torch.long))

    def extra_repr(self):
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}"

    def forward(self, x):
        if x.dim() != 4:
            raise ValueError(f"expected 4D input (got {x.dim()}D input)")
        if self.training:
            mean = x.mean([0, 2, 3])
            var = x.var([0, 2, 3], unbiased=False)
            n = x.numel() / x.size(1)
            with torch.no_grad():
                self.num_batches_tracked += 1
                rate = 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
                self.running_mean = rate * mean + (1 - rate) * self.running_mean
                self.running_var = rate * var * n / (n - 1) + (1 - rate) * self.running_var
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = (x - mean[None, :, None, None]) / torch.sqrt(var[None, :, None, None] + self.eps)
        if self.affine:
            x_hat = x_hat * self.weight[None, :, None, None] + self.bias[None, :, None, None]
        return x_hat


class ManualBackward(torch.autograd.Function):
    """The same in train mode, with the gradients written out."""

    @staticmethod
    def forward(ctx, x, gamma, beta, eps):
        mean, var = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), unbiased=False, keepdim=True)
        inv_std = (var + eps).rsqrt()
        x_hat = (x - mean) * inv_std
        ctx.save_for_backward(x_hat, inv_std, gamma)
        return gamma.view(1, -1, 1, 1) * x_hat + beta.view(1, -1, 1, 1)

    @staticmethod
    def backward(ctx, dy):
        x_hat, inv_std, gamma = ctx.saved_tensors
        dbeta, dgamma = dy.sum((0, 2, 3)), (dy * x_hat).sum((0, 2, 3))
        dx_hat = dy * gamma.view(1, -1, 1, 1)
        dx = dx_hat - dx_hat.mean((0, 2, 3), True) - x_hat * (dx_hat * x_hat).mean((0, 2, 3), True)
        return inv_std * dx, dgamma, dbeta, None


torch.manual_seed(43)
data = [torch.randn(6, 3, 4, 4) * (k + 1) + k for k in range(4)]
upstream = torch.randn(6, 3, 4, 4)
for settings in ({}, {"momentum": 0.5}, {"momentum": None}, {"affine": False}, {"eps": 1.0}):
    mine, theirs = MyBatchNorm2d(3, **settings), nn.BatchNorm2d(3, **settings)
    mine.load_state_dict(theirs.state_dict())
    for x in data:
        a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
        mine(a).backward(upstream)
        theirs(b).backward(upstream)
    print(settings, mine)
    print((a.grad - b.grad).abs().max().item() < 1e-6, b.grad[0, 0, 0])
    for key, value in theirs.state_dict().items():
        print(f"  {key:20}", torch.allclose(mine.state_dict()[key], value, atol=1e-5), value)
    for p, q in zip(mine.parameters(), theirs.parameters()):
        print("  gradient", torch.allclose(p.grad, q.grad, rtol=1e-4, atol=1e-4), q.grad)
    mine.eval(), theirs.eval()
    print("  eval", (mine(data[0]) - theirs(data[0])).abs().max().item() < 1e-5, mine(data[0])[0, 0, 0])

x = data[1].double().requires_grad_()
gamma, beta = torch.rand(3, dtype=torch.float64).requires_grad_(), torch.rand(3, dtype=torch.float64).requires_grad_()
y = ManualBackward.apply(x, gamma, beta, 1e-5)
grads = torch.autograd.grad(y, (x, gamma, beta), upstream.double())
reference = torch.batch_norm(x, gamma, beta, None, None, True, 0.1, 1e-5, False)
wanted = torch.autograd.grad(reference, (x, gamma, beta), upstream.double())
print([(g - w).abs().max().item() < 1e-12 for g, w in zip(grads, wanted)], grads[1], grads[2])
small = torch.randn(2, 2, 2, 1, dtype=torch.float64, requires_grad=True)
pair = torch.rand(2, dtype=torch.float64, requires_grad=True), torch.rand(2, dtype=torch.float64, requires_grad=True)
print(torch.autograd.gradcheck(ManualBackward.apply, (small, *pair, 1e-3)))


def network(norm):
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(1, 4, 3), norm(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 2))


images, labels = torch.randn(20, 1, 6, 6), torch.arange(20) % 2
losses = {}
for norm in (MyBatchNorm2d, nn.BatchNorm2d):
    net = network(norm)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(5):
        loss = nn.functional.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.setdefault(norm.__name__, []).append(round(loss.item(), 4))
print(losses)
print([n for n, _ in net.named_buffers()], [n for n, _ in network(MyBatchNorm2d).named_buffers()])
try:
    MyBatchNorm2d(3)(torch.randn(3, 3))
except ValueError as error:
    print(error)
