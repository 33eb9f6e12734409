# The engine lesson's own examples, with scalars: chain rule, a value used twice, a neuron, numerical slopes.
import torch

x1 = torch.tensor([2.0]).double()
x1.requires_grad = True
x2 = torch.tensor([0.0]).double()
x2.requires_grad = True
w1 = torch.tensor([-3.0], dtype=torch.double, requires_grad=True)
w2 = torch.tensor([1.0], dtype=torch.double, requires_grad=True)
b = torch.tensor([6.8813735870195432], dtype=torch.double, requires_grad=True)
n = x1 * w1 + x2 * w2 + b
o = torch.tanh(n)
print(o.data.item(), o)
o.backward()
for name, t in (("x2", x2), ("w2", w2), ("x1", x1), ("w1", w1)):
    print(name, t.grad.item())
a = torch.tensor(3.0, requires_grad=True)
c = a + a
c.backward()
print(a.grad)
a = torch.tensor(-4.0, requires_grad=True)
b = torch.tensor(2.0, requires_grad=True)
c = a + b
d = a * b + b**3
c = c + c + 1
c = c + 1 + c + (-a)
d = d + d * 2 + (b + a).relu()
d = d + 3 * d + (b - a).relu()
e = c - d
f = e**2
g = f / 2.0
g = g + 10.0 / f
print(f"{g.item():.4f}")
g.backward()
print(f"{a.grad.item():.4f} {b.grad.item():.4f}")


def slope(function, x, h=1e-5):
    return (function(x + h) - function(x - h)) / (2 * h)


functions = {
    "tanh": torch.tanh, "exp": torch.exp, "log": torch.log, "sigmoid": torch.sigmoid, "sqrt": torch.sqrt,
    "square": torch.square, "1/x": lambda t: 1 / t, "x**x": lambda t: t**t, "abs": torch.abs, "sin": torch.sin,
}  # fmt: skip
for name, function in functions.items():
    x = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    y = function(x)
    y.backward()
    numeric = slope(function, x.detach()).item()
    print(f"{name:8} {y.item():.4f} {x.grad.item():.4f} {abs(numeric - x.grad.item()) < 1e-8}")
x = torch.linspace(-1, 1, 9)
y = 3 * x**2 - 4 * x + 5
coefficients = torch.zeros(3, requires_grad=True)
for _ in range(200):
    guess = coefficients[0] * x**2 + coefficients[1] * x + coefficients[2]
    loss = ((guess - y) ** 2).mean()
    coefficients.grad = None
    loss.backward()
    coefficients.data -= 0.3 * coefficients.grad
print(coefficients, f"{loss.item():.4f}")
