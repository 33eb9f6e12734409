"""What is being checked: a function or a module at one place, evaluated as often as needed and left as it was."""

import inspect

import numpy as np

from .. import engine, random
from ..nn import Module
from ..tensor import Tensor


class Subject:
    """A function of tensors, its leaves, and the state that must not move while it is checked.

    Used with `with`: at the end the parameters, the buffers (running statistics) and the default random generator are
    what they were. All evaluations start from the same buffers and the same random numbers, so dropout drops the same
    values every time.

    Parameters
    ----------
    fn : callable or Module
        Takes the inputs; gives a Tensor or a tuple of Tensors. The parameters of a module are leaves, too.
    inputs : tuple
        Tensors and other things. They are copied.
    also : sequence of Tensor or Module
        Further leaves, which fn reaches without being given them.
    upcast : bool
        Compute in float64 whatever the dtypes are. Otherwise other floats are refused.

    Attributes
    ----------
    leaves : list of (str, Tensor)
        What is differentiated with respect to.
    """

    def __init__(self, fn, inputs, also=(), upcast=False):
        self.fn, self.upcast = fn, upcast
        modules = [thing for thing in (fn, *also) if isinstance(thing, Module)]
        self.state = [t for m in modules for t in (*m.parameters(), *m.buffers())]
        self.inputs = [x.like(x.array.copy()) if isinstance(x, Tensor) else x for x in inputs]
        asked = [isinstance(x, Tensor) and x.requires_grad for x in inputs]
        floats = [isinstance(x, Tensor) and x.is_floating_point() for x in inputs]
        chosen = asked if any(asked) else floats
        names = _names_of_arguments(fn, len(inputs))
        self.leaves = [(name, x) for name, x, leaf in zip(names, self.inputs, chosen, strict=True) if leaf]
        for m in modules:
            self.leaves += [(name, p) for name, p in m.named_parameters() if p.requires_grad]
        given = [thing for thing in also if isinstance(thing, Tensor)]
        for i, t in enumerate(given):
            if not t.is_leaf:
                raise ValueError(f"gradcheck: also[{i}] was computed from others, wanted a leaf: give .detach() of it")
            self.leaves.append((f"also[{i}]", t))
        self.state += given
        self._check_dtypes()

    def _check_dtypes(self):
        """Refuse what is not float64, and a function of nothing."""
        if not self.leaves:
            raise ValueError("gradcheck: got no floating point tensor and no parameter, wanted at least one to check")
        for name, t in self.leaves:
            if t.array.dtype != np.float64 and not self.upcast:
                raise ValueError(
                    f"gradcheck: {name} is {t.array.dtype}, wanted float64: differences of {t.array.dtype} numbers are "
                    "themselves wrong in the first digits. Use .double(), or gradcheck(..., upcast=True)"
                )

    def __enter__(self):
        self.arrays = [t.array for t in self.state]
        self.gradients = [t.grad_array for t in self.state]
        self.asked = [t.requires_grad for t in self.state]
        self.stream = random.get_rng_state()
        tensors = [t for t in (*self.state, *self.inputs) if isinstance(t, Tensor)]
        self.start = [(t, self._as_double(t.array)) for t in tensors]
        return self

    def __exit__(self, *_):
        for t, array, gradient, asked in zip(self.state, self.arrays, self.gradients, self.asked, strict=True):
            t.array, t.grad_array, t.requires_grad = array, gradient, asked
        random.set_rng_state(self.stream)

    def _as_double(self, array):
        """Floats in float64 (refused before, unless `upcast`), other things as they are."""
        return array.astype(np.float64) if self.upcast and array.dtype.kind == "f" else array

    def _begin(self):
        """Put everything back to where every evaluation starts: arrays of its own, which fn may write into."""
        for t, array in self.start:
            t.array = array.copy()
        random.set_rng_state(self.stream)

    def values(self, leaf=None, moved=None):
        """The outputs as arrays; with `moved` in place of the array of leaf number `leaf`."""
        self._begin()
        if leaf is not None:
            self.leaves[leaf][1].array = np.array(moved)
        with engine.no_grad():
            return [y.array for y in self._outputs(self.inputs)]

    def recorded(self):
        """The outputs as recorded tensors; walk back from them as often as you like."""
        self._begin()
        for _, t in self.leaves:
            t.requires_grad = True
        with engine.enable_grad():
            return self._outputs(self.inputs)

    def walk(self, ys, upstream):
        """The gradient of every leaf, for one upstream gradient per output: zeros where none arrives."""
        for _, t in self.leaves:
            t.grad_array = None
        for y, dy in zip(ys, upstream, strict=True):
            if y.requires_grad:
                y.backward(gradient=y.like(dy), retain_graph=True)
        gradients = [t.grad_array for _, t in self.leaves]
        return [np.zeros_like(t.array) if g is None else g for g, (_, t) in zip(gradients, self.leaves, strict=True)]

    def _outputs(self, inputs):
        """What fn gives, as a list."""
        result = self.fn(*inputs)
        ys = list(result) if isinstance(result, tuple | list) else [result]
        for y in ys:
            if not isinstance(y, Tensor):
                raise TypeError(f"gradcheck: fn gave a {type(y).__name__}, wanted a Tensor or a tuple of Tensors")
        return ys


def _names_of_arguments(fn, count):
    """The names that fn gives its arguments; "input 0", ... where it does not say."""
    try:
        parameters = inspect.signature(fn.forward if isinstance(fn, Module) else fn).parameters.values()
    except (TypeError, ValueError):
        parameters = ()
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [names[i] if i < len(names) else f"input {i}" for i in range(count)]
