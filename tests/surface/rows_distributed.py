"""Rows about torch.distributed, DistributedDataParallel and SyncBatchNorm in a group of one.

PyTorch's CPU wheel has no MPI: it runs these rows over gloo, this package over MPI. More ranks: tests/distributed.
"""

import contextlib
import importlib.util
import tempfile
from pathlib import Path

import minitorch_bn as mt

from .table import errors, gradients, rows, tensor


@contextlib.contextmanager
def group(L):
    """A process group of one rank."""
    if L is mt:
        L.distributed.init_process_group("mpi")
    else:
        file = Path(tempfile.mkdtemp()) / "store"
        L.distributed.init_process_group("gloo", init_method=f"file://{file}", rank=0, world_size=1)
    try:
        yield L.distributed
    finally:
        L.distributed.destroy_process_group()


def alone(call):
    """A row's function: `call(library, library.distributed)` inside a group of one."""

    def run(L):
        with group(L) as dist:
            return call(L, dist)

    return run


def reduced(L, dist, op, dtype="float64"):
    t = tensor(L, 2, 3).to(getattr(L, dtype))
    given = dist.all_reduce(t, getattr(dist.ReduceOp, op))
    return t, given


def gathered(L, dist, dtype):
    parts = [L.zeros(2, 3, dtype=getattr(L, dtype))]
    dist.all_gather(parts, (tensor(L, 2, 3) * 5).to(getattr(L, dtype)))
    return parts


def parallel(L, dist, **settings):
    L.manual_seed(0)
    net = L.nn.Sequential(L.nn.Linear(3, 4, bias=False), L.nn.BatchNorm1d(4), L.nn.Tanh(), L.nn.Linear(4, 2)).double()
    net = L.nn.parallel.DistributedDataParallel(net, **settings)
    y, _ = gradients(L, net(tensor(L, 5, 3)))
    return y, {name: p.grad for name, p in net.named_parameters()}, list(net.state_dict()), repr(net)


def accumulated(L, dist):
    net = L.nn.parallel.DistributedDataParallel(L.nn.Linear(3, 2).double())
    x = tensor(L, 4, 3)
    with net.no_sync():
        net(x).sum().backward()
    net(x).sum().backward()
    return [p.grad for p in net.parameters()]


def sync_layer(L, train=True, **settings):
    layer = L.nn.SyncBatchNorm(3, **settings).double().train(train)
    x = tensor(L, 4, 3, 2, grad=True)
    y, grads = gradients(L, layer(x), x, *layer.parameters())
    return y, grads, dict(layer.state_dict()), repr(layer)


def converted(L):
    model = L.nn.Sequential(
        L.nn.Linear(2, 3), L.nn.BatchNorm1d(3, eps=1e-3, momentum=None), L.nn.BatchNorm2d(4, affine=False)
    )
    return repr(L.nn.SyncBatchNorm.convert_sync_batchnorm(model)), list(model.state_dict())


ROWS = []
if importlib.util.find_spec("mpi4py") is not None:
    for op in ("SUM", "PRODUCT", "MIN", "MAX", "AVG"):
        ROWS += rows("distributed.all_reduce", {op: alone(lambda L, d, op=op: reduced(L, d, op))})
    for dtype in ("float32", "int64", "int32", "uint8"):
        ROWS += rows(
            "distributed.all_reduce",
            {dtype: alone(lambda L, d, dtype=dtype: reduced(L, d, "SUM", dtype))},
        )
        ROWS += rows("distributed.all_gather", {dtype: alone(lambda L, d, dtype=dtype: gathered(L, d, dtype))})
    ROWS += rows(
        "distributed.all_reduce",
        {
            "leaf": alone(lambda L, d: [t := tensor(L, 3, grad=True), d.all_reduce(t)]),
            "async": alone(lambda L, d: [t := tensor(L, 3), d.all_reduce(t, async_op=True).wait()]),
            "keyword": alone(lambda L, d: [t := tensor(L, 3), d.all_reduce(tensor=t, op=d.ReduceOp.SUM, group=None)]),
        },
    )
    ROWS += rows(
        "distributed.broadcast",
        {
            "from_0": alone(lambda L, d: [t := tensor(L, 3), d.broadcast(t, 0)]),
            "src": alone(lambda L, d: [t := tensor(L, 3), d.broadcast(t, src=0, async_op=True).wait()]),
        },
    )
    ROWS += rows("distributed.barrier", {"plain": alone(lambda L, d: d.barrier())})
    ROWS += rows("distributed.get_rank", {"in_group": alone(lambda L, d: d.get_rank())})
    ROWS += rows("distributed.get_world_size", {"in_group": alone(lambda L, d: d.get_world_size())})
    ROWS += rows(
        "distributed.is_initialized",
        {"in_group": alone(lambda L, d: d.is_initialized()), "available": lambda L: L.distributed.is_available()},
    )
    ROWS += rows(
        "distributed.init_process_group",
        {"again": lambda L: [alone(lambda L, d: d.get_rank())(L) for _ in range(2)]},
    )
    ROWS += rows(
        "nn.parallel.DistributedDataParallel",
        {
            "plain": alone(parallel),
            "buckets": alone(lambda L, d: parallel(L, d, bucket_cap_mb=1)),
            "unused": alone(lambda L, d: parallel(L, d, find_unused_parameters=True)),
            "no_buffers": alone(lambda L, d: parallel(L, d, broadcast_buffers=False)),
            "no_sync": alone(accumulated),
        },
    )
    ROWS += errors(
        "distributed.init_process_group",
        {"twice": (alone(lambda L, d: d.init_process_group("mpi" if L is mt else "gloo")), "twice")},
    )
    ROWS += errors(
        "distributed.all_reduce",
        {
            "number": (alone(lambda L, d: d.all_reduce(3)), "Expected a tensor, got int"),
            "op": (alone(lambda L, d: d.all_reduce(L.ones(2), op="sum")), "ReduceOp.SUM"),
        },
    )
    ROWS += errors(
        "distributed.all_gather",
        {
            "empty": (alone(lambda L, d: d.all_gather([], L.ones(2))), "one per rank, 1"),
            "shape": (alone(lambda L, d: d.all_gather([L.ones(3)], L.ones(2))), r"\(3,\), wanted \(2,\)"),
            "dtype": (alone(lambda L, d: d.all_gather([L.ones(2).int()], L.ones(2))), "int32"),
        },
    )
    ROWS += errors(
        "distributed.broadcast",
        {
            "rank": (alone(lambda L, d: d.broadcast(L.ones(2), 3)), "root rank: 3"),
            "nobody": (alone(lambda L, d: d.broadcast(L.ones(2))), "src="),
        },
    )
    ROWS += errors(
        "nn.parallel.DistributedDataParallel",
        {"nothing": (alone(lambda L, d: L.nn.parallel.DistributedDataParallel(L.nn.Tanh())), "any parameter")},
    )

ROWS += rows("distributed.is_initialized", {"no_group": lambda L: L.distributed.is_initialized()})
ROWS += rows(
    "distributed.ReduceOp",
    {"names": lambda L: [hasattr(L.distributed.ReduceOp, n) for n in ("SUM", "AVG", "PRODUCT", "MIN", "MAX", "BAND")]},
)
ROWS += errors(
    "distributed.get_rank",
    {"no_group": (lambda L: L.distributed.get_rank(), "get_rank: .*init_process_group")},
)
ROWS += errors(
    "distributed.get_world_size", {"no_group": (lambda L: L.distributed.get_world_size(), "init_process_group")}
)
ROWS += errors("distributed.barrier", {"no_group": (lambda L: L.distributed.barrier(), "init_process_group")})
ROWS += errors("distributed.all_reduce", {"no_group": (lambda L: L.distributed.all_reduce(L.ones(1)), "all_reduce")})
ROWS += errors(
    "distributed.all_gather", {"no_group": (lambda L: L.distributed.all_gather([], L.ones(1)), "all_gather")}
)
ROWS += errors("distributed.broadcast", {"no_group": (lambda L: L.distributed.broadcast(L.ones(1), 0), "broadcast")})
ROWS += errors(
    "distributed.destroy_process_group",
    {"no_group": (lambda L: L.distributed.destroy_process_group(), "none to leave")},
)
ROWS += errors(
    "nn.parallel.DistributedDataParallel",
    {"no_group": (lambda L: L.nn.parallel.DistributedDataParallel(L.nn.Linear(1, 1)), "init_process_group")},
)
ROWS += rows(
    "nn.SyncBatchNorm",
    {
        "train": sync_layer,
        "eval": lambda L: sync_layer(L, False),
        "plain": lambda L: sync_layer(L, affine=False, track_running_stats=False),
        "cumulative": lambda L: sync_layer(L, momentum=None, eps=0.1),
        "eval_without": lambda L: sync_layer(L, False, track_running_stats=False),
        "convert": converted,
        "group": lambda L: repr(L.nn.SyncBatchNorm(3, 1e-3, 0.2, True, True, None)),
    },
)
ROWS += errors(
    "nn.SyncBatchNorm",
    {
        "vector": (lambda L: L.nn.SyncBatchNorm(3)(L.ones(3)), "at least 2D"),
        "one_value": (lambda L: L.nn.SyncBatchNorm(3)(L.ones(1, 3)), "more than 1 value"),
        "channels": (lambda L: L.nn.SyncBatchNorm(3)(L.ones(2, 4)), "4"),
    },
)
