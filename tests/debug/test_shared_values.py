"""debug.shared_values: its numbers against what really happens to the saved statistics when one value is moved."""

import importlib
import io

import matplotlib
import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import nn, world
from minitorch_bn.debug import draw_shared_values, shared_values
from minitorch_bn.nn import functional as F
from minitorch_bn.nn.convention import Convention
from minitorch_bn.ops.batchnorm import BatchNorm
from minitorch_bn.ops.groupnorm import GroupNorm
from minitorch_bn.ops.rmsnorm import RMSNorm
from minitorch_bn.ops.syncbatchnorm import SyncBatchNorm

module = importlib.import_module("minitorch_bn.debug.shared_values")  # debug.shared_values is the function
SHAPE = (4, 6, 2, 3)
MEMBERS = {
    "BatchNorm2d": (lambda: nn.BatchNorm2d(6), SHAPE),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(6), (6, 6)),
    "BatchNorm1d_sequences": (lambda: nn.BatchNorm1d(6, affine=False), (4, 6, 5)),
    "BatchNorm3d": (lambda: nn.BatchNorm3d(2, dtype=mt.float64), (2, 2, 2, 1, 3)),
    "BatchNorm2d_untracked_eval": (lambda: nn.BatchNorm2d(6, track_running_stats=False).eval(), SHAPE),
    "SyncBatchNorm": (lambda: nn.SyncBatchNorm(6), SHAPE),
    "InstanceNorm2d": (lambda: nn.InstanceNorm2d(6), SHAPE),
    "InstanceNorm2d_tracked": (lambda: nn.InstanceNorm2d(6, affine=True, track_running_stats=True), SHAPE),
    "InstanceNorm2d_unbatched": (lambda: nn.InstanceNorm2d(6), SHAPE[1:]),
    "GroupNorm": (lambda: nn.GroupNorm(3, 6), SHAPE),
    "GroupNorm_vectors": (lambda: nn.GroupNorm(2, 6), (4, 6)),
    "GroupNorm_one": (lambda: nn.GroupNorm(1, 6), SHAPE),
    "LayerNorm_image": (lambda: nn.LayerNorm(SHAPE[1:]), SHAPE),
    "LayerNorm_last": (lambda: nn.LayerNorm(3), SHAPE),
    "LayerNorm_vector": (lambda: nn.LayerNorm(5, bias=False), (5,)),
    "RMSNorm_image": (lambda: nn.RMSNorm(SHAPE[1:]), SHAPE),
    "RMSNorm_last": (lambda: nn.RMSNorm(3, elementwise_affine=False), SHAPE),
    "layer_norm": (lambda: lambda x: F.layer_norm(x, (2, 3)), SHAPE),
    "group_norm": (lambda: lambda x: F.group_norm(x, 2), SHAPE),
}


def statistic(op, shape):
    """The statistic that every value of an input of this shape is normalised with; RMSNorm has no mean."""
    found = op.inv_rms if isinstance(op, RMSNorm) else op.mean
    if isinstance(op, BatchNorm | SyncBatchNorm):  # (C,)
        found = found.reshape(op.shape)
    return np.broadcast_to(found, op.x_hat.shape).reshape(shape)


def statistics(layer, parts):
    """`statistic` of all parts of a batch, each on its rank."""
    return np.concatenate([statistic(op, part.shape) for op, part in module.run_on_ranks(layer, parts)])


def check_numbers(layer, shape, ranks):
    """Move one value at a time: the statistic changes for the values of the same number, and for no other."""
    labels = shared_values(layer, shape, ranks)
    assert labels.shape == shape
    assert sorted(set(labels.flat)) == list(range(labels.max() + 1))
    x = np.random.default_rng(1).normal(size=shape)
    split = lambda x: np.array_split(x, ranks) if ranks > 1 else [x]
    before = statistics(layer, split(x))
    for flat in np.random.default_rng(2).permutation(x.size)[:12]:
        moved = x.copy()
        moved.flat[flat] += 1
        changed = statistics(layer, split(moved)) != before
        np.testing.assert_array_equal(changed, labels == labels.flat[flat])


@pytest.mark.parametrize("name", MEMBERS)
def test_numbers_are_what_a_moved_value_moves(name):
    make, shape = MEMBERS[name]
    check_numbers(make(), shape, 1)


@pytest.mark.parametrize("name", [n for n in MEMBERS if "vector" not in n and "unbatched" not in n and "3d" not in n])
@pytest.mark.parametrize("ranks", [2, 3])  # 3: shards of 2, 1 and 1 samples
def test_numbers_over_ranks(name, ranks):
    make, shape = MEMBERS[name]
    check_numbers(make(), shape, ranks)


def test_ranks_of_one_sample_each():
    """(1, 6) has one value per channel and rank: SyncBatchNorm takes it, and all ranks share."""
    assert shared_values(nn.SyncBatchNorm(6), (4, 6), ranks=4).tolist() == [[0, 1, 2, 3, 4, 5]] * 4
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        shared_values(nn.BatchNorm1d(6), (4, 6), ranks=4)


def test_wrong_axes_are_seen(monkeypatch):
    """The numbers come from the op: one that forgets the positions of its view gets other numbers."""
    right = shared_values(nn.GroupNorm(3, 6), SHAPE)
    normalise = GroupNorm.normalise
    monkeypatch.setattr(GroupNorm, "normalise", lambda self, x, axes: normalise(self, x, axes[:1]))
    assert shared_values(nn.GroupNorm(3, 6), SHAPE).max() > right.max()
    check_numbers(nn.GroupNorm(3, 6), SHAPE, 1)


def test_numbers_that_ignore_the_op_are_caught(monkeypatch):
    """check_numbers refuses numbers of other axes."""
    monkeypatch.setattr(module, "numbers", lambda op, shape: np.zeros(shape, int))
    with pytest.raises(AssertionError):
        check_numbers(nn.InstanceNorm2d(6), SHAPE, 1)


def test_counts_are_those_of_the_op():
    for layer in (nn.BatchNorm2d(6), nn.LayerNorm(SHAPE[1:]), nn.GroupNorm(2, 6), nn.InstanceNorm2d(6)):
        ((op, _),) = module.run_on_ranks(layer, [np.zeros(SHAPE)])
        assert set(np.unique(shared_values(layer, SHAPE), return_counts=True)[1]) == {op.m}


def test_layer_random_stream_group_and_recording_are_left_alone():
    layer = nn.InstanceNorm1d(3, affine=True, track_running_stats=True)
    before = {name: t.clone() for name, t in layer.state_dict().items()}
    stream, group = mt.get_rng_state(), world.current()
    with mt.no_grad():
        shared_values(layer, (4, 3, 5), ranks=2)
        assert not mt.is_grad_enabled()
    assert all(mt.equal(t, before[name]) for name, t in layer.state_dict().items())
    assert all(p.grad is None for p in layer.parameters())
    assert mt.equal(mt.get_rng_state(), stream)
    assert world.current() is group and not world.is_initialized()
    with pytest.raises(ValueError):
        shared_values(layer, (4, 3, 1))
    assert world.current() is group and not world.is_initialized()


ERRORS = {
    "eval": (lambda: shared_values(nn.BatchNorm1d(3).eval(), (4, 3)), r"running.*statistics.*\.train\(\)"),
    "no_norm": (lambda: shared_values(nn.Linear(3, 3), (4, 3)), "one norm op runs.*in which 0 do; its ops: .*Linear"),
    "two": (lambda: shared_values(nn.Sequential(nn.LayerNorm(3), nn.LayerNorm(3)), (4, 3)), "in which 2 do"),
    "nothing": (lambda: shared_values(lambda x: x, (4, 3)), "in which 0 do; its ops: none"),
    "shape": (lambda: shared_values(nn.BatchNorm2d(3), (4, 3)), "expected 4D input"),
    "ranks": (lambda: shared_values(nn.BatchNorm2d(3), (4, 3, 2, 2), ranks=5), r"ranks=5.*\(4, 3, 2, 2\)"),
    "no_ranks": (lambda: shared_values(nn.BatchNorm2d(3), (4, 3, 2, 2), ranks=0), "ranks=0"),
    "layer_before": (
        lambda: shared_values(nn.Sequential(nn.Linear(3, 3), nn.LayerNorm(3)), (4, 3)),
        "LayerNorm gets other values than the input",
    ),
    "transposed": (lambda: shared_values(lambda x: F.layer_norm(x.T, (2,)), (2, 3)), "in another order"),
    "summed": (lambda: shared_values(lambda x: F.layer_norm(x.sum(0), (3,)), (2, 3)), "other values"),
    "frozen": (lambda: shared_values(nn.BatchNorm1d(3).freeze(), (4, 3)), r"\.unfreeze\(\)"),
    "empty": (lambda: shared_values(nn.BatchNorm1d(3), (0, 3)), r"got shape \(0, 3\)"),
    "negative": (lambda: shared_values(nn.BatchNorm1d(3), (-4, 3)), r"got shape \(-4, 3\)"),
    "graph": (lambda: shared_values(as_graph(), (4, 3)), "in which 0 do; its ops: SumOverDims, Div"),
    "no_members": (lambda: draw_shared_values({}), "no members"),
    "no_columns": (lambda: draw_shared_values({"x": np.zeros((2, 3), int)}, columns=0), "columns=0"),
    "one_axis": (lambda: draw_shared_values({"x": np.zeros(3, int)}), r"shape \(3,\) for 'x'"),
    "no_values": (lambda: draw_shared_values({"x": np.zeros((0, 3), int)}), r"shape \(0, 3\)"),
}


TYPES = {
    "ranks": (lambda: shared_values(nn.BatchNorm1d(3), (4, 3), ranks="2"), "ranks must be an int, got str"),
    "text": (lambda: shared_values("LayerNorm", (4, 3)), "got str, wanted a norm layer"),
    "none": (lambda: shared_values(None, (4, 3)), "got NoneType"),
    "number": (lambda: shared_values(nn.LayerNorm(3), 3), "shape must be a tuple or list of ints, got int"),
    "array": (lambda: draw_shared_values(np.zeros((2, 2), int)), "got ndarray, wanted a dict"),
}


def as_graph():
    """A BatchNorm composed of small ops: there is no op whose axes could be read."""
    layer = nn.BatchNorm1d(3)
    layer.backward_mode = "graph"
    return layer


@pytest.mark.parametrize("name", TYPES)
def test_bad_types(name):
    use, message = TYPES[name]
    with pytest.raises(TypeError, match=message):
        use()


def test_numbers_of_an_op_that_ran():
    y = F.group_norm(mt.randn(4, 6, 2, 3, requires_grad=True), 3)
    np.testing.assert_array_equal(shared_values(y.op, SHAPE), shared_values(nn.GroupNorm(3, 6), SHAPE))


@pytest.mark.parametrize(
    "layer",
    [
        nn.GroupNorm(3, 6).half(),
        nn.BatchNorm1d(6, convention=Convention.KERAS),
        nn.Sequential(nn.RMSNorm(5), nn.ReLU()),
    ],
)
def test_other_ways_to_the_same_op(layer):
    """float16, which is widened; another convention; a layer with something behind it."""
    plain = {"GroupNorm": nn.GroupNorm(3, 6), "BatchNorm1d": nn.BatchNorm1d(6), "Sequential": nn.RMSNorm(5)}
    want = shared_values(plain[type(layer).__name__], (4, 6, 5))
    np.testing.assert_array_equal(shared_values(layer, (4, 6, 5)), want)


@pytest.mark.parametrize("name", ERRORS)
def test_bad_input(name):
    use, message = ERRORS[name]
    with pytest.raises(ValueError, match=message):
        use()


def dark_cells(ax):
    """How many cells of a cube are dark, on all three faces."""
    return sum(sum(p.get_facecolor()[:3]) < 1.5 for p in ax.patches)


def test_figure_shows_the_numbers():
    """Count the dark cells of every cube: those of the first sample, the last channel and the first position."""
    N, C, H, W = SHAPE
    layers = {
        "batch": nn.BatchNorm2d(C),
        "layer": nn.LayerNorm(SHAPE[1:]),
        "instance": nn.InstanceNorm2d(C),
        "row": nn.LayerNorm(W),
    }
    members = {name: shared_values(layer, SHAPE) for name, layer in layers.items()}
    figure = draw_shared_values(members, ranks={"batch": 1})
    assert figure.data == members
    visible = {
        "batch": H * W + N * H * W + N,
        "layer": C * H * W + H * W + C,
        "instance": 2 * H * W + 1,
        "row": 2 * W + 1,
    }
    for ax, (name, labels) in zip(figure.axes, members.items(), strict=True):
        assert len(ax.patches) == C * H * W + N * H * W + N * C
        assert dark_cells(ax) == visible[name]
        assert (
            ax.get_title("center") == f"{name}\n{labels.max() + 1} sets of {labels.size // (labels.max() + 1)} values"
        )
    figure.savefig(io.BytesIO(), dpi=20)


def test_figures_leave_the_backend_alone(monkeypatch):
    """In a notebook, pyplot's figures are shown by the backend; a drawing must not switch it off."""
    monkeypatch.setitem(matplotlib.rcParams, "backend", "svg")
    draw_shared_values({"batch": shared_values(nn.BatchNorm1d(3), (4, 3))})
    assert matplotlib.rcParams["backend"] == "svg"


def test_figure_of_vectors_and_many_rows():
    labels = shared_values(nn.BatchNorm1d(3), (4, 3), ranks=2)
    figure = draw_shared_values(dict.fromkeys("abc", labels), ranks=dict.fromkeys("abc", 2), columns=2)
    assert len(figure.axes) == 4
    assert "on 2 ranks" in "".join(t.get_text() for t in figure.axes[0].texts)
