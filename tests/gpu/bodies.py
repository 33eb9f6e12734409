"""What has to hold on a GPU: bodies of tests, run on a real one (test_gpu.py) and on the stand-in (tests/standin).

Every body takes `same`: same(what, got, want, terms=1) compares a tensor on the device with one on the CPU. On the
stand-in it wants them equal, on a real GPU equal within the rounding of sums of so many terms.
"""

import numpy as np

import minitorch_bn as mt
from minitorch_bn import backend, nn
from tests.ops import checks

F = nn.functional
CUDA0 = mt.device("cuda", 0)


class Library:
    """`minitorch_bn`, but what its creation functions make lies on the device: the `L` of a row of the table."""

    MAKERS = ("tensor", "zeros", "ones", "full", "arange", "eye", "rand", "randn")

    def __getattr__(self, name):
        member = getattr(mt, name)
        if name not in self.MAKERS:
            return member
        return lambda *args, **kwargs: member(*args, **{"device": "cuda", **kwargs})


def on_device(t):
    """Whether a tensor, its gradient and its array lie on the first GPU."""
    return t.device == CUDA0 and backend.is_array(t.array) and not isinstance(t.array, np.ndarray)


# ---- ops: the rows of the table


def run_row(case, arrays, library, device):
    """Results and gradients of a row on a device, brought to the CPU (compare checks.run)."""
    mt.manual_seed(0)
    wants = case.differentiable(arrays)
    tensors = [mt.from_numpy(a.copy()).to(device) for a in arrays]
    for t, want in zip(tensors, wants, strict=True):
        t.requires_grad = want
    ys = checks.outputs(case.function(library, *tensors))
    if any(wants):
        rng = case.rng()
        rng.normal(size=1)
        vs = [np.asarray(rng.normal(size=y.shape)).astype(y.array.dtype) for y in ys]
        floating = [(y, mt.from_numpy(v).to(device)) for y, v in zip(ys, vs, strict=True) if y.requires_grad]
        if len(floating) == 1:
            floating[0][0].backward(floating[0][1])
        else:
            sum((y * v).sum() for y, v in floating).backward()
    grads = [t.grad for t in tensors]
    if device != "cpu":
        places = {f"result {i}": y for i, y in enumerate(ys)} | {f"gradient {i}": g for i, g in enumerate(grads)}
        for what, t in places.items():
            assert t is None or on_device(t), f"{case.name}: {what} lies on {t.device}"
    return [y.detach().cpu().array for y in ys], [None if g is None else g.cpu().array for g in grads]


def check_row(case, dtype, rtol):
    """The row on the device equals the row on the CPU; indices made inside it lie on the device, then on the CPU."""
    arrays = [a.astype(dtype) if a.dtype == np.float64 else a for a in case.arrays()]
    want = run_row(case, arrays, mt, "cpu")
    checks.assert_all_close(case, run_row(case, arrays, Library(), "cuda"), want, rtol)
    if case.op in ("getitem", "setitem"):
        checks.assert_all_close(case, run_row(case, arrays, mt, "cuda"), want, rtol)


# ---- layers: {name: (how to make one, shape of its input)}

LAYERS = {
    "linear": (lambda **where: nn.Linear(4, 3, **where), (5, 4)),
    "linear_no_bias": (lambda **where: nn.Linear(4, 3, bias=False, **where), (2, 5, 4)),
    "embedding": (lambda **where: nn.Embedding(6, 3, padding_idx=2, **where), None),
    "batchnorm1d": (lambda **where: nn.BatchNorm1d(4, **where), (7, 4)),
    "batchnorm1d_length": (lambda **where: nn.BatchNorm1d(4, momentum=None, **where), (3, 4, 5)),
    "batchnorm2d": (lambda **where: nn.BatchNorm2d(3, **where), (4, 3, 2, 5)),
    "batchnorm3d": (lambda **where: nn.BatchNorm3d(2, affine=False, **where), (2, 2, 2, 3, 3)),
    "batchnorm_untracked": (lambda **where: nn.BatchNorm1d(4, track_running_stats=False, **where), (7, 4)),
    "conv2d": (lambda **where: nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2, **where), (2, 4, 7, 6)),
    "max_pool": (lambda **where: nn.MaxPool2d(3, stride=2, padding=1), (2, 3, 7, 6)),
    "avg_pool": (lambda **where: nn.AvgPool2d(2, padding=1), (2, 3, 6, 6)),
    "adaptive_avg_pool": (lambda **where: nn.AdaptiveAvgPool2d((2, 3)), (2, 3, 5, 7)),
    "flatten": (lambda **where: nn.Flatten(), (2, 3, 4)),
    "dropout": (lambda **where: nn.Dropout(0.4), (5, 4)),
    "tanh": (lambda **where: nn.Tanh(), (5, 4)),
    "sigmoid": (lambda **where: nn.Sigmoid(), (5, 4)),
    "relu": (lambda **where: nn.ReLU(), (5, 4)),
    "softmax": (lambda **where: nn.Softmax(dim=1), (5, 4)),
    "log_softmax": (lambda **where: nn.LogSoftmax(dim=-1), (5, 4)),
    "identity": (lambda **where: nn.Identity(), (5, 4)),
    "sequential": (
        lambda **where: nn.Sequential(nn.Linear(4, 8, **where), nn.BatchNorm1d(8, **where), nn.ReLU()),
        (9, 4),
    ),
}


def run_layer(name, device, moved):
    """Two training passes and one in eval mode: everything that comes out, by name. `moved`: made on the CPU first."""
    make, shape = LAYERS[name]
    mt.manual_seed(1)
    layer = make().to(device) if moved else make(device=device)
    x = mt.randint(0, 6, (4, 3), device=device) if shape is None else mt.randn(*shape, device=device)
    out = {}
    for i in range(2):
        if x.is_floating_point():
            x = x.detach().requires_grad_()
        y = layer(x)
        (y * y).sum().backward()
        out |= {f"y{i}": y, f"dx{i}": x.grad}
    layer.eval()
    out["y_eval"] = layer(x)
    out |= dict(layer.named_parameters()) | dict(layer.named_buffers())
    return out | {f"d{name}": p.grad for name, p in layer.named_parameters()}


def check_layer(name, same):
    """Results, gradients, parameters and running statistics equal the CPU's and lie on the device."""
    want = run_layer(name, "cpu", False)
    for moved in (True, False):
        got = run_layer(name, "cuda", moved)
        for key, t in got.items():
            assert (t is None) == (want[key] is None), key
            if t is not None:
                assert on_device(t), f"{name}: {key} lies on {t.device}"
                same(f"{name}: {key}", t, want[key], 64)


# ---- moves


def check_tensor_moves(same):
    x = mt.randn(3, 4)
    for there in (x.cuda(), x.to("cuda"), x.to("cuda:0"), x.to(mt.device("cuda")), x.to(0), x.cuda(0), x.to(x.cuda())):
        assert on_device(there) and there.is_cuda and not x.is_cuda
        same("moved", there, x, 0)
    there = x.cuda()
    assert there.to("cuda") is there and there.cuda() is there and x.cpu() is x and x.to("cpu") is x
    back = there.cpu()
    assert back.device == mt.device("cpu") and back.array is not x.array and np.array_equal(back.array, x.array)
    assert there.to("cpu", mt.float64).dtype is mt.float64 and there.double().is_cuda
    assert there.type() == "torch.cuda.FloatTensor" and there.stride() == (4, 1) and there.is_contiguous()
    assert len(there) == 3 and there.tolist() == x.tolist() and there[0, 0].item() == x[0, 0].item()
    assert float(there[0, 0]) == x[0, 0].item() and x[1, 1].item() in there


def check_gradients_cross_devices(same):
    x = mt.randn(3, 4, requires_grad=True)
    y = x.cuda() * 2
    (y * y).sum().backward()
    assert x.grad.device == mt.device("cpu")
    same("gradient", x.grad.cuda(), x.detach() * 8, 1)


CREATION = {
    "tensor": lambda **where: mt.tensor([[1.0, 2.0], [3.0, 4.0]], **where),
    "tensor_of_array": lambda **where: mt.tensor(np.arange(3), **where),
    "as_tensor": lambda **where: mt.as_tensor([1, 2], **where),
    "zeros": lambda **where: mt.zeros(2, 3, **where),
    "ones": lambda **where: mt.ones(2, dtype=mt.int32, **where),
    "empty": lambda **where: mt.empty(2, 0, **where),
    "full": lambda **where: mt.full((2, 3), 7, **where),
    "arange": lambda **where: mt.arange(1, 9, 2, **where),
    "linspace": lambda **where: mt.linspace(0, 1, 5, **where),
    "eye": lambda **where: mt.eye(3, 4, **where),
    "rand": lambda **where: mt.rand(5, **where),
    "randn": lambda **where: mt.randn(3, 20, dtype=mt.float64, **where),
    "randint": lambda **where: mt.randint(0, 9, (4,), **where),
    "randperm": lambda **where: mt.randperm(11, **where),
}
LIKE = {
    "zeros_like": mt.zeros_like,
    "ones_like": mt.ones_like,
    "full_like": lambda x: mt.full_like(x, 2.5),
    "rand_like": mt.rand_like,
    "randn_like": mt.randn_like,
    "bernoulli": mt.bernoulli,
    "multinomial": lambda x: mt.multinomial(x, 2),
    "asarray": lambda x: mt.asarray(x, copy=True),
    "clone": lambda x: x.clone(),
    "uniform_": lambda x: x.clone().uniform_(-1, 1),
    "normal_": lambda x: x.clone().normal_(),
    "kaiming": lambda x: nn.init.kaiming_normal_(x.clone()),
}


def check_creation(same):
    """`device=` makes there what the CPU makes; random numbers are the CPU's stream, and use as much of it."""
    for name, make in CREATION.items():
        mt.manual_seed(3)
        want, after = make(), mt.rand(1)
        mt.manual_seed(3)
        got = make(device="cuda")
        assert on_device(got), f"{name} lies on {got.device}"
        assert got.dtype is want.dtype and mt.rand(1).item() == after.item(), name
        same(name, got, want, 0)
    assert on_device(mt.ones(2, device="cuda:0", requires_grad=True).detach())


def check_creation_like(same):
    x = mt.full((4, 5), 0.25)
    for name, make in LIKE.items():
        mt.manual_seed(4)
        want = make(x)
        mt.manual_seed(4)
        got = make(x.cuda())
        assert on_device(got), f"{name} lies on {got.device}"
        same(name, got, want, 0)


def small_net(**where):
    mt.manual_seed(5)
    return nn.Sequential(nn.Linear(4, 6, **where), nn.BatchNorm1d(6, **where), nn.Tanh(), nn.Linear(6, 3, **where))


def tensors_of(model):
    return [*model.named_parameters(), *model.named_buffers()]


def check_module_moves(same):
    model, there = small_net(), small_net()
    weight = there[0].weight
    F.cross_entropy(there(mt.ones(2, 4)), mt.tensor([0, 1])).backward()
    assert there.to("cuda") is there and there[0].weight is weight, "a move keeps the parameters' identity"
    for name, t in tensors_of(there):
        assert on_device(t) and (t.grad_array is None or on_device(t.grad)), name
    assert isinstance(there[0].weight, nn.Parameter if hasattr(nn, "Parameter") else mt.Tensor)
    same("weight", weight, model[0].weight, 0)
    assert all(t.device == mt.device("cpu") for _, t in tensors_of(there.cpu()))
    assert all(on_device(t) for _, t in tensors_of(there.cuda()))
    assert all(on_device(t) for _, t in tensors_of(there.to("cuda:0", mt.float64)))
    assert there[0].weight.dtype is mt.float64 and there[1].num_batches_tracked.dtype is mt.int64


def check_state_dicts_cross_devices(same):
    here, there = small_net(), small_net(device="cuda")
    nn.init.ones_(here[0].weight)
    there.load_state_dict(here.state_dict())
    for (name, a), (_, b) in zip(tensors_of(there), tensors_of(here), strict=True):
        assert on_device(a), name
        same(name, a, b, 0)
    nn.init.zeros_(there[0].weight)
    here.load_state_dict(there.state_dict())
    assert all(t.device == mt.device("cpu") for _, t in tensors_of(here)) and not here[0].weight.detach().array.any()


def check_optimiser(same):
    """SGD with momentum steps on the device; its state goes there, and comes along when it is loaded from the CPU."""
    x, target = mt.randn(8, 4), mt.randint(0, 3, (8,))

    def train(device, steps, state=None, model_state=None):
        model = small_net(device=device)
        optimiser = mt.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=True)
        if state is not None:
            model.load_state_dict(model_state)
            optimiser.load_state_dict(state)
        for _ in range(steps):
            optimiser.zero_grad()
            F.cross_entropy(model(x.to(device)), target.to(device)).backward()
            optimiser.step()
        return model, optimiser

    want, _ = train("cpu", 4)
    half, optimiser = train("cpu", 2)
    rest, _ = train("cuda", 2, optimiser.state_dict(), half.state_dict())
    whole, optimiser = train("cuda", 4)
    assert all(not isinstance(s["momentum_buffer"].array, np.ndarray) for s in optimiser.state.values())
    for (name, a), (_, b), (_, c) in zip(tensors_of(whole), tensors_of(rest), tensors_of(want), strict=True):
        assert on_device(a) and on_device(b), name
        same(name, a, c, 400)
        same(name, b, c, 400)


def check_optimisers(same):
    """The others: what they remember lies on the device, apart from the count of steps, and comes from the CPU."""

    def train(name, device, steps, state=None, w=None):
        w = (mt.tensor([[1.0, -2.0]]) if w is None else w.detach().to("cpu")).to(device).requires_grad_()
        options = {"momentum": 0.5, "centered": True} if name == "RMSprop" else {"weight_decay": 0.1}
        optimiser = getattr(mt.optim, name)([w], lr=0.1, **options)
        if state is not None:
            optimiser.load_state_dict(state)
        for _ in range(steps):
            optimiser.zero_grad(set_to_none=False)
            ((w * w).sum() + w.sum()).backward()
            optimiser.step()
        return w, optimiser

    for name in ("Adam", "AdamW", "RMSprop", "Adagrad"):
        want, _ = train(name, "cpu", 4)
        half, optimiser = train(name, "cpu", 2)
        rest, _ = train(name, "cuda", 2, optimiser.state_dict(), half)
        whole, optimiser = train(name, "cuda", 4)
        for key, value in optimiser.state[whole].items():
            assert (value.device.type == "cpu") == (key == "step"), (name, key)
        same(name, whole, want, 40)
        same(name, rest, want, 40)


def check_data_loader(same):
    """A data set on the device gives batches there, in the CPU's order, also when its samples are transformed."""

    class Doubled(mt.utils.data.TensorDataset):
        def __getitem__(self, index):
            return tuple(2 * t for t in super().__getitem__(index))

    x, y = mt.randn(7, 3), mt.arange(7)
    for kind, indices in (
        (mt.utils.data.TensorDataset, None),
        (Doubled, None),
        (mt.utils.data.TensorDataset, [3, 0, 5]),
    ):
        seen = []
        for device in ("cuda", "cpu"):
            mt.manual_seed(0)
            dataset = kind(x.to(device), y.to(device))
            dataset = dataset if indices is None else mt.utils.data.Subset(dataset, indices)
            seen.append([t for batch in mt.utils.data.DataLoader(dataset, 2, shuffle=True) for t in batch])
        assert all(on_device(t) for t in seen[0])
        for there, here in zip(*seen, strict=True):
            same(kind.__name__, there, here, 0)


def check_printing(same):
    x = mt.tensor([1.0, 2.0], device="cuda")
    assert repr(x) == "tensor([1., 2.], device='cuda:0')"
    assert repr(mt.tensor(3, device="cuda")) == "tensor(3, device='cuda:0')"
    assert repr(x.requires_grad_()) == "tensor([1., 2.], device='cuda:0', requires_grad=True)"
    assert "device='cuda:0', grad_fn=<MulBackward0>" in repr(x * 2)
    assert "device='cuda:0'" in repr(nn.Linear(2, 1, device="cuda").weight) and f"{x[0].item():.1f}" == "1.0"
    assert f"{mt.tensor(2.5, device='cuda'):.2f}" == "2.50"


BODIES = [
    check_tensor_moves,
    check_gradients_cross_devices,
    check_creation,
    check_creation_like,
    check_module_moves,
    check_state_dicts_cross_devices,
    check_optimiser,
    check_optimisers,
    check_data_loader,
    check_printing,
]
