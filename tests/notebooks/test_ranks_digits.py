"""The script that notebook 08 starts on four ranks: what it computes, and what was recorded of it."""

import importlib.util
import json

import numpy as np
import pytest

from notebooks import build
from tests.distributed.launch import launch

SCRIPT = build.NOTEBOOKS / "ranks_digits.py"


@pytest.fixture(scope="module")
def script():
    specification = importlib.util.spec_from_file_location("ranks_digits", SCRIPT)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def on_ranks():
    """Two runs on four ranks, with and without synchronised statistics: {norm: bias of the last layer}."""
    pytest.importorskip("mpi4py", reason="needs MPI (extra: mpi)")
    runs = [{"norm": norm, "images": 16, "seed": 3, "epochs": 1, "double": True} for norm in ("SyncBN", "BN")]
    printed = json.loads(launch(str(SCRIPT), 4, json.dumps(runs)).stdout)
    assert printed["processes"] == 4
    return {run["norm"]: np.array(run["bias"]) for run in printed["runs"]}


def test_four_ranks_with_shared_statistics_are_one_process_with_the_fourfold_batch(script, on_ranks):
    bias = np.array(script.train("BN", 64, 3, epochs=1, double=True)[1])
    # 8 steps in float64, sums of 64 numbers in another order: 8 * 64 * 2.2e-16, and a factor of 100 for the network
    np.testing.assert_allclose(on_ranks["SyncBN"], bias, rtol=0, atol=1e-11 * np.abs(bias).max())


def test_averaged_gradients_alone_are_not(script, on_ranks):
    bias = np.array(script.train("BN", 64, 3, epochs=1, double=True)[1])
    assert np.abs(on_ranks["BN"] - bias).max() > 1e-3 * np.abs(bias).max()


def test_what_was_recorded_is_the_plan(script):
    recorded = json.loads(script.RECORDED.read_text(encoding="utf-8"))
    runs = [{k: v for k, v in run.items() if k not in ("error", "bias")} for run in recorded["runs"]]
    assert runs == script.PLAN and recorded["processes"] == 4


def test_what_was_recorded_is_what_one_process_computes(script):
    recorded = json.loads(script.RECORDED.read_text(encoding="utf-8"))["runs"]
    shared = {run["images"]: run["error"] for run in recorded[:-1] if run["norm"] == "SyncBN"}
    for images in (16, 64):
        # float32, another order of sums: a digit on the border between two classes may change sides
        assert abs(script.train("BN", 4 * images, 0)[0] - shared[images]) <= 5 / 1285
    last = recorded[-1]
    bias = np.array(script.train("BN", 16, last["seed"], last["epochs"], double=True)[1])
    np.testing.assert_allclose(last["bias"], bias, rtol=0, atol=1e-9 * np.abs(bias).max())
