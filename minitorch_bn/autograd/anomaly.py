"""Anomaly detection: backward stops at the first op that gives nan, and names it.

The engine has no hooks. While detection is on, `Variable.backward_step` is another function, that looks at what the op
gives before the engine hands it on.
"""

import numpy as np

from .. import engine
from .several import Several

_plain_step = engine.Variable.backward_step
_state = {"enabled": False, "check_nan": True}


def is_anomaly_enabled():
    """Whether anomaly detection is on."""
    return _state["enabled"]


def is_anomaly_check_nan_enabled():
    """Whether backward looks for nan while detection is on."""
    return _state["check_nan"]


def _checked_step(self):
    """The chain rule of one op, after a look at its gradients.

    Raises
    ------
    RuntimeError
        If one of them holds nan.
    """
    op, dy = self.op, self.dy
    if dy is None:
        return
    with np.errstate(all="ignore"):  # what NumPy would warn of is raised below
        gradients = op.backward(dy)
    for i, (dx, needed) in enumerate(zip(gradients, op.needs, strict=False)):
        parts = dx.parts if isinstance(dx, Several) else (dx,)
        if needed and any(part is not None and np.isnan(part).any() for part in parts):
            raise RuntimeError(f"Function '{op.torch_name}' returned nan values in its {i}th output.")
    op.backward = lambda dy: gradients  # already there: the step below is not to compute them again
    try:
        _plain_step(self)
    finally:
        del op.backward


class set_detect_anomaly:
    """Switch anomaly detection on or off, from here on; used with `with`, until the end of the block.

    Parameters
    ----------
    mode : bool
    check_nan : bool
        Whether to look for nan in gradients.

    Source: PyTorch documentation, torch.autograd.set_detect_anomaly.
    """

    def __init__(self, mode, check_nan=True):
        self.before = dict(_state)
        _set(mode, check_nan)

    def __enter__(self):
        pass

    def __exit__(self, *_):
        _set(**self.before)


class detect_anomaly:
    """Inside ``with detect_anomaly():``, backward raises where an op's gradient is nan, naming the op.

    Parameters
    ----------
    check_nan : bool
        Whether to look for nan in gradients.

    Raises
    ------
    RuntimeError
        From backward, at the first op that gives nan.

    Source: PyTorch documentation, torch.autograd.detect_anomaly.

    >>> from minitorch_bn import tensor
    >>> x = tensor([0.0, 1.0], requires_grad=True)
    >>> with detect_anomaly():
    ...     (x.sqrt() * 0).sum().backward()
    Traceback (most recent call last):
    RuntimeError: Function 'SqrtBackward0' returned nan values in its 0th output.
    """

    def __init__(self, check_nan=True):
        self.check_nan = check_nan
        self.before = dict(_state)

    def __enter__(self):
        self.before = dict(_state)
        _set(True, self.check_nan)

    def __exit__(self, *_):
        _set(**self.before)


def _set(enabled, check_nan):
    """Take over, or give back, the engine's step."""
    _state.update(enabled=bool(enabled), check_nan=bool(check_nan))
    looking = _state["enabled"] and _state["check_nan"]
    engine.Variable.backward_step = _checked_step if looking else _plain_step
