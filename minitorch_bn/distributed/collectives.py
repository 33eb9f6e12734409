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


class Work:
    """An exchange under way: what a collective returns with ``async_op=True``."""

    def __init__(self, finish):
        self.finish = finish

    def wait(self, timeout=None):
        """Wait until the result is in the tensor; True."""
        if self.finish is not None:
            self.finish()
            self.finish = None
        return True

    def is_completed(self):
        """Whether `wait` has been called."""
        return self.finish is None


def done_or_work(finish, async_op):
    """Finish now, or give the caller what to wait for."""
    work = Work(finish)
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
    """
    check_tensor("all_reduce", tensor)
    if not isinstance(op, ReduceOp):
        raise TypeError(f"all_reduce: got op {op!r}, wanted a ReduceOp, for example ReduceOp.SUM")
    pending = the_group("all_reduce").start_all_reduce(tensor.array, op.name.lower())
    return done_or_work(lambda: put(tensor, pending.wait()), async_op)


def reduce(tensor, dst=0, op=ReduceOp.SUM, group=None, async_op=False):
    """Combine `tensor` over all ranks, in place on rank `dst`; elsewhere it stays. Arguments as in all_reduce."""
    check_tensor("reduce", tensor)
    ours = the_group("reduce")
    pending = ours.start_all_reduce(tensor.array, op.name.lower())

    def finish():
        array = pending.wait()
        if ours.rank == dst:
            put(tensor, array)

    return done_or_work(finish, async_op)


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
    """
    check_tensor("all_gather", tensor)
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

    def finish():
        for t, array in zip(tensor_list, ours.all_gather(tensor.array), strict=True):
            put(t, array)

    return done_or_work(finish, async_op)


def all_gather_object(object_list, obj, group=None):
    """Collect what all ranks put in, anything that can be pickled, into `object_list`."""
    object_list[:] = the_group("all_gather_object").all_gather_object(obj)


def broadcast(tensor, src=None, group=None, async_op=False, group_src=None):
    """Give the values of rank `src` to all ranks, in place.

    Raises
    ------
    ValueError
        If no rank is named, or there is no process group.
    RuntimeError
        If there is no such rank.
    """
    check_tensor("broadcast", tensor)
    src = group_src if src is None else src
    ours = the_group("broadcast")
    if src is None:
        raise ValueError("broadcast: Must specify the rank that sends, src=")
    if not 0 <= src < ours.size:
        raise RuntimeError(f"broadcast: invalid root rank: {src}; there are ranks 0 to {ours.size - 1}")
    return done_or_work(lambda: put(tensor, ours.broadcast(tensor.array, src)), async_op)


def broadcast_object_list(object_list, src=0, group=None):
    """Give the list of rank `src` to all ranks, in place."""
    object_list[:] = the_group("broadcast_object_list").all_gather_object(list(object_list))[src]


def barrier(group=None, async_op=False, device_ids=None, timeout=None):
    """Wait until all ranks are here. ValueError if there is no process group."""
    ours = the_group("barrier")
    return done_or_work(ours.barrier, async_op)
