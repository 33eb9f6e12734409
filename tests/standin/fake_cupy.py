"""Checks code paths, not kernels: a module that stands in for CuPy, computes with NumPy and refuses what CuPy refuses.

What a test on it proves: that the package reaches its numbers only through what CuPy has, never mixes arrays of the
host with arrays of the device, and copies between them only where it says so. What it cannot prove: that CuPy's kernels
compute what NumPy computes, how fast they are, streams, memory pools, and what several GPUs do together.

`ndarray` wraps a NumPy array and does not subclass it: NumPy would convert a subclass without a word. Which functions,
ufuncs and methods there are, and with which parameters, stands in cupy_api.txt, read off CuPy 14.2.0 (cupy_api.py).
The behaviour is that of CuPy's source (cupy/_core/core.pyx, _routines_indexing.pyx): see the comments.

Use it as ``with installed() as gpu: ...``; `gpu` (fake_device.py) counts the copies between host and device.
"""

import contextlib
import sys
import types
import weakref

import numpy as np

from tests.standin import cupy_api, fake_nccl
from tests.standin.fake_device import Device, gpu, memory, stream

# ---- what CuPy has

API = cupy_api.read()
UFUNCS = {*API["ufunc"], "matmul"}
COMPARISONS = {"greater", "greater_equal", "less", "less_equal", "equal", "not_equal"}
SCALARS = (bool, int, float, complex, np.generic)
# functions whose result stays on the host, in CuPy too
ON_HOST = {"ndim", "size", "shape", "shares_memory", "may_share_memory", "result_type", "can_cast", "isscalar"}
ON_HOST |= {"iscomplexobj", "isrealobj", "broadcast_shapes", "min_scalar_type", "promote_types", "common_type"}
# what takes host arrays: it makes device arrays of them
UPLOADS = {"asanyarray", "ascontiguousarray", "asfortranarray"}
# cupyx.scatter_add at integer positions knows these types only: they are what the hardware's atomic addition knows
ATOMIC = {np.dtype(t) for t in ("int32", "float16", "float32", "float64", "uint32", "uint64")}


# ---- from and to NumPy


def _host(x):
    """The NumPy array inside a device array, also in lists and dicts; scalars as they are. Host arrays: TypeError."""
    if isinstance(x, ndarray):
        if x.device.id != gpu.current:
            raise ValueError(
                f"The device where the array resides ({x.device.id}) is different from the current device "
                f"({gpu.current}). Peer access is unavailable between these devices."
            )
        return x._array
    if isinstance(x, np.ndarray):
        raise TypeError(f"Unsupported type {type(x)}")
    if isinstance(x, list | tuple):
        return type(x)(map(_host, x))
    if isinstance(x, dict):
        return {key: _host(value) for key, value in x.items()}
    return x


def _device(x, inputs=()):
    """A device array for a NumPy array or scalar; its base is that of the input that it shares memory with, if any."""
    if isinstance(x, tuple | list):
        return type(x)(_device(item, inputs) for item in x)
    if x is None:
        return None
    gpu.check()
    new = ndarray.__new__(ndarray)
    new._array, new.base, new.device = np.asarray(x), None, Device()
    if new._array.dtype.kind not in "biufc":
        raise TypeError(f"Unsupported dtype {new._array.dtype}")
    for other in inputs:
        if isinstance(other, ndarray) and np.may_share_memory(new._array, other._array):
            new.base = other if other.base is None else other.base
    return new


def _call(function, args, kwargs):
    """function(*args, **kwargs) on the arrays inside; CuPy warns of no overflow and no nan."""
    out = kwargs.get("out")
    with np.errstate(all="ignore"):
        result = function(*_host(args), **_host(kwargs))
    return _device(result, [*args, *kwargs.values()]) if out is None else out


def _ufunc(function, inputs, out=None, **kwargs):
    if set(kwargs) - {"dtype", "casting"}:
        raise TypeError(f"Wrong arguments {kwargs}")
    return _call(function, inputs, kwargs if out is None else {**kwargs, "out": out})


# ---- indexing


def _index(x, index):
    """An index in NumPy's terms, and whether it holds arrays ("advanced": the result is a copy).

    Host arrays are uploaded without a word, as in CuPy, and integers in arrays wrap around where they are out of range.
    """
    parts = _parts(index)
    for i, part in enumerate(parts):
        if isinstance(part, list | np.ndarray):
            gpu.to_device += 1
            parts[i] = np.asarray(part, None if np.size(part) else np.int32)
        elif isinstance(part, ndarray):
            parts[i] = _host(part)
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    if any(part.dtype.kind not in "biu" for part in arrays):
        raise IndexError("arrays used as indices must be of integer or boolean type.")
    axes = [_axes_taken(part) for part in parts]
    axis = 0
    for i, part in enumerate(parts):
        if part is Ellipsis:
            axis += x.ndim - sum(axes)
        elif isinstance(part, np.ndarray) and part.dtype.kind != "b" and axis < x.ndim and x.shape[axis]:
            parts[i] = part.astype(np.int64) % x.shape[axis]
        axis += axes[i]
    return tuple(parts) if isinstance(index, tuple) else parts[0], bool(arrays)


def _parts(index):
    return list(index) if isinstance(index, tuple) else [index]


def _axes_taken(part):
    if part is None or part is Ellipsis or isinstance(part, bool):
        return 0
    return part.ndim if isinstance(part, np.ndarray) and part.dtype.kind == "b" else 1


def scatter_add(a, slices, value):
    """cupyx.scatter_add: a[slices] += value, where a repeated index adds every time."""
    index, advanced = _index(a, slices)
    if advanced and isinstance(value, np.ndarray):
        gpu.to_device += 1
    else:
        value = _host(value)
    masked = any(isinstance(part, np.ndarray) and part.dtype.kind == "b" for part in _parts(index))
    if advanced and not masked and a.dtype not in ATOMIC:
        names = "int32, float16, float32, float64, uint32, uint64"
        raise TypeError(f"scatter_add only supports {names}, as data type")
    np.add.at(_host(a), index, value)


# ---- the array


class ndarray:
    """An array on the device. Made by `asarray`, `zeros` and the like, as results of others, or with a shape."""

    __slots__ = ("_array", "base", "device", "__weakref__")
    __array_priority__ = 100
    __hash__ = None

    def __init__(self, shape, dtype=float, memptr=None, strides=None, order="C"):
        gpu.check()
        self._array, self.base, self.device = np.empty(shape, dtype, order=order), None, Device()

    def __array__(self, dtype=None, copy=None):
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. "
            "Please use `.get()` to construct a NumPy array explicitly."
        )

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if "out" in kwargs:
            (kwargs["out"],) = kwargs["out"]
        operands = [*inputs, *([kwargs["out"]] if "out" in kwargs else [])]
        if method != "__call__" or ufunc.__name__ not in UFUNCS:
            return NotImplemented
        if not all(isinstance(x, (ndarray, np.ndarray, *SCALARS)) for x in operands):
            return NotImplemented
        if ufunc.__name__ in COMPARISONS:
            inputs = [x.item() if isinstance(x, np.ndarray) and x.ndim == 0 else x for x in inputs]
        return _ufunc(ufunc, inputs, **kwargs)

    def __array_function__(self, func, types, args, kwargs):
        name = ".".join([*func.__module__.split(".")[1:], func.__name__])
        if name not in API["function"] or not set(types) <= {ndarray, np.ndarray}:
            return NotImplemented
        return _function(name)(*args, **kwargs)

    # attributes

    shape = property(lambda self: self._array.shape)
    dtype = property(lambda self: self._array.dtype)
    ndim = property(lambda self: self._array.ndim)
    size = property(lambda self: self._array.size)
    itemsize = property(lambda self: self._array.itemsize)
    nbytes = property(lambda self: self._array.nbytes)
    strides = property(lambda self: self._array.strides)
    T = property(lambda self: self if self.ndim < 2 else self.transpose())
    mT = property(lambda self: self.swapaxes(-1, -2))
    real = property(lambda self: _device(self._array.real, [self]))
    imag = property(lambda self: _device(self._array.imag, [self]))

    @property
    def data(self):
        """Where it lies: `.ptr` is the address of the first element; nothing lies at 0."""
        address = self._array.__array_interface__["data"][0] if self.size else 0
        memory[address] = weakref.ref(self)
        return types.SimpleNamespace(ptr=address)

    @property
    def flags(self):
        """Only these three are there."""
        own = self._array.flags
        return types.SimpleNamespace(
            c_contiguous=own.c_contiguous, f_contiguous=own.f_contiguous, owndata=self.base is None
        )

    # to the host

    def get(self, stream=None, order="C", out=None, blocking=True):
        """A copy on the host."""
        gpu.to_host += 1
        return self._array.copy(order)

    def item(self):
        """The one element as a Python number."""
        return self.get().item()

    def tolist(self):
        return self.get().tolist()

    def __bool__(self):
        return bool(self.get())

    def __int__(self):
        return int(self.get())

    def __float__(self):
        return float(self.get())

    def __repr__(self):
        return repr(self.get())

    def __str__(self):
        return str(self.get())

    def __format__(self, spec):
        return format(self.get(), spec)

    def __reduce__(self):
        return array, (self.get(),)

    # as a container

    def __len__(self):
        if not self.ndim:
            raise TypeError("len() of unsized object")
        return len(self._array)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index):
        index, _ = _index(self, index)
        return _device(_host(self)[index], [self])

    def __setitem__(self, index, value):
        index, advanced = _index(self, index)
        if isinstance(value, np.ndarray):
            if not advanced and value.ndim:
                raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
            gpu.to_device += 1
        else:
            value = _host(value)
        _host(self)[index] = value

    # copies and views that differ from NumPy's

    def copy(self, order="C"):
        return _device(_host(self).copy(order))

    def __copy__(self):
        return self.copy()

    def __deepcopy__(self, memo):
        return self.copy()

    def astype(self, dtype, order="K", casting=None, subok=None, copy=True):
        if casting is not None or subok is not None:
            raise TypeError("casting and subok are not supported")
        if not copy and self.dtype == dtype:
            return self
        with np.errstate(all="ignore"):
            return _device(_host(self).astype(dtype, order))

    def view(self, dtype=None, type=None):
        return _device(_host(self).view() if dtype is None else _host(self).view(dtype), [self])

    def squeeze(self, axis=None):
        squeezed = _host(self).squeeze(axis)
        return self if squeezed.ndim == self.ndim else _device(squeezed, [self])

    def take(self, indices, axis=None, out=None):
        """As indexing does: host indices are uploaded, those out of range wrap around."""
        if axis is None:
            return self.reshape(-1).take(indices, 0)
        index, _ = _index(self, (*[slice(None)] * (axis % max(self.ndim, 1)), indices))
        return _device(_host(self).take(index[-1], axis))

    def __pos__(self):
        return self

    scatter_add = scatter_add


def _method(name):
    def method(self, *args, **kwargs):
        API["method"][name].bind(self, *args, **kwargs)
        return _call(getattr(np.ndarray, name), (self, *args), kwargs)

    return method


for _name in set(API["method"]) - set(vars(ndarray)):
    if hasattr(np.ndarray, _name):
        setattr(ndarray, _name, _method(_name))


# ---- operators: CuPy asks for `other`'s __array_ufunc__, and for its __array_priority__ if there is none


def _gives_way(other):
    return not hasattr(other, "__array_ufunc__") and getattr(other, "__array_priority__", 0) > 100


def _operators(name, function):
    def forward(self, other):
        return NotImplemented if _gives_way(other) else function(self, other)

    def backward(self, other):
        return NotImplemented if _gives_way(other) else function(other, self)

    def in_place(self, other):
        return _ufunc(function, [self, other], out=self)

    return {f"__{name}__": forward, f"__r{name}__": backward, f"__i{name}__": in_place}


_ARITHMETIC = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide, "floordiv": np.floor_divide}
_ARITHMETIC |= {"mod": np.remainder, "pow": np.power, "matmul": np.matmul, "divmod": np.divmod, "and": np.bitwise_and}
_ARITHMETIC |= {"or": np.bitwise_or, "xor": np.bitwise_xor, "lshift": np.left_shift, "rshift": np.right_shift}
_COMPARE = {"lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal}
_COMPARE |= {"eq": np.equal, "ne": np.not_equal}
for _name, _of in _ARITHMETIC.items():
    for _dunder, _operator in _operators(_name, _of).items():
        if _dunder not in ("__imatmul__", "__idivmod__"):  # CuPy has neither
            setattr(ndarray, _dunder, _operator)
for _name, _of in _COMPARE.items():
    setattr(ndarray, f"__{_name}__", _operators(_name, _of)[f"__{_name}__"])
for _name, _of in {"neg": np.negative, "abs": np.absolute, "invert": np.invert}.items():
    setattr(ndarray, f"__{_name}__", lambda self, of=_of: _ufunc(of, [self]))


# ---- functions


def _function(name):
    """The function of CuPy with that name: NumPy's, for arguments that CuPy's takes, on device arrays."""
    function = np
    for part in name.split("."):
        function = getattr(function, part, None)
    if function is None:
        raise NotImplementedError(f"cupy.{name} is not played by the stand-in")

    def call(*args, **kwargs):
        API["function"][name].bind(*args, **kwargs)
        if name == "where" and not hasattr(args[0], "astype"):
            raise AttributeError(f"{type(args[0]).__name__!r} object has no attribute 'astype'")
        if name in ON_HOST:
            return function(*_host(args), **_host(kwargs))
        return _call(function, args, kwargs)

    return call


def array(obj, dtype=None, copy=True, order="K", subok=False, ndmin=0):
    """A device array with a copy of `obj`, which may be on the host."""
    if isinstance(obj, ndarray) and obj.device == Device():
        return obj.astype(obj.dtype if dtype is None else dtype, copy=bool(copy))
    gpu.check()
    gpu.to_device += 1
    return _device(np.array(obj._array if isinstance(obj, ndarray) else obj, dtype, order=order, ndmin=ndmin))


def asarray(a, dtype=None, order=None, *, blocking=False):
    """`a` itself if it is on this device already, else a copy of it here."""
    return array(a, dtype, copy=False, order=order or "K")


def asnumpy(a, stream=None, order="C", out=None, *, blocking=True):
    """A copy on the host."""
    return a.get() if isinstance(a, ndarray) else np.asarray(a)


def get_array_module(*args):
    """This module if any argument is a device array, else NumPy."""
    return sys.modules[__name__] if any(isinstance(x, ndarray) for x in args) else np


def __getattr__(name):
    if name in API["type"] and hasattr(np, name):
        return getattr(np, name)
    if name in API["ufunc"]:
        return lambda *inputs, **kwargs: _ufunc(getattr(np, name), inputs, **kwargs)
    if name in UPLOADS:
        return lambda a, *args, **kwargs: _function(name)(asarray(a), *args, **kwargs)
    if name in API["function"]:
        return _function(name)
    raise AttributeError(f"module 'cupy' has no attribute {name!r}")


# ---- devices


def _count():
    gpu.check()
    return gpu.count


cuda = types.ModuleType("cupy.cuda")
cuda.is_available, cuda.Device, cuda.nccl = lambda: gpu.count > 0, Device, fake_nccl
cuda.runtime, cuda.get_current_stream = types.SimpleNamespace(getDeviceCount=_count), lambda: stream
lib = types.SimpleNamespace(
    stride_tricks=types.SimpleNamespace(
        sliding_window_view=_function("lib.stride_tricks.sliding_window_view"),
        as_strided=_function("lib.stride_tricks.as_strided"),
    )
)
ufunc = np.ufunc
_cupyx = types.ModuleType("cupyx")
_cupyx.scatter_add = scatter_add


@contextlib.contextmanager
def installed(count=1):
    """Be what `import cupy` gives, with `count` devices (0: CuPy is installed, but there is no GPU)."""
    from minitorch_bn import backend

    names = {"cupy": sys.modules[__name__], "cupyx": _cupyx, "cupy.cuda": cuda, "cupy.cuda.nccl": fake_nccl}
    before = {name: sys.modules.get(name) for name in names}
    gpu.reset(count)
    sys.modules.update(names)
    backend._usable_cupy.cache_clear()
    try:
        yield gpu
    finally:
        for name, module in before.items():
            sys.modules.pop(name)
            if module is not None:
                sys.modules[name] = module
        backend._usable_cupy.cache_clear()
        gpu.reset(1)
