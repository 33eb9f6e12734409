"""Optimisers: the only writers of parameter arrays."""

from . import lr_scheduler, swa_utils
from .adagrad import Adagrad
from .adam import Adam, AdamW
from .optimizer import Optimizer
from .param_groups import param_groups_weight_decay
from .rmsprop import RMSprop
from .sgd import SGD
