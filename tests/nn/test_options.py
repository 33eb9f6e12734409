"""Every option of every layer beside PyTorch's: forward, gradients, buffers, keys of the state, repr, types of errors.

A table gives, for every layer, the values of its options and the shapes of inputs; all combinations are tried. Shapes
that a layer refuses are among them. What PyTorch 2.13 cannot do itself is left out, and said where.
"""

import itertools

import numpy as np
import pytest

import minitorch_bn as mt
from tests.nn.side_by_side import disagreement, leaf, normal

MODES = (True, False, True)  # train, eval, train
BOTH = [True, False]


def options(**values):
    """All combinations of options, as dicts."""
    return [dict(zip(values, chosen, strict=True)) for chosen in itertools.product(*values.values())]


def layer(kind, *args, **settings):
    """A function of a library that makes the layer, in float64 where it has parameters."""
    return lambda L: getattr(L.nn, kind)(*args, **settings)


def compare(torch, kind, shapes, table, *args, modes=MODES, typed=True, dtype="float64"):
    """All combinations of shapes and options; the differences, at most five of them, are the message."""
    found, tried = [], 0
    for shape, settings in itertools.product(shapes, table):
        values = settings
        if typed:
            make = lambda L, s=values: getattr(L.nn, kind)(*args, **s, dtype=getattr(L, dtype))
        else:
            make = layer(kind, *args, **values)
        inputs = shape if isinstance(shape, list) else [normal(*shape)]
        where = disagreement(torch, make, inputs, dtype, modes)
        tried += 1
        if where:
            found.append(f"{kind}{args}({values}) of {[x.shape for x in inputs]}: {where}")
    assert not found, f"{len(found)} of {tried} differ:\n" + "\n".join(found[:5])
    return tried


# ---- the norm family. Groups of one or two values are left out: their dx is 0 but for rounding, in both libraries.

SIZES = {"1d": [(5,), (0,)], "2d": [(2, 3), (0, 3)], "3d": [(2, 2, 3)]}
REFUSED = [(4, 2, 3), (5,), (4, 3, 2, 3, 2, 2), ()]


@pytest.mark.parametrize("kind", ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d"])
def test_batch_norm(torch, kind):
    shapes = [(n, 3, *size) for n in (4, 1, 0) for size in SIZES[kind[-2:]]] + REFUSED
    shapes += [(6, 3)] if kind == "BatchNorm1d" else []
    table = options(affine=BOTH, bias=BOTH, track_running_stats=BOTH, momentum=[0.1, None, 1.0], eps=[0.1])
    compare(torch, kind, shapes, table, 3)


def test_sync_batch_norm_of_one_process(torch):
    table = options(affine=BOTH, bias=BOTH, track_running_stats=BOTH, momentum=[0.1, None], eps=[1e-5, 0.5])
    compare(torch, "SyncBatchNorm", [(6, 3), (4, 3, 5), (2, 3, 2, 3), (0, 3), (1, 3), (3,)], table, 3)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # the mean over no samples
@pytest.mark.parametrize("kind", ["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"])
def test_instance_norm(torch, kind):
    sizes = SIZES[kind[-2:]]
    shapes = [(*n, 3, *size) for n in ((4,), (1,), (), (0,)) for size in sizes] + [(2, 3, *(1 for _ in sizes[0]))]
    table = options(affine=BOTH, bias=BOTH, track_running_stats=BOTH, momentum=[0.1, None, 1.0], eps=[0.1])
    compare(torch, kind, shapes + REFUSED, [s for s in table if s["affine"] or s["bias"]], 3)


def test_layer_norm(torch):
    table = options(elementwise_affine=BOTH, bias=BOTH, eps=[1e-5, 0.5, 1])
    for wanted, shapes in (
        (6, [(4, 6), (6,), (0, 6), (2, 3, 6), (4, 5), ()]),
        ((3, 6), [(2, 3, 6), (3, 6), (0, 3, 6), (6,), (2, 6, 3)]),
        ([2, 3, 4], [(2, 2, 3, 4), (2, 3, 4)]),
        ((0,), [(3, 0)]),
        ((), [(3,)]),
    ):
        compare(torch, "LayerNorm", shapes, table, wanted)


def test_rms_norm(torch):
    table = options(elementwise_affine=BOTH, eps=[None, 1e-5, 0.5, 1])
    for wanted, shapes in (
        (6, [(4, 6), (6,), (0, 6), (2, 3, 6), (4, 5), ()]),
        ((3, 6), [(2, 3, 6), (3, 6), (0, 3, 6), (6,), (2, 6, 3)]),
        ([2, 3, 4], [(2, 2, 3, 4), (2, 3, 4)]),
        ((), [(3,)]),
    ):
        compare(torch, "RMSNorm", shapes, table, wanted)


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
def test_group_norm(torch, groups):
    """Without affine there is no bias; a bias without a weight makes PyTorch's backward crash."""
    table = [s for s in options(affine=BOTH, bias=BOTH, eps=[1e-5, 0.5]) if s["affine"] or s["bias"]]
    shapes = [(2, 6, 4), (3, 6, 2, 3), (2, 6, 2, 1, 3), (0, 6, 4), (1, 6, 4), (6,), (2, 5, 4), (2, 12, 4)]
    compare(torch, "GroupNorm", shapes, table, groups, 6)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 9])
def test_local_response_norm(torch, size):
    table = options(alpha=[1e-4, 1.0], beta=[0.75, 1, 0, 2.0], k=[1.0, 2])
    compare(
        torch,
        "LocalResponseNorm",
        [(2, 5, 4), (2, 5, 3, 2), (2, 5, 1, 2, 2), (0, 5, 3), (2, 5)],
        table,
        size,
        typed=False,
    )


# ---- other layers


@pytest.mark.filterwarnings("ignore::UserWarning")  # PyTorch's, about padding='same' with even kernels
@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize(("channels", "groups"), [((4, 6), 1), ((4, 6), 2), ((4, 4), 4)])
def test_conv(torch, channels, groups, mode):
    table = options(
        kernel_size=[1, 3, (3, 2)],
        stride=[1, (2, 1)],
        padding=[0, (1, 2), "same", "valid"],
        dilation=[1, 2],
        bias=BOTH if mode == "zeros" else [True],
        groups=[groups],
        padding_mode=[mode],
    )
    compare(torch, "Conv2d", [(2, 4, 7, 6)], table, *channels, modes=(True,))
    few = options(kernel_size=[3], stride=[1, 2], padding=[0, 1], groups=[groups], padding_mode=[mode])
    compare(
        torch, "Conv2d", [(4, 5, 6), (0, 4, 5, 6), (2, 3, 5, 6), (2, 4, 2, 2), (5, 6)], few, *channels, modes=(True,)
    )


@pytest.mark.parametrize(("features", "bias"), list(itertools.product([(0, 3), (5, 1), (5, 3), (5, 0), (1, 1)], BOTH)))
def test_linear(torch, features, bias):
    n = features[0]
    compare(
        torch, "Linear", [(4, n), (n,), (2, 3, n), (0, n), (4, n + 1), ()], [{"bias": bias}], *features, modes=(True,)
    )


def test_embedding(torch):
    table = options(padding_idx=[None, 0, -1], max_norm=[None, 1.0], norm_type=[2.0, 1.0], scale_grad_by_freq=BOTH)
    rng = np.random.default_rng(0)
    indices = [rng.integers(0, 5, (4, 3)), np.array(2), np.zeros(0, int), np.array([1, 1, 1, 2], np.int32)]
    wrong = [np.array([5]), np.array([-1]), np.array([1.0]), np.array([True])]
    compare(torch, "Embedding", [[x] for x in indices + wrong], table, 5, 3, modes=(True,))


POOLED = [(2, 3, 6, 7), (3, 6, 7), (0, 3, 6, 7), (2, 0, 6, 7), (6, 7), (2, 3, 1, 1)]


@pytest.mark.parametrize("kernel_size", [1, 2, 3, (2, 3)])
def test_max_pool(torch, kernel_size):
    """Without dilation on (1, 1): PyTorch 2.13 then reads and writes outside of its arrays."""
    settings = {"kernel_size": [kernel_size], "stride": [None, 1, (2, 1)], "padding": [0, 1, (1, 0)], "ceil_mode": BOTH}
    both = {**settings, "return_indices": BOTH}
    compare(torch, "MaxPool2d", POOLED[:-1], options(**both, dilation=[1, 2]), modes=(True,), typed=False)
    compare(torch, "MaxPool2d", POOLED[-1:], options(**settings), modes=(True,), typed=False)


@pytest.mark.parametrize("kernel_size", [1, 2, 3, (2, 3)])
def test_avg_pool(torch, kernel_size):
    table = options(
        kernel_size=[kernel_size],
        stride=[None, 1, (2, 1)],
        padding=[0, 1, (1, 0)],
        ceil_mode=BOTH,
        count_include_pad=BOTH,
        divisor_override=[None, 3],
    )
    compare(torch, "AvgPool2d", POOLED, table, modes=(True,), typed=False)


@pytest.mark.parametrize("kind", ["AdaptiveAvgPool2d", "AdaptiveMaxPool2d"])
def test_adaptive_pool(torch, kind):
    """Without a result of size 0, whose gradient PyTorch refuses."""
    table = options(output_size=[1, 2, 3, (2, 3), (None, 2), (2, None), (None, None), 9])
    compare(torch, kind, POOLED[:3] + POOLED[5:], table, modes=(True,), typed=False)


@pytest.mark.filterwarnings("ignore::UserWarning")  # dropout of features on other ranks than PyTorch likes
@pytest.mark.parametrize("kind", ["Dropout", "Dropout1d", "Dropout2d"])
def test_dropout(torch, kind):
    """The same mask from the same seed."""
    shapes = [(6,), (5, 6), (2, 3, 4), (2, 3, 4, 5), (2, 3, 2, 2, 2), (0, 3)]
    compare(torch, kind, shapes, options(p=[0, 0.3, 0.5, 1]), modes=(True, False), typed=False, dtype="float32")


ACTIVATIONS = {
    "ReLU": options(),
    "ReLU6": options(),
    "Tanh": options(),
    "Sigmoid": options(),
    "SiLU": options(),
    "Mish": options(),
    "SELU": options(),
    "LogSigmoid": options(),
    "Identity": options(),
    "LeakyReLU": options(negative_slope=[0.01, 0.3, -1.0, 0]),
    "ELU": options(alpha=[1.0, 0.5, -1]),
    "GELU": options(approximate=["none", "tanh", "what"]),
    "Softplus": options(beta=[1, 2.0], threshold=[20, 1]),
    "Hardtanh": options(min_val=[-1.0, -0.2], max_val=[1.0, 0.3, -2]),
    "Softmax": options(dim=[0, 1, -1, 3]),
    "LogSoftmax": options(dim=[0, 1, -1, 3]),
    "Softmin": options(dim=[0, 1, -1, 3]),
    "Flatten": options(start_dim=[0, 1], end_dim=[-1, 1, 2]),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the logarithm of a sum of nothing
@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_activation(torch, kind):
    shapes = [(4, 3), (4,), (0, 3), (2, 3, 4), ()]
    for dtype in ("float64", "float32"):
        compare(torch, kind, shapes, ACTIVATIONS[kind], modes=(True,), typed=False, dtype=dtype)


RNG = np.random.default_rng(4)
SHARES = RNG.dirichlet([1, 1, 1], 5)
CLASSES = [
    [normal(5, 3), RNG.integers(0, 3, 5)],
    [normal(2, 3, 4), RNG.integers(0, 3, (2, 4))],
    [normal(2, 3, 2, 2), RNG.integers(0, 3, (2, 2, 2))],
    [normal(3), np.array(2)],
    [normal(5, 3), np.ones(5, int)],
    [normal(5, 3), RNG.integers(0, 3, 4)],
    [normal(5, 3), np.array([0, 1, 2, 3, 0])],
    [normal(5, 3), np.array([0, 1, 2, -1, 0])],
]
REDUCTIONS = ["mean", "sum", "none", "average"]
WEIGHT = [1.0, 2.0, 0.5]


def with_tensors(kind, **settings):
    """A loss whose lists become tensors of float64."""
    return lambda L: getattr(L.nn, kind)(
        **{k: L.tensor(v, dtype=L.float64) if isinstance(v, list) else v for k, v in settings.items()}
    )


def compare_losses(torch, kind, pairs, table):
    """As compare, for losses: pairs of prediction and target."""
    found = []
    for pair, settings in itertools.product(pairs, table):
        where = disagreement(torch, with_tensors(kind, **settings), pair)
        found += [f"{kind}({settings}) of {pair}: {where}"] if where else []
    assert not found, f"{len(found)} differ:\n" + "\n".join(found[:5])


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_losses_of_classes(torch, reduction):
    common = {"reduction": [reduction], "weight": [None, WEIGHT], "ignore_index": [-100, 1, 0]}
    compare_losses(torch, "NLLLoss", CLASSES, options(**common))
    pairs = [*CLASSES, [normal(5, 3), SHARES], [normal(3), SHARES[0]], [normal(0, 3), np.zeros(0, int)]]
    compare_losses(torch, "CrossEntropyLoss", pairs, options(**common, label_smoothing=[0.0, 0.1, 1.0, 2.0]))


REGRESSIONS = {
    "MSELoss": options(),
    "L1Loss": options(),
    "SmoothL1Loss": options(beta=[1.0, 2.0, 0.0, -1.0]),
    "HuberLoss": options(delta=[1.0, 0.3, 0.0]),
    "KLDivLoss": options(log_target=BOTH),
    "BCELoss": options(weight=[None, WEIGHT]),
    "BCEWithLogitsLoss": options(weight=[None, WEIGHT], pos_weight=[None, WEIGHT]),
}


@pytest.mark.parametrize("kind", REGRESSIONS)
@pytest.mark.filterwarnings("ignore::UserWarning")  # targets that broadcast, kl_div's mean
def test_losses_of_numbers(torch, kind):
    u = lambda *shape, seed: np.random.default_rng(seed).uniform(0.05, 0.95, shape)
    pairs = [[u(4, 3, seed=1), u(4, 3, seed=2)], [u(seed=3), u(seed=4)], [u(4, 3, seed=1), u(4, 2, seed=2)]]
    pairs += [] if kind == "BCELoss" else [[u(4, 3, seed=1), u(3, seed=2)]]
    reductions = REDUCTIONS[:3] + (["batchmean"] if kind == "KLDivLoss" else [])
    compare_losses(torch, kind, pairs, [{**s, "reduction": r} for s in REGRESSIONS[kind] for r in reductions])


# ---- the comparison itself

WRONG = {
    "too large": lambda g: g * (1 + 1e-6),
    "shifted": lambda g: np.roll(g, 1).copy(),
    "missing": lambda g: g * 0,
}
X, IMAGE = [normal(4, 3)], [normal(2, 3, 5, 4)]
ONE_OF_EACH = {  # name: how to make it, in float64; inputs
    "BatchNorm1d": (lambda L: L.nn.BatchNorm1d(3).double(), [normal(6, 3)]),
    "BatchNorm2d": (lambda L: L.nn.BatchNorm2d(3).double(), IMAGE),
    "SyncBatchNorm": (lambda L: L.nn.SyncBatchNorm(3).double(), [normal(6, 3)]),
    "BatchNorm_eval": (lambda L: L.nn.BatchNorm1d(3, track_running_stats=False).double().eval(), [normal(6, 3)]),
    "LayerNorm": (lambda L: L.nn.LayerNorm(5).double(), [normal(4, 5)]),
    "GroupNorm": (lambda L: L.nn.GroupNorm(2, 6).double(), [normal(3, 6, 4)]),
    "InstanceNorm1d": (lambda L: L.nn.InstanceNorm1d(3, affine=True).double(), [normal(2, 3, 5)]),
    "RMSNorm": (lambda L: L.nn.RMSNorm(5).double(), [normal(4, 5)]),
    "LocalResponseNorm": (lambda L: L.nn.LocalResponseNorm(3), [normal(2, 5, 4)]),
    "Conv2d": (lambda L: L.nn.Conv2d(3, 4, 2).double(), IMAGE),
    "Conv2d_groups": (lambda L: L.nn.Conv2d(3, 6, 2, 2, 1, 2, 3, padding_mode="reflect").double(), IMAGE),
    "Linear": (lambda L: L.nn.Linear(3, 2).double(), X),
    "Embedding": (lambda L: L.nn.Embedding(5, 3).double(), [np.array([[0, 3, 3], [1, 4, 0]])]),
    "MaxPool2d": (lambda L: L.nn.MaxPool2d(2), IMAGE),
    "AvgPool2d": (lambda L: L.nn.AvgPool2d(2), IMAGE),
    "AdaptiveAvgPool2d": (lambda L: L.nn.AdaptiveAvgPool2d(2), IMAGE),
    "AdaptiveMaxPool2d": (lambda L: L.nn.AdaptiveMaxPool2d(2), IMAGE),
    "Dropout": (lambda L: L.nn.Dropout(0.3), [normal(5, 6)]),
    "Dropout2d": (lambda L: L.nn.Dropout2d(0.3), IMAGE),
    "CrossEntropyLoss": (lambda L: L.nn.CrossEntropyLoss(), CLASSES[0]),
    "CrossEntropyLoss_shares": (lambda L: L.nn.CrossEntropyLoss(label_smoothing=0.1), [normal(5, 3), SHARES]),
    "NLLLoss": (lambda L: L.nn.NLLLoss(), CLASSES[0]),
}
ONE_OF_EACH |= {
    kind: (layer(kind, **table[0]), X) for kind, table in ACTIVATIONS.items() if kind not in ("Identity", "Flatten")
}
ONE_OF_EACH |= {
    kind: (with_tensors(kind, **table[0]), [np.abs(np.sin(normal(4, 3))), np.abs(np.cos(normal(4, 3)))])
    for kind, table in REGRESSIONS.items()
}


def gradients_of(make, inputs):
    """Every op that a layer applies, as its class, and the positions of the gradients that it gives."""
    y = make(mt)(*(leaf(mt, values) for values in inputs))
    for op in {type(t.op): t.op for t in mt.engine.graph(y)}.values():
        yield type(op), [i for i, needed in enumerate(op.needs) if needed]


@pytest.mark.filterwarnings("ignore::UserWarning")  # kl_div's mean
@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_wrong_gradients_are_noticed(torch, name, monkeypatch):
    """One gradient of one op a millionth too large, shifted by one element, or missing: a difference each time."""
    make, inputs = ONE_OF_EACH[name]
    assert not disagreement(torch, make, inputs)
    tried = 0
    for op, positions in gradients_of(make, inputs):
        right = op.backward
        for (what, change), i in itertools.product(WRONG.items(), positions):
            changed = []

            def backward(self, dy, right=right, i=i, change=change, changed=changed):
                grads = list(right(self, dy))
                wrong = change(grads[i])
                changed.append(not np.array_equal(wrong, grads[i]))
                return *grads[:i], wrong, *grads[i + 1 :]

            monkeypatch.setattr(op, "backward", backward)
            noticed = bool(disagreement(torch, make, inputs))
            assert noticed == any(changed), f"{op.__name__}: gradient {i} {what}"
            tried += any(changed)
        monkeypatch.setattr(op, "backward", right)
    assert tried >= 2
