"""What lies in the folders that a user names: who is shown, and who moves. Files are told apart by their endings."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from retarget_cli.batch.columns import absolute
from retarget_cli.batch.urls import is_url
from retarget_cli.core.errors import InputError
from retarget_cli.media.files import natural_key
from retarget_cli.media.kinds import ANIMATIONS, FILMS, MOTION, PICTURES, SUBJECT

_SHOWN = PICTURES | FILMS | ANIMATIONS | {SUBJECT}
_MOVING = FILMS | ANIMATIONS | {MOTION}
_KNOWN = _SHOWN | _MOVING
# A batch's own files, where its output folder is one that sources are taken from.
_BOOKS = frozenset({"batch.sqlite", "batch.lock", "logs", "report.html"})

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A source or a driving clip.

    Attributes:
        place: whole path, or URL.
        name: short, for tables and templates.
    """

    place: str
    name: str

    @property
    def is_subject(self) -> bool:
        """Whether it is a file that `retarget personalize` wrote, by its name."""
        return ending(self.place) == SUBJECT


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is looked for in a folder.

    Attributes:
        option: that named the folder.
        kinds: endings of files that are wanted.
        what: the same in words.
        is_itself_one: a folder that holds none, but pictures, is one itself.
    """

    option: str
    kinds: frozenset[str]
    what: str
    is_itself_one: bool = False


def find_sources(places: Sequence[str], note: Note) -> list[Candidate]:
    """Everybody who can be shown: each picture, clip, subject file and sub-folder of pictures of a folder is one.

    Args:
        places: folders, files, globs, or URLs of such.
        note: told of what is left out.

    Raises:
        InputError: there is nothing of that name, or nobody in it.
    """
    return _found(places, _Wanted("--source", _SHOWN, "photo, clip, subject file or folder of photos"), note)


def find_drivings(places: Sequence[str], note: Note) -> list[Candidate]:
    """All clips: each film, animated picture, motion file and sub-folder of frames of a folder is one.

    A folder that holds none of these, but pictures, is a clip itself.

    Args:
        places: folders, files, globs, or URLs of such.
        note: told of what is left out.

    Raises:
        InputError: there is nothing of that name, or no clip in it.
    """
    wanted = _Wanted("--driving", _MOVING, "clip, motion file or folder of frames", is_itself_one=True)
    return _found(places, wanted, note)


def short_name(place: str) -> str:
    """What a file or folder is called, without a known ending; bytes that are no Unicode become `_`."""
    name = PurePosixPath(place).name if is_url(place) else os.path.basename(place.rstrip("/"))
    stem, dot, end = name.rpartition(".")
    plain = stem if stem and dot and f".{end.lower()}" in _KNOWN else name
    return re.sub("[\ud800-\udfff]", "_", plain)


def ending(place: str) -> str:
    """The ending of a file's name, in small letters."""
    return os.path.splitext(place)[1].lower()


def _found(places: Sequence[str], wanted: _Wanted, note: Note) -> list[Candidate]:
    found: list[Candidate] = []
    for place in places:
        inside = _offered(place, wanted.option)
        if inside is None:
            found.append(_candidate(place))
            continue
        chosen = [each for each in inside if _is_chosen(each, wanted.kinds)]
        if chosen:
            _tell(place, inside, chosen, note)
        elif wanted.is_itself_one and any(ending(each) in PICTURES for each in inside):
            chosen = [place]
        else:
            raise InputError(f"{wanted.option} {place}: holds no {wanted.what}", "name another folder")
        found += map(_candidate, chosen)
    return found


def _candidate(place: str) -> Candidate:
    whole = place.rstrip("/") if is_url(place) else absolute(place)
    return Candidate(whole, short_name(whole))


def _offered(place: str, option: str) -> list[str] | None:
    """What a folder or a glob holds, in natural order; None where the place itself is a file."""
    if is_url(place):
        return None if ending(place) in _KNOWN else _sorted(_listed(place))
    if os.path.isdir(place):
        return _sorted(_listed(place))
    if os.path.exists(place):
        return None
    found = glob.glob(place, recursive=True)
    if not found:
        raise InputError(f"{option} {place}: there is no such file or folder", "check the spelling")
    return _sorted(found)


def _sorted(places: list[str]) -> list[str]:
    return sorted(places, key=lambda each: (natural_key(os.path.basename(each.rstrip("/"))), each))


def _listed(place: str) -> list[str]:
    if is_url(place):
        from retarget_cli.batch import storage

        return storage.list_files(place)
    try:
        return [os.path.join(place, name) for name in os.listdir(place)]
    except OSError as error:
        raise InputError(f"{place} can't be read: {error.strerror or error}", "check its permissions") from error


def _is_chosen(place: str, kinds: frozenset[str]) -> bool:
    if _is_hidden(place):
        return False
    if _is_folder(place):
        return any(ending(each) in PICTURES and not _is_hidden(each) for each in _listed(place))
    return ending(place) in kinds and (is_url(place) or os.path.isfile(place))


def _is_folder(place: str) -> bool:
    if is_url(place):
        return place.endswith("/")
    return os.path.isdir(place)


def _is_hidden(place: str) -> bool:
    return os.path.basename(place.rstrip("/")).startswith(".")


def _tell(place: str, inside: list[str], chosen: list[str], note: Note) -> None:
    """Say what is left out; hidden files are nobody's concern."""
    kept = set(chosen)
    names = {each: os.path.basename(each.rstrip("/")) for each in inside if each not in kept and not _is_hidden(each)}
    left = [name for name in names.values() if name not in _BOOKS]
    if left:
        more = f" and {len(left) - 5} more" if len(left) > 5 else ""
        note(f"{place}: left out, as of no known kind: {', '.join(left[:5])}{more}")
