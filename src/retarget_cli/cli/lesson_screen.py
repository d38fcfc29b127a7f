"""What is shown while networks learn somebody: losses, a picture that changes, the time that is left."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from retarget_cli.cli.screen import Screen
from retarget_cli.core.progress import Progress, Silence

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.segment import Segments

    from retarget_cli.core.subject import Image
    from retarget_cli.training.loop import Step

_LINE_SECONDS = 4.0
_REDRAW_SECONDS = 0.4
"""A picture of characters is tens of kilobytes: it is drawn when something has changed, and not too often."""
# Steps whose time is taken for that of those to come; and that a course shows.
_RECENT, _COURSE = 20, 32
_COLUMNS, _ROWS = 72, 20
_LEVELS = "▁▂▃▄▅▆▇█"


class LessonView(Progress, Protocol):
    """Progress, and a `workflows.lesson.Watcher`."""

    wants_pictures: bool

    def step(self, step: Step, steps: int) -> None:
        """See `Watcher`."""

    def picture(self, number: int, picture: Image) -> None:
        """See `Watcher`."""


@contextmanager
def open_lesson(screen: Screen) -> Iterator[LessonView]:
    """What suits the screen."""
    if screen.is_quiet:
        yield QuietLesson()
    elif screen.is_terminal:
        with LiveLesson(screen) as live:
            yield live
    else:
        yield LessonLines(screen.line)


class Course:
    """How a lesson goes: losses by name over the last steps, and how long they took.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.number, self.steps = 0, 0
        self.losses: dict[str, deque[float]] = {}
        self._clock = clock
        self._ends: deque[tuple[int, float]] = deque(maxlen=_RECENT + 1)

    def add(self, step: Step, steps: int) -> None:
        """One more step is done."""
        if not self._ends:
            self._ends.append((step.number - 1, self._clock() - step.seconds))
        self._ends.append((step.number, self._clock()))
        self.number, self.steps = step.number, steps
        for player, terms in step.losses.items():
            named = {player: sum(terms.values()), **({f"{player} {name}": each for name, each in terms.items()})}
            for name, value in named.items() if len(terms) > 1 else [(player, sum(terms.values()))]:
                self.losses.setdefault(name, deque(maxlen=_COURSE)).append(value)

    @property
    def rate(self) -> float:
        """Steps a second, pictures and savings between them included; 0 before it is known."""
        if len(self._ends) < 2:
            return 0.0
        (first, began), (last, ended) = self._ends[0], self._ends[-1]
        return (last - first) / max(ended - began, 1e-9)

    def summary(self) -> str:
        """`12 of 100 steps, generator 3.21, 0.8 steps/s, 1:50 left`."""
        losses = [f"{name} {values[-1]:.4g}" for name, values in self.losses.items() if " " not in name]
        return ", ".join([f"{self.number} of {self.steps} steps", *losses, self.pace()])

    def pace(self) -> str:
        """`0.8 steps/s, 1:50 left`."""
        rate = f"{self.rate:.2g} steps/s"
        if self.number >= self.steps:
            return rate
        return f"{rate}, {duration((self.steps - self.number) / max(self.rate, 1e-9))} left"


def duration(seconds: float) -> str:
    """`0:42`, `12:05`, `1:02:03`."""
    whole = round(min(seconds, 359_999))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def sparkline(values: deque[float]) -> str:
    """A course as blocks of eight heights, the lowest value at the bottom."""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    return "".join(_LEVELS[min(7, int(8 * (value - low) / span))] for value in values)


def blocks(picture: Image, columns: int, rows: int) -> Segments:
    """A picture of characters: each is two pixels, the upper one as its colour, the lower one as what is behind it.

    Args:
        picture: (H, W, 3) uint8.
        columns, rows: of characters that there is room for.
    """
    import cv2
    from rich.color import Color
    from rich.segment import Segment, Segments
    from rich.style import Style

    factor = min(columns / picture.shape[1], 2 * rows / picture.shape[0])
    width, height = max(1, round(picture.shape[1] * factor)), 2 * max(1, round(picture.shape[0] * factor / 2))
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    found: list[Segment] = []
    for upper, lower in zip(small[::2].tolist(), small[1::2].tolist(), strict=True):
        for (above, below), run in itertools.groupby(zip(upper, lower, strict=True)):
            style = Style(color=Color.from_rgb(*above), bgcolor=Color.from_rgb(*below))
            found.append(Segment("▀" * len(list(run)), style))
        found.append(Segment.line())
    return Segments(found)


class QuietLesson(Silence):
    """Shows nothing."""

    wants_pictures = False

    def step(self, step: Step, steps: int) -> None:
        """Nothing."""

    def picture(self, number: int, picture: Image) -> None:
        """Nothing."""


class LessonLines(QuietLesson):
    """Plain lines: the first step, at most one every few seconds, and the last step.

    Args:
        write: takes a line.
        clock: seconds.
    """

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.perf_counter) -> None:
        self._write, self._clock = write, clock
        self._course = Course(clock)
        self._last = -_LINE_SECONDS + clock()

    def stage(self, name: str, done: int, total: int | None) -> None:
        if done and done == total:
            self._write(f"{name}: {done} looked at")

    def note(self, text: str) -> None:
        self._write(text)

    def step(self, step: Step, steps: int) -> None:
        self._course.add(step, steps)
        if step.number == steps or self._clock() - self._last >= _LINE_SECONDS:
            self._last = self._clock()
            self._write(f"personalize: {self._course.summary()}")


class LiveLesson:
    """A terminal's part that is drawn again and again."""

    def __init__(self, screen: Screen) -> None:
        from rich.live import Live

        self._screen, self._course, self._stage = screen, Course(), ""
        self._picture: Image | None = None
        self._pictured = 0
        # Drawing takes a while, during which nothing else runs in this process: once a picture is enough.
        self._blocks: Segments | None = None
        # Colours and blocks are what a picture is made of.
        self.wants_pictures = screen.console.color_system is not None and can_draw(screen.console.encoding)
        self._live = Live(console=screen.console, get_renderable=self.render, auto_refresh=False, transient=True)
        self._drawn = 0.0

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
        if self._course.number:
            self._screen.line(f"personalize: {self._course.summary()}")

    def stage(self, name: str, done: int, total: int | None) -> None:
        self._stage = f"{name}: {done} of {total}" if total is not None and done < total else ""
        self._redraw()

    def note(self, text: str) -> None:
        self._screen.line(text)

    def step(self, step: Step, steps: int) -> None:
        self._course.add(step, steps)
        self._redraw()

    def picture(self, number: int, picture: Image) -> None:
        self._picture, self._pictured, self._blocks = picture, number, None
        self._redraw()

    def _redraw(self) -> None:
        if time.perf_counter() - self._drawn >= _REDRAW_SECONDS:
            self._live.refresh()
            self._drawn = time.perf_counter()

    def render(self) -> RenderableType:
        """Everything, as it is now."""
        from rich.console import Group
        from rich.padding import Padding
        from rich.progress_bar import ProgressBar
        from rich.text import Text

        course, console = self._course, self._screen.console
        parts: list[RenderableType] = []
        if self._stage:
            parts.append(Text(self._stage))
        if self._picture is not None:
            # Below the picture there must be room for the losses: a live part that is too high would flicker.
            rows = min(_ROWS, console.height - len(course.losses) - 6)
            if self._blocks is None and rows >= 4:
                self._blocks = blocks(self._picture, min(_COLUMNS, console.width - 1), rows)
            if self._blocks is not None:
                caption = f"after {self._pictured} steps: on the left the source, on the right the truth"
                parts += [self._blocks, Text(caption, style="dim")]
        if course.number:
            bar = ProgressBar(course.steps, course.number, width=min(_COLUMNS, console.width - 1))
            told = f"{course.number} of {course.steps} steps, {course.pace()}"
            # A bar alone would not end its line.
            parts += [self._table(), Padding(bar, 0), Text(told, no_wrap=True, overflow="ellipsis")]
        return Group(*parts)

    def _table(self) -> RenderableType:
        from rich.table import Table

        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(no_wrap=True)
        for name, values in list(self._course.losses.items()):
            is_sum = " " not in name
            table.add_row(
                name if is_sum else "  " + name.partition(" ")[2],
                f"{values[-1]:.4f}",
                sparkline(values) if can_draw(self._screen.console.encoding) else "",
                style="bold" if is_sum else "",
            )
        return table


def can_draw(encoding: str) -> bool:
    """Whether block characters can be written at all."""
    try:
        ("▀" + _LEVELS).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
