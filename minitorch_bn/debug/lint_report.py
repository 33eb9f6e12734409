"""What the BatchNorm doctor reports: findings, as text, as HTML and as data. The words are in lint_advice.py."""

import html
import textwrap
from dataclasses import dataclass

from .lint_advice import ADVICE

SEVERITIES = ("serious", "warning", "note")  # the worst first
PAGE = "docs/doctor.md"


@dataclass(frozen=True)
class Finding:
    """One thing that is, or may be, wrong.

    Attributes
    ----------
    name : str
        Which of the known findings: "dead-bias", ...
    module : str
        The dotted name of the module that it is about; "" for the model as a whole.
    severity : str
        "serious": results are wrong, or will be. "warning": probably not what was meant. "note": good to know.
    what : str
        What was found, with the numbers that were measured.
    """

    name: str
    module: str
    severity: str
    what: str

    @property
    def why(self):
        """Why that is a problem."""
        return ADVICE[self.name].why

    @property
    def fix(self):
        """What to do."""
        return ADVICE[self.name].fix

    @property
    def link(self):
        """Where it is explained."""
        return f"{PAGE}#{self.name}"

    @property
    def place(self):
        """The module, in words."""
        return self.module or "the model"

    def as_dict(self):
        """Everything, as strings by name."""
        names = ("name", "module", "severity", "what", "why", "fix", "link")
        return {name: getattr(self, name) for name in names}

    def __str__(self):
        lines = [f"{self.severity}: {self.name} in {self.place}"]
        for label, text in (("what", self.what), ("why", self.why), ("fix", self.fix), ("more", self.link)):
            lines.append(textwrap.fill(text, 118, initial_indent=f"  {label:5}", subsequent_indent=" " * 7))
        return "\n".join(lines)


class Findings(list):
    """The findings, the worst first: a list, empty where the model is healthy.

    >>> Findings()
    healthy: nothing found
    """

    def __init__(self, findings=()):
        super().__init__(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))

    @property
    def names(self):
        """The names of the findings, each once, in order."""
        return list(dict.fromkeys(finding.name for finding in self))

    @property
    def serious(self):
        """Those that are serious."""
        return [finding for finding in self if finding.severity == "serious"]

    def __repr__(self):
        if not self:
            return "healthy: nothing found"
        counts = [(sum(f.severity == severity for f in self), severity) for severity in SEVERITIES]
        said = ", ".join(f"{count} {severity}" for count, severity in counts if count)
        title = f"{len(self)} finding{'s' if len(self) > 1 else ''}: {said}"
        return "\n\n".join([title, *map(str, self)])

    def _repr_html_(self):
        if not self:
            return "<p>healthy: nothing found</p>"
        head = "".join(f"<th style='text-align:left'>{name}</th>" for name in ("", "finding", "what", "why", "fix"))
        rows = []
        for f in self:
            found = f"<b>{html.escape(f.name)}</b><br>in <code>{html.escape(f.place)}</code><br>{html.escape(f.link)}"
            cells = [html.escape(f.severity), found, *(html.escape(text) for text in (f.what, f.why, f.fix))]
            style = "text-align:left;vertical-align:top"
            rows.append("<tr>" + "".join(f"<td style='{style}'>{cell}</td>" for cell in cells) + "</tr>")
        return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
