"""What the conformance table puts an implementation through, and what PyTorch gave there.

A scenario is a layer with its settings, data, and what is done with it. `data/golden/batchnorm_conformance.npz` holds
the data and PyTorch's results, so the table needs no PyTorch; `make_reference` makes the file anew.
"""

import functools
import json
from dataclasses import dataclass

import numpy as np

from .adapters import Absent, LayerAdapter

FILE = "batchnorm_conformance.npz"


@dataclass(frozen=True)
class Scenario:
    """One thing that is done with a BatchNorm.

    Attributes
    ----------
    name : str
    shape : tuple of int
        Of x: (N, C, *S).
    modes : str
        What happens, in order: "t" a batch in train mode, "e" one in eval mode; each forwards and backwards.
    eps, momentum, affine, track
        The layer's settings.
    dtype : str
        Of everything.
    special : str
        What is peculiar about the data: "offset", "constant", "nan", "inf", "strided"; or "walks" (backward twice),
        "no_grad" (forward without recording), "start" (no batch at all).
    """

    name: str
    shape: tuple
    modes: str = "t"
    eps: float = 1e-5
    momentum: float | None = 0.1
    affine: bool = True
    track: bool = True
    dtype: str = "float64"
    special: str = ""


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("train", (8, 3)),
        Scenario("eval", (8, 3), "e"),
        Scenario("start", (8, 3), special="start"),
        Scenario("sequence", (4, 3, 5)),
        Scenario("image", (3, 4, 2, 3)),
        Scenario("volume", (2, 3, 2, 2, 3)),
        Scenario("image in eval", (3, 4, 2, 3), "e"),
        Scenario("train, then eval", (8, 3), "te"),
        Scenario("large eps", (8, 3), eps=0.5),
        Scenario("large eps in eval", (8, 3), "e", eps=0.5),
        Scenario("momentum 0.3", (8, 3), "tt", momentum=0.3),
        Scenario("momentum None", (8, 3), "ttt", momentum=None),
        Scenario("no affine", (8, 3), affine=False),
        Scenario("no affine in eval", (8, 3), "e", affine=False),
        Scenario("no tracking", (8, 3), track=False),
        Scenario("no tracking in eval", (8, 3), "e", track=False),
        Scenario("one value", (1, 3)),
        Scenario("one value in an image", (1, 3, 1, 1)),
        Scenario("one image", (1, 3, 2, 2)),
        Scenario("one value in eval", (1, 3), "e"),
        Scenario("eps 0", (8, 3), eps=0.0),
        Scenario("eps 0 in eval", (8, 3), "e", eps=0.0),
        Scenario("float32", (8, 3), dtype="float32"),
        Scenario("float32 in eval", (8, 3), "e", dtype="float32"),
        Scenario("offset", (8, 3), dtype="float32", special="offset"),
        Scenario("constant", (8, 3), special="constant"),
        Scenario("nan", (8, 3), special="nan"),
        Scenario("inf", (8, 3), special="inf"),
        Scenario("strided", (6, 3), special="strided"),
        Scenario("empty", (0, 3)),
        Scenario("walks", (8, 3), special="walks"),
        Scenario("no_grad", (8, 3), special="no_grad"),
    )
}


def make_data(scenario, seed):
    """The data of a scenario: random, gamma and beta far from 1 and 0, x far from mean 0 and variance 1."""
    rng = np.random.default_rng(seed)
    channels, steps = scenario.shape[1], len(scenario.modes)
    x = 1.5 + 2 * rng.normal(size=(steps, *scenario.shape))
    if scenario.special == "offset":
        x = 1e4 + rng.normal(size=x.shape)
    if scenario.special == "constant":
        x[:, :, 1] = 0.5
    if scenario.special in ("nan", "inf"):
        x[0, 2, 1] = float(scenario.special)
    data = {
        "x": x,
        "dy": rng.normal(size=x.shape),
        "gamma": rng.uniform(0.5, 2, channels) * rng.choice([-1, 1], channels),
        "beta": rng.normal(size=channels),
        "running_mean": rng.normal(size=channels),
        "running_var": rng.uniform(0.5, 3, channels),
    }
    return {name: array.astype(scenario.dtype) for name, array in data.items()}


def run(adapter, scenario, data):
    """Do what the scenario says.

    Returns
    -------
    dict
        "y", "dx", "dgamma", "dbeta" of the last batch, the running statistics after it and "num_batches_tracked"; what
        the implementation does not have is missing. "backward" is the exception, if backward raises one. If anything
        else raises, {"error": exception}.
    """
    try:
        with np.errstate(all="ignore"):
            return _run(adapter, scenario, data)
    except Exception as error:  # whatever an implementation raises is its result
        return {"error": error}


def _run(adapter, scenario, data):
    """`run` for an adapter that raises nothing."""
    adapter.construct(
        scenario.shape[1],
        rank=len(scenario.shape),
        eps=scenario.eps,
        momentum=scenario.momentum,
        affine=scenario.affine,
        track_running_stats=scenario.track,
        dtype=scenario.dtype,
    )
    gamma, beta = (data["gamma"], data["beta"]) if scenario.affine else (None, None)
    if scenario.special == "walks" and not getattr(adapter, "has_retain", True):
        raise Absent("no retain_graph")
    keep = scenario.special == "start" or not scenario.track
    statistics = (None, None) if keep else (data["running_mean"], data["running_var"])
    adapter.load(*(None if a is None else a.copy() for a in (gamma, beta, *statistics)))
    if scenario.special == "start":
        return {name: np.asarray(value) for name, value in adapter.state().items()}
    result = {}
    for mode, x, dy in zip(scenario.modes, data["x"], data["dy"], strict=True):
        x = np.asfortranarray(x) if scenario.special == "strided" else x.copy()
        dy, before = dy.copy(), (x.copy(), dy.copy())
        if scenario.special == "no_grad":
            result["y"] = adapter.forward(x, mode == "t", recording=False)
            continue
        result["y"] = np.array(adapter.forward(x, mode == "t"))
        try:
            for _ in range(2 if scenario.special == "walks" else 1):
                gradients = adapter.backward(dy)
            result.update(zip(("dx", "dgamma", "dbeta"), gradients, strict=True))
        except Exception as error:
            result["backward"] = error
        result["x_left_alone"] = np.array_equal(x, before[0], equal_nan=True) and np.array_equal(dy, before[1])
    result.update(adapter.state())
    return {
        name: value if name == "backward" else np.asarray(value) for name, value in result.items() if value is not None
    }


def make_reference(path):
    """Let PyTorch go through all scenarios, and store data and results: `data/golden/make_conformance.py` calls this.

    Results in float32 are computed in float64, from the float32 data: they are what both should give.
    """
    import torch

    arrays, errors = {}, {}
    for seed, scenario in enumerate(SCENARIOS.values()):
        data = make_data(scenario, seed)
        arrays.update({f"{scenario.name}/in/{name}": array for name, array in data.items()})
        precise = Scenario(**{**vars(scenario), "dtype": "float64"})
        result = run(LayerAdapter(torch), precise, {name: array.astype(float) for name, array in data.items()})
        if "error" in result:
            errors[scenario.name] = type(result["error"]).__name__
            continue
        result.pop("x_left_alone", None)
        arrays.update({f"{scenario.name}/out/{name}": array for name, array in result.items()})
    meta = json.dumps({"torch": torch.__version__, "numpy": np.__version__, "errors": errors})
    np.savez_compressed(path, meta=np.frombuffer(meta.encode(), np.uint8), **arrays)
    return arrays


@functools.cache
def read_reference(path=None):
    """What `make_reference` stored: ({scenario: {"in": arrays, "out": arrays or {"error": name}}}, meta).

    Raises
    ------
    FileNotFoundError
        If the file is not where the package keeps its golden files.
    """
    from .golden import PLACES

    found = path or next((place / FILE for place in PLACES if (place / FILE).is_file()), None)
    if found is None:
        raise FileNotFoundError(
            f"conformance: no {FILE} in {' or '.join(map(str, PLACES))}; run data/golden/make_conformance.py"
        )
    reference = {name: {"in": {}, "out": {}} for name in SCENARIOS}
    with np.load(found, allow_pickle=False) as archive:
        meta = json.loads(archive["meta"].tobytes())
        for key in archive.files:
            if key != "meta":
                scenario, side, name = key.split("/")
                reference[scenario][side][name] = archive[key]
    for name, error in meta["errors"].items():
        reference[name]["out"] = {"error": error}
    return reference, meta
