"""What a batch remembers: every item's state, in an SQLite file in the output folder.

A manifest that is opened to be worked with (`may_make=True`) holds `batch.lock` as long as it is open, so that two
drivers never work in one folder; the lock goes with its process, however that ends. Those who only read need no
lock, and never hold the file for longer than a page of rows takes, so that they don't stand in a driver's way.
Every change is on the disk when its method returns. Times are kept for people, and never compared: clocks jump.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from retarget_cli.batch import schema
from retarget_cli.batch.item import Item, Outcome, State
from retarget_cli.batch.wire import outcome_from_json, outcome_to_json

NAME = schema.NAME
# Rows that are read at a time: neither memory nor the time for which the file is held grows with their number.
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Added:
    """What `Manifest.add` found.

    Attributes:
        new: items that were unknown.
        known: items that were there, and asked for the same.
        changed: items that were there under the same output, and asked for something else.
    """

    new: int
    known: int
    changed: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One item and what became of it.

    Attributes:
        item: what is asked for.
        state: waiting, running, done or failed.
        attempts: how often it was begun.
        outcome: of the last attempt that ended; None before.
        begun, ended: of the last attempt, by the wall clock, for people; None before.
        worker: who has it, or had it last.
        in_plan: the last call asked for it; others are kept, but not run.
    """

    item: Item
    state: State
    attempts: int
    outcome: Outcome | None
    begun: str | None
    ended: str | None
    worker: str
    in_plan: bool


class Manifest:
    """See the module. Use it as a context manager, or call `close`. One thread at a time."""

    def __init__(self, folder: Path, connection: sqlite3.Connection, held: ExitStack) -> None:
        """Use `open`."""
        self.folder = folder
        self._base = connection
        self._held = held

    @classmethod
    def open(cls, folder: Path, *, may_make: bool) -> Manifest:
        """The manifest of an output folder.

        Args:
            folder: where outputs lie.
            may_make: to work with it: it is made where there is none, and nobody else may work with it meanwhile.
                Otherwise it is only read, and may be worked with by somebody else.

        Raises:
            InputError: there is none, or it is damaged, no manifest, or of a newer version.
            OutputError: it can't be written, or another driver is at work in this folder.
        """
        with ExitStack() as stack:
            if may_make:
                stack.enter_context(schema.locked(folder))
            connection = schema.connected(folder, may_make=may_make)
            stack.callback(connection.close)
            return cls(folder, connection, stack.pop_all())

    def __enter__(self) -> Manifest:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file and the lock; safe to call twice."""
        self._held.close()

    def add(self, items: Sequence[Item]) -> Added:
        """Take in what a call asks for, in one transaction. What is known keeps its state.

        Items that lie under a known output but ask for something else wait again. Items of earlier calls that are not
        among these stay listed, but are not run.
        """
        counts = {"new": 0, "known": 0, "changed": 0}
        with self._changing() as base:
            base.execute("UPDATE items SET is_old = 1 WHERE is_old = 0")
            for item in items:
                counts[_added(base, item)] += 1
        return Added(**counts)

    def waiting(self) -> Iterator[tuple[Item, int]]:
        """Items that wait, and how often each was tried, in order; read page by page."""
        query = "SELECT * FROM items WHERE is_old = 0 AND number > ? AND state = ? ORDER BY number LIMIT ?"
        last = 0
        while True:
            rows = self._read(query, (last, State.WAITING.value, _PAGE))
            for row in rows:
                last = row["number"]
                yield self._item(row), row["attempts"]
            if len(rows) < _PAGE:
                return

    def begin(self, number: int, worker: str) -> None:
        """An attempt at an item begins; what came of an earlier one is forgotten."""
        with self._changing() as base:
            changed = base.execute(
                "UPDATE items SET state = ?, attempts = attempts + 1, worker = ?, begun = ?, ended = NULL, "
                "outcome = NULL, seconds = NULL WHERE is_old = 0 AND number = ?",
                (State.RUNNING.value, _plain(worker), _now(), number),
            )
            _check_one(changed, number)

    def finish(self, number: int, outcome: Outcome) -> None:
        """An attempt at an item has ended."""
        with self._changing() as base:
            changed = base.execute(
                "UPDATE items SET state = ?, outcome = ?, seconds = ?, ended = ? WHERE is_old = 0 AND number = ?",
                (outcome.state.value, outcome_to_json(outcome), outcome.seconds, _now(), number),
            )
            _check_one(changed, number)

    def wait_again(self, numbers: Iterable[int]) -> None:
        """These items are to be made once more: their outputs are gone, or are not what was made."""
        with self._changing() as base:
            base.executemany(
                "UPDATE items SET state = ? WHERE is_old = 0 AND number = ?",
                ((State.WAITING.value, number) for number in numbers),
            )

    def reset_running(self) -> int:
        """Items that ran when their driver ended wait again.

        Returns:
            How many there were.
        """
        with self._changing() as base:
            changed = base.execute(
                "UPDATE items SET state = ? WHERE state = ?", (State.WAITING.value, State.RUNNING.value)
            )
            return changed.rowcount

    def counts(self) -> dict[State, int]:
        """How many of the last call's items there are in every state."""
        rows = self._read("SELECT state, count(*) AS total FROM items WHERE is_old = 0 GROUP BY state")
        found = {row["state"]: row["total"] for row in rows}
        return {state: found.get(state.value, 0) for state in State}

    def others(self) -> int:
        """How many items of earlier calls there are that the last one did not ask for."""
        return int(self._read("SELECT count(*) AS total FROM items WHERE is_old = 1")[0]["total"])

    def mean_seconds(self) -> float | None:
        """How long an item took, on an average of those that are done; None where none is."""
        query = "SELECT avg(seconds) AS mean FROM items WHERE is_old = 0 AND state = ?"
        mean = self._read(query, (State.DONE.value,))[0]["mean"]
        return None if mean is None else float(mean)

    def rows(self, state: State | None = None) -> Iterator[Entry]:
        """All items, or those in one state; the last call's first, in order; read page by page."""
        chosen, values = ("1", ()) if state is None else ("state = ?", (state.value,))
        last = (-1, 0, 0)
        while True:
            query = (
                f"SELECT * FROM items WHERE {chosen} AND (is_old, number, id) > (?, ?, ?) "
                "ORDER BY is_old, number, id LIMIT ?"
            )
            rows = self._read(query, (*values, *last, _PAGE))
            for row in rows:
                last = (row["is_old"], row["number"], row["id"])
                yield self._entry(row)
            if len(rows) < _PAGE:
                return

    def _entry(self, row: sqlite3.Row) -> Entry:
        try:
            state = State(row["state"])
            outcome = None if row["outcome"] is None else outcome_from_json(row["outcome"])
            times = row["begun"], row["ended"]
            return Entry(self._item(row), state, row["attempts"], outcome, *times, row["worker"], not row["is_old"])
        except ValueError as error:
            raise schema.no_manifest(self.folder / NAME) from error

    def _item(self, row: sqlite3.Row) -> Item:
        try:
            told = json.loads(row["options"]).items()
        except (ValueError, AttributeError) as error:
            raise schema.no_manifest(self.folder / NAME) from error
        options = {name: tuple(value) if isinstance(value, list) else value for name, value in told}
        return Item(row["number"], options, row["source"], row["driving"], row["output"], row["place"])

    def _read(self, query: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        with schema.translated(self.folder):
            return self._base.execute(query, values).fetchall()

    def _changing(self) -> schema.Transaction:
        return schema.Transaction(self.folder, self._base)


def _added(base: sqlite3.Connection, item: Item) -> str:
    """Take in one item: `new`, `known` or `changed`."""
    found = base.execute("SELECT id, key FROM items WHERE output = ?", (item.output,)).fetchone()
    about = (item.number, _plain(item.source), _plain(item.driving), _plain(item.place))
    options = json.dumps(dict(item.options), sort_keys=True)
    if found is None:
        base.execute(
            "INSERT INTO items (number, source, driving, place, output, key, options, state) VALUES (?,?,?,?,?,?,?,?)",
            (*about, item.output, item.key, options, State.WAITING.value),
        )
        return "new"
    base.execute(
        "UPDATE items SET is_old = 0, number = ?, source = ?, driving = ?, place = ? WHERE id = ?",
        (*about, found["id"]),
    )
    if found["key"] == item.key:
        return "known"
    base.execute(
        "UPDATE items SET key = ?, options = ?, state = ?, attempts = 0, worker = '', outcome = NULL, seconds = NULL, "
        "begun = NULL, ended = NULL WHERE id = ?",
        (item.key, options, State.WAITING.value, found["id"]),
    )
    return "changed"


def _check_one(changed: sqlite3.Cursor, number: int) -> None:
    if changed.rowcount != 1:
        raise ValueError(f"the manifest has no item {number} that is to be run")


def _plain(text: str) -> str:
    """Text that SQLite can keep: names of files may hold bytes that are no Unicode."""
    return text.encode("utf-8", "replace").decode()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
