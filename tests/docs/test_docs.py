"""The pages say what is: links lead somewhere, code runs, made blocks are made anew and compared, commands exist."""

import configparser
import importlib.util
import json
import re
import socket
import struct
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import engine
from minitorch_bn.__main__ import COMMANDS, make_parser
from minitorch_bn.ops import elementwise
from tests.ops import checks, table

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")]
LINKED = [*PAGES, *(ROOT / "docs" / f"{name}.md" for name in ("doctor", "scale", "stepping"))]
LINKED += [ROOT / "data" / "README.md", ROOT / "notebooks" / "README.md"]
SHIPPED = [*PAGES, *sorted((ROOT / "docs").glob("*.*")), *sorted((ROOT / ".vscode").glob("*.json"))]

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)


def load(name):
    """A script of docs/ as a module, without asking the path for a package of that name."""
    specification = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


blocks = load("make_blocks")
figures = load("make_figures")


def read(path):
    return path.read_text(encoding="utf-8")


def prose(text):
    """A page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def code(text, language=""):
    """The code blocks of a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


# ---- links


def anchors(path):
    """The names that headings can be linked by."""
    headings = re.findall(r"^#+ (.*)$", prose(read(path)), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", LINKED, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^()\s]+)\)", prose(read(page)))
    lost = []
    for link in links:
        target, _, anchor = link.partition("#")
        if re.match(r"https?://", target):
            continue
        path = (page.parent / target).resolve() if target else page
        if not path.is_relative_to(ROOT) or not path.exists() or (anchor and anchor not in anchors(path)):
            lost.append(link)
    assert lost == [], f"{page.name}: no such file or heading"


@every_page
def test_named_files_exist(page):
    """What stands in backticks and looks like a path of the repository is one."""
    text = prose(read(page)).replace("NN_name", "01_engine")
    names = re.findall(r"`((?!\.venv)[\w.]+(?:/[\w.*]+)+/?|\w+\.(?:py|md|cfg|toml))`", text)
    places = [ROOT, ROOT / "minitorch_bn"]
    lost = [name for name in names if not any(list(place.glob(name.rstrip("/"))) for place in places)]
    assert lost == [], f"{page.name}: no such file"


# ---- README.md


def test_every_block_is_in_the_readme():
    assert list(blocks.written()) == list(blocks.MAKERS)


@pytest.mark.parametrize("name", blocks.MAKERS)
def test_block_is_what_is_made_today(name):
    assert blocks.written()[name] == blocks.MAKERS[name](), "run: python docs/make_blocks.py"


def test_tables_hold_the_numbers_of_the_results():
    """The same as above for some cells, by another way."""
    results = json.loads(read(ROOT / "docs" / "results.json"))
    rows = [[cell.strip() for cell in line.strip("|\n ").split("|")] for line in read(PAGES[0]).splitlines()]
    cells = {row[0]: row[1:] for row in rows if len(row) in (3, 7)}
    with_bn, without = sorted(results["names"]["nets"], key=lambda net: not net["batch_norm"])
    for part in ("training", "development", "test"):
        key = {"training": "train", "development": "dev"}.get(part, part)
        assert cells[f"loss on the {part} names"] == [f"{net['loss'][key]:.3f}" for net in (with_bn, without)]
    for lr in results["circles"]["settings"]["rates"]:
        pair = {row["batch_norm"]: row for row in results["circles"]["rates"] if row["lr"] == lr}
        shown = cells[f"{lr:g}"]
        for i, batch_norm in enumerate((True, False)):
            assert shown[i] == f"{100 * np.median(pair[batch_norm]['accuracy']):.1f} %"
            assert shown[4 + i].split(" of ")[0] == str(int((np.array(pair[batch_norm]["accuracy"]) >= 0.95).sum()))


def test_results_are_those_of_a_full_run():
    results = json.loads(read(ROOT / "docs" / "results.json"))
    results["digits"] = json.loads(read(ROOT / "docs" / "digits.json"))
    for name in ("circles", "names", "digits"):
        settings = importlib.import_module(COMMANDS[name]).Settings()
        wanted = {key: list(v) if isinstance(v, tuple) else v for key, v in vars(settings).items()}
        assert results[name]["settings"] == wanted
    for date in (results["date"], results["digits"]["date"]):
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", date)


def test_the_example_prints_the_same_under_pytorch(tmp_path):
    pytest.importorskip("torch")
    source = read(ROOT / "docs" / "example.py").replace("import minitorch_bn as mt", "import torch as mt")
    assert "import torch as mt" in source
    program = tmp_path / "example.py"
    program.write_text(source, encoding="utf-8")
    assert blocks.python([str(program)]) == blocks.python(["docs/example.py"])


def test_the_transcript_shows_the_three_frames():
    up = [line for line in blocks.written()["pdb"].splitlines() if line.startswith("> ")][-4:]
    wanted = ["minitorch_bn/ops/batchnorm.py", "minitorch_bn/engine.py", "minitorch_bn/engine.py", "docs/step.py"]
    assert [line[2:].split("(")[0] for line in up] == wanted
    assert [line.split(")")[1] for line in up] == ["backward(", "backward_step(", "backward(", "<module>("]


@pytest.mark.parametrize("name", [*figures.FIGURES, figures.DIGITS, figures.FAMILY])
def test_figures_are_pictures_of_reasonable_size(name):
    content = (ROOT / "docs" / "figures" / name).read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n") and content.endswith(b"IEND\xaeB`\x82")
    width, height = struct.unpack(">II", content[16:24])
    assert 800 <= width <= 2400 and 400 <= height <= 2400 and len(content) <= figures.LARGEST
    assert f"(docs/figures/{name})" in read(PAGES[0])


def test_no_figure_is_left_over():
    others = {figures.DIGITS, figures.FAMILY}  # docs/make_figures.py --digits, --family
    others |= {"replay.png", "scale_fit.png", "scale_predicted.png"}  # docs/make_replay.py, docs/make_scale.py
    assert {path.name for path in (ROOT / "docs" / "figures").iterdir()} == set(figures.FIGURES) | others


def test_make_figures_takes_what_a_run_wrote(tmp_path, monkeypatch):
    """A short run of the real commands, thinned into another folder: the same keys as the shipped results."""
    run, made = tmp_path / "run", tmp_path / "docs"
    made.mkdir()
    short = ["--steps", "20", "--epochs", "2", "--seeds", "1", "--processes", "1", "--no-figures", "--quiet"]
    blocks.python(["-m", "minitorch_bn", "all", *short, "--out", str(run)])
    for name in figures.FIGURES:
        (run / name).write_bytes(b"picture")
    monkeypatch.setattr(figures, "DOCS", made)
    assert {path.name for path in figures.take(run)} == {"results.json", *figures.FIGURES}
    got, shipped = json.loads(read(made / "results.json")), json.loads(read(ROOT / "docs" / "results.json"))
    assert got.keys() == shipped.keys()
    for name in ("circles", "names"):
        assert got[name].keys() == shipped[name].keys()
        rows = "rates" if name == "circles" else "nets"
        assert got[name][rows][0].keys() == shipped[name][rows][0].keys()
    (run / figures.FIGURES[0]).write_bytes(b"x" * (figures.LARGEST + 1))
    with pytest.raises(SystemExit, match="wanted at most"):
        figures.take(run)


def test_make_figures_takes_what_a_digits_run_wrote(tmp_path, monkeypatch):
    run, made = tmp_path / "run", tmp_path / "docs"
    made.mkdir()
    short = ["--epochs", "1", "--sweep-epochs", "1", "--seeds", "1", "--rates", "0.01", "--no-figures", "--quiet"]
    blocks.python(["-m", "minitorch_bn", "digits", *short, "--out", str(run)])
    (run / figures.DIGITS).write_bytes(b"picture")
    monkeypatch.setattr(figures, "DOCS", made)
    assert {path.name for path in figures.take_digits(run)} == {"digits.json", figures.DIGITS}
    got, shipped = json.loads(read(made / "digits.json")), json.loads(read(ROOT / "docs" / "digits.json"))
    assert got.keys() == shipped.keys()
    assert all(got[part][0].keys() == shipped[part][0].keys() for part in ("rates", "final"))


# ---- commands


def commands(text):
    """The command lines of a page: (program, words)."""
    lines = [line.strip() for block in code(text, "(?:text)?") for line in block.splitlines()]
    lines += re.findall(r"`([^`\n]+)`", prose(text))
    found = []
    for line in lines:
        match = re.match(r"(?:\$ )?(?:python3? |\.venv/bin/python )(.+)", line)
        if match:
            found.append(re.split(r"  +", match[1])[0].split())
    return found


@pytest.mark.parametrize("page", [PAGES[0], PAGES[2], LINKED[-1]], ids=["README", "CONTRIBUTING", "notebooks"])
def test_commands_exist(page):
    found = commands(read(page))
    assert found
    for words in found:
        if words[0] == "-m":
            assert importlib.util.find_spec(words[1]), words
            files = [word for word in words[2:] if re.match(r"\w[\w/]*\.py$|tests/|docs/", word)]
            assert all((ROOT / file).exists() for file in files), words
            if words[1] == "minitorch_bn":
                assert words[2] in COMMANDS
        else:
            assert (ROOT / words[0]).is_file(), words
            if words[0] == "bootstrap.py" and len(words) > 1:
                assert words[1] in {"test", "lab", *COMMANDS}, words
                assert all((ROOT / word).exists() for word in words if word.startswith("tests/")), words


def test_extras_exist():
    config = configparser.ConfigParser(interpolation=None)
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    extras = set(config["options.extras_require"])
    text = read(PAGES[0])
    named = set(re.findall(r"\.\[([\w-]+)\]", text)) | set(re.findall(r"the extra is `([\w-]+)`", text))
    assert named == {"gpu-cuda12", "gpu-cuda13", "mpi"} and named <= extras
    assert f"Python {config['options']['python_requires'].removeprefix('>=')} or newer" in text


def test_vs_code_starts_what_exists():
    settings = json.loads(read(ROOT / ".vscode" / "settings.json"))
    assert settings["editor.rulers"] == [120] and settings["jupyter.debugJustMyCode"] is False
    launch = json.loads(read(ROOT / ".vscode" / "launch.json"))
    names = [entry["name"] for entry in launch["configurations"]]
    assert "Step through backward" in names and len(set(names)) == len(names)
    for entry in launch["configurations"]:
        assert entry["justMyCode"] is ("NumPy skipped" in entry["name"]) and entry["type"] == "debugpy"
        program = entry.get("program", "").replace("${workspaceFolder}", str(ROOT))
        assert program in ("", "${file}") or Path(program).is_file()
        if entry.get("module") == "minitorch_bn":
            options = make_parser()[0].parse_args(entry["args"])
            options.module.prepare(options)


# ---- ARCHITECTURE.md


def test_the_tree_is_the_tree():
    """All that is shown exists, and no room or file of the package is missing."""
    (tree,) = [block for block in code(read(PAGES[1])) if block.startswith("bootstrap.py")]
    folder, shown = "", set()
    for line in tree.splitlines():
        name = line.split()[0]
        if not line.startswith(" "):
            folder = name if name.endswith("/") else ""
            shown.add(name)
        else:
            shown.add(folder + name)
    lost = [name for name in shown if not (ROOT / name).exists()]
    assert lost == []
    there = {path.name + "/" * path.is_dir() for path in (ROOT / "minitorch_bn").iterdir()}
    missing = {name for name in there if name != "__pycache__/"} - {
        name.removeprefix("minitorch_bn/") for name in shown
    }
    assert missing == set(), "wanted a line in the tree of ARCHITECTURE.md"


def test_the_checks_that_are_named_exist():
    named = set(re.findall(r"`(check_\w+)`", read(PAGES[1]))) - {"check_devices", "check_index"}
    assert named and all(hasattr(checks, name) for name in named)


def test_the_functions_of_the_backend_exist():
    (section,) = re.findall(r"^## Devices\n(.*?)^## ", read(PAGES[1]), flags=re.DOTALL | re.MULTILINE)
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    names = {name for row in rows for name in re.findall(r"`(\w+)", row)}
    assert names and not {name for name in names if not hasattr(mt.backend, name)}


def test_sizes_are_those_of_the_rules():
    house = read(ROOT / "tests" / "house" / "test_house.py")
    assert "ENGINE_LINES, FILE_LINES, OP_LINES = 150, 300, 40" in house
    assert "Sizes: `engine.py` 150 code lines, a file 300, an op 40." in read(PAGES[2])


# ---- CONTRIBUTING.md


def test_the_example_op_passes_the_checks(monkeypatch):
    source, rows = code(read(PAGES[2]), "python")
    space = {"Op": engine.Op, "apply": engine.apply, "np": np, "floating": elementwise.floating}
    exec(source, space)
    assert not hasattr(mt, "asinh"), "asinh exists by now: let CONTRIBUTING.md add another op"
    monkeypatch.setattr(mt, "asinh", space["asinh"], raising=False)
    names = {name: getattr(table, name) for name in ("Case", "uniform", "values", "normal", "integers")}
    names |= {"CASES": [], "np": np}
    exec(rows, names)
    assert len(names["CASES"]) == 5
    with np.errstate(all="ignore"):
        for case in names["CASES"]:
            checks.check_memory(case)
            checks.check_strided(case)
            if case.grad:
                checks.check_saved(case, monkeypatch)
                if case.smooth:
                    checks.check_differences(case)
            if importlib.util.find_spec("torch"):
                checks.check_against_torch(case)
                checks.check_float32(case)


def test_the_example_op_is_like_the_one_beside_it():
    """The names that the example takes for granted stand in the file that it goes into."""
    names = vars(elementwise)
    assert {"Op", "apply", "np", "floating"} <= names.keys() and isinstance(elementwise.Log, type)
    assert isinstance(names["floating"], types.FunctionType)


# ---- every page


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_tells_of_a_machine(path):
    text = read(path)
    host = socket.gethostname()
    if not host.isalpha():  # a plain word, such as localhost or debian, tells nothing
        assert not re.search(rf"(?<![\w.-]){re.escape(host)}(?![\w.-])", text)
    folders = "|".join(("home", "root", "tmp", "work", "Users", "usr", "opt"))
    assert not re.search(rf"(?<![\w.+/}}-])/(?:{folders})(?![\w-])|[A-Z]:\\", text)
    assert str(ROOT) not in text and str(Path(sys.prefix)) not in text


@every_page
def test_lines_are_short(page):
    """Prose can be read in a terminal; tables, links to pictures and made blocks may be longer."""
    text = blocks.BLOCK.sub("", read(page))
    long = [line for line in text.splitlines() if len(line) > 120 and not line.startswith(("|", "!["))]
    assert long == []


def test_the_changelog_has_this_version_with_numerics():
    text = read(PAGES[3])
    latest = re.search(r"^## (\S+)$(.*?)(?=^## |\Z)", text, flags=re.DOTALL | re.MULTILINE)
    assert latest[1] == mt.__version__ and "### Numerics" in latest[2]
