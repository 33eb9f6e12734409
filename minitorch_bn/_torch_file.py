"""Reads the files of torch.save, without torch and without trusting them.

Such a file is a zip archive: ``data.pkl`` says what is stored, ``data/0``, ``data/1``, ... hold the numbers. A pickle
is a program: its words build objects on a stack, and some words call functions. Python's own unpickler would call any
function that a file names, and so run whatever its author wants. The machine below knows only the words that torch.save
writes, and only the functions in `FUNCTIONS`.

Source: Python's pickletools (the words); PyTorch's torch/serialization.py and torch/_utils.py (what is called).
"""

import collections
import io
import pickle
import pickletools
import zipfile
import zlib

import numpy as np

from . import backend, dtypes
from ._safetensors import from_bfloat16
from .creation import make
from .nn.parameter import Parameter
from .tensor import Size

# what reading a damaged file may end in
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError)
STORAGES = {f"{dtypes.type_name(d)[6:-6]}Storage": d.numpy for d in dtypes.ALL} | {"BFloat16Storage": None}


class Function:
    """A function that a file may name; on the stack it stands for itself, and only `REDUCE` can call it."""

    def __init__(self, call):
        self.call = call


def read(data, place):
    """What torch.save stored in the bytes `data`.

    Parameters
    ----------
    data : bytes
    place : function of (array, location)
        Gives the array on the device where it shall lie; `location` is where it lay, "cpu" or "cuda:0".

    Raises
    ------
    RuntimeError
        If the archive is damaged, or a tensor lies outside of its numbers.
    pickle.UnpicklingError
        If it holds anything but tensors and plain Python objects.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        names = [name for name in archive.namelist() if name.endswith("/data.pkl") and name.count("/") == 1]
        if len(names) != 1:
            raise RuntimeError("load: this zip archive is no file of torch.save: there is no data.pkl in its folder")
        folder = names[0].removesuffix("data.pkl")
        if f"{folder}byteorder" in archive.namelist() and archive.read(f"{folder}byteorder") != b"little":
            raise RuntimeError("load: the file was written on a big-endian machine, which is not supported")
        return Machine(archive, folder, place).run(archive.read(names[0]))
    except DAMAGE as error:
        raise RuntimeError(f"load: the file is cut off or damaged ({type(error).__name__}: {error})") from error


class Machine:
    """Runs the program in a pickle.

    Attributes
    ----------
    stack : list
        What the words have built; `marks` are the heights at which a MARK was put.
    memo : dict
        What was put aside under a number, to be used again: how two names of one object are stored.
    storages : dict
        The numbers that have been read, by key: tensors that shared memory share it again.
    """

    def __init__(self, archive, folder, place):
        self.archive, self.folder, self.place = archive, folder, place
        self.stack, self.marks, self.memo, self.storages = [], [], {}, {}

    def run(self, program):
        """Do one word after the other; returns what is on the stack at the end."""
        for word, argument, _ in pickletools.genops(program):
            if word.name == "STOP":
                return self.stack.pop()
            do = getattr(self, f"do_{word.name.lower()}", None)
            if word.name in PLAIN:
                self.stack.append(argument)
            elif do is None:
                raise pickle.UnpicklingError(f"load: refused: the pickle word {word.name}; only plain data is read")
            else:
                do(argument)
        raise EOFError("the pickle does not end")

    def above_mark(self):
        """Take everything above the last mark off the stack."""
        height = self.marks.pop()
        taken, self.stack[height:] = self.stack[height:], []
        return taken

    # words: each takes its arguments off the stack and puts its result there

    def do_proto(self, version):
        """The first word: which version of pickle this is."""

    def do_mark(self, _):
        self.marks.append(len(self.stack))

    def do_none(self, _):
        self.stack.append(None)

    def do_newtrue(self, _):
        self.stack.append(True)

    def do_newfalse(self, _):
        self.stack.append(False)

    def do_empty_dict(self, _):
        self.stack.append({})

    def do_empty_list(self, _):
        self.stack.append([])

    def do_empty_tuple(self, _):
        self.stack.append(())

    def do_tuple(self, _):
        self.stack.append(tuple(self.above_mark()))

    def do_tuple1(self, _):
        self.stack[-1:] = [tuple(self.stack[-1:])]

    def do_tuple2(self, _):
        self.stack[-2:] = [tuple(self.stack[-2:])]

    def do_tuple3(self, _):
        self.stack[-3:] = [tuple(self.stack[-3:])]

    def do_append(self, _):
        item = self.stack.pop()
        _wanted(list, self.stack[-1]).append(item)

    def do_appends(self, _):
        items = self.above_mark()
        _wanted(list, self.stack[-1]).extend(items)

    def do_setitem(self, _):
        value, key = self.stack.pop(), self.stack.pop()
        _wanted(dict, self.stack[-1])[key] = value

    def do_setitems(self, _):
        items = self.above_mark()
        _wanted(dict, self.stack[-1]).update(zip(items[::2], items[1::2], strict=True))

    def do_binput(self, number):
        self.memo[number] = self.stack[-1]

    def do_binget(self, number):
        self.stack.append(self.memo[number])

    do_long_binput, do_long_binget = do_binput, do_binget

    def do_global(self, name):
        """A function or type by name: "torch._utils _rebuild_tensor_v2"."""
        module, _, name = name.partition(" ")
        if module == "torch" and name in STORAGES:
            self.stack.append(name)
        elif module == "torch" and isinstance(getattr(dtypes, name, None), dtypes.dtype):
            self.stack.append(getattr(dtypes, name))
        elif (module, name) in FUNCTIONS:
            self.stack.append(FUNCTIONS[module, name])
        else:
            raise pickle.UnpicklingError(
                f"load: refused: {module}.{name}. Only tensors, numbers, texts, lists, tuples, dicts, sets are read; "
                "a whole module is not: save its state_dict()"
            )

    def do_reduce(self, _):
        arguments, function = self.stack.pop(), self.stack.pop()
        self.stack.append(_wanted(Function, function).call(*arguments))

    def do_build(self, _):
        """Give an OrderedDict attributes: the versions of a state_dict."""
        attributes = self.stack.pop()
        vars(_wanted(collections.OrderedDict, self.stack[-1])).update(_wanted(dict, attributes))

    def do_binpersid(self, _):
        """The numbers of a tensor: ("storage", type, key, location, count)."""
        _, kind, key, location, count = self.stack.pop()
        if key not in self.storages:
            dtype = STORAGES[kind]
            numbers = np.frombuffer(self.archive.read(f"{self.folder}data/{key}"), "<u2" if dtype is None else dtype)
            if len(numbers) != count:
                raise ValueError(f"storage {key} holds {len(numbers)} numbers, not {count}")
            numbers = from_bfloat16(numbers) if dtype is None else numbers.copy()
            self.storages[key] = self.place(numbers, location)
        self.stack.append(self.storages[key])


PLAIN = {"BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"}


def _wanted(kind, x):
    """`x` if it is a `kind`; else the file is refused."""
    if not isinstance(x, kind):
        raise pickle.UnpicklingError(f"load: refused: got {type(x).__name__} where {kind.__name__} belongs")
    return x


def _tensor(storage, offset, size, stride, requires_grad, hooks, metadata=None):
    """A tensor that sees `storage` from `offset`, with the given steps. NumPy refuses what lies outside of it."""
    size, stride = tuple(size), tuple(stride)
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if min((offset, *size, *stride)) < 0 or (0 not in size and last >= storage.size):
        raise ValueError(f"a tensor of shape {size} reaches outside of its {storage.size} numbers")
    if 0 in size:
        return make(storage[:0].reshape(size), requires_grad=requires_grad)
    steps = tuple(step * storage.itemsize for step in stride)
    view = backend.namespace(storage).lib.stride_tricks.as_strided(storage[offset:], size, steps)
    return make(view, requires_grad=requires_grad)


def _parameter(data, requires_grad, hooks):
    return Parameter(data, requires_grad)


def _plain_tensor(function, kind, arguments, attributes):
    """A Buffer comes back as a Tensor, as in PyTorch."""
    return _wanted(Function, function).call(*arguments)


def _bytearray(content=b"", encoding=None):
    """A bytearray of bytes, or of a text in an encoding."""
    return bytearray(content.encode(encoding) if isinstance(content, str) else _wanted(bytes, content))


FUNCTIONS = {
    ("torch._utils", "_rebuild_tensor_v2"): Function(_tensor),
    ("torch._utils", "_rebuild_parameter"): Function(_parameter),
    ("torch._tensor", "_rebuild_from_type_v2"): Function(_plain_tensor),
    ("torch", "Tensor"): Function(None),
    ("torch", "Size"): Function(Size),
    ("torch", "device"): Function(backend.device),
    ("collections", "OrderedDict"): Function(collections.OrderedDict),
    ("collections", "Counter"): Function(collections.Counter),
    ("__builtin__", "set"): Function(set),
    ("__builtin__", "bytes"): Function(lambda: b""),
    ("__builtin__", "bytearray"): Function(_bytearray),
    ("__builtin__", "complex"): Function(complex),
    ("_codecs", "encode"): Function(lambda text, encoding: text.encode("latin1")),
}
