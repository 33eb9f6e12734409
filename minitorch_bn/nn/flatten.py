"""Flatten and Unflatten: several dimensions become one, one becomes several."""

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


class Unflatten(Module):
    """Splits the dimension `dim` into several.

    Parameters
    ----------
    dim : int
    unflattened_size : tuple or list of int
        The new sizes; their product is the old size, and one of them may be -1 and is worked out.

    Raises
    ------
    TypeError
        If `unflattened_size` is no tuple or list of ints.
    IndexError, RuntimeError
        When called, if there is no such dimension, or the sizes do not multiply up to its size.
    """

    def __init__(self, dim, unflattened_size):
        super().__init__()
        if not isinstance(unflattened_size, tuple | list):
            raise TypeError(
                f"Unflatten: unflattened_size must be a tuple of ints, but found type {type(unflattened_size).__name__}"
            )
        for size in unflattened_size:
            if not isinstance(size, int):
                raise TypeError(f"Unflatten: unflattened_size must be a tuple of ints, but found {size!r} in it")
        self.dim, self.unflattened_size = dim, unflattened_size

    def forward(self, input):
        return ops.unflatten(input, self.dim, self.unflattened_size)

    def extra_repr(self):
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
