"""What holds for every layer: same seed, same parameters; same repr, same names, same state as PyTorch's."""

import copy

import numpy as np
import pytest

import minitorch_bn as mt
from tests.nn.layers import every_layer

torch = pytest.importorskip("torch")

LAYERS = every_layer()
each = pytest.mark.parametrize("name", LAYERS)


def both(name):
    """The layer of each library, made from the same seed."""
    layers = []
    for lib in (mt, torch):
        lib.manual_seed(42)
        layers.append(LAYERS[name](lib))
    return layers


@each
def test_initialisation_equals_torchs(name):
    """Bit for bit where the stream is defined so; normal draws to rounding."""
    ours, theirs = both(name)
    for (n, p), (m, q) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert n == m and tuple(p.shape) == tuple(q.shape) and str(p.dtype) == str(q.dtype)
        exact = "embedding" not in name and "names" not in name
        np.testing.assert_allclose(
            p.detach().numpy(), q.detach().numpy(), rtol=0 if exact else 1e-6, atol=0 if exact else 1e-7
        )


@each
def test_repr_equals_torchs(name):
    ours, theirs = both(name)
    assert repr(ours) == repr(theirs)


@each
def test_names_and_order_equal_torchs(name):
    ours, theirs = both(name)
    for what in ("named_parameters", "named_buffers", "named_modules", "named_children"):
        assert [n for n, _ in getattr(ours, what)()] == [n for n, _ in getattr(theirs, what)()], what
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [p.requires_grad for p in ours.parameters()] == [p.requires_grad for p in theirs.parameters()]


@each
def test_state_goes_through_a_state_dict(name):
    ours, _ = both(name)
    other = LAYERS[name](mt)
    other.load_state_dict(ours.state_dict())
    for key, value in ours.state_dict().items():
        assert np.array_equal(other.state_dict()[key].array, value.array), key
        assert not np.shares_memory(other.state_dict()[key].array, value.array)


@each
def test_deepcopy_shares_nothing(name):
    ours, _ = both(name)
    twin = copy.deepcopy(ours)
    assert repr(twin) == repr(ours)
    for a, b in zip(ours.parameters(), twin.parameters(), strict=True):
        assert np.array_equal(a.array, b.array) and not np.shares_memory(a.array, b.array)


@each
def test_train_and_eval_reach_all(name):
    ours, _ = both(name)
    assert all(m.training for m in ours.modules())
    assert ours.eval() is ours and not any(m.training for m in ours.modules())
    assert ours.train() is ours and all(m.training for m in ours.modules())


@each
def test_double_and_float(name):
    ours, _ = both(name)
    assert {p.dtype.name for p in ours.double().parameters()} <= {"float64"}
    assert {b.dtype.name for b in ours.buffers()} <= {"float64", "int64"}
    assert {p.dtype.name for p in ours.float().parameters()} <= {"float32"}


@pytest.mark.parametrize("name", [name for name in LAYERS if hasattr(LAYERS[name](mt), "reset_parameters")])
def test_reset_parameters_draws_again(name):
    ours, theirs = both(name)
    ours.reset_parameters()
    theirs.reset_parameters()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-6, atol=1e-7)


# ---- forward, through the layer's own arguments

INPUTS = {
    "linear": (4, 5),
    "linear_no_bias": (2, 3, 5),
    "conv": (2, 3, 6, 6),
    "conv_all": (2, 4, 9, 8),
    "conv_same": (2, 4, 5, 6),
    "conv_valid": (2, 4, 5, 6),
    "batchnorm1d": (6, 4),
    "batchnorm2d": (3, 4, 2, 2),
    "batchnorm3d": (2, 4, 2, 2, 2),
    "batchnorm_plain": (6, 4),
    "batchnorm_untracked": (6, 4, 2),
    "tanh": (3, 4),
    "relu": (3, 4),
    "relu_inplace": (3, 4),
    "sigmoid": (3, 4),
    "softmax": (3, 4),
    "log_softmax": (3, 4),
    "dropout": (5, 6),
    "dropout_p": (5, 6),
    "conv_reflect": (2, 4, 5, 6),
    "conv_circular_same": (2, 4, 5, 6),
    "gelu": (3, 4),
    "gelu_tanh": (3, 4),
    "leaky_relu": (3, 4),
    "elu": (3, 4),
    "selu": (3, 4),
    "silu": (3, 4),
    "mish": (3, 4),
    "softplus": (3, 4),
    "hardtanh": (3, 4),
    "relu6": (3, 4),
    "log_sigmoid": (3, 4),
    "softmin": (3, 4),
    "dropout2d": (2, 3, 4, 6),
    "max_pool_ceil": (2, 3, 4, 6),
    "avg_pool_ceil": (2, 3, 4, 6),
    "adaptive_max": (2, 3, 4, 6),
    "unflatten": (4, 6),
    "max_pool": (2, 3, 4, 6),
    "max_pool_all": (2, 3, 5, 6),
    "avg_pool": (2, 3, 4, 6),
    "avg_pool_all": (2, 3, 5, 6),
    "adaptive": (2, 3, 5, 6),
    "adaptive_pair": (2, 3, 5, 6),
    "flatten": (2, 3, 4),
    "flatten_all": (2, 3, 4),
    "identity": (2, 3),
    "sequential": (5, 3),
    "nested": (4, 2),
    "residual": (3, 1, 8, 8),
    "custom": (5, 2),
}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", INPUTS)
def test_forward_and_gradients_equal_torchs(name, training, rng):
    """In float64, from the same seed, in train and eval mode; dropout draws the same mask."""
    x = rng.normal(size=INPUTS[name])
    results = []
    for layer, lib in zip(both(name), (mt, torch), strict=True):
        layer.double().train(training)
        t = lib.from_numpy(x.copy()).requires_grad_()
        lib.manual_seed(3)
        y = layer(t * 1)
        y.backward(lib.from_numpy(np.cos(np.arange(y.numel())).reshape(y.shape)))
        results.append([y.detach().numpy(), t.grad.numpy(), *(p.grad for p in layer.parameters() if p.requires_grad)])
    scale = max(np.abs(np.asarray(want)).max() for want in results[1])  # a bias before batch norm gets 0 + rounding
    for got, want in zip(*results, strict=True):
        np.testing.assert_allclose(np.asarray(got), np.asarray(want), rtol=0, atol=2e-12 * scale)


@pytest.mark.parametrize("name", ["names_model", "embedding", "embedding_padding", "embedding_all"])
def test_lookup_models_equal_torchs(name, rng):
    index = rng.integers(0, 10, (6, 3))
    results = []
    for layer, lib in zip(both(name), (mt, torch), strict=True):
        layer.double()
        (layer(lib.from_numpy(index)) ** 2).sum().backward()
        results.append([np.asarray(p.grad) for p in layer.parameters()])
    for got, want in zip(*results, strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-5 * np.abs(want).max())  # start values differ by rounding


ERRORS = {
    "linear_features": lambda L: L.nn.Linear(5, 7)(L.ones(2, 4)),
    "linear_dtype": lambda L: L.nn.Linear(5, 7)(L.ones(2, 5, dtype=L.float64)),
    "linear_integers": lambda L: L.nn.Linear(5, 7)(L.ones(2, 5, dtype=L.int64)),
    "conv_groups": lambda L: L.nn.Conv2d(3, 4, 3, groups=2),
    "conv_no_groups": lambda L: L.nn.Conv2d(3, 4, 3, groups=0),
    "conv_padding_word": lambda L: L.nn.Conv2d(3, 4, 3, padding="sames"),
    "conv_same_stride": lambda L: L.nn.Conv2d(3, 4, 3, padding="same", stride=2),
    "conv_channels": lambda L: L.nn.Conv2d(3, 4, 3)(L.ones(2, 2, 5, 5)),
    "conv_too_small": lambda L: L.nn.Conv2d(3, 4, 3)(L.ones(2, 3, 2, 2)),
    "conv_rank": lambda L: L.nn.Conv2d(3, 4, 3)(L.ones(3, 5)),
    "embedding_range": lambda L: L.nn.Embedding(10, 3)(L.tensor([10])),
    "embedding_negative": lambda L: L.nn.Embedding(10, 3)(L.tensor([-1])),
    "embedding_floats": lambda L: L.nn.Embedding(10, 3)(L.tensor([1.0])),
    "embedding_padding": lambda L: L.nn.Embedding(10, 3, padding_idx=10),
    "embedding_padding_negative": lambda L: L.nn.Embedding(10, 3, padding_idx=-11),
    "dropout_p": lambda L: L.nn.Dropout(1.5),
    "dropout_negative": lambda L: L.nn.Dropout(-0.1),
    "pool_padding": lambda L: L.nn.MaxPool2d(2, padding=2)(L.ones(1, 1, 4, 4)),
    "pool_rank": lambda L: L.nn.MaxPool2d(2)(L.ones(4, 4)),
    "pool_too_small": lambda L: L.nn.MaxPool2d(5)(L.ones(1, 1, 4, 4)),
    "adaptive_rank": lambda L: L.nn.AdaptiveAvgPool2d(2)(L.ones(4, 4)),
    "reduction": lambda L: L.nn.CrossEntropyLoss(reduction="average")(L.ones(2, 3), L.tensor([0, 1])),
    "sequential_of_function": lambda L: L.nn.Sequential(L.nn.Linear(2, 2), L.tanh),
    "sequential_index": lambda L: L.nn.Sequential(L.nn.Tanh())[1],
    "module_list_index": lambda L: L.nn.ModuleList([L.nn.Tanh()])[3],
    "module_list_call": lambda L: L.nn.ModuleList([L.nn.Tanh()])(L.ones(2)),
    "no_forward": lambda L: L.nn.Module()(L.ones(2)),
    "flatten_order": lambda L: L.nn.Flatten(2, 1)(L.ones(2, 3, 4)),
    "train_word": lambda L: L.nn.Tanh().train("yes"),
    "to_integers": lambda L: L.nn.Linear(2, 2).to(L.int64),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_torchs(name):
    with pytest.raises(Exception) as theirs:
        ERRORS[name](torch)
    with pytest.raises(theirs.type) as ours:
        ERRORS[name](mt)
    assert len(str(ours.value)) > 15


@pytest.mark.parametrize(
    "use",
    [
        lambda: mt.nn.Embedding(5, 3, sparse=True),
        lambda: mt.nn.Embedding.from_pretrained(mt.ones(5, 3), sparse=True),
        lambda: mt.nn.functional.embedding(mt.tensor([1]), mt.ones(5, 3), sparse=True),
    ],
)
def test_sparse_gradients_are_refused_clearly(use):
    """PyTorch has them; here they are deliberately absent, and the message says what to write instead."""
    with pytest.raises(NotImplementedError, match=r"[Ee]mbedding: sparse gradients.*sparse=False"):
        use()


def test_in_place_keeps_what_was_saved():
    """Two activations in place, one after the other: PyTorch refuses, here the gradient is that of two plain ones."""
    x = mt.tensor([-1.0, 0.5, 2.0], requires_grad=True)
    h = x * 2
    mt.nn.functional.leaky_relu(mt.nn.functional.relu(h, inplace=True), 0.1, inplace=True)
    h.sum().backward()
    np.testing.assert_allclose(x.grad.array, [0.0, 2.0, 2.0])


def test_max_norm_changes_nothing_when_an_index_is_wrong():
    table = mt.ones(3, 4)
    with pytest.raises(IndexError, match="3 rows"):
        mt.nn.functional.embedding(mt.tensor([0, 3]), table, max_norm=0.1)
    assert np.array_equal(table.array, np.ones((3, 4)))


@pytest.mark.parametrize("name", ["Dropout", "Dropout1d", "Dropout2d"])
def test_dropout_of_everything_draws_nothing(name):
    """As in PyTorch: the stream stays where it is for p = 0 and p = 1."""
    for p in (0.0, 1.0):
        mt.manual_seed(0)
        before = mt.get_rng_state().tolist()
        getattr(mt.nn, name)(p)(mt.ones(2, 3, 4, 5)[0] if name == "Dropout1d" else mt.ones(2, 3, 4, 5))
        assert mt.get_rng_state().tolist() == before
