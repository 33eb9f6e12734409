"""Initialisers: fill a tensor in place with draws that replay PyTorch's. Gradients are not recorded.

All draw from the default generator unless `generator` is given, and all return the tensor. What is equal bit for bit is
said in random.py; `orthogonal_` depends on the library that factorises matrices.

Source: Glorot & Bengio 2010 (xavier), He et al. 2015 (kaiming), Saxe et al. 2014 (orthogonal), Martens 2010 (sparse),
Zagoruyko & Komodakis 2017 (dirac); formulas and defaults as in PyTorch's torch.nn.init.
"""

import itertools
import math
import warnings

import numpy as np

from .. import creation, drawing, dtypes, ops
from ..engine import no_grad


def fan_in_and_fan_out(tensor):
    """How many inputs feed one output, and how many outputs one input feeds: for weights (out, in, *kernel).

    Raises
    ------
    ValueError
        If the tensor has fewer than two dimensions.

    >>> fan_in_and_fan_out(creation.zeros(8, 4, 3, 3))
    (36, 72)
    """
    if tensor.ndim < 2:
        raise ValueError(
            f"fan in and fan out can not be computed for tensor with fewer than 2 dimensions, got {tensor.shape}"
        )
    window = math.prod(tensor.shape[2:])
    return tensor.shape[1] * window, tensor.shape[0] * window


_calculate_fan_in_and_fan_out = fan_in_and_fan_out


def calculate_gain(nonlinearity, param=None):
    """The factor that keeps the variance through a nonlinearity: 1 for linear, 5/3 for tanh, sqrt(2) for ReLU.

    Parameters
    ----------
    nonlinearity : str
        "linear", "conv1d" to "conv3d", "conv_transpose1d" to "conv_transpose3d", "sigmoid", "tanh", "relu",
        "leaky_relu" or "selu".
    param : float, optional
        The slope of leaky_relu below 0, default 0.01.

    Raises
    ------
    ValueError
        If the nonlinearity is unknown, or the slope is no number.

    >>> calculate_gain("leaky_relu", 1.0)
    1.0
    """
    convolutions = [f"conv{kind}{n}d" for kind in ("", "_transpose") for n in (1, 2, 3)]
    if nonlinearity in ("linear", "sigmoid", *convolutions):
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, int | float):
            raise ValueError(f"calculate_gain: negative_slope {slope!r} is not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3.0 / 4
    raise ValueError(f"calculate_gain: Unsupported nonlinearity {nonlinearity}")


def uniform_(tensor, a=0.0, b=1.0, generator=None):
    """Draws from [a, b), bit for bit PyTorch's.

    Raises
    ------
    RuntimeError
        If a > b.
    NotImplementedError
        If the tensor is not floating point.
    """
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor, mean=0.0, std=1.0, generator=None):
    """Draws from the normal distribution.

    Raises
    ------
    RuntimeError
        If std < 0.
    NotImplementedError
        If the tensor is not floating point.
    """
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def constant_(tensor, val):
    """`val` everywhere."""
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor):
    """1 everywhere."""
    return constant_(tensor, 1.0)


def zeros_(tensor):
    """0 everywhere."""
    return constant_(tensor, 0.0)


def trunc_normal_(tensor, mean=0.0, std=1.0, a=-2.0, b=2.0, generator=None):
    """Draws from the normal distribution, those outside of [a, b] drawn anew.

    If more than three in ten draws would fall into [a, b], the whole tensor is drawn from the normal distribution until
    every place has had one of them. Otherwise candidates are drawn uniformly from [a, b], and each is accepted with the
    probability density / largest density in [a, b] (rejection sampling, von Neumann 1951). The comparison takes NumPy's
    log, so a candidate on the very edge may be accepted here and not in PyTorch.

    Warns if `mean` lies more than two `std` outside of [a, b].
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "trunc_normal_: mean is more than 2 std from [a, b]; the distribution of values may be incorrect",
            stacklevel=2,
        )
    inside = (math.erf((b - mean) / std / math.sqrt(2)) - math.erf((a - mean) / std / math.sqrt(2))) / 2
    if inside > 0.3:
        return _redraw_outside(tensor, mean, std, a, b, generator)
    return _accept_or_redraw(tensor, mean, std, a, b, generator)


@no_grad()
def _redraw_outside(tensor, mean, std, a, b, generator):
    """Draw again, all of them, and take those that are needed, until every value lies in [a, b]."""
    low, high = tensor.array.dtype.type(a), tensor.array.dtype.type(b)
    tensor.normal_(mean, std, generator=generator)
    while (outside := (tensor < low) | (tensor > high)).any():
        fresh = creation.empty_like(tensor).normal_(mean, std, generator=generator)
        tensor.copy_(ops.where(outside, fresh, tensor))
    return tensor


@no_grad()
def _accept_or_redraw(tensor, mean, std, a, b, generator):
    """Candidates uniform in [a, b]; those with log(u) > log(density / largest density) are drawn again."""
    mode = max(a, min(mean, b))
    log_peak = -0.5 * ((mode - mean) / std) ** 2
    pending = creation.ones_like(tensor, dtype=dtypes.bool)
    while pending.any():
        candidates = creation.empty_like(tensor).uniform_(a, b, generator=generator)
        tensor.copy_(ops.where(pending, candidates, tensor))
        log_density = ((candidates - mean) / std) ** 2 * -0.5 - log_peak
        with np.errstate(divide="ignore"):  # a draw of 0 has log -inf and is accepted
            log_u = ops.log(creation.empty_like(tensor).uniform_(generator=generator))
        pending = pending & (log_u > log_density)
    return tensor


def eye_(tensor):
    """1 on the diagonal of a matrix, 0 elsewhere: a linear layer starts as the identity.

    Raises
    ------
    ValueError
        If the tensor has not two dimensions.
    """
    if tensor.ndim != 2:
        raise ValueError(f"eye_: only tensors with 2 dimensions are supported, got shape {tuple(tensor.shape)}")
    with no_grad():
        return tensor.copy_(creation.eye(*tensor.shape, dtype=tensor.dtype))


def dirac_(tensor, groups=1):
    """1 in the centre of the kernel from every input channel to the output channel of the same number, 0 elsewhere.

    A convolution starts as the identity, as far as it has channels.

    Parameters
    ----------
    tensor : Tensor of shape (out_channels, in_channels, *kernel), of 3, 4 or 5 dimensions
    groups : int
        The output channels are split into so many groups, each of which starts with input channel 0.

    Raises
    ------
    ValueError
        If the tensor has another number of dimensions, or out_channels is no multiple of `groups`.
    """
    if tensor.ndim not in (3, 4, 5):
        raise ValueError(f"dirac_: only tensors with 3, 4 or 5 dimensions are supported, got {tuple(tensor.shape)}")
    if tensor.shape[0] % groups:
        raise ValueError(f"dirac_: dim 0 must be divisible by groups, got {tensor.shape[0]} and {groups}")
    per_group = tensor.shape[0] // groups
    centre = tuple(n // 2 for n in tensor.shape[2:])
    with no_grad():
        tensor.zero_()
        for group, channel in itertools.product(range(groups), range(min(per_group, tensor.shape[1]))):
            tensor[(group * per_group + channel, channel, *centre)] = 1
    return tensor


def xavier_uniform_(tensor, gain=1.0, generator=None):
    """Uniform in +-gain * sqrt(6 / (fan_in + fan_out)): keeps variances forward and gradients backward, on average.

    Parameters
    ----------
    tensor : Tensor of shape (out, in, *kernel)
    gain : float
        For the nonlinearity that follows, see `calculate_gain`.

    Raises
    ------
    ValueError
        If the tensor has fewer than two dimensions.

    Source: Glorot & Bengio 2010, eq. 16.
    """
    bound = math.sqrt(3.0) * gain * math.sqrt(2.0 / sum(fan_in_and_fan_out(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor, gain=1.0, generator=None):
    """Normal with standard deviation gain * sqrt(2 / (fan_in + fan_out)). Parameters and errors: `xavier_uniform_`.

    Source: Glorot & Bengio 2010, eq. 12.
    """
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(fan_in_and_fan_out(tensor))), generator)


def _kaiming_std(tensor, a, mode, nonlinearity):
    if mode.lower() not in ("fan_in", "fan_out"):
        raise ValueError(f"kaiming: Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    fan = fan_in_and_fan_out(tensor)[mode.lower() == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def _is_empty(tensor):
    """Whether there is nothing to fill; warns then, as PyTorch does."""
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
    return 0 in tensor.shape


def kaiming_uniform_(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu", generator=None):
    """Uniform in +-gain * sqrt(3 / fan).

    Parameters
    ----------
    tensor : Tensor of shape (out, in, *kernel)
    a : float
        The slope of leaky_relu below 0.
    mode : "fan_in" or "fan_out"
        Which variance is kept: that of the values on their way forward, or of the gradients on their way back.
    nonlinearity : str
        What follows, see `calculate_gain`.

    Raises
    ------
    ValueError
        If `mode` or `nonlinearity` is unknown, or the tensor has fewer than two dimensions.
    """
    if _is_empty(tensor):
        return tensor
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu", generator=None):
    """Normal with standard deviation gain / sqrt(fan). Parameters and errors: `kaiming_uniform_`."""
    if _is_empty(tensor):
        return tensor
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor, gain=1, generator=None):
    """`gain` times a random matrix with orthonormal rows or columns, whichever are fewer.

    The Q of the QR decomposition of a matrix of normal draws, each column with the sign that makes the diagonal of R
    positive: so the matrix is uniformly distributed (Mezzadri 2007, Notices of the AMS 54(5), section 5). The draws are
    PyTorch's; the decomposition is LAPACK's in float64, in PyTorch in the tensor's own dtype. The results agree to
    rounding times the condition number of the drawn matrix.

    Parameters
    ----------
    tensor : Tensor of shape (rows, *columns), float32 or float64
    gain : float

    Raises
    ------
    ValueError
        If the tensor has fewer than two dimensions.
    NotImplementedError
        If it is float16 or not floating point.
    """
    if tensor.ndim < 2:
        raise ValueError(f"orthogonal_: only tensors with 2 or more dimensions are supported, got {tensor.shape}")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    drawn = drawing.randn(rows, tensor.numel() // rows, dtype=tensor.dtype, generator=generator).array
    if drawn.dtype == np.float16:
        raise NotImplementedError("orthogonal_: not available for float16; fill a float32 tensor and copy it")
    wide = drawn.shape[0] < drawn.shape[1]
    q, r = np.linalg.qr((drawn.T if wide else drawn).astype(np.float64))
    q = q * np.sign(np.diagonal(r))
    with no_grad():
        tensor.copy_(creation.tensor((q.T if wide else q).reshape(tensor.shape)).to(tensor.dtype))
        return tensor.mul_(gain)


def sparse_(tensor, sparsity, std=0.01, generator=None):
    """Normal draws, and in every column a part of the rows, drawn at random, set to 0.

    As in PyTorch `generator` is for the normal draws only; the rows are drawn from the default generator.

    Parameters
    ----------
    tensor : Tensor of shape (rows, columns)
    sparsity : float
        The part of every column that becomes 0, rounded up to whole rows.

    Raises
    ------
    ValueError
        If the tensor has not two dimensions.
    """
    if tensor.ndim != 2:
        raise ValueError(f"sparse_: only tensors with 2 dimensions are supported, got shape {tuple(tensor.shape)}")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    with no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(columns):
            tensor[drawing.randperm(rows)[:zeros], column] = 0
    return tensor


def default_(weight, bias, generator=None):
    """What Linear and Conv2d start with: weight and bias uniform in +-1 / sqrt(fan_in), weight drawn first."""
    kaiming_uniform_(weight, a=math.sqrt(5), generator=generator)
    if bias is not None:
        fan_in, _ = fan_in_and_fan_out(weight)
        bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
        uniform_(bias, -bound, bound, generator)
