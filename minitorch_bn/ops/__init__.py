"""The math: one family of ops per file, Op classes above, the functions that users call below."""

from .activation import (
    celu,
    elu,
    hardtanh,
    leaky_relu,
    relu,
    relu6,
    selu,
    sigmoid,
    softsign,
    tanh,
    tanhshrink,
)
from .adaptive_pooling import adaptive_avg_pool2d, adaptive_max_pool2d
from .arithmetic import add, maximum, minimum, mul, neg, pos, pow, rpow, rsub, square, sub, where
from .axes import axis_of
from .batchnorm import batch_norm
from .blending import addcdiv, addcmul, lerp
from .cast import cast, clone, to_device
from .clamp import clamp, clamp_max, clamp_min
from .comparison import (
    allclose,
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    eq,
    equal,
    ge,
    gt,
    invert,
    isclose,
    le,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    lt,
    ne,
)
from .conv import conv2d
from .cumulative import cumprod, cumsum, prod
from .division import div, floor_divide, fmod, rdiv, remainder
from .drawing import Draw, bernoulli, laid_out_like, memory_order, multinomial
from .dropout import dropout, dropout1d, dropout2d
from .elementwise import abs, exp, exp2, expm1, isfinite, isinf, isnan, log, log1p, log2, log10, reciprocal, rsqrt, sqrt
from .embedding import embedding
from .erf import erf
from .extremes import ValuesAndIndices, amax, amin, argmax, argmin, max, median, min
from .groupnorm import group_norm
from .indexing import (
    gather,
    getitem,
    index_error,
    index_select,
    index_steps,
    leading_ones_off,
    masked_fill,
    one_hot,
    plain_index,
    put_index,
)
from .instancenorm import instance_norm
from .joining import cat, chunk, narrow, split, stack, unbind
from .layernorm import layer_norm
from .linear import addmm, bmm, dot, linear, matmul, mm, mv, outer
from .localresponsenorm import local_response_norm
from .loss import cross_entropy, nll_loss
from .norm import norm, normalize
from .ordering import argsort, bincount, histogram, sort, topk, unique
from .padding import pad
from .pooling import avg_pool2d, max_pool2d
from .probability_loss import binary_cross_entropy, binary_cross_entropy_with_logits, kl_div
from .promotion import check_broadcast
from .rearrange import diag, diagonal, flip, repeat, repeat_interleave, roll, tile, trace, tril, triu
from .reduction import all, any, count_nonzero, mean, std, std_mean, sum, var, var_mean
from .regression_loss import huber_loss, l1_loss, mse_loss, smooth_l1_loss
from .rmsnorm import rms_norm
from .rounding import ceil, floor, frac, round, sign, trunc
from .scatter import (
    index_add,
    index_fill,
    isin,
    masked_select,
    nonzero,
    scatter,
    scatter_add,
    take_along_dim,
)
from .shape import (
    all_transposed,
    expand,
    flatten,
    matrix_transposed,
    movedim,
    permute,
    reshape,
    sizes,
    squeeze,
    t,
    transpose,
    unflatten,
    unsqueeze,
    view,
)
from .smooth_activation import gelu, logsigmoid, mish, silu, softplus
from .softmax import log_softmax, logsumexp, softmax
from .trigonometry import acos, asin, atan, atan2, cos, cosh, sin, sinh, tan
