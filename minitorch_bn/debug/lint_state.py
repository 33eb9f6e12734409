"""Leave no trace: a model, a loader and all random numbers are, after an examination, what they were before it."""

import contextlib
import random as python_random

import numpy as np

from .. import random
from ..random import Generator
from ..utils.data import DataLoader


@contextlib.contextmanager
def untouched(model, loader=None):
    """Within, `model` works on copies of its parameters and buffers; afterwards all is as before, also after errors.

    The arrays themselves are put aside, not written to: tensors that share their memory see nothing. Modes, hooks,
    plain attributes of modules and gradients are put back, and so are the states of random generators: the default one,
    those of the loader, NumPy's and Python's.

    Parameters
    ----------
    model : Module
    loader : iterable, optional
    """
    modules = [(m, dict(vars(m)), dict(m._owned), set(m._unsaved), list(m._hooks)) for m in model.modules()]
    tensors = dict.fromkeys([*model.parameters(), *model.buffers()])
    before = [(t, dict(vars(t))) for t in tensors]
    generators = [(g, g.get_state()) for g in generators_of(loader)]
    numpy_state, python_state = np.random.get_state(), python_random.getstate()  # noqa: NPY002 (data sets use it)
    try:
        with random.fork_rng():
            for t in tensors:
                t.array, t.grad_array = t.array.copy(), None
            yield
    finally:
        for t, attributes in before:
            _refill(vars(t), attributes)
        for m, attributes, owned, unsaved, hooks in modules:
            _refill(vars(m), attributes)
            _refill(m._owned, owned)
            _refill(m._unsaved, unsaved)
            m._hooks[:] = hooks
        for generator, state in generators:
            generator.set_state(state)
        np.random.set_state(numpy_state)  # noqa: NPY002
        python_random.setstate(python_state)


def _refill(container, content):
    """Give a dict or a set, which others may hold, its former content."""
    container.clear()
    container.update(content)


def generators_of(loader):
    """The random generators that a DataLoader and its samplers draw from."""
    batches = getattr(loader, "batch_sampler", None)
    holders = (loader, getattr(loader, "sampler", None), batches, getattr(batches, "sampler", None))
    found = [getattr(holder, "generator", None) for holder in holders]
    return list(dict.fromkeys(generator for generator in found if isinstance(generator, Generator)))


def batches_of(loader):
    """An iterator over `loader` that leaves a DataLoader's workers as they are."""
    workers = getattr(loader, "_workers", None) if isinstance(loader, DataLoader) else None
    try:
        if isinstance(loader, DataLoader):
            loader._workers = None
        yield from loader
    finally:
        if isinstance(loader, DataLoader):
            loader._workers = workers
