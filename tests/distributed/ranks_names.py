"""On every rank: train the names network with SyncBatchNorm, each on its part of a batch. Arguments: file, steps."""

import os
import sys

import numpy as np

import minitorch_bn as mt
import minitorch_bn.distributed as dist
from tests.distributed.names_net import batches, make

dist.init_process_group(os.environ.get("BACKEND", "mpi"))
rank, size = dist.get_rank(), dist.get_world_size()
mt.manual_seed(rank)  # every rank draws other weights; rank 0's must win
net = mt.nn.parallel.DistributedDataParallel(mt.nn.SyncBatchNorm.convert_sync_batchnorm(make()), bucket_cap_mb=0.02)
optimiser = mt.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
losses = []
for x, y in batches(int(sys.argv[2])):
    x, y = x[rank::size], y[rank::size]
    loss = mt.nn.functional.cross_entropy(net(x), y)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    mean = loss.detach().clone()
    dist.all_reduce(mean, dist.ReduceOp.AVG)
    losses.append(mean.item())
state = {name: t.array for name, t in net.state_dict().items()}
gathered = [None] * size
dist.all_gather_object(gathered, state)
if rank == 0:
    alike = all(np.array_equal(other[name], state[name]) for other in gathered for name in state)
    np.savez(sys.argv[1], losses=losses, alike=alike, **state)
dist.destroy_process_group()
