"""The command line: python -m minitorch_bn COMMAND.

A command is a module with four functions: `add_arguments(parser)`; `prepare(options)`, which checks everything that the
user gave and raises BadInput or an OSError; `execute(options, prepared, folder)`, which does the work and returns the
results and the files written. Its help is the first line of its docstring. To add one, add a line to COMMANDS. A module
whose WRITES_FILES is false gets no folder; its `exit_status(results)` says how the process ends.
"""

import argparse
import importlib
import sys
from pathlib import Path

from .experiments import ranks
from .experiments.results import BadInput, make_folder, say_files

COMMANDS = {
    "circles": "minitorch_bn.experiments.circles",
    "names": "minitorch_bn.experiments.names",
    "digits": "minitorch_bn.experiments.digits",
    "all": "minitorch_bn.experiments.together",
    "doctor": "minitorch_bn.debug.lint_command",
}


class OneLineParser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are one line: what is wrong, and where to read more."""

    def error(self, message):
        """Print the message and end with exit status 2."""
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def make_parser():
    """The parser of the whole command line: (parser, {command: its parser})."""
    parser = OneLineParser("python -m minitorch_bn", description="Experiments with batch normalisation.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    parsers = {}
    for name, path in COMMANDS.items():
        module = importlib.import_module(path)
        first_line = module.__doc__.splitlines()[0]
        own = parsers[name] = commands.add_parser(name, help=first_line, description=first_line)
        module.add_arguments(own)
        if getattr(module, "WRITES_FILES", True):
            own.add_argument("--out", default="results", help="folder for results and figures (default: %(default)s)")
            own.add_argument("--no-figures", dest="figures", action="store_false", help="write only the numbers")
        own.add_argument("--quiet", dest="progress", action="store_false", help="no progress bar")
        own.set_defaults(module=module)
    return parser, parsers


def main(words=None):
    """Do what the command line `words` (default: that of this process) asks; return the exit status.

    0: done. 1: the doctor found something serious. 2: an option or a file that cannot be used; nothing was run or
    written then. 130: Ctrl-C.
    """
    parser, parsers = make_parser()
    options = parser.parse_args(words)
    try:
        with ranks.joined(options):
            return run(options)
    except BadInput as error:
        if ranks.is_first():
            parsers[options.command].error(str(error))
        return 0  # rank 0 says what is wrong, and ends the job with its status


def run(options):
    """Do what the options ask, on this rank, if there are several; return the exit status.

    Raises
    ------
    BadInput
        On all ranks, before anything was run or written.
    """
    options.progress = options.progress and ranks.may_show_progress()
    prepared = ranks.on_all(lambda: options.module.prepare(options))
    writes = hasattr(options, "out")
    folder = ranks.on_all(lambda: make_folder(Path(options.out)) if writes and ranks.is_first() else None)
    try:
        content, files = options.module.execute(options, prepared, folder)
    except KeyboardInterrupt:
        hint = "; --resume goes on from the checkpoint" if getattr(options, "checkpoint", None) else ""
        whole = "files of a finished experiment are whole, the others were not touched"
        print(f"\ninterrupted: {whole}{hint}", file=sys.stderr)
        ranks.end_all(130)
        return 130
    if not writes:
        return options.module.exit_status(content)
    say_files(files)
    print(getattr(options.module, "FAREWELL", ""), end="\n" if hasattr(options.module, "FAREWELL") else "")
    return 0


if __name__ == "__main__":
    sys.exit(main())
