"""Averaging gradients over ranks while backward still runs: gradients are sent in buckets as soon as they are final.

A parameter's gradient is final when as many terms have arrived as the graph has uses of it. The engine hands every term
to `receive`; a parameter that is reduced counts them there, from the moment on at which backward reaches the model's
output. Buckets hold parameters in reverse order of definition, which is about the order in which backward meets them,
and are sent in that order on all ranks.
"""

import numpy as np

from ...engine import Variable
from ..parameter import Parameter


class ReducedParameter(Parameter):
    """A parameter whose gradient is averaged over ranks. Parameters become this when their model is made parallel."""

    reducer = None

    def receive(self, dx, source=None):
        super().receive(dx, source)
        if self.reducer is not None:
            self.reducer.received(self)

    def __deepcopy__(self, memo):
        new = super().__deepcopy__(memo)
        new.reducer = None
        return new

    def __reduce_ex__(self, protocol):
        new, arguments, attributes = super().__reduce_ex__(protocol)
        return new, arguments, attributes | {"reducer": None}


class Bucket:
    """Parameters whose gradients travel together.

    Attributes
    ----------
    parameters : list of ReducedParameter
    missing : int
        How many of them are not final yet.
    pending : object with wait() or None
        The exchange under way.
    """

    def __init__(self, parameters):
        self.parameters, self.missing, self.pending = parameters, 0, None

    def start(self, group):
        """Send the gradients of all, one behind the other; zeros where a parameter has none."""
        grads = [p.grad_array for p in self.parameters]
        flat = [(np.zeros_like(p.array) if g is None else g).reshape(-1) for p, g in zip(self.parameters, grads)]
        self.pending = group.start_all_reduce(np.concatenate(flat), "avg")

    def finish(self, used_somewhere):
        """Wait; every parameter that some rank used gets the mean over ranks."""
        mean = self.pending.wait()
        self.pending, start = None, 0
        for p in self.parameters:
            stop = start + p.array.size
            if p in used_somewhere:
                p.grad_array = mean[start:stop].reshape(p.array.shape).copy()
            start = stop


class Reducer:
    """Counts the gradients that arrive, sends full buckets in order, and finishes all with the last.

    Parameters
    ----------
    parameters : list of ReducedParameter
        Those that require gradients, in order of definition.
    group : the ranks; see world.py.
    bucket_bytes : int
        A bucket is closed when it holds this much.
    """

    def __init__(self, parameters, group, bucket_bytes):
        self.group, self.parameters = group, parameters
        self.buckets, self.bucket_of = [], {}
        self.awaited, self.next, self.used_somewhere = {}, 0, set(parameters)
        held, size, dtype = [], 0, None
        for p in reversed(parameters):
            if held and (size + p.array.nbytes > bucket_bytes or p.array.dtype != dtype):
                self.close(held)
                held, size = [], 0
            held.append(p)
            size, dtype = size + p.array.nbytes, p.array.dtype
        if held:
            self.close(held)

    def close(self, held):
        """Make a bucket of these parameters."""
        bucket = Bucket(held)
        self.buckets.append(bucket)
        self.bucket_of.update(dict.fromkeys(held, bucket))

    def announce(self, uses, used_somewhere):
        """A hook for the outputs of a forward; the first that backward reaches calls `expect` with these arguments."""
        announced = [(uses, used_somewhere)]

        def reached(gradient):
            if announced and not self.awaited:
                self.expect(*announced.pop())

        return reached

    def expect(self, uses, used_somewhere):
        """Begin to count: `uses` is {parameter: how many terms its gradient has}, 0 for unused ones."""
        self.awaited, self.next, self.used_somewhere = dict(uses), 0, used_somewhere
        for bucket in self.buckets:
            bucket.missing, bucket.pending = sum(uses[p] > 0 for p in bucket.parameters), None

    def check_finished(self):
        """Raise RuntimeError if a backward ended before all gradients that it was to average had arrived."""
        if not self.awaited:
            return
        if self.group.size == 1:
            self.awaited = {}  # nothing is under way: one may go on
        raise RuntimeError(
            "DistributedDataParallel: Expected to have finished reduction in the prior iteration before starting a new "
            "one: not all parameters of the output got their gradient. Make the loss of the whole output, and let "
            "backward run to its end."
        )

    def received(self, p):
        """One more term of p's gradient has arrived."""
        if p not in self.awaited:
            return
        left = self.awaited[p] = self.awaited[p] - 1
        if left < 0:
            raise RuntimeError(
                "DistributedDataParallel: a parameter received a gradient after it had been sent to the other ranks. "
                "Return from the model's forward all that the loss is made of."
            )
        if left == 0:
            self.bucket_of[p].missing -= 1
            self.send_full_buckets()

    def send_full_buckets(self):
        """Send all full buckets that are next in order; after the last, wait for all and hand out the means."""
        while self.next < len(self.buckets) and self.buckets[self.next].missing == 0:
            self.buckets[self.next].start(self.group)
            self.next += 1
        if self.next == len(self.buckets):
            for bucket in self.buckets:
                bucket.finish(self.used_somewhere)
            self.awaited = {}


def count_uses(parameters, order):
    """{parameter: how often ops of `order` (tensors with ops) have it as an input that wants a gradient}."""
    uses = dict.fromkeys(parameters, 0)
    for t in order:
        for x, needed in zip(t.op.inputs, t.op.needs, strict=True):
            if needed and isinstance(x, Variable) and x in uses:
                uses[x] += 1
    return uses
