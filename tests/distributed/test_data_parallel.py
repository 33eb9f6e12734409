"""Collectives and DistributedDataParallel on real ranks; groups of one; what is said when something is missing."""

import gc
import importlib.util
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

import minitorch_bn as mt
import minitorch_bn.distributed as dist
from minitorch_bn import __main__ as command_line
from minitorch_bn import world

from .launch import MPIEXEC, launch
from .names_net import batches, make

needs_mpi = pytest.mark.skipif(
    importlib.util.find_spec("mpi4py") is None or not MPIEXEC.exists(), reason="needs MPI (extra: mpi)"
)
STEPS = 200


@needs_mpi
@pytest.mark.parametrize(("script", "ranks"), [("ranks_checks.py", 2), ("ranks_checks.py", 4), ("ranks_hazards.py", 3)])
def test_collectives_and_data_parallel(script, ranks):
    done = launch(script, ranks)
    assert done.stdout.count("fine") == ranks


@needs_mpi
def test_four_ranks_train_as_one_process_with_the_fourfold_batch(tmp_path, measured):
    file = tmp_path / "trained.npz"
    launch("ranks_names.py", 4, file, STEPS)
    found = np.load(file)
    assert found["alike"]
    mt.manual_seed(0)
    net = make()
    optimiser = mt.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    losses = []
    for x, y in batches(STEPS):
        loss = mt.nn.functional.cross_entropy(net(x), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    apart = np.abs(np.array(losses) - found["losses"]).max()
    measured(
        f"4 ranks with SyncBatchNorm, {STEPS} steps of the names network: losses within {apart:.1e} of one process"
    )
    assert apart < 1e-9 and losses[-1] < losses[0]
    for name, t in net.state_dict().items():
        assert np.abs(found[f"module.{name}"] - t.array).max() <= 1e-9, name


@needs_mpi
@pytest.mark.parametrize("how", ["raise", "kill"])
def test_a_rank_that_fails_ends_the_job(how):
    began = time.monotonic()
    done = launch("ranks_failing.py", 4, how, check=False, timeout=30)
    assert done.returncode != 0 and "not reached" not in done.stdout
    assert time.monotonic() - began < 10  # of which the start of four Pythons is some
    if how == "raise":
        assert "the reason" in done.stderr and "KeyError" in done.stderr


@pytest.fixture
def alone():
    """A process group of one, without MPI."""
    world.enter(world.Alone())
    yield
    world.enter(None)


def test_without_a_group():
    for call in (dist.get_rank, dist.get_world_size, dist.barrier, lambda: dist.all_reduce(mt.ones(1))):
        with pytest.raises(ValueError, match="has not been initialized"):
            call()
    with pytest.raises(AssertionError, match="none to leave"):
        dist.destroy_process_group()
    with pytest.raises(ValueError, match="init_process_group"):
        mt.nn.parallel.DistributedDataParallel(mt.nn.Linear(1, 1))
    assert not dist.is_initialized() and dist.is_available()


def test_group_of_one(alone):
    t = mt.ones(2)
    dist.all_reduce(t)
    assert t.tolist() == [1, 1] and dist.get_rank() == 0 and dist.get_world_size() == 1
    net = mt.nn.parallel.DistributedDataParallel(mt.nn.Linear(2, 1))
    plain = mt.nn.Linear(2, 1)
    plain.load_state_dict(net.module.state_dict())
    for model in (net, plain):
        model(mt.ones(3, 2)).sum().backward()
    assert all(mt.equal(p.grad, q.grad) for p, q in zip(net.parameters(), plain.parameters(), strict=True))


def test_a_dropped_forward_leaves_nothing_for_the_cycle_collector(alone):
    net, x = mt.nn.parallel.DistributedDataParallel(mt.nn.Linear(2, 1)), mt.ones(3, 2)
    net(x).sum().backward()
    gc.collect()
    gc.disable()
    try:
        net(x)
        net.zero_grad()
        net(x).sum().backward()
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_errors_of_init(monkeypatch):
    with pytest.raises(ValueError, match=r"'gossip'.*'mpi' or 'nccl'"):
        dist.init_process_group("gossip")
    with pytest.raises(RuntimeError, match=r"'nccl' needs CuPy, NCCL and a GPU. Install it: pip install"):
        dist.init_process_group("nccl")
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "mpi4py" else real(name, *a))
    with pytest.raises(RuntimeError, match=r"not installed.*minitorch_bn\[mpi\]"):
        dist.init_process_group("mpi")
    assert not dist.is_initialized()


@needs_mpi
def test_mpi4py_without_a_library(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "mpi4py.MPI", None)
    monkeypatch.delattr("mpi4py.MPI", raising=False)
    with pytest.raises(RuntimeError, match=r"finds no MPI library .*pip install mpich"):
        dist.init_process_group("mpi")
    with pytest.raises(SystemExit):
        command_line.main(["names", "--distributed", "--out", str(tmp_path / "new")])
    assert "--distributed: init_process_group: mpi4py is installed, but" in capsys.readouterr().err
    assert not dist.is_initialized() and not (tmp_path / "new").exists()


@needs_mpi
def test_launcher_and_caller_must_agree():
    with pytest.raises(ValueError, match=r"rank 0 of 4.*rank 0 of 1.*mpiexec -n 4"):
        dist.init_process_group("mpi", rank=0, world_size=4)
    assert not dist.is_initialized()


@needs_mpi
@pytest.mark.parametrize(("op", "wanted"), [("sum", "MAX"), ("product", "MIN"), ("max", "MAX"), ("min", "MIN")])
def test_flags_are_not_added_up(op, wanted, monkeypatch):
    """As bytes, 256 ones are 0."""
    from minitorch_bn.distributed import mpi

    group, seen = mpi.MpiGroup(), []
    monkeypatch.setattr(mpi, "Pending", lambda *_: None)
    real, group.comm = group.comm, SimpleNamespace(Iallreduce=lambda sent, received, how: seen.append(how))
    group.start_all_reduce(np.ones(2, bool), op)
    real.Free()
    assert seen == [getattr(group.MPI, wanted)]


@needs_mpi
def test_a_timeout_ends_a_job_whose_ranks_do_not_make_the_same_calls(tmp_path):
    script = tmp_path / "mismatched.py"
    script.write_text(
        "import datetime, time\nimport minitorch_bn as mt, minitorch_bn.distributed as dist\n"
        "dist.init_process_group('mpi', timeout=datetime.timedelta(seconds=0.5))\n"
        "dist.all_reduce(mt.ones(1))\n"
        "dist.all_reduce(mt.ones(1)) if dist.get_rank() == 0 else time.sleep(60)\n"
    )
    done = launch(str(script), 2, timeout=30, check=False)
    assert done.returncode == 1 and "rank 0 has waited 0.5 s for other ranks" in done.stderr


def test_timeout_must_be_a_timedelta():
    with pytest.raises(TypeError, match="expected timeout to be of type timedelta, got float"):
        dist.init_process_group("mpi", timeout=3.0)
    assert not dist.is_initialized()


def test_bad_tensors(alone):
    with pytest.raises(TypeError, match="Expected a tensor, got int"):
        dist.all_reduce(3)
    with pytest.raises(TypeError, match="ReduceOp"):
        dist.all_reduce(mt.ones(1), op="sum")
    with pytest.raises(RuntimeError, match=r"shape \(3,\), wanted \(2,\)"):
        dist.all_gather([mt.ones(3)], mt.ones(2))
    with pytest.raises(ValueError, match="int32"):
        dist.all_gather([mt.ones(2).int()], mt.ones(2))
    with pytest.raises(ValueError, match="src"):
        dist.broadcast(mt.ones(1))


def test_excepthook_stays_as_it_was():
    assert sys.excepthook is sys.__excepthook__ or "minitorch" not in getattr(sys.excepthook, "__module__", "")
