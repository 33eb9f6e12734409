"""From PyTorch's `dim` to NumPy's axis: negative dims count from the right, and a wrong one is an error."""

from ..engine import Variable


def must_be_tensor(name, *arguments):
    """Raise PyTorch's error if one of the arguments is no tensor."""
    for x in arguments:
        if not isinstance(x, Variable):
            raise TypeError(f"{name}: got {type(x).__name__}, wanted a Tensor; make one with tensor(...)")


def axis_of(name, x, dim):
    """`dim` as an axis counted from the left.

    Raises
    ------
    IndexError
        If `x` has no such dimension. A 0-dim tensor takes 0 and -1.
    TypeError
        If `dim` is no integer.
    """
    if not hasattr(dim, "__index__"):
        raise TypeError(f"{name}: dim must be an int, got {type(dim).__name__}")
    rank = max(x.array.ndim, 1)
    if not -rank <= dim < rank:
        raise IndexError(
            f"{name}: Dimension out of range (expected to be in range of [{-rank}, {rank - 1}], but got {dim}) for a "
            f"tensor of shape {x.array.shape}"
        )
    return dim % rank


def axes_of(name, x, dim):
    """`dim` (None, an int, or several ints) as a tuple of axes; None and () mean all of them.

    Raises
    ------
    IndexError
        If `x` has no such dimension.
    RuntimeError
        If a dimension is named twice.
    TypeError
        If `dim` is none of these.
    """
    if x.array.ndim == 0:
        named = () if dim is None else dim if isinstance(dim, tuple | list) else (dim,)
        if len({axis_of(name, x, d) for d in named}) < len(named):
            raise RuntimeError(f"{name}: a dim appears multiple times in the list of dims: got {tuple(named)}")
        return ()
    if dim is None or dim == () or dim == []:
        return tuple(range(x.array.ndim))
    if hasattr(dim, "__index__"):
        return (axis_of(name, x, dim),)
    if not isinstance(dim, tuple | list):
        raise TypeError(f"{name}: dim must be an int or a tuple of ints, got {type(dim).__name__}")
    axes = tuple(axis_of(name, x, d) for d in dim)
    if len(set(axes)) != len(axes):
        raise RuntimeError(f"{name}: a dim appears multiple times in the list of dims: got {tuple(dim)}")
    return axes


def required_axis(name, x, dim):
    """`dim` as an axis, for functions that will not guess it.

    Raises
    ------
    TypeError
        If `dim` is left out: the guess that PyTorch makes then is deprecated there.
    """
    if dim is None:
        raise TypeError(f"{name}: missing dim; say along which dimension the result shall sum to 1, for example dim=1")
    return axis_of(name, x, dim)


def must_be_floating(name, *arguments):
    """Raise PyTorch's error if one of the arguments is no tensor of floating point numbers."""
    must_be_tensor(name, *arguments)
    for x in arguments:
        if x.array.dtype.kind != "f":
            raise NotImplementedError(
                f"{name}: not implemented for {x.array.dtype}, wanted floating point; use .float()"
            )
