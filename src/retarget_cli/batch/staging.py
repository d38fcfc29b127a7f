"""What an attempt finds near at hand: local copies of inputs that lie elsewhere, and a local place for the output.

Workers need files. Where a job names URLs only this module and `storage` know of it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from retarget_cli.batch.columns import COLUMNS
from retarget_cli.batch.engine import Job
from retarget_cli.batch.item import Item, Value
from retarget_cli.batch.urls import is_url

if TYPE_CHECKING:
    from retarget_cli.perception.cache import Cache

_FILES = frozenset(name for name, column in COLUMNS.items() if column.is_path)


@dataclass(frozen=True, slots=True)
class Stage:
    """Where an attempt works.

    Attributes:
        item: the job's, with local paths in place of URLs.
        output: where the output is made.
        cache: of what is perceived; None keeps nothing.
    """

    item: Item
    output: Path
    cache: Cache | None


@contextmanager
def staged(job: Job) -> Iterator[Stage]:
    """Bring near what lies elsewhere; when the block has ended well, `deliver` has still to be called.

    Raises:
        RetargetError: it can't be brought.
    """
    cache = _opened_cache(job.cache)
    if not any(map(is_url, _places(job))):
        yield Stage(job.item, Path(job.output), cache)
        return
    with ExitStack() as stack:
        if cache is None or cache.limit_bytes == 0:
            near = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="retarget-")))
        else:
            near = cache.folder
        options = {name: _fetched(name, value, near / "fetched") for name, value in job.item.options.items()}
        output = _local_output(job, near) if is_url(job.output) else Path(job.output)
        yield Stage(replace(job.item, options=options), output, cache)


def deliver(job: Job, made: Path) -> None:
    """Take a finished output to where it was asked for.

    Raises:
        RetargetError: it can't be taken there; it stays here, so that another attempt need not make it again.
    """
    if not is_url(job.output):
        return
    from retarget_cli.batch import storage

    storage.deliver(made, job.output)
    shutil.rmtree(made.parent, ignore_errors=True)


def _places(job: Job) -> Iterator[str]:
    """Every value of a job that may name a file."""
    yield job.output
    for name, value in job.item.options.items():
        if name in _FILES:
            yield from (value,) if isinstance(value, str) else value


def _opened_cache(place: str | None) -> Cache | None:
    """The cache that a job names: its folder, a URL, the user's own (None), or none ("")."""
    from retarget_cli.perception.cache import default_cache

    if place is None:
        return default_cache()
    if not place:
        return None
    if is_url(place):
        from retarget_cli.batch.remote_cache import open_remote_cache

        return open_remote_cache(place, default_cache())
    return default_cache({**os.environ, "RETARGET_CACHE": place})


def _fetched(name: str, value: Value, folder: Path) -> Value:
    """An option's value with local files in place of URLs."""
    if name not in _FILES:
        return value
    if isinstance(value, tuple):
        return tuple(_local_input(each, folder) for each in value)
    return _local_input(value, folder)


def _local_input(place: str, folder: Path) -> str:
    if not is_url(place):
        return place
    from retarget_cli.batch import storage

    return str(storage.fetched(place, folder))


def _local_output(job: Job, near: Path) -> Path:
    """The place of an output that goes to a URL: the same for every attempt at it on this machine."""
    folder = near / "outgoing" / hashlib.sha256(job.output.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    folder.mkdir(parents=True, exist_ok=True)
    return folder / (job.output.rstrip("/").rpartition("/")[2] or "output")
