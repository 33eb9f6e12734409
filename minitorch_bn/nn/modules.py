"""Where PyTorch keeps its layers, under its names: ``isinstance(m, nn.modules.batchnorm._BatchNorm)``.

They can be imported, too: ``from torch.nn.modules.batchnorm import _BatchNorm``.
"""

import sys

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
    normalization,
    pooling,
)
from . import embedding as sparse

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
    "normalization",
    "pooling",
    "sparse",
]
for _name in __all__:
    sys.modules[f"{__name__}.{_name}"] = globals()[_name]  # what an import statement looks up


def __getattr__(name):
    """The layers themselves stand here, too: nn.modules.BatchNorm2d is nn.BatchNorm2d."""
    layer = vars(sys.modules[__package__]).get(name)
    if isinstance(layer, type) and issubclass(layer, module.Module):
        return layer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
