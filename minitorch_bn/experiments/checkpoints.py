"""Checkpoints: what a run needs to go on where it stopped, in a file that is whole at any moment.

A checkpoint holds the settings of the run and, for every network trained so far, its state, that of the optimiser, and
from every rank its losses and the state of its random numbers. Rank 0 writes it to a temporary file, which then takes
the place of the last one. A run that goes on from it computes, to the bit, what it would have computed without a stop.
"""

import io
import os
import pickle
from pathlib import Path

import numpy as np

import minitorch_bn as mt

from .. import world
from ..nn.parallel import DistributedDataParallel
from . import results
from .results import BadInput


def add_arguments(parser, every, unit):
    """The options --checkpoint, --every and --resume."""
    parser.add_argument(
        "--checkpoint", metavar="FILE", help="write here what is needed to go on (the networks are trained in turn)"
    )
    parser.add_argument("--every", type=int, metavar="N", help=f"{unit} between checkpoints (default: {every})")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    parser.set_defaults(every_by_default=every)


def prepare(options, settings):
    """The checkpoints that the options ask for, or None; `settings` is a dict. BadInput for what cannot be used."""
    file = getattr(options, "checkpoint", None)
    if file is None:
        if getattr(options, "resume", False):
            raise BadInput("--resume needs --checkpoint FILE, the file to go on from")
        if getattr(options, "every", None) is not None:
            raise BadInput("--every needs --checkpoint FILE, the file to write")
        return None
    every = options.every_by_default if options.every is None else options.every
    results.check("every", every, smallest=1)
    return Checkpoints(Path(file), every, settings, options.resume)


class Checkpoints:
    """The checkpoints of one run.

    Parameters
    ----------
    file : Path
        Only rank 0 reads and writes it.
    every : int
        Entries of a network's history between two checkpoints.
    settings : dict
        What must be the same for a run to go on; the number of ranks is added.
    resume : bool
        Go on from `file`, which must exist then; without it `file` must not exist.

    Raises
    ------
    BadInput
        On rank 0, if `file` cannot be written, exists without `resume`, or with it is missing, no checkpoint, or one of
        other settings.
    """

    def __init__(self, file, every, settings, resume):
        self.file, self.every, self.group = file, every, world.current()
        self.content = {"settings": settings | {"ranks": self.group.size}, "nets": {}}
        if self.group.rank == 0:
            check_place(file, resume)
            if resume:
                self.content = read(file, self.content["settings"])

    def share(self):
        """Give rank 0's checkpoint to all ranks."""
        if self.group.size == 1:
            return
        packed = io.BytesIO()
        mt.save(self.content, packed)
        first, *_ = self.group.all_gather_object(packed.getvalue() if self.group.rank == 0 else None)
        self.content = mt.load(io.BytesIO(first))

    def of(self, name):
        """The checkpoints of one network, by its name in the file."""
        return OfOneNet(self, name)


class OfOneNet:
    """The checkpoints of one network: what its training loop needs.

    `parts` are whatever training changes: the network, the optimiser, a scheduler. They have state_dict() and
    load_state_dict(), and are given in the same order every time.
    """

    def __init__(self, checkpoints, name):
        self.checkpoints, self.name = checkpoints, name

    def resume(self, *parts):
        """Put everything where it was; the history of this rank, a list: [] if this network begins anew."""
        kept = self.checkpoints.content["nets"].get(self.name)
        if kept is None:
            return []
        own = kept["ranks"][self.checkpoints.group.rank]
        for part, state in zip(parts, kept["parts"], strict=True):
            bare(part).load_state_dict(state)
        mt.set_rng_state(own["random"])
        return own["history"].tolist()

    def keep(self, history, *parts, last=False):
        """Write a checkpoint if it is time, or the `last` entry of `history`. All ranks must call this alike.

        history : list of numbers, or of lists of as many numbers
            What this rank has found so far; its length counts.
        """
        everything = self.checkpoints
        if len(history) % everything.every and not last:
            return
        own = {"history": np.array(history, np.float64), "random": mt.get_rng_state().numpy()}
        everything.content["nets"][self.name] = {
            "parts": [bare(part).state_dict() for part in parts],
            "ranks": [rank | {"random": mt.tensor(rank["random"])} for rank in everything.group.all_gather_object(own)],
        }
        if everything.group.rank == 0:
            mt.save(everything.content, everything.file)


def bare(part):
    """`part` itself; a network out of its DistributedDataParallel."""
    return part.module if isinstance(part, DistributedDataParallel) else part


def check_place(file, resume):
    """Raise BadInput if checkpoints cannot be written to `file`, or would overwrite one that is still wanted."""
    if file.is_dir():
        raise BadInput(f"--checkpoint {file} is a folder; give the name of a file")
    if not file.absolute().parent.is_dir():
        raise BadInput(f"--checkpoint {file}: there is no folder {file.absolute().parent}")
    if not os.access(file.absolute().parent, os.W_OK):
        raise BadInput(f"--checkpoint {file}: no permission to write into {file.absolute().parent}")
    if resume and not file.exists():
        raise BadInput(f"--resume: there is no checkpoint {file}; leave out --resume to begin")
    if not resume and file.exists():
        raise BadInput(f"--checkpoint {file} exists; add --resume to go on from it, or remove it to begin anew")


def read(file, settings):
    """The checkpoint in `file`, which must be one of a run with these `settings`."""
    try:
        content = mt.load(file)
    except (RuntimeError, EOFError, LookupError, TypeError, pickle.UnpicklingError) as error:
        raise BadInput(f"--resume: {file} is no whole checkpoint ({error})") from None
    if not is_checkpoint(content):
        raise BadInput(f"--resume: {file} is no whole checkpoint of an experiment, it holds something else")
    made_with = content["settings"]
    keys = [key for key in settings | made_with if made_with.get(key, ...) != settings.get(key, ...)]
    if keys:
        apart = ", ".join(f"{key} {made_with.get(key)}, now {settings.get(key)}" for key in keys)
        raise BadInput(f"--resume: {file} is of a run with other settings: {apart}. Run it with the same ones.")
    return content


def is_checkpoint(content):
    """Whether what a file holds is built like `Checkpoints.content`."""
    if not (isinstance(content, dict) and all(isinstance(content.get(key), dict) for key in ("settings", "nets"))):
        return False
    kept = [net for net in content["nets"].values() if isinstance(net, dict)]
    return len(kept) == len(content["nets"]) and all(net.keys() == {"parts", "ranks"} for net in kept)
