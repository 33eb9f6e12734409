"""A diverging BatchNorm is compared with the catalogue of wrong formulas, on the very numbers that it was given."""

import numpy as np

from .guess_layers import call_of, module_of
from .report import Guess
from .tolerance import largest

ORDER = ("y", "running_mean", "running_var", "dgamma", "dbeta", "dx")  # in which a BatchNorm is compared
QUANTITY = {"weight": "dgamma", "bias": "dbeta"}


def mistakes(scene):
    """The catalogue's mistakes that reproduce our value: a list of Guess, empty if the layer is no BatchNorm."""
    from . import catalogue

    call, name = call_of(scene), module_of(scene)
    info = scene.info_there.get(name, {})
    prefix = f"{name}." if name else ""
    state = {key: scene.before_here.get(prefix + key) for key in ("weight", "bias", "running_mean", "running_var")}
    if call is None or "momentum" not in info or not isinstance(info.get("eps"), float):
        return []
    batches = scene.before_here.get(f"{prefix}num_batches_tracked")
    what, x = quantity(scene, call, prefix), scene.here.get(call.x)
    if what is None or x is None or x.ndim < 2:
        return []
    batch_statistics = call.training or state["running_mean"] is None
    found = catalogue.explain(
        what if batch_statistics or what.startswith("running") else f"eval_{what}",
        np.asarray(scene.ours),
        x=x,
        gamma=state["weight"],
        beta=state["bias"],
        dy=scene.here.get(f"gradient of {call.y}"),
        running_mean=state["running_mean"],
        running_var=state["running_var"],
        eps=info["eps"],
        momentum=info["momentum"],
        batches=0 if batches is None else int(batches),
        training=batch_statistics,
        tolerance=min(2 * scene.row.allowed, scene.row.difference / 8) / (largest(scene.theirs) or 1.0),
    )
    kept = [mistake for mistake in found if not mistake.changes & agreed(what)] or found
    return [Guess(mistake.says, mistake.instead, source=mistake.name) for mistake in kept]


def agreed(what):
    """What of this BatchNorm was compared before `what` and agreed, in the catalogue's names: no mistake changed it."""
    before = ORDER[: ORDER.index(what)]
    return {*before, *(f"eval_{name}" for name in before if not name.startswith("running"))}


def quantity(scene, call, prefix):
    """What the catalogue calls the tensor: "y", "dx", "dgamma", "dbeta", "running_mean", "running_var", or None."""
    entry = scene.entry
    if entry.kind == "output" and entry.name == call.y:
        return "y"
    if entry.kind == "buffer":
        short = entry.name.removeprefix(prefix)
        return short if short in ("running_mean", "running_var") else None
    if entry.kind == "gradient":
        return "dx" if entry.of == call.x else QUANTITY.get(entry.of.removeprefix(prefix))
    return None
