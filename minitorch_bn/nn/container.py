"""Containers: modules that hold modules by position."""

from itertools import groupby

from .module import Module


class ModuleList(Module):
    """A list of modules that a model owns; it has no forward of its own."""

    def __init__(self, modules=()):
        super().__init__()
        self.extend(modules)

    def append(self, module):
        """Add a module at the end; returns self."""
        self.register_module(str(len(self)), module)
        return self

    def insert(self, index, module):
        """Put a module before position `index`; those behind it move up."""
        modules = list(self)
        modules.insert(index, module)
        self._take(modules)

    def __delitem__(self, index):
        modules = list(self)
        del modules[index]
        self._take(modules)

    def __add__(self, other):
        return type(self)(*self._arguments([*self, *other]))

    def _take(self, modules):
        """Hold `modules`, in this order, and no others."""
        for name, _ in self.named_children():
            delattr(self, name)
        self.extend(modules)

    def extend(self, modules):
        """Add modules at the end; returns self."""
        for module in modules:
            self.append(module)
        return self

    def __len__(self):
        return len(self.named_children())

    def __iter__(self):
        return iter(list(self.children()))

    def __getitem__(self, index):
        modules = list(self.children())
        return type(self)(*self._arguments(modules[index])) if isinstance(index, slice) else modules[index]

    def __setitem__(self, index, module):
        names = [name for name, _ in self.named_children()]
        setattr(self, names[index], module)

    @staticmethod
    def _arguments(modules):
        return (modules,)

    def __repr__(self):
        """Like any module's, but equal modules in a row stand on one line: ``(0-2): 3 x Tanh()``."""
        lines, start = [], 0
        for text, run in groupby(map(repr, self)):
            count = len(list(run))
            lines.append(f"({start}): {text}" if count == 1 else f"({start}-{start + count - 1}): {count} x {text}")
            start += count
        inside = "".join("\n  " + line.replace("\n", "\n  ") for line in lines)
        return f"{type(self).__name__}({inside}\n)" if lines else f"{type(self).__name__}()"


class Sequential(ModuleList):
    """Modules applied in turn: ``Sequential(a, b)(x)`` is ``b(a(x))``. Also takes one dict of named modules."""

    def __init__(self, *modules):
        Module.__init__(self)
        if len(modules) == 1 and isinstance(modules[0], dict):
            for name, module in modules[0].items():
                setattr(self, name, module)
        else:
            self.extend(modules)

    __repr__ = Module.__repr__

    def __getitem__(self, index):
        if isinstance(index, slice):  # names stay, also those that are numbers: as in PyTorch
            return type(self)(dict(self.named_children()[index]))
        return super().__getitem__(index)

    def forward(self, input):
        for module in vars(self).values():
            if isinstance(module, Module):
                input = module(input)
        return input

    @staticmethod
    def _arguments(modules):
        return modules
