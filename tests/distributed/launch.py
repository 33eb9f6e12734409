"""Start a script on several ranks, as users do: mpiexec -n N python -m mpi4py script."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MPIEXEC = Path(sysconfig.get_path("scripts")) / "mpiexec"


def launch(script, ranks, *arguments, timeout=60, check=True):
    """Run tests/distributed/<script> on `ranks` ranks and wait; the finished process, with its output as text."""
    path = str(Path(__file__).with_name(script)) if not os.path.isabs(script) else script
    command = [str(MPIEXEC), "-n", str(ranks), sys.executable, "-m", "mpi4py", path, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        command, check=False, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", timeout=timeout
    )
    if check:
        assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done
