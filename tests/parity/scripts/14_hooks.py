# Hooks: looking at activations and gradients from outside the model, changing them, taking the hooks off again.
import torch
from torch import nn

torch.manual_seed(8)
net = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.BatchNorm1d(6), nn.Linear(6, 2))
seen = {}


def remember(name):
    def hook(module, inputs, output):
        seen[name] = (type(module).__name__, tuple(inputs[0].shape), output.detach().std().item())

    return hook


handles = [m.register_forward_hook(remember(name)) for name, m in net.named_children()]
x = torch.randn(10, 4)
net(x)
for name, (kind, shape, std) in seen.items():
    print(f"{name} {kind:12} {shape} std {std:.4f}")
for handle in handles:
    handle.remove()
seen.clear()
net(x)
print(len(seen))


def double(module, inputs, output):
    return output * 2


plain = net(x).detach()
handle = net[3].register_forward_hook(double)
print(torch.allclose(net(x), plain * 2))
handle.remove()
print(torch.allclose(net(x), plain))


def first_input(module, inputs):
    print("before", type(module).__name__, [tuple(i.shape) for i in inputs])
    return (inputs[0] + 1,)


handle = net[0].register_forward_pre_hook(first_input)
print(torch.allclose(net(x), net[1:](nn.functional.linear(x + 1, net[0].weight, net[0].bias))))
handle.remove()


def show(module, grad_input, grad_output):
    shapes = [None if g is None else tuple(g.shape) for g in grad_input]
    print(type(module).__name__, shapes, [tuple(g.shape) for g in grad_output], f"{grad_output[0].norm().item():.4f}")


handles = [m.register_full_backward_hook(show) for m in net]
x.requires_grad_()
net(x).square().sum().backward()
print(x.grad.norm())
for handle in handles:
    handle.remove()


def halve(module, grad_input, grad_output):
    return tuple(g * 0.5 for g in grad_input)


whole = x.grad.clone()
x.grad = None
handle = net[1].register_full_backward_hook(halve)
net(x).square().sum().backward()
handle.remove()
print(torch.allclose(x.grad, whole * 0.5))

y = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
z = y * y
z.register_hook(lambda g: print("z", g))
z.register_hook(lambda g: g * 10)
(z * torch.tensor([1.0, 0.0, -1.0])).sum().backward()
print(y.grad)
