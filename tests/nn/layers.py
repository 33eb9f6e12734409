"""One of every layer, as functions of a library, for the tests that treat all layers alike."""


def every_layer():
    """{name: function of a library, giving the layer}."""
    return {
        "linear": lambda L: L.nn.Linear(5, 7),
        "linear_no_bias": lambda L: L.nn.Linear(5, 7, bias=False),
        "linear_one": lambda L: L.nn.Linear(1, 1),
        "linear_double": lambda L: L.nn.Linear(5, 7, dtype=L.float64),
        "conv": lambda L: L.nn.Conv2d(3, 4, 3),
        "conv_no_bias": lambda L: L.nn.Conv2d(3, 4, 3, bias=False),
        "conv_all": lambda L: L.nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=1, dilation=2, groups=2),
        "conv_same": lambda L: L.nn.Conv2d(4, 6, 3, padding="same"),
        "conv_valid": lambda L: L.nn.Conv2d(4, 6, 3, padding="valid"),
        "conv_zeros": lambda L: L.nn.Conv2d(4, 6, 3, padding_mode="zeros"),
        "embedding": lambda L: L.nn.Embedding(10, 3),
        "embedding_padding": lambda L: L.nn.Embedding(10, 3, padding_idx=2),
        "embedding_negative_padding": lambda L: L.nn.Embedding(10, 3, padding_idx=-1),
        "batchnorm1d": lambda L: L.nn.BatchNorm1d(4),
        "batchnorm2d": lambda L: L.nn.BatchNorm2d(4, eps=1e-3, momentum=0.01),
        "batchnorm3d": lambda L: L.nn.BatchNorm3d(4, momentum=None),
        "batchnorm_plain": lambda L: L.nn.BatchNorm1d(4, affine=False),
        "batchnorm_no_bias": lambda L: L.nn.BatchNorm1d(4, bias=False),
        "batchnorm_untracked": lambda L: L.nn.BatchNorm1d(4, track_running_stats=False),
        "layernorm": lambda L: L.nn.LayerNorm(4),
        "layernorm_pair_no_bias": lambda L: L.nn.LayerNorm((3, 4), bias=False),
        "groupnorm": lambda L: L.nn.GroupNorm(2, 4),
        "instancenorm1d": lambda L: L.nn.InstanceNorm1d(4),
        "instancenorm2d": lambda L: L.nn.InstanceNorm2d(4, affine=True, track_running_stats=True),
        "rmsnorm": lambda L: L.nn.RMSNorm(4),
        "localresponsenorm": lambda L: L.nn.LocalResponseNorm(4),
        "tanh": lambda L: L.nn.Tanh(),
        "relu": lambda L: L.nn.ReLU(),
        "relu_inplace": lambda L: L.nn.ReLU(inplace=True),
        "sigmoid": lambda L: L.nn.Sigmoid(),
        "softmax": lambda L: L.nn.Softmax(dim=1),
        "log_softmax": lambda L: L.nn.LogSoftmax(dim=-1),
        "dropout": lambda L: L.nn.Dropout(),
        "dropout_p": lambda L: L.nn.Dropout(0.25),
        "max_pool": lambda L: L.nn.MaxPool2d(2),
        "max_pool_all": lambda L: L.nn.MaxPool2d((3, 2), stride=2, padding=(1, 0), dilation=1),
        "avg_pool": lambda L: L.nn.AvgPool2d(2),
        "avg_pool_all": lambda L: L.nn.AvgPool2d(3, 2, 1),
        "adaptive": lambda L: L.nn.AdaptiveAvgPool2d(1),
        "adaptive_pair": lambda L: L.nn.AdaptiveAvgPool2d((2, None)),
        "flatten": lambda L: L.nn.Flatten(),
        "flatten_all": lambda L: L.nn.Flatten(0, -1),
        "identity": lambda L: L.nn.Identity(),
        "cross_entropy": lambda L: L.nn.CrossEntropyLoss(),
        "cross_entropy_weight": lambda L: L.nn.CrossEntropyLoss(L.ones(3), label_smoothing=0.1),
        "nll": lambda L: L.nn.NLLLoss(),
        "mse": lambda L: L.nn.MSELoss(reduction="sum"),
        "conv_reflect": lambda L: L.nn.Conv2d(4, 6, 3, padding=(1, 2), padding_mode="reflect"),
        "conv_circular_same": lambda L: L.nn.Conv2d(4, 6, (2, 3), padding="same", padding_mode="circular", bias=False),
        "embedding_all": lambda L: L.nn.Embedding(10, 3, 1, 2.0, 1.0, True),
        "leaky_relu": lambda L: L.nn.LeakyReLU(0.2, True),
        "gelu": lambda L: L.nn.GELU(),
        "gelu_tanh": lambda L: L.nn.GELU("tanh"),
        "elu": lambda L: L.nn.ELU(0.5),
        "selu": lambda L: L.nn.SELU(),
        "silu": lambda L: L.nn.SiLU(),
        "mish": lambda L: L.nn.Mish(),
        "softplus": lambda L: L.nn.Softplus(2.0),
        "hardtanh": lambda L: L.nn.Hardtanh(-0.5, 0.5),
        "relu6": lambda L: L.nn.ReLU6(True),
        "log_sigmoid": lambda L: L.nn.LogSigmoid(),
        "softmin": lambda L: L.nn.Softmin(1),
        "dropout2d": lambda L: L.nn.Dropout2d(0.25, True),
        "max_pool_ceil": lambda L: L.nn.MaxPool2d(3, 2, 1, ceil_mode=True),
        "avg_pool_ceil": lambda L: L.nn.AvgPool2d(3, 2, 1, True, False, 4),
        "adaptive_max": lambda L: L.nn.AdaptiveMaxPool2d((2, None)),
        "unflatten": lambda L: L.nn.Unflatten(1, (2, 3)),
        "bce": lambda L: L.nn.BCELoss(L.ones(3)),
        "bce_logits": lambda L: L.nn.BCEWithLogitsLoss(L.ones(3), pos_weight=L.ones(3)),
        "smooth_l1": lambda L: L.nn.SmoothL1Loss(beta=2.0),
        "huber": lambda L: L.nn.HuberLoss("sum", 0.5),
        "kl_div": lambda L: L.nn.KLDivLoss(reduction="batchmean"),
        "module_dict": lambda L: L.nn.ModuleDict({"a": L.nn.Linear(2, 2), "b": L.nn.Tanh()}),
        "parameter_list": lambda L: L.nn.ParameterList([L.ones(2), L.zeros(2, 3)]),
        "sequential": lambda L: L.nn.Sequential(L.nn.Linear(3, 4), L.nn.BatchNorm1d(4), L.nn.Tanh(), L.nn.Linear(4, 2)),
        "nested": lambda L: L.nn.Sequential(L.nn.Sequential(L.nn.Linear(2, 2), L.nn.ReLU()), L.nn.Identity()),
        "empty_sequential": lambda L: L.nn.Sequential(),
        "module_list": lambda L: L.nn.ModuleList([L.nn.Linear(2, 2), L.nn.Linear(2, 3), L.nn.Tanh()]),
        "repeated_blocks": lambda L: L.nn.ModuleList(
            [*(L.nn.Sequential(L.nn.Tanh()) for _ in range(2)), L.nn.Tanh(), L.nn.Linear(1, 1)]
        ),
        "empty_list": lambda L: L.nn.ModuleList(),
        "repeated_list": lambda L: L.nn.ModuleList([L.nn.Linear(2, 2) for _ in range(3)]),
        "names_model": names_model,
        "residual": residual,
        "custom": custom,
    }


def names_model(L):
    """The lesson's model: embedding, batch normalised hidden layer, classes."""
    nn = L.nn
    return nn.Sequential(
        nn.Embedding(27, 10),
        nn.Flatten(),
        nn.Linear(30, 20, bias=False),
        nn.BatchNorm1d(20),
        nn.Tanh(),
        nn.Linear(20, 27),
    )


def residual(L):
    """A small residual network with images in and classes out."""
    nn = L.nn

    class Block(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
            self.norm = nn.BatchNorm2d(channels)

        def forward(self, x):
            return nn.functional.relu(x + self.norm(self.conv(x)))

    return nn.Sequential(
        nn.Conv2d(1, 4, 3), Block(4), nn.MaxPool2d(2), Block(4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    )


def custom(L):
    """A module with parameters, buffers and children of its own, in mixed order."""
    nn = L.nn

    class Custom(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(L.ones(2))
            self.register_buffer("seen", L.zeros(3))
            self.inner = nn.Linear(2, 2)
            self.register_buffer("secret", L.zeros(1), persistent=False)
            self.shift = nn.Parameter(L.zeros(2), requires_grad=False)
            self.register_parameter("nothing", None)
            self.layers = nn.ModuleList([nn.Linear(2, 2), nn.BatchNorm1d(2)])
            self.number = 3

        def forward(self, x):
            x = self.inner(x * self.scale + self.shift)
            for layer in self.layers:
                x = layer(x)
            return x

        def extra_repr(self):
            return f"number={self.number}"

    return Custom()
