"""SyncBatchNorm on real ranks equals BatchNorm in one process on the whole batch."""

import numpy as np
import pytest

import minitorch_bn as mt
from tests.ops import checks

from .launch import launch

pytest.importorskip("mpi4py", reason="needs MPI (extra: mpi)")

RUNS = {
    "2 ranks, equal": ("8,8", "float64", 0, "3"),
    "2 ranks, unequal, images": ("5,2", "float64", 2, "3,4,4"),
    "4 ranks, equal": ("4,4,4,4", "float64", 0, "5"),
    "4 ranks, unequal, one empty": ("6,0,1,3", "float64", 0, "3,5"),
    "4 ranks, large offset, float32": ("16,8,16,24", "float32", 1e4, "4"),
}


def in_one_process(sizes, dtype, offset, shape):
    """What the ranks should find, from BatchNorm on the whole batch."""
    rng = np.random.default_rng(7)
    whole = rng.normal(offset, 1, (sum(sizes), *shape))
    dy = rng.normal(size=whole.shape)
    layer = mt.nn.BatchNorm1d(shape[0], dtype=dtype)
    layer.ranks = range(2, 6)
    gamma, beta = rng.uniform(0.5, 2, shape[0]), rng.normal(size=shape[0])
    layer.weight.data.copy_(mt.tensor(gamma))
    layer.bias.data.copy_(mt.tensor(beta))
    results = []
    for momentum in (0.1, None):
        layer.momentum = momentum
        layer.zero_grad()
        x = mt.tensor(whole, dtype=dtype, requires_grad=True)
        y = layer(x)
        y.backward(mt.tensor(dy, dtype=dtype))
        results += [y.detach().array, x.grad.array, layer.weight.grad.array, layer.bias.grad.array]
        results += [
            layer.running_mean.array.copy(),
            layer.running_var.array.copy(),
            layer.num_batches_tracked.array.copy(),
        ]
    return results


@pytest.mark.parametrize("run", RUNS)
def test_equals_one_process(run, tmp_path):
    sizes, dtype, offset, shape = RUNS[run]
    file = tmp_path / "found.npz"
    counts = [int(n) for n in sizes.split(",")]
    launch("ranks_syncbatchnorm.py", len(counts), file, sizes, dtype, offset, shape)
    found = np.load(file)
    wanted = in_one_process(counts, getattr(mt, dtype), offset, tuple(int(n) for n in shape.split(",")))
    rtol = 1e-12
    if dtype == "float32":
        # the mean, offset + O(1), is rounded to eps * offset, and y, x_hat and dx move by that over std = 1
        rtol = 4 * float(np.finfo(np.float32).eps) * offset
    for i, w in enumerate(wanted):
        parts = [found[f"{rank}_{i}"] for rank in range(len(counts))]
        if i % 7 < 2:  # y, dx: every rank has its part
            checks.assert_close(f"result {i}", np.concatenate(parts), w, rtol)
        elif i % 7 < 4:  # dgamma, dbeta: sums over the ranks
            checks.assert_close(f"result {i}", sum(parts), w, rtol)
        else:  # running statistics: the same on all ranks
            assert all(np.array_equal(part, parts[0]) for part in parts)
            checks.assert_close(f"result {i}", parts[0], w, rtol)


# ---- the layer in one process


def test_one_process_needs_no_group(torch):
    ours, theirs = mt.nn.SyncBatchNorm(3), torch.nn.SyncBatchNorm(3)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = np.random.default_rng(0).normal(size=(4, 3, 2)).astype(np.float32)
    a, b = ours(mt.tensor(x)), theirs(torch.tensor(x))
    assert np.abs(a.detach().array - b.detach().numpy()).max() < 1e-6
    with pytest.raises(ValueError, match="at least 2D"):
        ours(mt.ones(3))


def test_conversion_shares_parameters_and_buffers():
    model = mt.nn.Sequential(
        mt.nn.Linear(3, 4), mt.nn.BatchNorm1d(4), mt.nn.Sequential(mt.nn.BatchNorm1d(4, affine=False))
    )
    before = {name: t for name, t in (*model.named_parameters(), *model.named_buffers())}
    converted = mt.nn.SyncBatchNorm.convert_sync_batchnorm(model.eval())
    assert converted is model and type(model[1]) is mt.nn.SyncBatchNorm and not model[1].training
    after = {name: t for name, t in (*model.named_parameters(), *model.named_buffers())}
    assert list(after) == list(before) and all(after[name] is before[name] for name in after)
    assert type(mt.nn.SyncBatchNorm.convert_sync_batchnorm(mt.nn.BatchNorm2d(3))) is mt.nn.SyncBatchNorm


def test_conversion_keeps_a_layer_that_stands_in_two_places():
    bn = mt.nn.BatchNorm1d(3)
    converted = mt.nn.SyncBatchNorm.convert_sync_batchnorm(mt.nn.Sequential(bn, mt.nn.ReLU(), bn, None))
    assert type(converted[0]) is mt.nn.SyncBatchNorm and converted[2] is converted[0]
    assert [name for name, _ in converted.named_children()] == ["0", "1"] and list(converted._modules) == list("0123")


def test_conversion_replaces_all_or_none():
    paper = mt.nn.BatchNorm1d(3)
    paper.backward_mode = "paper"
    model = mt.nn.Sequential(mt.nn.BatchNorm1d(3), mt.nn.Sequential(paper))
    with pytest.raises(ValueError, match="has a convention or a backward_mode"):
        mt.nn.SyncBatchNorm.convert_sync_batchnorm(model)
    assert type(model[0]) is mt.nn.BatchNorm1d
