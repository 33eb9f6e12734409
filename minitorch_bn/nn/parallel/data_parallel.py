"""DistributedDataParallel: every rank holds the whole model and a part of every batch; gradients are averaged."""

import dataclasses
from contextlib import contextmanager

import numpy as np

from ... import world
from ...engine import graph, is_grad_enabled
from ...tensor import Tensor
from ..freezing import Freezable
from ..module import Module
from .buckets import ReducedParameter, Reducer, count_uses


class DistributedDataParallel(Module):
    """A model whose gradients are, after backward, the mean over all ranks.

    At construction rank 0's parameters and buffers go to all ranks. In backward, gradients are sent in buckets while
    earlier layers are still being computed. If each rank's loss is a mean over its part of the batch, and the parts are
    equally large, the gradient is that of the whole batch. What the model adds to the loss must be among the outputs of
    its forward; penalties on parameters may be added outside.

    Parameters
    ----------
    module : Module
    broadcast_buffers : bool
        Whether rank 0's buffers (running statistics) go to all ranks before every forward in train mode.
    bucket_cap_mb : float, optional
        Size of a bucket in MiB; by default 25.
    find_unused_parameters : bool
        Whether some parameters may have no part in the loss, and on some ranks only. Costs one more exchange per step.
    device_ids, output_device, dim, process_group, check_reduction, gradient_as_bucket_view, static_graph
        Taken for PyTorch's sake; they change nothing here.

    Attributes
    ----------
    module : Module
        The model itself; keys of state_dict() begin with "module.".

    Raises
    ------
    ValueError
        If there is no process group, or, in a forward with gradients, no longer one.
    RuntimeError
        If no parameter requires a gradient; if names, shapes, dtypes, what requires a gradient or what is frozen differ
        between ranks (the first difference is named, on all ranks); in forward, if a parameter is unused and
        find_unused_parameters is false, if one began to require a gradient since, or if the last backward did not reach
        all of them.

    Source: PyTorch documentation of DistributedDataParallel; Li et al. 2020, section 3.
    """

    def __init__(
        self,
        module,
        device_ids=None,
        output_device=None,
        dim=0,
        broadcast_buffers=True,
        init_sync=True,
        process_group=None,
        bucket_cap_mb=None,
        find_unused_parameters=False,
        check_reduction=False,
        gradient_as_bucket_view=False,
        static_graph=False,
    ):
        super().__init__()
        if not world.is_initialized():
            raise ValueError(
                "DistributedDataParallel: Default process group has not been initialized, please make sure to call "
                "init_process_group."
            )
        learnt = [p for p in module.parameters() if p.requires_grad]
        if not learnt:
            raise RuntimeError(
                "DistributedDataParallel is not needed when a module doesn't have any parameter that requires a "
                "gradient."
            )
        self.module = module
        vars(self).update(group=world.current(), broadcast_buffers=broadcast_buffers, syncs=True)
        vars(self).update(find_unused_parameters=find_unused_parameters)
        if init_sync:
            check_alike(module, self.group)
            send_state([*module.parameters(), *module.buffers()], self.group)
        # buckets apart: where ranks use different parameters, they are sent before or after a layer's own messages
        vars(self).update(group_of_buckets=self.group.another(), bucket_bytes=int((bucket_cap_mb or 25) * 2**20))
        self.make_reducer()

    def make_reducer(self):
        """Have the gradients of all parameters that require one averaged."""
        learnt = [p for p in self.module.parameters() if p.requires_grad]
        vars(self)["reducer"] = Reducer(learnt, self.group_of_buckets, self.bucket_bytes)
        for p in learnt:
            p.__class__, p.reducer = ReducedParameter, self.reducer

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name != "reducer"}

    def __setstate__(self, state):
        """A copy averages its own gradients; no rank waits for others to make one, too."""
        vars(self).update(state)
        self.make_reducer()

    def forward(self, *args, **kwargs):
        if is_grad_enabled() and self.syncs and not world.is_initialized():
            raise ValueError(
                "DistributedDataParallel: the process group has been left (destroy_process_group); to go on alone use "
                "the model itself, .module"
            )
        if self.broadcast_buffers and self.training and self.syncs and is_grad_enabled():
            send_state(self.module.buffers(), self.group)
        y = self.module(*args, **kwargs)
        if is_grad_enabled() and self.syncs:
            self.prepare(tensors_in(y))
        return y

    def prepare(self, outputs):
        """Count the uses of every parameter in the graph of the outputs; reduce when backward reaches these."""
        self.reducer.check_finished()
        order = {t.op.serial: t for root in outputs for t in graph(root)}
        uses = count_uses(self.reducer.parameters, order.values())
        learnt = {p for p in self.module.parameters() if p.requires_grad}
        used = {p for p, n in uses.items() if n}
        if not learnt <= uses.keys():
            names = [name for name, p in self.module.named_parameters() if p in learnt - uses.keys()]
            raise RuntimeError(
                f"DistributedDataParallel: parameters {names} are new, or require a gradient since the model was made "
                "parallel; their gradients would differ between ranks. Make the changed model parallel anew."
            )
        if len(used) < len(uses) and not self.find_unused_parameters:
            names = [name for name, p in self.module.named_parameters() if uses.get(p) == 0]
            raise RuntimeError(
                f"DistributedDataParallel: parameters {names} have no part in the output, or require no gradient any "
                "more; the ranks would wait for their gradients for ever. Let the model use them, or pass "
                "find_unused_parameters=True; if they were frozen since, make the model parallel anew."
            )
        anywhere = self.used_anywhere(used) if self.find_unused_parameters else used
        if not used:  # no gradient will come: send what there is, which the others wait for
            self.reducer.expect(uses, anywhere)
            self.reducer.send_full_buckets()
            return
        reached = self.reducer.announce(uses, anywhere)
        for t in outputs:
            if t.op is not None:
                t.register_hook(reached)

    def used_anywhere(self, used):
        """The parameters that some rank used, or has a gradient of, from `no_sync`."""
        parameters = self.reducer.parameters
        here = np.array([p in used or p.grad_array is not None for p in parameters], dtype=np.int64)
        return {p for p, n in zip(parameters, self.group.all_reduce(here, "max"), strict=True) if n}

    @contextmanager
    def no_sync(self):
        """Inside, gradients stay local and add up; the first backward outside averages the sum."""
        before = self.syncs
        vars(self)["syncs"] = False
        try:
            yield
        finally:
            vars(self)["syncs"] = before


def tensors_in(y):
    """The tensors in nested tuples, lists, dicts and dataclasses."""
    if isinstance(y, Tensor):
        return [y]
    y = vars(y) if dataclasses.is_dataclass(y) else y
    parts = y.values() if isinstance(y, dict) else y if isinstance(y, tuple | list) else ()
    return [t for part in parts for t in tensors_in(part)]


def check_alike(module, group):
    """Raise RuntimeError, on all ranks, if they do not hold the same: names, shapes, dtypes, requires_grad, frozen."""
    state = [(name, described(t)) for name, t in [*module.named_parameters(), *module.named_buffers()]]
    modes = [  # where the SyncBatchNorm of one rank is frozen, the others would wait for it
        (name or type(layer).__name__, "frozen statistics" if layer.frozen else "statistics that move")
        for name, layer in module.named_modules()
        if isinstance(layer, Freezable)
    ]
    for what, own in (("parameters and buffers", state), ("layers with statistics", modes)):
        lists = group.all_gather_object(own)
        for rank, other in enumerate(lists):
            different = [(a, b) for a, b in zip(lists[0], other, strict=False) if a != b]
            if different:
                (name, here), (other_name, there) = different[0]
                found = f"rank 0 has {name} of {here}; rank {rank} has {other_name} of {there}"
            elif len(other) != len(lists[0]):
                found = f"rank 0 has {len(lists[0])} {what}, rank {rank} has {len(other)}"
            else:
                continue
            raise RuntimeError(f"DistributedDataParallel: the ranks hold different models: {found}")


def described(t):
    """Shape, dtype and requires_grad of a tensor as text."""
    return f"shape {tuple(t.shape)}, {t.dtype}" + (", requires_grad" if t.requires_grad else "")


def send_state(tensors, group):
    """Give rank 0's values to all ranks, all tensors of one dtype in one message."""
    by_dtype = {}
    for t in tensors:
        by_dtype.setdefault(t.array.dtype, []).append(t)
    for alike in by_dtype.values():
        flat = group.broadcast(np.concatenate([t.array.reshape(-1) for t in alike]))
        start = 0
        for t in alike:
            stop = start + t.array.size
            t.detach().copy_(t.like(flat[start:stop].reshape(t.array.shape)))
            start = stop
