"""Training one model in several processes, each with a part of every batch."""

from .data_parallel import DistributedDataParallel
