"""State dicts: what a module has learnt and averaged, by dotted name, to keep and to load again."""

from collections import OrderedDict, namedtuple
from collections.abc import Mapping

from ..tensor import Tensor
from .parameter import Buffer, Parameter

EXTRA_KEY = "_extra_state"


class _IncompatibleKeys(namedtuple("_IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """What load_state_dict returns: the keys that it missed, and those that it did not know."""

    def __repr__(self):
        return super().__repr__() if any(self) else "<All keys matched successfully>"


class StateDict(OrderedDict):
    """A dict that remembers, in `_metadata`, with which version of its class every module wrote it, and its marks."""

    _metadata = None


def state_dict(self, *, destination=None, prefix="", keep_vars=False):
    """Parameters and persistent buffers by dotted name.

    Parameters
    ----------
    destination : dict, optional
        Put them there, and return it.
    prefix : str
        What all names begin with.
    keep_vars : bool
        Give the parameters themselves instead of detached tensors that share their memory.

    Returns
    -------
    dict of Tensor
    """
    if destination is None:
        destination = StateDict()
        destination._metadata = OrderedDict()
    for name, module in self.named_modules(remove_duplicate=False):
        place = f"{prefix}{name}." if name else prefix
        if hasattr(destination, "_metadata"):
            destination._metadata[place[:-1]] = {"version": module._version, **module._marks()}
        for key, t in _own_state(module).items():
            destination[place + key] = t if keep_vars else t.detach()
        if type(module).get_extra_state is not get_extra_state:
            destination[place + EXTRA_KEY] = module.get_extra_state()
    return destination


def get_extra_state(self):
    """What a class wants in its state dict beside tensors; classes that want something override this."""
    raise RuntimeError(f"get_extra_state: {type(self).__name__} has none; override get_extra_state and set_extra_state")


def set_extra_state(self, state):
    """Take back what get_extra_state gave; classes that have that override this."""
    raise RuntimeError(f"set_extra_state: {type(self).__name__} has none; override get_extra_state and set_extra_state")


def _own_state(module):
    """Name and tensor of what a module itself puts into a state dict: parameters, then persistent buffers."""
    buffers = [(name, b) for name, b in module._items(Buffer) if name not in module._unsaved]
    return {name: t for name, t in module._items(Parameter) + buffers if t is not None}


def update_state(self, state, prefix, version):
    """Bring what an older version of this class wrote up to date, in `state`, before it is loaded.

    Parameters
    ----------
    state : dict
        A copy of what is being loaded.
    prefix : str
        What the names of this module's tensors begin with.
    version : int or None
        The `_version` of the class that wrote it; None in a plain dict.
    """


def marks(self):
    """What a class wants in the metadata beside its version: {word: value}. PyTorch ignores it."""
    return {}


def take_marks(self, marks):
    """Take back what _marks gave, once the tensors are loaded. Others' state dicts have none, and change nothing."""


def load_state_dict(self, state_dict, strict=True, assign=False):
    """Copy the values of `state_dict` into parameters and buffers.

    Parameters
    ----------
    state_dict : dict of Tensor
    strict : bool
        Whether a key that is missing, or not known, is an error.
    assign : bool
        Take the tensors themselves, with their dtype and device, instead of copying.

    Returns
    -------
    (missing_keys, unexpected_keys)

    Raises
    ------
    RuntimeError
        If a shape differs, a value is no tensor, or, when strict, a key is missing or unexpected; the message names all
        of them. Nothing is changed then.
    TypeError
        If it is no dict.
    """
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"load_state_dict: expected state_dict to be dict-like, got {type(state_dict).__name__}")
    metadata = getattr(state_dict, "_metadata", None) or {}
    state, missing, unexpected, wrong, fitting, extra = dict(state_dict), [], [], [], [], []
    for name, module in self.named_modules(remove_duplicate=False):
        prefix = f"{name}." if name else ""
        module._update_state(state, prefix, metadata.get(name, {}).get("version"))
        own = _own_state(module)
        for key, t in own.items():
            if prefix + key not in state:
                missing.append(prefix + key)
            elif complaint := _complaint(prefix + key, state[prefix + key], t):
                wrong.append(complaint)
            else:
                fitting.append((module, key, t, state[prefix + key]))
        if type(module).set_extra_state is not set_extra_state:
            own[EXTRA_KEY] = None
            if prefix + EXTRA_KEY in state:
                extra.append((module, state[prefix + EXTRA_KEY]))
            else:
                missing.append(prefix + EXTRA_KEY)
        unexpected += _unknown(module, own, state, prefix)
    if strict and unexpected:
        wrong.insert(0, f"Unexpected key(s) in state_dict: {', '.join(map(repr, unexpected))}.")
    if strict and missing:
        wrong.insert(0, f"Missing key(s) in state_dict: {', '.join(map(repr, missing))}.")
    if wrong:
        raise RuntimeError(
            f"load_state_dict: Error(s) in loading state_dict for {type(self).__name__}:\n\t" + "\n\t".join(wrong)
        )
    for module, key, t, new in fitting:
        new = new.reshape(t.shape)  # PyTorch before 0.4 had no 0-dim tensors
        if not assign:
            t.detach().copy_(new.detach())
        elif isinstance(t, Parameter):
            kept = new if isinstance(new, Parameter) else Parameter(new, requires_grad=t.requires_grad)
            setattr(module, key, kept.requires_grad_(t.requires_grad))
        else:
            setattr(module, key, new)
    for module, more in extra:
        module.set_extra_state(more)
    for name, module in self.named_modules():
        module._take_marks(metadata.get(name, {}))
    return _IncompatibleKeys(missing, unexpected)


def _complaint(key, new, t):
    """Why `new` cannot be loaded into `t`; None if it can."""
    if not isinstance(new, Tensor):
        kind = f"{type(new).__module__}.{type(new).__qualname__}"
        how = "Make it one: as_tensor(numpy.array(value)), or save the checkpoint to a file and load() that."
        return f'While copying the parameter named "{key}", expected a Tensor of this package, got a {kind}. {how}'
    if new.shape != t.shape and not (t.dim() == 0 and new.shape == (1,)):
        return (
            f"size mismatch for {key}: copying a param with shape {new.shape} from checkpoint, the shape in current "
            f"model is {t.shape}."
        )
    return None


def _unknown(module, own, state, prefix):
    """The keys that stand where `module` would look, and name neither a tensor of its own nor a module inside it."""
    unknown = []
    for key in state:
        if key.startswith(prefix):
            first, dot, _ = key[len(prefix) :].partition(".")
            if first not in (module._modules if dot else own):
                unknown.append(key)
    return unknown
