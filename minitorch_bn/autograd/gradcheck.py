"""gradcheck: the gradients of a function against central differences, with PyTorch's interface."""

import warnings

import numpy as np

from .. import backend, dtypes, engine
from ..tensor import Tensor
from .walk import grad


class GradcheckError(RuntimeError):
    """What gradcheck raises where a gradient is wrong."""


def gradcheck(
    func,
    inputs,
    *,
    eps=1e-6,
    atol=1e-5,
    rtol=1e-3,
    raise_exception=True,
    nondet_tol=0.0,
    check_undefined_grad=True,
    check_grad_dtypes=False,
    check_batched_grad=False,
    check_batched_forward_grad=False,
    check_forward_ad=False,
    check_backward_ad=True,
    fast_mode=False,
    masked=None,
):
    """Whether backward through `func` agrees with central differences, (f(x + eps) - f(x - eps)) / (2 eps).

    Every element of every output is differentiated by every element of every input that requires grad; so keep tensors
    small, and in float64: in float32 the differences themselves are wrong in the third digit.

    Parameters
    ----------
    func : callable
        Takes the inputs; gives a Tensor or a tuple of Tensors.
    inputs : Tensor or tuple
    eps : float
        Step of the differences.
    atol, rtol : float
        |backward - differences| may be atol + rtol * |differences|.
    raise_exception : bool
        Raise where they disagree; if False, return False.
    nondet_tol : float
        By how much two walks back may differ.
    check_grad_dtypes : bool
        Demand that gradients have the dtype of their inputs. Here they always have.
    check_undefined_grad, check_batched_grad, fast_mode, masked
        Accepted for PyTorch's sake; all elements are always checked.
    check_forward_ad, check_batched_forward_grad : bool
        Not available.
    check_backward_ad : bool
        Whether to check at all.

    Returns
    -------
    bool
        True if all is well.

    Raises
    ------
    GradcheckError
        A RuntimeError: if a gradient is wrong (the worst element is named), or two walks differ.
    ValueError
        If no input requires grad, or an output is no Tensor.

    Source: PyTorch documentation, torch.autograd.gradcheck.

    >>> from minitorch_bn import randn, float64
    >>> x = randn(3, dtype=float64, requires_grad=True)
    >>> gradcheck(lambda x: x.tanh(), (x,))
    True
    """
    if check_forward_ad or check_batched_forward_grad:
        raise NotImplementedError("gradcheck: forward-mode gradients are not available; leave check_forward_ad=False")
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    checked = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
    if not checked:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True"
        )
    for i in checked:
        if inputs[i].dtype is not dtypes.float64:
            warnings.warn(f"gradcheck: input {i} is {inputs[i].dtype}; differences need float64", stacklevel=2)
    if not check_backward_ad:
        return True
    try:
        _check(func, inputs, checked, eps, atol, rtol, nondet_tol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _check(func, inputs, checked, eps, atol, rtol, nondet_tol):
    """Compare all Jacobians; raises GradcheckError at the first that differs."""
    numerical = [_differences(func, inputs, i, eps) for i in checked]
    for j, y in enumerate(_outputs(func, _copies(inputs))):
        if not isinstance(y, Tensor):
            raise ValueError(f"gradcheck: output {j} of func is {type(y).__name__}, wanted Tensors")
        walked = _walked(func, inputs, checked, j)
        again = _walked(func, inputs, checked, j)
        for k, i in enumerate(checked):
            if (abs(walked[k] - again[k]) > nondet_tol).any():
                raise GradcheckError(
                    f"gradcheck: backward is not reentrant: two walks give different gradients of output {j} with "
                    f"respect to input {i}; is there dropout, or another draw, in func?"
                )
            _compare(j, i, walked[k], numerical[k][j], atol, rtol)


def _outputs(func, inputs):
    """What func gives, as a tuple."""
    y = func(*inputs)
    return y if isinstance(y, tuple) else tuple(y) if isinstance(y, list) else (y,)


def _copies(inputs):
    """The inputs again, as leaves in memory of their own: func may write into them."""
    return [x.like(x.array.copy()).requires_grad_(x.requires_grad) if isinstance(x, Tensor) else x for x in inputs]


def _differences(func, inputs, i, eps):
    """d output / d input i by central differences: for every output an array (elements of input, of output)."""
    x = inputs[i].array
    rows = []
    with engine.no_grad():
        for position in range(x.size):
            sides = []
            for step in (eps, -eps):
                moved = x.copy()
                moved.reshape(-1)[position] += step
                there = _copies(inputs)
                there[i] = there[i].like(moved)
                sides.append([y.array.copy() for y in _outputs(func, there)])
            rows.append([((a - b) / (2 * eps)).reshape(-1) for a, b in zip(*sides, strict=True)])
    outputs = [y.array for y in _outputs(func, _copies(inputs))]
    return [np.stack([row[j] for row in rows]) if rows else np.zeros((0, y.size)) for j, y in enumerate(outputs)]


def _walked(func, inputs, checked, j):
    """d output j / d every checked input by backward: arrays (elements of input, of output)."""
    copies = _copies(inputs)
    leaves = [copies[i] for i in checked]
    y = _outputs(func, copies)[j]
    jacobians = [np.zeros_like(x.array, shape=(x.array.size, y.array.size)) for x in leaves]
    if y.requires_grad:
        for column in range(y.array.size):
            one = np.zeros_like(y.array, order="C")  # so that the line below gives a view
            one.reshape(-1)[column] = 1
            gradients = grad(y, leaves, y.like(one), retain_graph=True, materialize_grads=True)
            for jacobian, dx in zip(jacobians, gradients, strict=True):
                jacobian[:, column] = dx.array.reshape(-1)
    return jacobians


def _compare(j, i, walked, numerical, atol, rtol):
    """Raise GradcheckError, naming the worst element, unless the Jacobians agree."""
    walked, numerical = backend.to_numpy(walked), backend.to_numpy(numerical)
    off = abs(walked - numerical)
    wrong = ~(off <= atol + rtol * abs(numerical))
    if wrong.any():
        row, column = np.unravel_index(
            int(np.where(wrong, np.where(np.isnan(off), np.inf, off), -1).argmax()), off.shape
        )
        raise GradcheckError(
            f"gradcheck: Jacobian mismatch for output {j} with respect to input {i}: {int(wrong.sum())} of "
            f"{wrong.size} entries, worst that of output element {column} by input element {row}: backward gives "
            f"{walked[row, column]:.8g}, central differences {numerical[row, column]:.8g}"
        )
