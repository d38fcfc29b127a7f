"""Results of perception, kept on disk so that a second run on the same file skips them."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from retarget_cli.core.content import members, read_into
from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.perception.cache_files import PARTIAL, Claim, Kept, listed, remove, touch, write_whole

logger = logging.getLogger(__name__)

FORMAT_VERSION = 1
"""Part of every key: raise it whenever what is stored, or how it is computed, changes."""

_DEFAULT_LIMIT = 2 * 1024**3
_SUFFIX = ".safetensors"
_JOURNALS, _CLAIMS = "journals", "claims"
_JOURNAL_END = "done"
# Journals that nobody goes on with, and claims that nobody makes any more, are removed after a week.
_OLD = 7 * 24 * 3600.0
# Whoever holds a claim for longer than this is held to hang, and is not waited for.
_PATIENCE = 120.0
# Files changed less than so many ns ago may change again without its showing in their times.
_FRESH = 2 * 10**9

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """What a cache holds.

    Attributes:
        folder: where.
        entries: how many results, and journals of clips that are being read.
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
    Beside the entries lie the journals of clips that are being read (`journal.py`), and claims.

    Args:
        folder: made when the first entry is put.
        limit_bytes: 0 keeps nothing.
    """

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes
        self._has_failed = False

    @property
    def can_keep(self) -> bool:
        """Whether it keeps anything, as far as is known."""
        return self.limit_bytes > 0 and not self._has_failed

    def get(self, key: str) -> Arrays | None:
        """The arrays put under a key, or None."""
        return self.get_here(key)

    def get_here(self, key: str) -> Arrays | None:
        """`get` from this folder and nowhere else; cheap enough to ask again and again."""
        return self.read(self._path(key))

    def read(self, path: Path) -> Arrays | None:
        """The arrays in one of its files; None where it is not there, or was damaged and is removed now."""
        try:
            arrays: Arrays = load(path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            logger.debug("cache entry %s cannot be read: %s", path, error)
            return None
        except (SafetensorError, ValueError, KeyError) as error:
            logger.warning("removed a damaged cache entry: %s (%s)", path, error)
            remove(path)
            return None
        touch(path)
        return arrays

    def put(self, key: str, arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> bool:
        """Keep arrays under a key; never raises for a disk that is full or forbidden.

        Args:
            key: from `cache_key`.
            arrays: what to keep.
            metadata: for whoever looks at the file; not given back.

        Returns:
            Whether they are kept.
        """
        content = save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, dict(metadata))
        is_kept = len(content) <= self.limit_bytes and self.write(self._path(key), content)
        if self.can_keep:
            self._shrink()
        return is_kept

    def write(self, path: Path, content: bytes) -> bool:
        """Write one of its files, whole; whether that went well. The first time that it does not is told."""
        if not self.can_keep:
            return False
        try:
            write_whole(path, content)
        except OSError as error:
            self._has_failed = True
            logger.warning("results cannot be cached in %s: %s", self.folder, error)
            return False
        return True

    def claim(self, key: str) -> Claim:
        """The right to compute what belongs to a key; not taken yet."""
        return Claim(self.folder / _CLAIMS / f"{key}.lock")

    @contextmanager
    def claimed(self, key: str) -> Iterator[None]:
        """Compute what belongs to a key in here: others who want it wait, and should look for it again then."""
        if not self.can_keep:
            yield
            return
        with self.claim(key) as claim:
            claim.take(_PATIENCE)
            yield

    def journal(self, key: str) -> Path:
        """The folder of what is known so far of a result in the making."""
        return self.folder / _JOURNALS / key

    def journal_end(self, key: str) -> Path:
        """The file that a journal has when nothing more comes."""
        return self.journal(key) / _JOURNAL_END

    def info(self) -> CacheInfo:
        """What is in there now."""
        kept = [*self._entries(), *self._journals()]
        writable = self.folder
        while not writable.exists() and writable != writable.parent:
            writable = writable.parent
        can_write = writable.is_dir() and os.access(writable, os.W_OK)
        return CacheInfo(self.folder, len(kept), sum(item.size for item in kept), self.limit_bytes, can_write)

    def clear(self) -> int:
        """Remove every entry; returns how many there were."""
        kept = [*self._entries(), *self._journals()]
        for path in [*(item.path for item in kept), *listed(self.folder, PARTIAL)]:
            remove(path)
        for name in (_JOURNALS, _CLAIMS):
            remove(self.folder / name)
        return len(kept)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}{_SUFFIX}"

    def _entries(self) -> list[Kept]:
        """Any may vanish meanwhile."""
        return [item for item in map(Kept.at, listed(self.folder, _SUFFIX)) if item is not None]

    def _journals(self) -> list[Kept]:
        return [item for item in map(Kept.at, listed(self.folder / _JOURNALS)) if item is not None]

    def _shrink(self) -> None:
        """Drop what is left over, and then the least recently used; a clip that is being read stays."""
        for path in listed(self.folder / _CLAIMS):
            claim = Kept.at(path)
            if claim is not None and claim.is_older(_OLD):
                remove(path)
        kept = self._entries()
        for journal in self._journals():
            if journal.is_older(_OLD):
                remove(journal.path)
            elif (journal.path / _JOURNAL_END).exists():
                kept.append(journal)
        excess = sum(item.size for item in kept) - self.limit_bytes
        for item in sorted(kept):
            if excess <= 0:
                return
            remove(item.path)
            excess -= item.size


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

    What was hashed once in this process and has not changed since is not read again.

    Raises:
        InputError: it can't be read.
    """
    try:
        marks, last = _marks(path)
        if time.time_ns() - last < _FRESH:
            return _hashed(path)
        return _hashed_once(path, marks)
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {error.strerror or error}", "check the path and its permissions"
        ) from error


def _marks(path: Path) -> tuple[str, int]:
    """What changes whenever the file, or one in the folder, does; and when that was last, ns."""
    digest = hashlib.blake2b(digest_size=20)
    last = 0
    for _, member in members(path):
        status = member.stat()
        times = status.st_mtime_ns, status.st_ctime_ns
        digest.update(repr((os.fspath(member), status.st_size, status.st_dev, status.st_ino, *times)).encode())
        last = max(last, *times)
    return digest.hexdigest(), last


@lru_cache(maxsize=4096)
def _hashed_once(path: Path, marks: str) -> str:
    """`marks` alone says when to read again."""
    return _hashed(path)


def _hashed(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=20)
    read_into(path, digest)
    return digest.hexdigest()


def cache_key(content: str, options: Mapping[str, object]) -> str:
    """Key of a result.

    Args:
        content: from `content_hash`, or several joined.
        options: everything else that the result depends on; JSON types.
    """
    text = json.dumps([FORMAT_VERSION, content, dict(options)], sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=20).hexdigest()
