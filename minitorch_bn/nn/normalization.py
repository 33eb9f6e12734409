"""The norms that PyTorch keeps in one module, nn.modules.normalization; each has a file of its own here."""

from .groupnorm import GroupNorm
from .layernorm import LayerNorm
from .localresponsenorm import LocalResponseNorm
from .rmsnorm import RMSNorm

__all__ = ["GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]
