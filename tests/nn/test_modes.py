"""train, eval, frozen: what moves the running statistics, what does not, and what of it is remembered."""

import copy
import io
import pickle

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn.debug.lint import lint
from minitorch_bn.optim.swa_utils import AveragedModel, update_bn

nn = mt.nn
utils = nn.utils

SHAPES = {
    "BatchNorm1d": (6, 3),
    "BatchNorm2d": (4, 3, 2, 2),
    "BatchNorm3d": (3, 3, 2, 1, 2),
    "SyncBatchNorm": (4, 3, 2),
    "InstanceNorm1d": (4, 3, 5),
    "InstanceNorm2d": (2, 3, 3, 2),
    "InstanceNorm3d": (2, 3, 2, 2, 2),
}
every_kind = pytest.mark.parametrize("kind", SHAPES)
every_mode = pytest.mark.parametrize("mode", [True, False])


def batch(rng, shape):
    return mt.from_numpy(rng.normal(2.0, 3.0, shape))


def settled(kind, rng, **options):
    """A float64 layer that has seen batches, with gamma and beta of its own."""
    layer = getattr(nn, kind)(3, affine=True, track_running_stats=True, dtype=mt.float64, **options)
    for p in layer.parameters():
        p.detach().copy_(batch(rng, (3,)))
    for _ in range(3):
        layer(batch(rng, SHAPES[kind]))
    return layer


def statistics(layer):
    return [t.numpy().copy() for t in (layer.running_mean, layer.running_var, layer.num_batches_tracked)]


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


# ---- what frozen means


@every_kind
def test_frozen_is_eval_mode_that_train_does_not_undo(kind, rng):
    """Forward and all gradients are eval mode's to the bit, and nothing moves."""
    layer = settled(kind, rng)
    reference = copy.deepcopy(layer).eval()
    model = nn.Sequential(layer)
    assert layer.freeze() is layer and layer.frozen
    before = statistics(layer)
    for mode in (True, False, True):
        model.train(mode)
        assert model.training is mode and layer.training is False
        results = []
        x, dy = batch(rng, SHAPES[kind]), batch(rng, SHAPES[kind])
        for norm in (model, reference):
            norm.zero_grad()
            own = x.clone().requires_grad_()
            y = norm(own)
            y.backward(dy)
            results.append([t.detach().numpy() for t in (y, own.grad, *(p.grad for p in norm.parameters()))])
        assert len(results[0]) == 4 and same(*results)
        assert same(statistics(layer), before)


@every_kind
def test_not_frozen_moves(kind, rng):
    """What the test above would not see if statistics never moved."""
    layer = settled(kind, rng)
    before = statistics(layer)
    layer(batch(rng, SHAPES[kind]))
    assert not np.array_equal(layer.running_mean.numpy(), before[0])
    assert not np.array_equal(layer.running_var.numpy(), before[1])


@every_kind
def test_training_cannot_be_set_by_hand(kind, rng):
    layer = settled(kind, rng).freeze()
    before = statistics(layer)
    layer.training = True
    layer(batch(rng, SHAPES[kind]))
    assert layer.training is False and same(statistics(layer), before)


def test_to_set_frozen_is_to_freeze():
    """Also in a class of a PyTorch script that has an attribute of this name."""

    class Own(nn.BatchNorm1d):
        def __init__(self, n):
            super().__init__(n)
            self.frozen = False

    layer = Own(3)
    layer.frozen = True
    assert layer.frozen and not layer.train().training
    layer.frozen = False
    assert not layer.frozen and layer.training
    layer = nn.BatchNorm1d(3, track_running_stats=False)
    with pytest.raises(RuntimeError, match="nothing to freeze"):
        layer.frozen = True
    assert not layer.frozen and layer.training


@every_kind
@every_mode
def test_unfreeze_goes_on_in_the_mode_that_was_asked_for_last(kind, mode, rng):
    layer = settled(kind, rng).freeze()
    model = nn.Sequential(layer).train(not mode).train(mode)
    assert layer.unfreeze() is layer and not layer.frozen and layer.training is mode
    before = statistics(layer)
    model(batch(rng, SHAPES[kind]))
    assert same(statistics(layer)[:2], before[:2]) is not mode


@every_mode
def test_unfreeze_at_once_gives_the_mode_back(mode, rng):
    assert settled("BatchNorm1d", rng).train(mode).freeze().freeze().unfreeze().unfreeze().training is mode


@every_kind
@pytest.mark.parametrize("wanted", [True, False])
def test_gamma_and_beta_stay_trainable_unless_asked(kind, wanted, rng):
    layer = settled(kind, rng).requires_grad_(wanted)
    flags = lambda: [p.requires_grad for p in layer.parameters()]
    layer.freeze()
    assert flags() == [wanted, wanted]
    layer.freeze(affine=True)
    assert flags() == [False, False]
    layer.unfreeze()
    assert flags() == [False, False] and not layer.frozen
    assert layer.unfreeze(affine=True) is layer and flags() == [True, True]


def test_without_gamma_or_beta(rng):
    for options in ({"affine": False}, {"bias": False}):
        layer = nn.BatchNorm1d(3, **options).freeze(affine=True).unfreeze(affine=True)
        assert all(p.requires_grad for p in layer.parameters())


def test_what_a_frozen_layer_learns(rng):
    """An optimiser moves gamma and beta, and with affine=True neither."""
    for affine in (False, True):
        layer = settled("BatchNorm1d", rng).freeze(affine)
        model = nn.Sequential(nn.Linear(3, 3, dtype=mt.float64), layer)
        optimizer = mt.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        before = [p.detach().clone() for p in layer.parameters()]
        for _ in range(2):
            (model.train()(batch(rng, (6, 3))) ** 2).sum().backward()
            optimizer.step()
            optimizer.zero_grad()
        assert [mt.equal(p.detach(), old) for p, old in zip(layer.parameters(), before, strict=True)] == [affine] * 2


@pytest.mark.parametrize("mode", ["closed", "paper", "graph"])
@pytest.mark.parametrize("convention", [None, "KERAS", "PAPER"])
def test_frozen_in_its_other_forms(mode, convention, rng):
    options = {} if convention is None else {"convention": getattr(nn.convention.Convention, convention)}
    layer = settled("BatchNorm1d", rng, **options)
    layer.backward_mode = mode
    reference = copy.deepcopy(layer).eval()
    layer.freeze().train()
    before, x = statistics(layer), batch(rng, (6, 3))
    assert mt.equal(layer(x), reference(x)) and same(statistics(layer), before)
    paths = layer.paths(batch(rng, (6, 3)))
    assert not paths.through_mean.numpy().any() and not paths.through_var.numpy().any()


@pytest.mark.parametrize("kind", ["BatchNorm1d", "SyncBatchNorm", "InstanceNorm1d"])
def test_a_layer_that_tracks_nothing_cannot_be_frozen(kind):
    layer = getattr(nn, kind)(3, affine=True, track_running_stats=False)
    with pytest.raises(RuntimeError, match="no running statistics, so there is nothing to freeze"):
        layer.freeze(affine=True)
    assert not layer.frozen and layer.training and all(p.requires_grad for p in layer.parameters())


def test_writing_to_the_statistics_is_allowed(rng):
    """freeze() keeps batches from moving them, not you."""
    layer = settled("BatchNorm1d", rng).freeze()
    layer.reset_running_stats()
    assert layer.running_mean.tolist() == [0, 0, 0] and layer.frozen


# ---- what is remembered


@every_kind
def test_repr(kind, rng, torch):
    """PyTorch's repr, and one word more where it is frozen."""
    options = {"affine": True, "track_running_stats": True}
    layer = getattr(nn, kind)(3, **options)
    want = repr(getattr(torch.nn, kind)(3, **options))
    assert repr(layer) == want
    assert repr(layer.freeze()) == want[:-1] + ", frozen=True)"
    assert repr(layer.unfreeze()) == want


def saved(state):
    """A state dict after mt.save and mt.load."""
    file = io.BytesIO()
    mt.save({"model": state, "epoch": 3}, file)
    return mt.load(io.BytesIO(file.getvalue()))["model"]


def model(**options):
    return nn.Sequential(nn.Linear(3, 3), nn.Sequential(nn.BatchNorm1d(3, **options)), nn.BatchNorm1d(3))


WAYS = {
    "at once": lambda state: state,
    "copied": copy.copy,
    "deeply copied": copy.deepcopy,
    "pickled": lambda state: pickle.loads(pickle.dumps(state)),
    "saved": saved,
}


@pytest.mark.parametrize("way", WAYS)
def test_state_dict_round_trip(way):
    """The mark travels with the metadata, the keys are PyTorch's, and only the layer that was frozen is."""
    source, target = model(), model()
    plain = list(source.state_dict())
    source[1][0].freeze()
    state = WAYS[way](source.state_dict())
    assert list(state) == plain
    assert str(target.load_state_dict(state)) == "<All keys matched successfully>"
    assert target[1][0].frozen and not target[1][0].training and not target[2].frozen and target[2].training
    assert all(p.requires_grad for p in target.parameters())
    assert WAYS[way](target.state_dict())._metadata == source.state_dict()._metadata


@pytest.mark.parametrize("way", WAYS)
def test_a_state_dict_without_the_mark_leaves_frozen_as_it_is(way):
    """Freeze, then load what was learnt elsewhere: the usual order in fine-tuning."""
    target = utils.freeze_batchnorm(model())
    target.load_state_dict(WAYS[way](model().state_dict()))
    target.load_state_dict(dict(model().state_dict()))
    assert target[1][0].frozen and target[2].frozen


def test_pytorch_reads_and_writes_the_state_dict(torch):
    theirs = torch.nn.Sequential(
        torch.nn.Linear(3, 3), torch.nn.Sequential(torch.nn.BatchNorm1d(3)), torch.nn.BatchNorm1d(3)
    )
    ours = utils.freeze_batchnorm(model())
    file = io.BytesIO()
    torch.save(theirs.state_dict(), file)
    ours.load_state_dict(mt.load(io.BytesIO(file.getvalue())))
    assert ours[2].frozen
    state = ours.state_dict()
    given = type(theirs.state_dict())((key, torch.from_numpy(t.numpy())) for key, t in state.items())
    given._metadata = state._metadata
    assert str(theirs.load_state_dict(given)) == "<All keys matched successfully>"


def test_an_error_while_loading_freezes_nothing():
    source, target = utils.freeze_batchnorm(model()), nn.Sequential(nn.Linear(3, 3), nn.Sequential(nn.BatchNorm1d(4)))
    with pytest.raises(RuntimeError, match="size mismatch"):
        target.load_state_dict(source.state_dict())
    assert not target[1][0].frozen


def test_the_mark_of_a_layer_that_tracks_nothing_here_is_not_taken():
    source, target = utils.freeze_batchnorm(model()), model(track_running_stats=False)
    target.load_state_dict(source.state_dict(), strict=False)
    assert not target[1][0].frozen and target[2].frozen


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_frozen_and_can_be_unfrozen(copied, rng):
    layer = copied(settled("BatchNorm1d", rng).freeze())
    assert layer.frozen and not layer.train().training and layer.unfreeze().training


def test_averaged_model_and_conversion_keep_it():
    source = model()
    source[1][0].freeze()
    averaged = AveragedModel(source).module
    assert averaged[1][0].frozen and not averaged[2].frozen
    converted = nn.SyncBatchNorm.convert_sync_batchnorm(source)
    assert type(converted[1][0]) is nn.SyncBatchNorm and converted[1][0].frozen and not converted[2].frozen
    assert not converted[1][0].training and converted[1][0].unfreeze().training


# ---- whole models


def test_freeze_batchnorm(rng):
    net = model()
    assert utils.freeze_batchnorm(net, affine=True) is net
    assert [m.frozen for m in (net[1][0], net[2])] == [True, True]
    assert [p.requires_grad for p in net.parameters()] == [True] * 2 + [False] * 4
    assert utils.unfreeze_batchnorm(net, affine=True) is net
    assert not net[1][0].frozen and net[2].training and all(p.requires_grad for p in net.parameters())


def test_freeze_batchnorm_freezes_all_or_none():
    net = nn.Sequential(nn.BatchNorm1d(3), nn.BatchNorm1d(3, track_running_stats=False))
    with pytest.raises(RuntimeError, match="nothing to freeze"):
        utils.freeze_batchnorm(net)
    assert not net[0].frozen and net[0].training


def test_update_bn_leaves_frozen_layers_alone(rng):
    net = model()
    net(mt.randn(8, 3))
    net[1][0].freeze()
    before = statistics(net[1][0])
    update_bn([mt.randn(8, 3)], net)
    assert same(statistics(net[1][0]), before) and net[2].num_batches_tracked.item() == 1
    assert net[1][0].unfreeze().training


def test_a_frozen_layer_folds_while_its_model_trains():
    linear, bn = nn.Linear(3, 3), nn.BatchNorm1d(3).freeze()
    nn.Sequential(linear, bn).train()
    with pytest.raises(AssertionError, match="Linear is in train mode"):
        utils.fuse_linear_bn_eval(linear, bn)
    assert isinstance(utils.fuse_linear_bn_eval(linear.eval(), bn), nn.Linear)


def test_the_doctor_says_nothing_of_a_frozen_layer():
    """In train mode with requires_grad=False it is warned of; frozen it is not, and eval mode by hand is."""
    mt.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
    batches = [mt.randn(64, 3) for _ in range(60)]
    for x in batches:
        net(x)
    assert lint(net, batches[:8], show=False) == []
    net[1].requires_grad_(False)
    assert lint(net, batches[:8], show=False).names == ["frozen-but-tracking"]
    for affine in (True, False):
        net[1].unfreeze(affine=True).freeze(affine)
        assert lint(net.train(), batches[:8], show=False) == [] and lint(net.eval(), batches[:8], show=False) == []
        assert net[1].frozen
    net.train()[1].unfreeze().eval()
    assert lint(net, show=False).names == ["mixed-modes"]


@pytest.mark.parametrize(("batches", "finding"), [(0, "cold-statistics"), (3, "unwarmed-statistics")])
def test_the_doctor_says_that_frozen_statistics_do_not_move(batches, finding):
    net = nn.Sequential(nn.Linear(3, 8, bias=False), nn.BatchNorm1d(8))
    for _ in range(batches):
        net(mt.randn(8, 3))
    findings = lint(net.eval(), show=False)
    assert finding in findings.names and "frozen" not in str(findings)
    net[1].freeze()
    findings = lint(net.eval(), show=False)
    assert finding in findings.names and "move only after unfreeze()" in " ".join(str(findings).split())


def test_what_does_not_freeze(rng):
    """requires_grad=False and no_grad stop nothing of it, and eval() lasts until the next train()."""
    layer = settled("BatchNorm1d", rng)
    for prepare in (lambda: layer.requires_grad_(False), lambda: layer.eval().train()):
        prepare()
        before = statistics(layer)
        with mt.no_grad():
            layer(batch(rng, (6, 3)))
        assert not np.array_equal(layer.running_mean.numpy(), before[0])
