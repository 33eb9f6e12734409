"""Tensor: a Variable with PyTorch's methods. Every method is one line that calls ops/; nothing is computed here.

`tensor.array` is the NumPy (or CuPy) array. `tensor.data` and `tensor.grad` are Tensors that share memory with the
values and the gradient. Operators and methods that end in "_" write in place: see inplace.py.
"""

import warnings

import numpy as np

from . import backend, dtypes, engine, inplace, ops, printing


class Size(tuple):
    """A shape: a tuple that prints as PyTorch's does.

    >>> Size((2, 3)), Size((2, 3)).numel()
    (torch.Size([2, 3]), 6)
    """

    def __repr__(self):
        return f"torch.Size({list(self)})"

    def numel(self):
        """The number of elements of a tensor of this shape."""
        return int(np.prod(self, dtype=np.int64))


class Tensor(engine.Variable):
    """An array that records what is done to it, with PyTorch's interface.

    Made by `tensor`, `zeros`, `randn` and the like, or from an array: ``Tensor(array)`` shares its memory.

    Parameters
    ----------
    array : numpy.ndarray or cupy.ndarray, or what numpy.asarray takes
        The values. Lists of Python numbers become the default floating point type, as with torch.Tensor.
    requires_grad : bool
        Whether backward computes a gradient for this leaf.
    """

    __array_priority__ = 1000  # numpy_array * tensor asks the tensor

    def __init__(self, array, requires_grad=False):
        self.array = array if backend.is_array(array) else np.asarray(array, dtypes.get_default_dtype().numpy)
        if requires_grad:
            self.requires_grad_()

    def like(self, array):
        """A new Tensor that holds `array`, shares its memory and belongs to no graph."""
        new = Tensor.__new__(Tensor)
        new.array = array if type(array) is np.ndarray else backend.as_array(array)
        return new

    # what it is

    shape = property(lambda self: Size(self.array.shape), doc="Sizes of the dimensions.")
    ndim = property(lambda self: self.array.ndim, doc="Number of dimensions.")
    dtype = property(lambda self: dtypes.of(self.array.dtype), doc="Type of the elements.")
    device = property(lambda self: backend.device_of(self.array), doc="Where the elements lie.")
    is_leaf = property(lambda self: self.op is None, doc="Whether no op made it.")
    grad_fn = property(lambda self: self.op, doc="The op that made it, or None.")
    is_cuda = property(lambda self: self.device.type == "cuda", doc="Whether it lies on a GPU.")
    data = property(
        lambda self: self.like(self.array),
        lambda self, new: setattr(self, "array", new.array),
        doc="The values as a Tensor outside the graph, sharing memory.",
    )
    T = property(lambda self: ops.permute(self, *range(self.array.ndim)[::-1]), doc="Dimensions in reverse order.")
    mT = property(lambda self: ops.transpose(self, -2, -1), doc="Last two dimensions exchanged.")

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
        if new is not None and new.array.shape != self.array.shape:
            raise RuntimeError(f"grad: assigned grad has shape {new.array.shape}, wanted {self.array.shape}")
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
        return array.copy() if copy else array if dtype is None else array.astype(dtype)

    def item(self):
        """The one element as a Python number."""
        if self.array.size != 1:
            raise RuntimeError(f"a Tensor with {self.array.size} elements cannot be converted to Scalar")
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

    nelement = numel

    def element_size(self):
        """Bytes per element."""
        return self.array.itemsize

    def stride(self, dim=None):
        """Steps in memory, counted in elements, from one index to the next."""
        strides = tuple(s // self.array.itemsize for s in self.array.strides)
        return strides if dim is None else strides[dim]

    def is_contiguous(self):
        """Whether the elements lie in order."""
        return self.array.flags.c_contiguous

    def is_floating_point(self):
        """Whether the elements are floating point numbers."""
        return self.dtype.is_floating_point

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
        return dtypes.type_name(self.dtype, self.is_cuda) if dtype is None else ops.cast(self, dtype)

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

    def bool(self):
        """As bool: whether an element is not 0."""
        return ops.cast(self, dtypes.bool)

    # math: the functions of ops/ are the methods

    add, sub, mul, div, pow, neg = ops.add, ops.sub, ops.mul, ops.div, ops.pow, ops.neg
    true_divide, subtract, multiply, divide, negative = ops.div, ops.sub, ops.mul, ops.div, ops.neg
    floor_divide, remainder, maximum, minimum = ops.floor_divide, ops.remainder, ops.maximum, ops.minimum
    matmul, mm, bmm, norm = ops.matmul, ops.mm, ops.bmm, ops.norm
    exp, log, log2, log10, sqrt, rsqrt, abs, square, sin, cos = (
        ops.exp, ops.log, ops.log2, ops.log10, ops.sqrt, ops.rsqrt, ops.abs, ops.square, ops.sin, ops.cos
    )  # fmt: skip
    clamp, clip, sign, isnan, isinf, isfinite = ops.clamp, ops.clamp, ops.sign, ops.isnan, ops.isinf, ops.isfinite
    tanh, sigmoid, relu = ops.tanh, ops.sigmoid, ops.relu
    softmax, log_softmax, logsumexp = ops.softmax, ops.log_softmax, ops.logsumexp
    sum, mean, var, std, max, min, amax, amin = (
        ops.sum, ops.mean, ops.var, ops.std, ops.max, ops.min, ops.amax, ops.amin
    )  # fmt: skip
    argmax, argmin, all, any, cumsum = ops.argmax, ops.argmin, ops.all, ops.any, ops.cumsum
    sort, topk, unique, bincount = ops.sort, ops.topk, ops.unique, ops.bincount
    reshape, view, flatten, permute, transpose, t = (
        ops.reshape, ops.view, ops.flatten, ops.permute, ops.transpose, ops.t
    )  # fmt: skip
    squeeze, unsqueeze, expand, split, unbind, clone = (
        ops.squeeze, ops.unsqueeze, ops.expand, ops.split, ops.unbind, ops.clone
    )  # fmt: skip
    gather, index_select, masked_fill = ops.gather, ops.index_select, ops.masked_fill

    def expand_as(self, other):
        """Expanded to the shape of `other`."""
        return ops.expand(self, *other.shape)

    def view_as(self, other):
        """Viewed in the shape of `other`."""
        return ops.view(self, *other.shape)

    def where(self, condition, other):
        """Itself where `condition` is true, else `other`."""
        return ops.where(condition, self, other)

    # operators

    __add__, __sub__, __mul__, __truediv__ = ops.add, ops.sub, ops.mul, ops.div
    __pow__, __neg__, __matmul__, __abs__ = ops.pow, ops.neg, ops.matmul, ops.abs
    __floordiv__, __mod__, __getitem__ = ops.floor_divide, ops.remainder, ops.getitem
    __radd__, __rmul__ = ops.add, ops.mul
    __rsub__ = ops.rsub
    __rtruediv__ = ops.rdiv
    __rpow__ = ops.rpow
    __eq__, __ne__, __lt__, __le__, __gt__, __ge__ = ops.eq, ops.ne, ops.lt, ops.le, ops.gt, ops.ge
    eq, ne, lt, le, gt, ge = ops.eq, ops.ne, ops.lt, ops.le, ops.gt, ops.ge
    __and__, __or__, __xor__, __invert__ = ops.bitwise_and, ops.bitwise_or, ops.bitwise_xor, ops.bitwise_not
    __hash__ = object.__hash__

    # in place: inplace.py

    __iadd__, __isub__, __imul__, __itruediv__ = inplace.add_, inplace.sub_, inplace.mul_, inplace.div_
    __ipow__ = inplace.pow_
    add_, sub_, mul_, div_, copy_ = inplace.add_, inplace.sub_, inplace.mul_, inplace.div_, inplace.copy_
    zero_, fill_, clamp_, neg_ = inplace.zero_, inplace.fill_, inplace.clamp_, inplace.neg_
    masked_fill_, pow_, sqrt_ = inplace.masked_fill_, inplace.pow_, inplace.sqrt_
    uniform_, normal_, __setitem__ = inplace.uniform_, inplace.normal_, inplace.setitem_

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

    def __rfloordiv__(self, other):
        return ops.floor_divide(other, self)

    def __rmod__(self, other):
        return ops.remainder(other, self)

    def __index__(self):
        if self.array.ndim or self.array.dtype.kind not in "iub":
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
