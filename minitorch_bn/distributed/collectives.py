"""What all ranks do together: combine, collect, spread, wait. Tensors are written in place, as in PyTorch."""

import enum

from ..engine import no_grad
from ..tensor import Tensor
from .group import the_group


class ReduceOp(enum.IntEnum):
    """How values of several ranks become one."""

    SUM = 0
    AVG = 1
    PRODUCT = 2
    MIN = 3
    MAX = 4
    BAND = 5
    BOR = 6
    BXOR = 7


BITWISE = (ReduceOp.BAND, ReduceOp.BOR, ReduceOp.BXOR)


class Work:
    """An exchange under way: what a collective returns with ``async_op=True``.

    Parameters
    ----------
    pending : object with wait() and is_done()
    write : function
        Given the result, puts it where it belongs.
    """

    def __init__(self, pending, write):
        self.pending, self.write = pending, write

    def wait(self, timeout=None):
        """Wait until the result is in the tensor; True."""
        if self.pending is not None:
            self.write(self.pending.wait())
            self.pending = None
        return True

    def is_completed(self):
        """Whether the result is in the tensor. Asking again and again will do in the place of `wait`."""
        return self.pending is None or (self.pending.is_done() and self.wait())


def done_or_work(pending, write, async_op):
    """Finish now, or give the caller what to wait for."""
    work = Work(pending, write)
    if async_op:
        return work
    work.wait()
    return None


def put(tensor, array):
    """Write `array` into `tensor`, unrecorded."""
    with no_grad():
        tensor.detach().copy_(tensor.like(array.reshape(tensor.array.shape)))


def check_tensor(name, tensor):
    """Raise PyTorch's error for what is no tensor."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{name}: Invalid function argument. Expected a tensor, got {type(tensor).__name__}")


def check_op(name, op, tensor):
    """Raise PyTorch's error for what is no ReduceOp, or one that the dtype does not have."""
    if not isinstance(op, ReduceOp):
        raise TypeError(f"{name}: got op {op!r}, wanted a ReduceOp, for example ReduceOp.SUM")
    if op in BITWISE and tensor.dtype.is_floating_point:
        raise RuntimeError(f"{name}: Cannot use ReduceOp.{op.name} with non-integral dtype {tensor.dtype}")


def check_rank(name, rank, group):
    """Raise PyTorch's error if there is no such rank."""
    if isinstance(rank, bool) or not isinstance(rank, int):
        raise TypeError(f"{name}: got rank {rank!r}, wanted an integer")
    if not 0 <= rank < group.size:
        raise RuntimeError(f"{name}: invalid root rank: {rank}; there are ranks 0 to {group.size - 1}")


def all_reduce(tensor, op=ReduceOp.SUM, group=None, async_op=False):
    """Combine `tensor` over all ranks, in place, alike on all.

    Parameters
    ----------
    tensor : Tensor
        Of one shape and dtype on all ranks.
    op : ReduceOp
        SUM, AVG, PRODUCT, MIN, MAX; for integers BAND, BOR, BXOR.
    async_op : bool
        Return a Work at once; the result is there after its `wait()`.

    Raises
    ------
    ValueError
        If there is no process group.
    TypeError
        If `tensor` or `op` is of another kind.
    RuntimeError
        If BAND, BOR or BXOR is to combine floats.
    """
    check_tensor("all_reduce", tensor)
    check_op("all_reduce", op, tensor)
    pending = the_group("all_reduce").start_all_reduce(tensor.array, op.name.lower())
    return done_or_work(pending, lambda array: put(tensor, array), async_op)


def reduce(tensor, dst=0, op=ReduceOp.SUM, group=None, async_op=False):
    """Combine `tensor` over all ranks, in place on rank `dst`; elsewhere it stays. Arguments as in all_reduce."""
    check_tensor("reduce", tensor)
    check_op("reduce", op, tensor)
    ours = the_group("reduce")
    check_rank("reduce", dst, ours)

    def write(array):
        if ours.rank == dst:
            put(tensor, array)

    return done_or_work(ours.start_all_reduce(tensor.array, op.name.lower()), write, async_op)


def all_gather(tensor_list, tensor, group=None, async_op=False):
    """Collect the tensors of all ranks into `tensor_list`, in place, in the order of ranks.

    Parameters
    ----------
    tensor_list : list of Tensor
        One per rank, of the shape and dtype of `tensor`.
    tensor : Tensor
        What this rank gives.

    Raises
    ------
    RuntimeError
        If the list has another length, or a tensor in it another shape.
    ValueError
        If a dtype differs, or there is no process group.
    TypeError
        If `tensor_list` is no list of tensors.
    """
    check_tensor("all_gather", tensor)
    if not isinstance(tensor_list, list) or not all(isinstance(t, Tensor) for t in tensor_list):
        raise TypeError("all_gather: Invalid function argument. Expected parameter `tensor_list` of type List[Tensor]")
    ours = the_group("all_gather")
    if len(tensor_list) != ours.size:
        raise RuntimeError(f"all_gather: got a list of {len(tensor_list)} tensors, wanted one per rank, {ours.size}")
    for i, t in enumerate(tensor_list):
        if t.dtype != tensor.dtype:
            raise ValueError(f"all_gather: tensor {i} of the list has {t.dtype}, wanted {tensor.dtype}")
        if t.shape != tensor.shape:
            raise RuntimeError(
                f"all_gather: tensor {i} of the list has shape {tuple(t.shape)}, wanted {tuple(tensor.shape)}"
            )

    def write(arrays):
        for t, array in zip(tensor_list, arrays, strict=True):
            put(t, array)

    return done_or_work(ours.start_all_gather(tensor.array), write, async_op)


def all_gather_object(object_list, obj, group=None):
    """Collect what all ranks put in, anything that can be pickled, into `object_list`, which has one place per rank."""
    ours = the_group("all_gather_object")
    if len(object_list) != ours.size:
        raise IndexError(
            f"all_gather_object: got a list of {len(object_list)} places, wanted one per rank, {ours.size}"
        )
    object_list[:] = ours.all_gather_object(obj)


def broadcast(tensor, src=None, group=None, async_op=False, group_src=None):
    """Give the values of rank `src` to all ranks, in place.

    Raises
    ------
    ValueError
        If no rank is named, or there is no process group.
    RuntimeError
        If there is no such rank.
    TypeError
        If `tensor` is no tensor, or `src` no integer.
    """
    check_tensor("broadcast", tensor)
    src = group_src if src is None else src
    ours = the_group("broadcast")
    if src is None:
        raise ValueError("broadcast: Must specify the rank that sends, src=")
    check_rank("broadcast", src, ours)
    return done_or_work(ours.start_broadcast(tensor.array, src), lambda array: put(tensor, array), async_op)


def broadcast_object_list(object_list, src=0, group=None):
    """Give the list of rank `src` to all ranks, in place. RuntimeError if there is no such rank."""
    ours = the_group("broadcast_object_list")
    check_rank("broadcast_object_list", src, ours)
    object_list[:] = ours.all_gather_object(list(object_list))[src]


def barrier(group=None, async_op=False, device_ids=None, timeout=None):
    """Wait until all ranks are here. ValueError if there is no process group."""
    return done_or_work(the_group("barrier").start_barrier(), lambda nothing: None, async_op)
