"""Frames of a stream, counted, and none of them missing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from retarget_cli.core.errors import InputError
from retarget_cli.core.subject import Image
from retarget_cli.evaluation.recordings import Stream
from retarget_cli.media.picture_source import pictures_in
from retarget_cli.media.reader import open_frames

# What a film's or picture's frames have been through, by the ending of its name.
LOSSLESS = {".png": "PNG (lossless)", ".bmp": "BMP (lossless)", ".tif": "TIFF (lossless)", ".tiff": "TIFF (lossless)"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a stream before its frames are read: (height, width), rate, codec in words."""

    size: tuple[int, int]
    rate: float
    codec: str


def facts(stream: Stream) -> Facts:
    """Look at the first frame.

    Raises:
        InputError: it can't be read, or has too few frames.
    """
    with open_frames(stream.path, max_frames=1) as source:
        return Facts(source.size, float(source.rate), codec_of(stream.path))


def codec_of(path: Path) -> str:
    """What the frames went through, such as `PNG (lossless)` or `.mp4 (lossy)`."""
    first = next(iter(pictures_in(path)), path) if path.is_dir() else path
    ending = first.suffix.lower()
    return LOSSLESS.get(ending, f"{ending or 'unknown'} (lossy, unless its codec is not)")


def frames(stream: Stream, size: tuple[int, int] | None = None) -> Iterator[tuple[int, Image]]:
    """(index from the stream's first frame, (H, W, 3)) of every frame.

    Args:
        stream: what to read.
        size: (height, width) that frames are brought to, by area interpolation; None leaves them.

    Raises:
        InputError: a frame is missing or damaged, or there is none at all.
    """
    if stream.path.is_dir():
        check_numbers(stream.path)
    limit = None if stream.count is None else stream.first + stream.count
    given = 0
    with open_frames(stream.path, max_frames=limit) as source:
        for frame in source:
            # A folder leaves damaged pictures out, but keeps the times of the others.
            at = round(frame.time * source.rate) if source.kind == "folder" else frame.index
            if at < stream.first:
                continue
            if at - stream.first != given:
                message = f"{stream.path}: frame {stream.first + given} can't be read"
                raise InputError(message, "replace or remove the clip")
            yield given, frame.rgb if size is None else resized(frame.rgb, size)
            given += 1
    if not given:
        raise InputError(f"{stream.path}: no frame from {stream.first} on", "the clip is shorter than its list says")


def resized(picture: Image, size: tuple[int, int]) -> Image:
    """(H, W, 3) at another size."""
    if picture.shape[:2] == size:
        return picture
    way = cv2.INTER_AREA if size[0] < picture.shape[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (size[1], size[0]), interpolation=way), np.uint8)


def check_numbers(folder: Path) -> None:
    """Find a gap in the numbers of a folder's pictures.

    Raises:
        InputError: all names end in a number, and one is left out.
    """
    numbers: list[int] = []
    for picture in pictures_in(folder):
        found = re.search(r"(\d+)$", picture.stem)
        if found is None:
            return
        numbers.append(int(found.group(1)))
    steps = [later - earlier for earlier, later in pairwise(numbers)]
    if not steps:
        return
    usual = Counter(steps).most_common(1)[0][0]
    for number, step in zip(numbers, steps, strict=False):
        if step > usual:
            raise InputError(f"{folder}: frame {number + usual} is missing", "render the clip again")


def bounded_size(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """(height, width) of pictures that are made smaller where their longer side exceeds `longest`."""
    return fitted_size(size, (longest, longest)) if max(size) > longest else size


def fitted_size(size: tuple[int, int], box: tuple[int, int]) -> tuple[int, int]:
    """(height, width), even, of the largest frame of the same aspect inside a box."""
    factor = min(box[0] / size[0], box[1] / size[1])
    height, width = (max(16, 2 * round(side * factor / 2)) for side in size)
    return height, width
