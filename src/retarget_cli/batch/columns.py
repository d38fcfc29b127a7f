"""What a pair may say: the options of `retarget animate`, each with a check of its text.

Nothing heavy is imported to check: a driver reads a million rows and makes none of the videos.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import MappingProxyType

from retarget_cli.backends.registry import known_backends
from retarget_cli.batch.item import Value
from retarget_cli.batch.urls import is_url
from retarget_cli.core.device import NAMES as DEVICES
from retarget_cli.core.errors import UsageError
from retarget_cli.core.reading import read_crop, read_person, read_rate, read_setting, read_sides, read_time, shortened
from retarget_cli.media.codecs import choose_codec

_YES = frozenset({"true", "yes", "on", "1"})
_NO = frozenset({"false", "no", "off", "0"})
# Backgrounds that are no file's name.
BACKGROUNDS = frozenset({"source", "driving", "transparent"})
_LONGEST_VALUE = 32_000


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        read: the checked text in its usual form; raises UsageError.
        is_several: it may have several values.
        is_switch: yes or no; left out where it is no.
        is_path: it names a file, where it is no URL and no word with a meaning of its own.
    """

    read: Callable[[str], str]
    is_several: bool = False
    is_switch: bool = False
    is_path: bool = False


def _words(*known: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        word = text.strip().lower()
        if word not in known:
            raise UsageError(f"{shortened(text)}: expected {', '.join(known[:-1])} or {known[-1]}")
        return word

    return read


def _number(least: int, most: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if re.fullmatch(r"\s*\+?[0-9]{1,9}\s*", text) is None or not least <= int(text) <= most:
            raise UsageError(f"{shortened(text)}: expected a whole number from {least} to {most}")
        return str(int(text))

    return read


def _switch(text: str) -> str:
    word = text.strip().lower()
    if word not in _YES | _NO:
        raise UsageError(f"{shortened(text)}: expected true or false")
    return "true" if word in _YES else "false"


def _share(text: str) -> str:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise UsageError(f"{shortened(text)}: expected a number from 0 to 1")
    return repr(share + 0.0)  # -0.0 is 0.0


def _setting(text: str) -> str:
    return "=".join(read_setting(text))


def _backend(text: str) -> str:
    name, known = text.strip(), _backends()
    if name not in known:
        near = get_close_matches(name, known, n=1)
        guess = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"{shortened(text)} is no method{guess}", f"known: {', '.join(known)}")
    return name


@cache
def _backends() -> tuple[str, ...]:
    """Looked up once, since every package that is installed is asked for what it brings."""
    return tuple(sorted(known_backends()))


def _device(text: str) -> str:
    name = text.strip().lower()
    kind, colon, number = name.partition(":")
    is_numbered = kind == "cuda" and re.fullmatch(r"[0-9]{1,4}", number) is not None
    if kind not in DEVICES or (colon and not is_numbered):
        raise UsageError(f"{shortened(text)} is no device; expected {', '.join(DEVICES)} or cuda:N")
    return name


def _codec(text: str) -> str:
    # Every codec goes into an .mkv; whether it goes into this item's output is seen when that is known.
    return choose_codec(Path("any.mkv"), text, alpha=False)


def _size(text: str) -> str:
    return "x".join(map(str, read_sides(text)))


def _crop(text: str) -> str:
    found = read_crop(text)
    return found if isinstance(found, str) else "{},{},{}x{}".format(*found)


def _background(text: str) -> str:
    if text.startswith("#") and re.fullmatch(r"#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})", text) is None:
        raise UsageError(f"{shortened(text)} is no colour; write it as #rrggbb, for example #00ff00")
    return text


def _path(text: str) -> str:
    return text


def _as_text(reader: Callable[[str], object]) -> Callable[[str], str]:
    return lambda text: str(reader(text))


def _time(text: str) -> str:
    read_time(text)
    return text.strip()  # as a fraction it could not be read again


COLUMNS: Mapping[str, Column] = MappingProxyType(
    {
        "source": Column(_path, is_several=True, is_path=True),
        "subject": Column(_path, is_path=True),
        "driving": Column(_path, is_path=True),
        "output": Column(_path),
        "backend": Column(_backend),
        "set": Column(_setting, is_several=True),
        "motion": Column(_words("relative", "absolute")),
        "relative": Column(_switch, is_switch=True),
        "adapt_scale": Column(_switch, is_switch=True),
        "find_best_frame": Column(_switch, is_switch=True),
        "crop": Column(_crop),
        "driving_crop": Column(_crop),
        "framing": Column(_words("fit", "follow", "exact")),
        "smooth": Column(_share),
        "missing": Column(_words("hold", "skip", "fail")),
        "person": Column(_as_text(read_person)),
        "source_person": Column(_as_text(read_person)),
        "background": Column(_background, is_path=True),
        "size": Column(_size),
        "fps": Column(_as_text(read_rate)),
        "start": Column(_time),
        "end": Column(_time),
        "max_frames": Column(_number(1, 10**9 - 1)),
        "no_audio": Column(_switch, is_switch=True),
        "audio": Column(_path, is_path=True),
        "codec": Column(_codec),
        "crf": Column(_number(0, 63)),
        "compare": Column(_switch, is_switch=True),
        "device": Column(_device),
        "body": Column(_words("anny", "smpl")),
    }
)
# As first-order-model's command line has them; `animate` knows them too.
ALIASES: Mapping[str, str] = MappingProxyType(
    {"source_image": "source", "driving_video": "driving", "result_video": "output"}
)


def column_name(written: str) -> str:
    """The name of a column as it was written: `Max-Frames` and `--max_frames` are `max_frames`.

    Raises:
        UsageError: there is no such column.
    """
    name = written.strip().removeprefix("--").replace("-", "_").lower()
    name = ALIASES.get(name, name)
    if name in COLUMNS:
        return name
    near = get_close_matches(name[:40], COLUMNS, n=1)
    guess = f"did you mean {near[0]}?" if near else f"known: {', '.join(COLUMNS)}"
    raise UsageError(f"column {shortened(written)} is unknown", guess)


def options_from(row: Mapping[str, Value], label: str = "column ") -> dict[str, Value]:
    """A row's options, checked, in their usual form; switches that are off and empty values are left out.

    Args:
        row: names as `column_name` knows them -> text.
        label: what stands before a name in messages; "--" for options of a command line.

    Raises:
        UsageError: the first fault, with the column's name.
    """
    options: dict[str, Value] = {}
    for name, value in row.items():
        known = column_name(name)
        column, called = COLUMNS[known], label + (known if label != "--" else known.replace("_", "-"))
        texts = [text for text in ((value,) if isinstance(value, str) else value) if text.strip()]
        if len(texts) > 1 and not column.is_several:
            raise UsageError(f"{called}: has {len(texts)} values, expected one")
        found = tuple(_checked(called, column, text) for text in texts)
        if not found or (column.is_switch and found == ("false",)):
            continue
        options[known] = found if column.is_several else found[0]
    return options


def settled(options: Mapping[str, Value]) -> dict[str, Value]:
    """Options that go together, without those that say what is so anyway.

    Raises:
        UsageError: two of them contradict each other, or one that must be there is not.
    """
    if bool(options.get("source")) == bool(options.get("subject")):
        raise UsageError("column source: give either a source or a subject file (column subject)")
    if not options.get("driving"):
        raise UsageError("column driving: is empty", "name a clip, a folder of frames or a motion file")
    if "audio" in options and "no_audio" in options:
        raise UsageError("audio and no_audio contradict each other", "leave one out")
    kept = dict(options)
    if kept.pop("relative", None) is not None:
        if kept.get("motion") == "absolute":
            raise UsageError("relative and motion absolute contradict each other", "leave one out")
        kept["motion"] = "relative"
    _check_excerpt(kept)
    return kept


def placed(options: Mapping[str, Value], place: Callable[[str], str]) -> dict[str, Value]:
    """The same options, with every file's name handed through `place`; URLs and words stay as they are."""

    def moved(name: str, text: str) -> str:
        is_word = name == "background" and (text in BACKGROUNDS or text.startswith("#"))
        return text if is_word or is_url(text) else place(text)

    return {
        name: value
        if not COLUMNS[name].is_path
        else moved(name, value)
        if isinstance(value, str)
        else tuple(moved(name, text) for text in value)
        for name, value in options.items()
    }


def absolute(path: str) -> str:
    """A path that means the same wherever a worker runs."""
    return os.path.abspath(path)


def _checked(called: str, column: Column, text: str) -> str:
    try:
        if len(text) > _LONGEST_VALUE:
            raise UsageError(f"has {len(text)} characters, expected {_LONGEST_VALUE} at most")
        if "\0" in text:
            raise UsageError(f"{shortened(text)} holds a NUL, which no name or number does")
        return column.read(text)
    except UsageError as error:
        raise UsageError(f"{called}: {error.message}", error.hint) from error


def _check_excerpt(options: Mapping[str, Value]) -> None:
    start, end = options.get("start", "0"), options.get("end")
    if isinstance(start, str) and isinstance(end, str) and read_time(end) <= read_time(start):
        raise UsageError(f"end: {end} is not after the start, {start}")
