"""Flatten: several dimensions become one."""

from .. import ops
from .module import Module


class Flatten(Module):
    """Merges the dimensions from `start_dim` to `end_dim`; by default all but the batch's."""

    def __init__(self, start_dim=1, end_dim=-1):
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input):
        return ops.flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self):
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
