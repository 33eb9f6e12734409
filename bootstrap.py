#!/usr/bin/env python3
"""From a fresh checkout to results, with nothing installed but Python.

    python3 bootstrap.py                 run both experiments at full size, print the table, save the figures
    python3 bootstrap.py test [ARGS]     run the checks: ruff format, ruff check, pytest ARGS
    python3 bootstrap.py lab [ARGS]      open JupyterLab on notebooks/
    python3 bootstrap.py WORD [ARGS]     python -m minitorch_bn WORD ARGS, for example: circles --epochs 100

The first run makes a virtual environment in .venv, beside this file, and installs the package there in editable mode:
an edit of the source counts at once. Later runs start straight away; they install again only when setup.cfg or
pyproject.toml has changed, or when the word needs more packages. Nothing outside .venv is installed or changed.
To start over, delete .venv.

Commands run in the folder of this file. `test` also fetches PyTorch, the reference that results are compared with:
a large download. On Windows, type `py` for `python3`.
"""

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from configparser import ConfigParser
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "bootstrap.json"  # what was installed, from which settings: read to decide whether to install again
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
OLDEST = (3, 10)
NEEDS = {  # word -> extras of setup.cfg
    "test": {"test", "parity", "notebooks", "gpu-cuda13", "mpi", "others", "browser"},
    "lab": {"notebooks"},
}

# The matrices of the lessons are small (32 x 200): several BLAS threads spend more time meeting each other than
# multiplying, and the sweeps already use one process a core. A value that the user has set is kept.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class Problem(Exception):
    """Something that the user has to know or do; the message says which."""


def main(words):
    """Do what the command line asks; return the exit status."""
    if words[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    check_python()
    if words and words[0].startswith("-"):
        raise Problem(
            f"{words[0]} is not an option of bootstrap.py, which has only --help.\n"
            f"An option follows the word that it belongs to: python3 bootstrap.py all {shlex.join(words)}"
        )
    word, *rest = words or ["all"]
    make_venv()
    install(NEEDS.get(word, set()))
    if word == "test":
        return run_checks(rest)
    if word == "lab":
        return run_lab(rest)
    return run([PYTHON, "-m", "minitorch_bn", word, *rest])


# ---- the environment -------------------------------------------------------------------------------------------------


def check_python():
    """Refuse a Python that is too old, or that cannot make a virtual environment."""
    if sys.version_info < OLDEST:
        raise Problem(
            f"this is Python {version()} ({sys.executable}); minitorch_bn needs {version(OLDEST)} or newer.\n"
            "Install a newer one and name it: python3.12 bootstrap.py"
        )
    missing = [name for name in ("venv", "ensurepip") if find_spec(name) is None]
    if missing and not PYTHON.exists():
        raise Problem(
            f"this Python ({sys.executable}) has no {' and no '.join(missing)}, so it cannot make .venv.\n"
            "On Debian and Ubuntu: apt install python3-venv\n"
            "Elsewhere: install a complete Python, then run this again."
        )


def make_venv():
    """Make .venv, or make it again if it is not one that this Python, in this place, can use."""
    if VENV.exists() or VENV.is_symlink():
        reason = why_unusable()
        if not reason:
            return
        remove_venv(reason)
    say(f"making .venv with Python {version()} ({sys.executable})")
    try:
        status, output = listen([sys.executable, "-m", "venv", str(VENV)])
    except KeyboardInterrupt:
        shutil.rmtree(VENV, ignore_errors=True)  # half an environment looks like a whole one
        raise
    if status:
        shutil.rmtree(VENV, ignore_errors=True)
        raise Problem(
            f"python -m venv .venv failed:\n\n{output}\n"
            "On Debian and Ubuntu: apt install python3-venv. Otherwise see above (disk full? folder read-only?)."
        )


def why_unusable():
    """Say what is wrong with .venv; an empty string if nothing is."""
    if not PYTHON.exists():
        return f"it has no working {PYTHON.relative_to(ROOT).as_posix()}"
    question = "import sys, importlib.util as u; print(sys.implementation.cache_tag, bool(u.find_spec('pip')))"
    try:
        status, answer = listen([str(PYTHON), "-I", "-c", question])
    except OSError as error:
        return f"its Python does not start ({error})"
    if status:
        return f"its Python does not start ({answer})"
    tag, has_pip = answer.split()
    if tag != sys.implementation.cache_tag:
        return f"it was made by {tag}, and this is {sys.implementation.cache_tag}"
    if has_pip != "True":
        return "it has no pip"
    place = read_stamp().get("place", str(ROOT))
    if place != str(ROOT):
        return f"it was made in {place} and has been moved"
    return ""


def remove_venv(reason):
    """Delete .venv, after saying why; never something that is not a virtual environment."""
    ours = (VENV / "pyvenv.cfg").exists() or (VENV.is_dir() and not any(VENV.iterdir()))
    if VENV.is_symlink() or not ours:
        raise Problem(f".venv cannot be used ({reason}), and it is not a plain virtual environment: move it away.")
    if Path(sys.prefix).resolve() == VENV:
        raise Problem(f".venv cannot be used ({reason}), and it is running this script: use another Python.")
    say(f"deleting .venv: {reason}")
    shutil.rmtree(VENV)


def install(extras):
    """Install the package, editable, with these extras, unless the stamp says that it is done."""
    stamp = read_stamp()
    settings = fingerprint()
    have = set(stamp.get("extras", [])) if stamp.get("settings") == settings else None
    if have is not None and extras <= have:
        return
    extras = extras | (have or set())
    say("installing minitorch_bn and, where missing: " + ", ".join(requirements(extras)))
    STAMP.unlink(missing_ok=True)  # an installation that is cut short must not look like a finished one
    began = time.monotonic()
    pip_install(f"{ROOT}[{','.join(sorted(extras))}]" if extras else str(ROOT))
    stamp = {"settings": settings, "extras": sorted(extras), "place": str(ROOT)}
    STAMP.write_text(json.dumps(stamp), encoding="utf-8")
    say(f"installed in {time.monotonic() - began:.0f} s")


def pip_install(target):
    """Run pip; show where it is, and everything that it said if it fails."""
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--editable", target]
    environment = {**os.environ, "PIP_REQUIRE_VIRTUALENV": "1", "PIP_USER": "0", "PYTHONUNBUFFERED": "1"}
    pip = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=environment
    )
    output, shown = [], time.monotonic()
    for line in pip.stdout:
        output.append(line)
        # pip says three lines a package: show the large downloads and the last step, else a line in three seconds
        slow = re.match(r" *(Downloading .*\d MB|Installing collected)", line)
        if slow or (time.monotonic() - shown > 3 and re.match(r" *(Collecting|Downloading|Building|Obtaining)", line)):
            shown = time.monotonic()
            line = line.strip()
            print("    " + (line if len(line) <= 110 else line[:107] + "..."), flush=True)
    if pip.wait():
        raise Problem(
            f"pip failed (exit status {pip.returncode}). All that it said:\n\n{''.join(output)}\n"
            f"The command was: {shlex.join(command)}\n"
            "What to do: look for the first line that says ERROR. No network, or a proxy: set HTTPS_PROXY, or\n"
            "PIP_INDEX_URL to a mirror. No space left: free some. No matching version: try another Python, such\n"
            "as 3.12. Then run this again."
        )


def requirements(extras):
    """List what setup.cfg asks for, as it stands there."""
    config = ConfigParser(interpolation=None)
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    wanted = [config["options"]["install_requires"]]
    wanted += [config["options.extras_require"][name] for name in sorted(extras)]
    lines = [line.split(";")[0].strip() for line in "\n".join(wanted).splitlines() if line.strip()]
    return list(dict.fromkeys(lines))  # each once, in order


def fingerprint():
    """Hash all that decides what is installed."""
    files = [ROOT / name for name in ("setup.cfg", "pyproject.toml")]
    content = b"\0".join([sys.implementation.cache_tag.encode(), *(file.read_bytes() for file in files)])
    return hashlib.sha256(content).hexdigest()


def read_stamp():
    """Read what the last installation wrote down; an empty dict if there is nothing readable."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


# ---- the jobs --------------------------------------------------------------------------------------------------------


def run_checks(pytest_arguments):
    """Run all three checks, also after one has failed, then sum up; status 0 if all are well."""
    os.environ.setdefault("MPLBACKEND", "Agg")  # a test must not open a window
    ruff = f"{PYTHON.relative_to(ROOT)} -m ruff"
    checks = [
        ("ruff format --check", ["ruff", "format", "--check", "."], f"to repair: {ruff} format ."),
        ("ruff check", ["ruff", "check", "."], f"to repair what it can: {ruff} check --fix ."),
        ("pytest", ["pytest", *pytest_arguments], "see above; the failed ones again: python3 bootstrap.py test --lf"),
    ]
    summary, worst = [], 0
    for name, command, remedy in checks:
        say(name)
        began = time.monotonic()
        status = run([PYTHON, "-m", *command])
        verdict, hint = ("ok", "") if status == 0 else (f"FAILED ({status})", remedy)
        summary.append(f"    {name:<20} {verdict:<12} {time.monotonic() - began:7.1f} s  {hint}".rstrip())
        worst = worst or status
        if status == 130:  # Ctrl-C
            break
    say("summary: " + ("all checks passed" if not worst else "NOT all checks passed"))
    print("\n".join(summary))
    return worst


def run_lab(arguments):
    """Open JupyterLab on the notebooks; Ctrl-C twice ends it."""
    notebooks = ROOT / "notebooks"
    if not notebooks.is_dir():
        raise Problem("there is no folder notebooks/ here: the checkout is incomplete.")
    say("JupyterLab on notebooks/; Ctrl-C twice ends it")
    return run([PYTHON, "-m", "jupyterlab", notebooks, *arguments])


def run(command):
    """Run a command in the folder of this file until it ends; return its status."""
    process = subprocess.Popen([str(part) for part in command], cwd=ROOT, env={**ONE_THREAD, **os.environ})
    while True:
        try:
            status = process.wait()
            return status if status >= 0 else 128 - status  # ended by signal n: 128 + n, as shells say it
        except KeyboardInterrupt:
            pass  # Ctrl-C went to the command too; it decides when to end


def listen(command):
    """Run a command in silence; return its status and what it said."""
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout.strip()


def say(line):
    """Announce a stage."""
    print(f"[bootstrap] {line}", flush=True)


def version(numbers=sys.version_info):
    """Write a Python version as people say it."""
    return ".".join(str(number) for number in numbers[:2])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Problem as problem:
        sys.exit(f"[bootstrap] {problem}")
    except KeyboardInterrupt:
        sys.exit("[bootstrap] interrupted; run it again to go on")
