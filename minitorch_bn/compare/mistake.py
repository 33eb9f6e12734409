"""What an entry of the catalogue is, and how a changed formula becomes one."""

from collections.abc import Callable
from dataclasses import dataclass

from .formula import Formula

STAGES = ("forward", "backward", "running", "eval", "use")


@dataclass(frozen=True)
class Mistake:
    """One way to get BatchNorm wrong.

    Attributes
    ----------
    name : str
        Like "biased-running-variance".
    says : str
        What was computed instead, in a sentence that one can say to the person who did it.
    instead : str
        What to do.
    trap : str
        Which trap of the teaching material it is: "T1" to "T30"; "" where it is none of those.
    who : str
        Where it is found: lectures, books, libraries; "" where it is simply easy to make.
    stage : str
        "forward", "backward", "running" (the running statistics), "eval", or "use": not a formula, but a way of using a
        right one.
    changes : frozenset of str
        Which of formula.QUANTITIES come out other than PyTorch's; all others are PyTorch's.
    shows : str
        On which of catalogue.EXAMPLES it shows: "usual" for most, "image" for those that need (N, C, H, W), ...
    formula : type or None
        The subclass of Formula that makes the mistake; None in stage "use".
    demonstrate : callable or None
        In stage "use": runs the trap with this package and returns {what: number}, the expected and the actual.
    """

    name: str
    says: str
    instead: str
    trap: str = ""
    who: str = ""
    stage: str = "forward"
    changes: frozenset = frozenset()
    shows: str = "usual"
    formula: type[Formula] | None = None
    demonstrate: Callable | None = None

    def __str__(self):
        return f"{self.name}: {self.says} {self.instead}"


def into(found, stage):
    """A decorator for a file of mistakes: it makes a Mistake of a Formula subclass, or of a demonstration.

    >>> found = []
    >>> mistake = into(found, "backward")
    >>> @mistake("upside-down", changes="dx", says="dx has the wrong sign.", instead="Drop the minus.")
    ... class UpsideDown(Formula):
    ...     def input_gradient(self, dy):
    ...         return -super().input_gradient(dy)
    >>> print(found[0])
    upside-down: dx has the wrong sign. Drop the minus.
    """

    def mistake(name, *, says, instead, changes="", trap="", who="", shows="usual"):
        def add(thing):
            kind = {"demonstrate": thing} if stage == "use" else {"formula": thing}
            found.append(Mistake(name, says, instead, trap, who, stage, frozenset(changes.split()), shows, **kind))
            return thing

        return add

    return mistake
