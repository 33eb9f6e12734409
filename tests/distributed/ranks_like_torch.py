"""On two ranks, here over MPI or in PyTorch over gloo: gradients of DistributedDataParallel in uses that are easy to
get wrong. Arguments: "mt" or "torch", the file that rank 0 writes.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np


def cases(L, rank):
    """Give (name, network with gradients, or whether an error was raised); `L` is this package or torch."""
    DDP, nn = L.nn.parallel.DistributedDataParallel, L.nn
    x = L.tensor(np.random.default_rng(rank).normal(size=(5, 3)))

    def linear(seed):
        L.manual_seed(seed)
        return nn.Linear(3, 2, bias=False).double()

    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = linear(0), linear(1)

        def forward(self, x, which="ab"):
            outputs = [getattr(self, name)(x) for name in which]
            return outputs if len(outputs) > 1 else outputs[0]

    def looked_at_between(net):
        y = net(x)
        with L.no_grad():
            net(2 * x)
        return y[0].sum() + y[1].square().sum()

    def thrown_away(net):
        net(5 * x)
        return looked_at_between(net)

    losses = {
        "a penalty made first": lambda net: (
            sum(w.square().sum() for w in net.parameters()) + sum(y.sum() for y in net(x))
        ),
        "a penalty made last": lambda net: (
            sum(y.sum() for y in net(x)) + sum(w.square().sum() for w in net.parameters())
        ),
        "two forwards": lambda net: sum(y.sum() for y in net(x)) + sum(y.square().sum() for y in net(2 * x)),
        "looked at between": looked_at_between,
        "thrown away": thrown_away,
    }
    for name, loss in losses.items():
        net = DDP(Both())
        for _ in range(2):  # gradients add up
            loss(net).backward()
        yield name, net

    net = DDP(Both())
    sum(y.sum() for y in net(x)).backward(retain_graph=True)
    a, b = net(x)
    a.sum().backward()
    b.sum().backward()
    yield "one backward per output", net

    net = DDP(Both(), find_unused_parameters=True)
    net(x, "ab"[rank % 2]).sum().backward()
    yield "other parameters on each rank", net

    net = DDP(Both(), find_unused_parameters=True)
    with net.no_sync():
        net(x, "b").sum().backward()
    net(x, "a").sum().backward()
    yield "left behind by no_sync", net

    net = DDP(Both())
    net(x)[0].sum().backward()
    try:
        net(x)
    except RuntimeError as error:
        yield "an output left out of the loss", "prior iteration" in str(error)


def main(which, rank, file):
    """Run all cases on this rank; rank 0 writes."""
    if which == "mt":
        import minitorch_bn as L

        L.distributed.init_process_group("mpi")
        rank = L.distributed.get_rank()
    else:
        import torch as L

        L.set_num_threads(1)
        L.distributed.init_process_group("gloo", init_method=f"file://{file}.store", rank=rank, world_size=2)
    found = {}
    for name, net in cases(L, rank):
        found[name] = net if isinstance(net, bool) else [p.grad.tolist() for p in net.parameters()]
    if rank == 0:
        Path(file).write_text(json.dumps(found))
    L.distributed.barrier()
    L.distributed.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1], int(os.environ.get("RANK", "0")), sys.argv[2])
