"""python -m minitorch_bn.compare: BatchNorm's conformance table, for this package and for others that are installed."""

import argparse
from pathlib import Path

from .conformance import conformance, html_table, text_table
from .others import OTHERS


def rows(only=()):
    """The rows of the table: this package, PyTorch if it is installed, and the frameworks of others.py that are."""
    import minitorch_bn

    implementations = [minitorch_bn]
    try:
        import torch
    except ImportError:
        pass
    else:
        implementations.append(torch)
    implementations += [other for other in OTHERS if other.installed()]
    wanted = [i for i in implementations if not only or i.__name__.split(".")[-1].lower() in only]
    if not wanted:
        names = ", ".join(i.__name__.lower() for i in implementations)
        raise SystemExit(f"compare: got {', '.join(only)}, wanted some of what is installed: {names}")
    return [conformance(i) for i in wanted]


def main(arguments=None):
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m minitorch_bn.compare",
        description="Does a BatchNorm give what PyTorch's gives? (PyTorch's numbers are stored.)",
    )
    parser.add_argument("only", nargs="*", type=str.lower, help="implementations, by name (default: all installed)")
    parser.add_argument("--html", type=Path, metavar="FILE", help="also write the table as a page")
    options = parser.parse_args(arguments)
    table = rows(options.only)
    print(text_table(table))
    if options.html:
        page = f"<!doctype html><meta charset='utf-8'><title>BatchNorm conformance</title>{html_table(table)}"
        options.html.write_text(page, encoding="utf-8")
        print(f"\nwrote {options.html}")
    return 0 if table[0].ok else 1


if __name__ == "__main__":
    raise SystemExit(main())
