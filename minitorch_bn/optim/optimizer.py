"""Optimizer: the base of all optimisers. Only optimisers write to the arrays of parameters."""

from .. import backend, clock
from ..engine import enable_grad
from ..tensor import Tensor


class Optimizer:
    """Parameters in groups, each group with its own settings, and what the optimiser remembers of each parameter.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        A dict is a group: {"params": [...], "lr": ...}; settings that it leaves out come from `defaults`.
    defaults : dict

    Attributes
    ----------
    param_groups : list of dict
    state : dict
        For every parameter that has been stepped, a dict of arrays and numbers.

    Raises
    ------
    TypeError
        If `params` is a single tensor, or holds something else than leaf tensors.
    ValueError
        If it is empty, or a parameter stands in two groups.
    """

    def __init__(self, params, defaults):
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, got a Tensor"
            )
        self.defaults, self.param_groups, self.state = defaults, [], {}
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def add_param_group(self, param_group):
        """Add a group of parameters with settings of its own."""
        group = {**param_group}
        params = [group["params"]] if isinstance(group["params"], Tensor) else list(group["params"])
        params = [p[1] if isinstance(p, tuple) else p for p in params]
        seen = {id(p) for other in self.param_groups for p in other["params"]}
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(p).__name__}")
            if p.op is not None:
                raise ValueError("can't optimize a non-leaf Tensor")
            if id(p) in seen:
                raise ValueError("some parameters appear in more than one parameter group, or twice in one")
            seen.add(id(p))
        group["params"] = params
        for key, value in self.defaults.items():
            group.setdefault(key, value)
        self.param_groups.append(group)

    def zero_grad(self, set_to_none=True):
        """Forget the gradients of all parameters (or fill them with 0)."""
        for group in self.param_groups:
            for p in group["params"]:
                p.grad_array = None if set_to_none or p.grad_array is None else p.grad_array * 0

    def step(self, closure=None):
        """Change every parameter that has a gradient. A `closure` computes the loss again first and gives it back."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            self.update(group)
            clock.wrote(*[p.array for p in group["params"] if p.grad_array is not None])
        return loss

    def update(self, group):
        """Change the parameters of a group in place: those that have a gradient, `p.grad_array`."""
        raise NotImplementedError(f"{type(self).__name__} has no update")

    def state_dict(self):
        """Settings and state, with parameters replaced by their positions."""
        order = {id(p): i for i, p in enumerate(p for group in self.param_groups for p in group["params"])}
        groups = [{**group, "params": [order[id(p)] for p in group["params"]]} for group in self.param_groups]
        return {"state": {order[id(p)]: dict(s) for p, s in self.state.items()}, "param_groups": groups}

    def load_state_dict(self, state_dict):
        """Take settings and state from what `state_dict` gave.

        Raises
        ------
        ValueError
            If groups or their sizes differ. Nothing is changed then.
        """
        groups = state_dict["param_groups"]
        if [len(g["params"]) for g in groups] != [len(g["params"]) for g in self.param_groups]:
            raise ValueError(
                "loaded state dict contains parameter groups that do not match the optimizer's in number or size"
            )
        params = [p for group in self.param_groups for p in group["params"]]
        self.state = {params[i]: _beside(params[i], s) for i, s in state_dict["state"].items()}
        for own, new in zip(self.param_groups, groups, strict=True):
            own.update({key: value for key, value in new.items() if key != "params"})


def _beside(p, memory):
    """What was remembered of a parameter, with its arrays on the device of `p`, where the next step needs them."""
    where = backend.device_of(p.array)
    return {key: backend.to_device(v, where) if backend.is_array(v) else v for key, v in memory.items()}
