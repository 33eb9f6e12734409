"""On every rank: what collectives, DistributedDataParallel and its errors do; a traceback if anything is off."""

import copy
import os

import numpy as np

import minitorch_bn as mt
import minitorch_bn.distributed as dist
from minitorch_bn.nn.parallel import DistributedDataParallel as DDP

dist.init_process_group(os.environ.get("BACKEND", "mpi"))
rank, size = dist.get_rank(), dist.get_world_size()
assert dist.is_initialized() and dist.get_backend() == os.environ.get("BACKEND", "mpi") and size > 1


def raises(kind, words, call):
    try:
        call()
    except kind as error:
        assert words in str(error), (words, str(error))
    else:
        raise AssertionError(f"nothing was raised; wanted {kind.__name__}: {words}")


# collectives, in every dtype and shape
for dtype in (mt.float64, mt.float32, mt.float16, mt.int64, mt.int32, mt.uint8):
    t = mt.full((2, 3), rank + 1).to(dtype)
    dist.all_reduce(t)
    assert t.dtype == dtype and (t == size * (size + 1) // 2).all()
for op, wanted in (("MAX", size), ("MIN", 1), ("AVG", (size + 1) / 2), ("PRODUCT", np.prod(range(1, size + 1)))):
    t = mt.tensor(float(rank + 1))
    dist.all_reduce(t, getattr(dist.ReduceOp, op))
    assert t.item() == wanted, (op, t)
flags = mt.tensor([rank == 0, True])
dist.all_reduce(flags, dist.ReduceOp.MIN)
assert flags.tolist() == [False, True]
strided = mt.arange(6.0).reshape(2, 3).T + rank
dist.all_reduce(strided)
assert mt.equal(strided, size * mt.arange(6.0).reshape(2, 3).T + sum(range(size)))
parts = [mt.zeros(2) for _ in range(size)]
dist.all_gather(parts, mt.tensor([rank, -rank]).float())
assert [p.tolist() for p in parts] == [[r, -r] for r in range(size)]
t = mt.full((3,), float(rank))
dist.broadcast(t, src=1)
assert t.tolist() == [1, 1, 1]
t = mt.ones(1)
work = dist.all_reduce(t, async_op=True)
assert work.wait() and work.is_completed() and t.item() == size
dist.barrier()
w = mt.ones(2, requires_grad=True)
dist.all_reduce(w)  # a leaf that requires grad, too
assert w.tolist() == [size, size] and w.is_leaf
raises(RuntimeError, "list of 1", lambda: dist.all_gather([mt.ones(1)], mt.ones(1)))
raises(RuntimeError, "root rank", lambda: dist.broadcast(mt.ones(1), src=size))
raises(ValueError, "twice", dist.init_process_group)

# gradients are means over ranks; no_sync adds up
mt.manual_seed(rank)
net = DDP(mt.nn.Sequential(mt.nn.Linear(3, 4), mt.nn.Tanh(), mt.nn.Linear(4, 2)).double())
same = [None] * size
dist.all_gather_object(same, [p.array for p in net.parameters()])
assert all(np.array_equal(a, b) for a, b in zip(same[0], same[-1], strict=True)), "rank 0's parameters went to all"
xs = [mt.tensor(np.random.default_rng(r).normal(size=(5, 3))) for r in range(size)]


def local(*which):
    """Gradients of the plain model, summed over these batches."""
    plain = copy.deepcopy(net.module)
    plain.zero_grad()
    for r in which:
        plain(xs[r]).square().sum().backward()
    return [p.grad_array for p in plain.parameters()]


def close(got, wanted):
    assert all(np.allclose(a, b, rtol=1e-12, atol=1e-14) for a, b in zip(got, wanted, strict=True))


def grads():
    return [p.grad_array for p in net.parameters()]


for _ in range(2):
    net.zero_grad()
    net(xs[rank]).square().sum().backward()
    close(grads(), [g / size for g in local(*range(size))])
net.zero_grad()
with net.no_sync():
    net(xs[rank]).square().sum().backward()
close(grads(), local(rank))
net(xs[rank]).square().sum().backward()
close(grads(), [2 * g / size for g in local(*range(size))])
with mt.no_grad():
    net(xs[rank])
assert next(iter(net.state_dict())) == "module.0.weight"

# parameters that are not used, here or anywhere


class Branches(mt.nn.Module):
    def __init__(self):
        super().__init__()
        self.even, self.odd, self.never = (mt.nn.Linear(3, 2, bias=False).double() for _ in range(3))

    def forward(self, x):
        return (self.even if rank % 2 == 0 else self.odd)(x)


net = DDP(Branches())
raises(RuntimeError, "never.weight", lambda: net(xs[rank]))
net = DDP(Branches(), find_unused_parameters=True)
net(xs[rank]).sum().backward()
ours = xs[rank].array.sum(0) * np.ones((2, 1))
gathered = [None] * size
dist.all_gather_object(gathered, ours)
close([net.module.even.weight.grad_array], [sum(gathered[0::2]) / size])
close([net.module.odd.weight.grad_array], [sum(gathered[1::2]) / size])
assert net.module.never.weight.grad_array is None

# a layer used twice; a frozen layer; buffers from rank 0
shared = mt.nn.Linear(3, 3).double()
net = DDP(mt.nn.Sequential(shared, mt.nn.Tanh(), shared))
net(xs[rank]).square().sum().backward()
close(grads(), [g / size for g in local(*range(size))])
frozen = mt.nn.Sequential(mt.nn.Linear(3, 3), mt.nn.BatchNorm1d(3), mt.nn.Linear(3, 1)).double()
frozen[0].requires_grad_(False)
net = DDP(frozen)
net.module[1].running_mean.fill_(float(rank))
net(xs[rank]).sum().backward()
assert net.module[0].weight.grad is None and net.module[2].weight.grad is not None
raises(RuntimeError, "any parameter that requires a gradient", lambda: DDP(mt.nn.Tanh()))

# models that differ are found at construction, on all ranks
raises(
    RuntimeError,
    "rank 1 has weight of shape (2, 4), torch.float32, requires_grad",
    lambda: DDP(mt.nn.Linear(3 + (rank == 1), 2)),
)
raises(
    RuntimeError, "rank 0 has 2 parameters and buffers, rank 1 has 1", lambda: DDP(mt.nn.Linear(3, 2, bias=rank != 1))
)
net = mt.nn.Linear(3, 2)
net.bias.requires_grad_(rank != 1)
raises(RuntimeError, "rank 1 has bias of shape (2,), torch.float32", lambda: DDP(net))

print("fine", flush=True)
dist.destroy_process_group()
raises(ValueError, "has not been initialized", dist.get_rank)
