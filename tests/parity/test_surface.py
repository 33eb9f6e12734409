"""What scripts print and say, expression by expression: the same text from both libraries."""

import pytest

import minitorch_bn as mt

X = "torch.arange(24.0).view(2, 3, 4)"
INDICES = [
    "[0]", "[0, 1, 2]", "[:, 0]", "[0, :2]", "[0, :]", "[:2]", "[:]", "[...]", "[..., 0]", "[None]", "[0, None]",
    "[None, 0]", "[1:, :, 0]", "[::2]", "[[0, 1]]", "[0, [1, 2]]", "[torch.tensor([1, 0])]", "[torch.tensor(1)]",
]  # fmt: skip
EXPRESSIONS = [
    *(f"{X}.requires_grad_(){index}" for index in INDICES),
    "f'{torch.tensor(0.1)} {torch.tensor(3)} {torch.tensor(2.5):.2f} {torch.tensor([1.5])}'",
    "f'{torch.ones(2):.2f}'",
    "torch.tensor([[3.0, 1.0], [2.0, 5.0]]).max(dim=1)",
    "torch.tensor([[3.0, 1.0], [2.0, 5.0]]).min(0, keepdim=True)",
    "torch.tensor([3.0, 1.0, 2.0]).sort()",
    "torch.topk(torch.tensor([3.0, 1.0, 2.0]), 2)",
    "torch.nn.Linear(2, 2).load_state_dict(torch.nn.Linear(2, 2).state_dict())",
    "torch.nn.Linear(2, 2).load_state_dict({'other': torch.zeros(1)}, strict=False)",
    *(f"{X}.{f}(1, keepdims=True).shape" for f in ("sum", "mean", "var", "std", "amax", "amin")),
    *(f"torch.{f}({X}, axis=2)" for f in ("sum", "mean", "var", "std", "amax", "amin", "max", "min", "argmax")),
    *(f"({X} > 5).{f}(axis=0, keepdims=True)" for f in ("all", "any")),
    "torch.sin(torch.arange(4.0)), torch.arange(4).cos()",
]  # fmt: skip


def value_of(expression, library):
    try:
        return repr(eval(expression, {"torch": library}))
    except Exception as error:
        return type(error).__name__


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_same_text(torch, expression):
    wanted = value_of(expression, torch)
    assert value_of(expression, mt) == wanted
