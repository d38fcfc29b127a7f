"""What is told to whoever looks on while a batch runs: a screen, an endpoint for monitors, a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from retarget_cli.batch.engine import Finished, Progressed, Started
from retarget_cli.batch.item import Item, State

Counts = Mapping[State, int]


@dataclass(frozen=True, slots=True)
class Checked:
    """A finished output of an earlier run was looked at."""

    item: Item
    is_intact: bool


@dataclass(frozen=True, slots=True)
class Begun:
    """The engine is about to start, with so many workers."""

    counts: Counts
    workers: int


@dataclass(frozen=True, slots=True)
class Again:
    """An attempt failed, and there will be another."""

    attempt: Finished


@dataclass(frozen=True, slots=True)
class Helped:
    """A worker has helped with another's film, or could not."""

    attempt: Finished


@dataclass(frozen=True, slots=True)
class Over:
    """An item is done, or has failed for good."""

    attempt: Finished
    counts: Counts


News = Checked | Begun | Started | Progressed | Again | Helped | Over


class Watcher(Protocol):
    """Looks on, in the driver's thread."""

    def hear(self, news: News | None) -> None:
        """Must be quick. None: nothing happened for half a second."""
