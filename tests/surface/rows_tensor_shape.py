"""Rows about shapes: views, orders of dimensions, joining, cutting, and how a tensor says what it is."""

from .table import errors, given, gradients, rows, tensor


def moved(function, *shape):
    """A row: function(L, x) of a recorded tensor, whether it is contiguous, its text, and its gradient."""

    def run(L):
        x = tensor(L, *shape, grad=True)
        y = function(L, x)
        ys = list(y) if isinstance(y, tuple | list) else [y]
        texts = [repr(part) for part in ys]
        return gradients(L, y, x), texts, [part.is_contiguous() for part in ys], [part.is_leaf for part in ys]

    return run


def table(shape, **ways):
    return {special: moved(function, *shape) for special, function in ways.items()}


S = (2, 3, 4)
ROWS = []
ROWS += rows(
    "Tensor.view",
    table(
        S,
        sizes=lambda L, x: x.view(3, 8),
        tuple=lambda L, x: x.view((4, 6)),
        list=lambda L, x: x.view([4, 6]),
        size=lambda L, x: x.view(L.Size([24])),
        named=lambda L, x: x.view(size=(2, 12)),
        unknown=lambda L, x: x.view(-1, 6),
        unknown_alone=lambda L, x: x.view(-1),
        ones=lambda L, x: x.view(1, 24, 1),
        tensor_size=lambda L, x: x.view(L.tensor(2), 12),
        of_slice=lambda L, x: x[1:].view(12),
        twice=lambda L, x: x.view(24).view(2, 12),
    ),
)
ROWS += rows(
    "Tensor.view",
    {
        "transposed_where_it_can": lambda L: tensor(L, 2, 3, 4).transpose(0, 1).view(3, 2, 2, 2),
        "empty": lambda L: L.zeros(0, 3).view(-1),
        "empty_unknown": lambda L: L.zeros(0).view(-1, 2),
        "zero_dim": lambda L: L.tensor(1.0).view(1, 1),
        "to_zero_dim": lambda L: L.tensor([1.0]).view(()),
        "shares_memory": lambda L: given(lambda x: (x.view(6).fill_(3), x)[1], L.zeros(2, 3)),
        "bytes": lambda L: L.tensor([1.0, -2.0]).view(L.int32),
        "bytes_wider": lambda L: L.tensor([1, 0], dtype=L.int32).view(L.int64),
        "bytes_narrower": lambda L: L.tensor([[258]], dtype=L.int64).view(L.uint8),
        "as_other": lambda L: tensor(L, 2, 3).view_as(L.zeros(6)),
        "text": lambda L: str(L.arange(6).view(2, 3)),
        "of_bools": lambda L: L.tensor([True, False]).view(2, 1),
    },
)
ROWS += errors(
    "Tensor.view",
    {
        "count": (lambda L: L.ones(6).view(4, 2), r"view.*\[4, 2\].*6"),
        "two_unknown": (lambda L: L.ones(6).view(-1, -1), r"view.*-1"),
        "negative": (lambda L: L.ones(6).view(-2, 3), r"view.*-2"),
        "rest": (lambda L: L.ones(6).view(-1, 4), r"view.*4.*6"),
        "zero_and_unknown": (lambda L: L.ones(6).view(0, -1), r"view.*0, -1.*6"),
        "ambiguous": (lambda L: L.ones(0, 3).view(-1, 0), r"view.*-1, 0"),
        "strides": (lambda L: L.ones(2, 3).T.view(6), r"view.*reshape"),
        "strides_of_slice": (lambda L: L.ones(4, 3)[:, 1:].view(8), r"view.*reshape"),
        "float": (lambda L: L.ones(6).view(2.0, 3), r"float"),
        "size_text": (lambda L: L.ones(6).view("a"), r"str"),
        "nothing": (lambda L: L.ones(6).view(), r"view.*size"),
        "bytes_that_do_not_fit": (lambda L: L.ones(3, dtype=L.int8).view(L.int32), r"view.*int8.*int32"),
    },
)
ROWS += rows(
    "Tensor.reshape",
    table(
        S,
        sizes=lambda L, x: x.reshape(3, 8),
        tuple=lambda L, x: x.reshape((4, -1)),
        named=lambda L, x: x.reshape(shape=(4, 6)),
        function=lambda L, x: L.reshape(x, (4, 6)),
        function_named=lambda L, x: L.reshape(input=x, shape=(4, 6)),
        same=lambda L, x: x.reshape(2, 3, 4),
    ),
)
ROWS += rows(
    "Tensor.reshape",
    {
        "transposed": lambda L: gradients(L, (x := tensor(L, 3, 4, grad=True)).T.reshape(12), x),
        "viewable": lambda L: gradients(L, (x := tensor(L, *S, grad=True)).transpose(0, 1).reshape(3, 2, 2, 2), x),
        "empty": lambda L: L.zeros(0, 3).reshape(3, 0),
        "zero_dim": lambda L: L.tensor(1.0).reshape(1),
        "to_zero_dim": lambda L: L.ones(1, 1).reshape(()),
        "as_other": lambda L: tensor(L, 2, 3).reshape_as(L.zeros(6)),
        "ravel": lambda L: tensor(L, 2, 3).T.ravel(),
    },
)
ROWS += errors(
    "Tensor.reshape",
    {
        "count": (lambda L: L.ones(6).reshape(4, 2), r"reshape.*\[4, 2\].*6"),
        "negative": (lambda L: L.ones(6).reshape(-2, 3), r"reshape.*-2"),
        "many_to_zero_dim": (lambda L: L.ones(6).reshape(()), r"reshape.*6"),
        "float": (lambda L: L.ones(6).reshape(2.0, 3), r"float"),
        "no_tensor": (lambda L: L.reshape([1, 2], (2, 1)), r"reshape.*list"),
    },
)
ROWS += rows(
    "Tensor.flatten",
    table(
        S,
        all=lambda L, x: x.flatten(),
        start=lambda L, x: x.flatten(1),
        start_named=lambda L, x: x.flatten(start_dim=1),
        both=lambda L, x: x.flatten(0, 1),
        negative=lambda L, x: x.flatten(-2, -1),
        one=lambda L, x: x.flatten(1, 1),
        function=lambda L, x: L.flatten(x, 1),
    ),
)
ROWS += rows(
    "Tensor.flatten",
    {
        "zero_dim": lambda L: L.tensor(2.0).flatten(),
        "empty": lambda L: L.zeros(2, 0, 3).flatten(1),
        "transposed": lambda L: gradients(L, (x := tensor(L, 3, 4, grad=True)).T.flatten(), x),
    },
)
ROWS += errors(
    "Tensor.flatten",
    {
        "range": (lambda L: L.ones(2).flatten(1), r"flatten.*range"),
        "order": (lambda L: L.ones(2, 3).flatten(1, 0), r"flatten.*1.*0"),
        "no_tensor": (lambda L: L.flatten([1]), r"flatten.*list"),
    },
)
ROWS += rows(
    "Tensor.permute",
    table(
        S,
        dims=lambda L, x: x.permute(2, 0, 1),
        tuple=lambda L, x: x.permute((1, 0, 2)),
        named=lambda L, x: x.permute(dims=(0, 2, 1)),
        negative=lambda L, x: x.permute(-1, 0, 1),
        function=lambda L, x: L.permute(x, (2, 1, 0)),
        same=lambda L, x: x.permute(0, 1, 2),
        contiguous=lambda L, x: x.permute(2, 0, 1).contiguous(),
    ),
)
ROWS += errors(
    "Tensor.permute",
    {
        "twice": (lambda L: L.ones(2, 3).permute(0, 0), r"permute.*0, 0"),
        "twice_negative": (lambda L: L.ones(2, 3).permute(1, -1), r"permute"),
        "too_few": (lambda L: L.ones(2, 3).permute(0), r"permute.*\(2, 3\)"),
        "too_many": (lambda L: L.ones(2, 3).permute(0, 1, 2), r"permute.*\(2, 3\)"),
        "range": (lambda L: L.ones(2, 3).permute(0, 2), r"permute.*range"),
        "nothing": (lambda L: L.ones(2, 3).permute(), r"permute.*dims"),
    },
)
ROWS += rows(
    "Tensor.transpose",
    table(
        S,
        dims=lambda L, x: x.transpose(0, 2),
        negative=lambda L, x: x.transpose(-1, -2),
        named=lambda L, x: x.transpose(dim0=0, dim1=1),
        same=lambda L, x: x.transpose(1, 1),
        function=lambda L, x: L.transpose(x, 0, 1),
        swapaxes=lambda L, x: x.swapaxes(0, 1),
        swapdims=lambda L, x: x.swapdims(0, 2),
        movedim=lambda L, x: x.movedim(0, 2),
        movedim_several=lambda L, x: L.movedim(x, (0, 1), (2, 0)),
        moveaxis=lambda L, x: x.moveaxis(-1, 0),
    ),
)
ROWS += rows("Tensor.transpose", {"zero_dim": lambda L: L.tensor(1.0).transpose(0, -1)})
ROWS += errors(
    "Tensor.transpose",
    {
        "range": (lambda L: L.ones(2, 3).transpose(0, 2), r"transpose.*range"),
        "one_dim": (lambda L: L.ones(2, 3).transpose(0), r"dim1"),
        "float": (lambda L: L.ones(2, 3).transpose(0.0, 1), r"transpose.*float"),
        "zero_dim_range": (lambda L: L.tensor(1.0).transpose(0, 1), r"transpose.*range"),
        "movedim_counts": (lambda L: L.ones(2, 3).movedim((0, 1), (0,)), r"movedim.*\(0, 1\)"),
    },
)
ROWS += rows("Tensor.T", table((3, 4), matrix=lambda L, x: x.T, twice=lambda L, x: x.T.T, t=lambda L, x: x.t()))
ROWS += rows("Tensor.T", table(S, three_dims=lambda L, x: x.T))
ROWS += rows("Tensor.T", {"vector": lambda L: tensor(L, 3).T, "zero_dim": lambda L: L.tensor(1.0).T})
ROWS += errors("Tensor.T", {"t_of_three_dims": (lambda L: L.ones(2, 3, 4).t(), r"t: .*\(2, 3, 4\)")})
ROWS += rows("Tensor.mT", table(S, batch=lambda L, x: x.mT, matrix=lambda L, x: x[0].mT))
ROWS += rows("Tensor.mT", {"zero_dim": lambda L: L.tensor(1.0).mT})
ROWS += errors("Tensor.mT", {"vector": (lambda L: L.ones(3).mT, r"mT.*\(3,\)")})

O = (1, 3, 1, 2)
ROWS += rows(
    "Tensor.squeeze",
    table(
        O,
        all=lambda L, x: x.squeeze(),
        dim=lambda L, x: x.squeeze(0),
        dim_negative=lambda L, x: x.squeeze(-2),
        dim_named=lambda L, x: x.squeeze(dim=2),
        dims=lambda L, x: x.squeeze((0, 2)),
        dims_some_larger=lambda L, x: x.squeeze((0, 1)),
        larger=lambda L, x: x.squeeze(1),
        function=lambda L, x: L.squeeze(x, 0),
        function_all=lambda L, x: L.squeeze(x),
        no_dims=lambda L, x: x.squeeze(()),
    ),
)
ROWS += rows(
    "Tensor.squeeze",
    {
        "to_zero_dim": lambda L: L.ones(1, 1).squeeze(),
        "zero_dim": lambda L: L.tensor(1.0).squeeze(),
        "zero_dim_dim": lambda L: L.tensor(1.0).squeeze(0),
        "empty": lambda L: L.ones(1, 0).squeeze(),
    },
)
ROWS += errors(
    "Tensor.squeeze",
    {
        "range": (lambda L: L.ones(2).squeeze(1), r"squeeze.*range"),
        "twice": (lambda L: L.ones(1, 2).squeeze((0, 0)), r"squeeze.*0, 0"),
        "float": (lambda L: L.ones(1, 2).squeeze(0.0), r"squeeze.*float"),
    },
)
ROWS += rows(
    "Tensor.unsqueeze",
    table(
        (2, 3),
        first=lambda L, x: x.unsqueeze(0),
        middle=lambda L, x: x.unsqueeze(1),
        last=lambda L, x: x.unsqueeze(-1),
        end=lambda L, x: x.unsqueeze(2),
        negative=lambda L, x: x.unsqueeze(-3),
        named=lambda L, x: x.unsqueeze(dim=1),
        function=lambda L, x: L.unsqueeze(x, 0),
    ),
)
ROWS += rows("Tensor.unsqueeze", {"zero_dim": lambda L: L.tensor(1.0).unsqueeze(0)})
ROWS += errors(
    "Tensor.unsqueeze",
    {
        "range": (lambda L: L.ones(2).unsqueeze(2), r"unsqueeze.*2"),
        "negative_range": (lambda L: L.ones(2).unsqueeze(-3), r"unsqueeze.*-3"),
        "nothing": (lambda L: L.ones(2).unsqueeze(), r"dim"),
        "float": (lambda L: L.ones(2).unsqueeze(0.5), r"unsqueeze.*float"),
    },
)
ROWS += rows(
    "Tensor.expand",
    table(
        (3, 1),
        sizes=lambda L, x: x.expand(3, 4),
        tuple=lambda L, x: x.expand((3, 4)),
        named=lambda L, x: x.expand(size=(3, 4)),
        keep=lambda L, x: x.expand(-1, 4),
        front=lambda L, x: x.expand(2, 3, 4),
        same=lambda L, x: x.expand(3, 1),
        to_nothing=lambda L, x: x.expand(3, 0),
        as_other=lambda L, x: x.expand_as(L.zeros(2, 3, 5)),
    ),
)
ROWS += rows(
    "Tensor.expand",
    {
        "zero_dim": lambda L: L.tensor(1.0).expand(2, 2),
        "stride": lambda L: L.ones(3, 1).expand(3, 4).stride(),
        "contiguous": lambda L: L.ones(3, 1).expand(3, 4).contiguous().stride(),
        "of_bools": lambda L: L.tensor([True]).expand(3),
    },
)
ROWS += errors(
    "Tensor.expand",
    {
        "size": (lambda L: L.ones(3).expand(4), r"expand.*\(3,\).*\(4,\)"),
        "rank": (lambda L: L.ones(2, 3).expand(3), r"expand.*\(2, 3\)"),
        "new_unknown": (lambda L: L.ones(3).expand(-1, 3), r"expand.*-1"),
        "negative": (lambda L: L.ones(3, 1).expand(-2, 4), r"expand.*-2"),
        "written": (lambda L: L.ones(3).expand(2, 3).add_(1), r"add_.*clone"),
    },
)
ROWS += rows(
    "Tensor.contiguous",
    {
        "itself": lambda L: (x := L.ones(2, 3)).contiguous() is x,
        "transposed": lambda L: tensor(L, 2, 3).T.contiguous(),
        "transposed_stride": lambda L: tensor(L, 2, 3).T.contiguous().stride(),
        "gradient": lambda L: gradients(L, (x := tensor(L, 2, 3, grad=True)).T.contiguous(), x),
        "is": lambda L: (L.ones(2, 3).is_contiguous(), L.ones(2, 3).T.is_contiguous(), L.ones(4)[::2].is_contiguous()),
        "grad_fn": lambda L: repr(tensor(L, 2, 3, grad=True).T.contiguous()),
    },
)
ROWS += rows(
    "Tensor.unflatten",
    table(
        (2, 12),
        sizes=lambda L, x: x.unflatten(1, (3, 4)),
        unknown=lambda L, x: x.unflatten(-1, (-1, 4)),
        function=lambda L, x: L.unflatten(x, 1, (2, 2, 3)),
    ),
)
ROWS += errors("Tensor.unflatten", {"product": (lambda L: L.ones(6).unflatten(0, (4, 2)), r"unflatten.*6")})

# ---- joining and cutting


def joined(function):
    """A row: function(L, a, b) of two recorded matrices of shapes (2, 3), its text, and both gradients."""

    def run(L):
        a, b = tensor(L, 2, 3, grad=True), tensor(L, 2, 3, seed=1, grad=True)
        y = function(L, a, b)
        return gradients(L, y, a, b), repr(y)

    return run


for name in ("cat", "stack"):
    ROWS += rows(
        name,
        {
            "list": joined(lambda L, a, b, n=name: getattr(L, n)([a, b])),
            "tuple": joined(lambda L, a, b, n=name: getattr(L, n)((a, b))),
            "dim": joined(lambda L, a, b, n=name: getattr(L, n)([a, b], 1)),
            "dim_named": joined(lambda L, a, b, n=name: getattr(L, n)([a, b], dim=1)),
            "axis": joined(lambda L, a, b, n=name: getattr(L, n)([a, b], axis=1)),
            "negative": joined(lambda L, a, b, n=name: getattr(L, n)([a, b], -1)),
            "named": joined(lambda L, a, b, n=name: getattr(L, n)(tensors=[a, b])),
            "three": joined(lambda L, a, b, n=name: getattr(L, n)([a, b, a])),
            "one_without_gradient": joined(lambda L, a, b, n=name: getattr(L, n)([a, b, L.ones(2, 3)]).double()),
            "one": lambda L, n=name: getattr(L, n)([tensor(L, 2, 3)]),
            "mixed_dtypes": lambda L, n=name: getattr(L, n)([L.ones(2), L.tensor([1, 2]), L.tensor([True, False])]),
            "transposed": lambda L, n=name: getattr(L, n)([tensor(L, 3, 2).T, tensor(L, 2, 3)]),
            "bools": lambda L, n=name: getattr(L, n)([L.tensor([True]), L.tensor([False])]),
            "no_grad": lambda L, n=name: L.no_grad()(getattr(L, n))([tensor(L, 2, grad=True)] * 2),
        },
    )
    ROWS += errors(
        name,
        {
            "nothing": (lambda L, n=name: getattr(L, n)([]), rf"{name}.*empty"),
            "tensor": (lambda L, n=name: getattr(L, n)(L.ones(2, 2)), rf"{name}.*Tensor.*list"),
            "number": (lambda L, n=name: getattr(L, n)([L.ones(2), 1]), rf"{name}.*int"),
            "ranks": (lambda L, n=name: getattr(L, n)([L.ones(2), L.ones(2, 2)]), rf"{name}.*\(2,\).*\(2, 2\)"),
            "sizes_differ": (
                lambda L, n=name: getattr(L, n)([L.ones(2, 3), L.ones(2, 4)]),
                rf"{name}.*\(2, 3\).*\(2, 4\)",
            ),
            "range": (lambda L, n=name: getattr(L, n)([L.ones(2), L.ones(2)], 2), rf"{name}.*range"),
            "float_dim": (lambda L, n=name: getattr(L, n)([L.ones(2)], 0.5), rf"{name}.*float"),
        },
    )
ROWS += rows(
    "cat",
    {
        "sizes": lambda L: L.cat([tensor(L, 2, 3), tensor(L, 4, 3)]),
        "empty_vector_skipped": lambda L: L.cat([tensor(L, 2, 3), L.zeros(0)]),
        "empty_vectors": lambda L: L.cat([L.zeros(0), L.zeros(0)]),
        "empty_rows": lambda L: L.cat([L.zeros(0, 3), L.ones(2, 3)]),
    },
)
ROWS += errors(
    "cat",
    {
        "zero_dim": (lambda L: L.cat([L.tensor(1.0), L.tensor(2.0)]), r"cat.*zero-dim.*stack"),
        "empty_matrix": (lambda L: L.cat([L.ones(2, 2, 2), L.zeros(0, 3)]), r"cat.*\(0, 3\)"),
    },
)
ROWS += rows(
    "stack", {"zero_dim": lambda L: L.stack([L.tensor(1.0), L.tensor(2.0)]), "empty": lambda L: L.stack([L.zeros(0)])}
)
ROWS += rows(
    "split",
    table(
        (5, 4),
        size=lambda L, x: x.split(2),
        exact=lambda L, x: x.split(5),
        larger=lambda L, x: x.split(9),
        named=lambda L, x: x.split(split_size=2),
        dim=lambda L, x: x.split(3, dim=1),
        negative_dim=lambda L, x: x.split(3, -1),
        sizes=lambda L, x: x.split([1, 0, 4]),
        sizes_tuple=lambda L, x: x.split((2, 2), 1),
        function=lambda L, x: L.split(x, 2),
        function_named=lambda L, x: L.split(x, split_size_or_sections=[2, 3], dim=0),
        chunk=lambda L, x: x.chunk(2),
        chunk_many=lambda L, x: x.chunk(9),
        chunk_dim=lambda L, x: L.chunk(x, 3, dim=1),
        unbind=lambda L, x: x.unbind(),
        unbind_dim=lambda L, x: L.unbind(x, 1),
        unbind_negative=lambda L, x: x.unbind(dim=-1),
        narrow=lambda L, x: x.narrow(0, 1, 3),
        narrow_negative=lambda L, x: L.narrow(x, 1, -2, 2),
        narrow_nothing=lambda L, x: x.narrow(0, 5, 0),
    ),
)
ROWS += rows(
    "split",
    {
        "empty": lambda L: L.zeros(0, 3).split(2),
        "empty_zero": lambda L: L.zeros(0, 3).split(0),
        "shares_memory": lambda L: (x := L.zeros(4), x.split(2)[1].fill_(1), x)[-1],
        "one_used": lambda L: gradients(L, (x := tensor(L, 5, grad=True)).split(2)[1], x),
    },
)
ROWS += errors(
    "split",
    {
        "zero": (lambda L: L.ones(5).split(0), r"split.*0"),
        "negative": (lambda L: L.ones(5).split(-1), r"split.*-1"),
        "sum": (lambda L: L.ones(5).split([2, 2]), r"split.*2, 2.*5"),
        "negative_part": (lambda L: L.ones(5).split([6, -1]), r"split.*-1"),
        "float": (lambda L: L.ones(5).split(1.5), r"split.*float"),
        "range": (lambda L: L.ones(5).split(1, 1), r"split.*range"),
        "zero_dim": (lambda L: L.tensor(1.0).split(1), r"split.*0-dim"),
        "chunk_zero": (lambda L: L.ones(5).chunk(0), r"chunk.*0"),
        "unbind_zero_dim": (lambda L: L.tensor(1.0).unbind(), r"unbind"),
        "narrow_beyond": (lambda L: L.ones(5).narrow(0, 3, 3), r"narrow.*3.*5"),
        "narrow_negative_length": (lambda L: L.ones(5).narrow(0, 3, -1), r"narrow.*-1"),
        "narrow_start": (lambda L: L.ones(5).narrow(0, 6, 0), r"narrow.*6"),
    },
)

# ---- moves that copy

ROWS += rows(
    "Tensor.repeat",
    table(
        (2, 3),
        counts=lambda L, x: x.repeat(2, 2),
        tuple=lambda L, x: x.repeat((1, 3)),
        front=lambda L, x: x.repeat(2, 1, 2),
        zero=lambda L, x: x.repeat(0, 1),
        tile=lambda L, x: x.tile(2),
        tile_more=lambda L, x: L.tile(x, (2, 1, 2)),
        interleave_counts=lambda L, x: L.repeat_interleave(x, L.tensor([1, 0, 2]), dim=1),
        roll=lambda L, x: x.roll(1),
        roll_dim=lambda L, x: x.roll(1, 1),
        roll_negative=lambda L, x: x.roll(-2, 1),
        roll_dims=lambda L, x: L.roll(x, (1, -1), (0, 1)),
        flip=lambda L, x: x.flip(0),
        flip_dims=lambda L, x: x.flip(0, 1),
        flip_tuple=lambda L, x: L.flip(x, (1,)),
        tril=lambda L, x: x.tril(),
        tril_above=lambda L, x: x.tril(1),
        tril_below=lambda L, x: L.tril(x, diagonal=-1),
        triu=lambda L, x: x.triu(),
        triu_above=lambda L, x: L.triu(x, 1),
        diagonal=lambda L, x: x.diagonal(),
        diagonal_below=lambda L, x: x.diagonal(-1),
        diagonal_outside=lambda L, x: x.diagonal(5),
    ),
)
ROWS += rows(
    "Tensor.repeat", table((3,), diag_vector=lambda L, x: x.diag(), diag_vector_below=lambda L, x: L.diag(x, -1))
)
ROWS += rows("Tensor.repeat", table((3, 3), trace=lambda L, x: x.trace() * 2))
ROWS += rows(
    "Tensor.repeat", table(S, diagonal_dims=lambda L, x: x.diagonal(1, 0, 2), triu_batch=lambda L, x: x.triu())
)
ROWS += rows(
    "Tensor.repeat",
    {
        "interleave": lambda L: gradients(L, (x := tensor(L, 2, 3, grad=True)).repeat_interleave(2), x),
        "interleave_dim": lambda L: gradients(L, (x := tensor(L, 2, 3, grad=True)).repeat_interleave(2, dim=1), x),
        "diag": lambda L: gradients(L, (x := tensor(L, 2, 3, grad=True)).diag(), x),
        "diag_above": lambda L: gradients(L, (x := tensor(L, 2, 3, grad=True)).diag(1), x),
        "integers": lambda L: L.arange(3).repeat(2),
        "zero_dim": lambda L: L.tensor(1.0).repeat(3),
        "trace_integers": lambda L: L.arange(9).view(3, 3).trace(),
        "tril_in_place": lambda L: tensor(L, 3, 3).tril_(),
    },
)
ROWS += errors(
    "Tensor.repeat",
    {
        "too_few": (lambda L: L.ones(2, 3).repeat(2), r"repeat.*1.*2"),
        "negative": (lambda L: L.ones(2).repeat(-1), r"repeat.*-1"),
        "interleave_too_few": (lambda L: L.ones(3).repeat_interleave(L.tensor([1, 2])), r"repeat_interleave.*\[1, 2\]"),
        "interleave_negative": (lambda L: L.ones(3).repeat_interleave(-1), r"repeat_interleave.*-1"),
        "roll_counts": (lambda L: L.ones(2, 3).roll((1, 2), 0), r"roll.*\(1, 2\)"),
        "flip_twice": (lambda L: L.ones(2, 3).flip(0, 0), r"flip.*0, 0"),
        "flip_range": (lambda L: L.ones(2).flip(1), r"flip.*range"),
        "tril_vector": (lambda L: L.ones(3).tril(), r"tril.*\(3,\)"),
        "diag_three_dims": (lambda L: L.ones(2, 2, 2).diag(), r"diag.*\(2, 2, 2\)"),
        "diagonal_same": (lambda L: L.ones(2, 2).diagonal(0, 1, 1), r"diagonal.*1"),
        "trace_vector": (lambda L: L.ones(2).trace(), r"trace.*\(2,\)"),
    },
)

# ---- sort, topk, unique, histogram

ROWS += rows(
    "sort",
    table(
        (3, 4),
        last=lambda L, x: x.sort()[0],
        first=lambda L, x: L.sort(x, 0).values,
        descending=lambda L, x: x.sort(descending=True)[0],
        positional=lambda L, x: L.sort(x, 0, True)[0],
        stable=lambda L, x: L.sort(x, stable=True, dim=1)[0],
    ),
)
ROWS += rows(
    "sort",
    {
        "pair": lambda L: tuple(tensor(L, 3, 4).sort(1)),
        "unpacked": lambda L: [*L.sort(tensor(L, 3, 4), dim=0, descending=True)],
        "indices": lambda L: tensor(L, 3, 4).sort().indices,
        "text": lambda L: repr(L.tensor([3.0, 1.0, 2.0]).sort()),
        "ties_stable": lambda L: tuple(L.sort(L.tensor([2, 1, 2, 1, 2]), stable=True)),
        "ties_stable_descending": lambda L: tuple(L.sort(L.tensor([2, 1, 2, 1, 2]), stable=True, descending=True)),
        "nan": lambda L: tuple(L.tensor([float("nan"), 1.0, float("inf"), -1.0]).sort()),
        "nan_descending": lambda L: tuple(L.tensor([float("nan"), 1.0, float("inf"), -1.0]).sort(descending=True)),
        "bools": lambda L: L.tensor([True, False, True]).sort(stable=True)[0],
        "integers": lambda L: tuple(L.tensor([3, 1, 2]).sort()),
        "zero_dim": lambda L: tuple(L.tensor(1.0).sort()),
        "empty": lambda L: tuple(L.zeros(0).sort()),
        "argsort": lambda L: tensor(L, 3, 4).argsort(1),
        "argsort_descending": lambda L: L.argsort(tensor(L, 3, 4), dim=0, descending=True),
    },
)
ROWS += errors(
    "sort", {"range": (lambda L: L.ones(2).sort(1), r"sort.*range"), "list": (lambda L: L.sort([1]), r"sort.*list")}
)
ROWS += rows(
    "topk",
    table(
        (3, 4),
        last=lambda L, x: x.topk(2)[0],
        first=lambda L, x: L.topk(x, 2, dim=0).values,
        smallest=lambda L, x: x.topk(2, largest=False)[0],
        positional=lambda L, x: x.topk(1, 1, False, True)[0],
        all=lambda L, x: x.topk(4)[0],
        none=lambda L, x: x.topk(0)[0],
    ),
)
ROWS += rows(
    "topk",
    {
        "pair": lambda L: tuple(tensor(L, 3, 4).topk(3)),
        "indices": lambda L: L.topk(tensor(L, 9), 3).indices,
        "text": lambda L: repr(L.tensor([3.0, 1.0, 2.0]).topk(2)),
        "nan": lambda L: tuple(L.tensor([float("nan"), 1.0, float("inf"), -1.0]).topk(2)),
        "nan_smallest": lambda L: tuple(L.tensor([float("nan"), 1.0, float("inf"), -1.0]).topk(3, largest=False)),
        "integers": lambda L: tuple(L.tensor([3, 1, 2]).topk(2)),
        "zero_dim": lambda L: tuple(L.tensor(1.0).topk(1)),
    },
)
ROWS += errors(
    "topk",
    {
        "too_many": (lambda L: L.ones(2).topk(3), r"topk.*3.*2"),
        "negative": (lambda L: L.ones(2).topk(-1), r"topk.*-1"),
        "range": (lambda L: L.ones(2).topk(1, 1), r"topk.*range"),
    },
)
TWICE = [3, 1, 2, 1, 3, 3]
ROWS += rows(
    "unique",
    {
        "values": lambda L: L.unique(L.tensor(TWICE)),
        "method": lambda L: L.tensor(TWICE).unique(),
        "counts": lambda L: L.unique(L.tensor(TWICE), return_counts=True),
        "inverse": lambda L: L.unique(L.tensor(TWICE), return_inverse=True),
        "both": lambda L: L.tensor(TWICE).unique(sorted=True, return_inverse=True, return_counts=True),
        "matrix": lambda L: L.unique(L.tensor(TWICE).view(2, 3), return_inverse=True),
        "floats": lambda L: L.unique(L.tensor([0.5, -0.5, 0.5])),
        "bools": lambda L: L.unique(L.tensor([True, False, True])),
        "nan": lambda L: L.unique(L.tensor([float("nan"), 1.0, float("nan")])),
        "empty": lambda L: L.unique(L.zeros(0)),
        "zero_dim": lambda L: L.unique(L.tensor(3)),
        "rows": lambda L: L.unique(L.tensor([[2, 1], [0, 5], [2, 1]]), dim=0),
        "columns": lambda L: L.unique(L.tensor([[2, 1, 2], [0, 5, 0]]), dim=1, return_counts=True),
        "rows_inverse": lambda L: L.unique(L.tensor([[2, 1], [0, 5], [2, 1]]), dim=0, return_inverse=True),
        "grad_fn": lambda L: L.tensor([1.0, 2.0], requires_grad=True).unique().requires_grad,
    },
)
ROWS += errors(
    "unique",
    {
        "range": (lambda L: L.unique(L.ones(2), dim=1), r"unique.*range"),
        "list": (lambda L: L.unique([1]), r"unique.*list"),
        "backward": (lambda L: L.ones(2, requires_grad=True).unique().sum().backward(), r"unique.*derivative"),
    },
)
ROWS += rows(
    "histogram",
    {
        "bins": lambda L: tuple(L.histogram(tensor(L, 50), 7)),
        "method": lambda L: tuple(tensor(L, 50).histogram(bins=5)),
        "range": lambda L: tuple(L.histogram(tensor(L, 50), 4, range=(-1.0, 1.0))),
        "edges": lambda L: tuple(L.histogram(L.tensor([0.0, 0.5, 1.0, 2.0, 3.0]), L.tensor([0.0, 1.0, 3.0]))),
        "last_edge": lambda L: tuple(L.histogram(L.tensor([1.0, 2.0, 3.0]), 2)),
        "weight": lambda L: tuple(L.histogram(tensor(L, 9), 3, weight=tensor(L, 9, seed=1, low=0.0))),
        "density": lambda L: tuple(L.histogram(tensor(L, 50), 4, density=True)),
        "constant": lambda L: tuple(L.histogram(L.full((3,), 2.0), 4)),
        "matrix": lambda L: tuple(L.histogram(tensor(L, 5, 5), 3)),
        "float32": lambda L: tuple(L.histogram(tensor(L, 50, dtype="float32"), 7)),
        "named": lambda L: given(lambda h: (h.hist, h.bin_edges), L.histogram(tensor(L, 50), 7)),
        "text": lambda L: repr(L.histogram(L.tensor([1.0, 2.0, 3.0]), 2)),
    },
)
ROWS += errors(
    "histogram",
    {
        "integers": (lambda L: L.histogram(L.tensor([1, 2]), 4), r"histogram.*int64"),
        "no_bins": (lambda L: L.histogram(L.ones(2), 0), r"histogram.*0"),
        "range_upside_down": (lambda L: L.histogram(L.ones(2), 2, range=(3.0, 1.0)), r"histogram.*3.*1"),
        "nan": (lambda L: L.histogram(L.tensor([1.0, float("nan")]), 2), r"histogram.*nan"),
        "weight_shape": (lambda L: L.histogram(L.ones(2), 2, weight=L.ones(3)), r"histogram.*\(3,\).*\(2,\)"),
    },
)
