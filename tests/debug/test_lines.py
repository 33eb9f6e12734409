"""Lines of the forward pass, modules, cells of notebooks, and the notes on exceptions."""

import gc
import sys
import textwrap
import weakref

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import debug, engine, nn
from minitorch_bn.debug.patches import Patches
from minitorch_bn.debug.weak import WeakTable
from minitorch_bn.engine import apply
from tests.ops import checks
from tests.ops.cases import CASES

plain_apply = engine.apply


def here():
    """The number of the caller's line."""
    return sys._getframe(1).f_lineno


# ---- lines


def test_lines_of_a_script_and_of_the_experiments():
    x = mt.ones(3, requires_grad=True)
    with debug.remember_lines():
        y, number = x.exp(), here()
        z = y * 2
    line = debug.line_of(y)
    assert (line.file, line.line, line.cell) == (__file__, number, None)
    assert line.text == "y, number = x.exp(), here()" and line.function.endswith("of_the_experiments")
    assert str(line).startswith(f"test_lines.py:{number} in ") and str(line).endswith(line.text)
    assert debug.line_of(z.op).line == number + 1 and debug.line_of(z).line == number + 1


def test_only_while_it_is_on():
    x = mt.ones(3, requires_grad=True)
    assert not debug.are_lines_remembered()
    assert debug.line_of(x.exp()) is None and debug.module_of(x.exp()) is None
    debug.remember_lines()
    try:
        assert debug.are_lines_remembered() and debug.line_of(x.exp()).line == here()
        with debug.remember_lines(False):
            assert debug.line_of(x.exp()) is None
        assert debug.line_of(x.exp()) is not None
        with debug.remember_lines(), debug.remember_lines():
            pass
        assert debug.are_lines_remembered()
    finally:
        debug.remember_lines(False)
    assert debug.line_of(x.exp()) is None


def test_everything_is_as_before_afterwards():
    modules = [module for name, module in sys.modules.items() if name.startswith("minitorch_bn")]
    owners = [engine.Variable, mt.Tensor, nn.Module, sys.modules[__name__], *modules]
    before = [dict(vars(owner)) for owner in owners]
    with pytest.raises(ZeroDivisionError), debug.remember_lines():
        assert engine.apply is not plain_apply and apply is not plain_apply
        1 / 0  # noqa: B018
    for owner, old in zip(owners, before, strict=True):
        new = vars(owner)
        changed = {name for name in new.keys() | old.keys() if new.get(name) is not old.get(name)}
        assert not changed, f"{owner}: {changed}"
    assert apply is plain_apply


def test_ops_applied_by_the_user_are_seen_too():
    class Twice(engine.Op):
        def forward(self, x):
            return 2 * x

        def backward(self, dy):
            return (2 * dy,)

    x = mt.ones(3, requires_grad=True)
    with debug.remember_lines():
        y = apply(Twice(), x)
    assert debug.line_of(y).text == "y = apply(Twice(), x)"


def test_lines_keep_nothing_alive():
    x = mt.ones(3, requires_grad=True)
    with debug.remember_lines():
        h = x.exp()
        y = (h * 2).data
    op, tensor, array = weakref.ref(h.op), weakref.ref(h), weakref.ref(y.array)
    gc.collect()
    gc.disable()
    try:
        del h, y
        assert op() is None and tensor() is None and array() is None
    finally:
        gc.enable()


def test_lines_survive_backward_with_a_kept_graph_only():
    x = mt.ones((), requires_grad=True)
    with debug.remember_lines():
        y = x.exp()
    y.backward(retain_graph=True)
    assert debug.line_of(y) is not None
    y.backward()
    assert debug.line_of(y) is None


def test_in_place_writes_have_lines():
    x = mt.ones(3, requires_grad=True)
    with debug.remember_lines():
        y = x * 2
        y += 1
        y[0] = x[1]
    assert [debug.line_of(t).text for t in engine.graph(y)] == ["y[0] = x[1]", "y[0] = x[1]", "y += 1", "y = x * 2"]


# ---- modules


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)
        self.bn = nn.BatchNorm1d(3)

    def forward(self, x):
        return self.bn(self.fc(x)).tanh()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([Block(), Block()])

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x * 2


def test_modules_have_dotted_names():
    net = Net()
    with debug.remember_lines():
        y = net(mt.randn(4, 3)).sum()
    names = [debug.module_of(t) for t in engine.graph(y)]
    block = ["", ".bn", ".fc"]
    assert names == [None, "", *(f"blocks.1{part}" for part in block), *(f"blocks.0{part}" for part in block)]
    lines = [debug.line_of(t).text for t in engine.graph(y)]
    assert lines[:3] == ["y = net(mt.randn(4, 3)).sum()", "return x * 2", "return self.bn(self.fc(x)).tanh()"]


def test_modules_that_fail_leave_no_trace():
    net = Net()
    with debug.remember_lines():
        with pytest.raises(RuntimeError):
            net(mt.randn(4, 5))
        y = mt.randn(3, requires_grad=True).sum()
        assert debug.module_of(y) is None
        z = net.blocks[0](mt.randn(4, 3))
    assert debug.module_of(z) == "" and debug.lines.module_class_of(z) == "Block"


# ---- notebooks


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


def run_cell(shell, source):
    """Run a cell, and give its namespace."""
    with pytest.MonkeyPatch.context() as patch:  # IPython shows the value of a cell, and takes over the display
        patch.setattr(sys, "displayhook", sys.displayhook)
        result = shell.run_cell(textwrap.dedent(source), store_history=True)
    result.raise_error()
    return shell.user_ns


def test_cells_of_a_notebook(shell):
    run_cell(shell, "import minitorch_bn as torch\nfrom minitorch_bn import debug")
    run_cell(shell, "debug.remember_lines()\nx = torch.ones(2, requires_grad=True);")
    try:
        run_cell(shell, "def f(x):\n    return x.exp() * 2\n")
        names = run_cell(shell, "y = f(x)\n\nz = y.sum()")
    finally:
        debug.remember_lines(False)
    inner, outer = debug.line_of(names["y"]), debug.line_of(names["z"])
    assert (inner.cell, inner.line, inner.function, inner.text) == (3, 2, "f", "return x.exp() * 2")
    assert (outer.cell, outer.line) == (4, 3) and str(outer) == "cell In[4], line 3: z = y.sum()"


# ---- notes on exceptions


class Fails(engine.Op):
    def forward(self, x):
        if x.ndim == 2:
            raise ValueError("no matrices")
        return x + 1

    def backward(self, dy):
        return (dy @ np.ones((7, 7)),)


def notes_of(error):
    """The notes of an exception as one text."""
    if sys.version_info >= (3, 11):
        return "\n".join(error.__notes__)
    return "\n".join(a for a in error.args if isinstance(a, str) and a.startswith("minitorch_bn: "))


@pytest.mark.parametrize("walk", ["method", "function", "grad"])
def test_backward_errors_name_the_op_its_shapes_and_the_forward_line(walk):
    x = mt.ones(3, requires_grad=True)
    with debug.remember_lines():
        y, number = apply(Fails(), x).sum(), here()
        with pytest.raises(ValueError, match="matmul") as caught:
            if walk == "method":
                y.backward()
            elif walk == "function":
                mt.autograd.backward(y)
            else:
                mt.autograd.grad(y, x)
    text = notes_of(caught.value)
    assert "in the backward of Fails, inputs (3,), dy (3,)" in text and f"test_lines.py:{number}" in text
    assert text.count("minitorch_bn: ") == 1


def test_backward_errors_under_anomaly_detection_have_notes():
    x = mt.ones(3, requires_grad=True)
    with debug.remember_lines(), mt.autograd.detect_anomaly():
        with pytest.raises(ValueError, match="matmul") as caught:
            apply(Fails(), x).sum().backward()
    assert "in the backward of Fails" in notes_of(caught.value)


def test_forward_errors_name_the_op_its_shapes_and_the_line():
    with debug.remember_lines(), pytest.raises(ValueError, match="no matrices") as caught:
        apply(Fails(), mt.ones(2, 3))
    text = notes_of(caught.value)
    assert "in the forward of Fails, inputs (2, 3)" in text and "apply(Fails(), mt.ones(2, 3))" in text


def test_shape_mismatch_in_a_module_names_the_module():
    net = Net()
    with debug.remember_lines(), pytest.raises(RuntimeError, match="shapes cannot be multiplied") as caught:
        net(mt.randn(4, 5))
    text = notes_of(caught.value)
    assert "in the forward of module Linear 'blocks.0.fc', arguments (4, 5)" in text
    assert "return self.bn(self.fc(x)).tanh()" in text and text.count("minitorch_bn: ") == 1


def test_without_it_errors_stay_as_they_are():
    x = mt.ones(3, requires_grad=True)
    with pytest.raises(ValueError, match="matmul") as caught:
        apply(Fails(), x).sum().backward()
    assert not getattr(caught.value, "__notes__", ())


def test_errors_of_walks_keep_their_types():
    x = mt.ones(3, requires_grad=True)
    with debug.remember_lines():
        with pytest.raises(RuntimeError, match="only for scalar outputs"):
            (x * 2).backward()
        y = (x * 2).sum()
        y.backward()
        with pytest.raises(RuntimeError, match="second time"):
            y.backward()
        with pytest.raises(RuntimeError, match="does not require grad"):
            mt.ones(()).backward()


# ---- the helpers


def test_weak_table_tells_equal_tensors_apart():
    table, a, b = WeakTable(), mt.ones(2), mt.ones(2)
    table[a] = "a"
    assert table.get(a) == "a" and table.get(b) is None and table.get(b, "none") == "none"
    table[a] = "new"
    assert table.get(a) == "new" and len(table) == 1
    del a
    assert len(table) == 0


def test_patches_are_undone_in_reverse_order():
    class Owner:
        kept = 1

    patches = Patches()
    patches.attribute(Owner, "kept", 2)
    patches.attribute(Owner, "kept", 3)
    patches.attribute(Owner, "new", 4)
    assert (Owner.kept, Owner.new) == (3, 4)
    patches.undo()
    assert Owner.kept == 1 and not hasattr(Owner, "new")


@pytest.mark.parametrize("op", sorted({case.op for case in CASES if case.grad}))
def test_remembering_changes_no_number(op):
    for case in CASES:
        if case.op == op and case.grad:
            with np.errstate(all="ignore"):
                plain = checks.run(mt, case, case.arrays())
                with debug.remember_lines():
                    remembered = checks.run(mt, case, case.arrays())
            for a, b in zip([*plain[0], *plain[1]], [*remembered[0], *remembered[1]], strict=True):
                assert (a is None and b is None) or a.tobytes() == b.tobytes(), case.name
