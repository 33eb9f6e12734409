"""The group of ranks that mpiexec started, over mpi4py. Arrays on a GPU travel through host memory."""

import os
import time

import numpy as np

from .. import backend as devices
from ..world import Alone

OF_FLAGS = {"sum": "max", "product": "min"}  # bools: or, and; a sum of 256 ones would be 0 in a byte


class MpiGroup(Alone):
    """A group over MPI.COMM_WORLD; a copy of the communicator, so that other users of MPI do not meet its messages.

    Parameters
    ----------
    timeout : float, optional
        Seconds that a rank waits for the others before it raises RuntimeError; without it, for ever.
    """

    backend = "mpi"

    def __init__(self, timeout=None):
        from mpi4py import MPI

        self.MPI, self.comm, self.timeout = MPI, MPI.COMM_WORLD.Dup(), timeout
        self.rank, self.size = self.comm.Get_rank(), self.comm.Get_size()
        self.ops = {
            "sum": MPI.SUM, "avg": MPI.SUM, "product": MPI.PROD, "min": MPI.MIN, "max": MPI.MAX,
            "band": MPI.BAND, "bor": MPI.BOR, "bxor": MPI.BXOR,
        }  # fmt: skip

    def start_all_reduce(self, array, op="sum"):
        sent = Sent(array)
        received = np.empty_like(sent.array)
        how = self.ops[OF_FLAGS.get(op, op) if sent.dtype == np.bool_ else op]
        request = self.comm.Iallreduce(sent.array, received, how)
        return Pending(self, request, lambda: sent.back(received / self.size if op == "avg" else received))

    def start_all_gather(self, array):
        sent = Sent(array)
        received = np.empty((self.size, *sent.array.shape), sent.array.dtype)
        request = self.comm.Iallgather(sent.array, received)
        return Pending(self, request, lambda: [sent.back(part) for part in received])

    def start_broadcast(self, array, src=0):
        sent = Sent(array, copy=True)
        return Pending(self, self.comm.Ibcast(sent.array, root=src), lambda: sent.back(sent.array))

    def start_barrier(self):
        return Pending(self, self.comm.Ibarrier(), lambda: None)

    def all_gather_object(self, thing):
        return self.comm.allgather(thing)

    def another(self):
        """The same ranks over another copy of the communicator. MPI pairs messages by their order on each copy."""
        return type(self)(self.timeout)

    def abort(self, status=1):
        """End all ranks, now, with this exit status."""
        self.comm.Abort(status)

    def close(self):
        self.comm.Free()


class Sent:
    """An array as MPI can send it: on the host, contiguous, in a type that MPI knows; and the way back."""

    def __init__(self, array, copy=False):
        self.dtype, self.device = array.dtype, devices.device_of(array)
        host = np.ascontiguousarray(devices.to_numpy(array)).reshape(array.shape)
        if host.dtype == np.float16:  # not an MPI type
            host = host.astype(np.float32)
        elif host.dtype == np.bool_:
            host = host.astype(np.uint8)
        self.array = host.copy() if copy and np.shares_memory(host, devices.to_numpy(array)) else host

    def back(self, host):
        """`host`, received, in the type and on the device of what was sent."""
        return devices.to_device(np.asarray(host).astype(self.dtype), self.device)


class Pending:
    """An exchange under way.

    Parameters
    ----------
    group : MpiGroup
    request : MPI's request
    finish : function
        Makes the result, once all has arrived; holds the arrays that MPI reads and writes until then.
    """

    def __init__(self, group, request, finish):
        self.group, self.request, self.finish = group, request, finish

    def wait(self):
        """The result, once all ranks have done their part. RuntimeError if that takes longer than the timeout."""
        if self.group.timeout is None:
            self.request.Wait()
            return self.finish()
        latest = time.monotonic() + self.group.timeout
        while not self.request.Test():
            if time.monotonic() > latest:
                raise RuntimeError(
                    f"rank {self.group.rank} has waited {self.group.timeout:g} s for other ranks. All ranks must make "
                    "the same calls in the same order; or give more time: init_process_group(timeout=)"
                )
            os.sched_yield() if hasattr(os, "sched_yield") else time.sleep(0)
        return self.finish()

    def is_done(self):
        """Whether `wait` would return at once."""
        return self.request.Test()
