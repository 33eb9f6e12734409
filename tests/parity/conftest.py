"""What the comparisons with PyTorch share: the reference."""

import pytest

collect_ignore = ["reference.py"]  # imports torch
collect_ignore_glob = ["scripts/*"]  # run in processes of their own


@pytest.fixture
def reference(torch):
    """The module reference.py."""
    from tests.parity import reference

    return reference
