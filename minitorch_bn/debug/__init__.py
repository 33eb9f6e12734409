"""Tools around the graph: step, rewind, ask why. They import the engine; nothing imports them."""

from .anomaly import detect_anomaly
from .breaks import Break, break_when
from .diagnostics import activations, gradients, update_ratio
from .draw import Drawing, draw
from .lines import Line, are_lines_remembered, line_of, module_of, remember_lines
from .lint import lint
from .lint_report import Finding, Findings
from .no_grad import Reason, why_no_grad
from .replay import Replay, replay
from .shared_values import draw_shared_values, shared_values
from .stepper import presses, step
from .tape import Tape, tape
from .why import Why, why
