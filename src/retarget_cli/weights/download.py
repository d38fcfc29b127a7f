"""One file from the network to the disk, whole and checked, or not at all."""

from __future__ import annotations

import errno
import hashlib
import http.client
import logging
import os
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from retarget_cli.core.errors import WeightsError
from retarget_cli.weights.catalog import Row

logger = logging.getLogger(__name__)

Progress = Callable[[int, int | None], None]
"""Gets bytes so far, and all of them where that is known."""

_CHUNK = 256 * 1024
_TIMEOUT_S = 30.0
_AGENT = "retarget (weights)"


def download(row: Row, target: Path, progress: Progress | None = None, timeout: float = _TIMEOUT_S) -> None:
    """Fetch a row's file; addresses are tried in order, and the first good file is kept.

    Args:
        target: path of the file; its folder is made.
        timeout: seconds without a byte after which an address is given up.

    Raises:
        WeightsError: no address gave the file; the disk is full or forbidden. Nothing is left behind.
    """
    by_hand = f"put the file at {target} by hand ({row.origin}), then `retarget weights verify {row.key}`"
    if not row.urls:
        raise WeightsError(f"{row.key} has no address to pull it from", by_hand)
    _prepare(row, target)
    failures = []
    for url in row.urls:
        try:
            _download(url, row, target, progress, timeout)
        except _AddressFailed as error:
            logger.debug("%s: %s", url, error)
            failures.append(f"{url}: {error}")
            continue
        return
    raise WeightsError(f"{row.key} could not be pulled: {'; '.join(failures)}", by_hand)


class _AddressFailed(Exception):
    """This address did not give the file; another may."""


def _prepare(row: Row, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(target.parent).free
    except OSError as error:
        raise _unwritable(target, error) from error
    if row.size is not None and free < row.size:
        raise WeightsError(
            f"{row.key} needs {row.size / 1e6:.0f} MB, and {target.parent} has {free / 1e6:.0f} MB left",
            "make room, or name another folder with --folder or $RETARGET_WEIGHTS",
        )


def _download(url: str, row: Row, target: Path, progress: Progress | None, timeout: float) -> None:
    if not url.startswith(("https://", "http://")):
        raise _AddressFailed("not an http address")
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f"{target.name[:40]}.", suffix=".part")
    except OSError as error:
        raise _unwritable(target, error) from error
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            digest, size = _copy(url, row, stream, progress, timeout)
        if row.size is not None and size != row.size:
            raise _AddressFailed(f"cut short: {size} bytes instead of {row.size}")
        if not digest.startswith(row.sha256):
            raise _AddressFailed(f"another file: its sha256 is {digest[:16]}..., expected {row.sha256[:16]}...")
        part.chmod(0o644)  # mkstemp keeps it to the user; weights may be shared
        os.replace(part, target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        part.unlink(missing_ok=True)


def _copy(url: str, row: Row, stream: IO[bytes], progress: Progress | None, timeout: float) -> tuple[str, int]:
    """All bytes of the address into the stream; their sha256 and number."""
    digest, done = hashlib.sha256(), 0
    with _opened(url, timeout) as response:
        told = response.headers.get("Content-Length", "")
        total = int(told) if told.isdigit() else row.size
        if row.size is not None and total != row.size:
            raise _AddressFailed(f"another file: {total} bytes instead of {row.size}")
        while chunk := _read(response):
            stream.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            if progress is not None:
                progress(done, total)
    if told.isdigit() and done != int(told):
        raise _AddressFailed(f"cut short: {done} of {told} bytes")
    return digest.hexdigest(), done


def _opened(url: str, timeout: float) -> Any:
    request = urllib.request.Request(url, headers={"User-Agent": _AGENT})
    try:
        return urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        raise _AddressFailed(f"the server says {error.code} {error.reason}") from error
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        raise _AddressFailed(f"no connection ({getattr(error, 'reason', error)})") from error


def _read(response: Any) -> bytes:
    """The next bytes. Network errors are OSErrors too, and must not be taken for the disk's."""
    try:
        chunk: bytes = response.read(_CHUNK)
    except (http.client.HTTPException, OSError) as error:
        raise _AddressFailed(f"cut short ({error})") from error
    return chunk


def _unwritable(target: Path, error: OSError) -> WeightsError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return WeightsError(f"the disk of {target.parent} is full", "make room, or name another folder with --folder")
    return WeightsError(
        f"cannot write {target}: {error.strerror or error}", "name another folder with --folder or $RETARGET_WEIGHTS"
    )
