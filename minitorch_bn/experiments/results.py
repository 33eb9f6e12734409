"""What experiments share around the numbers: options that are checked, files that are written whole, tables."""

import json
import math
import os
import platform
from importlib import metadata
from pathlib import Path

import numpy as np

DTYPES = ("float32", "float64")


class BadInput(ValueError):
    """An option or a file that cannot be used; the message says which, why, and what would do."""


def check(name, value, smallest=None, largest=None, above=None):
    """Raise BadInput unless the number `value` is finite, >= `smallest`, <= `largest` and > `above`."""
    limits = [("at least", smallest), ("at most", largest), ("above", above)]
    wanted = " and ".join(f"{words} {limit}" for words, limit in limits if limit is not None)
    fits = (
        math.isfinite(value)
        and (smallest is None or value >= smallest)
        and (largest is None or value <= largest)
        and (above is None or value > above)
    )
    if not fits:
        raise BadInput(f"--{name} must be a number {wanted}, got {value}")


def check_seed(value):
    """Raise BadInput unless `value` can seed a generator."""
    check("seed", value, smallest=0, largest=2**63 - 1)


def check_dtype(value):
    """Raise BadInput unless `value` names a dtype that networks can be trained in."""
    if value not in DTYPES:
        raise BadInput(f"--dtype must be one of {', '.join(DTYPES)}, got {value!r}")


def versions():
    """What the numbers were computed with: {name: version}."""
    packages = ("numpy", "scikit-learn", "matplotlib")
    found = {"python": platform.python_version(), "machine": platform.machine(), "system": platform.system()}
    from .. import __version__

    found["minitorch_bn"] = __version__
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = None
    return found


def plain(value):
    """`value` as JSON can hold it: dicts with text keys, lists, Python's numbers; nan and infinities become None."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def thinned(curve, points=100):
    """At most about `points` of the values of `curve`, evenly spaced, the first and the last among them.

    Returns
    -------
    dict
        "index": where they stood; "value": what they are.
    """
    index = np.unique(np.linspace(0, len(curve) - 1, min(points, len(curve))).round().astype(int))
    return {"index": index.tolist(), "value": plain(np.asarray(curve, float)[index])}


def make_folder(path):
    """Make the folder that results go into, and make sure before the long run that files can be written there.

    Raises
    ------
    BadInput
        If it is a file, or cannot be made or written to.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--out {str(path)!r} cannot be a folder: {error.strerror or error}") from None
    if not os.access(folder, os.W_OK):
        raise BadInput(f"--out {str(path)!r}: no permission to write into this folder")
    return folder


def write_bytes(path, content):
    """Write `content` to a temporary file beside `path`, then move it there: readers see the old file or the new."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def write_json(path, results):
    """Write `results` (a dict that `plain` has been through) as JSON, readable by people; return the path."""
    text = json.dumps(results, ensure_ascii=False, allow_nan=False, indent=1)
    return write_bytes(path, (text + "\n").encode("utf-8"))


def table(head, rows):
    """Lines of text with aligned columns: the first to the left, the others to the right.

    >>> print(table(["net", "loss"], [["plain", "2.10"], ["with BatchNorm", "1.9"]]))
    net             loss
    --------------  ----
    plain           2.10
    with BatchNorm   1.9
    """
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    aligned = [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in lines
    ]
    return "\n".join(line.rstrip() for line in aligned)


def say_files(paths):
    """Print where the files of an experiment lie, relative to the present folder where that is shorter."""
    print("\nWritten:")
    for path in paths:
        shown = os.path.relpath(path) if path.is_relative_to(Path.cwd()) or not path.is_absolute() else path
        print(f"  {shown}")
