"""Stochastic gradient descent."""

from .optimizer import Optimizer


class SGD(Optimizer):
    """p <- p - lr * v, where v is the gradient g, with weight decay and momentum if asked for.

        g <- g + weight_decay * p
        v <- g at the first step, momentum * v + (1 - dampening) * g later      (momentum > 0; otherwise v = g)
        v <- g + momentum * v                                                   (nesterov)

    Parameters
    ----------
    params : iterable of Tensor or dict
    lr : float
        Step size.
    momentum, dampening, weight_decay : float
    nesterov : bool
        Needs momentum > 0 and dampening 0.
    maximize : bool
        Go up instead of down.

    Raises
    ------
    ValueError
        If a setting is negative, or nesterov lacks what it needs.

    Source: PyTorch documentation, torch.optim.SGD; Sutskever et al. 2013, section 2, with lr outside v.
    """

    def __init__(self, params, lr=1e-3, momentum=0, dampening=0, weight_decay=0, nesterov=False, *, maximize=False):
        for name, value in (("learning rate", lr), ("momentum", momentum), ("weight_decay", weight_decay)):
            if value < 0:
                raise ValueError(f"Invalid {name}: {value}; wanted a number >= 0")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
        super().__init__(params, {**defaults, "nesterov": nesterov, "maximize": maximize})

    def update(self, group):
        """One step of every parameter, in place."""
        plain = not (group["momentum"] or group["weight_decay"] or group["maximize"])
        lr = group["lr"]
        for p in group["params"]:
            g = p.grad_array
            if g is not None:
                p.array -= lr * (g if plain else self.direction(p, g, group))

    def direction(self, p, g, group):
        """v for one parameter with gradient `g`: weight decay, then momentum."""
        if group["maximize"]:
            g = -g
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p.array
        momentum = group["momentum"]
        if not momentum:
            return g
        memory = self.state.get(p)
        v = g.copy() if memory is None else momentum * memory["momentum_buffer"] + (1 - group["dampening"]) * g
        self.state[p] = {"momentum_buffer": v}
        return g + momentum * v if group["nesterov"] else v
