"""Many independent training runs on all cores, one BLAS thread each, with one progress bar.

The matrices here are small: two threads in one product spend longer meeting than multiplying. So every run gets one
thread, and the cores get different runs. One thread also fixes the order of every sum: a run gives the same numbers
alone, in a pool, and on any number of cores.
"""

import ctypes
import multiprocessing
import os
import platform
import queue
import signal
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait

from threadpoolctl import threadpool_limits
from tqdm import tqdm

_ticks = None  # in a worker: the queue that its progress goes into


def cores():
    """How many processes can run at once here."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_jobs(function, jobs, *, total, unit, label, processes=None, progress=False):
    """Call ``function(job, tick)`` for every job, in several processes if there are several jobs and cores.

    A script that calls this, or an `experiment`, needs ``if __name__ == "__main__":``, since every new process reads
    the script first. Notebooks need nothing.

    Parameters
    ----------
    function : function
        A function of a module, so that a worker can import it. It calls ``tick(n)`` when it has done n more units.
    jobs : list
    total : int
        Units of work in all jobs together, the length of the progress bar.
    unit, label : str
        What a unit is called, and the bar.
    processes : int, optional
        All cores if left out. 1 runs the jobs here, one after the other.
    progress : bool
        Whether to show the bar, on standard error.

    Returns
    -------
    list
        What the calls returned, in the order of `jobs`. The first exception of a call is raised here and ends all.
    """
    processes = min(processes or cores(), len(jobs))
    with tqdm(total=total, unit=unit, desc=label, disable=not progress, unit_scale=total >= 10_000) as bar:
        if processes <= 1:
            with threadpool_limits(1):
                return [function(job, bar.update) for job in jobs]
        return _run_in_pool(function, jobs, total, processes, bar)


def _run_in_pool(function, jobs, total, processes, bar):
    """The part of `run_jobs` that needs several processes."""
    context = multiprocessing.get_context("spawn")  # a fresh Python each: forking beside BLAS threads can hang
    ticks = context.Queue()
    others = set(multiprocessing.active_children())
    try:
        with ProcessPoolExecutor(processes, context, initializer=_start_worker, initargs=(ticks,)) as pool:
            try:
                futures = [pool.submit(_work, function, job) for job in jobs]
                pending = set(futures)
                while pending:
                    done, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
                    bar.update(_drained(ticks))
                    for future in done:
                        future.result()  # raises what the job raised
                bar.update(total - bar.n)  # what is still on its way through the queue
                return [future.result() for future in futures]
            except BaseException:  # Ctrl-C too: leave nothing running
                for child in set(multiprocessing.active_children()) - others:
                    child.terminate()
                pool.shutdown(cancel_futures=True)
                raise
    finally:
        ticks.close()


def _drained(ticks):
    """The sum of what is in the queue now."""
    done = 0
    while True:
        try:
            done += ticks.get_nowait()
        except queue.Empty:
            return done


def _start_worker(ticks):
    """Run once in every worker: one BLAS thread; Ctrl-C is the parent's business."""
    global _ticks
    _ticks = ticks
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threadpool_limits(1)
    _keep_freed_memory()


def _keep_freed_memory():
    """Tell glibc to keep freed arrays for the next ones instead of handing them to the system and back at every op.

    Arrays of the circles have some 100 kB, just where glibc begins to do so; without that a run takes half the time.
    """
    if platform.libc_ver()[0] == "glibc":
        trim_threshold, mmap_threshold = -1, -3  # names of the settings in malloc.h
        libc = ctypes.CDLL(None)
        libc.mallopt(mmap_threshold, 32 * 2**20)  # bytes; 32 MiB is the most that glibc takes
        libc.mallopt(trim_threshold, 256 * 2**20)


def _work(function, job):
    """Run one job in a worker."""
    return function(job, _ticks.put)
