"""What random programs found (tests/parity/test_random_programs.py): each row failed once."""

from .table import errors, gradients, rows, tensor


def seen(write):
    """A row: what the base holds after a write to a view of a single element."""

    def run(L):
        x = L.arange(4.0)
        write(x)
        return x

    return run


def after_write(L, make, write):
    """The result of `make` on a leaf, whether it asks for a gradient after `write` to it, and the leaf's gradient."""
    x = tensor(L, 2, 3, grad=True)
    y = make(x)
    y.retain_grad()
    write(y)
    (y * tensor(L, *y.shape, seed=5)).sum().backward()
    return y, y.grad, x.grad


ROWS = [
    *rows(
        "Tensor.__getitem__",
        {
            "one_element_is_a_view": seen(lambda x: x[1].mul_(5)),
            "one_element_by_tuple_is_a_view": seen(lambda x: x.view(2, 2)[1, 0].fill_(9)),
            "one_element_with_ellipsis_is_a_view": seen(lambda x: x[2, ...].add_(1)),
            "one_element_sees_the_write_to_its_base": lambda L: (lambda x, part: (x.zero_(), part))(
                *(lambda x: (x, x[1]))(L.ones(3))
            ),
            "picked_columns_lie_in_order": lambda L: L.arange(12.0).view(3, 4)[:, L.tensor([0, 2])].view(-1),
            "picked_rows_of_a_stack_lie_in_order": lambda L: L.arange(12.0).view(2, 3, 2)[:, :, L.tensor([1])].view(6),
        },
    ),
    *rows(
        "Tensor.__setitem__",
        {
            "0_dim_recorded": lambda L: gradients(
                L, (lambda y, v: (y.__setitem__(..., v), y * 2)[1])(tensor(L, seed=1), tensor(L, grad=True))
            )[0],
            "mask_and_one_number_of_another_dtype": lambda L: (
                lambda x: (x.__setitem__((2, None, L.tensor([True, False])), L.ones(1, 1, dtype=L.float64)), x)[1]
            )(L.zeros(3, 2)),
        },
    ),
    *rows(
        "Tensor.unbind",
        {"single_elements_are_views": lambda L: (lambda x: (x.unbind(0)[1].cos_(), x)[1])(L.zeros(3))},
    ),
    *rows(
        "Tensor.diagonal",
        {"is_a_view": lambda L: (lambda x: (x.diagonal().zero_(), x.diagonal(1).add_(3), x)[2])(L.ones(3, 3))},
    ),
    *rows(
        "Tensor.expand",
        {
            "to_its_own_shape_can_be_written_to": lambda L: (lambda x: (x.expand(3).add_(1), x)[1])(L.zeros(3)),
            "with_a_leading_1_can_be_written_to": lambda L: (lambda x: (x.expand(1, 3).add_(1), x)[1])(L.zeros(3)),
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
            "retains_the_gradient_of_the_new_values": lambda L: after_write(L, lambda x: x * 2, lambda y: y.add_(3)),
        },
    ),
    *rows(
        "Tensor.mul_",
        {"retains_the_gradient_of_the_new_values": lambda L: after_write(L, lambda x: x.exp(), lambda y: y.mul_(3))},
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
    *rows(
        "cat",
        {
            "skipped_vector_asks_for_gradients": lambda L: (
                lambda skipped: (L.cat([skipped, L.ones(2)]), L.cat([L.ones(2, 3), skipped], 1))
            )(L.zeros(0, requires_grad=True)),
            "skipped_vector_gets_nothing": lambda L: (
                lambda skipped: (L.cat([L.ones(2, 3), skipped], 1).sum().backward(), skipped.grad)
            )(L.zeros(0, requires_grad=True)),
        },
    ),
    *rows(
        "atan2",
        {
            "gradient_at_the_origin": lambda L: (
                lambda y, x: gradients(L, L.atan2(y, x) if hasattr(L, "atan2") else y.atan2(x), y, x)
            )(L.zeros(2, requires_grad=True), L.tensor([0.0, 1.0], requires_grad=True))
        },
    ),
    *rows(
        "Tensor.round",
        {
            "gradient_is_0_where_more_than_infinite_arrives": lambda L: (
                lambda x: gradients(L, (lambda y: y / y)(x.round()), x)[1]
            )(L.tensor([0.2, 1.7], requires_grad=True))
        },
    ),
    *rows(
        "Tensor.max",
        {
            "gradient_of_nan": lambda L: (lambda x: gradients(L, x.max() * float("nan"), x)[1])(
                L.tensor([1.0, 3.0, 2.0], requires_grad=True)
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
            f"can_be_viewed/{name}": lambda L, setting=setting: L.nn.functional.conv2d(
                tensor(L, 2, 2, 4, 4),
                tensor(L, 2, 2 // setting.get("groups", 1), 2, 2, seed=1),
                tensor(L, 2),
                **setting,
            ).view(2, -1)
            for name, setting in {"plain": {}, "stride": {"stride": 2}, "groups": {"groups": 2}}.items()
        },
    ),
    *rows(
        "nn.functional.linear",
        {
            "gradients_without_features": lambda L: (lambda x, W: gradients(L, L.nn.functional.linear(x, W), x, W))(
                tensor(L, 2, 3, 0, grad=True), tensor(L, 4, 0, grad=True)
            )
        },
    ),
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
        {"bools": (lambda L: (lambda x: x.addcmul(x, x))(L.tensor([True])), "addcmul: not implemented for bools")},
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
        {"bools_between_bools": (lambda L: (lambda x: x.clamp(x, x))(L.tensor([True])), "clamp: not implemented")},
    ),
]
