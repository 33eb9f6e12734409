"""The tape: backward one op at a time, forwards and back again.

A tape holds the order in which `loss.backward()` would walk, and takes one step of that walk at a time, with the
engine's own `backward_step`. Gradients are replaced, never changed in place; so a step is undone by giving the tensors
that it reached the gradients that they had before.
"""

from operator import attrgetter, is_

from .. import clock, engine
from ..engine import Op, Variable
from . import notes, views
from .lines import line_of, module_class_of, module_of, remember_lines
from .naming import names_of

ARRAY, GRADIENTS = attrgetter("array"), attrgetter("dy", "grad_array")


class NotOnTape(KeyError):
    """What `until` shall stop at is not on the tape."""

    def __str__(self):
        return self.args[0]  # KeyError shows its message in quotation marks


class Tape:
    """Backward from `loss`, step by step. Made by `debug.tape`.

    Attributes
    ----------
    loss : Tensor
    order : list of Tensor
        The tensors that ops have made, in the order of backward: position 0 is the loss.
    position : int
        How many ops have been through.
    """

    def __init__(self, loss, gradient=None, names=None):
        self.names = names_of(names)
        self.loss = _computed(loss)
        self.order = engine.graph(self.loss)
        self.names.setdefault(id(self.loss), "loss")
        self.position = 0
        self._ops = [t.op for t in self.order]
        self._inputs = [_distinct(op.inputs) for op in self._ops]
        self._arrays = [list(map(ARRAY, inputs)) for inputs in self._inputs]
        self._leaves = _leaves(self.order)
        self._time = clock.newest  # writes to memory up to here are none of the tape's business
        self._undo = []  # for every step: the time, the tensors that it reached, their (dy, grad_array) before
        self._stopped = None  # where `until` stopped last, and what it was asked for
        engine._begin(self.order, self.loss, gradient, create_graph=False)
        self._arrived = {id(self.loss): self.loss.dy}  # the gradients in flight, as the tape left them

    # where it stands

    def __len__(self):
        return len(self.order)

    @property
    def done(self):
        """Whether all ops have been through."""
        return self.position == len(self.order)

    @property
    def tensor(self):
        """The tensor whose op runs next: its gradient, `dy`, is complete. None at the end."""
        return None if self.done else self.order[self.position]

    @property
    def op(self):
        """The op that runs next, or None at the end."""
        return None if self.done else self._ops[self.position]

    def op_at(self, position):
        """The op at a position, also after the graph has let go of it."""
        return self._ops[position]

    def where(self):
        """The line of the forward pass that made the op that runs next.

        Returns
        -------
        Line
            File and line, in a notebook cell and line. As text, it shows the line itself.

        Raises
        ------
        RuntimeError
            At the end of the tape, or if lines were not remembered when the op was made.
        """
        if self.done:
            raise RuntimeError("where: the tape is at its end, no op runs next; call back() or reset() first")
        line = line_of(self.op)
        if line is None:
            how = "Run the forward pass under `with debug.remember_lines():`, or give it to debug.tape as a function"
            raise RuntimeError(f"where: the line of {type(self.op).__name__} was not remembered. {how}")
        return line

    def state(self):
        """Which tensor has which gradient so far: a table of all tensors, the loss first, leaves last.

        Returns
        -------
        State
            A list of rows with the attributes name, shape, status ("pending", "1 of 2 terms", "complete"), gradient,
            norm, min, max. It prints as a table; notebooks show it as one.
        """
        return views.state(self)

    # moves

    def step(self):
        """Let one op through: its gradient goes to its inputs. A debugger that steps in is soon in the op's backward.

        Returns
        -------
        Tape
            Itself, so that notebooks show where it stands now.

        Raises
        ------
        RuntimeError
            At the end of the tape. If the tape does not fit the graph any more: a leaf or a saved value was written to,
            the graph was freed, another walk went through it. If the op's backward fails, with its own type of error;
            nothing has changed then.
        """
        t = self._ready()
        try:
            t.backward_step()
        except Exception as error:
            self._restore(self._undo.pop())
            notes.explain(error)
            raise
        return self._moved()

    def back(self):
        """Take the last step back: every gradient is again what it was, to the bit, `.grad` of leaves included.

        Raises
        ------
        RuntimeError
            At the beginning of the tape, or if one of those gradients has been written to in the meantime.
        """
        if not self._undo:
            raise RuntimeError("back: the tape is at its beginning, there is nothing to take back; call step()")
        self._check_gradients(self._undo[-1])
        self._restore(self._undo.pop())
        self.position -= 1
        self._stopped = None
        return self

    def until(self, target):
        """Step until the op that runs next is the one wanted. That op has not run yet.

        Parameters
        ----------
        target : str, Tensor, Op, class of ops, or function
            A name: of a tensor (``names=locals()``), of a module or its class ("bn1", "BatchNorm1d"), of an op
            ("Tanh"), of a grad_fn ("TanhBackward0"). A tensor: the op that made it, or for a leaf the first that gives
            it a gradient. A function of a tensor, whose `dy` is complete: the first for which it is true; if there is
            none, the tape runs to its end.

            The op that runs next counts, unless `until` has just stopped there for the same target, or for a function:
            so repeated calls go on.

        Raises
        ------
        TypeError
            If `target` is none of these.
        KeyError
            If nothing on the tape has that name, or is that tensor or op. The message lists what there is.
        RuntimeError
            If what is wanted lies behind: call reset() first. And as `step`.
        """
        if not (isinstance(target, str | Variable | Op) or callable(target)):
            raise TypeError(f"until: got {type(target).__name__}, wanted a name, a tensor, an op or a function")
        is_function = not isinstance(target, str | Variable | Op | type)
        here = self.position, "a function" if is_function else target if isinstance(target, str) else id(target)
        first = self.position + (self._stopped == here)
        if not is_function:
            stop = self._find(target, first)
            while self.position < stop:
                self.step()
        else:
            while self.position < first or (not self.done and not target(self.tensor)):
                self.step()
        self._stopped = self.position, here[1]
        return self

    def run(self):
        """Step to the end. The leaves then have the gradients that `loss.backward()` gives."""
        while not self.done:
            self.step()
        return self

    def reset(self):
        """Go back to the beginning, where only the loss has a gradient."""
        for undo in self._undo:
            self._check_gradients(undo)
        while self._undo:
            self._restore(self._undo.pop())
        self.position, self._stopped = 0, None
        return self

    # bookkeeping

    def _ready(self):
        """The tensor whose op runs next, after all checks; what its step will change has been noted.

        Few lines and no frames of its own: a debugger that steps into `step` comes through here.
        """
        if self.position == len(self.order):
            raise RuntimeError(f"step: the tape is at its end, all {len(self)} ops are through; call back() or reset()")
        t, op, inputs = self.order[self.position], self._ops[self.position], self._inputs[self.position]
        if t.op is not op or op.inputs is None or t.dy is not self._arrived.get(id(t)):
            raise self._other_graph(t, op)
        if clock.newest > self._time or not all(map(is_, map(ARRAY, inputs), self._arrays[self.position])):
            self._check_writes()
        self._undo.append((clock.newest, inputs, list(map(GRADIENTS, inputs))))
        return t

    def _moved(self):
        """Go on by one, and note the gradients in flight as the step has left them."""
        for x in self._inputs[self.position]:
            self._arrived[id(x)] = x.dy
        self.position += 1
        return self

    def _restore(self, undo):
        """Give tensors the gradients that they had before a step."""
        _, reached, before = undo
        for x, (dy, grad_array) in zip(reached, before, strict=True):
            x.dy, x.grad_array = dy, grad_array
            self._arrived[id(x)] = dy

    def _other_graph(self, t, op):
        """The error for a graph that is not as the tape left it."""
        if t.op is op and op.inputs is not None:
            return RuntimeError(
                f"step: the gradient that has arrived at {self.name(t)} is not the tape's: another walk, or another "
                "tape, has gone through this graph since. Make a new tape: debug.tape(loss)"
            )
        return RuntimeError(
            f"step: the graph is not the tape's any more: the result of {type(op).__name__} was freed by a backward() "
            "without retain_graph=True, or written to in place. Compute the loss again and make a new tape of it"
        )

    def _check_writes(self):
        """Raise an error if an input of the next op, a leaf, or what an op saved, has been written to."""
        pairs = zip(self._inputs[self.position], self._arrays[self.position], strict=True)
        changed = [x for x, array in pairs if x.array is not array and x.requires_grad]
        changed += [x for x in self._leaves if clock.last_write(x.array) > self._time]
        if changed:
            raise RuntimeError(
                f"step: {self.name(changed[0])} of shape {notes.shape_of(changed[0])} has been written to since the "
                "tape was made (an optimiser step, or a write under no_grad or to .data). Compute the loss again and "
                "make a new tape of it"
            )
        clock.check(self.order[self.position :])
        self._time = clock.newest  # what was written to so far was not the tape's

    def _check_gradients(self, undo):
        """Raise an error if a gradient that a step back would bring back has been written to in place."""
        time, reached, before = undo
        for x, (_, grad_array) in zip(reached, before, strict=True):
            if grad_array is not None and clock.last_write(grad_array) > time:
                raise RuntimeError(
                    f"back: the .grad of {self.name(x)} that was there before has been written to since (zero_()?); it "
                    "cannot be brought back. Compute the loss again and make a new tape of it"
                )

    def _find(self, target, first):
        """The position, from `first` on, of the op that `target` names."""
        places = [i for i, t in enumerate(self.order) if self._matches(target, i, t)]
        later = [i for i in places if i >= first]
        if later:
            return later[0]
        wanted = repr(target) if isinstance(target, str) else getattr(target, "__name__", type(target).__name__)
        if places:
            raise RuntimeError(
                f"until: {wanted} lies behind, at position {places[-1]} of {len(self)}, and does not come again; the "
                f"tape stands at {self.position}. Call back() or reset() first"
            )
        raise NotOnTape(f"until: got {wanted}, which is not on this tape. There are {self._what_exists()}")

    def _matches(self, target, i, t):
        """Whether the op at position i, which made `t`, is what `target` names."""
        op = self._ops[i]
        if isinstance(target, Variable):
            return t is target or (target.op is None and any(x is target for x in op.inputs))
        if isinstance(target, Op):
            return op is target
        if isinstance(target, type):
            return isinstance(op, target)
        module = module_of(op)
        if module and (module == target or module.endswith(f".{target}") or module.startswith(f"{target}.")):
            return True
        return target in (type(op).__name__, op.torch_name, self.names.get(id(t)), module_class_of(op))

    def _what_exists(self):
        """The names that `until` takes on this tape."""
        ops = sorted({type(op).__name__ for op in self._ops})
        names = sorted({self.names[id(t)] for t in self.order if id(t) in self.names})
        modules = sorted({module for op in self._ops if (module := module_of(op))})
        lines = any(line_of(op) for op in self._ops)
        modules = modules or ("none was running" if lines else "not remembered, see debug.remember_lines")
        return f"tensors: {_listed(names)}; modules: {_listed(modules)}; ops: {_listed(ops)}"

    # looks

    def name(self, x):
        """What to call a tensor: the user's name, or what it is."""
        found = self.names.get(id(x))
        if found is None and x.op is not None:
            module = module_of(x)
            found = f"result of {type(x.op).__name__}" + (f" in {module}" if module else "")
        return found or "unnamed"

    def __repr__(self):
        return views.text(self)

    def _repr_html_(self):
        return views.html(self)


def tape(loss, gradient=None, names=None):
    """Backward from `loss` as a tape: one op at a time, forwards and back.

    Parameters
    ----------
    loss : Tensor, or function that computes one
        Where the walk starts. Given a function, the tape calls it and remembers which line makes which op.
    gradient : Tensor or array of the loss's shape, optional
        What the chain rule starts with, as for `backward`. Left out, the loss must have one element.
    names : dict, optional
        The user's names for tensors: ``names=locals()``.

    Returns
    -------
    Tape
        With step(), back(), until(...), run(), reset(), where(), state(). The graph is kept.

    Raises
    ------
    RuntimeError
        If no gradient can flow from the loss, no op made it, its graph has been freed, it has several elements and
        there is no `gradient`, or what an op saved has been written to since.
    TypeError
        If `loss` is neither a tensor nor a function that gives one.

    >>> from minitorch_bn import tensor
    >>> x = tensor(3.0, requires_grad=True)
    >>> t = tape((x * x).exp(), names=locals())
    >>> t
    <Tape: 0 of 2 ops done; next: ExpBackward0 of loss ()>
    >>> t.step().step().done, x.grad.item() == 6 * t.loss.item()
    (True, True)
    >>> t.back().op, x.grad is None
    (<MulBackward0>, True)
    """
    return Tape(loss, gradient, names)


def _computed(loss):
    """The loss, if backward can start there."""
    if callable(loss):
        with remember_lines():
            loss = loss()
    if not isinstance(loss, Variable):
        raise TypeError(f"tape: got {type(loss).__name__}, wanted the loss, a Tensor, or a function that returns it")
    if loss.op is None:
        why = "it is a leaf: no op made it" if loss.requires_grad else "it does not require grad"
        how = "debug.why_no_grad(parameter, loss) says where the graph was cut"
        raise RuntimeError(f"tape: the loss has no graph, {why}; {how}")
    return loss


def _distinct(inputs):
    """The tensors among an op's inputs, each once."""
    return list({id(x): x for x in inputs if x is not None}.values())


def _leaves(order):
    """The tensors that the walk ends at, and that get a gradient there."""
    inputs = (x for t in order for x, needed in zip(t.op.inputs, t.op.needs, strict=True) if needed and x.op is None)
    return _distinct(inputs)


def _listed(names):
    """Names as text, not too many."""
    if isinstance(names, str):
        return names
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "") or "none"
