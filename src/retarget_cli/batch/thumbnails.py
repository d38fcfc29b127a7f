"""Small pictures of finished outputs. Only the report imports this, when it has outputs to show: it needs codecs."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

from retarget_cli.core.errors import RetargetError
from retarget_cli.evaluation.report.pictures import fitted, jpeg_uri, within
from retarget_cli.media.images import over_white, read_picture
from retarget_cli.media.kinds import names_frames
from retarget_cli.media.picture_source import pictures_in
from retarget_cli.media.reader import open_frames
from retarget_cli.media.source import Frame

BOX = (144, 256)
QUALITY = 72


def thumbnails(path: Path) -> tuple[str, ...]:
    """The first and the middle frame as JPEG data URLs; one where there is only one, none where it can't be read.

    Args:
        path: a film, an animation, a picture, a folder of frames, or a pattern of their names.
    """
    try:
        if names_frames(path):
            return _of_files(_numbered(path))
        if path.is_dir():
            return _of_files(pictures_in(path))
        return _of_clip(path)
    except (RetargetError, OSError):
        return ()


def _of_clip(path: Path) -> tuple[str, ...]:
    with open_frames(path, long_side=max(BOX)) as source:
        count, rate = source.frame_count or 1, source.rate
        first = next(iter(source))
    found = [first]
    if count > 1:
        found += _at(path, Fraction(count // 2) / rate)
    return tuple(_picture(frame) for frame in found)


def _at(path: Path, start: Fraction) -> list[Frame]:
    """The frame at a time; none where the clip is shorter than its header says."""
    try:
        with open_frames(path, start=start, max_frames=1, long_side=max(BOX)) as source:
            return list(source)
    except RetargetError:
        return []


def _of_files(files: list[Path]) -> tuple[str, ...]:
    chosen = dict.fromkeys((files[0], files[len(files) // 2])) if files else {}
    pictures = [over_white(read_picture(file)) for file in chosen]
    return tuple(jpeg_uri(fitted(each, within((each.shape[0], each.shape[1]), BOX)), QUALITY) for each in pictures)


def _numbered(pattern: Path) -> list[Path]:
    """The files that a pattern such as frame_%04d.png names, in their order."""
    before, after = re.split(r"%0?\d*d", pattern.name, maxsplit=1)
    fits = re.compile(re.escape(before) + r"(\d+)" + re.escape(after))
    found = [(int(match[1]), each) for each in pattern.parent.iterdir() if (match := fits.fullmatch(each.name))]
    return [each for _, each in sorted(found)]


def _picture(frame: Frame) -> str:
    size = (frame.rgb.shape[0], frame.rgb.shape[1])
    return jpeg_uri(fitted(frame.rgb, within(size, BOX)), QUALITY)
