"""Names of a batch's outputs: filled in, kept inside the output folder, and each given once."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath
from string import Formatter

from retarget_cli.core.errors import UsageError
from retarget_cli.core.reading import shortened
from retarget_cli.media.codecs import FILM_KINDS
from retarget_cli.media.kinds import ANIMATION_OUTPUTS, PICTURE_OUTPUTS, names_frames
from retarget_cli.workflows.output_name import fields_of, filled

DEFAULT_TEMPLATE = "{source}_{driving}_{backend}.mp4"
TRANSPARENT_TEMPLATE = "{source}_{driving}_{backend}.mov"
# File systems take 255 bytes; while an output is made, its folder and its partial files have longer names than it.
LONGEST_NAME, LONGEST_PATH = 230, 2048
# Where the whole name would be too long, names that are filled in are cut to so many signs, the first that will do.
_CUTS = (80, 50, 30, 15)
_KINDS = (*sorted(FILM_KINDS), *ANIMATION_OUTPUTS, *PICTURE_OUTPUTS)


def check_template(template: str) -> None:
    """Find out what is wrong with a template before anything is filled in.

    Raises:
        UsageError: an unknown field, or a width that no name has.
    """
    fields_of(template)
    for _, _, form, _ in Formatter().parse(template):
        if form and ("{" in form or re.search("[0-9]{4}", form)):
            raise UsageError(f"--output {template}: {shortened(form)} is no format", "for example {index:04d}")


def output_name(template: str, source: str, driving: str, backend: str, number: int) -> str:
    """A checked template filled in: a path with "/" inside the output folder.

    Raises:
        UsageError: what comes out is no such path, or no kind of output.
    """
    written = filled(template, source, driving, backend, number)
    if written.startswith("~") and not template.startswith("~"):  # a file is called so, and means nobody's home
        written = f"_{written[1:]}"
    name = inside(written)
    check_kind(name)
    return name


def fitting_name(template: str, source: str, driving: str, backend: str, number: int) -> str:
    """As `output_name`; names of files are cut where the output's would be too long.

    Raises:
        UsageError: see `output_name`.
    """
    most = next((cut for cut in (None, *_CUTS) if _fits(template, source[:cut], driving[:cut], backend, number)), None)
    return output_name(template, source[:most], driving[:most], backend, number)


def _fits(template: str, source: str, driving: str, backend: str, number: int) -> bool:
    parts = filled(template, source, driving, backend, number).split("/")
    return max(len(part.encode("utf-8", "replace")) for part in parts) <= LONGEST_NAME


def inside(written: str) -> str:
    """A path inside the output folder, without its idle parts.

    Raises:
        UsageError: it leads elsewhere, or is none.
    """
    what = f"output {shortened(written)}"
    if "\0" in written or "\\" in written or any("\ud800" <= sign <= "\udfff" for sign in written):
        raise UsageError(f"{what}: holds a NUL, a backslash or half a character", 'write "/" between folders')
    parts = [part for part in written.split("/") if part not in ("", ".")]
    if any(_leads_out(text) for text in (written, "/".join(parts))):  # `./~` as well
        raise UsageError(f"{what}: leads out of the output folder", "name a file inside it, such as sub/name.mp4")
    if ".." in parts:
        raise UsageError(f"{what}: leads out of the output folder", "name a file inside it, without ..")
    if not parts:
        raise UsageError(f"{what}: is no name", f"for example {DEFAULT_TEMPLATE}")
    name = "/".join(parts)
    if max(len(part.encode()) for part in parts) > LONGEST_NAME or len(name.encode()) > LONGEST_PATH:
        raise UsageError(
            f"{what}: is longer than the {LONGEST_NAME} bytes that an output's name may have",
            "cut what is filled in, for example {source:.40}_{driving:.40}.mp4",
        )
    return name


def _leads_out(text: str) -> bool:
    return text.startswith(("/", "~")) or re.match("[A-Za-z]:", text) is not None or "://" in text


def check_kind(name: str) -> None:
    """Refuse what no writer writes.

    Raises:
        UsageError: the ending is of no known kind.
    """
    path = PurePosixPath(name)
    if path.suffix.lower() not in ("", *_KINDS):
        raise UsageError(
            f"output {shortened(name)}: {path.suffix} is no kind of output",
            f"known: {', '.join(_KINDS)}; no ending for a folder of PNGs",
        )
    if names_frames(path):
        raise UsageError(
            f"output {shortened(name)}: in a batch each output is one file or folder",
            "name a folder for PNGs, without an ending",
        )


def folded(name: str) -> str:
    """What all names of one file have in common, on file systems that know neither case nor how signs are composed."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


class Numbered:
    """Gives every name once; who comes later gets `_2`, `_3`, ... before the ending."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}

    def once(self, name: str) -> str:
        """The name, or the first of its numbered ones that is free."""
        key = folded(name)
        found = name
        while folded(found) in self._taken:
            number = self._next.get(key, 2)
            self._next[key] = number + 1
            found = _numbered(name, number)
        self._taken.add(folded(found))
        return found


class Places:
    """Refuses a name that is taken, or one inside another, and tells who has it."""

    def __init__(self) -> None:
        self._holders: dict[str, str] = {}
        self._folders: dict[str, str] = {}

    def take(self, name: str, place: str) -> None:
        """Take a name.

        Raises:
            UsageError: it is taken, or lies in an output, or outputs lie in it.
        """
        key = folded(name)
        parts = key.split("/")
        above = ["/".join(parts[:count]) for count in range(1, len(parts))]
        other = self._holders.get(key) or self._folders.get(key)
        other = other or next((self._holders[each] for each in above if each in self._holders), None)
        if other is not None:
            raise UsageError(
                f"{place}, column output: {shortened(name)} is in the way of the output of {other}",
                "name outputs in a column output, or put {index} into --output",
            )
        self._holders[key] = place
        for each in above:
            self._folders.setdefault(each, place)


def _numbered(name: str, number: int) -> str:
    path = PurePosixPath(name)
    end = f"_{number}"
    stem = path.stem
    while stem and len(f"{stem}{end}{path.suffix}".encode()) > LONGEST_NAME:
        stem = stem[:-1]
    return str(path.with_name(f"{stem}{end}{path.suffix}"))
