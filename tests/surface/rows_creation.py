"""Rows about new tensors that are not drawn: from data, filled, counted; dtypes, devices, limits, torch.cuda.

PyTorch computes ranges in floating point with fused multiply-adds in vectors, and so does creation.py: those rows are
exact, but for `logspace`, whose powers are another library's.
"""

import numpy as np

from .calls import calls, refused
from .table import rows

ROWS = calls(
    "tensor",
    """
    L.tensor(3)
    L.tensor(-2.5)
    L.tensor(True)
    L.tensor([])
    L.tensor(())
    L.tensor([[]])
    L.tensor([[], []])
    L.tensor([[[]]])
    L.tensor([[], [1]])
    L.tensor([[[1]]])
    L.tensor([1, 2, 3])
    L.tensor((1, 2))
    L.tensor([(1, 2), [3, 4]])
    L.tensor(range(4))
    L.tensor(bytearray(b"ab"))
    L.tensor(memoryview(b"ab"))
    L.tensor(L.Size([2, 3]))
    L.tensor([True, False])
    L.tensor([True, 2])
    L.tensor([2, True])
    L.tensor([True, 1.5])
    L.tensor([1, 2.0, True])
    L.tensor([[1, 2], [3, 4.5]])
    L.tensor([float("inf"), -float("inf"), float("nan")])
    L.tensor(1e400)
    L.tensor(1e40)
    L.tensor(-0.0)
    L.tensor(2**63 - 1)
    L.tensor(-(2**63))
    L.tensor([1.5, 2**63])
    L.tensor(2**70, dtype=L.float32)
    L.tensor([1.5, -1.5, 0], dtype=L.int64)
    L.tensor([1.5, 0, 2], dtype=L.bool)
    L.tensor(float("nan"), dtype=L.bool)
    L.tensor(2, dtype=L.bool)
    L.tensor(1.7, dtype=L.uint8)
    L.tensor(-1, dtype=L.uint8)
    L.tensor([-255, 255], dtype=L.uint8)
    L.tensor([-128, 127], dtype=L.int8)
    L.tensor([0.1, 1.00048828125001, 70000], dtype=L.float16)
    L.tensor([0.1], dtype=L.float64)
    L.tensor(0.1, dtype=L.float64).item()
    L.tensor(0.1).item()
    L.tensor([1.5], dtype=float)
    L.tensor([1.5], dtype=int)
    L.tensor([1.5], dtype=bool)
    L.tensor([1.5], dtype=None)
    L.tensor(data=[1])
    L.tensor([1.5], requires_grad=True)
    L.tensor([1.5], device="cpu")
    L.tensor([1.5], device=L.device("cpu"), pin_memory=False)
    L.tensor([2**53 + 1, 0.5], dtype=L.int64)
    L.tensor([2**24 + 1, 2**24 + 3], dtype=L.float32)
    L.tensor(np.float64(1.5))
    L.tensor(np.float32(1.5))
    L.tensor(np.float16(1.5))
    L.tensor(np.int8(3))
    L.tensor(np.bool_(True))
    L.tensor(np.int64(3), dtype=L.float16)
    L.tensor([np.float64(1.5)])
    L.tensor([np.float16(1.5)])
    L.tensor([np.float16(1.5), 1.0])
    L.tensor([np.int8(3)])
    L.tensor([np.int32(3), 1])
    L.tensor([1, np.int32(3)])
    L.tensor([1.0, np.float64(3)])
    L.tensor([np.int64(3), np.float32(1.5)])
    L.tensor([np.uint8(3), np.int8(-3)])
    L.tensor([np.bool_(True), np.bool_(False)])
    L.tensor([np.array([1, 2]), np.array([3, 4])])
    L.tensor([np.array([1.0, 2]), np.array([3, 4])])
    L.tensor([[1, 2], np.array([1.0, 2], np.float32)])
    L.tensor([L.tensor(1), L.tensor(2.5)])
    L.tensor([L.tensor(1.5, dtype=L.float64), 2])
    L.tensor([1, L.tensor(1.5, dtype=L.float64)])
    L.tensor([L.tensor([1.5]), L.tensor([2])])
    L.tensor([L.tensor(True), 1])
    L.tensor([L.tensor(1, dtype=L.int8)])
    L.tensor([[L.tensor(1), 2], [3, L.tensor(4)]])
    L.tensor(np.array(5))
    L.tensor(np.array([]))
    L.tensor(np.arange(6).reshape(2, 3).T).stride()
    L.tensor(np.arange(6).reshape(2, 3).T)
    L.tensor(np.arange(8)[::2])
    L.tensor(np.array([300, -1]), dtype=L.uint8)
    L.tensor(np.array([1.7, -1.7]), dtype=L.int64)
    L.tensor(np.array([True, False]), dtype=L.float32)
    L.tensor(np.zeros((2, 0, 3), np.float16))
    L.tensor(np.broadcast_to(np.ones(1), (3,)))
    warned(lambda: L.tensor(L.tensor([1, 2])))
    warned(lambda: L.tensor(L.tensor([1.5], requires_grad=True)))
    warned(lambda: L.tensor(L.tensor(300), dtype=L.uint8))
    L.tensor([1.5], requires_grad=True).is_leaf
    """,
)
ROWS += refused(
    "tensor",
    r"""
    L.tensor([[1, 2], [3]])  !!  expected sequence of length 2 at dim 1 \(got 1\)
    L.tensor([[1], []])  !!  length 1 at dim 1 \(got 0\)
    L.tensor([[[1, 2]], [[3]]])  !!  length 2 at dim 2 \(got 1\)
    L.tensor([1, [2]])  !!  invalid data type 'list'
    L.tensor([[1], 2])  !!  not a sequence: got 2
    L.tensor("a")  !!  invalid data type 'str': got 'a'
    L.tensor(["a"])  !!  too many dimensions 'str'
    L.tensor([["a", 1]])  !!  too many dimensions
    L.tensor([[1, "a"]])  !!  invalid data type 'str': got 'a'
    L.tensor([""])  !!  invalid data type 'str'
    L.tensor(b"ab")  !!  invalid data type 'bytes'
    L.tensor([b"a"])  !!  invalid data type 'bytes'
    L.tensor(None)  !!  could not infer dtype of NoneType
    L.tensor([1, None])  !!  could not infer dtype of NoneType
    L.tensor({})  !!  dtype of dict
    L.tensor({1, 2})  !!  dtype of set
    L.tensor(object())  !!  dtype of object
    L.tensor(x for x in [1])  !!  dtype of generator
    L.tensor([lambda: 1])  !!  dtype of function
    L.tensor(2**63)  !!  9223372036854775808 does not fit into 64 bits
    L.tensor([0, -(2**63) - 1])  !!  -9223372036854775809 does not fit
    L.tensor(300, dtype=L.uint8)  !!  value 300 cannot be converted to type torch.uint8
    L.tensor([0, 256], dtype=L.uint8)  !!  value 256 cannot
    L.tensor(-256, dtype=L.uint8)  !!  value -256 cannot
    L.tensor(-0.5, dtype=L.uint8)  !!  value -0.5 cannot
    L.tensor(128, dtype=L.int8)  !!  value 128 cannot
    L.tensor(2**31, dtype=L.int32)  !!  value 2147483648 cannot
    L.tensor(1e10, dtype=L.int32)  !!  value 10000000000.0 cannot
    L.tensor(1e20, dtype=L.int64)  !!  value 1e\+20 cannot
    L.tensor(float("nan"), dtype=L.int32)  !!  value nan cannot
    L.tensor([0, float("inf")], dtype=L.int32)  !!  value inf cannot
    L.tensor([np.int64(300)], dtype=L.uint8)  !!  value 300 cannot
    L.tensor([L.tensor([1.5, 2])])  !!  only one element tensors .* \(2,\)
    L.tensor([1], requires_grad=True)  !!  only Tensors of floating point dtype can require gradients
    L.tensor(True, requires_grad=True)  !!  floating point
    L.tensor([1.5], dtype=3)  !!  dtype: got 3
    L.tensor([1.5], device="gpu")  !!  device: got 'gpu'
    L.tensor([1.5], device=1.5)  !!  device: got 1.5
    L.tensor([1.5], pin_memory=True)  !!  pin_memory=True
    L.tensor([1.5], L.float64)  !!  positional argument
    L.tensor()  !!  missing 1 required positional argument
    L.tensor([1], foo=1)  !!  foo
    L.tensor(np.array(["a"]))  !!  dtype: got dtype\('<U1'\)
    L.tensor(np.array([1, None], dtype=object))  !!  dtype: got dtype\('O'\)
    L.tensor(np.array([1, 2], ">i4"))  !!  byte order '>i4'
    L.tensor(np.array([1, 2], np.longdouble))  !!  dtype: got
    L.tensor(np.array(["2020-01-01"], "M8[D]"))  !!  datetime64|M8
    L.tensor(np.arange(4)[::-1])  !!  stride of the array is negative
    """,
)
ROWS += calls(
    "as_tensor",
    """
    L.as_tensor([1.5])
    L.as_tensor(1)
    L.as_tensor([1.5], dtype=L.float64)
    L.as_tensor([1.5], dtype=L.int64, device="cpu")
    L.as_tensor(np.float32(3))
    L.as_tensor(np.arange(3.0))
    L.as_tensor(np.arange(3.0), dtype=L.float32)
    L.as_tensor(L.tensor([1.5], requires_grad=True))
    L.as_tensor(L.tensor([1.5], requires_grad=True), dtype=L.float64)
    L.as_tensor(L.tensor([1.5, 2]), dtype=L.int64)
    """,
)
ROWS += refused(
    "as_tensor",
    """
    L.as_tensor([1.5], L.float64)  !!  positional argument
    L.as_tensor([1.5], requires_grad=True)  !!  requires_grad
    L.as_tensor(None)  !!  could not infer dtype of NoneType
    L.as_tensor("a")  !!  invalid data type 'str'
    L.as_tensor([[1], [2, 3]])  !!  expected sequence of length 1
    L.as_tensor(np.arange(3.0)[::-1])  !!  negative
    """,
)
ROWS += calls(
    "asarray",
    """
    L.asarray([1, 2])
    L.asarray(np.array([1.5]))
    L.asarray(3.5, dtype=L.float64, requires_grad=True)
    L.asarray(L.tensor([1.0]), copy=True)
    L.asarray(L.tensor([1.0], requires_grad=True)).requires_grad
    """,
)
ROWS += refused("asarray", "L.asarray([1, 2], copy=False)  !!  copy=False")


def shared(make):
    """A row that writes to an array through a tensor made of it, and the other way round."""

    def row(L):
        array = np.arange(4.0)
        t = make(L, array)
        array[0] = 9
        t[1] = 7
        return t, array

    return row


ROWS += rows(
    "from_numpy",
    {
        "shares memory": shared(lambda L, a: L.from_numpy(a)),
        "shares memory of a view": shared(lambda L, a: L.from_numpy(a[::2])),
        "as_tensor shares, too": shared(lambda L, a: L.as_tensor(a)),
        "as_tensor of another dtype does not": shared(lambda L, a: L.as_tensor(a, dtype=L.float32)),
        "asarray shares, too": shared(lambda L, a: L.asarray(a)),
        "tensor does not": shared(lambda L, a: L.tensor(a)),
    },
)
ROWS += [
    row
    for kind in ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")
    for row in calls(
        "from_numpy",
        f"""
        L.from_numpy(np.arange(6, dtype="{kind}").reshape(2, 3))
        L.from_numpy(np.array(1, "{kind}"))
        L.from_numpy(np.zeros((0, 2), "{kind}"))
        """
        if kind != "bool"
        else """
        L.from_numpy(np.array([True, False]))
        L.from_numpy(np.array(True))
        """,
    )
]
ROWS += calls(
    "from_numpy",
    """
    L.from_numpy(np.arange(6).reshape(2, 3).T)
    L.from_numpy(np.arange(6).reshape(2, 3).T).stride()
    L.from_numpy(np.arange(6.0)[1::2]).stride()
    L.from_numpy(np.ma.array([1, 2]))
    L.from_numpy(np.array([1.5, np.nan, -0.0, np.inf]))
    """,
)
ROWS += refused(
    "from_numpy",
    """
    L.from_numpy(np.float32(3))  !!  expected np.ndarray .got float32
    L.from_numpy(3)  !!  got int
    L.from_numpy([1])  !!  got list
    L.from_numpy(None)  !!  got NoneType
    L.from_numpy(L.ones(2))  !!  got Tensor
    L.from_numpy(np.arange(3)[::-1])  !!  at least one stride of the array is negative
    L.from_numpy(np.arange(6).reshape(2, 3)[:, ::-1])  !!  negative
    L.from_numpy(np.array([1, 2], ">i4"))  !!  byte order '>i4'
    L.from_numpy(np.array(["a"]))  !!  dtype: got
    L.from_numpy(np.array([None]))  !!  dtype: got
    L.from_numpy(np.array([1, 2], np.longdouble))  !!  dtype: got
    L.from_numpy(np.zeros(3, [("a", int)]))  !!  dtype: got
    L.from_numpy(np.zeros(3, "i4,f8")["f1"])  !!  not multiples of the element size
    L.from_numpy(ndarray=np.ones(2))  !!  keyword
    """,
)

FILLED = """
    L.{0}(())
    L.{0}(3)
    L.{0}(2, 3)
    L.{0}((2, 3))
    L.{0}([2, 3])
    L.{0}(L.Size([2, 3]))
    L.{0}(L.tensor(3))
    L.{0}((L.tensor(2), 3))
    L.{0}(np.int64(2), 3)
    L.{0}(size=(2, 3))
    L.{0}(0)
    L.{0}(2, 0, 3)
    L.{0}(2, dtype=float)
    L.{0}(2, dtype=None, device=None)
    L.{0}(2, dtype=L.float16)
    L.{0}(2, dtype=L.float64)
    L.{0}(2, dtype=L.bool)
    L.{0}(2, dtype=L.uint8)
    L.{0}(2, dtype=L.int8)
    L.{0}(2, dtype=L.int16)
    L.{0}(2, dtype=L.int32)
    L.{0}(2, dtype=L.int64)
    L.{0}(2, requires_grad=True)
    L.{0}(2, device="cpu", layout=L.strided, pin_memory=False)
    L.{0}(L.ones(4, 5).shape)
    """
FILLED_ERRORS = r"""
    L.{0}()  !!  {0}: missing size
    L.{0}(2, -1)  !!  {0}: Trying to create tensor with negative dimension -1: \[2, -1\]
    L.{0}(2.5)  !!  {0}: size must be ints or one tuple of ints, but found 2.5
    L.{0}((2.0,))  !!  found 2.0
    L.{0}(True)  !!  found True
    L.{0}((True, 2))  !!  found True
    L.{0}(L.tensor([2, 3]))  !!  integer|ints
    L.{0}(np.array([2, 3]))  !!  ints
    L.{0}([2], [3])  !!  found \[2\]
    L.{0}(2, (3,))  !!  found \(3,\)
    L.{0}("a")  !!  found 'a'
    L.{0}(None)  !!  found None
    L.{0}(2, foo=1)  !!  unexpected keyword argument 'foo'
    L.{0}(2, dtype=L.int64, requires_grad=True)  !!  floating point
    L.{0}(2, device="gpu")  !!  device: got 'gpu'
    L.{0}(2, pin_memory=True)  !!  pin_memory
    """
for name in ("zeros", "ones"):
    ROWS += calls(name, FILLED.format(name)) + refused(name, FILLED_ERRORS.format(name))
ROWS += calls(
    "empty",
    "\n".join(
        f"{line}.zero_()" for line in FILLED.format("empty").split("\n    ") if "grad" not in line and line.strip()
    ),
)
ROWS += calls(
    "empty", "L.empty(2, requires_grad=True).requires_grad\nL.empty(2, memory_format=L.contiguous_format).shape"
)
ROWS += refused("empty", FILLED_ERRORS.format("empty"))
ROWS += calls(
    "full",
    """
    L.full((2,), True)
    L.full((2,), 1)
    L.full((2,), 1.5)
    L.full((), 5)
    L.full([], 5.0)
    L.full((0, 3), 5.0)
    L.full([2, 2], -1)
    L.full(L.Size([1, 2]), 3)
    L.full(size=(2,), fill_value=3)
    L.full((2,), 1.5, dtype=L.int64)
    L.full((2,), -1.5, dtype=L.int64)
    L.full((2,), -1, dtype=L.uint8)
    L.full((2,), -255, dtype=L.uint8)
    L.full((2,), 2, dtype=L.bool)
    L.full((2,), True, dtype=L.float32)
    L.full((2,), 0.1, dtype=L.float64)
    L.full((2,), 0.1, dtype=L.float16)
    L.full((2,), float("nan"))
    L.full((2,), float("-inf"), dtype=L.float16)
    L.full((2,), L.tensor(5))
    L.full((2,), L.tensor(5.0))
    L.full((2,), L.tensor(5.0, dtype=L.float64))
    L.full((2,), L.tensor(5, dtype=L.int8))
    L.full((2,), L.tensor(True))
    L.full((2,), np.float64(5))
    L.full((2,), np.float32(5))
    L.full((2,), np.int32(5))
    L.full((2,), 2**63, dtype=L.float64)
    L.full((2,), 1.0, requires_grad=True)
    L.full((2,), 1, device="cpu", layout=L.strided, pin_memory=False)
    """,
)
ROWS += refused(
    "full",
    r"""
    L.full(2, 1)  !!  full: size must be a tuple of ints, got int
    L.full((2, -1), 5.0)  !!  negative dimension -1
    L.full((2.5,), 5.0)  !!  found 2.5
    L.full((2,), 300, dtype=L.uint8)  !!  full: value 300 cannot be converted to type torch.uint8
    L.full((2,), -256, dtype=L.uint8)  !!  -256
    L.full((2,), -0.5, dtype=L.uint8)  !!  -0.5
    L.full((2,), 1e10, dtype=L.int32)  !!  10000000000.0
    L.full((2,), float("nan"), dtype=L.int32)  !!  nan
    L.full((2,), 1e40)  !!  1e\+40 cannot be converted to type torch.float32
    L.full((2,), 70000.0, dtype=L.float16)  !!  70000.0
    L.full((2,), 2**63)  !!  9223372036854775808
    L.full((2,), L.tensor([5.0]))  !!  fill_value must be a number, got Tensor
    L.full((2,), "a")  !!  fill_value must be a number, got str
    L.full((2,), None)  !!  got NoneType
    L.full((2,))  !!  fill_value
    L.full((2,), 1, requires_grad=True)  !!  floating point
    """,
)
LIKE = """
    L.{0}_like(L.ones(2, 3){1}){2}
    L.{0}_like(L.tensor(5.0){1}){2}
    L.{0}_like(L.tensor([1, 2], dtype=L.int16){1}){2}
    L.{0}_like(L.tensor([True]){1}){2}
    L.{0}_like(L.ones(0, 3, dtype=L.float16){1}){2}
    L.{0}_like(L.ones(2, dtype=L.float64){1}, dtype=L.int32){2}
    L.{0}_like(L.ones(2, requires_grad=True){1}){2}
    L.{0}_like(L.ones(2){1}, device="cpu", layout=L.strided, pin_memory=False){2}
    L.{0}_like(L.ones(2, 3).T{1}){2}
    L.{0}_like(L.ones(2, 3).T{1}).stride()
    L.{0}_like(L.ones(2, 3).T{1}, memory_format=L.preserve_format).stride()
    L.{0}_like(L.ones(2, 3).T{1}, memory_format=L.contiguous_format).stride()
    L.{0}_like(L.ones(4, 6)[::2, ::2]{1}).stride()
    L.{0}_like(L.ones(4, 6).T[::2]{1}).stride()
    L.{0}_like(L.ones(1, 3).expand(2, 3){1}).stride()
    L.{0}_like(L.ones(3, 1).expand(3, 4).T{1}).stride()
    L.{0}_like(L.ones(2, 3, 4).permute(2, 0, 1){1}).stride()
    L.{0}_like(L.ones(2, 3, 4).permute(1, 2, 0){1}).stride()
    """
LIKE_ERRORS = """
    L.{0}_like(3{1})  !!  {0}_like: got int, wanted a Tensor
    L.{0}_like([1.0]{1})  !!  got list
    L.{0}_like(np.ones(2){1})  !!  got ndarray
    L.{0}_like(L.ones(2, dtype=L.int64){1}, requires_grad=True)  !!  floating point
    L.{0}_like(L.ones(2){1}, foo=1)  !!  'foo'
    """
for name, value in (("zeros", ""), ("ones", ""), ("full", ", 7"), ("empty", "")):
    ROWS += calls(f"{name}_like", LIKE.format(name, value, ".zero_()" if name == "empty" else ""))
    ROWS += refused(f"{name}_like", LIKE_ERRORS.format(name, value))
ROWS += calls("ones_like", "L.ones_like(L.ones(2), requires_grad=True)")
ROWS += calls(
    "full_like",
    """
    L.full_like(L.ones(2, dtype=L.int64), 7.9)
    L.full_like(L.ones(2), 7, dtype=L.bool)
    L.full_like(L.ones(2), L.tensor(3.0))
    L.full_like(L.ones(2), True)
    """,
)
ROWS += refused(
    "full_like",
    """
    L.full_like(L.ones(2, dtype=L.uint8), 300)  !!  full_like: value 300
    L.full_like(L.ones(2), 1e40)  !!  1e.40 cannot
    L.full_like(L.ones(2), "a")  !!  fill_value must be a number
    """,
)

# from 1 to 1000 numbers, of which PyTorch computes vectors of 32 bytes, two at a time
SPANS = ("0, 1, 0.1", "0, 1, 0.001", "0.1, 5, 0.0137", "0, 100, 0.1", "-1, 1, 0.01", "0.3, 40, 0.7", "5, -3, -0.3")
ROWS += [
    row
    for span in SPANS
    for d in ("float16", "float32", "float64")
    for row in calls("arange", f"L.arange({span}, dtype=L.{d})", exact=True)
]
ROWS += calls(
    "arange",
    """
    L.arange(5)
    L.arange(0)
    L.arange(1, 1)
    L.arange(2, 7)
    L.arange(1, 10, 3)
    L.arange(5, 0, -1)
    L.arange(5, 0, -2)
    L.arange(-3, 3)
    L.arange(True)
    L.arange(5.0)
    L.arange(0, 2.5)
    L.arange(5, 0, -2.5)
    L.arange(end=5)
    L.arange(1, end=5)
    L.arange(1, 5, step=2)
    L.arange(start=1, end=5, step=2)
    L.arange(0, 2.5, dtype=L.int64)
    L.arange(0.9, 5.5, 1.6, dtype=L.int64)
    L.arange(0.5, 5.5, 1, dtype=L.int64)
    L.arange(-0.9, 5.5, 1.5, dtype=L.int32)
    L.arange(-0.9, 5.5, 1.5, dtype=L.int64)
    L.arange(300, dtype=L.uint8)
    L.arange(-3, 3, dtype=L.uint8)
    L.arange(3, dtype=L.int8)
    L.arange(3, dtype=L.int16)
    L.arange(3, dtype=float)
    L.arange(3, dtype=L.float16)
    L.arange(2**24 - 20, 2**24 + 40, dtype=L.float32)
    L.arange(2**40, 2**40 + 3)
    L.arange(2**53, 2**53 + 3)
    L.arange(2**62, 2**62 + 2)
    L.arange(L.tensor(5))
    L.arange(L.tensor(5.0))
    L.arange(L.tensor(5.0, dtype=L.float64))
    L.arange(L.tensor(1), L.tensor(4))
    L.arange(np.int64(5))
    L.arange(np.float32(5))
    L.arange(3.0, requires_grad=True)
    L.arange(3, device="cpu", layout=L.strided, pin_memory=False)
    L.arange(0, 1, 1 / 3)
    L.arange(1, 2, 0.3)
    """,
    exact=True,
)
ROWS += refused(
    "arange",
    """
    L.arange(-3)  !!  arange: upper bound and lower bound inconsistent with step: 0, -3, 1
    L.arange(0, 5, -1)  !!  inconsistent with step: 0, 5, -1
    L.arange(5, 0)  !!  inconsistent
    L.arange(0, 5, 0)  !!  arange: step must be nonzero, got 0
    L.arange(0, 1, float("nan"))  !!  step must be nonzero, got nan
    L.arange(0, 5, 0.5, dtype=L.int64)  !!  step must be nonzero, got 0.5, which is 0 in torch.int64
    L.arange(float("nan"))  !!  unsupported range: 0 -> nan
    L.arange(float("inf"))  !!  unsupported range: 0 -> inf
    L.arange(5, dtype=L.bool)  !!  not implemented for bool
    L.arange("a")  !!  arange: end must be a number, got str
    L.arange(None)  !!  number
    L.arange(1, 2, 3, 4)  !!  positional
    L.arange(L.tensor([1, 2]))  !!  number, got Tensor
    L.arange(3, requires_grad=True)  !!  floating point
    L.arange(3, foo=2)  !!  'foo'
    """,
)
SPANS = ("0, 1, 11", "0.1, 5, 137", "0, 100, 1001", "-1, 1, 77", "3, -7, 1000", "0.3, 0.7, 2", "2, 5, 1", "1, 1, 4")
ROWS += [
    row
    for span in SPANS
    for d in ("float16", "float32", "float64", "int64")
    for row in calls("linspace", f"L.linspace({span}, dtype=L.{d})", exact=True)
]
ROWS += calls(
    "linspace",
    """
    L.linspace(0, 1, 5)
    L.linspace(0, 1, 0)
    L.linspace(1, -1, 3)
    L.linspace(0, 1, steps=3)
    L.linspace(start=0, end=1, steps=3)
    L.linspace(0, 10, 4, dtype=L.int64)
    L.linspace(0, 10, 5, dtype=L.int32)
    L.linspace(-3, 3, 4, dtype=L.int8)
    L.linspace(0.5, 5.5, 6, dtype=L.int64)
    L.linspace(0, 1, 3, dtype=L.uint8)
    L.linspace(0, 1, 3, dtype=int)
    L.linspace(0, float("inf"), 3)
    L.linspace(L.tensor(0.0), L.tensor(1.0), 3)
    L.linspace(L.tensor(0.0), 1, 3)
    L.linspace(0, 1, np.int64(3))
    L.linspace(0, 1, L.tensor(3))
    L.linspace(0, 1, 3, requires_grad=True)
    """,
    exact=True,
)
ROWS += refused(
    "linspace",
    r"""
    L.linspace(0, 1, -1)  !!  linspace: number of steps must be non-negative, got -1
    L.linspace(0, 1)  !!  steps
    L.linspace(0, 1, 2.5)  !!  linspace: steps must be an int, got float
    L.linspace(0, 1, True)  !!  steps must be an int, got bool
    L.linspace("a", 1, 3)  !!  start must be a number, got str
    L.linspace(L.tensor([0.0, 1]), 1, 3)  !!  0-dimensional start and end
    L.linspace(0, 1, 3, dtype=L.bool)  !!  not implemented for bool
    L.linspace(0, 1, 3, dtype=L.int64, requires_grad=True)  !!  floating point
    """,
)
# powers: of 10 to the exponent e the error is e * log(10) roundings and those of two libraries
ROWS += calls(
    "logspace",
    """
    L.logspace(0, 2, 3)
    L.logspace(0, 2, 3, base=2)
    L.logspace(0, 2, 5, 2)
    L.logspace(-3, 3, 11, dtype=L.float64)
    L.logspace(0, 3, 4, dtype=L.int64)
    L.logspace(0, 3, 7, base=2, dtype=L.int64)
    L.logspace(0, 1, 0)
    L.logspace(0, 1, 1)
    L.logspace(0, 1, 3, base=-2)
    L.logspace(L.tensor(0.0), 1, 3)
    """,
)
ROWS += refused(
    "logspace",
    """
    L.logspace(0, 1, -1)  !!  logspace: number of steps must be non-negative
    L.logspace(0, 1, 2.5)  !!  steps must be an int
    """,
)
ROWS += calls(
    "eye",
    """
    L.eye(3)
    L.eye(2, 3)
    L.eye(3, 2)
    L.eye(0)
    L.eye(2, 0)
    L.eye(n=2, m=3)
    L.eye(L.tensor(2))
    L.eye(2, dtype=L.bool)
    L.eye(2, dtype=L.int64)
    L.eye(2, dtype=L.float16)
    L.eye(2, requires_grad=True)
    L.eye(2, device="cpu", layout=L.strided)
    """,
)
ROWS += refused(
    "eye",
    """
    L.eye(-1)  !!  eye: Trying to create tensor with negative dimension -1
    L.eye(2, -1)  !!  negative dimension -1
    L.eye(2.0)  !!  eye: size must be ints .* found 2.0
    L.eye(True)  !!  found True
    L.eye("a")  !!  found 'a'
    """,
)
ROWS += calls(
    "meshgrid",
    """
    L.meshgrid(L.arange(2), L.arange(3), indexing="ij")
    L.meshgrid(L.arange(2), L.arange(3), indexing="xy")
    L.meshgrid([L.arange(2), L.arange(3)], indexing="ij")
    L.meshgrid(L.tensor(1), L.arange(2), indexing="ij")
    L.meshgrid(L.arange(2), L.arange(3), L.arange(1), indexing="xy")
    L.meshgrid(L.arange(2), L.arange(3), L.arange(4), indexing="ij")
    L.meshgrid(L.arange(4), indexing="xy")
    warned(lambda: L.meshgrid(L.arange(2), L.arange(3)))
    """,
)
ROWS += refused(
    "meshgrid",
    """
    L.meshgrid()  !!  meshgrid: expects a non-empty list
    L.meshgrid(L.ones(2, 2), indexing="ij")  !!  0 or 1 dimensions
    L.meshgrid(L.ones(2), L.arange(2), indexing="ij")  !!  of the same dtype
    L.meshgrid(L.ones(2), indexing="a")  !!  indexing must be one of
    """,
)
ROWS += calls(
    "tril_indices",
    """
    L.tril_indices(3, 3)
    L.tril_indices(3, 4, 1)
    L.tril_indices(4, 3, -1)
    L.tril_indices(2, 2, dtype=L.int32)
    L.tril_indices(0, 3)
    """,
)
ROWS += calls("triu_indices", "L.triu_indices(3, 3)\nL.triu_indices(3, 4, -1)\nL.triu_indices(row=4, col=3, offset=1)")
ROWS += refused(
    "tril_indices", "L.tril_indices(-1, 4)  !!  non-negative\nL.tril_indices(2, 2, dtype=L.float32)  !!  int64"
)
ROWS += refused("triu_indices", "L.triu_indices(2, -4)  !!  triu_indices: row and col must be non-negative")

# ---- dtypes

DTYPES = {
    **{name: name for name in ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")},
    **{"half": "float16", "float": "float32", "double": "float64", "short": "int16", "int": "int32", "long": "int64"},
}
for name, full in DTYPES.items():
    ROWS += calls(
        name,
        f"""
        [str(L.{name}), repr(L.{name}), L.{name} is L.{full}, isinstance(L.{name}, L.dtype)]
        [L.{name}.itemsize, L.{name}.is_floating_point, L.{name}.is_complex, L.{name}.is_signed]
        [L.{name} == L.float32, L.{name} == "{full}", L.{name} != L.{full}, hash(L.{name}) == hash(L.{full})]
        L.tensor([0, 1, 2], dtype=L.{name}).dtype
        """,
    )


def default_dtype(kind, run):
    """A row that runs with another default dtype, and puts the usual one back."""

    def row(L):
        before = L.get_default_dtype()
        L.set_default_dtype(getattr(L, kind))
        try:
            return L.get_default_dtype(), run(L)
        finally:
            L.set_default_dtype(before)

    return row


for kind in ("float16", "float32", "float64"):
    ROWS += rows(
        "set_default_dtype",
        {
            f"{kind} of Python numbers": default_dtype(
                kind, lambda L: [L.tensor([1.5]), L.tensor(1), L.tensor([1, 2.5])]
            ),
            f"{kind} of creation": default_dtype(
                kind, lambda L: [L.zeros(2), L.ones(2), L.full((2,), 0.1), L.arange(0, 1, 0.25), L.eye(2), L.empty(0)]
            ),
            f"{kind} of linspace": default_dtype(kind, lambda L: L.linspace(0, 1, 7)),
            f"{kind} of numbers of NumPy": default_dtype(
                kind, lambda L: [L.tensor(np.float64(1)), L.tensor([np.float16(1)])]
            ),
            f"{kind} of promotion": default_dtype(
                kind, lambda L: [L.tensor([1]) * 1.5, L.tensor(True) + 0.5, L.tensor([1]) / 2]
            ),
            f"{kind} of lists and tensors": default_dtype(
                kind, lambda L: L.tensor([L.tensor(1.5, dtype=L.float16), 2.0])
            ),
        },
    )
ROWS += rows("get_default_dtype", {"usual": lambda L: L.get_default_dtype()})
ROWS += refused(
    "set_default_dtype",
    """
    L.set_default_dtype(L.int64)  !!  only floating-point types are supported as the default type, got torch.int64
    L.set_default_dtype(L.bool)  !!  got torch.bool
    L.set_default_dtype("float64")  !!  got float64
    L.set_default_dtype(float)  !!  got <class 'float'>
    L.set_default_dtype(None)  !!  got None
    """,
)
LIMITS = "[getattr(L.{0}(L.{1}), n) for n in ({2})]\nrepr(L.{0}(L.{1}))\nstr(L.{0}(L.{1}).dtype)"
for name in ("float16", "float32", "float64"):
    fields = "'bits', 'eps', 'max', 'min', 'tiny', 'smallest_normal', 'resolution'"
    ROWS += calls("finfo", LIMITS.format("finfo", name, fields), exact=True)
for name in ("int8", "int16", "int32", "int64", "uint8"):
    ROWS += calls("iinfo", LIMITS.format("iinfo", name, "'bits', 'max', 'min'"))
ROWS += calls("finfo", "L.finfo().eps", exact=True)
ROWS += refused("finfo", "L.finfo(L.int32)  !!  requires a floating point type\nL.finfo(L.bool)  !!  got torch.bool")
ROWS += refused(
    "iinfo",
    "L.iinfo(L.float32)  !!  requires an integer type\nL.iinfo(L.bool)  !!  got torch.bool\nL.iinfo()  !!  type",
)
ROWS += calls(
    "is_tensor",
    """
    L.is_tensor(L.ones(2))
    L.is_tensor(L.nn.Parameter(L.ones(2)))
    L.is_tensor(3)
    L.is_tensor(np.ones(2))
    L.is_tensor([L.ones(2)])
    """,
)

ROWS += calls("__version__", 'isinstance(L.__version__, str) and L.__version__.count(".") >= 2')

# ---- devices

ROWS += calls(
    "device",
    """
    L.device("cpu")
    L.device("cpu", 0)
    L.device("cpu:1")
    L.device("cuda")
    L.device("cuda:0")
    L.device(type="cuda", index=1)
    L.device(L.device("cuda", 1))
    [str(L.device("cuda:1")), str(L.device("cpu"))]
    [L.device("cuda:1").type, L.device("cuda:1").index, L.device("cpu").index]
    L.device("cpu") == "cpu"
    L.device("cpu") == L.device("cpu", 0)
    L.device("cuda", 1) == L.device("cuda:1")
    len({L.device("cuda", 1), L.device("cuda:1"), L.device("cpu")})
    L.ones(2).device
    L.ones(2, device="cpu:0").device
    """,
)
ROWS += refused(
    "device",
    """
    L.device("cuda", -1)  !!  Device index must not be negative
    L.device("cuda:-1")  !!  device: got 'cuda:-1'
    L.device("cuda:a")  !!  device: got 'cuda:a'
    L.device("cuda:")  !!  device: got 'cuda:'
    L.device("cuda:0", 0)  !!  must not include an index
    L.device("")  !!  device: got ''
    L.device("CPU")  !!  device: got 'CPU'
    L.device(-1)  !!  must not be negative
    L.device(None)  !!  device: got None
    L.device(1.5)  !!  device: got 1.5
    L.device()  !!  type
    """,
)
ROWS += calls("cuda.is_available", "L.cuda.is_available()")
ROWS += calls("cuda.synchronize", "L.cuda.is_available() and L.cuda.synchronize()")
ROWS += calls("cuda.device_count", "L.cuda.device_count()")
ROWS += calls("cuda.is_initialized", "L.cuda.is_initialized()")
ROWS += calls(
    "cuda.manual_seed",
    "[L.manual_seed(3).initial_seed(), L.cuda.manual_seed(4), L.cuda.manual_seed_all(5), L.rand(3)]",
    exact=True,
)
ROWS += calls("cuda.empty_cache", "L.cuda.empty_cache()")
ROWS += refused("cuda.current_device", "L.cuda.current_device()  !!  no CuPy with a GPU")
ROWS += refused("cuda.get_device_name", "L.cuda.get_device_name()  !!  get_device_name: there is no CuPy")
