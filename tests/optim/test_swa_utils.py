"""update_bn: the statistics that it leaves, by hand, and that it leaves everything else alone."""

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn.optim.swa_utils import AveragedModel, update_bn
from tests.ops.checks import assert_close


def seen(layer):
    """What a BatchNorm has averaged."""
    return layer.running_mean.numpy(), layer.running_var.numpy(), layer.num_batches_tracked.item()


def test_statistics_are_the_plain_mean_over_batches(rng):
    """Of means and unbiased variances; every batch counts alike, and the variance between batches is not in it."""
    layer = mt.nn.BatchNorm1d(3, dtype=mt.float64)
    layer(mt.from_numpy(rng.normal(100.0, 1.0, (5, 3))))  # forgotten
    batches = [rng.normal(i, i + 1.0, (n, 3)) for i, n in enumerate((4, 9, 2))]
    update_bn([mt.from_numpy(b) for b in batches], layer)
    mean, var, count = seen(layer)
    assert count == 3
    assert_close("mean", mean, np.mean([b.mean(0) for b in batches], 0))
    assert_close("var", var, np.mean([b.var(0, ddof=1) for b in batches], 0))
    together = np.concatenate(batches)
    assert not np.allclose(mean, together.mean(0)) and not np.allclose(var, together.var(0, ddof=1))


def test_parameters_gradients_modes_and_momenta_stay(rng):
    model = mt.nn.Sequential(mt.nn.Linear(3, 4), mt.nn.BatchNorm1d(4, momentum=0.3), mt.nn.Linear(4, 1))
    model(mt.randn(6, 3)).sum().backward()
    model.eval()
    before = [(p.detach().clone(), p.grad.clone()) for p in model.parameters()]
    update_bn([(mt.randn(6, 3), "label"), (mt.randn(6, 3), "label")], model)
    for p, (value, grad) in zip(model.parameters(), before, strict=True):
        assert mt.equal(p.detach(), value) and mt.equal(p.grad, grad)
    assert not any(m.training for m in model.modules())
    assert model[1].momentum == 0.3 and model[1].num_batches_tracked.item() == 2


def test_an_error_on_the_way_leaves_modes_and_momenta():
    """PyTorch leaves momentum None then, and the next training averages in another way without a word."""
    model = mt.nn.Sequential(mt.nn.BatchNorm1d(3, momentum=0.3)).eval()
    with pytest.raises(ValueError, match="more than 1 value"):
        update_bn([mt.randn(6, 3), mt.randn(1, 3)], model)
    assert model[0].momentum == 0.3 and not model[0].training


def test_nothing_is_recorded():
    model = mt.nn.Sequential(mt.nn.Linear(3, 4), mt.nn.BatchNorm1d(4))
    results = []
    model.register_forward_hook(lambda module, inputs, y: results.append(y))
    update_bn([mt.randn(6, 3)], model)
    assert results[0].grad_fn is None


def test_instance_norm_is_no_batch_norm():
    layer = mt.nn.InstanceNorm1d(3, track_running_stats=True)
    layer(mt.randn(2, 3, 5))
    before = layer.running_mean.clone()
    update_bn([mt.randn(2, 3, 5)], layer)
    assert mt.equal(layer.running_mean, before)


def test_why_an_average_needs_update_bn(rng):
    """Two models with opposite weights: the average's layer gives 0, but its copied statistics are the last model's."""
    model = mt.nn.Sequential(mt.nn.Linear(1, 1, bias=False, dtype=mt.float64), mt.nn.BatchNorm1d(1, dtype=mt.float64))
    data = mt.from_numpy(rng.normal(5.0, 1.0, (50, 1)))
    average = AveragedModel(model)
    for weight in (2.0, -2.0):
        model[0].weight.data.fill_(weight)
        for _ in range(100):
            model(data)
        average.update_parameters(model)
    assert average.module[0].weight.item() == 0
    assert average.module[1].running_mean.item() < -9
    update_bn([data], average)
    assert abs(average.module[1].running_mean.item()) < 1e-12 and average.module[1].running_var.item() < 1e-12


def test_the_average_is_a_copy():
    model = mt.nn.Linear(2, 2)
    average = AveragedModel(model)
    average.update_parameters(model)
    model.weight.data.zero_()
    assert average.module.weight.detach().abs().sum().item() > 0
