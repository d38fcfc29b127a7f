"""Progress for people: bars on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from retarget_cli.cli.screen import Screen
from retarget_cli.core.progress import Progress, Silence

if TYPE_CHECKING:
    from rich.progress import TaskID

_LINE_SECONDS = 4.0
_BAR_SECONDS = 0.1
UNITS = {
    "source": "pictures",
    "albums": "clips",
    "clips": "clips",
    "train": "steps",
    "evaluate": "clips",
    "pictures": "clips",
    "personalize": "steps",
}


@contextmanager
def open_progress(screen: Screen) -> Iterator[Progress]:
    """What suits the screen."""
    if screen.is_quiet:
        yield Silence()
    elif screen.is_terminal:
        with Bars(screen) as bars:
            yield bars
    else:
        yield Lines(screen.line)


@dataclass(slots=True)
class _Stage:
    started: float
    shown: float
    is_over: bool = False


class Lines:
    """Plain lines: at most one every few seconds, and one at the end of a stage.

    Args:
        write: takes a line.
        clock: seconds.
    """

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.perf_counter) -> None:
        self._write, self._clock = write, clock
        self._stages: dict[str, _Stage] = {}
        self._lock = threading.Lock()
        self._last = clock()

    def stage(self, name: str, done: int, total: int | None) -> None:
        now = self._clock()
        with self._lock:
            stage = self._stages.setdefault(name, _Stage(now, now))
            is_end = done > 0 and done == total
            if stage.is_over or not (is_end or now - self._last >= _LINE_SECONDS):
                return
            stage.is_over = is_end
            self._last = now
            self._write(describe(name, done, total, now - stage.started))

    def note(self, text: str) -> None:
        self._write(text)


def describe(name: str, done: int, total: int | None, seconds: float) -> str:
    """`render: 60 of 102 frames, 31 fps, 1 s left`."""
    unit = UNITS.get(name, "frames")
    is_over = done == total
    count = f"{done} of {total}" if total is not None and total > done else str(done)
    parts = [f"{name}: {count} {unit if done != 1 or not is_over else unit[:-1]}"]
    if seconds > 0.05 and done > 1 and unit != "pictures":
        rate = done / seconds
        if unit == "frames":
            parts.append(f"{rate:.1f} fps" if rate < 10 else f"{rate:.0f} fps")
        if total is not None and total > done:
            parts.append(f"{(total - done) / rate:.0f} s left")
    return ", ".join(parts)


class Bars:
    """Rich's bars, one a stage."""

    def __init__(self, screen: Screen) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        self._screen = screen
        self._bars = RichProgress(
            TextColumn("{task.description:>8}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:>8}"),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            console=screen.console,
        )
        self._tasks: dict[str, TaskID] = {}
        self._stages: dict[str, _Stage] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def stage(self, name: str, done: int, total: int | None) -> None:
        now = time.perf_counter()
        with self._lock:
            if name not in self._tasks:
                self._tasks[name] = self._bars.add_task(name, total=total, rate="")
                self._stages[name] = _Stage(now, 0.0)
            stage = self._stages[name]
            if now - stage.shown < _BAR_SECONDS and done != total:
                return
            stage.shown = now
            seconds = now - stage.started
            is_counted = done > 1 and seconds > 0.05 and name not in UNITS
            rate = f"{done / seconds:.1f} fps" if is_counted else ""
        self._bars.update(self._tasks[name], completed=done, total=total, rate=rate)

    def note(self, text: str) -> None:
        self._screen.line(text)
