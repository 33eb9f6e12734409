"""On every rank, tensors on its GPU: collectives, SyncBatchNorm and DistributedDataParallel, against one process."""

import copy

import numpy as np

import minitorch_bn as mt
import minitorch_bn.distributed as dist
from minitorch_bn import backend, world
from minitorch_bn.nn.parallel import DistributedDataParallel as DDP

dist.init_process_group()  # there is a GPU: nccl
rank, size = dist.get_rank(), dist.get_world_size()
assert dist.get_backend() == "nccl" and dist.is_nccl_available() and size > 1
HERE = mt.device("cuda", rank)


def check(got, wanted):
    """On this rank's device, equal to rounding: sums over ranks are taken in another order."""
    wanted = np.asarray(wanted)
    assert got.device == HERE and got.shape == wanted.shape, (got.device, got.shape)
    eps = {mt.float64: 1e-12, mt.float32: 1e-6}.get(got.dtype, 0) * (np.abs(wanted).max() if wanted.size else 0)
    assert (np.abs(got.cpu().numpy() - wanted) <= eps).all() if eps else (got.cpu().numpy() == wanted).all(), got


def parts(make):
    """What each rank has, as NumPy arrays."""
    return [make(np.random.default_rng(r)) for r in range(size)]


# collectives
floats = parts(lambda rng: rng.normal(size=(3, 4)))
ways = {"SUM": np.sum, "AVG": np.mean, "PRODUCT": np.prod, "MIN": np.min, "MAX": np.max}
for way, combined in ways.items():
    for dtype in (mt.float64, mt.float32):
        t = mt.tensor(floats[rank], dtype=dtype, device="cuda")
        assert dist.all_reduce(t, getattr(dist.ReduceOp, way)) is None and t.dtype == dtype
        check(t, combined(floats, axis=0))
for dtype in (mt.int64, mt.int32, mt.int8, mt.uint8, mt.float16):
    t = mt.full((2, 3), rank + 1, device="cuda").to(dtype)
    dist.all_reduce(t)
    assert t.dtype == dtype
    check(t, np.full((2, 3), size * (size + 1) // 2))
flags = mt.tensor([rank == 0, True, False], device="cuda")
dist.all_reduce(flags)
check(flags, [True, True, False])
strided = mt.tensor(floats[rank], device="cuda").T
dist.all_reduce(strided)
check(strided, sum(floats).T)
part = mt.tensor(floats[rank], device="cuda")[1:, ::2]
dist.all_reduce(part)
check(part, sum(floats)[1:, ::2])
for shape in ((), (0, 3)):
    t = mt.full(shape, 2.0, device="cuda")
    dist.all_reduce(t)
    check(t, np.full(shape, 2.0 * size))
collected = [mt.zeros(3, 4, device="cuda").double() for _ in range(size)]
dist.all_gather(collected, mt.tensor(floats[rank].T, device="cuda").T)
for got, wanted in zip(collected, floats, strict=True):
    check(got, wanted)
t = mt.tensor(floats[rank].T, device="cuda").T
dist.broadcast(t, src=1)
check(t, floats[1])
own = backend.to_device(floats[rank], "cuda")
new = world.current().broadcast(own, 1)
assert (own.get() == floats[rank]).all() and (new.get() == floats[1]).all(), "what is sent stays as it is"
t = mt.tensor(floats[rank], device="cuda")
dist.reduce(t, dst=1)
check(t, sum(floats) if rank == 1 else floats[rank])
work = dist.all_reduce(flags, dist.ReduceOp.MIN, async_op=True)
assert work.wait() and work.is_completed()
dist.barrier()
things = [None] * size
dist.all_gather_object(things, "x" * rank)
assert things == ["x" * r for r in range(size)]
try:
    dist.all_reduce(mt.ones(2, device="cuda").int(), dist.ReduceOp.BAND)
except RuntimeError as error:
    assert "band" in str(error)
else:
    raise AssertionError("NCCL has no BAND")

# SyncBatchNorm and DistributedDataParallel equal one process with the whole batch; the last rank's part is smaller
mt.manual_seed(rank)
net = mt.nn.Sequential(mt.nn.Linear(3, 5, bias=False), mt.nn.BatchNorm1d(5), mt.nn.Tanh(), mt.nn.Linear(5, 2)).double()
net = DDP(mt.nn.SyncBatchNorm.convert_sync_batchnorm(net.to("cuda")), bucket_cap_mb=1e-5)
assert len(net.reducer.buckets) > 2
whole = copy.deepcopy(net.module).cpu()
whole[1] = mt.nn.BatchNorm1d(5).double()
whole[1].load_state_dict({name: t.cpu() for name, t in net.module[1].state_dict().items()})
rows = [4] * (size - 1) + [3]
xs = np.split(np.random.default_rng(7).normal(size=(sum(rows), 3)), np.cumsum(rows)[:-1])
optimisers = [mt.optim.SGD(model.parameters(), lr=0.1, momentum=0.9) for model in (net, whole)]
for _ in range(5):
    for model, x, optimiser in zip(
        (net, whole), (mt.tensor(xs[rank], device="cuda"), mt.tensor(np.concatenate(xs))), optimisers, strict=True
    ):
        optimiser.zero_grad()
        (model(x).square().sum() * (size if model is net else 1)).backward()  # the mean over ranks of size * the sum
        optimiser.step()
    for (name, a), b in zip(net.module.named_parameters(), whole.parameters(), strict=True):
        assert isinstance(a.grad.array, backend.cupy().ndarray), name
        check(a.grad, b.grad.numpy())
for (name, a), b in zip(net.module.state_dict().items(), whole.state_dict().values(), strict=True):
    assert name.endswith("tracked") or np.abs(a.cpu().numpy() - b.numpy()).max() < 1e-12, name

print("fine", flush=True)
dist.destroy_process_group()
