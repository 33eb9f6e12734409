"""The group of ranks that mpiexec started, over mpi4py. Arrays on a GPU travel through host memory."""

import numpy as np

from .. import backend as devices
from ..world import Alone


class MpiGroup(Alone):
    """A group over MPI.COMM_WORLD; a copy of the communicator, so that other users of MPI do not meet its messages."""

    backend = "mpi"

    def __init__(self):
        from mpi4py import MPI

        self.MPI, self.comm = MPI, MPI.COMM_WORLD.Dup()
        self.rank, self.size = self.comm.Get_rank(), self.comm.Get_size()
        self.ops = {
            "sum": MPI.SUM, "avg": MPI.SUM, "product": MPI.PROD, "min": MPI.MIN, "max": MPI.MAX,
            "band": MPI.BAND, "bor": MPI.BOR, "bxor": MPI.BXOR,
        }  # fmt: skip

    def start_all_reduce(self, array, op="sum"):
        sent = Sent(array)
        received = np.empty_like(sent.array)
        request = self.comm.Iallreduce(sent.array, received, self.ops[op])
        return Pending(request, sent, received, self.size if op == "avg" else None)

    def all_gather(self, array):
        sent = Sent(array)
        received = np.empty((self.size, *sent.array.shape), sent.array.dtype)
        self.comm.Allgather(sent.array, received)
        return [sent.back(part) for part in received]

    def all_gather_object(self, thing):
        return self.comm.allgather(thing)

    def broadcast(self, array, src=0):
        sent = Sent(array, copy=True)
        self.comm.Bcast(sent.array, root=src)
        return sent.back(sent.array)

    def barrier(self):
        self.comm.Barrier()

    def abort(self):
        """End all ranks, now."""
        self.comm.Abort(1)

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
        return devices.to_device(host.astype(self.dtype), self.device)


class Pending:
    """A reduction under way."""

    def __init__(self, request, sent, received, divisor):
        self.request, self.sent, self.received, self.divisor = request, sent, received, divisor

    def wait(self):
        """The combined array, once all ranks have sent theirs."""
        self.request.Wait()
        result = self.sent.back(self.received)
        return result if self.divisor is None else (result / self.divisor).astype(result.dtype)
