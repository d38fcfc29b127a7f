"""How far a batch is at this moment: what runs, how fast, how long still."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, replace

from retarget_cli.batch.engine import Progressed, Started
from retarget_cli.batch.item import Item, State
from retarget_cli.batch.watching import Begun, News, Over

# Speed is what was made in the last so many seconds.
_MEMORY_SECONDS = 60.0
# No film is gone on with that has fewer frames already; of one that begins, the first frame is told.
_LEAST_SEGMENT = 16


@dataclass(slots=True)
class Row:
    """An item that a worker is at.

    Attributes:
        item: see there.
        worker: its name.
        began: by `time.monotonic`.
        stage, done, total: what it does, and how far it is; total is None where it is unknown.
    """

    item: Item
    worker: str
    began: float
    stage: str = ""
    done: int = 0
    total: int | None = None


class Board:
    """Hears everything, and tells when asked; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[int, Row] = {}
        self._counts: dict[State, int] = {}
        self._lately: deque[tuple[float, int]] = deque()
        self._ended: deque[float] = deque(maxlen=200)
        self._began = time.monotonic()
        self.frames = 0

    def hear(self, news: News | None) -> None:
        """See `Watcher`."""
        with self._lock:
            if isinstance(news, Begun):
                self._counts, self._began = dict(news.counts), time.monotonic()
            elif isinstance(news, Started) and not news.job.is_help:
                self._rows[news.job.item.number] = Row(news.job.item, news.worker, time.monotonic())
            elif isinstance(news, Progressed):
                self._progressed(news)
            elif isinstance(news, Over):
                self._counts = dict(news.counts)
                self._rows.pop(news.attempt.job.item.number, None)
                self._ended.append(time.monotonic())

    def _progressed(self, news: Progressed) -> None:
        row = self._rows.get(news.job.item.number)
        if row is None:
            return
        is_rendering = news.stage == "render"
        if is_rendering:
            made = max(0, news.done - (row.done if row.stage == "render" else 0))
            if row.stage != "render" and made >= _LEAST_SEGMENT:  # an earlier attempt made these
                made = 0
            self.frames += made
            self._lately.append((time.monotonic(), made))
        if is_rendering or row.stage != "render":  # perception runs ahead, and is of no interest then
            row.stage, row.done, row.total = news.stage, news.done, news.total

    def rows(self) -> list[Row]:
        """What runs, in the order of beginning."""
        with self._lock:
            return [replace(row) for row in self._rows.values()]

    def counts(self) -> dict[State, int]:
        """Items by state, as they were when the last one was over."""
        with self._lock:
            return dict(self._counts)

    def speed(self) -> float:
        """Frames a second, lately."""
        now = time.monotonic()
        with self._lock:
            while self._lately and now - self._lately[0][0] > _MEMORY_SECONDS:
                self._lately.popleft()
            span = min(_MEMORY_SECONDS, max(now - self._began, 1.0))
            return sum(made for _, made in self._lately) / span

    def seconds_left(self) -> float | None:
        """By the pace of the items that are over; None while there is none, or nothing is left."""
        with self._lock:
            left = sum(self._counts.get(state, 0) for state in (State.WAITING, State.RUNNING))
            if not self._ended or not left:
                return None
            return left * (self._ended[-1] - self._began) / len(self._ended)
