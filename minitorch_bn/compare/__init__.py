"""How this implementation compares: with PyTorch, with stored numbers, with the mistakes that people make."""

from . import catalogue
from .conformance import conformance
from .conventions import Convention, conventions, convert_state
from .formula import Formula
from .golden import golden_files, golden_model, make_golden, with_golden
from .gradcheck import gradcheck
from .lockstep import with_torch
from .mistake import Mistake
