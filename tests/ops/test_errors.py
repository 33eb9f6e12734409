"""Bad input: the type of the error is PyTorch's, and the message names the function, what came and what was wanted."""

import re

import pytest

import minitorch_bn as mt

torch = pytest.importorskip("torch")


def F(L):
    return L.nn.functional


def entropy(L, *target, **how):
    return F(L).cross_entropy(L.zeros(2, 3), L.tensor(list(target)), **how)


# name: function of a library, and what the message must hold (a regular expression)
CALLS = {
    # shapes
    "add_shapes": (lambda L: L.ones(2, 3) + L.ones(4), r"add.*3.*4"),
    "mul_shapes": (lambda L: L.ones(2, 3) * L.ones(2, 4), r"mul.*\(2, 3\).*\(2, 4\)"),
    "where_shapes": (lambda L: L.where(L.ones(2) > 0, L.ones(3), L.ones(4)), r"where.*3.*4"),
    "where_condition_shape": (lambda L: L.where(L.ones(2) > 0, L.ones(3), L.ones(3)), r"where"),
    "compare_shapes": (lambda L: L.ones(2) == L.ones(3), r"eq.*2.*3"),
    "maximum_shapes": (lambda L: L.maximum(L.ones(2), L.ones(3)), r"maximum"),
    "matmul_shapes": (lambda L: L.ones(2, 3) @ L.ones(2, 3), r"matmul.*2x3.*2x3"),
    "matmul_vector": (lambda L: L.ones(3) @ L.ones(2), r"matmul"),
    "matmul_zero_dim": (lambda L: L.tensor(1.0) @ L.ones(2), r"matmul.*1D"),
    "matmul_batch": (lambda L: L.ones(2, 3, 4) @ L.ones(3, 4, 5), r"matmul|batch"),
    "matmul_dtypes": (lambda L: L.ones(2, 2) @ L.ones(2, 2, dtype=L.float64), r"matmul.*float32.*float64"),
    "mm_vector": (lambda L: L.mm(L.ones(3), L.ones(3, 3)), r"mm.*matri"),
    "bmm_matrix": (lambda L: L.bmm(L.ones(3, 3), L.ones(3, 3)), r"bmm"),
    "bmm_batch": (lambda L: L.bmm(L.ones(2, 3, 3), L.ones(3, 3, 3)), r"bmm.*2.*3"),
    "linear_shapes": (lambda L: F(L).linear(L.ones(2, 3), L.ones(4, 5)), r"linear.*3.*\(4, 5\)"),
    "linear_bias": (lambda L: F(L).linear(L.ones(2, 3), L.ones(4, 3), L.ones(5)), r"linear.*5.*4|linear.*4.*5"),
    "linear_dtypes": (lambda L: F(L).linear(L.ones(2, 3), L.ones(4, 3, dtype=L.float64)), r"linear.*float32.*float64"),
    "view_size": (lambda L: L.ones(6).view(4, 2), r"\[4, 2\].*6"),
    "view_two_unknown": (lambda L: L.ones(6).view(-1, -1), r"-1"),
    "view_negative": (lambda L: L.ones(6).view(-2, 3), r"-2"),
    "view_rest": (lambda L: L.ones(6).view(-1, 4), r"4.*6"),
    "view_strides": (lambda L: L.ones(2, 3).T.view(6), r"view.*reshape"),
    "reshape_empty": (lambda L: L.ones(0).reshape(-1, 0), r"reshape|0"),
    "expand_size": (lambda L: L.ones(3).expand(4), r"expand.*\(3,\).*\(4,\)"),
    "expand_rank": (lambda L: L.ones(2, 3).expand(3), r"expand"),
    "permute_twice": (lambda L: L.ones(2, 3).permute(0, 0), r"permute.*0, 0"),
    "permute_too_few": (lambda L: L.ones(2, 3).permute(0), r"permute"),
    "permute_range": (lambda L: L.ones(2, 3).permute(0, 2), r"permute.*range"),
    "transpose_range": (lambda L: L.ones(2, 3).transpose(0, 2), r"transpose.*range"),
    "t_of_3d": (lambda L: L.ones(2, 3, 4).t(), r"t: .*2"),
    "squeeze_range": (lambda L: L.ones(2).squeeze(1), r"squeeze.*range"),
    "unsqueeze_range": (lambda L: L.ones(2).unsqueeze(3), r"unsqueeze.*3"),
    "flatten_range": (lambda L: L.ones(2).flatten(1), r"flatten.*range"),
    "cat_shapes": (lambda L: L.cat([L.ones(2, 3), L.ones(2, 4)]), r"cat.*\(2, 3\).*\(2, 4\)"),
    "cat_nothing": (lambda L: L.cat([]), r"cat.*empty"),
    "cat_zero_dim": (lambda L: L.cat([L.tensor(1.0), L.tensor(2.0)]), r"cat.*zero-dim"),
    "cat_range": (lambda L: L.cat([L.ones(2), L.ones(2)], 1), r"cat.*range"),
    "stack_shapes": (lambda L: L.stack([L.ones(2), L.ones(3)]), r"stack.*\(2,\).*\(3,\)"),
    "stack_nothing": (lambda L: L.stack([]), r"stack.*empty"),
    "stack_range": (lambda L: L.stack([L.ones(2)], 2), r"stack.*2"),
    "split_sum": (lambda L: L.ones(5).split([2, 2]), r"split.*2, 2.*5"),
    "split_zero": (lambda L: L.ones(5).split(0), r"split.*0"),
    "split_negative": (lambda L: L.ones(5).split(-1), r"split.*-1"),
    "unbind_zero_dim": (lambda L: L.tensor(1.0).unbind(), r"unbind"),
    # reductions
    "sum_range": (lambda L: L.ones(2).sum(1), r"sum.*range.*1"),
    "sum_twice": (lambda L: L.ones(2, 2).sum((0, 0)), r"sum.*0, 0"),
    "mean_integers": (lambda L: L.tensor([1, 2]).mean(), r"mean.*float.*int64"),
    "var_integers": (lambda L: L.tensor([1, 2]).var(), r"var.*float"),
    "std_integers": (lambda L: L.tensor([1, 2]).std(), r"std.*float"),
    "max_empty": (lambda L: L.ones(0).max(), r"max.*\(0,\)"),
    "argmax_empty": (lambda L: L.ones(0).argmax(), r"argmax"),
    "max_empty_dim": (lambda L: L.ones(0, 2).max(0), r"max.*0"),
    "amax_empty_dim": (lambda L: L.ones(0, 2).amax(0), r"amax"),
    "max_dim_range": (lambda L: L.ones(2).max(1), r"max.*range"),
    "cumsum_range": (lambda L: L.ones(2).cumsum(1), r"cumsum.*range"),
    "cumsum_no_dim": (lambda L: L.ones(2).cumsum(), r"dim"),
    "softmax_range": (lambda L: L.ones(2).softmax(1), r"softmax.*range"),
    "logsumexp_range": (lambda L: L.ones(2).logsumexp(1), r"logsumexp.*range"),
    "topk_too_many": (lambda L: L.ones(2).topk(3), r"topk.*3.*2|topk.*2.*3"),
    "clamp_nothing": (lambda L: L.ones(2).clamp(), r"clamp"),
    # indexing
    "index_range": (lambda L: L.ones(2)[2], r"index.*2"),
    "index_negative_range": (lambda L: L.ones(2)[-3], r"index.*-3"),
    "index_too_many": (lambda L: L.ones(2)[0, 0], r"index.*(too many|dimension)"),
    "index_zero_dim": (lambda L: L.tensor(1.0)[0], r"index"),
    "index_tensor_range": (lambda L: L.ones(2)[L.tensor([0, 2])], r"index.*2"),
    "index_float": (lambda L: L.ones(2)[1.5], r"index"),
    "index_text": (lambda L: L.ones(2)["a",], r"index"),
    "index_float_tensor": (lambda L: L.ones(2)[L.tensor([1.0])], r"index.*float"),
    "index_mask_shape": (lambda L: L.ones(2)[L.tensor([True, False, True])], r"index.*3"),
    "index_backwards": (lambda L: L.ones(2)[::-1], r"step.*-1"),
    "gather_range": (lambda L: L.ones(2, 2).gather(1, L.tensor([[2]])), r"gather.*2"),
    "gather_dtype": (lambda L: L.ones(2, 2).gather(1, L.tensor([[1.0]])), r"gather.*int64"),
    "gather_rank": (lambda L: L.ones(2, 2).gather(1, L.tensor([1])), r"gather"),
    "gather_larger": (lambda L: L.ones(2, 2).gather(1, L.tensor([[0], [0], [0]])), r"gather"),
    "index_select_range": (lambda L: L.ones(2, 2).index_select(0, L.tensor([2])), r"index"),
    "index_select_dtype": (lambda L: L.ones(2, 2).index_select(0, L.tensor([1.0])), r"index"),
    "index_select_matrix": (lambda L: L.ones(2, 2).index_select(0, L.tensor([[1]])), r"index_select.*1"),
    "masked_fill_dtype": (lambda L: L.ones(2).masked_fill(L.tensor([1, 0]), 2.0), r"masked_fill.*bool.*int64"),
    "masked_fill_shape": (lambda L: L.ones(2).masked_fill(L.ones(3) > 0, 2.0), r"masked_fill"),
    "where_dtype": (lambda L: L.where(L.tensor([1, 0]), 1.0, L.ones(2)), r"where.*bool.*int64"),
    "one_hot_negative": (lambda L: F(L).one_hot(L.tensor([-1])), r"one_hot.*-1"),
    "one_hot_range": (lambda L: F(L).one_hot(L.tensor([3]), 3), r"one_hot.*3"),
    "one_hot_floats": (lambda L: F(L).one_hot(L.tensor([1.0])), r"one_hot.*float32"),
    "embedding_range": (lambda L: F(L).embedding(L.tensor([0, 5]), L.ones(5, 2)), r"embedding.*5.*rows"),
    "embedding_negative": (lambda L: F(L).embedding(L.tensor([-1]), L.ones(5, 2)), r"embedding.*-1"),
    "embedding_floats": (lambda L: F(L).embedding(L.tensor([1.0]), L.ones(5, 2)), r"embedding.*float32"),
    "embedding_padding": (lambda L: F(L).embedding(L.tensor([1]), L.ones(5, 2), padding_idx=5), r"padding_idx"),
    # losses
    "class_out_of_range": (lambda L: entropy(L, 0, 3), r"cross_entropy.*3.*0 to 2"),
    "class_negative": (lambda L: entropy(L, 0, -1), r"cross_entropy.*-1"),
    "class_int32": (
        lambda L: F(L).cross_entropy(L.zeros(2, 3), L.tensor([0, 1], dtype=L.int32)),
        r"cross_entropy.*int",
    ),
    "class_count": (lambda L: entropy(L, 0, 1, 2), r"cross_entropy.*2.*3"),
    "class_shape": (lambda L: F(L).cross_entropy(L.zeros(2, 3), L.tensor([[0, 1]])), r"cross_entropy"),
    "probabilities_shape": (lambda L: F(L).cross_entropy(L.zeros(2, 3), L.zeros(2, 4)), r"cross_entropy.*4"),
    "loss_reduction": (lambda L: entropy(L, 0, 1, reduction="average"), r"average"),
    "loss_weight_shape": (lambda L: entropy(L, 0, 1, weight=L.ones(4)), r"cross_entropy.*weight"),
    "loss_smoothing": (lambda L: entropy(L, 0, 1, label_smoothing=1.5), r"cross_entropy.*1.5"),
    "nll_class": (lambda L: F(L).nll_loss(L.zeros(2, 3), L.tensor([0, 7])), r"nll_loss.*7"),
    "nll_batch": (lambda L: F(L).nll_loss(L.zeros(2, 3), L.tensor([0])), r"nll_loss.*2.*1"),
    "mse_reduction": (lambda L: F(L).mse_loss(L.ones(2), L.ones(2), reduction="avg"), r"avg"),
    # convolution and pooling
    "conv_channels": (lambda L: F(L).conv2d(L.ones(1, 2, 5, 5), L.ones(4, 3, 3, 3)), r"conv2d.*3 channels.*2"),
    "conv_groups": (lambda L: F(L).conv2d(L.ones(1, 4, 5, 5), L.ones(3, 2, 3, 3), groups=2), r"conv2d.*2 groups"),
    "conv_kernel": (lambda L: F(L).conv2d(L.ones(1, 1, 2, 2), L.ones(1, 1, 3, 3)), r"conv2d.*Kernel"),
    "conv_rank": (lambda L: F(L).conv2d(L.ones(5, 5), L.ones(1, 1, 3, 3)), r"conv2d.*3D.*4D"),
    "conv_dtype": (lambda L: F(L).conv2d(L.ones(1, 1, 3, 3), L.ones(1, 1, 3, 3, dtype=L.float64)), r"conv2d.*float"),
    "conv_bias": (lambda L: F(L).conv2d(L.ones(1, 1, 3, 3), L.ones(1, 1, 3, 3), L.ones(2)), r"conv2d.*bias"),
    "conv_same": (lambda L: F(L).conv2d(L.ones(1, 1, 3, 3), L.ones(1, 1, 3, 3), stride=2, padding="same"), r"same"),
    "conv_stride": (lambda L: F(L).conv2d(L.ones(1, 1, 3, 3), L.ones(1, 1, 3, 3), stride=0), r"stride"),
    "conv_padding": (lambda L: F(L).conv2d(L.ones(1, 1, 3, 3), L.ones(1, 1, 3, 3), padding=-1), r"padding"),
    "pool_padding": (lambda L: F(L).max_pool2d(L.ones(1, 1, 4, 4), 2, padding=2), r"max_pool2d.*half"),
    "pool_size": (lambda L: F(L).max_pool2d(L.ones(1, 1, 4, 4), 5), r"max_pool2d.*small"),
    "pool_rank": (lambda L: F(L).max_pool2d(L.ones(4, 4), 2), r"max_pool2d.*3D.*4D"),
    "pool_kernel": (lambda L: F(L).max_pool2d(L.ones(1, 1, 4, 4), 0), r"max_pool2d"),
    "pool_stride": (lambda L: F(L).max_pool2d(L.ones(1, 1, 4, 4), 2, stride=0), r"stride|zero"),
    "adaptive_rank": (lambda L: F(L).adaptive_avg_pool2d(L.ones(4, 4), 2), r"adaptive_avg_pool2d.*3D.*4D"),
    "adaptive_size": (lambda L: F(L).adaptive_avg_pool2d(L.ones(1, 1, 4, 4), (2, 2, 2)), r"adaptive_avg_pool2d|size"),
    "dropout_p": (lambda L: F(L).dropout(L.ones(2), 1.5), r"dropout.*1.5"),
    # batch norm
    "bn_one_value": (lambda L: F(L).batch_norm(L.ones(1, 3), None, None, training=True), r"batch_norm.*\(1, 3\)"),
    "bn_no_statistics": (lambda L: F(L).batch_norm(L.ones(2, 3), None, None), r"batch_norm.*running_mean"),
    "bn_weight": (lambda L: F(L).batch_norm(L.ones(2, 3), None, None, L.ones(2), training=True), r"weight.*3.*2"),
    "bn_mean": (lambda L: F(L).batch_norm(L.ones(2, 3), L.ones(2), L.ones(3)), r"running_mean.*3.*2"),
    "bn_eps": (lambda L: F(L).batch_norm(L.ones(2, 3), None, None, training=True, eps=0), r"eps"),
    # numbers
    "power_of_integers": (lambda L: L.tensor([1, 2]) ** -1, r"pow.*negative"),
    "integer_division": (lambda L: L.tensor([1, 2]) // L.tensor([0, 1]), r"ZeroDivision"),
    "integer_division_number": (lambda L: L.tensor([1, 2]) // 0, r"ZeroDivision"),
    "integer_remainder": (lambda L: L.tensor([1, 2]) % 0, r"ZeroDivision"),
    "bool_subtraction": (lambda L: L.tensor([True]) - L.tensor([False]), r"sub.*bool"),
    "bool_negation": (lambda L: -L.tensor([True]), r"neg.*bool"),
    "and_of_floats": (lambda L: L.ones(2) & L.ones(2), r"and"),
    "not_of_floats": (lambda L: ~L.ones(2), r"not"),
    "allclose_dtypes": (lambda L: L.allclose(L.ones(2), L.ones(2, dtype=L.float64)), r"allclose.*float32.*float64"),
    "rounding_mode": (lambda L: L.div(L.ones(2), 2, rounding_mode="up"), r"up"),
    "bincount_negative": (lambda L: L.bincount(L.tensor([-1])), r"bincount"),
    "randperm_negative": (lambda L: L.randperm(-1), r"-1"),
    "randint_bounds": (lambda L: L.randint(3, 3, (2,)), r"randint.*3"),
    "multinomial_negative": (lambda L: L.multinomial(L.tensor([-1.0, 2.0]), 1), r"multinomial"),
    "add_text": (lambda L: L.add(L.ones(2), "a"), r"add.*str"),
}
NO_TENSORS = {
    "tanh_of_number": (lambda L: L.tanh(3.0), r"tanh|Tensor|tensor"),
    "sum_of_list": (lambda L: L.sum([1, 2]), r"sum|Tensor|tensor"),
    "cat_of_numbers": (lambda L: L.cat([1, 2]), r"cat|Tensor|tensor"),
    "cross_entropy_of_list": (lambda L: F(L).cross_entropy(L.zeros(1, 2), [0]), r"cross_entropy|Tensor|tensor"),
}


@pytest.mark.parametrize("name", NO_TENSORS)
def test_what_is_no_tensor_is_a_type_error(name):
    function, message = NO_TENSORS[name]
    with pytest.raises(TypeError):
        function(torch)
    with pytest.raises(TypeError, match=message):
        function(mt)


@pytest.mark.parametrize("name", CALLS)
def test_type_is_torchs_and_the_message_helps(name):
    function, message = CALLS[name]
    with pytest.raises(Exception) as theirs:
        function(torch)
    wanted = theirs.type if theirs.type.__module__ == "builtins" else theirs.type.__bases__[0]
    with pytest.raises(wanted) as ours:
        function(mt)
    assert ours.type is wanted, f"got {ours.type.__name__}, wanted {wanted.__name__}: {ours.value}"
    assert re.search(message, str(ours.value), re.S), f"got {str(ours.value)!r}, wanted {message!r} in it"
