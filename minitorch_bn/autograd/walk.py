"""grad and backward: the walk of engine.Variable.backward, from several tensors, to chosen ones.

Both do what `Variable.backward` does, step by step. `grad` gives the gradients to the caller and leaves `.grad` of all
tensors alone. Where inputs are named, only the ops between them and the outputs are walked, and only those are freed.
"""

from collections.abc import Mapping

import numpy as np

from .. import clock, engine
from ..tensor import Tensor


def backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, grad_variables=None, inputs=None):
    """Add the gradients of `tensors` to `.grad` of the leaves that they were computed from.

    Parameters
    ----------
    tensors : Tensor or sequence of Tensor
        Where the walk starts.
    grad_tensors : Tensor, None, or sequence of both
        The gradient that the chain rule starts with at every tensor, of its shape; None stands for 1 at a scalar.
    retain_graph : bool, optional
        Keep what the ops saved, to walk again.
    create_graph : bool
        Not available: gradients are not recorded.
    grad_variables : optional
        The old name of `grad_tensors`.
    inputs : Tensor or sequence of Tensor, optional
        Add gradients to these tensors only, leaves or not.

    Raises
    ------
    RuntimeError
        If a tensor has no gradient to give, numbers or shapes of gradients differ from those of the tensors, `inputs`
        is empty, or the graph has been freed.

    Source: PyTorch documentation, torch.autograd.backward.
    """
    _refuse("backward", create_graph)
    roots = _tensors("backward", tensors)
    starts = _starts("backward", roots, grad_tensors if grad_variables is None else grad_variables)
    if inputs is None:
        _walk(_order(roots), roots, starts, (), retain_graph)
        return
    chosen = _tensors("backward", inputs)
    if not chosen:
        raise RuntimeError("backward: `inputs` argument to `backward()` cannot be empty")
    for x in chosen:
        if not x.requires_grad:
            raise RuntimeError("backward: can't retain_grad on Tensor that has requires_grad=False, one of the inputs")
    for x, dx in zip(chosen, _gradients(roots, starts, chosen, retain_graph), strict=True):
        if dx is not None:
            x.retains_grad = x.op is not None
            x.grad_array = dx if x.grad_array is None else x.grad_array + dx


def grad(
    outputs,
    inputs,
    grad_outputs=None,
    retain_graph=None,
    create_graph=False,
    only_inputs=True,
    allow_unused=None,
    is_grads_batched=False,
    materialize_grads=False,
):
    """The gradients of `outputs` (their sum, weighted by `grad_outputs`) with respect to `inputs`, as new tensors.

    Parameters
    ----------
    outputs : Tensor or sequence of Tensor
    inputs : Tensor, sequence of Tensor, or dict of Tensor
        Leaves, or results of ops on the way.
    grad_outputs : Tensor, None, or sequence of both
        What the chain rule starts with at every output, of its shape; None stands for 1 at a scalar.
    retain_graph : bool, optional
        Keep what the ops saved, to walk again.
    create_graph, is_grads_batched : bool
        Not available.
    only_inputs : bool
        Ignored, as in PyTorch.
    allow_unused : bool, optional
        Give None for an input that no output depends on, instead of an error.
    materialize_grads : bool
        Give zeros for such an input.

    Returns
    -------
    tuple of Tensor, or dict if `inputs` is one

    Raises
    ------
    RuntimeError
        If an output has no gradient to give, an input does not require grad or was not used, there are no inputs,
        numbers or shapes of gradients differ from those of the outputs, or the graph has been freed.
    ValueError
        If `materialize_grads` is asked for and `allow_unused` is False.

    Source: PyTorch documentation, torch.autograd.grad.

    >>> from minitorch_bn import tensor
    >>> x = tensor([1.0, 2.0], requires_grad=True)
    >>> grad((x * x).sum(), x)
    (tensor([2., 4.]),)
    >>> x.grad is None
    True
    """
    _refuse("grad", create_graph, is_grads_batched)
    if materialize_grads and allow_unused is False:
        raise ValueError("grad: got allow_unused=False with materialize_grads=True; leave allow_unused out, or True")
    if isinstance(inputs, Mapping) and type(inputs) is not dict:
        raise TypeError(f"grad: inputs must be a Tensor, a sequence or a dict, got {type(inputs).__name__}")
    chosen = _tensors("grad", inputs.values() if isinstance(inputs, dict) else inputs)
    if not chosen:
        raise RuntimeError("grad: `inputs` argument to `grad()` cannot be empty")
    roots = _tensors("grad", outputs)
    starts = _starts("grad", roots, grad_outputs)
    if any(not x.requires_grad for x in chosen):
        raise RuntimeError("grad: One of the differentiated Tensors does not require grad; make it with requires_grad")
    found = _gradients(roots, starts, chosen, retain_graph)
    if materialize_grads:
        found = [np.zeros_like(x.array) if dx is None else dx for x, dx in zip(chosen, found, strict=True)]
    unused = [i for i, dx in enumerate(found) if dx is None]
    if unused and not allow_unused:
        raise RuntimeError(
            f"grad: the differentiated Tensor at index {unused[0]} appears to not have been used in the graph. Set "
            "allow_unused=True if this is the desired behavior."
        )
    gradients = tuple(None if dx is None else x.like(dx) for x, dx in zip(chosen, found, strict=True))
    return dict(zip(inputs, gradients, strict=True)) if isinstance(inputs, dict) else gradients


def _refuse(name, create_graph, is_grads_batched=False):
    """Say what is deliberately absent."""
    if create_graph:
        raise NotImplementedError(f"{name}: gradients of gradients (create_graph=True) are deliberately absent")
    if is_grads_batched:
        raise NotImplementedError(f"{name}: is_grads_batched=True is not available; call {name} once per gradient")


def _tensors(name, given):
    """One Tensor or several, as a list."""
    given = [given] if isinstance(given, Tensor) else list(given)
    for x in given:
        if not isinstance(x, Tensor):
            raise RuntimeError(f"{name}: all inputs have to be Tensors, but got {type(x).__name__}")
    return given


def _starts(name, roots, given):
    """The array that the chain rule starts with at every root."""
    given = [None] * len(roots) if given is None else [given] if isinstance(given, Tensor) else list(given)
    starts = [_start(name, root, g) for root, g in zip(roots, given, strict=False)]  # PyTorch, too, drops what is over
    if len(given) < len(roots):
        raise RuntimeError(f"{name}: got {len(roots)} tensors and {len(given)} gradients, wanted one for each")
    for i, root in enumerate(roots):
        if not root.requires_grad:
            raise RuntimeError(f"{name}: element {i} of tensors does not require grad and does not have a grad_fn")
    return starts


def _start(name, root, given):
    """The array that the chain rule starts with at one root."""
    shape = root.array.shape
    if given is None:
        if root.requires_grad and root.array.size != 1:
            raise RuntimeError(f"{name}: grad can be implicitly created only for scalar outputs, got shape {shape}")
        return root.array**0  # one, also where the loss is nan
    if not isinstance(given, Tensor):
        raise TypeError(f"{name}: gradients can be either Tensors or None, but got {type(given).__name__}")
    if given.array.shape != shape:
        raise RuntimeError(f"{name}: mismatch in shape: got a gradient of {given.array.shape} for a tensor of {shape}")
    return given.array.astype(root.array.dtype)  # a copy


def _gradients(roots, starts, chosen, retain_graph):
    """The gradient of every chosen tensor as an array of its own, or None; `.grad` of all leaves stays as it is."""
    order = _towards(_order(roots), chosen)
    leaves = {id(x): x for x in [*roots, *chosen] if x.op is None}
    for t in order:
        leaves.update((id(x), x) for x in t.op.inputs if x is not None and x.op is None)
    held = [(x, x.grad_array) for x in leaves.values()]
    for x in chosen:
        x.dy = None
    try:
        for x, _ in held:
            x.grad_array = None
        return _walk(order, roots, starts, chosen, retain_graph)
    finally:
        for x, gradient in held:
            x.grad_array = gradient


def _walk(order, roots, starts, chosen, retain_graph):
    """Hand gradients from the roots down the tensors of `order`; returns what has arrived at the chosen ones."""
    clock.check(order)
    for t in [*order, *roots]:
        t.dy = None
    for root, start in zip(roots, starts, strict=True):
        root.receive(start)
    for t in order:
        t.backward_step()
    arrived = [x.dy if x.op is not None else x.grad_array for x in chosen]
    arrived = [None if dx is None else dx.copy() for dx in arrived]
    for t in () if retain_graph else [*order, *roots, *chosen]:
        t.dy = None
    for t in () if retain_graph else order:
        t.op = object.__new__(type(t.op))
    return arrived


def _order(roots):
    """The recorded tensors that the roots were computed from, themselves included, newest first."""
    found = {t.op.serial: t for root in roots for t in engine.graph(root)}
    return [found[serial] for serial in sorted(found, reverse=True)]


def _towards(order, chosen):
    """Those of `order` whose step brings gradient to a chosen tensor, or to one from which it goes on to there."""
    wanted = {id(x) for x in chosen}
    leading = set()
    for t in reversed(order):
        inputs = [x if x is None else engine.former_self(x, t.op.serial) for x in t.op.inputs]
        if any(x is not None and (id(x) in wanted or id(x) in leading) for x in inputs):
            leading.add(id(t))
    return [t for t in order if id(t) in leading]
