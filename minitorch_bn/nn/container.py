"""Containers: modules that hold modules, and lists of parameters."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import index as as_index

from ..tensor import Tensor
from .module import Module
from .parameter import Parameter


class _Modules(Module):
    """What Sequential and ModuleList share: a list of modules, named "0", "1", ... unless they were given names."""

    def append(self, module):
        """Add a module at the end; returns self."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules):
        """Add modules at the end; returns self. TypeError if `modules` is nothing to go through."""
        if not isinstance(modules, Iterable):
            raise TypeError(f"{type(self).__name__}.extend: got {type(modules).__name__}, wanted modules, in a list")
        modules = list(modules)
        self._must_be_modules(modules)
        for module in modules:
            self.append(module)
        return self

    def pop(self, key):
        """Take out the module at position `key`, and return it."""
        module = self[key]
        del self[key]
        return module

    def _name(self, index):
        """The name of the module at a position, counted from the end where it is negative."""
        names, i = list(self._modules), as_index(index)
        if not -len(names) <= i < len(names):
            raise IndexError(f"{type(self).__name__}: index {i} is out of range: there are {len(names)} modules")
        return names[i]

    def _must_be_modules(self, modules):
        """Raise TypeError, before anything is changed, if one of them is neither a Module nor None."""
        for module in modules:
            if not isinstance(module, Module | None):
                raise TypeError(f"{type(self).__name__}: got {type(module).__name__}, which is not a Module subclass")

    def _take(self, modules):
        """Hold `modules`, named by position, and no others."""
        self._must_be_modules(modules)
        for name in list(self._modules):
            delattr(self, name)
        for i, module in enumerate(modules):
            self.add_module(str(i), module)

    def __len__(self):
        return len(self._modules)

    def __iter__(self):
        return iter(list(self._modules.values()))

    def __setitem__(self, index, module):
        setattr(self, self._name(index), module)

    def __delitem__(self, index):
        for name in list(self._modules)[index] if isinstance(index, slice) else [self._name(index)]:
            delattr(self, name)
        self._take(list(self))


class ModuleList(_Modules):
    """A list of modules that a model owns; it has no forward of its own.

    Parameters
    ----------
    modules : iterable of Module, optional
    """

    def __init__(self, modules=None):
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def insert(self, index, module):
        """Put a module before position `index`; those behind it move up."""
        modules = list(self)
        modules.insert(index, module)
        self._take(modules)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return self._modules[self._name(index)]

    def __add__(self, other):
        return ModuleList([*self, *other])

    def __iadd__(self, other):
        return self.extend(other)

    def __repr__(self):
        """Like any module's, but equal modules in a row stand on one line: ``(0-2): 3 x Tanh()``."""
        lines, start = [], 0
        for text, run in groupby(map(repr, self)):
            count = len(list(run))
            lines.append(f"({start}): {text}" if count == 1 else f"({start}-{start + count - 1}): {count} x {text}")
            start += count
        inside = "".join("\n  " + line.replace("\n", "\n  ") for line in lines)
        return f"{type(self).__name__}({inside}\n)" if lines else f"{type(self).__name__}()"


class Sequential(_Modules):
    """Modules applied in turn: ``Sequential(a, b)(x)`` is ``b(a(x))``. Also takes one OrderedDict of named modules."""

    def __init__(self, *args):
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            self.extend(args)

    def forward(self, input):
        for module in vars(self).values():
            if isinstance(module, Module):
                input = module(input)
        return input

    def insert(self, index, module):
        """Put a module before position `index`; those behind it move up. Returns self.

        Raises
        ------
        AssertionError
            If it is no module.
        IndexError
            If there is no such position.
        """
        if not isinstance(module, Module):
            raise AssertionError(f"Sequential.insert: module should be of type Module, got {type(module).__name__}")
        if not -len(self) <= index <= len(self):
            raise IndexError(f"Sequential.insert: index {index} is out of range: there are {len(self)} modules")
        modules = list(self)
        modules.insert(index, module)
        self._take(modules)
        return self

    def __getitem__(self, index):
        if isinstance(index, slice):  # names stay, also those that are numbers: as in PyTorch
            return type(self)(OrderedDict(list(self._modules.items())[index]))
        return self._modules[self._name(index)]

    def __add__(self, other):
        self._must_be_sequential("add", other)
        return Sequential(*self, *other)

    def __iadd__(self, other):
        self._must_be_sequential("add", other)
        return self.extend(other)

    def __mul__(self, times):
        return Sequential(*(list(self) * self._positive(times)))

    __rmul__ = __mul__

    def __imul__(self, times):
        return self.extend(list(self) * (self._positive(times) - 1))

    @staticmethod
    def _must_be_sequential(what, other):
        if not isinstance(other, Sequential):
            raise ValueError(
                f"Sequential: {what} supports only objects of Sequential class, got {type(other).__name__}"
            )

    @staticmethod
    def _positive(times):
        if not isinstance(times, int):
            raise TypeError(f"Sequential: unsupported operand type for *: {type(times).__name__}, wanted int")
        if times <= 0:
            raise ValueError(f"Sequential: Non-positive multiplication factor {times}")
        return times


class ModuleDict(Module):
    """Modules by name, in the order in which they came; it has no forward of its own.

    Parameters
    ----------
    modules : mapping of str to Module, or iterable of such pairs, optional
    """

    def __init__(self, modules=None):
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key):
        return self._modules[key]

    def __setitem__(self, key, module):
        self.add_module(key, module)

    def __delitem__(self, key):
        del self._modules[key]

    def __len__(self):
        return len(self._modules)

    def __iter__(self):
        return iter(self._modules)

    def __contains__(self, key):
        return key in self._modules

    def clear(self):
        """Take out all modules."""
        for key in list(self):
            del self[key]

    def pop(self, key):
        """Take out the module of that name, and return it."""
        module = self[key]
        del self[key]
        return module

    def keys(self):
        """The names."""
        return dict.fromkeys(self).keys()

    def values(self):
        """The modules."""
        return dict(self.items()).values()

    def items(self):
        """(name, module) of all of them."""
        return {key: self[key] for key in self}.items()

    def update(self, modules):
        """Take in named modules: those of a mapping, or of pairs (name, module).

        Raises
        ------
        TypeError
            If it is neither.
        ValueError
            If an element is no pair.
        """
        if not isinstance(modules, Iterable):
            raise TypeError(
                f"ModuleDict.update: got {type(modules).__name__}, wanted a mapping, or pairs of name, module"
            )
        if isinstance(modules, Mapping | ModuleDict):
            modules = modules.items()
        for i, pair in enumerate(modules):
            if not isinstance(pair, Iterable):
                raise TypeError(f"ModuleDict.update: element {i} should be a pair, is {type(pair).__name__}")
            if len(pair) != 2:
                raise ValueError(f"ModuleDict.update: element {i} has length {len(pair)}, wanted 2: name and module")
            self[pair[0]] = pair[1]


class ParameterList(Module):
    """A list of parameters that a model owns. Plain tensors become parameters; anything else is kept as it is.

    Parameters
    ----------
    values : iterable, optional
    """

    def __init__(self, values=None):
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def append(self, value):
        """Add one at the end; returns self."""
        self._size += 1
        self[self._size - 1] = value
        return self

    def extend(self, values):
        """Add several at the end; returns self. TypeError if `values` is nothing to go through, or a tensor."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise TypeError(f"ParameterList.extend: got {type(values).__name__}, wanted parameters, in a list")
        for value in list(values):
            self.append(value)
        return self

    def _name(self, index):
        i = as_index(index)
        if not -self._size <= i < self._size:
            raise IndexError(f"ParameterList: index {i} is out of range: there are {self._size} parameters")
        return str(i % self._size)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return getattr(self, self._name(index))

    def __setitem__(self, index, value):
        if isinstance(value, Tensor) and not isinstance(value, Parameter):
            value = Parameter(value)
        setattr(self, self._name(index), value)

    def __len__(self):
        return self._size

    def __iter__(self):
        return iter([self[i] for i in range(self._size)])

    def __iadd__(self, values):
        return self.extend(values)

    def forward(self, *inputs):
        """RuntimeError: a list of parameters computes nothing."""
        raise RuntimeError("ParameterList should not be called: it computes nothing")

    def extra_repr(self):
        """One line for every parameter: its type and shape."""
        lines = []
        for i, value in enumerate(self):
            if isinstance(value, Tensor):
                kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
                lines.append(f"  ({i}): {kind} containing: [{value.dtype} of size {'x'.join(map(str, value.shape))}]")
            else:
                lines.append(f"  ({i}): Object of type: {type(value).__name__}")
        return "\n".join(lines)
