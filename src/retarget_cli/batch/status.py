"""How far a batch is, read from its manifest; also while it runs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from retarget_cli.batch.item import State
from retarget_cli.batch.manifest import Entry, Manifest
from retarget_cli.batch.schema import is_at_work

# So many failures are kept for programs, and shown to people; the page of `retarget batch report` has them all.
MOST_KEPT, MOST_SHOWN = 1000, 20
_MOST_RUNNING = 1000
# Marks that turn the direction of what is written after them: a name could pretend to be another.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class Status:
    """How far a batch is.

    Attributes:
        folder: its manifest's.
        counts: of the items that the last call asked for, in every state.
        others: items of earlier calls that the last one did not ask for.
        running: what workers are at; items of a driver that was killed are among them until it is started again.
        failed: what failed, with its reasons; at most `MOST_KEPT`.
        seconds_left: an estimate; None before anything is done.
        is_live: whether a driver is at work; None where that can't be found out.
    """

    folder: Path
    counts: Mapping[State, int]
    others: int
    running: tuple[Entry, ...]
    failed: tuple[Entry, ...]
    seconds_left: float | None
    is_live: bool | None

    def text(self) -> str:
        """A plain table."""
        total = sum(self.counts.values())
        width = len(str(total))
        lines = [f"{self.folder}: {total} video{'s' * (total != 1)}" + self._manner()]
        lines += [f"  {state.value:<8} {self.counts[state]:>{width}}" for state in State]
        if self.others:
            lines.append(f"  and {self.others} of earlier calls, which the last one did not ask for")
        if self.seconds_left:
            lines.append(f"about {span(self.seconds_left)} left")
        if self.running:
            lines.append("running" if self.is_live is not False else "begun, and not finished")
            lines += [f"  {visible(entry.item.output)}  {_since(entry)}" for entry in self.running[:MOST_SHOWN]]
            lines += _more(len(self.running), self.counts[State.RUNNING])
        if self.failed:
            lines.append("failed")
            lines += [f"  {visible(entry.item.output)}  {_reason(entry)}" for entry in self.failed[:MOST_SHOWN]]
            lines += _more(len(self.failed), self.counts[State.FAILED])
        return "\n".join(lines)

    def data(self) -> dict[str, object]:
        """The same as JSON types."""
        return {
            "folder": str(self.folder),
            "counts": {state.value: self.counts[state] for state in State},
            "others": self.others,
            "is_live": self.is_live,
            "seconds_left": None if self.seconds_left is None else round(self.seconds_left, 1),
            "running": [
                {**_about(entry), "worker": entry.worker, "begun": entry.begun, "attempts": entry.attempts}
                for entry in self.running
            ],
            "failed": [
                {
                    **_about(entry),
                    "fault": entry.outcome.fault.value if entry.outcome else "",
                    "reason": entry.outcome.reason if entry.outcome else "",
                    "attempts": entry.attempts,
                    "ended": entry.ended,
                }
                for entry in self.failed
            ],
        }

    def _manner(self) -> str:
        if self.is_live:
            return ", at work"
        is_over = not self.counts[State.WAITING] and not self.counts[State.RUNNING]
        return "" if is_over or self.is_live is None else ", nobody is at work; the same command goes on"


def status(folder: Path) -> Status:
    """How far the batch of a folder is.

    Raises:
        InputError: there is none, or its manifest is damaged or of a newer version.
    """
    with Manifest.open(folder, may_make=False) as manifest:
        counts = manifest.counts()
        running = tuple(islice(_in_plan(manifest, State.RUNNING), _MOST_RUNNING))
        failed = tuple(islice(_in_plan(manifest, State.FAILED), MOST_KEPT))
        left = seconds_left(counts, manifest.mean_seconds(), len(running))
        return Status(folder, counts, manifest.others(), running, failed, left, is_at_work(folder))


def seconds_left(counts: Mapping[State, int], mean: float | None, workers: int) -> float | None:
    """An estimate from how long items took; what runs is half done, on an average."""
    if mean is None:
        return None
    return mean * (counts[State.WAITING] + counts[State.RUNNING] / 2) / max(1, workers)


def span(seconds: float) -> str:
    """A time as people say it: `2 h 05 min`, `3 min 20 s`, `12 s`."""
    whole = max(1, round(seconds))
    hours, minutes = whole // 3600, whole % 3600 // 60
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {whole % 60:02d} s" if minutes else f"{whole} s"


def visible(text: str) -> str:
    """A name for people: signs that can't be seen, move a cursor, or turn what follows them are written out."""
    return "".join(ascii(sign)[1:-1] if _is_hidden(sign) else sign for sign in text)


def _is_hidden(sign: str) -> bool:
    return sign in _TURNING or unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp")


def _in_plan(manifest: Manifest, state: State) -> Iterator[Entry]:
    return (entry for entry in manifest.rows(state) if entry.in_plan)


def _since(entry: Entry) -> str:
    return f"since {entry.begun}, attempt {entry.attempts}, {visible(entry.worker)}"


def _reason(entry: Entry) -> str:
    return visible(entry.outcome.reason if entry.outcome else "")


def _more(kept: int, total: int) -> list[str]:
    hidden = total - min(kept, MOST_SHOWN)
    return [f"  ... and {hidden} more; `retarget batch report` shows all"] if hidden > 0 else []


def _about(entry: Entry) -> dict[str, object]:
    item = entry.item
    return {"output": item.output, "source": item.source, "driving": item.driving, "place": item.place}
