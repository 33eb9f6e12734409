"""Make the notebooks: NN_name.py is what people write, NN_name.ipynb beside it is the same, executed, with outputs.

    python notebooks/build.py                    all notebooks
    python notebooks/build.py 01_engine 02       only these (the start of a name is enough)
    python notebooks/build.py --check            execute and report, write nothing

The `.py` files are in jupytext's percent format: `# %%` starts a code cell, `# %% [markdown]` a text cell. A notebook
is executed from its first cell to its last in a new kernel of the Python that runs this script, in the folder
notebooks/, with the package of this checkout. What is written does not depend on the machine or the hour: the ids of
the cells count, there are no times, no version of Python, no path. So a diff of a notebook shows what a reader sees.

The exit status is 1 if a notebook raised an error, took too long, or shows something of the machine.
"""

import argparse
import os
import re
import socket
import sys
import time
from pathlib import Path

import jupytext
import nbclient
import nbformat
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

NOTEBOOKS = Path(__file__).resolve().parent
ROOT = NOTEBOOKS.parent
LIMIT = 90  # seconds for a whole notebook: the promise of notebooks/README.md

# An absolute path of Unix or Windows. Not a path: a/usr/b, ./usr, ~/usr, <root>, the rest of an address.
PATH_OF_A_MACHINE = re.compile(
    r"(?:(?<![\w+/.~<}-])|(?<=file://))/(?:work|root|tmp|home|Users|usr|opt|var|mnt)/[\w.-]+|\b[A-Za-z]:\\\w+"
)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # of a terminal: it could hide the start of a path
ADDRESS_IN_MEMORY = re.compile(r"\bat 0x[0-9a-fA-F]{6,}")


class Problem(Exception):
    """A notebook that cannot be built; the message says which cell, and why."""


def main(words=None):
    """Build or check the notebooks that the command line names; return the exit status."""
    description, *rest = __doc__.split("\n\n")
    parser = argparse.ArgumentParser(
        description=description, epilog="\n\n".join(rest), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="the start of a notebook's name, such as 01 (default: all notebooks)")
    parser.add_argument("--check", action="store_true", help="execute and report, write nothing")
    args = parser.parse_args(words)
    failed = []
    for source in sources(args.names):
        try:
            build(source, write=not args.check)
        except Problem as problem:
            failed.append(source.stem)
            print(f"{source.stem}: FAILED\n{problem}", file=sys.stderr)
    if failed:
        print(f"not built: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def sources(names=()):
    """The notebooks' .py files, in order; with `names`, those that start with one of them."""
    every = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.py"))
    starts = tuple(Path(name).name.removesuffix(".py").removesuffix(".ipynb") for name in names)
    for start in starts:
        if not any(path.stem.startswith(start) for path in every):
            raise SystemExit(f"no notebook starts with {start!r}; there are: {', '.join(path.stem for path in every)}")
    return [path for path in every if not starts or path.stem.startswith(starts)]


def build(source, write=True):
    """Make the .ipynb beside `source`, or only try to (`write` false); report time and pictures."""
    target = source.with_suffix(".ipynb")
    notebook, seconds = execute(convert(source), source.stem)
    tidy(notebook)
    if seconds > LIMIT:
        raise Problem(f"took {seconds:.0f} s, wanted at most {LIMIT} s")
    if leaks := complaints(notebook):
        raise Problem("\n".join(leaks))
    text = nbformat.writes(notebook) + "\n"
    old = target.read_text(encoding="utf-8") if target.exists() else ""
    if write and text != old:
        write_text(target, text)
    what = "unchanged" if text == old else "written" if write else "differs from the .ipynb that is there"
    print(f"{source.stem}: {seconds:.1f} s, {len(pictures(notebook))} pictures, {len(text) / 1024:.0f} KiB, {what}")


def convert(source):
    """The notebook of a .py file, without outputs. The ids of its cells count: cell-00, cell-01, ..."""
    notebook = jupytext.read(source, fmt="py:percent")
    for i, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{i:02d}"
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5  # the first version with ids
    return notebook


class ThisPython(KernelSpecManager):
    """Finds one kernel whatever is installed: the Python that runs this script."""

    def get_kernel_spec(self, kernel_name):
        return KernelSpec(**get_kernel_dict(["--log-level=ERROR"]))


def execute(notebook, name="notebook"):
    """Run all cells in a new kernel; return the notebook, now with outputs, and the seconds that it took."""
    total = len(notebook.cells)

    def progress(cell, cell_index):
        if sys.stderr.isatty():
            print(f"\r{name}: cell {cell_index + 1} of {total} ", end="", file=sys.stderr, flush=True)

    client = nbclient.NotebookClient(
        notebook,
        km=AsyncKernelManager(kernel_spec_manager=ThisPython()),
        resources={"metadata": {"path": str(NOTEBOOKS)}},
        timeout=2 * LIMIT,  # per cell, so that one that hangs ends
        record_timing=False,
        on_cell_start=progress,
    )
    start = time.perf_counter()
    try:
        client.execute(env=environment(), cleanup_kc=True)
    except nbclient.exceptions.CellExecutionError as error:
        raise Problem(COLOUR.sub("", str(error))) from None
    except nbclient.exceptions.CellTimeoutError as error:
        raise Problem(f"a cell ran for more than {2 * LIMIT} s: {error}") from None
    finally:
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr)
    return notebook, time.perf_counter() - start


def environment():
    """The kernel's environment: the package of this checkout, one BLAS thread, one order of sets, pictures in place."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    always = {"PYTHONPATH": path, "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    return {**threads, "PYTHONHASHSEED": "0", **os.environ, **always}


def tidy(notebook):
    """Take out what differs from one build to the next: times, the version of Python, split streams."""
    notebook.metadata["language_info"] = nbformat.from_dict({"name": "python"})
    notebook.metadata.pop("widgets", None)
    for cell in code_cells(notebook):
        cell.metadata.pop("execution", None)
        joined = []
        for output in cell.outputs:
            same = joined and output.output_type == "stream" == joined[-1].output_type
            if same and output.name == joined[-1].name:  # printed by one cell, received in several pieces
                joined[-1].text += output.text
            else:
                joined.append(output)
        cell.outputs = joined


def code_cells(notebook):
    """The code cells, in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def pictures(notebook):
    """The PNG pictures among the outputs, as base64 text."""
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    return [output.data["image/png"] for output in outputs if "image/png" in output.get("data", {})]


def texts(notebook):
    """(where, text) for all that a reader can read: sources, and outputs but for pictures."""
    for i, cell in enumerate(notebook.cells):
        yield f"cell {i}, source", cell.source
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                yield f"cell {i}, {output.name}", output.text
            elif output.output_type == "error":
                yield f"cell {i}, error", "\n".join([output.ename, output.evalue, *output.traceback])
            for kind, text in output.get("data", {}).items():
                if not kind.startswith("image/") or kind == "image/svg+xml":
                    yield f"cell {i}, {kind}", str(text)


def complaints(notebook):
    """What in a notebook tells of the machine that built it: absolute paths, the host's name, addresses in memory."""
    host = socket.gethostname()
    patterns = [(PATH_OF_A_MACHINE, "a path of this machine"), (ADDRESS_IN_MEMORY, "an address in memory")]
    if any(c.isdigit() for c in host):  # a name without digits ("vm", "local") may be a word of the text
        patterns.append((re.compile(rf"\b{re.escape(host)}\b"), "the host's name"))
    return [
        f"{where}: got {match[0]!r}, {what}; wanted a text that is the same everywhere"
        for where, text in texts(notebook)
        for pattern, what in patterns
        for match in pattern.finditer(COLOUR.sub("", text))
    ]


def write_text(target, text):
    """Write a whole file or nothing: to a file beside it, which then takes its name."""
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        beside.write_text(text, encoding="utf-8", newline="\n")
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
