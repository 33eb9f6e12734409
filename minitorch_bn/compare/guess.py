"""What a divergence may come from: hypotheses that are computed and tested, not words.

A hypothesis is a change of PyTorch's value ("m / (m - 1) times it", "without the bias", "transposed") that would give
ours. It is named only if what it leaves is within what rounding allows, and a small part of the difference. A BatchNorm
is asked first of the catalogue of wrong formulas (catalogue.py). What nothing explains is said to be unexplained.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from .guess_layers import layer_hypotheses, module_of
from .report import Guess
from .tolerance import NOISY, eps_of, largest
from .ulps import differences

MOST = 3  # guesses that are reported


@dataclass
class Scene:
    """What is known when a tensor diverges; dicts are {tensor name: array}.

    Attributes
    ----------
    row, entry
        The divergence, and PyTorch's entry.
    here, there : dict
        What was seen in this step, of ours and of PyTorch's.
    before_here, before_there : dict
        Parameters, buffers and optimiser memory when the step began.
    calls : list of Call
        The layers' calls, PyTorch's.
    info_here, info_there : dict {module name: settings}
    batch : int
        Samples in the batch.
    model, library, optimizer
        Ours.
    """

    row: object
    entry: object
    here: dict
    there: dict
    before_here: dict
    before_there: dict
    calls: list
    info_here: dict
    info_there: dict
    batch: int
    model: object = None
    library: object = None
    optimizer: object = None

    @property
    def ours(self):
        """Our value."""
        return self.row.ours

    @property
    def theirs(self):
        """PyTorch's value."""
        return self.row.theirs

    def leaves(self, value, gain=1.0):
        """The difference that is left if `value` is taken for PyTorch's; None if that explains nothing.

        Parameters
        ----------
        value : array
        gain : float
            By how much the change multiplies rounding errors.
        """
        value = np.asarray(value)
        if value.shape != self.ours.shape or not np.isfinite(value).all():
            return None
        left = float(differences(self.ours, value).max(initial=0.0))
        rounding = 2 * self.row.allowed * max(1.0, gain) + 16 * eps_of(self.theirs.dtype) * largest(self.ours)
        return left if left <= min(rounding, self.row.difference / 8) else None


def guesses_for(scene):
    """The likeliest causes of a divergence, at most three: a list of Guess, empty if no known mistake explains it."""
    found = list(settings(scene))
    if scene.row.problem:
        return found + missing(scene)
    if scene.row.phase == "start":
        found += [*same_numbers_elsewhere(scene), *start(scene)]
        return found[:MOST]
    for hypothesis in (
        not_finite, noise, catalogue, drawn, kink, untouched, layer_hypotheses, optimiser, factor, arrangement,
        same_numbers_elsewhere, shift, precision,
    ):  # fmt: skip
        if explained := hypothesis(scene):
            return [*found, *explained][:MOST]
    return found


# ---- facts -----------------------------------------------------------------------------------------------------------


def settings(scene):
    """The layer's settings, or the optimiser's, differ."""
    name = module_of(scene)
    here, there = scene.info_here.get(name, {}), scene.info_there.get(name, {})
    for key, theirs in there.items():
        ours = here.get(key, theirs)
        if key == "training" and ours != theirs:
            modes = {True: "train", False: "eval"}
            says = f"{name or 'the model'} is in {modes[ours]} mode here, in {modes[theirs]} mode in PyTorch's"
            yield Guess(says, "call train() or eval() on both; a frozen layer needs unfreeze() first", source="mode")
        elif key in ("eps", "momentum", "p", "stride", "padding", "dilation", "groups", "negative_slope") and (
            isinstance(ours, int | float) and isinstance(theirs, int | float) and ours != theirs
        ):
            yield Guess(f"{name or 'the model'}.{key} is {ours} here, {theirs} in PyTorch's", source="settings")


def missing(scene):
    """A gradient, a shape or a dtype that is wrong."""
    ours, theirs = scene.ours, scene.theirs
    if ours is None:
        says = f"no gradient reached {scene.entry.of}"
        how = "backward gives None for it, or the graph was cut (detach, no_grad, .data, NumPy) on the way"
        return [Guess(says, how, source="no gradient")]
    if theirs is None:
        return [Guess(f"{scene.entry.of} has a gradient here and none in PyTorch", source="gradient too many")]
    if ours.shape != theirs.shape:
        for axes in itertools.permutations(range(theirs.ndim)):
            if theirs.transpose(axes).shape == ours.shape and differences(ours, theirs.transpose(axes)).max() == 0:
                return [Guess(f"PyTorch's with its axes in the order {axes}", source="axes")]
        return []
    if ours.dtype == theirs.dtype:
        if scene.row.phase == "start":
            return [Guess("a parameter is frozen on one side only", "call requires_grad_() on both", source="frozen")]
        how = "look for detach, no_grad, .data, NumPy, or backward parts that are missing in the layer"
        return [
            Guess(f"the graph is cut on the way to {scene.entry.name}: no gradient can flow back", how, source="cut")
        ]
    how = "convert one of the models: .double() or .float()"
    return [Guess(f"computed in {ours.dtype} here, in {theirs.dtype} in PyTorch", how, source="dtype")]


def not_finite(scene):
    """nan or infinity where PyTorch has numbers, or the reverse."""
    bad_here, bad_there = (~np.isfinite(a.astype(np.float64)) for a in (scene.ours, scene.theirs))
    if (bad_here == bad_there).all():
        return []
    who, bad = ("ours", bad_here) if bad_here.any() else ("PyTorch's", bad_there)
    return [Guess(f"{who} has {bad.sum()} elements that are nan or infinite", source="not finite")]


def noise(scene):
    """The tensor is nothing but rounding errors, and the divergence is not far beyond what is allowed."""
    size = largest(scene.theirs)
    if scene.row.moved <= NOISY * size or scene.row.difference > 10 * scene.row.allowed:
        return []
    says = f"rounding: one ulp moves this tensor by {scene.row.moved / size:.0%} of its largest element"
    return [Guess(says, "no mistake is needed for this: compare in float64", source="rounding")]


def start(scene):
    """Different values before the first step."""
    a, b = (x.astype(np.float64) for x in (scene.ours, scene.theirs))
    sizes = f"standard deviation {a.std():.3g} here, {b.std():.3g} in PyTorch's" if a.size > 1 else "another value"
    how = "pass copy_state=True, or call manual_seed with the same seed before each model is made"
    return [Guess(f"the models start from different values ({sizes})", how, source="start")]


# ---- layers that draw or have kinks ----------------------------------------------------------------------------------


def drawn(scene):
    """The layer gives something else when it is asked twice: it draws random numbers."""
    name = module_of(scene)
    call = next((c for c in scene.calls if c.module == name and c.y == scene.entry.name), None)
    if call is None or call.x not in scene.here or not hasattr(scene.model, "named_modules"):
        return []
    module = dict(scene.model.named_modules()).get(name)
    if module is None or list(module.buffers()):  # asking again would move running statistics
        return []
    x = scene.library.tensor(scene.here[call.x])
    with scene.library.no_grad():
        first, second = module(x), module(x)
    if not isinstance(first, scene.library.Tensor) or scene.library.equal(first, second):
        return []
    how = "pass seed= so that both libraries draw from the same stream, or compare in eval mode"
    return [
        Guess(f"{name or 'the model'} draws random numbers: asked twice, it gives two answers", how, source="random")
    ]


def kink(scene):
    """At the elements that differ, a layer's input lies on two sides of a kink, 0, by rounding."""
    for call in scene.calls:
        if scene.entry.of != call.x or scene.info_there.get(call.module, {}).get("type") not in KINKED:
            continue
        a, b = scene.here.get(call.x), scene.there.get(call.x)
        if a is None or b is None or a.shape != scene.ours.shape:
            continue
        apart = differences(scene.ours, scene.theirs) > scene.row.allowed
        if ((a > 0) != (b > 0))[apart].all():
            says = (
                f"rounding: at {apart.sum()} element(s) the input of {call.module or 'the model'} is {a[apart][0]:.2g} "
                f"here and {b[apart][0]:.2g} in PyTorch, on two sides of the kink at 0"
            )
            return [Guess(says, "no mistake: take another seed, or float64", source="kink")]
    return []


KINKED = ("ReLU", "LeakyReLU", "ReLU6", "Hardtanh", "Threshold")


# ---- the catalogue ---------------------------------------------------------------------------------------------------


def catalogue(scene):
    """The catalogue's mistakes that give exactly our value: BatchNorm layers only."""
    from .guess_batchnorm import mistakes

    return mistakes(scene)


# ---- changes of any tensor -------------------------------------------------------------------------------------------


def untouched(scene):
    """Zero, or what it was before the step."""
    found, name = [], scene.entry.name
    if scene.ours.size and not scene.ours.any():
        return [Guess("ours is 0 everywhere", source="zero")]
    old = scene.before_here.get(name)
    if old is not None and old.shape == scene.ours.shape and np.array_equal(old, scene.ours):
        found.append(Guess("ours has not moved in this step: it is what it was before", source="not moved"))
    elif name in scene.before_there and (left := scene.leaves(scene.before_there[name])) is not None:
        found.append(Guess("ours is PyTorch's from before this step: one step late", residual=left, source="late"))
    return found


def factors(scene):
    """(factor, in words) that mistakes multiply by, the more telling first."""
    n, c = scene.batch, scene.theirs.shape[-1] if scene.theirs.ndim else 1
    yield -1.0, "minus PyTorch's: the sign is reversed"
    sizes = {"the batch size": n}
    for call in scene.calls:
        x, y = scene.there.get(call.x), scene.there.get(call.y)
        kind = scene.info_there.get(call.module, {}).get("type", "")
        if call.module == module_of(scene) and x is not None and x.ndim > 1 and "Norm" in kind:
            m = x.size // x.shape[1]
            yield m / max(1, m - 1), f"m / (m - 1) times PyTorch's, m = {m} values per channel"
            yield (m - 1) / m, f"(m - 1) / m times PyTorch's, m = {m} values per channel"
            yield ((m - 1) / m) ** 0.5, f"sqrt((m - 1) / m) times PyTorch's, m = {m}: a standard deviation over m - 1"
            sizes["the values per channel"] = m
        if call.module == module_of(scene) and x is not None and y is not None and x.ndim and y.ndim > 2:
            sizes["the positions"] = int(np.prod(y.shape[2:]))
    yield 2.0, "2 times PyTorch's: counted twice, or a factor 1/2 is missing"
    yield 0.5, "half of PyTorch's: a factor 2 is missing"
    sizes |= {"the size of the last dimension": c, "the number of elements": scene.theirs.size}
    output = [scene.there.get(call.y) for call in scene.calls]
    if output and output[-1] is not None:
        sizes |= {"the number of outputs": output[-1].size, "the number of classes": output[-1].shape[-1]}
    for words, size in sizes.items():
        if size > 1:
            yield float(size), f"{size} times PyTorch's, {size} is {words}: a sum where PyTorch has a mean"
            yield 1.0 / size, f"1/{size} of PyTorch's, {size} is {words}: a mean where PyTorch has a sum"


def factor(scene):
    """A constant times PyTorch's."""
    a, b = scene.ours.astype(np.float64), scene.theirs.astype(np.float64)
    if not (b * b).sum() > 0 or not np.isfinite(a).all():
        return []
    for value, words in factors(scene):
        left = scene.leaves(value * b, abs(value))
        if left is not None:
            return [Guess(words, residual=left, source="factor")]
    value = float(np.median(a[b != 0] / b[b != 0]))
    left = scene.leaves(value * b, abs(value)) if (b != 0).sum() > 2 else None
    return [] if left is None else [Guess(f"{value:.8g} times PyTorch's", residual=left, source="factor")]


def arrangement(scene):
    """PyTorch's numbers in another order: transposed, axes swapped, turned round."""
    b = scene.theirs
    for axes in itertools.permutations(range(b.ndim)) if b.ndim <= 4 else ():
        if axes == tuple(range(b.ndim)):
            continue
        left = scene.leaves(b.transpose(axes))
        if left is not None:
            says = "PyTorch's transposed" if b.ndim == 2 else f"PyTorch's with its axes in the order {axes}"
            return [Guess(says, residual=left, source="axes")]
    for axes in [(-2, -1), (-1,), (0,)] if b.ndim >= 2 else [(0,)] if b.ndim else []:
        left = scene.leaves(np.flip(b, axes))
        if left is not None:
            says = f"PyTorch's turned round along axes {axes}"
            return [Guess(says, "a convolution turns its kernel, PyTorch's does not", left, "flipped")]
    return []


def same_numbers_elsewhere(scene):
    """PyTorch's value of another tensor of this step, or the sum with one from before."""
    for name, value in itertools.chain(scene.there.items(), scene.before_there.items()):
        if value is not None and name != scene.entry.name and value.shape == scene.ours.shape and value.any():
            left = scene.leaves(value)
            if left is not None:
                return [Guess(f"ours is what PyTorch has for {name}: swapped", residual=left, source="swapped")]
    return []


def shift(scene):
    """A constant more or less."""
    a, b = scene.ours.astype(np.float64), scene.theirs.astype(np.float64)
    value = float((a - b).mean()) if a.size > 2 else 0.0
    left = scene.leaves(b + value) if value else None
    return [] if left is None else [Guess(f"PyTorch's and {value:+.8g} everywhere", residual=left, source="shift")]


def precision(scene):
    """float64 with the digits of float32."""
    if scene.theirs.dtype != np.float64:
        return []
    single = float(np.finfo(np.float32).eps)
    if scene.row.difference > 64 * single * largest(scene.theirs):
        return []
    how = "look for .float(), float32 constants or a buffer in float32 on the way"
    if np.array_equal(scene.ours, scene.ours.astype(np.float32).astype(np.float64)):
        return [Guess("ours are float32 numbers in a float64 array", how, source="float32")]
    return [Guess("ours agrees to the digits of float32 only", how, source="float32")]


# ---- the optimiser ---------------------------------------------------------------------------------------------------


def optimiser(scene):
    """A parameter after the step: another multiple of PyTorch's move, or a term more or less."""
    name = scene.entry.name
    old, g = scene.before_there.get(name), scene.there.get(f"gradient of {name}")
    if scene.row.phase != "update" or scene.entry.kind != "parameter" or old is None or g is None:
        return []
    move, gap = scene.theirs - old, (scene.ours - scene.theirs).astype(np.float64)
    for share, says in ((-2.0, "uphill: the step has the wrong sign"), (1.0, "the step is done twice")):
        if (left := scene.leaves(scene.theirs + share * move, 2.0)) is not None:
            return [Guess(says, residual=left, source="optimiser")]
    for says, term in (
        ("times the step: compare lr", move),
        ("times the parameter itself: weight decay is missing, doubled or has the wrong sign", old),
        ("times the gradient: momentum, dampening or nesterov differs", g),
    ):
        size = float((term.astype(np.float64) ** 2).sum())
        share = float((gap * term).sum()) / size if size else 0.0
        left = scene.leaves(scene.theirs + share * term, 4.0) if share else None
        if left is not None:
            return [Guess(f"PyTorch's and {share:+.6g} {says}", residual=left, source="optimiser")]
    return []
