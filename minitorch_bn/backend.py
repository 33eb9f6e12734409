"""The only door to CuPy: which array library an array belongs to, and how arrays move between devices.

Everything else in the package is written with operators, array methods and ``np.`` functions. NumPy's own protocol sends
those to CuPy when the array lies on a GPU, so no op ever asks where it runs. Only three things need this module: making a
new array (`namespace`), moving one (`to_device`, `to_numpy`), and adding at repeated indices (`scatter_add`).
"""

import functools

import numpy

INSTALL_HINT = (
    "Install CuPy for your driver (`pip install minitorch_bn[gpu-cuda13]` or `[gpu-cuda12]`) on a machine with an NVIDIA "
    "GPU, or use device='cpu'."
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
        If the type is neither "cpu" nor "cuda", or the index is not a number.
    """

    def __init__(self, type, index=None):
        if isinstance(type, device):
            type, index = type.type, type.index
        elif isinstance(type, int):
            type, index = "cuda", type
        name, _, number = str(type).partition(":")
        if name not in ("cpu", "cuda") or (number and not number.isdigit()):
            raise RuntimeError(f"device: got {type!r}, wanted 'cpu', 'cuda' or 'cuda:<index>'")
        self.type = name
        self.index = int(number) if number else index

    def __repr__(self):
        return f"device(type='{self.type}')" if self.index is None else f"device(type='{self.type}', index={self.index})"

    def __str__(self):
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other):
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self):
        return hash((self.type, self.index))


CPU = device("cpu")


@functools.cache
def _usable_cupy():
    """The cupy module if it is installed and sees a GPU, else None. Importing it is no proof: it imports without a GPU."""
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
    with library.cuda.Device(where.index):
        return library.asarray(x)


def to_numpy(x):
    """Array `x` as a NumPy array: itself on the CPU, a copy from the GPU."""
    return x if isinstance(x, numpy.ndarray) else x.get()


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
    elif isinstance(index, numpy.ndarray) and index.dtype != bool and target.ndim == 2 and target.flags.c_contiguous:
        # rows of a table: NumPy adds at flat positions several times faster than at rows
        columns = target.shape[1]
        positions = index[..., None] * columns + numpy.arange(columns)
        numpy.add.at(target.reshape(-1), positions.reshape(-1), numpy.broadcast_to(values, positions.shape).reshape(-1))
    else:
        numpy.add.at(target, index, values)


def synchronize():
    """Wait until the GPU has done all that it was given. Does nothing without one."""
    module = _usable_cupy()
    if module is not None:
        module.cuda.Device().synchronize()
