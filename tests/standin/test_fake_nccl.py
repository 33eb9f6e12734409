"""The distributed package over NCCL, on the stand-in for it: the code paths of GPUs, ranks that are real processes."""

import importlib.util
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import minitorch_bn as mt
import minitorch_bn.distributed as dist
from minitorch_bn import world
from tests.distributed.launch import ENVIRONMENT, MPIEXEC, ROOT
from tests.standin import fake_cupy, fake_nccl

RUNNER = "tests/standin/ranks_on_fake_gpus.py"
DISTRIBUTED = "tests/distributed"


def free_port():
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def run_ranks(ranks, script, *arguments, gpus=None, check=True):
    """Run a script on `ranks` ranks with a GPU each, started without MPI; the texts that they printed."""
    variables = ENVIRONMENT | {"WORLD_SIZE": str(ranks), "MASTER_PORT": str(free_port()), "BACKEND": "nccl"}
    words = [sys.executable, RUNNER, str(gpus or ranks), script, *map(str, arguments)]
    jobs = [
        subprocess.Popen(
            words,
            cwd=ROOT,
            env=variables | {"RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        for rank in range(ranks)
    ]
    said = [job.communicate(timeout=60)[0] for job in jobs]
    if check:
        assert [job.returncode for job in jobs] == [0] * ranks, "\n".join(said)
    return said


@pytest.mark.parametrize(
    ("ranks", "script"), [(2, "tests/standin/ranks_tensors.py"), (4, f"{DISTRIBUTED}/ranks_checks.py")]
)
def test_on_ranks(ranks, script):
    """Tensors on the GPUs; and on the host, as over MPI."""
    assert [text.strip() for text in run_ranks(ranks, script)] == ["fine"] * ranks


def test_sync_batch_norm_equals_one_process(tmp_path):
    from tests.distributed.test_syncbatchnorm import in_one_process

    file, sizes, shape = tmp_path / "found.npz", [5, 0, 2], (3, 4)
    run_ranks(3, f"{DISTRIBUTED}/ranks_syncbatchnorm.py", file, "5,0,2", "float64", 0, "3,4")
    found = np.load(file)
    wanted = in_one_process(sizes, mt.float64, 0, shape)
    for i, w in enumerate(wanted):
        parts = [found[f"{rank}_{i}"] for rank in range(3)]
        got = np.concatenate(parts) if i % 7 < 2 else sum(parts) if i % 7 < 4 else parts[0]
        assert np.abs(got - w).max() <= 1e-12 * np.abs(w).max(), i


@pytest.mark.skipif(importlib.util.find_spec("mpi4py") is None or not MPIEXEC.exists(), reason="needs MPI (extra: mpi)")
def test_ranks_that_mpiexec_started():
    words = [str(MPIEXEC), "-n", "2", sys.executable, "-m", "mpi4py", RUNNER, "2", "tests/standin/ranks_tensors.py"]
    done = subprocess.run(
        words, check=False, cwd=ROOT, env=ENVIRONMENT, capture_output=True, encoding="utf-8", timeout=60
    )
    assert done.returncode == 0 and done.stdout.count("fine") == 2, done.stderr


# ---- one process


@pytest.fixture
def group(fake_gpu, monkeypatch):
    """A group of one over the stand-in for NCCL."""
    for name, value in {"RANK": 0, "WORLD_SIZE": 1, "MASTER_PORT": free_port()}.items():
        monkeypatch.setenv(name, str(value))
    dist.init_process_group("nccl")
    yield world.current()
    dist.destroy_process_group()


def test_a_destroyed_communicator_refuses(group):
    communicator = fake_nccl.NcclCommunicator(1, fake_nccl.get_unique_id(), 0)
    x = fake_cupy.ones(2)
    communicator.destroy()
    with pytest.raises(fake_nccl.NcclError, match="destroyed"):
        communicator.bcast(x.data.ptr, 2, fake_nccl.NCCL_FLOAT64, 0, group.cupy.cuda.get_current_stream().ptr)


def test_types_that_nccl_does_not_have(group):
    with pytest.raises(RuntimeError, match=r"NCCL cannot send int16; wanted one of float16, .*uint8"):
        dist.all_reduce(mt.ones(2, device="cuda").to(mt.int16))
    with pytest.raises(RuntimeError, match=r"NCCL cannot compute 'bxor'; wanted one of \['avg', "):
        dist.all_reduce(mt.ones(2, device="cuda").int(), dist.ReduceOp.BXOR)


@pytest.mark.parametrize(("op", "wanted"), [("sum", "MAX"), ("product", "MIN"), ("max", "MAX"), ("min", "MIN")])
def test_flags_are_not_added_up(group, op, wanted):
    """As bytes, 256 ones are 0."""
    seen, real = [], group.communicator
    group.communicator = SimpleNamespace(allReduce=lambda *given: seen.append(given[4]))
    group.start_all_reduce(np.ones(2, bool), op)
    group.communicator = real
    assert seen == [getattr(fake_nccl, f"NCCL_{wanted}")]


def test_what_the_stand_in_refuses(group):
    """Each of these would be a crash, a hang or a wrong number on a GPU."""
    call, here = group.communicator.allReduce, group.cupy.cuda.get_current_stream().ptr
    x, y, turned = fake_cupy.ones((2, 3)), fake_cupy.zeros((2, 3)), fake_cupy.ones((3, 2)).T
    both, f64, add = (x.data.ptr, y.data.ptr), fake_nccl.NCCL_FLOAT64, fake_nccl.NCCL_SUM
    call(*both, 6, f64, add, here)
    assert y.get().tolist() == x.get().tolist()
    for wrong, message in (
        ((*both, 6, f64, here), "takes exactly 6"),
        ((x, y, 6, f64, add, here), "integer is required for sendbuf"),
        ((*both, 6.0, f64, add, here), "integer is required for count"),
        ((*both, -1, f64, add, here), "negative"),
        ((*both, 5, f64, add, here), "5 x float64 wanted, but there are 6"),
        ((*both, 6, fake_nccl.NCCL_FLOAT32, add, here), "6 x float32 wanted"),
        ((*both, 6, f64, add, 0), "stream"),
        ((turned.data.ptr, y.data.ptr, 6, f64, add, here), "in order"),
        ((x.data.ptr, y.data.ptr + 8, 6, f64, add, here), "no living array"),
        ((x.data.ptr, fake_cupy.zeros(1000).data.ptr, 6, f64, add, here), "no living array"),
    ):
        with pytest.raises((fake_nccl.NcclError, TypeError, OverflowError), match=message):
            call(*wrong)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("mt.ones(3, device='cuda')", "do not make the same call.*NCCL would hang"),
        ("mt.ones(2, device='cuda').double()", "do not make the same call"),
    ],
)
def test_ranks_that_differ_are_found(second, message, tmp_path):
    """Else the tests above could not fail."""
    script = tmp_path / "differ.py"
    script.write_text(
        "import minitorch_bn as mt\nimport minitorch_bn.distributed as dist\n"
        "dist.init_process_group('nccl')\n"
        f"dist.all_reduce(mt.ones(2, device='cuda') if dist.get_rank() == 0 else {second})\n"
    )
    said = run_ranks(2, str(script), check=False)
    assert any(re.search(message, text) for text in said)
    assert all("failed; ending all ranks" in text for text in said)


def test_one_gpu_for_two_ranks(tmp_path):
    script = tmp_path / "join.py"
    script.write_text("import minitorch_bn.distributed as dist\ndist.init_process_group('nccl')\n")
    assert any("Duplicate GPU" in said for said in run_ranks(2, str(script), gpus=1, check=False))


def test_nccl_that_is_not_installed(fake_gpu, monkeypatch):
    monkeypatch.setattr(fake_nccl, "available", False)
    assert not dist.is_nccl_available()
    with pytest.raises(RuntimeError, match=r"'nccl' needs CuPy, NCCL and a GPU. Install it: pip install .*nvidia-nccl"):
        dist.init_process_group("nccl")
    assert not dist.is_initialized()


@pytest.mark.parametrize("missing", ["RANK", "WORLD_SIZE"])
def test_the_environment_must_say_who_this_is(fake_gpu, monkeypatch, missing):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "1")
    monkeypatch.delenv(missing)
    monkeypatch.setattr(dist.group, "is_mpi_available", lambda: False)
    with pytest.raises(ValueError, match=f"environment variable {missing} expected, but not set"):
        dist.init_process_group("nccl")


# ---- the stand-in and CuPy


def test_signatures_are_those_of_cupy():
    """The documentation of CuPy's compiled NCCL module holds every signature that the stand-in checks calls by."""
    package = importlib.util.find_spec("cupy_backends")
    files = list(Path(package.origin).parent.glob("cuda/libs/nccl.*")) if package else []
    if not files:
        pytest.skip("CuPy is not installed (extra: gpu-cuda13)")
    library = b"".join(file.read_bytes() for file in files)
    for name, parameters in fake_nccl.SIGNATURES.items():
        given = f"NcclCommunicator.{name}(self{', ' * bool(parameters)}{parameters})"
        assert given.encode() in library, given
    assert b"NcclCommunicator(int ndev, bytes commId, int rank, NcclConfig config=None)" in library
    assert os.path.basename(files[0]).startswith("nccl.")
