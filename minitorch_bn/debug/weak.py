"""A table whose keys may disappear: notes about tensors, arrays and ops that keep none of them alive."""

import weakref


class WeakTable:
    """{object: value}, told apart by identity. An entry goes when its object does.

    weakref.WeakKeyDictionary compares its keys with ==, which gives a tensor for two tensors.

    >>> class Thing: pass
    >>> table, thing = WeakTable(), Thing()
    >>> table[thing] = "seen"
    >>> table.get(thing)
    'seen'
    >>> del thing
    >>> len(table)
    0
    """

    def __init__(self):
        self._entries = {}

    def __setitem__(self, key, value):
        number, entries = id(key), self._entries
        self._entries[number] = weakref.ref(key, lambda _: entries.pop(number, None)), value

    def get(self, key, default=None):
        """The value noted for `key` itself, or `default`."""
        found = self._entries.get(id(key))
        return found[1] if found is not None and found[0]() is key else default

    def __len__(self):
        return len(self._entries)
