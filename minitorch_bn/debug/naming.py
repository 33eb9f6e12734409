"""The user's names for tensors: what ``names=locals()`` says."""

from ..engine import Variable
from ..nn.module import Module


def names_of(names):
    """Which tensor has which name.

    Parameters
    ----------
    names : dict or None
        {name: object}, as locals() gives it. Tensors, lists, tuples and dicts of them, and modules, whose parameters
        are named as in ``net.bn1.weight``. Anything else is passed over, and so are names that begin with "_".

    Returns
    -------
    dict
        {id of a tensor: name}. The first name of a tensor counts; its own comes before those in lists and modules.

    Raises
    ------
    TypeError
        If `names` is no dict.

    >>> from minitorch_bn import tensor
    >>> x, w = tensor(1.0), tensor(2.0)
    >>> found = names_of({"x": x, "layers": [x, w]})
    >>> found[id(x)], found[id(w)]
    ('x', 'layers[1]')
    """
    if names is None:
        return {}
    if not isinstance(names, dict):
        raise TypeError(f"names: got {type(names).__name__}, wanted a dict of names, for example names=locals()")
    found = {}
    public = [(str(name), value) for name, value in names.items() if not str(name).startswith("_")]
    for name, value in public:
        if isinstance(value, Variable):
            found.setdefault(id(value), name)
    for name, value in public:
        for inner, tensor in _inside(name, value):
            found.setdefault(id(tensor), inner)
    return found


def _inside(name, value):
    """(name, tensor) for the tensors of a module, list, tuple or dict."""
    if isinstance(value, Module):
        for inner, tensor in [*value.named_parameters(), *value.named_buffers()]:
            yield f"{name}.{inner}", tensor
    elif isinstance(value, dict | list | tuple):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            if isinstance(item, Variable):
                yield f"{name}[{key!r}]", item
            elif isinstance(item, Module):
                yield from _inside(f"{name}[{key!r}]", item)
