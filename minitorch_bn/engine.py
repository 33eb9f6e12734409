"""The autograd engine: record, order, chain rule.

Record
    Applying an op to tensors (`apply`) keeps one object, the op itself, on the tensor that it made. The op holds its
    inputs and whatever its forward saved. That is the whole graph: references point only to the past, so a graph that
    nobody holds is freed at once.
Order
    Every op takes the next serial number when it is applied. An op's inputs existed before it, so walking the serials
    downwards meets every tensor after all of its uses (`graph`).
Chain rule
    `Variable.backward_step` hands the gradient that has arrived at one tensor to the op that made it, and what the op
    returns to the op's inputs. `Variable.backward` does that for every tensor, newest first.

Ops see arrays only; users see Tensors (tensor.py), which are Variables with PyTorch's methods.
"""

from contextlib import ContextDecorator

from . import backend, clock

_grad_enabled = True


class Op:
    """One application of one operation: a node of the graph. Subclasses give `forward` and `backward`.

    Attributes
    ----------
    inputs : tuple of Variable or None
        What `forward` was applied to, in order; None where that was a number or nothing. The whole is None before, and
        again once the graph is freed.
    needs : list of bool
        For every input, whether it wants a gradient. Known before `forward` runs, which may save less for it.
    serial : int
        Position in the order of creation; -1 where nothing is recorded.
    """

    inputs = None
    needs = None
    serial = -1

    torch_name = property(lambda self: f"{_name(self)}Backward0", doc="What PyTorch calls this grad_fn.")

    def __repr__(self):
        return f"<{self.torch_name}>"

    def forward(self, *arrays):
        """The result, as an array. Saves what `backward` will read as attributes of the op."""
        raise NotImplementedError(f"{_name(self)} has no forward")

    def backward(self, dy):
        """One gradient per argument of `forward`, of that argument's shape, or None where none is needed.

        `dy` is d loss / d result, an array of the result's shape; it is read, never changed.
        """
        raise NotImplementedError(f"{_name(self)} has no backward")


class Variable:
    """An array and its place in the graph.

    Attributes
    ----------
    array : numpy.ndarray or cupy.ndarray
        The values.
    requires_grad : bool
        Whether backward computes d loss / d array.
    op : Op or None
        What made this tensor; None for a leaf.
    dy : array or None
        The gradient that has arrived in the present walk, or in the last one if its graph was kept. Not for leaves.
    grad_array : array or None
        The gradient that the user asked for: leaves, and tensors after `retain_grad`. Adds up over walks.
    """

    requires_grad = False
    retains_grad = False
    op = None
    dy = None
    grad_array = None

    def __init__(self, array):
        self.array = array

    def backward(self, gradient=None, retain_graph=None, create_graph=False):
        """Compute d self / d leaf for every leaf that requires it and add it to the leaf's gradient.

        Parameters
        ----------
        gradient : Tensor or array of this shape, optional
            Where the chain starts: d loss / d self. Left out, self must have one element, and the chain starts with 1.
        retain_graph : bool, optional
            Keep the ops and the intermediate gradients (`dy`), to look at them or to walk again.
        create_graph : bool
            Not available: gradients are not recorded.

        Raises
        ------
        RuntimeError
            If no gradient can flow from here, the graph has been freed, the shape of `gradient` is wrong, or what an op
            saved has been written to since.
        """
        order = graph(self)
        _begin(order, self, gradient, create_graph)
        for t in order:
            t.backward_step()
            if not retain_graph:  # free what forward saved; an empty op of the type stays as grad_fn
                t.dy, t.op = None, object.__new__(type(t.op))

    def backward_step(self):
        """The chain rule of one op: from the gradient of its result to the gradients of its inputs."""
        op, dy = self.op, self.dy
        if dy is None:  # every path from the loss to here was cut
            return
        gradients = op.backward(dy)
        if len(gradients) != len(op.needs):
            raise RuntimeError(f"{_name(op)}.backward gave {len(gradients)} gradients for {len(op.needs)} inputs")
        for x, dx, needed in zip(op.inputs, gradients, op.needs, strict=False):
            if needed and dx is not None and x.requires_grad:  # which may have been switched off since the forward
                if dx.shape != x.array.shape:
                    raise RuntimeError(f"{_name(op)}.backward gave shape {dx.shape} for an input of {x.array.shape}")
                x.receive(dx, dy)

    def receive(self, dx, source=None):
        """Add `dx`, one term of the chain rule's sum over uses. Gradients are replaced, never changed in place.

        What the user keeps shares memory with no other gradient: it is copied where it is a view or `source` itself.
        """
        if self.op is not None:
            self.dy = dx if self.dy is None else self.dy + dx
            if not self.retains_grad:
                return
        if self.grad_array is not None:
            dx = self.grad_array + dx
        elif dx is source or dx.base is not None or self.op is not None:
            dx = dx.copy()
        self.grad_array = dx if dx.ndim else backend.as_array(dx)  # NumPy makes scalars of 0-dim sums


Variable.family = Variable  # the class of an op's result; tensor.py has its own


def apply(op, *inputs):
    """Apply `op` to `inputs` (variables, scalars, None): run its forward and record it if a gradient is needed.

    >>> import numpy
    >>> class Square(Op):
    ...     def forward(self, x):
    ...         self.x = x
    ...         return x * x
    ...     def backward(self, dy):
    ...         return (2 * self.x * dy,)
    >>> x = Variable(numpy.array(3.0))
    >>> x.requires_grad = True
    >>> y = apply(Square(), x)
    >>> y.backward()
    >>> x.grad_array
    array(6.)
    """
    if op.needs is not None:
        raise RuntimeError(f"this {_name(op)} has been applied already; one application needs one op object")
    arrays, needs, numbers = [], [], False
    for x in inputs:
        if isinstance(x, Variable):
            kind = x
            arrays.append(x.array)
            needs.append(x.requires_grad and _grad_enabled)
        else:
            arrays.append(x)
            needs.append(False)
            numbers = numbers or x is not None
    op.needs = needs
    array = op.forward(*arrays)
    y = object.__new__(kind.family)
    y.array = array if array.ndim else backend.as_array(array)  # NumPy makes scalars of 0-dim results
    if True in needs:
        op.inputs = tuple(x if isinstance(x, Variable) else None for x in inputs) if numbers else inputs
        op.serial = next(clock.ticks)
        y.op = op
        y.requires_grad = True
    return y


def graph(root):
    """The recorded tensors that `root` was computed from, itself included, newest first: the order of backward."""
    if root.op is None:
        return []
    found, todo = {root.op.serial: root}, [root]
    for t in todo:
        op = t.op
        for x in op.inputs or _freed(op):
            if x is not None and x.op is not None:
                if x.op.serial > op.serial:  # changed in place since: from now on, op has the former self as its input
                    op.inputs = tuple(former_self(y, op.serial) if y is x else y for y in op.inputs)
                    x = former_self(x, op.serial)
                if x.op is not None and x.op.serial not in found:
                    found[x.op.serial] = x
                    todo.append(x)
    return [found[serial] for serial in sorted(found, reverse=True)]


def former_self(x, serial):
    """`x` as it was when the op `serial` read it.

    A tensor that is changed in place carries a newer op from then on, whose first input is the tensor's former self.
    """
    while x.op is not None and x.op.serial > serial:
        x = (x.op.inputs or _freed(x.op))[0]
    return x


def _name(op):
    """The name of op's class."""
    return type(op).__name__


def _freed(op):
    """Raise PyTorch's error for an op whose inputs and saved values are gone."""
    why = "Trying to backward through the graph a second time (or to use it after it was freed)"
    raise RuntimeError(f"{_name(op)}: {why}. Call backward(retain_graph=True) the first time to keep it.")


def _begin(order, root, gradient, create_graph):
    """Check all that can be wrong before anything changes; then give `root` the gradient that the chain starts with."""
    shape = root.array.shape
    if create_graph:
        raise NotImplementedError("backward: gradients of gradients (create_graph=True) are deliberately absent")
    if not root.requires_grad:
        why = "Was it made under no_grad, from detached tensors, or without requires_grad=True?"
        raise RuntimeError(f"backward: the tensor does not require grad and does not have a grad_fn. {why}")
    if gradient is None and root.array.size != 1:
        how = "Reduce it first, for example with .sum(), or pass gradient= of that shape."
        raise RuntimeError(f"backward: grad can be implicitly created only for scalar outputs, got {shape}. {how}")
    if gradient is not None and tuple(gradient.shape) != shape:
        raise RuntimeError(f"backward: got a gradient of shape {tuple(gradient.shape)}, wanted the tensor's, {shape}")
    clock.check(order)
    for t in order:
        t.dy = None  # left over from a walk whose graph was kept
    if gradient is None:
        root.receive(root.array**0)  # one, also where the loss is nan
    else:
        root.receive(getattr(gradient, "array", gradient).astype(root.array.dtype))


def is_grad_enabled():
    """Whether ops on tensors that require grad are being recorded."""
    return _grad_enabled


class _GradMode(ContextDecorator):
    """A context and decorator that switches recording on or off inside."""

    def __init__(self, mode):
        self.mode = bool(mode)
        self.before = []

    def __enter__(self):
        global _grad_enabled
        self.before.append(_grad_enabled)
        _grad_enabled = self.mode

    def __exit__(self, *_):
        global _grad_enabled
        _grad_enabled = self.before.pop()


class set_grad_enabled(_GradMode):
    """Switch recording on or off, from here on; used with `with`, until the end of the block."""

    def __init__(self, mode):
        super().__init__(mode)
        _GradMode.__enter__(self)

    def __enter__(self):
        if not self.before:
            super().__enter__()

    def __call__(self, function):
        self.__exit__()
        return super().__call__(function)


def no_grad(function=None):
    """Do not record inside: ``with no_grad():``, ``@no_grad()`` or ``@no_grad``."""
    return _GradMode(False) if function is None else _GradMode(False)(function)


def enable_grad(function=None):
    """Record inside, even where an outer block switched it off."""
    return _GradMode(True) if function is None else _GradMode(True)(function)
