"""Adapters for other frameworks, for the conformance table. None is needed; those that are installed are used.

What an adapter gives a framework is only what its own layer lets one set. Attributes that a user can write to (gamma,
running statistics, eps where there is no argument) are written to; nothing is computed in a framework's stead.
"""

import importlib.metadata
import importlib.util
import os
import shutil
import warnings

import numpy as np

from .adapters import Absent, Fails


class Other:
    """What the adapters of this file share.

    Attributes
    ----------
    module, distribution : str
        What is imported, and what it is called where packages are installed from.
    has_affine, has_tracking, has_cumulative, has_retain : bool
        Whether there are affine=False, track_running_stats=False, momentum=None; whether one can walk back twice.
    dtypes : tuple of str
        What it computes in.
    ranks : tuple of int or None
        The ranks that its BatchNorm is made for; None for all.
    """

    module = distribution = ""
    has_affine = has_tracking = has_cumulative = has_retain = False
    dtypes = ("float64", "float32")
    ranks = None

    def __init__(self):
        self.name = f"{self.distribution} {importlib.metadata.version(self.distribution)}"

    @classmethod
    def installed(cls):
        """Whether it can be imported."""
        return importlib.util.find_spec(cls.module) is not None

    def construct(self, num_features, *, rank, eps, momentum, affine, track_running_stats, dtype):
        """Refuse what the framework does not have, then make its layer."""
        if not affine and not self.has_affine:
            raise Absent("no affine=False")
        if not track_running_stats and not self.has_tracking:
            raise Absent("no track_running_stats=False")
        if momentum is None and not self.has_cumulative:
            raise Absent("no momentum=None")
        if dtype not in self.dtypes:
            raise Absent(f"no {dtype}")
        if self.ranks is not None and rank not in self.ranks:
            raise Absent(f"not made for {rank} dimensions")
        self.rank, self.channels, self.dtype = rank, num_features, dtype
        self.make(num_features, eps, momentum, affine, track_running_stats)

    def make(self, num_features, eps, momentum, affine, track_running_stats):
        """Make the layer."""
        raise NotImplementedError(f"{type(self).__name__} has no make")

    def flat(self, array):
        """An array of per-channel values as (C,), whatever shape the framework keeps it in."""
        return np.asarray(array).reshape(-1)


class MyGrad(Other):
    """mygrad.nnet.batchnorm: a function of the batch, without running statistics."""

    module = distribution = "mygrad"
    has_affine = True

    def make(self, num_features, eps, momentum, affine, track_running_stats):
        self.eps, self.gamma, self.beta = eps, None, None

    def load(self, gamma, beta, running_mean, running_var):
        import mygrad

        if gamma is not None:
            self.gamma, self.beta = mygrad.tensor(gamma), mygrad.tensor(beta)

    def forward(self, x, training, recording=True):
        import mygrad
        from mygrad.nnet.layers import batchnorm

        if not training:
            raise Absent("no eval mode")
        self.x = mygrad.tensor(x)
        if recording:
            self.y = batchnorm(self.x, gamma=self.gamma, beta=self.beta, eps=self.eps)
        else:
            with mygrad.no_autodiff:
                self.y = batchnorm(self.x, gamma=self.gamma, beta=self.beta, eps=self.eps)
        return np.array(self.y.data)

    def backward(self, dy):
        leaves = (self.x, self.gamma, self.beta)
        self.y.backward(dy)
        return [None if t is None else t.grad for t in leaves]

    def state(self):
        return {}


class PyDyNet(Other):
    """pydynet.nn.BatchNorm1d and BatchNorm2d."""

    module = distribution = "pydynet"
    ranks = (2, 4)

    def make(self, num_features, eps, momentum, affine, track_running_stats):
        from pydynet import nn

        kind = nn.BatchNorm2d if self.rank == 4 else nn.BatchNorm1d
        self.bn = kind(num_features, eps=eps, momentum=momentum, dtype=np.dtype(self.dtype).type)

    def load(self, *arrays):
        bn = self.bn
        for t, array in zip((bn.scale, bn.shift, bn.running_mean, bn.running_var), arrays, strict=True):
            if array is not None:
                t.data[...] = array.reshape(t.data.shape)

    def forward(self, x, training, recording=True):
        import pydynet
        from pydynet.autograd import is_grad_enable, set_grad_enabled

        self.bn.train(training)
        if not recording:
            set_grad_enabled(False)
        self.recorded = is_grad_enable()
        self.x = pydynet.Tensor(x, dtype=x.dtype.type, requires_grad=self.recorded)
        try:
            self.y = self.bn(self.x)
        finally:
            set_grad_enabled(True)
        return np.array(self.y.data)

    def backward(self, dy):
        import pydynet

        if not self.recorded:
            raise Fails("eval() has switched gradients off, in the whole process")
        leaves = (self.x, self.bn.scale, self.bn.shift)
        for t in leaves:
            t.zero_grad()
        (self.y * pydynet.Tensor(dy, dtype=dy.dtype.type)).sum().backward()
        return [leaves[0].grad, *(self.flat(t.grad) for t in leaves[1:])]

    def state(self):
        return {name: self.flat(getattr(self.bn, name).data) for name in ("running_mean", "running_var")}


class Tinygrad(Other):
    """tinygrad.nn.BatchNorm, one class for all ranks. Its train mode is a flag of the whole process."""

    module = distribution = "tinygrad"
    has_affine = has_tracking = has_retain = True

    def make(self, num_features, eps, momentum, affine, track_running_stats):
        os.environ.setdefault("DEV", "CPU" if shutil.which("clang") else "PYTHON")  # the latter compiles nothing
        from tinygrad import dtypes, nn

        self.type = getattr(dtypes, self.dtype)
        self.bn = nn.BatchNorm(num_features, eps, affine, track_running_stats, momentum)
        for name in ("weight", "bias", "running_mean", "running_var"):
            if getattr(self.bn, name, None) is not None:
                setattr(self.bn, name, getattr(self.bn, name).cast(self.type).contiguous().realize())

    def tensor(self, array):
        from tinygrad import Tensor

        return Tensor(np.ascontiguousarray(array), dtype=self.type)

    def load(self, *arrays):
        for name, array in zip(("weight", "bias", "running_mean", "running_var"), arrays, strict=True):
            if array is not None:
                setattr(self.bn, name, self.tensor(array))

    def forward(self, x, training, recording=True):
        from tinygrad.helpers import Context

        self.x = self.tensor(x)
        with Context(TRAINING=int(training)):
            self.y = self.bn(self.x)
            return self.y.numpy()

    def backward(self, dy):
        leaves = [t for t in (self.x, self.bn.weight, self.bn.bias) if t is not None]
        gradients = [g.numpy() for g in self.y.gradient(*leaves, gradient=self.tensor(dy))]
        return gradients + [None] * (3 - len(gradients))

    def state(self):
        names = ("running_mean", "running_var", "num_batches_tracked")
        return {name: getattr(self.bn, name).numpy() for name in names if hasattr(self.bn, name)}


class Mangograd(Other):
    """mangograd.nn.BatchNorm."""

    module = distribution = "mangograd"
    dtypes = ("float64",)
    ranks = (2,)

    def make(self, num_features, eps, momentum, affine, track_running_stats):
        from mangograd.nn import BatchNorm

        self.bn = BatchNorm(num_features)
        self.bn.eps, self.bn.momentum = eps, momentum

    def load(self, gamma, beta, running_mean, running_var):
        self.bn.gamma.data[...], self.bn.beta.data[...] = gamma, beta
        if running_mean is not None:
            self.bn.running_mean, self.bn.running_var = running_mean.reshape(1, -1), running_var.reshape(1, -1)

    def forward(self, x, training, recording=True):
        from mangograd.tensor import Tensor

        if not recording:
            raise Absent("no no_grad")
        self.bn.training = training
        self.x = Tensor(x)
        self.y = self.bn(self.x)
        return np.array(self.y.data)

    def backward(self, dy):
        from mangograd.tensor import Tensor

        leaves = (self.x, self.bn.gamma, self.bn.beta)
        for t in leaves:
            t.grad = np.zeros_like(t.data)
        (self.y * Tensor(dy)).sum().backward()
        return [leaves[0].grad, *(self.flat(t.grad) for t in leaves[1:])]

    def state(self):
        return {name: self.flat(getattr(self.bn, name)) for name in ("running_mean", "running_var")}


class PureML(Other):
    """pureml.layers.BatchNorm1d and BatchNorm2d."""

    module, distribution = "pureml", "ym-pure-ml"
    ranks = (2, 4)

    def make(self, num_features, eps, momentum, affine, track_running_stats):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pureml import layers

        kind = layers.BatchNorm2d if self.rank == 4 else layers.BatchNorm1d
        self.bn = kind(num_features, eps=eps, momentum=momentum)
        self.inner = getattr(self.bn, "_bn1d", self.bn)

    def load(self, *arrays):
        bn = self.inner
        for t, array in zip((bn.gamma, bn.beta, bn.running_mean, bn.running_variance), arrays, strict=True):
            if array is not None:
                t.data = array

    def forward(self, x, training, recording=True):
        from pureml.machinery import Tensor

        if not recording:
            raise Absent("no no_grad")
        self.bn.training = self.inner.training = training
        self.x = Tensor(x, requires_grad=True)
        self.y = self.bn(self.x)
        return np.array(self.y.data)

    def backward(self, dy):
        leaves = (self.x, self.inner.gamma, self.inner.beta)
        for t in leaves:
            t.zero_grad()
        self.y.backward(dy)
        return [t.grad for t in leaves]

    def state(self):
        return {"running_mean": self.inner.running_mean.data, "running_var": self.inner.running_variance.data}


OTHERS = (MyGrad, PyDyNet, Tinygrad, PureML, Mangograd)
