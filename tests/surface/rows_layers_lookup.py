"""Rows about Embedding, one_hot, Linear, Identity, Flatten, Unflatten and Dropout: layers and functions."""

from .table import errors, gradients, rows, tensor

ROWS = []


def F(L):
    """nn.functional."""
    return L.nn.functional


# ---- Embedding


def index(L, *numbers):
    """Row numbers."""
    return L.tensor(numbers)


def looked_up(L, make, rows_=(1, 3, 3, 0)):
    """A layer with fixed numbers: rows, gradient of the table, table afterwards, text."""
    layer = make(L).double()
    with L.no_grad():
        layer.weight.copy_(tensor(L, *layer.weight.shape))
    return gradients(L, layer(L.tensor(rows_)), layer.weight), layer.weight.detach(), repr(layer)


def embedded(L, rows_, *args, shape=(5, 3), **settings):
    """functional.embedding with a random table: rows, gradient of the table, table afterwards."""
    table = tensor(L, *shape)
    leaf = table.clone().requires_grad_()
    return gradients(L, F(L).embedding(L.tensor(rows_), leaf, *args, **settings), leaf), leaf.detach()


def started(L, *args, **settings):
    """Start values, attributes, and the generator's next number."""
    L.manual_seed(3)
    layer = L.nn.Embedding(*args, **settings)
    names = ("num_embeddings", "embedding_dim", "padding_idx", "max_norm", "norm_type", "scale_grad_by_freq", "sparse")
    return dict(layer.state_dict()), [getattr(layer, name) for name in names], L.rand(2)


def pretrained(L, *args, **settings):
    """An Embedding from a given table."""
    table = tensor(L, 4, 3)
    layer = L.nn.Embedding.from_pretrained(table, *args, **settings)
    y = layer(index(L, 1, 2, 1))
    table[1, 0] = 7.0
    shared = layer.weight[1, 0].item()
    return y, repr(layer), layer.weight.requires_grad, layer.padding_idx, shared


def reset(L, layer):
    """State after reset_parameters() with a fixed seed."""
    L.manual_seed(11)
    layer.reset_parameters()
    return dict(layer.state_dict())


def tied(L):
    """A table that is also the last layer's weight: two terms in its gradient."""
    layer = L.nn.Embedding(5, 3, _weight=tensor(L, 5, 3))
    y = F(L).linear(layer(index(L, 1, 1, 4)), layer.weight)
    y.sum().backward()
    return layer.weight.grad


def two_lookups(L):
    """Two lookups in one table, backward twice."""
    layer = L.nn.Embedding(5, 3, padding_idx=1, _weight=tensor(L, 5, 3))
    for _ in range(2):
        (layer(index(L, 0, 1, 1)) * layer(index(L, 2, 0, 1))).sum().backward()
    return layer.weight.grad


def renormed(L):
    """max_norm changes a plain table, and only the rows that are looked up."""
    table = tensor(L, 5, 3) * 3
    y = F(L).embedding(index(L, 0, 2, 2), table, max_norm=1.5)
    return y, table


def renormed_recorded(L):
    """max_norm on the result of an op."""
    x = tensor(L, 5, 3, grad=True)
    return gradients(L, F(L).embedding(index(L, 0, 2, 2), x * 3, max_norm=1.5), x)


def affine(L, args, shape, dtype="float64", **settings):
    """A Linear with its own start values on a random input: result, all gradients, text."""
    L.manual_seed(7)
    layer = L.nn.Linear(*args, **settings, dtype=getattr(L, dtype))
    x = tensor(L, *shape, dtype=dtype, grad=True)
    return gradients(L, layer(x), x, *layer.parameters()), repr(layer)


def linear(L, x, W, b=None, dtype="float64"):
    """functional.linear on random arrays of these shapes, with all gradients."""
    leaves = [tensor(L, *s, seed=i, dtype=dtype, grad=True) for i, s in enumerate((x, W) if b is None else (x, W, b))]
    return gradients(L, F(L).linear(*leaves), *leaves)


def linear_start(L, *args, **settings):
    """Start values, attributes, and the generator's next number."""
    L.manual_seed(3)
    layer = L.nn.Linear(*args, **settings)
    return dict(layer.state_dict()), layer.in_features, layer.out_features, layer.bias is None, L.rand(2)


def strided_linear(L):
    """A transposed input with gaps."""
    L.manual_seed(7)
    layer = L.nn.Linear(4, 3, dtype=L.float64)
    x = tensor(L, 8, 5, grad=True)
    return gradients(L, layer(x.T[:, ::2]), x, *layer.parameters())


def frozen(L):
    """A layer that learns its bias only."""
    layer = L.nn.Linear(4, 3)
    layer.weight.requires_grad_(False)
    layer(L.ones(2, 4)).sum().backward()
    return layer.weight.grad, layer.bias.grad


def same_object(L, layer):
    """Whether a layer gives back its very input."""
    x = tensor(L, 2, 3)
    return layer(x) is x


def shaped(L, layer, *shape):
    """A layer that only moves numbers: result and gradient."""
    x = tensor(L, *shape, grad=True)
    return gradients(L, layer(x) * 1, x), repr(layer)


def dropped(L, make, *shape, dtype="float64", train=True, seed=9):
    """A layer with a fixed seed: result, gradient, text, and the generator's next number."""
    layer = make(L).train(train)
    x = tensor(L, *shape, dtype=dtype, grad=True, low=0.5)
    L.manual_seed(seed)
    y = layer(x * 1)
    return gradients(L, y, x), repr(layer), L.rand(2)


def drop_strided(L, view):
    """dropout of a view that does not lie in order."""
    x = tensor(L, 12, 12, low=0.5, grad=True)
    L.manual_seed(9)
    return gradients(L, F(L).dropout(view(x), 0.4), x)


def drop(L, name, *args, shape=(5, 6), dtype="float64", **settings):
    """A function with a fixed seed: result, gradient, and the generator's next number."""
    x = tensor(L, *shape, dtype=dtype, grad=True, low=0.5)
    L.manual_seed(9)
    return gradients(L, getattr(F(L), name)(x * 1, *args, **settings), x), L.rand(2)


def given_back(L, layer, *shape):
    """Whether a layer gives back its very input, and leaves the generator alone."""
    x = tensor(L, *shape)
    L.manual_seed(1)
    return layer(x) is x, L.rand(1)


def dropped_in_place(L, name, shape):
    """In place on a tensor without gradient."""
    x = tensor(L, *shape, low=0.5)
    L.manual_seed(9)
    y = getattr(F(L), name)(x, 0.4, inplace=True)
    return y is x, x


ROWS += rows(
    "nn.Embedding",
    {
        "plain": lambda L: looked_up(L, lambda L: L.nn.Embedding(5, 3)),
        "padding": lambda L: looked_up(L, lambda L: L.nn.Embedding(5, 3, padding_idx=3)),
        "padding_negative": lambda L: looked_up(L, lambda L: L.nn.Embedding(5, 3, -2)),
        "padding_zero": lambda L: looked_up(L, lambda L: L.nn.Embedding(5, 3, 0)),
        "padding_starts_at_zero": lambda L: L.nn.Embedding(5, 3, padding_idx=-1).weight[4],
        "max_norm": lambda L: looked_up(L, lambda L: L.nn.Embedding(5, 3, max_norm=1.0)),
        "max_norm_one": lambda L: looked_up(L, lambda L: L.nn.Embedding(5, 3, None, 1.0, 1.0)),
        "max_norm_three": lambda L: looked_up(L, lambda L: L.nn.Embedding(5, 3, max_norm=0.5, norm_type=3.0)),
        "max_norm_infinity": lambda L: looked_up(
            L, lambda L: L.nn.Embedding(5, 3, max_norm=0.5, norm_type=float("inf"))
        ),
        "by_frequency": lambda L: looked_up(L, lambda L: L.nn.Embedding(5, 3, scale_grad_by_freq=True)),
        "by_frequency_padding": lambda L: looked_up(L, lambda L: L.nn.Embedding(5, 3, 3, scale_grad_by_freq=True)),
        "everything": lambda L: looked_up(L, lambda L: L.nn.Embedding(5, 3, 3, 1.0, 2.0, True)),
        "weight": lambda L: L.nn.Embedding(5, 3, _weight=tensor(L, 5, 3))(index(L, 0, 4)),
        "frozen": lambda L: L.nn.Embedding(5, 3, _freeze=True).weight.requires_grad,
        "frozen_result": lambda L: L.nn.Embedding(5, 3, _freeze=True, _weight=tensor(L, 5, 3))(index(L, 0, 4)),
        "matrix": lambda L: looked_up(L, lambda L: L.nn.Embedding(5, 3), [[1, 2], [2, 4]]),
        "three": lambda L: looked_up(L, lambda L: L.nn.Embedding(5, 2), [[[1], [2]], [[2], [4]]]),
        "one_row_number": lambda L: looked_up(L, lambda L: L.nn.Embedding(5, 3), 2),
        "none": lambda L: L.nn.Embedding(5, 3)(L.zeros(0, dtype=L.int64)),
        "int32": lambda L: L.nn.Embedding(5, 3, _weight=tensor(L, 5, 3))(L.tensor([1, 2], dtype=L.int32)),
        "dtype": lambda L: [str(L.nn.Embedding(5, 3, dtype=d).weight.dtype) for d in (L.float64, L.float16)],
        "device": lambda L: repr(L.nn.Embedding(5, 3, device="cpu").weight.device),
        "no_columns": lambda L: tuple(L.nn.Embedding(5, 0)(index(L, 1)).shape),
        "no_rows": lambda L: repr(L.nn.Embedding(0, 3)),
        "strided_index": lambda L: L.nn.Embedding(9, 3, _weight=tensor(L, 9, 3))(L.arange(9).reshape(3, 3).T[::2]),
        "text_norm_type": lambda L: repr(L.nn.Embedding(5, 3, norm_type=1)),
        "text_all": lambda L: repr(L.nn.Embedding(5, 3, 1, 0.5, 3.0, True)),
        "state": lambda L: list(L.nn.Embedding(5, 3).state_dict()),
        "pretrained": pretrained,
        "pretrained_learns": lambda L: pretrained(L, False),
        "pretrained_padding": lambda L: pretrained(L, freeze=True, padding_idx=-1),
        "pretrained_max_norm": lambda L: pretrained(L, True, None, 0.5, 1.0, True),
        "reset": lambda L: reset(L, L.nn.Embedding(5, 3, 2)),
        "tied": tied,
        "two_lookups": two_lookups,
    },
)
ROWS += rows(
    "nn.Embedding",
    {
        "start": lambda L: started(L, 8, 3),
        "start_padding": lambda L: started(L, 8, 3, padding_idx=2),
        "start_large": lambda L: started(L, 27, 10, -1),
        "start_given": lambda L: started(L, 4, 3, _weight=tensor(L, 4, 3)),
    },
    condition=4,  # normal draws in float32 are equal to rounding
)


ROWS += errors(
    "nn.Embedding",
    {
        "wrong_padding": (lambda L: L.nn.Embedding(5, 3, padding_idx=5), r"Embedding.*padding_idx 5.*5"),
        "wrong_padding_negative": (lambda L: L.nn.Embedding(5, 3, padding_idx=-6), r"Embedding.*padding_idx -6"),
        "weight_shape": (lambda L: L.nn.Embedding(4, 3, _weight=L.ones(5, 3)), r"Embedding.*\(5, 3\).*\(4, 3\)"),
        "pretrained_vector": (lambda L: L.nn.Embedding.from_pretrained(L.ones(3)), r"2-dimensional.*\(3,\)"),
        "negative_rows": (lambda L: L.nn.Embedding(-5, 3), r"-5"),
        "float_rows": (lambda L: L.nn.Embedding(5.0, 3), r"."),
        "integer_dtype": (lambda L: L.nn.Embedding(5, 3, dtype=L.int64), r"."),
        "outside": (lambda L: L.nn.Embedding(5, 3)(index(L, 0, 5)), r"embedding.*0 to 5.*5 rows"),
        "negative": (lambda L: L.nn.Embedding(5, 3)(index(L, 0, -1)), r"embedding.*-1 to 0"),
        "outside_max_norm": (lambda L: L.nn.Embedding(5, 3, max_norm=1.0)(index(L, 5)), r"embedding.*5 rows"),
        "floats": (lambda L: L.nn.Embedding(5, 3)(L.tensor([1.0])), r"embedding.*float32"),
        "list": (lambda L: L.nn.Embedding(5, 3)([1]), r"embedding.*list"),
        "no_argument": (lambda L: L.nn.Embedding(5), r"embedding_dim"),
    },
)
ROWS += rows(
    "nn.functional.embedding",
    {
        "plain": lambda L: embedded(L, [1, 3, 3, 0]),
        "matrix": lambda L: embedded(L, [[1, 3], [3, 0]]),
        "one_row_number": lambda L: embedded(L, 3),
        "padding": lambda L: embedded(L, [1, 3, 3, 0], 3),
        "padding_negative": lambda L: embedded(L, [1, 3, 3, 0], padding_idx=-2),
        "max_norm": lambda L: embedded(L, [1, 3, 3, 0], max_norm=1.0),
        "max_norm_positional": lambda L: embedded(L, [1, 3, 3, 0], None, 0.5, 1.0, False, False),
        "max_norm_large": lambda L: embedded(L, [1, 3, 3, 0], max_norm=100.0),
        "max_norm_zero": lambda L: embedded(L, [1, 3, 3, 0], max_norm=0.0),
        "max_norm_padding": lambda L: embedded(L, [1, 3, 3, 0], 3, 0.5),
        "max_norm_plain_table": renormed,
        "max_norm_recorded_table": renormed_recorded,
        "by_frequency": lambda L: embedded(L, [1, 3, 3, 0, 3], scale_grad_by_freq=True),
        "by_frequency_matrix": lambda L: embedded(L, [[1, 3], [3, 0]], scale_grad_by_freq=True),
        "by_frequency_padding": lambda L: embedded(L, [1, 3, 3, 0], 3, None, 2.0, True),
        "none": lambda L: F(L).embedding(L.zeros(0, dtype=L.int64), L.ones(5, 3)),
        "none_of_none": lambda L: F(L).embedding(L.zeros(0, dtype=L.int64), L.ones(0, 3)),
        "none_matrix": lambda L: F(L).embedding(L.zeros(2, 0, dtype=L.int64), L.ones(5, 3)),
        "int32": lambda L: F(L).embedding(L.tensor([1, 2], dtype=L.int32), tensor(L, 5, 3)),
        "integer_table": lambda L: F(L).embedding(index(L, 1, 2), L.arange(15).reshape(5, 3)),
        "float32": lambda L: F(L).embedding(index(L, 1, 2), tensor(L, 5, 3, dtype="float32")),
        "strided_table": lambda L: gradients(
            L, F(L).embedding(index(L, 1, 2, 1), (x := tensor(L, 3, 8, grad=True)).T[::2]), x
        ),
        "name_of_grad_fn": lambda L: (
            repr(F(L).embedding(index(L, 1), tensor(L, 5, 3, grad=True)).grad_fn).strip("<>").split(" ")[0]
        ),
    },
)


ROWS += errors(
    "nn.functional.embedding",
    {
        "outside": (lambda L: F(L).embedding(index(L, 0, 5), L.ones(5, 2)), r"embedding.*0 to 5.*5 rows.*0 to 4"),
        "negative": (lambda L: F(L).embedding(index(L, -1), L.ones(5, 2)), r"embedding.*-1"),
        "outside_int32": (lambda L: F(L).embedding(L.tensor([5], dtype=L.int32), L.ones(5, 2)), r"embedding.*5 rows"),
        "no_rows": (lambda L: F(L).embedding(index(L, 0), L.ones(0, 2)), r"embedding.*0 rows"),
        "floats": (lambda L: F(L).embedding(L.tensor([1.0]), L.ones(5, 2)), r"embedding.*float32"),
        "bytes": (lambda L: F(L).embedding(L.tensor([1], dtype=L.uint8), L.ones(5, 2)), r"embedding.*uint8"),
        "int16": (lambda L: F(L).embedding(L.tensor([1], dtype=L.int16), L.ones(5, 2)), r"embedding.*int16"),
        "bools": (lambda L: F(L).embedding(L.tensor([True]), L.ones(5, 2)), r"embedding.*bool"),
        "vector_table": (lambda L: F(L).embedding(index(L, 1), L.ones(5)), r"embedding.*2-D.*\(5,\)"),
        "three_dim_table": (lambda L: F(L).embedding(index(L, 1), L.ones(5, 2, 2)), r"embedding.*2-D.*\(5, 2, 2\)"),
        "wrong_padding": (lambda L: F(L).embedding(index(L, 1), L.ones(5, 2), 5), r"embedding.*padding_idx 5"),
        "wrong_padding_negative": (
            lambda L: F(L).embedding(index(L, 1), L.ones(5, 2), -6),
            r"embedding.*padding_idx -6",
        ),
        "list": (lambda L: F(L).embedding([1], L.ones(5, 2)), r"embedding.*list"),
        "table_list": (lambda L: F(L).embedding(index(L, 1), [1.0]), r"embedding.*list"),
    },
)

# ---- one_hot

ROWS += rows(
    "nn.functional.one_hot",
    {
        "vector": lambda L: F(L).one_hot(index(L, 0, 2, 1)),
        "classes": lambda L: F(L).one_hot(index(L, 0, 2, 1), 5),
        "named": lambda L: F(L).one_hot(index(L, 0, 2, 1), num_classes=4),
        "inferred": lambda L: F(L).one_hot(index(L, 0, 2, 1), -1),
        "matrix": lambda L: F(L).one_hot(L.tensor([[0, 1], [2, 0]])),
        "zero_dim": lambda L: F(L).one_hot(L.tensor(1), 3),
        "zero_dim_inferred": lambda L: F(L).one_hot(L.tensor(2)),
        "empty": lambda L: F(L).one_hot(L.zeros(0, dtype=L.int64), 3),
        "empty_matrix": lambda L: F(L).one_hot(L.zeros(0, 2, dtype=L.int64), 3),
        "strided": lambda L: F(L).one_hot(L.arange(6).reshape(2, 3).T),
        "as_floats": lambda L: F(L).one_hot(index(L, 0, 2, 1)).float() @ tensor(L, 3, 2, dtype="float32"),
    },
)
ROWS += errors(
    "nn.functional.one_hot",
    {
        "negative": (lambda L: F(L).one_hot(index(L, -1)), r"one_hot.*-1"),
        "too_large": (lambda L: F(L).one_hot(index(L, 3), 3), r"one_hot.*num_classes=3.*3"),
        "no_classes": (lambda L: F(L).one_hot(index(L, 0), 0), r"one_hot.*num_classes=0"),
        "negative_classes": (lambda L: F(L).one_hot(index(L, 0), -2), r"one_hot.*-2"),
        "floats": (lambda L: F(L).one_hot(L.tensor([1.0])), r"one_hot.*float32"),
        "int32": (lambda L: F(L).one_hot(L.tensor([1], dtype=L.int32)), r"one_hot.*int32"),
        "bools": (lambda L: F(L).one_hot(L.tensor([True])), r"one_hot.*bool"),
        "wrong_empty": (lambda L: F(L).one_hot(L.zeros(0, dtype=L.int64)), r"one_hot.*empty"),
        "empty_no_classes": (lambda L: F(L).one_hot(L.zeros(0, dtype=L.int64), 0), r"one_hot.*empty"),
        "list": (lambda L: F(L).one_hot([1]), r"one_hot.*list"),
    },
)

# ---- Linear


ROWS += rows(
    "nn.Linear",
    {
        "rows": lambda L: affine(L, (4, 3), (5, 4)),
        "one_row": lambda L: affine(L, (4, 3), (1, 4)),
        "vector": lambda L: affine(L, (4, 3), (4,)),
        "three": lambda L: affine(L, (4, 3), (2, 5, 4)),
        "four": lambda L: affine(L, (4, 3), (2, 1, 5, 4)),
        "empty": lambda L: affine(L, (4, 3), (0, 4)),
        "empty_three": lambda L: affine(L, (4, 3), (2, 0, 4)),
        "no_bias": lambda L: affine(L, (4, 3), (5, 4), bias=False),
        "no_bias_vector": lambda L: affine(L, (4, 3, False), (4,)),
        "float32": lambda L: affine(L, (4, 3), (5, 4), "float32"),
        "one_to_one": lambda L: affine(L, (1, 1), (5, 1)),
        "no_features": lambda L: repr(L.nn.Linear(0, 3)(L.ones(2, 0)).shape),
        "no_outputs": lambda L: tuple(L.nn.Linear(3, 0)(L.ones(2, 3)).shape),
        "device": lambda L: repr(L.nn.Linear(2, 3, device="cpu").weight.device),
        "positional": lambda L: str(L.nn.Linear(2, 3, False, "cpu", L.float16).weight.dtype),
        "bias_none": lambda L: L.nn.Linear(2, 3, bias=False).bias,
        "state": lambda L: [list(L.nn.Linear(2, 3, b).state_dict()) for b in (True, False)],
        "text_no_bias": lambda L: repr(L.nn.Linear(2, 3, bias=False)),
        "strided": strided_linear,
        "reset": lambda L: reset(L, L.nn.Linear(5, 3)),
        "frozen_weight": frozen,
    },
)
ROWS += rows(
    "nn.Linear",
    {
        "start": lambda L: linear_start(L, 5, 7),
        "start_no_bias": lambda L: linear_start(L, 30, 200, bias=False),
        "start_double": lambda L: linear_start(L, 5, 7, dtype=L.float64),
        "start_large": lambda L: linear_start(L, 100, 3),
    },
    exact=True,
)


ROWS += errors(
    "nn.Linear",
    {
        "features": (lambda L: L.nn.Linear(5, 7)(L.ones(2, 4)), r"linear.*\(2, 4\).*\(7, 5\)"),
        "features_vector": (lambda L: L.nn.Linear(5, 7)(L.ones(4)), r"linear.*\(4,\)"),
        "features_three": (lambda L: L.nn.Linear(5, 7)(L.ones(2, 5, 4)), r"linear.*\(2, 5, 4\)"),
        "wrong_zero_dim": (lambda L: L.nn.Linear(5, 7)(L.tensor(1.0)), r"linear.*\(\)"),
        "dtype": (lambda L: L.nn.Linear(5, 7)(L.ones(2, 5).double()), r"linear.*float64.*float32"),
        "wrong_integers": (lambda L: L.nn.Linear(5, 7)(L.ones(2, 5).long()), r"linear.*int64.*float32"),
        "list": (lambda L: L.nn.Linear(5, 7)([1.0]), r"linear.*list"),
        "negative_in": (lambda L: L.nn.Linear(-1, 2), r"-1"),
        "negative_out": (lambda L: L.nn.Linear(2, -1), r"-1"),
        "float_in": (lambda L: L.nn.Linear(2.0, 1), r"."),
        "text_in": (lambda L: L.nn.Linear("a", 1), r"."),
        "integer_dtype": (lambda L: L.nn.Linear(2, 3, dtype=L.int64), r"floating"),
        "wrong_device": (lambda L: L.nn.Linear(2, 3, device="tpu7"), r"tpu7"),
        "one_argument": (lambda L: L.nn.Linear(2), r"out_features"),
    },
)
ROWS += rows(
    "nn.functional.linear",
    {
        "rows": lambda L: linear(L, (5, 4), (3, 4)),
        "rows_bias": lambda L: linear(L, (5, 4), (3, 4), (3,)),
        "vector": lambda L: linear(L, (4,), (3, 4)),
        "vector_bias": lambda L: linear(L, (4,), (3, 4), (3,)),
        "three": lambda L: linear(L, (2, 5, 4), (3, 4)),
        "three_bias": lambda L: linear(L, (2, 5, 4), (3, 4), (3,)),
        "four_bias": lambda L: linear(L, (2, 1, 5, 4), (3, 4), (3,)),
        "weight_vector": lambda L: linear(L, (5, 4), (4,)),
        "both_vectors": lambda L: linear(L, (4,), (4,)),
        "weight_vector_three": lambda L: linear(L, (2, 5, 4), (4,)),
        "bias_one": lambda L: linear(L, (5, 4), (3, 4), (1,)),
        "bias_zero_dim": lambda L: linear(L, (5, 4), (3, 4), ()),
        "bias_matrix": lambda L: linear(L, (5, 4), (3, 4), (5, 3)),
        "bias_row": lambda L: linear(L, (5, 4), (3, 4), (1, 3)),
        "bias_column": lambda L: linear(L, (5, 4), (3, 4), (5, 1)),
        "bias_one_three": lambda L: linear(L, (2, 5, 4), (3, 4), (1,)),
        "bias_one_vector": lambda L: linear(L, (4,), (3, 4), (1,)),
        "empty": lambda L: linear(L, (0, 4), (3, 4), (3,)),
        "empty_features": lambda L: linear(L, (5, 0), (3, 0), (3,)),
        "empty_output": lambda L: linear(L, (5, 4), (0, 4), (0,)),
        "float32": lambda L: linear(L, (5, 4), (3, 4), (3,), "float32"),
        "float16": lambda L: F(L).linear(tensor(L, 2, 3, dtype="float16"), tensor(L, 4, 3, dtype="float16")),
        "integers": lambda L: F(L).linear(L.arange(6).reshape(2, 3), L.arange(12).reshape(4, 3)),
        "integers_bias": lambda L: F(L).linear(L.arange(6).reshape(2, 3), L.arange(12).reshape(4, 3), L.arange(4)),
        "name_of_grad_fn": lambda L: (
            repr(F(L).linear(tensor(L, 2, 3, grad=True), tensor(L, 4, 3), tensor(L, 4)).grad_fn)
            .strip("<>")
            .split(" ")[0]
        ),
    },
)
ROWS += errors(
    "nn.functional.linear",
    {
        "features": (lambda L: F(L).linear(L.ones(2, 3), L.ones(4, 5)), r"linear.*\(2, 3\).*\(4, 5\)"),
        "wrong_zero_dim": (lambda L: F(L).linear(L.tensor(1.0), L.ones(4, 5)), r"linear.*\(\)"),
        "weight_zero_dim": (lambda L: F(L).linear(L.ones(2, 3), L.tensor(1.0)), r"linear.*\(\)"),
        "weight_three": (lambda L: F(L).linear(L.ones(2, 3), L.ones(2, 3, 3)), r"linear.*\(2, 3, 3\)"),
        "weight_vector_bias": (lambda L: F(L).linear(L.ones(2, 3), L.ones(3), L.ones(1)), r"linear.*without bias"),
        "bias": (lambda L: F(L).linear(L.ones(2, 3), L.ones(4, 3), L.ones(5)), r"linear.*\(5,\).*\(4,\)"),
        "bias_vector_input": (lambda L: F(L).linear(L.ones(3), L.ones(4, 3), L.ones(5)), r"linear.*\(5,\)"),
        "bias_too_many": (lambda L: F(L).linear(L.ones(2, 3), L.ones(4, 3), L.ones(3, 4)), r"linear.*\(3, 4\)"),
        "bias_dtype": (lambda L: F(L).linear(L.ones(2, 3), L.ones(4, 3), L.ones(4).double()), r"linear.*float64"),
        "dtype": (lambda L: F(L).linear(L.ones(2, 3).double(), L.ones(4, 3)), r"linear.*float64.*float32"),
        "wrong_integers": (lambda L: F(L).linear(L.ones(2, 3).long(), L.ones(4, 3)), r"linear.*int64.*float32"),
        "list": (lambda L: F(L).linear([1.0], L.ones(4, 3)), r"linear.*list"),
        "bias_list": (lambda L: F(L).linear(L.ones(2, 3), L.ones(4, 3), [1.0]), r"linear.*list"),
        "weight_none": (lambda L: F(L).linear(L.ones(2, 3), None), r"linear.*None"),
    },
)

# ---- Identity, Flatten, Unflatten


ROWS += rows(
    "nn.Identity",
    {
        "plain": lambda L: same_object(L, L.nn.Identity()),
        "arguments": lambda L: repr(L.nn.Identity(54, unused=True, other=[1])),
        "anything": lambda L: L.nn.Identity()("text"),
        "state": lambda L: [list(L.nn.Identity(3).state_dict()), list(L.nn.Identity().parameters())],
        "in_sequential": lambda L: shaped(L, L.nn.Sequential(L.nn.Identity(), L.nn.Flatten()), 2, 3, 4),
    },
)
ROWS += errors("nn.Identity", {"no_input": (lambda L: L.nn.Identity()(), r"input")})
ROWS += rows(
    "nn.Flatten",
    {
        "plain": lambda L: shaped(L, L.nn.Flatten(), 2, 3, 4),
        "four": lambda L: shaped(L, L.nn.Flatten(), 2, 3, 4, 2),
        "matrix": lambda L: shaped(L, L.nn.Flatten(), 2, 3),
        "all": lambda L: shaped(L, L.nn.Flatten(0), 2, 3, 4),
        "middle": lambda L: shaped(L, L.nn.Flatten(1, 2), 2, 3, 4, 2),
        "negative": lambda L: shaped(L, L.nn.Flatten(-2, -1), 2, 3, 4, 2),
        "named": lambda L: shaped(L, L.nn.Flatten(start_dim=0, end_dim=1), 2, 3, 4),
        "nothing_to_do": lambda L: shaped(L, L.nn.Flatten(1, 1), 2, 3, 4),
        "empty": lambda L: shaped(L, L.nn.Flatten(), 0, 3, 4),
        "empty_inside": lambda L: shaped(L, L.nn.Flatten(), 2, 0, 4),
        "zero_dim": lambda L: shaped(L, L.nn.Flatten(0)),
        "vector_all": lambda L: shaped(L, L.nn.Flatten(0), 4),
        "strided": lambda L: gradients(L, L.nn.Flatten()((x := tensor(L, 4, 3, 2, grad=True)).permute(2, 0, 1)), x),
        "attributes": lambda L: [L.nn.Flatten(2, 3).start_dim, L.nn.Flatten(2, 3).end_dim],
    },
)
ROWS += errors(
    "nn.Flatten",
    {
        "vector": (lambda L: L.nn.Flatten()(L.ones(3)), r"flatten.*out of range.*1"),
        "wrong_zero_dim": (lambda L: L.nn.Flatten()(L.tensor(1.0)), r"flatten.*out of range.*1"),
        "range": (lambda L: L.nn.Flatten(3)(L.ones(2, 3)), r"flatten.*out of range.*3"),
        "range_end": (lambda L: L.nn.Flatten(0, 2)(L.ones(2, 3)), r"flatten.*out of range.*2"),
        "order": (lambda L: L.nn.Flatten(2, 1)(L.ones(2, 3, 4)), r"flatten.*2 and 1"),
        "float": (lambda L: L.nn.Flatten(1.0)(L.ones(2, 3)), r"flatten.*float"),
    },
)
ROWS += rows(
    "nn.Unflatten",
    {
        "pair": lambda L: shaped(L, L.nn.Unflatten(1, (2, 3)), 4, 6),
        "list": lambda L: shaped(L, L.nn.Unflatten(1, [2, 3]), 4, 6),
        "size": lambda L: shaped(L, L.nn.Unflatten(1, L.ones(2, 3).shape), 4, 6),
        "inferred": lambda L: shaped(L, L.nn.Unflatten(1, (2, -1)), 4, 6),
        "inferred_first": lambda L: shaped(L, L.nn.Unflatten(1, (-1, 3)), 4, 6),
        "three": lambda L: shaped(L, L.nn.Unflatten(0, (2, 2, 1)), 4, 6),
        "negative": lambda L: shaped(L, L.nn.Unflatten(-1, (2, 3)), 4, 6),
        "first": lambda L: shaped(L, L.nn.Unflatten(0, (2, 2)), 4, 6),
        "one": lambda L: shaped(L, L.nn.Unflatten(1, (6,)), 4, 6),
        "back_again": lambda L: shaped(L, L.nn.Sequential(L.nn.Flatten(), L.nn.Unflatten(1, (3, 4))), 2, 3, 4),
        "attributes": lambda L: [L.nn.Unflatten(1, (2, 3)).dim, L.nn.Unflatten(1, (2, 3)).unflattened_size],
    },
)
ROWS += errors(
    "nn.Unflatten",
    {
        "int": (lambda L: L.nn.Unflatten(1, 6), r"Unflatten.*int"),
        "floats": (lambda L: L.nn.Unflatten(1, (2.0, 3)), r"Unflatten.*2.0"),
        "text": (lambda L: L.nn.Unflatten(1, (2, "a")), r"Unflatten.*'a'"),
        "product": (lambda L: L.nn.Unflatten(1, (2, 4))(L.ones(2, 6)), r"unflatten.*\(2, 4\).*6"),
        "rest": (lambda L: L.nn.Unflatten(1, (4, -1))(L.ones(2, 6)), r"unflatten.*\(4, -1\).*6"),
        "two_inferred": (lambda L: L.nn.Unflatten(1, (-1, -1))(L.ones(2, 6)), r"unflatten.*\(-1, -1\)"),
        "nothing": (lambda L: L.nn.Unflatten(1, ())(L.ones(2, 6)), r"unflatten.*\(\)"),
        "range": (lambda L: L.nn.Unflatten(5, (2, 3))(L.ones(2, 6)), r"unflatten.*out of range.*5"),
    },
)

# ---- Dropout


for name, shape in {"Dropout": (5, 6), "Dropout1d": (4, 5, 3), "Dropout2d": (3, 4, 2, 3)}.items():
    ROWS += rows(
        f"nn.{name}",
        {
            "plain": lambda L, n=name, s=shape: dropped(L, lambda L: getattr(L.nn, n)(), *s),
            "p": lambda L, n=name, s=shape: dropped(L, lambda L: getattr(L.nn, n)(0.2), *s),
            "p_zero": lambda L, n=name, s=shape: dropped(L, lambda L: getattr(L.nn, n)(p=0), *s),
            "p_one": lambda L, n=name, s=shape: dropped(L, lambda L: getattr(L.nn, n)(1.0), *s),
            "p_int_one": lambda L, n=name, s=shape: dropped(L, lambda L: getattr(L.nn, n)(1), *s),
            "eval": lambda L, n=name, s=shape: dropped(L, lambda L: getattr(L.nn, n)(), *s, train=False),
            "inplace": lambda L, n=name, s=shape: dropped(L, lambda L: getattr(L.nn, n)(0.3, True), *s),
            "inplace_eval": lambda L, n=name, s=shape: dropped(
                L, lambda L: getattr(L.nn, n)(0.3, True), *s, train=False
            ),
            "float32": lambda L, n=name, s=shape: dropped(L, lambda L: getattr(L.nn, n)(), *s, dtype="float32"),
            "empty": lambda L, n=name, s=shape: dropped(L, lambda L: getattr(L.nn, n)(), 0, *s[1:]),
            "another_seed": lambda L, n=name, s=shape: dropped(L, lambda L: getattr(L.nn, n)(0.7), *s, seed=77),
            "attributes": lambda L, n=name: [getattr(L.nn, n)(0.3, True).p, getattr(L.nn, n)(0.3, True).inplace],
            "twice": lambda L, n=name, s=shape: dropped(
                L, lambda L: L.nn.Sequential(getattr(L.nn, n)(0.3), getattr(L.nn, n)(0.3)), *s
            ),
            "eval_is_identity": lambda L, n=name, s=shape: given_back(L, getattr(L.nn, n)().eval(), *s),
        },
    )
    ROWS += errors(
        f"nn.{name}",
        {
            "p_large": (lambda L, n=name: getattr(L.nn, n)(1.5), rf"{name}.*1.5"),
            "p_negative": (lambda L, n=name: getattr(L.nn, n)(-0.1), rf"{name}.*-0.1"),
            "p_text": (lambda L, n=name: getattr(L.nn, n)("a"), r"str"),
            "inplace_leaf": (lambda L, n=name, s=shape: getattr(L.nn, n)(0.5, True)(tensor(L, *s, grad=True)), r"leaf"),
        },
    )
    function = name.lower()
    ROWS += rows(
        f"nn.functional.{function}",
        {
            "plain": lambda L, n=function, s=shape: drop(L, n, shape=s),
            "positional": lambda L, n=function, s=shape: drop(L, n, 0.3, True, False, shape=s),
            "named": lambda L, n=function, s=shape: drop(L, n, p=0.3, training=True, inplace=True, shape=s),
            "not_training": lambda L, n=function, s=shape: drop(L, n, training=False, shape=s),
            "p_zero": lambda L, n=function, s=shape: drop(L, n, 0.0, shape=s),
            "p_one": lambda L, n=function, s=shape: drop(L, n, 1.0, shape=s),
            "float32": lambda L, n=function, s=shape: drop(L, n, 0.25, shape=s, dtype="float32"),
            "inplace_plain": lambda L, n=function, s=shape: dropped_in_place(L, n, s),
            "empty": lambda L, n=function, s=shape: drop(L, n, shape=(0, *s[1:])),
        },
    )
    ROWS += errors(
        f"nn.functional.{function}",
        {
            "p_large": (lambda L, n=function, s=shape: getattr(F(L), n)(L.ones(*s), 1.5), rf"{function}.*1.5"),
            "p_negative": (lambda L, n=function, s=shape: getattr(F(L), n)(L.ones(*s), -0.5), rf"{function}.*-0.5"),
            "p_large_in_place": (
                lambda L, n=function, s=shape: getattr(F(L), n)(L.ones(*s), 1.5, True, True),
                rf"{function}.*1.5",
            ),
        },
    )


ROWS += rows(
    "nn.functional.dropout",
    {
        "zero_dim": lambda L: drop(L, "dropout", shape=()),
        "vector": lambda L: drop(L, "dropout", 0.4, shape=(50,)),
        "large": lambda L: drop(L, "dropout", 0.4, shape=(30, 40)),
        "integers_p_zero": lambda L: F(L).dropout(L.tensor([1, 2]), 0.0),
        "integers_p_one": lambda L: F(L).dropout(L.tensor([1, 2]), 1.0),
        "integers_not_training": lambda L: F(L).dropout(L.tensor([1, 2]), 0.5, False),
        "transposed": lambda L: drop_strided(L, lambda x: x.T),
        "with_gaps": lambda L: drop_strided(L, lambda x: x[::2, 1::3]),
        "turned": lambda L: drop_strided(L, lambda x: x.reshape(4, 3, 12).permute(2, 0, 1)),
        "expanded": lambda L: drop_strided(L, lambda x: x[:, :1].expand(12, 5)),
        "nan_stays": lambda L: F(L).dropout(L.tensor([float("nan")]), 1.0),
        "keeps_the_mean": lambda L: drop(L, "dropout", 0.9, shape=(1000,)),
        "name_of_grad_fn": lambda L: repr(F(L).dropout(tensor(L, 4, grad=True)).grad_fn).strip("<>").split(" ")[0],
    },
)
ROWS += rows(
    "nn.functional.dropout1d",
    {"unbatched": lambda L: drop(L, "dropout1d", shape=(6, 3))},
)
ROWS += rows(
    "nn.functional.dropout2d",
    {
        "three_dimensions": lambda L: drop(L, "dropout2d", shape=(4, 5, 3)),
        "two_dimensions": lambda L: drop(L, "dropout2d", shape=(4, 5)),
    },
)
ROWS += errors(
    "nn.functional.dropout",
    {
        "p_nan": (lambda L: F(L).dropout(L.ones(2), float("nan")), r"dropout.*nan"),
        "wrong_integers": (lambda L: F(L).dropout(L.tensor([1, 2]), 0.5), r"dropout.*int64"),
        "bools": (lambda L: F(L).dropout(L.tensor([True]), 0.5), r"dropout.*bool"),
        "list": (lambda L: F(L).dropout([1.0]), r"dropout.*list"),
    },
)
ROWS += errors(
    "nn.functional.dropout1d",
    {
        "rank_1": (lambda L: F(L).dropout1d(L.ones(3)), r"dropout1d.*\(3,\)"),
        "rank_4": (lambda L: F(L).dropout1d(L.ones(1, 2, 3, 4)), r"dropout1d.*\(1, 2, 3, 4\)"),
    },
)
ROWS += errors("nn.functional.dropout2d", {"rank_1": (lambda L: F(L).dropout2d(L.ones(3)), r"dropout2d")})
