"""What a batch looks like: a live table on a terminal, a line an item elsewhere, or JSON lines."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from retarget_cli.batch.board import Board
from retarget_cli.batch.engine import Finished, Progressed, Started
from retarget_cli.batch.item import Item, Outcome, State
from retarget_cli.batch.status import span, visible
from retarget_cli.batch.watching import Again, Begun, Checked, Helped, News, Over, Watcher
from retarget_cli.cli.screen import Screen

if TYPE_CHECKING:
    from rich.table import Table

_GPU_SECONDS = 5.0
_MOST_SHOWN = 16
# What a screen of fewer signs a line shows.
_NARROW, _NARROW_SHOWN = 70, ("source", "stage", "done")


@contextmanager
def open_batch_screen(screen: Screen) -> Iterator[Watcher]:
    """What suits the screen."""
    if screen.is_json:
        yield JsonLines()
    elif screen.is_quiet or not screen.is_terminal:
        yield PlainLines(screen)
    else:
        yield from _live(screen)


def _live(screen: Screen) -> Iterator[Watcher]:
    from rich.live import Live

    table = LiveTable(screen)
    with Live(console=screen.console, get_renderable=table.table, refresh_per_second=4):
        yield table


def label(item: Item) -> str:
    """How a person calls an item."""
    return visible(f"{item.source} x {item.driving}")


class PlainLines:
    """A line for every item that is over."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def hear(self, news: News | None) -> None:
        """See `Watcher`."""
        text = told(news)
        if text:
            self._screen.line(text)


def told(news: News | None) -> str:
    """News that are worth a line; empty for others."""
    if isinstance(news, Begun):
        return _begun(news)
    if isinstance(news, Checked) and not news.is_intact:
        return f"{visible(news.item.output)}: is gone, or not what was made; it is made again"
    if isinstance(news, Again):
        return f"again: {label(news.attempt.job.item)}: {visible(news.attempt.outcome.reason)}"
    if isinstance(news, Over):
        return _ended(news)
    return ""


def _begun(news: Begun) -> str:
    waiting, done, failed = (news.counts.get(state, 0) for state in (State.WAITING, State.DONE, State.FAILED))
    before = [f"{done} done before"] * bool(done) + [f"{failed} failed before"] * bool(failed)
    workers = f"{news.workers} worker{'s' * (news.workers != 1)}"
    return f"batch: {', '.join([f'{waiting} to make', *before, workers])}"


def _ended(news: Over) -> str:
    item, outcome = news.attempt.job.item, news.attempt.outcome
    counts = news.counts
    over = counts.get(State.DONE, 0) + counts.get(State.FAILED, 0)
    place = f"[{over} of {sum(counts.values())}]"
    if outcome.state is State.FAILED:
        return f"{place} failed: {label(item)}: {visible(outcome.reason)}"
    frames = f"{outcome.frames} frame{'s' * (outcome.frames != 1)}"
    if outcome.resumed:
        frames += f", {outcome.resumed} of them made before,"
    return f"{place} {visible(item.output)}: {frames} in {outcome.seconds:.1f} s{_speed(outcome)}"


def _speed(outcome: Outcome) -> str:
    """In brackets; empty where nothing new was made."""
    made = outcome.frames - outcome.resumed
    if made <= 0 or outcome.seconds <= 0:
        return ""
    speed = made / outcome.seconds
    return f" ({speed:.0f} a second)" if speed >= 10 else f" ({speed:.1f} a second)"


class JsonLines:
    """One JSON object a line on stdout, for programs."""

    def hear(self, news: News | None) -> None:
        """See `Watcher`."""
        if news is not None:
            sys.stdout.write(json.dumps(as_data(news)) + "\n")  # ASCII: names may hold what no encoding has
            sys.stdout.flush()


def as_data(news: News) -> dict[str, Any]:
    """News as JSON types; `event` says what they are."""
    if isinstance(news, Begun):
        return {"event": "begun", "workers": news.workers, **counted(news.counts)}
    if isinstance(news, Checked):
        return {"event": "checked", "output": news.item.output, "intact": news.is_intact}
    if isinstance(news, Started):
        return {"event": "started", **_named(news.job.item), "worker": news.worker, "helps": news.job.is_help}
    if isinstance(news, Progressed):
        return {
            "event": "progress", "number": news.job.item.number, "stage": news.stage, "done": news.done,
            "total": news.total,
        }  # fmt: skip
    attempt = news.attempt
    event = {Again: "again", Helped: "helped"}.get(type(news), attempt.outcome.state.value)
    data = {"event": event, **_named(attempt.job.item), **outcome_data(attempt)}
    return {**data, **counted(news.counts)} if isinstance(news, Over) else data


def _named(item: Item) -> dict[str, Any]:
    return {"number": item.number, "source": item.source, "driving": item.driving, "output": item.output}


def outcome_data(attempt: Finished) -> dict[str, Any]:
    """What a program may want to know of an attempt."""
    outcome = attempt.outcome
    return {
        "reason": outcome.reason, "seconds": round(outcome.seconds, 3), "frames": outcome.frames,
        "resumed": outcome.resumed, "device": outcome.device, "peak_mib": round(outcome.peak_mib, 1),
        "notes": list(outcome.notes),
    }  # fmt: skip


def counted(counts: Any) -> dict[str, int]:
    """State -> how many items."""
    return {state.value: int(counts.get(state, 0)) for state in State}


class LiveTable:
    """What runs, drawn anew four times a second; and lines above it for what failed.

    Args:
        screen: takes the lines.
    """

    def __init__(self, screen: Screen) -> None:
        self._board, self._screen, self._gpu = Board(), screen, _Gpu()

    def hear(self, news: News | None) -> None:
        """See `Watcher`."""
        self._board.hear(news)
        is_worth_it = isinstance(news, Begun | Checked | Again) or (
            isinstance(news, Over) and news.attempt.outcome.state is State.FAILED
        )
        text = told(news) if is_worth_it else ""
        if text:
            self._screen.line(text)

    def table(self) -> Table:
        """What is drawn."""
        from rich.table import Table
        from rich.text import Text

        rows = self._board.rows()
        hidden = f"and {len(rows) - _MOST_SHOWN} more at work" if len(rows) > _MOST_SHOWN else None
        table = Table(
            title=self._title(), title_justify="left", caption=hidden, caption_justify="left", expand=True,
            show_edge=False,
        )  # fmt: skip
        for name in ("source", "driving", "stage", "done", "seconds", "worker"):
            is_name = name in ("source", "driving")  # these give way where the screen is narrow
            table.add_column(name, overflow="ellipsis", no_wrap=True, ratio=1 if is_name else None)
        now = time.monotonic()
        for row in rows[:_MOST_SHOWN]:
            done = f"{row.done} of {row.total}" if row.total else str(row.done or "")
            names = visible(row.item.source), visible(row.item.driving)
            cells = (*names, row.stage, done, f"{now - row.began:.0f}", visible(row.worker))
            table.add_row(*(Text(cell) for cell in cells))
        if self._screen.console.width < _NARROW:
            table.columns = [column for column in table.columns if column.header in _NARROW_SHOWN]
        return table

    def _title(self) -> str:
        counts = self._board.counts()
        if not counts:
            return "looking at what is there"
        done, failed = counts.get(State.DONE, 0), counts.get(State.FAILED, 0)
        parts = [f"{done} of {sum(counts.values())} done", f"{failed} failed", f"{self._board.speed():.1f} fps"]
        left = self._board.seconds_left()
        if left is not None:
            parts.append(f"{span(left)} left")
        usage = self._gpu.text()
        return ", ".join([*parts, usage] if usage else parts)


class _Gpu:
    """How busy the GPUs are, where NVIDIA's tool tells; asked now and then, in a thread of its own."""

    def __init__(self) -> None:
        self._tool = shutil.which("nvidia-smi")
        self._text = ""
        self._asked = 0.0

    def text(self) -> str:
        """`GPU 93 %`; empty where there is none."""
        now = time.monotonic()
        if self._tool is not None and now - self._asked > _GPU_SECONDS:
            self._asked = now
            threading.Thread(target=self._ask, daemon=True).start()
        return self._text

    def _ask(self) -> None:
        words = [str(self._tool), "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
        try:
            done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=_GPU_SECONDS)
        except (OSError, subprocess.SubprocessError):
            self._text = ""
            return
        shares = [line.strip() for line in done.stdout.splitlines() if line.strip().isdecimal()]
        self._text = f"GPU {', '.join(shares)} %" if shares else ""
