"""debug.activations, gradients and update_ratio: the numbers that are drawn, what they leave alone, and errors."""

import io

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import nn
from minitorch_bn.debug import activations, gradients, update_ratio
from minitorch_bn.experiments.names import Net

BATCH = 64


def classifier():
    """Linear - BatchNorm - tanh - dropout - Linear - ReLU - Linear, and a batch with integer targets."""
    mt.manual_seed(3)
    layers = [nn.Linear(10, 20), nn.BatchNorm1d(20), nn.Tanh(), nn.Dropout(0.2), nn.Linear(20, 30), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Linear(30, 4))
    return model, (mt.randn(BATCH, 10), mt.randint(0, 4, (BATCH,)))


def everything(model):
    """All that a look at the model must not change."""
    state = {name: t.array.copy() for name, t in model.state_dict().items()}
    grads = {name: None if p.grad is None else p.grad.array.copy() for name, p in model.named_parameters()}
    rest = [(module.training, list(module._hooks), dict(vars(module))) for module in model.modules()]
    return state, grads, rest, mt.get_rng_state().array.copy()


def assert_same(before, after):
    assert before[0].keys() == after[0].keys()
    assert all(np.array_equal(before[0][name], after[0][name]) for name in before[0])
    assert all(np.array_equal(before[1][name], after[1][name]) for name in before[1] if before[1][name] is not None)
    assert [name for name, g in before[1].items() if g is None] == [name for name, g in after[1].items() if g is None]
    for (mode, hooks, attributes), (mode_after, hooks_after, attributes_after) in zip(before[2], after[2], strict=True):
        assert mode == mode_after and hooks == hooks_after and attributes.keys() == attributes_after.keys()
        assert all(attributes[name] is attributes_after[name] for name in attributes)
    assert np.array_equal(before[3], after[3])


def panels(figure):
    """The axes that are drawn."""
    return [axes for axes in figure.axes if axes.get_visible()]


def draws(figure):
    """Whether matplotlib can draw it, without a warning."""
    return figure.savefig(io.BytesIO(), format="png", dpi=40) is None


# ---- activations


def test_activations_are_what_the_layers_give():
    model, (x, _) = classifier()
    model.eval()
    figure = activations(model, x)
    wanted = x
    children = [(name, module) for name, module in model.named_children() if name != "3"]  # dropout hands on
    for layer, (name, module) in zip(figure.data, children, strict=True):
        wanted = module(wanted)
        values = wanted.detach().array
        assert (layer.name, layer.kind) == (name, type(module).__name__)
        assert np.array_equal(layer.values, values.reshape(-1))
        assert layer.mean == pytest.approx(values.mean(), abs=1e-6) and layer.std == pytest.approx(
            values.std(), rel=1e-5
        )
        assert (layer.saturated is None) == (name != "2") and (layer.dead is None) == (name != "5")
    assert figure.data[2].saturated == pytest.approx((np.abs(figure.data[2].values) > 0.97).mean())
    assert len(panels(figure)) == 6 and draws(figure)


def test_saturation_and_dead_units():
    model = nn.Sequential(nn.Linear(1, 4), nn.Tanh(), nn.Linear(4, 2), nn.ReLU())
    with mt.no_grad():
        model[0].weight.copy_(mt.tensor([[0.0], [0.0], [0.0], [1.0]]))
        model[0].bias.copy_(mt.tensor([9.0, -9.0, 0.0, 0.0]))
        model[2].weight.copy_(mt.tensor([[0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0]]))
        model[2].bias.copy_(mt.tensor([0.0, -1.0]))
    figure = activations(model, mt.tensor([[0.5], [-0.5], [0.1]]))
    assert figure.data[1].saturated == 0.5  # units 0 and 1
    assert figure.data[3].dead == 0.5  # unit 1; unit 0 is 0 for one sample only
    texts = [text.get_text() for axes in panels(figure) for text in axes.texts]
    assert any("50.0% saturated" in text for text in texts) and any("50.0% of units dead" in text for text in texts)


def test_dead_channels_of_images():
    model = nn.Sequential(nn.Conv2d(1, 3, 1), nn.ReLU())
    with mt.no_grad():
        model[0].weight.fill_(1.0)
        model[0].bias.copy_(mt.tensor([0.0, -100.0, -100.0]))
    assert activations(model, mt.rand(2, 1, 4, 4)).data[1].dead == pytest.approx(2 / 3)


def test_functions_between_the_layers_are_seen():
    net, x = Net(46, batch_norm=True), mt.randint(0, 46, (BATCH, 3))
    found = activations(net, (x, x)).data
    assert [layer.name for layer in found] == ["embedding", "fc1", "bn1", "tanh 1", "fc2"]
    assert found[3].saturated is not None and np.abs(found[3].values).max() <= 1


@pytest.mark.parametrize("look", [activations, gradients])
@pytest.mark.parametrize("train", [True, False])
def test_looking_changes_nothing(look, train):
    model, batch = classifier()
    model.train(train)
    model[1].register_forward_hook(lambda *_: None)
    nn.functional.cross_entropy(model(batch[0]), batch[1]).backward()
    loss = nn.functional.cross_entropy(model(batch[0]), batch[1])  # a graph of the user's, not walked yet
    before = everything(model)
    with mt.no_grad():
        look(model, batch)
    assert_same(before, everything(model))
    loss.backward()


def test_a_model_that_fails_is_restored():
    model, _ = classifier()
    x = mt.randn(5, 11)
    before = everything(model)
    with pytest.raises(RuntimeError):
        activations(model, x)
    assert_same(before, everything(model))


def test_a_layer_that_writes_into_its_input_takes_nothing_from_the_one_before():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(inplace=True), nn.Linear(4, 2))
    x = mt.randn(8, 3)
    first, second, _ = activations(model, x).data
    assert np.array_equal(first.values, model[0](x).detach().array.reshape(-1)) and first.kind == "Linear"
    assert np.array_equal(second.values, np.maximum(first.values, 0)) and second.kind == "ReLU"
    first, second, *_ = gradients(model, x, loss=lambda out: out.square().sum()).data
    assert not np.array_equal(first.values, second.values) and (second.values != 0).all()


def test_more_layers_than_fit_are_in_the_data():
    model = nn.Sequential(*[nn.Linear(2, 2) for _ in range(25)])
    figure = activations(model, mt.randn(3, 2))
    assert len(figure.data) == 25 and len(panels(figure)) == 20 and draws(figure)
    assert "20 of 25" in figure.get_supxlabel()


def test_constant_and_infinite_activations_are_drawn():
    model = nn.Sequential(nn.Linear(2, 3))
    with mt.no_grad():
        model[0].weight.zero_()
        model[0].bias.copy_(mt.tensor([1.0, 1.0, float("inf")]))
    with np.errstate(all="ignore"):
        figure = activations(model, mt.ones(4, 2))
    assert draws(figure) and "4 nan or infinite" in panels(figure)[0].texts[0].get_text()


# ---- gradients


def test_gradients_for_a_batch_are_backwards():
    model, (x, y) = classifier()
    model.eval()
    figure = gradients(model, [x, y])
    outputs, h = [], x
    for module in model:
        h = module(h)
        outputs.append(h)
        h.retain_grad()
    nn.functional.cross_entropy(h, y).backward()
    named = dict(model.named_parameters())
    found = {layer.name: layer for layer in figure.data}
    for i, output in enumerate(outputs):
        if i != 3:  # dropout in eval mode hands on the tensor itself
            assert np.array_equal(found[str(i)].values, output.grad.array.reshape(-1))
    for name, p in named.items():
        assert np.array_equal(found[name].values, p.grad.array.reshape(-1)) and found[name].kind == "parameter"
    weight = named["0.weight"]
    assert found["0.weight"].ratio == pytest.approx(weight.grad.array.std() / weight.array.std(), rel=1e-5)
    assert found["1.weight"].ratio is None  # gamma: all ones, no spread
    assert draws(figure)


def test_gradients_after_a_backward():
    model, (x, y) = classifier()
    nn.functional.cross_entropy(model(x), y).backward()
    model[0].bias.grad = None
    figure = gradients(model)
    assert [layer.name for layer in figure.data] == [n for n, p in model.named_parameters() if p.grad is not None]
    assert np.array_equal(figure.data[0].values, model[0].weight.grad.array.reshape(-1)) and draws(figure)


def test_gradients_of_a_loss_of_the_users_own():
    model = nn.Linear(3, 2)
    x = mt.randn(5, 3)
    found = {layer.name: layer for layer in gradients(model, x, loss=lambda out: (out**2).sum()).data}
    assert np.allclose(found["weight"].values, (2 * model(x).T @ x).detach().array.reshape(-1), rtol=1e-5)
    squared = {layer.name: layer for layer in gradients(model, (x, mt.zeros(5, 2))).data}
    assert np.allclose(squared["weight"].values * 10, found["weight"].values, rtol=1e-5)  # the mean of 10 elements


# ---- update_ratio


@pytest.mark.parametrize("make", [lambda p: mt.optim.SGD(p, lr=0.1), lambda p: mt.optim.Adam(p, lr=0.01)])
def test_update_ratio_is_the_spread_of_updates(make):
    model, (x, y) = classifier()
    optimizer = make(model.parameters())
    wanted = []
    with update_ratio(optimizer, model) as ratio:
        for _ in range(4):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            before = model[0].weight.array.copy()
            optimizer.step()
            wanted.append(np.log10((model[0].weight.array - before).std() / before.std()))
    assert ratio.steps == 4 and ratio.data["0.weight"] == pytest.approx(wanted, abs=1e-4)
    assert list(ratio.data) == [name for name, _ in model.named_parameters()]
    assert np.isnan(ratio.data["1.weight"][0])  # gamma starts without spread
    figure = ratio.figure()
    assert list(figure.data) == ["0.weight", "4.weight", "6.weight"] and draws(figure)
    assert list(ratio.figure(["0.bias"]).data) == ["0.bias"]
    optimizer.step()
    assert ratio.steps == 4 and not optimizer._hooks


def test_update_ratio_of_parameters_that_come_later():
    model, (x, y) = classifier()
    optimizer = mt.optim.SGD(model[0].parameters(), lr=0.1)
    ratio = update_ratio(optimizer)
    for added in (False, True):
        if added:
            optimizer.add_param_group({"params": list(model[4].parameters())})
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    ratio.remove()
    assert list(ratio.data) == [f"parameter {i}" for i in range(4)]
    assert [len(steps) for steps in ratio.data.values()] == [2] * 4 and np.isnan(ratio.data["parameter 2"][0])
    assert np.isfinite(ratio.data["parameter 2"][1])


# ---- errors


def test_errors():
    model, (x, y) = classifier()
    recorder = update_ratio(mt.optim.SGD(model.parameters(), lr=0.1), model)
    integers = nn.Identity()
    for kind, wanted, call in [
        (TypeError, "activations: got function for the model, wanted a Module", lambda: activations(lambda x: x, x)),
        (TypeError, "activations: got ndarray for the input, wanted a Tensor", lambda: activations(model, x.array)),
        (RuntimeError, "activations: no layer .* gives floating point", lambda: activations(integers, y)),
        (TypeError, "gradients: got int for the model", lambda: gradients(3)),
        (RuntimeError, "gradients: no parameter has a gradient; call loss.backward", lambda: gradients(model)),
        (TypeError, "gradients: got a batch without targets", lambda: gradients(model, x)),
        (RuntimeError, "gradients: the loss must be one number", lambda: gradients(model, x, loss=lambda out: out)),
        (RuntimeError, "gradients: the loss must be one number", lambda: gradients(model, x, loss=lambda out: 1.0)),
        (TypeError, "update_ratio: got Sequential, wanted an optimiser", lambda: update_ratio(model)),
        (RuntimeError, "update_ratio: nothing has been recorded", recorder.figure),
    ]:
        with pytest.raises(kind, match=wanted):
            call()
    recorder.optimizer.step()
    with pytest.raises(KeyError, match=r"there is no parameter 'w', there are 0\.weight"):
        recorder.figure(["w"])
