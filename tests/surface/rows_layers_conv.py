"""Rows about convolution, padding and pooling: layers and functions."""

import math

from .table import errors, gradients, rows, tensor

ROWS = []


# ---- what rows do


def convolved(L, args, shape, dtype="float64", seed=0, **settings):
    """A Conv2d with its own start values on a random input: result, all gradients, text, state."""
    L.manual_seed(7)
    layer = L.nn.Conv2d(*args, **settings, dtype=getattr(L, dtype))
    x = tensor(L, *shape, dtype=dtype, grad=True, seed=seed)
    return gradients(L, layer(x), x, *layer.parameters()), repr(layer), dict(layer.state_dict())


def started(L, *args, **settings):
    """A Conv2d's start values, its attributes, and the generator's next number."""
    L.manual_seed(3)
    layer = L.nn.Conv2d(*args, **settings)
    names = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "padding_mode")
    return dict(layer.state_dict()), [getattr(layer, name) for name in names], layer.bias is None, L.rand(2)


def conv(L, x, W, *args, b=None, dtype="float64", **settings):
    """functional.conv2d on random arrays of these shapes, with all gradients."""
    leaves = [tensor(L, *s, seed=i, dtype=dtype, grad=True) for i, s in enumerate((x, W) if b is None else (x, W, b))]
    return gradients(L, L.nn.functional.conv2d(*leaves, *args, **settings), *leaves)


def images(L, name, shape, *args, dtype="float64", **settings):
    """A function of nn.functional on random images, with the gradient of the first result."""
    x = tensor(L, *shape, dtype=dtype, grad=True)
    y = getattr(L.nn.functional, name)(x, *args, **settings)
    return gradients(L, y, x)


def layered(L, kind, args, shape, dtype="float64", **settings):
    """A pooling layer on random images: result, gradient, text, state."""
    layer = getattr(L.nn, kind)(*args, **settings)
    x = tensor(L, *shape, dtype=dtype, grad=True)
    return gradients(L, layer(x), x), repr(layer), dict(layer.state_dict())


def strided_images(L, function):
    """A function of images on a view with gaps and exchanged axes."""
    x = tensor(L, 2, 8, 3, 12, grad=True)
    return gradients(L, function(x.permute(0, 2, 1, 3)[:, :, ::2, 1::2]), x)


def one(L, *shape):
    """Ones."""
    return L.ones(*shape)


def fill(module):
    """The same parameters in both libraries, whatever they were drawn as."""
    for p in module.parameters():
        p.data.fill_(0.25)


def two_convolutions(L):
    """Two layers, an activation, a pooling and a mean: the gradients of all parameters."""
    L.manual_seed(1)
    nn = L.nn
    net = nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(3, 2, 2, stride=2), nn.Flatten()
    ).double()
    y = net(tensor(L, 2, 2, 8, 8))
    y.pow(2).mean().backward()
    return y, [p.grad for p in net.parameters()], list(net.state_dict())


def frozen(L):
    """A convolution whose weight wants no gradient, and one whose input wants none."""
    L.manual_seed(1)
    layer = L.nn.Conv2d(2, 3, 3, dtype=L.float64)
    layer.weight.requires_grad_(False)
    x = tensor(L, 1, 2, 4, 4, grad=True)
    layer(x).sum().backward()
    other = L.nn.Conv2d(2, 3, 3, dtype=L.float64)
    other(tensor(L, 1, 2, 4, 4)).sum().backward()
    return x.grad, layer.weight.grad, layer.bias.grad, other.weight.grad


def reset(L, layer):
    """State after reset_parameters() with a fixed seed."""
    L.manual_seed(11)
    layer.reset_parameters()
    return dict(layer.state_dict())


def copied(L):
    """Padding with nothing does not share memory."""
    x = L.zeros(3)
    L.nn.functional.pad(x, (0, 0)).add_(1)
    return x


def without_max_argument(L, kind, args, shape, how):
    """`layered`, where the layers' order of arguments is the functions' but for MaxPool2d's return_indices."""
    return layered(L, kind, args, shape, **how)


def pool_attributes(layer):
    """What a pooling layer remembers."""
    return {k: v for k, v in sorted(vars(layer).items()) if not k.startswith("_") and k != "training"}


def strange(L):
    """An image with nan and -infinity."""
    nan, inf = math.nan, math.inf
    return L.tensor([[[1.0, nan, 2, 2], [nan, 0, 2, 2], [-inf, -inf, 3, nan], [-inf, -inf, nan, nan]]]).requires_grad_()


def by_index(L):
    """The indices find the largest elements again."""
    x = tensor(L, 2, 3, 6, 6)
    y, index = L.nn.functional.max_pool2d(x, 3, 2, 1, return_indices=True)
    return (x.flatten(2).gather(2, index.flatten(2)).reshape(y.shape) == y).all()


# ---- Conv2d

ROWS += rows(
    "nn.Conv2d",
    {
        "plain": lambda L: convolved(L, (3, 4, 3), (2, 3, 6, 7)),
        "float32": lambda L: convolved(L, (3, 4, 3), (2, 3, 6, 7), "float32"),
        "kernel_pair": lambda L: convolved(L, (3, 4, (3, 2)), (2, 3, 6, 7)),
        "kernel_list": lambda L: convolved(L, (3, 4, [1, 2]), (2, 3, 6, 7)),
        "kernel_one": lambda L: convolved(L, (3, 4, 1), (2, 3, 6, 7)),
        "stride": lambda L: convolved(L, (3, 4, 3, 2), (2, 3, 6, 7)),
        "stride_pair": lambda L: convolved(L, (3, 4, 3, (1, 2)), (2, 3, 6, 7)),
        "padding": lambda L: convolved(L, (3, 4, 3, 1, 1), (2, 3, 6, 7)),
        "padding_pair": lambda L: convolved(L, (3, 4, 3, 1, (2, 0)), (2, 3, 6, 7)),
        "padding_same": lambda L: convolved(L, (3, 4, 3), (2, 3, 6, 7), padding="same"),
        "padding_same_even": lambda L: convolved(L, (3, 4, (2, 4)), (2, 3, 6, 7), padding="same"),
        "padding_same_dilated": lambda L: convolved(L, (3, 4, (2, 3)), (2, 3, 6, 7), padding="same", dilation=(3, 2)),
        "padding_valid": lambda L: convolved(L, (3, 4, 3), (2, 3, 6, 7), padding="valid", stride=2),
        "dilation": lambda L: convolved(L, (3, 4, 3), (2, 3, 8, 7), dilation=2),
        "dilation_pair": lambda L: convolved(L, (3, 4, 3), (2, 3, 8, 7), dilation=(3, 1)),
        "groups": lambda L: convolved(L, (4, 6, 3), (2, 4, 6, 7), groups=2),
        "depthwise": lambda L: convolved(L, (3, 6, 3), (2, 3, 6, 7), groups=3),
        "no_bias": lambda L: convolved(L, (3, 4, 3), (2, 3, 6, 7), bias=False),
        "bias_none": lambda L: repr(L.nn.Conv2d(3, 4, 3, bias=None)),
        "everything": lambda L: convolved(L, (4, 6, (3, 2), (2, 1), (1, 2), (1, 2), 2, False), (2, 4, 9, 8)),
        "everything_reflect": lambda L: convolved(L, (4, 6, 3, 2, 1, 2, 2, True, "reflect"), (2, 4, 9, 8)),
        "unbatched": lambda L: convolved(L, (3, 4, 3), (3, 6, 7)),
        "unbatched_same": lambda L: convolved(L, (3, 4, 3), (3, 6, 7), padding="same"),
        "empty_batch": lambda L: convolved(L, (3, 4, 3), (0, 3, 6, 7)),
        "one_pixel": lambda L: convolved(L, (3, 4, 3), (2, 3, 3, 3)),
        "device": lambda L: repr(L.nn.Conv2d(1, 2, 3, device="cpu").weight.device),
        "dtype_of_parameters": lambda L: [str(p.dtype) for p in L.nn.Conv2d(1, 2, 3, dtype=L.float16).parameters()],
        "requires_grad": lambda L: [p.requires_grad for p in L.nn.Conv2d(1, 2, 3).parameters()],
        "two_channels_to_half": lambda L: tuple(L.nn.Conv2d(3, 4, 3).double().weight.shape),
        "no_in_channels": lambda L: repr(L.nn.Conv2d(0, 4, 3)),
        "strided_input": lambda L: strided_images(L, L.nn.Conv2d(3, 2, 2, dtype=L.float64).apply(fill)),
        "in_a_row": two_convolutions,
        "frozen": frozen,
        "eval": lambda L: L.nn.Conv2d(1, 1, 1, dtype=L.float64).apply(fill).eval()(tensor(L, 1, 1, 2, 2)),
    },
    length=200,
)


for mode in ("zeros", "reflect", "replicate", "circular"):
    ROWS += rows(
        "nn.Conv2d",
        {
            f"{mode}": lambda L, m=mode: convolved(L, (3, 4, 3), (2, 3, 6, 7), padding=1, padding_mode=m),
            f"{mode}_pair": lambda L, m=mode: convolved(L, (3, 4, 3), (2, 3, 6, 7), padding=(2, 0), padding_mode=m),
            f"{mode}_same": lambda L, m=mode: convolved(
                L, (3, 4, (4, 3)), (2, 3, 6, 7), padding="same", padding_mode=m
            ),
            f"{mode}_valid": lambda L, m=mode: convolved(L, (3, 4, 3), (2, 3, 6, 7), padding="valid", padding_mode=m),
            f"{mode}_unbatched": lambda L, m=mode: convolved(L, (3, 4, 3), (3, 6, 7), padding=1, padding_mode=m),
            f"{mode}_stride": lambda L, m=mode: convolved(
                L, (3, 4, 3), (2, 3, 6, 7), padding=1, padding_mode=m, stride=2, dilation=(2, 1)
            ),
            f"{mode}_empty_batch": lambda L, m=mode: convolved(L, (3, 4, 3), (0, 3, 6, 7), padding=1, padding_mode=m),
        },
        length=200,
    )
ROWS += rows(
    "nn.Conv2d",
    {
        "start": lambda L: started(L, 3, 4, 3),
        "start_groups": lambda L: started(L, 4, 6, (3, 2), groups=2, padding="same"),
        "start_no_bias": lambda L: started(L, 3, 4, 3, bias=False, padding=1, padding_mode="circular"),
        "start_double": lambda L: started(L, 3, 4, 3, dtype=L.float64, stride=(2, 1), dilation=2),
        "start_again": lambda L: reset(L, L.nn.Conv2d(3, 4, 3)),
    },
    exact=True,
)


ROWS += errors(
    "nn.Conv2d",
    {
        "wrong_groups": (lambda L: L.nn.Conv2d(3, 4, 3, groups=2), r"Conv2d.*groups 2.*in_channels 3"),
        "groups_out": (lambda L: L.nn.Conv2d(4, 3, 3, groups=2), r"Conv2d.*out_channels 3"),
        "groups_zero": (lambda L: L.nn.Conv2d(4, 4, 3, groups=0), r"Conv2d.*positive"),
        "groups_negative": (lambda L: L.nn.Conv2d(4, 4, 3, groups=-1), r"Conv2d.*-1"),
        "padding_word": (lambda L: L.nn.Conv2d(4, 4, 3, padding="full"), r"Conv2d.*'full'.*'valid', 'same'"),
        "padding_mode": (lambda L: L.nn.Conv2d(4, 4, 3, padding_mode="mirror"), r"Conv2d.*padding_mode.*'mirror'"),
        "same_stride": (lambda L: L.nn.Conv2d(4, 4, 3, stride=2, padding="same"), r"Conv2d.*same.*strid"),
        "same_stride_pair": (lambda L: L.nn.Conv2d(4, 4, 3, (1, 2), "same"), r"Conv2d.*same.*strid"),
        "negative_in": (lambda L: L.nn.Conv2d(-1, 4, 3), r"-1"),
        "negative_out": (lambda L: L.nn.Conv2d(1, -4, 3), r"-4"),
        "negative_kernel": (lambda L: L.nn.Conv2d(1, 4, -3), r"-3"),
        "float_kernel": (lambda L: L.nn.Conv2d(1, 4, 3.0), r"."),
        "float_channels": (lambda L: L.nn.Conv2d(1.0, 4, 3), r"."),
        "integer_dtype": (lambda L: L.nn.Conv2d(1, 4, 3, dtype=L.int64), r"floating"),
        "kernel_missing": (lambda L: L.nn.Conv2d(1, 4), r"kernel_size"),
        "wrong_device": (lambda L: L.nn.Conv2d(1, 4, 3, device="gpu"), r"gpu"),
        "call_channels": (lambda L: L.nn.Conv2d(3, 4, 3)(one(L, 2, 4, 5, 5)), r"conv2d.*3 channels.*4"),
        "call_rank_2": (lambda L: L.nn.Conv2d(3, 4, 3)(one(L, 5, 5)), r"conv2d.*3D.*4D"),
        "call_rank_5": (lambda L: L.nn.Conv2d(3, 4, 3)(one(L, 1, 1, 3, 5, 5)), r"conv2d.*3D.*4D"),
        "call_dtype": (lambda L: L.nn.Conv2d(3, 4, 3)(one(L, 1, 3, 5, 5).double()), r"conv2d.*float64.*float32"),
        "call_integers": (lambda L: L.nn.Conv2d(3, 4, 3)(one(L, 1, 3, 5, 5).long()), r"conv2d.*int64.*float32"),
        "call_small": (lambda L: L.nn.Conv2d(3, 4, 3)(one(L, 1, 3, 2, 5)), r"conv2d.*Kernel size.*greater"),
        "call_small_dilated": (lambda L: L.nn.Conv2d(3, 4, 3, dilation=3)(one(L, 1, 3, 6, 8)), r"conv2d.*Kernel size"),
        "call_nothing": (lambda L: L.nn.Conv2d(3, 4, 1)(one(L, 1, 3, 0, 8)), r"conv2d.*Kernel size"),
        "call_stride_zero": (lambda L: L.nn.Conv2d(3, 4, 3, stride=0)(one(L, 1, 3, 5, 5)), r"conv2d.*stride \(0, 0\)"),
        "call_stride_three": (lambda L: L.nn.Conv2d(3, 4, 3, (1, 1, 1))(one(L, 1, 3, 5, 5)), r"conv2d.*stride"),
        "call_kernel_three": (lambda L: L.nn.Conv2d(3, 4, (3, 3, 3))(one(L, 1, 3, 5, 5)), r"conv2d"),
        "call_kernel_one_number": (lambda L: L.nn.Conv2d(3, 4, (3,))(one(L, 1, 3, 5, 5)), r"conv2d"),
        "call_kernel_zero": (lambda L: L.nn.Conv2d(3, 4, 0)(one(L, 1, 3, 5, 5)), r"conv2d.*kernel"),
        "call_dilation_zero": (lambda L: L.nn.Conv2d(3, 4, 3, dilation=0)(one(L, 1, 3, 5, 5)), r"conv2d.*dilation"),
        "call_padding_negative": (lambda L: L.nn.Conv2d(3, 4, 3, padding=-1)(one(L, 1, 3, 5, 5)), r"conv2d.*negative"),
        "call_no_filters": (lambda L: L.nn.Conv2d(3, 0, 3)(one(L, 1, 3, 5, 5)), r"conv2d.*0 filters"),
        "call_list": (lambda L: L.nn.Conv2d(3, 4, 3)([1.0]), r"conv2d.*list"),
        "call_reflect_small": (
            lambda L: L.nn.Conv2d(3, 4, 3, padding=5, padding_mode="reflect")(one(L, 1, 3, 5, 5)),
            r"pad.*at most 4.*reflect",
        ),
        "call_circular_small": (
            lambda L: L.nn.Conv2d(3, 4, 3, padding=6, padding_mode="circular")(one(L, 1, 3, 5, 5)),
            r"pad.*at most 5.*circular",
        ),
    },
)

# ---- functional.conv2d

ROWS += rows(
    "nn.functional.conv2d",
    {
        "plain": lambda L: conv(L, (2, 3, 6, 7), (4, 3, 3, 3)),
        "bias": lambda L: conv(L, (2, 3, 6, 7), (4, 3, 3, 3), b=(4,)),
        "float32": lambda L: conv(L, (2, 3, 6, 7), (4, 3, 3, 3), b=(4,), dtype="float32"),
        "positional": lambda L: L.nn.functional.conv2d(
            tensor(L, 2, 4, 9, 8), tensor(L, 6, 2, 3, 2, seed=1), tensor(L, 6, seed=2), (2, 1), (1, 2), (1, 2), 2
        ),
        "stride": lambda L: conv(L, (2, 3, 6, 7), (4, 3, 3, 3), stride=2),
        "stride_of_one": lambda L: conv(L, (2, 3, 6, 7), (4, 3, 3, 3), stride=(2,)),
        "stride_list": lambda L: conv(L, (2, 3, 6, 7), (4, 3, 3, 3), stride=[2, 1]),
        "padding": lambda L: conv(L, (2, 3, 6, 7), (4, 3, 3, 3), padding=2),
        "padding_pair": lambda L: conv(L, (2, 3, 6, 7), (4, 3, 3, 3), padding=(0, 2)),
        "padding_of_one": lambda L: conv(L, (2, 3, 6, 7), (4, 3, 3, 3), padding=(1,)),
        "same": lambda L: conv(L, (2, 3, 6, 7), (4, 3, 3, 3), padding="same"),
        "same_even": lambda L: conv(L, (2, 3, 6, 7), (4, 3, 4, 2), padding="same"),
        "valid": lambda L: conv(L, (2, 3, 6, 7), (4, 3, 3, 3), padding="valid"),
        "dilation": lambda L: conv(L, (2, 3, 8, 7), (4, 3, 3, 3), dilation=(2, 3)),
        "groups": lambda L: conv(L, (2, 4, 6, 7), (6, 2, 3, 3), groups=2),
        "unbatched": lambda L: conv(L, (3, 6, 7), (4, 3, 3, 3), b=(4,)),
        "empty_batch": lambda L: conv(L, (0, 3, 6, 7), (4, 3, 3, 3), b=(4,)),
        "integers": lambda L: L.nn.functional.conv2d(
            L.arange(16).reshape(1, 1, 4, 4), L.arange(4).reshape(1, 1, 2, 2), L.tensor([1])
        ),
        "int32": lambda L: L.nn.functional.conv2d(
            L.arange(16, dtype=L.int32).reshape(1, 1, 4, 4), L.ones(1, 1, 2, 2, dtype=L.int32)
        ),
        "float16": lambda L: L.nn.functional.conv2d(
            tensor(L, 1, 2, 4, 4, dtype="float16"), tensor(L, 3, 2, 3, 3, dtype="float16")
        ),
        "strided_input": lambda L: strided_images(
            L, lambda x: L.nn.functional.conv2d(x, tensor(L, 2, 3, 2, 2, seed=5), padding=1)
        ),
        "strided_weight": lambda L: L.nn.functional.conv2d(
            tensor(L, 2, 3, 6, 7), tensor(L, 3, 3, 6, 4).permute(1, 0, 3, 2)[:, :, ::2, ::3]
        ),
        "one_filter_everywhere": lambda L: L.nn.functional.conv2d(
            tensor(L, 1, 1, 3, 3), L.ones(1, 1, 1, 1).double() * 2
        ),
        "large": lambda L: conv(L, (4, 8, 16, 16), (8, 8, 3, 3), padding=1),
        "nan": lambda L: L.nn.functional.conv2d(L.tensor([[[[math.nan, 1.0, 2.0]]]]), L.ones(1, 1, 1, 2)),
        "name_of_grad_fn": lambda L: (
            repr(L.nn.functional.conv2d(tensor(L, 1, 1, 3, 3, grad=True), tensor(L, 1, 1, 2, 2)).grad_fn)
            .strip("<>")
            .split(" ")[0]
        ),
    },
    length=2000,
)
W = (4, 3, 3, 3)
ROWS += errors(
    "nn.functional.conv2d",
    {
        "channels": (lambda L: L.nn.functional.conv2d(one(L, 1, 2, 5, 5), one(L, *W)), r"conv2d.*3 channels.*2"),
        "channels_unbatched": (lambda L: L.nn.functional.conv2d(one(L, 2, 5, 5), one(L, *W)), r"conv2d.*3 channels.*2"),
        "rank_2": (lambda L: L.nn.functional.conv2d(one(L, 5, 5), one(L, *W)), r"conv2d.*3D.*4D"),
        "rank_5": (lambda L: L.nn.functional.conv2d(one(L, 1, 1, 3, 5, 5), one(L, *W)), r"conv2d.*3D.*4D"),
        "weight_rank": (lambda L: L.nn.functional.conv2d(one(L, 1, 3, 5, 5), one(L, 4, 3, 3)), r"conv2d.*4D weight"),
        "wrong_groups": (
            lambda L: L.nn.functional.conv2d(one(L, 1, 4, 5, 5), one(L, 3, 2, 3, 3), groups=2),
            r"conv2d.*3 filters.*2 groups",
        ),
        "groups_zero": (
            lambda L: L.nn.functional.conv2d(one(L, 1, 3, 5, 5), one(L, *W), groups=0),
            r"conv2d.*groups=0",
        ),
        "groups_negative": (
            lambda L: L.nn.functional.conv2d(one(L, 1, 3, 5, 5), one(L, *W), groups=-1),
            r"conv2d.*groups=-1",
        ),
        "fewer_filters_than_groups": (
            lambda L: L.nn.functional.conv2d(one(L, 1, 4, 5, 5), one(L, 1, 2, 3, 3), groups=2),
            r"conv2d.*groups=2, 1",
        ),
        "no_filters": (lambda L: L.nn.functional.conv2d(one(L, 1, 3, 5, 5), one(L, 0, 3, 3, 3)), r"conv2d.*0 filters"),
        "kernel_larger": (lambda L: L.nn.functional.conv2d(one(L, 1, 3, 2, 5), one(L, *W)), r"conv2d.*Kernel size"),
        "kernel_empty": (lambda L: L.nn.functional.conv2d(one(L, 1, 3, 2, 5), one(L, 4, 3, 0, 2)), r"conv2d.*kernel"),
        "no_pixels": (lambda L: L.nn.functional.conv2d(one(L, 1, 3, 0, 5), one(L, 4, 3, 1, 1)), r"conv2d.*Kernel size"),
        "stride_zero": (lambda L: L.nn.functional.conv2d(one(L, 1, 3, 5, 5), one(L, *W), stride=0), r"conv2d.*stride"),
        "stride_negative": (lambda L: L.nn.functional.conv2d(one(L, 1, 3, 5, 5), one(L, *W), stride=-1), r"conv2d.*-1"),
        "stride_float": (
            lambda L: L.nn.functional.conv2d(one(L, 1, 3, 5, 5), one(L, *W), stride=2.0),
            r"conv2d.*stride.*2.0",
        ),
        "stride_three": (
            lambda L: L.nn.functional.conv2d(one(L, 1, 3, 5, 5), one(L, *W), stride=(1, 1, 1)),
            r"conv2d.*stride.*\(1, 1, 1\)",
        ),
        "padding_three": (
            lambda L: L.nn.functional.conv2d(one(L, 1, 3, 5, 5), one(L, *W), padding=(1, 1, 1)),
            r"conv2d.*padding.*\(1, 1, 1\)",
        ),
        "padding_word": (
            lambda L: L.nn.functional.conv2d(one(L, 1, 3, 5, 5), one(L, *W), padding="all"),
            r"conv2d.*'all'",
        ),
        "padding_negative": (
            lambda L: L.nn.functional.conv2d(one(L, 1, 3, 5, 5), one(L, *W), padding=-1),
            r"conv2d.*padding",
        ),
        "padding_float": (
            lambda L: L.nn.functional.conv2d(one(L, 1, 3, 5, 5), one(L, *W), padding=1.5),
            r"conv2d.*padding.*1.5",
        ),
        "same_stride": (
            lambda L: L.nn.functional.conv2d(one(L, 1, 3, 5, 5), one(L, *W), stride=2, padding="same"),
            r"conv2d.*same.*strid",
        ),
        "dilation_zero": (
            lambda L: L.nn.functional.conv2d(one(L, 1, 3, 5, 5), one(L, *W), dilation=0),
            r"conv2d.*dilation",
        ),
        "dtype": (
            lambda L: L.nn.functional.conv2d(one(L, 1, 3, 5, 5).double(), one(L, *W)),
            r"conv2d.*float64.*float32",
        ),
        "integer_input": (
            lambda L: L.nn.functional.conv2d(one(L, 1, 3, 5, 5).long(), one(L, *W)),
            r"conv2d.*int64.*float32",
        ),
        "bools": (lambda L: L.nn.functional.conv2d(one(L, 1, 3, 5, 5) > 0, one(L, *W) > 0), r"conv2d.*bool"),
        "bias_length": (
            lambda L: L.nn.functional.conv2d(one(L, 1, 3, 5, 5), one(L, *W), one(L, 5)),
            r"conv2d.*bias.*\(5,\).*4",
        ),
        "bias_rank": (
            lambda L: L.nn.functional.conv2d(one(L, 1, 3, 5, 5), one(L, *W), one(L, 4, 1)),
            r"conv2d.*bias.*\(4, 1\)",
        ),
        "bias_dtype": (
            lambda L: L.nn.functional.conv2d(one(L, 1, 3, 5, 5), one(L, *W), one(L, 4).double()),
            r"conv2d.*bias.*float64",
        ),
        "wrong_list": (lambda L: L.nn.functional.conv2d([1.0], one(L, *W)), r"conv2d.*list"),
        "weight_missing": (lambda L: L.nn.functional.conv2d(one(L, 1, 3, 5, 5)), r"weight"),
        "weight_none": (lambda L: L.nn.functional.conv2d(one(L, 1, 3, 5, 5), None), r"conv2d.*None"),
    },
)

# ---- functional.pad

ROWS += rows(
    "nn.functional.pad",
    {
        "last": lambda L: images(L, "pad", (2, 3), (1, 2)),
        "list": lambda L: images(L, "pad", (2, 3), [1, 2]),
        "two": lambda L: images(L, "pad", (2, 3, 4), (1, 2, 0, 3)),
        "all": lambda L: images(L, "pad", (2, 3), (1, 2, 3, 4)),
        "value": lambda L: images(L, "pad", (2, 3), (1, 2), value=2.5),
        "value_positional": lambda L: images(L, "pad", (2, 3), (1, 2), "constant", 7),
        "value_none": lambda L: images(L, "pad", (2, 3), (1, 2), "constant", None),
        "value_infinite": lambda L: images(L, "pad", (2, 3), (1, 2), value=-math.inf),
        "nothing": lambda L: images(L, "pad", (2, 3), (0, 0)),
        "empty_widths": lambda L: images(L, "pad", (2, 3), ()),
        "negative": lambda L: images(L, "pad", (2, 5), (-1, -2)),
        "negative_mixed": lambda L: images(L, "pad", (4, 5), (-1, 2, 3, -2)),
        "negative_all": lambda L: images(L, "pad", (4, 5), (-3, -2)),
        "empty": lambda L: images(L, "pad", (0, 2), (1, 1)),
        "empty_filled": lambda L: images(L, "pad", (2, 0), (1, 1), value=3.0),
        "float32": lambda L: images(L, "pad", (2, 3), (1, 2), dtype="float32", value=0.1),
        "integers": lambda L: L.nn.functional.pad(L.arange(3), (1, 2), value=5),
        "integers_and_fraction": lambda L: L.nn.functional.pad(L.arange(3), (1, 2), value=1.5),
        "bools": lambda L: L.nn.functional.pad(L.tensor([True, False]), (1, 2)),
        "bools_true": lambda L: L.nn.functional.pad(L.tensor([True, False]), (1, 2), value=True),
        "bytes": lambda L: L.nn.functional.pad(L.tensor([1, 2], dtype=L.uint8), (1, 2), value=255),
        "zero_dim": lambda L: L.nn.functional.pad(L.tensor(1.0), ()),
        "is_a_copy": copied,
        "strided": lambda L: strided_images(L, lambda x: L.nn.functional.pad(x, (1, 2, 0, 1), value=1.0)),
        "five_dimensions": lambda L: images(L, "pad", (1, 2, 1, 2, 2), (1, 0, 0, 1, 1, 1, 0, 2, 1, 0)),
    },
)


for mode in ("reflect", "replicate", "circular"):
    ROWS += rows(
        "nn.functional.pad",
        {
            f"{mode}_one": lambda L, m=mode: images(L, "pad", (3, 5), (2, 3), m),
            f"{mode}_one_batched": lambda L, m=mode: images(L, "pad", (2, 3, 5), (2, 3), mode=m),
            f"{mode}_two": lambda L, m=mode: images(L, "pad", (3, 4, 5), (2, 3, 1, 0), m),
            f"{mode}_two_batched": lambda L, m=mode: images(L, "pad", (2, 3, 4, 5), (0, 3, 1, 2), m),
            f"{mode}_three": lambda L, m=mode: images(L, "pad", (2, 3, 4, 3), (1, 2, 2, 0, 1, 1), m),
            f"{mode}_three_batched": lambda L, m=mode: images(L, "pad", (1, 2, 3, 4, 3), (1, 2, 2, 0, 1, 1), m),
            f"{mode}_float32": lambda L, m=mode: images(L, "pad", (3, 5), (2, 3), m, dtype="float32"),
            f"{mode}_negative": lambda L, m=mode: images(L, "pad", (3, 5), (-2, 2), m),
            f"{mode}_negative_both": lambda L, m=mode: images(L, "pad", (3, 5), (-1, -2), m),
            f"{mode}_empty_batch": lambda L, m=mode: images(L, "pad", (0, 3, 5), (1, 2), m),
            f"{mode}_integers": lambda L, m=mode: L.nn.functional.pad(L.arange(4)[None], (2, 1), m),
            f"{mode}_value_zero": lambda L, m=mode: L.nn.functional.pad(L.arange(4)[None], (2, 1), m, 0),
            f"{mode}_strided": lambda L, m=mode: strided_images(L, lambda x: L.nn.functional.pad(x, (1, 2, 0, 1), m)),
            f"{mode}_list": lambda L, m=mode: images(L, "pad", (3, 5), [1, 1], m),
        },
    )
    ROWS += errors(
        "nn.functional.pad",
        {
            f"{mode}_vector": (lambda L, m=mode: L.nn.functional.pad(one(L, 5), (1, 1), m), rf"pad.*\(5,\).*{mode}"),
            f"{mode}_one_of_four": (
                lambda L, m=mode: L.nn.functional.pad(one(L, 1, 1, 5, 5), (1, 1), m),
                r"pad.*not supported",
            ),
            f"{mode}_two_of_two": (
                lambda L, m=mode: L.nn.functional.pad(one(L, 5, 5), (1, 1, 1, 1), m),
                r"pad.*not supported",
            ),
            f"{mode}_no_widths": (lambda L, m=mode: L.nn.functional.pad(one(L, 5, 5), (), m), r"pad.*not supported"),
            f"{mode}_odd": (lambda L, m=mode: L.nn.functional.pad(one(L, 5, 5), (1,), m), r"pad.*even"),
            f"{mode}_value": (lambda L, m=mode: L.nn.functional.pad(one(L, 5, 5), (1, 1), m, 1.0), r"pad.*value"),
            f"{mode}_all_cut": (
                lambda L, m=mode: L.nn.functional.pad(one(L, 5, 5), (-3, -3), m),
                r"pad.*leave nothing",
            ),
        },
    )
ROWS += rows(
    "nn.functional.pad",
    {
        "replicate_wide": lambda L: images(L, "pad", (2, 3), (7, 4), "replicate"),
        "circular_bools": lambda L: L.nn.functional.pad(L.tensor([[True, False]]), (1, 2), "circular"),
        "circular_once_around": lambda L: images(L, "pad", (2, 3), (3, 3), "circular"),
    },
)
ROWS += errors(
    "nn.functional.pad",
    {
        "odd": (lambda L: L.nn.functional.pad(one(L, 2, 3), (1,)), r"pad.*even.*\(1,\)"),
        "too_many": (lambda L: L.nn.functional.pad(one(L, 2, 3), (1,) * 6), r"pad.*at most 2"),
        "too_many_zero_dim": (lambda L: L.nn.functional.pad(L.tensor(1.0), (1, 1)), r"pad.*at most 0"),
        "too_negative": (lambda L: L.nn.functional.pad(one(L, 2, 3), (-2, -2)), r"pad.*cut off.*\(2, 3\)"),
        "int": (lambda L: L.nn.functional.pad(one(L, 2, 3), 1), r"pad.*ints.*1"),
        "floats": (lambda L: L.nn.functional.pad(one(L, 2, 3), (1.0, 1)), r"pad.*ints"),
        "mode": (lambda L: L.nn.functional.pad(one(L, 2, 3), (1, 1), "mirror"), r"pad.*mirror"),
        "input_list": (lambda L: L.nn.functional.pad([1.0], (1, 1)), r"pad.*list"),
        "reflect_wide": (lambda L: L.nn.functional.pad(one(L, 2, 3), (3, 0), "reflect"), r"pad.*at most 2.*\(3, 0\)"),
        "reflect_wide_right": (lambda L: L.nn.functional.pad(one(L, 2, 3), (0, 3), "reflect"), r"pad.*at most 2"),
        "reflect_bools": (lambda L: L.nn.functional.pad(L.tensor([[True, False]]), (1, 1), "reflect"), r"pad.*bool"),
        "reflect_no_channels": (lambda L: L.nn.functional.pad(one(L, 0, 3), (1, 1), "reflect"), r"pad.*non-zero"),
        "replicate_no_columns": (lambda L: L.nn.functional.pad(one(L, 2, 0), (1, 1), "replicate"), r"pad.*non-zero"),
        "circular_wide": (lambda L: L.nn.functional.pad(one(L, 2, 3), (4, 0), "circular"), r"pad.*at most 3.*\(4, 0\)"),
    },
)

# ---- pooling

POOLS = {
    "2": ((2,), {}),
    "pair": (((2, 3),), {}),
    "list": (([2, 1],), {}),
    "stride": ((3, 1), {}),
    "stride_pair": ((2,), {"stride": (1, 2)}),
    "stride_none": ((2, None), {}),
    "padding": ((3, 2, 1), {}),
    "padding_pair": (((3, 2), 1), {"padding": (1, 0)}),
    "ceil": ((2,), {"ceil_mode": True}),
    "ceil_padding": ((3, 2, 1), {"ceil_mode": True}),
    "ceil_stride": ((2, 3), {"ceil_mode": True}),
    "ceil_last_window_dropped": ((3, 3, 1), {"ceil_mode": True}),
    "one": ((1,), {}),
    "whole_image": (((6, 7),), {}),
    "whole_image_ceil": ((7,), {"ceil_mode": True}),
}
MAX_POOLS = {
    "dilation": ((2, 1, 0, 2), {}),
    "dilation_pair": ((2,), {"stride": 2, "dilation": (2, 3)}),
    "dilation_padding": ((3, 2, 1, 2), {}),
    "dilation_ceil": (((2, 3), (3, 2), (1, 1), (3, 2)), {"ceil_mode": True}),
}
AVG_POOLS = {
    "without_padding": ((3, 2, 1), {"count_include_pad": False}),
    "without_padding_ceil": ((3, 3, 1), {"count_include_pad": False, "ceil_mode": True}),
    "positional": ((3, 2, 1, True, False), {}),
    "divisor": ((2,), {"divisor_override": 3}),
    "divisor_negative": ((3, 2, 1), {"divisor_override": -2}),
    "divisor_ceil": ((3, 2, 1, True, True, 7), {}),
}
for layer, function, table in (
    ("MaxPool2d", "max_pool2d", POOLS | MAX_POOLS),
    ("AvgPool2d", "avg_pool2d", POOLS | AVG_POOLS),
):
    for name, (args, how) in table.items():
        for batch, shape in {"": (2, 3, 6, 7), "_unbatched": (3, 6, 7), "_empty_batch": (0, 3, 6, 7)}.items():
            ROWS += rows(
                f"nn.{layer}",
                {f"{name}{batch}": lambda L, k=layer, a=args, s=shape, h=how: without_max_argument(L, k, a, s, h)},
            )
            ROWS += rows(
                f"nn.functional.{function}",
                {f"{name}{batch}": lambda L, f=function, a=args, s=shape, h=how: images(L, f, s, *a, **h)},
            )
        ROWS += rows(
            f"nn.functional.{function}",
            {
                f"{name}_float32": lambda L, f=function, a=args, h=how: images(
                    L, f, (2, 3, 6, 7), *a, dtype="float32", **h
                ),
                f"{name}_strided": lambda L, f=function, a=args, h=how: strided_images(
                    L, lambda x: getattr(L.nn.functional, f)(L.nn.functional.pad(x, (0, 2, 0, 3)), *a, **h)
                ),
            },
        )


ROWS += rows(
    "nn.MaxPool2d",
    {
        "indices": lambda L: L.nn.MaxPool2d(2, return_indices=True)(tensor(L, 2, 3, 6, 7)),
        "indices_positional": lambda L: L.nn.MaxPool2d(3, 2, 1, 1, True, True)(tensor(L, 2, 3, 6, 7)),
        "attributes": lambda L: pool_attributes(L.nn.MaxPool2d((2, 3), padding=1)),
        "text": lambda L: repr(L.nn.MaxPool2d((2, 1), stride=(1, 2), padding=(1, 0), dilation=2, ceil_mode=True)),
        "integers": lambda L: L.nn.MaxPool2d(2)(L.arange(16).reshape(1, 4, 4)),
        "after_conv": lambda L: L.nn.Sequential(L.nn.MaxPool2d(2), L.nn.MaxPool2d(2))(tensor(L, 1, 2, 8, 8)),
    },
)
ROWS += rows(
    "nn.AvgPool2d",
    {
        "attributes": lambda L: pool_attributes(L.nn.AvgPool2d((2, 3), padding=1)),
        "text": lambda L: repr(L.nn.AvgPool2d(3, 2, 1, True, False, 4)),
        "integers": lambda L: L.nn.AvgPool2d(2)(L.arange(16).reshape(1, 4, 4)),
    },
)


ROWS += rows(
    "nn.functional.max_pool2d",
    {
        "indices": lambda L: L.nn.functional.max_pool2d(tensor(L, 2, 3, 6, 7), 2, return_indices=True),
        "indices_padding": lambda L: L.nn.functional.max_pool2d(tensor(L, 2, 3, 6, 7), 3, 2, 1, return_indices=True),
        "indices_dilation": lambda L: L.nn.functional.max_pool2d(
            tensor(L, 2, 3, 9, 8), (2, 3), 2, (1, 1), (2, 1), True, True
        ),
        "indices_unbatched": lambda L: L.nn.functional.max_pool2d(tensor(L, 3, 6, 7), 2, return_indices=True),
        "indices_are_a_tuple": lambda L: (
            type(L.nn.functional.max_pool2d(tensor(L, 3, 6, 7), 2, return_indices=True)).__name__
        ),
        "indices_gather": by_index,
        "indices_gradient": lambda L: gradients(
            L, L.nn.functional.max_pool2d(x := tensor(L, 1, 2, 4, 4, grad=True), 2, return_indices=True)[0], x
        ),
        "ties": lambda L: gradients(L, L.nn.functional.max_pool2d(x := L.ones(1, 4, 4).requires_grad_(), 3, 1, 1), x),
        "nan": lambda L: gradients(L, L.nn.functional.max_pool2d(x := strange(L), 2), x),
        "nan_indices": lambda L: L.nn.functional.max_pool2d(strange(L), 2, return_indices=True)[1],
        "minus_infinity": lambda L: gradients(
            L, L.nn.functional.max_pool2d(x := L.full((1, 4, 4), -math.inf).requires_grad_(), 3, 2, 1), x
        ),
        "integers": lambda L: L.nn.functional.max_pool2d(L.arange(16).reshape(1, 4, 4), 2),
        "integers_padded": lambda L: L.nn.functional.max_pool2d(L.arange(16).reshape(1, 4, 4) - 99, 3, 2, 1),
        "bytes_padded": lambda L: L.nn.functional.max_pool2d(L.arange(16, dtype=L.uint8).reshape(1, 4, 4), 3, 2, 1),
        "float16": lambda L: L.nn.functional.max_pool2d(tensor(L, 1, 4, 4, dtype="float16"), 2),
        "stride_empty": lambda L: images(L, "max_pool2d", (3, 6, 7), 2, ()),
        "name_of_grad_fn": lambda L: (
            repr(L.nn.functional.max_pool2d(tensor(L, 1, 1, 4, 4, grad=True), 2).grad_fn).strip("<>").split(" ")[0]
        ),
    },
)


ROWS += rows(
    "nn.functional.avg_pool2d",
    {
        "integers": lambda L: L.nn.functional.avg_pool2d(L.arange(16).reshape(1, 4, 4), 2),
        "negative_integers": lambda L: L.nn.functional.avg_pool2d(-L.arange(16).reshape(1, 4, 4), 2),
        "float16": lambda L: L.nn.functional.avg_pool2d(tensor(L, 1, 4, 4, dtype="float16"), 2),
        "nan": lambda L: L.nn.functional.avg_pool2d(strange(L), 2),
        "stride_empty": lambda L: images(L, "avg_pool2d", (3, 6, 7), 2, ()),
        "name_of_grad_fn": lambda L: (
            repr(L.nn.functional.avg_pool2d(tensor(L, 1, 1, 4, 4, grad=True), 2).grad_fn).strip("<>").split(" ")[0]
        ),
    },
)
for function in ("max_pool2d", "avg_pool2d"):
    ROWS += errors(
        f"nn.functional.{function}",
        {
            special: (lambda L, f=function, g=run: g(L, getattr(L.nn.functional, f)), rf"{function}.*{message}")
            for special, (run, message) in {
                "kernel_three": (lambda L, f: f(one(L, 1, 6, 6), (2, 2, 2)), r"kernel_size"),
                "kernel_zero": (lambda L, f: f(one(L, 1, 6, 6), 0), r"kernel \(0, 0\)"),
                "kernel_negative": (lambda L, f: f(one(L, 1, 6, 6), -1), r"kernel"),
                "kernel_float": (lambda L, f: f(one(L, 1, 6, 6), 2.0), r"kernel_size.*2.0"),
                "stride_zero": (lambda L, f: f(one(L, 1, 6, 6), 2, 0), r"stride \(0, 0\)"),
                "stride_negative": (lambda L, f: f(one(L, 1, 6, 6), 2, -1), r"stride"),
                "stride_three": (lambda L, f: f(one(L, 1, 6, 6), 2, (1, 1, 1)), r"stride"),
                "padding_wide": (lambda L, f: f(one(L, 1, 6, 6), 2, 2, 2), r"half"),
                "padding_wide_one": (lambda L, f: f(one(L, 1, 6, 6), (4, 3), 2, (2, 2)), r"half"),
                "padding_negative": (lambda L, f: f(one(L, 1, 6, 6), 2, 2, -1), r"padding"),
                "too_large": (lambda L, f: f(one(L, 1, 6, 6), 7), r"too small"),
                "too_large_ceil": (lambda L, f: f(one(L, 1, 6, 5), 7, 1, ceil_mode=True), r"too small"),
                "rank_5": (lambda L, f: f(one(L, 1, 1, 2, 6, 6), 2), r"3D.*4D"),
                "rank_2": (lambda L, f: f(one(L, 6, 6), 2), r"3D.*4D"),
                "rank_1": (lambda L, f: f(one(L, 6), 2), r"3D.*4D"),
                "no_channels": (lambda L, f: f(one(L, 2, 0, 6, 6), 2), r"size of 0"),
                "no_rows": (lambda L, f: f(one(L, 2, 1, 0, 6), 2), r"size of 0"),
                "no_channels_unbatched": (lambda L, f: f(one(L, 0, 6, 6), 2), r"size of 0"),
                "bools": (lambda L, f: f(one(L, 1, 6, 6) > 0, 2), r"bool"),
                "wrong_list": (lambda L, f: f([1.0], 2), r"list"),
            }.items()
        },
    )
    ROWS += errors(
        f"nn.functional.{function}",
        {"no_kernel": (lambda L, f=function: getattr(L.nn.functional, f)(one(L, 1, 6, 6)), r"kernel_size")},
    )
ROWS += errors(
    "nn.functional.avg_pool2d",
    {
        "divisor_zero": (
            lambda L: L.nn.functional.avg_pool2d(one(L, 1, 4, 4), 2, divisor_override=0),
            r"avg_pool2d.*divisor",
        ),
        "divisor_float": (
            lambda L: L.nn.functional.avg_pool2d(one(L, 1, 4, 4), 2, divisor_override=2.5),
            r"avg_pool2d.*divisor.*float",
        ),
        "bytes": (lambda L: L.nn.functional.avg_pool2d(L.ones(1, 4, 4, dtype=L.uint8), 2), r"avg_pool2d.*uint8"),
        "int32": (lambda L: L.nn.functional.avg_pool2d(L.ones(1, 4, 4, dtype=L.int32), 2), r"avg_pool2d.*int32"),
    },
)
ROWS += errors(
    "nn.functional.max_pool2d",
    {
        "padding_wide_dilated": (
            lambda L: L.nn.functional.max_pool2d(one(L, 1, 9, 9), 3, None, 2, 2),
            r"max_pool2d.*half",
        )
    },
)
ROWS += errors(
    "nn.MaxPool2d",
    {
        "no_kernel": (lambda L: L.nn.MaxPool2d(), r"kernel_size"),
        "wrong_padding": (lambda L: L.nn.MaxPool2d(2, padding=2)(one(L, 1, 1, 4, 4)), r"max_pool2d.*half"),
        "rank": (lambda L: L.nn.MaxPool2d(2)(one(L, 4, 4)), r"max_pool2d.*3D.*4D"),
        "too_small": (lambda L: L.nn.MaxPool2d(5)(one(L, 1, 1, 4, 4)), r"max_pool2d.*too small"),
        "bools": (lambda L: L.nn.MaxPool2d(2)(one(L, 1, 1, 4, 4) > 0), r"max_pool2d.*bool"),
    },
)
ROWS += errors(
    "nn.AvgPool2d",
    {
        "no_kernel": (lambda L: L.nn.AvgPool2d(), r"kernel_size"),
        "wrong_padding": (lambda L: L.nn.AvgPool2d(2, padding=2)(one(L, 1, 1, 4, 4)), r"avg_pool2d.*half"),
        "wrong_divisor": (lambda L: L.nn.AvgPool2d(2, divisor_override=0)(one(L, 1, 1, 4, 4)), r"avg_pool2d.*divisor"),
    },
)

# ---- adaptive pooling

SIZES = {
    "one": 1,
    "divides": (3, 7),
    "overlaps": (4, 3),
    "enlarges": (8, 9),
    "number": 2,
    "none_first": (None, 2),
    "none_last": (2, None),
    "none_both": (None, None),
    "list": [2, 3],
}
for layer, function in (("AdaptiveAvgPool2d", "adaptive_avg_pool2d"), ("AdaptiveMaxPool2d", "adaptive_max_pool2d")):
    for name, size in SIZES.items():
        ROWS += rows(
            f"nn.{layer}",
            {
                name: lambda L, k=layer, s=size: layered(L, k, (s,), (2, 3, 6, 7)),
                f"{name}_unbatched": lambda L, k=layer, s=size: layered(L, k, (s,), (3, 6, 7)),
            },
        )
        ROWS += rows(
            f"nn.functional.{function}",
            {
                name: lambda L, f=function, s=size: images(L, f, (2, 3, 6, 7), s),
                f"{name}_empty_batch": lambda L, f=function, s=size: images(L, f, (0, 3, 6, 7), s),
                f"{name}_float32": lambda L, f=function, s=size: images(L, f, (2, 3, 6, 7), s, dtype="float32"),
                f"{name}_strided": lambda L, f=function, s=size: strided_images(
                    L, lambda x: getattr(L.nn.functional, f)(x, s)
                ),
            },
        )
    ROWS += errors(
        f"nn.functional.{function}",
        {
            special: (lambda L, f=function, g=run: g(L, getattr(L.nn.functional, f)), rf"{function}.*{message}")
            for special, (run, message) in {
                "three": (lambda L, f: f(one(L, 1, 6, 6), (2, 2, 2)), r"output_size"),
                "single": (lambda L, f: f(one(L, 1, 6, 6), (2,)), r"output_size"),
                "none": (lambda L, f: f(one(L, 1, 6, 6), None), r"output_size.*None"),
                "float": (lambda L, f: f(one(L, 1, 6, 6), 2.0), r"output_size.*2.0"),
                "rank_1": (lambda L, f: f(one(L, 6), 2), r"3D.*4D"),
                "rank_2": (lambda L, f: f(one(L, 6, 6), 2), r"3D.*4D"),
                "rank_5": (lambda L, f: f(one(L, 1, 1, 1, 6, 6), 2), r"3D.*4D"),
                "no_pixels": (lambda L, f: f(one(L, 2, 3, 0, 5), 2), r"non-zero"),
                "integers": (lambda L, f: f(L.ones(1, 4, 4, dtype=L.int64), 2), r"int64"),
            }.items()
        },
    )
ROWS += rows(
    "nn.functional.adaptive_avg_pool2d",
    {
        "nothing": lambda L: L.nn.functional.adaptive_avg_pool2d(tensor(L, 2, 3, 6, 7), 0),
        "no_columns": lambda L: L.nn.functional.adaptive_avg_pool2d(tensor(L, 2, 3, 6, 7), (2, 0)),
        "no_channels": lambda L: L.nn.functional.adaptive_avg_pool2d(tensor(L, 2, 0, 6, 7), 2),
        "no_channels_unbatched": lambda L: L.nn.functional.adaptive_avg_pool2d(tensor(L, 0, 6, 7), 2),
        "name_of_grad_fn": lambda L: [
            repr(L.nn.functional.adaptive_avg_pool2d(tensor(L, 1, 1, 4, 4, grad=True), n).grad_fn)
            .strip("<>")
            .split(" ")[0]
            for n in (1, 2)
        ],
        "float16": lambda L: L.nn.functional.adaptive_avg_pool2d(tensor(L, 1, 4, 4, dtype="float16"), 2),
    },
)
ROWS += rows(
    "nn.functional.adaptive_max_pool2d",
    {
        "indices": lambda L: L.nn.functional.adaptive_max_pool2d(tensor(L, 2, 3, 6, 7), (4, 3), return_indices=True),
        "indices_unbatched": lambda L: L.nn.functional.adaptive_max_pool2d(tensor(L, 3, 6, 7), (4, 3), True),
        "ties": lambda L: L.nn.functional.adaptive_max_pool2d(L.ones(1, 5, 5), (2, 3), True),
        "nan": lambda L: L.nn.functional.adaptive_max_pool2d(strange(L), (3, 2), True),
    },
)
ROWS += rows(
    "nn.AdaptiveMaxPool2d",
    {
        "indices": lambda L: L.nn.AdaptiveMaxPool2d((4, 3), return_indices=True)(tensor(L, 2, 3, 6, 7)),
        "text": lambda L: repr(L.nn.AdaptiveMaxPool2d((None, 3), True)),
    },
)
ROWS += errors(
    "nn.functional.adaptive_avg_pool2d",
    {"negative": (lambda L: L.nn.functional.adaptive_avg_pool2d(one(L, 1, 6, 6), -1), r"adaptive_avg_pool2d.*-1")},
)
ROWS += errors(
    "nn.AdaptiveAvgPool2d",
    {
        "none": (lambda L: L.nn.AdaptiveAvgPool2d(None)(one(L, 1, 6, 6)), r"adaptive_avg_pool2d.*None"),
        "rank": (lambda L: L.nn.AdaptiveAvgPool2d(2)(one(L, 4, 4)), r"adaptive_avg_pool2d.*3D"),
        "argument": (lambda L: L.nn.AdaptiveAvgPool2d(), r"output_size"),
    },
)
