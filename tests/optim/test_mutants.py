"""Mistakes put into the optimisers on purpose: the comparison with PyTorch must notice each."""

import inspect
import sys

import numpy as np
import pytest

import minitorch_bn as mt
from tests.surface.rows_optim import OPTIONS, give_gradients, weights

torch = pytest.importorskip("torch")

# optimiser, what stands in its source, what to write instead
MUTANTS = [
    ("SGD", "g = -g", "g = g"),
    ("SGD", 'g + float(group["weight_decay"]) * p.array', 'g - float(group["weight_decay"]) * p.array'),
    ("SGD", "v *= momentum", "v *= 1"),
    ("SGD", '(1 - group["dampening"]) * g', "g"),
    ("SGD", "p.like(g.copy())\n            v = g", 'p.like(g * (1 - group["dampening"]))\n            v = g'),
    ("SGD", "return g + momentum * v", "return v + momentum * v"),
    ("SGD", "p.array -= lr", "p.array += lr"),
    ("Adam", "g = -g", "g = g"),
    ("Adam", "float(1 - lr * weight_decay)", "float(1 - weight_decay)"),
    ("Adam", "elif weight_decay", "elif False"),
    ("Adam", 'if weight_decay and group["decoupled_weight_decay"]', "if False"),
    ("Adam", "(1 - beta1) * (g - m)", "(1 - beta1) * g"),
    ("Adam", "(1 - beta2) * g * g", "g * g"),
    ("Adam", "v *= beta2", "v *= beta1"),
    ("Adam", "np.maximum(largest, v, out=largest)", "np.minimum(largest, v, out=largest)"),
    ("Adam", "v = largest", "pass"),
    ("Adam", "(1 - beta2**t) ** 0.5", "1"),
    ("Adam", "lr / (1 - beta1**t)", "lr"),
    ("Adam", "(1 - beta2**t) ** 0.5 + eps", "(1 - beta2**t) ** 0.5"),
    ("Adam", "np.sqrt(v) / (1 - beta2**t) ** 0.5 + eps", "np.sqrt(v / (1 - beta2**t) + eps)"),
    ("Adam", "np.sqrt(v) / (1 - beta2**t) ** 0.5 + eps", "(np.sqrt(v) + eps) / (1 - beta2**t) ** 0.5"),
    ("Adam", 'memory["step"].array += 1', "pass", "inf or nan: t stays 0"),
    ("RMSprop", "g = -g", "g = g"),
    ("RMSprop", "(1 - alpha) * g * g", "g * g"),
    ("RMSprop", "s = s - a * a", "s = s - a"),
    ("RMSprop", "np.sqrt(s) + group", "np.sqrt(s) - group"),
    ("RMSprop", "b *= momentum", "pass"),
    ("RMSprop", "(1 - alpha) * (g - a)", "(1 - alpha) * g"),
    ("RMSprop", 'memory["step"].array += 1', "pass"),
    ("Adagrad", "g = -g", "g = g"),
    ("Adagrad", "s += g * g", "s += g"),
    ("Adagrad", "(t - 1) * group", "t * group"),
    ("Adagrad", "np.sqrt(s) + group", "np.sqrt(s) - group"),
    ("Adagrad", 'self.defaults["initial_accumulator_value"]', "0"),
]


def differs(optimizer_class, name):
    """Whether some row of the options shows a difference of more than 1e-12, in parameters or state."""
    for options in OPTIONS[name].values():
        seen = []
        for L, make in ((mt, optimizer_class), (torch, getattr(torch.optim, name))):
            params = weights(L)
            optimizer = make(params, **options)
            with np.errstate(all="ignore"):
                for step in range(10):
                    give_gradients(L, params, step)
                    optimizer.step()
            memory = [v for s in optimizer.state_dict()["state"].values() for v in s.values() if v is not None]
            seen.append([t.detach().numpy() for t in (*params, *memory)])
        for got, want in zip(*seen, strict=True):
            if not np.abs(got - want).max() <= 1e-12 * np.abs(want).max():
                return True
    return False


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: f"{m[0]}: {m[1]} -> {m[2]}")
def test_a_mistake_is_noticed(mutant):
    name, right, wrong = mutant[:3]
    original = getattr(mt.optim, name)
    source = inspect.getsource(sys.modules[original.__module__])
    assert right in source, "the source has changed: bring the mutant up to date"
    namespace = {"__name__": original.__module__, "__package__": "minitorch_bn.optim"}
    exec(compile(source.replace(right, wrong), "mutant", "exec"), namespace)
    try:
        assert differs(namespace[name], name)
    except ZeroDivisionError:
        assert len(mutant) == 4, "only where the mistake divides by 0"


@pytest.mark.parametrize("name", OPTIONS)
def test_the_original_passes(name):
    assert not differs(getattr(mt.optim, name), name)
