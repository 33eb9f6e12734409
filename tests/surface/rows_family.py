"""Rows about what scripts on norms and convnets found: functions under torch's own names, homes of layers, averages."""

from .table import errors, gradients, rows, tensor


def F(L):
    return L.nn.functional


def grad_fn(t):
    return repr(t.grad_fn).strip("<>").split(" ")[0]


# ---- torch.batch_norm and its kin: gamma and beta before the running statistics


def norms(L, name, training, grad=True, shape=(4, 3, 5)):
    """torch.batch_norm or torch.instance_norm with everything given: result, gradients, running statistics."""
    x = tensor(L, *shape, grad=grad)
    gamma, beta = (tensor(L, shape[1], seed=s, grad=grad) for s in (1, 2))
    mean, var = tensor(L, shape[1], seed=3), tensor(L, shape[1], seed=4, low=0.5)
    y = getattr(L, name)(x, gamma, beta, mean, var, training, 0.3, 1e-3, False)
    return gradients(L, y, x, gamma, beta) if grad else y, mean, var


def bare(L, name, x=None, *settings):
    """The same without gamma, beta and statistics, and `settings` for the last four arguments."""
    x = tensor(L, 4, 3, 5) if x is None else x
    return getattr(L, name)(x, None, None, None, None, *(settings or (True, 0.1, 1e-5, True)))


def by_name(L, name, which):
    x = tensor(L, 4, 3, 5)
    return getattr(L, name)(
        x, None, None, None, None, **{which: True}, momentum=0.1, eps=1e-5, cudnn_enabled=True
    )  # fmt: skip


ROWS = []
for name, which in (("batch_norm", "training"), ("instance_norm", "use_input_stats")):
    ROWS += rows(
        name,
        {
            "own_statistics": lambda L, n=name: norms(L, n, True),
            "given_statistics": lambda L, n=name: norms(L, n, False),
            "given_statistics_without_grad": lambda L, n=name: norms(L, n, False, grad=False),
            "images": lambda L, n=name: norms(L, n, True, shape=(2, 3, 4, 5)),
            "bare": lambda L, n=name: bare(L, n),
            "keywords": lambda L, n=name, w=which: by_name(L, n, w),
            "name_of_grad_fn": lambda L, n=name: grad_fn(bare(L, n, tensor(L, 4, 3, 5, grad=True))),
        },
    )
    ROWS += errors(
        name,
        {
            "arguments_missing": (lambda L, n=name: getattr(L, n)(tensor(L, 4, 3, 5), None, None), "missing"),
            "momentum_none": (lambda L, n=name: bare(L, n, None, True, None, 1e-5, True), r"momentum.*None.*layers"),
            "integers": (lambda L, n=name: bare(L, n, L.ones(4, 3, 5, dtype=L.int64)), "int64"),
            "no_tensor": (lambda L, n=name: bare(L, n, "x", True, 0.1, 1e-5, True), "str"),
            "weight_too_short": (
                lambda L, n=name: getattr(L, n)(
                    tensor(L, 4, 3, 5), tensor(L, 2), None, None, None, True, 0.1, 1e-5, True
                ),
                rf"{name}.*weight",
            ),
        },
    )
ROWS += errors(
    "batch_norm",
    {
        "vector": (lambda L: bare(L, "batch_norm", tensor(L, 4)), r"batch_norm.*\(N, C.*dim"),
        "one_statistic": (
            lambda L: L.batch_norm(tensor(L, 4, 3), None, None, tensor(L, 3), None, True, 0.1, 1e-5, True),
            "both be None",
        ),
    },
)
ROWS += rows(
    "layer_norm",
    {
        "shape": lambda L: L.layer_norm(tensor(L, 4, 3, 5), (3, 5)),
        "everything": lambda L: gradients(
            L,
            L.layer_norm(
                (x := tensor(L, 4, 5, grad=True)),
                [5],
                (w := tensor(L, 5, seed=1, grad=True)),
                (b := tensor(L, 5, seed=2, grad=True)),
                1e-3,
                True,
            ),
            x,
            w,
            b,
        ),
        "keywords": lambda L: L.layer_norm(
            input=tensor(L, 4, 5), normalized_shape=(5,), weight=None, bias=None, eps=0.1, cudnn_enable=False
        ),
    },
)
ROWS += errors(
    "layer_norm",
    {
        "int": (lambda L: L.layer_norm(tensor(L, 4, 5), 5), "layer_norm.*5"),
        "other_shape": (lambda L: L.layer_norm(tensor(L, 4, 5), [4]), r"\[4\]"),
        "empty_shape": (lambda L: L.layer_norm(tensor(L, 4, 5), []), "at least one"),
    },
)
ROWS += rows(
    "group_norm",
    {
        "groups": lambda L: L.group_norm(tensor(L, 4, 6, 5), 3),
        "everything": lambda L: gradients(
            L,
            L.group_norm(
                (x := tensor(L, 4, 6, 5, grad=True)),
                2,
                (w := tensor(L, 6, seed=1, grad=True)),
                (b := tensor(L, 6, seed=2, grad=True)),
                1e-3,
                True,
            ),
            x,
            w,
            b,
        ),
        "keywords": lambda L: L.group_norm(tensor(L, 4, 6, 5), num_groups=6, eps=0.1, cudnn_enabled=False),
    },
)
ROWS += errors(
    "group_norm",
    {
        "no_groups": (lambda L: L.group_norm(tensor(L, 4, 6), 0), "greater than 0, got 0"),
        "negative_groups": (lambda L: L.group_norm(tensor(L, 4, 6), -1), "greater than 0, got -1"),
        "float_groups": (lambda L: L.group_norm(tensor(L, 4, 6), 2.5), "must be an int"),
        "vector": (lambda L: L.group_norm(tensor(L, 6), 2), r"group_norm.*\(N, C.*dim"),
        "divisor": (lambda L: L.group_norm(tensor(L, 4, 6), 4), "divisible"),
    },
)
ROWS += rows(
    "rms_norm",
    {
        "shape": lambda L: L.rms_norm(tensor(L, 4, 5), (5,)),
        "weight_and_eps": lambda L: gradients(
            L,
            L.rms_norm((x := tensor(L, 4, 5, grad=True)), [5], (w := tensor(L, 5, seed=1, grad=True)), 1e-2),
            x,
            w,
        ),
    },
)
ROWS += errors("rms_norm", {"int": (lambda L: L.rms_norm(tensor(L, 4, 5), 5), "rms_norm.*5")})


def dropped(L, *arguments):
    L.manual_seed(7)
    return L.dropout(L.ones(3, 4), *arguments), L.rand(1)


ROWS += rows("dropout", {"train": lambda L: dropped(L, 0.4, True), "eval": lambda L: dropped(L, 0.4, False)})
ROWS += errors(
    "dropout",
    {
        "no_mode": (lambda L: L.dropout(L.ones(2), 0.5), "missing"),
        "too_much": (lambda L: L.dropout(L.ones(2), 1.5, True), "between 0 and 1"),
    },
)


# ---- pooling to one value


def pooled(L, size, *shape, name="adaptive_avg_pool2d"):
    x = tensor(L, *shape, grad=True)
    y = getattr(F(L), name)(x, size)
    return *gradients(L, y, x), grad_fn(y)


ROWS += rows(
    "nn.functional.adaptive_avg_pool2d",
    {
        "one_cell_of_a_matrix": lambda L: pooled(L, 1, 3, 4),
        "one_cell_of_an_image": lambda L: pooled(L, 1, 2, 3, 4),
        "one_cell_of_a_batch": lambda L: pooled(L, (1, 1), 2, 3, 4, 5),
        "one_cell_of_five_dimensions": lambda L: pooled(L, (1, 1), 2, 1, 3, 4, 5),
        "one_cell_of_none": lambda L: pooled(L, (None, 1), 2, 3, 1, 5),
        "one_cell_of_nothing": lambda L: F(L).adaptive_avg_pool2d(tensor(L, 2, 3, 0, 4), 1),
        "one_cell_of_no_image": lambda L: F(L).adaptive_avg_pool2d(tensor(L, 0, 3, 2, 4), 1),
        "one_cell_float16": lambda L: F(L).adaptive_avg_pool2d(tensor(L, 2, 3, 9, 9, dtype="float16"), 1),
    },
)
ROWS += rows("nn.AdaptiveAvgPool2d", {"matrix": lambda L: L.nn.AdaptiveAvgPool2d(1)(tensor(L, 3, 4))})
ROWS += errors(
    "nn.functional.adaptive_avg_pool2d",
    {
        "one_cell_of_a_vector": (lambda L: F(L).adaptive_avg_pool2d(tensor(L, 4), 1), "out of range"),
        "one_cell_of_integers": (lambda L: F(L).adaptive_avg_pool2d(L.ones(4, 4, dtype=L.int64), 1), "int64"),
        "pair_for_a_matrix": (lambda L: F(L).adaptive_avg_pool2d(tensor(L, 3, 4), (1, 1)), "too few dimensions"),
        "two_columns_of_a_matrix": (lambda L: F(L).adaptive_avg_pool2d(tensor(L, 3, 4), 2), "3D.*4D"),
    },
)
for name in ("adaptive_avg_pool2d", "adaptive_max_pool2d"):
    ROWS += errors(
        f"nn.functional.{name}",
        {
            "none_for_a_vector": (lambda L, n=name: getattr(F(L), n)(tensor(L, 6), None), "output_size.*None"),
            "none_for_five_dimensions": (
                lambda L, n=name: getattr(F(L), n)(tensor(L, 1, 1, 1, 6, 6), None),
                "output_size.*None",
            ),
            "bool": (lambda L, n=name: getattr(F(L), n)(tensor(L, 1, 6, 6), True), "output_size.*True"),
            "word": (lambda L, n=name: getattr(F(L), n)(tensor(L, 1, 6, 6), "a"), "output_size.*'a'"),
        },
    )


# ---- dropout of everything, kinds of dropout

ROWS += rows(
    "nn.functional.dropout2d",
    {
        "everything_of_a_vector": lambda L: F(L).dropout2d(L.ones(3), 1.0),
        "everything_of_a_number": lambda L: F(L).dropout2d(L.tensor(2.0), 1.0),
        "everything_of_integers": lambda L: F(L).dropout2d(L.tensor([2, 3]), 1.0),
        "everything_in_place": lambda L: (x := L.ones(3), F(L).dropout2d(x, 1.0, True, True))[0],
    },
)
ROWS += errors(
    "nn.functional.dropout2d",
    {"half_of_a_vector": (lambda L: F(L).dropout2d(L.ones(3), 0.5), "at least 2 dimensions")},
)
ROWS += rows("nn.Dropout2d", {"everything_of_a_vector": lambda L: L.nn.Dropout2d(1.0)(L.ones(3))})

LAYERS = """
    Linear Conv2d Dropout Dropout1d Dropout2d BatchNorm1d BatchNorm2d BatchNorm3d InstanceNorm1d InstanceNorm2d
    InstanceNorm3d SyncBatchNorm GroupNorm LayerNorm RMSNorm LocalResponseNorm ReLU ReLU6 Hardtanh Softmax MaxPool2d
    AvgPool2d AdaptiveAvgPool2d AdaptiveMaxPool2d NLLLoss CrossEntropyLoss MSELoss L1Loss BCELoss BCEWithLogitsLoss
    Sequential ModuleList ModuleDict Flatten Identity Embedding
""".split()


def kinds_of_layers(L):
    """Which layer is a kind of which other: what isinstance says in scripts."""
    classes = {name: getattr(L.nn, name) for name in LAYERS}
    return {a: [b for b in classes if issubclass(classes[a], classes[b])] for a in classes}


def kinds_of_bases(L):
    """Which layers scripts find that ask for PyTorch's base classes."""
    bases = "batchnorm._NormBase batchnorm._BatchNorm instancenorm._InstanceNorm conv._ConvNd dropout._DropoutNd"
    found = {}
    for base in (bases + " loss._Loss loss._WeightedLoss module.Module").split():
        place, name = base.split(".")
        kind = getattr(getattr(L.nn.modules, place), name)
        found[base] = [layer for layer in LAYERS if issubclass(getattr(L.nn, layer), kind)]
    return found


def imported(L):
    """Layers found by an import statement."""
    import importlib

    place = importlib.import_module(f"{L.__name__}.nn.modules.batchnorm")
    norms = importlib.import_module(f"{L.__name__}.nn.modules.normalization")
    return place.BatchNorm2d is L.nn.BatchNorm2d, [
        getattr(norms, name) is getattr(L.nn, name) for name in ("LayerNorm", "GroupNorm", "RMSNorm")
    ]


ROWS += rows(
    "nn.modules",
    {
        "kinds_of_layers": kinds_of_layers,
        "kinds_of_bases": kinds_of_bases,
        "imported": imported,
        "layers_themselves": lambda L: [getattr(L.nn.modules, name) is getattr(L.nn, name) for name in LAYERS],
        "no_functions": lambda L: hasattr(L.nn.modules, "NoSuchLayer"),
        "sparse": lambda L: L.nn.modules.sparse.Embedding is L.nn.Embedding,
    },
)


# ---- losses of two dtypes


def huber(L, a, b, **settings):
    x, t = L.tensor([1.0, 2.0, 5.0], dtype=getattr(L, a), requires_grad=True), L.tensor([1, 3, 1])
    return F(L).huber_loss(x, t.to(getattr(L, b)), **settings), x


ROWS += rows(
    "nn.functional.huber_loss",
    {
        f"{a}_against_{b}": lambda L, a=a, b=b: huber(L, a, b, reduction="none")[0]
        for a in ("float32", "float64")
        for b in ("int64", "float32", "float64")
    },
)
ROWS += errors(
    "nn.functional.huber_loss",
    {
        f"gradient_{a}_against_{b}": (
            lambda L, a=a, b=b, s=settings: huber(L, a, b, **s)[0].backward(),
            f"huber_loss.*{a}.*{b}",
        )
        for a, b, settings in (
            ("float32", "int64", {}),
            ("float32", "float64", {"reduction": "sum"}),
            ("float64", "bool", {}),
        )
    },
)
ROWS += errors(
    "nn.HuberLoss",
    {
        "gradient_integer_target": (
            lambda L: L.nn.HuberLoss()(L.ones(2, requires_grad=True), L.tensor([1, 2])).backward(),
            "huber_loss.*int64",
        )
    },
)


def logits_and_target(L, a, b, **settings):
    x = tensor(L, 2, 3, dtype=a, grad=True)
    t = tensor(L, 2, 3, seed=1, dtype=b, low=0.0) / 2
    return gradients(L, F(L).binary_cross_entropy_with_logits(x, t, **settings), x)


ROWS += rows(
    "nn.functional.binary_cross_entropy_with_logits",
    {
        f"{a}_against_{b}_{reduction}": lambda L, a=a, b=b, r=reduction: logits_and_target(L, a, b, reduction=r)
        for a, b in (("float64", "float32"), ("float32", "float32"))
        for reduction in ("mean", "sum", "none")
    },
)
ROWS += errors(
    "nn.functional.binary_cross_entropy",
    {
        "both_integers": (
            lambda L: F(L).binary_cross_entropy(L.tensor([1, 0]), L.tensor([1, 0])),
            "binary_cross_entropy.*int64",
        )
    },
)


def smoothed(L, *shape):
    x = tensor(L, *shape, grad=True)
    target = L.arange(2).reshape(2, *[1] * (len(shape) - 2)).expand(2, *shape[2:])
    loss = F(L).cross_entropy(x, target, reduction="none", label_smoothing=0.2)
    return *gradients(L, loss, x), grad_fn(loss)


ROWS += rows(
    "nn.functional.cross_entropy",
    {"smoothed_rows": lambda L: smoothed(L, 2, 3), "smoothed_images": lambda L: smoothed(L, 2, 3, 4, 5)},
)


# ---- averages of models


def averaged(L, make, steps=3, **settings):
    """A model of two layers averaged over a few changes."""
    net = L.nn.Sequential(L.nn.Linear(2, 3), L.nn.BatchNorm1d(3)).double()
    for i, p in enumerate(net.parameters()):
        p.data.copy_(tensor(L, *p.shape, seed=i))
    swa = L.optim.swa_utils
    average = swa.AveragedModel(net, multi_avg_fn=make(swa), **settings)
    for step in range(steps):
        net(tensor(L, 5, 2, seed=step))
        with L.no_grad():
            for i, p in enumerate(net.parameters()):
                p.mul_(0.5).add_(tensor(L, *p.shape, seed=10 * step + i))
        average.update_parameters(net)
    return average.state_dict()


ROWS += rows(
    "optim.swa_utils.get_ema_multi_avg_fn",
    {
        "default": lambda L: averaged(L, lambda swa: swa.get_ema_multi_avg_fn()),
        "half": lambda L: averaged(L, lambda swa: swa.get_ema_multi_avg_fn(0.5)),
        "buffers": lambda L: averaged(L, lambda swa: swa.get_ema_multi_avg_fn(0.3), use_buffers=True),
        "ends": lambda L: [averaged(L, lambda swa, d=d: swa.get_ema_multi_avg_fn(d)) for d in (0.0, 1.0)],
        "itself": lambda L: (
            x := [L.zeros(2), L.ones(1)],
            L.optim.swa_utils.get_ema_multi_avg_fn(0.25)(x, [L.ones(2), L.zeros(1)], 3),
        ),
    },
)
ROWS += errors(
    "optim.swa_utils.get_ema_multi_avg_fn",
    {"decay": (lambda L: L.optim.swa_utils.get_ema_multi_avg_fn(1.5), "get_ema_multi_avg_fn.*1.5")},
)
ROWS += rows(
    "optim.swa_utils.get_swa_multi_avg_fn",
    {
        "mean": lambda L: averaged(L, lambda swa: swa.get_swa_multi_avg_fn()),
        "itself": lambda L: (
            x := [L.zeros(2), L.ones(1)],
            L.optim.swa_utils.get_swa_multi_avg_fn()(x, [L.ones(2), L.zeros(1)], 3),
        ),
    },
)


# ---- inference_mode


def inferred(L):
    x = tensor(L, 3, grad=True)

    @L.inference_mode()
    def by_decorator():
        return (x * 2).requires_grad, L.is_grad_enabled()

    @L.inference_mode
    def by_name():
        """What it says."""
        return (x * 2).requires_grad

    with L.inference_mode():
        inside = (x * 2).requires_grad, L.is_grad_enabled()
    with L.no_grad(), L.inference_mode(False):
        recording = (x * 2).requires_grad
    L.inference_mode()
    return by_decorator(), by_name(), by_name.__doc__, inside, recording, L.is_grad_enabled()


def left_by_an_error(L):
    try:
        with L.inference_mode():
            raise KeyError
    except KeyError:
        return L.is_grad_enabled()


ROWS += rows("inference_mode", {"uses": inferred, "left_by_an_error": left_by_an_error})


# ---- switches and questions


def switches(L):
    """What the switches of cuDNN hold before and after a script sets them."""
    cudnn = L.backends.cudnn
    before = cudnn.enabled, cudnn.benchmark, cudnn.deterministic
    cudnn.benchmark, cudnn.deterministic = True, True
    after = cudnn.benchmark, cudnn.deterministic
    cudnn.benchmark, cudnn.deterministic = before[1:]
    return before, after, (cudnn.benchmark, cudnn.deterministic)


def imported_switches(L):
    import importlib

    return importlib.import_module(f"{L.__name__}.backends.cudnn") is L.backends.cudnn


ROWS += rows("backends.cudnn", {"switches": switches, "imported": imported_switches})
ROWS += rows(
    "is_floating_point",
    {"kinds": lambda L: [L.is_floating_point(L.ones(1, dtype=d)) for d in (L.float16, L.float64, L.int64, L.bool)]},
)
ROWS += errors("is_floating_point", {"number": (lambda L: L.is_floating_point(1.0), "is_floating_point.*float")})


# ---- float16: more values than the largest float16, 65504


def many_halves(L, reduce):
    """A statistic of 90,000 values around 2, and its gradient."""
    x = (tensor(L, 300, 300) + 2).half().requires_grad_()
    y = reduce(x)
    return gradients(L, y, x)


for name in ("mean", "var", "std"):
    ROWS += rows(
        name,
        {
            "many_halves": lambda L, f=name: many_halves(L, getattr(L, f)),
            "many_halves_by_dim": lambda L, f=name: many_halves(L, lambda x: getattr(L, f)(x, (0, 1))),
        },
    )
ROWS += rows(
    "nn.functional.adaptive_avg_pool2d",
    {"many_halves": lambda L: many_halves(L, lambda x: F(L).adaptive_avg_pool2d(x[None], 1))},
)

for name in ("mse_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy_with_logits"):
    ROWS += rows(
        f"nn.functional.{name}",
        {"many_halves": lambda L, f=name: many_halves(L, lambda x: getattr(F(L), f)(x, L.ones(300, 300).half()))},
    )
ROWS += rows(
    "norm",
    {f"many_halves_p={p:g}": lambda L, p=p: many_halves(L, lambda x: L.norm(x, p)) for p in (2.0, 3.0, float("inf"))},
)
ROWS += rows(
    "nn.functional.normalize",
    {"many_halves": lambda L: many_halves(L, lambda x: F(L).normalize(x, dim=0))},
)
