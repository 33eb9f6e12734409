"""What has to hold where arrays of the CPU and of the GPU meet: errors, numbers, indices, writes (see bodies.py)."""

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import nn
from tests.gpu.bodies import on_device

F = nn.functional


def check_numpy_is_refused(same):
    x = mt.ones(2, device="cuda")
    words = "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu"
    for convert in (x.numpy, lambda: np.asarray(x), lambda: np.array(x)):
        with pytest.raises(TypeError, match=words):
            convert()
    assert x.numpy(force=True).tolist() == x.cpu().numpy().tolist() == [1, 1]


def mixtures():
    """{name: function of a tensor on one device and one on the other, both (3, 3)}."""
    index = mt.tensor([0, 2])
    mixed = {
        "add": lambda a, b: a + b,
        "sub_other_dtype": lambda a, b: a - b.double(),
        "mul_integers": lambda a, b: a.int() * b.int(),
        "pow": lambda a, b: a**b,
        "floor_divide": lambda a, b: a // b,
        "remainder": lambda a, b: a % b,
        "maximum": mt.maximum,
        "compare": lambda a, b: a > b,
        "equal": mt.equal,
        "allclose": mt.allclose,
        "and": lambda a, b: (a > 0) & (b > 0),
        "matmul": lambda a, b: a @ b,
        "linear_weight": F.linear,
        "linear_bias": lambda a, b: F.linear(a, a.detach(), b[0]),
        "cat": lambda a, b: mt.cat([a, b]),
        "stack": lambda a, b: mt.stack([b, a]),
        "where": lambda a, b: mt.where(a > 0, a, b),
        "where_condition": lambda a, b: mt.where(b > 0, a, a),
        "masked_fill": lambda a, b: a.masked_fill(b > 0, 0.0),
        "mse_loss": F.mse_loss,
        "cross_entropy": lambda a, b: F.cross_entropy(a, b[0].long()),
        "cross_entropy_probabilities": F.cross_entropy,
        "cross_entropy_weight": lambda a, b: F.cross_entropy(a, a[0].long(), weight=b[0]),
        "nll_loss": lambda a, b: F.nll_loss(a, b[0].long()),
        "embedding": lambda a, b: F.embedding(b.long(), a),
        "gather": lambda a, b: a.gather(1, b.long()),
        "index_select": lambda a, b: a.index_select(0, index.to(b.device)),
        "batch_norm_weight": lambda a, b: F.batch_norm(a, None, None, b[0], b[0], training=True),
        "batch_norm_running": lambda a, b: F.batch_norm(a, b[0], b[1], training=True),
        "batch_norm_eval": lambda a, b: F.batch_norm(a, b[0], b[1]),
        "conv2d": lambda a, b: F.conv2d(a[None, None], b[None, None]),
        "iadd": lambda a, b: a.detach().add_(b),
        "setitem": lambda a, b: b.detach().__setitem__(a[0].long(), 1.0) if a.is_cuda else a + b,
    }
    return mixed


def check_mixing(same):
    """Tensors of two devices do not meet, whichever is on the GPU; the error names both; nothing has been changed."""
    for name, mix in mixtures().items():
        here = mt.ones(3, 3)
        for a, b in ((here, here.cuda()), (here.cuda(), here)):
            a = a.detach().requires_grad_()
            with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device") as error:
                mix(a, b)
            assert "cpu" in str(error.value) and "cuda:0" in str(error.value), f"{name}: {error.value}"
            assert a.detach().cpu().array.all() and b.cpu().array.all() and a.grad is None, f"{name} changed something"


def check_zero_dim_tensors_of_the_cpu_mix(same):
    """As in PyTorch: a 0-dim tensor of the CPU is a number; its gradient goes back there."""
    x, scale = mt.ones(3, device="cuda"), mt.tensor(2.0, requires_grad=True)
    for y in (x * scale, scale * x, x + scale, scale / x, x - mt.tensor(1), mt.where(x > 0, x, scale)):
        assert on_device(y)
    (x * scale).sum().backward()
    assert scale.grad.device == mt.device("cpu") and scale.grad.item() == 3
    assert (x > mt.tensor(0.5)).all() and on_device(x.masked_fill(x > 0, mt.tensor(0.0)))
    with pytest.raises(RuntimeError, match="same device"):
        mt.ones(3) * mt.tensor(2.0, device="cuda")


def to_cuda(index):
    """An index with its tensors on the device."""
    if isinstance(index, tuple):
        return tuple(map(to_cuda, index))
    return index.cuda() if isinstance(index, mt.Tensor) else index


def check_indices(same):
    """Indices may lie on the CPU or beside the tensor; those out of range are refused, not wrapped around."""
    x = mt.arange(12.0).reshape(3, 4)
    there = x.cuda()
    for index in (mt.tensor([2, 0]), mt.tensor([True, False, True]), (slice(None), mt.tensor([1, 1])), mt.tensor(1)):
        moved = to_cuda(index)
        for i in (index, moved):
            same("index", there[i], x[index], 0)
        if isinstance(index, tuple) or index.ndim:  # a 0-dim one is read as a number
            with pytest.raises(RuntimeError, match="cuda:0 and cpu"):
                x[moved]
    same("list", there[[2, 0]], x[[2, 0]], 0)
    for i in (mt.tensor([3]), mt.tensor([-4]), (slice(None), mt.tensor([0, 4])), (..., mt.tensor([[-5]]))):
        for j in (i, to_cuda(i)):
            with pytest.raises(IndexError, match="out of bounds"):
                there[j]
            with pytest.raises(IndexError, match="out of bounds"):
                there[j] = 0.0
    same("unchanged", there, x, 0)
    for index in (mt.tensor([3]), mt.tensor([-1])):
        with pytest.raises(IndexError, match="out of range"):
            F.embedding(index.cuda(), there)


def check_writing(same):
    x = mt.arange(12.0).reshape(3, 4)
    there = x.cuda()
    for t in (x, there):
        t[0] = 5.0
        t[:, 1] = mt.tensor([1.0, 2.0, 3.0])  # basic indices: copied over, as in PyTorch
        t[mt.tensor([2, 2])] = mt.zeros(4).to(t.device)
        t[1:, 2:] += 1
        t[0].copy_(mt.arange(4))
        t[1].fill_(mt.tensor(0.5)).clamp_(max=0.25).sub_(1)
    same("written", there, x, 1)


BODIES = [
    check_numpy_is_refused,
    check_mixing,
    check_zero_dim_tensors_of_the_cpu_mix,
    check_indices,
    check_writing,
]
