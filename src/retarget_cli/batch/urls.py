"""URLs of shared storage: which are let through, what stands behind them, and what went wrong there."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from retarget_cli.core.errors import InputError, OutputError, RetargetError

PROTOCOLS: dict[str, str] = {
    "file": "",
    "s3": "pip install retarget-cli[s3]",
    "s3a": "pip install retarget-cli[s3]",
    "gs": "pip install retarget-cli[gs]",
    "gcs": "pip install retarget-cli[gs]",
    "az": "pip install adlfs",
    "abfs": "pip install adlfs",
    "http": "pip install aiohttp",
    "https": "pip install aiohttp",
}
"""What is let through, and how to come by what it needs."""

_READ_ONLY = {"http", "https"}
# Elsewhere an upload appears whole when it is complete, and a move would copy it once more.
_MOVING = {"file", "memory"}
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*)(?:://|::)")
_UNEXPECTED = (RetargetError, MemoryError, TypeError, AttributeError, AssertionError, NameError)


@dataclass(frozen=True, slots=True)
class Place:
    """A URL, its file system, and the path there."""

    url: str
    system: Any
    path: str

    @property
    def can_move(self) -> bool:
        """Whether a file is moved to its name in one step."""
        return protocol_of(self.url) in _MOVING

    def beside(self) -> Place:
        """A name for what is not complete yet."""
        part = f".{secrets.token_hex(6)}.part"
        return Place(self.url, self.system, self.path.rstrip("/") + part)


def is_url(text: str) -> bool:
    """Whether a text is meant as a URL, of a protocol that is let through or not."""
    found = _URL.match(text)
    return found is not None and ("://" in text)


def check_url(url: str, *, may_write: bool = False) -> None:
    """Refuse what is no plain URL of a protocol that is let through.

    Raises:
        InputError: it is refused; OutputError where it is to be written.
    """
    kind = OutputError if may_write else InputError
    protocol = protocol_of(url)
    if "::" in url or protocol not in PROTOCOLS:
        known = ", ".join(f"{name}://" for name in PROTOCOLS)
        raise kind(f"{shown(url)}: such URLs are not read or written", f"known are {known}")
    if may_write and protocol in _READ_ONLY:
        raise kind(f"{shown(url)}: {protocol} is only read", "choose a folder, or s3://, gs:// or file://")
    place = url.partition("://")[2]
    if ".." in re.split(r"[/\\]", place) or not place.strip("/") or re.search(r"[\x00-\x1f\x7f]", url):
        raise kind(f"{shown(url)}: no usable URL", "give the whole place, without .. and control characters")


def protocol_of(url: str) -> str:
    """A URL's protocol, in small letters; empty where it is none."""
    found = _URL.match(url)
    return found[1].lower() if found else ""


def shown(url: str) -> str:
    """A URL in one line, without a password or key that may stand in it."""
    text = re.sub(r"//[^/@]*@", "//", url.partition("?")[0])
    return " ".join(text.split())[:300]


def opened(url: str, *, may_write: bool = False) -> Place:
    """What stands behind a URL.

    Raises:
        InputError: the URL is refused, or a package is missing; OutputError where it is to be written.
    """
    check_url(url, may_write=may_write)
    from fsspec.core import url_to_fs

    protocol = protocol_of(url)
    try:
        system, path = url_to_fs(url)
    except ImportError as error:
        kind = OutputError if may_write else InputError
        raise kind(f"{shown(url)}: a package for {protocol}:// is missing", PROTOCOLS[protocol]) from error
    system.invalidate_cache()  # others write there too
    return Place(url, system, path)


@contextmanager
def told(url: str, kind: type[RetargetError], verb: str) -> Iterator[None]:
    """Errors of the storage as ours. Each kind of storage has errors of its own, of packages that need not be there."""
    try:
        yield
    except _UNEXPECTED:
        raise
    except FileNotFoundError as error:
        raise kind(f"can't {verb} {shown(url)}: there is no such file, folder or bucket", "check the URL") from error
    except PermissionError as error:
        raise kind(f"can't {verb} {shown(url)}: not permitted", "check the credentials for it") from error
    except Exception as error:
        text = " ".join(str(getattr(error, "strerror", None) or error or type(error).__name__).split())[:200]
        raise kind(f"can't {verb} {shown(url)}: {text}", "check the URL, the credentials and the network") from error


def children(place: Place) -> dict[str, dict[str, Any]]:
    """What lies directly in a folder, by name."""
    if not place.system.isdir(place.path):
        place.system.info(place.path)  # tells whether there is anything
        raise InputError(f"{shown(place.url)} is no folder", "give the folder that the files are in")
    found = {}
    for entry in place.system.ls(place.path, detail=True):
        path = entry["name"].partition("?")[0] if protocol_of(place.url) in _READ_ONLY else entry["name"]
        name = path.rstrip("/").rpartition("/")[2]
        is_itself = entry["name"].rstrip("/") == place.path.rstrip("/")
        if name not in ("", ".", "..") and not is_itself:
            found[name] = entry
    return found


def plain_name(url: str) -> str:
    """The last part of a URL as a name that any file system takes, with its ending."""
    name = url.partition("://")[2].partition("?")[0].rstrip("/").rpartition("/")[2]
    plain = re.sub(r'[\x00-\x1f\x7f<>:"/\\|?*]', "_", name)
    stem, dot, ending = plain.rpartition(".")
    if not stem or len(ending) > 8:
        stem, dot, ending = plain, "", ""
    while len(f"{stem}{dot}{ending}".encode("utf-8", "surrogateescape")) > 200:
        stem = stem[:-1]
    return f"{stem}{dot}{ending}" or "file"
