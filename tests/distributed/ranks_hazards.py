"""On every rank: uses of collectives and DistributedDataParallel that could hang, or train wrongly without a word."""

import copy
import dataclasses
import os
import pickle

import numpy as np

import minitorch_bn as mt
import minitorch_bn.distributed as dist
from minitorch_bn.nn.parallel import DistributedDataParallel as DDP

dist.init_process_group(os.environ.get("BACKEND", "mpi"))
rank, size = dist.get_rank(), dist.get_world_size()
x = mt.tensor(np.random.default_rng(rank).normal(size=(5, 3)))
xs = [mt.tensor(np.random.default_rng(r).normal(size=(5, 3))) for r in range(size)]


def raises(kind, words, call):
    try:
        call()
    except kind as error:
        assert words in str(error), (words, str(error))
    else:
        raise AssertionError(f"nothing was raised; wanted {kind.__name__}: {words}")


def linear(seed=0, bias=False):
    mt.manual_seed(seed)
    return mt.nn.Linear(3, 2, bias=bias).double()


def mean_of_inputs():
    """The gradient of Linear(3, 2)(x).sum(), averaged over ranks."""
    return sum(part.array.sum(0) for part in xs) / size * np.ones((2, 1))


def close(got, wanted):
    assert np.allclose(got, wanted, rtol=1e-12, atol=1e-14), (got, wanted)


# a handle: what is asked again and again is done some day; all calls begin when they are made, not when waited for
works = []
tensors = [mt.full((3,), float(rank)) for _ in range(3)]
parts = [mt.zeros(3) for _ in range(size)]
works = [
    dist.all_reduce(tensors[0], async_op=True),
    dist.broadcast(tensors[1], 1, async_op=True),
    dist.all_gather(parts, tensors[2], async_op=True),
    dist.barrier(async_op=True),
]
for work in works if rank % 2 else works[::-1]:
    while not work.is_completed():
        pass
    assert work.is_completed() and work.wait()
assert tensors[0][0].item() == sum(range(size)) and tensors[1][0].item() == 1
assert [part[0].item() for part in parts] == list(range(size))

# the sum of flags is their or; 300 of them, too; float16 is averaged without an overflow in the sum
flags = mt.tensor([rank == 0, True, False])
dist.all_reduce(flags)
assert flags.tolist() == [True, True, False]
if dist.get_backend() == "mpi":
    large = mt.full((2,), 40000.0).to(mt.float16)
    dist.all_reduce(large, dist.ReduceOp.AVG)
    assert large.tolist() == [40000.0, 40000.0]

t = mt.full((2,), float(rank))
dist.reduce(t, dst=1)
assert t.tolist() == [sum(range(size)) if rank == 1 else rank] * 2

# bad arguments, on all ranks alike, before anything is sent
for call, kind, words in (
    (lambda: dist.reduce(mt.ones(1), 0, "sum"), TypeError, "ReduceOp"),
    (lambda: dist.reduce(mt.ones(1), size), RuntimeError, f"invalid root rank: {size}"),
    (lambda: dist.broadcast(mt.ones(1), -1), RuntimeError, "invalid root rank: -1"),
    (lambda: dist.broadcast(mt.ones(1), "0"), TypeError, "wanted an integer"),
    (lambda: dist.broadcast_object_list([1], size), RuntimeError, "invalid root rank"),
    (lambda: dist.all_gather(mt.ones(size, 1), mt.ones(1)), TypeError, "List[Tensor]"),
    (lambda: dist.all_gather([1] * size, mt.ones(1)), TypeError, "List[Tensor]"),
    (lambda: dist.all_gather_object([None], 1), IndexError, f"one per rank, {size}"),
    (lambda: dist.all_reduce(mt.ones(1), dist.ReduceOp.BAND), RuntimeError, "non-integral dtype torch.float32"),
):
    raises(kind, words, call)
assert dist.get_rank(dist.group.WORLD) == rank

# a look at other data between forward and backward
net = DDP(linear())
y = net(x)
with mt.no_grad():
    net(mt.ones(1, 3).double())
y.sum().backward()
close(net.module.weight.grad_array, mean_of_inputs())

# a forward that is thrown away
net.zero_grad()
net(x)
net(x).sum().backward()
close(net.module.weight.grad_array, mean_of_inputs())


class TwoHeads(mt.nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = linear(), linear(1)

    def forward(self, x):
        return Heads(self.a(x), [self.b(x)])


@dataclasses.dataclass
class Heads:
    a: mt.Tensor
    b: list


# a head that is left out of the loss: its parameters get no gradient, and the others' are not averaged
net = DDP(TwoHeads(), bucket_cap_mb=1e-6)
heads = net(x)
(heads.a.sum() + heads.b[0].sum()).backward()
close(net.module.b.weight.grad_array, mean_of_inputs())
net(x).a.sum().backward()
raises(RuntimeError, "finished reduction in the prior iteration", lambda: net(x))

# two backwards, one per head
net = DDP(TwoHeads(), bucket_cap_mb=1e-6)
heads = net(x)
heads.a.sum().backward()
heads.b[0].sum().backward()
close(net.module.a.weight.grad_array, mean_of_inputs())
close(net.module.b.weight.grad_array, mean_of_inputs())

# a backward that ends in an exception, with messages under way


class Refusing(mt.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, dy):
        raise ArithmeticError("no gradient today")


class WithRefusal(mt.nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = mt.nn.Linear(3, 3).double(), mt.nn.Linear(3, 2).double()

    def forward(self, x):
        return self.last(Refusing.apply(self.first(x)))


net = DDP(WithRefusal(), bucket_cap_mb=1e-6)
raises(ArithmeticError, "today", lambda: net(x).sum().backward())
for _ in range(2):
    raises(RuntimeError, "finished reduction in the prior iteration", lambda: net(x))

# parameters that become learnable later, or are frozen later
net = mt.nn.Sequential(linear(), mt.nn.Linear(2, 2).double())
net[0].requires_grad_(False)
net = DDP(net)
net(x).sum().backward()
net.module[0].requires_grad_(True)
raises(RuntimeError, "['0.weight'] are new, or require a gradient since", lambda: net(x))
net.module[0].requires_grad_(False)
net.module[1].requires_grad_(False)
raises(RuntimeError, "have no part in the output", lambda: net(x))

# parameters that are penalised in the loss, before or after the forward, and met in several forwards of one loss
for build in (
    lambda net, w: net(x).sum() + w.square().sum(),
    lambda net, w: w.square().sum() + net(x).sum(),
    lambda net, w: net(x).sum() * 0.5 + w.square().sum() + net(x * 0.5).sum(),
):
    net = DDP(mt.nn.Sequential(linear(), mt.nn.Identity()), bucket_cap_mb=1e-6)
    w = net.module[0].weight
    for _ in range(2):
        net.zero_grad()
        build(net, w).backward()
        close(w.grad_array, mean_of_inputs() + 2 * w.array)
net = DDP(mt.nn.Linear(3, 3).double(), bucket_cap_mb=1e-6)
net(net(x)).sum().backward()
found = [p.grad_array for p in net.parameters()]
plain = [net.module(net.module(part)).sum() for part in xs]
net.zero_grad()
(sum(plain) / size).backward()
for p, g in zip(net.parameters(), found, strict=True):
    close(p.grad_array, g)


class WithPenalty(mt.nn.Module):
    """Keeps a part of the loss to itself: DistributedDataParallel sees what forward returns, and counts one use."""

    def __init__(self):
        super().__init__()
        self.layers = mt.nn.ModuleList(mt.nn.Linear(3, 3).double() for _ in range(3))

    def forward(self, x):
        x = self.layers[1](self.layers[0](x))
        self.penalty = self.layers[1].weight.square().sum()
        return self.layers[2](x)


net = DDP(WithPenalty())
y = net(x)
raises(RuntimeError, "Return from the model's forward all", (y.sum() + net.module.penalty).backward)

# an output that needs no parameter, and one backward after another through the same graph


class Passing(mt.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = linear()

    def forward(self, x):
        return {"twice": x * 2, "y": self.layer(x)}


net = DDP(Passing())
for _ in range(2):
    net.zero_grad()
    y = net(x.clone().requires_grad_())
    (y["y"].sum() + y["twice"].sum()).backward()
    close(net.module.layer.weight.grad_array, mean_of_inputs())

# gradients that no_sync left behind are averaged, also those of what no rank uses now


class Either(mt.nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = linear(), linear(1)

    def forward(self, x, which):
        return getattr(self, which)(x)


net = DDP(Either(), find_unused_parameters=True)
with net.no_sync():
    net(x, "b").sum().backward()
net(x, "a").sum().backward()
close(net.module.a.weight.grad_array, mean_of_inputs())
close(net.module.b.weight.grad_array, mean_of_inputs())

# ranks that use different parameters behind a SyncBatchNorm: buckets and its sums leave in another order on each


class Branch(mt.nn.Module):
    def __init__(self):
        super().__init__()
        mt.manual_seed(0)
        self.bn = mt.nn.SyncBatchNorm(3).double()
        self.even, self.odd = (mt.nn.Linear(3, 3, bias=False).double() for _ in range(2))

    def forward(self, x):
        x = self.bn(x)
        return x if rank == 0 else (self.even if rank % 2 == 0 else self.odd)(x)


if dist.get_backend() == "mpi":
    net = DDP(Branch(), find_unused_parameters=True, bucket_cap_mb=1e-6)
    for _ in range(3):
        net.zero_grad()
        net(x).square().sum().backward()
    gathered = [None] * size
    dist.all_gather_object(gathered, [p.grad_array for p in net.parameters() if p.grad_array is not None])
    assert all(np.array_equal(a, b) for other in gathered for a, b in zip(other, gathered[0], strict=True))

# a copy, which one rank alone may make, and what a pickle gives: both average their own gradients; so does the original

net = DDP(mt.nn.Sequential(linear()))
twin = copy.deepcopy(net)
if rank == 0:
    copy.deepcopy(net)
assert pickle.loads(pickle.dumps(net.module))[0].weight.grad is None
for model in (twin, net, pickle.loads(pickle.dumps(net))):
    assert model.module[0].weight.grad is None
    model(x).sum().backward()
    close(model.module[0].weight.grad_array, mean_of_inputs())

# frozen on one rank only: the others' SyncBatchNorm would wait for it; frozen on all later: the message says what to do
lone = mt.nn.Sequential(mt.nn.SyncBatchNorm(3))
if rank == 1:
    lone[0].freeze()
raises(RuntimeError, "rank 0 has 0 of statistics that move; rank 1 has 0 of frozen statistics", lambda: DDP(lone))
net = DDP(mt.nn.Sequential(mt.nn.SyncBatchNorm(3), linear()).double())
net.module[0].freeze(affine=True)
raises(RuntimeError, "make the model parallel anew", lambda: net(x))
net = DDP(net.module)
net(x).sum().backward()
close(net.module[1].weight.grad_array, sum(net.module[0](part).array.sum(0) for part in xs) / size * np.ones((2, 1)))

# SyncBatchNorm: no values on any rank; nan in one channel of a rank; float16; one rank in eval mode without statistics

layer = mt.nn.SyncBatchNorm(3)
y = layer(mt.zeros(0, 3, 2).requires_grad_())
y.sum().backward()
assert y.shape == (0, 3, 2) and layer.running_mean.tolist() == [0, 0, 0] and layer.running_var.tolist() == [1, 1, 1]

whole = np.concatenate([part.array for part in xs])
whole[-1, 0] = np.nan
layer, alone = mt.nn.SyncBatchNorm(3).double(), mt.nn.BatchNorm1d(3).double()
y, wanted = layer(mt.tensor(whole[5 * rank : 5 * rank + 5])), alone(mt.tensor(whole))
assert np.isnan(y.detach().array[:, 0]).all() and np.isnan(layer.running_var.array[0])
close(y.detach().array[:, 1:], wanted.detach().array[5 * rank : 5 * rank + 5, 1:])
close(layer.running_var.array[1:], alone.running_var.array[1:])

many = [np.random.default_rng(r).normal(300, 10, (4, 3, 100)).astype(np.float16) for r in range(size)]  # sums overflow
for layer, alone in (
    (mt.nn.SyncBatchNorm(3).half(), mt.nn.BatchNorm1d(3).half()),
    (mt.nn.SyncBatchNorm(3), mt.nn.BatchNorm1d(3)),
):
    a, b = (mt.tensor(part, requires_grad=True) for part in (many[rank], np.concatenate(many)))
    y, wanted = layer(a), alone(b)
    assert y.dtype == a.dtype == mt.float16
    # computed in float32 and rounded once: one unit in the last place of numbers below 8 is 2**-8, at most
    assert np.abs(y.detach().array - wanted.detach().array[4 * rank : 4 * rank + 4]).max() <= 2**-8
    (y.square() * y).sum().backward()
    (wanted.square() * wanted).sum().backward()
    assert a.grad.dtype == mt.float16 and np.isfinite(a.grad.array).all()
    assert np.abs(layer.running_var.array - alone.running_var.array).max() <= 2**-7  # about 11; float16 has 2**-7 there

layer = mt.nn.SyncBatchNorm(3, track_running_stats=False).double().eval()
if rank == 0:
    close(layer(x).array.mean(0), np.zeros(3))

# what is left when the group is gone

dist.destroy_process_group()
raises(ValueError, "use the model itself, .module", lambda: net(x))
with mt.no_grad():
    assert net.eval()(x).shape == net.module(x).shape
print("fine", flush=True)
