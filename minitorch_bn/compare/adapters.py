"""How the conformance table talks to an implementation.

An adapter is a class, made anew for every scenario, with five methods:

construct(num_features, *, rank, eps, momentum, affine, track_running_stats, dtype)
    Make a layer for inputs with `rank` dimensions. Raise `Absent` for a setting that the implementation does not have.
load(gamma, beta, running_mean, running_var)
    Put these arrays of shape (C,) in; None leaves what is there.
forward(x, training, recording=True)
    y, an array, in train or eval mode; without recording for gradients if `recording` is False.
backward(dy)
    (dx, dgamma, dbeta) of the last forward, arrays or None. It may be called twice.
state()
    {"running_mean": ..., "running_var": ..., "num_batches_tracked": ...}, of those what there is.

`Absent` is not a mistake: its cell shows a dash. Anything else that is raised is shown as a cross; `Fails` is for what
an implementation spoils in silence.
"""

import inspect
import sys

import numpy as np

from .formula import Formula


class Absent(Exception):
    """The implementation does not have this. The message says what."""


class Fails(Exception):
    """The implementation cannot do this although it should. The message says why, in place of an error of its own."""


class LayerAdapter:
    """A library with PyTorch's interface: this package, PyTorch itself; or single layer classes of such a library.

    Parameters
    ----------
    library : module
        Has nn.BatchNorm1d, 2d, 3d, from_numpy, no_grad.
    layer : type, optional
        Use this class for all ranks. Left out, the library's own.
    """

    def __init__(self, library, layer=None):
        self.library, self.layer = library, layer
        version = library.__version__.split("+")[0]
        self.name = layer.__name__ if layer is not None else f"{library.__name__} {version}"

    def construct(self, num_features, *, rank, **settings):
        """Make the layer."""
        kinds = {2: "BatchNorm1d", 3: "BatchNorm1d", 4: "BatchNorm2d", 5: "BatchNorm3d"}
        layer = self.layer or getattr(self.library.nn, kinds[rank])
        settings["dtype"] = getattr(self.library, settings["dtype"])
        self.bn = layer(num_features, **settings)

    def load(self, gamma, beta, running_mean, running_var):
        """Through state_dict, as a user would."""
        names = ("weight", "bias", "running_mean", "running_var")
        given = dict(zip(names, (gamma, beta, running_mean, running_var), strict=True))
        state = self.bn.state_dict()
        state.update({name: self.library.from_numpy(a) for name, a in given.items() if a is not None})
        self.bn.load_state_dict(state)

    def forward(self, x, training, recording=True):
        """Call the layer."""
        self.bn.train(training)
        self.x = self.library.from_numpy(x).requires_grad_()
        with self.library.set_grad_enabled(recording):
            self.y = self.bn(self.x)
        return self.y.detach().numpy()

    def backward(self, dy):
        """Walk back from y, from gradients that are None."""
        self.x.grad = None
        self.bn.zero_grad()
        self.y.backward(gradient=self.library.from_numpy(dy), retain_graph=True)
        weight, bias = self.bn.weight, self.bn.bias
        return [None if t is None or t.grad is None else t.grad.numpy() for t in (self.x, weight, bias)]

    def state(self):
        """The buffers."""
        return {name: t.numpy() for name, t in self.bn.named_buffers()}


class FunctionAdapter:
    """A function with F.batch_norm's signature, on tensors of this package or of PyTorch."""

    def __init__(self, function, library):
        self.function, self.library = function, library
        self.name = f"{function.__module__.split('.')[0]}: {function.__name__}"

    def construct(self, num_features, *, rank, eps, momentum, affine, track_running_stats, dtype):
        """Keep the settings; a function has no count of batches."""
        if momentum is None:
            raise Absent("a function counts no batches")
        if not track_running_stats:
            raise Absent("a function tracks what it is given")
        self.settings, self.affine = {"momentum": momentum, "eps": eps}, affine
        self.tensors = dict.fromkeys(("gamma", "beta", "running_mean", "running_var"))
        self.start = {"running_mean": np.zeros(num_features, dtype), "running_var": np.ones(num_features, dtype)}

    def load(self, *arrays):
        """Keep them as tensors."""
        for name, array in zip(self.tensors, arrays, strict=True):
            array = self.start.get(name) if array is None else array
            if array is not None:
                self.tensors[name] = self.library.from_numpy(array)
        for name in ("gamma", "beta") if self.affine else ():
            self.tensors[name].requires_grad_()

    def forward(self, x, training, recording=True):
        """Call the function."""
        self.x = self.library.from_numpy(x).requires_grad_()
        t = self.tensors
        with self.library.set_grad_enabled(recording):
            self.y = self.function(
                self.x, t["running_mean"], t["running_var"], t["gamma"], t["beta"], training, **self.settings
            )
        return self.y.detach().numpy()

    def backward(self, dy):
        """Walk back from y, from gradients that are None."""
        leaves = (self.x, self.tensors["gamma"], self.tensors["beta"])
        for t in leaves:
            if t is not None:
                t.grad = None
        self.y.backward(gradient=self.library.from_numpy(dy), retain_graph=True)
        return [None if t is None or t.grad is None else t.grad.numpy() for t in leaves]

    def state(self):
        """The statistics that were given, as they are now."""
        return {name: self.tensors[name].numpy() for name in ("running_mean", "running_var")}


class FormulaAdapter:
    """A Formula of the catalogue, right or wrong. What it lacks, a layer's checks and memory, is PyTorch's."""

    def __init__(self, formula=Formula):
        self.formula, self.name = formula, formula.__name__

    def construct(self, num_features, *, rank, eps, momentum, affine, track_running_stats, dtype):
        """Make a formula."""
        self.f, self.track, self.batches = self.formula(eps, momentum), track_running_stats, 0
        self.gamma = self.beta = None
        self.statistics = self.f.start(num_features, dtype)

    def load(self, gamma, beta, running_mean, running_var):
        """Keep them."""
        self.gamma, self.beta = gamma, beta
        self.statistics = (
            running_mean if running_mean is not None else self.statistics[0],
            (running_var if running_var is not None else self.statistics[1]),
        )

    def forward(self, x, training, recording=True):
        """Evaluate, or normalise and update."""
        self.batch = training or not self.track
        if not self.batch:
            return self.f.evaluate(x, self.gamma, self.beta, *self.statistics)
        if x.size == x.shape[1] or self.f.eps <= 0:
            raise ValueError("a formula is not meant for one value per channel, nor for eps 0")
        if x.size == 0:
            self.batches += training
            self.f.take(x, self.gamma, self.beta)
            self.f.x_hat = x
            return x
        y = self.f.normalise(x, self.gamma, self.beta)
        if training and self.track:
            self.statistics = self.f.update(*self.statistics, self.batches)
            self.batches += 1
        return y

    def backward(self, dy):
        """The formula's."""
        if dy.size == 0:
            return dy, dy.sum(0), dy.sum(0)
        dx, dgamma, dbeta = self.f.backward(dy) if self.batch else self.f.evaluate_backward(dy)
        return (dx, None, None) if self.gamma is None else (dx, dgamma, dbeta)

    def state(self):
        """The statistics, if they are tracked."""
        names = ("running_mean", "running_var", "num_batches_tracked")
        return dict(zip(names, (*self.statistics, self.batches), strict=True)) if self.track else {}


def adapter_for(thing):
    """A function that makes an adapter for what a user gives to `conformance`: (maker, name).

    Raises
    ------
    TypeError
        If it is none of: an adapter class, a Mistake, a Formula, a layer class, a library, a function with
        F.batch_norm's signature.
    """
    import minitorch_bn as mt

    formula = getattr(thing, "formula", None) if not inspect.isclass(thing) else thing
    if inspect.isclass(formula) and issubclass(formula, Formula):
        return lambda: FormulaAdapter(formula)
    if inspect.isclass(thing) and hasattr(thing, "construct"):
        return thing
    if inspect.ismodule(thing) and hasattr(thing, "nn"):
        return lambda: LayerAdapter(thing)
    if inspect.isclass(thing) and hasattr(thing, "load_state_dict"):
        of_torch = not issubclass(thing, mt.nn.Module)
        library = sys.modules["torch"] if of_torch else mt
        own = any(getattr(library.nn, f"BatchNorm{d}d") is thing for d in (1, 2, 3))
        return lambda: LayerAdapter(library, None if own else thing)
    if callable(thing) and len(_arguments(thing)) >= 3:
        of_torch = (getattr(thing, "__module__", None) or "").split(".")[0] == "torch"
        return lambda: FunctionAdapter(thing, sys.modules["torch"] if of_torch else mt)
    raise TypeError(
        f"conformance: got {thing!r}, wanted a layer class, a function with F.batch_norm's signature, a library with "
        "nn.BatchNorm1d, a Formula or Mistake of the catalogue, or an adapter class (compare/adapters.py)"
    )


def _arguments(function):
    """The names of a function's arguments; none if Python does not know them."""
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return []
