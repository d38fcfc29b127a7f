"""The first item of a stream, noted as it passes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def noting_first(items: Iterable[T], note: Callable[[T], object]) -> Iterator[T]:
    """The same items; `note` is told the first of them, before it is given out."""
    for number, item in enumerate(items):
        if number == 0:
            note(item)
        yield item
