"""Stands in for cupy.cuda.nccl, beside fake_cupy.py: ranks are processes, and arrays travel over a socket.

What a test on it proves: that every call has the arguments that CuPy's has, in their order; that pointers are those of
living arrays of this rank's GPU, in order in memory, as long and of the dtype that the call says; that the stream is
the current one; and that all ranks make the same calls in the same order, where NCCL would hang or mix up numbers.
What it cannot prove: speed, streams that really run beside one another, and errors of NCCL's own.

Signatures and numbers were read off CuPy 14.2.0 with NCCL 2.32.3; test_fake_nccl.py finds the signatures in CuPy's
library where CuPy is installed. NCCL itself is not needed for that.
"""

import contextlib
import socket
import threading
from multiprocessing.connection import Client, Listener

import numpy as np

from tests.standin.fake_device import gpu, memory, stream

available = True
NCCL_INT8, NCCL_UINT8, NCCL_INT32, NCCL_UINT32, NCCL_INT64, NCCL_UINT64 = range(6)
NCCL_FLOAT16, NCCL_FLOAT32, NCCL_FLOAT64, NCCL_BFLOAT16 = range(6, 10)
NCCL_SUM, NCCL_PROD, NCCL_MAX, NCCL_MIN, NCCL_AVG = range(5)
DTYPES = ("int8", "uint8", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64")
OPS = (np.add.reduce, np.multiply.reduce, np.max, np.min, lambda parts, axis: np.add.reduce(parts, axis) / len(parts))

SIGNATURES = {
    "allReduce": "intptr_t sendbuf, intptr_t recvbuf, size_t count, int datatype, int op, intptr_t stream",
    "allGather": "intptr_t sendbuf, intptr_t recvbuf, size_t count, int datatype, intptr_t stream",
    "broadcast": "intptr_t sendbuff, intptr_t recvbuff, size_t count, int datatype, int root, intptr_t stream",
    "bcast": "intptr_t buff, size_t count, int datatype, int root, intptr_t stream",
    "reduce": "intptr_t sendbuf, intptr_t recvbuf, size_t count, int datatype, int op, int root, intptr_t stream",
    "destroy": "",
    "abort": "",
    "rank_id": "",
    "size": "",
}
ID_BYTES = 128
KEY = b"stand-in"


class NcclError(RuntimeError):
    """What CuPy raises when a call of NCCL fails."""


# ---- the wire: rank 0's process collects a request of every rank, and answers all


def get_unique_id():
    """128 bytes by which ranks find one another: here the port of a thread of this process."""
    listener = Listener(("127.0.0.1", 0), authkey=KEY, backlog=64)
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    return str(listener.address[1]).encode().ljust(ID_BYTES, b"\0")


def serve(listener):
    """Meet the ranks, then answer one request of each, again and again, until one is gone."""
    with contextlib.ExitStack() as open_ones:
        open_ones.enter_context(listener)
        ranks, size = {}, None
        while size is None or len(ranks) < size:
            connection = open_ones.enter_context(listener.accept())
            rank, size, device = connection.recv()
            taken = [other for _, other in ranks.values()]
            ranks[rank] = connection, device
            if device in taken:
                answer([c for c, _ in ranks.values()], NcclError(f"Duplicate GPU detected: {device}"))
                return
        connections = [ranks[rank][0] for rank in range(size)]
        result = None
        while not isinstance(result, NcclError):
            answer(connections, result)
            result = answer_of([receive(connection) for connection in connections])
        answer(connections, result)


def receive(connection):
    """The next request of a rank: (the call, its array); None if the rank is gone."""
    try:
        return connection.recv()
    except (EOFError, OSError):
        return None


def answer_of(requests):
    """What all ranks get for these requests, one of each."""
    if None in requests:
        return NcclError("NCCL_ERROR_REMOTE_ERROR: a rank is gone")
    calls = [call for call, _ in requests]
    if any(call != calls[0] for call in calls):
        return NcclError(f"the ranks do not make the same call: {calls}; NCCL would hang here")
    return combine(calls[0], [array for _, array in requests])


def answer(connections, result):
    """Send `result` to all that are still there; to rank 0 last, whose process may end as soon as it has it."""
    for connection in reversed(connections):
        with contextlib.suppress(OSError):
            connection.send(result)


def combine(call, arrays):
    """What a call gives, from what the ranks put in."""
    name, op, root = call["name"], call.get("op"), call.get("root")
    if name in ("broadcast", "bcast"):
        return arrays[root]
    if name == "allGather":
        return np.concatenate(arrays)
    return OPS[op](np.stack(arrays), axis=0).astype(arrays[0].dtype)


# ---- the interface


class NcclCommunicator:
    """One rank of a group: NcclCommunicator(int ndev, bytes commId, int rank)."""

    def __init__(self, ndev, commId, rank, config=None):
        if type(commId) is not bytes or len(commId) != ID_BYTES:
            raise TypeError(f"Expected bytes of length {ID_BYTES}, got {commId!r}")
        self._rank, self._size, self._device = rank, ndev, gpu.current
        port = int(commId.rstrip(b"\0"))
        self._connection = Client(("127.0.0.1", port), authkey=KEY)
        self._connection.send((rank, ndev, (socket.gethostname(), self._device)))
        self._answer()

    def _answer(self):
        result = self._connection.recv()
        if isinstance(result, Exception):
            raise result
        return result

    def _call(self, name, given):
        """Check the arguments, send what this rank puts in, write what comes back."""
        if self._connection is None:
            raise NcclError("NCCL_ERROR_INVALID_ARGUMENT: the communicator was destroyed")
        values = arguments(name, given)
        if values.pop("stream") != stream.ptr:
            raise NcclError(f"{name}: not on the current stream")
        if gpu.current != self._device:
            raise NcclError(f"{name}: the current device is {gpu.current}, the communicator's {self._device}")
        pointers = [value for key, value in values.items() if key.endswith(("buf", "buff"))]
        count, dtype = values["count"], np.dtype(DTYPES[values["datatype"]])
        sent = self._memory(name, pointers[0], count, dtype)
        factor = self._size if name == "allGather" else 1
        received = self._memory(name, pointers[-1], count * factor, dtype)
        call = {key: value for key, value in values.items() if not key.endswith(("buf", "buff"))} | {"name": name}
        self._connection.send((call, sent.copy()))
        result = self._answer()
        if name != "reduce" or values["root"] == self._rank:
            received[...] = result

    def _memory(self, name, pointer, count, dtype):
        """`count` elements at a pointer, as a flat array; an error where that is not what the pointer points to."""
        if count == 0:
            return np.empty(0, dtype)
        array = memory[pointer]() if pointer in memory else None
        if array is None:
            raise NcclError(f"{name}: {pointer} is the address of no living array of the device")
        if array.device.id != self._device:
            raise NcclError(f"{name}: the array is on device {array.device.id}, the communicator on {self._device}")
        if not array._array.flags.c_contiguous:
            raise NcclError(f"{name}: the array of shape {array.shape} does not lie in order")
        if array.dtype != dtype or array.size != count:
            raise NcclError(f"{name}: {count} x {dtype} wanted, but there are {array.size} x {array.dtype}")
        return array._array.reshape(-1)

    def destroy(self):
        self._connection.close()
        self._connection = None

    def abort(self):
        self.destroy()

    def rank_id(self):
        return self._rank

    def size(self):
        return self._size


def arguments(name, given):
    """{parameter: value}, as CuPy would take them: that many, and only integers."""
    wanted = [part.split() for part in SIGNATURES[name].split(", ")]
    if len(given) != len(wanted):
        raise TypeError(f"{name}() takes exactly {len(wanted)} positional arguments ({len(given)} given)")
    values = {}
    for (kind, parameter), value in zip(wanted, given, strict=True):
        if isinstance(value, bool | float) or not hasattr(value, "__index__"):
            raise TypeError(f"{name}: an integer is required for {parameter}, got {type(value).__name__}")
        if kind == "size_t" and value < 0:
            raise OverflowError("can't convert negative value to size_t")
        values[parameter] = int(value)
    return values


def _collective(name):
    def call(self, *args):
        return self._call(name, args)

    return call


for _name in ("allReduce", "allGather", "broadcast", "bcast", "reduce"):
    setattr(NcclCommunicator, _name, _collective(_name))
