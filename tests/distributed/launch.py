"""Start Python on several ranks, as users do: mpiexec -n N python -m mpi4py ..."""

import contextlib
import os
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MPIEXEC = Path(sysconfig.get_path("scripts")) / "mpiexec"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def command(ranks, *words, through=("-m", "mpi4py")):
    """The words of the shell: `python -m mpi4py *words` on `ranks` ranks; `through` (): `python *words`."""
    return [str(MPIEXEC), "-n", str(ranks), sys.executable, *through, *map(str, words)]


def launch(script, ranks, *arguments, timeout=60, check=True):
    """Run tests/distributed/<script> on `ranks` ranks and wait; the finished process, with its output as text."""
    path = str(Path(__file__).with_name(script)) if not os.path.isabs(script) else script
    return run_ranks(ranks, path, *arguments, timeout=timeout, check=check)


def run_ranks(ranks, *words, timeout=60, check=True, **how):
    """Run `python -m mpi4py *words` on `ranks` ranks and wait; the finished process, with its output as text."""
    done = subprocess.run(
        command(ranks, *words, **how),
        check=False,
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
    )
    if check:
        assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


@contextlib.contextmanager
def started(ranks, *words, **how):
    """Start `python -m mpi4py *words` on `ranks` ranks; whatever happens, none of them is left."""
    with subprocess.Popen(
        command(ranks, *words, **how),
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    ) as job:
        try:
            yield job
        finally:
            for pid in [job.pid, *pids_of_ranks(job.pid).values()]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def wait_for(file, seconds=30):
    """Wait until there is a file of that name."""
    patience = time.monotonic() + seconds
    while not file.exists():
        assert time.monotonic() < patience, f"no {file.name} within {seconds} s"
        time.sleep(0.002)


def pids_of_ranks(mpiexec):
    """{rank: process} of the processes below mpiexec, from /proc (Linux)."""
    parents, ranks = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    for pid in parents:
        above = pid
        while above in parents and above != mpiexec:
            above = parents[above]
        if above == mpiexec:
            with contextlib.suppress(OSError):
                variables = (Path("/proc") / str(pid) / "environ").read_bytes().split(b"\0")
                ranks.update({int(v[9:]): pid for v in variables if v.startswith(b"PMI_RANK=")})
    return ranks
