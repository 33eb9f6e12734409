"""What random programs found (tests/parity/test_random_programs.py): each row failed once."""

from .table import errors, gradients, rows, tensor


def on(make, use):
    """A row: use(library, what `make` gave for it)."""
    return lambda L: use(L, make(L))


def after(make, write):
    """A row: what a tensor holds after a write to it or to a view of it."""

    def run(L):
        x = make(L)
        write(L, x)
        return x

    return run


def retained(make, write):
    """A row: a result that retains its gradient and is then written to, its gradient, and the leaf's."""

    def run(L):
        x = tensor(L, 2, 3, grad=True)
        y = make(x)
        y.retain_grad()
        write(y)
        (y * tensor(L, *y.shape, seed=5)).sum().backward()
        return y, y.grad, x.grad

    return run


def four(L):
    return L.arange(4.0)


def true(L):
    return L.tensor([True])


def nothing(L):
    return L.zeros(0, requires_grad=True)


def base_written(L):
    x = L.ones(3)
    part = x[1]
    x.zero_()
    return part


def set_0_dim(L):
    y, v = tensor(L, seed=1), tensor(L, grad=True)
    z = y * 2
    z[...] = v
    return gradients(L, z * z, v)


def skipped_vector(L):
    skipped = nothing(L)
    y = L.cat([L.ones(2, 3), skipped], 1)
    return gradients(L, y, skipped), L.cat([skipped, L.ones(2)])


def at_the_origin(L):
    y, x = L.zeros(2, requires_grad=True), L.tensor([0.0, 1.0], requires_grad=True)
    return gradients(L, y.atan2(x), y, x)


def behind_0_by_0(L):
    x = L.tensor([0.2, 1.7], requires_grad=True)
    y = x.round()
    return gradients(L, y / y, x)[1]


def without_features(L):
    x, W = tensor(L, 2, 3, 0, grad=True), tensor(L, 4, 0, grad=True)
    return gradients(L, L.nn.functional.linear(x, W), x, W)


def viewed_convolution(**setting):
    def run(L):
        W = tensor(L, 2, 2 // setting.get("groups", 1), 2, 2, seed=1)
        return L.nn.functional.conv2d(tensor(L, 2, 2, 4, 4), W, tensor(L, 2), **setting).view(2, -1)

    return run


ROWS = [
    *rows(
        "Tensor.__getitem__",
        {
            "one_element_is_a_view": after(four, lambda L, x: x[1].mul_(5)),
            "one_element_by_tuple_is_a_view": after(four, lambda L, x: x.view(2, 2)[1, 0].fill_(9)),
            "one_element_with_ellipsis_is_a_view": after(four, lambda L, x: x[2, ...].add_(1)),
            "one_element_sees_the_write_to_its_base": base_written,
            "picked_columns_lie_in_order": lambda L: L.arange(12.0).view(3, 4)[:, L.tensor([0, 2])].view(-1),
            "picked_layers_lie_in_order": lambda L: L.arange(12.0).view(2, 3, 2)[:, :, L.tensor([1])].view(6),
        },
    ),
    *rows(
        "Tensor.__setitem__",
        {
            "0_dim_recorded": set_0_dim,
            "mask_and_one_number_of_another_dtype": after(
                lambda L: L.zeros(3, 2),
                lambda L, x: x.__setitem__((2, None, L.tensor([True, False])), L.ones(1, 1, dtype=L.float64)),
            ),
        },
    ),
    *rows("Tensor.unbind", {"single_elements_are_views": after(four, lambda L, x: x.unbind(0)[1].cos_())}),
    *rows(
        "Tensor.diagonal",
        {
            "is_a_view": after(lambda L: L.ones(3, 3), lambda L, x: x.diagonal().zero_()),
            "off_the_middle_is_a_view": after(lambda L: L.ones(3, 3), lambda L, x: x.diagonal(1).add_(3)),
        },
    ),
    *rows(
        "Tensor.expand",
        {
            "to_its_own_shape_can_be_written_to": after(four, lambda L, x: x.expand(4).add_(1)),
            "with_a_leading_1_can_be_written_to": after(four, lambda L, x: x.expand(1, 4).add_(1)),
            "to_nothing_can_be_written_to": lambda L: L.zeros(0, 2).expand(3, 0, 2).mul_(2),
        },
    ),
    *errors(
        "Tensor.expand",
        {
            "recorded_write": (
                lambda L: (tensor(L, 2, grad=True) * 2).expand(3, 2).mul_(2),
                "mul_: .*more than one element",
            )
        },
    ),
    *rows(
        "Tensor.add_",
        {
            "a_row_to_nothing": lambda L: L.zeros(0, 3).add_(L.ones(1, 3)),
            "a_row_to_nothing_recorded": lambda L: (tensor(L, 0, 3, grad=True) * 2).add_(tensor(L, 1, 3, grad=True)),
            "retains_the_gradient_of_the_new_values": retained(lambda x: x.exp() * 2, lambda y: y.add_(3)),
        },
    ),
    *rows(
        "Tensor.mul_",
        {"retains_the_gradient_of_the_new_values": retained(lambda x: x * 2, lambda y: y.mul_(3))},
    ),
    *rows(
        "add",
        {
            "bools_times_alpha": lambda L: L.tensor([1, 2]).add(L.tensor([True, False]), alpha=3),
            "float_alpha_of_integers": lambda L: L.tensor([1.5, 2.0]).add(L.tensor([1, 3]), alpha=0.5),
        },
    ),
    *errors(
        "add",
        {
            "bool_alpha": (lambda L: L.ones(2).add(L.ones(2), alpha=False), "add: .*alpha=False"),
            "float_alpha_of_a_number": (lambda L: L.tensor([1]).sub(3, alpha=2.5), "sub: .*alpha=2.5"),
        },
    ),
    *rows("cat", {"skipped_vector_asks_for_a_gradient": skipped_vector}),
    *rows("atan2", {"gradient_at_the_origin": at_the_origin}),
    *rows("Tensor.round", {"gradient_is_0_also_where_nan_arrives": behind_0_by_0}),
    *rows(
        "Tensor.max",
        {
            "gradient_of_nan": on(
                lambda L: L.tensor([1.0, 3.0, 2.0], requires_grad=True),
                lambda L, x: gradients(L, x.max() * float("nan"), x)[1],
            )
        },
    ),
    *rows(
        "Tensor.pow",
        {"0_dim_negative_exponent": lambda L: (L.tensor(4) ** L.tensor(-2), L.tensor(-1) ** L.tensor(-3))},
    ),
    *rows(
        "nn.functional.conv2d",
        {
            "can_be_viewed": viewed_convolution(),
            "with_stride_can_be_viewed": viewed_convolution(stride=2),
            "in_groups_can_be_viewed": viewed_convolution(groups=2),
        },
    ),
    *rows("nn.functional.linear", {"gradients_without_features": without_features}),
    *rows("Tensor.floor_divide", {"nothing_by_zero": lambda L: L.zeros(0, 2, dtype=L.int64) // 0}),
    *errors(
        "Tensor.norm",
        {
            "largest_of_nothing": (lambda L: L.zeros(0, 2).norm(p=float("inf")), "norm: p=inf"),
            "negative_p_of_nothing": (lambda L: L.zeros(0, 2).norm(p=-1, dim=0), "norm: p=-1"),
        },
    ),
    *errors(
        "Tensor.lerp",
        {"integers": (lambda L: L.tensor([1]).lerp(L.tensor([2]), 0.5), "lerp: .*int64")},
    ),
    *errors(
        "Tensor.addcmul",
        {"bools": (on(true, lambda L, x: x.addcmul(x, x)), "addcmul: not implemented for bools")},
    ),
    *errors("Tensor.topk", {"bools": (lambda L: L.tensor([True]).topk(1), "topk: not implemented for bools")}),
    *errors("Tensor.squeeze", {"twice_of_0_dim": (lambda L: L.tensor(1.0).squeeze((0, -1)), "squeeze: .*multiple")}),
    *errors(
        "Tensor.bitwise_not",
        {"floats": (lambda L: L.ones(2).bitwise_not(), "bitwise_not: .*float32")},
    ),
    *errors(
        "Tensor.repeat_interleave",
        {"0_dim_with_dim": (lambda L: L.tensor(1.0).repeat_interleave(2, 0), "repeat_interleave: a 0-dim tensor")},
    ),
    *errors(
        "Tensor.argmax",
        {"no_bools": (lambda L: L.zeros(0, dtype=L.bool).argmax(), "argmax: not implemented for bools")},
    ),
    *errors(
        "Tensor.clamp",
        {"bools_between_bools": (on(true, lambda L, x: x.clamp(x, x)), "clamp: not implemented")},
    ),
]
