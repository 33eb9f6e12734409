"""Sequential and ModuleList: as lists, with slices, names and errors as PyTorch's."""

from collections import OrderedDict

import pytest

import minitorch_bn as mt

torch = pytest.importorskip("torch")


def kinds(modules):
    return [type(m).__name__ for m in modules]


def three(L):
    return L.nn.Sequential(L.nn.Linear(2, 3), L.nn.Tanh(), L.nn.Linear(3, 1))


def named(L):
    return L.nn.Sequential(OrderedDict([("first", L.nn.Linear(2, 3)), ("act", L.nn.Tanh())]))


def listed(L):
    return L.nn.ModuleList([L.nn.Linear(2, 3), L.nn.Tanh()])


ASKED = {
    "len": lambda L: len(three(L)),
    "iter": lambda L: kinds(three(L)),
    "index": lambda L: kinds([three(L)[0], three(L)[-1]]),
    "slice": lambda L: (kinds(three(L)[1:]), type(three(L)[1:]).__name__, list(three(L)[1:].state_dict())),
    "append": lambda L: (kinds(three(L).append(L.nn.Tanh())), list(three(L).append(L.nn.Linear(1, 1)).state_dict())),
    "extend": lambda L: kinds(three(L).extend([L.nn.Tanh(), L.nn.ReLU()])),
    "set": lambda L: changed(three(L), lambda m: m.__setitem__(1, L.nn.ReLU())),
    "set_negative": lambda L: changed(three(L), lambda m: m.__setitem__(-1, L.nn.ReLU())),
    "delete": lambda L: changed(three(L), lambda m: m.__delitem__(0)),
    "named": lambda L: ([n for n, _ in named(L).named_children()], list(named(L).state_dict())),
    "named_attribute": lambda L: type(named(L).act).__name__,
    "named_forward": lambda L: tuple(named(L)(L.ones(4, 2)).shape),
    "named_repr": lambda L: repr(named(L)),
    "forward": lambda L: tuple(three(L)(L.ones(4, 2)).shape),
    "empty_forward": lambda L: L.nn.Sequential()(L.ones(2)).tolist(),
    "insert": lambda L: kinds(insert(three(L), L)),
    "list_len": lambda L: len(listed(L)),
    "list_iter": lambda L: kinds(listed(L)),
    "list_append": lambda L: kinds(listed(L).append(L.nn.ReLU())),
    "list_extend": lambda L: kinds(listed(L).extend([L.nn.ReLU()])),
    "list_slice": lambda L: (kinds(listed(L)[1:]), type(listed(L)[1:]).__name__, list(listed(L)[:1].state_dict())),
    "list_slice_names": lambda L: [n for n, _ in listed(L)[1:].named_children()],
    "list_insert": lambda L: kinds(insert(listed(L), L)),
    "list_delete": lambda L: changed(listed(L), lambda m: m.__delitem__(0)),
    "list_add": lambda L: kinds(listed(L) + listed(L)),
    "list_dir": lambda L: [n for n, _ in listed(L).named_modules()],
}


def changed(modules, change):
    """What the modules are, and what their state is called, after `change`."""
    change(modules)
    return kinds(modules), list(modules.state_dict())


def insert(modules, L):
    """Insert in the middle."""
    modules.insert(1, L.nn.Sigmoid())
    return modules


@pytest.mark.parametrize("name", ASKED)
def test_equals_torch(name):
    assert ASKED[name](mt) == ASKED[name](torch)


ERRORS = {
    "function": lambda L: L.nn.Sequential(L.tanh),
    "append_function": lambda L: three(L).append(L.tanh),
    "index": lambda L: three(L)[3],
    "negative_index": lambda L: three(L)[-4],
    "list_index": lambda L: listed(L)[2],
    "list_function": lambda L: L.nn.ModuleList([L.tanh]),
    "list_append_number": lambda L: listed(L).append(3),
    "list_call": lambda L: listed(L)(L.ones(2, 2)),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_torchs(name):
    with pytest.raises(Exception) as theirs:
        ERRORS[name](torch)
    with pytest.raises(theirs.type):
        ERRORS[name](mt)


def test_a_slice_shares_the_modules():
    m = three(mt)
    assert m[:1][0] is m[0]
