"""Jobs in processes of their own, which end when we do."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

import torch

from retarget_cli.core.errors import BackendError

Job = TypeVar("Job")
Result = TypeVar("Result")


def prepare_process() -> None:
    """In a worker process: one thread, and leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)


def in_processes(work: Callable[[Job], Result], jobs: Sequence[Job], workers: int) -> Iterator[tuple[Job, Result]]:
    """Each job with its result, as they are finished; in this process where one worker is enough.

    Raises:
        BackendError: a process died.
    """
    if workers == 1 or len(jobs) <= 1:
        yield from ((job, work(job)) for job in jobs)
        return
    before = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(jobs)), mp_context=context, initializer=prepare_process)
    try:
        running = {pool.submit(work, job): job for job in jobs}
        waiting = set(running)
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield running[future], future.result()
        pool.shutdown()
    except BrokenProcessPool as error:
        raise BackendError(
            "a worker process died; perhaps memory ran out", "run the same command again with fewer --workers"
        ) from error
    finally:
        # Whatever is still at work when we are stopped need not be waited for.
        for child in set(multiprocessing.active_children()) - before:
            child.terminate()
        pool.shutdown(wait=True, cancel_futures=True)
