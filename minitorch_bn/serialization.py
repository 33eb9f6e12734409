"""save and load: tensors, and the plain Python objects around them, in one file. No pickle.

A file of `save` is a safetensors container (see _safetensors.py): the arrays under names like
"model/layers.0.weight", and one JSON text that says how they were nested. `load` reads it, reads any other safetensors
file as a dict of tensors, and reads the files of torch.save (see _torch_file.py).

What comes back is what was saved: types, dtypes, every bit of every number, the order of axes in memory,
`requires_grad`, what is a Parameter (a Buffer is a Tensor afterwards, as in PyTorch). Two names of one object are two
names of one object again, and tensors that were the same numbers in memory (tied weights) are again; but tensors that
shared only a part of their memory come back apart, where PyTorch keeps them together. Gradients and graphs are not
saved: the result of an op comes back as a leaf, as in PyTorch.
"""

import base64
import collections
import json
import os
import pickle

import numpy as np

from . import _safetensors, backend, dtypes
from .creation import make
from .nn.module import Module
from .nn.parameter import Parameter
from .nn.state import StateDict
from .ops.drawing import memory_order
from .tensor import Size, Tensor

KEY = "minitorch_bn"  # under which the JSON text stands among the metadata
SEQUENCES = {"list": list, "tuple": tuple, "set": set, "Size": Size}
MAPPINGS = {"dict": dict, "OrderedDict": collections.OrderedDict, "Counter": collections.Counter}
BYTES = {"bytes": bytes, "bytearray": bytearray}
_NAME_OF = {kind: name for table in (SEQUENCES, MAPPINGS, BYTES) for name, kind in table.items()}
_NAME_OF[StateDict] = "OrderedDict"  # what a state_dict() is in PyTorch


# ---- saving


class Writer:
    """Takes an object apart into a JSON structure and named arrays.

    Attributes
    ----------
    arrays : dict
        {name: NumPy array}, what becomes the data of the container.
    numbers : dict
        {id of an object: its number}; the second time an object is met, only its number is written.
    names : dict
        {place in memory, shape, steps, dtype: name}: which numbers are in `arrays` already.
    """

    def __init__(self):
        self.arrays, self.numbers, self.names = {}, {}, {}

    def structure(self, x, path=()):
        """`x` in words of JSON."""
        if x is None or isinstance(x, bool) or type(x) in (int, float, str):
            return x
        if id(x) in self.numbers:
            return {"again": self.numbers[id(x)]}
        kind = type(x)
        if kind in (tuple, Size):
            items = [self.structure(item, (*path, str(i))) for i, item in enumerate(x)]
            return {_NAME_OF[kind]: items, "number": self.number(x)}
        number = self.number(x)
        if isinstance(x, Tensor):
            return self.tensor(x, path, number)
        if (kind is np.ndarray or isinstance(x, np.generic)) and _safetensors.code_of(x.dtype):
            word = "array" if isinstance(x, np.ndarray) else "scalar"
            return {word: self.name(np.asarray(x), path), "number": number}
        if kind in (list, set):
            items = [self.structure(item, (*path, str(i))) for i, item in enumerate(x)]
            return {_NAME_OF[kind]: items, "number": number}
        if _NAME_OF.get(kind) in MAPPINGS:
            items = [[self.structure(k), self.structure(v, (*path, str(k)))] for k, v in x.items()]
            attributes = {"attributes": self.structure(vars(x))} if getattr(x, "__dict__", None) else {}
            return {_NAME_OF[kind]: items, "number": number, **attributes}
        if kind in (bytes, bytearray):
            return {_NAME_OF[kind]: base64.b64encode(x).decode(), "number": number}
        if kind is complex:
            return {"complex": [x.real, x.imag]}
        if isinstance(x, dtypes.dtype | backend.device):
            return {"dtype" if isinstance(x, dtypes.dtype) else "device": getattr(x, "name", str(x))}
        where = "/".join(path) or "the object itself"
        advice = (
            "save its state_dict()" if isinstance(x, Module) else "save tensors, arrays, numbers, texts, lists, dicts"
        )
        raise pickle.PicklingError(f"save: cannot save a {kind.__module__}.{kind.__qualname__} (at {where}): {advice}")

    def number(self, x):
        """A number for an object. Lists and dicts get theirs before what they contain: they may contain themselves."""
        return self.numbers.setdefault(id(x), len(self.numbers))

    def tensor(self, x, path, number):
        """A tensor: the name of its array, and what else there is to know."""
        entry = {"tensor": self.name(backend.to_numpy(x.array), path), "number": number}
        if not x.array.flags.c_contiguous:
            entry["order"] = memory_order(x.array)
        if isinstance(x, Parameter):
            entry["parameter"] = True
        if str(x.device) != "cpu":
            entry["device"] = str(x.device)
        return entry | {"requires_grad": x.requires_grad}

    def name(self, array, path):
        """The name under which an array is kept; numbers that are there already keep their first name."""
        place = (array.__array_interface__["data"][0], array.shape, array.strides, array.dtype.str)
        if array.size == 0 or place not in self.names:
            name = "/".join(path) or "value"
            while name in self.arrays or name == _safetensors.METADATA:
                name += "'"
            self.arrays[name] = array
            self.names[place] = name
        return self.names[place]


def save(obj, f):
    """Write `obj` to a file.

    Parameters
    ----------
    obj : object
        Tensors, Parameters, NumPy's arrays and numbers, None, bools, ints, floats, complex numbers, texts, bytes,
        dtypes, devices and Sizes, in lists, tuples, sets, dicts, OrderedDicts and Counters.
    f : path, or file object open for writing bytes
        A file of that name is replaced only when the new one is complete.

    Raises
    ------
    pickle.PicklingError
        If there is anything else in `obj`: a Module, for example. Nothing has been written then.
    RuntimeError
        If the folder of the file does not exist, or there is a folder of that name.
    AttributeError
        If `f` is neither a path nor a file object.

    >>> import io
    >>> f = io.BytesIO()
    >>> save({"epoch": 3, "loss": [0.5, 0.25]}, f)
    >>> load(io.BytesIO(f.getvalue()))
    {'epoch': 3, 'loss': [0.5, 0.25]}
    """
    writer = Writer()
    try:
        metadata = {KEY: json.dumps({"version": 1, "object": writer.structure(obj)}), "format": "pt"}
    except RecursionError:
        raise pickle.PicklingError("save: lists, tuples or dicts are nested too deeply") from None
    if hasattr(f, "write"):
        _safetensors.write(writer.arrays, metadata, f)
        return
    if not isinstance(f, str | os.PathLike):
        raise AttributeError(f"save: expected 'f' to be a path or a file object with 'write', got {type(f).__name__}")
    folder, name = os.path.split(os.path.abspath(f))
    if not os.path.isdir(folder):
        raise RuntimeError(f"save: Parent directory {folder} does not exist.")
    if os.path.isdir(f):
        raise RuntimeError(f"save: {f} is a directory; give the name of a file")
    part = os.path.join(folder, f".{name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            _safetensors.write(writer.arrays, metadata, file)
        os.replace(part, f)
    finally:
        if os.path.exists(part):
            os.remove(part)


# ---- loading


def load(f, map_location=None, *, weights_only=True, mmap=None):
    """Read what `save`, torch.save or a safetensors library wrote.

    Parameters
    ----------
    f : path, or file object open for reading bytes
    map_location : str, device, dict or callable, optional
        Where tensors go: a device for all; a dict {where it was: where it goes}; or a function of (numbers, where they
        were) that gives the numbers on their new device, or None. Default: where they were.
    weights_only, mmap
        Taken for PyTorch's sake. Nothing but plain data is ever read, and all of it at once.

    Returns
    -------
    object
        bfloat16, which NumPy does not have, comes as float32. A safetensors file of others is a dict of tensors.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is no such file.
    EOFError
        If the file is empty.
    pickle.UnpicklingError
        If it is no such file, or a file of torch.save with other things in it than plain data.
    RuntimeError
        If it is cut off or damaged, or a tensor lay on a GPU and there is none: pass ``map_location="cpu"``.
    AttributeError
        If `f` is neither a path nor a file object.
    TypeError
        If `map_location` is none of the above.
    """
    if not (map_location is None or isinstance(map_location, str | backend.device | dict) or callable(map_location)):
        raise TypeError(f"load: map_location must be a device, a dict or callable, got {type(map_location).__name__}")
    if hasattr(f, "read"):
        data = f.read()
    elif isinstance(f, str | os.PathLike):
        with open(f, "rb") as file:
            data = file.read()
    else:
        raise AttributeError(f"load: {type(f).__name__!r} object is no path and has no attribute 'read'")
    if not data:
        raise EOFError("load: the file is empty, or the file object stands at its end: f.seek(0)")

    def place(array, location):
        return _placed(array, location, map_location)

    if data[:4] == b"PK\3\4":
        from . import _torch_file  # here, since few need it and it imports much

        return _torch_file.read(data, place)
    if data[8:9] != b"{":
        raise pickle.UnpicklingError(
            "load: this is no file of save, of safetensors, or of torch.save since version 1.6 (a zip archive); other "
            "pickles are not read, since they can run any program"
        )
    arrays, metadata = _safetensors.read(data)
    if KEY not in metadata:
        return {name: make(place(array, "cpu")) for name, array in arrays.items()}
    try:
        return Reader(arrays, place).object(json.loads(metadata[KEY])["object"])
    except (LookupError, ValueError, TypeError) as error:
        raise RuntimeError(f"load: the structure of the file is damaged ({type(error).__name__}: {error})") from error


class Reader:
    """Builds objects from a JSON structure and named arrays: what `Writer` took apart.

    Attributes
    ----------
    arrays : dict
        {name: NumPy array}
    objects : dict
        {number: object}, for names of one object.
    tensors : dict
        {name, order in memory, device: array}: tensors that are the same numbers share them.
    """

    def __init__(self, arrays, place):
        self.arrays, self.place = arrays, place
        self.objects, self.placed = {}, {}

    def object(self, x):
        """What the structure `x` says."""
        if not isinstance(x, dict):
            return x
        word, content = next(iter(x.items()))
        if word == "again":
            return self.objects[content]
        if word in ("list", "set") or word in MAPPINGS:  # first the container: it may contain itself
            made = self.objects[x["number"]] = (SEQUENCES | MAPPINGS)[word]()
            if word in MAPPINGS:
                for key, value in content:
                    made[self.object(key)] = self.object(value)
            else:
                (made.extend if word == "list" else made.update)(map(self.object, content))
            if "attributes" in x:
                vars(made).update(self.object(x["attributes"]))
            return made
        made = self.single(word, content, x)
        if "number" in x:
            self.objects[x["number"]] = made
        return made

    def single(self, word, content, x):
        """Whatever cannot contain itself."""
        if word in SEQUENCES:
            return SEQUENCES[word](map(self.object, content))
        if word in BYTES:
            return BYTES[word](base64.b64decode(content))
        if word == "complex":
            return complex(*content)
        if word == "dtype":
            return next(d for d in dtypes.ALL if d.name == content)
        if word == "device":
            return backend.device(content)
        if word in ("array", "scalar"):
            return self.arrays[content].copy() if word == "array" else self.arrays[content][()]
        if word == "tensor":
            return self.tensor(content, x)
        raise ValueError(f"unknown word {word!r}")

    def tensor(self, name, x):
        """A tensor, with its axes in the same order in memory as before."""
        key = name, tuple(x.get("order", ())), x.get("device", "cpu")
        if key not in self.placed:
            array = self.arrays[name]
            if "order" in x:
                order = tuple(x["order"])
                array = np.ascontiguousarray(array.transpose(order)).transpose(np.argsort(order))
            self.placed[key] = self.place(array, key[2])
        if x.get("parameter"):
            return Parameter(make(self.placed[key]), x["requires_grad"])
        return make(self.placed[key], requires_grad=x["requires_grad"])


def _placed(array, location, map_location):
    """`array` on the device that `map_location` says; `location` is where it was."""
    if map_location is None:
        where = location
    elif isinstance(map_location, str | backend.device):
        where = map_location
    elif isinstance(map_location, dict):
        where = map_location.get(location, location)
    else:
        moved = map_location(make(array), location)
        if moved is not None:
            return moved.array
        where = location
    where = backend.device(where)
    if where.type == "cuda" and not backend.is_available():
        raise RuntimeError(
            f"load: a tensor is to go to {where}, but there is no GPU here; pass map_location='cpu' to load on the CPU"
        )
    return backend.to_device(array, where)
