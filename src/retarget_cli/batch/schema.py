"""The file that a manifest lies in: made, locked, checked, and its errors in plain words."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from retarget_cli.core.errors import InputError, OutputError
from retarget_cli.core.version import installed_version

NAME, LOCK = "batch.sqlite", "batch.lock"
VERSION = 1
REMAKE = "move batch.sqlite away: what is finished stays, and the same command makes a new one"
# Readers hold the file for a moment only.
_PATIENCE_SECONDS = 30.0
# `is_at_work` holds the lock for a moment.
_LOCK_PATIENCE_SECONDS = 1.0
_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE items (
    id INTEGER PRIMARY KEY,
    number INTEGER NOT NULL,
    is_old INTEGER NOT NULL DEFAULT 0,
    output TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL,
    options TEXT NOT NULL,
    source TEXT NOT NULL,
    driving TEXT NOT NULL,
    place TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    worker TEXT NOT NULL DEFAULT '',
    outcome TEXT,
    seconds REAL,
    begun TEXT,
    ended TEXT
);
CREATE INDEX by_number ON items (is_old, number, id);
CREATE INDEX by_state ON items (is_old, state, number);
"""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the only driver in a folder, which is made where there is none.

    Raises:
        OutputError: there is another, or the folder can't be written.
    """
    lock = FileLock(folder / LOCK)
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"--output {folder}: is a file, expected a folder", "name another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=_LOCK_PATIENCE_SECONDS, poll_interval=0.05)
    except Timeout as error:
        raise OutputError(
            f"{folder}: another `retarget batch` is at work there",
            "wait for it, or choose another --output; `retarget batch status` shows how far it is",
        ) from error
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(
            f"can't lock {folder / LOCK}: {reason}", "choose an --output folder that is writable and knows locks"
        ) from error
    try:
        yield
    finally:
        lock.release()


def is_at_work(folder: Path) -> bool | None:
    """Whether a driver is at work in a folder; None where that can't be found out."""
    if not (folder / LOCK).exists():
        return False
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    except (OSError, NotImplementedError):
        return None
    lock.release()
    return False


def connected(folder: Path, *, may_make: bool) -> sqlite3.Connection:
    """The open file, checked.

    Raises:
        InputError: there is none, or it is damaged, no manifest, or of a newer version.
        OutputError: it can't be made or written.
    """
    path = folder / NAME
    if not may_make and not path.is_file():
        raise InputError(f"{folder} holds no batch: there is no {NAME} in it", "name a folder that a batch was made in")
    with translated(folder):
        # Never mode=ro: what a killed driver has left half done is put right by whoever comes first.
        mode = "rwc" if may_make else "rw"
        base = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=_PATIENCE_SECONDS, isolation_level=None
        )
        try:
            base.row_factory = sqlite3.Row
            if may_make:
                _made(folder, base)
            else:
                base.execute("PRAGMA query_only = ON")
            _check_version(path, base)
            if may_make:
                _check_whole(path, base)
        except BaseException:
            base.close()
            raise
    return base


class Transaction:
    """All changes of a block or none of them; a block that ends well is on the disk."""

    def __init__(self, folder: Path, base: sqlite3.Connection) -> None:
        self._folder, self._base = folder, base

    def __enter__(self) -> sqlite3.Connection:
        with translated(self._folder):
            if self._base.in_transaction:  # the user stopped it before its block had begun
                self._base.execute("ROLLBACK")
            self._base.execute("BEGIN IMMEDIATE")
        return self._base

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with translated(self._folder):
            try:
                if error is not None:
                    raise error
                self._base.execute("COMMIT")
            except BaseException:
                if self._base.in_transaction:  # a full disk may have ended it already
                    self._base.execute("ROLLBACK")
                raise


@contextmanager
def translated(folder: Path) -> Iterator[None]:
    """Errors of SQLite as ours.

    Raises:
        InputError: the file is damaged, or no manifest.
        OutputError: the file can't be written, or somebody holds it.
    """
    path = folder / NAME
    try:
        yield
    except sqlite3.OperationalError as error:
        text = str(error)
        if "no such" in text or "decode" in text:  # a table or column; bytes that are no text
            raise no_manifest(path) from error
        hints = {
            "full": "make room; nothing that is finished is lost, and the same command goes on",
            "locked": "another program holds the file, or the file system knows no locks: choose another --output",
        }
        hint = next((hint for word, hint in hints.items() if word in text), "check that the folder is writable")
        raise OutputError(f"can't work with {path}: {text}", hint) from error
    except sqlite3.DatabaseError as error:
        raise InputError(f"{path} is damaged, or no manifest of a batch: {error}", REMAKE) from error


def _made(folder: Path, base: sqlite3.Connection) -> None:
    """The tables, where the file is new."""
    base.execute("PRAGMA synchronous = FULL")
    if base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return
    with Transaction(folder, base):
        for statement in _TABLES.split(";"):
            base.execute(statement)
        facts = {"schema_version": str(VERSION), "made_by": installed_version() or "unknown"}
        base.executemany("INSERT INTO meta (name, value) VALUES (?, ?)", facts.items())


def _check_version(path: Path, base: sqlite3.Connection) -> None:
    facts = {row["name"]: row["value"] for row in base.execute("SELECT name, value FROM meta")}
    version = str(facts.get("schema_version", ""))
    if re.fullmatch("[1-9][0-9]{0,8}", version) is None:
        raise no_manifest(path)
    if int(version) > VERSION:
        raise InputError(
            f"{path} was made by a newer retarget ({facts.get('made_by', 'unknown')}): its format is {version}, "
            f"this one knows {VERSION}",
            "update retarget, or choose another --output",
        )


def _check_whole(path: Path, base: sqlite3.Connection) -> None:
    told = base.execute("PRAGMA quick_check(1)").fetchone()[0]
    if told != "ok":
        raise InputError(f"{path} is damaged: {' '.join(str(told).split())}", REMAKE)


def no_manifest(path: Path) -> InputError:
    """The error for a file that holds something else, or something that can't be understood."""
    return InputError(f"{path} is no manifest of a batch", REMAKE)
