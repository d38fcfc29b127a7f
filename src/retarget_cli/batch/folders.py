"""What lies in the folders that a user names: who is shown, and who moves. Files are told apart by their endings."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from retarget_cli.batch.columns import absolute, is_url
from retarget_cli.core.errors import InputError
from retarget_cli.media.files import natural_key
from retarget_cli.media.kinds import ANIMATIONS, FILMS, MOTION, PICTURES, SUBJECT

_SHOWN = PICTURES | FILMS | ANIMATIONS | {SUBJECT}
_MOVING = FILMS | ANIMATIONS | {MOTION}
_KNOWN = _SHOWN | _MOVING

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


def find_sources(places: Sequence[str], note: Note) -> list[Candidate]:
    """Everybody who can be shown: each picture, clip, subject file and sub-folder of pictures of a folder is one.

    Args:
        places: folders, files, globs, or URLs of such.
        note: told of what is left out.

    Raises:
        InputError: there is nothing of that name, or nobody in it.
    """
    found: list[Candidate] = []
    for place in places:
        inside = _offered(place, "--source")
        chosen = [each for each in inside if _is_chosen(each, _SHOWN)] if inside is not None else [place]
        if not chosen:
            raise InputError(
                f"--source {place}: holds no photo, clip, subject file or folder of photos", "name another folder"
            )
        _tell(place, inside or [], chosen, note)
        found += [_candidate(each) for each in chosen]
    return found


def find_drivings(places: Sequence[str], note: Note) -> list[Candidate]:
    """All clips: each film, animated picture, motion file and sub-folder of frames of a folder is one.

    A folder that holds none of these, but pictures, is a clip itself.

    Args:
        places: folders, files, globs, or URLs of such.
        note: told of what is left out.

    Raises:
        InputError: there is nothing of that name, or no clip in it.
    """
    found: list[Candidate] = []
    for place in places:
        inside = _offered(place, "--driving")
        chosen = [each for each in inside if _is_chosen(each, _MOVING)] if inside is not None else [place]
        if not chosen and any(ending(each) in PICTURES for each in inside or []):
            inside, chosen = [], [place]
        if not chosen:
            raise InputError(
                f"--driving {place}: holds no clip, motion file or folder of frames", "name another folder"
            )
        _tell(place, inside or [], chosen, note)
        found += [_candidate(each) for each in chosen]
    return found


def short_name(place: str) -> str:
    """What a file or folder is called, without a known ending; bytes that are no Unicode become `_`."""
    name = PurePosixPath(place).name if is_url(place) else os.path.basename(place.rstrip("/"))
    stem, dot, end = name.rpartition(".")
    plain = stem if stem and dot and f".{end.lower()}" in _KNOWN else name
    return re.sub("[\ud800-\udfff]", "_", plain)


def ending(place: str) -> str:
    """The ending of a file's name, in small letters."""
    return os.path.splitext(place)[1].lower()


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
    left = [os.path.basename(each.rstrip("/")) for each in inside if each not in kept and not _is_hidden(each)]
    if left:
        more = f" and {len(left) - 5} more" if len(left) > 5 else ""
        note(f"{place}: left out, as of no known kind: {', '.join(left[:5])}{more}")
