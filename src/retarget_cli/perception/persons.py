"""Several people in one picture: find them, choose one, follow that one."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

import cv2
import numpy as np

from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.perception.engine import Detection, DetectionNet, LandmarkNet, Region
from retarget_cli.perception.pose import Canvas, PoseEstimator, PoseFinding
from retarget_cli.perception.presence import read_person

logger = logging.getLogger(__name__)

Choice = Literal["largest", "left", "right", "center"] | int

# Detections this weak are often somebody small or half hidden; the landmark network then has the last word.
_LEAST_DETECTION = 0.3
_VISIBLE = 0.5
_SAME_PERSON = 0.55

# A followed person moves by less than this between two pictures (in sides of the region, about 1.3 body heights); the
# reach grows while he is not seen, slowly where there are others to mistake him for.
_REACH, _GROWTH_ALONE, _GROWTH_AMONG_RIVALS = 0.2, 0.05, 0.02
# Mean change of a thumbnail's grey levels between two frames that is held to be a cut.
_CUT = 40.0
# So many pictures with too few people, and person N is held not to exist.
_PATIENCE = 30


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


class PersonFinder:
    """Finds everybody in a picture. One instance a thread."""

    def __init__(self) -> None:
        self._detector = DetectionNet(_LEAST_DETECTION)
        self._reader = LandmarkNet(with_mask=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

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
    """Everybody in one picture, (H, W, 3) uint8 RGB, from left to right. For many pictures keep a `PersonFinder`."""
    with PersonFinder() as finder:
        return finder.find(rgb)


def choose_person(boxes: Sequence[PersonBox], choice: Choice) -> PersonBox:
    """The person that the user means.

    Args:
        boxes: from left to right.
        choice: "largest" (by area), "left", "right", "center" (nearest to the middle of all boxes), or N, counted from
            the left and from 1.

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
        raise UsageError(f"person {number} is impossible", "people are counted from the left, starting with 1")
    if number > len(boxes):
        found = "1 person was" if len(boxes) == 1 else f"{len(boxes)} people were"
        raise InputError(
            f"person {number} was asked for, but {found} found", f"use a number from 1 to {len(boxes)}"
        )
    return boxes[number - 1]


def _tiles(height: int, width: int) -> list[tuple[int, int, int]]:
    """(x, y, side) of squares of 0.6 of the longer side, overlapping by a half or more; none for tiny pictures."""
    side = min(round(0.6 * max(height, width)), height, width)
    if side < 224:
        return []
    return [(x, y, side) for y in _starts(height, side) for x in _starts(width, side)]


def _starts(length: int, side: int) -> list[int]:
    if length == side:
        return [0]
    count = 1 + int(np.ceil((length - side) / (0.5 * side)))
    return [round(i * (length - side) / (count - 1)) for i in range(count)]


def _box_of(
    pose: FloatArray, size: tuple[int, int], score: float, region: Region
) -> PersonBox | None:
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


class PersonTracker:
    """Follows the chosen person through a clip, or finds him in a photo. One instance a thread.

    With one person in sight it costs what `PoseEstimator` costs. Where several are, everybody is looked for once, in the
    first pictures that show anybody; from then on whoever is nearest to the last place is the chosen one.

    Args:
        choice: as for `choose_person`.
        video: as for `PoseEstimator`.
        with_mask: as for `PoseEstimator`.

    Raises:
        UsageError: `choice` is impossible (on the first picture).
        BackendError: MediaPipe cannot be started, or fails.
    """

    def __init__(self, choice: Choice, video: bool, with_mask: bool) -> None:
        self._choice = choice
        self._is_video = video
        self._estimator = PoseEstimator(video, with_mask, pick=self._nearest)
        self._finder: PersonFinder | None = None
        self._last: Region | None = None
        self._has_rivals = False
        self._pictures_short = 0
        self._searched = 0
        self._missing = 0
        self._thumbnail: Image | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the networks back."""
        self._estimator.close()
        if self._finder is not None:
            self._finder.close()

    def find(self, rgb: Image) -> PoseFinding | None:
        """(H, W, 3) uint8 RGB -> the chosen person, or None where he is not seen.

        Raises:
            InputError: person N is asked for, but for a second's worth of pictures fewer were seen.
        """
        if not self._is_video:
            return self._first(rgb)
        if self._is_cut(rgb):
            self._last = None
            self._estimator.forget()
        return self._first(rgb) if self._last is None else self._next(rgb)

    def _is_cut(self, rgb: Image) -> bool:
        before = self._thumbnail
        self._thumbnail = np.asarray(cv2.resize(rgb, (32, 32), interpolation=cv2.INTER_NEAREST), dtype=np.uint8)
        return before is not None and float(cv2.absdiff(self._thumbnail, before).mean()) > _CUT

    def _first(self, rgb: Image) -> PoseFinding | None:
        self._searched += 1
        if self._searched > _PATIENCE and self._searched % 10 and self._estimator.find(rgb) is None:
            return None  # nobody for long: the thorough search, 60 ms, only now and then
        boxes = self._everybody(rgb)
        if not boxes:
            return None
        try:
            chosen = choose_person(boxes, self._choice)
        except InputError:
            self._pictures_short += 1
            if not self._is_video or self._pictures_short >= _PATIENCE:
                raise
            return None
        self._has_rivals = len(boxes) > 1
        logger.info("following one of %d people, between x = %.0f and %.0f", len(boxes), chosen.x0, chosen.x1)
        self._last = chosen.region
        self._estimator.follow(chosen.region)
        return self._kept(self._estimator.find(rgb))

    def _next(self, rgb: Image) -> PoseFinding | None:
        finding = self._estimator.find(rgb)
        if finding is not None and not self._is_same(self._estimator.region):
            finding = self._reacquired(rgb)
        return self._kept(finding)

    def _reacquired(self, rgb: Image) -> PoseFinding | None:
        """Somebody else took over: look at everybody and take the nearest, if near enough."""
        boxes = [box for box in self._everybody(rgb) if self._is_same(box.region)]
        if not boxes:
            self._estimator.forget()
            return None
        self._estimator.follow(min(boxes, key=lambda box: self._distance(box.region)).region)
        return self._estimator.find(rgb)

    def _kept(self, finding: PoseFinding | None) -> PoseFinding | None:
        if finding is None:
            self._missing += 1
        else:
            self._missing = 0
            self._last = self._estimator.region or self._last
        return finding

    def _everybody(self, rgb: Image) -> list[PersonBox]:
        if self._finder is None:
            self._finder = PersonFinder()
        return self._finder.find(rgb)

    def _nearest(self, detections: Sequence[Detection]) -> Detection | None:
        """The estimator's `Pick`: only somebody near the last place will do."""
        if self._last is None:
            return detections[0]
        nearest = min(detections, key=lambda item: self._distance(item.region))
        return nearest if self._is_same(nearest.region) else None

    def _distance(self, region: Region) -> float:
        """From the last place, in sides of the larger region, a doubling of the size counting as half a side."""
        last = self._last
        if last is None:
            return 0.0
        apart = float(np.hypot(region.x - last.x, region.y - last.y)) / max(region.side, last.side)
        return apart + 0.5 * abs(float(np.log2(region.side / last.side)))

    def _is_same(self, region: Region | None) -> bool:
        if region is None:
            return True
        growth = _GROWTH_AMONG_RIVALS if self._has_rivals else _GROWTH_ALONE
        return self._distance(region) <= _REACH + growth * self._missing
