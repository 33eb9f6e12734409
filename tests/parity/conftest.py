"""What the comparisons with PyTorch share: PyTorch with one thread, the reference, a report of what was measured."""

import pytest

collect_ignore = ["reference.py"]  # imports torch
collect_ignore_glob = ["scripts/*"]  # run in processes of their own

MEASURED = pytest.StashKey()


@pytest.fixture
def torch():
    """PyTorch with one thread; the test is skipped where it is not installed."""
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed (extra: parity)")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield torch
    torch.set_num_threads(threads)


@pytest.fixture
def reference(torch):
    """The module reference.py."""
    from tests.parity import reference

    return reference


@pytest.fixture
def measured(request):
    """Call with a line of text: it is printed at the end of the test run."""
    return request.config.stash.setdefault(MEASURED, []).append


def pytest_terminal_summary(terminalreporter, config):
    lines = config.stash.get(MEASURED, [])
    if lines:
        terminalreporter.section("measured against PyTorch")
        for line in lines:
            terminalreporter.line(line)
