"""Rows about save and load: what was saved comes back. Each library writes and reads its own files here.

That files of torch.save are read, that damaged ones are not, and what our files look like: tests/test_serialization.py.
"""

import collections
import io
import pickle

from .calls import KNOWN, calls, refused
from .table import rows


def again(L, obj, **options):
    """`obj` after a round trip through a file in memory."""
    f = io.BytesIO()
    L.save(obj, f)
    f.seek(0)
    return L.load(f, **options)


def described(t):
    """A tensor and what else is to survive."""
    return t.detach(), type(t).__name__, t.requires_grad, t.is_leaf, t.grad, t.stride() if t.numel() else None


nameless = lambda: 1
KNOWN |= {
    "nameless": nameless,
    "again": again,
    "described": described,
    "collections": collections,
    "io": io,
    "pickle": pickle,
}

ROWS = calls(
    "save",
    """
    again(L, None)
    again(L, 3)
    again(L, -(2**80))
    again(L, [1.5, -0.0, float("inf"), float("nan"), 1e-320, 0.1])
    again(L, [True, False])
    again(L, "text with ünïcode, 'quotes', \\n and \\x00")
    again(L, b"bytes \\xff\\x00")
    again(L, bytearray(b"ab"))
    again(L, 1.5 - 2j)
    again(L, [])
    again(L, [1, [2, [3, []]]])
    again(L, ())
    again(L, (1, (2,), [3]))
    again(L, {})
    again(L, {1: 2, (1, 2): 3, None: 4, "a": 5, 1.5: 6, b"k": 7})
    again(L, {"b": 1, "a": 2})
    again(L, {1, 2, 3})
    again(L, set())
    again(L, collections.OrderedDict(b=1, a=[2]))
    again(L, collections.Counter("abca"))
    again(L, L.Size([2, 3]))
    again(L, [L.float32, L.int64, L.bool, L.float16])
    again(L, [L.device("cpu"), L.device("cuda", 1)])
    again(L, {"epoch": 3, "loss": [0.5, 0.25], "best": None, "name": "run", "model": {"w": L.ones(2)}})
    (lambda r: r[0] is r[1])(again(L, [[1]] * 2))
    (lambda r: r[0] is r[1])(again(L, [L.ones(2)] * 2))
    (lambda r: r[0] is r)(again(L, (lambda c: (c.append(c), c)[1])([])))
    (lambda r: r["self"] is r)(again(L, (lambda c: (c.update(self=c), c)[1])({})))
    L.save(3, io.BytesIO())
    described(again(L, L.ones(2, 3)))
    described(again(L, L.ones(2, 3, requires_grad=True)))
    described(again(L, L.ones(2, 3, requires_grad=True) * 2))
    described(again(L, L.nn.Parameter(L.ones(2, 3))))
    described(again(L, L.nn.Parameter(L.ones(2, 3), requires_grad=False)))
    described(again(L, L.nn.Buffer(L.ones(2))))
    described(again(L, (lambda x: (x.sum().backward(), x)[1])(L.ones(2, requires_grad=True))))
    described(again(L, tensor(L, 3, 4).T))
    described(again(L, tensor(L, 3, 4, 5).permute(2, 0, 1)))
    described(again(L, tensor(L, 3, 1, 5).permute(1, 2, 0)))
    described(again(L, L.tensor(3.0)))
    described(again(L, L.tensor([])))
    described(again(L, L.ones(2, 0, 3)))
    again(L, tensor(L, 8, 6)[::2, 1::3])
    again(L, tensor(L, 8, 6)[3:5])
    again(L, L.tensor([1.5]).expand(3))
    again(L, tensor(L, 3, 1).expand(3, 4))
    bits(again(L, L.tensor([float("nan"), -0.0, float("inf"), 1e-45])))
    again(L, [tensor(L, 2), (tensor(L, 3), {"k": tensor(L, 1)})])
    again(L, {"a/b": L.ones(1), "a": {"b": L.zeros(1)}, "__metadata__": L.ones(1), "": L.ones(2)})
    again(L, {1: L.ones(1), "1": L.zeros(1), 1.5: L.ones(2)})
    again(L, L.nn.Linear(2, 3).state_dict()).keys() == L.nn.Linear(2, 3).state_dict().keys()
    """,
    exact=True,
)
ROWS += [
    row
    for kind in ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")
    for row in calls(
        "save",
        f"""
        described(again(L, tensor(L, 3, 4).to(L.{kind})))
        described(again(L, tensor(L, 3, 4).to(L.{kind}).T))
        described(again(L, L.tensor(1).to(L.{kind})))
        described(again(L, L.zeros(0, 2, dtype=L.{kind})))
        """,
        exact=True,
    )
]
ROWS += refused(
    "save",
    """
    L.save(nameless, io.BytesIO())  !!  save: cannot save a builtins.function .at the object itself
    L.save({"a": [1, nameless]}, io.BytesIO())  !!  at a/1
    L.save(3, 3)  !!  expected 'f' to be a path or a file object with 'write', got int
    L.save(3, None)  !!  got NoneType
    L.save(3, "no such folder/x.pt")  !!  Parent directory .*no such folder does not exist
    L.save(3, ".")  !!  is a directory
    """,
)


def trained(L):
    """A small network after three steps: everything that a checkpoint holds."""
    L.manual_seed(1)
    net = L.nn.Sequential(L.nn.Linear(3, 5), L.nn.BatchNorm1d(5), L.nn.Tanh(), L.nn.Linear(5, 2)).to(L.float64)
    optimizer = L.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for step in range(3):
        x = L.linspace(-1, 1, 24, dtype=L.float64).reshape(8, 3) * (step + 1)
        loss = (net(x) ** 2).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net, optimizer


def checkpoint(L):
    """Save after three steps, go on, load, and go on again: twice the same."""
    net, optimizer = trained(L)
    saved = again(
        L, {"model": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "rng": L.get_rng_state()}
    )
    drawn = L.randn(3)
    other = L.nn.Sequential(L.nn.Linear(3, 5), L.nn.BatchNorm1d(5), L.nn.Tanh(), L.nn.Linear(5, 2)).to(L.float64)
    other.load_state_dict(saved["model"])
    L.set_rng_state(saved["rng"])
    x = L.linspace(-2, 1, 24, dtype=L.float64).reshape(8, 3)
    return dict(saved["model"]), net(x), other(x), drawn, L.randn(3), saved["epoch"]


def tied(L):
    """Two names of one weight stay one weight."""
    net = L.nn.Sequential(L.nn.Linear(3, 3), L.nn.Linear(3, 3))
    net[1].weight = net[0].weight
    state = again(L, net.state_dict())
    state["0.weight"][0, 0] = 77
    return state["1.weight"][0, 0]


def same_memory(L):
    """Tensors with the same numbers in memory have them again."""
    x = L.arange(6.0)
    loaded = again(L, [x, x.detach(), x.view(2, 3)[:]])
    loaded[0][1] = 50
    return loaded[1]


def by_path(tmp, L):
    """Through a file with a name."""
    path = tmp(L)
    L.save({"a": L.ones(2)}, path)
    L.save({"a": L.ones(3)}, path)  # replaces it
    return L.load(path)


def folder(L):
    """A path to a file of its own for each library."""
    import tempfile
    from pathlib import Path

    return Path(tempfile.mkdtemp()) / f"{L.__name__}.pt"


def generator_state(L):
    """A generator goes on from a state that was in a file."""
    g = L.Generator().manual_seed(3)
    other = L.Generator().set_state(again(L, g.get_state()))
    return L.rand(3, generator=g), L.rand(3, generator=other)


ROWS += rows("save", {"checkpoint": checkpoint, "tied weights": tied, "the same memory": same_memory}, exact=False)
ROWS += rows(
    "load",
    {
        "from a path": lambda L: by_path(folder, L),
        "from a text": lambda L: by_path(lambda L: str(folder(L)), L),
        "a generator's state": generator_state,
    },
)
ROWS += calls(
    "load",
    """
    again(L, L.ones(2), map_location="cpu")
    again(L, L.ones(2), map_location=L.device("cpu"))
    again(L, L.ones(2), map_location={"cuda:0": "cpu"})
    again(L, L.ones(2), map_location={"cpu": "cpu"})
    again(L, L.ones(2), map_location=lambda storage, location: storage)
    again(L, L.ones(2), map_location=lambda storage, location: None)
    again(L, L.ones(2), map_location=lambda storage, location: storage.cpu())
    (lambda seen: [again(L, [L.ones(2)], map_location=lambda s, l: seen.append(l)), seen])([])
    again(L, {"a": 1, "t": L.ones(2)}, weights_only=True)
    again(L, {"a": 1, "t": L.ones(2)}, weights_only=False)
    """,
)
ROWS += refused(
    "load",
    r"""
    L.load("no such file.pt")  !!  No such file
    L.load(".")  !!  directory
    L.load(3)  !!  load: 'int' object is no path
    L.load(None)  !!  'NoneType' object
    L.load(io.BytesIO())  !!  the file is empty
    L.load(io.BytesIO(b"garbage, garbage"))  !!  no file of save, of safetensors, or of torch.save
    L.load(io.BytesIO(b"PK\x03\x04garbage"))  !!  cut off or damaged
    L.load(io.BytesIO(pickle.dumps({"a": 1})))  !!  other pickles are not read
    L.load(io.BytesIO(pickle.dumps({"a": 1}, protocol=0)))  !!  other pickles are not read
    again(L, L.ones(2), map_location="cuda")  !!  no GPU here; pass map_location='cpu'
    again(L, L.ones(2), map_location={"cpu": "cuda"})  !!  no GPU here; pass map_location='cpu'
    again(L, L.ones(2), map_location="abc")  !!  device: got 'abc'
    again(L, L.ones(2), map_location=1.5)  !!  map_location must be a device, a dict or callable, got float
    """,
)
