"""The only door to CuPy: which array library an array belongs to, and how arrays move between devices.

Everything else in the package is written with operators, array methods and ``np.`` functions. NumPy's own protocol
sends those to CuPy when the array lies on a GPU, so no op ever asks where it runs. This module is needed to make a new
array (`namespace`), to move one (`to_device`, `to_numpy`), to refuse what lies elsewhere (`check_devices`), and for the
few things that the two libraries do differently (`scatter_add`, `check_index`, `sum_of_rows`).
"""

import functools
import math

import numpy

INSTALL_HINT = (
    "Install CuPy for your driver (`pip install minitorch_bn[gpu-cuda13]` or `[gpu-cuda12]`) on a machine with an "
    "NVIDIA GPU, or use device='cpu'."
)


class device:
    """Where a tensor's numbers lie: ``device("cpu")``, ``device("cuda")`` or ``device("cuda", 0)``.

    Parameters
    ----------
    type : str or device
        "cpu", "cuda", or "cuda:<index>".
    index : int, optional
        Which GPU; None is the current one.

    Raises
    ------
    RuntimeError
        If the type is neither "cpu" nor "cuda", or the index is no number from 0 up, or is given twice.
    TypeError
        If `type` is no string, device or int.
    """

    def __init__(self, type, index=None):
        if isinstance(type, device):
            type, index = type.type, type.index
        elif isinstance(type, int) and not isinstance(type, bool):
            type, index = "cuda", type
        elif not isinstance(type, str):
            raise TypeError(f"device: got {type!r}, wanted 'cpu', 'cuda' or 'cuda:<index>'")
        name, colon, number = type.partition(":")
        if name not in ("cpu", "cuda") or (colon and not (number.isdecimal() and number == str(int(number)))):
            raise RuntimeError(f"device: got {type!r}, wanted 'cpu', 'cuda' or 'cuda:<index>'")
        if colon and index is not None:
            raise RuntimeError(f"device: type must not include an index because index was passed explicitly: {type}")
        self.type = name
        self.index = int(number) if colon else index
        if self.index is not None and self.index < 0:
            raise RuntimeError(f"device: Device index must not be negative, got {self.index}")

    def __repr__(self):
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{index})"

    def __str__(self):
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other):
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self):
        return hash((self.type, self.index))


CPU = device("cpu")


@functools.cache
def _usable_cupy():
    """The cupy module if it is installed and sees a GPU, else None. That it can be imported does not prove a GPU."""
    try:
        import cupy
    except ImportError:
        return None
    return cupy if cupy.cuda.is_available() else None


def is_available():
    """Whether arrays can be put on a GPU: CuPy is installed, and it sees one."""
    return _usable_cupy() is not None


def cupy():
    """The cupy module.

    Raises
    ------
    RuntimeError
        If CuPy is not installed or sees no GPU; the message says what to install.
    """
    module = _usable_cupy()
    if module is None:
        raise RuntimeError(f"device 'cuda' was asked for, but there is no CuPy with a GPU here. {INSTALL_HINT}")
    return module


def namespace(x):
    """The library that `x` belongs to: numpy or cupy. Needed only to make new arrays.

    >>> namespace(numpy.zeros(3)).__name__
    'numpy'
    """
    return numpy if isinstance(x, (numpy.ndarray, numpy.generic)) else cupy()


def is_array(x):
    """Whether `x` is an array of NumPy or, where a GPU is in use, of CuPy."""
    if isinstance(x, numpy.ndarray):
        return True
    module = _usable_cupy()
    return module is not None and isinstance(x, module.ndarray)


def as_array(x):
    """`x` itself if it is an array; a 0-dim array if it is one of the scalars that NumPy's reductions return."""
    return numpy.asarray(x) if isinstance(x, numpy.generic) else x


def device_of(x):
    """The device that array `x` lies on."""
    return CPU if isinstance(x, numpy.ndarray) else device("cuda", x.device.id)


def to_device(x, where):
    """Array `x` on device `where` (a device or its name); the same array if it is there already."""
    where = device(where)
    if where.type == "cpu":
        return to_numpy(x)
    library = cupy()
    count = library.cuda.runtime.getDeviceCount()
    if where.index is not None and where.index >= count:
        raise RuntimeError(f"device '{where}' was asked for, but there are only {count} GPUs, counted from 0")
    with library.cuda.Device(where.index):
        return library.asarray(x)


def to_numpy(x):
    """Array `x` as a NumPy array: itself on the CPU, a copy from the GPU."""
    return x if isinstance(x, numpy.ndarray) else x.get()


def check_devices(name, *values):
    """Raise PyTorch's error if the arrays among `values`, or in tuples among them, lie on different devices."""
    if all(x is None or isinstance(x, numpy.ndarray) for x in values):
        return
    flat = [y for x in values for y in (x if isinstance(x, tuple) else (x,))]
    found = sorted({str(device_of(x)) for x in flat if is_array(x)}, reverse=True)
    if len(found) > 1:
        raise RuntimeError(
            f"{name}: Expected all tensors to be on the same device, but found at least two devices, "
            f"{' and '.join(found)}! Move what lies elsewhere with .to(device)."
        )


def check_index(x, index):
    """Raise IndexError where `index` reaches outside of `x`. NumPy does so itself; CuPy wraps around without a word."""
    if isinstance(x, numpy.ndarray):
        return
    parts = index if isinstance(index, tuple) else (index,)
    taken = [0 if p is None or p is ... else p.ndim if _is_mask(p) else 1 for p in parts]
    axis = 0
    for part, axes in zip(parts, taken, strict=True):
        if part is ...:
            axis += x.ndim - sum(taken)
        elif is_array(part) and not _is_mask(part) and part.size and axis < x.ndim:
            n = x.shape[axis]
            outside = (part < -n) | (part >= n)
            if outside.any():
                raise IndexError(f"index {part[outside][0]} is out of bounds for axis {axis} with size {n}")
        axis += axes


def _is_mask(part):
    """Whether a part of an index is an array of bools, which takes as many axes as it has."""
    return is_array(part) and part.dtype == bool


def scatter_add(target, index, values):
    """``target[index] += values`` where a repeated index adds every time it occurs. Changes `target`.

    Plain ``+=`` keeps only the last of the values that share an index, which loses gradient.

    >>> counts = numpy.zeros(3)
    >>> scatter_add(counts, numpy.array([0, 2, 2]), 1.0)
    >>> counts
    array([1., 0., 2.])
    """
    if not isinstance(target, numpy.ndarray):
        import cupyx

        cupyx.scatter_add(target, index, values)
    else:
        numpy.add.at(target, index, values)


def sum_by_row(index, values, shape):
    """An array of `shape` (M, *S) whose row i is the sum of the `values` (*, *S) that stand where `index` (*) is i.

    What `scatter_add` would make of zeros. On the CPU the values are added at flat positions: NumPy does that several
    times faster than adding row by row.

    >>> sum_by_row(numpy.array([0, 2, 2]), numpy.ones((3, 2)), (3, 2))
    array([[1., 1.],
           [0., 0.],
           [2., 2.]])
    """
    total = namespace(values).zeros(shape, values.dtype)
    if isinstance(values, numpy.ndarray):
        columns = math.prod(shape[1:])
        positions = index.reshape(-1, 1) * columns + _count(columns)  # a negative row is a negative position
        numpy.add.at(total.reshape(-1), positions.reshape(-1), values.reshape(-1))
    else:
        scatter_add(total, index, values)
    return total


def sum_of_rows(x):
    """The sum of the rows of a matrix: (M, C) gives (C,).

    On the CPU, a row of ones times the matrix: the same sum, and several times faster than NumPy's over short rows.

    >>> sum_of_rows(numpy.array([[1.0, 2.0], [3.0, 4.0]]))
    array([4., 6.])
    """
    return _row(len(x), 1.0, x.dtype).dot(x) if isinstance(x, numpy.ndarray) else x.sum(0)


def channel_mean(x, axes, m):
    """The mean of the m values that every channel has along `axes`: (N, C, *S) gives (C,).

    On the CPU, a matrix is summed by a row of 1/m times the matrix, several times faster than NumPy's sum of rows.

    >>> channel_mean(numpy.array([[1.0, 2.0], [3.0, 4.0]]), (0,), 2)
    array([2., 3.])
    """
    return _row(m, 1 / m, x.dtype).dot(x) if x.ndim == 2 and m and isinstance(x, numpy.ndarray) else x.sum(axes) / m


@functools.lru_cache(maxsize=64)
def _row(n, value, dtype):
    """n times `value`, kept for the next call and protected from writing."""
    row = numpy.full(n, value, dtype)
    row.flags.writeable = False
    return row


def row_numbers(x):
    """0, 1, ... one for every row of `x`, on its device; not to be written to."""
    return _count(len(x)) if isinstance(x, numpy.ndarray) else cupy().arange(len(x))


@functools.lru_cache(maxsize=64)
def _count(n):
    """0 to n - 1, kept for the next call and protected from writing."""
    numbers = numpy.arange(n)
    numbers.flags.writeable = False
    return numbers


def synchronize():
    """Wait until the GPU has done all that it was given. Does nothing without one."""
    module = _usable_cupy()
    if module is not None:
        module.cuda.Device().synchronize()
