"""experiments/checkpoints.py: a run that goes on computes what it would have computed without a stop."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import minitorch_bn as mt
import minitorch_bn.distributed as dist
from minitorch_bn import __main__ as command_line
from minitorch_bn import world
from minitorch_bn.experiments import checkpoints, results

from .runs import DIGITS, assert_close, names_words, read

WITH_MPI = pytest.param(
    True, marks=pytest.mark.skipif(importlib.util.find_spec("mpi4py") is None, reason="needs MPI (extra: mpi)")
)


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    return names_words(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize("distributed", [WITH_MPI, False])
@pytest.mark.parametrize("stop", [25, 61])  # steps: in the first network, in the second
def test_going_on_gives_the_same_numbers_to_the_bit(stop, distributed, tmp_path, words, monkeypatch):
    words = [*words, "--steps", "40", "--batch", "4", *(["--distributed"] if distributed else [])]
    steps, real = [], mt.optim.SGD.step

    def stopping(self):
        steps.append(1)
        if len(steps) == stop:
            raise KeyboardInterrupt
        real(self)

    monkeypatch.setattr(mt.optim.SGD, "step", stopping)
    kept = ["--checkpoint", str(tmp_path / "kept"), "--every", "10"]
    assert command_line.main([*words, *kept, "--out", str(tmp_path / "stopped")]) == 130
    assert command_line.main([*words, *kept, "--resume", "--out", str(tmp_path / "resumed")]) == 0
    assert len(steps) == stop + 80 - (stop - 1) // 10 * 10  # what was kept was not computed again
    assert command_line.main([*words, "--processes", "1", "--out", str(tmp_path / "unbroken")]) == 0
    assert_close(read(tmp_path / "resumed"), read(tmp_path / "unbroken"), 0)
    assert not dist.is_initialized()


def test_digits_go_on_to_the_bit(tmp_path, monkeypatch):
    stop = 28 + 14 + 5  # an epoch has 14 steps: stopped in the second epoch of the second network
    words = [*DIGITS[:-2], "--epochs", "2", "--dropout", "0.3", "--batch", "100", "--no-figures"]
    steps, real = [], mt.optim.SGD.step

    def stopping(self):
        steps.append(1)
        if len(steps) == stop:
            raise KeyboardInterrupt
        real(self)

    monkeypatch.setattr(mt.optim.SGD, "step", stopping)
    kept = ["--checkpoint", str(tmp_path / "kept"), "--every", "1"]
    assert command_line.main([*words, *kept, "--out", str(tmp_path / "stopped")]) == 130
    assert command_line.main([*words, *kept, "--resume", "--out", str(tmp_path / "resumed")]) == 0
    assert len(steps) == stop + 3 * 28 - stop // 14 * 14
    assert command_line.main([*words, "--processes", "1", "--out", str(tmp_path / "unbroken")]) == 0
    assert_close(read(tmp_path / "resumed", "digits"), read(tmp_path / "unbroken", "digits"), 0)


def test_checkpoints_that_cannot_be_used(tmp_path, words, capsys):
    kept, damaged, other = (str(tmp_path / name) for name in ("kept", "damaged", "other"))
    short = [*words, "--steps", "4", "--processes", "1", "--out", str(tmp_path / "new")]
    assert command_line.main([*short, "--checkpoint", kept]) == 0
    before = Path(kept).read_bytes()
    Path(damaged).write_bytes(before[:-100])
    mt.save({"losses": [1.0]}, other)
    for bad, said in (
        (["--checkpoint", kept], "exists; add --resume"),
        (["--checkpoint", kept, "--resume", "--lr", "0.5"], "other settings: lr 0.1, now 0.5"),
        (["--checkpoint", kept, "--resume", "--every", "0"], "--every"),
        (["--every", "2"], "--every needs --checkpoint FILE"),
        (["--checkpoint", damaged, "--resume"], "no whole checkpoint"),
        (["--checkpoint", other, "--resume"], "no whole checkpoint"),
        (["--checkpoint", str(tmp_path / "none"), "--resume"], "there is no checkpoint"),
        (["--checkpoint", str(tmp_path)], "is a folder"),
        (["--checkpoint", str(tmp_path / "no" / "where")], "there is no folder"),
    ):
        with pytest.raises(SystemExit) as ended:
            command_line.main([*short, *bad])
        shown = capsys.readouterr().err
        assert ended.value.code == 2 and said in shown and shown.count("\n") == 1, shown
    assert Path(kept).read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [
        1,
        {"settings": 3, "nets": {}},
        {"settings": {"lr": 1}},
        {"settings": {"lr": 1}, "nets": 3},
        {"settings": {"lr": 1}, "nets": {"a": 5}},
        {"settings": {"lr": 1}, "nets": {"a": {"parts": []}}},
    ],
)
def test_a_file_that_is_built_like_no_checkpoint(content, tmp_path):
    mt.save(content, tmp_path / "other")
    with pytest.raises(results.BadInput, match="no whole checkpoint"):
        checkpoints.read(tmp_path / "other", {"lr": 1})


def test_a_checkpoint_of_another_number_of_ranks(tmp_path):
    class Two(world.Alone):
        size = 2

    file = tmp_path / "kept"
    checkpoints.Checkpoints(file, 1, {"lr": 0.1}, False).of("net").keep([1.0], net := mt.nn.Linear(1, 1), sgd(net))
    world.enter(Two())
    try:
        with pytest.raises(results.BadInput, match="ranks 1, now 2"):
            checkpoints.Checkpoints(file, 1, {"lr": 0.1}, True)
    finally:
        world.enter(None)


def sgd(net):
    return mt.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)


def test_a_checkpoint_holds_all_that_training_needs(tmp_path):
    """Momentum, running statistics, random numbers: a network, an optimiser and a stream that are put back go on."""

    def go_on(net, optimizer, kept, steps, stop=None):
        losses = kept.resume(net, optimizer)
        while len(losses) < steps:
            loss = net(mt.randn(6, 3)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            kept.keep(losses, net, optimizer, last=len(losses) == steps)
        return losses

    def fresh(resume, file, steps):
        mt.manual_seed(1)
        net = mt.nn.Sequential(mt.nn.Linear(3, 4), mt.nn.BatchNorm1d(4), mt.nn.Dropout(0.5))
        return go_on(net, sgd(net), checkpoints.Checkpoints(file, 7, {}, resume).of("net"), steps), net

    whole, net = fresh(False, tmp_path / "whole", 20)
    fresh(False, tmp_path / "part", 9)
    again, other = fresh(True, tmp_path / "part", 20)
    assert again == whole and len(whole) == 20
    assert all(mt.equal(a, b) for a, b in zip(net.state_dict().values(), other.state_dict().values(), strict=True))
    assert np.isfinite(whole).all()
