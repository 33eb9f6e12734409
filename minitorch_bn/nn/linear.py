"""Linear and Identity: state for ops/linear.py."""

from .. import creation, ops
from . import init
from .module import Module
from .parameter import Parameter


class Linear(Module):
    """y = x @ weight.T + bias.

    Parameters
    ----------
    in_features, out_features : int
    bias : bool
    device, dtype : where and as what the parameters are made

    Attributes
    ----------
    weight : Parameter of shape (out_features, in_features)
        Starts uniform in +-1 / sqrt(in_features), drawn in PyTorch's order.
    bias : Parameter of shape (out_features,) or None
        Starts uniform in the same range.

    >>> Linear(2, 3)(creation.zeros(5, 2)).shape
    torch.Size([5, 3])
    """

    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(creation.empty(out_features, in_features, device=device, dtype=dtype))
        self.bias = Parameter(creation.empty(out_features, device=device, dtype=dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self):
        """Draw weight and bias afresh."""
        init.default_(self.weight, self.bias)

    def forward(self, input):
        return ops.linear(input, self.weight, self.bias)

    def extra_repr(self):
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Identity(Module):
    """Gives back its input; takes any arguments."""

    def __init__(self, *args, **kwargs):
        super().__init__()

    def forward(self, input):
        return input
