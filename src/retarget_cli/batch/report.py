"""A page about a batch: what was made, how fast, what failed and why. One file that asks nothing of any network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Protocol

from retarget_cli.batch.item import State
from retarget_cli.batch.manifest import Entry, Manifest
from retarget_cli.batch.plan import backend_of
from retarget_cli.batch.report_page import COLUMNS, Facts, Failure, Row, page
from retarget_cli.batch.status import visible
from retarget_cli.core.files import write_whole
from retarget_cli.core.progress import Progress, Silence

FILE = "report.html"
MOST_PICTURES = 500
# Lines of the table, at most; counts and times are always those of all items.
MOST_ROWS = 100_000
MOST_FAILURES = 200


class Ledger(Protocol):
    """What is needed of a manifest."""

    def rows(self, state: State | None = None) -> Iterator[Entry]:
        """Items in order; of one state, or all."""

    def counts(self) -> dict[State, int]:
        """How many items are in each state."""


def write_report(
    folder: Path, output: Path | None = None, progress: Progress | None = None, max_pictures: int = MOST_PICTURES
) -> Path:
    """Write the page of a batch; works while the batch runs.

    Args:
        folder: the batch's output folder.
        output: the page; None: report.html in the folder.
        progress: told how many outputs have their pictures.
        max_pictures: outputs that are shown in pictures, at most: evenly chosen among those that are finished.

    Returns:
        Where the page is.

    Raises:
        InputError: the folder holds no batch.
        OutputError: the page can't be written.
    """
    with Manifest.open(folder, may_make=False) as manifest:
        text = report_text(folder, manifest, progress or Silence(), max_pictures)
    path = folder / FILE if output is None else output
    return write_whole(path, text.encode("utf-8"), "choose another --page")


def report_text(folder: Path, ledger: Ledger, progress: Progress, max_pictures: int = MOST_PICTURES) -> str:
    """The page itself."""
    counts = {state: ledger.counts().get(state, 0) for state in State}
    found = _Collected(every=max(1, -(-counts[State.DONE] // max(1, max_pictures))))
    for entry in ledger.rows():
        found.add(entry)
    chosen = found.shown[: max(0, max_pictures)]
    pictures = _pictures(folder, chosen, progress)
    facts = Facts(
        title=visible(folder.resolve().name or str(folder)),
        counts={state.value: count for state, count in counts.items()},
        work_seconds=found.seconds,
        wall_seconds=found.wall_seconds,
        frames=found.frames,
        made=found.made,
        rows_left_out=sum(counts.values()) - len(found.rows),
        without_picture=counts[State.DONE] - len(chosen),
        unreadable=len(chosen) - len(pictures),
    )
    return page(facts, found.rows, list(islice(_failures(ledger), MOST_FAILURES)), pictures)


@dataclass(slots=True)
class _Collected:
    """What one pass over all items gives; of each item little more than its line."""

    every: int
    rows: list[Row] = field(default_factory=list)
    shown: list[tuple[int, str]] = field(default_factory=list)
    seconds: float = 0.0
    frames: int = 0
    made: int = 0
    _done: int = 0
    _first: datetime | None = None
    _last: datetime | None = None

    def add(self, entry: Entry) -> None:
        """One item."""
        if len(self.rows) < MOST_ROWS:
            self.rows.append(_row(entry))
        if entry.outcome is None:
            return
        self.seconds += entry.outcome.seconds
        if entry.state is State.DONE:
            self._add_done(entry)

    def _add_done(self, entry: Entry) -> None:
        assert entry.outcome is not None
        if self._done % self.every == 0:
            self.shown.append((entry.item.number, entry.item.output))
        self._done += 1
        self.frames += entry.outcome.frames
        begun, ended = _moment(entry.begun), _moment(entry.ended)
        if begun is None or ended is None or ended < begun:  # the clock was set back meanwhile
            return
        self.made += 1
        self._first = begun if self._first is None else min(self._first, begun)
        self._last = ended if self._last is None else max(self._last, ended)

    @property
    def wall_seconds(self) -> float:
        """From the first begin to the last end of what is done, by the wall clock."""
        if self._first is None or self._last is None:
            return 0.0
        return (self._last - self._first).total_seconds()


def _moment(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.astimezone()


def _row(entry: Entry) -> Row:
    item, outcome = entry.item, entry.outcome
    told: dict[str, str | int | float | None] = {
        "number": item.number,
        "state": entry.state.value,
        "source": visible(item.source),
        "driving": visible(item.driving),
        "backend": visible(backend_of(item.options)),
        "attempts": entry.attempts,
        "output": visible(item.output),
        "device": "",
        "reason": "",
    }
    if outcome is not None:
        made = outcome.frames - outcome.resumed
        is_timed = outcome.seconds > 0 and made > 0
        told |= {
            "frames": outcome.frames or None,
            "seconds": round(outcome.seconds, 2),
            "fps": round(made / outcome.seconds, 2) if is_timed else None,
            "device": visible(outcome.device.partition(": ")[0]),
            "peak": round(outcome.peak_mib) or None,
            "reason": visible("; ".join([outcome.reason, *outcome.notes] if outcome.reason else outcome.notes)),
        }
    return tuple(told.get(name) for name in COLUMNS)


def _failures(ledger: Ledger) -> Iterator[Failure]:
    for entry in ledger.rows(State.FAILED):
        item = entry.item
        reason = entry.outcome.reason if entry.outcome is not None else ""
        kind = entry.outcome.fault.value if entry.outcome is not None else ""
        yield Failure(item.number, *map(visible, (item.source, item.driving, item.place, kind, reason)))


def _pictures(folder: Path, chosen: list[tuple[int, str]], progress: Progress) -> Mapping[int, tuple[str, ...]]:
    """By number, of those that can be read."""
    if not chosen:
        return {}
    from retarget_cli.batch.thumbnails import thumbnails  # codecs: heavy, and not needed by whoever runs a batch

    found = {}
    for done, (number, output) in enumerate(chosen, start=1):
        name = PurePosixPath(output)
        if not name.is_absolute() and ".." not in name.parts:
            pictures = thumbnails(folder / name)
            if pictures:
                found[number] = pictures
        progress.stage("pictures", done, len(chosen))
    return found
