"""Hypotheses about a layer, tested with its own input, weight and bias: Linear, convolutions, normalisation layers."""

import numpy as np

from .report import Guess


def module_of(scene):
    """The layer whose forward or backward computed the tensor; the name of a module, "" for the model itself.

    The gradient of a layer's input was computed by this layer, also if the tensor is called after the layer before.
    """
    if scene.entry.kind == "gradient":
        takers = [call.module for call in scene.calls if call.x == scene.entry.of]
        if takers:
            return takers[0]
    return scene.entry.module


def call_of(scene):
    """The call of that layer, or None."""
    return next((call for call in scene.calls if call.module == module_of(scene)), None)


def own(scene, name):
    """A parameter or buffer of the layer when the step began, as PyTorch has it; None if there is none."""
    module = module_of(scene)
    return scene.before_there.get(f"{module}.{name}" if module else name)


def along_channels(vector, like):
    """(C,) in the shape that lines it up with `like`: the last axis of a matrix, axis 1 of what has more."""
    return vector.reshape((-1,) + (1,) * (like.ndim - 2)) if like.ndim > 2 else vector


def layer_hypotheses(scene):
    """What a mistake in this layer's forward or weight gradient would give."""
    call, b = call_of(scene), scene.theirs
    if call is None:
        return []
    weight, bias = own(scene, "weight"), own(scene, "bias")
    x = scene.there.get(call.x)
    found = []
    for says, value in candidates(scene, call, x, weight, bias):
        if value is not None and value.shape == b.shape:
            left = scene.leaves(value)
            if left is not None:
                found.append(Guess(says, residual=left, source="layer"))
    return found[:1]


def candidates(scene, call, x, weight, bias):
    """(in words, value that the mistake would give)."""
    b, entry = scene.theirs, scene.entry
    channels = b.shape[1] if b.ndim > 1 else 0
    fits = bias is not None and bias.shape == (channels,)
    if entry.kind == "output" and entry.name == call.y:
        line = along_channels(bias, b) if fits else None
        if fits:
            yield "PyTorch's without the bias", b - line
            yield "PyTorch's with the bias added twice", b + line
        if weight is not None and weight.ndim == 1 and weight.shape == (channels,) and (weight != 0).all():
            gamma = along_channels(weight, b)
            beta = line if fits else 0.0
            yield "PyTorch's without gamma (the weight)", (b - beta) / gamma + beta
            yield "PyTorch's with gamma (the weight) twice", (b - beta) * gamma + beta
            yield "PyTorch's without gamma and beta (weight and bias)", (b - beta) / gamma
        if weight is not None and weight.ndim == 2 and x is not None and x.shape[-1] == weight.shape[0]:
            y = x @ weight
            yield "x @ weight where PyTorch has x @ weight.T", y + bias if fits and y.shape == b.shape else y
    if entry.kind == "gradient" and entry.of == call.x and x is not None:
        dy = scene.there.get(f"gradient of {call.y}")
        if weight is not None and weight.ndim == 2 and dy is not None and dy.shape[-1] == weight.shape[1]:
            yield "dy @ weight.T where PyTorch has dy @ weight", dy @ weight.T
        if dy is not None and dy.shape == b.shape:
            yield "dy, handed on unchanged", dy
    if entry.kind == "gradient" and entry.of in scene.before_there:
        before = scene.before_there.get(f"gradient of {entry.of}")
        if before is not None:
            yield "PyTorch's and the gradient of the step before: not zeroed", b + before
        dy = scene.there.get(f"gradient of {call.y}")
        if x is not None and x.dtype.kind in "iu" and dy is not None and dy.shape == (*x.shape, b.shape[-1]):
            last = np.zeros_like(b)
            last[x] = dy
            yield (
                "the gradient of the last use of each row: uses of one row overwrite one another, they do not add",
                last,
            )
        if entry.of.endswith("bias") and b.ndim == 1:
            if dy is not None and dy.ndim > 2 and dy.shape[1] == len(b):
                yield "the sum over the batch only, at one position", np.asarray(dy.sum(0).reshape(len(b), -1)[:, 0])
