"""Where PyTorch keeps its layers, under its names: ``isinstance(m, nn.modules.batchnorm._BatchNorm)``."""

from . import (
    activation,
    batchnorm,
    container,
    conv,
    dropout,
    flatten,
    instancenorm,
    linear,
    loss,
    module,
    pooling,
)

__all__ = [
    "activation",
    "batchnorm",
    "container",
    "conv",
    "dropout",
    "flatten",
    "instancenorm",
    "linear",
    "loss",
    "module",
    "pooling",
]
