"""The lines of random programs, part three: activations, losses, normalisation, convolution, modules."""

ACTIVATIONS = """
    relu leaky_relu elu gelu silu softplus mish hardtanh relu6 selu celu softsign logsigmoid tanh sigmoid
""".split()  # not tanhshrink: x - tanh(x) is all rounding near 0


def name_of(t):
    """The dtype of a tensor, as text without the library."""
    return str(t.dtype).removeprefix("torch.")


def enough(t):
    """Whether every row and channel has different values: what a norm leaves of equal ones is rounding, or an error."""
    if t.ndim < 2 or not t.numel() or 1 in (t.shape[0], t.shape[1], t.shape[-1]):
        return False
    values = t.detach().double()
    return all(bool((values.std(dim) > 0.05).all()) for dim in (0, -1))


def activation(g):
    x = g.floating() if g.chance(0.93) else g.tensor()
    t = g.value(x)
    option = {"leaky_relu": ", 0.2", "gelu": ", approximate='tanh'", "elu": ", 0.5", "softplus": ", 2.0"}
    f = g.pick(ACTIVATIONS)
    if g.chance(0.2) and t.dtype.is_floating_point:
        return g.assign(g.pick([f"F.softmax({x}, {g.dim(t)})", f"F.log_softmax({x}, dim={g.dim(t)})"]))
    return g.assign(f"F.{f}({x}{option.get(f, '') if g.chance(0.4) else ''})")


def normalisation(g):
    x = g.floating(low=2)
    t = g.value(x)
    if not enough(t):
        return None
    dtype, shape = name_of(t), list(t.shape)
    c = shape[1]
    per_channel = f"{g.leaf((c,), dtype)}, {g.leaf((c,), dtype)}"
    tail = shape[-g.integer(1, len(shape)) :] if shape else [1]
    groups = g.pick([k for k in range(1, c + (t.ndim > 2)) if c % k == 0])
    texts = [
        f"F.layer_norm({x}, {tail})",
        f"F.layer_norm({x}, {tail}, {g.leaf(tail, dtype)}, {g.leaf(tail, dtype)})",
        f"F.rms_norm({x}, {tail})",
        f"F.rms_norm({x}, {tail}, {g.leaf(tail, dtype)})",
        f"F.group_norm({x}, {groups})",
        f"F.group_norm({x}, {groups}, {per_channel})",
        f"F.instance_norm({x})",
        f"F.batch_norm({x}, None, None, training=True)",
        f"F.batch_norm({x}, None, None, {per_channel}, True, 0.1, 1e-3)",
        f"F.batch_norm({x}, torch.zeros({c}).to(torch.{dtype}), torch.ones({c}).to(torch.{dtype}) * 2, {per_channel})",
    ]
    return g.assign(g.pick(texts))


def regression(g):
    x = g.floating()
    t = g.value(x)
    y = g.leaf(tuple(t.shape), name_of(t), grad=0.3)
    z = g.leaf(tuple(t.shape), name_of(t), grad=0)
    how = g.pick(["", ", reduction='sum'", ", reduction='none'"])
    texts = [
        f"F.mse_loss({x}, {y}{how})",
        f"F.l1_loss({x}, {y}{how})",
        f"F.smooth_l1_loss({x}, {y}, beta=0.5{how})",
        f"F.huber_loss({x}, {y}, delta=0.7{how})",
        f"F.binary_cross_entropy_with_logits({x}, {z}.sigmoid(){how})",
        f"F.binary_cross_entropy({x}.sigmoid(), {z}.sigmoid(){how})",
        f"F.kl_div({x}.log_softmax(-1), {y}.softmax(-1){how})",
    ]
    return g.assign(g.pick(texts))


def classification(g):
    x = g.floating(rank=g.pick([1, 2, 3, 4], [1, 6, 1, 1]))
    t = g.value(x)
    axis = 1 if t.ndim > 1 else 0
    if not t.ndim or not t.shape[axis]:
        return None
    classes = t.shape[axis]
    shape = [n for i, n in enumerate(t.shape) if i != axis]
    high = classes + (1 if g.chance(0.03) else 0)
    target = g.leaf(shape, "int64", 0, max(high, 1))
    how = g.pick(["", ", reduction='sum'", ", reduction='none'"])
    how += g.pick(["", "", f", ignore_index={g.integer(0, 2)}"])
    weight = f", weight={g.leaf((classes,), name_of(t), grad=0)}.abs() + 0.5" if g.chance(0.25) else ""
    smooth = ", label_smoothing=0.2" if g.chance(0.25) else ""
    texts = [
        f"F.cross_entropy({x}, {target}{weight}{how}{smooth})",
        f"F.nll_loss(F.log_softmax({x}, {axis}), {target}{weight}{how})",
        f"F.cross_entropy({x}, F.softmax({x}.detach(), {axis}))",
    ]
    return g.assign(g.pick(texts, [3, 2, 1]))


def convolution(g):
    x = g.floating(rank=4)
    t = g.value(x)
    if not t.numel():
        return None
    dtype, (_, c, h, w) = name_of(t), t.shape
    k, l = g.integer(1, 3), g.integer(1, 3)
    out, groups = g.integer(1, 3), 1
    if c and g.chance(0.2):
        groups, out = c, c * g.integer(1, 2)
    weight, bias = g.leaf((out, c // groups if c else 1, k, l), dtype), g.leaf((out,), dtype)
    pad = g.pick(
        ["padding=1", "stride=2", "padding=(1, 0), dilation=2", "padding='same'", "stride=(1, 2), padding=2", ""]
    )
    pool = g.pick(["2", "1", "2, 1", "3, 2, 1", "(1, 2)", "2, ceil_mode=True"])
    widths = [g.integer(0, 2) for _ in range(2 * g.integer(1, 2))]
    texts = [
        f"F.conv2d({x}, {weight}, {bias}, groups={groups}, {pad})",
        f"F.conv2d({x}, {weight}, groups={groups})",
        f"F.max_pool2d({x}, {pool})",
        f"F.avg_pool2d({x}, {pool})",
        f"F.adaptive_avg_pool2d({x}, {g.pick(['1', '2', '(1, 2)', '(None, 1)'])})",
        f"F.pad({x}, {widths})",
        f"F.pad({x}, {widths}, value={g.number()})",
        f"F.pad({x}, [1, 1, 1, 1], mode={g.pick(['reflect', 'replicate', 'circular'])!r})",
    ]
    del h, w
    return g.assign(g.pick(texts, [3, 1, 1, 1, 1, 0.7, 0.3, 0.7]))


def lookup(g):
    rows, width = g.integer(1, 4), g.integer(1, 3)
    index = g.leaf(g.shape(g.integer(0, 2)), "int64", 0, rows + (1 if g.chance(0.03) else 0))
    weight = g.leaf((rows, width), "float64")
    texts = [
        f"F.embedding({index}, {weight})",
        f"F.embedding({index}, {weight}, padding_idx={g.integer(0, rows - 1)})",
        f"F.embedding({index}, {weight}, scale_grad_by_freq=True)",
        f"F.one_hot({index}, {rows})",
        f"F.one_hot({index})",
        f"{weight}[{index}]",
    ]
    return g.assign(g.pick(texts))


def dropout(g):
    x = g.floating()
    p = g.pick([0.0, 0.5, 0.25, 1.0])
    return g.assign(g.pick([f"F.dropout({x}, {p})", f"F.dropout({x}, {p}, training=False)"]))


def module(g):
    """A layer, made and used at once, or used again, or put into the other mode."""
    layers = list(g.widths)
    if layers and g.chance(0.5):
        m = g.pick(layers)
        if g.chance(0.3):
            return g.statement(f"{m}.{g.pick(['eval()', 'train()', 'zero_grad()'])}")
        fitting = [n for n in g.pool if tuple(g.value(n).shape)[1:] == g.widths[m]]
        fitting = [n for n in fitting if name_of(g.value(n)) == g.dtypes[m] and enough(g.value(n))]
        return g.assign(f"{m}({g.pick(fitting)})") if fitting else None
    x = g.floating(low=2)
    t = g.value(x)
    if not enough(t):
        return None
    dtype, shape = name_of(t), list(t.shape)
    c, n = shape[1], shape[-1]
    kinds = {2: "1d", 3: "1d", 4: "2d"}
    options = g.pick(
        ["", ", momentum=None", ", momentum=0.5", ", affine=False", ", track_running_stats=False", ", eps=0.1"]
    )
    texts = [
        f"torch.nn.BatchNorm{kinds.get(t.ndim, '3d')}({c}{options})",
        f"torch.nn.Linear({n}, 2)",
        f"torch.nn.LayerNorm({n})",
        f"torch.nn.InstanceNorm{kinds.get(t.ndim, '3d')}({c}, affine=True)",
        f"torch.nn.Sequential(torch.nn.Linear({n}, 3, bias=False), torch.nn.Tanh(), torch.nn.Linear(3, {n}))",
        f"torch.nn.RMSNorm({n})",
        f"torch.nn.GroupNorm(1, {c})",
    ]
    if t.ndim == 4:
        texts.append(f"torch.nn.Conv2d({c}, 2, 2, padding=1)")
    m = f"m{g.count}"
    g.count += 1
    g.statement(f"{m} = {g.pick(texts, [4] + [1] * (len(texts) - 1))}.to(torch.{dtype})")
    if m not in g.names:
        return None
    g.widths[m], g.dtypes[m] = tuple(shape)[1:], dtype
    return g.assign(f"{m}({x})")


FAMILIES = [
    (2.5, activation), (2.5, normalisation), (1.5, regression), (1.5, classification), (1.5, convolution),
    (0.7, lookup), (0.4, dropout), (2, module),
]  # fmt: skip
