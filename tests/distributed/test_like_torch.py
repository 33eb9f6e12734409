"""DistributedDataParallel on two ranks gives the gradients of PyTorch's, in uses that are easy to get wrong."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from .launch import ENVIRONMENT, MPIEXEC, ROOT, launch


@pytest.mark.skipif(importlib.util.find_spec("mpi4py") is None or not MPIEXEC.exists(), reason="needs MPI (extra: mpi)")
@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="compares with PyTorch (extra: parity)")
def test_gradients_are_those_of_pytorch(tmp_path):
    script = Path(__file__).with_name("ranks_like_torch.py")
    theirs, ours = tmp_path / "theirs.json", tmp_path / "ours.json"
    jobs = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", str(script), "torch", str(theirs)],
            cwd=ROOT,
            env=ENVIRONMENT | {"RANK": str(rank)},
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        for rank in range(2)
    ]
    said = [job.communicate(timeout=60)[1] for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0], "\n".join(said)
    launch(script.name, 2, "mt", ours)
    wanted, found = (json.loads(file.read_text()) for file in (theirs, ours))
    assert list(found) == list(wanted) and len(wanted) == 9
    for name, grads in wanted.items():
        if isinstance(grads, bool):
            assert found[name] is grads is True, name
        else:
            np.testing.assert_allclose(found[name], grads, rtol=1e-12, atol=1e-13, err_msg=name)
