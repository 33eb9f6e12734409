"""Optimizer: the base of all optimisers. Only optimisers write to the arrays of parameters."""

import collections
import copy
import warnings

import numpy as np

from .. import backend, clock, dtypes
from ..engine import enable_grad
from ..nn.hooks import RemovableHandle
from ..tensor import Tensor


class Optimizer:
    """Parameters in groups, each group with its own settings, and what the optimiser remembers of each parameter.

    An optimiser is a subclass with an `update`; one that was written for PyTorch, with a `step` of its own, works too.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        A dict is a group: {"params": [...], "lr": ...}; settings that it leaves out come from `defaults`.
    defaults : dict

    Attributes
    ----------
    param_groups : list of dict
    state : dict
        For every parameter that has been stepped, a dict of tensors and numbers.

    Raises
    ------
    TypeError
        If `params` is a single tensor, or holds something else than tensors.
    ValueError
        If it is empty, holds the result of an op, or a parameter stands in two groups.

    Source: PyTorch documentation, torch.optim.Optimizer.
    """

    def __init__(self, params, defaults):
        if isinstance(params, Tensor):
            raise TypeError(
                f"{type(self).__name__}: got a Tensor as params, wanted an iterable of Tensors or of dicts: [tensor]"
            )
        self.defaults, self.param_groups, self.state = defaults, [], collections.defaultdict(dict)
        self._hooks = []
        groups = list(params)
        if not groups:
            raise ValueError(f"{type(self).__name__}: got an empty list of parameters, wanted at least one")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def add_param_group(self, param_group):
        """Add a group of parameters with settings of its own.

        Parameters
        ----------
        param_group : dict
            "params" is a tensor, or a list of tensors or of (name, tensor); the rest are settings. The dict itself
            becomes the group: what it leaves out is filled in from the defaults.

        Raises
        ------
        TypeError
            If it is no dict, its parameters are a set (they need an order) or no tensors.
        KeyError
            If it has no "params".
        ValueError
            If a parameter is the result of an op or stands in another group, or some parameters have names and others
            do not. The group is not changed then.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"add_param_group: got a {type(param_group).__name__}, wanted a dict with 'params'")
        if "params" not in param_group:
            raise KeyError(f"add_param_group: got the keys {list(param_group)}, wanted 'params' among them")
        params = param_group["params"]
        if isinstance(params, set):
            raise TypeError("add_param_group: got a set of parameters, whose order is not fixed; wanted a list")
        params = [params] if isinstance(params, Tensor) else list(params)
        names = [p[0] for p in params if isinstance(p, tuple)]
        if names and len(names) < len(params):
            raise ValueError(f"add_param_group: got {len(names)} names for {len(params)} parameters; name all or none")
        params = [p[1] if isinstance(p, tuple) else p for p in params]
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(f"add_param_group: got a {type(p).__name__} among the parameters, wanted Tensors")
            if p.op is not None and not p.retains_grad:
                raise ValueError(
                    "add_param_group: can't optimize a non-leaf Tensor, got the result of "
                    f"{type(p.op).__name__}; its own inputs, or a detached copy, can be optimised"
                )
        named = bool(names) or "param_names" in param_group
        if any(named != ("param_names" in group) for group in self.param_groups):
            raise ValueError(
                f"add_param_group: got a group {'with' if named else 'without'} names beside groups "
                f"{'without' if named else 'with'}; name the parameters of all groups or of none"
            )
        if len(set(params)) < len(params):
            warnings.warn(
                "add_param_group: a parameter stands twice in one group, it will be stepped twice", stacklevel=3
            )
        if not set(params).isdisjoint(p for group in self.param_groups for p in group["params"]):
            raise ValueError("add_param_group: some parameters appear in more than one parameter group")
        param_group["params"] = params
        if names:
            param_group["param_names"] = names
        for key, value in self.defaults.items():
            param_group.setdefault(key, value)
        self.param_groups.append(param_group)

    def zero_grad(self, set_to_none=True):
        """Forget the gradients of all parameters (or fill them with 0, in place)."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad_array = None
                elif p.grad_array is not None:
                    p.grad.zero_()

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
        raise NotImplementedError(f"{type(self).__name__} has neither an update nor a step")

    def __repr__(self):
        text = f"{type(self).__name__} ("
        for i, group in enumerate(self.param_groups):
            settings = [f"    {key}: {group[key]}\n" for key in sorted(group) if key != "params"]
            text += f"\nParameter Group {i}\n" + "".join(settings)
        return text + ")"

    # saving and loading

    def state_dict(self):
        """Settings and state, with parameters replaced by their positions.

        Returns
        -------
        dict
            "state": {position: {"momentum_buffer": Tensor, ...}}, "param_groups": [{"lr": ..., "params": [0, 1, ...]}].
            The tensors are the optimiser's own, not copies: the next step changes them.
        """
        for hook in self._of("state_dict_pre"):
            hook(self)
        order = {id(p): i for i, p in enumerate(p for group in self.param_groups for p in group["params"])}
        groups = []
        for group in self.param_groups:
            settings = {key: value for key, value in group.items() if key != "params"}
            groups.append({**settings, "params": [order[id(p)] for p in group["params"]]})
        saved = {"state": {order.get(id(p), p): s for p, s in self.state.items()}, "param_groups": groups}
        for hook in self._of("state_dict_post"):
            changed = hook(self, saved)
            saved = saved if changed is None else changed
        return saved

    def load_state_dict(self, state_dict):
        """Take settings and state from what `state_dict` gave, here or in PyTorch.

        Everything is copied, and tensors (or arrays) get the dtype and the device of their parameter, but for "step".
        (PyTorch copies only where the dtype or the device differs; two optimisers can then share their memory.)

        Raises
        ------
        ValueError
            If groups or their sizes differ. Nothing is changed then.
        """
        state_dict = dict(state_dict)
        for hook in self._of("load_state_dict_pre"):
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        saved = copy.deepcopy(state_dict["param_groups"])
        if len(saved) != len(self.param_groups):
            raise ValueError(
                f"load_state_dict: got {len(saved)} parameter groups, this optimiser has {len(self.param_groups)}"
            )
        for i, (own, new) in enumerate(zip(self.param_groups, saved, strict=True)):
            if len(own["params"]) != len(new["params"]):
                raise ValueError(
                    f"load_state_dict: got {len(new['params'])} parameters in group {i}, this optimiser has "
                    f"{len(own['params'])} there: the sizes of a parameter group don't match"
                )
        positions = [i for group in saved for i in group["params"]]
        params = dict(zip(positions, (p for group in self.param_groups for p in group["params"]), strict=True))
        state = collections.defaultdict(dict)
        for i, memory in state_dict["state"].items():
            state[params.get(i, i)] = _beside(params[i], memory) if i in params else memory
        for own, new in zip(self.param_groups, saved, strict=True):
            new["params"] = own["params"]
            if "param_names" in own:
                new.setdefault("param_names", own["param_names"])
            for key, value in self.defaults.items():  # settings that older versions did not know
                new.setdefault(key, value)
        self.state, self.param_groups = state, saved
        self._after_loading()
        for hook in self._of("load_state_dict_post"):
            hook(self)

    def _after_loading(self):
        """What a subclass has to put right in groups that were loaded."""

    def __getstate__(self):
        """What copies and pickles hold: hooks belong to one optimiser only."""
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._hooks = []

    # hooks

    def register_step_pre_hook(self, hook):
        """Call ``hook(optimizer, args, kwargs)`` before every step.

        Parameters
        ----------
        hook : callable
            `args` are the arguments of `step`, the optimiser first. It returns None, or new (args, kwargs).

        Returns
        -------
        RemovableHandle
        """
        return self._register_step_hook("step_pre", hook)

    def register_step_post_hook(self, hook):
        """Call ``hook(optimizer, args, kwargs)`` after every step.

        Returns
        -------
        RemovableHandle
        """
        return self._register_step_hook("step_post", hook)

    def register_state_dict_pre_hook(self, hook, prepend=False):
        """Call ``hook(optimizer)`` at the beginning of `state_dict`; with `prepend` before the hooks there already."""
        return self._register("state_dict_pre", hook, prepend)

    def register_state_dict_post_hook(self, hook, prepend=False):
        """Call ``hook(optimizer, state_dict)`` at the end of `state_dict`; what it returns, if not None, is given."""
        return self._register("state_dict_post", hook, prepend)

    def register_load_state_dict_pre_hook(self, hook, prepend=False):
        """Call ``hook(optimizer, state_dict)`` before loading; what it returns, if not None, is loaded instead."""
        return self._register("load_state_dict_pre", hook, prepend)

    def register_load_state_dict_post_hook(self, hook, prepend=False):
        """Call ``hook(optimizer)`` after loading."""
        return self._register("load_state_dict_post", hook, prepend)

    def _register(self, event, hook, prepend=False):
        handle = RemovableHandle(self._hooks, event, hook)
        self._hooks.insert(0 if prepend else len(self._hooks), handle)
        return handle

    def _register_step_hook(self, event, hook):
        """Keep a hook. From the first one on, `step` of this optimiser is one that calls hooks: without, none asks."""

        def step(*args, **kwargs):
            return self._step_with_hooks((self, *args), kwargs)

        self.step = step
        return self._register(event, hook)

    def _of(self, event):
        """The hooks for one event, in order; a list of its own, since a hook may remove itself."""
        return [hook.function for hook in self._hooks if hook.event == event]

    def _step_with_hooks(self, args, kwargs):
        for hook in self._of("step_pre"):
            new = hook(self, args, kwargs)
            if new is not None and not (isinstance(new, tuple) and len(new) == 2):
                raise RuntimeError(f"step: a pre-hook must return None or a tuple (new_args, new_kwargs), got {new!r}")
            args, kwargs = (args, kwargs) if new is None else new
        result = type(self).step(*args, **kwargs)
        for hook in self._of("step_post"):
            hook(self, args, kwargs)
        return result


def _beside(p, value, key=None):
    """A copy of what was remembered of parameter `p`: tensors of its dtype, on its device, where the next step is."""
    if isinstance(value, dict):
        return {k: _beside(p, v, k) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_beside(p, v) for v in value)
    if key == "step":
        return new_step(float(value)) if isinstance(value, int | float) else Tensor(np.asarray(value).copy())
    if not hasattr(value, "__array__"):  # a number, a text, None
        return copy.deepcopy(value)
    array = value.array if isinstance(value, Tensor) else np.asarray(value)
    array = backend.to_device(array, backend.device_of(p.array))
    return p.like(array.astype(p.array.dtype if p.is_floating_point() else array.dtype))  # astype copies


def new_step(count=0.0):
    """The number of steps taken, as PyTorch keeps it: a 0-dim tensor on the CPU, float32 (or the default float64)."""
    return Tensor(np.array(count, np.float64 if dtypes.get_default_dtype() is dtypes.float64 else np.float32))


def new_memory(p, value=0):
    """A tensor like parameter `p`, filled with `value`, for what an optimiser remembers of it."""
    return p.like(backend.namespace(p.array).full_like(p.array, value))


def number(setting):
    """A setting to compute with: of a tensor (lr can be one), its one element, which keeps the tensor's precision."""
    return setting.array.reshape(())[()] if isinstance(setting, Tensor) else setting


def check_settings(name, **settings):
    """Raise ValueError if one of an optimiser's settings is negative, or is a tensor of more than one element."""
    for key, value in settings.items():
        if isinstance(value, Tensor) and value.numel() != 1:
            raise ValueError(f"{name}: got {key} as a Tensor of shape {tuple(value.shape)}, wanted 1-element")
        if not value >= 0:
            raise ValueError(f"{name}: invalid {key}: got {value}, wanted a number >= 0")


def check_implementation(name, foreach=None, fused=None, differentiable=False):
    """Raise where PyTorch's ways to compute a step exclude each other.

    There is one way here. `foreach` and `fused` choose another in PyTorch, with the same result: they are accepted and
    kept in the groups. `differentiable` would record the step itself in the graph.

    Raises
    ------
    RuntimeError
        If two ways are asked for.
    NotImplementedError
        If `differentiable` is.
    """
    if fused and (foreach or differentiable):
        raise RuntimeError(
            f"{name}: fused=True and {'foreach' if foreach else 'differentiable'}=True exclude each other"
        )
    if differentiable:
        raise NotImplementedError(
            f"{name}: got differentiable=True, but a step is never part of the graph; wanted False"
        )
