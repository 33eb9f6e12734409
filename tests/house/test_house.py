"""The rules of the house (ARCHITECTURE.md) as tests: sizes, import arrows, what the engine must not hold, who writes.

A rule is a function from files, {path from the root of the repository: text}, to a list of complaints, each with file,
line, what was got and what was wanted. `test_rule` runs every rule on the repository; `test_rule_finds` runs it on a
small bad example, `test_rule_accepts` on a good one that looks alike. To change a rule, change its table or its number
here, and say why in ARCHITECTURE.md.
"""

import ast
import functools
import io
import re
import subprocess
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

ENGINE = "minitorch_bn/engine.py"
ENGINE_LINES, FILE_LINES, OP_LINES = 150, 300, 40  # code lines: not blank, not comment, not docstring

# Who may import what. A layer that stands here may import only what stands beside it (and itself).
ARROWS = {
    "backend": set(),
    "dtypes": set(),
    "_cephes": set(),
    "clock": set(),
    "_mt19937": set(),
    "_safetensors": set(),
    "random": {"_cephes", "_mt19937", "backend"},
    "engine": {"backend", "clock"},
    "ops": {"backend", "dtypes", "engine", "random"},
    "inplace": {"backend", "clock", "dtypes", "engine", "ops", "random"},
    "filling": {"backend", "inplace", "ops", "random"},
    "methods": {"engine", "filling", "inplace", "ops"},
    "tensor": {"backend", "dtypes", "engine", "hooks", "methods", "ops", "printing"},
    "hooks": {"engine"},
}
# A layer that stands here may import anything but this.
ABOVE = {
    "printing": {"__init__", "nn", "optim"},
    "creation": {"__init__", "drawing", "nn", "optim", "serialization"},
    "drawing": {"__init__", "nn", "optim", "serialization"},
    "serialization": {"__init__", "optim"},
    "_torch_file": {"__init__", "optim", "serialization"},
    "autograd": {"__init__", "nn", "optim"},
    "nn": {"__init__", "optim"},
    "optim": {"__init__", "utils"},
    "utils": {"__init__", "nn", "optim"},
}
# The tools import everything; nothing imports them but one another and those that hand them to the user.
TOOLS = {"debug", "compare", "check", "fused", "distributed", "experiments"}
MAY_IMPORT_TOOLS = TOOLS | {"__init__", "__main__", "utils"}  # utils: a DistributedSampler asks for its rank

CUPY_DOORS = ("minitorch_bn/backend.py", "minitorch_bn/fused/", "minitorch_bn/distributed/")
ARRAY_WRITERS = tuple(
    f"minitorch_bn/{name}"
    for name in ("optim/", "nn/init.py", "random.py", "tensor.py", "inplace.py", "nn/batchnorm.py")  # its batch counter
)
MAY_NAME_ABSOLUTE_PATHS = ("tests/house/test_house.py", ".ci/")

# Names that begin with d and are no gradients.
NOT_GRADIENTS = {
    "data",
    "degree",
    "delta",
    "denominator",
    "depth",
    "device",
    "dilation",
    "dim",
    "dims",
    "divisor",
    "dtype",
}


# ---- reading ---------------------------------------------------------------------------------------------------------


@functools.cache
def repository():
    """Read all text files that are tracked, or would be by `git add -A`: {path: text}."""
    listing = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        paths = subprocess.run(listing, check=True, capture_output=True, text=True, encoding="utf-8").stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):  # no git, or not a checkout
        ignored = {".git", ".venv", "__pycache__", "results", "build", "dist", ".pytest_cache", ".ruff_cache"}
        found = [path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file()]
        paths = [path.as_posix() for path in found if not ignored & set(path.parts) and ".egg-info" not in str(path)]
    files = {}
    for path in sorted(paths):
        if path and (ROOT / path).is_file():
            content = (ROOT / path).read_bytes()
            try:
                files[path] = content.decode("utf-8").replace("\r\n", "\n")
            except UnicodeDecodeError:  # a picture or an archive
                continue
    return files


def sources(files, *places):
    """Give (path, text, syntax tree) of the Python files under these places."""
    for path, text in files.items():
        if path.endswith(".py") and path.startswith(places or "minitorch_bn/"):
            yield path, text, ast.parse(text, path)


def functions(tree):
    """Give (function, class that holds it or None) for every `def` of a tree, nested ones too."""
    owners = {id(child): node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for child in node.body}
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node, owners.get(id(node))


def code_lines(text):
    """Give the numbers of the lines that hold code: not blank, not only a comment, not a docstring."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            docstrings.add((node.body[0].lineno, node.body[0].col_offset))
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in silent and token.start not in docstrings:
            lines.update(range(token.start[0], token.end[0] + 1))
    return lines


def identifiers(tree):
    """Give (name, line) for every name of the code: variables, attributes, arguments, definitions, imports."""
    for node in ast.walk(tree):
        for field in ("id", "attr", "arg", "name", "module", "asname"):
            name = getattr(node, field, None)
            if isinstance(name, str):
                yield name, getattr(node, "lineno", 0)


def package_imports(path, tree, layers):
    """Give (layer, line) for every import of a part of the package; "__init__" is the package as a whole.

    Imports inside functions count; those under `if TYPE_CHECKING:` do not, since they never run.
    """
    typing_only = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            typing_only.update(id(child) for statement in node.body for child in ast.walk(statement))
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            modules = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module.split(".") if node.module else []
            if node.level:
                folder = path.split("/")[:-1]
                module = folder[: len(folder) - node.level + 1] + module
            if module == ["minitorch_bn"]:
                modules = [[*module, alias.name] if alias.name in layers else module for alias in node.names]
            else:
                modules = [module]
        else:
            continue
        for module in modules:
            if module[0] == "minitorch_bn":
                yield (module[1] if len(module) > 1 else "__init__"), node.lineno


def layer_of(path):
    """Give the part of the package that a file belongs to: "minitorch_bn/ops/batchnorm.py" is in "ops"."""
    return path.split("/")[1].removesuffix(".py")


def is_array(node):
    """Whether an expression is `x.array`, or a part of it: `x.array[i]`, `x.array.T`."""
    while isinstance(node, (ast.Subscript, ast.Attribute)):
        if isinstance(node, ast.Attribute) and node.attr == "array":
            return True
        node = node.value
    return False


def assigned(node):
    """Give the targets of an assignment, tuples taken apart."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    for target in targets:
        yield from target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]


# ---- sizes -----------------------------------------------------------------------------------------------------------


def engine_size(files):
    """engine.py can be read in one sitting."""
    if ENGINE not in files:
        return [f"{ENGINE}: is missing"]
    size = len(code_lines(files[ENGINE]))
    return [f"{ENGINE}: got {size} code lines, wanted at most {ENGINE_LINES}"] if size > ENGINE_LINES else []


def file_size(files):
    """No file of the package is long."""
    sizes = {path: len(code_lines(text)) for path, text, _ in sources(files)}
    return [
        f"{path}: got {size} code lines, wanted at most {FILE_LINES}: split it by subject"
        for path, size in sizes.items()
        if size > FILE_LINES
    ]


def op_size(files):
    """An op fits on a screen, the fused ones too."""
    classes, ops = [], {"Op"}
    for path, text, tree in sources(files, "minitorch_bn/ops/", "minitorch_bn/fused/"):
        aliases = {a.asname: a.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for a in node.names}
        lines = code_lines(text)
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                bases = [ast.unparse(base).split(".")[-1] for base in node.bases]
                classes.append((path, node, {aliases.get(base, base) for base in bases}, lines))
    while grown := {node.name for _, node, bases, _ in classes if bases & ops} - ops:
        ops |= grown
    complaints = []
    for path, node, bases, lines in classes:
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        size = len(lines & set(range(first, node.end_lineno + 1)))
        if bases & ops and size > OP_LINES:
            complaints.append(
                f"{path}:{node.lineno}: op {node.name}: got {size} code lines, wanted at most {OP_LINES}: "
                "make it two ops, or move checks into the user function"
            )
    return complaints


# ---- arrows ----------------------------------------------------------------------------------------------------------


def cupy_doors(files):
    """CuPy is imported behind three doors; everything else reaches it through NumPy's protocol."""
    complaints = []
    for path, _, tree in sources(files):
        if path.startswith(CUPY_DOORS):
            continue
        for node in ast.walk(tree):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module]
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
                modules = [
                    arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
                ]
            complaints += [
                f"{path}:{node.lineno}: got an import of {module}, wanted it only in {', '.join(CUPY_DOORS)}; "
                "elsewhere ask backend.namespace(x)"
                for module in modules
                if module.split(".")[0] in ("cupy", "cupyx", "cupy_backends")
            ]
    return complaints


def arrows(files):
    """Imports point one way: backend <- engine <- ops <- tensor <- nn <- optim, and tools above all of them."""
    layers = {layer_of(path) for path in files if path.startswith("minitorch_bn/")} | set(ARROWS) | set(ABOVE) | TOOLS
    complaints = []
    for path, _, tree in sources(files):
        layer = layer_of(path)
        for target, line in package_imports(path, tree, layers - {"__init__"}):
            wanted = ""
            if target == layer:
                continue
            if layer in ARROWS and target not in ARROWS[layer]:
                wanted = (", ".join(sorted(ARROWS[layer])) or "nothing") + " of the package"
            elif target in ABOVE.get(layer, ()):
                wanted = "what lies below it"
            elif target in TOOLS and layer not in MAY_IMPORT_TOOLS:
                wanted = "no import of a tool below the tools"
            if wanted:
                name = "the package as a whole" if target == "__init__" else target
                complaints.append(f"{path}:{line}: got {layer} -> {name}, wanted {wanted}")
    return complaints


# ---- the engine ------------------------------------------------------------------------------------------------------


def engine_words(files):
    """The engine has no weak references, threads, hooks or registries (comments and docstrings may speak of them)."""
    words = ("weakref", "thread", "hook", "registry", "register")
    found = {(line, name) for _, _, tree in sources(files, ENGINE) for name, line in identifiers(tree)}
    return [
        f"{ENGINE}:{line}: got the name {name}, wanted none with {word!r} in it"
        for line, name in sorted(found)
        for word in words
        if word in name.lower()
    ]


def engine_recursion(files):
    """No function of the engine calls itself: a chain of 50,000 ops must not meet Python's recursion limit."""
    complaints = []
    for _, _, tree in sources(files, ENGINE):
        for function, owner in functions(tree):
            name = function.name
            itself = {f"{first}.{name}" for first in ("self", "cls", owner.name)} if owner else {name}
            complaints += [
                f"{ENGINE}:{node.lineno}: got a call of {name} inside {name}, wanted a loop"
                for node in ast.walk(function)
                if isinstance(node, ast.Call) and ast.unparse(node.func) in itself
            ]
    return complaints


def engine_state(files):
    """What the engine remembers between calls: one flag, grad enabled, and the counter of serial numbers."""
    complaints = []
    for _, _, tree in sources(files, ENGINE):
        state, constants = {}, (ast.Constant, ast.Tuple, ast.Name, ast.Attribute, ast.JoinedStr, ast.BinOp, ast.UnaryOp)
        values = {}
        for node in tree.body:
            if isinstance(node, (ast.Assign, ast.AnnAssign)):
                for target in assigned(node):
                    name = ast.unparse(target)
                    values[name] = ast.unparse(node.value) if node.value else ""
                    if name != "__all__" and not isinstance(node.value, constants):
                        state[name] = node.lineno
        known = {*values, *(node.name for node in tree.body if isinstance(node, ast.ClassDef))}
        for function, _ in functions(tree):
            for node in ast.walk(function):
                if isinstance(node, ast.Global):
                    state.update((name, node.lineno) for name in node.names if name not in state)
                if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
                    for target in assigned(node):  # _mode.enabled = ..., _mode["enabled"] = ..., Op.count += 1
                        name = ast.unparse(target)
                        if isinstance(target, (ast.Attribute, ast.Subscript)) and re.match(r"\w+", name)[0] in known:
                            state.setdefault(name, node.lineno)
        counters = [name for name in state if "serial" in name or re.search(r"\bcount\(", values.get(name, ""))]
        flags = [name for name in state if name not in counters]
        if len(flags) != 1 or "grad" not in flags[0] or len(counters) > 1:
            got = ", ".join(f"{name} (line {state[name]})" for name in flags + counters) or "none"
            complaints.append(
                f"{ENGINE}: got the module-level state {got}; wanted one flag, named after grad, and one counter"
            )
    return complaints


# ---- who writes where ------------------------------------------------------------------------------------------------


def gradients_in_place(files):
    """In the backward of an op no gradient is changed in place: others may hold the same array."""

    def is_gradient(node):
        return isinstance(node, ast.Name) and node.id not in NOT_GRADIENTS and re.fullmatch(r"d[A-Za-z]\w*", node.id)

    complaints = []
    for path, _, tree in sources(files, "minitorch_bn/ops/"):
        for function in (function for function, _ in functions(tree) if function.name == "backward"):
            given = {argument.arg for argument in function.args.args} - {"self"}
            for node in ast.walk(function):
                bad = []
                if isinstance(node, (ast.Assign, ast.AugAssign)):
                    for target in assigned(node):
                        part_of_given = isinstance(target, ast.Subscript) and ast.unparse(target.value) in given
                        if part_of_given or (isinstance(node, ast.AugAssign) and is_gradient(target)):
                            bad.append(target)
                elif isinstance(node, ast.keyword) and node.arg == "out" and is_gradient(node.value):
                    bad.append(node.value)
                complaints += [
                    f"{path}:{target.lineno}: got {ast.unparse(target)} changed in place, wanted a new array: "
                    "dx = dx + ..., not dx += ..."
                    for target in bad
                ]
    return complaints


def array_writers(files):
    """Arrays of tensors are written by the optimisers, nn/init.py, random and the in-place methods of Tensor, only.

    What it cannot see: a write through another name (`a = p.array; a -= step`).
    """
    writing_functions = ("copyto", "place", "put", "putmask", "scatter_add", ".at")
    writing_methods = ("fill", "sort", "put", "partition", "resize", "itemset")
    complaints = []
    for path, _, tree in sources(files):
        if path.startswith(ARRAY_WRITERS):
            continue
        for node in ast.walk(tree):
            written = []
            if isinstance(node, ast.AugAssign):
                written = [node.target]
            elif isinstance(node, ast.Assign):
                written = [target for target in assigned(node) if isinstance(target, ast.Subscript)]
            elif isinstance(node, ast.Call):
                written = [keyword.value for keyword in node.keywords if keyword.arg == "out"]
                if ast.unparse(node.func).endswith(writing_functions):
                    written += node.args[:1]
                if isinstance(node.func, ast.Attribute) and node.func.attr in writing_methods:
                    written.append(node.func.value)
            complaints += [
                f"{path}:{target.lineno}: got a write into {ast.unparse(target)}, wanted an in-place method of Tensor "
                f"(copy_, add_, ...); arrays are written in {', '.join(ARRAY_WRITERS)} only"
                for target in written
                if is_array(target)
            ]
    return complaints


# ---- the repository --------------------------------------------------------------------------------------------------


def ops_have_tests(files):
    """For ops/NAME.py there is tests/ops/test_NAME.py, or NAME stands in tests/ops/cases*.py."""
    cases = "\n".join(text for path, text in files.items() if re.fullmatch(r"tests/ops/cases.*\.py", path))
    complaints = []
    for path, _, _ in sources(files, "minitorch_bn/ops/"):
        name = path.removeprefix("minitorch_bn/ops/").removesuffix(".py")
        tested = f"tests/ops/test_{name}.py" in files or re.search(rf"(?<![a-zA-Z0-9]){name}(?![a-zA-Z0-9])", cases)
        if name != "__init__" and not tested:
            complaints.append(f"{path}: got no test, wanted tests/ops/test_{name}.py or {name} in tests/ops/cases*.py")
    return complaints


def docstrings(files):
    """Every public function and class of the package says what it is."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [
        f"{path}:{node.lineno}: got {node.name} without a docstring, wanted at least one sentence"
        for path, _, tree in sources(files)
        for node in tree.body
        if isinstance(node, kinds) and not node.name.startswith("_") and not (ast.get_docstring(node) or "").strip()
    ]


def absolute_paths(files):
    """No file names a folder of the machine that it was written on."""
    path_of_a_machine = re.compile(r"(?:(?<![\w+/.~<}-])|(?<=file://))/(?:work|root|tmp|home)(?![\w+-])")
    return [
        f"{path}:{number}: got {match[0]!r} in {line.strip()[:80]!r}, wanted a path relative to the repository"
        for path, text in files.items()
        if not path.startswith(MAY_NAME_ABSOLUTE_PATHS)
        for number, line in enumerate(text.split("\n"), 1)
        if (match := path_of_a_machine.search(line))
    ]


# ---- the tests -------------------------------------------------------------------------------------------------------

RULES = [
    engine_size, file_size, op_size,
    cupy_doors, arrows,
    engine_words, engine_recursion, engine_state,
    gradients_in_place, array_writers,
    ops_have_tests, docstrings, absolute_paths,
]  # fmt: skip

LONG_OP = "class Tanh(Op):\n    def forward(self, x):\n" + "        x = x\n" * 39
OP_MODULE = "minitorch_bn/ops/linear.py"
LONG_FUSED_OP = "from ..ops.linear import Tanh as Readable\n" + LONG_OP.replace("Tanh(Op)", "Fast(Readable)")
STATE = "import itertools\n_serials = itertools.count()\n_grad_enabled = True\n"

# rule, file, a text that breaks the rule, a part of the complaint
BAD = [
    (engine_size, "minitorch_bn/ops/x.py", "", "is missing"),
    (engine_size, ENGINE, "x = 1\n" * 151, "got 151 code lines, wanted at most 150"),
    (file_size, "minitorch_bn/nn/x.py", "x = 1\n" * 301, "nn/x.py: got 301 code lines, wanted at most 300"),
    (op_size, OP_MODULE, LONG_OP, "linear.py:1: op Tanh: got 41 code lines, wanted at most 40"),
    (op_size, OP_MODULE, "class Tanh(engine.Op): pass\n" + LONG_OP.replace("Tanh(Op)", "Fast(Tanh)"), ":2: op Fast"),
    (op_size, "minitorch_bn/fused/linear.py", "class Tanh(Op): pass\n" + LONG_FUSED_OP, "fused/linear.py:3: op Fast"),
    (cupy_doors, OP_MODULE, "def f():\n    import cupy", "linear.py:2: got an import of cupy"),
    (cupy_doors, OP_MODULE, "from cupyx.scipy import special", "got an import of cupyx.scipy"),
    (cupy_doors, OP_MODULE, "import importlib\nimportlib.import_module('cupy')", "linear.py:2"),
    (arrows, "minitorch_bn/backend.py", "from . import engine", "backend.py:1: got backend -> engine, wanted nothing"),
    (arrows, ENGINE, "from .tensor import Tensor", "got engine -> tensor, wanted backend"),
    (arrows, OP_MODULE, "def f():\n    from ..nn.module import Module", "linear.py:2: got ops -> nn"),
    (arrows, OP_MODULE, "from .. import Tensor", "got ops -> the package as a whole"),
    (arrows, OP_MODULE, "import minitorch_bn.optim", "got ops -> optim"),
    (arrows, "minitorch_bn/tensor.py", "from minitorch_bn import nn", "got tensor -> nn"),
    (arrows, "minitorch_bn/nn/x.py", "from ..optim import SGD", "got nn -> optim, wanted what lies below it"),
    (arrows, "minitorch_bn/nn/utils/fuse.py", "from ... import debug", "got nn -> debug, wanted no import of a tool"),
    (arrows, "minitorch_bn/serialization.py", "from . import compare", "got serialization -> compare"),
    (engine_words, ENGINE, "import weakref", "engine.py:1: got the name weakref"),
    (engine_words, ENGINE, "from threading import local", "got the name threading"),
    (engine_words, ENGINE, "x = 1\nself.backward_hooks = []", "engine.py:2: got the name backward_hooks"),
    (engine_words, ENGINE, "REGISTRY = {}", "got the name REGISTRY"),
    (engine_recursion, ENGINE, "def build(t):\n    for x in t:\n        build(x)", "engine.py:3: got a call of build"),
    (engine_recursion, ENGINE, "class T:\n    def walk(self):\n        self.walk()", "got a call of walk inside walk"),
    (engine_recursion, ENGINE, "def graph(t):\n    def visit(x):\n        visit(x)\n    visit(t)", "engine.py:3"),
    (engine_state, ENGINE, "import itertools\n_serials = itertools.count()", "got the module-level state _serials"),
    (engine_state, ENGINE, STATE + "def f():\n    global _grad_enabled, _anomaly", "_anomaly (line 5)"),
    (engine_state, ENGINE, STATE + "def f():\n    global _grad_enabled\n_tape = []", "_tape (line 6)"),
    (engine_state, ENGINE, STATE + "class Op: pass\ndef f():\n    global _grad_enabled\n    Op.total += 1", "Op.total"),
    (gradients_in_place, OP_MODULE, "class A(Op):\n    def backward(self, dy):\n        dy *= 2", "linear.py:3: got "),
    (gradients_in_place, OP_MODULE, "def backward(self, dy):\n    dx = 1\n    dx -= dy", "linear.py:3: got dx changed"),
    (gradients_in_place, OP_MODULE, "def backward(self, dy):\n    dy[0] = 0", "got dy[0] changed"),
    (gradients_in_place, OP_MODULE, "def backward(self, dy):\n    np.multiply(dy, 2, out=dy)", "got dy changed"),
    (array_writers, "minitorch_bn/nn/x.py", "self.mean.array[...] = 0", "got a write into self.mean.array[...]"),
    (array_writers, "minitorch_bn/nn/x.py", "if 1:\n    p.array -= 0.1 * g", "x.py:2: got a write into p.array"),
    (array_writers, "minitorch_bn/debug/x.py", "np.add(a, b, out=p.array)", "got a write into p.array"),
    (array_writers, "minitorch_bn/debug/x.py", "np.copyto(p.data.array, b)", "got a write into p.data.array"),
    (array_writers, "minitorch_bn/debug/x.py", "p.array.fill(0)", "got a write into p.array"),
    (ops_have_tests, OP_MODULE, "", "linear.py: got no test, wanted tests/ops/test_linear.py"),
    (docstrings, "minitorch_bn/x.py", "y = 1\ndef f(): pass", "x.py:2: got f without a docstring"),
    (docstrings, "minitorch_bn/x.py", "class C:\n    ' '", "x.py:1: got C without a docstring"),
    (absolute_paths, "README.md", "first\nsee /work/main", "README.md:2: got '/work'"),
    (absolute_paths, "notebooks/a.ipynb", '"file:///tmp/x.png"', "got '/tmp'"),
    (absolute_paths, "tests/test_x.py", "open('/home/me')", "got '/home'"),
    (absolute_paths, "setup.cfg", "cache = /root", "got '/root'"),
]  # fmt: skip

# rule, files that look like a breach and are none
GOOD = [
    (engine_size, {ENGINE: '"""Doc.\n' + "\n" * 200 + '"""\n' + "# why\n" * 200 + "x = 1\n" * 150}),
    (file_size, {"tests/x.py": "x = 1\n" * 301}),
    (op_size, {OP_MODULE: LONG_OP.replace("(Op)", "(Helper)")}),
    (op_size, {OP_MODULE: LONG_OP.replace("        x = x\n", '        """Doc.\n\n        More."""\n', 1)}),
    (cupy_doors, {"minitorch_bn/backend.py": "import cupy", "minitorch_bn/fused/x.py": "from cupy import fuse"}),
    (cupy_doors, {OP_MODULE: "from ..backend import cupy\nx = 'import cupy'"}),
    (arrows, {OP_MODULE: "import numpy\nfrom .. import backend\nfrom ..engine import Op\nfrom .cast import cast"}),
    (arrows, {OP_MODULE: "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..tensor import Tensor"}),
    (arrows, {"minitorch_bn/nn/x.py": "from ..tensor import Tensor\nfrom ..ops import linear\nfrom . import init"}),
    (arrows, {"minitorch_bn/__init__.py": "from . import debug", "minitorch_bn/debug/x.py": "from .. import Tensor"}),
    (engine_words, {ENGINE: '"""No hooks, no weakref."""\n# no registry\nx = "thread"'}),
    (engine_recursion, {ENGINE: "class T:\n    def walk(self):\n        walk(self)\n        self.op.walk()"}),
    (engine_state, {ENGINE: STATE + "_TEXT = 'a' 'b'\nKINDS = (int, float)\ndef f():\n    global _grad_enabled"}),
    (gradients_in_place, {OP_MODULE: "def backward(self, dy):\n    dx = zeros()\n    dx[i] = dy\n    dim += 1"}),
    (gradients_in_place, {OP_MODULE: "def forward(self, dy):\n    dy += 1"}),
    (array_writers, {"minitorch_bn/optim/sgd.py": "p.array -= g", "minitorch_bn/nn/init.py": "p.array[...] = 0"}),
    (array_writers, {"minitorch_bn/nn/x.py": "t.array = a\nb = t.array[0]\nself.arrays[0] = t.array\nf(t.array)"}),
    (ops_have_tests, {OP_MODULE: "", "tests/ops/test_linear.py": "", "minitorch_bn/ops/__init__.py": ""}),
    (ops_have_tests, {OP_MODULE: "", "tests/ops/cases_matrix.py": "from minitorch_bn.ops import linear"}),
    (docstrings, {"minitorch_bn/x.py": "def _f(): pass\nclass C:\n    'Be.'\n    def m(self): pass"}),
    (absolute_paths, {"a.md": "tests/tmp, https://x.org/home, tmp_path, ~/work, AAA+/tmp+AAA, /tmpfs, </root>"}),
    (absolute_paths, {".ci/run": "cd /tmp"}),
]  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule(rule):
    complaints = rule(repository())
    if complaints:
        pytest.fail("\n".join([f"House rule: {rule.__doc__.splitlines()[0]}", *complaints]), pytrace=False)


@pytest.mark.parametrize(("rule", "path", "text", "part"), BAD, ids=[f"{case[0].__name__}-{case[3]}" for case in BAD])
def test_rule_finds(rule, path, text, part):
    complaints = rule({path: text})
    assert len(complaints) == 1 and part in complaints[0], complaints


@pytest.mark.parametrize(("rule", "files"), GOOD, ids=[case[0].__name__ for case in GOOD])
def test_rule_accepts(rule, files):
    assert rule(files) == []


def test_every_rule_is_tried_both_ways():
    assert {case[0] for case in BAD} == {case[0] for case in GOOD} == set(RULES)


def test_the_repository_is_seen():
    assert {"setup.cfg", "bootstrap.py", ENGINE, "tests/house/test_house.py"} <= repository().keys()
    assert len(list(sources(repository(), "minitorch_bn/ops/"))) > 1


def test_code_lines_are_counted_as_people_count_them():
    text = '''"""Module
docstring."""

# comment
import os  # 1


def f(  # 2
    x,  # 3
):  # 4
    """Docstring."""
    # comment
    text = """two  # 5

    lines"""  # 6 and 7: inside a string, even a blank line is code
    return text, f"""{x}
    """, os  # 8 and 9
'''
    assert len(code_lines(text)) == 9
