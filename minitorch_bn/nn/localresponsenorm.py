"""LocalResponseNorm: the settings of ops/localresponsenorm.py. Nothing is learnt."""

from .. import ops
from .module import Module


class LocalResponseNorm(Module):
    """Divide every value of (N, C, *S) by a power of the mean square of the channels around its own.

    Parameters
    ----------
    size : int
        How many channels are looked at.
    alpha, beta, k : float
        y = x / (k + alpha * mean square)**beta.

    Source: Krizhevsky, Sutskever & Hinton 2012, section 3.3; PyTorch documentation of LocalResponseNorm.
    """

    def __init__(self, size, alpha=1e-4, beta=0.75, k=1.0):
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input):
        return ops.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self):
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
