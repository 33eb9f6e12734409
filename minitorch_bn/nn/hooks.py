"""Hooks: functions that a module calls before and after its forward, and when gradients pass its outputs and inputs.

A module without hooks does not come here. Backward hooks need no help from the engine: all inputs, and all outputs, go
through a function that changes nothing (`Probe`), and whose backward shows the gradients to the hooks.
"""

import warnings

from .. import engine
from ..autograd.function import Function
from ..tensor import Tensor


class RemovableHandle:
    """One registered hook, and what registering it returns: `remove()` takes it off again.

    As a context manager, it is taken off at the end of the block.
    """

    def __init__(self, registered, event, function, with_kwargs=False, always_call=False):
        self.registered, self.event, self.function = registered, event, function
        self.with_kwargs, self.always_call = with_kwargs, always_call

    def remove(self):
        """Take the hook off; doing so twice does nothing."""
        self.registered[:] = [hook for hook in self.registered if hook is not self]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()


def _register(module, prepend, *what):
    handle = RemovableHandle(module._hooks, *what)
    module._hooks.insert(0 if prepend else len(module._hooks), handle)
    return handle


def register_forward_pre_hook(self, hook, *, prepend=False, with_kwargs=False):
    """Call ``hook(module, args)`` before every forward; what it returns, if not None, replaces the arguments.

    Parameters
    ----------
    hook : callable
        Returns None, a tuple of new arguments, or the one new argument.
    prepend : bool
        Call it before the hooks that are there already.
    with_kwargs : bool
        Call ``hook(module, args, kwargs)``; it returns None or (args, kwargs).

    Returns
    -------
    RemovableHandle
    """
    return _register(self, prepend, "forward_pre", hook, with_kwargs)


def register_forward_hook(self, hook, *, prepend=False, with_kwargs=False, always_call=False):
    """Call ``hook(module, args, output)`` after every forward; its result, if not None, replaces the output.

    Parameters
    ----------
    hook : callable
    prepend : bool
        Call it before the hooks that are there already.
    with_kwargs : bool
        Call ``hook(module, args, kwargs, output)``.
    always_call : bool
        Call it also when forward, or another hook, raises.

    Returns
    -------
    RemovableHandle
    """
    return _register(self, prepend, "forward", hook, with_kwargs, always_call)


def register_full_backward_pre_hook(self, hook, prepend=False):
    """Call ``hook(module, grad_output)`` when the gradients of the outputs are there.

    Parameters
    ----------
    hook : callable
        `grad_output` is a tuple, None for outputs that are no tensors. A tuple that it returns replaces the gradients.
    prepend : bool
        Call it before the hooks that are there already.

    Returns
    -------
    RemovableHandle
    """
    return _register(self, prepend, "full_backward_pre", hook)


def register_full_backward_hook(self, hook, prepend=False):
    """Call ``hook(module, grad_input, grad_output)`` when the gradients of the inputs have been computed.

    Parameters
    ----------
    hook : callable
        `grad_input` is a tuple with one entry per positional argument, `grad_output` one with one entry per output;
        None for what is no tensor, and for all inputs where none requires grad. A tuple that it returns replaces
        grad_input.
    prepend : bool
        Call it before the hooks that are there already.

    Returns
    -------
    RemovableHandle

    >>> from minitorch_bn import nn, ones
    >>> layer = nn.Tanh()
    >>> handle = layer.register_full_backward_hook(lambda module, dx, dy: print(dx, dy))
    >>> layer(ones(1, requires_grad=True) * 0).backward()
    (tensor([1.]),) (tensor([1.]),)
    """
    return _register(self, prepend, "full_backward", hook)


def _of(module, event):
    """The hooks of a module for one event, in order; a list of its own, since a hook may remove itself."""
    return [hook for hook in module._hooks if hook.event == event]


def call(module, args, kwargs):
    """What ``module(*args, **kwargs)`` does where the module has hooks."""
    called, output = [], None
    try:
        for hook in _of(module, "forward_pre"):
            args, kwargs = _new_arguments(hook, module, args, kwargs)
        gates = Gates(module, len(args))
        args = gates.on_inputs(args)
        output = module.forward(*args, **kwargs)
        for hook in _of(module, "forward"):
            called.append(hook)
            output = _new_output(hook, module, args, kwargs, output)
        return gates.on_outputs(output)
    except Exception:
        for hook in _of(module, "forward"):
            if hook.always_call and hook not in called:
                try:
                    output = _new_output(hook, module, args, kwargs, output)
                except Exception as error:
                    warnings.warn(f"a forward hook with always_call=True raised an error, too: {error}", stacklevel=3)
        raise


def _new_arguments(hook, module, args, kwargs):
    """The arguments after one forward pre-hook."""
    if not hook.with_kwargs:
        given = hook.function(module, args)
        return (args if given is None else given if isinstance(given, tuple) else (given,)), kwargs
    given = hook.function(module, args, kwargs)
    if given is not None and not (isinstance(given, tuple) and len(given) == 2):
        raise RuntimeError(f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {given}")
    return (args, kwargs) if given is None else given


def _new_output(hook, module, args, kwargs, output):
    """The output after one forward hook."""
    given = hook.function(module, args, kwargs, output) if hook.with_kwargs else hook.function(module, args, output)
    return output if given is None else given


class BackwardHookFunction(Function):
    """Tensors as they are; on the way back their gradients as `seen` gives them."""

    @staticmethod
    def forward(ctx, seen, zeros_for_none, *tensors):
        """The same tensors."""
        ctx.seen = seen
        ctx.set_materialize_grads(zeros_for_none)
        ctx.mark_non_differentiable(*[t for t in tensors if not t.requires_grad])
        return tensors

    @staticmethod
    def backward(ctx, *grads):
        """The gradients, changed or not."""
        return None, None, *ctx.seen(grads)


class Gates:
    """The two probes around one call of a module, and the gradients on their way from the outputs to the inputs."""

    def __init__(self, module, n_inputs):
        self.module, self.n_inputs = module, n_inputs
        self.pre_hooks = [hook.function for hook in _of(module, "full_backward_pre")]
        self.hooks = [hook.function for hook in _of(module, "full_backward")]
        self.input_places = self.output_places = self.grad_output = None

    def on_inputs(self, args):
        """The arguments, with a probe at the tensors among them."""
        if not (self.hooks or self.pre_hooks):
            return args
        args, self.input_places = _probe(args, self.inputs_seen, True)
        return args

    def on_outputs(self, output):
        """The output or the tuple of outputs, with a probe."""
        if not (self.hooks or self.pre_hooks):
            return output
        outputs = output if isinstance(output, tuple) else (output,)
        self.n_outputs = len(outputs)
        if not isinstance(output, Tensor | tuple):
            kind = type(output).__name__
            warnings.warn(f"backward hooks want an output that is a Tensor or a tuple, got {kind}", stacklevel=4)
        outputs, self.output_places = _probe(outputs, self.outputs_seen, False)
        return outputs if isinstance(output, tuple) else outputs[0]

    def outputs_seen(self, grads):
        """Show the gradients of the outputs to the pre-hooks."""
        grad_output = _spread(self.output_places, grads, self.n_outputs)
        for hook in self.pre_hooks:
            given = hook(self.module, grad_output)
            grad_output = _replaced("backward pre hook", "grad_output", grad_output, given)
        self.grad_output = grad_output
        for hook in self.hooks if self.input_places is None else ():  # no gradient will pass the inputs
            given = hook(self.module, (None,) * self.n_inputs, grad_output)
            if given is not None and not (isinstance(given, tuple) and all(dx is None for dx in given)):
                raise RuntimeError("backward hook: where no input requires grad it must return None, got gradients")
        return tuple(grad_output[place] for place in self.output_places)

    def inputs_seen(self, grads):
        """Show the gradients of the inputs to the hooks, with those of the outputs."""
        grad_input = _spread(self.input_places, grads, self.n_inputs)
        if self.grad_output is None:  # the gradient has come along another way than through the module's outputs
            return grads
        for hook in self.hooks:
            given = hook(self.module, grad_input, self.grad_output)
            grad_input = _replaced("backward hook", "grad_input", grad_input, given)
        self.grad_output = None
        return tuple(grad_input[place] for place in self.input_places)


def _probe(values, seen, zeros_for_none):
    """The values with a probe at the tensors among them, and their places; None if no gradient will come.

    As in PyTorch, hooks see zeros as the gradient of an input that was not used, and None as that of an output.
    """
    places = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
    if not (engine.is_grad_enabled() and any(values[i].requires_grad for i in places)):
        return values, None
    kind, values = type(values), list(values)
    probed = BackwardHookFunction.apply(seen, zeros_for_none, *[values[i] for i in places])
    for i, t in zip(places, probed, strict=True):
        values[i] = t
    return (tuple(values) if kind is tuple else kind(*values)), places  # a namedtuple stays one


def _spread(places, grads, n):
    """`grads` at their places in a tuple of n, None elsewhere."""
    spread = [None] * n
    for place, d in zip(places, grads, strict=True):
        spread[place] = d
    return tuple(spread)


def _replaced(who, what, old, new):
    """What a hook makes of gradients: `old` if it returned None."""
    if new is None:
        return old
    if len(new) != len(old):
        raise RuntimeError(f"{who} returned an invalid number of {what}, got {len(new)}, but expected {len(old)}")
    return new
