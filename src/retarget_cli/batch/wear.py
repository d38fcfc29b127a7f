"""When a worker has to make room for a fresh one, so that memory does not grow with the number of items."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from retarget_cli.core.memory import held_mib

_MOST_ITEMS = 500
_MOST_TIMES = 4.0
_MOST_MORE_MIB = 3072.0


@dataclass(slots=True)
class Wear:
    """Counts a worker's items, and watches what it still holds after each.

    Attributes:
        held: tells the resident memory, MiB; not a number where the system does not tell.
    """

    held: Callable[[], float] = held_mib
    _items: int = 0
    _first: float = field(default=float("nan"))

    def is_too_much(self) -> bool:
        """Called after every item: whether it should be the worker's last."""
        now = self.held()
        self._items += 1
        if self._items == 1:
            self._first = now
        # What is compared with something that is not a number is never too much.
        has_grown = now > _MOST_TIMES * self._first or now > self._first + _MOST_MORE_MIB
        return has_grown or self._items >= _MOST_ITEMS
