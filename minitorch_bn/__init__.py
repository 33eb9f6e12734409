"""minitorch_bn: PyTorch's interface, every gradient in readable NumPy, and BatchNorm that agrees with PyTorch's."""

from . import autograd, backend, backends, cuda, distributed, engine, nn, optim, random, utils
from .autograd import inference_mode, is_anomaly_check_nan_enabled, is_anomaly_enabled
from .backend import device
from .creation import (
    arange,
    as_tensor,
    asarray,
    contiguous_format,
    empty,
    empty_like,
    eye,
    from_numpy,
    full,
    full_like,
    linspace,
    logspace,
    meshgrid,
    ones,
    ones_like,
    preserve_format,
    strided,
    tensor,
    tril_indices,
    triu_indices,
    zeros,
    zeros_like,
)
from .drawing import normal, rand, rand_like, randint, randint_like, randn, randn_like, randperm
from .dtypes import (
    bool,
    double,
    dtype,
    float,
    float16,
    float32,
    float64,
    get_default_dtype,
    half,
    int,
    int8,
    int16,
    int32,
    int64,
    long,
    promote_types,
    set_default_dtype,
    short,
    uint8,
)
from .engine import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from .limits import finfo, iinfo
from .native import batch_norm, dropout, group_norm, instance_norm, layer_norm
from .ops import (
    abs,
    acos,
    add,
    addcdiv,
    addcmul,
    addmm,
    all,
    allclose,
    amax,
    amin,
    any,
    argmax,
    argmin,
    argsort,
    asin,
    atan,
    atan2,
    bernoulli,
    bincount,
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    bmm,
    cat,
    ceil,
    chunk,
    clamp,
    clamp_max,
    clamp_min,
    clone,
    conv2d,
    cos,
    cosh,
    count_nonzero,
    cumprod,
    cumsum,
    diag,
    diagonal,
    div,
    dot,
    eq,
    equal,
    erf,
    exp,
    exp2,
    expm1,
    flatten,
    flip,
    floor,
    floor_divide,
    fmod,
    frac,
    gather,
    ge,
    gt,
    histogram,
    index_add,
    index_fill,
    index_select,
    isclose,
    isfinite,
    isin,
    isinf,
    isnan,
    le,
    lerp,
    log,
    log1p,
    log2,
    log10,
    log_softmax,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    logsumexp,
    lt,
    masked_fill,
    masked_select,
    matmul,
    max,
    maximum,
    mean,
    median,
    min,
    minimum,
    mm,
    movedim,
    mul,
    multinomial,
    mv,
    narrow,
    ne,
    neg,
    nonzero,
    norm,
    outer,
    permute,
    pow,
    prod,
    reciprocal,
    relu,
    remainder,
    repeat_interleave,
    reshape,
    rms_norm,
    roll,
    round,
    rsqrt,
    rsub,
    scatter,
    scatter_add,
    sigmoid,
    sign,
    sin,
    sinh,
    softmax,
    sort,
    split,
    sqrt,
    square,
    squeeze,
    stack,
    std,
    std_mean,
    sub,
    sum,
    t,
    take_along_dim,
    tan,
    tanh,
    tile,
    topk,
    trace,
    transpose,
    tril,
    triu,
    trunc,
    unbind,
    unflatten,
    unique,
    unsqueeze,
    var,
    var_mean,
    where,
)
from .ops import abs as absolute
from .ops import clamp as clip
from .ops import div as divide
from .ops import div as true_divide
from .ops import ge as greater_equal
from .ops import gt as greater
from .ops import le as less_equal
from .ops import lt as less
from .ops import movedim as moveaxis
from .ops import mul as multiply
from .ops import ne as not_equal
from .ops import neg as negative
from .ops import pos as positive
from .ops import sub as subtract
from .ops import transpose as swapaxes
from .ops import transpose as swapdims
from .ops import trunc as fix
from .printing import set_printoptions
from .random import (
    Generator,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)
from .serialization import load, save
from .tensor import Size, Tensor

__version__ = "0.3.0"


def is_tensor(obj, /):
    """Whether `obj` is a Tensor."""
    return isinstance(obj, Tensor)


def is_floating_point(input):
    """Whether the elements of `input` are floating point numbers: Tensor.is_floating_point."""
    if not is_tensor(input):
        raise TypeError(f"is_floating_point: got {type(input).__name__}, wanted a Tensor")
    return input.is_floating_point()


def ravel(input):
    """The elements in one dimension: Tensor.ravel."""
    return input.ravel()


def numel(input):
    """The number of elements of `input`."""
    if not is_tensor(input):
        raise TypeError(f"numel: got {type(input).__name__}, wanted a Tensor")
    return input.numel()


def __getattr__(name):
    """Import a tool when it is first asked for: minitorch_bn.compare, minitorch_bn.debug."""
    if name in ("compare", "debug"):
        import importlib

        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
