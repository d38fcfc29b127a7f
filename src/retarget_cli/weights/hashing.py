"""Hashes of large files, remembered as long as the file does not change."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from pathlib import Path

from retarget_cli.core.errors import WeightsError

logger = logging.getLogger(__name__)

_CHUNK = 1024 * 1024


def sha256_of(path: Path) -> str:
    """Hexadecimal sha256 of a file's bytes; 500 MB take about a second.

    Raises:
        WeightsError: it can't be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise WeightsError(
            f"cannot read {path}: {error.strerror or error}", "check the path and its permissions"
        ) from error
    return digest.hexdigest()


class Ledger:
    """Hashes by path, size and time of change; kept in a small JSON file.

    A ledger that can't be read or written costs time, never an error.

    Args:
        path: of the JSON file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries = self._read()

    def sha256(self, path: Path, is_fresh: bool = False) -> str:
        """Of a file; hashed only when it is new or has changed.

        Args:
            is_fresh: hash it in any case.

        Raises:
            WeightsError: it can't be read.
        """
        try:
            status = path.stat()
        except OSError as error:
            raise WeightsError(
                f"cannot read {path}: {error.strerror or error}", "check the path and its permissions"
            ) from error
        name, seal = str(path.resolve()), [status.st_size, status.st_mtime_ns]
        known = self._entries.get(name)
        if known is not None and known[:2] == seal and not is_fresh:
            return str(known[2])
        digest = sha256_of(path)
        self._entries[name] = [*seal, digest]
        self._write()
        return digest

    def _read(self) -> dict[str, list[int | str]]:
        try:
            data = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            logger.debug("hashes that were kept in %s cannot be read: %s", self._path, error)
            return {}
        if not isinstance(data, dict):
            return {}
        return {name: entry for name, entry in data.items() if isinstance(entry, list) and len(entry) == 3}

    def _write(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=self._path.stem, suffix=".part")
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump(self._entries, stream, indent=1)
            os.replace(name, self._path)
        except OSError as error:
            logger.debug("hashes cannot be kept in %s: %s", self._path, error)
