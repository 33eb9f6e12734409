"""python -m minitorch_bn names|digits --distributed: equal to one process, and what is left when a rank dies."""

import importlib.util
import os
import signal
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

import minitorch_bn as mt
import minitorch_bn.distributed as dist
from minitorch_bn import __main__ as command_line
from minitorch_bn import world
from minitorch_bn.experiments import digits, results
from tests.experiments.runs import DIGITS, assert_close, names_words, read

from .launch import MPIEXEC, pids_of_ranks, run_ranks, started, wait_for

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mpi4py") is None or not MPIEXEC.exists(), reason="needs MPI (extra: mpi)"
)
needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds the ranks in /proc")


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    return names_words(tmp_path_factory.mktemp("data"))


def test_four_ranks_equal_one_process_with_the_fourfold_batch(tmp_path, words, measured):
    done = run_ranks(
        4, "-m", "minitorch_bn", *words, "--steps", 60, "--batch", 8, "--distributed", "--out", tmp_path / "four"
    )
    command_line.main([*words, "--steps", "60", "--batch", "32", "--processes", "1", "--out", str(tmp_path / "one")])
    apart = assert_close(read(tmp_path / "four"), read(tmp_path / "one"), 1e-9)
    measured(f"names --distributed on 4 ranks, 60 steps: all numbers within {apart:.1e} of one process")
    assert done.stdout.count("32 examples each, on 4 ranks") == 1, "rank 0 alone speaks"
    assert done.stderr.count(" 0/120 ") == 1, "rank 0 alone shows progress"
    assert [file.name for file in (tmp_path / "four").iterdir()] == ["names.json"]


def test_digits_on_two_ranks_equal_one_process_with_the_twofold_batch(tmp_path, measured):
    words = [*DIGITS, "--no-figures", "--quiet"]
    done = run_ranks(2, "-m", "minitorch_bn", *words, "--batch", 50, "--distributed", "--out", tmp_path / "two")
    command_line.main([*words, "--batch", "100", "--processes", "1", "--out", str(tmp_path / "one")])
    apart = assert_close(read(tmp_path / "two", "digits"), read(tmp_path / "one", "digits"), 1e-9)
    measured(f"digits --distributed on 2 ranks, 1 epoch: all numbers within {apart:.1e} of one process")
    assert done.stdout.count("on 2 ranks, 100 images in a batch") == 1 and done.stderr == ""


def test_batches_of_digits_that_are_too_large_together():
    world.enter(SimpleNamespace(size=5, rank=0))
    try:
        options = command_line.make_parser()[0].parse_args([*DIGITS, "--batch", "21"])
        with pytest.raises(results.BadInput, match="--batch 21 on 5 ranks makes batches of 105: wanted at most 100"):
            digits.prepare(options)
    finally:
        world.enter(None)


# ---- a rank dies


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory, words):
    """A run on 4 ranks that nobody disturbs: its words, and its numbers."""
    words, out = ["-m", "minitorch_bn", *words, "--steps", 80, "--batch", 4], tmp_path_factory.mktemp("unbroken")
    run_ranks(4, *words, "--distributed", "--out", out)
    return words, read(out)


@needs_proc
@pytest.mark.parametrize(("victim", "every"), [(2, 20), (0, 1)])
def test_killing_a_rank_ends_the_job_and_leaves_the_last_checkpoint_whole(victim, every, tmp_path, unbroken, measured):
    words, wanted = unbroken
    kept = tmp_path / "kept"
    words = [*words, "--distributed", "--checkpoint", kept, "--every", every]
    with started(4, *words, "--out", tmp_path / "broken") as job:
        wait_for(kept)
        began = time.monotonic()
        os.kill(pids_of_ranks(job.pid)[victim], signal.SIGKILL)
        job.communicate(timeout=30)
        seconds = time.monotonic() - began
        assert pids_of_ranks(job.pid) == {}
    measured(f"rank {victim} of 4 killed while training: the job ended after {seconds:.2f} s")
    assert job.returncode != 0 and seconds < 5
    assert not (tmp_path / "broken" / "names.json").exists()
    content = mt.load(kept)
    done = len(content["nets"]["with"]["ranks"][3]["history"])
    assert done % every == 0 and 0 < done < 80
    run_ranks(4, *words, "--out", tmp_path / "resumed", "--resume")
    assert_close(read(tmp_path / "resumed"), wanted, 0)


@needs_proc
@pytest.mark.parametrize("through", [("-m", "mpi4py"), ()])
def test_ctrl_c_ends_all_ranks(through, tmp_path, words):
    kept = tmp_path / "kept"
    words = ["-m", "minitorch_bn", *words, "--steps", 10_000, "--distributed", "--quiet", "--out", tmp_path]
    with started(3, *words, "--checkpoint", kept, "--every", 5, through=through) as job:
        wait_for(kept)
        began = time.monotonic()
        job.send_signal(signal.SIGINT)
        _, said = job.communicate(timeout=30)
        assert pids_of_ranks(job.pid) == {}
    assert job.returncode == 130 and time.monotonic() - began < 5
    assert "interrupted" in said and "Traceback" not in said
    assert mt.load(kept)["settings"]["ranks"] == 3


def test_what_cannot_be_used_is_said_once(tmp_path, words):
    for bad, said in ((["--steps", 0], "--steps must be"), (["--resume"], "--resume needs --checkpoint FILE")):
        done = run_ranks(3, "-m", "minitorch_bn", *words, "--distributed", "--out", tmp_path / "new", *bad, check=False)
        assert done.returncode == 2 and done.stdout == "" and done.stderr.count(said) == 1
    assert not (tmp_path / "new").exists()


def test_what_one_rank_cannot_use_ends_all(tmp_path, words):
    """Rank 0 alone makes the folder and reads the checkpoint; without mpi4py's help, the others must learn of it."""
    (tmp_path / "file").write_text("mine")
    words = ["-m", "minitorch_bn", *words, "--steps", 5, "--distributed"]
    for bad, said in (
        (["--out", tmp_path / "file"], "cannot be a folder"),
        (["--out", tmp_path / "new", "--checkpoint", tmp_path / "file", "--resume"], "no whole checkpoint"),
    ):
        done = run_ranks(3, *words, *bad, check=False, through=(), timeout=20)
        assert done.returncode == 2 and done.stdout == "" and done.stderr.count(said) == 1
    assert (tmp_path / "file").read_text() == "mine" and not (tmp_path / "new").exists()


# ---- one process


def test_without_mpi4py(monkeypatch, tmp_path, capsys, words):
    monkeypatch.setattr(dist, "is_mpi_available", lambda: False)
    with pytest.raises(SystemExit) as ended:
        command_line.main([*words, "--distributed", "--out", str(tmp_path / "new")])
    assert ended.value.code == 2 and not (tmp_path / "new").exists()
    assert "--distributed needs MPI: pip install minitorch_bn[mpi]" in capsys.readouterr().err
