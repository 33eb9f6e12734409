"""Tensor.register_hook without a list of hooks in the engine: a probe, an identity op, between a tensor and its maker.

The tensor keeps its identity and takes over the probe as its op; the probe's input is the tensor's former self, which
has the op that made it. The probe takes a serial number right behind that op's, before any use of the tensor, so that
it sees the gradients of all uses added up, also of uses that were recorded before the hook.
"""

from .engine import Op, apply, enable_grad


class Probe(Op):
    """y = x.  dx = what the hooks make of dy, one after the other.

    Attributes
    ----------
    hooks : dict
        {key of the handle: function of an array, giving an array}, in the order of registration.
    """

    torch_name = property(lambda self: self.inputs[0].op.torch_name if self.inputs else "ProbeBackward0")

    def __init__(self):
        self.hooks = {}

    def forward(self, x):
        return x

    def backward(self, dy):
        dx = dy
        for hook in list(self.hooks.values()):
            dx = hook(dx)
        return (dx,)


class RemovableHandle:
    """What register_hook returns: `remove()` takes the hook away; so does the end of a `with` block."""

    def __init__(self, hooks):
        self.hooks, self.key = hooks, object()  # as the key, the handle itself would make a cycle of references

    def remove(self):
        """Take the hook away."""
        self.hooks.pop(self.key, None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()


def register_hook(self, hook):
    """Call ``hook(gradient)`` in every backward, when the gradient of this tensor is complete.

    Parameters
    ----------
    self : Tensor
        The result of an op.
    hook : callable
        Gets the gradient as a Tensor. What it returns, if it is not None, goes on backwards in its place.

    Returns
    -------
    RemovableHandle

    Raises
    ------
    RuntimeError
        If the tensor does not require grad, or, in backward, if the hook returns a gradient of another shape.
    NotImplementedError
        If the tensor is a leaf: what has arrived there is added up over all uses, without a last step to stand behind.
        Use ``x * 1`` and put the hook on that, or read `.grad` after backward.

    Notes
    -----
    A gradient that is kept by `retain_grad` is the one before the hooks; PyTorch keeps the one behind them.
    """
    if not self.requires_grad:
        raise RuntimeError("register_hook: cannot register a hook on a tensor that doesn't require gradient")
    if self.op is None:
        raise NotImplementedError(
            "register_hook: got a leaf, wanted the result of an op: put the hook on x * 1 instead"
        )
    if not isinstance(self.op, Probe):
        former = self.like(self.array)
        former.op, former.requires_grad = self.op, True
        probe = Probe()
        with enable_grad():
            apply(probe, former)
        probe.serial = former.op.serial + 0.5  # right behind the op itself: uses before the hook count, too
        self.op = probe
    handle, like = RemovableHandle(self.op.hooks), self.detach().like  # not self.like: the op must not hold its tensor

    def on_arrays(dy):
        new = hook(like(dy))
        if new is None:
            return dy
        if new.array.shape != dy.shape:
            raise RuntimeError(f"register_hook: the hook gave shape {new.array.shape} for a gradient of {dy.shape}")
        return new.array

    self.op.hooks[handle.key] = on_arrays
    return handle
