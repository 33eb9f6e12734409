# When a gradient is there and when not: leaves, detach, no_grad, retain_grad, retain_graph, in-place writes, errors.
import torch

a = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
b = a * 2
c = b.tanh()
c.retain_grad()
print(a.is_leaf, b.is_leaf, a.requires_grad, b.requires_grad, a.grad_fn, b.grad_fn is None)
loss = (b * c).sum()
loss.backward(retain_graph=True)
print(a.grad, c.grad)
loss.backward()
print(a.grad)
try:
    loss.backward()
except RuntimeError as error:
    print("again:", type(error).__name__)
a.grad.zero_()
(a.detach() * a).sum().backward()
print(a.grad)
with torch.no_grad():
    d = a * 3
    with torch.enable_grad():
        e = a * 3
print(d.requires_grad, e.requires_grad, torch.is_grad_enabled())


@torch.no_grad()
def evaluate(t):
    return (t * t).sum()


print(evaluate(a).requires_grad, evaluate(a))
print(torch.autograd.grad((a**3).sum(), a))
x = torch.tensor(2.0, requires_grad=True)
y = torch.tensor(5.0, requires_grad=True)
z = x * x * y + y.log()
print(torch.autograd.grad(z, (x, y)), x.grad)
h = x * 3
print(torch.autograd.grad(h * h, h))
print(torch.autograd.grad(x * 2, (x, y), allow_unused=True))
v = torch.arange(3.0, requires_grad=True)
(v * v).backward(torch.tensor([1.0, 0.1, 0.01]))
print(v.grad)
w = torch.ones(4, requires_grad=True)
with torch.no_grad():
    w[1] = 5.0
    w -= 0.5
print(w)
u = w * 1
u[0] = 10.0
u += 1
u.square().sum().backward()
print(w.grad, u)
m = torch.tensor([[1.0, 5.0], [7.0, 5.0]], requires_grad=True)
m.max(dim=0).values.sum().backward()
print(m.grad)
m.grad = None
m.amax().backward()
print(m.grad)
m.grad = None
m[[0, 0, 1], [1, 1, 0]].sum().backward()
print(m.grad)
bad = {
    "leaf in place": lambda: w.add_(1),
    "not a scalar": (w * 2).backward,
    "no grad": torch.ones(1).backward,
    "integers": lambda: torch.tensor([1, 2], requires_grad=True),
    "numpy": w.numpy,
    "unused": lambda: torch.autograd.grad(x * 2, y),
    "shape": lambda: (w * 2).backward(torch.ones(3)),
}
for name, call in bad.items():
    try:
        call()
    except Exception as error:
        print(name, type(error).__name__)
saved = w * w
with torch.no_grad():
    w.zero_()
try:
    saved.sum().backward()
except RuntimeError as error:
    print("modified", type(error).__name__)
