"""One attempt at an item, inside a worker's process. Whatever happens, an `Outcome` comes of it."""

from __future__ import annotations

import errno
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from retarget_cli.batch.engine import Event, Job, Progressed
from retarget_cli.batch.item import Fault, Outcome
from retarget_cli.batch.order import animate_options
from retarget_cli.batch.staging import Stage, deliver, staged
from retarget_cli.batch.verify import content_of
from retarget_cli.core.errors import RetargetError
from retarget_cli.core.memory import peak_mib
from retarget_cli.workflows import animate as workflow

if TYPE_CHECKING:
    from retarget_cli.workflows.troupe import Troupe

logger = logging.getLogger(__name__)

EVENTS_A_SECOND = 5
# How torch, CUDA, OpenCV and the C library say that memory is at its end; some raise a RuntimeError of no own class.
_SAY_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "insufficient memory",
    "alloc_failed",
    "bad_alloc",
)

Report = Callable[[Event], None]


def attempt(job: Job, report: Report, troupe: Troupe | None = None) -> Outcome:
    """Make what a job asks for.

    Args:
        job: what, and where to.
        report: told of progress, a few times a second, from any thread.
        troupe: performers of earlier items of this worker.

    Returns:
        What came of it; no `Exception` leaves this function.
    """
    started = time.perf_counter()
    try:
        outcome = _made(job, Throttle(job, report), troupe)
    except Exception as error:
        outcome = outcome_of(error)
    peak = peak_mib()
    return replace(
        outcome, seconds=time.perf_counter() - started, peak_mib=0.0 if math.isnan(peak) else round(peak, 1)
    )


def outcome_of(error: Exception) -> Outcome:
    """What an error means for whoever watches; the trace of one that nobody expected goes into the log."""
    if any(is_about_memory(each) for each in _chain(error)):
        logger.warning("out of memory", exc_info=error)
        return Outcome(Fault.MEMORY, f"out of memory: {told(error) or type(error).__name__}")
    if isinstance(error, RetargetError):
        return Outcome(Fault.SAID, " ".join(error.line.encode("utf-8", "backslashreplace").decode().split()))
    logger.error("nobody expected this", exc_info=error)
    return Outcome(Fault.BUG, f"unexpected {type(error).__name__}: {told(error)}")


def is_about_memory(error: BaseException) -> bool:
    """Whether an error says that memory, of the machine or of its GPU, is at its end."""
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, RetargetError):
        return False
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return any(words in str(error).lower() for words in _SAY_MEMORY)


def told(error: BaseException) -> str:
    """What an error says, in one line of bearable length: torch's and OpenCV's go on for pages."""
    text = " ".join(str(error).split())
    return text if len(text) <= 300 else f"{text[:297]}..."


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and those that it was raised from."""
    each: BaseException | None = error
    while each is not None:
        yield each
        each = each.__cause__


def _made(job: Job, progress: Throttle, troupe: Troupe | None) -> Outcome:
    with staged(job) as stage:
        outcome = _animated(job, stage, progress, troupe)
        if not job.is_help:
            deliver(job, stage.output)
        return outcome


def _animated(job: Job, stage: Stage, progress: Throttle, troupe: Troupe | None) -> Outcome:
    options = animate_options(stage.item, stage.output, window_share=job.window_share, is_helping=job.is_help)
    result = workflow.animate(options, stage.cache, progress, troupe)
    height, width = result.size
    outcome = Outcome(
        frames=result.frames,
        resumed=result.resumed,
        width=width,
        height=height,
        device=result.device,
        notes=result.notes,
    )
    if job.is_help:  # nothing is finished yet
        return outcome
    content = content_of(result.path)
    return replace(outcome, size=content.size, sha256=content.sha256)


class Throttle:
    """Progress as events: a few a second, and always the end of a stage.

    Args:
        job: that the events are of.
        report: takes them.
        clock: seconds.
    """

    def __init__(self, job: Job, report: Report, clock: Callable[[], float] = time.monotonic) -> None:
        self._job, self._report, self._clock = job, report, clock
        self._last: dict[str, tuple[float, int, int | None]] = {}
        self._lock = threading.Lock()

    def stage(self, name: str, done: int, total: int | None) -> None:
        """See `core.progress.Progress`."""
        now = self._clock()
        with self._lock:
            before = self._last.get(name)
            # Stages run side by side: each has its share, or the quickest would silence the others.
            pause = max(1, len(self._last)) / EVENTS_A_SECOND
            is_end = done == total
            is_known = before is not None and before[1:] == (done, total)
            if is_known or (before is not None and not is_end and now - before[0] < pause):
                return
            self._last[name] = now, done, total
            self._report(Progressed(self._job, name, done, total))

    def note(self, text: str) -> None:
        """Into the log: what the user should know is in the result."""
        logger.info("%s", text)
