"""RMSprop: steps in units of the gradient's usual size."""

import numpy as np

from .optimizer import Optimizer, check_implementation, check_settings, new_memory, new_step


class RMSprop(Optimizer):
    """Each gradient divided by the root of the average of its squares.

        g <- g + weight_decay * p
        s <- alpha * s + (1 - alpha) * g^2                       average of g^2
        a <- a + (1 - alpha) * (g - a),    s_c = s - a^2         (centered: the variance of g; otherwise s_c = s)
        u = g / (sqrt(s_c) + eps)
        b <- momentum * b + u,    p <- p - lr * b                (momentum > 0; otherwise p <- p - lr * u)

    For each parameter, ``state[p]`` holds the number of steps, s, b and a as "step", "square_avg", "momentum_buffer"
    and "grad_avg".

    Parameters
    ----------
    params : iterable of Tensor or dict
    lr : float, or Tensor with one element
    alpha : float
        How much of the average stays at each step.
    eps : float
        In the units of g, outside of the root.
    weight_decay, momentum : float
    centered : bool
    capturable, differentiable : bool
        False only; PyTorch needs CUDA for the first.
    foreach : bool or None
        Ignored: how PyTorch computes the same.
    maximize : bool
        Go up instead of down.

    Raises
    ------
    ValueError
        If a setting is negative.

    Source: Hinton 2012, Neural Networks for Machine Learning, lecture 6e; Graves 2013, eq. 38-45 (centered); PyTorch
    documentation, torch.optim.RMSprop.
    """

    def __init__(
        self,
        params,
        lr=1e-2,
        alpha=0.99,
        eps=1e-8,
        weight_decay=0,
        momentum=0,
        centered=False,
        capturable=False,
        foreach=None,
        maximize=False,
        differentiable=False,
    ):
        check_settings("RMSprop", lr=lr, eps=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        check_implementation("RMSprop", foreach, None, differentiable)
        defaults = {"lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered}
        defaults |= {"weight_decay": weight_decay, "capturable": capturable, "foreach": foreach}
        super().__init__(params, {**defaults, "maximize": maximize, "differentiable": differentiable})

    def update(self, group):
        """One step of every parameter, in place."""
        lr, alpha, momentum = float(group["lr"]), group["alpha"], group["momentum"]
        if group["capturable"]:
            raise AssertionError("RMSprop: capturable=True needs CUDA graphs; wanted False")
        for p in group["params"]:
            g = p.grad_array
            if g is None:
                continue
            if group["maximize"]:
                g = -g
            if group["weight_decay"]:
                g = g + group["weight_decay"] * p.array
            memory = self.memory(p, group)
            memory["step"].array += 1
            s = memory["square_avg"].array
            s *= alpha
            s += (1 - alpha) * g * g
            if group["centered"]:
                a = memory["grad_avg"].array
                a += (1 - alpha) * (g - a)
                s = s - a * a
            u = g / (np.sqrt(s) + group["eps"])
            if momentum > 0:
                b = memory["momentum_buffer"].array
                b *= momentum
                b += u
                u = b
            p.array -= lr * u

    def memory(self, p, group):
        """What is remembered of parameter `p`; zeros at its first step."""
        memory = self.state[p]
        if not memory:
            memory["step"], memory["square_avg"] = new_step(), new_memory(p)
            if group["momentum"] > 0:
                memory["momentum_buffer"] = new_memory(p)
            if group["centered"]:
                memory["grad_avg"] = new_memory(p)
        return memory
