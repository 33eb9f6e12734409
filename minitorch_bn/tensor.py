"""Tensor: a Variable with PyTorch's methods. Every method is one line that calls ops/; nothing is computed here.

`tensor.array` is the NumPy (or CuPy) array. `tensor.data` and `tensor.grad` are Tensors that share memory with the
values and the gradient. Operators and methods that end in "_" write in place: see inplace.py.
"""

import math
import warnings
from operator import index

import numpy as np

from . import backend, dtypes, hooks, ops, printing
from .methods import Methods


class Size(tuple):
    """A shape: a tuple of ints that prints as PyTorch's does.

    >>> Size((2, 3)), Size((2, 3)).numel(), Size((2, 3))[:1]
    (torch.Size([2, 3]), 6, torch.Size([2]))

    Raises
    ------
    TypeError
        If a size is no int.
    """

    def __new__(cls, sizes=()):
        try:
            return super().__new__(cls, map(index, sizes))
        except TypeError as error:
            raise TypeError(f"Size: got {sizes!r}, wanted an iterable of ints: {error}") from None

    def __repr__(self):
        return f"torch.Size({list(self)})"

    def __getitem__(self, i):
        part = super().__getitem__(i)
        return Size(part) if isinstance(i, slice) else part

    def __add__(self, other):
        return Size(super().__add__(tuple(other)))

    def __radd__(self, other):
        return Size(tuple(other)) + self

    def __mul__(self, times):
        return Size(super().__mul__(times))

    def numel(self):
        """The number of elements of a tensor of this shape."""
        return math.prod(self)


def _values(data, sizes):
    """The array for what ``Tensor(...)`` is given, if that is none itself."""
    dtype = dtypes.get_default_dtype().numpy
    if isinstance(data, Tensor):
        return data.array
    if isinstance(data, int | Size) and not isinstance(data, bool):
        return np.zeros(data if isinstance(data, Size) else (data, *sizes), dtype)
    if data is None or isinstance(data, str):
        raise TypeError(f"Tensor: got {type(data).__name__}, wanted an array, nested lists or sizes")
    try:
        return np.asarray(data, dtype)
    except ValueError as error:
        raise ValueError(f"Tensor: expected sequences of equal length at every depth: {error}") from None


class Tensor(Methods):
    """An array that records what is done to it, with PyTorch's interface.

    Made by `tensor`, `zeros`, `randn` and the like, or from an array: ``Tensor(array)`` shares its memory.

    Parameters
    ----------
    array : numpy.ndarray or cupy.ndarray, Tensor, or nested list of numbers
        The values. Python numbers become the default floating point type, as with torch.Tensor. Left out, there are
        none; whole numbers, one or several, are the sizes of a new tensor, as there.
    requires_grad : bool
        Whether backward computes a gradient for this leaf.

    Raises
    ------
    TypeError
        If `array` is a text or None.
    ValueError
        If nested lists are not of equal length.
    """

    __array_priority__ = 1000  # numpy_array * tensor asks the tensor

    def __init__(self, array=(), *sizes, requires_grad=False):
        if not backend.is_array(array):
            array = _values(array, sizes)
        self.array = array
        if requires_grad:
            self.requires_grad_()

    def like(self, array):
        """A new Tensor that holds `array`, shares its memory and belongs to no graph."""
        new = Tensor.__new__(Tensor)
        new.array = array if type(array) is np.ndarray else backend.as_array(array)
        return new

    # what it is

    shape = property(lambda self: tuple.__new__(Size, self.array.shape), doc="Sizes of the dimensions.")
    ndim = property(lambda self: self.array.ndim, doc="Number of dimensions.")
    dtype = property(lambda self: dtypes.of(self.array.dtype), doc="Type of the elements.")
    device = property(lambda self: backend.device_of(self.array), doc="Where the elements lie.")
    is_leaf = property(lambda self: self.op is None, doc="Whether no op made it.")
    grad_fn = property(lambda self: self.op, doc="The op that made it, or None.")
    is_cuda = property(lambda self: self.device.type == "cuda", doc="Whether it lies on a GPU.")
    is_cpu = property(lambda self: self.device.type == "cpu", doc="Whether it lies on the CPU.")
    itemsize = property(lambda self: self.array.itemsize, doc="Bytes per element.")
    nbytes = property(lambda self: self.array.nbytes, doc="Bytes of all elements.")

    @property
    def data(self):
        """The values as a Tensor outside the graph, sharing memory. Assigned to, it exchanges them."""
        return self.like(self.array)

    @data.setter
    def data(self, new):
        if not isinstance(new, Tensor):
            raise TypeError(f"data: has to be a tensor, got {type(new).__name__}")
        self.array = new.array

    @property
    def grad(self):
        """d loss / d self as a Tensor (None before backward). For the result of an op, only after retain_grad()."""
        if self.grad_array is not None:
            return self.like(self.grad_array)
        if self.op is not None and not self.retains_grad:
            warnings.warn(
                "The .grad of a tensor that is not a leaf is read: it is kept only if .retain_grad() was called before "
                "backward().",
                stacklevel=2,
            )
        return None

    @grad.setter
    def grad(self, new):
        if not isinstance(new, Tensor | None):
            raise TypeError(f"grad: assigned grad is a {type(new).__name__}, wanted a Tensor or None")
        if new is not None and new.array.shape != self.array.shape:
            raise RuntimeError(f"grad: assigned grad has shape {new.array.shape}, wanted {self.array.shape}")
        if new is not None and new.array.dtype != self.array.dtype:
            raise RuntimeError(f"grad: assigned grad has dtype {new.dtype}, wanted {self.dtype}; convert with .to()")
        self.grad_array = None if new is None else new.array

    @grad.deleter
    def grad(self):
        self.grad_array = None

    def requires_grad_(self, requires_grad=True):
        """Say whether backward shall compute this leaf's gradient; returns self."""
        if requires_grad and not self.dtype.is_floating_point:
            raise RuntimeError(
                f"requires_grad_: only Tensors of floating point dtype can require gradients, got {self.dtype}"
            )
        if self.op is not None and not requires_grad:
            raise RuntimeError(
                "requires_grad_: you can only change requires_grad flags of leaf variables; use .detach()"
            )
        self.requires_grad = bool(requires_grad)
        return self

    def retain_grad(self):
        """Keep the gradient that backward computes for this tensor, in `.grad`."""
        if not self.requires_grad:
            raise RuntimeError("retain_grad: can't retain_grad on Tensor that has requires_grad=False")
        self.retains_grad = self.op is not None

    register_hook = hooks.register_hook

    def detach_(self):
        """Cut out of the graph, without a copy; returns self."""
        self.op, self.requires_grad, self.retains_grad = None, False, False
        return self

    def detach(self):
        """The same values outside the graph, sharing memory."""
        return self.like(self.array)

    def numpy(self, *, force=False):
        """The values as a NumPy array that shares memory; where that cannot be, only with ``force=True``."""
        if force:
            return backend.to_numpy(self.array)
        if self.requires_grad:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead, or tensor.array."
            )
        if self.is_cuda:
            raise TypeError(
                f"can't convert {self.device} device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host "
                "memory first."
            )
        return self.array

    def __array__(self, dtype=None, copy=None):
        array = self.numpy()
        if dtype is not None and dtype != array.dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def __array_wrap__(self, array, context=None, return_scalar=False):
        return self.like(backend.as_array(array))

    def item(self):
        """The one element as a Python number."""
        if self.array.size != 1:
            raise RuntimeError(f"item: a Tensor with {self.array.size} elements cannot be converted to Scalar")
        return self.array.item()

    def tolist(self):
        """The values as nested Python lists."""
        return self.array.tolist()

    def size(self, dim=None):
        """The shape, or the size of one dimension."""
        return self.shape if dim is None else self.array.shape[ops.axis_of("size", self, dim)]

    def dim(self):
        """Number of dimensions."""
        return self.array.ndim

    def numel(self):
        """Number of elements."""
        return self.array.size

    nelement, ndimension = numel, dim

    def data_ptr(self):
        """The address of the first element."""
        return self.array.__array_interface__["data"][0] if self.is_cpu else self.array.data.ptr

    def storage_offset(self):
        """How many elements of the memory stand before the first one of this view."""
        owner = self.array
        while getattr(owner, "base", None) is not None:
            owner = owner.base
        return (self.data_ptr() - self.like(owner).data_ptr()) // self.array.itemsize

    def get_device(self):
        """The index of the GPU it lies on; -1 on the CPU."""
        return -1 if self.is_cpu else self.device.index

    def is_same_size(self, other):
        """Whether `other` has the same shape."""
        return self.array.shape == other.array.shape

    def element_size(self):
        """Bytes per element."""
        return self.array.itemsize

    def stride(self, dim=None):
        """Steps in memory, counted in elements, from one index to the next."""
        strides = tuple(s // self.array.itemsize for s in self.array.strides)
        return strides if dim is None else strides[ops.axis_of("stride", self, dim)]

    def is_contiguous(self):
        """Whether the elements lie in order."""
        return self.array.flags.c_contiguous

    def is_floating_point(self):
        """Whether the elements are floating point numbers."""
        return self.dtype.is_floating_point

    def is_signed(self):
        """Whether the elements can be negative."""
        return self.dtype.is_signed

    def is_complex(self):
        """Whether the elements are complex numbers: never, here."""
        return False

    def is_nonzero(self):
        """Whether its one element is not 0."""
        return bool(self)

    # new ones of its dtype and device

    def new_full(self, size, fill_value, *, dtype=None, device=None, requires_grad=False):
        """A tensor of `size` filled with `fill_value`, of this dtype and on this device unless said otherwise."""
        dtype = self.dtype if dtype is None else dtypes.of(dtype)
        array = np.full(ops.sizes((size,)), dtypes.element("new_full", fill_value, dtype), dtype.numpy)
        return self.like(backend.to_device(array, device or self.device)).requires_grad_(requires_grad)

    def new_zeros(self, *size, dtype=None, device=None, requires_grad=False):
        """A tensor of `size` filled with 0, of this dtype and on this device unless said otherwise."""
        return self.new_full(ops.sizes(size), 0, dtype=dtype, device=device, requires_grad=requires_grad)

    def new_ones(self, *size, dtype=None, device=None, requires_grad=False):
        """A tensor of `size` filled with 1, of this dtype and on this device unless said otherwise."""
        return self.new_full(ops.sizes(size), 1, dtype=dtype, device=device, requires_grad=requires_grad)

    new_empty = new_zeros

    def new_tensor(self, data, *, dtype=None, device=None, requires_grad=False):
        """A tensor with a copy of `data`, of this dtype and on this device unless said otherwise."""
        array = np.array(data, (self.dtype if dtype is None else dtypes.of(dtype)).numpy)
        return self.like(backend.to_device(array, device or self.device)).requires_grad_(requires_grad)

    # moves

    def to(self, *args, dtype=None, device=None, copy=False, non_blocking=False):
        """In another dtype, on another device, or both; or as another tensor is. Itself if nothing changes."""
        for arg in args:
            if isinstance(arg, Tensor):
                dtype, device = arg.dtype, arg.device
            elif isinstance(arg, backend.device | str) or type(arg) is int:
                device = arg
            elif not isinstance(arg, bool):
                dtype = arg
        moved = self if device is None else ops.to_device(self, device)
        moved = moved if dtype is None else ops.cast(moved, dtype)
        return ops.clone(moved) if copy and moved is self else moved

    def cpu(self):
        """On the CPU."""
        return ops.to_device(self, "cpu")

    def cuda(self, device=None):
        """On the GPU; RuntimeError if there is none."""
        return ops.to_device(self, "cuda" if device is None else device)

    def contiguous(self):
        """With its elements in order: itself if they are."""
        return self if self.array.flags.c_contiguous else ops.clone(self)

    def type(self, dtype=None):
        """In another dtype; without argument, PyTorch's name of the tensor type."""
        if dtype is None:
            return dtypes.type_name(self.dtype, self.is_cuda)
        return ops.cast(self, dtypes.of_type_name(dtype) if isinstance(dtype, str) else dtype)

    def type_as(self, other):
        """In the dtype of `other`."""
        return ops.cast(self, other.dtype)

    def float(self):
        """As float32."""
        return ops.cast(self, dtypes.float32)

    def double(self):
        """As float64."""
        return ops.cast(self, dtypes.float64)

    def half(self):
        """As float16."""
        return ops.cast(self, dtypes.float16)

    def int(self):
        """As int32."""
        return ops.cast(self, dtypes.int32)

    def long(self):
        """As int64."""
        return ops.cast(self, dtypes.int64)

    def short(self):
        """As int16."""
        return ops.cast(self, dtypes.int16)

    def char(self):
        """As int8."""
        return ops.cast(self, dtypes.int8)

    def byte(self):
        """As uint8."""
        return ops.cast(self, dtypes.uint8)

    def bool(self):
        """As bool: whether an element is not 0."""
        return ops.cast(self, dtypes.bool)

    # Python

    def __len__(self):
        if self.array.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return len(self.array)

    def __iter__(self):
        if self.array.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter(ops.unbind(self, 0))

    def __contains__(self, value):
        if not isinstance(value, Tensor | int | float):
            raise RuntimeError(f"Tensor.__contains__: got {type(value).__name__}, wanted a tensor or a number")
        return bool((self.array == (value.array if isinstance(value, Tensor) else value)).any())

    def __bool__(self):
        if self.array.size != 1:
            raise RuntimeError(
                f"Boolean value of Tensor with {'no' if not self.array.size else 'more than one'} value"
                f"{'s' if not self.array.size else ''} is ambiguous; use .any() or .all(). "
                f"Its shape is {self.array.shape}."
            )
        return bool(self.array.item())

    def __float__(self):
        return float(self._one_element())

    def __int__(self):
        return int(self._one_element())

    def _one_element(self):
        """item(), with the error that PyTorch raises where Python asks for a number."""
        if self.array.size != 1:
            raise ValueError(f"only one element tensors can be converted to Python scalars; got {self.array.size}")
        return self.array.item()

    def __complex__(self):
        return complex(self._one_element())

    def __index__(self):
        if self.array.size != 1 or self.array.dtype.kind not in "iub":
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.array.item())

    def __format__(self, spec):
        return format(self.item(), spec) if self.array.ndim == 0 else super().__format__(spec)

    def __repr__(self):
        return printing.tensor_repr(
            backend.to_numpy(self.array),
            dtype_name=self.dtype.name,
            default_dtype_name=dtypes.get_default_dtype().name,
            device=str(self.device),
            requires_grad=self.requires_grad,
            grad_fn_name=None if self.op is None else self.op.torch_name,
        )

    def __reduce_ex__(self, protocol):
        attributes = {"array": self.array, "requires_grad": self.requires_grad}  # copies and pickles are leaves
        return object.__new__, (type(self),), {**vars(self), "op": None, "dy": None, "grad_array": None, **attributes}

    def __deepcopy__(self, memo):
        if self.op is not None:
            raise RuntimeError(
                "only Tensors created explicitly by the user (leaves) support deepcopy; use .detach().clone()"
            )
        new = type(self).__new__(type(self))
        memo[id(self)] = new
        vars(new).update(vars(self))
        new.array = self.array.copy()
        if self.grad_array is not None:
            new.grad_array = self.grad_array.copy()
        return new


Tensor.family = Tensor  # what ops on tensors, parameters and buffers result in
