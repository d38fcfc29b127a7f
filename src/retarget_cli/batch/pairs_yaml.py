"""Pairs in YAML: a list of plain mappings.

They are read from a parser's events, not from objects that it makes: a tag, an anchor or anything nested ends it at
once, so that a small file can't become a large one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import yaml

from retarget_cli.batch.pairs_text import Cells, at, lines, new_name
from retarget_cli.core.errors import InputError

EXAMPLE = "write a list of mappings, such as - {source: a.jpg, driving: b.mp4}"


def yaml_rows(path: Path) -> Iterator[tuple[int, Cells]]:
    """The rows of a YAML file, with the lines that they begin in.

    Raises:
        InputError: it is no list of plain mappings.
        UsageError: a column is unknown, or stands in a row twice.
    """
    try:
        events = _Events(path, yaml.parse(_Text(lines(path)), Loader=yaml.SafeLoader))
        events.skip(yaml.StreamStartEvent, yaml.DocumentStartEvent)
        if isinstance(events.event, yaml.StreamEndEvent):
            return
        events.expect(yaml.SequenceStartEvent, "expected a list of rows, each beginning with a dash")
        while not isinstance(events.event, yaml.SequenceEndEvent):
            number = events.line
            yield number, _yaml_row(path, events)
        events.next()
        events.skip(yaml.DocumentEndEvent)
        events.expect(yaml.StreamEndEvent, "expected one document")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = str(path) if mark is None else at(path, mark.line + 1)
        reason = " ".join(str(getattr(error, "problem", None) or error).split())
        raise InputError(f"{place}: {reason}", EXAMPLE) from error


class _Text:
    """Checked lines as a file that a YAML reader can read."""

    def __init__(self, lines: Iterable[tuple[int, str]]) -> None:
        self._lines = iter(lines)

    def read(self, _: int = -1) -> str:
        """The next line; empty at the end."""
        return next(self._lines, (0, ""))[1]


class _Events:
    """YAML events with a look at the next one; refuses whatever points elsewhere or asks for a type."""

    def __init__(self, path: Path, events: Iterator[Any]) -> None:
        self._path, self._events = path, events
        self.event: Any = None
        self.next()

    @property
    def line(self) -> int:
        """Where the next event stands, from 1."""
        return int(self.event.start_mark.line) + 1 if self.event is not None else 1

    def next(self) -> Any:
        """Take an event."""
        taken = self.event
        self.event = next(self._events, None)
        if getattr(self.event, "anchor", None) is not None:  # of an alias as well
            self.refuse("anchors and aliases are not read")
        if getattr(self.event, "tag", None) is not None:
            self.refuse("tags are not read")
        return taken

    def skip(self, *kinds: type) -> None:
        """Take the next events while they are of these kinds."""
        while isinstance(self.event, kinds):
            self.next()

    def expect(self, kind: type, otherwise: str) -> Any:
        """Take an event of this kind."""
        if not isinstance(self.event, kind):
            self.refuse(otherwise)
        return self.next()

    def refuse(self, reason: str) -> NoReturn:
        """Say what is wrong, and where."""
        raise InputError(f"{at(self._path, self.line)}: {reason}", EXAMPLE)


def _yaml_row(path: Path, events: _Events) -> Cells:
    events.expect(yaml.MappingStartEvent, "expected a row of names and values")
    cells: Cells = {}
    while not isinstance(events.event, yaml.MappingEndEvent):
        number = events.line
        written = events.expect(yaml.ScalarEvent, "expected the name of a column")
        name = new_name(path, number, written.value, cells)
        cells[name] = _yaml_values(name, events)
    events.next()
    return cells


def _yaml_values(name: str, events: _Events) -> list[str]:
    expected = f"column {name}: expected one value or a list of values"
    if not isinstance(events.event, yaml.SequenceStartEvent):
        scalar = events.expect(yaml.ScalarEvent, expected)
        is_nothing = scalar.implicit[0] and scalar.value in ("", "~", "null", "Null", "NULL")
        return [] if is_nothing else [scalar.value]
    events.next()
    values: list[str] = []
    while not isinstance(events.event, yaml.SequenceEndEvent):
        values.append(events.expect(yaml.ScalarEvent, expected).value)
    events.next()
    return values
