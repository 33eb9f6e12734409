"""Does it work at all? Two seconds, without PyTorch: one network, one loss, known numbers."""

import numpy as np

import minitorch_bn as mt
from minitorch_bn import nn


def test_arithmetic_and_gradient():
    x = mt.tensor([1.0, 2.0, 3.0], requires_grad=True)
    ((x * x + 1) / 2).sum().backward()
    assert x.grad.tolist() == [1, 2, 3]


def test_batchnorm_by_hand():
    """x = [1, 3]: mean 2, variance 1 (biased) and 2 (unbiased); x_hat = [-1, 1]."""
    bn = nn.BatchNorm1d(1, eps=1e-15, dtype=mt.float64)
    y = bn(mt.tensor([[1.0], [3.0]], dtype=mt.float64))
    np.testing.assert_allclose(y.detach().numpy(), [[-1], [1]])
    np.testing.assert_allclose(bn.running_mean.numpy(), [0.2])
    np.testing.assert_allclose(bn.running_var.numpy(), [0.9 + 0.1 * 2])


def test_gradient_of_batchnorm_against_differences():
    rng = np.random.default_rng(0)
    x, v = rng.normal(size=(5, 2)), rng.normal(size=(5, 2))

    def loss(array):
        return (nn.functional.batch_norm(mt.from_numpy(array), None, None, training=True) * mt.from_numpy(v)).sum()

    t = mt.from_numpy(x).requires_grad_()
    (nn.functional.batch_norm(t, None, None, training=True) * mt.from_numpy(v)).sum().backward()
    for where in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[where] = 1e-6
        slope = (loss(x + step) - loss(x - step)).item() / 2e-6
        assert abs(slope - t.grad_array[where]) < 1e-8


def test_a_network_learns():
    """Two clusters, thirty steps: the loss falls below a tenth, and eval mode agrees."""
    mt.manual_seed(0)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 64)
    x = mt.tensor((rng.normal(size=(64, 2)) + 4 * labels[:, None]).astype(np.float32))
    y = mt.tensor(labels)
    model = nn.Sequential(nn.Linear(2, 8, bias=False), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 2))
    optimizer = mt.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    losses = []
    for _ in range(30):
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]
    with mt.no_grad():
        accuracy = (model.eval()(x).argmax(1) == y).float().mean().item()
    assert accuracy == 1


def test_images():
    mt.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
    out = model(mt.randn(3, 1, 4, 4))
    out.sum().backward()
    assert out.shape == (3, 8) and model[0].weight.grad.shape == (2, 1, 3, 3)


def test_repr():
    assert repr(nn.Linear(2, 3)) == "Linear(in_features=2, out_features=3, bias=True)"
