"""Both experiments at full size, one after the other, each on all cores; then one table."""

import time

from . import circles, names
from .results import table


def add_arguments(parser):
    """The options of `python -m minitorch_bn all`: the few that make it shorter, or seed it."""
    parser.add_argument("--steps", type=int, default=names.Settings.steps, help="names (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=circles.Settings.epochs, help="circles (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=circles.Settings.seeds, help="circles (default: %(default)s)")
    parser.add_argument("--seed", type=int, help="seed of names, first seed of circles (default: each its own)")
    parser.add_argument("--file", help="names, one per line, UTF-8 (default: the package's prenoms.txt)")
    parser.add_argument("--processes", type=int, help="runs at once (default: one a core)")
    parser.add_argument("--dtype", default="float32", help="float32 or float64 (default: %(default)s)")


def prepare(options):
    """The settings of both, checked before either starts."""
    given = vars(options)
    prepared = []
    for module in (circles, names):
        fields = {name: field.default for name, field in module.Settings.__dataclass_fields__.items()}
        known = {name: given[name] for name in fields if given.get(name) is not None}
        prepared.append(module.prepare(type(options)(**given | fields | known)))
    return prepared


def execute(options, settings, folder):
    """Run both, print the combined table and how to go on.

    Returns
    -------
    results : list of dict
    files : list of Path
    """
    began = time.perf_counter()
    contents, files, rows = [], [], []
    for module, own in zip((circles, names), settings, strict=True):
        content, written = module.execute(options, own, folder)
        contents.append(content)
        files += written
        rows += module.combined_rows(content)
        print(flush=True)
    print(table(["", "with BatchNorm", "without"], rows))
    print(f"\nBoth experiments took {time.perf_counter() - began:.0f} s.")
    return contents, files


FAREWELL = """
How to go on:
  python3 bootstrap.py lab     the lessons, in JupyterLab
  python3 bootstrap.py test    the checks: style, numbers, agreement with PyTorch"""
