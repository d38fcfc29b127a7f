"""Run a stage of the pipeline ahead of the one that pulls from it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class _End(Generic[T]):
    error: BaseException | None


@contextmanager
def overlapped(stage: Iterable[T], ahead: int) -> Iterator[Iterator[T]]:
    """Pull `stage` in a thread of its own, at most `ahead` items in advance.

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
            item = items.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield pull()
    finally:
        is_over.set()
        thread.join()
