"""Indexing: reading picks numbers out, so backward adds gradients back in, once for every time a number was picked."""

import numpy as np

from .. import backend, dtypes
from ..engine import Op, Variable, apply
from .axes import axis_of, must_be_tensor
from .cast import cast, to_device
from .promotion import check_broadcast, shape_of, unbroadcast

INTEGERS = (np.dtype("int64"), np.dtype("int32"))  # what an index may be made of


class Index(Op):
    """y = x[index] where the index holds arrays.  dx is 0 except at index, where dy is added: read twice, two terms.

    Parameters
    ----------
    index : anything NumPy indexes with
        Tensors already replaced by their arrays.
    """

    def __init__(self, index):
        self.index = index

    def forward(self, x):
        self.x_shape = x.shape
        y = x[self.index]
        return y if y.flags.c_contiguous else y.copy()  # NumPy lays out what arrays picked first

    def backward(self, dy):
        dx = backend.namespace(dy).zeros(self.x_shape, dy.dtype)
        backend.scatter_add(dx, self.index, dy)
        return (dx,)


class View(Op):
    """y = x[index] for numbers, slices, None and ...: a view, no element stands twice.  dx = dy at index, else 0.

    PyTorch reads such an index as several views, one after the other, and names the result after the last: the classes
    below are these names.
    """

    def __init__(self, index):
        self.index = index

    def forward(self, x):
        self.x_shape = x.shape
        y = x[self.index]
        if y.ndim:
            return y
        # NumPy copies a single element, unless the index ends in ...
        index = self.index if type(self.index) is tuple else (self.index,)
        return x[index] if Ellipsis in index else x[(*index, ...)]

    def backward(self, dy):
        dx = backend.namespace(dy).zeros(self.x_shape, dy.dtype)
        dx[self.index] = dy
        return (dx,)


class Select(View):
    """The view that a number gives."""


class Slice(View):
    """The view that a slice gives."""


class NewAxis(View):
    """The view that None gives."""

    torch_name = "UnsqueezeBackward0"


class Alias(View):
    """The view of everything."""


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
        self.values_shape = shape_of(values)
        y = x.copy()
        self.part(y)[self.index] = leading_ones_off(values) if self.values_shape else values
        return y

    def backward(self, dy):
        dx = backend.as_array(dy).copy()  # NumPy makes scalars of 0-dim sums
        self.part(dx)[self.index] = 0
        return dx, unbroadcast(self.part(dy)[self.index], self.values_shape) if self.needs[1] else None


def leading_ones_off(values):
    """`values` without the leading axes of length 1: PyTorch takes (1, 3) where (3,) is written, NumPy not always.

    >>> leading_ones_off(np.ones((1, 1, 3))).shape
    (3,)
    """
    extra = next((i for i, n in enumerate(values.shape) if n != 1), values.ndim)
    return values.reshape(values.shape[extra:])


class MaskedFill(Op):
    """y = x, but `value` where mask is true.  dx = dy where it is false, 0 elsewhere."""

    def __init__(self, mask, value):
        self.mask, self.value = mask, value

    def forward(self, x):
        self.x_shape = x.shape
        return np.where(self.mask, self.value, x)

    def backward(self, dy):
        return (unbroadcast(np.where(self.mask, 0, dy), self.x_shape),)


class MaskedFillByTensor(Op):
    """y = x, but the 0-dim `value` where mask is true.  dx = dy where it is false; dvalue = the sum of dy elsewhere."""

    torch_name = "MaskedFillBackward1"

    def __init__(self, mask):
        self.mask = mask

    def forward(self, x, value):
        self.x_shape = x.shape
        return np.where(self.mask, value, x)

    def backward(self, dy):
        dx = unbroadcast(np.where(self.mask, 0, dy), self.x_shape) if self.needs[0] else None
        dvalue = np.where(self.mask, dy, 0).sum() if self.needs[1] else None
        return dx, dvalue


class IndexSelect(Op):
    """y = the slices of x at `positions` along an axis.  dx adds every slice of dy where it was taken from."""

    def __init__(self, axis, positions):
        self.axis, self.positions = axis, positions

    def forward(self, x):
        self.x_shape = x.shape
        return x.take(self.positions, self.axis)

    def backward(self, dy):
        dx = backend.namespace(dy).zeros(self.x_shape, dy.dtype)
        backend.scatter_add(dx, (slice(None),) * self.axis + (self.positions,), dy)
        return (dx,)


class Gather(Op):
    """y[i][j] = x[i][index[i][j]] (along axis 1).  dx adds dy at the places that were read."""

    def __init__(self, axis, index):
        self.axis, self.index = axis, index

    def forward(self, x):
        self.x_shape = x.shape
        return x[places(self.axis, self.index)]

    def backward(self, dy):
        dx = backend.namespace(dy).zeros(self.x_shape, dy.dtype)
        backend.scatter_add(dx, places(self.axis, self.index), dy)
        return (dx,)


def places(axis, index):
    """The full index that `index` along one axis stands for: its own position along the others."""
    xp = backend.namespace(index)
    grid = np.ogrid[tuple(slice(n) for n in index.shape)]
    return tuple(index if i == axis else xp.asarray(g) for i, g in enumerate(grid))


def plain_index(index):
    """`index` with tensors and lists replaced by arrays, and whether it holds any of them (then elements may repeat).

    uint8 tensors are masks, as in PyTorch. A list that holds lists, slices or tensors is read as a tuple.

    Raises
    ------
    IndexError
        If an array is neither of int64 or int32 nor of bools or bytes.
    ValueError
        If a slice runs backwards or stands still.
    TypeError
        If a part is a text.
    """
    if type(index) is list and any(p is None or isinstance(p, PARTS_OF_TUPLES) for p in index):
        index = tuple(index)
    parts = index if type(index) is tuple else (index,)
    plain = [_plain_part(p) for p in parts]
    repeats = any(hasattr(p, "dtype") and p.ndim for p in plain)
    return tuple(plain) if type(index) is tuple else plain[0], repeats


PARTS_OF_TUPLES = (Variable, slice, list, tuple, np.ndarray, type(Ellipsis))


def _plain_part(p):
    """One part of an index: an array where it was a tensor or a list, a Python int where it was a 0-dim tensor."""
    if type(p) is slice:
        if p.step is not None and p.step <= 0:
            raise ValueError(f"index: step must be greater than zero, got {p.step}; use flip")
        return p
    if isinstance(p, str):
        raise TypeError(f"index: got {p!r}, wanted integers, slices, None, ... or tensors")
    if isinstance(p, Variable):
        p = p.array
    elif type(p) is list:
        p = np.asarray(p, None if p else np.int64)
    if not hasattr(p, "dtype"):
        return p
    if p.dtype == np.uint8:
        return p != 0
    if p.dtype not in INTEGERS and p.dtype != bool:
        raise IndexError(f"index: tensors used as indices must be long, int, byte or bool, got {p.dtype}; use .long()")
    return p.item() if p.ndim == 0 and p.dtype.kind == "i" else p  # CuPy has no __index__


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
    """The class of op for an index without arrays: the last of the views that PyTorch reads it as.

    >>> last_view(0).__name__, last_view((0, slice(3))).__name__, last_view((slice(None), None)).__name__
    ('Select', 'Slice', 'NewAxis')
    """
    if type(index) is slice:
        return Slice
    view = Alias
    for p in index if type(index) is tuple else (index,):
        if isinstance(p, bool | np.bool_):
            return Index
        if p is None:
            view = NewAxis
        elif is_number(p):
            view = Select
        elif p is not Ellipsis and p != slice(None):
            view = Slice
    return view


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
            input = apply(last_view(step)(step), input)
        backend.check_index(input.array, last)
        return apply(Index(last) if repeats else last_view(last)(last), input)
    except TypeError:
        backend.check_devices("index", input.array, index)
        raise
    except IndexError as error:
        raise index_error(error, index, input.array.shape) from None


def put_index(input, index, values):
    """A tensor like `input` with input[index] replaced by `values`: indexed assignment to a recorded tensor."""
    op = PutIndex(index_steps(plain_index(index)[0]))
    try:
        backend.check_index(op.part(input.array), op.index)
        return apply(op, input, values)
    except IndexError as error:
        raise index_error(error, index, input.array.shape) from None
    except ValueError as error:
        raise RuntimeError(f"indexed assignment: shape mismatch: {error}") from None


def gather(input, dim, index):
    """input at positions `index` along `dim`: the result has index's shape.

    Raises
    ------
    RuntimeError
        If an index is out of range or is no int64, or its shape does not fit.
    """
    must_be_tensor("gather", input, index)
    axis, where = axis_of("gather", input, dim), index.array
    backend.check_devices("gather", input.array, where)
    if where.dtype not in INTEGERS:
        raise RuntimeError(f"gather: Expected dtype int32/int64 for index, got {where.dtype}; use .long()")
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
    """The slices of `input` at positions `index` along `dim`.

    Parameters
    ----------
    input : Tensor
    dim : int
    index : Tensor of int64 or int32, of shape (K,)
        From 0 up; a position may come several times.

    Raises
    ------
    IndexError
        If a position is out of range or negative, or `index` has more than one dimension.
    RuntimeError
        If `index` is not of int64 or int32.
    """
    must_be_tensor("index_select", input, index)
    positions = along_axis("index_select", index)
    axis = axis_of("index_select", input, dim)
    backend.check_devices("index_select", input.array, positions)
    n = input.array.shape[axis] if input.array.ndim else 1
    if positions.size and not 0 <= positions.min() <= positions.max() < n:
        low, high = int(positions.min()), int(positions.max())
        raise IndexError(f"index_select: index out of range: got {low}..{high}, wanted 0..{n - 1} for dim {dim}")
    return apply(IndexSelect(axis, positions), input) if input.array.ndim else input.clone()


def along_axis(name, index):
    """The array of positions along one axis, as a vector.

    Raises
    ------
    IndexError
        If `index` has more than one dimension.
    RuntimeError
        If it is not of int64 or int32.
    """
    if index.array.ndim > 1:
        raise IndexError(f"{name}: Index is supposed to be a vector, i.e. 1-D, got shape {index.array.shape}")
    if index.array.dtype not in INTEGERS:
        raise RuntimeError(f"{name}: Expected dtype int32 or int64 for index, got {index.dtype}; use .long()")
    return index.array.reshape(-1)


def masked_fill(input, mask, value):
    """`input` with `value` wherever the bool tensor `mask` is true; mask and input broadcast to one shape.

    Parameters
    ----------
    input : Tensor
    mask : Tensor of bool
    value : number or 0-dim Tensor
        A tensor that requires grad receives the sum of the gradients at the filled places.

    Raises
    ------
    TypeError
        If `mask` is no tensor, or `value` neither number nor tensor.
    RuntimeError
        If `mask` is not bool, the shapes do not broadcast, `value` has dimensions, or input's dtype cannot hold it.
    """
    must_be_tensor("masked_fill", input, mask)
    if mask.array.dtype.kind != "b":
        raise RuntimeError(f"masked_fill: only supports boolean masks, got {mask.dtype}; compare it first")
    backend.check_devices("masked_fill", input.array, mask.array)
    check_broadcast("masked_fill", mask.array.shape, input.array.shape)
    if not isinstance(value, Variable):
        if not isinstance(value, int | float):
            raise TypeError(f"masked_fill: got a {type(value).__name__} as value, wanted a number or a 0-dim tensor")
        return apply(MaskedFill(mask.array, dtypes.element("masked_fill", value, input.dtype)), input)
    if value.array.ndim:
        raise RuntimeError(f"masked_fill: only supports a 0-dimensional value tensor, got shape {value.array.shape}")
    return apply(MaskedFillByTensor(mask.array), input, to_device(cast(value, input.dtype), input.device))


def one_hot(tensor, num_classes=-1):
    """Rows of 0 with a single 1 at each class index: int64 of shape (*tensor.shape, num_classes).

    Raises
    ------
    RuntimeError
        If a class is negative or not below `num_classes`, the tensor is not int64, or it is empty and `num_classes` is
        not given.
    """
    must_be_tensor("one_hot", tensor)
    index = tensor.array
    if index.dtype != np.int64:
        raise RuntimeError(f"one_hot: is only applicable to index tensors of type int64, got {index.dtype}")
    largest = int(index.max()) if index.size else -1
    if index.size and int(index.min()) < 0:
        raise RuntimeError(f"one_hot: class values must be non-negative, got {int(index.min())}")
    if not index.size and num_classes < 1:
        raise RuntimeError(f"one_hot: Can not infer total number of classes from empty tensor, got {num_classes=}")
    if num_classes == -1:
        num_classes = largest + 1
    if largest >= num_classes:
        raise RuntimeError(f"one_hot: class values must be smaller than num_classes={num_classes}, got {largest}")
    classes = backend.namespace(index).arange(num_classes)
    return tensor.like((index[..., None] == classes).astype(np.int64))
