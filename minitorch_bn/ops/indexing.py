"""Indexing: reading picks numbers out, so backward adds gradients back in, once for every time a number was picked."""

import numpy as np

from .. import backend
from ..engine import Op, Variable, apply
from .arithmetic import check_broadcast, unbroadcast
from .axes import axis_of


class Index(Op):
    """y = x[index].  dx is 0 except at index, where dy is added: an element read twice gets two terms.

    Parameters
    ----------
    index : anything NumPy indexes with
        Tensors already replaced by their arrays.
    repeats : bool
        Whether the index holds an array, so that one element may be read more than once.
    """

    torch_name = property(lambda self: "IndexBackward0" if self.repeats else f"{last_view(self.index)}Backward0")

    def __init__(self, index, repeats):
        self.index, self.repeats = index, repeats

    def forward(self, x):
        self.x_shape = x.shape
        return x[self.index]

    def backward(self, dy):
        dx = backend.namespace(dy).zeros(self.x_shape, dy.dtype)
        if self.repeats:
            backend.scatter_add(dx, self.index, dy)
        else:
            dx[self.index] = dy
        return (dx,)


class Rows(Op):
    """y = x[index] for integers of any shape: one row of x per index.  dx adds dy into every row that was picked.

    Shapes: index (*), x (M, *S), y (*, *S).
    """

    torch_name = "IndexBackward0"

    def __init__(self, index):
        self.index = index

    def forward(self, x):
        self.x_shape = x.shape
        return x.take(self.index, 0)

    def backward(self, dy):
        return (backend.sum_by_row(self.index, dy, self.x_shape),)


class PutIndex(Op):
    """y = x with x[index] replaced by values.  dx = dy with 0 at index; dvalues = dy at index.

    Parameters
    ----------
    steps : tuple
        The index, as `index_steps` gives it.
    """

    torch_name = "CopySlices"

    def __init__(self, steps):
        *self.numbers, self.index = steps

    def part(self, x):
        """The view of x that the last step indexes."""
        for step in self.numbers:
            x = x[step]
        return x

    def forward(self, x, values):
        self.values_shape = getattr(values, "shape", ())
        y = x.copy()
        self.part(y)[self.index] = values
        return y

    def backward(self, dy):
        dx = dy.copy()
        self.part(dx)[self.index] = 0
        return dx, unbroadcast(self.part(dy)[self.index], self.values_shape) if self.needs[1] else None


class MaskedFill(Op):
    """y = x, but `value` where mask is true.  dx = dy where it is false, 0 elsewhere."""

    def __init__(self, mask, value):
        self.mask, self.value = mask, value

    def forward(self, x):
        self.x_shape = x.shape
        return np.where(self.mask, backend.namespace(x).asarray(self.value, x.dtype), x)

    def backward(self, dy):
        return (unbroadcast(np.where(self.mask, 0, dy), self.x_shape),)


class Gather(Op):
    """y[i][j] = x[i][index[i][j]] (along axis 1).  dx adds dy at the places that were read."""

    def __init__(self, axis, index):
        self.axis, self.index = axis, index

    def places(self):
        """The full index: `index` along the axis, its own position along the others."""
        xp = backend.namespace(self.index)
        grid = np.ogrid[tuple(slice(n) for n in self.index.shape)]
        return tuple(self.index if i == self.axis else xp.asarray(g) for i, g in enumerate(grid))

    def forward(self, x):
        self.x_shape = x.shape
        return x[self.places()]

    def backward(self, dy):
        dx = backend.namespace(dy).zeros(self.x_shape, dy.dtype)
        backend.scatter_add(dx, self.places(), dy)
        return (dx,)


def plain_index(index):
    """`index` with tensors replaced by arrays, and whether it holds any array or list (then elements may repeat).

    Raises
    ------
    IndexError
        If an array is neither of integers nor of bools.
    ValueError
        If a slice runs backwards.
    TypeError
        If a part is a text.
    """
    parts = index if type(index) is tuple else (index,)
    if any(isinstance(p, str) for p in parts):
        raise TypeError(f"index: got {index!r}, wanted integers, slices, None, ... or tensors")
    plain = [p.array if isinstance(p, Variable) else np.asarray(p) if type(p) is list else p for p in parts]
    plain = [
        p.item() if getattr(p, "ndim", 1) == 0 and p.dtype.kind == "i" else p for p in plain
    ]  # CuPy has no __index__
    arrays = [p for p in plain if hasattr(p, "dtype") and p.ndim]
    for p in arrays:
        if p.dtype.kind not in "iub":
            raise IndexError(f"index: tensors used as indices must be long, int, byte or bool, got {p.dtype}")
    for p in plain:
        if type(p) is slice and p.step is not None and p.step < 0:
            raise ValueError(f"index: step must be greater than zero, got {p.step}; use flip")
    return tuple(plain) if type(index) is tuple else plain[0], bool(arrays)


def index_steps(index):
    """A plain index as indices to be used one after the other: PyTorch takes single numbers before arrays.

    NumPy takes both at once, and where a slice stands between them moves their common axis to the front.

    >>> index_steps((0, slice(None), np.array([1, 1])))
    ((0, slice(None, None, None), slice(None, None, None)), (slice(None, None, None), array([1, 1])))
    """
    if type(index) is not tuple or not any(map(is_number, index)) or not any(map(is_many, index)):
        return (index,)
    everything = slice(None)
    numbers = [part for p in index for part in ((everything,) * axes_taken(p) if is_many(p) else (p,))]
    rest = [p if is_many(p) or p is Ellipsis else everything for p in index if not is_number(p)]
    return tuple(numbers), tuple(rest)


def last_view(index):
    """PyTorch reads an index without arrays as several views, one after the other; the name of the last.

    >>> last_view(0), last_view((0, slice(3))), last_view((slice(None), None)), last_view(...)
    ('Select', 'Slice', 'Unsqueeze', 'Alias')
    """
    if type(index) is slice:
        return "Slice"
    name = "Alias"
    for p in index if type(index) is tuple else (index,):
        if isinstance(p, bool | np.bool_):
            return "Index"
        if p is None:
            name = "Unsqueeze"
        elif is_number(p):
            name = "Select"
        elif p is not Ellipsis and p != slice(None):
            name = "Slice"
    return name


def is_number(p):
    """Whether one part of an index is a single integer."""
    return hasattr(p, "__index__") and not isinstance(p, bool | np.bool_) and getattr(p, "ndim", 0) == 0


def is_many(p):
    """Whether one part of an index is an array with dimensions, or of bools."""
    return hasattr(p, "dtype") and not is_number(p)


def axes_taken(p):
    """How many axes an array takes up as part of an index: a bool array all of its own, integers one."""
    return p.ndim if p.dtype.kind == "b" else 1


def indices_outside(index, n):
    """Whether any of the int64 indices is not in 0 .. n - 1. One look: read as unsigned, a negative number is huge.

    >>> indices_outside(np.array([0, 2]), 3), indices_outside(np.array([0, -1]), 3)
    (False, True)
    """
    unsigned = index.view(np.uint64).reshape(-1)
    return index.size > 0 and bool(unsigned[unsigned.argmax()] >= n)  # argmax and a lookup: half the time of max


def is_rows(index, x):
    """Whether `index` is a list of row numbers of `x`: int64, of any shape but (), on the same device."""
    return index.dtype == np.int64 and index.ndim > 0 and type(index) is type(x)


def index_error(error, index, shape):
    """NumPy's IndexError in words that name the shape."""
    return IndexError(f"index: {error}; got index {index!r:.200} for a tensor of shape {tuple(shape)}")


def getitem(input, index):
    """input[index] with PyTorch's (and NumPy's) indices: ints, slices, None, ..., bool and integer tensors.

    Raises
    ------
    IndexError
        If an index is out of range, or there are too many.
    """
    if isinstance(index, Variable) and is_rows(index.array, input.array):  # what training does in every step
        try:
            backend.check_index(input.array, index.array)
            return (
                apply(Rows(index.array), input) if input.requires_grad else input.like(input.array.take(index.array, 0))
            )
        except IndexError as error:
            raise index_error(error, index.array, input.array.shape) from None
    index, repeats = plain_index(index)
    try:
        *numbers, last = index_steps(index)
        for step in numbers:
            input = apply(Index(step, False), input)
        backend.check_index(input.array, last)
        return apply(Index(last, repeats), input)
    except TypeError:
        backend.check_devices("index", input.array, index)
        raise
    except IndexError as error:
        raise index_error(error, index, input.array.shape) from None


def put_index(input, index, values):
    """A tensor like `input` with input[index] replaced by `values`: indexed assignment to a recorded tensor."""
    op = PutIndex(index_steps(plain_index(index)[0]))
    backend.check_index(op.part(input.array), op.index)
    try:
        return apply(op, input, values)
    except ValueError as error:
        raise RuntimeError(f"indexed assignment: shape mismatch: {error}") from None


def gather(input, dim, index):
    """input at positions `index` along `dim`: the result has index's shape.

    Raises
    ------
    RuntimeError
        If an index is out of range or is no int64, or its shape does not fit.
    """
    axis, where = axis_of("gather", input, dim), index.array
    backend.check_devices("gather", input.array, where)
    if where.dtype != np.int64:
        raise RuntimeError(f"gather: Expected dtype int64 for index, got {where.dtype}")
    x_shape = input.array.shape
    fits = all(i == axis or m <= n for i, (m, n) in enumerate(zip(where.shape, x_shape, strict=False)))
    if where.size and (where.ndim != len(x_shape) or not fits):
        raise RuntimeError(
            f"gather: index of shape {where.shape} for input {x_shape}: wanted as many dimensions, and apart from "
            f"dim {dim} no size larger than input's"
        )
    n = input.array.shape[axis] if input.array.ndim else 1
    if where.size and (where.min() < 0 or where.max() >= n):
        raise RuntimeError(
            f"gather: index {int(where.min())}..{int(where.max())} is out of bounds for dim {dim} of size {n}"
        )
    return apply(Gather(axis, where), input)


def index_select(input, dim, index):
    """The slices of `input` at positions `index` (1-D) along `dim`.

    Raises
    ------
    IndexError
        If a position is out of range, or `index` has more than one dimension.
    RuntimeError
        If `index` is not of int64 or int32.
    """
    if index.array.ndim > 1:
        raise IndexError(f"index_select: Index is supposed to be a vector, i.e. 1-D, got shape {index.array.shape}")
    if index.array.dtype.kind != "i":
        raise RuntimeError(f"index_select: Expected dtype int32 or int64 for index, got {index.dtype}")
    before = (slice(None),) * axis_of("index_select", input, dim)
    backend.check_devices("index_select", input.array, index.array)
    return getitem(input, (*before, index))


def masked_fill(input, mask, value):
    """`input` with `value` wherever the bool tensor `mask` is true; mask broadcasts to input's shape."""
    if mask.array.dtype.kind != "b":
        raise RuntimeError(f"masked_fill: only supports boolean masks, got {mask.dtype}; compare it first")
    backend.check_devices("masked_fill", input.array, mask.array)
    check_broadcast("masked_fill", mask.array.shape, input.array.shape)
    value = value.item() if isinstance(value, Variable) else value
    return apply(MaskedFill(mask.array, value), input)


def one_hot(tensor, num_classes=-1):
    """Rows of 0 with a single 1 at each class index: int64 of shape (*tensor.shape, num_classes).

    Raises
    ------
    RuntimeError
        If a class is negative or not below `num_classes`, or the tensor is not int64.
    """
    index = tensor.array
    if index.dtype != np.int64:
        raise RuntimeError(f"one_hot: is only applicable to index tensors of type int64, got {index.dtype}")
    largest = int(index.max()) if index.size else -1
    if index.size and int(index.min()) < 0:
        raise RuntimeError(f"one_hot: class values must be non-negative, got {int(index.min())}")
    if num_classes == -1:
        num_classes = largest + 1
    if largest >= num_classes:
        raise RuntimeError(f"one_hot: class values must be smaller than num_classes={num_classes}, got {largest}")
    classes = backend.namespace(index).arange(num_classes)
    return tensor.like((index[..., None] == classes).astype(np.int64))
