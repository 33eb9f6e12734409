"""Functions, grad, hooks, detection and state dicts on the stand-in for CuPy: the same as on the CPU, and all there."""

import copy

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import nn
from minitorch_bn.autograd import Function
from tests.gpu.bodies import on_device

pytestmark = pytest.mark.usefixtures("fake_gpu")


class Fork(Function):
    """x cubed, x sorted with its indices, and x tripled, which has no gradient."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        tripled = x * 3
        ctx.mark_non_differentiable(tripled)
        return x**3, x * 2, (x > 0), tripled

    @staticmethod
    def backward(ctx, dcube, ddouble, dmask, dtripled):
        (x,) = ctx.saved_tensors
        assert dmask.shape == dtripled.shape == x.shape and not dtripled.any()
        return 3 * x**2 * dcube + 2 * ddouble


def leaf(device):
    values = np.random.default_rng(0).normal(size=(4, 3))
    return mt.tensor(values.tolist(), dtype=mt.float64, device=device).requires_grad_()


def function(device):
    x = leaf(device)
    ys = Fork.apply(x)
    (ys[0].sum() * 2).backward(retain_graph=True)
    first = x.grad
    (ys[1] * ys[0]).sum().backward()
    return [first, x.grad, *ys]


def wide_gradient(device):
    class Wide(Function):
        @staticmethod
        def forward(ctx, x):
            return x.sum(0)

        @staticmethod
        def backward(ctx, dy):
            return (dy * 2).expand(5, 4, 3)

    x = leaf(device)
    Wide.apply(x).sum().backward()
    return [x.grad]


def grad(device):
    x = leaf(device)
    h = x.exp()
    unused = leaf(device)
    return list(mt.autograd.grad([h.sum(), (h * x).sum()], [x, h, unused], materialize_grads=True))


def hooks(device):
    seen = []
    layer = nn.Linear(3, 2, bias=False, dtype=mt.float64, device=device)
    layer.weight.data = mt.ones(2, 3, dtype=mt.float64, device=device)
    layer.register_full_backward_hook(lambda m, dx, dy: seen.extend([*dx, *dy]))
    layer.register_full_backward_pre_hook(lambda m, dy: (dy[0] * 2,))
    x = leaf(device)
    layer(x).sum().backward()
    return [x.grad, layer.weight.grad, *seen]


def moves(device):
    mt.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)).double().to(device)
    other = copy.deepcopy(model).cpu()
    model.load_state_dict({key: value + 1 for key, value in other.state_dict().items()})
    model[1].zero_grad(set_to_none=False)
    assert model.to_empty(device=device) is model
    model.load_state_dict(other.state_dict())
    return [*model.parameters(), *model.buffers()]


@pytest.mark.parametrize("body", [function, wide_gradient, grad, hooks, moves], ids=lambda body: body.__name__)
def test_the_same_as_on_the_cpu(body):
    here, there = body("cpu"), body("cuda")
    for want, got in zip(here, there, strict=True):
        assert on_device(got) and not on_device(want)
        np.testing.assert_array_equal(got.detach().cpu().array, want.detach().array, strict=True)


def test_gradcheck():
    assert mt.autograd.gradcheck(lambda x: (x.tanh(), x.exp().sum(0)), (leaf("cuda"),))
    with pytest.raises(mt.autograd.GradcheckError, match="mismatch"):
        mt.autograd.gradcheck(lambda x: x * 2 + x.detach(), (leaf("cuda"),))


def test_detection():
    x = leaf("cuda")
    with pytest.raises(RuntimeError, match="SqrtBackward0"), mt.autograd.detect_anomaly(), np.errstate(all="ignore"):
        ((x * 0).sqrt() * 0).sum().backward()
