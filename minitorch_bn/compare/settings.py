"""What `loss=`, `optimizer=` and `batch=` of a comparison may be, turned into what one library needs."""

import numpy as np

from .side import as_array


class Upstream:
    """The loss where none is given: the output's sum with fixed random weights, so that backward starts with those.

    Ones would be the worst choice: a BatchNorm's dx is then 0 whatever its formula (lesson of many gradient checks).
    """

    artificial = True

    def __init__(self, library, seed=0):
        self.library, self.seed = library, seed

    def __call__(self, output, target=None):
        weights = np.random.default_rng(self.seed).normal(size=tuple(output.shape))
        return (output * self.library.tensor(weights).to(output.dtype)).sum()


def loss_for(function, spec, library, side):
    """A callable (output, target) -> scalar of one library.

    Parameters
    ----------
    spec : None, str, (str, dict), callable, or pair of callables
        As described at `with_torch`.
    side : int
        0 for this package, 1 for PyTorch.

    Raises
    ------
    TypeError, AttributeError
        If it is none of these; if nn.functional has no such loss.
    """
    if spec is None:
        return Upstream(library)
    if is_named(spec):
        name, options = _named(spec)
        loss = getattr(library.nn.functional, name, None)
        if loss is None:
            raise AttributeError(
                f"{function}: {library.__name__}.nn.functional has no {name!r}; wanted the name of a loss"
            )
        return lambda output, target: loss(output, target, **options)
    if isinstance(spec, tuple) and len(spec) == 2 and all(map(callable, spec)):
        return spec[side]
    if callable(spec):
        return spec
    raise TypeError(
        f"{function}: got loss={spec!r}; wanted None, a name such as 'cross_entropy', (name, dict of options), a "
        "function (output, target), or a pair of functions, this package's and PyTorch's"
    )


def optimizer_for(function, spec, library, model, side):
    """An optimiser of one library over the parameters of `model`, or None; errors as `loss_for`."""
    if spec is None:
        return None
    if is_named(spec):
        name, options = _named(spec)
        kind = getattr(library.optim, name, None)
        if kind is None:
            raise AttributeError(
                f"{function}: {library.__name__}.optim has no {name!r}; wanted the name of an optimiser"
            )
        return kind(list(model.parameters()), **options)
    if isinstance(spec, tuple) and len(spec) == 2 and all(hasattr(o, "step") for o in spec):
        return spec[side]
    if callable(spec) and not hasattr(spec, "step"):
        return spec(library, list(model.parameters()))
    raise TypeError(
        f"{function}: got optimizer={spec!r}; wanted None, a name such as 'SGD', (name, dict of settings), a function "
        "(library, parameters), or a pair of optimisers, this package's and PyTorch's"
    )


def words(spec):
    """A loss or an optimiser in words: "SGD(lr=0.1)"."""
    if is_named(spec):
        name, options = _named(spec)
        return f"{name}({', '.join(f'{key}={value}' for key, value in options.items())})" if options else name
    if isinstance(spec, tuple):
        spec = spec[0]
    return getattr(spec, "__name__", type(spec).__name__)


def is_named(spec):
    """Whether it is a name, or a name with options."""
    return isinstance(spec, str) or (
        isinstance(spec, tuple | list) and len(spec) == 2 and isinstance(spec[0], str) and isinstance(spec[1], dict)
    )


def _named(spec):
    """(name, options)."""
    return (spec, {}) if isinstance(spec, str) else tuple(spec)


class Batches:
    """The batch of every step, as (inputs, target): arrays that both libraries are given.

    Parameters
    ----------
    function : str
        Whose error messages these are.
    batch : tensor or array, tuple, list or iterable, or callable
        One batch for all steps: x, (x, y), or ((x1, x2), y). A list or another iterable: a batch per step. A callable:
        batch(step) gives one.
    steps : int or None
        None: as many as the iterable has.
    """

    def __init__(self, function, batch, steps):
        self.function, self.batch = function, batch
        single = isinstance(batch, tuple) or hasattr(batch, "shape")
        self.next = None if single or callable(batch) else iter(batch)
        self.one = self._parts(batch) if single else None
        if steps is None:
            if self.next is None:
                raise TypeError(
                    f"{function}: steps=None means as many as `batch` has; got one batch for all: give steps"
                )
        elif isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
            raise ValueError(f"{function}: got steps={steps!r}; wanted an integer of at least 1")
        self.steps = steps

    def __iter__(self):
        step = 0
        while self.steps is None or step < self.steps:
            if self.next is None:
                yield self.one if self.one is not None else self._parts(self.batch(step))
            else:
                try:
                    batch = next(self.next)
                except StopIteration:
                    if self.steps is None:
                        return
                    raise ValueError(
                        f"{self.function}: the batches ended after {step} steps; wanted {self.steps}. Give more, or "
                        "steps=None for as many as there are"
                    ) from None
                yield self._parts(batch)
            step += 1

    def _parts(self, batch):
        """(list of input arrays, target array or None) of one batch."""
        x, y = batch, None
        if isinstance(batch, tuple | list):
            if len(batch) not in (1, 2):
                raise TypeError(
                    f"{self.function}: got a batch of {len(batch)} parts; wanted x, (x, y) or ((x1, x2), y)"
                )
            x, y = (*batch, None)[:2]
        parts = [as_array(t) for t in (x if isinstance(x, tuple | list) else (x,))]
        if not parts or any(p.dtype.kind not in "biuf" for p in parts):
            raise TypeError(
                f"{self.function}: got a batch with {type(x).__name__} inside; wanted tensors or arrays of numbers: x, "
                "(x, y) or ((x1, x2), y)"
            )
        return parts, None if y is None else as_array(y)
