"""Look for known faults around BatchNorm in a model of yours, a checkpoint, or a demonstration.

    minitorch-bn doctor package.module:factory      a function, called without arguments, that returns the model, or
    minitorch-bn doctor path/to/file.py:factory     (model, loader, optimizer, loss), or as many of them as there are,
                                                    or a dict of lint's arguments
    minitorch-bn doctor file.py:factory --checkpoint model.pt --validation
    minitorch-bn doctor --demo faulty               a small network with many faults; names, circles: healthy ones

Exit status: 0 if nothing serious was found, 1 if something was, 2 for input that cannot be used.
"""

import argparse
import contextlib
import importlib
import importlib.util
import sys
from pathlib import Path

import minitorch_bn as mt

from .. import nn
from ..experiments import circles, names
from ..experiments.results import BadInput, check
from ..utils.data import DataLoader, TensorDataset
from .lint import check_arguments, lint

WRITES_FILES = False
PLACES = ("model", "loader", "optimizer", "loss")  # of lint's arguments in a tuple


def add_arguments(parser):
    """The options of `minitorch-bn doctor`."""
    parser.formatter_class, parser.description = argparse.RawDescriptionHelpFormatter, __doc__
    parser.add_argument("target", nargs="?", metavar="MODULE:FACTORY", help="where the model comes from")
    parser.add_argument("--demo", choices=sorted(DEMOS), help="a network of the package instead, trained for a moment")
    parser.add_argument("--checkpoint", metavar="FILE", help="a state dict to load into the model first")
    parser.add_argument("--eval", action="store_true", help="put the model into eval mode first")
    parser.add_argument("--validation", action="store_true", help="the loader is the one for validation")
    parser.add_argument("--batches", type=int, default=20, help="how many batches to look at (default: %(default)s)")
    parser.add_argument("--ignore", nargs="+", default=[], metavar="NAME", help="findings that are not wanted")


def prepare(options):
    """lint's arguments, checked; the model is made, and the checkpoint loaded, here."""
    if (options.target is None) == (options.demo is None):
        raise BadInput("give either MODULE:FACTORY or --demo")
    check("batches", options.batches, smallest=1)
    arguments = DEMOS[options.demo]() if options.demo else arguments_of(options.target)
    arguments |= {"batches": options.batches, "ignore": options.ignore, "progress": options.progress}
    if options.validation:
        arguments["validation"] = True
    try:
        check_arguments(**{name: value for name, value in arguments.items() if name not in ("progress", "show")})
    except (TypeError, ValueError) as error:
        raise BadInput(str(error)) from None
    if options.checkpoint:
        load(arguments["model"], options.checkpoint)
    if options.eval:
        arguments["model"].eval()
    return arguments


def execute(options, arguments, folder):
    """Print the findings, or that there are none.

    Returns
    -------
    findings : Findings
    files : list
        Empty: nothing is written.
    """
    findings = lint(**arguments | {"show": False})
    print(findings)
    return findings, []


def exit_status(findings):
    """1 if something serious was found."""
    return 1 if findings.serious else 0


def arguments_of(target):
    """lint's arguments from what the factory `target`, "module:name" or "file.py:name", returns."""
    place, _, name = target.rpartition(":")
    if not place or not name.isidentifier():
        raise BadInput(f"got {target!r}, wanted MODULE:FACTORY or FILE.py:FACTORY")
    factory = getattr(load_module(place), name, None)
    if not callable(factory):
        raise BadInput(f"{place} has no function {name!r}")
    made = factory()
    if isinstance(made, dict):
        return dict(made)
    made = made if isinstance(made, tuple) else (made,)
    if len(made) > len(PLACES):
        raise BadInput(f"{target} returned {len(made)} things, wanted at most {len(PLACES)}: {', '.join(PLACES)}")
    return dict(zip(PLACES, made, strict=False))


def load_module(place):
    """The module of that dotted name, or in that file. The present folder is searched as well."""
    if place.endswith(".py"):
        path = Path(place)
        if not path.is_file():
            raise BadInput(f"there is no file {place!r}")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules.setdefault(path.stem, module)
        with searched(path.parent):
            spec.loader.exec_module(module)
        return module
    try:
        with searched(Path.cwd()):
            return importlib.import_module(place)
    except ModuleNotFoundError as error:
        if error.name and f"{place}.".startswith(f"{error.name}."):
            raise BadInput(f"there is no module {error.name!r}") from None
        raise


@contextlib.contextmanager
def searched(folder):
    """Within, imports look into `folder` first."""
    sys.path.insert(0, str(folder.resolve()))
    try:
        yield
    finally:
        sys.path.remove(str(folder.resolve()))


def load(model, file):
    """Load a state dict, or the one under "model", "state_dict" or "model_state_dict" in a checkpoint."""
    try:
        state = mt.load(file)
        for key in ("model", "state_dict", "model_state_dict"):
            if isinstance(state, dict) and isinstance(state.get(key), dict):
                state = state[key]
        model.load_state_dict(state)
    except FileNotFoundError:
        raise BadInput(f"there is no file {file!r}") from None
    except (RuntimeError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadInput(f"--checkpoint {file!r} does not fit: {str(error).splitlines()[0]}") from None


# ---- demonstrations --------------------------------------------------------------------------------------------------


def demo_names():
    """The network of the names, after 500 steps."""
    data = names.load_data(names.Settings())
    mt.manual_seed(42)
    net = names.Net(len(data.vocabulary), True)
    names.train(net, *data.train, 500)
    loader = DataLoader(TensorDataset(*data.train), 32, shuffle=True)
    optimizer = mt.optim.SGD(net.parameters(), lr=0.1)
    return {"model": net, "loader": loader, "optimizer": optimizer, "loss": nn.CrossEntropyLoss()}


def demo_circles():
    """The network of the circles, after 200 epochs."""
    data = circles.load_data()
    net = circles.run(epochs=200, data=data).net
    loader = DataLoader(TensorDataset(data.x_train, data.y_train), 200, shuffle=True)
    return {"model": net, "loader": loader, "loss": nn.CrossEntropyLoss()}


def demo_faulty():
    """A network that was put together in a hurry."""
    mt.manual_seed(0)
    net = nn.Sequential(
        nn.Linear(6, 16),
        nn.BatchNorm1d(16, momentum=0.99),
        nn.Tanh(),
        nn.Dropout(0.5),
        nn.BatchNorm1d(16, momentum=0.001),
        nn.Linear(16, 16),
        nn.ReLU(),
        nn.Linear(16, 3),
    )
    net[5].bias.data[:9] -= 100
    x, y = mt.randn(97, 6) * 3 + 5, mt.randint(0, 3, (97,))
    optimizer = mt.optim.AdamW(net.parameters(), weight_decay=0.1)
    loader = DataLoader(TensorDataset(x, y), 32)
    return {"model": net, "loader": loader, "optimizer": optimizer, "loss": nn.CrossEntropyLoss()}


DEMOS = {"names": demo_names, "circles": demo_circles, "faulty": demo_faulty}
