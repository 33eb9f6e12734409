"""Stochastic gradient descent."""

from .optimizer import Optimizer, check_implementation, check_settings


class SGD(Optimizer):
    """p <- p - lr * v, where v is the gradient g, with weight decay and momentum if asked for.

        g <- g + weight_decay * p
        v <- g at the first step, momentum * v + (1 - dampening) * g later      (momentum > 0; otherwise v = g)
        v <- g + momentum * v                                                   (nesterov)

    v is kept as ``state[p]["momentum_buffer"]``.

    Parameters
    ----------
    params : iterable of Tensor or dict
    lr : float, or Tensor with one element
        Step size.
    momentum, dampening, weight_decay : float
    nesterov : bool
        Needs momentum > 0 and dampening 0.
    maximize : bool
        Go up instead of down.
    foreach, fused : bool or None
        Ignored: how PyTorch computes the same.
    differentiable : bool
        False only.

    Raises
    ------
    ValueError
        If a setting is negative, or nesterov lacks what it needs.

    >>> from minitorch_bn import ones
    >>> p = ones(1, requires_grad=True)
    >>> optimizer = SGD([p], lr=0.1, momentum=0.9)
    >>> for _ in range(2):
    ...     p.grad = ones(1)
    ...     optimizer.step()
    >>> optimizer.state[p]["momentum_buffer"], p.detach()  # v = 1, then 1.9; p = 1 - 0.1 * 1 - 0.1 * 1.9
    (tensor([1.9000]), tensor([0.7100]))

    Source: PyTorch documentation, torch.optim.SGD; Sutskever et al. 2013, section 2, with lr outside v.
    """

    def __init__(
        self,
        params,
        lr=1e-3,
        momentum=0,
        dampening=0,
        weight_decay=0,
        nesterov=False,
        *,
        maximize=False,
        foreach=None,
        differentiable=False,
        fused=None,
    ):
        check_settings("SGD", lr=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError(
                "SGD: Nesterov momentum requires a momentum and zero dampening, got "
                f"momentum={momentum} and dampening={dampening}"
            )
        check_implementation("SGD", foreach, fused, differentiable)
        defaults = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
        defaults |= {"nesterov": nesterov, "maximize": maximize}
        super().__init__(params, {**defaults, "foreach": foreach, "differentiable": differentiable, "fused": fused})

    def update(self, group):
        """One step of every parameter, in place."""
        plain = not (group["momentum"] or group["weight_decay"] or group["maximize"])
        lr = float(group["lr"])
        for p in group["params"]:
            g = p.grad_array
            if g is not None:
                p.array -= lr * (g if plain else self.direction(p, g, group))

    def direction(self, p, g, group):
        """v for one parameter with gradient `g`: weight decay, then momentum."""
        if group["maximize"]:
            g = -g
        if group["weight_decay"]:
            g = g + float(group["weight_decay"]) * p.array
        momentum = group["momentum"]
        if not momentum:
            return g
        memory = self.state[p]
        if memory.get("momentum_buffer") is None:
            memory["momentum_buffer"] = p.like(g.copy())
            v = g
        else:
            v = memory["momentum_buffer"].array
            v *= momentum
            v += (1 - group["dampening"]) * g
        return g + momentum * v if group["nesterov"] else v
