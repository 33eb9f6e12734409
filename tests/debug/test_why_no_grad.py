"""why_no_grad names the cause and the line where the graph was cut, in scripts and in notebooks."""

import linecache
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import debug, nn

ROOT = Path(__file__).resolve().parents[2]

# What cuts `loss` off from `w`, and the cause. The guilty line ends with "# here". `v` is another leaf.
CAUSES = {
    "data": """
        h = w * 2
        loss = ((h.data + v) ** 2).sum()  # here
        """,
    "detach": """
        h = (w * 2).exp()
        h = h.detach()  # here
        loss = (h * v).tanh().sum()
        """,
    "detach in place": """
        h = w * 2
        h.detach_()  # here
        loss = (h * v).sum()
        """,
    "no_grad": """
        with torch.no_grad():
            h = w * 2  # here
        loss = (h * v).sum()
        """,
    "no_grad in a function": """
        @torch.no_grad()
        def features(w):
            return w.tanh()  # here
        loss = (features(w) * v).sum()
        """,
    "rebuilt": """
        h = torch.tensor((w * 2).tolist())
        h = torch.as_tensor([x for x in w])  # here
        loss = (h * v).sum()
        """,
    "rebuilt by Parameter": """
        layer = torch.nn.Linear(3, 1)
        layer.weight = torch.nn.Parameter((w * 2).reshape(1, 3))  # here
        loss = layer(v).sum()
        """,
    "rebuilt from .array": """
        h = torch.Tensor(w.array * 1)
        h = torch.from_numpy(w.array)  # here
        loss = (h * v).sum()
        """,
    "array": """
        a = w.detach().numpy()  # here
        loss = (torch.tensor(np.exp(a)) * v).sum()
        """,
    "array by NumPy": """
        h = (w * 2).detach()
        a = np.log1p(np.asarray(h) ** 2)  # here
        loss = (torch.tensor(a) * v).sum()
        """,
    "number": """
        scale = (w * 2).sum().item()  # here
        loss = (v * scale).sum()
        """,
    "number by float": """
        scale = float(w.sum())  # here
        loss = (v * scale).sum()
        """,
    "number by tolist": """
        numbers = (w * 2).tolist()  # here
        loss = sum(v * x for x in numbers).sum()
        """,
    "integer": """
        best = (w * 2).argmax()  # here
        loss = v[best]
        """,
    "integer index": """
        rows = w.long() % 3  # here
        loss = v[rows].sum()
        """,
    "integer by comparison": """
        mask = w > 0  # here
        loss = (v * mask).sum()
        """,
    "integer by conversion": """
        h = (w * 2).int()  # here
        loss = (v * h.float()).sum()
        """,
    "in place": """
        h = torch.zeros(3)
        with torch.no_grad():
            h.copy_(w)  # here
        loss = (h * v).sum()
        """,
    "in place into .data": """
        h = torch.zeros(3)
        with torch.no_grad():
            h.data += w  # here
        loss = (h * v).sum()
        """,
    "in place by index": """
        h = torch.zeros(3)
        with torch.no_grad():
            h[...] = w  # here
        loss = (h * v).sum()
        """,
    "late": """
        w.requires_grad_(False)
        h = w * 2  # here
        loss = (h * v).sum()
        w.requires_grad_(True)
        """,
}
KINDS = ("data", "detach", "no_grad", "rebuilt", "array", "number", "integer", "in place", "late")


def program(name):
    """The lines of a program, the number of the guilty line, and the cause, with which its name begins."""
    lines = textwrap.dedent(CAUSES[name]).strip().splitlines()
    (guilty,) = (i for i, line in enumerate(lines, 1) if line.endswith("# here"))
    cause = next(cause for cause in KINDS if name.startswith(cause))
    return lines, guilty, cause


def run(name):
    """Run a program as a script of its own; gives w, loss, the guilty line and the cause."""
    lines, number, cause = program(name)
    file = f"script_{name}.py".replace(" ", "_")
    linecache.cache[file] = (None, None, [line + "\n" for line in lines], file)
    w = mt.tensor([0.3, -0.2, 1.4], requires_grad=True)
    space = {"torch": mt, "np": np, "w": w, "v": mt.tensor([1.0, 2.0, 3.0], requires_grad=True)}
    exec(compile("\n".join(lines), file, "exec"), space)
    return w, space["loss"], (file, number, lines[number - 1].strip()), cause


@pytest.mark.parametrize("name", CAUSES)
def test_cause_and_line(name):
    with debug.remember_lines():
        w, loss, (file, number, text), cause = run(name)
    reason = debug.why_no_grad(w, loss)
    assert reason.cause == cause
    assert (reason.line.file, reason.line.line, reason.line.text) == (file, number, text)
    assert text in repr(reason) and repr(reason).startswith(f"{reason.cause}: ")
    loss.backward()  # afterwards it says the same
    assert w.grad is None
    again = debug.why_no_grad(w, loss)
    assert (again.cause, again.line) == (reason.cause, reason.line)


@pytest.mark.parametrize("name", CAUSES)
def test_without_lines_it_says_how_to_get_them(name):
    w, loss, _, _ = run(name)
    reason = debug.why_no_grad(w, loss)
    assert reason.cause == "unknown" and "debug.remember_lines()" in reason.text and reason.line is None
    loss.backward()
    assert "debug.remember_lines()" in debug.why_no_grad(w, loss).text


def test_a_function_as_loss():
    w, v = mt.ones(3, requires_grad=True), mt.ones(3, requires_grad=True)

    def compute_loss():
        h = (w * 2).detach()
        return (h * v).sum()

    reason = debug.why_no_grad(w, compute_loss)
    assert reason.cause == "detach" and reason.line.text == "h = (w * 2).detach()"
    assert not debug.are_lines_remembered()


def test_never_used():
    w, v = mt.ones(3, requires_grad=True), mt.ones(3, requires_grad=True)
    with debug.remember_lines():
        loss = (v * 2).sum()
        unused = (w * 3).sum()
    for tensor in (w, unused, mt.ones(2, requires_grad=True)):
        reason = debug.why_no_grad(tensor, loss)
        assert reason.cause == "never used" and reason.line.text == "loss = (v * 2).sum()"


def test_logged_numbers_are_no_cut():
    w, v = mt.ones(3, requires_grad=True), mt.ones(3, requires_grad=True)
    with debug.remember_lines():
        logged = (w * 3).sum()
        text = f"{logged:.3f}"
        first = (w * 2).sum()
        first.item()
        first.backward()
        loss = (v * 2).sum()
        logged.item()
    assert text == "9.000"
    w.grad = None
    assert debug.why_no_grad(w, loss).cause == "never used"


def test_several_paths_are_all_named():
    w, v = mt.ones(3, requires_grad=True), mt.ones(3, requires_grad=True)
    with debug.remember_lines():
        a = w.detach() * v
        b = (w * 2).data * v
        loss = (a + b).sum()
    reason = debug.why_no_grad(w, loss)
    assert [r.cause for r in (reason, *reason.more)] == ["detach", "data"]
    assert "and: data" in repr(reason)


def test_one_open_path_is_enough():
    w, v = mt.ones(3, requires_grad=True), mt.ones(3, requires_grad=True)
    with debug.remember_lines():
        loss = (w.detach() * v + w).sum()
    assert debug.why_no_grad(w, loss).cause == "not walked"
    loss.backward()
    assert debug.why_no_grad(w, loss).cause == "has gradient"


@pytest.mark.parametrize("lines", [True, False])
def test_not_retained(lines):
    w = mt.ones(3, requires_grad=True)
    with debug.remember_lines(lines):
        h = w * 2
        loss = h.sum()
    line = "h = w * 2" if lines else None
    for _ in range(2):
        reason = debug.why_no_grad(h, loss)
        assert reason.cause == "not retained" and "retain_grad()" in reason.text
        assert (reason.line and reason.line.text) == line
        loss.backward(retain_graph=True)
    loss.backward()
    reason = debug.why_no_grad(h, loss)
    assert reason.cause == "not retained" and (reason.line and reason.line.text) == line


def test_retained():
    w = mt.ones(3, requires_grad=True)
    h = w * 2
    h.retain_grad()
    loss = h.sum()
    assert debug.why_no_grad(h, loss).cause == "not walked"
    loss.backward(retain_graph=True)
    assert debug.why_no_grad(h, loss).cause == "has gradient"
    assert debug.why_no_grad(w, loss).cause == "has gradient"


@pytest.mark.parametrize("lines", [True, False])
def test_freed(lines):
    w = mt.ones(3, requires_grad=True)
    with debug.remember_lines(lines):
        h = w * 2
        first = h.sum()
        first.backward()
        loss = (h * 3).sum()
    reason = debug.why_no_grad(w, loss)
    assert reason.cause == "freed" and "retain_graph=True" in reason.text
    assert (reason.line and reason.line.text) == ("first.backward()" if lines else None)


def test_gradient_set_to_none_after_the_walk():
    w = mt.ones(3, requires_grad=True)
    with debug.remember_lines():
        loss = (w * 2).sum()
        loss.backward()
    assert debug.why_no_grad(w, loss).cause == "has gradient"
    w.grad = None
    reason = debug.why_no_grad(w, loss)
    assert reason.cause == "freed" and "set to None" in reason.text and reason.line.text == "loss.backward()"


def test_requires_grad_is_false():
    w = mt.ones(3)
    v = mt.ones(3, requires_grad=True)
    reason = debug.why_no_grad(w, (w * v).sum())
    assert reason.cause == "requires_grad" and "requires_grad_()" in reason.text
    with debug.remember_lines():
        h = w * 2
        loss = (h * v).sum()
    reason = debug.why_no_grad(h, loss)
    assert reason.cause == "requires_grad" and reason.line.text == "h = w * 2"
    net = nn.Linear(3, 1).requires_grad_(False)
    assert debug.why_no_grad(net.weight, (net(v)).sum()).cause == "requires_grad"


def test_the_tensor_itself_was_cut_off():
    w, v = mt.ones(3, requires_grad=True), mt.ones(3, requires_grad=True)
    with debug.remember_lines():
        h = (w * 2).detach()
        i = w.argmax()
        loss = (h * v).sum()
    reason = debug.why_no_grad(h, loss)
    assert reason.cause == "detach" and reason.line.text == "h = (w * 2).detach()"
    reason = debug.why_no_grad(i, loss)
    assert reason.cause == "integer" and "int64" in reason.text and reason.line.text == "i = w.argmax()"


def test_a_gradient_of_zeros():
    w = mt.full((3,), -1.0, requires_grad=True)
    loss = w.relu().sum()
    loss.backward(retain_graph=True)
    reason = debug.why_no_grad(w, loss)
    assert reason.cause == "zero" and "dead ReLU" in reason.text


def test_former_selves_are_found():
    w, v = mt.ones(3, requires_grad=True), mt.ones(3, requires_grad=True)
    h = w * 2
    y = h.exp()
    h += v
    loss = (y + h).sum()
    assert [debug.why_no_grad(t, loss).cause for t in (w, v)] == ["not walked", "not walked"]
    assert debug.why_no_grad(h, loss).cause == "not retained"


def test_functions_with_several_results():
    class Two(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, a, b):
            return 2 * a + 3 * b

    w = mt.ones(3, requires_grad=True)
    with debug.remember_lines():
        a, b = Two.apply(w)
        loss = (a + b.detach()).sum()
        cut = (a.detach() * mt.ones(3, requires_grad=True)).sum()
    assert debug.why_no_grad(w, loss).cause == "not walked"
    assert debug.why_no_grad(w, cut).cause == "detach"


def test_a_network_with_a_planted_cut():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.bn, self.fc2 = nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)

        def forward(self, x):
            h = self.bn(self.fc1(x))
            h = h.data.tanh()
            return self.fc2(h)

    net, x = Net(), mt.randn(8, 3)
    reason = debug.why_no_grad(net.fc1.weight, lambda: nn.functional.mse_loss(net(x), mt.zeros(8, 1)))
    assert reason.cause == "data" and reason.line.text == "h = h.data.tanh()"
    reason = debug.why_no_grad(net.fc2.weight, lambda: net(x).mean())
    assert reason.cause == "not walked"


@pytest.mark.parametrize(
    ("tensor", "loss", "match"),
    [
        (3.0, mt.ones(()), "got float as tensor"),
        (mt.ones(3), 3.0, r"got float as loss, wanted a Tensor.*\.item\(\)"),
        (mt.ones(3), lambda: 3.0, "got float as loss"),
        (None, mt.ones(()), "got NoneType as tensor"),
    ],
)
def test_errors(tensor, loss, match):
    with pytest.raises(TypeError, match=f"why_no_grad: {match}"):
        debug.why_no_grad(tensor, loss)
    assert not debug.are_lines_remembered()


# ---- where people work


def test_in_a_script(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(
        textwrap.dedent("""
        import minitorch_bn as torch
        from minitorch_bn import debug

        w = torch.ones(3, requires_grad=True)

        def compute_loss():
            h = w * 2
            with torch.no_grad():
                h = h.tanh()
            return h.sum()

        print(debug.why_no_grad(w, compute_loss))
        """),
        encoding="utf-8",
    )
    out = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True, cwd=tmp_path, env=_with_package()
    )
    assert out.stdout.splitlines()[1] == "  at train.py:10 in compute_loss: h = h.tanh()"
    assert out.stdout.startswith("no_grad: Tanh ran under no_grad")


def _with_package():
    """The environment, in which the package can be imported."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def shell():
    """An IPython shell, as a notebook has one."""
    interactiveshell = pytest.importorskip("IPython.core.interactiveshell")
    if interactiveshell.InteractiveShell.initialized():
        pytest.skip("the tests run in IPython")
    shell = interactiveshell.InteractiveShell.instance(history_manager=None)
    yield shell
    interactiveshell.InteractiveShell.clear_instance()
    for prompt in {"ps1", "ps2", "ps3"} & set(vars(sys)):  # the shell makes these, as if this were a session
        delattr(sys, prompt)


@pytest.mark.parametrize("name", CAUSES)
def test_in_a_notebook(shell, name):
    lines, number, _ = program(name)
    cells = [
        "import numpy as np\nimport minitorch_bn as torch\nfrom minitorch_bn import debug\ndebug.remember_lines();",
        "w = torch.tensor([0.3, -0.2, 1.4], requires_grad=True)\nv = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)",
        "\n".join(lines),
        "reason = debug.why_no_grad(w, loss)",
    ]
    try:
        for cell in cells:
            shell.run_cell(cell, store_history=True).raise_error()
    finally:
        debug.remember_lines(False)
    line = shell.user_ns["reason"].line
    assert (line.cell, line.line, line.text) == (3, number, lines[number - 1].strip())
    assert f"at cell In[3], line {number}" in repr(shell.user_ns["reason"])
