"""What every test relies on: one BLAS thread, a seeded NumPy, PyTorch, and a report of what was measured."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

MEASURED = pytest.StashKey()


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session):
    """Run all tests, doctests included, with one BLAS thread: sums come out in one order, and small matrices faster."""
    with threadpool_limits(1):
        return (yield)


def pytest_collection_modifyitems(items):
    """Skip the tests marked `gpu`, saying why, where there is no GPU."""
    gpu_items = [item for item in items if item.get_closest_marker("gpu")]
    reason = why_no_gpu() if gpu_items else None
    if reason:
        for item in gpu_items:
            item.add_marker(pytest.mark.skip(reason=reason))


def why_no_gpu():
    """Say why `gpu` tests cannot run here; None where they can."""
    try:
        import cupy
    except ImportError:
        return "needs a GPU: CuPy is not installed (extras gpu-cuda12, gpu-cuda13)"
    # an import that works proves nothing: CuPy imports without a driver
    return None if cupy.cuda.is_available() else "needs a GPU: CuPy is installed but finds no CUDA device"


@pytest.fixture(autouse=True)
def rng():
    """Give a generator that starts alike in every test; seed NumPy's global one too."""
    np.random.seed(0)  # noqa: NPY002  code under test may use it
    return np.random.default_rng(0)


@pytest.fixture
def torch():
    """PyTorch with one thread; the test is skipped where it is not installed."""
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed (extra: parity)")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield torch
    torch.set_num_threads(threads)


@pytest.fixture
def measured(request):
    """Call with a line of text: it is printed at the end of the test run."""
    return request.config.stash.setdefault(MEASURED, []).append


def pytest_terminal_summary(terminalreporter, config):
    lines = config.stash.get(MEASURED, [])
    if lines:
        terminalreporter.section("measured")
        for line in lines:
            terminalreporter.line(line)
