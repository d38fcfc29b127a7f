"""One video of a batch: what is asked for, where it goes, and what became of it.

Nothing here, nor in whatever plans and watches a batch, imports torch or a codec: the driver of a batch stays small,
and only workers know how a video is made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

Value = str | tuple[str, ...]
"""What stands behind one option, as the user would write it; several for options that may be given several times."""


@dataclass(frozen=True, slots=True)
class Item:
    """One video that is to be made.

    Attributes:
        number: from 1, in the order that the user gave.
        options: `retarget animate`'s long options without their dashes -> value, checked by `columns`; switches are
            "true". Without `output` and `overwrite`.
        source, driving: short names, for tables and templates.
        output: where it goes: a path with "/" inside the output folder.
        place: where the user asked for it, such as "pairs.csv, line 3"; may be empty.
    """

    number: int
    options: Mapping[str, Value]
    source: str
    driving: str
    output: str
    place: str = ""

    @property
    def key(self) -> str:
        """Hash of everything that was asked for; an item with another key is another item."""
        told = json.dumps({"options": dict(self.options), "output": self.output}, sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:32]


class State(Enum):
    """What became of an item."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Fault(Enum):
    """Why an item failed."""

    NONE = ""
    SAID = "said"
    """A `RetargetError`: bad input, nobody seen, disk full ... Asking again brings the same."""
    MEMORY = "memory"
    """It ran out of memory, or was killed by whoever watches over it."""
    CRASH = "crash"
    """Its process ended without a word."""
    TIMEOUT = "timeout"
    """It took longer than was allowed."""
    BUG = "bug"
    """An error that nobody expected."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one attempt.

    Attributes:
        fault: `Fault.NONE` where the video is finished.
        reason: one line, with its hint; empty where it is finished.
        seconds: of the attempt, by a clock that does not jump.
        frames: of the finished video.
        resumed: how many of them an earlier attempt had made.
        width, height: of the finished video.
        device: what computed.
        peak_mib: the most memory that the worker's process had held by then.
        size: bytes of the finished file (of all files, for a folder).
        sha256: of its content; for a folder, of all files' names and contents in order.
        notes: what the user should know.
    """

    fault: Fault = Fault.NONE
    reason: str = ""
    seconds: float = 0.0
    frames: int = 0
    resumed: int = 0
    width: int = 0
    height: int = 0
    device: str = ""
    peak_mib: float = 0.0
    size: int = 0
    sha256: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def state(self) -> State:
        """Done or failed."""
        return State.FAILED if self.fault.value else State.DONE
