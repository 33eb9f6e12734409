"""torch.nn.utils: clip gradients, parameters as one vector, fold BatchNorm into the layer before it.

Not in PyTorch: freeze BatchNorms, compute their statistics exactly.
"""

from .calibration import calibrating
from .clip_grad import clip_grad_norm_, clip_grad_value_, clip_grads_with_norm_, get_total_norm
from .convert_parameters import parameters_to_vector, vector_to_parameters
from .freezing import freeze_batchnorm, unfreeze_batchnorm
from .fusion import fuse_conv_bn_eval, fuse_conv_bn_weights, fuse_linear_bn_eval, fuse_linear_bn_weights
