"""Small pictures for the page."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from retarget_cli.core.errors import OutputError, RetargetError
from retarget_cli.core.subject import Image
from retarget_cli.evaluation.streams import resized
from retarget_cli.media.images import over_white, read_picture

Size = tuple[int, int]
QUALITY = 82
# How much differences are exaggerated, so that they are seen.
GAIN = 3


def difference(target: Image, result: Image) -> Image:
    """(H, W, 3): the absolute difference, three times."""
    apart = np.abs(target.astype(np.int16) - result.astype(np.int16)) * GAIN
    return np.minimum(apart, 255).astype(np.uint8)


def within(size: Size, box: Size) -> Size:
    """The largest even size of the same aspect inside a box; never larger than the size itself."""
    factor = min(1.0, box[0] / size[0], box[1] / size[1])
    height, width = (max(2, 2 * round(side * factor / 2)) for side in size)
    return height, width


def fitted(picture: Image, size: Size, paper: int = 0) -> Image:
    """(H, W, 3) of that size, with the picture's aspect kept and bars where it differs."""
    if picture.shape[:2] == size:
        return picture
    factor = min(size[0] / picture.shape[0], size[1] / picture.shape[1])
    inner = (max(1, round(picture.shape[0] * factor)), max(1, round(picture.shape[1] * factor)))
    small = resized(picture, (min(inner[0], size[0]), min(inner[1], size[1])))
    canvas = np.full((*size, 3), paper, np.uint8)
    top, left = (size[0] - small.shape[0]) // 2, (size[1] - small.shape[1]) // 2
    canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    return canvas


def strip(pictures: Sequence[Image | None], size: Size) -> Image:
    """Beside each other; grey where there is none."""
    empty = np.full((*size, 3), 128, np.uint8)
    return np.hstack([empty if each is None else fitted(each, size) for each in pictures])


def jpeg_uri(picture: Image, quality: int = QUALITY) -> str:
    """A picture that stands in the page itself."""
    done, found = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise OutputError("a picture of the report can't be compressed")
    return f"data:image/jpeg;base64,{base64.b64encode(found.tobytes()).decode('ascii')}"


def file_uri(path: Path, kind: str) -> str:
    """A file that stands in the page itself."""
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


def sources_strip(paths: Sequence[str], size: Size) -> Image | None:
    """Source pictures beside each other; None where none can be read."""
    found = []
    for path in paths:
        try:
            found.append(over_white(read_picture(Path(path))))
        except RetargetError:
            continue
    return strip(found, size) if found else None
