"""Rows about optimisers: trajectories under every option, state, groups, hooks, errors.

Most trajectories take gradients that are drawn beforehand, the same in both libraries: what is compared is the update
alone. In float32 a step makes at most ten roundings of the size of the parameter, so the length is ten per step.
"""

import copy

from .table import Row, errors, rows, tensor

STEPS = 30


def weights(L, dtype="float64"):
    """A matrix and a vector to optimise."""
    return tensor(L, 3, 4, seed=1, dtype=dtype, grad=True), tensor(L, 4, seed=2, dtype=dtype, grad=True)


def give_gradients(L, params, step, skip=()):
    """Fixed gradients for one step; the last parameter gets none in the steps of `skip`."""
    for i, p in enumerate(params):
        p.grad = tensor(L, *p.shape, seed=100 * step + i, dtype="float64").to(p.dtype)
    if step in skip:
        params[-1].grad = None


def walk(L, make, dtype="float64", steps=STEPS, skip=()):
    """Parameters after the first and the last step, and the optimiser's state and text."""
    params = weights(L, dtype)
    optimizer = make(L, *params)
    seen = []
    for step in range(steps):
        give_gradients(L, params, step, skip)
        optimizer.step()
        if step in (0, 1, steps - 1):
            seen += [p.detach().clone() for p in params]
    return seen, optimizer.state_dict(), repr(optimizer)


def simple(name, options, **how):
    """A walk of one optimiser with all parameters in one group."""
    return lambda L: walk(L, lambda L, *params: getattr(L.optim, name)(params, **options), **how)


OPTIONS = {
    "SGD": {
        "default": {},
        "plain": {"lr": 0.1},
        "zero_lr": {"lr": 0.0},
        "whole_lr": {"lr": 1},
        "momentum": {"lr": 0.1, "momentum": 0.9},
        "dampening": {"lr": 0.1, "momentum": 0.9, "dampening": 0.3},
        "full_dampening": {"lr": 0.1, "momentum": 0.9, "dampening": 1.0},
        "dampening_alone": {"lr": 0.1, "dampening": 0.3},
        "nesterov": {"lr": 0.1, "momentum": 0.9, "nesterov": True},
        "weight_decay": {"lr": 0.1, "weight_decay": 0.2},
        "maximize": {"lr": 0.1, "maximize": True},
        "all": {"lr": 0.1, "momentum": 0.8, "dampening": 0.1, "weight_decay": 0.2, "maximize": True},
        "nesterov_decay": {"lr": 0.1, "momentum": 0.8, "weight_decay": 0.2, "nesterov": True},
        "foreach": {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1, "foreach": True},
        "not_foreach": {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1, "foreach": False},
        "fused": {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1, "fused": True},
    },
    "Adam": {
        "default": {},
        "lr": {"lr": 0.1},
        "zero_lr": {"lr": 0.0},
        "betas": {"lr": 0.1, "betas": (0.5, 0.9)},
        "small_beta1": {"lr": 0.1, "betas": (0.2, 0.99)},
        "no_averages": {"lr": 0.1, "betas": (0.0, 0.0)},
        "eps": {"lr": 0.1, "eps": 0.1},
        "weight_decay": {"lr": 0.1, "weight_decay": 0.2},
        "amsgrad": {"lr": 0.1, "betas": (0.9, 0.5), "amsgrad": True},
        "amsgrad_decay": {"lr": 0.1, "betas": (0.9, 0.5), "amsgrad": True, "weight_decay": 0.2},
        "maximize": {"lr": 0.1, "maximize": True, "weight_decay": 0.2},
        "decoupled": {"lr": 0.1, "weight_decay": 0.2, "decoupled_weight_decay": True},
        "foreach": {"lr": 0.1, "weight_decay": 0.2, "amsgrad": True, "foreach": True},
        "fused": {"lr": 0.1, "weight_decay": 0.2, "amsgrad": True, "fused": True},
    },
    "AdamW": {
        "default": {},
        "lr": {"lr": 0.1},
        "no_decay": {"lr": 0.1, "weight_decay": 0},
        "strong_decay": {"lr": 0.1, "weight_decay": 0.5},
        "betas_eps": {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-3},
        "amsgrad": {"lr": 0.1, "betas": (0.9, 0.5), "amsgrad": True},
        "maximize": {"lr": 0.1, "maximize": True},
        "foreach": {"lr": 0.1, "foreach": True},
    },
    "RMSprop": {
        "default": {},
        "alpha": {"lr": 0.1, "alpha": 0.5},
        "eps": {"lr": 0.1, "eps": 0.1},
        "momentum": {"lr": 0.01, "momentum": 0.9},
        "centered": {"lr": 0.01, "centered": True, "alpha": 0.9, "eps": 0.1},
        "weight_decay": {"lr": 0.1, "weight_decay": 0.2},
        "all": {"lr": 0.01, "momentum": 0.5, "centered": True, "weight_decay": 0.1, "maximize": True, "eps": 0.1},
    },
    "Adagrad": {
        "default": {},
        "lr": {"lr": 0.5},
        "lr_decay": {"lr": 0.5, "lr_decay": 0.1},
        "weight_decay": {"lr": 0.5, "weight_decay": 0.2},
        "accumulator": {"lr": 0.5, "initial_accumulator_value": 2.0},
        "eps": {"lr": 0.5, "eps": 0.5},
        "maximize": {"lr": 0.5, "maximize": True},
    },
}

ROWS = []
for name, table in OPTIONS.items():
    for special, options in table.items():
        skip = (0, 1, 7, STEPS - 1)
        if (name, special) == ("SGD", "fused"):
            skip = (7,)  # PyTorch's fused SGD fails where momentum begins later for some parameters than for others
        ROWS += rows(
            f"optim.{name}",
            {
                special: simple(name, options),
                f"{special}/float32": simple(name, options, dtype="float32"),
                f"{special}/without_gradient": simple(name, options, skip=skip),
            },
            length=10 * STEPS,
        )
    ROWS += rows(
        f"optim.{name}",
        {
            "tensor_lr": lambda L, n=name: walk(
                L, lambda L, *params: getattr(L.optim, n)(params, lr=L.tensor(0.1, dtype=L.float64))
            ),
            "tensor_lr/1d": lambda L, n=name: walk(
                L, lambda L, *params: getattr(L.optim, n)(params, lr=L.tensor([0.1], dtype=L.float64))
            ),
            "tensor_lr/float32": lambda L, n=name: walk(
                L, lambda L, *params: getattr(L.optim, n)(params, lr=L.tensor(0.1), weight_decay=0.1)
            )[0],
            "named": lambda L, n=name: walk(
                L, lambda L, a, b: getattr(L.optim, n)([("a", a), ("b", b)], lr=0.1), steps=3
            ),
            "generator_of_params": lambda L, n=name: walk(
                L, lambda L, *params: getattr(L.optim, n)((p for p in params), lr=0.1), steps=3
            ),
            "module": lambda L, n=name: len(
                getattr(L.optim, n)(L.nn.Linear(2, 3).parameters()).param_groups[0]["params"]
            ),
            "named_module": lambda L, n=name: getattr(L.optim, n)(L.nn.Linear(2, 3).named_parameters()).state_dict(),
            "defaults": lambda L, n=name: getattr(L.optim, n)([L.zeros(1)]).defaults,
            "group_keys": lambda L, n=name: list(getattr(L.optim, n)([L.zeros(1)]).param_groups[0]),
            "state_before_steps": lambda L, n=name: getattr(L.optim, n)([L.zeros(2)]).state_dict(),
            "0_dim_and_empty": lambda L, n=name: small_shapes(L, n),
            "not_contiguous": lambda L, n=name: transposed(L, n),
            "real_loss": lambda L, n=name: descend(L, lambda params: getattr(L.optim, n)(params, lr=0.05)),
            "default_dtype_float64": lambda L, n=name: in_float64(L, n),
        },
    )


def small_shapes(L, name):
    params = [L.tensor(2.0, requires_grad=True), L.zeros(0, 3, requires_grad=True)]
    optimizer = getattr(L.optim, name)(params, lr=0.1)
    for _ in range(3):
        params[0].grad, params[1].grad = L.tensor(0.5), L.zeros(0, 3)
        optimizer.step()
    return [p.detach() for p in params], optimizer.state_dict()


def transposed(L, name):
    p = tensor(L, 3, 4).t().requires_grad_()
    optimizer = getattr(L.optim, name)([p], lr=0.1)
    for step in range(3):
        p.grad = tensor(L, 4, 3, seed=step)
        optimizer.step()
    return p.detach(), optimizer.state_dict()


def descend(L, make):
    """Parameters and losses of a small network's training."""
    a, b = weights(L)
    x, y = tensor(L, 5, 3, seed=3), tensor(L, 5, 4, seed=4)
    optimizer, losses = make([a, b]), []
    for _ in range(20):
        optimizer.zero_grad()
        loss = (((x @ a + b).tanh() - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return a.detach(), b.detach(), losses


def in_float64(L, name):
    """The count of steps is float64 where that is the default dtype."""
    before = L.get_default_dtype()
    try:
        L.set_default_dtype(L.float64)
        p = (L.ones(2) * 3).requires_grad_()
        optimizer = getattr(L.optim, name)([p], lr=0.1)
        p.grad = L.ones(2)
        optimizer.step()
        return p.detach(), optimizer.state_dict()
    finally:
        L.set_default_dtype(before)


for name in ("Adam", "AdamW"):
    ROWS += rows(
        f"optim.{name}",
        {
            "tensor_betas": lambda L, n=name: walk(
                L,
                lambda L, *params: getattr(L.optim, n)(
                    params, lr=0.1, betas=(L.tensor(0.8, dtype=L.float64), L.tensor([0.9], dtype=L.float64))
                ),
            )[0]
        },
    )
ROWS += rows("optim.SGD", {"float16": simple("SGD", {"lr": 0.1, "momentum": 0.5}, dtype="float16", steps=5)}, length=50)


# ---- groups


def two_groups(name, first, second, **rest):
    def make(L, a, b):
        return getattr(L.optim, name)([{"params": [a], **first}, {"params": b, **second}], **rest)

    return lambda L: walk(L, make)


def added_later(L, a, b, name="SGD"):
    optimizer = getattr(L.optim, name)([a], lr=0.1)
    optimizer.add_param_group({"params": b, "lr": 0.3})
    return optimizer


def same_dict(L):
    """The given dict itself becomes the group."""
    group = {"params": (p for p in [L.zeros(1), L.zeros(2)]), "lr": 0.2}
    optimizer = L.optim.SGD([group])
    return optimizer.param_groups[0] is group, list(group), len(group["params"])


def lr_changed(L, a, b):
    optimizer = L.optim.Adam([a, b], lr=0.1)
    optimizer.param_groups[0]["lr"] = 0.05
    optimizer.param_groups[0]["weight_decay"] = 0.1
    return optimizer


def twice(L):
    p = L.ones(1, requires_grad=True)
    optimizer = L.optim.SGD([p, p], lr=0.1)
    p.grad = L.ones(1)
    optimizer.step()
    return p.detach()


def retained(L):
    """The result of an op can be optimised if it retains its gradient."""
    y = L.ones(2, requires_grad=True) * 2
    y.retain_grad()
    return len(L.optim.SGD([y]).param_groups)


ROWS += rows(
    "optim.Optimizer.add_param_group",
    {
        "own_lr": two_groups("SGD", {"lr": 0.5}, {}, lr=0.1),
        "own_momentum": two_groups("SGD", {"momentum": 0.5}, {"nesterov": True}, lr=0.1, momentum=0.9),
        "own_decay": two_groups("SGD", {"weight_decay": 0.1}, {"maximize": True}, lr=0.1),
        "own_betas": two_groups("Adam", {"betas": (0.5, 0.5)}, {"amsgrad": True}, lr=0.1),
        "own_keys": two_groups("SGD", {"note": "kept", "lr": 0.3}, {}, lr=0.1),
        "adagrad": two_groups("Adagrad", {"lr": 0.3}, {"eps": 0.1}),
        "later": lambda L: walk(L, added_later),
        "later_adam": lambda L: walk(L, lambda L, a, b: added_later(L, a, b, "Adam")),
        "same_dict": same_dict,
        "named": lambda L: walk(L, lambda L, a, b: L.optim.SGD([{"params": [("a", a)]}, {"params": [("b", b)]}])),
        "names_given": lambda L: L.optim.SGD([{"params": [L.zeros(1)], "param_names": ["x"]}]).state_dict(),
        "lr_changed": lambda L: walk(L, lr_changed),
        "not_asking_for_gradients": lambda L: len(L.optim.SGD([L.zeros(1), L.zeros(2)]).param_groups[0]["params"]),
        "twice_in_one_group": twice,
        "twice_state": lambda L: L.optim.SGD([{"params": [p := L.zeros(1), p]}, {"params": L.zeros(1)}]).state_dict(),
        "retained": retained,
    },
)


def refused(L, group, **others):
    """An optimiser of one parameter is asked to add a group."""
    L.optim.SGD([L.zeros(1)], lr=0.1).add_param_group(group(L))


def leaf(L):
    return L.ones(2, requires_grad=True)


ROWS += errors(
    "optim.Optimizer.add_param_group",
    {
        "no_dict": (lambda L: refused(L, lambda L: [L.zeros(1)]), r"add_param_group: got a list, wanted a dict"),
        "no_params": (lambda L: refused(L, lambda L: {"lr": 0.1}), r"\['lr'\].*'params'"),
        "set": (lambda L: refused(L, lambda L: {"params": {L.zeros(1)}}), r"set of parameters.*list"),
        "number": (lambda L: refused(L, lambda L: {"params": [3.0]}), r"got a float among the parameters"),
        "text": (lambda L: L.optim.SGD(["weight"]), r"got a str among the parameters"),
        "not_leaf": (lambda L: refused(L, lambda L: {"params": leaf(L) * 2}), r"non-leaf.*Mul.*detached"),
        "not_leaf_adam": (lambda L: L.optim.Adam([leaf(L) + 1]), r"non-leaf"),
        "in_two_groups": (
            lambda L: L.optim.SGD([{"params": [p := L.zeros(1)]}, {"params": [p]}]),
            r"more than one parameter group",
        ),
        "some_names": (lambda L: L.optim.SGD([("a", L.zeros(1)), L.zeros(1)]), r"1 names for 2 parameters"),
        "names_beside_none": (lambda L: refused(L, lambda L: {"params": [("a", L.zeros(1))]}), r"with names beside"),
        "none_beside_names": (
            lambda L: L.optim.SGD([("a", L.zeros(1))]).add_param_group({"params": [L.zeros(1)]}),
            r"without names beside groups with",
        ),
        "tensor": (lambda L: L.optim.SGD(leaf(L)), r"SGD: got a Tensor as params.*\[tensor\]"),
        "empty": (lambda L: L.optim.Adam([]), r"Adam: got an empty list"),
        "empty_model": (lambda L: L.optim.AdamW(L.nn.Tanh().parameters()), r"AdamW: got an empty list"),
        "not_iterable": (lambda L: L.optim.SGD(3), r"not iterable"),
    },
)

# ---- settings

WRONG = {
    "SGD": {
        "lr": ({"lr": -0.1}, r"SGD: invalid lr: got -0.1"),
        "tensor_lr": ("two", r"SGD: got lr as a Tensor of shape \(2,\)"),
        "momentum": ({"momentum": -0.5}, r"invalid momentum: got -0.5"),
        "weight_decay": ({"weight_decay": -1}, r"invalid weight_decay: got -1"),
        "nesterov_alone": ({"nesterov": True}, r"Nesterov momentum requires.*momentum=0"),
        "nesterov_dampening": ({"nesterov": True, "momentum": 0.9, "dampening": 0.1}, r"zero dampening.*dampening=0.1"),
        "fused_foreach": ({"fused": True, "foreach": True}, r"fused=True and foreach=True"),
        "fused_differentiable": ({"fused": True, "differentiable": True}, r"differentiable=True exclude"),
        "unknown": ({"rate": 1.0}, r"rate"),
    },
    "Adam": {
        "lr": ({"lr": -0.1}, r"Adam: invalid lr"),
        "lr_nan": ({"lr": float("nan")}, r"invalid lr: got nan"),
        "tensor_lr": ("two", r"Tensor of shape \(2,\)"),
        "eps": ({"eps": -1e-8}, r"invalid eps: got -1e-08"),
        "beta1": ({"betas": (1.0, 0.9)}, r"beta at index 0: got 1.0, wanted a number in \[0, 1\)"),
        "beta2": ({"betas": (0.9, -0.1)}, r"beta at index 1: got -0.1"),
        "whole_betas": ({"betas": (0, 0)}, r"both floats or both Tensors"),
        "weight_decay": ({"weight_decay": -1}, r"invalid weight_decay"),
        "fused_foreach": ({"fused": True, "foreach": True}, r"fused=True and foreach=True"),
        "fused_differentiable": ({"fused": True, "differentiable": True}, r"exclude each other"),
    },
    "RMSprop": {
        "lr": ({"lr": -0.1}, r"RMSprop: invalid lr"),
        "eps": ({"eps": -1.0}, r"invalid eps"),
        "momentum": ({"momentum": -1.0}, r"invalid momentum"),
        "alpha": ({"alpha": -1.0}, r"invalid alpha"),
        "weight_decay": ({"weight_decay": -1.0}, r"invalid weight_decay"),
    },
    "Adagrad": {
        "lr": ({"lr": -0.1}, r"Adagrad: invalid lr"),
        "lr_decay": ({"lr_decay": -0.1}, r"invalid lr_decay"),
        "accumulator": ({"initial_accumulator_value": -1}, r"invalid initial_accumulator_value"),
        "eps": ({"eps": -1.0}, r"invalid eps"),
        "weight_decay": ({"weight_decay": -1.0}, r"invalid weight_decay"),
    },
}
WRONG["AdamW"] = {key: (given, text.replace("Adam:", "AdamW:")) for key, (given, text) in WRONG["Adam"].items()}


def build(name, given):
    def run(L):
        options = {"lr": L.tensor([0.1, 0.2])} if given == "two" else given
        return getattr(L.optim, name)([L.zeros(1)], **options)

    return run


def one_step(L, name, **options):
    p = leaf(L)
    p.grad = L.ones(2)
    getattr(L.optim, name)([p], **options).step()


for name, table in WRONG.items():
    ROWS += errors(
        f"optim.{name}", {f"wrong/{key}": (build(name, given), text) for key, (given, text) in table.items()}
    )
    ROWS += errors(
        f"optim.{name}",
        {"differentiable": (lambda L, n=name: one_step(L, n, differentiable=True), r"differentiable=True")},
    )
for name in ("Adam", "AdamW", "RMSprop"):
    ROWS += errors(
        f"optim.{name}", {"capturable": (lambda L, n=name: one_step(L, n, capturable=True), rf"{name}: capturable")}
    )
for name in ("Adam", "AdamW"):
    ROWS += errors(
        f"optim.{name}",
        {
            "tensor_lr_foreach": (
                lambda L, n=name: getattr(L.optim, n)([L.zeros(1)], lr=L.tensor(0.1), foreach=True),
                r"lr as a Tensor.*foreach=True",
            )
        },
    )

# ---- state


def stepped(L, name="Adam", steps=3, dtype="float64", **options):
    params = weights(L, dtype)
    optimizer = getattr(L.optim, name)(params, lr=0.1, **options)
    for step in range(steps):
        give_gradients(L, params, step)
        optimizer.step()
    return params, optimizer


def by_parameter(L, name, **options):
    """The state as attribute: keys, and the tensors of both parameters."""
    params, optimizer = stepped(L, name, **options)
    return len(optimizer.state), [{k: v.clone() for k, v in optimizer.state[p].items()} for p in params]


def continued(L, name, other=None, dtype="float64", through=copy.deepcopy, **options):
    """State saved, loaded into an optimiser of other parameters and other settings, and stepped on."""
    _, optimizer = stepped(L, name, **options)
    params = weights(L, dtype)
    new = getattr(L.optim, other or name)(params, lr=7.0)
    new.load_state_dict(through(optimizer.state_dict()))
    loaded = copy.deepcopy(new.state_dict())
    for step in range(3, 6):
        give_gradients(L, params, step)
        new.step()
    return loaded, [p.detach() for p in params], new.state_dict(), repr(new)


def aliased(L, name, **options):
    """A state dict holds the optimiser's own tensors: later steps show in it."""
    params, optimizer = stepped(L, name, **options)
    state = optimizer.state_dict()
    give_gradients(L, params, 7)
    optimizer.step()
    return state


def unknown_parameter(L):
    optimizer = L.optim.SGD([leaf(L)], momentum=0.9)
    state = optimizer.state[L.zeros(1)]
    return state, len(optimizer.state)


def without_keys(state):
    """As an older version would have saved it."""
    state = copy.deepcopy(state)
    for group in state["param_groups"]:
        for key in ("maximize", "foreach", "differentiable"):
            group.pop(key)
    return state


def whole_steps(state):
    """Steps as Python numbers, as older versions had them."""
    state = copy.deepcopy(state)
    for memory in state["state"].values():
        memory["step"] = int(memory["step"].item())
    return state


def renumbered(state):
    """Parameters may have any numbers."""
    state = copy.deepcopy(state)
    state["state"] = {10 * key + 5: value for key, value in state["state"].items()}
    for group in state["param_groups"]:
        group["params"] = [10 * i + 5 for i in group["params"]]
    return state


for name in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad"):
    momentum = {"momentum": 0.9} if name in ("SGD", "RMSprop") else {}
    ROWS += rows(
        "optim.Optimizer.state_dict",
        {
            f"{name}/by_parameter": lambda L, n=name, m=momentum: by_parameter(L, n, **m),
            f"{name}/aliased": lambda L, n=name, m=momentum: aliased(L, n, **m),
            f"{name}/float32": lambda L, n=name, m=momentum: stepped(L, n, dtype="float32", **m)[1].state_dict(),
        },
    )
    ROWS += rows(
        "optim.Optimizer.load_state_dict",
        {
            f"{name}/continued": lambda L, n=name, m=momentum: continued(L, n, **m),
            f"{name}/to_float32": lambda L, n=name, m=momentum: continued(L, n, dtype="float32", **m),
            f"{name}/renumbered": lambda L, n=name, m=momentum: continued(L, n, through=renumbered, **m),
        },
        length=100,
    )
ROWS += rows(
    "optim.Optimizer.state_dict",
    {
        "unknown_parameter": unknown_parameter,
        "centered": lambda L: by_parameter(L, "RMSprop", momentum=0.5, centered=True),
        "amsgrad": lambda L: by_parameter(L, "Adam", amsgrad=True),
        "before_steps": lambda L: L.optim.SGD(weights(L), momentum=0.9).state_dict(),
        "two_groups": lambda L: L.optim.Adam([{"params": [p]} for p in weights(L)]).state_dict(),
        "deepcopy": lambda L: copy.deepcopy(stepped(L)[1]).state_dict(),
    },
)
ROWS += rows(
    "optim.Optimizer.load_state_dict",
    {
        "adam_to_adamw": lambda L: continued(L, "Adam", "AdamW"),
        "adamw_to_adam": lambda L: continued(L, "AdamW", "Adam"),
        "older": lambda L: continued(L, "SGD", through=without_keys, momentum=0.9)[:3],
        "whole_steps": lambda L: continued(L, "Adam", through=whole_steps),
        "amsgrad": lambda L: continued(L, "Adam", amsgrad=True),
        "before_steps": lambda L: continued(L, "SGD", steps=0, momentum=0.9),
        "extra_state": lambda L: continued(L, "SGD", through=lambda s: {**s, "state": {**s["state"], "epoch": 3}})[0],
        "names_kept": lambda L: names_after(L, [("a", L.zeros(1))], [L.zeros(1)]),
        "names_loaded": lambda L: names_after(L, [("a", L.zeros(1))], [("b", L.zeros(1))]),
        "returns": lambda L: L.optim.SGD([L.zeros(1)]).load_state_dict(L.optim.SGD([L.zeros(1)]).state_dict()),
    },
)


def names_after(L, own, other):
    optimizer = L.optim.SGD(own)
    optimizer.load_state_dict(L.optim.SGD(other, lr=0.5).state_dict())
    return optimizer.state_dict()


def load(L, own, other):
    L.optim.SGD(own(L), lr=0.1).load_state_dict(L.optim.SGD(other(L), lr=0.1).state_dict())


ROWS += errors(
    "optim.Optimizer.load_state_dict",
    {
        "other_groups": (
            lambda L: load(L, lambda L: [leaf(L)], lambda L: [{"params": leaf(L)}, {"params": leaf(L)}]),
            r"load_state_dict: got 2 parameter groups, this optimiser has 1",
        ),
        "other_sizes": (
            lambda L: load(L, lambda L: [leaf(L)], lambda L: [leaf(L), leaf(L)]),
            r"got 2 parameters in group 0, this optimiser has 1",
        ),
        "no_groups": (lambda L: L.optim.SGD([leaf(L)]).load_state_dict({"state": {}}), r"param_groups"),
        "no_state": (
            lambda L: (o := L.optim.SGD([leaf(L)])).load_state_dict({"param_groups": o.state_dict()["param_groups"]}),
            r"state",
        ),
    },
)

# ---- steps


def zeroed(L, **how):
    a, b = weights(L)
    give_gradients(L, [a, b], 0)
    b.grad = None
    held = a.grad
    returned = L.optim.SGD([a, b]).zero_grad(**how)
    return returned, a.grad, b.grad, held


def closure(L, name):
    p = leaf(L)
    optimizer = getattr(L.optim, name)([p], lr=0.1)

    def loss():
        optimizer.zero_grad()
        value = (p**2).sum()
        value.backward()
        return value

    with L.no_grad():
        first = optimizer.step(loss)
    return first, optimizer.step(lambda: 3.5), optimizer.step(), p.detach()


def hooked(L, pre=None, post=None):
    p = leaf(L)
    p.grad = L.ones(2)
    optimizer, seen = L.optim.SGD([p], lr=0.1), []

    def before(own, args, kwargs):
        seen.append(("before", own is optimizer, len(args), list(kwargs), p.tolist()))
        return pre

    def after(own, args, kwargs):
        seen.append(("after", own is optimizer, len(args), list(kwargs), p.tolist()))
        return post

    first, second = optimizer.register_step_pre_hook(before), optimizer.register_step_post_hook(after)
    results = [optimizer.step(), optimizer.step(closure=lambda: 2.0) if pre is None else None]
    first.remove()
    results.append(optimizer.step(lambda: 1.0))
    second.remove()
    second.remove()
    results.append(optimizer.step())
    return seen, results, p.detach()


def changed_arguments(L):
    p, optimizer = (q := leaf(L)), L.optim.SGD([q])
    optimizer.register_step_pre_hook(lambda own, args, kwargs: ((own, lambda: 5.0), {}))
    return optimizer.step(), p.detach()


def custom(L):
    """An optimiser written for PyTorch, with a step of its own."""

    class Descent(L.optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

        @L.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        state = self.state[p]
                        state["calls"] = state.get("calls", 0) + 1
                        p.sub_(p.grad * group["lr"])
            return 7

    seen = []
    p = leaf(L)
    optimizer = Descent([p, L.zeros(1)], lr=0.5)
    p.grad = L.ones(2)
    optimizer.step()
    optimizer.register_step_post_hook(lambda own, args, kwargs: seen.append("stepped"))
    optimizer.step()
    schedule = L.optim.lr_scheduler.StepLR(optimizer, 1)
    returned = optimizer.step()
    schedule.step()
    return seen, returned, p.detach(), optimizer.state_dict(), repr(optimizer)


def nan_zeroed(L):
    p = leaf(L)
    p.grad = L.tensor([float("nan"), float("inf")])
    L.optim.SGD([p]).zero_grad(set_to_none=False)
    return p.grad


def inside_no_grad(L):
    p = leaf(L)
    p.grad = L.ones(2)
    with L.no_grad():
        L.optim.SGD([p], lr=0.1, momentum=0.9).step()
    return p.detach(), p.requires_grad, p.is_leaf


def leaf_stays(L):
    p = leaf(L)
    before = p.data
    p.grad = L.ones(2)
    L.optim.Adam([p], lr=0.1).step()
    return p.is_leaf, p.requires_grad, p.grad, before  # shares memory with p


ROWS += rows(
    "optim.Optimizer.zero_grad",
    {
        "none": zeroed,
        "zeros": lambda L: zeroed(L, set_to_none=False),
        "nan": nan_zeroed,
    },
)
ROWS += rows(
    "optim.Optimizer.step",
    {
        **{f"closure/{name}": (lambda L, n=name: closure(L, n)) for name in OPTIONS},
        "hooks": hooked,
        "hook_changes_arguments": changed_arguments,
        "custom": custom,
        "no_gradient": lambda L: (p := leaf(L), L.optim.Adam([p]).step(), p.detach())[1:],
        "inside_no_grad": inside_no_grad,
        "leaf_stays": leaf_stays,
    },
)


def state_hooks(L, change):
    """The order of the hooks of saving and loading, and what they change."""
    optimizer, seen = L.optim.SGD([L.zeros(1)], lr=0.1), []

    def note(name, result=None):
        def hook(own, *rest):
            seen.append((name, own is optimizer, [list(r) for r in rest]))
            return result(*rest) if change and result else None

        return hook

    handles = [
        optimizer.register_state_dict_pre_hook(note("before saving")),
        optimizer.register_state_dict_pre_hook(note("first before saving"), prepend=True),
        optimizer.register_state_dict_post_hook(note("saved", lambda s: {**s, "more": 1})),
        optimizer.register_state_dict_post_hook(note("first saved"), prepend=True),
        optimizer.register_load_state_dict_pre_hook(
            note("before loading", lambda s: {**s, "param_groups": [{**s["param_groups"][0], "lr": 0.7}]})
        ),
        optimizer.register_load_state_dict_pre_hook(note("first before loading"), prepend=True),
        optimizer.register_load_state_dict_post_hook(note("loaded")),
        optimizer.register_load_state_dict_post_hook(note("first loaded"), prepend=True),
    ]
    saved = optimizer.state_dict()
    optimizer.load_state_dict(saved)
    for handle in handles:
        handle.remove()
    return saved, optimizer.state_dict(), seen


ROWS += rows(
    "optim.Optimizer.state_dict",
    {"hooks": lambda L: state_hooks(L, False), "hooks_change": lambda L: state_hooks(L, True)},
)
ROWS += errors(
    "optim.Optimizer.step",
    {
        "base": (lambda L: L.optim.Optimizer([L.zeros(1)], {}).step(), r"neither an update nor a step"),
        "bad_hook": (lambda L: hooked(L, pre=3), r"pre-hook must return None or a tuple.*got 3"),
    },
)
ROWS += [
    Row("optim.Optimizer/repr", lambda L: repr(L.optim.Optimizer([L.zeros(1)], {"b": 1, "a": (2, "x")}))),
    Row("optim.Optimizer/defaults_fill", lambda L: L.optim.Optimizer([L.zeros(1)], {"b": 1}).state_dict()),
    Row("optim.Optimizer/is_base", lambda L: [issubclass(getattr(L.optim, n), L.optim.Optimizer) for n in OPTIONS]),
]
