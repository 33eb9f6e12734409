"""Adagrad: steps that shrink where gradients have been large."""

import numpy as np

from .optimizer import Optimizer, check_implementation, check_settings, new_memory, new_step, number


class Adagrad(Optimizer):
    """Each gradient divided by the root of the sum of all its squares so far.

        g <- g + weight_decay * p
        s <- s + g^2
        p <- p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)       t counts steps from 1

    For each parameter, ``state[p]`` holds t and s as "step" and "sum", from the beginning on.

    Parameters
    ----------
    params : iterable of Tensor or dict
    lr : float, or Tensor with one element
    lr_decay, weight_decay : float
    initial_accumulator_value : float
        What s starts from.
    eps : float
    foreach, fused : bool or None
        Ignored: how PyTorch computes the same.
    maximize : bool
        Go up instead of down.
    differentiable : bool
        False only.

    Raises
    ------
    ValueError
        If a setting is negative.

    Source: Duchi, Hazan & Singer 2011, section 1.1, the diagonal form; PyTorch documentation, torch.optim.Adagrad.
    """

    def __init__(
        self,
        params,
        lr=1e-2,
        lr_decay=0,
        weight_decay=0,
        initial_accumulator_value=0,
        eps=1e-10,
        foreach=None,
        *,
        maximize=False,
        differentiable=False,
        fused=None,
    ):
        check_settings("Adagrad", lr=lr, lr_decay=lr_decay, weight_decay=weight_decay, eps=eps)
        check_settings("Adagrad", initial_accumulator_value=initial_accumulator_value)
        check_implementation("Adagrad", foreach, fused, differentiable)
        defaults = {"lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay}
        defaults |= {"initial_accumulator_value": initial_accumulator_value, "foreach": foreach, "maximize": maximize}
        super().__init__(params, {**defaults, "differentiable": differentiable, "fused": fused})
        for group in self.param_groups:
            for p in group["params"]:
                self.memory(p)

    def update(self, group):
        """One step of every parameter, in place."""
        for p in group["params"]:
            g = p.grad_array
            if g is None:
                continue
            if group["maximize"]:
                g = -g
            if group["weight_decay"]:
                g = g + group["weight_decay"] * p.array
            memory = self.memory(p)
            memory["step"].array += 1
            t = memory["step"].item()
            lr = float(number(group["lr"]) / (1 + (t - 1) * group["lr_decay"]))
            s = memory["sum"].array
            s += g * g
            p.array -= lr * g / (np.sqrt(s) + group["eps"])

    def memory(self, p):
        """What is remembered of parameter `p`."""
        memory = self.state[p]
        if not memory:
            memory["step"], memory["sum"] = new_step(), new_memory(p, self.defaults["initial_accumulator_value"])
        return memory
