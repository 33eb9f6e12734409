"""Rows about containers: Sequential, ModuleList, ModuleDict, ParameterList."""

from collections import OrderedDict

from .table import errors, gradients, rows, tensor

ROWS = []


# ---- what rows do


def three(L):
    """Linear, Tanh, Linear, with start values that are alike."""
    L.manual_seed(5)
    return L.nn.Sequential(L.nn.Linear(2, 3), L.nn.Tanh(), L.nn.Linear(3, 1)).double()


def named(L):
    """The same kinds under names."""
    L.manual_seed(5)
    return L.nn.Sequential(OrderedDict([("first", L.nn.Linear(2, 3)), ("act", L.nn.Tanh())])).double()


def listed(L):
    """A ModuleList of two."""
    return L.nn.ModuleList([L.nn.Linear(2, 3), L.nn.Tanh()])


def by_name(L):
    """A ModuleDict of two."""
    return L.nn.ModuleDict({"a": L.nn.Linear(2, 3), "b": L.nn.Tanh()})


def seen(container):
    """What a container holds: text, names, state, length."""
    return repr(container), [n for n, _ in container.named_children()], list(container.state_dict()), len(container)


def after(container, change):
    """What it holds after a change, and what the change gave back."""
    given = change(container)
    return seen(container), given is container, "" if given is None else type(given).__name__


def unchanged(make, change):
    """What a container holds after a change that raises."""
    container = make()
    try:
        change(container)
    except Exception as error:
        return type(error).__name__, seen(container)
    return "no error"


def slice_shares(m):
    """Whether a slice holds the very modules."""
    return m[:1][0] is m[0]


def holds(m):
    """Whether a container knows its second module."""
    return m[1] in m


def repeats(m):
    """Whether the fourth module is the first one."""
    return m[0] is m[3]


def changed(container, key, value):
    """The container after an assignment."""
    container[key] = value
    return container


def ran(L, model, *shape):
    """Forward and gradients."""
    x = tensor(L, *shape, grad=True)
    return gradients(L, model(x), x, *model.parameters())


def shared(L):
    """One layer in two places: its parameters are listed once, its gradient has two terms."""
    L.manual_seed(2)
    layer = L.nn.Linear(2, 2, dtype=L.float64)
    model = L.nn.Sequential(layer, L.nn.Tanh(), layer)
    return ran(L, model, 3, 2), list(model.state_dict()), len(list(model.parameters())), len(model)


def loaded(L):
    """The state of one model in another."""
    source, model = three(L), three(L)
    model[0].weight.data.zero_()
    said = model.load_state_dict(source.state_dict())
    return dict(model.state_dict()), repr(said)


def in_a_model(L):
    """A list inside a model, its layers applied in a loop."""

    class Deep(L.nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = L.nn.ModuleList([L.nn.Linear(2, 2, dtype=L.float64) for _ in range(3)])

        def forward(self, x):
            for layer in self.layers:
                x = layer(x).tanh()
            return x

    L.manual_seed(4)
    model = Deep()
    return ran(L, model, 5, 2), list(model.state_dict()), repr(model)


def parameters(L):
    """A plain tensor and a parameter."""
    return L.nn.ParameterList([tensor(L, 2), L.nn.Parameter(tensor(L, 2, 3))])


def kept(container):
    """What a ParameterList holds."""
    return repr(container), [n for n, _ in container.named_parameters()], list(container.state_dict()), len(container)


# ---- Sequential

ROWS += rows(
    "nn.Sequential",
    {
        "plain": lambda L: seen(three(L)),
        "forward": lambda L: ran(L, three(L), 4, 2),
        "forward_named": lambda L: ran(L, named(L), 4, 2),
        "forward_nested": lambda L: ran(L, L.nn.Sequential(three(L), L.nn.Sequential(L.nn.Tanh())), 4, 2),
        "forward_empty": lambda L: L.nn.Sequential()(tensor(L, 2)),
        "forward_of_anything": lambda L: L.nn.Sequential()("text"),
        "empty": lambda L: seen(L.nn.Sequential()),
        "named": lambda L: seen(named(L)),
        "named_attribute": lambda L: repr(named(L).act),
        "nested": lambda L: seen(L.nn.Sequential(three(L), L.nn.Tanh())),
        "shared": shared,
        "none": lambda L: len(L.nn.Sequential(L.nn.Tanh(), None)),
        "index": lambda L: [repr(three(L)[i]) for i in (0, 1, 2, -1, -3)],
        "slice": lambda L: seen(three(L)[1:]),
        "slice_kind": lambda L: type(three(L)[1:]).__name__,
        "slice_step": lambda L: seen(three(L)[::2]),
        "slice_backwards": lambda L: seen(three(L)[::-1]),
        "slice_empty": lambda L: seen(three(L)[5:]),
        "slice_named": lambda L: seen(named(L)[:1]),
        "slice_shares": lambda L: slice_shares(three(L)),
        "iterate": lambda L: [repr(m) for m in three(L)],
        "contains": lambda L: [three(L)[1] in three(L), holds(three(L))],
        "set": lambda L: after(three(L), lambda m: m.__setitem__(1, L.nn.ReLU())),
        "set_negative": lambda L: after(three(L), lambda m: m.__setitem__(-1, L.nn.ReLU())),
        "set_named": lambda L: after(named(L), lambda m: m.__setitem__(1, L.nn.ReLU())),
        "set_none": lambda L: after(three(L), lambda m: m.__setitem__(1, None)),
        "delete": lambda L: after(three(L), lambda m: m.__delitem__(0)),
        "delete_last": lambda L: after(three(L), lambda m: m.__delitem__(-1)),
        "delete_slice": lambda L: after(three(L), lambda m: m.__delitem__(slice(0, 2))),
        "delete_step": lambda L: after(three(L), lambda m: m.__delitem__(slice(0, 3, 2))),
        "delete_named": lambda L: after(named(L), lambda m: m.__delitem__(0)),
        "append": lambda L: after(three(L), lambda m: m.append(L.nn.ReLU())),
        "append_to_named": lambda L: after(named(L), lambda m: m.append(L.nn.ReLU())),
        "append_chain": lambda L: seen(L.nn.Sequential().append(L.nn.Tanh()).append(L.nn.ReLU())),
        "extend": lambda L: after(three(L), lambda m: m.extend([L.nn.ReLU(), L.nn.Tanh()])),
        "extend_sequential": lambda L: after(three(L), lambda m: m.extend(L.nn.Sequential(L.nn.ReLU()))),
        "extend_generator": lambda L: after(three(L), lambda m: m.extend(L.nn.Tanh() for _ in range(2))),
        "insert": lambda L: after(three(L), lambda m: m.insert(1, L.nn.ReLU())),
        "insert_first": lambda L: after(three(L), lambda m: m.insert(0, L.nn.ReLU())),
        "insert_last": lambda L: after(three(L), lambda m: m.insert(3, L.nn.ReLU())),
        "insert_negative": lambda L: after(three(L), lambda m: m.insert(-1, L.nn.ReLU())),
        "pop": lambda L: after(three(L), lambda m: m.pop(0)),
        "pop_last": lambda L: after(three(L), lambda m: m.pop(-1)),
        "add": lambda L: seen(three(L) + L.nn.Sequential(L.nn.ReLU())),
        "add_named": lambda L: seen(named(L) + named(L)),
        "add_in_place": lambda L: after(three(L), lambda m: m.__iadd__(L.nn.Sequential(L.nn.ReLU()))),
        "times": lambda L: seen(three(L) * 2),
        "times_left": lambda L: seen(2 * three(L)),
        "times_shares": lambda L: repeats(three(L) * 2),
        "times_in_place": lambda L: after(three(L), lambda m: m.__imul__(2)),
        "kind": lambda L: [isinstance(three(L), L.nn.ModuleList), isinstance(three(L), L.nn.Module)],
        "eval_reaches_inside": lambda L: [m.training for m in three(L).eval()],
        "state_goes_in": loaded,
        "parameters_in_order": lambda L: [tuple(p.shape) for p in three(L).parameters()],
        "modules": lambda L: [n for n, _ in L.nn.Sequential(three(L), L.nn.Tanh()).named_modules()],
        "text_nested": lambda L: repr(L.nn.Sequential(L.nn.Sequential(L.nn.Tanh()), named(L))),
    },
)


ROWS += errors(
    "nn.Sequential",
    {
        "function": (lambda L: L.nn.Sequential(L.tanh), r"Module"),
        "class": (lambda L: L.nn.Sequential(L.nn.Tanh), r"Module"),
        "list": (lambda L: L.nn.Sequential([L.nn.Tanh()]), r"list.*Module"),
        "dict": (lambda L: L.nn.Sequential({"a": L.nn.Tanh()}), r"dict.*Module"),
        "dotted_name": (lambda L: L.nn.Sequential(OrderedDict([("a.b", L.nn.Tanh())])), r"a\.b"),
        "empty_name": (lambda L: L.nn.Sequential(OrderedDict([("", L.nn.Tanh())])), r"empty"),
        "taken_name": (lambda L: L.nn.Sequential(OrderedDict([("forward", L.nn.Tanh())])), r"forward.*exists"),
        "wrong_index": (lambda L: three(L)[3], r"Sequential.*3.*out of range"),
        "index_negative": (lambda L: three(L)[-4], r"Sequential.*-4.*out of range"),
        "index_float": (lambda L: three(L)[1.0], r"float"),
        "index_text": (lambda L: three(L)["a"], r"str"),
        "set_range": (lambda L: three(L).__setitem__(3, L.nn.Tanh()), r"Sequential.*3"),
        "set_number": (lambda L: three(L).__setitem__(0, 3), r"int.*Module"),
        "delete_range": (lambda L: three(L).__delitem__(3), r"Sequential.*3"),
        "append_number": (lambda L: three(L).append(3), r"int.*Module"),
        "append_function": (lambda L: three(L).append(L.tanh), r"Module"),
        "extend_number": (lambda L: three(L).extend(3), r"extend.*int"),
        "extend_numbers": (lambda L: three(L).extend([3]), r"int.*Module"),
        "insert_range": (lambda L: three(L).insert(9, L.nn.Tanh()), r"insert.*9"),
        "insert_range_negative": (lambda L: three(L).insert(-9, L.nn.Tanh()), r"insert.*-9"),
        "insert_number": (lambda L: three(L).insert(0, 3), r"insert.*int"),
        "pop_range": (lambda L: three(L).pop(3), r"Sequential.*3"),
        "add_list": (lambda L: three(L) + [L.nn.Tanh()], r"Sequential.*list"),
        "add_in_place_list": (lambda L: three(L).__iadd__([L.nn.Tanh()]), r"Sequential.*list"),
        "times_zero": (lambda L: three(L) * 0, r"Sequential.*0"),
        "times_float": (lambda L: three(L) * 1.5, r"Sequential.*float"),
        "times_in_place_zero": (lambda L: three(L).__imul__(0), r"Sequential.*0"),
        "two_inputs": (lambda L: three(L)(L.ones(2), L.ones(2)), r"argument"),
        "inside": (lambda L: three(L)(L.ones(4, 3)), r"linear"),
    },
)
ROWS += rows(
    "nn.Sequential",
    {
        "unchanged_by_wrong_insert": lambda L: unchanged(lambda: three(L), lambda m: m.insert(1, 3)),
        "unchanged_by_wrong_append": lambda L: unchanged(lambda: three(L), lambda m: m.append(3)),
        "unchanged_by_wrong_set": lambda L: unchanged(lambda: three(L), lambda m: m.__setitem__(0, 3)),
    },
)

# ---- ModuleList

ROWS += rows(
    "nn.ModuleList",
    {
        "plain": lambda L: seen(listed(L)),
        "empty": lambda L: seen(L.nn.ModuleList()),
        "none": lambda L: seen(L.nn.ModuleList(None)),
        "of_generator": lambda L: seen(L.nn.ModuleList(L.nn.Tanh() for _ in range(3))),
        "of_sequential": lambda L: seen(L.nn.ModuleList(three(L))),
        "with_none": lambda L: (len(L.nn.ModuleList([None, L.nn.Tanh()])), L.nn.ModuleList([None])[0]),
        "repeated_text": lambda L: repr(L.nn.ModuleList([L.nn.Tanh(), L.nn.Tanh(), L.nn.ReLU(), L.nn.Tanh()])),
        "repeated_blocks_text": lambda L: repr(
            L.nn.ModuleList([L.nn.Sequential(L.nn.Tanh(), L.nn.ReLU()), L.nn.Sequential(L.nn.Tanh(), L.nn.ReLU())])
        ),
        "index": lambda L: [repr(listed(L)[i]) for i in (0, 1, -1, -2)],
        "slice": lambda L: seen(listed(L)[1:]),
        "slice_kind": lambda L: type(listed(L)[1:]).__name__,
        "slice_step": lambda L: seen(L.nn.ModuleList([L.nn.Tanh(), L.nn.ReLU(), L.nn.Sigmoid()])[::2]),
        "iterate": lambda L: [repr(m) for m in listed(L)],
        "reversed": lambda L: [repr(m) for m in reversed(listed(L))],
        "contains": lambda L: holds(listed(L)),
        "set": lambda L: after(listed(L), lambda m: m.__setitem__(0, L.nn.ReLU())),
        "set_negative": lambda L: after(listed(L), lambda m: m.__setitem__(-1, L.nn.ReLU())),
        "delete": lambda L: after(listed(L), lambda m: m.__delitem__(0)),
        "delete_slice": lambda L: after(listed(L), lambda m: m.__delitem__(slice(0, 1))),
        "append": lambda L: after(listed(L), lambda m: m.append(L.nn.ReLU())),
        "append_none": lambda L: len(listed(L).append(None)),
        "extend": lambda L: after(listed(L), lambda m: m.extend([L.nn.ReLU(), L.nn.Tanh()])),
        "insert": lambda L: after(listed(L), lambda m: m.insert(1, L.nn.ReLU())),
        "pop": lambda L: after(listed(L), lambda m: m.pop(0)),
        "pop_last": lambda L: after(listed(L), lambda m: m.pop(-1)),
        "add": lambda L: seen(listed(L) + listed(L)),
        "add_list": lambda L: seen(listed(L) + [L.nn.ReLU()]),
        "add_in_place": lambda L: after(listed(L), lambda m: m.__iadd__([L.nn.ReLU()])),
        "kind": lambda L: isinstance(listed(L), L.nn.Sequential),
        "in_a_model": in_a_model,
        "parameters": lambda L: [tuple(p.shape) for p in listed(L).parameters()],
    },
)


ROWS += errors(
    "nn.ModuleList",
    {
        "module": (lambda L: L.nn.ModuleList(L.nn.Tanh()), r"ModuleList.*Tanh"),
        "number": (lambda L: L.nn.ModuleList(3), r"ModuleList.*int"),
        "function": (lambda L: L.nn.ModuleList([L.tanh]), r"Module"),
        "dict": (lambda L: L.nn.ModuleList({"a": L.nn.Tanh()}), r"str.*Module"),
        "wrong_index": (lambda L: listed(L)[2], r"ModuleList.*2.*out of range"),
        "index_negative": (lambda L: listed(L)[-3], r"ModuleList.*-3.*out of range"),
        "index_text": (lambda L: listed(L)["a"], r"str"),
        "set_range": (lambda L: listed(L).__setitem__(2, L.nn.Tanh()), r"ModuleList.*2"),
        "delete_range": (lambda L: listed(L).__delitem__(2), r"ModuleList.*2"),
        "append_number": (lambda L: listed(L).append(3), r"int.*Module"),
        "extend_number": (lambda L: listed(L).extend(3), r"ModuleList.*int"),
        "pop_range": (lambda L: listed(L).pop(2), r"ModuleList.*2"),
        "times": (lambda L: listed(L) * 2, r"\*"),
        "call": (lambda L: listed(L)(L.ones(2)), r"forward"),
    },
)

# ---- ModuleDict

ROWS += rows(
    "nn.ModuleDict",
    {
        "plain": lambda L: seen(by_name(L)),
        "empty": lambda L: seen(L.nn.ModuleDict()),
        "of_pairs": lambda L: seen(L.nn.ModuleDict([["a", L.nn.Tanh()], ("b", L.nn.ReLU())])),
        "of_ordered_dict": lambda L: seen(L.nn.ModuleDict(OrderedDict(z=L.nn.Tanh(), a=L.nn.ReLU()))),
        "of_module_dict": lambda L: seen(L.nn.ModuleDict(by_name(L))),
        "item": lambda L: repr(by_name(L)["b"]),
        "attribute": lambda L: repr(by_name(L).b),
        "keys": lambda L: list(by_name(L).keys()),
        "values": lambda L: [repr(m) for m in by_name(L).values()],
        "items": lambda L: [(n, repr(m)) for n, m in by_name(L).items()],
        "iterate": lambda L: list(by_name(L)),
        "contains": lambda L: ["a" in by_name(L), "z" in by_name(L)],
        "set": lambda L: after(by_name(L), lambda m: m.__setitem__("c", L.nn.ReLU())),
        "replace": lambda L: after(by_name(L), lambda m: m.__setitem__("a", L.nn.ReLU())),
        "delete": lambda L: after(by_name(L), lambda m: m.__delitem__("a")),
        "pop": lambda L: after(by_name(L), lambda m: m.pop("a")),
        "clear": lambda L: after(by_name(L), lambda m: m.clear()),
        "update": lambda L: after(by_name(L), lambda m: m.update({"c": L.nn.ReLU(), "a": L.nn.Sigmoid()})),
        "update_pairs": lambda L: after(by_name(L), lambda m: m.update([("c", L.nn.ReLU())])),
        "state": lambda L: list(by_name(L).state_dict()),
        "none": lambda L: L.nn.ModuleDict({"a": None})["a"],
    },
)
ROWS += errors(
    "nn.ModuleDict",
    {
        "number": (lambda L: L.nn.ModuleDict(3), r"ModuleDict.*int"),
        "numbers": (lambda L: L.nn.ModuleDict([3]), r"ModuleDict.*element 0.*int"),
        "single": (lambda L: L.nn.ModuleDict([("a",)]), r"ModuleDict.*length 1"),
        "value": (lambda L: L.nn.ModuleDict({"a": 3}), r"int.*Module"),
        "name": (lambda L: L.nn.ModuleDict({1: L.nn.Tanh()}), r"string.*int"),
        "dotted_name": (lambda L: L.nn.ModuleDict({"a.b": L.nn.Tanh()}), r"a\.b"),
        "taken_name": (lambda L: L.nn.ModuleDict({"keys": L.nn.Tanh()}), r"keys.*exists"),
        "missing": (lambda L: by_name(L)["z"], r"z"),
        "pop_missing": (lambda L: by_name(L).pop("z"), r"z"),
        "delete_missing": (lambda L: by_name(L).__delitem__("z"), r"z"),
        "call": (lambda L: by_name(L)(L.ones(2)), r"forward"),
    },
)

# ---- ParameterList


ROWS += rows(
    "nn.ParameterList",
    {
        "plain": lambda L: kept(parameters(L)),
        "empty": lambda L: kept(L.nn.ParameterList()),
        "index": lambda L: [tuple(parameters(L)[i].shape) for i in (0, 1, -1, -2)],
        "become_parameters": lambda L: [type(p).__name__ for p in parameters(L)],
        "require_grad": lambda L: [p.requires_grad for p in parameters(L)],
        "slice": lambda L: kept(parameters(L)[1:]),
        "append": lambda L: kept(parameters(L).append(tensor(L, 4))),
        "extend": lambda L: kept(parameters(L).extend([tensor(L, 4), tensor(L, 1)])),
        "add_in_place": lambda L: kept(parameters(L).__iadd__([tensor(L, 4)])),
        "set": lambda L: kept(changed(parameters(L), 0, tensor(L, 7))),
        "anything": lambda L: kept(L.nn.ParameterList([1, "a"])),
        "gradient": lambda L: gradients(L, (p := parameters(L))[0].sum() * p[1], *p),
        "of_generator": lambda L: kept(L.nn.ParameterList(tensor(L, n) for n in (1, 2))),
    },
)
ROWS += errors(
    "nn.ParameterList",
    {
        "tensor": (lambda L: L.nn.ParameterList(L.ones(2)), r"ParameterList.*Tensor"),
        "number": (lambda L: L.nn.ParameterList(3), r"ParameterList.*int"),
        "wrong_index": (lambda L: parameters(L)[2], r"ParameterList.*2.*out of range"),
        "integers": (lambda L: L.nn.ParameterList([L.tensor([1])]), r"floating"),
        "call": (lambda L: parameters(L)(L.ones(2)), r"ParameterList"),
        "set_range": (lambda L: parameters(L).__setitem__(2, L.ones(2)), r"ParameterList.*2"),
    },
)
