"""Containers: modules that hold modules by position."""

from .module import Module


class ModuleList(Module):
    """A list of modules that a model owns; it has no forward of its own."""

    def __init__(self, modules=()):
        super().__init__()
        self.extend(modules)

    def append(self, module):
        """Add a module at the end; returns self."""
        setattr(self, str(len(self)), module)
        return self

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


class Sequential(ModuleList):
    """Modules applied one after the other: ``Sequential(a, b)(x)`` is ``b(a(x))``. Also takes one dict of named modules."""

    def __init__(self, *modules):
        Module.__init__(self)
        if len(modules) == 1 and isinstance(modules[0], dict):
            for name, module in modules[0].items():
                setattr(self, name, module)
        else:
            self.extend(modules)

    def append(self, module):
        """Add a module at the end; returns self."""
        if not isinstance(module, Module):
            raise TypeError(f"{type(module).__name__} is not a Module subclass")
        return super().append(module)

    def forward(self, input):
        for module in vars(self).values():
            if isinstance(module, Module):
                input = module(input)
        return input

    @staticmethod
    def _arguments(modules):
        return modules
