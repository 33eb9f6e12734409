"""Module: the base of all layers and models.

What a module owns stands in its attributes, in the order of assignment; parameters(), buffers() and children() read
them off. Beside them there are only the names of what is owned, with its kind: a buffer may be replaced by a plain
tensor, and anything by None, and stays what it is. `train` and `eval` are per module, and independent of whether
gradients are recorded. Hooks are in hooks.py, state dicts in state.py.
"""

from collections.abc import MutableMapping

from .. import creation, dtypes
from ..tensor import Tensor
from . import hooks, state
from .parameter import Buffer, Parameter


class Module:
    """A layer or a model: parameters, buffers, modules inside it, and a `forward`.

    Attributes
    ----------
    training : bool
        Whether the module is in train mode.

    >>> from minitorch_bn import nn
    >>> class Scale(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = nn.Parameter(creation.ones(1))
    ...     def forward(self, x):
    ...         return self.factor * x
    >>> [name for name, _ in Scale().named_parameters()]
    ['factor']
    """

    training = True
    _version = 1  # of what state_dict() gives; see _update_state

    def __init__(self):
        vars(self).update(training=True, _owned={}, _unsaved=set(), _hooks=[])

    def forward(self, *inputs):
        """What the module computes; every model gives its own."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, *args, **kwargs):
        if self._hooks:
            return hooks.call(self, args, kwargs)
        return self.forward(*args, **kwargs)

    # attributes

    def __setattr__(self, name, value):
        owned = vars(self).get("_owned")
        if not isinstance(value, OWNED_KINDS) and not (owned and name in owned):
            object.__setattr__(self, name, value)
            return
        if owned is None:
            raise AttributeError(f"cannot assign {type(value).__name__} {name!r} before Module.__init__() call")
        before = owned.get(name)
        kind = next((kind for kind in OWNED_KINDS if isinstance(value, kind)), None)
        wanted, allowed = {
            Parameter: ("parameter", Parameter | None),
            Module: ("child module", Module | Parameter | None),
            Buffer: ("buffer", Tensor | Module | None),
            None: ("", object),
        }[before]
        if not isinstance(value, allowed):
            raise TypeError(
                f"cannot assign '{type(value).__name__}' as {wanted} '{name}' ({before.__name__} or None expected); to "
                "change the values of a tensor use copy_ inside no_grad()"
            )
        if kind is Parameter and before is not Parameter and not hasattr(type(self), name):
            vars(self).pop(name, None)  # a parameter, and no other kind, may take the place of anything
            owned.pop(name, None)
        if kind is Parameter:
            self.register_parameter(name, value)
        elif kind is Buffer:
            self.register_buffer(name, value, value.persistent)
        else:
            self._own(name, value, kind or before)

    def _own(self, name, value, kind):
        """Let `value` be what this module owns as `name`. In its old place, if it was of the same kind."""
        if self._owned.get(name) is not kind:
            vars(self).pop(name, None)
            self._owned.pop(name, None)
            self._unsaved.discard(name)
        self._owned[name] = kind
        vars(self)[name] = value

    def __delattr__(self, name):
        super().__delattr__(name)
        self._owned.pop(name, None)
        self._unsaved.discard(name)

    def register_parameter(self, name, param):
        """Own `param` (a Parameter, or None for "this module has none") under `name`.

        This and its two siblings raise KeyError if the name is taken or holds a dot, TypeError if the value is of
        another kind or the name no string, AttributeError before Module.__init__().
        """
        self._check_new("register_parameter", name, param, Parameter, Parameter)
        self._own(name, param, Parameter)

    def register_buffer(self, name, tensor, persistent=True):
        """Own `tensor` (or None) as state that is not learnt; part of state_dict() if persistent."""
        self._check_new("register_buffer", name, tensor, Buffer, Tensor)
        self._own(name, tensor, Buffer)
        if persistent:
            self._unsaved.discard(name)
        else:
            self._unsaved.add(name)

    def add_module(self, name, module):
        """Own `module` (or None) under `name`."""
        self._check_new("add_module", name, module, Module, Module)
        self._own(name, module, Module)

    register_module = add_module

    def _check_new(self, function, name, value, kind, allowed):
        """Raise PyTorch's errors for a name that cannot be used, or a value that is not of its kind."""
        if "_owned" not in vars(self):
            raise AttributeError(f"{function}: cannot assign {name!r} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{function}: the name should be a string, got {type(name).__name__}")
        if "." in name or not name:
            raise KeyError(f'{function}: a name can\'t be empty or contain ".", got {name!r}')
        if hasattr(self, name) and self._owned.get(name) is not kind:
            raise KeyError(f"{function}: attribute {name!r} already exists")
        if not isinstance(value, allowed | None):
            raise TypeError(
                f"{function}: cannot register '{type(value).__name__}' as {name!r}, wanted {allowed.__name__} or None"
            )

    def __dir__(self):
        return [name for name in super().__dir__() if not name[0].isdigit()]

    def __setstate__(self, attributes):
        vars(self).update(attributes)

    # what it owns

    def _items(self, kind):
        """(name, value) of what this module itself owns of one kind, in order; None where it has none."""
        own = vars(self)
        return [(name, own[name]) for name, of in self._owned.items() if of is kind]

    _parameters = property(lambda self: Owned(self, Parameter), doc="The own parameters by name.")
    _buffers = property(lambda self: Owned(self, Buffer), doc="The own buffers by name.")
    _modules = property(lambda self: Owned(self, Module), doc="The modules directly inside by name.")

    def named_children(self):
        """(name, module) of the modules directly inside, each once."""
        seen = set()
        for name, m in self._items(Module):
            if m is not None and m not in seen:
                seen.add(m)
                yield name, m

    def children(self):
        """The modules directly inside, each once."""
        return (m for _, m in self.named_children())

    def named_modules(self, memo=None, prefix="", remove_duplicate=True):
        """(dotted name, module) of this module and all inside it, each once if `remove_duplicate`."""
        memo = set() if memo is None else memo
        if self not in memo:
            if remove_duplicate:
                memo.add(self)
            yield prefix, self
            for name, m in self._items(Module):
                if m is not None:
                    yield from m.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self, remove_duplicate=True):
        """This module and all inside it, each once if `remove_duplicate`."""
        return (m for _, m in self.named_modules(remove_duplicate=remove_duplicate))

    def _named_tensors(self, kind, prefix, recurse, remove_duplicate):
        """(dotted name, tensor) of all of one kind, in order of definition."""
        seen = set()
        modules = self.named_modules(None, prefix, remove_duplicate) if recurse else [(prefix, self)]
        for module_name, m in modules:
            for name, t in m._items(kind):
                if t is not None and t not in seen:
                    if remove_duplicate:
                        seen.add(t)
                    yield (f"{module_name}.{name}" if module_name else name), t

    def named_parameters(self, prefix="", recurse=True, remove_duplicate=True):
        """(dotted name, parameter), in order of definition, each once if `remove_duplicate`."""
        return self._named_tensors(Parameter, prefix, recurse, remove_duplicate)

    def parameters(self, recurse=True):
        """The parameters, in order of definition, each once."""
        return (p for _, p in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix="", recurse=True, remove_duplicate=True):
        """(dotted name, buffer), in order of definition, each once if `remove_duplicate`."""
        return self._named_tensors(Buffer, prefix, recurse, remove_duplicate)

    def buffers(self, recurse=True):
        """The buffers, in order of definition, each once."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    def get_submodule(self, target):
        """The module with the dotted name `target`; "" is this one. AttributeError if there is none."""
        return _get("get_submodule", self, target.split(".") if target else [])

    def set_submodule(self, target, module, strict=False):
        """Put `module` in the place that the dotted name `target` stands for; what is there now must be a module.

        Raises
        ------
        ValueError
            If `target` is empty or `module` no Module.
        AttributeError
            If there is no such place: no parent module, something else than a module, or, when strict, nothing.
        """
        if not target or not isinstance(module, Module):
            raise ValueError(f"set_submodule: got the name {target!r} and a {type(module).__name__}, wanted a Module")
        *path, name = target.split(".")
        parent = _get("set_submodule", self, path)
        if strict or hasattr(parent, name):
            _get("set_submodule", parent, [name])
        setattr(parent, name, module)

    def get_parameter(self, target):
        """The parameter with the dotted name `target`. AttributeError if there is none."""
        return _get_tensor("get_parameter", self, target, Parameter)

    def get_buffer(self, target):
        """The buffer with the dotted name `target`. AttributeError if there is none."""
        return _get_tensor("get_buffer", self, target, Buffer)

    # modes and moves

    def train(self, mode=True):
        """Train mode for this module and all inside it; returns self. ValueError if `mode` is no bool."""
        if not isinstance(mode, bool):
            raise ValueError(f"train: training mode is expected to be boolean, got {mode!r}")
        self.training = mode
        for m in self.children():
            m.train(mode)
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
        """Forget the gradients of all parameters, or fill them with 0."""
        for p in self.parameters():
            if set_to_none:
                p.grad_array = None
            elif p.grad_array is not None:
                p.grad.zero_()

    def apply(self, fn):
        """Call `fn` on every module inside and then on this one; returns self."""
        for m in self.children():
            m.apply(fn)
        fn(self)
        return self

    def _apply(self, fn, recurse=True):
        """Replace the values of parameters, buffers and gradients by fn(values); returns self."""
        tensors = dict.fromkeys([*self.parameters(recurse), *self.buffers(recurse)])
        moved = [(t, fn(t.detach()), None if t.grad_array is None else fn(t.like(t.grad_array))) for t in tensors]
        for t, values, gradient in moved:  # all of them are there: if one could not be made, none has changed
            t.array, t.grad_array = values.array, None if gradient is None else gradient.array
        return self

    def to(self, *args, **kwargs):
        """Move parameters and buffers, in place, to a device, a floating point dtype, or both; returns self.

        Takes what Tensor.to takes: ``to(device)``, ``to(dtype)``, ``to(device, dtype)``, ``to(tensor)``. Integers keep
        their dtype.

        Raises
        ------
        TypeError
            If the dtype is not floating point.
        RuntimeError
            If the device is not there. Nothing is changed then.
        """
        device, dtype = _destination(*args, **kwargs)
        if dtype is not None and not dtype.is_floating_point:
            raise TypeError(f"nn.Module.to only accepts floating point dtypes, but got desired dtype={dtype}")

        def move(t):
            return t.to(device=device, dtype=dtype if t.is_floating_point() else None)

        return self._apply(move)

    def cpu(self):
        """To the CPU."""
        return self.to("cpu")

    def cuda(self, device=None):
        """To the GPU; RuntimeError if there is none."""
        return self.to("cuda" if device is None else device)

    def float(self):
        """Floating point parameters and buffers to float32."""
        return self.to(dtypes.float32)

    def double(self):
        """Floating point parameters and buffers to float64."""
        return self.to(dtypes.float64)

    def half(self):
        """Floating point parameters and buffers to float16."""
        return self.to(dtypes.float16)

    def type(self, dst_type):
        """All parameters and buffers to one dtype, integers too."""
        return self._apply(lambda t: t.type(dst_type))

    def to_empty(self, *, device, recurse=True):
        """To another device, with whatever values stand there."""
        return self._apply(lambda t: creation.empty_like(t, device=device), recurse)

    # what it looks like

    def _get_name(self):
        return type(self).__name__

    def extra_repr(self):
        """The arguments of a layer, as they stand in its repr; may have several lines."""
        return ""

    def __repr__(self):
        inside = [f"({name}): {m!r}".replace("\n", "\n  ") for name, m in self._items(Module)]
        extra = self.extra_repr().split("\n") if self.extra_repr() else []
        if len(extra) < 2 and not inside:
            return f"{self._get_name()}({''.join(extra)})"
        return f"{self._get_name()}(\n  " + "\n  ".join(extra + inside) + "\n)"

    register_forward_pre_hook = hooks.register_forward_pre_hook
    register_forward_hook = hooks.register_forward_hook
    register_full_backward_pre_hook = hooks.register_full_backward_pre_hook
    register_full_backward_hook = hooks.register_full_backward_hook

    state_dict = state.state_dict
    load_state_dict = state.load_state_dict
    get_extra_state = state.get_extra_state
    set_extra_state = state.set_extra_state
    _update_state = state.update_state
    _marks, _take_marks = state.marks, state.take_marks


OWNED_KINDS = (Parameter, Module, Buffer)


class Owned(MutableMapping):
    """What a module itself owns of one kind, by name. A view: writing to it writes to the module."""

    def __init__(self, module, kind):
        self.module, self.kind = module, kind

    def __getitem__(self, name):
        if self.module._owned.get(name) is not self.kind:
            raise KeyError(name)
        return vars(self.module)[name]

    def __setitem__(self, name, value):
        self.module._own(name, value, self.kind)

    def __delitem__(self, name):
        if name not in self:
            raise KeyError(name)
        delattr(self.module, name)

    def __iter__(self):
        return iter([name for name, _ in self.module._items(self.kind)])

    def __len__(self):
        return len(self.module._items(self.kind))

    def __repr__(self):
        return repr(dict(self))


def _get(function, module, path):
    """The module that the attributes `path` lead to, one after the other."""
    for name in path:
        inside = getattr(module, name, None)
        if not isinstance(inside, Module):
            raise AttributeError(f"{function}: {module._get_name()} has no module `{name}`")
        module = inside
    return module


def _get_tensor(function, module, target, kind):
    """The tensor of one kind that stands in `module` under a dotted name."""
    *path, name = target.split(".")
    module = _get(function, module, path)
    if module._owned.get(name) is not kind or vars(module)[name] is None:
        raise AttributeError(f"{function}: {module._get_name()} has no {kind.__name__.lower()} `{name}`")
    return vars(module)[name]


def _destination(*args, device=None, dtype=None, non_blocking=False, memory_format=None, tensor=None):
    """The device and the dtype, or None, that the arguments of `to` ask for."""
    for arg in (*args, tensor):
        if isinstance(arg, Tensor):
            device, dtype = arg.device, arg.dtype
        elif isinstance(arg, dtypes.dtype):
            dtype = arg
        elif arg is not None and not isinstance(arg, bool):
            device = arg
    return device, dtype
