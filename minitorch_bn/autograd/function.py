"""Function: an operation of the user's own, with a backward of the user's own.

``MyFunction.apply(x)`` runs the user's forward without recording and puts one op into the graph, the node. Beside it
is the `ctx` in which the user's forward leaves things for the user's backward. There the user sees Tensors; the engine
sees arrays.
"""

import inspect

import numpy as np

from .. import backend, clock, engine
from ..engine import Op
from ..ops.promotion import unbroadcast
from ..tensor import Tensor
from .several import Part, Several, Takeover


class FunctionCtx:
    """What one application of a Function keeps between its forward and its backward. Takes any attribute.

    Attributes
    ----------
    needs_input_grad : tuple of bool
        For every argument of apply, whether it is a tensor that requires grad.
    saved_tensors : tuple of Tensor or None
        What `save_for_backward` was given.
    """

    to_save, saved_arrays = (), ()
    dirty_tensors, non_differentiable = (), ()
    materialize_grads = True

    def save_for_backward(self, *tensors):
        """Keep tensors (or None) for backward, where `saved_tensors` gives them back. Call it once."""
        for i, t in enumerate(tensors):
            if not isinstance(t, Tensor | None):
                raise TypeError(
                    f"save_for_backward: can only save tensors and None, but argument {i} is of type "
                    f"{type(t).__name__}; keep other things as attributes, for example ctx.n = n"
                )
        self.to_save = tensors
        self.saved_arrays = tuple(None if t is None else t.array for t in tensors)

    @property
    def saved_tensors(self):
        """The tensors that were saved, with the values that they had then."""
        pairs = zip(self.to_save, self.saved_arrays, strict=True)
        return tuple(t if t is None or t.array is array else t.like(array) for t, array in pairs)

    def mark_dirty(self, *tensors):
        """Say which inputs forward writes into. They must be among the outputs."""
        self.dirty_tensors = tensors

    def mark_non_differentiable(self, *tensors):
        """Say which outputs have no gradient. Backward gets zeros for them."""
        for t in tensors:
            if not isinstance(t, Tensor):
                raise RuntimeError(
                    f"mark_non_differentiable: got {type(t).__name__}, wanted outputs, which are Tensors"
                )
        self.non_differentiable = tensors

    def set_materialize_grads(self, value):
        """Whether backward gets zeros (True, as it is without this call) or None for outputs that nothing used."""
        self.materialize_grads = value


class FunctionNode(Op):
    """One application of a Function as a node of the graph. Every Function has a subclass of its own, named after it.

    Attributes
    ----------
    ctx : FunctionCtx
        Its attributes can be read here, too: ``y.grad_fn.saved_tensors``.
    saved : tuple of array or None
        The arrays of the saved tensors.
    zeros : list of array or None
        For every output, zeros of its shape that take no memory, for those that nothing will have used.
    """

    function = None

    torch_name = property(lambda self: type(self).__name__, doc="The function's name and `Backward`.")

    def __init__(self, ctx, zeros, result):
        self.ctx, self.saved, self.zeros, self.result = ctx, ctx.saved_arrays, zeros, result

    def __repr__(self):
        return f"<minitorch_bn.autograd.function.{self.torch_name} object at {id(self):#x}>"

    def __getattr__(self, name):
        if name == "saved_tensors" and "ctx" not in vars(self):
            engine._freed(self)
        if name == "ctx" or "ctx" not in vars(self):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.ctx, name)

    def forward(self, *arrays):
        """Hand on what the user's forward has computed already."""
        return vars(self).pop("result")

    def backward(self, dy):
        """Call the user's backward with Tensors, and check what it gives."""
        arrived = dy.parts if isinstance(dy, Several) else (dy,)
        grads = [self._as_tensor(d, zeros) for d, zeros in zip(arrived, self.zeros, strict=True)]
        with engine.no_grad():
            returned = self.function.backward(self.ctx, *grads)
        returned = returned if isinstance(returned, tuple) else (returned,)
        wanted = len(self.inputs)
        if len(returned) < wanted or any(dx is not None for dx in returned[wanted:]):
            raise RuntimeError(
                f"{self.torch_name}: backward returned an incorrect number of gradients (expected {wanted}, got "
                f"{len(returned)}): one for every argument of forward, None where there is none"
            )
        return tuple(self._checked(i, x, dx) for i, (x, dx) in enumerate(zip(self.inputs, returned, strict=False)))

    def _as_tensor(self, d, zeros):
        """The gradient of one output, for the user: zeros where none has arrived, None for what is no tensor."""
        if d is None and self.ctx.materialize_grads and zeros is not None:
            d = zeros.copy()
        return None if d is None else Tensor(backend.as_array(d))

    def _checked(self, i, x, dx):
        """The array of gradient number i, for the engine: of the shape and dtype of input x, sharing no memory."""
        if dx is None:
            return None
        if not isinstance(dx, Tensor):
            raise RuntimeError(f"{self.torch_name}: backward: expected Tensor or None, got {type(dx).__name__}")
        if x is None:
            raise RuntimeError(
                f"{self.torch_name}: backward returned a gradient different than None at position {i}, but the "
                "corresponding forward input was not a Tensor"
            )
        shape, got = x.array.shape, dx.array.shape
        extra = len(got) - len(shape)
        if extra < 0 or any(n not in (1, m) for n, m in zip(shape, got[extra:], strict=True)):
            raise RuntimeError(
                f"{self.torch_name}: backward returned an invalid gradient at index {i} - got {list(got)} but expected "
                f"shape compatible with {list(shape)}"
            )
        return backend.as_array(unbroadcast(dx.array, shape)).astype(x.array.dtype)  # astype copies


class Function:
    """The base of operations with a backward of their own.

    A subclass gives static methods ``forward(ctx, *args)`` and ``backward(ctx, *grads)``; or ``forward(*args)``,
    ``setup_context(ctx, inputs, output)`` and ``backward``. It is used through ``apply``.

    Source: PyTorch documentation, torch.autograd.Function.

    >>> from minitorch_bn import tensor
    >>> class Cube(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x * x
    ...     @staticmethod
    ...     def backward(ctx, dy):
    ...         (x,) = ctx.saved_tensors
    ...         return 3 * x * x * dy
    >>> x = tensor([1.0, 2.0], requires_grad=True)
    >>> y = Cube.apply(x)
    >>> y
    tensor([1., 8.], grad_fn=<CubeBackward>)
    >>> y.sum().backward()
    >>> x.grad
    tensor([ 3., 12.])
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls._make_nodes()

    @classmethod
    def _make_nodes(cls):
        """The ops of this function, named after it."""
        name = f"{cls.__name__}Backward"
        cls._node = type(name, (FunctionNode,), {"function": cls})
        cls._part, cls._takeover = type(name, (Part,), {}), type(name, (Takeover,), {})

    def __call__(self, *args, **kwargs):
        raise RuntimeError(f"{type(self).__name__}: call the class method apply, {type(self).__name__}.apply(...)")

    @staticmethod
    def forward(*args):
        """The operation. Tensors in, a Tensor or a tuple out; nothing is recorded inside."""
        raise NotImplementedError("Function: you must implement forward(ctx, *args) for a custom autograd.Function")

    @staticmethod
    def setup_context(ctx, inputs, output):
        """What backward will need, put into `ctx`: for functions whose forward takes no ctx."""
        raise NotImplementedError("Function: setup_context is not implemented")

    @staticmethod
    def backward(ctx, *grads):
        """From the gradient of every output to the gradient of every argument of forward (None where there is none)."""
        raise NotImplementedError("Function: you must implement backward(ctx, *grads) to use it with backward()")

    @classmethod
    def apply(cls, *args, **kwargs):
        """Apply the function.

        Parameters
        ----------
        *args, **kwargs
            The arguments of forward, without ctx. Gradients flow to the Tensors among them, not to those inside lists.

        Returns
        -------
        What forward returned. An output that was an input, unchanged, is a new Tensor that shares its memory.

        Raises
        ------
        RuntimeError
            If forward wrote into a leaf that requires grad, or a tensor that was marked dirty is not an output.
        """
        ctx, with_ctx = FunctionCtx(), cls.setup_context is Function.setup_context
        if kwargs or not with_ctx:
            bound = inspect.signature(cls.forward).bind(*([ctx] if with_ctx else []), *args, **kwargs)
            if not with_ctx:  # setup_context sees all inputs, also those that were left out
                bound.apply_defaults()
            args = bound.args[with_ctx:]
        ctx.needs_input_grad = tuple(isinstance(x, Tensor) and x.requires_grad for x in args)
        with engine.no_grad():
            if with_ctx:
                outputs = cls.forward(ctx, *args)
            else:
                outputs = cls.forward(*args)
                cls.setup_context(ctx, args, outputs)
        recording = engine.is_grad_enabled() and any(ctx.needs_input_grad)
        ys = outputs if isinstance(outputs, tuple) else (outputs,)
        _check_dirty(cls, ctx, ys, recording)
        tracked = [recording and _differentiable(ctx, y) for y in ys]
        former = {id(x): _former(x) for x in ctx.dirty_tensors}
        inputs = [former.get(id(x), x) for x in args]
        results = cls._record(ctx, inputs, ys, tracked, isinstance(outputs, tuple)) if any(tracked) else ys
        final = tuple(cls._output(args, former, *one) for one in zip(ys, results, tracked, strict=True))
        return final if isinstance(outputs, tuple) else final[0]

    @classmethod
    def _record(cls, ctx, inputs, ys, tracked, several):
        """Put a node into the graph: for the tracked outputs among `ys`, tensors that ops have made."""
        zeros = [
            np.broadcast_to(np.zeros_like(y.array, shape=()), y.shape) if isinstance(y, Tensor) else None for y in ys
        ]
        if not several:
            return [engine.apply(cls._node(ctx, zeros, ys[0].array), *inputs)]
        all_arrays = Several(y.array if isinstance(y, Tensor) else None for y in ys)
        hub = engine.apply(cls._node(ctx, zeros, all_arrays), *inputs)
        return [engine.apply(cls._part(i), hub) if tracked[i] else y for i, y in enumerate(ys)]

    @classmethod
    def _output(cls, args, former, y, result, tracked):
        """One output as the user gets it: recorded or not, and the input itself where forward wrote into it."""
        old = former.get(id(y))
        if tracked and old is not None:
            taken = engine.apply(cls._takeover(), old, result)
            y.array, y.op, y.requires_grad = taken.array, taken.op, True
            y.retains_grad, y.grad_array = False, None
            return y
        if tracked or old is not None or not isinstance(y, Tensor):
            return result
        return y.detach() if _in(y, args) or y.requires_grad else y


Function._make_nodes()


def _in(x, tensors):
    """Whether `x` itself is one of `tensors`."""
    return any(x is t for t in tensors)


def _differentiable(ctx, y):
    """Whether output `y` takes part in the chain rule."""
    return isinstance(y, Tensor) and y.array.dtype.kind == "f" and not _in(y, ctx.non_differentiable)


def _check_dirty(cls, ctx, ys, recording):
    """Raise PyTorch's errors for inputs that were written into, and let backward know of the writes."""
    for x in ctx.dirty_tensors:
        if not _in(x, ys):
            raise RuntimeError(f"{cls.__name__}: a tensor was marked dirty that is not an output; it must be returned")
        if recording and x.op is None and x.requires_grad:
            raise RuntimeError(
                f"{cls.__name__}: a leaf Variable that requires grad has been used in an in-place operation"
            )
        clock.wrote(x.array)


def _former(x):
    """A tensor that stands for `x` as it was before the function wrote into it."""
    old = x.like(x.array)
    old.op, old.requires_grad = x.op, x.requires_grad
    old.retains_grad, old.grad_array = x.retains_grad, x.grad_array
    return old


def once_differentiable(backward):
    """Mark a backward that is not recorded. Here none is, so this changes nothing; it is there for PyTorch scripts."""
    return backward
