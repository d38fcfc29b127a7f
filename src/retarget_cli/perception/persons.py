"""Several people in one picture: find them, choose one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from retarget_cli.core.closing import Closing
from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.perception.engine import Detection, DetectionNet, LandmarkNet, Region
from retarget_cli.perception.pose import Canvas
from retarget_cli.perception.presence import read_person

Choice = Literal["largest", "left", "right", "center"] | int

# Detections this weak are often somebody small or half hidden; the landmark network then has the last word.
_LEAST_DETECTION = 0.3
_VISIBLE = 0.5
_SAME_PERSON = 0.55


@dataclass(frozen=True, slots=True)
class PersonBox:
    """Where somebody is in a picture, in pixels.

    Attributes:
        x0, y0, x1, y1: about the visible landmarks, within the picture.
        score: the detector's certainty in [0, 1].
        region: where a landmark network should look for this person.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    score: float
    region: Region

    @property
    def center(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    @property
    def area(self) -> float:
        return (self.x1 - self.x0) * (self.y1 - self.y0)


class PersonFinder(Closing):
    """Finds everybody in a picture. One instance a thread."""

    def __init__(self) -> None:
        self._detector = DetectionNet(_LEAST_DETECTION)
        self._reader = LandmarkNet(with_mask=False)

    def close(self) -> None:
        """Give the networks back."""
        self._detector.close()
        self._reader.close()

    def find(self, rgb: Image) -> list[PersonBox]:
        """(H, W, 3) uint8 -> people from left to right; 6 ms plus 60 ms a person, and more for tiles.."""
        canvas = Canvas.of(rgb)
        found: list[PersonBox] = []
        for detection in self._detections(canvas.rgb):
            box = self._verified(canvas, detection)
            if box is not None and not any(_overlap(box, other) > _SAME_PERSON for other in found):
                found.append(box)
        return sorted(found, key=lambda box: box.center[0])

    def _detections(self, rgb: Image) -> list[Detection]:
        """Of the whole picture and of overlapping tiles, where small people are large enough to be seen."""
        found = self._detector.find(rgb)
        for x, y, side in _tiles(rgb.shape[0], rgb.shape[1]):
            tile = np.ascontiguousarray(rgb[y : y + side, x : x + side])
            for item in self._detector.find(tile):
                found.append(Detection(item.score, item.region.scaled(1.0, (x, y))))
        return sorted(found, key=lambda item: -item.score)

    def _verified(self, canvas: Canvas, detection: Detection) -> PersonBox | None:
        reading = read_person(self._reader, canvas.rgb, detection)
        if reading is None:
            return None
        region = reading.next_region.scaled(1 / canvas.factor)
        return _box_of(canvas.finding(reading).pose, canvas.size, detection.score, region)


def find_persons(rgb: Image) -> list[PersonBox]:
    """Everybody in one (H, W, 3) uint8 RGB picture, from left to right. For many keep a `PersonFinder`."""
    with PersonFinder() as finder:
        return finder.find(rgb)


def choose_person(boxes: Sequence[PersonBox], choice: Choice) -> PersonBox:
    """The person that the user means.

    Args:
        boxes: from left to right.
        choice: "largest" (by area), "left", "right", "center" (nearest to the middle of all boxes), or N,
            counted from the left and from 1.

    Raises:
        InputError: fewer people than N, or nobody.
        UsageError: `choice` is none of these.
    """
    if not boxes:
        raise InputError("no person was found", "use a picture or clip in which somebody is plainly visible")
    if isinstance(choice, int) and not isinstance(choice, bool):
        return _numbered(boxes, choice)
    if choice == "largest":
        return max(boxes, key=lambda box: box.area)
    if choice == "left":
        return min(boxes, key=lambda box: box.center[0])
    if choice == "right":
        return max(boxes, key=lambda box: box.center[0])
    if choice == "center":
        middle = (min(box.x0 for box in boxes) + max(box.x1 for box in boxes)) / 2
        return min(boxes, key=lambda box: abs(box.center[0] - middle))
    raise UsageError(f"person {choice!r} is unknown", "use largest, left, right, center or a number from 1")


def _numbered(boxes: Sequence[PersonBox], number: int) -> PersonBox:
    if number < 1:
        raise UsageError(
            f"person {number} is impossible", "people are counted from the left, starting with 1"
        )
    if number > len(boxes):
        found = "1 person was" if len(boxes) == 1 else f"{len(boxes)} people were"
        raise InputError(
            f"person {number} was asked for, but {found} found", f"use a number from 1 to {len(boxes)}"
        )
    return boxes[number - 1]


def _tiles(height: int, width: int) -> list[tuple[int, int, int]]:
    """(x, y, side) of overlapping squares of 0.6 of the longer side; none for tiny pictures."""
    side = min(round(0.6 * max(height, width)), height, width)
    if side < 224:
        return []
    return [(x, y, side) for y in _starts(height, side) for x in _starts(width, side)]


def _starts(length: int, side: int) -> list[int]:
    if length == side:
        return [0]
    count = 1 + int(np.ceil((length - side) / (0.5 * side)))
    return [round(i * (length - side) / (count - 1)) for i in range(count)]


def _box_of(pose: FloatArray, size: tuple[int, int], score: float, region: Region) -> PersonBox | None:
    seen = pose[pose[:, 2] >= _VISIBLE, :2]
    if len(seen) < 4:
        return None
    limit = np.array([size[1], size[0]], dtype=np.float32)
    low, high = np.clip(seen.min(axis=0), 0, limit), np.clip(seen.max(axis=0), 0, limit)
    if (high - low).min() < 1:
        return None
    return PersonBox(float(low[0]), float(low[1]), float(high[0]), float(high[1]), score, region)


def _overlap(one: PersonBox, other: PersonBox) -> float:
    """Intersection over the smaller box: a half body lies inside the whole one."""
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    return max(0.0, width) * max(0.0, height) / min(one.area, other.area)
