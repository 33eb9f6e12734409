"""The BatchNorm doctor: what is wrong, or will be, with the BatchNorms of a model. `lint` is what users call.

lint_rules*.py judge, lint_record.py measures, lint_state.py leaves no trace, lint_report.py and lint_advice.py say it.
docs/doctor.md explains every finding.
"""

from .. import engine
from ..nn import Module
from ..optim import Optimizer
from ..tensor import Tensor
from .lint_advice import ADVICE
from .lint_record import examine, moves, parse
from .lint_report import Findings
from .lint_rules import RULES, Case
from .lint_rules_data import DATA_RULES, STRUCTURE_RULES
from .lint_state import batches_of, untouched


def lint(
    model,
    loader=None,
    optimizer=None,
    loss=None,
    *,
    validation=False,
    evaluate=None,
    ignore=(),
    batches=20,
    show=True,
    progress=True,
):
    """Look for known faults around BatchNorm; print and return what was found. Silent about a healthy model.

    Without a loader only settings, modes and buffers are judged. With one, the model is also run on its first batches:
    in eval mode, in train mode, and once backwards. Afterwards everything is as before: modes, parameters, buffers,
    gradients, hooks, random numbers.

    Parameters
    ----------
    model : Module
    loader : iterable of Tensor, or of (input, target), optional
        A DataLoader, or a list of batches; an input may be a tuple of tensors, which the model then gets one by one.
    optimizer : Optimizer, optional
        Its groups are searched for weight decay on gamma and beta.
    loss : callable, optional
        loss(output, target) -> Tensor with one element. It makes the comparison of train and eval mode more telling.
    validation : bool
        Say True where the loader is the one for validation: a BatchNorm in train mode is then a finding.
    evaluate : callable without arguments, optional
        The user's own evaluation of this model. It is called with the model in train mode, as in the middle of
        training; running statistics that it moves are a finding. What it does to the model is undone.
    ignore : iterable of str
        Names of findings that are not wanted. A module can say the same for itself and all inside it, with the reason:
        ``lint_accepts = {"dead-bias": "both variants draw the same random numbers"}``.
    batches : int
        How many batches are looked at, at most.
    show : bool
        Whether findings are printed.
    progress : bool
        Whether there is a progress bar, on a terminal.

    Returns
    -------
    Findings
        A list of Finding (name, module, severity, what, why, fix, link), the worst first; empty for a healthy model.

    Raises
    ------
    TypeError
        If model is no Module, the optimizer no Optimizer, loss or evaluate cannot be called, the loader is no iterable
        or one that can be read only once, or its batches do not begin with tensors.
    ValueError
        If batches is no positive integer, a name in ignore or lint_accepts is that of no finding, loss or validation is
        given without a loader, loss is given and a batch has no target, or the loader is empty.

    >>> from minitorch_bn import nn
    >>> model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8, momentum=0.99), nn.ReLU(), nn.Linear(8, 2))
    >>> lint(model, show=False).names
    ['reversed-momentum']
    """
    ignored = check_arguments(model, loader, optimizer, loss, validation, evaluate, ignore, batches)
    case = Case(model, loader, optimizer, validation, engine.is_grad_enabled())
    if evaluate is not None:
        case.moved = moved_by(model, loader, evaluate)
    if loader is not None:
        case.evidence = run(model, loader, loss, batches, progress)
    rules = list(RULES)
    if case.evidence is not None:
        rules += DATA_RULES
        if case.evidence.structure is not None:
            rules += STRUCTURE_RULES
    found = [finding for rule in rules for finding in rule(case)]
    findings = Findings(finding for finding in found if not is_ignored(finding, ignored))
    if findings and show:
        print(findings)
    return findings


def accepted(model, ignore):
    """[(dotted name of a module, names of findings that are not wanted there)]."""
    ignore = [ignore] if isinstance(ignore, str) else list(ignore)
    wishes = [("", ignore), *((name, list(getattr(m, "lint_accepts", ()))) for name, m in model.named_modules())]
    for _, names in wishes:
        for name in names:
            if name not in ADVICE:
                raise ValueError(f"lint: there is no finding {name!r} to ignore; there are {', '.join(ADVICE)}")
    return wishes


def is_ignored(finding, ignored):
    """Whether the module of a finding, or one that holds it, accepts it."""
    return any(
        finding.name in names and (not name or f"{finding.module}.".startswith(f"{name}.")) for name, names in ignored
    )


def run(model, loader, loss, batches, progress):
    """The Evidence of the first `batches` batches."""
    with untouched(model, loader):
        device = next((p.device for p in model.parameters()), "cpu")
        chosen = []
        for batch in batches_of(loader):
            chosen.append(parse(batch, device))
            if len(chosen) == batches:
                break
        if not chosen:
            raise ValueError("lint: the loader gave no batch, wanted at least one")
        if loss is not None and any(target is None for _, target in chosen):
            raise ValueError("lint: got a loss, but batches without a target; wanted (input, target)")
        return examine(model, chosen, loss, progress)


def moved_by(model, loader, evaluate):
    """{name of a BatchNorm: the largest change of its running mean} for those whose statistics `evaluate` moves."""
    with untouched(model, loader):
        model.train()
        layers = {name: m for name, m in Case(model).layers if moves(m)}
        before = {name: [t.array.copy() for t in m.buffers()] for name, m in layers.items()}
        evaluate()
        moved = {}
        for name, m in layers.items():
            pairs = zip(m.buffers(), before[name], strict=True)
            changes = [abs(t.array - old).max() if old.size else 0 for t, old in pairs]
            if any(changes):
                moved[name] = float(changes[0])
        return moved


def check_arguments(
    model, loader=None, optimizer=None, loss=None, validation=False, evaluate=None, ignore=(), batches=20
):
    """Raise the errors of `lint`, before anything is done; return what `accepted` gives."""
    if not isinstance(model, Module):
        raise TypeError(f"lint: got a model of type {type(model).__name__}, wanted an nn.Module")
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise TypeError(f"lint: got an optimizer of type {type(optimizer).__name__}, wanted an optim.Optimizer")
    for name, function in (("loss", loss), ("evaluate", evaluate)):
        if function is not None and not callable(function):
            raise TypeError(f"lint: got {name} of type {type(function).__name__}, wanted a function")
    if isinstance(batches, bool) or not isinstance(batches, int) or batches < 1:
        raise ValueError(f"lint: batches must be a positive integer, got {batches!r}")
    if loader is None:
        if loss is not None or validation:
            raise ValueError("lint: loss and validation are about the batches of a loader; give one as well")
    elif isinstance(loader, Tensor) or (isinstance(loader, tuple) and any(isinstance(x, Tensor) for x in loader)):
        raise TypeError(f"lint: got one batch (a {type(loader).__name__}) as loader, wanted batches: [(input, target)]")
    elif not hasattr(loader, "__iter__"):
        raise TypeError(f"lint: got a loader of type {type(loader).__name__}, wanted an iterable of batches")
    elif hasattr(loader, "__next__"):
        raise TypeError("lint: got an iterator as loader, which can be read only once; wanted a DataLoader or a list")
    return accepted(model, ignore)
