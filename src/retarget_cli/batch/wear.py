"""When a worker has to make room for a fresh one, so that memory does not grow with the number of items."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from retarget_cli.batch.item import Fault, Outcome
from retarget_cli.core.memory import held_mib

# After these nobody knows what state torch, CUDA or the heap are in.
_SPOILING = {Fault.MEMORY, Fault.BUG}
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

    def is_too_much(self, outcome: Outcome) -> bool:
        """Called with what came of every item: whether it should be the worker's last."""
        now = self.held()
        self._items += 1
        if self._items == 1:
            self._first = now
        # What is compared with something that is not a number is never too much.
        has_grown = now > _MOST_TIMES * self._first or now > self._first + _MOST_MORE_MIB
        return outcome.fault in _SPOILING or has_grown or self._items >= _MOST_ITEMS
