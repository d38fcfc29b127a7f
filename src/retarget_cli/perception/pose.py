"""One person's landmarks in a picture, or followed through a clip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from retarget_cli.core.closing import Closing
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.perception.engine import Detection, DetectionNet, LandmarkNet, Reading, Region
from retarget_cli.perception.presence import is_steady, limb_certainty, read_person

# The networks see 224 and 256 px: more than this only costs copying.
_LONGEST_SIDE = 1920
# Less than this, or longer than this many times the other side, and the networks' own padding breaks down.
_SHORTEST_SIDE = 128
_LEAST_DETECTION = 0.5
# Followed people whose limbs are seen worse than this are looked at twice (real clips: 0.75 and more, save in
# n03).
_PLAINLY_FOLLOWED = 0.5

Pick = Callable[[Sequence[Detection]], Detection | None]
"""Chooses whom to follow; gets the most certain first, never nobody."""


@dataclass(frozen=True, slots=True)
class PoseFinding:
    """One person in one picture.

    Attributes:
        pose: (33, 3) float32: x, y in pixels of the picture, visibility in [0, 1].
        world: (33, 3) float32: x right, y down, z away, metres about the hip centre.
        soft_mask: (H, W) float32 in [0, 1]; None unless it was asked for.
    """

    pose: FloatArray
    world: FloatArray
    soft_mask: FloatArray | None


@dataclass(frozen=True, slots=True)
class Canvas:
    """A picture in a size that the networks bear.

    Attributes:
        rgb: the picture times `factor`, then padded below and right.
        factor: canvas pixels a picture pixel.
        size: (height, width) of the picture.
        content: (height, width) of the canvas without the padding.
    """

    rgb: Image
    factor: float
    size: tuple[int, int]
    content: tuple[int, int]

    @classmethod
    def of(cls, rgb: Image) -> Canvas:
        """Reduce a huge picture, enlarge and pad a tiny one."""
        height, width = rgb.shape[:2]
        factor = min(1.0, _LONGEST_SIDE / max(height, width))
        if max(height, width) < _SHORTEST_SIDE:
            factor = _SHORTEST_SIDE / max(height, width)
        content = (max(1, round(height * factor)), max(1, round(width * factor)))
        fitted = rgb
        if content != (height, width):
            way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
            fitted = np.asarray(cv2.resize(rgb, content[::-1], interpolation=way), dtype=np.uint8)
        below, right = (max(0, _SHORTEST_SIDE - side) for side in content)
        if below or right:
            fitted = np.pad(fitted, ((0, below), (0, right), (0, 0)), mode="edge")
        return cls(np.ascontiguousarray(fitted, dtype=np.uint8), factor, (height, width), content)

    def finding(self, reading: Reading) -> PoseFinding:
        """A reading of this canvas, in pixels of the picture."""
        pose = reading.pose.copy()
        pose[:, :2] /= self.factor
        mask = reading.soft_mask
        if mask is not None:
            mask = mask[: self.content[0], : self.content[1]]
            if mask.shape != self.size:
                mask = np.asarray(cv2.resize(mask, self.size[::-1]), dtype=np.float32)
            mask = np.ascontiguousarray(mask)
        return PoseFinding(pose, reading.world, mask)


def most_certain(detections: Sequence[Detection]) -> Detection | None:
    """The default `Pick`."""
    return detections[0] if detections else None


class PoseEstimator(Closing):
    """Finds one person. One instance a thread.

    Args:
        video: pictures are consecutive frames of one clip: the person is followed, and detection (6 ms) runs
            only when he is lost. False for unrelated photos.
        with_mask: also give the soft mask.
        pick: whom to follow where several are seen.

    Raises:
        BackendError: MediaPipe cannot be started, or fails.
    """

    def __init__(self, video: bool, with_mask: bool, pick: Pick = most_certain) -> None:
        self._is_video = video
        self._pick = pick
        self._region: Region | None = None
        self._detector = DetectionNet(_LEAST_DETECTION)
        self._reader = LandmarkNet(with_mask)

    def close(self) -> None:
        """Give the networks back."""
        self._detector.close()
        self._reader.close()

    def forget(self) -> None:
        """Detect afresh in the next frame, as after a cut."""
        self._region = None

    def follow(self, region: Region) -> None:
        """Look for the person here in the next picture, in pixels of that picture."""
        self._region = region

    @property
    def region(self) -> Region | None:
        """Where the next picture is looked at first; None when nobody is being followed."""
        return self._region

    def find(self, rgb: Image) -> PoseFinding | None:
        """(H, W, 3) uint8 RGB of any size -> the person, or None when nobody is plainly there."""
        canvas = Canvas.of(rgb)
        reading = self._followed(canvas) or self._detected(canvas)
        self._region = None
        if reading is None:
            return None
        if self._is_video:
            self._region = reading.next_region.scaled(1 / canvas.factor)
        return canvas.finding(reading)

    def _followed(self, canvas: Canvas) -> Reading | None:
        if self._region is None:
            return None
        reading = self._reader.read(canvas.rgb, self._region.scaled(canvas.factor))
        if reading is None or limb_certainty(reading.pose) >= _PLAINLY_FOLLOWED:
            return reading
        return reading if is_steady(self._reader, canvas.rgb, reading, score=1.0) else None

    def _detected(self, canvas: Canvas) -> Reading | None:
        detections = self._detector.find(canvas.rgb)
        chosen = self._pick(detections) if detections else None
        return None if chosen is None else read_person(self._reader, canvas.rgb, chosen)
