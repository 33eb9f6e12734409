"""torch.autograd's names: gradients on demand, functions with a backward of one's own, and checks of both."""

from ..engine import enable_grad, no_grad, set_grad_enabled
from .anomaly import detect_anomaly, is_anomaly_check_nan_enabled, is_anomaly_enabled, set_detect_anomaly
from .function import Function, once_differentiable
from .gradcheck import GradcheckError, gradcheck
from .inference import inference_mode
from .variable import Variable
from .walk import backward, grad
