"""Inputs and outputs that lie elsewhere: URLs of shared storage, by way of fsspec.

Only protocols that carry files are let through. A local copy appears whole and is made anew when the original has
changed; what is delivered appears whole wherever the storage can do that.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from retarget_cli.batch.urls import Place, check_url, children, is_url, opened, plain_name, shown, told
from retarget_cli.core.errors import InputError, OutputError

__all__ = ["check_url", "deliver", "exists", "fetched", "is_url", "join_url", "list_files", "read_bytes"]

MOST_BYTES = 64 * 2**30
"""A single input is no larger."""

_ROOM_BYTES = 256 * 2**20
_CHUNK = 8 * 2**20
_OLD_SECONDS = 24 * 3600.0
_STAMPS = (
    "size", "mtime", "created", "etag", "ETag", "LastModified", "last_modified", "generation", "md5Hash", "updated"
)  # fmt: skip


def join_url(base: str, relative: str) -> str:
    """What lies under a URL, or under a folder of this machine.

    Raises:
        OutputError: it would lie outside.
    """
    if not is_url(base):
        return str(Path(base) / relative)
    if relative.startswith("/") or ".." in relative.split("/"):
        raise OutputError(f"{relative!r} leads out of {shown(base)}", "give a name without .. in it")
    return f"{base.rstrip('/')}/{relative}"


def exists(url: str) -> bool:
    """Whether there is a file or folder.

    Raises:
        InputError: that can't be learned.
    """
    with told(url, InputError, "look at"):
        place = opened(url)
        try:
            place.system.info(place.path)
        except FileNotFoundError:
            return False
        return True


def list_files(url: str) -> list[str]:
    """URLs of the files and sub-folders in a folder, by name; those of sub-folders end with "/".

    Raises:
        InputError: it is no folder, or can't be listed.
    """
    with told(url, InputError, "list"):
        place = opened(url)
        entries = children(place)
        ends = {name: "/" if entry["type"] == "directory" else "" for name, entry in entries.items()}
        return [f"{url.rstrip('/')}/{name}{ends[name]}" for name in sorted(ends)]


def fetched(url: str, folder: Path) -> Path:
    """A local copy of a file, or of the files in a folder; the one of an earlier call while the original is the same.

    Any number of processes may ask for the same at once.

    Args:
        url: of the original.
        folder: of all copies.

    Raises:
        InputError: it can't be read, or is too large.
        OutputError: there is no room for it, or the folder can't be written.
    """
    from filelock import FileLock

    with told(url, InputError, "read"):
        place = opened(url)
        info = place.system.info(place.path)
        members = (
            {name: entry for name, entry in children(place).items() if entry["type"] != "directory"}
            if info["type"] == "directory"
            else None
        )
        entries = [info] if members is None else list(members.values())
        _check_size(url, sum(int(entry.get("size") or 0) for entry in entries))
        stamp = _hash(json.dumps([_stamp(entry) for entry in entries]))[:16]
    home = folder / _hash(url)[:32]
    copy = home / stamp / plain_name(url)
    with _written(folder):
        home.mkdir(parents=True, exist_ok=True)
        with FileLock(home / ".lock"):
            if not copy.exists():
                _fetch(place, members, copy)
            _forget_old(home, copy.parent)
    return copy


def deliver(path: Path, url: str) -> None:
    """Take a finished file or folder of this machine to a URL; what is there is replaced.

    A file appears whole or not at all. So does a folder where the storage has real folders.

    Raises:
        OutputError: it can't be written.
    """
    check_url(url, may_write=True)
    with told(url, OutputError, "write"):
        place = opened(url, may_write=True)
        if place.can_move:
            _put_by_move(path, place)
        else:
            _put_straight(path, place)


def read_bytes(url: str, most: int) -> bytes | None:
    """A small file; None where there is none, or it has more than so many bytes.

    Raises:
        InputError: it can't be read.
    """
    with told(url, InputError, "read"):
        place = opened(url)
        try:
            with place.system.open(place.path, "rb") as stream:
                content: bytes = stream.read(most + 1)
        except FileNotFoundError:
            return None
        return content if len(content) <= most else None


@contextmanager
def _written(folder: Path) -> Iterator[None]:
    """Errors of the folder of copies as ours."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"can't write {folder}: {error.strerror or error}", "check the cache folder") from error


def _stamp(entry: Mapping[str, Any]) -> list[str]:
    """What tells one version of a file from another."""
    return [entry["name"], *(f"{name}={entry[name]}" for name in _STAMPS if entry.get(name) is not None)]


def _check_size(url: str, size: int) -> None:
    if size > MOST_BYTES:
        raise InputError(
            f"{shown(url)} has {size / 2**30:.1f} GiB, and at most {MOST_BYTES / 2**30:.0f} GiB are fetched",
            "copy it to a folder by other means",
        )


def _fetch(place: Place, members: Mapping[str, Mapping[str, Any]] | None, copy: Path) -> None:
    """Into a folder of another name, which then gets its own."""
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=copy.parent.parent))
    try:
        if members is None:
            _copy_in(place.url, place.system, place.path, part / copy.name)
        else:
            (part / copy.name).mkdir()
            for name, entry in members.items():
                _copy_in(place.url, place.system, entry["name"], part / copy.name / plain_name(f"x://{name}"))
        if copy.parent.exists():  # incomplete: somebody has removed the copy in it
            shutil.rmtree(copy.parent)
        part.rename(copy.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _copy_in(url: str, system: Any, path: str, copy: Path) -> None:
    with told(url, InputError, "read"):
        size = system.info(path).get("size")
        stream = system.open(path, "rb")
    _check_room(url, copy.parent, int(size or 0))
    done = 0
    with stream, copy.open("xb") as file:
        while True:
            with told(url, InputError, "read"):
                chunk = stream.read(_CHUNK)
            if not chunk:
                break
            done += len(chunk)
            _check_size(url, done)
            _check_room(url, copy.parent, len(chunk))
            file.write(chunk)
    if size is not None and done != int(size):
        raise InputError(f"{shown(url)} ended after {done} of {size} bytes", "ask again")


def _check_room(url: str, folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size + _ROOM_BYTES > free:
        raise OutputError(
            f"no room for {shown(url)}: it has {size / 2**20:.0f} MiB, and {free / 2**20:.0f} MiB are free",
            "set RETARGET_CACHE to a folder on a larger disk",
        )


def _forget_old(home: Path, current: Path) -> None:
    """Remove copies of earlier versions that nobody can be at any more, and what was left half done."""
    for other in home.iterdir():
        is_old = time.time() - other.stat().st_mtime > _OLD_SECONDS
        if other != current and other.is_dir() and is_old:
            shutil.rmtree(other, ignore_errors=True)


def _put_by_move(path: Path, place: Place) -> None:
    system, part = place.system, place.beside()
    try:
        _put_straight(path, part)
        if path.is_dir() and system.exists(place.path):
            system.rm(place.path, recursive=True)
        system.mv(part.path, place.path, recursive=path.is_dir())
    except BaseException:
        with suppress(OSError):
            system.rm(part.path, recursive=True)
        raise


def _put_straight(path: Path, place: Place) -> None:
    """A file; or a folder's files one after the other, and then away with others that were there."""
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    if not files:
        raise OutputError(f"there is nothing in {path} that could be delivered", "this is a fault of ours")
    targets = set()
    for file in files:
        target = place.path if path.is_file() else f"{place.path.rstrip('/')}/{file.relative_to(path).as_posix()}"
        if place.can_move:  # object storage has no folders; asking for one might make a bucket
            place.system.makedirs(target.rpartition("/")[0], exist_ok=True)
        place.system.put_file(os.fspath(file), target)
        if place.system.info(target)["size"] != file.stat().st_size:
            raise OutputError(f"{shown(place.url)} is not complete after the upload", "try again")
        targets.add(target)
    if path.is_dir() and not place.can_move:
        place.system.invalidate_cache()
        for stale in set(place.system.find(place.path)) - targets:
            place.system.rm_file(stale)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
