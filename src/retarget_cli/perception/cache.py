"""Results of perception, kept on disk so that a second run on the same file skips them."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from retarget_cli.core.errors import InputError, UsageError

logger = logging.getLogger(__name__)

FORMAT_VERSION = 1
"""Part of every key: raise it whenever what is stored, or how it is computed, changes."""

_DEFAULT_LIMIT = 2 * 1024**3
_SUFFIX = ".safetensors"
_PARTIAL = ".partial"
_CHUNK = 1024 * 1024

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """What a cache holds.

    Attributes:
        folder: where.
        entries: how many results.
        bytes_used: their size together.
        limit_bytes: what the size is kept under.
        is_writable: whether results can be kept at all.
    """

    folder: Path
    entries: int
    bytes_used: int
    limit_bytes: int
    is_writable: bool


class Cache:
    """A folder of arrays by key; the least recently used go first.

    Any number of processes may share it: entries appear whole, under names that their keys give. A cache that
    cannot be written says so once and then keeps nothing; a damaged entry is removed and counts as absent.

    Args:
        folder: made when the first entry is put.
        limit_bytes: 0 keeps nothing.
    """

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes
        self._has_failed = False

    def get(self, key: str) -> Arrays | None:
        """The arrays put under a key, or None."""
        path = self._path(key)
        try:
            arrays: Arrays = load(path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            logger.debug("cache entry %s cannot be read: %s", path, error)
            return None
        except (SafetensorError, ValueError, KeyError) as error:
            logger.warning("removed a damaged cache entry: %s (%s)", path, error)
            _remove(path)
            return None
        _touch(path)
        return arrays

    def put(self, key: str, arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> None:
        """Keep arrays under a key; never raises for a disk that is full or forbidden.

        Args:
            key: from `cache_key`.
            arrays: what to keep.
            metadata: for whoever looks at the file; not given back.
        """
        if self._has_failed:
            return
        content = save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, dict(metadata))
        if len(content) > self.limit_bytes:
            return
        try:
            _write_whole(self._path(key), content)
            self._shrink()
        except OSError as error:
            self._has_failed = True
            logger.warning("results cannot be cached in %s: %s", self.folder, error)

    def info(self) -> CacheInfo:
        """What is in there now."""
        files = self._entries()
        writable = self.folder
        while not writable.exists() and writable != writable.parent:
            writable = writable.parent
        can_write = writable.is_dir() and os.access(writable, os.W_OK)
        return CacheInfo(
            self.folder, len(files), sum(size for _, size, _ in files), self.limit_bytes, can_write
        )

    def clear(self) -> int:
        """Remove every entry; returns how many there were."""
        files = self._entries()
        for _, _, path in files:
            _remove(path)
        for path in self._listed(_PARTIAL):
            _remove(path)
        return len(files)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}{_SUFFIX}"

    def _listed(self, suffix: str) -> list[Path]:
        try:
            return [path for path in self.folder.iterdir() if path.name.endswith(suffix)]
        except OSError:
            return []

    def _entries(self) -> list[tuple[int, int, Path]]:
        """(last use in ns, bytes, path), least recently used first; any may vanish meanwhile."""
        found = []
        for path in self._listed(_SUFFIX):
            try:
                status = path.stat()
            except OSError:
                continue
            found.append((status.st_mtime_ns, status.st_size, path))
        return sorted(found)

    def _shrink(self) -> None:
        files = self._entries()
        excess = sum(size for _, size, _ in files) - self.limit_bytes
        for _, size, path in files:
            if excess <= 0:
                return
            _remove(path)
            excess -= size


def default_cache(environment: Mapping[str, str] | None = None) -> Cache:
    """The user's cache: $RETARGET_CACHE, or `retarget` in the platform's cache folder.

    $RETARGET_CACHE_LIMIT bounds it: bytes, or a size such as 500M or 2G.

    Raises:
        UsageError: $RETARGET_CACHE_LIMIT is not a size.
    """
    variables = os.environ if environment is None else environment
    return Cache(_default_folder(variables), _parse_limit(variables.get("RETARGET_CACHE_LIMIT", "")))


def _default_folder(variables: Mapping[str, str]) -> Path:
    if variables.get("RETARGET_CACHE"):
        return Path(variables["RETARGET_CACHE"]).expanduser()
    if variables.get("XDG_CACHE_HOME"):
        return Path(variables["XDG_CACHE_HOME"]) / "retarget"
    if sys.platform == "win32":
        local = variables.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "retarget"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "retarget"
    return Path.home() / ".cache" / "retarget"


def _parse_limit(text: str) -> int:
    """Bytes, or with a suffix: 500M, 2G, 2GiB."""
    bare = text.strip().upper().removesuffix("B").removesuffix("I")
    if not bare:
        return _DEFAULT_LIMIT
    factor = {"K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}.get(bare[-1], 1)
    try:
        limit = int(float(bare.rstrip("KMGT")) * factor)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"RETARGET_CACHE_LIMIT is {text!r}", "give bytes, or a size such as 500M or 2G"
        ) from error
    if limit < 0:
        raise UsageError(f"RETARGET_CACHE_LIMIT is {text!r}", "give 0 or more; 0 keeps nothing")
    return limit


def content_hash(path: Path) -> str:
    """Hash of a file's bytes, or of a folder's file names and bytes. File times and the path itself don't
    matter.

    Raises:
        InputError: it can't be read.
    """
    digest = hashlib.blake2b(digest_size=20)
    try:
        if not path.is_dir():
            _hash_file(path, digest)
            return digest.hexdigest()
        for member in sorted(item for item in path.rglob("*") if item.is_file()):
            name = member.relative_to(path).as_posix().encode("utf-8", errors="surrogateescape")
            digest.update(len(name).to_bytes(8, "little") + name)
            digest.update(member.stat().st_size.to_bytes(8, "little"))
            _hash_file(member, digest)
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {error.strerror or error}", "check the path and its permissions"
        ) from error
    return digest.hexdigest()


def cache_key(content: str, options: Mapping[str, object]) -> str:
    """Key of a result.

    Args:
        content: from `content_hash`, or several joined.
        options: everything else that the result depends on; JSON types.
    """
    text = json.dumps([FORMAT_VERSION, content, dict(options)], sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=20).hexdigest()


def _hash_file(path: Path, digest: hashlib.blake2b) -> None:
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)


def _write_whole(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=_PARTIAL)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        os.replace(name, path)
    except BaseException:
        _remove(Path(name))
        raise


def _touch(path: Path) -> None:
    try:
        # Access times are switched off on most systems: the change time serves as the time of last use.
        os.utime(path)
    except OSError as error:
        logger.debug("cannot mark %s as used: %s", path, error)


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        logger.debug("cannot remove %s: %s", path, error)
