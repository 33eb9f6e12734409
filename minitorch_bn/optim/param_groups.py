"""Parameter groups: weight decay for the weights of layers, none for gamma, beta and the other biases.

Weight decay pulls numbers towards 0. The weights of a layer in front of a BatchNorm have no scale of their own, and a
bias has no use for being small; but gamma pulled towards 0 switches a channel off, and beta moves its ReLU. So the
one-dimensional parameters are usually left alone.
"""

from ..nn import Module
from .optimizer import check_settings


def param_groups_weight_decay(model, weight_decay=1e-5, no_weight_decay_list=()):
    """The trainable parameters of `model` in two groups for an optimiser: without weight decay, and with.

    No decay for parameters with at most one dimension (gamma, beta, biases), for those that are called ".bias", and for
    those that `no_weight_decay_list` names. A parameter that two layers share comes once, without decay if one of its
    names asks for that. Frozen parameters (requires_grad is False) are left out.

    Parameters
    ----------
    model : Module
    weight_decay : float
        Of the second group.
    no_weight_decay_list : iterable of str
        Names of further parameters, as in ``model.named_parameters()``.

    Returns
    -------
    list of dict
        [{"params": [...], "weight_decay": 0.0}, {"params": [...], "weight_decay": weight_decay}]; a list may be empty.

    Raises
    ------
    TypeError
        If `model` is no Module, or `no_weight_decay_list` is a single string.
    ValueError
        If weight_decay is negative, a name is no parameter's, or nothing can be trained.

    >>> from minitorch_bn import nn, optim
    >>> model = nn.Sequential(nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))
    >>> groups = param_groups_weight_decay(model, 5e-4)
    >>> [[tuple(p.shape) for p in group["params"]] for group in groups]
    [[(4,), (4,), (2,)], [(4, 1, 3, 3), (2, 4)]]
    >>> optimizer = optim.SGD(groups, lr=0.1, momentum=0.9)

    Source: the function of this name in timm (timm.optim); He et al. 2019, "Bag of tricks", section 3.1.
    """
    if not isinstance(model, Module):
        raise TypeError(f"param_groups_weight_decay: got a {type(model).__name__}, wanted a Module: the model itself")
    if isinstance(no_weight_decay_list, str):
        raise TypeError(
            "param_groups_weight_decay: no_weight_decay_list is a string, wanted a list of names: "
            f"[{no_weight_decay_list!r}]"
        )
    check_settings("param_groups_weight_decay", weight_decay=weight_decay)
    spare_names = set(no_weight_decay_list)
    names = {}  # parameter -> all its names, in definition order
    for name, p in model.named_parameters(remove_duplicate=False):
        names.setdefault(p, []).append(name)
    unknown = spare_names - {name for own in names.values() for name in own}
    if unknown:
        raise ValueError(
            f"param_groups_weight_decay: no parameter is called {', '.join(map(repr, sorted(unknown)))}; "
            "model.named_parameters() gives the names"
        )
    decayed, others = [], []
    for p, own in names.items():
        spared = p.ndim <= 1 or any(name.endswith(".bias") or name in spare_names for name in own)
        if p.requires_grad:
            (others if spared else decayed).append(p)
    if not decayed and not others:
        raise ValueError(
            f"param_groups_weight_decay: {type(model).__name__} has no parameter that requires a gradient; nothing is "
            "left to train"
        )
    return [{"params": others, "weight_decay": 0.0}, {"params": decayed, "weight_decay": weight_decay}]
