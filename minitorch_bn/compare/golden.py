"""Golden files: what PyTorch computed, stored, so that a classroom without PyTorch can compare with it all the same.

A golden file is a NumPy archive (.npz, nothing in it is pickled). It holds the batches, the parameters and buffers at
the start, every tensor that `with_torch` would compare, in the order in which PyTorch computed it, how far the one-ulp
twin moved each (tolerance.py), and, as JSON, names, loss, optimiser, versions and date. `with_golden` walks through it
in lockstep, by the same code as `with_torch`.
"""

import datetime
import io
import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from .lockstep import Walk, about, check_structure, check_watch, load_state
from .settings import Batches, is_named, loss_for, optimizer_for
from .side import Call, Entry, Side, as_model
from .tolerance import eps_of
from .twin import Reference

FORMAT = 1
PLACES = (
    Path(__file__).resolve().parents[2] / "data" / "golden",
    Path(sys.prefix) / "share" / "minitorch_bn" / "golden",
)


def make_golden(torch_model, batch, path, steps=1, loss=None, optimizer=None, *, seed=None):
    """Train a model of PyTorch and store what it computed in a golden file.

    Parameters
    ----------
    torch_model, batch, steps, loss, optimizer, seed
        As in `with_torch`; loss and optimizer by name, because the file must say what they were.
    path : str or Path
        Where to write; the file is complete or not there.

    Returns
    -------
    Path

    Raises
    ------
    TypeError
        If loss or optimizer is given as a function or an object.
    ValueError
        As `with_torch`.
    """
    import torch

    name = "make_golden"
    for what, spec in (("loss", loss), ("optimizer", optimizer)):
        if spec is not None and not is_named(spec):
            raise TypeError(
                f"{name}: got {what}={spec!r}; wanted a name such as 'cross_entropy' or 'SGD', or (name, dict of "
                "options): only these can be written into the file"
            )
    batches = Batches(name, batch, steps)
    model = as_model(name, torch_model)
    side = Side(torch, model, loss_for(name, loss, torch, 1), optimizer_for(name, optimizer, torch, model, 1))
    if seed is not None:
        torch.manual_seed(seed)
    file = _Writer()
    state = side.state()
    file.add(0, "start", state)
    reference = Reference(side)
    for step, (inputs, target) in enumerate(batches, 1):
        for i, x in enumerate(inputs):
            file.array(f"batch {step} x{i}", x)
        if target is not None:
            file.array(f"batch {step} y", target)
        file.add(step, "forward", reference.forward(inputs, target))
        file.calls.append([vars(call) for call in reference.calls])
        file.add(step, "backward", reference.backward())
        file.add(step, "update", reference.update())
        file.steps = step
    meta = {
        "format": FORMAT,
        "torch": torch.__version__,
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "dtype": next((str(e.array.dtype) for e in state if eps_of(e.array.dtype)), "none"),
        "loss": loss,
        "optimizer": optimizer,
        "seed": seed,
        "modules": side.modules(),
        "twin": reference.twin is not None,
    }
    return file.write(path, meta)


class _Writer:
    """Collects arrays and their descriptions; an array that is there already is not stored again."""

    def __init__(self):
        self.arrays, self.entries, self.calls, self.batch, self.steps = {}, [], [], {}, 0
        self.known = {}

    def store(self, array):
        """The key under which an array stands in the archive."""
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self.known:
            self.known[key] = f"a{len(self.known)}"
            self.arrays[self.known[key]] = array
        return self.known[key]

    def array(self, name, array):
        """A part of a batch."""
        self.batch[name] = self.store(array)

    def add(self, step, phase, entries):
        """The entries of one phase."""
        for e in entries:
            key = None if e.array is None else self.store(e.array)
            self.entries.append(
                [step, phase, key, e.name, e.kind, e.module, e.of, e.length, e.moved, e.recorded, e.scale]
            )

    def write(self, path, meta):
        """Write the archive beside its place, then move it there."""
        meta |= {"steps": self.steps, "entries": self.entries, "calls": self.calls, "batch": self.batch}
        content, path = io.BytesIO(), Path(path)
        text = np.frombuffer(json.dumps(meta).encode(), np.uint8)
        np.savez_compressed(content, meta=text, **self.arrays)
        with tempfile.NamedTemporaryFile(dir=path.absolute().parent, delete=False) as part:
            part.write(content.getvalue())
        os.replace(part.name, path)
        path.chmod(0o644)
        return path


class Recording:
    """A golden file, read: what a Reference says, without PyTorch.

    Attributes
    ----------
    meta : dict
        Versions, date, dtype, loss, optimizer, number of steps.
    batches : list of (list of input arrays, target array or None)
    """

    def __init__(self, path):
        self.path = find_golden(path)
        content = io.BytesIO(self.path.read_bytes())
        try:
            with np.load(content, allow_pickle=False) as archive:
                self.meta = json.loads(archive["meta"].tobytes())
                arrays = {key: archive[key] for key in archive.files if key != "meta"}
            if self.meta["format"] != FORMAT:
                raise ValueError(f"it has format {self.meta['format']}, wanted {FORMAT}")
            self.phases = self._phases(arrays)
            self.batches = [self._batch(arrays, step) for step in range(1, self.meta["steps"] + 1)]
            self.every_call = [[Call(**call) for call in calls] for calls in self.meta["calls"]]
            self.twin = True if self.meta["twin"] else None
        except Exception as error:  # a damaged archive fails in many ways: zip, zlib, npy, json, a key that is missing
            raise ValueError(
                f"with_golden: {self.path} is damaged, or no golden file ({type(error).__name__}: {error}). Wanted a "
                "file that make_golden wrote: make it again, or fetch it again"
            ) from error
        self.step = 0

    def _phases(self, arrays):
        """{(step, phase): entries}."""
        phases = {}
        for step, phase, key, *rest in self.meta["entries"]:
            name, kind, *more = rest
            entry = Entry(name, kind, None if key is None else arrays[key], *more)
            phases.setdefault((step, phase), []).append(entry)
        return phases

    def _batch(self, arrays, step):
        """One step's batch."""
        keys, inputs = self.meta["batch"], []
        while f"batch {step} x{len(inputs)}" in keys:
            inputs.append(arrays[keys[f"batch {step} x{len(inputs)}"]])
        target = keys.get(f"batch {step} y")
        return inputs, None if target is None else arrays[target]

    def modules(self):
        """As Side.modules; JSON made lists of tuples."""
        plain = {name: info.items() for name, info in self.meta["modules"].items()}
        return {n: {k: tuple(v) if isinstance(v, list) else v for k, v in info} for n, info in plain.items()}

    def state(self):
        """Parameters and buffers at the start."""
        return self.phases[0, "start"]

    @property
    def calls(self):
        """The layers' calls in this step."""
        return self.every_call[self.step - 1]

    def forward(self, inputs, target):
        """What PyTorch's forward gave in the next step."""
        self.step += 1
        return self.phases[self.step, "forward"]

    def backward(self):
        """The gradients of this step."""
        return self.phases[self.step, "backward"]

    def update(self):
        """What the optimiser made of them."""
        return self.phases.get((self.step, "update"), [])

    def final(self):
        """The optimiser's memory, parameters and buffers after this step."""
        names, buffers = set(), [e for e in self.phases[self.step, "forward"] if e.kind == "buffer"]
        after = [*self.update(), *buffers]
        names.update(e.name for e in after)
        return after + [e for e in self.state() if e.name not in names]


def golden_files():
    """The names of the golden files that came with the package: a list of str."""
    return sorted({path.stem for place in PLACES for path in place.glob("*.npz") if is_recording(path)})


def is_recording(path):
    """Whether a file was written by make_golden (other tools keep arrays of their own beside them)."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as archive:
            return "meta" in archive.files and b'"format"' in archive["meta"].tobytes()[:64]
    except Exception:  # as in Recording
        return False


def find_golden(path):
    """The path of a golden file: a path, or the name of one that came with the package.

    Raises
    ------
    FileNotFoundError
        If there is none; the message lists what there is.
    """
    given = Path(path)
    for place in (given, *(place / f"{path}.npz" for place in PLACES)):
        if place.is_file():
            return place
    there = ", ".join(golden_files()) or f"none: looked in {' and '.join(map(str, PLACES))}"
    raise FileNotFoundError(
        f"with_golden: no file {str(path)!r}; wanted the path of a golden file, or the name of one that came with the "
        f"package ({there})"
    )


def with_golden(
    model,
    path,
    *,
    loss=None,
    optimizer=None,
    seed=None,
    copy_state=True,
    stop=True,
    watch="all",
    tolerance=None,
    progress=None,
):
    """Train a model of this package in lockstep with what PyTorch computed for a golden file; PyTorch is not needed.

    Parameters
    ----------
    model : Module, object with parameters(), or pair (function, parameters)
        Equal to the file's in names and shapes of parameters and buffers; see `golden_model`. It is trained.
    path : str or Path
        A file that `make_golden` wrote, or the name of one that came with the package (`golden_files()`).
    loss, optimizer
        Your own: a function (output, target), a function (library, parameters). Left out: those named in the file.
    copy_state : bool
        Load the file's parameters and buffers into `model` first.
    seed, stop, watch, tolerance, progress
        As in `with_torch`; a seed left out is the file's.

    Returns
    -------
    Report

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged or no golden file; if the model differs in names or shapes of parameters and buffers.

    Examples
    --------
    >>> with_golden(golden_model("circles"), "circles").ok
    True
    """
    import minitorch_bn as mt

    name = "with_golden"
    check_watch(name, watch)
    recording = Recording(path)
    meta = recording.meta
    loss, optimizer = meta["loss"] if loss is None else loss, meta["optimizer"] if optimizer is None else optimizer
    seed = meta["seed"] if seed is None else seed
    model = as_model(name, model)
    side = Side(mt, model, loss_for(name, loss, mt, 0), optimizer_for(name, optimizer, mt, model, 0), watch)
    check_structure(name, side.state(), recording.state())
    if copy_state:
        load_state(side, recording.state())
    if seed is not None:
        mt.manual_seed(seed)
    title = (
        f"{name}: minitorch_bn {mt.__version__} and {recording.path.name}, made by torch {meta['torch']} on "
        f"{meta['date']}{about(loss, optimizer)}"
    )
    walk = Walk(title, side, recording, tolerance, stop)
    return walk.run(recording.batches, len(recording.batches), progress)


def golden_model(name, library=None, **layers):
    """The model that a golden file of the package was made with, without its state: `with_golden` loads that.

    Parameters
    ----------
    name : str
        "names", "circles" or "convnet".
    library : module, optional
        Whose layers; this package's if left out.
    layers : classes
        In the place of the library's: ``golden_model("names", BatchNorm1d=MyBatchNorm)``.

    Raises
    ------
    KeyError
        If there is no such model.
    """
    from .golden_models import MODELS

    if name not in MODELS:
        raise KeyError(f"golden_model: got {name!r}; wanted one of {', '.join(MODELS)}")
    if library is None:
        import minitorch_bn as library
    return MODELS[name](library, Layers(library, layers))


class Layers:
    """`library.nn`, with some classes replaced."""

    def __init__(self, library, replaced):
        self.nn, self.replaced = library.nn, replaced

    def __getattr__(self, name):
        return self.replaced.get(name) or getattr(self.nn, name)
