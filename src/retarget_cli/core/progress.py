"""How workflows tell what they are doing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Called from any thread, often; must be quick."""

    def stage(self, name: str, done: int, total: int | None) -> None:
        """`done` of `total` (None: unknown) units of a stage are finished."""

    def note(self, text: str) -> None:
        """Something that the user should know, once."""


class Silence:
    """Tells nothing."""

    def stage(self, name: str, done: int, total: int | None) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""


def counted(items: Iterable[T], name: str, total: int | None, progress: Progress) -> Iterator[T]:
    """The same items, counted as they pass."""
    done = 0
    progress.stage(name, 0, total)
    for item in items:
        yield item
        done += 1
        progress.stage(name, done, total)
    progress.stage(name, done, done)
