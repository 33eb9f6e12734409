"""save and load: our files, PyTorch's files, safetensors' files, and files that are damaged or mean harm."""

import collections
import functools
import io
import json
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import _safetensors
from minitorch_bn.serialization import KEY

DTYPES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]


def file_of(library, obj, **options):
    """The bytes that a library's save writes."""
    f = io.BytesIO()
    library.save(obj, f, **options)
    return f.getvalue()


def again(obj, **options):
    return mt.load(io.BytesIO(file_of(mt, obj)), **options)


def bits(array):
    """The bits of an array, wherever its axes lie."""
    return np.ascontiguousarray(array).tobytes()


LAYOUTS = {
    "in order": lambda a: a,
    "transposed": lambda a: a.T,
    "Fortran order": np.asfortranarray,
    "sliced": lambda a: a[::2, 1:],
    "backwards": lambda a: a[::-1],
    "broadcast": lambda a: np.broadcast_to(a[:, :1], (a.shape[0], 4)),
    "repeated": lambda a: np.broadcast_to(a[0], (3, a.shape[1])),
    "a row": lambda a: a[1],
    "a column": lambda a: a[:, 1],
    "one number": lambda a: a[1, 1],
    "nothing": lambda a: a[:0],
    "three axes": lambda a: np.stack([a, a], 2).transpose(2, 0, 1),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_bit_survives(rng, dtype, layout):
    """Random bits: also nan with all payloads, -0.0 and numbers too small for full precision."""
    raw = rng.integers(0, 256, 48 * np.dtype(dtype).itemsize, dtype=np.uint8)
    array = np.asarray(LAYOUTS[layout]((raw % 2 == 1 if dtype == "bool" else raw.view(dtype)).reshape(6, 8)))
    loaded = again({"t": mt.Tensor(array), "a": array, "s": array[()] if array.ndim == 0 else None})
    assert loaded["t"].dtype == mt.Tensor(array).dtype and loaded["t"].shape == array.shape
    assert bits(loaded["t"].array) == bits(loaded["a"]) == bits(array)
    assert loaded["a"].dtype == array.dtype and loaded["a"].flags.writeable and loaded["t"].array.flags.writeable
    if array.ndim == 0:
        assert type(loaded["s"]) is type(array[()]) and bits(loaded["s"]) == bits(array)


@pytest.mark.parametrize("dtype", ["uint16", "uint32", "uint64", ">f4", ">i8"])
def test_arrays_of_types_that_tensors_do_not_have(dtype):
    array = np.arange(5).astype(dtype)
    loaded = again(array)
    assert loaded.tolist() == array.tolist() and loaded.dtype == array.dtype.newbyteorder("=")


def test_numbers_of_numpy_keep_their_type():
    values = [
        np.float16(0.1),
        np.float32(0.1),
        np.float64(0.1),
        np.int8(-3),
        np.uint8(200),
        np.bool_(True),
        np.int64(2**60),
    ]
    loaded = again(values)
    assert [type(v) for v in loaded] == [type(v) for v in values] and loaded == values


def test_what_is_shared_is_stored_once_and_shared_again():
    weight = mt.nn.Parameter(mt.arange(1000.0))
    state = {"a": weight, "b": weight, "c": weight.detach(), "d": weight.data.view(10, 100), "e": mt.arange(1000.0)}
    data = file_of(mt, state)
    assert len(data) < 3 * 4000 + 2000, "one array for a, b and c; d has another shape; e is another array"
    loaded = mt.load(io.BytesIO(data))
    assert loaded["a"] is loaded["b"] and type(loaded["c"]) is mt.Tensor
    with mt.no_grad():
        loaded["a"][0] = 7
    assert loaded["c"][0] == 7 and loaded["d"][0, 0] == 0 and loaded["e"][0] == 0


def test_numbers_of_one_list_are_not_taken_for_one_another():
    """Scalars that live shortly may have one address; each must be stored."""
    assert again([np.float64(i) for i in range(100)]) == list(range(100))


def test_state_dict_keeps_its_versions():
    state = collections.OrderedDict(w=mt.ones(2))
    state._metadata = collections.OrderedDict({"": {"version": 2}})
    assert again(state)._metadata == state._metadata


# ---- files


def test_a_file_is_replaced_only_when_it_is_complete(tmp_path, monkeypatch):
    path = tmp_path / "model.pt"
    mt.save({"w": mt.ones(3)}, path)
    before = path.read_bytes()
    with pytest.raises(pickle.PicklingError, match="at b/1"):
        mt.save({"a": mt.zeros(3), "b": [1, object()]}, path)
    monkeypatch.setattr(_safetensors, "write", lambda *args: args[-1].write(b"half") and 1 / 0)
    with pytest.raises(ZeroDivisionError):
        mt.save({"a": mt.zeros(3)}, path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["model.pt"]


def test_nothing_is_written_where_something_cannot_be_saved():
    f = io.BytesIO()
    with pytest.raises(pickle.PicklingError):
        mt.save([mt.ones(2), {"x": open}], f)
    assert f.getvalue() == b""


class Point(collections.namedtuple("Point", "x y")):
    """A class of the user."""


REFUSED = {
    "a module": (
        lambda: mt.nn.Linear(2, 2),
        r"minitorch_bn\.nn\.linear\.Linear \(at the object itself\): save its state_dict",
    ),
    "an inner module": (lambda: {"net": mt.nn.ReLU()}, r"at net\): save its state_dict"),
    "a generator": (mt.Generator, "Generator"),
    "a subclass": (lambda: [Point(1, 2)], r"Point \(at 0\)"),
    "a defaultdict": (lambda: collections.defaultdict(list), "defaultdict"),
    "a class": (lambda: int, "builtins.type"),
    "an array of objects": (lambda: np.array([None]), "numpy.ndarray"),
    "an array of texts": (lambda: np.array(["a"]), "numpy.ndarray"),
    "a masked array": (lambda: np.ma.array([1, 2]), "numpy.ma"),
    "an array of complex numbers": (lambda: np.array([1j]), "numpy.ndarray"),
    "a frozenset": (lambda: frozenset({1}), "frozenset"),
    "a range": (lambda: range(3), "range"),
    "a slice": (lambda: slice(3), "slice"),
    "a very deep list": (lambda: functools.reduce(lambda inner, _: [inner], range(10**5), []), "nested too deeply"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_saved(what):
    make, message = REFUSED[what]
    with pytest.raises(pickle.PicklingError, match=message):
        mt.save(make(), io.BytesIO())


CHECKPOINT = {
    "model": {"w": np.arange(6.0).reshape(2, 3), "b": np.arange(3, dtype="int64")},
    "epoch": 3,
    "names": ["a", "b"],
}


def our_file():
    return file_of(
        mt, {"model": {k: mt.tensor(v) for k, v in CHECKPOINT["model"].items()}, "epoch": 3, "names": ["a", "b"]}
    )


def test_no_cut_off_file_is_read():
    """Every length but the whole."""
    data = our_file()
    for length in range(len(data)):
        with pytest.raises((RuntimeError, pickle.UnpicklingError, EOFError), match="load: "):
            mt.load(io.BytesIO(data[:length]))


def test_damage_is_an_error_or_another_value_but_never_another_exception(rng):
    data = our_file()
    for place in rng.permutation(len(data))[:600]:
        damaged = bytearray(data)
        damaged[place] ^= 1 << rng.integers(8)
        try:
            mt.load(io.BytesIO(bytes(damaged)))
        except (RuntimeError, pickle.UnpicklingError):
            pass


HEADERS = {
    "outside": {"x": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}},
    "far outside": {"x": {"dtype": "F32", "shape": [2], "data_offsets": [2**60, 2**60 + 8]}},
    "negative": {"x": {"dtype": "F32", "shape": [2], "data_offsets": [-8, 0]}},
    "another size": {"x": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}},
    "negative shape": {"x": {"dtype": "F32", "shape": [-1, -2], "data_offsets": [0, 8]}},
    "unknown type": {"x": {"dtype": "F8_E4M3", "shape": [8], "data_offsets": [0, 8]}},
    "no offsets": {"x": {"dtype": "F32", "shape": [2]}},
    "no entry": {"x": 3},
    "a list": [1, 2],
    "unknown word": {"__metadata__": {KEY: json.dumps({"object": {"exec": "1"}})}},
    "unknown array": {"__metadata__": {KEY: json.dumps({"object": {"array": "nowhere"}})}},
    "unknown number": {"__metadata__": {KEY: json.dumps({"object": {"again": 5}})}},
    "no object": {"__metadata__": {KEY: "{}"}},
    "no structure": {"__metadata__": {KEY: "%"}},
}


@pytest.mark.parametrize("what", HEADERS)
def test_headers_that_cannot_be(what):
    text = json.dumps(HEADERS[what]).encode()
    text = text if text.startswith(b"{") else b"{" + text
    with pytest.raises(RuntimeError, match=r"load: the (file|structure of the file) is"):
        mt.load(io.BytesIO(struct.pack("<Q", len(text)) + text + bytes(8)))


# ---- safetensors


def test_the_container_is_what_the_format_says():
    data = file_of(mt, {"model": {"w": mt.arange(6).reshape(2, 3).T, "b": mt.tensor([0.5])}})
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    assert (8 + length) % 8 == 0 and set(header) == {"__metadata__", "model/w", "model/b"}
    assert all(isinstance(text, str) for text in header["__metadata__"].values())
    assert header["model/w"] == {"dtype": "I64", "shape": [3, 2], "data_offsets": [0, 48]}
    assert header["model/b"] == {"dtype": "F32", "shape": [1], "data_offsets": [48, 52]}
    assert data[8 + length :] == np.array([0, 3, 1, 4, 2, 5]).tobytes() + np.float32(0.5).tobytes()


def test_a_file_of_others_is_a_dict_of_tensors():
    header = {
        "x": {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]},
        "y": {"dtype": "BF16", "shape": [1], "data_offsets": [4, 6]},
    }
    text = json.dumps(header).encode()
    data = struct.pack("<Q", len(text)) + text + np.float16([1.5, -2]).tobytes() + np.uint16([0x3FC0]).tobytes()
    loaded = mt.load(io.BytesIO(data))
    assert loaded["x"].tolist() == [1.5, -2] and loaded["x"].dtype == mt.float16
    assert loaded["y"].tolist() == [1.5] and loaded["y"].dtype == mt.float32


def test_the_library_reads_our_files_and_we_read_its(tmp_path, rng):
    safetensors = pytest.importorskip("safetensors.numpy", reason="compares with safetensors, which is not installed")
    net = mt.nn.Sequential(mt.nn.Linear(3, 4), mt.nn.BatchNorm1d(4))
    state = net.state_dict() | {f"of {d}": mt.tensor(rng.integers(0, 2, (3, 2)).astype(d)).T for d in DTYPES}
    mt.save(state, tmp_path / "ours.safetensors")
    loaded = safetensors.load_file(tmp_path / "ours.safetensors")
    assert set(loaded) == set(state)
    for name, t in state.items():
        np.testing.assert_array_equal(loaded[name], t.detach().numpy())
        assert loaded[name].dtype == t.array.dtype
    safetensors.save_file(loaded, tmp_path / "theirs.safetensors")
    back = mt.load(tmp_path / "theirs.safetensors")
    assert {k: v.tolist() for k, v in back.items()} == {k: v.tolist() for k, v in state.items()}


def test_torch_takes_our_state_dict_through_safetensors(torch, tmp_path):
    safetensors = pytest.importorskip("safetensors.torch", reason="compares with safetensors, which is not installed")
    mt.manual_seed(3)
    mt.save(mt.nn.Sequential(mt.nn.Linear(3, 4), mt.nn.BatchNorm1d(4)).state_dict(), tmp_path / "x.safetensors")
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    net.load_state_dict(safetensors.load_file(tmp_path / "x.safetensors"))
    torch.manual_seed(3)
    np.testing.assert_array_equal(net[0].weight.detach(), torch.nn.Linear(3, 4).weight.detach())


# ---- PyTorch's files


def equal(got, want, torch):
    """Assert that `got` (ours) is what torch.load gives."""
    if isinstance(want, torch.Tensor):
        assert isinstance(got, mt.nn.Parameter if isinstance(want, torch.nn.Parameter) else mt.Tensor)
        assert got.requires_grad == want.requires_grad and tuple(got.shape) == tuple(want.shape)
        assert bits(got.array) == bits(want.detach().numpy()) and str(got.dtype) == str(want.dtype)
        assert got.numel() == 0 or got.stride() == want.stride()
    elif isinstance(want, dict):
        assert type(got) is type(want) and list(got) == list(want)
        for key in want:
            equal(got[key], want[key], torch)
    elif isinstance(want, list | tuple):
        assert len(got) == len(want) and repr(type(got)).replace("minitorch_bn.tensor", "torch") == repr(type(want))
        for a, b in zip(got, want, strict=True):
            equal(a, b, torch)
    else:
        assert repr(got) == repr(want)


def torch_checkpoint(torch, optimizer="Adam"):
    torch.manual_seed(5)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    options = {"momentum": 0.9} if optimizer == "SGD" else {}
    optimizer = getattr(torch.optim, optimizer)(net.parameters(), lr=0.01, **options)
    for _ in range(3):
        optimizer.zero_grad()
        net(torch.randn(8, 3)).square().sum().backward()
        optimizer.step()
    return {
        "model_state_dict": net.state_dict(),
        "optimizer_state_dict": optimizer.state_dict(),
        "epoch": 3,
        "loss": 0.25,
        "rng": torch.get_rng_state(),
    }


@pytest.mark.parametrize("optimizer", ["Adam", "AdamW", "SGD"])
def test_a_checkpoint_of_torch(torch, tmp_path, optimizer):
    want = torch_checkpoint(torch, optimizer)
    torch.save(want, tmp_path / "checkpoint.pt")
    got = mt.load(tmp_path / "checkpoint.pt")
    equal(got, torch.load(tmp_path / "checkpoint.pt"), torch)
    net = mt.nn.Sequential(mt.nn.Linear(3, 4), mt.nn.BatchNorm1d(4), mt.nn.Tanh(), mt.nn.Linear(4, 2))
    net.load_state_dict(got["model_state_dict"])
    assert net[1].num_batches_tracked.item() == 3
    mt.set_rng_state(got["rng"])
    torch.set_rng_state(want["rng"])
    np.testing.assert_array_equal(mt.rand(5).numpy(), torch.rand(5).numpy())


THINGS = {
    "plain": lambda t: [
        None,
        True,
        False,
        0,
        -1,
        255,
        256,
        -(2**31),
        2**40,
        2**80,
        1.5,
        float("inf"),
        "é",
        (),
        (1,),
        (1, 2, 3, 4),
    ],
    "long lists": lambda t: [list(range(2000)), {i: str(i) for i in range(2000)}],
    "bytes": lambda t: [b"ab\xff\x00", bytearray(b"xy")],
    "sets": lambda t: {1, 2},
    "complex": lambda t: 1.5 - 2j,
    "counter": lambda t: collections.Counter("abca"),
    "ordered": lambda t: collections.OrderedDict(b=1, a=t.ones(2)),
    "types": lambda t: [t.float32, t.int64, t.bool, t.device("cpu"), t.device("cuda", 1), t.Size([2, 3])],
    "parameters": lambda t: [
        t.nn.Parameter(t.ones(2)),
        t.nn.Parameter(t.ones(2), requires_grad=False),
        t.ones(2, requires_grad=True),
    ],
    "buffer": lambda t: t.nn.Buffer(t.ones(2)),
    "layouts": lambda t: [
        t.arange(6.0).view(2, 3).T,
        t.arange(24).view(2, 3, 4).permute(2, 0, 1),
        t.ones(1).expand(3),
        t.arange(9)[::2],
    ],
    "empty": lambda t: [t.empty(0), t.empty(2, 0, 3), t.tensor(3.5), t.tensor(True)],
    "result of an op": lambda t: t.ones(2, requires_grad=True) * 2,
    "dtypes": lambda t: [t.tensor([0, 1, 2]).to(getattr(t, d)) for d in DTYPES],
    "nan": lambda t: t.tensor([float("nan"), -0.0, float("-inf"), 1e-45]),
    "one list twice": lambda t: [same := [1, t.ones(1)], same, {"x": same}],
}


@pytest.mark.parametrize("what", THINGS)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_things_of_torch(torch, what):
    data = file_of(torch, THINGS[what](torch))
    equal(mt.load(io.BytesIO(data)), torch.load(io.BytesIO(data)), torch)


def test_bfloat16_comes_as_float32(torch):
    x = torch.tensor([1.5, -2.25, 1e30, float("inf")], dtype=torch.bfloat16)
    got = mt.load(io.BytesIO(file_of(torch, {"x": x, "t": x.view(2, 2).T})))
    assert got["x"].dtype == mt.float32 and got["x"].tolist() == x.float().tolist()
    assert got["t"].tolist() == x.float().view(2, 2).T.tolist()


def test_what_shared_memory_in_torch_shares_it_again(torch):
    base = torch.arange(6.0)
    got = mt.load(io.BytesIO(file_of(torch, [base, base[2:4], base.view(2, 3).T])))
    got[0][2] = 77
    assert got[1].tolist() == [77, 3] and got[2][2, 0] == 77


class Harm:
    """An object whose pickle runs a command."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def zipped(program, storage=b"", byteorder="little"):
    """A file like torch.save's with a pickle of one's own."""
    f = io.BytesIO()
    with zipfile.ZipFile(f, "w") as archive:
        archive.writestr("archive/data.pkl", program)
        archive.writestr("archive/byteorder", byteorder)
        archive.writestr("archive/data/0", storage)
    return f.getvalue()


def test_a_whole_module_is_refused(torch):
    for thing in (torch.nn.Linear(2, 2), {"model": torch.nn.Sequential(torch.nn.ReLU())}):
        with pytest.raises(pickle.UnpicklingError, match=r"refused: torch\.nn\.modules\..*save its state_dict\(\)"):
            mt.load(io.BytesIO(file_of(torch, thing)))


HARM = {
    "os.system": Harm(os.system, "touch harm"),
    "eval": Harm(eval, "open('harm', 'w')"),
    "exec": Harm(exec, "open('harm', 'w')"),
    "import": Harm(__import__, "antigravity"),
    "getattr": Harm(getattr, 3, "real"),
    "open": Harm(open, "harm", "w"),
    "a class": Point(1, 2),
    "a function": os.getcwd,
    "inside": {"a": [1, (2, Harm(os.system, "touch harm"))]},
    "a frozenset": frozenset({1}),
    "a defaultdict": collections.defaultdict(int),
}


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("what", HARM)
def test_harm_is_refused_and_nothing_is_run(tmp_path, monkeypatch, what, protocol):
    monkeypatch.chdir(tmp_path)
    program = pickle.dumps(HARM[what], protocol)
    for data in (zipped(program), program):
        with pytest.raises(pickle.UnpicklingError, match=r"refused|other pickles are not read"):
            mt.load(io.BytesIO(data))
    assert os.listdir(tmp_path) == []


def tensor_program(offset, size, stride, count=4, kind="FloatStorage"):
    """The pickle of one tensor that claims to lie so in its storage."""

    def number(n):
        return b"J" + struct.pack("<i", n)

    def numbers(ns):
        return b"(" + b"".join(map(number, ns)) + b"t"

    persistent = (
        b"(X\x07\0\0\0storagectorch\n" + kind.encode() + b"\nX\x01\0\0\x000X\x03\0\0\0cpu" + number(count) + b"tQ"
    )
    rest = number(offset) + numbers(size) + numbers(stride) + b"\x89ccollections\nOrderedDict\n)Rt"
    return b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(" + persistent + rest + b"R."


STORAGE = np.arange(4, dtype="f4").tobytes()


def test_the_crafted_tensor_is_well_formed():
    got = mt.load(io.BytesIO(zipped(tensor_program(1, [3], [1]), STORAGE)))
    assert got.tolist() == [1, 2, 3]
    assert mt.load(io.BytesIO(zipped(tensor_program(0, [2, 2], [1, 2]), STORAGE))).tolist() == [[0, 2], [1, 3]]
    assert mt.load(io.BytesIO(zipped(tensor_program(9, [0, 9], [1, 1]), STORAGE))).shape == (0, 9)


OUTSIDE = {
    "too long": (0, [5], [1]),
    "offset": (4, [1], [1]),
    "far offset": (2**31 - 1, [1], [1]),
    "negative offset": (-1, [1], [1]),
    "stride": (0, [2], [4]),
    "negative stride": (3, [2], [-1]),
    "negative size": (0, [-1], [1]),
    "two axes": (0, [2, 3], [2, 1]),
    "ranks": (0, [2], [1, 1]),
    "another count": (0, [2], [1], 9),
    "another type": (0, [1], [1], 4, "DoubleStorage"),
}


@pytest.mark.parametrize("what", OUTSIDE)
def test_tensors_outside_of_their_storage_are_refused(what):
    with pytest.raises(RuntimeError, match="load: the file is cut off or damaged"):
        mt.load(io.BytesIO(zipped(tensor_program(*OUTSIDE[what]), STORAGE)))


def test_no_cut_off_file_of_torch_is_read(torch):
    data = file_of(torch, {"w": torch.arange(6.0), "epoch": 3})
    for length in range(1, len(data), 7):
        with pytest.raises((RuntimeError, pickle.UnpicklingError), match="load: "):
            mt.load(io.BytesIO(data[:length]))


def test_damaged_files_of_torch_raise_nothing_unforeseen(torch, rng):
    data = file_of(torch, torch_checkpoint(torch))
    for place in rng.integers(0, len(data), 300):
        damaged = bytearray(data)
        damaged[place] ^= 1 << rng.integers(8)
        try:
            mt.load(io.BytesIO(bytes(damaged)))
        except (RuntimeError, pickle.UnpicklingError):
            pass


def test_random_programs_raise_nothing_unforeseen(rng):
    """A pickle of torch.save with words exchanged."""
    program = bytearray(tensor_program(1, [3], [1]))
    words = b"(tRQJX}]a.u0c\x85\x86\x87N\x88\x89b)sel\x93"
    for _ in range(500):
        damaged = bytearray(program)
        for place in rng.integers(2, len(damaged), 2):
            damaged[place] = words[rng.integers(len(words))]
        try:
            mt.load(io.BytesIO(zipped(bytes(damaged), STORAGE)))
        except (RuntimeError, pickle.UnpicklingError):
            pass


def test_other_archives_and_older_files_are_refused(torch):
    f = io.BytesIO()
    np.savez(f, a=np.ones(2))
    with pytest.raises(RuntimeError, match=r"no file of torch\.save"):
        mt.load(io.BytesIO(f.getvalue()))
    old = file_of(torch, torch.ones(2), _use_new_zipfile_serialization=False)
    with pytest.raises(pickle.UnpicklingError, match=r"since version 1\.6"):
        mt.load(io.BytesIO(old))
    with pytest.raises(RuntimeError, match="big-endian"):
        mt.load(io.BytesIO(zipped(b"N.", byteorder="big")))


def test_a_gpu_tensor_without_a_gpu_says_what_to_do():
    if mt.cuda.is_available():
        pytest.skip("there is a GPU here")
    program = tensor_program(1, [3], [1]).replace(b"X\x03\0\0\0cpu", b"X\x06\0\0\0cuda:0")
    with pytest.raises(RuntimeError, match=r"cuda:0.*map_location='cpu'"):
        mt.load(io.BytesIO(zipped(program, STORAGE)))
    assert mt.load(io.BytesIO(zipped(program, STORAGE)), map_location="cpu").tolist() == [1, 2, 3]
    assert mt.load(io.BytesIO(zipped(program, STORAGE)), map_location={"cuda:0": "cpu"}).tolist() == [1, 2, 3]
    seen = []
    mt.load(io.BytesIO(zipped(program, STORAGE)), map_location=lambda s, where: seen.append((s.tolist(), where)) or s)
    assert seen == [([0, 1, 2, 3], "cuda:0")]


def test_torch_is_not_imported(tmp_path):
    """Reading torch's files needs no torch."""
    import subprocess
    import sys

    path = tmp_path / "x.pt"
    path.write_bytes(zipped(tensor_program(1, [3], [1]), STORAGE))
    code = "import sys; sys.modules['torch'] = None; import minitorch_bn as mt; print(mt.load(sys.argv[1]).tolist())"
    ran = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert ran.stdout.strip() == "[1.0, 2.0, 3.0]", ran.stderr
