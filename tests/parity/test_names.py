"""The names against PyTorch: the same examples, weights and losses from the same seed; the whole run too (slow)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import minitorch_bn as mt
from minitorch_bn.experiments import names

from .curves import TOLERANCE, check_curves, check_same_weights

REFERENCE = Path(__file__).with_name("reference.py")
ROOT = Path(__file__).resolve().parents[2]
STEPS = 2000  # the first 1,000 with the rate 0.1, as in the run at full size; 1,000 more with 0.01


@pytest.fixture(scope="module")
def data():
    return names.load_data(names.Settings())


@pytest.fixture(scope="module")
def their_data():
    pytest.importorskip("torch", reason="compares with PyTorch, which is not installed (extra: parity)")
    from tests.parity import reference

    return reference.names_data()


def test_same_examples(data, their_data):
    for part, examples in their_data.items():
        for own, other in zip(getattr(data, part), examples, strict=True):
            assert own.dtype == mt.int64 and tuple(own.shape) == tuple(other.shape)
            assert (own.numpy() == other.numpy()).all()


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("batch_norm", [True, False], ids=["batchnorm", "without"])
def test_same_weights_at_the_start(reference, torch, batch_norm, dtype):
    for seed in (0, 42, 2**31):
        mt.manual_seed(seed)
        net = names.Net(46, batch_norm).to(getattr(mt, dtype))
        check_same_weights(net, reference.names_net(seed, batch_norm, getattr(torch, dtype)))


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("batch_norm", [True, False], ids=["batchnorm", "without"])
def test_same_losses(reference, torch, data, their_data, batch_norm, dtype, measured):
    ours = names.run(names.Settings(steps=STEPS, dtype=dtype), batch_norm, data)
    losses, net = reference.run_names(their_data, STEPS, 42, batch_norm, getattr(torch, dtype))
    name = f"names {'with BatchNorm' if batch_norm else 'without'}, {dtype}"
    check_curves(f"{name}, first 1,000 steps", ours.losses[:1000], losses[:1000], TOLERANCE[dtype], measured)
    check_curves(f"{name}, next 1,000 steps", ours.losses[1000:], losses[1000:], 2 * TOLERANCE[dtype], measured)
    for part, (x, y) in their_data.items():
        assert ours.final[part] == pytest.approx(reference.whole_loss(net, x, y), abs=2 * TOLERANCE[dtype])


@pytest.mark.slow
@pytest.mark.parametrize("batch_norm", [True, False], ids=["batchnorm", "without"])
def test_full_size(torch, data, batch_norm, measured, tmp_path):
    """200,000 steps in float32, PyTorch in a process of its own beside us."""
    command = [sys.executable, str(REFERENCE), str(tmp_path / "torch.json"), "--steps", "200000", "--seed", "42"]
    process = subprocess.Popen(
        command + ([] if batch_norm else ["--without"]),
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        ours = names.run(names.Settings(), batch_norm, data)
        _, errors = process.communicate(timeout=1800)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    theirs = json.loads((tmp_path / "torch.json").read_text())

    name = f"names {'with BatchNorm' if batch_norm else 'without'} at full size, float32"
    assert len(ours.losses) == len(theirs["losses"]) == 200_000
    check_curves(f"{name}, every 10,000th step", ours.losses[::10_000], theirs["losses"][::10_000], 1e-4, measured)
    check_curves(f"{name}, all 200,000 steps", ours.losses, theirs["losses"], 1e-3, measured)
    for part, loss in theirs["final"].items():
        measured(f"{name}, {part} loss: {ours.final[part]:.6f}, PyTorch {loss:.6f}, {ours.final[part] - loss:+.1e}")
        assert ours.final[part] == pytest.approx(loss, abs=1e-4)
    assert ours.final["dev"] < 2.2
