# Layers as plain classes: weights and running buffers are attributes, a model is a list.
import torch
import torch.nn.functional as F


class Linear:
    def __init__(self, fan_in, fan_out, bias=True):
        self.weight = torch.randn((fan_in, fan_out), generator=g) / fan_in**0.5
        self.bias = torch.zeros(fan_out) if bias else None

    def __call__(self, x):
        self.out = x @ self.weight
        if self.bias is not None:
            self.out += self.bias
        return self.out

    def parameters(self):
        return [self.weight] + ([] if self.bias is None else [self.bias])


class BatchNorm1d:
    def __init__(self, dim, eps=1e-5, momentum=0.1):
        self.eps, self.momentum, self.training = eps, momentum, True
        self.gamma, self.beta = torch.ones(dim), torch.zeros(dim)
        self.running_mean, self.running_var = torch.zeros(dim), torch.ones(dim)

    def __call__(self, x):
        if self.training:
            xmean = x.mean(0, keepdim=True)
            xvar = x.var(0, keepdim=True)
        else:
            xmean, xvar = self.running_mean, self.running_var
        xhat = (x - xmean) / torch.sqrt(xvar + self.eps)
        self.out = self.gamma * xhat + self.beta
        if self.training:
            with torch.no_grad():
                self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * xmean
                self.running_var = (1 - self.momentum) * self.running_var + self.momentum * xvar
        return self.out

    def parameters(self):
        return [self.gamma, self.beta]


class Tanh:
    def __call__(self, x):
        self.out = torch.tanh(x)
        return self.out

    def parameters(self):
        return []


g = torch.Generator().manual_seed(2147483647)
C = torch.randn((20, 4), generator=g)
layers = [Linear(12, 50, bias=False), BatchNorm1d(50), Tanh(), Linear(50, 50), BatchNorm1d(50), Tanh(), Linear(50, 20)]
with torch.no_grad():
    layers[-1].weight *= 0.1
parameters = [C] + [p for layer in layers for p in layer.parameters()]
print(sum(p.nelement() for p in parameters))
for p in parameters:
    p.requires_grad = True
X = torch.randint(0, 20, (400, 3), generator=g)
Y = (X[:, 0] + 2 * X[:, 2]) % 20

for i in range(250):
    ix = torch.randint(0, X.shape[0], (32,), generator=g)
    x = C[X[ix]].view(-1, 12)
    for layer in layers:
        x = layer(x)
    loss = F.cross_entropy(x, Y[ix])
    for layer in layers:
        layer.out.retain_grad()
    for p in parameters:
        p.grad = None
    loss.backward()
    lr = 0.1 if i < 200 else 0.01
    for p in parameters:
        p.data += -lr * p.grad
    if i % 50 == 0:
        print(f"{i:4d} {loss.item():.4f}")

for i, layer in enumerate(layers):
    out, name = layer.out, layer.__class__.__name__
    print(f"{i} {name:>12s} mean {out.mean():+.4f} std {out.std():.4f} grad std {out.grad.std():.6f}")
for layer in layers:
    if isinstance(layer, BatchNorm1d):
        layer.training = False
        print(layer.running_mean.shape, layer.running_mean[0, :4], layer.running_var.mean())
with torch.no_grad():
    x = C[X].view(-1, 12)
    for layer in layers:
        x = layer(x)
print(F.cross_entropy(x, Y), (x.argmax(1) == Y).float().mean())
