"""Run a script as one rank of several, with the stand-in for CuPy and NCCL. Arguments: GPUs, script, its arguments."""

import runpy
import sys

from tests.standin import fake_cupy

count, sys.argv = int(sys.argv[1]), sys.argv[2:]
with fake_cupy.installed(count):
    runpy.run_path(sys.argv[0], run_name="__main__")
