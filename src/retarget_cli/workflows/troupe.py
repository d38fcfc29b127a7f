"""Performers that are ready, kept for the next clip: a batch shows one person in many motions."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from retarget_cli.backends.base import Backend, Performer
from retarget_cli.core.subject import Subject
from retarget_cli.workflows.cropping import Box


@dataclass(frozen=True, slots=True)
class Ready:
    """A person whom a method is ready to move.

    Attributes:
        backend: the method.
        subject: the person, in other clothes and with another background where that was asked for.
        performer: both together.
        box: where in the picture the method is at work; None: everywhere.
        notes: what the user should know of how it was made.
    """

    backend: Backend
    subject: Subject
    performer: Performer
    box: Box | None = None
    notes: tuple[str, ...] = ()


class Troupe:
    """The last few that were made ready, by what they were made of.

    Args:
        most: how many are kept; each holds a subject's pictures and what the method makes of them, 100 MB and more.
    """

    def __init__(self, most: int = 1) -> None:
        self._most = most
        self._kept: OrderedDict[str, Ready] = OrderedDict()

    def ready(self, key: str, make: Callable[[], Ready]) -> Ready:
        """The one of a key; made, where it is not there."""
        found = self._kept.get(key)
        if found is None:
            while len(self._kept) >= self._most:  # make room first: two at a time need twice the memory
                self._kept.popitem(last=False)
            found = self._kept[key] = make()
        self._kept.move_to_end(key)
        return found
