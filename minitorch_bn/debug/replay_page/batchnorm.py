"""What a page shows of BatchNorm's backward: the three paths of dx, and the two directions that dx has lost."""

import numpy as np

from ...ops.batchnorm import BatchNorm
from ...ops.batchnorm_variants import StagedBatchNorm, batch_norm_paths


def explained(record):
    """Arrays and numbers for the op of `record`, or None if it is no BatchNorm with the statistics of the batch.

    Returns
    -------
    dict
        paths: direct, through the mean, through the variance; they sum to dx. directions: what dy loses and what is
        left. channels: per channel, the cosines of dy and of dx with the constant direction and with x_hat, and how
        large those of dx may be.

    Raises
    ------
    RuntimeError
        If the three paths do not sum to dx within rounding.
    """
    op = record.op
    dx = next((v.array for v in record.gradients if v.name == "dx"), None)
    if type(op) not in (BatchNorm, StagedBatchNorm) or dx is None or not dx.size:
        return None
    (x,), (dy,) = [v.array for v in record.inputs if v.name == "x"], [v.array for v in record.dy]
    direct, through_mean, through_var, x_hat = batch_norm_paths(x, op.gamma, dy, op.eps)
    _check_sum((direct, through_mean, through_var), dx, op)

    along_one = np.broadcast_to((dy.sum(op.axes) / op.m).reshape(op.shape), dy.shape).copy()
    along_x_hat = ((dy * x_hat).sum(op.axes) / op.m).reshape(op.shape) * x_hat
    one = np.ones_like(dy, np.float64)
    return {
        "paths": {"direct": direct, "through the mean": through_mean, "through the variance": through_var},
        "directions": {
            "mean of dy": along_one,
            "dy along x_hat": along_x_hat,
            "what is left": dy - along_one - along_x_hat,
        },
        "channels": {
            "cos(dy, 1)": cosine(dy, one, op.axes),
            "cos(dx, 1)": cosine(dx, one, op.axes),
            "cos(dy, x_hat)": cosine(dy, x_hat, op.axes),
            "cos(dx, x_hat)": cosine(dx, x_hat, op.axes),
            **_allowed(op, dy, dx, x_hat),
        },
    }


def cosine(a, b, axes):
    """The cosine of the angle between a and b in every channel, in float64; 0 where one of them is 0.

    >>> cosine(np.array([[1.0], [-1.0]]), np.ones((2, 1)), (0,))
    array([0.])
    """
    a, b = a.astype(np.float64), b.astype(np.float64)
    lengths = np.sqrt((a * a).sum(axes) * (b * b).sum(axes))
    return (a * b).sum(axes) / np.where(lengths == 0, 1, lengths)


def is_orthogonal(channels):
    """Whether no cosine of dx is larger than what rounding and eps allow."""
    pairs = [("cos(dx, 1)", "allowed with 1"), ("cos(dx, x_hat)", "allowed with x_hat")]
    return all(bool((np.abs(channels[cos]) <= channels[allowed]).all()) for cos, allowed in pairs)


def _allowed(op, dy, dx, x_hat):
    """How large the cosines of dx with 1 and with x_hat may be in every channel.

    A sum of m terms is wrong by at most m roundings of the sum of their sizes; three more belong to each element's own
    arithmetic, and as many to the check. x_hat as computed has a mean that is not quite 0, and a mean square that is
    not quite 1, mostly because of eps: what that leaves of dy is counted as it is. Near the smallest numbers that the
    type has, every operation may also lose one of them.
    """
    axes, m, shape = op.axes, op.m, op.shape
    rounding, smallest = (m + 6) * np.finfo(dx.dtype).eps, m * (m + 6) * float(np.finfo(dx.dtype).smallest_subnormal)
    dy, dx, x_hat = (a.astype(np.float64) for a in (dy, dx, x_hat))
    scale = np.abs(op.inv_std if op.gamma is None else op.gamma * op.inv_std).astype(np.float64)
    mean_dy, mean_dy_x_hat = np.abs(dy.sum(axes) / m), np.abs((dy * x_hat).sum(axes) / m)
    sizes = np.abs(dy) + mean_dy.reshape(shape) + np.abs(x_hat) * mean_dy_x_hat.reshape(shape)
    offset, short = np.abs(x_hat.sum(axes)), np.abs(m - (x_hat * x_hat).sum(axes))
    along_one = rounding * sizes.sum(axes) + mean_dy_x_hat * offset
    along_x_hat = rounding * (sizes * np.abs(x_hat)).sum(axes) + rounding * m * sizes.max(axes)
    along_x_hat += mean_dy * offset + mean_dy_x_hat * short
    largest, lost = np.abs(x_hat).max(axes), smallest * (1 + scale)
    length = np.sqrt((dx * dx).sum(axes))
    length = np.where(length == 0, 1, length)
    length_x_hat = np.sqrt((x_hat * x_hat).sum(axes))
    return {
        "allowed with 1": (scale * along_one + lost) / (length * np.sqrt(m)),
        "allowed with x_hat": (scale * along_x_hat + lost * largest)
        / (length * np.where(length_x_hat, length_x_hat, 1)),
    }


def _check_sum(paths, dx, op):
    """Raise an error unless the paths sum to dx. The two formulas add the same m + 3 terms in another order."""
    if not all(np.isfinite(a).all() for a in (*paths, dx)):
        return
    limits, terms = np.finfo(dx.dtype), 2 * (op.m + 3)
    size = sum(np.abs(path).max(op.axes) for path in paths)  # (C,)
    scale = op.inv_std if op.gamma is None else np.abs(op.gamma) * op.inv_std
    lost = (1 + scale) * (1 + np.abs(op.x_hat).max(op.axes)) * limits.smallest_subnormal
    difference = np.abs(paths[0] + paths[1] + paths[2] - dx).max(op.axes)
    wrong = difference > terms * (limits.eps * size + lost)
    if wrong.any():
        raise RuntimeError(f"replay: {type(op).__name__}: the three paths do not sum to dx in channel {wrong.argmax()}")
