"""Rows about tensors: what they are, conversions, Python's protocols, NumPy, copies, in-place writes, gradients."""

import copy
import pickle

import numpy as np

from .table import errors, given, gradients, rows, tensor

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
NAN, INF = float("nan"), float("inf")


def raised(function):
    """The name of the type of the error that a function raises."""
    try:
        function()
    except Exception as error:
        return type(error).__name__
    return "nothing"


ROWS = []

# ---- what it is

ROWS += rows(
    "Tensor.shape",
    {
        "matrix": lambda L: L.ones(2, 3).shape,
        "zero_dim": lambda L: L.tensor(1.0).shape,
        "is_a_tuple": lambda L: (isinstance(L.ones(2).shape, tuple), L.ones(2, 3).shape == (2, 3)),
        "parts": lambda L: (L.ones(2, 3).shape[0], L.ones(2, 3).shape[-1], L.ones(2, 3, 4).shape[1:]),
        "joined": lambda L: (L.ones(2, 3).shape + (4,), (1,) + tuple(L.ones(2).shape), L.ones(2).shape * 2),
        "unpacked": lambda L: [*L.ones(2, 3).shape],
        "used": lambda L: L.zeros(L.ones(2, 3).shape),
    },
)
ROWS += errors("Tensor.shape", {"assigned": (lambda L: setattr(L.ones(2), "shape", (1, 2)), r"shape|set|attribute")})
ROWS += rows(
    "Size",
    {
        "list": lambda L: L.Size([2, 3]),
        "tuple": lambda L: L.Size((2, 3)),
        "nothing": lambda L: (L.Size(), L.Size([])),
        "numel": lambda L: (L.Size([2, 3]).numel(), L.Size([]).numel(), L.Size([0, 3]).numel()),
        "slice": lambda L: L.Size([2, 3, 4])[:2],
        "sum": lambda L: L.Size([2]) + L.Size([3]),
        "sum_left": lambda L: (1,) + L.Size([2]),
        "times": lambda L: L.Size([2]) * 3,
        "tensors": lambda L: L.Size([L.tensor(2), 3]),
        "equal": lambda L: (L.Size([2]) == (2,), L.Size([2]) != L.Size([3]), hash(L.Size([2])) == hash((2,))),
        "text": lambda L: str(L.Size([2, 3])),
    },
)
ROWS += errors(
    "Size",
    {"float": (lambda L: L.Size([2.0]), r"Size.*2.0"), "int": (lambda L: L.Size(2), r"Size.*2")},
)
ROWS += rows("Tensor.ndim", {"three": lambda L: L.ones(2, 3, 4).ndim, "zero": lambda L: L.tensor(1).ndim})
ROWS += rows("Tensor.dim", {"three": lambda L: L.ones(2, 3, 4).dim(), "ndimension": lambda L: L.ones(2).ndimension()})
ROWS += rows(
    "Tensor.size",
    {
        "all": lambda L: L.ones(2, 3).size(),
        "dim": lambda L: L.ones(2, 3).size(1),
        "negative": lambda L: L.ones(2, 3).size(-2),
        "named": lambda L: L.ones(2, 3).size(dim=0),
        "zero_dim": lambda L: L.tensor(1).size(),
    },
)
ROWS += errors(
    "Tensor.size",
    {
        "range": (lambda L: L.ones(2, 3).size(2), r"size.*range.*2"),
        "zero_dim_range": (lambda L: L.tensor(1).size(1), r"size.*range"),
        "text": (lambda L: L.ones(2).size("a"), r"size.*str"),
    },
)
ROWS += rows(
    "Tensor.dtype",
    {
        d: lambda L, d=d: (L.ones(2, dtype=getattr(L, d)).dtype, getattr(L, d) == L.zeros(1, dtype=getattr(L, d)).dtype)
        for d in DTYPES
    },
)
ROWS += rows(
    "Tensor.dtype",
    {
        f"facts_of_{d}": lambda L, d=d: (
            (t := L.ones(2, dtype=getattr(L, d))).is_floating_point(),
            t.is_complex(),
            t.is_signed(),
            t.element_size(),
            t.itemsize,
            t.nbytes,
            t.type(),
            repr(t.dtype),
            t.dtype.itemsize,
            t.dtype.is_floating_point,
        )
        for d in DTYPES
    },
)
ROWS += rows(
    "Tensor.device",
    {
        "cpu": lambda L: L.ones(2).device,
        "text": lambda L: str(L.ones(2).device),
        "equal": lambda L: L.ones(2).device == L.device("cpu"),
        "kind": lambda L: (L.ones(2).is_cuda, L.ones(2).is_cpu, L.ones(2).get_device()),
    },
)
ROWS += rows("Tensor.numel", {"matrix": lambda L: L.ones(2, 3).numel(), "zero_dim": lambda L: L.tensor(1).numel()})
ROWS += rows("Tensor.nelement", {"empty": lambda L: L.ones(2, 0).nelement()})
ROWS += rows("numel", {"function": lambda L: L.numel(L.ones(2, 3)), "named": lambda L: L.numel(input=L.ones(4))})
ROWS += errors("numel", {"list": (lambda L: L.numel([1]), r"numel.*list")})
ROWS += rows(
    "Tensor.contiguous",
    {
        "strides": lambda L: (L.ones(2, 3).stride(), L.ones(2, 3).T.stride(), L.ones(2, 3)[:, ::2].stride()),
        "stride": lambda L: (L.ones(2, 3).stride(0), L.ones(2, 3).stride(-1)),
        "offset": lambda L: (L.ones(2, 3)[1].storage_offset(), L.ones(2, 3).storage_offset()),
        "addresses": lambda L: ((x := L.ones(2, 3))[1].data_ptr() - x.data_ptr(), x.T.data_ptr() == x.data_ptr()),
        "copies": lambda L: (x := L.ones(2, 3)).clone().data_ptr() == x.data_ptr(),
        "same_size": lambda L: (L.ones(2).is_same_size(L.zeros(2)), L.ones(2).is_same_size(L.zeros(1))),
    },
)
ROWS += errors("Tensor.contiguous", {"stride_range": (lambda L: L.ones(2).stride(1), r"stride.*range")})
ROWS += rows(
    "is_tensor",
    {
        "tensor": lambda L: L.is_tensor(L.ones(2)),
        "parameter": lambda L: L.is_tensor(L.nn.Parameter(L.ones(2))),
        "others": lambda L: [L.is_tensor(x) for x in (1, [1], None, np.ones(1))],
    },
)

# ---- Tensor itself

ROWS += rows(
    "Tensor",
    {
        "list": lambda L: L.Tensor([1, 2]),
        "nested": lambda L: L.Tensor([[1, 2], [3, 4]]),
        "nothing": lambda L: L.Tensor(),
        "sizes": lambda L: (L.Tensor(2, 3).shape, L.Tensor(2, 3).dtype),
        "size": lambda L: L.Tensor(4).shape,
        "size_object": lambda L: L.Tensor(L.Size([2, 2])).shape,
        "tensor": lambda L: L.Tensor(L.ones(2)),
        "instance": lambda L: (isinstance(L.ones(1), L.Tensor), isinstance(L.nn.Parameter(L.ones(1)), L.Tensor)),
        "subclass": lambda L: issubclass(L.nn.Parameter, L.Tensor),
    },
)
ROWS += errors(
    "Tensor",
    {
        "text": (lambda L: L.Tensor("a"), r"Tensor.*str"),
        "ragged": (lambda L: L.Tensor([[1, 2], [3]]), r"Tensor"),
        "none": (lambda L: L.Tensor(None), r"Tensor.*None"),
    },
)

# ---- conversions

for name in ("float", "double", "long", "int", "bool", "half", "short", "char", "byte"):
    ROWS += rows(
        f"Tensor.{name}",
        {
            "every_dtype": lambda L, n=name: [getattr(L.tensor([0, 1, 3]).to(getattr(L, d)), n)() for d in DTYPES],
            "fractions": lambda L, n=name: getattr(L.tensor([0.0, 0.5, 1.9, 2.5]), n)(),
            "negative": lambda L, n=name: getattr(L.tensor([-1, -128, -0]), n)(),
            "zero_dim": lambda L, n=name: getattr(L.tensor(3), n)(),
            "empty": lambda L, n=name: getattr(L.zeros(0, 2), n)(),
            "transposed": lambda L, n=name: getattr(L.arange(6).view(2, 3).T, n)(),
        },
    )
ROWS += rows("Tensor.bool", {"nan": lambda L: L.tensor([NAN, INF, 0.0, -0.0]).bool()})
ROWS += rows(
    "Tensor.float",
    {
        "itself": lambda L: (x := L.ones(2)).float() is x,
        "gradient": lambda L: gradients(L, (x := tensor(L, 3, grad=True)).float() * 2, x),
        "gradient_half": lambda L: gradients(L, (x := tensor(L, 3, grad=True)).half() * 2, x),
        "text": lambda L: str(tensor(L, 2, grad=True).float()),
    },
)
ROWS += rows(
    "Tensor.double", {"gradient": lambda L: gradients(L, (x := L.ones(2, requires_grad=True)).double() * 2, x)}
)
ROWS += rows("Tensor.long", {"no_gradient": lambda L: L.ones(2, requires_grad=True).long()})
ROWS += rows(
    "Tensor.to",
    {
        "dtype": lambda L: L.ones(2).to(L.float64),
        "device": lambda L: L.ones(2).to("cpu"),
        "device_object": lambda L: L.ones(2).to(L.device("cpu")),
        "both": lambda L: L.ones(2).to("cpu", L.int32),
        "both_named": lambda L: L.ones(2).to(device="cpu", dtype=L.int32),
        "other": lambda L: L.ones(2).to(L.tensor([1])),
        "itself": lambda L: (x := L.ones(2), [x.to(how) is x for how in (L.float32, "cpu", x)])[1],
        "copy": lambda L: (x := L.ones(2)).to(L.float32, copy=True) is x,
        "positional_flags": lambda L: L.ones(2).to(L.float64, False, True),
        "non_blocking": lambda L: L.ones(2).to("cpu", non_blocking=True),
        "nothing": lambda L: L.ones(2).to(),
        "gradient": lambda L: gradients(L, (x := tensor(L, 3, grad=True)).to(L.float32) * 2, x),
        "gradient_copy": lambda L: gradients(L, (x := tensor(L, 3, grad=True)).to(L.float64, copy=True) * 2, x),
        "integers_lose_gradient": lambda L: tensor(L, 3, grad=True).to(L.int64).requires_grad,
        "wraps": lambda L: L.tensor([300, -1]).to(L.uint8),
        "parameter": lambda L: repr(L.nn.Parameter(L.ones(2)).to(L.float64)),
        "type_as": lambda L: L.ones(2).type_as(L.tensor([1])),
    },
)
ROWS += errors("Tensor.to", {"unknown_device": (lambda L: L.ones(2).to("abc"), r"device.*abc")})
ROWS += rows(
    "Tensor.cpu",
    {"itself": lambda L: (x := L.ones(2)).cpu() is x, "gradient": lambda L: L.ones(2, requires_grad=True).cpu()},
)
ROWS += rows(
    "Tensor.cuda",
    {
        "refuses_without_gpu": lambda L: (
            L.ones(2).cuda().cpu()
            if L.cuda.is_available()
            else L.ones(2) * (raised(lambda: L.ones(2).cuda()) != "nothing")
        )
    },
)
ROWS += rows(
    "Tensor.type",
    {
        "name": lambda L: [L.ones(1, dtype=getattr(L, d)).type() for d in DTYPES],
        "dtype": lambda L: L.ones(2).type(L.float64),
        "by_name": lambda L: L.ones(2).type("torch.DoubleTensor"),
        "by_name_long": lambda L: L.ones(2).type("torch.LongTensor"),
        "named": lambda L: L.ones(2).type(dtype=L.int32),
        "same": lambda L: (x := L.ones(2)).type(L.float32) is x,
    },
)
ROWS += errors("Tensor.type", {"unknown": (lambda L: L.ones(2).type("float64"), r"type.*float64")})
ROWS += rows(
    "Tensor.item",
    {
        "every_dtype": lambda L: [L.tensor(3).to(getattr(L, d)).item() for d in DTYPES],
        "one_element": lambda L: L.tensor([[2.5]]).item(),
        "of_recorded": lambda L: (L.ones(1, requires_grad=True) * 2).item(),
        "nan": lambda L: L.tensor(NAN).item(),
    },
)
ROWS += errors(
    "Tensor.item",
    {
        "many": (lambda L: L.ones(2).item(), r"item.*2 elements"),
        "none": (lambda L: L.ones(0).item(), r"item.*0 elements"),
    },
)
ROWS += rows(
    "Tensor.tolist",
    {
        "matrix": lambda L: L.arange(6).view(2, 3).tolist(),
        "floats": lambda L: L.tensor([0.1, 2.5], dtype=L.float64).tolist(),
        "bools": lambda L: L.tensor([True, False]).tolist(),
        "zero_dim": lambda L: L.tensor(1.5).tolist(),
        "empty": lambda L: L.zeros(2, 0).tolist(),
        "transposed": lambda L: L.arange(6).view(2, 3).T.tolist(),
        "recorded": lambda L: (L.ones(2, requires_grad=True) * 2).tolist(),
    },
)
ROWS += rows(
    "Tensor.numpy",
    {
        "values": lambda L: L.arange(6).view(2, 3).numpy(),
        "every_dtype": lambda L: [L.ones(2, dtype=getattr(L, d)).numpy() for d in DTYPES],
        "shares_memory": lambda L: ((x := L.zeros(3)).numpy().fill(2), x)[1],
        "sees_writes": lambda L: (a := (x := L.zeros(3)).numpy(), x.add_(1), a)[2],
        "zero_dim": lambda L: L.tensor(2.5).numpy(),
        "detached": lambda L: L.ones(2, requires_grad=True).detach().numpy(),
        "forced": lambda L: L.ones(2, requires_grad=True).numpy(force=True),
        "transposed": lambda L: L.arange(6).view(2, 3).T.numpy(),
    },
)
ROWS += errors(
    "Tensor.numpy",
    {
        "leaf": (lambda L: L.ones(2, requires_grad=True).numpy(), r"numpy.*detach"),
        "recorded": (lambda L: (L.ones(2, requires_grad=True) * 2).numpy(), r"numpy.*detach"),
    },
)
ROWS += rows(
    "Tensor.__array__",
    {
        "asarray": lambda L: np.asarray(L.tensor([1.0, 2.0])),
        "array": lambda L: np.array(L.tensor([1, 2])),
        "dtype": lambda L: np.array(L.tensor([1, 2]), dtype="float32"),
        "array_is_a_copy": lambda L: (np.array(x := L.zeros(2)).fill(1), x)[1],
        "asarray_shares": lambda L: (np.asarray(x := L.zeros(2)).fill(1), x)[1],
        "as_index": lambda L: np.arange(5)[L.tensor([1, 3])],
        "as_index_zero_dim": lambda L: int(np.arange(5)[L.tensor(3)]),
        "stack": lambda L: np.stack([L.ones(2), L.zeros(2)]),
        "ufunc": lambda L: np.sin(L.tensor([0.0, 1.0])),
        "ufunc_two": lambda L: np.add(np.ones(2), L.ones(2)),
        "numpy_scalar_left": lambda L: np.float64(2) * L.ones(2),
        "numpy_scalar_right": lambda L: L.ones(2) * np.float64(2),
        "numpy_float32_and_integers": lambda L: np.float32(2) * L.tensor([1, 2]),
        "numpy_int_power": lambda L: np.int64(2) ** L.tensor([1.0, 3.0]),
        "numpy_scalar_minus": lambda L: np.float64(2) - L.tensor([1, 2]),
        "array_right": lambda L: L.ones(2) + np.ones(2),
        "array_right_broadcast": lambda L: L.ones(2) * np.ones((3, 1)),
        "array_equal": lambda L: L.ones(2) == np.array([1.0, 2.0]),
        "tensor_of_numpy": lambda L: L.tensor(np.arange(3, dtype="int32")),
    },
)
ROWS += errors(
    "Tensor.__array__", {"requires_grad": (lambda L: np.asarray(L.ones(2, requires_grad=True)), r"numpy.*detach")}
)

# ---- Python

ROWS += rows(
    "Tensor.__iter__",
    {
        "vector": lambda L: list(L.tensor([1.0, 2.0])),
        "matrix": lambda L: list(L.arange(6).view(3, 2)),
        "unpacked": lambda L: given(lambda a, b: a - b, *L.tensor([1.0, 2.0])),
        "enumerated": lambda L: [(i, x.item()) for i, x in enumerate(L.tensor([5, 6]))],
        "zipped": lambda L: [(a + b).item() for a, b in zip(L.tensor([1, 2]), L.tensor([3, 4]), strict=True)],
        "gradient": lambda L: gradients(L, [*(x := tensor(L, 3, 2, grad=True))], x),
        "grad_fn": lambda L: repr(next(iter(L.ones(2, requires_grad=True) * 2))),
        "empty": lambda L: list(L.zeros(0)),
        "len": lambda L: (len(L.ones(3, 2)), len(L.ones(0))),
        "reversed": lambda L: [int(x) for x in reversed(L.arange(3))],
        "sum": lambda L: sum(L.tensor([1.0, 2.0])),
        "max": lambda L: max(L.tensor([1.0, 2.0])),
        "sorted": lambda L: sorted(L.tensor([2.0, 1.0])),
        "contains": lambda L: (1 in L.tensor([1, 2]), 3.0 in L.tensor([1, 2]), L.tensor(2) in L.tensor([1, 2])),
        "bool": lambda L: (bool(L.tensor(0.0)), bool(L.tensor([[2]])), bool(L.tensor(False)), bool(L.tensor(NAN))),
        "numbers": lambda L: (int(L.tensor(2.7)), float(L.tensor([3])), int(L.tensor([True])), complex(L.tensor(1.0))),
        "index": lambda L: (
            [1, 2, 3][L.tensor(1)],
            list(range(L.tensor(3))),
            "abc"[L.tensor([2])],
            "ab"[L.tensor(True)],
        ),
        "format": lambda L: (f"{L.tensor(1.5):.3f}", f"{L.tensor(3):5d}", f"{L.tensor([1.5])}", f"{L.tensor(2.5)}"),
        "percent": lambda L: "%.2f %d" % (L.tensor(1.5), L.tensor(3)),  # noqa: UP031
        "hash": lambda L: (len({(x := L.ones(1)), x}), len({L.ones(1), L.ones(1)})),
        "and": lambda L: bool(L.tensor(1) and L.tensor(0)),
        "while": lambda L: [x for x in [L.tensor(3)] if x > 2],
        "nonzero": lambda L: (L.tensor([1.0]).is_nonzero(), L.tensor(0).is_nonzero()),
    },
)
ROWS += errors(
    "Tensor.__iter__",
    {
        "zero_dim": (lambda L: list(L.tensor(1.0)), r"0-d"),
        "len_zero_dim": (lambda L: len(L.tensor(1.0)), r"0-d"),
        "bool_many": (lambda L: bool(L.ones(2)), r"ambiguous.*any.*\(2,\)"),
        "bool_none": (lambda L: bool(L.ones(0)), r"ambiguous"),
        "int_many": (lambda L: int(L.ones(2)), r"one element.*2"),
        "float_none": (lambda L: float(L.ones(0)), r"one element.*0"),
        "index_float": (lambda L: [1, 2][L.tensor(1.0)], r"integer"),
        "index_many": (lambda L: [1, 2][L.tensor([0, 1])], r"integer|index"),
        "contains_text": (lambda L: "a" in L.ones(2), r"contains.*str"),
        "contains_none": (lambda L: None in L.ones(2), r"contains.*None"),
        "format_many": (lambda L: f"{L.ones(2):.2f}", r"format"),
    },
)
TEXTS = {
    "empty": "T.tensor([])", "zero_dim": "T.tensor(1.5)", "zero_dim_int": "T.tensor(3)",
    "bools": "T.tensor([True, False])",
    "matrix": "T.arange(6.0).view(2, 3)", "three_dims": "T.arange(8).view(2, 2, 2)", "float64": "T.ones(2).double()",
    "int32": "T.ones(2).int()", "uint8": "T.ones(2).byte()", "half": "T.ones(2).half()",
    "nan": "T.tensor([1.0, float('nan')])",
    "infinity": "T.tensor([1.0, float('inf'), -2.5])", "small": "T.tensor([1e-8, 1.0])",
    "large": "T.tensor([1e9, 1.0])",
    "mixed_sizes": "T.tensor([0.5, 100.25])", "long": "T.arange(2000)", "wide": "T.arange(60.0).view(2, 30)",
    "many": "T.zeros(40, 40, 3)", "leaf": "T.ones(2, requires_grad=True)",
    "recorded": "T.ones(2, requires_grad=True) * 2",
    "recorded_zero_dim": "(T.ones(2, requires_grad=True) * 2).sum()", "empty_shape": "T.zeros(2, 0)",
    "recorded_double": "T.ones(2, dtype=T.float64, requires_grad=True) / 2", "int_division": "T.tensor([1, 2]) / 2",
    "parameter": "T.nn.Parameter(T.ones(2))", "frozen_parameter": "T.nn.Parameter(T.ones(2), requires_grad=False)",
    "detached": "(T.ones(2, requires_grad=True) * 2).detach()", "view": "T.ones(4, requires_grad=True).view(2, 2)",
    "negative_zero": "T.tensor([-0.0, 0.0])", "one_bool": "T.tensor(True)", "size_zero": "T.zeros(0, 3, dtype=T.int64)",
}  # fmt: skip
ROWS += rows(
    "Tensor.__repr__",
    {
        name: (lambda L, text=text: given(lambda x: (repr(x), str(x), f"{x!r}"), eval(text, {"T": L})))
        for name, text in TEXTS.items()
    },
)
ROWS += rows(
    "Tensor.__repr__",
    {
        "of_list": lambda L: repr([L.tensor(1.0), L.ones(2)]),
        "after_backward": lambda L: (y := (L.ones(2, requires_grad=True) * 2).sum(), y.backward(), repr(y))[2],
        "of_index_after_backward": lambda L: (y := L.ones(2, requires_grad=True)[0], y.backward(), repr(y))[2],
    },
)
GRAD_FNS = {
    "add": "x + 1", "radd": "1 + x", "sub": "x - 1", "rsub": "1 - x", "mul": "x * 2", "div": "x / 2", "rdiv": "2 / x",
    "neg": "-x", "pow": "x**2", "pow_tensors": "x**x", "rpow": "2**x", "square": "x.square()", "mod": "x % 2",
    "mod_tensors": "x % x", "floor_div": "x // 2", "abs": "x.abs()", "exp": "x.exp()", "log": "x.log()",
    "log2": "x.log2()", "log10": "x.log10()", "log1p": "x.log1p()", "expm1": "x.expm1()", "exp2": "x.exp2()",
    "sqrt": "x.sqrt()", "rsqrt": "x.rsqrt()", "reciprocal": "x.reciprocal()", "sin": "x.sin()", "cos": "x.cos()",
    "tan": "x.tan()", "atan": "x.atan()", "atan2": "x.atan2(x)", "sinh": "x.sinh()", "cosh": "x.cosh()",
    "tanh": "x.tanh()", "sigmoid": "x.sigmoid()", "relu": "x.relu()", "floor": "x.floor()", "ceil": "x.ceil()",
    "round": "x.round()", "round_decimals": "x.round(decimals=1)", "trunc": "x.trunc()", "frac": "x.frac()",
    "sign": "x.sign()", "clamp": "x.clamp(1, 2)", "clamp_min": "x.clamp_min(1)", "clamp_max": "x.clamp_max(1)",
    "clamp_tensor": "x.clamp(max=x.detach())", "matmul": "x @ x", "matrix_vector": "x @ x[0]",
    "vector_matrix": "x[0] @ x", "dot": "x[0] @ x[0]", "dot_function": "x[0].dot(x[1])", "mv": "x.mv(x[0])",
    "batched": "x.view(1, 2, 2) @ x.view(1, 2, 2)", "bmm": "x.view(1, 2, 2).bmm(x.view(1, 2, 2))",
    "outer": "x[0].outer(x[1])", "double": "x.float()", "clone": "x.clone()", "select": "x[0]", "slice": "x[1:]",
    "index": "x[[0]]", "mask": "x[x > 0]", "all": "x[:]", "ellipsis": "x[...]", "none": "x[None]",
    "gather": "x.gather(0, torch.tensor([[0, 0]]))", "index_select": "x.index_select(0, torch.tensor([0]))",
    "masked_select": "x.masked_select(x > 0)", "scatter": "x.scatter(0, torch.tensor([[0]]), x)",
    "scatter_number": "x.scatter(0, torch.tensor([[0]]), 1.0)",
    "scatter_add": "x.scatter_add(0, torch.tensor([[0]]), x)",
    "index_add": "x.index_add(0, torch.tensor([0]), x[:1])", "index_fill": "x.index_fill(0, torch.tensor([0]), 1.0)",
    "maximum": "torch.maximum(x, x)", "fmod": "x.fmod(2)", "t": "x.t()", "addmm_none": "x.mm(x)",
    "div_floor": "torch.div(x, 2, rounding_mode='floor')",
}  # fmt: skip
ROWS += rows(
    "Tensor.grad_fn",
    {
        f"of_{name}": (lambda L, t=text: repr(eval(t, {"x": tensor(L, 2, 2, low=1.0, grad=True), "torch": L})))
        for name, text in GRAD_FNS.items()
    },
)
ROWS += rows(
    "Tensor.grad_fn",
    {
        "leaf": lambda L: L.ones(2, requires_grad=True).grad_fn,
        "plain": lambda L: (L.ones(2) * 2).grad_fn,
        "no_grad": lambda L: L.no_grad()(lambda: (L.ones(2, requires_grad=True) * 2).grad_fn)(),
        "detached": lambda L: (L.ones(2, requires_grad=True) * 2).detach().grad_fn,
        "after_backward": lambda L: (y := L.ones(2, requires_grad=True).sum(), y.backward(), y.grad_fn is None)[2],
        "name": lambda L: type((L.ones(2, requires_grad=True) * 2).grad_fn).__name__.replace("Backward0", ""),
    },
)

# ---- copies

ROWS += rows(
    "Tensor.clone",
    {
        "values": lambda L: L.arange(3).clone(),
        "own_memory": lambda L: ((x := L.zeros(2)).clone().add_(1), x)[1],
        "gradient": lambda L: gradients(L, (x := tensor(L, 3, grad=True)).clone() * 2, x),
        "function": lambda L: L.clone(L.ones(2)),
        "transposed": lambda L: (y := tensor(L, 2, 3).T.clone(), y.shape)[0],
        "copy": lambda L: (y := copy.copy(L.ones(2, requires_grad=True)), y.is_leaf)[0],
        "copy_of_recorded": lambda L: (y := copy.copy(L.ones(2, requires_grad=True) * 2), y.is_leaf),
        "copy_shares": lambda L: (copy.copy(x := L.zeros(2)).add_(1), x)[1],
        "deepcopy": lambda L: (y := copy.deepcopy(x := L.ones(2, requires_grad=True)), y is x),
        "deepcopy_own_memory": lambda L: (copy.deepcopy(x := L.zeros(2)).add_(1), x)[1],
        "deepcopy_shared": lambda L: (y := copy.deepcopy([x := L.zeros(2), x]), y[0] is y[1])[1],
        "deepcopy_grad": lambda L: (x := tensor(L, 2, grad=True), x.sum().backward(), copy.deepcopy(x).grad)[2],
        "pickle": lambda L: pickle.loads(pickle.dumps(L.arange(3))),
        "pickle_leaf": lambda L: pickle.loads(pickle.dumps(L.ones(2, requires_grad=True))),
        "pickle_recorded": lambda L: (y := pickle.loads(pickle.dumps(L.ones(2, requires_grad=True) * 2)), y.is_leaf),
        "pickle_parameter": lambda L: repr(pickle.loads(pickle.dumps(L.nn.Parameter(L.ones(2))))),
    },
)
ROWS += errors(
    "Tensor.clone", {"deepcopy_of_recorded": (lambda L: copy.deepcopy(L.ones(2, requires_grad=True) * 2), r"detach")}
)
ROWS += rows(
    "Tensor.detach",
    {
        "values": lambda L: (L.ones(2, requires_grad=True) * 2).detach(),
        "shares_memory": lambda L: ((x := L.zeros(2, requires_grad=True)).detach().add_(1), x)[1],
        "leaf": lambda L: (L.ones(2, requires_grad=True) * 2).detach().is_leaf,
        "cuts": lambda L: gradients(L, (x := tensor(L, 3, grad=True)) * x.detach(), x),
        "in_place": lambda L: (y := L.ones(2, requires_grad=True) * 2, y.detach_() is y, y.is_leaf, y)[1:],
        "in_place_leaf": lambda L: L.ones(2, requires_grad=True).detach_(),
    },
)
ROWS += rows(
    "Tensor.data",
    {
        "values": lambda L: L.ones(2, requires_grad=True).data,
        "shares_memory": lambda L: ((x := L.zeros(2, requires_grad=True)).data.add_(1), x)[1],
        "assigned": lambda L: (x := L.zeros(2, requires_grad=True), setattr(x, "data", L.ones(3)), x)[2],
        "assigned_to_itself": lambda L: (x := L.zeros(2), setattr(x, "data", x * 2 + 1), x)[2],
        "assigned_other_dtype": lambda L: (x := L.zeros(2), setattr(x, "data", L.arange(2)), x)[2],
        "parameter": lambda L: (p := L.nn.Parameter(L.zeros(2)), p.data.fill_(3), p.data)[2],
    },
)
ROWS += errors(
    "Tensor.data",
    {
        "number": (lambda L: setattr(L.ones(2), "data", 5), r"data.*int"),
        "array": (lambda L: setattr(L.ones(2), "data", np.ones(2)), r"data.*ndarray"),
    },
)
ROWS += rows(
    "Tensor.type",
    {
        "new_zeros": lambda L: (L.ones(2).double().new_zeros(2, 3), L.ones(1).new_zeros((2,), dtype=L.int64)),
        "new_ones": lambda L: (L.arange(2).new_ones(2), L.ones(1).new_ones(2, requires_grad=True)),
        "new_full": lambda L: (L.ones(2).new_full((2, 1), 5), L.arange(2).new_full((2,), 5.5)),
        "new_empty": lambda L: (L.ones(2).new_empty(2, 0), L.ones(2).int().new_empty((0,)).dtype),
        "new_tensor": lambda L: (L.ones(2).new_tensor([1, 2]), L.ones(2).new_tensor([1.5], dtype=L.int32)),
    },
)
ROWS += errors(
    "Tensor.type", {"new_ones_integers": (lambda L: L.arange(2).new_ones(2, requires_grad=True), r"float.*int64")}
)

# ---- gradients

ROWS += rows(
    "Tensor.requires_grad",
    {
        "default": lambda L: L.ones(2).requires_grad,
        "assigned": lambda L: (x := L.ones(2), setattr(x, "requires_grad", True), (x * 2).requires_grad)[2],
        "switched_off": lambda L: (x := L.ones(2, requires_grad=True), setattr(x, "requires_grad", False), x * 2)[2],
        "propagates": lambda L: [
            ((x := L.ones(2, requires_grad=True)) * 2).requires_grad,
            (x > 0).requires_grad,
            x.long().requires_grad,
        ],
        "mixed": lambda L: (L.ones(2) + L.ones(2, requires_grad=True)).requires_grad,
        "no_grad": lambda L: L.no_grad()(lambda: (L.ones(2, requires_grad=True) * 2).requires_grad)(),
        "argmax": lambda L: L.ones(2, requires_grad=True).argmax().requires_grad,
    },
)
ROWS += rows(
    "Tensor.requires_grad_",
    {
        "on": lambda L: L.ones(2).requires_grad_(),
        "off": lambda L: L.ones(2, requires_grad=True).requires_grad_(False),
        "named": lambda L: L.ones(2).requires_grad_(requires_grad=True),
        "itself": lambda L: (x := L.ones(2)).requires_grad_() is x,
        "recorded_on": lambda L: (y := L.ones(2, requires_grad=True) * 2).requires_grad_() is y,
        "integers_off": lambda L: L.arange(2).requires_grad_(False),
    },
)
ROWS += errors(
    "Tensor.requires_grad_",
    {
        "integers": (lambda L: L.arange(2).requires_grad_(), r"requires_grad_.*float.*int64"),
        "bools": (lambda L: L.tensor([True]).requires_grad_(), r"requires_grad_.*float.*bool"),
        "recorded": (lambda L: (L.ones(2, requires_grad=True) * 2).requires_grad_(False), r"requires_grad_.*leaf"),
    },
)
ROWS += rows(
    "Tensor.is_leaf",
    {
        "all": lambda L: [
            L.ones(2).is_leaf,
            (x := L.ones(2, requires_grad=True)).is_leaf,
            (x * 2).is_leaf,
            (x * 2).detach().is_leaf,
            (L.ones(2) * 2).is_leaf,
            x.long().is_leaf,
            L.nn.Parameter(L.ones(2)).is_leaf,
        ]
    },
)


def walked(function):
    """A row: what is left of x = (2.0, 3.0) after function(L, x)."""

    def run(L):
        x = L.tensor([2.0, 3.0], requires_grad=True)
        return function(L, x), x.grad

    return run


ROWS += rows(
    "Tensor.backward",
    {
        "scalar": walked(lambda L, x: (x * x).sum().backward()),
        "one_element": walked(lambda L, x: (x[:1] * x[1:]).backward()),
        "gradient": walked(lambda L, x: (x * x).backward(L.tensor([1.0, 10.0]))),
        "gradient_named": walked(lambda L, x: (x * x).backward(gradient=L.tensor([1.0, 10.0]))),
        "gradient_of_scalar": walked(lambda L, x: (x * x).sum().backward(L.tensor(3.0))),
        "twice_adds": walked(lambda L, x: [(x * x).sum().backward(), (x * 3).sum().backward()]),
        "retain_graph": walked(lambda L, x: [(y := (x * x).sum()).backward(retain_graph=True), y.backward()]),
        "of_leaf": walked(lambda L, x: x.backward(L.ones(2))),
        "same_twice": walked(lambda L, x: (x * x * x + x).sum().backward()),
        "through_no_grad": walked(lambda L, x: ((x * x).detach() * x).sum().backward()),
        "branches": walked(lambda L, x: ((a := x * 2) * (x + a)).sum().backward()),
        "grad_keeps_dtype": lambda L: (
            x := L.ones(2, dtype=L.float64, requires_grad=True),
            x.float().sum().backward(),
            x.grad,
        )[2],
        "frozen": walked(lambda L, x: (f := L.ones(2), (x * f).sum().backward(), f.grad)[2]),
        "integers_between": walked(lambda L, x: (x * L.tensor([1, 2])).sum().backward()),
    },
)
ROWS += errors(
    "Tensor.backward",
    {
        "not_scalar": (walked(lambda L, x: (x * 2).backward()), r"backward.*scalar.*\(2,\)"),
        "no_grad": (lambda L: L.tensor(1.0).backward(), r"backward.*require"),
        "freed": (walked(lambda L, x: [(y := (x * x).sum()).backward(), y.backward()]), r"second time"),
        "shape": (walked(lambda L, x: (x * 2).backward(L.ones(3))), r"backward.*\(3,\).*\(2,\)"),
    },
)
ROWS += rows(
    "Tensor.grad",
    {
        "before": lambda L: L.ones(2, requires_grad=True).grad,
        "assigned": lambda L: (x := L.ones(2, requires_grad=True), setattr(x, "grad", L.zeros(2)), x.grad)[2],
        "assigned_none": walked(lambda L, x: (x.sum().backward(), setattr(x, "grad", None))[1]),
        "added_to": walked(lambda L, x: (setattr(x, "grad", L.ones(2)), x.sum().backward())[1]),
        "written": walked(lambda L, x: (x.sum().backward(), x.grad.zero_())[1]),
        "deleted": walked(lambda L, x: (x.sum().backward(), delattr(x, "grad"))[1]),
        "requires_no_grad": walked(lambda L, x: ((x * x).sum().backward(), x.grad.requires_grad)[1]),
        "of_recorded": walked(lambda L, x: ((y := x * 2).sum().backward(), y.grad)[1]),
    },
)
ROWS += errors(
    "Tensor.grad",
    {
        "shape": (lambda L: setattr(L.ones(2), "grad", L.ones(3)), r"grad.*\(3,\).*\(2,\)"),
        "dtype": (lambda L: setattr(L.ones(2), "grad", L.ones(2).double()), r"grad.*float64.*float32"),
        "number": (lambda L: setattr(L.ones(2), "grad", 1.0), r"grad.*float"),
    },
)
ROWS += rows(
    "Tensor.retain_grad",
    {
        "recorded": walked(lambda L, x: ((y := x * 2).retain_grad(), (y * y).sum().backward(), y.grad)[2]),
        "leaf": walked(lambda L, x: (x.retain_grad(), x.sum().backward())[1]),
        "twice": walked(lambda L, x: ((y := x * 2).retain_grad(), y.retain_grad(), y.sum().backward(), y.grad)[3]),
        "several": walked(
            lambda L, x: [(y := x * 2).retain_grad(), (z := y * 3).retain_grad(), z.sum().backward(), y.grad, z.grad]
        ),
    },
)
ROWS += errors("Tensor.retain_grad", {"plain": (lambda L: L.ones(2).retain_grad(), r"retain_grad.*requires_grad")})

# ---- hooks


def hooked(function):
    """A row: function(L, x, seen), where x is a recorded leaf; what the hooks have seen, and x's gradient."""

    def run(L):
        x, seen = tensor(L, 3, grad=True), []
        result = function(L, x, seen)
        return result, seen, x.grad

    return run


ROWS += rows(
    "Tensor.register_hook",
    {
        "sees": hooked(lambda L, x, seen: ((y := x * 2).register_hook(seen.append), (y * y).sum().backward())[1]),
        "changes": hooked(
            lambda L, x, seen: ((y := x * 2).register_hook(lambda g: g * 10), (y * y).sum().backward())[1]
        ),
        "two": hooked(
            lambda L, x, seen: (
                (y := x * 2).register_hook(lambda g: g + 1),
                y.register_hook(seen.append),
                (y * y).sum().backward(),
            )[2]
        ),
        "removed": hooked(
            lambda L, x, seen: (
                h := (y := x * 2).register_hook(lambda g: g * 10),
                h.remove(),
                (y * y).sum().backward(),
            )[1]
        ),
        "one_of_two_removed": hooked(
            lambda L, x, seen: (
                h := (y := x * 2).register_hook(lambda g: g * 10),
                y.register_hook(seen.append),
                h.remove(),
                (y * y).sum().backward(),
            )[2]
        ),
        "uses_before": hooked(
            lambda L, x, seen: (z := (y := x * 2).exp(), y.register_hook(seen.append), (z + y * y).sum().backward())[2]
        ),
        "sum_of_uses": hooked(
            lambda L, x, seen: ((y := x * 2).register_hook(lambda g: g * g), (y * y + y.exp()).sum().backward())[1]
        ),
        "root": hooked(lambda L, x, seen: ((y := (x * x).sum()).register_hook(lambda g: g * 3), y.backward())[1]),
        "every_walk": hooked(
            lambda L, x, seen: (
                (y := x * 2).register_hook(seen.append),
                (z := y.sum()).backward(retain_graph=True),
                z.backward(),
            )[2]
        ),
        "not_reached": hooked(lambda L, x, seen: ((x * 2).register_hook(seen.append), x.sum().backward())[1]),
        "text": hooked(lambda L, x, seen: ((y := x * 2).register_hook(seen.append), repr(y))[1]),
        "gradient_requires_none": hooked(
            lambda L, x, seen: ((y := x * 2).register_hook(lambda g: seen.append(g.requires_grad)), y.sum().backward())[
                1
            ]
        ),
    },
)
ROWS += errors(
    "Tensor.register_hook",
    {
        "plain": (lambda L: L.ones(2).register_hook(print), r"register_hook.*require"),
        "shape": (
            hooked(lambda L, x, seen: ((y := x * 2).register_hook(lambda g: g[:1]), y.sum().backward())[1]),
            r"register_hook.*\(1,\).*\(3,\)",
        ),
    },
)

# ---- in-place writes

FLOATS = [[0.5, 1.5, -2.5], [3.0, -0.25, 2.0]]


def written(function):
    """A row: function(x) of a plain tensor, of a view, and of a recorded tensor with its gradient; and what is in x."""

    def run(L):
        x, whole = L.tensor(FLOATS, dtype=L.float64), L.ones(3, 3, dtype=L.float64)
        returned = function(L, x)
        function(L, whole[:2])
        leaf = L.tensor(FLOATS, dtype=L.float64, requires_grad=True)
        y = leaf * 1
        function(L, y)
        return returned is x, x, whole, gradients(L, y, leaf) if y.requires_grad else y

    return run


IN_PLACE = {
    "add_": {
        "number": lambda L, x: x.add_(2),
        "tensor": lambda L, x: x.add_(L.ones(2, 3)),
        "row": lambda L, x: x.add_(L.arange(3)),
        "alpha": lambda L, x: x.add_(L.ones(3), alpha=-2),
        "other_dtype": lambda L, x: x.add_(L.ones(3).half()),
        "itself": lambda L, x: x.add_(x),
    },
    "mul_": {
        "number": lambda L, x: x.mul_(2),
        "tensor": lambda L, x: x.mul_(L.tensor(FLOATS)),
        "column": lambda L, x: x.mul_(L.tensor([[2.0], [3.0]])),
        "zero_dim": lambda L, x: x.mul_(L.tensor(3)),
    },
    "sub_": {
        "number": lambda L, x: x.sub_(2),
        "tensor": lambda L, x: x.sub_(L.ones(2, 3)),
        "alpha": lambda L, x: x.sub_(L.ones(3), alpha=3),
        "itself": lambda L, x: x.sub_(x),
    },
    "zero_": {"all": lambda L, x: x.zero_()},
    "fill_": {
        "number": lambda L, x: x.fill_(2.5),
        "int": lambda L, x: x.fill_(2),
        "bool": lambda L, x: x.fill_(True),
        "zero_dim": lambda L, x: x.fill_(L.tensor(3.0)),
        "integer_tensor": lambda L, x: x.fill_(L.tensor(3)),
        "infinity": lambda L, x: x.fill_(float("-inf")),
    },
    "copy_": {
        "tensor": lambda L, x: x.copy_(L.ones(2, 3)),
        "row": lambda L, x: x.copy_(L.arange(3)),
        "other_dtype": lambda L, x: x.copy_(L.tensor([True, False, True])),
        "zero_dim": lambda L, x: x.copy_(L.tensor(3.0)),
        "number": lambda L, x: x.copy_(3.5),
        "non_blocking": lambda L, x: x.copy_(L.ones(3), True),
        "transposed": lambda L, x: x.copy_(L.arange(6).view(3, 2).T),
    },
    "div_": {
        "number": lambda L, x: x.div_(2),
        "tensor": lambda L, x: x.div_(L.tensor(FLOATS)),
        "floor": lambda L, x: x.div_(2, rounding_mode="floor"),
    },
    "pow_": {"two": lambda L, x: x.pow_(2)},
    "clamp_": {
        "both": lambda L, x: x.clamp_(-1, 1),
        "min": lambda L, x: x.clamp_(min=0),
        "min_alone": lambda L, x: x.clamp_min_(0.5),
        "max_alone": lambda L, x: x.clamp_max_(0.5),
        "tensors": lambda L, x: x.clamp_(L.zeros(3).double(), L.ones(3).double()),
    },
    "neg_": {
        name: lambda L, x, n=name: getattr(x, n)()
        for name in (
            "neg_", "abs_", "exp_", "exp2_", "expm1_", "sin_", "cos_", "tan_", "tanh_", "sigmoid_", "relu_", "floor_",
            "ceil_", "round_", "trunc_", "frac_", "sign_", "square_", "reciprocal_",
        )
    },
    "lerp_": {"number": lambda L, x: x.lerp_(L.ones(2, 3).double(), 0.25)},
    "addcmul_": {"value": lambda L, x: x.addcmul_(L.ones(3).double(), L.ones(2, 3).double(), value=2)},
    "addcdiv_": {"value": lambda L, x: x.addcdiv_(L.ones(3).double(), L.full((2, 3), 4.0).double(), value=2)},
    "scatter_": {
        "tensor": lambda L, x: x.scatter_(1, L.tensor([[0, 2], [1, 0]]), L.ones(2, 2).double()),
        "number": lambda L, x: x.scatter_(0, L.tensor([[0, 1, 0]]), 5.0),
        "add": lambda L, x: x.scatter_add_(1, L.tensor([[0, 0], [1, 0]]), L.ones(2, 2).double()),
    },
    "index_add_": {
        "repeated": lambda L, x: x.index_add_(0, L.tensor([0, 0]), L.ones(2, 3).double()),
        "alpha": lambda L, x: x.index_add_(1, L.tensor([2]), L.ones(2, 1).double(), alpha=-2),
    },
    "index_fill_": {"columns": lambda L, x: x.index_fill_(1, L.tensor([0, 2]), 9.0)},
    "masked_fill_": {"number": lambda L, x: x.masked_fill_(L.tensor([True, False, True]), 9.0)},
}  # fmt: skip
for name, ways in IN_PLACE.items():
    ROWS += rows(f"Tensor.{name}", {special: written(run) for special, run in ways.items()})
ROWS += rows(
    "Tensor.add_",
    {
        "operator": written(lambda L, x: x.__iadd__(1)),
        "chained": written(lambda L, x: x.add_(1).mul_(2).sub_(L.ones(3))),
        "same_object": lambda L: (x := (y := L.ones(2)), x.__iadd__(1) is y)[1],
        "view_sees": lambda L: (x := L.zeros(3), v := x[1:], x.add_(1), v)[3],
        "integers": lambda L: L.arange(3).add_(2),
        "int8_wraps": lambda L: L.tensor([100], dtype=L.int8).add_(100),
        "bools": lambda L: L.tensor([True, False]).add_(L.tensor([True, True])),
        "float_from_integers": lambda L: L.ones(2).add_(L.arange(2)),
        "parameter_no_grad": lambda L: L.no_grad()(lambda: L.nn.Parameter(L.ones(2)).add_(1).data)(),
        "value_gradient": lambda L: gradients(L, (L.zeros(3).double()).add_(x := tensor(L, 3, grad=True)), x),
        "alpha_gradient": lambda L: gradients(L, (L.zeros(3).double()).add_(x := tensor(L, 3, grad=True), alpha=3), x),
    },
)
ROWS += rows(
    "Tensor.copy_",
    {
        "gradient": lambda L: gradients(L, (L.zeros(2, 3).double()).copy_(x := tensor(L, 3, grad=True)) * 2, x),
        "fill_gradient": lambda L: gradients(L, (L.zeros(2, 3).double()).fill_(x := tensor(L, grad=True)) * 2, x),
    },
)
OUT = {
    "zero_": lambda x, v: x.zero_(), "fill_": lambda x, v: x.fill_(1.0), "add_": lambda x, v: x.add_(1),
    "mul_": lambda x, v: x.mul_(2), "sub_": lambda x, v: x.sub_(v), "copy_": lambda x, v: x.copy_(v),
    "div_": lambda x, v: x.div_(2), "clamp_": lambda x, v: x.clamp_(0, 1), "exp_": lambda x, v: x.exp_(),
}  # fmt: skip
for name, write in OUT.items():
    ROWS += errors(
        f"Tensor.{name}", {"leaf": (lambda L, w=write: w(L.ones(2, requires_grad=True), L.ones(2)), rf"{name}.*leaf")}
    )
for name in ("add_", "mul_", "sub_", "div_", "copy_"):
    ROWS += errors(
        f"Tensor.{name}",
        {
            "stretched": (lambda L, n=name: getattr(L.ones(3), n)(L.ones(2, 3)), rf"{name}.*\(2, 3\)|{name}.*\(3,\)"),
            "shape": (lambda L, n=name: getattr(L.ones(3), n)(L.ones(2)), rf"{name}.*3.*2"),
            "text": (lambda L, n=name: getattr(L.ones(3), n)("a"), r"str"),
            "none": (lambda L, n=name: getattr(L.ones(3), n)(None), r"None"),
            "nothing": (lambda L, n=name: getattr(L.ones(3), n)(), r"missing|argument"),
        },
    )
for name in ("add_", "mul_", "sub_"):
    ROWS += errors(
        f"Tensor.{name}",
        {
            "integers_float": (lambda L, n=name: getattr(L.arange(3), n)(0.5), rf"{name}.*float.*int64"),
            "integers_float_tensor": (lambda L, n=name: getattr(L.arange(3), n)(L.ones(3)), rf"{name}.*float32.*int64"),
            "bools_integers": (lambda L, n=name: getattr(L.ones(2) > 0, n)(2), r"bool"),
        },
    )
ROWS += errors(
    "Tensor.div_",
    {"integers": (lambda L: L.arange(3).div_(2), r"div_.*float32.*int64")},
)
ROWS += errors(
    "Tensor.fill_",
    {
        "vector": (lambda L: L.ones(2).fill_(L.ones(1)), r"fill_.*\(1,\)"),
        "list": (lambda L: L.ones(2).fill_([1]), r"fill_.*list"),
        "none": (lambda L: L.ones(2).fill_(None), r"fill_.*None"),
        "too_large": (lambda L: L.ones(2, dtype=L.int8).fill_(300), r"fill_.*300.*int8.*127"),
        "nan_into_integers": (lambda L: L.arange(2).fill_(NAN), r"fill_.*nan"),
    },
)
ROWS += errors(
    "Tensor.exp_",
    {
        "integers": (lambda L: L.arange(2).exp_(), r"exp_.*float32.*int64"),
        "sqrt_integers": (lambda L: L.arange(2).sqrt_(), r"sqrt_.*float32.*int64"),
    },
)
for name, how in {"uniform_": (2.0, 3.0), "normal_": (1.0, 2.0)}.items():
    ROWS += rows(
        f"Tensor.{name}",
        {
            "seeded": lambda L, n=name: (L.manual_seed(3), getattr(L.zeros(7), n)())[1],
            "bounds": lambda L, n=name, h=how: (L.manual_seed(3), getattr(L.zeros(40), n)(*h))[1],
            "generator": lambda L, n=name: getattr(L.zeros(7), n)(generator=L.Generator().manual_seed(5)),
            "itself": lambda L, n=name: getattr(x := L.zeros(2), n)() is x,
        },
    )
    ROWS += errors(
        f"Tensor.{name}",
        {
            "integers": (lambda L, n=name: getattr(L.arange(3), n)(), r"int64"),
            "leaf": (lambda L, n=name: getattr(L.ones(3, requires_grad=True), n)(), rf"{name}.*leaf"),
        },
    )

# ---- recording on and off


def _doubled(L):
    return lambda: L.ones(2, requires_grad=True) * 2


def _inside(L, context):
    """A leaf and what is computed from it inside a context."""
    x = L.ones(2, requires_grad=True)
    with context:
        y = x * 2
    return x, y


def _nested(L):
    found = [L.is_grad_enabled()]
    with L.no_grad():
        found.append(L.is_grad_enabled())
        with L.enable_grad():
            found.append(L.is_grad_enabled())
            with L.set_grad_enabled(False):
                found.append(L.is_grad_enabled())
            found.append(L.is_grad_enabled())
        found.append(L.is_grad_enabled())
    return [*found, L.is_grad_enabled()]


def _after_error(L):
    try:
        with L.no_grad():
            raise ValueError
    except ValueError:
        return L.is_grad_enabled()


def _switched(L):
    L.set_grad_enabled(False)
    off = L.is_grad_enabled()
    L.set_grad_enabled(True)
    return off, L.is_grad_enabled()


ROWS += rows(
    "no_grad",
    {
        "context": lambda L: _inside(L, L.no_grad())[1],
        "decorator": lambda L: L.no_grad()(_doubled(L))().requires_grad,
        "decorator_bare": lambda L: L.no_grad(_doubled(L))().requires_grad,
        "nested": _nested,
        "after_error": _after_error,
    },
)
ROWS += rows(
    "enable_grad",
    {
        "inside_no_grad": lambda L: L.no_grad()(lambda: L.enable_grad()(_doubled(L))().requires_grad)(),
        "context": lambda L: _inside(L, L.enable_grad())[1],
        "decorator_bare": lambda L: L.no_grad()(lambda: L.enable_grad(_doubled(L))().requires_grad)(),
    },
)
ROWS += rows(
    "set_grad_enabled",
    {
        "function": _switched,
        "context": lambda L: (_inside(L, L.set_grad_enabled(False))[1], L.is_grad_enabled()),
        "context_on": lambda L: (_inside(L, L.set_grad_enabled(True))[1], L.is_grad_enabled()),
        "named": lambda L: (_inside(L, L.set_grad_enabled(mode=False))[1].requires_grad, L.is_grad_enabled()),
        "decorator": lambda L: (L.set_grad_enabled(False)(_doubled(L))().requires_grad, L.is_grad_enabled()),
    },
)
ROWS += rows("is_grad_enabled", {"nested": _nested})

# ---- equal and close

ROWS += rows(
    "equal",
    {
        "same": lambda L: L.equal(L.ones(2), L.ones(2)),
        "other": lambda L: L.equal(L.ones(2), L.zeros(2)),
        "shape": lambda L: L.equal(L.ones(2), L.ones(2, 1)),
        "dtypes": lambda L: L.equal(L.tensor([1, 2]), L.tensor([1.0, 2.0])),
        "nan": lambda L: L.equal(L.tensor([NAN]), L.tensor([NAN])),
        "empty": lambda L: L.equal(L.zeros(0), L.zeros(0)),
        "method": lambda L: L.ones(2).equal(L.ones(2)),
        "recorded": lambda L: L.equal(L.ones(2, requires_grad=True), L.ones(2)),
        "bools": lambda L: L.equal(L.tensor([True]), L.tensor([1])),
    },
)
ROWS += errors("equal", {"number": (lambda L: L.equal(L.ones(1), 1.0), r"equal.*float")})
ROWS += rows(
    "allclose",
    {
        "same": lambda L: L.allclose(L.ones(2), L.ones(2)),
        "near": lambda L: L.allclose(L.ones(2), L.ones(2) + 1e-6),
        "far": lambda L: L.allclose(L.ones(2), L.ones(2) + 1e-3),
        "rtol": lambda L: L.allclose(L.ones(2), L.ones(2) + 1e-3, rtol=1e-2),
        "atol": lambda L: L.allclose(L.zeros(2), L.full((2,), 1e-3), atol=1e-2),
        "positional": lambda L: L.allclose(L.ones(2), L.ones(2) + 1e-3, 0.0, 1e-2),
        "relative_to_other": lambda L: (
            L.allclose(L.tensor([1.0]), L.tensor([2.0]), rtol=0.5),
            L.allclose(L.tensor([2.0]), L.tensor([1.0]), rtol=0.5),
        ),
        "nan": lambda L: L.allclose(L.tensor([NAN]), L.tensor([NAN])),
        "equal_nan": lambda L: L.allclose(L.tensor([NAN]), L.tensor([NAN]), equal_nan=True),
        "infinities": lambda L: L.allclose(L.tensor([INF, -INF]), L.tensor([INF, -INF])),
        "opposite_infinities": lambda L: L.allclose(L.tensor([INF]), L.tensor([-INF])),
        "broadcast": lambda L: L.allclose(L.ones(1), L.ones(3, 2)),
        "integers": lambda L: L.allclose(L.tensor([1]), L.tensor([1])),
        "bools": lambda L: L.allclose(L.tensor([True]), L.tensor([True])),
        "method": lambda L: L.ones(2).allclose(L.ones(2)),
        "empty": lambda L: L.allclose(L.zeros(0), L.zeros(0)),
        "isclose": lambda L: L.isclose(L.tensor([1.0, 2.0]), L.tensor([1.0, 2.1]), rtol=0.01),
        "isclose_method": lambda L: L.tensor([1, 2]).isclose(L.tensor([1, 3]), rtol=0.5),
    },
)
ROWS += errors(
    "allclose",
    {
        "dtypes": (lambda L: L.allclose(L.ones(2), L.ones(2).double()), r"allclose.*float32.*float64"),
        "shapes": (lambda L: L.allclose(L.ones(2), L.ones(3)), r"allclose.*2.*3"),
        "number": (lambda L: L.allclose(L.ones(2), 1.0), r"allclose.*float"),
        "negative_rtol": (lambda L: L.allclose(L.ones(2), L.ones(2), rtol=-1), r"allclose.*-1"),
        "negative_atol": (lambda L: L.allclose(L.ones(2), L.ones(2), atol=-1), r"allclose.*-1"),
    },
)
