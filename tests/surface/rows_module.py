"""Rows about nn.Module, nn.Parameter and nn.Buffer: what is owned, modes, moves, state, hooks, text, and mistakes."""

import copy
import pickle
from collections import namedtuple

import numpy as np

from .table import errors, gradients, rows, tensor


def block(L):
    """A module with one of everything: parameters, buffers of both kinds, modules, plain attributes, None."""

    class Block(L.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = L.nn.Linear(2, 2)
            self.scale = L.nn.Parameter(L.ones(2))
            self.absent = None
            self.register_buffer("seen", L.zeros(2))
            self.register_buffer("scratch", L.ones(1, dtype=L.int64), persistent=False)
            self.register_buffer("unset", None)
            self.register_parameter("missing", None)
            self.norm = L.nn.BatchNorm1d(2)
            self.frozen = L.nn.Parameter(L.zeros(1), requires_grad=False)
            self.size = 2

        def forward(self, x, shift=0.0):
            return self.norm(self.inner(x)) * self.scale + shift

    L.manual_seed(0)
    return Block()


def nested(L):
    """Blocks in a Sequential in a module that also holds one of them a second time."""

    class Model(L.nn.Module):
        def __init__(self):
            super().__init__()
            self.body = L.nn.Sequential(block(L), L.nn.Tanh(), block(L))
            self.again = self.body[0]
            self.tied = self.body[2].scale
            self.head = L.nn.ModuleList([L.nn.Linear(2, 1, bias=False)])

        def forward(self, x):
            return self.head[0](self.body(x))

    L.manual_seed(1)
    return Model()


def on(make, use):
    """A row's function: `use`(library, made), where `make`(library) gives one thing or a tuple of things."""

    def run(L):
        made = make(L)
        return use(L, *made) if isinstance(made, tuple) else use(L, made)

    return run


def names(pairs):
    """The first of every pair."""
    return [name for name, _ in pairs]


def census(m):
    """All names that a module reports, and its state's keys."""
    return [
        names(m.named_parameters()),
        names(m.named_buffers()),
        names(m.named_modules()),
        names(m.named_children()),
        list(m.state_dict()),
    ]


def with_scale(m):
    """A block and its parameter."""
    return m, m.scale


def after(change):
    """A row's function: the census of a block after `change`(library, block)."""

    def run(L):
        m = block(L)
        change(L, m)
        return census(m)

    return run


def dtypes(m):
    """The dtypes of all tensors of a module, as text."""
    return [str(t.dtype) for t in [*m.parameters(), *m.buffers()]]


# ---- what is owned

ROWS = rows(
    "nn.Module.parameters",
    {
        "values": lambda L: list(block(L).parameters()),
        "own": lambda L: list(block(L).parameters(recurse=False)),
        "shared_once": lambda L: len(list(nested(L).parameters())),
        "none": lambda L: list(L.nn.Tanh().parameters()),
        "iterator": lambda L: next(L.nn.Linear(2, 3).parameters()).shape == (3, 2),
        "count": lambda L: sum(p.numel() for p in nested(L).parameters()),
        "learnable": lambda L: sum(p.numel() for p in nested(L).parameters() if p.requires_grad),
    },
)
ROWS += rows(
    "nn.Module.named_parameters",
    {
        "names": lambda L: names(nested(L).named_parameters()),
        "prefix": lambda L: names(block(L).named_parameters(prefix="net")),
        "own": lambda L: names(block(L).named_parameters(recurse=False)),
        "own_with_prefix": lambda L: names(block(L).named_parameters("net", False)),
        "duplicates": lambda L: names(nested(L).named_parameters(remove_duplicate=False)),
        "own_first": lambda L: names(L.nn.Sequential(block(L)).named_parameters()),
        "dict": lambda L: dict(L.nn.Linear(2, 2, bias=False).named_parameters()).keys() == {"weight"},
        "iterator": lambda L: next(block(L).named_parameters())[0],
    },
)
ROWS += rows(
    "nn.Module.buffers",
    {
        "values": lambda L: list(block(L).buffers()),
        "own": lambda L: list(block(L).buffers(recurse=False)),
        "none": lambda L: list(L.nn.Linear(1, 1).buffers()),
        "untracked": lambda L: list(L.nn.BatchNorm1d(2, track_running_stats=False).buffers()),
    },
)
ROWS += rows(
    "nn.Module.named_buffers",
    {
        "names": lambda L: names(nested(L).named_buffers()),
        "prefix": lambda L: names(block(L).named_buffers("net")),
        "own": lambda L: names(block(L).named_buffers(recurse=False)),
        "duplicates": lambda L: names(nested(L).named_buffers(remove_duplicate=False)),
    },
)
ROWS += rows(
    "nn.Module.modules",
    {
        "types": lambda L: [type(m).__name__ for m in nested(L).modules()],
        "duplicates": lambda L: [type(m).__name__ for m in nested(L).modules(remove_duplicate=False)],
        "itself": on(block, lambda L, m: next(m.modules()) is m),
        "leaf": lambda L: len(list(L.nn.Tanh().modules())),
    },
)
ROWS += rows(
    "nn.Module.named_modules",
    {
        "names": lambda L: names(nested(L).named_modules()),
        "prefix": lambda L: names(block(L).named_modules(prefix="net")),
        "duplicates": lambda L: names(nested(L).named_modules(remove_duplicate=False)),
        "memo": on(block, lambda L, m: names(m.named_modules(memo={m.inner}))),
        "memo_of_itself": on(block, lambda L, m: names(m.named_modules({m}))),
        "three_arguments": lambda L: names(nested(L).named_modules(None, "p", False)),
    },
)
ROWS += rows(
    "nn.Module.children",
    {
        "types": lambda L: [type(m).__name__ for m in nested(L).children()],
        "shared_once": on(lambda L: L.nn.Tanh(), lambda L, t: len(list(L.nn.Sequential(t, t).children()))),
        "iterator": lambda L: type(next(L.nn.Sequential(L.nn.Tanh()).children())).__name__,
        "all_but_the_last": lambda L: repr(
            L.nn.Sequential(*list(L.nn.Sequential(L.nn.Tanh(), L.nn.ReLU()).children())[:-1])
        ),
    },
)
ROWS += rows(
    "nn.Module.named_children",
    {
        "names": lambda L: names(nested(L).named_children()),
        "iterator": lambda L: next(nested(L).named_children())[0],
        "shared_once": on(lambda L: L.nn.Tanh(), lambda L, t: names(L.nn.Sequential(t, t).named_children())),
        "without_none": on(block, lambda L, m: (setattr(m, "inner", None), names(m.named_children()))),
    },
)
ROWS += rows(
    "nn.Module.get_submodule",
    {
        "inside": lambda L: repr(nested(L).get_submodule("body.0.inner")),
        "itself": on(block, lambda L, m: m.get_submodule("") is m),
    },
)
ROWS += errors(
    "nn.Module.get_submodule",
    {
        "absent": (lambda L: nested(L).get_submodule("body.0.outer"), r"^get_submodule: Block has no module `outer`"),
        "parameter": (lambda L: nested(L).get_submodule("body.0.scale"), r"has no module `scale`"),
        "too_far": (lambda L: nested(L).get_submodule("body.0.inner.weight.x"), r"has no module `weight`"),
    },
)
ROWS += rows(
    "nn.Module.get_parameter",
    {
        "inside": lambda L: nested(L).get_parameter("body.0.inner.bias"),
        "own": lambda L: block(L).get_parameter("scale"),
    },
)
ROWS += errors(
    "nn.Module.get_parameter",
    {
        "absent": (lambda L: block(L).get_parameter("inner.gain"), r"^get_parameter: Linear has no parameter `gain`"),
        "buffer": (lambda L: block(L).get_parameter("seen"), r"no parameter `seen`"),
        "of_no_module": (lambda L: block(L).get_parameter("outer.weight"), r"no module `outer`"),
        "none": (lambda L: block(L).get_parameter("missing"), r"no parameter `missing`"),
    },
)
ROWS += rows(
    "nn.Module.get_buffer",
    {
        "inside": lambda L: nested(L).get_buffer("body.0.norm.running_var"),
        "temporary": lambda L: block(L).get_buffer("scratch"),
    },
)
ROWS += errors(
    "nn.Module.get_buffer",
    {
        "absent": (lambda L: block(L).get_buffer("norm.mean"), r"^get_buffer: BatchNorm1d has no buffer `mean`"),
        "parameter": (lambda L: block(L).get_buffer("scale"), r"no buffer `scale`"),
        "plain": (lambda L: block(L).get_buffer("size"), r"no buffer `size`"),
    },
)


def submodule_set(L, *arguments, **options):
    """The text of a model after set_submodule."""
    m = nested(L)
    result = m.set_submodule(*arguments, **options)
    return result, repr(m), m.again is m.body[0]


ROWS += rows(
    "nn.Module.set_submodule",
    {
        "own": lambda L: submodule_set(L, "head", L.nn.ReLU()),
        "inside": lambda L: submodule_set(L, "body.0.inner", L.nn.ReLU()),
        "new": lambda L: submodule_set(L, "body.0.more", L.nn.ReLU()),
        "strict": lambda L: submodule_set(L, "body.1", L.nn.ReLU(), strict=True),
    },
)
ROWS += errors(
    "nn.Module.set_submodule",
    {
        "empty": (lambda L: submodule_set(L, "", L.nn.ReLU()), r"^set_submodule: got the name ''"),
        "no_module": (lambda L: submodule_set(L, "head", 3), r"a int, wanted a Module"),
        "no_parent": (lambda L: submodule_set(L, "tail.0", L.nn.ReLU()), r"has no module `tail`"),
        "parameter": (lambda L: submodule_set(L, "body.0.scale", L.nn.ReLU()), r"has no module `scale`"),
        "strict_and_new": (lambda L: submodule_set(L, "new", L.nn.ReLU(), strict=True), r"has no module `new`"),
    },
)

# ---- assignment and registration


def early(L, what):
    """A module that assigns before Module.__init__()."""

    class Early(L.nn.Module):
        def __init__(self):
            self.first = what(L)

    return Early()


ROWS += rows(
    "nn.Module.__setattr__",
    {
        "new_parameter": after(lambda L, m: setattr(m, "late", L.nn.Parameter(L.ones(1)))),
        "replaced_parameter": after(lambda L, m: setattr(m, "scale", L.nn.Parameter(L.ones(3)))),
        "parameter_to_none": after(lambda L, m: setattr(m, "scale", None)),
        "none_to_parameter": after(lambda L, m: setattr(m, "missing", L.nn.Parameter(L.ones(1)))),
        "plain_to_parameter": after(lambda L, m: setattr(m, "absent", L.nn.Parameter(L.ones(1)))),
        "buffer_to_parameter": after(lambda L, m: setattr(m, "seen", L.nn.Parameter(L.ones(1)))),
        "module_to_parameter": after(lambda L, m: setattr(m, "inner", L.nn.Parameter(L.ones(1)))),
        "new_module": after(lambda L, m: setattr(m, "late", L.nn.Linear(1, 1))),
        "replaced_module": after(lambda L, m: setattr(m, "inner", L.nn.Tanh())),
        "module_to_none": after(lambda L, m: setattr(m, "inner", None)),
        "module_to_none_and_back": after(
            lambda L, m: (setattr(m, "inner", None), setattr(m, "inner", L.nn.Linear(1, 1)))
        ),
        "plain_to_module": after(lambda L, m: setattr(m, "size", L.nn.Tanh())),
        "buffer_to_module": after(lambda L, m: setattr(m, "seen", L.nn.Tanh())),
        "buffer_to_tensor": after(lambda L, m: setattr(m, "seen", L.ones(3))),
        "temporary_buffer_to_tensor": after(lambda L, m: setattr(m, "scratch", L.ones(3))),
        "buffer_to_none": after(lambda L, m: setattr(m, "seen", None)),
        "none_to_buffer": after(lambda L, m: setattr(m, "unset", L.ones(3))),
        "buffer_object": after(lambda L, m: setattr(m, "kept", L.nn.Buffer(L.ones(2)))),
        "buffer_object_temporary": after(lambda L, m: setattr(m, "kept", L.nn.Buffer(L.ones(2), persistent=False))),
        "buffer_becomes_temporary": after(lambda L, m: setattr(m, "seen", L.nn.Buffer(L.ones(2), persistent=False))),
        "temporary_becomes_kept": after(lambda L, m: setattr(m, "scratch", L.nn.Buffer(L.ones(2)))),
        "plain_tensor": after(lambda L, m: setattr(m, "plain", L.ones(3))),
        "list_of_modules": after(lambda L, m: setattr(m, "layers", [L.nn.Linear(1, 1)])),
        "plain_stays_plain": on(block, lambda L, m: (setattr(m, "size", 5), m.size)),
        "class_attribute": on(block, lambda L, m: (setattr(m, "training", False), m.training)),
        "keeps_the_object": on(
            lambda L: (
                block(L),
                L.nn.Parameter(L.ones(2)),
            ),
            lambda L, m, p: (setattr(m, "scale", p), m.scale is p),
        ),
        "digits": on(block, lambda L, m: (setattr(m, "0", L.nn.Tanh()), names(m.named_children()))),
        "data_of_a_parameter": on(block, lambda L, m: (setattr(m.scale, "data", L.zeros(3)), m.scale)),
        "number_before_init": lambda L: early(L, lambda L: 3).first,
        "tensor_before_init": lambda L: early(L, lambda L: L.ones(1)).first,
    },
)
ROWS += errors(
    "nn.Module.__setattr__",
    {
        "tensor_as_parameter": (lambda L: setattr(block(L), "scale", L.ones(2)), r"'Tensor' as parameter 'scale'"),
        "tensor_as_none_parameter": (lambda L: setattr(block(L), "missing", L.ones(2)), r"as parameter 'missing'"),
        "module_as_parameter": (lambda L: setattr(block(L), "scale", L.nn.Tanh()), r"'Tanh' as parameter"),
        "buffer_as_parameter": (lambda L: setattr(block(L), "scale", L.nn.Buffer(L.ones(1))), r"as parameter"),
        "tensor_as_module": (lambda L: setattr(block(L), "inner", L.ones(2)), r"'Tensor' as child module 'inner'"),
        "function_as_module": (lambda L: setattr(block(L), "inner", len), r"as child module 'inner'"),
        "buffer_as_module": (lambda L: setattr(block(L), "inner", L.nn.Buffer(L.ones(1))), r"as child module"),
        "number_as_buffer": (lambda L: setattr(block(L), "seen", 3), r"'int' as buffer 'seen'"),
        "array_as_buffer": (lambda L: setattr(block(L), "seen", np.ones(2)), r"'ndarray' as buffer 'seen'"),
        "buffer_object_over_plain": (lambda L: setattr(block(L), "size", L.nn.Buffer(L.ones(1))), r"'size' already"),
        "dotted_parameter": (lambda L: setattr(block(L), "a.b", L.nn.Parameter(L.ones(1))), r"a\.b"),
        "parameter_over_method": (
            lambda L: setattr(block(L), "forward", L.nn.Parameter(L.ones(1))),
            r"'forward' already",
        ),
        "parameter_before_init": (lambda L: early(L, lambda L: L.nn.Parameter(L.ones(1))), r"before Module.__init__"),
        "module_before_init": (lambda L: early(L, lambda L: L.nn.Linear(1, 1)), r"before Module.__init__"),
        "buffer_before_init": (lambda L: early(L, lambda L: L.nn.Buffer(L.ones(1))), r"before Module.__init__"),
    },
)
ROWS += rows(
    "nn.Module.__delattr__",
    {
        "parameter": after(lambda L, m: delattr(m, "scale")),
        "none": after(lambda L, m: delattr(m, "missing")),
        "buffer": after(lambda L, m: delattr(m, "scratch")),
        "module": after(lambda L, m: delattr(m, "norm")),
        "plain": after(lambda L, m: delattr(m, "size")),
        "and_again": after(lambda L, m: (delattr(m, "scale"), setattr(m, "scale", L.nn.Parameter(L.ones(1))))),
        "temporary_and_kept": after(lambda L, m: (delattr(m, "scratch"), m.register_buffer("scratch", L.ones(1)))),
    },
)
ROWS += errors(
    "nn.Module.__delattr__",
    {"absent": (lambda L: delattr(block(L), "nothing"), r"nothing")},
)
ROWS += errors(
    "nn.Module.__getattr__",
    {
        "absent": (lambda L: block(L).weights, r"'Block' object has no attribute 'weights'"),
        "of_layer": (lambda L: L.nn.Linear(1, 1).gamma, r"'Linear' object has no attribute 'gamma'"),
    },
)
ROWS += rows(
    "nn.Module.__dir__",
    {
        "names": lambda L: [n in dir(block(L)) for n in ("scale", "seen", "inner", "size", "forward", "missing", "x")],
        "no_numbers": lambda L: [n for n in dir(L.nn.Sequential(L.nn.Tanh())) if n[0].isdigit()],
    },
)
ROWS += rows(
    "nn.Module.register_parameter",
    {
        "new": after(lambda L, m: m.register_parameter("late", L.nn.Parameter(L.ones(1)))),
        "none": after(lambda L, m: m.register_parameter("late", None)),
        "again": after(lambda L, m: m.register_parameter("scale", L.nn.Parameter(L.ones(5)))),
        "keywords": after(lambda L, m: m.register_parameter(name="late", param=None)),
    },
)
ROWS += errors(
    "nn.Module.register_parameter",
    {
        "tensor": (lambda L: block(L).register_parameter("late", L.ones(1)), r"^register_parameter.*wanted Parameter"),
        "number": (lambda L: block(L).register_parameter("late", 1.0), r"'float'"),
        "dotted": (lambda L: block(L).register_parameter("a.b", None), r"a\.b"),
        "empty": (lambda L: block(L).register_parameter("", None), r"empty"),
        "no_string": (lambda L: block(L).register_parameter(3, None), r"should be a string"),
        "taken_by_plain": (lambda L: block(L).register_parameter("size", None), r"'size' already exists"),
        "taken_by_module": (lambda L: block(L).register_parameter("inner", None), r"'inner' already exists"),
        "taken_by_buffer": (lambda L: block(L).register_parameter("seen", None), r"'seen' already exists"),
        "taken_by_method": (lambda L: block(L).register_parameter("train", None), r"'train' already exists"),
    },
)
ROWS += rows(
    "nn.Module.register_buffer",
    {
        "new": after(lambda L, m: m.register_buffer("late", L.ones(1))),
        "temporary": after(lambda L, m: m.register_buffer("late", L.ones(1), persistent=False)),
        "positional": after(lambda L, m: m.register_buffer("late", L.ones(1), False)),
        "none": after(lambda L, m: m.register_buffer("late", None)),
        "again": after(lambda L, m: m.register_buffer("seen", L.ones(5))),
        "temporary_again_kept": after(lambda L, m: m.register_buffer("scratch", L.ones(5))),
        "kept_again_temporary": after(lambda L, m: m.register_buffer("seen", L.ones(5), persistent=False)),
        "reads_back": on(
            lambda L: (
                block(L),
                L.ones(1),
            ),
            lambda L, m, t: (m.register_buffer("late", t), m.late is t),
        ),
        "no_gradient": lambda L: [b.requires_grad for b in block(L).buffers()],
        "mask": on(block, lambda L, m: (m.register_buffer("mask", L.eye(2).bool()), m.mask)),
    },
)
ROWS += errors(
    "nn.Module.register_buffer",
    {
        "number": (lambda L: block(L).register_buffer("late", 3.0), r"^register_buffer.*'float'.*wanted Tensor"),
        "array": (lambda L: block(L).register_buffer("late", np.ones(2)), r"'ndarray'"),
        "dotted": (lambda L: block(L).register_buffer("a.b", L.ones(1)), r"a\.b"),
        "empty": (lambda L: block(L).register_buffer("", L.ones(1)), r"empty"),
        "no_string": (lambda L: block(L).register_buffer(None, L.ones(1)), r"should be a string"),
        "taken_by_parameter": (lambda L: block(L).register_buffer("scale", L.ones(1)), r"'scale' already exists"),
        "taken_by_plain": (lambda L: block(L).register_buffer("size", L.ones(1)), r"'size' already exists"),
        "taken_by_module": (lambda L: block(L).register_buffer("norm", L.ones(1)), r"'norm' already exists"),
    },
)
for alias in ("add_module", "register_module"):
    ROWS += rows(
        f"nn.Module.{alias}",
        {
            "new": after(lambda L, m, alias=alias: getattr(m, alias)("late", L.nn.Tanh())),
            "none": after(lambda L, m, alias=alias: getattr(m, alias)("late", None)),
            "again": after(lambda L, m, alias=alias: getattr(m, alias)("inner", L.nn.Tanh())),
        },
    )
    ROWS += errors(
        f"nn.Module.{alias}",
        {
            "number": (lambda L, alias=alias: getattr(block(L), alias)("late", 3), r"^add_module.*'int'"),
            "class": (lambda L, alias=alias: getattr(block(L), alias)("late", L.nn.Tanh), r"'type'"),
            "dotted": (lambda L, alias=alias: getattr(block(L), alias)("a.b", L.nn.Tanh()), r"a\.b"),
            "empty": (lambda L, alias=alias: getattr(block(L), alias)("", L.nn.Tanh()), r"empty"),
            "no_string": (lambda L, alias=alias: getattr(block(L), alias)(0, L.nn.Tanh()), r"should be a string"),
            "taken": (lambda L, alias=alias: getattr(block(L), alias)("scale", L.nn.Tanh()), r"'scale' already"),
        },
    )
ROWS += rows(
    "nn.Module._modules",
    {
        "names": lambda L: list(nested(L)._modules),
        "with_none": on(block, lambda L, m: (setattr(m, "inner", None), [n for n in m._modules], m._modules["inner"])),
        "parameters": lambda L: {n: p for n, p in block(L)._parameters.items()},
        "buffers": lambda L: {n: b for n, b in block(L)._buffers.items()},
        "written": after(lambda L, m: m._modules.update({"9": L.nn.Linear(1, 1)})),
        "written_parameter": after(lambda L, m: m._parameters.update({"late": L.nn.Parameter(L.ones(1))})),
        "deleted": after(lambda L, m: m._modules.pop("norm")),
        "length": lambda L: (len(block(L)._modules), "inner" in block(L)._modules, "scale" in block(L)._modules),
    },
)

# ---- modes


def flags(m):
    """The train flag of every module."""
    return [inner.training for inner in m.modules()]


def stubborn(L):
    """A model with a part that stays in eval mode."""

    class Frozen(L.nn.BatchNorm1d):
        def train(self, mode=True):
            return super().train(False)

    return L.nn.Sequential(L.nn.Linear(2, 2), L.nn.Sequential(Frozen(2)), L.nn.Dropout())


ROWS += rows(
    "nn.Module.train",
    {
        "nested": lambda L: flags(nested(L).eval().train()),
        "off": lambda L: flags(nested(L).train(False)),
        "self": on(block, lambda L, m: m.train() is m),
        "one_part": on(nested, lambda L, m: (m.body.eval(), flags(m))),
        "overridden": lambda L: flags(stubborn(L).train()),
        "keyword": lambda L: block(L).train(mode=False).training,
    },
)
ROWS += errors(
    "nn.Module.train",
    {
        "number": (lambda L: block(L).train(1), r"^train: .*boolean.*1"),
        "none": (lambda L: block(L).train(None), r"boolean"),
        "text": (lambda L: block(L).train("no"), r"boolean"),
    },
)
ROWS += rows(
    "nn.Module.eval",
    {
        "nested": lambda L: flags(nested(L).eval()),
        "self": on(block, lambda L, m: m.eval() is m),
        "statistics_rest": on(block, lambda L, m: (m.eval()(tensor(L, 3, 2, dtype="float32")), list(m.buffers()))),
        "gradients_flow": on(block, lambda L, m: m.eval()(L.ones(3, 2)).requires_grad),
    },
)
ROWS += rows(
    "nn.Module.requires_grad_",
    {
        "off": lambda L: [p.requires_grad for p in block(L).requires_grad_(False).parameters()],
        "on": lambda L: [p.requires_grad for p in block(L).requires_grad_().parameters()],
        "part": on(block, lambda L, m: (m.inner.requires_grad_(False), [p.requires_grad for p in m.parameters()])),
        "self": on(block, lambda L, m: m.requires_grad_(False) is m),
        "output": lambda L: block(L).requires_grad_(False)(L.ones(3, 2)).requires_grad,
        "buffers_untouched": lambda L: [b.requires_grad for b in block(L).requires_grad_().buffers()],
    },
)


def zeroed(L, **options):
    """Gradients of a trained block after zero_grad, and the gradient that was held before."""
    m = block(L).double()
    (m(tensor(L, 4, 2)) * tensor(L, 4, 2, seed=1)).sum().backward()
    held = m.scale.grad
    m.zero_grad(**options)
    return [p.grad for p in m.parameters()], (held != 0).any()


ROWS += rows(
    "nn.Module.zero_grad",
    {
        "none": zeroed,
        "zeros": lambda L: zeroed(L, set_to_none=False),
        "before_any": lambda L: [block(L).zero_grad(), block(L).zero_grad(set_to_none=False)],
        "returns_none": lambda L: block(L).zero_grad(True),
    },
)


def adds_up(L):
    """Two backward walks without and with zero_grad between."""
    m = L.nn.Linear(2, 1, bias=False).double()
    x = tensor(L, 3, 2)
    results = []
    for _ in range(3):
        m(x).sum().backward()
        results.append(m.weight.grad.clone())
    m.zero_grad()
    m(x).sum().backward()
    return [*results, m.weight.grad]


ROWS += rows("nn.Module.zero_grad", {"else_they_add_up": adds_up})
ROWS += rows(
    "nn.Module.apply",
    {
        "order": on(
            lambda L: (
                [],
                nested(L),
            ),
            lambda L, seen, m: (m.apply(lambda i: seen.append(type(i).__name__)), seen)[1],
        ),
        "self": on(block, lambda L, m: m.apply(lambda inner: None) is m),
        "initialise": lambda L: list(
            block(L).apply(lambda m: L.nn.init.ones_(m.weight) if isinstance(m, L.nn.Linear) else None).parameters()
        ),
    },
)
ROWS += errors("nn.Module.apply", {"no_function": (lambda L: block(L).apply(3), r"not callable")})

# ---- moves

ROWS += rows(
    "nn.Module.to",
    {
        "dtype": lambda L: dtypes(block(L).to(L.float64)),
        "dtype_keyword": lambda L: dtypes(block(L).to(dtype=L.float64)),
        "float16": lambda L: dtypes(block(L).to(L.float16)),
        "device": lambda L: dtypes(block(L).to("cpu")),
        "device_object": lambda L: dtypes(block(L).to(L.device("cpu"))),
        "device_keyword": lambda L: dtypes(block(L).to(device="cpu")),
        "device_and_dtype": lambda L: dtypes(block(L).to("cpu", L.float64)),
        "device_none": lambda L: dtypes(block(L).to(None)),
        "nothing": lambda L: dtypes(block(L).to()),
        "non_blocking": lambda L: dtypes(block(L).to("cpu", non_blocking=True)),
        "non_blocking_positional": lambda L: dtypes(block(L).to("cpu", L.float64, True)),
        "dtype_non_blocking": lambda L: dtypes(block(L).to(L.float64, True)),
        "like_a_tensor": lambda L: dtypes(block(L).to(tensor(L, 1))),
        "tensor_keyword": lambda L: dtypes(block(L).to(tensor=tensor(L, 1))),
        "self": on(block, lambda L, m: m.to(L.float64) is m),
        "keeps_parameters": on(lambda L: with_scale(block(L)), lambda L, m, p: m.to(L.float64).scale is p),
        "keeps_leaves": lambda L: [(p.is_leaf, p.requires_grad) for p in block(L).to(L.float64).parameters()],
        "keeps_sharing": on(
            lambda L: nested(L).double(), lambda L, m: (m.tied is m.body[2].scale, m.again is m.body[0])
        ),
        "buffer_in_use": on(lambda L: block(L).to(L.float64), lambda L, m: m(tensor(L, 5, 2)).dtype),
    },
)


def moved_gradients(L):
    """Gradients after a move: they move along."""
    m = L.nn.Linear(2, 2)
    m(L.ones(1, 2)).sum().backward()
    m.to(L.float64)
    return m.weight.grad.dtype, m.bias.grad


ROWS += rows("nn.Module.to", {"gradients": moved_gradients})
ROWS += errors(
    "nn.Module.to",
    {
        "integers": (lambda L: block(L).to(L.int64), r"only accepts floating point dtypes.*int64"),
        "bool": (lambda L: block(L).to(dtype=L.bool), r"only accepts floating point"),
        "text": (lambda L: block(L).to("float32"), r"float32"),
        "like_integers": (lambda L: block(L).to(L.tensor([1])), r"only accepts floating point"),
        "unknown_keyword": (lambda L: block(L).to(kind="cpu"), r"kind"),
    },
)
ROWS += rows(
    "nn.Module.cpu",
    {"dtypes": lambda L: dtypes(block(L).cpu()), "self": on(block, lambda L, m: m.cpu() is m)},
)
ROWS += rows(
    "nn.Module.cuda",
    {
        "where_there_is_one": lambda L: dtypes(block(L).cuda()) if L.cuda.is_available() else "no GPU",
        "back": lambda L: dtypes(block(L).cuda(0).cpu()) if L.cuda.is_available() else "no GPU",
    },
)
ROWS += rows(
    "nn.Module.float",
    {
        "dtypes": lambda L: dtypes(block(L).double().float()),
        "values": lambda L: list(block(L).double().float().parameters()),
    },
)
ROWS += rows(
    "nn.Module.double",
    {"dtypes": lambda L: dtypes(block(L).double()), "values": lambda L: list(nested(L).double().parameters())},
)
ROWS += rows(
    "nn.Module.half",
    {"dtypes": lambda L: dtypes(block(L).half()), "values": lambda L: list(block(L).half().parameters())},
)
ROWS += rows(
    "nn.Module.type",
    {
        "dtype": lambda L: dtypes(block(L).type(L.float64)),
        "integers_too": lambda L: dtypes(L.nn.BatchNorm1d(2).type(L.float32)),
    },
)
ROWS += rows(
    "nn.Module.to_empty",
    {"shapes": lambda L: [(tuple(t.shape), t.dtype) for t in block(L).to_empty(device="cpu").parameters()]},
)
ROWS += errors("nn.Module.to_empty", {"no_device": (lambda L: block(L).to_empty(), r"device")})

# ---- state


def missing_count(L, state):
    """Load a state into a BatchNorm1d whose counter stands at 7."""
    m = L.nn.BatchNorm1d(2)
    m.num_batches_tracked.fill_(7)
    return m.load_state_dict(state(L, m)), list(m.buffers())


def plain_without_count(L, m):
    """A plain dict, as other programs write it."""
    return {key: value + 1 for key, value in m.state_dict().items() if key != "num_batches_tracked"}


def versioned_without_count(L, m, version=2):
    """A dict of PyTorch's with the counter taken out."""
    state = m.state_dict()
    del state["num_batches_tracked"]
    state._metadata[""]["version"] = version
    return state


ROWS += rows(
    "nn.Module.state_dict",
    {
        "values": lambda L: dict(block(L).state_dict()),
        "keys": lambda L: list(nested(L).state_dict()),
        "prefix": lambda L: list(block(L).state_dict(prefix="net.")),
        "destination": on(lambda L: {"first": 1}, lambda L, d: (block(L).state_dict(destination=d) is d, list(d))),
        "keep_vars": on(block, lambda L, m: m.state_dict(keep_vars=True)["scale"] is m.scale),
        "detached": lambda L: [(t.requires_grad, t.is_leaf) for t in block(L).state_dict().values()],
        "shares_memory": on(block, lambda L, m: (m.state_dict()["scale"].zero_(), m.scale)),
        "empty": lambda L: dict(L.nn.Tanh().state_dict()),
        "ordered": lambda L: isinstance(block(L).state_dict(), dict),
        "metadata": lambda L: {k: dict(v) for k, v in nested(L).state_dict()._metadata.items()},
        "metadata_prefix": lambda L: list(block(L).state_dict(prefix="net.")._metadata),
        "shared": on(lambda L: nested(L).state_dict(), lambda L, s: (s["tied"].zero_(), s["body.2.scale"])),
        "copied": lambda L: dict(copy.deepcopy(block(L).state_dict())),
        "clones": lambda L: {k: v.clone() for k, v in block(L).state_dict().items()},
    },
)


def loaded(L, change, **options):
    """What loading a changed state gives, and the module's state afterwards."""
    m, other = block(L), block(L)
    state = {key: value + 1 for key, value in other.state_dict().items()}
    change(L, state)
    result = m.load_state_dict(state, **options)
    return result.missing_keys, result.unexpected_keys, dict(m.state_dict())


def without(*keys):
    """A change of a state: these keys are gone."""
    return lambda L, state: [state.pop(key) for key in keys]


def with_(**more):
    """A change of a state: these keys (with _ for .) are new or other."""
    return lambda L, state: state.update({key.replace("__", "."): make(L) for key, make in more.items()})


nothing = without()
ROWS += rows(
    "nn.Module.load_state_dict",
    {
        "all": lambda L: loaded(L, nothing),
        "text": lambda L: str(block(L).load_state_dict(block(L).state_dict())),
        "text_of_difference": lambda L: str(block(L).load_state_dict({}, strict=False)),
        "tuple": lambda L: tuple(block(L).load_state_dict(block(L).state_dict())),
        "missing_not_strict": lambda L: loaded(L, without("scale", "norm.weight"), strict=False),
        "unexpected_not_strict": lambda L: loaded(
            L, with_(more=lambda L: L.ones(1), inner__x=lambda L: L.ones(1)), strict=False
        ),
        "unexpected_order": lambda L: loaded(
            L,
            lambda L, s: s.update({"inner.z": L.ones(1), "b": L.ones(1), "no.x": L.ones(1), "a": L.ones(1)}),
            strict=False,
        )[1],
        "deeper_than_there_is": lambda L: loaded(L, with_(scale__x=lambda L: L.ones(1)), strict=False)[1],
        "temporary_buffer_not_strict": lambda L: loaded(L, with_(scratch=lambda L: L.ones(1)), strict=False)[1],
        "none_parameter_not_strict": lambda L: loaded(L, with_(missing=lambda L: L.ones(1)), strict=False)[1],
        "empty_not_strict": lambda L: tuple(L.nn.Linear(1, 1).load_state_dict({}, False)),
        "double_into_float": lambda L: loaded(L, with_(scale=lambda L: tensor(L, 2))),
        "integers_into_float": lambda L: loaded(L, with_(scale=lambda L: L.tensor([3, 4]))),
        "float_into_integers": lambda L: loaded(L, lambda L, s: s.update({"norm.num_batches_tracked": L.tensor(3.7)})),
        "requires_grad_of_source": lambda L: loaded(L, with_(scale=lambda L: tensor(L, 2, grad=True))),
        "non_contiguous": lambda L: loaded(L, lambda L, s: s.update({"inner.weight": tensor(L, 2, 2).T})),
        "one_element_into_none": lambda L: loaded(
            L, lambda L, s: s.update({"norm.num_batches_tracked": L.tensor([9])})
        ),
        "keeps_objects": on(
            lambda L: with_scale(block(L)), lambda L, m, p: (m.load_state_dict(block(L).state_dict()), m.scale is p)[1]
        ),
        "keeps_flags": on(block, lambda L, m: (m.load_state_dict(block(L).state_dict()), m.frozen.requires_grad)[1]),
        "assign": lambda L: loaded(L, nothing, assign=True),
        "assign_dtype": lambda L: loaded(L, with_(scale=lambda L: tensor(L, 2)), assign=True),
        "assign_shares": on(
            lambda L: (
                block(L),
                block(L).state_dict(),
            ),
            lambda L, m, s: (m.load_state_dict(s, assign=True), s["scale"].zero_(), m.scale)[2],
        ),
        "assign_is_parameter": on(
            block,
            lambda L, m: (
                (
                    m.load_state_dict(block(L).state_dict(), assign=True),
                    type(m.scale).__name__,
                    m.frozen.requires_grad,
                )
            )[1:],
        ),
        "nested": on(
            nested,
            lambda L, m: (
                (m.load_state_dict({k: v + 1 for k, v in nested(L).state_dict().items()}), list(m.parameters()))
            )[1],
        ),
        "count_missing_in_plain_dict": lambda L: missing_count(L, plain_without_count),
        "count_missing_in_version_1": lambda L: missing_count(L, lambda L, m: versioned_without_count(L, m, 1)),
        "count_missing_in_version_none": lambda L: missing_count(L, lambda L, m: versioned_without_count(L, m, None)),
        "count_missing_nested": lambda L: loaded(L, without("norm.num_batches_tracked")),
        "from_an_untracked": lambda L: tuple(
            L.nn.BatchNorm1d(2).load_state_dict(
                L.nn.BatchNorm1d(2, track_running_stats=False).state_dict(), strict=False
            )
        ),
        "dict_unchanged": on(
            lambda L: plain_without_count(L, L.nn.BatchNorm1d(2)),
            lambda L, s: ((L.nn.BatchNorm1d(2).load_state_dict(s), list(s)))[1],
        ),
    },
)
ROWS += errors(
    "nn.Module.load_state_dict",
    {
        "missing": (lambda L: loaded(L, without("scale")), r"Block:\n\tMissing key\(s\) in state_dict: 'scale'"),
        "unexpected": (lambda L: loaded(L, with_(more=lambda L: L.ones(1))), r"Unexpected key\(s\).*'more'"),
        "size": (
            lambda L: loaded(L, with_(scale=lambda L: L.ones(3))),
            r"size mismatch for scale: .*\[3\].*current model is torch.Size\(\[2\]\)",
        ),
        "all_at_once": (
            lambda L: loaded(
                L, lambda L, s: (s.pop("frozen"), s.update({"more": L.ones(1), "scale": L.ones(7), "seen": L.ones(1)}))
            ),
            r"Missing.*'frozen'.*Unexpected.*'more'.*mismatch for scale.*mismatch for seen",
        ),
        "size_not_strict": (lambda L: loaded(L, with_(scale=lambda L: L.ones(3)), strict=False), r"mismatch for scale"),
        "rank": (lambda L: loaded(L, with_(scale=lambda L: L.ones(2, 1))), r"mismatch for scale"),
        "array": (
            lambda L: loaded(L, with_(scale=lambda L: np.ones(2))),
            r'"scale".*wanted|expected a Tensor.*numpy.ndarray',
        ),
        "number": (lambda L: loaded(L, with_(scale=lambda L: 3.0)), r"expected a Tensor.*builtins.float"),
        "none": (lambda L: loaded(L, with_(scale=lambda L: None)), r"got a builtins.NoneType"),
        "key_of_a_none": (lambda L: loaded(L, with_(missing=lambda L: L.ones(1))), r"Unexpected.*'missing'"),
        "temporary_buffer": (lambda L: loaded(L, with_(scratch=lambda L: L.ones(1))), r"Unexpected.*'scratch'"),
        "list": (lambda L: block(L).load_state_dict([1, 2]), r"^load_state_dict: expected .* dict-like, got list"),
        "none_at_all": (lambda L: block(L).load_state_dict(None), r"got NoneType"),
        "model": (lambda L: block(L).load_state_dict(block(L)), r"got Block"),
        "count_missing_in_version_2": (
            lambda L: missing_count(L, versioned_without_count),
            r"Missing.*'num_batches_tracked'",
        ),
        "with_module_prefix": (
            lambda L: block(L).load_state_dict({f"module.{k}": v for k, v in block(L).state_dict().items()}),
            r"Missing.*'scale'.*Unexpected.*'module\.scale'",
        ),
        "assign_size": (lambda L: loaded(L, with_(scale=lambda L: L.ones(3)), assign=True), r"mismatch for scale"),
    },
)


def with_extra_state(L):
    """A model inside which is a module with state that is no tensor."""

    class Counter(L.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = L.nn.Parameter(L.ones(1))
            self.count = 0

        def get_extra_state(self):
            return {"count": self.count}

        def set_extra_state(self, state):
            self.count = state["count"]

    return L.nn.Sequential(Counter(), L.nn.Linear(1, 1, bias=False))


def extra_loaded(L, change=nothing, **options):
    """The count and the differences after loading a state in which it is 5."""
    m, other = with_extra_state(L), with_extra_state(L)
    other[0].count = 5
    state = other.state_dict()
    change(L, state)
    return tuple(m.load_state_dict(state, **options)), m[0].count


ROWS += rows(
    "nn.Module.get_extra_state",
    {
        "in_state_dict": on(with_extra_state, lambda L, m: list(m.state_dict())),
        "value": lambda L: with_extra_state(L).state_dict()["0._extra_state"],
        "loaded": extra_loaded,
        "missing_not_strict": lambda L: extra_loaded(L, without("0._extra_state"), strict=False),
    },
)
ROWS += errors(
    "nn.Module.get_extra_state",
    {
        "missing": (lambda L: extra_loaded(L, without("0._extra_state")), r"Missing.*'0\._extra_state'"),
        "unexpected": (
            lambda L: block(L).load_state_dict({**block(L).state_dict(), "_extra_state": 3}),
            r"Unexpected.*'_extra_state'",
        ),
        "none": (lambda L: block(L).get_extra_state(), r"^get_extra_state: Block has none"),
        "set_none": (lambda L: block(L).set_extra_state(3), r"^set_extra_state: Block has none"),
    },
)

# ---- copies


def twin(L, copier):
    """A trained model and its copy after the original has changed: values, gradients, flags, sharing."""
    m = nested(L).double().eval()
    m(tensor(L, 3, 2)).sum().backward()
    other = copier(m)
    with L.no_grad():
        m.body[0].scale.zero_()
    return (
        dict(other.state_dict()),
        [p.requires_grad for p in other.parameters()],
        flags(other),
        other.again is other.body[0],
        other.tied is other.body[2].scale,
        names(other.named_parameters()),
    )


ROWS += rows(
    "nn.Module.__deepcopy__",
    {
        "model": lambda L: twin(L, copy.deepcopy),
        "no_gradients": on(
            lambda L: block(L).double(),
            lambda L, m: (m(tensor(L, 4, 2)).sum().backward(), [p.grad for p in copy.deepcopy(m).parameters()])[1],
        ),
        "layer": on(lambda L: L.nn.Linear(1, 1), lambda L, m: copy.deepcopy(m).weight is not m.weight),
        "list_of_copies": lambda L: len({id(p) for m in [copy.deepcopy(L.nn.Tanh()) for _ in range(3)] for p in [m]}),
        "shallow": on(block, lambda L, m: copy.copy(m).scale is m.scale),
        "hooks_go_along": on(
            lambda L: L.nn.Tanh(),
            lambda L, m: (m.register_forward_hook(lambda m, x, y: y * 2), copy.deepcopy(m)(L.ones(1)))[1],
        ),
    },
)
ROWS += rows(
    "nn.Module.__setstate__",
    {
        "pickle": on(
            lambda L: L.nn.Sequential(L.nn.Linear(1, 2, bias=False), L.nn.BatchNorm1d(2)).apply(
                lambda m: L.nn.init.ones_(m.weight) if isinstance(m, L.nn.Linear) else None
            ),
            lambda L, m: dict(pickle.loads(pickle.dumps(m)).state_dict()),
        ),
        "works": lambda L: pickle.loads(pickle.dumps(L.nn.Sequential(L.nn.Tanh())))(tensor(L, 3)),
    },
)

# ---- calling and hooks


class Log(list):
    """Notes what hooks saw."""

    def hook(self, name, result=None):
        """A hook that notes its name and the arguments after the module, and returns `result`."""

        def note(module, *seen):
            self.append((name, type(module).__name__, *seen))
            return result(*seen) if callable(result) else result

        return note


def called(L, register, run=None, model=None):
    """The result of a call with hooks that `register`(module, log) has put there, what they saw, and gradients."""
    m, log = (model or (lambda L: L.nn.Tanh()))(L), Log()
    handles = register(m, log)
    x = tensor(L, 2, 3, grad=True)
    y = run(m, x, handles) if run else m(x)
    return gradients(L, y, x) if y is not None else None, list(log)


def two_ways(L):
    """A module with two inputs and two outputs."""

    class TwoWays(L.nn.Module):
        def forward(self, a, b=2.0, *, scale=1.0):
            return a * b * scale, a + 1

    return TwoWays()


def no_forward(L):
    """A module without forward."""

    class NoForward(L.nn.Module):
        pass

    return NoForward()


ROWS += rows(
    "nn.Module.__call__",
    {
        "keywords": lambda L: two_ways(L)(tensor(L, 2), b=tensor(L, 2, seed=1), scale=3.0),
        "calls_forward": lambda L: block(L).eval()(L.ones(1, 2), shift=2.0) - block(L).eval().forward(L.ones(1, 2)),
    },
)
ROWS += errors(
    "nn.Module.__call__",
    {
        "no_forward": (lambda L: no_forward(L)(1), r"NoForward.*missing the required .forward. function"),
        "too_few": (lambda L: two_ways(L)(), r"missing 1 required positional argument"),
        "init_forgotten": (
            lambda L: type("Bare", (L.nn.Module,), {"__init__": lambda self: None, "forward": lambda self, x: x})()(1),
            r"Bare.*no attribute",
        ),
    },
)


def remove_first(m, log):
    """Two equal hooks, of which the first is removed."""
    hook = log.hook("a")
    first = m.register_forward_hook(hook)
    m.register_forward_hook(hook)
    first.remove()
    first.remove()


def handle_as_context(L):
    """A hook that is there inside a block."""
    m, log = L.nn.Tanh(), Log()
    with m.register_forward_hook(log.hook("inside")):
        m(L.ones(1))
    m(L.ones(1))
    return list(log)


def removes_itself(L):
    """Hooks that take themselves off."""
    m, seen, handles = L.nn.Tanh(), [], []

    def once(module, args, output):
        seen.append(1)
        handles.pop().remove()

    for _ in range(3):
        handles.append(m.register_forward_hook(once))
    m(L.ones(1))
    m(L.ones(1))
    return seen


ROWS += rows(
    "nn.Module.register_forward_hook",
    {
        "sees": lambda L: called(L, lambda m, log: m.register_forward_hook(log.hook("f"))),
        "replaces": lambda L: called(L, lambda m, log: m.register_forward_hook(log.hook("f", lambda x, y: y * 2))),
        "in_order": lambda L: called(
            L,
            lambda m, log: [
                m.register_forward_hook(log.hook("first", lambda x, y: y + 1)),
                m.register_forward_hook(log.hook("second", lambda x, y: y * 3)),
            ],
        ),
        "prepend": lambda L: called(
            L,
            lambda m, log: [
                m.register_forward_hook(log.hook("first", lambda x, y: y + 1)),
                m.register_forward_hook(log.hook("second", lambda x, y: y * 3), prepend=True),
            ],
        ),
        "with_kwargs": lambda L: called(
            L,
            lambda m, log: m.register_forward_hook(log.hook("f", lambda a, k, y: (y[0] * 2, k)), with_kwargs=True),
            run=lambda m, x, handle: m(x, scale=2.0)[0],
            model=two_ways,
        ),
        "tuple_output": lambda L: called(
            L, lambda m, log: m.register_forward_hook(log.hook("f")), run=lambda m, x, h: m(x)[1], model=two_ways
        ),
        "removed": lambda L: called(
            L,
            lambda m, log: m.register_forward_hook(log.hook("f")),
            run=lambda m, x, h: (h.remove(), h.remove(), m(x))[2],
        ),
        "equal_hooks": lambda L: called(L, remove_first),
        "context": handle_as_context,
        "removes_itself": removes_itself,
        "inside_a_model": lambda L: called(
            L,
            lambda m, log: m[0].register_forward_hook(log.hook("f")),
            model=lambda L: L.nn.Sequential(L.nn.Tanh(), L.nn.ReLU()),
        ),
        "not_by_forward": lambda L: called(
            L, lambda m, log: m.register_forward_hook(log.hook("f")), run=lambda m, x, h: m.forward(x)
        ),
        "activations": on(
            lambda L: (
                L.nn.Sequential(L.nn.Tanh(), L.nn.Sigmoid()),
                [],
            ),
            lambda L, m, kept: (
                [c.register_forward_hook(lambda c, x, y: kept.append(y.detach())) for c in m],
                m(tensor(L, 2, 3)),
                kept,
            )[1:],
        ),
        "always_call_normally": lambda L: called(
            L, lambda m, log: m.register_forward_hook(log.hook("f"), always_call=True)
        ),
    },
)


def failing(L, always_call, hook_fails=False):
    """What hooks of a module see whose forward raises."""
    m, log = no_forward(L), Log()
    m.register_forward_hook(log.hook("sometimes"))
    m.register_forward_hook(log.hook("always", (lambda *a: 1 / 0) if hook_fails else None), always_call=always_call)
    try:
        m(1)
    except NotImplementedError:
        return list(log)


def raising(*seen):
    """A hook's result that is an error."""
    raise ZeroDivisionError("hook")


ROWS += rows(
    "nn.Module.register_forward_hook",
    {
        "always_call_on_errors": lambda L: failing(L, True),
        "not_on_errors": lambda L: failing(L, False),
        "always_call_that_fails": lambda L: failing(L, True, True),
    },
)
ROWS += errors(
    "nn.Module.register_forward_hook",
    {
        "raises": (lambda L: called(L, lambda m, log: m.register_forward_hook(log.hook("f", raising))), r"hook"),
        "no_function": (lambda L: called(L, lambda m, log: m.register_forward_hook(3)), r"not callable"),
        "positional_option": (lambda L: L.nn.Tanh().register_forward_hook(len, True), r"positional"),
    },
)
ROWS += rows(
    "nn.Module.register_forward_pre_hook",
    {
        "sees": lambda L: called(L, lambda m, log: m.register_forward_pre_hook(log.hook("p"))),
        "replaces": lambda L: called(L, lambda m, log: m.register_forward_pre_hook(log.hook("p", lambda x: x[0] * 2))),
        "replaces_by_tuple": lambda L: called(
            L, lambda m, log: m.register_forward_pre_hook(log.hook("p", lambda x: (x[0] * 2,)))
        ),
        "in_order": lambda L: called(
            L,
            lambda m, log: [
                m.register_forward_pre_hook(log.hook("1", lambda x: x[0] + 1)),
                m.register_forward_pre_hook(log.hook("2", lambda x: x[0] * 3)),
                m.register_forward_hook(log.hook("3")),
            ],
        ),
        "prepend": lambda L: called(
            L,
            lambda m, log: [
                m.register_forward_pre_hook(log.hook("1", lambda x: x[0] + 1)),
                m.register_forward_pre_hook(log.hook("2", lambda x: x[0] * 3), prepend=True),
            ],
        ),
        "with_kwargs": lambda L: called(
            L,
            lambda m, log: m.register_forward_pre_hook(
                log.hook("p", lambda a, k: (a, {**k, "scale": 5.0})), with_kwargs=True
            ),
            run=lambda m, x, h: m(x, b=3.0)[0],
            model=two_ways,
        ),
        "with_kwargs_none": lambda L: called(
            L,
            lambda m, log: m.register_forward_pre_hook(log.hook("p"), with_kwargs=True),
            run=lambda m, x, h: m(x, b=3.0)[0],
            model=two_ways,
        ),
        "more_arguments": lambda L: called(
            L,
            lambda m, log: m.register_forward_pre_hook(log.hook("p", lambda x: (x[0], 4.0))),
            run=lambda m, x, h: m(x)[0],
            model=two_ways,
        ),
        "removed": lambda L: called(
            L, lambda m, log: m.register_forward_pre_hook(log.hook("p")), run=lambda m, x, h: (h.remove(), m(x))[1]
        ),
    },
)
ROWS += errors(
    "nn.Module.register_forward_pre_hook",
    {
        "with_kwargs_wrong": (
            lambda L: called(L, lambda m, log: m.register_forward_pre_hook(log.hook("p", 3), with_kwargs=True)),
            r"must return None or a tuple of \(new_args, new_kwargs\)",
        ),
        "raises": (lambda L: called(L, lambda m, log: m.register_forward_pre_hook(log.hook("p", raising))), r"hook"),
    },
)


def backward_seen(L, model, inputs, pick=lambda y: y, hook=None, pre=None, kwargs=None):
    """What backward hooks see, and the gradients that arrive, for a call of a module with several inputs."""
    m, log = model(L), Log()
    if pre is not None:
        m.register_full_backward_pre_hook(log.hook("pre", pre))
    m.register_full_backward_hook(log.hook("full", hook))
    xs = inputs(L)
    y = pick(m(*xs, **(kwargs or {})))
    leaves = [x for x in xs if hasattr(x, "requires_grad") and x.requires_grad]
    if y.requires_grad:
        (y * tensor(L, *y.shape, seed=5)).sum().backward()
    return list(log), [x.grad for x in leaves], [p.grad for p in m.parameters()]


def product(L):
    """A module of two inputs and one output."""

    class Product(L.nn.Module):
        def forward(self, a, b=None, c=0.0):
            return a * 2 if b is None else a * b + c

    return Product()


def one(L):
    """One input that requires grad."""
    return [tensor(L, 2, 3, grad=True)]


Halves = namedtuple("Halves", ["lower", "upper"])


def both(L):
    """Two inputs that require grad."""
    return [tensor(L, 2, 3, grad=True), tensor(L, 2, 3, seed=1, grad=True)]


def first(y):
    """The first of two outputs."""
    return y[0]


def double_linear(L):
    """A linear layer in float64."""
    return L.nn.Linear(3, 2, bias=False).double().apply(lambda m: L.nn.init.ones_(m.weight))


def changes_in_place(L):
    """A module whose output is written into afterwards."""
    m, log, x = product(L), Log(), tensor(L, 2, grad=True)
    m.register_full_backward_hook(log.hook("full"))
    y = m(x) * 1
    y += 1
    y.sum().backward()
    return list(log), x.grad


def twice(L):
    """One module called twice in one graph, and a second walk over a kept graph."""
    m, log, x = L.nn.Tanh(), Log(), tensor(L, 2, grad=True)
    m.register_full_backward_hook(log.hook("full"))
    y = m(m(x)).sum()
    y.backward(retain_graph=True)
    y.backward()
    return list(log), x.grad


def in_training(L):
    """Gradient norms of all layers by hooks, in a small training step."""
    m = L.nn.Sequential(
        double_linear(L), L.nn.Tanh(), L.nn.Linear(2, 1).double().apply(lambda l: L.nn.init.ones_(l.weight))
    )
    log = Log()
    for layer in m:
        layer.register_full_backward_hook(log.hook("norm"))
    m[2].bias.data.zero_()
    (m(tensor(L, 4, 3)) ** 2).mean().backward()
    return list(log), [p.grad for p in m.parameters()]


ROWS += rows(
    "nn.Module.register_full_backward_hook",
    {
        "one_input": lambda L: backward_seen(L, lambda L: L.nn.Tanh(), one),
        "two_inputs": lambda L: backward_seen(L, product, both),
        "input_without_grad": lambda L: backward_seen(L, product, lambda L: [*one(L), tensor(L, 2, 3, seed=1)]),
        "no_input_with_grad": lambda L: backward_seen(L, double_linear, lambda L: [tensor(L, 4, 3)]),
        "layer": lambda L: backward_seen(L, double_linear, one),
        "number_among_inputs": lambda L: backward_seen(L, product, lambda L: [*both(L), 3.0]),
        "none_among_inputs": lambda L: backward_seen(L, product, lambda L: [*one(L), None]),
        "keyword_input": lambda L: backward_seen(L, product, one, kwargs={"b": tensor(L, 2, 3, seed=1)}),
        "integer_input": lambda L: backward_seen(L, product, lambda L: [*one(L), L.tensor([1, 2, 3])]),
        "two_outputs_first": lambda L: backward_seen(L, two_ways, one, pick=first),
        "two_outputs_both": lambda L: backward_seen(L, two_ways, one, pick=lambda y: y[0] + y[1]),
        "unused_input": lambda L: backward_seen(L, two_ways, both, pick=lambda y: y[1]),
        "replaces": lambda L: backward_seen(L, lambda L: L.nn.Tanh(), one, hook=lambda dx, dy: (dx[0] * 2,)),
        "replaces_by_list": lambda L: backward_seen(L, lambda L: L.nn.Tanh(), one, hook=lambda dx, dy: [dx[0] * 2]),
        "replaces_one": lambda L: backward_seen(L, product, both, hook=lambda dx, dy: (dx[0] * 0, dx[1])),
        "replaces_by_none": lambda L: backward_seen(L, product, both, hook=lambda dx, dy: (None, dx[1])),
        "parameters_unchanged": lambda L: backward_seen(L, double_linear, one, hook=lambda dx, dy: (dx[0] * 0,)),
        "none_for_no_inputs": lambda L: backward_seen(
            L, double_linear, lambda L: [tensor(L, 4, 3)], hook=lambda dx, dy: (None,)
        ),
        "dict_output": lambda L: backward_seen(
            L,
            lambda L: type("D", (L.nn.Module,), {"forward": lambda self, x: {"y": x * 2}})(),
            one,
            pick=lambda y: y["y"],
        ),
        "list_output": lambda L: backward_seen(
            L, lambda L: type("D", (L.nn.Module,), {"forward": lambda self, x: [x * 2]})(), one, pick=first
        ),
        "identity": lambda L: backward_seen(L, lambda L: L.nn.Identity(), one),
        "namedtuple_output": lambda L: backward_seen(
            L,
            lambda L: type("D", (L.nn.Module,), {"forward": lambda self, x: Halves(x * 2, x.exp())})(),
            one,
            pick=lambda y: y.lower + y.upper,
        ),
        "in_order": lambda L: called(
            L,
            lambda m, log: [
                m.register_full_backward_hook(log.hook("1", lambda dx, dy: (dx[0] + 1,))),
                m.register_full_backward_hook(log.hook("2", lambda dx, dy: (dx[0] * 2,))),
            ],
        ),
        "prepend": lambda L: called(
            L,
            lambda m, log: [
                m.register_full_backward_hook(log.hook("1", lambda dx, dy: (dx[0] + 1,))),
                m.register_full_backward_hook(log.hook("2", lambda dx, dy: (dx[0] * 2,)), prepend=True),
            ],
        ),
        "removed": lambda L: called(
            L, lambda m, log: m.register_full_backward_hook(log.hook("f")), run=lambda m, x, h: (h.remove(), m(x))[1]
        ),
        "removed_after_the_call": lambda L: called(
            L, lambda m, log: m.register_full_backward_hook(log.hook("f")), run=lambda m, x, h: (m(x), h.remove())[0]
        ),
        "grad_fn": on(
            lambda L: L.nn.Tanh(),
            lambda L, m: (m.register_full_backward_hook(lambda *a: None), str(m(L.zeros(2, requires_grad=True))))[1],
        ),
        "no_grad": on(
            lambda L: (
                L.nn.Tanh(),
                Log(),
            ),
            lambda L, m, log: (m.register_full_backward_hook(log.hook("f")), with_no_grad(L, m), list(log))[1:],
        ),
        "written_into": changes_in_place,
        "twice": twice,
        "training_step": in_training,
        "with_forward_hook": lambda L: called(
            L,
            lambda m, log: [
                m.register_full_backward_hook(log.hook("b")),
                m.register_forward_hook(log.hook("f", lambda x, y: y * 2)),
                m.register_forward_pre_hook(log.hook("p", lambda x: x[0] * 3)),
            ],
        ),
    },
)


def with_no_grad(L, m):
    """A call without recording."""
    with L.no_grad():
        return m(tensor(L, 2, grad=True))


ROWS += errors(
    "nn.Module.register_full_backward_hook",
    {
        "too_many": (
            lambda L: backward_seen(L, lambda L: L.nn.Tanh(), one, hook=lambda dx, dy: (dx[0], dx[0])),
            r"invalid number of grad_input, got 2, but expected 1",
        ),
        "no_gradient_to_change": (
            lambda L: backward_seen(L, double_linear, lambda L: [tensor(L, 4, 3)], hook=lambda dx, dy: (dy[0],)),
            r"must return None",
        ),
        "raises": (lambda L: backward_seen(L, product, both, hook=raising), r"hook"),
        "wrong_shape": (
            lambda L: backward_seen(L, lambda L: L.nn.Tanh(), one, hook=lambda dx, dy: (dx[0].sum(),)),
            r"invalid gradient",
        ),
    },
)
ROWS += rows(
    "nn.Module.register_full_backward_pre_hook",
    {
        "sees": lambda L: backward_seen(L, lambda L: L.nn.Tanh(), one, pre=lambda dy: None),
        "replaces": lambda L: backward_seen(L, double_linear, one, pre=lambda dy: (dy[0] * 2,)),
        "two_outputs": lambda L: backward_seen(L, two_ways, one, pick=first, pre=lambda dy: (dy[0] * 2, dy[1])),
        "no_input_with_grad": lambda L: backward_seen(
            L, double_linear, lambda L: [tensor(L, 4, 3)], pre=lambda dy: (dy[0] * 2,)
        ),
        "alone": lambda L: called(
            L, lambda m, log: m.register_full_backward_pre_hook(log.hook("pre", lambda dy: (dy[0] * 3,)))
        ),
        "prepend": lambda L: called(
            L,
            lambda m, log: [
                m.register_full_backward_pre_hook(log.hook("1", lambda dy: (dy[0] + 1,))),
                m.register_full_backward_pre_hook(log.hook("2", lambda dy: (dy[0] * 2,)), prepend=True),
            ],
        ),
    },
)
ROWS += errors(
    "nn.Module.register_full_backward_pre_hook",
    {
        "too_many": (
            lambda L: backward_seen(L, lambda L: L.nn.Tanh(), one, pre=lambda dy: (dy[0], dy[0])),
            r"invalid number of grad_output, got 2, but expected 1",
        ),
    },
)

# ---- text


def with_extra(L, text):
    """A module with children or without, and this extra_repr."""

    class Extra(L.nn.Module):
        def __init__(self, *inside):
            super().__init__()
            for i, m in enumerate(inside):
                self.add_module(str(i), m)

        def extra_repr(self):
            return text

    return [repr(Extra()), repr(Extra(L.nn.Tanh(), Extra(L.nn.ReLU())))]


def renamed(L):
    """A module with a name of its own."""
    return repr(type("M", (L.nn.Module,), {"_get_name": lambda self: "Renamed"})())


ROWS += rows(
    "nn.Module.__repr__",
    {
        "nested": lambda L: repr(nested(L)),
        "plain": lambda L: repr(no_forward(L)),
        "extra": lambda L: with_extra(L, "size=3"),
        "extra_of_two_lines": lambda L: with_extra(L, "size=3\nkind=4"),
        "no_extra": lambda L: with_extra(L, ""),
        "none_inside": on(block, lambda L, m: (setattr(m, "inner", None), repr(m))[1]),
        "name": renamed,
        "str": lambda L: f"{L.nn.Sequential(L.nn.Linear(2, 3), L.nn.Tanh())}",
    },
)
ROWS += rows("nn.Module.extra_repr", {"layer": lambda L: L.nn.Linear(2, 3).extra_repr()})
ROWS += rows(
    "nn.Module",
    {
        "training_at_first": lambda L: no_forward(L).training,
        "hashable": lambda L: len({no_forward(L), no_forward(L)}),
        "is_instance": lambda L: isinstance(block(L), L.nn.Module),
        "census": lambda L: census(nested(L)),
        "gradients": on(
            lambda L: (
                block(L).double().eval(),
                tensor(L, 3, 2, grad=True),
            ),
            lambda L, m, x: gradients(
                L, m(x), x, *[p for p in m.parameters() if p.requires_grad and p.numel() > 1][:3]
            ),
        ),
    },
)

# ---- parameters and buffers


def under_no_grad(L):
    """Parameters require grad wherever they are made."""
    with L.no_grad():
        return L.nn.Parameter(L.ones(2))


def by_hand(L):
    """A step of gradient descent without an optimiser."""
    p = L.nn.Parameter(tensor(L, 3))
    (p**2).sum().backward()
    with L.no_grad():
        p -= 0.1 * p.grad
    return p, p.grad


ROWS += rows(
    "nn.Parameter",
    {
        "values": lambda L: L.nn.Parameter(tensor(L, 2, 3)),
        "text": lambda L: repr(L.nn.Parameter(L.ones(2))),
        "text_frozen": lambda L: repr(L.nn.Parameter(L.ones(2), requires_grad=False)),
        "flag_positional": lambda L: L.nn.Parameter(L.ones(2), False),
        "keyword": lambda L: L.nn.Parameter(data=L.ones(2)),
        "nothing": lambda L: L.nn.Parameter(),
        "shares_memory": on(lambda L: L.ones(2), lambda L, t: (L.nn.Parameter(t).data.zero_(), t)),
        "of_a_result": on(lambda L: L.nn.Parameter(tensor(L, 2, grad=True) * 2), lambda L, p: (p, p.is_leaf)),
        "of_a_parameter": on(
            lambda L: L.nn.Parameter(L.ones(2)), lambda L, p: (L.nn.Parameter(p) is p, L.nn.Parameter(p))
        ),
        "integers_frozen": lambda L: L.nn.Parameter(L.tensor([1, 2]), requires_grad=False),
        "scalar": lambda L: L.nn.Parameter(L.tensor(3.0)),
        "empty": lambda L: L.nn.Parameter(L.zeros(0, 3)),
        "is_tensor": lambda L: (
            isinstance(L.nn.Parameter(L.ones(1)), L.Tensor),
            L.is_tensor(L.nn.Parameter(L.ones(1))),
        ),
        "plain_is_none": lambda L: isinstance(L.ones(1), L.nn.Parameter),
        "results_are_plain": on(
            lambda L: L.nn.Parameter(L.ones(2)),
            lambda L, p: ([isinstance(r, L.nn.Parameter) for r in (p + 1, p.detach(), p.data, p.clone())]),
        ),
        "under_no_grad": under_no_grad,
        "gradient": on(lambda L: L.nn.Parameter(tensor(L, 3)), lambda L, p: gradients(L, p * p, p)),
        "deepcopy": on(
            lambda L: L.nn.Parameter(L.ones(2), requires_grad=False),
            lambda L, p: (copy.deepcopy(p), copy.deepcopy(p) is p, type(copy.deepcopy(p)).__name__),
        ),
        "deepcopy_without_gradient": on(
            lambda L: L.nn.Parameter(L.ones(2)), lambda L, p: ((p * 2).sum().backward(), copy.deepcopy(p).grad)
        ),
        "pickle": lambda L: pickle.loads(pickle.dumps(L.nn.Parameter(L.ones(2)))),
        "data": on(lambda L: L.nn.Parameter(L.ones(2)), lambda L, p: (setattr(p, "data", p.data * 3), p)),
        "step_by_hand": by_hand,
        "hashable": lambda L: len({L.nn.Parameter(L.ones(1)), L.nn.Parameter(L.ones(1))}),
    },
)


ROWS += errors(
    "nn.Parameter",
    {
        "integers": (lambda L: L.nn.Parameter(L.tensor([1, 2])), r"floating point"),
        "bools": (lambda L: L.nn.Parameter(L.tensor([True])), r"floating point"),
        "list": (lambda L: L.nn.Parameter([1.0, 2.0]), r"^Parameter: got list, wanted a Tensor"),
        "array": (lambda L: L.nn.Parameter(np.ones(2)), r"^Parameter: got ndarray"),
        "number": (lambda L: L.nn.Parameter(3.0), r"^Parameter: got float"),
    },
)
ROWS += rows(
    "nn.Buffer",
    {
        "values": lambda L: L.nn.Buffer(tensor(L, 2)),
        "text": lambda L: repr(L.nn.Buffer(L.ones(2))),
        "nothing": lambda L: L.nn.Buffer(),
        "persistent": lambda L: (
            L.nn.Buffer(L.ones(1)).persistent,
            L.nn.Buffer(L.ones(1), persistent=False).persistent,
        ),
        "is_buffer": lambda L: (isinstance(L.nn.Buffer(L.ones(1)), L.nn.Buffer), isinstance(L.ones(1), L.nn.Buffer)),
        "shares_memory": on(lambda L: L.ones(2), lambda L, t: (L.nn.Buffer(t).zero_(), t)),
        "integers": lambda L: L.nn.Buffer(L.tensor([1, 2])),
        "keeps_flag": lambda L: L.nn.Buffer(tensor(L, 2, grad=True)).requires_grad,
        "no_parameter": lambda L: isinstance(L.nn.Buffer(L.ones(1)), L.nn.Parameter),
    },
)
ROWS += errors(
    "nn.Buffer",
    {
        "list": (lambda L: L.nn.Buffer([1.0]), r"^Buffer: got list"),
        "positional": (lambda L: L.nn.Buffer(L.ones(1), False), r"positional"),
    },
)
