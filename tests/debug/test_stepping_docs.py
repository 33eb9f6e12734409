"""docs/stepping.md: its transcripts are what the debuggers say today, its links and names exist, its keys are right."""

import importlib.util
import json
import re
import struct
from pathlib import Path

import pytest

import minitorch_bn as mt

ROOT = Path(__file__).resolve().parents[2]
specification = importlib.util.spec_from_file_location("docs_make_stepping", ROOT / "docs" / "make_stepping.py")
stepping = importlib.util.module_from_spec(specification)
specification.loader.exec_module(stepping)

TEXT = stepping.PAGE.read_text(encoding="utf-8")
PROSE = stepping.blocks.BLOCK.sub("", TEXT)


def needs_debugpy(name):
    """The debugger of VS Code comes with ipykernel, an extra."""
    if name == "editor":
        pytest.importorskip("debugpy", reason="a session of VS Code's debugger needs debugpy (extra: test)")


@pytest.mark.parametrize("name", stepping.MAKERS)
def test_transcript_is_what_is_made_today(name):
    needs_debugpy(name)
    assert stepping.written()[name] == stepping.MAKERS[name](), "run: python docs/make_stepping.py"


def test_every_transcript_is_on_the_page():
    assert stepping.written().keys() == stepping.MAKERS.keys()


def test_just_my_code_skips_numpy():
    """What the page and the configuration "NumPy skipped" promise, in ten presses of "Step Into"."""
    needs_debugpy("editor")
    frames, places = stepping.in_debugpy(just_my_code=True, presses=10)
    assert [file for file, _ in frames][-1] == "docs/step.py"
    assert all(file.startswith("minitorch_bn/") for file, _ in places), places


def test_links_lead_somewhere():
    for link in re.findall(r"\]\(([^()\s]+)\)", PROSE):
        assert (stepping.DOCS / link.partition("#")[0]).exists(), link


def test_names_exist():
    for name in re.findall(r"mt\.debug\.(\w+)|`debug\.(\w+)", TEXT):
        assert hasattr(mt.debug, name[0] or name[1]), name


def test_the_line_of_the_breakpoint_is_right():
    assert f"`b {stepping.blocks.line_of('loss.backward()')}` sets a breakpoint" in TEXT


def test_the_configurations_are_those_of_vs_code():
    launch = json.loads((ROOT / ".vscode" / "launch.json").read_text(encoding="utf-8"))
    mode = {entry["name"]: entry["justMyCode"] for entry in launch["configurations"]}
    shown = re.findall(r"^\| \*(Step through[^*]+)\* \| `(true|false)`", TEXT, flags=re.MULTILINE)
    assert len(shown) == 2 and all(mode[name] is (value == "true") for name, value in shown)


def test_what_is_skipped_is_what_the_page_says():
    named = {"numpy": "NumPy", "contextlib": "`contextlib`", "threading": "`threading`"}
    for pattern in mt.debug.stepper.SKIP:
        module = pattern.removesuffix(".*")
        assert named.get(module, f"`{module}`") in TEXT, pattern


def test_lines_are_short():
    assert [line for line in PROSE.splitlines() if len(line) > 120 and not line.startswith("|")] == []


def test_the_picture_is_one_of_reasonable_size():
    (name,) = re.findall(r"^!\[[^\]]+\]\(([^()]+)\)$", TEXT, flags=re.MULTILINE)
    content = (stepping.DOCS / name).read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n") and content.endswith(b"IEND\xaeB`\x82")
    width, height = struct.unpack(">II", content[16:24])
    assert 800 <= width <= 2400 and 400 <= height <= 2400 and len(content) <= 400_000
