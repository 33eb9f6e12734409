"""On every rank: SyncBatchNorm on this rank's part of a batch. Rank 0 writes what all found. Arguments: file, sizes."""

import os
import sys

import numpy as np

import minitorch_bn as mt
import minitorch_bn.distributed as dist

dist.init_process_group(os.environ.get("BACKEND", "mpi"))
rank, path, sizes = dist.get_rank(), sys.argv[1], [int(n) for n in sys.argv[2].split(",")]
dtype, offset, shape = getattr(mt, sys.argv[3]), float(sys.argv[4]), tuple(int(n) for n in sys.argv[5].split(","))

rng = np.random.default_rng(7)
whole = rng.normal(offset, 1, (sum(sizes), *shape))
dy = rng.normal(size=whole.shape)
gamma, beta = rng.uniform(0.5, 2, shape[0]), rng.normal(size=shape[0])
start = sum(sizes[:rank])
mine = slice(start, start + sizes[rank])

layer = mt.nn.SyncBatchNorm(shape[0], dtype=dtype)
layer.weight.data.copy_(mt.tensor(gamma))
layer.bias.data.copy_(mt.tensor(beta))
results = []
for momentum in (0.1, None):
    layer.momentum = momentum
    layer.zero_grad()
    x = mt.tensor(whole[mine], dtype=dtype, requires_grad=True)
    y = layer(x)
    y.backward(mt.tensor(dy[mine], dtype=dtype))
    results += [y.detach().array, x.grad.array, layer.weight.grad.array, layer.bias.grad.array]
    results += [layer.running_mean.array.copy(), layer.running_var.array.copy(), layer.num_batches_tracked.array.copy()]

gathered = [None] * dist.get_world_size()
dist.all_gather_object(gathered, results)
if rank == 0:
    np.savez(path, **{f"{r}_{i}": a for r, found in enumerate(gathered) for i, a in enumerate(found)})
dist.destroy_process_group()
