"""python -m minitorch_bn: commands, files, exit statuses; results.py, jobs.py and figures.py."""

import json
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from minitorch_bn import __main__ as command_line
from minitorch_bn.experiments import figures, jobs, results

SHORT = {
    "circles": ["--epochs", "3", "--seeds", "2", "--rates", "0.01", "1"],
    "names": ["--steps", "20", "--hidden", "8"],
    "all": ["--epochs", "2", "--seeds", "1", "--steps", "20"],
}
PICTURES = {
    "circles": [f"circles_{name}.png" for name in ("one_seed", "regions", "seeds", "rates")],
    "names": ["names_loss.png", "names_tanh.png"],
}
PICTURES["all"] = PICTURES["circles"] + PICTURES["names"]


@pytest.fixture
def in_one_process(monkeypatch):
    monkeypatch.setattr(jobs, "cores", lambda: 1)


@pytest.mark.parametrize("command", ["circles", "names", "all"])
def test_a_command_writes_numbers_and_figures(command, tmp_path, capsys, in_one_process):
    out = tmp_path / "new" / "folder"
    assert command_line.main([command, *SHORT[command], "--out", str(out)]) == 0
    said = capsys.readouterr().out
    experiments = ["circles", "names"] if command == "all" else [command]
    wanted = {f"{name}.json" for name in experiments} | set(PICTURES[command])
    assert {path.name for path in out.iterdir()} == wanted
    for name in wanted:
        assert name in said
    for name in PICTURES[command]:
        picture = (out / name).read_bytes()
        assert picture.startswith(b"\x89PNG") and len(picture) > 20_000
    for name in experiments:
        content = json.loads((out / f"{name}.json").read_text(encoding="utf-8"))
        assert content["experiment"] == name and content["versions"]["numpy"] == np.__version__
        assert "verdict" in content and all(line in said for line in content["verdict"])
    assert ("bootstrap.py lab" in said) == (command == "all")


def test_no_figures(tmp_path, in_one_process):
    assert command_line.main(["names", *SHORT["names"], "--no-figures", "--out", str(tmp_path)]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["names.json"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["names", "--steps", "0"], "--steps must be a number at least 1, got 0"),
        (["names", "--steps", "many"], "invalid int value: 'many'"),
        (["names", "--batch", "1"], "BatchNorm has no variance in a batch of 1"),
        (["names", "--dtype", "float8"], "--dtype must be one of float32, float64, got 'float8'"),
        (["names", "--file", "nowhere.txt"], "--file nowhere.txt: no such file"),
        (["names", "--processes", "0"], "--processes"),
        (["circles", "--lr", "-1"], "--lr must be a number above 0, got -1.0"),
        (["circles", "--epochs", "0"], "--epochs"),
        (["circles", "--rates", "0"], "--rates"),
        (["all", "--steps", "0"], "--steps"),
        (["all", "--epochs", "0"], "--epochs"),
        (["all", "--file", "nowhere.txt"], "--file nowhere.txt"),
        (["squares"], "invalid choice: 'squares'"),
        ([], "COMMAND"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        command_line.main(words)
    said = capsys.readouterr()
    assert ended.value.code == 2 and said.out == "" and said.err.count("\n") == 1
    assert message in said.err and "--help" in said.err
    assert list(tmp_path.iterdir()) == []  # nothing was written, not even the folder


def test_out_that_is_a_file(tmp_path, capsys):
    (tmp_path / "results").write_text("mine")
    with pytest.raises(SystemExit) as ended:
        command_line.main(["names", *SHORT["names"], "--out", str(tmp_path / "results")])
    assert ended.value.code == 2 and "cannot be a folder" in capsys.readouterr().err
    assert (tmp_path / "results").read_text() == "mine"


@pytest.mark.parametrize("words", [["--help"], ["circles", "--help"], ["names", "-h"], ["all", "--help"]])
def test_help(words, capsys):
    with pytest.raises(SystemExit) as ended:
        command_line.main(words)
    said = capsys.readouterr().out
    assert ended.value.code == 0 and "usage: python -m minitorch_bn" in said
    assert all(name in said for name in (command_line.COMMANDS if len(words) == 1 else ["--out", "--no-figures"]))


def test_it_runs_as_a_module():
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "minitorch_bn", "names", "--steps", "0"],
        check=False,
        capture_output=True,
        text=True,
        cwd=root,
    )
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.startswith("python -m minitorch_bn names: error: ")


def test_ctrl_c(monkeypatch, tmp_path, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    from minitorch_bn.experiments import names

    monkeypatch.setattr(names, "execute", interrupt)
    assert command_line.main(["names", "--out", str(tmp_path)]) == 130
    said = capsys.readouterr().err
    assert "interrupted" in said and "--resume" not in said
    assert command_line.main(["names", "--out", str(tmp_path), "--checkpoint", str(tmp_path / "kept")]) == 130
    assert "--resume goes on" in capsys.readouterr().err


# ---- results.py


def test_files_are_written_whole_or_not_at_all(tmp_path):
    path = results.write_json(tmp_path / "a.json", {"é": [1, None]})
    assert json.loads(path.read_text(encoding="utf-8")) == {"é": [1, None]}
    with pytest.raises(ValueError, match="JSON"):
        results.write_json(path, {"x": float("nan")})
    with pytest.raises(TypeError):
        results.write_bytes(path, "text")
    assert json.loads(path.read_text(encoding="utf-8")) == {"é": [1, None]}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_plain():
    value = {True: np.float32(0.5), "x": (np.int64(3), np.array([1.0, np.nan])), "inf": float("inf")}
    assert results.plain(value) == {"True": 0.5, "x": [3, [1.0, None]], "inf": None}


def test_thinned_keeps_both_ends():
    thin = results.thinned(np.arange(1000.0), 11)
    assert thin["index"][0] == 0 and thin["index"][-1] == 999 and len(thin["index"]) == 11
    assert thin["value"] == thin["index"]
    assert results.thinned([7.0], 11) == {"index": [0], "value": [7.0]}


# ---- jobs.py


def half(job, tick):
    tick(1)
    if job < 0:
        raise ValueError(f"no half of {job}")
    return job / 2


@pytest.mark.parametrize("processes", [1, 2])
def test_jobs_come_back_in_order_or_raise(processes, capfd):
    options = {"total": 3, "unit": "run", "label": "halves", "processes": processes}
    assert jobs.run_jobs(half, [4, 2, 6], progress=True, **options) == [2, 1, 3]
    assert "3/3" in capfd.readouterr().err
    with pytest.raises(ValueError, match="no half of -1"):
        jobs.run_jobs(half, [4, -1, 6], **options)


# ---- figures.py


def test_style_is_taken_off_again():
    before = matplotlib.rcParams["font.size"]
    with figures.style():
        assert matplotlib.rcParams["font.size"] == figures.SETTINGS["font.size"] != before
    assert matplotlib.rcParams["font.size"] == before


def test_blue_and_orange_differ_in_grey():
    from matplotlib.colors import to_rgb

    grey = [np.dot(to_rgb(look["color"]), [0.2126, 0.7152, 0.0722]) for look in figures.NETS.values()]
    assert abs(grey[0] - grey[1]) > 0.25
    assert len({look["linestyle"] for look in figures.NETS.values()}) == 2
