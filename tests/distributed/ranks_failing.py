"""Rank 1 raises; the others wait for it. Arguments: how."""

import os
import signal
import sys

import minitorch_bn as mt
import minitorch_bn.distributed as dist

dist.init_process_group("mpi")
if dist.get_rank() == 1:
    if sys.argv[1] == "raise":
        raise KeyError("the reason")
    os.kill(os.getpid(), signal.SIGKILL)
dist.all_reduce(mt.ones(1000))
dist.barrier()
print("not reached")
