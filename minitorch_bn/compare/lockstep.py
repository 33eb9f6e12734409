"""Two models in lockstep: the same batch, the same step, tensor by tensor, to the first that differs.

    start     parameters and buffers
    forward   what goes into every layer and what comes out, the loss, the running statistics
    backward  the gradient of each of these tensors and of every parameter, in the order of backward
    update    the optimiser's memory and the parameters after the step

Both sides do one phase, then what they saw is compared in the order in which PyTorch computed it. So the first tensor
that differs was computed from tensors that agree, and what lies between is where to look.
"""

import contextlib
import itertools

from tqdm import tqdm

from .guess import Scene, guesses_for
from .report import Report, Row
from .settings import Batches, loss_for, optimizer_for, words
from .side import Side, as_model
from .tolerance import NOISY, Tolerance, largest
from .twin import Reference
from .ulps import differences

PHASES = ("forward", "backward", "update")


def with_torch(
    model,
    torch_model,
    batch,
    steps=1,
    loss=None,
    optimizer=None,
    *,
    seed=None,
    copy_state=False,
    stop=True,
    watch="all",
    tolerance=None,
    twin=True,
    progress=None,
):
    """Train a model of this package and one of PyTorch in lockstep, to the first tensor that differs.

    Both models are trained in the process, as by any training loop.

    Parameters
    ----------
    model, torch_model : Module, object with parameters(), or pair (function, parameters)
        Equal in the names and shapes of their parameters and buffers. Of a pair, the function is called as
        function(parameters, x) with the dict or list of leaf tensors; it may give a dict of tensors to have all of
        them compared, of which the last is the output.
    batch : tensor, array, tuple, iterable, or callable
        x, (x, y) or ((x1, x2), y), of either library or NumPy, for all steps; a list or data loader with a batch per
        step; or batch(step) -> batch, where step counts from 0. Numbers with a point are given to the models in the
        dtype of their parameters.
    steps : int or None
        None: as many as the iterable has.
    loss : None, str, (str, dict), callable, or pair of callables
        A name in nn.functional, such as "cross_entropy", with options if need be; a function (output, target) of
        methods that both libraries have; this package's function and PyTorch's. None: the output's sum with random
        weights, so that backward starts from a random gradient.
    optimizer : None, str, (str, dict), callable, or pair of optimisers
        ("SGD", {"lr": 0.1}); ``lambda lib, params: lib.optim.SGD(params, lr=0.1)``; this package's optimiser and
        PyTorch's, made from these models. None: the parameters stay.
    seed : int, optional
        Given to both libraries' manual_seed before the first step: for models with dropout.
    copy_state : bool
        Load PyTorch's parameters and buffers into `model` first.
    stop : bool
        Stop at the first divergence. Otherwise all steps are done, and the worst of every tensor is reported.
    watch : str
        "all", or "loss": the losses, and all state at the end. For thousands of steps.
    tolerance : number or dict {kind: number}, optional
        Absolute differences that are allowed, in place of the derived ones (see compare/tolerance.py).
    twin : bool
        Measure what a change of one ulp does, on a perturbed copy of `torch_model`.
    progress : bool, optional
        A progress bar; left out, one is shown where there is a terminal and it takes long.

    Returns
    -------
    Report
        True if nothing diverged; `first`, `guesses`, `rows`, `losses`.

    Raises
    ------
    ValueError
        If the models differ in names or shapes of parameters and buffers, the batches end early, or `steps` or `watch`
        cannot be.
    TypeError
        If a model, the loss, the optimiser or a batch is nothing that can be used.

    Examples
    --------
    >>> import pytest, minitorch_bn as mt
    >>> torch = pytest.importorskip("torch")
    >>> report = with_torch(mt.nn.BatchNorm1d(3), torch.nn.BatchNorm1d(3), mt.randn(8, 3))
    >>> report.ok, [row.name for row in report.rows if row.kind == "gradient"]
    (True, ['gradient of model output', 'gradient of weight', 'gradient of bias', 'gradient of input'])
    """
    import torch

    import minitorch_bn as mt

    name = "with_torch"
    check_watch(name, watch)
    batches = Batches(name, batch, steps)
    libraries, models = (mt, torch), (as_model(name, model), as_model(name, torch_model))
    optimizers = [
        optimizer_for(name, optimizer, *pair, i) for i, pair in enumerate(zip(libraries, models, strict=True))
    ]
    ours, side = (
        Side(library, m, loss_for(name, loss, library, i), optimizers[i], watch)
        for i, (library, m) in enumerate(zip(libraries, models, strict=True))
    )
    check_structure(name, ours.state(), side.state())
    if copy_state:
        load_state(ours, side.state())
    if seed is not None:
        mt.manual_seed(seed)
        torch.manual_seed(seed)
    title = f"{name}: minitorch_bn {mt.__version__} and torch {torch.__version__}{about(loss, optimizer)}"
    walk = Walk(title, ours, Reference(side, twin), tolerance, stop)
    return walk.run(batches, batches.steps, progress)


def about(loss, optimizer):
    """Loss and optimiser in words, for the title of a report."""
    text = ", random upstream gradient" if loss is None else f", {words(loss)}"
    return text + ("" if optimizer is None else f", {words(optimizer)}")


def check_watch(function, watch):
    """Raise ValueError for what cannot be watched."""
    if watch not in ("all", "loss"):
        raise ValueError(f"{function}: got watch={watch!r}; wanted 'all', or 'loss' for the losses and the final state")


def check_structure(function, ours, theirs):
    """Raise ValueError, naming what differs, unless parameters and buffers have the same names and shapes."""
    own, other = ({e.name: e.array.shape for e in entries} for entries in (ours, theirs))
    wrong = [f"{name} {shape} only in ours" for name, shape in own.items() if name not in other]
    wrong += [f"{name} {shape} only in PyTorch's" for name, shape in other.items() if name not in own]
    wrong += [
        f"{name} {shape} in ours, {other[name]} in PyTorch's"
        for name, shape in own.items()
        if name in other and shape != other[name]
    ]
    if wrong:
        raise ValueError(
            f"{function}: the models differ in structure: {'; '.join(wrong)}. Wanted the same names and shapes of "
            "parameters and buffers: give both models' layers the same names, in the same order"
        )


def load_state(side, entries):
    """Copy the values of `entries` into the parameters and buffers of the same names."""
    values = {entry.name: entry.array for entry in entries}
    for name, t in (*side.model.named_parameters(), *side.model.named_buffers()):
        t.data.copy_(side.library.tensor(values[name]))


class Walk:
    """The walk of two sides through the same steps.

    Parameters
    ----------
    title : str
    ours : Side
    theirs : Reference or Recording
        What has modules, state, forward, backward, update, final and calls, as a Side has.
    tolerance : as in with_torch
    stop : bool
    """

    def __init__(self, title, ours, theirs, tolerance=None, stop=True):
        self.ours, self.theirs, self.stop = ours, theirs, stop
        self.watch = ours.watch
        self.tolerance = Tolerance(tolerance, theirs.twin is not None)
        self.report = Report(title, twin=theirs.twin is not None)
        self.rows, self.apart = {}, {}
        self.infos = ours.modules(), theirs.modules()
        self.before = ({}, {})  # everything as it was when the step began: of ours, of PyTorch's
        self.now = ({}, {})  # everything seen in this step
        self.batch_size = 1

    def run(self, batches, total, progress):
        """Walk; give the report."""
        report = self.report
        report.notes += settings_that_differ(*self.infos)
        self.check("start", self.ours.state(), self.theirs.state())
        self.remember()
        hidden = None if progress is None else not progress  # None: where there is no terminal
        bar = tqdm(total=total, unit="step", delay=0 if progress else 1, disable=hidden)
        with contextlib.closing(bar):
            for inputs, target in batches if report.ok or not self.stop else ():
                self.step(inputs, target)
                bar.update()
                if not report.ok and self.stop:
                    break
            else:
                if self.watch == "loss":
                    self.check("end", self.ours.final(), self.theirs.final())
        report.rows = list(self.rows.values())
        ruled = [r.name for r in report.rows if r.moved > NOISY * largest(r.theirs) and r.kind != "loss"]
        if ruled:
            shown = ", ".join(ruled[:6]) + (f" and {len(ruled) - 6} more" if len(ruled) > 6 else "")
            report.notes.append(
                f"one ulp moves these by more than {NOISY:.0%}, so a mistake could hide in them: {shown}"
            )
        if not report.twin:
            report.notes.append(
                "there is no perturbed twin, so growth of rounding errors over steps is not allowed for"
            )
        report.notes += [
            f"only {where}, so not compared: {', '.join(names)}" for where, names in self.apart.items() if names
        ]
        return report

    def step(self, inputs, target):
        """One step of both, phase by phase."""
        self.report.steps += 1
        self.now = ({}, {})
        self.batch_size = len(inputs[0]) if inputs[0].ndim else 1
        for phase in PHASES:
            args = (inputs, target) if phase == "forward" else ()
            ours, theirs = (getattr(side, phase)(*args) for side in (self.ours, self.theirs))
            if phase == "forward":
                for losses, entries in zip(self.report.losses, (ours, theirs), strict=True):
                    losses += [float(e.array) for e in entries if e.kind == "loss" and e.array.ndim == 0]
            self.check(phase, ours, theirs)
            if not self.report.ok and self.stop:
                return
        self.remember()

    def check(self, phase, ours, theirs):
        """Compare what was seen in a phase, in PyTorch's order."""
        own = {entry.name: entry for entry in ours}
        for now, entries in zip(self.now, (ours, theirs), strict=True):
            now.update((entry.name, entry.array) for entry in entries)
        for entry in theirs:
            mine = own.pop(entry.name, None)
            if mine is None:
                self.note_apart("in PyTorch's", entry)
            elif mine.array is not None or entry.array is not None:
                self.compare(phase, mine.array, mine.recorded, entry)
            if not self.report.ok and self.stop:
                return
        for entry in own.values():
            self.note_apart("in ours", entry)

    def note_apart(self, where, entry):
        """A tensor that one side has and the other has not; their gradients go without saying."""
        names = self.apart.setdefault(where, [])
        if entry.kind != "gradient" and entry.name not in names:
            names.append(entry.name)

    def compare(self, phase, array, recorded, entry):
        """Compare one tensor; keep the worst of each name, and the first divergence with what it may come from."""
        problem = why_incomparable(array, recorded, entry)
        allowed = 0.0 if entry.array is None else self.tolerance.allowed(entry)
        d = None if problem or not array.size else float(differences(array, entry.array).max())
        moved = self.tolerance.moved.get(entry.name, 0.0)
        step = 0 if phase == "start" else self.report.steps
        row = Row(entry.name, entry.kind, phase, step, array, entry.array, d or 0.0, allowed, moved, problem)
        old = self.rows.get(entry.name)
        if old is not None:
            row.count = old.count + 1
            if old.share >= row.share:
                old.count, row = row.count, old
        self.rows[entry.name] = row
        if not row.ok and self.report.first is None:
            self.report.first = row
            self.report.guesses = guesses_for(self.scene(row, entry))

    def scene(self, row, entry):
        """What the guesses may look at."""
        return Scene(
            row=row, entry=entry, here=self.now[0], there=self.now[1], before_here=self.before[0],
            before_there=self.before[1], calls=self.theirs.calls, info_here=self.infos[0], info_there=self.infos[1],
            batch=self.batch_size, model=self.ours.model, library=self.ours.library, optimizer=self.ours.optimizer,
        )  # fmt: skip

    def remember(self):
        """Keep what is known now, at the beginning of the next step; the arrays are copies already."""
        for before, now in zip(self.before, self.now, strict=True):
            before.update(now)


def settings_that_differ(ours, theirs):
    """Sentences about modules of the same name whose settings differ."""
    notes = []
    for name, key in itertools.chain.from_iterable(((n, k) for k in theirs[n]) for n in theirs if n in ours):
        a, b = ours[name].get(key, theirs[name][key]), theirs[name][key]
        comparable = type(a) is type(b) or {type(a), type(b)} <= {int, float}
        if key != "type" and comparable and a != b:
            notes.append(f"{name or 'model'}.{key} is {a!r} in ours, {b!r} in PyTorch's")
    return notes


def why_incomparable(array, recorded, entry):
    """What is wrong with a tensor beside its values; "" if nothing is."""
    if array is None:
        return "ours has no gradient, PyTorch's has"
    if entry.array is None:
        return "ours has a gradient, PyTorch's has none"
    if array.shape != entry.array.shape:
        return f"ours has shape {array.shape}, PyTorch's {entry.array.shape}"
    if array.dtype != entry.array.dtype and entry.kind != "optimizer state":
        return f"ours is {array.dtype}, PyTorch's {entry.array.dtype}"
    if recorded != entry.recorded:
        return f"requires_grad is {recorded} here, {entry.recorded} in PyTorch's"
    return ""
