"""The files of a cache: written whole, listed by last use, claimed by one process, removed without complaint."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from retarget_cli.core.closing import Closing

logger = logging.getLogger(__name__)

PARTIAL = ".partial"


@dataclass(frozen=True, slots=True, order=True)
class Kept:
    """Something that a cache holds, a file or a folder of files; orders by last use.

    Attributes:
        used: when it was last changed or touched, ns.
        size: bytes of all its files.
        path: where.
    """

    used: int
    size: int
    path: Path

    @classmethod
    def at(cls, path: Path) -> Kept | None:
        """What lies there; None where it has vanished."""
        try:
            status = path.stat()
        except OSError:
            return None
        if not path.is_dir():
            return cls(status.st_mtime_ns, status.st_size, path)
        parts = [part for part in map(cls.at, listed(path)) if part is not None]
        last = max([status.st_mtime_ns, *(part.used for part in parts)])
        return cls(last, sum(part.size for part in parts), path)

    def is_older(self, seconds: float) -> bool:
        """Whether it has not been used for so long."""
        return time.time_ns() - self.used > seconds * 1e9


class Claim(Closing):
    """The right to compute a result that several processes want; the system frees it when its holder dies.

    Nothing but saved work depends on it: where claims can't be made (a folder that is read-only, a file system
    without locks) everybody gets one.
    """

    def __init__(self, path: Path) -> None:
        # Whoever closes it may be another thread than the one that took it.
        self._lock = FileLock(path, thread_local=False)
        self._path = path
        self.is_held = False

    def take(self, seconds: float = 0.0) -> bool:
        """Wait at most so long for it; whether it is held now."""
        if self.is_held:
            return True
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=seconds, poll_interval=0.05)
            touch(self._path)
        except Timeout:
            return False
        except (OSError, NotImplementedError) as error:
            logger.debug("%s cannot be claimed: %s", self._path, error)
        self.is_held = True
        return True

    def close(self) -> None:
        """Let others have it."""
        self._lock.release()
        self.is_held = False


def listed(folder: Path, suffix: str = "") -> list[Path]:
    """What lies in a folder under a name that ends so; nothing where there is no folder."""
    try:
        return [path for path in folder.iterdir() if path.name.endswith(suffix)]
    except OSError:
        return []


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all, and its folder where there is none.

    Raises:
        OSError: it can't be written; nothing is left behind.
    """
    try:
        _write(path, content)
    except FileNotFoundError:  # another process removed the folder in this moment
        _write(path, content)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=PARTIAL)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        os.replace(name, path)
    except BaseException:
        remove(Path(name))
        raise


def touch(path: Path) -> None:
    """Mark as used."""
    try:
        # Access times are switched off on most systems: the change time serves as the time of last use.
        os.utime(path)
    except OSError as error:
        logger.debug("cannot mark %s as used: %s", path, error)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all files in it."""
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    except OSError as error:
        logger.debug("cannot remove %s: %s", path, error)
