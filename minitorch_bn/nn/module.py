"""Module: the base of all layers and models.

What a module owns stands in its attributes, in the order of assignment; parameters(), buffers() and children() read
them off. There is no registry beside it, except the names of buffers, because a buffer may be replaced by a plain
tensor and stays a buffer. `train` and `eval` are per module, and independent of whether gradients are recorded.
"""

from collections import OrderedDict, namedtuple
from collections.abc import Mapping

from ..dtypes import dtype as dtype_class
from ..tensor import Tensor
from .parameter import Buffer, Parameter


class _IncompatibleKeys(namedtuple("_IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """What load_state_dict returns: the keys that it missed, and those that it did not know."""

    def __repr__(self):
        return super().__repr__() if any(self) else "<All keys matched successfully>"


class Module:
    """A layer or a model: parameters, buffers, modules inside it, and a `forward`.

    Attributes
    ----------
    training : bool
        Whether the module is in train mode.
    """

    training = True

    def __init__(self):
        vars(self).update(training=True, _buffer_names={}, _forward_hooks=[])

    def forward(self, *inputs):
        """What the module computes; every model gives its own."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, *args, **kwargs):
        y = self.forward(*args, **kwargs)
        if self._forward_hooks:
            for hook in tuple(self._forward_hooks):
                changed = hook(self, args, y)
                y = y if changed is None else changed
        return y

    def __setattr__(self, name, value):
        own = vars(self)
        if isinstance(value, Parameter | Module | Buffer) and "_buffer_names" not in own:
            raise AttributeError(f"cannot assign {type(value).__name__} {name!r} before Module.__init__() call")
        if isinstance(value, Buffer):
            self._buffer_names[name] = value.persistent
        elif isinstance(own.get(name), Parameter) and value is not None and not isinstance(value, Parameter):
            raise TypeError(
                f"cannot assign '{type(value).__name__}' as parameter '{name}' (Parameter or None expected); to change "
                "its values write to .data inside no_grad()"
            )
        elif isinstance(own.get(name), Module) and not isinstance(value, Module | None):
            raise TypeError(
                f"cannot assign '{type(value).__name__}' as child module '{name}' (Module or None expected)"
            )
        elif own.get("_buffer_names") and name in own["_buffer_names"] and not isinstance(value, Tensor | None):
            raise TypeError(f"cannot assign '{type(value).__name__}' as buffer '{name}' (Tensor or None expected)")
        own[name] = value

    def __delattr__(self, name):
        self._buffer_names.pop(name, None)
        super().__delattr__(name)

    def register_parameter(self, name, param):
        """Own `param` (a Parameter, or None for "this module has none") under `name`.

        This and its two siblings raise KeyError if the name is taken or holds a dot, TypeError if the value is of
        another kind.
        """
        self._check_new("register_parameter", name, param, Parameter)
        setattr(self, name, param)

    def register_buffer(self, name, tensor, persistent=True):
        """Own `tensor` (or None) as state that is not learnt; part of state_dict() if persistent."""
        self._check_new("register_buffer", name, tensor, Tensor)
        vars(self).setdefault(name, None)
        self._buffer_names[name] = persistent
        setattr(self, name, tensor)

    def register_module(self, name, module):
        """Own `module` under `name`."""
        self._check_new("add_module", name, module, Module)
        setattr(self, name, module)

    add_module = register_module

    def _check_new(self, function, name, value, kind):
        """Raise PyTorch's errors for a name that cannot be used, or a value that is not of its kind."""
        if "." in name or not name:
            raise KeyError(f'{function}: a name can\'t be empty or contain ".", got {name!r}')
        taken = hasattr(self, name) and not isinstance(vars(self).get(name), kind | None)
        if taken or (kind is Tensor and isinstance(vars(self).get(name), Parameter)):
            raise KeyError(f"{function}: attribute {name!r} already exists")
        if not isinstance(value, kind | None):
            raise TypeError(
                f"{function}: cannot register '{type(value).__name__}' as {name!r}, wanted {kind.__name__} or None"
            )

    def register_forward_hook(self, hook):
        """Call ``hook(module, inputs, output)`` after every forward; its result, if not None, replaces the output."""
        self._forward_hooks.append(hook)
        return RemovableHandle(self._forward_hooks, hook)

    # what it owns

    def named_children(self):
        """(name, module) of the modules directly inside."""
        return [(name, m) for name, m in vars(self).items() if isinstance(m, Module)]

    def children(self):
        """The modules directly inside."""
        return (m for _, m in self.named_children())

    def named_modules(self, memo=None, prefix="", remove_duplicate=True):
        """(dotted name, module) of this module and all inside it, each once."""
        memo = set() if memo is None else memo
        if self not in memo:
            if remove_duplicate:
                memo.add(self)
            yield prefix, self
            for name, m in self.named_children():
                yield from m.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self):
        """This module and all inside it, each once."""
        return (m for _, m in self.named_modules())

    def _named_tensors(self, own, prefix, recurse):
        """(dotted name, tensor) of what `own` finds in each module, each tensor once, in order of definition."""
        seen = set()
        for module_name, m in self.named_modules(prefix=prefix) if recurse else [(prefix, self)]:
            for name, t in own(m):
                if t is not None and t not in seen:
                    seen.add(t)
                    yield (f"{module_name}.{name}" if module_name else name), t

    def _own_parameters(self):
        return [(name, p) for name, p in vars(self).items() if isinstance(p, Parameter)]

    def _own_buffers(self):
        return [(name, getattr(self, name)) for name in self._buffer_names]

    def named_parameters(self, prefix="", recurse=True):
        """(dotted name, parameter), in order of definition, each once."""
        return self._named_tensors(Module._own_parameters, prefix, recurse)

    def parameters(self, recurse=True):
        """The parameters, in order of definition, each once."""
        return (p for _, p in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix="", recurse=True):
        """(dotted name, buffer), in order of definition, each once."""
        return self._named_tensors(Module._own_buffers, prefix, recurse)

    def buffers(self, recurse=True):
        """The buffers, in order of definition, each once."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    # modes and moves

    def train(self, mode=True):
        """Train mode for this module and all inside it; returns self."""
        if not isinstance(mode, bool):
            raise ValueError(f"train: training mode is expected to be boolean, got {mode!r}")
        for m in self.modules():
            m.training = mode
        return self

    def eval(self):
        """Eval mode for this module and all inside it; returns self. Gradients are recorded as before: see no_grad."""
        return self.train(False)

    def requires_grad_(self, requires_grad=True):
        """Say for all parameters whether they require grad; returns self. Running statistics move all the same."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none=True):
        """Forget the gradients of all parameters (or fill them with 0)."""
        for p in self.parameters():
            p.grad = None if set_to_none or p.grad is None else p.grad * 0

    def apply(self, fn):
        """Call `fn` on every module inside and then on this one; returns self."""
        for m in self.children():
            m.apply(fn)
        fn(self)
        return self

    def to(self, *args, **kwargs):
        """Move parameters and buffers to a device, a floating point dtype, or both, in place; returns self."""
        asked = [a for a in (*args, kwargs.get("dtype")) if isinstance(a, dtype_class)]
        if any(not d.is_floating_point for d in asked):
            raise TypeError(f"Module.to only accepts floating point dtypes, but got desired dtype={asked[0]}")
        device = kwargs.get("device", next((a for a in args if not isinstance(a, dtype_class | Tensor | bool)), None))
        for a in args:
            if isinstance(a, Tensor):
                asked, device = [a.dtype], a.device
        moves = [(t, t.detach()) for t in (*self.parameters(), *self.buffers())]
        moved = []
        for _, values in moves:  # all of them first: if one cannot move, none has
            values = values if device is None else values.to(device)
            moved.append(values.to(asked[0]) if asked and values.is_floating_point() else values)
        for (t, _), values in zip(moves, moved, strict=True):
            t.array = values.array
            if t.grad_array is not None:
                t.grad_array = t.like(t.grad_array).to(t.device, t.dtype).array
        return self

    def cpu(self):
        """To the CPU."""
        return self.to("cpu")

    def cuda(self, device=None):
        """To the GPU; RuntimeError if there is none."""
        return self.to("cuda" if device is None else device)

    def float(self):
        """Floating point parameters and buffers to float32."""
        from .. import dtypes

        return self.to(dtypes.float32)

    def double(self):
        """Floating point parameters and buffers to float64."""
        from .. import dtypes

        return self.to(dtypes.float64)

    # state

    def _named_state(self):
        """(dotted name, tensor) of what a state_dict holds, module by module: parameters, then persistent buffers."""
        for prefix, m in self.named_modules(remove_duplicate=False):
            buffers = [(name, b) for name, b in m._own_buffers() if m._buffer_names[name] and b is not None]
            for name, t in m._own_parameters() + buffers:
                yield (f"{prefix}.{name}" if prefix else name), t

    def state_dict(self):
        """Parameters and persistent buffers by dotted name, detached, sharing memory."""
        return OrderedDict((name, t.detach()) for name, t in self._named_state())

    def load_state_dict(self, state_dict, strict=True):
        """Copy the values of `state_dict` into parameters and buffers.

        Returns
        -------
        (missing_keys, unexpected_keys)

        Raises
        ------
        RuntimeError
            If a shape differs, or, when strict, a key is missing or unexpected. Nothing is changed then.
        TypeError
            If it is no dict.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"load_state_dict: expected state_dict to be dict-like, got {type(state_dict).__name__}")
        own = dict(self._named_state())
        missing = [key for key in own if key not in state_dict]
        unexpected = [key for key in state_dict if key not in own]
        wrong = [
            f"size mismatch for {key}: copying a param with shape {state_dict[key].shape}, "
            f"the shape in current model is {t.shape}."
            for key, t in own.items()
            if key in state_dict and state_dict[key].shape != t.shape
        ]
        if strict and missing:
            wrong.append(f"Missing key(s) in state_dict: {', '.join(map(repr, missing))}.")
        if strict and unexpected:
            wrong.append(f"Unexpected key(s) in state_dict: {', '.join(map(repr, unexpected))}.")
        if wrong:
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t" + "\n\t".join(wrong))
        for key, t in own.items():
            if key in state_dict:
                t.detach().copy_(state_dict[key].detach())
        return _IncompatibleKeys(missing, unexpected)

    # what it looks like

    def extra_repr(self):
        """The arguments of a layer, as they stand in its repr."""
        return ""

    def __repr__(self):
        inside = [f"({name}): {m!r}".replace("\n", "\n  ") for name, m in self.named_children()]
        extra = self.extra_repr()
        if not inside:
            return f"{type(self).__name__}({extra})"
        lines = ([extra] if extra else []) + inside
        return f"{type(self).__name__}(\n  " + "\n  ".join(lines) + "\n)"


class RemovableHandle:
    """What registering a hook returns: `remove()` takes the hook off again."""

    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook

    def remove(self):
        """Take the hook off; doing so twice does nothing."""
        if self.hook in self.hooks:
            self.hooks.remove(self.hook)
