"""What is shown while networks are trained: albums as they are made, then steps with their losses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from retarget_cli.cli.lesson_screen import Course
from retarget_cli.cli.progress import open_progress
from retarget_cli.cli.screen import Screen
from retarget_cli.core.progress import Progress

if TYPE_CHECKING:
    from retarget_cli.training.loop import Step

_LINE_SECONDS = 4.0
_NAME = "train"


class TrainView:
    """Progress, and a `workflows.train.Watcher` that writes a line every few seconds.

    Args:
        progress: of everything; of steps where `has_bar`.
        write: takes a line.
        has_bar: whether steps are also shown as a bar.
        clock: seconds.
    """

    def __init__(
        self,
        progress: Progress,
        write: Callable[[str], None],
        has_bar: bool = False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._progress, self._write, self._has_bar, self._clock = progress, write, has_bar, clock
        self._course = Course(clock)
        self._last = -_LINE_SECONDS + clock()

    def stage(self, name: str, done: int, total: int | None) -> None:
        self._progress.stage(name, done, total)

    def note(self, text: str) -> None:
        self._progress.note(text)

    def step(self, step: Step, steps: int) -> None:
        """One more step is done."""
        self._course.add(step, steps)
        if self._has_bar:
            self._progress.stage(_NAME, step.number, steps)
        if step.number != steps and self._clock() - self._last < _LINE_SECONDS:
            return
        self._last = self._clock()
        self._write(f"{_NAME}: {self._course.summary()}")
        for player, terms in step.losses.items():
            if len(terms) > 1:
                self._write(f"  {player}: {', '.join(f'{name} {value:.4g}' for name, value in terms.items())}")


@contextmanager
def open_training(screen: Screen) -> Iterator[TrainView]:
    """What suits the screen."""
    with open_progress(screen) as progress:
        yield TrainView(progress, screen.line, has_bar=screen.is_terminal)
