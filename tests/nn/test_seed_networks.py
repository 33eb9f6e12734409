"""Two small convnets that many introductions to BatchNorm show, in both libraries: results, gradients, buffers."""

import pytest

import minitorch_bn as mt
from tests.ops.checks import assert_close


def pooled(L):
    """Images of 3x32x32, halved by MaxPool2d."""
    return L.nn.Sequential(
        L.nn.Conv2d(3, 16, kernel_size=3, padding=1),
        L.nn.BatchNorm2d(16),
        L.nn.ReLU(),
        L.nn.MaxPool2d(kernel_size=2, stride=2),
    )


def averaged(L):
    """Images of 3x224x224, one number per channel left."""
    return L.nn.Sequential(
        L.nn.Conv2d(3, 64, kernel_size=3), L.nn.BatchNorm2d(64), L.nn.ReLU(), L.nn.AdaptiveAvgPool2d((1, 1))
    )


NETWORKS = {  # name: (network, shape of the images, shape of the result)
    "max_pool": (pooled, (8, 3, 32, 32), (8, 16, 16, 16)),
    "average_pool": (averaged, (2, 3, 224, 224), (2, 64, 1, 1)),
}


def alike(torch, make, rng):
    """The network in both libraries, float64, with the same random parameters and running statistics."""
    ours, theirs = make(mt).double(), make(torch).double()
    assert list(ours.state_dict()) == list(theirs.state_dict()) and repr(ours) == repr(theirs)
    for name, t in ours.state_dict().items():
        if name != "num_batches_tracked" and t.is_floating_point():
            values = rng.uniform(0.5, 2.0, t.shape) if "running_var" in name else rng.normal(0, 0.5, t.shape)
            t.copy_(mt.from_numpy(values))
            theirs.state_dict()[name].copy_(torch.from_numpy(values))
    return ours, theirs


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("name", list(NETWORKS))
def test_same_as_pytorch(torch, rng, name, training):
    """To 1e-12 in float64, relative to the largest number of each array.

    The gradients of the convolution's parameters are sums of n = N * OH * OW terms that may cancel (behind BatchNorm in
    train mode that of the bias is 0 but for rounding). They are measured against the sums of the terms' sizes.
    Roundings are independent of one another: such a sum is off by about sqrt(n) eps / 2 of that, here at most 3.5e-14
    (Higham 2002, section 2.6), and the terms themselves, which hold sums over as many pixels, by as much again.
    """
    make, shape, wanted_shape = NETWORKS[name]
    ours, theirs = (net.train(training) for net in alike(torch, make, rng))
    images, dy = rng.normal(0.3, 1.0, shape), rng.normal(size=wanted_shape)
    x, x_torch = mt.tensor(images, requires_grad=True), torch.tensor(images, requires_grad=True)
    y, conv = ours(x), theirs[0](x_torch)
    conv.retain_grad()
    y_torch = theirs[1:](conv)
    y.backward(mt.from_numpy(dy))
    y_torch.backward(torch.from_numpy(dy))
    sizes = conv.grad.abs(), x_torch.detach().abs()
    scales = {"0.weight": sizes_of_terms(torch, theirs[0], *sizes), "0.bias": sizes[0].sum((0, 2, 3)).max().item()}

    assert tuple(y.shape) == wanted_shape
    assert_close("y", y.array, y_torch.detach().numpy())
    assert_close("dx", x.grad.array, x_torch.grad.numpy())
    gradients = {name: p.grad.numpy() for name, p in theirs.named_parameters()}
    for key, p in ours.named_parameters():
        assert_close(f"gradient of {key}", p.grad.array, gradients[key], scale=scales.get(key))
    for key, buffer in theirs.named_buffers():
        assert_close(key, ours.get_buffer(key).array, buffer.numpy())
    assert ours[1].num_batches_tracked.item() == int(training)


def sizes_of_terms(torch, layer, dy, x):
    """The largest sum of |dy| |x| that stands behind one element of a convolution's weight gradient."""
    return torch.nn.grad.conv2d_weight(x, layer.weight.shape, dy, layer.stride, layer.padding).max().item()
