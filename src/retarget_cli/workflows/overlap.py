"""Run a stage of the pipeline ahead of the one that pulls from it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class _End(Generic[T]):
    error: BaseException | None


class StageIsOver(BaseException):
    """Nobody wants what this stage makes any more; raised in its thread where it would have waited."""


class _Stage(threading.Thread):
    """The thread of a stage."""

    def __init__(self, work: Callable[[], None], is_over: threading.Event) -> None:
        super().__init__(target=work, daemon=True)
        self.is_over = is_over


def rest(seconds: float) -> None:
    """Sleep; a stage that is to stop wakes at once.

    Raises:
        StageIsOver: this thread is a stage that is to stop.
    """
    stage = threading.current_thread()
    if not isinstance(stage, _Stage):
        time.sleep(seconds)
    elif stage.is_over.wait(seconds):
        raise StageIsOver


def _taken(items: queue.Queue[T]) -> T:
    """The next item. A stage that pulls from another is not held up by it when it is to stop."""
    stage = threading.current_thread()
    if not isinstance(stage, _Stage):
        return items.get()
    while not stage.is_over.is_set():
        try:
            return items.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            continue
    raise StageIsOver


@contextmanager
def overlapped(stage: Iterable[T], ahead: int) -> Iterator[Iterator[T]]:
    """Pull `stage` in a thread of its own, at most `ahead` items in advance (0: as many as come).

    The stage's error is raised where its next item would have come. Leaving the block stops and joins the thread,
    whatever happened, so that nothing outlives a run; the stage is closed in its own thread.
    """
    items: queue.Queue[T | _End[T]] = queue.Queue(maxsize=ahead)
    is_over = threading.Event()

    def put(item: T | _End[T]) -> bool:
        while not is_over.is_set():
            try:
                items.put(item, timeout=_POLL_SECONDS)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        error: BaseException | None = None
        try:
            iterator = iter(stage)
            try:
                for item in iterator:
                    if not put(item):
                        break
            finally:
                close = getattr(iterator, "close", None)
                if close is not None:
                    close()
        except BaseException as caught:  # handed over and raised by the thread that pulls
            error = caught
        put(_End(error))

    def pull() -> Iterator[T]:
        while True:
            item = _taken(items)
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item

    thread = _Stage(work, is_over)
    thread.start()
    try:
        yield pull()
    finally:
        is_over.set()
        thread.join()
