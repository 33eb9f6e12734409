"""Scripts in the style of the lessons print the same in PyTorch and, with only the import lines changed, here.

Every script in scripts/ runs in two fresh processes. To add one, put it there: it may import torch and the standard
library, must print what it found, and be done in a few seconds.
"""

import ast
import functools
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .compare_text import compare_texts, numbers_that_differ

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = {path.stem: path for path in sorted(Path(__file__).with_name("scripts").glob("*.py"))}
TORCH_MODULES = {
    "torch",
    "torch.autograd",
    "torch.nn",
    "torch.nn.functional",
    "torch.nn.modules.batchnorm",
    "torch.nn.utils.fusion",
    "torch.optim",
    "torch.optim.lr_scheduler",
    "torch.optim.swa_utils",
    "torch.utils.data",
}


def translate(text):
    """The script with `torch` in its import lines replaced by `minitorch_bn`."""
    text = re.sub(r"^import torch$", "import minitorch_bn as torch", text, flags=re.M)
    return re.sub(r"^(import|from) torch\b", r"\1 minitorch_bn", text, flags=re.M)


@functools.cache
def output_of(text):
    """What a script prints, in a fresh process; it must end well and say nothing on standard error."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "script.py"
        file.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(file)],
            check=False,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            timeout=300,
        )
    assert (done.returncode, done.stderr) == (0, ""), f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def outputs_of(ours, theirs):
    """Both at once, on two cores."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(output_of, (ours, theirs)))


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_prints_the_same(torch, name, measured):
    text = SCRIPTS[name].read_text(encoding="utf-8")
    ours, theirs = outputs_of(translate(text), text)
    assert len(theirs.splitlines()) >= 10
    compare_texts(ours, theirs)
    differ, of = numbers_that_differ(ours, theirs)
    measured(f"script {name}: {len(theirs.splitlines())} lines agree; {differ} of {of} numbers in another last digit")


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_is_plain_pytorch(name):
    text = SCRIPTS[name].read_text(encoding="utf-8")
    tree = ast.parse(text)
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert "torch" in imported and imported - TORCH_MODULES <= sys.stdlib_module_names
    changed = [(a, b) for a, b in zip(text.splitlines(), translate(text).splitlines(), strict=True) if a != b]
    assert len(changed) == len(re.findall(r"\b(?:import|from) torch\b", text)) and "minitorch_bn" not in text
    assert all(a.startswith(("import torch", "from torch")) and "minitorch_bn" in b for a, b in changed)


def test_there_are_enough_scripts():
    assert len(SCRIPTS) >= 45


# What is broken, on our side only, must be noticed: in the script, or in the package below it.
AFTER_IMPORT = "import minitorch_bn as torch\n"
BREAKS = {
    "seed": ("02_batchnorm_by_hand", "torch.manual_seed(42)", "torch.manual_seed(43)"),
    "generator": ("05_sampling", "manual_seed(2147483647)", "manual_seed(2147483646)"),
    "divisor": ("02_batchnorm_by_hand", ".std(0, keepdim=True)\n    h", ".std(0, False, keepdim=True)\n    h"),
    "rate": ("10_convnet", "lr=0.05", "lr=0.051"),
    "tanh": (
        "06_classes",
        AFTER_IMPORT,
        AFTER_IMPORT + "torch.ops.activation.Tanh.backward = lambda self, dy: (dy * (1 - self.y),)\n",
    ),
    "momentum": (
        "08_module",
        AFTER_IMPORT,
        AFTER_IMPORT + "plain = torch.ops.batch_norm\n"
        "torch.ops.batch_norm = lambda x, m, v, g, b, t, momentum, eps: plain(x, m, v, g, b, t, momentum * 1.1, eps)\n",
    ),
    "projection": (
        "34_resnet_groupnorm",
        AFTER_IMPORT,
        AFTER_IMPORT + "torch.ops.groupnorm.GroupNorm.normalise_backward = "
        "lambda self, dx_hat: self.inv_std * (dx_hat - self.mean_of(dx_hat))\n",
    ),
    "gamma": (
        "38_transformer_block",
        AFTER_IMPORT,
        AFTER_IMPORT + "plain = torch.ops.layernorm.LayerNorm.backward\n"
        "torch.ops.layernorm.LayerNorm.backward = lambda self, dy: (plain(self, dy)[0] * 1.01, *plain(self, dy)[1:])\n",
    ),
    "average": ("36_weight_averaging", "get_ema_multi_avg_fn(0.9), use", "get_ema_multi_avg_fn(0.89), use"),
    "eps": ("41_folding", "bn.running_var + bn.eps", "bn.running_var"),
    "decay": ("40_no_decay_on_norms", "isinstance(m, norms)", "isinstance(m, norms[2:])"),
    "frozen": ("35_frozen_batchnorm", "            m.eval()\n            for p", "            for p"),
}


@pytest.mark.parametrize("what", BREAKS)
def test_what_is_broken_is_noticed(torch, what):
    name, old, new = BREAKS[what]
    text = SCRIPTS[name].read_text(encoding="utf-8")
    broken = translate(text).replace(old, new)
    assert broken != translate(text)
    ours, theirs = outputs_of(broken, text)
    with pytest.raises(AssertionError, match=r"line \d+: got"):
        compare_texts(ours, theirs)


TEXT = """tensor([ 0.1234, -0.0000, 12.0000], grad_fn=<AddBackward0>) torch.float32
BatchNorm1d(30, eps=1e-05, momentum=0.1) 250/500: 2.3026
2.5287413597106934 6.009570e-02 marie
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.1234", "0.1233"),
        ("-0.0000", " 0.0000"),
        ("12.0000", "11.9999"),
        ("2.3026", "2.3027"),
        ("2.5287413597106934", "2.528741597"),
        ("6.009570e-02", "6.009569e-02"),
    ],
)
def test_comparer_forgives_rounding(old, new):
    assert TEXT.count(old) == 1
    compare_texts(TEXT.replace(old, new), TEXT)
    assert numbers_that_differ(TEXT.replace(old, new), TEXT)[0] == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.1234", "0.1236"),
        ("0.1234", "0.1244"),
        ("0.1234", "0.123"),
        ("[ 0.1234", "[-0.1234"),
        ("[ 0.1234", "[0.1234"),
        ("12.0000", "12."),
        ("float32", "float64"),
        ("eps=1e-05", "eps=1e-06"),
        ("momentum=0.1", "momentum=0.2"),
        ("250/500", "251/500"),
        ("2.3026", "2.4026"),
        ("2.5287", "2.5291"),
        ("e-02", "e-03"),
        ("AddBackward0", "MulBackward0"),
        ("marie", "maria"),
        (" marie", ""),
        ("\n2.5", "\n\n2.5"),
        ("marie\n", "marie\nmore\n"),
        ("[ 0.1234, -0.0000", "[ 0.1234"),
    ],
)
def test_comparer_sees_what_differs(old, new):
    assert TEXT.count(old) == 1
    for ours, theirs in ((TEXT.replace(old, new), TEXT), (TEXT, TEXT.replace(old, new))):
        with pytest.raises(AssertionError):
            compare_texts(ours, theirs)
