"""Schedules: how the learning rate changes from epoch to epoch, or from step to step. PyTorch's, float for float.

Call `step` of the schedule after the optimiser's:

    for epoch in range(30):
        for x, y in loader:
            ...
            optimizer.step()
        scheduler.step()
"""

from .base import LRScheduler
from .combined import ChainedScheduler, SequentialLR
from .cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from .cycles import CyclicLR, OneCycleLR
from .factors import ConstantLR, ExponentialLR, LambdaLR, LinearLR, MultiplicativeLR, MultiStepLR, PolynomialLR, StepLR
from .plateau import ReduceLROnPlateau

_LRScheduler = LRScheduler  # its name before PyTorch 2.0, which older scripts inherit from
