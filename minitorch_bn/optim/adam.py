"""Adam, and Adam with decoupled weight decay (AdamW)."""

import numpy as np

from ..tensor import Tensor
from .optimizer import Optimizer, check_implementation, check_settings, new_memory, new_step, number


class Adam(Optimizer):
    """Steps along the average gradient, in units of the gradient's usual size, for each element by itself.

        g <- g + weight_decay * p                                (not in AdamW)
        m <- m + (1 - beta1) * (g - m)                           average of g
        v <- beta2 * v + (1 - beta2) * g^2                       average of g^2
        m_hat = m / (1 - beta1^t)    v_hat = v / (1 - beta2^t)   t counts steps from 1
        p <- p - lr * m_hat / (sqrt(v_hat) + eps)

    m and v start at 0; the division by 1 - beta^t makes up for that. With `amsgrad`, v is replaced by the largest v so
    far. For each parameter, ``state[p]`` holds t, m and v as "step", "exp_avg" and "exp_avg_sq", and "max_exp_avg_sq".

    Parameters
    ----------
    params : iterable of Tensor or dict
    lr : float, or Tensor with one element
        Step size; no element moves by much more than this.
    betas : (float, float)
        How much of the averages stays at each step. beta1 and beta2.
    eps : float
        In the units of g, outside of the root.
    weight_decay : float
    amsgrad : bool
    foreach, fused : bool or None
        Ignored: how PyTorch computes the same.
    maximize : bool
        Go up instead of down.
    capturable, differentiable : bool
        False only; PyTorch needs CUDA for the first.
    decoupled_weight_decay : bool
        Shrink p by lr * weight_decay at each step instead of adding to g: AdamW.

    Raises
    ------
    ValueError
        If a setting is negative, a beta is not in [0, 1) or no float.

    The first step has length lr in every direction, whatever the gradient:

    >>> from minitorch_bn import ones, tensor
    >>> p = ones(3, requires_grad=True)
    >>> p.grad = tensor([100.0, -0.001, 0.0])
    >>> Adam([p], lr=0.1).step()
    >>> p.detach()
    tensor([0.9000, 1.1000, 1.0000])

    Source: Kingma & Ba 2015, algorithm 1; Reddi et al. 2018, algorithm 2 (amsgrad); PyTorch documentation,
    torch.optim.Adam.
    """

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        amsgrad=False,
        *,
        foreach=None,
        maximize=False,
        capturable=False,
        differentiable=False,
        fused=None,
        decoupled_weight_decay=False,
    ):
        name = type(self).__name__
        if isinstance(lr, Tensor) and foreach and not capturable:
            raise ValueError(
                f"{name}: lr as a Tensor is not supported with foreach=True; use lr.item() or foreach=None"
            )
        check_settings(name, lr=lr, eps=eps, weight_decay=weight_decay)
        for i, beta in enumerate(betas):
            if not 0 <= beta < 1:
                raise ValueError(f"{name}: invalid beta at index {i}: got {beta}, wanted a number in [0, 1)")
        if not (all(isinstance(b, float) for b in betas) or all(isinstance(b, Tensor) for b in betas)):
            raise ValueError(f"{name}: betas must be both floats or both Tensors, got {betas}")
        check_implementation(name, foreach, fused, differentiable)
        defaults = {"lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad}
        defaults |= {"maximize": maximize, "foreach": foreach, "capturable": capturable}
        defaults |= {"differentiable": differentiable, "fused": fused}
        super().__init__(params, {**defaults, "decoupled_weight_decay": decoupled_weight_decay})

    def update(self, group):
        """One step of every parameter, in place."""
        lr, eps, weight_decay = number(group["lr"]), group["eps"], group["weight_decay"]
        beta1, beta2 = (float(beta) for beta in group["betas"])
        if group["capturable"]:
            raise AssertionError(f"{type(self).__name__}: capturable=True needs CUDA graphs; wanted False")
        for p in group["params"]:
            g = p.grad_array
            if g is None:
                continue
            if group["maximize"]:
                g = -g
            if weight_decay and group["decoupled_weight_decay"]:
                p.array *= float(1 - lr * weight_decay)
            elif weight_decay:
                g = g + weight_decay * p.array
            memory = self.memory(p, group)
            memory["step"].array += 1
            t = memory["step"].item()
            m, v = memory["exp_avg"].array, memory["exp_avg_sq"].array
            m += (1 - beta1) * (g - m)
            v *= beta2
            v += (1 - beta2) * g * g
            if group["amsgrad"]:
                largest = memory["max_exp_avg_sq"].array
                np.maximum(largest, v, out=largest)
                v = largest
            denominator = np.sqrt(v) / (1 - beta2**t) ** 0.5 + eps
            p.array -= float(lr / (1 - beta1**t)) * m / denominator

    def memory(self, p, group):
        """What is remembered of parameter `p`; zeros at its first step."""
        memory = self.state[p]
        if not memory:
            memory["step"] = new_step()
            memory["exp_avg"], memory["exp_avg_sq"] = new_memory(p), new_memory(p)
            if group["amsgrad"]:
                memory["max_exp_avg_sq"] = new_memory(p)
        return memory


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameters and stays out of the averages m and v.

        p <- p - lr * weight_decay * p,    then Adam's step without weight decay

    In `Adam`, weight_decay * p is part of g, and so divided by the gradient's usual size: parameters with large
    gradients decay less. Here all decay at one rate.

    Parameters
    ----------
    weight_decay : float, default 0.01
    params, lr, betas, eps, amsgrad, maximize, foreach, capturable, differentiable, fused
        As in `Adam`.

    Source: Loshchilov & Hutter 2019, algorithm 2; PyTorch documentation, torch.optim.AdamW.
    """

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=1e-2,
        amsgrad=False,
        *,
        maximize=False,
        foreach=None,
        capturable=False,
        differentiable=False,
        fused=None,
    ):
        chosen = {"foreach": foreach, "capturable": capturable, "differentiable": differentiable, "fused": fused}
        chosen |= {"maximize": maximize, "decoupled_weight_decay": True}
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, **chosen)

    def _after_loading(self):
        """Weight decay stays decoupled, also with the state of an Adam."""
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True
