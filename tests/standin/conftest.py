"""The stand-in as a fixture."""

import pytest

from tests.standin import fake_cupy

collect_ignore_glob = ["ranks_*.py"]  # scripts that run on ranks are no tests


@pytest.fixture
def fake_gpu():
    """One GPU that is none (fake_cupy.py): `import cupy` gives the stand-in during the test."""
    with fake_cupy.installed() as gpu:
        yield gpu
