"""Optimisers: the only writers of parameter arrays."""

from .optimizer import Optimizer
from .sgd import SGD
