"""debug.replay: the trace is true and proves it, nothing of the user's is changed, the page is complete and bounded."""

import base64
import functools
import itertools
import json
import re

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import clock, debug, engine, nn
from minitorch_bn.debug.replay_page import batchnorm, layout
from minitorch_bn.debug.replay_page.store import BUDGET, Store, steps_for
from minitorch_bn.debug.trace import trace
from minitorch_bn.nn.module import Module
from minitorch_bn.optim.optimizer import Optimizer
from tests.compare.networks import convnet, image_batches, names, names_batches
from tests.ops.cases import CASES
from tests.ops.checks import outputs

F = nn.functional


def problem(kind="names", dtype="float64"):
    """(network, function of no arguments giving its loss)"""
    mt.manual_seed(0)
    net = {"names": names, "convnet": convnet}[kind](mt, dtype)
    x, y = {"names": names_batches, "convnet": image_batches}[kind]()(0)
    x, y = mt.tensor(x), mt.tensor(y)
    x = x.to(getattr(mt, dtype)) if x.dtype.is_floating_point else x
    return net, lambda: F.cross_entropy(net(x), y)


def page_data(html):
    """What is in a page: its JSON, and its arrays as NumPy arrays."""
    text = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)[1]
    block = re.search(r'<script type="text/plain" id="block">(.*?)</script>', html, re.S)[1]
    data, block = json.loads(text), base64.b64decode(block)
    arrays = []
    for about in data["arrays"]:
        shape = [-(-n // s) for n, s in zip(about["shape"], about.get("step", [1] * 99), strict=False)]
        flat = np.frombuffer(block, f"<{about['type']}", int(np.prod(shape)), about["at"])
        arrays.append(flat.reshape(shape))
    return data, arrays


def bits(a):
    return np.asarray(a).dtype, np.asarray(a).shape, np.ascontiguousarray(a).tobytes()


# ---- the trace


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["names", "convnet"])
def test_trace_holds_what_forward_and_backward_compute(kind, dtype):
    net, compute = problem(kind, dtype)
    loss = compute()
    records = trace(loss, model=net)
    order = engine.graph(loss)
    assert [r.op for r in records] == [t.op for t in reversed(order)]
    loss.backward(retain_graph=True)
    by_name = dict(net.named_parameters())
    seen = set()
    for record, t in zip(records, reversed(order), strict=True):
        assert record.unproved == {}
        assert bits(record.outputs[0].array) == bits(t.array)
        assert bits(record.dy[0].array) == bits(t.dy)
        for value in record.saved:
            if "[" not in value.name:
                assert value.array is vars(t.op)[value.name]
        for value in record.gradients:
            if value.called:
                seen.add(value.called)
                assert bits(value.array) == bits(by_name[value.called].grad_array)
    assert seen == set(by_name)


def test_every_row_of_the_table_is_proved_and_makes_a_page():
    """Backward of every op gives the same bits twice, and so does forward, but where a number is lost with the step."""
    seen = set()
    for case in CASES:
        if not case.grad or case.name.startswith("drawn"):
            continue
        arrays = case.arrays()
        flags = case.differentiable(arrays)
        tensors = [mt.tensor(a, requires_grad=g) for a, g in zip(arrays, flags, strict=True)]
        with np.errstate(all="ignore"):
            ys = [y for y in outputs(case.function(mt, *tensors)) if y.requires_grad]
            losses = [(y * mt.tensor(case.rng().normal(size=y.shape))).sum() for y in ys]
            if not losses:
                continue
            records = trace(functools.reduce(mt.add, losses))
        for record in records:
            assert "backward" not in record.unproved or type(record.op).__name__ == "Probe", case.name
            if "forward" in record.unproved:
                assert any(v.array is None for v in record.inputs), case.name
            seen.add(type(record.op))
    assert len(seen) > 100


def test_numbers_are_known_where_the_step_is_given():
    x = mt.tensor([1.0, 2.0], requires_grad=True)

    def step():
        return ((x + 3.0) * 2 - 1).clamp(0.5, 8.0).sum()

    data, arrays = page_data(debug.replay(step).html)
    texts = {data["classes"][op["class"]]["name"]: [v.get("text") for v in op["inputs"]] for op in data["ops"]}
    assert texts["Add"] == [None, "3.0"] and texts["Mul"] == [None, "2"]
    assert not any("unproved" in op for op in data["ops"])

    data, arrays = page_data(debug.replay((x + 3.0) * 2 @ mt.ones(2), names={"x": x}).html)
    add, mul, _ = data["ops"]
    assert "does not keep" in add["unproved"]["forward"] and "does not keep" in add["inputs"][1]["text"]
    assert "unproved" not in mul and mul["inputs"][1]["text"] == "2"  # found among what forward saved: same bits
    np.testing.assert_array_equal(arrays[add["inputs"][0]["array"]], [1, 2])


def test_a_written_input_is_found_and_named():
    x = mt.tensor([[1.0, 2.0]])
    layer = nn.Linear(2, 3, bias=False)
    with debug.remember_lines():
        loss = (layer(x) + 0.5).sum()
    x.array[0, 0] = 5.0
    layer.weight.grad = before = mt.ones(3, 2)
    with pytest.raises(RuntimeError, match=r"replay: Linear\.forward, run again .*same bits.*test_replay\.py"):
        debug.replay(loss)
    assert layer.weight.grad_array is before.array and all(t.dy is None for t in engine.graph(loss))


class Forgetful(engine.Op):
    """y = x, with noise where `noisy` says so."""

    def __init__(self, noisy):
        self.noisy, self.count = noisy, [0]

    def forward(self, x):
        return x + self.noise("forward")

    def backward(self, dy):
        return (dy + self.noise("backward"),)

    def noise(self, where):
        self.count[0] += 1
        return self.count[0] * 1e-16 if where == self.noisy else 0.0


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_an_op_that_is_not_the_same_twice_is_an_error(direction):
    x = mt.tensor([0.0], dtype=mt.float64, requires_grad=True)
    loss = (engine.apply(Forgetful(direction), x) * 1e-9).sum()
    with pytest.raises(RuntimeError, match=rf"replay: Forgetful\.{direction}, run again"):
        debug.replay(loss)
    assert x.grad is None


def test_bits_are_compared_not_values():
    class Signed(Forgetful):
        def forward(self, x):
            self.count[0] += 1
            return x * (-1) ** self.count[0]  # 0, then -0

    x = mt.tensor([0.0], requires_grad=True)
    with pytest.raises(RuntimeError, match=r"Signed\.forward"):
        debug.replay(engine.apply(Signed(""), x).sum())


def test_functions_hooks_and_in_place_writes():
    class Twice(mt.autograd.Function):
        """y = x, z = 2 x."""

        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 1, x * 2

        @staticmethod
        def backward(ctx, dy, dz):
            return dy + 2 * dz

    x = mt.tensor([1.0, 2.0], requires_grad=True)
    y, z = Twice.apply(x)
    seen = []
    z.register_hook(lambda dz: seen.append(dz.tolist()))
    h = y * z
    h[0] = 7.0
    loss = (h * h).sum()
    records = trace(loss, {"x": x, "y": y})
    assert seen == [[0.0, 32.0]]  # 2 h y
    hub = next(r for r in records if type(r.op).__name__ == "TwiceBackward" and len(r.outputs) == 2)
    assert [v.name for v in hub.outputs] == ["y[0]", "y[1]"] and [v.name for v in hub.dy] == ["dy[0]", "dy[1]"]
    assert set(hub.unproved) == {"forward", "backward"}
    data, _ = page_data(debug.replay(loss).html)
    about = next(k for k in data["classes"] if k["name"] == "Twice")
    assert "dy + 2 * dz" in about["backward"]["text"] and about["about"][0]["text"] == "y = x, z = 2 x."
    loss.backward()
    np.testing.assert_array_equal(x.grad_array, [0.0, 128.0])


def test_paths_without_gradient_have_no_backward_step():
    class Cut(engine.Op):
        def forward(self, x):
            return x.copy()

        def backward(self, dy):
            return (None,)

    x = mt.tensor([1.0], requires_grad=True)
    replay = debug.replay(engine.apply(Cut(), x.exp()).sum())
    assert (replay.ops, replay.steps) == (3, 5)
    data, _ = page_data(replay.html)
    assert data["steps"] == [[0, 0], [1, 0], [2, 0], [2, 1], [1, 1]]


# ---- nothing of the user's is changed


def test_a_loss_and_its_graph_are_left_alone():
    net, compute = problem()
    net.fc1.weight.grad = before = mt.ones(24, 12, dtype=mt.float64)
    h = net.embedding(mt.tensor([[1, 2, 3]]))
    h.retain_grad()
    loss = compute() + (h * h).sum()
    state = {k: bits(v.array) for k, v in net.state_dict().items()}
    debug.replay(loss, model=net)
    assert net.fc1.weight.grad_array is before.array and (before.array == 1).all()
    assert h.grad is None and all(t.dy is None for t in engine.graph(loss))
    assert all(p.grad is None for n, p in net.named_parameters() if n != "fc1.weight")
    assert {k: bits(v.array) for k, v in net.state_dict().items()} == state
    loss.backward()
    np.testing.assert_array_equal(h.grad_array, 2 * h.array)


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize("started", [False, True])
def test_a_step_leaves_no_trace(optimizer, started):
    """Parameters, gradients, buffers, optimiser and random stream are those from before; and training goes on so."""

    def training(watched):
        net, compute = problem(dtype="float32")
        kwargs = {"momentum": 0.9} if optimizer == "SGD" else {}
        opt = getattr(mt.optim, optimizer)(net.parameters(), lr=0.1, **kwargs)
        dropped = mt.ones(50)

        def step():
            opt.zero_grad()
            loss = compute() + F.dropout(dropped).sum() * 0
            loss.backward()
            opt.step()
            opt.param_groups[0]["lr"] *= 0.5
            return loss

        if started:
            step()
        if watched:
            arrays = [(t, t.array, bits(t.array), t.grad_array) for t in (*net.parameters(), *net.buffers())]
            memory, rate, stream = opt.state, opt.param_groups[0]["lr"], mt.get_rng_state()
            replay = debug.replay(step)
            assert replay.steps == 2 * replay.ops >= 20
            for t, array, was, grad in arrays:
                assert t.array is array and bits(array) == was and t.grad_array is grad
            assert opt.state is memory and opt.param_groups[0]["lr"] == rate
            assert mt.equal(mt.get_rng_state(), stream)
        losses = [step().item() for _ in range(3)]
        return losses, [bits(v.array) for v in net.state_dict().values()]

    assert training(watched=True) == training(watched=False)


def test_what_a_step_reaches_only_through_others_is_restored():
    class Trainer:
        def __init__(self):
            mt.manual_seed(0)
            self.net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))
            self.w = mt.ones(1, requires_grad=True)

        def step(self, x):
            loss = (self.net(x) * self.w).sum()
            loss.backward()
            with mt.no_grad():
                self.w -= self.w.grad
            return loss

        def both(self, x):
            self.step(x)  # the Trainer is reached from here through `self` only
            return self.step(x)

    trainer = Trainer()
    before = [bits(t.array) for t in (*trainer.net.state_dict().values(), trainer.w)]
    debug.replay(functools.partial(trainer.both, mt.ones(4, 2)), model=trainer.net)
    debug.replay(lambda: [trainer][0].step(mt.ones(4, 2)))
    hidden = iter([trainer, trainer])
    debug.replay(lambda: next(hidden).step(mt.ones(4, 2)))  # found by what is called and walked only
    assert [bits(t.array) for t in (*trainer.net.state_dict().values(), trainer.w)] == before
    assert trainer.w.grad is None and trainer.net[0].weight.grad is None


@pytest.mark.parametrize("fails", [False, True])
def test_what_was_replaced_is_put_back(fails):
    watched = [(Module, "__call__"), (engine.Variable, "backward"), (clock, "ticks"), (engine, "apply")]
    watched += [(Optimizer, "zero_grad"), (mt.optim.SGD, "step"), (engine.Variable, "backward_step")]
    before = [getattr(owner, name) for owner, name in watched]
    net, compute = problem()

    def step():
        loss = compute()
        loss.backward()
        if fails:
            raise KeyError("a mistake of the user's")
        return loss

    if fails:
        with pytest.raises(KeyError):
            debug.replay(step)
    else:
        debug.replay(step)
    assert [getattr(owner, name) for owner, name in watched] == before
    assert "backward" not in vars(mt.Tensor) and not debug.are_lines_remembered()
    assert net.fc1.weight.grad is None and net.bn1.num_batches_tracked.item() == 0


def test_the_last_backward_is_shown_unless_the_step_returns_a_loss():
    x = mt.tensor(1.0, requires_grad=True)
    first = []

    def step(returned):
        a, b = x.exp(), x.log() * 2 + 1
        a.backward()
        b.backward()
        first.append(a)
        return (a, b, None, 1.5)[returned]

    ops = [debug.replay(functools.partial(step, i)).ops for i in range(4)]
    assert ops == [1, 3, 3, 3] and x.grad is None


# ---- errors


def freed():
    loss = (mt.ones(2, requires_grad=True) * 2).sum()
    loss.backward()
    return loss


def freed_inside():
    h = mt.ones(2, requires_grad=True) * 2
    loss = h.sum()
    (h * 1).sum().backward()
    return loss


ERRORS = {
    "no graph": (lambda: mt.ones(()), RuntimeError, "replay: the loss has no graph"),
    "leaf": (lambda: mt.ones((), requires_grad=True), RuntimeError, "replay: the loss has no graph"),
    "freed": (freed, RuntimeError, r"replay: the graph has been freed by backward\(\)"),
    "freed inside": (freed_inside, RuntimeError, r"replay: the graph has been freed by backward\(\)"),
    "not scalar": (lambda: mt.ones(2, requires_grad=True) * 2, RuntimeError, r"replay: got a tensor of shape \(2,\)"),
    "a number": (lambda: 1.5, TypeError, "replay: got float, wanted a loss"),
    "an array": (lambda: np.ones(()), TypeError, "replay: got ndarray, wanted a loss"),
    "a model": (lambda: nn.Linear(1, 1), TypeError, "replay: got Linear, wanted a loss"),
    "step without loss": (lambda: lambda: 3, TypeError, r"replay: the step returned int and called no loss\.backward"),
    "step that walked unseen": (
        lambda: lambda: mt.autograd.backward(x := freed()) or x,
        RuntimeError,
        "second time|freed",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors_say_what_to_do(case):
    make, kind, message = ERRORS[case]
    with pytest.raises(kind, match=message):
        debug.replay(make())


def test_arguments_are_checked():
    loss = mt.ones(2, requires_grad=True).sum()
    with pytest.raises(TypeError, match="replay: got names of type list, wanted a dict"):
        debug.replay(loss, names=["loss"])
    with pytest.raises(TypeError, match="replay: got a model of type str, wanted an nn"):
        debug.replay(loss, model="net")


def test_saved_values_that_were_written_to_are_refused():
    w = mt.ones(2, requires_grad=True)
    loss = (w * w).sum()
    with mt.no_grad():
        w += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        debug.replay(loss)


# ---- the page


@pytest.mark.parametrize("kind", ["names", "convnet"])
def test_the_page_holds_the_numbers(kind):
    net, compute = problem(kind)
    loss = compute()
    data, arrays = page_data(debug.replay(loss, model=net).html)
    order = engine.graph(loss)[::-1]
    loss.backward(retain_graph=True)
    for op, t in zip(data["ops"], order, strict=True):
        assert bits(arrays[op["outputs"][0]["array"]]) == bits(t.array)
        assert bits(arrays[op["dy"][0]["array"]]) == bits(t.dy)
        for value in op.get("saved", []):
            want = vars(t.op).get(value["name"])
            if want is not None:
                np.testing.assert_array_equal(arrays[value["array"]], want)
        for value in op["inputs"]:
            if value.get("leaf"):
                assert bits(arrays[value["array"]]) == bits(dict(net.named_parameters())[value["called"]].array)
    assert data["steps"] == [[i, 0] for i in range(len(order))] + [[i, 1] for i in reversed(range(len(order)))]


def test_lines_modules_and_variables_of_a_step():
    net, compute = problem()

    def step():
        loss = compute()
        loss.backward()
        return loss

    data, _ = page_data(debug.replay(step, model=net).html)
    bn = next(op for op in data["ops"] if data["classes"][op["class"]]["name"] == "BatchNorm")
    assert bn["module"] == "bn1" and "self.bn1(" in bn["line"]["text"] and bn["line"]["where"].startswith("networks.py")
    assert data["ops"][-1]["called"] == "loss"
    kind = data["classes"][bn["class"]]
    formulas = [p["text"] for p in kind["about"] if p["formula"]]
    assert any("mean(dy)" in f for f in formulas) and kind["backward"]["text"].startswith("def backward(self, dy):")


def test_the_page_reaches_for_nothing_outside():
    html = debug.replay(mt.ones(2, requires_grad=True).sum(), title="</script><b>&").html
    assert "Content-Security-Policy" in html and "default-src 'none'" in html
    assert set(re.findall(r"https?://[\w./]*", html)) == {"http://www.w3.org/2000/svg"}  # a name, not an address
    assert "<b>" not in html and "&lt;/script&gt;&lt;b&gt;&amp;" in html
    assert html.count("</script>") == 3


def test_jupyter_shows_it():
    replay = debug.replay(mt.ones(2, requires_grad=True).sum())
    shown = replay._repr_html_()
    assert shown.startswith("<iframe") and 'sandbox="allow-scripts"' in shown and "&lt;!doctype html&gt;" in shown
    replay.html *= 1000
    assert "too much for a notebook" in replay._repr_html_() and len(replay._repr_html_()) < 300


def test_save(tmp_path):
    replay = debug.replay(mt.ones(2, requires_grad=True).sum())
    assert replay.save(tmp_path / "page.html").read_text(encoding="utf-8") == replay.html


def test_5000_ops_fit():
    w = mt.full((4, 4), 0.1, requires_grad=True)
    h = mt.ones(3, 4)
    for _ in range(2500):
        h = mt.tanh(h @ w)
    replay = debug.replay(h.sum(), names={"w": w})
    assert replay.ops == 5001 and len(replay.html.encode()) < 20e6


def test_5000_ops_with_many_arrays_fit():
    bn, h = nn.BatchNorm1d(8), mt.randn(16, 8)
    for _ in range(2500):
        h = mt.tanh(bn(h))
    replay = debug.replay((h * h).sum(), model=bn)
    assert replay.ops > 5000 and len(replay.html.encode()) < 20e6


def test_large_tensors_are_sampled():
    x = mt.rand(10_000, 1000, requires_grad=True)
    replay = debug.replay(mt.tanh(x).mean())
    assert len(replay.html.encode()) < 20e6
    data, arrays = page_data(replay.html)
    number = data["ops"][0]["inputs"][0]["array"]
    rows, columns = data["arrays"][number]["step"]
    np.testing.assert_array_equal(arrays[number], x.array[::rows, ::columns])
    about = data["arrays"][number]
    assert about["shape"] == [10_000, 1000]
    assert (about["min"], about["max"]) == (x.array.min(), x.array.max())
    np.testing.assert_allclose(about["mean"], x.array.mean(dtype=np.float64), rtol=1e-12)


# ---- its parts


def test_store_keeps_types_and_counts_what_is_not_finite():
    store = Store()
    given = [np.array([1, -(2**40)]), np.array([True, False]), np.float16([0.1, 3]), np.array([np.nan, -np.inf, 2.0])]
    given += [np.array(4.5), np.zeros((0, 3)), np.arange(6.0).reshape(2, 3).T]
    numbers = [store.add(a) for a in given]
    assert numbers == list(range(7))
    table, block = store.pack()
    assert [a["type"] for a in table] == ["f8", "u1", "f4", "f8", "f8", "f8", "f8"]
    assert [a.get("was") for a in table[:3]] == ["int64", "bool", "float16"]
    assert (table[3]["bad"], table[3]["min"], table[3]["max"]) == (2, 2.0, 2.0) and table[5]["min"] is None
    block = base64.b64decode(block)
    for a, about in zip(given, table, strict=True):
        got = np.frombuffer(block, f"<{about['type']}", a.size, about["at"]).reshape(a.shape)
        np.testing.assert_array_equal(got, a.astype(got.dtype))


@pytest.mark.parametrize("budget", [BUDGET, 100_000, 3_000])
def test_store_stays_in_its_budget(budget):
    store = Store(budget)
    for i in range(50):
        store.add(np.full((40, 40), float(i)))
    _, block = store.pack()
    assert len(block) <= 4 / 3 * (budget + 8 * 50) + 4


@pytest.mark.parametrize("shape", [(7,), (10**7,), (3, 10**6), (64, 32, 56, 56), (10**5, 100), (1, 1, 1)])
@pytest.mark.parametrize("most", [1, 100, 65536])
def test_steps_leave_few_enough_and_not_too_few(shape, most):
    steps = steps_for(shape, most)
    left = np.prod([-(-n // s) for n, s in zip(shape, steps, strict=True)])
    assert left <= most and (max(steps) == 1 or left > most / 4)


@pytest.mark.parametrize("seed", range(20))
def test_layout_has_a_place_for_everything(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60))
    parents = [sorted({int(p) for p in rng.integers(0, i, int(rng.integers(0, 4)))}) if i else [] for i in range(n)]
    places, ways = layout.layers(parents)
    through = [place for *_, way in ways for place in way]
    assert len(set([*places, *through])) == n + len(through)  # no two in one place
    assert sorted((a, b) for a, b, _ in ways) == sorted((p, i) for i in range(n) for p in parents[i])
    for a, b, way in ways:
        layers = [places[a][1], *(layer for _, layer in way), places[b][1]]
        assert all(after > before for before, after in itertools.pairwise(layers))
        if places[b][1] - places[a][1] <= layout.LONGEST:
            assert layers == list(range(layers[0], layers[-1] + 1))
    assert min(column for column, _ in [*places, *through]) == 0


def batchnorm_record(dtype="float64", shape=(16, 5), offset=3.0, upstream=1.0):
    rng = np.random.default_rng(0)
    bn = nn.BatchNorm1d(shape[1]).to(getattr(mt, dtype))
    x = mt.tensor((rng.normal(offset, 2, shape)).astype(dtype), requires_grad=True)
    loss = (bn(x) * mt.tensor((upstream * rng.normal(1, 1, shape)).astype(dtype))).sum()
    return next(r for r in trace(loss) if type(r.op).__name__ == "BatchNorm")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(16, 5), (2, 3), (4, 3, 6)])
@pytest.mark.parametrize("offset", [0.0, 3.0, 1000.0])
def test_batchnorm_paths_and_directions(dtype, shape, offset):
    record = batchnorm_record(dtype, shape, offset)
    about = batchnorm.explained(record)
    dx = next(v.array for v in record.gradients if v.name == "dx")
    eps = np.finfo(dtype).eps
    m, size = record.op.m, sum(np.abs(p).max() for p in about["paths"].values())
    np.testing.assert_allclose(sum(about["paths"].values()), dx, rtol=0, atol=2 * (m + 3) * eps * size)
    left = about["directions"]["what is left"] * (record.op.gamma * record.op.inv_std).reshape(record.op.shape)
    np.testing.assert_allclose(left, dx, rtol=0, atol=2 * (m + 3) * eps * size)
    assert batchnorm.is_orthogonal(about["channels"])
    assert np.abs(about["channels"]["cos(dy, 1)"]).max() > 0.1


@pytest.mark.parametrize("upstream", [1e-44, 1e-40, 1e-30, 0.0, 1e30])
def test_batchnorm_of_tiny_and_huge_gradients(upstream):
    """Where numbers are as small as float32 has them, rounding is not relative any more; that is no false alarm."""
    about = batchnorm.explained(batchnorm_record("float32", (16, 50), upstream=upstream))
    assert batchnorm.is_orthogonal(about["channels"])


@pytest.mark.parametrize("forgotten", ["mean", "x_hat", "sign"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_wrong_dx_is_not_called_orthogonal(forgotten, dtype):
    record = batchnorm_record(dtype)
    op, dy = record.op, record.dy[0].array
    mean = (dy.sum(op.axes) / op.m).reshape(op.shape)
    along = op.x_hat * ((dy * op.x_hat).sum(op.axes) / op.m).reshape(op.shape)
    wrong = {"mean": dy - along, "x_hat": dy - mean, "sign": dy - mean + along}[forgotten]
    dx = wrong * (op.gamma * op.inv_std).reshape(op.shape)
    channels = batchnorm.explained(record)["channels"]
    cosines = {
        "cos(dx, 1)": batchnorm.cosine(dx, np.ones_like(dx), op.axes),
        "cos(dx, x_hat)": batchnorm.cosine(dx, op.x_hat, op.axes),
    }
    assert not batchnorm.is_orthogonal({**channels, **cosines})
    next(v for v in record.gradients if v.name == "dx").array = dx
    with pytest.raises(RuntimeError, match="the three paths do not sum to dx"):
        batchnorm.explained(record)
