"""The group of ranks with one GPU each, over NCCL as CuPy brings it."""

import os

import numpy as np

from .. import backend as devices
from ..world import Alone, Finished

DTYPES = ("float16", "float32", "float64", "int8", "int32", "int64", "uint8", "uint32", "uint64")
OF_FLAGS = {"sum": "max", "product": "min"}  # bools: or, and; a sum of 256 ones would be 0 in a byte
OPS = {"sum": "SUM", "avg": "SUM", "product": "PROD", "min": "MIN", "max": "MAX"}


def installed():
    """Whether CuPy finds the NCCL library."""
    from cupy.cuda import nccl

    return nccl.available


class NcclGroup(Alone):
    """A group of GPUs. Arrays that lie on the host are put on the GPU for the exchange, and brought back."""

    backend = "nccl"

    def __init__(self, rank, size, unique_id, index=None, comm=None):
        import cupy
        from cupy.cuda import nccl

        self.cupy, self.nccl, self.rank, self.size, self.mpi = cupy, nccl, rank, size, comm
        cupy.cuda.Device(rank % cupy.cuda.runtime.getDeviceCount() if index is None else index).use()
        self.communicator = nccl.NcclCommunicator(size, unique_id, rank)

    @classmethod
    def over_mpi(cls, index=None):
        """Ranks from mpiexec; rank 0's identifier of the group goes to all."""
        from cupy.cuda import nccl
        from mpi4py import MPI

        comm = MPI.COMM_WORLD
        unique_id = comm.bcast(nccl.get_unique_id() if comm.Get_rank() == 0 else None)
        return cls(comm.Get_rank(), comm.Get_size(), unique_id, index, comm)

    @classmethod
    def over_tcp(cls, rank, size, index=None):
        """Ranks from the environment; the identifier goes over the address MASTER_ADDR:MASTER_PORT."""
        from cupy.cuda import nccl

        from .rendezvous import share

        address = os.environ.get("MASTER_ADDR", "127.0.0.1"), int(os.environ.get("MASTER_PORT", "29500"))
        unique_id = share(nccl.get_unique_id() if rank == 0 else None, rank, size, address)
        return cls(rank, size, unique_id, index)

    def start_all_reduce(self, array, op="sum"):
        sent = self.on_gpu(array)
        if op not in OPS:
            raise RuntimeError(f"all_reduce: NCCL cannot compute {op!r}; wanted one of {sorted(OPS)}")
        if array.dtype == np.bool_:
            op = OF_FLAGS.get(op, op)
        received = self.cupy.empty_like(sent)
        kind, stream = self.kind(sent), self.cupy.cuda.get_current_stream().ptr
        how = getattr(self.nccl, f"NCCL_{OPS[op]}")
        self.communicator.allReduce(sent.data.ptr, received.data.ptr, sent.size, kind, how, stream)
        result = received / self.size if op == "avg" else received
        return Finished(self.like(result.astype(sent.dtype), array))  # the stream keeps the order: no need to wait

    def start_all_gather(self, array):
        sent = self.on_gpu(array)
        received = self.cupy.empty((self.size, *sent.shape), sent.dtype)
        stream = self.cupy.cuda.get_current_stream().ptr
        self.communicator.allGather(sent.data.ptr, received.data.ptr, sent.size, self.kind(sent), stream)
        return Finished([self.like(part, array) for part in received])

    def all_gather_object(self, thing):
        import pickle

        told = np.frombuffer(pickle.dumps(thing), np.uint8)
        longest = int(max(part[0] for part in self.all_gather(np.array([len(told)]))))
        parts = self.all_gather(np.pad(told, (0, longest - len(told))))
        return [pickle.loads(part.tobytes()) for part in parts]

    def start_broadcast(self, array, src=0):
        data = self.on_gpu(array).copy()
        stream = self.cupy.cuda.get_current_stream().ptr
        self.communicator.broadcast(data.data.ptr, data.data.ptr, data.size, self.kind(data), src, stream)
        return Finished(self.like(data, array))

    def start_barrier(self):
        self.start_all_reduce(self.cupy.zeros(1, np.float32))
        self.cupy.cuda.get_current_stream().synchronize()
        return Finished(None)

    def abort(self, status=1):
        """End all ranks, now: through MPI where there is one, else by ending this rank, which breaks the others."""
        self.communicator.abort()
        if self.mpi is not None:
            self.mpi.Abort(status)
        os._exit(status)

    def close(self):
        self.communicator.destroy()

    def on_gpu(self, array):
        """`array` on this rank's GPU, in order, in a type that NCCL knows."""
        data = self.cupy.ascontiguousarray(devices.to_device(array, "cuda"))
        return data.astype(np.uint8) if data.dtype == np.bool_ else data

    def kind(self, array):
        """NCCL's number for the type of `array`."""
        if array.dtype.name not in DTYPES:
            raise RuntimeError(f"NCCL cannot send {array.dtype}; wanted one of {', '.join(DTYPES)}")
        return getattr(self.nccl, f"NCCL_{array.dtype.name.upper()}")

    def like(self, result, array):
        """`result` in the type and on the device of `array`."""
        return devices.to_device(result.astype(array.dtype), devices.device_of(array))
