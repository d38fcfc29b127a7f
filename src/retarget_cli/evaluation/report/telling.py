"""How writing a report tells how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called often; must be quick."""

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
