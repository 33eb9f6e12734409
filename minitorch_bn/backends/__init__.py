"""torch.backends' names: the switches of cuDNN, which scripts set before they train."""

from . import cudnn
