"""Functions of the package that a tool replaces while it is in use, and puts back afterwards."""

import sys


class Patches:
    """What has been replaced, in order. `undo` puts all of it back, the last first."""

    def __init__(self):
        self._undo = []

    def attribute(self, owner, name, new):
        """Replace an attribute of a class or module."""
        had, before = name in vars(owner), vars(owner).get(name)
        setattr(owner, name, new)
        self._undo.append(lambda: setattr(owner, name, before) if had else delattr(owner, name))

    def everywhere(self, old, new):
        """Replace a function under its own name in every module that has imported it.

        Modules that are imported later take `new` over from where they import it; `undo` finds those, too.
        """
        _exchange(old, new)
        self._undo.append(lambda: _exchange(new, old, old.__name__))

    def undo(self):
        """Put everything back."""
        while self._undo:
            self._undo.pop()()


def _exchange(old, new, name=None):
    """Let `name` (the function's own) stand for `new` in every module where it stands for `old`."""
    name = name or old.__name__
    for module in list(sys.modules.values()):
        if getattr(module, "__dict__", {}).get(name) is old:
            setattr(module, name, new)
