"""The reference of a comparison: PyTorch's side, and beside it a twin whose numbers are moved by one ulp.

The twin does the same steps on the same batches with the same random draws. How far its tensors are from the original's
is what roundings do to them in this network; see tolerance.py, number 2.
"""

import copy

import numpy as np

from .side import Side, Sized
from .tolerance import eps_of, length_of
from .ulps import differences

POOL = 1 << 16


class Noise:
    """Moves numbers by an ulp, up or down at random (a seeded draw of its own, apart from both libraries' streams).

    Parameters
    ----------
    library : module
        `torch`.
    """

    def __init__(self, library, seed=0):
        self.library, self.draw = library, np.random.default_rng(seed)
        self.pools = {}  # factors drawn before, of which a piece is taken at random: drawing is slow

    def factor(self, t, ulps=1.0):
        """A tensor of factors 1 + ulps * eps and 1 - ulps * eps, to multiply `t` with."""
        key, n = (t.dtype, t.device, ulps), t.numel()
        pool = self.pools.get(key)
        if pool is None or len(pool) < 2 * n:
            eps = eps_of(np.dtype(str(t.dtype).rpartition(".")[2]))
            signs = self.draw.integers(0, 2, max(POOL, 4 * n)) * 2.0 - 1.0
            pool = self.pools[key] = self.library.tensor(1.0 + ulps * eps * signs, dtype=t.dtype, device=t.device)
        start = int(self.draw.integers(0, len(pool) - n + 1))
        return pool[start : start + n].view(t.shape)

    def move(self, model):
        """Move every parameter by an ulp, in place."""
        for p in model.parameters():
            if p.is_floating_point():
                p.data.mul_(self.factor(p))

    def hook(self, module, inputs, output):
        """A forward hook: the output moved by sqrt(n) u, n the longest sum behind it; its gradient is moved alike."""
        if not isinstance(output, self.library.Tensor) or not output.is_floating_point():
            return None
        x = next((t for t in inputs if isinstance(t, self.library.Tensor)), output)
        n = length_of(module, Sized(x), Sized(output))
        moved = output * self.factor(output, max(1.0, n**0.5 / 2))  # an ulp is 2 u, and less than that moves nothing
        if moved.requires_grad and moved.ndim > 1:
            moved.register_hook(self.shift)
        return moved

    def shift(self, gradient):
        """A gradient, every channel moved by an ulp of its size, all rows alike, as the error of a mean would."""
        axes = [axis for axis in range(gradient.ndim) if axis != 1]
        size = (gradient * gradient).mean(axes, keepdim=True).sqrt()
        return gradient + size * (self.factor(size) - 1)

    def every_op(self):
        """A context in which the result of every op of PyTorch is moved by an ulp, also between the layers."""
        torch, noise = self.library, self

        class Moved(torch.overrides.TorchFunctionMode):
            def __torch_function__(self, function, types, args=(), kwargs=None):
                y = function(*args, **(kwargs or {}))
                new = isinstance(y, torch.Tensor) and y.is_floating_point() and y.grad_fn is not None
                if not new or y._is_view() or any(y is x for x in args):
                    return y
                return y * noise.factor(y)

        return Moved()


class Reference:
    """PyTorch's side with its twin: the methods of a Side, whose entries know how far the twin `moved`.

    Attributes
    ----------
    twin : Side or None
        None if the model could not be copied: then only the rounding of the steps so far is known.
    """

    def __init__(self, side, twin=True):
        self.side = side
        self.twin = self._copy() if twin else None

    def _copy(self):
        """A twin of the side; None if the model holds what cannot be copied."""
        side = self.side
        try:
            model, optimizer = copy.deepcopy((side.model, side.optimizer))
        except (RuntimeError, TypeError, NotImplementedError):
            return None
        for p in model.parameters():
            p.grad = None
        return Side(side.library, model, side.loss, optimizer, side.watch, Noise(side.library))

    def modules(self):
        """As Side.modules."""
        return self.side.modules()

    def state(self):
        """As Side.state."""
        return self.side.state()

    @property
    def calls(self):
        """The layers' calls in the last forward."""
        return self.side.calls

    def forward(self, inputs, target):
        """As Side.forward."""
        return self._both("forward", inputs, target)

    def backward(self):
        """As Side.backward."""
        return self._both("backward")

    def update(self):
        """As Side.update; settings that changed on the way, such as a learning rate, are the twin's, too."""
        if self.twin is not None and self.side.optimizer is not None:
            groups = zip(self.side.optimizer.param_groups, self.twin.optimizer.param_groups, strict=True)
            for group, other in groups:
                other.update((key, value) for key, value in group.items() if key != "params")
        return self._both("update")

    def final(self):
        """As Side.final."""
        return self._both("final")

    def _both(self, phase, *args):
        """One phase of the original and of the twin, with the same random draws."""
        torch = self.side.library
        if self.twin is None:
            return getattr(self.side, phase)(*args)
        before = torch.get_rng_state()
        entries = getattr(self.side, phase)(*args)
        after = torch.get_rng_state()
        torch.set_rng_state(before)
        moved = {entry.name: entry.array for entry in getattr(self.twin, phase)(*args)}
        torch.set_rng_state(after)
        for entry in entries:
            other = moved.get(entry.name)
            if entry.array is not None and other is not None and other.shape == entry.array.shape:
                d = differences(entry.array, other)
                entry.moved = float(d[np.isfinite(d)].max(initial=0.0))
        return entries
