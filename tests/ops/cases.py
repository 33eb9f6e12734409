"""The table: every op, with every kind of argument, as rows. A new op gets rows in the file of its family."""

from . import (
    cases_activation,
    cases_arithmetic,
    cases_elementwise,
    cases_layers,
    cases_loss,
    cases_norms,
    cases_reduction,
    cases_shape,
    cases_tensors,
)

CASES = [
    *cases_arithmetic.CASES,
    *cases_elementwise.CASES,
    *cases_activation.CASES,
    *cases_reduction.CASES,
    *cases_shape.CASES,
    *cases_layers.CASES,
    *cases_norms.CASES,
    *cases_loss.CASES,
    *cases_tensors.CASES,
]
BY_NAME = {case.name: case for case in CASES}
