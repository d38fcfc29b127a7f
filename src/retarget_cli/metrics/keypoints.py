"""Whether the person is where he should be: landmarks found in the rendered frame and in the true one.

The papers used OpenPose and the landmarks of Bulat and Tzimiropoulos; these are MediaPipe's, so that values can be
compared with each other and not with published ones.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from importlib.metadata import version
from typing import Protocol

import numpy as np

from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.metrics.base import FrameMetric, Frames, Info, Need, Scorer
from retarget_cli.metrics.temporal import picture
from retarget_cli.perception.face import FaceFinder
from retarget_cli.perception.person_tracker import PersonTracker

# Landmarks of the body: head, shoulders, elbows, wrists, hips, knees, ankles; fingers and soles are guesses.
BODY = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)
LEAST_CONFIDENCE = 0.5
# True frames whose landmarks are kept for the next method.
REMEMBERED = 4096
POSE = f"MediaPipe {version('mediapipe')} pose, {len(BODY)} landmarks of confidence {LEAST_CONFIDENCE} and more"
FACE = f"MediaPipe {version('mediapipe')} face mesh, 468 landmarks, at the head that its pose gives"
NOT_PUBLISHED = "not comparable with published values, which use another detector"

INFOS = {
    info.key: info
    for info in (
        Info("akd", "AKD", f"mean distance of landmarks found in both; {NOT_PUBLISHED}", False, "px", POSE),
        Info("mkr", "MKR", "share of the target's landmarks that are not found in the rendered frame", False, "", POSE),
        Info("face-akd", "face AKD", f"mean distance of landmarks; {NOT_PUBLISHED}", False, "px", FACE),
        Info("face-mkr", "face MKR", "1 where the target's face is not found in the rendered frame", False, "", FACE),
    )
}


@dataclass(frozen=True, slots=True)
class Found:
    """Landmarks of one frame: pose (33, 3) with confidence, face (468, 3); None where nobody is seen."""

    pose: FloatArray | None
    face: FloatArray | None


class Detect(Protocol):
    """What finds landmarks of a clip's frames, in order, in one thread."""

    def find(self, frame: Image) -> Found:
        """(H, W, 3) uint8."""

    def restart(self) -> None:
        """The next frame is the first of another clip."""


class Detector:
    """Finds landmarks of a clip's frames, in order. One instance a thread.

    Args:
        has_face: also of the face.
    """

    def __init__(self, has_face: bool) -> None:
        self._tracker = PersonTracker("largest", video=True, with_mask=False)
        self._finder = FaceFinder() if has_face else None

    def find(self, frame: Image) -> Found:
        """See `Detect`."""
        finding = self._tracker.find(frame)
        pose = None if finding is None else finding.pose
        face = None if self._finder is None or pose is None else self._finder.find(frame, pose)
        return Found(pose, face)

    def restart(self) -> None:
        """See `Detect`."""
        self._tracker.restart()


class Keypoints(FrameMetric):
    """Any of the measures.

    Args:
        keys: of `INFOS`.
        make: a detector; one is made for rendered and one for true frames, each in a thread of its own.
    """

    def __init__(self, keys: Sequence[str], make: Callable[[bool], Detect] = Detector) -> None:
        self.infos = tuple(INFOS[key] for key in keys)
        self.needs = frozenset({Need.TARGET})
        has_face = any(key.startswith("face") for key in keys)
        self._ours, self._theirs = _Follower(make, has_face), _Follower(make, has_face)
        self._known: OrderedDict[bytes, Found] = OrderedDict()

    def begin(self) -> Scorer:
        """Detectors follow the person through one clip at a time."""
        self._ours.restart()
        self._theirs.restart()
        return _KeypointScorer([info.key for info in self.infos], self._ours, self._theirs, self._known)


class _Follower:
    """A detector in a thread of its own, where MediaPipe's objects must stay; made when it is first needed."""

    def __init__(self, make: Callable[[bool], Detect], has_face: bool) -> None:
        self._make, self._has_face = make, has_face
        self._thread = ThreadPoolExecutor(1, "landmarks")
        self._detect: Detect | None = None

    def ask(self, frames: Sequence[Image], known: OrderedDict[bytes, Found] | None = None) -> Future[list[Found]]:
        """Landmarks of consecutive frames; those that are known are not looked for."""
        return self._thread.submit(lambda: [self._one(frame, known) for frame in frames])

    def restart(self) -> None:
        if self._detect is not None:
            self._thread.submit(self._detect.restart).result()

    def _one(self, frame: Image, known: OrderedDict[bytes, Found] | None) -> Found:
        if known is None:
            return self._found(frame)
        key = blake2b(frame.tobytes(), digest_size=16).digest()
        if key not in known:
            known[key] = self._found(frame)
            if len(known) > REMEMBERED:
                known.popitem(last=False)
        return known[key]

    def _found(self, frame: Image) -> Found:
        if self._detect is None:
            self._detect = self._make(self._has_face)
        return self._detect.find(frame)


class _KeypointScorer(Scorer):
    def __init__(
        self, keys: Sequence[str], ours: _Follower, theirs: _Follower, known: OrderedDict[bytes, Found]
    ) -> None:
        self._keys, self._ours, self._theirs, self._known = tuple(keys), ours, theirs, known

    def score(self, frames: Frames) -> dict[str, FloatArray]:
        """See `Scorer`."""
        if frames.target is None:
            return {key: np.full(len(frames), math.nan, np.float32) for key in self._keys}
        ours = self._ours.ask([picture(frame) for frame in frames.rendered])
        theirs = self._theirs.ask([picture(frame) for frame in frames.target], self._known)
        rows = [compared(*both) for both in zip(ours.result(), theirs.result(), strict=True)]
        return {key: np.array([row[key] for row in rows], np.float32) for key in self._keys}


def compared(rendered: Found, target: Found) -> dict[str, float]:
    """All measures of one frame; NaN where the target shows nothing to compare with."""
    return {
        **dict(zip(("akd", "mkr"), _body(rendered.pose, target.pose), strict=True)),
        **dict(zip(("face-akd", "face-mkr"), _face(rendered.face, target.face), strict=True)),
    }


def _body(rendered: FloatArray | None, target: FloatArray | None) -> tuple[float, float]:
    if target is None:
        return math.nan, math.nan
    wanted = target[list(BODY), 2] >= LEAST_CONFIDENCE
    if not wanted.any():
        return math.nan, math.nan
    if rendered is None:
        return math.nan, 1.0
    both = wanted & (rendered[list(BODY), 2] >= LEAST_CONFIDENCE)
    missing = 1 - float(both.sum() / wanted.sum())
    if not both.any():
        return math.nan, missing
    away = np.linalg.norm(rendered[list(BODY), :2] - target[list(BODY), :2], axis=1)
    return float(away[both].mean()), missing


def _face(rendered: FloatArray | None, target: FloatArray | None) -> tuple[float, float]:
    if target is None:
        return math.nan, math.nan
    if rendered is None:
        return math.nan, 1.0
    return float(np.linalg.norm(rendered[:, :2] - target[:, :2], axis=1).mean()), 0.0
