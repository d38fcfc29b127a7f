"""What a batch makes is none of its inputs: it becomes no source of the next call, and takes no input's place."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from retarget_cli.batch.columns import COLUMNS
from retarget_cli.batch.folders import Candidate, Note
from retarget_cli.batch.item import Item
from retarget_cli.batch.manifest import NAME, Manifest
from retarget_cli.batch.naming import folded
from retarget_cli.batch.urls import is_url
from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.core.reading import shortened


@dataclass(frozen=True, slots=True)
class Own:
    """What is known of the output folder before anything is planned.

    Attributes:
        folder: the output folder, or URL.
        made: outputs that its manifest knows, as paths inside it.
    """

    folder: str
    made: frozenset[str] = frozenset()

    def inner(self, place: str) -> str | None:
        """A place's path inside the folder: "" for the folder itself, None for places elsewhere."""
        folder, whole = _whole(self.folder), _whole(place)
        if whole == folder:
            return ""
        above = folder if folder.endswith("/") else f"{folder}/"
        return whole.removeprefix(above) if whole.startswith(above) else None


def own_of(output: str, places: Sequence[str], manifest: Path) -> Own:
    """What lies in an output folder, if any of the places has to do with it.

    Args:
        output: folder or URL.
        places: folders, globs and files that sources and clips are taken from.
        manifest: the folder of the batch's manifest.

    Raises:
        InputError: the manifest is damaged, or of a newer version.
    """
    own = Own(output)
    is_concerned = any(
        own.inner(_listed(place)) is not None or Own(_listed(place)).inner(output) is not None for place in places
    )
    if not is_concerned or not (manifest / NAME).is_file():
        return own
    with Manifest.open(manifest, may_make=False) as opened:
        return Own(output, frozenset(entry.item.output for entry in opened.rows()))


def foreign(found: Sequence[Candidate], given: str, own: Own, note: Note) -> list[Candidate]:
    """Those of a folder or a glob that this batch has not made; a file that was named itself is meant.

    Raises:
        InputError: none is left.
    """
    if not _is_listing(given):
        return list(found)
    is_below = own.inner(_listed(given)) is None  # else the folder is the output folder, or lies in it
    kept = []
    for each in found:
        where = own.inner(each.place)
        if where is None or not (is_below or where in own.made):
            kept.append(each)
    if len(kept) < len(found):
        note(f"{given}: left out, as this batch's own: {len(found) - len(kept)} of {len(found)}")
    if not kept:
        raise InputError(f"{given}: holds nothing but what this batch has made", "name another folder")
    return kept


def once(found: Iterable[Candidate], note: Note) -> list[Candidate]:
    """Each place once, however often it was named."""
    kept: dict[str, Candidate] = {}
    for each in found:
        if each.place in kept:
            note(f"{each.place}: is named twice, and taken once")
        kept.setdefault(each.place, each)
    return list(kept.values())


def check_apart(items: Sequence[Item], own: Own) -> None:
    """Refuse outputs that would take an input's place, or lie in one, or hold one.

    Raises:
        UsageError: there is one.
    """
    inner: dict[str, str] = {}
    for place in dict.fromkeys(place for item in items for place in _inputs(item)):
        where = own.inner(place)
        if where:
            inner[folded(where)] = place
    if not inner:
        return
    holding = {above: place for where, place in inner.items() for above in _above(where)}
    for item in items:
        output = folded(item.output)
        other = holding.get(output) or next((inner[each] for each in _above(output) if each in inner), None)
        if other is not None:
            place = f"{item.place}, " if item.place else ""
            raise UsageError(
                f"{place}output {shortened(item.output)}: would take the place of {shortened(other)}, "
                "which this batch reads",
                "choose another --output, or other names with --template",
            )


def check_free(items: Sequence[Item], output: str, manifest: Manifest) -> None:
    """Refuse outputs in whose place there is something that this batch has not made. URLs are not looked at.

    Raises:
        UsageError: there is such a thing.
    """
    if is_url(output):
        return
    known = frozenset(entry.item.output for entry in manifest.rows())
    taken = [item for item in items if item.output not in known and os.path.lexists(os.path.join(output, item.output))]
    if taken:
        others = f", and {len(taken) - 1} more" if len(taken) > 1 else ""
        raise UsageError(
            f"{shortened(os.path.join(output, taken[0].output))} is there{others}, and this batch has not made it",
            "choose another --output, or add --overwrite",
        )


def _inputs(item: Item) -> Iterator[str]:
    for name, value in item.options.items():
        if COLUMNS[name].is_path:
            for place in (value,) if isinstance(value, str) else value:
                if os.path.isabs(place) or is_url(place):  # words such as `driving` are neither
                    yield place


def _above(path: str) -> list[str]:
    """A path, and all folders that it lies in."""
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]


def _whole(place: str) -> str:
    """One name for a place, however it was written."""
    if place.startswith("file://"):
        place = unquote(place.removeprefix("file://"))
    return place.rstrip("/") if is_url(place) else os.path.realpath(place)


def _is_listing(given: str) -> bool:
    """Whether it stands for what lies in it."""
    if is_url(given):
        return True
    return os.path.isdir(given) or (not os.path.exists(given) and glob.has_magic(given))


def _listed(given: str) -> str:
    """The folder that is looked into."""
    if is_url(given) or not _is_listing(given) or os.path.isdir(given):
        return given
    return os.path.dirname(re.split(r"[*?\[]", given, maxsplit=1)[0]) or "."
